package mockserver

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// answers are the statuses of calls, one after the other.
func answers(t *testing.T, s *Server, c call, times int) string {
	t.Helper()
	var all []string
	for range times {
		status, _ := body(t, s, c)
		all = append(all, fmt.Sprint(status))
	}
	return strings.Join(all, " ")
}

func TestTurns(t *testing.T) {
	for _, test := range []struct {
		name, interactions, want string
	}{
		{"one after the other, the last again", "response: [{status: 210, body: {}}, {status: 211, body: {}}]", "210 211 211 211 211"},
		{"from the first again", "response: [{status: 210, body: {}}, {status: 211, body: {}}]\n    then: loop", "210 211 210 211 210"},
		{"no more", "response: [{status: 210, body: {}}, {status: 211, body: {}}]\n    then: fail", "210 211 501 501 501"},
		{"once", "response: [{status: 210, body: {}}]\n    then: fail", "210 501 501 501 501"},
		{"beyond two a minute", "response: {status: 210, body: {}}\n    beyond: 2/1m", "501 501 210 210 210"},
		{"by chance, as the seed says", "response: {status: 210, body: {}}\n    chance: 50%", "210 501 501 210 210"},
		{"always", "response: {status: 210, body: {}}\n    chance: 100%", "210 210 210 210 210"},
	} {
		s := thingsServer(t, "  - name: turns\n    request: {method: GET, path: \"/things/{id}\"}\n    "+test.interactions+"\n")
		if got := answers(t, s, "GET /things/1", 5); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
		// Each session counts for itself, and a reset begins anew.
		if got := answers(t, s, "GET /__session/a/things/1", 5); got != test.want {
			t.Errorf("%s: in another session: got %s, want %s", test.name, got, test.want)
		}
		if err := s.home.Reset(); err != nil {
			t.Fatal(err)
		}
		if got := answers(t, s, "GET /things/1", 5); got != test.want {
			t.Errorf("%s: after a reset: got %s, want %s", test.name, got, test.want)
		}
	}
}

func TestTurnsOfWhatAdds(t *testing.T) {
	s := thingsServer(t, `  - {name: base, request: {method: GET, path: "/things/{id}"}, response: {status: 200, body: {}}}
  - name: flaps
    request: {path: "/{rest...}"}
    adds: [{}, {status: 503}, {header: {X-Third: "yes"}}]
    then: loop
`)
	if got := answers(t, s, "GET /things/1", 7); got != "200 503 200 200 503 200 200" {
		t.Errorf("got %s", got)
	}
}

func TestPer(t *testing.T) {
	s := thingsServer(t, `  - name: polled
    request: {method: GET, path: "/things/{id}"}
    response: [{status: 210, body: {}}, {status: 211, body: {}}]
    per: id
`)
	for _, want := range []string{"210", "211", "211"} {
		for _, id := range []string{"1", "2", strings.Repeat("x", 300)} {
			if got := answers(t, s, call("GET /things/"+id), 1); got != want {
				t.Errorf("%.10s: got %s, want %s", id, got, want)
			}
		}
	}
	// More values than an object may have members.
	for n := range 10_100 {
		if status, text := body(t, s, call(fmt.Sprintf("GET /things/n%d", n))); status != 210 {
			t.Fatalf("value %d: %d %s", n, status, text)
		}
	}
}

// A rate is of the session's clock, at whatever time, and begins anew when that
// is put back.
func TestBeyondAtTheEdges(t *testing.T) {
	s := thingsServer(t, "  - {name: limited, request: {method: GET, path: \"/things/{id}\"}, beyond: 2/1m, response: {status: 429, body: {}}}\n"+
		"  - {name: fine, request: {method: GET, path: \"/things/{id}\"}, response: {status: 200, body: {}}}\n")
	for _, at := range []time.Time{time.Unix(0, 0).UTC(), noon, time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 1, time.UTC)} {
		s.home.SetClock(Clock{Frozen: at})
		if got := answers(t, s, "GET /things/1", 4); got != "200 200 429 429" {
			t.Errorf("at %s: got %s", at, got)
		}
		s.home.Advance(59 * time.Second)
		if got := answers(t, s, "GET /things/1", 1); got != "429" {
			t.Errorf("at %s, within the minute: got %s", at, got)
		}
		s.home.Advance(time.Second)
		if got := answers(t, s, "GET /things/1", 3); got != "200 200 429" {
			t.Errorf("at %s, after the minute: got %s", at, got)
		}
	}
}

// Two headers that name different sessions name none.
func TestSessionNamedTwice(t *testing.T) {
	s := wordedServer(t, nil)
	for c, want := range map[call]int{
		"GET /things/1\nX-Mock-Session: a\nX-Mock-Session: b":             400,
		"GET /things/1\nX-Mock-Session: a\nX-Mock-Session: a":             200,
		"GET /__session/a/things/1\nX-Mock-Session: a\nX-Mock-Session: b": 400,
		"GET /__session/a/things/1\nX-Mock-Session: \nX-Mock-Session: a":  400,
		"GET /__session/a/__session/b/things/1":                           501,
	} {
		if status, text := body(t, s, c); status != want {
			t.Errorf("%s: %d %s", c, status, text)
		}
	}
}

// A clock has bounds, so that no sum of times overflows.
func TestClockBounds(t *testing.T) {
	s := wordedServer(t, nil)
	for _, test := range []struct {
		name string
		do   func() error
		ok   bool
	}{
		{"a century forward", func() error { return s.home.Advance(maxOffset) }, true},
		{"and an hour", func() error { return s.home.Advance(time.Hour) }, false},
		{"as far as a number goes", func() error { return s.home.Advance(1<<63 - 1) }, false},
		{"and back", func() error { return s.home.Advance(-1 << 63) }, false},
		{"a time of long ago", func() error { return s.home.SetClock(Clock{Frozen: time.Date(1899, 1, 1, 0, 0, 0, 0, time.UTC)}) }, false},
		{"the real one", func() error { return s.home.SetClock(Clock{}) }, true},
		{"an offset of two centuries", func() error { return s.home.SetClock(Clock{Offset: 2 * maxOffset}) }, false},
		{"a time to come", func() error { return s.home.SetClock(Clock{Frozen: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}) }, true},
		{"and a year", func() error { return s.home.Advance(366 * 24 * time.Hour) }, false},
	} {
		before, _ := s.home.Clock()
		err := test.do()
		if after, _ := s.home.Clock(); (err == nil) != test.ok || err != nil && after != before {
			t.Errorf("%s: %v, %+v", test.name, err, after)
		}
	}
}
