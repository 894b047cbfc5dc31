package mockserver

import (
	"encoding/json"
	"errors"
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
		Instance: cutText(r.Path, 512), outcome: o}
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
	detail := explain(r.Method, cutText(r.Path, 512), d.near)
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
	detail := "the contract has " + rt.methods() + " for " + rt.template + ", and not " + cutText(r.Method, 32)
	if len(near) > 0 { // interactions name the method, and none of them is meant for this
		detail += "\n\n" + explain(r.Method, cutText(r.Path, 512), near)
	}
	p := newProblem(NoOperation, http.StatusMethodNotAllowed, "no such method", detail, r)
	p.Near = nearJSONs(near)
	p.header = []scenarios.Field{allow}
	return answer{outcome: NoOperation, problem: p}
}

// refusePage answers where the admin API has no page, and says which it has.
func refusePage(w http.ResponseWriter, r *http.Request, pages string) {
	writePageProblem(w, r, &problem{Type: "urn:oigmock:no-such-page", Title: "no such page", Status: http.StatusNotFound,
		Detail: "the admin API has " + pages})
}

// refusePageMethod answers where a page of the admin API has other methods.
func refusePageMethod(w http.ResponseWriter, r *http.Request, allow string) {
	w.Header().Set("Allow", allow)
	writePageProblem(w, r, &problem{Type: "urn:oigmock:no-such-method", Title: "no such method", Status: http.StatusMethodNotAllowed,
		Detail: cutText(r.URL.Path, 512) + " has " + allow + ", and not " + cutText(r.Method, 32)})
}

func writePageProblem(w http.ResponseWriter, r *http.Request, p *problem) {
	p.Instance = cutText(r.URL.Path, 512)
	writeJSON(w, "application/problem+json", p.Status, p)
}

// refuseSession answers where the session that a request names cannot be.
func (s *Server) refuseSession(w http.ResponseWriter, hr *http.Request, err error, began time.Time) {
	r := &scenarios.Request{Method: hr.Method, Path: wirePath(hr.URL), Query: hr.URL.RawQuery, Host: hr.Host, Header: hr.Header}
	status := http.StatusBadRequest
	if errors.Is(err, ErrTooManySessions) {
		status = http.StatusServiceUnavailable
	}
	j := job{hr: hr, request: r, catalog: s.catalog.Load(), began: began}
	j.answer = answer{outcome: BadSession, problem: newProblem(BadSession, status, "no such session can be", err.Error(), r)}
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
