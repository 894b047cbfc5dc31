package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oigmock/oigmock/schemas"
)

const (
	tableBegin = "<!-- The table is made of the contract: go test ./cmd/oigmock -run TestOperationsOfReadme -update -->\n"
	tableEnd   = "<!-- end of the table -->\n"
)

// README's table says of each operation, by release, what it rests on: as the
// contract does.
func TestOperationsOfReadme(t *testing.T) {
	name := filepath.Join("..", "..", "README.md")
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begun := strings.Cut(string(src), tableBegin)
	_, after, ended := strings.Cut(rest, tableEnd)
	if !begun || !ended {
		t.Fatalf("README has no %s and %s", tableBegin, tableEnd)
	}
	want := before + tableBegin + "\n" + operationsTable(t) + "\n" + tableEnd + after
	switch {
	case string(src) == want:
	case *update:
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Error("README's table of operations is not that of the contract; go test ./cmd/oigmock -run TestOperationsOfReadme -update makes it anew")
	}
}

func operationsTable(t *testing.T) string {
	t.Helper()
	type row struct{ method, path, title string }
	var rows []row
	sources := map[row]map[string]string{}
	releases := schemas.Releases()
	counts := map[string]map[string]int{}
	for _, release := range releases {
		contract, err := schemas.OIG(release)
		if err != nil {
			t.Fatal(err)
		}
		counts[release] = map[string]int{}
		for _, op := range contract.Operations() {
			r := row{op.Method, op.Path, op.Title}
			at := slices.IndexFunc(rows, func(o row) bool { return o.method == r.method && o.path == r.path })
			if at < 0 {
				rows = append(rows, r)
				sources[r] = map[string]string{}
			} else {
				r = rows[at]
			}
			sources[r][release] = op.Source
			counts[release][op.Source]++
		}
	}
	slices.SortFunc(rows, func(a, b row) int {
		if c := strings.Compare(a.path, b.path); c != 0 {
			return c
		}
		return strings.Compare(a.method, b.method)
	})
	var b strings.Builder
	line := func(cells ...string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(append([]string{"operation", ""}, releases...)...)
	line(append([]string{"---", "---"}, slices.Repeat([]string{"---"}, len(releases))...)...)
	for _, r := range rows {
		const self, token = "/iam/governance/selfservice/api/v1", "/iam/governance"
		path, ok := strings.CutPrefix(r.path, self)
		if !ok {
			path = strings.TrimPrefix(r.path, token)
		}
		cells := []string{"`" + r.method + " " + path + "`", r.title}
		for _, release := range releases {
			if cells = append(cells, sources[r][release]); cells[len(cells)-1] == "" {
				cells[len(cells)-1] = "–"
			}
		}
		line(cells...)
	}
	total := []string{"", "printed, derived, assumed"}
	for _, release := range releases {
		n := counts[release]
		total = append(total, fmt.Sprintf("%d, %d, %d", n[schemas.Printed], n[schemas.Derived], n[schemas.Assumed]))
	}
	line(total...)
	return b.String()
}
