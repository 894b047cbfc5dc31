package mockserver

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// worded is a thing that has a word, and what changes it.
const worded = `scenario: Things have a word
source: assumed
records:
  things:
    "1": {word: red}
    "2": {word: red}
interactions:
  - name: its word
    request: {method: GET, path: "/things/{id}"}
    when:
      things/{id}: {}
    response: {status: 200, body: {id: "{{ id }}", word: "{{ things/{id}/word }}", at: "{{ now }}", self: "{{ self }}"}}
  - name: red is changed
    request: {method: PUT, path: "/things/{id}"}
    when:
      things/{id}: {word: red}
    set:
      things/{id}: {word: blue}
    response: {status: 200, body: {id: "{{ id }}", word: "{{ things/{id}/word }}"}}
  - name: it was red no more
    order: last
    request: {method: PUT, path: "/things/{id}"}
    response: {status: 409, body: {id: "{{ id }}"}}
---
scenario: Things are lost
source: assumed
given: {things are lost: {id: {$like: "1"}}}
records:
  things/{given/id}: {word: lost}
interactions:
  - name: what is lost is gone
    order: first
    request: {method: GET, path: "/things/{id}", params: {id: "{{ given/id }}"}}
    response: {status: 410, body: {id: "{{ given/id }}"}}
`

func wordedServer(t testing.TB, change func(*Config)) *Server {
	t.Helper()
	cfg := Config{Contract: contractOf(t, things), Scenarios: scenariosOf(t, "scenarios", map[string]string{"words.yaml": worded})}
	if change != nil {
		change(&cfg)
	}
	return newServer(t, cfg)
}

// body is the body of an answer to a call, and its status.
func body(t testing.TB, h http.Handler, c call) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, c.request(t))
	return w.Code, w.Body.String()
}

const change1 = "PUT /things/1\n\n{\"id\": \"1\"}"

// However many ask at once whether a record is so, and change it, one does.
func TestOneChange(t *testing.T) {
	s := wordedServer(t, nil)
	changed := 0
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range 200 {
		wg.Go(func() {
			<-start
			status, text := body(t, s, change1)
			mu.Lock()
			defer mu.Unlock()
			switch status {
			case 200:
				changed++
			case 409:
			default:
				t.Errorf("%d %s", status, text)
			}
		})
	}
	close(start)
	wg.Wait()
	if changed != 1 {
		t.Errorf("%d changed it", changed)
	}
	entries, _ := s.home.Journal(0)
	if len(entries) != 200 {
		t.Fatalf("%d entries", len(entries))
	}
	for i, e := range entries { // the journal tells what happened in the order in which it did
		if want := i == 0; (len(e.Changed) > 0) != want || (e.Exchange.Response.Status == 200) != want {
			t.Errorf("entry %d: %d, changed %v", i, e.Exchange.Response.Status, e.Changed)
		}
	}
	if got := entries[0].Changed; len(got) != 1 || got[0] != "things/1" {
		t.Errorf("changed %v", got)
	}
}

// A sum that many add to at once has lost nothing.
func TestEveryChangeIsKept(t *testing.T) {
	s := wordedServer(t, func(cfg *Config) {
		cfg.Scenarios = scenariosOf(t, "scenarios", map[string]string{"new.yaml": `scenario: Things are made
source: assumed
records: {made: {}}
interactions:
  - name: one more
    request: {method: PUT, path: "/things/{id}"}
    set:
      made/{new}: {id: "{{ id }}", name: "{{ new }}"}
    response: {status: 200, body: {id: "{{ new }}"}}
`})
	})
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]bool{}
	for range 20 {
		wg.Go(func() {
			for range 10 {
				_, text := body(t, s, change1)
				mu.Lock()
				seen[text] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if n := s.home.load().records.At("made").Len(); n != 200 || len(seen) != 200 {
		t.Errorf("%d are kept, %d answers", n, len(seen))
	}
}

func TestSessionsAreApart(t *testing.T) {
	s := wordedServer(t, nil)
	a, err := s.Session("a")
	if err != nil {
		t.Fatal(err)
	}
	a.SetClock(Clock{Frozen: noon.AddDate(10, 0, 0)})
	if status, text := body(t, s, "PUT /__session/a/things/1\n\n{\"id\": \"1\"}"); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	for _, test := range []struct {
		call call
		want string
	}{
		{"GET /things/1", `{"id":"1","word":"red","at":"2030-05-11T00:00:00Z","self":"http://example.com/things/1"}`},
		{"GET /__session/a/things/1", `{"id":"1","word":"blue","at":"2040-05-11T00:00:00Z","self":"http://example.com/__session/a/things/1"}`},
		{"GET /things/1\nX-Mock-Session: a", `{"id":"1","word":"blue","at":"2040-05-11T00:00:00Z","self":"http://example.com/things/1"}`},
		{"GET /__session/a/things/1\nX-Mock-Session: a", `{"id":"1","word":"blue","at":"2040-05-11T00:00:00Z","self":"http://example.com/__session/a/things/1"}`},
		{"GET /__session/%61%2Fb/things/1?x=1", `{"id":"1","word":"red","at":"2030-05-11T00:00:00Z","self":"http://example.com/__session/%61%2Fb/things/1"}`},
		{"GET /__session/a/things/a%2Fb", ""},
	} {
		status, text := body(t, s, test.call)
		if test.want == "" {
			if !strings.Contains(text, `nothing answers GET /things/a%2Fb`) {
				t.Errorf("%s: %d %s", test.call, status, text)
			}
			continue
		}
		if text != test.want {
			t.Errorf("%s: got %d %s\nwant %s", test.call, status, text, test.want)
		}
	}
	for name, want := range map[string]int{"": 1, "a": 5, "a/b": 1} {
		ses, err := s.Session(name)
		if err != nil {
			t.Fatal(err)
		}
		if entries, _ := ses.Journal(0); len(entries) != want {
			t.Errorf("session %q has %d entries, want %d", name, len(entries), want)
		}
	}
}

func TestSessionNames(t *testing.T) {
	s := wordedServer(t, nil)
	for _, test := range []struct {
		call   call
		status int
		detail string
	}{
		{"GET /__session//things/1", 400, "no name for a session"},
		{"GET /__session/", 400, "no name for a session"},
		{"GET /__session/%0A/things/1", 400, "characters that are not seen"},
		{"GET /__session/%FF/things/1", 400, "characters that are not seen"},
		{call("GET /__session/" + strings.Repeat("a", 129) + "/things/1"), 400, "it has 129 bytes; 128 are taken"},
		{call("GET /things/1\nX-Mock-Session: " + strings.Repeat("a", 129)), 400, "it has 129 bytes"},
		{"GET /__session/a/things/1\nX-Mock-Session: b", 400, `the path says \"a\" and X-Mock-Session says \"b\"`},
		{"GET /__session/a", 501, "nothing answers GET /"},
		{"GET /__session", 501, "nothing answers GET /__session"},
	} {
		status, text := body(t, s, test.call)
		if status != test.status || !strings.Contains(text, test.detail) {
			t.Errorf("%.60s: got %d %s", test.call, status, text)
		}
	}
}

func TestManySessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := wordedServer(t, nil)
		for n := range maxSessions {
			if _, err := s.Session(fmt.Sprint(n)); err != nil {
				t.Fatal(err)
			}
		}
		status, text := body(t, s, "GET /things/1\nX-Mock-Session: more")
		if status != 503 || !strings.Contains(text, "there are 10000") || !strings.Contains(text, "urn:oigmock:session") {
			t.Errorf("%d %s", status, text)
		}
		if _, err := s.Session("17"); err != nil {
			t.Errorf("one that there is: %v", err)
		}
		if there, err := s.EndSession("18"); !there || err != nil {
			t.Error(there, err)
		}
		if there, _ := s.EndSession("18"); there {
			t.Error("it ended twice")
		}
		if _, err := s.Session("more"); err != nil {
			t.Errorf("in the place of one that ended: %v", err)
		}
		time.Sleep(59 * time.Minute)
		if status, _ := body(t, s, "PUT /__session/17/things/1\n\n{\"id\": \"1\"}"); status != 200 {
			t.Error(status)
		}
		time.Sleep(time.Minute) // all but one were not named for an hour
		if n := len(s.Sessions()); n != 1 {
			t.Errorf("%d sessions are left", n)
		}
		if _, text := body(t, s, "GET /__session/17/things/1"); !strings.Contains(text, "blue") {
			t.Errorf("who was named has forgotten: %s", text)
		}
		time.Sleep(time.Hour)
		if _, text := body(t, s, "GET /__session/17/things/1"); !strings.Contains(text, "red") {
			t.Errorf("after an hour of silence it begins anew: %s", text)
		}
		if n := len(s.sessions.byName); n != 1 {
			t.Errorf("%d sessions are kept", n)
		}
	})
}

// The time that a session is idle is real, however its own clock goes.
func TestIdleTimeIsReal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := wordedServer(t, func(cfg *Config) { cfg.Now = time.Now })
		a, err := s.Session("a")
		if err != nil {
			t.Fatal(err)
		}
		a.Advance(1000 * time.Hour)
		if again, _ := s.Session("a"); again != a {
			t.Error("its own clock has ended it")
		}
		a.SetClock(Clock{Frozen: noon})
		time.Sleep(time.Hour)
		if again, _ := s.Session("a"); again == a {
			t.Error("standing still has kept it")
		}
	})
}

func TestProviderStates(t *testing.T) {
	s := wordedServer(t, nil)
	a, _ := s.Session("a")
	if status, text := body(t, s, "GET /__session/a/things/1"); status != 200 {
		t.Fatalf("it does not sleep: %d %s", status, text)
	}
	for _, test := range []struct {
		state  string
		params map[string]any
		want   string
	}{
		{"things are losst", nil, `unknown provider state "things are losst"; did you mean "things are lost"?; known are "things are lost"`},
		{"things are lost", map[string]any{"id": 1}, `no scenario takes "things are lost" with these parameters`},
		{"things are lost", map[string]any{"id": func() {}}, "unsupported type"},
	} {
		err := a.SetState(test.state, test.params)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v", test.state, err)
		}
	}
	if err := a.SetState("things are lost", map[string]any{"id": "2"}); err != nil {
		t.Fatal(err)
	}
	for c, want := range map[call]int{"GET /__session/a/things/2": 410, "GET /__session/a/things/1": 200, "GET /things/2": 200} {
		if status, text := body(t, s, c); status != want {
			t.Errorf("%s: %d %s", c, status, text)
		}
	}
	if got := a.load().records.At("things", "2", "word").Text(); got != "lost" {
		t.Errorf("it has seeded %q", got)
	}
	if err := a.SetState("things are lost", map[string]any{"id": "1"}); err != nil { // seeds again
		t.Fatal(err)
	}
	if got := a.load().records.At("things", "1", "word").Text(); got != "lost" {
		t.Errorf("it has seeded %q", got)
	}
	a.UnsetState("things are lost")
	if status, _ := body(t, s, "GET /__session/a/things/1"); status != 200 {
		t.Errorf("taken back, it sleeps again: %d", status)
	}
	// What sleeps, and what is remembered, are told as reasons.
	if err := a.Put("asleep", []byte("scenario: a\nsource: assumed\ngiven: {asleep: }\ninteractions:\n  - {name: b, request: {method: GET, path: /things/3}, response: {status: 200, body: {}}}\n")); err != nil {
		t.Fatal(err)
	}
	_, text := body(t, s, "GET /__session/a/things/3")
	for _, want := range []string{`provider state: want \"asleep\", got that it is not set`, "things/3: want an object, got nothing"} {
		if !strings.Contains(text, want) {
			t.Errorf("want %s, got %s", want, text)
		}
	}
}

func TestGivenFromTheStart(t *testing.T) {
	s := wordedServer(t, func(cfg *Config) {
		cfg.Given = []ProviderState{{"things are lost", map[string]any{"id": "1"}}}
	})
	for _, c := range []call{"GET /things/1", "GET /__session/a/things/1"} {
		if status, text := body(t, s, c); status != 410 {
			t.Errorf("%s: %d %s", c, status, text)
		}
	}
	if err := s.home.Reset(); err != nil {
		t.Fatal(err)
	}
	if status, _ := body(t, s, "GET /things/1"); status != 410 {
		t.Errorf("after a reset: %d", status)
	}
	if got, err := s.home.Record("things/1/word"); string(got) != `"lost"` { // what the state seeds comes over all else
		t.Errorf("got %s %v", got, err)
	}
	_, err := New(Config{Scenarios: scenariosOf(t, "scenarios", map[string]string{"words.yaml": worded}), Given: []ProviderState{{"x", nil}}})
	if !errors.Is(err, ErrUnknownState) {
		t.Errorf("got %v", err)
	}
}

func TestReset(t *testing.T) {
	s := wordedServer(t, nil)
	a, _ := s.Session("a")
	a.SetClock(Clock{Frozen: noon.AddDate(1, 0, 0)})
	if err := a.Put("extra", []byte("scenario: a\nsource: assumed\ninteractions:\n  - {name: b, request: {method: GET, path: /things/9}, response: {status: 418}}\n")); err != nil {
		t.Fatal(err)
	}
	if err := a.SetState("things are lost", map[string]any{"id": "2"}); err != nil {
		t.Fatal(err)
	}
	body(t, s, "PUT /__session/a/things/1\n\n{\"id\": \"1\"}")
	if status, _ := body(t, s, "GET /__session/a/things/9"); status != 418 {
		t.Errorf("what was added does not answer: %d", status)
	}
	if err := a.Reset(); err != nil {
		t.Fatal(err)
	}
	if entries, evicted := a.Journal(0); len(entries) != 0 || evicted != 0 {
		t.Errorf("%d entries, %d evicted", len(entries), evicted)
	}
	if c, now := a.Clock(); c != (Clock{}) || !now.Equal(noon) {
		t.Errorf("clock %v, now %v", c, now)
	}
	if status, _ := body(t, s, "GET /__session/a/things/9"); status != 501 {
		t.Errorf("what was added is still there: %d", status)
	}
	if status, text := body(t, s, "GET /__session/a/things/1"); status != 200 || !strings.Contains(text, "red") {
		t.Errorf("%d %s", status, text)
	}
	if got := s.sessions.remembered.Load(); got != 0 {
		t.Errorf("%d bytes are counted", got)
	}
}

func TestClocks(t *testing.T) {
	later := noon.Add(time.Hour)
	for _, test := range []struct {
		clock Clock
		mode  string
		at    time.Time // when it is really noon
		hour  time.Time // and an hour later
		day   Clock     // a day forward
	}{
		{Clock{}, "real", noon, later, Clock{Offset: 24 * time.Hour}},
		{Clock{Offset: time.Minute}, "offset", noon.Add(time.Minute), later.Add(time.Minute), Clock{Offset: 24*time.Hour + time.Minute}},
		{Clock{Frozen: later}, "frozen", later, later, Clock{Frozen: later.Add(24 * time.Hour)}},
	} {
		if test.clock.Mode() != test.mode || !test.clock.At(noon).Equal(test.at) || !test.clock.At(later).Equal(test.hour) || test.clock.Advance(24*time.Hour) != test.day {
			t.Errorf("%+v: %s, %s, %s, %+v", test.clock, test.clock.Mode(), test.clock.At(noon), test.clock.At(later), test.clock.Advance(24*time.Hour))
		}
	}
}

// All journals together have a bound; what is oldest goes first, whose ever it
// is.
func TestJournalsShareTheirRoom(t *testing.T) {
	s := wordedServer(t, func(cfg *Config) { cfg.Journal = JournalLimits{Bytes: 40_000} })
	for n := range 100 {
		body(t, s, call(fmt.Sprintf("PUT /__session/%d/things/1\n\n{\"id\": \"1\", \"x\": \"%s\"}", n%10, strings.Repeat("x", 1000))))
	}
	kept, evicted := 0, uint64(0)
	for n := range 10 {
		ses, _ := s.Session(fmt.Sprint(n))
		entries, gone := ses.Journal(0)
		kept += len(entries)
		evicted += gone
		for i, e := range entries {
			if e.Seq != gone+uint64(i)+1 {
				t.Errorf("session %d: entry %d has number %d, %d are gone", n, i, e.Seq, gone)
			}
		}
	}
	if s.journals.bytes > 20_000 || kept < 5 || kept+int(evicted) != 100 {
		t.Errorf("%d bytes, %d kept, %d evicted", s.journals.bytes, kept, evicted)
	}
	s.home.ClearJournal()
	for n := range 10 {
		if _, err := s.EndSession(fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
	}
	if s.journals.bytes != 0 || s.journals.oldest != nil || s.journals.newest != nil {
		t.Errorf("%d bytes are left behind", s.journals.bytes)
	}
}

// What other files seed is seeded when they are loaded; what a session has
// changed besides stays.
func TestSeedsAreLoadedAnew(t *testing.T) {
	s := wordedServer(t, nil)
	body(t, s, change1)
	body(t, s, "PUT /__session/a/things/1\n\n{\"id\": \"1\"}")
	load := func(from, to string) {
		t.Helper()
		if err := s.Load(s.usual().contract, scenariosOf(t, "scenarios", map[string]string{"words.yaml": strings.Replace(worded, from, to, 1)})); err != nil {
			t.Fatal(err)
		}
	}
	// Where what is seeded is the same, nothing a session did is undone.
	_, changed := body(t, s, "GET /things/1")
	load("it was red no more", "it is red no more")
	load("scenario:", "# a remark\nscenario:")
	if _, text := body(t, s, "GET /things/2"); !strings.Contains(text, "red") {
		t.Errorf("got %s", text)
	}
	if _, text := body(t, s, "GET /things/1"); text != changed || strings.Contains(text, `"red"`) {
		t.Errorf("got %s, and before %s", text, changed)
	}
	load(`"2": {word: red}`, `"2": {word: green}`)
	for c, want := range map[call]string{"GET /things/2": "green", "GET /__session/a/things/2": "green", "GET /__session/new/things/2": "green"} {
		if _, text := body(t, s, c); !strings.Contains(text, want) {
			t.Errorf("%s: %s", c, text)
		}
	}
}

// What all sessions remember together has a bound, beyond which nothing is
// kept and the request is refused.
func TestSessionsRememberSoMuch(t *testing.T) {
	s := wordedServer(t, nil)
	s.sessions.remembered.Store(maxStates - 400)
	a, _ := s.Session("a")
	state := a.load()
	err := a.Put("large", []byte("scenario: a\nsource: assumed\nrecords: {large: {a: "+strings.Repeat("x", 1000)+"}}\n"))
	if !errors.Is(err, ErrTooMuch) || a.load() != state {
		t.Errorf("got %v", err)
	}
	s.sessions.remembered.Store(maxStates)
	status, text := body(t, s, "PUT /__session/a/things/1\n\n{\"id\": \"1\"}") // blue has a letter more than red
	if status != 507 || !strings.Contains(text, "the sessions remember too much") {
		t.Errorf("%d %s", status, text)
	}
	if entries, _ := a.Journal(0); len(entries) != 1 || entries[0].Outcome != TooLarge || len(entries[0].Changed) > 0 {
		t.Errorf("%+v", entries)
	}
	s.sessions.remembered.Store(0)
	if status, _ := body(t, s, "PUT /__session/a/things/1\n\n{\"id\": \"1\"}"); status != 200 {
		t.Error(status)
	}
}

// What is added to a session is tried first, and by no other session.
func TestOverlay(t *testing.T) {
	s := wordedServer(t, nil)
	a, _ := s.Session("a")
	put := func(name, interactions string) error {
		return a.Put(name, []byte("scenario: Added\nsource: assumed\ninteractions:\n"+interactions))
	}
	if err := put("one", "  - {name: one, request: {method: GET, path: /things/1}, response: {status: 210, body: {id: a}}}\n"); err != nil {
		t.Fatal(err)
	}
	if err := put("two/three.yaml", "  - {name: two, request: {method: GET, path: \"/things/{id}\"}, response: {status: 211, body: {id: a}}}\n  - {name: other, request: {method: DELETE, path: /things/1}, response: {status: 212, body: {id: a}}}\n"); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		call   call
		status int
		origin string
	}{
		{"GET /__session/a/things/1", 211, "two/three#two"}, // the latest first
		{"GET /things/1", 200, "words#its%20word"},
		{"DELETE /__session/a/things/1", 212, "two/three#other"}, // a method that the contract lacks
		{"DELETE /things/1", 405, ""},
		{"PUT /__session/a/things/1\n\n{\"id\": \"1\"}", 200, "words#red%20is%20changed"},
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, test.call.request(t))
		if w.Code != test.status || w.Header().Get(originHeader) != test.origin {
			t.Errorf("%s: %d %v", test.call, w.Code, w.Header())
		}
	}
	if err := put("one", "  - {name: one, request: {method: GET, path: /things/1}, response: {status: 213, body: {id: a}}}\n"); err != nil {
		t.Fatal(err)
	}
	if status, _ := body(t, s, "GET /__session/a/things/1"); status != 213 {
		t.Errorf("what is put again comes first: %d", status)
	}
	for _, test := range []struct{ name, text, want string }{
		{"bad", "  - {name: one}\n", "bad.yaml:4:5: an interaction: the key \"request\" is missing"},
		{"bad", "  - {name: one, request: {method: PUT, path: /things/1, body: {id: 1}}, response: {status: 200, body: {id: a}}}\n", "bad.yaml:4:68: body /id: the example breaks"},
		{"", "", "want a name"},
		{"a b", "", "want a name"},
	} {
		if err := put(test.name, test.text); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: got %v", test.name, err)
		}
	}
	if err := a.Remove("two/three"); err != nil {
		t.Error(err)
	}
	if err := a.Remove("two/three"); !errors.Is(err, ErrNoScenario) {
		t.Errorf("got %v", err)
	}
	if err := a.Remove("words"); !errors.Is(err, ErrFromFile) {
		t.Errorf("got %v", err)
	}
	if text, err := a.Scenario("one"); err != nil || !strings.Contains(string(text), "status: 213") {
		t.Errorf("%s %v", text, err)
	}
	if text, err := a.Scenario("words.yaml"); err != nil || string(text) != worded {
		t.Errorf("got %s %v", text, err)
	}
	a.RemoveAll()
	if status, _ := body(t, s, "GET /__session/a/things/1"); status != 200 {
		t.Error(status)
	}
}

// A journal can be followed.
func TestJournalTellsNews(t *testing.T) {
	s := wordedServer(t, nil)
	news := s.home.journal.changes(0)
	select {
	case <-news:
		t.Error("there are none yet")
	default:
	}
	body(t, s, "GET /things/1")
	<-news
	<-s.home.journal.changes(0)
}

// Two suites with opposite records, side by side on one server.
func TestSessionsUnderRace(t *testing.T) {
	s := wordedServer(t, nil)
	srv := httptest.NewServer(s)
	defer srv.Close()
	var wg sync.WaitGroup
	for n := range 8 {
		name := fmt.Sprint(n)
		ses, err := s.Session(name)
		if err != nil {
			t.Fatal(err)
		}
		year := noon.AddDate(n, 0, 0)
		ses.SetClock(Clock{Frozen: year})
		wg.Go(func() {
			for i := range 20 {
				if i == n {
					res, err := srv.Client().Do(mustRequest(t, "PUT", srv.URL+"/__session/"+name+"/things/1", `{"id": "1"}`))
					if err != nil {
						t.Error(err)
						return
					}
					res.Body.Close()
				}
				res, err := srv.Client().Get(srv.URL + "/__session/" + name + "/things/1")
				if err != nil {
					t.Error(err)
					return
				}
				text, _ := io.ReadAll(res.Body)
				res.Body.Close()
				word := "red"
				if i >= n {
					word = "blue"
				}
				if !strings.Contains(string(text), word) || !strings.Contains(string(text), year.Format(time.RFC3339)) {
					t.Errorf("session %d, call %d: %s", n, i, text)
				}
			}
		})
	}
	wg.Wait()
}

func mustRequest(t *testing.T, method, url, body string) *http.Request {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Error(err)
	}
	r.Header.Set("Content-Type", "application/json")
	return r
}

// What is counted is memory, not the length of JSON, and what sessions share
// is counted for none of them.
func TestWhatIsRemembered(t *testing.T) {
	fat := strings.Repeat("x", 100_000)
	for _, test := range []struct {
		name        string
		do          func(*testing.T, *Server, *Session)
		least, most int64
	}{
		{"nothing", func(*testing.T, *Server, *Session) {}, 0, 0},
		{"what is seeded, and read", func(t *testing.T, s *Server, _ *Session) { body(t, s, "GET /__session/a/things/1") }, 0, 0},
		{"one change", func(t *testing.T, s *Server, _ *Session) {
			body(t, s, "PUT /__session/a/things/1\n\n{\"id\": \"1\"}")
		}, 500, 5000},
		{"ten thousand zeros", func(t *testing.T, _ *Server, a *Session) {
			if err := a.Put("zeros", []byte("scenario: a\nsource: assumed\nrecords: {things: {zeros: [0"+strings.Repeat(",0", 9999)+"]}}\n")); err != nil {
				t.Fatal(err)
			}
			a.RemoveAll()
		}, 2_000_000, 5_000_000},
		{"parameters of a state", func(t *testing.T, _ *Server, a *Session) {
			if err := a.SetState("things are lost", map[string]any{"id": "1", "fat": fat}); err != nil {
				t.Fatal(err)
			}
		}, 200_000, 1_000_000},
		{"what was removed", func(t *testing.T, _ *Server, a *Session) {
			if err := a.update(func(old *state) (*state, error) {
				next := *old
				next.records = old.records.Remove("things")
				return &next, nil
			}); err != nil {
				t.Fatal(err)
			}
		}, 0, 1000},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := wordedServer(t, nil)
			a, err := s.Session("a")
			if err != nil {
				t.Fatal(err)
			}
			test.do(t, s, a)
			if got := s.sessions.remembered.Load(); got < test.least || got > test.most {
				t.Errorf("%d bytes are counted", got)
			}
			if _, err := s.EndSession("a"); err != nil {
				t.Fatal(err)
			}
			if got := s.sessions.remembered.Load(); got != 0 {
				t.Errorf("%d bytes are left when it has ended", got)
			}
		})
	}
}

// Where a provider state is set from the start, what it seeds is shared, and
// sessions that come and go leave the count as it was.
func TestGivenIsShared(t *testing.T) {
	s := wordedServer(t, func(cfg *Config) {
		cfg.Given = []ProviderState{{"things are lost", map[string]any{"id": "1"}}}
	})
	for n := range 50 {
		if _, err := s.Session(fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
		if n%2 == 0 {
			if _, err := s.EndSession(fmt.Sprint(n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := s.sessions.remembered.Load(); got != 0 {
		t.Errorf("%d bytes are counted", got)
	}
}

// A session whose files were edited sees them edited, however much it takes.
func TestReloadIsNotRefused(t *testing.T) {
	s := wordedServer(t, nil)
	if status, _ := body(t, s, "PUT /__session/a/things/1\n\n{\"id\": \"1\"}"); status != 200 {
		t.Fatal(status)
	}
	s.sessions.remembered.Store(maxStates)
	if err := s.Load(s.usual().contract, scenariosOf(t, "scenarios", map[string]string{"words.yaml": strings.Replace(worded, `"2": {word: red}`, `"2": {word: green}`, 1)})); err != nil {
		t.Fatal(err)
	}
	if _, text := body(t, s, "GET /__session/a/things/2"); !strings.Contains(text, "green") {
		t.Errorf("got %s", text)
	}
}

// What was added, and rooms that no file seeds, are counted for their session
// and not for the run: whoever adds decides how they are called.
func TestUsageIsBounded(t *testing.T) {
	s := wordedServer(t, nil)
	a, _ := s.Session("a")
	for n := range 20 {
		if err := a.Put("x", fmt.Appendf(nil, "scenario: a\nsource: assumed\nrecords: {room%d: 1}\ninteractions:\n  - {name: n%d, request: {method: GET, path: /things/9}, when: {room%d: 1}, set: {room%d: 1}, response: {status: 200, body: {}}}\n", n, n, n, n)); err != nil {
			t.Fatal(err)
		}
		if status, text := body(t, s, "GET /__session/a/things/9"); status != 200 {
			t.Fatalf("%d %s", status, text)
		}
	}
	if _, err := s.EndSession("a"); err != nil {
		t.Fatal(err)
	}
	if got := s.Coverage(); len(got.Records) != 1 || len(got.Interactions) != 4 || len(s.sessions.ended.looked) > 1 || len(s.sessions.ended.interactions) > 0 {
		t.Errorf("%+v %+v", got.Records, s.sessions.ended)
	}
}
