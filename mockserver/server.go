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
	"go/scanner"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
	"github.com/oigmock/oigmock/schemas/payload"
)

// Config says what a Server serves. The zero value of each field but
// Scenarios is ready for use.
type Config struct {
	Contract  *schemas.Contract     // nil: payloads are not checked, and no path is outside
	Scenarios []*scenarios.Scenario // tried in this order
	Release   string                // scenarios of other releases are passed over; "": all hold
	User      string                // "NAME:PASSWORD", the only login that counts; "": any does
	Now       func() time.Time      // the real time; nil: time.Now
	Clock     Clock                 // where the clock of every session starts
	Given     []ProviderState       // that are set in every session when it begins
	Seed      uint64                // of whatever is random; 0: drawn
	Log       *slog.Logger          // one line for each request; nil: silent
	Journal   JournalLimits
}

// A Server is a running mock. It is an http.Handler; its methods may be
// called concurrently.
type Server struct {
	cfg      Config
	catalog  atomic.Pointer[catalog]
	given    map[string]payload.Value // of Config.Given
	journals journals
	sessions sessions
	home     *Session // of clients that name none

	seededGiven atomic.Pointer[seededGiven]
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
	s := &Server{cfg: cfg}
	s.journals.limit(cfg.Journal)
	s.sessions.byName = map[string]*Session{}
	if err := s.Load(cfg.Contract, cfg.Scenarios); err != nil {
		return nil, err
	}
	if err := s.setGiven(); err != nil {
		return nil, err
	}
	var err error
	s.home, err = s.begin("")
	return s, err
}

// setGiven finds the provider states that are set from the start.
func (s *Server) setGiven() error {
	first, err := s.begin("")
	if err != nil {
		return err
	}
	for _, g := range s.cfg.Given {
		if err := first.SetState(g.Name, g.Params); err != nil {
			return err
		}
	}
	s.given = first.state.Load().given
	s.sessions.remembered.Store(0)
	return nil
}

// Seed is that of whatever is random: with it a run can be repeated.
func (s *Server) Seed() uint64 { return s.cfg.Seed }

// Load checks a contract and scenarios and serves them from then on, whole.
// With an error nothing changes: what was served is served on. The error is a
// scanner.ErrorList of all faults.
func (s *Server) Load(contract *schemas.Contract, list []*scenarios.Scenario) error {
	now := s.cfg.Clock.At(s.cfg.Now())
	c := newCatalog(contract, list, s.cfg.Release, now, s.serve)
	var faults scanner.ErrorList
	for _, f := range c.check(now) {
		if f.Level == LevelFault {
			faults.Add(f.Pos, f.Text)
		} else {
			c.remarks = append(c.remarks, f)
		}
	}
	if err := faults.Err(); err != nil {
		return err
	}
	s.catalog.Store(c)
	return nil
}

// Operations is how many operations the contract has; Interactions how many
// the scenarios have, and Scenarios how many of those there are.
func (s *Server) Operations() int   { return s.catalog.Load().operations }
func (s *Server) Scenarios() int    { return s.catalog.Load().scenarios }
func (s *Server) Interactions() int { return len(s.catalog.Load().all) }

// Remarks are the warnings and notes that Check found in what is served.
func (s *Server) Remarks() []Finding { return slices.Clone(s.catalog.Load().remarks) }

// ServeHTTP takes a request down the road.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r, err := inSession(r)
	if err != nil {
		s.refuseSession(w, r, err, time.Now())
		return
	}
	s.catalog.Load().router.ServeHTTP(w, r)
}

// caller is who calls, "" for nobody. A wrong login is nobody.
func (s *Server) caller(r *http.Request) string {
	name, password, ok := r.BasicAuth()
	if !ok {
		return ""
	}
	if s.cfg.User != "" && !sameSecret(name+":"+password, s.cfg.User) {
		return ""
	}
	return name
}
