package scenarios

import (
	"bytes"
	"io"
	"regexp"
	"strconv"

	"gopkg.in/yaml.v3"
)

// ParseRequest reads what stands under the key request of an interaction, alone
// and as YAML or JSON: {method: PUT, path: "/a/{b}"}. The name is that by which
// faults call the text; the error is a scanner.ErrorList.
func ParseRequest(name string, src []byte) (*RequestMatcher, error) {
	p := newParser(name, name)
	m := &RequestMatcher{}
	if n := p.fragment(src); n != nil {
		p.request(n, m)
	}
	p.faults.Sort()
	if err := p.faults.Err(); err != nil {
		return nil, err
	}
	return m, nil
}

// ParseRecords reads what stands under the key set of an interaction, alone
// and as YAML or JSON: {tasks/1006: {Status.Category: Rejected}}. There is no
// request that templates could look into. It gives the rooms of records that
// are named, too. The error is a scanner.ErrorList.
func ParseRecords(name string, src []byte) ([]Sentence, []RecordRoom, error) {
	p := newParser(name, name)
	var all []Sentence
	if n := p.fragment(src); n != nil {
		all = p.sentences(n, "set", where{seeds: true})
	}
	p.faults.Sort()
	if err := p.faults.Err(); err != nil {
		return nil, nil, err
	}
	return all, p.rooms, nil
}

// ParseRecord reads the one value that shall be at an address of records, as
// ParseRecords does: {Status.Category: Rejected} for tasks/1006.
func ParseRecord(name, address string, src []byte) ([]Sentence, []RecordRoom, error) {
	p := newParser(name, name)
	var all []Sentence
	if n := p.fragment(src); n != nil {
		all = p.sentences(&yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{textNode(address), n}}, "set", where{seeds: true})
	}
	p.faults.Sort()
	if err := p.faults.Err(); err != nil {
		return nil, nil, err
	}
	return all, p.rooms, nil
}

// ParseAddress reads an address of records, as somebody names it who steers a
// session.
func ParseAddress(text string) (Address, error) { return parseAddress(text, where{seeds: true}) }

// A Wanted says which requests shall have been made: so many that Request
// matches, or one for each of Order, in that order.
type Wanted struct {
	Request                  *RequestMatcher
	Order                    []*RequestMatcher
	Exactly, AtLeast, AtMost *int // one of these goes with Request; none: at least one
}

var wantedKeys = []string{"request", "order", "exactly", "atLeast", "atMost"}

// ParseWanted reads what shall have been made, as YAML or JSON: {request:
// MATCHER, exactly: 2} with exactly, atLeast, atMost or none of them, or
// {order: [MATCHER, MATCHER]}. The error is a scanner.ErrorList.
func ParseWanted(name string, src []byte) (*Wanted, error) {
	p := newParser(name, name)
	w := &Wanted{}
	if n := p.fragment(src); n != nil {
		p.wanted(n, w)
	}
	p.faults.Sort()
	if err := p.faults.Err(); err != nil {
		return nil, err
	}
	return w, nil
}

func (p *parser) wanted(n *yaml.Node, w *Wanted) {
	var first, bound string // that were given
	p.entries(n, "what is wanted", func(name string, k, v *yaml.Node) {
		switch name {
		case "request", "order":
			if first != "" {
				p.fault(k, "%s: what is wanted has a request, or an order of them, not both", name)
			}
			first = name
			if name == "request" {
				w.Request = &RequestMatcher{}
				p.request(v, w.Request)
				return
			}
			if v.Kind != yaml.SequenceNode || len(v.Content) == 0 {
				p.fault(v, "order: want a list of requests, got %s", nodeWords(v))
				return
			}
			for _, each := range v.Content {
				m := &RequestMatcher{}
				p.request(each, m)
				w.Order = append(w.Order, m)
			}
		case "exactly", "atLeast", "atMost":
			if bound != "" {
				p.fault(k, "%s: one of exactly, atLeast and atMost is taken, and %s was given", name, bound)
			}
			bound = name
			to := map[string]**int{"exactly": &w.Exactly, "atLeast": &w.AtLeast, "atMost": &w.AtMost}[name]
			if v.Kind != yaml.ScalarNode || v.ShortTag() != "!!int" || !fewDigits.MatchString(v.Value) {
				p.fault(v, "%s: want a whole number from 0 on, got %s", name, nodeWords(v))
				return
			}
			count, _ := strconv.Atoi(v.Value) // a few digits are one
			*to = &count
		default:
			p.unknown(k, "what is wanted", name, wantedKeys)
		}
	})
	switch {
	case len(p.faults) > 0:
	case first == "":
		p.fault(n, "want a request, or an order of them")
	case first == "order" && bound != "":
		p.fault(n, "%s goes with a request, and not with an order of them", bound)
	}
}

var fewDigits = regexp.MustCompile(`^[0-9]{1,9}$`)

// fragment reads the one document that a text is; nil where it is none.
func (p *parser) fragment(src []byte) *yaml.Node {
	if len(src) > MaxFile {
		p.faultAt(p.line(1), "the text has %d bytes; %d are taken", len(src), MaxFile)
		return nil
	}
	src = bytes.TrimPrefix(src, []byte("\uFEFF"))
	if !p.characters(src) {
		return nil
	}
	var text []byte
	text, p.moved = asYAML(src)
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	if err := decode(dec, &doc); err != nil {
		if len(bytes.TrimSpace(src)) == 0 {
			p.faultAt(p.line(1), "there is nothing but an empty text")
		} else {
			p.syntax(src, err)
		}
		return nil
	}
	if len(doc.Content) == 0 {
		p.faultAt(p.line(1), "there is nothing but an empty text")
		return nil
	}
	p.screen(doc.Content[0], 1)
	switch err := decode(dec, &more); err {
	case nil:
		p.fault(&more, "one document is taken, and here another begins")
	case io.EOF:
	default:
		p.syntax(src, err)
	}
	if p.tooDeep || p.nodes > MaxNodes {
		return nil
	}
	return doc.Content[0]
}
