//go:build wrong

package oigtest_test

import (
	"testing"

	"github.com/oigmock/oigmock/mockserver/oigtest"
)

// TestWrong is a test with mistakes: TestFailureText looks at how it fails. Nobody
// else runs it.
func TestWrong(t *testing.T) {
	oig := oigtest.NewServer(t)
	task := oig.URL + "/iam/governance/selfservice/api/v1/provtasks/5126"

	ask(t, oig.Client(), "PUT", task, `{"id": "5127"}`) // another task than the path says,
	ask(t, oig.Client(), "PUT", task, `{"id": "5127"}`) // twice
	ask(t, oig.Client(), "PUT", task, `{"id": 5126}`)   // a number
	ask(t, oig.Client(), "PUT", oig.URL+"/iam/governance/selfservice/api/v1/provtask/5126", `{"id": "5126"}`)
}
