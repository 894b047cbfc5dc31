// Package oigtest gives a Go test an Oracle Identity Governance of its own, as
// net/http/httptest gives it a server:
//
//	func TestRiskIsAccepted(t *testing.T) {
//		oig := oigtest.NewServer(t)
//		oig.SetTime(time.Date(2030, 5, 11, 0, 0, 0, 0, time.UTC))
//
//		client := governance.Client{BaseURL: oig.URL, User: "user", Password: "secret"} // the code under test
//		// …
//	}
//
// There is nothing to close and no file to name: the library of scenarios and
// the contract come with the package.
//
// When the test ends, it fails for each request that the mock refused: that
// nothing answered, that broke the contract, or whose answer could not be
// made. The failure says why, in the words that the client got, too, as the
// detail of the answer: with the file and the line that kept a scenario from
// answering. What a scenario answers is no refusal, be it an error of OIG's. A
// test that wants a refusal says so by [Server.AllowUnanswered].
//
// Tests that run in parallel need no server each: [Server.Session] gives a
// subtest a view of its own, with its own records, provider states, clock,
// added scenarios and journal.
//
// What OIG is to do beyond the library is told in the language of package
// scenarios: in a folder of files, [Dir], or in the test itself, [Server.Put].
//
// A test passes its own t. Go gives an example none: in those below it is a
// variable that stands in for it. The client that they call is in the folder
// example, with tests as one would write them.
package oigtest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oigmock/oigmock/mockserver"
	"github.com/oigmock/oigmock/scenarios"
)

// A Server is a running mock as one test sees it. Its methods fail the test
// where they cannot do what they are asked; those that do so at once are to be
// called from the goroutine of the test, as t.FailNow is.
type Server struct {
	URL  string             // what the client takes for OIG, "http://127.0.0.1:35017", without a slash at the end
	Mock *mockserver.Server // the server itself, which sessions share, with all else that it can do
	Name string             // of the session, for Mock.Session; "" where URL names none

	t       testing.TB
	session *mockserver.Session
	client  *http.Client
	allowed atomic.Bool

	base     string        // the URL of the server
	sessions *atomic.Int64 // how many it has given out
}

// NewServer starts a mock on a free port of the loopback and ends it when the
// test ends, whatever is still under way then. Without options it has the
// library, and is of schemas.UsualRelease. Faults in what it is to serve fail
// the test at once, each with its place.
func NewServer(t testing.TB, opts ...Option) *Server {
	t.Helper()
	o := options{seed: 1}
	for _, opt := range opts {
		opt(&o)
	}
	mock := o.serve(t)
	srv := httptest.NewUnstartedServer(mock)
	srv.Config.DisableGeneralOptionsHandler = true // OPTIONS * is refused as others are
	ctx, cancel := context.WithCancel(context.Background())
	srv.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	srv.Start()
	t.Cleanup(func() { // what is under way ends: Close would wait for it
		_ = srv.Listener.Close() // first: a client that loses its connection may at once ask again by another
		srv.CloseClientConnections()
		cancel() // for a connection that was just being accepted
		srv.Close()
	})
	return begin(t, mock, srv.URL, "", new(atomic.Int64))
}

// Session begins a session for a test, mostly a subtest in parallel, and ends
// it with that test. It is a Server of its own URL, and as a new one is: what
// was given to another, put into it or changed in it is not in it, and what
// it is sent fails t alone. Where it ends before t does, by Mock.EndSession or
// since nobody named it in an hour, that fails t, too: what it was refused is
// gone with it.
func (s *Server) Session(t testing.TB) *Server {
	t.Helper()
	const most = 100 // bytes of the 128 that the name of a session may have
	name := strings.Map(func(r rune) rune {
		if r < 0x80 && (r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z' || strings.ContainsRune("-._", r)) {
			return r
		}
		return '.'
	}, t.Name())
	name = fmt.Sprintf("%s-%d", name[:min(len(name), most)], s.sessions.Add(1))
	return begin(t, s.Mock, s.base, name, s.sessions)
}

// begin makes the Server of a session, which ends with t.
func begin(t testing.TB, mock *mockserver.Server, base, name string, sessions *atomic.Int64) *Server {
	t.Helper()
	session, err := mock.Session(name)
	if err != nil {
		t.Fatalf("oigtest: %v", err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	s := &Server{URL: base, Mock: mock, Name: name,
		t: t, session: session, client: &http.Client{Transport: transport}, base: base, sessions: sessions}
	if name != "" {
		s.URL += "/__session/" + name
	}
	t.Cleanup(func() {
		t.Helper()
		s.check()
		transport.CloseIdleConnections()
		if name != "" {
			_, _ = mock.EndSession(name) // nobody looks at what may still come
		}
	})
	return s
}

// Client is a client for the test, always the same. Its connections are shared
// with no other Server and closed with the test. It adds nothing to a request:
// the URL says all.
func (s *Server) Client() *http.Client { return s.client }

// Given sets a provider state: the scenarios that name it under given are
// awake from then on, and what they seed is seeded, again each time. The
// parameters are what encoding/json makes JSON of; nil is none. A state that
// no scenario names, or parameters that none takes, fail the test at once; the
// failure lists the states that are known.
func (s *Server) Given(state string, params map[string]any) {
	s.t.Helper()
	if err := s.current().SetState(state, params); err != nil {
		s.fatal("Given", err)
	}
}

// SetTime says what time it is for OIG. It stands still from then on, so that
// tests are exact; the zero Time lets it run again, and be the real one.
func (s *Server) SetTime(now time.Time) {
	s.t.Helper()
	if err := s.current().SetClock(mockserver.Clock{Frozen: now}); err != nil {
		s.fatal("SetTime", err)
	}
}

// FastForward puts the clock forward, or back where d is negative. A clock that
// stands still goes on to stand still.
func (s *Server) FastForward(d time.Duration) {
	s.t.Helper()
	if err := s.current().Advance(d); err != nil {
		s.fatal("FastForward", err)
	}
}

// Put adds scenarios, written as in a file, and seeds what they seed. They are
// tried before all others, the latest first. The name is that of a file without
// ".yaml", by which faults and explanations call them; what had that name
// before is replaced. Faults fail the test at once, each with its line and
// column.
func (s *Server) Put(name, scenario string) {
	s.t.Helper()
	if err := s.current().Put(name, []byte(scenario)); err != nil {
		s.fatal("Put", err)
	}
}

// AllowUnanswered lets the mock refuse requests without failing the test for
// it: for a test of what a client does then.
//
// What the journal does not hold when the test ends cannot fail it: Reset and
// ClearJournal of a session of Mock, and Mock.EndSession of "", take away what
// the mock refused until then, and nothing tells.
func (s *Server) AllowUnanswered() { s.allowed.Store(true) }

// current is the session, as long as it is there.
func (s *Server) current() *mockserver.Session {
	s.t.Helper()
	if err := s.ended(); err != nil {
		s.t.Fatalf("oigtest: %v", err)
	}
	return s.session
}

// ended says why the session is not there any more; nil: it is.
func (s *Server) ended() error {
	now, err := s.Mock.Session(s.session.Name())
	if err == nil && now != s.session {
		err = fmt.Errorf("the session %q has ended: by Mock.EndSession, or since nobody named it in an hour", s.session.Name())
	}
	return err
}

func (s *Server) fatal(verb string, err error) {
	s.t.Helper()
	s.t.Fatalf("oigtest: %s: %s", verb, lines(err))
}

// Received is what the session has received of such requests, oldest first,
// with what was answered. The request is written as under request in a
// scenario, as YAML or JSON; "" is any:
//
//	oig.Received(`{method: PUT, path: "/iam/{rest...}", body: {id: "5126"}}`)
//
// Faults in it, and a journal that has lost entries, so that there may have
// been more, fail the test at once.
func (s *Server) Received(request string) []mockserver.Entry {
	s.t.Helper()
	var m *scenarios.RequestMatcher // nil: any
	var err error
	if strings.TrimSpace(request) != "" {
		m, err = scenarios.ParseRequest("request", []byte(request))
	}
	var list []mockserver.Entry
	if err == nil {
		list, err = s.current().Received(m)
	}
	if err != nil {
		s.fatal("Received", err)
	}
	return list
}
