package mockserver

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/oigmock/oigmock/scenarios"
)

// A hit allocates less than the decoding of its body into a tree and the
// schema check of that do together: counted, since time is for benchmarks.
func TestHitAllocatesLittle(t *testing.T) {
	// What the library's own answer to this remembers costs what it costs.
	list := append(scenariosOf(t, "scenarios", map[string]string{"task.yaml": statelessTask}), conventions(t)...)
	contract := oigContract(t)
	s, err := New(Config{Contract: contract, Scenarios: list, Release: "11.1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	body := taskRequest("5126", "5126").Body
	op := contract.Operation("PUT", tasksPath+"{taskid}")
	decode := testing.AllocsPerRun(100, func() {
		var tree any
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		if err := d.Decode(&tree); err != nil {
			t.Fatal(err)
		}
		if bad := op.CheckRequest((&scenarios.Request{Body: body}).JSON()); len(bad) > 0 {
			t.Fatal(bad)
		}
	})
	header := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Basic dXNlcm5hbWU6cGFzc3dvcmQ="}}
	hit := testing.AllocsPerRun(100, func() {
		w := quiet{header: http.Header{}}
		s.ServeHTTP(&w, taskHTTP(header, body))
		if w.status != 200 {
			t.Fatal(w.status)
		}
	})
	if hit >= decode {
		t.Errorf("a hit allocates %v times, decoding and checking its body %v times", hit, decode)
	}
	// What is not the validator's: the road itself.
	check := testing.AllocsPerRun(100, func() {
		op.CheckRequest((&scenarios.Request{Body: body}).JSON())
	})
	if road := hit - check; road > 40 {
		t.Errorf("the road allocates %v times beside the schema check, want 40 at most", road)
	}
}

// statelessTask answers the printed call and remembers nothing.
const statelessTask = `
scenario: A provisioning task is updated
source: assumed
interactions:
  - name: task 5126
    request: {method: PUT, path: /iam/governance/selfservice/api/v1/provtasks/5126, body: {id: "5126"}}
    response: {status: 200, body: {id: "5126", status: OK}}
`

// conventions are what the library says for all operations.
func conventions(t testing.TB) []*scenarios.Scenario {
	t.Helper()
	list, err := scenarios.OIG("11.1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(list, func(sc *scenarios.Scenario) bool { return sc.File != "authentication" && sc.File != "conventions" })
}
