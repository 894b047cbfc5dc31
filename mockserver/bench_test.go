package mockserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
)

const tasksPath = "/iam/governance/selfservice/api/v1/provtasks/"

// An interactionText writes interaction n of a generated set.
type interactionText func(b *bytes.Buffer, n int)

// byBody tells interactions apart by a member of the body, on one path.
func byBody(b *bytes.Buffer, n int) {
	fmt.Fprintf(b, `  - name: provisioning task %d of the generated set is updated, and answers as printed
    request:
      method: PUT
      path: %s{taskid}
      body: {id: "%d", requestId: {$like: "10001"}}
    response: {status: 200, body: {links: [{rel: self, href: http://pseudo.com%s%d}], id: "%d", status: OK, assignee: System Administrator}}
`, n, tasksPath, n, tasksPath, n, n)
}

// byParam tells interactions apart by a parameter of the path.
func byParam(b *bytes.Buffer, n int) {
	fmt.Fprintf(b, `  - name: provisioning task %d of the generated set is updated, and answers as printed
    request:
      method: PUT
      path: %s{taskid}
      params: {taskid: "%d"}
    response: {status: 200, body: {links: [{rel: self, href: http://pseudo.com%s%d}], id: "%d", status: OK, assignee: System Administrator}}
`, n, tasksPath, n, tasksPath, n, n)
}

// generated is n interactions in files of at most so many bytes each.
func generated(write interactionText, n, most int) fstest.MapFS {
	fsys := fstest.MapFS{}
	const head = "scenario: Generated tasks\nsource: assumed\ninteractions:\n"
	var b, one bytes.Buffer
	flush := func() {
		if b.Len() > 0 {
			fsys[fmt.Sprintf("f%05d.yaml", len(fsys))] = &fstest.MapFile{Data: bytes.Clone(b.Bytes())}
			b.Reset()
		}
	}
	for i := range n {
		one.Reset()
		write(&one, i)
		if b.Len() == 0 || b.Len()+one.Len() > most {
			flush()
			b.WriteString(head)
		}
		b.Write(one.Bytes())
	}
	flush()
	return fsys
}

// mostInFile keeps generated files below the limit of values in a file, too.
const mostInFile = 1 << 20

func oigContract(tb testing.TB) *schemas.Contract {
	tb.Helper()
	c, err := schemas.OIG("11.1.2.3")
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// benchSets are built once, however often a benchmark is started anew.
var benchSets sync.Map

func benchCatalog(b *testing.B, kind string, write interactionText, n int) *catalog {
	build := func() any {
		list, err := scenarios.Load(generated(write, n, mostInFile), "bench")
		if err != nil {
			b.Fatal(err)
		}
		return newCatalog(oigContract(b), list, "11.1.2.3", time.Now(), nil)
	}
	once, _ := benchSets.LoadOrStore(fmt.Sprint(kind, n), sync.OnceValue(build))
	return once.(func() any)().(*catalog)
}

func taskRequest(path, id string) *scenarios.Request {
	body := `{"id":"` + id + `","requestId":"10001","fields":[{"name":"Process Instance.Task Details.Note","value":"Updated value of Note-Sonia4"},{"name":"Process Instance.Task Details.Projected End","value":"2016-02-21"}]}`
	return scenarios.NewRequest("PUT", tasksPath+path, http.Header{
		"Content-Type":  {"application/json"},
		"Authorization": {"Basic dXNlcm5hbWU6cGFzc3dvcmQ="},
	}, []byte(body))
}

// BenchmarkDecide asks for interactions on one operation that differ in a
// member of the body or in a parameter of the path. Up to 64 requests, spread
// over the whole set, are asked in turn.
func BenchmarkDecide(b *testing.B) {
	now := time.Date(2030, 5, 11, 0, 0, 0, 0, time.UTC)
	for _, kind := range []struct {
		name  string
		write interactionText
		ask   func(id string) *scenarios.Request
	}{
		{"body", byBody, func(id string) *scenarios.Request { return taskRequest("5126", id) }},
		{"param", byParam, func(id string) *scenarios.Request { return taskRequest(id, id) }},
	} {
		for _, n := range []int{1, 1000, 100_000} {
			for _, way := range []string{"hit", "miss"} {
				b.Run(fmt.Sprintf("%s/n=%d/%s", kind.name, n, way), func(b *testing.B) {
					c := benchCatalog(b, kind.name, kind.write, n)
					t := c.route(tasksPath + "1").tables["PUT"]
					var asked []*scenarios.Request
					for i := range 64 {
						id := i * n / 64
						if way == "miss" {
							id = 9_000_000 + i
						}
						asked = append(asked, kind.ask(fmt.Sprint(id)))
					}
					var trial scenarios.Trial
					b.ReportAllocs()
					i := 0
					for b.Loop() {
						r := *asked[i&63] // screened, as check leaves it, and nothing else
						q := question{table: t, request: &r, env: scenarios.Env{Now: now, URL: "http://localhost:8080", User: "username"}}
						i++
						d := decide(&trial, &q)
						if (d.outcome == Answered) != (way == "hit") {
							b.Fatal(d.outcome)
						}
					}
				})
			}
		}
	}
}

// BenchmarkDecode is what the decoding of a body into a tree and its schema
// check cost together: a hit is to allocate less.
func BenchmarkDecode(b *testing.B) {
	op := oigContract(b).Operation("PUT", tasksPath+"{taskid}")
	body := taskRequest("5126", "5126").Body
	b.ReportAllocs()
	for b.Loop() {
		var tree any
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		if err := d.Decode(&tree); err != nil {
			b.Fatal(err)
		}
		r := scenarios.Request{Body: body}
		if bad := op.CheckRequest(r.JSON()); len(bad) > 0 {
			b.Fatal(bad)
		}
	}
}

// taskHTTP is a request as net/http hands it over.
func taskHTTP(header http.Header, body []byte) *http.Request {
	return &http.Request{
		Method: "PUT", URL: &url.URL{Path: tasksPath + "5126"}, Host: "localhost:8080", Header: header,
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
	}
}

// sentBody is the body of a request that is sent again and again.
type sentBody struct{ bytes.Reader }

func (*sentBody) Close() error { return nil }

// quiet takes a response and forgets it.
type quiet struct {
	header http.Header
	status int
	n      int
}

func (q *quiet) Header() http.Header { return q.header }
func (q *quiet) WriteHeader(s int)   { q.status = s }
func (q *quiet) Write(b []byte) (int, error) {
	q.n += len(b)
	return len(b), nil
}

func (q *quiet) SetReadDeadline(time.Time) error  { return nil }
func (q *quiet) SetWriteDeadline(time.Time) error { return nil }

// BenchmarkServe is the whole road in process: mux, reading, screening, the
// schema check, the decision among the library, the journal, the answer.
func BenchmarkServe(b *testing.B) {
	list, err := scenarios.OIG("11.1.2.3")
	if err != nil {
		b.Fatal(err)
	}
	list = append(scenariosOf(b, "mine", map[string]string{"task.yaml": statelessTask}), list...)
	s, err := New(Config{Contract: oigContract(b), Scenarios: list, Release: "11.1.2.3"})
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name, path, body string
		status           int
	}{
		{"hit", "5126", string(taskRequest("5126", "5126").Body), 200},
		{"templated", "5127", string(taskRequest("5127", "5127").Body), 404},
		{"invalid", "5126", `{"id":5126}`, 400},
		{"miss", "5126", string(taskRequest("5126", "5127").Body), 501},
	} {
		b.Run(c.name, func(b *testing.B) {
			body := []byte(c.body)
			// What net/http makes for each request is made once here, so that
			// what is counted is ours.
			r := taskHTTP(http.Header{"Content-Type": {"application/json"}, "Authorization": {"Basic dXNlcm5hbWU6cGFzc3dvcmQ="}}, nil)
			r.URL.Path = tasksPath + c.path
			sent := &sentBody{}
			r.ContentLength, r.Body = int64(len(body)), sent
			w := quiet{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				sent.Reset(body)
				clear(w.header)
				s.ServeHTTP(&w, r)
				if w.status != c.status {
					b.Fatal(w.status)
				}
			}
		})
	}
}

// counting is an interaction that asks a record and changes it each time.
const counting = `scenario: Tasks are counted
source: assumed
records: {tasks: {"5126": {Status.Category: Rejected, last: "0"}}}
interactions:
  - name: one more
    request:
      method: PUT
      path: /iam/governance/selfservice/api/v1/provtasks/{taskid}
      body: {id: "5126"}
    when:
      tasks/{taskid}: {Status.Category: Rejected}
    set:
      tasks/{taskid}: {last: "{{ new }}"}
    response: {status: 200, body: {id: "{{ taskid }}", status: OK}}
`

// BenchmarkState is the whole road of a request that asks no record, and of one
// that asks and changes one, from one client and from 64 at once.
func BenchmarkState(b *testing.B) {
	list, err := scenarios.OIG("11.1.2.3")
	if err != nil {
		b.Fatal(err)
	}
	own, err := scenarios.Parse("count.yaml", []byte(counting))
	if err != nil {
		b.Fatal(err)
	}
	body := taskRequest("5126", "5126").Body
	header := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Basic dXNlcm5hbWU6cGFzc3dvcmQ="}}
	for _, kind := range []struct {
		name string
		list []*scenarios.Scenario
	}{
		{"stateless", append(scenariosOf(b, "mine", map[string]string{"task.yaml": statelessTask}), list...)},
		{"stateful", append(own, list...)},
	} {
		s, err := New(Config{Contract: oigContract(b), Scenarios: kind.list, Release: "11.1.2.3"})
		if err != nil {
			b.Fatal(firstLines(err))
		}
		one := func(w *quiet, r *http.Request, sent *sentBody) {
			sent.Reset(body)
			clear(w.header)
			if s.ServeHTTP(w, r); w.status != 200 {
				b.Error(w.status)
			}
		}
		client := func() (*quiet, *http.Request, *sentBody) {
			sent := &sentBody{}
			r := taskHTTP(header, nil)
			r.ContentLength, r.Body = int64(len(body)), sent
			return &quiet{header: http.Header{}}, r, sent
		}
		b.Run(kind.name, func(b *testing.B) {
			w, r, sent := client()
			b.ReportAllocs()
			for b.Loop() {
				one(w, r, sent)
			}
		})
		b.Run(kind.name+"/64 clients", func(b *testing.B) {
			b.SetParallelism(64 / runtime.GOMAXPROCS(0))
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				w, r, sent := client()
				for pb.Next() {
					one(w, r, sent)
				}
			})
		})
	}
}

// BenchmarkExplain is the near misses of one miss, which look at 32
// candidates at most.
func BenchmarkExplain(b *testing.B) {
	for _, n := range []int{1, 1000, 100_000} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			c := benchCatalog(b, "body", byBody, n)
			q := question{table: c.route(tasksPath + "1").tables["PUT"], request: taskRequest("5126", "9000000")}
			trial := scenarios.NewTrial(q.request, q.env)
			b.ReportAllocs()
			for b.Loop() {
				trial.Begin(q.request, q.env)
				if len(near(trial, &q)) == 0 {
					b.Fatal("no near miss")
				}
			}
		})
	}
}

// BenchmarkLoad is parsing, indexing and checking, as serve does at its start.
func BenchmarkLoad(b *testing.B) {
	for _, c := range []struct {
		name    string
		n, most int
	}{
		{"n=10000/file each", 10_000, 1},
		{"n=10000/files of 1 MiB", 10_000, mostInFile},
		{"n=100000/files of 1 MiB", 100_000, mostInFile},
	} {
		fsys := generated(byParam, c.n, c.most)
		for _, step := range []string{"parse", "all"} {
			b.Run(c.name+"/"+step, func(b *testing.B) {
				contract := oigContract(b)
				for b.Loop() {
					list, err := scenarios.Load(fsys, "bench")
					if err != nil {
						b.Fatal(err)
					}
					if step == "parse" {
						continue
					}
					if _, err := New(Config{Contract: contract, Scenarios: list, Release: "11.1.2.3"}); err != nil {
						b.Fatal(firstLines(err))
					}
				}
			})
		}
	}
}

func firstLines(err error) string {
	text := fmt.Sprint(err)
	return text[:min(len(text), 2000)]
}
