package scenarios

import (
	"bytes"
	"fmt"
	"go/scanner"
	"go/token"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/oigmock/oigmock/schemas/didyoumean"
	"github.com/oigmock/oigmock/schemas/payload"
	"gopkg.in/yaml.v3"
)

// The keys of a file, in the order in which they are written.
var (
	scenarioKeys    = []string{"scenario", "source", "from", "releases", "given", "records", "interactions"}
	interactionKeys = []string{"name", "order", "request", "when", "set", "response", "adds", "then", "per", "chance", "beyond"}
	requestKeys     = []string{"method", "path", "params", "query", "header", "cookie", "form", "user", "body", "text", "payload"}
	responseKeys    = []string{"status", "header", "body", "text", "file", "delay", "fault"}
	caseKeys        = []string{"when", "set", "give"}
	lognormalKeys   = []string{"median", "sigma", "max"}
	dribbleKeys     = []string{"chunks", "over"}

	sources  = []string{"printed", "derived", "assumed", "recorded"}
	orders   = []string{"first", "last"}
	payloads = []string{"invalid", "any"}
	thens    = []string{"loop", "fail"}
)

// Parse reads a file: one scenario for each document in it. The name is that
// of the file, as faults shall print it; what scenarios are called is that
// without ".yaml". The error is a scanner.ErrorList of all faults, sorted.
// Nothing of the file system is read, so no response can name a file.
func Parse(name string, src []byte) ([]*Scenario, error) {
	p := newParser(name, name)
	all := p.documents(src)
	p.faults.Sort()
	if err := p.faults.Err(); err != nil {
		return nil, err
	}
	return all, nil
}

func newParser(shown, name string) *parser {
	return &parser{shown: shown, file: TrimExtension(name), folder: path.Dir(name), names: map[string]token.Position{}}
}

type parser struct {
	shown, file string
	folder      string
	inFolder    bool // so that a response can name a file
	bodies      []bodyFile
	faults      scanner.ErrorList
	nodes       int
	laid        int                       // members of what overlay made
	tooDeep     bool                      // nested so
	sized       *yaml.Node                // an $error that was read: it tells the status
	names       map[string]token.Position // of interactions
	rooms       []RecordRoom              // of the scenario that is read
	asked       []RecordRoom              // where it asks for a parameter of its provider states, and for which
	same        shared
	moved       []moved // what asYAML did to the text
}

// shared keeps one of each path and of each short text of a file. Large files
// repeat them: one in memory serves all, and stays in the processor's cache.
// For the same reason the values of an interaction lie side by side.
type shared struct {
	paths   map[string]*Path
	scalars map[scalar]kind
	values  []Value // to be used next
}

// null is what stands where a value has a fault.
var null kind = scalar{kind: payload.Null, text: "null"}

func (sh *shared) value() *Value {
	if len(sh.values) == 0 {
		sh.values = make([]Value, 64)
	}
	v := &sh.values[0]
	sh.values = sh.values[1:]
	return v
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
		err = path.plain()
	}
	if err == nil {
		if sh.paths == nil {
			sh.paths = map[string]*Path{}
		}
		sh.paths[text] = path
	}
	return path, err
}

const (
	maxFaults = 1000 // that are told of one file
	maxWords  = 480  // bytes of one of them
)

func (p *parser) fault(n *yaml.Node, format string, args ...any) {
	p.faultAt(p.pos(n), format, args...)
}

func (p *parser) faultAt(pos token.Position, format string, args ...any) {
	if len(p.faults) < maxFaults {
		p.faults.Add(pos, CutText(fmt.Sprintf(format, args...), maxWords))
	}
}

// note keeps what an address and those within it name.
func (p *parser) note(n *yaml.Node, a *Address) {
	p.noteOne(n, a)
	a.within(func(at *Address) { p.noteOne(n, at) })
}

// noteOne keeps where a room of records is named, or a provider state is asked.
func (p *parser) noteOne(n *yaml.Node, a *Address) {
	switch {
	case a.room == letRoom: // it needs no seed
	case a.records:
		p.rooms = append(p.rooms, RecordRoom{a.room, p.pos(n)})
	case a.room == "given":
		p.asked = append(p.asked, RecordRoom{a.text, p.pos(n)})
	}
}

func (p *parser) pos(n *yaml.Node) token.Position {
	return token.Position{Filename: p.shown, Line: max(n.Line, 1), Column: p.column(n.Line, max(n.Column, 1))}
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
	var text []byte
	text, p.moved = asYAML(src)
	dec := yaml.NewDecoder(bytes.NewReader(text))
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
		p.rooms, p.asked = nil, nil
		if s := p.scenario(root); s != nil {
			s.rooms = p.rooms
			for _, asked := range p.asked {
				if s.Given == nil {
					p.faultAt(asked.Pos, "%s is a parameter of a provider state, and the scenario waits for none: its key \"given\" is missing", asked.Name)
				}
			}
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
	yamlLine   = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)
	bareBraces = regexp.MustCompile(`(?:[:\-\[,]\s+|\[)(\{\{)`)
	flowBrace  = regexp.MustCompile(`\{[^"'{}]*[^"'{}\s:,\[]\s*(\{[^{}]*\})`)
)

const indented = "is a line further down indented otherwise than its neighbours?"

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
		{"expected '-' indicator", indented},
		{"expected key", indented},
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
	for i := max(pos.Line-2, 0); i < min(pos.Line+2, len(lines)); i++ {
		if at := bareBraces.FindSubmatchIndex(lines[i]); at != nil {
			pos.Line, pos.Column = i+1, 1+utf8.RuneCount(lines[i][:at[2]])
			why = strings.TrimSuffix(why, "; "+indented) + "; put templates in quotes"
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
		p.fault(n, "an alias (*%s): a file says what it means where it means it", shorten(n.Value))
	case n.Anchor != "":
		p.fault(n, "an anchor (&%s): a file says what it means where it means it", shorten(n.Anchor))
	case n.Style&yaml.TaggedStyle != 0:
		p.fault(n, "a tag (%s): put a text in quotes instead", shorten(n.Tag))
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
	p.fault(k, "%s: unknown key %s%s", what, quote(word), didyoumean.Hint(word, known))
}

func nodeWords(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		if len(n.Content) > 0 && n.Content[0].Kind == yaml.MappingNode {
			return "braces; put templates in quotes"
		}
		if len(n.Content) == 0 {
			return "{}"
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
		p.fault(n, "%s %s is none of %s%s", what, quote(text), strings.Join(words, ", "), didyoumean.Hint(text, words))
	}
	return text
}
