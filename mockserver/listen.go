package mockserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// The time-outs of a connection. Bodies and answers have deadlines of their
// own, since a delay may be longer than any of these.
const (
	headerTimeout = 5 * time.Second  // for the headers of a request to arrive
	idleTimeout   = 60 * time.Second // between two requests
	graceTimeout  = 10 * time.Second // for requests under way when the server stops
	maxHeader     = 64 << 10         // bytes of all headers; beyond it net/http says 431

	// What net/http adds to the limit it is given: the size of its buffer. Of
	// requests sent in one go the second may begin in the buffer, uncounted.
	headerSlop = 4 << 10
)

// stoppingKey is of what is closed when the server is to stop: what would hang
// then hangs no longer.
type stoppingKey struct{}

func stopping(ctx context.Context) <-chan struct{} {
	done, _ := ctx.Value(stoppingKey{}).(<-chan struct{})
	return done
}

// Serve answers on a listener until the context ends, then lets the requests
// under way finish for up to ten seconds. It serves HTTP/1.1 alone, with TLS
// 1.2 or later where a configuration is given. It closes the listener.
func Serve(ctx context.Context, l net.Listener, h http.Handler, conf *tls.Config, log *slog.Logger) error {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader - headerSlop,
		Protocols:         &protocols,

		DisableGeneralOptionsHandler: true, // OPTIONS * is refused as others are
	}
	if log != nil {
		srv.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelError)
	}
	if conf != nil {
		conf = conf.Clone()
		conf.MinVersion = max(conf.MinVersion, tls.VersionTLS12)
		conf.NextProtos = []string{"http/1.1"}
		l = tls.NewListener(l, conf)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // where serving fails, nobody waits for the end
	srv.BaseContext = func(net.Listener) context.Context {
		return context.WithValue(context.WithoutCancel(ctx), stoppingKey{}, ctx.Done())
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceTimeout)
		defer cancel()
		stopped <- srv.Shutdown(grace)
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving on %s: %w", l.Addr(), err)
	}
	if err := <-stopped; err != nil {
		_ = srv.Close()
		return fmt.Errorf("stopping: requests were still under way after %s", graceTimeout)
	}
	return nil
}
