package mockserver

import (
	"bytes"
	"cmp"
	"fmt"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Coverage says what of the contract, the scenarios and the records was
// exercised, how often, and what was not: then it is there with 0.
type Coverage struct {
	Operations   []OperationUse   `json:"operations"`
	Interactions []InteractionUse `json:"interactions"`
	Records      []RecordUse      `json:"records"`
}

// An OperationUse is how often an operation of the contract was called, and
// which statuses it answered with. Those that interactions of files answer with
// are there with 0 where they did not.
type OperationUse struct {
	Operation string      `json:"operation"` // "PUT /a/{b}"
	Count     int         `json:"count"`
	Statuses  []StatusUse `json:"statuses"`
}

// A StatusUse is how often a status was answered with.
type StatusUse struct {
	Status int `json:"status"`
	Count  int `json:"count"`
}

// An InteractionUse is how often an interaction answered, or added to an
// answer.
type InteractionUse struct {
	Scenario    string   `json:"scenario"`
	Interaction string   `json:"interaction"`
	Pos         Position `json:"pos"`
	Count       int      `json:"count"`
}

// A Position is a line of a file, written FILE:LINE:COLUMN.
type Position token.Position

// MarshalText writes the position.
func (p Position) MarshalText() ([]byte, error) { return []byte(token.Position(p).String()), nil }

// A RecordUse is how often a room of records was looked at, and changed.
type RecordUse struct {
	Room    string `json:"room"`
	Looked  int    `json:"looked"`
	Changed int    `json:"changed"`
}

// Coverage is that of the whole run: of all sessions, those that have ended
// among them.
func (s *Server) Coverage() *Coverage {
	var u usage
	all := &s.sessions
	all.mu.RLock()
	u.merge(&all.ended)
	list := slices.AppendSeq(slices.Collect(maps.Values(all.byName)), maps.Values(s.homes))
	all.mu.RUnlock()
	for _, ses := range list {
		ses.mu.Lock()
		u.merge(&ses.usage)
		ses.mu.Unlock()
	}
	var c Coverage
	for _, of := range *s.catalogs.Load() {
		c.merge(of.coverage(nil, &u))
	}
	return &c
}

// merge adds what another release has besides: what both have was counted
// together.
func (c *Coverage) merge(o *Coverage) {
	if c.Operations == nil {
		*c = *o
		return
	}
	for _, op := range o.Operations {
		if !slices.ContainsFunc(c.Operations, func(known OperationUse) bool { return known.Operation == op.Operation }) {
			c.Operations = append(c.Operations, op)
		}
	}
	sortOperations(c.Operations)
	known := map[Position]bool{}
	for _, i := range c.Interactions {
		known[i.Pos] = true
	}
	for _, i := range o.Interactions {
		if !known[i.Pos] {
			c.Interactions = append(c.Interactions, i)
		}
	}
	for _, r := range o.Records {
		if !slices.ContainsFunc(c.Records, func(known RecordUse) bool { return known.Room == r.Room }) {
			c.Records = append(c.Records, r)
		}
	}
}

// Coverage is that of one session, since it began.
func (s *Session) Coverage() *Coverage {
	st := s.load()
	var u usage
	s.mu.Lock()
	u.merge(&s.usage)
	u.added = maps.Clone(s.usage.added)
	s.mu.Unlock()
	return st.base.coverage(st.added, &u)
}

// Unused are the interactions that neither answered nor added to an answer.
func (c *Coverage) Unused() (all []InteractionUse) {
	for _, i := range c.Interactions {
		if i.Count == 0 {
			all = append(all, i)
		}
	}
	return all
}

func (c *catalog) coverage(added *overlay, u *usage) *Coverage {
	all := c.all
	out := &Coverage{Operations: []OperationUse{}, Interactions: []InteractionUse{}, Records: []RecordUse{}}
	if added != nil {
		for _, l := range []*layer{&added.table.first, &added.table.ordinary, &added.table.last, &added.table.adds} {
			all = append(slices.Clip(all), l.entries...)
		}
	}
	for _, rt := range c.routes {
		for _, t := range rt.tables {
			if t.operation != nil {
				out.Operations = append(out.Operations, t.use(u))
			}
		}
	}
	sortOperations(out.Operations)
	for _, e := range all {
		n := u.interactions[e.origin[0]]
		if e.scenario.Origin == addedOrigin {
			n = u.added[e.origin[0]]
		}
		out.Interactions = append(out.Interactions, InteractionUse{e.scenario.Name, e.Name, Position(e.Pos), n})
	}
	for _, room := range slices.Sorted(maps.Keys(c.rooms)) {
		out.Records = append(out.Records, RecordUse{room, u.looked[room], u.changed[room]})
	}
	return out
}

// sortOperations sorts by path, then method.
func sortOperations(all []OperationUse) {
	slices.SortFunc(all, func(a, b OperationUse) int {
		am, ap, _ := strings.Cut(a.Operation, " ")
		bm, bp, _ := strings.Cut(b.Operation, " ")
		return cmp.Or(strings.Compare(ap, bp), strings.Compare(am, bm))
	})
}

// use is how often an operation was called.
func (t *table) use(u *usage) OperationUse {
	counts := map[int]int{}
	for _, l := range []*layer{&t.first, &t.ordinary, &t.last} {
		for _, e := range l.entries {
			for _, turn := range e.turns {
				if text, ok := turn.Status.Literal(); ok {
					status, _ := strconv.Atoi(text) // the parser has read it
					counts[status] = 0
				}
			}
		}
	}
	out := OperationUse{Operation: t.name, Statuses: []StatusUse{}}
	for at, n := range u.statuses {
		if at.operation == t.name {
			counts[at.status] = n
			out.Count += n
		}
	}
	for _, status := range slices.Sorted(maps.Keys(counts)) {
		out.Statuses = append(out.Statuses, StatusUse{status, counts[status]})
	}
	return out
}

// String is the coverage as a person reads it: how much of each, then what was
// not exercised, then what was.
func (c *Coverage) String() string {
	var b bytes.Buffer
	operations, statuses, answered := 0, 0, 0
	for _, o := range c.Operations {
		if o.Count > 0 {
			operations++
		}
		for _, st := range o.Statuses {
			statuses++
			if st.Count > 0 {
				answered++
			}
		}
	}
	interactions := len(c.Interactions) - len(c.Unused())
	records := 0
	for _, r := range c.Records {
		if r.Looked+r.Changed > 0 {
			records++
		}
	}
	fmt.Fprintf(&b, "operations    %d of %d\nstatuses      %d of %d\ninteractions  %d of %d\nrecords       %d of %d\n",
		operations, len(c.Operations), answered, statuses, interactions, len(c.Interactions), records, len(c.Records))
	for _, not := range []bool{true, false} {
		title := "exercised"
		if not {
			title = "not exercised"
		}
		fmt.Fprintf(&b, "\n%s\n", title)
		n := b.Len()
		for _, o := range c.Operations {
			for _, st := range o.Statuses {
				if (st.Count == 0) == not {
					fmt.Fprintf(&b, "  %6d  %s: %d\n", st.Count, o.Operation, st.Status)
				}
			}
			if len(o.Statuses) == 0 && not {
				fmt.Fprintf(&b, "  %6d  %s\n", 0, o.Operation)
			}
		}
		for _, i := range c.Interactions {
			if (i.Count == 0) == not {
				fmt.Fprintf(&b, "  %6d  %q in %s\n", i.Count, i.Interaction, i.Scenario)
			}
		}
		for _, r := range c.Records {
			if (r.Looked+r.Changed == 0) == not {
				fmt.Fprintf(&b, "  %6d  records %s: %d times looked at, %d changed\n", r.Looked+r.Changed, r.Room, r.Looked, r.Changed)
			}
		}
		if b.Len() == n {
			b.WriteString("  nothing\n")
		}
	}
	return b.String()
}

func (a *admin) coverage(v *visit) (any, error) {
	c := a.server.Coverage()
	if v.query.Has("session") || v.query.Has("release") || v.r.Header.Get(sessionHeader) != "" {
		c = v.session.Coverage()
	}
	if wantsText(v.r) {
		return plain{"text/plain; charset=utf-8", []byte(c.String())}, nil
	}
	return c, nil
}

func (a *admin) unused(v *visit) (any, error) {
	all := v.session.Coverage().Unused()
	if all == nil {
		all = []InteractionUse{}
	}
	return map[string]any{"unused": all}, nil
}
