package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// A folder is what lies below a root. Unlike root.FS it does not wait where a
// pipe took the name of a file.
type folder struct{ root *os.Root }

func (f folder) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	file, err := f.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err // and not a nil *os.File
	}
	return file, nil
}

func (f folder) Stat(name string) (fs.FileInfo, error) { return f.root.Stat(name) }

// readAtMost reads a file that the command line names. It may be a pipe, as
// of <(command), but not one that never ends.
func readAtMost(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readMost(f, name, most)
}

func readMost(r io.Reader, name string, most int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(b)) > most {
		return nil, fmt.Errorf("%s has more than %d bytes", name, most)
	}
	return b, err
}
