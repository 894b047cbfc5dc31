package mockserver

import (
	"fmt"
	"go/token"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
	"github.com/oigmock/oigmock/schemas/payload"
)

// A Call is a request that was made to one release, and what it was answered,
// wherever that is written down: a journal, a scenario, what others record.
type Call struct {
	Request  *scenarios.Request
	Response *scenarios.Response // nil: it was not OIG that answered
	User     string
	Release  string // it was made to; "": that is not said, and is taken to be the old one

	RequestCut, ResponseCut bool // of the body only the beginning is known
	MaySendMore             bool // it is an example: what headers it lacks is not said

	// Pos is where a part of it stands: "request /id/0", "response header Date",
	// "response status", "" for the call itself. Of what is not there it is what
	// it would be part of.
	Pos func(place string) token.Position
}

// A Break is how a call breaks: a difference, and the line where the call
// meets it.
type Break struct {
	Difference
	Pos  token.Position
	More int // how often the same is met further on in the call
}

// String is the break in one line.
func (b *Break) String() string {
	text := b.Pos.String() + ": " + b.Operation + ": " + b.Difference.String()
	if b.More > 0 {
		text += fmt.Sprintf(", and %d more here", b.More)
	}
	return text
}

// Breaks lists how a call breaks. It reports false where the call did not go to
// an operation of the release it was made to.
func (c *Comparison) Breaks(call *Call) ([]Break, bool) {
	f := c.from.operationOf(call.Request)
	if f == nil || call.Release != "" && call.Release != c.from.release {
		return nil, false
	}
	j := &judge{call: call, pair: c.pair(f), met: map[string]int{}}
	if j.pair.to == nil {
		j.add("", "", j.pair.gone())
		return j.found, true
	}
	j.headers()
	if !call.RequestCut {
		j.request()
	}
	if call.Response != nil {
		j.response()
	}
	return j.found, true
}

// operationOf is the operation that a request goes to, or nil.
func (c *catalog) operationOf(r *scenarios.Request) *schemas.Operation {
	rt := c.route(r.Path)
	if rt == nil || rt.tables[r.Method] == nil {
		return nil
	}
	return rt.tables[r.Method].operation
}

// A judge collects how one call breaks.
type judge struct {
	call  *Call
	pair  *pair
	found []Break
	met   map[string]int  // what was found, by difference
	named map[string]bool // what is missing under a new name, told of the old one
}

// add notes a difference that the call meets at a place. A list has it many
// times: then it is told of the first.
func (j *judge) add(place, pattern string, d Difference) {
	key := d.Kind + " " + pattern + " " + d.Text
	if i, known := j.met[key]; known {
		j.found[i].More++
		return
	}
	j.met[key] = len(j.found)
	if place != "" {
		d.Place = place
	}
	d.Breaking = true
	j.found = append(j.found, Break{Difference: d, Pos: j.call.Pos(place)})
}

func (j *judge) headers() {
	if j.call.MaySendMore {
		return
	}
	c, r := j.pair.c, j.call.Request
	for _, h := range missing(rulesFor(c.to.demands, r, j.call.User), rulesFor(c.from.demands, r, j.call.User)) {
		j.add("request header "+h.name, h.name, j.pair.demanded(h))
	}
}

// request holds the request against both contracts: what breaks the one and
// broke the other, too, is no difference.
func (j *judge) request() {
	r := j.call.Request
	j.named = map[string]bool{}
	body := r.JSON()
	if f := j.pair.request; f != nil && body.Kind() != payload.Absent {
		j.walk("request", "", body, f, false)
	}
	broken := map[string]bool{}
	for _, v := range check(j.pair.from, r) {
		broken[v.At+" "+v.Why] = true
	}
	for _, v := range check(j.pair.to, r) {
		if !broken[v.At+" "+v.Why] && !j.named[v.At+" "+v.Why] {
			j.violation(v)
		}
	}
}

// violation is a request that the contract of the release to come does not
// take.
func (j *judge) violation(v schemas.Violation) {
	place := "request"
	if v.At != "" {
		place += " " + v.At
	}
	d := Difference{Operation: j.pair.name, Kind: "contract", Text: v.Why, ToPos: j.pair.to.Pos()}
	keyword := v.Schema[strings.LastIndexByte(v.Schema, '/')+1:]
	if strings.HasPrefix(v.At, "header ") {
		j.add(place, place, d)
		return
	}
	if is := j.pair.asks.find(v.At); is != nil {
		d.ToPos = is.Pos
		if keyword == "required" {
			for _, name := range is.names {
				if v.Why == strconv.Quote(pointerText.Replace(name))+" is missing" {
					d.ToPos = is.below[name].Pos
				}
			}
		}
	}
	switch keyword {
	case "required", "type", "format":
		d.Kind = keyword
	case "enum", "const":
		d.Kind = "word"
	}
	if was := j.pair.request.find(v.At); keyword == "format" && was != nil && was.form != nil {
		d = *was.form
	}
	j.add(place, place+" "+v.Schema, d)
}

// find is the portion that a pointer into a body leads to, or nil.
func (p *portion) find(at string) *portion {
	if at == "" || p == nil {
		return p
	}
	for name := range strings.SplitSeq(at[1:], "/") {
		if p == nil {
			return nil
		}
		p = p.child(name)
	}
	return p
}

func (j *judge) response() {
	res := j.call.Response
	if d, gone := j.pair.status(res.Status); gone {
		j.add("response status", "status", d)
	}
	c, r := j.pair.c, j.call.Request
	for _, h := range missing(rulesFor(c.from.adds, r, j.call.User), rulesFor(c.to.adds, r, j.call.User)) {
		if hasHeader(res.Header, h.name) {
			j.add("response header "+h.name, "answer "+h.name, j.pair.withheld(h))
		}
	}
	if j.call.ResponseCut || len(res.Body) == 0 {
		return
	}
	doc, err := payload.Scan(res.Body)
	if err != nil {
		return // it is no JSON, and what is described is
	}
	if f := j.pair.answer(res.Status); f != nil {
		j.walk("response", "", doc.Root(), f, true)
	}
}

// walk goes through a body along what was said of it. What was not is nothing
// that a client could know of.
func (j *judge) walk(side, at string, v payload.Value, f *portion, answer bool) {
	place := side
	if at != "" {
		place += " " + at
	}
	if f.lost != nil {
		j.add(place, side+f.At, *f.lost)
		if !answer && f.lost.To != "" {
			j.named[at[:strings.LastIndexByte(at, '/')]+" "+strconv.Quote(f.lost.To)+" is missing"] = true
		}
	}
	if f.now == nil {
		return
	}
	if answer {
		j.value(place, v, f)
	}
	for name, m := range v.Members() {
		escaped := pointerName.Replace(name)
		if c := f.child(escaped); c != nil {
			j.walk(side, at+"/"+escaped, m, c, answer)
		}
	}
	for i, e := range v.Elems() {
		if c := f.child(strconv.Itoa(i)); c != nil {
			j.walk(side, at+"/"+strconv.Itoa(i), e, c, answer)
		}
	}
}

var pointerName = strings.NewReplacer("~", "~0", "/", "~1")

// value judges a value of an answer: would the release to come say it so?
func (j *judge) value(place string, v payload.Value, f *portion) {
	if d := f.kind; d != nil && d.Breaking && takesKind(f.Types, v) && !takesKind(f.now.Types, v) {
		j.add(place, f.At+" type", *d)
	}
	if d := f.word; d != nil && d.Breaking && v.Kind() == payload.String {
		was, is, word := wordsOf(f), wordsOf(f.now), v.Text()
		if slices.Contains(was, word) && !slices.Contains(is, word) {
			d := *d
			d.From, d.Text = word, becomes([]string{word}, without(is, was))
			j.add(place, f.At, d)
		}
	}
	if d := f.form; d != nil && d.Breaking && isOfForm(f.Format, v) && !isOfForm(f.now.Format, v) {
		j.add(place, f.At+" format", *d)
	}
}

func takesKind(types []string, v payload.Value) bool {
	of := v.Kind().String()
	if v.Kind() == payload.Number && payload.IsInteger(v.Literal()) {
		of = "integer"
	}
	return takesType(types, of)
}

// isOfForm tells whether a text is a date of that form. Of other formats it
// knows none.
func isOfForm(format string, v payload.Value) bool {
	form, err := payload.ParseDateFormat(format)
	if err != nil || !slices.Contains(payload.DateForms, format) {
		return false
	}
	text := v.Text()
	if v.Kind() == payload.Number {
		text = v.Literal()
	}
	_, ok := form.Parse(text)
	return ok
}

// Examples are the calls that scenarios tell of: of each interaction that
// answers one operation, its example and what that is answered. Of cfg it reads
// what Check reads, and what is beside is meant as there. Interactions of
// which no such call can be made are given as nil.
func Examples(cfg Config, beside ...*scenarios.Scenario) iter.Seq[*Call] {
	return func(yield func(*Call) bool) {
		now := time.Now()
		if cfg.Now != nil {
			now = cfg.Now()
		}
		now = cfg.Clock.At(now)
		c := newCatalog(cfg.Contract, cfg.Scenarios, cfg.Release, now, nil)
		env := scenarios.Env{Now: now, URL: "http://localhost:8080"}
		list := slices.Clone(c.list)
		for _, s := range beside {
			if s.Holds(cfg.Release) {
				list = append(list, s)
			}
		}
		k := checker{c: c, env: env, worlds: newWorlds(list, env), stagings: maxStagings}
		for _, e := range c.all {
			for i := range max(len(e.turns), 1) {
				if !yield(k.call(e, i)) {
					return
				}
			}
		}
	}
}

// call is the example of an interaction, answered by one of its turns; nil
// where none can be made.
func (k *checker) call(e *entry, turn int) *Call {
	world := k.worlds.of(e.scenario)
	if e.Adds || turn >= len(e.turns) || len(world.faults) > 0 || len(e.When) > 0 && k.stagings <= 0 {
		return nil
	}
	env := k.env
	env.Records, env.Given = world.records, world.given
	rt, method := k.c.home(e.Interaction)
	ex, err := e.Stage(method, env, maxStaging)
	if err != nil || len(ex.Refused)+len(ex.Short)+len(ex.Unmet) > 0 {
		return nil
	}
	k.stagings -= ex.Work
	if found := k.c.route(ex.Request.Path); found != nil {
		rt = found
	}
	if rt == nil || rt.tables[ex.Request.Method] == nil || k.only(e, rt, rt.tables[ex.Request.Method]) == nil {
		return nil
	}
	env.User, env.Records = ex.User, ex.Records
	t := &e.turns[turn]
	out, err := scenarios.NewTrial(ex.Request, env).Perform(e.Interaction, t.ResponseTemplate)
	if err != nil {
		return nil
	}
	m := &e.Request
	return &Call{Request: ex.Request, Response: out, User: ex.User, MaySendMore: true,
		RequestCut: m.Body == nil && m.Text == nil && m.Form == nil,
		Pos: func(place string) token.Position {
			side, what, _ := strings.Cut(place, " ")
			switch {
			case side == "request" && m.Body != nil && !strings.HasPrefix(what, "header "):
				return m.Body.PosAt(what)
			case side == "request" || side == "":
				return e.Pos
			case what == "status" && t.Status != nil:
				return t.Status.Pos
			case t.Body != nil && !strings.HasPrefix(what, "header "):
				return t.Body.PosAt(what)
			}
			return t.Pos
		}}
}
