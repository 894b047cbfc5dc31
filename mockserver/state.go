package mockserver

import (
	"sync"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
)

// An Entry is one line of the journal. It holds names, not pointers to what
// answered: it travels.
type Entry struct {
	Seq                   uint64
	Exchange              scenarios.Exchange
	Outcome               Outcome
	Operation             string // "PUT /a/{b}"; "" outside the contract
	Scenario, Interaction string // "" when nothing answered
	Violations            []schemas.Violation
	NearMisses            []NearMiss

	size int
}

// JournalLimits bound the journal. Zero values are the defaults.
type JournalLimits struct {
	Entries int // 1,000
	Bytes   int // 64 MiB, bodies and headers included
	Body    int // 64 KiB of each body are kept
}

// A journal keeps the newest entries in a ring. It is never silently short:
// what was pushed out is counted.
type journal struct {
	mu      sync.Mutex
	limits  JournalLimits
	ring    []Entry
	first   int // of the oldest
	n       int
	bytes   int
	seq     uint64
	evicted uint64
}

func (j *journal) limit(l JournalLimits) {
	if l.Entries <= 0 {
		l.Entries = 1000
	}
	if l.Bytes <= 0 {
		l.Bytes = 64 << 20
	}
	if l.Body <= 0 {
		l.Body = 64 << 10
	}
	j.limits = l
	j.ring = make([]Entry, min(l.Entries, 64))
}

// add keeps an entry and gives it its number. Bodies beyond the limit are cut.
func (j *journal) add(e Entry) uint64 {
	e.Exchange.Request.Body = j.cut(e.Exchange.Request.Body)
	e.Exchange.Response.Body = j.cut(e.Exchange.Response.Body)
	e.size = sizeOf(&e)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seq++
	e.Seq = j.seq
	for j.n > 0 && (j.n == j.limits.Entries || j.bytes+e.size > j.limits.Bytes) {
		j.bytes -= j.ring[j.first].size
		j.ring[j.first] = Entry{}
		j.first = (j.first + 1) % len(j.ring)
		j.n--
		j.evicted++
	}
	if j.n == len(j.ring) {
		larger := make([]Entry, min(2*len(j.ring), j.limits.Entries))
		copied := copy(larger, j.ring[j.first:])
		copy(larger[copied:], j.ring[:j.first])
		j.ring, j.first = larger, 0
	}
	j.ring[(j.first+j.n)%len(j.ring)] = e
	j.n++
	j.bytes += e.size
	return e.Seq
}

// cut keeps the beginning of a body, in memory of its own: a slice of it
// would keep all of it.
func (j *journal) cut(body []byte) []byte {
	if len(body) <= j.limits.Body {
		return body
	}
	return append([]byte(nil), body[:j.limits.Body]...)
}

// sizeOf is about how much memory an entry keeps.
func sizeOf(e *Entry) int {
	const own = 512
	n := own + cap(e.Exchange.Request.Body) + cap(e.Exchange.Response.Body) +
		len(e.Exchange.Request.Path) + len(e.Exchange.Request.Query) + len(e.Exchange.Request.Host)
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

// Journal is what is still kept of the entries after a number, oldest first,
// and how many were evicted since the start.
func (s *Server) Journal(after uint64) (entries []Entry, evicted uint64) {
	j := &s.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range j.n {
		if e := &j.ring[(j.first+i)%len(j.ring)]; e.Seq > after {
			entries = append(entries, *e)
		}
	}
	return entries, j.evicted
}
