package schemas

import (
	"fmt"
	"strings"
	"testing"
)

// hostile are contracts and bodies that took the validator, or us, far too long.
var hostile = []struct {
	name, schema string
	body         func() string
}{
	{"an enum of numbers", `{"items": {"enum": [` + series("%d.5", 5_000) + `]}}`, func() string { return "[" + again("1e400", 70_000) + "]" }},
	{"an enum of one number, many times", `{"items": {"allOf": [` + again(`{"enum": [1]}`, 60) + `]}}`, func() string { return "[" + again("1e-400", 70_000) + "]" }},
	{"an enum whose message is long", `{"items": {"enum": ["` + strings.Repeat("a", 50_000) + `"]}}`, func() string { return "[" + again("1", 70_000) + "]" }},
	{"an enum of arrays", `{"items": {"enum": [[` + again("1", 1_000) + `, 2]]}}`, func() string { return "[" + again("["+again("1", 1_001)+"]", 90) + "]" }},
	{"patterns for a long text", `{"properties": {"a": {"allOf": [` + series(`{"pattern": "(a+|b%d)+$"}`, 100) + `]}}}`, func() string { return `{"a": "` + strings.Repeat("a", 1_000_000) + `1"}` }},
	{"a big pattern", `{"items": {"pattern": "(.?){400}!"}}`, func() string { return "[" + again(`"aaaaaaaaaaaaaaaa"`, 50_000) + "]" }},
	{"a pattern for names", `{"propertyNames": {"pattern": "(.?){400}!"}}`, func() string { return "{" + series(`"name%d": 1`, 9_900) + "}" }},
	{"patterns and many names", `{"additionalProperties": false, "patternProperties": {` + series(`"^x%d-[a-z]{1,20}$": {}`, 5) + `}}`, func() string { return "{" + series(`"n%d": 1`, 9_900) + "}" }},
	{"quotients", `{"items": {"multipleOf": 1e-300}}`, func() string { return "[" + again("1.1e-399", 70_000) + "]" }},
	{"whole numbers", `{"items": {"allOf": [` + again(`{"type": "integer"}`, 20) + `]}}`, func() string { return "[" + again("1e400", 70_000) + "]" }},
	{"a format of a long text", `{"allOf": [` + again(`{"format": "uri"}`, 100) + `]}`, func() string { return `"` + strings.Repeat("a.", 500_000) + `"` }},
	{"the length of a long text", `{"allOf": [` + again(`{"minLength": 2000000}`, 190) + `]}`, func() string { return `"` + strings.Repeat("a", 1_000_000) + `"` }},
	{"names that are missing", `{"items": {"required": [` + series(`"n%d"`, 1_000) + `]}}`, func() string { return "[" + again("{}", 70_000) + "]" }},
	{"names that others ask for", `{"items": {"dependentRequired": {"a": [` + series(`"n%d"`, 1_000) + `]}}}`, func() string { return "[" + again(`{"a":1}`, 45_000) + "]" }},
	{"properties that are not there", `{"items": {"properties": {` + series(`"n%d": true`, 10_000) + `}}}`, func() string { return "[" + again("{}", 70_000) + "]" }},
	{"few items, each with each", `{"uniqueItems": true}`, func() string { return "[" + series("["+again("1", 4_900)+", %d]", 20) + "]" }},
	{"items of one hash", `{"uniqueItems": true}`, func() string { return "[" + trees(10) + "]" }},
	{"far below a long name", `{"additionalProperties": {"items": {"type": "string"}}}`, func() string { return `{"` + strings.Repeat("a", 500_000) + `": [` + again("1", 70_000) + `]}` }},
}

func again(s string, n int) string { return strings.Repeat(s+",", n-1) + s }

// series repeats a format with 0, 1, 2, …
func series(format string, n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(format, i)
	}
	return strings.Join(all, ",")
}

// trees are all arrays of arrays with n of them in all: the validator's hash
// does not tell them apart.
func trees(n int) string {
	forests := [][]string{{""}} // by how many arrays are in them
	for n := 1; n <= 10; n++ {
		var all []string
		for first := range n {
			for _, a := range forests[first] {
				for _, b := range forests[n-1-first] {
					all = append(all, strings.TrimSuffix("["+a+"],"+b, ","))
				}
			}
		}
		forests = append(forests, all)
	}
	return "[" + strings.Join(forests[n-1], "],[") + "]"
}

// TestHostile: what would cost much more than a quarter of a second is refused
// before the validator has it.
func TestHostile(t *testing.T) {
	for _, test := range hostile {
		text := test.body()
		if len(text) > 1<<20 {
			t.Errorf("%s: the body has %d bytes", test.name, len(text))
		}
		o, b := one(t, test.schema), body(t, text)
		left := maxWork * perLook
		if affords := o.requests[0].root.affords(b, &left); affords {
			t.Logf("%s: %d steps are left", test.name, left)
			if test.name != "patterns and many names" { // which has become cheap
				t.Errorf("%s is judged", test.name)
			}
			continue
		}
		if got := o.CheckRequest(b); len(got) != 1 || !got[0].Costly {
			t.Errorf("%s: %d violations, want one that is Costly", test.name, len(got))
		}
	}
}

// TestWork counts what single keywords cost, in steps.
func TestWork(t *testing.T) {
	small, large := 12, 12+(5+400)/8
	for _, test := range []struct {
		schema, body string
		want         int
	}{
		{`{"type": "number"}`, `1e400`, perLook},
		{`{"type": ["null", "integer"]}`, `1e400`, perLook + large},
		{`{"enum": [1, 2, "abcdef"]}`, `"a"`, perLook + 3 + 1},
		{`{"enum": [1, 1e400]}`, `1e400`, perLook + 2 + 3*large + small},
		{`{"const": 12345678}`, `[1]`, perLook + 1 + 1},
		{`{"const": [1]}`, `1`, perLook + 1},
		{`{"const": [1]}`, `[1]`, perLook + 1 + 2*(1+small) + maxNumberWork},
		{`{"minimum": 1, "maximum": 1e400}`, `1e400`, perLook + 3*large + small},
		{`{"multipleOf": 1}`, `1e400`, perLook + large + perLook + 406*406/1000},
		{`{"pattern": "abc"}`, `1`, perLook},
		{`{"pattern": "abc"}`, `"12345678901234567890"`, perLook + 8 + 5*21/5}, // fail, a, b, c, match
		{`{"format": "uri"}`, `"a\u00e4345678"`, perLook + 4 + 9*8/16},
		{`{"minLength": 1}`, `"12345678901234567890123456789012"`, perLook + 2},
		{`{"required": ["a", "b"], "properties": {"a": true}}`, `{"a": 1}`, 2*perLook + 6 + 1},
		{`{"dependentRequired": {"a": ["b", "c"], "d": ["e"]}}`, `{"a": 1}`, perLook + 2 + 2*perLook},
		{`{"patternProperties": {"abc": {}}}`, `{"abcd": 1}`, 2*perLook + 2*(8+5*5/5)},
		{`{"propertyNames": {"pattern": "abc"}}`, `{"abcd": [1, 2]}`, 2*perLook + 8 + 5*5/5},
		{`{"uniqueItems": false}`, `[1, 2]`, perLook},
		{`{"uniqueItems": true}`, `[1, 2]`, perLook + 2*2*small},
		{`{"uniqueItems": true}`, `[` + again("1", 30) + `]`, 2*perLook + 2*30*small},
		{`{"uniqueItems": true}`, `[` + again("[1]", 30) + `]`, 2*perLook + 30*30*(1+small)},
		{`{"uniqueItems": true}`, `[` + again(`{"a": ""}`, 30) + `]`, 2*perLook + 30*30*6},
		{`{"additionalProperties": true}`, `{"` + strings.Repeat("a", maxPlace) + `": 1}`, 2*perLook + 1 + maxPlace},
	} {
		left := maxWork * perLook
		one(t, test.schema).requests[0].root.affords(body(t, test.body), &left)
		if got := maxWork*perLook - left; got != test.want {
			t.Errorf("%s at %.50s: %d steps, want %d", test.schema, test.body, got, test.want)
		}
	}
}

// TestDescribes: the patterns are those of the schema that objects.
func TestDescribes(t *testing.T) {
	o := one(t, `{"$ref": "#/$defs/a%20b~1", "$defs": {"a b/": {"properties": {"p": true}, "patternProperties": {"^x": true}, "additionalProperties": false}}}`)
	got := lines(o.CheckRequest(body(t, `{"p": 1, "x1": 1, "y": 1}`)))
	if want := "body /y: is not allowed here (a.request.json#/$defs/a%20b~1/additionalProperties)"; strings.TrimSpace(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// BenchmarkHostile tells what it takes to refuse, for who changes the numbers.
func BenchmarkHostile(b *testing.B) {
	for _, test := range hostile {
		o, v := one(b, test.schema), body(b, test.body())
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				o.CheckRequest(v)
			}
		})
	}
}
