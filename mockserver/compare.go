package mockserver

import (
	"cmp"
	"fmt"
	"go/token"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
	"github.com/oigmock/oigmock/schemas/didyoumean"
)

// A Difference is one thing that two releases have otherwise.
type Difference struct {
	Operation      string // "PUT /a/{b}", as the one release has it, or else the other
	Kind           string // "operation", "request-member", "response-member", "required", "type", "word", "format", "status", "header"; of a call also "contract"
	Place          string // "request /id", with * for any item; "response header ResponseTime", "response status"; "" for the operation
	From, To       string // what it was, and what it is; "" for nothing
	Text           string // both in words: `"OK" becomes "SUCCESS"`
	Breaking       bool   // a client can fail by it; else it only adds something
	FromPos, ToPos token.Position
}

// Pos is the line that makes the difference: of the release to come, if it
// says something.
func (d *Difference) Pos() token.Position {
	if d.ToPos.IsValid() {
		return d.ToPos
	}
	return d.FromPos
}

// String is the difference without its operation, in one line.
func (d *Difference) String() string {
	text := d.Text
	if d.Place != "" {
		text = d.Place + ": " + text
	}
	if at := d.Pos(); at.IsValid() {
		text += " (" + at.String() + ")"
	}
	return text
}

// A Comparison is two releases of OIG, side by side. The contracts say what
// payloads look like; which headers are asked for, and which all answers carry,
// the scenarios say, where a server has it from, too.
type Comparison struct {
	from, to *side
	pairs    map[*schemas.Operation]*pair // by that of from
}

// A side is one of the two.
type side struct {
	*catalog
	demands []headerRule // headers without which a request is refused
	adds    []headerRule // headers that all answers carry
}

// A headerRule is an interaction that speaks of a header.
type headerRule struct {
	name   string
	status string // that its lack is answered by
	by     *scenarios.Interaction
	pos    token.Position
}

// Compare puts two releases side by side. Of a Config it reads Contract,
// Scenarios and Release.
func Compare(from, to Config) *Comparison {
	return &Comparison{newSide(from), newSide(to), map[*schemas.Operation]*pair{}}
}

func newSide(cfg Config) *side {
	s := &side{catalog: newCatalog(cfg.Contract, cfg.Scenarios, cfg.Release, time.Now(), nil)}
	for _, sc := range s.list {
		if len(sc.Given) > 0 { // it sleeps
			continue
		}
		for _, i := range sc.Interactions {
			if len(i.When) > 0 || i.Chance != 0 || i.Beyond != nil || len(i.Responses) == 0 {
				continue
			}
			if i.Adds {
				for _, h := range i.Responses[0].Header {
					if len(h.Values) == 0 {
						continue
					}
					s.adds = append(s.adds, headerRule{name: http.CanonicalHeaderKey(h.Name), by: i, pos: h.Values[0].Pos})
				}
				continue
			}
			status, _ := i.Responses[0].Status.Literal()
			if i.Order != scenarios.First || status < "400" {
				continue
			}
			for name, pos := range i.Request.LackedHeaders() {
				s.demands = append(s.demands, headerRule{name, status, i, pos})
			}
		}
	}
	return s
}

// rulesFor are those whose interaction is for a request.
func rulesFor(rules []headerRule, r *scenarios.Request, user string) (all []headerRule) {
	for _, h := range rules {
		known := slices.ContainsFunc(all, func(o headerRule) bool { return o.name == h.name })
		if !known && len(h.by.Match(r, scenarios.Env{User: user})) == 0 {
			all = append(all, h)
		}
	}
	return all
}

// missing are the rules about headers of which others do not speak.
func missing(rules, others []headerRule) []headerRule {
	return slices.DeleteFunc(slices.Clone(rules), func(h headerRule) bool {
		return slices.ContainsFunc(others, func(o headerRule) bool { return o.name == h.name })
	})
}

// Differences lists all that differs, by path and method.
func (c *Comparison) Differences() []Difference {
	var all []Difference
	for _, f := range operations(c.from) {
		all = append(all, c.pair(f).differences()...)
	}
	for _, t := range operations(c.to) {
		if c.from.counterpart(t) == nil {
			all = append(all, Difference{Operation: operationName(t), Kind: "operation", To: operationName(t), Text: "is new", ToPos: t.Pos()})
		}
	}
	slices.SortStableFunc(all, func(a, b Difference) int {
		am, ap, _ := strings.Cut(a.Operation, " ")
		bm, bp, _ := strings.Cut(b.Operation, " ")
		return cmp.Or(strings.Compare(ap, bp), strings.Compare(am, bm))
	})
	return all
}

// Sources say what an operation rests on in the two releases, "" where no file
// says or there is none.
func (c *Comparison) Sources(operation string) (from, to string) {
	for i, s := range []*side{c.from, c.to} {
		for _, o := range operations(s) {
			if operationName(o) == operation {
				if i == 0 {
					from = o.Source
					if t := c.to.counterpart(o); t != nil {
						to = t.Source
					}
				} else if to == "" {
					to = o.Source
				}
			}
		}
	}
	return from, to
}

func operations(s *side) []*schemas.Operation {
	if s.contract == nil {
		return nil
	}
	return s.contract.Operations()
}

func operationName(o *schemas.Operation) string { return o.Method + " " + o.Path }

var pathParameter = regexp.MustCompile(`\{[^/]*\}`)

// counterpart is the operation with the same method and path, whatever the
// parameters are called.
func (s *side) counterpart(of *schemas.Operation) *schemas.Operation {
	shape := pathParameter.ReplaceAllString(of.Path, "{}")
	for _, o := range operations(s) {
		if o.Method == of.Method && pathParameter.ReplaceAllString(o.Path, "{}") == shape {
			return o
		}
	}
	return nil
}

// A pair is an operation in both releases.
type pair struct {
	c        *Comparison
	from, to *schemas.Operation // to is nil where it is gone
	name     string

	request *portion         // as it was
	asks    *portion         // as it is
	asked   []Difference     // of the request
	answers map[int]*portion // as they were, by status
	told    []Difference     // of the answers so far
}

func (c *Comparison) pair(f *schemas.Operation) *pair {
	p := c.pairs[f]
	if p == nil {
		p = &pair{c: c, from: f, to: c.to.counterpart(f), name: operationName(f), answers: map[int]*portion{}}
		c.pairs[f] = p
		if p.to != nil {
			d := differ{p: p, place: "request"}
			p.asks = treeOf(p.to.RequestMembers())
			p.request = d.payloads(treeOf(f.RequestMembers()), p.asks)
			p.asked = d.found
		}
	}
	return p
}

// answer is what the answer of a status was like, and by then what it is.
func (p *pair) answer(status int) *portion {
	root, known := p.answers[status]
	if !known {
		d := differ{p: p, place: "response", answer: true}
		f, t := generally(p.from, status), generally(p.to, status)
		if status >= 300 { // of those the documentation says too little to miss a schema
			d.place += " " + strconv.Itoa(status)
			if f == nil || t == nil {
				f, t = nil, nil
			}
		}
		root = d.payloads(treeOf(f), treeOf(t))
		p.answers[status] = root
		p.told = append(p.told, d.found...)
	}
	return root
}

// generally are the members of an answer. Where there is no general schema for
// 2xx, it is that of the first.
func generally(o *schemas.Operation, status int) []schemas.Member {
	list := o.ResponseMembers(status)
	for _, other := range o.ResponseSchemas() {
		if list == nil && status == 0 && other/100 == 2 {
			list = o.ResponseMembers(other)
		}
	}
	return list
}

func (p *pair) differences() []Difference {
	if p.to == nil {
		return []Difference{p.gone()}
	}
	all := p.headers()
	all = append(all, p.asked...)
	statuses := append(p.from.ResponseSchemas(), p.to.ResponseSchemas()...)
	slices.Sort(statuses)
	for _, status := range slices.Compact(statuses) {
		p.answer(status)
	}
	all = append(all, p.told...)
	if len(p.from.Statuses) > 0 && len(p.to.Statuses) > 0 {
		for _, status := range p.from.Statuses {
			if d, gone := p.status(status); gone {
				all = append(all, d)
			}
		}
		for _, status := range p.to.Statuses {
			if !slices.Contains(p.from.Statuses, status) {
				all = append(all, Difference{Operation: p.name, Kind: "status", Place: "response status", To: strconv.Itoa(status),
					Text: strconv.Itoa(status) + " is new", FromPos: p.from.Pos(), ToPos: p.to.Pos()})
			}
		}
	}
	// Two statuses may have one schema.
	said := map[string]bool{}
	return slices.DeleteFunc(all, func(d Difference) bool {
		key := d.Kind + " " + d.Place + " " + d.Text
		defer func() { said[key] = true }()
		return said[key]
	})
}

func (p *pair) gone() Difference {
	d := Difference{Operation: p.name, Kind: "operation", From: p.name, Text: "is gone", Breaking: true, FromPos: p.from.Pos()}
	shape := pathParameter.ReplaceAllString(p.from.Path, "{}")
	var others []string
	for _, o := range operations(p.c.to) {
		if pathParameter.ReplaceAllString(o.Path, "{}") == shape {
			others = append(others, o.Method)
		}
	}
	if len(others) > 0 {
		d.Text += "; " + p.c.to.release + " has " + strings.Join(others, ", ") + " there"
	}
	return d
}

// status tells whether an answer was documented, and is not.
func (p *pair) status(status int) (Difference, bool) {
	text := strconv.Itoa(status)
	return Difference{Operation: p.name, Kind: "status", Place: "response status", From: text, Breaking: true,
			Text: text + " is not documented in " + p.c.to.release, FromPos: p.from.Pos(), ToPos: p.to.Pos()},
		len(p.to.Statuses) > 0 && slices.Contains(p.from.Statuses, status) && !slices.Contains(p.to.Statuses, status)
}

// headers compares what is asked of a request that has none, and what its
// answer carries.
func (p *pair) headers() (all []Difference) {
	bare := func(o *schemas.Operation) *scenarios.Request {
		return &scenarios.Request{Method: o.Method, Path: strings.NewReplacer("{", "", "}", "").Replace(o.Path)}
	}
	const user = "somebody"
	from, to := rulesFor(p.c.from.demands, bare(p.from), user), rulesFor(p.c.to.demands, bare(p.to), user)
	for _, h := range missing(to, from) {
		all = append(all, p.demanded(h))
	}
	for _, h := range missing(from, to) {
		all = append(all, Difference{Operation: p.name, Kind: "header", Place: "request header " + h.name, From: h.name,
			Text: "is no longer asked for", FromPos: h.pos})
	}
	from, to = rulesFor(p.c.from.adds, bare(p.from), user), rulesFor(p.c.to.adds, bare(p.to), user)
	for _, h := range missing(from, to) {
		all = append(all, p.withheld(h))
	}
	for _, h := range missing(to, from) {
		all = append(all, Difference{Operation: p.name, Kind: "header", Place: "response header " + h.name, To: h.name, Text: "is new", ToPos: h.pos})
	}
	return all
}

func (p *pair) demanded(h headerRule) Difference {
	return Difference{Operation: p.name, Kind: "header", Place: "request header " + h.name, To: h.name, Breaking: true,
		Text: "must be sent; without it the answer is " + h.status, ToPos: h.pos}
}

func (p *pair) withheld(h headerRule) Difference {
	return Difference{Operation: p.name, Kind: "header", Place: "response header " + h.name, From: h.name, Breaking: true,
		Text: "is gone", FromPos: h.pos}
}

// A portion is a member with what lies below it.
type portion struct {
	schemas.Member
	names []string // as they stand in At, in the order of the files
	below map[string]*portion

	now              *portion    // what it is in the other release; nil: it is not there
	lost             *Difference // its name is
	word, form, kind *Difference
}

// treeOf is nil where there are no members.
func treeOf(list []schemas.Member) *portion {
	at := map[string]*portion{}
	for _, m := range list {
		p := &portion{Member: m, below: map[string]*portion{}}
		at[m.At] = p
		if i := strings.LastIndexByte(m.At, '/'); i >= 0 && at[m.At[:i]] != nil {
			parent, name := at[m.At[:i]], m.At[i+1:]
			parent.names = append(parent.names, name)
			parent.below[name] = p
		}
	}
	return at[""]
}

// child is the portion for a member, or an item.
func (p *portion) child(step string) *portion {
	if c := p.below[step]; c != nil {
		return c
	}
	return p.below["*"]
}

// A differ compares two payloads.
type differ struct {
	p      *pair
	place  string
	answer bool
	found  []Difference
}

func (d *differ) add(at string, x Difference) *Difference {
	x.Operation, x.Place = d.p.name, d.place
	if at != "" {
		x.Place += " " + at
	}
	d.found = append(d.found, x)
	return &x
}

// payloads returns what was, and how it is now.
func (d *differ) payloads(f, t *portion) *portion {
	switch {
	case f != nil && t != nil:
		d.parts(f, t)
		return f
	case f != nil:
		d.add("", Difference{Kind: d.member(), Text: "is not described in " + d.p.c.to.release, FromPos: f.Pos})
	case t != nil && !d.answer:
		d.add("", Difference{Kind: "required", To: "a JSON body", Text: "a JSON body must be sent now", Breaking: true, ToPos: t.Pos})
	case t != nil:
		d.add("", Difference{Kind: d.member(), Text: "is described from " + d.p.c.to.release + " on", ToPos: t.Pos})
	}
	return nil
}

func (d *differ) member() string {
	if d.answer {
		return "response-member"
	}
	return "request-member"
}

// parts compares two places, and what lies below.
func (d *differ) parts(f, t *portion) {
	f.now = t
	d.one(f, t)
	if len(t.below) == 0 { // nothing is said of what is in it
		return
	}
	var gone, added []*portion
	for _, name := range f.names {
		if t.below[name] == nil && name != "*" {
			gone = append(gone, f.below[name])
		}
	}
	for _, name := range t.names {
		if f.below[name] == nil && name != "*" {
			added = append(added, t.below[name])
		}
	}
	for _, name := range f.names {
		g := f.below[name]
		switch other := t.below[name]; {
		case other != nil:
			d.parts(g, other)
			continue
		case name == "*":
			continue
		}
		x := Difference{Kind: d.member(), From: lastStep(g.At), Breaking: true, Text: "is gone", FromPos: g.Pos}
		heir, sure := successor(g, gone, added)
		if heir != nil {
			x.To, x.ToPos = lastStep(heir.At), heir.Pos
			x.Text = fmt.Sprintf("%q is now %q", x.From, x.To)
			if !sure {
				x.Text = fmt.Sprintf("%q is gone; did you mean %q?", x.From, x.To)
			}
			added = slices.DeleteFunc(added, func(p *portion) bool { return p == heir })
		}
		g.lost = d.add(g.At, x)
		if heir != nil {
			d.parts(g, heir)
		}
	}
	for _, n := range added {
		x := Difference{Kind: d.member(), To: lastStep(n.At), Text: "is new", ToPos: n.Pos}
		if n.Required && !d.answer {
			x.Kind, x.Text, x.Breaking = "required", "must be there now", true
		}
		d.add(n.At, x)
	}
}

// successor is the member that stands in the place of one that is gone: the only
// one that is always there, as that was, or one of a name much alike. It is sure
// where both are always there.
func successor(g *portion, gone, added []*portion) (heir *portion, sure bool) {
	always := func(list []*portion) (all []*portion) {
		for _, p := range list {
			if p.Required {
				all = append(all, p)
			}
		}
		return all
	}
	if was, is := always(gone), always(added); g.Required && len(was) == 1 && len(is) == 1 && sameTypes(g, is[0]) {
		return is[0], true
	}
	for _, p := range added {
		if sameTypes(g, p) && didyoumean.Hint(lastStep(g.At), []string{lastStep(p.At)}) != "" {
			if heir != nil {
				return nil, false
			}
			heir = p
		}
	}
	return heir, heir != nil && g.Required && heir.Required
}

func sameTypes(a, b *portion) bool {
	return len(a.Types) == 0 || len(b.Types) == 0 || slices.ContainsFunc(a.Types, func(of string) bool { return takesType(b.Types, of) })
}

// lastStep is the last of a pointer, as the member is called.
func lastStep(at string) string {
	return pointerText.Replace(at[strings.LastIndexByte(at, '/')+1:])
}

var pointerText = strings.NewReplacer("~1", "/", "~0", "~")

func takesType(types []string, of string) bool {
	return len(types) == 0 || slices.Contains(types, of) || of == "integer" && slices.Contains(types, "number")
}

// one compares what is said of one place itself.
func (d *differ) one(f, t *portion) {
	x := Difference{FromPos: f.Pos, ToPos: t.Pos}
	if len(f.Types) > 0 && len(t.Types) > 0 && !slices.Equal(slices.Sorted(slices.Values(f.Types)), slices.Sorted(slices.Values(t.Types))) {
		was, is := f.Types, t.Types // a client must send what is taken, and take what is sent
		if d.answer {
			was, is = is, was
		}
		x := x
		x.Kind, x.From, x.To = "type", strings.Join(f.Types, " or "), strings.Join(t.Types, " or ")
		x.Text = x.From + " becomes " + x.To
		x.Breaking = slices.ContainsFunc(was, func(of string) bool { return !takesType(is, of) })
		f.kind = d.add(f.At, x)
	}
	if f.Format != t.Format {
		x := x
		x.Kind, x.From, x.To = "format", f.Format, t.Format
		switch {
		case f.Format == "":
			x.Text, x.Breaking = "must be of the form "+t.Format+" now", !d.answer
			if d.answer {
				x.Text = "is of the form " + t.Format + " now"
			}
		case t.Format == "":
			x.Text = "need not be of the form " + f.Format
		default:
			x.Text, x.Breaking = fmt.Sprintf("the form %s becomes %s", f.Format, t.Format), true
		}
		f.form = d.add(f.At, x)
	}
	if was, is := wordsOf(f), wordsOf(t); f.Format == "" && t.Format == "" && len(was) > 0 && len(is) > 0 {
		gone, added := without(was, is), without(is, was)
		x := x
		x.Kind, x.From, x.To = "word", strings.Join(was, ", "), strings.Join(is, ", ")
		// An example of a request does not say what else is taken; what an
		// answer is printed with, it is known to hold.
		switch closed := f.Closed && t.Closed; {
		case len(gone) > 0 && (d.answer || t.Closed):
			x.Text, x.Breaking = becomes(gone, added), true
			f.word = d.add(f.At, x)
		case len(added) > 0 && (d.answer || closed):
			x.Text = quoteAll(added, ", ") + " is new"
			f.word = d.add(f.At, x)
		}
	}
	if d.answer && f.Required && !t.Required && f.At != "" {
		x := x
		x.Kind, x.From, x.Text, x.Breaking = "required", "always there", "may be missing now", true
		d.add(f.At, x)
	}
	if !d.answer && !f.Required && t.Required {
		x := x
		x.Kind, x.To, x.Text, x.Breaking = "required", "always there", "must be there now", true
		d.add(f.At, x)
	}
}

// wordForm tells the words of a vocabulary from other examples, such as ids
// and addresses: of those another one means nothing.
var wordForm = regexp.MustCompile(`^ ?[A-Za-z]+([ _-][A-Za-z]+){0,4} ?$`)

func wordsOf(p *portion) []string {
	if p.Closed {
		return p.Words
	}
	return slices.DeleteFunc(slices.Clone(p.Words), func(text string) bool { return !wordForm.MatchString(text) })
}

func without(list, others []string) (all []string) {
	for _, text := range list {
		if !slices.Contains(others, text) {
			all = append(all, text)
		}
	}
	return all
}

func becomes(gone, added []string) string {
	switch {
	case len(added) == 0:
		return quoteAll(gone, ", ") + " is gone"
	case len(gone) == 1:
		return quoteAll(gone, ", ") + " becomes " + quoteAll(added, " or ")
	}
	return quoteAll(gone, ", ") + " become " + quoteAll(added, " or ")
}

func quoteAll(list []string, between string) string {
	all := make([]string, len(list))
	for i, text := range list {
		all[i] = strconv.Quote(text)
	}
	return strings.Join(all, between)
}
