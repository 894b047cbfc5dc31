package payload

import "strings"

// Text is a String of its own that came as text: a query parameter, a header.
// [Value.Wire] is true for it. The content is s as it is, even where it is not
// UTF-8. All texts of one value together must be shorter than 4 GiB.
func Text(s string) Value {
	held := &struct { // both in one allocation, as there is one for each parameter of each request
		Document
		one [1]node
	}{Document: Document{src: s, wire: true}}
	held.one[0] = node{end: uint32(len(s)), next: 1, kind: String}
	held.nodes = held.one[:]
	return Value{doc: &held.Document}
}

// Texts is an Array of texts that came as such: the values of one header.
func Texts(s []string) Value {
	w := wireWriter{nodes: make([]node, 0, len(s)+1)}
	w.texts(s)
	return w.value()
}

// TextObject is an Object of texts: a query, a form, the headers. The value of
// names[i] is values(i): a String if that is one text, else an Array of them.
func TextObject(names []string, values func(i int) []string) Value {
	w := wireWriter{nodes: make([]node, 0, 2*len(names)+1)}
	object := w.open(Object)
	for i, name := range names {
		w.text(name)
		if s := values(i); len(s) == 1 {
			w.text(s[0])
		} else {
			w.texts(s)
		}
	}
	w.close(object, len(names))
	return w.value()
}

// wireWriter lays texts end to end, with the nodes that Scan would make for them.
type wireWriter struct {
	src   strings.Builder
	nodes []node
}

func (w *wireWriter) text(s string) {
	start := w.src.Len()
	w.src.WriteString(s)
	w.nodes = append(w.nodes, node{
		start: uint32(start), end: uint32(w.src.Len()), next: uint32(len(w.nodes) + 1), kind: String,
	})
}

func (w *wireWriter) texts(s []string) {
	array := w.open(Array)
	for _, text := range s {
		w.text(text)
	}
	w.close(array, len(s))
}

func (w *wireWriter) open(kind Kind) int {
	w.nodes = append(w.nodes, node{kind: kind})
	return len(w.nodes) - 1
}

func (w *wireWriter) close(container, count int) {
	n := &w.nodes[container]
	n.next, n.count = uint32(len(w.nodes)), uint32(count)
}

func (w *wireWriter) value() Value {
	return Value{doc: &Document{src: w.src.String(), nodes: w.nodes, wire: true}}
}
