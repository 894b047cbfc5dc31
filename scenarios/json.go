package scenarios

import (
	"bytes"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"unicode/utf16"
)

// A moved is a place in a text from which on what stands on its line stands so
// many columns further left than in the text it was made of.
type moved struct{ line, column, by int }

// asYAML writes those escapes of a JSON object anew that YAML lacks: \/, and
// two surrogates that are one character. What is no JSON stays as it is.
func asYAML(src []byte) ([]byte, []moved) {
	if !bytes.HasPrefix(bytes.TrimLeft(src, " \t\r\n"), []byte("{")) || !bytes.Contains(src, []byte(`\`)) {
		return src, nil
	}
	out := make([]byte, 0, len(src))
	var all []moved
	line, column, by := 1, 1, 0
	inText := false
	for i := 0; i < len(src); i++ {
		switch c := src[i]; {
		case c == '\n':
			if inText {
				return src, nil
			}
			line, column, by = line+1, 0, 0
		case c == '"':
			inText = !inText
		case !inText && strings.IndexByte("{}[]:, \t\r+-.0123456789Etruefalsn", c) < 0:
			return src, nil
		case inText && c == '\\':
			text, n := escapeForYAML(src[i:])
			out = append(out, text...)
			column += len(text)
			i += n - 1
			if less := n - len(text); less > 0 {
				by += less
				all = append(all, moved{line, column, by})
			}
			continue
		}
		out = append(out, src[i])
		if src[i]&0xC0 != 0x80 { // YAML counts characters
			column++
		}
	}
	return out, all
}

// escapeForYAML is the escape with which a text begins, as YAML has it, and how
// many bytes it took.
func escapeForYAML(text []byte) (string, int) {
	if len(text) < 2 {
		return string(text), len(text)
	}
	if text[1] == '/' {
		return "/", 2
	}
	if high, ok := utf16Escape(text); ok && utf16.IsSurrogate(high) {
		if low, ok := utf16Escape(text[6:]); ok {
			if r := utf16.DecodeRune(high, low); r != '\uFFFD' {
				return fmt.Sprintf(`\U%08X`, r), 12
			}
		}
	}
	return string(text[:2]), 2
}

func utf16Escape(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(n), err == nil
}

// column is where a column of the text that is parsed was in the text it was
// made of.
func (p *parser) column(line, column int) int {
	n := sort.Search(len(p.moved), func(i int) bool {
		m := p.moved[i]
		return m.line > line || m.line == line && m.column > column
	})
	if n > 0 && p.moved[n-1].line == line {
		column += p.moved[n-1].by
	}
	return column
}
