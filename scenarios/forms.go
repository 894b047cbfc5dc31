package scenarios

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oigmock/oigmock/schemas/didyoumean"
	"github.com/oigmock/oigmock/schemas/payload"
	"gopkg.in/yaml.v3"
)

// value reads a VALUE. It never returns nil: what has a fault is null.
func (p *parser) value(n *yaml.Node, in where) *Value {
	v := p.same.value()
	v.Pos, v.kind = p.pos(n), null
	switch n.Kind {
	case yaml.ScalarNode:
		switch k := p.scalar(n, in).(type) {
		case nil:
		case scalar:
			v.kind = p.same.scalar(k)
		default:
			v.kind = k
		}
	case yaml.SequenceNode:
		a := make(array, len(n.Content))
		for i, c := range n.Content {
			a[i] = p.value(c, in)
		}
		v.kind = a
	case yaml.MappingNode:
		if k := p.mapping(v, n, in); k != nil {
			v.kind = k
		}
	}
	return v
}

// maxPlainDigits is how many digits of a number every reader keeps.
const maxPlainDigits = 15

func (p *parser) scalar(n *yaml.Node, in where) kind {
	text := n.Value
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		tag := n.ShortTag()
		if tag == "!!str" && payload.ValidNumber(text) {
			tag = "!!float" // 1e400, a text to yaml.v3
		}
		switch tag {
		case "!!null":
			if in.wire && !in.gives {
				p.fault(n, "null never comes as text: \"\" is an empty one, and {$absent: true} is none")
				return nil
			}
			return scalar{kind: payload.Null, text: "null"}
		case "!!bool":
			if text == "true" || text == "false" {
				return scalar{kind: payload.Bool, text: text}
			}
			if !in.wire {
				p.fault(n, "%s: quote it if it is a text, or write %s", text, strings.ToLower(text))
				return nil
			}
		case "!!int", "!!float":
			digits := strings.Count(text, "") - 1 - strings.Count(text, "-") - strings.Count(text, ".")
			switch valid := payload.ValidNumber(text); {
			case valid && (in.exact || in.wire || digits <= maxPlainDigits):
				return scalar{kind: payload.Number, text: text, bare: in.exact}
			case in.wire: // as it is written
			case valid:
				p.fault(n, "%s has more digits than many readers of JSON keep: quote it if it is a text, or put it under $literal", shorten(text))
				return nil
			case strings.TrimLeft(text, "0123456789") == "" && text[0] == '0':
				p.fault(n, "%s reads as an octal number: quote it", shorten(text))
				return nil
			default:
				p.fault(n, "%s is no number in JSON: quote it", shorten(text))
				return nil
			}
		case "!!timestamp":
			if !in.wire {
				p.fault(n, "%s is a date to YAML: quote it", text)
				return nil
			}
		}
	}
	if !in.exact && strings.Contains(text, "{{") {
		t, err := parseTemplate(text, in)
		if err != nil {
			p.fault(n, "%s", err)
			return nil
		}
		for i := range t.parts {
			if at := t.parts[i].at; at != nil {
				p.note(n, at)
			}
		}
		return t
	}
	return scalar{kind: payload.String, text: text, bare: in.exact}
}

func (p *parser) mapping(v *Value, n *yaml.Node, in where) kind {
	if !in.exact {
		var operator *yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			if k.Kind != yaml.ScalarNode || !strings.HasPrefix(k.Value, "$") {
				continue
			}
			if operator != nil {
				p.fault(k, "%.40s beside %.40s: a mapping has one operator; data with such keys stands under $literal", k.Value, operator.Value)
				return nil
			}
			operator = k
		}
		if operator != nil {
			return p.operator(v, operator, n, in)
		}
	}
	if in.wire && in.single && !in.gives {
		p.fault(n, "want a text or an operator, got %s", nodeWords(n))
		return nil
	}
	room := in
	in.room, in.single = "", in.wire
	o := newObject(len(n.Content) / 2)
	var seen map[string]bool // entries tells other names apart, as they are written
	if room.room == "header" {
		seen = make(map[string]bool, len(n.Content)/2)
	}
	full := false
	p.entries(n, "an object", func(name string, k, value *yaml.Node) {
		if strings.Contains(name, "{{") && !in.exact {
			p.fault(k, "a name is no template; $merge and $object make members with names that are found")
			return
		}
		written := name
		name = p.name(k, name, room)
		if seen[name] {
			p.fault(k, "%s is given twice", quote(written))
			return
		}
		if seen != nil {
			seen[name] = true
		}
		if len(o.names) == payload.MaxMembers {
			if !full {
				p.fault(k, "an object of more than %d members", payload.MaxMembers)
			}
			full = true
			return
		}
		o.names = append(o.names, name)
		o.values = append(o.values, p.value(value, in))
	})
	return o
}

// An operatorForm says how an operator is written.
type operatorForm struct {
	options []string
	gives   bool // may stand only where something is given
	parse   func(c *operatorCall) kind
}

// An operatorCall is an operator as it stands in a file.
type operatorCall struct {
	*parser
	v       *Value
	name    string
	arg     *yaml.Node
	options map[string]*yaml.Node
	in      where
}

var operators map[string]operatorForm

// init, since the forms read values, and values look the operators up: as the
// value of the variable they would be an initialization cycle.
func init() {
	operators = map[string]operatorForm{
		"$like":    {parse: func(c *operatorCall) kind { return &like{c.value(c.arg, c.in)} }},
		"$any":     {parse: func(c *operatorCall) kind { return &anything{c.value(c.arg, c.in)} }},
		"$regex":   {options: []string{"example"}, parse: (*operatorCall).regex},
		"$anycase": {parse: (*operatorCall).anycase},
		"$number":  {options: []string{"min", "max", "integer"}, parse: (*operatorCall).number},
		"$date":    {options: []string{"after", "until", "example"}, parse: (*operatorCall).date},
		"$oneOf":   {parse: func(c *operatorCall) kind { return listOf(c, c.tested(), func(l []*Value) kind { return oneOf(l) }) }},
		"$allOf":   {parse: func(c *operatorCall) kind { return listOf(c, c.in, func(l []*Value) kind { return allOf(l) }) }},
		"$not": {options: []string{"example"}, parse: func(c *operatorCall) kind {
			k := &not{of: c.value(c.arg, c.tested()), example: c.example()}
			c.needsExample(k.example)
			c.accepted(k, k.example)
			return k
		}},
		"$each":     {options: []string{"min", "max"}, parse: (*operatorCall).each},
		"$contains": {parse: func(c *operatorCall) kind { return listOf(c, c.in, func(l []*Value) kind { return contains(l) }) }},
		"$values": {options: []string{"keys", "example"}, parse: func(c *operatorCall) kind {
			k := &values{example: c.example()}
			in, keys := c.tested(), c.options["keys"]
			if keys != nil {
				in.gives = c.in.gives && k.example == nil // one member is made of both
				names := in
				names.wire, names.single = true, true
				k.keys = c.value(keys, names)
			} else {
				c.needsExample(k.example)
			}
			in.room, in.single = "", in.wire
			k.of = c.value(c.arg, in)
			c.accepted(k, k.example)
			return k
		}},
		"$exactly": {parse: func(c *operatorCall) kind { return &exactly{c.value(c.arg, c.in)} }},
		"$absent": {parse: func(c *operatorCall) kind {
			hint := ""
			if c.arg.Value == "false" && !c.in.gives {
				hint = "; to ask that it is there, say {} for an object, or {$any: EXAMPLE}"
			}
			if c.arg.Value != "true" {
				c.fault(c.arg, "$absent: want true, got %s%s", nodeWords(c.arg), hint)
			}
			return absent{}
		}},
		"$literal": {parse: func(c *operatorCall) kind {
			in := c.in
			in.exact = true
			return &literal{c.value(c.arg, in)}
		}},
		"$for":    {options: []string{"when", "set", "give", "cases", "reverse"}, gives: true, parse: (*operatorCall).loop},
		"$list":   {options: []string{"when", "give", "cases", "as", "links"}, gives: true, parse: (*operatorCall).list},
		"$merge":  {gives: true, parse: func(c *operatorCall) kind { return listOf(c, c.in, func(l []*Value) kind { return merge(l) }) }},
		"$pairs":  {options: []string{"only", "always"}, gives: true, parse: (*operatorCall).pairs},
		"$object": {options: []string{"without"}, gives: true, parse: (*operatorCall).unpaired},
		"$error": {options: []string{"instance"}, gives: true, parse: func(c *operatorCall) kind {
			c.sized = c.arg
			in := c.in
			in.wire = true
			k := &problem{title: c.value(c.arg, in)}
			_, list := k.title.kind.(array)
			_, members := k.title.kind.(*object)
			if list || members || c.arg.Kind == yaml.ScalarNode && c.arg.ShortTag() == "!!null" {
				c.fault(c.arg, "$error: want a text, got %s", nodeWords(c.arg))
			}
			if i := c.options["instance"]; i != nil {
				k.instance = c.value(i, in)
			}
			return k
		}},
	}
}

// elsewhere are operators of other tools, and what says the same here.
var elsewhere = map[string]string{
	"$in":      "$oneOf",
	"$or":      "$oneOf",
	"$and":     "$allOf",
	"$ne":      "$not",
	"$eq":      "the value itself",
	"$exists":  "{$absent: true} for what is not there, and {$any: EXAMPLE} for what is, or {} for an object",
	"$gt":      "$number with min, or $date with after",
	"$gte":     "$number with min, or $date with after",
	"$lt":      "$number with max, or $date with until",
	"$lte":     "$number with max, or $date with until",
	"$type":    "$like",
	"$pattern": "$regex",
	"$match":   "$regex",
	"$matches": "$regex",
}

// IsOperator tells whether a name such as $like is that of an operator.
func IsOperator(name string) bool {
	_, known := operators[name]
	return known
}

func (p *parser) operator(v *Value, key, n *yaml.Node, in where) kind {
	form, known := operators[key.Value]
	if !known {
		hint := "; here it is " + elsewhere[key.Value]
		if elsewhere[key.Value] == "" {
			hint = didyoumean.Hint(key.Value, keysOf(operators))
		}
		if hint == "" {
			hint = "; data with such a key stands under $literal"
		}
		p.fault(key, "unknown operator %s%s", quote(key.Value), hint)
		return nil
	}
	c := &operatorCall{parser: p, v: v, name: key.Value, options: map[string]*yaml.Node{}, in: in}
	p.entries(n, key.Value, func(name string, k, value *yaml.Node) {
		switch {
		case k == key:
			c.arg = value
		case !slices.Contains(form.options, name):
			if len(form.options) == 0 {
				p.fault(k, "%s: nothing stands beside it, and %s does", key.Value, quote(name))
				return
			}
			if key.Value == "$list" && slices.Contains(operators["$for"].options, name) {
				p.fault(k, "$list: only $for has %s: let a $for under set collect what is wanted, and list that", quote(name))
				return
			}
			p.unknown(k, key.Value, name, form.options)
		default:
			c.options[name] = value
		}
	})
	if c.arg == nil {
		return nil
	}
	if form.gives && !in.gives {
		p.fault(key, "%s gives, and here a value is tested", key.Value)
		return nil
	}
	return form.parse(c)
}

// tested is a place where a value is tested, be it within what gives.
func (c *operatorCall) tested() where {
	in := c.in
	in.gives = false
	return in
}

func (c *operatorCall) example() *Value {
	if n := c.options["example"]; n != nil {
		return c.value(n, c.in)
	}
	return nil
}

func (c *operatorCall) needsExample(example *Value) {
	if example == nil && c.in.gives {
		c.faultAt(c.v.Pos, "%s tests, and here something is given: it needs an example", c.name)
	}
}

// accepted reports an example that its own operator does not accept.
func (c *operatorCall) accepted(k kind, example *Value) {
	if example == nil {
		return
	}
	s := &scope{work: allWork}
	b, ok := example.give(s, nil)
	if !ok || s.err != nil || s.dynamic {
		return
	}
	got := jsonValue(b)
	if c.in.wire {
		got = onTheWire(got)
	}
	s.mode = inWords
	s.ask("body", &Value{c.v.Pos, k}, got)
	if len(s.list) > 0 && !s.dynamic {
		m := s.list[0]
		c.faultAt(example.Pos, "example%s: want %s, got %s", strings.TrimPrefix(m.At, "body"), m.Want, m.Got)
	}
}

// listOf reads the values of an operator; of $oneOf only the first is given,
// the others are tested.
func listOf(c *operatorCall, others where, make func([]*Value) kind) kind {
	if c.arg.Kind != yaml.SequenceNode || len(c.arg.Content) == 0 {
		c.fault(c.arg, "%s: want a list of values, got %s", c.name, nodeWords(c.arg))
		return nil
	}
	var list []*Value
	in := c.in
	for _, n := range c.arg.Content {
		list = append(list, c.value(n, in))
		in = others
	}
	return make(list)
}

func (c *operatorCall) regex() kind {
	text := c.text(c.arg, c.name)
	k := &pattern{example: c.example()}
	c.needsExample(k.example)
	var err error
	if k.re, k.steps, err = compileRegexp(text); err != nil {
		c.fault(c.arg, "$regex: %s", err)
		return nil
	}
	c.accepted(k, k.example)
	return k
}

// compileRegexp takes the patterns of RE2 that are cheap to try, and tells how
// many steps they unfold into.
func compileRegexp(text string) (re *regexp.Regexp, steps int, err error) {
	if len(text) > maxPattern {
		return nil, 0, fmt.Errorf("a pattern of %d bytes; %d are taken", len(text), maxPattern)
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		why := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		if looksAround.MatchString(text) {
			why += "; patterns are RE2: nothing looks ahead, behind or back"
		}
		return nil, 0, errors.New(why)
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, 0, err
	}
	if steps = len(prog.Inst); steps > maxProgram {
		return nil, 0, fmt.Errorf("the pattern unfolds into %d steps; %d are taken", steps, maxProgram)
	}
	re, err = regexp.Compile(text)
	return re, steps, err
}

// looksAround finds what other regular expressions have and RE2 has not.
var looksAround = regexp.MustCompile(`\(\?<?[=!]|\\[1-9]`)

func (c *operatorCall) anycase() kind {
	text := c.text(c.arg, c.name)
	if strings.Contains(text, "{{") {
		c.fault(c.arg, "$anycase takes a text, no template")
	}
	return anycase{text}
}

func (c *operatorCall) numberText(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || !payload.ValidNumber(n.Value) {
		c.fault(n, "%s: want a number, got %s", what, nodeWords(n))
		return ""
	}
	return n.Value
}

func (c *operatorCall) number() kind {
	k := &number{example: c.numberText(c.arg, c.name)}
	if k.example == "" {
		return nil
	}
	for _, b := range []struct {
		name string
		to   *string
	}{{"min", &k.min}, {"max", &k.max}} {
		if n := c.options[b.name]; n != nil {
			*b.to = c.numberText(n, b.name)
		}
	}
	if n := c.options["integer"]; n != nil {
		k.integer = c.yes(n, "integer")
	}
	c.accepted(k, &Value{c.pos(c.arg), scalar{kind: payload.Number, text: k.example}})
	return k
}

func (c *operatorCall) yes(n *yaml.Node, what string) bool {
	if n.Value != "true" && n.Value != "false" || n.Kind != yaml.ScalarNode {
		c.fault(n, "%s: want true or false, got %s", what, nodeWords(n))
	}
	return n.Value == "true"
}

func (c *operatorCall) date() kind {
	text := c.text(c.arg, c.name)
	format, err := dateFormat(text)
	if err != nil {
		c.fault(c.arg, "$date: %s", err)
		return nil
	}
	k := &date{format: format}
	for _, b := range []struct {
		name string
		to   **bound
	}{{"after", &k.after}, {"until", &k.until}} {
		n := c.options[b.name]
		if n == nil {
			continue
		}
		*b.to = c.bound(n, b.name, format)
		if written, _ := format.Parse(format.Format(someDay)); !written.Truncate(24 * time.Hour).Equal(someDay) {
			c.fault(n, "%s: a date like %s does not tell the day", b.name, format)
		}
	}
	if k.example = c.example(); k.example != nil {
		s := &scope{work: allWork}
		if text, ok := k.example.asText(s); ok && !s.dynamic {
			if _, ok := format.Parse(text); !ok {
				c.faultAt(k.example.Pos, "example: %s is no date like %s", quote(text), format)
			} else {
				c.accepted(k, k.example)
			}
		}
	}
	return k
}

var someDay = time.Date(2016, 5, 11, 0, 0, 0, 0, time.UTC)

func (c *operatorCall) bound(n *yaml.Node, what string, format *payload.DateFormat) *bound {
	text := c.text(n, what)
	b := &bound{text: text}
	word, by, shifted := cutShift(text)
	switch {
	case text == "now":
		b.now = true
	case shifted && word == "now":
		sh, err := parseShift(by)
		if err != nil {
			c.fault(n, "%s: %s", what, err)
		}
		b.now, b.shift = true, sh
	default:
		t, ok := format.Parse(text)
		if !ok {
			if t, _, ok = payload.ParseAnyDate(text); !ok {
				c.fault(n, "%s: %s is neither now, now + 50d nor a date like %s", what, quote(text), format)
			}
		}
		b.fixed = t
	}
	if b.now && c.in.state {
		c.fault(n, "%s: the parameters of a provider state are compared with what stands here: want a date, got now", what)
	}
	return b
}

func (c *operatorCall) each() kind {
	k := &each{of: c.value(c.arg, c.in), max: -1}
	for _, b := range []struct {
		name string
		to   *int
	}{{"min", &k.min}, {"max", &k.max}} {
		n := c.options[b.name]
		if n == nil {
			continue
		}
		i, err := strconv.Atoi(n.Value)
		if err != nil || i < 0 || i > maxElements {
			c.fault(n, "%s: want a number from 0 to %d, got %s", b.name, maxElements, nodeWords(n))
			continue
		}
		*b.to = i
	}
	if k.max >= 0 && k.max < k.min {
		c.fault(c.options["max"], "max: %d is less than min", k.max)
	}
	return k
}

func (c *operatorCall) address(n *yaml.Node) Address {
	text := c.text(n, c.name)
	if text == "" {
		return Address{param: -1}
	}
	a, err := parseAddress(text, c.in)
	if err != nil {
		c.fault(n, "%s: %s", c.name, err)
	}
	c.note(n, &a)
	return a
}

func (c *operatorCall) loop() kind {
	k := &loop{over: c.address(c.arg)}
	in := c.in
	in.loop = true
	if n := c.options["when"]; n != nil {
		k.when = c.sentences(n, "when", in)
	}
	if n := c.options["set"]; n != nil {
		k.set = c.sentences(n, "set", in)
	}
	if n := c.options["give"]; n != nil {
		k.common = c.value(n, in)
	}
	if n := c.options["reverse"]; n != nil {
		k.reverse = c.yes(n, "reverse")
	}
	k.cases = c.loopCases(k.common, in)
	return k
}

// loopCases reads the cases of a loop.
func (c *operatorCall) loopCases(common *Value, in where) (all []loopCase) {
	n := c.options["cases"]
	switch {
	case n == nil && common == nil:
		c.faultAt(c.v.Pos, "%s: give says what to give for each element, or cases do, and neither is there", c.name)
	case n != nil && (n.Kind != yaml.SequenceNode || len(n.Content) == 0):
		c.fault(n, "cases: want a list, got %s", nodeWords(n))
	case n != nil:
		for i, each := range n.Content {
			all = append(all, c.loopCase(each, common, in))
			if len(all[i].when) == 0 && i < len(n.Content)-1 {
				c.fault(n.Content[i+1], "cases: this one is never reached: the one before it asks for nothing")
			}
		}
	}
	return all
}

func (c *operatorCall) loopCase(n *yaml.Node, common *Value, in where) loopCase {
	var k loopCase
	c.entries(n, "a case", func(name string, key, v *yaml.Node) {
		switch name {
		case "when":
			k.when = c.sentences(v, "when", in)
		case "set":
			if c.name == "$list" {
				c.fault(key, "$list: only $for has %s: let a $for under set remember what is wanted, and list that", quote(name))
				return
			}
			k.set = c.sentences(v, "set", in)
		case "give":
			k.own = c.value(v, in)
		default:
			c.unknown(key, "a case", name, caseKeys)
		}
	})
	k.give = c.overlay(common, k.own)
	return k
}

// overlay lays an object over another, once, when the file is read. What it
// makes is counted: a file can ask for much more than it has bytes.
func (p *parser) overlay(common, own *Value) *Value {
	if common == nil || own == nil {
		if own == nil {
			return common
		}
		return own
	}
	a, plainA := common.kind.(*object)
	b, plainB := own.kind.(*object)
	if !plainA || !plainB {
		return &Value{own.Pos, merge{common, own}}
	}
	was := p.laid
	if p.laid += len(a.names) + len(b.names); p.laid > MaxNodes {
		if was <= MaxNodes {
			p.faultAt(own.Pos, "cases: with the common give in each they have more than %d members: make it smaller, or them fewer", MaxNodes)
		}
		return own
	}
	o := &object{names: slices.Clone(a.names), values: slices.Clone(a.values)}
	at := make(map[string]int, len(a.names))
	for i, name := range a.names {
		at[name] = i
	}
	for i, name := range b.names {
		if j, common := at[name]; common {
			o.values[j] = b.values[i]
			continue
		}
		o.names = append(o.names, name)
		o.values = append(o.values, b.values[i])
	}
	return &Value{own.Pos, o}
}

func (c *operatorCall) unpaired() kind {
	k := &unpaired{of: c.address(c.arg)}
	if n := c.options["without"]; n != nil {
		k.without = c.text(n, "without")
		var err error
		if k.re, k.steps, err = compileRegexp(k.without); err != nil {
			c.fault(n, "without: %s", err)
			return nil
		}
	}
	return k
}

func (c *operatorCall) pairs() kind {
	k := &pairs{of: c.address(c.arg)}
	if n := c.options["only"]; n != nil {
		a := c.address(n)
		k.only = &a
	}
	if n := c.options["always"]; n != nil {
		if n.Kind != yaml.SequenceNode {
			c.fault(n, "always: want a list of names, got %s", nodeWords(n))
			return k
		}
		for _, name := range n.Content {
			k.always = append(k.always, c.text(name, "always"))
		}
	}
	return k
}
