package mockserver

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/oigmock/oigmock/scenarios"
)

// A slow body counts the room that is held ready for it: what it is asked for
// at once, against what has arrived.
type slowBody struct {
	text       string
	read, room int
}

func (b *slowBody) Read(p []byte) (int, error) {
	b.room = max(b.room, len(p)-b.read)
	if b.read == len(b.text) {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, b.text[b.read:min(b.read+1000, len(b.text))])
	b.read += n
	return n, nil
}

// The room for a body grows as it arrives, whatever length is told before.
func TestRoomForBodies(t *testing.T) {
	s := newServer(t, Config{Scenarios: scenariosOf(t, "s", map[string]string{
		"s.yaml": "- {name: a, request: {path: /a}, response: {status: 200, text: '{{ body }}'}}\n"})})
	for _, test := range []struct{ told, sent, status int }{
		{10, 10, 200}, {64 << 10, 64 << 10, 200}, {64<<10 + 1, 64<<10 + 1, 200}, {MaxBody, MaxBody, 200},
		{MaxBody, 1, 400}, {MaxBody, 70_000, 400}, {64 << 10, 64<<10 - 1, 400},
	} {
		body := &slowBody{text: `"` + strings.Repeat("a", max(test.sent-2, 0)) + `"`}
		body.text = body.text[:test.sent]
		hr := httptest.NewRequest("PUT", "/a", body)
		hr.ContentLength = int64(test.told)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, hr)
		if w.Code != test.status || w.Code == 200 && w.Body.Len() != test.sent-2 {
			t.Errorf("%d of %d bytes: %d, %d bytes", test.sent, test.told, w.Code, w.Body.Len())
		}
		if body.room > 64<<10 {
			t.Errorf("%d of %d bytes: room for %d more than had arrived", test.sent, test.told, body.room)
		}
		entries, _ := s.home.Journal(0)
		if got := entries[len(entries)-1].Exchange.Request.Body; cap(got) > len(got)+8<<10 {
			t.Errorf("%d of %d bytes: room for %d", test.sent, test.told, cap(got))
		}
	}
}

// What an entry is counted as is no less than the texts and slices in it have.
func TestJournalCountsHeaders(t *testing.T) {
	values := make([]string, 9000)
	for i := range values {
		values[i] = "ab"
	}
	roomy := make([]byte, 1, 5000)
	for _, test := range []struct {
		name  string
		entry Entry
		least int
	}{
		{"a header with many values", Entry{Exchange: scenarios.Exchange{Request: scenarios.Request{Header: http.Header{"X": values}}}}, 9000 * 18},
		{"and of the answer", Entry{Exchange: scenarios.Exchange{Response: scenarios.Response{Header: []scenarios.Field{{Name: "X", Values: values}}}}}, 9000 * 18},
		{"a body with room", Entry{Exchange: scenarios.Exchange{Request: scenarios.Request{Body: roomy}}}, 5000},
		{"and of the answer", Entry{Exchange: scenarios.Exchange{Response: scenarios.Response{Body: roomy}}}, 5000},
	} {
		if got := sizeOf(&test.entry); got < test.least {
			t.Errorf("%s: counted as %d bytes, and has %d", test.name, got, test.least)
		}
	}
}

// A sink keeps what was written as it was given.
type sink struct {
	httptest.ResponseRecorder
	wrote [][]byte
}

func (s *sink) Write(p []byte) (int, error) {
	s.wrote = append(s.wrote, p)
	return len(p), nil
}

// A large body that is known at load is zipped once; one that is made for the
// request is not zipped at all.
func TestGzipOfLargeBodies(t *testing.T) {
	const text = "scenario: s\nsource: assumed\ninteractions:\n" +
		"  - {name: file, request: {path: /file}, response: {status: 200, header: {Content-Encoding: gzip}, file: big}}\n" +
		"  - {name: same, request: {path: /same}, response: {status: 200, header: {Content-Encoding: gzip, X: '{{ query/a }}'}, file: big}}\n" +
		"  - {name: made, request: {path: /made}, response: {status: 200, header: {Content-Encoding: gzip}, text: '{{ body | default x }}{{ body | default x }}'}}\n" +
		"  - {name: small, request: {path: /small}, response: {status: 200, header: {Content-Encoding: gzip}, text: '{{ body }}'}}\n"
	list, err := scenarios.Load(fstest.MapFS{"s.yaml": {Data: []byte(text)}, "big": {Data: bytes.Repeat([]byte("0123456789"), 1<<18)}}, "s")
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, Config{Scenarios: list})
	zipped := map[*byte]int{}
	for range 2 {
		for _, test := range []struct{ path, encoding string }{
			{"/file", "gzip"}, {"/same?a=b", "gzip"}, {"/made", ""}, {"/small", "gzip"},
		} {
			hr := httptest.NewRequest("GET", test.path, strings.NewReader(`"`+strings.Repeat("a", 1<<20-2)+`"`))
			hr.Header.Set("Accept-Encoding", "gzip")
			w := &sink{ResponseRecorder: *httptest.NewRecorder()}
			s.ServeHTTP(w, hr)
			body := bytes.Join(w.wrote, nil)
			if got := w.Header().Get("Content-Encoding"); got != test.encoding || w.Code != 200 || len(body) == 0 {
				t.Errorf("%s: %d, Content-Encoding %q, want %q", test.path, w.Code, got, test.encoding)
			}
			if got := fmt.Sprint(w.Header()["Vary"], w.Header()["Content-Length"]); got != fmt.Sprintf("[Accept-Encoding] [%d]", len(body)) {
				t.Errorf("%s: got %s, and %d bytes", test.path, got, len(body))
			}
			if (test.path == "/file" || test.path == "/same?a=b") && len(body) > 0 {
				zipped[&w.wrote[0][0]]++
			}
		}
	}
	if len(zipped) != 1 {
		t.Errorf("one file is zipped %d times", len(zipped))
	}
}

// OPTIONS of all is refused as anything else that is outside the contract.
func TestOptionsOfAll(t *testing.T) {
	s := oigServer(t, "11.1.2.3")
	for name, h := range map[string]http.Handler{"mock": s, "admin": s.Admin(AdminConfig{Version: "1"})} {
		c, err := net.Dial("tcp", listening(t, h))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "OPTIONS * HTTP/1.1\r\nHost: mock\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: "OPTIONS"})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode < 400 || res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: got %d %v %s, %v", name, res.StatusCode, res.Header, body, err)
		}
	}
}
