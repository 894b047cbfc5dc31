package mockserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas/didyoumean"
	"github.com/oigmock/oigmock/schemas/payload"
)

func (a *admin) health(*visit) (any, error) {
	s := a.server
	return map[string]any{"status": "ok", "operations": s.Operations(), "scenarios": s.Scenarios(), "interactions": s.Interactions()}, nil
}

func (a *admin) tellVersion(*visit) (any, error) {
	return map[string]any{"version": a.version, "release": a.server.cfg.Release, "releases": a.server.Releases()}, nil
}

type scenarioJSON struct {
	Name         string   `json:"name"`
	Title        string   `json:"title"`
	Source       string   `json:"source"`
	Origin       string   `json:"origin"`
	Given        []string `json:"given"`
	Interactions int      `json:"interactions"`
	Awake        bool     `json:"awake"`
	Pos          string   `json:"pos"`
}

func (a *admin) listScenarios(v *visit) (any, error) {
	st := v.session.load()
	out := []scenarioJSON{}
	for _, sc := range st.scenarios() {
		given := []string{}
		for _, g := range sc.Given {
			given = append(given, g.Name)
		}
		out = append(out, scenarioJSON{sc.Name, sc.Title, sc.Source, sc.Origin, given, len(sc.Interactions), sc.Awake(st.given), sc.Pos.String()})
	}
	return out, nil
}

func (a *admin) getScenario(v *visit) (any, error) {
	name, err := v.name()
	if err != nil {
		return nil, err
	}
	src, err := v.session.Scenario(name)
	return plain{"application/yaml", src}, err
}

// allAdded is what PUT /scenarios calls the one file that it takes.
const allAdded = "added"

func (a *admin) putScenario(v *visit) (any, error) {
	name, err := v.name()
	if err != nil {
		return nil, err
	}
	return a.put(v, name, v.session.Put)
}

func (a *admin) putScenarios(v *visit) (any, error) { return a.put(v, allAdded, v.session.PutAll) }

func (a *admin) put(v *visit, name string, put func(name string, src []byte) error) (any, error) {
	src, err := a.body(v)
	if err != nil {
		return nil, err
	}
	name = scenarios.TrimExtension(name)
	was := v.session.load().addedAs(name)
	if err := put(name, src); err != nil {
		if errors.Is(err, ErrNoScenario) { // it can have no such name
			err = wrongf("%s", strings.TrimPrefix(err.Error(), ErrNoScenario.Error()+": "))
		}
		return nil, err
	}
	out := struct {
		Name         string   `json:"name"`
		Scenarios    []string `json:"scenarios"`
		Interactions int      `json:"interactions"`
	}{Name: name, Scenarios: []string{}}
	for _, sc := range v.session.load().addedAs(name) {
		out.Scenarios = append(out.Scenarios, sc.Name)
		out.Interactions += len(sc.Interactions)
	}
	if was == nil {
		return created{out}, nil
	}
	return out, nil
}

// addedAs is what was added under a name; nil for nothing.
func (st *state) addedAs(name string) []*scenarios.Scenario {
	if st.added != nil {
		for _, f := range st.added.files {
			if f.name == name {
				return f.list
			}
		}
	}
	return nil
}

func (a *admin) deleteScenario(v *visit) (any, error) {
	name, err := v.name()
	if err != nil {
		return nil, err
	}
	return nil, v.session.Remove(name)
}

func (a *admin) deleteScenarios(v *visit) (any, error) {
	v.session.RemoveAll()
	return nil, nil
}

type verdictJSON struct {
	Holds   bool            `json:"holds"`
	Count   int             `json:"count"`
	Matched []uint64        `json:"matched"`
	Near    []nearEntryJSON `json:"near"`
}

type nearEntryJSON struct {
	Seq        uint64         `json:"seq"`
	Method     string         `json:"method"`
	Path       string         `json:"path"`
	Mismatches []mismatchJSON `json:"mismatches"`
}

func (a *admin) verify(v *visit) (any, error) {
	src, err := a.body(v)
	if err != nil {
		return nil, err
	}
	done, err := a.judge(v)
	if err != nil {
		return nil, err
	}
	defer done()
	w, err := scenarios.ParseWanted("body", src)
	if err != nil {
		return nil, err
	}
	verdict, err := v.session.verify(v.r.Context(), Wanted(*w))
	if err != nil {
		return nil, err
	}
	out := verdictJSON{verdict.Holds, verdict.Count, []uint64{}, []nearEntryJSON{}}
	for _, e := range verdict.Matched {
		out.Matched = append(out.Matched, e.Seq)
	}
	for _, n := range verdict.Near {
		out.Near = append(out.Near, nearEntryJSON{n.Seq, n.Method, n.Path, mismatchesJSON(n.Mismatches)})
	}
	return out, nil
}

func (a *admin) getRecords(v *visit) (any, error) {
	address, err := v.address()
	if err == nil && address == "" && v.path != "/records" {
		err = wrongf("an address is missing behind /records/; /records is all")
	}
	if err != nil {
		return nil, err
	}
	b, err := v.session.Record(address)
	return rawJSON(b), err
}

func (a *admin) patchRecords(v *visit) (any, error) {
	src, err := a.body(v)
	if err != nil {
		return nil, err
	}
	var changed []string
	if v.path == "/records" {
		changed, err = v.session.SetRecords(src)
	} else {
		var address string
		if address, err = v.address(); err == nil {
			changed, err = v.session.SetRecord(address, src)
		}
	}
	if err != nil {
		return nil, err
	}
	return map[string]any{"changed": append([]string{}, changed...)}, nil
}

type clockJSON struct {
	Mode   string `json:"mode"`
	Now    string `json:"now"`
	Offset string `json:"offset"`
}

func clockOf(c Clock, now time.Time) clockJSON {
	return clockJSON{c.Mode(), now.UTC().Format(time.RFC3339Nano), scenarios.FormatDuration(c.Offset)}
}

func (a *admin) getClock(v *visit) (any, error) {
	return clockOf(v.session.Clock()), nil
}

// The times that a clock can stand at are those that can be written, in whatever
// zone, and from which no step leads to the time that means that it runs.
var firstTime, lastTime = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

const clockBounds = "from 1900-01-01 to 9999-12-31 (UTC)"

func (a *admin) putClock(v *visit) (any, error) {
	src, err := a.body(v)
	if err != nil {
		return nil, err
	}
	set, err := readClock(src)
	if err != nil {
		return nil, err
	}
	err = v.session.moveClock(0, set)
	if err != nil {
		return nil, err
	}
	return clockOf(v.session.Clock()), nil
}

// readClock reads how a clock is to be set.
func readClock(src []byte) (set func(Clock) Clock, err error) {
	doc, err := readObject(src, "a clock", []string{"frozen", "offset", "advance"})
	if err != nil {
		return nil, err
	}
	if doc.Len() > 1 {
		return nil, wrongf("a clock is set by one of frozen, offset and advance")
	}
	for name, value := range doc.Members() {
		if value.Kind() != payload.String {
			return nil, wrongf("%s: want a text, got %s", name, value.Kind())
		}
		if name == "frozen" {
			at, err := time.Parse(time.RFC3339, value.Text())
			if err != nil || at.Before(firstTime) || at.After(lastTime) {
				return nil, wrongf("frozen: want a time such as 2030-05-11T12:00:00Z, %s, got %q", clockBounds, scenarios.CutText(value.Text(), 80))
			}
			return func(Clock) Clock { return Clock{Frozen: at} }, nil
		}
		by, err := scenarios.ParseShift(value.Text())
		if err != nil {
			return nil, wrongf("%s: %w", name, err)
		}
		if name == "offset" {
			return func(Clock) Clock { return Clock{Offset: by} }, nil
		}
		return func(old Clock) Clock { return old.Advance(by) }, nil
	}
	return func(Clock) Clock { return Clock{} }, nil
}

func (a *admin) getStates(v *visit) (any, error) {
	st := v.session.load()
	set := map[string]json.RawMessage{}
	for name, params := range st.given {
		set[name] = params.AppendJSON(nil)
	}
	return map[string]any{"known": append([]string{}, st.knownStates()...), "set": set}, nil
}

// knownStates are the provider states that scenarios name, sorted.
func (st *state) knownStates() (all []string) {
	for _, sc := range st.scenarios() {
		for _, g := range sc.Given {
			all = append(all, g.Name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (a *admin) postState(v *visit) (any, error) {
	src, err := a.body(v)
	if err != nil {
		return nil, err
	}
	name, params, action, err := readState(src)
	if err != nil {
		return nil, err
	}
	known := v.session.load().knownStates()
	switch {
	case name == "": // so a verifier announces an interaction that needs none
	case action == "setup":
		err = v.session.setState(name, params)
	case !slices.Contains(known, name):
		err = unknownState(name, known)
	default:
		v.session.UnsetState(name)
	}
	if err != nil {
		return nil, err
	}
	return map[string]any{"state": name, "params": json.RawMessage(params.AppendJSON(nil))}, nil
}

// readState reads what a Pact verifier sends. Other members, such as consumer,
// are passed over, and so is a second {"params": …} around the parameters.
func readState(src []byte) (name string, params payload.Value, action string, err error) {
	doc, err := readObject(src, "a provider state", nil)
	if err != nil {
		return "", params, "", err
	}
	if doc.Member("state").Kind() == payload.Absent {
		return "", params, "", wrongf(`a provider state has the member "state", its name`)
	}
	if name, err = textMember(doc, "state"); err != nil {
		return "", params, "", err
	}
	if action, err = textMember(doc, "action"); err != nil {
		return "", params, "", err
	}
	switch action {
	case "":
		action = "setup"
	case "setup", "teardown":
	default:
		return "", params, "", wrongf("action %q is none of setup, teardown%s", scenarios.CutText(action, 80), didyoumean.Hint(action, []string{"setup", "teardown"}))
	}
	params = doc.Member("params")
	if within := params.Member("params"); params.Len() == 1 && within.Kind() == payload.Object {
		params = within
	}
	copied := []byte("{}")
	switch params.Kind() {
	case payload.Absent, payload.Null:
	case payload.Object:
		copied = params.AppendJSON(nil) // what it is a part of is not kept
	default:
		return "", params, "", wrongf("params: want an object, got %s", params.Kind())
	}
	only, err := payload.Scan(copied)
	if err != nil {
		return "", params, "", wrongf("params: %w", err) // never: it was a part of what was read
	}
	return name, only.Root(), action, nil
}

type sessionJSON struct {
	Name    string    `json:"name"`
	Release string    `json:"release,omitempty"`
	Entries int       `json:"entries"`
	Evicted uint64    `json:"evicted"`
	Clock   clockJSON `json:"clock"`
	Given   []string  `json:"given"`
	Added   []string  `json:"added"`
}

func tellSession(s *Session) sessionJSON {
	st := s.state.Load()
	out := sessionJSON{Name: s.name, Release: s.release, Clock: clockOf(st.clock, s.server.now(st)), Given: []string{}, Added: []string{}}
	out.Entries, out.Evicted, _ = s.journal.counts()
	for name := range st.given {
		out.Given = append(out.Given, name)
	}
	slices.Sort(out.Given)
	if st.added != nil {
		for _, f := range st.added.files {
			out.Added = append(out.Added, f.name)
		}
	}
	return out
}

func (a *admin) listSessions(*visit) (any, error) {
	out := []sessionJSON{}
	for _, s := range a.server.Sessions() {
		out = append(out, tellSession(s))
	}
	return out, nil
}

func (a *admin) getSession(v *visit) (any, error) {
	name, err := v.name()
	if err != nil {
		return nil, err
	}
	for _, s := range a.server.Sessions() {
		if s.name == name {
			return tellSession(s), nil
		}
	}
	return nil, noSession(name)
}

// putSession begins a session in the release that the body names.
func (a *admin) putSession(v *visit) (any, error) {
	name, err := v.name()
	if err != nil {
		return nil, err
	}
	if err := checkSessionName(name); err != nil {
		return nil, err
	}
	src, err := a.body(v)
	if err != nil {
		return nil, err
	}
	release := a.server.cfg.Release
	if len(src) > 0 {
		doc, err := readObject(src, "a session", []string{"release"})
		if err != nil {
			return nil, err
		}
		if named, err := textMember(doc, "release"); err != nil {
			return nil, err
		} else if named != "" {
			release = named
		}
	}
	s, err := a.server.SessionIn(name, release)
	if err != nil {
		return nil, err
	}
	return tellSession(s), nil
}

func noSession(name string) error {
	return fmt.Errorf("%w: %q", errNoSession, scenarios.CutText(name, 80))
}

func (a *admin) endSession(v *visit) (any, error) {
	name, err := v.name()
	if err != nil {
		return nil, err
	}
	if name == "" { // that of clients that name none never ends
		return nil, noSession(name)
	}
	if there, err := a.server.EndSession(name); err != nil || there {
		return nil, err
	}
	return nil, noSession(name)
}

func (a *admin) endSessions(*visit) (any, error) {
	for _, s := range a.server.Sessions() {
		if _, err := a.server.EndSession(s.name); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (a *admin) reset(v *visit) (any, error) { return nil, v.session.Reset() }
