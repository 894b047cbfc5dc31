package mockserver

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas/didyoumean"
)

const (
	sessionHeader = "X-Mock-Session"
	sessionPrefix = "/__session/"
	releasePrefix = "/__release/"
)

// A naming is the session, and the release, that a request names in its path.
type naming struct {
	session, release string // "": it does not say
	prefix           string // what says so, as on the wire
}

type namingKey struct{}

// namingOf is what the path of a request named.
func namingOf(r *http.Request) naming {
	n, _ := r.Context().Value(namingKey{}).(naming)
	return n
}

// inSession reads what the path of a request begins with, /__session/NAME or
// /__release/RELEASE or both, and gives the request without it.
func inSession(r *http.Request) (*http.Request, error) {
	rest := wirePath(r.URL)
	var n naming
	var err error
	for {
		after, found := "", false
		of, what := &n.session, sessionPrefix
		if after, found = strings.CutPrefix(rest, sessionPrefix); !found {
			of, what = &n.release, releasePrefix
			after, found = strings.CutPrefix(rest, releasePrefix)
		}
		if !found || *of != "" {
			break
		}
		name, left, _ := strings.Cut(after, "/")
		decoded, bad := url.PathUnescape(name)
		if bad == nil && of == &n.session {
			bad = checkSessionName(decoded)
		}
		if bad == nil && decoded == "" {
			bad = fmt.Errorf("%w: %s is followed by none", ErrUnknownRelease, releasePrefix)
		}
		*of = decoded
		n.prefix += what + name
		rest = "/" + left
		if bad != nil {
			err = bad
			break
		}
	}
	if n.prefix == "" {
		return r, nil
	}
	if err == nil && n.session != "" {
		err = sameInHeader(r, n.session)
	}
	inner := r.WithContext(context.WithValue(r.Context(), namingKey{}, n))
	u := *r.URL
	inner.URL = &u
	u.RawPath = rest
	if u.Path, _ = url.PathUnescape(u.RawPath); u.Path == u.RawPath {
		u.RawPath = ""
	}
	return inner, err
}

// sameInHeader reports a header that names another session than the path.
func sameInHeader(r *http.Request, name string) error {
	other, err := headerSession(r)
	if err == nil && other != "" && other != name {
		err = fmt.Errorf("%w: the path says %q and %s says %q", ErrSessionName, scenarios.CutText(name, 40), sessionHeader, scenarios.CutText(other, 40))
	}
	return err
}

// headerSession is the session that the header of a request names, "" for none.
func headerSession(r *http.Request) (string, error) {
	values := r.Header[sessionHeader]
	if len(values) == 0 {
		return "", nil
	}
	for _, other := range values {
		if other != values[0] {
			return "", fmt.Errorf("%w: %s is given several times, as %q and %q", ErrSessionName, sessionHeader, scenarios.CutText(values[0], 40), scenarios.CutText(other, 40))
		}
	}
	return values[0], nil
}

// sessionOf is the session that a request names, and what comes before the
// paths of its links.
func (s *Server) sessionOf(r *http.Request) (ses *Session, prefix string, err error) {
	n := namingOf(r)
	if n.session == "" {
		if n.session, err = headerSession(r); err != nil {
			return nil, "", err
		}
	}
	ses, err = s.SessionIn(n.session, n.release)
	return ses, n.prefix, err
}

// catalogs are what is served, one for each release. The first is that of
// sessions that name none.
type catalogs []*catalog

// of is the catalog of a release; nil for none.
func (all catalogs) of(release string) *catalog {
	for _, c := range all {
		if c.release == release {
			return c
		}
	}
	return nil
}

// Releases are those that are served, the usual one first.
func (s *Server) Releases() []string {
	var all []string
	for _, c := range *s.catalogs.Load() {
		all = append(all, c.release)
	}
	return all
}

// checkRelease reports a release that is not served.
func (s *Server) checkRelease(release string) error {
	known := s.Releases()
	if (*s.catalogs.Load()).of(release) != nil {
		return nil
	}
	hint := ""
	if len(known) == 1 {
		hint = "; oigmock serve --release all serves all there are"
	}
	return fmt.Errorf("%w: %q%s; this mock is %s%s", ErrUnknownRelease, scenarios.CutText(release, 40), didyoumean.Hint(release, known), strings.Join(known, ", "), hint)
}

// SessionIn is the session of that name in a release, which it keeps; naming it
// begins it. Of the session without a name there is one for each release. Where
// no release is named it is as Session says.
func (s *Server) SessionIn(name, release string) (*Session, error) {
	if release == "" {
		return s.Session(name)
	}
	if err := s.checkRelease(release); err != nil {
		return nil, err
	}
	if name == "" {
		return s.homes[release], nil
	}
	ses, err := s.session(name, release)
	if err == nil && ses.release != release {
		return nil, fmt.Errorf("%w: %q began in %s, and %s is asked for; another name, or DELETE /sessions/NAME, begins one in it",
			ErrOtherRelease, scenarios.CutText(name, 40), ses.release, release)
	}
	return ses, err
}
