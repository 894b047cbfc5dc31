package schemas

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/oigmock/oigmock/schemas/payload"
)

const (
	provtasks = "/iam/governance/selfservice/api/v1/provtasks/{taskid}"
	causes    = "/iam/governance/selfservice/api/v1/policyviolations/{pvid}/causes"

	// As printed in the documentation of 11.1.2.3.
	printedTask = `{
  "id": "5126",
  "requestId": "10001",
  "fields": [
    {"name": "Process Instance.Task Details.Note", "value": "Updated value of Note-Sonia4"},
    {"name": "Process Instance.Task Details.Projected End", "value": "2016-02-21"}
  ]
}`
	printedTaskAnswer = `{
  "links": [{"rel": "self", "href": "http://pseudo.com/iam/governance/selfservice/api/v1/provtasks/5126"}],
  "id": "5126",
  "status": "OK",
  "assignee": "System Administrator"
}`
	printedCauses = `{
  "policyviolationcause": [
    {
      "requestId": "gyjgh",
      "causeId": "287874BB86344E3DA243FC84029D76AF",
      "action": "ACCEPT_RISK",
      "comment": "CommentABC",
      "riskAcceptedExpirationDate": "11-May-16"
    }
  ]
}`
	printedCausesAnswer = `{
  "policyviolationsresponse": [
    {
      "links": [{"rel": "self", "href": "http://pseudo.com/iam/governance/selfservice/api/v1/policyviolations/5D4D3C107D7745A8BC21F6DB9888959D/causes"}],
      "requestId": "gyjgh",
      "status": " FAIL",
      "reason": "IAM-8110005 : The specified risk-accepted expiration date 5/11/16 is invalid. The date must be in the future and no later than 6/30/16."
    }
  ]
}`
)

func oig(t testing.TB, release string) *Contract {
	t.Helper()
	c, err := OIG(release)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func body(t testing.TB, text string) payload.Value {
	t.Helper()
	if text == "" {
		return payload.Value{}
	}
	d, err := payload.Scan([]byte(text))
	if err != nil {
		t.Fatalf("scanning %.60s: %v", text, err)
	}
	return d.Root()
}

func lines(violations []Violation) string {
	var all []string
	for _, v := range violations {
		all = append(all, v.String())
	}
	return strings.Join(all, "\n")
}

// The operations of each release, and what describes what is sent, stand in
// testdata/operations.txt: whoever adds or loses one sees it there.
func TestEmbeddedContract(t *testing.T) {
	if got := Releases(); !slices.Equal(got, []string{"11.1.2.3", "12.2.1.4", "14.1.2"}) {
		t.Errorf("releases: got %q", got)
	}
	var got bytes.Buffer
	for _, release := range append(Releases(), "") {
		c := oig(t, release)
		if w := c.Warnings(); len(w) > 0 {
			t.Errorf("release %q: warnings: %v", release, w)
		}
		for _, o := range c.Operations() {
			if c.Operation(o.Method, o.Path) != o {
				t.Errorf("%s is not found", o.Path)
			}
			if release != "" {
				fmt.Fprintf(&got, "%s %s %s: %s (%s)\n", release, o.Method, o.Path, o.Title, o.RequestSchema())
			}
		}
		if c.Operation("GET", "/iam/governance/selfservice/api/v1/nothing") != nil {
			t.Error("an operation is found that is not there")
		}
	}
	const name = "testdata/operations.txt"
	if *update {
		if err := os.WriteFile(name, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the operations are not those of %s; -update writes\n%s", name, got.String())
	}
}

func TestUnknownRelease(t *testing.T) {
	_, err := OIG("11.1.2.2")
	want := `unknown release "11.1.2.2"; did you mean "11.1.2.3"?; known: 11.1.2.3, 12.2.1.4, 14.1.2`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestNilOperation(t *testing.T) {
	var o *Operation
	b := body(t, `{"id": 1}`)
	if o.CheckRequest(b) != nil || o.CheckResponse(200, b) != nil || o.TakesBody() || o.RequestSchema() != "" {
		t.Error("a nil operation has objections")
	}
}

func TestViolations(t *testing.T) {
	c := oig(t, "11.1.2.3")
	const (
		task     = "provtasks/update.request.json"
		answer   = "provtasks/update.response.json"
		cause    = "policyviolations/causes.update.request.json"
		causeAns = "policyviolations/causes.update.response.json"
	)
	for _, test := range []struct {
		name   string
		path   string
		status int // 0: it is a request
		body   string
		want   string
	}{
		{"printed task", provtasks, 0, printedTask, ""},
		{"printed answer", provtasks, 200, printedTaskAnswer, ""},
		{"printed causes", causes, 0, printedCauses, ""},
		{"printed answer about causes", causes, 200, printedCausesAnswer, ""},
		{"more members", provtasks, 0, `{"id": "1", "action": "retry", "fields": [{"name": "n", "value": [1], "x": null}]}`, ""},
		{"no list", causes, 0, `{"policyviolationcause": []}`, ""},

		{"no body", provtasks, 0, "", "body: expected a JSON body, but there is none (" + task + ")"},
		{"an array", provtasks, 0, `[]`, "body: expected object, but got array (" + task + "#/type)"},
		{"null", provtasks, 0, `null`, "body: expected object, but got null (" + task + "#/type)"},
		{"id is a number", provtasks, 0, `{"id": 5126}`, "body /id: expected string, but got number (" + task + "#/properties/id/type)"},
		{"id is missing", provtasks, 0, `{"requestId": "1"}`, `body: "id" is missing (` + task + "#/required)"},
		{"several", provtasks, 0, `{"fields": [{"name": "a"}, {"name": 1}, 2], "requestId": true}`,
			`body: "id" is missing (` + task + "#/required)\n" +
				"body /fields/1/name: expected string, but got number (common.json#/$defs/fields/items/properties/name/type)\n" +
				"body /fields/2: expected object, but got number (common.json#/$defs/fields/items/type)\n" +
				"body /requestId: expected string, but got boolean (" + task + "#/properties/requestId/type)"},
		{"both are missing", provtasks, 200, `{}`, `body: "id" is missing (` + answer + "#/required)\n" + `body: "status" is missing (` + answer + "#/required)"},
		{"any success", provtasks, 204, `{"id": "1"}`, `body: "status" is missing (` + answer + "#/required)"},
		{"no success", provtasks, 404, `{"id": 1}`, ""},
		{"no redirection", provtasks, 300, `1`, ""},

		{"no such day", causes, 0, `{"policyviolationcause": [{"riskAcceptedExpirationDate": "31-Foo-16"}]}`,
			"body /policyviolationcause/0/riskAcceptedExpirationDate: is no date like dd-MMM-yy (common.json#/$defs/dayMonthYear/format)"},
		{"another date form", causes, 0, `{"policyviolationcause": [{}, {"riskAcceptedExpirationDate": "2016-05-11"}]}`,
			"body /policyviolationcause/1/riskAcceptedExpirationDate: is no date like dd-MMM-yy (common.json#/$defs/dayMonthYear/format)"},
		{"the date is a number", causes, 0, `{"policyviolationcause": [{"riskAcceptedExpirationDate": 1460356450695}]}`,
			"body /policyviolationcause/0/riskAcceptedExpirationDate: expected string, but got number (common.json#/$defs/dayMonthYear/type)"},
		{"another member's name", causes, 0, `{"policyviolationcauses": []}`, `body: "policyviolationcause" is missing (` + cause + "#/required)"},
		{"a later release's name", causes, 200, `{"policyVoilationsResponse": []}`, `body: "policyviolationsresponse" is missing (` + causeAns + "#/required)"},
		{"what an item must have", causes, 200, `{"policyviolationsresponse": [{"status": " FAIL"}]}`,
			`body /policyviolationsresponse/0: "requestId" is missing (` + causeAns + "#/properties/policyviolationsresponse/items/required)"},
	} {
		o := c.Operation("PUT", test.path)
		got := o.CheckRequest(body(t, test.body))
		if test.status != 0 {
			got = o.CheckResponse(test.status, body(t, test.body))
		}
		if lines(got) != test.want {
			t.Errorf("%s: got\n%s\nwant\n%s", test.name, lines(got), test.want)
		}
	}
}

func TestManyViolations(t *testing.T) {
	o := oig(t, "11.1.2.3").Operation("PUT", causes)
	got := o.CheckRequest(body(t, `{"policyviolationcause": [`+strings.Repeat("1, ", 29)+`1]}`))
	if len(got) != 21 {
		t.Fatalf("want 21 violations, got %d", len(got))
	}
	for i, v := range got[:20] {
		if want := fmt.Sprintf("/policyviolationcause/%d", i); v.At != want {
			t.Errorf("violation %d is at %s, want %s", i, v.At, want)
		}
	}
	if want := "body: and 10 more (policyviolations/causes.update.request.json)"; got[20].String() != want {
		t.Errorf("got %s\nwant %s", got[20], want)
	}
}

func TestViolationString(t *testing.T) {
	for want, v := range map[string]Violation{
		"body /id: expected string, but got number (a.json#/type)": {At: "/id", Why: "expected string, but got number", Schema: "a.json#/type"},
		"body: is wrong":                      {At: "", Why: "is wrong", Schema: ""},
		"header Content-Type: is missing":     {At: "header Content-Type", Why: "is missing", Schema: ""},
		`body /a\nb"c: is not allowed here`:   {At: "/a\nb\"c", Why: "is not allowed here", Schema: ""},
		"body /größe: is missing (a.json#/x)": {At: "/größe", Why: "is missing", Schema: "a.json#/x"},
	} {
		if got := v.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// one makes a contract of one request schema, and returns its operation.
func one(t testing.TB, schema string) *Operation {
	t.Helper()
	c, err := Load(files(map[string]string{"a.request.json": schema}), "", "")
	if err != nil {
		t.Fatal(err)
	}
	return c.Operations()[0]
}

// files adds what every schema file needs to those that begin with a brace.
func files(texts map[string]string) fs.FS {
	fsys := make(fstest.MapFS)
	for name, text := range texts {
		head := `{"$schema": "https://json-schema.org/draft/2020-12/schema", `
		if payloadName.MatchString(name) {
			head += `"x-operation": "PUT /` + strings.ReplaceAll(name, "/", "-") + `/{id}", `
		}
		if rest, ok := strings.CutPrefix(text, "{"); ok {
			text = head + rest
		}
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

// everyKeyword objects, somewhere, with every keyword there is.
const everyKeyword = `{
  "properties": {
    "const": {"const": "X"}, "enum": {"enum": ["X", 1]}, "type": {"type": ["null", "boolean"]},
    "pattern": {"pattern": "^x+$"}, "minLength": {"minLength": 30}, "maxLength": {"maxLength": 1},
    "format": {"format": "uuid"}, "date": {"format": "java"}, "epoch": {"format": "epoch"},
    "minimum": {"minimum": 7e20}, "maximum": {"maximum": 3}, "exclusiveMinimum": {"exclusiveMinimum": 7e20},
    "exclusiveMaximum": {"exclusiveMaximum": 3}, "multipleOf": {"multipleOf": 10}, "integer": {"type": "integer"},
    "minItems": {"minItems": 3}, "maxItems": {"maxItems": 1}, "uniqueItems": {"uniqueItems": true},
    "contains": {"contains": {"type": "null"}}, "minContains": {"contains": {"type": "string"}, "minContains": 3},
    "maxContains": {"contains": {"type": "string"}, "maxContains": 1}, "prefixItems": {"prefixItems": [{"type": "null"}]},
    "items": {"items": false}, "unevaluatedItems": {"unevaluatedItems": false},
    "minProperties": {"minProperties": 3}, "maxProperties": {"maxProperties": 0},
    "additionalProperties": {"properties": {"a": true}, "patternProperties": {"^b": true}, "additionalProperties": false},
    "unevaluatedProperties": {"unevaluatedProperties": {"type": "null"}}, "propertyNames": {"propertyNames": {"maxLength": 3}},
    "patternProperties": {"patternProperties": {"^[a-z~]": {"type": "null"}}},
    "dependentRequired": {"dependentRequired": {"a/b": ["c"]}}, "dependentSchemas": {"dependentSchemas": {"a": {"required": ["d"]}}},
    "if": {"if": {"type": "string"}, "then": {"type": "null"}}, "else": {"if": {"type": "null"}, "else": {"type": "boolean"}},
    "not": {"not": {"type": "string"}}, "allOf": {"allOf": [{"type": "null"}]}, "anyOf": {"anyOf": [{"type": "null"}, {"const": 1}]},
    "oneOf": {"oneOf": [{"type": "string"}, true]}, "oneOfNone": {"oneOf": [{"type": "null"}, {"type": "boolean"}]},
    "required": {"required": ["z", "y"]}, "ref": {"$ref": "#/properties/const"}, "false": false
  }
}`

// TestSecrets puts the same secret wherever it can be, as text and as number:
// no violation quotes it.
func TestSecrets(t *testing.T) {
	o := one(t, everyKeyword)
	const text, number = "c4n4ry-pa55w0rd", "66600099966601"
	values := []string{
		`"` + text + `"`, number, number + ".5",
		`["` + text + `", "` + text + `"]`, `[` + number + `, ` + number + `]`,
		`{"a": "` + text + `", "b": ` + number + `, "name": "` + text + `"}`,
		`{"a/b": "` + text + `", "~x": ["` + text + `"]}`,
	}
	said := make(map[string]bool)
	for _, value := range values {
		for name := range body(t, everyKeyword).Member("properties").Members() {
			violations := o.CheckRequest(body(t, `{"`+name+`": `+value+`}`))
			for _, v := range violations {
				said[v.Schema[strings.LastIndex(v.Schema, "/")+1:]] = true
				if s := fmt.Sprintf("%#v %s", v, v); strings.Contains(s, text) || strings.Contains(s, number) {
					t.Errorf("%s: this quotes the body: %s", name, s)
				}
				if strings.Contains(v.Why, "breaks") && !strings.Contains(v.Why, "name of this member") {
					t.Errorf("%s: there are no words for %s", name, v)
				}
			}
		}
	}
	// minContains and such stand for the others that share their code.
	for _, keyword := range strings.Fields("const enum type pattern minLength maxLength format minimum maximum exclusiveMinimum exclusiveMaximum " +
		"multipleOf minItems maxItems uniqueItems minContains maxContains items unevaluatedItems minProperties maxProperties " +
		"additionalProperties required not oneOf false") {
		if !said[keyword] {
			t.Errorf("no value breaks %q: the test is not complete", keyword)
		}
	}
}

func TestWords(t *testing.T) {
	o := one(t, everyKeyword)
	for _, test := range []struct{ name, body, want string }{
		{"const", `2`, `/const: must be "X"`},
		{"enum", `2`, `/enum: must be one of ["X",1]`},
		{"pattern", `"y"`, `/pattern: does not match the pattern "^x+$"`},
		{"minLength", `"äö"`, `/minLength: expected at least 30 characters, but got 2`},
		{"format", `"2"`, `/format: is no valid uuid`},
		{"date", `"2016-01-01"`, `/date: is no date like java`},
		{"epoch", `1460356450695`, ``},
		{"epoch", `1.5`, `/epoch: is no date like epoch`},
		{"minimum", `2`, `/minimum: must be at least 7e20`},
		{"integer", `2.5`, `/integer: expected integer, but got number`},
		{"uniqueItems", `[1, 1.0]`, `/uniqueItems: two of the items are equal`},
		{"contains", `[1]`, `/contains: none of the items is as "contains" asks for`},
		{"minContains", `["a", 2]`, `/minContains: fewer than 3 of the items are as "contains" asks for`},
		{"additionalProperties", `{"a": 1, "bx": 2, "zz": 3, "c/~": 4}`, "/additionalProperties/c~1~0: is not allowed here\n/additionalProperties/zz: is not allowed here"},
		{"propertyNames", `{"abcd": 1}`, `/propertyNames/abcd: the name of this member breaks "maxLength"`},
		{"dependentRequired", `{"a/b": 1}`, `/dependentRequired: "c" is missing, which "a/b" asks for`},
		{"dependentSchemas", `{"a": 1}`, `/dependentSchemas: "d" is missing`},
		{"oneOf", `"a"`, `/oneOf: satisfies more than one of the schemas of which it must satisfy one`},
		{"oneOfNone", `1`, "/oneOfNone: expected boolean, but got number\n/oneOfNone: expected null, but got number"},
		{"required", `{}`, "/required: \"y\" is missing\n/required: \"z\" is missing"},
		{"false", `1`, `/false: is not allowed here`},
		{"items", `[1, 2]`, "/items/0: is not allowed here\n/items/1: is not allowed here"},
	} {
		var got []string
		for _, v := range o.CheckRequest(body(t, `{"`+test.name+`": `+test.body+`}`)) {
			got = append(got, v.At+": "+v.Why)
		}
		if strings.Join(got, "\n") != test.want {
			t.Errorf("%s %s: got\n%s\nwant\n%s", test.name, test.body, strings.Join(got, "\n"), test.want)
		}
	}
}

// TestOrderIsStable is about the validator's maps.
func TestOrderIsStable(t *testing.T) {
	o := one(t, everyKeyword)
	b := body(t, `{"additionalProperties": {"z": 1, "y": 1, "x": 1}, "required": {}, "const": 1, "anyOf": 2, "false": 3, "oneOfNone": 4}`)
	want := lines(o.CheckRequest(b))
	for range 50 {
		if got := lines(o.CheckRequest(b)); got != want {
			t.Fatalf("got\n%s\nafter\n%s", got, want)
		}
	}
}

func TestStatusAndReleases(t *testing.T) {
	general := `"x-operation": "PUT /a/{id}"`
	c := func(release string) *Operation {
		t.Helper()
		fsys := fstest.MapFS{}
		for name, text := range map[string]string{
			"a.response.json":     general + `, "required": ["any"], "x-source": {"11.1": "printed", "12.2": "derived"}, "x-statuses": [404, 200]`,
			"a.response.201.json": general + `, "required": ["created"], "x-releases": ["12.2"], "x-source": {"12.2": "derived"}, "x-statuses": [201, 404]`,
			"a.response.404.json": general + `, "required": ["error"]`,
			"old.request.json":    general + `, "x-releases": ["9.1", "11.1"], "title": "Old: request", "required": ["old"]`,
			"new.request.json":    general + `, "x-releases": ["12.2"], "title": "New: request", "required": ["new"]`,
		} {
			fsys[name] = &fstest.MapFile{Data: []byte(`{"$schema": "` + draft + `", ` + text + `}`)}
		}
		contract, err := Load(fsys, "", release)
		if err != nil {
			t.Fatal(err)
		}
		return contract.Operation("PUT", "/a/{id}")
	}
	all := c("")
	for release, want := range map[string]string{"11.1": "printed [200 404]", "12.2": "derived [200 201 404]", "13": " [200 404]", "": " [200 201 404]"} {
		if o := c(release); fmt.Sprint(o.Source, " ", o.Statuses) != want {
			t.Errorf("release %q: got %q, %v, want %s", release, o.Source, o.Statuses, want)
		}
	}
	for status, want := range map[int]string{200: "any", 299: "any", 201: "created", 404: "error", 500: "", 199: ""} {
		got := all.CheckResponse(status, body(t, `{}`))
		if want == "" && got != nil || want != "" && (len(got) != 1 || got[0].Why != `"`+want+`" is missing`) {
			t.Errorf("status %d: got %v", status, got)
		}
	}
	for release, want := range map[string]string{"9.1": "old", "12.2": "new", "": "new", "13": ""} {
		o := c(release)
		got := lines(o.CheckRequest(body(t, `{}`)))
		if want == "" && got != "" || want != "" && got != fmt.Sprintf(`body: %q is missing (%s.request.json#/required)`, want, want) {
			t.Errorf("release %q: got %q", release, got)
		}
		if want != "" && !strings.EqualFold(o.Title, want) {
			t.Errorf("release %q: title %q", release, o.Title)
		}
	}
	if got := all.CheckRequest(body(t, `{"old": 1}`)); got != nil {
		t.Errorf("what one release takes is refused by all: %v", got)
	}
}

func TestTopLevelSchemaFilesAreIgnored(t *testing.T) {
	fsys := files(map[string]string{
		"scenario.schema.json": `nonsense`, "testdata/x.json": `nonsense`, ".git/x.json": `nonsense`, "readme.txt": `nonsense`,
		"a.request.json": `{"type": "object"}`,
	})
	if _, err := Load(fsys, "", ""); err != nil {
		t.Error(err)
	}
}

// TestConcurrent is for the race detector.
func TestConcurrent(t *testing.T) {
	o := oig(t, UsualRelease).Operation("PUT", provtasks)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if len(o.CheckRequest(body(t, `{"id": 1}`))) != 1 || len(o.CheckRequest(body(t, printedTask))) != 0 {
					t.Error("wrong")
				}
			}
		})
	}
	wg.Wait()
}

// TestHugeBodies keeps a body that is wrong in very many places from costing
// much: what costs is a look of a schema at a value, and these are counted. A
// body that is right and as large as any may be is judged.
func TestHugeBodies(t *testing.T) {
	o := oig(t, "11.1.2.3").Operation("PUT", causes)
	deep := one(t, `{"items": {"$ref": "#/$defs/a"}, "$defs": {"a": {"$ref": "#/$defs/b", "required": ["a"]}, "b": {"required": ["b"], "allOf": [{"type": "object", "required": ["c"]}]}}}`)
	tuple := one(t, `{"type": "array", "prefixItems": [{"allOf": [true, true]}], "items": {"additionalProperties": {"$ref": "#/$defs/a"}, "contains": true}, "$defs": {"a": true}}`)
	wide := one(t, `{"allOf": [`+strings.Repeat(`{"type": "array"},`, 98)+`true]}`)
	repeat := func(item string, n int) string {
		return "[" + strings.Repeat(item+",", n-1) + item + "]"
	}
	right := `{"action":"ACCEPT_RISK","requestId":"1","causeId":"2","comment":"c","riskAcceptedExpirationDate":"11-May-16"}`
	list := func(n int) int { return 2 + n/16 } // the looks at the body and at a list of n items
	for _, test := range []struct {
		name  string
		o     *Operation
		body  string
		looks int // with work beyond maxWork: too many
		work  int // of keywords
		right bool
	}{
		{"8,000 right causes", o, `{"policyviolationcause": ` + repeat(right, 8_000) + `}`, list(8_000) + 8_000*7, 4 + 8_000*(5+8), true},
		{"a mebibyte of right causes", o, `{"policyviolationcause": ` + repeat(right, 9_400) + `}`, list(9_400) + 9_400*7, 4 + 9_400*(5+8), true},
		{"90,000 items that are none", o, `{"policyviolationcause": ` + repeat("1", 90_000) + `}`, list(90_000) + 90_000, 4, false},
		{"as many as are looked at", o, `{"policyviolationcause": ` + repeat("1", 75_292) + `}`, maxWork - 1, 4, false},
		{"one more", o, `{"policyviolationcause": ` + repeat("1", 75_293) + `}`, maxWork, 4, false},
		{"with a wrong member each", o, `{"policyviolationcause": ` + repeat(`{"action":1}`, 37_000) + `}`, list(37_000) + 37_000*2, 4 + 37_000*5, false},
		{"with five wrong members each", o, `{"policyviolationcause": ` + repeat(`{"action":1,"requestId":1,"causeId":1,"comment":1,"riskAcceptedExpirationDate":"x"}`, 11_000) + `}`, list(11_000) + 11_000*7, 4 + 11_000*(5+4), false},
		{"what nobody looks at", o, `{"policyviolationcause": [{"x": ` + repeat("[1]", 20_000) + `}]}`, 3, 4 + 5, true},
		{"by way of references", deep, repeat("{}", 18_600), 1 + 18_600/16 + 18_600*4, 18_600 * 9, false},
		{"many looks at one long list", wide, repeat("1", 99_000), 100 * (1 + 99_000/16), 0, false},
		{"every keyword that looks into a value", tuple, `[1, {"a": 1}, [[2]]]`, 1 + 3 + (1 + 3) + (1 + 1), 0, true},
	} {
		b := body(t, test.body)
		const most = maxWork * perLook
		left := most
		affords := test.o.requests[0].root.affords(b, &left)
		steps, want := most-left, test.looks*perLook+test.work
		if min(steps, most+1) != min(want, most+1) || affords != (steps <= most) {
			t.Errorf("%s: %d steps, %v, want %d", test.name, steps, affords, want)
		}
		got := test.o.CheckRequest(b)
		if costly := len(got) == 1 && got[0].Costly; costly == affords || (len(got) == 0) != test.right {
			t.Errorf("%s: got %v, want right %v", test.name, got, test.right)
		}
	}
}

func TestNumbers(t *testing.T) {
	o := one(t, `{"properties": {"n": {"maximum": 9007199254740992}}}`)
	if got := o.CheckRequest(body(t, `{"n": 9007199254740993}`)); len(got) != 1 {
		t.Errorf("2^53+1 is not above 2^53: %v", got)
	}
}

// FuzzCheckRequest looks for panics, for lines that hold line breaks, and for
// lists that are too long or not sorted.
func FuzzCheckRequest(f *testing.F) {
	for _, seed := range []string{printedTask, printedTaskAnswer, printedCauses, printedCausesAnswer, everyKeyword,
		`{"required": {}, "uniqueItems": [1, 1e400, 1.0], "propertyNames": {"\n": "%"}, "patternProperties": {"~/%41": 1}}`} {
		f.Add([]byte(seed))
	}
	c := oig(f, "11.1.2.3")
	operations := append(c.Operations(), one(f, everyKeyword))
	f.Fuzz(func(t *testing.T, src []byte) {
		d, err := payload.Scan(src)
		if err != nil {
			return
		}
		for _, o := range operations {
			for _, got := range [][]Violation{o.CheckRequest(d.Root()), o.CheckResponse(200, d.Root())} {
				if len(got) > maxViolations+1 {
					t.Errorf("%d violations", len(got))
				}
				for i, v := range got {
					if s := v.String(); strings.ContainsAny(s, "\n\r") || v.Why == "" || v.Schema == "" {
						t.Errorf("no good line: %q", s)
					}
					if strings.Contains(v.Why, "itself failed") {
						t.Errorf("the validator gave up: %q", src)
					}
					if i > 0 && i < maxViolations && comparePointers(got[i-1].At, v.At) > 0 {
						t.Errorf("%q stands before %q", got[i-1].At, v.At)
					}
				}
			}
		}
	})
}

func BenchmarkCheckRequest(b *testing.B) {
	o := oig(b, "11.1.2.3").Operation("PUT", provtasks)
	for name, text := range map[string]string{"printed": printedTask, "wrong": `{"id": 5126}`} {
		v := body(b, text)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				o.CheckRequest(v)
			}
		})
	}
}

func BenchmarkOIG(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		oig(b, "11.1.2.3")
	}
}

// TestFolders loads from a real folder, as the command line does.
func TestFolders(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, embedded); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(os.DirFS(dir), dir, ""); err != nil {
		t.Error(err)
	}
}
