package scenarios

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oigmock/oigmock/schemas/payload"
	"gopkg.in/yaml.v3"
)

// noon is what now means in these tests: the day of Oracle's printed call.
var noon = time.Date(2016, 5, 11, 12, 0, 0, 0, time.UTC)

// readValue reads a VALUE as it stands in a file.
func readValue(text string, in where) (*Value, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, err
	}
	p := &parser{shown: "f.yaml"}
	p.screen(doc.Content[0], 1)
	v := p.value(doc.Content[0], in)
	p.faults.Sort()
	return v, p.faults.Err()
}

func mustValue(t testing.TB, text string, in where) *Value {
	t.Helper()
	v, err := readValue(text, in)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// mustJSON reads JSON; the empty text is nothing at all.
func mustJSON(t testing.TB, text string) payload.Value {
	t.Helper()
	if text == "" {
		return payload.Value{}
	}
	doc, err := payload.Scan([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return doc.Root()
}

// misses lists why got is no such value: "body /a: want …, got …".
func misses(s *scope, v *Value, room string, got payload.Value) []string {
	s.mode, s.n, s.list = inWords, 0, nil
	s.ask(room, v, got)
	var all []string
	for _, m := range s.list {
		_, words, _ := strings.Cut(m.String(), ": ")
		all = append(all, words)
	}
	return all
}

func check(t *testing.T, what string, got []string, want string) {
	t.Helper()
	if all := strings.Join(got, "\n"); all != want {
		t.Errorf("%s:\ngot  %s\nwant %s", what, all, want)
	}
}

// TestInBody has, for each value, what a body may be and what not, and why.
func TestInBody(t *testing.T) {
	for _, test := range []struct{ value, got, want string }{
		// Plain values mean themselves.
		{`"5126"`, `"5126"`, ``},
		{`"5126"`, `"\u0035126"`, ``},
		{`"5126"`, `5126`, `body: want "5126", got 5126`},
		{`5126`, `"5126"`, `body: want 5126, got "5126"`},
		{`5126`, ``, `body: want 5126, got nothing`},
		{`1.0`, `1`, ``},
		{`1`, `1.0`, ``},
		{`1e3`, `1000`, ``},
		{`0`, `-0`, ``},
		{`0.3`, `0.30000000000000004`, `body: want 0.3, got 0.30000000000000004`},
		{`{$literal: 123456789012345678901234567890}`, `123456789012345678901234567890`, ``},
		{`{$literal: 123456789012345678901234567890}`, `123456789012345678901234567891`, `body: want 123456789012345678901234567890, got 123456789012345678901234567891`},
		{`9007199254740992`, `9007199254740992`, "f.yaml:1:1: 9007199254740992 has more digits than many readers of JSON keep: quote it if it is a text, or put it under $literal"},
		{`true`, `true`, ``},
		{`true`, `false`, `body: want true, got false`},
		{`true`, `"true"`, `body: want true, got "true"`},
		{`null`, `null`, ``},
		{`null`, ``, `body: want null, got nothing`},
		{`~`, `null`, ``},
		{`no`, `"no"`, ``}, // to YAML 1.1 it was false
		{`|
  two
  lines`, `"two\nlines"`, ``},

		// An object may have more, an array may not.
		{`{}`, `{"a": 1}`, ``},
		{`{}`, `[]`, `body: want an object, got no element in an array`},
		{`{a: 1}`, `{"a": 1, "b": 2}`, ``},
		{`{a: 1, b: 2}`, `{"b": 3}`, "body /a: want 1, got nothing\nbody /b: want 2, got 3"},
		{`{a: {b: 1}}`, `{"a": 1}`, `body /a: want an object with b, got 1`},
		{`{a/b: {c~d: 1}}`, `{"a/b": {"c~d": 2}}`, `body /a~1b/c~0d: want 1, got 2`},
		{`[]`, `[]`, ``},
		{`[]`, `[1]`, `body: want an empty array, got one element in an array`},
		{`[1, 2]`, `[1, 3]`, `body /1: want 2, got 3`},
		{`[1, 2]`, `[1]`, `body: want an array of 2 elements, got one element in an array`},
		{`[1]`, `{"0": 1}`, `body: want an array of one element, got an object`},

		// A mismatch does not repeat what is secret.
		{`{password: a}`, `{"password": "hunter2"}`, `body /password: want what is not shown, got something that is not shown`},
		{`{accessToken: [a]}`, `{"accessToken": ["b"]}`, `body /accessToken/0: want what is not shown, got something that is not shown`},
		{`{note: a}`, `{"note": "` + strings.Repeat("é", 100) + `"}`, `body /note: want "a", got "` + strings.Repeat("é", 60) + `"…`},

		{`{$like: a}`, `"b"`, ``},
		{`{$like: a}`, `1`, `body: want a string, got 1`},
		{`{$like: 1}`, `"1"`, `body: want a number, got "1"`},
		{`{$like: true}`, `false`, ``},
		{`{$like: null}`, `null`, ``},
		{`{$like: {a: 1, b: [x]}}`, `{"a": 2, "b": ["y"], "c": 0}`, ``},
		{`{$like: {a: 1, b: [x]}}`, `{"a": "2", "b": ["y", "z"]}`, "body /a: want a number, got \"2\"\nbody /b: want an array of one element, got 2 elements in an array"},
		{`{$like: {a: {$anycase: x}}}`, `{"a": "y"}`, `body /a: want "x" in any letter case, got "y"`},

		{`{$any: 1}`, `null`, ``},
		{`{$any: 1}`, `{}`, ``},
		{`{a: {$any: 1}}`, `{}`, `body /a: want anything, got nothing`},

		{`{$regex: b+}`, `"abbc"`, ``},
		{`{$regex: ^b+$}`, `"abbc"`, `body: want text like ^b+$, got "abbc"`},
		{`{$regex: "1"}`, `1`, `body: want text like 1, got 1`},
		{`{$regex: a}`, `"` + strings.Repeat("a", 70000) + `"`, `body: want text like a, got a text longer than 65536 bytes, in which $regex does not look`},

		{`{$anycase: retry}`, `"ReTry"`, ``},
		{`{$anycase: retry}`, `"retried"`, `body: want "retry" in any letter case, got "retried"`},
		{`{$anycase: retry}`, `null`, `body: want "retry" in any letter case, got null`},

		{`{$number: 5}`, `-1e5`, ``},
		{`{$number: 5}`, `"5"`, `body: want a number, got "5"`},
		{`{$number: 5, min: 1, max: 10}`, `10.0`, ``},
		{`{$number: 5, min: 1, max: 10}`, `10.01`, `body: want a number from 1 up to 10, got 10.01`},
		{`{$number: 5, min: 1}`, `0`, `body: want a number from 1, got 0`},
		{`{$number: 5, integer: true}`, `5.0`, ``},
		{`{$number: 5, integer: true}`, `5.5`, `body: want an integer, got 5.5`},
		{`{$number: 5, integer: false}`, `5.5`, ``},

		{`{$date: dd-MMM-yy}`, `"11-May-16"`, ``},
		{`{$date: dd-MMM-yy}`, `"11-MAY-16"`, ``},
		{`{$date: dd-MMM-yy}`, `"31-Feb-16"`, `body: want a date like dd-MMM-yy, got "31-Feb-16"`},
		{`{$date: dd-MMM-yy}`, `"2016-05-11"`, `body: want a date like dd-MMM-yy, got "2016-05-11"`},
		{`{$date: dd-MMM-yy}`, `5`, `body: want a date like dd-MMM-yy, got 5`},
		{`{$date: dd-MMM-yy, after: now, until: now + 50d}`, `"12-May-16"`, ``},
		{`{$date: dd-MMM-yy, after: now, until: now + 50d}`, `"30-Jun-16"`, ``}, // the last day allowed
		{`{$date: dd-MMM-yy, after: now, until: now + 50d}`, `"11-May-16"`, `body: want a date like dd-MMM-yy, after now (11-May-16), until now + 50d (30-Jun-16), got "11-May-16"`},
		{`{$date: dd-MMM-yy, until: now + 50d}`, `"01-Jul-16"`, `body: want a date like dd-MMM-yy, until now + 50d (30-Jun-16), got "01-Jul-16"`},
		{`{$date: iso, after: "2016-05-11"}`, `"2016-05-11T00:00:01Z"`, ``},
		{`{$date: iso, after: "2016-05-11"}`, `"2016-05-11T00:00:00Z"`, `body: want a date like iso, after 2016-05-11, got "2016-05-11T00:00:00Z"`},
		{`{$date: epoch, after: now - 1h}`, `1462968000000`, ``},
		{`{$date: epoch}`, `"1462968000000"`, ``},
		{`{$date: epoch}`, `1.5`, `body: want a date like epoch, got 1.5`},

		{`{$oneOf: [1, {a: 2}]}`, `{"a": 2}`, ``},
		{`{$oneOf: [1, {a: 2}]}`, `{"a": 3}`, `body: want one of 1 | an object with a, got an object`},
		{`{a: {$oneOf: [{$absent: true}, 2]}}`, `{}`, ``},
		{`{a: {$oneOf: [{$absent: true}, 2]}}`, `{"a": 2}`, ``},
		{`{a: {$oneOf: [{$absent: true}, 2]}}`, `{"a": null}`, `body /a: want one of nothing | 2, got null`},

		{`{$allOf: [{a: 1}, {b: 2}]}`, `{"a": 1, "b": 2}`, ``},
		{`{$allOf: [{a: 1}, {b: 2}]}`, `{}`, "body /a: want 1, got nothing\nbody /b: want 2, got nothing"},

		{`{$not: 1}`, `2`, ``},
		{`{$not: 1}`, `1`, `body: want anything but 1, got 1`},
		{`{a: {$not: 1}}`, `{}`, ``},
		{`{$not: {$not: 1}}`, `1`, ``},

		{`{$each: {id: {$like: 1}}}`, `[]`, ``},
		{`{$each: {id: {$like: 1}}}`, `[{"id": 2}, {"id": 3}]`, ``},
		{`{$each: {id: {$like: 1}}}`, `[{"id": 2}, {}]`, `body /1/id: want a number, got nothing`},
		{`{$each: 1}`, `{}`, `body: want an array, each 1, got an object`},
		{`{$each: 1, min: 1}`, `[]`, `body: want an array of one element or more, each 1, got no element in an array`},
		{`{$each: 1, min: 1, max: 2}`, `[1, 1, 1]`, `body: want an array of 1 to 2 elements, each 1, got 3 elements in an array`},
		{`{$each: 1, max: 1}`, `[1]`, ``},
		{`{$each: 1, max: 0}`, `[1]`, `body: want an array of at most no element, each 1, got one element in an array`},

		{`{$contains: [1, 2]}`, `[2, 3, 1]`, ``},
		{`{$contains: [1, 1]}`, `[1, 2]`, `body: want an element like 1, got 2 elements in an array`},
		{`{$contains: [1]}`, `1`, `body: want an array with 1, got 1`},
		// The first value must leave the element that the second needs.
		{`{$contains: [{$like: 1}, 1]}`, `[1, 2]`, ``},
		{`{$contains: [{$like: 1}, {$number: 1, max: 2}, 1]}`, `[1, 2, 3]`, ``},
		{`{$contains: [{$like: 1}, {$number: 1, max: 2}, 1]}`, `[1, 3, "2"]`, `body: want an element like 1, got 3 elements in an array`},

		{`{$values: {$like: 1}}`, `{"a": 1, "b": 2}`, ``},
		{`{$values: {$like: 1}}`, `{}`, ``},
		{`{$values: {$like: 1}}`, `{"a": "1"}`, `body /a: want a number, got "1"`},
		{`{$values: {$like: 1}}`, `[]`, `body: want an object, each member a number, got no element in an array`},
		{`{$values: {$like: 1}, keys: {$regex: "^[0-9]+$"}}`, `{"5": 1, "a": 1}`, `body /a: want a name that is text like ^[0-9]+$, got "a"`},

		{`{$exactly: {a: 1}}`, `{"a": 1}`, ``},
		{`{$exactly: {a: 1}}`, `{"a": 1, "b": 2}`, `body /b: want no such member, got 2`},
		{`{$exactly: {a: [{b: 1}]}}`, `{"a": [{"b": 1, "c": {}}]}`, `body /a/0/c: want no such member, got an object`},
		{`{$exactly: {a: {$absent: true}}}`, `{}`, ``},
		{`{$exactly: {$contains: [1, 2]}}`, `[2, 1]`, ``},
		{`{$exactly: {$contains: [1, 2]}}`, `[2, 1, 3]`, `body: want an array with 1 and 2, got 3 elements in an array`},
		{`{a: {$exactly: {}}, b: {}}`, `{"a": {}, "b": {"c": 1}}`, ``}, // beside it all is as ever
		{`{$exactly: {$values: {a: 1}}}`, `{"x": {"a": 1, "b": 2}}`, `body /x/b: want no such member, got 2`},

		{`{a: {$absent: true}}`, `{}`, ``},
		{`{a: {$absent: true}}`, `{"a": null}`, `body /a: want nothing, got null`},

		{`{$literal: {$like: "{{ x }}"}}`, `{"$like": "{{ x }}"}`, ``},
		{`{$literal: {$like: 1}}`, `1`, `body: want an object with $like, got 1`},

		// A template is filled in, then compared as what it is.
		{`{b: "{{ body/a }}"}`, `{"a": [1, {"x": null}], "b": [1.0, {"x": null}]}`, ``},
		{`{b: "{{ body/a }}"}`, `{"a": {"x": 1}, "b": {"x": 1, "y": 2}}`, `body /b: want {{ body/a }}, here an object, got an object`},
		{`{b: "{{ body/a }}"}`, `{"b": 1}`, `body /b: want {{ body/a }}, and nothing is there, got 1`},
		{`{b: "{{ body/a }}"}`, `{}`, `body /b: want {{ body/a }}, and nothing is there, got nothing`},
		{`{b: "x{{ body/a }}"}`, `{"a": 1, "b": "x1"}`, ``},
		{`{b: "x{{ body/a }}"}`, `{"b": "x"}`, `body /b: want x{{ body/a }}, and nothing is there, got "x"`},
		{`{b: {$like: "{{ body/a }}"}}`, `{"a": 1, "b": 2}`, ``},
		{`{b: {$like: "{{ body/a }}"}}`, `{"a": 1, "b": "2"}`, `body /b: want a value like {{ body/a }}, here 1, got "2"`},
	} {
		v, err := readValue(test.value, where{})
		if err != nil {
			check(t, test.value, []string{err.Error()}, test.want)
			continue
		}
		r := NewRequest("PUT", "/", nil, []byte(test.got))
		s := &scope{env: Env{Now: noon}, req: r, work: allWork}
		check(t, test.value+" and "+test.got, misses(s, v, "body", mustJSON(t, test.got)), test.want)
		s.mode, s.n = stopAtFirst, 0
		s.ask("body", v, mustJSON(t, test.got))
		if (s.n == 0) != (test.want == "") {
			t.Errorf("%s and %s: in a hurry it says otherwise", test.value, test.got)
		}
	}
}

// TestOnTheWire is about paths, queries, headers and forms, where all is text.
func TestOnTheWire(t *testing.T) {
	for _, test := range []struct {
		value string
		got   []string
		want  string
	}{
		{`"5126"`, []string{"5126"}, ``},
		{`5126`, []string{"5126"}, ``},
		{`5126`, []string{"5126.0"}, `query a: want 5126, got "5126.0"`}, // its text
		{`05126`, []string{"05126"}, ``},
		{`2016-02-21`, []string{"2016-02-21"}, ``},
		{`True`, []string{"True"}, ``},
		{`true`, []string{"true"}, ``},
		{`true`, []string{"True"}, `query a: want true, got "True"`},
		{`123456789012345678901234567890`, []string{"123456789012345678901234567890"}, ``},
		{`a`, nil, `query a: want "a", got nothing`},
		{`a`, []string{"a", "a"}, `query a: want "a", got 2 elements in an array`},
		{`[a, 2]`, []string{"a", "2"}, ``},
		{`[a, 2]`, []string{"a"}, `query a: want an array of 2 elements, got "a"`},
		{`{$contains: [b]}`, []string{"a", "b"}, ``},
		{`{$each: {$regex: ^a}}`, []string{"a1", "b"}, `query a 1: want text like ^a, got "b"`},
		{`{$like: 1}`, []string{"-2.5"}, ``},
		{`{$like: 1}`, []string{"x"}, `query a: want a number, got "x"`},
		{`{$like: true}`, []string{"false"}, ``},
		{`{$like: true}`, []string{"0"}, `query a: want a boolean, got "0"`},
		{`{$like: a}`, []string{""}, ``},
		{`{$any: 1}`, []string{""}, ``},
		{`{$any: 1}`, nil, `query a: want anything, got nothing`},
		{`{$regex: "^[0-9]+$"}`, []string{"17"}, ``},
		{`{$anycase: Full}`, []string{"fULL"}, ``},
		{`{$number: 5, max: 7}`, []string{"7.0"}, ``},
		{`{$number: 5, max: 7}`, []string{"7.1"}, `query a: want a number up to 7, got "7.1"`},
		{`{$number: 5}`, []string{"5 "}, `query a: want a number, got "5 "`},
		{`{$date: epoch}`, []string{"1462968000000"}, ``},
		{`{$date: yyyy-MM-dd, until: now}`, []string{"2016-05-11"}, ``},
		{`{$oneOf: [1, 2]}`, []string{"2"}, ``},
		{`{$oneOf: [1, 2]}`, []string{"3"}, `query a: want one of 1 | 2, got "3"`},
		{`{$allOf: [{$regex: ^a}, {$regex: z$}]}`, []string{"az"}, ``},
		{`{$not: 5}`, []string{"5"}, `query a: want anything but 5, got "5"`},
		{`{$not: 5}`, nil, ``},
		{`{$absent: true}`, nil, ``},
		{`{$absent: true}`, []string{""}, `query a: want nothing, got ""`},
		{`{$literal: "{{"}`, []string{"{{"}, ``},
		{`"{{ body/n }}"`, []string{"1.50"}, ``},
		{`"{{ body/n }}"`, []string{"1.5"}, `query a: want {{ body/n }}, here 1.50, got "1.5"`},
		{`"{{ body/yes }}"`, []string{"true"}, ``},
		{`"{{ body/s }}"`, []string{"a"}, ``},
	} {
		v := mustValue(t, test.value, where{wire: true})
		r := NewRequest("PUT", "/", nil, []byte(`{"n": 1.50, "yes": true, "s": "a"}`))
		s := &scope{env: Env{Now: noon}, req: r, work: allWork, mode: inWords, room: "query"}
		s.push("a", -1)
		v.match(s, wireValue(test.got))
		var got []string
		for _, m := range s.list {
			_, words, _ := strings.Cut(m.String(), ": ")
			got = append(got, words)
		}
		check(t, fmt.Sprintf("%s and %q", test.value, test.got), got, test.want)
	}
}

// given renders a VALUE of a response.
func given(t testing.TB, text, body string) (string, error) {
	t.Helper()
	v := mustValue(t, text, where{gives: true, params: []string{"taskid"}})
	r := NewRequest("PUT", "/tasks/28?fields=b,+c&view=full&view=x", nil, []byte(body))
	s := &scope{env: Env{Now: noon, URL: "http://mock", User: "ann"}, req: r, work: allWork, status: 404, named: []string{"taskid"}}
	s.params[0] = "28"
	b, ok := v.give(s, nil)
	if s.err != nil {
		return "", s.err
	}
	if !ok {
		return "nothing", nil
	}
	if len(b) > 0 && mustJSON(t, string(b)).Kind() == payload.Absent {
		t.Errorf("%s gives what is no JSON: %s", text, b)
	}
	return string(b), nil
}

func TestGiving(t *testing.T) {
	const body = `{"n": 1.50, "a": [1, "x", {"b": null}], "o": {"p": 1, "q": "r"}, "big": 123456789012345678901234567890,
		"pairs": [{"name": "x", "value": 1}, {"name": "y"}, {"value": 2}, 3, {"name": "x", "value": [2]}],
		"tasks": [{"id": "1", "kind": "a"}, {"id": "2", "kind": "b"}, {"id": "3"}]}`
	for _, test := range []struct{ value, want string }{
		{`{a: "5", b: 5, c: 1.50, d: true, e: null, f: [], g: {}}`, `{"a":"5","b":5,"c":1.50,"d":true,"e":null,"f":[],"g":{}}`},
		{`"a\u2028\"<>&\n"`, "\"a\u2028\\\"<>&\\n\""},
		{`{$like: {a: 1}}`, `{"a":1}`},
		{`{$any: x}`, `"x"`},
		{`{$regex: a, example: abc}`, `"abc"`},
		{`{$anycase: Retry}`, `"Retry"`},
		{`{$number: 5.0, min: 1}`, `5.0`},
		{`{$date: dd-MMM-yy, example: 11-May-16}`, `"11-May-16"`},
		{`{$date: dd-MMM-yy}`, `"11-May-16"`},
		{`{$date: dd-MMM-yy, after: now}`, `"12-May-16"`},
		{`{$date: "yyyy-MM-dd HH", after: now}`, `"2016-05-11 13"`},
		{`{$date: "yyyy-MM-dd HH:mm", after: now}`, `"2016-05-11 12:01"`},
		{`{$date: iso, after: now, until: now + 1s}`, `"2016-05-11T12:00:01Z"`},
		{`{$date: iso, until: now - 1d}`, `"2016-05-10T12:00:00Z"`},
		{`{$date: epoch}`, `1462968000000`},
		{`{$date: iso, after: now, until: now}`, `f.yaml:1:1: nothing is a date like iso, after now (2016-05-11T12:00:00Z), until now (2016-05-11T12:00:00Z)`},
		{`{$oneOf: [1, 2]}`, `1`},
		{`{$allOf: [{$literal: {$a: 1}}, {$for: body/tasks, give: 1}]}`, `f.yaml:1:1: none of the examples of $allOf is accepted by all`},
		{`{$allOf: [{a: 1, b: {$like: 2}}, {b: 3, c: 4}]}`, `{"a":1,"b":3,"c":4}`},
		{`{$allOf: [{$like: x}, {$regex: ^a, example: ab}]}`, `"ab"`},
		{`{a: {$allOf: [{$not: x, example: y}, {$absent: true}]}}`, `{}`},
		{`{a: {$not: 1, example: 2}}`, `{"a":2}`},
		{`{$each: {a: 1}}`, `[{"a":1}]`},
		{`{$each: 1, min: 3}`, `[1,1,1]`},
		{`{$each: 1, max: 0}`, `[]`},
		{`{$each: "{{ body/none }}"}`, `[]`},
		{`{$contains: [1, 2]}`, `[1,2]`},
		{`{$values: 1, keys: {$regex: a, example: ab}}`, `{"ab":1}`},
		{`{$values: {$regex: x, example: x}, keys: a}`, `{"a":"x"}`},
		{`{$values: {$like: 1}, example: {x: 1}}`, `{"x":1}`},
		{`{$exactly: {a: 1}}`, `{"a":1}`},
		{`{a: {$absent: true}, b: 1}`, `{"b":1}`},
		{`[1, {$absent: true}, 2]`, `[1,2]`},
		{`{$literal: {$for: "{{ x }}", a: 123456789012345678901234567890}}`, `{"$for":"{{ x }}","a":123456789012345678901234567890}`},

		{`{$for: body/none, give: 1}`, `nothing`},
		{`{$for: body/n, give: 1}`, `nothing`},
		{`{a: {$for: body/none, give: 1}}`, `{}`},
		{`{$for: body/tasks, give: "{{ item/id }}"}`, `["1","2","3"]`},
		{`{$for: body/tasks, give: "{{ item/id }}", reverse: true}`, `["3","2","1"]`},
		{`{$for: body/tasks, give: "{{ item/kind }}"}`, `["a","b"]`},
		{`{$for: body/tasks, when: {item/kind: {$any: a}}, give: "{{ key }}"}`, `[0,1]`},
		{`{$for: body/o, give: "{{ key }}={{ item }}"}`, `["p=1","q=r"]`},
		{`{$for: body/tasks, give: {id: "{{ item/id }}", s: ok}, cases: [{when: {item: {kind: a}}, give: {s: bad, t: 1}}, {when: {item/kind: b}}]}`,
			`[{"id":"1","s":"bad","t":1},{"id":"2","s":"ok"}]`},
		{`{$for: body/tasks, cases: [{when: {item/kind: a}, give: 1}, {give: "{{ item/id }}"}]}`, `[1,"2","3"]`},
		{`{$for: body/a, give: {$for: item, give: "{{ key }}"}}`, `[["b"]]`},
		{`{$for: body/tasks, when: {"body/tasks/{key}/id": "2"}, give: "{{ body/tasks/{key}/id }}"}`, `["2"]`},

		{`{$merge: ["{{ body/o }}", {q: 2, z: 3}]}`, `{"p":1,"q":2,"z":3}`},
		{`{$merge: ["{{ body/none }}", {q: 2}]}`, `{"q":2}`},
		{`{$merge: ["{{ body/n }}"]}`, `f.yaml:1:11: $merge takes objects, and this is 1.50`},
		{`{$pairs: body/o}`, `[{"name":"p","value":1},{"name":"q","value":"r"}]`},
		{`{$pairs: body/o, only: query/fields}`, `[]`},
		{`{$pairs: body/o, only: query/fields, always: [q]}`, `[{"name":"q","value":"r"}]`},
		{`{$pairs: body/o, only: query/none}`, `[{"name":"p","value":1},{"name":"q","value":"r"}]`},
		{`{a: {$pairs: body/a}}`, `{}`},
		{`{$object: body/pairs}`, `{"x":[2]}`},
		{`{a: {$object: body/o}}`, `{}`},
		{`{$error: Not found}`, `{"title":"Not found","status":404,"detail":"Not found","referer":"http://mock/tasks/28?fields=b,+c&view=full&view=x"}`},
		{`{$error: "No {{ taskid }}", instance: "{{ body/n }}"}`,
			`{"title":"No 28","status":404,"detail":"No 28","instance":"1.50","referer":"http://mock/tasks/28?fields=b,+c&view=full&view=x"}`},
		{`{a: {$error: "{{ body/none }}"}}`, `{}`},

		// Templates.
		{`{a: "{{ body/a }}", n: "{{ body/n }}", b: "{{ body/big }}", x: "{{ body/none }}"}`, `{"a":[1,"x",{"b":null}],"n":1.50,"b":123456789012345678901234567890}`},
		{`["{{ body/none }}", "{{ taskid }}"]`, `["28"]`},
		{`"n={{ body/n }}, o={{ body/o }}"`, `"n=1.50, o={\"p\":1,\"q\":\"r\"}"`},
		{`"n={{ body/none }}"`, `f.yaml:1:1: {{ body/none }}: nothing is there, and no default says what to put into the text`},
		{`"n={{ body/none | default null }}"`, `"n=null"`},
		{`"{{ body/none | default a b }}"`, `"a b"`},
		{`"{{ body/none | lower | date iso | number | default x | upper }}"`, `"X"`},
		{`"{{ query/view }}"`, `["full","x"]`},
		{`"{{ query/fields }}"`, `"b, c"`},
		{`"{{ self }} {{ url }} {{ user }}"`, `"http://mock/tasks/28 http://mock ann"`},
		{`"{{ now }}"`, `"2016-05-11T12:00:00Z"`},
		{`"{{ now + 50d | date M/d/yy }}, {{ now - 1d12h | date iso }}"`, `"6/30/16, 2016-05-10T00:00:00Z"`},
		{`"{{ now | date epoch }}"`, `"1462968000000"`},
		{`"{{ now | date epoch | number }}"`, `1462968000000`},
		{`"{{ now | upper }}"`, `"2016-05-11T12:00:00Z"`},
		{`"{{ body/tasks/1/id | number }}"`, `2`},
		{`"{{ body/o/q | number }}"`, `f.yaml:1:1: {{ body/o/q | number }}: it is no number`},
		{`"{{ body/n | text }}"`, `"1.50"`},
		{`"{{ body/o/q | upper | lower }}"`, `"r"`},
		{`"{{ query/fields | escape }}"`, `"b%2C%20c"`},
		{`"{{ taskid | uuid }}"`, `"59e19706-d51d-39f6-6711-c2653cd7eb12"`},
		{`"{{ taskid | hex }}"`, `"59E19706D51D39F66711C2653CD7EB12"`},
		{`"{{ body/o/q | date iso }}"`, `"r"`}, // what is no date stays
		{`"}} {"`, `"}} {"`},
	} {
		got, err := given(t, test.value, body)
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.value, got, test.want)
		}
	}
}

// TestPosAt finds the line to edit for a place in a body.
func TestPosAt(t *testing.T) {
	v := mustValue(t, `a: 1
b:
  - x
  - $like: {c/d: y}
e:
  $each:
    f: 2
g:
  $for: body/x
  give:
    h: 3
i:
  $for: body/x
  cases:
    - give: {j: 4}
k: {$oneOf: [{l: 1}, 2]}
m: {$exactly: {$literal: {n: 1}}}
o: {$regex: a, example: a}
p: {$contains: [1, 2]}
q: {$merge: [{r: 1}, {s: 2}]}
t: {$not: {}, example: 1}
`, where{gives: true})
	for _, test := range []struct {
		pointer      string
		line, column int
	}{
		{"", 1, 1}, {"/a", 1, 4}, {"/a/b", 1, 4}, {"/none", 1, 1}, {"no pointer", 1, 1},
		{"/b", 3, 3}, {"/b/0", 3, 5}, {"/b/1/c~1d", 4, 18}, {"/b/7", 3, 3}, {"/b/-1", 3, 3}, {"/b/x", 3, 3},
		{"/e/5/f", 7, 8}, {"/g/0/h", 11, 8}, {"/i/0/j", 15, 17}, {"/k/l", 16, 18}, {"/m/n", 17, 30},
		{"/o", 18, 4}, {"/o/x", 18, 25}, {"/p/1", 19, 20}, {"/q/r", 20, 18}, {"/q/s", 20, 26}, {"/t/x", 21, 24},
	} {
		if p := v.PosAt(test.pointer); p.Line != test.line || p.Column != test.column {
			t.Errorf("%s: got %d:%d, want %d:%d", test.pointer, p.Line, p.Column, test.line, test.column)
		}
	}
}
