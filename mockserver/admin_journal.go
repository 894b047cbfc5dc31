package mockserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas/didyoumean"
	"github.com/oigmock/oigmock/schemas/payload"
)

const (
	usualPage    = 100 // entries at once
	largestPage  = 1000
	fewEntries   = 8                // that who reads a journal holds
	maxFollowers = 100              // that are sent entries as they come
	heartbeat    = 15 * time.Second // between two signs of life to one of them
)

type entryJSON struct {
	Seq         uint64          `json:"seq"`
	At          string          `json:"at"`
	TookMs      float64         `json:"tookMs"`
	URL         string          `json:"url"`
	Release     string          `json:"release,omitempty"`
	User        string          `json:"user,omitempty"`
	Method      string          `json:"method"`
	Path        string          `json:"path"`
	Query       string          `json:"query,omitempty"`
	Request     messageJSON     `json:"request"`
	Response    messageJSON     `json:"response"`
	Outcome     Outcome         `json:"outcome"`
	Operation   string          `json:"operation,omitempty"`
	Scenario    string          `json:"scenario,omitempty"`
	Interaction string          `json:"interaction,omitempty"`
	Changed     []string        `json:"changed"`
	Fault       string          `json:"fault,omitempty"`
	FaultFrom   string          `json:"faultFrom,omitempty"`
	Violations  []violationJSON `json:"violations"`
	NearMisses  []nearJSON      `json:"nearMisses"`
}

// A messageJSON is a request, or a response. Its body is JSON, or else a text,
// or else bytes.
type messageJSON struct {
	Status    int                 `json:"status,omitempty"`
	Header    map[string][]string `json:"header"`
	Body      json.RawMessage     `json:"body,omitempty"`
	Text      string              `json:"text,omitempty"`
	Bytes     []byte              `json:"bytes,omitempty"` // in base64
	BodyBytes int                 `json:"bodyBytes"`
	Cut       bool                `json:"cut,omitempty"` // there were more of them
}

func (m *messageJSON) body(b []byte, cut bool) {
	m.BodyBytes, m.Cut = len(b), cut
	whole := b
	for i := 0; cut && i < utf8.UTFMax && len(whole) > 0 && !utf8.Valid(whole); i++ {
		whole = whole[:len(whole)-1] // a character was cut in two
	}
	switch {
	case len(b) == 0:
	case !cut && isPayload(b):
		m.Body = b
	case utf8.Valid(whole):
		m.Text = string(whole)
	default:
		m.Bytes = b
	}
}

func isPayload(b []byte) bool {
	_, err := payload.Scan(b)
	return err == nil
}

func jsonOf(e *Entry) entryJSON {
	x := &e.Exchange
	out := entryJSON{Seq: e.Seq, At: x.At.UTC().Format(time.RFC3339Nano), TookMs: float64(x.Took.Microseconds()) / 1000,
		URL: e.URL, Release: e.Release, User: e.User, Method: x.Request.Method, Path: x.Request.Path, Query: x.Request.Query,
		Outcome: e.Outcome, Operation: e.Operation, Scenario: e.Scenario, Interaction: e.Interaction, Changed: append([]string{}, e.Changed...),
		Fault: e.Fault, FaultFrom: e.FaultFrom, Violations: append([]violationJSON{}, violationsJSON(e.Violations)...), NearMisses: append([]nearJSON{}, nearJSONs(e.NearMisses)...)}
	out.Request.Header = map[string][]string{}
	for name, values := range x.Request.Header {
		out.Request.Header[name] = withoutSecrets(name, values)
	}
	if x.Request.Host != "" {
		out.Request.Header["Host"] = []string{x.Request.Host}
	}
	out.Request.body(x.Request.Body, e.Cut)
	out.Response.Status = x.Response.Status
	out.Response.Header = map[string][]string{}
	for _, f := range x.Response.Header {
		out.Response.Header[f.Name] = append(slices.Clip(out.Response.Header[f.Name]), f.Values...)
	}
	if x.Response.HasBody && !hasHeader(x.Response.Header, "Content-Type") {
		out.Response.Header["Content-Type"] = []string{x.Response.Media}
	}
	out.Response.body(x.Response.Body, e.AnswerCut)
	return out
}

// withoutSecrets is a header of a request without the secrets that clients put
// there: Basic … for Basic dTpw, and a=… for a=1.
func withoutSecrets(name string, values []string) []string {
	login := name == "Authorization" || name == "Proxy-Authorization"
	if !login && !scenarios.IsSecretName(name) {
		return values
	}
	out := make([]string, len(values))
	for i, v := range values {
		if name != "Cookie" {
			scheme, _, more := strings.Cut(v, " ")
			if out[i] = "…"; login && more && authScheme.MatchString(scheme) {
				out[i] = scheme + " …"
			}
			continue
		}
		var names []string
		for part := range strings.SplitSeq(v, ";") {
			name, _, named := strings.Cut(strings.TrimSpace(part), "=")
			if !named {
				name = ""
			}
			names = append(names, name+"=…")
		}
		out[i] = strings.Join(names, "; ")
	}
	return out
}

var authScheme = regexp.MustCompile(`^[A-Za-z-]{1,20}$`)

// A filter chooses among entries. What it does not name may be anything.
type filter struct {
	method, scenario string
	path             *scenarios.Path
	status           string // "404", "4xx"
	outcome          Outcome
	unanswered       bool
	after            uint64
	limit            int
	follow           bool
}

var (
	outcomes   = []string{string(Answered), string(NoOperation), string(Contract), string(NoMatch), string(Template), string(BadQuery), string(TooLarge), string(Unreadable), string(TooCostly), string(BadSession)}
	statusForm = regexp.MustCompile(`^[1-5]([0-9][0-9]|xx)$`)
)

func (v *visit) filter() (*filter, error) {
	f := &filter{limit: usualPage}
	for name, values := range v.query {
		value := values[0]
		var err error
		switch name {
		case "method":
			f.method = value
		case "path":
			f.path, err = scenarios.ParsePath(value)
		case "status":
			if f.status = value; !statusForm.MatchString(value) {
				err = errors.New("want a status such as 404, or 4xx")
			}
		case "outcome":
			if f.outcome = Outcome(value); !slices.Contains(outcomes, value) {
				err = fmt.Errorf("%q is none of %s%s", scenarios.CutText(value, 80), strings.Join(outcomes, ", "), didyoumean.Hint(value, outcomes))
			}
		case "scenario":
			f.scenario = scenarios.TrimExtension(value)
		case "after":
			if f.after, err = strconv.ParseUint(value, 10, 63); err != nil {
				err = errors.New("want the number of an entry")
			}
		case "limit":
			if f.limit, err = strconv.Atoi(value); err != nil || f.limit < 1 || f.limit > largestPage {
				err = fmt.Errorf("want a number from 1 to %d", largestPage)
			}
		case "follow":
			if f.follow = value == "true"; !f.follow && value != "false" {
				err = errors.New("want true or false")
			}
		}
		if err != nil {
			return nil, wrongf("the parameter %s: %w", name, err)
		}
	}
	if f.follow && v.query.Has("limit") {
		return nil, wrongf("the parameter limit: who follows is sent all that come")
	}
	return f, nil
}

func (f *filter) takes(e *Entry) bool {
	status := strconv.Itoa(e.Exchange.Response.Status)
	switch r := &e.Exchange.Request; {
	case f.method != "" && !strings.EqualFold(f.method, r.Method),
		f.path != nil && !f.path.Match(r.Path),
		f.status != "" && f.status != status && f.status != status[:1]+"xx",
		f.outcome != "" && f.outcome != e.Outcome,
		f.unanswered && e.Outcome == Answered,
		f.scenario != "" && f.scenario != e.Scenario:
		return false
	}
	return true
}

func (a *admin) journal(v *visit) (any, error) {
	f, err := v.filter()
	if err != nil {
		return nil, err
	}
	return a.entries(v, f)
}

func (a *admin) unmatched(v *visit) (any, error) {
	f, err := v.filter()
	if err != nil {
		return nil, err
	}
	f.unanswered = true
	return a.entries(v, f)
}

func (a *admin) entries(v *visit, f *filter) (any, error) {
	if f.follow {
		return streamed{}, a.follow(v, f)
	}
	a.send(v, f)
	return streamed{}, nil
}

// send writes what a filter takes of what the journal holds now, entry by entry:
// {entries, evicted, next}. Each stands on a line of its own, so that a line
// of it says which. All of it must be taken within half a minute.
func (a *admin) send(v *visit, f *filter) {
	h := v.w.Header()
	h.Set("Content-Type", "application/json")
	pageHeader(h)
	if v.r.Method == http.MethodHead {
		return
	}
	out := newStream(v.w)
	out.begin()
	out.printf(`{"entries":[`)
	j := &v.session.journal
	_, _, newest := j.counts() // what comes meanwhile is for the next page
	c := cursor{of: j, after: f.after}
	n, last, more := 0, uint64(0), false
	for c.after < newest && !more && out.err == nil {
		entries, _ := c.next(fewEntries)
		for i := range entries {
			e := &entries[i]
			if e.Seq > newest || !f.takes(e) {
				continue
			}
			if more = n == f.limit; more {
				break
			}
			if n > 0 {
				out.printf(",")
			}
			out.printf("\n%s", entryText(e))
			n, last = n+1, e.Seq
			*e = Entry{} // it may be gone from the journal
		}
	}
	_, evicted, _ := j.counts()
	if n > 0 {
		out.printf("\n")
	}
	out.printf(`],"evicted":%d`, evicted)
	if more {
		out.printf(`,"next":%d`, last)
	}
	out.printf("}\n")
}

func entryText(e *Entry) []byte {
	b, err := encode(jsonOf(e))
	if err != nil { // nothing in it can fail
		b = []byte("null")
	}
	return b
}

func (a *admin) clearJournal(v *visit) (any, error) {
	v.session.ClearJournal()
	return nil, nil
}

var errTooManyFollowers = fmt.Errorf("%d others follow a journal, and no more can", maxFollowers)

// follow sends entries as they come, as server-sent events: "entry" with one,
// and its number for an id; "evicted" with how many were gone before they could
// be sent; "ended" when the session has. Whoever follows a session names it.
//
// A few entries are sent at a time, and those must be taken within half a
// minute, all together: who takes longer is dropped.
func (a *admin) follow(v *visit, f *filter) error {
	if id := v.r.Header.Get("Last-Event-ID"); id != "" { // it goes on where it was broken off
		n, err := strconv.ParseUint(id, 10, 63)
		if err != nil {
			return wrongf("the header Last-Event-ID: want the number of an entry")
		}
		f.after = max(f.after, n)
	}
	if a.followers.Add(1) > maxFollowers {
		a.followers.Add(-1)
		return errTooManyFollowers
	}
	defer a.followers.Add(-1)
	h := v.w.Header()
	h.Set("Content-Type", "text/event-stream")
	pageHeader(h)
	if v.r.Method == http.MethodHead {
		return nil
	}
	out := newStream(v.w)
	out.begin()
	out.flush()
	ses := v.session
	c := cursor{of: &ses.journal, after: f.after}
	if _, _, newest := ses.journal.counts(); c.after > newest {
		c.after = 0 // the number is from before the session, or the server, began anew
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for out.err == nil {
		entries, lost := c.next(fewEntries)
		out.begin()
		if lost > 0 {
			out.printf("event: evicted\ndata: {\"evicted\":%d}\n\n", lost)
		}
		for i := range entries {
			if e := &entries[i]; f.takes(e) {
				out.printf("id: %d\nevent: entry\ndata: %s\n\n", e.Seq, entryText(e))
				*e = Entry{} // it may be gone from the journal
			}
		}
		if out.flush(); len(entries) > 0 {
			continue
		}
		news := ses.journal.changes(c.after)
		if ses.ended() {
			out.printf("event: ended\ndata: {}\n\n")
			out.flush()
			return nil
		}
		select {
		case <-news:
		case <-beat.C:
			ses.named.Store(time.Now().UnixNano())
			out.begin()
			out.printf(": still here\n\n")
		case <-v.r.Context().Done():
			return nil
		case <-stopping(v.r.Context()):
			return nil
		}
	}
	return nil
}

// A stream writes piece by piece until that fails.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	err     error
}

func newStream(w http.ResponseWriter) *stream {
	return &stream{w, http.NewResponseController(w), nil}
}

// begin gives what is written from now on, all together, its time to be taken.
func (s *stream) begin() {
	_ = s.control.SetWriteDeadline(time.Now().Add(writeTimeout)) // what cannot set one has no slow clients
}

func (s *stream) printf(format string, args ...any) {
	if s.err == nil {
		_, s.err = fmt.Fprintf(s.w, format, args...)
	}
}

func (s *stream) flush() {
	if s.err == nil {
		s.err = s.control.Flush()
	}
}
