package oigtest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oigmock/oigmock/mockserver"
	"github.com/oigmock/oigmock/mockserver/oigtest"
)

const api = "/iam/governance/selfservice/api/v1/"

// ask sends a request of a user and gives status and body.
func ask(t testing.TB, client *http.Client, method, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("user", "secret")
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(got)
}

// one is a scenario that answers every GET of a path with a text.
func one(path, text string) string {
	return "scenario: " + text + "\nsource: assumed\ninteractions:\n  - name: " + text +
		"\n    request: {method: GET, path: " + path + "}\n    response: {status: 200, text: " + text + "}\n"
}

// folder is a new folder with files.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// What cannot be done is said at once, with all that there is to say.
func TestWhatFailsAtOnce(t *testing.T) {
	broken := folder(t, map[string]string{"a.yaml": "scenario: A\nsource: assumd\ninteractions: []\n", "b.yaml": "scenrio: B\n"})
	twice := folder(t, map[string]string{"a.yaml": one("/a", "a") + "---\n" + one("/a", "again")})
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	notHere := filepath.Join(t.TempDir(), "not-here")
	for name, test := range map[string]struct {
		f    func(t *standIn)
		want []string
	}{
		"faults in files": {func(t *standIn) { oigtest.NewServer(t, oigtest.Dir(broken)) },
			[]string{" faults\n", filepath.Join(broken, "a.yaml") + `:2:9: source "assumd" is none of`, filepath.Join(broken, "b.yaml") + `:1:1: a scenario: unknown key "scenrio"; did you mean "scenario"?`}},
		"files that do not fit together": {func(t *standIn) { oigtest.NewServer(t, oigtest.Dir(twice)) },
			[]string{`"again" is never reached`, filepath.Join(twice, "a.yaml")}},
		"no folder": {func(t *standIn) { oigtest.NewServer(t, oigtest.Dir(notHere)) }, []string{fmt.Sprintf("oigtest: Dir(%q): reading %s: ", notHere, notHere)}},
		"no folder beside the test": {func(t *standIn) { oigtest.NewServer(t, oigtest.Dir("apr")) },
			[]string{fmt.Sprintf("oigtest: Dir(\"apr\"): reading %s: ", filepath.Join(here, "apr"))}},
		"an empty folder": {func(s *standIn) { oigtest.NewServer(s, oigtest.Dir(t.TempDir())) },
			[]string{"no scenario file (.yaml or .yml) is in " + os.TempDir()}},
		"an unknown release": {func(t *standIn) { oigtest.NewServer(t, oigtest.Release("11.1.2.2")) }, []string{`did you mean "11.1.2.3"?`}},
		"an unknown file": {func(t *standIn) { oigtest.NewServer(t, oigtest.Scenarios("provtasks/updat")) },
			[]string{`no such file for release`, `did you mean "provtasks/update"?`, "\n  policyviolations/unknown\n"}},
		"no pattern": {func(t *standIn) { oigtest.NewServer(t, oigtest.Scenarios("[")) }, []string{"syntax error in pattern"}},
		"no origin":  {func(t *standIn) { oigtest.NewServer(t, oigtest.CORS("localhost:3000")) }, []string{`oigtest: CORS: "localhost:3000" is no origin`}},
		"an unknown state": {func(t *standIn) { oigtest.NewServer(t).Given("the moon is full", nil) },
			[]string{`oigtest: Given: unknown provider state "the moon is full"`}},
		"faults in a scenario": {func(t *standIn) {
			oigtest.NewServer(t).Put("mine", "scenario: A\nsource: assumd\nfrm: B\nrecords: {a: 1}\n")
		},
			[]string{"oigtest: Put: 2 faults\n", `mine.yaml:2:9: source`, `mine.yaml:3:1: a scenario: unknown key "frm"; did you mean "from"?`}},
		"faults in a request": {func(t *standIn) { oigtest.NewServer(t).Received("{mehtod: PUT}") },
			[]string{`oigtest: Received: request:1:2: request: unknown key "mehtod"; did you mean "method"?`}},
	} {
		t.Run(name, func(t *testing.T) {
			got := failuresOf(test.f)
			if len(got) != 1 {
				t.Fatalf("got %d failures: %q", len(got), got)
			}
			for _, want := range test.want {
				if !strings.Contains(got[0], want) {
					t.Errorf("got %s\nwithout %s", got[0], want)
				}
			}
		})
	}
}

func TestScenarios(t *testing.T) {
	task := func(oig *oigtest.Server, login bool) int {
		req, _ := http.NewRequest("PUT", oig.URL+api+"provtasks/5126", strings.NewReader(`{"id": "5126"}`))
		req.Header.Set("Content-Type", "application/json")
		if login {
			req.SetBasicAuth("user", "secret")
		}
		resp, err := oig.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for name, test := range map[string]struct {
		names []string
		want  int
	}{
		"the one":   {[]string{"provtasks/update"}, 200},
		"a pattern": {[]string{"policyviolations/unknown", "prov*/u*e"}, 200},
		"others":    {[]string{"policyviolations/*"}, 501},
		"none":      {nil, 501},
	} {
		t.Run(name, func(t *testing.T) {
			oig := oigtest.NewServer(t, oigtest.Scenarios(test.names...))
			oig.AllowUnanswered()
			if got := task(oig, true); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
			if got := task(oig, false); got != 401 {
				t.Errorf("without a login: got %d; what holds for all is not there", got)
			}
		})
	}
}

// Of what answers the same the later folder comes first, and the library last.
func TestDirs(t *testing.T) {
	path := "/iam/governance/selfservice/api/v1/elsewhere/5126"
	first := folder(t, map[string]string{"x.yaml": one("/a", "first") + "---\n" + one(path, "mine")})
	second := folder(t, map[string]string{"y.yaml": one("/a", "second"),
		"old.yaml": strings.Replace(one("/a", "old"), "\n", "\nreleases: [10]\n", 1)})
	test := &standIn{name: "TestStandIn"}
	oig := oigtest.NewServer(test, oigtest.Dir(first), oigtest.Dir(second))
	for path, want := range map[string]string{"/a": "second", path: "mine"} {
		if _, got := ask(t, oig.Client(), "GET", oig.URL+path, ""); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	test.end()
	if len(test.failures) > 0 {
		t.Errorf("failed: %q", test.failures)
	}
	if log := strings.Join(test.logged, "\n"); !strings.Contains(log, "old.yaml:1:1: it holds in 10, and is passed over") || !strings.Contains(log, "x.yaml") {
		t.Errorf("logged:\n%s", log)
	}
}

func TestSeed(t *testing.T) {
	const scenario = `scenario: Luck
source: assumed
interactions:
  - {name: mostly, request: {path: /luck}, response: {status: 200, text: good}}
  - {name: bad luck, chance: 50%, request: {path: /luck}, adds: {text: bad}}
`
	draw := func(t testing.TB, opts ...oigtest.Option) (drawn string) {
		oig := oigtest.NewServer(t, opts...)
		oig.Put("luck", scenario)
		for range 40 {
			_, text := ask(t, oig.Client(), "GET", oig.URL+"/luck", "")
			drawn += text + " "
		}
		return drawn
	}
	usual, other := draw(t), draw(t, oigtest.Seed(7))
	if draw(t) != usual || draw(t, oigtest.Seed(7)) != other {
		t.Error("the same seed does not do the same")
	}
	if usual == other || !strings.Contains(usual, "good") || !strings.Contains(usual, "bad") {
		t.Errorf("1: %s\n7: %s", usual, other)
	}
	test := &standIn{name: "TestStandIn"}
	defer test.end()
	oigtest.NewServer(test, oigtest.Seed(0))
	if len(test.logged) != 1 || !strings.Contains(test.logged[0], "Seed(") {
		t.Errorf("logged: %q", test.logged)
	}
}

// Pages of these origins may call, and no others.
func TestCORS(t *testing.T) {
	const page = "http://localhost:3000"
	for _, test := range []struct {
		options []oigtest.Option
		want    string
	}{
		{nil, ""},
		{[]oigtest.Option{oigtest.CORS("http://a.example")}, ""},
		{[]oigtest.Option{oigtest.CORS("http://a.example", page)}, page},
		{[]oigtest.Option{oigtest.CORS("*")}, page},
	} {
		oig := oigtest.NewServer(t, test.options...)
		r, err := http.NewRequest("OPTIONS", oig.URL+api+"provtasks/5126", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("me", "secret")
		r.Header.Set("Origin", page)
		r.Header.Set("Access-Control-Request-Method", "PUT")
		res, err := oig.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if got := res.Header.Get("Access-Control-Allow-Origin"); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

// What is refused fails the test of its session, and no other.
func TestRefusalsFailTheirTest(t *testing.T) {
	var session []string
	server := failuresOf(func(test *standIn) {
		oig := oigtest.NewServer(test)
		session = failuresOf(func(test *standIn) {
			oig := oig.Session(test)
			for range 2 {
				ask(t, oig.Client(), "PUT", oig.URL+api+"provtasks/5126", `{"id": 5126}`)
			}
			ask(t, oig.Client(), "PUT", oig.URL+api+"provtasks/5126?x=1", `{"id": "5127"}`)
		})
		allowed := failuresOf(func(test *standIn) {
			oig := oig.Session(test)
			oig.AllowUnanswered()
			ask(t, oig.Client(), "GET", oig.URL+"/nothing", "")
		})
		if len(allowed) > 0 {
			t.Errorf("allowed, and failed: %q", allowed)
		}
		if status, _ := ask(t, oig.Client(), "GET", oig.URL+"/__session/%0A/x", ""); status != 400 {
			t.Errorf("no name of a session: %d", status)
		}
	})
	if len(session) != 2 ||
		!strings.HasPrefix(session[0], "oigtest: the mock refused PUT "+api+"provtasks/5126 (400 contract) 2 times:\nbody /id: expected string, but got number (") ||
		!strings.HasPrefix(session[1], "oigtest: the mock refused PUT "+api+"provtasks/5126?x=1 (501 no-match):\nnothing answers PUT ") ||
		!strings.Contains(session[1], `body /id: want "5126", got "5127"`) {
		t.Errorf("the session failed: %q", session)
	}
	if len(server) != 1 || !strings.HasPrefix(server[0], "oigtest: the mock refused GET /x (400 session):\nno name for a session") {
		t.Errorf("the server failed: %q", server)
	}
}

// What an answer could not be made of fails the test, too.
func TestFailedTemplate(t *testing.T) {
	got := failuresOf(func(test *standIn) {
		oig := oigtest.NewServer(test)
		oig.Put("bad", `scenario: Where from
source: assumed
interactions:
  - name: where from
    request: {path: /a, query: {x: {$not: "1", example: "2"}}} # or nothing
    response: {status: 200, text: "from {{ query/x }}"}
`)
		if status, _ := ask(t, oig.Client(), "GET", oig.URL+"/a", ""); status != 500 {
			t.Errorf("got %d", status)
		}
	})
	if len(got) != 1 || !strings.Contains(got[0], "GET /a (500 template)") || !strings.Contains(got[0], "bad.yaml:6:") {
		t.Errorf("got %q", got)
	}
}

func TestManyRefusals(t *testing.T) {
	got := failuresOf(func(test *standIn) {
		oig := oigtest.NewServer(test)
		for n := range 30 {
			ask(t, oig.Client(), "GET", oig.URL+"/"+strings.Repeat("a", n+1), "")
		}
	})
	if len(got) != 21 || !strings.Contains(got[20], "more than these 20") {
		t.Errorf("%d failures, the last %q", len(got), got[len(got)-1])
	}
}

// Of what the journal has lost nobody can say whether it was answered.
func TestLostEntries(t *testing.T) {
	got := failuresOf(func(test *standIn) {
		oig := oigtest.NewServer(test)
		oig.Put("a", one("/a", "a"))
		for range 10_001 {
			oig.Mock.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/a", nil))
		}
		oig.Received("")
	})
	if len(got) != 2 || !strings.Contains(got[0], "Received") || !strings.Contains(got[0], "evicted") ||
		!strings.Contains(got[1], "10001 requests were made, and the journal has lost the first 1") {
		t.Errorf("got %q", got)
	}
}

// What arrives after a test has ended fails nobody.
func TestLateRequests(t *testing.T) {
	failed := failuresOf(func(test *standIn) {
		oig := oigtest.NewServer(test)
		url := ""
		ended := failuresOf(func(test *standIn) {
			oig := oig.Session(test)
			oig.Put("a", one("/a", "a"))
			url = oig.URL
		})
		if status, _ := ask(t, oig.Client(), "GET", url+"/a", ""); status != 501 {
			t.Errorf("it was not forgotten: %d", status)
		}
		if len(ended) > 0 {
			t.Errorf("failed: %q", ended)
		}
		if n := len(oig.Received("")); n > 0 {
			t.Errorf("the server received %d", n)
		}
	})
	if len(failed) > 0 {
		t.Errorf("failed: %q", failed)
	}
}

// A follower is a response that tells of each entry of a journal that is sent
// in it.
type follower struct {
	header  http.Header
	entries chan struct{}
}

func (f *follower) Header() http.Header { return f.header }
func (f *follower) WriteHeader(int)     {}
func (f *follower) Flush()              {}

func (f *follower) Write(b []byte) (int, error) {
	for range bytes.Count(b, []byte("\nevent: entry\n")) {
		f.entries <- struct{}{}
	}
	return len(b), nil
}

// What hangs does not hold up the end of a test, and nothing of it is left: the
// clock of the bubble stands still while anybody waits for a connection, so
// nothing hangs less than for ever, and the bubble lasts until all its
// goroutines have ended.
func TestEndWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		test := &standIn{name: "TestStandIn"}
		oig := oigtest.NewServer(test)
		oig.Put("slow", `scenario: Slow
source: assumed
interactions:
  - {name: slow, request: {path: /slow}, response: {status: 200, delay: 10m}}
  - {name: hangs, request: {path: /hangs}, response: {status: 200, fault: hang}}
`)
		session := oig.Session(test)
		session.AllowUnanswered()
		ask(t, session.Client(), "GET", session.URL+"/nothing", "")

		ctx, cancel := context.WithCancel(t.Context())
		journal, err := http.NewRequestWithContext(ctx, "GET", "http://localhost/journal?follow=true", nil)
		if err != nil {
			t.Fatal(err)
		}
		arrived := &follower{http.Header{}, make(chan struct{}, 10)}
		var wg sync.WaitGroup
		wg.Go(func() { oig.Mock.Admin(mockserver.AdminConfig{}).ServeHTTP(arrived, journal) })
		for _, url := range []string{oig.URL + "/slow", oig.URL + "/hangs"} {
			for range 5 {
				wg.Go(func() {
					if resp, err := session.Client().Get(url); err == nil {
						resp.Body.Close()
						t.Errorf("%s: got %s", url, resp.Status)
					}
				})
			}
		}
		for range cap(arrived.entries) {
			<-arrived.entries
		}
		cancel()
		began := time.Now()
		test.end()
		wg.Wait()
		if took := time.Since(began); took != 0 { // by the clock of the bubble
			t.Errorf("it waited for %s", took)
		}
		if len(test.failures) > 0 {
			t.Errorf("failed: %q", test.failures)
		}
	})
}

func TestSessions(t *testing.T) {
	test := &standIn{name: "TestÄ/a b#01?" + strings.Repeat("x", 200)}
	defer test.end()
	oig := oigtest.NewServer(test, oigtest.Clock(time.Date(2030, 5, 11, 0, 0, 0, 0, time.UTC)))
	oig.Put("a", one("/a", `"{{ self }} {{ now }}"`))
	oig.FastForward(time.Hour)
	a := oig.Session(test)
	b := a.Session(test)
	a.AllowUnanswered()
	a.Put("a", one("/a", `"{{ self }} {{ now }}"`))
	b.Put("a", one("/a", `"{{ self }} {{ now }}"`))
	b.FastForward(-time.Hour)
	if a.URL == b.URL || len(a.URL) > 200 || !strings.HasPrefix(b.URL, oig.URL+"/__session/Test..a.b.01.xxx") || !strings.HasSuffix(b.URL, "x-2") {
		t.Errorf("sessions at %s and %s", a.URL, b.URL)
	}
	for s, want := range map[*oigtest.Server]string{oig: "01", a: "00", b: "23"} {
		_, got := ask(t, s.Client(), "GET", s.URL+"/a", "")
		if !strings.HasPrefix(got, s.URL+"/a ") || !strings.Contains(got, "T"+want+":00:00") {
			t.Errorf("got %s, want %s/a at %s", got, s.URL, want)
		}
		if n := len(s.Received(`{path: /a}`)); n != 1 {
			t.Errorf("it received %d", n)
		}
	}
	b.SetTime(time.Time{})
	_, got := ask(t, b.Client(), "GET", b.URL+"/a", "")
	if now := time.Now().UTC(); !strings.Contains(got, now.Format("2006-01-02")) && !strings.Contains(got, now.Add(-time.Minute).Format("2006-01-02")) {
		t.Errorf("the real time: got %s", got)
	}
}

// A session that has ended is told from a new one, and what it was refused is
// not taken for nothing.
func TestSessionIsGone(t *testing.T) {
	const unknown = "the session ended before the test did, so what it was refused is not known"
	end := func(oig *oigtest.Server) {
		if was, err := oig.Mock.EndSession(oig.Name); !was || err != nil {
			t.Fatal(was, err)
		}
	}
	for name, test := range map[string]struct {
		f    func(*oigtest.Server)
		want []string
	}{
		"and was refused": {func(oig *oigtest.Server) {
			ask(t, oig.Client(), "GET", oig.URL+"/nothing", "")
			end(oig)
		}, []string{unknown}},
		"and another began": {func(oig *oigtest.Server) {
			end(oig)
			ask(t, oig.Client(), "GET", oig.URL+"/nothing", "")
		}, []string{unknown}},
		"and is asked": {func(oig *oigtest.Server) {
			end(oig)
			oig.SetTime(time.Now())
		}, []string{"has ended: ", unknown}},
		"and may": {func(oig *oigtest.Server) {
			oig.AllowUnanswered()
			end(oig)
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := failuresOf(func(standIn *standIn) { test.f(oigtest.NewServer(t).Session(standIn)) })
			if !slices.EqualFunc(got, test.want, strings.Contains) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// A test that imports the package compiles no more than what is listed here, and
// no C; the client under test stands on Go alone.
func TestConsumerCompilesLittle(t *testing.T) {
	list := func(args ...string) string {
		out, err := exec.Command("go", append([]string{"list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}} {{len .CgoFiles}}{{end}}"}, args...)...).Output()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %s", exit.Stderr)
		}
		return strings.TrimSpace(string(out))
	}
	const module = "github.com/oigmock/oigmock/"
	for line := range strings.Lines(list("-test", "./example")) {
		name, cgo, _ := strings.Cut(strings.TrimSpace(line), " ")
		known := false
		for _, prefix := range []string{module + "mockserver", module + "scenarios", module + "schemas",
			"gopkg.in/yaml.v3", "github.com/santhosh-tekuri/jsonschema/v5", "github.com/gorilla/mux", "github.com/golang-jwt/jwt/v5", "github.com/rs/cors"} {
			known = known || strings.HasPrefix(name, prefix)
		}
		if !known || !strings.HasSuffix(cgo, "0") {
			t.Errorf("it stands on %s, %s files of cgo", name, cgo)
		}
	}
	if got, want := list("./example"), module+"mockserver/oigtest/example 0"; got != want {
		t.Errorf("the client stands on\n%s", got)
	}
}

// What README shows is a test that is run.
func TestReadmeShowsTheExample(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile("example/client_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(readme), "\n```go\n")
	block, _, found := strings.Cut(block, "\n```\n")
	if !found || !strings.Contains(string(tests), "\n"+block+"\n") {
		t.Errorf("example/client_test.go has no\n%s", block)
	}
}
