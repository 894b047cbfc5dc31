package oigtest_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/wrong.golden")

// The failure says what was wrong as the mock said it, and the line that made
// the server.
func TestFailureText(t *testing.T) {
	out, err := exec.Command("go", "test", "-tags", "wrong", "-run", "^TestWrong$", ".").Output()
	if err == nil {
		t.Error("it does not fail")
	}
	got := string(out)
	for was, is := range map[string]string{
		`\(\d+\.\d+s\)`:         "(0.00s)",
		`127\.0\.0\.1:\d+`:      "127.0.0.1:0",
		`(?m)[ \t]+$`:           "",
		`(?m)^coverage: .*\n`:   "",
		`(?m)^exit status \d\n`: "",
		`(?m)^FAIL\t.*\nFAIL\n`: "FAIL\n",
	} {
		got = regexp.MustCompile(was).ReplaceAllString(got, is)
	}
	golden := filepath.Join("testdata", "wrong.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("it fails with\n%s\nwant\n%s\ngo test -run TestFailureText -update accepts it", got, strings.TrimSpace(string(want)))
	}
}
