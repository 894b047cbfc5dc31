package main

import (
	"errors"
	"testing"
	"time"
)

func TestParseClock(t *testing.T) {
	real := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		text, want string // "" where it is refused
	}{
		{"", "2026-11-22T10:00:00Z"},
		{"2030-05-11T12:00:00Z", "2030-05-11T12:00:00Z"},
		{"2030-05-11T12:00:00+02:00", "2030-05-11T10:00:00Z"},
		{"2030-05-11T12:00:00.5Z", "2030-05-11T12:00:00.5Z"},
		{"+48h", "2026-11-24T10:00:00Z"},
		{"-30d", "2026-10-23T10:00:00Z"},
		{"+1w2d3h", "2026-12-01T13:00:00Z"},
		{"+0h", "2026-11-22T10:00:00Z"},
		{"2030-05-11", ""},
		{"tomorrow", ""},
		{"48h", ""},
		{"+", ""},
		{"-", ""},
		{"--48h", ""},
		{"+-48h", ""},
		{"+48", ""},
		{"+1000000d", ""},
		{" ", ""},
	} {
		c, err := parseClock(test.text, func() time.Time { return real })
		var wrong misuse
		switch {
		case test.want == "" && !errors.As(err, &wrong):
			t.Errorf("parseClock(%q): got error %v, want a misuse", test.text, err)
		case test.want != "" && err != nil:
			t.Errorf("parseClock(%q): %v", test.text, err)
		case test.want != "":
			if got := c.now().UTC().Format(time.RFC3339Nano); got != test.want {
				t.Errorf("parseClock(%q) says it is %s, want %s", test.text, got, test.want)
			}
			if (c.words == "") != (test.text == "") {
				t.Errorf("parseClock(%q) calls it %q", test.text, c.words)
			}
		}
	}
}

// A shifted clock goes on; one that was set stands still.
func TestClockGoesOn(t *testing.T) {
	real := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	now := func() time.Time { return real }
	shifted, err := parseClock("+1h", now)
	if err != nil {
		t.Fatal(err)
	}
	still, err := parseClock("2030-05-11T12:00:00Z", now)
	if err != nil {
		t.Fatal(err)
	}
	before, at := shifted.now(), still.now()
	real = real.Add(time.Minute)
	if got := shifted.now().Sub(before); got != time.Minute {
		t.Errorf("in a minute the shifted clock went on by %s", got)
	}
	if got := still.now(); !got.Equal(at) {
		t.Errorf("the clock that stands still went from %s to %s", at, got)
	}
}
