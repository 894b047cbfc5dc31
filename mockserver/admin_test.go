package mockserver

import (
	"encoding/json"
	"net/http/httptest"
	"testing"
)

func TestAdmin(t *testing.T) {
	admin := thingsServer(t, "- {name: a, request: {path: /a}, response: {status: 200}}\n").Admin("1.2.3")
	for _, test := range []struct {
		method, path string
		status       int
		allow        string
		body         string
	}{
		{"GET", "/health", 200, "", `{"interactions":1,"operations":4,"scenarios":1,"status":"ok"}`},
		{"GET", "/version", 200, "", `{"release":"","version":"1.2.3"}`},
		{"HEAD", "/health", 200, "", ""},
		{"POST", "/health", 405, "GET, HEAD", `{"type":"urn:oigmock:no-such-method","title":"no such method","status":405,"detail":"/health has GET, HEAD, and not POST","instance":"/health"}`},
		{"DELETE", "/version", 405, "GET, HEAD", `{"type":"urn:oigmock:no-such-method","title":"no such method","status":405,"detail":"/version has GET, HEAD, and not DELETE","instance":"/version"}`},
		{"GET", "/", 404, "", `{"type":"urn:oigmock:no-such-page","title":"no such page","status":404,"detail":"the admin API has GET /health and GET /version","instance":"/"}`},
		{"POST", "/health/x", 404, "", `{"type":"urn:oigmock:no-such-page","title":"no such page","status":404,"detail":"the admin API has GET /health and GET /version","instance":"/health/x"}`},
	} {
		w := httptest.NewRecorder()
		admin.ServeHTTP(w, httptest.NewRequest(test.method, test.path, nil))
		media := "application/json"
		if test.status >= 400 {
			media = "application/problem+json"
		}
		if w.Code != test.status || w.Header().Get("Allow") != test.allow || w.Header().Get("Content-Type") != media {
			t.Errorf("%s %s: got %d, %v", test.method, test.path, w.Code, w.Header())
		}
		if test.body == "" {
			continue
		}
		if got := w.Body.Bytes(); !json.Valid(got) || string(got) != test.body+"\n" {
			t.Errorf("%s %s: got %s", test.method, test.path, got)
		}
	}
}
