package mockserver

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A follower is a client that is sent a journal as it comes.
type follower struct {
	conn   net.Conn
	events chan string // "entry 5 GET /a", ": still here"
	ended  chan struct{}
}

func follow(t *testing.T, p *pipes, target string, header ...string) *follower {
	t.Helper()
	f := &follower{p.dial(), make(chan string, 1000), make(chan struct{})}
	write1(t, f.conn, "GET "+target+" HTTP/1.1\r\nHost: localhost\r\n"+strings.Join(append(header, ""), "\r\n")+"\r\n")
	res, err := http.ReadResponse(bufio.NewReader(f.conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		text, _ := io.ReadAll(res.Body)
		t.Fatalf("%s: %d %v %s", target, res.StatusCode, res.Header, text)
	}
	go func() {
		defer close(f.ended)
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 1<<20)
		id, event := "", ""
		for lines.Scan() {
			switch name, text, _ := strings.Cut(lines.Text(), ": "); name {
			case "id":
				id = text
			case "event":
				event = text
			case "data":
				var e struct {
					Seq          int
					Method, Path string
				}
				if err := json.Unmarshal([]byte(text), &e); err != nil {
					t.Error(text, err)
				}
				switch event {
				case "entry":
					if id != fmt.Sprint(e.Seq) {
						t.Errorf("id %s of %s", id, text)
					}
					f.events <- fmt.Sprintf("entry %d %s %s", e.Seq, e.Method, e.Path)
				default:
					f.events <- event + " " + text
				}
			case "":
				if text != "" {
					f.events <- ": " + text
				}
			}
		}
	}()
	return f
}

// got is what came until all wait.
func (f *follower) got() string {
	synctest.Wait()
	var all []string
	for len(f.events) > 0 {
		all = append(all, <-f.events)
	}
	return strings.Join(all, ", ")
}

func (f *follower) hasEnded() bool {
	synctest.Wait()
	select {
	case <-f.ended:
		return true
	default:
		return false
	}
}

// inAdminTime serves the admin API in a bubble of its own time.
func inAdminTime(t *testing.T, change func(*Config), f func(t *testing.T, s *Server, p *pipes, stop func() error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := wordedServer(t, change)
		p := newPipes()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- Serve(ctx, p, s.Admin(AdminConfig{}), nil, nil) }()
		stop := func() error {
			cancel()
			return <-done
		}
		f(t, s, p, stop)
		if ctx.Err() == nil {
			_ = stop()
		}
	})
}

func TestFollow(t *testing.T) {
	inAdminTime(t, nil, func(t *testing.T, s *Server, p *pipes, stop func() error) {
		body(t, s, "GET /things/1")
		body(t, s, "GET /things/2")
		all := follow(t, p, "/journal?follow=true")
		puts := follow(t, p, "/journal?follow=true&method=PUT&after=1")
		on := follow(t, p, "/journal?follow=true", "Last-Event-ID: 1")
		beyond := follow(t, p, "/journal?follow=true", "Last-Event-ID: 900") // of a server that is no more
		misses := follow(t, p, "/unmatched?follow=true")
		for f, want := range map[*follower]string{all: "entry 1 GET /things/1, entry 2 GET /things/2", puts: "", on: "entry 2 GET /things/2",
			beyond: "entry 1 GET /things/1, entry 2 GET /things/2", misses: ""} {
			if got := f.got(); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		body(t, s, change1)
		body(t, s, "GET /nowhere")
		body(t, s, "GET /__session/other/things/1")
		if got := all.got(); got != "entry 3 PUT /things/1, entry 4 GET /nowhere" {
			t.Error(got)
		}
		if got := puts.got(); got != "entry 3 PUT /things/1" {
			t.Error(got)
		}
		if got := misses.got(); got != "entry 4 GET /nowhere" {
			t.Error(got)
		}
		// A sign of life each 15 seconds, and no end.
		time.Sleep(31 * time.Minute)
		if got := puts.got(); got != strings.TrimSuffix(strings.Repeat(": still here, ", 124), ", ") {
			t.Error(got)
		}
		// To clear the journal is no eviction.
		_ = all.got()
		s.home.ClearJournal()
		body(t, s, "GET /things/1")
		if got := all.got(); got != "entry 5 GET /things/1" {
			t.Error(got)
		}
		// The server does not wait for those who follow.
		began := time.Now()
		if err := stop(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("stopped after %s", took)
		}
		if !all.hasEnded() || !puts.hasEnded() {
			t.Error("they go on")
		}
	})
}

// A session that is followed is not idle; when it ends, that is told.
func TestFollowSession(t *testing.T) {
	inAdminTime(t, nil, func(t *testing.T, s *Server, p *pipes, _ func() error) {
		f := follow(t, p, "/journal?follow=true&session=a")
		other := follow(t, p, "/journal?follow=true&session=b")
		time.Sleep(3 * time.Hour)
		body(t, s, "GET /__session/a/things/1")
		if got := f.got(); !strings.HasSuffix(got, ", entry 1 GET /things/1") {
			t.Error(got)
		}
		if there, err := s.EndSession("a"); !there || err != nil {
			t.Fatal(there, err)
		}
		if got := f.got(); got != "ended {}" || !f.hasEnded() {
			t.Error(got)
		}
		if other.hasEnded() {
			t.Error("the other ended, too")
		}
		_ = other.conn.Close()
		time.Sleep(time.Minute)
		if !other.hasEnded() {
			t.Error("it goes on")
		}
	})
}

// Who is too slow is told how many he has missed.
func TestFollowEvicted(t *testing.T) {
	inAdminTime(t, func(cfg *Config) { cfg.Journal.Entries = 3 }, func(t *testing.T, s *Server, p *pipes, _ func() error) {
		for range 5 {
			body(t, s, "GET /things/1")
		}
		f := follow(t, p, "/journal?follow=true")
		on := follow(t, p, "/journal?follow=true&after=4")
		if got := f.got(); got != `evicted {"evicted":2}, entry 3 GET /things/1, entry 4 GET /things/1, entry 5 GET /things/1` {
			t.Error(got)
		}
		if got := on.got(); got != `entry 5 GET /things/1` {
			t.Error(got)
		}
		// A pipe takes nothing that nobody reads, so a few pile up.
		slow := p.dial()
		write1(t, slow, "GET /journal?follow=true&after=5 HTTP/1.1\r\nHost: localhost\r\n\r\n")
		synctest.Wait()
		for range 6 {
			body(t, s, "GET /things/2")
		}
		if got := f.got(); !strings.HasPrefix(got, `entry 6 GET /things/2`) && !strings.HasPrefix(got, "evicted") {
			t.Error(got)
		}
		text := make([]byte, 4096)
		all := ""
		for !strings.Contains(all, "id: 11\n") {
			n, err := slow.Read(text)
			if err != nil {
				t.Fatal(all, err)
			}
			all += string(text[:n])
		}
		if strings.Count(all, "event: evicted\ndata: {\"evicted\":3}\n\n") != 1 || strings.Count(all, "event: entry\n") != 3 {
			t.Error(all)
		}
		// One who does not read at all is dropped.
		began := time.Now()
		body(t, s, "GET /things/2")
		time.Sleep(writeTimeout + time.Second)
		if _, err := io.ReadAll(slow); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > writeTimeout+heartbeat {
			t.Errorf("dropped after %s", took)
		}
	})
}

// No more than a hundred follow at once.
func TestManyFollow(t *testing.T) {
	inAdminTime(t, nil, func(t *testing.T, s *Server, p *pipes, _ func() error) {
		var all []*follower
		for range maxFollowers {
			all = append(all, follow(t, p, "/journal?follow=true"))
		}
		c := p.dial()
		write1(t, c, "GET /journal?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if status, text := readAnswer(t, bufio.NewReader(c)); status != 503 || !strings.Contains(text, "100 others follow a journal, and no more can") {
			t.Error(status, text)
		}
		_ = c.Close()
		_ = all[0].conn.Close()
		synctest.Wait()
		follow(t, p, "/journal?follow=true")
	})
}

func TestFollowHead(t *testing.T) {
	s := wordedServer(t, nil)
	w := httptest.NewRecorder()
	r := httptest.NewRequest("HEAD", "/journal?follow=true", nil)
	r.Host = "localhost"
	s.Admin(AdminConfig{}).ServeHTTP(w, r)
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/event-stream" || w.Body.Len() > 0 {
		t.Error(w.Code, w.Header(), w.Body)
	}
	if status, _, text := visitPage(t, s.Admin(AdminConfig{}), "GET /journal?follow=true\nLast-Event-ID: x"); status != 400 {
		t.Error(status, text)
	}
}

// A taker is a client that has something happen as soon as it has seen an entry.
type taker struct {
	*httptest.ResponseRecorder
	seen    func()
	largest int
}

func (w *taker) Write(b []byte) (int, error) {
	w.largest = max(w.largest, len(b))
	if strings.Contains(string(b), `"seq":`) && w.seen != nil {
		seen := w.seen
		w.seen = nil
		defer seen()
	}
	return w.ResponseRecorder.Write(b)
}

// Who reads a journal holds a few of its entries, however many there are: what
// is gone meanwhile is not sent.
func TestJournalIsStreamed(t *testing.T) {
	s := wordedServer(t, nil)
	for range 100 {
		body(t, s, call("PUT /things/1\n\n"+`{"id": "`+strings.Repeat("1", 10_000)+`"}`))
	}
	admin := s.Admin(AdminConfig{})
	ask := func(target string, seen func()) *taker {
		r := httptest.NewRequest("GET", target, nil)
		r.Host = "localhost"
		w := &taker{httptest.NewRecorder(), seen, 0}
		admin.ServeHTTP(w, r)
		return w
	}
	entries := func(w *taker) int {
		var page struct{ Entries []struct{ Seq int } }
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
			t.Error(err)
		}
		return len(page.Entries)
	}
	for _, target := range []string{"/journal?limit=1000", "/journal?path=/things/{id}"} {
		w := ask(target, nil)
		if n := entries(w); n != 100 || w.largest > 25_000 {
			t.Errorf("%s: %d entries, %d bytes at once", target, n, w.largest)
		}
		t.Logf("%s: %d bytes at once of %d", target, w.largest, w.Body.Len())
	}
	// What comes while it is read is for the next one to tell.
	if n := entries(ask("/journal", func() { body(t, s, "GET /things/1") })); n != 100 {
		t.Errorf("%d entries", n)
	}
	w := ask("/journal?limit=1000", func() { s.home.ClearJournal() })
	if n := entries(w); n > fewEntries {
		t.Errorf("it held %d entries", n)
	}
}

// A follower, too, holds a few entries.
func TestFollowHoldsFew(t *testing.T) {
	s := wordedServer(t, nil)
	for range 100 {
		body(t, s, "GET /things/1")
	}
	ctx, leave := context.WithCancel(t.Context())
	r := httptest.NewRequest("GET", "/journal?follow=true", nil).WithContext(ctx)
	r.Host = "localhost"
	w := &taker{httptest.NewRecorder(), func() { s.home.ClearJournal(); leave() }, 0}
	s.Admin(AdminConfig{}).ServeHTTP(w, r)
	if n := strings.Count(w.Body.String(), "event: entry\n"); n == 0 || n > fewEntries {
		t.Errorf("it held %d entries", n)
	}
}

// Who takes longer than half a minute for a few entries is dropped, even if he
// takes a little now and then.
func TestSlowReaders(t *testing.T) {
	for _, target := range []string{"/journal", "/journal?follow=true"} {
		inAdminTime(t, nil, func(t *testing.T, s *Server, p *pipes, _ func() error) {
			for range fewEntries {
				body(t, s, call("PUT /things/1\n\n"+`{"id": "`+strings.Repeat("1", 2000)+`"}`))
			}
			c := p.dial()
			write1(t, c, "GET "+target+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
			total, text := 0, make([]byte, 4096)
			for began := time.Now(); ; time.Sleep(12 * time.Second) {
				n, err := c.Read(text)
				if total += n; err != nil {
					break
				}
				if took := time.Since(began); took > 2*writeTimeout {
					t.Errorf("%s: it goes on after %s", target, took)
					break
				}
			}
			_ = c.Close()
			if total > 5*len(text) {
				t.Errorf("%s: dropped after %d bytes", target, total)
			}
		})
	}
}

// A request that was refused for its session is in the journal like any other.
func TestRefusedSessionEntry(t *testing.T) {
	s := wordedServer(t, nil)
	s.home.Advance(time.Hour)
	status, _ := body(t, s, call("GET /__session/"+strings.Repeat("a", 200)+"/things/1"))
	all, _ := s.home.Journal(0)
	if status != 400 || len(all) != 1 || !all[0].Exchange.At.Equal(noon.Add(time.Hour)) || all[0].URL != "http://example.com" {
		t.Errorf("%d %+v", status, all)
	}
}
