package schemas

import (
	"bytes"
	"flag"
	"fmt"
	"go/scanner"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

var update = flag.Bool("update", false, "write what is found into testdata/faults")

// TestFaults reads archives of schema files. The last file of each, "want", has
// the faults, or the warnings if there are no faults. A first line "release: X"
// narrows the contract.
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
			fsys := make(fstest.MapFS)
			var want []byte
			for _, f := range archive.Files {
				if f.Name == "want" {
					want = f.Data
				} else {
					fsys[f.Name] = &fstest.MapFile{Data: f.Data}
				}
			}
			release := ""
			if first, _, _ := strings.Cut(string(archive.Comment), "\n"); strings.HasPrefix(first, "release: ") {
				release = strings.TrimPrefix(first, "release: ")
			}
			var got bytes.Buffer
			c, err := Load(fsys, "schemas", release)
			if err != nil {
				scanner.PrintError(&got, err)
			} else {
				for _, w := range c.Warnings() {
					fmt.Fprintln(&got, "warning:", w)
				}
			}
			if bytes.Equal(got.Bytes(), want) {
				return
			}
			if !*update {
				t.Fatalf("got\n%s\nwant\n%s", got.Bytes(), want)
			}
			if n := len(archive.Files); n == 0 || archive.Files[n-1].Name != "want" {
				archive.Files = append(archive.Files, txtar.File{Name: "want"})
			}
			archive.Files[len(archive.Files)-1].Data = got.Bytes()
			if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestTooMuch is about faults that no reader wants to see in an archive.
func TestTooMuch(t *testing.T) {
	refs := func(n int) string {
		var b strings.Builder
		b.WriteString(`{"$defs": {"a": {"type": "string"}}, "properties": {`)
		for i := range n {
			fmt.Fprintf(&b, `"p%d": {"$ref": "#/$defs/a"}, `, i)
		}
		return b.String() + `"p": true}}`
	}
	list := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `, "n%d"`, i)
		}
		return `{"required": [` + b.String()[2:] + `]}`
	}
	doubling := func(n int) string {
		var b strings.Builder
		b.WriteString(`{"$ref": "#/$defs/d0", "$defs": {`)
		for i := range n {
			fmt.Fprintf(&b, `"d%d": {"allOf": [{"$ref": "#/$defs/d%d"}, {"$ref": "#/$defs/d%d"}]}, `, i, i+1, i+1)
		}
		return b.String() + fmt.Sprintf(`"d%d": {"type": "string"}}}`, n)
	}
	for _, test := range []struct{ name, schema, want string }{
		{"1,000 references", refs(1000), ""},
		{"1,001 references", refs(1001), "the file has more than 1000 references"},
		{"1,000 names", list(1000), ""},
		{"1,001 names", list(1001), `"required" lists 1001 names, and 1000 is the most`},
		{"a format that compiles", `{"format": "regex"}`, `format "regex" is not possible here: nothing bounds what it costs`},
		{"a pattern of 1,024 bytes", `{"pattern": "` + strings.Repeat("a", 1024) + `"}`, ""},
		{"a pattern of 1,025 bytes", `{"pattern": "` + strings.Repeat("a", 1025) + `"}`, "the pattern has 1025 bytes, and 1024 is the most"},
		{"another one", `{"patternProperties": {"` + strings.Repeat("a", 1025) + `": true}}`, "the pattern has 1025 bytes, and 1024 is the most"},
		{"a pattern that grows", `{"pattern": "(abcdefghijklmnopqrstuvwxyz){900}"}`, "the pattern is too big"},
		{"a pattern Go refuses", `{"pattern": "((a{100}){100}){100}"}`, "no regular expression of Go: invalid repeat count: `{100}`"},
		{"a big file", `{"description": "` + strings.Repeat("a", 1<<20) + `"}`, "the file is over 1 MiB"},
		{"two to the five", doubling(5), ""},
		{"two to the twenty", doubling(20), "more than 200 schemas would look at one value"},
		{"two to the five hundred", doubling(499), "more than 200 schemas would look at one value"},
		{"depth", strings.Repeat(`{"not": `, 200) + `true` + strings.Repeat(`}`, 200), "deep"},
	} {
		_, err := Load(files(map[string]string{"a.request.json": test.schema}), "", "")
		if got := fmt.Sprint(err); test.want == "" && err != nil || !strings.Contains(got, test.want) {
			t.Errorf("%s: got %.200s, want %q", test.name, got, test.want)
		}
	}
}

// TestNothingIsFetched refers to a file and to a server that are there.
func TestNothingIsFetched(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		fmt.Fprint(w, `true`)
	}))
	defer server.Close()
	connections := make(chan struct{}, 100)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			connections <- struct{}{}
			c.Close()
		}
	}()
	dir := t.TempDir()
	outside := filepath.Join(dir, "outside.json")
	if err := os.WriteFile(outside, []byte(`{"type": "integer"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	inside := filepath.Join(dir, "inside")
	for _, ref := range []string{
		"file:///etc/passwd", "file://" + outside, outside, "../outside.json", "../../x", "x/../../outside.json", "..", `..\outside.json`,
		"%2e%2e/outside.json", "//" + listener.Addr().String() + "/a.json", "oigmock:///a.request.json", "urn:a",
		server.URL, server.URL + "/a.json", "http://" + listener.Addr().String() + "/a.json#/$defs/a", "HTTP://" + listener.Addr().String(),
		"https://json-schema.org/draft/2020-12/schema", "https://json-schema.org/draft/2020-12/meta/core", "?x", "./../outside.json#",
	} {
		for _, schema := range []string{
			fmt.Sprintf(`{"$ref": %q}`, ref),
			fmt.Sprintf(`{"properties": {"a": {"$ref": %q}}}`, ref),
			fmt.Sprintf(`{"$id": %q, "$ref": "#/$defs/a", "$defs": {"a": true}}`, ref),
			fmt.Sprintf(`{"$dynamicRef": %q}`, ref),
			fmt.Sprintf(`{"$defs": {"a": {"$schema": %q}}}`, ref),
		} {
			if err := os.CopyFS(inside, files(map[string]string{"a.request.json": schema})); err != nil {
				t.Fatal(err)
			}
			_, err := Load(os.DirFS(inside), inside, "")
			if err == nil {
				t.Errorf("%s is loaded", schema)
			} else if strings.Contains(err.Error(), "validator") {
				t.Errorf("%s gets as far as the validator: %v", schema, err)
			}
			if err := os.RemoveAll(inside); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := requests.Load() + int32(len(connections)); n > 0 {
		t.Errorf("%d connections were made", n)
	}
}

// TestKeywordsAreTheValidators keeps our tables from promising what is not checked.
func TestKeywordsAreTheValidators(t *testing.T) {
	for _, name := range formats {
		if jsonschema.Formats[name] == nil {
			t.Errorf("the validator has no format %q", name)
		}
	}
	for name := range needs {
		if _, ok := keywords[name]; !ok {
			t.Errorf("%q is no keyword", name)
		}
	}
	for name := range refused {
		if _, ok := keywords[name]; ok {
			t.Errorf("%q is refused and known", name)
		}
	}
}

// FuzzLoad looks for panics, for faults outside the file, and for schemas that
// pass our eyes and not the validator's.
func FuzzLoad(f *testing.F) {
	err := fs.WalkDir(embedded, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			src, _ := embedded.ReadFile(name)
			f.Add(src)
		}
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
	head := `{"$schema": "` + draft + `", "x-operation": "PUT /a/{id}", `
	f.Add([]byte(head + strings.TrimPrefix(everyKeyword, "{")))
	f.Add([]byte(head + `"$ref": "#/$defs/a%20b", "$defs": {"a b": {"$ref": "#/$defs/~1~0"}, "/~": {"multipleOf": 1e-3}}}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		_, err := Load(fstest.MapFS{"x/a.request.json": &fstest.MapFile{Data: src}, "common.json": &fstest.MapFile{Data: []byte(`{"$schema": "` + draft + `", "$defs": {"fields": {}}}`)}}, "", "")
		if err == nil {
			return
		}
		faults, ok := err.(scanner.ErrorList)
		if !ok {
			t.Fatalf("no list: %v", err)
		}
		lines := strings.Split(string(src), "\n")
		for _, fault := range faults {
			if strings.Contains(fault.Msg, "validator cannot") {
				t.Errorf("only the validator sees it: %v\n%q", fault, src)
			}
			if at := fault.Pos; at.Filename == "x/a.request.json" && (at.Line < 1 || at.Line > len(lines) || at.Column < 1 || at.Column > len(lines[at.Line-1])+1) {
				t.Errorf("outside the file: %v\n%q", fault, src)
			}
		}
	})
}
