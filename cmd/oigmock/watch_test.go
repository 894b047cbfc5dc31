package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
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

// TestWatch changes real folders. After each change the watcher has to tell
// of it while the change is to be seen.
func TestWatch(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege there")
	}
	root := t.TempDir()
	dir := filepath.Join(root, "now", "scenarios") // now -> v1
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, text string) {
		t.Helper()
		do(os.MkdirAll(filepath.Dir(name), 0o755))
		do(os.WriteFile(name, []byte(text), 0o644))
	}
	link := func(target, name string) {
		t.Helper()
		do(os.Symlink(target, name+".new"))
		do(os.Rename(name+".new", name))
	}
	write(filepath.Join(root, "v1", "scenarios", "a.yaml"), "1")
	write(filepath.Join(root, "v2", "scenarios", "a.yaml"), "5")
	link("v1", filepath.Join(root, "now"))

	w := newWatcher([]string{dir}, func(err error) { t.Errorf("watching: %v", err) })
	w.after = func(time.Duration) <-chan time.Time { return time.After(time.Millisecond) }
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	told, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		w.run(ctx, func() {
			select {
			case told <- struct{}{}:
			case <-ctx.Done():
			}
		})
	}()
	defer func() { cancel(); <-done }()
	// wants waits until the file holds the text at the time of a telling.
	wants := func(step, name, text string) {
		t.Helper()
		for {
			select {
			case <-told:
			case <-ctx.Done():
				got, err := os.ReadFile(name)
				t.Fatalf("%s: nothing was told; the file holds %q, %v", step, got, err)
			}
			if got, err := os.ReadFile(name); err == nil && string(got) == text || err != nil && text == "" {
				return
			}
		}
	}
	a, deep := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "new", "deep", "b.json")

	write(a, "2")
	wants("a file is written", a, "2")
	write(deep, "3")
	wants("a folder is made", deep, "3")
	write(deep, "4")
	wants("a file in the new folder is written", deep, "4")
	do(os.RemoveAll(filepath.Join(dir, "new")))
	wants("the folder is removed", deep, "")
	link("v2", filepath.Join(root, "now"))
	wants("a link on the way is swapped", a, "5")
	write(a, "6")
	wants("a file behind the new link is written", a, "6")
	do(os.RemoveAll(filepath.Join(root, "v2")))
	wants("all is removed", a, "")
	write(filepath.Join(root, "v2", "scenarios", "a.yaml"), "7")
	wants("all is there again", a, "7")
	write(a, "8")
	wants("and is watched as before", a, "8")
}
