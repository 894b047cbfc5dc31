// Package scenarios is the language in which oigmock is told what Oracle
// Identity Governance answers: files of YAML, read, matched and written here.
// It opens no socket and has no clock of its own.
//
// # A file
//
// A file has one or more YAML documents, each a scenario: one situation in OIG.
// It has interactions: to such a request, such a response. And it may have
// records: what is remembered between the requests of a session.
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
//	given         a provider state, or {STATE: {NAME: VALUE of a parameter}}, all
//	              of them: it sleeps until they are set
//	records       ADDRESS: VALUE, what is remembered from the beginning
//	interactions  tried from the top; may be absent beside records
//
// of an interaction:
//
//	name      one promise, in words; unique in the file
//	order     first: before the contract is asked and before all others;
//	          last: after all others
//	request   what must arrive; {} is any
//	when      ADDRESS: VALUE, all of them: what must hold besides
//	set       ADDRESS: VALUE, what is remembered from then on
//	response  the answer, or a list of them that are served in turn
//	adds      instead of response: what it names replaces that part of the
//	          answer that some other interaction gives; or a list of such in
//	          turn, {} for nothing
//	then      after the last of a list: loop begins it anew, fail answers 501;
//	          absent: the last one repeats
//	per       ADDRESS: a list is counted apart for each text there; absent:
//	          once for the session
//	chance    10%: it takes part in that share of the requests it matches
//	beyond    10/1m: it takes part only beyond so many requests in a time
//
// of a request, where what is not named may be anything, and may be absent:
//
//	method    VALUE, in capital letters
//	path      as on the wire; {name} is one segment and not empty, {name...} at
//	          the end is the rest, be it empty; or an operator for the whole path
//	params    VALUE over the parameters of the path
//	query     VALUE over an object of texts, and so are header (names in any
//	          case), cookie and form; what is given several times is an array
//	user      VALUE of the caller's login, by password or by token, which has it
//	          in lower case; absent: nobody, a wrong password, a token that is
//	          no longer good or was signed by another mock
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
//	fault     what happens to it on its way: see Faults
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
// In a request, in when and in given a value tests; in a response, in set and
// in records it gives.
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
//	$absent: true    nothing there; in set and records: takes it away
//	$literal: JSON   that JSON, read without operators and templates
//
// Where something is given, they give their example: a response, or the
// request that a matcher makes of itself. $regex, $not, $values and $date take
// one as the option example; $date can do without. $oneOf gives its first.
//
// Those that give, where something is given:
//
//	$for: ADDRESS    an array, one element for each there: give is the element;
//	                 when says for which; set is remembered for each; of cases:
//	                 [{when, set, give}, …] the first that holds is laid over
//	                 the common give, and where none holds there is no element
//	                 and nothing is set; reverse: true
//	$list: ADDRESS   OIG's page of what is there: when, give and cases as above,
//	                 but that nothing is set; as is what the array is called,
//	                 else the last step of the address; links: [bare, self,
//	                 first, next]
//	$merge: [V, …]   one object, later members over earlier ones
//	$pairs: ADDRESS  an object as [{name, value}, …]; only: ADDRESS of a text
//	                 with commas, always: [NAME, …]
//	$object: ADDRESS such pairs as an object; without: RE leaves out those whose
//	                 names it finds, such as passwords
//	$error: TEXT     OIG's error body, with the status of the response; instance
//
// # Addresses
//
// An address is a room and steps: body/tasks/0/id. A step is a member or an
// index; ~1 is a slash in it and ~0 a tilde. {ADDRESS} in a step is the text
// that is found there, one step whatever it holds: body/{query/name}/id, or
// users/{logins/{login}}.
//
//	NAME      a parameter of the path: taskid
//	query/N header/N cookie/N form/N
//	body/…    the JSON
//	user      the caller's login
//	given/N   a parameter of the scenario's provider states
//	item key  in a loop: the element, and its name or index
//	now       the session's clock; now + 50d, now - 2h
//	new       where something is given: a number as text that is the name of
//	          nothing the session remembers or remembered; one for each
//	          interaction, and one for each element of a loop
//	let/NAME  what set has put there for this answer, and is forgotten with it
//	token     where something is given: a JWT signed for the caller, good for 30
//	          minutes by the session's clock; nothing where nobody is signed in
//	self url  this request's address without query; the mock's base address:
//	          both by the name by which the client called, whatever it is
//	ROOM/…    any other name: records
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
// # Records
//
// A session remembers one tree of JSON. Files seed it (records), interactions
// ask it (when) and change it (set), and answers are made from it. when and set
// are the same sentence, ADDRESS: VALUE: the one asks that it is so, the other
// makes it so.
//
//	records:
//	  tasks:
//	    "1006": {Objects.Name: Laptop, Status.Category: Rejected}
//
//	interactions:
//	  - name: a rejected task is retried
//	    request:
//	      method: PUT
//	      path: /iam/governance/selfservice/api/v1/provtasks/{taskid}
//	      body: {action: {$anycase: retry}}
//	    when:
//	      tasks/{taskid}: {Status.Category: Rejected}
//	    set:
//	      tasks/{taskid}: {Status.Category: Pending}
//	    response:
//	      status: 200
//	      body: {id: "{{ taskid }}", status: SUCCESS}
//	  - name: there is no such task
//	    request: {path: "/iam/governance/selfservice/api/v1/provtasks/{taskid}"}
//	    when:
//	      tasks/{taskid}: {$absent: true}
//	    response: {status: 404, body: {$error: Requested entity not found}}
//
// In set, objects merge, at every depth; all else takes the place of what was
// there, arrays and null too. {$absent: true} takes away, be it a whole record
// or a member; what it was in stays, even when that is empty then. A member
// whose template finds nothing is passed over. Objects are made on the way; in
// an array a step is the index of an element, or its length to append one.
// history/{taskid}/{new} is one more entry of many.
//
// A room of records is any name that is no other room: letters, digits, - _ .
// : and @. One that no file seeds is a fault of the check, so that a slip of the
// pen in when is not an interaction that never answers.
//
// Records are seeded when a session begins, from all scenarios that are awake;
// where two seed one place, the earlier in the order of precedence counts. There
// is no request then: the rooms of it are faults. What a file that is added to a
// session seeds is set when it is added. now is the session's clock at that moment:
// one that is moved later leaves what was seeded as it is.
//
// What is set in the room let is no record: it gives a name to what one answer is
// made of, and is forgotten with the answer. So a request that only reads changes
// nothing. A list of what some records show, filtered by that and not by what is
// remembered:
//
//	set:
//	  let/shown: {$for: tasks, give: {id: "{{ key }}", state: "{{ item/Status.Category | upper }}"}}
//	response: {status: 200, body: {$list: let/shown, as: tasks, give: "{{ item }}"}}
//
// # Provider states
//
// A scenario with given sleeps: its interactions answer nothing and its records
// are not there, until all its states are set with parameters that it takes.
// Then its records are set, with now as it is then; and again whenever a state of
// it is set again. When a state is taken back the scenario sleeps again, and what
// it seeded stays.
//
//	scenario: A user is there
//	source: assumed
//	given: {a user is there: {id: {$like: "42"}}}
//	records:
//	  users/{given/id}: {User Login: "{{ given/login | default KLEE }}"}
//
// Of parameters that are not named any value will do, and none; a state alone, or
// with {}, asks nothing of them. They are compared with what stands in the file:
// templates are not filled in there. Of two states of a scenario with a parameter
// of the same name the later key counts.
//
// # In turn, by chance, in excess
//
// Of a list of answers each call is served the next. The calls of a session are
// counted, apart for each text at per: per: taskid is a list for each task. What
// counts is that the interaction answers, or adds, and not what comes of it. All
// counts of a session take up to 100,000 values, and so many texts per can tell
// apart at most; beyond them the answer fails. then: fail after a list of one
// answer gives that once.
//
// chance takes part in that share of the requests that the interaction matches,
// more than 0% and up to 100%. Which ones, the seed tells that is printed at
// start; with the same seed and the same requests they are the same again.
//
// beyond: 10/1m takes part from the 11th matching request within a minute that
// begins with the first; the first one after the minute begins another. So
// Too Many Requests is {adds: {status: 429}, beyond: 10/1m}. Both are counted for
// each session, by its clock. Where both stand, chance is drawn of those beyond.
//
// # Faults
//
// The key fault of a response, or of adds:
//
//	reset               the connection ends with an RST, and nothing went out
//	close               it is closed, and nothing went out
//	hang                nothing comes, for 5 minutes or until the client goes
//	garbage             bytes that are no HTTP
//	malformed-chunk     half of the body, then a chunk whose length is no number
//	wrong-content-type  the body is called HTML, which it is not
//	maintenance         the HTML page of a front end instead, with 503
//	{reset: BYTES}      status, headers and so many bytes of the body, then RST
//	{close: BYTES}      the same, then closed; the length was not told
//	{truncate: BYTES}   the same, and Content-Length tells the whole
//	{dribble: {chunks: 5, over: 2s}}  the body in pieces, over a time
//	{bandwidth: 16KiB/s}              the body at so many bytes a second
//
// BYTES are 100, 16KiB or 1MiB. Chunks are up to 1,000, over 10 minutes at most.
// A delay comes before the fault. What is set is set, whatever arrives. A response
// names its status all the same.
//
// # Lists
//
// $list is a loop over an array or an object that gives OIG's envelope: links,
// count, hasMore, totalResult (always -1, as the real one says) and the array. It
// is given where nothing is, too, with an empty array.
//
//	body:
//	  $list: tasks
//	  when: {item: {assignee: "{{ user }}"}}
//	  give: {id: "{{ key }}", fields: {$pairs: item}}
//
// It reads three parameters of the query: offset, from 1; limit, up to 10,000, 10
// where it is not given; and q. An offset or limit that is no number is as good as
// none. links are self, first and next, next only where more follows; bare is
// another self, without a query.
//
// Of cases the first that holds is given, and where none does there is no such
// element in the list, on this page or another. To read a list sets nothing: set
// is for $for alone.
//
// q is NAME OP VALUE, or several with AND and or between, of which AND binds
// closer. OP is eq, ne, sw (starts with) or co (contains). Words and values are in
// any letter case, names are not. :: is a blank, and a value may stand in double
// quotes. NAME is a member of the element as it stands; else its dots are steps;
// else it is the name of one of its fields, [{name, value}, …]. All are compared as
// texts. Of what is not there only ne holds. Another q, or one with parentheses,
// fails the answer.
//
// # Precedence
//
// Interactions with order: first come before the contract is asked, then
// ordinary ones, then those with order: last. Among equals, what was added to
// the session comes first, the latest before all; then a later source of
// --scenarios before an earlier one; then the order of the files' names, then
// from the top. The first without a mismatch that takes part answers. What adds
// stands outside: all that match are laid over the answer, and of two that name
// the same part the earlier wins.
//
// Within an interaction, request and when see the records as they were before;
// then its sentences are set, one after the other; then the response is made, and
// sees what was set. In a loop each element does so in its turn, and sees what
// those before it set; what it goes over is what there was when it began. What
// adds sees what the answer set. If anything fails, a template or a limit, nothing
// of the request is set. All changes of a request come at once, with the entry in
// the journal, before the first byte of the answer.
//
// # Limits
//
// Of a file: 1 MiB, 64 levels, 100,000 keys and values, 10,000 members in one
// object, 100,000 members of cases with the common give; anchors, aliases, merges
// and tags are refused. Of the name of an interaction: 500 bytes. Of a pattern:
// 1,000 bytes, 10,000 steps, and 64 KiB of text to look in. Of a path: 16
// parameters, 64 segments. Of a library: 20,000 files, 200,000 interactions. Of a
// file in a response: 16 MiB, and of all such files of a library 256 MiB, each
// counted once. Of a delay: 10 minutes. Loops of one answer make 20,000 elements
// together. Of what a session remembers: 16 MiB as JSON, 100,000 values, 10,000
// members in one object, 64 levels. Of a q: 4 KiB, 50 terms. And each request has
// a budget of work, spent by all that is compared, made and set for it; beyond it
// nothing matches, and no answer is made.
//
// # Traps
//
//   - Unquoted, 2016-02-21 is a date to YAML, 05126 an octal number, and of a
//     number with more than 15 digits many readers lose some. In a body these
//     are faults; quote them.
//   - A template needs quotes: id: "{{ taskid }}".
//   - Within {…} so does a text with braces: {path: "/x/{id}"}.
//   - A 404 for all that is left hides mistakes: the second retry of a task would
//     say that it is not there. Let it ask that the record is absent.
//   - Keys of records are texts: "1006" needs its quotes.
//   - set merges: a member that is not named stays. {$absent: true} takes it away.
//   - $not accepts absence. To ask for something else that is there, say
//     {$allOf: [{$any: x}, {$not: y}]}.
//   - A pattern is found anywhere in a text unless ^ and $ anchor it.
//
// # What may change
//
// The language and the package change by addition, but for what inspect.go
// exports (Fact, Demand, Staged and what gives them): it serves oigmock check and
// follows the binary.
package scenarios
