package scenarios

import (
	"bytes"
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"net/http"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/oigmock/oigmock/schemas/payload"
	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"
)

// composed is a scenario written from what it means.
func composed(t testing.TB, s *Scenario) []byte {
	t.Helper()
	b, err := s.compose()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// meaning tells what was read, but for where it stood.
func meaning(v any) string {
	var b strings.Builder
	tell(&b, reflect.ValueOf(v))
	return b.String()
}

func tell(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		if v.Type() == reflect.TypeFor[*regexp.Regexp]() {
			b.WriteString("regexp")
			return
		}
		if v.Type() == reflect.TypeFor[*payload.DateFormat]() {
			b.WriteString("format")
			return
		}
		if v.Kind() == reflect.Interface {
			b.WriteString(v.Elem().Type().String())
		}
		tell(b, v.Elem())
	case reflect.Struct:
		b.WriteByte('{')
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.Type == reflect.TypeFor[token.Position]() || f.Type == reflect.TypeFor[*Scenario]() {
				continue
			}
			b.WriteString(f.Name + ":")
			tell(b, v.Field(i))
			b.WriteByte(' ')
		}
		b.WriteByte('}')
	case reflect.Slice, reflect.Array:
		b.WriteByte('[')
		for i := range v.Len() {
			tell(b, v.Index(i))
			b.WriteByte(' ')
		}
		b.WriteByte(']')
	default:
		fmt.Fprintf(b, "%#v", v)
	}
}

// toldOf is what a scenario says. Which rooms it names is a set: composed, what
// stands first may come later.
func toldOf(s *Scenario) string {
	rooms := map[string]bool{}
	for _, r := range s.rooms {
		rooms[r.Name] = true
	}
	return meaning([]any{s.Given, s.Records, s.Interactions, keysOf(rooms)})
}

// roundTrip writes a scenario in both ways and reads it again.
func roundTrip(t *testing.T, s *Scenario) {
	t.Helper()
	var text bytes.Buffer
	if _, err := s.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	want := toldOf(s)
	for how, b := range map[string][]byte{"as it stands": text.Bytes(), "from what it means": composed(t, s)} {
		again, err := Parse("f.yaml", b)
		if err != nil || len(again) != 1 {
			t.Fatalf("%s: %d scenarios, %v\n%q", how, len(again), err, b)
		}
		a := again[0]
		if a.Title != s.Title || a.Source != s.Source || a.From != s.From || fmt.Sprint(a.Releases) != fmt.Sprint(s.Releases) {
			t.Errorf("%s: %q is %q now", how, s.Title, a.Title)
		}
		if got := toldOf(a); got != want {
			t.Errorf("%s:\n%q\ngot  %s\nwant %s", how, b, got, want)
		}
		if how == "as it stands" {
			var same bytes.Buffer
			if _, err := a.WriteTo(&same); err != nil || !bytes.Equal(same.Bytes(), b) {
				t.Errorf("written again it differs: %v\n%q\n%q", err, b, same.Bytes())
			}
		} else if same := composed(t, a); !bytes.Equal(same, b) {
			t.Errorf("composed again it differs:\n%q\n%q", b, same)
		}
	}
}

// seeds calls add with files that hold all of the language.
func seeds(f testing.TB, add func(src []byte)) {
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			src, _ := files.ReadFile(name)
			add(src)
		}
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
	for _, pattern := range []string{"testdata/*.txtar", "testdata/faults/*.txtar"} {
		archives, _ := filepath.Glob(pattern)
		for _, name := range archives {
			a, err := txtar.ParseFile(name)
			if err != nil {
				f.Fatal(err)
			}
			for _, file := range a.Files {
				if strings.HasSuffix(file.Name, ".yaml") {
					add(file.Data)
				}
			}
		}
	}
	for _, text := range sampleRequests {
		add([]byte("scenario: a\nsource: assumed\ninteractions:\n- name: one\n  " + text + "\n  response: {status: 200}\n"))
	}
}

// TestWriteTo writes all files there are, and reads them again.
func TestWriteTo(t *testing.T) {
	n := 0
	seeds(t, func(src []byte) {
		all, err := Parse("f.yaml", src)
		if err != nil {
			return
		}
		for _, s := range all {
			roundTrip(t, s)
			n++
		}
	})
	if n < 40 {
		t.Errorf("only %d scenarios", n)
	}
	for _, src := range []string{
		"# of the file\n---\n# of the first\nscenario: a\nsource: assumed\ninteractions: [{name: a, request: {}, response: {status: 200}}]\n--- # of the second\nscenario: b\nsource: assumed\ninteractions: [{name: b, request: {}, response: {status: 200, text: \"a\\n---\\nb\"}}]\n...\n# behind\n",
		"scenario: a\r\nsource: assumed\r\ninteractions: [{name: a, request: {}, response: {status: 200, text: 'a\r\n\r\n  b'}}]\r\n---\r\n--- {scenario: b, source: assumed, interactions: [{name: b, request: {}, response: {status: 200}}]}",
		"\uFEFF%YAML 1.1\n---\nscenario: a\nsource: assumed\ninteractions:\n- name: a\n  request: {}\n  response:\n    status: 200\n    text: |+\n      ---\n\n      b\n\n",
	} {
		all, err := Parse("f.yaml", []byte(src))
		if err != nil {
			t.Errorf("%v\n%s", err, src)
			continue
		}
		for _, s := range all {
			roundTrip(t, s)
		}
	}
}

// FuzzParse looks for panics, for faults outside the file, and for what means
// something else when it is written and read again.
func FuzzParse(f *testing.F) {
	seeds(f, func(src []byte) { f.Add(src) })
	f.Fuzz(func(t *testing.T, src []byte) {
		all, err := Parse("f.yaml", src)
		if err == nil {
			for _, s := range all {
				roundTrip(t, s)
			}
			return
		}
		faults, ok := err.(scanner.ErrorList)
		if !ok || len(faults) == 0 || all != nil {
			t.Fatalf("no list: %v", err)
		}
		lines := strings.Split(strings.TrimPrefix(string(src), "\uFEFF"), "\n")
		for _, fault := range faults {
			at := fault.Pos
			if at.Line < 1 || at.Line > len(lines) || at.Column < 1 || at.Column > len([]rune(lines[at.Line-1]))+1 {
				t.Errorf("outside the file: %v\n%q", fault, src)
			}
			if len(fault.Msg) > 2000 || fault.Msg == "" {
				t.Errorf("a fault of %d bytes: %v", len(fault.Msg), fault)
			}
		}
	})
}

// fuzzValue reads a VALUE; nil where it is none.
func fuzzValue(text string, in where) *Value {
	dec := yaml.NewDecoder(strings.NewReader(text))
	var doc yaml.Node
	if decode(dec, &doc) != nil || len(doc.Content) != 1 {
		return nil
	}
	p := &parser{shown: "f.yaml"}
	p.screen(doc.Content[0], 1)
	if len(p.faults) > 0 {
		return nil
	}
	v := p.value(doc.Content[0], in)
	if len(p.faults) > 0 {
		return nil
	}
	return v
}

// FuzzMatch matches any VALUE with any JSON: in a hurry and in words it comes
// to the same, and an index agrees.
func FuzzMatch(f *testing.F) {
	for _, value := range []string{
		`{a: 1, b: [x, {c: null}]}`, `{$like: {a: 1}}`, `{$any: 1}`, `{$regex: "^a+$", example: a}`, `{$anycase: a}`, `{$number: 5, min: 1, max: 9, integer: true}`,
		`{$date: dd-MMM-yy, after: now, until: now + 50d}`, `{$date: epoch}`, `{$oneOf: [1, {$absent: true}]}`, `{$allOf: [{a: 1}, {b: 2}]}`, `{$not: {a: 1}}`,
		`{$each: {a: {$like: 1}}, min: 1, max: 3}`, `{$contains: [1, {$like: 2}, 1]}`, `{$values: {$like: 1}, keys: {$regex: a}}`, `{$exactly: {a: [{$contains: [1]}]}}`,
		`{$literal: {$like: "{{"}}`, `{a: "{{ body/b }}", c: "x{{ body/b | upper | default y }}"}`, `"{{ body/{body/a}/b | number }}"`, `{a/b: {"~": {"": 1}}, "0": [[3]]}`,
	} {
		for _, body := range []string{`{"a": 1, "b": ["x", {"c": null}]}`, `[1, 2.0, 10e-1]`, `"11-May-16"`, `{"a/b": {"~": {"": 1}}, "0": [[3]]}`} {
			f.Add(value, body)
		}
	}
	f.Fuzz(func(t *testing.T, value, body string) {
		v := fuzzValue(value, where{})
		if v == nil {
			return
		}
		i := &Interaction{Request: RequestMatcher{Body: v}}
		r := NewRequest("PUT", "/", nil, []byte(body))
		env := Env{Now: noon, User: "ann"}
		misses := i.Match(r, env)
		quick := NewTrial(r, env)
		if quick.Accepts(i) != (len(misses) == 0) {
			t.Errorf("in a hurry it says otherwise: %v", misses)
		}
		if _, _, n := NewTrial(r, env).Distance(i); n < len(misses) || (n == 0) != (len(misses) == 0) {
			t.Errorf("%d mismatches are counted, %d told", n, len(misses))
		}
		for _, m := range misses {
			if m.At == "" || m.Want == "" || m.Got == "" || m.Pos.Line < 1 {
				t.Errorf("a mismatch without words: %#v", m)
			}
		}
		if len(misses) == 0 {
			agree(t, i, r, "ann")
		}
		if ex, err := i.Request.Example("PUT", env); err == nil {
			if misses := i.Match(ex.Request, env); len(misses) > 0 {
				t.Errorf("the example does not match: %v\n%s", misses, ex.Request.Body)
			}
			agree(t, i, ex.Request, "ann")
		}
	})
}

// FuzzTemplate reads and renders any text.
func FuzzTemplate(f *testing.F) {
	for _, text := range []string{
		"{{ body/a }}", "a {{ taskid | upper }} b", "{{ body/a~1b/{query/q}/{ item } | default x }}", "{{ now + 50d | date M/d/yy }}", "{{ key }}{{ self }}{{url}}", "{{ header/X-A | escape | uuid | hex }}",
		"{{ body/a | date iso | number | text | lower }}", "}} {{ user }} {", "{{ now | date epoch }}",
	} {
		f.Add(text, `{"a": "11-May-16", "a/b": {"x": [1]}}`)
	}
	f.Fuzz(func(t *testing.T, text, body string) {
		in := where{params: []string{"taskid"}, loop: true, gives: true}
		tpl, err := parseTemplate(text, in)
		if err != nil {
			if len(err.Error()) > 2000 {
				t.Errorf("a fault of %d bytes", len(err.Error()))
			}
			return
		}
		s := &scope{env: Env{Now: noon}, req: NewRequest("PUT", "/28?q=x&item=y", http.Header{"X-A": {"b"}}, []byte(body)), work: allWork, named: in.params}
		s.params[0], s.item, s.key = "28", payload.Text("i"), payload.Text("k")
		v := &Value{kind: tpl}
		b, ok := v.give(s, nil)
		if s.err == nil && ok {
			if _, err := payload.Scan(b); err != nil && len(b) < 1<<20 {
				t.Errorf("%q gives what is no JSON: %v\n%s", text, err, b)
			}
		}
		for _, p := range tpl.parts {
			if p.at != nil {
				again, err := parseAddress(p.at.text, in)
				if err != nil || meaning(again) != meaning(*p.at) {
					t.Errorf("the address %q reads as another: %v", p.at.text, err)
				}
			}
		}
	})
}

// FuzzPath: a pattern meets itself, the path of its example is its own, and
// two that do not meet have no path in common.
func FuzzPath(f *testing.F) {
	for _, pattern := range []string{"/", "/a/{id}/c", "/a/{rest...}", "/%61%2Fb/{x}", "/a//b", "/{a}/{b...}"} {
		f.Add(pattern, "/a/{id}", "/a/b%20c/c")
	}
	f.Fuzz(func(t *testing.T, one, two, path string) {
		p, err := ParsePath(one)
		if err != nil {
			if len(err.Error()) > 2000 {
				t.Errorf("a fault of %d bytes", len(err.Error()))
			}
			return
		}
		if !p.Meets(p) || p.String() != one {
			t.Errorf("%s does not meet itself", one)
		}
		m := &RequestMatcher{Path: p}
		ex, err := m.Example("GET", Env{})
		if err != nil {
			t.Fatalf("%s: %v", one, err)
		}
		if !p.Match(ex.Request.Path) {
			t.Errorf("%s does not match %s", one, ex.Request.Path)
		}
		agree(t, &Interaction{Request: *m}, ex.Request, "")
		q, err := ParsePath(two)
		if err != nil {
			return
		}
		if p.Meets(q) != q.Meets(p) {
			t.Errorf("%s and %s meet one way only", one, two)
		}
		if p.Covers(q) && q.Match(path) && !p.Match(path) {
			t.Errorf("%q is one of %q and not of %q, which covers it", path, two, one)
		}
		if p.Match(path) && q.Match(path) && !p.Meets(q) {
			t.Errorf("%s and %s meet at %s", one, two, path)
		}
	})
}

// FuzzRequest asks all rooms of any request.
func FuzzRequest(f *testing.F) {
	f.Add("PUT", "/a/%2F/%zz?a=b;c&d=%20+e&a", "application/json; charset=utf-8", `a="b"; c; =d`, `{"a": [1]}`)
	f.Add("POST", "//a?", "application/x-www-form-urlencoded", "a=b", "a=b&c=%zz&&=d&a=;")
	f.Add("GET", "", "a/b;c", "", `{"a": 1, "a": 2}`)
	f.Add("OPTIONS", "*", "\xff", "\x00=\x00", "\xff")
	i := &Interaction{}
	for _, text := range []string{"{$exactly: {a: b}}", "{$values: {$like: a}}", "{a: b, \"\": c, X-A: {$not: d}, Content-Type: {$regex: a}}"} {
		v := fuzzValue(text, where{wire: true})
		i.Request = RequestMatcher{Query: v, Header: v, Cookie: v, Form: v, Text: v, Body: v}
	}
	f.Fuzz(func(t *testing.T, method, target, media, cookie, body string) {
		h := http.Header{"Content-Type": {media}, "Cookie": {cookie, "a=b"}, "X-A": {}, "": {"x"}}
		r := NewRequest(method, target, h, []byte(body))
		if (r.JSON().Kind() == payload.Absent) != (r.BodyFault() != nil || body == "") {
			t.Error("a body that is neither JSON nor at fault")
		}
		if len(r.Segments()) == 0 {
			t.Error("a path without segments")
		}
		for _, room := range []string{"query", "form", "header", "cookie"} {
			for _, name := range r.namesIn(room) {
				all := r.texts(room, name)
				if text, n := r.text(room, name); n != len(all) || n > 0 && text != all[0] {
					t.Errorf("%s/%s: %q, and %q of %d", room, name, all, text, n)
				}
			}
		}
		env := Env{Now: noon, URL: "http://mock"}
		misses := i.Match(r, env)
		if NewTrial(r, env).Accepts(i) != (len(misses) == 0) {
			t.Errorf("in a hurry it says otherwise: %v", misses)
		}
		again := r.Forget()
		if len(i.Match(&again, env)) != len(misses) {
			t.Error("read anew it matches otherwise")
		}
		s := &scope{env: env, req: r, work: allWork}
		for _, text := range []string{"body/a/0", "query/a", "header/x-a", "cookie/a", "form/a", "self", "url", "user", "body/{query/a}"} {
			a, err := parseAddress(text, where{})
			if err != nil {
				t.Fatal(err)
			}
			_ = textOf(s.resolve(&a))
		}
	})
}

// FuzzMemory seeds any file and performs all its interactions, whether they
// match or not: the same comes of it each time, what fails sets nothing, and
// what is remembered is JSON.
func FuzzMemory(f *testing.F) {
	seeds(f, func(src []byte) {
		f.Add(src, `{"a": {"b": [1, {"id": "x"}]}, "accounts": [{"id": "32", "fields": [{"name": "a", "value": 1}]}, {"id": "7"}]}`)
	})
	for _, set := range []string{`{a: {b: {$absent: true}, c: "{{ body/a }}"}}`, `{"a/{new}/{key}": 1}`, `{"a/{body/x}": {$for: a, set: {"b/{new}": "{{ item }}"}, give: "{{ key }}"}}`} {
		f.Add([]byte("scenario: a\nsource: assumed\nrecords: {a: {b: 1}}\ninteractions: [{name: a, request: {}, set: "+set+", response: {status: 200, body: {$list: a, give: \"{{ item }}\"}}}]\n"), `{"a": [], "x": "a/b"}`)
	}
	f.Fuzz(func(t *testing.T, src []byte, body string) {
		all, err := Parse("f.yaml", src)
		if err != nil {
			return
		}
		play := func() (told string) {
			env := Env{Now: noon, URL: "http://mock", User: "ann"}
			tree, _, err := Seed(Tree{}, all, env)
			if err != nil {
				return err.Error()
			}
			env.Records = tree
			trial := NewTrial(NewRequest("PUT", "/a/b?limit=1&state=c", http.Header{"X-A": {"b"}}, []byte(body)), env)
			for _, s := range all {
				for _, i := range s.Interactions {
					told += trial.Per(i) + fmt.Sprintln(trial.Accepts(i))
					for _, rt := range i.Responses {
						before, _ := trial.Records()
						out, err := trial.Perform(i, rt)
						after, changed := trial.Records()
						switch {
						case err != nil && !after.same(before):
							t.Errorf("it failed, and something was set: %v", err)
						case err != nil:
							told += err.Error()
						default:
							told += fmt.Sprintf("%d %s %q", out.Status, out.Body, changed)
						}
					}
				}
			}
			tree, _ = trial.Records()
			text := tree.AppendJSON(nil)
			if _, err := payload.Scan(text); err != nil {
				t.Errorf("no JSON is remembered: %v\n%s", err, text)
			}
			return told + string(text)
		}
		if one, other := play(), play(); one != other {
			t.Errorf("twice the same, and it differs:\n%s\n%s", one, other)
		}
	})
}
