package mockserver

import (
	"maps"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas/payload"
)

// A State is all that changes in a session while the server runs, but for the
// journal. A State is never changed in place: a request decides by one, and
// what it changes makes another, which takes the place of the one it was made
// of and of no other.
type state struct {
	records scenarios.Tree           // what the session remembers
	calls   scenarios.Tree           // how often lists were served, and interactions matched
	given   map[string]payload.Value // the provider states that are set, with their parameters
	clock   Clock
	added   *overlay // the scenarios that were added; nil: none
	states  int      // bytes that the parameters of provider states take
	base    *catalog // whose scenarios were seeded
}

// size is about how much memory it takes, but for what it shares with other
// sessions: the seeds.
func (st *state) size() int {
	n := st.records.Memory() + st.calls.Memory() + st.states
	if st.added != nil {
		n += st.added.size
	}
	return n
}

// withGiven is the state with a provider state set, or taken back where params
// is Absent.
func (st state) withGiven(name string, params payload.Value) *state {
	st.given = maps.Clone(st.given)
	if params.Kind() == payload.Absent {
		if st.states -= 256 + len(name) + 4*len(st.given[name].AppendJSON(nil)); st.states < 0 {
			st.states = 0 // it was set from the start
		}
		delete(st.given, name)
		return &st
	}
	if st.given == nil {
		st.given = map[string]payload.Value{}
	}
	st.given[name] = params
	st.states = 0
	for name, params := range st.given {
		st.states += 256 + len(name) + 4*len(params.AppendJSON(nil))
	}
	return &st
}
