package payload

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// Document is one JSON text that was screened: its source, and a node for each
// member name and each value, in the order of the source.
type Document struct {
	src   string
	nodes []node
	wire  bool // made of texts, not of JSON: strings are in src without quotes or escapes
}

// node is a name or a value. What a container holds follows it: an array's
// elements, or an object's names, each with its value behind it.
type node struct {
	start, end uint32 // in the source; of a string, without the quotes
	next       uint32 // the node after this one and all that it holds
	count      uint32 // of elements or members
	kind       Kind
	escaped    bool // a string with a backslash in it, or an object with such a name
}

// Scan screens src, which must be one JSON value with nothing but blanks around
// it, and within the limits of this package. Besides what RFC 8259 forbids, it
// refuses duplicate member names (compared without their escapes), lone
// surrogates and a byte order mark. The error is a *Fault.
//
// src is kept, not copied. It must not change while the Document is in use.
func Scan(src []byte) (*Document, error) {
	if len(src) > maxSource {
		return nil, &Fault{Why: "more than 1 GiB of text", Costly: true}
	}
	s := scanner{
		// src must not change, so a string may share its bytes: navigating then
		// hands out pieces of it, and copies nothing.
		src:   unsafe.String(unsafe.SliceData(src), len(src)),
		nodes: make([]node, 0, min(len(src)/10+4, 128)), // a long text may be one value
	}
	if fault := s.document(); fault != nil {
		return nil, fault
	}
	return &Document{src: s.src, nodes: s.nodes}, nil
}

// Root is the value that the whole text is. A Document that is nil, or not from
// Scan, has the zero Value.
func (d *Document) Root() Value {
	if d == nil || len(d.nodes) == 0 {
		return Value{}
	}
	return Value{doc: d}
}

type scanner struct {
	src    string
	at     int
	nodes  []node
	depth  int
	values int
}

func (s *scanner) document() *Fault {
	if strings.HasPrefix(s.src, "\uFEFF") {
		return s.fault("a byte order mark stands before the JSON")
	}
	s.blanks()
	if s.ended() {
		return s.fault("there is nothing but an empty text")
	}
	if f := s.value(); f != nil {
		return f
	}
	s.blanks()
	if !s.ended() {
		return s.fault("the text goes on after its value: " + s.found())
	}
	return nil
}

func (s *scanner) value() *Fault {
	s.blanks()
	if s.ended() {
		return s.fault("the text ends where a value should be")
	}
	if s.values == MaxValues {
		return s.costly(fmt.Sprintf("more than %d values", MaxValues))
	}
	s.values++
	switch c := s.src[s.at]; {
	case c == '"':
		return s.text("the text ends inside a string")
	case c == '{':
		return s.object()
	case c == '[':
		return s.array()
	case c == '-' || '0' <= c && c <= '9':
		return s.number()
	}
	switch word := first(s.src[s.at:]); word {
	case "true", "false":
		s.add(Bool, s.at+len(word))
	case "null":
		s.add(Null, s.at+len(word))
	default:
		return s.fault("want a value, got " + s.found())
	}
	return nil
}

func (s *scanner) object() *Fault {
	if s.depth == MaxDepth {
		return s.tooDeep()
	}
	s.depth++
	object, count := s.open(Object), 0
	var seen map[string]struct{}
	for s.blanks(); !s.take('}'); s.blanks() {
		if s.ended() {
			return s.fault("the text ends inside an object")
		}
		if count > 0 {
			if !s.take(',') {
				return s.fault("want a comma or } after a member, got " + s.found())
			}
			if s.blanks(); s.ended() {
				return s.fault("the text ends inside an object")
			}
		}
		if s.src[s.at] != '"' {
			return s.fault("want a member name in double quotes, got " + s.found())
		}
		if count == MaxMembers {
			return s.costly(fmt.Sprintf("more than %d members in one object", MaxMembers))
		}
		name := len(s.nodes)
		if f := s.text("the text ends inside a member name"); f != nil {
			return f
		}
		if s.nodes[name].escaped {
			s.nodes[object].escaped = true
		}
		if s.repeats(object, count, name, &seen) {
			text := s.nodes[name].text(s.src)
			s.at = int(s.nodes[name].start) - 1
			return s.fault("the name " + quoted(text) + " stands twice in one object").under(text)
		}
		if s.blanks(); s.ended() {
			return s.fault("the text ends inside an object")
		}
		if !s.take(':') {
			return s.fault("want a colon after a member name, got " + s.found())
		}
		if f := s.value(); f != nil {
			return f.under(s.nodes[name].text(s.src))
		}
		count++
	}
	s.depth--
	s.close(object, count)
	return nil
}

// fewMembers is up to how many members the names of an object are compared one
// by one. Beyond, a map keeps it from being quadratic; a Go map is seeded, so
// nobody can choose names that collide.
const fewMembers = 16

// repeats tells whether the name just read is one of the count names that the
// object has already.
func (s *scanner) repeats(object, count, name int, seen *map[string]struct{}) bool {
	if count == 0 {
		return false
	}
	text := s.nodes[name].text(s.src)
	if count < fewMembers {
		for i := object + 1; i < name; i = int(s.nodes[i+1].next) {
			if s.nodes[i].equals(s.src, text) {
				return true
			}
		}
		return false
	}
	if *seen == nil {
		*seen = make(map[string]struct{}, 4*fewMembers)
		for i := object + 1; i < name; i = int(s.nodes[i+1].next) {
			(*seen)[s.nodes[i].text(s.src)] = struct{}{}
		}
	}
	if _, ok := (*seen)[text]; ok {
		return true
	}
	(*seen)[text] = struct{}{}
	return false
}

func (s *scanner) array() *Fault {
	if s.depth == MaxDepth {
		return s.tooDeep()
	}
	s.depth++
	array, count := s.open(Array), 0
	for s.blanks(); !s.take(']'); s.blanks() {
		if s.ended() {
			return s.fault("the text ends inside an array")
		}
		if count > 0 && !s.take(',') {
			return s.fault("want a comma or ] after an element, got " + s.found())
		}
		if f := s.value(); f != nil {
			return f.under(strconv.Itoa(count))
		}
		count++
	}
	s.depth--
	s.close(array, count)
	return nil
}

// plain marks the bytes that stand for themselves in a string: printable ASCII
// but the quote and the backslash.
var plain = func() (t [256]bool) {
	for c := ' '; c <= '\x7f'; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// text reads a string, or a member name. ended is the fault when the source ends
// before the closing quote.
func (s *scanner) text(ended string) *Fault {
	src, start, escaped := s.src, s.at+1, false
	for i := start; ; {
		for i < len(src) && plain[src[i]] {
			i++
		}
		if i == len(src) {
			s.at = i
			return s.fault(ended)
		}
		switch c := src[i]; {
		case c == '"':
			s.nodes = append(s.nodes, node{
				start: uint32(start), end: uint32(i), next: uint32(len(s.nodes) + 1), kind: String, escaped: escaped,
			})
			s.at = i + 1
			return nil
		case c == '\\':
			_, size, why := unescape(src[i:])
			if why != "" {
				s.at = i
				return s.fault(why)
			}
			escaped = true
			i += size
		case c < ' ':
			s.at = i
			return s.fault("a control character in a string wants an escape: " + s.found())
		default:
			r, size := utf8.DecodeRuneInString(src[i:])
			if r == utf8.RuneError && size == 1 {
				s.at = i
				return s.fault("a byte that is not UTF-8: " + s.found())
			}
			i += size
		}
	}
}

func (s *scanner) number() *Fault {
	n, size, why := cutNumber(s.src[s.at:])
	if why == "" {
		if why = n.excess(); why != "" {
			return s.fault(why)
		}
		s.add(Number, s.at+size)
		return nil
	}
	if s.at += size; s.ended() {
		return s.fault("the text ends inside a number")
	}
	return s.fault(why + ", got " + s.found())
}

// add appends the node of a value that holds no other, and moves behind it.
func (s *scanner) add(kind Kind, end int) {
	s.nodes = append(s.nodes, node{start: uint32(s.at), end: uint32(end), next: uint32(len(s.nodes) + 1), kind: kind})
	s.at = end
}

// open appends the node of a container, and moves behind its bracket.
func (s *scanner) open(kind Kind) int {
	s.add(kind, s.at+1)
	return len(s.nodes) - 1
}

func (s *scanner) close(container, count int) {
	n := &s.nodes[container]
	n.end, n.next, n.count = uint32(s.at), uint32(len(s.nodes)), uint32(count)
}

func (s *scanner) blanks() {
	src, i := s.src, s.at
	for i < len(src) && (src[i] == ' ' || src[i] == '\n' || src[i] == '\r' || src[i] == '\t') {
		i++
	}
	s.at = i
}

func (s *scanner) ended() bool {
	return s.at == len(s.src)
}

// take moves behind c, if c is what comes next.
func (s *scanner) take(c byte) bool {
	if s.at < len(s.src) && s.src[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) found() string {
	word := first(s.src[s.at:])
	switch word {
	case "True", "False", "None", "TRUE", "FALSE", "NULL", "Null", "Infinity", "-Infinity", "undefined":
		return quoted(word)
	}
	if len(word) > shortWord && isWord(word[0]) {
		return "a word that is not in quotes" // perhaps a password, and faults travel to logs
	}
	return quoted(word)
}

// shortWord is the longest word that a fault repeats, but for those of other
// languages than JSON.
const shortWord = 3

func (s *scanner) fault(why string) *Fault {
	return &Fault{Offset: s.at, Why: why}
}

func (s *scanner) costly(why string) *Fault {
	return &Fault{Offset: s.at, Why: why, Costly: true}
}

func (s *scanner) tooDeep() *Fault {
	return s.fault(fmt.Sprintf("arrays and objects more than %d deep", MaxDepth))
}
