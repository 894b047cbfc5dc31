package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseSources(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"a", "b", library} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("file.yaml", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ list, want, fault string }{
		{list: "library", want: "library"},
		{list: "a", want: "a"},
		{list: "library,a,b", want: "library a b"},
		{list: "library, ./a", want: "library ./a"},
		{list: "library,./library", want: "library ./library"},
		{list: "", fault: "want library, a folder"},
		{list: "a,", fault: "want library, a folder"},
		{list: "a,./a", fault: "./a is given twice"},
		{list: "library,library", fault: "library is given twice"},
		{list: "c", fault: "there is no folder c"},
		{list: "file.yaml", fault: "file.yaml is no folder; give its folder"},
	} {
		all, err := parseSources(test.list)
		var wrong misuse
		if test.fault != "" {
			if !errors.As(err, &wrong) || !strings.Contains(err.Error(), test.fault) {
				t.Errorf("parseSources(%q): got %v, want a misuse: %s", test.list, err, test.fault)
			}
			continue
		}
		var dirs []string
		for _, s := range all {
			dirs = append(dirs, s.dir)
		}
		if got := strings.Join(dirs, " "); err != nil || got != test.want {
			t.Errorf("parseSources(%q) = %s, %v, want %s", test.list, got, err, test.want)
		}
	}
}

const oneScenario = `scenario: One
source: assumed
interactions:
  - name: one
    request: {method: PUT, path: /iam/governance/selfservice/api/v1/provtasks/5126, body: {id: "5126"}}
    response: {status: 409}
`

// The later source is tried first.
func TestLaterSourceFirst(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "one.yaml"), []byte(oneScenario), 0o644); err != nil {
		t.Fatal(err)
	}
	load := func(list string) *loaded {
		t.Helper()
		s, err := (&setFlags{release: "11.1.2.3", schemas: library, scenarios: list}).set()
		if err != nil {
			t.Fatal(err)
		}
		return s.load()
	}
	origins := func(l *loaded) []string {
		var all []string
		for _, s := range l.scenarios {
			if !slices.Contains(all, s.Origin) {
				all = append(all, s.Origin)
			}
		}
		return all
	}
	later, earlier := load(library+","+dir), load(dir+","+library)
	if got, want := origins(later), []string{dir, library}; !slices.Equal(got, want) {
		t.Errorf("library,DIR is tried in the order %q, want %q", got, want)
	}
	if got, want := origins(earlier), []string{library, dir}; !slices.Equal(got, want) {
		t.Errorf("DIR,library is tried in the order %q, want %q", got, want)
	}
	for _, l := range []*loaded{later, earlier} {
		if faults := l.faults(); len(faults) > 0 {
			t.Errorf("one source overrides another; that is no fault: %q", faults)
		}
	}
}

func TestRelativeURI(t *testing.T) {
	for _, test := range []struct{ here, file, want string }{
		{"/home/me", "scenarios/a b.yaml", "scenarios/a%20b.yaml"},
		{"/home/me", "/home/me/x/a.yaml", "x/a.yaml"},
		{"/home/me", "/home/you/a.yaml", "../you/a.yaml"},
		{"/home/me", "c:d.yaml", "./c:d.yaml"},
	} {
		if got := relativeURI(test.here, test.file); got != test.want {
			t.Errorf("relativeURI(%q, %q) = %q, want %q", test.here, test.file, got, test.want)
		}
	}
}
