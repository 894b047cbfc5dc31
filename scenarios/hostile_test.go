package scenarios

import (
	"fmt"
	"strings"
	"testing"
)

// Counting mismatches puts nothing in words: words cost more than all else,
// and a body can make a great many. Counted in allocations.
func TestCountingIsWordless(t *testing.T) {
	name := strings.Repeat("n", 100_000)
	body := `{"` + name + `": [` + strings.Repeat(`"x",`, 20_000) + `"x"]}`
	i := &Interaction{Request: RequestMatcher{Body: mustValue(t, "{$values: {$each: {$exactly: {a: {$like: 1}}}}, keys: {$anycase: a}}", where{})}}
	r := NewRequest("PUT", "/", nil, []byte(body))
	trial := NewTrial(r, Env{Now: noon})
	if _, _, n := trial.Distance(i); n < 20_000 {
		t.Fatalf("%d mismatches, want one for each element", n)
	}
	if n := testing.AllocsPerRun(1, func() {
		trial.Begin(r, Env{Now: noon})
		trial.Distance(i)
	}); n > 20 {
		t.Errorf("counting mismatches allocates %v times", n)
	}
}

// Answers that would be gigabytes are refused, whatever made them.
func TestAnswersEnd(t *testing.T) {
	big := `{"list": [` + strings.Repeat("1,", 1999) + `1], "big": {"a": "` + strings.Repeat("x", 900_000) + `"}, "text": "` + strings.Repeat("y", 60_000) + `"}`
	for _, test := range []struct{ name, value, body string }{
		{"$each in $each", "{$each: {$each: {$each: a, min: 20000}, min: 20000}, min: 20000}", "{}"},
		{"$pairs in a loop", "{$for: body/list, give: {$pairs: body/big}}", big},
		{"$merge in a loop", `{$for: body/list, give: {$merge: ["{{ body/big }}"]}}`, big},
		{"a template in a loop", `{$for: body/list, give: "{{ body/big }}"}`, big},
		{"$error in a loop", `{$for: body/list, give: {$error: "{{ body/text }}"}}`, strings.Replace(big, `[1,`, `[`+strings.Repeat("1,", 15_000), 1)},
		{"$allOf in $allOf", strings.Repeat("{$allOf: [{a: 1}, ", 22) + "{a: 1}" + strings.Repeat("]}", 22), "{}"},
	} {
		v := mustValue(t, test.value, where{gives: true})
		s := &scope{work: allWork, env: Env{Now: noon}, req: NewRequest("PUT", "/", nil, []byte(test.body))}
		b, ok := v.give(s, nil)
		if len(b) > 2*MaxAnswer {
			t.Errorf("%s: %d bytes were made", test.name, len(b))
		}
		if test.name == "$allOf in $allOf" {
			if !ok && s.err == nil {
				t.Errorf("%s: nothing, and no fault", test.name)
			}
			continue // it is small, and may fit
		}
		if ok || s.err == nil {
			t.Errorf("%s: %d bytes were given, and no fault", test.name, len(b))
		}
	}
}

// What is a secret by its name, or stands where secrets stand, is in no
// mismatch: neither what came nor what was wanted.
func TestSecretsAreNotShown(t *testing.T) {
	const canary = "HUNTER2"
	for _, test := range []struct{ request, body string }{
		{`{body: {password: a}}`, `{"password": "HUNTER2"}`},
		{`{body: {password: HUNTER2}}`, `{"password": "a"}`},
		{`{body: {fields: [{name: Password, value: a}]}}`, `{"fields": [{"name": "Password", "value": "HUNTER2"}]}`},
		{`{body: {fields: {$each: {name: {$like: a}, value: HUNTER2}}}}`, `{"fields": [{"name": "usr_password", "value": "a"}]}`},
		{`{body: {fields: {$exactly: [{name: {$like: a}}]}}}`, `{"fields": [{"name": "usr_password", "value": "HUNTER2"}]}`},
		{`{body: {confirm: "{{ body/password }}"}}`, `{"confirm": "a", "password": "HUNTER2"}`},
		{`{body: {a: {password: {$oneOf: [HUNTER2, b]}}}}`, `{"a": {"password": "c"}}`},
		{`{header: {X-Api-Key: a}}`, ""},
		{`{header: {Authorization: Bearer HUNTER2}}`, ""},
		{`{cookie: {session: a}}`, ""},
		{`{text: a}`, "user=a&password=HUNTER2"},
		{`{query: {token: a}}`, ""},
	} {
		i := parseOne(t, "request: "+test.request)
		r := NewRequest("PUT", "/?token=HUNTER2", map[string][]string{
			"X-Api-Key": {canary}, "Authorization": {"Basic " + canary}, "Cookie": {"session=" + canary},
		}, []byte(test.body))
		why := i.Match(r, Env{Now: noon})
		if len(why) == 0 {
			t.Errorf("%s: no mismatch", test.request)
		}
		if text := fmt.Sprint(why); strings.Contains(text, canary) {
			t.Errorf("%s tells a secret: %s", test.request, text)
		}
	}
	if fault := NewRequest("PUT", "/", nil, []byte(`{"password": HUNTER2}`)).BodyFault(); strings.Contains(fault.Error(), canary) {
		t.Errorf("a fault tells a secret: %v", fault)
	}
}
