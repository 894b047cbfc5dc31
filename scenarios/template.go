package scenarios

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/oigmock/oigmock/schemas/didyoumean"
	"github.com/oigmock/oigmock/schemas/payload"
	"gopkg.in/yaml.v3"
)

// dateFormat reads the pattern of a date.
func dateFormat(pattern string) (*payload.DateFormat, error) {
	if len(pattern) > maxDate {
		return nil, fmt.Errorf("a date format of %d bytes; %d are taken", len(pattern), maxDate)
	}
	return payload.ParseDateFormat(pattern)
}

const (
	maxDate      = 100      // bytes of the pattern of a date
	maxTemplate  = 64 << 10 // bytes of a text with templates
	maxFunctions = 8        // of one template
)

// A template is a text with {{ ADDRESS | FUNCTION ARGUMENT }} in it. Alone in
// its text it is the value found there.
type template struct {
	text  string
	parts []templatePart
}

type templatePart struct {
	text      string // when at is nil
	at        *Address
	functions []function
}

type function struct {
	name     string
	argument string
	date     *payload.DateFormat
}

// functions are the functions of templates, and whether one takes an argument.
var functions = map[string]bool{
	"date": true, "default": true,
	"lower": false, "upper": false, "text": false, "number": false, "escape": false, "uuid": false, "hex": false,
}

// parseTemplate reads a text that holds {{.
func parseTemplate(text string, in where) (*template, error) {
	if len(text) > maxTemplate {
		return nil, fmt.Errorf("a template of %d bytes; %d are taken", len(text), maxTemplate)
	}
	t := &template{text: text}
	rest := text
	for {
		before, after, found := strings.Cut(rest, "{{")
		if before != "" {
			t.parts = append(t.parts, templatePart{text: before})
		}
		if !found {
			return t, nil
		}
		end := closing(after)
		if end < 0 {
			return nil, fmt.Errorf("template %s is not closed by }}; braces that are no template stand under $literal", quote("{{"+after))
		}
		part, err := parsePart(after[:end], in)
		if err != nil {
			return nil, err
		}
		t.parts = append(t.parts, part)
		rest = after[end+2:]
	}
}

// closing finds the }} that ends a template: braces within addresses pair.
func closing(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{':
			depth++
		case '}':
			if depth == 0 {
				if strings.HasPrefix(text[i:], "}}") {
					return i
				}
				return -1
			}
			depth--
		}
	}
	return -1
}

func parsePart(text string, in where) (part templatePart, err error) {
	pieces := strings.Split(text, "|")
	if len(pieces)-1 > maxFunctions {
		return part, fmt.Errorf("template %s: more than %d functions", quote(text), maxFunctions)
	}
	if strings.TrimSpace(pieces[0]) == "" {
		return part, fmt.Errorf("template %s: an address is missing", quote("{{"+text+"}}"))
	}
	a, err := parseAddress(strings.TrimSpace(pieces[0]), in)
	if err != nil {
		return part, fmt.Errorf("template: %w", err)
	}
	part.at = &a
	for _, piece := range pieces[1:] {
		name, argument, _ := strings.Cut(strings.TrimSpace(piece), " ")
		takes, known := functions[name]
		argument = strings.TrimSpace(argument)
		switch {
		case !known:
			return part, fmt.Errorf("template: no function is called %s%s", quote(name), didyoumean.Hint(name, keysOf(functions)))
		case takes && argument == "":
			return part, fmt.Errorf("template: %s wants something behind it", name)
		case !takes && argument != "":
			return part, fmt.Errorf("template: %s takes nothing, and %s stands behind it", name, quote(argument))
		}
		f := function{name: name, argument: argument}
		if name == "date" {
			if f.date, err = dateFormat(argument); err != nil {
				return part, fmt.Errorf("template: %w", err)
			}
		}
		part.functions = append(part.functions, f)
	}
	return part, nil
}

func (t *template) alone() bool { return len(t.parts) == 1 && t.parts[0].at != nil }

// found is what goes through the functions of a template: a value, or a time
// that no format was chosen for yet.
type found struct {
	payload.Value
	time   time.Time
	isTime bool
	size   int // of the text that the last function read, in bytes
}

func (s *scope) find(p *templatePart) (found, error) {
	var f found
	switch {
	case p.at.room == "now" && p.at.param < 0:
		s.dynamic = true
		f.time, f.isTime = p.at.shift.from(s.now()), true
	case p.at.room == "token":
		var err error
		if f.Value, err = s.sign(); err != nil {
			return f, err
		}
	default:
		f.Value = s.resolve(p.at)
	}
	for i := range p.functions {
		if err := p.functions[i].apply(&f); err != nil {
			return f, err
		}
		if !s.spend(1 + f.size/8) {
			return found{}, errors.New("it costs too much to make")
		}
	}
	if f.isTime {
		f = found{Value: payload.Text(payload.ISO.Format(f.time))}
	}
	return f, nil
}

func (fn *function) apply(f *found) error {
	if f.isTime && fn.name != "date" {
		*f = found{Value: payload.Text(payload.ISO.Format(f.time))}
	}
	if !f.isTime && f.Kind() == payload.Absent {
		if fn.name == "default" {
			f.Value = payload.Text(fn.argument)
		}
		return nil // nothing passes through
	}
	text := ""
	if !f.isTime {
		text = textOf(f.Value)
	}
	f.size = len(text)
	switch fn.name {
	case "date":
		if !f.isTime {
			t, _, ok := payload.ParseAnyDate(text)
			if !ok {
				return nil // other text stays as it is
			}
			f.time = t
		}
		f.Value, f.isTime = payload.Text(fn.date.Format(f.time)), false
	case "lower":
		f.Value = payload.Text(strings.ToLower(text))
	case "upper":
		f.Value = payload.Text(strings.ToUpper(text))
	case "text":
		f.Value = payload.Text(text)
	case "escape":
		f.Value = payload.Text(strings.ReplaceAll(url.QueryEscape(text), "+", "%20"))
	case "number":
		if !payload.ValidNumber(text) {
			return errors.New("it is no number")
		}
		f.Value = jsonValue([]byte(text))
	case "uuid", "hex":
		sum := sha256.Sum256([]byte(text))
		id := hex.EncodeToString(sum[:16])
		if fn.name == "hex" {
			f.Value = payload.Text(strings.ToUpper(id))
		} else {
			f.Value = payload.Text(id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:])
		}
	}
	return nil
}

// value fills the template in: the value found, or a text. It is absent where
// nothing is found and the template stands alone.
func (t *template) value(s *scope, v *Value) payload.Value {
	if t.alone() {
		f, err := s.find(&t.parts[0])
		if err != nil {
			s.fail(v.Pos, t.text+": "+err.Error())
		}
		return f.Value
	}
	var b strings.Builder
	for i := range t.parts {
		p := &t.parts[i]
		if p.at == nil {
			b.WriteString(p.text)
			continue
		}
		f, err := s.find(p)
		switch {
		case err != nil:
			s.fail(v.Pos, "{{ "+p.at.text+" }}: "+err.Error())
		case f.Kind() == payload.Absent:
			s.fail(v.Pos, "{{ "+p.at.text+" }}: nothing is there, and no default says what to put into the text")
		default:
			text := textOf(f.Value)
			if !s.spend(1 + len(text)/8) {
				s.fail(v.Pos, "the text costs too much to make")
			}
			b.WriteString(text)
		}
		if s.err != nil {
			return payload.Value{}
		}
	}
	return payload.Text(b.String())
}

// match fills the template in, then compares. A template that cannot be
// filled in is no such value.
func (t *template) match(s *scope, v *Value, got payload.Value) {
	before := s.err
	s.err = nil
	want := t.value(s, v)
	broken := s.err != nil
	s.err = before
	switch {
	case broken:
	case s.like && sameShape(want, got), !s.like && equal(s, want, got):
		return
	}
	s.miss(v, got)
}

// sameShape compares what $like has found: of scalars the types.
func sameShape(want, got payload.Value) bool {
	return want.Kind() != payload.Absent && sameType(scalar{kind: want.Kind()}, got)
}

// equal reports whether got is the wanted value, nothing more and nothing less.
func equal(s *scope, want, got payload.Value) bool {
	if !s.spend(1 + want.Len()) {
		return false
	}
	if want.Kind() != got.Kind() {
		// On the wire a number, true and false are their text.
		return got.Wire() && got.Kind() == payload.String &&
			(want.Kind() == payload.Number || want.Kind() == payload.Bool) && got.EqualText(textOf(want))
	}
	switch want.Kind() {
	case payload.Absent:
		return false
	case payload.Bool:
		return want.Bool() == got.Bool()
	case payload.Number:
		return payload.EqualNumbers(want.Literal(), got.Literal())
	case payload.String:
		text := want.Text()
		return s.spend(len(text)/4) && got.EqualText(text)
	case payload.Array:
		if want.Len() != got.Len() {
			return false
		}
		others := make([]payload.Value, 0, got.Len())
		for _, e := range got.Elems() {
			others = append(others, e)
		}
		for i, e := range want.Elems() {
			if !equal(s, e, others[i]) {
				return false
			}
		}
	case payload.Object:
		if want.Len() != got.Len() {
			return false
		}
		for name, m := range want.Members() {
			if !s.spend(got.Len()) || !equal(s, m, got.Member(name)) {
				return false
			}
		}
	}
	return true
}

func (t *template) want(s *scope) string {
	before := s.err
	s.err = nil
	want := t.value(s, &Value{})
	s.err = before
	text := shorten(t.text)
	switch {
	case secretName.MatchString(text):
		return text
	case want.Kind() == payload.Absent:
		return text + ", and nothing is there"
	case s.like:
		return "a value like " + text + ", here " + describe(want)
	}
	return text + ", here " + describe(want)
}

func (t *template) give(s *scope, v *Value, dst []byte) ([]byte, bool) {
	got := t.value(s, v)
	if got.Kind() == payload.Absent {
		return dst, false
	}
	return s.append(v, dst, got)
}

// append adds a value that was found to what is made.
func (s *scope) append(v *Value, dst []byte, got payload.Value) ([]byte, bool) {
	n := len(dst)
	dst = got.AppendJSON(dst)
	if !s.spend((len(dst) - n) / 8) {
		s.fail(v.Pos, "the answer costs too much to make")
		return dst[:n], false
	}
	return dst, true
}

func (t *template) write() *yaml.Node { return textNode(t.text) }

// A shift moves now: + 50d, - 2h. Days are days of 24 hours; all is UTC.
type shift struct {
	text string
	by   time.Duration
}

func (sh shift) from(now time.Time) time.Time { return now.UTC().Add(sh.by) }

// cutShift cuts "now + 50d" into "now" and "+ 50d".
func cutShift(text string) (word, by string, ok bool) {
	i := strings.IndexAny(text, "+-")
	if i < 0 || !strings.HasPrefix(text, "now") {
		return text, "", false
	}
	return strings.TrimSpace(text[:i]), text[i:], true
}

const maxShift = 100 * 366 * 24 * time.Hour

func parseShift(text string) (shift, error) {
	sign := time.Duration(1)
	if text[0] == '-' {
		sign = -1
	}
	d, err := ParseDuration(strings.TrimSpace(text[1:]))
	if err != nil {
		return shift{}, err
	}
	return shift{text, sign * d}, nil
}

// ParseDuration reads a length of time as Go does, and days and weeks
// besides: 50d, 2w, 1d12h, 250ms.
func ParseDuration(text string) (time.Duration, error) {
	bad := fmt.Errorf("%s is no length of time such as 200ms, 2h or 50d", quote(text))
	if text == "" || text[0] < '0' || text[0] > '9' {
		return 0, bad
	}
	var days int64
	rest := text
	for _, unit := range []struct {
		letter string
		days   int64
	}{{"w", 7}, {"d", 1}} {
		n, after, found := strings.Cut(rest, unit.letter)
		if !found {
			continue
		}
		count, err := strconv.ParseInt(n, 10, 32)
		if err != nil || count < 0 || count*unit.days > 36600 {
			return 0, bad
		}
		days += count * unit.days
		rest = after
	}
	total := time.Duration(days) * 24 * time.Hour
	if rest != "" {
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 {
			return 0, bad
		}
		total += d
	}
	if total > maxShift || total < 0 {
		return 0, fmt.Errorf("%s is longer than a hundred years", quote(text))
	}
	return total, nil
}
