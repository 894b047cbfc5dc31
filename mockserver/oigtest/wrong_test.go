package oigtest_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/oigmock/oigmock/mockserver/oigtest"
)

var update = flag.Bool("update", false, "rewrite testdata/wrong.golden")

const runWrong = "OIGTEST_RUN_WRONG"

// TestWrong is a test with mistakes: TestFailureText looks at how it fails.
func TestWrong(t *testing.T) {
	if os.Getenv(runWrong) == "" {
		t.Skip("it is to fail; TestFailureText runs it")
	}
	oig := oigtest.NewServer(t)
	task := oig.URL + "/iam/governance/selfservice/api/v1/provtasks/5126"

	ask(t, oig.Client(), "PUT", task, `{"id": "5127"}`) // another task than the path says,
	ask(t, oig.Client(), "PUT", task, `{"id": "5127"}`) // twice
	ask(t, oig.Client(), "PUT", task, `{"id": 5126}`)   // a number
	ask(t, oig.Client(), "PUT", oig.URL+"/iam/governance/selfservice/api/v1/provtask/5126", `{"id": "5126"}`)
}

// The failure says what was wrong as the mock said it, and the line that made
// the server.
func TestFailureText(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run=^TestWrong$")
	cmd.Env = append(os.Environ(), runWrong+"=1")
	out, err := cmd.Output()
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
