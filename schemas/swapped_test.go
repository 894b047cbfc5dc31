package schemas

import (
	"io/fs"
	"testing"
	"testing/fstest"
)

// A swapped folder is one in which a file has become a pipe between the look
// at its name and the opening of it.
type swapped struct{ fstest.MapFS }

func (f swapped) Open(name string) (fs.File, error) {
	file, err := f.MapFS.Open(name)
	if err != nil || name == "." {
		return file, err
	}
	return pipe{file}, nil
}

type pipe struct{ fs.File }

type pipeInfo struct{ fs.FileInfo }

func (p pipe) Stat() (fs.FileInfo, error) {
	info, err := p.File.Stat()
	return pipeInfo{info}, err
}

func (pipeInfo) Mode() fs.FileMode { return fs.ModeNamedPipe }

// What is opened is what is looked at, however it got its name.
func TestFileThatIsSwapped(t *testing.T) {
	_, err := Load(swapped{fstest.MapFS{"a.json": {Data: []byte("{}")}}}, "dir", "")
	if want := "dir/a.json:1:1: reading: this is no regular file"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A folder that cannot be read has a line and a column, as all that is told.
func TestFolderThatIsGone(t *testing.T) {
	for _, test := range []struct {
		fsys fs.FS
		want string
	}{
		{fstest.MapFS{}, "dir:1:1: there is no schema file here"},
		{gone{}, "dir:1:1: reading: file does not exist"},
	} {
		if _, err := Load(test.fsys, "dir", ""); err == nil || err.Error() != test.want {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

type gone struct{}

func (gone) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
