package mockserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

// visitPage asks the admin API as a client on this machine does.
func visitPage(t testing.TB, h http.Handler, c call) (int, http.Header, string) {
	t.Helper()
	r := c.request(t)
	r.Host = "localhost:8081"
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	if r.Header.Get("absolute") != "" { // net/http takes the host of such a target for the header Host
		r.RequestURI = "http://" + r.Host + r.RequestURI
		r.URL.Scheme, r.URL.Host = "http", r.Host
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if media := w.Header().Get("Content-Type"); strings.HasSuffix(media, "json") && r.Method != "HEAD" && !json.Valid(w.Body.Bytes()) {
		t.Errorf("%s: no JSON: %s", c, w.Body)
	}
	if problem := w.Header().Get("Content-Type") == "application/problem+json"; problem != (w.Code >= 400) {
		t.Errorf("%s: %d %s", c, w.Code, w.Header().Get("Content-Type"))
	}
	return w.Code, w.Header(), strings.TrimSuffix(w.Body.String(), "\n")
}

// A step is a call to the admin API, or to the mock itself where it begins
// with one of those arrows, and what comes of it.
type step struct {
	call
	status int
	body   string // whole; or a part of it, behind …; "" for none
}

func (st step) run(t *testing.T, s *Server, admin http.Handler) {
	t.Helper()
	var status int
	var got string
	if c, mock := strings.CutPrefix(string(st.call), "→ "); mock {
		status, got = body(t, s, call(c))
	} else {
		status, _, got = visitPage(t, admin, st.call)
	}
	want, part := strings.CutPrefix(st.body, "…")
	if status != st.status || part && !strings.Contains(got, want) || !part && got != want {
		t.Errorf("%s\ngot %d %s\nwant %d %s", st.call, status, got, st.status, st.body)
	}
}

func runSteps(t *testing.T, s *Server, steps []step) {
	t.Helper()
	admin := s.Admin(AdminConfig{Version: "1.2.3"})
	for _, st := range steps {
		st.run(t, s, admin)
	}
}

func TestAdminAlone(t *testing.T) {
	s := thingsServer(t, "- {name: a, request: {path: /a}, response: {status: 200}}\n")
	admin := s.Admin(AdminConfig{Version: "1.2.3"})
	for _, test := range []struct {
		call   call
		status int
		allow  string
		body   string
	}{
		{"GET /health", 200, "", `{"interactions":1,"operations":4,"scenarios":1,"status":"ok"}`},
		{"GET /version", 200, "", `{"release":"","releases":[""],"version":"1.2.3"}`},
		{"HEAD /health", 200, "", ""},
		{"POST /health", 405, "GET, HEAD", `{"type":"urn:oigmock:no-such-method","title":"no such method","status":405,"detail":"/health has GET, HEAD, and not POST","instance":"/health"}`},
		{"DELETE /version", 405, "GET, HEAD", `{"type":"urn:oigmock:no-such-method","title":"no such method","status":405,"detail":"/version has GET, HEAD, and not DELETE","instance":"/version"}`},
		{"PATCH /scenarios/x", 405, "DELETE, GET, HEAD, PUT", `…/scenarios/x has DELETE, GET, HEAD, PUT, and not PATCH`},
		{"OPTIONS /clock", 405, "GET, HEAD, PUT", `…no such method`},
		{"GET /", 404, "", `…there is no such page; the admin API has:\n  GET /health\n  GET /version\n  GET|PUT|DELETE /scenarios\n  GET|PUT|DELETE /scenarios/NAME\n`},
		{"POST /health/x", 404, "", `…there is no such page`},
		{"GET //scenarios", 404, "", `…"instance":"//scenarios"`},
		{"GET /health?x=1", 400, "", `…GET /health has no parameter \"x\"; it takes session`},
		{"GET /health?%zz", 400, "", `…the query cannot be read`},
	} {
		status, header, got := visitPage(t, admin, test.call)
		if status != test.status || header.Get("Allow") != test.allow {
			t.Errorf("%s: got %d, %v", test.call, status, header)
		}
		want, part := strings.CutPrefix(test.body, "…")
		if part && !strings.Contains(got, want) || !part && got != want {
			t.Errorf("%s: got %s", test.call, got)
		}
		for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Methods"} {
			if header.Get(name) != "" {
				t.Errorf("%s: %s", test.call, name)
			}
		}
		if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", test.call, header)
		}
	}
}

const goneFile = `scenario: Thing 1 is gone
source: assumed
interactions:
  - name: gone
    request: {method: GET, path: /things/1}
    response: {status: 410, body: {id: "1"}}
`

func TestAdminScenarios(t *testing.T) {
	s := wordedServer(t, nil)
	runSteps(t, s, []step{
		{"GET /scenarios", 200, `[{"name":"words","title":"Things have a word","source":"assumed","origin":"scenarios","given":[],"interactions":3,"awake":true,"pos":"scenarios/words.yaml:1:1"},` +
			`{"name":"words:2","title":"Things are lost","source":"assumed","origin":"scenarios","given":["things are lost"],"interactions":1,"awake":false,"pos":"scenarios/words.yaml:25:1"}]`},
		{"GET /scenarios/words.yaml", 200, strings.TrimSuffix(worded, "\n")},
		{"GET /scenarios/words:2", 200, "…scenario: Things are lost"},
		{"GET /scenarios/word", 404, `…no such scenario: \"word\"`},
		{"GET /scenarios/", 404, `…"type":"urn:oigmock:no-such-scenario"`},

		// One that is added comes before all others; its name may have slashes.
		{"PUT /scenarios/mine/gone.yaml?session=a\nContent-Type: application/yaml\n\n" + goneFile, 201, `{"name":"mine/gone","scenarios":["mine/gone"],"interactions":1}`},
		{"→ GET /__session/a/things/1", 410, `{"id":"1"}`},
		{"→ GET /things/1", 200, `…"word":"red"`},
		{"PUT /scenarios/mine%2Fgone?session=a\n\n" + goneFile, 200, `{"name":"mine/gone","scenarios":["mine/gone"],"interactions":1}`},
		{"GET /scenarios?session=a", 200, `…[{"name":"mine/gone","title":"Thing 1 is gone","source":"assumed","origin":"added","given":[],"interactions":1,"awake":true,"pos":"mine/gone.yaml:1:1"},`},
		{"GET /scenarios/mine/gone?session=a", 200, strings.TrimSuffix(goneFile, "\n")},
		{"GET /scenarios/mine/gone", 404, `…no such scenario`},

		// All faults are told, with their places, and nothing is added.
		{"PUT /scenarios/mine/gone?session=a\n\nscenario: x\nsource: assumd\ninteractions:\n  - name: a\n    request: {mehtod: GET}\n    response: {status: 200}\n", 400,
			`{"type":"urn:oigmock:faults","title":"there are faults in it","status":400,` +
				`"detail":"mine/gone.yaml:2:9: source \"assumd\" is none of printed, derived, assumed, recorded; did you mean \"assumed\"?\nmine/gone.yaml:5:15: request: unknown key \"mehtod\"; did you mean \"method\"?","instance":"/scenarios/mine/gone",` +
				`"faults":[{"pos":"mine/gone.yaml:2:9","line":2,"column":9,"why":"source \"assumd\" is none of printed, derived, assumed, recorded; did you mean \"assumed\"?"},` +
				`{"pos":"mine/gone.yaml:5:15","line":5,"column":15,"why":"request: unknown key \"mehtod\"; did you mean \"method\"?"}]}`},
		{"PUT /scenarios/broken?session=a", 400, `…broken.yaml:1:1: no scenario is in the file`},
		{"PUT /scenarios/?session=a\n\n" + goneFile, 400, `…"want a name without blanks and #, of at most 200 bytes"`},
		{"PUT /scenarios/a%20b?session=a\n\n" + goneFile, 400, `…want a name without blanks`},
		// What the contract forbids is a fault as in files.
		{call("PUT /scenarios/bad?session=a\n\n" + strings.Replace(goneFile, `status: 410, body: {id: "1"}`, `status: 200, body: {id: 1}`, 1)), 400, `…bad.yaml:6:40: body /id: the response breaks`},
		{"→ GET /__session/a/things/1", 410, `{"id":"1"}`},

		// JSON is taken as it is, escapes and all; the places of faults are those of the text that was sent.
		{`PUT /scenarios/smile?session=a

{"scenario": "A \ud83d\ude00", "source": "assumed", "interactions": [{"name": "smiles", "request": {"method": "GET", "path": "\/things\/2"}, "response": {"status": 200, "body": {"id": "\ud83d\ude00 \/"}}}]}`, 201,
			`{"name":"smile","scenarios":["smile"],"interactions":1}`},
		{"→ GET /__session/a/things/2", 200, `{"id":"😀 /"}`},
		{"PUT /scenarios/smile?session=a\n\n" + `{"scenario": "\/\/\/\ud83d\ude00", "source": "assumd", "records": {"a": 1}}`, 400, `…"smile.yaml:1:46: source \"assumd\"`},

		{"DELETE /scenarios/smile?session=a", 204, ""},
		{"DELETE /scenarios/smile?session=a", 404, `…nothing was added to the session as \"smile\"`},
		{"DELETE /scenarios/words?session=a", 409, `…scenarios/words.yaml is served to all sessions, and is changed where it stands`},

		// One file in the place of all; with faults all stays.
		{"PUT /scenarios?session=a\n\n{}", 400, `…added.yaml:1:1: a scenario: the key \"scenario\" is missing`},
		{"→ GET /__session/a/things/1", 410, `{"id":"1"}`},
		{call("PUT /scenarios?session=a\n\n" + strings.Replace(goneFile, "/things/1", "/things/2", 1)), 201, `{"name":"added","scenarios":["added"],"interactions":1}`},
		{"→ GET /__session/a/things/1", 200, `…"word":"red"`},
		{"→ GET /__session/a/things/2", 410, `{"id":"1"}`},
		{"DELETE /scenarios?session=a", 204, ""},
		{"→ GET /__session/a/things/2", 200, `…"word":"red"`},
	})
}

func TestAdminRecords(t *testing.T) {
	s := wordedServer(t, nil)
	runSteps(t, s, []step{
		{"GET /records", 200, `{"things":{"1":{"word":"red"},"2":{"word":"red"}}}`},
		{"GET /records/things/1", 200, `{"word":"red"}`},
		{"GET /records/things/1/word", 200, `"red"`},
		{"GET /records/thinks/1", 404, `…nothing is at thinks/1; did you mean \"things\"?`},
		{"GET /records/things/9", 404, `…"title":"no such record","status":404,"detail":"no such record: nothing is at things/9"`},
		{"GET /records/", 400, `…an address is missing`},
		{"GET /records/now", 400, `…now is no address of records, such as tasks/1006`},
		{"GET /records/body/id", 400, `…body is told by a request`},

		{"PATCH /records/things/1\n\n" + `{"word": "blue", "size": {"a": 1}}`, 200, `{"changed":["things/1"]}`},
		{"→ GET /things/1", 200, `…"word":"blue"`},
		{"PATCH /records/things/1\nContent-Type: application/yaml\n\nsize:\n  b: [1, 2.50]", 200, `{"changed":["things/1"]}`},
		{"GET /records/things/1", 200, `{"word":"blue","size":{"a":1,"b":[1,2.50]}}`},
		{"PATCH /records/things/1\n\n" + `{"size": {"a": 1}}`, 200, `{"changed":[]}`},
		{"PATCH /records/things/1/size\n\n" + `{"$absent": true}`, 200, `{"changed":["things/1/size"]}`},
		{"GET /records/things/1/size", 404, "…no such record"},
		{"PATCH /records?session=b\n\n" + `{"things/2": {"word": "{{ now }}"}, "things/3/a~1b": null}`, 200, `{"changed":["things/2","things/3/a~1b"]}`},
		{"GET /records/things/3/a%2Fb?session=b", 200, `null`},
		{"GET /records/things/2?session=b", 200, `{"word":"2030-05-11T00:00:00Z"}`},
		{"GET /records", 200, `{"things":{"1":{"word":"blue"},"2":{"word":"red"}}}`},

		{"PATCH /records/thinks/1\n\n5", 400, `…body:1:1: no scenario of the session has records called \"thinks\"; did you mean \"things\"?; known are things`},
		{"PATCH /records\n\n" + `{"things/1": {"$absnt": true}, "thinks/1": 5}`, 400, `…body:1:15: unknown operator \"$absnt\"; did you mean \"$absent\"?`},
		{"PATCH /records/things/1\n\n", 400, `…there is nothing but an empty text`},
		{"PATCH /records/things/1\n\n{} {}", 400, `…no YAML`},
		{"PATCH /records/things//1\n\n5", 400, `…an empty step`},
		{"PATCH /records/things\n\n5", 200, `{"changed":["things"]}`},
		{"PATCH /records/things/1\n\n" + call(`"`+strings.Repeat("a", MaxBody)+`"`), 413, `…"the body has more than 1048576 bytes"`},
	})
}

func TestAdminClock(t *testing.T) {
	s := wordedServer(t, nil)
	const wrong = `…"urn:oigmock:wrong"`
	runSteps(t, s, []step{
		{"GET /clock", 200, `{"mode":"real","now":"2030-05-11T00:00:00Z","offset":"0s"}`},
		{"PUT /clock\n\n" + `{"frozen": "2030-01-01T02:00:00+02:00"}`, 200, `{"mode":"frozen","now":"2030-01-01T00:00:00Z","offset":"0s"}`},
		{"→ GET /things/1", 200, `…"at":"2030-01-01T00:00:00Z"`},
		{"PUT /clock\n\n" + `{"advance": "-24h"}`, 200, `{"mode":"frozen","now":"2029-12-31T00:00:00Z","offset":"0s"}`},
		{"PUT /clock\n\n" + `{"offset": "50d"}`, 200, `{"mode":"offset","now":"2030-06-30T00:00:00Z","offset":"1200h"}`},
		{"PUT /clock\n\n" + `{"advance": "+2h30m"}`, 200, `{"mode":"offset","now":"2030-06-30T02:30:00Z","offset":"1202h30m"}`},
		{"PUT /clock?session=a\n\n" + `{"offset": "-1.5s"}`, 200, `{"mode":"offset","now":"2030-05-10T23:59:58.5Z","offset":"-1.5s"}`},
		{"GET /clock", 200, `…"offset":"1202h30m"`},
		{"PUT /clock\n\n" + `{"offset": "48h"}`, 200, `{"mode":"offset","now":"2030-05-13T00:00:00Z","offset":"48h"}`},
		{"PUT /clock\n\n{}", 200, `{"mode":"real","now":"2030-05-11T00:00:00Z","offset":"0s"}`},

		{"PUT /clock\n\n" + `{"offset": "1h", "advance": "1h"}`, 400, `…"a clock is set by one of frozen, offset and advance"`},
		{"PUT /clock\n\n" + `{"ofset": "1h"}`, 400, `…"a clock has no member \"ofset\"; did you mean \"offset\"?; it has frozen, offset, advance"`},
		{"PUT /clock\n\n" + `{"offset": "1h", "offset": "2h"}`, 400, wrong},
		{"PUT /clock\n\n[]", 400, wrong},
		{"PUT /clock", 400, wrong},
		{"PUT /clock\n\n" + `{"offset": 5}`, 400, `…"offset: want a text, got number"`},
		{"PUT /clock\n\n" + `{"frozen": null}`, 400, wrong},
		{"PUT /clock\n\n" + `{"offset": "--5h"}`, 400, wrong},
		{"PUT /clock\n\n" + `{"offset": ""}`, 400, wrong},
		{"PUT /clock\n\n" + `{"frozen": "tomorrow"}`, 400, wrong},
		{"PUT /clock\n\n" + `{"frozen": "0001-01-01T00:00:00Z"}`, 400, wrong},
		{"PUT /clock\n\n" + `{"offset": "36600d"}`, 200, `…"2130-`},
		{"PUT /clock\n\n" + `{"advance": "36600d"}`, 400, `…more than a hundred years`},
		{"PUT /clock\n\n" + `{"frozen": "9999-12-30T00:00:00Z"}`, 200, `…9999`},
		{"PUT /clock\n\n" + `{"advance": "48h"}`, 400, `…from 1900-01-01 to 9999-12-31`},
		{"PUT /clock\n\n" + `{"frozen": "0001-01-01T00:00:01Z"}`, 400, `…from 1900-01-01 to 9999-12-31`},
		{"PUT /clock\n\n" + `{"frozen": "1899-12-31T23:59:59Z"}`, 400, `…from 1900-01-01 to 9999-12-31`},
		{"PUT /clock\n\n" + `{"frozen": "9999-12-31T23:59:59-01:00"}`, 400, `…from 1900-01-01 to 9999-12-31`},
		{"GET /clock", 200, `{"mode":"frozen","now":"9999-12-30T00:00:00Z","offset":"0s"}`},
		{"PUT /clock\n\n" + `{"frozen": "1900-01-01T00:00:00Z"}`, 200, `…1900`},
		{"PUT /clock\n\n" + `{"advance": "-1s"}`, 400, `…from 1900-01-01 to 9999-12-31`},
		{"GET /clock", 200, `{"mode":"frozen","now":"1900-01-01T00:00:00Z","offset":"0s"}`},
	})
}

func TestAdminProviderStates(t *testing.T) {
	s := wordedServer(t, nil)
	const post = "POST /provider-states\n\n"
	runSteps(t, s, []step{
		{"GET /provider-states", 200, `{"known":["things are lost"],"set":{}}`},
		{post + `{"consumer": "c", "state": "things are lost", "params": {"id": "2"}, "action": "setup"}`, 200, `{"params":{"id":"2"},"state":"things are lost"}`},
		{"→ GET /things/2", 410, `{"id":"2"}`},
		{"GET /provider-states", 200, `{"known":["things are lost"],"set":{"things are lost":{"id":"2"}}}`},
		{"GET /scenarios", 200, `…"interactions":1,"awake":true`},
		{post + `{"state": "things are lost", "params": {"params": {"id": "7"}}}`, 200, `{"params":{"id":"7"},"state":"things are lost"}`},
		{"GET /records/things/7", 200, `{"word":"lost"}`},
		{post + `{"state": "things are lost", "action": "teardown"}`, 200, `{"params":{},"state":"things are lost"}`},
		{"→ GET /things/2", 200, `…lost`},
		// So the verifier announces an interaction that needs no state.
		{post + `{"state": "", "params": {}, "action": "setup"}`, 200, `{"params":{},"state":""}`},
		{"GET /provider-states", 200, `…"set":{}`},

		{post + `{"state": "things are lst"}`, 400, `…"unknown provider state \"things are lst\"; did you mean \"things are lost\"?; known are \"things are lost\""`},
		{post + `{"state": "x", "action": "teardown"}`, 400, `…known are \"things are lost\"`},
		{post + `{"state": "things are lost", "params": {"id": 2}}`, 400, `…given/id: want a string, got 2`},
		{post + `{"state": "things are lost", "params": []}`, 400, `…params: want an object, got array`},
		{post + `{"state": "things are lost", "action": "set-up"}`, 400, `…did you mean \"setup\"?`},
		{post + `{"state": 5}`, 400, `…state: want a text, got number`},
		{post + `{"name": "things are lost"}`, 400, `…a provider state has the member \"state\", its name`},
		{post + `state: things are lost`, 400, `…want a JSON object`},
	})
}

func TestAdminSessions(t *testing.T) {
	s := wordedServer(t, nil)
	fresh := func(name string) string {
		return `{"name":"` + name + `","entries":0,"evicted":0,"clock":{"mode":"real","now":"2030-05-11T00:00:00Z","offset":"0s"},"given":[],"added":[]}`
	}
	runSteps(t, s, []step{
		{"GET /sessions", 200, "[]"},
		{"GET /sessions/b", 404, `…there is no session of that name: \"b\"`},
		{"GET /sessions", 200, "[]"}, // to ask after one does not begin it
		{"GET /clock?session=b", 200, `…"mode":"real"`},
		{"GET /clock\nX-Mock-Session: a/ä", 200, `…"mode":"real"`},
		{"GET /sessions", 200, "[" + fresh("a/ä") + "," + fresh("b") + "]"},
		{"GET /sessions/a%2F%C3%A4", 200, fresh("a/ä")},
		{"PUT /scenarios/x?session=b\n\n" + goneFile, 201, "…x"},
		{"→ GET /__session/b/things/1", 410, `{"id":"1"}`},
		{"POST /provider-states?session=b\n\n" + `{"state": "things are lost"}`, 400, "…"},
		{"PUT /clock?session=b\n\n" + `{"offset": "1h"}`, 200, "…"},
		{"GET /sessions/b", 200, `{"name":"b","entries":1,"evicted":0,"clock":{"mode":"offset","now":"2030-05-11T01:00:00Z","offset":"1h"},"given":[],"added":["x"]}`},
		{"POST /reset?session=b", 204, ""},
		{"GET /sessions/b", 200, fresh("b")},
		{"GET /clock?session=", 400, `…no name for a session`},
		{"GET /clock?session=b&session=c", 400, `…the parameter session is given 2 times`},
		{"GET /clock?session=b\nX-Mock-Session: c", 400, `…the parameter session says \"b\" and X-Mock-Session says \"c\"`},
		{"GET /clock\nX-Mock-Session: b\nX-Mock-Session: c", 400, `…X-Mock-Session is given several times, as \"b\" and \"c\"`},
		{"GET /clock?session=b\nX-Mock-Session: b\nX-Mock-Session: c", 400, `…X-Mock-Session is given several times`},
		{"GET /clock?session=b\nX-Mock-Session: b\nX-Mock-Session: b", 200, `…"mode":"real"`},
		{"GET /sessions?session=b", 400, `…GET /sessions has no parameter \"session\"; it takes none`},
		{"DELETE /sessions/b", 204, ""},
		{"DELETE /sessions/b", 404, `…no such session`},
		{"DELETE /sessions/", 404, `…no such session`},
		{"DELETE /sessions", 204, ""},
		{"GET /sessions", 200, "[]"},
	})
}

func TestAdminExplain(t *testing.T) {
	s := wordedServer(t, func(cfg *Config) { cfg.Journal.Body = 100 })
	const post = "POST /explain\n\n"
	runSteps(t, s, []step{
		{post + `{"method": "PUT", "path": "/things/1?x=1", "body": {"id": "1"}}`, 200, `{"method":"PUT","path":"/things/1","query":"x=1","outcome":"answered","status":200,"operation":"PUT /things/{id}",` +
			`"answer":{"scenario":"words","interaction":"red is changed","pos":"scenarios/words.yaml:13:5"},"added":[],"violations":[],` +
			`"others":[{"scenario":"words","interaction":"it was red no more","pos":"scenarios/words.yaml:20:5","why":"it would match, but comes later"}]}`},
		{"GET /records/things/1", 200, `{"word":"red"}`}, // to ask changes nothing
		{"GET /journal", 200, `{"entries":[],"evicted":0}`},
		{post + `{"path": "/__session/a/things/1"}`, 200, `…"outcome":"answered","status":200`},
		{"POST /explain?session=b\n\n" + `{"path": "/__session/a/things/1"}`, 400, `…the path says \"a\" and the parameter session says \"b\"`},
		{post + `{"method": "PUT", "path": "/things/1", "text": "id=1", "header": {"Content-Type": ["text/plain"]}}`, 200, `…want application/json, got \"text/plain\"`},
		{"POST /explain\nAccept: text/plain\n\n" + `{"method": "PUT", "path": "/things/1", "body": {"id": "1"}}`, 200, "…PUT /things/1\noperation: PUT /things/{id}\nanswered with 200 by \"red is changed\" in words\n"},
		{"→ GET /__session/a/nowhere?a=b", 501, "…"},
		{"POST /explain?session=a\n\n" + `{"seq": 1}`, 200, `…"path":"/nowhere","query":"a=b","outcome":"no-operation"`},
		{post + `{"seq": 1}`, 404, `…the journal has no such entry: 1`},
		// An entry is of the session in whose journal it is, whatever its path looks like.
		{"→ GET /__session/a/__session/b/x", 501, "…"},
		{"POST /explain?session=a\n\n" + `{"seq": 2}`, 200, `…"path":"/__session/b/x","outcome":"no-operation"`},
		{"→ GET /__session/a/__session//x", 501, "…"},
		{"POST /explain?session=a\n\n" + `{"seq": 3}`, 200, `…"path":"/__session//x","outcome":"no-operation"`},
		// And it was sent to the address to which it was sent.
		{"PUT /scenarios/self?session=a\n\n" + `{"scenario": "a", "source": "assumed", "interactions": [{"name": "self", "request": {"method": "GET", "path": "/self", "query": {"at": "{{ url }}"}}, "response": {"status": 200}}]}`, 201, "…"},
		{"→ GET /__session/a/self?at=http://example.com/__session/a", 200, ""},
		{"POST /explain?session=a\n\n" + `{"seq": 4}`, 200, `…"outcome":"answered","status":200`},
		{call("→ PUT /things/1\n\n" + `{"id": "` + strings.Repeat("1", 200) + `"}`), 200, "…"},
		{post + `{"seq": 1}`, 409, `…of the body of entry 1 only the beginning is kept`},
		{post + `{"seq": 0}`, 400, `…want the number of an entry alone`},
		{post + `{"seq": 1, "path": "/"}`, 400, `…want the number of an entry alone`},
		{post + `{"path": "things"}`, 400, `…want a path, and perhaps a query, such as /a/b?c=d, got \"things\"`},
		{post + `{"path": "http://a/things"}`, 400, `…want a path`},
		{post + `{"path": "/a", "method": "G T"}`, 400, `…\"G T\" is no method`},
		{post + `{"path": "/a", "body": 1, "text": "1"}`, 400, `…not both`},
		{post + `{"path": "/a", "header": {"A": 1}}`, 400, `…header A: want a text, or several of them, got number`},
		{post + `{"pth": "/a"}`, 400, `…did you mean \"path\"?`},
	})
}

func TestAdminJournal(t *testing.T) {
	s := wordedServer(t, nil)
	runSteps(t, s, []step{
		{"→ GET /things/1", 200, "…"},
		{"→ PUT /things/1\n\n" + `{"id": 1}`, 400, "…"},
		{"→ PUT /things/1\n\n" + `{"id": "1"}`, 200, "…"},
		{"→ GET /things/1?a=b", 200, "…"},
		{"→ PUT /things/9\n\n" + `{"id": "9"}`, 409, "…"},
		{"→ GET /nowhere", 501, "…"},
	})
	admin := s.Admin(AdminConfig{})
	for query, want := range map[string]string{
		"journal":                                   "1 2 3 4 5 6",
		"journal?limit=2":                           "1 2, next 2",
		"journal?limit=2&after=2":                   "3 4, next 4",
		"journal?limit=2&after=4":                   "5 6",
		"journal?limit=1000&after=9":                "",
		"journal?method=put":                        "2 3 5",
		"journal?method=PUT&limit=2":                "2 3, next 3",
		"journal?method=PUT&limit=3":                "2 3 5",
		"journal?path=/things/{id}&status=2xx":      "1 3 4",
		"journal?path=/things/9":                    "5",
		"journal?status=400":                        "2",
		"journal?status=4xx":                        "2 5",
		"journal?outcome=no-operation":              "6",
		"journal?scenario=words.yaml":               "1 3 4 5",
		"journal?scenario=words&status=409&after=1": "5",
		"journal?session=other":                     "",
		"journal?follow=false":                      "1 2 3 4 5 6",
		"unmatched":                                 "2 6",
		"unmatched?method=GET":                      "6",
		"unmatched?outcome=answered":                "",
	} {
		status, _, text := visitPage(t, admin, call("GET /"+query))
		var page struct {
			Entries []struct{ Seq int }
			Evicted *int
			Next    int
		}
		if err := json.Unmarshal([]byte(text), &page); err != nil || status != 200 || page.Evicted == nil || page.Entries == nil {
			t.Fatal(query, status, text, err)
		}
		var all []string
		for _, e := range page.Entries {
			all = append(all, fmt.Sprint(e.Seq))
		}
		got := strings.Join(all, " ")
		if page.Next > 0 {
			got += fmt.Sprint(", next ", page.Next)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	runSteps(t, s, []step{
		{"GET /journal?outcme=x", 400, `…no parameter \"outcme\"; did you mean \"outcome\"?`},
		{"GET /journal?outcome=no-matsch", 400, `…did you mean \"no-match\"?`},
		{"GET /journal?status=99", 400, `…want a status such as 404, or 4xx`},
		{"GET /journal?status=4XX", 400, `…want a status`},
		{"GET /journal?path=things", 400, `…does not begin with a slash`},
		{"GET /journal?limit=0", 400, `…want a number from 1 to 1000`},
		{"GET /journal?limit=1001", 400, `…want a number from 1 to 1000`},
		{"GET /journal?after=-1", 400, `…want the number of an entry`},
		{"GET /journal?follow=1", 400, `…want true or false`},
		{"GET /journal?follow=true&limit=1", 400, `…who follows is sent all that come`},
		{"DELETE /journal", 204, ""},
		{"GET /journal", 200, `{"entries":[],"evicted":0}`},
		{"→ GET /things/1", 200, "…"},
		{"GET /journal", 200, `…"seq":7`}, // numbers go on
	})
}

// An entry is told whole, but for the secrets that clients put into headers.
func TestEntryJSON(t *testing.T) {
	s := wordedServer(t, func(cfg *Config) { cfg.Journal.Body = 64 })
	admin := s.Admin(AdminConfig{})
	last := func() string {
		_, _, text := visitPage(t, admin, "GET /journal")
		visitPage(t, admin, "DELETE /journal")
		return regexp.MustCompile(`"tookMs":[0-9.e-]+`).ReplaceAllString(text, `"tookMs":1`)
	}
	body(t, s, "PUT /__session/x/things/1?a=%3C\nuser: me\nCookie: JSESSIONID=s3cret; b\nProxy-Authorization: s3cret\nX-Auth-Token: s3cret one\nX-Api-Key: s3cret\nX-Requested-By: me\nX-A: 1\nX-A: 2\n\n"+`{"id": "1", "n": 1.50}`)
	if text := last(); text != `{"entries":[],"evicted":0}` {
		t.Error("another session's entries:", text)
	}
	_, _, text := visitPage(t, admin, "GET /journal?session=x")
	text = regexp.MustCompile(`"tookMs":[0-9.e-]+`).ReplaceAllString(text, `"tookMs":1`)
	if want := `{"entries":[` + "\n" + `{"seq":1,"at":"2030-05-11T00:00:00Z","tookMs":1,"url":"http://example.com/__session/x","user":"me","method":"PUT","path":"/things/1","query":"a=%3C",` +
		`"request":{"header":{"Authorization":["Basic …"],"Content-Type":["application/json"],"Cookie":["JSESSIONID=…; =…"],"Host":["example.com"],"Proxy-Authorization":["…"],"X-A":["1","2"],"X-Api-Key":["…"],"X-Auth-Token":["…"],"X-Requested-By":["me"]},"body":{"id":"1","n":1.50},"bodyBytes":22},` +
		`"response":{"status":200,"header":{"Content-Type":["application/json"]},"body":{"id":"1","word":"blue"},"bodyBytes":24},` +
		`"outcome":"answered","operation":"PUT /things/{id}","scenario":"words","interaction":"red is changed","changed":["things/1"],"violations":[],"nearMisses":[]}` + "\n" + `],"evicted":0}`; text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	for sent, want := range map[string]string{
		"":                            `"request":{"header":{"Content-Length":["0"],"Host":["example.com"]},"bodyBytes":0}`,
		"<a>b</a>":                    `"text":"<a>b</a>","bodyBytes":8}`,
		`{"id": "1", "id": "2"}`:      `"text":"{\"id\": \"1\", \"id\": \"2\"}","bodyBytes":22}`, // a client would lose one
		"\xff\x00":                    `"bytes":"/wA=","bodyBytes":2}`,
		strings.Repeat("a", 65):       `"text":"` + strings.Repeat("a", 64) + `","bodyBytes":64,"cut":true}`,
		strings.Repeat("a", 63) + "ä": `"text":"` + strings.Repeat("a", 63) + `","bodyBytes":64,"cut":true}`,
	} {
		r := call("PUT /things/1\nContent-Length: 0").request(t)
		if sent != "" {
			r = call("PUT /things/1\n\n" + sent).request(t)
		}
		s.ServeHTTP(httptest.NewRecorder(), r)
		if text := last(); !strings.Contains(text, want) || !strings.Contains(text, `"cut":true},"outcome"`) { // so is the answer
			t.Errorf("%q: got %s", sent, text)
		}
	}
}

// Whoever asks from elsewhere is refused, and nothing changes.
func TestGuard(t *testing.T) {
	s := wordedServer(t, nil)
	body(t, s, "GET /things/1")
	ses, err := s.Session("a")
	if err != nil {
		t.Fatal(err)
	}
	snapshot := func() string {
		entries, _ := s.home.Journal(0)
		c, _ := ses.Clock()
		h, _ := s.home.Clock()
		all, _ := ses.Record("")
		home, _ := s.home.Record("")
		return fmt.Sprint(len(entries), len(s.Sessions()), len(ses.Scenarios()), len(s.home.Scenarios()), c, h, string(all), string(home), len(s.home.load().given))
	}
	was := snapshot()
	const token = "a-token-of-20-bytes!"
	changing := []call{
		"PUT /clock?session=new\n", "PUT /scenarios/x\n", "PUT /scenarios\n", "DELETE /scenarios\n", "DELETE /journal\n", "PATCH /records\n",
		"PATCH /records/things/1\n", "POST /provider-states\n", "DELETE /sessions\n", "DELETE /sessions/a\n", "POST /reset\n", "POST /reset?session=a\n", "POST /verify\n", "GET /journal\n", "GET /records\n",
	}
	bodies := map[string]string{
		"/clock": `{"offset": "1h"}`, "/scenarios": goneFile, "/records": `{"things/1": 5}`, "/provider-states": `{"state": "things are lost", "params": {"id": "1"}}`,
	}
	for name, test := range map[string]struct {
		token  string
		header string
		status int
	}{
		"a foreign Host":                {"", "Host: evil.example", 403},
		"a name that leads here":        {"", "Host: 127.0.0.1.evil.example:8081", 403},
		"a user in front of it":         {"", "Host: localhost@evil.example", 403},
		"all addresses":                 {"", "Host: 0.0.0.0:8081", 403},
		"a foreign Origin":              {"", "Origin: https://evil.example", 403},
		"no Origin that it would tell":  {"", "Origin: null", 403},
		"the Origin of another port":    {"", "Origin: http://localhost:8080", 403},
		"the Origin of another scheme":  {"", "Origin: https://localhost:8081", 403},
		"one Origin of two":             {"", "Origin: http://localhost:8081\nOrigin: https://evil.example", 403},
		"another site":                  {"", "Sec-Fetch-Site: cross-site", 403},
		"the same site, another origin": {"", "Sec-Fetch-Site: same-site", 403},
		"a target with a host":          {"", "absolute: yes", 403},
		"a form":                        {"", "Content-Type: application/x-www-form-urlencoded\nUser-Agent: Mozilla/5.0", 415},
		"a form of parts":               {"", "Content-Type: Multipart/Form-Data; boundary=x\nOrigin: http://localhost:8081\nHost: localhost:8081", 415},
		"a text":                        {"", "Content-Type: text/plain;charset=utf-8\nReferer: https://evil.example/", 415},
		"no token":                      {token, "X: y", 401},
		"another token":                 {token, "Authorization: Bearer a-token-of-20-bytes?", 401},
		"half a token":                  {token, "Authorization: Bearer a-token-of", 401},
		"no scheme":                     {token, "Authorization: " + token, 401},
		"a login":                       {token, "Authorization: Basic " + token, 401},
		"a token, and a foreign Origin": {token, "Authorization: Bearer " + token + "\nOrigin: https://evil.example", 403},
		"a token, and another site":     {token, "Authorization: Bearer " + token + "\nSec-Fetch-Site: cross-site", 403},
	} {
		admin := s.Admin(AdminConfig{Token: test.token})
		for _, c := range changing {
			_, path, _ := strings.Cut(strings.TrimSpace(string(c)), " ")
			path, _, _ = strings.Cut(path, "?")
			first, _, _ := strings.Cut(path[1:], "/")
			asks := path == "/verify" || strings.HasPrefix(string(c), "GET")
			if test.status == 415 && asks {
				continue // which changes nothing
			}
			status, header, text := visitPage(t, admin, c+call(test.header+"\n\n"+bodies["/"+first]))
			if status != test.status || !strings.Contains(text, `"status":`+fmt.Sprint(test.status)) {
				t.Errorf("%s: %s%s: got %d %s", name, c, test.header, status, text)
			}
			if challenge := written(header, "WWW-Authenticate"); (challenge != nil) != (status == 401) {
				t.Errorf("%s: WWW-Authenticate: %q", name, challenge)
			}
			for header := range header {
				if strings.HasPrefix(header, "Access-Control") {
					t.Errorf("%s: %s", name, header)
				}
			}
			if strings.Contains(text, "token-of") {
				t.Errorf("%s: the token is told: %s", name, text)
			}
			if got := snapshot(); got != was {
				t.Fatalf("%s: %s changed something:\n%s\n%s", name, c, was, got)
			}
		}
	}
	for name, test := range map[string]struct{ token, header string }{
		"localhost":         {"", "Host: LocalHost"},
		"a port":            {"", "Host: localhost:1"},
		"127.0.0.0/8":       {"", "Host: 127.9.9.9:8081"},
		"without a port":    {"", "Host: 127.0.0.1"},
		"IPv6":              {"", "Host: [::1]:8081"},
		"IPv6, no port":     {"", "Host: [::1]"},
		"its own page":      {"", "Origin: http://localhost:8081\nSec-Fetch-Site: same-origin"},
		"the address bar":   {"", "Sec-Fetch-Site: none"},
		"the token":         {token, "Authorization: bearer " + token},
		"from anywhere":     {token, "Authorization: Bearer " + token + "\nHost: mock.example:8081"},
		"its page anywhere": {token, "Authorization: Bearer " + token + "\nHost: mock.example\nOrigin: http://mock.example"},
	} {
		if status, _, text := visitPage(t, s.Admin(AdminConfig{Token: test.token}), call("GET /clock\n"+test.header)); status != 200 {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	for _, host := range []string{"", "localhost:", "localhost:x", "localhost:1:2", "::1", "[::1", "[::1]x", "127.0.0.1.", "0127.0.0.1", "[::ffff:127.0.0.1]", "127.1", "2130706433", "localhost."} {
		if namesThisMachine(host) {
			t.Errorf("%q was taken", host)
		}
	}
}

func FuzzVerify(f *testing.F) {
	fuzzPage(f, "POST /verify", `{"request": {"method": "PUT", "path": "\/things\/{id}", "body": {"id": {"$like": "1"}}}, "exactly": 1}`,
		`{"order": [{"method": "GET"}, {"query": {"a": "{{ url }}"}}]}`, "request:\n  header: {X-A: {$regex: '^a$', example: a}}\natMost: 2", `{"request": {}, "request": {}}`, `{"order": [[]]}`, "{")
}

func FuzzClock(f *testing.F) {
	fuzzPage(f, "PUT /clock", `{}`, `{"frozen": "2030-05-11T12:00:00Z"}`, `{"offset": "-48h"}`, `{"advance": "2w3d4h5m6.7s"}`, `{"advance": ""}`, `{"offset": 1}`, `[]`, ``)
}

func FuzzProviderStates(f *testing.F) {
	fuzzPage(f, "POST /provider-states", `{"state": "things are lost", "params": {"id": "1"}, "action": "setup"}`, `{"state": "things are lost", "params": {"params": {"id": "1"}}}`,
		`{"state": "", "action": "teardown"}`, `{"state": "x\ud83d\ude00"}`, `{"state": null}`, `5`)
}

func FuzzRecords(f *testing.F) {
	fuzzPage(f, "PATCH /records", `{"things/1": {"word": "blue", "at": {"$now": "iso"}}}`, `{"things/{new}": {"$absent": true}}`, "things/1/word: '{{ now | yyyy }}'", `{"a~2": 1}`, `{"things": {"$list": {"of": "things"}}}`, `[]`)
}

// fuzzPage sends whatever there is to a page: the answer is JSON, and one of
// those that there are.
func fuzzPage(f *testing.F, page call, seeds ...string) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	s := wordedServer(f, func(cfg *Config) { cfg.Now = time.Now })
	body(f, s, "PUT /things/1?a=b\nX-A: a\n\n"+`{"id": "1"}`)
	body(f, s, "GET /things/1")
	admin := s.Admin(AdminConfig{})
	f.Fuzz(func(t *testing.T, text []byte) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(string(text)))
		method, path, _ := strings.Cut(string(page), " ")
		r.Method, r.URL.Path, r.Host = method, path, "localhost"
		w := httptest.NewRecorder()
		admin.ServeHTTP(w, r)
		switch w.Code {
		case 200, 400, 413:
		default:
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("%q", w.Body)
		}
		if err := s.home.Reset(); err != nil {
			t.Fatal(err)
		}
	})
}
