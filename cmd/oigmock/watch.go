package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	calm  = 100 * time.Millisecond // without a change, then what changed is whole
	never = time.Second            // is longer waited for calm

	maxLooks = 10 // at what keeps changing while it begins to be watched
)

// A watcher tells when something below some folders has changed. Whatever
// happens it looks at all folders anew before it tells: so it needs to know
// nothing of what may become of them. It is told by the kernel and does not
// poll, since that would look at 20,000 files again and again.
type watcher struct {
	folders  []string
	complain func(error)
	notify   *fsnotify.Watcher // nil: none could be made, or nothing is watched
	names    []string          // paths that may come to mean another file
	trees    []string          // folders below which everything counts
	after    func(time.Duration) <-chan time.Time
}

// newWatcher begins to watch. A watcher that cannot is no reason to end: what
// is wrong is said, and changes are not seen.
func newWatcher(folders []string, complain func(error)) *watcher {
	w := &watcher{folders: folders, complain: complain, after: time.After}
	w.renew()
	return w
}

func (w *watcher) close() {
	if w.notify != nil {
		_ = w.notify.Close() // the kernel forgets it with the process
	}
}

// renew watches all folders as they are now. A folder, or a link, that took
// the name of another one is so watched in its stead. The old watches end
// after the new ones begin.
func (w *watcher) renew() {
	if len(w.folders) == 0 {
		return
	}
	old := w.notify
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		w.complain(fmt.Errorf("changes of files are no longer seen: %w", err))
		return // the old ones, if any, are better than none
	}
	w.names, w.trees = nil, nil
	for _, dir := range w.folders {
		if err := w.watchTree(notify, dir); err != nil {
			w.complain(fmt.Errorf("not all changes of files are seen: %w", err))
		}
	}
	w.notify = notify
	if old != nil {
		_ = old.Close()
	}
}

// watchTree watches a folder and those below it, but for hidden ones, and the
// folders in which its name, or a link on the way to it, may come to mean
// another one.
func (w *watcher) watchTree(notify *fsnotify.Watcher, dir string) error {
	whole, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	// What changes before it is watched makes no event: look again.
	names, real := way(whole)
	for range maxLooks {
		for _, name := range names {
			w.watchAbove(notify, name)
		}
		seen := names
		if names, real = way(whole); slices.Equal(names, seen) {
			break
		}
	}
	w.names = append(w.names, names...)
	w.trees = append(w.trees, real)
	return filepath.WalkDir(real, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // it went while we looked; that is an event too
		case err != nil:
			return err
		case !d.IsDir():
			return nil
		case name != real && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		}
		if err := notify.Add(name); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

// watchAbove watches the folder that holds a name; where that is gone and may
// come again, the nearest one above it.
func (w *watcher) watchAbove(notify *fsnotify.Watcher, name string) {
	for range maxLooks {
		below, above := name, filepath.Dir(name)
		for above != filepath.Dir(above) && notify.Add(above) != nil {
			w.names = append(w.names, above)
			below, above = above, filepath.Dir(above)
		}
		// What is watched may go as well, and then makes its last event.
		w.names = append(w.names, above)
		if _, err := os.Lstat(below); below == name || err != nil {
			return // from now on its coming is an event
		}
	}
}

// way follows a path: it returns the links on the way and the last name, and
// where it leads to.
func way(path string) (names []string, real string) {
	const maxLinks = 40
	real = path
	for range maxLinks {
		link, target, rest := firstLink(real)
		if link == "" {
			break
		}
		names = append(names, link)
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(link), target)
		}
		real = filepath.Join(target, rest)
	}
	return append(names, real), real
}

// firstLink is the first link in a path, what it points to, and what of the
// path comes after it.
func firstLink(path string) (link, target, rest string) {
	root := filepath.VolumeName(path) + string(filepath.Separator)
	at := root
	for part := range strings.SplitSeq(strings.TrimPrefix(path, root), string(filepath.Separator)) {
		at = filepath.Join(at, part)
		if target, err := os.Readlink(at); err == nil {
			return at, target, strings.TrimPrefix(path, at)
		}
	}
	return "", "", ""
}

// run calls changed whenever something changed and calm has returned, until
// the context ends.
func (w *watcher) run(ctx context.Context, changed func()) {
	defer w.close()
	for w.notify != nil && w.settle(ctx) {
		w.renew()
		changed()
	}
}

// settle waits for a change, and then for calm. It reports false at the end.
func (w *watcher) settle(ctx context.Context) bool {
	var calmed, latest <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return false
		case <-calmed:
			return true
		case <-latest:
			return true
		case event, ok := <-w.notify.Events:
			if !ok {
				return false
			}
			if !w.matters(event) {
				continue
			}
		case err, ok := <-w.notify.Errors:
			if !ok {
				return false
			}
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				w.complain(fmt.Errorf("watching files: %w", err))
				continue
			}
		}
		calmed = w.after(calm)
		if latest == nil {
			latest = w.after(never)
		}
	}
}

// matters tells an event that may change what is loaded. Editors keep hidden
// files beside those they edit; a name with two dots is how Kubernetes swaps
// a whole volume.
func (w *watcher) matters(e fsnotify.Event) bool {
	if e.Op == fsnotify.Chmod {
		return false
	}
	if slices.Contains(w.names, e.Name) {
		return true
	}
	if base := filepath.Base(e.Name); strings.HasPrefix(base, ".") && !strings.HasPrefix(base, "..") {
		return false
	}
	return slices.ContainsFunc(w.trees, func(tree string) bool {
		rel, err := filepath.Rel(tree, e.Name)
		return err == nil && filepath.IsLocal(rel)
	})
}
