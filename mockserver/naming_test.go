package mockserver

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// generations serves three releases that say who they are and remember who
// asked.
func generations(t *testing.T) *Server {
	t.Helper()
	contract := contractOf(t, map[string]string{"a.response.json": `{"$schema": "https://json-schema.org/draft/2020-12/schema", "x-operation": "GET /a", "type": "object"}`})
	list := scenariosOf(t, "scenarios", map[string]string{
		"old.yaml": `
scenario: Old
source: assumed
releases: ["1.1"]
records: {things: {"1": {word: old}}}
interactions:
  - name: old
    request: {method: GET, path: /a}
    set: {things/1: {asked: "yes"}}
    response: {status: 200, body: {word: "{{ things/1/word }}", self: "{{ self }}", asked: "{{ things/1/asked }}"}}
`,
		"new.yaml": `
scenario: New
source: assumed
releases: ["1.2", "2.1"]
records: {things: {"1": {word: new}}}
interactions:
  - name: new
    request: {method: GET, path: /a}
    response: {status: 200, body: {word: "{{ things/1/word }}", self: "{{ self }}", asked: "{{ things/1/asked }}"}}
---
scenario: Broken
source: assumed
releases: ["2.1"]
given: it is broken
interactions:
  - name: broken
    order: first
    request: {path: /a}
    response: {status: 500, body: {}}
`})
	return newServer(t, Config{Contract: contract, Scenarios: list, Release: "1.1",
		Beside: []Release{{"1.2", contract}, {"2.1", contract}}})
}

// A session is of one release, which it, or the path of what begins it, names.
func TestReleases(t *testing.T) {
	s := generations(t)
	admin := s.Admin(AdminConfig{})
	if status, _, got := visitPage(t, admin, "PUT /sessions/chosen\n\n"+`{"release": "2.1"}`); status != 200 || !strings.Contains(got, `"release":"2.1"`) {
		t.Fatalf("got %d %s", status, got)
	}
	const here = "http://example.com"
	for _, test := range []struct {
		call   call
		status int
		body   string
	}{
		{"GET /a", 200, `{"word":"old","self":"` + here + `/a","asked":"yes"}`},
		{"GET /__release/1.1/a", 200, `{"word":"old","self":"` + here + `/__release/1.1/a","asked":"yes"}`},
		{"GET /__release/1.2/a", 200, `{"word":"new","self":"` + here + `/__release/1.2/a"}`},
		{"GET /__release/2%2E1/a", 200, `{"word":"new","self":"` + here + `/__release/2%2E1/a"}`},
		{"GET /__session/chosen/a", 200, `{"word":"new","self":"` + here + `/__session/chosen/a"}`},
		{"GET /a\nX-Mock-Session: chosen", 200, `{"word":"new","self":"` + here + `/a"}`},
		{"GET /__release/2.1/__session/chosen/a", 200, `{"word":"new","self":"` + here + `/__release/2.1/__session/chosen/a"}`},
		{"GET /__session/b/__release/1.2/a", 200, `{"word":"new","self":"` + here + `/__session/b/__release/1.2/a"}`},
		{"GET /__session/b/a", 200, `{"word":"new","self":"` + here + `/__session/b/a"}`},
		{"GET /__release/1.2/a\nX-Mock-Session: c", 200, `{"word":"new","self":"` + here + `/__release/1.2/a"}`},
		{"GET /__session/d/a", 200, `{"word":"old","self":"` + here + `/__session/d/a","asked":"yes"}`},
		{"GET /__release/1.2/__session/d/a", 409, `began in 1.1, and 1.2 is asked for`},
		{"GET /__release/1.3/a", 400, `unknown release: \"1.3\"; did you mean \"1.1\"?; this mock is 1.1, 1.2, 2.1`},
		{"GET /__release//a", 400, `/__release/ is followed by none`},
		{"GET /__release/1.2/__release/2.1/a", 501, `nothing answers GET /__release/2.1/a`},
		{"GET /__release/1.2", 501, `nothing answers GET /`},
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, test.call.request(t))
		if got := w.Body.String(); w.Code != test.status || test.status == 200 && got != test.body || !strings.Contains(got, test.body) {
			t.Errorf("%s: got %d %s", test.call, w.Code, got)
		}
	}

	// Each keeps its own journal, and each release has one for who names no session.
	for query, want := range map[string]string{"": `"path":"/a"`, "?release=1.2": `/__release/1.2`, "?session=chosen": `/__session/chosen`, "?release=2.1&session=chosen": "/__session/chosen"} {
		if status, _, got := visitPage(t, admin, call("GET /journal"+query)); status != 200 || !strings.Contains(got, want) {
			t.Errorf("journal%s: got %d %s", query, status, got)
		}
	}
	for page, want := range map[call]int{"GET /journal?release=9": 400, "GET /journal?release=": 400, "GET /journal?release=1.1&session=chosen": 409,
		"PUT /sessions/chosen\n\n" + `{"release": "1.1"}`: 409, "PUT /sessions/x\n\n" + `{"release": "9"}`: 400, "PUT /sessions/x\n\n" + `{"releas": "1.1"}`: 400, "PUT /sessions/y": 200} {
		if status, _, got := visitPage(t, admin, page); status != want {
			t.Errorf("%s: got %d %s", page, status, got)
		}
	}
	if status, _, got := visitPage(t, admin, "POST /explain\n\n"+`{"path": "/__release/1.2/a"}`); status != 200 || !strings.Contains(got, `"interaction":"new"`) {
		t.Errorf("explain: got %d %s", status, got)
	}
	c := s.Coverage()
	if len(c.Operations) != 1 || len(c.Interactions) != 3 || len(c.Unused()) != 1 || len(c.Records) != 1 {
		t.Errorf("coverage: got %+v", c)
	}
}

// Which releases are served does not change, whatever files are loaded anew.
func TestLoadKeepsTheReleases(t *testing.T) {
	s := generations(t)
	if err := s.Load(s.cfg.Contract, s.cfg.Scenarios); err == nil || !strings.Contains(err.Error(), "1.1, 1.2, 2.1, and cannot become 1.1") {
		t.Errorf("got %v", err)
	}
	if err := s.Load(s.cfg.Contract, s.cfg.Scenarios, s.cfg.Beside...); err != nil {
		t.Error(err)
	}
}

// A provider state is set from the start where a release knows it.
func TestGivenInSomeReleases(t *testing.T) {
	s := generations(t)
	cfg := s.cfg
	cfg.Given = []ProviderState{{Name: "it is broken"}}
	s = newServer(t, cfg)
	for path, want := range map[string]int{"/a": 200, "/__release/1.2/a": 200, "/__release/2.1/a": 500} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want {
			t.Errorf("%s: got %d", path, w.Code)
		}
	}
	cfg.Given[0].Name = "it is brokn"
	if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), `did you mean "it is broken"`) {
		t.Errorf("got %v", err)
	}
}
