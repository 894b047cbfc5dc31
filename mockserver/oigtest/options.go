package oigtest

import (
	"errors"
	"fmt"
	"go/scanner"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oigmock/oigmock/mockserver"
	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
	"github.com/oigmock/oigmock/schemas/didyoumean"
)

// An Option says what a Server is to be like.
type Option func(*options)

type options struct {
	release string
	chosen  bool     // whether names says which of the library
	names   []string // with patterns among them
	dirs    []string
	now     time.Time
	seed    uint64
	cors    []string
}

// Scenarios keeps of the library only these files, by their names without
// ".yaml" or by patterns of [path.Match]: "provtasks/update",
// "policyviolations/*". What stands at the top of the library, such as
// authentication, speaks of all operations, and is always kept, and so is what
// only seeds records. A name that the library does not have in the release fails
// the test at once.
func Scenarios(names ...string) Option {
	return func(o *options) { o.chosen, o.names = true, append(o.names, names...) }
}

// Dir lays the scenario files of a folder, and of those below it, over the
// library: they are tried first. Of several folders the later is tried first.
// The path is the test's, whose folder is that of its package.
func Dir(path string) Option {
	return func(o *options) { o.dirs = append(o.dirs, path) }
}

// Release is the release of OIG to be, such as "14.1.2", instead of
// schemas.UsualRelease.
func Release(release string) Option {
	return func(o *options) { o.release = release }
}

// Clock says what time it is when the server and each of its sessions begin. It
// stands still; see [Server.SetTime].
func Clock(now time.Time) Option {
	return func(o *options) { o.now = now }
}

// Seed is that of whatever is random: chances, and delays that vary. It is 1
// unless said otherwise, so that a test does the same each time; 0 draws one,
// and logs it.
func Seed(seed uint64) Option {
	return func(o *options) { o.seed = seed }
}

// CORS lets pages of these origins call the server from a browser, as a test of
// a front end does: "http://localhost:3000", or "*" for any.
func CORS(origins ...string) Option {
	return func(o *options) { o.cors = append(o.cors, origins...) }
}

// serve makes the server of the options.
func (o *options) serve(t testing.TB) *mockserver.Server {
	t.Helper()
	if o.release == "" {
		o.release = schemas.UsualRelease
	}
	contract, err := schemas.OIG(o.release)
	if err != nil {
		t.Fatalf("oigtest: %s", lines(err))
	}
	list, err := o.scenarios(t)
	if err != nil {
		t.Fatalf("oigtest: %s", lines(err))
	}
	mock, err := mockserver.New(mockserver.Config{
		Contract: contract, Scenarios: list, Release: o.release,
		Clock: mockserver.Clock{Frozen: o.now}, Seed: o.seed, CORS: o.cors,
		Journal: mockserver.JournalLimits{Entries: 10_000, Body: mockserver.MaxBody}, // so that bodies of requests are whole
	})
	if err != nil {
		t.Fatalf("oigtest: %s", lines(err))
	}
	if o.seed == 0 {
		t.Logf("oigtest: Seed(%d) does the same again", mock.Seed())
	}
	if len(o.dirs) > 0 {
		for _, f := range mock.Remarks() {
			if f.Rule == "outside" { // most scenarios of one's own are
				continue
			}
			t.Logf("oigtest: %s", f)
		}
	}
	return mock
}

// scenarios are those of the folders, the later folder first, and of the
// library.
func (o *options) scenarios(t testing.TB) ([]*scenarios.Scenario, error) {
	t.Helper()
	var all []*scenarios.Scenario
	var faults scanner.ErrorList
	for _, dir := range slices.Backward(o.dirs) {
		list, err := scenarios.Load(os.DirFS(dir), filepath.ToSlash(dir))
		var found scanner.ErrorList
		switch {
		case errors.As(err, &found):
			faults = append(faults, found...)
		case err != nil:
			return nil, unreadable(dir, err)
		case len(list) == 0:
			return nil, fmt.Errorf("Dir(%q): no scenario file (.yaml or .yml) is in %s", dir, absolute(dir))
		}
		for _, sc := range list {
			if !sc.Holds(o.release) {
				t.Logf("oigtest: %s: it holds in %s, and is passed over: the server is %s", sc.Pos, strings.Join(sc.Releases, ", "), o.release)
			}
		}
		all = append(all, list...)
	}
	chosen, err := o.chosenFiles()
	if err != nil {
		return nil, err
	}
	faults.Sort()
	return append(all, chosen...), faults.Err()
}

// unreadable names what of a folder could not be read by its whole path: the
// error says where in the folder that is, and the folder is wherever go test
// put the test.
func unreadable(dir string, err error) error {
	at := absolute(dir)
	var path *fs.PathError
	if errors.As(err, &path) {
		at, err = filepath.Join(at, filepath.FromSlash(path.Path)), path.Err
	}
	return fmt.Errorf("Dir(%q): reading %s: %w", dir, at, err)
}

func absolute(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}

// chosenFiles is what is kept of the library.
func (o *options) chosenFiles() ([]*scenarios.Scenario, error) {
	all, err := scenarios.OIG(o.release)
	if err != nil || !o.chosen {
		return all, err
	}
	var known []string
	for _, sc := range all {
		known = append(known, sc.File)
	}
	known = slices.Compact(known) // they are sorted
	keep := map[string]bool{}
	for _, name := range o.names {
		found := false
		for _, file := range known {
			ok, err := path.Match(name, file)
			if err != nil {
				return nil, fmt.Errorf("Scenarios(%q): %w", name, err)
			}
			keep[file] = keep[file] || ok
			found = found || ok
		}
		if !found {
			return nil, fmt.Errorf("Scenarios(%q): the library has no such file for release %s%s\nit has\n  %s",
				name, o.release, didyoumean.Hint(name, known), strings.Join(known, "\n  "))
		}
	}
	return slices.DeleteFunc(all, func(sc *scenarios.Scenario) bool {
		return strings.Contains(sc.File, "/") && !keep[sc.File] && len(sc.Interactions) > 0
	}), nil
}

// lines is an error with all its faults, one a line where there are several.
func lines(err error) string {
	var list scanner.ErrorList
	if !errors.As(err, &list) || len(list) == 1 {
		return err.Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d faults", len(list))
	for _, fault := range list {
		fmt.Fprintf(&b, "\n%s", fault)
	}
	return b.String()
}
