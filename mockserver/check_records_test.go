package mockserver

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
	"github.com/rogpeppe/go-internal/txtar"
)

// The hard cases of the language are without fault, in each release and in all
// of them, alone and with the library.
func TestCheckSamples(t *testing.T) {
	a, err := txtar.ParseFile("testdata/samples/hard.txtar")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, f := range a.Files {
		files[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	list, err := scenarios.Load(files, "samples")
	if err != nil {
		t.Fatal(err)
	}
	for _, release := range append([]string{""}, schemas.Releases()...) {
		library, err := scenarios.OIG(release)
		if err != nil {
			t.Fatal(err)
		}
		for _, all := range [][]*scenarios.Scenario{list, append(library, list...)} {
			cfg := Config{Scenarios: all, Release: release, Now: atNoon}
			for _, f := range Check(cfg) {
				if f.Level != LevelNote { // the samples speak of what the library does, too
					t.Errorf("release %q: %s", release, f)
				}
			}
			if _, err := New(cfg); err != nil {
				t.Errorf("release %q: %v", release, err)
			}
		}
	}
}

// What is added to a session is held against what the files say and what the
// session remembers; and it may override both.
func TestCheckAddedRecords(t *testing.T) {
	s := newServer(t, Config{Now: atNoon, Scenarios: scenariosOf(t, "scenarios", map[string]string{"s.yaml": `scenario: S
source: assumed
records: {tasks: {"1": {state: Rejected}}}
interactions:
  - name: a
    request: {path: /tasks/1}
    set: {tasks/1: {state: Done}}
    response: {status: 200}
`})})
	ses, err := s.Session("one")
	if err != nil {
		t.Fatal(err)
	}
	const head = "scenario: Added\nsource: assumed\n"
	for _, test := range []struct{ records, when, want string }{
		{"", `tasks/1: {state: Rejected}`, ""},
		{"", `tasks/1: {state: Done}`, ""},
		{"", `tasks/1: {state: Rejectd}`, `added.yaml:5:30: no file seeds "Rejectd" at tasks/1/state, and nothing sets it; did you mean "Rejected"?`},
		{"", `taks/1: {}`, `added.yaml:5:13: "taks" is neither a room nor a parameter of the path, and no file seeds it; did you mean "tasks"?`},
		{"", `people/1: {}`, `added.yaml:5:13: "people" is neither a room nor a parameter of the path, and no file seeds it; seeded are "tasks"`},
		{`people: {"1": {}}`, `people/1: {}`, ""},
		{`tasks: {"1": {state: Pending}}`, `tasks/1: {state: Pending}`, ""},
		{"", `tasks/1: {state: Pending}`, ""}, // the session remembers it
	} {
		text := head
		if test.records != "" {
			text += "records: {" + test.records + "}\n"
		}
		text += "interactions:\n  - {name: b, request: {path: /b},\n     when: {" + test.when + "}, response: {status: 200}}\n"
		got := ""
		if err := ses.Put("added", []byte(text)); err != nil {
			got = err.Error()
		}
		if test.records != "" {
			test.want = strings.Replace(test.want, ":5:", ":6:", 1)
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.when, got, test.want)
		}
	}
}

// A call that is answered when a session begins.
func TestExampleInSession(t *testing.T) {
	list := scenariosOf(t, "scenarios", map[string]string{"s.yaml": `scenario: S
source: assumed
records: {tasks: {"10": {state: Rejected}, "11": {state: Pending}}}
interactions:
  - name: pending
    request: {method: GET, path: "/tasks/{id}"}
    when: {"tasks/{id}": {state: Pending}}
    set: {"tasks/{id}": {state: Done}}
    response: {status: 200}
  - name: done
    request: {method: GET, path: "/tasks/{id}"}
    when: {"tasks/{id}": {state: Done}}
    response: {status: 200}
---
scenario: T
source: assumed
given: late
interactions:
  - name: late
    request: {method: GET, path: "/tasks/{id}"}
    response: {status: 503}
`})
	s := newServer(t, Config{Now: atNoon, Scenarios: list})
	home, err := s.Session("")
	if err != nil {
		t.Fatal(err)
	}
	path := func(i *scenarios.Interaction) string {
		if ex := home.Example(i, "http://localhost"); ex != nil {
			return ex.Request.Path
		}
		return ""
	}
	pending, done, late := list[0].Interactions[0], list[0].Interactions[1], list[1].Interactions[0]
	if p, d, l := path(pending), path(done), path(late); p != "/tasks/11" || d != "" || l != "" {
		t.Errorf("at the beginning: got %q, %q, %q", p, d, l)
	}
	if err := home.SetState("late", nil); err != nil {
		t.Fatal(err)
	}
	ask(t, s, "GET /tasks/11")
	if p, d, l := path(pending), path(done), path(late); p != "" || d != "/tasks/11" || l != "/tasks/1" {
		t.Errorf("later: got %q, %q, %q", p, d, l)
	}
}

// However much files say of records, a check of it ends soon.
func TestCheckRecordsIsBounded(t *testing.T) {
	const n = 1000
	var seeds, asks, given strings.Builder
	seeds.WriteString("scenario: S\nsource: assumed\nrecords:\n  tasks:\n")
	for i := range n {
		fmt.Fprintf(&seeds, "    %q: {a: {b: {c: %d}}}\n", fmt.Sprint("t", i), i)
	}
	asks.WriteString("scenario: S\nsource: assumed\ninteractions:\n")
	for i := range n {
		fmt.Fprintf(&asks, "  - name: i%d\n    request: {path: \"/{x}/{y}/{z}/i%d\"}\n    when: {\"tasks/{x}/{y}/b%d\": {$absent: true}, \"tasks/{y}/{z}/b%d\": {}, \"tasks/{x}/a/b/c\": %d}\n    response: {status: 200}\n", i, i, i, i, i)
	}
	for i := range n {
		fmt.Fprintf(&given, "---\nscenario: S%d\nsource: assumed\ngiven: {s: {n: %d}}\nrecords: {people: {a: %d}}\ninteractions:\n  - {name: g%d, request: {path: /g%d}, response: {status: 200, body: \"{{ people }}\"}}\n", i, i, i, i, i)
	}
	files := fstest.MapFS{
		"a.yaml": {Data: []byte(seeds.String())},
		"b.yaml": {Data: []byte(asks.String())},
		"c.yaml": {Data: []byte(strings.TrimPrefix(given.String(), "---\n"))},
	}
	list, err := scenarios.Load(files, "many")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	found := Check(Config{Scenarios: list, Now: atNoon})
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
	if len(found) == 0 {
		t.Error("nothing is found")
	}
}
