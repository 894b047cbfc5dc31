package mockserver

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Who may import whom of ours. schemas/payload is a leaf that all may use.
var mayImport = map[string][]string{
	"schemas/payload": {},
	"scenarios":       {"schemas/payload"},
	"schemas":         {"schemas/payload"},
	"mockserver":      {"scenarios", "schemas", "schemas/payload"},
	"cmd/oigmock":     {"mockserver", "scenarios", "schemas", "schemas/payload"},
}

// And which packages may stand on what is not ours: each module has one place.
var fromOutside = map[string][]string{
	"schemas/payload": {},
	"scenarios":       {"gopkg.in/yaml.v3"},
	"schemas":         {"github.com/santhosh-tekuri/jsonschema/v5"},
	"mockserver":      {"github.com/gorilla/mux"},
	"cmd/oigmock":     {"github.com/spf13/cobra", "github.com/fsnotify/fsnotify"},
}

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

func TestWhoImportsWhom(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command")
	}
	for _, line := range goList(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...") {
		fields := strings.Fields(line)
		name := strings.TrimPrefix(fields[0], module)
		ours, known := mayImport[name]
		if !known {
			t.Errorf("%s is not in the table", name)
			continue
		}
		for _, path := range fields[1:] {
			of, own := strings.CutPrefix(path, module)
			first, _, _ := strings.Cut(path, "/")
			switch {
			case own && !slices.Contains(ours, of):
				t.Errorf("%s imports %s", name, of)
			case !own && strings.Contains(first, ".") && !slices.Contains(fromOutside[name], path):
				t.Errorf("%s imports %s", name, path)
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
