package mockserver

import (
	"errors"
	"fmt"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas/didyoumean"
	"github.com/oigmock/oigmock/schemas/payload"
)

// What scenarios say of records: whether files agree on it, whether what is
// asked can ever be, and among which records an example is judged.

const (
	maxViewed   = 10_000_000  // places that are looked at to find what can be remembered
	maxSeeds    = 16          // scenarios that seed one place, and are compared
	maxKnown    = 1000        // words among which the nearest is searched
	maxStaging  = 4_000_000   // steps of work, of up to 50 ns, to find an example for one `when`
	maxStagings = 200_000_000 // and for all that one processor checks
	maxAwake    = 1_000_000   // scenarios that are asked whether provider states wake them
)

// checkRecords holds what the catalog's scenarios say of records against what
// a list, in which they are, says of them, and against what is remembered
// besides.
func (c *catalog) checkRecords(list []*scenarios.Scenario, besides scenarios.Tree) []Finding {
	k := recordCheck{c: c, hints: map[string]string{}}
	if c.seedFault != nil {
		k.add(c.seedFault.Pos, LevelFault, "%s", c.seedFault.Why)
	}
	asks, seeds := false, false
	for _, s := range c.list {
		asks = asks || len(s.RecordRooms()) > 0
		seeds = seeds || len(s.Records) > 0
	}
	if asks {
		k.possible = possibleOf(list, besides)
		for _, s := range c.list {
			k.rooms(s)
			for _, d := range s.Demands() {
				if k.possible.rooms[d.At[0]] {
					k.found = append(k.found, k.demand(&d)...)
				}
			}
		}
	}
	if seeds {
		k.conflicts(list)
	}
	return k.found
}

type recordCheck struct {
	c        *catalog
	possible *possible
	found    []Finding
	hints    map[string]string // of rooms that nobody seeds
	told     bool              // that not all is looked at
}

func (k *recordCheck) finding(pos token.Position, format string, args ...any) Finding {
	return Finding{pos, LevelFault, "records", fmt.Sprintf(format, args...)}
}

func (k *recordCheck) add(pos token.Position, level Level, format string, args ...any) {
	f := k.finding(pos, format, args...)
	f.Level = level
	k.found = append(k.found, f)
}

// rooms tells of rooms of records that no file seeds: typing errors, mostly.
func (k *recordCheck) rooms(s *scenarios.Scenario) {
	for _, room := range s.RecordRooms() {
		if k.possible.rooms[room.Name] {
			continue
		}
		params := s.ParamsAt(room.Pos)
		key := room.Name + "\n" + strings.Join(params, "\n")
		hint, known := k.hints[key]
		if !known {
			hint = k.hint(room.Name, params)
			k.hints[key] = hint
		}
		k.add(room.Pos, LevelFault, "%q is neither a room nor a parameter of the path, and no file seeds it%s", scenarios.CutText(room.Name, 120), hint)
	}
}

func (k *recordCheck) hint(room string, params []string) string {
	seeded := slices.Sorted(maps.Keys(k.possible.rooms))
	if hint := didyoumean.Hint(room, slices.Concat(scenarios.Rooms(), params, seeded[:min(len(seeded), maxKnown)])); hint != "" {
		return hint
	}
	if len(seeded) == 0 {
		return "; rooms are " + strings.Join(scenarios.Rooms(), ", ")
	}
	for i := range seeded {
		seeded[i] = strconv.Quote(scenarios.CutText(seeded[i], 60))
	}
	return "; seeded are " + few(seeded)
}

// few are the first of many words.
func few(words []string) string {
	const most = 5
	if len(words) <= most {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s, and %d more", strings.Join(words[:most], ", "), len(words)-most)
}

// Possible is all that can ever be remembered, so far as files tell: what is
// seeded, what is set, and what a session remembers besides.
type possible struct {
	rooms map[string]bool // that are seeded
	root  spot
	views map[string]*view
	left  int // spots to look at
}

// A spot is a place of the records. Below a step that only a request tells,
// scenarios.Unknown, stands what any name may have.
type spot struct {
	next  map[string]*spot
	here  bool              // something can be there
	open  bool              // anything can be there, and below
	words map[string]string // the scalars that can be there, by key
}

func possibleOf(list []*scenarios.Scenario, besides scenarios.Tree) *possible {
	m := &possible{rooms: map[string]bool{}, views: map[string]*view{}, left: maxViewed}
	for _, s := range list {
		for i := range s.Records {
			room, _ := s.Records[i].At.Room()
			m.rooms[room] = true
		}
		if len(s.Records) > 0 || len(s.RecordRooms()) > 0 {
			s.Seeds(m.fact)
			s.Sets(m.fact)
		}
	}
	for room, v := range besides.At().Members() {
		m.rooms[room] = true
		m.value([]string{room}, v)
	}
	return m
}

// fact adds what a file says.
func (m *possible) fact(f scenarios.Fact) {
	if f.Is == scenarios.Nothing {
		return
	}
	at := &m.root
	for _, step := range f.At {
		if at.next == nil {
			at.next = map[string]*spot{}
		}
		if at.next[step] == nil {
			at.next[step] = &spot{}
		}
		at = at.next[step]
		at.here = true
	}
	switch f.Is {
	case scenarios.AScalar:
		if at.words == nil {
			at.words = map[string]string{}
		}
		at.words[f.Key] = f.Text
	case scenarios.Something, scenarios.AnArray:
		at.open = true
	}
}

// value adds what a session remembers.
func (m *possible) value(at []string, v payload.Value) {
	f := scenarios.Fact{At: at, Is: scenarios.AnObject}
	switch v.Kind() {
	case payload.Object:
		for name, member := range v.Members() {
			m.value(append(at[:len(at):len(at)], name), member)
		}
	case payload.Array:
		f.Is = scenarios.AnArray
	default:
		f.Is, f.Key, f.Text = scenarios.AScalar, scenarios.FactKey(v), string(v.AppendJSON(nil))
	}
	m.fact(f)
}

// A view is all spots that an address with unknown steps can lead to.
type view struct {
	spots []*spot
	here  bool
	open  bool

	words map[string]string // of all spots; nil until it is asked for
	names []string
}

func (m *possible) view(at []string) *view {
	if len(at) == 0 {
		return &view{spots: []*spot{&m.root}, here: true}
	}
	key := strings.Join(at, "\x00")
	if v := m.views[key]; v != nil {
		return v
	}
	before, step := m.view(at[:len(at)-1]), at[len(at)-1]
	v := &view{open: before.open, here: before.open}
	see := func(s *spot) {
		if s != nil {
			v.spots = append(v.spots, s)
			v.here, v.open = v.here || s.here, v.open || s.open
		}
	}
	for _, s := range before.spots {
		m.left--
		if step != scenarios.Unknown {
			see(s.next[step])
			see(s.next[scenarios.Unknown])
			continue
		}
		m.left -= len(s.next)
		if m.left > 0 {
			for _, next := range s.next {
				see(next)
			}
		}
	}
	if m.left <= 0 {
		v.open = true // it is not known better
	}
	m.views[key] = v
	return v
}

func (m *possible) wordsOf(v *view) map[string]string {
	if v.words == nil {
		v.words = map[string]string{}
		for _, s := range v.spots {
			m.left -= len(s.words)
			maps.Copy(v.words, s.words)
		}
	}
	return v.words
}

// namesOf are the names that lead on.
func (v *view) namesOf() []string {
	if v.names == nil {
		names := map[string]bool{}
		for _, s := range v.spots {
			for name := range s.next {
				names[name] = true
			}
		}
		delete(names, scenarios.Unknown)
		v.names = slices.Sorted(maps.Keys(names))
	}
	return v.names[:min(len(v.names), maxKnown)]
}

// demand tells why what a `when` asks of a place can never hold.
func (k *recordCheck) demand(d *scenarios.Demand) []Finding {
	m := k.possible
	v := m.view(d.At)
	switch {
	case m.left <= 0 && !k.told:
		k.told = true
		return []Finding{{d.Named, LevelWarning, "records", "so many places are asked for that from here on it is not told which of them nothing is ever at"}}
	case v.open || m.left <= 0:
		return nil
	case len(d.OneOf) > 0:
		var all []Finding
		for _, list := range d.OneOf {
			found := k.demands(list)
			if len(found) == 0 {
				return nil
			}
			all = append(all, found...)
		}
		return all
	case !v.here:
		for n := range d.At { // the first step that leads nowhere
			if before := m.view(d.At[:n]); !m.view(d.At[:n+1]).here {
				return []Finding{k.finding(d.Named, "no file seeds anything at %s, and nothing sets it%s", d.Place, didyoumean.Hint(d.At[n], before.namesOf()))}
			}
		}
	case d.Key != "":
		if words := m.wordsOf(v); words[d.Key] == "" {
			return []Finding{k.finding(d.Pos, "no file seeds %s at %s, and nothing sets it%s", d.Text, d.Place, nearest(d, words))}
		}
	}
	return k.demands(d.Within)
}

func (k *recordCheck) demands(list []scenarios.Demand) (all []Finding) {
	for i := range list {
		all = append(all, k.demand(&list[i])...)
	}
	return all
}

// nearest is the end of a sentence about a word that nothing makes: the one it
// was meant for, or what there is.
func nearest(d *scenarios.Demand, words map[string]string) string {
	if d.Secret {
		return ""
	}
	var texts, all []string
	for key, word := range words {
		if key[0] == 's' {
			texts = append(texts, key[1:])
			if key[1:] == d.Text {
				return "; did you mean " + word + ", in quotes?"
			}
		} else if strconv.Quote(word) == d.Text {
			return "; did you mean " + word + ", without quotes?"
		}
		all = append(all, word)
	}
	slices.Sort(texts)
	slices.Sort(all)
	if d.Key[0] == 's' {
		if hint := didyoumean.Hint(d.Key[1:], texts[:min(len(texts), maxKnown)]); hint != "" {
			return hint
		}
	}
	if len(all) == 0 {
		return ""
	}
	return "; there can be " + few(all)
}

// conflicts tells of places that two scenarios seed differently, though both
// can be awake.
func (k *recordCheck) conflicts(list []*scenarios.Scenario) {
	own := map[*scenarios.Scenario]bool{}
	for _, s := range k.c.list {
		own[s] = true
	}
	places := map[string][]seeded{}
	add := func(at []string, is seeded) {
		key := strings.Join(at, "\x00")
		all := places[key]
		var other *seeded
		for i := range all {
			switch o := &all[i]; {
			case o.by == is.by:
				if o.Is == is.Is && o.Key == is.Key {
					return
				}
			case other == nil && o.unlike(is) && k.together(o.by, is.by) && (own[o.by] || own[is.by]):
				other = o
			}
		}
		if len(all) < maxSeeds {
			places[key] = append(all, is)
		}
		if other == nil {
			return
		}
		level, end := LevelFault, ", and nothing keeps the two apart"
		if later(other.by, is.by) {
			level, end = LevelNote, ", which counts: its source comes later"
		}
		k.add(is.Pos, level, "%s is seeded as %s here, and as %s at %s%s", addressOf(at), is.words(), other.words(), other.Pos, end)
	}
	for _, s := range list {
		s.Seeds(func(f scenarios.Fact) {
			if slices.Contains(f.At, scenarios.Unknown) {
				return
			}
			is := seeded{f.Is, f.Key, f.Text, f.Pos, s}
			if f.Is != scenarios.Something {
				add(f.At, is)
			}
			if f.Is != scenarios.Nothing {
				is.Is, is.Key = scenarios.AnObject, ""
				for n := 1; n < len(f.At); n++ {
					add(f.At[:n], is)
				}
			}
		})
	}
}

// seeded is what a scenario seeds at a place.
type seeded struct {
	Is        scenarios.Remembered
	Key, Text string
	Pos       token.Position
	by        *scenarios.Scenario
}

func (a *seeded) unlike(b seeded) bool { return a.Is != b.Is || a.Key != b.Key }

func (a *seeded) words() string {
	if a.Is == scenarios.AnObject {
		return "an object"
	}
	return a.Text
}

// later reports whether one scenario is there to override another.
func later(s, than *scenarios.Scenario) bool {
	return s.Origin != than.Origin || s.Origin == addedOrigin && s.File != than.File
}

// together reports whether two scenarios seed at the same time: when a session
// begins, or when the same provider states are set.
func (k *recordCheck) together(a, b *scenarios.Scenario) bool {
	return len(a.Given) == len(b.Given) && (wakes(a, b) || wakes(b, a)) && (k.c.release != "" || len(a.Releases) == 0 || len(b.Releases) == 0 ||
		slices.ContainsFunc(a.Releases, func(r string) bool { return slices.Contains(b.Releases, r) }))
}

// wakes reports whether the provider states that one scenario waits for are
// all awaited by another, with the same parameters or any.
func wakes(s, by *scenarios.Scenario) bool {
	for _, st := range s.Given {
		if !slices.ContainsFunc(by.Given, func(o scenarios.ProviderState) bool {
			return o.Name == st.Name && (st.Params == nil || st.Params.Written() == o.Params.Written())
		}) {
			return false
		}
	}
	return true
}

// addressOf writes steps as an address.
func addressOf(steps []string) string {
	escaped := make([]string, len(steps))
	for i, step := range steps {
		escaped[i] = pointerStep.Replace(scenarios.CutText(step, 200))
	}
	return strings.Join(escaped, "/")
}

var pointerStep = strings.NewReplacer("~", "~0", "/", "~1")

// A world is what the example of an interaction meets: what is remembered,
// once the provider states of its scenario are set.
type world struct {
	records scenarios.Tree
	given   map[string]payload.Value
	faults  []Finding // why there is none
}

// worlds are those of all scenarios of a list.
type worlds struct {
	env     scenarios.Env
	base    func() scenarios.Tree           // what is seeded when a session begins
	waiting func() map[string][]placedState // what else seeds, by the first state that it waits for

	mu   sync.Mutex
	made map[string]world
	left int // scenarios to ask whether they are awake
}

// A placedState is a scenario where it stands in the list.
type placedState struct {
	*scenarios.Scenario
	at int
}

func newWorlds(list []*scenarios.Scenario, env scenarios.Env) *worlds {
	return &worlds{env: env, made: map[string]world{}, left: maxAwake,
		base: sync.OnceValue(func() scenarios.Tree {
			awake := slices.DeleteFunc(slices.Clone(list), func(s *scenarios.Scenario) bool { return len(s.Given) > 0 })
			t, _, _ := scenarios.Seed(scenarios.Tree{}, awake, env) // its fault is told once, for the catalog
			return t
		}),
		waiting: sync.OnceValue(func() map[string][]placedState {
			all := map[string][]placedState{}
			for i, s := range list {
				if len(s.Given) > 0 && len(s.Records) > 0 {
					all[s.Given[0].Name] = append(all[s.Given[0].Name], placedState{s, i})
				}
			}
			return all
		})}
}

// of is the world of a scenario's examples.
func (w *worlds) of(s *scenarios.Scenario) world {
	switch {
	case len(s.Given) == 0 && len(s.RecordRooms()) == 0:
		return world{} // it does not look
	case len(s.Given) == 0:
		return world{records: w.base()}
	}
	states, err := s.ExampleStates(w.env)
	if err != nil {
		return world{faults: []Finding{faultOf(err, s.Pos, "example")}}
	}
	var faults []Finding
	var key strings.Builder
	for _, name := range slices.Sorted(maps.Keys(states)) {
		for _, miss := range s.Refuses(name, states[name]) {
			faults = append(faults, Finding{miss.Pos, LevelFault, "example",
				fmt.Sprintf("%s: the example is not accepted: want %s, got %s", miss.At, miss.Want, miss.Got)})
		}
		fmt.Fprintf(&key, "%q%s", name, states[name].AppendJSON(nil))
	}
	if len(faults) > 0 {
		return world{faults: faults}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	made, known := w.made[key.String()]
	if !known {
		made = w.make(states)
		w.made[key.String()] = made
	}
	if made.given == nil { // what others seed by the same states cannot be
		env := w.env
		env.Given = states
		made.given = states
		if made.records, _, err = scenarios.Seed(w.base(), []*scenarios.Scenario{s}, env); err != nil {
			return world{faults: []Finding{faultOf(err, s.Pos, "records")}}
		}
	}
	return made
}

// make is what is remembered once provider states are set; a world without
// them where not all can be seeded.
func (w *worlds) make(states map[string]payload.Value) world {
	var found []placedState
	for name := range states {
		for _, s := range w.waiting()[name] {
			if w.left--; w.left > 0 && s.Awake(states) {
				found = append(found, s)
			}
		}
	}
	slices.SortFunc(found, func(a, b placedState) int { return a.at - b.at })
	var awake []*scenarios.Scenario
	for _, s := range found {
		awake = append(awake, s.Scenario)
	}
	env := w.env
	env.Given = states
	t, _, err := scenarios.Seed(w.base(), awake, env)
	if err != nil || w.left <= 0 {
		return world{}
	}
	return world{records: t, given: states}
}

func faultOf(err error, otherwise token.Position, rule string) Finding {
	var f *scenarios.Fault
	if errors.As(err, &f) {
		return Finding{f.Pos, LevelFault, rule, f.Why}
	}
	return Finding{otherwise, LevelFault, rule, err.Error()}
}

// Example is a request that an interaction answers in the session as it is
// now, to a mock at an address such as http://localhost:8080; nil where no
// example is one.
func (s *Session) Example(i *scenarios.Interaction, url string) *scenarios.Example {
	st := s.load()
	_, method := s.load().base.home(i)
	env := scenarios.Env{Now: s.server.now(st), URL: url, Records: st.records, Given: st.given}
	staged, err := i.Stage(method, env, maxStaging)
	if err != nil || staged.Forced || len(staged.Short)+len(staged.Refused)+len(staged.Unmet) > 0 {
		return nil
	}
	return staged.Example
}
