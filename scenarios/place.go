package scenarios

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/oigmock/oigmock/schemas/payload"
)

// A Place is where matchers ask for one exact value: a segment of the path,
// a parameter of the query, a member of the body. An index finds the
// interactions that can answer a request by the values at a few places.
type Place struct {
	room  string
	name  string // of a parameter; into the body a JSON Pointer
	index int    // of a segment
}

var pointerUnescape = strings.NewReplacer("~1", "/", "~0", "~")

const maxPlaces = 32 // that are looked at in one matcher

// Fixed calls add for each place where the interaction asks for one exact
// value, with the key of that value: equal values have equal keys.
func (i *Interaction) Fixed(add func(p Place, key []byte)) {
	m := &i.Request
	left := maxPlaces
	put := func(p Place, key []byte) {
		if left > 0 {
			left--
			add(p, key)
		}
	}
	if c, ok := plain(m.Method); ok {
		put(Place{room: "method"}, []byte(c.text))
	}
	if m.Path != nil {
		params, _ := kindOf[*object](m.Params)
		for at, seg := range m.Path.segments {
			if seg.param < 0 {
				put(Place{room: "path", index: at}, []byte(seg.text))
				continue
			}
			if params == nil || seg.rest {
				continue
			}
			if c, ok := plain(params.member(m.Path.names[seg.param])); ok {
				put(Place{room: "path", index: at}, []byte(c.text))
			}
		}
	}
	if c, ok := plain(m.User); ok {
		put(Place{room: "user"}, []byte(c.text))
	}
	for _, room := range [...]struct {
		name string
		v    *Value
	}{{"query", m.Query}, {"header", m.Header}, {"form", m.Form}} {
		o, ok := kindOf[*object](room.v)
		if !ok {
			continue
		}
		for j, name := range o.names {
			if c, ok := plain(o.values[j]); ok && !(room.name == "header" && http.CanonicalHeaderKey(name) == "Content-Type") {
				put(Place{room: room.name, name: name}, []byte(c.text))
			}
		}
	}
	if m.Body != nil {
		fixedIn(m.Body, "", put)
	}
}

// Asks are what m asks of a request beside its method and path, in the words
// of mismatches: "user", "header X-Requested-By", "body". An operator over all
// headers is "header".
func (m *RequestMatcher) Asks() []string {
	var all []string
	for _, room := range [...]struct {
		name string
		v    *Value
	}{{"user", m.User}, {"query", m.Query}, {"header", m.Header}, {"cookie", m.Cookie}, {"form", m.Form}, {"body", m.Body}, {"text", m.Text}} {
		o, named := kindOf[*object](room.v)
		switch {
		case room.v == nil:
		case !named || room.name == "user" || room.name == "body" || room.name == "text":
			all = append(all, room.name)
		case room.name == "header":
			for _, name := range o.names {
				all = append(all, "header "+http.CanonicalHeaderKey(name))
			}
		default:
			for _, name := range o.names {
				all = append(all, room.name+" "+name)
			}
		}
	}
	return all
}

func kindOf[K kind](v *Value) (k K, ok bool) {
	if v == nil {
		return k, false
	}
	k, ok = v.kind.(K)
	return k, ok
}

// plain is a text, a number or a boolean that stands for itself.
func plain(v *Value) (scalar, bool) {
	c, ok := kindOf[scalar](v)
	return c, ok && c.kind != payload.Null
}

func fixedIn(v *Value, pointer string, put func(Place, []byte)) {
	switch k := v.kind.(type) {
	case scalar:
		put(Place{room: "body", name: pointer}, appendScalarKey(nil, k))
	case *object:
		for i, name := range k.names {
			fixedIn(k.values[i], pointer+"/"+pointerStep.Replace(name), put)
		}
	case array:
		for i, element := range k {
			fixedIn(element, pointer+"/"+strconv.Itoa(i), put)
		}
	case *exactly:
		fixedIn(k.of, pointer, put)
	}
}

func appendScalarKey(dst []byte, c scalar) []byte {
	switch c.kind {
	case payload.String:
		return append(append(dst, 's'), c.text...)
	case payload.Number:
		return payload.CanonicalNumber(append(dst, 'n'), c.text)
	}
	return append(append(dst, 'l'), c.text...)
}

// AppendKey appends the key of the request's value at the place. It reports
// false where there is none, or the budget of work is used up: then no matcher
// that asks for one can match.
func (t *Trial) AppendKey(dst []byte, p *Place) ([]byte, bool) {
	r := t.s.req
	switch p.room {
	case "path":
		if segments := r.Segments(); p.index < len(segments) {
			return append(dst, segments[p.index]...), true
		}
		return dst, false
	case "method":
		return append(dst, r.Method...), true
	case "user":
		return append(dst, t.s.env.User...), t.s.env.User != ""
	case "body":
		return t.s.appendBodyKey(dst, p.name)
	}
	if !t.s.spend(1 + r.lookup(p.room)) {
		return dst, false
	}
	text, n := r.text(p.room, p.name)
	return append(dst, text...), n == 1
}

func (s *scope) appendBodyKey(dst []byte, pointer string) ([]byte, bool) {
	at := s.req.JSON()
	for rest := pointer; rest != "" && at.Kind() != payload.Absent; {
		if !s.spend(1 + at.Work()) {
			return dst, false
		}
		step := rest[1:]
		if i := strings.IndexByte(step, '/'); i >= 0 {
			step, rest = step[:i], step[i:]
		} else {
			rest = ""
		}
		if strings.IndexByte(step, '~') >= 0 {
			step = pointerUnescape.Replace(step)
		}
		at = at.At(step)
	}
	if !s.spend(1 + at.Work()) {
		return dst, false
	}
	switch at.Kind() {
	case payload.String:
		return append(append(dst, 's'), at.Text()...), true
	case payload.Number:
		return payload.CanonicalNumber(append(dst, 'n'), at.Literal()), true
	case payload.Bool:
		return strconv.AppendBool(append(dst, 'l'), at.Bool()), true
	case payload.Null:
		return append(dst, "lnull"...), true
	}
	return dst, false
}
