package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write what is printed into the golden files")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"oigmock": main})
}

// TestScripts tells the command line as stories; script_test.go has the
// commands that they are told in.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		Setup:               setup,
		Cmds:                commands,
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// TestSevenFaults runs check from the root of the repository, where whoever
// reads its lines would click on them.
func TestSevenFaults(t *testing.T) {
	golden, err := filepath.Abs("testdata/seven-faults.golden")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("../..")
	var stdout, stderr bytes.Buffer
	code := run([]string{"check", "cmd/oigmock/testdata/seven-faults"}, nil, &stdout, &stderr)
	if code != faulty {
		t.Errorf("exit code %d, want %d", code, faulty)
	}
	if got, want := stderr.String(), "7 faults in 1 file\n"; got != want {
		t.Errorf("summary: got %q, want %q", got, want)
	}
	if *update {
		if err := os.WriteFile(golden, stdout.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(stdout.Bytes(), want) {
		t.Errorf("got\n%s\nwant\n%s", stdout.Bytes(), want)
	}
	if n := bytes.Count(stdout.Bytes(), []byte("\n")); n != 7 {
		t.Errorf("%d lines, want 7", n)
	}
}

func TestOneLine(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"a plain ä text", "a plain ä text"},
		{"two\nlines", `two\nlines`},
		{"\x1b[31mred\u202e", `\u001b[31mred\u202e`},
		{"\u009b31mred", `\u009b31mred`},
		{"\x9b31mred", "\uFFFD31mred"},
	} {
		if got := oneLine(test.text); got != test.want {
			t.Errorf("oneLine(%q) = %q, want %q", test.text, got, test.want)
		}
	}
}
