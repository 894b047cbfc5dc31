package mockserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/token"
	"net/http"
	"slices"
	"strings"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
)

// An Explanation says what would become of a request, and why.
type Explanation struct {
	Method, Path string
	Query        string // as on the wire, without the question mark
	Outcome      Outcome
	Status       int
	Operation    string // "" outside the contract
	Answer       *Candidate
	Added        []Candidate // what adds to the answer
	Violations   []schemas.Violation
	Others       []Candidate // what does not answer, the nearest first; a bounded number
	Detail       string      // of our own refusal; "" where an interaction answers
}

// A Candidate is an interaction, and what keeps it from answering.
type Candidate struct {
	Scenario, Interaction string
	Pos                   token.Position
	Mismatches            []scenarios.Mismatch // why it does not match
	Why                   string               // else: why it does not answer all the same
}

// Explain says what would become of a request in the session that it names.
// Nothing changes by asking, but that naming a session begins it.
func (s *Server) Explain(hr *http.Request) *Explanation {
	hr, err := inSession(hr)
	var ses *Session
	prefix := ""
	if err == nil {
		ses, prefix, err = s.sessionOf(hr)
	}
	if err != nil {
		return &Explanation{Method: hr.Method, Path: hr.URL.Path, Query: hr.URL.RawQuery, Outcome: BadSession,
			Status: sessionStatus(err), Detail: err.Error()}
	}
	return ses.explain(hr, prefix)
}

// Explain says what would become of a request in the session.
func (s *Session) Explain(hr *http.Request) *Explanation { return s.explain(hr, "") }

func (ses *Session) explain(hr *http.Request, prefix string) *Explanation {
	s := ses.server
	st := ses.load()
	c := st.base
	r, err := s.read(discard{}, hr)
	x := &Explanation{Method: r.Method, Path: r.Path, Query: r.Query}
	if err != nil {
		a := refuseUnread(r, err)
		x.Outcome, x.Status, x.Detail = a.outcome, a.problem.Status, a.problem.Detail
		return x
	}
	rt := c.route(r.Path)
	q := s.question(&job{hr: hr, request: r, prefix: prefix}, st)
	a := decided(&q, c, rt)
	x.Operation, x.Violations = q.tableName(), q.bad
	x.Outcome = a.outcome
	if a.problem != nil {
		x.Status, x.Detail = a.problem.Status, a.problem.Detail
	} else {
		x.Status = a.response.Status
	}
	if q.table == nil {
		return x
	}
	t := scenarios.NewTrial(r, q.env)
	if a.entry != nil {
		x.Answer = &Candidate{Scenario: a.entry.scenario.Name, Interaction: a.entry.Name, Pos: a.entry.Pos}
	}
	for _, of := range []func(*table) *layer{ordinaryOf, lastOf, firstOf, addsOf} {
		for _, m := range q.rank(t, of) {
			e := m.entry
			if e == a.entry || e.standsBy(st) {
				continue
			}
			v := Candidate{Scenario: e.scenario.Name, Interaction: e.Name, Pos: e.Pos, Mismatches: t.Mismatches(e.Interaction)}
			switch {
			case len(v.Mismatches) > 0:
			case slices.Contains(a.adds, e), e.Adds && a.outcome != Answered && e.Chance == 0 && e.Beyond == nil:
				x.Added = append(x.Added, v)
				continue
			case e.Chance > 0 || e.Beyond != nil:
				v.Why = "it would match, but does not take part each time"
			case e.Order != scenarios.First && e.Request.Payload == scenarios.Valid && len(q.bad) > 0:
				v.Why = "it would match, but the payload breaks the contract"
			case e.Request.Payload == scenarios.Invalid && len(q.bad) == 0:
				v.Why = "it answers only payloads that break the contract"
			default:
				v.Why = "it would match, but comes later"
			}
			x.Others = append(x.Others, v)
		}
	}
	return x
}

// standsBy tells an entry of the library that would answer whatever is asked,
// and sleeps: why it does not answer is no question.
func (e *entry) standsBy(st *state) bool {
	return e.scenario.Origin == "library" && (e.Request.Path == nil || e.Request.Path.Wild()) && !e.scenario.Awake(st.given)
}

// MarshalJSON writes an explanation as programs read it. Lists are there when
// they are empty, too.
func (x *Explanation) MarshalJSON() ([]byte, error) {
	out := explanationJSON{Method: x.Method, Path: x.Path, Query: x.Query, Outcome: x.Outcome, Status: x.Status, Operation: x.Operation,
		Added: candidatesJSON(x.Added), Violations: violationsJSON(x.Violations), Others: candidatesJSON(x.Others), Detail: x.Detail}
	if x.Answer != nil {
		out.Answer = &candidatesJSON([]Candidate{*x.Answer})[0]
	}
	if out.Violations == nil {
		out.Violations = []violationJSON{}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // whoever asks for it still gets it
	err := enc.Encode(out)
	return b.Bytes(), err
}

// String is the explanation as a person reads it.
func (x *Explanation) String() string {
	var b strings.Builder
	target := x.Path
	if x.Query != "" {
		target += "?" + x.Query
	}
	fmt.Fprintf(&b, "%s %s\n", x.Method, target)
	if x.Operation != "" {
		fmt.Fprintf(&b, "operation: %s\n", x.Operation)
	} else {
		b.WriteString("operation: none, the contract has no such path or method\n")
	}
	if x.Answer != nil && x.Outcome == Answered {
		fmt.Fprintf(&b, "answered with %d by %q in %s\n  %s\n", x.Status, x.Answer.Interaction, x.Answer.Scenario, x.Answer.Pos)
		for _, v := range x.Added {
			fmt.Fprintf(&b, "  and %q in %s adds to it\n  %s\n", v.Interaction, v.Scenario, v.Pos)
		}
	} else if x.Outcome == Answered {
		fmt.Fprintf(&b, "answered with %d by the server itself\n", x.Status) // OPTIONS
	} else {
		fmt.Fprintf(&b, "not answered: %s, %d\n", x.Outcome, x.Status)
	}
	for _, v := range x.Violations {
		fmt.Fprintf(&b, "  %s\n", v)
	}
	if x.Outcome != Answered && x.Outcome != NoMatch && x.Outcome != Contract {
		fmt.Fprintf(&b, "  %s\n", strings.ReplaceAll(x.Detail, "\n", "\n  "))
	}
	for _, v := range x.Others {
		fmt.Fprintf(&b, "\nnot %q in %s\n", v.Interaction, v.Scenario)
		if v.Why != "" {
			fmt.Fprintf(&b, "  %s: %s\n", v.Pos, v.Why)
		}
		for _, m := range v.Mismatches {
			fmt.Fprintf(&b, "  %s\n", m)
		}
	}
	return b.String()
}

// maxUnfit is how many of Others are told that are all for other paths.
const maxUnfit = 3

// Fold drops from Others what is for other paths, where the request lies
// outside the contract: nothing there was meant for it. Where nothing is for
// its path, the nearest few stay. It returns how many were dropped.
func (x *Explanation) Fold() int {
	if x.Operation != "" {
		return 0
	}
	var fit []Candidate
	for _, v := range x.Others {
		if !slices.ContainsFunc(v.Mismatches, func(m scenarios.Mismatch) bool { return m.At == "path" }) {
			fit = append(fit, v)
		}
	}
	if len(fit) == 0 {
		fit = x.Others[:min(maxUnfit, len(x.Others))]
	}
	dropped := len(x.Others) - len(fit)
	x.Others = fit
	return dropped
}

// discard stands in for a response that nobody waits for.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}
