package mockserver

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas/didyoumean"
	"github.com/oigmock/oigmock/schemas/payload"
)

const (
	maxSessions    = 10_000
	maxSessionName = 128       // bytes
	idleSession    = time.Hour // without being named, after which a session ends
	maxStates      = 256 << 20 // bytes that all sessions remember together, beyond what was seeded

	sweepEvery = time.Minute
)

// What a caller of a Session may branch on.
var (
	ErrSessionName     = errors.New("no name for a session")
	ErrTooManySessions = errors.New("too many sessions")
	ErrTooMuch         = errors.New("the sessions remember too much")
	ErrUnknownState    = errors.New("unknown provider state")
	ErrUnknownRelease  = errors.New("unknown release")
	ErrOtherRelease    = errors.New("the session is of another release")
	ErrNoScenario      = errors.New("no such scenario")
	ErrFromFile        = errors.New("the scenario is from a file")
	ErrEvicted         = errors.New("entries that it would need were evicted")
	ErrNoRecord        = errors.New("no such record")
)

// A Session is one client's private view of a running mock: its own records,
// provider states, clock, added scenarios and journal. Its methods may be
// called concurrently.
type Session struct {
	server  *Server
	name    string
	release string // it never changes
	state   atomic.Pointer[state]
	named   atomic.Int64 // when it was last named, really
	mu      sync.Mutex   // held while the state and the journal change in one step
	journal journal
	usage   usage
	over    bool // it has ended: what it remembers is not counted any more
}

// sessions are all that there are.
type sessions struct {
	mu     sync.RWMutex
	byName map[string]*Session
	swept  time.Time
	ended  usage // of those that are no more

	remembered atomic.Int64 // bytes
}

// Name is the name of the session; "" for that of clients that name none.
func (s *Session) Name() string { return s.name }

// Release is the release of OIG that the session is of.
func (s *Session) Release() string { return s.release }

// Session is the session of that name; naming it begins it, in the usual
// release. "" is the session of clients that name none, which never ends.
func (s *Server) Session(name string) (*Session, error) {
	if name == "" {
		return s.home, nil
	}
	return s.session(name, s.cfg.Release)
}

// session is the session of that name, which begins in a release if there is
// none.
func (s *Server) session(name, release string) (*Session, error) {
	now := time.Now()
	all := &s.sessions
	all.mu.RLock()
	ses := all.byName[name]
	due := now.Sub(all.swept) >= sweepEvery
	all.mu.RUnlock()
	if ses != nil && !due && !ses.idle(now) {
		ses.named.Store(now.UnixNano())
		return ses, nil
	}
	if err := checkSessionName(name); err != nil {
		return nil, err
	}
	ses, idle, err := s.named(name, release, now)
	for _, other := range idle {
		other.end()
	}
	return ses, err
}

// named is the session of a name, begun if there is none, and those that are
// to end, since nobody has named them for so long.
func (s *Server) named(name, release string, now time.Time) (ses *Session, idle []*Session, err error) {
	all := &s.sessions
	all.mu.Lock()
	defer all.mu.Unlock()
	if now.Sub(all.swept) >= sweepEvery || len(all.byName) >= maxSessions {
		all.swept = now
		for _, other := range all.byName {
			if other.idle(now) {
				idle = append(idle, other)
				delete(all.byName, other.name)
			}
		}
	}
	if ses = all.byName[name]; ses != nil && ses.idle(now) {
		idle = append(idle, ses)
		delete(all.byName, name)
		ses = nil
	}
	if ses == nil {
		if len(all.byName) >= maxSessions {
			return nil, idle, fmt.Errorf("%w: there are %d; one ends by DELETE /sessions/NAME, or after an hour in which nobody names it", ErrTooManySessions, maxSessions)
		}
		if ses, err = s.begin(name, release); err != nil {
			return nil, idle, err
		}
		all.byName[name] = ses
	}
	ses.named.Store(now.UnixNano())
	return ses, idle, nil
}

func (s *Session) idle(now time.Time) bool {
	return now.UnixNano()-s.named.Load() >= int64(idleSession)
}

func checkSessionName(name string) error {
	switch {
	case len(name) > maxSessionName:
		return fmt.Errorf("%w: it has %d bytes; %d are taken", ErrSessionName, len(name), maxSessionName)
	case name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }):
		return fmt.Errorf("%w: %q has characters that are not seen, or none at all", ErrSessionName, scenarios.CutText(name, 40))
	}
	return nil
}

// begin makes a session as it is at its beginning.
func (s *Server) begin(name, release string) (*Session, error) {
	ses := &Session{server: s, name: name, release: release}
	ses.journal.all = &s.journals
	st, err := s.beginning(release)
	if err != nil {
		return nil, err
	}
	if err := s.sessions.grow(st.size()); err != nil {
		return nil, err
	}
	ses.state.Store(st)
	return ses, nil
}

// beginning is the state in which every session of a release begins.
func (s *Server) beginning(release string) (*state, error) {
	c := (*s.catalogs.Load()).of(release)
	st := &state{given: s.given, clock: s.cfg.Clock, base: c, records: c.seeded}
	if len(s.given) == 0 && len(c.timely) == 0 {
		return st, nil
	}
	if seeded := c.seededGiven.Load(); seeded != nil {
		st.records = *seeded
		return st, nil
	}
	env := scenarios.Env{Now: s.now(st), Given: st.given}
	t, timely, err := scenarios.Seed(c.seeded, c.timely, env)
	for _, g := range s.cfg.Given { // what a state seeds comes over all else, as when it is set
		naming := slices.DeleteFunc(c.awake(s.given), func(sc *scenarios.Scenario) bool {
			return !slices.ContainsFunc(sc.Given, func(of scenarios.ProviderState) bool { return of.Name == g.Name })
		})
		depends := false
		if err == nil {
			t, depends, err = scenarios.Seed(t, naming, env)
			timely = timely || depends
		}
	}
	if st.records = t; err == nil && !timely {
		st.records = t.Share()
		c.seededGiven.Store(&st.records)
	}
	return st, err
}

// grow makes room for what is remembered, or gives it back.
func (all *sessions) grow(bytes int) error {
	if all.remembered.Add(int64(bytes)) > maxStates && bytes > 0 {
		all.remembered.Add(-int64(bytes))
		return fmt.Errorf("%w: %d bytes are taken by all together; POST /reset, or DELETE /sessions/NAME, makes room", ErrTooMuch, maxStates)
	}
	return nil
}

// seed sets what scenarios seed.
func (st *state) seed(list []*scenarios.Scenario, t scenarios.Tree, now time.Time) (scenarios.Tree, error) {
	t, _, err := scenarios.Seed(t, list, scenarios.Env{Now: now, Given: st.given})
	return t, err
}

// now is what now means in a state.
func (s *Server) now(st *state) time.Time { return st.clock.At(s.cfg.Now()) }

// end ends a session that has no name any more. It waits for what is under
// way in it; whoever waits for other sessions must not wait for that, so nobody
// holds sessions.mu meanwhile.
func (s *Session) end() {
	s.mu.Lock()
	used, size := s.usage, s.state.Load().size()
	s.usage = usage{}
	s.over = true
	s.journal.clear()
	s.journal.wake()
	s.mu.Unlock()
	all := &s.server.sessions
	_ = all.grow(-size)
	all.addEnded(&used)
}

// addEnded counts for the run what a session has counted.
func (all *sessions) addEnded(u *usage) {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.ended.merge(u)
}

// ended reports whether the session is no more.
func (s *Session) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

// Sessions are the sessions that there are, sorted by name; that of clients
// that name none is not among them.
func (s *Server) Sessions() []*Session {
	all := &s.sessions
	all.mu.RLock()
	defer all.mu.RUnlock()
	now := time.Now()
	var list []*Session
	for _, ses := range all.byName {
		if !ses.idle(now) {
			list = append(list, ses)
		}
	}
	slices.SortFunc(list, func(a, b *Session) int { return cmp.Compare(a.name, b.name) })
	return list
}

// EndSession ends a session, and reports whether there was one. That of
// clients that name none begins anew.
func (s *Server) EndSession(name string) (bool, error) {
	if name == "" {
		return true, s.home.Reset()
	}
	all := &s.sessions
	all.mu.Lock()
	ses := all.byName[name]
	delete(all.byName, name)
	all.mu.Unlock()
	if ses == nil {
		return false, nil
	}
	ses.end()
	return true, nil
}

// load is the state as it is now. Where other files are served than when it
// was made, what they seed otherwise is seeded first.
func (s *Session) load() *state {
	st := s.state.Load()
	if c := (*s.server.catalogs.Load()).of(s.release); st.base != c {
		_ = s.update(func(old *state) (*state, error) { // what seeds were checked by is the real clock
			if old.base == c {
				return old, nil
			}
			next := *old
			next.base = c
			t, err := next.seed(c.seedsUnlike(old.base, next.given), next.records, s.server.now(&next))
			if err == nil {
				next.records = t
			}
			// That files were edited must not be kept from a session: it is counted,
			// and not refused.
			s.server.sessions.remembered.Add(int64(next.size() - old.size()))
			s.state.Store(&next)
			return old, nil
		})
		st = s.state.Load()
	}
	return st
}

// update makes another state of the newest, and puts it in its place.
func (s *Session) update(f func(*state) (*state, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.state.Load()
	next, err := f(old)
	if err != nil || next == old {
		return err
	}
	return s.replace(old, next)
}

// replace puts a state in the place of another, if there is room. The caller
// holds s.mu.
func (s *Session) replace(old, next *state) error {
	if !s.over {
		if err := s.server.sessions.grow(next.size() - old.size()); err != nil {
			return err
		}
	}
	s.state.Store(next)
	return nil
}

// keep puts the state that a request made in the place of that by which it was
// decided, and the entry into the journal, in one step. It reports false, and
// keeps nothing, where the state has changed meanwhile.
func (s *Session) keep(was, next *state, e *Entry, used *use) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() != was {
		return false, nil
	}
	return true, s.put(was, next, e, used)
}

func (s *Session) put(was, next *state, e *Entry, used *use) error {
	if next != was {
		if err := s.replace(was, next); err != nil {
			return err
		}
	}
	s.tell(e, used)
	return nil
}

// tell puts an entry into the journal and counts what was used. Of a session
// that has ended meanwhile there is no journal, and it counts for the run. The
// caller holds s.mu.
func (s *Session) tell(e *Entry, used *use) {
	if s.over {
		var u usage
		u.count(used)
		s.server.sessions.addEnded(&u)
		return
	}
	s.usage.count(used)
	e.Release = s.release
	s.journal.add(e)
}

// note puts an entry into the journal, whatever the state is.
func (s *Session) note(e *Entry, used *use) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell(e, used)
}

// Journal is what is still kept of the entries after a number, oldest first,
// and how many were evicted.
func (s *Session) Journal(after uint64) (entries []Entry, evicted uint64) {
	return s.journal.after(after)
}

// ClearJournal drops all entries.
func (s *Session) ClearJournal() { s.journal.clear() }

// Clock is the clock of the session, and what now means by it.
func (s *Session) Clock() (c Clock, now time.Time) {
	st := s.load()
	return st.clock, s.server.now(st)
}

// SetClock sets the clock of the session. What it says must lie between the
// years 1900 and 9999, and an offset within a hundred years.
func (s *Session) SetClock(c Clock) error { return s.moveClock(0, func(Clock) Clock { return c }) }

// Advance puts the clock forward, or back where by is negative. The bounds are
// those of SetClock.
func (s *Session) Advance(by time.Duration) error {
	return s.moveClock(by, func(old Clock) Clock { return old.Advance(by) })
}

const maxOffset = 100 * 366 * 24 * time.Hour // so that sums of two are numbers

// moveClock sets the clock to what f makes of it, by so much.
func (s *Session) moveClock(by time.Duration, f func(Clock) Clock) error {
	return s.update(func(old *state) (*state, error) {
		next := *old
		next.clock = f(old.clock)
		now := s.server.now(&next)
		if by.Abs() > maxOffset || next.clock.Offset.Abs() > maxOffset || now.Before(firstTime) || now.After(lastTime) {
			return nil, wrongf("the clock would be more than a hundred years from the real one, or not at a time " + clockBounds)
		}
		return &next, nil
	})
}

// Reset makes the session as it was at its beginning; its journal is empty.
func (s *Session) Reset() error {
	st, err := s.server.beginning(s.release)
	if err != nil {
		return err
	}
	s.mu.Lock()
	if err := s.replace(s.state.Load(), st); err != nil {
		s.mu.Unlock()
		return err
	}
	s.journal.clear()
	used := s.usage
	s.usage = usage{}
	s.mu.Unlock()
	s.server.sessions.addEnded(&used) // it counts for the run, and no longer for the session
	return nil
}

// SetState sets a provider state, and what its scenarios seed. With an unknown
// state, or with parameters that none of its scenarios takes, nothing changes
// and the error wraps ErrUnknownState.
func (s *Session) SetState(name string, params map[string]any) error {
	text, err := json.Marshal(params)
	if err != nil {
		return fmt.Errorf("provider state %q: its parameters: %w", name, err)
	}
	if params == nil {
		text = []byte("{}")
	}
	doc, err := payload.Scan(text)
	if err != nil {
		return fmt.Errorf("provider state %q: its parameters: %w", name, err)
	}
	return s.setState(name, doc.Root())
}

func (s *Session) setState(name string, params payload.Value) error {
	return s.update(func(old *state) (*state, error) { return s.server.withState(old, name, params) })
}

func (s *Server) withState(old *state, name string, params payload.Value) (*state, error) {
	var naming []*scenarios.Scenario
	var why []string
	taken := false
	for _, sc := range old.scenarios() {
		for _, g := range sc.Given {
			if g.Name != name {
				continue
			}
			naming = append(naming, sc)
			misses := sc.Refuses(name, params)
			taken = taken || len(misses) == 0
			for _, m := range misses {
				why = append(why, m.String())
			}
		}
	}
	switch {
	case len(naming) == 0:
		return nil, unknownState(name, old.knownStates())
	case !taken:
		return nil, fmt.Errorf("%w: no scenario takes %q with these parameters:\n  %s", ErrUnknownState, name, strings.Join(why, "\n  "))
	}
	next := old.withGiven(name, params)
	awake := slices.DeleteFunc(naming, func(sc *scenarios.Scenario) bool { return !sc.Awake(next.given) })
	t, err := next.seed(awake, next.records, s.now(next))
	if err != nil {
		return nil, fmt.Errorf("provider state %q: %w", name, err)
	}
	next.records = t
	return next, nil
}

func unknownState(name string, known []string) error {
	hint := didyoumean.Hint(name, known)
	const most = 50
	list := "no scenario has any"
	if len(known) > 0 {
		list = "known are"
		for i, k := range known {
			if i == most {
				list += fmt.Sprintf(", and %d more", len(known)-most)
				break
			}
			list += fmt.Sprintf("%s %q", map[bool]string{true: "", false: ","}[i == 0], k)
		}
	}
	return fmt.Errorf("%w %q%s; %s", ErrUnknownState, scenarios.CutText(name, 200), hint, list)
}

// UnsetState takes a provider state back: its scenarios sleep again. What they
// seeded stays.
func (s *Session) UnsetState(name string) {
	_ = s.update(func(old *state) (*state, error) {
		if _, set := old.given[name]; !set {
			return old, nil
		}
		return old.withGiven(name, payload.Value{}), nil
	})
}

// scenarios are all that hold in a state, in order of precedence, awake or not.
func (st *state) scenarios() []*scenarios.Scenario {
	if st.added == nil {
		return st.base.list
	}
	return append(slices.Clone(st.added.list), st.base.list...)
}
