package payload

import (
	"encoding/json"
	"iter"
	"strconv"
)

// Value is a place in a [Document]. The zero Value is Absent, and so is every
// place asked for that is not there, so steps can be chained without a check.
// A Value is small; pass it by value.
type Value struct {
	doc *Document
	at  int // of its node
}

func (v Value) node() node {
	if v.doc == nil {
		return node{}
	}
	return v.doc.nodes[v.at]
}

// Kind is what stands at the place.
func (v Value) Kind() Kind {
	return v.node().kind
}

// Text is a String's content; "" for other kinds. Without escapes it shares the
// bytes of the source, else it is built anew at each call.
func (v Value) Text() string {
	if n := v.node(); n.kind == String {
		return n.text(v.doc.src)
	}
	return ""
}

// EqualText tells whether v is a String with the content s. It never allocates.
func (v Value) EqualText(s string) bool {
	n := v.node()
	return n.kind == String && n.equals(v.doc.src, s)
}

// Literal is a Number as written; "" for other kinds.
func (v Value) Literal() string {
	if n := v.node(); n.kind == Number {
		return v.doc.src[n.start:n.end]
	}
	return ""
}

// Bool is true for true only.
func (v Value) Bool() bool {
	n := v.node()
	return n.kind == Bool && v.doc.src[n.start] == 't'
}

// Len is how many elements an Array or members an Object has; 0 for other kinds.
func (v Value) Len() int {
	return int(v.node().count)
}

// Member is the value of an Object's member; Absent if there is none. It looks at
// one name after the other.
func (v Value) Member(name string) Value {
	if i := v.name(name); i >= 0 {
		return Value{v.doc, i + 1}
	}
	return Value{}
}

// name finds the node of a member's name; -1 if none.
func (v Value) name(name string) int {
	n := v.node()
	if n.kind != Object {
		return -1
	}
	for i := v.at + 1; i < int(n.next); i = int(v.doc.nodes[i+1].next) {
		if v.doc.nodes[i].equals(v.doc.src, name) {
			return i
		}
	}
	return -1
}

// Work is about what it takes to look at the value itself, in steps of some 50
// ns: to read or compare a String or a Number, to find one member or element.
// Who bounds the work of a request counts by it.
func (v Value) Work() int {
	n := v.node()
	size := int(n.end - n.start)
	switch {
	case n.kind == String && n.escaped:
		return size / 8
	case n.kind == String, n.kind == Number:
		return size / 256
	case n.kind == Object && n.escaped:
		return 4 * int(n.count)
	case n.kind == Object, n.kind == Array:
		return int(n.count) / 8
	}
	return 0
}

// Elem is an Array's element, counted from 0; Absent if there is none. It walks
// over those before it, so use [Value.Elems] to see them all.
func (v Value) Elem(i int) Value {
	n := v.node()
	if n.kind != Array || i < 0 || i >= int(n.count) {
		return Value{}
	}
	at := v.at + 1
	for range i {
		at = int(v.doc.nodes[at].next)
	}
	return Value{v.doc, at}
}

// Members are an Object's names and values in the order of the source; none for
// other kinds.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		n := v.node()
		if n.kind != Object {
			return
		}
		for i := v.at + 1; i < int(n.next); i = int(v.doc.nodes[i+1].next) {
			if !yield(v.doc.nodes[i].text(v.doc.src), Value{v.doc, i + 1}) {
				return
			}
		}
	}
}

// Elems are an Array's indices and elements; none for other kinds.
func (v Value) Elems() iter.Seq2[int, Value] {
	return func(yield func(int, Value) bool) {
		n := v.node()
		if n.kind != Array {
			return
		}
		at := v.at + 1
		for i := range int(n.count) {
			if !yield(i, Value{v.doc, at}) {
				return
			}
			at = int(v.doc.nodes[at].next)
		}
	}
}

// Offset is where the value starts in the source, in bytes; 0 for what is Absent
// or has no JSON source (see [Value.Wire]).
func (v Value) Offset() int {
	n := v.node()
	switch {
	case v.Wire():
		return 0
	case n.kind == String:
		return int(n.start) - 1
	}
	return int(n.start)
}

// KeyOffset is where the name of a member starts in the source, in bytes; -1 if
// there is no such member or no JSON source.
func (v Value) KeyOffset(name string) int {
	i := v.name(name)
	if i < 0 || v.Wire() {
		return -1
	}
	return int(v.doc.nodes[i].start) - 1
}

// AppendJSON appends the value to dst without blanks; numbers, escapes and the
// order of members are as written. What is Absent appends nothing.
func (v Value) AppendJSON(dst []byte) []byte {
	n := v.node()
	switch n.kind {
	case Null, Bool, Number:
		return append(dst, v.doc.src[n.start:n.end]...)
	case String:
		return v.doc.appendString(dst, n)
	case Array:
		dst = append(dst, '[')
		for i, e := range v.Elems() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = e.AppendJSON(dst)
		}
		return append(dst, ']')
	case Object:
		dst = append(dst, '{')
		for i := v.at + 1; i < int(n.next); i = int(v.doc.nodes[i+1].next) {
			if i > v.at+1 {
				dst = append(dst, ',')
			}
			dst = append(v.doc.appendString(dst, v.doc.nodes[i]), ':')
			dst = Value{v.doc, i + 1}.AppendJSON(dst)
		}
		return append(dst, '}')
	}
	return dst
}

func (d *Document) appendString(dst []byte, n node) []byte {
	if d.wire {
		return Quote(dst, d.src[n.start:n.end])
	}
	return append(dst, d.src[n.start-1:n.end+1]...)
}

// Any is the value as encoding/json has it: nil, bool, json.Number, string, []any
// or map[string]any. It is built anew at each call, so the caller may change it.
// What is Absent is nil, as null is.
func (v Value) Any() any {
	switch v.Kind() {
	case Bool:
		return v.Bool()
	case Number:
		return json.Number(v.Literal())
	case String:
		return v.Text()
	case Array:
		list := make([]any, 0, v.Len())
		for _, e := range v.Elems() {
			list = append(list, e.Any())
		}
		return list
	case Object:
		object := make(map[string]any, v.Len())
		for name, m := range v.Members() {
			object[name] = m.Any()
		}
		return object
	}
	return nil
}

// At goes down by steps: member names in objects, decimal indices without leading
// zeros in arrays. Without steps it is v itself; where a step leads nowhere, it is
// Absent.
func (v Value) At(pointer ...string) Value {
	for _, step := range pointer {
		switch v.Kind() {
		case Object:
			v = v.Member(step)
		case Array:
			i, err := strconv.Atoi(step)
			if err != nil || strconv.Itoa(i) != step {
				return Value{}
			}
			v = v.Elem(i)
		default:
			return Value{}
		}
	}
	return v
}

// Wire tells whether the value came as text: a query parameter, a header. For it
// and only for it, comparisons elsewhere let a number mean its text.
func (v Value) Wire() bool {
	return v.doc != nil && v.doc.wire
}
