package mockserver

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oigmock/oigmock/scenarios"
)

func wantedOf(t *testing.T, text string) Wanted {
	t.Helper()
	w, err := scenarios.ParseWanted("wanted", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return Wanted(*w)
}

// verdictText is what comes of a verification, in a line.
func verdictText(v *Verdict, err error) string {
	if err != nil {
		return err.Error()
	}
	var matched, near []string
	for _, e := range v.Matched {
		matched = append(matched, fmt.Sprint(e.Seq))
	}
	for _, n := range v.Near {
		text := fmt.Sprintf("%d %s %s:", n.Seq, n.Method, n.Path)
		for _, m := range n.Mismatches {
			text += fmt.Sprintf(" %s: want %s, got %s;", m.At, m.Want, m.Got)
		}
		near = append(near, text)
	}
	text := fmt.Sprintf("%t %d [%s]", v.Holds, v.Count, strings.Join(matched, " "))
	if near != nil {
		text += "\n" + strings.Join(near, "\n")
	}
	return text
}

func TestVerify(t *testing.T) {
	now := noon
	s := wordedServer(t, func(cfg *Config) { cfg.Now = func() time.Time { return now } })
	ask := func(calls ...call) {
		for _, c := range calls {
			body(t, s, c)
			now = now.Add(time.Hour)
		}
	}
	ask("GET /things/1",
		"PUT /things/1\nuser: sonia\nX-A: 1\n\n"+`{"id": "1", "n": 1}`,
		"PUT /things/1\n\n"+`{"id": 1}`,
		"PUT /things/2\n\n"+`{"id": "2"}`,
		"GET /things/2?at=2030-05-11T04:00:00Z",
		"GET /elsewhere")
	for _, test := range []struct{ wanted, verdict string }{
		{`request: {method: PUT}`, "true 3 [2 3 4]"},
		{`{"request": {}, "exactly": 6}`, "true 6 [1 2 3 4 5 6]"},
		{`{request: {method: PUT}, exactly: 2}`, "false 3 [2 3 4]"},
		{`{request: {method: PUT}, atMost: 3}`, "true 3 [2 3 4]"},
		{`{request: {method: PUT}, atMost: 2}`, "false 3 [2 3 4]"},
		{`{request: {method: PUT}, atLeast: 0}`, "true 3 [2 3 4]"},
		{`{request: {method: DELETE}, exactly: 0}`, "true 0 []"},
		{`{request: {user: sonia, header: {X-A: "1"}, path: "/things/{id}", params: {id: "{{ body/id }}"}}}`, "true 1 [2]"},
		// The clock is that of the request, the base address and the records are there, too.
		{`{request: {query: {at: "{{ now }}"}}}`, "true 1 [5]"},
		{`{request: {path: "/things/{id}", body: {id: {$like: "1"}}, payload: invalid}}`, "false 0 []\n" +
			"2 PUT /things/1: payload: want one that breaks the contract, got one that does not;\n" +
			"3 PUT /things/1: body /id: want a string, got 1;\n" +
			"4 PUT /things/2: payload: want one that breaks the contract, got one that does not;"},
		{`{request: {method: PUT, payload: invalid}, exactly: 1}`, "true 1 [3]"},
		// What came closest: by path, then method, then how much differs; nothing of another kind.
		{`{request: {method: PUT, path: /things/2, body: {id: "3", n: 2}}}`, "false 0 []\n" +
			`4 PUT /things/2: body /id: want "3", got "2"; body /n: want 2, got nothing;` + "\n" +
			`5 GET /things/2: method: want "PUT", got "GET"; body: want an object with id, n, got nothing;` + "\n" +
			`2 PUT /things/1: path: want /things/2, got /things/1; body /id: want "3", got "1"; body /n: want 2, got 1;`},
		{`{request: {method: PUT, path: /quite/another/path}}`, "false 0 []"},
		{`{request: {path: /things/1, method: GET}, atLeast: 2}`, "false 1 [1]\n" +
			`2 PUT /things/1: method: want "GET", got "PUT";` + "\n" + `3 PUT /things/1: method: want "GET", got "PUT";` + "\n" + `5 GET /things/2: path: want /things/1, got /things/2;`},
		// An order, whatever came in between.
		{`order: [{method: GET}, {method: PUT}, {path: /things/2}]`, "true 3 [1 2 4]"},
		{`order: [{path: /things/2}, {path: /things/1}]`, "false 1 [4]\n5 GET /things/2: path: want /things/1, got /things/2;"},
		{`order: [{path: /things/1}, {path: /things/1}, {path: /things/1}, {path: /things/1}]`, "false 3 [1 2 3]\n" +
			"4 PUT /things/2: path: want /things/1, got /things/2;\n5 GET /things/2: path: want /things/1, got /things/2;"},
	} {
		if got := verdictText(s.home.Verify(wantedOf(t, test.wanted))); got != test.verdict {
			t.Errorf("%s\ngot  %s\nwant %s", test.wanted, got, test.verdict)
		}
	}
}

// What is decided by the entries that are left is told; what hangs on those that
// are gone is not guessed.
func TestVerifyEvicted(t *testing.T) {
	s := wordedServer(t, func(cfg *Config) { cfg.Journal = JournalLimits{Entries: 4, Body: 20} })
	long := `{"id": "` + strings.Repeat("1", 30) + `"}`
	for _, c := range []call{"GET /things/1", "GET /things/1", "GET /things/1", "PUT /things/1\n\n" + `{"id": "1"}`, "GET /things/2", call("PUT /things/2\n\n" + long)} {
		body(t, s, c)
	}
	const gone = "entries that it would need were evicted: 2 are gone"
	const cut = gone + ", and of 1 only the beginning of the body is kept"
	for _, test := range []struct{ wanted, verdict string }{
		{`request: {method: GET}`, "true 2 [3 5]"},
		{`{request: {method: GET}, atLeast: 2}`, "true 2 [3 5]"},
		{`{request: {method: GET}, atLeast: 3}`, gone + "; 2 of those that are left match"},
		{`{request: {method: GET}, atLeast: 5}`, "false 2 [3 5]"}, // two more would not do
		{`{request: {method: GET}, exactly: 1}`, "false 2 [3 5]"},
		{`{request: {method: GET}, exactly: 2}`, gone + "; 2 of those that are left match"},
		{`{request: {method: GET}, exactly: 4}`, gone + "; 2 of those that are left match"},
		{`{request: {method: GET}, exactly: 5}`, "false 2 [3 5]"},
		{`{request: {method: GET}, atMost: 1}`, "false 2 [3 5]"},
		{`{request: {method: GET}, atMost: 3}`, gone + "; 2 of those that are left match"},
		{`{request: {method: GET}, atMost: 4}`, "true 2 [3 5]"},
		{`{request: {method: DELETE}, exactly: 0}`, gone + "; 0 of those that are left match"},
		{`{request: {body: {id: "1"}}, exactly: 1}`, cut + "; 1 of those that are left match"},
		{`{request: {text: {$regex: "1", example: "1"}}, atLeast: 4}`, cut + "; 1 of those that are left match"},
		{`{request: {body: {id: "1"}, path: /things/1}, atMost: 3}`, "true 1 [4]"}, // the path of the one that was cut is another
		{`{request: {body: {id: "1"}}, atMost: 4}`, "true 1 [4]"},
		{`order: [{method: GET}, {method: PUT}, {method: GET}]`, "true 3 [3 4 5]"},
		{`order: [{method: GET}, {method: GET}, {method: GET}]`, gone + "; of those that are left 2 come in this order"},
		{`order: [{method: PUT}, {method: PUT}, {method: GET}, {method: GET}, {method: GET}]`, "false 2 [4 6]"}, // there are two GET at most behind
		{`order: [{method: DELETE}, {method: DELETE}, {body: {id: "5"}}]`, gone + "; of those that are left 0 come in this order"},
	} {
		v, err := s.home.Verify(wantedOf(t, test.wanted))
		got, _, _ := strings.Cut(verdictText(v, err), "\n")
		if got != test.verdict || (err != nil) != errors.Is(err, ErrEvicted) {
			t.Errorf("%s\ngot  %s\nwant %s", test.wanted, got, test.verdict)
		}
	}
	// To clear a journal is no eviction.
	s.home.ClearJournal()
	for wanted, want := range map[string]string{
		`{request: {}, exactly: 0}`:        "true 0 []",
		`order: [{method: GET}]`:           "false 0 []",
		`{request: {method: GET}}`:         "false 0 []",
		`{request: {body: {}}, atMost: 0}`: "true 0 []",
	} {
		if got := verdictText(s.home.Verify(wantedOf(t, wanted))); got != want {
			t.Errorf("%s: got %s, want %s", wanted, got, want)
		}
	}
}

func TestVerifyWrong(t *testing.T) {
	s := wordedServer(t, nil)
	one, less := 1, -1
	m := &scenarios.RequestMatcher{}
	for _, w := range []Wanted{
		{}, {Request: m, Order: []*scenarios.RequestMatcher{m}}, {Request: m, Exactly: &one, AtMost: &one}, {Request: m, Exactly: &less}, {Order: []*scenarios.RequestMatcher{m}, AtLeast: &one},
	} {
		if v, err := s.home.Verify(w); err == nil {
			t.Errorf("%+v: got %+v", w, v)
		}
	}
	if v, err := s.home.Verify(Wanted{Order: []*scenarios.RequestMatcher{nil}}); err != nil || v.Holds {
		t.Error(v, err)
	}
}

func TestReceived(t *testing.T) {
	s := wordedServer(t, func(cfg *Config) { cfg.Journal = JournalLimits{Entries: 2} })
	seen := func(m *scenarios.RequestMatcher) string {
		list, err := s.home.Received(m)
		return verdictText(&Verdict{Holds: err == nil, Count: len(list), Matched: list}, nil)
	}
	body(t, s, "GET /things/1")
	body(t, s, "PUT /things/1\n\n"+`{"id": "1"}`)
	put := wantedOf(t, `request: {method: PUT, body: {id: "1"}}`).Request
	if got := seen(nil); got != "true 2 [1 2]" {
		t.Error(got)
	}
	if got := seen(put); got != "true 1 [2]" {
		t.Error(got)
	}
	body(t, s, "GET /things/1")
	if got := seen(put); got != "false 1 [2]" {
		t.Error(got)
	}
	if _, err := s.home.Received(nil); !errors.Is(err, ErrEvicted) || err.Error() != "entries that it would need were evicted: 1 are gone; 2 are left" {
		t.Error(err)
	}
}

// All entries share one budget: however many there are, to verify costs no more.
// What costs too much is no mismatch.
func TestVerifyTooCostly(t *testing.T) {
	s := wordedServer(t, nil)
	body(t, s, "GET /things/1")
	for range 30 {
		body(t, s, call("PUT /things/1\n\n"+`{"id": "1", "all": [`+strings.Repeat("1,", 3000)+`1]}`))
	}
	const contains = `{request: {body: {all: {$contains: [{$oneOf: [%s]}]}}}, exactly: 0}`
	w := wantedOf(t, fmt.Sprintf(contains, strings.Repeat("2, ", 100)+"2"))
	l := s.home.lookThrough(t.Context())
	if l.work > 5*scenarios.Budget {
		t.Errorf("a budget of %d steps", l.work)
	}
	const some = scenarios.Budget
	l.work = some
	v, err := l.count(&w)
	if !errors.Is(err, errTooCostly) || !strings.Contains(err.Error(), "of 31 entries of the journal were judged") {
		t.Errorf("got %s", verdictText(v, err))
	}
	if l.work < -some/10 {
		t.Errorf("%d steps were spent, want %d", some-l.work, some)
	}
	body(t, s, "GET /things/1")
	if got := verdictText(s.home.Verify(wantedOf(t, `{request: {method: GET}, exactly: 2}`))); got != "true 2 [1 32]" {
		t.Error(got)
	}
}

// Whether an order may yet be found is asked of what was not asked already.
func TestVerifyOrderPaysOnce(t *testing.T) {
	s := wordedServer(t, func(cfg *Config) { cfg.Journal.Body = 5000 })
	for range 5 {
		body(t, s, call("PUT /things/1\n\n"+`{"id": "1", "all": [`+strings.Repeat("1,", 2000)+`1]}`))
	}
	body(t, s, call("PUT /things/1\n\n"+`{"id": "1", "all": [`+strings.Repeat("1,", 5000)+`1]}`)) // which is cut
	m := wantedOf(t, `request: {body: {all: {$contains: [{$oneOf: [2, 3, 4, 5]}]}}}`).Request
	once := s.home.lookThrough(t.Context())
	if _, _, undecided, err := once.all(m); undecided != 1 || err != nil {
		t.Fatal(undecided, err)
	}
	l := s.home.lookThrough(t.Context())
	if v, err := l.order([]*scenarios.RequestMatcher{m}); !errors.Is(err, ErrEvicted) {
		t.Error(verdictText(v, err))
	}
	if l.work != once.work {
		t.Errorf("%d steps were spent, and %d would do", lookWork-l.work, lookWork-once.work)
	}
}

// A few look through journals at once; the others wait, for as long as their
// clients do.
func TestFewVerify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := wordedServer(t, nil)
		body(t, s, "GET /things/1")
		a := s.Admin(AdminConfig{}).(*admin)
		for range maxJudges {
			a.judges <- struct{}{}
		}
		for _, c := range []call{"POST /verify\n\n" + `{"request": {}}`, "POST /explain\n\n" + `{"seq": 1}`} {
			ctx, leave := context.WithCancel(t.Context())
			ask := func(ctx context.Context) (*httptest.ResponseRecorder, chan struct{}) {
				r := c.request(t).WithContext(ctx)
				r.Host = "localhost"
				w, done := httptest.NewRecorder(), make(chan struct{})
				go func() {
					defer close(done)
					a.ServeHTTP(w, r)
				}()
				synctest.Wait()
				return w, done
			}
			_, left := ask(ctx)
			w, done := ask(t.Context())
			select {
			case <-left:
				t.Errorf("%s: it did not wait", c)
			case <-done:
				t.Errorf("%s: it did not wait", c)
			default:
			}
			leave()
			<-left
			<-a.judges
			if <-done; w.Code != 200 {
				t.Errorf("%s: %d %s", c, w.Code, w.Body)
			}
			a.judges <- struct{}{} // it gave its place back
		}
	})
}
