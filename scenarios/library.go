package scenarios

import (
	"embed"
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
)

//go:embed *.yaml */*.yaml
var files embed.FS

// Library is the folder of the files that come with the package.
func Library() fs.FS { return files }

// OIG is the library that comes with the package: what holds in a release, ""
// for all.
func OIG(release string) ([]*Scenario, error) {
	all, err := Load(files, "scenarios")
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		s.Origin = "library"
	}
	return slices.DeleteFunc(all, func(s *Scenario) bool { return !s.Holds(release) }), nil
}

// Load reads all scenario files of a folder and of those below it, sorted by
// name; names that begin with a dot, and testdata, are passed over. In
// positions the folder is called dir. The patterns, if any, choose among the
// names, as path.Match does. The error is a scanner.ErrorList with all faults
// of all files.
func Load(fsys fs.FS, dir string, patterns ...string) ([]*Scenario, error) {
	names, err := find(fsys, patterns)
	if err != nil {
		return nil, err
	}
	type result struct {
		scenarios []*Scenario
		err       error
	}
	results := make([]result, len(names))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(names)) {
		wg.Go(func() {
			for i := range next {
				shown := path.Join(dir, names[i])
				src, err := readRegular(fsys, names[i], MaxFile)
				if err != nil {
					results[i].err = scanner.ErrorList{{Pos: token.Position{Filename: shown, Line: 1, Column: 1}, Msg: err.Error()}}
					continue
				}
				results[i].scenarios, results[i].err = parse(shown, names[i], src, fsys)
			}
		})
	}
	for i := range names {
		next <- i
	}
	close(next)
	wg.Wait()

	var all []*Scenario
	var faults scanner.ErrorList
	interactions := 0
	for _, r := range results {
		if r.err != nil {
			var list scanner.ErrorList
			if !errors.As(r.err, &list) {
				return nil, r.err
			}
			faults = append(faults, list...)
		}
		for _, s := range r.scenarios {
			s.Origin = dir
			interactions += len(s.Interactions)
		}
		all = append(all, r.scenarios...)
	}
	if interactions > MaxInteractions {
		return nil, fmt.Errorf("%s: %d interactions; %d are taken", dir, interactions, MaxInteractions)
	}
	faults.Sort()
	return all, faults.Err()
}

// find lists the scenario files, sorted.
func find(fsys fs.FS, patterns []string) ([]string, error) {
	var names []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("reading scenarios: %w", err)
		}
		base := path.Base(name)
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(base, ".") || base == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasPrefix(base, ".") || !strings.HasSuffix(base, ".yaml") && !strings.HasSuffix(base, ".yml") {
			return nil
		}
		wanted := len(patterns) == 0
		for _, p := range patterns {
			ok, err := path.Match(p, name)
			if err != nil {
				return fmt.Errorf("pattern %q: %w", p, err)
			}
			wanted = wanted || ok
		}
		if wanted {
			names = append(names, name)
		}
		if len(names) > MaxFiles {
			return fmt.Errorf("more than %d scenario files", MaxFiles)
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}

// readRegular reads a file of at most so many bytes. A pipe or a device is
// not opened: it might never end.
func readRegular(fsys fs.FS, name string, most int64) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, plainError(err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", quote(name))
	}
	if info.Size() > most {
		return nil, fmt.Errorf("%s has %d bytes; %d are taken", quote(name), info.Size(), most)
	}
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, plainError(err)
	}
	if int64(len(b)) > most {
		return nil, fmt.Errorf("%s has more than %d bytes", quote(name), most)
	}
	return b, nil
}

// plainError says what is wrong with a file without the path of the machine.
func plainError(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("%s: %w", quote(pe.Path), pe.Err)
	}
	return err
}

// mediaOfFile does not ask the machine, so that an answer is the same on each.
func mediaOfFile(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".json":
		return "application/json"
	case ".xml":
		return "application/xml"
	case ".pdf":
		return "application/pdf"
	case ".zip":
		return "application/zip"
	case ".png":
		return "image/png"
	case ".html":
		return "text/html; charset=utf-8"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".csv":
		return "text/csv; charset=utf-8"
	}
	return "application/octet-stream"
}
