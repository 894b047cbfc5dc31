package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// A lineHandler logs as text for somebody who watches: what has several lines,
// such as why nothing answers, stands below its record and indented, and not
// as \n after \n within it. A record and what stands below it are written in
// one piece.
type lineHandler struct {
	text slog.Handler // writes to buffer
	to   *lineBuffer
}

type lineBuffer struct {
	sync.Mutex
	bytes.Buffer
	w io.Writer
}

func newLineHandler(w io.Writer) *lineHandler {
	to := &lineBuffer{w: w}
	return &lineHandler{slog.NewTextHandler(&to.Buffer, nil), to}
}

func (h *lineHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.text.Enabled(ctx, level)
}

func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &lineHandler{h.text.WithAttrs(attrs), h.to}
}

func (h *lineHandler) WithGroup(name string) slog.Handler {
	return &lineHandler{h.text.WithGroup(name), h.to}
}

func (h *lineHandler) Handle(ctx context.Context, r slog.Record) error {
	head := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	var below []string
	r.Attrs(func(a slog.Attr) bool {
		if a.Value.Kind() == slog.KindString && strings.Contains(a.Value.String(), "\n") && (a.Key == "why" || a.Key == "near") {
			below = append(below, strings.Split(a.Value.String(), "\n")...)
		} else {
			head.AddAttrs(a)
		}
		return true
	})
	h.to.Lock()
	defer h.to.Unlock()
	h.to.Reset()
	if err := h.text.Handle(ctx, head); err != nil {
		return err
	}
	for _, line := range below {
		if line != "" {
			h.to.WriteString("  " + oneLine(line) + "\n")
		}
	}
	_, err := h.to.w.Write(h.to.Bytes())
	return err
}
