package mockserver

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// An archive in testdata/check holds scenarios, as a story does, and what is
// to be said of them.
func TestCheck(t *testing.T) {
	names, err := filepath.Glob("testdata/check/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("nothing to check: ", err)
	}
	rules := map[string]bool{}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			cfg := configOf(t, a)
			var b strings.Builder
			faults := 0
			for _, f := range Check(cfg) {
				b.WriteString(f.String() + "\n")
				rules[f.Rule] = true
				if f.Level == LevelFault {
					faults++
				}
				if f.Pos.Line == 0 || f.Pos.Column == 0 || strings.Contains(f.Text, "\n") {
					t.Errorf("no line to edit: %s", f)
				}
			}
			// A server starts just where nothing is a fault.
			_, err = New(cfg)
			if (err != nil) != (faults > 0) {
				t.Errorf("%d faults, and New says %v", faults, err)
			}
			compare(t, name, a, map[string]string{"findings": b.String()})
		})
	}
	for _, rule := range []string{"records", "example", "contract", "response", "shadowed", "outside", "release", "schema"} {
		if !rules[rule] {
			t.Errorf("no archive shows a finding of %q", rule)
		}
	}
}

// To look for what is never reached does not cost more than so much, however
// costly interactions are to compare.
func TestCheckIsBounded(t *testing.T) {
	var b strings.Builder
	for n := range 200 {
		fmt.Fprintf(&b, "  - {name: n%d, request: {method: GET, path: /things/1, query: {q: {$regex: \"((a{9}){9}){9}%d$\", example: %s%d}}}, response: {status: 200, body: {}}}\n",
			n, n, strings.Repeat("a", 729), n)
	}
	c := newCatalog(contractOf(t, things), scenariosOf(t, "scenarios", map[string]string{"s.yaml": b.String()}), "", noon, nil)
	found := c.check(noon)
	if len(found) == 0 || !strings.Contains(found[0].Text, "from here on it is not told which of them are never reached") {
		t.Errorf("found %v", found)
	}
}
