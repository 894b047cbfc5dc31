package mockserver

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oigmock/oigmock/scenarios"
)

func entryOf(n, size int) Entry {
	return Entry{Operation: fmt.Sprint(n), Exchange: scenarios.Exchange{Request: scenarios.Request{Body: make([]byte, size)}}}
}

// A journal keeps the newest, in order, within its bounds, and counts the rest.
func TestJournalBounds(t *testing.T) {
	for _, test := range []struct {
		name   string
		limits JournalLimits
		add    []int // sizes of bodies
		want   string
	}{
		{"nothing", JournalLimits{Entries: 3}, nil, ""},
		{"fewer than fit", JournalLimits{Entries: 3}, []int{1, 1}, "0 1"},
		{"as many as fit", JournalLimits{Entries: 3}, []int{1, 1, 1}, "0 1 2"},
		{"one more", JournalLimits{Entries: 3}, []int{1, 1, 1, 1}, "1 2 3"},
		{"twice around", JournalLimits{Entries: 3}, []int{1, 1, 1, 1, 1, 1, 1}, "4 5 6"},
		{"one alone", JournalLimits{Entries: 1}, []int{1, 1, 1}, "2"},
		{"by bytes", JournalLimits{Entries: 9, Bytes: 10_000}, []int{1000, 1000, 1000}, "1 2"},
		{"a large one among small ones", JournalLimits{Entries: 9, Bytes: 10_000}, []int{1, 1, 1, 1, 3000}, "4"},
		{"and small ones after it", JournalLimits{Entries: 9, Bytes: 10_000}, []int{3000, 1, 1}, "1 2"},
		{"larger than all", JournalLimits{Entries: 9, Bytes: 10_000}, []int{1, 50000}, "1"},
		{"and then another", JournalLimits{Entries: 9, Bytes: 10_000}, []int{1, 50000, 1}, "2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var js journals
			js.limit(test.limits)
			j := &journal{all: &js}
			for n, size := range test.add {
				e := entryOf(n, size)
				if j.add(&e); e.Seq != uint64(n+1) {
					t.Errorf("entry %d has number %d", n, e.Seq)
				}
				if j.n > 1 && js.bytes > js.room || j.n > js.limits.Entries {
					t.Errorf("%d entries, %d bytes", j.n, js.bytes)
				}
			}
			entries, evicted := j.after(0)
			var got []string
			for _, e := range entries {
				got = append(got, e.Operation)
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %v, want %s", got, test.want)
			}
			if int(evicted)+len(entries) != len(test.add) {
				t.Errorf("%d entries and %d evicted are not %d", len(entries), evicted, len(test.add))
			}
			sum := 0
			for i := range entries {
				sum += entries[i].size
			}
			if sum != js.bytes {
				t.Errorf("%d bytes are counted, and there are %d", js.bytes, sum)
			}
		})
	}
}

func TestJournalDefaults(t *testing.T) {
	var js journals
	js.limit(JournalLimits{})
	j := &journal{all: &js}
	add := func(e Entry) { j.add(&e) }
	for n := range 2500 {
		add(entryOf(n, 10))
	}
	entries, evicted := j.after(0)
	if len(entries) != 1000 || evicted != 1500 || entries[0].Seq != 1501 || entries[999].Seq != 2500 {
		t.Errorf("%d entries, %d evicted", len(entries), evicted)
	}
	if after, _ := j.after(2498); len(after) != 2 || after[0].Seq != 2499 {
		t.Errorf("after 2498: %d entries", len(after))
	}
	if after, _ := j.after(2500); len(after) != 0 {
		t.Errorf("after the last: %d entries", len(after))
	}
	for n := range 2000 { // 64 KiB of each body, 64 MiB in all
		add(entryOf(n, 1<<20))
	}
	entries, _ = j.after(0)
	if n := len(entries); n < 400 || n > 1000 || js.bytes > 64<<20 || len(entries[0].Exchange.Request.Body) != 64<<10 {
		t.Errorf("%d entries, %d bytes, bodies of %d", n, js.bytes, len(entries[0].Exchange.Request.Body))
	}
}

// A cut body does not keep the whole in memory.
func TestJournalCutsBodies(t *testing.T) {
	cfg := Config{Contract: contractOf(t, things), Journal: JournalLimits{Body: 4},
		Scenarios: scenariosOf(t, "s", map[string]string{"s.yaml": "- {name: echo, request: {path: /e}, response: {status: 200, header: {X-E: '{{ header/X-E }}'}, text: '{{ query/a }}'}}\n"})}
	s := newServer(t, cfg)
	_, body, e := ask(t, s, "POST /e?a=abcdef\nX-E: "+call(strings.Repeat("e", 5000))+"\n\n123456")
	if string(e.Exchange.Request.Body) != "1234" || string(e.Exchange.Response.Body) != "abcd" || body != "abcdef" {
		t.Errorf("got %s, %s; sent %s", e.Exchange.Request.Body, e.Exchange.Response.Body, body)
	}
	if cap(e.Exchange.Request.Body) > 16 || cap(e.Exchange.Response.Body) > 16 {
		t.Errorf("room for %d and %d bytes", cap(e.Exchange.Request.Body), cap(e.Exchange.Response.Body))
	}
	if e.size < 10_000 {
		t.Errorf("headers of 5,000 bytes, there and back, are counted as %d", e.size)
	}
}

// Many at once: each is there once, and in the order of the numbers.
func TestJournalConcurrently(t *testing.T) {
	s := thingsServer(t, "- {name: a, request: {path: /a}, response: {status: 200, body: {id: '{{ query/n }}'}}}\n"+
		"- {name: c, request: {path: /a}, adds: {header: {ResponseTime: '12'}}}\n")
	const clients, each = 16, 50
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for n := range each {
				w := httptest.NewRecorder()
				s.ServeHTTP(w, httptest.NewRequest("GET", fmt.Sprintf("/a?n=%d-%d", c, n), nil))
				if want := fmt.Sprintf(`{"id":"%d-%d"}`, c, n); w.Code != 200 || w.Body.String() != want {
					t.Errorf("got %d %s, want %s", w.Code, w.Body, want)
				}
				entries, _ := s.home.Journal(0)
				for i := 1; i < len(entries); i++ {
					if entries[i].Seq != entries[i-1].Seq+1 {
						t.Errorf("number %d after %d", entries[i].Seq, entries[i-1].Seq)
						return
					}
				}
			}
		})
	}
	for range 20 { // and the catalog is exchanged meanwhile
		if err := s.Load(s.usual().contract, s.cfg.Scenarios); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	entries, evicted := s.home.Journal(0)
	seen := map[string]bool{}
	for _, e := range entries {
		seen[e.Exchange.Request.Query] = true
	}
	if len(seen) != clients*each || evicted != 0 {
		t.Errorf("%d different entries, %d evicted", len(seen), evicted)
	}
}

// A set that is broken is not served: what was served is served on.
func TestLoadKeepsWhatIsServed(t *testing.T) {
	s := thingsServer(t, "- {name: a, request: {path: /a}, response: {status: 200}}\n")
	broken := scenariosOf(t, "s", map[string]string{"s.yaml": "- {name: b, request: {path: /b}, response: {status: 200}}\n" +
		"- {name: c, request: {path: /b}, response: {status: 201}}\n- {name: d, request: {path: /d, header: {X: {$not: y}}}, response: {status: 200}}\n"})
	err := s.Load(s.cfg.Contract, broken)
	if err == nil || !strings.Contains(err.Error(), `"c" is never reached`) {
		t.Errorf("got %v", err)
	}
	if res, _, _ := ask(t, s, "GET /a"); res.StatusCode != 200 {
		t.Errorf("got %d", res.StatusCode)
	}
	if res, _, _ := ask(t, s, "GET /b"); res.StatusCode != 501 {
		t.Errorf("got %d", res.StatusCode)
	}
	if s.Operations() != 4 || s.Scenarios() != 1 || s.Interactions() != 1 {
		t.Errorf("%d operations, %d scenarios, %d interactions", s.Operations(), s.Scenarios(), s.Interactions())
	}
}

// A library has a limit, and so have several together.
func TestTooManyInteractions(t *testing.T) {
	one := scenariosOf(t, "s", map[string]string{"s.yaml": "- {name: a, request: {path: /a}, response: {status: 200}}\n"})[0]
	many := *one
	many.Interactions = slices.Repeat(one.Interactions, scenarios.MaxInteractions)
	_, err := New(Config{Scenarios: []*scenarios.Scenario{&many, one}})
	if err == nil || err.Error() != "s/s.yaml:4:4: 200001 interactions in all; 200000 are taken" {
		t.Errorf("got %v", err)
	}
}

// Asking why changes nothing: neither the journal nor what is counted.
func TestExplainChangesNothing(t *testing.T) {
	const text = "- {name: a, request: {path: /a}, response: [{status: 200}, {status: 201}]}\n"
	s := thingsServer(t, text)
	before := s.home.load()
	for range 3 {
		x := s.Explain(call("GET /a").request(t))
		if x.Outcome != Answered || x.Answer.Interaction != "a" || x.Status != 200 {
			t.Fatal(x)
		}
	}
	if entries, _ := s.home.Journal(0); len(entries) != 0 || s.home.load() != before {
		t.Errorf("%d entries", len(entries))
	}
}

// Delays are drawn by the seed and the place in the session's journal: other
// sessions do not change them, and a run can be repeated.
func TestDelaysRepeat(t *testing.T) {
	d := &scenarios.Delay{Min: time.Millisecond, Max: time.Second}
	s, other := thingsServer(t, anyThing), thingsServer(t, anyThing)
	all := map[time.Duration]bool{}
	for seq := range uint64(20) {
		got := s.draw(d, seq)
		if want := other.draw(d, seq); got != want {
			t.Errorf("delay %d: %s and %s", seq, got, want)
		}
		all[got] = true
	}
	if len(all) != 20 {
		t.Errorf("only %d delays differ", len(all))
	}
}

const anyThing = "- {name: a, request: {path: /a}, response: {status: 200}}\n"
