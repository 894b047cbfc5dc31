package payload

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fault says why a text is not JSON that oigmock takes.
//
// None of its texts carries much of what was refused: at most some twenty bytes,
// quoted and escaped. The pointer leaves out member names that are very long or
// not printable, and then ends at the object that has such a member.
type Fault struct {
	Pointer string // RFC 6901, of the innermost value being read; of the second one of two members with one name
	Offset  int    // in bytes, of the place that is wrong
	Why     string // "the text ends inside an object"
	Costly  bool   // JSON as far as it was read, but too much of it
}

// Error gives the pointer, the reason and the offset in one line.
func (f *Fault) Error() string {
	if f.Pointer == "" {
		return fmt.Sprintf("%s (byte %d)", f.Why, f.Offset)
	}
	return fmt.Sprintf("%s: %s (byte %d)", f.Pointer, f.Why, f.Offset)
}

const longestStep = 100 // bytes of a member name in a pointer

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// under puts a step in front of the pointer, on the way out of a container.
func (f *Fault) under(step string) *Fault {
	if len(step) > longestStep || strings.ContainsFunc(step, func(r rune) bool { return !unicode.IsPrint(r) }) {
		f.Pointer = ""
		return f
	}
	f.Pointer = "/" + pointerEscapes.Replace(step) + f.Pointer
	return f
}

const longestQuote = 20 // bytes of the source in a fault

// quoted is s for a person to read: escaped, and cut short.
func quoted(s string) string {
	if len(s) <= longestQuote {
		return strconv.Quote(s)
	}
	end := longestQuote
	for end > longestQuote-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return strconv.Quote(s[:end]) + "..."
}

// first is what a person would point at where s begins: a word or a sign.
func first(s string) string {
	word := 0
	for word < len(s) && word <= longestQuote && isWord(s[word]) {
		word++
	}
	if word > 0 {
		return s[:word]
	}
	_, size := utf8.DecodeRuneInString(s)
	return s[:size]
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '.' || c == '+' || c == '-'
}
