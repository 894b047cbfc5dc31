package scenarios

import (
	"bytes"

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
	dec := yaml.NewDecoder(bytes.NewReader(src))
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
	if decode(dec, &more) == nil {
		p.fault(&more, "one document is taken, and here another begins")
	}
	if p.tooDeep || p.nodes > MaxNodes {
		return nil
	}
	return doc.Content[0]
}
