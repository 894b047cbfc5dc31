package scenarios

import (
	"errors"
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/oigmock/oigmock/schemas/payload"
	"gopkg.in/yaml.v3"
)

// A list is OIG's: a page of what is at an address, in an envelope that links
// to the other pages. Which page, the query of the request says.
type list struct {
	over   Address
	when   []Sentence
	common *Value     // nil: the cases say all
	cases  []loopCase // that set nothing
	as     string     // the array's key; "": the last step of the address
	links  []string   // in that order; nil: linksUnsaid
}

var (
	listLinks   = []string{"bare", "self", "first", "next"}
	linksUnsaid = listLinks[1:]
	listMembers = []string{"links", "count", "hasMore", "totalResult"} // besides the array
)

func (c *operatorCall) list() kind {
	k := &list{over: c.address(c.arg)}
	if c.in.seeds {
		c.faultAt(c.v.Pos, "$list: it reads the request, and there is none yet when records are seeded")
	}
	in := c.in
	in.loop = true
	if n := c.options["when"]; n != nil {
		k.when = c.sentences(n, "when", in)
	}
	if n := c.options["give"]; n != nil {
		k.common = c.value(n, in)
	}
	k.cases = c.loopCases(k.common, in)
	at := c.v.Pos
	if n := c.options["as"]; n != nil {
		k.as, at = c.text(n, "as"), c.pos(n)
	}
	switch name := k.array(); {
	case strings.Contains(name, "{{"):
		c.faultAt(at, "as: a name is no template")
	case name == "" && c.options["as"] == nil:
		c.faultAt(at, "as: say what the array is called")
	case slices.Contains(listMembers, name):
		c.faultAt(at, "as: %s stands beside the array; say what the array is called", name)
	}
	if n := c.options["links"]; n != nil {
		if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
			c.fault(n, "links: want a list of %s, got %s", strings.Join(listLinks, ", "), nodeWords(n))
			return k
		}
		for _, each := range n.Content {
			word := c.word(each, "links", listLinks)
			if slices.Contains(k.links, word) {
				c.fault(each, "links: %s is said twice", word)
			}
			k.links = append(k.links, word)
		}
	}
	return k
}

// array is the key of the array; "" where the file does not tell it.
func (o *list) array() string {
	switch n := len(o.over.steps); {
	case o.as != "":
		return o.as
	case n == 0:
		return o.over.room
	default:
		return o.over.steps[n-1].text
	}
}

// A list is given where nothing is, too: clients look for its envelope.
func (o *list) give(s *scope, v *Value, dst []byte) ([]byte, bool) {
	s.dynamic = true
	p, err := s.page()
	if err != nil {
		if s.fail(v.Pos, err.Error()); s.err != nil {
			s.err.Query = true
		}
		return dst, false
	}
	rows, is := s.rows(&o.over)
	if is != payload.Absent && is != payload.Array && is != payload.Object {
		s.fail(v.Pos, "$list goes over an array or an object, and at "+shorten(o.over.text)+" a "+is.String()+" stands")
		return dst, false
	}
	outerItem, outerKey, outerFresh := s.item, s.key, s.fresh
	defer func() { s.item, s.key, s.fresh = outerItem, outerKey, outerFresh }()

	chosen := len(o.when) > 0 || len(o.cases) > 0 || p.filter != nil // else a row is passed over unseen
	var given []byte
	found, count, more := 0, 0, false
	for r := range rows {
		if s.err != nil || !s.spend(1+len(r.name)/64) {
			break
		}
		value := o.common
		if chosen {
			if s.item = s.valueOf(&r); p.filter != nil && !p.filter.accepts(s, s.item) {
				continue
			}
			if s.key, s.fresh = r.key(), ""; !s.holds(o.when) {
				continue
			}
			if len(o.cases) > 0 {
				i := slices.IndexFunc(o.cases, func(c loopCase) bool { return s.holds(c.when) })
				if i < 0 || o.cases[i].give == nil {
					continue
				}
				value = o.cases[i].give
			}
		}
		if found++; found < p.offset {
			continue
		}
		if more = found-p.offset == p.limit; more || !s.spend(allWork/maxElements) {
			break
		}
		if !chosen {
			s.item, s.key, s.fresh = s.valueOf(&r), r.key(), ""
		}
		n := len(given)
		if n > 0 {
			given = append(given, ',')
		}
		var ok bool
		if given, ok = value.give(s, given); !ok {
			given = given[:n]
			continue
		}
		count++
	}
	if !s.spend(1 + len(given)/16) {
		s.fail(v.Pos, "the answer costs too much to make")
	}
	if s.err != nil {
		return dst, false
	}
	dst = append(o.appendLinks(s, append(dst, `{"links":`...), p, more), `,"count":`...)
	dst = strconv.AppendInt(dst, int64(count), 10)
	dst = strconv.AppendBool(append(dst, `,"hasMore":`...), more)
	dst = append(dst, `,"totalResult":-1,`...) // never a number in what real ones answered
	dst = append(payload.Quote(dst, o.array()), ":["...)
	return append(append(dst, given...), "]}"...), true
}

func (o *list) appendLinks(s *scope, dst []byte, p *page, more bool) []byte {
	links := o.links
	if links == nil {
		links = linksUnsaid
	}
	dst = append(dst, '[')
	for _, word := range links {
		rel, query := word, ""
		switch word {
		case "bare":
			rel = "self"
		case "self":
			query = p.query(p.offset)
		case "first":
			query = p.query(1)
		case "next":
			if !more {
				continue
			}
			query = p.query(p.offset + p.limit)
		}
		if dst[len(dst)-1] != '[' {
			dst = append(dst, ',')
		}
		href := s.env.URL
		if s.req != nil {
			href += s.req.Path
		}
		dst = payload.Quote(append(dst, `{"rel":`...), rel)
		dst = append(payload.Quote(append(dst, `,"href":`...), href+query), '}')
	}
	return append(dst, ']')
}

// A page is which elements of a list are asked for.
type page struct {
	offset, limit int    // the offset counts from one
	filter        filter // nil: all of them
	own           string // the other parameters as links have them, each with & behind it
	q             string // with & before it, or ""
}

// The greatest offset and limit are assumed: Oracle documents none, and no
// client was seen to ask for more.
const (
	maxOffset = 1 << 30
	maxLimit  = 10_000
)

// page reads the query: the first offset, limit and q of it. What OIG makes of
// those that are malformed is not documented. Here such an offset or limit is
// as good as none, like a parameter that is not known; but such a q is a fault,
// since a list that is not filtered, or is empty, would pass for the right one.
func (s *scope) page() (*page, error) {
	p := &page{offset: 1, limit: 10}
	if s.req == nil {
		return p, nil
	}
	if !s.spend(1 + len(s.req.Query)/4) {
		return p, nil // the list fails for it
	}
	var own strings.Builder
	for _, each := range s.req.pairs("query") {
		if name := each.name; name != "offset" && name != "limit" && name != "q" {
			own.WriteString(queryEscape(name) + "=" + queryEscape(each.value) + "&")
		}
	}
	p.own = own.String()
	text, _ := s.req.text("query", "offset")
	p.offset = max(wholeNumber(text, maxOffset), 1) // one sample of Oracle's has 0, for the first page
	text, _ = s.req.text("query", "limit")
	if n := wholeNumber(text, maxLimit); n > 0 {
		p.limit = n
	}
	q, _ := s.req.text("query", "q")
	if strings.Trim(q, filterBlanks) == "" {
		return p, nil
	}
	var err error
	if p.filter, err = parseFilter(q); err != nil {
		return nil, errors.New("the q of the request: " + err.Error())
	}
	p.q = "&q=" + queryEscape(q)
	return p, nil
}

// query is that of a link: OIG puts q behind all others.
func (p *page) query(offset int) string {
	return "?" + p.own + "offset=" + strconv.Itoa(offset) + "&limit=" + strconv.Itoa(p.limit) + p.q
}

// wholeNumber reads digits, up to the greatest number that counts; 0 for what
// else there may be.
func wholeNumber(text string, greatest int) int {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil { // too many digits
		return greatest
	}
	return min(n, greatest)
}

// queryEscape leaves as they are only the characters that RFC 3986 does not
// reserve.
func queryEscape(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

// A row is one of what a list goes over. Most rows of a long list are passed
// over, so neither its value nor its key is made before it is asked for.
type row struct {
	name  string        // of a member
	index int           // of an element; -1: it is a member
	of    *branch       // where it is remembered
	item  payload.Value // where it is not
}

// rows are the elements of an array or the members of an object at an address,
// and of what kind that is.
func (s *scope) rows(over *Address) (iter.Seq[row], payload.Kind) {
	if over.records {
		b := s.remembered(over)
		return func(yield func(row) bool) {
			n := 0
			for name, of := range b.members() {
				r := row{name: name, index: -1, of: of}
				if b.kind() == payload.Array {
					r.index = n
				}
				if n++; !yield(r) {
					return
				}
			}
		}, b.kind()
	}
	v := s.resolve(over)
	return func(yield func(row) bool) {
		for i, e := range v.Elems() {
			if !yield(row{index: i, item: e}) {
				return
			}
		}
		for name, e := range v.Members() {
			if !yield(row{name: name, index: -1, item: e}) {
				return
			}
		}
	}, v.Kind()
}

func (s *scope) valueOf(r *row) payload.Value {
	if r.of == nil || !s.spend(r.of.cost()) {
		return r.item
	}
	return r.of.value()
}

func (r *row) key() payload.Value {
	if r.index >= 0 {
		return jsonValue(strconv.AppendInt(nil, int64(r.index), 10))
	}
	return payload.Text(r.name)
}

func (o *list) match(s *scope, v *Value, got payload.Value) { s.miss(v, got) }
func (o *list) want(*scope) string                          { return "what $list gives" }
func (o *list) write() *yaml.Node {
	n := operatorNode("$list", textNode(o.over.text))
	n = withSentences(n, "when", o.when)
	n = withOption(n, "give", o.common)
	n = withCases(n, o.cases)
	if o.as != "" {
		n.Content = append(n.Content, textNode("as"), textNode(o.as))
	}
	if o.links != nil {
		links := &yaml.Node{Kind: yaml.SequenceNode}
		for _, word := range o.links {
			links.Content = append(links.Content, textNode(word))
		}
		n.Content = append(n.Content, textNode("links"), links)
	}
	return n
}
