//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestWatch changes real folders. After each change the watcher has to tell
// of it while the change is to be seen.
func TestWatch(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "now", "scenarios") // now -> v1
	a, deep := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "new", "deep", "b.json")
	write(t, filepath.Join(root, "v1", "scenarios", "a.yaml"), "1")
	write(t, filepath.Join(root, "v2", "scenarios", "a.yaml"), "5")
	link(t, "v1", filepath.Join(root, "now"))
	wants := watching(t, dir)

	write(t, a, "2")
	wants("a file is written", a, "2")
	write(t, deep, "3")
	wants("a folder is made", deep, "3")
	write(t, deep, "4")
	wants("a file in the new folder is written", deep, "4")
	remove(t, filepath.Join(dir, "new"))
	wants("the folder is removed", deep, "")
	link(t, "v2", filepath.Join(root, "now"))
	wants("a link on the way is swapped", a, "5")
	write(t, a, "6")
	wants("a file behind the new link is written", a, "6")
	remove(t, filepath.Join(root, "v2"))
	wants("all is removed", a, "")
	write(t, filepath.Join(root, "v2", "scenarios", "a.yaml"), "7")
	wants("all is there again", a, "7")
	write(t, a, "8")
	wants("and is watched as before", a, "8")
}

// The folder above the one to be watched is all there is, and goes as well:
// what a watcher finds that looks while all is being removed.
func TestWatchWhileAllIsRemoved(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, above string){
		"removed": func(t *testing.T, above string) { remove(t, above) },
		"renamed": func(t *testing.T, above string) {
			if err := os.Rename(above, above+".old"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			above := filepath.Join(t.TempDir(), "above")
			a := filepath.Join(above, "scenarios", "a.yaml")
			if err := os.Mkdir(above, 0o755); err != nil {
				t.Fatal(err)
			}
			wants := watching(t, filepath.Dir(a))
			change(t, above)
			write(t, a, "1")
			wants("all is there again", a, "1")
			write(t, a, "2")
			wants("and is watched", a, "2")
		})
	}
}

// watching watches a folder. The function that it returns waits until a file
// holds the text at the time of a telling.
func watching(t *testing.T, dir string) (wants func(step, name, text string)) {
	t.Helper()
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
	t.Cleanup(func() { cancel(); <-done })
	return func(step, name, text string) {
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
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, name string) {
	t.Helper()
	if err := os.RemoveAll(name); err != nil {
		t.Fatal(err)
	}
}

// link makes a link take the place of the one there was, in one step.
func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name+".new"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}
