package scenarios

import (
	"fmt"
	"strings"
	"testing"
)

// TestBudget matches and renders what would never end if nobody counted. That
// it ends is the test; that the budget was what ended it is seen by Exhausted.
func TestBudget(t *testing.T) {
	list := func(n int, element string) string { return "[" + strings.Repeat(element+",", n-1) + element + "]" }
	long := strings.Repeat("a", 60_000)
	escaped := strings.Repeat(`\u0061`, 150_000)
	for _, test := range []struct{ name, value, body string }{
		{"values that fit nowhere", "$contains: " + list(2000, "{$like: 1}"), list(1999, "1")},
		{"many values, many elements", "$contains: " + list(20_000, "x"), list(20_000, `"y"`)},
		{"a chain of values that give way", "$contains: " + chain(600), list(600, `{"a": 1}`)},
		{"a costly pattern, again and again", "$each: {$not: {$regex: '(a?){400}(a?){400}b$'}}", list(100, `"`+long+`"`)},
		{"the same text again and again", `a: {$each: "{{ body/b }}"}`, `{"a": ` + list(50_000, `"x"`) + `, "b": "` + escaped + `"}`},
		{"a long text in many letters", `$contains: ` + list(10_000, `{$anycase: x}`), list(5, `"`+escaped+`"`)},
		{"names that are not there", "$each: {" + manyKeys(5000) + "}", list(20_000, "{}")},
		{"many names and many members", "$each: {$exactly: {" + manyOptional(2000) + "}}", list(40, "{"+members(2000)+"}")},
		{"an object again and again", `a: {$each: "{{ body/b }}"}`, `{"a": ` + list(3, `{`+members(9000)+`}`) + `, "b": {` + members(9000) + `}}`},
		{"elements one by one", "$allOf: " + list(3000, "{$each: {$like: 1}}"), list(90_000, "1")},
		{"nothing but $not", "$not: {$allOf: " + list(3000, "{$each: {$like: 1}}") + "}", list(90_000, "1")},
	} {
		i := &Interaction{Request: RequestMatcher{Body: mustValue(t, "{"+test.value+"}", where{})}}
		r := NewRequest("PUT", "/", nil, []byte(test.body))
		if r.BodyFault() != nil {
			t.Fatal(test.name, r.BodyFault())
		}
		trial := NewTrial(r, Env{Now: noon})
		if trial.Accepts(i) {
			t.Errorf("%s: accepted", test.name)
		}
		if !trial.Exhausted() {
			trial.Mismatches(i)
		}
		if !trial.Exhausted() {
			t.Errorf("%s: the budget did not end it: %d steps are left", test.name, trial.s.work)
			continue
		}
		if trial.Accepts(&Interaction{Request: RequestMatcher{Body: &Value{kind: &not{of: &Value{kind: scalar{}}}}}}) {
			t.Errorf("%s: something matches without a budget", test.name)
		}
	}
}

// chain is n values that each accept the same elements, so that all give way
// to one another in vain.
func chain(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{a: {$like: %d}},", i)
	}
	return "[" + b.String() + "{b: 1}]"
}

func manyOptional(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "b%d: {$not: x}, ", i)
	}
	return b.String()
}

func members(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"a%d": 1`, i)
	}
	return b.String()
}

func TestBudgetOfAnswers(t *testing.T) {
	list := func(n int, element string) string { return "[" + strings.Repeat(element+",", n-1) + element + "]" }
	escaped := strings.Repeat(`\u0061`, 150_000)
	for _, test := range []struct{ name, value, body, want string }{
		{"loops in loops", `{$for: body, give: {$for: body, give: {$for: body, give: 1}}}`, list(1000, "1"), "the loops of this answer have more than 20000 elements"},
		{"a long list", `{$for: body, give: 1}`, list(30_000, "1"), "the loops of this answer have more than 20000 elements"},
		{"the whole in each part", `{$for: body/a, give: "{{ body }}"}`, `{"a": ` + list(5000, "1") + `}`, "costs too much"},
		{"the whole in the text of each part", `{$for: body/a, give: "x{{ body }}"}`, `{"a": ` + list(5000, "1") + `}`, "costs too much"},
		{"a text through all functions", `{$for: body/a, give: "{{ body/b | upper | lower | escape | text | hex }}"}`, `{"a": ` + list(5000, "1") + `, "b": "` + escaped + `"}`, "costs too much"},
		{"many templates in a text", `{$for: body, give: "` + strings.Repeat("{{ item }}", 6000) + `"}`, list(10_000, `"x"`), "costs too much"},
		{"merges", `{$for: body/a, give: {$merge: ["{{ body/b }}", "{{ body/b }}"]}}`, `{"a": ` + list(5000, "1") + `, "b": {` + members(5000) + `}}`, "costs too much"},
		{"pairs", `{$for: body/a, give: {$pairs: body/b}}`, `{"a": ` + list(15_000, "1") + `, "b": {` + members(9000) + `}}`, "costs too much"},
		{"unpaired", `{$for: body/a, give: {$object: body/b}}`, `{"a": ` + list(15_000, "1") + `, "b": ` + list(9000, `{"name": "x", "value": 1}`) + `}`, "costs too much"},
		{"what each asks", `{$for: body/a, when: {body/b: {$each: {$like: 1}}}, give: 1}`, `{"a": ` + list(15_000, "1") + `, "b": ` + list(9000, `1`) + `}`, "costs too much"},
		{"far members", `{$for: body/a, give: "{{ body/b/a8999 }}"}`, `{"a": ` + list(15_000, "1") + `, "b": {` + members(9000) + `}}`, "costs too much"},
	} {
		v := mustValue(t, test.value, where{gives: true})
		s := &scope{env: Env{Now: noon}, req: NewRequest("PUT", "/", nil, []byte(test.body)), work: allWork}
		if s.req.BodyFault() != nil {
			t.Fatal(test.name, s.req.BodyFault())
		}
		b, _ := v.give(s, nil)
		switch {
		case s.err == nil:
			t.Errorf("%s: gives %d bytes, and %d steps are left", test.name, len(b), s.work)
		case !strings.Contains(s.err.Why, test.want):
			t.Errorf("%s: %v", test.name, s.err)
		}
	}
}

// TestBudgetOfRooms asks much of long queries, forms and cookies.
func TestBudgetOfRooms(t *testing.T) {
	var form, cookie strings.Builder
	for i := range 150_000 {
		fmt.Fprintf(&form, "&a%d", i)
	}
	for i := range 10_000 {
		fmt.Fprintf(&cookie, "a%d=;", i)
	}
	r := NewRequest("POST", "/", header("Content-Type", "application/x-www-form-urlencoded", "Cookie", cookie.String()), []byte(form.String()))
	q := NewRequest("POST", "/?"+form.String(), nil, []byte("["+strings.Repeat("1,", 15_000)+"1]"))
	for _, test := range []struct {
		request string
		got     *Request
	}{
		{"form: {$exactly: {}}", r}, {"query: {$values: {$like: a}, example: {}}", q}, {"cookie: {$exactly: {}}", r},
		{"form: {" + manyOptional(9000) + "}", r}, {"cookie: {" + manyOptional(9000) + "}", r},
	} {
		trial := NewTrial(test.got, Env{})
		if trial.Accepts(parseOne(t, "request: {"+test.request+"}")) || !trial.Exhausted() {
			t.Errorf("%.40s: %d steps are left", test.request, trial.s.work)
		}
	}
	s := &scope{req: q, work: allWork}
	if mustValue(t, `{$for: body, give: "{{ query/a }}"}`, where{gives: true}).give(s, nil); s.err == nil {
		t.Errorf("%d steps are left", s.work)
	}
}
