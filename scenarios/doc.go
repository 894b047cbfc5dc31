// Package scenarios is the language in which oigmock is told what Oracle
// Identity Governance answers: files of YAML, read, matched and written here.
// It opens no socket and has no clock of its own.
//
// # A file
//
// A file has one or more YAML documents, each a scenario: one situation in OIG.
// It has interactions: to such a request, such a response.
//
//	scenario: A provisioning task is updated
//	source: printed
//	from: "Oracle REST API for Self Service, Update provisioning task"
//	releases: [11.1.2.3]
//
//	interactions:
//	  - name: the note of task 5126 is changed
//	    request:
//	      method: PUT
//	      path: /iam/governance/selfservice/api/v1/provtasks/{taskid}
//	      params: {taskid: 5126}
//	      body:
//	        id: "5126"
//	        fields: {$each: {name: {$like: Note}, value: {$any: a note}}}
//	    response:
//	      status: 200
//	      body: {id: "{{ taskid }}", status: OK, assignee: System Administrator}
//
// The keys of a scenario:
//
//	scenario      its title
//	source        printed, derived, assumed or recorded
//	from          where that is to be found, in words
//	releases      the releases in which it holds; absent: all
//	interactions  tried from the top
//
// of an interaction:
//
//	name      one promise, in words; unique in the file
//	order     first: before the contract is asked and before all others;
//	          last: after all others
//	request   what must arrive; {} is any
//	when      ADDRESS: VALUE, all of them: what must hold besides
//	response  the answer
//	adds      instead of response: what it names replaces that part of the
//	          answer that some other interaction gives
//
// of a request, where what is not named may be anything, and may be absent:
//
//	method    VALUE, in capital letters
//	path      as on the wire; {name} is one segment and not empty, {name...} at
//	          the end is the rest, be it empty; or an operator for the whole path
//	params    VALUE over the parameters of the path
//	query     VALUE over an object of texts, and so are header (names in any
//	          case), cookie and form; what is given several times is an array
//	user      VALUE of the caller's login; absent: nobody, or a wrong password
//	body      VALUE over the JSON
//	text      VALUE over any other body
//	payload   invalid: answers what breaks the contract; any: does not care;
//	          absent: answers what is valid
//
// of a response, and of adds:
//
//	status    200 to 599, or a template
//	header    name: VALUE, or a list of them
//	body      JSON; or text; or file, whose bytes it is, below this one's folder
//	delay     200ms, {uniform: [100ms, 1s]} or
//	          {lognormal: {median: 80ms, sigma: 0.4, max: 5s}}
//
// # Values
//
// A plain value means itself. "5126" is a text and 5126 a number; numbers are
// compared as decimals, so that 1.0 is 1, and given as they are written. An
// object may have more members than are named, an array has exactly the
// elements that are named: {} is any object, [] the empty array. A member that
// is null is there.
//
// On the wire (path, query, header, cookie, form) all is text: 5126 means
// "5126", while $like, $number and $date read the text. The media type in
// Content-Type is compared as one: letters in any case, and only parameters
// that are named.
//
// In a request and in when a value tests; in a response it gives.
//
// # Operators
//
// An operator is a mapping with one key that begins with $, and options beside
// it, without $. Those that test, and what they accept:
//
//	$like: V         the same shape: of scalars only the type
//	$any: EXAMPLE    whatever is there, null too
//	$regex: RE       a text in which RE2 finds it; ^ and $ anchor
//	$anycase: TEXT   the same text in upper or lower case
//	$number: EXAMPLE a number; min, max, integer: true
//	$date: FORMAT    a text that is such a date: dd-MMM-yy, iso, java, epoch or
//	                 another pattern in Java's letters; after (exclusive) and
//	                 until (inclusive) are dates, now, or now + 50d; they are
//	                 compared by days where the format has no hours, in UTC
//	$oneOf: [V, …]   what one of them accepts
//	$allOf: [V, …]   what all of them accept
//	$not: V          what V does not accept; also absence
//	$each: V         an array, each element V; min, max
//	$contains: [V, …]  an array with an element of its own for each V, in any
//	                 order, perhaps with more
//	$values: V       an object, each member V; keys: V for their names
//	$exactly: V      V and nothing more at any depth: no other members and,
//	                 around $contains, no other elements
//	$absent: true    nothing there
//	$literal: JSON   that JSON, read without operators and templates
//
// Where something is given, they give their example: a response, or the
// request that a matcher makes of itself. $regex, $not, $values and $date take
// one as the option example; $date can do without. $oneOf gives its first.
//
// Those that give, in responses only:
//
//	$for: ADDRESS    an array, one element for each there: give is the element;
//	                 when says for which; of cases: [{when, give}, …] the first
//	                 that holds is laid over the common give, and where none
//	                 holds there is no element; reverse: true
//	$merge: [V, …]   one object, later members over earlier ones
//	$pairs: ADDRESS  an object as [{name, value}, …]; only: ADDRESS of a text
//	                 with commas, always: [NAME, …]
//	$object: ADDRESS such pairs as an object
//	$error: TEXT     OIG's error body, with the status of the response; instance
//
// # Addresses
//
// An address is a room and steps: body/tasks/0/id. A step is a member or an
// index; ~1 is a slash in it and ~0 a tilde. {ADDRESS} in a step is the text
// that is found there, one step whatever it holds: body/{query/name}/id.
//
//	NAME      a parameter of the path: taskid
//	query/N header/N cookie/N form/N
//	body/…    the JSON
//	user      the caller's login
//	item key  in a loop: the element, and its name or index
//	now       the time, as the clock says; now + 50d, now - 2h
//	self url  this request's address without query; the mock's base address:
//	          both by the name by which the client called, whatever it is
//
// # Templates
//
// {{ ADDRESS | FUNCTION ARGUMENT | … }} stands in any text. Alone in its text
// it is the value that is found, number, object or list, and where nothing is
// the member is left out. Within a longer text it is text, and where nothing
// is and no default stands the answer fails. In a request a template is filled
// in from the same request, then compared. The functions:
//
//	date FORMAT         writes a time, or a text that is a date of any of the
//	                    usual formats; other text stays as it is
//	default TEXT        where nothing is
//	lower, upper, text
//	number              a text as a number
//	escape              for a URL
//	uuid, hex           32 digits made of what is given, the same each time
//
// # Precedence
//
// Interactions with order: first come before the contract is asked, then
// ordinary ones, then those with order: last. Among equals, a later source of
// --scenarios comes before an earlier one; then the order of the files' names,
// then from the top. The first without a mismatch answers. What adds stands
// outside: all that match are laid over the answer, and of two that name the
// same part the earlier wins.
//
// # Limits
//
// Of a file: 1 MiB, 64 levels, 100,000 keys and values; anchors, aliases,
// merges and tags are refused. Of a pattern: 1,000 bytes, 10,000 steps, and
// 64 KiB of text to look in. Of a path: 16 parameters, 64 segments. Of a
// library: 20,000 files, 200,000 interactions. Of a file in a response: 16 MiB,
// and of all such files of a library 256 MiB, each counted once. Of a delay: 10
// minutes. Loops of one answer make 20,000 elements together. And each request
// has a budget of work, spent by all that is compared and made for it; beyond
// it nothing matches.
//
// # Traps
//
//   - Unquoted, 2016-02-21 is a date to YAML, 05126 an octal number, and of a
//     number with more than 15 digits many readers lose some. In a body these
//     are faults; quote them.
//   - A template needs quotes: id: "{{ taskid }}".
//   - Within {…} so does a text with braces: {path: "/x/{id}"}.
//   - A 404 for all that is left hides mistakes: let it ask for what makes the
//     thing unknown.
//   - $not accepts absence. To ask for something else that is there, say
//     {$allOf: [{$any: x}, {$not: y}]}.
//   - A pattern is found anywhere in a text unless ^ and $ anchor it.
package scenarios
