package mockserver

import "time"

// A Clock says what now means to a session. The zero Clock is the real one.
type Clock struct {
	Frozen time.Time     // it stands still at this time; zero: it runs
	Offset time.Duration // of one that runs, from the real one
}

// At is what now means when it is really that time.
func (c Clock) At(real time.Time) time.Time {
	if !c.Frozen.IsZero() {
		return c.Frozen
	}
	return real.Add(c.Offset)
}

// Advance puts the clock forward, or back. One that stands still goes on to
// stand still.
func (c Clock) Advance(by time.Duration) Clock {
	if !c.Frozen.IsZero() {
		return Clock{Frozen: c.Frozen.Add(by)}
	}
	return Clock{Offset: c.Offset + by}
}

// Mode is "real", "offset" or "frozen".
func (c Clock) Mode() string {
	switch {
	case !c.Frozen.IsZero():
		return "frozen"
	case c.Offset != 0:
		return "offset"
	}
	return "real"
}
