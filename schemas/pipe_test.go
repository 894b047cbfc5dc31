//go:build unix

package schemas

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestPipe is about a file that would be read for ever.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe.json")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := Load(os.DirFS(dir), dir, "")
		done <- err
	}()
	select {
	case err := <-done:
		if want := pipe + ":1:1: reading: this is no regular file"; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	case <-time.After(5 * time.Second):
		t.Error("a named pipe stops the loading")
	}
}
