package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oigmock/oigmock/schemas/payload"
)

// A filter is what q asks of the elements of a list. It accepts what one of
// its groups accepts; a group is terms that all must hold.
type filter [][]term

// A term is NAME OP VALUE.
type term struct {
	name  string
	steps []string // of the name, where it has dots
	op    string   // eq, ne, sw or co
	value string
	lower string // the value in small letters
}

const (
	maxFilter = 4096 // bytes
	maxTerms  = 50
)

// parseFilter reads the parameter q, decoded: "Status.Category eq Rejected AND
// Objects.Name sw Plan::View". Words and operators are in any letter case, AND
// binds closer than or, :: stands for a blank in names and values, and a value
// may stand in double quotes. Oracle shows nothing else; so parentheses, pr
// and gt are refused. The error tells the byte, counted from one.
func parseFilter(q string) (filter, error) {
	if len(q) > maxFilter {
		return nil, fmt.Errorf("it has %d bytes; %d are taken", len(q), maxFilter)
	}
	var f filter
	r := filterReader{q: q}
	group, terms := []term(nil), 0
	for {
		t, err := r.term()
		if err != nil {
			return nil, err
		}
		if terms++; terms > maxTerms {
			return nil, fmt.Errorf("more than %d terms", maxTerms)
		}
		group = append(group, t)
		switch word := r.word(); {
		case word == "":
			return append(f, group), nil
		case strings.EqualFold(word, "or"):
			f, group = append(f, group), nil
		case !strings.EqualFold(word, "and"):
			return nil, r.parted("AND or or", word)
		}
	}
}

type filterReader struct {
	q        string
	from, at int // of the word that was read last, and behind it
}

const filterBlanks = " \t\r\n"

// word is the next one, "" at the end.
func (r *filterReader) word() string {
	rest := strings.TrimLeft(r.q[r.at:], filterBlanks)
	r.from = len(r.q) - len(rest)
	end := strings.IndexAny(rest, filterBlanks)
	if end < 0 {
		end = len(rest)
	}
	r.at = r.from + end
	return rest[:end]
}

func (r *filterReader) wrong(want, word string) error {
	got := "the end"
	if word != "" {
		got = quote(word)
	}
	return fmt.Errorf("byte %d: want %s, got %s", r.from+1, want, got)
}

// parted is wrong where a blank may have parted what is one name or one value.
func (r *filterReader) parted(want, word string) error {
	err := r.wrong(want, word)
	if word != "" {
		err = fmt.Errorf("%w; :: stands for a blank within a name or a value", err)
	}
	return err
}

func (r *filterReader) term() (t term, err error) {
	word := r.word()
	if word == "" || word[0] == '(' || word[0] == '"' {
		return t, r.wrong("the name of an attribute", word)
	}
	t.name = filterText(word)
	if strings.Contains(t.name, ".") {
		t.steps = strings.Split(t.name, ".")
	}
	word = r.word()
	if t.op = strings.ToLower(word); !slices.Contains([]string{"eq", "ne", "sw", "co"}, t.op) {
		return t, r.parted("eq, ne, sw or co", word)
	}
	if word = r.word(); word == "" {
		return t, r.wrong("a value", "")
	}
	if word[0] != '"' {
		t.setValue(word)
		return t, nil
	}
	value, rest, closed := strings.Cut(r.q[r.from+1:], `"`)
	switch {
	case !closed:
		return t, fmt.Errorf("byte %d: a quote is not closed", r.from+1)
	case rest != "" && !strings.Contains(filterBlanks, rest[:1]):
		r.from = len(r.q) - len(rest)
		return t, r.wrong("a blank behind the quote", rest)
	}
	r.at = len(r.q) - len(rest)
	t.setValue(value)
	return t, nil
}

func (t *term) setValue(word string) {
	t.value = filterText(word)
	t.lower = strings.ToLower(t.value)
}

func filterText(word string) string { return strings.ReplaceAll(word, "::", " ") }

func (f filter) accepts(s *scope, item payload.Value) bool {
	return slices.ContainsFunc(f, func(group []term) bool {
		return !slices.ContainsFunc(group, func(t term) bool { return !t.holds(s, item) })
	})
}

// holds compares texts, in any letter case: Oracle prints state eq assigned, and
// answers with ASSIGNED. Numbers, booleans and null are as JSON writes them. Of
// what is not there, and of arrays and objects, only ne holds.
func (t *term) holds(s *scope, item payload.Value) bool {
	got := t.find(s, item)
	if k := got.Kind(); k == payload.Absent || k == payload.Array || k == payload.Object {
		return t.op == "ne"
	}
	text := textOf(got)
	if !s.spend(1 + got.Work() + len(text)/8) {
		return false
	}
	switch t.op {
	case "sw":
		return strings.HasPrefix(strings.ToLower(text), t.lower)
	case "co":
		return strings.Contains(strings.ToLower(text), t.lower)
	}
	return strings.EqualFold(text, t.value) == (t.op == "eq")
}

// find looks for the name as it is, since OIG's names have dots in them; then
// for its dots as steps; then among OIG's fields, [{name, value}, …].
func (t *term) find(s *scope, item payload.Value) payload.Value {
	if !s.spend(1 + item.Work()) {
		return payload.Value{}
	}
	if got := item.Member(t.name); got.Kind() != payload.Absent {
		return got
	}
	if len(t.steps) > 0 {
		at := item
		for _, step := range t.steps {
			if at = at.At(step); at.Kind() == payload.Absent {
				break
			}
			if !s.spend(1 + at.Work()) {
				return payload.Value{}
			}
		}
		if at.Kind() != payload.Absent {
			return at
		}
	}
	for _, field := range item.Member("fields").Elems() {
		if !s.spend(1 + field.Work()) {
			return payload.Value{}
		}
		if field.Member("name").EqualText(t.name) {
			return field.Member("value")
		}
	}
	return payload.Value{}
}
