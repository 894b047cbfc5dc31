package scenarios

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"gopkg.in/yaml.v3"
)

// The schema is for editors: they complete and check what is typed.
const schemaFile = "../schemas/scenario.schema.json"

func readSchema(t *testing.T) (*jsonschema.Schema, map[string]any) {
	t.Helper()
	src, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(src, &doc); err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.LoadURL = func(url string) (io.ReadCloser, error) { return nil, errors.New("nothing is fetched: " + url) }
	if err := c.AddResource("scenario.schema.json", bytes.NewReader(src)); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("scenario.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s, doc
}

// at goes down a schema by member names.
func at(t *testing.T, doc any, names ...string) any {
	t.Helper()
	for _, name := range names {
		m, ok := doc.(map[string]any)
		if !ok || m[name] == nil {
			t.Fatalf("the schema has no %s", strings.Join(names, "/"))
		}
		doc = m[name]
	}
	return doc
}

func sameWords(t *testing.T, what string, schema any, parser []string) {
	t.Helper()
	var words []string
	switch s := schema.(type) {
	case map[string]any:
		words = slices.Collect(maps.Keys(s))
		for name, sub := range s {
			if d, _ := sub.(map[string]any); d["$ref"] == nil && d["description"] == nil && what != "lognormal" {
				t.Errorf("%s: the schema does not describe %s", what, name)
			}
		}
	case []any:
		for _, w := range s {
			words = append(words, w.(string))
		}
	}
	slices.Sort(words)
	if want := slices.Sorted(slices.Values(parser)); !slices.Equal(words, want) {
		t.Errorf("%s: the schema has %v, the parser %v", what, words, want)
	}
}

// TestSchemaIsTheParsers keeps the words of both in step.
func TestSchemaIsTheParsers(t *testing.T) {
	_, doc := readSchema(t)
	def := func(names ...string) any { return at(t, doc, append([]string{"$defs"}, names...)...) }
	sameWords(t, "a scenario", at(t, doc, "properties"), scenarioKeys)
	sameWords(t, "an interaction", def("interaction", "properties"), interactionKeys)
	sameWords(t, "a request", def("request", "properties"), requestKeys)
	sameWords(t, "a response", def("response", "properties"), responseKeys)
	sameWords(t, "adds", def("adds", "properties"), responseKeys)
	sameWords(t, "a case", def("case", "properties"), caseKeys)
	sameWords(t, "lognormal", def("delay", "then", "properties", "lognormal", "properties"), lognormalKeys)
	sameWords(t, "dribble", def("fault", "then", "properties", "dribble", "properties"), dribbleKeys)
	sameWords(t, "fault", def("fault", "else", "enum"), strs(bareDamage))
	sameWords(t, "fault with a number", def("fault", "then", "properties"), strs(mappedDamage))
	sameWords(t, "source", at(t, doc, "properties", "source", "enum"), sources)
	sameWords(t, "order", def("interaction", "properties", "order", "enum"), orders)
	sameWords(t, "then", def("interaction", "properties", "then", "enum"), thens)
	sameWords(t, "links", def("$list", "properties", "links", "items", "enum"), listLinks)
	sameWords(t, "payload", def("request", "properties", "payload", "enum"), payloads)
	sameWords(t, "operators", def("operator", "properties"), keysOf(operators))
	sameWords(t, "names of operators", def("operator", "propertyNames").(map[string]any)["anyOf"].([]any)[2].(map[string]any)["enum"], keysOf(operators))
	for name, form := range operators {
		sameWords(t, name, def(name, "properties"), append([]string{name}, form.options...))
	}
	for name := range doc["$defs"].(map[string]any) {
		if strings.HasPrefix(name, "$") && operators[name].parse == nil {
			t.Errorf("the schema has an operator %s", name)
		}
	}
	for _, b := range def("operator", "allOf").([]any) {
		name := at(t, b, "if", "required").([]any)[0].(string)
		if at(t, b, "then", "$ref") != "#/$defs/"+name {
			t.Errorf("%s is checked as another", name)
		}
	}
}

func strs(kinds []DamageKind) (all []string) {
	for _, k := range kinds {
		all = append(all, string(k))
	}
	return all
}

// asEditor is a document as an editor has it: numbers, texts, objects.
func asEditor(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = asEditor(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, e := range n.Content {
			list = append(list, asEditor(e))
		}
		return list
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return n.Value == "true"
	case "!!int", "!!float":
		if _, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return json.Number(n.Value)
		}
	}
	return n.Value
}

// schemaFaults says what the schema has against the documents of a file.
func schemaFaults(t *testing.T, s *jsonschema.Schema, src string) error {
	t.Helper()
	dec := yaml.NewDecoder(strings.NewReader(src))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(asEditor(doc.Content[0])); err != nil {
			return err
		}
	}
}

// TestSchemaTakesWhatParses validates all good files there are.
func TestSchemaTakesWhatParses(t *testing.T) {
	s, _ := readSchema(t)
	n := 0
	seeds(t, func(src []byte) {
		all, err := Parse("f.yaml", src)
		if err != nil {
			return
		}
		n++
		if err := schemaFaults(t, s, string(src)); err != nil {
			t.Errorf("%#v\n%s", err, src)
		}
		for _, one := range all {
			if err := schemaFaults(t, s, string(composed(t, one))); err != nil {
				t.Errorf("%#v\n%s", err, composed(t, one))
			}
		}
	})
	if n < 40 {
		t.Errorf("only %d files", n)
	}
}

// TestBothRefuse has what neither the schema nor the parser takes.
func TestBothRefuse(t *testing.T) {
	s, _ := readSchema(t)
	const only = "scenario: a\nsource: assumed\nrecords: {a: 1}\n"
	if err := schemaFaults(t, s, only); err != nil {
		t.Errorf("records alone: %#v", err)
	}
	const good = "scenario: a\nsource: assumed\nreleases: [11.1.2.3]\ninteractions:\n- name: one\n  request: {path: /a, body: {a: 1}}\n  response: {status: 200, body: {a: 1}}\n"
	if err := schemaFaults(t, s, good); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{"scenario: a\n", ""}, {"source: assumed\n", ""}, {"source: assumed", "source: guessed"}, {"source: assumed", "source: assumed\nfrmo: x"},
		{"[11.1.2.3]", "[]"}, {"[11.1.2.3]", "11.1.2.3"}, {"[11.1.2.3]", "[11g]"}, {"scenario: a", "scenario: [a]"}, {"scenario: a", "scenario: ''"},
		{"- name: one\n  request", "- request"}, {"name: one", "name: one\n  order: middle"}, {"name: one", "nmae: one"}, {"name: one", "name: one\n  given: a"},
		{"name: one", "name: one\n  adds: {}"}, {"  request: {path: /a, body: {a: 1}}\n", ""}, {"  response: {status: 200, body: {a: 1}}\n", ""},
		{"  response: {status: 200, body: {a: 1}}\n", "  order: last\n  adds: {}\n"},
		{"path: /a", "path: a"}, {"path: /a", "path: [a]"}, {"path: /a", "path: {a: b}"}, {"path: /a", "mehtod: PUT"}, {"path: /a", "payload: none"}, {"path: /a", "text: a"},
		{"path: /a", "form: {a: b}"}, {"path: /a", "query: a"}, {"path: /a", "query: {a: {b: c}}"}, {"path: /a", "query: {a: {$x: c}}"}, {"path: /a", "query: {a: null}"},
		{"path: /a", "method: [PUT]"}, {"path: /a", "user: {name: ann}"}, {"path: /a", "header: {$exactly: 5, b: 6}"},
		{"status: 200", "status: 99"}, {"status: 200", "status: 600"}, {"status: 200", "status: two"}, {"status: 200, ", ""}, {"status: 200", "status: 200, fault: rest"},
		{"status: 200", "status: 200, text: a"}, {"status: 200", "status: 200, file: a"}, {"status: 200, body: {a: 1}", "status: 200, file: ../a"}, {"status: 200, body: {a: 1}", "status: 200, file: /a"},
		{"status: 200", "status: 200, delay: soon"}, {"status: 200", "status: 200, delay: 5"}, {"status: 200", "status: 200, delay: {uniform: [1s]}"},
		{"status: 200", "status: 200, delay: {lognormal: {sigma: 1}}"}, {"status: 200", "status: 200, delay: {uniform: [1s, 2s], lognormal: {median: 1s}}"}, {"status: 200", "status: 200, delay: {}"},
		{"status: 200", "status: 200, delay: {lognormal: {median: 1s, sigma: 11}}"},
		{"{a: 1}", "{$regx: a}"}, {"{a: 1}", "{a: {$ref: a}}"}, {"{a: 1}", "{$like: 1, $any: 2}"}, {"{a: 1}", "{$like: 1, example: 2}"}, {"{a: 1}", "{$each: 1, mim: 2}"},
		{"{a: 1}", "{$each: 1, min: -1}"}, {"{a: 1}", "{$oneOf: []}"}, {"{a: 1}", "[{$contains: 5}]"}, {"{a: 1}", "{a: [{$absent: false}]}"}, {"{a: 1}", "{$number: five}"},
		{"{a: 1}", "{$number: 5, min: x}"}, {"{a: 1}", "{$number: 5, integer: perhaps}"}, {"{a: 1}", "{$anycase: {}}"}, {"{a: 1}", "{$date: [iso]}"},
		{"body: {a: 1}}\n", "body: {a: 1}}\n  when: [a]\n"}, {"body: {a: 1}}\n", "body: {a: 1}}\n  when: {body/a: {$x: 1}}\n"},
		{"200, body: {a: 1}", "200, body: {$for: body}"}, {"200, body: {a: 1}", "200, body: {$for: body, cases: []}"}, {"200, body: {a: 1}", "200, body: {$for: body, cases: [{gvie: 1}]}"},
		{"200, body: {a: 1}", "200, body: {$pairs: body, always: Key}"}, {"200, body: {a: 1}", "200, body: {$merge: {}}"}, {"200, body: {a: 1}", "200, body: {$error: a, insatnce: b}"},
		{"200, body: {a: 1}", "200, body: {$pairs: []}"},
		{"source: assumed\n", "source: assumed\ngiven: []\n"}, {"source: assumed\n", "source: assumed\ngiven: {}\n"}, {"source: assumed\n", "source: assumed\ngiven: ''\n"},
		{"source: assumed\n", "source: assumed\ngiven: {a: b}\n"}, {"source: assumed\n", "source: assumed\ngiven: {'': {}}\n"}, {"source: assumed\n", "source: assumed\ngiven: {a: {b: {$x: 1}}}\n"},
		{"source: assumed\n", "source: assumed\nrecords: {}\n"}, {"source: assumed\n", "source: assumed\nrecords: [a]\n"}, {"source: assumed\n", "source: assumed\nrecords: {a: {$x: 1}}\n"},
		{"body: {a: 1}}\n", "body: {a: 1}}\n  set: a\n"}, {"body: {a: 1}}\n", "body: {a: 1}}\n  set: {a: {$absent: false}}\n"},
		{"response: {status: 200, body: {a: 1}}", "response: []"}, {"response: {status: 200, body: {a: 1}}", "adds: []"}, {"response: {status: 200, body: {a: 1}}", "response: [{}]"},
		{"response: {status: 200, body: {a: 1}}", "adds: [{stauts: 200}]"}, {"body: {a: 1}}\n", "body: {a: 1}}\n  then: loop\n"}, {"body: {a: 1}}\n", "body: {a: 1}}\n  per: user\n"},
		{"response: {status: 200, body: {a: 1}}\n", "adds: {}\n  per: user\n"}, {"response: {status: 200, body: {a: 1}}\n", "adds: [{}, {}]\n  then: repeat\n"},
		{"body: {a: 1}}\n", "body: {a: 1}}\n  chance: 10\n"}, {"body: {a: 1}}\n", "body: {a: 1}}\n  chance: 101%\n"}, {"body: {a: 1}}\n", "body: {a: 1}}\n  beyond: 10\n"}, {"body: {a: 1}}\n", "body: {a: 1}}\n  beyond: 0/1m\n"},
		{"status: 200", "status: 200, fault: truncate"}, {"status: 200", "status: 200, fault: {}"}, {"status: 200", "status: 200, fault: {hang: 5}"}, {"status: 200", "status: 200, fault: {reset: -1}"},
		{"status: 200", "status: 200, fault: {reset: 5, close: 5}"}, {"status: 200", "status: 200, fault: {close: 16KB}"}, {"status: 200", "status: 200, fault: {bandwidth: 16KiB}"},
		{"status: 200", "status: 200, fault: {dribble: {chunks: 5}}"}, {"status: 200", "status: 200, fault: {dribble: {chunks: 0, over: 2s}}"}, {"status: 200", "status: 200, fault: {dribble: {chunks: 5, over: soon}}"},
		{"200, body: {a: 1}", "200, body: {$for: body, give: 1, set: [a]}"}, {"200, body: {a: 1}", "200, body: {$for: body, cases: [{set: a}]}"},
		{"200, body: {a: 1}", "200, body: {$list: body}"}, {"200, body: {a: 1}", "200, body: {$list: body, give: 1, as: links}"}, {"200, body: {a: 1}", "200, body: {$list: body, give: 1, links: []}"},
		{"200, body: {a: 1}", "200, body: {$list: body, give: 1, links: [self, self]}"}, {"200, body: {a: 1}", "200, body: {$list: body, give: 1, links: [last]}"}, {"200, body: {a: 1}", "200, body: {$list: body, give: 1, cases: []}"},
	} {
		src := strings.Replace(good, change[0], change[1], 1)
		if src == good {
			t.Fatalf("%q is not there", change[0])
		}
		if _, err := Parse("f.yaml", []byte(src)); err == nil {
			t.Errorf("the parser takes %q", change[1])
		}
		if schemaFaults(t, s, src) == nil {
			t.Errorf("the schema takes %q for %q", change[1], change[0])
		}
	}
}
