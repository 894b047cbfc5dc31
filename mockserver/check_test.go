package mockserver

import (
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
