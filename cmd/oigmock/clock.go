package main

import (
	"time"

	"github.com/oigmock/oigmock/mockserver"
	"github.com/oigmock/oigmock/scenarios"
)

// A clock says where that of every session starts, and how to put that in
// words.
type clock struct {
	mockserver.Clock
	real  func() time.Time
	words string // "" for the real clock
}

func (c clock) now() time.Time { return c.At(c.real()) }

// parseClock reads the flag --clock: a time, at which the clock stands still,
// or a shift of the real one.
func parseClock(text string, real func() time.Time) (clock, error) {
	if text == "" {
		return clock{real: real}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return clock{mockserver.Clock{Frozen: at}, real, "stands still at " + at.Format(time.RFC3339)}, nil
	}
	if text[0] == '+' || text[0] == '-' {
		if shift, err := scenarios.ParseShift(text); err == nil {
			return clock{mockserver.Clock{Offset: shift}, real, "is shifted by " + text}, nil
		}
	}
	return clock{}, misusef("--clock %q: want a time such as 2030-05-11T12:00:00Z, or a shift such as +48h or -30d", text)
}
