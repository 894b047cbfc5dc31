package schemas

import (
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/oigmock/oigmock/schemas/payload"
)

// maxMembers bounds what is told of one payload. References never lead in a
// circle, but forty lines of them can make a million places.
const maxMembers = 10_000

// A Member is a place in a payload, and what its schema says of it: the
// payload as a reader of the documentation sees it.
type Member struct {
	At       string   // a JSON pointer, with * for any item, or for any member that has no name here; "" for the whole
	Types    []string // none: any
	Format   string
	Words    []string // the texts that the schema names: of enum or const, else of examples
	Closed   bool     // no other texts are valid
	Required bool     // it is there wherever the object is that it belongs to
	Pos      token.Position
}

// RequestMembers lists the places of a request body that the contract
// describes, each object before its members; none where it describes no body.
func (o *Operation) RequestMembers() []Member {
	if !o.TakesBody() {
		return nil
	}
	return o.requests[0].members()
}

// ResponseMembers does the same for a response, by the schema that
// CheckResponse goes by; of the status 0, by the general one for 2xx.
func (o *Operation) ResponseMembers(status int) []Member {
	if found := o.responseSchemas(status); len(found) > 0 {
		return found[0].members()
	}
	return nil
}

// ResponseSchemas are the statuses whose answers the contract describes, in
// order; 0 is any 2xx.
func (o *Operation) ResponseSchemas() []int {
	if o == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(o.responses))
}

// Pos is where a file says that there is such an operation.
func (o *Operation) Pos() token.Position {
	if o == nil {
		return token.Position{}
	}
	all := slices.Clone(o.requests)
	for _, status := range o.ResponseSchemas() {
		all = append(all, o.responses[status]...)
	}
	f := all[0].root.file
	return all[0].position(f, f.root.Member("x-operation").Offset())
}

func (s *payloadSchema) members() []Member {
	w := walk{s: s, at: map[string]int{}, left: maxMembers}
	w.look(s.root, "", s.position(s.root.file, s.root.v.Offset()), true)
	for _, r := range w.required {
		if i, known := w.at[r.At]; known {
			w.list[i].Required = true
		} else {
			w.member(r.At, r.Pos).Required = true
		}
	}
	return w.list
}

// A walk collects the members of one payload.
type walk struct {
	s        *payloadSchema
	list     []Member
	at       map[string]int
	required []Member // what is required: it may be described further on
	left     int
}

func (w *walk) member(at string, pos token.Position) *Member {
	i, known := w.at[at]
	if !known {
		i = len(w.list)
		w.at[at] = i
		w.list = append(w.list, Member{At: at, Pos: pos})
	}
	return &w.list[i]
}

// look notes what a schema says of a place. It is sure unless the schema is one
// of several of which one must hold, or holds under a condition: such a schema
// names members, and makes none required.
func (w *walk) look(n *node, at string, pos token.Position, sure bool) {
	if w.left--; w.left < 0 || n == nil || strings.Count(at, "/") > payload.MaxDepth {
		return
	}
	w.member(at, pos).note(n.v, sure)
	for _, r := range n.refs {
		if r.target != nil {
			w.look(r.target, at, pos, sure)
		}
	}
	for _, c := range n.same {
		switch keyword, _, _ := strings.Cut(c.pointer[len(n.pointer)+1:], "/"); keyword {
		case "allOf":
			w.look(c, at, pos, sure)
		case "not", "if":
		default:
			w.look(c, at, pos, false)
		}
	}
	for name := range n.v.Member("properties").Members() {
		w.look(n.members[name], at+"/"+escape(name), w.s.position(n.file, n.v.Member("properties").KeyOffset(name)), sure)
	}
	others := []*node{n.others}
	for _, c := range n.each {
		if strings.HasPrefix(c.pointer[len(n.pointer):], "/patternProperties/") {
			others = append(others, c)
		}
	}
	for i, c := range n.items {
		if i < len(n.items)-1 {
			w.look(c, at+"/"+strconv.Itoa(i), w.position(c), sure)
		} else {
			others = append(others, c)
		}
	}
	for _, c := range others {
		if c != nil && c.v.Kind() == payload.Object {
			w.look(c, at+"/*", w.position(c), sure)
		}
	}
	if sure {
		for _, name := range n.v.Member("required").Elems() {
			if w.left--; w.left < 0 {
				return
			}
			w.required = append(w.required, Member{At: at + "/" + escape(name.Text()), Pos: w.s.position(n.file, name.Offset())})
		}
	}
}

func (w *walk) position(n *node) token.Position {
	if n == nil {
		return token.Position{}
	}
	return w.s.position(n.file, n.v.Offset())
}

// note adds what one schema says of the place itself.
func (m *Member) note(v payload.Value, sure bool) {
	types := textsOf(v.Member("type"))
	if one := v.Member("type"); one.Kind() == payload.String {
		types = []string{one.Text()}
	}
	switch both := intersection(m.Types, types); {
	case sure && len(both) > 0:
		m.Types = both
	default:
		m.Types = union(m.Types, types)
	}
	if m.Format == "" {
		m.Format = v.Member("format").Text()
	}
	closed := textsOf(v.Member("enum"))
	if one := v.Member("const"); one.Kind() == payload.String {
		closed = []string{one.Text()}
	}
	switch {
	case len(closed) > 0 && sure && !m.Closed:
		m.Words, m.Closed = closed, true
	case len(closed) > 0:
		m.Words = union(m.Words, closed)
	case !m.Closed:
		m.Words = union(m.Words, textsOf(v.Member("examples")))
	}
}

// textsOf are the strings of a list.
func textsOf(v payload.Value) (all []string) {
	for _, e := range v.Elems() {
		if e.Kind() == payload.String {
			all = append(all, e.Text())
		}
	}
	return all
}

func union(a, b []string) []string {
	for _, text := range b {
		if !slices.Contains(a, text) {
			a = append(a, text)
		}
	}
	return a
}

func intersection(a, b []string) (both []string) {
	for _, text := range a {
		if slices.Contains(b, text) {
			both = append(both, text)
		}
	}
	return both
}
