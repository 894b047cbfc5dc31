package schemas

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/oigmock/oigmock/schemas/payload"
)

const (
	// maxWork is how much one check may cost, in looks of a schema at a value.
	// The validator takes up to 3 µs for a look that it objects to, so this is a
	// quarter of a second. A correct body of 1 MiB stays below it.
	maxWork = 80_000

	// perLook is how many steps, of some 50 ns, a look is. What a keyword costs
	// beyond the look is counted in steps: the numbers in this file are measured
	// and rounded up.
	perLook = 60

	maxPlace = 256 // bytes of a JSON pointer that are part of a look
)

// A workload is what the keywords of one schema cost beyond the look itself.
type workload struct {
	fixed int // at any value: entries of enum and const, and the message that quotes them all
	names int // at an object: names that are looked up in it, there or not

	program     int // instructions of the pattern
	perText     int // of 16 bytes of a text
	nameProgram int // instructions of the patterns for names

	numbers     int // that a number is compared with; for each the validator makes big.Rats of both
	numbersWork int // to make those of the schema
	factor      string
	nested      int // to compare an array or object with those of enum and const

	unique     bool
	dependents map[string]int // how many other names a name asks for
	patterns   []*regexp.Regexp
}

// A look is what a schema looks at: a value, or the name of a member.
type look struct {
	v    payload.Value // Absent: a name
	text int           // its bytes if it is a text, else -1
	at   int           // bytes of the JSON pointer to it
}

func lookAt(v payload.Value, at int) look {
	l := look{v, -1, at}
	if v.Kind() == payload.String {
		l.text = len(v.Text())
	}
	return l
}

// keyword adds what one keyword costs.
func (w *workload) keyword(name string, v payload.Value) {
	switch name {
	case "enum":
		for _, e := range v.Elems() {
			w.constant(e)
		}
	case "const":
		w.constant(v)
	case "type":
		integer := v.EqualText("integer")
		for _, e := range v.Elems() {
			integer = integer || e.EqualText("integer")
		}
		if integer { // only a big.Rat knows whether a number is one
			w.numbers++
		}
	case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
		w.numbers++
		w.numbersWork += numberWork(v.Literal())
	case "multipleOf":
		w.factor = v.Literal()
	case "minLength", "maxLength": // copies the text to count its characters
		w.perText++
	case "format": // reads the text, and quotes it when it objects
		w.fixed += 4
		w.perText += 8
	case "required": // each missing one is quoted
		w.names += 3 * v.Len()
	case "properties", "dependentSchemas":
		w.names += v.Len()
	case "dependentRequired":
		w.names += v.Len()
		w.dependents = make(map[string]int)
		for name, list := range v.Members() {
			w.dependents[name] = list.Len()
		}
	case "uniqueItems":
		w.unique = v.Bool()
	}
}

func (w *workload) constant(v payload.Value) {
	w.fixed += 1 + len(v.AppendJSON(nil))/8
	switch v.Kind() {
	case payload.Number:
		w.numbers++
		w.numbersWork += numberWork(v.Literal())
	case payload.Array, payload.Object:
		w.nested += 2*comparison(v) + maxNumberWork*numbersIn(v)
	}
}

// at is what the keywords cost at one value.
func (w *workload) at(l look) int {
	work := w.fixed
	if l.at > maxPlace { // the validator copies it, and we sort by it
		work += l.at
	}
	switch kind := l.v.Kind(); {
	case l.text >= 0:
		work += w.perText*l.text/16 + patternWork(w.program, l.text)
	case kind == payload.Number:
		number := l.v.Literal()
		if w.numbers > 0 {
			work += w.numbers*numberWork(number) + w.numbersWork
		}
		if w.factor != "" { // a quotient, of which the greatest common divisor is looked for
			both := span(number) + span(w.factor)
			work += numberWork(number) + perLook + both*both/1000
		}
	case kind == payload.Array:
		work += w.nested
		if w.unique {
			work += uniqueWork(l.v)
		}
	case kind == payload.Object:
		work += w.nested + w.names
	}
	return work
}

// member is what one member of an object costs, whatever its value. A name that
// no pattern matches is matched again, to tell that it is not allowed.
func (w *workload) member(name string) int {
	return 2*patternWork(w.nameProgram, len(name)) + perLook*w.dependents[name]
}

// patternWork is for Go's regular expressions at their slowest, when each byte
// of the text is tried with each instruction.
func patternWork(program, text int) int {
	if program == 0 {
		return 0
	}
	return 8 + program*(text+1)/5
}

// numberWork is what it takes to make a big.Rat of a number and to compare it:
// an exponent of 400 is a number of 400 digits.
func numberWork(literal string) int { return 12 + span(literal)/8 }

// maxNumberWork is that of the largest number there may be.
const maxNumberWork = 12 + (payload.MaxDigits+payload.MaxExponent+8)/8

// span is about how many digits a number has when it is written without exponent.
func span(literal string) int {
	digits := len(literal)
	if i := strings.IndexAny(literal, "eE"); i >= 0 {
		e, _ := strconv.Atoi(literal[i+1:]) // payload.MaxExponent holds
		digits += max(e, -e)
	}
	return digits
}

// comparison is what it takes to compare all of a value with another one, or to
// hash it.
func comparison(v payload.Value) int {
	work := 1
	switch v.Kind() {
	case payload.Number:
		work = numberWork(v.Literal())
	case payload.String:
		work += len(v.Text()) / 16
	case payload.Array:
		for _, e := range v.Elems() {
			work += comparison(e)
		}
	case payload.Object:
		for name, m := range v.Members() { // the names are sorted
			work += 4 + len(name)/16 + comparison(m)
		}
	}
	return work
}

func numbersIn(v payload.Value) int {
	n := 0
	if v.Kind() == payload.Number {
		n = 1
	}
	for _, e := range v.Elems() {
		n += numbersIn(e)
	}
	for _, m := range v.Members() {
		n += numbersIn(m)
	}
	return n
}

// uniqueWork is what uniqueItems costs. The validator compares up to 20 items
// each with each. More it hashes, but in such a way that one can make many
// arrays, or objects, with the same hash: these count as compared, too.
func uniqueWork(v payload.Value) int {
	all, plain := 0, true
	for _, e := range v.Elems() {
		all += comparison(e)
		plain = plain && e.Kind() != payload.Array && e.Kind() != payload.Object
	}
	if plain && v.Len() > 20 {
		return 2 * all // the map of the hashes
	}
	return v.Len() * all
}

// affords counts down for each look at the value and at all that is in it, and
// reports whether there are enough steps left. Where it is not known whether a
// schema will look, it does.
func (n *node) affords(v payload.Value, left *int) bool {
	return n.looks(lookAt(v, 0), left)
}

// looks is affords at one place. The validator makes a list of what is in a
// value whenever it looks at it: a long one costs more.
func (n *node) looks(l look, left *int) bool {
	if n == nil { // nobody looks
		return true
	}
	if *left -= perLook*(1+l.v.Len()/16) + n.work.at(l); *left < 0 {
		return false
	}
	for _, c := range n.same {
		if !c.looks(l, left) {
			return false
		}
	}
	for _, r := range n.refs {
		if !r.target.looks(l, left) {
			return false
		}
	}
	below := func(one *node, l look) bool {
		for _, c := range n.each {
			if c != n.naming && !c.looks(l, left) {
				return false
			}
		}
		return one.looks(l, left)
	}
	for i, e := range l.v.Elems() {
		if !below(n.items[min(i, len(n.items)-1)], lookAt(e, l.at+len("/1000"))) {
			return false
		}
	}
	for name, m := range l.v.Members() {
		if *left -= n.work.member(name); *left < 0 {
			return false
		}
		at := l.at + len("/") + len(name)
		if !n.naming.looks(look{text: len(name), at: at}, left) {
			return false
		}
		one, named := n.members[name]
		if !named {
			one = n.others
		}
		if !below(one, lookAt(m, at)) {
			return false
		}
	}
	return true
}
