package payload

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// text is the content of a string node; it allocates only for escapes.
func (n node) text(src string) string {
	raw := src[n.start:n.end]
	if !n.escaped {
		return raw
	}
	b := make([]byte, 0, len(raw))
	for len(raw) > 0 {
		plain := strings.IndexByte(raw, '\\')
		if plain < 0 {
			b = append(b, raw...)
			break
		}
		r, size, _ := unescape(raw[plain:])
		b = utf8.AppendRune(append(b, raw[:plain]...), r)
		raw = raw[plain+size:]
	}
	return string(b)
}

// equals tells whether s is the content of a string node, without allocating.
func (n node) equals(src, s string) bool {
	raw := src[n.start:n.end]
	if !n.escaped {
		return raw == s
	}
	for len(raw) > 0 {
		if raw[0] != '\\' {
			if s == "" || s[0] != raw[0] {
				return false
			}
			raw, s = raw[1:], s[1:]
			continue
		}
		want, size, _ := unescape(raw)
		got, width := utf8.DecodeRuneInString(s)
		if got != want || width != utf8.RuneLen(want) {
			return false
		}
		raw, s = raw[size:], s[width:]
	}
	return s == ""
}

// unescape reads the escape that raw starts with: the character meant, and how
// many bytes of raw it takes. why says what is wrong with it, if anything is.
func unescape(raw string) (r rune, size int, why string) {
	if raw == `\` || raw == `\u` {
		return 0, 0, "the text ends inside a string"
	}
	switch raw[1] {
	case '"', '\\', '/':
		return rune(raw[1]), 2, ""
	case 'b':
		return '\b', 2, ""
	case 'f':
		return '\f', 2, ""
	case 'n':
		return '\n', 2, ""
	case 'r':
		return '\r', 2, ""
	case 't':
		return '\t', 2, ""
	case 'u':
		r, ok := unit(raw)
		if !ok {
			return 0, 0, `\u wants four hexadecimal digits, got ` + quoted(raw[2:min(6, len(raw))])
		}
		if !utf16.IsSurrogate(r) {
			return r, 6, ""
		}
		low, _ := unit(raw[6:])
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			return 0, 0, "half of a surrogate pair: " + raw[:6]
		}
		return r, 12, ""
	}
	_, size = utf8.DecodeRuneInString(raw[1:])
	return 0, 0, "no character is escaped as a backslash and " + quoted(raw[1:1+size])
}

// unit reads \u and four hexadecimal digits.
func unit(raw string) (r rune, ok bool) {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return 0, false
	}
	for _, c := range []byte(raw[2:6]) {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// Quote appends s to dst as a JSON string. It escapes only what must be escaped,
// so no <, > or &; a byte that is not UTF-8 becomes U+FFFD.
func Quote(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0 // what comes before is written
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		size, instead := 1, "\uFFFD"
		switch c {
		case '"', '\\':
			instead = `\` + s[i:i+1]
		case '\b':
			instead = `\b`
		case '\f':
			instead = `\f`
		case '\n':
			instead = `\n`
		case '\r':
			instead = `\r`
		case '\t':
			instead = `\t`
		default:
			if c < ' ' {
				instead = `\u00` + hex[c>>4:c>>4+1] + hex[c&15:c&15+1]
			} else if _, size = utf8.DecodeRuneInString(s[i:]); size > 1 {
				i += size
				continue
			}
		}
		dst = append(append(dst, s[from:i]...), instead...)
		i += size
		from = i
	}
	return append(append(dst, s[from:]...), '"')
}
