// Package schemas is the contract: the operations of Oracle Identity
// Governance and the JSON Schema of every payload.
//
// There is no index to keep in step: a file says in x-operation which
// operation it belongs to, and its name says which side of it,
//
//	provtasks/update.request.json       what is sent
//	provtasks/update.response.json      what any 2xx answer holds
//	provtasks/update.response.404.json  what an answer of exactly that status holds
//
// and x-releases says in which releases that holds; a file without it holds in
// all of them. The file of a response may tell two things more of its
// operation: what it rests on in each release,
//
//	"x-source": {"11.1.2.3": "printed", "12.2.1.4": "derived"}
//
// and the documented statuses, "x-statuses": [200, 401, 404, 500]. Files without x-operation, such as common.json, are only there
// to be referred to. Another operation is two more files and no Go.
//
// The files are plain JSON Schema 2020-12, so that other languages can use them
// as they stand, but for the formats: to those of the standard come the date
// forms of package payload, and all of them are asserted. What a validator
// would silently ignore (an unknown keyword or format, an empty enum, a
// reference to nowhere) is a fault with its line when the files are loaded.
// Nothing is ever fetched, neither from a file outside the set nor from the net.
// Some of JSON Schema is refused on purpose: $id, anchors and dynamic
// references, since a file name and a JSON pointer say all of it; the content
// keywords, which nothing would check; and schemas that contain themselves.
//
// What Oracle prints a member with stands in its examples: nothing is checked
// by them, but releases are compared by the words among them.
//
// Violations never quote a value of the payload, because payloads hold
// secrets and violations travel to logs. They do name members.
package schemas

import (
	"embed"
	"fmt"
	"go/scanner"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/oigmock/oigmock/schemas/didyoumean"
	"github.com/oigmock/oigmock/schemas/payload"
)

//go:embed common.json */*.json
var embedded embed.FS

// A Contract is a set of operations with the schemas of their payloads. It
// never changes after it is loaded.
type Contract struct {
	operations []*Operation
	warnings   scanner.ErrorList
}

// UsualRelease is what is meant where nobody says which: that of the calls which
// Oracle prints in full.
const UsualRelease = "11.1.2.3"

// embeddedFiles are read once, for all releases; that they can be is tested.
var embeddedFiles = sync.OnceValue(func() *loader { return read(embedded, "schemas") })

var embeddedReleases = sync.OnceValue(func() []string { return embeddedFiles().releases() })

// Releases lists the releases of which the embedded contract knows an
// operation, oldest first.
func Releases() []string {
	return slices.Clone(embeddedReleases())
}

// OIG returns the embedded contract of one release, or of all when release is "".
func OIG(release string) (*Contract, error) {
	if known := embeddedReleases(); release != "" && !slices.Contains(known, release) {
		return nil, fmt.Errorf("unknown release %q%s; known: %s", release, didyoumean.Hint(release, known), strings.Join(known, ", "))
	}
	c, err := embeddedFiles().contract(release)
	if err != nil {
		return nil, fmt.Errorf("reading the embedded contract: %w", err)
	}
	return c, nil
}

// Load reads all *.json files below fsys, but for those in folders whose names
// begin with a dot or are "testdata", and for *.schema.json at the top, which
// describe files and not payloads. Positions are prefixed with dir.
//
// A release narrows the contract to what holds in it. With "" it holds what
// any release has, and a payload passes that one of them would take.
//
// The error is a [scanner.ErrorList] of all faults of all files, sorted.
func Load(fsys fs.FS, dir, release string) (*Contract, error) {
	return read(fsys, dir).contract(release)
}

// contract makes the contract of a release of the files that were read. They
// may serve for others besides.
func (of *loader) contract(release string) (*Contract, error) {
	l := &loader{dir: of.dir, files: of.files, names: of.names, faults: slices.Clone(of.faults), warnings: slices.Clone(of.warnings)}
	if len(l.faults) == 0 {
		l.compile(release)
	}
	if len(l.faults) > 0 {
		l.faults.Sort()
		return nil, l.faults
	}
	l.warnings.Sort()
	return &Contract{operations: l.operations, warnings: l.warnings}, nil
}

// Operations lists the operations, sorted by path, then method.
func (c *Contract) Operations() []*Operation { return slices.Clone(c.operations) }

// Operation returns the operation with that method and path template, as
// written in the files, or nil.
func (c *Contract) Operation(method, path string) *Operation {
	for _, o := range c.operations {
		if o.Method == method && o.Path == path {
			return o
		}
	}
	return nil
}

// Warnings lists what is allowed and yet looks like a mistake, such as a schema
// that accepts anything.
func (c *Contract) Warnings() scanner.ErrorList { return slices.Clone(c.warnings) }

// An Operation is a method and a path template. A nil Operation has no
// objections to anything. Its checks may run concurrently.
type Operation struct {
	Method string
	Path   string // a template; {name} stands for one segment
	Title  string // from the title of its files, "" if they have none

	Source   string // what it rests on in the release that was loaded: Printed, Derived, Assumed; "" where no file says
	Statuses []int  // that are documented for it, in order; none where no file says

	requests  []*payloadSchema         // one for each group of releases, newest first
	responses map[int][]*payloadSchema // by status; 0 is for any 2xx
}

// What an operation, or a scenario, rests on.
const (
	Printed = "printed" // Oracle's documentation of that release shows it
	Derived = "derived" // that of the nearest release does
	Assumed = "assumed" // none does
)

// TakesBody tells whether the contract describes a request body.
func (o *Operation) TakesBody() bool { return o != nil && len(o.requests) > 0 }

// RequestSchema is the file that describes the request body, "" if none does.
func (o *Operation) RequestSchema() string {
	if !o.TakesBody() {
		return ""
	}
	return o.requests[0].file
}

// CheckRequest lists what is wrong with the body of a request, sorted, at most
// 21 entries long; the last then tells how many more there are. It is empty
// when all is well, and when the contract says nothing about the body. A body
// with far more values than any real one is refused unjudged; the one violation
// is then Costly.
func (o *Operation) CheckRequest(body payload.Value) []Violation {
	if o == nil {
		return nil
	}
	return check(o.requests, body)
}

// CheckResponse does the same for a response. The schema of exactly that status
// counts; without one, the general schema for 2xx.
func (o *Operation) CheckResponse(status int, body payload.Value) []Violation {
	if o == nil {
		return nil
	}
	return check(o.responseSchemas(status), body)
}

func (o *Operation) responseSchemas(status int) []*payloadSchema {
	if o == nil {
		return nil
	}
	schemas := o.responses[status]
	if schemas == nil && status >= 200 && status <= 299 {
		schemas = o.responses[0]
	}
	return schemas
}
