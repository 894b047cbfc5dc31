package oigtest

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/oigmock/oigmock/mockserver"
)

// maxRefusals is how many different ones are told: a client that asks for
// something else each time would drown what matters.
const maxRefusals = 20

// A refusal is a request that the mock refused, and how often it was made.
type refusal struct {
	what, why string
	times     int
}

// check fails the test for what the mock refused.
func (s *Server) check() {
	s.t.Helper()
	if s.allowed.Load() {
		return
	}
	if s.ended() != nil {
		s.t.Errorf("oigtest: the session ended before the test did, so what it was refused is not known")
		return
	}
	entries, evicted := s.session.Journal(0)
	if evicted > 0 {
		s.t.Errorf("oigtest: %d requests were made, and the journal has lost the first %d: whether they were answered is not known",
			evicted+uint64(len(entries)), evicted)
	}
	for i, r := range refusals(entries) {
		if i == maxRefusals {
			s.t.Errorf("oigtest: the mock refused more than these %d", maxRefusals)
			return
		}
		times := ""
		if r.times > 1 {
			times = fmt.Sprintf(" %d times", r.times)
		}
		s.t.Errorf("oigtest: the mock refused %s%s:\n%s", r.what, times, r.why)
	}
}

// refusals are the requests that were refused, in the order in which they
// arrived; equal ones are one.
func refusals(entries []mockserver.Entry) []*refusal {
	type key struct{ what, why string }
	known := map[key]*refusal{}
	var all []*refusal
	for _, e := range entries {
		if e.Outcome == mockserver.Answered {
			continue
		}
		k := key{what(&e), why(&e)}
		if known[k] == nil {
			known[k] = &refusal{k.what, k.why, 0}
			all = append(all, known[k])
		}
		known[k].times++
	}
	return all
}

// what is a request in a line: "PUT /a/b (501 no-match)".
func what(e *mockserver.Entry) string {
	r := &e.Exchange.Request
	target := r.Path
	if r.Query != "" {
		target += "?" + r.Query
	}
	const most = 512
	if len(target) > most {
		target = target[:most] + "…"
	}
	return fmt.Sprintf("%s %s (%d %s)", r.Method, target, e.Exchange.Response.Status, e.Outcome)
}

// why is the reason as the client got it.
func why(e *mockserver.Entry) string {
	var problem struct{ Detail string }
	body := e.Exchange.Response.Body
	if json.Unmarshal(body, &problem) != nil || problem.Detail == "" {
		return http.StatusText(e.Exchange.Response.Status) + "\n" + string(body)
	}
	return problem.Detail
}
