package main

import (
	"bytes"
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/oigmock/oigmock/mockserver"
	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
)

// A curl writes the first call that somebody makes: one that works when it is
// pasted.
type curl struct {
	base     string // of the server
	login    string // the one that counts, NAME:PASSWORD; "": any does
	insecure bool   // the certificate is not one that curl trusts
}

const (
	maxTried = 200  // interactions that are looked at for an example
	maxCurl  = 1500 // bytes of a line that somebody still pastes
)

// line is a call that is answered when a session begins, with success if any
// is; else the first there is, and "" where there is none. Of the library it is
// the one that Oracle prints.
func (c curl) line(srv *mockserver.Server, s *set, l *loaded) string {
	home, err := srv.Session("") // that of clients that name none
	if err != nil {
		return ""
	}
	second, third := "", ""
	for i, candidate := range candidates(l, s.releases[0]) {
		if i == maxTried {
			break
		}
		ex := home.Example(candidate, c.base)
		if ex == nil { // it sleeps, or "when" does not hold
			continue
		}
		if len(ex.Request.Body) == 0 && operationOf(ex.Request, l).TakesBody() {
			ex.Request.Body = []byte("{}") // the scenario does not care, the contract may
			ex.Request.Header.Set("Content-Type", "application/json")
		}
		line, x := c.try(srv, ex)
		if x != nil && x.Outcome == mockserver.Answered && x.Status == http.StatusBadRequest && ex.Request.Header.Get(csrfHeader) == "" {
			ex.Request.Header.Set(csrfHeader, "curl") // that may be what was missing
			if with, again := c.try(srv, ex); again != nil && again.Status < 300 {
				line, x = with, again
			}
		}
		switch {
		case x == nil:
		case x.Outcome != mockserver.Answered:
			third = cmp.Or(third, line)
		case x.Status < 300:
			return line
		default:
			second = cmp.Or(second, line)
		}
	}
	return cmp.Or(second, third)
}

// csrfHeader is what OIG wants of whoever writes, from 12.2.1.4 on.
const csrfHeader = "X-Requested-By"

// try is an example as a line, and what becomes of it; nil where nobody would
// paste it.
func (c curl) try(srv *mockserver.Server, ex *scenarios.Example) (string, *mockserver.Explanation) {
	line := c.words(ex)
	if len(line) > maxCurl || strings.IndexFunc(line, scenarios.IsControl) >= 0 {
		return "", nil
	}
	r, err := c.request(ex)
	if err != nil {
		return "", nil
	}
	return line, srv.Explain(r)
}

// candidates are the interactions that answer, in the order in which they are
// tried, but the printed call of the library before all.
func candidates(l *loaded, release string) []*scenarios.Interaction {
	var printed, all []*scenarios.Interaction
	for _, sc := range l.scenarios {
		if !sc.Holds(release) {
			continue
		}
		for _, i := range sc.Interactions {
			switch {
			case i.Adds || i.Order != scenarios.Ordinary:
			case sc.Origin == library && sc.Name == "provtasks/update":
				printed = append(printed, i)
			default:
				all = append(all, i)
			}
		}
	}
	return append(printed, all...)
}

// operationOf is the operation of the contract that a request is for, or nil.
func operationOf(r *scenarios.Request, l *loaded) *schemas.Operation {
	for _, op := range l.contracts[0].Contract.Operations() {
		if path, err := scenarios.ParsePath(op.Path); err == nil && op.Method == r.Method && path.Match(r.Path) {
			return op
		}
	}
	return nil
}

func target(r *scenarios.Request) string {
	if r.Query == "" {
		return r.Path
	}
	return r.Path + "?" + r.Query
}

// request is the example as the server would get it.
func (c curl) request(ex *scenarios.Example) (*http.Request, error) {
	r, err := http.NewRequest(ex.Request.Method, c.base+target(ex.Request), bytes.NewReader(ex.Request.Body))
	if err != nil {
		return nil, err
	}
	r.Header = ex.Request.Header.Clone()
	if name, password, ok := strings.Cut(c.login, ":"); ok && ex.User != "" {
		r.SetBasicAuth(name, password)
	}
	return r, nil
}

// words are the example as a command line. A password that somebody chose is
// not in it: curl asks for it.
func (c curl) words(ex *scenarios.Example) string {
	r := ex.Request
	words := []string{"curl"}
	if c.insecure {
		words = append(words, "-k")
	}
	switch usual := len(r.Body) > 0; {
	case r.Method == http.MethodHead:
		words = append(words, "-I")
	case r.Method == http.MethodGet && !usual || r.Method == http.MethodPost && usual:
	default:
		words = append(words, "-X", r.Method)
	}
	if ex.User != "" {
		login := ex.User + ":secret"
		if name, _, ok := strings.Cut(c.login, ":"); ok {
			login = name
		}
		words = append(words, "-u", login)
	}
	names := make([]string, 0, len(r.Header))
	for name := range r.Header {
		if name == "Authorization" && ex.User != "" {
			continue // it is what -u says
		}
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range r.Header[name] {
			words = append(words, "-H", name+": "+value)
		}
	}
	if len(r.Body) > 0 {
		data := "-d"
		if r.Body[0] == '@' {
			data = "--data-raw"
		}
		words = append(words, data, string(r.Body))
	}
	words = append(words, c.base+target(r))
	for i, w := range words {
		words[i] = quoted(w)
	}
	return strings.Join(words, " ")
}

// quoted is a word as a shell reads it.
func quoted(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._/:@%+=,", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// parseTarget reads the address of a request as curl does: a URL, or one
// without its scheme; and besides a path, which is one of the mock itself.
func parseTarget(text string) (*url.URL, error) {
	text, _, _ = strings.Cut(text, "#")
	if strings.HasPrefix(text, "/") {
		u, err := url.ParseRequestURI(text)
		if err != nil {
			return nil, misusef("%q is no path", text)
		}
		u.Scheme, u.Host = "http", "localhost:8080"
		return u, nil
	}
	if !strings.Contains(text, "://") {
		host, _, _ := strings.Cut(text, "/")
		if host != "localhost" && !strings.ContainsAny(host, ".:") {
			return nil, misusef("%q: want a URL, or a path, which begins with a slash", text)
		}
		text = "http://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, misusef("%q is no URL", text)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, misusef("%q: want a URL that begins with http:// or https:// and names a host", text)
	case u.Path == "":
		u.Path = "/"
	}
	return u, nil
}
