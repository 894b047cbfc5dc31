package mockserver

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
	"github.com/oigmock/oigmock/schemas/payload"
)

// MaxBody is how many bytes of a body are taken; beyond it is a 413.
const MaxBody = 1 << 20

const (
	originHeader = "X-Mock-Scenario" // FILE#INTERACTION
	errorHeader  = "X-Mock-Error"    // the outcome, of our own refusals alone

	bodyTimeout  = 30 * time.Second // for a body to arrive
	writeTimeout = 30 * time.Second // for an answer to be taken, its delay aside
)

var trials = sync.Pool{New: func() any { return new(scenarios.Trial) }}

// maxTries is how often a request decides without holding up others: each time
// another one may have changed the state first.
const maxTries = 3

// serve takes one request down the road: read, check, decide, keep, wait,
// write.
func (s *Server) serve(w http.ResponseWriter, hr *http.Request, c *catalog, rt *route) {
	began := time.Now()
	ses, prefix, err := s.sessionOf(hr)
	if err != nil {
		s.refuseSession(w, hr, err, began)
		return
	}
	st := ses.load()
	r, err := s.read(w, hr)
	j := job{hr: hr, request: r, unread: err, catalog: c, route: rt, prefix: prefix, began: began}
	kept := false
	for try := 0; try < maxTries && !kept; try++ {
		next := s.decide(&j, st)
		if kept, err = ses.keep(st, next, &j.entry, &j.use); !kept {
			st = ses.state.Load()
		}
	}
	if !kept {
		ses.mu.Lock()
		st = ses.state.Load()
		err = ses.put(st, s.decide(&j, st), &j.entry, &j.use)
		ses.mu.Unlock()
	}
	if err != nil { // there is no room for what it changed
		j.answer = refuseTooMuch(r, err)
		j.entry = Entry{Exchange: scenarios.Exchange{At: j.entry.Exchange.At}, URL: j.entry.URL, User: j.entry.User, Operation: j.entry.Operation}
		j.tell()
		ses.note(&j.entry, &j.use)
	}

	written := 0
	if d := s.draw(j.delay, j.entry.Seq); d <= 0 || wait(hr.Context(), d) { // else the client has gone
		written = s.write(w, &j)
	}
	if s.cfg.Log != nil {
		s.log(&j, written)
	}
}

// A job is one request on its way down the road.
type job struct {
	hr      *http.Request
	request *scenarios.Request
	unread  error // why its body could not be read
	catalog *catalog
	route   *route
	prefix  string // of the session, in the path
	began   time.Time
	verdict verdict
	answer
	entry Entry
	use   use
}

// decide makes the answer and the entry of a job by a state, and gives the
// state that comes of it: the same where nothing changes.
func (s *Server) decide(j *job, st *state) *state {
	j.entry = Entry{Exchange: scenarios.Exchange{At: s.now(st)}}
	e := &j.entry
	next := st
	if j.unread != nil {
		j.answer = refuseUnread(j.request, j.unread)
		if j.route != nil && j.route.tables[j.request.Method] != nil {
			e.Operation = j.route.tables[j.request.Method].name
		}
	} else {
		q := s.question(j, st)
		j.answer = decided(&q, j.catalog, j.route)
		j.verdict = q.verdict
		e.URL, e.User = q.env.URL, q.env.User
		e.Operation, e.Violations, e.NearMisses = q.tableName(), q.bad, j.answer.near
		if m := j.memory; m != nil {
			e.Changed = m.changed
			if !m.records.Same(st.records) || !m.calls.Same(st.calls) {
				next = &state{}
				*next = *st
				next.records, next.calls = m.records, m.calls
			}
		}
	}
	j.request.Method = j.hr.Method // HEAD was answered as GET
	j.tell()
	return next
}

// tell puts the answer of a job into its entry.
func (j *job) tell() {
	e, a := &j.entry, &j.answer
	if a.problem != nil {
		a.response = a.problem.response()
	}
	e.Outcome = a.outcome
	if a.entry != nil {
		e.Scenario, e.Interaction = a.entry.scenario.Name, a.entry.Name
	}
	if a.damage != nil {
		e.Fault, e.FaultFrom = a.damage.String(), a.damager.origin[0]
	}
	e.Exchange.Request = j.request.Forget()
	e.Exchange.Response = *a.response
	if a.damage != nil && a.damage.Kind == scenarios.Maintenance { // another page comes in its place: a front end's, not one of ours
		e.Exchange.Response = scenarios.Response{Status: http.StatusServiceUnavailable, Body: []byte(maintenancePage), Media: "text/html", HasBody: true}
	}
	e.Exchange.Took = time.Since(j.began)
	j.use = use{operation: e.Operation, status: e.Exchange.Response.Status, entry: a.entry, adds: a.adds, rooms: j.catalog.rooms}
	if m := a.memory; m != nil {
		j.use.looked, j.use.changed = m.looked, m.changed
	}
}

// question gathers what an answer depends on, but for the table.
func (s *Server) question(j *job, st *state) question {
	now := s.now(st)
	q := question{request: j.request, verdict: j.verdict, calls: st.calls, seed: s.cfg.Seed, env: scenarios.Env{Now: now, URL: baseURL(j.hr) + j.prefix,
		User: s.caller(j.hr, now), Records: st.records, Given: st.given, Token: s.tokens.sign}}
	if st.added != nil {
		q.added = st.added.table
	}
	return q
}

// turn makes it a question to a method; its table is nil where the contract
// lacks the method.
func (q *question) turn(method string, c *catalog, rt *route) {
	q.request.Method, q.table, q.bad = method, c.outside, nil
	if rt != nil {
		if q.table = rt.tables[method]; q.table == nil && q.added.names(method) {
			q.table = &table{contract: true}
		}
	}
	if q.table != nil {
		q.bad = q.verdict.of(q.table.operation, q.request)
	}
}

// A verdict is what the contract thinks of a payload. It is asked once, however
// often it is decided what answers.
type verdict struct {
	operation *schemas.Operation // nil: none was asked yet
	bad       []schemas.Violation
}

func (v *verdict) of(op *schemas.Operation, r *scenarios.Request) []schemas.Violation {
	if op == nil {
		return nil
	}
	if v.operation != op {
		v.operation, v.bad = op, check(op, r)
	}
	return v.bad
}

func (q *question) tableName() string {
	if q.table == nil {
		return ""
	}
	return q.table.name
}

// An answer is what goes out.
type answer struct {
	outcome  Outcome
	entry    *entry
	response *scenarios.Response // complete, but for what ready has
	ready    []scenarios.Field   // the headers, where they were made at load
	origin   []string
	problem  *problem
	delay    *scenarios.Delay  // nil: none
	damage   *scenarios.Damage // nil: none
	damager  *entry            // who does it
	near     []NearMiss
	adds     []*entry // what added to the answer
	memory   *memory  // what it leaves to the session; nil: nothing
}

// decided makes an answer of a question. It looks at nothing else and changes
// nothing but the question, so that asking why is free of consequences.
//
// HEAD is answered as GET, without the body, unless the contract has it or an
// interaction that names it takes this request.
func decided(q *question, c *catalog, rt *route) answer {
	if method := q.request.Method; method != http.MethodHead || rt.lacks(http.MethodGet) || rt != nil && rt.has(method) {
		q.turn(method, c, rt)
		return q.decided(c, rt)
	}
	if !rt.lacks(http.MethodHead) || q.added.names(http.MethodHead) {
		q.turn(http.MethodHead, c, rt)
		a := q.decided(c, rt)
		if a.outcome == TooCostly || a.entry != nil && a.entry.Request.Method != nil {
			return a
		}
	}
	q.turn(http.MethodGet, c, rt)
	return q.decided(c, rt)
}

// lacks reports whether nothing on a route can answer a method. Outside the
// contract anything can.
func (rt *route) lacks(method string) bool { return rt != nil && rt.tables[method] == nil }

// has reports whether the contract has a method for a route.
func (rt *route) has(method string) bool {
	return rt.tables[method] != nil && rt.tables[method].operation != nil
}

func (q *question) decided(c *catalog, rt *route) answer {
	if q.table == nil {
		return refuseMethod(q.request, rt, nil)
	}
	t := trials.Get().(*scenarios.Trial)
	d := decide(t, q)
	trials.Put(t)
	a := answer{outcome: d.outcome, entry: d.entry}
	if d.outcome == NoOperation && rt != nil {
		a = refuseMethod(q.request, rt, d.near)
	} else if d.outcome != Answered {
		a.problem = refuse(q, &d, c)
		if d.outcome != Template && d.outcome != BadQuery {
			a.entry = nil
		}
	}
	a.near, a.memory = d.near, d.memory
	if d.outcome != Answered {
		return a
	}
	a.response, a.ready, a.origin = d.answer, d.turn.ready, d.entry.origin
	a.delay = d.delay()
	a.damage, a.damager = d.damage()
	a.adds = d.adds
	if len(d.extra) > 0 {
		a.lay(d.extra)
	}
	return a
}

// lay puts what is added over the answer: the status, each header, the body.
func (a *answer) lay(extra []*scenarios.Response) {
	base := a.response
	out := &scenarios.Response{Status: base.Status, Body: base.Body, Media: base.Media, HasBody: base.HasBody}
	n := len(base.Header)
	for _, x := range extra {
		n += len(x.Header)
	}
	out.Header = make([]scenarios.Field, 0, n)
	status, body := false, false
	for _, x := range extra {
		if x.Status != 0 && !status {
			out.Status, status = x.Status, true
		}
		if x.HasBody && !body {
			out.Body, out.Media, out.HasBody, body = x.Body, x.Media, true, true
		}
		for _, f := range x.Header {
			if !hasHeader(out.Header, f.Name) {
				out.Header = append(out.Header, f)
			}
		}
	}
	added := out.Header
	for _, f := range base.Header {
		if !hasHeader(added, f.Name) && !(body && strings.EqualFold(f.Name, "Content-Type")) { // another body, another type
			out.Header = append(out.Header, f)
		}
	}
	a.response = out
	if status || body || slices.ContainsFunc(added, func(f scenarios.Field) bool {
		return hasHeader(a.ready, f.Name) || strings.EqualFold(f.Name, "Content-Encoding")
	}) {
		a.ready = nil
	}
}

func hasHeader(fields []scenarios.Field, name string) bool {
	for i := range fields {
		if strings.EqualFold(fields[i].Name, name) {
			return true
		}
	}
	return false
}

// draw is how long to wait this time: the same for the same seed and the same
// place in a session's journal, whatever other sessions do.
func (s *Server) draw(d *scenarios.Delay, seq uint64) time.Duration {
	if d == nil {
		return 0
	}
	random := rand.New(rand.NewPCG(s.cfg.Seed, seq))
	return d.Draw(random.Float64, random.NormFloat64)
}

// wait waits, and reports false where the client went away meanwhile.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

var errTooLarge = errors.New("body too large")

// read makes a Request of what net/http has read, and reads the body, once.
// Where that fails the deadline stays: net/http looks for the rest of the body
// before it closes the connection, and must not wait for it forever.
func (s *Server) read(w http.ResponseWriter, hr *http.Request) (*scenarios.Request, error) {
	r := &scenarios.Request{Method: hr.Method, Path: wirePath(hr.URL), Query: hr.URL.RawQuery, Host: hr.Host, Header: hr.Header}
	switch {
	case hr.ContentLength == 0 || hr.Body == nil || hr.Body == http.NoBody:
		return r, nil
	case hr.ContentLength > MaxBody:
		return r, errTooLarge
	}
	// What cannot set deadlines has no slow clients either. The one for writing
	// may still be that of the answer before, and net/http may have to write
	// "100 Continue".
	control := http.NewResponseController(w)
	limit := time.Now().Add(bodyTimeout)
	_, _ = control.SetReadDeadline(limit), control.SetWriteDeadline(limit)
	var body []byte
	var err error
	if hr.ContentLength > 0 {
		body, err = readLength(hr.Body, int(hr.ContentLength))
	} else {
		body, err = io.ReadAll(io.LimitReader(hr.Body, MaxBody+1))
	}
	if err != nil {
		return r, err
	}
	if len(body) > MaxBody {
		return r, errTooLarge
	}
	r.Body = body
	_ = control.SetReadDeadline(time.Time{})
	return r, nil
}

// readLength reads a body whose length was told. It costs nothing to tell a
// length: beyond what is usual the room grows as the bytes arrive.
func readLength(r io.Reader, length int) ([]byte, error) {
	const usual = 64 << 10
	var body []byte
	for len(body) < length {
		next := make([]byte, min(length, max(usual, 2*len(body))))
		if _, err := io.ReadFull(r, next[copy(next, body):]); err != nil {
			return nil, err
		}
		body = next
	}
	return body, nil
}

// check asks the contract what it thinks of a payload. A nil operation has no
// objections.
func check(op *schemas.Operation, r *scenarios.Request) []schemas.Violation {
	if op == nil || !op.TakesBody() {
		return nil
	}
	var bad []schemas.Violation
	if len(r.Body) == 0 {
		return []schemas.Violation{{Why: "want JSON, and there is no body", Schema: op.RequestSchema()}}
	}
	if got := r.Header.Get("Content-Type"); !isJSON(got) {
		why := "want application/json, and there is none"
		if got != "" {
			why = "want application/json, got " + strconv.Quote(scenarios.CutText(got, 80))
		}
		bad = append(bad, schemas.Violation{At: "header Content-Type", Why: why})
	}
	if err := r.BodyFault(); err != nil {
		v := schemas.Violation{Why: err.Error(), Schema: op.RequestSchema()}
		var f *payload.Fault
		if errors.As(err, &f) {
			v.At, v.Why, v.Costly = f.Pointer, f.Why+" (byte "+strconv.Itoa(f.Offset)+")", f.Costly
		}
		return append(bad, v)
	}
	return append(bad, op.CheckRequest(r.JSON())...)
}

// isJSON compares the media type as one: parameters do no harm.
func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	media, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(media), "application/json")
}

// baseURL is the address by which the client reached us.
func baseURL(hr *http.Request) string {
	scheme := "http://"
	if hr.TLS != nil {
		scheme = "https://"
	}
	return scheme + hr.Host
}

// write sends the answer and returns how many bytes of its body went out.
func (s *Server) write(w http.ResponseWriter, j *job) int {
	hr, c, a := j.hr, j.catalog, &j.answer
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(writeTimeout))
	h := w.Header()
	body := a.response.Body
	noBody := a.response.Status == http.StatusNoContent || a.response.Status == http.StatusNotModified
	if noBody {
		body = nil
	}
	if a.ready != nil && !noBody && !hasHeader(a.ready, "Content-Encoding") {
		for _, f := range a.ready {
			setHeader(h, f)
		}
		for _, f := range a.response.Header { // with what is added
			setHeader(h, f)
		}
	} else {
		for _, f := range a.response.Header {
			setHeader(h, f)
		}
		if a.response.HasBody && !noBody && !hasHeader(a.response.Header, "Content-Type") {
			h["Content-Type"] = []string{a.response.Media}
		}
		if name := encoding(a.response.Header); name != "" {
			var smaller []byte
			if len(body) > 0 && wantsGzip(hr) {
				smaller = c.zipped(body)
			}
			if smaller != nil {
				body = smaller
			} else {
				delete(h, name)
			}
			h["Vary"] = append(slices.Clip(h["Vary"]), "Accept-Encoding") // what was there belongs to all requests
		}
		if !noBody {
			h["Content-Length"] = []string{strconv.Itoa(len(body))}
		}
		if a.origin != nil {
			h[originHeader] = a.origin
		}
	}
	if s.cors != nil {
		s.agree(w, hr)
	}
	if a.damage != nil {
		return inflict(w, hr, a.damage, a.response.Status, body, s.cfg.Seed, stopping(hr.Context()))
	}
	w.WriteHeader(a.response.Status)
	if hr.Method == http.MethodHead {
		return 0
	}
	n, _ := w.Write(body) // a client that went away is no matter of ours
	return n
}

// setHeader puts a header in as it is written. What net/http would add by
// itself, since it does not see it in other letters, is kept out.
func setHeader(h http.Header, f scenarios.Field) {
	h[f.Name] = f.Values
	for _, own := range [...]string{"Content-Type", "Date"} {
		if f.Name != own && strings.EqualFold(f.Name, own) {
			h[own] = nil
		}
	}
}

// encoding is the name of the header that asks for gzip, as it is written;
// "" where none does.
func encoding(fields []scenarios.Field) string {
	for _, f := range fields {
		if strings.EqualFold(f.Name, "Content-Encoding") && strings.EqualFold(f.Values[0], "gzip") {
			return f.Name
		}
	}
	return ""
}

func wantsGzip(hr *http.Request) bool {
	for _, line := range hr.Header["Accept-Encoding"] {
		for part := range strings.SplitSeq(line, ",") {
			name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
			if strings.EqualFold(strings.TrimSpace(name), "gzip") {
				weight, said := strings.CutPrefix(strings.TrimSpace(q), "q=")
				return !said || strings.Trim(weight, "0.") != ""
			}
		}
	}
	return false
}

// maxZip is how many bytes are zipped for one request. To zip is a matter of
// taste, and takes long: what is larger, and made for the request, goes out
// as it is.
const maxZip = 1 << 20

// zipOnce lets a body that is known at load be zipped at most once, if it may
// be asked for.
func (c *catalog) zipOnce(r *scenarios.Response) {
	if len(r.Body) == 0 || len(r.Body) <= maxZip && encoding(r.Header) == "" || c.zips[&r.Body[0]] != nil {
		return
	}
	if c.zips == nil {
		c.zips = map[*byte]func() []byte{}
	}
	c.zips[&r.Body[0]] = sync.OnceValue(func() []byte { return zip(r.Body) })
}

// zipped is a body zipped, or nil where that takes too long.
func (c *catalog) zipped(body []byte) []byte {
	if once := c.zips[&body[0]]; once != nil {
		return once()
	}
	if len(body) > maxZip {
		return nil
	}
	return zip(body)
}

func zip(body []byte) []byte {
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	_, _ = zw.Write(body) // a bytes.Buffer takes everything
	_ = zw.Close()
	return b.Bytes()
}

// log writes the line of a request.
func (s *Server) log(j *job, written int) {
	hr, e, a := j.hr, &j.entry, &j.answer
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("outcome", string(e.Outcome)),
		slog.String("method", hr.Method),
		slog.String("path", scenarios.CutText(wirePath(hr.URL), 512)),
		slog.Int("status", e.Exchange.Response.Status),
		slog.Int("bytes", written),
		slog.Duration("took", time.Since(j.began).Round(time.Microsecond)),
	}
	if a.entry != nil {
		attrs = append(attrs, slog.String("scenario", a.entry.origin[0]))
	}
	if e.Fault != "" {
		attrs = append(attrs, slog.String("fault", e.Fault))
	}
	if a.problem != nil {
		level = slog.LevelWarn
		attrs = append(attrs, slog.String("why", a.problem.Detail)) // near misses and all
	} else if len(e.NearMisses) > 0 { // what is last answered, and may hide a typing error
		attrs = append(attrs, slog.String("near", closest(e.NearMisses)))
	}
	s.cfg.Log.LogAttrs(hr.Context(), level, "request", attrs...)
}

// sameSecret compares in a time that tells nothing of what is compared.
func sameSecret(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
