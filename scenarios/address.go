package scenarios

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/oigmock/oigmock/schemas/payload"
)

const (
	maxAddress = 2048 // bytes
	maxSteps   = 32
	maxNested  = 4 // addresses within addresses
)

// reserved are the rooms that are no path parameter.
var reserved = map[string]bool{
	"query": true, "header": true, "cookie": true, "form": true, "body": true,
	"user": true, "item": true, "key": true, "now": true, "self": true, "url": true,
	"given": true, "new": true, "token": true, letRoom: true,
}

// letRoom is the room of what is set for one answer alone. It is used as records
// are, and forgotten with the answer.
const letRoom = "let"

// Rooms are the rooms of an address that are neither parameters of a path nor
// records.
func Rooms() []string {
	return []string{"query", "header", "cookie", "form", "body", "user", "given", "item", "key", "now", "new", "self", "url", "token", letRoom}
}

// An Address names a place: a room, and steps into what is there. A step is
// a member or an index, or has {ADDRESS} in it: the text found there.
type Address struct {
	text    string
	room    string
	param   int  // of a path parameter; -1: another room
	records bool // the room is one of records
	steps   []addressStep
	shift   shift // of now
}

type addressStep struct {
	text  string        // when it is all literal
	parts []addressPart // else
}

type addressPart struct {
	text string
	at   *Address
}

func (a Address) String() string { return a.text }

// where says what may stand at a place of a file.
type where struct {
	params []string // the path parameters
	loop   bool     // item and key are there
	gives  bool     // operators that give may stand here
	exact  bool     // under $literal
	wire   bool     // all is text: a path, a query, headers, a form
	single bool     // one such text, or several of them: no object
	room   string   // "params", "header" and so on: whose names stand here
	seeds  bool     // there is no request yet: a seed
	sets   bool     // what is given here is remembered: $absent removes
	state  bool     // of a provider state: neither a request, nor a session, nor a time
}

func parseAddress(text string, in where) (Address, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxAddress {
		return Address{}, fmt.Errorf("an address of %d bytes; %d are taken", len(text), maxAddress)
	}
	if strings.Contains(text, "{{") {
		return Address{}, fmt.Errorf("address %s: an address stands here alone, without {{ }}", quote(text))
	}
	a, rest, err := readAddress(text, in, 0)
	if err == nil && rest != "" {
		err = fmt.Errorf("address %s: %q stands behind its end", quote(text), rest[:1])
	}
	return a, err
}

// readAddress reads up to the end, or to the brace that closes it.
func readAddress(text string, in where, depth int) (a Address, rest string, err error) {
	if depth > maxNested {
		return a, "", fmt.Errorf("address %s: more than %d addresses within one another", quote(text), maxNested)
	}
	a.param = -1
	i := strings.IndexAny(text, "/{}")
	if i < 0 {
		i = len(text)
	}
	a.room, rest = strings.TrimSpace(text[:i]), text[i:]
	for strings.HasPrefix(rest, "/") {
		rest = rest[1:]
		var st addressStep
		var parts []addressPart
		for rest != "" && rest[0] != '/' && rest[0] != '}' {
			if rest[0] == '{' {
				var inner Address
				if inner, rest, err = readAddress(rest[1:], in, depth+1); err != nil {
					return a, "", err
				}
				if !strings.HasPrefix(rest, "}") {
					return a, "", fmt.Errorf("address %s: a brace is not closed", quote(text))
				}
				rest = rest[1:]
				parts = append(parts, addressPart{at: &inner})
				continue
			}
			end := strings.IndexAny(rest, "/{}")
			if end < 0 {
				end = len(rest)
			}
			step, err := unescape(rest[:end])
			if err != nil {
				return a, "", fmt.Errorf("address %s: %w", quote(text), err)
			}
			rest = rest[end:]
			if depth > 0 && strings.HasPrefix(rest, "}") {
				step = strings.TrimRight(step, " ")
			}
			if step != "" {
				parts = append(parts, addressPart{text: step})
			}
		}
		switch {
		case len(parts) == 0:
			return a, "", fmt.Errorf("address %s: an empty step", quote(text))
		case len(parts) == 1 && parts[0].at == nil:
			st.text = parts[0].text
		default:
			st.parts = parts
		}
		if a.steps = append(a.steps, st); len(a.steps) > maxSteps {
			return a, "", fmt.Errorf("address %s: more than %d steps", quote(text), maxSteps)
		}
	}
	a.text = strings.TrimSpace(text[:len(text)-len(rest)])
	if strings.HasPrefix(rest, "{") || depth == 0 && strings.HasPrefix(rest, "}") {
		return a, "", fmt.Errorf("address %s: a brace where none can be; {ADDRESS} stands only in a step: tasks/{body/id}", quote(text))
	}
	return a, rest, a.findRoom(in)
}

func unescape(step string) (string, error) {
	if !strings.Contains(step, "~") {
		return step, nil
	}
	for i := 0; i < len(step); i++ {
		if step[i] == '~' {
			if i+1 == len(step) || step[i+1] != '0' && step[i+1] != '1' {
				return "", errors.New("a ~ is written ~0, and a slash in a step ~1")
			}
			i++
		}
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(step), nil
}

func (a *Address) findRoom(in where) error {
	room := a.room
	if slices.Contains(in.params, room) {
		if len(a.steps) > 0 {
			return fmt.Errorf("address %s: %s is a parameter of the path, a text, and nothing is in it; if records are meant, name one of both otherwise", quote(a.text), room)
		}
		a.param = slices.Index(in.params, room)
		return nil
	}
	if word, dur, ok := cutShift(room); ok && word == "now" {
		sh, err := parseShift(dur)
		if err != nil {
			return fmt.Errorf("address %s: %w", quote(a.text), err)
		}
		a.room, a.shift = "now", sh
		room = "now"
	}
	switch room {
	case "":
		return errors.New("an address is missing: a room such as body, and steps such as /id")
	case "query", "header", "cookie", "form", "given":
		if len(a.steps) != 1 && (room != "given" || len(a.steps) == 0) {
			return fmt.Errorf("address %s: want %s/NAME", quote(a.text), room)
		}
	case "now", "self", "url", "user", "key", "new", "token":
		if len(a.steps) > 0 {
			return fmt.Errorf("address %s: nothing is in %s", quote(a.text), room)
		}
		fallthrough
	case "item":
		if !in.loop && (room == "item" || room == "key") {
			return fmt.Errorf("address %s: %s is there only in a loop ($for)", quote(a.text), room)
		}
		if room == "new" && !in.gives {
			return fmt.Errorf("address %s: new is a number that is nowhere yet: it can be given and set, but here something is looked for", quote(a.text))
		}
		if room == "token" && !in.gives {
			return fmt.Errorf("address %s: token is signed for the caller: it can be given and set, but here something is looked for; who sends one is the user", quote(a.text))
		}
	case "body":
	case letRoom:
		if in.seeds {
			return fmt.Errorf("address %s: let is forgotten with the answer that it was set for, and seeds are remembered", quote(a.text))
		}
		if len(a.steps) == 0 {
			return fmt.Errorf("address %s: want let/NAME", quote(a.text))
		}
		if !in.gives && !in.loop {
			return fmt.Errorf("address %s: let is set when the interaction answers, and here it is asked whether it does", quote(a.text))
		}
		a.records = true
	default:
		// Whether a file seeds it is asked when all files are there.
		a.records = true
		if !recordRoom(room) {
			return fmt.Errorf("address %s: %s is no name for a room: letters, digits, - _ . : and @", quote(a.text), quote(room))
		}
	}
	switch {
	case in.state:
		return fmt.Errorf("address %s: the parameters of a provider state are compared with what stands here, and nothing is looked up", quote(a.text))
	case in.seeds && !a.records && !slices.Contains([]string{"now", "new", "given", "item", "key"}, room):
		return fmt.Errorf("address %s: %s is told by a request, and records are seeded before there is one", quote(a.text), room)
	}
	return nil
}

// recordRoom tells a name that a room of records can have.
func recordRoom(name string) bool {
	return name != "" && strings.IndexFunc(name, func(r rune) bool {
		return !nameRune(r) && !strings.ContainsRune(".:@", r) && r < 0x80 || r == utf8.RuneError || IsControl(r)
	}) < 0
}

// Room is the first step of the address, and whether it is a room of records.
func (a *Address) Room() (name string, records bool) { return a.room, a.records }

// within calls f with each address within the steps of a, at every depth.
func (a *Address) within(f func(*Address)) {
	for i := range a.steps {
		for _, p := range a.steps[i].parts {
			if p.at != nil {
				f(p.at)
				p.at.within(f)
			}
		}
	}
}

// resolve finds the value at an address; the zero Value where nothing is.
func (s *scope) resolve(a *Address) payload.Value {
	if a.records {
		b := s.remembered(a)
		if !s.spend(b.cost()) {
			return payload.Value{}
		}
		return b.value()
	}
	if a.param >= 0 {
		s.dynamic = true
		if a.param >= len(s.named) {
			return payload.Value{}
		}
		return payload.Text(s.params[a.param])
	}
	var at payload.Value
	steps := a.steps
	switch a.room {
	case "item":
		at = s.item
	case "key":
		return s.key
	case "now":
		s.dynamic = true
		return payload.Text(payload.ISO.Format(a.shift.from(s.now())))
	case "user":
		s.dynamic = true
		if s.env.User == "" {
			return payload.Value{}
		}
		return payload.Text(s.env.User)
	case "url":
		s.dynamic = true
		return payload.Text(s.env.URL)
	case "new":
		s.dynamic = true
		if s.fresh == "" {
			s.fresh, s.tree = s.tree.fresh()
		}
		return payload.Text(s.fresh)
	case "token":
		v, _ := s.sign() // a step that is none is told as such
		return v
	case "given":
		s.dynamic = true
		name, ok := s.step(&steps[0])
		if !ok {
			return payload.Value{}
		}
		at, steps = s.given(name), steps[1:]
	default:
		s.dynamic = true
		if s.req == nil {
			return payload.Value{}
		}
		switch a.room {
		case "self":
			return payload.Text(s.env.URL + s.req.Path)
		case "body":
			at = s.req.JSON()
		default:
			name, ok := s.step(&steps[0])
			if !ok {
				return payload.Value{}
			}
			if !s.spend(1 + s.req.size(a.room)/32) {
				return payload.Value{}
			}
			return wireValue(s.req.texts(a.room, name))
		}
	}
	for i := range steps {
		name, ok := s.step(&steps[i])
		if !ok || !s.spend(1+at.Len()) {
			return payload.Value{}
		}
		at = at.At(name)
	}
	return at
}

// step is the text of a step: one step, whatever it holds.
func (s *scope) step(st *addressStep) (string, bool) {
	if st.parts == nil {
		return st.text, true
	}
	var b strings.Builder
	for _, p := range st.parts {
		if p.at == nil {
			b.WriteString(p.text)
			continue
		}
		v := s.resolve(p.at)
		if k := v.Kind(); k == payload.Absent || k == payload.Array || k == payload.Object {
			return "", false
		}
		text := textOf(v)
		if !s.spend(v.Work() + len(text)/16) {
			return "", false
		}
		b.WriteString(text)
	}
	return b.String(), true
}

// missing is the first address within the steps of a where no text is.
func (s *scope) missing(a *Address) (text string) {
	a.within(func(at *Address) {
		if k := s.resolve(at).Kind(); text == "" && (k == payload.Absent || k == payload.Array || k == payload.Object) {
			text = at.text
		}
	})
	return text
}

// remembered finds what the session remembers at an address; nil for nothing.
func (s *scope) remembered(a *Address) *branch {
	s.dynamic = true
	if a.room != letRoom && !slices.Contains(s.looked, a.room) {
		s.looked = append(s.looked, a.room)
	}
	var room [8]string
	steps, ok := s.path(room[:0], a)
	if !ok {
		return nil
	}
	b := s.treeOf(a.room).at(nil)
	for _, step := range steps {
		if !s.spend(1 + b.len()/256) {
			return nil
		}
		b = b.child(step)
	}
	return b
}

// treeOf is where a room of records stands.
func (s *scope) treeOf(room string) *Tree {
	if room == letRoom {
		return &s.let
	}
	return &s.tree
}

// path is an address of records as steps from the root. It reports false where
// a step cannot be told.
func (s *scope) path(dst []string, a *Address) ([]string, bool) {
	dst = append(dst, a.room)
	for i := range a.steps {
		name, ok := s.step(&a.steps[i])
		if !ok || !s.spend(2) {
			return dst, false
		}
		dst = append(dst, name)
	}
	return dst, true
}

// exampleToken stands where nobody signs any: it is one by its form alone.
const exampleToken = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJleGFtcGxlIn0.not-signed"

// signWork is what to sign a token costs: about a millisecond.
const signWork = 20_000

// sign is a token for the caller; the zero Value for nobody. It is signed once,
// however often an answer names it, since nothing else there costs as much.
func (s *scope) sign() (payload.Value, error) {
	s.dynamic = true
	switch {
	case s.env.User == "":
		return payload.Value{}, nil
	case s.env.Token == nil:
		return payload.Text(exampleToken), nil
	case s.signed == "":
		if !s.spend(signWork) {
			return payload.Value{}, errors.New("it costs too much to make")
		}
		var err error
		if s.signed, err = s.env.Token(s.env.User, s.now()); err != nil {
			return payload.Value{}, err
		}
	}
	return payload.Text(s.signed), nil
}

// given is a parameter of the scenario's provider states; of two states with
// the same parameter the later counts.
func (s *scope) given(name string) payload.Value {
	if s.of == nil {
		return payload.Value{}
	}
	for _, st := range slices.Backward(s.of.Given) {
		if v := s.env.Given[st.Name].Member(name); v.Kind() != payload.Absent {
			return v
		}
	}
	return payload.Value{}
}

func wireValue(texts []string) payload.Value {
	switch len(texts) {
	case 0:
		return payload.Value{}
	case 1:
		return payload.Text(texts[0])
	}
	return payload.Texts(texts)
}

func keysOf[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
