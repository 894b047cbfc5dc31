package schemas

import (
	"fmt"
	"go/token"
	"strings"
	"testing"
	"testing/fstest"
)

// told is what the members of a payload are, one a line.
func told(list []Member) string {
	var b strings.Builder
	for _, m := range list {
		fmt.Fprintf(&b, "%q %s", m.At, strings.Join(m.Types, "|"))
		if m.Format != "" {
			fmt.Fprintf(&b, " as %s", m.Format)
		}
		if len(m.Words) > 0 {
			fmt.Fprintf(&b, " %q", m.Words)
		}
		if m.Closed {
			b.WriteString(" closed")
		}
		if m.Required {
			b.WriteString(" required")
		}
		fmt.Fprintf(&b, " %s\n", m.Pos)
	}
	return b.String()
}

// The members of a payload are told as the files describe them.
func TestMembers(t *testing.T) {
	const head = `{"$schema": "` + draft + `", "x-operation": "PUT /a/{id}",` + "\n"
	for _, test := range []struct{ name, schema, want string }{
		{"names, types, words", `"type": "object", "required": ["id", "more"], "properties": {
  "id": {"type": "string", "examples": ["7", "8"]},
  "kind": {"enum": ["a", "b"], "examples": ["c"]},
  "one": {"const": "x"},
  "when": {"type": ["string", "null"], "format": "iso"}
}}`, `"" object x/a.request.json:1:1
"/id" string ["7" "8"] required x/a.request.json:3:3
"/kind"  ["a" "b"] closed x/a.request.json:4:3
"/one"  ["x"] closed x/a.request.json:5:3
"/when" string|null as iso x/a.request.json:6:3
"/more"  required x/a.request.json:2:38
`},
		{"lists", `"type": "array", "prefixItems": [{"type": "string"}], "items": {"properties": {"a/b": {"type": "array", "items": {"type": "integer"}}}}}`,
			`"" array x/a.request.json:1:1
"/0" string x/a.request.json:2:34
"/*"  x/a.request.json:2:64
"/*/a~1b" array x/a.request.json:2:80
"/*/a~1b/*" integer x/a.request.json:2:114
`},
		{"references and combinations", `"allOf": [{"$ref": "common.json#/$defs/page"}, {"required": ["count"]}],
"anyOf": [{"required": ["x"], "properties": {"x": {"type": "string"}}}, {"properties": {"x": {"type": "number"}}}],
"not": {"properties": {"never": true}}, "if": {"properties": {"never": true}}, "then": {"properties": {"then": true}}}`,
			`"" object x/a.request.json:1:1
"/count" integer|string required x/common.json:1:113
"/x" string|number x/a.request.json:3:46
"/then"  x/a.request.json:4:104
`},
		{"members without a name", `"additionalProperties": {"type": "string"}, "patternProperties": {"^x": {"properties": {"y": true}}}}`,
			`""  x/a.request.json:1:1
"/*" string x/a.request.json:2:25
"/*/y"  x/a.request.json:2:89
`},
	} {
		t.Run(test.name, func(t *testing.T) {
			fsys := fstest.MapFS{
				"a.request.json": {Data: []byte(head + test.schema)},
				"common.json":    {Data: []byte(`{"$schema": "` + draft + `", "$defs": {"page": {"type": "object", "properties": {"count": {"type": ["integer", "string"]}}}}}`)},
			}
			c, err := Load(fsys, "x", "")
			if err != nil {
				t.Fatal(err)
			}

			if got := told(c.Operations()[0].RequestMembers()); got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
		})
	}
	var none *Operation
	if len(none.RequestMembers())+len(none.ResponseMembers(200))+len(none.ResponseSchemas()) > 0 || none.Pos() != (token.Position{}) {
		t.Error("an operation that is not there has members")
	}
}

// The status tells which schema an answer is described by.
func TestResponseMembers(t *testing.T) {
	file := func(name string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(`{"$schema": "` + draft + `", "x-operation": "PUT /a", "properties": {"` + name + `": true}}`)}
	}
	c, err := Load(fstest.MapFS{"a.response.json": file("any"), "a.response.201.json": file("created"), "a.response.404.json": file("error")}, "", "")
	if err != nil {
		t.Fatal(err)
	}
	o := c.Operations()[0]
	for status, want := range map[int]string{0: "/any", 200: "/any", 201: "/created", 404: "/error", 500: ""} {
		got := ""
		if list := o.ResponseMembers(status); len(list) > 1 {
			got = list[1].At
		}
		if got != want {
			t.Errorf("%d: got %q, want %q", status, got, want)
		}
	}
	if got := fmt.Sprint(o.ResponseSchemas()); got != "[0 201 404]" {
		t.Errorf("described are %s", got)
	}
	if got := o.Pos().String(); got != "a.response.json:1:76" {
		t.Errorf("it stands at %s", got)
	}
}

// References that double at every step end somewhere.
func TestMembersAreBounded(t *testing.T) {
	var defs []string
	for i := range 40 {
		defs = append(defs, fmt.Sprintf(`"d%d": {"properties": {"a": {"$ref": "#/$defs/d%d"}, "b": {"$ref": "#/$defs/d%d"}}}`, i, i+1, i+1))
	}
	text := `{"$schema": "` + draft + `", "x-operation": "PUT /a", "$ref": "#/$defs/d0", "$defs": {` + strings.Join(defs, ",") + `, "d40": {"type": "string"}}}`
	c, err := Load(fstest.MapFS{"a.request.json": {Data: []byte(text)}}, "", "")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(c.Operations()[0].RequestMembers()); n > maxMembers {
		t.Errorf("%d members", n)
	}
}
