package scenarios

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oigmock/oigmock/schemas/payload"
)

// A world is what one session knows: files, what is remembered, and the
// provider states that are set.
type world struct {
	testing.TB
	all   []*Scenario
	tree  Tree
	given map[string]payload.Value
	user  string
}

// newWorld reads a file and begins a session with it.
func newWorld(t testing.TB, src string) *world {
	t.Helper()
	all, err := Parse("f.yaml", []byte(src))
	if err != nil {
		t.Fatalf("%s\n%v", src, err)
	}
	w := &world{TB: t, all: all}
	w.seed()
	return w
}

func (w *world) env() Env {
	return Env{Now: noon, URL: "http://mock", User: w.user, Records: w.tree, Given: w.given}
}

// awake are the scenarios whose provider states are set.
func (w *world) awake() []*Scenario {
	return slices.DeleteFunc(slices.Clone(w.all), func(s *Scenario) bool { return !s.Awake(w.given) })
}

// seed sets what the scenarios that are awake seed.
func (w *world) seed() {
	w.Helper()
	var err error
	if w.tree, _, err = Seed(w.tree, w.awake(), w.env()); err != nil {
		w.Fatal(err)
	}
}

// ask sends a request to the first interaction that accepts it, and what adds
// to it. It tells the status and the body, or what went wrong.
func (w *world) ask(method, target, body string) string {
	trial := NewTrial(NewRequest(method, target, nil, []byte(body)), w.env())
	answer := ""
	for _, adds := range []bool{false, true} {
		for _, s := range w.all {
			for _, i := range s.Interactions {
				if i.Adds != adds || answer != "" && !adds || !trial.Accepts(i) {
					continue
				}
				out, err := trial.Perform(i, i.Responses[0])
				if err != nil {
					return err.Error()
				}
				answer += strings.TrimSuffix(fmt.Sprintf("%d %s", out.Status, out.Body), " ")
			}
		}
	}
	w.tree, _ = trial.Records()
	if answer == "" {
		return "no interaction"
	}
	return answer
}

func (w *world) remembers(want string) {
	w.Helper()
	if got := string(w.tree.AppendJSON(nil)); got != want {
		w.Errorf("remembered:\ngot  %s\nwant %s", got, want)
	}
}

// said asks, and compares what is answered.
func (w *world) said(method, target, body, want string) {
	w.Helper()
	if got := w.ask(method, target, body); got != want {
		w.Errorf("%s %s %s:\ngot  %s\nwant %s", method, target, body, got, want)
	}
}

// TestSet is about what is remembered after one request.
func TestSet(t *testing.T) {
	const body = `{"x": 1.50, "id": "a/b", "none": null, "o": {"b": 9, "n": {"d": 8}}, "list": [1, 2], "pairs": [{"name": "P", "value": 1}]}`
	for _, test := range []struct{ records, set, want string }{
		// Objects merge at every depth, all else takes the place of what was there.
		{`{a: {b: 1, c: {d: 2}}}`, `{a: {c: {e: 3}}}`, `{"a":{"b":1,"c":{"d":2,"e":3}}}`},
		{`{a: {b: 1}}`, `{a/b: 2}`, `{"a":{"b":2}}`},
		{`{a: {b: 1}}`, `{a/b: {c: 1}}`, `{"a":{"b":{"c":1}}}`},
		{`{a: {b: {c: 1}}}`, `{a/b: text}`, `{"a":{"b":"text"}}`},
		{`{a: {b: [1, {c: 2}]}}`, `{a/b: [{d: 3}]}`, `{"a":{"b":[{"d":3}]}}`},
		{`{a: {b: 1}}`, `{a/b: null}`, `{"a":{"b":null}}`},
		{`{a: {b: 1}}`, `{a: {}}`, `{"a":{"b":1}}`},
		{`{a: 1}`, `{a: {}}`, `{"a":{}}`},
		{`{a: 1}`, `{b: [], c: 2.50, d: true}`, `{"a":1,"b":[],"c":2.50,"d":true}`},
		{`{a: {b: 1}}`, `{a: {b: {$like: 2}, c: {$anycase: d}}}`, `{"a":{"b":2,"c":"d"}}`},
		{`{a: 1}`, `{b: {$literal: {$absent: true, e: "{{ x }}"}}}`, `{"a":1,"b":{"$absent":true,"e":"{{ x }}"}}`},

		// $absent takes away, and what is empty then stays.
		{`{a: {b: 1, c: 2}}`, `{a/b: {$absent: true}}`, `{"a":{"c":2}}`},
		{`{a: {b: 1}}`, `{a/b: {$absent: true}}`, `{"a":{}}`},
		{`{a: {b: 1}, c: 1}`, `{a: {$absent: true}}`, `{"c":1}`},
		{`{a: {b: {c: 1, d: 2}}}`, `{a: {b: {c: {$absent: true}, e: 3}}}`, `{"a":{"b":{"d":2,"e":3}}}`},
		{`{a: 1}`, `{a: {b: {$absent: true}}}`, `{"a":{}}`},
		{`{a: {b: 1}}`, `{a/c/d: {$absent: true}}`, `{"a":{"b":1}}`},
		{`{a: [1, 2, 3]}`, `{a/0: {$absent: true}}`, `{"a":[2,3]}`},

		// A member whose template finds nothing is passed over; null is something.
		{`{a: {b: 1}}`, `{a: {b: "{{ body/nowhere }}", c: "{{ body/x }}"}}`, `{"a":{"b":1,"c":1.50}}`},
		{`{a: {b: 1}}`, `{a: {b: "{{ body/none }}"}}`, `{"a":{"b":null}}`},
		{`{a: {b: 1}}`, `{c/d: "{{ body/nowhere }}", e: {f: "{{ body/nowhere }}"}}`, `{"a":{"b":1},"e":{}}`},
		{`{a: 1}`, `{b: ["{{ body/nowhere }}", 2]}`, `{"a":1,"b":[2]}`},

		// What gives in an answer gives here.
		{`{a: {b: 1, n: {c: 1}}}`, `{a: "{{ body/o }}"}`, `{"a":{"b":9,"n":{"c":1,"d":8}}}`},
		{`{a: {b: 1}}`, `{a: {$merge: ["{{ body/o }}", {b: 5}]}}`, `{"a":{"b":5,"n":{"d":8}}}`},
		{`{a: {b: 1}}`, `{a: {$object: body/pairs}}`, `{"a":{"b":1,"P":1}}`},
		{`{a: {b: 1}}`, `{a: {$object: body/pairs, without: "(?i)^p$"}}`, `{"a":{"b":1}}`},
		{`{a: 1}`, `{a: {$for: body/list, give: {is: "{{ item }}"}}}`, `{"a":[{"is":1},{"is":2}]}`},
		{`{a: {k: {c: 1}}}`, `{b: {$for: a, give: "{{ key }}"}}`, `{"a":{"k":{"c":1}},"b":["k"]}`},
		{`{a: [{c: 1}]}`, `{b: {$for: a, give: "{{ key }}"}}`, `{"a":[{"c":1}],"b":[0]}`},
		{`{a: [{c: 1}, 2]}`, `{b: {$list: a, as: b, links: [bare], when: {key: 1}, give: ["{{ key }}", "{{ item }}"]}}`,
			`{"a":[{"c":1},2],"b":{"links":[{"rel":"self","href":"http://mock/"}],"count":1,"hasMore":false,"totalResult":-1,"b":[[1,2]]}}`},

		// A text that is found is one step, whatever it holds.
		{`{a: 1}`, `{"b/{body/id}/c": 1, "b/x{query/p}y~1z": 2}`, `{"a":1,"b":{"a/b":{"c":1},"xq/~1y/z":2}}`},
		{`{a: {"1.50": {c: d}}, e: {d: f}}`, `{"g/{e/{a/{body/x}/c}}": 1}`, `{"a":{"1.50":{"c":"d"}},"e":{"d":"f"},"g":{"f":1}}`},
		{`{a: [1, 2]}`, `{a/0: 5, a/2: 6}`, `{"a":[5,2,6]}`},

		// Sentences are set one after the other; all of a sentence is found before.
		{`{a: 1}`, `{a: 2, b: "{{ a }}"}`, `{"a":2,"b":2}`},
		{`{a: {b: 1, c: 2}}`, `{a: {b: "{{ a/c }}", c: "{{ a/b }}"}}`, `{"a":{"b":2,"c":1}}`},
		{`{a: {b: 1}}`, `{a/c: "{{ a }}", a/b: {$absent: true}}`, `{"a":{"c":{"b":1}}}`},

		// With a fault nothing is set.
		{`{a: 1}`, `{a: 2, b: "x{{ body/nowhere }}"}`, `f.yaml:7:20: {{ body/nowhere }}: nothing is there, and no default says what to put into the text`},
		{`{a: 1}`, `{a: 2, "b/{body/nowhere}": 3}`, `f.yaml:7:17: b/{body/nowhere}: no text is at body/nowhere, so it is not told where to remember this`},
		{`{a: 1}`, `{"b/{a}/{body/o}": 3}`, `f.yaml:7:11: b/{a}/{body/o}: no text is at body/o, so it is not told where to remember this`},
		{`{a: [1]}`, `{a/5: 2}`, `f.yaml:7:16: a/5: "a" is an array of one element; "5" is none of them`},
		{`{a: 1}`, `{a: "{{ body/id | number }}"}`, `f.yaml:7:14: {{ body/id | number }}: it is no number`},
		{`{a: 1}`, `{a: {$merge: [5]}}`, `f.yaml:7:24: $merge takes objects, and this is 5`},
	} {
		w := newWorld(t, "scenario: a\nsource: assumed\nrecords: "+test.records+
			"\ninteractions:\n  - name: one\n    request: {}\n    set: "+test.set+"\n    response: {status: 204}\n")
		before := string(w.tree.AppendJSON(nil))
		if got := w.ask("PUT", "/?p=q/~1", body); got != "204" {
			if got != test.want {
				t.Errorf("%s:\ngot  %s\nwant %s", test.set, got, test.want)
			}
			w.remembers(before)
			continue
		}
		if got := string(w.tree.AppendJSON(nil)); got != test.want {
			t.Errorf("%s and %s:\ngot  %s\nwant %s", test.records, test.set, got, test.want)
		}
	}
}

// TestOrder is about what sees what, and when.
func TestOrder(t *testing.T) {
	w := newWorld(t, `scenario: a
source: assumed
records: {door: {state: closed}, visits: {none: 0}}
interactions:
  - name: opened
    request: {method: PUT, path: /door}
    when: {door: {state: closed}}
    set:
      door: {state: open, was: "{{ door/state }}"}
      visits: {last: "{{ body/by }}"}
    response: {status: 200, body: "{{ door }}"}
  - name: open already
    request: {method: PUT, path: /door}
    when: {door/state: open}
    response: {status: 409, body: "{{ visits/last | default nobody }}"}
  - name: one after the other
    request: {method: POST, path: /visits}
    response:
      status: 200
      body:
        before: "{{ visits/last }}"
        each:
          $for: body
          set: {"visits/{item}": "{{ key }}", visits/last: "{{ item }}"}
          give: {it: "{{ item }}", last: "{{ visits/last }}"}
          cases:
            - when: {"visits/{item}": {$absent: true}}
              set: {visits/first: "{{ item }}"}
              give: {new: true, first: "{{ visits/first }}"}
            - {when: {item: {$not: bob}}}
        after: "{{ visits/last }}"
  - name: added
    request: {method: PUT}
    set: {door/touched: "{{ door/state }}"}
    adds: {}
`)
	w.said("PUT", "/door", `{"by": "ann"}`, `200 {"state":"open","was":"closed"}0`)
	w.remembers(`{"door":{"state":"open","was":"closed","touched":"open"},"visits":{"none":0,"last":"ann"}}`)
	w.said("PUT", "/door", `{"by": "bob"}`, `409 "ann"0`)
	// An element sees what those before it did; where no case holds, there is
	// no element, and nothing is set for it.
	w.said("POST", "/visits", `["ann", "bob", "ann", "bob", "cid"]`, `200 {"before":"ann","each":[`+
		`{"it":"ann","last":"ann","new":true,"first":"ann"},{"it":"bob","last":"bob","new":true,"first":"bob"},`+
		`{"it":"ann","last":"ann"},{"it":"cid","last":"cid","new":true,"first":"cid"}],"after":"cid"}`)
	w.remembers(`{"door":{"state":"open","was":"closed","touched":"open"},"visits":{"none":0,"last":"cid","ann":2,"first":"cid","bob":1,"cid":4}}`)
}

// What fails sets nothing, be it in the last element of a loop.
func TestFailureSetsNothing(t *testing.T) {
	w := newWorld(t, `scenario: a
source: assumed
records: {seen: {}}
interactions:
  - name: one
    request: {}
    set: {seen/begun: true}
    response:
      status: 200
      body: {$for: body, set: {"seen/{item/id}": 1}, give: "No {{ item/id }}, {{ item/name }}"}
`)
	w.said("PUT", "/", `[{"id": "1", "name": "a"}, {"id": "2"}]`, `f.yaml:10:60: {{ item/name }}: nothing is there, and no default says what to put into the text`)
	w.remembers(`{"seen":{}}`)
	w.said("PUT", "/", `[{"id": "1", "name": "a"}]`, `200 ["No 1, a"]`)
	w.remembers(`{"seen":{"begun":true,"1":1}}`)
}

// A loop goes over what there was when it began.
func TestLoopOverRecords(t *testing.T) {
	w := newWorld(t, `scenario: a
source: assumed
records: {tasks: {a: {n: 1}, b: {n: 2}, c: {n: 3}}}
interactions:
  - name: all go
    request: {method: DELETE}
    response:
      status: 200
      body: {$for: tasks, set: {"tasks/{key}": {$absent: true}, "tasks/{new}": "{{ item }}"}, give: "{{ item/n }}"}
`)
	w.said("DELETE", "/", "", `200 [1,2,3]`)
	w.remembers(`{"tasks":{"10000":{"n":1},"10001":{"n":2},"10002":{"n":3}}}`)
}

// TestNew: one number for each interaction, and one for each element.
func TestNew(t *testing.T) {
	const src = `scenario: a
source: assumed
records: {users: {"7": {}, "20041": {}, x9: {}}, "more/{new}/and": "{{ new }}"}
interactions:
  - name: one, and many
    request: {method: POST}
    set: {"users/{new}": {id: "{{ new | number }}"}}
    response:
      status: 200
      body:
        id: "{{ new }}"
        each: {$for: body, set: {"users/{new}": {of: "{{ item }}"}}, give: {$for: item, give: "{{ new }}", when: {item: {$not: 1}}}}
        own: {$for: body, give: ["{{ new }}", "{{ new }}"]}
        still: "{{ new }}"
  - name: unused
    request: {method: GET}
    set: {"users/{new}": "{{ body/nowhere }}"}
    response: {status: 200, body: "{{ new }}"}
`
	const asked = `200 {"id":"20043","each":[["20045"],["20047","20048"]],"own":[["20049","20049"],["20050","20050"]],"still":"20043"}`
	w := newWorld(t, src)
	w.remembers(`{"users":{"7":{},"20041":{},"x9":{}},"more":{"20042":{"and":"20042"}}}`)
	before := w.tree
	w.said("POST", "/", `[[1, 2], [3, 4]]`, asked)
	w.remembers(`{"users":{"7":{},"20041":{},"x9":{},"20043":{"id":20043},"20044":{"of":[1,2]},"20046":{"of":[3,4]}},"more":{"20042":{"and":"20042"}}}`)

	// What was given is not given again, even if nothing was set; but the same
	// records and the same request have the same numbers.
	w.said("GET", "/", "", `200 "20051"`)
	w.said("GET", "/", "", `200 "20052"`)
	w.tree = before
	w.said("POST", "/", `[[1, 2], [3, 4]]`, asked)
	fresh := newWorld(t, src)
	fresh.said("POST", "/", `[[1, 2], [3, 4]]`, asked)

	trial := NewTrial(NewRequest("GET", "/", nil, nil), w.env())
	if _, err := trial.Perform(w.all[0].Interactions[1], w.all[0].Interactions[1].Responses[0]); err != nil {
		t.Fatal(err)
	}
	if _, changed := trial.Records(); len(changed) > 0 {
		t.Errorf("nothing was set, and %q changed", changed)
	}
}

// The addresses that changed are told, with what was found in their braces.
func TestChanged(t *testing.T) {
	w := newWorld(t, `scenario: a
source: assumed
records: {tasks: {"1": {state: new}}, other: 1}
interactions:
  - name: one
    request: {path: "/{id}"}
    set: {"tasks/{id}": {state: done}, other: 1, "notes/{query/by}": x, gone: {$absent: true}}
    response: {status: 200, body: {$for: body, set: {"tasks/{item}": {}}, give: 1}}
`)
	for _, test := range []struct{ target, body, want string }{
		{"/1?by=a/b~", `["1", "2"]`, `[tasks/1 notes/a~1b~0 tasks/2]`},
		{"/1?by=a/b~", `["2"]`, `[]`},
		{"/" + strings.Repeat("x", 300) + "?by=" + strings.Repeat("y", 300), `[]`, `[tasks/` + strings.Repeat("x", 200) + `… notes/` + strings.Repeat("y", 200) + `…]`},
	} {
		i := w.all[0].Interactions[0]
		trial := NewTrial(NewRequest("PUT", test.target, nil, []byte(test.body)), w.env())
		if !trial.Accepts(i) {
			t.Fatal(trial.Mismatches(i))
		}
		if _, err := trial.Perform(i, i.Responses[0]); err != nil {
			t.Fatal(err)
		}
		var changed []string
		w.tree, changed = trial.Records()
		if got := fmt.Sprint(changed); got != test.want {
			t.Errorf("%s: got %s, want %s", test.target, got, test.want)
		}
		if got := fmt.Sprint(trial.Looked()); got != "[]" { // what is set is not looked at
			t.Errorf("looked at %s", got)
		}
	}
}

// TestWhen asks records.
func TestWhen(t *testing.T) {
	const records = `{users: {"17": {Login: KLEE, Roles: [a, {b: c}], password: HUNTER2}, a/b: {Login: ODD}}, logins: {KLEE: "17", ODD: a/b, LOST: "99"}, list: [x, {y: z}],
		settings: {apiKey: HUNTER2, HUNTER: 1, fields: [{name: Password, value: HUNTER2}]}}`
	for _, test := range []struct{ when, target, want string }{
		{`{"users/{id}": {}}`, "/17", ``},
		{`{"users/{id}": {}}`, "/18", `users/18: want an object, got nothing`},
		{`{"users/{id}": {$absent: true}}`, "/17", `users/17: want nothing, got an object`},
		{`{"users/{id}": {$absent: true}}`, "/18", ``},
		{`{"users/{logins/{id}}": {Login: "{{ id }}"}}`, "/KLEE", ``},
		{`{"users/{logins/{id}}/Login": KLEE}`, "/ODD", `users/a~1b/Login: want "KLEE", got "ODD"`}, // a slash in a text is no step
		{`{"users/{logins/{id}}": {}}`, "/LOST", `users/99: want an object, got nothing`},
		{`{"users/{logins/{id}}": {$absent: true}}`, "/NOBODY", ``},
		{`{"users/{id}": {Roles: [a, {b: d}]}}`, "/17", `users/17/Roles/1/b: want "d", got "c"`},
		{`{users: {"17": {Login: {$anycase: klee}, Roles: {$each: {$like: a}}}}}`, "/17", `users/17/Roles/1: want a string, got an object`},
		{`{"list/1": {y: "{{ list/0 }}"}}`, "/", `list/1/y: want {{ list/0 }}, here "x", got "z"`},
		{`{list/2: {$absent: true}, "list/{id}": {$any: 1}}`, "/0", ``},
		{`{nothing: {$absent: true}, nothing/at/all: {$not: 1}}`, "/", ``},
		{`{users: {$values: {Login: KLEE}}}`, "/", `users/a~1b/Login: want "KLEE", got "ODD"`},
		{`{list: {$each: x}}`, "/", `list/1: want "x", got an object`},

		// Secrets stay hidden, by whatever way they are found.
		{`{"users/{id}/password": a}`, "/17", `users/17/password: want what is not shown, got something that is not shown`},
		{`{"users/{id}": {password: a}}`, "/17", `users/17/password: want what is not shown, got something that is not shown`},
		{`{users: {$values: {password: {$regex: "^a"}}}}`, "/", "users/17/password: want text like ^a, got something that is not shown\nusers/a~1b/password: want text like ^a, got nothing"},
		{`{"users/17/{id}": HUNTER3}`, "/password", `users/17/password: want what is not shown, got something that is not shown`},
		{`{"settings/{id}": HUNTER3}`, "/apiKey", `settings/apiKey: want what is not shown, got something that is not shown`},
		{`{settings/fields/0/value: HUNTER3}`, "/", `settings/fields/0/value: want what is not shown, got something that is not shown`},
		{`{settings: {fields: [{value: HUNTER3}]}}`, "/", `settings/fields/0/value: want what is not shown, got something that is not shown`},
		{`{"settings/{query/password}": 2}`, "/?password=HUNTER", `settings/{query/password}: want what is not shown, got something that is not shown`},
		{`{"users/17/Login": "{{ settings/apiKey }}"}`, "/", `users/17/Login: want {{ settings/apiKey }}, got "KLEE"`},
	} {
		w := newWorld(t, "scenario: a\nsource: assumed\nrecords: "+records+"\ninteractions:\n- {name: one, request: {path: \"/{id...}\"}, when: "+test.when+", response: {status: 200}}\n")
		i, r := w.all[0].Interactions[0], NewRequest("GET", test.target, nil, nil)
		var told []string
		for _, m := range i.Match(r, w.env()) {
			told = append(told, m.At+": want "+m.Want+", got "+m.Got)
		}
		got := strings.Join(told, "\n")
		if got != test.want || strings.Contains(got, "HUNTER") {
			t.Errorf("%s and %s:\ngot  %s\nwant %s", test.when, test.target, got, test.want)
		}
		trial := NewTrial(r, w.env())
		if trial.Accepts(i) != (test.want == "") {
			t.Errorf("%s and %s: in a hurry it says otherwise", test.when, test.target)
		}
		if rooms := trial.Looked(); len(rooms) == 0 || slices.Contains(rooms, "body") {
			t.Errorf("%s: looked at %q", test.when, rooms)
		}
	}
}

const states = `scenario: always there
source: assumed
records: {users: {"1": {Login: ANN}}}
interactions:
  - {name: read, request: {path: "/users/{id}"}, when: {"users/{id}": {}}, response: {status: 200, body: "{{ users/{id} }}"}}
---
scenario: a user
source: assumed
given: {a user: {id: {$like: "42"}, level: {$number: 3, max: 5}}, all is well: null}
records:
  users/{given/id}: {Login: "{{ given/login | default NEW }}", level: "{{ given/level }}", since: "{{ now | date yyyy }}"}
interactions:
  - {name: level, request: {path: /level}, response: {status: "{{ given/status | default 200 }}", body: ["{{ given/level }}", "{{ given/a/0 }}", "{{ given/none }}"]}}
---
scenario: failure
source: assumed
given: {OIG fails: {}}
interactions:
  - {name: fails, request: {}, response: {status: "{{ given/status | default 500 }}"}}
---
scenario: shared
source: assumed
given: {one: {}, other: {}}
interactions:
  - {name: which, request: {path: /which}, response: {status: 200, body: "{{ given/id }}"}}
`

func (w *world) set(state, params string) {
	if w.given == nil {
		w.given = map[string]payload.Value{}
	}
	w.given[state] = payload.Value{}
	if params != "" {
		w.given[state] = mustJSON(w, params)
	}
}

// TestProviderStates: scenarios sleep until all their states are set.
func TestProviderStates(t *testing.T) {
	w := newWorld(t, states)
	awake := func(want string) {
		t.Helper()
		var titles []string
		for _, s := range w.awake() {
			titles = append(titles, s.Title)
		}
		if got := strings.Join(titles, ", "); got != want {
			t.Errorf("awake: got %s, want %s", got, want)
		}
	}
	awake("always there")
	w.said("GET", "/level", "", "no interaction")
	w.set("a user", `{"id": "42", "level": 4, "a": ["b"]}`)
	awake("always there")
	w.said("GET", "/level", "", "no interaction")
	w.set("all is well", "")
	awake("always there, a user")
	w.said("GET", "/level", "", `200 [4,"b"]`)
	w.seed()
	w.remembers(`{"users":{"1":{"Login":"ANN"},"42":{"Login":"NEW","level":4,"since":"2016"}}}`)
	w.said("GET", "/users/42", "", `200 {"Login":"NEW","level":4,"since":"2016"}`)

	w.set("a user", `{"id": "42", "level": 6}`) // not one that it takes
	awake("always there")
	w.set("a user", `{"id": 42, "level": 3}`)
	awake("always there")
	w.set("a user", "")
	awake("always there")

	w.set("OIG fails", "") // {} asks nothing of parameters
	awake("always there, failure")
	w.said("GET", "/x", "", "500")
	w.set("OIG fails", `{"status": 503}`)
	w.said("GET", "/x", "", "503")
	w.set("OIG fails", `{"status": "often"}`)
	w.said("GET", "/x", "", "f.yaml:19:51: status: what the template finds is no number from 200 to 599")

	// Of two states with one parameter the later key of the file counts.
	w.given = nil
	w.set("one", `{"id": 1}`)
	w.set("other", `{}`)
	w.said("GET", "/which", "", `200 1`)
	w.set("other", `{"id": 2}`)
	w.said("GET", "/which", "", `200 2`)
	w.set("one", `{"id": 3}`)
	w.said("GET", "/which", "", `200 2`)
}

// What keeps a scenario asleep is a mismatch like any other.
func TestAsleep(t *testing.T) {
	w := newWorld(t, states)
	sc := w.all[1]
	for _, test := range []struct{ state, params, want string }{
		{"", "", `f.yaml:9:9: provider state: want "a user", got that it is not set
f.yaml:9:67: provider state: want "all is well", got that it is not set`},
		{"a user", `{"id": 42, "level": 5.5}`, `f.yaml:9:30: given/id: want a string, got 42
f.yaml:9:44: given/level: want a number up to 5, got 5.5
f.yaml:9:67: provider state: want "all is well", got that it is not set`},
		{"a user", "", `f.yaml:9:30: given/id: want a string, got nothing
f.yaml:9:44: given/level: want a number up to 5, got nothing
f.yaml:9:67: provider state: want "all is well", got that it is not set`},
	} {
		w.given = nil
		if test.state != "" {
			w.set(test.state, test.params)
		}
		r := NewRequest("GET", "/level", nil, nil)
		var told, refused []string
		for _, m := range sc.Interactions[0].Match(r, w.env()) {
			told = append(told, m.String())
		}
		if got := strings.Join(told, "\n"); got != test.want {
			t.Errorf("%s %s:\ngot  %s\nwant %s", test.state, test.params, got, test.want)
		}
		if NewTrial(r, w.env()).Accepts(sc.Interactions[0]) {
			t.Errorf("%s %s: accepted", test.state, test.params)
		}
		path, method, n := NewTrial(r, w.env()).Distance(sc.Interactions[0])
		if !path || !method || n != len(told) {
			t.Errorf("%s %s: %d mismatches are counted, %d told", test.state, test.params, n, len(told))
		}
		for _, m := range sc.Refuses("a user", w.given["a user"]) {
			refused = append(refused, m.String())
		}
		if want := slices.DeleteFunc(told, func(m string) bool { return strings.Contains(m, "provider state") }); test.state != "" && !slices.Equal(refused, want) {
			t.Errorf("%s %s: refused for %q, want %q", test.state, test.params, refused, want)
		}
	}
	if why := sc.Refuses("a user", mustJSON(t, `{"id": "42", "level": 3}`)); len(why) > 0 {
		t.Error(why)
	}
	if why := sc.Refuses("another", payload.Value{}); len(why) > 0 {
		t.Error(why)
	}
}

// TestSeed: what comes earlier in the order of precedence counts.
func TestSeed(t *testing.T) {
	w := newWorld(t, `scenario: earlier
source: assumed
records: {a: {x: 1, gone: {$absent: true}}, a/z: 3, a/z2: "{{ a/z }}"}
---
scenario: later
source: assumed
records: {a: {x: 2, y: 2, gone: 2}, b: {at: "{{ now + 1d | date yyyy-MM-dd }}"}, "c/{a/x}": [{$for: a, give: "{{ key }}"}]}
`)
	w.remembers(`{"a":{"x":1,"y":2,"z":3,"z2":3},"b":{"at":"2016-05-12"},"c":{"2":[["x","y","gone"]]}}`)

	for _, test := range []struct {
		records, want string
		depends       bool
	}{
		{`{a: {b: 1}}`, `{"a":{"b":1}}`, false},
		{`{a: {b: "{{ now }}"}}`, `{"a":{"b":"2016-05-11T12:00:00Z"}}`, true},
		{`{"a/{b}": 1}`, `f.yaml:3:11: a/{b}: no text is at b, so it is not told where to remember this`, true},
		{`{a: [1], a/b: 2}`, `f.yaml:3:24: a/b: "a" is an array of one element; "b" is none of them`, false},
	} {
		all, err := Parse("f.yaml", []byte("scenario: a\nsource: assumed\nrecords: "+test.records+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		tree, depends, err := Seed(Tree{}, all, Env{Now: noon})
		got := string(tree.AppendJSON(nil))
		if err != nil {
			got = err.Error()
		}
		if got != test.want || depends != test.depends && err == nil {
			t.Errorf("%s: got %s, %v, want %s, %v", test.records, got, depends, test.want, test.depends)
		}
	}

	// A state whose parameter says where: without it, a fault tells the line.
	all, err := Parse("f.yaml", []byte("scenario: a\nsource: assumed\ngiven: there is one\nrecords: {\"things/{given/id}\": {name: \"{{ given/name }}\"}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for params, want := range map[string]string{
		`{"id": 5, "name": "five"}`: `{"things":{"5":{"name":"five"}}}`,
		`{"id": "a/b"}`:             `{"things":{"a/b":{}}}`,
		`{}`:                        `f.yaml:4:11: things/{given/id}: no text is at given/id, so it is not told where to remember this`,
		`{"id": [1]}`:               `f.yaml:4:11: things/{given/id}: no text is at given/id, so it is not told where to remember this`,
	} {
		tree, _, err := Seed(Tree{}, all, Env{Given: map[string]payload.Value{"there is one": mustJSON(t, params)}})
		got := string(tree.AppendJSON(nil))
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", params, got, want)
		}
	}
}

// TestLet: what is set in let is there for the answer, and nowhere else.
func TestLet(t *testing.T) {
	i := parseOne(t, `request: {path: "/tasks/{id}"}
set:
  let/shown: {$for: tasks, when: {item: {state: {$not: gone}}}, give: {name: "{{ key }} {{ item/state | upper }}"}, set: {"let/seen/{key}": {$for: tasks, give: "{{ key }}"}}}
response:
  status: 200
  body:
    list: {$list: let/shown, links: [first], give: "{{ item/name }}"}
    pairs: {$pairs: let/seen}
    none: "{{ let/nothing }}"`)
	tree, err := Tree{}.Set(mustJSON(t, `{"tasks": {"1": {"state": "a"}, "2": {"state": "gone"}, "3": {"state": "b"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	trial := NewTrial(NewRequest("GET", "/tasks/1?q=name+co+a", nil, nil), Env{Now: noon, URL: "http://mock", Records: tree})
	for range 2 { // the second time nothing of the first is left
		out, err := trial.Perform(i, i.Responses[0])
		if err != nil {
			t.Fatal(err)
		}
		const want = `{"list":{"links":[{"rel":"first","href":"http://mock/tasks/1?offset=1&limit=10&q=name%20co%20a"}],"count":1,"hasMore":false,"totalResult":-1,"shown":["1 A"]},` +
			`"pairs":[{"name":"1","value":["1","2","3"]},{"name":"3","value":["1","2","3"]}]}`
		if got := string(out.Body); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
		if after, changed := trial.Records(); !after.Same(tree) || len(changed) > 0 || slices.Contains(trial.Looked(), "let") {
			t.Errorf("it changed %v, and looked at %v", changed, trial.Looked())
		}
	}
	for src, want := range map[string]string{
		`request: {path: /a, query: {q: "{{ let/x }}"}}`:      `let is set when the interaction answers, and here it is asked whether it does`,
		"request: {path: /a}\nwhen: {let/x: 1}":               `let is set when the interaction answers, and here it is asked whether it does`,
		"request: {path: /a}\nset: {let: 1}":                  `want let/NAME`,
		`request: {path: "/a/{let}"}`:                         `let`,
		"request: {path: /a}\nset: {a: {$for: let, give: 1}}": `want let/NAME`,
	} {
		_, err := Parse("f.yaml", []byte("scenario: a\nsource: assumed\ninteractions:\n  - name: a\n    "+strings.ReplaceAll(src, "\n", "\n    ")+"\n    response: {status: 200}\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", src, err)
		}
	}
	_, err = Parse("f.yaml", []byte("scenario: a\nsource: assumed\nrecords: {let/x: 1}\n"))
	if err == nil || !strings.Contains(err.Error(), "let is forgotten with the answer") {
		t.Errorf("got %v", err)
	}
}

// What is shared, with what each session seeds over it, is what seeding all
// gives; and only what the time is asked for is not shared.
func TestSeedShared(t *testing.T) {
	for name, test := range map[string]struct{ src, own string }{
		"nothing":             {"records: {a: {b: 1}}", ""},
		"the time alone":      {"records: {a: {b: 1}}\n---\nscenario: s2\nsource: assumed\nrecords: {c: {at: \"{{ now }}\"}}", "s2"},
		"what comes over it":  {"records: {c: {at: never}}\n---\nscenario: s2\nsource: assumed\nrecords: {c: {at: \"{{ now }}\"}, d: {e: 1}}\n---\nscenario: s3\nsource: assumed\nrecords: {c: {f: 1}, d: {e: 2, g: 3}}", "s1 s2"},
		"what looks at it":    {"records: {a: {b: \"{{ c/at }}\"}}\n---\nscenario: s2\nsource: assumed\nrecords: {d: {e: \"{{ a/x }}\"}, a: {x: 1}}\n---\nscenario: s3\nsource: assumed\nrecords: {c: {at: \"{{ now + 1d }}\"}}", "s1 s3"},
		"what it looks at":    {"records: {c: {x: high}}\n---\nscenario: s2\nsource: assumed\nrecords: {b: {t: \"{{ now }}\", saw: \"it is {{ c/x }}\"}}\n---\nscenario: s3\nsource: assumed\nrecords: {c: {x: low}}", "s1 s2"},
		"numbers":             {"records: {d: {sum: \"{{ b/10000/k | default none }}\"}}\n---\nscenario: s2\nsource: assumed\nrecords: {\"a/{new}\": {k: plain}}\n---\nscenario: s3\nsource: assumed\nrecords: {\"b/{new}\": {k: \"{{ now }}\"}}", "s1 s2 s3"},
		"one after the other": {"records: {\"a/{c/word}\": {b: 1}}\n---\nscenario: s2\nsource: assumed\nrecords: {c: {at: \"{{ now + 1d }}\", word: w}}", "s1 s2"},
	} {
		list, err := Parse("f.yaml", []byte("scenario: s1\nsource: assumed\n"+test.src+"\n"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		env := Env{Now: noon}
		shared, own, err := SeedShared(list, env)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var titles []string
		for _, sc := range own {
			titles = append(titles, sc.Title)
		}
		if got := strings.Join(titles, " "); got != test.own {
			t.Errorf("%s: each session seeds %q, want %q", name, got, test.own)
		}
		if got := shared.Memory(); got != 0 {
			t.Errorf("%s: what is shared takes %d bytes", name, got)
		}
		env.Now = noon.Add(time.Hour)
		got, _, err := Seed(shared, own, env)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want, _, err := Seed(Tree{}, list, env)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		// The order of members may differ, and says nothing.
		if a, b := mustJSON(t, string(got.AppendJSON(nil))).Any(), mustJSON(t, string(want.AppendJSON(nil))).Any(); !reflect.DeepEqual(a, b) {
			t.Errorf("%s: got %v, want %v", name, a, b)
		}
	}
}

// A file as large as one may be can be seeded.
func TestSeedMuch(t *testing.T) {
	var b strings.Builder
	b.WriteString("scenario: a\nsource: assumed\nrecords:\n  tasks:\n")
	for i := range 9999 {
		fmt.Fprintf(&b, "    \"%d\": {name: task %d, state: new, \"of\": {id: 5}}\n", i, i)
	}
	w := newWorld(t, b.String())
	if n := w.tree.At("tasks").Len(); n != 9999 {
		t.Errorf("%d tasks", n)
	}
	if got, _ := w.tree.fresh(); got != "10000" {
		t.Errorf("new is %s", got)
	}
}

// TestPer: by what the calls of a list are counted.
func TestPer(t *testing.T) {
	for _, test := range []struct{ per, want string }{
		{"", ""}, {"id", "5/6"}, {"query/q", "a"}, {"query/none", ""}, {"user", "ann"}, {"body/n", "1.50"}, {"body/o", `{"a":1}`}, {"now", "2016-05-11T12:00:00Z"},
		{"tasks/{id}/kind", "odd"}, {"tasks/{query/q}", ""}, {"self", "http://mock/5%2F6"},
	} {
		text := `request: {path: "/{id}"}` + "\nresponse: [{status: 200}, {status: 404}]"
		if test.per != "" {
			text += "\nper: " + fmt.Sprintf("%q", test.per)
		}
		tree, err := Tree{}.Set(mustJSON(t, `{"5/6": {"kind": "odd"}}`), "tasks")
		if err != nil {
			t.Fatal(err)
		}
		trial := NewTrial(NewRequest("PUT", "/5%2F6?q=a", nil, []byte(`{"n": 1.50, "o": {"a": 1}}`)), Env{Now: noon, URL: "http://mock", User: "ann", Records: tree})
		i := parseOne(t, text)
		if !trial.Accepts(i) {
			t.Fatal(trial.Mismatches(i))
		}
		trial.Accepts(parseOne(t, `request: {path: "/{other}"}`)) // others are tried between
		if got := trial.Per(i); got != test.want {
			t.Errorf("%s: got %q, want %q", test.per, got, test.want)
		}
	}
}

// TestTurns reads when an interaction takes part, and which answer it serves.
func TestTurns(t *testing.T) {
	for _, test := range []struct {
		keys string
		want Interaction
	}{
		{"then: loop", Interaction{Then: Loop}}, {"then: fail", Interaction{Then: Fail}}, {"per: user", Interaction{}},
		{"chance: 10%", Interaction{Chance: 0.1}}, {"chance: 7%", Interaction{Chance: 0.07}}, {"chance: 100%", Interaction{Chance: 1}}, {"chance: 0.000001%", Interaction{Chance: 1e-8}},
		{"beyond: 10/1m", Interaction{Beyond: &Rate{10, time.Minute}}}, {"beyond: 1/2d", Interaction{Beyond: &Rate{1, 48 * time.Hour}}}, {"beyond: 007/500ms", Interaction{Beyond: &Rate{7, 500 * time.Millisecond}}},
	} {
		all, err := Parse("f.yaml", []byte("scenario: a\nsource: assumed\ninteractions:\n- name: one\n  request: {}\n  response: [{status: 200}, {status: 404}]\n  "+test.keys+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		i := all[0].Interactions[0]
		if i.Then != test.want.Then || i.Chance != test.want.Chance || meaning(i.Beyond) != meaning(test.want.Beyond) || len(i.Responses) != 2 {
			t.Errorf("%s: %+v", test.keys, i)
		}
		roundTrip(t, all[0])
	}
	for rate, want := range map[Rate]string{{10, time.Minute}: "10/1m", {1, 48 * time.Hour}: "1/48h", {3, 90 * time.Second}: "3/1m30s", {3, 90 * time.Minute}: "3/1h30m", {3, 20 * time.Hour}: "3/20h", {1, time.Millisecond}: "1/1ms"} {
		if got := rate.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestDamage reads what happens to an answer on its way.
func TestDamage(t *testing.T) {
	for text, want := range map[string]Damage{
		"reset": {Kind: Reset, Bytes: -1}, "close": {Kind: Close, Bytes: -1}, "hang": {Kind: Hang, Bytes: -1}, "maintenance": {Kind: Maintenance, Bytes: -1},
		"{reset: 0}": {Kind: Reset}, "{close: 2KiB}": {Kind: Close, Bytes: 2048}, "{truncate: 1MiB}": {Kind: Truncate, Bytes: 1 << 20}, "{truncate: 1024MiB}": {Kind: Truncate, Bytes: 1 << 30},
		"{dribble: {chunks: 5, over: 2s}}": {Kind: Dribble, Bytes: -1, Chunks: 5, Over: 2 * time.Second}, "{bandwidth: 16KiB/s}": {Kind: Bandwidth, Bytes: -1, Rate: 16384}, "{bandwidth: 5/s}": {Kind: Bandwidth, Bytes: -1, Rate: 5},
	} {
		i := parseOne(t, "request: {}\nadds: {fault: "+text+"}")
		if got := *i.Responses[0].Damage; got != want {
			t.Errorf("%s: got %+v, want %+v", text, got, want)
		}
	}
	var all []string
	for _, d := range []Damage{{Kind: Reset, Bytes: -1}, {Kind: Reset}, {Kind: Truncate, Bytes: 100}, {Kind: Dribble, Bytes: -1, Chunks: 5, Over: time.Minute}, {Kind: Bandwidth, Bytes: -1, Rate: 1024}, {Kind: Garbage, Bytes: -1}} {
		all = append(all, d.String())
	}
	const want = "reset; reset after 0 bytes; truncate after 100 bytes; dribble 5 chunks over 1m; bandwidth 1024 bytes/s; garbage"
	if got := strings.Join(all, "; "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestRecordRooms finds where a file names records that it does not seed.
func TestRecordRooms(t *testing.T) {
	all, err := Parse("f.yaml", []byte(`scenario: a
source: assumed
given: there
records: {own: "{{ r1 }}", "own/{r2/{given/id}}": {$pairs: r3, only: r4}}
interactions:
  - name: one
    request: {path: "/{id}", body: {a: "{{ r5/{id} }} {{ r5 }}"}}
    when: {own: 1, "r6/{r7/{r8}}": {}}
    set: {r9: 1}
    response:
      - {status: 200, body: {$for: r10, when: {item: 1}, set: {r11: 1}, give: {$literal: "{{ none }}"}}}
      - {status: 200, body: "{{ query/{r12} }}"}
    per: r13
---
scenario: b
source: assumed
records: {own: "{{ r14 }}"}
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range all {
		for _, r := range s.RecordRooms() {
			got = append(got, fmt.Sprintf("%s:%d:%d", r.Name, r.Pos.Line, r.Pos.Column))
		}
	}
	want := strings.Fields("r1:4:16 r2:4:28 r3:4:60 r4:4:70 r5:7:40 r5:7:40 own:8:12 r6:8:20 r7:8:20 r8:8:20 r9:9:11 r10:11:36 r11:11:64 r12:12:29 r13:13:10 r14:17:16")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

// TestBudgetOfMemory sets what would never end if nobody counted: that it ends
// is the test, and that it is for want of work.
func TestBudgetOfMemory(t *testing.T) {
	list := func(n int, element string) string { return "[" + strings.Repeat(element+",", n-1) + element + "]" }
	sentences := func(n int, form string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, form+", ", i)
		}
		return b.String()
	}
	wide := "{" + members(9000) + "}"
	const toMake, toRemember = "costs too much to make", "costs too much to remember"
	for _, test := range []struct{ name, records, interaction, body, want string }{
		{"many sentences, many elements", `{a: 1}`, `response: {status: 200, body: {$for: body, set: {` + sentences(500, `"a/{key}/%d": "{{ item }}"`) + `}, give: 1}}`, list(10_000, "1"), toRemember},
		{"a wide object, again and again", `{a: ` + wide + `}`, `response: {status: 200, body: {$for: body, set: {` + sentences(20, `a/a%d: "{{ item }}"`) + `}, give: 1}}`, list(10_000, `"x"`), toRemember},
		{"away and back", `{a: ` + wide + `}`, `response: {status: 200, body: {$for: body, set: {` + sentences(20, `a/a%d: {$absent: true}, a/b%[1]d: 1, a/b%[1]d/c: {$absent: true}`) + `}, give: 1}}`, list(10_000, `"x"`), toRemember},
		{"the whole body, again and again", `{a: {}}`, `response: {status: 200, body: {$for: body, set: {"a/{key}": "{{ body }}", a: {$absent: true}}, give: 1}}`, list(10_000, `"x"`), "costs too much"},
		{"the whole of the records", `{a: ` + wide + `}`, `response: {status: 200, body: {$for: body, set: {"a/{key}": 1, b: "{{ a }}"}, give: 1}}`, list(500, `1`), "costs too much"},
		{"nothing new, again and again", `{a: ` + wide + `}`, `response: {status: 200, body: {$for: body, set: {` + sentences(100, `a/a%d: 1`) + `}, give: 1}}`, list(10_000, `1`), toRemember},
		{"what each asks after what each set", `{a: ` + wide + `}`, `response: {status: 200, body: {$for: body, set: {"a/{key}": 1}, when: {a: {$any: 1}}, give: 1}}`, list(10_000, "1"), toMake},
		{"what each gives after what each set", `{a: {}}`, `response: {status: 200, body: {$for: body, set: {"a/{key}": "{{ item }}"}, give: "{{ a }}"}}`, list(10_000, `"x"`), "costs too much"},
		{"loops that set in loops that set", `{a: {}}`, `response: {status: 200, body: {$for: body, set: {"a/{key}": {$for: body, set: {"b/{key}": 1}, give: 1}}, give: 1}}`, list(1000, `1`), "more than 20000 elements"},
		{"many braces", `{a: {}}`, `response: {status: 200, body: {$for: body, set: {` + sentences(300, `"a/{item}{item}{item}{item}{item}{item}{item}/%d": {$absent: true}`) + `}, give: 1}}`, list(10_000, `"xy"`), toRemember},
		{"long texts in braces", `{a: {}}`, `response: {status: 200, body: {$for: body/list, set: {` + sentences(50, `"a/{body/long}{body/long}/%d": {$absent: true}`) + `}, give: 1}}`, `{"list": ` + list(1000, "1") + `, "long": "` + strings.Repeat(`\u0061`, 100_000) + `"}`, toRemember},
		{"more values than there may be", `{a: {}}`, `response: {status: 200, body: {$for: body, set: {"a/{key}": "{{ body }}"}, give: 1}}`, list(400, "1"), "values, more than 100000"},
		{"more members than there may be", `{a: ` + wide + `}`, `response: {status: 200, body: {$for: body, set: {"a/{key}": 1}, give: 1}}`, list(2000, "1"), "an object would have more than 10000 members"},
		{"deeper than there may be", `{"` + strings.Repeat("a/", 20) + `a": {}}`, `set: {"` + strings.Repeat("a/", 20) + `a": "{{ body }}"}` + "\n  response: {status: 200}", list(1, strings.Repeat(`{"a":`, 45)+"1"+strings.Repeat("}", 45)), "more than 64 arrays and objects inside each other"},
	} {
		w := newWorld(t, "scenario: a\nsource: assumed\nrecords: "+test.records+"\ninteractions:\n- name: one\n  request: {}\n  "+test.interaction+"\n")
		before := string(w.tree.AppendJSON(nil))
		if got := w.ask("PUT", "/", test.body); !strings.Contains(got, test.want) {
			t.Errorf("%s: got %.200s, want %s", test.name, got, test.want)
		}
		if got := string(w.tree.AppendJSON(nil)); got != before {
			t.Errorf("%s: something was set", test.name)
		}
	}
}

// The addresses that changed are told up to a number.
func TestMuchChanges(t *testing.T) {
	w := newWorld(t, "scenario: a\nsource: assumed\nrecords: {a: {}}\ninteractions: [{name: one, request: {}, response: {status: 200, body: {$for: body, set: {\"a/{key}\": 1}, give: 1}}}]\n")
	i := w.all[0].Interactions[0]
	trial := NewTrial(NewRequest("PUT", "/", nil, []byte("["+strings.Repeat("1,", 4999)+"1]")), w.env())
	if _, err := trial.Perform(i, i.Responses[0]); err != nil {
		t.Fatal(err)
	}
	after, changed := trial.Records()
	if n := after.At("a").Len(); n != 5000 || len(changed) != maxChanged {
		t.Errorf("%d are remembered, and %d changes told", n, len(changed))
	}
}

// TestStory plays tasks that are rejected: listed, retried one by one and
// together, until the list is empty.
func TestStory(t *testing.T) {
	w := newWorld(t, `scenario: Tasks that were rejected are tried again
source: assumed
records:
  tasks:
    "11": {Task.Key: 11, Object: Phone, State: Rejected}
    "12": {Task.Key: 12, Object: Badge, State: Rejected}
    "13": {Task.Key: 13, Object: Car, State: Pending}
interactions:
  - name: those of a state
    request: {method: GET, path: /tasks}
    response:
      status: 200
      body:
        $list: tasks
        when: {item/State: {$allOf: [{$any: Rejected}, "{{ query/state }}"]}}
        links: [bare]
        give: {id: "{{ key }}", fields: {$pairs: item, only: query/fields}}
  - name: one
    request: {method: GET, path: "/tasks/{id}"}
    when: {"tasks/{id}": {}}
    response: {status: 200, body: {id: "{{ id }}", state: "{{ tasks/{id}/State }}"}}
  - name: one again
    request: {method: PUT, path: "/tasks/{id}", body: {action: {$anycase: retry}}}
    when: {"tasks/{id}": {State: Rejected}}
    set: {"tasks/{id}": {State: Pending, tried: "{{ now | date yyyy-MM-dd }}"}}
    response: {status: 200, body: {id: "{{ id }}", status: SUCCESS, now: "{{ tasks/{id}/State }}"}}
  - name: several again
    request: {method: PUT, path: /tasks, body: {tasks: {$each: {id: {$like: "11"}, action: {$anycase: retry}}}}}
    response:
      status: 200
      body:
        tasks:
          $for: body/tasks
          reverse: true
          give: {id: "{{ item/id }}", requestId: "{{ item/requestId }}"}
          cases:
            - when: {"tasks/{item/id}": {State: Rejected}}
              set: {"tasks/{item/id}": {State: Pending}}
              give: {status: SUCCESS}
            - when: {"tasks/{item/id}": {$absent: true}}
              give: {status: FAILED, reason: "No {{ item/id }}"}
            - give: {status: FAILED, reason: "{{ item/id }} is {{ tasks/{item/id}/State }}"}
  - name: none such
    request: {path: "/tasks/{id}"}
    when: {"tasks/{id}": {$absent: true}}
    response: {status: 404, body: {title: None such}}
`)
	list := func(tasks string) string {
		n := strings.Count(tasks, `"id"`)
		return fmt.Sprintf(`200 {"links":[{"rel":"self","href":"http://mock/tasks"}],"count":%d,"hasMore":false,"totalResult":-1,"tasks":[%s]}`, n, tasks)
	}
	const rejected = "/tasks?state=Rejected&fields=Object"
	w.said("GET", rejected, "", list(`{"id":"11","fields":[{"name":"Object","value":"Phone"}]},{"id":"12","fields":[{"name":"Object","value":"Badge"}]}`))
	w.said("PUT", "/tasks/11", `{"action": "Retry"}`, `200 {"id":"11","status":"SUCCESS","now":"Pending"}`)
	w.said("PUT", "/tasks/11", `{"action": "Retry"}`, "no interaction") // and not: none such
	w.said("GET", "/tasks/11", "", `200 {"id":"11","state":"Pending"}`)
	w.said("PUT", "/tasks/99", `{"action": "retry"}`, `404 {"title":"None such"}`)
	w.said("GET", rejected, "", list(`{"id":"12","fields":[{"name":"Object","value":"Badge"}]}`))
	w.said("PUT", "/tasks", `{"tasks": [{"id": "99", "action": "retry", "requestId": "a"}, {"id": "12", "action": "RETRY"}, {"id": "12", "action": "retry"}]}`,
		`200 {"tasks":[{"id":"12","status":"FAILED","reason":"12 is Pending"},{"id":"12","status":"SUCCESS"},{"id":"99","requestId":"a","status":"FAILED","reason":"No 99"}]}`)
	w.said("GET", rejected, "", list(""))
	w.said("GET", "/tasks?state=Pending&fields=", "", list(`{"id":"11","fields":[]},{"id":"12","fields":[]},{"id":"13","fields":[]}`))
	w.remembers(`{"tasks":{"11":{"Task.Key":11,"Object":"Phone","State":"Pending","tried":"2016-05-11"},` +
		`"12":{"Task.Key":12,"Object":"Badge","State":"Pending"},"13":{"Task.Key":13,"Object":"Car","State":"Pending"}}}`)
}
