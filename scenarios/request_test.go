package scenarios

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// parseOne reads an interaction: its keys, indented by no blank.
func parseOne(t testing.TB, text string) *Interaction {
	t.Helper()
	src := "scenario: a\nsource: assumed\ninteractions:\n- name: one\n  " + strings.ReplaceAll(text, "\n", "\n  ") + "\n"
	if !strings.Contains(text, "response:") && !strings.Contains(text, "adds:") {
		src += "  response: {status: 200}\n"
	}
	all, err := Parse("f.yaml", []byte(src))
	if err != nil {
		t.Fatalf("%s\n%v", src, err)
	}
	return all[0].Interactions[0]
}

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

// TestMatch tries requests: method, target, headers, body.
func TestMatch(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for _, test := range []struct {
		request string
		got     *Request
		want    string
	}{
		{`request: {}`, NewRequest("GET", "/", nil, nil), ``},
		{`request: {method: PUT, path: /a}`, NewRequest("GET", "/b", nil, nil), "path: want /a, got /b\nmethod: want \"PUT\", got \"GET\""},
		{`request: {method: {$oneOf: [PUT, POST]}}`, NewRequest("POST", "/b", nil, nil), ``},
		{`request: {path: "/a/{id}", params: {id: 5126}}`, NewRequest("PUT", "/a/5126", nil, nil), ``},
		{`request: {path: "/a/{id}", params: {id: {$number: 5, max: 9}}}`, NewRequest("PUT", "/a/10", nil, nil), `path parameter id: want a number up to 9, got "10"`},
		{`request: {path: "/a/{id}", params: {$values: {$regex: "^[0-9]+$"}, example: {id: 1}}}`, NewRequest("PUT", "/a/x", nil, nil), `path parameter id: want text like ^[0-9]+$, got "x"`},
		{`request: {path: "/a/{id}", params: {id: a/b}}`, NewRequest("PUT", "/a/a%2Fb", nil, nil), ``},
		{`request: {path: {$regex: ^/a/}}`, NewRequest("PUT", "/a/%2F", nil, nil), ``},
		{`request: {path: {$oneOf: [/a, /b]}}`, NewRequest("PUT", "/c", nil, nil), `path: want one of "/a" | "/b", got "/c"`},

		// A query loses nothing: a semicolon is a sign like any other.
		{`request: {query: {q: "a;b"}}`, NewRequest("GET", "/?q=a;b&x", nil, nil), ``},
		{`request: {query: {q: "a b c"}}`, NewRequest("GET", "/?q=a+b%20c", nil, nil), ``},
		{`request: {query: {q: "a+b"}}`, NewRequest("GET", "/?q=a%2Bb", nil, nil), ``},
		{`request: {query: {q: "100%"}}`, NewRequest("GET", "/?q=100%", nil, nil), ``},
		{`request: {query: {q: "a=b"}}`, NewRequest("GET", "/?&q=a=b&", nil, nil), ``},
		{`request: {query: {x: ""}}`, NewRequest("GET", "/?q=1&x", nil, nil), ``},
		{`request: {query: {q: [a, b]}}`, NewRequest("GET", "/?q=a&r=c&q=b", nil, nil), ``},
		{`request: {query: {q: {$contains: [b]}}}`, NewRequest("GET", "/?q=a&q=b", nil, nil), ``},
		{`request: {query: {q: b}}`, NewRequest("GET", "/?q=a&q=b", nil, nil), `query q: want "b", got 2 elements in an array`},
		{`request: {query: {$exactly: {q: a}}}`, NewRequest("GET", "/?q=a&r=c", nil, nil), `query r: want no such member, got "c"`},
		{`request: {query: {$exactly: {}}}`, NewRequest("GET", "/", nil, nil), ``},

		// Names of headers are the same in any case, media types are compared as such.
		{`request: {header: {x-requested-by: a}}`, NewRequest("GET", "/", header("X-Requested-By", "a"), nil), ``},
		{`request: {header: {$allOf: [{x-requested-by: a}, {$not: {X-DEBUG: {$any: ""}}, example: {}}]}}`, NewRequest("GET", "/", header("X-Requested-By", "a"), nil), ``},
		{`request: {header: {$exactly: {accept: a}}}`, NewRequest("GET", "/", header("Accept", "a"), nil), ``},
		{`request: {header: {X-Requested-By: {$absent: true}}}`, NewRequest("GET", "/", header("X-Requested-By", ""), nil), `header X-Requested-By: want nothing, got ""`},
		{`request: {header: {Content-Type: application/json}}`, NewRequest("GET", "/", header("Content-Type", "Application/JSON; charset=utf-8"), nil), ``},
		{`request: {header: {content-type: application/json; charset=UTF-8}}`, NewRequest("GET", "/", header("Content-Type", "application/json;charset=utf-8"), nil), ``},
		{`request: {header: {Content-Type: application/json; charset=utf-8}}`, NewRequest("GET", "/", header("Content-Type", "application/json"), nil), `header Content-Type: want "application/json; charset=utf-8", got "application/json"`},
		{`request: {header: {Content-Type: {$oneOf: [text/plain, application/json]}}}`, NewRequest("GET", "/", header("Content-Type", "application/json; charset=utf-8"), nil), ``},
		{`request: {header: {Content-Type: application/json}}`, NewRequest("GET", "/", header("Content-Type", "application/json-patch+json"), nil), `header Content-Type: want "application/json", got "application/json-patch+json"`},
		{`request: {header: {Authorization: Basic x}}`, NewRequest("GET", "/", header("Authorization", "Basic c2VjcmV0"), nil), `header Authorization: want what is not shown, got something that is not shown`},

		{`request: {cookie: {a: "1", b: [x, y]}}`, NewRequest("GET", "/", header("Cookie", `a="1"; b=x`, "Cookie", "c=; b=y"), nil), ``},
		{`request: {cookie: {$exactly: {a: "1"}}}`, NewRequest("GET", "/", header("Cookie", `a=1; b=2`), nil), `cookie b: want no such member, got something that is not shown`},

		{`request: {form: {a: x y, b: [1, 2]}}`, NewRequest("POST", "/", header("Content-Type", form+"; charset=utf-8"), []byte("a=x+y&b=1&b=2")), ``},
		{`request: {form: {a: x}}`, NewRequest("POST", "/", header("Content-Type", "text/plain"), []byte("a=x")), `form a: want "x", got nothing`},
		{`request: {form: {a: {$absent: true}}}`, NewRequest("POST", "/", nil, nil), ``},

		{`request: {body: {a: 1}}`, NewRequest("PUT", "/", nil, []byte(`{"a": 1, "a": 1}`)), `body: want an object with a, got nothing`},
		{`request: {body: {$absent: true}}`, NewRequest("PUT", "/", nil, nil), ``},
		{`request: {text: {$regex: ^a}}`, NewRequest("PUT", "/", nil, []byte("abc")), ``},
		{`request: {text: {$absent: true}}`, NewRequest("PUT", "/", nil, nil), ``},
		{`request: {user: ann}`, NewRequest("PUT", "/", nil, nil), ``},
		{`request: {user: bob}`, NewRequest("PUT", "/", nil, nil), `user: want "bob", got "ann"`},
		{`request: {user: {$absent: true}}`, NewRequest("PUT", "/", nil, nil), `user: want nothing, got "ann"`},
		{`request: {body: {again: "{{ body/new }}", by: "{{ user }}"}}`, NewRequest("PUT", "/", nil, []byte(`{"new": "x", "again": "x", "by": "ann"}`)), ``},

		// when asks besides.
		{"request: {path: \"/a/{id}\"}\nwhen: {body/id: \"{{ id }}\", query/v: {$absent: true}, id: {$not: \"7\"}}",
			NewRequest("PUT", "/a/7?v=1", nil, []byte(`{"id": "8"}`)), "body/id: want {{ id }}, here \"7\", got \"8\"\nquery/v: want nothing, got \"1\"\nid: want anything but \"7\", got \"7\""},
		{"request: {path: \"/a/{id}\"}\nwhen: {\"body/{id}\": {c: 2}}", NewRequest("PUT", "/a/x%2Fy", nil, []byte(`{"x/y": {"c": 3}}`)), "body/{id}/c: want 2, got 3"},
		{"request: {path: \"/a/{id}\"}\nwhen: {body: 1}", NewRequest("PUT", "/b", nil, nil), "path: want /a/{id}, got /b"}, // the path has no values to ask with
	} {
		i := parseOne(t, test.request)
		var got []string
		for _, m := range i.Match(test.got, Env{Now: noon, User: "ann"}) {
			_, words, _ := strings.Cut(m.String(), ": ")
			got = append(got, words)
		}
		check(t, test.request, got, test.want)
		trial := NewTrial(test.got, Env{Now: noon, User: "ann"})
		if trial.Accepts(i) != (test.want == "") {
			t.Errorf("%s: Accepts says otherwise", test.request)
		}
		if _, _, n := trial.Distance(i); n != len(got) {
			t.Errorf("%s: Distance counts %d mismatches", test.request, n)
		}
	}
}

func TestDistance(t *testing.T) {
	i := parseOne(t, `request: {method: PUT, path: "/a/{id}", params: {id: 1}, query: {a: b, c: d}}`)
	for _, test := range []struct {
		method, target string
		path, is       bool
		n              int
	}{
		{"PUT", "/a/1?a=b&c=d", true, true, 0}, {"PUT", "/a/1", true, true, 2}, {"PUT", "/a/2?a=b&c=d", false, true, 1},
		{"GET", "/a/1?a=b", true, false, 2}, {"GET", "/b", false, false, 4},
	} {
		path, method, n := NewTrial(NewRequest(test.method, test.target, nil, nil), Env{}).Distance(i)
		if path != test.path || method != test.is || n != test.n {
			t.Errorf("%s %s: %v %v %d", test.method, test.target, path, method, n)
		}
	}
}

func TestPath(t *testing.T) {
	for _, test := range []struct {
		pattern, path string
		want          bool
	}{
		{"/a/b", "/a/b", true}, {"/a/b", "/a/b/", false}, {"/a/b/", "/a/b/", true}, {"/a/b", "/a//b", false}, {"/a/b", "/A/b", false},
		{"/a%20b", "/a b", true}, {"/a b", "/a%20b", false}, {"/ä", "/%C3%A4", true}, {"/a+b", "/a%2Bb", true}, {"/a+b", "/a%20b", false},
		{"/a%2Fb", "/a%2fb", true}, {"/a%2Fb", "/a/b", false}, {"/a/b", "/a%2Fb", false}, {"/%61", "/a", true}, {"/a", "/%zz", false},
		{"/{id}", "/x", true}, {"/{id}", "/", false}, {"/{id}", "/x/y", false}, {"/{id}", "/x%2Fy", true}, {"/{id}/c", "/x/c", true},
		{"/a/{rest...}", "/a", false}, {"/a/{rest...}", "/a/", true}, {"/a/{rest...}", "/a/b/c", true}, {"/{rest...}", "/", true},
		{"/a.b", "/aXb", false}, {"/", "/", true}, {"/", "", true}, {"/..", "/..", true}, {"/a;v=1", "/a;v=1", true},
	} {
		p, err := ParsePath(test.pattern)
		if err != nil {
			if strings.Contains(test.pattern, " ") {
				continue
			}
			t.Fatal(err)
		}
		if got := p.Match(test.path); got != test.want {
			t.Errorf("%s and %s: %v", test.pattern, test.path, got)
		}
	}
}

func TestMeets(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"/a", "/a", true}, {"/a", "/b", false}, {"/a/{x}", "/{y}/b", true}, {"/a/{x}", "/a", false}, {"/a/{x}", "/a/", false},
		{"/{x...}", "/a/b/c", true}, {"/a/{x...}", "/a", false}, {"/a/{x...}", "/a/", true}, {"/a/{x...}", "/b/{y...}", false}, {"/{x...}", "/{y...}", true},
	} {
		a, _ := ParsePath(test.a)
		b, _ := ParsePath(test.b)
		if a.Meets(b) != test.want || b.Meets(a) != test.want {
			t.Errorf("%s and %s: %v, %v", test.a, test.b, a.Meets(b), b.Meets(a))
		}
	}
}

func TestCovers(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"/a", "/a", true}, {"/a", "/%61", true}, {"/a", "/b", false}, {"/a", "/a/", false}, {"/a/", "/a", false},
		{"/a/{x}", "/a/{y}", true}, {"/a/{x}", "/a/b", true}, {"/a/b", "/a/{x}", false}, {"/a/{x}", "/a/", false}, {"/a/{x}", "/{y}/b", false},
		{"/{x...}", "/a/b/c", true}, {"/{x...}", "/", true}, {"/{x...}", "/{y...}", true}, {"/a/{x...}", "/a/", true}, {"/a/{x...}", "/a", false},
		{"/a/{x...}", "/{y...}", false}, {"/a/{x}", "/a/{y...}", false}, {"/a/{x}", "/a/{y}/{z}", false}, {"/a/{x}/{y}", "/a/{z}", false},
	} {
		a, _ := ParsePath(test.a)
		b, _ := ParsePath(test.b)
		if a.Covers(b) != test.want {
			t.Errorf("%s and %s: %v", test.a, test.b, !test.want)
		}
	}
}

// sampleRequests are matchers with each operator at each kind of place.
var sampleRequests = []string{
	`request: {}`,
	`request: {method: GET}`,
	`request: {method: {$oneOf: [PUT, POST]}, path: "/a/{id}"}`,
	`request: {path: "/a%20b%2F/{id}/{rest...}"}`,
	`request: {path: "/%C3%A4%2F/{id}/{rest...}", params: {id: "a/b c+%", rest: x/y}}`,
	`request: {path: {$regex: ^/x, example: /x/y}}`,
	`request: {path: "/{id}", params: {id: {$not: "1", example: "2"}}}`,
	`request: {path: "/{id}", params: {id: {$number: 7, min: 5}}}`,
	`request: {query: {a: "x;y&z=+ %", b: [1, 2], c: {$absent: true}, d: {$not: 5}, e: {$each: {$regex: x, example: x}, min: 2}}}`,
	`request: {query: {$exactly: {a: 1}}}`,
	`request: {query: {$values: {$like: 1}, example: {a: 5, b: 6}}}`,
	`request: {header: {x-a: b, accept: [a, b], Content-Type: application/json}, cookie: {a: b}}`,
	`request: {header: {$allOf: [{a: {$like: x}}, {b: {$anycase: Y}}]}}`,
	`request: {form: {a: x y, b: [1, 2]}}`,
	`request: {text: {$regex: "^a", example: abc}}`,
	`request: {text: plain}`,
	`request: {user: ann}`, `request: {user: {$absent: true}}`, `request: {user: {$not: ann, example: bob}}`, `request: {user: {$not: ann}}`,
	`request: {body: [1, "1", 1.0, true, null, {a: [], b: {}}]}`,
	`request: {body: {a/b: {"~": {"": 1}}, "": {"": {"": 2}}, "0": [[3]]}}`,
	`request: {body: {$exactly: {a: 1, b: [x, {c: null}]}}}`,
	`request: {body: {$like: {a: 1, b: [x]}}}`,
	`request: {body: {$each: {a: {$like: 1}, b: {$any: null}}, min: 3}}`,
	`request: {body: {$contains: [1, {$like: 2}]}}`,
	`request: {body: {$exactly: {$contains: [1, 2]}}}`,
	`request: {body: {$values: {$date: iso, after: now}, keys: {$regex: "^[a-z]$", example: a}}}`,
	`request: {body: {a: {$date: dd-MMM-yy, after: now, until: now + 50d}, b: {$date: epoch, until: now - 1h}}}`,
	`request: {body: {a: {$allOf: [{$regex: ^a, example: ab}, {$not: a, example: ab}]}}}`,
	`request: {body: {a: {$oneOf: [{$absent: true}, 1]}, b: {$not: 1}, c: {$anycase: x}, d: {$number: 1e3, integer: true}}}`,
	`request: {body: {$literal: {$like: "{{ x }}", n: 123456789012345678901234567890}}}`,
	`request: {path: "/{id}", body: {id: "{{ id }}", again: "{{ body/new }}", new: x, by: "for {{ user }}", q: "{{ query/v }}"}, query: {v: 5}}`,
	`request: {body: {$absent: true}}`,
	`request: {body: 5}`,
}

// TestExample: every matcher matches its own example.
func TestExample(t *testing.T) {
	for _, text := range sampleRequests {
		i := parseOne(t, text)
		ex, err := i.Request.Example("PATCH", Env{Now: noon, URL: "http://mock"})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		misses := i.Match(ex.Request, Env{Now: noon, URL: "http://mock", User: ex.User})
		for _, m := range misses {
			t.Errorf("%s: %v\n%s %s?%s %s", text, m, ex.Request.Method, ex.Request.Path, ex.Request.Query, ex.Request.Body)
		}
	}
}

// TestExampleIsMissing tells the line where one has to be given.
func TestExampleIsMissing(t *testing.T) {
	for text, want := range map[string]string{
		`request: {body: {a: {$regex: x}}}`:                           `f.yaml:5:23: $regex needs an example here`,
		`request: {body: {$values: 5}}`:                               `f.yaml:5:19: $values needs an example here`,
		`request: {path: "/{id}", params: {id: {$not: "1"}}}`:         `f.yaml:5:41: the example is no such request: want anything but "1", got "1"`,
		`request: {body: {$contains: [{$not: {a: 1}}]}}`:              `f.yaml:5:19: the example is no such request: want an element like anything but an object with a, got no element in an array`,
		`request: {body: {$allOf: [1, 2]}}`:                           `f.yaml:5:19: none of the examples of $allOf is accepted by all`,
		`request: {body: {$allOf: [{a: 1}, {a: 2}]}}`:                 `f.yaml:5:33: the example is no such request: want 1, got 2`,
		`request: {body: {$each: {$not: null}, min: 1}}`:              `f.yaml:5:27: the example is no such request: want anything but null, got null`,
		`request: {body: {$date: dd-MMM-yy, after: now, until: now}}`: `f.yaml:5:19: nothing is a date like dd-MMM-yy, after now (11-May-16), until now (11-May-16)`,
		`request: {body: {$date: dd-MMM-yy, after: "31-Dec-68"}}`:     `f.yaml:5:19: nothing is a date like dd-MMM-yy, after 31-Dec-68`,
		`request: {body: {a: "{{ body/b }}"}}`:                        `f.yaml:5:23: the example is no such request: want {{ body/b }}, and nothing is there, got nothing`,
		`request: {body: {a: "{{ body/b | number }}", b: x}}`:         `f.yaml:5:23: {{ body/b | number }}: it is no number`,
		`request: {cookie: {a: ";"}}`:                                 `f.yaml:5:25: the example is no such request: want what is not shown, got something that is not shown`,
	} {
		ex, err := parseOne(t, text).Request.Example("PUT", Env{Now: noon})
		if got := fmt.Sprint(err); got != want || ex != nil {
			t.Errorf("%s:\ngot  %s\nwant %s", text, got, want)
		}
		var fault *Fault
		if !errors.As(err, &fault) {
			t.Errorf("%s: %T", text, err)
		}
	}
}

// agree asks of a matcher and a request that it accepts: at each place where
// the matcher asks for one exact value the request has the same key.
func agree(t *testing.T, i *Interaction, r *Request, user string) {
	t.Helper()
	i.Fixed(func(p Place, key []byte) {
		if got, ok := NewTrial(r, Env{User: user}).AppendKey(nil, &p); !ok || string(got) != string(key) {
			t.Errorf("%v: the matcher has %q, the request %q %v\n%s", p, key, got, ok, r.Body)
		}
	})
}

func TestFixed(t *testing.T) {
	for _, text := range sampleRequests {
		i := parseOne(t, text)
		ex, err := i.Request.Example("PATCH", Env{Now: noon})
		if err != nil {
			t.Fatal(text, err)
		}
		agree(t, i, ex.Request, ex.User)
	}
	// What is spelt otherwise and means the same.
	for _, test := range []struct {
		request string
		got     *Request
	}{
		{`request: {body: {a: 1.0, b: x, "": 3}}`, NewRequest("PUT", "/", nil, []byte(`{"a": 10e-1, "b": "\u0078", "": 3.0}`))},
		{`request: {body: {a: {"": {"": 1}}}}`, NewRequest("PUT", "/", nil, []byte(`{"a": {"": {"": 1}}}`))},
		{`request: {path: "/a%20b/{id}", params: {id: 5}}`, NewRequest("PUT", "/%61%20b/%35", nil, nil)},
		{`request: {header: {x-a: 5}, query: {q: 1.0}}`, NewRequest("PUT", "/?q=1%2E0", header("X-A", "5"), nil)},
	} {
		i := parseOne(t, test.request)
		if misses := i.Match(test.got, Env{User: "ann"}); len(misses) > 0 {
			t.Error(misses)
		}
		agree(t, i, test.got, "ann")
	}
	var places []string
	parseOne(t, `request: {method: PUT, path: "/a/{id}/{x}/{rest...}", params: {id: 5, x: {$like: 1}, rest: r}, user: ann, query: {q: [a], r: b},
  header: {Content-Type: application/json, x-a: 1}, form: {f: true}, cookie: {c: d}}`).Fixed(func(p Place, key []byte) {
		places = append(places, fmt.Sprintf("%v=%s", p, key))
	})
	if got := strings.Join(places, " "); got != "{method  0}=PUT {path  0}=a {path  1}=5 {user  0}=ann {query r 0}=b {header X-A 0}=1 {form f 0}=true" {
		t.Error(got)
	}
}

func TestResponse(t *testing.T) {
	all, err := Load(fstest.MapFS{
		"a/f.yaml": &fstest.MapFile{Data: []byte(`scenario: a
source: assumed
interactions:
  - name: fixed
    request: {}
    response: {status: 201, header: {X-B: a, X-A: [1, b], X-C: []}, body: {b: 1, a: 2}}
  - name: text
    request: {}
    response: {status: 200, text: hello}
  - name: file
    request: {}
    response: {status: 200, file: b/c.JSON}
  - name: made
    request: {path: "/{id}"}
    response: {status: "{{ body/status | default 500 }}", header: {X-Id: "{{ id }}", X-None: "{{ body/none }}", X-Text: "a {{ body/text }}"}, body: "{{ body/body }}"}
  - name: added
    request: {}
    adds: {header: {ResponseTime: {$regex: "^[0-9]+$", example: "12"}}}
`)},
		"a/b/c.JSON": &fstest.MapFile{Data: []byte("\xff\x00")},
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, body, want string }{
		{"fixed", ``, `201 [{X-B [a]} {X-A [1 b]}] application/json true {"b":1,"a":2}`},
		{"text", ``, `200 [] text/plain; charset=utf-8 true hello`},
		{"file", ``, "200 [] application/json true \xff\x00"},
		{"made", `{"status": 404, "text": "x", "body": [1, 2.0]}`, `404 [{X-Id [7]} {X-Text [a x]}] application/json true [1,2.0]`},
		{"made", `{"text": "x"}`, `500 [{X-Id [7]} {X-Text [a x]}]  false `},
		{"made", `{"text": "x\r\nSet-Cookie: a"}`, `a/f.yaml:15:121: header X-Text: control character 0x0d in its value`},
		{"made", `{"status": 99, "text": ""}`, `a/f.yaml:15:24: status: what the template finds is no number from 200 to 599`},
		{"made", `{"status": "x", "text": ""}`, `a/f.yaml:15:24: status: what the template finds is no number from 200 to 599`},
		{"made", `{}`, `a/f.yaml:15:121: {{ body/text }}: nothing is there, and no default says what to put into the text`},
		{"added", ``, `0 [{ResponseTime [12]}]  false `},
	} {
		i := all[0].Interactions[slices.IndexFunc(all[0].Interactions, func(i *Interaction) bool { return i.Name == test.name })]
		template := i.Responses[0]
		if ready := template.Ready() != nil; ready != (test.name != "made") {
			t.Errorf("%s: ready at load: %v", test.name, ready)
		}
		r, err := template.Render(NewRequest("PUT", "/7", nil, []byte(test.body)), Env{Now: noon})
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprintf("%d %v %s %v %s", r.Status, r.Header, r.Media, r.HasBody, r.Body)
		}
		if got != test.want {
			t.Errorf("%s %s:\ngot  %s\nwant %s", test.name, test.body, got, test.want)
		}
	}
}

func TestDelay(t *testing.T) {
	draws := func(all ...float64) func() float64 {
		return func() float64 { n := all[0]; all = append(all[1:], n); return n }
	}
	for _, test := range []struct {
		delay           string
		uniform, normal float64
		want            time.Duration
	}{
		{"200ms", 0.5, 1, 200 * time.Millisecond},
		{"0s", 0.5, 1, 0},
		{"{uniform: [100ms, 1s]}", 0, 0, 100 * time.Millisecond},
		{"{uniform: [100ms, 1s]}", 0.5, 0, 550 * time.Millisecond},
		{"{uniform: [1s, 1s]}", 0.5, 0, time.Second},
		{"{lognormal: {median: 80ms, sigma: 0.4, max: 5s}}", 0, 0, 80 * time.Millisecond},
		{"{lognormal: {median: 80ms, sigma: 0, max: 5s}}", 0, 3, 80 * time.Millisecond},
		{"{lognormal: {median: 1s, sigma: 1}}", 0, 1, 2718281828 * time.Nanosecond},
		{"{lognormal: {median: 1s, sigma: 10, max: 2s}}", 0, 400, 2 * time.Second}, // infinitely long, always
		{"{lognormal: {median: 1s, sigma: 10}}", 0, -400, 0},
	} {
		d := parseOne(t, "request: {}\nresponse: {status: 200, delay: "+test.delay+"}").Responses[0].Delay
		if got := d.Draw(draws(test.uniform), draws(test.normal)); got != test.want {
			t.Errorf("%s: got %v, want %v", test.delay, got, test.want)
		}
	}
	// What is too long is drawn again.
	d := &Delay{Median: time.Second, Sigma: 1, Max: 2 * time.Second}
	if got := d.Draw(nil, draws(5, 1, 0)); got != time.Second {
		t.Error(got)
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"200ms": 200 * time.Millisecond, "50d": 1200 * time.Hour, "2w": 336 * time.Hour, "1d12h": 36 * time.Hour, "1w1d": 192 * time.Hour, "0": 0, "1.5h": 90 * time.Minute,
		"": -1, "5": -1, "-5s": -1, "d": -1, "1d1w": -1, "1.5d": -1, "36601d": -1, "99999999999999999999d": -1, "1h-2h": -1, "+1h": -1, "1d 2h": -1, "9999999h": -1,
	} {
		got, err := ParseDuration(text)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q: got %v %v", text, got, err)
		}
	}
}

// TestManyPairs asks a long form for very many names, as an index of many
// groups does: it is not looked through each time.
func TestManyPairs(t *testing.T) {
	const pairs, asked = 300_000, 10_000
	var body strings.Builder
	for i := range pairs {
		fmt.Fprintf(&body, "%x&", i)
	}
	r := NewRequest("POST", "/?a=1&b=2&a=3", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(body.String()+"a=x&7=y&z=last"))
	for i := range asked {
		for _, test := range []struct {
			room, name, want string
			n                int
		}{{"form", fmt.Sprintf("%x", i+16), "", 1}, {"form", "a", "", 2}, {"form", "z", "last", 1}, {"form", "no", "", 0}, {"query", "a", "1", 2}, {"query", "z", "", 0}} {
			if got, n := r.text(test.room, test.name); got != test.want || n != test.n {
				t.Fatalf("%s/%s: got %q and %d, want %q and %d", test.room, test.name, got, n, test.want, test.n)
			}
		}
	}
	if r.looked > maxLooked+pairs+3 {
		t.Errorf("%d pairs were looked at", r.looked)
	}
}

func TestAsks(t *testing.T) {
	for text, want := range map[string]string{
		`request: {}`: "",
		`request: {method: PUT, path: "/a/{id}", params: {id: 1}, payload: any}`:                 "",
		`request: {user: {$absent: true}, query: {b: 1, a: {$any: 2}}, header: {x-b: c}}`:        "user, query b, query a, header X-B",
		`request: {cookie: {a: b}, form: {c: d}}`:                                                "cookie a, form c",
		`request: {header: {$values: {$any: b}, example: {A: b}}, method: PUT, body: {id: "1"}}`: "header, body",
		`request: {query: {$exactly: {a: b}}, text: {$any: c}}`:                                  "query, text",
	} {
		i, err := Parse("a.yaml", []byte("scenario: S\nsource: assumed\ninteractions:\n- name: a\n  "+text+"\n  response: {status: 200}\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(i[0].Interactions[0].Request.Asks(), ", "); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
