package scenarios

import (
	"errors"
	"strconv"
	"testing"
	"time"
)

// TestToken is about who gets a token, and how often one is signed.
func TestToken(t *testing.T) {
	signed := 0
	sign := func(user string, now time.Time) (string, error) {
		if signed++; user == "mallory" {
			return "", errors.New("no token for mallory")
		}
		return user + "@" + strconv.Itoa(now.Year()) + "#" + strconv.Itoa(signed), nil
	}
	for _, test := range []struct {
		name, user, body string
		sign             func(string, time.Time) (string, error)
		want             string
		signed           int
	}{
		{"for the caller", "ann", `{a: "{{ token }}"}`, sign, `{"a":"ann@2016#1"}`, 1},
		{"for nobody", "", `{a: "{{ token }}", b: 1}`, sign, `{"b":1}`, 0},
		{"for nobody, within a text", "", `{a: "Bearer {{ token | default none }}"}`, sign, `{"a":"Bearer none"}`, 0},
		{"where nobody signs", "ann", `{a: "{{ token }}"}`, nil, `{"a":"` + exampleToken + `"}`, 0},
		{"none is asked for", "ann", `{a: "{{ user }}"}`, sign, `{"a":"ann"}`, 0},
		{"one for an answer", "ann", `{a: "{{ token }}", b: {$for: body, give: "{{ token | upper }}"}}`, sign, `{"a":"ann@2016#1","b":["ANN@2016#1","ANN@2016#1"]}`, 1},
		{"in a header", "ann", `{}, header: {X: "{{ token }}"}`, sign, `{}`, 1},
		{"one that cannot be signed", "mallory", `{a: "{{ token }}"}`, sign, `f.yaml:3:73: {{ token }}: no token for mallory`, 1},
		{"the same within a text", "mallory", `{a: "a {{ token }}"}`, sign, `f.yaml:3:73: {{ token }}: no token for mallory`, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			signed = 0
			all, err := Parse("f.yaml", []byte("scenario: a\nsource: assumed\ninteractions: [{name: a, request: {}, response: {status: 200, body: "+test.body+"}}]\n"))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			out, err := all[0].Interactions[0].Responses[0].Render(NewRequest("GET", "/", nil, []byte("[1, 2]")), Env{Now: noon, User: test.user, Token: test.sign})
			if got = ""; err != nil {
				got = err.Error()
			} else {
				got = string(out.Body)
			}
			if got != test.want || signed != test.signed {
				t.Errorf("got %s, want %s; signed %d times, want %d", got, test.want, signed, test.signed)
			}
		})
	}
}

// What is signed is dear: no file can have it done more often than a request
// may cost.
func TestTokensHaveAPrice(t *testing.T) {
	s := &scope{env: Env{User: "ann", Token: func(string, time.Time) (string, error) { return "a", nil }}, work: signWork}
	if _, err := s.sign(); err == nil {
		t.Error("signed for nothing")
	}
}
