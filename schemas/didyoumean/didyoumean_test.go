package didyoumean

import (
	"slices"
	"strings"
	"testing"
)

func TestHint(t *testing.T) {
	known := []string{"when", "method", "assumed", "$like", "$date", "type", "prefixItems", "additionalProperties", "id", strings.Repeat("l", 70)}
	for word, want := range map[string]string{
		"mehtod": "method", "methd": "method", "methood": "method", "metxod": "method", "Method": "method", "METHOD": "",
		"assumd": "assumed", "asumed": "assumed", "asumd": "",
		"then": "", "wen": "when", "whne": "when", "hwen": "when", "hen": "when", "When": "when",
		"$list": "", "$lik": "$like", "$datee": "$date", "like": "$like",
		"prefixitem": "prefixItems", "aditionalPropertys": "additionalProperties",
		"Type": "type", "tpye": "type", "i": "id", "x": "", "xyz": "", "": "",
		strings.Repeat("l", 69): "", strings.Repeat("x", 500): "",
	} {
		if want != "" {
			want = `; did you mean "` + want + `"?`
		}
		if got := Hint(word, known); got != want {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
	// Of two that are equally near it is always the same.
	two := []string{"path", "pats"}
	a := Hint("pat", two)
	slices.Reverse(two)
	if b := Hint("pat", two); a != b || a == "" {
		t.Errorf("got %q and %q", a, b)
	}
}

func FuzzHint(f *testing.F) {
	f.Add("mehtod", "method")
	f.Add("größe", "grösse")
	f.Add("", "a")
	f.Fuzz(func(t *testing.T, word, known string) {
		got := Hint(word, []string{known})
		if near := word == known && word != "" && len(word) <= longest; near && got == "" {
			t.Errorf("%q is not near itself", word)
		}
		if len(word) > longest || len(known) > longest {
			return
		}
		if most := 2 * longest; distance(word, known, most) != distance(known, word, most) {
			t.Errorf("%q is nearer to %q than the other way round", word, known)
		}
	})
}
