package mockserver

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oigmock/oigmock/scenarios"
)

const damageSeed = 42

// A wounded is an answer that is to be damaged.
type wounded struct {
	damage   scenarios.Damage
	status   int // 0: 200
	body     string
	header   http.Header // over the usual ones
	stopping <-chan struct{}
	sent     chan int // what inflict said
}

func (a *wounded) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	h := w.Header()
	h["Date"] = nil
	if hr.URL.Path == "/whole" {
		_, _ = io.WriteString(w, "whole")
		return
	}
	status := max(a.status, 200)
	h["X-Mock-Scenario"] = []string{"a.yaml#b"}
	if status != 204 && status != 304 {
		h["Content-Type"] = []string{"application/json"}
		h["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	}
	for name, values := range a.header {
		if strings.EqualFold(name, "Content-Type") {
			h["Content-Type"] = nil // as setHeader does
		}
		h[name] = values
	}
	a.sent <- inflict(w, hr, &a.damage, status, []byte(a.body), damageSeed, a.stopping)
}

// A watched listener hands out its connections also to the test.
type watched struct {
	net.Listener
	conns chan *watchedConn
}

type watchedConn struct {
	*net.TCPConn
	closed chan struct{}
}

func (w watched) Accept() (net.Conn, error) {
	c, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	wc := &watchedConn{c.(*net.TCPConn), make(chan struct{})}
	w.conns <- wc
	return wc, nil
}

func (c *watchedConn) Close() error {
	err := c.TCPConn.Close()
	if !errors.Is(err, net.ErrClosed) {
		close(c.closed)
	}
	return err
}

func serveWounded(t *testing.T, a *wounded, secure bool) (*httptest.Server, watched) {
	t.Helper()
	a.sent = make(chan int, 1)
	s := httptest.NewUnstartedServer(a)
	w := watched{s.Listener, make(chan *watchedConn, 10)}
	s.Listener = w
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s, w
}

// dialWounded leaves it to the caller to close the connection, or else the server
// waits for that a while.
func dialWounded(t *testing.T, s *httptest.Server) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if s.TLS != nil {
		return overTLS(s, c)
	}
	return c
}

// overTLS is a client's TLS 1.2, which does not hide what is an alert.
func overTLS(s *httptest.Server, c net.Conn) net.Conn {
	conf := s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	conf.ServerName, conf.MaxVersion = "example.com", tls.VersionTLS12
	return tls.Client(c, conf)
}

// askRaw sends bytes and reads to the end.
func askRaw(t *testing.T, c net.Conn, request string) (string, error) {
	t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(c)
	return string(b), err
}

// alive wants a new connection to be served as if nothing had happened.
func alive(t *testing.T, s *httptest.Server) {
	t.Helper()
	res, err := s.Client().Get(s.URL + "/whole")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err != nil || string(b) != "whole" {
		t.Errorf("afterwards: %q, %v", b, err)
	}
}

// noResets: Windows forgets what was not read when an RST comes, so that nobody
// can tell what came before it.
const noResets = runtime.GOOS == "windows"

const (
	ten = "0123456789"

	okLine     = "HTTP/1.1 200 OK\r\n"
	originLine = "X-Mock-Scenario: a.yaml#b\r\n"
	typedEnd   = "Content-Type: application/json\r\n" + originLine + "\r\n"
	okTen      = okLine + "Content-Length: 10\r\n" + typedEnd
	okNone     = okLine + "Content-Length: 0\r\n" + typedEnd
	okUntold   = okLine + typedEnd
	okChunked  = okLine + "Content-Type: application/json\r\n" + originLine + "Transfer-Encoding: chunked\r\n\r\n"
	noContent  = "HTTP/1.1 204 No Content\r\n" + originLine + "\r\n"
	okWhole    = okLine + "Content-Length: 5\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\nwhole"
)

// What goes over the wire, to the byte. Where nothing is cut the connection
// goes on, and what is asked next is answered.
func TestDamageOnTheWire(t *testing.T) {
	const (
		get, head, http10 = "GET / HTTP/1.1", "HEAD / HTTP/1.1", "GET / HTTP/1.0"

		page     = maintenancePage
		pageHead = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 217\r\nContent-Type: text/html\r\nRetry-After: 120\r\n" + originLine + "\r\n"
		html     = "Content-Length: 10\r\nContent-Type: text/html; charset=utf-8\r\n" + originLine + "\r\n"
		octets   = "Content-Length: 10\r\nContent-Type: application/octet-stream\r\n" + originLine + "\r\n"
	)
	reset := func(n int) scenarios.Damage { return scenarios.Damage{Kind: scenarios.Reset, Bytes: n} }
	closed := func(n int) scenarios.Damage { return scenarios.Damage{Kind: scenarios.Close, Bytes: n} }
	truncate := func(n int) scenarios.Damage { return scenarios.Damage{Kind: scenarios.Truncate, Bytes: n} }
	bare := func(kind scenarios.DamageKind) scenarios.Damage { return scenarios.Damage{Kind: kind, Bytes: -1} }
	dribble := func(n int) scenarios.Damage { return scenarios.Damage{Kind: scenarios.Dribble, Bytes: -1, Chunks: n} }
	fast := scenarios.Damage{Kind: scenarios.Bandwidth, Bytes: -1, Rate: 1 << 30}
	bodies := http.Header{"ETag": {`"1"`}, "content-encoding": {"gzip"}, "Vary": {"Accept-Encoding"}, "retry-after": {"1"}}

	const fin, rst, goesOn = "FIN", "RST", "goes on"
	stopped := make(chan struct{})
	close(stopped)
	for name, test := range map[string]struct {
		request string
		answer  wounded
		want    string
		sent    int
		end     string
	}{
		"reset":                 {get, wounded{damage: reset(-1), body: ten}, "", 0, rst},
		"reset after 0":         {get, wounded{damage: reset(0), body: ten}, okTen, 0, rst},
		"reset after 4":         {get, wounded{damage: reset(4), body: ten}, okTen + "0123", 4, rst},
		"reset after all":       {get, wounded{damage: reset(10), body: ten}, okTen + ten, 10, rst},
		"reset after more":      {get, wounded{damage: reset(99), body: ten}, okTen + ten, 10, rst},
		"reset of no body":      {get, wounded{damage: reset(4)}, okNone, 0, rst},
		"reset of HEAD":         {head, wounded{damage: reset(4), body: ten}, okTen, 0, rst},
		"reset of HEAD at once": {head, wounded{damage: reset(-1), body: ten}, "", 0, rst},
		"reset of 204":          {get, wounded{damage: reset(4), status: 204}, noContent, 0, rst},

		"close":             {get, wounded{damage: closed(-1), body: ten}, "", 0, fin},
		"close after 0":     {get, wounded{damage: closed(0), body: ten}, okChunked, 0, fin},
		"close after 4":     {get, wounded{damage: closed(4), body: ten}, okChunked + "4\r\n0123\r\n", 4, fin},
		"close after all":   {get, wounded{damage: closed(10), body: ten}, okChunked + "a\r\n" + ten + "\r\n", 10, fin},
		"close after more":  {get, wounded{damage: closed(99), body: ten}, okChunked + "a\r\n" + ten + "\r\n", 10, fin},
		"close of no body":  {get, wounded{damage: closed(4)}, okChunked, 0, fin},
		"close of HEAD":     {head, wounded{damage: closed(4), body: ten}, okUntold, 0, fin},
		"close of 204":      {get, wounded{damage: closed(4), status: 204}, noContent, 0, fin},
		"close of HTTP/1.0": {http10, wounded{damage: closed(4), body: ten}, strings.Replace(okTen, okLine, "HTTP/1.0 200 OK\r\n", 1) + "0123", 4, fin},

		"truncate after 0":    {get, wounded{damage: truncate(0), body: ten}, okTen, 0, fin},
		"truncate after 4":    {get, wounded{damage: truncate(4), body: ten}, okTen + "0123", 4, fin},
		"truncate after more": {get, wounded{damage: truncate(99), body: ten}, okTen + ten, 10, fin},
		"truncate of no body": {get, wounded{damage: truncate(4)}, okNone, 0, fin},
		"truncate of HEAD":    {head, wounded{damage: truncate(4), body: ten}, okTen, 0, goesOn},
		"truncate of 204":     {get, wounded{damage: truncate(4), status: 204}, noContent, 0, goesOn},

		"garbage":         {get, wounded{damage: bare(scenarios.Garbage), body: ten}, string(garbage(damageSeed)), 0, fin},
		"garbage of HEAD": {head, wounded{damage: bare(scenarios.Garbage), body: ten}, string(garbage(damageSeed)), 0, fin},
		"garbage of 204":  {get, wounded{damage: bare(scenarios.Garbage), status: 204}, string(garbage(damageSeed)), 0, fin},

		"malformed chunk":             {get, wounded{damage: bare(scenarios.MalformedChunk), body: ten}, okChunked + "5\r\n01234\r\nnot-a-length\r\n", 5, fin},
		"malformed chunk of a byte":   {get, wounded{damage: bare(scenarios.MalformedChunk), body: "x"}, okChunked + "not-a-length\r\n", 0, fin},
		"malformed chunk of no body":  {get, wounded{damage: bare(scenarios.MalformedChunk)}, okChunked + "not-a-length\r\n", 0, fin},
		"malformed chunk of HEAD":     {head, wounded{damage: bare(scenarios.MalformedChunk), body: ten}, okUntold, 0, goesOn},
		"malformed chunk of 204":      {get, wounded{damage: bare(scenarios.MalformedChunk), status: 204}, noContent, 0, goesOn},
		"malformed chunk of HTTP/1.0": {http10, wounded{damage: bare(scenarios.MalformedChunk), body: ten}, strings.Replace(okTen, okLine, "HTTP/1.0 200 OK\r\n", 1) + "01234", 5, fin},

		"hang when the server stops":         {get, wounded{damage: bare(scenarios.Hang), body: ten, stopping: stopped}, "", 0, fin},
		"hang of HEAD when the server stops": {head, wounded{damage: bare(scenarios.Hang), body: ten, stopping: stopped}, "", 0, fin},

		"wrong content type":         {get, wounded{damage: bare(scenarios.WrongContentType), body: ten}, okLine + html + ten, 10, goesOn},
		"wrong content type of HTML": {get, wounded{damage: bare(scenarios.WrongContentType), body: ten, header: http.Header{"content-type": {"Text/HTML ; charset=x"}}}, okLine + octets + ten, 10, goesOn},
		"wrong content type of HEAD": {head, wounded{damage: bare(scenarios.WrongContentType), body: ten}, okLine + html, 0, goesOn},
		"wrong content type of 204":  {get, wounded{damage: bare(scenarios.WrongContentType), status: 204}, noContent, 0, goesOn},

		"maintenance":         {get, wounded{damage: bare(scenarios.Maintenance), body: ten, header: bodies}, pageHead + page, len(page), goesOn},
		"maintenance of HEAD": {head, wounded{damage: bare(scenarios.Maintenance), body: ten}, pageHead, 0, goesOn},
		"maintenance of 204":  {get, wounded{damage: bare(scenarios.Maintenance), status: 204}, pageHead + page, len(page), goesOn},

		"dribble":               {get, wounded{damage: dribble(3), body: ten}, okTen + ten, 10, goesOn},
		"dribble of no body":    {get, wounded{damage: dribble(3)}, okNone, 0, goesOn},
		"dribble of HEAD":       {head, wounded{damage: dribble(3), body: ten}, okTen, 0, goesOn},
		"dribble of 204":        {get, wounded{damage: dribble(3), status: 204}, noContent, 0, goesOn},
		"bandwidth":             {get, wounded{damage: fast, body: ten}, okTen + ten, 10, goesOn},
		"bandwidth of no body":  {get, wounded{damage: fast}, okNone, 0, goesOn},
		"bandwidth of HEAD":     {head, wounded{damage: fast, body: ten}, okTen, 0, goesOn},
		"bandwidth of 204":      {get, wounded{damage: fast, status: 204}, noContent, 0, goesOn},
		"a kind nobody knows":   {get, wounded{damage: bare("hiccup"), body: ten}, okTen + ten, 10, goesOn},
		"no kind at all of 304": {get, wounded{status: 304}, "HTTP/1.1 304 Not Modified\r\n" + originLine + "\r\n", 0, goesOn},
	} {
		t.Run(name, func(t *testing.T) {
			if noResets && test.end == rst {
				return
			}
			s, w := serveWounded(t, &test.answer, false)
			request, want := test.request+"\r\nHost: mock\r\n\r\n", test.want
			if test.end == goesOn {
				request += "GET /whole HTTP/1.1\r\nHost: mock\r\nConnection: close\r\n\r\n"
				want += okWhole
			}
			c := dialWounded(t, s)
			got, err := askRaw(t, c, request)
			_ = c.Close()
			if got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
			switch {
			case test.end == rst && !errors.Is(err, syscall.ECONNRESET):
				t.Errorf("got %v, want an RST", err)
			case test.end != rst && err != nil:
				t.Errorf("got %v, want a FIN", err)
			}
			if sent := <-test.answer.sent; sent != test.sent {
				t.Errorf("it says that %d bytes went out, want %d", sent, test.sent)
			}
			<-(<-w.conns).closed // or a descriptor leaks
			alive(t, s)
		})
	}
}

// What net/http makes of it, with TLS and without.
func TestDamageAsClientsSeeIt(t *testing.T) {
	stopped := make(chan struct{})
	close(stopped)
	for name, test := range map[string]struct {
		damage  scenarios.Damage
		body    string
		err     error  // in the headers
		bodyErr error  // in the body
		text    string // in either
	}{
		"reset":            {damage: scenarios.Damage{Kind: scenarios.Reset, Bytes: -1}, err: syscall.ECONNRESET},
		"reset after 4":    {damage: scenarios.Damage{Kind: scenarios.Reset, Bytes: 4}, body: "0123", bodyErr: syscall.ECONNRESET},
		"close":            {damage: scenarios.Damage{Kind: scenarios.Close, Bytes: -1}, err: io.EOF},
		"close after 0":    {damage: scenarios.Damage{Kind: scenarios.Close, Bytes: 0}, bodyErr: io.ErrUnexpectedEOF},
		"close after 4":    {damage: scenarios.Damage{Kind: scenarios.Close, Bytes: 4}, body: "0123", bodyErr: io.ErrUnexpectedEOF},
		"close after more": {damage: scenarios.Damage{Kind: scenarios.Close, Bytes: 99}, body: ten, bodyErr: io.ErrUnexpectedEOF},
		"truncate":         {damage: scenarios.Damage{Kind: scenarios.Truncate, Bytes: 4}, body: "0123", bodyErr: io.ErrUnexpectedEOF},
		"hang":             {damage: scenarios.Damage{Kind: scenarios.Hang, Bytes: -1}, err: io.EOF},
		"garbage":          {damage: scenarios.Damage{Kind: scenarios.Garbage, Bytes: -1}, text: "malformed HTTP response"},
		"malformed chunk":  {damage: scenarios.Damage{Kind: scenarios.MalformedChunk, Bytes: -1}, body: "01234", text: "invalid byte in chunk length"},
	} {
		for _, secure := range []bool{false, true} {
			if secure {
				name += " over TLS"
			}
			t.Run(name, func(t *testing.T) {
				if noResets && (test.err == syscall.ECONNRESET || test.bodyErr == syscall.ECONNRESET) {
					return
				}
				s, w := serveWounded(t, &wounded{damage: test.damage, body: ten, stopping: stopped}, secure)
				res, err := s.Client().Get(s.URL)
				if test.err != nil && !errors.Is(err, test.err) {
					t.Errorf("got %v, want %v", err, test.err)
				}
				if err == nil {
					defer res.Body.Close()
					var body []byte
					body, err = io.ReadAll(res.Body)
					if test.bodyErr != nil && !errors.Is(err, test.bodyErr) {
						t.Errorf("got %v, want %v", err, test.bodyErr)
					}
					if string(body) != test.body || res.StatusCode != 200 {
						t.Errorf("got %d %q, want %q", res.StatusCode, body, test.body)
					}
				}
				if err == nil || !strings.Contains(err.Error(), test.text) {
					t.Errorf("got %v, want %s", err, test.text)
				}
				<-(<-w.conns).closed
				alive(t, s)
			})
		}
	}
}

// A tapped connection remembers what came.
type tapped struct {
	net.Conn
	came bytes.Buffer
}

func (c *tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.came.Write(b[:n])
	return n, err
}

// lastRecord is the type of the last TLS record that came.
func (c *tapped) lastRecord() (kind byte) {
	for b := c.came.Bytes(); len(b) > 5; {
		kind = b[0]
		b = b[min(5+int(binary.BigEndian.Uint16(b[3:])), len(b)):]
	}
	return kind
}

// Under TLS an RST is one of TCP, and a FIN comes after the alert that says so.
func TestDamageOverTLS(t *testing.T) {
	const alert = 21
	for name, test := range map[string]struct {
		damage scenarios.Damage
		want   string
	}{
		"reset":         {scenarios.Damage{Kind: scenarios.Reset, Bytes: -1}, ""},
		"reset after 4": {scenarios.Damage{Kind: scenarios.Reset, Bytes: 4}, okTen + "0123"},
		"close":         {scenarios.Damage{Kind: scenarios.Close, Bytes: -1}, ""},
		"close after 4": {scenarios.Damage{Kind: scenarios.Close, Bytes: 4}, okChunked + "4\r\n0123\r\n"},
		"garbage":       {scenarios.Damage{Kind: scenarios.Garbage, Bytes: -1}, string(garbage(damageSeed))},
	} {
		t.Run(name, func(t *testing.T) {
			reset := test.damage.Kind == scenarios.Reset
			if noResets && reset {
				return
			}
			s, w := serveWounded(t, &wounded{damage: test.damage, body: ten}, true)
			plain, err := net.Dial("tcp", s.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			tap := &tapped{Conn: plain}
			got, err := askRaw(t, overTLS(s, tap), "GET / HTTP/1.1\r\nHost: mock\r\n\r\n")
			if got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
			if reset {
				if !errors.Is(err, syscall.ECONNRESET) || tap.lastRecord() == alert {
					t.Errorf("got %v after a record of type %d, want an RST", err, tap.lastRecord())
				}
			} else {
				if err != nil || tap.lastRecord() != alert {
					t.Errorf("got %v after a record of type %d, want the alert", err, tap.lastRecord())
				}
				if n, err := plain.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Errorf("got %d bytes, %v, want a FIN", n, err)
				}
			}
			_ = plain.Close()
			<-(<-w.conns).closed
			alive(t, s)
		})
	}
}

// Nor for a client that is lost: what it leaves is not waited for.
func TestNothingUnsentToTheLost(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	_ = client.(*net.TCPConn).SetReadBuffer(4 << 10)
	if _, err := server.Write(make([]byte, 300_000)); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" && unsent(server) == 0 {
		t.Error("all was taken, though nobody read")
	}
	raw, err := server.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
	left, asked := 0, 0
	err = raw.Read(func(uintptr) bool { // asked again when the RST has come, which alone can
		left = unsent(server)
		asked++
		return left == 0 || asked == 2
	})
	if left > 0 || err != nil {
		t.Errorf("%d bytes are unsent to a client that is lost, %v", left, err)
	}
}

// What the client has sent besides does not turn a FIN into an RST.
func TestFINThoughMoreWasAsked(t *testing.T) {
	more := strings.Repeat("x", 100_000)
	for _, kind := range []scenarios.DamageKind{scenarios.Close, scenarios.Truncate, scenarios.Garbage, scenarios.MalformedChunk} {
		t.Run(string(kind), func(t *testing.T) {
			a := &wounded{damage: scenarios.Damage{Kind: kind, Bytes: 4}, body: ten}
			s, w := serveWounded(t, a, false)
			c := dialWounded(t, s)
			got, err := askRaw(t, c, "GET / HTTP/1.1\r\nHost: mock\r\n\r\n"+more)
			_ = c.Close()
			if err != nil || got == "" {
				t.Errorf("got %q, %v", got, err)
			}
			<-(<-w.conns).closed
		})
	}
}

// A halfPipe can be closed as a socket can, for writing alone.
type halfPipe struct {
	net.Conn
	fin bool
}

func (p *halfPipe) CloseWrite() error {
	p.fin = true
	return nil
}

// A client that sees the end has half a second to close its side as well.
func TestEndWaitsABit(t *testing.T) {
	for name, want := range map[string]time.Duration{"it closes": 200 * time.Millisecond, "it does not": lingerTimeout} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := net.Pipe()
				var wg sync.WaitGroup
				defer wg.Wait()
				wg.Go(func() {
					for { // and goes on sending
						if time.Sleep(200 * time.Millisecond); name == "it closes" {
							_ = client.Close()
						}
						if _, err := client.Write([]byte("x")); err != nil {
							return
						}
					}
				})
				began, half := time.Now(), &halfPipe{Conn: server}
				endAfter(nil)(half)
				if _, err := server.Write(nil); !half.fin || err != io.ErrClosedPipe || time.Since(began) != want {
					t.Errorf("%v after %s, want it closed after %s", err, time.Since(began), want)
				}
			})
		})
	}
}

func TestGarbage(t *testing.T) {
	one, again, other := garbage(1), garbage(1), garbage(2)
	if !bytes.Equal(one, again) || bytes.Equal(one, other) || len(one) != garbageSize {
		t.Errorf("got %x, %x, %x", one[:8], again[:8], other[:8])
	}
	for seed := range uint64(1000) {
		if b := garbage(seed); b[0] < 0x80 {
			t.Errorf("seed %d begins with the letter %q", seed, b[0])
		}
	}
}

// Where there is no connection to be had, a 500 says so.
func TestDamageWithoutAConnection(t *testing.T) {
	for _, d := range []scenarios.Damage{
		{Kind: scenarios.Reset, Bytes: -1}, {Kind: scenarios.Reset, Bytes: 4}, {Kind: scenarios.Close, Bytes: 4},
		{Kind: scenarios.Truncate, Bytes: 4}, {Kind: scenarios.Hang}, {Kind: scenarios.Garbage}, {Kind: scenarios.MalformedChunk},
	} {
		t.Run(d.String(), func(t *testing.T) {
			want := "This connection cannot be damaged: " + d.String() + " needs HTTP/1.1.\n"
			a := &wounded{damage: d, body: ten, sent: make(chan int, 2)}
			rec := httptest.NewRecorder()
			a.ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
			if rec.Code != 500 || rec.Body.String() != want || rec.Header().Get("Content-Length") != strconv.Itoa(len(want)) {
				t.Errorf("got %d %q %v", rec.Code, rec.Body, rec.Header())
			}
			s := httptest.NewUnstartedServer(a)
			s.EnableHTTP2 = true
			s.StartTLS()
			defer s.Close()
			res, err := s.Client().Get(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil || res.ProtoMajor != 2 || res.StatusCode != 500 || string(body) != want {
				t.Errorf("got %s %d %q, %v", res.Proto, res.StatusCode, body, err)
			}
		})
	}
	t.Run("what needs none", func(t *testing.T) {
		for _, d := range []scenarios.Damage{{Kind: scenarios.Dribble, Chunks: 3}, {Kind: scenarios.Bandwidth, Rate: 1 << 30}, {Kind: scenarios.WrongContentType}} {
			a := &wounded{damage: d, body: ten, sent: make(chan int, 1)}
			rec := httptest.NewRecorder()
			a.ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
			if rec.Code != 200 || rec.Body.String() != ten {
				t.Errorf("%s: got %d %q", d.String(), rec.Code, rec.Body)
			}
		}
	})
}

// An arrival is what came at a time after the start.
type arrival struct {
	at   time.Duration
	what string
}

// arrivals reads to the end, and waits so long before each piece.
func arrivals(c net.Conn, began time.Time, pause time.Duration) (all []arrival, err error) {
	b := make([]byte, 64<<10)
	for {
		time.Sleep(pause)
		n, err := c.Read(b)
		if n > 0 {
			all = append(all, arrival{time.Since(began), string(b[:n])})
		}
		if err != nil {
			return all, err
		}
	}
}

// inWoundedTime has a client ask, in a bubble, for an answer that is damaged.
func inWoundedTime(t *testing.T, a *wounded, f func(t *testing.T, c net.Conn, stop func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		stopping := make(chan struct{})
		a.sent, a.stopping = make(chan int, 1), stopping
		p := newPipes()
		srv := &http.Server{Handler: a}
		done := make(chan error, 1)
		go func() { done <- srv.Serve(p) }()
		c := p.dial()
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: mock\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		f(t, c, func() { close(stopping) })
		_ = c.Close()
		_ = srv.Close()
		<-done
	})
}

func closing(head string) string {
	return strings.TrimSuffix(head, "\r\n") + "Connection: close\r\n\r\n"
}

func TestPaceOfDamage(t *testing.T) {
	const ms, min = time.Millisecond, time.Minute
	dribble := func(n int, over time.Duration) scenarios.Damage {
		return scenarios.Damage{Kind: scenarios.Dribble, Chunks: n, Over: over}
	}
	bandwidth := func(rate int) scenarios.Damage { return scenarios.Damage{Kind: scenarios.Bandwidth, Rate: rate} }
	for name, test := range map[string]struct {
		damage scenarios.Damage
		body   string
		want   []arrival // after the headers
	}{
		"dribble":                        {dribble(5, 2*time.Second), ten, []arrival{{0, "01"}, {500 * ms, "23"}, {1000 * ms, "45"}, {1500 * ms, "67"}, {2000 * ms, "89"}}},
		"dribble unevenly":               {dribble(4, 3*time.Second), ten, []arrival{{0, "012"}, {1000 * ms, "345"}, {2000 * ms, "67"}, {3000 * ms, "89"}}},
		"dribble in thirds of a second":  {dribble(4, time.Second), "abcd", []arrival{{0, "a"}, {time.Second / 3, "b"}, {time.Second * 2 / 3, "c"}, {time.Second, "d"}}},
		"dribble in one piece":           {dribble(1, time.Second), ten, []arrival{{0, ten}}},
		"dribble in more than there are": {dribble(99, time.Second), "abc", []arrival{{0, "a"}, {500 * ms, "b"}, {time.Second, "c"}}},
		"dribble a byte":                 {dribble(5, time.Second), "a", []arrival{{0, "a"}}},
		"dribble in no time":             {dribble(3, 0), "abc", []arrival{{0, "a"}, {0, "b"}, {0, "c"}}},
		"dribble longer than a deadline": {dribble(3, 10*min), "abc", []arrival{{0, "a"}, {5 * min, "b"}, {10 * min, "c"}}},

		"bandwidth":                        {bandwidth(80), ten, []arrival{{50 * ms, "0123"}, {100 * ms, "4567"}, {125 * ms, "89"}}},
		"bandwidth that is no multiple":    {bandwidth(70), ten, []arrival{{time.Second * 3 / 70, "012"}, {time.Second * 6 / 70, "345"}, {time.Second * 9 / 70, "678"}, {time.Second / 7, "9"}}},
		"bandwidth of few bytes":           {bandwidth(3), "abc", []arrival{{time.Second / 3, "a"}, {time.Second * 2 / 3, "b"}, {time.Second, "c"}}},
		"bandwidth longer than a deadline": {bandwidth(1), strings.Repeat("x", 60), each(60, time.Second, "x")},
		"bandwidth that is enough":         {bandwidth(1 << 30), ten, []arrival{{time.Second * 10 >> 30, ten}}},
	} {
		t.Run(name, func(t *testing.T) {
			inWoundedTime(t, &wounded{damage: test.damage, body: test.body}, func(t *testing.T, c net.Conn, _ func()) {
				got, err := arrivals(c, time.Now(), 0)
				head := closing(strings.Replace(okTen, "10", strconv.Itoa(len(test.body)), 1))
				if want := append([]arrival{{0, head}}, test.want...); !slices.Equal(got, want) || err != io.EOF {
					t.Errorf("got  %v, %v\nwant %v", got, err, want)
				}
			})
		})
	}
}

func each(n int, gap time.Duration, what string) (all []arrival) {
	for i := range n {
		all = append(all, arrival{time.Duration(i+1) * gap, what})
	}
	return all
}

// Whoever is slow once gets the rest when it was due: no delay adds up.
func TestPaceDoesNotDrift(t *testing.T) {
	a := &wounded{damage: scenarios.Damage{Kind: scenarios.Bandwidth, Rate: 2}, body: ten}
	inWoundedTime(t, a, func(t *testing.T, c net.Conn, _ func()) {
		began := time.Now()
		time.Sleep(3200 * time.Millisecond)
		got, _ := arrivals(c, began, 0)
		late := 3200 * time.Millisecond
		want := []arrival{{late, closing(okTen)}}
		for i, b := range ten {
			want = append(want, arrival{max(late, time.Duration(i+1)*time.Second/2), string(b)})
		}
		if !slices.Equal(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
	})
}

// Each piece has the whole time-out to be taken in.
func TestDeadlineOfEachPiece(t *testing.T) {
	const slow = writeTimeout - time.Second
	dribble := scenarios.Damage{Kind: scenarios.Dribble, Chunks: 10, Over: time.Second}
	t.Run("slow", func(t *testing.T) {
		a := &wounded{damage: dribble, body: ten}
		inWoundedTime(t, a, func(t *testing.T, c net.Conn, _ func()) {
			got, err := arrivals(c, time.Now(), slow)
			if len(got) != 11 || err != io.EOF || got[10] != (arrival{11 * slow, "9"}) || <-a.sent != 10 {
				t.Errorf("got %v, %v", got, err)
			}
		})
	})
	t.Run("too slow", func(t *testing.T) {
		a := &wounded{damage: dribble, body: ten}
		inWoundedTime(t, a, func(t *testing.T, c net.Conn, _ func()) {
			began := time.Now()
			if _, err := io.ReadFull(c, make([]byte, len(closing(okTen))+2)); err != nil {
				t.Fatal(err)
			}
			read := time.Since(began)
			if sent := <-a.sent; sent != 2 || time.Since(began) != read+time.Second/9+writeTimeout {
				t.Errorf("it gave up after %d bytes and %s", sent, time.Since(began))
			}
		})
	})
}

// What is under way ends early when nobody is there, and at once when the server
// is to stop.
func TestDamageCutShort(t *testing.T) {
	const second = time.Second
	damages := []scenarios.Damage{{Kind: scenarios.Dribble, Chunks: 10, Over: 9 * second}, {Kind: scenarios.Bandwidth, Rate: 1}}
	for _, d := range damages {
		t.Run(d.String()+" to nobody", func(t *testing.T) {
			a := &wounded{damage: d, body: ten}
			inWoundedTime(t, a, func(t *testing.T, c net.Conn, _ func()) {
				began := time.Now()
				go func() {
					time.Sleep(2500 * time.Millisecond)
					_ = c.Close()
				}()
				got, _ := arrivals(c, began, 0)
				if sent := <-a.sent; sent != len(got)-1 || time.Since(began) != 2500*time.Millisecond {
					t.Errorf("%d bytes went out, in %s: %v", sent, time.Since(began), got)
				}
			})
		})
		t.Run(d.String()+" when the server stops", func(t *testing.T) {
			a := &wounded{damage: d, body: ten}
			inWoundedTime(t, a, func(t *testing.T, c net.Conn, stop func()) {
				began := time.Now()
				go func() {
					time.Sleep(2500 * time.Millisecond)
					stop()
				}()
				got, err := arrivals(c, began, 0)
				if len(got) != 11 || got[10] != (arrival{2500 * time.Millisecond, "9"}) || <-a.sent != 10 || err != io.EOF {
					t.Errorf("got %v, %v", got, err)
				}
			})
		})
	}
}

func TestHang(t *testing.T) {
	hang := scenarios.Damage{Kind: scenarios.Hang, Bytes: -1}
	t.Run("for ever", func(t *testing.T) {
		inWoundedTime(t, &wounded{damage: hang, body: ten}, func(t *testing.T, c net.Conn, _ func()) {
			began := time.Now()
			if got, err := arrivals(c, began, 0); len(got) > 0 || err != io.EOF || time.Since(began) != hangTimeout {
				t.Errorf("got %v, %v after %s", got, err, time.Since(began))
			}
		})
	})
	t.Run("until the client goes", func(t *testing.T) {
		a := &wounded{damage: hang, body: ten}
		inWoundedTime(t, a, func(t *testing.T, c net.Conn, _ func()) {
			began := time.Now()
			time.Sleep(3 * time.Second)
			_ = c.Close()
			if sent := <-a.sent; sent != 0 || time.Since(began) != 3*time.Second {
				t.Errorf("%d bytes went out, in %s", sent, time.Since(began))
			}
		})
	})
	t.Run("until the server stops", func(t *testing.T) {
		inWoundedTime(t, &wounded{damage: hang, body: ten}, func(t *testing.T, c net.Conn, stop func()) {
			began := time.Now()
			go func() {
				time.Sleep(3 * time.Second)
				stop()
			}()
			if got, err := arrivals(c, began, 0); len(got) > 0 || err != io.EOF || time.Since(began) != 3*time.Second {
				t.Errorf("got %v, %v after %s", got, err, time.Since(began))
			}
		})
	})
}
