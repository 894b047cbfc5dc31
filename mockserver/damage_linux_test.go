package mockserver

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/oigmock/oigmock/scenarios"
)

// An RST waits for what a slow client has not taken yet.
func TestResetAfterMuch(t *testing.T) {
	body := strings.Repeat(ten, 400_000)
	for name, secure := range map[string]bool{"plain": false, "over TLS": true} {
		t.Run(name, func(t *testing.T) {
			s, w := serveWounded(t, &wounded{damage: scenarios.Damage{Kind: scenarios.Reset, Bytes: 3_999_999}, body: body}, secure)
			c := dialWounded(t, s)
			got, err := askRaw(t, c, "GET / HTTP/1.1\r\nHost: mock\r\n\r\n")
			if _, rest, _ := strings.Cut(got, "\r\n\r\n"); rest != body[:3_999_999] || !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("got %d bytes of the body, %v", len(rest), err)
			}
			_ = c.Close()
			<-(<-w.conns).closed
		})
	}
}

// But not when the server is to stop.
func TestResetWhenTheServerStops(t *testing.T) {
	stopped := make(chan struct{})
	close(stopped)
	a := &wounded{damage: scenarios.Damage{Kind: scenarios.Reset, Bytes: 999_999}, body: strings.Repeat(ten, 100_000), stopping: stopped}
	s, w := serveWounded(t, a, false)
	c := dialWounded(t, s)
	defer c.Close()
	if err := c.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: mock\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-(<-w.conns).closed // though nobody has read a byte
	if _, err := io.ReadAll(c); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want an RST", err)
	}
}
