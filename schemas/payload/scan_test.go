package payload

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

const provtask = `{
  "id": "5126",
  "requestId": "gyjgh",
  "fields": [
    {"name": "Process Instance.Task Details.Note", "value": "Updated value of Note-Sonia4"},
    {"name": "Process Instance.Task Details.Projected End", "value": "2016-02-21"},
    {"name": "Process Instance.Task Details.Key", "value": 622482}
  ]
}`

func scan(t testing.TB, src string) Value {
	t.Helper()
	d, err := Scan([]byte(src))
	if err != nil {
		t.Fatalf("Scan(%.80q): %v", src, err)
	}
	return d.Root()
}

func TestScanFaults(t *testing.T) {
	for _, c := range []struct {
		src     string
		pointer string
		offset  int
		why     string
	}{
		{``, "", 0, `there is nothing but an empty text`},
		{" \r\n\t", "", 4, `there is nothing but an empty text`},
		{"\uFEFF{}", "", 0, `a byte order mark stands before the JSON`},
		{`{} {}`, "", 3, `the text goes on after its value: "{"`},
		{`null,`, "", 4, `the text goes on after its value: ","`},
		{`0x10`, "", 1, `the text goes on after its value: "x10"`},

		{`{`, "", 1, `the text ends inside an object`},
		{`{"a":1`, "", 6, `the text ends inside an object`},
		{`{"a":1,`, "", 7, `the text ends inside an object`},
		{`{"a"`, "", 4, `the text ends inside an object`},
		{`{"a`, "", 3, `the text ends inside a member name`},
		{`{"a":`, "/a", 5, `the text ends where a value should be`},
		{`{"a":"x`, "/a", 7, `the text ends inside a string`},
		{`"\`, "", 1, `the text ends inside a string`},
		{`[`, "", 1, `the text ends inside an array`},
		{`{"a":[1`, "/a", 7, `the text ends inside an array`},
		{`{"a":[1,`, "/a/1", 8, `the text ends where a value should be`},
		{`[-`, "/0", 2, `the text ends inside a number`},
		{`[1.`, "/0", 3, `the text ends inside a number`},
		{`[1e+`, "/0", 4, `the text ends inside a number`},

		{`{a:1}`, "", 1, `want a member name in double quotes, got "a"`},
		{`{"a":1,}`, "", 7, `want a member name in double quotes, got "}"`},
		{`{,}`, "", 1, `want a member name in double quotes, got ","`},
		{`{"a" 1}`, "", 5, `want a colon after a member name, got "1"`},
		{`{"a":1 "b":2}`, "", 7, `want a comma or } after a member, got "\""`},
		{`[1 2]`, "", 3, `want a comma or ] after an element, got "2"`},
		{`[1,]`, "/1", 3, `want a value, got "]"`},
		{`[,]`, "/0", 1, `want a value, got ","`},
		{`{"a":{"b":[{},{"c":tru}]}}`, "/a/b/1/c", 19, `want a value, got "tru"`},
		{`True`, "", 0, `want a value, got "True"`},
		{`nullify`, "", 0, `want a value, got a word that is not in quotes`},
		{`'a'`, "", 0, `want a value, got "'"`},
		{"\xff", "", 0, `want a value, got "\xff"`},
		{strings.Repeat("x", 1000), "", 0, `want a value, got a word that is not in quotes`},

		{`[01]`, "/0", 1, `want a number without leading zeros, got "01"`},
		{`-a`, "", 1, `want a digit after the minus sign, got "a"`},
		{`[1.]`, "/0", 3, `want a digit after the decimal point, got "]"`},
		{`1ex`, "", 2, `want a digit in the exponent, got "x"`},
		{`+1`, "", 0, `want a value, got "+1"`},
		{`[` + strings.Repeat("1", 65) + `]`, "/0", 1, `a number of more than 64 digits`},
		{`[0.` + strings.Repeat("1", 64) + `]`, "/0", 1, `a number of more than 64 digits`},
		{`1e401`, "", 0, `a number with an exponent over 400`},
		{`1E-99999999999999999999`, "", 0, `a number with an exponent over 400`},

		{"[\"a\nb\"]", "/0", 3, `a control character in a string wants an escape: "\n"`},
		{"\"\x00\"", "", 1, `a control character in a string wants an escape: "\x00"`},
		{"{\"a\":\"\xc3\"}", "/a", 6, `a byte that is not UTF-8: "\xc3"`},
		{"{\"\xed\xa0\x80\":1}", "", 2, `a byte that is not UTF-8: "\xed"`},
		{`"\x41"`, "", 1, `no character is escaped as a backslash and "x"`},
		{`"\é"`, "", 1, `no character is escaped as a backslash and "é"`},
		{`"\u12G4"`, "", 1, `\u wants four hexadecimal digits, got "12G4"`},
		{`"\ud800"`, "", 1, `half of a surrogate pair: \ud800`},
		{`"\ud800\u0041"`, "", 1, `half of a surrogate pair: \ud800`},
		{`"\udc00\ud800"`, "", 1, `half of a surrogate pair: \udc00`},

		{`{"a":1,"b":2,"a":3}`, "/a", 13, `the name "a" stands twice in one object`},
		{`{"a":1,"\u0061":3}`, "/a", 7, `the name "a" stands twice in one object`},
		{`{"\u0061":1,"\u0061":3}`, "/a", 12, `the name "a" stands twice in one object`},
		{`[{"a/b~c":1,"a/b~c":3}]`, "/0/a~1b~0c", 12, `the name "a/b~c" stands twice in one object`},
		{`{"":1,"":2}`, "/", 6, `the name "" stands twice in one object`},

		// A pointer ends before a name that nobody wants to see printed.
		{`{"a":{"\n":{"b":x}}}`, "/a", 16, `want a value, got "x"`},
		{`{"` + strings.Repeat("a", 101) + `":x}`, "", 105, `want a value, got "x"`},
	} {
		_, err := Scan([]byte(c.src))
		var f *Fault
		if !errors.As(err, &f) {
			t.Errorf("Scan(%.80q): error %v, want a *Fault", c.src, err)
			continue
		}
		if want := (Fault{c.pointer, c.offset, c.why, false}); *f != want {
			t.Errorf("Scan(%.80q):\n got %+v\nwant %+v", c.src, *f, want)
		}
	}
}

func TestFaultText(t *testing.T) {
	for src, want := range map[string]string{
		`{"a":[1,2`: `/a: the text ends inside an array (byte 9)`,
		`[1`:        `the text ends inside an array (byte 2)`,
	} {
		if _, err := Scan([]byte(src)); err == nil || err.Error() != want {
			t.Errorf("Scan(%q): error %v, want %s", src, err, want)
		}
	}
}

func TestScanLimits(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	list := func(n int) string { return "[" + strings.Repeat("0,", n-2) + "0]" } // n values with the array
	members := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"m%d":0`, i)
		}
		return "{" + b.String()[1:] + "}"
	}
	for _, c := range []struct {
		name   string
		src    string
		why    string // "" if it is taken
		costly bool
	}{
		{"depth", nested(MaxDepth), "", false},
		{"depth", nested(MaxDepth + 1), "arrays and objects more than 128 deep", false},
		{"depth of a million", strings.Repeat(`{"a":`, 1_000_000), "arrays and objects more than 128 deep", false},
		{"depth side by side", "[" + nested(127) + "," + nested(127) + "]", "", false},
		{"digits", strings.Repeat("1", MaxDigits), "", false},
		{"exponent", "1e400", "", false},
		{"exponent", "1e-00400", "", false},
		{"values", list(MaxValues), "", false},
		{"values", list(MaxValues + 1), "more than 100000 values", true},
		{"members", members(MaxMembers), "", false},
		{"members", members(MaxMembers + 1), "more than 10000 members in one object", true},
		{"name twice among many", `{"m39":1,` + members(40)[1:], `the name "m39" stands twice in one object`, false},
		{"name twice, the 17th", members(16)[:len(members(16))-1] + `,"m1\u0035":1}`, `the name "m15" stands twice in one object`, false},
		{"name twice, the 18th", members(17)[:len(members(17))-1] + `,"m1\u0036":1}`, `the name "m16" stands twice in one object`, false},
	} {
		_, err := Scan([]byte(c.src))
		switch f, _ := err.(*Fault); {
		case c.why == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.why != "" && (f == nil || f.Why != c.why || f.Costly != c.costly):
			t.Errorf("%s: error %+v, want %q, costly %v", c.name, err, c.why, c.costly)
		}
	}
}

// Faults go to logs and to clients, so they must stay short and printable
// whatever was sent.
func TestFaultsDoNotEcho(t *testing.T) {
	long := strings.Repeat("é\x01", 5000)
	escaped := strings.Repeat(`\u0001é`, 5000)
	for _, src := range []string{
		long, `"` + long, `{` + long, `{"` + escaped + `":` + long, `{"` + escaped + `":1,"` + escaped + `":2}`,
		`[1` + long, `[1e` + long, `"\` + long, `"\u` + long, `{"a"` + long, strings.Repeat("9", 5000), strings.Repeat("a", 5000),
	} {
		_, err := Scan([]byte(src))
		if err == nil {
			t.Errorf("Scan(%.40q) takes it", src)
		} else if s := err.Error(); len(s) > 200 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == utf8.RuneError }) {
			t.Errorf("Scan(%.40q): error %.300q", src, s)
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, s := range []string{
		provtask, ``, ` [ ] `, `{"a":{"b":[null,true,false,-0.5e+3,"\u00e9\ud83d\ude00\/"]}}`, `{"a":1,"\u0061":2}`,
		`"\ud800"`, "\"\xff\"", `[1e400,1e401]`, `{"":[{},[],""]}`, `[1,]`, `01`, "\uFEFF1", `"` + "\u2028<&>" + `"`,
		`{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0,"j":0,"k":0,"l":0,"m":0,"n":0,"o":0,"p":0,"q":0,"b":0}`,
		strings.Repeat("[", 129) + strings.Repeat("]", 129), strings.Repeat("7", 65),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		d, err := Scan(src)
		tree, jsonErr := decode(src)
		if err != nil {
			if jsonErr == nil && !beyondJSON(src) {
				t.Fatalf("Scan refuses %q: %v", src, err)
			}
			if fault := err.(*Fault); fault.Offset < 0 || fault.Offset > len(src) || !utf8.ValidString(fault.Error()) {
				t.Fatalf("Scan(%q): fault %+v", src, fault)
			}
			return
		}
		if jsonErr != nil {
			t.Fatalf("Scan takes %q, encoding/json does not: %v", src, jsonErr)
		}
		if beyondJSON(src) {
			t.Fatalf("Scan takes %q", src)
		}
		if got := d.Root().Any(); !reflect.DeepEqual(got, tree) {
			t.Fatalf("Any of %q:\n got %#v\nwant %#v", src, got, tree)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, src); err != nil {
			t.Fatal(err)
		}
		again := d.Root().AppendJSON(nil)
		if !bytes.Equal(again, compact.Bytes()) {
			t.Fatalf("AppendJSON of %q:\n got %q\nwant %q", src, again, compact.Bytes())
		}
		checkPlaces(t, src, d.Root())
	})
}

func decode(src []byte) (tree any, err error) {
	dec := json.NewDecoder(bytes.NewReader(src))
	dec.UseNumber()
	if !json.Valid(src) { // a Decoder would not mind what follows
		return nil, errors.New("not JSON")
	}
	err = dec.Decode(&tree)
	return tree, err
}

// checkPlaces holds each way down to each value against the others.
func checkPlaces(t *testing.T, src []byte, v Value) {
	t.Helper()
	n := 0
	for name, m := range v.Members() {
		n++
		if v.Member(name) != m || v.At(name) != m {
			t.Fatalf("member %q of %q is not what Members gives", name, src)
		}
		if at := v.KeyOffset(name); src[at] != '"' || at >= m.Offset() {
			t.Fatalf("member name %q of %q at %d", name, src, at)
		}
		checkPlaces(t, src, m)
	}
	for i, e := range v.Elems() {
		n++
		if i < 50 && (v.Elem(i) != e || v.At(strconv.Itoa(i)) != e) {
			t.Fatalf("element %d of %q is not what Elems gives", i, src)
		}
		checkPlaces(t, src, e)
	}
	if n != v.Len() {
		t.Fatalf("%q: Len %d, counted %d", src, v.Len(), n)
	}
	if v.Kind() == String && (!v.EqualText(v.Text()) || v.EqualText(v.Text()+"x") || v.EqualText("x"+v.Text())) {
		t.Fatalf("EqualText of %q", v.Text())
	}
	first := map[Kind]string{Null: "n", Bool: "tf", Number: "-0123456789", String: `"`, Array: "[", Object: "{"}
	if c := src[v.Offset()]; strings.IndexByte(first[v.Kind()], c) < 0 {
		t.Fatalf("%v of %q starts with %q", v.Kind(), src, c)
	}
}

var (
	surrogate   = regexp.MustCompile(`\\u[dD][89a-fA-F]`)
	pair        = regexp.MustCompile(`\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}`)
	otherEscape = regexp.MustCompile(`\\[^u]`)
)

// beyondJSON tells whether a text that encoding/json takes is one that Scan must
// refuse, found by other means than Scan's.
func beyondJSON(src []byte) bool {
	if !utf8.Valid(src) {
		return true
	}
	escapes := otherEscape.ReplaceAll(src, []byte("."))
	if surrogate.Match(pair.ReplaceAll(escapes, []byte("."))) {
		return true
	}
	dec := json.NewDecoder(bytes.NewReader(src))
	dec.UseNumber()
	values := 0
	var walk func(depth int) bool
	walk = func(depth int) (beyond bool) {
		values++
		token, err := dec.Token()
		if err != nil || values > MaxValues {
			return true
		}
		switch token := token.(type) {
		case json.Number:
			mantissa, exponent, _ := strings.Cut(strings.ToLower(string(token)), "e")
			digits := len(regexp.MustCompile(`[0-9]`).FindAllString(mantissa+exponent, -1))
			e, err := strconv.Atoi("0" + strings.TrimLeft(exponent, "+-0"))
			return digits > MaxDigits || err != nil || e > MaxExponent
		case json.Delim:
			var names []string
			for dec.More() {
				if token == '{' {
					name, err := dec.Token()
					if err != nil {
						return true
					}
					names = append(names, name.(string))
				}
				beyond = walk(depth+1) || beyond
				if values > MaxValues {
					return true
				}
			}
			if _, err := dec.Token(); err != nil {
				return true
			}
			slices.Sort(names)
			distinct := len(slices.Compact(slices.Clone(names)))
			return beyond || depth == MaxDepth || len(names) > MaxMembers || distinct < len(names)
		}
		return false
	}
	return walk(0)
}

func TestScanAllocates(t *testing.T) {
	src := []byte(provtask)
	if n := testing.AllocsPerRun(100, func() { Scan(src) }); n > 2 {
		t.Errorf("Scan allocates %v times, want the nodes and the Document", n)
	}
	v := scan(t, provtask)
	escaped := scan(t, `{"n\u0061me":"Sch\u00f6n"}`)
	if n := testing.AllocsPerRun(100, func() {
		for _, field := range v.Member("fields").Elems() {
			for _, value := range field.Members() {
				_ = value.EqualText("2016-02-21") || value.Text() == value.Literal()
			}
		}
		v.At("fields", "2", "value").Literal()
		escaped.Member("name").EqualText("Schön")
	}); n > 0 {
		t.Errorf("navigating allocates %v times", n)
	}
}

func BenchmarkScan(b *testing.B) {
	src := []byte(provtask)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Scan(src); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScanAny(b *testing.B) {
	src := []byte(provtask)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		d, err := Scan(src)
		if err != nil {
			b.Fatal(err)
		}
		d.Root().Any()
	}
}

func BenchmarkEncodingJSON(b *testing.B) {
	src := []byte(provtask)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decode(src); err != nil {
			b.Fatal(err)
		}
	}
}
