package mockserver

import (
	"cmp"
	"hash/maphash"
	"slices"

	"github.com/oigmock/oigmock/scenarios"
)

// A layer is the interactions of one order, in order of precedence, with an
// index: which of them can answer a request at all?
//
// Interactions are grouped by the few places where they ask for one exact
// value (a segment of the path, a member of the body), those where the
// interactions differ most. Within a group a hash of the request's values at
// these places leads to the candidates, and only candidates, and interactions
// that ask for no exact value, are matched one by one. A hash that is shared
// by chance only makes one candidate more.
type layer struct {
	entries []*entry
	groups  []group
	rest    []int32 // without a place
	seed    maphash.Seed
}

type group struct {
	places []scenarios.Place
	heads  map[uint64]int32 // hash of the values at the places → the first such entry
	next   []int32          // entry of the group → the next one of the same hash, -1
	at     []int32          // entry of the group → entry of the layer
	single []nearby         // for near misses: by one place alone
}

// nearby finds entries that agree in one place of several.
type nearby struct {
	heads map[uint64]int32
	next  []int32
}

const (
	maxPlaces   = 3    // that make up the key of a group
	maxDistinct = 4096 // values at a place that are counted
)

func (l *layer) build() {
	l.seed = maphash.MakeSeed()
	if len(l.entries) == 0 {
		return
	}
	type fixed struct {
		place int32
		hash  uint64
	}
	var places []scenarios.Place
	ids := map[scenarios.Place]int32{}
	var distinct []map[uint64]struct{}
	all := make([]fixed, 0, len(l.entries)*8)
	ends := make([]int, len(l.entries))
	for i, e := range l.entries {
		e.Fixed(func(p scenarios.Place, key []byte) {
			id, known := ids[p]
			if !known {
				id = int32(len(places))
				ids[p] = id
				places = append(places, p)
				distinct = append(distinct, map[uint64]struct{}{})
			}
			h := maphash.Bytes(l.seed, key)
			if len(distinct[id]) < maxDistinct {
				distinct[id][h] = struct{}{}
			}
			all = append(all, fixed{id, h})
		})
		ends[i] = len(all)
	}
	groups := map[[maxPlaces]int32]int{}
	start := 0
	for i := range l.entries {
		mine := all[start:ends[i]]
		start = ends[i]
		if len(mine) == 0 {
			l.rest = append(l.rest, int32(i))
			continue
		}
		slices.SortStableFunc(mine, func(a, b fixed) int {
			return cmp.Compare(len(distinct[b.place]), len(distinct[a.place]))
		})
		mine = mine[:min(len(mine), maxPlaces)]
		slices.SortFunc(mine, func(a, b fixed) int { return cmp.Compare(a.place, b.place) })
		key := [maxPlaces]int32{-1, -1, -1}
		for j, f := range mine {
			key[j] = f.place
		}
		n, known := groups[key]
		if !known {
			n = len(l.groups)
			groups[key] = n
			g := group{heads: map[uint64]int32{}}
			for _, f := range mine {
				g.places = append(g.places, places[f.place])
			}
			if len(mine) > 1 {
				g.single = make([]nearby, len(mine))
				for j := range g.single {
					g.single[j].heads = map[uint64]int32{}
				}
			}
			l.groups = append(l.groups, g)
		}
		g := &l.groups[n]
		h := uint64(0)
		for j, f := range mine {
			h = mix(h, f.hash)
			if g.single != nil {
				// Chains run backwards here; for near misses the order does not count.
				s := &g.single[j]
				before, ok := s.heads[f.hash]
				if !ok {
					before = -1
				}
				s.next = append(s.next, before)
				s.heads[f.hash] = int32(len(g.at))
			}
		}
		before, ok := g.heads[h]
		if !ok {
			before = -1
		}
		g.next = append(g.next, before)
		g.heads[h] = int32(len(g.at))
		g.at = append(g.at, int32(i))
	}
}

func mix(a, b uint64) uint64 {
	a ^= b + 0x9e3779b97f4a7c15 + a<<12 + a>>4
	return a * 0xff51afd7ed558ccd
}

// hashes are the hashes of the request's values at the places of a group. It
// reports false where one has no value: nothing of the group can match.
func (g *group) hashes(seed maphash.Seed, r *scenarios.Request, user string, buf []byte) (h [maxPlaces]uint64, all uint64, ok bool) {
	ok = true
	for j := range g.places {
		key, there := g.places[j].AppendKey(buf[:0], r, user)
		if !there {
			ok = false
			continue
		}
		h[j] = maphash.Bytes(seed, key)
		all = mix(all, h[j])
	}
	return h, all, ok
}

// candidates appends the places in l.entries of what the index finds, in
// order of precedence. What has no exact value (l.rest) is not among them.
func (l *layer) candidates(dst []int32, r *scenarios.Request, user string) []int32 {
	if len(l.groups) == 0 {
		return dst
	}
	var room [128]byte
	from := len(dst)
	for i := range l.groups {
		g := &l.groups[i]
		_, h, ok := g.hashes(l.seed, r, user, room[:0])
		if !ok {
			continue
		}
		at, found := g.heads[h]
		if !found {
			continue
		}
		for ; at >= 0; at = g.next[at] {
			dst = append(dst, g.at[at])
		}
	}
	if len(dst)-from > 1 {
		slices.Sort(dst[from:])
	}
	return dst
}

// find is the first interaction of the layer that accepts the request, and
// that ok takes; nil for none.
func (l *layer) find(t *scenarios.Trial, r *scenarios.Request, user string, ok func(*entry) bool) *entry {
	if len(l.entries) == 0 {
		return nil
	}
	var room [16]int32
	found, rest := l.candidates(room[:0], r, user), l.rest
	for len(found) > 0 || len(rest) > 0 {
		var next int32
		if len(rest) == 0 || len(found) > 0 && found[0] < rest[0] {
			next, found = found[0], found[1:]
		} else {
			next, rest = rest[0], rest[1:]
		}
		if e := l.entries[next]; ok(e) && t.Accepts(e.Interaction) {
			return e
		}
	}
	return nil
}

// nearest appends up to most entries that are likely to be what the request
// was meant for: those that agree in a place of the index, then the first.
func (l *layer) nearest(dst []*entry, most int, r *scenarios.Request, user string) []*entry {
	var room [128]byte
	taken := map[int32]bool{}
	add := func(i int32) bool {
		if !taken[i] {
			taken[i] = true
			dst = append(dst, l.entries[i])
		}
		return len(taken) < most
	}
	for i := range l.groups {
		g := &l.groups[i]
		hashes, all, ok := g.hashes(l.seed, r, user, room[:0])
		if ok {
			if at, found := g.heads[all]; found {
				for ; at >= 0; at = g.next[at] {
					if !add(g.at[at]) {
						return dst
					}
				}
			}
		}
		const each = 8
		for j := range g.single {
			at, found := g.single[j].heads[hashes[j]]
			if !found {
				continue
			}
			for n := 0; at >= 0 && n < each; at, n = g.single[j].next[at], n+1 {
				if !add(g.at[at]) {
					return dst
				}
			}
		}
	}
	for i := range l.entries {
		if !add(int32(i)) {
			return dst
		}
	}
	return dst
}
