package mockserver

import (
	"errors"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
)

// An Outcome says in a word how a request ended.
type Outcome string

const (
	Answered    Outcome = "answered"     // an interaction answered
	NoOperation Outcome = "no-operation" // the contract has no such path, or not this method
	Contract    Outcome = "contract"     // the payload breaks the contract
	NoMatch     Outcome = "no-match"     // no interaction is meant for it
	Template    Outcome = "template"     // the answer of an interaction could not be made
	TooLarge    Outcome = "too-large"    // a limit was exceeded
	Unreadable  Outcome = "unreadable"   // the body did not arrive
	TooCostly   Outcome = "too-costly"   // to compare, or to answer, costs more than one request may
)

// A question is all that an answer depends on.
type question struct {
	table   *table
	request *scenarios.Request
	bad     []schemas.Violation
	env     scenarios.Env
}

// A decision is what becomes of a request.
type decision struct {
	outcome Outcome
	entry   *entry   // what answered, or failed to
	adds    []*entry // what adds to its answer
	answer  *scenarios.Response
	extra   []*scenarios.Response // what each of adds gives
	fault   *scenarios.Fault      // of a template, or what the budget was used up by
	near    []NearMiss
}

// decide is a pure function: which interaction answers, with what, and if
// none does, which came closest.
func decide(t *scenarios.Trial, q *question) (d decision) {
	t.Begin(q.request, q.env)
	byPayload := func(e *entry) bool { return e.takes(len(q.bad) > 0) }
	missed := false
	d.entry = q.table.first.find(t, func(*entry) bool { return true })
	if d.entry == nil {
		d.entry = q.table.ordinary.find(t, byPayload)
		if missed = d.entry == nil; missed {
			d.entry = q.table.last.find(t, byPayload)
		}
	}
	if t.Exhausted() { // what was found may only have been compared in part
		return decision{outcome: TooCostly}
	}
	if d.entry == nil {
		if len(q.bad) == 0 {
			d.near = near(t, q)
		}
		switch {
		case len(q.bad) > 0:
			d.outcome = Contract
		case q.table.operation == nil && q.table.contract:
			d.outcome = NoOperation
		default:
			d.outcome = NoMatch
		}
		return d
	}
	d.outcome = Answered
	if d.answer = d.entry.answer; d.answer == nil {
		d.answer = d.render(t, d.entry, d.entry.Response)
	}
	if d.outcome == Answered {
		d.add(t, q)
	}
	if t.Exhausted() {
		return decision{outcome: TooCostly, fault: d.fault}
	}
	if missed && len(q.bad) == 0 {
		d.near = near(t, q) // what is last would otherwise hide a typing error
	}
	return d
}

// takes reports whether an entry answers what breaks the contract, or what
// does not.
func (e *entry) takes(bad bool) bool {
	switch e.Request.Payload {
	case scenarios.Valid:
		return !bad
	case scenarios.Invalid:
		return bad
	}
	return true
}

// render makes what an entry gives; nil, with the outcome Template, where it
// cannot be made.
func (d *decision) render(t *scenarios.Trial, e *entry, rt *scenarios.ResponseTemplate) *scenarios.Response {
	out, err := t.Render(rt)
	if err != nil {
		d.outcome, d.entry = Template, e
		if !errors.As(err, &d.fault) {
			d.fault = &scenarios.Fault{Pos: e.Pos, Why: err.Error()}
		}
		return nil
	}
	return out
}

// add finds what adds to the answer. The earlier wins where two name the same
// part.
func (d *decision) add(t *scenarios.Trial, q *question) {
	l := &q.table.adds
	if len(l.entries) == 0 {
		return
	}
	l.find(t, func(e *entry) bool {
		if !t.Accepts(e.Interaction) {
			return false
		}
		out := d.render(t, e, e.Adds)
		if out == nil {
			return false
		}
		d.adds = append(d.adds, e)
		d.extra = append(d.extra, out)
		return false // go on to the next
	})
}

// delay says how long to wait before the first byte of an answer; nil for not
// at all.
func (d *decision) delay() *scenarios.Delay {
	for _, e := range d.adds {
		if e.Adds.Delay != nil {
			return e.Adds.Delay
		}
	}
	return d.entry.Response.Delay
}
