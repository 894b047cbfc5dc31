package mockserver

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// An archive in testdata/explain holds scenarios and requests, as a story
// does, and what is told of each.
func TestExplain(t *testing.T) {
	names, err := filepath.Glob("testdata/explain/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("nothing to explain: ", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			s := newServer(t, configOf(t, a))
			got := map[string]string{}
			for _, f := range a.Files {
				n, ok := strings.CutSuffix(f.Name, ".request")
				if !ok {
					continue
				}
				x, err := s.Explain(call(f.Data).request(t))
				if err != nil {
					t.Fatal(err)
				}
				got[n+".answer"] = x.String()
				// What is told is what happens.
				res, _, e := ask(t, s, call(f.Data))
				if x.Status != res.StatusCode || x.Outcome != e.Outcome || x.Answer != nil && x.Answer.Interaction != e.Interaction {
					t.Errorf("%s: told %d, %s; and there was %d, %s", f.Name, x.Status, x.Outcome, res.StatusCode, e.Outcome)
				}
			}
			compare(t, name, a, got)
		})
	}
}
