package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"io"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/oigmock/oigmock/schemas/payload"
	"gopkg.in/yaml.v3"
)

// The keys of a file, in the order in which they are written.
var (
	scenarioKeys    = []string{"scenario", "source", "from", "releases", "interactions"}
	interactionKeys = []string{"name", "order", "request", "when", "response", "adds"}
	requestKeys     = []string{"method", "path", "params", "query", "header", "cookie", "form", "user", "body", "text", "payload"}
	responseKeys    = []string{"status", "header", "body", "text", "file", "delay"}
	caseKeys        = []string{"when", "give"}
	lognormalKeys   = []string{"median", "sigma", "max"}

	sources  = []string{"printed", "derived", "assumed", "recorded"}
	orders   = []string{"first", "last"}
	payloads = []string{"invalid", "any"}
)

// Parse reads a file: one scenario for each document in it. The name is that
// of the file, as faults shall print it; what scenarios are called is that
// without ".yaml". The error is a scanner.ErrorList of all faults, sorted.
// Nothing of the file system is read, so no response can name a file.
func Parse(name string, src []byte) ([]*Scenario, error) {
	return parse(name, name, src, nil)
}

// parse reads a file. What file: names is read from fsys.
func parse(shown, name string, src []byte, fsys fs.FS) ([]*Scenario, error) {
	p := &parser{shown: shown, file: trimYAML(name), fsys: fsys, folder: path.Dir(name), names: map[string]token.Position{}}
	all := p.documents(src)
	p.faults.Sort()
	if err := p.faults.Err(); err != nil {
		return nil, err
	}
	return all, nil
}

func trimYAML(name string) string {
	for _, end := range []string{".yaml", ".yml", ".json"} {
		if short, ok := strings.CutSuffix(name, end); ok {
			return short
		}
	}
	return name
}

type parser struct {
	shown, file string
	folder      string
	fsys        fs.FS
	faults      scanner.ErrorList
	nodes       int
	tooDeep     bool                      // nested so
	sized       *yaml.Node                // an $error that was read: it tells the status
	names       map[string]token.Position // of interactions
	same        shared
}

// shared keeps one of each path and of each short text of a file. Large files
// repeat them: one in memory serves all, and stays in the processor's cache.
type shared struct {
	paths   map[string]*Path
	scalars map[scalar]kind
}

const maxShared = 64 // bytes of a text that is looked up

func (sh *shared) scalar(c scalar) kind {
	if len(c.text) > maxShared {
		return c
	}
	k, known := sh.scalars[c]
	if !known {
		if sh.scalars == nil {
			sh.scalars = map[scalar]kind{}
		}
		k = c
		sh.scalars[c] = k
	}
	return k
}

func (sh *shared) path(text string) (*Path, error) {
	if path := sh.paths[text]; path != nil {
		return path, nil
	}
	path, err := ParsePath(text)
	if err == nil {
		if sh.paths == nil {
			sh.paths = map[string]*Path{}
		}
		sh.paths[text] = path
	}
	return path, err
}

// maxFaults bounds what is told of one file.
const maxFaults = 1000

func (p *parser) fault(n *yaml.Node, format string, args ...any) {
	p.faultAt(p.pos(n), format, args...)
}

func (p *parser) faultAt(pos token.Position, format string, args ...any) {
	if len(p.faults) < maxFaults {
		p.faults.Add(pos, fmt.Sprintf(format, args...))
	}
}

func (p *parser) pos(n *yaml.Node) token.Position {
	return token.Position{Filename: p.shown, Line: max(n.Line, 1), Column: max(n.Column, 1)}
}

func (p *parser) line(line int) token.Position {
	return token.Position{Filename: p.shown, Line: max(line, 1), Column: 1}
}

// documents reads all documents of a file.
func (p *parser) documents(src []byte) (all []*Scenario) {
	if len(src) > MaxFile {
		p.faultAt(p.line(1+bytes.Count(src[:MaxFile], []byte("\n"))), "the file has %d bytes; %d are taken: spread it over several", len(src), MaxFile)
		return nil
	}
	src = bytes.TrimPrefix(src, []byte("\uFEFF"))
	if !p.characters(src) {
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(src))
	for {
		var doc yaml.Node
		err := decode(dec, &doc)
		if err == io.EOF {
			break
		}
		if err != nil {
			p.syntax(src, err)
			return nil
		}
		if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 {
			continue
		}
		root := doc.Content[0]
		if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" {
			continue // nothing but comments
		}
		p.screen(root, 1)
		if p.nodes > MaxNodes {
			return nil
		}
		if p.tooDeep {
			continue
		}
		if s := p.scenario(root); s != nil {
			s.Name = p.file
			if len(all) > 0 {
				s.Name += ":" + strconv.Itoa(len(all)+1)
			}
			s.File = p.file
			all = append(all, s)
		}
	}
	if len(all) == 0 && len(p.faults) == 0 {
		p.faultAt(p.line(1), "no scenario is in the file: it begins with the key \"scenario\"")
	}
	if len(p.faults) == 0 {
		cutDocuments(src, all)
	}
	return all
}

// characters reports what is no text, and what YAML alone takes for the end
// of a line: lines would be counted otherwise than by any editor.
func (p *parser) characters(src []byte) bool {
	line := 1
	for rest := src; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			p.faultAt(p.line(line), "the text is not UTF-8")
			return false
		case r == '\r' && (len(rest) == 1 || rest[1] != '\n'), r == '\u0085', r == '\u2028', r == '\u2029':
			p.faultAt(p.line(line), "the character %U, which YAML takes for the end of a line: write it as \\u%04X, in double quotes", r, r)
			return false
		case r < ' ' && r != '\t' && r != '\r' && r != '\n', r >= 0x7f && r < 0xa0, r == '\uFEFF', r == '\uFFFE', r == '\uFFFF':
			p.faultAt(p.line(line), "the character %U is not seen: write it as \\u%04X, in double quotes", r, r)
			return false
		case r == '\n':
			line++
		}
		rest = rest[size:]
	}
	return true
}

// decode reads one document. yaml.v3 has panicked on hostile texts before.
func decode(dec *yaml.Decoder, doc *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	return dec.Decode(doc)
}

// cutDocuments gives each scenario its own part of the text, comments and
// all.
func cutDocuments(src []byte, all []*Scenario) {
	// A document begins behind the last separator before its first line.
	var lines [][]byte
	for line := range bytes.Lines(src) {
		lines = append(lines, line)
	}
	isEnd := func(line []byte) bool {
		rest := bytes.TrimPrefix(bytes.TrimPrefix(line, []byte("---")), []byte("..."))
		return len(rest)+3 == len(line) && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0)
	}
	for _, s := range all {
		from := min(s.Pos.Line-1, len(lines)-1)
		to := from + 1
		for from > 0 && !isEnd(lines[from]) {
			from--
		}
		if isEnd(lines[from]) && from < s.Pos.Line-1 {
			from++
		}
		for to < len(lines) && !isEnd(lines[to]) {
			to++
		}
		s.text = bytes.Join(lines[from:to], nil)
	}
}

var (
	yamlLine  = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)
	flowBrace = regexp.MustCompile(`\{[^"'{}]*[^"'{}\s:,\[]\s*(\{[^{}]*\})`)
)

// syntax reports what yaml.v3 says of a text that is no YAML.
func (p *parser) syntax(src []byte, err error) {
	line, why := 1, err.Error()
	if m := yamlLine.FindStringSubmatch(strings.SplitN(why, "\n", 2)[0]); m != nil {
		line, _ = strconv.Atoi(m[1])
		why = m[2]
	}
	for _, hint := range [][2]string{
		{"mapping values are not allowed", "a text with a colon and a blank in it needs quotes"},
		{"cannot start any token", "a tab cannot indent, and a text that begins with @, ` or % needs quotes"},
		{"unexpected end of stream", "a quote or a bracket is not closed"},
	} {
		if strings.Contains(why, hint[0]) {
			why += "; " + hint[1]
		}
	}
	lines := bytes.Split(src, []byte("\n"))
	pos := p.line(min(line, len(lines)))
	// yaml.v3 tells the line where the braces begin, or the one where it gave up.
	for i := max(pos.Line-1, 0); i < min(pos.Line+2, len(lines)) && strings.Contains(why, "did not find expected"); i++ {
		if at := flowBrace.FindSubmatchIndex(lines[i]); at != nil {
			pos.Line, pos.Column = i+1, 1+utf8.RuneCount(lines[i][:at[2]])
			why += fmt.Sprintf("; quote the text around %s: braces inside braces", lines[i][at[2]:at[3]])
			break
		}
	}
	p.faultAt(pos, "no YAML: %s", why)
}

// screen refuses what no scenario needs and what costs or hides something.
func (p *parser) screen(n *yaml.Node, depth int) {
	if p.nodes++; p.nodes > MaxNodes {
		if p.nodes == MaxNodes+1 {
			p.fault(n, "the file holds more than %d keys and values: spread it over several", MaxNodes)
		}
		return
	}
	if depth > MaxDepth {
		p.fault(n, "nested more than %d deep", MaxDepth)
		p.tooDeep = true
		return
	}
	switch {
	case n.Kind == yaml.AliasNode:
		p.fault(n, "an alias (*%s): a file says what it means where it means it", n.Value)
	case n.Anchor != "":
		p.fault(n, "an anchor (&%s): a file says what it means where it means it", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		p.fault(n, "a tag (%s): put a text in quotes instead", n.Tag)
	}
	if n.Kind == yaml.MappingNode {
		seen := make(map[string]bool, len(n.Content)/2)
		for i := 0; i < len(n.Content); i += 2 {
			k := n.Content[i]
			if k.Kind != yaml.ScalarNode {
				continue
			}
			if k.ShortTag() == "!!merge" {
				p.fault(k, "a merge (<<): a file says what it means where it means it")
			}
			if seen[k.Value] {
				p.fault(k, "%s is given twice", quote(k.Value))
			}
			seen[k.Value] = true
		}
	}
	for _, c := range n.Content {
		p.screen(c, depth+1)
	}
}

// entries calls f for each key of a mapping, known or not, and reports what
// is no key. It reports whether n is a mapping.
func (p *parser) entries(n *yaml.Node, what string, f func(name string, key, value *yaml.Node)) bool {
	if n.Kind != yaml.MappingNode {
		if n.Kind != yaml.AliasNode { // a fault of its own
			p.fault(n, "%s: want keys and values, got %s", what, nodeWords(n))
		}
		return false
	}
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if name, ok := p.key(k); ok && !seen[name] {
			seen[name] = true
			f(name, k, n.Content[i+1])
		}
	}
	return true
}

// key is the text of a key.
func (p *parser) key(k *yaml.Node) (string, bool) {
	switch {
	case k.Kind != yaml.ScalarNode:
		p.fault(k, "a key must be a text; put templates in quotes")
	case k.ShortTag() != "!!str" && k.ShortTag() != "!!merge":
		p.fault(k, "the key %s is no text to YAML: quote it", shorten(k.Value))
	case k.ShortTag() == "!!str":
		return k.Value, true
	}
	return "", false
}

// unknown reports a key that is none of the known ones.
func (p *parser) unknown(k *yaml.Node, what, word string, known []string) {
	hint := ""
	if near := nearest(word, known); near != "" {
		hint = fmt.Sprintf(", did you mean %q?", near)
	}
	p.fault(k, "%s: unknown key %s%s", what, quote(word), hint)
}

func nodeWords(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		if len(n.Content) > 0 && n.Content[0].Kind == yaml.MappingNode {
			return "braces; put templates in quotes"
		}
		return "keys and values"
	case yaml.SequenceNode:
		if len(n.Content) == 0 {
			return "an empty list"
		}
		return "a list"
	}
	if n.Value == "" && n.ShortTag() == "!!null" {
		return "nothing"
	}
	return quote(n.Value)
}

// text reads a text that stands for itself, and is not empty.
func (p *parser) text(n *yaml.Node, what string) string {
	switch {
	case n.Kind == yaml.AliasNode: // a fault of its own
		return ""
	case n.Kind != yaml.ScalarNode, n.ShortTag() == "!!null", n.Value == "":
		p.fault(n, "%s: want a text, got %s", what, nodeWords(n))
		return ""
	}
	return n.Value
}

// word reads one of a few words.
func (p *parser) word(n *yaml.Node, what string, words []string) string {
	text := p.text(n, what)
	if text != "" && !slices.Contains(words, text) {
		p.fault(n, "%s %s is none of %s%s", what, quote(text), strings.Join(words, ", "), didYouMean(text, words))
	}
	return text
}

func (p *parser) scenario(n *yaml.Node) *Scenario {
	s := &Scenario{Pos: p.pos(n)}
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
	list := nodes["interactions"]
	if list == nil {
		p.fault(n, "a scenario: the key \"interactions\" is missing")
		return s
	}
	if list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		p.fault(list, "interactions: want a list, got %s", nodeWords(list))
		return s
	}
	for _, each := range list.Content {
		if i := p.interaction(each); i != nil {
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
			i.Name = p.text(v, name)
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
		i.When = p.sentences(v, in)
	}
	response, adds := nodes["response"], nodes["adds"]
	switch {
	case response != nil && adds != nil:
		p.fault(adds, "an interaction answers (response) or adds to what answers (adds), not both")
	case response != nil:
		i.Response = p.response(response, "response", in, i.Request.Path)
	case adds != nil:
		i.Adds = p.response(adds, "adds", in, i.Request.Path)
		if i.Order != Ordinary {
			p.fault(nodes["order"], "order: what adds stands outside the order; leave it out")
		}
	default:
		p.fault(n, "an interaction: the key \"response\" is missing, or \"adds\"")
	}
	return i
}

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
	single.params = wire.params
	if v := nodes["user"]; v != nil {
		m.User = p.one(v, "user", single)
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

// one reads the VALUE of a single text.
func (p *parser) one(n *yaml.Node, what string, in where) *Value {
	if n.Kind == yaml.SequenceNode {
		p.fault(n, "%s: want a text or an operator, got a list; one of several is {$oneOf: […]}", what)
	}
	return p.value(n, in)
}

var pathNames = regexp.MustCompile(`\{([A-Za-z0-9_-]+)`)

// name reports a name that its room cannot have, and gives it as the room
// writes it.
func (p *parser) name(k *yaml.Node, name string, in where) string {
	switch {
	case in.room == "params" && !slices.Contains(in.params, name):
		p.fault(k, "params: the path has no {%s}%s", name, didYouMean(name, in.params))
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

func (p *parser) sentences(n *yaml.Node, in where) []Sentence {
	var all []Sentence
	p.entries(n, "when", func(name string, k, v *yaml.Node) {
		at, err := parseAddress(name, in)
		if err != nil {
			p.fault(k, "when: %s", err)
			return
		}
		inside := in
		inside.gives = false
		all = append(all, Sentence{at, p.value(v, inside)})
	})
	return all
}

func (p *parser) response(n *yaml.Node, what string, in where, of *Path) *ResponseTemplate {
	t := &ResponseTemplate{Pos: p.pos(n), path: of}
	in.gives = true
	if n.Kind == yaml.SequenceNode {
		p.fault(n, "%s: want one answer; a list of them is not taken", what)
		return t
	}
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
			t.bytes = p.bodyFile(v, t.File)
			bodies = append(bodies, k)
		case "delay":
			t.Delay = p.delay(v)
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

func (p *parser) bodyFile(n *yaml.Node, name string) []byte {
	if name == "" {
		return nil
	}
	if p.fsys == nil {
		p.fault(n, "file: only a scenario that stands in a folder can name a file")
		return nil
	}
	if !fs.ValidPath(name) || strings.Contains(name, `\`) {
		p.fault(n, "file: %s is no file below this one's folder", quote(name))
		return nil
	}
	b, err := readRegular(p.fsys, path.Join(p.folder, name), MaxBodyFile)
	if err != nil {
		p.fault(n, "file: %s", err)
	}
	return b
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

// value reads a VALUE. It never returns nil: what has a fault is null.
func (p *parser) value(n *yaml.Node, in where) *Value {
	v := &Value{Pos: p.pos(n), kind: scalar{kind: payload.Null, text: "null"}}
	switch n.Kind {
	case yaml.ScalarNode:
		switch k := p.scalar(n, in).(type) {
		case nil:
		case scalar:
			v.kind = p.same.scalar(k)
		default:
			v.kind = k
		}
	case yaml.SequenceNode:
		a := make(array, len(n.Content))
		for i, c := range n.Content {
			a[i] = p.value(c, in)
		}
		v.kind = a
	case yaml.MappingNode:
		if k := p.mapping(v, n, in); k != nil {
			v.kind = k
		}
	}
	return v
}

// maxPlainDigits is how many digits of a number every reader keeps.
const maxPlainDigits = 15

func (p *parser) scalar(n *yaml.Node, in where) kind {
	text := n.Value
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		tag := n.ShortTag()
		if tag == "!!str" && payload.ValidNumber(text) {
			tag = "!!float" // 1e400, a text to yaml.v3
		}
		switch tag {
		case "!!null":
			if in.wire && !in.gives {
				p.fault(n, "null never comes as text: \"\" is an empty one, and {$absent: true} is none")
				return nil
			}
			return scalar{kind: payload.Null, text: "null"}
		case "!!bool":
			if text == "true" || text == "false" {
				return scalar{kind: payload.Bool, text: text}
			}
			if !in.wire {
				p.fault(n, "%s: quote it if it is a text, or write %s", text, strings.ToLower(text))
				return nil
			}
		case "!!int", "!!float":
			digits := strings.Count(text, "") - 1 - strings.Count(text, "-") - strings.Count(text, ".")
			switch valid := payload.ValidNumber(text); {
			case valid && (in.exact || in.wire || digits <= maxPlainDigits):
				return scalar{kind: payload.Number, text: text, bare: in.exact}
			case in.wire: // as it is written
			case valid:
				p.fault(n, "%s has more digits than many readers of JSON keep: quote it if it is a text, or put it under $literal", shorten(text))
				return nil
			case strings.TrimLeft(text, "0123456789") == "" && text[0] == '0':
				p.fault(n, "%s reads as an octal number: quote it", shorten(text))
				return nil
			default:
				p.fault(n, "%s is no number in JSON: quote it", shorten(text))
				return nil
			}
		case "!!timestamp":
			if !in.wire {
				p.fault(n, "%s is a date to YAML: quote it", text)
				return nil
			}
		}
	}
	if !in.exact && strings.Contains(text, "{{") {
		t, err := parseTemplate(text, in)
		if err != nil {
			p.fault(n, "%s", err)
			return nil
		}
		return t
	}
	return scalar{kind: payload.String, text: text, bare: in.exact}
}

func (p *parser) mapping(v *Value, n *yaml.Node, in where) kind {
	if !in.exact {
		var operator *yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			if k.Kind != yaml.ScalarNode || !strings.HasPrefix(k.Value, "$") {
				continue
			}
			if operator != nil {
				p.fault(k, "%.40s beside %.40s: a mapping has one operator; data with such keys stands under $literal", k.Value, operator.Value)
				return nil
			}
			operator = k
		}
		if operator != nil {
			return p.operator(v, operator, n, in)
		}
	}
	if in.wire && in.single && !in.gives {
		p.fault(n, "want a text or an operator, got %s", nodeWords(n))
		return nil
	}
	room := in
	in.room, in.single = "", in.wire
	o := &object{}
	p.entries(n, "an object", func(name string, k, value *yaml.Node) {
		if strings.Contains(name, "{{") && !in.exact {
			p.fault(k, "a name is no template; $merge and $object make members with names that are found")
			return
		}
		written := name
		if name = p.name(k, name, room); slices.Contains(o.names, name) {
			p.fault(k, "%s is given twice", quote(written))
			return
		}
		o.names = append(o.names, name)
		o.values = append(o.values, p.value(value, in))
	})
	return o
}

// An operatorForm says how an operator is written.
type operatorForm struct {
	options []string
	gives   bool // may stand only where something is given
	parse   func(c *operatorCall) kind
}

// An operatorCall is an operator as it stands in a file.
type operatorCall struct {
	*parser
	v       *Value
	name    string
	arg     *yaml.Node
	options map[string]*yaml.Node
	in      where
}

var operators map[string]operatorForm

func init() {
	operators = map[string]operatorForm{
		"$like":    {parse: func(c *operatorCall) kind { return &like{c.value(c.arg, c.in)} }},
		"$any":     {parse: func(c *operatorCall) kind { return &anything{c.value(c.arg, c.in)} }},
		"$regex":   {options: []string{"example"}, parse: (*operatorCall).regex},
		"$anycase": {parse: (*operatorCall).anycase},
		"$number":  {options: []string{"min", "max", "integer"}, parse: (*operatorCall).number},
		"$date":    {options: []string{"after", "until", "example"}, parse: (*operatorCall).date},
		"$oneOf":   {parse: func(c *operatorCall) kind { return listOf(c, c.tested(), func(l []*Value) kind { return oneOf(l) }) }},
		"$allOf":   {parse: func(c *operatorCall) kind { return listOf(c, c.in, func(l []*Value) kind { return allOf(l) }) }},
		"$not": {options: []string{"example"}, parse: func(c *operatorCall) kind {
			k := &not{of: c.value(c.arg, c.tested()), example: c.example()}
			c.needsExample(k.example)
			c.accepted(k, k.example)
			return k
		}},
		"$each":     {options: []string{"min", "max"}, parse: (*operatorCall).each},
		"$contains": {parse: func(c *operatorCall) kind { return listOf(c, c.in, func(l []*Value) kind { return contains(l) }) }},
		"$values": {options: []string{"keys", "example"}, parse: func(c *operatorCall) kind {
			k := &values{example: c.example()}
			in, keys := c.tested(), c.options["keys"]
			if keys != nil {
				in.gives = c.in.gives && k.example == nil // one member is made of both
				names := in
				names.wire, names.single = true, true
				k.keys = c.value(keys, names)
			} else {
				c.needsExample(k.example)
			}
			in.room, in.single = "", in.wire
			k.of = c.value(c.arg, in)
			c.accepted(k, k.example)
			return k
		}},
		"$exactly": {parse: func(c *operatorCall) kind { return &exactly{c.value(c.arg, c.in)} }},
		"$absent": {parse: func(c *operatorCall) kind {
			if c.arg.Value != "true" {
				c.fault(c.arg, "$absent: want true, got %s", nodeWords(c.arg))
			}
			return absent{}
		}},
		"$literal": {parse: func(c *operatorCall) kind {
			in := c.in
			in.exact = true
			return &literal{c.value(c.arg, in)}
		}},
		"$for":    {options: []string{"when", "give", "cases", "reverse"}, gives: true, parse: (*operatorCall).loop},
		"$merge":  {gives: true, parse: func(c *operatorCall) kind { return listOf(c, c.in, func(l []*Value) kind { return merge(l) }) }},
		"$pairs":  {options: []string{"only", "always"}, gives: true, parse: (*operatorCall).pairs},
		"$object": {gives: true, parse: func(c *operatorCall) kind { return &unpaired{c.address(c.arg)} }},
		"$error": {options: []string{"instance"}, gives: true, parse: func(c *operatorCall) kind {
			c.sized = c.arg
			in := c.in
			in.wire = true
			k := &problem{title: c.value(c.arg, in)}
			if i := c.options["instance"]; i != nil {
				k.instance = c.value(i, in)
			}
			return k
		}},
	}
}

func (p *parser) operator(v *Value, key, n *yaml.Node, in where) kind {
	form, known := operators[key.Value]
	if !known {
		hint := ""
		if near := nearest(key.Value, keysOf(operators)); near != "" {
			hint = fmt.Sprintf(", did you mean %q?", near)
		}
		if hint == "" {
			hint = "; data with such a key stands under $literal"
		}
		p.fault(key, "unknown operator %s%s", quote(key.Value), hint)
		return nil
	}
	c := &operatorCall{parser: p, v: v, name: key.Value, options: map[string]*yaml.Node{}, in: in}
	p.entries(n, key.Value, func(name string, k, value *yaml.Node) {
		switch {
		case k == key:
			c.arg = value
		case !slices.Contains(form.options, name):
			if len(form.options) == 0 {
				p.fault(k, "%s: nothing stands beside it, and %s does", key.Value, quote(name))
				return
			}
			p.unknown(k, key.Value, name, form.options)
		default:
			c.options[name] = value
		}
	})
	if c.arg == nil {
		return nil
	}
	if form.gives && !in.gives {
		p.fault(key, "%s gives, and here a value is tested", key.Value)
		return nil
	}
	return form.parse(c)
}

// tested is a place where a value is tested, be it within what gives.
func (c *operatorCall) tested() where {
	in := c.in
	in.gives = false
	return in
}

func (c *operatorCall) example() *Value {
	if n := c.options["example"]; n != nil {
		return c.value(n, c.in)
	}
	return nil
}

func (c *operatorCall) needsExample(example *Value) {
	if example == nil && c.in.gives {
		c.faultAt(c.v.Pos, "%s tests, and here something is given: it needs an example", c.name)
	}
}

// accepted reports an example that its own operator does not accept.
func (c *operatorCall) accepted(k kind, example *Value) {
	if example == nil {
		return
	}
	s := &scope{work: allWork}
	b, ok := example.give(s, nil)
	if !ok || s.err != nil || s.dynamic {
		return
	}
	got := jsonValue(b)
	if c.in.wire {
		got = onTheWire(got)
	}
	s.mode = inWords
	s.ask("body", &Value{c.v.Pos, k}, got)
	if len(s.list) > 0 && !s.dynamic {
		m := s.list[0]
		c.faultAt(example.Pos, "example%s: want %s, got %s", strings.TrimPrefix(m.At, "body"), m.Want, m.Got)
	}
}

// listOf reads the values of an operator; of $oneOf only the first is given,
// the others are tested.
func listOf(c *operatorCall, others where, make func([]*Value) kind) kind {
	if c.arg.Kind != yaml.SequenceNode || len(c.arg.Content) == 0 {
		c.fault(c.arg, "%s: want a list of values, got %s", c.name, nodeWords(c.arg))
		return nil
	}
	var list []*Value
	in := c.in
	for _, n := range c.arg.Content {
		list = append(list, c.value(n, in))
		in = others
	}
	return make(list)
}

func (c *operatorCall) regex() kind {
	text := c.text(c.arg, c.name)
	k := &pattern{example: c.example()}
	c.needsExample(k.example)
	var err error
	if k.re, k.steps, err = compileRegexp(text); err != nil {
		c.fault(c.arg, "$regex: %s", err)
		return nil
	}
	c.accepted(k, k.example)
	return k
}

// compileRegexp takes the patterns of RE2 that are cheap to try, and tells how
// many steps they unfold into.
func compileRegexp(text string) (re *regexp.Regexp, steps int, err error) {
	if len(text) > maxPattern {
		return nil, 0, fmt.Errorf("a pattern of %d bytes; %d are taken", len(text), maxPattern)
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		why := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		if looksAround.MatchString(text) {
			why += "; patterns are RE2: nothing looks ahead, behind or back"
		}
		return nil, 0, errors.New(why)
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, 0, err
	}
	if steps = len(prog.Inst); steps > maxProgram {
		return nil, 0, fmt.Errorf("the pattern unfolds into %d steps; %d are taken", steps, maxProgram)
	}
	re, err = regexp.Compile(text)
	return re, steps, err
}

// looksAround finds what other regular expressions have and RE2 has not.
var looksAround = regexp.MustCompile(`\(\?<?[=!]|\\[1-9]`)

func (c *operatorCall) anycase() kind {
	text := c.text(c.arg, c.name)
	if strings.Contains(text, "{{") {
		c.fault(c.arg, "$anycase takes a text, no template")
	}
	return anycase{text}
}

func (c *operatorCall) numberText(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || !payload.ValidNumber(n.Value) {
		c.fault(n, "%s: want a number, got %s", what, nodeWords(n))
		return ""
	}
	return n.Value
}

func (c *operatorCall) number() kind {
	k := &number{example: c.numberText(c.arg, c.name)}
	if k.example == "" {
		return nil
	}
	for _, b := range []struct {
		name string
		to   *string
	}{{"min", &k.min}, {"max", &k.max}} {
		if n := c.options[b.name]; n != nil {
			*b.to = c.numberText(n, b.name)
		}
	}
	if n := c.options["integer"]; n != nil {
		k.integer = c.yes(n, "integer")
	}
	c.accepted(k, &Value{c.pos(c.arg), scalar{kind: payload.Number, text: k.example}})
	return k
}

func (c *operatorCall) yes(n *yaml.Node, what string) bool {
	if n.Value != "true" && n.Value != "false" || n.Kind != yaml.ScalarNode {
		c.fault(n, "%s: want true or false, got %s", what, nodeWords(n))
	}
	return n.Value == "true"
}

func (c *operatorCall) date() kind {
	text := c.text(c.arg, c.name)
	format, err := dateFormat(text)
	if err != nil {
		c.fault(c.arg, "$date: %s", err)
		return nil
	}
	k := &date{format: format}
	for _, b := range []struct {
		name string
		to   **bound
	}{{"after", &k.after}, {"until", &k.until}} {
		n := c.options[b.name]
		if n == nil {
			continue
		}
		*b.to = c.bound(n, b.name, format)
		if written, _ := format.Parse(format.Format(someDay)); !written.Truncate(24 * time.Hour).Equal(someDay) {
			c.fault(n, "%s: a date like %s does not tell the day", b.name, format)
		}
	}
	if k.example = c.example(); k.example != nil {
		s := &scope{work: allWork}
		if text, ok := k.example.asText(s); ok && !s.dynamic {
			if _, ok := format.Parse(text); !ok {
				c.faultAt(k.example.Pos, "example: %s is no date like %s", quote(text), format)
			} else {
				c.accepted(k, k.example)
			}
		}
	}
	return k
}

var someDay = time.Date(2016, 5, 11, 0, 0, 0, 0, time.UTC)

func (c *operatorCall) bound(n *yaml.Node, what string, format *payload.DateFormat) *bound {
	text := c.text(n, what)
	b := &bound{text: text}
	word, by, shifted := cutShift(text)
	switch {
	case text == "now":
		b.now = true
	case shifted && word == "now":
		sh, err := parseShift(by)
		if err != nil {
			c.fault(n, "%s: %s", what, err)
		}
		b.now, b.shift = true, sh
	default:
		t, ok := format.Parse(text)
		if !ok {
			if t, _, ok = payload.ParseAnyDate(text); !ok {
				c.fault(n, "%s: %s is neither now, now + 50d nor a date like %s", what, quote(text), format)
			}
		}
		b.fixed = t
	}
	return b
}

func (c *operatorCall) each() kind {
	k := &each{of: c.value(c.arg, c.in), max: -1}
	for _, b := range []struct {
		name string
		to   *int
	}{{"min", &k.min}, {"max", &k.max}} {
		n := c.options[b.name]
		if n == nil {
			continue
		}
		i, err := strconv.Atoi(n.Value)
		if err != nil || i < 0 || i > maxElements {
			c.fault(n, "%s: want a number from 0 to %d, got %s", b.name, maxElements, nodeWords(n))
			continue
		}
		*b.to = i
	}
	if k.max >= 0 && k.max < k.min {
		c.fault(c.options["max"], "max: %d is less than min", k.max)
	}
	return k
}

func (c *operatorCall) address(n *yaml.Node) Address {
	text := c.text(n, c.name)
	if text == "" {
		return Address{param: -1}
	}
	a, err := parseAddress(text, c.in)
	if err != nil {
		c.fault(n, "%s: %s", c.name, err)
	}
	return a
}

func (c *operatorCall) loop() kind {
	k := &loop{over: c.address(c.arg)}
	in := c.in
	in.loop = true
	if n := c.options["when"]; n != nil {
		k.when = c.sentences(n, in)
	}
	if n := c.options["give"]; n != nil {
		k.common = c.value(n, in)
	}
	if n := c.options["reverse"]; n != nil {
		k.reverse = c.yes(n, "reverse")
	}
	n := c.options["cases"]
	switch {
	case n == nil && k.common == nil:
		c.faultAt(c.v.Pos, "$for: give says what to give for each element, or cases do, and neither is there")
	case n != nil && (n.Kind != yaml.SequenceNode || len(n.Content) == 0):
		c.fault(n, "cases: want a list, got %s", nodeWords(n))
	case n != nil:
		for i, each := range n.Content {
			k.cases = append(k.cases, c.loopCase(each, k.common, in))
			if len(k.cases[i].when) == 0 && i < len(n.Content)-1 {
				c.fault(n.Content[i+1], "cases: this one is never reached: the one before it asks for nothing")
			}
		}
	}
	return k
}

func (c *operatorCall) loopCase(n *yaml.Node, common *Value, in where) loopCase {
	var k loopCase
	c.entries(n, "a case", func(name string, key, v *yaml.Node) {
		switch name {
		case "when":
			k.when = c.sentences(v, in)
		case "give":
			k.own = c.value(v, in)
		default:
			c.unknown(key, "a case", name, caseKeys)
		}
	})
	k.give = overlay(common, k.own)
	return k
}

// overlay lays an object over another, once, when the file is read.
func overlay(common, own *Value) *Value {
	if common == nil || own == nil {
		if own == nil {
			return common
		}
		return own
	}
	a, plainA := common.kind.(*object)
	b, plainB := own.kind.(*object)
	if !plainA || !plainB {
		return &Value{own.Pos, merge{common, own}}
	}
	o := &object{names: slices.Clone(a.names), values: slices.Clone(a.values)}
	for i, name := range b.names {
		if j := slices.Index(o.names, name); j >= 0 {
			o.values[j] = b.values[i]
			continue
		}
		o.names = append(o.names, name)
		o.values = append(o.values, b.values[i])
	}
	return &Value{own.Pos, o}
}

func (c *operatorCall) pairs() kind {
	k := &pairs{of: c.address(c.arg)}
	if n := c.options["only"]; n != nil {
		a := c.address(n)
		k.only = &a
	}
	if n := c.options["always"]; n != nil {
		if n.Kind != yaml.SequenceNode {
			c.fault(n, "always: want a list of names, got %s", nodeWords(n))
			return k
		}
		for _, name := range n.Content {
			k.always = append(k.always, c.text(name, "always"))
		}
	}
	return k
}
