package oigtest_test

import (
	"fmt"
	"time"

	"github.com/oigmock/oigmock/mockserver/oigtest"
	governance "github.com/oigmock/oigmock/mockserver/oigtest/example"
)

func ExampleNewServer() {
	oig := oigtest.NewServer(t)

	client := governance.Client{BaseURL: oig.URL, User: "user", Password: "secret"}
	task, err := client.UpdateTask(t.Context(), "5126", governance.TaskUpdate{})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(task.Status, task.Assignee)
	// Output: OK System Administrator
}

func ExampleServer_Given() {
	oig := oigtest.NewServer(t)
	oig.Put("locked", `
scenario: A task is locked
source: assumed
given: {a task is locked: {task: {$like: "5126"}}}

interactions:
  - name: it cannot be changed
    request: {method: PUT, path: "/iam/governance/selfservice/api/v1/provtasks/{taskid}", params: {taskid: "{{ given/task }}"}}
    response: {status: 403, body: {$error: Forbidden}}
`)
	client := governance.Client{BaseURL: oig.URL, User: "user", Password: "secret"}

	_, err := client.UpdateTask(t.Context(), "5126", governance.TaskUpdate{})
	fmt.Println("before:", err)

	oig.Given("a task is locked", map[string]any{"task": "5126"})
	_, err = client.UpdateTask(t.Context(), "5126", governance.TaskUpdate{})
	fmt.Println("after:", err)
	// Output:
	// before: <nil>
	// after: updating task 5126: OIG: 403 Forbidden
}

func ExampleServer_SetTime() {
	oig := oigtest.NewServer(t)
	oig.SetTime(time.Date(2030, 5, 11, 9, 0, 0, 0, time.UTC))

	client := governance.Client{BaseURL: oig.URL, User: "user", Password: "secret"}
	tomorrow := governance.Cause{
		RequestID: "r1",
		ID:        "287874BB86344E3DA243FC84029D76AF",
		Action:    "ACCEPT_RISK",
		Until:     time.Date(2030, 5, 12, 0, 0, 0, 0, time.UTC),
	}
	for range 2 {
		outcomes, err := client.UpdateCauses(t.Context(), "6F5592D7A5CE42CDB8A38996180A7D18", tomorrow)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(outcomes[0].Err())
		oig.FastForward(24 * time.Hour)
	}
	// Output:
	// <nil>
	// cause of request r1: IAM-8110005 : The specified risk-accepted expiration date 5/12/30 is invalid. The date must be in the future and no later than 7/1/30.
}

func ExampleServer_Received() {
	oig := oigtest.NewServer(t)

	client := governance.Client{BaseURL: oig.URL, User: "user", Password: "secret"}
	note := governance.Field{Name: "Process Instance.Task Details.Note", Value: "ask Sonia"}
	_, err := client.UpdateTask(t.Context(), "5126", governance.TaskUpdate{Fields: []governance.Field{note}})
	if err != nil {
		t.Fatal(err)
	}

	for _, e := range oig.Received(`{method: PUT, path: "/iam/{rest...}", body: {fields: {$contains: [{value: ask Sonia}]}}}`) {
		fmt.Println(e.User, "sent", string(e.Exchange.Request.Body))
		fmt.Println("answered by", e.Scenario)
	}
	// Output:
	// user sent {"id":"5126","fields":[{"name":"Process Instance.Task Details.Note","value":"ask Sonia"}]}
	// answered by provtasks/update
}

// Mostly the t is that of a subtest which runs in parallel with others.
func ExampleServer_Session() {
	oig := oigtest.NewServer(t)
	sooner, later := oig.Session(t), oig.Session(t)
	sooner.SetTime(time.Date(2030, 5, 11, 0, 0, 0, 0, time.UTC))
	later.SetTime(time.Date(2040, 5, 11, 0, 0, 0, 0, time.UTC))

	for _, oig := range []*oigtest.Server{sooner, later} {
		client := governance.Client{BaseURL: oig.URL, User: "user", Password: "secret"}
		outcomes, err := client.UpdateCauses(t.Context(), "6F5592D7A5CE42CDB8A38996180A7D18", governance.Cause{
			ID:     "287874BB86344E3DA243FC84029D76AF",
			Action: "ACCEPT_RISK",
			Until:  time.Date(2030, 6, 11, 0, 0, 0, 0, time.UTC),
		})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("%q after %d request\n", outcomes[0].Status, len(oig.Received("")))
	}
	// Output:
	// "SUCCESS" after 1 request
	// " FAIL" after 1 request
}

func ExampleServer_Put() {
	oig := oigtest.NewServer(t)
	oig.Put("once", `
scenario: A task is closed once
source: assumed
records:
  tasks/1006: {status: Pending}

interactions:
  - name: it is closed
    request: {method: PUT, path: "/iam/governance/selfservice/api/v1/provtasks/{taskid}"}
    when:
      tasks/{taskid}: {status: Pending}
    set:
      tasks/{taskid}: {status: Closed}
    response: {status: 200, body: {id: "{{ taskid }}", status: "{{ tasks/{taskid}/status }}"}}

  - name: it was closed before
    request: {method: PUT, path: "/iam/governance/selfservice/api/v1/provtasks/{taskid}"}
    when:
      tasks/{taskid}: {status: Closed}
    response: {status: 403, body: {$error: "Task {{ taskid }} is closed"}}
`)
	client := governance.Client{BaseURL: oig.URL, User: "user", Password: "secret"}
	for range 2 {
		task, err := client.UpdateTask(t.Context(), "1006", governance.TaskUpdate{})
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(task.ID, task.Status)
	}
	// Output:
	// 1006 Closed
	// updating task 1006: OIG: 403 Task 1006 is closed
}
