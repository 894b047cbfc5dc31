package scenarios

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/oigmock/oigmock/schemas/payload"
	"gopkg.in/yaml.v3"
)

// The operators that test. Where something is to be given (a response, an
// example request), they give their example.

// like accepts the same shape: each scalar only by its type.
type like struct{ of *Value }

func (o *like) match(s *scope, _ *Value, got payload.Value) {
	before := s.like
	s.like = true
	o.of.match(s, got)
	s.like = before
}
func (o *like) want(s *scope) string {
	if c, ok := o.of.kind.(scalar); ok {
		return "a " + c.kind.String()
	}
	return o.of.kind.want(s)
}
func (o *like) give(s *scope, _ *Value, dst []byte) ([]byte, bool) { return o.of.give(s, dst) }
func (o *like) write() *yaml.Node                                  { return operatorNode("$like", o.of.kind.write()) }

// anything accepts whatever is there.
type anything struct{ of *Value }

func (o *anything) match(s *scope, v *Value, got payload.Value) {
	if got.Kind() == payload.Absent {
		s.miss(v, got)
	}
}
func (o *anything) want(*scope) string                                 { return "anything" }
func (o *anything) give(s *scope, _ *Value, dst []byte) ([]byte, bool) { return o.of.give(s, dst) }
func (o *anything) write() *yaml.Node                                  { return operatorNode("$any", o.of.kind.write()) }

// maxSearched is the longest text a regular expression is tried on: beyond
// it, one pattern could use up the time of a request.
const maxSearched = 64 << 10

type pattern struct {
	re      *regexp.Regexp
	steps   int // of its program: how many it takes for a byte at worst
	example *Value
}

func (o *pattern) match(s *scope, v *Value, got payload.Value) {
	if got.Kind() != payload.String {
		s.miss(v, got)
		return
	}
	text := got.Text()
	if len(text) > maxSearched {
		if s.wording() {
			s.tellWords(v, o.want(s), "a text longer than "+strconv.Itoa(maxSearched)+" bytes, in which $regex does not look")
		}
		return
	}
	if !s.spend(1 + len(text)*o.steps/5) {
		s.tooMuch(v)
		return
	}
	if !o.re.MatchString(text) {
		s.miss(v, got)
	}
}
func (o *pattern) want(*scope) string { return "text like " + o.re.String() }
func (o *pattern) give(s *scope, v *Value, dst []byte) ([]byte, bool) {
	return giveExample(s, v, o.example, "$regex", dst)
}
func (o *pattern) write() *yaml.Node {
	return operatorNode("$regex", textNode(o.re.String()), "example", o.example)
}

// giveExample gives the example of an operator that has none of its own.
func giveExample(s *scope, v, example *Value, operator string, dst []byte) ([]byte, bool) {
	if example == nil {
		s.fail(v.Pos, operator+" needs an example here")
		return dst, false
	}
	return example.give(s, dst)
}

// anycase accepts the same text in upper or lower case.
type anycase struct{ text string }

func (o anycase) match(s *scope, v *Value, got payload.Value) {
	text := got.Text()
	if !s.spend(1 + len(text)/4) {
		s.tooMuch(v)
		return
	}
	if got.Kind() != payload.String || !strings.EqualFold(text, o.text) {
		s.miss(v, got)
	}
}
func (o anycase) want(*scope) string { return quote(o.text) + " in any letter case" }
func (o anycase) give(_ *scope, _ *Value, dst []byte) ([]byte, bool) {
	return payload.Quote(dst, o.text), true
}
func (o anycase) write() *yaml.Node { return operatorNode("$anycase", textNode(o.text)) }

// number accepts a number within bounds. On the wire it reads the text.
type number struct {
	example  string
	min, max string // "": none
	integer  bool
}

func (o *number) match(s *scope, v *Value, got payload.Value) {
	text := ""
	switch {
	case got.Kind() == payload.Number:
		text = got.Literal()
	case got.Kind() == payload.String && got.Wire() && payload.ValidNumber(got.Text()):
		text = got.Text()
	default:
		s.miss(v, got)
		return
	}
	if !s.spend(2+len(text)/4) ||
		o.integer && !payload.IsInteger(text) ||
		o.min != "" && payload.CompareNumbers(text, o.min) < 0 ||
		o.max != "" && payload.CompareNumbers(text, o.max) > 0 {
		s.miss(v, got)
	}
}
func (o *number) want(*scope) string {
	w := "a number"
	if o.integer {
		w = "an integer"
	}
	if o.min != "" {
		w += " from " + o.min
	}
	if o.max != "" {
		w += " up to " + o.max
	}
	return w
}
func (o *number) give(_ *scope, _ *Value, dst []byte) ([]byte, bool) {
	return append(dst, o.example...), true
}
func (o *number) write() *yaml.Node {
	n := operatorNode("$number", numberNode(o.example))
	for _, b := range []struct{ name, text string }{{"min", o.min}, {"max", o.max}} {
		if b.text != "" {
			n.Content = append(n.Content, textNode(b.name), numberNode(b.text))
		}
	}
	if o.integer {
		n.Content = append(n.Content, textNode("integer"), plainNode("!!bool", "true"))
	}
	return n
}

// date accepts a date of a format, between two bounds.
type date struct {
	format       *payload.DateFormat
	after, until *bound
	example      *Value
}

// A bound is a date, or now moved by a time.
type bound struct {
	text  string
	fixed time.Time
	now   bool
	shift shift
}

func (b *bound) at(s *scope) time.Time {
	if b.now {
		s.dynamic = true
		return b.shift.from(s.now())
	}
	return b.fixed
}

func (o *date) match(s *scope, v *Value, got payload.Value) {
	var text string
	switch {
	case got.Kind() == payload.String:
		text = got.Text()
	case got.Kind() == payload.Number && o.format.String() == "epoch":
		text = got.Literal()
	}
	if !s.spend(1 + len(text)/16) {
		s.tooMuch(v)
		return
	}
	t, ok := o.format.Parse(text)
	if !ok || !o.within(s, t) {
		s.miss(v, got)
	}
}

// within compares by days where the format has no hours.
func (o *date) within(s *scope, t time.Time) bool {
	cut := func(t time.Time) time.Time {
		if o.format.HasHours() {
			return t
		}
		return t.UTC().Truncate(24 * time.Hour)
	}
	t = cut(t)
	return (o.after == nil || t.After(cut(o.after.at(s)))) &&
		(o.until == nil || !t.After(cut(o.until.at(s))))
}

func (o *date) want(s *scope) string {
	w := "a date like " + o.format.String()
	for _, b := range []struct {
		name string
		*bound
	}{{"after", o.after}, {"until", o.until}} {
		if b.bound == nil {
			continue
		}
		w += ", " + b.name + " " + b.text
		if b.now {
			w += " (" + o.format.Format(b.at(s)) + ")"
		}
	}
	return w
}

// give gives the example, else the nearest date that is allowed.
func (o *date) give(s *scope, v *Value, dst []byte) ([]byte, bool) {
	if o.example != nil {
		return o.example.give(s, dst)
	}
	s.dynamic = true
	text, ok := o.nearest(s)
	switch {
	case !ok:
		s.fail(v.Pos, "nothing is "+o.want(s))
		return dst, false
	case o.format.String() == "epoch":
		return append(dst, text...), true
	}
	return payload.Quote(dst, text), true
}

// nearest is now, or what comes next behind the one bound or before the
// other. The format cuts a date off, so it is what is written that counts.
func (o *date) nearest(s *scope) (string, bool) {
	try := []time.Time{s.now()}
	if o.after != nil {
		for _, step := range []time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour} {
			try = append(try, o.after.at(s).Add(step))
		}
	}
	if o.until != nil {
		try = append(try, o.until.at(s))
	}
	for _, t := range try {
		text := o.format.Format(t)
		if written, ok := o.format.Parse(text); ok && o.within(s, written) {
			return text, true
		}
	}
	return "", false
}
func (o *date) write() *yaml.Node {
	n := operatorNode("$date", textNode(o.format.String()))
	for _, b := range []struct {
		name string
		*bound
	}{{"after", o.after}, {"until", o.until}} {
		if b.bound != nil {
			n.Content = append(n.Content, textNode(b.name), textNode(b.text))
		}
	}
	return withOption(n, "example", o.example)
}

// oneOf accepts what one of its values accepts.
type oneOf []*Value

func (o oneOf) match(s *scope, v *Value, got payload.Value) {
	for _, each := range o {
		if each.accepts(s, got) {
			return
		}
	}
	s.miss(v, got)
}
func (o oneOf) want(s *scope) string { return "one of " + wantAll(s, o, " | ") }

// wantAll says what each value wants, as far as it fits on a line.
func wantAll(s *scope, values []*Value, between string) string {
	const most = 200
	var b strings.Builder
	for i, each := range values {
		if i > 0 {
			b.WriteString(between)
		}
		if b.Len() > most {
			b.WriteString("…")
			break
		}
		b.WriteString(each.kind.want(s))
	}
	return b.String()
}
func (o oneOf) give(s *scope, _ *Value, dst []byte) ([]byte, bool) { return o[0].give(s, dst) }
func (o oneOf) write() *yaml.Node                                  { return operatorNode("$oneOf", array(o).write()) }

// allOf accepts what all of its values accept.
type allOf []*Value

func (o allOf) match(s *scope, _ *Value, got payload.Value) {
	for _, each := range o {
		each.match(s, got)
		if s.done() {
			return
		}
	}
}
func (o allOf) want(s *scope) string { return wantAll(s, o, " and ") }

// give lays objects over one another; of other values the first that all
// accept is given.
func (o allOf) give(s *scope, v *Value, dst []byte) ([]byte, bool) {
	given := make([]payload.Value, 0, len(o))
	objects := true
	for _, each := range o {
		b, ok := each.give(s, nil)
		if !ok {
			continue
		}
		if !s.spend(4 + len(b)) {
			s.fail(v.Pos, "the answer costs too much to make")
			return dst, false
		}
		g := jsonValue(b)
		objects = objects && g.Kind() == payload.Object
		given = append(given, g)
	}
	switch {
	case len(given) == 0:
		return dst, false
	case objects:
		return mergeObjects(dst, given), true
	}
	for _, g := range given {
		if v.accepts(s, g) {
			return g.AppendJSON(dst), true
		}
	}
	if v.accepts(s, payload.Value{}) {
		return dst, false
	}
	s.fail(v.Pos, "none of the examples of $allOf is accepted by all")
	return dst, false
}
func (o allOf) write() *yaml.Node { return operatorNode("$allOf", array(o).write()) }

// not accepts what its value does not, and absence.
type not struct{ of, example *Value }

func (o *not) match(s *scope, v *Value, got payload.Value) {
	switch {
	case got.Kind() == payload.Absent:
	case o.of.accepts(s, got):
		s.miss(v, got)
	case s.work <= 0: // it was refused for want of work, and may be such a value
		s.tooMuch(v)
	}
}
func (o *not) want(s *scope) string { return "anything but " + o.of.kind.want(s) }
func (o *not) give(s *scope, _ *Value, dst []byte) ([]byte, bool) {
	if o.example == nil {
		return dst, false // nothing is accepted, too
	}
	return o.example.give(s, dst)
}
func (o *not) write() *yaml.Node {
	return operatorNode("$not", o.of.kind.write(), "example", o.example)
}

// each accepts arrays whose elements are all such a value.
type each struct {
	of       *Value
	min, max int // max -1: any number
}

func (o *each) match(s *scope, v *Value, got payload.Value) {
	if got.Kind() != payload.Array || got.Len() < o.min || o.max >= 0 && got.Len() > o.max {
		s.miss(v, got)
		return
	}
	for i, element := range got.Elems() {
		s.push("", i)
		o.of.match(s, element)
		s.pop()
		if s.done() {
			return
		}
	}
}
func (o *each) want(s *scope) string {
	w := "an array"
	switch {
	case o.min > 0 && o.max >= 0:
		w += " of " + strconv.Itoa(o.min) + " to " + count(o.max, "element")
	case o.min > 0:
		w += " of " + count(o.min, "element") + " or more"
	case o.max >= 0:
		w += " of at most " + count(o.max, "element")
	}
	return w + ", each " + o.of.kind.want(s)
}
func (o *each) give(s *scope, v *Value, dst []byte) ([]byte, bool) {
	element, ok := o.of.give(s, nil)
	n := max(o.min, 1)
	switch {
	case o.max == 0 || !ok && o.min == 0:
		n = 0
	case !ok:
		element = []byte("null") // the nearest that there is to nothing
	}
	if n*(len(element)+1) > MaxAnswer {
		s.fail(v.Pos, "$each gives more than "+strconv.Itoa(MaxAnswer)+" bytes")
		return dst, false
	}
	dst = append(dst, '[')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, element...)
	}
	return append(dst, ']'), true
}
func (o *each) write() *yaml.Node {
	n := operatorNode("$each", o.of.kind.write())
	if o.min > 0 {
		n.Content = append(n.Content, textNode("min"), numberNode(strconv.Itoa(o.min)))
	}
	if o.max >= 0 {
		n.Content = append(n.Content, textNode("max"), numberNode(strconv.Itoa(o.max)))
	}
	return n
}

// contains accepts arrays with an element of its own for each value, in any
// order, perhaps with more.
type contains []*Value

func (o contains) match(s *scope, v *Value, got payload.Value) {
	if got.Kind() != payload.Array || s.strict && got.Len() != len(o) {
		s.miss(v, got)
		return
	}
	elements := make([]payload.Value, 0, got.Len())
	for _, e := range got.Elems() {
		elements = append(elements, e)
	}
	// Greed would let the first value take the only element that the second
	// accepts, so elements are handed on along augmenting paths.
	taken := make([]int, len(elements)) // 1 + the value that has it
	for i := range o {
		if !s.spend(1 + len(elements)/8) {
			s.tooMuch(v)
			return
		}
		seen := make([]bool, len(elements))
		if !o.place(s, i, elements, taken, seen) {
			if s.wording() {
				s.tell(v, "an element like "+o[i].kind.want(s), got)
			}
			if s.done() {
				return
			}
		}
	}
}

// place finds an element for a value, be it one that another value can spare.
func (o contains) place(s *scope, i int, elements []payload.Value, taken []int, seen []bool) bool {
	for j, e := range elements {
		if !s.spend(1) {
			return false
		}
		if seen[j] || !o[i].accepts(s, e) {
			continue
		}
		seen[j] = true
		if taken[j] == 0 || o.place(s, taken[j]-1, elements, taken, seen) {
			taken[j] = i + 1
			return true
		}
	}
	return false
}
func (o contains) want(s *scope) string {
	return "an array with " + wantAll(s, o, " and ")
}
func (o contains) give(s *scope, v *Value, dst []byte) ([]byte, bool) {
	return array(o).give(s, v, dst)
}
func (o contains) write() *yaml.Node { return operatorNode("$contains", array(o).write()) }

// values accepts objects whose members are all such a value.
type values struct{ of, keys, example *Value }

func (o *values) match(s *scope, v *Value, got payload.Value) {
	if got.Kind() != payload.Object {
		s.miss(v, got)
		return
	}
	for name, member := range got.Members() {
		s.push(name, -1)
		if o.keys != nil && !o.keys.accepts(s, payload.Text(name)) && s.wording() {
			s.tellWords(v, "a name that is "+o.keys.kind.want(s), quote(name))
		}
		if !s.done() {
			o.of.match(s, member)
		}
		s.pop()
		if s.done() {
			return
		}
	}
}
func (o *values) want(s *scope) string { return "an object, each member " + o.of.kind.want(s) }
func (o *values) give(s *scope, v *Value, dst []byte) ([]byte, bool) {
	if o.example != nil || o.keys == nil {
		return giveExample(s, v, o.example, "$values", dst)
	}
	name, _ := o.keys.asText(s)
	dst = append(payload.Quote(append(dst, '{'), name), ':')
	dst, ok := o.of.give(s, dst)
	if !ok {
		dst = append(dst, "null"...)
	}
	return append(dst, '}'), true
}
func (o *values) write() *yaml.Node {
	return operatorNode("$values", o.of.kind.write(), "keys", o.keys, "example", o.example)
}

// exactly accepts its value and nothing more, at every depth.
type exactly struct{ of *Value }

func (o *exactly) match(s *scope, _ *Value, got payload.Value) {
	before := s.strict
	s.strict = true
	o.of.match(s, got)
	s.strict = before
}
func (o *exactly) want(s *scope) string                               { return "exactly " + o.of.kind.want(s) }
func (o *exactly) give(s *scope, _ *Value, dst []byte) ([]byte, bool) { return o.of.give(s, dst) }
func (o *exactly) write() *yaml.Node                                  { return operatorNode("$exactly", o.of.kind.write()) }

// absent accepts nothing.
type absent struct{}

func (absent) match(s *scope, v *Value, got payload.Value) {
	if got.Kind() != payload.Absent {
		s.miss(v, got)
	}
}
func (absent) want(*scope) string                                 { return "nothing" }
func (absent) give(_ *scope, _ *Value, dst []byte) ([]byte, bool) { return dst, false }
func (absent) write() *yaml.Node                                  { return operatorNode("$absent", plainNode("!!bool", "true")) }

// literal is JSON without operators and templates.
type literal struct{ of *Value }

func (o *literal) match(s *scope, _ *Value, got payload.Value)        { o.of.match(s, got) }
func (o *literal) want(s *scope) string                               { return o.of.kind.want(s) }
func (o *literal) give(s *scope, _ *Value, dst []byte) ([]byte, bool) { return o.of.give(s, dst) }
func (o *literal) write() *yaml.Node                                  { return operatorNode("$literal", o.of.kind.write()) }
