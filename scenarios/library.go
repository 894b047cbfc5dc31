package scenarios

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"io"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
)

//go:embed *.yaml */*.yaml
var files embed.FS

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
		bodies    []bodyFile
		faults    scanner.ErrorList
	}
	results := make([]result, len(names))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(names)) {
		wg.Go(func() {
			for i := range next {
				p := newParser(path.Join(dir, names[i]), names[i])
				p.inFolder = true
				src, err := readRegular(fsys, names[i], MaxFile)
				switch {
				case err != nil:
					p.faultAt(p.line(1), "%s", err)
				case strings.ContainsFunc(names[i], IsControl):
					p.faultAt(p.line(1), "the name of the file has a character that is not seen: %+q", path.Base(names[i]))
				default:
					results[i].scenarios = p.documents(src)
				}
				results[i].bodies, results[i].faults = p.bodies, p.faults
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
	bodies := shelf{fsys: fsys, files: map[string]shelved{}}
	for _, r := range results {
		own := append(r.faults, bodies.fill(r.bodies)...)
		if len(own) > 0 || len(r.bodies) > 0 && bodies.sum > MaxBodyFiles {
			faults = append(faults, own...)
			continue
		}
		for _, s := range r.scenarios {
			s.Origin = dir
			interactions += len(s.Interactions)
		}
		all = append(all, r.scenarios...)
	}
	if interactions > MaxInteractions {
		all = nil
		faults.Add(token.Position{Filename: dir, Line: 1, Column: 1}, fmt.Sprintf("%d interactions; %d are taken", interactions, MaxInteractions))
	}
	faults.Sort()
	return all, faults.Err()
}

// A bodyFile is a file that a response names.
type bodyFile struct {
	pos  token.Position
	name string
	of   *ResponseTemplate
}

// A shelf holds the files that responses name, each once.
type shelf struct {
	fsys  fs.FS
	files map[string]shelved
	sum   int // bytes
}

type shelved struct {
	bytes []byte
	err   error
}

// fill gives responses the bytes of their files. With the first that is too
// much for all together it ends: nothing is served then.
func (s *shelf) fill(list []bodyFile) (faults scanner.ErrorList) {
	for _, b := range list {
		if s.sum > MaxBodyFiles {
			break
		}
		f, known := s.files[b.name]
		if !known {
			f.bytes, f.err = readRegular(s.fsys, b.name, MaxBodyFile)
			s.files[b.name] = f
			if s.sum += len(f.bytes); s.sum > MaxBodyFiles {
				f.err = fmt.Errorf("with %s the files of all responses have more than %d bytes", quote(b.name), MaxBodyFiles)
			}
		}
		if f.err == nil {
			b.of.fill(f.bytes)
		} else if len(faults) < maxFaults {
			faults.Add(b.pos, "file: "+f.err.Error())
		}
	}
	return faults
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

// readRegular reads a file of at most so many bytes, and no pipe or device:
// it might never end. Since the name may come to mean another file meanwhile,
// what is opened is looked at again.
func readRegular(fsys fs.FS, name string, most int64) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, plainError(err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", quote(name)) // and opening a pipe would wait
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, plainError(err)
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, plainError(err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", quote(name))
	}
	if info.Size() > most {
		return nil, fmt.Errorf("%s has %d bytes; %d are taken", quote(name), info.Size(), most)
	}
	b := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead))
	if _, err := b.ReadFrom(io.LimitReader(f, most+1)); err != nil {
		return nil, plainError(err)
	}
	if int64(b.Len()) > most {
		return nil, fmt.Errorf("%s has more than %d bytes", quote(name), most)
	}
	return b.Bytes(), nil
}

// plainError says what is wrong with a file without the path of the machine.
func plainError(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("%s: %w", quote(pe.Path), pe.Err)
	}
	return err
}
