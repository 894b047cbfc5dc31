package governance_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/oigmock/oigmock/mockserver/oigtest"
	governance "github.com/oigmock/oigmock/mockserver/oigtest/example"
)

const violation = "6F5592D7A5CE42CDB8A38996180A7D18"

var today = time.Date(2030, 5, 11, 0, 0, 0, 0, time.UTC)

// clientOf is the client under test, pointed at a mock.
func clientOf(oig *oigtest.Server) *governance.Client {
	return &governance.Client{BaseURL: oig.URL, User: "xelsysadm", Password: "secret", HTTP: oig.Client()}
}

func TestUpdateTask(t *testing.T) {
	oig := oigtest.NewServer(t)

	task, err := clientOf(oig).UpdateTask(t.Context(), "5126", governance.TaskUpdate{
		RequestID: "10001",
		Fields:    []governance.Field{{Name: "Process Instance.Task Details.Note", Value: "ask Sonia"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := (governance.Task{ID: "5126", Status: "OK", Assignee: "System Administrator"}); *task != want {
		t.Errorf("got %+v, want %+v", *task, want)
	}

	sent := oig.Received(`{method: PUT, path: "/iam/governance/selfservice/api/v1/provtasks/5126",
		body: {fields: [{value: ask Sonia}]}}`)
	if len(sent) != 1 {
		t.Fatalf("OIG received the note %d times", len(sent))
	}
	if got := sent[0].Exchange.Request.Header.Get("X-Requested-By"); got != "xelsysadm" {
		t.Errorf("X-Requested-By: got %q", got)
	}
}

// All of them run at once on one server, each in a session of its own.
func TestRefusals(t *testing.T) {
	oig := oigtest.NewServer(t, oigtest.Dir("testdata/oig"))
	for _, test := range []struct {
		name, task, user string
		given            string
		params           map[string]any
		want             int
	}{
		{name: "there is no such task", task: "1", user: "xelsysadm", want: http.StatusNotFound},
		{name: "an id is one segment", task: "5126/x", user: "xelsysadm", want: http.StatusNotFound},
		{name: "nobody is signed in", task: "5126", want: http.StatusUnauthorized},
		{name: "OIG fails", task: "5126", user: "xelsysadm", given: "OIG fails", want: http.StatusInternalServerError},
		{name: "OIG is busy", task: "5126", user: "xelsysadm", given: "OIG fails",
			params: map[string]any{"status": 503}, want: http.StatusServiceUnavailable},
		{name: "OIG is down", task: "5126", user: "xelsysadm", given: "OIG is down", want: http.StatusBadGateway},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			oig := oig.Session(t)
			if test.given != "" {
				oig.Given(test.given, test.params)
			}
			client := clientOf(oig)
			client.User = test.user
			_, err := client.UpdateTask(t.Context(), test.task, governance.TaskUpdate{})
			var refusal *governance.Error
			if !errors.As(err, &refusal) || refusal.Status != test.want {
				t.Errorf("got %v, want a %d", err, test.want)
			}
		})
	}
}

func TestAcceptRisk(t *testing.T) {
	oig := oigtest.NewServer(t, oigtest.Clock(today))
	for _, test := range []struct {
		name  string
		until time.Time
		why   string // nothing was done; "": it was
	}{
		{"tomorrow", today.AddDate(0, 0, 1), ""},
		{"the last day", today.AddDate(0, 0, 50), ""},
		{"a day too late", today.AddDate(0, 0, 51), "IAM-8110005 : The specified risk-accepted expiration date 7/1/30 is invalid"},
		{"today", today, "no later than 6/30/30"},
		{"no day", time.Time{}, "date null is invalid"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			outcomes, err := clientOf(oig.Session(t)).UpdateCauses(t.Context(), violation, governance.Cause{
				RequestID: "r1", ID: "287874BB86344E3DA243FC84029D76AF", Action: "ACCEPT_RISK", Until: test.until,
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(outcomes) != 1 || outcomes[0].RequestID != "r1" {
				t.Fatalf("got %+v", outcomes)
			}
			switch err := outcomes[0].Err(); {
			case test.why == "" && err != nil:
				t.Error(err)
			case test.why != "" && (err == nil || !strings.Contains(err.Error(), test.why)):
				t.Errorf("got %v, want %q", err, test.why)
			}
		})
	}
}

// A day that is allowed is allowed no more when it has come.
func TestTimePasses(t *testing.T) {
	oig := oigtest.NewServer(t)
	oig.SetTime(today)
	cause := governance.Cause{ID: "287874BB86344E3DA243FC84029D76AF", Action: "ACCEPT_RISK", Until: today.AddDate(0, 0, 1)}

	for _, want := range []string{"SUCCESS", " FAIL"} {
		outcomes, err := clientOf(oig).UpdateCauses(t.Context(), violation, cause)
		if err != nil {
			t.Fatal(err)
		}
		if got := outcomes[0].Status; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		oig.FastForward(24 * time.Hour)
	}
}

func TestContextEnds(t *testing.T) {
	oig := oigtest.NewServer(t)
	oig.Put("silent", `
scenario: OIG is silent
source: assumed
interactions:
  - name: it takes the request, and says nothing
    request: {}
    adds: {fault: hang}
`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { cancel() }, // at the earliest that it can wait for the answer
	})
	if _, err := clientOf(oig).UpdateTask(ctx, "5126", governance.TaskUpdate{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
