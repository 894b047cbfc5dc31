package mockserver

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
)

// noon is when the tests take place: the day of Oracle's printed call, in a
// year that is yet to come.
var noon = time.Date(2030, 5, 11, 0, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

// things is a small contract: two methods of one path, and a path that differs
// from it in a text where that has a parameter.
var things = map[string]string{
	"read.response.json":          schema("GET /things/{id}", `"properties": {"id": {"type": "string"}}`),
	"update.request.json":         schema("PUT /things/{id}", `"required": ["id"], "properties": {"id": {"type": "string"}, "n": {"type": "number"}}`),
	"update.response.json":        schema("PUT /things/{id}", `"properties": {"id": {"type": "string"}}`),
	"self.response.json":          schema("GET /things/self", `"properties": {"id": {"type": "string"}}`),
	"causes/update.request.json":  schema("PUT /things/{id}/causes/{cause}", `"required": ["date"], "properties": {"date": {"type": "string"}}`),
	"causes/update.response.json": schema("PUT /things/{id}/causes/{cause}", `"properties": {"ok": {"type": "boolean"}}`),
}

func schema(operation, rest string) string {
	return fmt.Sprintf(`{"$schema": "https://json-schema.org/draft/2020-12/schema", "x-operation": %q, "type": "object", %s}`, operation, rest)
}

func contractOf(t testing.TB, files map[string]string) *schemas.Contract {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	c, err := schemas.Load(fsys, "schemas", "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// scenariosOf reads files by their names. What has no head gets one.
func scenariosOf(t testing.TB, origin string, files map[string]string) []*scenarios.Scenario {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		if !strings.Contains(text, "scenario:") {
			text = "scenario: S\nsource: assumed\ninteractions:\n" + text
		}
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	list, err := scenarios.Load(fsys, origin)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// thingsServer serves the contract of things with one file of interactions.
func thingsServer(t testing.TB, interactions string) *Server {
	t.Helper()
	return newServer(t, Config{Contract: contractOf(t, things), Scenarios: scenariosOf(t, "scenarios", map[string]string{"s.yaml": interactions})})
}

func newServer(t testing.TB, cfg Config) *Server {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = atNoon
	}
	cfg.Seed = 1
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A call is a request as a test writes it: a line, headers, an empty line, a
// body. A PUT or POST with a body says that it is JSON, unless it says else.
type call string

func (c call) request(t testing.TB) *http.Request {
	t.Helper()
	head, body, _ := strings.Cut(string(c), "\n\n")
	lines := strings.Split(strings.TrimSpace(head), "\n")
	method, target, ok := strings.Cut(lines[0], " ")
	if !ok {
		t.Fatalf("no request: %s", c)
	}
	body = strings.TrimSuffix(body, "\n")
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		if name == "Content-Type" {
			r.Header.Del(name)
			if strings.TrimSpace(value) == "" {
				continue
			}
		}
		if name == "user" {
			r.SetBasicAuth(strings.TrimSpace(value), "secret")
			continue
		}
		r.Header.Add(name, strings.TrimSpace(value))
	}
	return r
}

// ask sends a call down the road and returns the answer with its entry in the
// journal.
func ask(t testing.TB, s *Server, c call) (*http.Response, string, Entry) {
	t.Helper()
	return send(t, s, c.request(t))
}

func send(t testing.TB, s *Server, r *http.Request) (*http.Response, string, Entry) {
	t.Helper()
	before, _ := s.home.Journal(0)
	last := uint64(0)
	if len(before) > 0 {
		last = before[len(before)-1].Seq
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	entries, _ := s.home.Journal(last)
	if len(entries) != 1 {
		t.Fatalf("%s %s: %d entries in the journal, want one", r.Method, r.URL, len(entries))
	}
	return w.Result(), w.Body.String(), entries[0]
}

// written is the value of a header that is written just so.
func written(h http.Header, name string) []string { return h[name] }

// nearText tells near misses in a line each.
func nearText(near []NearMiss) string {
	var b strings.Builder
	for _, m := range near {
		fmt.Fprintf(&b, "%s:", m.Interaction)
		for _, why := range m.Mismatches {
			fmt.Fprintf(&b, " %s: want %s, got %s;", why.At, why.Want, why.Got)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestDecide(t *testing.T) {
	const (
		general  = "- {name: general, request: {method: PUT, path: '/things/{id}'}, response: {status: 200, body: {id: g}}}\n"
		five     = "- {name: five, request: {method: PUT, path: /things/5}, response: {status: 200, body: {id: '5'}}}\n"
		guard    = "- {name: guard, order: first, request: {path: '/{rest...}', user: {$absent: true}}, response: {status: 401}}\n"
		last     = "- {name: last, order: last, request: {path: '/{rest...}'}, response: {status: 404}}\n"
		invalid  = "- {name: invalid, request: {method: PUT, path: '/things/{id}', payload: invalid}, response: {status: 422}}\n"
		whatever = "- {name: any, request: {method: PUT, path: '/things/{id}', payload: any}, response: {status: 202, body: {}}}\n"
		id6      = "- {name: six, request: {method: PUT, path: '/things/{id}', body: {id: '6'}}, response: {status: 206, body: {}}}\n"
		mine     = "user: me\n\n"
	)
	for _, test := range []struct {
		name         string
		interactions string
		call         call
		outcome      Outcome
		interaction  string
		status       int
		near         string
	}{
		{"the first that matches", five + general, "PUT /things/5\n" + mine + `{"id": "5"}`, Answered, "five", 200, ""},
		{"from the top", five + general, "PUT /things/6\n" + mine + `{"id": "6"}`, Answered, "general", 200, ""},
		{"first comes before the contract", guard + general, "PUT /things/5\n\n{}", Answered, "guard", 401, ""},
		{"first wherever it stands", general + guard, "PUT /things/5\n\n" + `{"id": "5"}`, Answered, "guard", 401, ""},
		{"first only where it matches", general + guard, "PUT /things/5\n" + mine + `{"id": "5"}`, Answered, "general", 200, ""},
		{"the contract comes before ordinary ones", general, "PUT /things/5\n" + mine + `{"id": 5}`, Contract, "", 400, ""},
		{"the contract comes before last ones", last, "PUT /things/5\n" + mine + `{"id": 5}`, Contract, "", 400, ""},
		{"payload invalid takes what breaks the contract", general + invalid, "PUT /things/5\n" + mine + `{}`, Answered, "invalid", 422, ""},
		{"payload invalid and nothing else", invalid + general, "PUT /things/5\n" + mine + `{"id": "5"}`, Answered, "general", 200, ""},
		{"payload invalid alone", invalid, "PUT /things/5\n" + mine + `{"id": "5"}`, NoMatch, "", 501, ""},
		{"payload invalid takes what is no JSON", invalid, "PUT /things/5\n" + mine + `{"id`, Answered, "invalid", 422, ""},
		{"payload invalid takes another media type", invalid, "PUT /things/5\nContent-Type: text/plain\n\n" + `{"id": "5"}`, Answered, "invalid", 422, ""},
		{"payload any takes the one", whatever, "PUT /things/5\n" + mine + `{}`, Answered, "any", 202, ""},
		{"payload any takes the other", whatever, "PUT /things/5\n" + mine + `{"id": "5"}`, Answered, "any", 202, ""},
		{"last comes last", last + five, "PUT /things/5\n" + mine + `{"id": "5"}`, Answered, "five", 200, ""},
		{"last answers, and near misses are kept", last + five, "PUT /things/6\n" + mine + `{"id": "6"}`, Answered, "last", 404,
			"five: path: want /things/5, got /things/6;\n"},
		{"near misses of no match", five + id6, "PUT /things/7\n" + mine + `{"id": "7"}`, NoMatch, "", 501,
			"six: body /id: want \"6\", got \"7\";\nfive: path: want /things/5, got /things/7;\n"},
		{"nothing at all", five, "GET /things/self\n" + mine, NoMatch, "", 501, ""},
		{"outside the contract", "- {name: out, request: {path: /other}, response: {status: 200}}\n", "GET /other", Answered, "out", 200, ""},
		{"outside, and nobody", five, "GET /other", NoOperation, "", 501, ""},
		{"a method that the contract lacks", five, "DELETE /things/5", NoOperation, "", 405, ""},
		{"a method that the contract lacks, before guards", guard + five, "DELETE /things/5", NoOperation, "", 405, ""},
		{"a method that an interaction names", five + "- {name: gone, request: {method: DELETE, path: '/things/{id}'}, response: {status: 204}}\n",
			"DELETE /things/5", Answered, "gone", 204, ""},
		{"a method that an interaction names, for another thing", "- {name: gone, request: {method: DELETE, path: '/things/6'}, response: {status: 204}}\n",
			"DELETE /things/5", NoOperation, "", 405, "gone: path: want /things/6, got /things/5;\n"},
		{"and then guards count", guard + "- {name: gone, request: {method: DELETE, path: '/things/{id}'}, response: {status: 204}}\n",
			"DELETE /things/5", Answered, "guard", 401, ""},
		{"adds name no method", "- {name: more, request: {method: DELETE, path: '/things/{id}'}, adds: {header: {A: b}}}\n" + five,
			"DELETE /things/5", NoOperation, "", 405, ""},
		{"OPTIONS", five, "OPTIONS /things/5", Answered, "", 200, ""},
		{"OPTIONS outside", five, "OPTIONS /other", NoOperation, "", 501, ""},
		{"HEAD is answered from GET", "- {name: read, request: {method: GET, path: '/things/{id}'}, response: {status: 200, body: {id: a}}}\n",
			"HEAD /things/5", Answered, "read", 200, ""},
		{"HEAD where there is no GET", "- {name: c, request: {method: PUT, path: '/things/{id}/causes/{cause}'}, response: {status: 200, body: {}}}\n",
			"HEAD /things/5/causes/1", NoOperation, "", 405, ""},
		{"HEAD that an interaction names", "- {name: read, request: {method: GET, path: '/things/{id}'}, response: {status: 200, body: {}}}\n" +
			"- {name: head, request: {method: HEAD, path: '/things/{id}'}, response: {status: 204}}\n",
			"HEAD /things/5", Answered, "head", 204, ""},
		{"HEAD outside the contract", "- {name: out, request: {method: GET, path: /other}, response: {status: 200, body: 1}}\n",
			"HEAD /other", Answered, "out", 200, ""},
		{"HEAD outside that an interaction names", "- {name: out, request: {method: GET, path: /other}, response: {status: 200, body: 1}}\n" +
			"- {name: head, request: {method: HEAD, path: /other}, response: {status: 204}}\n",
			"HEAD /other", Answered, "head", 204, ""},
		{"HEAD that an interaction names for another thing", "- {name: read, request: {method: GET, path: '/things/{id}'}, response: {status: 200, body: {}}}\n" +
			"- {name: head, request: {method: HEAD, path: /things/6}, response: {status: 204}}\n",
			"HEAD /things/5", Answered, "read", 200, ""},
		{"HEAD outside that an interaction names for another path", "- {name: out, request: {method: GET, path: /other}, response: {status: 200, body: 1}}\n" +
			"- {name: head, request: {method: HEAD, path: /another}, response: {status: 204}}\n",
			"HEAD /other", Answered, "out", 200, ""},
		{"HEAD that an interaction names, where there is no GET", "- {name: head, request: {method: HEAD, path: '/things/{id}/causes/1'}, response: {status: 204}}\n",
			"HEAD /things/5/causes/1", Answered, "head", 204, ""},
		{"HEAD that an interaction names for another thing, where there is no GET", "- {name: head, request: {method: HEAD, path: '/things/{id}/causes/2'}, response: {status: 204}}\n",
			"HEAD /things/5/causes/1", NoOperation, "", 405, "head: path: want /things/{id}/causes/2, got /things/5/causes/1;\n"},
		{"HEAD, one of several methods", "- {name: head, request: {method: HEAD, path: /things/6}, response: {status: 204}}\n" +
			"- {name: both, request: {method: {$oneOf: [GET, HEAD]}, path: '/things/{id}'}, response: {status: 200, body: {}}}\n",
			"HEAD /things/5", Answered, "both", 200, ""},
		{"a guard before HEAD", guard + "- {name: read, request: {method: GET, path: '/things/{id}'}, response: {status: 200, body: {}}}\n" +
			"- {name: head, request: {method: HEAD, path: /things/6}, response: {status: 204}}\n",
			"HEAD /things/6", Answered, "guard", 401, ""},
		{"the more literal path", "- {name: self, request: {method: GET, path: /things/self}, response: {status: 200, body: {}}}\n", "GET /things/self", Answered, "self", 200, ""},
		{"an encoded slash is no slash", general, "PUT /things/a%2Fb\n" + mine + `{"id": "5"}`, Answered, "general", 200, ""},
		{"what is encoded in vain is the same path", general, "PUT /%74hings/5\n" + mine + `{}`, Contract, "", 400, ""},
		{"a charset does no harm", general, "PUT /things/5\nContent-Type: Application/JSON; charset=utf-8\n\n" + `{"id": "5"}`, Answered, "general", 200, ""},
		{"no media type", general, "PUT /things/5\nContent-Type:\n\n" + `{"id": "5"}`, Contract, "", 400, ""},
		{"when", "- {name: rejected, request: {method: PUT, path: '/things/{id}', query: {x: {$any: y}}, body: {id: {$like: '5'}}}, when: {body/id: '5', query/x: y}, response: {status: 200, body: {}}}\n",
			"PUT /things/1?x=z\n" + mine + `{"id": "5"}`, NoMatch, "", 501, "rejected: query/x: want \"y\", got \"z\";\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := thingsServer(t, test.interactions)
			res, body, e := ask(t, s, test.call)
			if e.Outcome != test.outcome || e.Interaction != test.interaction || res.StatusCode != test.status {
				t.Errorf("got %s by %q with %d, want %s by %q with %d\n%s",
					e.Outcome, e.Interaction, res.StatusCode, test.outcome, test.interaction, test.status, body)
			}
			if got := nearText(e.NearMisses); got != test.near {
				t.Errorf("near misses: got\n%swant\n%s", got, test.near)
			}
			method, _, _ := strings.Cut(string(test.call), " ")
			if e.Exchange.Request.Method != method {
				t.Errorf("the journal says %s, and %s was sent", e.Exchange.Request.Method, method)
			}
			if test.outcome == Answered {
				if got := res.Header.Get("X-Mock-Error"); got != "" {
					t.Errorf("an answer with X-Mock-Error: %s", got)
				}
				if got := res.Header.Get("X-Mock-Scenario"); test.interaction != "" && got != "s#"+test.interaction {
					t.Errorf("X-Mock-Scenario: got %q", got)
				}
				return
			}
			if got := res.Header.Get("X-Mock-Error"); got != string(test.outcome) {
				t.Errorf("X-Mock-Error: got %q", got)
			}
			if got := res.Header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("Content-Type: got %q", got)
			}
			if allow := res.Header.Get("Allow"); (res.StatusCode == 405) != (allow != "") {
				t.Errorf("%d with Allow: %q", res.StatusCode, allow)
			}
		})
	}
}

// Without a contract nothing is outside of it.
func TestNoContract(t *testing.T) {
	s := newServer(t, Config{Scenarios: scenariosOf(t, "scenarios", map[string]string{
		"s.yaml": "- {name: a, request: {method: PUT, path: /a, body: {id: 1}}, response: {status: 200}}\n"})})
	if _, _, e := ask(t, s, "PUT /a\n\n{\"id\": 1}"); e.Outcome != Answered {
		t.Errorf("got %s", e.Outcome)
	}
	res, body, e := ask(t, s, "PUT /a\n\n{\"id\": 2}")
	if e.Outcome != NoMatch || res.StatusCode != 501 || strings.Contains(body, "contract") {
		t.Errorf("got %s, %d: %s", e.Outcome, res.StatusCode, body)
	}
}

func TestAllow(t *testing.T) {
	s := thingsServer(t, "- {name: gone, request: {method: DELETE, path: '/things/{id}'}, response: {status: 204}}\n"+
		"- {name: cause, request: {method: GET, path: '/things/{id}/causes/1'}, response: {status: 200}}\n"+
		"- {name: more, request: {method: POST, path: '/{rest...}'}, adds: {header: {A: b}}}\n")
	for c, want := range map[call]string{
		"OPTIONS /things/5":          "DELETE, GET, HEAD, OPTIONS, PUT",
		"PATCH /things/5":            "DELETE, GET, HEAD, OPTIONS, PUT",
		"POST /things/self":          "DELETE, GET, HEAD, OPTIONS",
		"PATCH /things/5/causes/1":   "GET, HEAD, OPTIONS, PUT",
		"OPTIONS /things/5/causes/1": "GET, HEAD, OPTIONS, PUT",
	} {
		if res, _, _ := ask(t, s, c); res.Header.Get("Allow") != want {
			t.Errorf("%s: got Allow: %q, want %q", c, res.Header.Get("Allow"), want)
		}
	}
}

// Precedence among scenarios: sources as they are given, then file names, then
// from the top.
func TestPrecedence(t *testing.T) {
	answer := func(name string) string {
		return "- {name: " + name + ", request: {method: PUT, path: '/things/{id}'}, response: {status: 200, body: {}}}\n"
	}
	library := scenariosOf(t, "library", map[string]string{"b.yaml": answer("library b"), "a.yaml": answer("library a")})
	dir := scenariosOf(t, "dir", map[string]string{"z.yaml": answer("dir z")})
	order := func(list []*scenarios.Scenario) (names []string) {
		c := newCatalog(contractOf(t, things), list, "", atNoon(), nil)
		for _, e := range c.route("/things/1").tables["PUT"].ordinary.entries {
			names = append(names, e.Name)
		}
		return names
	}
	if got, want := order(append(slices.Clone(dir), library...)), []string{"dir z", "library a", "library b"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	two := scenariosOf(t, "two", map[string]string{"m.yaml": "scenario: S\nsource: assumed\nreleases: [14.1.2]\ninteractions:\n" + answer("of 14.1.2") +
		"---\nscenario: S\nsource: assumed\ninteractions:\n" + answer("of all")})
	if got := newCatalog(nil, two, "11.1.2.3", atNoon(), nil); got.scenarios != 1 || len(got.all) != 1 || got.all[0].Name != "of all" {
		t.Errorf("another release counts: %d scenarios", got.scenarios)
	}
}

func TestAdds(t *testing.T) {
	const (
		ready    = "- {name: base, request: {method: PUT, path: '/things/{id}'}, response: {status: 200, header: {X-A: base, X-B: base}, body: {id: base}, delay: 1s}}\n"
		template = "- {name: base, request: {method: PUT, path: '/things/{id}'}, response: {status: 200, header: {X-A: base, X-B: base}, body: {id: 'bas{{ query/none | default e }}'}, delay: 1s}}\n"
		typed    = "- {name: base, request: {path: /typed}, response: {status: 299, header: {content-type: text/x-base}, text: base}}\n"
	)
	one := func(part string) string {
		return "- {name: one, request: {path: '/{rest...}'}, adds: {" + part + "}}\n"
	}
	two := func(part string) string {
		return "- {name: two, request: {path: '/{rest...}'}, adds: {" + part + "}}\n"
	}
	bases := map[string]string{"ready": ready, "template": template}
	for _, test := range []struct {
		name   string
		adds   string
		status int
		header map[string]string // as on the wire, names and all
		body   string
		delay  time.Duration
	}{
		{"nothing", "", 200, map[string]string{"X-A": "base", "X-B": "base", "Content-Type": "application/json"}, `{"id":"base"}`, time.Second},
		{"a header", one("header: {X-C: one}"), 200, map[string]string{"X-A": "base", "X-B": "base", "X-C": "one"}, `{"id":"base"}`, time.Second},
		{"a header in place of another", one("header: {X-A: one}"), 200, map[string]string{"X-A": "one", "X-B": "base"}, `{"id":"base"}`, time.Second},
		{"in any letter case", one("header: {x-a: one}"), 200, map[string]string{"x-a": "one", "X-B": "base"}, `{"id":"base"}`, time.Second},
		{"the earlier wins", one("header: {X-A: one}") + two("header: {X-A: two, X-B: two, X-C: two}"), 200,
			map[string]string{"X-A": "one", "X-B": "two", "X-C": "two"}, `{"id":"base"}`, time.Second},
		{"the earlier wins in any letter case", one("header: {X-C: one}") + two("header: {x-c: two}"), 200,
			map[string]string{"X-A": "base", "X-B": "base", "X-C": "one"}, `{"id":"base"}`, time.Second},
		{"another media type", one("header: {Content-Type: text/one}"), 200, map[string]string{"X-A": "base", "X-B": "base", "Content-Type": "text/one"}, `{"id":"base"}`, time.Second},
		{"another media type in small letters", one("header: {content-type: text/one}"), 200,
			map[string]string{"X-A": "base", "X-B": "base", "content-type": "text/one"}, `{"id":"base"}`, time.Second},
		{"gzip that the client does not take", one("header: {Content-Encoding: gzip}"), 200,
			map[string]string{"X-A": "base", "X-B": "base", "Vary": "Accept-Encoding"}, `{"id":"base"}`, time.Second},
		{"a status", one("status: 201"), 201, map[string]string{"X-A": "base", "X-B": "base"}, `{"id":"base"}`, time.Second},
		{"the earlier status", one("status: 201") + two("status: 202"), 201, map[string]string{"X-A": "base", "X-B": "base"}, `{"id":"base"}`, time.Second},
		{"a status and a body of two", one("status: 201") + two("status: 202, body: {id: two}"), 201,
			map[string]string{"X-A": "base", "X-B": "base", "Content-Type": "application/json"}, `{"id":"two"}`, time.Second},
		{"a text", one("text: one"), 200, map[string]string{"X-A": "base", "X-B": "base", "Content-Type": "text/plain; charset=utf-8"}, "one", time.Second},
		{"a status without a body", one("status: 204"), 204, map[string]string{"X-A": "base", "X-B": "base"}, "", time.Second},
		{"a delay", one("delay: 3s"), 200, map[string]string{"X-A": "base", "X-B": "base"}, `{"id":"base"}`, 3 * time.Second},
		{"the earlier delay", one("header: {X-C: one}") + two("delay: 5s") + "- {name: three, request: {path: '/{rest...}'}, adds: {delay: 7s}}\n", 200,
			map[string]string{"X-A": "base", "X-B": "base", "X-C": "one"}, `{"id":"base"}`, 5 * time.Second},
		{"a template", one("header: {X-C: '{{ query/x }}'}, status: '{{ query/s | default 200 }}'"), 203, map[string]string{"X-A": "base", "X-B": "base", "X-C": "y"}, `{"id":"base"}`, time.Second},
		{"a header that holds nothing", one("header: {X-A: '{{ query/none }}'}"), 200, map[string]string{"X-A": "base", "X-B": "base"}, `{"id":"base"}`, time.Second},
	} {
		for kind, base := range bases {
			t.Run(test.name+"/"+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := thingsServer(t, base+test.adds)
					began := time.Now()
					res, body, e := ask(t, s, "PUT /things/1?x=y&s=203\n\n"+`{"id": "1"}`)
					if got := time.Since(began); got != test.delay {
						t.Errorf("it took %s, want %s", got, test.delay)
					}
					if res.StatusCode != test.status || body != test.body || e.Interaction != "base" {
						t.Errorf("got %d %s by %q, want %d %s", res.StatusCode, body, e.Interaction, test.status, test.body)
					}
					if e.Exchange.Response.Status != test.status || test.body != "" && string(e.Exchange.Response.Body) != test.body {
						t.Errorf("the journal says %d %s", e.Exchange.Response.Status, e.Exchange.Response.Body)
					}
					if got, want := res.Header.Get("Content-Length"), fmt.Sprint(len(body)); test.status != 204 && got != want {
						t.Errorf("Content-Length: got %q, want %q", got, want)
					}
					if got := res.Header.Get("X-Mock-Scenario"); got != "s#base" {
						t.Errorf("X-Mock-Scenario: got %q", got)
					}
					got := map[string]string{}
					for name, values := range res.Header {
						switch name {
						case "Content-Length", "X-Mock-Scenario":
							continue
						case "Content-Type":
							if _, asked := test.header[name]; !asked && values != nil && values[0] == "application/json" && body != "" {
								continue
							}
						}
						if len(values) > 0 {
							got[name] = strings.Join(values, "|")
						}
					}
					if !maps.Equal(got, test.header) {
						t.Errorf("headers: got %v, want %v", got, test.header)
					}
				})
			})
		}
	}

	t.Run("a body has a media type of its own", func(t *testing.T) {
		s := thingsServer(t, typed+one("body: {id: one}"))
		res, body, _ := ask(t, s, "GET /typed")
		if got := res.Header; got.Get("Content-Type") != "application/json" || len(written(got, "content-type")) > 0 || body != `{"id":"one"}` {
			t.Errorf("got %v, %s", got, body)
		}
	})
	t.Run("a name in small letters stays, and is the only one", func(t *testing.T) {
		s := httptest.NewServer(thingsServer(t, typed))
		defer s.Close()
		res, err := s.Client().Get(s.URL + "/typed")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if got := res.Header.Values("Content-Type"); !slices.Equal(got, []string{"text/x-base"}) {
			t.Errorf("got %q", got)
		}
	})
	t.Run("not to our own refusals", func(t *testing.T) {
		s := thingsServer(t, "- {name: b, request: {method: PUT, path: /things/1}, response: {status: 200, body: {}}}\n"+one("status: 299, header: {X-C: one}"))
		for _, c := range []call{"PUT /things/1\n\n{}", "PUT /things/2\n\n" + `{"id": "1"}`, "DELETE /things/1", "OPTIONS /things/1", "GET /other"} {
			if res, _, _ := ask(t, s, c); res.StatusCode == 299 || res.Header.Get("X-C") != "" {
				t.Errorf("%s: got %d, %v", c, res.StatusCode, res.Header)
			}
		}
	})
	t.Run("one that cannot be made", func(t *testing.T) {
		s := thingsServer(t, ready+one("header: {X-C: 'a {{ query/none2 | default b }}'}, status: '{{ query/s | default 200 }}'"))
		res, body, e := ask(t, s, "PUT /things/1?s=9999\n\n"+`{"id": "1"}`)
		if e.Outcome != Template || res.StatusCode != 500 || e.Interaction != "one" || !strings.Contains(body, `status: what the template finds is no number from 200 to 599`) {
			t.Errorf("got %s by %q, %d: %s", e.Outcome, e.Interaction, res.StatusCode, body)
		}
	})
}

// The name of a file and of an interaction travel in a header, whatever they
// are.
func TestOrigin(t *testing.T) {
	s := newServer(t, Config{Scenarios: scenariosOf(t, "scenarios", map[string]string{
		"ü #1/a b.yaml": "- {name: \"50% näher #2\", request: {path: /a}, response: {status: 200}}\n"})})
	res, _, _ := ask(t, s, "GET /a")
	if got, want := res.Header.Get("X-Mock-Scenario"), "%C3%BC%20%231/a%20b#50%25%20n%C3%A4her%20#2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestGzip(t *testing.T) {
	s := thingsServer(t, "- {name: a, request: {path: /a}, response: {status: 200, header: {Content-Encoding: gzip, Vary: [A, B, C]}, body: {id: a}}}\n")
	for accept, want := range map[string]string{
		"": "", "gzip": "gzip", "deflate, GZIP;q=0.5": "gzip", "gzip;q=0": "", "gzip; q=0.0": "", "br": "",
	} {
		res, body, _ := ask(t, s, call("GET /a\nAccept-Encoding: "+accept))
		if got := res.Header.Get("Content-Encoding"); got != want {
			t.Errorf("%q: got %q", accept, got)
		}
		if plain := body == `{"id":"a"}`; plain != (want == "") || res.Header.Get("Content-Length") != fmt.Sprint(len(body)) {
			t.Errorf("%q: got %q, Content-Length %s", accept, body, res.Header.Get("Content-Length"))
		}
		if got := strings.Join(res.Header["Vary"], " "); got != "A B C Accept-Encoding" {
			t.Errorf("%q: Vary: %s", accept, got)
		}
	}
}

// A budget that is used up is told, and never taken for a match.
func TestTooCostly(t *testing.T) {
	costly := "body: {id: {$like: '1'}, list: {$not: {$each: {$oneOf: [" + strings.TrimSuffix(strings.Repeat("{$regex: '(a|b|d)+e$', example: ae}, ", 400), ", ") + "]}}, example: [1]}}"
	// Sixteen texts of 60 kB, of which each expression reads all.
	hostile := call("PUT /things/1\n\n" + `{"id": "1", "list": [` + strings.Repeat(`"`+strings.Repeat("c", 60000)+`",`, 16) + `"a"]}`)
	for name, interactions := range map[string]string{
		"first":    "- {name: a, order: first, request: {method: PUT, path: '/things/{id}', " + costly + "}, response: {status: 200, body: {}}}\n",
		"ordinary": "- {name: a, request: {method: PUT, path: '/things/{id}', " + costly + "}, response: {status: 200, body: {}}}\n",
		"last":     "- {name: a, order: last, request: {method: PUT, path: '/things/{id}', " + costly + "}, response: {status: 200, body: {}}}\n",
		"adds": "- {name: b, request: {method: PUT, path: '/things/{id}'}, response: {status: 200, body: {}}}\n" +
			"- {name: a, request: {path: '/things/{id}', " + costly + "}, adds: {header: {X-C: c}}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := thingsServer(t, interactions)
			res, text, e := ask(t, s, hostile)
			if e.Outcome != TooCostly || res.StatusCode != 413 || e.Interaction != "" {
				t.Errorf("got %s by %q, %d: %.200s", e.Outcome, e.Interaction, res.StatusCode, text)
			}
			if res, _, _ := ask(t, s, "PUT /things/1\n\n"+`{"id": "1", "list": ["b"]}`); res.StatusCode != 200 {
				t.Errorf("the next call: %d", res.StatusCode)
			}
		})
	}
}

// Matching, answering and adding draw on one budget: what each could afford
// alone is too much together.
func TestOneBudgetForAll(t *testing.T) {
	matching := "m: {$each: {$oneOf: [" + strings.Repeat("x, ", 45) + "{$like: 1}]}}"
	giving := "{$for: body/list, cases: [" + strings.Repeat("{when: {item: x}, give: 1}, ", 20) + "{give: 2}]}"
	for name, test := range map[string]struct {
		interactions string
		status       int
	}{
		"matching":     {"- {name: a, request: {method: PUT, path: '/things/{id}', body: {id: {$like: '1'}, " + matching + "}}, response: {status: 200, body: {}}}\n", 200},
		"both of them": {"- {name: a, request: {method: PUT, path: '/things/{id}', body: {id: {$like: '1'}, " + matching + "}}, response: {status: 200, body: {l: " + giving + "}}}\n", 413},
		"adding": {"- {name: a, request: {method: PUT, path: '/things/{id}', body: {id: {$like: '1'}, " + matching + "}}, response: {status: 200, body: {}}}\n" +
			"- {name: b, request: {method: PUT, path: '/things/{id}', body: {list: {$any: []}}}, adds: {body: {l: " + giving + "}}}\n", 413},
		"answering alone": {"- {name: a, request: {method: PUT, path: '/things/{id}', body: {id: {$like: '1'}, list: {$any: []}}}, response: {status: 200, body: {l: " + giving + "}}}\n", 200},
	} {
		t.Run(name, func(t *testing.T) {
			res, body, e := ask(t, thingsServer(t, test.interactions), call("PUT /things/1\n\n"+`{"id": "1", "m": [`+strings.Repeat("1,", 57_999)+`1], "list": [`+strings.Repeat("1,", 17_999)+"1]}"))
			if res.StatusCode != test.status || test.status == 413 && e.Outcome != TooCostly {
				t.Errorf("got %d, %s, want %d: %.200s", res.StatusCode, e.Outcome, test.status, body)
			}
		})
	}
}
