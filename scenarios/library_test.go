package scenarios

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
)

// TestLibrary reads the files that come with the package.
func TestLibrary(t *testing.T) {
	all, err := OIG("")
	if err != nil {
		t.Fatal(err)
	}
	old, err := OIG("11.1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	unknown, err := OIG("9")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 || len(old) == 0 || len(unknown) >= len(old) {
		t.Errorf("%d scenarios, %d in 11.1.2.3, %d in 9", len(all), len(old), len(unknown))
	}
	for _, s := range all {
		if s.Origin != "library" || s.Name == "" || s.File == "" || !strings.HasPrefix(s.Pos.Filename, "scenarios/") {
			t.Errorf("%+v", s)
		}
		for _, i := range s.Interactions {
			ex, err := i.Request.Example("PUT", Env{Now: noon, URL: "http://mock"})
			if err != nil {
				t.Error(err)
				continue
			}
			agree(t, i, ex.Request, ex.User)
		}
	}
}

func TestLoad(t *testing.T) {
	one := func(title string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("scenario: " + title + "\nsource: assumed\ninteractions: [{name: " + title + ", request: {}, response: {status: 200}}]\n")}
	}
	fsys := fstest.MapFS{
		"b.yaml": one("b"), "a/c.yml": one("c"), "a/b.yaml": one("d"), "a/.hidden.yaml": {Data: []byte("no: scenario")}, ".git/x.yaml": {Data: []byte("no: scenario")},
		"a/testdata/x.yaml": {Data: []byte("no: scenario")}, "a/body.json": {Data: []byte("{}")}, "two.yaml": {Data: append(append(one("e").Data, "---\n"...), one("f").Data...)},
	}
	names := func(patterns ...string) string {
		all, err := Load(fsys, "dir", patterns...)
		if err != nil {
			return err.Error()
		}
		var b strings.Builder
		for _, s := range all {
			fmt.Fprintf(&b, "%s(%s %s %d) ", s.Name, s.File, s.Pos.Filename, s.Pos.Line)
		}
		return b.String()
	}
	for _, test := range []struct {
		want     string
		patterns []string
	}{
		{"a/b(a/b dir/a/b.yaml 1) a/c(a/c dir/a/c.yml 1) b(b dir/b.yaml 1) two(two dir/two.yaml 1) two:2(two dir/two.yaml 5) ", nil},
		{"a/b(a/b dir/a/b.yaml 1) b(b dir/b.yaml 1) ", []string{"*/b.yaml", "b.yaml"}},
		{"", []string{"none"}},
		{`pattern "[": syntax error in pattern`, []string{"["}},
	} {
		if got := names(test.patterns...); got != test.want {
			t.Errorf("%q: got %s, want %s", test.patterns, got, test.want)
		}
	}
	fsys["a/d.yaml"] = &fstest.MapFile{Data: []byte("scenario: [\n")}
	fsys["a.yaml"] = &fstest.MapFile{Data: []byte("sceanrio: x\n")}
	if got := names(); !strings.HasPrefix(got, "dir/a.yaml:") || !strings.HasSuffix(got, "(and 4 more errors)") {
		t.Errorf("faults of all files: %s", got)
	}
}

// TestFilesOutside tries to make a response of what lies outside the folder.
func TestFilesOutside(t *testing.T) {
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	inside := filepath.Join(dir, "inside")
	must(os.MkdirAll(filepath.Join(inside, "folder"), 0o755))
	must(os.WriteFile(filepath.Join(dir, "secret"), []byte("secret"), 0o644))
	must(os.WriteFile(filepath.Join(inside, "folder", "good"), []byte("good"), 0o644))
	must(os.Symlink(filepath.Join(dir, "secret"), filepath.Join(inside, "out")))
	must(os.Symlink("../secret", filepath.Join(inside, "up")))
	must(os.Symlink("folder/good", filepath.Join(inside, "link")))
	must(os.Symlink("..", filepath.Join(inside, "parent")))
	must(os.Symlink("loop", filepath.Join(inside, "loop")))
	must(syscall.Mkfifo(filepath.Join(inside, "pipe"), 0o644))
	must(os.WriteFile(filepath.Join(inside, "big"), nil, 0o644))
	must(os.Truncate(filepath.Join(inside, "big"), MaxBodyFile+1))
	root, err := os.OpenRoot(inside)
	must(err)
	defer root.Close()
	for file, want := range map[string]string{
		"folder/good":                  "",
		"link":                         "",
		"../secret":                    `"../secret" is no file below this one's folder`,
		"folder/../../secret":          "is no file below this one's folder",
		filepath.Join(dir, "secret"):   "is no file below this one's folder",
		"/etc/passwd":                  "is no file below this one's folder",
		`..\secret`:                    "is no file below this one's folder",
		"out":                          "path escapes",
		"up":                           "path escapes",
		"parent/secret":                "path escapes",
		"loop":                         `"loop": `,
		"folder":                       `"folder" is no regular file`,
		".":                            `"." is no regular file`,
		"pipe":                         `"pipe" is no regular file`,
		"big":                          `"big" has 16777217 bytes; 16777216 are taken`,
		"none":                         `"none": no such file or directory`,
		"folder/good/x":                `"folder/good/x": not a directory`,
		"a" + strings.Repeat("a", 300): "file name too long",
	} {
		src := fmt.Sprintf("scenario: a\nsource: assumed\ninteractions: [{name: a, request: {}, response: {status: 200, file: %q}}]\n", file)
		must(os.WriteFile(filepath.Join(inside, "f.yaml"), []byte(src), 0o644))
		all, err := Load(root.FS(), "")
		switch got := fmt.Sprint(err); {
		case want == "" && err == nil:
			if r := all[0].Interactions[0].Responses[0].Ready(); string(r.Body) != "good" {
				t.Errorf("%s: %q", file, r.Body)
			}
		case want == "" || !strings.Contains(got, want):
			t.Errorf("%s: got %v, want %s", file, got, want)
		case strings.Contains(got, dir) && !strings.Contains(file, dir):
			t.Errorf("%s: the message tells of the machine: %s", file, got)
		}
	}
	// Without a folder no file is read.
	_, err = Parse("f.yaml", []byte("scenario: a\nsource: assumed\ninteractions: [{name: a, request: {}, response: {status: 200, file: good}}]\n"))
	if got := fmt.Sprint(err); got != "f.yaml:3:69: file: only a scenario that stands in a folder can name a file" {
		t.Error(got)
	}
	// Nor is a scenario read from a pipe.
	must(os.Remove(filepath.Join(inside, "f.yaml")))
	must(syscall.Mkfifo(filepath.Join(inside, "f.yaml"), 0o644))
	if _, err := Load(root.FS(), "dir"); fmt.Sprint(err) != `dir/f.yaml:1:1: "f.yaml" is no regular file` {
		t.Error(err)
	}
}
