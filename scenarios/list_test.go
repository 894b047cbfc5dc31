package scenarios

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/oigmock/oigmock/schemas/payload"
	"gopkg.in/yaml.v3"
)

// listed performs an interaction that gives a body for GET /tasks with such a
// query, and gives the body, or the fault.
func listed(t *testing.T, body, query, records string) string {
	t.Helper()
	i := parseOne(t, "request: {path: /api/tasks}\nresponse:\n  status: 200\n  body: "+strings.ReplaceAll(body, "\n", "\n    "))
	tree, err := Tree{}.Set(mustJSON(t, records))
	if err != nil {
		t.Fatal(err)
	}
	r := NewRequest("GET", "/api/tasks"+query, nil, []byte(`{"a": [5, 6], "text": "x"}`))
	out, err := NewTrial(r, Env{Now: noon, URL: "http://mock", Records: tree}).Perform(i, i.Responses[0])
	if err != nil {
		return err.Error()
	}
	if mustJSON(t, string(out.Body)).Kind() == payload.Absent {
		t.Errorf("%s gives what is no JSON", body)
	}
	return string(out.Body)
}

const (
	threeTasks = `{"tasks": {
	"1006": {"Process Instance.Task Details.Key": 1006, "Objects.Name": "Laptop", "Status.Category": "Rejected"},
	"1007": {"Process Instance.Task Details.Key": 1007, "Objects.Name": "Payroll", "Status.Category": "Rejected"},
	"1008": {"Process Instance.Task Details.Key": 1008, "Objects.Name": "Plan View", "Status.Category": "Pending"}},
	"list": ["a", {"b": 1}], "scalar": "x", "nothing": null}`
	plainList = `{$list: tasks, give: "{{ key }}"}`
	selfLink  = `{"rel":"self","href":"http://mock/api/tasks?`
	firstLink = `{"rel":"first","href":"http://mock/api/tasks?`
	nextLink  = `{"rel":"next","href":"http://mock/api/tasks?`
)

func TestList(t *testing.T) {
	const own = "fields=a%2C%20b%2Cc&view=&x=%C3%A4%2F~-._%2A%27&fields=d&offset="
	for _, test := range []struct{ name, body, query, want string }{
		{"all of them, as Oracle's sample has it", `{$list: tasks, links: [bare, self, first, next], give: {links: [{rel: self, href: "{{ self }}/{{ key }}"}], fields: {$pairs: item}}, when: {item: {Status.Category: Pending}}}`, ``,
			`{"links":[{"rel":"self","href":"http://mock/api/tasks"},` + selfLink + `offset=1&limit=10"},` + firstLink + `offset=1&limit=10"}],"count":1,"hasMore":false,"totalResult":-1,"tasks":[` +
				`{"links":[{"rel":"self","href":"http://mock/api/tasks/1008"}],"fields":[{"name":"Process Instance.Task Details.Key","value":1008},{"name":"Objects.Name","value":"Plan View"},{"name":"Status.Category","value":"Pending"}]}]}`},
		{"the first page", plainList, `?limit=2`,
			`{"links":[` + selfLink + `offset=1&limit=2"},` + firstLink + `offset=1&limit=2"},` + nextLink + `offset=3&limit=2"}],"count":2,"hasMore":true,"totalResult":-1,"tasks":["1006","1007"]}`},
		{"the second of three pages", plainList, `?limit=1&offset=2`,
			`{"links":[` + selfLink + `offset=2&limit=1"},` + firstLink + `offset=1&limit=1"},` + nextLink + `offset=3&limit=1"}],"count":1,"hasMore":true,"totalResult":-1,"tasks":["1007"]}`},
		{"the last page", plainList, `?offset=3&limit=1`,
			`{"links":[` + selfLink + `offset=3&limit=1"},` + firstLink + `offset=1&limit=1"}],"count":1,"hasMore":false,"totalResult":-1,"tasks":["1008"]}`},
		{"behind the last page", plainList, `?offset=51&limit=50`,
			`{"links":[` + selfLink + `offset=51&limit=50"},` + firstLink + `offset=1&limit=50"}],"count":0,"hasMore":false,"totalResult":-1,"tasks":[]}`},
		{"nothing is there", `{$list: other/x, give: 1}`, `?limit=5`,
			`{"links":[` + selfLink + `offset=1&limit=5"},` + firstLink + `offset=1&limit=5"}],"count":0,"hasMore":false,"totalResult":-1,"x":[]}`},
		{"a step cannot be told", `{$list: "tasks/{query/none}", as: them, give: 1, links: [bare]}`, ``,
			`{"links":[{"rel":"self","href":"http://mock/api/tasks"}],"count":0,"hasMore":false,"totalResult":-1,"them":[]}`},
		{"links as the file has them", `{$list: tasks, give: "{{ key }}", links: [next, self], as: work list}`, `?limit=1`,
			`{"links":[` + nextLink + `offset=2&limit=1"},` + selfLink + `offset=1&limit=1"}],"count":1,"hasMore":true,"totalResult":-1,"work list":["1006"]}`},
		{"own parameters first, and q last", `{$list: tasks, give: "{{ key }}"}`, `?q=Status.Category+eq+Rejected&fields=a,+b%2Cc&limit=1&view&x=%C3%A4%2f~-._*%27&fields=d`,
			`{"links":[` + strings.Join([]string{selfLink + own + "1", firstLink + own + "1", nextLink + own + "2"}, `&limit=1&q=Status.Category%20eq%20Rejected"},`) + `&limit=1&q=Status.Category%20eq%20Rejected"}],"count":1,"hasMore":true,"totalResult":-1,"tasks":["1006"]}`},
		{"elements of an array", `{$list: list, give: {k: "{{ key }}", i: "{{ item }}"}, links: [first]}`, ``,
			`{"links":[` + firstLink + `offset=1&limit=10"}],"count":2,"hasMore":false,"totalResult":-1,"list":[{"k":0,"i":"a"},{"k":1,"i":{"b":1}}]}`},
		{"of the request", `{$list: body/a, give: {k: "{{ key }}", i: "{{ item }}"}, links: [first]}`, `?offset=2`,
			`{"links":[` + firstLink + `offset=1&limit=10"}],"count":1,"hasMore":false,"totalResult":-1,"a":[{"k":1,"i":6}]}`},
		{"members of what was sent", `{$list: body, give: "{{ key }} {{ item }}", links: [first]}`, ``,
			`{"links":[` + firstLink + `offset=1&limit=10"}],"count":2,"hasMore":false,"totalResult":-1,"body":["a [5,6]","text x"]}`},
		{"what gives nothing is no element", `{$list: list, give: "{{ item/b }}", links: [first]}`, ``,
			`{"links":[` + firstLink + `offset=1&limit=10"}],"count":1,"hasMore":false,"totalResult":-1,"list":[1]}`},
		{"cases, and what none holds for", `{$list: tasks, links: [first], give: {id: "{{ key }}"}, cases: [{when: {item: {Objects.Name: Laptop}}, give: {is: first}}, {when: {item: {Status.Category: Rejected}}, give: {is: second}}]}`, ``,
			`{"links":[` + firstLink + `offset=1&limit=10"}],"count":2,"hasMore":false,"totalResult":-1,"tasks":[{"id":"1006","is":"first"},{"id":"1007","is":"second"}]}`},
		{"cases alone, paged", `{$list: tasks, links: [next], cases: [{when: {item: {Status.Category: Pending}}}, {give: "{{ key }}"}]}`, `?limit=1&offset=2`,
			`{"links":[],"count":1,"hasMore":false,"totalResult":-1,"tasks":["1007"]}`},
		{"a scalar is there", `{$list: scalar, give: 1}`, ``, `f.yaml:8:11: $list goes over an array or an object, and at scalar a string stands`},
		{"null is there", `{$list: nothing, give: 1}`, ``, `f.yaml:8:11: $list goes over an array or an object, and at nothing a null stands`},
		{"a text is there", `{$list: body/text, give: 1}`, ``, `f.yaml:8:11: $list goes over an array or an object, and at body/text a string stands`},
		{"a q that is none", plainList, `?q=Status.Category+is+Rejected`, `f.yaml:8:11: the q of the request: byte 17: want eq, ne, sw or co, got "is"; :: stands for a blank within a name or a value`},
		{"what cannot be given", `{$list: tasks, give: "x{{ item/x }}"}`, ``, `f.yaml:8:32: {{ item/x }}: nothing is there, and no default says what to put into the text`},
	} {
		if got := listed(t, test.body, test.query, threeTasks); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
	}
}

// What is written is read again as the same.
func TestListIsWritten(t *testing.T) {
	for _, value := range []string{
		plainList,
		`{$list: "tasks/{query/a}", as: "work list", links: [next, bare], when: {item/a: {$any: 1}, key: {$not: "5"}}, give: {$list: item, give: {a: "{{ key }}"}}}`,
	} {
		v := mustValue(t, value, where{gives: true})
		b, err := yaml.Marshal(v.kind.write())
		if err != nil {
			t.Fatal(err)
		}
		if again := mustValue(t, string(b), where{gives: true}); meaning(again) != meaning(v) {
			t.Errorf("%s is written\n%s", value, b)
		}
	}
}

// TestListPages asks the same list for other elements; the links but for
// their address, then the elements.
func TestListPages(t *testing.T) {
	links := func(offset, limit, next int, q string) string {
		all := fmt.Sprintf("self %d/%d%s, first 1/%[2]d%s", offset, limit, q, q)
		if next > 0 {
			all += fmt.Sprintf(", next %d/%d%s", next, limit, q)
		}
		return all
	}
	for _, test := range []struct{ query, want string }{
		{``, links(1, 10, 0, "") + `: 1006 1007 1008`},
		{`?offset=0&limit=10`, links(1, 10, 0, "") + `: 1006 1007 1008`}, // as one sample of Oracle's has it
		{`?offset=2`, links(2, 10, 0, "") + `: 1007 1008`},
		{`?offset=002&limit=01`, links(2, 1, 3, "") + `: 1007`},
		{`?offset=2&offset=3`, links(2, 10, 0, "") + `: 1007 1008`},
		{`?Offset=2`, ``}, // another parameter: it is ignored
		{`?offset=99999999999999999999999&limit=99999999999999999999999`, links(maxOffset, 10_000, 0, "") + `: `},
		{`?limit=10001`, links(1, 10_000, 0, "") + `: 1006 1007 1008`},

		// Malformed: as if they were not there.
		{`?limit=0`, links(1, 10, 0, "") + `: 1006 1007 1008`},
		{`?limit=-1&offset=-2`, links(1, 10, 0, "") + `: 1006 1007 1008`},
		{`?limit=1.0&offset=two`, links(1, 10, 0, "") + `: 1006 1007 1008`},
		{`?limit=&offset=+2`, links(1, 10, 0, "") + `: 1006 1007 1008`},
		{`?limit=%2B1&offset=0x2`, links(1, 10, 0, "") + `: 1006 1007 1008`},
		{`?q=`, links(1, 10, 0, "") + `: 1006 1007 1008`},
		{`?q=+`, links(1, 10, 0, "") + `: 1006 1007 1008`},

		{`?q=Status.Category+eq+Rejected&offset=2&limit=1`, links(2, 1, 0, `&q=Status.Category%20eq%20Rejected`) + `: 1007`},
		{`?limit=1&q=Status.Category%20eq%20Rejected`, links(1, 1, 2, `&q=Status.Category%20eq%20Rejected`) + `: 1006`},
		{`?q=Objects.Name+eq+Plan::View`, links(1, 10, 0, `&q=Objects.Name%20eq%20Plan%3A%3AView`) + `: 1008`},
		{`?q=Objects.Name%20EQ%20Plan%3A%3AView`, links(1, 10, 0, `&q=Objects.Name%20EQ%20Plan%3A%3AView`) + `: 1008`},
		{`?q=Objects.Name+eq+%22Plan+View%22`, links(1, 10, 0, `&q=Objects.Name%20eq%20%22Plan%20View%22`) + `: 1008`},
		{`?q=Process::Instance.Task::Details.Key+eq+1006`, links(1, 10, 0, `&q=Process%3A%3AInstance.Task%3A%3ADetails.Key%20eq%201006`) + `: 1006`},
		{`?q=Objects.Name+eq+Payroll AND Status.Category+eq+Rejected`, links(1, 10, 0, `&q=Objects.Name%20eq%20Payroll%20AND%20Status.Category%20eq%20Rejected`) + `: 1007`},
		{`?q=Objects.Name+sw+P+or+Objects.Name+co+top`, links(1, 10, 0, `&q=Objects.Name%20sw%20P%20or%20Objects.Name%20co%20top`) + `: 1006 1007 1008`},
		{`?q=Nobody.Has.This+ne+x`, links(1, 10, 0, `&q=Nobody.Has.This%20ne%20x`) + `: 1006 1007 1008`},
		{`?q=Nobody.Has.This+eq+x`, links(1, 10, 0, `&q=Nobody.Has.This%20eq%20x`) + `: `},
	} {
		body := mustJSON(t, listed(t, plainList, test.query, threeTasks))
		if test.want == "" {
			if got := body.At("links", "0", "href").Text(); got != "http://mock/api/tasks?Offset=2&offset=1&limit=10" {
				t.Error(got)
			}
			continue
		}
		var all, keys []string
		for _, link := range body.Member("links").Elems() {
			href := strings.TrimPrefix(link.Member("href").Text(), "http://mock/api/tasks?offset=")
			all = append(all, link.Member("rel").Text()+" "+strings.Replace(href, "&limit=", "/", 1))
		}
		for _, key := range body.Member("tasks").Elems() {
			keys = append(keys, key.Text())
		}
		if got := strings.Join(all, ", ") + ": " + strings.Join(keys, " "); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.query, got, test.want)
		}
		if n := body.Member("count").Literal(); n != strconv.Itoa(len(keys)) {
			t.Errorf("%s: count %s", test.query, n)
		}
	}
}

// What an element is told by new, and what is around a list, stays its own.
func TestListInLoop(t *testing.T) {
	got := listed(t, `
$for: list
give:
  key: "{{ key }}"
  mine: "{{ new }}"
  tasks: {$list: tasks, links: [bare], when: {key: {$not: "1007"}}, give: "{{ key }} {{ new }}"}
  again: "{{ key }} {{ new }}"`, `?limit=1`, threeTasks)
	tasks := func(n int) string {
		return fmt.Sprintf(`{"links":[{"rel":"self","href":"http://mock/api/tasks"}],"count":1,"hasMore":true,"totalResult":-1,"tasks":["1006 %d"]}`, n)
	}
	want := `[{"key":0,"mine":"10000","tasks":` + tasks(10001) + `,"again":"0 10000"},{"key":1,"mine":"10002","tasks":` + tasks(10003) + `,"again":"1 10002"}]`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestListFaults(t *testing.T) {
	for _, test := range []struct {
		value string
		in    where
		want  string
	}{
		{`{$list: tasks, give: 1}`, where{}, `1:2: $list gives, and here a value is tested`},
		{`{$list: tasks, give: 1}`, where{gives: true, seeds: true}, `1:1: $list: it reads the request, and there is none yet when records are seeded`},
		{`{$list: tasks}`, where{gives: true}, `1:1: $list: give says what to give for each element, or cases do, and neither is there`},
		{`{$list: "tasks/{id}", give: 1}`, where{gives: true, params: []string{"id"}}, `1:1: as: say what the array is called`},
		{`{$list: "tasks/{id}", as: "{{ id }}", give: 1}`, where{gives: true, params: []string{"id"}}, `1:27: as: a name is no template`},
		{`{$list: tasks, as: count, give: 1}`, where{gives: true}, `1:20: as: count stands beside the array; say what the array is called`},
		{`{$list: body/links, give: 1}`, where{gives: true}, `1:1: as: links stands beside the array; say what the array is called`},
		{`{$list: tasks, as: [a], give: 1}`, where{gives: true}, `1:20: as: want a text, got a list`},
		{`{$list: tasks, links: [], give: 1}`, where{gives: true}, `1:23: links: want a list of bare, self, first, next, got an empty list`},
		{`{$list: tasks, links: self, give: 1}`, where{gives: true}, `1:23: links: want a list of bare, self, first, next, got "self"`},
		{`{$list: tasks, links: [self, self], give: 1}`, where{gives: true}, `1:30: links: self is said twice`},
		{`{$list: tasks, links: [frist], give: 1}`, where{gives: true}, `1:24: links "frist" is none of bare, self, first, next; did you mean "first"?`},
		{`{$list: tasks, give: 1, set: {tasks/a: 1}}`, where{gives: true}, `1:25: $list: only $for has "set": let a $for under set collect what is wanted, and list that`},
		{`{$list: tasks, give: {$regex: a}}`, where{gives: true}, `1:22: $regex tests, and here something is given: it needs an example`},
		{`{$list: tasks, when: {item: {$pairs: item}}, give: 1}`, where{gives: true}, `1:30: $pairs gives, and here a value is tested`},
		{`{$object: body/a, without: "("}`, where{gives: true}, "1:28: without: missing closing ): `(`"},
		{`{$list: item, give: 1}`, where{gives: true}, `1:9: $list: address "item": item is there only in a loop ($for)`},
	} {
		_, err := readValue(test.value, test.in)
		if got := fmt.Sprint(err); got != "f.yaml:"+test.want {
			t.Errorf("%s:\ngot  %s\nwant f.yaml:%s", test.value, got, test.want)
		}
	}
}

func TestListPosAt(t *testing.T) {
	v := mustValue(t, "$list: tasks\nlinks: [self]\ngive:\n  id: 1\n  fields: [{name: 2}]\n", where{gives: true})
	for _, test := range []struct {
		pointer      string
		line, column int
	}{
		{"", 1, 1}, {"/links/0", 1, 1}, {"/count", 1, 1}, {"/tasks", 1, 1}, {"/tasks/0", 4, 3}, {"/tasks/5/id", 4, 7}, {"/tasks/5/none", 4, 3}, {"/tasks/5/fields/0/name", 5, 19},
	} {
		if p := v.PosAt(test.pointer); p.Line != test.line || p.Column != test.column {
			t.Errorf("%s: got %d:%d, want %d:%d", test.pointer, p.Line, p.Column, test.line, test.column)
		}
	}
}

// manyTasks are as many as an object of records may have.
func manyTasks(t testing.TB) Tree {
	t.Helper()
	var b strings.Builder
	for i := range payload.MaxMembers {
		fmt.Fprintf(&b, `,"%d":{"Objects.Name":"App %d","Status.Category":"Rejected","x":0}`, i, i%100)
	}
	tree, err := Tree{}.Set(mustJSON(t, `{`+b.String()[1:]+`}`), "tasks")
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// A page costs what is on it, and little for what is passed over. Counted in
// steps of work and, since most of the time goes there, in allocations.
func TestListWork(t *testing.T) {
	value := mustValue(t, `{$list: tasks, give: {id: "{{ key }}", fields: {$pairs: item}}}`, where{gives: true})
	asking := mustValue(t, `{$list: tasks, when: {item/x: 0}, give: "{{ key }}"}`, where{gives: true})
	for _, test := range []struct {
		v           *Value
		query       string
		count       int
		work, least int // steps
		allocations float64
	}{
		{value, "", 10, 5000, 2000, 100},
		{value, "?offset=9991", 10, 20_000, 10_000, 100},
		{value, "?limit=10000", 10_000, 3_000_000, 2_000_000, 20_000},
		{value, "?q=Objects.Name+eq+App::99", 10, 30_000, 10_000, 200},
		{value, "?q=Objects.Name+eq+App::99&offset=100", 1, 250_000, 100_000, 500},
		{value, "?q=Objects.Name+eq+None", 0, 250_000, 100_000, 100},
		{asking, "", 10, 5000, 2000, 100},
		{asking, "?offset=10001", 0, 250_000, 100_000, 20_000},
	} {
		tree := manyTasks(t) // of which nothing was looked at
		r := NewRequest("GET", "/tasks"+test.query, nil, nil)
		s := &scope{env: Env{Now: noon}, req: r, tree: tree, work: allWork}
		b, _ := test.v.give(s, nil)
		if s.err != nil {
			t.Errorf("%s: %v", test.query, s.err)
			continue
		}
		if !strings.Contains(string(b), fmt.Sprintf(`"count":%d,`, test.count)) {
			t.Errorf("%s: not so many elements: %.200s", test.query, b)
		}
		if spent := allWork - s.work; spent > test.work || spent < test.least {
			t.Errorf("%s: %d steps of work", test.query, spent)
		}
		n := testing.AllocsPerRun(1, func() {
			test.v.give(&scope{env: Env{Now: noon}, req: r, tree: tree, work: allWork}, nil)
		})
		if n > test.allocations {
			t.Errorf("%s: %v allocations", test.query, n)
		}
	}
	made := func(tree Tree) (n int) {
		for _, task := range tree.at([]string{"tasks"}).members() {
			if task.made.Load() != nil {
				n++
			}
		}
		return n
	}
	for _, query := range []string{"", "?offset=9981"} {
		tree := manyTasks(t)
		value.give(&scope{env: Env{Now: noon}, req: NewRequest("GET", "/tasks"+query, nil, nil), tree: tree, work: allWork}, nil)
		if n := made(tree); n != 10 {
			t.Errorf("%q: %d tasks were looked at", query, n)
		}
	}
}

// Lists end, whatever is asked of them.
func TestBudgetOfLists(t *testing.T) {
	tree := manyTasks(t)
	terms := strings.Repeat("fields.a.b.c.d.e+eq+x+or+", 40) + "fields.a.b.c.d.e+eq+x"
	body := `{"a": [` + strings.Repeat(`{"fields": [`+strings.Repeat(`{"name": "y", "value": 1},`, 50)+`1]},`, 400) + `1]}`
	for _, test := range []struct{ name, value, query, body string }{
		{"lists in a list", `{$list: tasks, give: {$list: tasks, give: 1}}`, "?limit=10000", ``},
		{"what each asks", `{$list: tasks, when: {tasks: {$values: {x: 0}}}, give: 1}`, "?limit=10000", ``},
		{"many terms, many fields", `{$for: body/a, give: {$list: body/a, give: 1}}`, "?q=" + terms, body},
		{"long elements", `{$list: tasks, give: "` + strings.Repeat("{{ url }}", 6000) + `"}`, "?limit=10000", ``},
		{"a long query", `{$for: tasks, give: {$list: none, give: 1}}`, "?a=" + strings.Repeat("%20", 20_000), ``},
	} {
		v := mustValue(t, test.value, where{gives: true})
		s := &scope{env: Env{Now: noon, URL: "http://mock"}, req: NewRequest("GET", "/"+test.query, nil, []byte(test.body)), tree: tree, work: allWork}
		b, ok := v.give(s, nil)
		if ok || s.err == nil {
			t.Errorf("%s: gives %d bytes, and %d steps are left", test.name, len(b), s.work)
		}
	}
}
