package mockserver

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas/payload"
)

func (a *admin) explain(v *visit) (any, error) {
	src, err := a.body(v)
	if err != nil {
		return nil, err
	}
	done, err := a.judge(v)
	if err != nil {
		return nil, err
	}
	defer done()
	doc, err := readObject(src, "a request", []string{"method", "path", "header", "body", "text", "seq"})
	if err != nil {
		return nil, err
	}
	var x *Explanation
	if doc.Member("seq").Kind() != payload.Absent {
		x, err = v.session.explainEntry(doc)
	} else {
		x, err = a.explainRequest(v, doc)
	}
	if err != nil {
		return nil, err
	}
	if wantsText(v.r) {
		return plain{"text/plain; charset=utf-8", []byte(scenarios.Printable(x.String()))}, nil
	}
	return x, nil
}

// explainRequest explains a request in the session that it names.
func (a *admin) explainRequest(v *visit, doc payload.Value) (*Explanation, error) {
	hr, err := requestOf(doc)
	if err != nil {
		return nil, err
	}
	named, prefix := v.session.name, ""
	inner, err := inSession(hr)
	if err != nil {
		return nil, err
	}
	if at := namingOf(inner); at.prefix != "" {
		if named != "" && at.session != "" && named != at.session {
			return nil, fmt.Errorf("%w: the path says %q and the parameter session says %q", ErrSessionName, scenarios.CutText(at.session, 40), scenarios.CutText(named, 40))
		}
		prefix = at.prefix
		if at.session == "" {
			at.session = named
		}
		if v.session, err = a.server.SessionIn(at.session, at.release); err != nil {
			return nil, err
		}
	}
	return v.session.explain(inner, prefix), nil
}

// explainEntry explains the request of an entry of the journal, as it came. Its
// path is without the session already.
func (s *Session) explainEntry(doc payload.Value) (*Explanation, error) {
	seq, err := strconv.ParseUint(doc.Member("seq").Literal(), 10, 63)
	if err != nil || seq == 0 || doc.Len() > 1 {
		return nil, wrongf("want the number of an entry alone, such as {\"seq\": 5}")
	}
	entries, lost := (&cursor{of: &s.journal, after: seq - 1}).next(1)
	switch {
	case len(entries) > 0 && entries[0].Seq == seq:
	case lost > 0:
		return nil, fmt.Errorf("%w: entry %d", ErrEvicted, seq)
	default:
		return nil, fmt.Errorf("%w: %d", errNoEntry, seq)
	}
	if entries[0].Cut {
		return nil, fmt.Errorf("%w: of the body of entry %d only the beginning is kept", ErrEvicted, seq)
	}
	e := &entries[0]
	r := &e.Exchange.Request
	if e.Outcome == BadSession {
		return &Explanation{Method: r.Method, Path: r.Path, Query: r.Query, Outcome: BadSession, Status: e.Exchange.Response.Status,
			Detail: fmt.Sprintf("the session that it named cannot be: GET /journal?after=%d&limit=1 has the answer", seq-1)}, nil
	}
	target := r.Path
	if r.Query != "" {
		target += "?" + r.Query
	}
	hr, err := newRequest(r.Method, target, r.Body)
	if err != nil {
		return nil, err
	}
	hr.Header, hr.Host = r.Header, r.Host
	if strings.HasPrefix(e.URL, "https:") {
		hr.TLS = &tls.ConnectionState{}
	}
	return s.explain(hr, strings.TrimPrefix(e.URL, baseURL(hr))), nil
}

// requestOf is the request that somebody asks about.
func requestOf(doc payload.Value) (*http.Request, error) {
	method, err := textMember(doc, "method")
	if err != nil {
		return nil, err
	}
	path, err := textMember(doc, "path")
	if err != nil {
		return nil, err
	}
	if method == "" {
		method = http.MethodGet
	}
	var body []byte
	media := ""
	switch of, words := doc.Member("body"), doc.Member("text"); {
	case of.Kind() != payload.Absent && words.Kind() != payload.Absent:
		return nil, wrongf("a request has a body, or a text, not both")
	case of.Kind() != payload.Absent:
		body, media = of.AppendJSON(nil), "application/json"
	case words.Kind() != payload.Absent:
		text, err := textMember(doc, "text")
		if err != nil {
			return nil, err
		}
		body = []byte(text)
	}
	hr, err := newRequest(method, path, body)
	if err != nil {
		return nil, err
	}
	header := doc.Member("header")
	if k := header.Kind(); k != payload.Absent && k != payload.Object {
		return nil, wrongf("header: want an object, got %s", k)
	}
	for name, values := range header.Members() {
		list := []payload.Value{values}
		if values.Kind() == payload.Array {
			list = nil
			for _, v := range values.Elems() {
				list = append(list, v)
			}
		}
		for _, v := range list {
			if v.Kind() != payload.String {
				return nil, wrongf("header %s: want a text, or several of them, got %s", scenarios.CutText(name, 80), v.Kind())
			}
			hr.Header.Add(name, v.Text())
		}
	}
	if media != "" && len(hr.Header["Content-Type"]) == 0 {
		hr.Header.Set("Content-Type", media)
	}
	if host := hr.Header.Get("Host"); host != "" {
		hr.Host = host
		hr.Header.Del("Host")
	}
	return hr, nil
}

func newRequest(method, target string, body []byte) (*http.Request, error) {
	u, err := url.ParseRequestURI(target)
	if err != nil || !strings.HasPrefix(target, "/") {
		return nil, wrongf("path: want a path, and perhaps a query, such as /a/b?c=d, got %q", scenarios.CutText(target, 200))
	}
	hr, err := http.NewRequest(method, "http://localhost:8080/", bytes.NewReader(body))
	if err != nil {
		return nil, wrongf("%q is no method", scenarios.CutText(method, 80))
	}
	hr.URL = u // as it was typed, which NewRequest would write anew
	if len(body) == 0 {
		hr.Body = http.NoBody
	}
	return hr, nil
}

// wantsText tells a client that asks for text, and not for JSON first.
func wantsText(r *http.Request) bool {
	for _, line := range r.Header["Accept"] {
		for part := range strings.SplitSeq(line, ",") {
			switch media, _, _ := strings.Cut(strings.TrimSpace(part), ";"); strings.ToLower(strings.TrimSpace(media)) {
			case "text/plain":
				return true
			case "application/json":
				return false
			}
		}
	}
	return false
}
