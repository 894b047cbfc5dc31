package scenarios

import (
	"go/token"
	"slices"
	"strconv"
	"time"

	"github.com/oigmock/oigmock/schemas/payload"
)

// Limits of what is loaded. A file beyond them is a fault at its first line
// that is too much.
const (
	MaxFile         = 1 << 20   // bytes of a scenario file
	MaxBodyFile     = 16 << 20  // bytes of a file that a response names
	MaxBodyFiles    = 256 << 20 // bytes of all such files in a library, each counted once
	MaxDepth        = 64        // nesting within a file
	MaxNodes        = 100_000   // keys and values in a file
	MaxFiles        = 20_000    // files in a library
	MaxInteractions = 200_000   // interactions in a library
	MaxDelay        = 10 * time.Minute
	MaxAnswer       = 16 << 20 // bytes of a body that is made for a request
	maxName         = 500      // bytes of the name of an interaction: it travels in a header
	maxPattern      = 1000     // bytes of a regular expression
	maxProgram      = 10_000   // steps that it unfolds into
	maxMisses       = 50       // mismatches told of one interaction
)

// A Scenario is one situation in OIG: a YAML document. What Parse returns is
// shared by all requests; it is not to be changed.
type Scenario struct {
	Name         string          // the file's path without ".yaml"; a second document is name:2
	File         string          // the same without ":2": what is added and removed as a whole
	Origin       string          // where the file was loaded from: "library", a folder; "" when unknown
	Title        string          // the key "scenario"
	Source       string          // "printed", "derived", "assumed" or "recorded"
	From         string          // where that is to be found, in words
	Releases     []string        // the releases in which it holds; none: in all
	Given        []ProviderState // it sleeps until all of them are set; none: it is awake
	Records      []Sentence      // what it seeds
	Interactions []*Interaction
	Pos          token.Position

	text  []byte // its document as it stands in the file; nil when built in Go
	rooms []RecordRoom
}

// A ProviderState is a named precondition, Pact's given.
type ProviderState struct {
	Name   string
	Params *Value // what its parameters must be; nil: anything
	Pos    token.Position
}

// A RecordRoom is a place of a file that names a room of records: the first
// step of an address.
type RecordRoom struct {
	Name string
	Pos  token.Position
}

// RecordRooms are the places of the file, from the top, that name a room of
// records without seeding it.
func (s *Scenario) RecordRooms() []RecordRoom { return s.rooms }

// Holds reports whether the scenario holds in a release. "" is any release.
func (s *Scenario) Holds(release string) bool {
	return release == "" || len(s.Releases) == 0 || slices.Contains(s.Releases, release)
}

// An Interaction is one promise of the contract: to such a request, such a
// response.
type Interaction struct {
	Name      string // one promise, in words; unique in its file
	Order     Order
	Request   RequestMatcher
	When      []Sentence          // what must hold besides the request
	Set       []Sentence          // what holds from then on
	Responses []*ResponseTemplate // the answer, or several that are served in turn
	Adds      bool                // they replace parts of whatever answers, instead of answering
	Then      Then                // what comes after the last of several
	Per       *Address            // several are counted for each value there; nil: for the session
	Chance    float64             // it takes part in that share of the requests it matches; 0: in all
	Beyond    *Rate               // it takes part only beyond that; nil: always
	Pos       token.Position

	of *Scenario
}

// Then says what a list of responses serves after its last.
type Then uint8

const (
	Repeat Then = iota // the last again
	Loop               // from the first
	Fail               // nothing: it is a failure to ask again
)

func (t Then) String() string { return [...]string{"", "loop", "fail"}[t] }

// A Rate is so many requests in a time.
type Rate struct {
	Requests int
	In       time.Duration
}

func (r Rate) String() string { return strconv.Itoa(r.Requests) + "/" + FormatDuration(r.In) }

// Order says when an interaction is tried.
type Order uint8

const (
	Ordinary Order = iota
	First          // before the contract is asked and before all others
	Last           // after all others
)

func (o Order) String() string { return [...]string{"", "first", "last"}[o] }

// A Sentence says of an address what is there, or what shall be.
type Sentence struct {
	At    Address
	Value *Value
	Pos   token.Position // of the address
}

// Env is what a match or a template may know besides the request.
type Env struct {
	Now     time.Time                // what now means
	URL     string                   // the mock's own base URL, without a slash at the end
	User    string                   // who calls; "" for nobody
	Records Tree                     // what the session remembers
	Given   map[string]payload.Value // the provider states that are set, with their parameters

	// Token signs a token for somebody, as good from now on. nil: there is nobody
	// to ask, and an example stands in its place.
	Token func(user string, now time.Time) (string, error)
}

// A scope is what matching or rendering for one request knows, and what it
// has used up. One serves all interactions that are tried for a request.
type scope struct {
	env    Env
	req    *Request
	params [maxParams]string // values of the path parameters, by index
	named  []string          // their names

	tree    Tree     // the records, with what was set so far
	let     Tree     // what is set for this answer alone
	changed []string // the addresses that were set
	looked  []string // the rooms of records that were looked at
	fresh   string   // what new is to this interaction or element; "" until it is asked for
	signed  string   // the caller's token; "" until it is asked for
	of      *Scenario

	item payload.Value // in a loop
	key  payload.Value

	mode   mode
	n      int // mismatches so far
	list   []Mismatch
	room   string // where the value that is looked at comes from
	at     []step
	strict bool // within $exactly
	like   bool // within $like
	hidden int  // within pairs of a secret

	dynamic bool   // something of the request, or the time, was used
	timed   bool   // the time was
	status  int    // of the response that is rendered
	err     *Fault // the first template that could not be filled in
	work    int    // steps of work left
}

// begin makes it that of another request. It does so field by field, since a
// scope is large and would be copied twice: that is a tenth of what a hit costs.
// params are stale then, and named says how many of them are read.
func (s *scope) begin(r *Request, env Env, work int) {
	s.env, s.req, s.named, s.of = env, r, nil, nil
	s.tree, s.changed, s.looked, s.fresh = env.Records, nil, s.looked[:0], ""
	s.let, s.signed = Tree{}, ""
	s.item, s.key = payload.Value{}, payload.Value{}
	s.mode, s.n, s.list, s.room, s.at = stopAtFirst, 0, s.list[:0], "", s.at[:0]
	s.strict, s.like, s.hidden = false, false, 0
	s.dynamic, s.timed, s.status, s.err, s.work = false, false, 0, nil, work
}

// work is measured in steps of up to about 50 ns, so that no request costs
// more than about a fifth of a second, whatever the files and bodies hold.
const allWork = 4_000_000

type mode uint8

const (
	stopAtFirst mode = iota // is it such a request?
	countAll                // how far off is it?
	inWords                 // why is it not?
)

// spend takes steps from the budget and reports whether any are left.
func (s *scope) spend(steps int) bool {
	s.work -= steps
	return s.work > 0
}

// now is the time. Whatever uses it depends on when it is made.
func (s *scope) now() time.Time {
	s.dynamic, s.timed = true, true
	return s.env.Now
}

func (s *scope) done() bool { return s.mode == stopAtFirst && s.n > 0 }

// A Fault is a scenario's failure to render: a template that found nothing,
// a number that is none. Pos is the line to edit.
type Fault struct {
	Pos   token.Position
	Why   string
	Query bool // it is the query of the request that cannot be read, and no fault of the file
}

func (f *Fault) Error() string { return f.Pos.String() + ": " + f.Why }
