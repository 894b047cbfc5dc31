package scenarios

import (
	"encoding/base64"
	"go/token"
	"net/http"
	"net/url"
	"strings"

	"github.com/oigmock/oigmock/schemas/payload"
)

// A RequestMatcher tells the requests an interaction answers. What it does
// not mention may be anything.
type RequestMatcher struct {
	Method                              *Value
	Path                                *Path  // a pattern, or
	PathText                            *Value // what the whole path must be like
	Params, Query, Header, Cookie, Form *Value // over objects of texts
	User, Body, Text                    *Value
	Payload                             Payload

	method  string // Method where it is a plain text: it is looked at for every candidate
	pathPos token.Position
}

// Payload says what the contract must think of a request for an interaction
// to answer it.
type Payload uint8

const (
	Valid   Payload = iota
	Invalid         // answers what breaks the contract
	Any             // does not care
)

func (p Payload) String() string { return [...]string{"", "invalid", "any"}[p] }

// A Trial tries interactions on one request. It is not safe for concurrent
// use; all that is tried with it shares one budget of work, so that no
// request costs more, however many interactions there are.
type Trial struct {
	s       scope
	after   Tree // the records, with what the interactions that were performed set
	changed []string
}

// NewTrial begins to try interactions on r.
func NewTrial(r *Request, env Env) *Trial {
	t := &Trial{}
	t.Begin(r, env)
	return t
}

// Begin makes t a new trial, as NewTrial does, without allocating.
func (t *Trial) Begin(r *Request, env Env) { t.BeginWithin(r, env, Budget) }

// BeginWithin is Begin with another budget: what is left of one that several
// requests share.
func (t *Trial) BeginWithin(r *Request, env Env, work int) {
	t.s.begin(r, env, work)
	t.after, t.changed = env.Records, nil
}

// Accepts reports whether the interaction answers the request, so far as
// request and when go: what the contract thinks is not asked.
func (t *Trial) Accepts(i *Interaction) bool {
	t.s.mode, t.s.n = stopAtFirst, 0
	t.s.try(i)
	return t.s.n == 0
}

// Distance counts the mismatches: first whether the path and the method are
// the wanted ones, then how many there are in all.
func (t *Trial) Distance(i *Interaction) (path, method bool, mismatches int) {
	t.s.mode, t.s.n = countAll, 0
	path, method = t.s.try(i)
	return path, method, t.s.n
}

// Mismatches are all reasons why the interaction does not answer the request.
func (t *Trial) Mismatches(i *Interaction) []Mismatch {
	t.s.mode, t.s.n, t.s.list = inWords, 0, nil
	t.s.try(i)
	return t.s.list
}

// Budget is the work that to try interactions on one request may take, in steps
// of up to 50 ns.
const Budget = allWork

// Left is what is left of the budget.
func (t *Trial) Left() int { return t.s.work }

// Spent is how much of the budget is used up, in steps of up to 50 ns.
func (t *Trial) Spent() int { return allWork - t.s.work }

// Exhausted reports whether the budget of work is used up: from then on
// nothing matches.
func (t *Trial) Exhausted() bool { return t.s.work <= 0 }

// Records are what the session remembers after all that was performed, and the
// addresses that changed.
func (t *Trial) Records() (after Tree, changed []string) { return t.after, t.changed }

// Looked are the rooms of records that were looked at. It is to be cloned by who
// keeps it: the next Begin writes over it.
func (t *Trial) Looked() []string { return t.s.looked }

// Per is the text by which the interaction counts its calls: that of the
// value at its address, "" where it has none or nothing is there.
func (t *Trial) Per(i *Interaction) string {
	if i.Per == nil {
		return ""
	}
	t.s.of, t.s.named = i.of, nil
	if i.Request.Path != nil {
		t.s.named = i.Request.Path.names
		i.Request.Path.match(t.s.req, &t.s.params)
	}
	return textOf(t.s.resolve(i.Per))
}

// Match lists the reasons why r is no request that i answers; none means yes.
func (i *Interaction) Match(r *Request, env Env) []Mismatch {
	return NewTrial(r, env).Mismatches(i)
}

// Match lists the reasons why r is no request of m; none means yes.
func (m *RequestMatcher) Match(r *Request, env Env) []Mismatch {
	return (&Interaction{Request: *m}).Match(r, env)
}

// try matches request and when. Whether path and method are the wanted ones
// is told apart: near misses are ranked by it.
func (s *scope) try(i *Interaction) (path, method bool) {
	m, r := &i.Request, s.req
	path, method = true, true
	s.strict, s.like, s.at, s.dynamic = false, false, s.at[:0], false
	s.named, s.of = nil, i.of
	if i.of != nil && len(i.of.Given) > 0 {
		if s.awake(); s.done() {
			return false, false
		}
	}
	if m.Path != nil {
		s.named = m.Path.names
		if path = m.Path.match(r, &s.params); !path {
			s.room = "path"
			s.n++
			if s.mode == inWords {
				s.list = append(s.list, Mismatch{At: "path", Want: m.Path.text, Got: shorten(r.Path), Pos: m.pathPos})
			}
		}
	} else if m.PathText != nil {
		n := s.n
		s.ask("path", m.PathText, payload.Text(r.Path))
		path = s.n == n
	}
	if s.done() {
		return
	}
	if m.Method != nil && (m.method == "" || m.method != r.Method) {
		n := s.n
		s.ask("method", m.Method, payload.Text(r.Method))
		method = s.n == n
		if s.done() {
			return
		}
	}
	if m.User != nil {
		var user payload.Value
		if s.env.User != "" {
			user = payload.Text(s.env.User)
		}
		if s.ask("user", m.User, user); s.done() {
			return
		}
	}
	found := path // else parameters have no values
	if m.Params != nil && found {
		n := s.n
		s.texts(paramRoom, m.Params)
		path = s.n == n
	}
	for _, room := range [...]struct {
		name string
		v    *Value
	}{{"query", m.Query}, {"header", m.Header}, {"cookie", m.Cookie}, {"form", m.Form}} {
		if room.v == nil {
			continue
		}
		if s.done() {
			return
		}
		s.texts(room.name, room.v)
	}
	if m.Body != nil && !s.done() {
		s.ask("body", m.Body, r.JSON())
	}
	if m.Text != nil && !s.done() {
		var text payload.Value
		if len(r.Body) > 0 {
			text = payload.Text(string(r.Body))
		}
		s.ask("text", m.Text, text)
	}
	for j := range i.When {
		if s.done() || !found {
			return
		}
		at := &i.When[j].At
		hidden := s.hidden
		if s.mode == inWords && s.hides(at) {
			s.hidden++
		}
		got, room := s.resolve(at), at.text
		if s.mode == inWords && at.records {
			if steps, ok := s.path(nil, at); ok {
				room = at.found(steps) // where it was looked for
			}
		}
		s.ask(room, i.When[j].Value, got)
		s.hidden = hidden
	}
	return path, method
}

// hides reports whether an address leads to a secret by a name that was found
// elsewhere, or by that of the {name, value} pair in which it stands.
func (s *scope) hides(a *Address) bool {
	for i := range a.steps {
		if name, _ := s.step(&a.steps[i]); secretName.MatchString(shorten(name)) {
			return true
		}
		if within := *a; a.records || a.room == "body" {
			within.steps = a.steps[:i]
			if secretPair(s.resolve(&within)) {
				return true
			}
		}
	}
	return false
}

func shorten(text string) string { return CutText(text, 200) }

// ask matches one value of a room.
func (s *scope) ask(room string, v *Value, got payload.Value) {
	s.room, s.at = room, s.at[:0]
	v.match(s, got)
}

// paramRoom is the room of the path parameters, as mismatches call it.
const paramRoom = "path parameter"

// text is the first value of a name in a room of texts, and how many there are.
func (s *scope) text(room, name string) (string, int) {
	if room != paramRoom {
		return s.req.text(room, name)
	}
	for i, n := range s.named {
		if n == name {
			return s.params[i], 1
		}
	}
	return "", 0
}

// texts matches a room of texts: an object whose members are looked up by
// name. A room is made a real object only where an operator asks for it.
func (s *scope) texts(room string, v *Value) {
	s.room, s.at = room, s.at[:0]
	o, plain := v.kind.(*object)
	if !plain {
		size := s.req.size(room)
		if !s.spend(1 + size*size/32) {
			s.tooMuch(v)
			return
		}
		v.match(s, s.wholeRoom(room))
		return
	}
	if !s.spend(1 + len(o.names)*(1+s.req.lookup(room))) {
		s.tooMuch(v)
		return
	}
	for i, name := range o.names {
		got, n := s.text(room, name)
		want := o.values[i]
		if c, ok := want.kind.(scalar); ok && n == 1 && c.kind != payload.Null && c.text == got {
			continue
		}
		var value payload.Value
		switch {
		case n == 1:
			value = payload.Text(got)
		case n > 1 && !s.spend(4*n):
			s.tooMuch(v)
			return
		case n > 1:
			value = payload.Texts(s.req.texts(room, name))
		}
		s.push(name, -1)
		want.match(s, value)
		s.pop()
		if s.done() {
			return
		}
	}
}

// wholeRoom is a room of texts as one object.
func (s *scope) wholeRoom(room string) payload.Value {
	if room == paramRoom {
		return payload.TextObject(s.named, func(i int) []string { return s.params[i : i+1] })
	}
	names := s.req.namesIn(room)
	return payload.TextObject(names, func(i int) []string { return s.req.texts(room, names[i]) })
}

// An Example is a request that a matcher matches, and its caller.
type Example struct {
	Request *Request
	User    string // "" for nobody
}

// Example makes a request that m matches. What m does not mention is left
// out, or is what a client would send: the given method, somebody's login.
// The error says at which line of the file an example is missing.
func (m *RequestMatcher) Example(method string, env Env) (*Example, error) {
	return (&Interaction{Request: *m}).Example(method, env, nil)
}

// Example makes a request that the interaction is for, as far as its request
// goes. Of path parameters of which the file says nothing, params has the
// values.
func (i *Interaction) Example(method string, env Env, params map[string]string) (*Example, error) {
	ex, err := i.example(method, env, params, nil)
	if err == nil && ex.dynamic {
		// A template in a request takes from the same request: fill it in from
		// the example that stands without it.
		ex, err = i.example(method, env, params, ex.Request)
	}
	if err != nil {
		return nil, err
	}
	env.User = ex.User
	if misses := (&Interaction{Request: i.Request, of: i.of}).Match(ex.Request, env); len(misses) > 0 {
		why := misses[0]
		return nil, &Fault{Pos: why.Pos, Why: "the example is no such request: want " + why.Want + ", got " + why.Got}
	}
	return ex.Example, nil
}

type exampleDraft struct {
	*Example
	dynamic bool
}

func (i *Interaction) example(method string, env Env, chosen map[string]string, draft *Request) (exampleDraft, error) {
	m := &i.Request
	s := &scope{env: env, req: draft, work: allWork, tree: env.Records, of: i.of}
	if s.req == nil {
		s.req = &Request{Header: http.Header{}}
	}
	text := func(v *Value, otherwise string) string {
		if v == nil {
			return otherwise
		}
		t, _ := v.asText(s)
		return t
	}
	ex := &Example{Request: &Request{Header: http.Header{}}}
	ex.Request.Method = text(m.Method, method)
	ex.User = text(m.User, "somebody")
	s.env.User = ex.User
	params := m.members(s, m.Params)
	switch {
	case m.PathText != nil:
		ex.Request.Path = text(m.PathText, "")
	case m.Path != nil:
		s.named = m.Path.names
		var b strings.Builder
		for _, seg := range m.Path.segments {
			b.WriteByte('/')
			if seg.param < 0 {
				b.WriteString(escapeSegment(seg.text))
				continue
			}
			name, value := m.Path.names[seg.param], "1"
			if given := params[name]; len(given) > 0 {
				value = given[0]
			} else if text, is := chosen[name]; is {
				value = text
			}
			s.params[seg.param] = value
			if seg.rest {
				for i, part := range strings.Split(value, "/") {
					if i > 0 {
						b.WriteByte('/')
					}
					b.WriteString(escapeSegment(part))
				}
				continue
			}
			b.WriteString(escapeSegment(value))
		}
		ex.Request.Path = b.String()
	default:
		ex.Request.Path = "/"
	}
	if m.Query != nil {
		ex.Request.Query = url.Values(m.members(s, m.Query)).Encode()
	}
	for name, values := range m.members(s, m.Header) {
		ex.Request.Header[http.CanonicalHeaderKey(name)] = values
	}
	for name, values := range m.members(s, m.Cookie) {
		for _, value := range values {
			ex.Request.Header.Add("Cookie", name+"="+value)
		}
	}
	media := ""
	switch {
	case m.Body != nil:
		if b, ok := m.Body.give(s, nil); ok {
			ex.Request.Body, media = b, "application/json"
		}
	case m.Form != nil:
		ex.Request.Body, media = []byte(url.Values(m.members(s, m.Form)).Encode()), "application/x-www-form-urlencoded"
	case m.Text != nil:
		ex.Request.Body, media = []byte(text(m.Text, "")), "text/plain; charset=utf-8"
	}
	if media != "" && ex.Request.Header.Get("Content-Type") == "" {
		ex.Request.Header.Set("Content-Type", media)
	}
	if ex.User != "" && ex.Request.Header.Get("Authorization") == "" {
		ex.Request.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(ex.User+":secret")))
	}
	if s.err != nil && (draft != nil || !s.dynamic) {
		return exampleDraft{}, s.err
	}
	return exampleDraft{ex, s.dynamic}, nil
}

// members gives an object of texts by name.
func (m *RequestMatcher) members(s *scope, v *Value) map[string][]string {
	if v == nil {
		return nil
	}
	b, ok := v.give(s, nil)
	if !ok {
		return nil
	}
	texts := map[string][]string{}
	for name, value := range jsonValue(b).Members() {
		if value.Kind() != payload.Array {
			texts[name] = []string{textOf(value)}
			continue
		}
		for _, element := range value.Elems() {
			texts[name] = append(texts[name], textOf(element))
		}
	}
	return texts
}

func escapeSegment(text string) string {
	return strings.ReplaceAll(url.PathEscape(text), "+", "%2B")
}
