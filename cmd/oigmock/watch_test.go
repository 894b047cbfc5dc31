package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A stopwatch hands out timers that the test lets off.
type stopwatch struct{ calm, never chan chan time.Time }

func (s stopwatch) after(d time.Duration) <-chan time.Time {
	c := make(chan time.Time, 1)
	if d == calm {
		s.calm <- c
	} else {
		s.never <- c
	}
	return c
}

func newStopwatch() stopwatch {
	return stopwatch{make(chan chan time.Time, 100), make(chan chan time.Time, 100)}
}

// A change is told when calm has returned, and not before.
func TestSettle(t *testing.T) {
	watch := newStopwatch()
	events := make(chan fsnotify.Event)
	faults := make(chan error)
	var complaints []error
	w := &watcher{
		trees: []string{"/s"}, names: []string{"/s"}, after: watch.after,
		complain: func(err error) { complaints = append(complaints, err) },
		notify:   &fsnotify.Watcher{Events: events, Errors: faults},
	}
	settled := make(chan bool)
	settle := func(ctx context.Context) { go func() { settled <- w.settle(ctx) }() }

	settle(t.Context())
	// What does not matter starts no timer, or the first of them would be
	// taken for that of the change.
	events <- fsnotify.Event{Name: "/s/a.yaml", Op: fsnotify.Chmod}
	events <- fsnotify.Event{Name: "/s/.a.yaml.swp", Op: fsnotify.Create}
	events <- fsnotify.Event{Name: "/elsewhere", Op: fsnotify.Create}
	faults <- errors.New("no such luck")
	events <- fsnotify.Event{Name: "/s/a.yaml", Op: fsnotify.Create}
	first := <-watch.calm
	events <- fsnotify.Event{Name: "/s/a.yaml", Op: fsnotify.Write}
	second := <-watch.calm
	first <- time.Time{} // nobody waits for this one any more
	events <- fsnotify.Event{Name: "/s/..data", Op: fsnotify.Create}
	third := <-watch.calm
	second <- time.Time{}                                             // nor for this one
	events <- fsnotify.Event{Name: "/elsewhere", Op: fsnotify.Create} // taken by who still waits
	select {
	case <-settled:
		t.Fatal("a change was told before calm returned")
	default:
	}
	third <- time.Time{}
	if !<-settled {
		t.Error("the change was not told")
	}
	if n := len(watch.calm) + len(watch.never); n != 1 {
		t.Errorf("%d timers were set besides the three, want the one of %s", n, never)
	}
	if len(complaints) != 1 {
		t.Errorf("said %v, want the one error", complaints)
	}

	// Calm that does not return is not waited for.
	<-watch.never
	settle(t.Context())
	faults <- fsnotify.ErrEventOverflow // something was missed: that is a change
	latest := <-watch.never
	latest <- time.Time{}
	if !<-settled {
		t.Error("without calm the change was not told")
	}

	ctx, cancel := context.WithCancel(t.Context())
	settle(ctx)
	cancel()
	if <-settled {
		t.Error("the end was told as a change")
	}
}
