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
	places  []scenarios.Place // that the groups look at
	groups  []group
	rest    []*entry // without a place
	seed    maphash.Seed
}

type group struct {
	places []int32 // of the layer
	table  hashTable
	single []hashTable // for near misses: by one place alone
}

// A hashTable leads from a hash to entries. It is built once, and read with
// one look at memory where a hash has one entry: among a hundred thousand
// interactions such looks are what a hit costs.
type hashTable struct {
	slots []slot // open addressing, a power of two, at most half full
	links []link
}

type slot struct {
	hash  uint64
	first *entry // nil: free
	next  int32  // into links, -1
}

type link struct {
	entry *entry
	next  int32
}

func newHashTable(n int) hashTable {
	size := 8
	for size < 2*n {
		size *= 2
	}
	return hashTable{slots: make([]slot, size)}
}

// find is the slot of a hash, or the free one where it would be.
func (t *hashTable) find(hash uint64) *slot {
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		if s := &t.slots[i]; s.first == nil || s.hash == hash {
			return s
		}
	}
}

func (t *hashTable) add(hash uint64, e *entry) {
	s := t.find(hash)
	if s.first == nil {
		*s = slot{hash, e, -1}
		return
	}
	t.links = append(t.links, link{e, s.next})
	s.next = int32(len(t.links) - 1)
}

// each calls yield with the entries of a hash, until it returns false.
func (t *hashTable) each(hash uint64, yield func(*entry) bool) {
	s := t.find(hash)
	if s.first == nil || !yield(s.first) {
		return
	}
	for i := s.next; i >= 0; i = t.links[i].next {
		if !yield(t.links[i].entry) {
			return
		}
	}
}

const (
	maxPlaces   = 3    // that make up the key of a group
	maxDistinct = 4096 // values at a place that are counted
)

// A fixed is an exact value that an entry asks for: the place, by its number,
// and the hash of the value.
type fixed struct {
	place int32
	hash  uint64
}

func (l *layer) build() {
	l.seed = maphash.MakeSeed()
	if len(l.entries) == 0 {
		return
	}
	all, mine := l.choose()
	used := map[int32]int32{} // place of all → place of the layer
	type member struct {
		entry *entry
		fixed []fixed
	}
	members := map[[maxPlaces]int32][]member{}
	var keys [][maxPlaces]int32
	for i, e := range l.entries {
		if len(mine[i]) == 0 {
			l.rest = append(l.rest, e)
			continue
		}
		key := [maxPlaces]int32{-1, -1, -1}
		for j, f := range mine[i] {
			key[j] = f.place
		}
		if members[key] == nil {
			keys = append(keys, key)
		}
		members[key] = append(members[key], member{e, mine[i]})
	}
	for _, key := range keys {
		list := members[key]
		g := group{table: newHashTable(len(list))}
		for _, f := range list[0].fixed {
			p, known := used[f.place]
			if !known {
				p = int32(len(l.places))
				used[f.place] = p
				l.places = append(l.places, all[f.place])
			}
			g.places = append(g.places, p)
		}
		if len(g.places) > 1 {
			for range g.places {
				g.single = append(g.single, newHashTable(len(list)))
			}
		}
		for _, m := range list {
			h := uint64(0)
			for j, f := range m.fixed {
				h = mix(h, f.hash)
				if g.single != nil {
					g.single[j].add(f.hash, m.entry)
				}
			}
			g.table.add(h, m.entry)
		}
		l.groups = append(l.groups, g)
	}
}

// choose finds, for each entry, the few places where the entries of the layer
// differ most.
func (l *layer) choose() ([]scenarios.Place, [][]fixed) {
	var places []scenarios.Place
	ids := map[scenarios.Place]int32{}
	var distinct []map[uint64]struct{}
	all := make([]fixed, 0, len(l.entries)*8)
	mine := make([][]fixed, len(l.entries))
	for i, e := range l.entries {
		start := len(all)
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
		mine[i] = all[start:len(all):len(all)]
	}
	for i := range mine {
		slices.SortStableFunc(mine[i], func(a, b fixed) int {
			return cmp.Compare(len(distinct[b.place]), len(distinct[a.place]))
		})
		mine[i] = mine[i][:min(len(mine[i]), maxPlaces)]
		slices.SortFunc(mine[i], func(a, b fixed) int { return cmp.Compare(a.place, b.place) })
	}
	return places, mine
}

func mix(a, b uint64) uint64 {
	a ^= b + 0x9e3779b97f4a7c15 + a<<12 + a>>4
	return a * 0xff51afd7ed558ccd
}

// A placeHash is the hash of the request's value at a place, once it was
// asked for.
type placeHash struct {
	hash         uint64
	asked, there bool
}

// hash looks at the request's value at a place once, however many groups ask.
func (l *layer) hash(t *scenarios.Trial, known []placeHash, place int32, buf []byte) placeHash {
	h := &known[place]
	if !h.asked {
		key, there := t.AppendKey(buf[:0], &l.places[place])
		*h = placeHash{maphash.Bytes(l.seed, key), true, there}
	}
	return *h
}

// key is the hash of a group's key in a request. It reports false where a
// place has no value: nothing of the group can match.
func (l *layer) key(t *scenarios.Trial, known []placeHash, g *group, buf []byte) (key uint64, ok bool) {
	for _, p := range g.places {
		h := l.hash(t, known, p, buf)
		if !h.there {
			return 0, false
		}
		key = mix(key, h.hash)
	}
	return key, true
}

const fewPlaces = 16 // for which there is room on the stack

// candidates appends what the index finds, in order of precedence. What has
// no exact value (l.rest) is not among them.
func (l *layer) candidates(dst []*entry, t *scenarios.Trial) []*entry {
	var room [128]byte
	var few [fewPlaces]placeHash
	known := few[:]
	if len(l.places) > fewPlaces {
		known = make([]placeHash, len(l.places))
	}
	for i := range l.groups {
		g := &l.groups[i]
		key, ok := l.key(t, known, g, room[:0])
		if !ok {
			continue
		}
		s := g.table.find(key)
		if s.first == nil {
			continue
		}
		dst = append(dst, s.first)
		for n := s.next; n >= 0; n = g.table.links[n].next {
			dst = append(dst, g.table.links[n].entry)
		}
	}
	if len(dst) > 1 {
		slices.SortFunc(dst, func(a, b *entry) int { return a.at - b.at })
	}
	return dst
}

// find is the first interaction of the layer that can answer the request of
// the trial, and that ok takes; nil for none.
func (l *layer) find(t *scenarios.Trial, ok func(*entry) bool) *entry {
	if len(l.entries) == 0 {
		return nil
	}
	var room [8]*entry
	found, rest := l.candidates(room[:0], t), l.rest
	for len(found) > 0 || len(rest) > 0 {
		var next *entry
		if len(rest) == 0 || len(found) > 0 && found[0].at < rest[0].at {
			next, found = found[0], found[1:]
		} else {
			next, rest = rest[0], rest[1:]
		}
		if ok(next) {
			return next
		}
	}
	return nil
}

// nearest appends up to most entries that are likely to be what the request
// was meant for: those that agree in a place of the index, then the first.
func (l *layer) nearest(dst []*entry, most int, t *scenarios.Trial) []*entry {
	const each = 8 // of one place
	var room [128]byte
	taken := make(map[*entry]bool, most)
	add := func(e *entry) bool {
		if len(taken) < most && !taken[e] {
			taken[e] = true
			dst = append(dst, e)
		}
		return len(taken) < most
	}
	known := make([]placeHash, len(l.places))
	for i := range l.groups {
		g := &l.groups[i]
		if key, ok := l.key(t, known, g, room[:0]); ok {
			g.table.each(key, add)
		}
		for j := range g.single {
			h, n := l.hash(t, known, g.places[j], room[:0]), 0
			if !h.there {
				continue
			}
			g.single[j].each(h.hash, func(e *entry) bool {
				n++
				return add(e) && n < each
			})
		}
		if len(taken) == most {
			return dst
		}
	}
	for _, e := range l.entries {
		if !add(e) {
			break
		}
	}
	return dst
}
