package mockserver

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/fnv"
	"slices"
	"strconv"
	"time"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
	"github.com/oigmock/oigmock/schemas/payload"
)

// An Outcome says in a word how a request ended.
type Outcome string

const (
	Answered    Outcome = "answered"     // an interaction answered
	NoOperation Outcome = "no-operation" // the contract has no such path, or not this method
	Contract    Outcome = "contract"     // the payload breaks the contract
	NoMatch     Outcome = "no-match"     // no interaction is meant for it
	Template    Outcome = "template"     // the answer of an interaction could not be made
	BadQuery    Outcome = "query"        // nor could this one, since the q of the request is no filter
	TooLarge    Outcome = "too-large"    // a limit was exceeded
	Unreadable  Outcome = "unreadable"   // the body did not arrive
	TooCostly   Outcome = "too-costly"   // to compare, or to answer, costs more than one request may
	BadSession  Outcome = "session"      // the session that it names cannot be
)

// A question is all that an answer depends on.
type question struct {
	table   *table
	added   *table // what was added to the session; nil: nothing
	request *scenarios.Request
	verdict verdict
	bad     []schemas.Violation
	env     scenarios.Env
	calls   scenarios.Tree // how often lists were served, and interactions matched
	seed    uint64
}

// A decision is what becomes of a request.
type decision struct {
	outcome  Outcome
	entry    *entry   // what answered, or failed to
	turn     *turn    // of its responses
	adds     []*entry // what adds to its answer
	addTurns []*turn
	answer   *scenarios.Response
	extra    []*scenarios.Response // what each of adds gives
	fault    *scenarios.Fault      // of a template, or what the budget was used up by
	near     []NearMiss
	memory   *memory // nil: nothing was looked at, counted or changed
}

// A memory is what a decision leaves to the session.
type memory struct {
	records scenarios.Tree // what it remembers from then on
	changed []string       // at which addresses
	looked  []string       // the rooms of records that were looked at
	calls   scenarios.Tree // with this one
	full    error          // why calls could not be counted
}

// remember is what the decision leaves to the session.
func (d *decision) remember(q *question) *memory {
	if d.memory == nil {
		d.memory = &memory{records: q.env.Records, calls: q.calls}
	}
	return d.memory
}

// decide is a pure function: which interaction answers, with what, and if
// none does, which came closest; and what the session remembers from then on.
func decide(t *scenarios.Trial, q *question) (d decision) {
	t.Begin(q.request, q.env)
	any := func(e *entry) bool { return t.Accepts(e.Interaction) && d.takesPart(q, e) }
	byPayload := func(e *entry) bool { return e.takes(len(q.bad) > 0) && any(e) }
	missed := false
	d.entry = q.find(t, firstOf, any)
	if d.entry == nil {
		d.entry = q.find(t, ordinaryOf, byPayload)
		if missed = d.entry == nil; missed {
			d.entry = q.find(t, lastOf, byPayload)
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
		case q.table.operation == nil && q.table.contract && !q.namesPath(t):
			d.outcome = NoOperation
		default:
			d.outcome = NoMatch
		}
		d.looked(t, q)
		return d
	}
	d.outcome = Answered
	if d.turn = d.next(t, q, d.entry); d.turn != nil {
		d.answer = d.perform(t, d.entry, d.turn)
	}
	if d.outcome == Answered {
		d.add(t, q)
	}
	if d.memory != nil && d.memory.full != nil && d.outcome == Answered {
		d.outcome, d.fault = Template, &scenarios.Fault{Pos: d.entry.Pos, Why: "counting calls: " + d.memory.full.Error()}
	}
	if t.Exhausted() {
		return decision{outcome: TooCostly, fault: d.fault}
	}
	d.looked(t, q)
	if after, changed := t.Records(); d.outcome == Answered && !after.Same(q.env.Records) {
		m := d.remember(q)
		m.records, m.changed = after, changed
	}
	if missed && len(q.bad) == 0 {
		d.near = near(t, q) // what is last would otherwise hide a typing error
	}
	return d
}

// looked keeps which rooms of records were looked at.
func (d *decision) looked(t *scenarios.Trial, q *question) {
	if rooms := t.Looked(); len(rooms) > 0 {
		d.remember(q).looked = slices.Clone(rooms)
	}
}

func firstOf(t *table) *layer    { return &t.first }
func ordinaryOf(t *table) *layer { return &t.ordinary }
func lastOf(t *table) *layer     { return &t.last }
func addsOf(t *table) *layer     { return &t.adds }

// find is the first interaction of a layer that ok takes: of what was added to
// the session, then of all others.
func (q *question) find(t *scenarios.Trial, of func(*table) *layer, ok func(*entry) bool) *entry {
	if q.added != nil {
		if e := of(q.added).find(t, ok); e != nil {
			return e
		}
	}
	return of(q.table).find(t, ok)
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

// takesPart reports whether an interaction that matches takes part this time.
// That it matched is counted.
func (d *decision) takesPart(q *question, e *entry) bool {
	if e.Beyond != nil && !d.beyond(q, e) {
		return false
	}
	return e.Chance == 0 || drawn(q.seed, e.origin[0], d.count(q, e, "chance")) < e.Chance
}

// beyond reports whether more requests than the rate has matched in its time,
// which begins with the first of them.
func (d *decision) beyond(q *question, e *entry) bool {
	m := d.remember(q)
	at := countedAt(e)
	began, err := time.Parse(time.RFC3339Nano, m.calls.At(append(at, "began")...).Text())
	if since := q.env.Now.Sub(began); err != nil || since < 0 || since >= e.Beyond.In {
		m.put(payload.Text(q.env.Now.Format(time.RFC3339Nano)), append(at, "began")...)
		m.put(payload.Text("0"), append(at, "beyond")...)
	}
	return d.count(q, e, "beyond") >= e.Beyond.Requests
}

// count counts one call more of an entry, and gives how many there were
// before.
func (d *decision) count(q *question, e *entry, of ...string) int {
	m := d.remember(q)
	at := append(countedAt(e), of...)
	n, _ := strconv.Atoi(m.calls.At(at...).Text())
	m.put(payload.Text(strconv.Itoa(n+1)), at...)
	return n
}

func (m *memory) put(v payload.Value, at ...string) {
	calls, err := m.calls.Set(v, at...)
	if err != nil {
		m.full = err
		return
	}
	m.calls = calls
}

// countedAt is where the calls of an entry are counted. No object of a Tree has
// as many members as there can be interactions, so they are spread over many.
func countedAt(e *entry) []string { return []string{spread(e.origin[0]), e.origin[0]} }

func spread(text string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(text))
	return strconv.Itoa(int(h.Sum32() % 256))
}

// drawn is a number from 0 up to 1, the same for the same seed, interaction
// and count.
func drawn(seed uint64, origin string, n int) float64 {
	h := fnv.New64a()
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], seed)
	binary.LittleEndian.PutUint64(b[8:], uint64(n))
	_, _ = h.Write(b[:])
	_, _ = h.Write([]byte(origin))
	return float64(mix(h.Sum64(), seed)>>11) / (1 << 53)
}

// next is the response of an entry whose turn it is; nil, with the outcome
// NoMatch, where a list is used up.
func (d *decision) next(t *scenarios.Trial, q *question, e *entry) *turn {
	if len(e.turns) == 1 && e.Then != scenarios.Fail {
		return &e.turns[0]
	}
	per := perKey(t.Per(e.Interaction))
	n := d.count(q, e, "calls", spread(per), per)
	switch {
	case n < len(e.turns):
	case e.Then == scenarios.Loop:
		n %= len(e.turns)
	case e.Then == scenarios.Fail:
		d.outcome = NoMatch
		d.fault = &scenarios.Fault{Pos: e.Pos, Why: "the " + strconv.Itoa(len(e.turns)) + " answers of " + strconv.Quote(e.Name) + " were served, and \"then: fail\" says that no more follow"}
		d.entry = e
		return nil
	default:
		n = len(e.turns) - 1
	}
	return &e.turns[n]
}

// perKey is a value by which calls are counted: long ones by their hash.
func perKey(text string) string {
	const most = 64
	if len(text) <= most {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// perform sets what an entry sets and makes its answer; nil, with the outcome
// Template, where that cannot be made.
func (d *decision) perform(t *scenarios.Trial, e *entry, of *turn) *scenarios.Response {
	if of.answer != nil && len(e.Set) == 0 {
		return of.answer
	}
	out, err := t.Perform(e.Interaction, of.ResponseTemplate)
	if err != nil {
		d.outcome, d.entry = Template, e
		if !errors.As(err, &d.fault) {
			d.fault = &scenarios.Fault{Pos: e.Pos, Why: err.Error()}
		}
		if d.fault.Query {
			d.outcome = BadQuery
		}
		return nil
	}
	return out
}

// add finds what adds to the answer. The earlier wins where two name the same
// part.
func (d *decision) add(t *scenarios.Trial, q *question) {
	if len(q.table.adds.entries) == 0 && q.added == nil {
		return
	}
	q.find(t, addsOf, func(e *entry) bool {
		if d.outcome != Answered || !t.Accepts(e.Interaction) || !d.takesPart(q, e) {
			return false
		}
		answered := d.entry
		of := d.next(t, q, e)
		if of == nil {
			return false
		}
		d.entry = answered
		out := d.perform(t, e, of)
		if out == nil {
			return false
		}
		d.adds = append(d.adds, e)
		d.addTurns = append(d.addTurns, of)
		d.extra = append(d.extra, out)
		return false // go on to the next
	})
}

// delay says how long to wait before the first byte of an answer; nil for not
// at all.
func (d *decision) delay() *scenarios.Delay {
	for _, t := range d.addTurns {
		if t.Delay != nil {
			return t.Delay
		}
	}
	return d.turn.Delay
}

// damage says what happens to an answer on its way, nil for nothing, and who
// says so.
func (d *decision) damage() (*scenarios.Damage, *entry) {
	for i, t := range d.addTurns {
		if t.Damage != nil {
			return t.Damage, d.adds[i]
		}
	}
	return d.turn.Damage, d.entry
}
