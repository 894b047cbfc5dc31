package mockserver

import (
	"fmt"
	"go/scanner"
	"slices"
	"strings"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas/didyoumean"
	"github.com/oigmock/oigmock/schemas/payload"
)

// Record is what the session remembers at an address such as tasks/1006, as
// JSON; "" is all of it. The error wraps ErrNoRecord where nothing is there.
func (s *Session) Record(address string) ([]byte, error) {
	st := s.load()
	if address == "" {
		return st.records.AppendJSON(nil), nil
	}
	a, err := scenarios.ParseAddress(address)
	if err != nil {
		return nil, wrong{err}
	}
	steps, err := a.Locate()
	if err != nil {
		return nil, wrongf("%s is no address of records, such as tasks/1006", scenarios.CutText(address, 400))
	}
	v := st.records.At(steps...)
	if v.Kind() == payload.Absent {
		hint := ""
		if room, _ := a.Room(); st.records.At(room).Kind() == payload.Absent {
			hint = didyoumean.Hint(room, st.rooms())
		}
		return nil, fmt.Errorf("%w: nothing is at %s%s", ErrNoRecord, scenarios.CutText(address, 400), hint)
	}
	return v.AppendJSON(nil), nil
}

// SetRecord sets what shall be at an address of records: src is a value as it
// stands under the key set of an interaction, {$absent: true} and all, in YAML
// or JSON. It gives the addresses that changed. The error is a
// scanner.ErrorList, a *scenarios.Fault, or wraps ErrTooMuch; nothing changes
// then.
func (s *Session) SetRecord(address string, src []byte) (changed []string, err error) {
	return s.setRecords(scenarios.ParseRecord("body", address, src))
}

// SetRecords does the same for several: {ADDRESS: VALUE, ADDRESS: VALUE}.
func (s *Session) SetRecords(src []byte) (changed []string, err error) {
	return s.setRecords(scenarios.ParseRecords("body", src))
}

func (s *Session) setRecords(set []scenarios.Sentence, rooms []scenarios.RecordRoom, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	s.load() // what is served now
	var changed []string
	err = s.update(func(old *state) (*state, error) {
		if err := old.knows(rooms); err != nil {
			return nil, err
		}
		next := *old
		var err error
		next.records, changed, err = scenarios.Apply(old.records, set, scenarios.Env{Now: s.server.now(old), Given: old.given})
		return &next, err
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// knows reports rooms of records that no scenario speaks of: whoever names one
// has mistyped another.
func (st *state) knows(rooms []scenarios.RecordRoom) error {
	known := st.rooms()
	var faults scanner.ErrorList
	for _, r := range rooms {
		if !slices.Contains(known, r.Name) && st.records.At(r.Name).Kind() == payload.Absent {
			list := "; none seeds any"
			if len(known) > 0 {
				list = "; known are " + scenarios.CutText(strings.Join(known, ", "), 400)
			}
			faults.Add(r.Pos, fmt.Sprintf("no scenario of the session has records called %q%s%s", scenarios.CutText(r.Name, 80), didyoumean.Hint(r.Name, known), list))
		}
	}
	return faults.Err()
}

// rooms are the rooms of records that scenarios name, sorted.
func (st *state) rooms() (all []string) {
	for _, sc := range st.scenarios() {
		for i := range sc.Records {
			room, _ := sc.Records[i].At.Room()
			all = append(all, room)
		}
		for _, r := range sc.RecordRooms() {
			all = append(all, r.Name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
