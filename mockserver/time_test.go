package mockserver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func logTo(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// A pipes is a listener without sockets, so that time stands still until all
// wait: nothing here sleeps.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// inTime runs a server in a bubble of its own time.
func inTime(t *testing.T, interactions string, f func(t *testing.T, s *Server, p *pipes, stop func() error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := thingsServer(t, interactions)
		p := newPipes()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- Serve(ctx, p, s, nil, nil) }()
		stopped := false
		stop := func() error {
			cancel()
			stopped = true
			return <-done
		}
		f(t, s, p, stop)
		if !stopped {
			_ = stop() // a test that has left something open waits for it here
		}
	})
}

const (
	quick = "- {name: quick, request: {method: PUT, path: /things/quick}, response: {status: 200, body: {id: quick}}}\n"
	slow  = "- {name: slow, request: {method: PUT, path: /things/slow}, response: {status: 200, body: {id: slow}, delay: 8s}}\n" +
		"- {name: slower, request: {method: PUT, path: /things/slower}, response: {status: 200, body: {id: slower}, delay: 5m}}\n"
)

func putText(id string) string {
	body := `{"id": "` + id + `"}`
	return fmt.Sprintf("PUT /things/%s HTTP/1.1\r\nHost: mock\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", id, len(body), body)
}

func write1(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

func readAnswer(t *testing.T, in *bufio.Reader) (int, string) {
	t.Helper()
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// closesAfter reads to the end, and wants that to come at that time.
func closesAfter(t *testing.T, in io.Reader, began time.Time, want time.Duration) []byte {
	t.Helper()
	rest, err := io.ReadAll(in)
	if err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
	// net/http waits for half a second more, so that the last answer arrives.
	if got := time.Since(began); got < want || got > want+time.Second {
		t.Errorf("closed after %s, want %s", got, want)
	}
	return rest
}

func TestHeadersThatNeverEnd(t *testing.T) {
	inTime(t, quick, func(t *testing.T, s *Server, p *pipes, _ func() error) {
		began := time.Now()
		c := p.dial()
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() {
			for _, b := range []byte("PUT /things/quick HTTP/1.1\r\nX-A: aaaaaaaaaaaaa") {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		if rest := closesAfter(t, c, began, headerTimeout); len(rest) > 0 && !bytes.HasPrefix(rest, []byte("HTTP/1.1 400")) {
			t.Errorf("got %s", rest)
		}
	})
}

// 64 KiB of headers, the first line among them, are taken, and not a byte more;
// what was read ahead of the body does not count.
func TestHeaderLimit(t *testing.T) {
	head, body, _ := strings.Cut(putText("quick"), "\r\n\r\n")
	head += "\r\nX-A: "
	for length, want := range map[int]int{64<<10 - 1: 200, 64 << 10: 200, 64<<10 + 1: 431, 68_500: 431} {
		inTime(t, quick, func(t *testing.T, s *Server, p *pipes, _ func() error) {
			c := p.dial()
			defer c.Close()
			text := head + strings.Repeat("a", length-len(head)-len("\r\n\r\n")) + "\r\n\r\n" + body
			go func() { _, _ = io.WriteString(c, text) }() // what is refused is not read to its end
			if status, _ := readAnswer(t, bufio.NewReader(c)); status != want {
				t.Errorf("%d bytes of headers: got %d, want %d", length, status, want)
			}
		})
	}
}

func TestIdleConnection(t *testing.T) {
	inTime(t, quick, func(t *testing.T, s *Server, p *pipes, _ func() error) {
		c := p.dial()
		in := bufio.NewReader(c)
		write1(t, c, putText("quick"))
		if status, body := readAnswer(t, in); status != 200 {
			t.Fatal(status, body)
		}
		closesAfter(t, in, time.Now(), idleTimeout)
	})
}

// A body that does not come ends the connection, whichever way it stays away.
func TestBodyThatNeverEnds(t *testing.T) {
	const head = "PUT /things/quick HTTP/1.1\r\nHost: mock\r\nContent-Type: application/json\r\n"
	for name, test := range map[string]struct {
		text   string
		status string
		after  time.Duration
	}{
		"a length":                {head + "Content-Length: 99\r\n\r\n{", "400", bodyTimeout},
		"chunks":                  {head + "Transfer-Encoding: chunked\r\n\r\n5\r\n{", "400", bodyTimeout},
		"too large, then nothing": {head + "Content-Length: 99999999\r\n\r\n{", "413", 0},
		"too many chunks, then nothing": {head + "Transfer-Encoding: chunked\r\n\r\n" +
			strings.Repeat("8000\r\n"+strings.Repeat(" ", 0x8000)+"\r\n", 33), "413", bodyTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, quick, func(t *testing.T, s *Server, p *pipes, _ func() error) {
				began := time.Now()
				c := p.dial()
				go func() { _, _ = io.WriteString(c, test.text) }()
				rest := closesAfter(t, c, began, test.after)
				if !bytes.HasPrefix(rest, []byte("HTTP/1.1 "+test.status)) || !bytes.Contains(rest, []byte("application/problem+json")) {
					t.Errorf("got %.300s", rest)
				}
			})
		})
	}
}

// A client that does not take its answer does not hold the server up.
func TestAnswerThatNobodyTakes(t *testing.T) {
	inTime(t, quick, func(t *testing.T, s *Server, p *pipes, stop func() error) {
		c := p.dial()
		write1(t, c, putText("quick"))
		began := time.Now()
		time.Sleep(writeTimeout + time.Second)
		if _, err := io.ReadAll(c); err != nil && !errors.Is(err, io.ErrClosedPipe) {
			t.Error(err)
		}
		if got := time.Since(began); got > writeTimeout+2*time.Second {
			t.Errorf("closed after %s", got)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// A delay is no time-out, however long; what is asked after it works.
func TestDelayLongerThanAllTimeouts(t *testing.T) {
	inTime(t, quick+slow, func(t *testing.T, s *Server, p *pipes, _ func() error) {
		c := p.dial()
		in := bufio.NewReader(c)
		began := time.Now()
		write1(t, c, putText("slower"))
		if status, body := readAnswer(t, in); status != 200 || time.Since(began) != 5*time.Minute {
			t.Errorf("got %d %s after %s", status, body, time.Since(began))
		}
		write1(t, c, putText("quick"))
		if status, body := readAnswer(t, in); status != 200 {
			t.Errorf("got %d %s", status, body)
		}
	})
}

// The time-out of one answer is not that of the next request: after forty
// seconds of silence "100 Continue" can still be written.
func TestContinueAfterSilence(t *testing.T) {
	inTime(t, quick, func(t *testing.T, s *Server, p *pipes, _ func() error) {
		c := p.dial()
		in := bufio.NewReader(c)
		write1(t, c, putText("quick"))
		readAnswer(t, in)
		time.Sleep(40 * time.Second)
		head, body, _ := strings.Cut(putText("quick"), "\r\n\r\n")
		write1(t, c, head+"\r\nExpect: 100-continue\r\n\r\n")
		if status, _ := readAnswer(t, in); status != 100 {
			t.Fatalf("got %d", status)
		}
		write1(t, c, body)
		if status, text := readAnswer(t, in); status != 200 {
			t.Errorf("got %d %s", status, text)
		}
	})
}

// What the client can have seen is in the journal; so is what it waits for.
func TestJournalBeforeTheFirstByte(t *testing.T) {
	inTime(t, quick+slow, func(t *testing.T, s *Server, p *pipes, _ func() error) {
		c := p.dial()
		write1(t, c, putText("slow"))
		synctest.Wait()
		entries, _ := s.home.Journal(0)
		if len(entries) != 1 || entries[0].Interaction != "slow" || entries[0].Exchange.Response.Status != 200 {
			t.Fatalf("got %+v", entries)
		}
		in := bufio.NewReader(c)
		if _, err := in.Peek(1); err != nil {
			t.Fatal(err)
		}
		if status, _ := readAnswer(t, in); status != 200 {
			t.Error(status)
		}
		if entries, _ := s.home.Journal(0); len(entries) != 1 {
			t.Errorf("%d entries", len(entries))
		}
	})
}

// A client that goes away while it waits leaves nothing behind, but its entry.
func TestClientThatGoesAway(t *testing.T) {
	inTime(t, quick+slow, func(t *testing.T, s *Server, p *pipes, stop func() error) {
		var b bytes.Buffer
		s.cfg.Log = logTo(&b)
		c := p.dial()
		write1(t, c, putText("slower"))
		synctest.Wait()
		began := time.Now()
		c.Close()
		if err := stop(); err != nil {
			t.Error(err)
		}
		if got := time.Since(began); got > time.Second {
			t.Errorf("the server waited for %s", got)
		}
		if entries, _ := s.home.Journal(0); len(entries) != 1 {
			t.Errorf("%d entries", len(entries))
		}
		if n := strings.Count(b.String(), "\n"); n != 1 {
			t.Errorf("%d lines in the log: %s", n, b.String())
		}
	})
}

func TestGracefulStop(t *testing.T) {
	t.Run("what is under way is finished", func(t *testing.T) {
		inTime(t, quick+slow, func(t *testing.T, s *Server, p *pipes, stop func() error) {
			answers := make(chan int, 100)
			for range 100 {
				c := p.dial()
				go func() {
					defer c.Close()
					_, _ = io.WriteString(c, putText("slow"))
					res, err := http.ReadResponse(bufio.NewReader(c), nil)
					if err != nil {
						answers <- 0
						return
					}
					answers <- res.StatusCode
				}()
			}
			synctest.Wait()
			began := time.Now()
			if err := stop(); err != nil {
				t.Error(err)
			}
			if got := time.Since(began); got < 7*time.Second || got > 9*time.Second {
				t.Errorf("it took %s", got)
			}
			for range 100 {
				if got := <-answers; got != 200 {
					t.Fatalf("got %d", got)
				}
			}
		})
	})
	t.Run("but not for ever", func(t *testing.T) {
		inTime(t, quick+slow, func(t *testing.T, s *Server, p *pipes, stop func() error) {
			c := p.dial()
			write1(t, c, putText("slower"))
			synctest.Wait()
			began := time.Now()
			err := stop()
			if got := time.Since(began); got < graceTimeout || got > graceTimeout+time.Second {
				t.Errorf("it took %s", got)
			}
			if err == nil || !strings.Contains(err.Error(), "still under way after 10s") {
				t.Errorf("got %v", err)
			}
			closesAfter(t, c, time.Now(), 0)
		})
	})
	t.Run("who is idle is not waited for", func(t *testing.T) {
		inTime(t, quick, func(t *testing.T, s *Server, p *pipes, stop func() error) {
			c := p.dial()
			write1(t, c, putText("quick"))
			readAnswer(t, bufio.NewReader(c))
			began := time.Now()
			if err := stop(); err != nil || time.Since(began) > time.Second {
				t.Errorf("%v after %s", err, time.Since(began))
			}
		})
	})
	t.Run("a listener that fails", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes()
			_ = p.Close()
			err := Serve(context.Background(), once{p}, http.NotFoundHandler(), nil, nil)
			if err == nil || !strings.Contains(err.Error(), "serving on pipe") {
				t.Errorf("got %v", err)
			}
		})
	})
}

// once can be closed again.
type once struct{ *pipes }

func (once) Close() error { return nil }
