//go:build unix

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A pipe is opened without waiting for somebody to write to it, so that what
// reads files can see what it is, and refuse it.
func TestFolderDoesNotWaitForPipes(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	fsys := folder{root}
	f, err := fsys.Open("pipe")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Mode().Type() != fs.ModeNamedPipe {
		t.Errorf("got %v, %v, want a pipe", info, err)
	}
	if text, err := fs.ReadFile(fsys, "file"); err != nil || string(text) != "text" {
		t.Errorf("got %q, %v", text, err)
	}
	if _, err := fsys.Open("../file"); err == nil {
		t.Error("a name leads out of the folder")
	}
}
