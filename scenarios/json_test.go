package scenarios

import (
	"errors"
	"go/scanner"
	"strings"
	"testing"
)

// faultLines are all faults, one a line.
func faultLines(err error) string {
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		return ""
	}
	var lines []string
	for _, f := range list {
		lines = append(lines, f.Error())
	}
	return strings.Join(lines, "\n")
}

func TestAsYAML(t *testing.T) {
	for src, want := range map[string]string{
		`{"a": "x\/y\\/"}`:                     `{"a": "x/y\\/"}`,
		`{"a": "\ud83d\ude00\u00e4"}`:          `{"a": "\U0001F600\u00e4"}`,
		" \n\t{\"\\/\": [1.5e-3, true, null]}": " \n\t{\"/\": [1.5e-3, true, null]}",
		`{"a": "\ud83d"}`:                      `{"a": "\ud83d"}`, // alone it is a fault
		`{"a": "\ud83dx\ude00"}`:               `{"a": "\ud83dx\ude00"}`,
		`{"a": "\ude00\ud83d\/"}`:              `{"a": "\ude00\ud83d/"}`,
		`{"a": "\\\/\"\/"}`:                    `{"a": "\\/\"/"}`,
		`{"a": "\u12`:                          `{"a": "\u12`,
		`{"a": "\`:                             `{"a": "\`,
		// What is no JSON is not touched.
		`{b: "\/"}`:              `{b: "\/"}`,
		`{"a": 'it"s \/ "'}`:     `{"a": 'it"s \/ "'}`,
		"{\"a\": \"\n\\/\"}":     "{\"a\": \"\n\\/\"}",
		`["\/"]`:                 `["\/"]`,
		`a: {"b": "\/"}`:         `a: {"b": "\/"}`,
		"{\"a\": \"\\/\"} # \"x": "{\"a\": \"\\/\"} # \"x",
	} {
		if got, _ := asYAML([]byte(src)); string(got) != want {
			t.Errorf("%s\ngot  %s\nwant %s", src, got, want)
		}
	}
}

// Faults are where they are in the text that was sent, however much shorter
// its escapes became.
func TestPlacesInJSON(t *testing.T) {
	const x = `{"method": "\/\/\ud83d\ude00ä", "mthod": 1,` + "\n" + ` "\/": 1, "path": "\/a", "x": 2}`
	_, err := ParseRequest("body", []byte(x))
	if err == nil {
		t.Fatal("no fault")
	}
	want := `body:1:12: method "//😀ä": methods are words in capital letters` + "\n" +
		`body:1:33: request: unknown key "mthod"; did you mean "method"?` + "\n" +
		`body:2:2: request: unknown key "/"` + "\n" + `body:2:26: request: unknown key "x"`
	if got := faultLines(err); got != want {
		t.Errorf("got %s", got)
	}
	list, err := Parse("a.json", []byte(`{"scenario": "\/", "source": "assumed", "interactions": [{"name": "\ud83d\ude00", "request": {"path": "\/a"}, "response": {"status": 200, "body": "\/"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	i := list[0].Interactions[0]
	var b strings.Builder
	_, _ = list[0].WriteTo(&b)
	if list[0].Title != "/" || i.Name != "😀" || i.Request.Path.String() != "/a" || i.Pos.Column != 59 || !strings.Contains(b.String(), `"\/"`) {
		t.Errorf("%+v %+v %s", list[0], i, &b)
	}
}

func TestParseWanted(t *testing.T) {
	for src, want := range map[string]string{
		`{"request": {"method": "PUT"}, "exactly": 2}`: "",
		"order:\n  - {method: PUT}\n  - {path: /a}":    "",
		`{request: {}}`:                        "",
		``:                                     "wanted:1:1: there is nothing but an empty text",
		`[]`:                                   "wanted:1:1: what is wanted: want keys and values, got an empty list",
		`{}`:                                   "wanted:1:1: want a request, or an order of them",
		`{exactly: 1}`:                         "wanted:1:1: want a request, or an order of them",
		`{request: {}, order: [{}]}`:           "wanted:1:15: order: what is wanted has a request, or an order of them, not both",
		`{request: {}, exactly: 1, atMost: 2}`: "wanted:1:27: atMost: one of exactly, atLeast and atMost is taken, and exactly was given",
		`{order: [{}], atMost: 2}`:             "wanted:1:1: atMost goes with a request, and not with an order of them",
		`{request: {}, exactly: "1"}`:          `wanted:1:24: exactly: want a whole number from 0 on, got "1"`,
		`{request: {}, exactly: -1}`:           `wanted:1:24: exactly: want a whole number from 0 on, got "-1"`,
		`{request: {}, exactly: 1.0}`:          `wanted:1:24: exactly: want a whole number from 0 on, got "1.0"`,
		`{request: {}, exactly: 9999999999}`:   `wanted:1:24: exactly: want a whole number from 0 on, got "9999999999"`,
		`{request: {}, exctly: 1}`:             `wanted:1:15: what is wanted: unknown key "exctly"; did you mean "exactly"?`,
		`{order: []}`:                          "wanted:1:9: order: want a list of requests, got an empty list",
		`{order: [{}, {mthod: PUT}]}`:          `wanted:1:15: request: unknown key "mthod"; did you mean "method"?`,
		"request: {}\n---\nrequest: {}":        "wanted:2:1: one document is taken, and here another begins",
		`{"request": {}} }`:                    "wanted:1:1: no YAML: did not find expected <document start>",
	} {
		w, err := ParseWanted("wanted", []byte(src))
		if got := faultLines(err); strings.TrimSpace(got) != want || (err == nil) != (w != nil) {
			t.Errorf("%s\ngot  %s\nwant %s", src, got, want)
		}
	}
	w, err := ParseWanted("wanted", []byte(`{"order": [{"method": "PUT"}, {"method": "GET"}]}`))
	if err != nil || len(w.Order) != 2 || w.Request != nil || w.Exactly != nil {
		t.Errorf("%+v %v", w, err)
	}
	w, err = ParseWanted("wanted", []byte(`{"request": {}, "atLeast": 0}`))
	if err != nil || w.Request == nil || w.AtLeast == nil || *w.AtLeast != 0 {
		t.Errorf("%+v %v", w, err)
	}
}

func TestParseRecord(t *testing.T) {
	for _, test := range []struct{ at, src, want string }{
		{"tasks/1", `{"a": {"$absent": true}}`, ""},
		{"tasks/1", "a:\n  - 1", ""},
		{"tasks/{new}", "5", ""},
		{"tasks/1", "{a: 1}\n{b: 2}", "body:1:1: no YAML: did not find expected <document start>"},
		{"tasks//1", "5", `body:1:1: set: address "tasks//1": an empty step`},
		{"body/id", "5", `body:1:1: set: "body/id" is no record: what is remembered has a name of its own, such as tasks/5`},
		{"", "5", "body:1:1: set: an address is missing: a room such as body, and steps such as /id"},
		{"tasks/1", "a: '{{ body/id }}'", "body:1:4: "},
		{"tasks/1", "{a: {$absnt: true}}", `body:1:6: unknown operator "$absnt"; did you mean "$absent"?`},
	} {
		set, rooms, err := ParseRecord("body", test.at, []byte(test.src))
		if got := faultLines(err); !strings.HasPrefix(got, test.want) || test.want == "" && err != nil {
			t.Errorf("%s: %s\ngot  %s\nwant %s", test.at, test.src, got, test.want)
		}
		if err == nil && (len(set) != 1 || set[0].At.String() != test.at || len(rooms) != 1 || rooms[0].Name != "tasks") {
			t.Errorf("%s: %+v %+v", test.at, set, rooms)
		}
	}
}
