package scenarios

import (
	"fmt"
	"go/token"
	"math"
	"path"
	"strconv"
	"strings"
	"time"
)

// A ResponseTemplate is a canned response whose strings may hold templates.
// In Adds, what is not set is left as the answer has it.
type ResponseTemplate struct {
	Status *Value   // a number or a template; nil in Adds: as the answer has it
	Header []Header // in the order of the file
	Body   *Value   // JSON, keys in the order of the file
	Text   *Value   // or: any other body
	File   string   // or: the name of the file whose bytes it is
	Delay  *Delay
	Damage *Damage // what happens to it on its way; nil: it arrives whole
	Pos    token.Position

	path  *Path // of the interaction, for its parameters
	bytes []byte
	ready *Response // rendered at load; nil where it depends on the request
}

// A Header is a header of a response, written as the file writes it.
type Header struct {
	Name   string
	Values []*Value
}

// A Response is what goes out, or what came in. It is not to be changed.
type Response struct {
	Status  int // 0 in what Adds gives: as the answer has it
	Header  []Field
	Body    []byte
	Media   string // what the body is, unless a header says so; "" for no body
	HasBody bool
}

// A Field is a header with its values, written as it goes out.
type Field struct {
	Name   string
	Values []string
}

// Ready is the response, rendered at load; nil where it depends on the
// request.
func (t *ResponseTemplate) Ready() *Response { return t.ready }

// Render makes the response to a request. The error is a *Fault: a template
// that could not be filled in.
func (t *ResponseTemplate) Render(r *Request, env Env) (*Response, error) {
	if t.ready != nil {
		return t.ready, nil
	}
	return t.renderFor(&scope{env: env, req: r, work: allWork, tree: env.Records})
}

// Perform makes an interaction hold for the request of the trial, out of what
// is left of its budget: what it sets is set, then the response is rendered,
// one of the interaction's. What is performed later sees what was set before.
// With an error nothing is set.
func (t *Trial) Perform(i *Interaction, rt *ResponseTemplate) (*Response, error) {
	if rt.ready != nil && len(i.Set) == 0 {
		return rt.ready, nil
	}
	s := &scope{env: t.s.env, req: t.s.req, work: t.s.work, tree: t.after, of: i.of, looked: t.s.looked}
	if i.Request.Path != nil && s.req != nil {
		s.named = i.Request.Path.names
		i.Request.Path.match(s.req, &s.params)
	}
	s.perform(i.Set)
	out, err := rt.ready, error(nil)
	switch {
	case s.err != nil:
		err = s.err
	case out == nil:
		out, err = rt.renderFor(s)
	}
	t.s.work, t.s.looked = s.work, s.looked
	if err != nil {
		return nil, err
	}
	t.after = s.tree
	t.changed = append(t.changed, s.changed...)
	return out, nil
}

func (t *ResponseTemplate) renderFor(s *scope) (*Response, error) {
	if t.path != nil && s.req != nil {
		s.named = t.path.names
		t.path.match(s.req, &s.params)
	}
	return t.render(s)
}

func (t *ResponseTemplate) render(s *scope) (*Response, error) {
	out := &Response{}
	if t.Status != nil {
		text, _ := t.Status.asText(s)
		n, err := strconv.Atoi(text)
		if s.err == nil && (err != nil || n < 200 || n > 599) {
			s.fail(t.Status.Pos, "status: what the template finds is no number from 200 to 599")
		}
		out.Status, s.status = n, n
	}
	for _, h := range t.Header {
		f := Field{Name: h.Name}
		for _, v := range h.Values {
			text, ok := v.asText(s)
			if !ok {
				continue
			}
			if bad := badHeader(text); bad != "" {
				s.fail(v.Pos, "header "+h.Name+": "+bad)
			}
			f.Values = append(f.Values, text)
		}
		if len(f.Values) > 0 {
			out.Header = append(out.Header, f)
		}
	}
	switch {
	case t.Body != nil:
		if out.Body, out.HasBody = t.Body.give(s, nil); out.HasBody {
			out.Media = "application/json"
		}
	case t.Text != nil:
		text, _ := t.Text.asText(s)
		out.Body, out.HasBody = []byte(text), true
		out.Media = "text/plain; charset=utf-8"
	case t.File != "":
		out.Body, out.HasBody = t.bytes, true
		out.Media = mediaOfFile(t.File)
	}
	if s.work <= 0 { // something may have been left out for want of it
		s.fail(t.Pos, "the answer costs too much to make")
	}
	if s.err != nil {
		return nil, s.err
	}
	return out, nil
}

// mediaOfFile does not ask the machine, so that an answer is the same on each.
func mediaOfFile(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".json":
		return "application/json"
	case ".xml":
		return "application/xml"
	case ".pdf":
		return "application/pdf"
	case ".zip":
		return "application/zip"
	case ".png":
		return "image/png"
	case ".html":
		return "text/html; charset=utf-8"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".csv":
		return "text/csv; charset=utf-8"
	}
	return "application/octet-stream"
}

// fill gives it the bytes of its file.
func (t *ResponseTemplate) fill(b []byte) {
	t.bytes = b
	if t.ready != nil {
		t.ready.Body = b
	}
}

// badHeader says why a text cannot be the value of a header.
func badHeader(text string) string {
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\t' || c == 0x7f {
			return fmt.Sprintf("control character %#02x in its value", c)
		}
	}
	return ""
}

// prepare renders at load what does not depend on the request. It gives the
// fault of what no request can make well.
func (t *ResponseTemplate) prepare() *Fault {
	s := &scope{work: allWork}
	out, err := t.render(s)
	switch {
	case s.dynamic:
		return nil
	case err == nil:
		t.ready = out
	}
	return s.err
}

// A Delay is how long a response waits before its first byte.
type Delay struct {
	Min, Max time.Duration // equal: fixed
	Median   time.Duration // of a lognormal one; 0: uniform
	Sigma    float64
}

// Draw is one delay. uniform gives numbers from 0 up to 1, and normal
// normally distributed ones.
func (d *Delay) Draw(uniform, normal func() float64) time.Duration {
	if d.Median == 0 {
		if d.Max <= d.Min {
			return d.Min
		}
		return d.Min + time.Duration(uniform()*float64(d.Max-d.Min))
	}
	// Beyond the maximum it draws again, a few times: cutting off would heap
	// up delays at the maximum.
	for range 100 {
		if t := float64(d.Median) * math.Exp(d.Sigma*normal()); t <= float64(d.Max) {
			return time.Duration(t)
		}
	}
	return d.Max
}
