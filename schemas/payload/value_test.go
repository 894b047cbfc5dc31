package payload

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestValue(t *testing.T) {
	v := scan(t, ` {"s":"a\u00e9\n", "n": -1.50, "t":true, "f":false, "z":null, "l":[10,[11],{"x":12}], "0":"zero", "o":{}}`)
	for _, c := range []struct {
		at      string
		kind    Kind
		name    string
		text    string
		literal string
		bool    bool
		len     int
		offset  int
	}{
		{"", Object, "object", "", "", false, 8, 1},
		{"s", String, "string", "aé\n", "", false, 0, 6},
		{"n", Number, "number", "", "-1.50", false, 0, 24},
		{"t", Bool, "boolean", "", "", true, 0, 35},
		{"f", Bool, "boolean", "", "", false, 0, 45},
		{"z", Null, "null", "", "", false, 0, 56},
		{"l", Array, "array", "", "", false, 3, 66},
		{"l 0", Number, "number", "", "10", false, 0, 67},
		{"l 1 0", Number, "number", "", "11", false, 0, 71},
		{"l 2 x", Number, "number", "", "12", false, 0, 80},
		{"0", String, "string", "zero", "", false, 0, 90},
		{"o", Object, "object", "", "", false, 0, 102},
		{"l 3", Absent, "nothing", "", "", false, 0, 0},
		{"l 00", Absent, "nothing", "", "", false, 0, 0},
		{"l -1", Absent, "nothing", "", "", false, 0, 0},
		{"l +1", Absent, "nothing", "", "", false, 0, 0},
		{"l -", Absent, "nothing", "", "", false, 0, 0},
		{"l 99999999999999999999", Absent, "nothing", "", "", false, 0, 0},
		{"o x", Absent, "nothing", "", "", false, 0, 0},
		{"s 0", Absent, "nothing", "", "", false, 0, 0},
		{"x y z", Absent, "nothing", "", "", false, 0, 0},
	} {
		got := v.At(strings.Fields(c.at)...)
		if got.Kind() != c.kind || got.Kind().String() != c.name || got.Text() != c.text || got.Literal() != c.literal ||
			got.Bool() != c.bool || got.Len() != c.len || got.Offset() != c.offset || got.Wire() {
			t.Errorf("At(%s): %v %q %q %v, %d in it, offset %d, wire %v", c.at,
				got.Kind(), got.Text(), got.Literal(), got.Bool(), got.Len(), got.Offset(), got.Wire())
		}
	}
	if got := v.KeyOffset("n"); got != 19 {
		t.Errorf("KeyOffset(n) = %d", got)
	}
	if got := v.KeyOffset("none"); got != -1 {
		t.Errorf("KeyOffset(none) = %d", got)
	}
	for range v.Members() {
		break // must not go on
	}
	for range v.Member("l").Elems() {
		break
	}
	const compact = `{"s":"a\u00e9\n","n":-1.50,"t":true,"f":false,"z":null,"l":[10,[11],{"x":12}],"0":"zero","o":{}}`
	if got := string(v.AppendJSON([]byte("body "))); got != "body "+compact {
		t.Errorf("AppendJSON: %s", got)
	}
}

func TestAbsent(t *testing.T) {
	for _, v := range []Value{{}, (*Document)(nil).Root(), (&Document{}).Root()} {
		if v.Kind() != Absent || v.Text() != "" || v.EqualText("") || v.Literal() != "" || v.Bool() || v.Len() != 0 ||
			v.Member("a") != (Value{}) || v.Elem(0) != (Value{}) || v.At("a") != (Value{}) || v.Offset() != 0 ||
			v.KeyOffset("a") != -1 || v.AppendJSON(nil) != nil || v.Any() != nil || v.Wire() {
			t.Error("what is absent is something")
		}
		for range v.Members() {
			t.Error("what is absent has a member")
		}
		for range v.Elems() {
			t.Error("what is absent has an element")
		}
	}
}

func TestEqualText(t *testing.T) {
	for _, c := range []struct {
		json, text string
		want       bool
	}{
		{`"5126"`, "5126", true},
		{`"5126"`, "512", false},
		{`5126`, "5126", false},
		{`""`, "", true},
		{`"a\/b"`, "a/b", true},
		{`"\ud83d\ude00!"`, "😀!", true},
		{`"\ud83d\ude00"`, "😁", false},
		{`"\ufffd"`, "\ufffd", true},
		{`"\ufffd"`, "\xff", false},
		{`"\u0000"`, "", false},
		{`"\u0061"`, "ab", false},
		{`"\u0061b"`, "a", false},
	} {
		if got := scan(t, c.json).EqualText(c.text); got != c.want {
			t.Errorf("%s equals %q: %v", c.json, c.text, got)
		}
	}
}

func TestWire(t *testing.T) {
	query := map[string][]string{"count": {"10"}, "q": {`a"b`, "\xff"}, "none": {}}
	names := []string{"count", "q", "none"}
	v := TextObject(names, func(i int) []string { return query[names[i]] })
	if got, want := string(v.AppendJSON(nil)), `{"count":"10","q":["a\"b","`+"\uFFFD"+`"],"none":[]}`; got != want {
		t.Errorf("TextObject: %s, want %s", got, want)
	}
	want := map[string]any{"count": "10", "q": []any{`a"b`, "\xff"}, "none": []any{}}
	if got := v.Any(); !reflect.DeepEqual(got, want) {
		t.Errorf("TextObject: %#v", got)
	}
	if got := string(Texts([]string{`\n`, ""}).AppendJSON(nil)); got != `["\\n",""]` {
		t.Errorf("Texts: %s", got)
	}
	if got := Text(`\u0061"`); got.Text() != `\u0061"` || !got.EqualText(`\u0061"`) {
		t.Errorf("Text: %q", got.Text())
	}
	for _, v := range []Value{v, v.Member("count"), v.At("q", "1"), Texts(nil), Texts([]string{"a"}).Elem(0), Text("")} {
		if !v.Wire() || v.Offset() != 0 || v.KeyOffset("count") != -1 {
			t.Errorf("%s: wire %v, offset %d", v.AppendJSON(nil), v.Wire(), v.Offset())
		}
	}
	if n := testing.AllocsPerRun(100, func() { kept = Text("5126") }); n > 1 {
		t.Errorf("Text allocates %v times", n)
	}
}

var kept Value

func TestQuote(t *testing.T) {
	for s, want := range map[string]string{
		``:                       `""`,
		"plain":                  `"plain"`,
		"<a href='x'>&\u2028/":   "\"<a href='x'>&\u2028/\"",
		"\"\\":                   `"\"\\"`,
		"\b\f\n\r\t\x00\x1f\x7f": `"\b\f\n\r\t\u0000\u001f` + "\x7f\"",
		"é\xffé\xe2\x82":         "\"é\uFFFDé\uFFFD\uFFFD\"",
		"\uFFFD😀":                "\"\uFFFD😀\"",
	} {
		if got := string(Quote([]byte(":"), s)); got != ":"+want {
			t.Errorf("Quote(%q) = %s, want %s", s, got, want)
		}
	}
}

func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "a\"b\\c", "\x00\x1f\x7f\x80", "é\xc3", "\xed\xa0\x80", "\u2028"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted := Quote(nil, s)
		var back string
		if err := json.Unmarshal(quoted, &back); err != nil {
			t.Fatalf("Quote(%q) = %q: %v", s, quoted, err)
		}
		var want []rune // each byte that is not UTF-8 is U+FFFD here
		for _, r := range s {
			want = append(want, r)
		}
		if back != string(want) || !utf8.Valid(quoted) {
			t.Fatalf("Quote(%q) = %q", s, quoted)
		}
		if v := scan(t, string(quoted)); !v.EqualText(back) || !slices.Equal(v.AppendJSON(nil), quoted) {
			t.Fatalf("%q scans as %q", quoted, v.Text())
		}
	})
}
