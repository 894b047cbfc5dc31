package mockserver

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestCoverage(t *testing.T) {
	s := wordedServer(t, nil)
	body(t, s, "GET /things/1")
	body(t, s, "GET /things/1")
	body(t, s, change1)
	body(t, s, "PUT /__session/a/things/1\n\n{\"id\": 1}") // breaks the contract
	a, err := s.Session("a")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Put("extra", []byte("scenario: a\nsource: assumed\ninteractions:\n  - {name: extra, request: {method: GET, path: /things/9}, response: {status: 200, body: {}}}\n")); err != nil {
		t.Fatal(err)
	}
	body(t, s, "GET /__session/a/things/9")
	const run = `operations    2 of 4
statuses      3 of 7
interactions  2 of 4
records       1 of 1

not exercised
       0  GET /things/self: 200
       0  GET /things/self: 410
       0  GET /things/{id}: 410
       0  PUT /things/{id}: 409
       0  PUT /things/{id}/causes/{cause}
       0  "it was red no more" in words
       0  "what is lost is gone" in words:2

exercised
       3  GET /things/{id}: 200
       1  PUT /things/{id}: 200
       1  PUT /things/{id}: 400
       2  "its word" in words
       1  "red is changed" in words
       4  records things: 3 times looked at, 1 changed
`
	// Of sessions that have ended what they exercised still counts.
	for _, ended := range []bool{false, true} {
		if ended {
			if _, err := s.EndSession("a"); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.Coverage().String(); got != run {
			t.Errorf("ended %v: got\n%s\nwant\n%s", ended, got, run)
		}
	}
}

func TestCoverageOfASession(t *testing.T) {
	s := wordedServer(t, nil)
	a, err := s.Session("a")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Put("extra", []byte("scenario: a\nsource: assumed\ninteractions:\n  - {name: extra, request: {method: GET, path: /things/9}, response: {status: 200, body: {}}}\n  - {name: idle, request: {method: GET, path: /things/8}, response: {status: 200, body: {}}}\n")); err != nil {
		t.Fatal(err)
	}
	body(t, s, "GET /things/1")
	body(t, s, "GET /__session/a/things/9")
	body(t, s, "PUT /__session/a/things/1\n\n{\"id\": \"1\"}")
	var unused []string
	for _, i := range a.Coverage().Unused() {
		unused = append(unused, i.Scenario+"#"+i.Interaction)
	}
	if got := strings.Join(unused, ", "); got != "words#its word, words#it was red no more, words:2#what is lost is gone, extra#idle" {
		t.Errorf("unused: %s", got)
	}
	text, err := json.Marshal(a.Coverage())
	if err != nil || !strings.Contains(string(text), `{"scenario":"extra","interaction":"extra","pos":"extra.yaml:4:6","count":1}`) {
		t.Errorf("%s %v", text, err)
	}
	if err := a.Reset(); err != nil {
		t.Fatal(err)
	}
	if got := len(a.Coverage().Unused()); got != 4 {
		t.Errorf("after a reset %d are unused", got)
	}
	if got := s.Coverage().Unused(); len(got) != 2 { // of the run it still counts
		t.Errorf("after a reset: %v", got)
	}
}
