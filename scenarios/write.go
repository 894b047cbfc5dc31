package scenarios

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"time"

	"github.com/oigmock/oigmock/schemas/payload"
	"gopkg.in/yaml.v3"
)

// WriteTo writes the scenario as a YAML document that Parse reads. One that
// was read from a file is written as it stands there, comments and all; one
// that was made in Go is written in the order of the manual. The same scenario
// gives the same bytes each time.
func (s *Scenario) WriteTo(w io.Writer) (int64, error) {
	text := s.text
	if text == nil {
		var err error
		if text, err = s.compose(); err != nil {
			return 0, fmt.Errorf("writing scenario %s: %w", s.Name, err)
		}
	}
	n, err := w.Write(text)
	return int64(n), err
}

// SeedText is what the scenario seeds, and when, as a text: where that is the same
// the same is seeded, whatever else the file says.
func (s *Scenario) SeedText() string {
	text, err := (&Scenario{Given: s.Given, Records: s.Records}).compose()
	if err != nil {
		return string(s.text)
	}
	return string(text)
}

// compose writes the scenario from what it means.
func (s *Scenario) compose() ([]byte, error) {
	n := &yaml.Node{Kind: yaml.MappingNode}
	put := func(m *yaml.Node, name string, v *yaml.Node) {
		m.Content = append(m.Content, textNode(name), v)
	}
	put(n, "scenario", textNode(s.Title))
	put(n, "source", textNode(s.Source))
	if s.From != "" {
		put(n, "from", textNode(s.From))
	}
	if len(s.Releases) > 0 {
		list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, r := range s.Releases {
			list.Content = append(list.Content, textNode(r))
		}
		put(n, "releases", list)
	}
	if len(s.Given) > 0 {
		put(n, "given", writeGiven(s.Given))
	}
	n = withSentences(n, "records", s.Records)
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, i := range s.Interactions {
		m := &yaml.Node{Kind: yaml.MappingNode}
		put(m, "name", textNode(i.Name))
		if i.Order != Ordinary {
			put(m, "order", textNode(i.Order.String()))
		}
		put(m, "request", i.Request.write())
		m = withSentences(m, "when", i.When)
		m = withSentences(m, "set", i.Set)
		what := "response"
		if i.Adds {
			what = "adds"
		}
		if len(i.Responses) == 1 && i.Then == Repeat && i.Per == nil {
			put(m, what, i.Responses[0].write())
		} else {
			turns := &yaml.Node{Kind: yaml.SequenceNode}
			for _, t := range i.Responses {
				turns.Content = append(turns.Content, t.write())
			}
			put(m, what, turns)
		}
		if i.Then != Repeat {
			put(m, "then", textNode(i.Then.String()))
		}
		if i.Per != nil {
			put(m, "per", textNode(i.Per.text))
		}
		if i.Chance > 0 {
			put(m, "chance", textNode(strconv.FormatFloat(math.Round(i.Chance*1e8)/1e6, 'f', -1, 64)+"%"))
		}
		if i.Beyond != nil {
			put(m, "beyond", textNode(i.Beyond.String()))
		}
		list.Content = append(list.Content, m)
	}
	if len(list.Content) > 0 {
		put(n, "interactions", list)
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(n); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}

func writeGiven(given []ProviderState) *yaml.Node {
	if len(given) == 1 && given[0].Params == nil {
		return textNode(given[0].Name)
	}
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, st := range given {
		params := plainNode("!!null", "null")
		if st.Params != nil {
			params = st.Params.kind.write()
		}
		n.Content = append(n.Content, textNode(st.Name), params)
	}
	return n
}

func (m *RequestMatcher) write() *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	n = withOption(n, "method", m.Method)
	if m.Path != nil {
		n.Content = append(n.Content, textNode("path"), textNode(m.Path.text))
	}
	n = withOption(n, "path", m.PathText)
	for _, room := range []struct {
		name string
		v    *Value
	}{{"params", m.Params}, {"query", m.Query}, {"header", m.Header}, {"cookie", m.Cookie}, {"form", m.Form},
		{"user", m.User}, {"body", m.Body}, {"text", m.Text}} {
		n = withOption(n, room.name, room.v)
	}
	if m.Payload != Valid {
		n.Content = append(n.Content, textNode("payload"), textNode(m.Payload.String()))
	}
	return n
}

func (t *ResponseTemplate) write() *yaml.Node {
	n := withOption(&yaml.Node{Kind: yaml.MappingNode}, "status", t.Status)
	if len(t.Header) > 0 {
		headers := &yaml.Node{Kind: yaml.MappingNode}
		for _, h := range t.Header {
			v := array(h.Values).write()
			if len(h.Values) == 1 && v.Content[0].Kind != yaml.SequenceNode {
				v = v.Content[0]
			}
			headers.Content = append(headers.Content, textNode(h.Name), v)
		}
		n.Content = append(n.Content, textNode("header"), headers)
	}
	n = withOption(n, "body", t.Body)
	n = withOption(n, "text", t.Text)
	if t.File != "" {
		n.Content = append(n.Content, textNode("file"), textNode(t.File))
	}
	if t.Delay != nil {
		n.Content = append(n.Content, textNode("delay"), t.Delay.write())
	}
	if t.Damage != nil {
		n.Content = append(n.Content, textNode("fault"), t.Damage.write())
	}
	return n
}

func (d *Delay) write() *yaml.Node {
	text := func(d time.Duration) *yaml.Node { return textNode(d.String()) }
	switch {
	case d.Median > 0:
		return &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{textNode("lognormal"),
			{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{textNode("median"), text(d.Median),
				textNode("sigma"), numberNode(fmt.Sprint(d.Sigma)), textNode("max"), text(d.Max)}}}}
	case d.Min != d.Max:
		return &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{textNode("uniform"),
			{Kind: yaml.SequenceNode, Style: yaml.FlowStyle, Content: []*yaml.Node{text(d.Min), text(d.Max)}}}}
	}
	return text(d.Min)
}

func plainNode(tag, text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: text}
}

// plainText is what needs no quotes, unless it is a word such as true.
var plainText = regexp.MustCompile(`^[A-Za-z/$]([A-Za-z0-9_/$.+ -]*[A-Za-z0-9_/])?$`)

// textNode is a text, quoted wherever it could be read as something else.
func textNode(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	if !plainText.MatchString(text) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// numberNode is a number as it was written. With a tag the encoder would print
// it for those that are too long for Go.
func numberNode(text string) *yaml.Node { return plainNode("", text) }

// operatorNode is an operator, its argument, and options: a name and a
// *Value that may be nil.
func operatorNode(name string, arg *yaml.Node, options ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{textNode(name), arg}}
	for i := 0; i+1 < len(options); i += 2 {
		n = withOption(n, options[i].(string), options[i+1].(*Value))
	}
	return n
}

func withOption(n *yaml.Node, name string, v *Value) *yaml.Node {
	if v != nil {
		n.Content = append(n.Content, textNode(name), v.kind.write())
	}
	return n
}

func withSentences(n *yaml.Node, name string, list []Sentence) *yaml.Node {
	if len(list) == 0 {
		return n
	}
	m := &yaml.Node{Kind: yaml.MappingNode}
	for _, s := range list {
		m.Content = append(m.Content, textNode(s.At.text), s.Value.kind.write())
	}
	n.Content = append(n.Content, textNode(name), m)
	return n
}

func (c scalar) write() *yaml.Node {
	switch c.kind {
	case payload.String:
		return textNode(c.text)
	case payload.Number:
		return numberNode(c.text)
	case payload.Bool:
		return plainNode("!!bool", c.text)
	}
	return plainNode("!!null", "null")
}

func (o *object) write() *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for i, name := range o.names {
		n.Content = append(n.Content, textNode(name), o.values[i].kind.write())
	}
	return n
}

func (a array) write() *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for _, v := range a {
		n.Content = append(n.Content, v.kind.write())
	}
	return n
}
