package scenarios

import (
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oigmock/oigmock/schemas/didyoumean"
	"github.com/oigmock/oigmock/schemas/payload"
	"gopkg.in/yaml.v3"
)

func (p *parser) scenario(n *yaml.Node) *Scenario {
	s := &Scenario{Pos: p.pos(n)}
	seeds := where{seeds: true, gives: true, sets: true}
	nodes := map[string]*yaml.Node{}
	mapping := p.entries(n, "a scenario", func(name string, k, v *yaml.Node) {
		nodes[name] = v
		switch name {
		case "scenario":
			s.Title = p.text(v, name)
		case "source":
			s.Source = p.word(v, name, sources)
		case "from":
			s.From = p.text(v, name)
		case "releases":
			if v.Kind != yaml.SequenceNode || len(v.Content) == 0 {
				p.fault(v, "releases: want a list such as [11.1.2.3], got %s", nodeWords(v))
				return
			}
			for _, r := range v.Content {
				release := p.text(r, "releases")
				if release != "" && !releaseForm.MatchString(release) {
					p.fault(r, "releases: %s is no release such as 11.1.2.3", quote(release))
				}
				s.Releases = append(s.Releases, release)
			}
		case "given":
			s.Given = p.given(v)
		case "records":
			s.Records = p.sentences(v, name, seeds)
		case "interactions":
		default:
			p.unknown(k, "a scenario", name, scenarioKeys)
		}
	})
	if !mapping {
		return nil
	}
	if nodes["scenario"] == nil {
		p.fault(n, "a scenario: the key \"scenario\" is missing: what situation is it, in words?")
	}
	if nodes["source"] == nil {
		p.fault(n, "a scenario: the key \"source\" is missing: %s", strings.Join(sources, ", "))
	}
	if v := nodes["records"]; v != nil && v.Kind == yaml.MappingNode && len(v.Content) == 0 {
		p.fault(v, "records: want what is remembered, such as tasks: {\"1006\": {}}, got {}")
	}
	list := nodes["interactions"]
	if list == nil {
		if nodes["records"] == nil {
			p.fault(n, "a scenario: the key \"interactions\" is missing, or \"records\"")
		}
		return s // it only seeds
	}
	if list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		p.fault(list, "interactions: want a list, got %s", nodeWords(list))
		return s
	}
	for _, each := range list.Content {
		if i := p.interaction(each); i != nil {
			i.of = s
			s.Interactions = append(s.Interactions, i)
		}
	}
	return s
}

var releaseForm = regexp.MustCompile(`^[0-9]+(\.[0-9]+){0,5}$`)

func (p *parser) interaction(n *yaml.Node) *Interaction {
	i := &Interaction{Pos: p.pos(n)}
	nodes := map[string]*yaml.Node{}
	mapping := p.entries(n, "an interaction", func(name string, k, v *yaml.Node) {
		if !slices.Contains(interactionKeys, name) {
			p.unknown(k, "an interaction", name, interactionKeys)
			return
		}
		nodes[name] = v
		if name == "name" {
			if i.Name = p.text(v, name); len(i.Name) > maxName {
				p.fault(v, "name: it has %d bytes; %d are taken", len(i.Name), maxName)
			}
			i.Pos = p.pos(k)
			if first, taken := p.names[i.Name]; taken && i.Name != "" {
				p.fault(v, "%s is the name of another interaction of this file, at line %d", quote(i.Name), first.Line)
			}
			p.names[i.Name] = p.pos(v)
		}
	})
	if !mapping {
		return nil
	}
	if nodes["name"] == nil {
		p.fault(n, "an interaction: the key \"name\" is missing: one promise, in words")
	}
	if v := nodes["order"]; v != nil {
		switch p.word(v, "order", orders) {
		case "first":
			i.Order = First
		case "last":
			i.Order = Last
		}
	}
	var in where
	if v := nodes["request"]; v != nil {
		in.params = p.request(v, &i.Request)
	} else {
		p.fault(n, "an interaction: the key \"request\" is missing: {} is any")
	}
	if v := nodes["when"]; v != nil {
		i.When = p.sentences(v, "when", in)
	}
	if v := nodes["set"]; v != nil {
		i.Set = p.sentences(v, "set", in)
	}
	response, adds := nodes["response"], nodes["adds"]
	switch {
	case response != nil && adds != nil:
		p.fault(adds, "an interaction answers (response) or adds to what answers (adds), not both")
	case response != nil:
		i.Responses = p.responses(response, "response", in, i.Request.Path)
	case adds != nil:
		i.Adds = true
		i.Responses = p.responses(adds, "adds", in, i.Request.Path)
		if i.Order != Ordinary {
			p.fault(nodes["order"], "order: what adds stands outside the order; leave it out")
		}
	default:
		p.fault(n, "an interaction: the key \"response\" is missing, or \"adds\"%s", tooFar(nodes))
	}
	p.turns(i, nodes, in)
	return i
}

// tooFar tells where an answer stands that is indented further than was
// meant: what is read of it there is told by other faults, if at all.
func tooFar(nodes map[string]*yaml.Node) string {
	for _, key := range []string{"request", "when", "set"} {
		n := nodes[key]
		if n == nil || n.Kind != yaml.MappingNode {
			continue
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if name := n.Content[i].Value; (name == "response" || name == "adds") && n.Content[i+1].Kind != yaml.ScalarNode {
				return "; one stands inside " + quote(key) + ": indent it less"
			}
		}
	}
	return ""
}

// given reads the provider states that a scenario waits for.
func (p *parser) given(n *yaml.Node) []ProviderState {
	all := []ProviderState{}
	switch {
	case n.Kind == yaml.AliasNode: // a fault of its own
	case n.Kind == yaml.MappingNode && len(n.Content) > 0:
		p.entries(n, "given", func(name string, k, v *yaml.Node) {
			st := ProviderState{Name: name, Pos: p.pos(k)}
			switch {
			case name == "":
				p.fault(k, "given: a provider state without a name")
			case v.Kind == yaml.ScalarNode && v.ShortTag() == "!!null", v.Kind == yaml.AliasNode: // no parameters
			case v.Kind != yaml.MappingNode:
				p.fault(v, "given %s: want the parameters of the state, such as {id: \"42\"}, got %s", quote(name), nodeWords(v))
			default:
				st.Params = p.value(v, where{state: true})
			}
			all = append(all, st)
		})
	case n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" || n.Value == "":
		p.fault(n, "given: want a provider state, or {STATE: {NAME: VALUE of a parameter}}, got %s", nodeWords(n))
	default:
		all = append(all, ProviderState{Name: n.Value, Pos: p.pos(n)})
	}
	return all
}

func isList(n *yaml.Node) bool { return n != nil && n.Kind == yaml.SequenceNode }

// turns reads when an interaction takes part, and which of its responses it
// serves.
func (p *parser) turns(i *Interaction, nodes map[string]*yaml.Node, in where) {
	for _, key := range [][2]string{{"then", "what follows a list of answers"}, {"per", "for what a list of answers is counted apart"}} {
		if v := nodes[key[0]]; v != nil && !isList(nodes["response"]) && !isList(nodes["adds"]) && len(i.Responses) > 0 {
			list := "response: [{status: 200}, {status: 404}]"
			if i.Adds {
				list = "adds: [{}, {fault: reset}]"
			}
			p.fault(v, "%s: it says %s, and here is one answer; a list is %s", key[0], key[1], list)
		}
	}
	if v := nodes["then"]; v != nil {
		switch text := p.text(v, "then"); text {
		case "":
		case "loop":
			i.Then = Loop
		case "fail":
			i.Then = Fail
		default:
			p.fault(v, "then %s is none of %s; left out, the last answer repeats%s", quote(text), strings.Join(thens, ", "), didyoumean.Hint(text, thens))
		}
	}
	if v := nodes["per"]; v != nil {
		if text := p.text(v, "per"); text != "" {
			a, err := parseAddress(text, in)
			if err != nil {
				p.fault(v, "per: %s", err)
			}
			i.Per = &a
			p.note(v, &a)
		}
	}
	if v := nodes["chance"]; v != nil {
		share := 0.0
		if v.Kind == yaml.ScalarNode && chanceForm.MatchString(v.Value) {
			share, _ = strconv.ParseFloat(strings.TrimSuffix(v.Value, "%"), 64)
		}
		if share <= 0 || share > 100 {
			p.fault(v, "chance: want a share of the requests such as 10%%, more than 0%% and up to 100%%, got %s", nodeWords(v))
		}
		i.Chance = share / 100
	}
	if v := nodes["beyond"]; v != nil {
		text, in, _ := strings.Cut(v.Value, "/")
		requests, err := strconv.ParseUint(text, 10, 31)
		d, bad := ParseDuration(in)
		if v.Kind != yaml.ScalarNode || err != nil || bad != nil || requests < 1 || d <= 0 {
			p.fault(v, "beyond: want so many requests, from 1, in a time, such as 10/1m, got %s", nodeWords(v))
		}
		i.Beyond = &Rate{int(requests), d}
	}
}

// chanceForm has no more decimals than are written again just so.
var chanceForm = regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{1,6})?%$`)

// request reads what must arrive, and gives the path parameters.
func (p *parser) request(n *yaml.Node, m *RequestMatcher) []string {
	nodes := map[string]*yaml.Node{}
	if !p.entries(n, "request", func(name string, k, v *yaml.Node) {
		if !slices.Contains(requestKeys, name) {
			p.unknown(k, "request", name, requestKeys)
			return
		}
		nodes[name] = v
	}) {
		return nil
	}
	wire, single := where{wire: true}, where{wire: true, single: true}
	if v := nodes["path"]; v != nil {
		if v.Kind == yaml.ScalarNode {
			path, err := p.same.path(v.Value)
			if err != nil {
				p.fault(v, "%s", err)
				// What the other keys say of its parameters is no fault of theirs.
				for _, name := range pathNames.FindAllStringSubmatch(v.Value, -1) {
					wire.params = append(wire.params, name[1])
				}
			} else {
				m.Path, m.pathPos = path, p.pos(v)
				wire.params = path.names
			}
		} else {
			m.PathText = p.one(v, "path", single)
		}
	}
	if v := nodes["method"]; v != nil {
		m.Method = p.one(v, "method", single)
		if c, ok := plain(m.Method); ok {
			m.method = c.text
		}
		if c, ok := plain(m.Method); ok && (c.text == "" || strings.ToUpper(c.text) != c.text || strings.ContainsAny(c.text, " \t/")) {
			p.fault(v, "method %s: methods are words in capital letters", quote(c.text))
		}
	}
	for _, room := range []struct {
		name string
		to   **Value
	}{{"params", &m.Params}, {"query", &m.Query}, {"header", &m.Header}, {"cookie", &m.Cookie}, {"form", &m.Form}} {
		v := nodes[room.name]
		if v == nil {
			continue
		}
		if v.Kind != yaml.MappingNode {
			p.fault(v, "%s: want names and values, got %s", room.name, nodeWords(v))
			continue
		}
		in := wire
		in.room = room.name
		*room.to = p.value(v, in)
	}
	p.thereAnyway(m)
	single.params = wire.params
	if v := nodes["user"]; v != nil {
		m.User = p.one(v, "user", single)
		if c, ok := plain(m.User); ok && strings.Contains(c.text, ":") {
			p.fault(v, "user is the login alone; a password is set with serve --user NAME:PASSWORD")
		}
	}
	in := where{params: wire.params}
	if v := nodes["body"]; v != nil {
		m.Body = p.value(v, in)
	}
	if v := nodes["text"]; v != nil {
		m.Text = p.one(v, "text", single)
		if nodes["body"] != nil {
			p.fault(v, "text: a request has a body, or a text, not both")
		}
	}
	if v := nodes["form"]; v != nil && (nodes["body"] != nil || nodes["text"] != nil) {
		p.fault(v, "form: a request has a form, or another body, not both")
	}
	if v := nodes["payload"]; v != nil {
		switch p.word(v, "payload", payloads) {
		case "invalid":
			m.Payload = Invalid
		case "any":
			m.Payload = Any
		}
	}
	return wire.params
}

// thereAnyway reports parameters of the path that must be absent: no path that
// matches is without them.
func (p *parser) thereAnyway(m *RequestMatcher) {
	const hint = "there wherever the path matches, so $absent never holds; a path without is another path"
	if _, none := kindOf[absent](m.Params); none {
		p.faultAt(m.Params.Pos, "params: the parameters are %s", hint)
	}
	params, ok := kindOf[*object](m.Params)
	if !ok || m.Path == nil {
		return
	}
	for i, name := range params.names {
		if _, none := kindOf[absent](params.values[i]); none && slices.Contains(m.Path.names, name) {
			p.faultAt(params.values[i].Pos, "params: {%s} is %s", name, hint)
		}
	}
}

// one reads the VALUE of a single text.
func (p *parser) one(n *yaml.Node, what string, in where) *Value {
	if n.Kind == yaml.SequenceNode {
		p.fault(n, "%s: want a text or an operator, got a list; one of several is {$oneOf: […]}", what)
	}
	return p.value(n, in)
}

var pathNames = regexp.MustCompile(`[{:]([A-Za-z0-9_-]+)`)

// name reports a name that its room cannot have, and gives it as the room
// writes it.
func (p *parser) name(k *yaml.Node, name string, in where) string {
	switch {
	case in.room == "params" && !slices.Contains(in.params, name):
		p.fault(k, "params: the path has no {%s}%s", name, didyoumean.Hint(name, in.params))
	case in.room == "header" && !headerName(name):
		p.fault(k, "header: %s is no name of a header", quote(name))
	case in.room == "header":
		return http.CanonicalHeaderKey(name)
	}
	return name
}

func headerName(name string) bool {
	return name != "" && strings.IndexFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
	}) < 0
}

// sentences reads what must be somewhere (when), or what shall be there (set,
// records).
func (p *parser) sentences(n *yaml.Node, what string, in where) []Sentence {
	var all []Sentence
	in.gives, in.sets = what != "when", what != "when"
	p.entries(n, what, func(name string, k, v *yaml.Node) {
		room, _, _ := strings.Cut(name, "/")
		if room, _, _ = cutShift(strings.TrimSpace(room)); in.sets && room != letRoom && (reserved[room] || slices.Contains(in.params, room)) {
			p.fault(k, "%s: %s is no record: what is remembered has a name of its own, such as tasks/5", what, quote(name))
			return
		}
		at, err := parseAddress(name, in)
		if err != nil {
			p.fault(k, "%s: %s", what, err)
			return
		}
		if what == "records" { // its own room is seeded here
			at.within(func(at *Address) { p.noteOne(k, at) })
		} else {
			p.note(k, &at)
		}
		all = append(all, Sentence{at, p.value(v, in), p.pos(k)})
	})
	return all
}

// responses reads one answer, or a list of them.
func (p *parser) responses(n *yaml.Node, what string, in where, of *Path) (all []*ResponseTemplate) {
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		if list = n.Content; len(list) == 0 {
			p.fault(n, "%s: want an answer, or a list of them, got an empty list", what)
		}
	}
	for _, each := range list {
		all = append(all, p.response(each, what, in, of))
	}
	return all
}

func (p *parser) response(n *yaml.Node, what string, in where, of *Path) *ResponseTemplate {
	t := &ResponseTemplate{Pos: p.pos(n), path: of}
	in.gives = true
	var bodies []*yaml.Node
	stated := false
	p.sized = nil
	p.entries(n, what, func(name string, k, v *yaml.Node) {
		switch name {
		case "status":
			stated = true
			t.Status = p.status(v, in)
		case "header":
			p.headers(v, in, t)
		case "body":
			t.Body = p.value(v, in)
			bodies = append(bodies, k)
		case "text":
			wire := in
			wire.wire = true
			t.Text = p.value(v, wire)
			bodies = append(bodies, k)
		case "file":
			t.File = p.text(v, name)
			p.bodyFile(v, t)
			bodies = append(bodies, k)
		case "delay":
			t.Delay = p.delay(v)
		case "fault":
			t.Damage = p.damage(v)
		default:
			p.unknown(k, what, name, responseKeys)
		}
	})
	if len(bodies) > 1 {
		p.fault(bodies[1], "%s: body, text and file exclude one another", what)
	}
	if !stated && what == "response" && n.Kind == yaml.MappingNode {
		p.fault(n, "response: the key \"status\" is missing")
	}
	if !stated && what == "adds" && p.sized != nil {
		p.fault(p.sized, "adds: $error tells the status: say one")
	}
	if len(p.faults) == 0 {
		if err := t.prepare(); err != nil {
			p.faultAt(err.Pos, "%s", err.Why)
		}
	}
	return t
}

func (p *parser) status(n *yaml.Node, in where) *Value {
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "{{") {
		return p.value(n, in)
	}
	status, err := strconv.Atoi(n.Value)
	switch {
	case n.Kind != yaml.ScalarNode || err != nil:
		p.fault(n, "status: want a number, got %s", nodeWords(n))
		return nil
	case status < 200 || status > 599:
		p.fault(n, "status %d: want a number from 200 to 599", status)
		return nil
	}
	return &Value{p.pos(n), scalar{kind: payload.Number, text: strconv.Itoa(status)}}
}

func (p *parser) headers(n *yaml.Node, in where, t *ResponseTemplate) {
	in.wire = true
	seen := map[string]bool{}
	p.entries(n, "header", func(name string, k, v *yaml.Node) {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !headerName(name):
			p.fault(k, "header: %s is no name of a header", quote(name))
			return
		case seen[canonical]:
			p.fault(k, "header: %s is given twice; several values are a list", canonical)
			return
		case slices.ContainsFunc([]string{"Content-Length", "Transfer-Encoding", "Connection", "X-Mock-Scenario", "X-Mock-Error"},
			func(own string) bool { return strings.EqualFold(own, name) }):
			p.fault(k, "header: %s is set by the server itself", name)
			return
		}
		seen[canonical] = true
		h := Header{Name: name}
		values := []*yaml.Node{v}
		if v.Kind == yaml.SequenceNode {
			values = v.Content
		}
		for _, each := range values {
			value := p.value(each, in)
			if c, ok := plain(value); ok {
				if bad := badHeader(c.text); bad != "" {
					p.fault(each, "header %s: %s", name, bad)
				}
			}
			h.Values = append(h.Values, value)
		}
		t.Header = append(t.Header, h)
	})
}

// bodyFile notes the file whose bytes a response is.
func (p *parser) bodyFile(n *yaml.Node, t *ResponseTemplate) {
	switch name := t.File; {
	case name == "":
	case !p.inFolder:
		p.fault(n, "file: only a scenario that stands in a folder can name a file")
	case !fs.ValidPath(name) || strings.Contains(name, `\`):
		p.fault(n, "file: %s is no file below this one's folder", quote(name))
	default:
		p.bodies = append(p.bodies, bodyFile{p.pos(n), path.Join(p.folder, name), t})
	}
}

func (p *parser) delay(n *yaml.Node) *Delay {
	read := func(n *yaml.Node) time.Duration {
		d, err := ParseDuration(n.Value)
		switch {
		case n.Kind != yaml.ScalarNode:
			p.fault(n, "delay: want a time such as 200ms, got %s", nodeWords(n))
		case err != nil:
			p.fault(n, "delay: %s", err)
		case d > MaxDelay:
			p.fault(n, "delay: %s is longer than %.0f minutes", n.Value, MaxDelay.Minutes())
		}
		return d
	}
	if n.Kind != yaml.MappingNode {
		d := read(n)
		return &Delay{Min: d, Max: d}
	}
	d := &Delay{}
	p.entries(n, "delay", func(name string, k, v *yaml.Node) {
		switch name {
		case "uniform":
			if v.Kind != yaml.SequenceNode || len(v.Content) != 2 {
				p.fault(v, "uniform: want [LEAST, MOST], got %s", nodeWords(v))
				return
			}
			if d.Min, d.Max = read(v.Content[0]), read(v.Content[1]); d.Max < d.Min {
				p.fault(v, "uniform: the first is longer than the second")
			}
		case "lognormal":
			d.Max = MaxDelay
			mapping := p.entries(v, "lognormal", func(name string, k, v *yaml.Node) {
				switch name {
				case "median":
					d.Median = read(v)
				case "max":
					d.Max = read(v)
				case "sigma":
					var err error
					if d.Sigma, err = strconv.ParseFloat(v.Value, 64); err != nil || !(d.Sigma >= 0 && d.Sigma <= 10) {
						p.fault(v, "sigma: want a number from 0 to 10, got %s", nodeWords(v))
					}
				default:
					p.unknown(k, "lognormal", name, lognormalKeys)
				}
			})
			if mapping && (d.Median <= 0 || d.Max < d.Median) {
				p.fault(v, "lognormal: want a median, and a max that is no less")
			}
		default:
			p.unknown(k, "delay", name, []string{"uniform", "lognormal"})
		}
	})
	if len(n.Content) != 2 {
		p.fault(n, "delay: want a time, uniform or lognormal")
	}
	return d
}
