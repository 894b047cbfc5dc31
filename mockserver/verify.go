package mockserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oigmock/oigmock/scenarios"
)

// A Wanted says which requests a session must have received: so many that
// Request matches, or one for each of Order, in that order, whatever came in
// between.
type Wanted struct {
	Request                  *scenarios.RequestMatcher
	Order                    []*scenarios.RequestMatcher
	Exactly, AtLeast, AtMost *int // one of these goes with Request; none: at least one
}

// A Verdict says whether that is so.
type Verdict struct {
	Holds   bool
	Count   int         // of the requests that match; of an order, how many of it were seen
	Matched []Entry     // these
	Near    []NearEntry // what came closest to one that is missing, the nearest first; three at most
}

// A NearEntry is an entry of the journal that a matcher does not match, and why.
type NearEntry struct {
	Seq          uint64
	Method, Path string
	Mismatches   []scenarios.Mismatch
}

// Verify says whether the session has received what is wanted. A matcher is
// asked as the request was when it came, by the clock of then, but with the
// records and the provider states of now. Where the answer hangs on entries
// that were evicted, or on a body of which only the beginning is kept, the
// error wraps ErrEvicted; it does not where the rest decides it.
func (s *Session) Verify(w Wanted) (*Verdict, error) { return s.verify(context.Background(), w) }

func (s *Session) verify(ctx context.Context, w Wanted) (*Verdict, error) {
	bounds := 0
	for _, n := range []*int{w.Exactly, w.AtLeast, w.AtMost} {
		if n == nil {
			continue
		}
		if bounds++; *n < 0 {
			return nil, wrongf("want %d of a request: there is no such number of them", *n)
		}
	}
	switch {
	case (w.Request == nil) == (len(w.Order) == 0):
		return nil, wrongf("want a request, or an order of them")
	case bounds > 1 || bounds > 0 && w.Request == nil:
		return nil, wrongf("one of exactly, atLeast and atMost goes with a request")
	}
	l := s.lookThrough(ctx)
	if w.Request == nil {
		return l.order(w.Order)
	}
	return l.count(&w)
}

// Received are the requests that the session has received and that a matcher
// matches, oldest first; nil matches all. Where some were evicted, or cannot be
// judged by the beginning of their body, the error wraps ErrEvicted, and the
// list is what is left.
func (s *Session) Received(m *scenarios.RequestMatcher) ([]Entry, error) {
	l := s.lookThrough(context.Background())
	found, _, unsure, err := l.all(m)
	if err == nil && l.missing(unsure) > 0 {
		err = l.undecided(unsure, fmt.Sprintf("%d are left", len(found)))
	}
	return found, err
}

// errTooCostly is of a matcher that takes too long.
var errTooCostly = errors.New("the matcher costs too much")

const (
	// All entries that are looked at share one budget: less than a second as a
	// rule, and two to three for what is slowest, comparing numbers.
	lookWork = 5 * scenarios.Budget

	// So many bytes of a body are read as JSON, or as a form, in a step.
	bytesOfStep = 8
)

// A look is one look through the journal of a session.
type look struct {
	ctx     context.Context
	entries []Entry
	evicted uint64
	env     scenarios.Env
	trial   scenarios.Trial
	work    int // that is left
}

func (s *Session) lookThrough(ctx context.Context) *look {
	st := s.load()
	l := &look{ctx: ctx, work: lookWork, env: scenarios.Env{Records: st.records, Given: st.given}}
	l.entries, l.evicted = s.journal.after(0)
	return l
}

// What a matcher says of an entry.
type saying uint8

const (
	unasked saying = iota
	isNot
	is
	mayBe // the part of the body that it would need is not kept
)

// A miss is an entry that a matcher does not match, and how far off it is.
type miss struct {
	at           int
	path, method bool
	mismatches   int
}

// A seeker is a matcher that looks for its requests.
type seeker struct {
	matcher *scenarios.RequestMatcher
	whole   scenarios.Interaction
	less    *scenarios.Interaction // without what it asks of the body; nil where it asks nothing
	misses  []miss
	said    []saying // of each entry; of those that were not asked about nothing
}

func seekerOf(m *scenarios.RequestMatcher) *seeker {
	if m == nil {
		m = &scenarios.RequestMatcher{}
	}
	k := &seeker{matcher: m, whole: scenarios.Interaction{Request: *m}}
	if m.Body != nil || m.Text != nil || m.Form != nil {
		less := *m
		less.Body, less.Text, less.Form = nil, nil, nil
		k.less = &scenarios.Interaction{Request: less}
	}
	return k
}

// ask asks a matcher about an entry, once.
func (l *look) ask(k *seeker, at int) (saying, error) {
	if k.said == nil {
		k.said = make([]saying, len(l.entries))
	}
	if k.said[at] == unasked {
		says, err := l.judge(k, at)
		if err != nil {
			return unasked, err
		}
		k.said[at] = says
	}
	return k.said[at], nil
}

func (l *look) judge(k *seeker, at int) (saying, error) {
	if err := l.ctx.Err(); err != nil {
		return unasked, err
	}
	e := &l.entries[at]
	i, otherwise := &k.whole, is
	switch {
	case e.Cut && k.less != nil:
		i, otherwise = k.less, mayBe
	case k.less != nil:
		l.work -= len(e.Exchange.Request.Body) / bytesOfStep
	}
	l.begin(e)
	path, method, mismatches := l.trial.Distance(i)
	if l.work = l.trial.Left(); l.trial.Exhausted() {
		return unasked, fmt.Errorf("%w: %d of %d entries of the journal were judged, then the work that one call may take was used up; take a simpler matcher, or a shorter journal (DELETE /journal)",
			errTooCostly, at, len(l.entries))
	}
	if k.matcher.Payload == scenarios.Invalid && len(e.Violations) == 0 {
		mismatches++
	}
	if mismatches == 0 {
		return otherwise, nil
	}
	k.misses = append(k.misses, miss{at, path, method, mismatches})
	return isNot, nil
}

func (l *look) begin(e *Entry) {
	env := l.env
	env.Now, env.URL, env.User = e.Exchange.At, e.URL, e.User
	r := e.Exchange.Request // what is derived from it is not kept
	l.trial.BeginWithin(&r, env, l.work)
}

// all asks about all entries.
func (l *look) all(m *scenarios.RequestMatcher) (found []Entry, k *seeker, undecided int, err error) {
	k = seekerOf(m)
	for i := range l.entries {
		says, err := l.ask(k, i)
		switch {
		case err != nil:
			return nil, k, 0, err
		case says == is:
			found = append(found, l.entries[i])
		case says == mayBe:
			undecided++
		}
	}
	return found, k, undecided, nil
}

// missing is how many requests may match besides those that do.
func (l *look) missing(undecided int) int { return int(min(l.evicted, 1<<40)) + undecided }

func (l *look) undecided(undecided int, left string) error {
	var why []string
	if l.evicted > 0 {
		why = append(why, fmt.Sprintf("%d are gone", l.evicted))
	}
	if undecided > 0 {
		why = append(why, fmt.Sprintf("of %d only the beginning of the body is kept", undecided))
	}
	return fmt.Errorf("%w: %s; %s", ErrEvicted, strings.Join(why, ", and "), left)
}

func (l *look) count(w *Wanted) (*Verdict, error) {
	found, k, undecided, err := l.all(w.Request)
	if err != nil {
		return nil, err
	}
	least, most := 1, -1 // -1: however many
	switch {
	case w.Exactly != nil:
		least, most = *w.Exactly, *w.Exactly
	case w.AtLeast != nil:
		least = *w.AtLeast
	case w.AtMost != nil:
		least, most = 0, *w.AtMost
	}
	fewest := len(found)
	many := fewest + l.missing(undecided)
	v := &Verdict{Count: fewest, Matched: found}
	switch {
	case fewest >= least && (most < 0 || many <= most):
		v.Holds = true
	case many < least:
		v.Near = l.near(k)
	case most >= 0 && fewest > most:
	default:
		return nil, l.undecided(undecided, fmt.Sprintf("%d of those that are left match", fewest))
	}
	return v, nil
}

func (l *look) order(order []*scenarios.RequestMatcher) (*Verdict, error) {
	v := &Verdict{}
	undecided := 0
	seekers := make([]*seeker, len(order))
	for i, m := range order {
		seekers[i] = seekerOf(m)
	}
	k := seekers[0]
	for i := range l.entries {
		says, err := l.ask(k, i)
		if err != nil {
			return nil, err
		}
		if says == mayBe {
			undecided++
		}
		if says != is {
			continue
		}
		v.Matched = append(v.Matched, l.entries[i])
		if v.Count++; v.Count == len(order) {
			v.Holds = true
			return v, nil
		}
		k = seekers[v.Count]
	}
	if l.missing(undecided) > 0 {
		misses := k.misses
		could, err := l.couldOrder(seekers)
		k.misses = misses // and not those of another place in the order
		if err != nil {
			return nil, err
		}
		if could {
			return nil, l.undecided(undecided, fmt.Sprintf("of those that are left %d come in this order", v.Count))
		}
	}
	v.Near = l.near(k)
	return v, nil
}

// couldOrder reports whether the order might be found if all entries were still
// there, whole: what was evicted came first.
func (l *look) couldOrder(order []*seeker) (bool, error) {
	n := int(min(l.evicted, uint64(len(order))))
	for i := 0; i < len(l.entries) && n < len(order); i++ {
		says, err := l.ask(order[n], i)
		if err != nil {
			return false, err
		}
		if says != isNot {
			n++
		}
	}
	return n == len(order), nil
}

// near is what came closest to what a seeker looks for, in words; so much of it
// as there is work left for, since the verdict stands without it.
func (l *look) near(k *seeker) []NearEntry {
	slices.SortStableFunc(k.misses, func(a, b miss) int {
		return cmp.Or(no(a.path)-no(b.path), no(a.method)-no(b.method), a.mismatches-b.mismatches)
	})
	var told []NearEntry
	for _, m := range k.misses {
		e := &l.entries[m.at]
		if len(told) == maxNear {
			break
		}
		if !m.path && !sameFamily(&entry{Interaction: &k.whole}, &e.Exchange.Request) {
			continue
		}
		i := &k.whole
		if e.Cut && k.less != nil {
			i = k.less
		}
		l.begin(e)
		why := l.trial.Mismatches(i)
		if l.work = l.trial.Left(); l.trial.Exhausted() {
			break
		}
		if k.matcher.Payload == scenarios.Invalid && len(e.Violations) == 0 {
			why = append(why, scenarios.Mismatch{At: "payload", Want: "one that breaks the contract", Got: "one that does not"})
		}
		told = append(told, NearEntry{Seq: e.Seq, Method: e.Exchange.Request.Method, Path: e.Exchange.Request.Path, Mismatches: why})
	}
	return told
}
