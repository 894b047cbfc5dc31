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
	base    *catalog // whose scenarios were seeded
}

// size is about how much memory it takes, but for what was seeded.
func (st *state) size() int {
	n := st.records.Size() - st.base.seeded.Size() + st.calls.Size()
	for name, params := range st.given {
		n += len(name) + 256 + 8*params.Len()
	}
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
		delete(st.given, name)
		return &st
	}
	if st.given == nil {
		st.given = map[string]payload.Value{}
	}
	st.given[name] = params
	return &st
}
