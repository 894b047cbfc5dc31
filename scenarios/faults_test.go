package scenarios

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"go/scanner"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what is found into testdata/faults")

// TestFaults reads archives of scenario files. The last file of each, "want",
// has the faults of all of them.
func TestFaults(t *testing.T) {
	archives, err := filepath.Glob("testdata/faults/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no archives", err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(archive.Files); n == 0 || archive.Files[n-1].Name != "want" {
				archive.Files = append(archive.Files, txtar.File{Name: "want"})
			}
			want := &archive.Files[len(archive.Files)-1]
			fsys := make(fstest.MapFS)
			for _, f := range archive.Files[:len(archive.Files)-1] {
				fsys[f.Name] = &fstest.MapFile{Data: f.Data}
			}
			_, err = Load(fsys, "")
			var got bytes.Buffer
			scanner.PrintError(&got, err)
			if bytes.Equal(got.Bytes(), want.Data) {
				return
			}
			if !*update {
				t.Fatalf("got\n%s\nwant\n%s", got.Bytes(), want.Data)
			}
			want.Data = got.Bytes()
			if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestTooMuch is about faults that no reader wants to see in an archive.
func TestTooMuch(t *testing.T) {
	const head = "scenario: a\nsource: assumed\ninteractions:\n"
	in := func(body string) string {
		return head + "  - name: b\n    request: {path: /}\n    response: {status: 200, body: " + body + "}\n"
	}
	long := strings.Repeat("a", 100_000)
	for _, test := range []struct{ name, src, want string }{
		{"a file of a mebibyte", "scenario: a\n#" + strings.Repeat(" ", MaxFile), "f.yaml:2:1: the file has 1048589 bytes; 1048576 are taken: spread it over several"},
		{"65 deep", in(strings.Repeat("[", 65) + strings.Repeat("]", 65)), "f.yaml:6:95: nested more than 64 deep"},
		{"50 deep", in(strings.Repeat("[", 50) + strings.Repeat("]", 50)), ""},
		{"9,999 deep", in(strings.Repeat("[", 9990) + strings.Repeat("]", 9990)), "f.yaml:6:95: nested more than 64 deep"},
		{"deeper than the library goes", in(strings.Repeat("[", 20000) + strings.Repeat("]", 20000)), "f.yaml:6:1: no YAML: exceeded max depth of 10000"},
		{"many values", in("[" + strings.Repeat("1,", 100_000) + "]"), "f.yaml:6:199996: the file holds more than 100000 keys and values: spread it over several"},
		{"many keys", in("{" + manyKeys(60_000) + "}"), "the file holds more than 100000 keys and values"},
		{"a member that is too much", in("{" + manyKeys(10_000) + "\n b: 1}"), "f.yaml:7:2: an object of more than 10000 members"},
		{"members that are too much", in("{" + manyKeys(10_000) + "\n b: 1, c: 1, d: {$x: 1}}"), "f.yaml:7:2: an object of more than 10000 members"},
		{"as many members as there can be", in("{" + manyKeys(10_000) + "}"), ""},
		{"a large object in many cases", in("{$for: tasks, give: {" + manyKeys(10_000) + "}, cases: [" + strings.Repeat("{when: {item/a: 1}, give: {}},", 5_000) + "]}"), "cases: with the common give in each they have more than 100000 members: make it smaller, or them fewer"},
		{"many faults", in("[" + strings.Repeat("{$x: 1},", 10_000) + "]"), "(and 999 more errors)"},
		{"a long address", in(`{$for: "body/` + long + `", give: 1}`), "f.yaml:6:42: $for: an address of 100005 bytes; 2048 are taken"},
		{"a long template", in(`"{{ body/a }}` + long + `"`), "f.yaml:6:35: a template of 100012 bytes; 65536 are taken"},
		{"a long pattern", in("{$regex: " + long + ", example: a}"), "f.yaml:6:44: $regex: a pattern of 100000 bytes; 1000 are taken"},
		{"a pattern that unfolds", in("{$regex: '(abcdefghijklmnopqrstuvwxyz){900}', example: a}"), "f.yaml:6:44: $regex: the pattern unfolds into 25202 steps; 10000 are taken"},
		{"a pattern that unfolds more", in("{$regex: '((a{100}){100}){100}', example: a}"), "f.yaml:6:44: $regex: invalid repeat count: `{100}`"},
		{"a long path", strings.Replace(in("1"), "path: /", "path: /"+long, 1), "f.yaml:5:21: a path of 100001 bytes; 4096 are taken"},
		{"a path of many segments", strings.Replace(in("1"), "path: /", "path: "+strings.Repeat("/a", 65), 1), "f.yaml:5:21: a path of 65 segments; 64 are taken"},
		{"a long name", strings.ReplaceAll(in("1"), "response", long[:1000]), `an interaction: the key "response" is missing`},
		{"bombs of aliases", "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n", "(and 25 more errors)"},
		{"many documents", strings.Repeat("---\na: 1\n", 10_000), "(and 999 more errors)"},
		{"a long tag", in("!" + long + " 1"), "f.yaml:6:35: a tag (!aaa"},
		{"a long anchor", in("&" + long + " 1"), "f.yaml:6:35: an anchor (&aaa"},
		{"a long header, twice", strings.Replace(in("1"), "body: 1", "header: {"+long[:900]+": a, A"+long[:899]+": b}", 1), "header: Aaa"},
		{"a long parameter", strings.Replace(in("1"), "path: /", "path: /, params: {"+long[:900]+": a}", 1), "params: the path has no {aaa"},
		{"a long delay", strings.Replace(in("1"), "body: 1", "delay: 99h"+strings.Repeat("0h", 10_000), 1), "f.yaml:6:36: delay: 99h0h"},
		{"a quote that never ends", head + strings.Repeat("- \"", 30_000), "no YAML"},
	} {
		all, err := Parse("f.yaml", []byte(test.src))
		got := fmt.Sprint(err)
		if test.want == "" && err != nil || test.want != "" && (err == nil || all != nil) || test.want != "" && !strings.Contains(got, test.want) {
			t.Errorf("%s: got %.300s, want %q", test.name, got, test.want)
		}
		if list := (scanner.ErrorList)(nil); strings.Contains(test.want, "members") && (!errors.As(err, &list) || len(list) != 1) {
			t.Errorf("%s: %d faults", test.name, len(list))
		}
		if len(got) > 500 {
			t.Errorf("%s: a fault of %d bytes: %.300s", test.name, len(got), got)
		}
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d: 1, ", i)
	}
	return b.String()
}

// Of what is large nothing is read as often as it has parts, and nothing kept
// for each: counted in bytes, of which each member takes as many as another.
func TestLargeIsLinear(t *testing.T) {
	bytesOf := func(src string) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = Parse("f.yaml", []byte(src))
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	const head = "scenario: a\nsource: assumed\ninteractions:\n- name: b\n  request: {path: /}\n  response: {status: 200, "
	for _, test := range []struct {
		name string
		src  func(n int) string
	}{
		{"members", func(n int) string { return head + "body: {" + manyKeys(n) + "}}\n" }},
		{"headers", func(n int) string { return head + "header: {" + manyKeys(n) + "}}\n" }},
		{"cases", func(n int) string {
			return head + "body: {$for: tasks, give: {" + manyKeys(n) + "}, cases: [" + strings.Repeat("{when: {item: 1}, give: {}},", n) + "]}}\n"
		}},
	} {
		if few, many := bytesOf(test.src(1_000)), bytesOf(test.src(5_000)); many > 8*few {
			t.Errorf("%s: five times as many take %d bytes, after %d", test.name, many, few)
		}
	}
}
