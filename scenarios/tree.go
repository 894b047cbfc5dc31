package scenarios

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/oigmock/oigmock/schemas/payload"
)

// A Tree is what a session remembers: one JSON object, at whose members the
// addresses of records begin. It is persistent: who holds one keeps it as it
// is, and a change gives another that shares all but the way to what changed.
// The zero Tree is empty. It is safe for concurrent use.
type Tree struct {
	root *branch
	next uint64 // no member of any object is called by this number, or a greater one
}

// Limits of what a session remembers. Beyond them nothing is set.
const (
	MaxRecords     = 16 << 20 // bytes, written as JSON
	maxRemembered  = 100_000  // values
	maxRecordDepth = 64
)

const firstFresh = 10_000 // what fresh makes has five digits at least

func (t Tree) whole() *branch { return t.root.object() }

// At is what stands there: Absent for nothing, the whole object without steps.
func (t Tree) At(steps ...string) payload.Value { return t.at(steps).value() }

func (t Tree) at(steps []string) *branch {
	b := t.whole()
	for _, step := range steps {
		b = b.child(step)
	}
	return b
}

// Set puts a copy of v there. Objects merge, at every depth; all else replaces
// what was there. Objects are made on the way where nothing is, or a scalar.
// In an array a step is the index of an element, or its length to append one.
// The Tree stays the very same where v is Absent, or says nothing new.
func (t Tree) Set(v payload.Value, steps ...string) (Tree, error) {
	switch {
	case v.Kind() == payload.Absent:
		return t, nil
	case len(steps) == 0 && v.Kind() != payload.Object:
		return t, fmt.Errorf("the records are an object, which no %s can replace", v.Kind())
	case len(steps) > maxRecordDepth:
		return t, errTooDeep
	}
	was := t.whole()
	g := graft{steps: steps, next: max(t.next, firstFresh)}
	root, err := g.set(was, v, 0)
	switch {
	case err != nil || root == was:
		return t, err
	case root.size > MaxRecords:
		return t, fmt.Errorf("the records would have %d bytes, more than %d", root.size, MaxRecords)
	case root.values > maxRemembered:
		return t, fmt.Errorf("the records would have %d values, more than %d", root.values, maxRemembered)
	}
	return Tree{root, g.next}, nil
}

// Remove takes away what stands there, and leaves what it was in, even when
// that is empty then. Without steps all goes.
func (t Tree) Remove(steps ...string) Tree {
	was := t.whole()
	if root := was.without(steps); root != was {
		t.root = root
	}
	return t
}

// AppendJSON appends the whole object to dst without blanks; numbers are spelled
// as they were set, and members stand in the order in which they were added.
func (t Tree) AppendJSON(dst []byte) []byte { return t.whole().appendJSON(dst) }

// Size is how many bytes the Tree has when it is written as JSON.
func (t Tree) Size() int { return t.whole().size }

// same tells whether o is this very Tree, so that nothing changed in between.
func (t Tree) same(o Tree) bool { return t == o }

// fresh is a number as text that no member of the Tree is called by, nor any
// that was removed, and the Tree that will not give it again.
func (t Tree) fresh() (string, Tree) {
	n := max(t.next, firstFresh)
	return strconv.FormatUint(n, 10), Tree{t.root, n + 1}
}

// Share makes the tree a seed, before anybody else has it: what other trees
// have of it takes no memory of theirs.
func (t Tree) Share() Tree {
	if t.root != nil {
		t.root.share()
	}
	return t
}

func (b *branch) share() {
	b.kept, b.common = 0, true
	for _, chunk := range b.chunks {
		chunk.common = true
		for _, m := range chunk.twigs {
			m.of.share()
		}
	}
}

// Memory is about how many bytes of memory the tree keeps, but for what it has
// of seeds that are shared. It is told without counting.
func (t Tree) Memory() int {
	if t.root == nil {
		return 0
	}
	return t.root.kept
}

// A branch is what stands at a place of a Tree. It does not change once it is
// part of one.
type branch struct {
	is     payload.Kind
	size   int                              // bytes, written as JSON
	values int                              // this one and all below
	count  int                              // of members or elements
	kept   int                              // bytes of memory that it keeps and shares with no seed, about
	common bool                             // it is of a seed, and many trees share it
	chunks []*chunk                         // they, in order
	made   atomic.Pointer[payload.Document] // of a scalar from the beginning
}

// A chunk is what is copied when one member or element changes.
type chunk struct {
	tags   [chunkSize]byte // of the names: most that differ have others
	twigs  []twig
	common bool // as that of a branch
}

// What takes memory, in bytes, about.
const (
	branchMemory = 200
	chunkMemory  = 128
	twigMemory   = 32
	leafMemory   = 320 // with a document of its own
)

const chunkSize = 64

// A twig is a member or an element.
type twig struct {
	name string // "" in an array
	of   *branch
}

// brackets stand around what objects and arrays hold.
var brackets = [...]string{payload.Array: "[]", payload.Object: "{}"}

func newBranch(kind payload.Kind) *branch {
	return &branch{is: kind, size: len(brackets[kind]), values: 1, kept: branchMemory}
}

func (b *branch) kind() payload.Kind {
	if b == nil {
		return payload.Absent
	}
	return b.is
}

func (b *branch) len() int {
	if b == nil {
		return 0
	}
	return b.count
}

// value is the whole branch as a Value. Of a small one, who asks first makes
// it for all.
func (b *branch) value() payload.Value {
	if b == nil {
		return payload.Value{}
	}
	if made := b.made.Load(); made != nil {
		return made.Root()
	}
	// There is no error, as Set keeps within the limits of Scan.
	doc, _ := payload.Scan(b.appendJSON(make([]byte, 0, b.size)))
	if b.values <= maxMade { // what is larger would double what is remembered, at each depth
		b.made.CompareAndSwap(nil, doc)
		return b.made.Load().Root() // that of who was first
	}
	return doc.Root()
}

// maxMade is how many values a branch may have for what is made of it to be
// kept.
const maxMade = 256

// cost is about what value takes now, in steps of 50 ns.
func (b *branch) cost() int {
	if b == nil || b.made.Load() != nil {
		return 0
	}
	return 4 + b.size/32 + 3*b.values
}

// members are an object's members in order, or an array's elements by index.
func (b *branch) members() iter.Seq2[string, *branch] {
	return func(yield func(string, *branch) bool) {
		if b == nil {
			return
		}
		n := 0
		for _, chunk := range b.chunks {
			for _, m := range chunk.twigs {
				if b.is == payload.Array {
					m.name = strconv.Itoa(n)
				}
				if n++; !yield(m.name, m.of) {
					return
				}
			}
		}
	}
}

func (b *branch) appendJSON(dst []byte) []byte {
	around := brackets[b.is]
	if around == "" {
		return b.value().AppendJSON(dst)
	}
	dst = append(dst, around[0])
	for name, m := range b.members() {
		if b.is == payload.Object {
			dst = append(payload.Quote(dst, name), ':')
		}
		dst = append(m.appendJSON(dst), ',')
	}
	if b.count > 0 {
		dst = dst[:len(dst)-1]
	}
	return append(dst, around[1])
}

func (b *branch) child(step string) *branch {
	_, _, of := b.find(step)
	return of
}

// find is what a step leads to, at i in the chunk c; nil for nothing.
func (b *branch) find(step string) (c, i int, of *branch) {
	switch b.kind() {
	case payload.Array:
		n, ok := ordinal(step)
		if !ok || n >= uint64(b.count) {
			break
		}
		for i = int(n); i >= len(b.chunks[c].twigs); c++ {
			i -= len(b.chunks[c].twigs)
		}
		return c, i, b.chunks[c].twigs[i].of
	case payload.Object:
		name := valid(step)
		tag := tagOf(name)
		for c, chunk := range b.chunks {
			for i := 0; ; i++ {
				n := bytes.IndexByte(chunk.tags[i:len(chunk.twigs)], tag)
				if n < 0 {
					break
				}
				if i += n; chunk.twigs[i].name == name {
					return c, i, chunk.twigs[i].of
				}
			}
		}
	}
	return 0, 0, nil
}

// tagSeed keeps those who choose names from choosing many with one tag.
var tagSeed = maphash.MakeSeed()

func tagOf(name string) byte { return byte(maphash.String(tagSeed, name)) }

// without is b without what steps lead to: nil for b itself.
func (b *branch) without(steps []string) *branch {
	if len(steps) == 0 {
		return nil
	}
	was := b.child(steps[0])
	if was == nil {
		return b
	}
	of := was.without(steps[1:])
	if of == was {
		return b
	}
	e := b.edit()
	if of == nil {
		e.drop(steps[0])
	} else {
		e.replace(steps[0], of)
	}
	return e.branch
}

// A graft is one Set under way.
type graft struct {
	steps []string
	next  uint64
}

var errTooDeep = fmt.Errorf("the records would have more than %d arrays and objects inside each other", maxRecordDepth)

// set is b, which is where so many steps lead, with v where all of them lead;
// b itself if that changes nothing.
func (g *graft) set(b *branch, v payload.Value, done int) (*branch, error) {
	if done == len(g.steps) {
		return g.put(b, v, done)
	}
	step := g.steps[done]
	if b.kind() != payload.Array {
		b = b.object()
	} else if n, ok := ordinal(step); !ok || n > uint64(b.count) {
		return nil, fmt.Errorf("%s is an array of %s; %s is none of them",
			quote(strings.Join(g.steps[:done], "/")), count(b.count, "element"), quote(step))
	}
	was := b.child(step)
	of, err := g.set(was, v, done+1)
	if err != nil || of == was {
		return b, err
	}
	e := b.edit()
	return e.branch, g.place(e, step, of, was)
}

// put is what comes of v where b was, within so many arrays and objects; b
// itself if that is the same.
func (g *graft) put(b *branch, v payload.Value, depth int) (*branch, error) {
	var made *branch
	var err error
	switch v.Kind() {
	case payload.Object:
		return g.fill(b.object(), v, depth)
	case payload.Array:
		made, err = g.fill(newBranch(payload.Array), v, depth)
	default:
		made, err = leaf(v)
	}
	if err == nil && b.kind() == made.is && b.size == made.size && bytes.Equal(b.appendJSON(nil), made.appendJSON(nil)) {
		return b, nil
	}
	return made, err
}

// leaf is a scalar. Texts are spelled without needless escapes, so that equal
// ones are spelled alike, and none is slow to compare.
func leaf(v payload.Value) (*branch, error) {
	var src []byte
	if v.Kind() == payload.String {
		text := v.Text()
		src = payload.Quote(make([]byte, 0, len(text)+2), text)
	} else {
		src = v.AppendJSON(nil)
	}
	doc, err := payload.Scan(src)
	b := newBranch(v.Kind())
	b.size = len(src)
	b.kept = leafMemory + 3*len(src)
	b.made.Store(doc)
	return b, err
}

// fill puts what v holds into b; without that it is b itself.
func (g *graft) fill(b *branch, v payload.Value, depth int) (*branch, error) {
	if depth == maxRecordDepth {
		return nil, errTooDeep
	}
	e, same := b.edit(), true
	put := func(name string, m payload.Value) error {
		was := e.child(name)
		of, err := g.put(was, m, depth+1)
		if err != nil || of == was {
			return err
		}
		same = false
		return g.place(e, name, of, was)
	}
	for _, m := range v.Elems() {
		if err := put("", m); err != nil {
			return nil, err
		}
	}
	for name, m := range v.Members() {
		if err := put(name, m); err != nil {
			return nil, err
		}
	}
	if same {
		return b, nil
	}
	return e.branch, nil
}

// place puts a branch where another was, or at the end where none was.
func (g *graft) place(e *edit, step string, of, was *branch) error {
	switch {
	case was != nil:
		e.replace(step, of)
		return nil
	case e.is == payload.Array:
		e.add("", of)
		return nil
	case e.count == payload.MaxMembers:
		return fmt.Errorf("an object would have more than %d members", payload.MaxMembers)
	}
	if n, ok := ordinal(step); ok {
		g.next = max(g.next, n+1)
	}
	e.add(strings.Clone(valid(step)), of) // what the name is a piece of may be long
	return nil
}

// object is b if that is an object, else an empty one.
func (b *branch) object() *branch {
	if b.kind() == payload.Object {
		return b
	}
	return newBranch(payload.Object)
}

// An edit is a branch that is being made of another. What they have in common
// is copied when it first changes.
type edit struct {
	*branch
	own []bool // which chunks are not in common
}

func (b *branch) edit() *edit {
	e := &branch{is: b.is, size: b.size, values: b.values, count: b.count, kept: b.kept, chunks: slices.Clone(b.chunks)}
	if b.common {
		e.kept += branchMemory + 8*len(e.chunks)
	}
	return &edit{e, make([]bool, len(e.chunks))}
}

func (e *edit) chunk(c int) *chunk {
	if !e.own[c] {
		was := e.chunks[c]
		e.chunks[c] = &chunk{tags: was.tags, twigs: slices.Clone(was.twigs)}
		if e.own[c] = true; was.common {
			e.kept += chunkMemory + twigMemory*len(was.twigs)
		}
	}
	return e.chunks[c]
}

func (e *edit) replace(step string, by *branch) {
	c, i, _ := e.find(step)
	m := &e.chunk(c).twigs[i]
	e.size += by.size - m.of.size
	e.values += by.values - m.of.values
	e.kept += by.kept - m.of.kept
	m.of = by
}

func (e *edit) add(name string, of *branch) {
	last := len(e.chunks) - 1
	if last < 0 || len(e.chunks[last].twigs) == chunkSize {
		e.chunks, e.own = append(e.chunks, new(chunk)), append(e.own, true)
		e.kept += chunkMemory
		last++
	}
	m := twig{name, of}
	chunk := e.chunk(last)
	chunk.tags[len(chunk.twigs)] = tagOf(name)
	chunk.twigs = append(chunk.twigs, m)
	e.tally(m, +1)
}

func (e *edit) drop(step string) {
	c, i, _ := e.find(step)
	chunk := e.chunk(c)
	e.tally(chunk.twigs[i], -1)
	copy(chunk.tags[i:], chunk.tags[i+1:])
	chunk.twigs = slices.Delete(chunk.twigs, i, i+1)
	// Two chunks that are half a one together become one, so that there are
	// never many for few twigs.
	for at := max(c-1, 0); at <= c && at+1 < len(e.chunks); at++ {
		next := e.chunks[at+1]
		if n := len(e.chunks[at].twigs); n+len(next.twigs) <= chunkSize/2 {
			chunk = e.chunk(at)
			copy(chunk.tags[n:], next.tags[:])
			chunk.twigs = append(chunk.twigs, next.twigs...)
			e.chunks = slices.Delete(e.chunks, at+1, at+2)
			return
		}
	}
}

// tally counts a twig that came, or one that goes.
func (e *edit) tally(m twig, sign int) {
	size := m.of.size
	if e.is == payload.Object {
		var short [64]byte
		size += len(payload.Quote(short[:0], m.name)) + len(":")
	}
	if e.count > 1 || e.count == 1 && sign > 0 {
		size += len(",")
	}
	e.size += sign * size
	e.values += sign * m.of.values
	e.kept += sign * (m.of.kept + twigMemory + len(m.name))
	e.count += sign
}

// ordinal reads a number as it is usually written. Names of more digits are
// no number that anybody counts with.
func ordinal(text string) (n uint64, ok bool) {
	if text == "" || len(text) > 15 || text[0] == '0' && text != "0" {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 10, 64)
	return n, err == nil
}

// valid is a text as JSON can have it: what is written the same is the same.
func valid(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return string([]rune(text))
}
