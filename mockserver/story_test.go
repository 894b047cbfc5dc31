package mockserver

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what is got into testdata as what is wanted")

// An archive in testdata holds scenario files (scenarios/…), schemas, if it
// has some of its own (schemas/…; the embedded ones else), then requests, each
// with the wanted answer behind it (1.request, 1.answer, …) and the journal.
func TestStories(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("no stories: ", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) { story(t, name) })
	}
}

func story(t *testing.T, name string) {
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	cfg := configOf(t, a)
	mock := newServer(t, cfg)
	s := httptest.NewServer(mock)
	defer s.Close()
	s.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	neutral := func(text string) string {
		return strings.ReplaceAll(text, strings.TrimPrefix(s.URL, "http://"), "mock")
	}
	got := map[string]string{}
	for _, f := range a.Files {
		n, ok := strings.CutSuffix(f.Name, ".request")
		if !ok {
			continue
		}
		r := call(f.Data).request(t)
		r.URL.Scheme, r.URL.Host, r.Host, r.RequestURI = "http", strings.TrimPrefix(s.URL, "http://"), "", ""
		r.Header["User-Agent"] = nil
		if r.Header.Get("Accept-Encoding") == "" {
			r.Header["Accept-Encoding"] = nil
		}
		res, err := s.Client().Transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		got[n+".answer"] = neutral(answerText(res, body))
	}
	var b strings.Builder
	entries, evicted := mock.home.Journal(0)
	for _, e := range entries {
		fmt.Fprintf(&b, "%d %s %s: %s %d", e.Seq, e.Exchange.Request.Method, e.Exchange.Request.Path, e.Outcome, e.Exchange.Response.Status)
		if e.Operation != "" {
			fmt.Fprintf(&b, "\n  operation %s", e.Operation)
		}
		if e.Scenario != "" {
			fmt.Fprintf(&b, "\n  %q in %s", e.Interaction, e.Scenario)
		}
		for _, v := range e.Violations {
			fmt.Fprintf(&b, "\n  %s", v)
		}
		for _, m := range e.NearMisses {
			fmt.Fprintf(&b, "\n  near: %q in %s", m.Interaction, m.Scenario)
		}
		b.WriteByte('\n')
	}
	if evicted != 0 {
		t.Errorf("%d entries were evicted", evicted)
	}
	got["journal"] = b.String()
	compare(t, name, a, got)
}

// configOf reads the scenarios and schemas of an archive. Those below
// scenarios/ are one source; NAME.source/ is another, tried before those. Without
// schemas/ the contract is the small one of testdata, which no operation joins.
func configOf(t *testing.T, a *txtar.Archive) Config {
	t.Helper()
	sources := map[string]fstest.MapFS{}
	own := fstest.MapFS{}
	for _, f := range a.Files {
		dir, name, _ := strings.Cut(f.Name, "/")
		switch {
		case dir == "schemas":
			own[name] = &fstest.MapFile{Data: f.Data}
		case dir == "scenarios" || strings.HasSuffix(dir, ".source"):
			if sources[dir] == nil {
				sources[dir] = fstest.MapFS{}
			}
			sources[dir][name] = &fstest.MapFile{Data: f.Data}
		}
	}
	cfg := Config{Now: atNoon, Release: "11.1.2.3"}
	var err error
	if len(own) > 0 {
		cfg.Contract, err = schemas.Load(own, "schemas", cfg.Release)
	} else {
		cfg.Contract, err = schemas.Load(os.DirFS("testdata/contract"), "schemas", cfg.Release)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range slices.Sorted(maps.Keys(sources)) {
		list, err := scenarios.Load(sources[dir], dir)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Scenarios = append(cfg.Scenarios, list...)
	}
	return cfg
}

func answerText(res *http.Response, body []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", res.Status)
	for _, name := range slices.Sorted(maps.Keys(res.Header)) {
		if name == "Date" || name == "Content-Length" { // of these net/http takes care
			continue
		}
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(res.Header[name], " | "))
	}
	if len(body) > 0 {
		fmt.Fprintf(&b, "\n%s\n", bytes.TrimSuffix(body, []byte("\n")))
	}
	return b.String()
}

// compare holds what is got against the files of an archive, or writes it
// into them: behind the request, or at the end.
func compare(t *testing.T, name string, a *txtar.Archive, got map[string]string) {
	t.Helper()
	if !*update {
		for _, f := range a.Files {
			if text, ok := got[f.Name]; ok && text != string(f.Data) {
				t.Errorf("%s: got\n%s\nwant\n%s", f.Name, text, f.Data)
			}
			delete(got, f.Name)
		}
		for missing := range got {
			t.Errorf("%s is missing; run the test with -update, and read it", missing)
		}
		return
	}
	var files []txtar.File
	stale := maps.Clone(got)
	for _, f := range a.Files {
		if _, ok := stale[f.Name]; ok {
			continue
		}
		files = append(files, f)
		if n, ok := strings.CutSuffix(f.Name, ".request"); ok {
			files = append(files, txtar.File{Name: n + ".answer", Data: []byte(got[n+".answer"])})
			delete(got, n+".answer")
		}
	}
	for _, rest := range slices.Sorted(maps.Keys(got)) {
		files = append(files, txtar.File{Name: rest, Data: []byte(got[rest])})
	}
	a.Files = files
	if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
		t.Fatal(err)
	}
}
