// Package payload is JSON as it travels: screened in one pass into a flat table
// of nodes, with spelling and key order kept; and dates in the forms that OIG
// writes.
//
// Scenarios match only what was screened, and schemas check only what was
// screened, so both stand on this package: a body is read once, and nobody
// further on meets a duplicate member, a lone surrogate or a number of a million
// digits.
//
// What may surprise:
//
//   - [Scan] is stricter than encoding/json and refuses more than RFC 8259 asks
//     for. Its limits are the constants of this package.
//   - Numbers keep their spelling. [EqualNumbers] says whether 1.0 is 1; nothing
//     here ever makes a float of a number.
//   - A [Value] points into the bytes that were scanned. They must not change
//     while a Value or a text taken from it is in use.
//   - Texts from a query or a header are Values too, made by [Text]. They know
//     where they come from ([Value.Wire]), since there a number can only be
//     written as text.
package payload

// Kind is what a [Value] is.
type Kind uint8

// Absent is the kind of a place where nothing stands; the others are JSON's own.
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

var kindNames = [...]string{"nothing", "null", "boolean", "number", "string", "array", "object"}

// String names the kind as JSON does: "null", "boolean" and so on; "nothing" for Absent.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// The limits of what [Scan] takes.
const (
	MaxDepth    = 128     // arrays and objects inside each other
	MaxDigits   = 64      // of one number, its exponent's among them
	MaxExponent = 400     // of a number, up and down
	MaxValues   = 100_000 // in one document
	MaxMembers  = 10_000  // of one object

	maxSource = 1 << 30 // bytes; offsets are kept in 32 bits
)
