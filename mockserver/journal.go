package mockserver

import (
	"sync"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
)

// An Entry is one line of the journal. It holds names, not pointers to what
// answered: it travels.
type Entry struct {
	Seq                   uint64 // from 1, in each session
	Exchange              scenarios.Exchange
	URL                   string // the base address by which the client called
	Release               string // of OIG that the session is of
	User                  string // who called; "" for nobody
	Outcome               Outcome
	Operation             string // "PUT /a/{b}"; "" outside the contract
	Scenario, Interaction string // "" when nothing answered
	Changed               []string
	Fault                 string // the damage that was done to the answer, "reset"; "" for none
	FaultFrom             string // FILE#INTERACTION of what did it
	Cut, AnswerCut        bool   // the body of the request, or of the answer, is longer than what is kept of it
	Violations            []schemas.Violation
	NearMisses            []NearMiss

	size int
}

// JournalLimits bound the journals. Zero values are the defaults.
type JournalLimits struct {
	Entries int // 1,000 of each session
	Bytes   int // 64 MiB of memory for all together; entries keep two fifths of it, since more than as much again may wait to be collected
	Body    int // 64 KiB of each body are kept
}

// journals are those of all sessions: they share the room for their bytes, so
// that however many sessions there are, memory has a bound. What is oldest, of
// whatever session, goes first.
type journals struct {
	mu             sync.Mutex
	limits         JournalLimits
	room           int // bytes that entries may keep
	bytes          int
	oldest, newest *line
	free           *line // to be used again
}

// A journal is that of a session. It is never silently short: what was pushed
// out is counted.
type journal struct {
	all            *journals
	oldest, newest *line
	n              int
	seq            uint64
	evicted        uint64
	news           chan struct{} // closed with the next entry; nil: nobody waits
}

// A line is an entry in the order of its journal, and in that of all.
type line struct {
	Entry
	of             *journal
	next           *line // in its journal
	older, younger *line // of all
}

func (js *journals) limit(l JournalLimits) {
	if l.Entries <= 0 {
		l.Entries = 1000
	}
	if l.Bytes <= 0 {
		l.Bytes = 64 << 20
	}
	if l.Body <= 0 {
		l.Body = 64 << 10
	}
	js.limits, js.room = l, l.Bytes*2/5
}

// add keeps an entry and gives it its number. Bodies beyond the limit are cut.
func (j *journal) add(e *Entry) {
	js := j.all
	e.Cut = len(e.Exchange.Request.Body) > js.limits.Body
	e.AnswerCut = len(e.Exchange.Response.Body) > js.limits.Body
	e.Exchange.Request.Body = js.cut(e.Exchange.Request.Body)
	e.Exchange.Response.Body = js.cut(e.Exchange.Response.Body)
	e.size = sizeOf(e)
	js.mu.Lock()
	defer js.mu.Unlock()
	j.seq++
	e.Seq = j.seq
	for j.n == js.limits.Entries {
		j.evict()
	}
	for js.oldest != nil && js.bytes+e.size > js.room {
		js.oldest.of.evict()
	}
	l := js.free
	if l == nil {
		l = &line{}
	} else {
		js.free = l.next
	}
	*l = line{Entry: *e, of: j, older: js.newest}
	if js.newest != nil {
		js.newest.younger = l
	} else {
		js.oldest = l
	}
	js.newest = l
	if j.newest != nil {
		j.newest.next = l
	} else {
		j.oldest = l
	}
	j.newest = l
	j.n++
	js.bytes += e.size
	if j.news != nil {
		close(j.news)
		j.news = nil
	}
}

// evict drops the oldest entry.
func (j *journal) evict() {
	j.drop()
	j.evicted++
}

func (j *journal) drop() {
	js, l := j.all, j.oldest
	if j.oldest = l.next; j.oldest == nil {
		j.newest = nil
	}
	j.n--
	js.bytes -= l.size
	if l.older != nil {
		l.older.younger = l.younger
	} else {
		js.oldest = l.younger
	}
	if l.younger != nil {
		l.younger.older = l.older
	} else {
		js.newest = l.older
	}
	*l = line{next: js.free}
	js.free = l
}

// clear drops all entries. Numbers go on, and nothing counts as evicted.
func (j *journal) clear() {
	j.all.mu.Lock()
	defer j.all.mu.Unlock()
	for j.oldest != nil {
		j.drop()
	}
	j.evicted = 0
	j.all.free = nil // what is not used again soon is not kept
}

// after is what is still kept of the entries after a number, oldest first, and
// how many were evicted since the journal was empty.
func (j *journal) after(seq uint64) (entries []Entry, evicted uint64) {
	j.all.mu.Lock()
	defer j.all.mu.Unlock()
	for l := j.oldest; l != nil; l = l.next {
		if l.Seq > seq {
			entries = append(entries, l.Entry)
		}
	}
	return entries, j.evicted
}

// A cursor goes through a journal a few entries at a time, so that who takes
// them slowly holds no more than those.
type cursor struct {
	of    *journal
	after uint64 // goes on after this number
	at    *line  // what had it, while it is kept: not to look for it again
}

// next is at most so many of the entries that follow, oldest first, and how many
// of those were evicted. The cursor goes on after them.
func (c *cursor) next(most int) (entries []Entry, lost uint64) {
	j := c.of
	j.all.mu.Lock()
	defer j.all.mu.Unlock()
	seq := c.after
	first := j.seq + 1 // that is still kept
	if j.oldest != nil {
		first = j.oldest.Seq
	}
	if seq+1 < first { // what was dropped by clear was not evicted
		lost = min(j.evicted, first-1-seq)
	}
	c.after = max(seq, j.seq)
	l := j.oldest
	if c.at != nil && c.at.of == j && c.at.Seq == seq { // lines are used again for others
		l = c.at.next
	}
	c.at = nil
	for ; l != nil; l = l.next {
		if l.Seq <= seq {
			continue
		}
		if len(entries) == most {
			c.after = entries[most-1].Seq
			break
		}
		entries, c.at = append(entries, l.Entry), l
	}
	return entries, lost
}

// counts is how many entries are kept, how many were evicted, and the number of
// the newest.
func (j *journal) counts() (kept int, evicted, newest uint64) {
	j.all.mu.Lock()
	defer j.all.mu.Unlock()
	return j.n, j.evicted, j.seq
}

// wake tells who waits for the next entry that none comes.
func (j *journal) wake() {
	j.all.mu.Lock()
	defer j.all.mu.Unlock()
	if j.news != nil {
		close(j.news)
		j.news = nil
	}
}

// changes is closed with the next entry after a number; at once where there is
// one.
func (j *journal) changes(seq uint64) <-chan struct{} {
	j.all.mu.Lock()
	defer j.all.mu.Unlock()
	if j.seq > seq {
		now := make(chan struct{})
		close(now)
		return now
	}
	if j.news == nil {
		j.news = make(chan struct{})
	}
	return j.news
}

// cut keeps the beginning of a body, in memory of its own: a slice of it
// would keep all of it.
func (js *journals) cut(body []byte) []byte {
	if len(body) <= js.limits.Body {
		return body
	}
	return append([]byte(nil), body[:js.limits.Body]...)
}

// sizeOf is about how much memory an entry keeps.
func sizeOf(e *Entry) int {
	const own = 640
	n := own + cap(e.Exchange.Request.Body) + cap(e.Exchange.Response.Body) +
		len(e.Exchange.Request.Path) + len(e.Exchange.Request.Query) + len(e.Exchange.Request.Host) + len(e.URL) + len(e.User)
	for name, values := range e.Exchange.Request.Header {
		n += sizeOfHeader(name, values)
	}
	for _, f := range e.Exchange.Response.Header {
		n += sizeOfHeader(f.Name, f.Values)
	}
	for _, m := range e.NearMisses {
		for _, why := range m.Mismatches {
			n += 160 + len(why.Want) + len(why.Got) + len(why.At)
		}
	}
	for _, v := range e.Violations {
		n += 64 + len(v.At) + len(v.Why) + len(v.Schema)
	}
	for _, at := range e.Changed {
		n += 16 + len(at)
	}
	return n
}

func sizeOfHeader(name string, values []string) int {
	const slot = 80 // of the map, which has more of them than names
	const text = 16 // beside its bytes
	n := len(name) + slot + text*cap(values)
	for _, v := range values {
		n += len(v)
	}
	return n
}
