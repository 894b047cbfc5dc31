package payload

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// numeral is a number's spelling, taken apart.
type numeral struct {
	negative        bool
	whole, fraction string // digits
	exponent        string // digits
	down            bool   // the exponent is negative
}

// cutNumber reads the number that s starts with, by JSON's grammar, and tells how
// many bytes it takes. Where it is none, why says what is wanted after size bytes.
func cutNumber(s string) (n numeral, size int, why string) {
	at := 0
	sign := func(c byte) bool {
		if at < len(s) && s[at] == c {
			at++
			return true
		}
		return false
	}
	digits := func() string {
		from := at
		for at < len(s) && '0' <= s[at] && s[at] <= '9' {
			at++
		}
		return s[from:at]
	}
	n.negative = sign('-')
	if n.whole = digits(); n.whole == "" {
		return n, at, "want a digit after the minus sign"
	}
	if len(n.whole) > 1 && n.whole[0] == '0' {
		return n, at - len(n.whole), "want a number without leading zeros"
	}
	if sign('.') {
		if n.fraction = digits(); n.fraction == "" {
			return n, at, "want a digit after the decimal point"
		}
	}
	if sign('e') || sign('E') {
		if n.down = sign('-'); !n.down {
			sign('+')
		}
		if n.exponent = digits(); n.exponent == "" {
			return n, at, "want a digit in the exponent"
		}
	}
	return n, at, ""
}

// excess says which limit the number is over; "" if none.
func (n numeral) excess() string {
	if len(n.whole)+len(n.fraction)+len(n.exponent) > MaxDigits {
		return fmt.Sprintf("a number of more than %d digits", MaxDigits)
	}
	if e, ok := n.shift(); !ok || e < -MaxExponent || e > MaxExponent {
		return fmt.Sprintf("a number with an exponent over %d", MaxExponent)
	}
	return ""
}

// shift is the exponent's value; not ok beyond 18 digits.
func (n numeral) shift() (e int64, ok bool) {
	digits := strings.TrimLeft(n.exponent, "0")
	if len(digits) > 18 {
		return 0, false
	}
	for _, c := range []byte(digits) {
		e = 10*e + int64(c-'0')
	}
	if n.down {
		e = -e
	}
	return e, true
}

// ValidNumber tells whether s is a number by JSON's grammar and within the limits.
func ValidNumber(s string) bool {
	n, size, why := cutNumber(s)
	return why == "" && size == len(s) && n.excess() == ""
}

// decimal is a number's value: 0.whole|fraction times ten to the power of point.
// whole and fraction together neither start nor end with a 0; zero has no digits,
// no sign and no point, so two decimals of one value differ only in where whole ends.
type decimal struct {
	negative        bool
	whole, fraction string
	point           int64
}

// parseDecimal reads a number of any length; its exponent may have 18 digits.
func parseDecimal(s string) (d decimal, ok bool) {
	n, size, why := cutNumber(s)
	if why != "" || size != len(s) {
		return d, false
	}
	if d.point, ok = n.shift(); !ok {
		return d, false
	}
	d.negative = n.negative
	d.whole = strings.TrimLeft(n.whole, "0")
	d.fraction = strings.TrimRight(n.fraction, "0")
	d.point += int64(len(d.whole))
	if d.whole == "" {
		d.fraction = strings.TrimLeft(d.fraction, "0")
		d.point -= int64(len(strings.TrimRight(n.fraction, "0")) - len(d.fraction))
	}
	if d.fraction == "" {
		d.whole = strings.TrimRight(d.whole, "0")
	}
	if d.digits() == 0 {
		return decimal{}, true
	}
	return d, d.exponent() > -1e18 && d.exponent() < 1e18 // so that CanonicalNumber's spelling can be read again
}

func (d decimal) digits() int {
	return len(d.whole) + len(d.fraction)
}

// exponent is that of the number written with all digits before the point.
func (d decimal) exponent() int64 {
	return d.point - int64(d.digits())
}

func (d decimal) digit(i int) byte {
	if i < len(d.whole) {
		return d.whole[i]
	}
	return d.fraction[i-len(d.whole)]
}

func (d decimal) sign() int {
	switch {
	case d.negative:
		return -1
	case d.digits() == 0:
		return 0
	}
	return 1
}

func (d decimal) compare(e decimal) int {
	if c := cmp.Compare(d.sign(), e.sign()); c != 0 {
		return c
	}
	c := cmp.Compare(d.point, e.point)
	for i := 0; c == 0 && i < min(d.digits(), e.digits()); i++ {
		c = cmp.Compare(d.digit(i), e.digit(i))
	}
	if c == 0 {
		c = cmp.Compare(d.digits(), e.digits())
	}
	return c * d.sign()
}

// EqualNumbers tells whether two numbers as written have one value: 1.0 equals 1
// equals 10e-1, and -0 equals 0. It is exact at any length. What is no number, or
// has an exponent of more than 18 digits, equals only its own spelling.
func EqualNumbers(a, b string) bool {
	return a == b || CompareNumbers(a, b) == 0
}

// CompareNumbers is -1 if a is less than b, 1 if it is more, and 0 if they are
// equal as [EqualNumbers] has it. What is no number comes after all numbers, in
// the order of its bytes.
func CompareNumbers(a, b string) int {
	x, xOK := parseDecimal(a)
	y, yOK := parseDecimal(b)
	switch {
	case xOK && yOK:
		return x.compare(y)
	case xOK:
		return -1
	case yOK:
		return 1
	}
	return strings.Compare(a, b)
}

// CanonicalNumber appends the number's value to dst in a spelling that all equal
// numbers share, for hashing: 1200, 1.2e3 and 12e2 are 12e2. What is no number is
// appended as it is.
func CanonicalNumber(dst []byte, number string) []byte {
	d, ok := parseDecimal(number)
	if !ok {
		return append(dst, number...)
	}
	if d.digits() == 0 {
		return append(dst, '0')
	}
	if d.negative {
		dst = append(dst, '-')
	}
	dst = append(append(dst, d.whole...), d.fraction...)
	if e := d.exponent(); e != 0 {
		dst = strconv.AppendInt(append(dst, 'e'), e, 10)
	}
	return dst
}

// IsInteger tells whether a number as written is a whole one: 7, 1.0 and 1e2 are,
// 1.5 and 1e-2 are not.
func IsInteger(number string) bool {
	d, ok := parseDecimal(number)
	return ok && d.exponent() >= 0
}
