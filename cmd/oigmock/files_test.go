package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oigmock/oigmock/scenarios"
)

// Zeros have no end. It counts what is read of them.
type zeros struct{ n int }

func (z *zeros) Read(p []byte) (int, error) {
	if z.n > 4*maxData {
		return 0, io.ErrNoProgress // the test would not end
	}
	clear(p)
	z.n += len(p)
	return len(p), nil
}

// What is read of a file, or of what is typed, has a limit.
func TestDataHasALimit(t *testing.T) {
	for _, flag := range []string{"-d", "--json"} {
		var stderr bytes.Buffer
		in := &zeros{}
		if code := run([]string{"explain", flag, "@-", "/"}, in, io.Discard, &stderr); code != misused ||
			!strings.HasPrefix(stderr.String(), "oigmock: reading the body: - has more than 16777216 bytes\n") {
			t.Errorf("%s: %d, %s", flag, code, stderr.String())
		}
		if in.n > 2*maxData {
			t.Errorf("%s: %d bytes are read", flag, in.n)
		}
	}
}

// Whatever names a folder, a path and a member have, nothing that is printed
// turns the terminal's colours.
func TestExplainIsPrintable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a\x1b[31m\u009b")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	const text = `{scenario: "One \e[31m", source: assumed, interactions: [{name: "\u009b", request: {path: /x, body: {"\u009b": {$like: a}}}, response: {status: 200}}]}`
	if err := os.WriteFile(filepath.Join(dir, "one.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"explain", "--json", `{"\u009b": 1}`, "/x"},
		{"explain", "--json", `{"\u009b": 1}`, "/x\u009b"},
		{"explain", "--json", `{"\u009b": 1}`, "--format", "json", "/x"},
		{"explain", "--json", `{"\u009b": "b"}`, "/x"},
		{"check", dir},
		{"check", "--format", "json", dir},
		{"check", "--format", "sarif", dir},
	} {
		if args[0] == "explain" {
			args = append(args, "--scenarios", dir)
		}
		var stdout, stderr bytes.Buffer
		if code := run(args, nil, &stdout, &stderr); code == misused || stdout.Len() == 0 {
			t.Errorf("%q: %d, %s", args, code, stderr.String())
		}
		if all := strings.ReplaceAll(stdout.String()+stderr.String(), "\n", ""); strings.ContainsFunc(all, scenarios.IsControl) {
			t.Errorf("%q: got %q", args, all)
		}
		if slices.Contains(args, "--format") && !json.Valid(stdout.Bytes()) {
			t.Errorf("%q: no JSON: %s", args, stdout.String())
		}
	}
}

func TestReadAtMost(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte("four"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := readAtMost(name, 4); err != nil || string(text) != "four" {
		t.Errorf("got %q, %v", text, err)
	}
	if text, err := readAtMost(name, 3); err == nil || err.Error() != name+" has more than 3 bytes" {
		t.Errorf("got %q, %v", text, err)
	}
	if err := os.Truncate(name, 1<<40); err == nil { // where files can have holes
		if text, err := readAtMost(name, 1000); err == nil {
			t.Errorf("got %d bytes", len(text))
		}
	}
}
