package scenarios

import (
	"go/token"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/oigmock/oigmock/schemas/payload"
	"gopkg.in/yaml.v3"
)

// What a check asks of scenarios before anything is served: what they say of
// records, and examples for which it holds. What is exported here serves oigmock
// check and follows the binary; the rest of the package changes by addition.

// Unknown is the step of an address that only a request tells. No step that is
// written is empty.
const Unknown = ""

// A Fact is what a file remembers at one place of the records.
type Fact struct {
	At   []string // steps, some of them Unknown; not to be kept
	Is   Remembered
	Key  string // of a scalar or an array: equal values have equal keys
	Text string // the same in words
	Pos  token.Position
}

// Remembered says how much a file tells of what it remembers.
type Remembered uint8

const (
	Something Remembered = iota // a template, an operator: anything, at every depth
	AScalar
	AnArray
	AnObject // its members are facts of their own
	Nothing  // what was there is taken away
)

// Seeds calls f for each place that the scenario seeds.
func (s *Scenario) Seeds(f func(Fact)) { facts(s.Records, f) }

// Sets calls f for each place that may be set: by interactions, and by the
// loops of answers, of what is set and of what is seeded.
func (s *Scenario) Sets(f func(Fact)) {
	s.sentences(func(_, set []Sentence) { facts(set, f) })
}

// Demands are what all `when` of the scenario ask of records.
func (s *Scenario) Demands() []Demand {
	var all []Demand
	s.sentences(func(when, _ []Sentence) {
		for i := range when {
			if at := &when[i].At; at.records {
				for _, d := range demands(at.pattern(), at.text, when[i].Value) {
					d.Named = when[i].Pos
					all = append(all, d)
				}
			}
		}
	})
	return all
}

// sentences calls f with what interactions and loops ask and set.
func (s *Scenario) sentences(f func(when, set []Sentence)) {
	values := func(set []Sentence) {
		for i := range set {
			set[i].Value.loops(f)
		}
	}
	values(s.Records)
	for _, i := range s.Interactions {
		f(i.When, i.Set)
		values(i.Set)
		for _, rt := range i.Responses {
			rt.Status.loops(f)
			rt.Body.loops(f)
			rt.Text.loops(f)
			for _, h := range rt.Header {
				for _, v := range h.Values {
					v.loops(f)
				}
			}
		}
	}
}

// loops calls f with what the loops within v ask and set, at every depth.
func (v *Value) loops(f func(when, set []Sentence)) {
	if v == nil {
		return
	}
	say := func(when, set []Sentence) {
		f(when, set)
		for i := range set {
			set[i].Value.loops(f)
		}
	}
	in := func(all ...*Value) {
		for _, one := range all {
			one.loops(f)
		}
	}
	switch k := v.kind.(type) {
	case *object:
		in(k.values...)
	case array:
		in(k...)
	case oneOf:
		in(k...)
	case allOf:
		in(k...)
	case contains:
		in(k...)
	case merge:
		in(k...)
	case *like:
		in(k.of)
	case *anything:
		in(k.of)
	case *exactly:
		in(k.of)
	case *each:
		in(k.of)
	case *not:
		in(k.example)
	case *values:
		in(k.of, k.example)
	case *pattern:
		in(k.example)
	case *date:
		in(k.example)
	case *problem:
		in(k.title, k.instance)
	case *list:
		say(k.when, nil)
		in(k.common)
		for _, c := range k.cases {
			say(c.when, nil)
			in(c.own)
		}
	case *loop:
		say(k.when, k.set)
		in(k.common)
		for _, c := range k.cases {
			say(c.when, c.set)
			in(c.own)
		}
	}
}

// pattern is an address of records as steps, Unknown where only a request
// tells one.
func (a *Address) pattern() []string {
	steps := append(make([]string, 0, 1+len(a.steps)), a.room)
	for i := range a.steps {
		if a.steps[i].parts != nil {
			steps = append(steps, Unknown)
		} else {
			steps = append(steps, a.steps[i].text)
		}
	}
	return steps
}

func facts(set []Sentence, f func(Fact)) {
	for i := range set {
		if set[i].At.records {
			set[i].Value.facts(set[i].At.pattern(), f)
		}
	}
}

// facts calls f with what v gives to be remembered.
func (v *Value) facts(at []string, f func(Fact)) {
	fact := Fact{At: at, Pos: v.Pos}
	switch k := v.kind.(type) {
	case scalar:
		fact.Is, fact.Key, fact.Text = AScalar, string(appendScalarKey(nil, k)), shown(at, k.want(nil))
	case *object:
		fact.Is = AnObject
		f(fact)
		for i, name := range k.names {
			k.values[i].facts(append(at[:len(at):len(at)], name), f)
		}
		return
	case array:
		s := &scope{work: allWork}
		if b, ok := v.give(s, nil); ok && !s.dynamic && s.err == nil {
			fact.Is, fact.Key, fact.Text = AnArray, string(b), shown(at, quoteJSON(b))
		}
	case absent:
		fact.Is, fact.Text = Nothing, "nothing"
	case *like:
		k.of.facts(at, f)
		return
	case *anything:
		k.of.facts(at, f)
		return
	case *exactly:
		k.of.facts(at, f)
		return
	case *literal:
		k.of.facts(at, f)
		return
	}
	f(fact)
}

func quoteJSON(b []byte) string { return CutText(string(b), 120) }

// FactKey is the Key of the fact that a scalar is remembered.
func FactKey(v payload.Value) string {
	return string(appendScalarKey(nil, scalar{kind: v.Kind(), text: textOf(v)}))
}

// shown is what a message tells of the value at a place: it travels to logs,
// so a secret is not told.
func shown(at []string, text string) string {
	if secretPlace(at) {
		return "what is not shown"
	}
	return text
}

func secretPlace(at []string) bool {
	return slices.ContainsFunc(at, func(step string) bool { return secretName.MatchString(shorten(step)) })
}

// A Demand is what a `when` asks of one place of the records. Something must
// be there in any case.
type Demand struct {
	At     []string // steps, some of them Unknown
	Place  string   // as the file says it
	Key    string   // of the scalar that must stand there, as in a Fact; "": something
	Text   string   // the same in words
	Secret bool     // by the name of the place: neither is told
	Pos    token.Position
	Named  token.Position // where the place is named
	Within []Demand       // what must hold besides
	OneOf  [][]Demand     // instead of all that: what of one of these must hold
}

// demands are what v asks so plainly that files tell whether it can ever hold.
func demands(at []string, place string, v *Value) []Demand {
	d := Demand{At: at, Place: place, Secret: secretPlace(at), Pos: v.Pos, Named: v.Pos}
	switch k := v.kind.(type) {
	case absent, *not:
		return nil
	case scalar:
		d.Key, d.Text = string(appendScalarKey(nil, k)), shown(at, k.want(nil))
	case *object:
		for i, name := range k.names {
			step := pointerStep.Replace(shorten(name))
			d.Within = append(d.Within, demands(append(at[:len(at):len(at)], name), place+"/"+step, k.values[i])...)
		}
	case allOf:
		var all []Demand
		for _, one := range k {
			all = append(all, demands(at, place, one)...)
		}
		return all
	case oneOf:
		for _, one := range k {
			list := demands(at, place, one)
			if len(list) == 0 {
				return nil
			}
			d.OneOf = append(d.OneOf, list)
		}
	case *exactly:
		return demands(at, place, k.of)
	case *literal:
		return demands(at, place, k.of)
	}
	return []Demand{d}
}

// AsksMoreThan reports whether m asks for something that another matcher leaves
// open: some requests are the other's alone.
func (m *RequestMatcher) AsksMoreThan(o *RequestMatcher) bool {
	if m.asksMoreOfPath(o) {
		return true
	}
	mine, others := append(m.Asks(), m.Body.places("body")...), append(o.Asks(), o.Body.places("body")...)
	return slices.ContainsFunc(mine, func(what string) bool { return !slices.Contains(others, what) })
}

func (m *RequestMatcher) asksMoreOfPath(o *RequestMatcher) bool {
	if m.Path == nil {
		return m.PathText != nil && o.PathText == nil && (o.Path == nil || len(o.Path.names) > 0)
	}
	if o.Path == nil {
		return true
	}
	for n, mine := range m.Path.segments {
		if n == len(o.Path.segments) {
			return true
		}
		other := o.Path.segments[n]
		switch {
		case other.param < 0: // that one value is in the example, too
		case mine.param >= 0:
			if m.paramAsked(mine) && !o.paramAsked(other) {
				return true
			}
		case other.rest:
			return true
		default:
			params, _ := kindOf[*object](o.Params)
			if params == nil {
				return true
			}
			if c, ok := plain(params.member(o.Path.names[other.param])); !ok || c.text != mine.text {
				return true
			}
		}
		if mine.rest {
			return false
		}
	}
	return len(o.Path.segments) > len(m.Path.segments)
}

// paramAsked reports whether the file says what a path parameter must be.
func (m *RequestMatcher) paramAsked(seg segment) bool {
	params, named := kindOf[*object](m.Params)
	return m.Params != nil && (!named || params.member(m.Path.names[seg.param]) != nil)
}

// LackedHeaders are the headers that a request must not have for m to match,
// each with the line that says so.
func (m *RequestMatcher) LackedHeaders() iter.Seq2[string, token.Position] {
	return func(yield func(string, token.Position) bool) {
		o, named := kindOf[*object](m.Header)
		if !named {
			return
		}
		for i, name := range o.names {
			if _, lacked := kindOf[absent](o.values[i]); lacked && !yield(http.CanonicalHeaderKey(name), o.values[i].Pos) {
				return
			}
		}
	}
}

// places are the members, at every depth, of which v asks something.
func (v *Value) places(at string) (all []string) {
	if v == nil {
		return nil
	}
	switch k := v.kind.(type) {
	case *object:
		for i, name := range k.names {
			place := at + "/" + pointerStep.Replace(name)
			all = append(append(all, place), k.values[i].places(place)...)
		}
	case *exactly:
		return k.of.places(at)
	case *literal:
		return k.of.places(at)
	case *like:
		return k.of.places(at)
	case allOf:
		for _, one := range k {
			all = append(all, one.places(at)...)
		}
	}
	return all
}

// HoldsWhere reports whether the `when` of an interaction holds wherever that
// of another does: what it asks, the other asks too, or more. Path parameters
// are the same where they stand for the same segment.
func (i *Interaction) HoldsWhere(other *Interaction) bool {
	for j := range i.When {
		at := i.When[j].At.canonical(i.Request.Path)
		if !slices.ContainsFunc(other.When, func(o Sentence) bool {
			return o.At.canonical(other.Request.Path) == at && i.When[j].Value.acceptsAll(o.Value)
		}) {
			return false
		}
	}
	return true
}

// acceptsAll reports whether v certainly accepts whatever another value does.
func (v *Value) acceptsAll(o *Value) bool {
	mine, plain := v.kind.(*object)
	other, object := o.kind.(*object)
	if !plain || !object {
		return v.Written() == o.Written()
	}
	for n, name := range mine.names {
		if m := other.member(name); m == nil || !mine.values[n].acceptsAll(m) {
			return false
		}
	}
	return true
}

func (a *Address) canonical(of *Path) string {
	if a.param >= 0 && of != nil {
		for n, seg := range of.segments {
			if seg.param == a.param {
				return "segment " + strconv.Itoa(n)
			}
		}
	}
	var b strings.Builder
	b.WriteString(a.room + a.shift.text)
	for i := range a.steps {
		b.WriteByte('/')
		b.WriteString(pointerStep.Replace(a.steps[i].text))
		for _, p := range a.steps[i].parts {
			if p.at == nil {
				b.WriteString(pointerStep.Replace(p.text))
			} else {
				b.WriteString("{" + p.at.canonical(of) + "}")
			}
		}
	}
	return b.String()
}

// Written is the value as a file may have it. The same value is written the
// same.
func (v *Value) Written() string {
	if v == nil {
		return ""
	}
	b, err := yaml.Marshal(v.kind.write())
	if err != nil {
		return ""
	}
	return string(b)
}

// ParamsAt are the path parameters of the interaction in which a position
// lies.
func (s *Scenario) ParamsAt(pos token.Position) (names []string) {
	for _, i := range s.Interactions {
		if i.Pos.Line > pos.Line || i.Pos.Line == pos.Line && i.Pos.Column > pos.Column {
			break
		}
		if names = nil; i.Request.Path != nil {
			names = i.Request.Path.names
		}
	}
	return names
}

// ExampleStates are the scenario's provider states with the example of their
// parameters. The error is a *Fault.
func (s *Scenario) ExampleStates(env Env) (map[string]payload.Value, error) {
	if len(s.Given) == 0 {
		return nil, nil
	}
	states := make(map[string]payload.Value, len(s.Given))
	for _, st := range s.Given {
		params := jsonValue([]byte("{}"))
		if st.Params != nil {
			sc := &scope{env: env, work: allWork}
			b, ok := st.Params.give(sc, nil)
			if sc.err != nil {
				return nil, sc.err
			}
			if ok {
				params = jsonValue(b)
			}
		}
		states[st.Name] = params
	}
	return states, nil
}

// A Staged is an example of an interaction, and records by which its `when`
// holds.
type Staged struct {
	*Example
	Short   []Mismatch // what the request asks of records, and is not there: it is no example
	Records Tree
	Forced  bool       // they are others than were given: what `when` asks was set
	Refused []Mismatch // what `when` asks of the request, and the example does not show
	Unmet   []Mismatch // what it asks besides, and could not be had
	Work    int        // steps that it took
}

const (
	maxKeys   = 64  // that are tried for one path parameter
	maxStaged = 256 // examples that are tried for one interaction
	oneStage  = 200 // steps that it takes to make one, at least
)

// Stage finds an example of the interaction for which `when` holds. Where it
// asks for records that a path parameter leads to, and the file says nothing
// of the parameter, the names that are remembered there are tried, in order,
// with about so many steps of work. Where none will do, what `when` asks is set.
// The error says at which line of the file an example is missing.
func (i *Interaction) Stage(method string, env Env, most int) (*Staged, error) {
	draft, bad := i.Example(method, env, nil)
	if bad == nil && len(i.When) == 0 {
		return &Staged{Example: draft, Records: env.Records}, nil
	}
	var short []Mismatch
	if bad != nil { // with other records, or another path parameter, it may be one
		d, err := i.example(method, env, nil, nil)
		if err != nil {
			return nil, bad
		}
		draft = d.Example
		env.User = draft.User
		t := NewTrial(draft.Request, env)
		if short = t.Mismatches(&Interaction{Request: i.Request, of: i.of}); len(t.Looked()) == 0 {
			return nil, bad
		}
	}
	st := &stage{i: i, method: method, env: env, draft: draft, params: map[string]string{}, most: most}
	st.findSlots()
	ex := st.search(0)
	if ex == nil && bad == nil && st.accepts(draft, env.Records) {
		ex = draft
	}
	if ex != nil {
		return &Staged{Example: ex, Records: env.Records, Work: st.work}, nil
	}
	for _, anew := range []bool{false, true} {
		if ex, records := st.force(anew); ex != nil {
			return &Staged{Example: ex, Records: records, Forced: true, Work: st.work}, nil
		}
	}
	if len(short) > 0 {
		return &Staged{Example: draft, Short: short, Records: env.Records, Work: st.work}, nil
	}
	if bad != nil {
		return nil, bad
	}
	out := &Staged{Example: draft, Records: env.Records, Work: st.work}
	env.User = draft.User
	for j := range i.When {
		one := &Interaction{Request: i.Request, When: i.When[j : j+1], of: i.of}
		t := NewTrial(draft.Request, env)
		misses := t.Mismatches(one)
		if room := i.When[j].At.room; len(t.Looked()) > 0 || room == "now" && i.When[j].At.param < 0 {
			out.Unmet = append(out.Unmet, misses...)
		} else {
			out.Refused = append(out.Refused, misses...)
		}
	}
	return out, nil
}

type stage struct {
	i      *Interaction
	method string
	env    Env
	draft  *Example
	slots  []slot
	params map[string]string // that are chosen
	first  map[string]string // the first choice
	tried  int
	work   int // steps so far
	most   int
}

// A slot is a step of an address that is a path parameter and nothing else:
// what is remembered before it has the names to choose from.
type slot struct {
	before Address
	name   string
}

func (st *stage) findSlots() {
	if st.i.Request.Path == nil {
		return
	}
	s := st.scope(st.draft, st.env.Records)
	said := st.i.Request.members(s, st.i.Request.Params)
	names := st.i.Request.Path.names
	look := func(a *Address) {
		for n := range a.steps {
			parts := a.steps[n].parts
			if !a.records || len(parts) != 1 || parts[0].at == nil || parts[0].at.param < 0 {
				continue
			}
			name := names[parts[0].at.param]
			if _, explicit := said[name]; !explicit {
				before := *a
				before.steps = a.steps[:n]
				st.slots = append(st.slots, slot{before, name})
			}
		}
	}
	for j := range st.i.When {
		look(&st.i.When[j].At)
		st.i.When[j].At.within(look)
	}
}

// scope is one for an example, with the parameters that are chosen.
func (st *stage) scope(ex *Example, records Tree) *scope {
	env := st.env
	env.User, env.Records = ex.User, records
	s := &scope{env: env, req: ex.Request, tree: records, work: allWork, of: st.i.of}
	if path := st.i.Request.Path; path != nil {
		s.named = path.names
		path.match(ex.Request, &s.params)
		for n, name := range path.names {
			if value, chosen := st.params[name]; chosen {
				s.params[n] = value
			}
		}
	}
	return s
}

func (st *stage) accepts(ex *Example, records Tree) bool {
	env := st.env
	env.User, env.Records = ex.User, records
	t := NewTrial(ex.Request, env)
	ok := t.Accepts(st.i)
	st.work += oneStage + allWork - t.s.work
	return ok
}

// enough reports whether no more examples are to be tried.
func (st *stage) enough() bool { return st.tried >= maxStaged || st.work >= st.most }

// search chooses a parameter for each slot from the n-th on; nil where nothing
// will do.
func (st *stage) search(n int) *Example {
	if n == len(st.slots) {
		if len(st.params) == 0 || st.enough() {
			return nil
		}
		st.tried++
		if st.first == nil {
			st.first = maps.Clone(st.params)
		}
		ex, err := st.i.Example(st.method, st.env, st.params)
		if err == nil && st.accepts(ex, st.env.Records) {
			return ex
		}
		return nil
	}
	sl := &st.slots[n]
	if _, chosen := st.params[sl.name]; chosen {
		return st.search(n + 1)
	}
	s := st.scope(st.draft, st.env.Records)
	steps, ok := s.path(nil, &sl.before)
	if b := s.tree.at(steps); ok && b.len() > 0 {
		keys := 0
		for key := range b.members() {
			if keys++; keys > maxKeys || st.enough() {
				break
			}
			st.params[sl.name] = key
			if ex := st.search(n + 1); ex != nil {
				return ex
			}
		}
		delete(st.params, sl.name)
		return nil
	}
	return st.search(n + 1)
}

// force sets what `when` asks: beside what is remembered there, or anew.
func (st *stage) force(anew bool) (*Example, Tree) {
	ex := st.draft
	if st.first != nil {
		var err error
		if ex, err = st.i.Example(st.method, st.env, st.first); err != nil {
			return nil, Tree{}
		}
	}
	st.params = st.first
	s := st.scope(ex, st.env.Records)
	for j := range st.i.When {
		at, v := &st.i.When[j].At, st.i.When[j].Value
		got := s.resolve(at)
		if v.accepts(s, got) {
			continue
		}
		if at.records {
			if steps, ok := s.path(nil, at); ok {
				if anew {
					s.tree = s.tree.Remove(steps...)
				}
				s.settle(steps, v)
			}
			continue
		}
		// What the request must show is remembered: it shall be what it shows.
		if t, ok := v.kind.(*template); ok && t.alone() && t.parts[0].at.records && len(t.parts[0].functions) == 0 {
			if steps, ok := s.path(nil, t.parts[0].at); ok {
				s.assume(steps, got)
			}
		}
	}
	st.work += allWork - s.work
	ex, err := st.i.Example(st.method, st.withRecords(s.tree), st.first)
	if err != nil || !st.accepts(ex, s.tree) {
		return nil, Tree{}
	}
	return ex, s.tree
}

func (st *stage) withRecords(t Tree) Env {
	env := st.env
	env.Records = t
	return env
}

// assume puts a value there if it can be remembered.
func (s *scope) assume(at []string, v payload.Value) {
	if t, err := s.tree.Set(v, at...); err == nil {
		s.tree = t
	}
}

// settle makes a place of the records such that v accepts it, as far as that
// is easily told.
func (s *scope) settle(at []string, v *Value) {
	if v.accepts(s, s.tree.at(at).value()) {
		return
	}
	switch k := v.kind.(type) {
	case absent:
		s.tree = s.tree.Remove(at...)
	case *object:
		s.assume(at, jsonValue([]byte("{}")))
		for i, name := range k.names {
			s.settle(append(at[:len(at):len(at)], name), k.values[i])
		}
	case *not:
		s.tree = s.tree.Remove(at...)
		if k.example != nil {
			s.settle(at, k.example)
		}
	case oneOf:
		s.settle(at, k[0])
	case allOf:
		for _, one := range k {
			s.settle(at, one)
		}
	case *exactly:
		s.tree = s.tree.Remove(at...)
		s.settle(at, k.of)
	case *values:
		var names []string
		for name := range s.tree.at(at).members() {
			names = append(names, name)
		}
		for _, name := range names {
			s.settle(append(at[:len(at):len(at)], name), k.of)
		}
		if len(names) == 0 && k.example != nil {
			s.settle(at, k.example)
		}
	default:
		if b, ok := v.give(s, nil); ok {
			s.assume(at, jsonValue(b))
		}
		s.err = nil
	}
}
