package payload

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// DateForms are the forms in which OIG writes dates, as [ParseDateFormat] takes
// them, in the order in which [ParseAnyDate] tries them.
var DateForms = []string{"dd-MMM-yy", "M/d/yy", "yyyy-MM-dd", "java", "iso", "epoch"}

// DateFormat reads and writes dates of one form. It is made by [ParseDateFormat].
type DateFormat struct {
	given    string
	parts    []datePart // none for epoch
	hasHours bool
	wholeDay bool // year, month and day are all there, so a weekday can be wrong
	century  bool // the year has two digits
}

// datePart is a run of one pattern letter, or a text that stands for itself.
type datePart struct {
	letter byte // 0 for a text; 'f' for what iso alone has: a fraction that may be left out
	count  int
	text   string
}

// maxRun is how often a letter may be repeated.
var maxRun = map[byte]int{
	'y': 4, 'M': 4, 'd': 2, 'H': 2, 'h': 2, 'm': 2, 's': 2, 'S': 9, 'E': 4, 'z': 3, 'Z': 3, 'X': 3, 'a': 1,
}

// ParseDateFormat takes a name or a pattern.
//
// The names are "iso" (yyyy-MM-dd'T'HH:mm:ss'Z'; reading also takes a fraction of
// a second, and an offset such as +05:30 for the Z), "epoch" (milliseconds since
// 1970 as a whole number) and "java" (EEE MMM dd HH:mm:ss zzz yyyy, as Java prints
// a Date).
//
// A pattern is in Java's letters: y M d H h m s S E z Z X a; texts are quoted as
// 'text', a quote is two of them, and other signs stand for themselves. Refused, by letter
// and place: other letters, too many of one letter, a letter that comes again, and
// what could not be read back, such as the d in dM.
func ParseDateFormat(pattern string) (*DateFormat, error) {
	f := &DateFormat{given: pattern}
	var err error
	switch pattern {
	case "epoch":
		f.hasHours = true
		return f, nil
	case "iso":
		f.parts, err = cutPattern("yyyy-MM-dd'T'HH:mm:ssXXX")
		zone := len(f.parts) - 1
		f.parts = append(f.parts[:zone:zone], datePart{letter: 'f'}, f.parts[zone])
	case "java":
		f.parts, err = cutPattern("EEE MMM dd HH:mm:ss zzz yyyy")
	default:
		f.parts, err = cutPattern(pattern)
	}
	if err != nil {
		return nil, fmt.Errorf("date format %q: %w", pattern, err)
	}
	letters := ""
	for _, p := range f.parts {
		if p.letter != 0 {
			letters += string(p.letter)
		}
		f.century = f.century || p.letter == 'y' && p.count == 2
	}
	if letters == "" {
		return nil, fmt.Errorf("date format %q: no letter stands for a part of a date", pattern)
	}
	f.hasHours = strings.ContainsAny(letters, "Hh")
	f.wholeDay = strings.Contains(letters, "y") && strings.Contains(letters, "M") && strings.Contains(letters, "d")
	return f, nil
}

func cutPattern(pattern string) (parts []datePart, err error) {
	text := func(s string) {
		if last := len(parts) - 1; last >= 0 && parts[last].letter == 0 {
			parts[last].text += s
			return
		}
		parts = append(parts, datePart{text: s})
	}
	for i := 0; i < len(pattern); {
		c, start := pattern[i], i
		if c == '\'' {
			s, size := cutQuoted(pattern[i:])
			if size == 0 {
				return nil, fmt.Errorf("the quote at place %d is not closed", i+1)
			}
			text(s)
			i += size
			continue
		}
		if !isLetter(c) {
			text(pattern[i : i+1])
			i++
			continue
		}
		for i < len(pattern) && pattern[i] == c {
			i++
		}
		run := pattern[start:i]
		most, known := maxRun[c]
		switch {
		case !known:
			return nil, fmt.Errorf("unknown letter %c at place %d", c, start+1)
		case len(run) > most || run == "yyy":
			return nil, fmt.Errorf("%s at place %d: no date is written so", shorten(run), start+1)
		}
		for _, p := range parts {
			if p.letter == c {
				return nil, fmt.Errorf("letter %c at place %d comes again", c, start+1)
			}
		}
		parts = append(parts, datePart{letter: c, count: len(run)})
	}
	for i := 1; i < len(parts); i++ {
		if p := parts[i-1]; p.openEnd(parts[i]) {
			return nil, fmt.Errorf("where %c ends cannot be told from what follows it", p.letter)
		}
	}
	return parts, nil
}

// shorten keeps a message short whose pattern is not.
func shorten(run string) string {
	if len(run) > 10 {
		return run[:10] + "..."
	}
	return run
}

// cutQuoted reads the quoted text that s starts with; size is 0 if it has no end.
func cutQuoted(s string) (text string, size int) {
	if strings.HasPrefix(s, "''") {
		return "'", 2
	}
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != '\'':
			text += s[i : i+1]
		case strings.HasPrefix(s[i:], "''"):
			text += "'"
			i++
		default:
			return text, i + 1
		}
	}
	return "", 0
}

// openEnd tells whether a reader could not see where p ends, if next follows it:
// one or two digits before a digit, a zone's name before a letter.
func (p datePart) openEnd(next datePart) bool {
	digit := next.letter == 'M' && next.count < 3 || strings.IndexByte("ydHhmsS", next.letter) >= 0
	letter := next.letter == 'M' && next.count > 2 || strings.IndexByte("EazX", next.letter) >= 0
	if next.letter == 0 {
		digit, letter = isDigit(next.text[0]), isLetter(next.text[0])
	}
	return digit && p.count == 1 && strings.IndexByte("MdHhms", p.letter) >= 0 || letter && p.letter == 'z'
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// zones are the names of time zones that a Java server is likely to print, as
// hours east; others are refused, rather than taken for UTC. Some are used twice in
// the world: IST is India's here, as in Oracle's own samples, and CST and BST are
// those of Chicago and London.
var zones = map[string]float64{
	"UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3,
	"MSK": 3, "SAST": 2, "EAT": 3, "GST": 4, "PKT": 5, "IST": 5.5, "ICT": 7, "WIB": 7, "SGT": 8, "HKT": 8,
	"PHT": 8, "AWST": 8, "JST": 9, "KST": 9, "ACST": 9.5, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
	"BRT": -3, "ART": -3, "NST": -3.5, "NDT": -2.5, "AST": -4, "ADT": -3, "EST": -5, "EDT": -4, "CST": -6,
	"CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10,
}

// Parse reads a date and gives it in UTC. It wants the form exactly: dd is two
// digits where d is one or two, there is no 31st of February, and a weekday must
// be that of the day. Only the letter case of names is free. Two digits of a year
// are 1969 to 2068. What the form does not have is as in 1970-01-01 00:00 UTC.
func (f *DateFormat) Parse(text string) (time.Time, bool) {
	if f.parts == nil {
		ms, err := strconv.ParseInt(text, 10, 64)
		if err != nil || strconv.FormatInt(ms, 10) != text {
			return time.Time{}, false
		}
		t := time.UnixMilli(ms).UTC()
		return t, f.canWrite(t)
	}
	r := dateReader{rest: text, year: 1970, month: 1, day: 1, hour: -1, weekday: -1}
	for _, p := range f.parts {
		if !r.read(p) {
			return time.Time{}, false
		}
	}
	if r.rest != "" {
		return time.Time{}, false
	}
	t, ok := r.time(f.wholeDay)
	return t, ok && f.canWrite(t)
}

// canWrite tells whether the year is one that the form can write; an offset can
// carry a date over the edge.
func (f *DateFormat) canWrite(t time.Time) bool {
	if f.century {
		return 1969 <= t.Year() && t.Year() <= 2068
	}
	return 0 <= t.Year() && t.Year() <= 9999
}

// ParseAnyDate reads a date in any of the [DateForms], and tells in which; epoch
// only with 13 digits, as other numbers are more likely something else.
func ParseAnyDate(text string) (t time.Time, f *DateFormat, ok bool) {
	for _, f := range anyForms {
		if f.parts == nil && (len(text) != 13 || text[0] == '-') {
			continue
		}
		if t, ok := f.Parse(text); ok {
			return t, f, true
		}
	}
	return time.Time{}, nil, false
}

var anyForms = func() (forms []*DateFormat) {
	for _, name := range DateForms {
		f, _ := ParseDateFormat(name) // none of ours is at fault
		forms = append(forms, f)
	}
	return forms
}()

// ISO is the form "iso".
var ISO, _ = ParseDateFormat("iso") // none of ours is at fault

// HasHours tells whether the form has a time of day; if not, dates of it are
// compared by days.
func (f *DateFormat) HasHours() bool {
	return f.hasHours
}

// String is the form as it was given to [ParseDateFormat].
func (f *DateFormat) String() string {
	return f.given
}

// Format writes t in UTC.
func (f *DateFormat) Format(t time.Time) string {
	t = t.UTC()
	if f.parts == nil {
		return strconv.FormatInt(t.UnixMilli(), 10)
	}
	var b []byte
	number := func(n, width int) {
		b = fmt.Appendf(b, "%0*d", width, n)
	}
	name := func(s string, whole bool) {
		if !whole {
			s = s[:3]
		}
		b = append(b, s...)
	}
	for _, p := range f.parts {
		switch p.letter {
		case 0:
			b = append(b, p.text...)
		case 'y':
			if p.count == 2 {
				number(t.Year()%100, 2)
			} else {
				number(t.Year(), 4)
			}
		case 'M':
			if p.count > 2 {
				name(t.Month().String(), p.count == 4)
			} else {
				number(int(t.Month()), p.count)
			}
		case 'd':
			number(t.Day(), p.count)
		case 'H':
			number(t.Hour(), p.count)
		case 'h':
			number((t.Hour()+11)%12+1, p.count)
		case 'm':
			number(t.Minute(), p.count)
		case 's':
			number(t.Second(), p.count)
		case 'S':
			b = append(b, fmt.Sprintf("%09d", t.Nanosecond())[:p.count]...)
		case 'E':
			name(t.Weekday().String(), p.count == 4)
		case 'a':
			b = t.AppendFormat(b, "PM")
		case 'z':
			b = append(b, "UTC"...)
		case 'Z':
			b = append(b, "+0000"...)
		case 'X':
			b = append(b, 'Z')
		}
	}
	return string(b)
}

// dateReader holds the parts read so far.
type dateReader struct {
	rest             string
	year, month, day int
	hour, half       int // of the day, -1 if none; of the half day
	afternoon        bool
	halves           bool // there is an AM or PM
	minute, second   int
	nano, east       int // east: seconds
	weekday          int // -1 if none
}

func (r *dateReader) read(p datePart) (ok bool) {
	switch p.letter {
	case 0:
		r.rest, ok = strings.CutPrefix(r.rest, p.text)
		return ok
	case 'y':
		if p.count != 2 {
			return r.digits(&r.year, 4, 4)
		}
		ok = r.digits(&r.year, 2, 2)
		r.year += 1900
		if r.year < 1969 {
			r.year += 100
		}
		return ok
	case 'M':
		if p.count < 3 {
			return r.digits(&r.month, p.count, 2)
		}
		r.month, ok = r.name(12, p.count == 4, func(i int) string { return time.Month(i + 1).String() })
		r.month++
		return ok
	case 'd':
		return r.digits(&r.day, p.count, 2)
	case 'H':
		return r.digits(&r.hour, p.count, 2) && r.hour < 24
	case 'h':
		ok = r.digits(&r.half, p.count, 2) && 1 <= r.half && r.half <= 12
		r.half %= 12
		return ok
	case 'm':
		return r.digits(&r.minute, p.count, 2) && r.minute < 60
	case 's':
		return r.digits(&r.second, p.count, 2) && r.second < 60
	case 'S':
		return r.fraction(p.count)
	case 'f':
		r.rest, ok = strings.CutPrefix(r.rest, ".")
		if !ok {
			return true
		}
		n := 0
		for n < len(r.rest) && isDigit(r.rest[n]) {
			n++
		}
		return n > 0 && r.fraction(n)
	case 'E':
		r.weekday, ok = r.name(7, p.count == 4, func(i int) string { return time.Weekday(i).String() })
		return ok
	case 'a':
		var i int
		i, ok = r.name(2, true, func(i int) string { return [...]string{"AM", "PM"}[i] })
		r.halves, r.afternoon = true, i == 1
		return ok
	case 'z':
		return r.zone()
	case 'Z':
		return r.offset(true, false)
	}
	if r.rest, ok = strings.CutPrefix(r.rest, "Z"); ok { // X
		r.east = 0
		return true
	}
	return r.offset(p.count > 1, p.count == 3)
}

// digits reads a number of least to most digits.
func (r *dateReader) digits(n *int, least, most int) bool {
	value, size := 0, 0
	for size < most && size < len(r.rest) && isDigit(r.rest[size]) {
		value = 10*value + int(r.rest[size]-'0')
		size++
	}
	r.rest = r.rest[size:]
	*n = value
	return size >= least
}

// fraction reads so many digits of a second's fraction; those after the ninth
// count for nothing.
func (r *dateReader) fraction(digits int) bool {
	if len(r.rest) < digits {
		return false
	}
	r.nano = 0
	for i := range max(digits, 9) {
		digit := 0
		if i < digits {
			if !isDigit(r.rest[i]) {
				return false
			}
			digit = int(r.rest[i] - '0')
		}
		if i < 9 {
			r.nano = 10*r.nano + digit
		}
	}
	r.rest = r.rest[digits:]
	return true
}

// name reads one of n names in any letter case, whole or its first three letters.
func (r *dateReader) name(n int, whole bool, name func(i int) string) (i int, ok bool) {
	for i := range n {
		s := name(i)
		if !whole {
			s = s[:3]
		}
		if len(r.rest) >= len(s) && strings.EqualFold(r.rest[:len(s)], s) {
			r.rest = r.rest[len(s):]
			return i, true
		}
	}
	return 0, false
}

// zone reads a zone's name, or GMT with an offset, which Java prints where it
// knows no name.
func (r *dateReader) zone() bool {
	n := 0
	for n < len(r.rest) && isLetter(r.rest[n]) {
		n++
	}
	name := r.rest[:n]
	hours, ok := zones[name]
	r.rest = r.rest[n:]
	r.east = int(hours * 3600)
	if after := *r; name == "GMT" && after.offset(true, true) {
		*r = after
	}
	return ok
}

// offset reads +05, or +0530 with minutes, or +05:30 with a colon too.
func (r *dateReader) offset(minutes, colon bool) bool {
	if r.rest == "" || r.rest[0] != '+' && r.rest[0] != '-' {
		return false
	}
	west := r.rest[0] == '-'
	r.rest = r.rest[1:]
	var h, m int
	if !r.digits(&h, 2, 2) || h > 23 {
		return false
	}
	if colon {
		var ok bool
		if r.rest, ok = strings.CutPrefix(r.rest, ":"); !ok {
			return false
		}
	}
	if minutes && (!r.digits(&m, 2, 2) || m > 59) {
		return false
	}
	if r.east = h*3600 + m*60; west {
		r.east = -r.east
	}
	return true
}

// time puts the parts together, if they fit each other.
func (r *dateReader) time(wholeDay bool) (t time.Time, ok bool) {
	hour := r.half
	if r.afternoon {
		hour += 12
	}
	if r.hour >= 0 {
		if r.halves && r.afternoon != (r.hour >= 12) {
			return t, false
		}
		hour = r.hour
	}
	t = time.Date(r.year, time.Month(r.month), r.day, hour, r.minute, r.second, r.nano, time.UTC)
	if t.Day() != r.day || int(t.Month()) != r.month {
		return t, false
	}
	if wholeDay && r.weekday >= 0 && int(t.Weekday()) != r.weekday {
		return t, false
	}
	return t.Add(-time.Duration(r.east) * time.Second), true
}
