package mockserver

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/oigmock/oigmock/scenarios"
)

// A NearMiss is an interaction that did not match, with the reasons.
type NearMiss struct {
	Scenario, Interaction string
	Mismatches            []scenarios.Mismatch
}

const (
	maxLooked = 32 // interactions that are looked at for near misses
	maxNear   = 3  // that are told
)

// A looked is an interaction that was looked at, and how far off it is.
type looked struct {
	*entry
	path, method bool // whether they are the wanted ones
	mismatches   int
}

// rank looks at a bounded number of interactions of a layer and sorts them by
// path, then method, then the number of mismatches.
func (l *layer) rank(t *scenarios.Trial) []looked {
	var room [maxLooked]*entry
	var all [maxLooked]looked
	found := l.nearest(room[:0], maxLooked, t)
	for i, e := range found {
		path, method, mismatches := t.Distance(e.Interaction)
		all[i] = looked{e, path, method, mismatches}
	}
	ranked := all[:len(found)]
	slices.SortStableFunc(ranked, func(a, b looked) int {
		return cmp.Or(nearer(a, b), a.at-b.at)
	})
	return ranked
}

// near is the interactions that came closest. Only those that are told are
// put in words.
func near(t *scenarios.Trial, q *question) []NearMiss {
	var told []NearMiss
	for _, m := range q.rank(t, ordinaryOf) {
		if len(told) == maxNear {
			break
		}
		if m.mismatches == 0 || !m.path && !sameFamily(m.entry, q.request) {
			continue // it would match but for its payload, or nothing in it is meant for such a request
		}
		told = append(told, NearMiss{m.scenario.Name, m.Name, t.Mismatches(m.Interaction)})
	}
	return told
}

// namesPath reports whether an interaction that is looked at names the path, and
// the method if it names one: then nobody is missing from the contract, and
// something else keeps it from answering.
func (q *question) namesPath(t *scenarios.Trial) bool {
	return slices.ContainsFunc(q.rank(t, ordinaryOf), func(m looked) bool {
		return m.path && m.method && m.mismatches > 0 && m.Request.Path != nil && !m.Request.Path.Wild()
	})
}

// rank looks at what was added to the session and at all others.
func (q *question) rank(t *scenarios.Trial, of func(*table) *layer) []looked {
	ranked := of(q.table).rank(t)
	if q.added != nil {
		ranked = append(of(q.added).rank(t), ranked...)
		slices.SortStableFunc(ranked, nearer)
	}
	return ranked
}

func nearer(a, b looked) int {
	return cmp.Or(no(a.path)-no(b.path), no(a.method)-no(b.method), a.mismatches-b.mismatches)
}

func no(b bool) int {
	if b {
		return 0
	}
	return 1
}

// sameFamily keeps interactions of quite another path from being called
// close: the paths may differ in one segment.
func sameFamily(e *entry, r *scenarios.Request) bool {
	if e.Request.Path == nil {
		return true
	}
	_, differ := alike(e.Request.Path.String(), r.Segments())
	return differ <= 1
}

// alike compares a path with a pattern: how many segments are the same, and
// how many are not, or are missing.
func alike(pattern string, got []string) (same, differ int) {
	want := strings.Split(strings.TrimPrefix(pattern, "/"), "/")
	for i := range min(len(want), len(got)) {
		switch {
		case strings.HasSuffix(want[i], "...}"):
			return same + 1, differ
		case want[i] == got[i] || strings.HasPrefix(want[i], "{"):
			same++
		default:
			differ++
		}
	}
	return same, differ + max(len(want), len(got)) - min(len(want), len(got))
}

// explain says in words why nothing answers a request.
func explain(method, path string, near []NearMiss) string {
	text := "nothing answers " + method + " " + path
	if len(near) > 0 {
		text += "\n\n" + closest(near)
	}
	return text
}

// closest says in words what the near misses are short of.
func closest(near []NearMiss) string {
	var b strings.Builder
	for i, m := range near {
		lead := "closest"
		if i > 0 {
			lead = "\n\nthen"
		}
		fmt.Fprintf(&b, "%s: %q in %s", lead, m.Interaction, m.Scenario)
		for _, why := range m.Mismatches {
			fmt.Fprintf(&b, "\n  %s", why)
		}
	}
	return b.String()
}
