package mockserver

import (
	"errors"
	"fmt"
	"go/scanner"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
)

// releaseIn is a release of the contract in testdata/compare, with the
// scenarios of the library.
func releaseIn(t testing.TB, release string) Config {
	t.Helper()
	c, err := schemas.Load(os.DirFS("testdata/compare"), "schemas", release)
	if err != nil {
		t.Fatal(err)
	}
	list, err := scenarios.OIG(release)
	if err != nil {
		t.Fatal(err)
	}
	return Config{Contract: c, Scenarios: list, Release: release}
}

func differencesText(all []Difference) string {
	var b strings.Builder
	for i := range all {
		d := &all[i]
		word := "adds"
		if d.Breaking {
			word = "breaks"
		}
		fmt.Fprintf(&b, "%s %s %s\n", word, d.Kind, strings.TrimPrefix(d.String(), ": "))
	}
	return b.String()
}

// What differs between two printed releases, with the line that says so.
func TestCompareReleases(t *testing.T) {
	all := Compare(releaseIn(t, "11.1.2.3"), releaseIn(t, "14.1.2")).Differences()
	got := differencesText(all)
	for _, want := range []string{
		`breaks header request header X-Requested-By: must be sent; without it the answer is 400 (scenarios/conventions.yaml:`,
		`breaks format request /policyviolationcause/*/riskAcceptedExpirationDate: the form dd-MMM-yy becomes iso (schemas/policyviolations/causes.update-12c.request.json:18:11)`,
		`breaks response-member response /policyviolationsresponse: "policyviolationsresponse" is now "policyVoilationsResponse" (schemas/policyviolations/causes.update-12c.response.json:12:5)`,
		`adds response-member response /links: is new (`,
		`breaks request-member request /fields: is gone (schemas/provtasks/update.request.json:`,
		`breaks required request /action: must be there now (schemas/provtasks/update-12c.request.json:11:5)`,
		`breaks word response /status: "OK" becomes "SUCCESS" (schemas/provtasks/update-12c.response.json:13:5)`,
		`breaks response-member response /assignee: is gone (`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("it lacks %s", want)
		}
	}
	if len(all) != 9 {
		t.Errorf("got %d:\n%s", len(all), got)
	}
	if same := Compare(releaseIn(t, "14.1.2"), releaseIn(t, "12.2.1.4")).Differences(); len(same) > 0 {
		t.Errorf("the same twice differs:\n%s", differencesText(same))
	}
	from, to := Compare(releaseIn(t, "11.1.2.3"), releaseIn(t, "14.1.2")).Sources(all[0].Operation)
	if from != "printed" || to != "printed" {
		t.Errorf("they rest on %q and %q", from, to)
	}
}

// Each kind of difference, in its words.
func TestDifferences(t *testing.T) {
	const request, response = "a.request.json", "a.response.json"
	object := func(operation, properties string) string {
		return schema(operation, `"properties": {`+properties+`}`)
	}
	for _, test := range []struct {
		name, file, from, to string
		want                 string
	}{
		{"the same", request, object("PUT /a/{b}", `"x": {"type": "string"}`), object("PUT /a/{c}", `"x": {"type": "string", "description": "else"}`), ``},
		{"another method", response, object("PUT /a/{b}", ``), object("POST /a/{b}", ``),
			"adds operation is new (to/a.response.json:1:76)\nbreaks operation is gone; 2 has POST there (from/a.response.json:1:76)\n"},
		{"a wider type, asked", request, object("PUT /a", `"x": {"type": "string"}`), object("PUT /a", `"x": {"type": ["string", "null"]}`),
			"adds type request /x: string becomes string or null (to/a.request.json:1:119)\n"},
		{"a wider type, answered", response, object("PUT /a", `"x": {"type": "string"}`), object("PUT /a", `"x": {"type": ["string", "null"]}`),
			"breaks type response /x: string becomes string or null (to/a.response.json:1:119)\n"},
		{"a number, where it was whole", request, object("PUT /a", `"x": {"type": "integer"}`), object("PUT /a", `"x": {"type": "number"}`),
			"adds type request /x: integer becomes number (to/a.request.json:1:119)\n"},
		{"words of an answer", response, object("PUT /a", `"x": {"examples": ["OK", " FAIL", "5126"]}`), object("PUT /a", `"x": {"examples": [" FAIL", "SUCCESS", "WAITING", "77"]}`),
			"breaks word response /x: \"OK\" becomes \"SUCCESS\" or \"WAITING\" (to/a.response.json:1:119)\n"},
		{"words that come to others", response, object("PUT /a", `"x": {"examples": ["OK"]}`), object("PUT /a", `"x": {"examples": ["OK", "FAIL"]}`),
			"adds word response /x: \"FAIL\" is new (to/a.response.json:1:119)\n"},
		{"ids are no words", response, object("PUT /a", `"x": {"examples": ["5126", "A1", "http://a/b"]}`), object("PUT /a", `"x": {"examples": ["76"]}`), ``},
		{"examples of a request leave others open", request, object("PUT /a", `"x": {"examples": ["a"]}`), object("PUT /a", `"x": {"examples": ["b"]}`), ``},
		{"a closed list of a request", request, object("PUT /a", `"x": {"enum": ["a", "c"]}`), object("PUT /a", `"x": {"enum": ["b", "c"]}`),
			"breaks word request /x: \"a\" becomes \"b\" (to/a.request.json:1:119)\n"},
		{"it may be missing", response, schema("PUT /a", `"required": ["x"], "properties": {"x": true}`), schema("PUT /a", `"properties": {"x": true}`),
			"breaks required response /x: may be missing now (to/a.response.json:1:119)\n"},
		{"it must be there", request, object("PUT /a", `"x": true`), schema("PUT /a", `"required": ["x"], "properties": {"x": true}`),
			"breaks required request /x: must be there now (to/a.request.json:1:138)\n"},
		{"a new name, much alike", response, object("PUT /a", `"link": true, "y": true`), object("PUT /a", `"links": true, "y": true, "z": true`),
			"breaks response-member response /link: \"link\" is gone; did you mean \"links\"? (to/a.response.json:1:119)\nadds response-member response /z: is new (to/a.response.json:1:145)\n"},
		{"a new name that is sure", response, schema("PUT /a", `"required": ["list"], "properties": {"list": {"type": "array", "items": {"properties": {"s": {"examples": ["A"]}}}}}`),
			schema("PUT /a", `"required": ["roles"], "properties": {"roles": {"type": "array", "items": {"properties": {"s": {"examples": ["B"]}}}}}`),
			"breaks response-member response /list: \"list\" is now \"roles\" (to/a.response.json:1:142)\nbreaks word response /list/*/s: \"A\" becomes \"B\" (to/a.response.json:1:194)\n"},
		{"one of two new names is alike", response, schema("PUT /a", `"required": ["rolesList"], "properties": {"rolesList": true}`),
			schema("PUT /a", `"required": ["links", "roleslist"], "properties": {"roleslist": true, "links": true}`),
			"breaks response-member response /rolesList: \"rolesList\" is now \"roleslist\" (to/a.response.json:1:155)\nadds response-member response /links: is new (to/a.response.json:1:174)\n"},
		{"nothing is said of what is in it", response, object("PUT /a", `"x": {"properties": {"y": true}}`), object("PUT /a", `"x": {"type": "object"}`), ``},
		{"statuses", response, schema("PUT /a", `"x-statuses": [200, 403], "properties": {"x": true}`), schema("PUT /a", `"x-statuses": [200, 404], "properties": {"x": true}`),
			"breaks status response status: 403 is not documented in 2 (to/a.response.json:1:76)\nadds status response status: 404 is new (to/a.response.json:1:76)\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			load := func(dir, text string) Config {
				d := t.TempDir()
				if err := os.WriteFile(filepath.Join(d, test.file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				c, err := schemas.Load(os.DirFS(d), dir, "")
				if err != nil {
					t.Fatal(err)
				}
				return Config{Contract: c, Release: map[string]string{"from": "1", "to": "2"}[dir]}
			}
			if got := differencesText(Compare(load("from", test.from), load("to", test.to)).Differences()); got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
		})
	}
}

// What headers are asked for, and sent, the scenarios say: one that sleeps, or
// hangs on something else, does not.
func TestCompareHeaders(t *testing.T) {
	contract := contractOf(t, things)
	const from = `
- {name: old, adds: {header: {X-Old: a, X-Both: b}}, request: {path: "/{rest...}"}}
`
	const to = `
- {name: new, adds: {header: {x-both: b, X-New: c}}, request: {path: "/{rest...}"}}
- {name: asked, order: first, request: {method: PUT, path: "/{rest...}", header: {x-requested-by: {$absent: true}}}, response: {status: 403}}
- {name: fine, order: first, request: {path: "/{rest...}", header: {X-Fine: {$absent: true}}}, response: {status: 200}}
- {name: late, request: {path: "/{rest...}", header: {X-Late: {$absent: true}}}, response: {status: 400}}
- {name: nobody, order: first, request: {path: "/{rest...}", user: {$absent: true}, header: {X-Token: {$absent: true}}}, response: {status: 401}}
`
	c := Compare(Config{Contract: contract, Release: "1", Scenarios: scenariosOf(t, "from", map[string]string{"from.yaml": from})},
		Config{Contract: contract, Release: "2", Scenarios: scenariosOf(t, "to", map[string]string{"to.yaml": to})})
	got := map[string][]string{}
	for _, d := range c.Differences() {
		got[d.Operation] = append(got[d.Operation], fmt.Sprint(d.Place, ": ", d.Text, " ", d.Breaking))
	}
	both := []string{"response header X-Old: is gone true", "response header X-New: is new false"}
	for operation, want := range map[string][]string{
		"GET /things/{id}": both,
		"PUT /things/{id}": append([]string{"request header X-Requested-By: must be sent; without it the answer is 403 true"}, both...),
	} {
		if !slices.Equal(got[operation], want) {
			t.Errorf("%s: got %q", operation, got[operation])
		}
	}
}

const printedCalls = "PUT /iam/governance/selfservice/api/v1/provtasks/5126\nuser: username\n\n" +
	`{"id": "5126", "requestId": "10001", "fields": [{"name": "Process Instance.Task Details.Note", "value": "x"}]}` +
	"\n===\nPUT /iam/governance/selfservice/api/v1/policyviolations/6F5592D7A5CE42CDB8A38996180A7D18/causes\nuser: username\n\n" +
	`{"policyviolationcause": [{"requestId": "gyjgh", "causeId": "287874BB86344E3DA243FC84029D76AF", "action": "ACCEPT_RISK", "comment": "CommentABC", "riskAcceptedExpirationDate": "11-May-16"}]}`

// journalOf is what the admin API says of the printed calls.
func journalOf(t testing.TB, target string, calls ...string) string {
	t.Helper()
	s := newServer(t, releaseIn(t, "11.1.2.3"))
	for _, c := range calls {
		body(t, s, call(c))
	}
	_, _, text := visitPage(t, s.Admin(AdminConfig{}), call("GET "+target))
	return text
}

func breaksOf(t testing.TB, c *Comparison, name, journal string) (lines []string, outside int) {
	t.Helper()
	for call, err := range ReadJournal(name, []byte(journal)) {
		if err != nil {
			t.Fatal(err)
		}
		breaks, inside := c.Breaks(call)
		if !inside {
			outside++
		}
		for i := range breaks {
			lines = append(lines, fmt.Sprint(breaks[i].Pos.Line, " ", breaks[i].Place, ": ", breaks[i].Text))
		}
	}
	return lines, outside
}

// The calls of the client of 11.1.2.3, as its journal has them, break in
// 14.1.2: each on its line, and whatever form the journal was saved in.
func TestCompareJournal(t *testing.T) {
	c := Compare(releaseIn(t, "11.1.2.3"), releaseIn(t, "14.1.2"))
	calls := append(strings.Split(printedCalls, "\n===\n"), "GET /elsewhere")
	text := journalOf(t, "/journal", calls...)
	want := []string{
		"2 request header X-Requested-By: must be sent; without it the answer is 400",
		"2 request /fields: is gone",
		`2 request: "action" is missing`,
		`2 response /status: "OK" becomes "SUCCESS"`,
		"2 response /assignee: is gone",
		"3 request header X-Requested-By: must be sent; without it the answer is 400",
		"3 request /policyviolationcause/0/riskAcceptedExpirationDate: the form dd-MMM-yy becomes iso",
		`3 response /policyviolationsresponse: "policyviolationsresponse" is now "policyVoilationsResponse"`,
	}
	lines := strings.Split(text, "\n")
	entries := lines[1 : len(lines)-1]
	for i := range entries {
		entries[i] = strings.TrimSuffix(entries[i], ",")
	}
	for name, journal := range map[string]string{
		"document":  text,
		"BOM":       "\uFEFF" + text,
		"lines":     "\n" + strings.Join(entries, "\n"),
		"list":      "[\n" + strings.Join(entries, ",\n") + "]",
		"pages":     "{\"evicted\": 0, \"entries\": [\n" + entries[0] + "]}{\"entries\": [\n" + entries[1] + "," + entries[2] + "]}",
		"events":    "id: 1\ndata: " + entries[0] + "\ndata:" + entries[1] + "\n: still here\n\nevent: evicted\ndata: {\"evicted\":1}\ndata: " + entries[2] + "\nevent: ended\ndata: {}\n",
		"CR events": strings.ReplaceAll("event: entry\ndata: "+entries[0]+"\ndata:"+entries[1]+"\ndata: "+entries[2]+"\n\n", "\n", "\r\n"),
	} {
		got, outside := breaksOf(t, c, name, journal)
		if !slices.Equal(got, want) || outside != 1 {
			t.Errorf("%s: %d outside, got\n%s\nwant\n%s", name, outside, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	// The column is that of the value.
	for call, err := range ReadJournal("j", []byte(text)) {
		if err != nil {
			t.Fatal(err)
		}
		breaks, _ := c.Breaks(call)
		for _, b := range breaks {
			if rest := lines[b.Pos.Line-1][b.Pos.Column-1:]; b.Kind == "word" && !strings.HasPrefix(rest, `"OK"`) {
				t.Errorf("%s is %.20s", b.Pos, rest)
			}
		}
	}
	// What was sent to another release is no call of this one.
	if got, outside := breaksOf(t, c, "another release", strings.ReplaceAll(text, `"release":"11.1.2.3"`, `"release":"12.2.1.4"`)); len(got) > 0 || outside != 3 {
		t.Errorf("another release: %d outside, got %v", outside, got)
	}
	if none := journalOf(t, "/journal"); none != `{"entries":[],"evicted":0}` {
		t.Errorf("a journal without entries is %s", none)
	}
}

// How calls break, one kind after the other.
func TestBreaks(t *testing.T) {
	c := Compare(releaseIn(t, "11.1.2.3"), releaseIn(t, "14.1.2"))
	entry := func(request, response string) string {
		return `{"method": "PUT", "path": "/iam/governance/selfservice/api/v1/provtasks/1", "request": {"header": {"x-requested-by": "me", "Content-Type": "application/json"},` +
			request + `}, "response": {"status": 200, "header": {}, ` + response + `}}`
	}
	for _, test := range []struct{ name, entry, want string }{
		{"nothing", entry(`"body": {"id": "1", "action": "retry"}`, `"body": {"id": "1", "status": "SUCCESS"}`), ``},
		{"another word than the printed ones", entry(`"body": {"id": "1", "action": "retry"}`, `"body": {"status": "WAITING", "more": 1}`), ``},
		{"what was wrong before", entry(`"body": {"id": 1, "action": "retry"}`, `"body": {}`), ``},
		{"no body at all", entry(`"body": null`, `"body": null`), ``},
		{"half of a body", entry(`"text": "{\"id\": ", "cut": true`, `"text": "{\"status\": \"OK\"", "cut": true`), ``},
		{"no JSON", entry(`"text": "{\"id\": "`, `"bytes": "/w=="`), ``},
		{"a body as a text", entry(`"text": "{\"id\": \"1\"}"`, `"text": "{\"status\": \"OK\"}"`),
			`request: "action" is missing; response /status: "OK" becomes "SUCCESS"`},
		{"a refusal of ours", `{"method": "PUT", "path": "/iam/governance/selfservice/api/v1/provtasks/1", "request": {"header": {"X-Requested-By": ["a"], "Content-Type": ["application/json"]}, "body": {"id": "1", "action": "a"}},
			"response": {"status": 501, "header": {"X-Mock-Error": ["no-match"]}, "body": {"status": "OK"}}}`, ``},
		{"the same many times", `{"method": "PUT", "path": "/iam/governance/selfservice/api/v1/policyviolations/1/causes", "request": {"header": {"X-Requested-By": ["a"], "Content-Type": ["application/json"]},
			"body": {"policyviolationcause": [{"riskAcceptedExpirationDate": "11-May-16"}, {"riskAcceptedExpirationDate": "2019-04-20T21:12:16Z"}]}}, "response": {}}`,
			`request /policyviolationcause/0/riskAcceptedExpirationDate: the form dd-MMM-yy becomes iso`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for call, err := range ReadJournal("j", []byte(test.entry)) {
				if err != nil {
					t.Fatal(err)
				}
				breaks, inside := c.Breaks(call)
				if !inside {
					t.Error("it is outside")
				}
				for i := range breaks {
					got = append(got, breaks[i].Place+": "+breaks[i].Text)
				}
			}
			if text := strings.Join(got, "; "); text != test.want {
				t.Errorf("got  %s\nwant %s", text, test.want)
			}
		})
	}
}

// The first fault of a journal is told with its place.
func TestJournalFaults(t *testing.T) {
	const entry = `{"method": "GET", "path": "/", "request": {}, "response": {}}`
	for _, test := range []struct{ journal, want string }{
		{"", "j:1:1: there is nothing in this file"},
		{" \n ", "j:1:1: there is nothing in this file"},
		{"7", "j:1:1: want an entry of a journal, got number"},
		{entry + "\n" + entry + "\n{\"method\": 1}", `j:3:12: this is no entry of a journal: "method" is number, want string`},
		{`{"method": "GET"}`, `j:1:1: this is no entry of a journal: "path" is missing`},
		{`{"method": "GET", "path": "", "request": [], "response": {}}`, `j:1:42: this is no entry of a journal: "request" is array, want object`},
		{`{"method": "GET", "path": "", "request": {"bytes": "?"}, "response": {}}`, `j:1:52: this is no entry of a journal: bytes are not in base64`},
		{`{"method": "GET", "path": "", "request": {}, "response": {"status": 20}}`, `j:1:69: this is no entry of a journal: the status is none from 100 to 599`},
		{"{\"entries\": [\n" + entry + "\n" + entry + "]}", "j:3:1: want a comma or ] after an entry"},
		{"{\"entries\": [\n" + entry + ",\n]}", "j:3:1: want a value, got \"]\""},
		{"{\"entries\": [\n" + entry, "j:2:62: the text ends inside an object"},
		{"{\"entries\": [\n" + entry + "],\n \"evicted\" 0}", "j:3:12: want a colon after a member name, got \"0\""},
		{"{\"entries\": [], \"entries\": []}", `j:1:17: the name "entries" stands twice in one object`},
		{"data: " + entry + "\nwhat\n", "j:2:1: this is no line of server-sent events"},
		{"data: {\n\n", "j:1:8: the text ends inside an object"},
		{entry + "\n" + strings.Repeat("[", 200), "j:2:"},
	} {
		var got error
		for _, err := range ReadJournal("j", []byte(test.journal)) {
			got = err
		}
		var e *scanner.Error
		if !errors.As(got, &e) || !strings.HasPrefix(got.Error(), test.want) {
			t.Errorf("%.60q: got %v, want %s", test.journal, got, test.want)
		}
	}
}

// A file of one line, or of nothing but lines, is read as fast as any other.
func TestLongJournal(t *testing.T) {
	const entry = `{"method": "GET", "path": "/", "request": {}, "response": {}}`
	for _, between := range []string{",", strings.Repeat("\n", 1000) + ","} {
		text := "[" + strings.Repeat(entry+between, 20_000) + entry + "]"
		n, last := 0, 0
		for call, err := range ReadJournal("j", []byte(text)) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			last = call.Pos("").Line
		}
		if want := 1 + 20_000*strings.Count(between, "\n"); n != 20_001 || last != want {
			t.Errorf("%d entries, the last at line %d, want %d", n, last, want)
		}
	}
}

// Whatever a file holds, it is read to its end or to its first fault, and what
// is told of it lies in it.
func FuzzJournal(f *testing.F) {
	text := journalOf(f, "/journal", strings.Split(printedCalls, "\n===\n")...)
	lines := strings.Split(text, "\n")
	f.Add([]byte(text))
	f.Add([]byte("id: 1\nevent: entry\ndata: " + strings.TrimSuffix(lines[1], ",") + "\n\nevent: ended\ndata: {}\n"))
	f.Add([]byte(strings.TrimSuffix(lines[1], ",") + "\n" + lines[2]))
	f.Add([]byte(`[{"method": "PUT", "path": "/x", "request": {"text": "a"}, "response": {"bytes": "AA==", "cut": true}}]`))
	f.Add([]byte(`{"entries": [}`))
	f.Add([]byte(`{"a":}"entries"[`))
	c := Compare(releaseIn(f, "11.1.2.3"), releaseIn(f, "14.1.2"))
	f.Fuzz(func(t *testing.T, src []byte) {
		rows := strings.Split(string(src), "\n")
		for call, err := range ReadJournal("j", src) {
			if err != nil {
				var e *scanner.Error
				if !errors.As(err, &e) {
					t.Fatalf("the fault %v has no place", err)
				}
				if p := e.Pos; p.Line < 1 || p.Line > len(rows) || p.Column < 1 || p.Column > len(rows[p.Line-1])+1 {
					t.Errorf("%v is not in the file", err)
				}
				continue
			}
			breaks, _ := c.Breaks(call)
			for _, b := range breaks {
				if p := b.Pos; p.Line < 1 || p.Line > len(rows) || p.Column < 1 || p.Column > len(rows[p.Line-1]) {
					t.Errorf("%s is not in the file", b.String())
				}
			}
		}
	})
}

// The examples of scenarios are calls, too: each breaks on the lines of its own
// file.
func TestCompareScenarios(t *testing.T) {
	from := releaseIn(t, "11.1.2.3")
	c := Compare(from, releaseIn(t, "14.1.2"))
	const text = `scenario: S
source: assumed
records: {tasks/7: {state: Rejected}}
interactions:
  - name: two turns
    request:
      method: PUT
      path: /iam/governance/selfservice/api/v1/provtasks/{taskid}
      body: {id: "7", action: retry}
    when:
      tasks/{taskid}: {state: Rejected}
    response:
      - {status: 200, body: {id: "7", status: SUCCESS}}
      - status: 200
        body:
          id: "7"
          status: OK
  - name: everything
    request: {path: "/iam/{rest...}"}
    response: {status: 200}
`
	from.Scenarios = scenariosOf(t, "s", map[string]string{"s.yaml": text})
	var got []string
	unmade := 0
	for call := range Examples(from) {
		if call == nil {
			unmade++
			continue
		}
		breaks, _ := c.Breaks(call)
		for _, b := range breaks {
			got = append(got, fmt.Sprintf("%d:%d %s: %s", b.Pos.Line, b.Pos.Column, b.Place, b.Text))
		}
	}
	if want := []string{`17:19 response /status: "OK" becomes "SUCCESS"`}; !slices.Equal(got, want) || unmade != 1 {
		t.Errorf("%d unmade, got %q, want %q", unmade, got, want)
	}
}
