package scenarios_test

import (
	"fmt"
	"net/http"
	"testing/fstest"
	"time"

	"github.com/oigmock/oigmock/scenarios"
)

const retry = `scenario: A rejected task is retried
source: assumed
interactions:
  - name: in any letter case
    request:
      method: PUT
      path: /provtasks/{taskid}
      body: {action: {$anycase: retry}}
    response:
      status: 200
      body: {id: "{{ taskid }}", status: SUCCESS}
`

func ExampleParse() {
	all, err := scenarios.Parse("retry.yaml", []byte(retry))
	if err != nil {
		fmt.Println(err)
		return
	}
	i := all[0].Interactions[0]
	r := scenarios.NewRequest("PUT", "/provtasks/1006", http.Header{}, []byte(`{"action": "Retry"}`))
	env := scenarios.Env{Now: time.Now()}
	if len(i.Match(r, env)) > 0 {
		return
	}
	response, err := i.Responses[0].Render(r, env)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d %s\n", response.Status, response.Body)
	// Output: 200 {"id":"1006","status":"SUCCESS"}
}

func ExampleRequestMatcher_Match() {
	all, err := scenarios.Parse("retry.yaml", []byte(retry))
	if err != nil {
		fmt.Println(err)
		return
	}
	m := all[0].Interactions[0].Request
	r := scenarios.NewRequest("POST", "/provtasks/1006", http.Header{}, []byte(`{"action": "reassign"}`))
	for _, mismatch := range m.Match(r, scenarios.Env{}) {
		fmt.Println(mismatch)
	}
	// Output:
	// retry.yaml:6:15: method: want "PUT", got "POST"
	// retry.yaml:8:22: body /action: want "retry" in any letter case, got "reassign"
}

func ExampleLoad() {
	files := fstest.MapFS{
		"provtasks/retry.yaml":  {Data: []byte(retry)},
		"provtasks/broken.yaml": {Data: []byte("scenario: a\nsource: assumd\nintractions: []\n")},
	}
	_, err := scenarios.Load(files, "mine")
	fmt.Println(err)
	all, err := scenarios.Load(files, "mine", "provtasks/retry.yaml")
	fmt.Println(all[0].Name, err)
	// Output:
	// mine/provtasks/broken.yaml:1:1: a scenario: the key "interactions" is missing, or "records" (and 2 more errors)
	// provtasks/retry <nil>
}

func ExampleTrial_Perform() {
	all, err := scenarios.Parse("retry.yaml", []byte(`scenario: A rejected task is retried once
source: assumed
records:
  tasks: {"1006": {state: Rejected}}
interactions:
  - name: retried
    request: {method: PUT, path: "/tasks/{id}"}
    when: {"tasks/{id}": {state: Rejected}}
    set: {"tasks/{id}": {state: Pending}}
    response: {status: 200, body: "{{ tasks/{id} }}"}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	records, _, err := scenarios.Seed(scenarios.Tree{}, all, scenarios.Env{})
	if err != nil {
		fmt.Println(err)
		return
	}
	i := all[0].Interactions[0]
	for range 2 {
		t := scenarios.NewTrial(scenarios.NewRequest("PUT", "/tasks/1006", nil, nil), scenarios.Env{Records: records})
		if !t.Accepts(i) {
			fmt.Println(t.Mismatches(i))
			continue
		}
		response, err := t.Perform(i, i.Responses[0])
		if err != nil {
			fmt.Println(err)
			return
		}
		var changed []string
		records, changed = t.Records()
		fmt.Printf("%s, and %s changed\n", response.Body, changed)
	}
	// Output:
	// {"state":"Pending"}, and [tasks/1006] changed
	// [retry.yaml:8:34: tasks/1006/state: want "Rejected", got "Pending"]
}
