package governance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A Client calls OIG as one user.
type Client struct {
	BaseURL        string // "https://oig.example.com:14000"
	User, Password string
	HTTP           *http.Client // nil: http.DefaultClient
}

// An Error is a call that OIG did not carry out.
type Error struct {
	Status        int
	Title, Detail string // "" where OIG did not say
}

func (e *Error) Error() string {
	text := e.Title
	if text == "" {
		text = http.StatusText(e.Status)
	}
	if e.Detail != "" && e.Detail != text {
		text += ": " + e.Detail
	}
	return fmt.Sprintf("OIG: %d %s", e.Status, text)
}

// A TaskUpdate is what shall change of a provisioning task.
type TaskUpdate struct {
	RequestID string  `json:"requestId,omitempty"` // chosen by the caller
	Fields    []Field `json:"fields,omitempty"`
}

// A Field of a provisioning task, such as "Process Instance.Task Details.Note".
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Task is what OIG says of a provisioning task.
type Task struct {
	ID       string `json:"id"`
	Status   string `json:"status"` // "OK"
	Assignee string `json:"assignee"`
}

// UpdateTask updates a provisioning task.
func (c *Client) UpdateTask(ctx context.Context, id string, u TaskUpdate) (*Task, error) {
	body := struct {
		ID string `json:"id"` // OIG wants it here, too
		TaskUpdate
	}{id, u}
	var task Task
	if err := c.put(ctx, "provtasks/"+url.PathEscape(id), body, &task); err != nil {
		return nil, fmt.Errorf("updating task %s: %w", id, err)
	}
	return &task, nil
}

// A Cause is what shall be done about one cause of a policy violation.
type Cause struct {
	RequestID string // chosen by the caller; comes back
	ID        string
	Action    string // "ACCEPT_RISK"
	Comment   string
	Until     time.Time // the day until which the risk is accepted; zero: none
}

// MarshalJSON writes the day as OIG reads it: 11-May-16.
func (c Cause) MarshalJSON() ([]byte, error) {
	until := ""
	if !c.Until.IsZero() {
		until = c.Until.Format("02-Jan-06")
	}
	return json.Marshal(struct {
		RequestID string `json:"requestId"`
		ID        string `json:"causeId"`
		Action    string `json:"action"`
		Comment   string `json:"comment,omitempty"`
		Until     string `json:"riskAcceptedExpirationDate,omitempty"`
	}{c.RequestID, c.ID, c.Action, c.Comment, until})
}

// An Outcome is what became of one cause. OIG says 200 whatever became of them.
type Outcome struct {
	RequestID string `json:"requestId"`
	Status    string `json:"status"` // " FAIL" has a blank before it
	Reason    string `json:"reason"`
}

// Err says why nothing was done about the cause; nil if something was.
func (o Outcome) Err() error {
	if strings.TrimSpace(o.Status) != "FAIL" {
		return nil
	}
	return fmt.Errorf("cause of request %s: %s", o.RequestID, o.Reason)
}

// UpdateCauses acts on causes of a policy violation. Each has its own outcome.
func (c *Client) UpdateCauses(ctx context.Context, violation string, causes ...Cause) ([]Outcome, error) {
	body := struct {
		Causes []Cause `json:"policyviolationcause"`
	}{causes}
	var answer struct {
		Outcomes []Outcome `json:"policyviolationsresponse"`
	}
	if err := c.put(ctx, "policyviolations/"+url.PathEscape(violation)+"/causes", body, &answer); err != nil {
		return nil, fmt.Errorf("updating the causes of violation %s: %w", violation, err)
	}
	return answer.Outcomes, nil
}

// put sends a body to a path of the API and reads the answer. The error is an
// *Error where OIG answered and said no.
func (c *Client) put(ctx context.Context, path string, body, answer any) error {
	sent, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, c.BaseURL+"/iam/governance/selfservice/api/v1/"+path, bytes.NewReader(sent))
	if err != nil {
		return err
	}
	req.SetBasicAuth(c.User, c.Password)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Requested-By", c.User) // later releases refuse a write without it

	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		refusal := &Error{Status: resp.StatusCode}
		// What stands before OIG answers in HTML: then the status says all.
		_ = json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(refusal)
		refusal.Status = resp.StatusCode
		return refusal
	}
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		return fmt.Errorf("reading OIG's answer: %w", err)
	}
	return nil
}
