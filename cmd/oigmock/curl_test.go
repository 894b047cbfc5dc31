package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/oigmock/oigmock/mockserver"
)

// The call to try is one that is answered, and one that a shell reads as it
// is meant.
func TestCurlLine(t *testing.T) {
	const head = "scenario: One\nsource: assumed\ninteractions:\n"
	const base = "http://127.0.0.1:8080"
	for _, test := range []struct{ name, file, login, want string }{
		{
			"a body that the scenario asks for",
			`  - {name: a, request: {method: POST, path: /x, body: {say: "it's"}}, response: {status: 200}}`, "",
			`curl -u somebody:secret -H 'Content-Type: application/json' -d '{"say":"it'\''s"}' http://127.0.0.1:8080/x`,
		},
		{
			"a query and a header and a password that is not printed",
			`  - {name: a, request: {method: GET, path: "/x/{id}", query: {a: "1 2", b: "&"}, header: {X-A: b c}}, response: {status: 200}}`, "jane:s3cr3t",
			`curl -u jane -H 'X-A: b c' 'http://127.0.0.1:8080/x/1?a=1+2&b=%26'`,
		},
		{
			"the first that succeeds",
			"  - {name: a, request: {method: GET, path: /a}, response: {status: 404}}\n" +
				"  - {name: b, request: {method: DELETE, path: /b, user: {$absent: true}}, response: {status: 204}}", "",
			`curl -X DELETE http://127.0.0.1:8080/b`,
		},
		{
			"without one that succeeds the first that is answered",
			"  - {name: a, request: {method: GET, path: /a, user: boss}, response: {status: 200}}\n" +
				"  - {name: b, request: {method: HEAD, path: /b}, response: {status: 404}}", "jane:s3cr3t",
			`curl -I -u jane http://127.0.0.1:8080/b`,
		},
		{
			"a body that only the contract asks for",
			`  - {name: a, request: {method: PUT, path: "/iam/governance/selfservice/api/v1/provtasks/5126", payload: any}, response: {status: 200, body: {links: [], id: "5126", status: OK, assignee: me}}}`, "",
			`curl -X PUT -u somebody:secret -H 'Content-Type: application/json' -d '{}' http://127.0.0.1:8080/iam/governance/selfservice/api/v1/provtasks/5126`,
		},
		{
			"one that answers when a session begins by a name that is seeded",
			"  - {name: a, request: {method: GET, path: \"/a/{id}\"}, when: {\"tasks/{id}\": {state: Done}}, response: {status: 200}}\n" +
				"  - {name: b, request: {method: PUT, path: \"/b/{id}\"}, when: {\"tasks/{id}\": {state: Rejected}}, set: {\"tasks/{id}\": {state: Done}}, response: {status: 200}}\n" +
				"records: {tasks: {\"5\": {state: Pending}, \"6\": {state: Rejected}}}\n", "",
			`curl -X PUT -u somebody:secret http://127.0.0.1:8080/b/6`,
		},
		{
			"none that sleeps",
			"  - {name: a, request: {method: GET, path: /a}, response: {status: 200}}\n" +
				"given: it is late\n---\n" + head +
				"  - {name: b, request: {method: GET, path: /b}, response: {status: 404}}\n", "",
			`curl -u somebody:secret http://127.0.0.1:8080/b`,
		},
		{
			"nothing but what adds to answers",
			`  - {name: a, request: {path: /x}, adds: {header: {X-A: b}}}`, "", "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "one.yaml"), []byte(head+test.file+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			s, err := (&setFlags{release: "11.1.2.3", schemas: library, scenarios: dir}).set()
			if err != nil {
				t.Fatal(err)
			}
			l := s.load()
			if faults := l.faults(); len(faults) > 0 {
				t.Fatalf("faults: %q", faults)
			}
			cfg := s.config(l)
			cfg.User = test.login
			srv, err := mockserver.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if got := (curl{base: base, login: test.login}).line(srv, s, l); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestParseTarget(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"/a/b?c=d", "http://localhost:8080/a/b?c=d"},
		{"/a%2Fb/c#part", "http://localhost:8080/a%2Fb/c"},
		{"//a", "http://localhost:8080//a"},
		{"https://oig/a", "https://oig/a"},
		{"http://oig:7777", "http://oig:7777/"},
		{"localhost/a", "http://localhost/a"},
		{"oig.example.com", "http://oig.example.com/"},
		{"127.0.0.1:8080/a", "http://127.0.0.1:8080/a"},
		{"", ""},
		{"users", ""},
		{"/%zz", ""},
		{"ftp://oig/a", ""},
		{"http://", ""},
	} {
		u, err := parseTarget(test.text)
		switch {
		case err == nil && u.String() != test.want:
			t.Errorf("parseTarget(%q) = %s, want %q", test.text, u, test.want)
		case err != nil && test.want != "":
			t.Errorf("parseTarget(%q): %v", test.text, err)
		}
	}
}
