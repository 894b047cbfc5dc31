package scenarios

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

const (
	maxParams   = 16   // parameters of a path
	maxSegments = 64   // segments of a pattern
	maxPath     = 4096 // bytes of a pattern
)

// A Path is a pattern of paths: segments, each a text or {name}; a last
// {name...} takes the rest, slashes and all, be it empty.
type Path struct {
	text     string
	segments []segment
	names    []string // of the parameters, in order
}

type segment struct {
	text  string // decoded
	param int    // index into names; -1: a text
	rest  bool
}

// ParsePath reads a pattern. Texts stand in it as on the wire: %20 for a
// blank.
func ParsePath(text string) (*Path, error) {
	if len(text) > maxPath {
		return nil, fmt.Errorf("a path of %d bytes; %d are taken", len(text), maxPath)
	}
	if !strings.HasPrefix(text, "/") {
		return nil, fmt.Errorf("path %s does not begin with a slash", quote(text))
	}
	if i := strings.IndexByte(text, '?'); i >= 0 && !strings.Contains(text[:i], "{") {
		return nil, fmt.Errorf("path %s has a query; name its parameters under query", quote(text))
	}
	p := &Path{text: text}
	parts := strings.Split(text[1:], "/")
	if len(parts) > maxSegments {
		return nil, fmt.Errorf("a path of %d segments; %d are taken", len(parts), maxSegments)
	}
	for i, part := range parts {
		name, braces := strings.CutPrefix(part, "{")
		if !braces {
			if strings.ContainsAny(part, "{}") {
				return nil, fmt.Errorf("path: %s is neither a text nor a {name}; a {name} takes a whole segment", quote(part))
			}
			if strings.Contains(part, "?") {
				return nil, fmt.Errorf("path %s has a query; name its parameters under query", quote(text))
			}
			if strings.ContainsFunc(part, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
				return nil, fmt.Errorf("path: a blank or control character in %s; a path stands here as on the wire, with %%20", quote(part))
			}
			decoded, err := url.PathUnescape(part)
			if err != nil {
				return nil, fmt.Errorf("path: %s is not percent-encoded text", quote(part))
			}
			p.segments = append(p.segments, segment{text: decoded, param: -1})
			continue
		}
		name, closed := strings.CutSuffix(name, "}")
		name, rest := strings.CutSuffix(name, "...")
		switch {
		case !closed || strings.ContainsAny(name, "{}"):
			return nil, fmt.Errorf("path: %s is no {name}; a {name} takes a whole segment", quote(part))
		case strings.ContainsAny(name, ":*+()[]\\^$|?"):
			return nil, fmt.Errorf("path: no regular expression stands in a path; say {%s} and what it must be under params", nameOnly(name))
		case !validName(name):
			return nil, fmt.Errorf("path: %s is no name for a parameter; letters, digits, - and _", quote(name))
		case reserved[name]:
			return nil, fmt.Errorf("path: {%s} would hide the room %q; name it otherwise", name, name)
		case rest && i != len(parts)-1:
			return nil, fmt.Errorf("path: {%s...} takes the rest, so it can only stand at the end", name)
		}
		for _, n := range p.names {
			if n == name {
				return nil, fmt.Errorf("path: {%s} stands twice", name)
			}
		}
		if len(p.names) == maxParams {
			return nil, fmt.Errorf("path: more than %d parameters", maxParams)
		}
		p.segments = append(p.segments, segment{param: len(p.names), rest: rest})
		p.names = append(p.names, name)
	}
	return p, nil
}

// plain reports a text that looks like a pattern, or like a parameter as other
// tools write it. What a contract calls a path may have such characters; in a
// scenario they are hardly ever meant.
func (p *Path) plain() error {
	for part := range strings.SplitSeq(p.text[1:], "/") {
		colon := strings.HasPrefix(part, ":")
		if strings.HasPrefix(part, "{") || !colon && !strings.ContainsAny(part, `[]*+^$()|\`) {
			continue
		}
		name, say := "name", ""
		inner := strings.TrimSuffix(strings.TrimPrefix(part, "^"), "$")
		_, err := regexp.Compile(inner)
		switch {
		case colon:
			name = nameOnly(part[1:])
			say = fmt.Sprintf("say {%s}, and what it must be under params", name)
		case part == "*" || part == ".*":
			say = "say {name}, or {name...} at the end for all that follows"
		case part == "**":
			say = "say {name...}, at the end, for all that follows"
		case err == nil && strings.ContainsAny(inner, `[*+(|\`) && len(inner) <= maxEcho:
			say = fmt.Sprintf(`say {name}, and under params what it must be: {name: {$regex: %q}}`, "^"+inner+"$")
		default:
			say = "say {name}, and what it must be under params"
		}
		encoded := ""
		if len(part) <= maxEcho {
			encoded = ": " + pathEncode.Replace(part)
			if colon {
				encoded = ": %3A" + pathEncode.Replace(part[1:])
			}
		}
		return fmt.Errorf("path: %s would be taken as it stands; %s; if it is meant, percent-encode it%s", quote(part), say, encoded)
	}
	return nil
}

const maxEcho = 80 // bytes of a segment that is written anew in a fault

var pathEncode = strings.NewReplacer("[", "%5B", "]", "%5D", "*", "%2A", "+", "%2B", "^", "%5E", "$", "%24",
	"(", "%28", ")", "%29", "|", "%7C", `\`, "%5C")

func nameOnly(text string) string {
	if i := strings.IndexFunc(text, func(r rune) bool { return !nameRune(r) }); i > 0 {
		return text[:i]
	}
	return "name"
}

func nameRune(r rune) bool {
	return r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
}

func validName(name string) bool {
	return name != "" && len(name) <= 64 && strings.IndexFunc(name, func(r rune) bool { return !nameRune(r) }) < 0
}

func (p *Path) String() string { return p.text }

// Wild reports whether the pattern ends in {name...}, which takes any rest.
func (p *Path) Wild() bool {
	n := len(p.segments)
	return n > 0 && p.segments[n-1].rest
}

// match compares the decoded segments of a path, and leaves the values of
// the parameters in params.
func (p *Path) match(r *Request, params *[maxParams]string) bool {
	segments := r.Segments()
	n := len(p.segments)
	rest := n > 0 && p.segments[n-1].rest
	if len(segments) < n || len(segments) > n && !rest {
		return false
	}
	for i := range p.segments {
		s := &p.segments[i]
		switch {
		case s.rest:
			params[s.param] = r.tail(i)
		case s.param >= 0:
			if segments[i] == "" {
				return false
			}
			params[s.param] = segments[i]
		case segments[i] != s.text:
			return false
		}
	}
	return true
}

// Match reports whether a path, as on the wire and without a query, is one
// of the pattern's.
func (p *Path) Match(path string) bool {
	var params [maxParams]string
	return p.match(&Request{Path: path}, &params)
}

// Meets reports whether some path is of both patterns.
func (p *Path) Meets(q *Path) bool {
	a, b := p.segments, q.segments
	for i := 0; ; i++ {
		switch {
		case i == len(a) && i == len(b):
			return true
		case i < len(a) && a[i].rest:
			return i < len(b) // the rest takes one segment or more, be it empty
		case i < len(b) && b[i].rest:
			return i < len(a)
		case i == len(a) || i == len(b):
			return false
		case a[i].param < 0 && b[i].param < 0 && a[i].text != b[i].text,
			a[i].param >= 0 && b[i].param < 0 && b[i].text == "",
			a[i].param < 0 && b[i].param >= 0 && a[i].text == "": // a {name} is not empty
			return false
		}
	}
}

// Covers reports whether every path of q is one of p.
func (p *Path) Covers(q *Path) bool {
	for i := range p.segments {
		if i == len(q.segments) {
			return false
		}
		mine, other := &p.segments[i], &q.segments[i]
		switch {
		case mine.rest:
			return true
		case other.rest,
			mine.param < 0 && (other.param >= 0 || mine.text != other.text),
			mine.param >= 0 && other.param < 0 && other.text == "": // a {name} is not empty
			return false
		}
	}
	return len(p.segments) == len(q.segments)
}

// splitPath cuts a path as on the wire into its decoded segments.
func splitPath(path string) []string {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if strings.IndexByte(path, '%') >= 0 {
		for i, s := range segments {
			if decoded, err := url.PathUnescape(s); err == nil {
				segments[i] = decoded
			}
		}
	}
	return segments
}
