package scenarios

import (
	"fmt"
	"strings"
	"time"
)

// IsControl tells a character that a terminal obeys, or that ends a line or
// turns its direction.
func IsControl(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 ||
		r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// Printable is a text that does to a terminal nothing but stand there: of what
// a terminal obeys only the ends of lines stay, all else is written \u001b.
func Printable(text string) string {
	control := func(r rune) bool { return r != '\n' && IsControl(r) }
	text = strings.ToValidUTF8(text, "\uFFFD") // a byte alone may be a control, too
	if strings.IndexFunc(text, control) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if control(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// CutText keeps the beginning of a text, in whole characters of at most so many
// bytes together, and says that there is more.
func CutText(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && text[most]&0xC0 == 0x80 {
		most--
	}
	return text[:most] + "…"
}

// TrimExtension is the name of a file of scenarios without its end.
func TrimExtension(name string) string {
	for _, end := range []string{".yaml", ".yml", ".json"} {
		if short, ok := strings.CutSuffix(name, end); ok {
			return short
		}
	}
	return name
}

// FormatDuration writes a time as files do: 1m, not 1m0s.
func FormatDuration(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if n := len(text) - len(zero); n > 0 && text[n:] == zero {
			text = text[:n+1]
		}
	}
	return text
}

// ParseShift reads a length of time with or without a sign before it.
func ParseShift(text string) (time.Duration, error) {
	digits := strings.TrimPrefix(text, "-")
	negative := digits != text
	if !negative {
		digits = strings.TrimPrefix(text, "+")
	}
	d, err := ParseDuration(digits)
	if negative {
		d = -d
	}
	return d, err
}
