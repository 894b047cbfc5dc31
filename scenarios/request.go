package scenarios

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/oigmock/oigmock/schemas/payload"
)

// A Request is what arrived: facts, read once, never changed. Make one with
// NewRequest, or fill in the exported fields and leave it at that.
type Request struct {
	Method string
	Path   string // as on the wire, without the query
	Query  string // as on the wire, without the question mark
	Host   string // the header Host, which net/http keeps apart; "" where Header has it, if any
	Header http.Header
	Body   []byte

	segments []string // of the path, decoded
	tailed   string   // the segments from tailFrom on
	tailFrom int
	query    []pair
	form     []pair
	read     uint8                       // which of query and form were read
	looked   int                         // at pairs, to find a name
	index    map[string]map[string]named // by room and name, when they are looked at too often
	doc      *payload.Document
	bad      error // why Body is no JSON
}

type pair struct{ name, value string }

// named is the first value of a name, and how many there are.
type named struct {
	first string
	n     int
}

// maxLooked is how many pairs are looked at one by one, for a few milliseconds.
const maxLooked = 1 << 20

const (
	readQuery = 1 << iota
	readForm
	readBody
)

// NewRequest makes a Request of a method, a target such as /a/b?c=d, headers
// and a body. The body is screened at once; what it is short of is BodyFault.
func NewRequest(method, target string, header http.Header, body []byte) *Request {
	path, query, _ := strings.Cut(target, "?")
	r := &Request{Method: method, Path: path, Query: query, Header: header, Body: body}
	r.scan()
	return r
}

func (r *Request) scan() {
	if r.read&readBody == 0 {
		r.read |= readBody
		if len(r.Body) > 0 {
			r.doc, r.bad = payload.Scan(r.Body)
		}
	}
}

// JSON is the body as JSON; absent where it is none.
func (r *Request) JSON() payload.Value {
	r.scan()
	return r.doc.Root()
}

// BodyFault says why the body is no JSON; nil where it is, or is empty.
func (r *Request) BodyFault() error {
	r.scan()
	return r.bad
}

// Forget drops all that was derived from the exported fields. It is derived
// anew when it is asked for.
func (r Request) Forget() Request {
	return Request{Method: r.Method, Path: r.Path, Query: r.Query, Host: r.Host, Header: r.Header, Body: r.Body}
}

// Segments are the decoded segments of the path.
func (r *Request) Segments() []string {
	if r.segments == nil {
		r.segments = splitPath(r.Path)
	}
	return r.segments
}

// tail is the path from a segment on. Patterns that end in {rest...} mostly
// ask for the same one, and a path may have a great many segments.
func (r *Request) tail(from int) string {
	if r.tailFrom != from || r.tailed == "" {
		r.tailFrom, r.tailed = from, strings.Join(r.Segments()[from:], "/")
	}
	return r.tailed
}

// texts are the values of a name in a room of texts.
func (r *Request) texts(room, name string) []string {
	switch room {
	case "query", "form":
		return valuesOf(r.pairs(room), name)
	case "header":
		name = http.CanonicalHeaderKey(name)
		if name == "Host" && r.Host != "" {
			return []string{r.Host}
		}
		return r.Header[name]
	case "cookie":
		var values []string
		for _, line := range r.Header["Cookie"] {
			for part := range strings.SplitSeq(line, ";") {
				if n, v, ok := strings.Cut(strings.TrimSpace(part), "="); ok && n == name {
					values = append(values, strings.Trim(v, `"`))
				}
			}
		}
		return values
	}
	return nil
}

// text is the first value of a name in a room of texts, and how many there
// are.
func (r *Request) text(room, name string) (string, int) {
	switch room {
	case "query", "form":
		pairs := r.pairs(room)
		if r.looked > maxLooked {
			f := r.indexed(room)[name]
			return f.first, f.n
		}
		r.looked += len(pairs)
		first, n := "", 0
		for i := range pairs {
			if pairs[i].name == name {
				if n == 0 {
					first = pairs[i].value
				}
				n++
			}
		}
		return first, n
	}
	if all := r.texts(room, name); len(all) > 0 {
		return all[0], len(all)
	}
	return "", 0
}

// indexed are the pairs of a room by name. To make it takes as long as to look
// through the pairs many times.
func (r *Request) indexed(room string) map[string]named {
	if r.index[room] == nil {
		if r.index == nil {
			r.index = map[string]map[string]named{}
		}
		names := map[string]named{}
		for _, p := range r.pairs(room) {
			f := names[p.name]
			if f.n == 0 {
				f.first = p.value
			}
			f.n++
			names[p.name] = f
		}
		r.index[room] = names
	}
	return r.index[room]
}

// pairs are the parameters of the query or of the form.
func (r *Request) pairs(room string) []pair {
	if room == "query" {
		if r.read&readQuery == 0 {
			r.read |= readQuery
			r.query = splitPairs(r.Query)
		}
		return r.query
	}
	if r.read&readForm == 0 {
		r.read |= readForm
		if mediaType(r.Header.Get("Content-Type")) == "application/x-www-form-urlencoded" {
			r.form = splitPairs(string(r.Body))
		}
	}
	return r.form
}

// size is about what it takes to make an object of a room, and lookup what it
// takes to find one name in it, in steps of work.
func (r *Request) size(room string) (n int) {
	switch room {
	case "query", "form":
		return len(r.pairs(room))
	case "cookie":
		return r.lookup(room)
	case "header":
		for _, values := range r.Header {
			n += len(values)
		}
	}
	return n
}

func (r *Request) lookup(room string) (n int) {
	switch room {
	case "query", "form":
		return len(r.pairs(room)) / 32
	case "cookie":
		for _, line := range r.Header["Cookie"] {
			n += len(line) / 3
		}
	}
	return n
}

// namesIn are the names in a room of texts, in the order of the request
// where it has one, each once.
func (r *Request) namesIn(room string) []string {
	var names []string
	switch room {
	case "header":
		names = keysOf(r.Header)
		if at, there := slices.BinarySearch(names, "Host"); r.Host != "" && !there {
			names = slices.Insert(names, at, "Host")
		}
		return names
	case "cookie":
		for _, line := range r.Header["Cookie"] {
			for part := range strings.SplitSeq(line, ";") {
				if n, _, ok := strings.Cut(strings.TrimSpace(part), "="); ok {
					names = append(names, n)
				}
			}
		}
	default:
		for _, p := range r.pairs(room) {
			names = append(names, p.name)
		}
	}
	seen := make(map[string]bool, len(names))
	once := names[:0]
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			once = append(once, n)
		}
	}
	return once
}

// splitPairs reads a query or a form. A semicolon is a character like any
// other, and what is not percent-encoded well stays as it is: nothing is lost.
func splitPairs(text string) []pair {
	if text == "" {
		return nil
	}
	var pairs []pair
	for part := range strings.SplitSeq(text, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		pairs = append(pairs, pair{decodeQuery(name), decodeQuery(value)})
	}
	return pairs
}

func decodeQuery(text string) string {
	if !strings.ContainsAny(text, "%+") {
		return text
	}
	if decoded, err := url.QueryUnescape(text); err == nil {
		return decoded
	}
	return text
}

func valuesOf(pairs []pair, name string) []string {
	var all []string
	for _, p := range pairs {
		if p.name == name {
			all = append(all, p.value)
		}
	}
	return all
}

func mediaType(header string) string {
	text, _, _ := strings.Cut(header, ";")
	return strings.ToLower(strings.TrimSpace(text))
}

// sameMedia compares two media types as one: letters in any case, and only
// the parameters that want names.
func sameMedia(want, got string) bool {
	if want == got {
		return true
	}
	w, wp, err := mime.ParseMediaType(want)
	if err != nil {
		return false
	}
	g, gp, err := mime.ParseMediaType(got)
	if err != nil || w != g {
		return false
	}
	for name, value := range wp {
		if !strings.EqualFold(gp[name], value) {
			return false
		}
	}
	return true
}
