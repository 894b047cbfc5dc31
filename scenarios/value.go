package scenarios

import (
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/oigmock/oigmock/schemas/payload"
	"gopkg.in/yaml.v3"
)

// A Value is an example, and how far a real value may stray from it.
type Value struct {
	Pos  token.Position
	kind kind // scalar, object, array, template or an operator
}

// A kind is one sort of value: the only thing that a new operator adds.
type kind interface {
	// match reports to s what keeps got from being such a value.
	match(s *scope, v *Value, got payload.Value)
	// want says in words what match accepts.
	want(s *scope) string
	// give appends the value, or its example, as JSON. It reports false
	// where nothing is: the member that holds it is left out.
	give(s *scope, v *Value, dst []byte) ([]byte, bool)
	// write is the value as it stands in a file.
	write() *yaml.Node
}

// A Mismatch is one reason why a value is not the wanted one.
type Mismatch struct {
	At        string         // "header X-Requested-By", "body /policyviolationcause/0/action"
	Want, Got string         // in words; texts are quoted
	Pos       token.Position // the line of the scenario file that wants it
}

func (m Mismatch) String() string {
	return m.Pos.String() + ": " + m.At + ": want " + m.Want + ", got " + m.Got
}

func (v *Value) match(s *scope, got payload.Value) {
	if !s.spend(1 + got.Work()) {
		s.tooMuch(v)
		return
	}
	v.kind.match(s, v, got)
}

func (v *Value) give(s *scope, dst []byte) ([]byte, bool) {
	if s.err != nil {
		return dst, false
	}
	n := len(dst)
	dst, ok := v.kind.give(s, v, dst)
	switch {
	case !s.spend(1 + (len(dst)-n)/16):
		s.fail(v.Pos, "the answer costs too much to make")
	case len(dst) > MaxAnswer:
		s.fail(v.Pos, "the answer has more than "+strconv.Itoa(MaxAnswer)+" bytes")
	}
	return dst, ok && s.err == nil
}

// accepts asks whether v accepts got without reporting anything.
func (v *Value) accepts(s *scope, got payload.Value) bool {
	n, mode := s.n, s.mode
	s.n, s.mode = 0, stopAtFirst
	v.match(s, got)
	ok := s.n == 0
	s.n, s.mode = n, mode
	return ok
}

func (s *scope) fail(pos token.Position, why string) {
	if s.err == nil {
		s.err = &Fault{Pos: pos, Why: why}
	}
}

// miss reports that got is not what v wants.
func (s *scope) miss(v *Value, got payload.Value) {
	if s.wording() {
		s.tell(v, v.kind.want(s), got)
	}
}

// wording counts a mismatch, and reports whether it is to be put in words:
// that costs more than all else, and is done only for what is told.
func (s *scope) wording() bool {
	s.n++
	return s.mode == inWords && len(s.list) < maxMisses
}

// tell puts a mismatch in words. Where the value is a secret by its name,
// neither it nor what was wanted is shown: both travel to logs.
func (s *scope) tell(v *Value, want string, got payload.Value) {
	words := describe(got)
	if k := got.Kind(); s.secret() && k != payload.Absent && k != payload.Object && k != payload.Array {
		words = "something that is not shown"
	}
	s.tellWords(v, want, words)
}

func (s *scope) tellWords(v *Value, want, got string) {
	if s.secret() && secretWanted(v) {
		want = "what is not shown"
	}
	s.list = append(s.list, Mismatch{At: s.place(), Want: want, Got: got, Pos: v.Pos})
}

func (s *scope) tooMuch(v *Value) {
	if s.wording() {
		s.tellWords(v, "what costs less to compare", "so much that oigmock gave up")
	}
}

// A step is one way down into a value: a member or an element.
type step struct {
	name  string
	index int // -1: a member
}

func (s *scope) push(name string, index int) { s.at = append(s.at, step{name, index}) }
func (s *scope) pop()                        { s.at = s.at[:len(s.at)-1] }

// place is where the value that is looked at stands: "body /a/0".
func (s *scope) place() string {
	var b strings.Builder
	b.WriteString(s.room)
	switch s.room {
	case "query", "header", "cookie", "form", paramRoom:
	default:
		if len(s.at) > 0 && s.room == "body" {
			b.WriteByte(' ')
		}
		for _, st := range s.at {
			b.WriteByte('/')
			if st.index >= 0 {
				b.WriteString(strconv.Itoa(st.index))
			} else {
				b.WriteString(pointerStep.Replace(shorten(st.name)))
			}
		}
		return b.String()
	}
	for _, st := range s.at {
		b.WriteByte(' ')
		if st.index >= 0 {
			b.WriteString(strconv.Itoa(st.index))
		} else {
			b.WriteString(shorten(st.name))
		}
	}
	return b.String()
}

var pointerStep = strings.NewReplacer("~", "~0", "/", "~1")

// secretName is of what a mismatch must not repeat.
var secretName = regexp.MustCompile(`(?i)pass(word|wd|phrase)?|pwd|secret|token|assertion|credential|(private|api).?key|\botp\b|authorization|cookie`)

// IsSecretName reports whether what has this name is a secret: it is not to be
// shown.
func IsSecretName(name string) bool { return secretName.MatchString(shorten(name)) }

// secret reports whether the place that is looked at is a secret by its name,
// or by the name in a {name, value} pair. Any other text than JSON may hold one.
func (s *scope) secret() bool {
	if s.hidden > 0 || s.room == "text" || secretName.MatchString(s.room) {
		return true
	}
	for _, st := range s.at {
		if st.index < 0 && secretName.MatchString(shorten(st.name)) {
			return true
		}
	}
	return false
}

// secretPair reports whether an object is a {name, value} pair of a secret.
func secretPair(got payload.Value) bool {
	return secretName.MatchString(shorten(got.Member("name").Text()))
}

// secretWanted reports whether the words for what v wants would tell a secret
// of the file or, by a template, of the request.
func secretWanted(v *Value) bool {
	switch v.kind.(type) {
	case scalar, *template, anycase, oneOf, *not, allOf, *literal, *exactly:
		return true
	}
	return false
}

// describe says in a few words what a value is.
func describe(got payload.Value) string {
	switch got.Kind() {
	case payload.Absent:
		return "nothing"
	case payload.Null:
		return "null"
	case payload.Bool:
		return strconv.FormatBool(got.Bool())
	case payload.Number:
		return got.Literal()
	case payload.String:
		return quote(got.Text())
	case payload.Array:
		return count(got.Len(), "element") + " in an array"
	}
	return "an object"
}

func count(n int, what string) string {
	switch n {
	case 0:
		return "no " + what
	case 1:
		return "one " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// quote quotes a text for a message, shortened to what fits on a line.
func quote(text string) string {
	const most = 120
	if short := CutText(text, most); short != text {
		return strconv.Quote(strings.TrimSuffix(short, "…")) + "…"
	}
	return strconv.Quote(text)
}

// A scalar is a value that means itself.
type scalar struct {
	kind payload.Kind
	text string // as written; content of a string
	bare bool   // under $literal: braces are text
}

func (c scalar) match(s *scope, v *Value, got payload.Value) {
	if s.like {
		if !sameType(c, got) && s.wording() {
			s.tell(v, "a "+c.kind.String(), got)
		}
		return
	}
	if !c.equal(got) && !(s.inMedia() && sameMedia(c.text, got.Text())) {
		s.miss(v, got)
	}
}

// inMedia reports whether a media type is compared: not every letter of it
// counts.
func (s *scope) inMedia() bool {
	return s.room == "header" && len(s.at) == 1 && s.at[0].name == "Content-Type"
}

func (c scalar) equal(got payload.Value) bool {
	k := got.Kind()
	if k == payload.String && got.Wire() && c.kind != payload.Null {
		return got.EqualText(c.text) // in paths, queries and headers all is text
	}
	if k != c.kind {
		return false
	}
	switch k {
	case payload.String:
		return got.EqualText(c.text)
	case payload.Number:
		return payload.EqualNumbers(c.text, got.Literal())
	case payload.Bool:
		return got.Bool() == (c.text == "true")
	}
	return true
}

// sameType reports whether got is of the type of c; a text on the wire is
// also a number or a boolean when it reads as one.
func sameType(c scalar, got payload.Value) bool {
	if got.Kind() == c.kind {
		return true
	}
	if got.Kind() != payload.String || !got.Wire() {
		return false
	}
	text := got.Text()
	return c.kind == payload.Number && payload.ValidNumber(text) ||
		c.kind == payload.Bool && (text == "true" || text == "false")
}

func (c scalar) want(*scope) string {
	if c.kind == payload.String {
		return quote(c.text)
	}
	return c.text
}

func (c scalar) give(_ *scope, _ *Value, dst []byte) ([]byte, bool) {
	if c.kind == payload.String {
		return payload.Quote(dst, c.text), true
	}
	return append(dst, c.text...), true
}

// An object accepts objects that have its members, and perhaps more.
type object struct {
	names  []string
	values []*Value
}

// newObject has room for n members; few of them lie beside it in memory, since
// a match among many interactions mostly waits for memory.
func newObject(n int) *object {
	const few = 4
	if n > few {
		return &object{make([]string, 0, n), make([]*Value, 0, n)}
	}
	o := &struct {
		object
		names  [few]string
		values [few]*Value
	}{}
	o.object.names, o.object.values = o.names[:0:n], o.values[:0:n]
	return &o.object
}

func (o *object) match(s *scope, v *Value, got payload.Value) {
	if got.Kind() != payload.Object {
		s.miss(v, got)
		return
	}
	if s.mode == inWords && secretPair(got) {
		s.hidden++
		defer func() { s.hidden-- }()
	}
	each := got.Work() // a member is found by looking at all
	for i, name := range o.names {
		if each > 0 && !s.spend(each) {
			s.tooMuch(v)
			return
		}
		s.push(name, -1)
		o.values[i].match(s, got.Member(name))
		s.pop()
		if s.done() {
			return
		}
	}
	if s.strict {
		if !s.spend(each * len(o.names)) {
			s.tooMuch(v)
			return
		}
		s.others(v, got, o.member)
	}
}

func (o *object) member(name string) *Value {
	for i, n := range o.names {
		if n == name {
			return o.values[i]
		}
	}
	return nil
}

// others reports the members of got that are not known.
func (s *scope) others(v *Value, got payload.Value, known func(string) *Value) {
	if !s.spend(got.Len()) {
		s.tooMuch(v)
		return
	}
	for name, member := range got.Members() {
		if known(name) != nil {
			continue
		}
		s.push(name, -1)
		if s.wording() {
			s.tell(v, "no such member", member)
		}
		s.pop()
		if s.done() {
			return
		}
	}
}

func (o *object) want(*scope) string {
	if len(o.names) == 0 {
		return "an object"
	}
	return "an object with " + strings.Join(o.names, ", ")
}

func (o *object) give(s *scope, _ *Value, dst []byte) ([]byte, bool) {
	dst = append(dst, '{')
	first := true
	for i, name := range o.names {
		start := len(dst)
		if !first {
			dst = append(dst, ',')
		}
		dst = payload.Quote(dst, name)
		dst = append(dst, ':')
		var ok bool
		if dst, ok = o.values[i].give(s, dst); !ok {
			dst = dst[:start] // nothing there: the member is left out
			continue
		}
		first = false
	}
	return append(dst, '}'), true
}

// An array accepts arrays of exactly its elements.
type array []*Value

func (a array) match(s *scope, v *Value, got payload.Value) {
	if got.Kind() != payload.Array || got.Len() != len(a) {
		s.miss(v, got)
		return
	}
	i := 0
	for _, element := range got.Elems() {
		s.push("", i)
		a[i].match(s, element)
		s.pop()
		if s.done() {
			return
		}
		i++
	}
}

func (a array) want(*scope) string {
	if len(a) == 0 {
		return "an empty array"
	}
	return "an array of " + count(len(a), "element")
}

func (a array) give(s *scope, _ *Value, dst []byte) ([]byte, bool) {
	dst = append(dst, '[')
	first := true
	for _, element := range a {
		start := len(dst)
		if !first {
			dst = append(dst, ',')
		}
		var ok bool
		if dst, ok = element.give(s, dst); !ok {
			dst = dst[:start]
			continue
		}
		first = false
	}
	return append(dst, ']'), true
}

// asText gives v as the text of a header, a path or a form.
func (v *Value) asText(s *scope) (string, bool) {
	if c, ok := v.kind.(scalar); ok {
		return c.text, true
	}
	b, ok := v.give(s, nil)
	if !ok || !s.spend(len(b)/2) {
		return "", false
	}
	return textOf(jsonValue(b)), true
}

// jsonValue reads JSON that was made here. It can only fail by size, and is
// then absent.
func jsonValue(b []byte) payload.Value {
	doc, err := payload.Scan(b)
	if err != nil {
		return payload.Value{}
	}
	return doc.Root()
}

// onTheWire is a value as it comes in a query or a header: all is text.
func onTheWire(v payload.Value) payload.Value {
	texts := func(v payload.Value) (all []string) {
		if v.Kind() != payload.Array {
			return []string{textOf(v)}
		}
		for _, e := range v.Elems() {
			all = append(all, textOf(e))
		}
		return all
	}
	switch v.Kind() {
	case payload.Array:
		return wireValue(texts(v))
	case payload.Object:
		var names []string
		var values [][]string
		for name, member := range v.Members() {
			names, values = append(names, name), append(values, texts(member))
		}
		return payload.TextObject(names, func(i int) []string { return values[i] })
	}
	return payload.Text(textOf(v))
}

// textOf is a value as it reads within a text.
func textOf(v payload.Value) string {
	switch v.Kind() {
	case payload.String:
		return v.Text()
	case payload.Absent:
		return ""
	}
	return string(v.AppendJSON(nil))
}

// Literal is the text of a value that stands for itself; false for any other.
func (v *Value) Literal() (string, bool) {
	c, ok := plain(v)
	return c.text, ok
}

// PosAt is the position of what stands at a JSON Pointer in v, or of the
// innermost value on the way there that the file spells out.
func (v *Value) PosAt(pointer string) token.Position {
	step, rest, found := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
	if pointer == "" || !strings.HasPrefix(pointer, "/") {
		return v.Pos
	}
	if found {
		rest = "/" + rest
	}
	step = pointerUnescape.Replace(step)
	var next *Value
	switch k := v.kind.(type) {
	case *object:
		next = k.member(step)
	case array:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(k) {
			next = k[i]
		}
	case contains:
		return (&Value{v.Pos, array(k)}).PosAt(pointer)
	case *each:
		next = k.of
	case *loop:
		if next = k.common; next == nil {
			next = k.cases[0].give
		}
	case *list:
		if step == k.array() {
			of := k.common
			if of == nil {
				of = k.cases[0].give
			}
			next = &Value{v.Pos, &each{of: of}}
		}
	case *like:
		return k.of.PosAt(pointer)
	case *exactly:
		return k.of.PosAt(pointer)
	case *literal:
		return k.of.PosAt(pointer)
	case *anything:
		return k.of.PosAt(pointer)
	case oneOf:
		return k[0].PosAt(pointer) // the one that is given
	case allOf:
		return lastAt(k, pointer, v.Pos)
	case merge:
		return lastAt(k, pointer, v.Pos)
	case *not:
		next, rest = k.example, pointer
	case *values:
		next, rest = k.example, pointer
	case *pattern:
		next, rest = k.example, pointer
	case *date:
		next, rest = k.example, pointer
	}
	if next == nil {
		return v.Pos
	}
	return next.PosAt(rest)
}

// lastAt is the position in the last of the objects that spells out more of
// the way than itself: later members lie over earlier ones.
func lastAt(list []*Value, pointer string, otherwise token.Position) token.Position {
	for _, each := range slices.Backward(list) {
		if pos := each.PosAt(pointer); pos != each.Pos {
			return pos
		}
	}
	return otherwise
}
