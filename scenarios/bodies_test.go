package scenarios

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"
)

// A swapped folder is one in which a file becomes another between the look at
// its name and the opening of it.
type swapped struct {
	fstest.MapFS
	name string
	mode fs.FileMode // of what is opened
	size int64
	read atomic.Int64
}

func (f *swapped) Open(name string) (fs.File, error) {
	if name == f.name {
		return &endless{f}, nil
	}
	return f.MapFS.Open(name)
}

// An endless file tells a size, and is read for ever.
type endless struct{ of *swapped }

func (e *endless) Name() string               { return e.of.name }
func (e *endless) Size() int64                { return e.of.size }
func (e *endless) Mode() fs.FileMode          { return e.of.mode }
func (e *endless) ModTime() time.Time         { return time.Time{} }
func (e *endless) IsDir() bool                { return false }
func (e *endless) Sys() any                   { return nil }
func (e *endless) Stat() (fs.FileInfo, error) { return e, nil }
func (e *endless) Close() error               { return nil }

func (e *endless) Read(p []byte) (int, error) {
	if e.of.read.Add(int64(len(p))) > 4*MaxBodyFile {
		return 0, io.ErrShortBuffer // the test would not end
	}
	return len(p), nil
}

// What is opened is what is looked at, however it got its name.
func TestFilesThatAreSwapped(t *testing.T) {
	const text = "scenario: a\nsource: assumed\ninteractions: [{name: a, request: {}, response: {status: 200, file: body}}]\n"
	for _, test := range []struct {
		name string
		mode fs.FileMode
		size int64
		want string
		read int64
	}{
		{"body", 0, 1 << 40, `f.yaml:3:69: file: "body" has 1099511627776 bytes; 16777216 are taken`, 0},
		{"body", fs.ModeNamedPipe, 0, `f.yaml:3:69: file: "body" is no regular file`, 0},
		{"body", 0, 4, `f.yaml:3:69: file: "body" has more than 16777216 bytes`, MaxBodyFile + 1},
		{"f.yaml", 0, 1 << 40, `f.yaml:1:1: "f.yaml" has 1099511627776 bytes; 1048576 are taken`, 0},
		{"f.yaml", fs.ModeDevice, 0, `f.yaml:1:1: "f.yaml" is no regular file`, 0},
		{"f.yaml", 0, 4, `f.yaml:1:1: "f.yaml" has more than 1048576 bytes`, MaxFile + 1},
	} {
		fsys := &swapped{MapFS: fstest.MapFS{"f.yaml": {Data: []byte(text)}, "body": {Data: []byte("body")}}, name: test.name, mode: test.mode, size: test.size}
		_, err := Load(fsys, "")
		if got := fmt.Sprint(err); got != test.want {
			t.Errorf("%s, %s, %d bytes: got %s, want %s", test.name, test.mode, test.size, got, test.want)
		}
		if read := fsys.read.Load(); test.read == 0 && read != 0 || read > test.read+4096 {
			t.Errorf("%s, %s, %d bytes: %d bytes are read, want %d at most", test.name, test.mode, test.size, read, test.read)
		}
	}
}

// A counting folder counts how often each file is opened.
type counting struct {
	fstest.MapFS
	opened map[string]int
}

func (f counting) Open(name string) (fs.File, error) {
	if !strings.HasSuffix(name, ".yaml") { // those are read side by side
		f.opened[name]++
	}
	return f.MapFS.Open(name)
}

// A file that many responses name is read once, and is in memory once.
func TestBodiesAreShared(t *testing.T) {
	const interactions = "source: assumed\ninteractions:\n" +
		"  - {name: a, request: {path: /a}, response: {status: 200, file: body}}\n" +
		"  - {name: b, request: {path: /b}, response: {status: 200, file: body}}\n"
	fsys := counting{fstest.MapFS{
		"f.yaml": {Data: []byte("scenario: a\n" + interactions)}, "g.yaml": {Data: []byte("scenario: b\n" + interactions)},
		"x/f.yaml": {Data: []byte("scenario: c\n" + interactions)},
		"body":     {Data: []byte("body")}, "x/body": {Data: []byte("another")},
	}, map[string]int{}}
	all, err := Load(fsys, "")
	if err != nil {
		t.Fatal(err)
	}
	places := map[*byte]string{}
	for _, s := range all {
		for _, i := range s.Interactions {
			body := i.Responses[0].Ready().Body
			places[&body[0]] = string(body)
		}
	}
	if fsys.opened["body"] != 1 || fsys.opened["x/body"] != 1 {
		t.Errorf("opened: %v", fsys.opened)
	}
	if len(places) != 2 {
		t.Errorf("two files are in memory %d times", len(places))
	}
}

// All files together have a limit: what goes beyond it is a fault at its line.
func TestBodiesTogether(t *testing.T) {
	full := make([]byte, MaxBodyFile)
	fsys := fstest.MapFS{"small": {Data: []byte("small")}, "big": {Data: full}}
	var b bytes.Buffer
	b.WriteString("scenario: a\nsource: assumed\ninteractions:\n")
	name := func(file string) {
		fmt.Fprintf(&b, "  - {name: i%d, request: {path: /}, response: {status: 200, file: %s}}\n", b.Len(), file)
	}
	name("small")
	for i := range MaxBodyFiles/MaxBodyFile - 1 { // with small, one more does not fit
		file := fmt.Sprint("f", i)
		fsys[file] = &fstest.MapFile{Data: full}
		name(file)
		name(file)
	}
	fsys["f.yaml"] = &fstest.MapFile{Data: b.Bytes()}
	if _, err := Load(fsys, ""); err != nil {
		t.Fatal(err)
	}
	fsys["g.yaml"] = &fstest.MapFile{Data: []byte("scenario: b\nsource: assumed\ninteractions:\n" +
		"  - {name: big, request: {path: /}, response: {status: 200, file: big}}\n" +
		"  - {name: again, request: {path: /}, response: {status: 200, file: big}}\n" +
		"  - {name: small, request: {path: /}, response: {status: 200, file: small}}\n")}
	fsys["h.yaml"] = &fstest.MapFile{Data: bytes.ReplaceAll(fsys["g.yaml"].Data, []byte("file: big"), []byte("file: small"))}
	all, err := Load(fsys, "")
	const want = `g.yaml:4:67: file: with "big" the files of all responses have more than 268435456 bytes`
	if got := fmt.Sprint(err); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, s := range all {
		for _, i := range s.Interactions {
			if len(i.Responses[0].Ready().Body) == 0 {
				t.Errorf("%s has a response without its bytes", s.Name)
			}
		}
	}
}

// A name that a terminal would obey, or that ends a line, is in no position.
func TestFileNamesAreSeen(t *testing.T) {
	for _, name := range []string{"a\x1b[31m", "a\nb", "a\u009b", "a\u202eb"} {
		_, err := Load(fstest.MapFS{name + ".yaml": {Data: []byte("scenario: a\nsource: assumed\ninteractions: [{name: a, request: {}, response: {status: 200}}]\n")}}, "")
		if want := fmt.Sprintf(":1:1: the name of the file has a character that is not seen: %+q", name+".yaml"); !strings.HasSuffix(fmt.Sprint(err), want) {
			t.Errorf("%q: got %v, want %s", name, err, want)
		}
	}
}
