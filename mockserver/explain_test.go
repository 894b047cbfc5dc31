package mockserver

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// An archive in testdata/explain holds scenarios and requests, as a story
// does, and what is told of each.
func TestExplain(t *testing.T) {
	names, err := filepath.Glob("testdata/explain/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("nothing to explain: ", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			s := newServer(t, configOf(t, a))
			got := map[string]string{}
			for _, f := range a.Files {
				n, ok := strings.CutSuffix(f.Name, ".request")
				if !ok {
					continue
				}
				x := s.Explain(call(f.Data).request(t))
				got[n+".answer"] = x.String()
				// What is told is what happens.
				res, _, e := ask(t, s, call(f.Data))
				if x.Status != res.StatusCode || x.Outcome != e.Outcome || x.Answer != nil && x.Answer.Interaction != e.Interaction {
					t.Errorf("%s: told %d, %s; and there was %d, %s", f.Name, x.Status, x.Outcome, res.StatusCode, e.Outcome)
				}
			}
			compare(t, name, a, got)
		})
	}
}

// Fold keeps what is for the path of a request outside the contract, or the
// nearest, and all where the contract knows it.
func TestFold(t *testing.T) {
	s := thingsServer(t, `
- {name: a, request: {method: GET, path: /a}, response: {status: 200}}
- {name: b, request: {method: GET, path: /b}, response: {status: 200}}
- {name: c, request: {method: GET, path: /c}, response: {status: 200}}
- {name: post, request: {method: POST, path: /a}, response: {status: 200}}
- {name: five, request: {method: PUT, path: /things/5}, response: {status: 200, body: {id: '5'}}}
`)
	for _, test := range []struct {
		call          call
		kept, dropped int
	}{
		{"PATCH /a\n\n", 2, 3},
		{"GET /none\n\n", 3, 2},
		{"PUT /things/6\n\n{\"id\": \"6\"}", 1, 0},
	} {
		x := s.Explain(test.call.request(t))
		if dropped := x.Fold(); dropped != test.dropped || len(x.Others) != test.kept {
			t.Errorf("%s: %d dropped and %d kept, want %d and %d", test.call, dropped, len(x.Others), test.dropped, test.kept)
		}
	}
}

// What is missing is left out, what is empty is there, and nothing is written
// for HTML.
func TestExplanationJSON(t *testing.T) {
	s := thingsServer(t, "- {name: five, request: {method: PUT, path: /things/5, query: {a: '<1>'}}, response: {status: 200, body: {id: '5'}}}\n")
	for c, want := range map[call]string{
		"PUT /things/5?a=%3C1%3E&b=<\n\n{\"id\": \"5\"}": `{"method":"PUT","path":"/things/5","query":"a=%3C1%3E&b=<","outcome":"answered","status":200,"operation":"PUT /things/{id}",` +
			`"answer":{"scenario":"s","interaction":"five","pos":"scenarios/s.yaml:4:4"},"added":[],"violations":[],"others":[]}`,
		"PUT /things/5\n\n{\"id\": 5}": `{"method":"PUT","path":"/things/5","outcome":"contract","status":400,"operation":"PUT /things/{id}","added":[],` +
			`"violations":[{"at":"/id","why":"expected string, but got number","schema":"update.request.json#/properties/id/type"}],` +
			`"others":[{"scenario":"s","interaction":"five","pos":"scenarios/s.yaml:4:4",` +
			`"mismatches":[{"at":"query a","want":"\"<1>\"","got":"nothing","pos":"scenarios/s.yaml:4:67"}]}],` +
			`"detail":"body /id: expected string, but got number (update.request.json#/properties/id/type)"}`,
	} {
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(s.Explain(c.request(t))); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(b.String()); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}
