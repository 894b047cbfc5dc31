package schemas

import (
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/oigmock/oigmock/schemas/didyoumean"
	"github.com/oigmock/oigmock/schemas/payload"
)

const (
	maxPattern = 1 << 10 // bytes
	maxProgram = 10_000  // instructions it is compiled to
	maxNames   = 1000    // in one list
	maxCount   = 1 << 31 // of minLength and the like; the validator would overflow
)

// A node is one schema within a file, or within another schema.
type node struct {
	file    *file
	pointer string
	v       payload.Value

	// Which schemas look at what, besides this one: at the same value; at any
	// one member or item of it; at a member or item that no other of these
	// looks at.
	same, each, one []*node
	refs            []*reference

	asserts        bool // something, other than by references and allOf
	here, below    int  // see weigh
	begun, weighed bool

	// The schemas of one by what they look at; see affords.
	members map[string]*node
	items   []*node // the last for all others
	others  *node   // members
	naming  *node   // looks at the names of the members

	work workload
}

// A keyword is what a member of a schema must look like.
type keyword int

const (
	anything     keyword = iota // any value that says nothing
	comment                     // a string that says nothing
	commentYesNo                // a boolean that says nothing
	commentList                 // an array that says nothing
	yesNo                       // true or false
	count                       // 0, 1, 2, …
	number                      // a number
	factor                      // a number above 0
	names                       // different strings
	namesByName                 // an object of them
	types                       // a name of a type, or several
	constant                    // any value
	enum                        // an array of values
	pattern                     // a regular expression
	format                      // a known name
	refersTo                    // $ref
	onlyAtTop                   // looked at by annotations
	definitions                 // schemas by name that look at nothing
	schemaSame                  // a schema; for Same, Each and One see node
	schemasSame                 // an array of schemas
	schemaEach                  // a schema
	schemaOne                   // a schema
	schemasOne                  // an array of schemas
	byNameSame                  // schemas by the name of a member
	byNameOne                   // schemas by the name of a member
	byPattern                   // schemas by regular expression
)

// keywords are those of 2020-12 that the validator asserts, and the comments.
var keywords = map[string]keyword{
	"$schema": onlyAtTop, "x-operation": onlyAtTop, "x-releases": onlyAtTop, "x-source": onlyAtTop, "x-statuses": onlyAtTop,
	"$comment": comment, "title": comment, "description": comment,
	"deprecated": commentYesNo, "readOnly": commentYesNo, "writeOnly": commentYesNo,
	"default": anything, "examples": commentList,
	"$ref": refersTo, "$defs": definitions,

	"allOf": schemasSame, "anyOf": schemasSame, "oneOf": schemasSame, "not": schemaSame,
	"if": schemaSame, "then": schemaSame, "else": schemaSame, "dependentSchemas": byNameSame,
	"properties": byNameOne, "additionalProperties": schemaOne, "patternProperties": byPattern,
	"propertyNames": schemaEach, "unevaluatedProperties": schemaEach,
	"items": schemaOne, "prefixItems": schemasOne, "contains": schemaEach, "unevaluatedItems": schemaEach,

	"type": types, "const": constant, "enum": enum,
	"minimum": number, "maximum": number, "exclusiveMinimum": number, "exclusiveMaximum": number, "multipleOf": factor,
	"minLength": count, "maxLength": count, "pattern": pattern, "format": format,
	"minItems": count, "maxItems": count, "uniqueItems": yesNo, "minContains": count, "maxContains": count,
	"minProperties": count, "maxProperties": count, "required": names, "dependentRequired": namesByName,
}

var keywordNames = slices.Sorted(maps.Keys(keywords))

// refused are words that others know, with what to say instead.
var refused = map[string]string{
	"nullable":         `say "type": ["string", "null"]`,
	"example":          `say "examples": […]`,
	"definitions":      `say "$defs"`,
	"dependencies":     `say "dependentRequired" or "dependentSchemas"`,
	"additionalItems":  `say "items", and "prefixItems" for the first ones`,
	"id":               `a schema is known by its file name`,
	"$id":              `a schema is known by its file name`,
	"$anchor":          `refer to a schema by file name and JSON pointer`,
	"$dynamicAnchor":   `refer to a schema by file name and JSON pointer`,
	"$dynamicRef":      `say "$ref"`,
	"$recursiveAnchor": `refer to a schema by file name and JSON pointer`,
	"$recursiveRef":    `say "$ref"`,
	"$vocabulary":      `there is one vocabulary`,
	"contentEncoding":  `nothing would check it`,
	"contentMediaType": `nothing would check it`,
	"contentSchema":    `nothing would check it`,
}

// needs are keywords that say nothing without another one.
var needs = map[string]string{"then": "if", "else": "if", "minContains": "contains", "maxContains": "contains"}

var typeNames = []string{"array", "boolean", "integer", "null", "number", "object", "string"}

// formats of the standard that the validator knows; to them come payload.DateForms.
// Without regex: to compile a text of a few bytes can take milliseconds, and
// nothing tells beforehand.
var formats = []string{
	"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "iri", "iri-reference", "json-pointer",
	"relative-json-pointer", "time", "uri", "uri-reference", "uri-template", "uuid",
}

func formatNames() []string { return append(slices.Clone(formats), payload.DateForms...) }

// schema looks at a value in whose place there must be a schema. Names are
// keywords only in a schema itself: below "properties" they are free, and
// below "const" anything goes.
func (l *loader) schema(f *file, v payload.Value, parent *node, pointer string) *node {
	n := &node{file: f, pointer: pointer, v: v}
	switch v.Kind() {
	case payload.Bool:
		n.asserts = !v.Bool()
	case payload.Object:
	case payload.Array:
		l.fault(f, v.Offset(), "expected a schema, that is an object, true or false, but got an array")
		return nil
	default:
		l.fault(f, v.Offset(), "expected a schema, that is an object, true or false, but got %s", article(v.Kind()))
		return nil
	}
	f.nodes = append(f.nodes, n)
	f.at[pointer] = n
	if v.Kind() != payload.Object {
		return n
	}
	for name, value := range v.Members() {
		k, known := keywords[name]
		at := func() int { return v.KeyOffset(name) }
		switch {
		case !known:
			l.unknown(f, at(), name, parent == nil)
			continue
		case k == onlyAtTop && parent != nil:
			l.fault(f, at(), "%q belongs at the top of the file", name)
			continue
		}
		if other := needs[name]; other != "" && v.Member(other).Kind() == payload.Absent {
			l.fault(f, at(), "%q says nothing without %q", name, other)
		}
		l.keyword(n, k, name, value)
		n.work.keyword(name, value)
	}
	return n
}

func (l *loader) unknown(f *file, at int, name string, top bool) {
	if strings.HasPrefix(name, "x-") {
		if hint := didyoumean.Hint(name, []string{"x-operation", "x-releases", "x-source", "x-statuses"}); hint != "" {
			l.fault(f, at, "unknown annotation %q%s", name, hint)
		}
		return
	}
	if instead := refused[name]; instead != "" {
		l.fault(f, at, "keyword %q is not possible here: %s", name, instead)
		return
	}
	hint := didyoumean.Hint(name, keywordNames)
	l.fault(f, at, "unknown keyword %q%s", name, hint)
}

// keyword looks at the value of one keyword of n.
func (l *loader) keyword(n *node, k keyword, name string, v payload.Value) {
	f, below := n.file, n.pointer+"/"+escape(name)
	want := func(what string) { l.fault(f, v.Offset(), "%q must be %s", name, what) }
	child := func(to *[]*node, v payload.Value, pointer string) {
		if c := l.schema(f, v, n, pointer); c != nil {
			*to = append(*to, c)
		}
	}
	children := func(to *[]*node) {
		if v.Kind() != payload.Array || v.Len() == 0 {
			want("a list of schemas with at least one")
			return
		}
		for i, item := range v.Elems() {
			child(to, item, below+"/"+strconv.Itoa(i))
		}
	}
	byName := func(to *[]*node) {
		if v.Kind() != payload.Object {
			want("an object of schemas")
			return
		}
		for name, item := range v.Members() {
			child(to, item, below+"/"+escape(name))
		}
	}
	switch k {
	case anything, comment, commentYesNo, commentList, onlyAtTop, refersTo, definitions:
	default:
		n.asserts = n.asserts || name != "allOf"
	}
	switch k {
	case anything, constant, onlyAtTop:
	case comment:
		if v.Kind() != payload.String {
			want("a string")
		}
	case yesNo, commentYesNo:
		if v.Kind() != payload.Bool {
			want("true or false")
		}
	case commentList:
		if v.Kind() != payload.Array {
			want("an array")
		}
	case count:
		if i, err := strconv.ParseFloat(v.Literal(), 64); v.Kind() != payload.Number || !payload.IsInteger(v.Literal()) || err != nil || i < 0 || i >= maxCount {
			want("a whole number from 0 to 2147483647")
		}
	case number:
		if v.Kind() != payload.Number {
			want("a number")
		}
	case factor:
		if v.Kind() != payload.Number || payload.CompareNumbers(v.Literal(), "0") <= 0 {
			want("a number above 0")
		}
	case names:
		l.nameList(f, name, v)
	case namesByName:
		if v.Kind() != payload.Object {
			want("an object of lists of names")
			return
		}
		for _, list := range v.Members() {
			l.nameList(f, name, list)
		}
	case types:
		l.types(f, v)
	case enum:
		if v.Kind() != payload.Array || v.Len() == 0 {
			want("a list with at least one value")
		}
	case pattern:
		if v.Kind() != payload.String {
			want("a string")
			return
		}
		_, n.work.program = l.pattern(f, v.Offset(), v.Text())
	case format:
		if v.Kind() != payload.String {
			want("a string")
		} else if v.EqualText("regex") {
			l.fault(f, v.Offset(), "format %q is not possible here: nothing bounds what it costs", "regex")
		} else if known := formatNames(); !slices.Contains(known, v.Text()) {
			l.fault(f, v.Offset(), "unknown format %q%s", v.Text(), didyoumean.Hint(v.Text(), known))
		}
	case refersTo:
		if v.Kind() != payload.String {
			want("a string")
			return
		}
		n.refs = append(n.refs, &reference{text: v.Text(), offset: v.Offset()})
	case definitions:
		var unused []*node
		byName(&unused)
	case schemaSame:
		child(&n.same, v, below)
	case schemaEach:
		child(&n.each, v, below)
	case schemaOne:
		child(&n.one, v, below)
	case schemasSame:
		children(&n.same)
	case schemasOne:
		children(&n.one)
	case byNameSame:
		byName(&n.same)
	case byNameOne:
		byName(&n.one)
	case byPattern:
		byName(&n.each)
		if v.Kind() == payload.Object {
			for name := range v.Members() {
				if re, program := l.pattern(f, v.KeyOffset(name), name); re != nil {
					n.work.patterns = append(n.work.patterns, re)
					n.work.nameProgram += program
				}
			}
		}
	}
}

func (l *loader) nameList(f *file, name string, v payload.Value) {
	if v.Kind() != payload.Array {
		l.fault(f, v.Offset(), "%q must be a list of names", name)
		return
	}
	if v.Len() > maxNames {
		l.fault(f, v.Offset(), "%q lists %d names, and %d is the most", name, v.Len(), maxNames)
		return
	}
	seen := make(map[string]bool)
	for _, item := range v.Elems() {
		switch {
		case item.Kind() != payload.String:
			l.fault(f, item.Offset(), "%q must be a list of names, and %s is none", name, article(item.Kind()))
		case seen[item.Text()]:
			l.fault(f, item.Offset(), "%q names %q twice", name, item.Text())
		default:
			seen[item.Text()] = true
		}
	}
}

func (l *loader) types(f *file, v payload.Value) {
	one := func(v payload.Value) {
		switch {
		case v.Kind() != payload.String:
			l.fault(f, v.Offset(), `"type" must be the name of a type, or a list of such`)
		case !slices.Contains(typeNames, v.Text()):
			l.fault(f, v.Offset(), "unknown type %q%s", v.Text(), didyoumean.Hint(v.Text(), typeNames))
		}
	}
	if v.Kind() != payload.Array {
		one(v)
		return
	}
	if v.Len() == 0 {
		l.fault(f, v.Offset(), `"type" must be the name of a type, or a list of such`)
	}
	var seen []string
	for _, item := range v.Elems() {
		one(item)
		if slices.Contains(seen, item.Text()) {
			l.fault(f, item.Offset(), `"type" names %q twice`, item.Text())
		}
		seen = append(seen, item.Text())
	}
}

// pattern looks at a regular expression; the validator uses Go's, which knows
// no look-around and no back-references, and takes time linear in the text: so
// much for each instruction of the program, which are counted.
func (l *loader) pattern(f *file, at int, text string) (re *regexp.Regexp, instructions int) {
	if len(text) > maxPattern {
		l.fault(f, at, "the pattern has %d bytes, and %d is the most", len(text), maxPattern)
		return nil, 0
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err == nil {
		re, err = regexp.Compile(text)
	}
	if err != nil {
		hint := ""
		if strings.Contains(text, "(?=") || strings.Contains(text, "(?!") || strings.Contains(text, "(?<") {
			hint = "; look-around is not possible"
		}
		l.fault(f, at, "the pattern is no regular expression of Go: %s%s", strings.TrimPrefix(err.Error(), "error parsing regexp: "), hint)
		return nil, 0
	}
	if program, err := syntax.Compile(parsed.Simplify()); err == nil {
		instructions = len(program.Inst)
	}
	if instructions > maxProgram {
		l.fault(f, at, "the pattern is too big: it makes %d steps, and %d is the most", instructions, maxProgram)
	}
	return re, instructions
}

// saysNothing tells whether a schema accepts anything. Only the simple ways are
// seen: no keyword but comments, or a reference to such a schema.
func (n *node) saysNothing(depth int) bool {
	if n.asserts || depth > maxRefs {
		return false
	}
	for _, r := range n.refs {
		if r.target == nil || !r.target.saysNothing(depth+1) {
			return false
		}
	}
	for _, c := range n.same { // of allOf
		if !c.saysNothing(depth + 1) {
			return false
		}
	}
	return true
}

func article(k payload.Kind) string {
	switch k {
	case payload.Null:
		return "null"
	case payload.Bool:
		return "a boolean"
	case payload.Number:
		return "a number"
	case payload.Array:
		return "an array"
	case payload.Object:
		return "an object"
	}
	return "a string"
}

// escape makes a name a token of a JSON pointer.
func escape(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

func unescape(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}
