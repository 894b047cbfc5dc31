package mockserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/scanner"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
)

// This is the only file that chooses an HTTP status of our own. Our refusals
// cannot be mistaken for OIG's answers: they carry X-Mock-Error, are
// application/problem+json, and are never a 404.

// A problem is the body of a refusal: the members that OIG itself uses, a
// type, and the reasons again for programs to read.
type problem struct {
	Type       string          `json:"type"` // "urn:oigmock:no-match"
	Title      string          `json:"title"`
	Status     int             `json:"status"`
	Detail     string          `json:"detail"`
	Instance   string          `json:"instance"` // the path that was asked for
	Violations []violationJSON `json:"violations,omitempty"`
	Near       []nearJSON      `json:"near,omitempty"`
	Faults     []faultJSON     `json:"faults,omitempty"`
	outcome    Outcome         // X-Mock-Error
	header     []scenarios.Field
}

type violationJSON struct {
	At     string `json:"at"`
	Why    string `json:"why"`
	Schema string `json:"schema,omitempty"`
}

type nearJSON struct {
	Scenario    string         `json:"scenario"`
	Interaction string         `json:"interaction"`
	Mismatches  []mismatchJSON `json:"mismatches"`
}

type faultJSON struct {
	Pos    string `json:"pos"` // all three in one, as editors follow it
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Why    string `json:"why"`
}

type mismatchJSON struct {
	At   string `json:"at"`
	Want string `json:"want"`
	Got  string `json:"got"`
	Pos  string `json:"pos"`
}

func mismatchesJSON(list []scenarios.Mismatch) []mismatchJSON {
	var out []mismatchJSON
	for _, m := range list {
		out = append(out, mismatchJSON{m.At, m.Want, m.Got, m.Pos.String()})
	}
	return out
}

// An explanationJSON is an Explanation on its way out.
type explanationJSON struct {
	Method     string          `json:"method"`
	Path       string          `json:"path"`
	Query      string          `json:"query,omitempty"`
	Outcome    Outcome         `json:"outcome"`
	Status     int             `json:"status"`
	Operation  string          `json:"operation,omitempty"`
	Answer     *candidateJSON  `json:"answer,omitempty"`
	Added      []candidateJSON `json:"added"`
	Violations []violationJSON `json:"violations"`
	Others     []candidateJSON `json:"others"`
	Detail     string          `json:"detail,omitempty"`
}

type candidateJSON struct {
	Scenario    string         `json:"scenario"`
	Interaction string         `json:"interaction"`
	Pos         string         `json:"pos"`
	Mismatches  []mismatchJSON `json:"mismatches,omitempty"`
	Why         string         `json:"why,omitempty"`
}

func candidatesJSON(list []Candidate) []candidateJSON {
	out := make([]candidateJSON, len(list))
	for i, c := range list {
		out[i] = candidateJSON{c.Scenario, c.Interaction, c.Pos.String(), mismatchesJSON(c.Mismatches), c.Why}
	}
	return out
}

func newProblem(o Outcome, status int, title, detail string, r *scenarios.Request) *problem {
	return &problem{Type: "urn:oigmock:" + string(o), Title: title, Status: status, Detail: detail,
		Instance: scenarios.CutText(r.Path, 512), outcome: o}
}

// response is the problem as it goes out.
func (p *problem) response() *scenarios.Response {
	body, err := json.Marshal(p)
	if err != nil { // nothing in it can fail
		body = []byte(`{"type":"urn:oigmock:internal","title":"internal error","status":500}`)
	}
	header := append(slices.Clone(p.header),
		scenarios.Field{Name: errorHeader, Values: []string{string(p.outcome)}},
		scenarios.Field{Name: "X-Content-Type-Options", Values: []string{"nosniff"}})
	return &scenarios.Response{Status: p.Status, Header: header, Body: body, Media: "application/problem+json", HasBody: true}
}

// refuse words a decision that is no answer.
func refuse(q *question, d *decision, c *catalog) *problem {
	r := q.request
	switch d.outcome {
	case Contract:
		var lines []string
		for _, v := range q.bad {
			lines = append(lines, v.String())
		}
		status := http.StatusBadRequest
		if slices.ContainsFunc(q.bad, func(v schemas.Violation) bool { return v.Costly }) {
			status = http.StatusRequestEntityTooLarge
		}
		p := newProblem(Contract, status, "the payload breaks the contract", strings.Join(lines, "\n"), r)
		p.Violations = violationsJSON(q.bad)
		return p
	case NoMatch, NoOperation:
		if d.fault != nil { // a list of answers is used up
			return newProblem(NoMatch, http.StatusNotImplemented, "no more answers", d.fault.Error(), r)
		}
	case BadQuery:
		return newProblem(BadQuery, http.StatusBadRequest, "the query cannot be read", d.fault.Why, r)
	case Template:
		return newProblem(Template, http.StatusInternalServerError, "the answer could not be made",
			d.fault.Error(), r)
	case TooCostly:
		detail := "to find and to make the answer costs more than one request may"
		if d.fault != nil {
			detail += "\n  " + d.fault.Error()
		}
		return newProblem(TooCostly, http.StatusRequestEntityTooLarge, "the request costs too much", detail, r)
	}
	detail := explain(r.Method, scenarios.CutText(r.Path, 512), d.near)
	if d.outcome == NoOperation {
		detail += outsideHint(r, c)
	}
	p := newProblem(d.outcome, http.StatusNotImplemented, "nothing answers", detail, r)
	p.Near = nearJSONs(d.near)
	return p
}

func violationsJSON(list []schemas.Violation) []violationJSON {
	var out []violationJSON
	for _, v := range list {
		out = append(out, violationJSON{v.At, v.Why, v.Schema})
	}
	return out
}

func nearJSONs(list []NearMiss) []nearJSON {
	var out []nearJSON
	for _, m := range list {
		out = append(out, nearJSON{m.Scenario, m.Interaction, mismatchesJSON(m.Mismatches)})
	}
	return out
}

// outsideHint says what of the contract a path may have been meant for.
func outsideHint(r *scenarios.Request, c *catalog) string {
	if strings.Contains(r.Path, "//") {
		return "\n\nthe path has an empty segment (//): does the base URL end in a slash?"
	}
	if c.contract == nil {
		return ""
	}
	var best *route
	least := 0
	for _, rt := range c.routes {
		same, differ := alike(rt.template, r.Segments())
		if same > 2*differ && (best == nil || differ < least) {
			best, least = rt, differ
		}
	}
	hint := "\n\nthe contract has no such operation"
	if best != nil {
		hint += "; nearest is " + best.methods() + " " + best.template
	}
	return hint
}

// methods are the methods that the contract has for a route.
func (rt *route) methods() string {
	var list []string
	for m, t := range rt.tables {
		if t.operation != nil {
			list = append(list, m)
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// refuseMethod answers a method that the contract lacks, and that no interaction
// names for such a request. OPTIONS asks which there are, and is told.
func refuseMethod(r *scenarios.Request, rt *route, near []NearMiss) answer {
	allow := scenarios.Field{Name: "Allow", Values: []string{rt.allow}}
	if r.Method == http.MethodOptions {
		return answer{outcome: Answered, response: &scenarios.Response{Status: http.StatusOK, Header: []scenarios.Field{allow}}}
	}
	detail := "the contract has " + rt.methods() + " for " + rt.template + ", and not " + scenarios.CutText(r.Method, 32)
	if len(near) > 0 { // interactions name the method, and none of them is meant for this
		detail += "\n\n" + explain(r.Method, scenarios.CutText(r.Path, 512), near)
	}
	p := newProblem(NoOperation, http.StatusMethodNotAllowed, "no such method", detail, r)
	p.Near = nearJSONs(near)
	p.header = []scenarios.Field{allow}
	return answer{outcome: NoOperation, problem: p}
}

// What the admin API refuses, besides what a Session does.
var (
	errNoPage    = errors.New("there is no such page")
	errForm      = errors.New("what changes something is not taken from a form: say Content-Type: application/json, or application/yaml")
	errUnread    = errors.New("the body could not be read to its end")
	errNoSession = errors.New("there is no session of that name")
	errNoEntry   = errors.New("the journal has no such entry")
	errStopping  = errors.New("the server stops")
)

// A noMethod is a page that has other methods.
type noMethod struct{ path, allow, method string }

func (e *noMethod) Error() string { return e.path + " has " + e.allow + ", and not " + e.method }

// A wrong is the error of somebody who asks for what makes no sense.
type wrong struct{ error }

func (e wrong) Unwrap() error { return e.error }

func wrongf(format string, args ...any) error { return wrong{fmt.Errorf(format, args...)} }

// reply writes what a page of the admin API gives.
func reply(w http.ResponseWriter, r *http.Request, v any) {
	switch v := v.(type) {
	case nil:
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
		pageHeader(w.Header())
		w.WriteHeader(http.StatusNoContent)
	case streamed:
	case created:
		writeJSON(w, r, "application/json", http.StatusCreated, v.of)
	case plain:
		writePage(w, r, v.media, http.StatusOK, v.bytes)
	default:
		writeJSON(w, r, "application/json", http.StatusOK, v)
	}
}

// refusePage writes why a page of the admin API is not to be had.
func refusePage(w http.ResponseWriter, r *http.Request, err error) {
	p := pageProblem(r, err)
	for _, f := range p.header {
		setHeader(w.Header(), f)
	}
	writeJSON(w, r, "application/problem+json", p.Status, p)
}

// pageProblems are those that nothing more is to be said of than the error does.
var pageProblems = []struct {
	err         error
	status      int
	kind, title string
}{
	{errForeign, http.StatusForbidden, "foreign", "not from there"},
	{errNoPage, http.StatusNotFound, "no-such-page", "no such page"},
	{errForm, http.StatusUnsupportedMediaType, "form", "not from a form"},
	{ErrSessionName, http.StatusBadRequest, string(BadSession), "no such session can be"},
	{ErrUnknownRelease, http.StatusBadRequest, string(BadSession), "no such session can be"},
	{ErrOtherRelease, http.StatusConflict, string(BadSession), "no such session can be"},
	{ErrTooManySessions, http.StatusServiceUnavailable, string(BadSession), "no such session can be"},
	{errStopping, http.StatusServiceUnavailable, "stopping", "the server stops"},
	{errTooManyFollowers, http.StatusServiceUnavailable, "followers", "too many follow"},
	{ErrUnknownState, http.StatusBadRequest, "no-such-state", "no such provider state"},
	{ErrNoScenario, http.StatusNotFound, "no-such-scenario", "no such scenario"},
	{ErrFromFile, http.StatusConflict, "from-file", "the scenario is from a file"},
	{ErrNoRecord, http.StatusNotFound, "no-such-record", "no such record"},
	{errNoSession, http.StatusNotFound, "no-such-session", "no such session"},
	{errNoEntry, http.StatusNotFound, "no-such-entry", "no such entry"},
	{ErrEvicted, http.StatusConflict, "evicted", "the journal does not reach back so far"},
	{ErrTooMuch, http.StatusInsufficientStorage, "too-much", "the sessions remember too much"},
	{errTooCostly, http.StatusRequestEntityTooLarge, string(TooCostly), "it costs too much"},
}

func pageProblem(r *http.Request, err error) *problem {
	p := &problem{Detail: err.Error(), Instance: scenarios.CutText(r.URL.Path, 512)}
	is := func(sentinel error) bool { return errors.Is(err, sentinel) }
	say := func(status int, kind, title string) {
		p.Status, p.Type, p.Title = status, "urn:oigmock:"+kind, title
	}
	var faults scanner.ErrorList
	var fault *scenarios.Fault
	var method *noMethod
	var bad wrong
	switch {
	case is(errToken):
		say(http.StatusUnauthorized, "token", "a token is needed")
		p.header = []scenarios.Field{{Name: "WWW-Authenticate", Values: []string{`Bearer realm="the admin API of oigmock"`}}}
	case errors.As(err, &method):
		say(http.StatusMethodNotAllowed, "no-such-method", "no such method")
		p.header = []scenarios.Field{{Name: "Allow", Values: []string{method.allow}}}
	case errors.As(err, &faults):
		say(http.StatusBadRequest, "faults", "there are faults in it")
		p.Detail = ""
		for i, f := range faults {
			if i > 0 {
				p.Detail += "\n"
			}
			p.Detail += f.Error()
			p.Faults = append(p.Faults, faultJSON{f.Pos.String(), f.Pos.Line, f.Pos.Column, f.Msg})
		}
	case errors.As(err, &fault):
		say(http.StatusBadRequest, "faults", "there are faults in it")
		p.Faults = []faultJSON{{fault.Pos.String(), fault.Pos.Line, fault.Pos.Column, fault.Why}}
	case errors.As(err, &bad):
		say(http.StatusBadRequest, "wrong", "it makes no sense")
	case is(errTooLarge):
		say(http.StatusRequestEntityTooLarge, string(TooLarge), "the body is too large")
		p.Detail = "the body has more than " + strconv.Itoa(MaxBody) + " bytes"
		p.header = []scenarios.Field{{Name: "Connection", Values: []string{"close"}}}
	case is(errUnread):
		say(http.StatusBadRequest, string(Unreadable), "the body did not arrive")
		p.header = []scenarios.Field{{Name: "Connection", Values: []string{"close"}}}
	default:
		for _, k := range pageProblems {
			if is(k.err) {
				say(k.status, k.kind, k.title)
				return p
			}
		}
		return internal(r, err)
	}
	return p
}

// internal is what nobody can do anything about.
func internal(r *http.Request, err error) *problem {
	return &problem{Type: "urn:oigmock:internal", Title: "it went wrong here", Status: http.StatusInternalServerError,
		Detail: err.Error(), Instance: scenarios.CutText(r.URL.Path, 512)}
}

// sessionStatus is that of a request whose session cannot be.
func sessionStatus(err error) int {
	for _, k := range pageProblems {
		if errors.Is(err, k.err) {
			return k.status
		}
	}
	return http.StatusBadRequest
}

// refuseSession answers where the session that a request names cannot be.
func (s *Server) refuseSession(w http.ResponseWriter, hr *http.Request, err error, began time.Time) {
	r := &scenarios.Request{Method: hr.Method, Path: wirePath(hr.URL), Query: hr.URL.RawQuery, Host: hr.Host, Header: hr.Header}
	j := job{hr: hr, request: r, catalog: s.usual(), began: began}
	j.entry = Entry{Exchange: scenarios.Exchange{At: s.now(s.home.load())}, URL: baseURL(hr)}
	j.answer = answer{outcome: BadSession, problem: newProblem(BadSession, sessionStatus(err), "no such session can be", err.Error(), r)}
	j.tell()
	s.home.note(&j.entry, &j.use) // it belongs to no other
	written := s.write(w, &j)
	if s.cfg.Log != nil {
		s.log(&j, written)
	}
}

// refuseTooMuch answers where there is no room for what a request changes.
func refuseTooMuch(r *scenarios.Request, err error) answer {
	return answer{outcome: TooLarge, problem: newProblem(TooLarge, http.StatusInsufficientStorage, "the sessions remember too much", err.Error(), r)}
}

// refuseUnread answers a request whose body could not be read.
func refuseUnread(r *scenarios.Request, err error) answer {
	if errors.Is(err, errTooLarge) {
		p := newProblem(TooLarge, http.StatusRequestEntityTooLarge, "the body is too large",
			"the body has more than "+strconv.Itoa(MaxBody)+" bytes", r)
		p.header = []scenarios.Field{{Name: "Connection", Values: []string{"close"}}}
		return answer{outcome: TooLarge, problem: p}
	}
	p := newProblem(Unreadable, http.StatusBadRequest, "the body did not arrive",
		"the body could not be read to its end", r)
	p.header = []scenarios.Field{{Name: "Connection", Values: []string{"close"}}}
	return answer{outcome: Unreadable, problem: p}
}
