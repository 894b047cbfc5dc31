package scenarios

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/oigmock/oigmock/schemas/payload"
	"gopkg.in/yaml.v3"
)

// The operators that give. None of them can stand where only tests may.

// maxElements bounds all loops of one answer together.
const maxElements = 20_000

// loop gives an array, one element for each there.
type loop struct {
	over    Address
	when    []Sentence
	set     []Sentence
	common  *Value // nil: the cases say all
	cases   []loopCase
	reverse bool
}

type loopCase struct {
	when []Sentence
	set  []Sentence
	own  *Value // as in the file
	give *Value // the own laid over the common one
}

func (o *loop) give(s *scope, v *Value, dst []byte) ([]byte, bool) {
	elements, ok := s.elements(&o.over)
	if !ok {
		return dst, false
	}
	if !s.spend(len(elements) * (allWork / maxElements)) {
		s.fail(v.Pos, "the loops of this answer have more than "+strconv.Itoa(maxElements)+" elements")
		return dst, false
	}
	outerItem, outerKey, outerFresh := s.item, s.key, s.fresh
	defer func() { s.item, s.key, s.fresh = outerItem, outerKey, outerFresh }()

	var pieces [][]byte
	for _, e := range elements {
		s.item, s.key, s.fresh = e.item, e.key, ""
		if s.err != nil {
			return dst, false
		}
		if !s.holds(o.when) {
			continue
		}
		value, set := o.common, []Sentence(nil)
		if len(o.cases) > 0 {
			i := slices.IndexFunc(o.cases, func(c loopCase) bool { return s.holds(c.when) })
			if i < 0 {
				continue
			}
			value, set = o.cases[i].give, o.cases[i].set
		}
		s.perform(o.set)
		if s.perform(set); s.err != nil {
			return dst, false
		}
		if value == nil {
			continue
		}
		if b, ok := value.give(s, nil); ok {
			pieces = append(pieces, b)
		}
	}
	if s.err != nil {
		return dst, false
	}
	if o.reverse {
		slices.Reverse(pieces)
	}
	dst = append(dst, '[')
	for i, b := range pieces {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, b...)
	}
	return append(dst, ']'), true
}

// An element is one of what a loop goes over.
type element struct{ key, item payload.Value }

// elements are those of an array, or the members of an object. What a loop
// sets does not change what it goes over.
func (s *scope) elements(over *Address) ([]element, bool) {
	if over.records {
		b := s.remembered(over)
		if k := b.kind(); k != payload.Array && k != payload.Object {
			return nil, false
		}
		all := make([]element, 0, b.len())
		for name, e := range b.members() {
			if !s.spend(1 + e.cost()) {
				return nil, false
			}
			key := payload.Text(name)
			if b.kind() == payload.Array {
				key = jsonValue([]byte(name))
			}
			all = append(all, element{key, e.value()})
		}
		return all, true
	}
	v := s.resolve(over)
	if k := v.Kind(); k != payload.Array && k != payload.Object {
		return nil, false
	}
	all := make([]element, 0, v.Len())
	for i, e := range v.Elems() {
		all = append(all, element{jsonValue(strconv.AppendInt(nil, int64(i), 10)), e})
	}
	for name, e := range v.Members() {
		all = append(all, element{payload.Text(name), e})
	}
	return all, true
}

// holds reports whether all that is asked of addresses is so. Where that costs
// too much to find out, the answer fails: it would be another one.
func (s *scope) holds(when []Sentence) bool {
	for i := range when {
		ok := when[i].Value.accepts(s, s.resolve(&when[i].At))
		if s.work <= 0 {
			s.fail(when[i].Value.Pos, "the answer costs too much to make")
		}
		if !ok {
			return false
		}
	}
	return true
}

func (o *loop) match(s *scope, v *Value, got payload.Value) { s.miss(v, got) }
func (o *loop) want(*scope) string                          { return "what $for gives" }
func (o *loop) write() *yaml.Node {
	n := operatorNode("$for", textNode(o.over.text))
	n = withSentences(n, "when", o.when)
	n = withSentences(n, "set", o.set)
	n = withOption(n, "give", o.common)
	n = withCases(n, o.cases)
	if o.reverse {
		n.Content = append(n.Content, textNode("reverse"), plainNode("!!bool", "true"))
	}
	return n
}

func withCases(n *yaml.Node, cases []loopCase) *yaml.Node {
	if len(cases) == 0 {
		return n
	}
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, c := range cases {
		m := &yaml.Node{Kind: yaml.MappingNode}
		m = withSentences(m, "when", c.when)
		m = withSentences(m, "set", c.set)
		m = withOption(m, "give", c.own)
		list.Content = append(list.Content, m)
	}
	n.Content = append(n.Content, textNode("cases"), list)
	return n
}

// merge gives one object, later members over earlier ones.
type merge []*Value

func (o merge) give(s *scope, v *Value, dst []byte) ([]byte, bool) {
	given := make([]payload.Value, 0, len(o))
	for _, part := range o {
		b, ok := part.give(s, nil)
		if !ok {
			continue
		}
		if !s.spend(4 + len(b)) {
			s.fail(v.Pos, "the answer costs too much to make")
			return dst, false
		}
		g := jsonValue(b)
		if g.Kind() != payload.Object {
			s.fail(part.Pos, "$merge takes objects, and this is "+describe(g))
			return dst, false
		}
		given = append(given, g)
	}
	n := len(dst)
	dst = mergeObjects(dst, given)
	if !s.spend((len(dst) - n) / 2) {
		s.fail(v.Pos, "the answer costs too much to make")
		return dst[:n], false
	}
	return dst, true
}

func mergeObjects(dst []byte, objects []payload.Value) []byte {
	var names []string
	members := map[string]payload.Value{}
	for _, o := range objects {
		for name, member := range o.Members() {
			if _, known := members[name]; !known {
				names = append(names, name)
			}
			members[name] = member
		}
	}
	dst = append(dst, '{')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(payload.Quote(dst, name), ':')
		dst = members[name].AppendJSON(dst)
	}
	return append(dst, '}')
}

func (o merge) match(s *scope, v *Value, got payload.Value) { s.miss(v, got) }
func (o merge) want(*scope) string                          { return "what $merge gives" }
func (o merge) write() *yaml.Node                           { return operatorNode("$merge", array(o).write()) }

// pairs gives an object as [{name, value}, …].
type pairs struct {
	of     Address
	only   *Address
	always []string
}

func (o *pairs) give(s *scope, v *Value, dst []byte) ([]byte, bool) {
	of := s.resolve(&o.of)
	if of.Kind() != payload.Object {
		return dst, false
	}
	chosen := func(string) bool { return true }
	if o.only != nil {
		if list := s.resolve(o.only); list.Kind() == payload.String {
			names := map[string]bool{}
			for name := range strings.SplitSeq(list.Text(), ",") {
				names[strings.TrimSpace(name)] = true
			}
			chosen = func(name string) bool { return names[name] || slices.Contains(o.always, name) }
		}
	}
	if !s.spend(1 + of.Len()) {
		s.fail(v.Pos, "the answer costs too much to make")
		return dst, false
	}
	dst = append(dst, '[')
	first := true
	for name, member := range of.Members() {
		if !chosen(name) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = payload.Quote(append(dst, `{"name":`...), name)
		dst = member.AppendJSON(append(dst, `,"value":`...))
		dst = append(dst, '}')
	}
	return append(dst, ']'), true
}
func (o *pairs) match(s *scope, v *Value, got payload.Value) { s.miss(v, got) }
func (o *pairs) want(*scope) string                          { return "what $pairs gives" }
func (o *pairs) write() *yaml.Node {
	n := operatorNode("$pairs", textNode(o.of.text))
	if o.only != nil {
		n.Content = append(n.Content, textNode("only"), textNode(o.only.text))
	}
	if len(o.always) > 0 {
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for _, name := range o.always {
			list.Content = append(list.Content, textNode(name))
		}
		n.Content = append(n.Content, textNode("always"), list)
	}
	return n
}

// unpaired gives [{name, value}, …] as an object; of two pairs with one name
// the later counts.
type unpaired struct {
	of      Address
	without string // as the file has it; "": none is left out
	re      *regexp.Regexp
	steps   int // that re unfolds into
}

func (o *unpaired) give(s *scope, v *Value, dst []byte) ([]byte, bool) {
	of := s.resolve(&o.of)
	if of.Kind() != payload.Array {
		return dst, false
	}
	if !s.spend(1 + of.Len()) {
		s.fail(v.Pos, "the answer costs too much to make")
		return dst, false
	}
	var names []string
	members := map[string]payload.Value{}
	for _, pair := range of.Elems() {
		name := pair.Member("name")
		value := pair.Member("value")
		if name.Kind() != payload.String || value.Kind() == payload.Absent {
			continue
		}
		if o.re != nil && (!s.spend(1+len(name.Text())*o.steps/64) || o.re.MatchString(name.Text())) {
			continue
		}
		if _, known := members[name.Text()]; !known {
			names = append(names, name.Text())
		}
		members[name.Text()] = value
	}
	if s.work <= 0 {
		s.fail(v.Pos, "the answer costs too much to make")
		return dst, false
	}
	dst = append(dst, '{')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = members[name].AppendJSON(append(payload.Quote(dst, name), ':'))
	}
	return append(dst, '}'), true
}
func (o *unpaired) match(s *scope, v *Value, got payload.Value) { s.miss(v, got) }
func (o *unpaired) want(*scope) string                          { return "what $object gives" }
func (o *unpaired) write() *yaml.Node {
	n := operatorNode("$object", textNode(o.of.text))
	if o.without != "" {
		n.Content = append(n.Content, textNode("without"), textNode(o.without))
	}
	return n
}

// problem gives the error body of OIG 12.2.1.3 and later: the only one that
// Oracle shows anywhere.
type problem struct{ title, instance *Value }

func (o *problem) give(s *scope, _ *Value, dst []byte) ([]byte, bool) {
	title, ok := o.title.asText(s)
	if !ok {
		return dst, false
	}
	dst = payload.Quote(append(dst, `{"title":`...), title)
	dst = strconv.AppendInt(append(dst, `,"status":`...), int64(s.status), 10)
	dst = payload.Quote(append(dst, `,"detail":`...), title)
	if o.instance != nil {
		if instance, ok := o.instance.asText(s); ok {
			dst = payload.Quote(append(dst, `,"instance":`...), instance)
		}
	}
	s.dynamic = true
	referer := s.env.URL
	if s.req != nil {
		referer += s.req.Path
		if s.req.Query != "" {
			referer += "?" + s.req.Query
		}
	}
	dst = payload.Quote(append(dst, `,"referer":`...), referer)
	return append(dst, '}'), true
}
func (o *problem) match(s *scope, v *Value, got payload.Value) { s.miss(v, got) }
func (o *problem) want(*scope) string                          { return "what $error gives" }
func (o *problem) write() *yaml.Node {
	return operatorNode("$error", o.title.kind.write(), "instance", o.instance)
}
