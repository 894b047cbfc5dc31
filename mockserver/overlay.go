package mockserver

import (
	"bytes"
	"errors"
	"fmt"
	"go/scanner"
	"slices"
	"strings"

	"github.com/oigmock/oigmock/scenarios"
)

const (
	maxAdded     = 1000    // files that are added to one session
	maxAddedSize = 4 << 20 // bytes of all of them
	maxAddedName = 200     // bytes
	addedOrigin  = "added" // Scenario.Origin of what was added
)

// An overlay is the scenarios that were added to a session. They are tried
// before all others, the latest first. It never changes.
type overlay struct {
	files []addedFile // the latest first
	list  []*scenarios.Scenario
	table *table // of all of them, whatever the operation
	size  int    // bytes that they take
}

// An addedFile is what was added under one name.
type addedFile struct {
	name string
	size int
	list []*scenarios.Scenario
}

func newOverlay(files []addedFile, release string) *overlay {
	if len(files) == 0 {
		return nil
	}
	o := &overlay{files: files}
	n := 0
	for _, f := range files {
		o.size += 16 * f.size // what is parsed takes more than its text
		for _, s := range f.list {
			if s.Holds(release) {
				o.list = append(o.list, s)
				n += len(s.Interactions)
			}
		}
	}
	o.table = newTable(nil, "", entriesOf(o.list, n))
	return o
}

// names reports whether one of what was added names a method.
func (t *table) names(method string) bool {
	if t == nil {
		return false
	}
	for _, l := range []*layer{&t.first, &t.ordinary, &t.last} {
		for _, e := range l.entries {
			if named, ok := e.Request.Method.Literal(); ok && named == method {
				return true
			}
		}
	}
	return false
}

// Put adds a file of scenarios to the session, or puts it in the place of that
// of the same name. The error is a scanner.ErrorList of all that is wrong with
// it, and nothing is added then.
func (s *Session) Put(name string, src []byte) error { return s.putFile(name, src, false) }

// PutAll puts a file of scenarios in the place of all that was added to the
// session. The error is as that of Put, and nothing changes then.
func (s *Session) PutAll(name string, src []byte) error { return s.putFile(name, src, true) }

func (s *Session) putFile(name string, src []byte, alone bool) error {
	name = scenarios.TrimExtension(name)
	if name == "" || len(name) > maxAddedName || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '#' }) {
		return fmt.Errorf("%w: want a name without blanks and #, of at most %d bytes", ErrNoScenario, maxAddedName)
	}
	list, err := scenarios.Parse(name+".yaml", src)
	if err != nil {
		return err
	}
	for _, sc := range list {
		sc.Origin = addedOrigin
	}
	// To check and to index takes long. The session answers meanwhile; where
	// something else was added to it first, it is done again.
	for {
		old := s.load()
		next := *old
		if next.added, err = old.added.with(addedFile{name, len(src), list}, alone, s.release); err != nil {
			return err
		}
		if err := s.server.checkAdded(&next, list); err != nil {
			return err
		}
		err := s.update(func(now *state) (*state, error) {
			if now.added != old.added {
				return nil, errOvertaken
			}
			after := *now
			after.added = next.added
			return &after, s.server.seedAdded(&after, list)
		})
		if err != errOvertaken {
			return err
		}
	}
}

var errOvertaken = errors.New("something else was added first")

// with is the overlay with one file more, or in the place of all, first.
func (o *overlay) with(f addedFile, alone bool, release string) (*overlay, error) {
	files := []addedFile{f}
	size := f.size
	if o != nil && !alone {
		for _, other := range o.files {
			if other.name != f.name {
				files = append(files, other)
				size += other.size
			}
		}
	}
	switch {
	case len(files) > maxAdded:
		return nil, fmt.Errorf("%w: more than %d files are added to the session", ErrTooMuch, maxAdded)
	case size > maxAddedSize:
		return nil, fmt.Errorf("%w: more than %d bytes of scenarios are added to the session", ErrTooMuch, maxAddedSize)
	}
	return newOverlay(files, release), nil
}

// seedAdded sets what scenarios seed that were added.
func (s *Server) seedAdded(st *state, list []*scenarios.Scenario) error {
	awake := slices.DeleteFunc(slices.Clone(list), func(sc *scenarios.Scenario) bool {
		return !sc.Holds(st.base.release) || !sc.Awake(st.given)
	})
	t, err := st.seed(awake, st.records, s.now(st))
	var f *scenarios.Fault
	if errors.As(err, &f) {
		return scanner.ErrorList{{Pos: f.Pos, Msg: f.Why}}
	}
	st.records = t
	return err
}

// checkAdded holds scenarios that are added against the contract, as those of
// files are when they are loaded.
func (s *Server) checkAdded(st *state, list []*scenarios.Scenario) error {
	c := newCatalog(st.base.contract, list, st.base.release, s.now(st), nil)
	var faults scanner.ErrorList
	for _, f := range c.checkBeside(st.scenarios(), st.records, s.now(st)) {
		if f.Level == LevelFault {
			faults.Add(f.Pos, f.Text)
		}
	}
	return faults.Err()
}

// Remove takes a file of scenarios away that was added to the session. What it
// seeded stays. The error wraps ErrNoScenario, or ErrFromFile where a file of
// the server's own has that name.
func (s *Session) Remove(name string) error {
	name = scenarios.TrimExtension(name)
	return s.update(func(old *state) (*state, error) {
		var files []addedFile
		if old.added != nil {
			files = slices.DeleteFunc(slices.Clone(old.added.files), func(f addedFile) bool { return f.name == name })
		}
		if old.added == nil || len(files) == len(old.added.files) {
			for _, sc := range old.base.list {
				if sc.File == name || sc.Name == name {
					return nil, fmt.Errorf("%w: %s is served to all sessions, and is changed where it stands", ErrFromFile, sc.Pos.Filename)
				}
			}
			return nil, fmt.Errorf("%w: nothing was added to the session as %q", ErrNoScenario, scenarios.CutText(name, maxAddedName))
		}
		next := *old
		next.added = newOverlay(files, s.release)
		return &next, nil
	})
}

// RemoveAll takes all away that was added to the session.
func (s *Session) RemoveAll() {
	_ = s.update(func(old *state) (*state, error) {
		if old.added == nil {
			return old, nil
		}
		next := *old
		next.added = nil
		return &next, nil
	})
}

// Scenarios are those that hold in the session, in order of precedence, awake
// or not: what was added first.
func (s *Session) Scenarios() []*scenarios.Scenario { return s.load().scenarios() }

// Scenario is the text of a file of scenarios: what was added under a name, or
// else of a file of that name. The error wraps ErrNoScenario.
func (s *Session) Scenario(name string) ([]byte, error) {
	name = scenarios.TrimExtension(name)
	all := s.load().scenarios()
	first := slices.IndexFunc(all, func(sc *scenarios.Scenario) bool { return sc.File == name || sc.Name == name })
	if first < 0 {
		return nil, fmt.Errorf("%w: %q", ErrNoScenario, scenarios.CutText(name, maxAddedName))
	}
	var b bytes.Buffer
	for _, sc := range all[first:] {
		if b.Len() > 0 && (sc.File != name || sc.Origin != all[first].Origin) {
			break
		}
		if b.Len() > 0 {
			b.WriteString("---\n")
		}
		if _, err := sc.WriteTo(&b); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}
