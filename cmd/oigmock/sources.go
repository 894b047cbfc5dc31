package main

import (
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oigmock/oigmock/mockserver"
	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
	"github.com/spf13/cobra"
)

// library stands for what comes with oigmock, in --scenarios and --schemas.
// A folder of that name is ./library.
const library = "library"

const allReleases = "all"

// A set is all that a server answers from, as a command line names it.
type set struct {
	releases []string // the usual one first
	schemas  string   // library, or a folder
	sources  []source
	clock    clock
	given    []mockserver.ProviderState
}

// A source is one folder of scenarios, or the library.
type source struct {
	dir   string   // as it was typed
	files []string // the only ones of the folder that count; none: all
}

// setFlags are the flags that say what to answer from.
type setFlags struct {
	release, schemas, scenarios, clock string
	given                              []string
}

func (f *setFlags) add(cmd *cobra.Command) {
	f.addContract(cmd)
	cmd.Flags().StringVar(&f.scenarios, "scenarios", library, "where scenarios come from, separated by commas: `library|DIR`; a later one is tried first")
	cmd.Flags().StringArrayVar(&f.given, "given", nil, "a provider state that is set in every session when it begins: `STATE`, or {\"state\": STATE, \"params\": {...}}; may be repeated")
	cmd.Flags().StringVar(&f.clock, "clock", "", "what now means: a `TIME` such as 2030-05-11T12:00:00Z, or a shift such as +48h or -30d")
}

func (f *setFlags) addContract(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.release, "release", schemas.UsualRelease, "the `RELEASE` of OIG to be ("+strings.Join(schemas.Releases(), ", ")+"), several separated by commas, or all")
	cmd.Flags().StringVar(&f.schemas, "schemas", library, "where the contract comes from: `library|DIR`")
}

// set makes a set of the flags. All errors are misuses.
func (f *setFlags) set() (*set, error) {
	sources, err := parseSources(f.scenarios)
	if err != nil {
		return nil, err
	}
	return f.setOf(sources)
}

// setOf makes a set of the flags, but for --scenarios.
func (f *setFlags) setOf(sources []source) (*set, error) {
	s := &set{releases: parseReleases(f.release), schemas: f.schemas, sources: sources}
	var err error
	if s.clock, err = parseClock(f.clock, time.Now); err != nil {
		return nil, err
	}
	if s.given, err = parseGiven(f.given); err != nil {
		return nil, err
	}
	return s, s.checkContract()
}

// parseReleases reads the flag --release.
func parseReleases(list string) []string {
	if list == allReleases {
		return schemas.Releases()
	}
	all := strings.Split(list, ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// checkContract reports a contract that cannot be meant.
func (s *set) checkContract() error {
	known := schemas.Releases()
	for i, release := range s.releases {
		switch {
		case release == "":
			return misusef("--release is empty; known: %s", strings.Join(known, ", "))
		case slices.Contains(s.releases[:i], release):
			return misusef("--release: %s is given twice", release)
		case s.schemas == library && !slices.Contains(known, release):
			_, err := schemas.OIG(release)
			return misusef("--release: %w, or %s", err, allReleases)
		}
	}
	if s.schemas != library {
		return isFolder("--schemas", s.schemas)
	}
	return nil
}

// parseSources reads the flag --scenarios.
func parseSources(list string) ([]source, error) {
	var all []source
	for dir := range strings.SplitSeq(list, ",") {
		dir = strings.TrimSpace(dir)
		switch {
		case dir == "":
			return nil, misusef("--scenarios %q: want library, a folder, or several of them separated by commas", list)
		case slices.ContainsFunc(all, func(s source) bool { return samePlace(s.dir, dir) }):
			return nil, misusef("--scenarios: %s is given twice", dir)
		case dir != library:
			if err := isFolder("--scenarios", dir); err != nil {
				return nil, err
			}
		}
		all = append(all, source{dir: dir})
	}
	return all, nil
}

func samePlace(a, b string) bool {
	if a == library || b == library {
		return a == b
	}
	return filepath.Clean(a) == filepath.Clean(b)
}

func isFolder(flag, dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return misusef("%s: there is no folder %s", flag, dir)
	case err != nil:
		return misusef("%s: %w", flag, err)
	case !info.IsDir():
		hint := ""
		if end := filepath.Ext(dir); end == ".yaml" || end == ".yml" {
			hint = "; give its folder"
		}
		return misusef("%s: %s is no folder%s", flag, dir, hint)
	}
	return nil
}

// folders are the folders that a set is read from.
func (s *set) folders() []string {
	var all []string
	if s.schemas != library {
		all = append(all, s.schemas)
	}
	for _, src := range s.sources {
		if src.dir != library {
			all = append(all, src.dir)
		}
	}
	return all
}

// A loaded set is ready to be served, if there are no faults among what was
// found.
type loaded struct {
	contracts []mockserver.Release  // of the releases of the set, in their order
	scenarios []*scenarios.Scenario // the later source first
	found     []mockserver.Finding  // in all files, sorted
	names     []string              // of the files that hold scenarios
	broken    bool                  // the contract has faults
	unread    bool                  // and so have scenarios: what they seed is not known
	empty     []string              // folders without a scenario file
}

// load reads all files of a set. Whether they fit together is not asked yet:
// see check and newServer.
func (s *set) load() *loaded {
	l := &loaded{}
	files := map[string]bool{}
	known := map[string]bool{} // what two sources both hold counts once
	for _, src := range slices.Backward(s.sources) {
		list, err := src.load()
		l.found = append(l.found, findings(err, "language", src.dir)...)
		l.unread = l.unread || err != nil
		if err == nil && len(list) == 0 && src.dir != library {
			l.empty = append(l.empty, src.dir)
		}
		for _, sc := range list {
			name, err := filepath.Abs(sc.Pos.Filename)
			if err != nil || src.dir == library {
				name = sc.Pos.Filename
			}
			id := fmt.Sprint(src.dir == library, name, ":", sc.Pos.Line)
			if known[id] {
				continue
			}
			known[id] = true
			files[sc.Pos.Filename] = true
			if holds := slices.ContainsFunc(s.releases, sc.Holds); !holds && src.dir == library {
				continue
			} else if !holds {
				l.found = append(l.found, mockserver.Finding{Pos: sc.Pos, Level: mockserver.LevelNote, Rule: "release",
					Text: fmt.Sprintf("it holds in %s, and is passed over: the contract is that of %s", strings.Join(sc.Releases, ", "), strings.Join(s.releases, ", "))})
			}
			l.scenarios = append(l.scenarios, sc)
		}
	}
	l.contracts = make([]mockserver.Release, len(s.releases))
	errs := make([]error, len(s.releases))
	var wg sync.WaitGroup
	for i, release := range s.releases { // to compile schemas is much of what a start takes
		wg.Go(func() {
			l.contracts[i].Name = release
			l.contracts[i].Contract, errs[i] = s.loadContract(release)
		})
	}
	wg.Wait()
	for _, err := range errs {
		l.found = append(l.found, findings(err, "schema", s.schemas)...)
		l.broken = l.broken || err != nil
	}
	for name := range files {
		l.names = append(l.names, name)
	}
	l.add(nil)
	return l
}

// check asks whether what could be read fits together, even where something
// else could not be read.
func (s *set) check(l *loaded) {
	for _, r := range l.contracts {
		cfg := s.config(l)
		cfg.Release, cfg.Contract = r.Name, r.Contract
		l.add(slices.DeleteFunc(mockserver.Check(cfg, s.beside()...), func(f mockserver.Finding) bool {
			return l.broken && contractual[f.Rule] || l.unread && f.Rule == "records"
		}))
	}
}

// beside are the scenarios of the other files of a folder of which only some
// are checked: what those seed is there when the folder is served.
func (s *set) beside() (all []*scenarios.Scenario) {
	for _, src := range s.sources {
		if len(src.files) == 0 {
			continue
		}
		list, _ := source{dir: src.dir}.load() // what is wrong with them is not asked
		all = append(all, slices.DeleteFunc(list, func(sc *scenarios.Scenario) bool {
			return slices.Contains(src.files, filepath.Base(sc.Pos.Filename)) && filepath.Dir(sc.Pos.Filename) == filepath.Clean(src.dir)
		})...)
	}
	return all
}

// wantFiles makes faults of folders without a scenario file: somebody who
// names one has mistaken it. One that loses its files while it is served is
// none.
func (l *loaded) wantFiles() {
	var found []mockserver.Finding
	for _, dir := range l.empty {
		found = append(found, mockserver.Finding{Pos: token.Position{Filename: dir, Line: 1, Column: 1}, Rule: "language",
			Text: "no scenario file (.yaml or .yml) is here"})
	}
	l.add(found)
}

// add adds to what was found.
func (l *loaded) add(found []mockserver.Finding) {
	l.found = mockserver.SortFindings(append(l.found, found...))
}

// files is how many files were looked at.
func (l *loaded) files() int {
	names := slices.Clone(l.names)
	for _, f := range l.found {
		if !slices.Contains(l.empty, f.Pos.Filename) {
			names = append(names, f.Pos.Filename)
		}
	}
	slices.Sort(names)
	return len(slices.Compact(names))
}

// contractual are the rules that make no sense without a contract.
var contractual = map[string]bool{"contract": true, "outside": true, "shadowed": true}

// config is how a server serves what was loaded.
func (s *set) config(l *loaded) mockserver.Config {
	usual := l.contracts[0]
	return mockserver.Config{Contract: usual.Contract, Scenarios: l.scenarios, Release: usual.Name, Beside: l.contracts[1:], Now: s.clock.real, Clock: s.clock.Clock, Given: s.given}
}

func (src source) load() ([]*scenarios.Scenario, error) {
	if src.dir == library {
		return scenarios.OIG("")
	}
	root, err := os.OpenRoot(src.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var fsys fs.FS = folder{root}
	if len(src.files) > 0 {
		fsys = someFiles{fsys, src.files}
	}
	return scenarios.Load(fsys, filepath.ToSlash(src.dir))
}

func (s *set) loadContract(release string) (*schemas.Contract, error) {
	if s.schemas == library {
		return schemas.OIG(release)
	}
	root, err := os.OpenRoot(s.schemas)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return schemas.Load(folder{root}, filepath.ToSlash(s.schemas), release)
}

// findings are the faults that an error of reading holds.
func findings(err error, rule, dir string) []mockserver.Finding {
	if err == nil {
		return nil
	}
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
			if pe.Path != "." && pe.Path != dir {
				err = fmt.Errorf("%s: %w", pe.Path, pe.Err)
			}
		}
		return []mockserver.Finding{{Pos: token.Position{Filename: dir, Line: 1, Column: 1}, Rule: rule, Text: "reading: " + err.Error()}}
	}
	var all []mockserver.Finding
	for _, e := range list {
		all = append(all, mockserver.Finding{Pos: e.Pos, Rule: rule, Text: e.Msg})
	}
	return all
}

// faults are what keeps a set from being served, one line each.
func (l *loaded) faults() []string {
	return l.lines(func(f mockserver.Finding) bool { return f.Level == mockserver.LevelFault })
}

// remarks are what was found besides: the first few, and how many there are
// more. What lies beyond the contract is counted, unless it is little.
func (l *loaded) remarks() []string {
	const few = 3
	outside := len(l.lines(func(f mockserver.Finding) bool { return f.Rule == "outside" }))
	all := l.lines(func(f mockserver.Finding) bool {
		return f.Level != mockserver.LevelFault && (f.Rule != "outside" || outside <= few)
	})
	if outside > few { // mostly meant, and a line for each would hide the others
		all = append(all, fmt.Sprintf("%s beyond the contract of this release, whose payloads are not checked: oigmock check tells which", count(outside, "interaction")))
	}
	if rest := len(all) - maxRemarks; rest > 0 {
		all = append(all[:maxRemarks:maxRemarks], fmt.Sprintf("and %d more; oigmock check tells all", rest))
	}
	return all
}

func (l *loaded) lines(wanted func(mockserver.Finding) bool) []string {
	var lines []string
	for _, f := range l.found {
		if wanted(f) {
			lines = append(lines, oneLine(f.String()))
		}
	}
	return lines
}

// someFiles is a folder in which only some files are listed. All can be
// opened: they may name others.
type someFiles struct {
	fs.FS
	names []string
}

func (f someFiles) ReadDir(name string) ([]fs.DirEntry, error) {
	var list []fs.DirEntry
	for _, n := range f.names {
		info, err := fs.Stat(f.FS, n)
		if err != nil {
			return nil, err
		}
		list = append(list, fs.FileInfoToDirEntry(info))
	}
	return list, nil
}

func (f someFiles) Stat(name string) (fs.FileInfo, error) { return fs.Stat(f.FS, name) }
