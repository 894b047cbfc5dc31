// Package mockserver answers as Oracle Identity Governance would: it takes a
// request down one straight road,
//
//	read → check → decide → keep → wait → write
//
// where decide is a pure function of the catalog, the state of the session and
// the request, and keep puts the state that comes of it in the place of the one
// by which it was decided, together with the journal entry, in one step and
// before the first byte goes out: what a client holds in its hand is in the
// journal, and of many requests that ask a record and change it one does. Where
// another request was first, it is decided again.
//
// A Session is one client's private view: its own records, provider states,
// clock, added scenarios and journal over the same catalog. A request names it
// by its base URL or by a header. What the methods of a Session can do, the admin
// API can do, and nothing else.
//
// A catalog is what was loaded: a contract and scenarios, checked against one
// another, with an index beside each operation. It never changes; new files
// make a new catalog, which is swapped in whole.
package mockserver

import (
	"errors"
	"fmt"
	"go/scanner"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
	"github.com/oigmock/oigmock/schemas/payload"
	"github.com/rs/cors"
)

// Config says what a Server serves. The zero value of each field but
// Scenarios is ready for use.
type Config struct {
	Contract  *schemas.Contract     // nil: payloads are not checked, and no path is outside
	Scenarios []*scenarios.Scenario // tried in this order
	Release   string                // scenarios of other releases are passed over; "": all hold
	Beside    []Release             // are served as well, each in sessions of its own
	User      string                // "NAME:PASSWORD", the only login that counts; "": any does
	Now       func() time.Time      // the real time; nil: time.Now
	Clock     Clock                 // where the clock of every session starts
	Given     []ProviderState       // that are set in every session when it begins
	Seed      uint64                // of whatever is random; 0: drawn
	Log       *slog.Logger          // one line for each request; nil: silent
	Journal   JournalLimits
	CORS      []string // origins whose pages may call from a browser, "http://localhost:3000", or "*"; none: no page of another origin
}

// A Server is a running mock. It is an http.Handler; its methods may be
// called concurrently.
type Server struct {
	cfg      Config
	catalogs atomic.Pointer[catalogs] // of the same releases for as long as it runs
	given    map[string]payload.Value // of Config.Given
	tokens   *tokens
	cors     *cors.Cors // nil: no page of another origin may call
	journals journals
	sessions sessions
	home     *Session            // of clients that name none
	homes    map[string]*Session // and that name a release
}

// A Release is a generation of OIG, and its contract.
type Release struct {
	Name     string
	Contract *schemas.Contract
}

// A ProviderState is the name of one, and its parameters.
type ProviderState struct {
	Name   string
	Params map[string]any
}

// New makes a Server. It fails where cfg makes no sense, and else as Load does:
// with a scanner.ErrorList of every fault of every file.
func New(cfg Config) (*Server, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Seed == 0 {
		cfg.Seed = rand.Uint64()
	}
	if cfg.User != "" && !strings.Contains(cfg.User, ":") {
		return nil, errors.New("user: want NAME:PASSWORD")
	}
	s := &Server{cfg: cfg, tokens: newTokens()}
	var err error
	if s.cors, err = newCORS(cfg.CORS); err != nil {
		return nil, err
	}
	s.journals.limit(cfg.Journal)
	s.sessions.byName = map[string]*Session{}
	if err := s.Load(cfg.Contract, cfg.Scenarios, cfg.Beside...); err != nil {
		return nil, err
	}
	if err := s.setGiven(); err != nil {
		return nil, err
	}
	s.homes = map[string]*Session{}
	for _, release := range s.Releases() {
		home, err := s.begin("", release)
		if err != nil {
			return nil, err
		}
		s.homes[release] = home
	}
	s.home = s.homes[cfg.Release]
	return s, nil
}

// setGiven finds the provider states that are set from the start. Not every
// release needs to know each of them.
func (s *Server) setGiven() error {
	all := map[string]payload.Value{}
	unknown := map[string]error{}
	for _, release := range s.Releases() {
		first, err := s.begin("", release)
		if err != nil {
			return err
		}
		for _, g := range s.cfg.Given {
			if err := first.SetState(g.Name, g.Params); errors.Is(err, ErrUnknownState) {
				unknown[g.Name] = err
			} else if err != nil {
				return err
			}
		}
		maps.Copy(all, first.state.Load().given)
	}
	for _, g := range s.cfg.Given {
		if _, set := all[g.Name]; !set {
			return unknown[g.Name]
		}
	}
	if len(all) > 0 {
		s.given = all
	}
	s.sessions.remembered.Store(0)
	return nil
}

// Seed is that of whatever is random: with it a run can be repeated.
func (s *Server) Seed() uint64 { return s.cfg.Seed }

// Load checks a contract and scenarios and serves them from then on, whole; for
// the releases that are served beside it takes their contracts, too.
// They must be the same releases as before, in the same order. With an error
// nothing changes: what was served is served on. The error is a
// scanner.ErrorList of all faults.
func (s *Server) Load(contract *schemas.Contract, list []*scenarios.Scenario, beside ...Release) error {
	if before := s.catalogs.Load(); before != nil {
		served, given := s.Releases(), []string{s.cfg.Release}
		for _, r := range beside {
			given = append(given, r.Name)
		}
		if !slices.Equal(served, given) {
			return fmt.Errorf("the releases that are served are %s, and cannot become %s", strings.Join(served, ", "), strings.Join(given, ", "))
		}
	}
	now := s.cfg.Clock.At(s.cfg.Now())
	var all catalogs
	var found []Finding
	for _, r := range append([]Release{{s.cfg.Release, contract}}, beside...) {
		c := newCatalog(r.Contract, list, r.Name, now, s.serve)
		all = append(all, c)
		found = append(found, c.check(now)...)
	}
	var faults scanner.ErrorList
	for _, f := range SortFindings(found) {
		if f.Level == LevelFault {
			faults.Add(f.Pos, f.Text)
		} else {
			all[0].remarks = append(all[0].remarks, f)
		}
	}
	if err := faults.Err(); err != nil {
		return err
	}
	s.catalogs.Store(&all)
	return nil
}

// usual is the catalog of sessions that name no release.
func (s *Server) usual() *catalog { return (*s.catalogs.Load())[0] }

// Operations is how many operations the contract of the usual release has;
// Interactions how many its scenarios have, and Scenarios how many of those
// there are.
func (s *Server) Operations() int   { return s.usual().operations }
func (s *Server) Scenarios() int    { return s.usual().scenarios }
func (s *Server) Interactions() int { return len(s.usual().all) }

// Remarks are the warnings and notes that Check found in what is served.
func (s *Server) Remarks() []Finding { return slices.Clone(s.usual().remarks) }

// ServeHTTP takes a request down the road.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.cors != nil && s.preflight(w, r) {
		return
	}
	r, err := inSession(r)
	if err != nil {
		s.refuseSession(w, r, err, time.Now())
		return
	}
	all := *s.catalogs.Load()
	c := all[0]
	if len(all) > 1 {
		if ses, _, err := s.sessionOf(r); err == nil { // else it is told further down the road
			c = all.of(ses.release)
		}
	}
	c.router.ServeHTTP(w, r)
}

// caller is who calls at a time, "" for nobody. A wrong login is nobody, and so
// is a token that is not good.
func (s *Server) caller(r *http.Request, now time.Time) string {
	if token, ok := bearer(r); ok {
		return s.tokens.login(token, now)
	}
	name, password, ok := r.BasicAuth()
	if !ok {
		return ""
	}
	if s.cfg.User != "" && !sameSecret(name+":"+password, s.cfg.User) {
		return ""
	}
	return name
}
