package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/oigmock/oigmock/schemas/payload"
)

// printedFilter is a filter as a q that means the same.
func printedFilter(f filter) string {
	var groups []string
	for _, group := range f {
		var terms []string
		for _, t := range group {
			value := `"` + t.value + `"`
			if strings.Contains(value[1:len(value)-1], `"`) {
				value = strings.ReplaceAll(t.value, " ", "::") // it had no quotes
			}
			terms = append(terms, strings.ReplaceAll(t.name, " ", "::")+" "+t.op+" "+value)
		}
		groups = append(groups, strings.Join(terms, " AND "))
	}
	return strings.Join(groups, " or ")
}

func TestParseFilter(t *testing.T) {
	for _, test := range []struct{ q, want string }{
		{`Status.Category eq Rejected`, `Status.Category eq "Rejected"`},
		{`Process::Instance.Task::Details.Status EQ Rejected`, `Process::Instance.Task::Details.Status eq "Rejected"`},
		{`Objects.Name eq Plan::View`, `Objects.Name eq "Plan View"`},
		{`Objects.Name eq "Plan View"`, `Objects.Name eq "Plan View"`},
		{`Objects.Name eq "Plan::View"`, `Objects.Name eq "Plan View"`},
		{` a  Sw	b `, `a sw "b"`},
		{`a eq ""`, `a eq ""`},
		{`a eq b AND c ne d or e co f`, `a eq "b" AND c ne "d" or e co "f"`},
		{`a eq b and c ne d OR e co f And g eq h`, `a eq "b" AND c ne "d" or e co "f" AND g eq "h"`},
		{`and eq or`, `and eq "or"`},
		{`a eq (b)`, `a eq "(b)"`},
		{`a eq b"c::d`, `a eq b"c::d`},
		{`a:::b eq x:y`, `a:::b eq "x:y"`},

		{``, `byte 1: want the name of an attribute, got the end`},
		{`a`, `byte 2: want eq, ne, sw or co, got the end`},
		{`a eq`, `byte 5: want a value, got the end`},
		{`a gt 5`, `byte 3: want eq, ne, sw or co, got "gt"; :: stands for a blank within a name or a value`},
		{`a pr`, `byte 3: want eq, ne, sw or co, got "pr"; :: stands for a blank within a name or a value`},
		{`a eq b AND`, `byte 11: want the name of an attribute, got the end`},
		{`a eq Plan View`, `byte 11: want AND or or, got "View"; :: stands for a blank within a name or a value`},
		{`a eq b; c eq d`, `byte 9: want AND or or, got "c"; :: stands for a blank within a name or a value`},
		{`(a eq b)`, `byte 1: want the name of an attribute, got "(a"`},
		{`not (a eq b)`, `byte 5: want eq, ne, sw or co, got "(a"; :: stands for a blank within a name or a value`},
		{`"a" eq b`, `byte 1: want the name of an attribute, got "\"a\""`},
		{`a eq "b c`, `byte 6: a quote is not closed`},
		{`a eq "`, `byte 6: a quote is not closed`},
		{`a eq "b"AND c eq d`, `byte 9: want a blank behind the quote, got "AND c eq d"`},
		{`userid=5`, `byte 9: want eq, ne, sw or co, got the end`},
		{strings.Repeat("a eq b or ", 49) + "a eq b", strings.Repeat(`a eq "b" or `, 49) + `a eq "b"`},
		{strings.Repeat("a eq b or ", 50) + "a eq b", `more than 50 terms`},
		{"a eq " + strings.Repeat("b", 4092), `it has 4097 bytes; 4096 are taken`},
	} {
		f, err := parseFilter(test.q)
		got := printedFilter(f)
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%.80s:\ngot  %s\nwant %s", test.q, got, test.want)
		}
	}
}

func TestFilterAccepts(t *testing.T) {
	item := mustJSON(t, `{"Status.Category": "Rejected", "Process Instance.Task Details.Key": 1006, "n": 1.50, "yes": true, "no": null, "": "e",
		"a": {"b": {"c": "deep"}, "b.c": "never"}, "x.y": "whole", "x": {"y": "steps"}, "list": ["one", "two"], "esc": "caf\u00e9 \"q\"",
		"fields": [1, {"value": 2}, {"name": "Objects.Name", "value": "Plan View"}, {"name": "n", "value": 9}, {"name": "Objects.Name", "value": "later"}, {"name": "bare"}]}`)
	for _, test := range []struct{ holds, not string }{
		{`Status.Category eq Rejected`, `Status.Category eq Reject`},
		{`Status.Category eq REJECTED`, `status.category eq Rejected`},
		{`Status.Category ne Pending`, `Status.Category ne Rejected`},
		{`Status.Category sw Rej`, `Status.Category sw ected`},
		{`Status.Category co ject`, `Status.Category co jekt`},
		{`Status.Category co ""`, `Status.Category eq ""`},
		{`Process::Instance.Task::Details.Key eq 1006`, `Process::Instance.Task::Details.Key eq 1006.0`},
		{`n eq 1.50`, `n eq 1.5`},
		{`n sw 1.`, `n eq 9`},
		{`yes eq True`, `yes eq tru`},
		{`no eq null`, `no eq ""`},
		{`:: ne x`, `:: eq e`},
		{`a.b.c eq deep`, `a.b.c eq never`},
		{`x.y eq whole`, `x.y eq steps`},
		{`list.1 eq two`, `list.01 eq two`},
		{`esc eq café::"q"`, `esc eq caf`},
		{`Objects.Name eq Plan::View`, `Objects.Name eq later`},
		{`fields.2.name eq Objects.Name`, `fields.name eq Objects.Name`},
		{`none ne x`, `none eq x`},
		{`none ne ""`, `none sw ""`},
		{`bare ne x`, `bare co ""`}, // a field without a value
		{`a ne x`, `a co ""`},       // an object is no text
		{`a.b.c.d ne x`, `a..b eq deep`},
		{`n eq 1 or n eq 1.50`, `n eq 1 or n eq 2`},
		{`n eq 1.50 AND yes eq true`, `n eq 1.50 AND yes eq false`},
		{`n eq 1.50 or n eq 2 AND yes eq false`, `n eq 2 or n eq 1.50 AND yes eq false`},
	} {
		for _, q := range []struct {
			q    string
			want bool
		}{{test.holds, true}, {test.not, false}} {
			f, err := parseFilter(q.q)
			if err != nil {
				t.Errorf("%s: %v", q.q, err)
				continue
			}
			if got := f.accepts(&scope{work: allWork}, item); got != q.want {
				t.Errorf("%s: %v", q.q, got)
			}
		}
	}
	f, _ := parseFilter("a eq b")
	if f.accepts(&scope{work: allWork}, payload.Value{}) || f.accepts(&scope{work: allWork}, mustJSON(t, `["a"]`)) {
		t.Error("what is no object has a member")
	}
}

// FuzzFilter reads any q, writes it and reads it again, and asks it of any JSON.
func FuzzFilter(f *testing.F) {
	for _, q := range []string{`Status.Category eq Rejected AND Objects.Name sw "Plan View" or a co ""`, `Process::Instance.Key NE b"::c`, `a:::b eq (c)`, `a gt 5`, `a eq "b`} {
		f.Add(q, `{"a": {"b": 1}, "fields": [{"name": "Status.Category", "value": "Rejected"}]}`)
	}
	f.Fuzz(func(t *testing.T, q, body string) {
		asked, err := parseFilter(q)
		if err != nil {
			if len(err.Error()) > 600 {
				t.Errorf("an error of %d bytes: %v", len(err.Error()), err)
			}
			at := 0
			if n, _ := fmt.Sscanf(err.Error(), "byte %d:", &at); n == 1 && (at < 1 || at > len(q)+1) {
				t.Errorf("%q: %v", q, err)
			}
			return
		}
		if slices.ContainsFunc(asked, func(group []term) bool { return len(group) == 0 }) {
			t.Errorf("%q: a group without terms", q)
		}
		if again := printedFilter(asked); len(again) <= maxFilter { // quotes may have come to it
			same, err := parseFilter(again)
			if err != nil || meaning(same) != meaning(asked) {
				t.Errorf("%q is written %q, which is another: %v", q, again, err)
			}
		}
		doc, _ := payload.Scan([]byte(body))
		s := &scope{work: allWork}
		first := asked.accepts(s, doc.Root())
		if s.work > 0 && asked.accepts(&scope{work: allWork}, doc.Root()) != first {
			t.Errorf("%q: once so and once otherwise", q)
		}
	})
}
