package mockserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
)

const (
	taskPath   = "/iam/governance/selfservice/api/v1/provtasks/"
	causesPath = "/iam/governance/selfservice/api/v1/policyviolations/6F5592D7A5CE42CDB8A38996180A7D18/causes"
)

// oigServer serves the embedded contract and library of a release.
func oigServer(t testing.TB, release string) *Server {
	t.Helper()
	return newServer(t, oigConfig(t, release))
}

func oigConfig(t testing.TB, release string) Config {
	t.Helper()
	contract, err := schemas.OIG(release)
	if err != nil {
		t.Fatal(err)
	}
	list, err := scenarios.OIG(release)
	if err != nil {
		t.Fatal(err)
	}
	return Config{Contract: contract, Scenarios: list, Release: release, Now: atNoon}
}

// tableOf is where a request is answered from.
func (c *catalog) tableOf(r *scenarios.Request) *table {
	if rt := c.route(r.Path); rt != nil && rt.tables[r.Method] != nil {
		return rt.tables[r.Method]
	}
	return c.outside
}

// The whole library fits the contract: nothing is to be said of it.
func TestLibraryFitsTheContract(t *testing.T) {
	for _, release := range append(schemas.Releases(), "") {
		for _, f := range Check(oigConfig(t, release)) {
			t.Errorf("release %q: %s", release, f)
		}
	}
}

// A staging asks the library for what its own matchers have as examples.
type staging struct {
	*Server
	t      *testing.T
	worlds *worlds
	asWas  state
}

func stagingOf(t *testing.T, release string) *staging {
	s := oigServer(t, release)
	c := s.usual()
	return &staging{s, t, newWorlds(c.list, scenarios.Env{Now: noon, URL: "http://localhost"}), *s.home.load()}
}

// example is a request that an entry answers, in a session that remembers what
// it needs to; forced tells that this is more than what is seeded.
func (s *staging) example(e *entry) (r *http.Request, forced bool) {
	s.t.Helper()
	c, w := s.usual(), s.worlds.of(e.scenario)
	env := scenarios.Env{Now: noon, URL: "http://localhost", Records: w.records, Given: w.given}
	_, method := c.home(e.Interaction)
	ex, err := e.Stage(method, env, maxStaging)
	if err != nil || len(ex.Refused)+len(ex.Unmet)+len(ex.Short) > 0 {
		s.t.Fatalf("%s: %q: no example: %v %v %v %v", e.Pos, e.Name, err, ex.Refused, ex.Unmet, ex.Short)
	}
	st := s.asWas
	st.records, st.given = ex.Records, w.given
	s.home.state.Store(&st)

	body := ex.Request.Body
	if len(body) == 0 && e.Request.Body == nil && e.Request.Text == nil { // it says nothing of the body: any valid one will do
		for _, o := range c.tableOf(ex.Request).ordinary.entries {
			if with, err := o.Request.Example(ex.Request.Method, scenarios.Env{Now: noon}); err == nil && o.Request.Body != nil {
				body = with.Request.Body
				ex.Request.Header.Set("Content-Type", "application/json")
				break
			}
		}
	}
	r, err = http.NewRequest(ex.Request.Method, "http://localhost"+ex.Request.Path+"?"+ex.Request.Query, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header = ex.Request.Header
	if !strings.HasPrefix(e.Name, "a write without X-Requested-By") {
		r.Header.Set("X-Requested-By", "test")
	}
	return r, ex.Forced
}

// Each interaction answers its own example, and the answer is one of the
// contract's.
func TestLibraryAnswersItsExamples(t *testing.T) {
	for _, release := range schemas.Releases() {
		s := stagingOf(t, release)
		c := s.usual()
		for _, e := range c.all {
			hr, _ := s.example(e)
			r := &scenarios.Request{Method: hr.Method, Path: hr.URL.EscapedPath()}
			res, body, got := send(t, s.Server, hr)
			if e.Adds {
				for _, h := range e.Responses[0].Header {
					if got.Outcome == Answered && len(res.Header[h.Name]) == 0 {
						t.Errorf("%s: %q adds no %s to %s", release, e.Name, h.Name, got.Interaction)
					}
				}
				continue
			}
			// What comes last is there for what nothing else answers.
			if e.Order != scenarios.Last && (got.Interaction != e.Name || got.Scenario != e.scenario.Name) {
				t.Errorf("%s: %s: %q is answered by %q in %s: %s", release, e.Pos, e.Name, got.Interaction, got.Scenario, body)
			}
			if len(written(res.Header, "ResponseTime")) == 0 { // as written, not Responsetime
				t.Errorf("%s: %q: no ResponseTime", release, e.Name)
			}
			answer := scenarios.Request{Body: []byte(body)}
			for _, v := range c.tableOf(r).operation.CheckResponse(res.StatusCode, answer.JSON()) {
				t.Errorf("%s: %q: %s", release, e.Name, v)
			}
		}
	}
}

// Every operation of every release answers the example of one of its own
// matchers, as a session begins, and the answer satisfies the contract. Its
// documented statuses can all be had: 401 by sending no credentials, and 403,
// 404 and 500 by a provider state.
func TestEveryOperationAnswers(t *testing.T) {
	states := map[int]string{403: "the caller lacks permission", 404: "nothing is there", 500: "OIG fails"}
	for _, release := range schemas.Releases() {
		s := stagingOf(t, release)
		c := s.usual()
		counts := map[string]int{}
		for _, op := range c.contract.Operations() {
			rt := c.route(op.Path)
			if len(op.Statuses) == 0 || op.Source == "" {
				t.Errorf("%s: %s %s: neither x-source nor x-statuses may be missing", release, op.Method, op.Path)
			}
			found := map[int]bool{}
			var works *entry
			for _, e := range rt.tables[op.Method].ordinary.entries {
				if e.Adds || e.scenario.Given != nil && len(e.Responses) == 0 {
					continue
				}
				hr, forced := s.example(e)
				res, body, _ := send(t, s.Server, hr)
				found[res.StatusCode] = true
				answer := scenarios.Request{Body: []byte(body)}
				if works == nil && !forced && len(e.scenario.Given) == 0 && res.StatusCode < 300 && len(op.CheckResponse(res.StatusCode, answer.JSON())) == 0 {
					works = e
				}
			}
			if works == nil {
				counts["without an answer"]++
				t.Errorf("%s: %s %s is not answered", release, op.Method, op.Path)
				continue
			}
			counts[op.Source]++
			for status, name := range states {
				hr, _ := s.example(works)
				if err := s.home.SetState(name, nil); err != nil {
					t.Fatal(err)
				}
				res, body, _ := send(t, s.Server, hr)
				found[res.StatusCode] = found[res.StatusCode] || isOIGError(body, status)
			}
			hr, _ := s.example(works)
			hr.Header.Del("Authorization")
			res, body, _ := send(t, s.Server, hr)
			found[res.StatusCode] = found[res.StatusCode] || isOIGError(body, 401)
			for _, status := range op.Statuses {
				if !found[status] {
					t.Errorf("%s: %s %s: %d is documented, and nothing makes it answer so: %v", release, op.Method, op.Path, status, found)
				}
			}
		}
		t.Logf("%-9s %d operations: %d printed by Oracle, %d derived, %d assumed, %d without an answer", release, len(c.contract.Operations()),
			counts[schemas.Printed], counts[schemas.Derived], counts[schemas.Assumed], counts["without an answer"])
	}
}

// isOIGError tells a body that has the form of OIG's errors.
func isOIGError(body string, status int) bool {
	var e struct {
		Title, Detail, Referer string
		Status                 int
	}
	return json.Unmarshal([]byte(body), &e) == nil && e.Title != "" && e.Detail != "" && e.Referer != "" && e.Status == status
}

// What Oracle prints, as it stands there.
func TestPrintedExamples(t *testing.T) {
	s := oigServer(t, "11.1.2.3")
	for _, test := range []struct{ name, path, request, response string }{
		{"Update provisioning task", taskPath + "5126", `{
  "id": "5126",
  "requestId": "10001",
  "fields": [
    {
      "name": "Process Instance.Task Details.Note",
      "value": "Updated value of Note-Sonia4"
    },
    {
      "name": "Process Instance.Task Details.Projected End",
      "value": "2016-02-21"
    }
  ]
}`, `{
  "links": [
    {
      "rel": "self",
      "href": "http://pseudo.com/iam/governance/selfservice/api/v1/provtasks/5126"
    }
  ],
  "id": "5126",
  "status": "OK",
  "assignee": "System Administrator"
}`},
		{"Updates policy violation task", causesPath, `{
  "policyviolationcause": [
    {
      "requestId": "gyjgh",
      "causeId": "287874BB86344E3DA243FC84029D76AF",
      "action": "ACCEPT_RISK",
      "comment": "CommentABC",
      "riskAcceptedExpirationDate": "11-May-16"
    }
  ]
}`, `{
  "policyviolationsresponse": [
    {
      "links": [
        {
          "rel": "self",
          "href": "http://pseudo.com/iam/governance/selfservice/api/v1/policyviolations/5D4D3C107D7745A8BC21F6DB9888959D/causes"
        }
      ],
      "requestId": "gyjgh",
      "status": " FAIL",
      "reason": "IAM-8110005 : The specified risk-accepted expiration date 5/11/16 is invalid. The date must be in the future and no later than 6/30/16."
    }
  ]
}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			res, body, e := ask(t, s, call("PUT "+test.path+"\nuser: username\n\n"+test.request))
			if res.StatusCode != 200 || e.Outcome != Answered || res.Header.Get("Content-Type") != "application/json" {
				t.Errorf("got %d, %s, %v", res.StatusCode, e.Outcome, res.Header)
			}
			var got, want any
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(test.response), &want); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %s", body)
			}
		})
	}
}

func TestCausesAreJudgedByDate(t *testing.T) {
	s := oigServer(t, "11.1.2.3")
	cause := func(request, id, action, date string) string {
		b := fmt.Sprintf(`{"requestId": %q, "causeId": %q, "action": %q, "comment": "CommentABC"`, request, id, action)
		if date != "" {
			b += fmt.Sprintf(`, "riskAcceptedExpirationDate": %q`, date)
		}
		return b + "}"
	}
	printed := func(date string) string {
		return cause("gyjgh", "287874BB86344E3DA243FC84029D76AF", "ACCEPT_RISK", date)
	}
	type item struct {
		RequestID string `json:"requestId"`
		Status    string `json:"status"`
		Reason    string `json:"reason"`
		Links     []struct{ Rel, Href string }
	}
	fail := func(date string) item {
		return item{RequestID: "gyjgh", Status: " FAIL", Reason: "IAM-8110005 : The specified risk-accepted expiration date " + date +
			" is invalid. The date must be in the future and no later than 6/30/30."}
	}
	success := item{RequestID: "gyjgh", Status: "SUCCESS"}
	other := func(i item) item { i.RequestID = "another"; return i }
	for _, test := range []struct {
		name   string
		causes []string
		want   []item
	}{
		{"today is too late", []string{printed("11-May-30")}, []item{fail("5/11/30")}},
		{"tomorrow", []string{printed("12-May-30")}, []item{success}},
		{"the last day", []string{printed("30-Jun-30")}, []item{success}},
		{"the day after it", []string{printed("01-Jul-30")}, []item{fail("7/1/30")}},
		{"long ago", []string{printed("12-May-16")}, []item{fail("5/12/16")}},
		{"no date", []string{printed("")}, []item{fail("null")}},
		{"an action in small letters", []string{cause("gyjgh", "A", "accept_risk", "11-May-30")}, []item{fail("5/11/30")}},
		{"an action that asks for no date", []string{cause("gyjgh", "4D2E3F50617283940516B7C8D9EAFB0C", "RESOLVE", "")}, []item{success}},
		{"two, each by its own date", []string{printed("11-May-30"), cause("another", "3C1D2E4F506172839405A6B7C8D9EAFB", "ACCEPT_RISK", "12-May-30")}, []item{fail("5/11/30"), other(success)}},
		{"two, the other way round", []string{printed("12-May-30"), cause("another", "3C1D2E4F506172839405A6B7C8D9EAFB", "ACCEPT_RISK", "01-Jul-30")}, []item{success, other(fail("7/1/30"))}},
		{"none", nil, []item{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			res, body, e := ask(t, s, call("PUT "+causesPath+"\nuser: username\n\n"+`{"policyviolationcause": [`+strings.Join(test.causes, ",")+"]}"))
			if res.StatusCode != 200 || e.Outcome != Answered {
				t.Fatalf("got %d: %s", res.StatusCode, body)
			}
			var got struct{ PolicyViolationsResponse []item }
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err)
			}
			for i := range got.PolicyViolationsResponse {
				one := &got.PolicyViolationsResponse[i]
				if len(one.Links) != 1 || one.Links[0].Rel != "self" || one.Links[0].Href != "http://example.com"+causesPath {
					t.Errorf("links: got %v", one.Links)
				}
				one.Links = nil
			}
			if !reflect.DeepEqual(got.PolicyViolationsResponse, test.want) {
				t.Errorf("got\n%+v\nwant\n%+v", got.PolicyViolationsResponse, test.want)
			}
		})
	}
}

func TestLibraryRefusals(t *testing.T) {
	s := oigServer(t, "11.1.2.3")
	const (
		mine   = "\nuser: username\n\n"
		causes = `{"policyviolationcause": []}`
	)
	for _, test := range []struct {
		name    string
		call    call
		status  int
		outcome Outcome
		in      string // what the body says
	}{
		{"nobody", "PUT " + taskPath + "5126\n\n" + `{"id": "5126"}`, 401, Answered, "Unauthorized"},
		{"nobody, and nothing that fits", "PUT " + taskPath + "5126\n\n{", 401, Answered, "Unauthorized"},
		{"no such task", "PUT " + taskPath + "17" + mine + `{"id": "17"}`, 404, Answered, "Requested entity not found"},
		{"no such violation", "PUT /iam/governance/selfservice/api/v1/policyviolations/17/causes" + mine + causes, 404, Answered, "Resource not found"},
		{"a number for a text", "PUT " + taskPath + "5126" + mine + `{"id": 5126}`, 400, Contract, "/id"},
		{"a date of another form", "PUT " + causesPath + mine + `{"policyviolationcause": [{"riskAcceptedExpirationDate": "2016-05-11"}]}`, 400, Contract, "/policyviolationcause/0/riskAcceptedExpirationDate"},
		{"an unknown action", "PUT " + causesPath + mine + `{"policyviolationcause": [{"requestId": "a", "causeId": "b", "action": "IGNORE"}]}`, 200, Answered, "There is no action IGNORE."},
		{"no action", "PUT " + causesPath + mine + `{"policyviolationcause": [{"requestId": "a", "causeId": "b"}]}`, 400, Answered, "Missing mandatory attributes"},
		{"another method", "POST " + taskPath + "5126" + mine, 405, NoOperation, "PUT"},
		{"outside", "GET /iam/governance/selfservice/api/v1/nothing" + mine, 501, NoOperation, "no such operation"},
		{"two slashes", "PUT //iam/governance/selfservice/api/v1/provtasks/5126" + mine + `{"id": "5126"}`, 501, NoOperation, "empty segment"},
	} {
		t.Run(test.name, func(t *testing.T) {
			res, body, e := ask(t, s, test.call)
			if res.StatusCode != test.status || e.Outcome != test.outcome || !strings.Contains(body, test.in) || !json.Valid([]byte(body)) {
				t.Errorf("got %d, %s, want %d, %s with %q\n%s", res.StatusCode, e.Outcome, test.status, test.outcome, test.in, body)
			}
		})
	}
	_, _, e := ask(t, s, "PUT "+call(causesPath)+mine+`{"policyviolationcause": [{"requestId": "a", "causeId": "b"}]}`)
	const line = "scenarios/policyviolations/causes-by-date.yaml:19:29"
	if len(e.NearMisses) == 0 || e.NearMisses[0].Mismatches[0].Pos.String() != line {
		t.Errorf("the near miss does not name the line: %+v", e.NearMisses)
	}
}
