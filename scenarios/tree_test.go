package scenarios

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/oigmock/oigmock/schemas/payload"
)

// treeOf is a Tree of one JSON object.
func treeOf(t testing.TB, src string) Tree {
	t.Helper()
	tree, err := Tree{}.Set(scanned(t, src))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func scanned(t testing.TB, src string) payload.Value {
	t.Helper()
	doc, err := payload.Scan([]byte(src))
	if err != nil {
		t.Fatalf("%.80s: %v", src, err)
	}
	return doc.Root()
}

func jsonOf(t Tree) string { return string(t.AppendJSON(nil)) }

// stepsOf cuts a path of a test; "" is none, "/" one empty step.
func stepsOf(path string) []string {
	switch path {
	case "":
		return nil
	case "/":
		return []string{""}
	}
	return strings.Split(path, "/")
}

func TestTreeSet(t *testing.T) {
	const same = "" // the very same Tree
	for _, test := range []struct{ name, tree, path, value, want string }{
		{"a member", `{}`, "a", `1`, `{"a":1}`},
		{"the last stands last", `{"b":1}`, "a", `2`, `{"b":1,"a":2}`},
		{"a member keeps its place", `{"a":1,"b":2}`, "a", `3`, `{"a":3,"b":2}`},
		{"objects on the way", `{}`, "a/b/c", `null`, `{"a":{"b":{"c":null}}}`},
		{"a scalar in the way", `{"a":"x"}`, "a/b", `1`, `{"a":{"b":1}}`},
		{"null in the way", `{"a":null}`, "a/b", `1`, `{"a":{"b":1}}`},
		{"an empty name", `{}`, "/", `1`, `{"":1}`},
		{"no steps", `{"a":1}`, "", `{"b":2}`, `{"a":1,"b":2}`},

		{"objects merge", `{"a":{"b":1,"c":2}}`, "a", `{"c":3,"d":4}`, `{"a":{"b":1,"c":3,"d":4}}`},
		{"at every depth", `{"a":{"b":{"c":1},"d":2}}`, "", `{"a":{"b":{"e":3}}}`, `{"a":{"b":{"c":1,"e":3},"d":2}}`},
		{"a scalar over an object", `{"a":{"b":1}}`, "a", `2`, `{"a":2}`},
		{"an array over an object", `{"a":{"b":1}}`, "a", `[2]`, `{"a":[2]}`},
		{"an object over a scalar", `{"a":1}`, "a", `{"b":2}`, `{"a":{"b":2}}`},
		{"an object over an array", `{"a":[1,2]}`, "a", `{"0":3}`, `{"a":{"0":3}}`},
		{"an empty object over nothing", `{}`, "a", `{}`, `{"a":{}}`},
		{"an empty object over a scalar", `{"a":1}`, "a", `{}`, `{"a":{}}`},
		{"an empty object over an array", `{"a":[1]}`, "a", `{}`, `{"a":{}}`},
		{"arrays do not merge", `{"a":[1,{"b":2}]}`, "a", `[{"c":3}]`, `{"a":[{"c":3}]}`},
		{"nor what is in them", `{"a":[{"b":1}]}`, "a", `[{"c":2}]`, `{"a":[{"c":2}]}`},
		{"an empty array", `{"a":[1]}`, "a", `[]`, `{"a":[]}`},
		{"an object of objects over nothing", `{}`, "a", `{"b":{},"c":{"d":[]}}`, `{"a":{"b":{},"c":{"d":[]}}}`},

		{"an element", `{"a":[1,2,3]}`, "a/1", `4`, `{"a":[1,4,3]}`},
		{"an element merges", `{"a":[{"b":1}]}`, "a/0", `{"c":2}`, `{"a":[{"b":1,"c":2}]}`},
		{"an element's member", `{"a":[{"b":1}]}`, "a/0/b", `2`, `{"a":[{"b":2}]}`},
		{"one more element", `{"a":[1]}`, "a/1", `2`, `{"a":[1,2]}`},
		{"the first element", `{"a":[]}`, "a/0", `1`, `{"a":[1]}`},
		{"one more, made on the way", `{"a":[1]}`, "a/1/b", `2`, `{"a":[1,{"b":2}]}`},
		{"an index where nothing is", `{}`, "a/0", `1`, `{"a":{"0":1}}`},

		{"numbers keep their spelling", `{}`, "a", `1.50e+2`, `{"a":1.50e+2}`},
		{"and are replaced by others", `{"a":1}`, "a", `1.0`, `{"a":1.0}`},
		{"texts do not keep needless escapes", `{}`, "", `{"\u0061":"\u0062\/\u00e9\n"}`, `{"a":"b/é\n"}`},
		{"names that are escaped", `{"a\"":1}`, `a"`, `2`, `{"a\"":2}`},
		{"names that are not UTF-8", `{"a` + "\uFFFD\uFFFD" + `":1}`, "a\xff\xfe", `2`, `{"a` + "\uFFFD\uFFFD" + `":2}`},

		{"an equal number", `{"a":1}`, "a", `1`, same},
		{"an equal text", `{"a":"b"}`, "a", `"\u0062"`, same},
		{"null for null", `{"a":null}`, "a", `null`, same},
		{"true for true", `{"a":true}`, "a", `true`, same},
		{"true for false", `{"a":false}`, "a", `true`, `{"a":true}`},
		{"a number for its text", `{"a":"1"}`, "a", `1`, `{"a":1}`},
		{"an equal array", `{"a":[1,[2,{"b":"c"}]]}`, "a", `[1, [2, {"b": "\u0063"}]]`, same},
		{"an array in another order", `{"a":[1,2]}`, "a", `[2,1]`, `{"a":[2,1]}`},
		{"an array with an object in another order", `{"a":[{"b":1,"c":2}]}`, "a", `[{"c":2,"b":1}]`, `{"a":[{"c":2,"b":1}]}`},
		{"an equal object", `{"a":{"b":1,"c":{"d":[]}}}`, "", `{"a":{"c":{"d":[]},"b":1}}`, same},
		{"an empty object over an object", `{"a":{"b":1}}`, "a", `{}`, same},
		{"an empty object over all", `{"a":1}`, "", `{}`, same},
		{"an empty object over the empty Tree", `{}`, "", `{}`, same},
		{"an equal element", `{"a":[1,2]}`, "a/1", `2`, same},
	} {
		before := treeOf(t, test.tree)
		after, err := before.Set(scanned(t, test.value), stepsOf(test.path)...)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if want := test.want; want == same {
			if !after.same(before) {
				t.Errorf("%s: another Tree: %s", test.name, jsonOf(after))
			}
		} else if after.same(before) || jsonOf(after) != want {
			t.Errorf("%s: got %s, want %s", test.name, jsonOf(after), want)
		}
		if jsonOf(before) != test.tree {
			t.Errorf("%s: the Tree before changed: %s", test.name, jsonOf(before))
		}
		checkTree(t, after)
	}
}

func TestTreeSetFails(t *testing.T) {
	const three = `{"a":[1,2,{"b":[]}]}`
	for _, test := range []struct{ tree, path, value, want string }{
		{`{}`, "", `1`, "the records are an object, which no number can replace"},
		{`{}`, "", `[{}]`, "the records are an object, which no array can replace"},
		{three, "a/7", `1`, `"a" is an array of 3 elements; "7" is none of them`},
		{three, "a/4", `1`, `"a" is an array of 3 elements; "4" is none of them`},
		{three, "a/-1", `1`, `"a" is an array of 3 elements; "-1" is none of them`},
		{three, "a/01", `1`, `"a" is an array of 3 elements; "01" is none of them`},
		{three, "a/b/c", `1`, `"a" is an array of 3 elements; "b" is none of them`},
		{three, "a/99999999999999999999", `1`, `"a" is an array of 3 elements; "99999999999999999999" is none of them`},
		{three, "a/2/b/1", `1`, `"a/2/b" is an array of no element; "1" is none of them`},
	} {
		before := treeOf(t, test.tree)
		after, err := before.Set(scanned(t, test.value), stepsOf(test.path)...)
		if err == nil || err.Error() != test.want {
			t.Errorf("%s at %s of %s: %v, want %s", test.value, test.path, test.tree, err, test.want)
		}
		if !after.same(before) {
			t.Errorf("%s at %s of %s: it changed all the same", test.value, test.path, test.tree)
		}
	}
}

func TestTreeRemove(t *testing.T) {
	for _, test := range []struct{ tree, path, want string }{
		{`{"a":1,"b":2}`, "a", `{"b":2}`},
		{`{"a":1,"b":2}`, "b", `{"a":1}`},
		{`{"a":{"b":1}}`, "a/b", `{"a":{}}`},
		{`{"a":[1,2,3]}`, "a/1", `{"a":[1,3]}`},
		{`{"a":[[1]]}`, "a/0/0", `{"a":[[]]}`},
		{`{"a":[{"b":1,"c":2}]}`, "a/0/b", `{"a":[{"c":2}]}`},
		{`{"a":1}`, "a", `{}`},
		{`{"a":{"b":1}}`, "", `{}`},
		{`{"a":1}`, "b", ""},
		{`{"a":1}`, "a/b", ""},
		{`{"a":{}}`, "a/b", ""},
		{`{"a":[1]}`, "a/1", ""},
		{`{"a":[1]}`, "a/00", ""},
		{`{"a":[1]}`, "a/b", ""},
		{`{}`, "a/b", ""},
		{`{}`, "", ""},
	} {
		before := treeOf(t, test.tree)
		after := before.Remove(stepsOf(test.path)...)
		switch {
		case test.want == "" && !after.same(before):
			t.Errorf("%s of %s: another Tree: %s", test.path, test.tree, jsonOf(after))
		case test.want != "" && (after.same(before) || jsonOf(after) != test.want):
			t.Errorf("%s of %s: got %s, want %s", test.path, test.tree, jsonOf(after), test.want)
		}
		checkTree(t, after)
	}
}

func TestTreeAt(t *testing.T) {
	const src = `{"a":{"b":[10,{"c":null}],"":"x"},"d":1.0}`
	tree := treeOf(t, src)
	for path, want := range map[string]string{
		"": src, "a": `{"b":[10,{"c":null}],"":"x"}`, "a/b": `[10,{"c":null}]`, "a/b/0": "10", "a/b/1/c": "null",
		"a/": `"x"`, "d": "1.0",
		"e": "", "/": "", "a/c": "", "a/b/2": "", "a/b/00": "", "a/b/c": "", "d/e": "", "e/f/g": "",
	} {
		v := tree.At(stepsOf(path)...)
		if got := string(v.AppendJSON(nil)); got != want {
			t.Errorf("%q: got %s, want %s", path, got, want)
		}
		b := tree.at(stepsOf(path))
		if b.kind() != v.Kind() || b.len() != v.Len() {
			t.Errorf("%q: a branch that is %s of %d, and %s of %d", path, b.kind(), b.len(), v.Kind(), v.Len())
		}
		if want == "" && b != nil {
			t.Errorf("%q: a branch where nothing is", path)
		}
	}
	if got := jsonOf(Tree{}); got != "{}" || (Tree{}).Size() != 2 {
		t.Errorf("the empty Tree is %s, of %d bytes", got, Tree{}.Size())
	}
	if got := (Tree{}).At(); got.Kind() != payload.Object || got.Len() != 0 {
		t.Errorf("the empty Tree has %s", got.Kind())
	}
	if got, err := tree.Set(payload.Value{}, "a"); err != nil || !got.same(tree) {
		t.Errorf("what is Absent was set: %s, %v", jsonOf(got), err)
	}
}

// TestTreeValueIsKept sees that a whole is made once, and what that costs.
func TestTreeValueIsKept(t *testing.T) {
	tree := treeOf(t, `{"a":{"b":[1,2,3],"c":"x"}}`)
	for _, path := range []string{"", "a", "a/b"} {
		b := tree.at(stepsOf(path))
		if before := b.cost(); before < 2 {
			t.Errorf("%q: to make it costs %d", path, before)
		}
		if first := b.value(); first != b.value() {
			t.Errorf("%q: it was made twice", path)
		}
		if after := b.cost(); after > 1 {
			t.Errorf("%q: it costs %d though it is made", path, after)
		}
	}
	if cost := tree.at([]string{"a", "c"}).cost(); cost > 1 {
		t.Errorf("a scalar costs %d", cost)
	}
	if b := (*branch)(nil); b.kind() != payload.Absent || b.len() != 0 || b.cost() > 1 || b.value() != (payload.Value{}) {
		t.Error("a nil branch is something")
	}
	for name := range (*branch)(nil).members() {
		t.Errorf("a nil branch has %s", name)
	}
}

func TestTreeMembers(t *testing.T) {
	tree := treeOf(t, `{"a":{"c":1,"b":"x"},"l":[true,{}],"s":1}`)
	for path, want := range map[string]string{"": "a=object l=array s=number", "a": "c=number b=string", "l": "0=boolean 1=object", "s": "", "none": ""} {
		var got []string
		for name, b := range tree.at(stepsOf(path)).members() {
			got = append(got, name+"="+b.kind().String())
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q: got %s, want %s", path, s, want)
		}
	}
	for range tree.at(nil).members() {
		break // in time
	}
}

func TestTreeWire(t *testing.T) {
	tree, err := Tree{}.Set(payload.Texts([]string{"1", "a\"\xff\n"}), "q")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := jsonOf(tree), `{"q":["1","a\"`+"\uFFFD"+`\n"]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if tree.At("q", "0").Wire() {
		t.Error("what is remembered is no text of the wire any more")
	}
	again, err := tree.Set(payload.Text("a\"\xff\n"), "q", "1")
	if err != nil || !again.same(tree) {
		t.Errorf("an equal text gave another Tree: %s, %v", jsonOf(again), err)
	}
	names := payload.TextObject([]string{"\xff", "\xfe"}, func(i int) []string { return []string{strconv.Itoa(i)} })
	tree, err = Tree{}.Set(names)
	if got, want := jsonOf(tree), `{"`+"\uFFFD"+`":"1"}`; err != nil || got != want {
		t.Errorf("names that are written the same: got %s, %v, want %s", got, err, want)
	}
	checkTree(t, tree)
}

// TestTreeSharesNothing changes the source of what was set, which nobody may do
// but a test: what is remembered must not be a part of it.
func TestTreeSharesNothing(t *testing.T) {
	src := []byte(`{"name":"text","list":[{"other":"long text"},12345],"step":1}`)
	want := `{"name":{"name":"text","list":[{"other":"long text"},12345],"step":1}}`
	doc, err := payload.Scan(src)
	if err != nil {
		t.Fatal(err)
	}
	var step string
	for name := range doc.Root().Members() {
		step = name
		break
	}
	tree, err := Tree{}.Set(doc.Root(), step)
	if err != nil {
		t.Fatal(err)
	}
	for i := range src {
		src[i] = '#'
	}
	if got := jsonOf(tree); got != want {
		t.Errorf("it shares memory with what was set: %s", got)
	}
	if got := tree.At("name", "list", "0", "other").Text(); got != "long text" {
		t.Errorf("it shares memory with what was set: %s", got)
	}
}

// TestTreeForgetsTheRest sees that one short text does not keep a long document.
func TestTreeForgetsTheRest(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	var tree Tree
	for i := range 16 {
		src := `{"long":"` + strings.Repeat("x", 1<<20) + `","short":{"` + strconv.Itoa(i) + `":"y"}}`
		var err error
		if tree, err = tree.Set(scanned(t, src)); err != nil {
			t.Fatal(err)
		}
	}
	if grown := int64(heap()) - int64(before); grown > 8<<20 {
		t.Errorf("%d bytes of records keep %d bytes alive", tree.Size(), grown)
	}
	runtime.KeepAlive(tree)
}

func TestTreeLimits(t *testing.T) {
	nested := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	path := func(n int) string { return strings.TrimSuffix(strings.Repeat("a/", n), "/") }
	numbers := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat("1,", n), ",") + "]" }
	text := func(n int) string { return `"` + strings.Repeat("x", n) + `"` }
	wide := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"%d":1`, i)
		}
		return "{" + b.String()[1:] + "}"
	}
	deep := "the records would have more than 64 arrays and objects inside each other"
	for _, test := range []struct{ name, tree, path, value, want string }{
		{"deep", `{}`, "", nested(64), ""},
		{"too deep", `{}`, "", nested(65), deep},
		{"a long path", `{}`, path(64), "1", ""},
		{"too long a path", `{}`, path(65), "1", deep},
		{"far too long a path", `{}`, path(10_000), "1", deep},
		{"too deep below a path", `{}`, path(64), "{}", deep},
		{"too deep by arrays", `{}`, path(60), "[[[[[]]]]]", deep},
		{"deep by arrays", `{}`, path(60), "[[[[]]]]", ""},
		{"values", `{}`, "a", numbers(99_998), ""},
		{"too many values", `{"b":1}`, "a", numbers(99_998), "the records would have 100001 values, more than 100000"},
		{"bytes", `{}`, "a", text(MaxRecords - len(`{"a":""}`)), ""},
		{"too many bytes", `{"a":"` + strings.Repeat("y", 100) + `"}`, "b", text(MaxRecords - 114), "the records would have 16777217 bytes, more than 16777216"},
		{"members", `{}`, "a", wide(10_000), ""},
		{"too many members", `{"a":{"x":1}}`, "a", wide(10_000), "an object would have more than 10000 members"},
		{"one member too many", wide(10_000), "x", `1`, "an object would have more than 10000 members"},
		{"too many members in an array", wide(10_000), "0", `[{"a":` + wide(10_000) + `}]`, ""},
	} {
		before := treeOf(t, test.tree)
		after, err := before.Set(scanned(t, test.value), stepsOf(test.path)...)
		if test.want == "" {
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
			} else if after.At().Kind() != payload.Object {
				t.Errorf("%s: it cannot be read", test.name)
			}
			checkTree(t, after)
			continue
		}
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
		if !after.same(before) || jsonOf(before) != test.tree {
			t.Errorf("%s: it changed all the same", test.name)
		}
	}
}

func TestTreeFresh(t *testing.T) {
	fresh := func(tree Tree) string { n, _ := tree.fresh(); return n }
	for _, test := range []struct{ tree, want string }{
		{`{}`, "10000"},
		{`{"a":1}`, "10000"},
		{`{"9999":1}`, "10000"},
		{`{"10000":1}`, "10001"},
		{`{"a":{"b":{"20000":{}}},"7":1}`, "20001"},
		{`{"a":[[{"30000":1}]]}`, "30001"},
		{`{"a":40000,"b":"40000"}`, "10000"},
		{`{"040000":1,"4e9":1,"+50000":1,"50000.0":1,"5_0000":1}`, "10000"},
		{`{"999999999999999":1}`, "1000000000000000"},
		{`{"1000000000000000":1}`, "10000"},
	} {
		if got := fresh(treeOf(t, test.tree)); got != test.want {
			t.Errorf("%s: got %s, want %s", test.tree, got, test.want)
		}
	}

	tree, _ := Tree{}.Set(scanned(t, "1"), "a", "12000", "b")
	if got := fresh(tree); got != "12001" {
		t.Errorf("a step was not counted: %s", got)
	}
	if got := fresh(tree.Remove("a")); got != "12001" {
		t.Errorf("it went down when the number was removed: %s", got)
	}
	if got := fresh(tree.Remove()); got != "12001" {
		t.Errorf("it went down when all was removed: %s", got)
	}
	if again, _ := tree.Remove("a").Set(scanned(t, "1"), "b"); fresh(again) != "12001" {
		t.Errorf("it went down when something else was set: %s", fresh(again))
	}
	n, later := tree.fresh()
	if m, _ := later.fresh(); n != "12001" || m != "12002" || later.same(tree) || jsonOf(later) != jsonOf(tree) {
		t.Errorf("%s and then %s, of %s", n, m, jsonOf(later))
	}
	if got := fresh(tree); got != "12001" {
		t.Errorf("the older Tree changed: %s", got)
	}
	list, _ := Tree{}.Set(scanned(t, "["+strings.Repeat("0,", 11_000)+"0]"), "a")
	list, err := list.Set(scanned(t, "1"), "a", "11001")
	if got := fresh(list); err != nil || got != "10000" {
		t.Errorf("an index was counted: %s, %v", got, err)
	}
	refused, err := tree.Set(scanned(t, `{"90000":[],"a":`+strings.Repeat("[", 70)+strings.Repeat("]", 70)+"}"))
	if got := fresh(refused); err == nil || got != "12001" {
		t.Errorf("what was refused was counted: %s", got)
	}
}

// checkTree recounts what a Tree counts, and sees that its chunks are sound.
func checkTree(t testing.TB, tree Tree) {
	t.Helper()
	if got, want := tree.Size(), len(tree.AppendJSON(nil)); got != want {
		t.Fatalf("%d bytes are counted as %d", want, got)
	}
	var check func(b *branch)
	check = func(b *branch) {
		values, count, size, before := 1, 0, len(brackets[b.is]), chunkSize
		for _, chunk := range b.chunks {
			if n := len(chunk.twigs); n > chunkSize || n+before <= chunkSize/2 {
				t.Fatalf("a chunk of %d after one of %d", n, before)
			}
			before = len(chunk.twigs)
			for i, m := range chunk.twigs {
				step := strconv.Itoa(count)
				if b.is == payload.Object {
					step = m.name
					size += len(payload.Quote(nil, step)) + len(":")
					if n, err := strconv.ParseUint(step, 10, 64); err == nil && len(step) < 16 && step == strconv.FormatUint(n, 10) && n >= tree.next {
						t.Fatalf("there is a member %d, and next is %d", n, tree.next)
					}
				}
				if chunk.tags[i] != tagOf(m.name) {
					t.Fatalf("%q has another tag", m.name)
				}
				if count%(1+b.count/500) == 0 && b.child(step) != m.of {
					t.Fatalf("%q leads elsewhere", step)
				}
				count++
				values += m.of.values
				size += m.of.size + len(",")
				check(m.of)
			}
		}
		if count > 0 {
			size -= len(",")
		}
		if holds := brackets[b.is] != ""; count != b.count || values != b.values || holds && size != b.size {
			t.Fatalf("%d members, %d values and %d bytes are counted as %d, %d and %d", count, values, size, b.count, b.values, b.size)
		}
	}
	if tree.root != nil {
		check(tree.root)
	}
}

// A plainObject is an object of what a Tree means: besides those, []any
// and the JSON of a scalar.
type plainObject struct {
	names []string
	of    map[string]any
}

func plainOf(v payload.Value) any {
	switch v.Kind() {
	case payload.Object:
		o := &plainObject{of: map[string]any{}}
		for name, m := range v.Members() {
			o.put(name, plainOf(m))
		}
		return o
	case payload.Array:
		list := []any{}
		for _, e := range v.Elems() {
			list = append(list, plainOf(e))
		}
		return list
	}
	return string(v.AppendJSON(nil))
}

func (o *plainObject) put(name string, v any) {
	if _, ok := o.of[name]; !ok {
		o.names = append(o.names, name)
	}
	o.of[name] = v
}

// plainSet is what has to come of v set at steps below was; false for an error.
func plainSet(was any, v payload.Value, steps []string) (any, bool) {
	if list, ok := was.([]any); ok && len(steps) > 0 {
		i, err := strconv.Atoi(steps[0])
		if err != nil || i < 0 || i > len(list) || strconv.Itoa(i) != steps[0] {
			return nil, false
		}
		list = slices.Clone(list)
		if i == len(list) {
			list = append(list, nil)
		}
		list[i], ok = plainSet(list[i], v, steps[1:])
		return list, ok
	}
	if len(steps) == 0 && v.Kind() != payload.Object {
		return plainOf(v), true
	}
	next := &plainObject{of: map[string]any{}}
	if o, ok := was.(*plainObject); ok {
		next.names, next.of = slices.Clone(o.names), maps.Clone(o.of)
	}
	if len(steps) > 0 {
		of, ok := plainSet(next.of[steps[0]], v, steps[1:])
		next.put(steps[0], of)
		return next, ok
	}
	for name, m := range v.Members() {
		of, _ := plainSet(next.of[name], m, nil)
		next.put(name, of)
	}
	return next, true
}

func plainRemove(was any, steps []string) any {
	switch was := was.(type) {
	case *plainObject:
		if _, ok := was.of[steps[0]]; !ok {
			return was
		}
		next := &plainObject{slices.Clone(was.names), maps.Clone(was.of)}
		if len(steps) > 1 {
			next.of[steps[0]] = plainRemove(was.of[steps[0]], steps[1:])
			return next
		}
		delete(next.of, steps[0])
		next.names = slices.DeleteFunc(next.names, func(name string) bool { return name == steps[0] })
		return next
	case []any:
		i, err := strconv.Atoi(steps[0])
		if err != nil || i >= len(was) {
			return was
		}
		if len(steps) == 1 {
			return slices.Delete(slices.Clone(was), i, i+1)
		}
		next := slices.Clone(was)
		next[i] = plainRemove(was[i], steps[1:])
		return next
	}
	return was
}

func appendPlain(dst []byte, v any) []byte {
	switch v := v.(type) {
	case *plainObject:
		dst = append(dst, '{')
		for i, name := range v.names {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(payload.Quote(dst, name), ':')
			dst = appendPlain(dst, v.of[name])
		}
		return append(dst, '}')
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendPlain(dst, e)
		}
		return append(dst, ']')
	}
	return append(dst, v.(string)...)
}

// TestTreeModel sets and removes at random, and compares with the plain model
// after each step; older Trees must stay what they were.
func TestTreeModel(t *testing.T) {
	for _, test := range []struct {
		name               string
		names, depth, wide int
		steps, keepEvery   int
	}{
		{"a few names, deep", 4, 5, 3, 4000, 50},
		{"hundreds of names", 300, 2, 20, 2000, 200},
		{"long arrays", 2, 2, 200, 500, 100},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, uint64(test.names)))
			name := func() string {
				switch n := r.IntN(test.names); n % 4 {
				case 0:
					return strconv.Itoa(n)
				case 1:
					return fmt.Sprintf("name\n%d", n)
				default:
					return fmt.Sprintf("é%d", n)
				}
			}
			var value func(depth int) string
			value = func(depth int) string {
				switch n := r.IntN(10); {
				case n < 3 && depth > 0: // an object
					o := &plainObject{of: map[string]any{}}
					for range r.IntN(test.wide + 1) {
						o.put(name(), value(depth-1))
					}
					return string(appendPlain(nil, o))
				case n < 5 && depth > 0:
					var list []string
					for range r.IntN(test.wide + 1) {
						list = append(list, value(depth-1))
					}
					return "[" + strings.Join(list, ",") + "]"
				case n < 7:
					return []string{"null", "true", "false"}[r.IntN(3)]
				case n < 9:
					return strconv.Itoa(r.IntN(5)) + []string{"", ".0", "e1"}[r.IntN(3)]
				}
				return `"` + strings.Repeat("x", r.IntN(5)) + `\""`
			}

			type kept struct {
				tree Tree
				text string
			}
			var older []kept
			tree, model := Tree{}, plainOf(scanned(t, "{}"))
			for step := range test.steps {
				// Somewhere where something is, or a step beside or beyond.
				var steps []string
				for b := tree.at(nil); b != nil; b = b.child(steps[len(steps)-1]) {
					next := name()
					if b.is == payload.Array {
						next = strconv.Itoa(r.IntN(b.count + 2))
					}
					if steps = append(steps, next); r.IntN(3) == 0 {
						break
					}
				}
				growing := step/200%3 != 2 // in turns, so that objects grow and shrink
				before := tree
				if growing && r.IntN(4) > 0 || !growing && r.IntN(8) == 0 {
					if r.IntN(20) == 0 {
						steps = nil
					}
					src := value(test.depth)
					if len(steps) == 0 && src[0] != '{' {
						src = `{"` + "a" + `":` + src + `}`
					}
					v := scanned(t, src)
					next, ok := plainSet(model, v, steps)
					var err error
					if tree, err = tree.Set(v, steps...); ok != (err == nil) {
						t.Fatalf("step %d: set at %q: %v", step, steps, err)
					}
					if ok {
						model = next
					}
				} else {
					tree, model = tree.Remove(steps...), plainRemove(model, steps)
				}
				want, got := appendPlain(nil, model), tree.AppendJSON(nil)
				if !bytes.Equal(got, want) {
					t.Fatalf("step %d at %q:\ngot  %.500s\nwant %.500s", step, steps, got, want)
				}
				if tree.root != before.root && bytes.Equal(got, before.AppendJSON(nil)) {
					t.Fatalf("step %d at %q: another Tree, though nothing changed", step, steps)
				}
				if step%test.keepEvery == 0 {
					checkTree(t, tree)
					older = append(older, kept{tree, string(got)})
					for _, k := range older {
						if jsonOf(k.tree) != k.text {
							t.Fatalf("step %d changed an older Tree", step)
						}
					}
					if v := tree.At(); !bytes.Equal(v.AppendJSON(nil), want) {
						t.Fatalf("step %d: the whole as a value is another", step)
					}
				}
				if tree.Size() > 20_000 {
					tree, model = tree.Remove(), plainOf(scanned(t, "{}"))
				}
			}
		})
	}
}

// TestTreeShrinks sees that few members do not keep many chunks.
func TestTreeShrinks(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	tree := wideTree(t, 5000)
	names := make([]string, 5000)
	for i := range names {
		names[i] = wideName(i)
	}
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for i, name := range names {
		tree = tree.Remove("wide", name)
		b := tree.at([]string{"wide"})
		if most := 2*b.count/(chunkSize/2) + 2; len(b.chunks) > most {
			t.Fatalf("%d members in %d chunks", b.count, len(b.chunks))
		}
		if i%500 == 0 || i > 4950 {
			checkTree(t, tree)
		}
	}
	if got := jsonOf(tree); got != `{"wide":{}}` {
		t.Error(got)
	}
}

func TestTreeConcurrency(t *testing.T) {
	var shared atomic.Pointer[Tree]
	first := wideTree(t, 300)
	shared.Store(&first)
	var done atomic.Bool
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for round := 0; round < 20 || !done.Load(); round++ {
				tree := *shared.Load()
				text := tree.AppendJSON(nil)
				if v := tree.At(); len(v.AppendJSON(nil)) != len(text) || tree.Size() != len(text) {
					t.Error("a Tree changed while it was read")
				}
				n := 0
				for name, b := range tree.at([]string{"wide"}).members() {
					if tree.At("wide", name) != b.value() {
						t.Error("what stands there is another")
					}
					n++
				}
				if n != tree.at([]string{"wide"}).len() {
					t.Error("members came and went")
				}
			}
		})
	}
	r := rand.New(rand.NewPCG(4, 4))
	for i := range 300 {
		tree := *shared.Load()
		steps := []string{"wide", wideName(r.IntN(500))}
		if r.IntN(3) == 0 {
			tree = tree.Remove(steps...)
		} else {
			tree, _ = tree.Set(scanned(t, fmt.Sprintf(`{"n":%d,"l":[%d]}`, i, i)), steps...)
		}
		shared.Store(&tree)
	}
	done.Store(true)
	readers.Wait()
}

func FuzzTree(f *testing.F) {
	f.Add(`{"a":{"b":[1,2]}}`, `{"c":"x"}`, "a/b/0")
	f.Add(`{"a":1,"10000":{}}`, `[{"20000":1.50}]`, "a/b")
	f.Add(`{"\u0061\"":"\ud83d\ude00\/"}`, `"\u0000"`, "\xff/\xfe")
	f.Add(`{}`, `{"a":{}}`, "")
	f.Add(`{"a":[]}`, `null`, "a/0")
	f.Fuzz(func(t *testing.T, object, value, path string) {
		if len(object)+len(value)+len(path) > 4096 {
			return // the checks are slow
		}
		doc, err := payload.Scan([]byte(object))
		if err != nil || doc.Root().Kind() != payload.Object {
			return
		}
		before, err := Tree{}.Set(doc.Root())
		if err != nil {
			return
		}
		checkTree(t, before)
		text, steps := jsonOf(before), stepsOf(path)
		v := payload.Text(value) // what is no JSON is a text of the wire
		if doc, err := payload.Scan([]byte(value)); err == nil {
			v = doc.Root()
		}
		after, err := before.Set(v, steps...)
		if err != nil && !after.same(before) {
			t.Fatal("it changed though it failed")
		}
		checkTree(t, after)
		written := jsonOf(after)
		if _, err := payload.Scan([]byte(written)); err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if again := treeOf(t, written); jsonOf(again) != written {
			t.Fatalf("%s is read as %s", written, jsonOf(again))
		}
		if err == nil {
			if again, err := after.Set(v, steps...); err != nil || !again.same(after) {
				t.Fatalf("to set it again gives another Tree: %s, %v", jsonOf(again), err)
			}
		}
		removed := after.Remove(steps...)
		checkTree(t, removed)
		if n, _ := removed.fresh(); removed.at([]string{n}) != nil {
			t.Fatalf("%s is not fresh", n)
		}
		if jsonOf(before) != text || jsonOf(after) != written {
			t.Fatal("an older Tree changed")
		}
	})
}

func wideName(i int) string { return strconv.Itoa(100_000 + 7*i) }

// wideTree has an object of n members that are records.
func wideTree(t testing.TB, n int) Tree {
	t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"%s":{"status":"open","n":%d}`, wideName(i), i)
	}
	return treeOf(t, `{"wide":{`+b.String()[min(1, b.Len()):]+`}}`)
}

// TestTreeTags sees that few names have to be compared with the one looked for.
func TestTreeTags(t *testing.T) {
	var tags [256]int
	for i := range 256 * 64 {
		tags[tagOf(wideName(i))]++
	}
	if most := slices.Max(tags[:]); most > 256 {
		t.Errorf("%d of %d names have one tag", most, 256*64)
	}
}

// TestTreeSetIsSmall counts the bytes of a Set in a large object.
func TestTreeSetIsSmall(t *testing.T) {
	const members, rounds = 9_000, 200
	tree := wideTree(t, members)
	v := scanned(t, `"closed"`)
	for _, test := range []struct {
		name string
		do   func(i int) (Tree, error)
	}{
		{"change", func(i int) (Tree, error) { return tree.Set(v, "wide", wideName(i*37), "status") }},
		{"add", func(i int) (Tree, error) { return tree.Set(v, "wide", "new"+strconv.Itoa(i)) }},
		{"remove", func(i int) (Tree, error) { return tree.Remove("wide", wideName(i*37)), nil }},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := range rounds {
			if next, err := test.do(i); err != nil || next.same(tree) {
				t.Fatalf("%s: nothing changed: %v", test.name, err)
			}
		}
		runtime.ReadMemStats(&after)
		each := (after.TotalAlloc - before.TotalAlloc) / rounds
		t.Logf("%s: %d bytes each", test.name, each)
		if each > 16<<10 {
			t.Errorf("%s: %d bytes each, of an object of %d members", test.name, each, members)
		}
	}
}

func BenchmarkTreeSet(b *testing.B) {
	v := scanned(b, `"closed"`)
	for _, n := range []int{10, 1000, 10_000} {
		tree := wideTree(b, n)
		for _, what := range []string{"change", "add"} {
			if what == "add" && n == 10_000 {
				continue // it has as many as it may
			}
			b.Run(fmt.Sprintf("%s/%d", what, n), func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					steps := []string{"wide", wideName(i * 37 % n), "status"}
					if what == "add" {
						steps = []string{"wide", "new"}
					}
					if _, err := tree.Set(v, steps...); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkTreeAt(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		tree := wideTree(b, n)
		names := make([]string, 100)
		for i := range names {
			names[i] = wideName(i * 37 % n)
		}
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if tree.At("wide", names[i%len(names)], "status").Kind() != payload.String {
					b.Fatal("nothing is there")
				}
			}
		})
	}
}

// BenchmarkTreeValue is what cost estimates.
func BenchmarkTreeValue(b *testing.B) {
	for name, src := range map[string]string{
		"records":  string(wideTree(b, 1000).AppendJSON(nil)),
		"text":     `{"a":"` + strings.Repeat("x", 100_000) + `"}`,
		"numbers":  `{"a":[` + strings.Repeat("1,", 10_000) + `1]}`,
		"small":    `{"a":1,"b":"x"}`,
		"wordless": `{"a":[` + strings.Repeat("{},", 10_000) + `{}]}`,
	} {
		b.Run(name, func(b *testing.B) {
			tree := treeOf(b, src)
			for b.Loop() {
				tree.root.made.Store(nil)
				tree.At()
			}
			tree.root.made.Store(nil)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/50/float64(tree.root.cost()), "of-cost")
		})
	}
}
