package mockserver

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/oigmock/oigmock/scenarios"
)

// A generator writes interactions and requests out of few values, so that they
// meet often.
type generator struct{ *rand.Rand }

func (g generator) pick(of ...string) string { return of[g.IntN(len(of))] }

// value is a value as it may stand for a scalar in a file: most often exact.
func (g generator) value() string {
	return g.pick("1", "2", "1.0", "10e-1", `"1"`, `"2"`, `"a"`, `"A"`, "true", "false", "null", "~", `"true"`, `""`,
		"{$like: a}", "{$any: a}", "{$anycase: a}", "{$number: 1}", "{$oneOf: [a, 1]}", "{$not: a, example: b}", "{$absent: true}",
		"{$allOf: [{$like: a}, {$any: a}]}", `{$regex: "^[a1]", example: a}`, "{$literal: a}")
}

func (g generator) body() string {
	switch g.IntN(8) {
	case 0:
		return "[" + g.value() + "]"
	case 1:
		return "{$exactly: {a: " + g.value() + "}}"
	case 2:
		return "{$contains: [" + g.value() + "]}"
	case 3:
		return "{$each: " + g.value() + "}"
	case 4:
		return "{$like: {a: " + g.value() + "}}"
	}
	var members []string
	for _, name := range []string{"a", "b", `"0"`, `"x/y"`, `"x~y"`, `""`} {
		if g.IntN(3) == 0 {
			v := g.value()
			if g.IntN(4) == 0 {
				v = g.body()
			}
			members = append(members, name+": "+v)
		}
	}
	return "{" + strings.Join(members, ", ") + "}"
}

func (g generator) interaction(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  - name: i%d\n    request:\n", n)
	if g.IntN(4) > 0 {
		fmt.Fprintf(&b, "      method: %s\n", g.pick("PUT", "PUT", "GET", "{$oneOf: [PUT, GET]}"))
	}
	switch g.IntN(6) {
	case 0:
		fmt.Fprintf(&b, "      path: /things/%s\n", g.pick("1", "a", "b", "a%2Fb", "%61"))
	case 1:
		b.WriteString("      path: \"/{rest...}\"\n")
	case 2:
		fmt.Fprintf(&b, "      path: \"/things/{id}\"\n      params: {id: %s}\n", g.value())
	case 3:
		fmt.Fprintf(&b, "      path: \"/things/{id}/causes/{cause}\"\n      params: {cause: %s}\n", g.value())
	case 4:
		b.WriteString("      path: {$regex: ^/things, example: /things/1}\n")
	}
	for _, room := range []string{"query", "header", "cookie"} {
		if g.IntN(4) == 0 {
			fmt.Fprintf(&b, "      %s: {%s: %s}\n", room, g.pick("a", "A", "Content-Type"), g.value())
		}
	}
	if g.IntN(5) == 0 {
		fmt.Fprintf(&b, "      user: %s\n", g.pick("a", "b", "{$absent: true}", "{$any: a}"))
	}
	switch g.IntN(5) {
	case 0:
		fmt.Fprintf(&b, "      form: {a: %s}\n", g.value())
	case 1, 2, 3:
		fmt.Fprintf(&b, "      body: %s\n", g.body())
	}
	if g.IntN(5) == 0 {
		fmt.Fprintf(&b, "    order: %s\n", g.pick("first", "last"))
	}
	b.WriteString("    response: {status: 200}\n")
	return b.String()
}

func (g generator) json(depth int) string {
	kind := g.IntN(6)
	if depth == 0 {
		kind = g.IntN(3)
	}
	switch {
	case depth == 3:
	case kind == 0:
		return "[" + g.json(depth+1) + "]"
	case kind < 3:
		var members []string
		for _, name := range []string{"a", "b", "0", "x/y", "x~y", ""} {
			if g.IntN(2) == 0 {
				members = append(members, fmt.Sprintf("%q: %s", name, g.json(depth+1)))
			}
		}
		return "{" + strings.Join(members, ", ") + "}"
	}
	return g.pick("1", "2", "1.0", "0.1e1", `"1"`, `"2"`, `"a"`, `"\u0061"`, `"A"`, "true", "false", "null", `""`, `"true"`)
}

func (g generator) request() (*scenarios.Request, string) {
	target := g.pick("/things/1", "/things/a", "/things/%61", "/things/a%2Fb", "/things/b", "/things/true", "/things/1/causes/a", "/things/1/causes/1", "/other") +
		g.pick("", "?a=1", "?a=a&a=a", "?A=a&a=true", "?a=1.0", "?a=", "?a=%61")
	header := http.Header{}
	for _, name := range []string{"A", "Content-Type"} {
		if g.IntN(2) == 0 {
			header[name] = []string{g.pick("a", "1", "true", "")}
		}
	}
	if g.IntN(2) == 0 {
		header["Cookie"] = []string{"a=" + g.pick("a", "1", "")}
	}
	body := g.json(0)
	switch g.IntN(6) {
	case 0:
		body, header["Content-Type"] = "a="+g.pick("a", "1", "1&a=1"), []string{"application/x-www-form-urlencoded"}
	case 1:
		body = "" // or none
	}
	return scenarios.NewRequest(g.pick("PUT", "PUT", "GET"), target, header, []byte(body)), g.pick("", "a", "b")
}

// generatedLibrary reads n interactions; those that the language refuses fall away.
func (g generator) interactions(t *testing.T, n int) []*scenarios.Scenario {
	t.Helper()
	var list []*scenarios.Scenario
	for i := range n {
		text := "scenario: S\nsource: assumed\ninteractions:\n" + g.interaction(i)
		if s, err := scenarios.Parse(fmt.Sprintf("f%d.yaml", i), []byte(text)); err == nil {
			list = append(list, s...)
		}
	}
	if len(list) < n/3 {
		t.Fatalf("only %d of %d interactions are taken", len(list), n)
	}
	return list
}

// By the index one finds what one finds by looking at all of them.
func TestIndexFindsWhatAScanFinds(t *testing.T) {
	contract := contractOf(t, things)
	hits := 0
	for seed := range uint64(25) {
		g := generator{rand.New(rand.NewPCG(seed, 7))}
		c := newCatalog(contract, g.interactions(t, 1+g.IntN(150)), "", atNoon(), nil)
		for range 150 {
			r, user := g.request()
			env := scenarios.Env{Now: noon, User: user}
			for _, tb := range []*table{c.tableOf(r), c.outside} {
				for _, l := range []*layer{&tb.first, &tb.ordinary, &tb.last} {
					skip := g.IntN(3)
					ok := func(e *entry) bool { return e.at%3 != skip }
					var want *entry
					for _, e := range l.entries {
						if ok(e) && len(e.Match(r, env)) == 0 {
							want = e
							break
						}
					}
					trial := scenarios.NewTrial(r, env)
					got := l.find(trial, func(e *entry) bool { return ok(e) && trial.Accepts(e.Interaction) })
					if got != want {
						t.Fatalf("seed %d: %s %s?%s %v by %q: %s\ngot %s\nwant %s", seed, r.Method, r.Path, r.Query, r.Header, user, r.Body, nameOf(got), nameOf(want))
					}
					if want != nil {
						hits++
					}
					// And near misses are as many as there can be, each once.
					seen := map[*entry]bool{}
					for _, e := range l.nearest(nil, maxLooked, scenarios.NewTrial(r, env)) {
						if seen[e] {
							t.Fatalf("seed %d: %s is near twice", seed, e.Name)
						}
						seen[e] = true
					}
					if len(seen) != min(maxLooked, len(l.entries)) {
						t.Fatalf("seed %d: %d of %d are near", seed, len(seen), len(l.entries))
					}
				}
			}
		}
	}
	if hits < 2000 {
		t.Errorf("only %d requests matched: the generator has nothing to say", hits)
	}
}

func nameOf(e *entry) string {
	if e == nil {
		return "nothing"
	}
	var b strings.Builder
	_, _ = e.scenario.WriteTo(&b)
	return e.Name + "\n" + b.String()
}

// All agree in one place, and in all of them: nearness has its bound all the
// same.
func TestNearIsBounded(t *testing.T) {
	var b strings.Builder
	for i := range 200 {
		fmt.Fprintf(&b, "- {name: i%d, request: {method: PUT, path: '/things/{id}', query: {n: \"%d\"}, body: {id: '5', a: \"%d\", n: %d}}, response: {status: 200, body: {}}}\n", i, i%2, i%3, i/150)
	}
	var list []*scenarios.Scenario
	for i, line := range strings.SplitAfter(strings.TrimSuffix(b.String(), "\n"), "\n") { // one file each: they hide one another
		list = append(list, scenariosOf(t, fmt.Sprint(i), map[string]string{"s.yaml": line})...)
	}
	s := newServer(t, Config{Contract: contractOf(t, things), Scenarios: list})
	for _, c := range []call{
		"PUT /things/1?n=1\n\n" + `{"id": "5", "a": "1", "n": 7}`,
		"PUT /things/1?n=1\n\n" + `{"id": "6", "a": "1", "n": 0}`,
		"PUT /things/1?n=2\n\n" + `{"id": "5", "a": "2", "n": 1}`,
		"PUT /things/1\n\n" + `{"id": "5"}`,
	} {
		_, body, e := ask(t, s, c)
		if len(e.NearMisses) != maxNear || e.Outcome != NoMatch {
			t.Errorf("%s: %d near misses, %s: %s", c, len(e.NearMisses), e.Outcome, body)
		}
	}
}

// A hash that several values share makes more candidates, and nothing else.
func TestHashTable(t *testing.T) {
	const n = 100
	entries := make([]*entry, n)
	for i := range entries {
		entries[i] = &entry{at: i}
	}
	for _, hash := range []func(i int) uint64{
		func(i int) uint64 { return uint64(i) },
		func(i int) uint64 { return 42 },              // all the same
		func(i int) uint64 { return uint64(i % 3) },   // a few
		func(i int) uint64 { return uint64(i) << 32 }, // the same slot, different hashes
		func(i int) uint64 { return 0 },
	} {
		table := newHashTable(n)
		want := map[uint64]map[*entry]bool{}
		for i, e := range entries {
			h := hash(i)
			table.add(h, e)
			if want[h] == nil {
				want[h] = map[*entry]bool{}
			}
			want[h][e] = true
		}
		for h, of := range want {
			got := 0
			table.each(h, func(e *entry) bool {
				if got++; !of[e] {
					t.Fatalf("entry %d is not of hash %d", e.at, h)
				}
				return true
			})
			if got != len(of) {
				t.Errorf("hash %d: %d entries, want %d", h, got, len(of))
			}
		}
		table.each(99999, func(e *entry) bool { t.Error("a hash that is not there"); return false })
	}
}
