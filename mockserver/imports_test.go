package mockserver

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Who may import whom of ours. schemas/payload and schemas/didyoumean are leaves
// that all may use.
var mayImport = map[string][]string{
	"schemas/payload":    {},
	"schemas/didyoumean": {},
	"scenarios":          {"schemas/payload", "schemas/didyoumean"},
	"schemas":            {"schemas/payload", "schemas/didyoumean"},
	"mockserver":         {"scenarios", "schemas", "schemas/payload", "schemas/didyoumean"},
	"cmd/oigmock":        {"mockserver", "scenarios", "schemas", "schemas/payload"},

	"mockserver/oigtest":         {"mockserver", "scenarios", "schemas", "schemas/didyoumean"},
	"mockserver/oigtest/example": {}, // as any client of OIG
}

// And which packages may stand on what is not ours: each module has one place.
var fromOutside = map[string][]string{
	"schemas/payload": {},
	"scenarios":       {"gopkg.in/yaml.v3"},
	"schemas":         {"github.com/santhosh-tekuri/jsonschema/v5"},
	"mockserver":      {"github.com/gorilla/mux", "github.com/golang-jwt/jwt/v5", "github.com/rs/cors"},
	"cmd/oigmock":     {"github.com/spf13/cobra", "github.com/fsnotify/fsnotify"},
}

// What their tests import besides.
var inTests = map[string][]string{
	"schemas/payload": {},
	"scenarios":       {archives, "github.com/santhosh-tekuri/jsonschema/v5"}, // which judges the schema for editors
	"schemas":         {archives},
	"mockserver":      {archives},
	"cmd/oigmock":     {archives, "github.com/rogpeppe/go-internal/testscript"},

	"mockserver/oigtest":         {module + "mockserver/oigtest/example"},
	"mockserver/oigtest/example": {module + "mockserver/oigtest"},
}

const archives = "github.com/rogpeppe/go-internal/txtar"

const module = "github.com/oigmock/oigmock/"

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v", strings.Join(args, " "), err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// may reports whether a package, or a test of it, may import a path: what is
// of Go's own, itself, what of ours it stands on, or what a table names.
func may(path, name string, ours []string, others ...[]string) bool {
	if slices.Contains(slices.Concat(others...), path) {
		return true
	}
	if of, own := strings.CutPrefix(path, module); own {
		return of == name || slices.Contains(ours, of)
	}
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func TestWhoImportsWhom(t *testing.T) {
	const names = "{{.ImportPath}} {{join .Imports \" \"}}"
	for _, line := range goList(t, "-f", names, "./...") {
		fields := strings.Fields(line)
		name := strings.TrimPrefix(fields[0], module)
		if _, known := mayImport[name]; !known {
			t.Errorf("%s is not in the table", name)
			continue
		}
		for _, path := range fields[1:] {
			if !may(path, name, mayImport[name], fromOutside[name]) {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
	const inTheirTests = "{{.ImportPath}} {{join .TestImports \" \"}} {{join .XTestImports \" \"}}"
	for _, line := range goList(t, "-f", inTheirTests, "./...") {
		fields := strings.Fields(line)
		name := strings.TrimPrefix(fields[0], module)
		for _, path := range fields[1:] {
			if !may(path, name, mayImport[name], fromOutside[name], inTests[name]) {
				t.Errorf("the tests of %s import %s", name, path)
			}
		}
	}
	for name := range mayImport {
		for _, path := range goList(t, "-deps", "-f", "{{if not .Standard}}{{.ImportPath}} {{len .CgoFiles}}{{end}}", "./"+name) {
			if path != "" && !strings.HasSuffix(path, " 0") {
				t.Errorf("%s stands on cgo in %s", name, path)
			}
		}
	}
	// The server runs no program and loads no code: no feature can be made to.
	for _, path := range goList(t, "-deps", "./cmd/oigmock") {
		if path == "os/exec" || path == "plugin" {
			t.Errorf("cmd/oigmock stands on %s", path)
		}
	}
}
