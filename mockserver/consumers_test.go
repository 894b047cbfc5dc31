package mockserver

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
)

const selfService = "/iam/governance/selfservice/api/v1"

// A consumer calls a mock of all releases as the clients do that were read:
// what they send, and need, is numbered as in the tests below.
type consumer struct {
	testing.TB
	mock    *httptest.Server
	server  *Server
	release string
	login   string
	header  http.Header
	client  *http.Client
}

// wholeLibrary serves all releases.
func wholeLibrary() (cfg Config, err error) {
	if cfg.Scenarios, err = scenarios.OIG(""); err != nil {
		return cfg, err
	}
	for i, release := range schemas.Releases() {
		contract, err := schemas.OIG(release)
		if err != nil {
			return cfg, err
		}
		if i == 0 {
			cfg.Contract, cfg.Release = contract, release
		} else {
			cfg.Beside = append(cfg.Beside, Release{release, contract})
		}
	}
	cfg.Now, cfg.Seed = atNoon, 1
	return cfg, nil
}

// oneMock is for all tests that need nothing special: each has sessions of its
// own.
var oneMock = sync.OnceValues(func() (*Server, error) {
	cfg, err := wholeLibrary()
	if err != nil {
		return nil, err
	}
	return New(cfg)
})

// consumers serves the library in all releases.
func consumers(t testing.TB, change func(*Config)) *consumer {
	t.Helper()
	s, err := oneMock()
	if change != nil && err == nil {
		var cfg Config
		if cfg, err = wholeLibrary(); err == nil {
			change(&cfg)
			s, err = New(cfg)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	mock := httptest.NewServer(s)
	t.Cleanup(mock.Close)
	client := mock.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &consumer{TB: t, mock: mock, server: s, release: s.cfg.Release, login: "KLEE:secret", header: http.Header{}, client: client}
}

// prefix is what names the consumer's session, one for each test and release.
func (c *consumer) prefix() string {
	return "/__release/" + c.release + "/__session/" + c.Name() + "-" + c.release
}

func (c *consumer) session() *Session {
	c.Helper()
	ses, err := c.server.SessionIn(c.Name()+"-"+c.release, c.release)
	if err != nil {
		c.Fatal(err)
	}
	return ses
}

// in is the same consumer in another release.
func (c *consumer) in(release string) *consumer {
	d := *c
	d.release, d.header = release, http.Header{}
	return &d
}

// with is the same consumer with one header more.
func (c *consumer) with(name, value string) *consumer {
	d := *c
	d.header = c.header.Clone()
	d.header[name] = []string{value}
	return &d
}

// calls sends a request; target is what follows the base of the self service,
// or a whole path.
func (c *consumer) calls(method, target, body string) (int, string, http.Header) {
	c.Helper()
	if !strings.HasPrefix(target, "/iam/") && !strings.HasPrefix(target, "//") {
		target = selfService + target
	}
	if !strings.HasPrefix(target, "http") {
		target = c.mock.URL + c.prefix() + target
	}
	r, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if name, password, ok := strings.Cut(c.login, ":"); ok {
		r.SetBasicAuth(name, password)
	}
	for name, values := range c.header {
		r.Header[name] = values // as it is written
	}
	res, err := c.client.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.Fatal(err)
	}
	if !json.Valid(b) {
		c.Errorf("%s %s: %d, and no JSON: %s", method, target, res.StatusCode, b)
	}
	return res.StatusCode, string(b), res.Header
}

// wants calls and wants a status, and text in the answer.
func (c *consumer) wants(status int, part, method, target, body string) string {
	c.Helper()
	got, text, _ := c.calls(method, target, body)
	if got != status || !strings.Contains(text, part) {
		c.Errorf("%s: %s %s %s: got %d, want %d with %s\n%s", c.release, method, target, body, got, status, part, text)
	}
	return text
}

const causesBody = `{"policyviolationcause": []}`

func TestConsumer01SaysWhoAsks(t *testing.T) {
	c := consumers(t, nil)
	const path = "/policyviolations/6F5592D7A5CE42CDB8A38996180A7D18/causes"
	c.wants(200, "", "PUT", path, causesBody) // 11g asks for nothing
	for _, release := range schemas.Releases()[1:] {
		c := c.in(release)
		c.wants(400, `"status":400`, "PUT", path, causesBody)
		for _, name := range []string{"X-Requested-By", "x-requested-by", "X-REQUESTED-BY"} {
			c.with(name, "anything").wants(200, "", "PUT", path, causesBody)
		}
		c.wants(200, "", "GET", "/users", "")
	}
}

func TestConsumer02SignsIn(t *testing.T) {
	c := consumers(t, nil)
	for _, release := range schemas.Releases() {
		c := c.in(release).with("X-Requested-By", "test")
		c.wants(200, "", "GET", "/users", "")
		token := tokenIn(t, c.wants(200, "accessToken", "POST", "/iam/governance/token/api/v1/tokens", "{}"))
		c.wants(200, "", "GET", "/users", "") // one goes on with Basic all the same
		bearer := *c.with("Authorization", "Bearer "+token)
		bearer.login = ""
		bearer.wants(200, "", "GET", "/users", "")
	}
}

func tokenIn(t testing.TB, text string) string {
	t.Helper()
	var answer struct{ AccessToken string }
	if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.AccessToken == "" {
		t.Fatalf("no token: %v %s", err, text)
	}
	return answer.AccessToken
}

func TestConsumer03AsksForATokenAsItLikes(t *testing.T) {
	c := consumers(t, nil)
	const tokens = "/iam/governance/token/api/v1/tokens"
	for _, release := range schemas.Releases() {
		c := c.in(release).with("X-Requested-By", "test")
		for _, body := range []string{"", "{}", "grant_type=client_credentials&scope=a"} {
			c.wants(200, `"tokenType":"Bearer"`, "POST", tokens, body)
		}
		if err := c.session().SetState("tokens are answered with 201", nil); err != nil {
			t.Fatal(err)
		}
		c.wants(201, `"tokenType":"Bearer"`, "POST", tokens, "{}")
	}
}

func TestConsumer04CreatesUsersWith200(t *testing.T) {
	c := consumers(t, nil)
	for _, release := range schemas.Releases() {
		c.in(release).with("X-Requested-By", "test").wants(200, `"status":"SUCCESS"`, "POST", "/users",
			`{"users": [{"requestId": "1", "fields": [{"name": "User Login", "value": "NEW"}, {"name": "Last Name", "value": "New"}, {"name": "Role", "value": "EMP"}, {"name": "act_key", "value": 1}]}]}`)
	}
}

func TestConsumer05NeedsABodyOfEveryError(t *testing.T) {
	c := consumers(t, nil)
	for _, release := range schemas.Releases() {
		c := c.in(release)
		for status, state := range map[int]string{403: "the caller lacks permission", 404: "nothing is there", 500: "OIG fails"} {
			home := c.session()
			if err := home.SetState(state, nil); err != nil {
				t.Fatal(err)
			}
			c.wants(status, fmt.Sprintf(`"status":%d`, status), "GET", "/users", "")
			home.UnsetState(state)
		}
		c.wants(404, `"status":404`, "GET", "/users/9999", "")
		nobody := *c
		nobody.login = ""
		nobody.wants(401, `"status":401`, "GET", "/users", "")
	}
}

func TestConsumer06AcceptsWhatJavaAccepts(t *testing.T) {
	c := consumers(t, nil)
	for _, release := range schemas.Releases() {
		_, _, h := c.in(release).with("Accept", "text/html, image/gif, image/jpeg, */*; q=0.2").calls("GET", "/users", "")
		if got := h.Get("Content-Type"); got != "application/json" {
			t.Errorf("got %s", got)
		}
	}
}

// lists are the operations that answer with OIG's envelope, as paths that can
// be asked for.
func (c *consumer) lists() (all []string) {
	catalog := (*c.server.catalogs.Load()).of(c.release)
	worlds := newWorlds(catalog.list, scenarios.Env{Now: noon, URL: "http://localhost"})
	for _, op := range catalog.contract.Operations() {
		if op.Method != "GET" {
			continue
		}
		for _, e := range catalog.route(op.Path).tables["GET"].ordinary.entries {
			if len(e.scenario.Given) > 0 {
				continue
			}
			ex, err := e.Stage("GET", scenarios.Env{Now: noon, URL: "http://localhost", Records: worlds.of(e.scenario).records}, maxStaging)
			if err != nil || ex.Forced {
				continue
			}
			target := ex.Request.Path
			if ex.Request.Query != "" {
				target += "?" + ex.Request.Query
			}
			var page map[string]json.RawMessage
			status, text, _ := c.calls("GET", target, "")
			if err := json.Unmarshal([]byte(text), &page); err == nil && status == 200 && page["hasMore"] != nil {
				all = append(all, target)
				break
			}
		}
	}
	return all
}

func TestConsumer07FindsTheEnvelopeOfAnEmptyList(t *testing.T) {
	all := consumers(t, nil)
	for _, release := range schemas.Releases() {
		c := all.in(release)
		lists := c.lists()
		if len(lists) < 8 {
			t.Errorf("%s: only %d lists: %v", release, len(lists), lists)
		}
		for _, target := range lists {
			with := "?"
			if strings.Contains(target, "?") {
				with = "&"
			}
			text := c.wants(200, "", "GET", target+with+"offset=100000", "")
			var page map[string]json.RawMessage
			if err := json.Unmarshal([]byte(text), &page); err != nil {
				t.Fatal(err)
			}
			empty := 0
			for name, member := range page {
				if name != "links" && string(member) == "[]" {
					empty++
				}
			}
			if page["links"] == nil || string(page["count"]) != "0" || string(page["hasMore"]) != "false" || string(page["totalResult"]) != "-1" || empty == 0 {
				t.Errorf("%s: %s: %s", release, target, text)
			}
		}
	}
}

type listPage struct {
	Links []struct{ Rel, Href string }
	Count int
	Users []json.RawMessage
	Tasks []json.RawMessage
}

func (c *consumer) page(target string) (p listPage) {
	c.Helper()
	if err := json.Unmarshal([]byte(c.wants(200, "", "GET", target, "")), &p); err != nil {
		c.Fatal(err)
	}
	return p
}

func TestConsumer08Pages(t *testing.T) {
	all := consumers(t, nil)
	for _, release := range schemas.Releases() {
		c := all.in(release)
		whole := len(c.page("/provtasks?limit=1000").Tasks)
		if whole < 12 {
			t.Fatalf("%s: %d tasks are too few", release, whole)
		}
		// One asks for the first fifty, then the next, until there are none.
		seen := 0
		for offset := 1; ; offset += 50 {
			p := c.page(fmt.Sprintf("/provtasks?offset=%d&limit=50", offset))
			if len(p.Tasks) == 0 {
				break
			}
			seen += len(p.Tasks)
		}
		// Another follows next until it is absent, from a page of the usual size.
		followed, target := 0, selfService+"/provtasks"
		for target != "" {
			p := c.page(target)
			if followed == 0 {
				var rels []string
				for _, l := range p.Links {
					rels = append(rels, l.Rel)
				}
				if got := strings.Join(rels, " "); got != "self self first next" || p.Count != 10 {
					t.Errorf("%s: %s, %d tasks", release, got, p.Count)
				}
				if len(p.Links) == 4 && (!strings.Contains(p.Links[3].Href, "offset=11&limit=10") || strings.Contains(p.Links[0].Href, "?")) {
					t.Errorf("%s: %v", release, p.Links)
				}
			}
			followed += len(p.Tasks)
			target = ""
			for _, l := range p.Links {
				if l.Rel == "next" {
					u, err := url.Parse(l.Href)
					if err != nil {
						t.Fatal(err)
					}
					target = strings.TrimPrefix(u.RequestURI(), c.prefix())
				}
			}
		}
		if seen != whole || followed != whole {
			t.Errorf("%s: %d tasks by offset, %d by next, %d in all", release, seen, followed, whole)
		}
	}
}

func TestConsumer09AsksInManyWays(t *testing.T) {
	all := consumers(t, nil)
	for _, release := range schemas.Releases() {
		c := all.in(release)
		want := len(c.page("/provtasks?limit=1000&q=Objects.Name+eq+Plan::View").Tasks)
		if want == 0 {
			t.Fatalf("%s: nothing is found", release)
		}
		for _, q := range []string{"q=Objects.Name%20eq%20Plan%3A%3AView", "q=Objects.Name+eq+Plan%3A%3AView&unknown=a,b", "fields=a%2Cb&q=Objects.Name%20eq+Plan::View"} {
			if got := len(c.page("/provtasks?limit=1000&" + q).Tasks); got != want {
				t.Errorf("%s: %s: %d tasks, want %d", release, q, got, want)
			}
		}
		// Who forgets that is told, and not that something is wrong with the file.
		c.wants(400, "urn:oigmock:query", "GET", "/provtasks?q=Objects.Name+eq+Plan+View", "")
		c.wants(400, ":: stands for a blank within a name or a value", "GET", "/users?q=User+Login+eq+JDOE", "")
		both := len(c.page("/provtasks?limit=1000&q=Objects.Name+eq+Plan::View%20AND%20Status.Category+eq+Rejected").Tasks)
		if both == 0 || both > want {
			t.Errorf("%s: %d tasks with AND", release, both)
		}
	}
}

func TestConsumer10ReadsIdsAsTextAndKeysAsNumbers(t *testing.T) {
	all := consumers(t, nil)
	for _, release := range schemas.Releases() {
		c := all.in(release)
		c.wants(200, `{"name":"Process Instance.Task Details.Key","value":5126}`, "GET", "/provtasks/5126", "")
		c.wants(200, `"id":"5126"`, "GET", "/provtasks/5126", "")
		c.wants(200, `{"name":"usr_key","value":17}`, "GET", "/users?fields=Display::Name,Display%20Name&q=usr_key+eq+17", "")
		c.wants(200, `{"name":"Display Name","value":"Kay Lee"}`, "GET", "/users?fields=Display%20Name&q=usr_key+eq+17", "")
		c.wants(200, `"asignee"`, "GET", "/certifications", "")
	}
	all.wants(200, `"Display Name":{"base":"Kay Lee"}`, "GET", "/users/17", "") // 11g
}

func TestConsumer11ActsInAnyLetterCase(t *testing.T) {
	all := consumers(t, nil)
	for _, release := range schemas.Releases() {
		c := all.in(release).with("X-Requested-By", "test")
		for range 3 { // one sends each PUT three times
			c.wants(200, `"status":"SUCCESS"`, "PUT", "/requests/3001", `{"requestId": "a", "action": "aPPrOVE"}`)
		}
		if release == "11.1.2.3" {
			continue // tasks have no actions there
		}
		for _, action := range []string{"retry", "RETRY", "Retry"} {
			c.wants(200, `"status":"SUCCESS"`, "PUT", "/provtasks/1006", `{"action": "`+action+`"}`)
		}
		for _, action := range []string{"manualComplete", "manualcomplete"} {
			c.wants(200, `"status":"SUCCESS"`, "PUT", "/provtasks/1007", `{"action": "`+action+`"}`)
		}
	}
}

func TestConsumer12DoublesSlashes(t *testing.T) {
	c := consumers(t, nil)
	for _, target := range []string{selfService + "/users//accounts", "//iam/governance/selfservice/api/v1/users"} {
		for _, method := range []string{"GET", "PUT"} {
			if status, _, h := c.calls(method, target, ""); status < 400 || h.Get("Location") != "" {
				t.Errorf("%s %s: %d %v", method, target, status, h)
			}
		}
	}
}

func TestConsumer13IsABrowser(t *testing.T) {
	c := consumers(t, func(cfg *Config) { cfg.CORS = []string{"http://app.example.com"} })
	r, err := http.NewRequest("OPTIONS", c.mock.URL+selfService+"/users", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "http://app.example.com")
	r.Header.Set("Access-Control-Request-Method", "PUT")
	r.Header.Set("Access-Control-Request-Headers", "authorization,content-type,x-requested-by")
	res, err := c.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode/100 != 2 || res.Header.Get("Access-Control-Allow-Origin") != "http://app.example.com" {
		t.Errorf("preflight: %d %v", res.StatusCode, res.Header)
	}
	_, _, h := c.with("Origin", "http://app.example.com").calls("GET", "/users", "")
	if h.Get("Access-Control-Allow-Origin") != "http://app.example.com" {
		t.Errorf("got %v", h)
	}
}

func TestConsumer14SendsItsOwnRequestID(t *testing.T) {
	all := consumers(t, nil)
	for _, release := range schemas.Releases() {
		c := all.in(release).with("X-Requested-By", "test")
		for id, request := range map[string]string{"3001": "3001", "3003": "free text ü"} {
			c.wants(200, `"requestId":"`+request+`"`, "PUT", "/requests/"+id, `{"requestId": "`+request+`", "action": "claim"}`)
		}
		for _, why := range []string{`"because"`, `["because"]`} {
			c.wants(200, `"requestId":"r-1"`, "POST", "/requests", `{"requests": [{"requestId": "r-1", "reqJustification": `+why+
				`, "reqBeneficiaryList": [{"id": "18"}], "reqTargetEntities": [{"entityId": "31", "entityType": "AppInstance"}]}]}`)
		}
	}
}

func TestConsumer15SendsNumbersAsText(t *testing.T) {
	all := consumers(t, nil)
	for _, release := range schemas.Releases() {
		c := all.in(release).with("X-Requested-By", "test")
		for i, key := range []string{`1`, `"1"`} {
			c.wants(200, `"status":"SUCCESS"`, "POST", "/users", fmt.Sprintf(`{"users": [{"fields": [{"name": "User Login", "value": "N%d"}, {"name": "Last Name", "value": "New"}, {"name": "act_key", "value": %s}]}]}`, i, key))
		}
	}
}

func TestConsumer16WaitsForNoChallenge(t *testing.T) {
	c := consumers(t, func(cfg *Config) { cfg.User = "KLEE:secret" })
	for _, release := range schemas.Releases() {
		c := c.in(release)
		c.wants(200, "", "GET", "/users", "") // credentials come with the first request
		for _, login := range []string{"KLEE:wrong", "JDOE:secret", ""} {
			wrong := *c
			wrong.login = login
			status, _, h := wrong.calls("GET", "/users", "")
			if status != 401 || h.Get("Location") != "" {
				t.Errorf("%s: %q: %d %v", release, login, status, h)
			}
		}
	}
	if !slices.Contains(c.server.Releases(), "14.1.2") {
		t.Error("not all releases were asked")
	}
}
