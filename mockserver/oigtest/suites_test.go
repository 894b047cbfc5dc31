package oigtest_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oigmock/oigmock/mockserver/oigtest"
)

// tasksOf is a scenario in which 50 tasks are in a word, and can be moved to
// others.
func tasksOf(word string) string {
	var b strings.Builder
	b.WriteString("scenario: Tasks\nsource: assumed\nrecords:\n  suites:\n")
	for n := range 50 {
		fmt.Fprintf(&b, "    %q: {word: %s}\n", fmt.Sprint(n), word)
	}
	b.WriteString(`
interactions:
  - name: a task is shown
    request: {method: GET, path: "/iam/governance/selfservice/api/v1/suites/{taskid}"}
    when:
      suites/{taskid}: {}
    response: {status: 200, text: "{{ suites/{taskid}/word }} {{ now | date yyyy-MM-dd'T'HH:mm }}"}

  - name: a task is retried once
    request: {method: PUT, path: "/iam/governance/selfservice/api/v1/suites/{taskid}"}
    when:
      suites/{taskid}: {word: ` + word + `}
    set:
      suites/{taskid}: {word: Retried after ` + word + `}
    response: {status: 200, body: {id: "{{ taskid }}", status: OK}}

  - name: it was retried before
    request: {method: PUT, path: "/iam/governance/selfservice/api/v1/suites/{taskid}"}
    when:
      suites/{taskid}: {word: Retried after ` + word + `}
    response: {status: 403, body: {$error: "{{ suites/{taskid}/word }}"}}
`)
	return b.String()
}

// Two suites of 50 tests each run in parallel on one server, in two sessions
// with opposite records and clocks ten years apart. Neither sees the other.
func TestTwoSuites(t *testing.T) {
	oig := oigtest.NewServer(t)
	t.Run("suites", func(t *testing.T) {
		for word, now := range map[string]time.Time{
			"Rejected": time.Date(2030, 5, 11, 9, 30, 0, 0, time.UTC),
			"Pending":  time.Date(2040, 5, 11, 21, 0, 0, 0, time.UTC),
		} {
			t.Run(word, func(t *testing.T) {
				t.Parallel()
				suite := oig.Session(t)
				suite.SetTime(now)
				suite.Put("tasks", tasksOf(word))
				t.Run("tests", func(t *testing.T) {
					for n := range 50 {
						t.Run(fmt.Sprint(n), func(t *testing.T) {
							t.Parallel()
							oneOfASuite(t, suite, fmt.Sprint(n), word, now)
						})
					}
				})
				const requests = 50 * 7
				if n := len(suite.Received("")); n != requests {
					t.Errorf("the suite sent %d requests, and %d were received", requests, n)
				}
			})
		}
	})
	if n := len(oig.Received("")); n > 0 {
		t.Errorf("%d requests were received outside of the suites", n)
	}
}

// oneOfASuite shows a task, has four retry it at once, of whom one succeeds,
// and shows it again.
func oneOfASuite(t *testing.T, suite *oigtest.Server, id, word string, now time.Time) {
	url := suite.URL + "/iam/governance/selfservice/api/v1/suites/" + id
	show := func(want string) {
		t.Helper()
		want += " " + now.Format("2006-01-02T15:04")
		if status, got := ask(t, suite.Client(), "GET", url, ""); status != 200 || got != want {
			t.Errorf("got %d %s, want %s", status, got, want)
		}
	}
	show(word)
	var wg sync.WaitGroup
	var mu sync.Mutex
	retried := 0
	for range 4 {
		wg.Go(func() {
			status, got := ask(t, suite.Client(), "PUT", url, `{"id": "`+id+`"}`)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case status == 200:
				retried++
			case status != 403 || !strings.Contains(got, "Retried after "+word):
				t.Errorf("got %d %s", status, got)
			}
		})
	}
	wg.Wait()
	if retried != 1 {
		t.Errorf("retried %d times", retried)
	}
	show("Retried after " + word)
	show("Retried after " + word)

	path := `path: "/iam/governance/selfservice/api/v1/suites/` + id + `"`
	changes := 0
	for _, e := range suite.Received("{method: PUT, " + path + "}") {
		changes += len(e.Changed)
	}
	if n := len(suite.Received("{" + path + "}")); n != 7 || changes != 1 {
		t.Errorf("the journal has %d requests for the task, and %d changes", n, changes)
	}
}
