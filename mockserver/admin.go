package mockserver

import (
	"encoding/json"
	"net/http"
)

// Admin answers what steers and asks the mock, apart from it: GET /health and
// GET /version.
func (s *Server) Admin(version string) http.Handler {
	m := http.NewServeMux()
	page := func(path string, get func() any) {
		m.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, "application/json", http.StatusOK, get()) })
		m.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { refusePageMethod(w, r, "GET, HEAD") })
	}
	page("/health", func() any {
		return map[string]any{"status": "ok", "operations": s.Operations(), "scenarios": s.Scenarios(), "interactions": s.Interactions()}
	})
	page("/version", func() any {
		return map[string]any{"version": version, "release": s.cfg.Release}
	})
	none := func(w http.ResponseWriter, r *http.Request) { refusePage(w, r, "GET /health and GET /version") }
	m.HandleFunc("/", none)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI == "*" { // which ServeMux refuses without a word
			none(w, r)
			return
		}
		m.ServeHTTP(w, r)
	})
}

func writeJSON(w http.ResponseWriter, media string, status int, v any) {
	w.Header().Set("Content-Type", media)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that went away is no matter of ours
}
