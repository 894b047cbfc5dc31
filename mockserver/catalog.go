package mockserver

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gorilla/mux"
	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
	"github.com/oigmock/oigmock/schemas/payload"
)

// A catalog is a contract and scenarios, ready to answer. It never changes.
type catalog struct {
	router     *mux.Router
	root       *trie
	routes     []*route
	unserved   []error  // operations of the contract that can have no route
	all        []*entry // in order of precedence
	outside    *table   // for what no route takes; all interactions
	contract   *schemas.Contract
	release    string // "": scenarios of all hold
	operations int
	scenarios  int
	remarks    []Finding             // what was found, and is no fault
	list       []*scenarios.Scenario // what holds in the release, in order of precedence
	rooms      map[string]bool       // of records, that those seed
	seeded     scenarios.Tree        // what those seed that are always awake, as far as that does not depend on the time
	timely     []*scenarios.Scenario // what each session seeds over that
	seedFault  *scenarios.Fault

	// What is seeded where provider states are set from the start, once it was
	// made. All sessions share it, unless it depends on when they begin.
	seededGiven atomic.Pointer[scenarios.Tree]

	tooMany *Finding // set: nothing else of the scenarios is in the catalog

	zips map[*byte]func() []byte // bodies that are known at load, by where they begin
}

// A route is a path template of the contract with its methods.
type route struct {
	template string
	path     *scenarios.Path
	allow    string // the header Allow
	tables   map[string]*table
	mux      *mux.Route
	handler  http.Handler
}

// A table is what can answer the requests for one operation, in layers.
type table struct {
	contract  bool               // whether there is a contract that it could be in
	operation *schemas.Operation // nil: outside the contract
	name      string             // "PUT /a/{b}", "" outside
	first     layer
	ordinary  layer
	last      layer
	adds      layer
}

// An entry is an interaction where it stands in the catalog.
type entry struct {
	*scenarios.Interaction
	scenario *scenarios.Scenario
	at       int      // its place in the order of precedence
	origin   []string // the value of X-Mock-Scenario
	turns    []turn   // its responses, in turn
}

// A turn is one of the responses of an entry.
type turn struct {
	*scenarios.ResponseTemplate
	answer *scenarios.Response // rendered at load; nil where it depends on the request
	ready  []scenarios.Field   // and its headers
}

// newCatalog sorts what holds in a release into tables. serve answers a
// request for a route, nil for none.
func newCatalog(contract *schemas.Contract, list []*scenarios.Scenario, release string, now time.Time,
	serve func(http.ResponseWriter, *http.Request, *catalog, *route)) *catalog {
	c := &catalog{contract: contract, release: release}
	n := 0
	for _, s := range list {
		if !s.Holds(release) {
			continue
		}
		n += len(s.Interactions)
		if beyond := n - scenarios.MaxInteractions; beyond > 0 && c.tooMany == nil { // each source may have as many
			c.tooMany = &Finding{Pos: s.Interactions[len(s.Interactions)-beyond].Pos, Level: LevelFault, Rule: "language"}
		}
	}
	if c.tooMany != nil {
		c.tooMany.Text = fmt.Sprintf("%d interactions in all; %d are taken", n, scenarios.MaxInteractions)
		list, n = nil, 0
	}
	for _, s := range list {
		if s.Holds(release) {
			c.list = append(c.list, s)
		}
	}
	c.scenarios = len(c.list)
	c.all = entriesOf(c.list, n)
	for _, e := range c.all {
		for _, t := range e.turns {
			if t.Ready() != nil {
				c.zipOnce(t.Ready())
			}
		}
	}
	var err error
	if c.seeded, c.timely, err = scenarios.SeedShared(c.awake(nil), scenarios.Env{Now: now}); err != nil {
		errors.As(err, &c.seedFault)
	}
	c.rooms = map[string]bool{}
	for _, s := range c.list {
		for i := range s.Records {
			room, _ := s.Records[i].At.Room()
			c.rooms[room] = true
		}
	}
	c.addRoutes(contract)
	c.outside = newTable(nil, "", c.all)
	c.outside.contract = contract != nil
	c.buildRouter(serve)
	return c
}

// entriesOf are the interactions of scenarios, n of them, in order.
func entriesOf(list []*scenarios.Scenario, n int) []*entry {
	all := make([]*entry, 0, n)
	rooms := make([]entry, n) // side by side in memory
	turns := make([]turn, 0, n)
	for _, s := range list {
		for _, i := range s.Interactions {
			file := strings.ReplaceAll(headerText(s.File), "#", "%23") // the first # is what parts the two
			e := &rooms[len(all)]
			*e = entry{Interaction: i, scenario: s, at: len(all), origin: []string{file + "#" + headerText(i.Name)}}
			from := len(turns)
			for _, rt := range i.Responses {
				t := turn{ResponseTemplate: rt}
				if r := rt.Ready(); r != nil && !i.Adds {
					t.answer, t.ready = r, headersOf(r, e.origin)
				}
				turns = append(turns, t)
			}
			e.turns = turns[from:len(turns):len(turns)]
			all = append(all, e)
		}
	}
	return all
}

// awake are the scenarios that seed something, and whose provider states are
// set.
func (c *catalog) awake(given map[string]payload.Value) (all []*scenarios.Scenario) {
	for _, s := range c.list {
		if len(s.Records) > 0 && s.Awake(given) {
			all = append(all, s)
		}
	}
	return all
}

// seedsUnlike are the scenarios that are awake and seed otherwise than they did
// in another catalog.
func (c *catalog) seedsUnlike(o *catalog, given map[string]payload.Value) (all []*scenarios.Scenario) {
	before := map[string]string{}
	for _, s := range o.awake(given) {
		before[s.Origin+"/"+s.Name] = s.SeedText()
	}
	for _, s := range c.awake(given) {
		if before[s.Origin+"/"+s.Name] != s.SeedText() {
			all = append(all, s)
		}
	}
	return all
}

// headerText is a text as a header can carry it: percent-encoded outside
// visible ASCII.
func headerText(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c > ' ' && c < 0x7f && c != '%' {
			b.WriteByte(c)
		} else {
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// headersOf are the headers of a response that is known at load. They are
// shared by all requests and never changed.
func headersOf(r *scenarios.Response, origin []string) []scenarios.Field {
	fields := slices.Clone(r.Header)
	if r.HasBody && !hasHeader(fields, "Content-Type") {
		fields = append(fields, scenarios.Field{Name: "Content-Type", Values: []string{r.Media}})
	}
	return append(fields,
		scenarios.Field{Name: "Content-Length", Values: []string{strconv.Itoa(len(r.Body))}},
		scenarios.Field{Name: originHeader, Values: origin})
}

// addRoutes makes a route of each path template, the more literal first.
func (c *catalog) addRoutes(contract *schemas.Contract) {
	if contract == nil {
		return
	}
	// Two releases may name the parameters of a path differently: it is one path.
	byPath := map[string]*route{}
	for _, op := range contract.Operations() {
		pattern := unnamed(op.Path)
		r := byPath[pattern]
		if r == nil {
			path, err := scenarios.ParsePath(pattern)
			if err != nil {
				c.unserved = append(c.unserved, fmt.Errorf("%s %s cannot be served: %w", op.Method, op.Path, err))
				continue
			}
			r = &route{template: op.Path, path: path, tables: map[string]*table{}}
			byPath[pattern] = r
			c.routes = append(c.routes, r)
		}
		if r.tables[op.Method] != nil {
			c.unserved = append(c.unserved, fmt.Errorf("%s %s cannot be served beside %s: the paths are the same", op.Method, op.Path, r.template))
			continue
		}
		c.operations++
		r.tables[op.Method] = &table{operation: op, name: op.Method + " " + op.Path}
	}
	slices.SortStableFunc(c.routes, func(a, b *route) int { return moreLiteral(a.template, b.template) })
	for _, r := range c.routes {
		var meets []*entry
		methods := map[string]bool{}
		for _, e := range c.all {
			if e.Request.Path == nil || e.Request.Path.Meets(r.path) {
				meets = append(meets, e)
				if m, ok := e.Request.Method.Literal(); ok && !e.Adds {
					methods[m] = true
				}
			}
		}
		// A method that the contract lacks and an interaction names is
		// answered, if by nothing of the contract.
		for m := range methods {
			if r.tables[m] == nil {
				r.tables[m] = &table{}
			}
		}
		allowed := []string{http.MethodOptions}
		for m := range r.tables {
			allowed = append(allowed, m)
			if m == http.MethodGet {
				allowed = append(allowed, http.MethodHead)
			}
		}
		slices.Sort(allowed)
		r.allow = strings.Join(slices.Compact(allowed), ", ")
		for m, t := range r.tables {
			*t = *newTable(t.operation, t.name, slices.DeleteFunc(slices.Clone(meets), func(e *entry) bool {
				named, ok := e.Request.Method.Literal()
				return ok && named != m
			}))
			t.contract = true
		}
	}
}

// unnamed is a template with numbers for the names of its parameters: to find
// the route nobody asks for them, and one such as {user} means something else
// in scenarios.
func unnamed(template string) string {
	segments := strings.Split(template, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			segments[i] = "{p" + strconv.Itoa(i) + "}"
		}
	}
	return strings.Join(segments, "/")
}

// moreLiteral sorts templates so that a text comes before a {name} where two
// templates part.
func moreLiteral(a, b string) int {
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	for i := range min(len(x), len(y)) {
		px, py := strings.HasPrefix(x[i], "{"), strings.HasPrefix(y[i], "{")
		switch {
		case px != py && px:
			return 1
		case px != py:
			return -1
		case !px && x[i] != y[i]:
			return strings.Compare(x[i], y[i])
		}
	}
	return len(x) - len(y)
}

func newTable(op *schemas.Operation, name string, entries []*entry) *table {
	t := &table{operation: op, name: name}
	for _, e := range entries {
		l := &t.ordinary
		switch {
		case e.Adds:
			l = &t.adds
		case e.Order == scenarios.First:
			l = &t.first
		case e.Order == scenarios.Last:
			l = &t.last
		}
		l.entries = append(l.entries, e)
	}
	for _, l := range []*layer{&t.first, &t.ordinary, &t.last, &t.adds} {
		l.build()
	}
	return t
}

// A trie finds the route of a path in one walk over its segments, as they
// stand on the wire.
type trie struct {
	texts map[string]*trie
	any   *trie
	route *route
}

func (t *trie) add(r *route) {
	for segment := range strings.SplitSeq(strings.TrimPrefix(r.template, "/"), "/") {
		if strings.HasPrefix(segment, "{") {
			if t.any == nil {
				t.any = &trie{}
			}
			t = t.any
			continue
		}
		if t.texts == nil {
			t.texts = map[string]*trie{}
		}
		if t.texts[segment] == nil {
			t.texts[segment] = &trie{}
		}
		t = t.texts[segment]
	}
	t.route = r
}

// find walks a path without its first slash, as on the wire; what is encoded
// in vain (%61 for a) is the same text. Where a text and a {name} both
// lead on it tries the text first; the steps back are bounded by the depth of
// the contract's templates.
func (t *trie) find(path string) *route {
	segment, rest, more := strings.Cut(path, "/")
	text := segment
	if strings.IndexByte(segment, '%') >= 0 {
		if decoded, err := url.PathUnescape(segment); err == nil {
			text = decoded
		}
	}
	if next := t.texts[text]; next != nil {
		if !more {
			if next.route != nil {
				return next.route
			}
		} else if r := next.find(rest); r != nil {
			return r
		}
	}
	if t.any == nil || segment == "" {
		return nil
	}
	if !more {
		return t.any.route
	}
	return t.any.find(rest)
}

// route finds the route of a path as on the wire; nil for none.
func (c *catalog) route(path string) *route {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return nil
	}
	return c.root.find(rest)
}

// buildRouter makes the mux router that every request goes through. Its own
// scan over routes costs more the later a route stands, so one route in front
// takes every request, asks the trie, and fills in what mux would have found
// among the routes behind it.
func (c *catalog) buildRouter(serve func(http.ResponseWriter, *http.Request, *catalog, *route)) {
	c.root = &trie{}
	// SkipClean, since mux answers a PUT to // by a redirect; UseEncodedPath,
	// since an encoded slash in an id is no slash.
	c.router = mux.NewRouter().SkipClean(true).UseEncodedPath()
	vars := map[string]string{} // parameters are the matter of scenarios
	front := c.router.NewRoute().MatcherFunc(func(r *http.Request, m *mux.RouteMatch) bool {
		m.Vars = vars
		if found := c.route(wirePath(r.URL)); found != nil {
			m.Route, m.Handler = found.mux, found.handler
		}
		return true
	})
	front.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) { serve(w, hr, c, nil) })
	for _, r := range c.routes {
		r.handler = http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) { serve(w, hr, c, r) })
		r.mux = c.router.Handle(r.template, r.handler)
		c.root.add(r)
	}
}

// wirePath is the path as it came: an encoded slash is no slash.
func wirePath(u *url.URL) string {
	if u.RawPath != "" {
		// EscapedPath would decode an encoded slash where something else, such as
		// an umlaut, should have been encoded and is not.
		if path, err := url.PathUnescape(u.RawPath); err == nil && path == u.Path {
			return u.RawPath
		}
	}
	if u.RawPath == "" && strings.IndexByte(u.Path, '%') < 0 && !needsEscape(u.Path) {
		return u.Path
	}
	return u.EscapedPath()
}

func needsEscape(path string) bool {
	for i := range len(path) {
		if c := path[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"<>\^`+"`{|}?#;,[]", c) >= 0 {
			return true
		}
	}
	return false
}
