package mockserver

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/oigmock/oigmock/scenarios"
)

func TestOrigins(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"http://localhost:3000", "http://localhost:3000"},
		{"https://App.Example.com", "https://app.example.com"},
		{"HTTP://localhost", "http://localhost"},
		{"http://localhost:80", "http://localhost"},
		{"https://localhost:443", "https://localhost"},
		{"https://localhost:80", "https://localhost:80"},
		{"http://[::1]:3000", "http://[::1]:3000"},
		{"capacitor://localhost", "capacitor://localhost"},
		{"*", "*"},
		{"", ""},
		{"null", ""},
		{"localhost:3000", ""},
		{"//localhost:3000", ""},
		{"http://", ""},
		{"http://:3000", ""},
		{"http://localhost:", ""},
		{"http://localhost:3000/", ""},
		{"http://localhost:3000/app", ""},
		{"http://localhost:3000?", ""},
		{"http://localhost:3000#", ""},
		{"http://me@localhost", ""},
		{"http://localhost:65536", ""},
		{"http://localhost:080", ""},
		{"http://*.example.com", ""},
		{"http://localhost:*", ""},
		{"http://a b", ""},
		{"http://bücher.example", ""},
		{" http://localhost", ""},
	} {
		got, err := parseOrigin(test.text)
		if got != test.want || (err != nil) != (test.want == "") || (CheckOrigin(test.text) != nil) != (err != nil) {
			t.Errorf("%q: got %q, %v, want %q", test.text, got, err, test.want)
		}
	}
	_, err := New(Config{CORS: []string{"http://localhost", "localhost"}})
	const want = `CORS: "localhost" is no origin: want SCHEME://HOST[:PORT] without a path, such as http://localhost:3000, or * for any`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

const corsScenario = `scenario: a
source: assumed
interactions:
  - {name: asked, request: {method: OPTIONS, path: /whole}, response: {status: 204, header: {Allow: GET}}}
  - {name: whole, request: {path: /whole}, response: {status: 200, text: whole}}
  - {name: zipped, request: {path: /zipped}, response: {status: 200, header: {Content-Encoding: gzip}, text: zipped}}
  - {name: its own words, request: {path: /own}, response: {status: 200, header: {access-control-allow-origin: "*", Access-Control-Expose-Headers: X-A, Vary: Cookie}, text: own}}
  - {name: nobody, order: first, request: {path: /guarded, user: {$absent: true}}, response: {status: 401}}
  - {name: broken, request: {path: /broken, query: {a: {$oneOf: [b, {$absent: true}]}}}, response: {status: 200, text: "a {{ query/a }}"}}
  - {name: cut, request: {path: /cut}, response: {status: 200, text: cut in two, fault: {close: 3}}}
  - {name: reset, request: {path: /reset}, response: {status: 200, fault: reset}}
  - {name: garbage, request: {path: /garbage}, response: {status: 200, fault: garbage}}
  - {name: down, request: {path: /down}, response: {status: 200, fault: maintenance}}
  - {name: dribble, request: {path: /dribble}, response: {status: 200, text: abc, fault: {dribble: {chunks: 3, over: 1ms}}}}
  - {name: spoilt, request: {path: /spoilt}, response: {status: 200, text: abcdef, fault: malformed-chunk}}
`

func corsServer(t testing.TB, origins ...string) *Server {
	t.Helper()
	list, err := scenarios.Parse("a.yaml", []byte(corsScenario))
	if err != nil {
		t.Fatal(err)
	}
	return newServer(t, Config{Scenarios: list, CORS: origins})
}

// accessOf are the headers by which a browser decides.
func accessOf(h http.Header) string {
	var lines []string
	for name, values := range h {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "access-control-") || lower == "vary" {
			lines = append(lines, strings.TrimPrefix(name, "Access-Control-")+": "+strings.Join(values, ", "))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

const (
	frontEnd = "http://localhost:3000"
	agreed   = "Allow-Credentials: true\nAllow-Origin: " + frontEnd + "\nExpose-Headers: Responsetime, Location, X-Mock-Scenario, X-Mock-Error\nVary: "
	varied   = "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
	before   = "Allow-Credentials: true\nAllow-Headers: authorization,x-requested-by\nAllow-Methods: PUT\nAllow-Origin: " + frontEnd + "\n" + varied
)

func TestCORS(t *testing.T) {
	one, any, none := corsServer(t, frontEnd, "http://a.example"), corsServer(t, "*"), corsServer(t)
	const asks = "\nAccess-Control-Request-Method: PUT\nAccess-Control-Request-Headers: authorization,x-requested-by"
	const from = "\nOrigin: " + frontEnd
	const foreign = "\nOrigin: http://evil.example"
	for _, test := range []struct {
		name   string
		server *Server
		call   call
		status int
		access string
		kept   int // entries in the journal
	}{
		{"asked before", one, "OPTIONS /whole" + from + asks, 204, before, 0},
		{"asked before, of any", any, "OPTIONS /whole" + from + asks, 204, before, 0},
		{"asked before, in a session", one, "OPTIONS /__session/mine/whole" + from + asks, 204, before, 0},
		{"asked before, in no session that can be", one, "OPTIONS /__session/%01/whole" + from + asks, 204, before, 0},
		{"asked before, where nothing is", one, "OPTIONS /nowhere" + from + asks, 204, before, 0},
		{"asked before, where a login is needed", one, "OPTIONS /guarded" + from + asks, 204, before, 0},
		{"asked before with nothing besides", one, "OPTIONS /whole" + from + "\nAccess-Control-Request-Method: PATCH", 204,
			"Allow-Credentials: true\nAllow-Methods: PATCH\nAllow-Origin: " + frontEnd + "\n" + varied, 0},
		{"asked before for a method of no API", one, "OPTIONS /whole" + from + "\nAccess-Control-Request-Method: TRACE", 204, varied, 0},
		{"asked before from elsewhere", one, "OPTIONS /whole" + foreign + asks, 204, "Vary: Origin", 1}, // by the scenario
		{"asked before, and nobody may", none, "OPTIONS /whole" + from + asks, 204, "", 1},
		{"OPTIONS that asks for nothing", one, "OPTIONS /whole" + from, 204, agreed + "Origin", 1},

		{"an answer", one, "GET /whole" + from, 200, agreed + "Origin", 1},
		{"an answer to any", any, "GET /whole" + from, 200, agreed + "Origin", 1},
		{"HEAD", one, "HEAD /whole" + from, 200, agreed + "Origin", 1},
		{"in a session", one, "GET /__session/mine/whole" + from, 200, agreed + "Origin", 0},
		{"one that varies", one, "GET /zipped" + from + "\nAccept-Encoding: gzip", 200, agreed + "Accept-Encoding, Origin", 1},
		{"one with words of its own", one, "GET /own" + from, 200, agreed + "Cookie, Origin", 1},
		{"a 401", one, "GET /guarded" + from, 401, agreed + "Origin", 1},
		{"nothing answers", one, "GET /nowhere" + from, 501, agreed + "Origin", 1},
		{"the answer cannot be made", one, "GET /broken" + from, 500, agreed + "Origin", 1},
		{"no session", one, "GET /__session/%01/whole" + from, 400, agreed + "Origin", 1},
		{"too large", one, call("PUT /whole" + from + "\n\n" + strings.Repeat("a", MaxBody+1)), 413, agreed + "Origin", 1},
		{"from elsewhere", one, "GET /whole" + foreign, 200, "Vary: Origin", 1},
		{"from elsewhere, with words of its own", one, "GET /own" + foreign, 200, "Expose-Headers: X-A\nVary: Cookie, Origin\naccess-control-allow-origin: *", 1},
		{"from another port", one, "GET /whole\nOrigin: http://localhost:3001", 200, "Vary: Origin", 1},
		{"from no origin that has a name", one, "GET /whole\nOrigin: null", 200, "Vary: Origin", 1},
		{"asked before by no page", any, "OPTIONS /whole" + asks, 204, "Vary: Origin", 1}, // by the scenario
		{"from no page, and any may", any, "GET /whole", 200, "Vary: Origin", 1},
		{"from no page", one, "GET /whole", 200, "Vary: Origin", 1},
		{"and nobody may", none, "GET /whole" + from, 200, "", 1},
		{"a word of its own, and nobody may", none, "GET /own" + from, 200, "Expose-Headers: X-A\nVary: Cookie\naccess-control-allow-origin: *", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.server.home.ClearJournal()
			w := httptest.NewRecorder()
			test.server.ServeHTTP(w, test.call.request(t))
			if got := accessOf(w.Header()); w.Code != test.status || got != test.access {
				t.Errorf("got %d with\n%s\nwant %d with\n%s", w.Code, got, test.status, test.access)
			}
			if kept, _ := test.server.home.Journal(0); len(kept) != test.kept {
				t.Errorf("%d entries in the journal, want %d", len(kept), test.kept)
			}
		})
	}
	if list := one.Sessions(); len(list) != 1 { // of the request, and not of what was asked before
		t.Errorf("%d sessions, want one", len(list))
	}
	// What scenarios share with other requests is as it was.
	for _, e := range one.usual().all {
		if e.Name != "its own words" {
			continue
		}
		for _, f := range e.turns[0].answer.Header {
			if f.Name == "Vary" && (len(f.Values) != 1 || f.Values[0] != "Cookie") {
				t.Errorf("got %v", f.Values)
			}
		}
	}
}

// The admin API is for no page of another origin.
func TestNoCORSForAdmin(t *testing.T) {
	api := corsServer(t, "*").Admin(AdminConfig{})
	for _, method := range []string{"GET", "OPTIONS"} {
		r := httptest.NewRequest(method, "http://localhost/journal", nil)
		r.Header.Set("Origin", frontEnd)
		r.Header.Set("Access-Control-Request-Method", "GET")
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		if got := accessOf(w.Header()); w.Code != http.StatusForbidden || strings.Contains(got, "Allow-") {
			t.Errorf("%s: got %d with %s", method, w.Code, got)
		}
	}
}

// Damage is done to an answer that agrees as to any other.
func TestCORSAndDamage(t *testing.T) {
	srv := httptest.NewServer(corsServer(t, frontEnd))
	defer srv.Close()
	for _, test := range []struct {
		path, body string
		arrives    bool // its headers do
		whole      bool
	}{
		{"/whole", "whole", true, true},
		{"/cut", "cut", true, false},
		{"/reset", "", false, false},
		{"/garbage", "", false, false},
		{"/down", maintenancePage, true, true},
		{"/dribble", "abc", true, true},
		{"/spoilt", "abc", true, false},
	} {
		t.Run(test.path, func(t *testing.T) {
			r, err := http.NewRequest("GET", srv.URL+test.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Origin", frontEnd)
			res, err := srv.Client().Do(r)
			if (err == nil) != test.arrives {
				t.Fatalf("got %v", err)
			}
			if err != nil {
				return
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if string(body) != test.body || (err == nil) != test.whole || res.Header.Get("Access-Control-Allow-Origin") != frontEnd {
				t.Errorf("got %q, %v with %s", body, err, accessOf(res.Header))
			}
		})
	}
	alive(t, srv)
}

// What a browser asked before is told in the log, though not in the journal.
func TestPreflightIsLogged(t *testing.T) {
	var b bytes.Buffer
	s := corsServer(t, frontEnd)
	s.cfg.Log = slog.New(slog.NewTextHandler(&b, nil))
	w := httptest.NewRecorder()
	s.ServeHTTP(w, call("OPTIONS /whole\nOrigin: "+frontEnd+"\nAccess-Control-Request-Method: PUT").request(t))
	if got := b.String(); !strings.Contains(got, "msg=preflight origin="+frontEnd+" path=/whole\n") {
		t.Errorf("got %s", got)
	}
}
