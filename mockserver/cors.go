package mockserver

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/rs/cors"
)

// A browser lets a page of another origin call the mock, and read what it says,
// only where the mock agrees. Without Config.CORS it agrees to nothing, and no
// request is looked at for it.

const anyOrigin = "*"

// exposed are the headers that such a page may read besides those that any may.
var exposed = []string{"ResponseTime", "Location", originHeader, errorHeader}

// CheckOrigin reports what Config.CORS does not take.
func CheckOrigin(origin string) error {
	_, err := parseOrigin(origin)
	return err
}

// parseOrigin is an origin as browsers write it, who compare it by its letters:
// small ones, and no port that the scheme has anyway.
func parseOrigin(text string) (string, error) {
	if text == anyOrigin {
		return text, nil
	}
	bad := fmt.Errorf("%s is no origin: want SCHEME://HOST[:PORT] without a path, such as http://localhost:3000, or * for any", strconv.Quote(scenarios.CutText(text, 200)))
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || !strings.EqualFold(text, u.Scheme+"://"+u.Host) || strings.HasSuffix(u.Host, ":") ||
		strings.ContainsFunc(u.Host, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(".-_:[]", r))
		}) {
		return "", bad
	}
	origin := strings.ToLower(text)
	if port := u.Port(); port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		switch {
		case err != nil || strconv.FormatUint(n, 10) != port:
			return "", bad
		case u.Scheme == "http" && n == 80 || u.Scheme == "https" && n == 443:
			origin = strings.TrimSuffix(origin, ":"+port)
		}
	}
	return origin, nil
}

// newCORS is nil where there are no origins.
func newCORS(origins []string) (*cors.Cors, error) {
	if len(origins) == 0 {
		return nil, nil
	}
	allowed := map[string]bool{}
	for _, text := range origins {
		origin, err := parseOrigin(text)
		if err != nil {
			return nil, fmt.Errorf("CORS: %w", err)
		}
		allowed[origin] = true
	}
	return cors.New(cors.Options{
		// With credentials browsers do not take * for an answer, so that each origin
		// is told that it is meant.
		AllowOriginFunc: func(origin string) bool {
			return origin != "" && (allowed[anyOrigin] || allowed[origin])
		},
		AllowedMethods:   []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		AllowedHeaders:   []string{"*"}, // whatever is asked for is named in the answer, Authorization too
		ExposedHeaders:   exposed,
		AllowCredentials: true,
	}), nil
}

// preflight answers what a browser asks before it sends a request of a page, and
// reports whether it did. No scenario is asked and no journal kept: no client
// has called yet.
func (s *Server) preflight(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" || !s.cors.OriginAllowed(r) {
		return false
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
	s.cors.HandlerFunc(w, r)
	if s.cfg.Log != nil {
		s.cfg.Log.LogAttrs(r.Context(), slog.LevelInfo, "preflight", slog.String("origin", scenarios.CutText(r.Header.Get("Origin"), 200)),
			slog.String("path", scenarios.CutText(wirePath(r.URL), 512)))
	}
	return true
}

// agree lets the page that asked read an answer whose headers are all set but
// these. What a scenario says of it gives way, since a browser takes one word
// only.
func (s *Server) agree(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if !s.cors.OriginAllowed(r) {
		h["Vary"] = append(slices.Clip(h["Vary"]), "Origin") // what is kept of it is not for pages
		return
	}
	dropHeader(h, "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers")
	if own := h["Vary"]; own != nil {
		h["Vary"] = slices.Clip(own) // it belongs to all requests
	}
	s.cors.HandlerFunc(w, r)
}
