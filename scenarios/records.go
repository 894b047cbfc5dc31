package scenarios

import (
	"go/token"
	"slices"
	"strings"

	"github.com/oigmock/oigmock/schemas/payload"
)

// Awake reports whether the scenario's provider states are all set.
func (s *Scenario) Awake(given map[string]payload.Value) bool {
	if len(s.Given) == 0 {
		return true
	}
	sc := &scope{env: Env{Given: given}, work: allWork, of: s}
	sc.awake()
	return sc.n == 0
}

// Refuses lists the reasons why the scenario does not take parameters of one
// of its provider states; none means that it does.
func (s *Scenario) Refuses(state string, params payload.Value) []Mismatch {
	sc := &scope{env: Env{Given: map[string]payload.Value{state: params}}, work: allWork, of: s, mode: inWords}
	for i := range s.Given {
		if s.Given[i].Name == state {
			sc.isSet(&s.Given[i])
		}
	}
	return sc.list
}

// awake reports as mismatches what keeps the scenario asleep.
func (s *scope) awake() {
	for i := range s.of.Given {
		if s.isSet(&s.of.Given[i]); s.done() {
			return
		}
	}
}

func (s *scope) isSet(st *ProviderState) {
	params, set := s.env.Given[st.Name]
	switch {
	case !set:
		if s.wording() {
			s.list = append(s.list, Mismatch{At: "provider state", Want: quote(st.Name), Got: "that it is not set", Pos: st.Pos})
		}
	case st.Params == nil:
	case params.Kind() == payload.Absent: // set without any
		s.ask("given", st.Params, jsonValue([]byte("{}")))
	default:
		s.ask("given", st.Params, params)
	}
}

// Seed sets what scenarios seed, the last of the list first: so what comes
// earlier in the order of precedence counts. It reports whether that depends on
// the time. The error is a *Fault.
func Seed(t Tree, list []*Scenario, env Env) (seeded Tree, timed bool, err error) {
	for _, sc := range slices.Backward(list) {
		if len(sc.Records) == 0 {
			continue
		}
		s := &scope{env: env, tree: t, work: allWork, of: sc}
		s.perform(sc.Records)
		if s.err != nil {
			return t, timed, s.err
		}
		t, timed = s.tree, timed || s.timed
	}
	return t, timed, nil
}

// SeedShared seeds what does not depend on the time: all sessions may have it in
// common. It gives besides, in their order, the scenarios that each session is
// to seed over that: those that depend on the time, and whatever would come out
// otherwise if it were seeded before them. The error is a *Fault.
func SeedShared(list []*Scenario, env Env) (shared Tree, own []*Scenario, err error) {
	// The rooms that the own ones seed, and look at. The numbers that new gives
	// are a room in this, too.
	seeds, looks := map[string]bool{}, map[string]bool{}
	whole := Tree{}
	for _, sc := range slices.Backward(list) {
		if len(sc.Records) == 0 {
			continue
		}
		s := &scope{env: env, tree: whole, work: allWork, of: sc}
		if s.perform(sc.Records); s.err != nil {
			return shared, nil, s.err
		}
		var seeded []string
		for i := range sc.Records {
			seeded = append(seeded, sc.Records[i].At.room)
		}
		if s.tree.next != whole.next {
			seeded = append(seeded, "new")
		}
		whole = s.tree
		has := func(rooms map[string]bool) func(string) bool {
			return func(room string) bool { return rooms[room] }
		}
		if !s.timed && !slices.ContainsFunc(seeded, has(seeds)) && !slices.ContainsFunc(seeded, has(looks)) && !slices.ContainsFunc(s.looked, has(seeds)) {
			s := &scope{env: env, tree: shared, work: allWork, of: sc}
			if s.perform(sc.Records); s.err != nil {
				return shared, nil, s.err
			}
			shared = s.tree
			continue
		}
		own = append(own, sc)
		for _, room := range seeded {
			seeds[room] = true
		}
		for _, room := range s.looked {
			looks[room] = true
		}
	}
	slices.Reverse(own)
	return shared.Share(), own, nil
}

// Apply sets sentences outside of any request, as somebody who steers a
// session does, and gives the addresses that changed. The error is a *Fault.
func Apply(t Tree, set []Sentence, env Env) (Tree, []string, error) {
	s := &scope{env: env, tree: t, work: allWork}
	s.perform(set)
	if s.err != nil {
		return t, nil, s.err
	}
	return s.tree, s.changed, nil
}

// Locate gives the steps of an address of records; they are told by the text
// alone, and nothing is looked up.
func (a *Address) Locate() ([]string, error) {
	s := &scope{work: allWork}
	steps, ok := s.path(nil, a)
	if !ok || !a.records {
		return nil, &Fault{Why: "address " + quote(a.text) + ": want a place of records"}
	}
	return steps, nil
}

// perform sets what sentences say, one after the other.
func (s *scope) perform(set []Sentence) {
	for i := range set {
		st := &set[i]
		tree := s.treeOf(st.At.room)
		before := *tree
		at, ok := s.path(nil, &st.At)
		switch {
		case !ok && s.work > 0:
			s.fail(st.Pos, st.At.text+": no text is at "+s.missing(&st.At)+", so it is not told where to remember this")
		case !ok:
			s.tooCostly(st.Pos)
		case s.err == nil:
			s.put(&st.At, at, st.Value)
		}
		if s.err != nil {
			*tree = before
			return
		}
		if st.At.room != letRoom && tree.root != before.root && len(s.changed) < maxChanged {
			s.changed = append(s.changed, CutText(st.At.found(at), maxChangedText))
		}
	}
}

// What one request changes is told in a journal.
const (
	maxChanged     = 1000 // addresses
	maxChangedText = 400  // bytes of one
)

func (s *scope) tooCostly(pos token.Position) { s.fail(pos, "it costs too much to remember") }

// put makes a place of the records what v gives. What has no value is passed
// over; then what is absent is taken away.
func (s *scope) put(a *Address, at []string, v *Value) {
	if b, ok := v.give(s, nil); ok {
		got := jsonValue(b)
		switch {
		case !s.spend(len(b)/4 + s.reach(at) + heft(got)):
			s.tooCostly(v.Pos)
			return
		case got.Kind() == payload.Absent:
			s.fail(v.Pos, a.found(at)+": more than a body may hold")
			return
		}
		tree := s.treeOf(at[0])
		t, err := tree.Set(got, at...)
		if err != nil {
			s.fail(v.Pos, a.found(at)+": "+err.Error())
			return
		}
		*tree = t
	}
	if s.err == nil {
		s.takeAway(at, v)
	}
}

// takeAway removes what is absent in v, which at every depth of objects says
// what shall be there.
func (s *scope) takeAway(at []string, v *Value) {
	switch k := v.kind.(type) {
	case absent:
		if !s.spend(s.reach(at)) {
			s.tooCostly(v.Pos)
			return
		}
		tree := s.treeOf(at[0])
		*tree = tree.Remove(at...)
	case *object:
		for i, name := range k.names {
			s.takeAway(append(slices.Clip(at), name), k.values[i])
		}
	}
}

// reach is about what it takes to change something there, in steps of work: of
// all that it stands in, a part is copied.
func (s *scope) reach(at []string) int {
	work := 20
	b := s.treeOf(at[0]).at(nil)
	for _, step := range at {
		work += 8 + len(step)/16 + b.len()/64
		b = b.child(step)
	}
	return work
}

// heft is about what it takes to make a part of the tree of v, besides what its
// bytes take.
func heft(v payload.Value) int {
	work := 0
	for _, e := range v.Elems() {
		work += 6 + heft(e)
	}
	for _, m := range v.Members() {
		work += 25 + heft(m)
	}
	return work
}

// found is the address with what was found for its braces; as the file has it
// where that may be a secret.
func (a *Address) found(steps []string) string {
	secret := false
	a.within(func(at *Address) { secret = secret || secretName.MatchString(at.text) })
	if secret {
		return a.text
	}
	var b strings.Builder
	for i, st := range steps {
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(pointerStep.Replace(shorten(st)))
	}
	return b.String()
}

// Same reports whether two trees are the very same, so that nothing changed
// from one to the other.
func (t Tree) Same(o Tree) bool { return t.same(o) }
