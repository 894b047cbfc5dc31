package mockserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas/didyoumean"
	"github.com/oigmock/oigmock/schemas/payload"
)

// AdminConfig says how the admin API presents itself, and who may ask it.
type AdminConfig struct {
	Version string // for GET /version
	Token   string // who knows it may ask, from anywhere; "": who is on this machine
}

// Admin answers what steers the mock and asks it, apart from it:
//
//	GET    /scenarios                those that hold in the session: [{name, title, source, origin, given, interactions, awake, pos}]
//	GET    /scenarios/NAME           the text of a file of them
//	PUT    /scenarios/NAME           adds a file of scenarios, YAML or JSON, before all others: {name, scenarios, interactions}
//	PUT    /scenarios                puts one called added in the place of all that was added
//	DELETE /scenarios[/NAME]         takes one away that was added, or all
//	GET    /journal                  {entries, evicted, next}; parameters method, path, status, outcome, scenario,
//	                                 after, limit; follow=true sends entries as they come (text/event-stream);
//	                                 who takes longer than 30 s, for a page or for eight that follow, is dropped
//	GET    /unmatched                the same, of those that no interaction answered
//	DELETE /journal
//	POST   /verify                   {request: MATCHER, exactly|atLeast|atMost: N} or {order: [MATCHER, MATCHER]}:
//	                                 {holds, count, matched, near}
//	GET    /unused                   interactions of the session that neither answered nor added to an answer
//	GET    /coverage                 {operations, interactions, records}: how often each was exercised, in the whole
//	                                 run, or in the session that is named; as text where that is accepted
//	GET    /records[/ADDRESS]        what the session remembers
//	PATCH  /records/ADDRESS          sets the value in the body, as the key set does: {changed}
//	PATCH  /records                  {ADDRESS: VALUE}: {changed}
//	GET    /clock                    {mode, now, offset}
//	PUT    /clock                    {frozen: TIME}, {offset: "48h"}, {advance: "-24h"}, or {} for the real one
//	GET    /provider-states          {known, set}
//	POST   /provider-states          {state, params, action: "setup"|"teardown"}, as Pact verifiers send it
//	GET    /sessions[/NAME]          {name, release, entries, evicted, clock, given, added} of those that were named
//	PUT    /sessions/NAME            {release: "14.1.2"} begins one in that release, {} in the usual one
//	DELETE /sessions[/NAME]          ends one, or all
//	POST   /explain                  {method, path, header, body|text} or {seq} of an entry
//	POST   /reset                    the session is as at its beginning
//	GET    /health, /version
//
// The parameter session, or the header X-Mock-Session, names a session, and
// begins it; the parameter release names the release that it is of. /sessions
// alone takes none of them. A body has at most 1 MiB.
// Where GET is, HEAD is. What is refused is a problem (RFC 9457).
//
// Without a token only who is on this machine may ask, by its address or as
// localhost; with one, who sends it as Authorization: Bearer. No web page of
// another origin may, and what changes something is not taken from a form.
func (s *Server) Admin(cfg AdminConfig) http.Handler {
	a := &admin{server: s, guard: guard{cfg.Token}, version: cfg.Version, judges: make(chan struct{}, maxJudges)}
	entryFilters := []string{"method", "path", "status", "outcome", "scenario", "after", "limit", "follow"}
	a.pages = []page{
		{"GET", "/health", a.health, nil, reads},
		{"GET", "/version", a.tellVersion, nil, reads},
		{"GET", "/scenarios", a.listScenarios, nil, reads},
		{"PUT", "/scenarios", a.putScenarios, nil, changes},
		{"DELETE", "/scenarios", a.deleteScenarios, nil, changes},
		{"GET", "/scenarios/NAME", a.getScenario, nil, reads},
		{"PUT", "/scenarios/NAME", a.putScenario, nil, changes},
		{"DELETE", "/scenarios/NAME", a.deleteScenario, nil, changes},
		{"GET", "/journal", a.journal, entryFilters, reads},
		{"DELETE", "/journal", a.clearJournal, nil, changes},
		{"GET", "/unmatched", a.unmatched, entryFilters, reads},
		{"POST", "/verify", a.verify, nil, reads},
		{"GET", "/coverage", a.coverage, nil, reads},
		{"GET", "/unused", a.unused, nil, reads},
		{"GET", "/records", a.getRecords, nil, reads},
		{"PATCH", "/records", a.patchRecords, nil, changes},
		{"GET", "/records/ADDRESS", a.getRecords, nil, reads},
		{"PATCH", "/records/ADDRESS", a.patchRecords, nil, changes},
		{"GET", "/clock", a.getClock, nil, reads},
		{"PUT", "/clock", a.putClock, nil, changes},
		{"GET", "/provider-states", a.getStates, nil, reads},
		{"POST", "/provider-states", a.postState, nil, changes},
		{"GET", "/sessions", a.listSessions, nil, readsAll},
		{"DELETE", "/sessions", a.endSessions, nil, changesAll},
		{"GET", "/sessions/NAME", a.getSession, nil, readsAll},
		{"PUT", "/sessions/NAME", a.putSession, nil, changesAll},
		{"DELETE", "/sessions/NAME", a.endSession, nil, changesAll},
		{"POST", "/explain", a.explain, nil, reads},
		{"POST", "/reset", a.reset, nil, changes},
	}
	return a
}

type admin struct {
	server    *Server
	guard     guard
	version   string
	pages     []page
	followers atomic.Int64
	judges    chan struct{} // holds one for each visit that judges requests
}

// maxJudges is how many visits judge requests at once: that is what costs most.
const maxJudges = 4

// judge waits for its turn to judge requests, for as long as the client waits.
// The body must have been read: before that nobody sees that a client has gone.
func (a *admin) judge(v *visit) (done func(), err error) {
	select {
	case a.judges <- struct{}{}:
		return func() { <-a.judges }, nil
	case <-v.r.Context().Done():
		return nil, v.r.Context().Err()
	case <-stopping(v.r.Context()):
		return nil, errStopping
	}
}

// A page is a method of a path of the admin API.
type page struct {
	method string
	path   string // "/records/ADDRESS": what follows /records/ is the address, slashes and all
	do     func(*visit) (any, error)
	takes  []string // parameters, besides session
	kind   pageKind
}

type pageKind uint8

const (
	reads pageKind = iota
	changes
	readsAll   // and is of no session
	changesAll // and is of no session
)

// A visit is one request for a page.
type visit struct {
	w       http.ResponseWriter
	r       *http.Request
	page    *page
	session *Session
	query   url.Values
	path    string // as on the wire
	rest    string // of the path, as on the wire: the name or the address at its end
}

// What a page gives, besides what is written as JSON; nil is no content.
type (
	streamed struct{} // it was written already
	created  struct{ of any }
	plain    struct {
		media string
		bytes []byte
	}
	rawJSON []byte
)

func (a *admin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := &visit{w: w, r: r, path: wirePath(r.URL)}
	given, err := a.visit(v)
	if err != nil {
		refusePage(w, r, err)
		return
	}
	reply(w, r, given)
}

func (a *admin) visit(v *visit) (any, error) {
	if err := a.guard.check(v.r); err != nil {
		return nil, err
	}
	if err := a.find(v); err != nil {
		return nil, err
	}
	if (v.page.kind == changes || v.page.kind == changesAll) && fromForm(v.r) {
		return nil, errForm
	}
	if err := a.readQuery(v); err != nil {
		return nil, err
	}
	return v.page.do(v)
}

// find finds the page that is asked for.
func (a *admin) find(v *visit) error {
	method := v.r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	var allow []string
	for i := range a.pages {
		p := &a.pages[i]
		base, named := p.path, false
		if j := strings.LastIndexByte(p.path, '/'); j > 0 {
			base, named = p.path[:j], true
		}
		rest, below := strings.CutPrefix(v.path, base+"/")
		if v.path != base && !below || named != below {
			continue
		}
		if p.method == method {
			if v.page = p; named {
				v.rest = rest
			}
			return nil
		}
		if allow = append(allow, p.method); p.method == http.MethodGet {
			allow = append(allow, http.MethodHead)
		}
	}
	if allow != nil {
		slices.Sort(allow)
		return &noMethod{scenarios.CutText(v.path, 512), strings.Join(allow, ", "), scenarios.CutText(v.r.Method, 32)}
	}
	var pages []string
	for i, p := range a.pages {
		if i > 0 && a.pages[i-1].path == p.path {
			last := &pages[len(pages)-1]
			methods, path, _ := strings.Cut(*last, " ")
			*last = methods + "|" + p.method + " " + path
			continue
		}
		pages = append(pages, p.method+" "+p.path)
	}
	return fmt.Errorf("%w; the admin API has:\n  %s", errNoPage, strings.Join(pages, "\n  "))
}

// readQuery reads the parameters, and begins the session that is named.
func (a *admin) readQuery(v *visit) error {
	var err error
	if v.query, err = url.ParseQuery(v.r.URL.RawQuery); err != nil {
		return wrongf("the query cannot be read: %s", scenarios.CutText(err.Error(), 200))
	}
	takes := v.page.takes
	ofSession := v.page.kind == reads || v.page.kind == changes
	if ofSession {
		takes = append([]string{"session", "release"}, takes...)
	}
	for name, values := range v.query {
		if !slices.Contains(takes, name) {
			list := "it takes none"
			if len(takes) > 0 {
				list = "it takes " + strings.Join(takes, ", ")
			}
			return wrongf("%s %s has no parameter %q%s; %s", v.page.method, v.page.path, scenarios.CutText(name, 80), didyoumean.Hint(name, takes), list)
		}
		if len(values) > 1 {
			return wrongf("the parameter %s is given %d times", name, len(values))
		}
	}
	if !ofSession {
		return nil
	}
	name, err := headerSession(v.r)
	if err != nil {
		return err
	}
	if given, ok := v.query["session"]; ok {
		if err := checkSessionName(given[0]); err != nil {
			return err
		}
		if name != "" && name != given[0] {
			return fmt.Errorf("%w: the parameter session says %q and %s says %q", ErrSessionName, scenarios.CutText(given[0], 40), sessionHeader, scenarios.CutText(name, 40))
		}
		name = given[0]
	}
	release := v.query.Get("release")
	if v.query.Has("release") {
		if err := a.server.checkRelease(release); err != nil {
			return err
		}
	}
	v.session, err = a.server.SessionIn(name, release)
	return err
}

// name is what the path ends in.
func (v *visit) name() (string, error) {
	name, err := url.PathUnescape(v.rest)
	if err != nil {
		return "", wrongf("the path is not percent-encoded text")
	}
	return name, nil
}

// address is what the path ends in, as an address: a slash that is encoded is
// within a step.
func (v *visit) address() (string, error) {
	steps := strings.Split(v.rest, "/")
	for i, step := range steps {
		step, err := url.PathUnescape(step)
		if err != nil {
			return "", wrongf("the path is not percent-encoded text")
		}
		steps[i] = strings.ReplaceAll(step, "/", "~1")
	}
	return strings.Join(steps, "/"), nil
}

// body reads the body.
func (a *admin) body(v *visit) ([]byte, error) {
	r, err := a.server.read(v.w, v.r)
	switch {
	case errors.Is(err, errTooLarge):
		return nil, err
	case err != nil:
		return nil, errUnread
	}
	return r.Body, nil
}

func readObject(src []byte, what string, known []string) (payload.Value, error) {
	doc, err := payload.Scan(src)
	if err != nil {
		return payload.Value{}, wrongf("%s: want a JSON object: %w", what, err)
	}
	if k := doc.Root().Kind(); k != payload.Object {
		return payload.Value{}, wrongf("%s: want a JSON object, got %s", what, k)
	}
	for name := range doc.Root().Members() {
		if known != nil && !slices.Contains(known, name) {
			return payload.Value{}, wrongf("%s has no member %q%s; it has %s", what, scenarios.CutText(name, 80), didyoumean.Hint(name, known), strings.Join(known, ", "))
		}
	}
	return doc.Root(), nil
}

// textMember is a member that is a text; "" where there is none.
func textMember(of payload.Value, name string) (string, error) {
	v := of.Member(name)
	switch v.Kind() {
	case payload.Absent:
		return "", nil
	case payload.String:
		return v.Text(), nil
	}
	return "", wrongf("%s: want a text, got %s", name, v.Kind())
}

// writeJSON writes what is JSON already, or makes it so.
func writeJSON(w http.ResponseWriter, r *http.Request, media string, status int, v any) {
	body, raw := v.(rawJSON)
	if !raw {
		var err error
		if body, err = encode(v); err != nil {
			p := internal(r, err)
			media, status = "application/problem+json", p.Status
			body, _ = encode(p)
		}
	}
	writePage(w, r, media, status, append(body, '\n'))
}

// encode writes JSON without escapes for HTML: nobody takes it for that.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func writePage(w http.ResponseWriter, r *http.Request, media string, status int, body []byte) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout)) // what cannot set one has no slow clients
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	pageHeader(h)
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, bytes.NewReader(body)) // a client that went away is no matter of ours
	}
}

// pageHeader says that a page is what it says, and of this moment.
func pageHeader(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
}
