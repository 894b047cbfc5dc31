package mockserver

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oigmock/oigmock/scenarios"
)

const (
	hangTimeout   = 5 * time.Minute        // for a client that waits for ever
	lingerTimeout = 500 * time.Millisecond // for a client to see the end of a connection, as net/http gives it
	garbageSize   = 1 << 10
	piecesASecond = 20 // at most, of a throttled body
)

// What a front end says while the application behind it is down.
const maintenancePage = `<!DOCTYPE html>
<html lang="en">
<head><title>503 Service Unavailable</title></head>
<body>
<h1>Service Unavailable</h1>
<p>This service is down for maintenance. Please try again in a few minutes.</p>
</body>
</html>
`

// inflict sends a response with the damage that its scenario names. The headers,
// Content-Length and all, are set on w and not written yet. It returns how many
// bytes of the body went out.
//
// What needs the connection itself cannot be done where there is none to be had
// (HTTP/2, a recorder of tests): there a 500 says so, and nothing is damaged.
func inflict(w http.ResponseWriter, hr *http.Request, d *scenarios.Damage, status int, body []byte, seed uint64, stopping <-chan struct{}) int {
	never := status == http.StatusNoContent || status == http.StatusNotModified
	bodiless := never || hr.Method == http.MethodHead
	if bodiless {
		body = nil
	}
	v := victim{w, http.NewResponseController(w), hr, status, body, stopping}
	h := w.Header()

	switch d.Kind {
	case scenarios.Truncate, scenarios.MalformedChunk:
		if bodiless { // there is nothing to cut or to spoil
			if d.Kind == scenarios.MalformedChunk {
				v.withoutLength()
			}
			return v.whole()
		}
	case scenarios.WrongContentType:
		if !never {
			wrong := "text/html; charset=utf-8"
			if isHTML(h) {
				wrong = "application/octet-stream"
			}
			dropHeader(h, "Content-Type")
			h.Set("Content-Type", wrong)
		}
		return v.whole()
	case scenarios.Maintenance:
		v.replace(http.StatusServiceUnavailable, "text/html", maintenancePage)
		h.Set("Retry-After", "120")
		return v.whole()
	case scenarios.Dribble:
		return v.dribble(d.Chunks, d.Over)
	case scenarios.Bandwidth:
		return v.throttle(d.Rate)
	}

	if !hijackable(w) {
		v.replace(http.StatusInternalServerError, "text/plain; charset=utf-8", "This connection cannot be damaged: "+d.String()+" needs HTTP/1.1.\n")
		return v.whole()
	}
	switch d.Kind {
	case scenarios.Reset:
		return v.cut(d.Bytes, v.reset)
	case scenarios.Close:
		v.withoutLength()
		return v.cut(d.Bytes, endAfter(nil))
	case scenarios.Truncate:
		return v.cut(max(d.Bytes, 0), endAfter(nil))
	case scenarios.MalformedChunk:
		var bad []byte
		if v.withoutLength() {
			bad = []byte("not-a-length\r\n")
		}
		return v.cut(len(v.body)/2, endAfter(bad))
	case scenarios.Hang:
		// net/http looks whether the client is there still, as long as the
		// connection is its own.
		v.wait(hangTimeout)
		return v.cut(-1, endAfter(nil))
	case scenarios.Garbage:
		return v.cut(-1, endAfter(garbage(seed)))
	}
	return v.whole() // no kind that is known
}

// A victim is a response that is damaged.
type victim struct {
	w        http.ResponseWriter
	control  *http.ResponseController
	request  *http.Request
	status   int
	body     []byte // nil where the response has none on the wire
	stopping <-chan struct{}
}

// whole sends it as it is.
func (v *victim) whole() int {
	_ = v.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	v.w.WriteHeader(v.status)
	n, _ := v.w.Write(v.body)
	return n
}

// replace puts a page of ours in its place.
func (v *victim) replace(status int, media, page string) {
	h := v.w.Header()
	dropHeader(h, "Content-Type", "Content-Length", "Content-Encoding", "Content-Language", "Content-Location",
		"Content-Disposition", "Content-Range", "Accept-Ranges", "Vary", "ETag", "Last-Modified", "Retry-After")
	h.Set("Content-Type", media)
	h.Set("Content-Length", strconv.Itoa(len(page)))
	v.status, v.body = status, nil
	if v.request.Method != http.MethodHead {
		v.body = []byte(page)
	}
}

// withoutLength has net/http send the body in chunks, and reports whether it
// will. HTTP/1.0 has none: there the length stays, since without it a body that
// is cut would look whole.
func (v *victim) withoutLength() bool {
	if !v.request.ProtoAtLeast(1, 1) {
		return false
	}
	dropHeader(v.w.Header(), "Content-Length")
	return true
}

// cut sends the headers and n bytes of the body, for -1 nothing at all, and
// leaves the connection, which is nobody else's any more, to be ended.
func (v *victim) cut(n int, end func(net.Conn)) int {
	sent := 0
	if n >= 0 {
		v.w.WriteHeader(v.status)
		sent = v.put(v.body[:min(n, len(v.body))])
	}
	c, _, err := v.control.Hijack()
	if err != nil { // the connection is lost already
		return sent
	}
	end(c)
	return sent
}

// put sends a piece of the body now. Where that fails, nothing of it counts.
func (v *victim) put(piece []byte) int {
	_ = v.control.SetWriteDeadline(time.Now().Add(writeTimeout)) // that of the piece before may be over
	n, err := v.w.Write(piece)
	if err != nil || v.control.Flush() != nil {
		return 0
	}
	return n
}

// dribble sends the body in n pieces, the first at once and the last at the end
// of the time.
func (v *victim) dribble(n int, over time.Duration) int {
	n = max(min(n, len(v.body)), 1)
	size, longer := len(v.body)/n, len(v.body)%n
	return v.pour(func(i int) (int, time.Duration) {
		return (i+1)*size + min(i+1, longer), over * time.Duration(i) / time.Duration(max(n-1, 1))
	})
}

// throttle sends the body as through a line of that many bytes a second: a
// piece comes when its last byte would.
func (v *victim) throttle(rate int) int {
	size := max(rate/piecesASecond, 1)
	return v.pour(func(i int) (int, time.Duration) {
		end := min((i+1)*size, len(v.body))
		return end, time.Duration(end) * time.Second / time.Duration(max(rate, 1))
	})
}

// pour sends the headers, and then the body in pieces, as long as somebody
// takes them. The function tells where in the body a piece ends, and when after
// the start it is due. Once the server is to stop, all that is left goes out.
func (v *victim) pour(piece func(i int) (end int, due time.Duration)) int {
	if len(v.body) == 0 {
		return v.whole()
	}
	start := time.Now()
	v.w.WriteHeader(v.status)
	v.put(nil)
	sent := 0
	for i := 0; sent < len(v.body); i++ {
		end, due := piece(i)
		if !v.wait(time.Until(start.Add(due))) || v.put(v.body[sent:end]) == 0 {
			break // net/http closes what lacks bytes
		}
		sent = end
	}
	return sent
}

// wait waits, unless the server is to stop, and reports false where the client
// went away meanwhile.
func (v *victim) wait(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-v.stopping:
	case <-v.request.Context().Done():
	}
	return v.request.Context().Err() == nil
}

// reset ends a connection with an RST, where it is TCP. An RST throws away what
// was not sent, so the client is given its time to take that first.
func (v *victim) reset(c net.Conn) {
	c = socket(c)
	timeout, cancel := context.WithTimeout(v.request.Context(), writeTimeout)
	defer cancel()
	tick := time.NewTicker(time.Millisecond) // nothing tells when the queue is empty
	defer tick.Stop()
	for waiting := true; waiting && unsent(c) > 0; {
		select {
		case <-tick.C:
		case <-v.stopping:
			waiting = false
		case <-timeout.Done():
			waiting = false
		}
	}
	if c, ok := c.(interface{ SetLinger(int) error }); ok {
		_ = c.SetLinger(0)
	}
	_ = c.Close()
}

// endAfter ends a connection with a FIN, after some last bytes and, where it is
// TLS, an alert that says so. What the client has sent and nobody has read would
// make it an RST, so that is read first.
func endAfter(last []byte) func(net.Conn) {
	return func(c net.Conn) {
		if len(last) > 0 {
			_ = c.SetWriteDeadline(time.Now().Add(writeTimeout))
			_, _ = c.Write(last)
		}
		if t, ok := c.(*tls.Conn); ok {
			_ = t.CloseWrite()
		}
		c = socket(c)
		if half, ok := c.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
			_ = c.SetReadDeadline(time.Now().Add(lingerTimeout))
			_, _ = io.Copy(io.Discard, c)
		}
		_ = c.Close()
	}
}

// socket is what is under TLS.
func socket(c net.Conn) net.Conn {
	if t, ok := c.(*tls.Conn); ok {
		return t.NetConn()
	}
	return c
}

// hijackable reports whether net/http would give the connection away: it must be
// known before the headers go out.
func hijackable(w http.ResponseWriter) bool {
	for {
		if _, ok := w.(http.Hijacker); ok {
			return true
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = u.Unwrap()
	}
}

// garbage is the same for the same seed, and no text: it cannot begin as HTTP does.
func garbage(seed uint64) []byte {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	b := make([]byte, garbageSize)
	_, _ = rand.NewChaCha8(key).Read(b) // never fails
	b[0] |= 0x80
	return b
}

func isHTML(h http.Header) bool {
	for name, values := range h {
		if strings.EqualFold(name, "Content-Type") && len(values) > 0 {
			media, _, _ := strings.Cut(values[0], ";")
			if strings.EqualFold(strings.TrimSpace(media), "text/html") {
				return true
			}
		}
	}
	return false
}

// dropHeader removes headers in whichever letters a file writes them.
func dropHeader(h http.Header, names ...string) {
	for name := range h {
		if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
			delete(h, name)
		}
	}
}
