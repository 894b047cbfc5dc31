package schemas

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/token"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/oigmock/oigmock/schemas/payload"
)

// A Violation is one way in which a payload breaks its schema. It names
// members of the payload, but quotes none of its values.
type Violation struct {
	At     string // a JSON pointer into the body, "" for the whole of it; or another part of the message, "header Content-Type"
	Why    string // "expected string, but got number"
	Schema string // the keyword that says so, "provtasks/update.request.json#/properties/id/type"
	Costly bool   // the payload was not judged: to look at so much costs too much
}

// String is the violation in one line.
func (v Violation) String() string {
	var b strings.Builder
	switch {
	case v.At == "":
		b.WriteString("body")
	case v.At[0] == '/':
		b.WriteString("body ")
	}
	b.WriteString(printable(v.At) + ": " + printable(v.Why))
	if v.Schema != "" {
		b.WriteString(" (" + printable(v.Schema) + ")")
	}
	return b.String()
}

// printable keeps a name that holds a line break from becoming two lines.
func printable(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return s
	}
	q := strconv.Quote(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

const (
	maxViolations = 20 // told; then one that counts the others
	maxWorded     = 1000

	scheme = "oigmock:///" // of the files, for the validator
)

// A payloadSchema is a compiled file.
type payloadSchema struct {
	file      string
	schema    *jsonschema.Schema
	root      *node // to count the work
	files     map[string]*file
	documents map[string]any // all files, to read the keywords from
	position  func(f *file, offset int) token.Position
}

// check returns no violations if one of the schemas has none, else those of the
// first.
func check(schemas []*payloadSchema, body payload.Value) []Violation {
	var told []Violation
	for i, s := range schemas {
		violations := s.check(body)
		if len(violations) == 0 {
			return nil
		}
		if i == 0 {
			told = violations
		}
	}
	return told
}

func (s *payloadSchema) check(body payload.Value) (violations []Violation) {
	defer func() {
		if r := recover(); r != nil { // without r itself, which may quote the body
			violations = s.whole("the check itself failed: the validator gave up")
		}
	}()
	if body.Kind() == payload.Absent {
		return s.whole("expected a JSON body, but there is none")
	}
	if left := maxWork * perLook; !s.root.affords(body, &left) {
		costly := s.whole(fmt.Sprintf("not checked: it would take more than %d looks at values, or as much work", maxWork))
		costly[0].Costly = true
		return costly
	}
	value := body.Any()
	err := s.schema.Validate(value)
	if err == nil {
		return nil
	}
	wrong := (*jsonschema.ValidationError)(nil)
	if !errors.As(err, &wrong) { // a loop, or a value that is no JSON
		return s.whole("the check itself failed: the validator gave up")
	}
	return s.words(value, wrong)
}

// whole is the one objection to the body as a whole.
func (s *payloadSchema) whole(why string) []Violation {
	return []Violation{{Why: why, Schema: s.file}}
}

// words makes violations of the validator's tree: of its leaves, in an order
// that does not depend on that of Go's maps.
func (s *payloadSchema) words(body any, wrong *jsonschema.ValidationError) []Violation {
	found := leaves(wrong, nil)
	slices.SortFunc(found, func(a, b *jsonschema.ValidationError) int {
		return cmp.Or(comparePointers(a.InstanceLocation, b.InstanceLocation), strings.Compare(a.AbsoluteKeywordLocation, b.AbsoluteKeywordLocation))
	})
	found = slices.CompactFunc(found, func(a, b *jsonschema.ValidationError) bool {
		return a.InstanceLocation == b.InstanceLocation && a.AbsoluteKeywordLocation == b.AbsoluteKeywordLocation
	})
	unworded := max(0, len(found)-maxWorded)
	var all []Violation
	for i, leaf := range found[:len(found)-unworded] {
		if len(all) >= maxWorded { // one leaf may be many
			unworded = len(found) - i
			break
		}
		all = append(all, s.word(body, leaf)...)
	}
	slices.SortStableFunc(all, func(a, b Violation) int {
		return cmp.Or(comparePointers(a.At, b.At), strings.Compare(a.Why, b.Why), strings.Compare(a.Schema, b.Schema))
	})
	all = slices.Compact(all)
	if more := len(all) - maxViolations + unworded; more > 0 {
		all = append(slices.Clone(all[:maxViolations]), Violation{Why: fmt.Sprintf("and %d more", more), Schema: s.file})
	}
	return all
}

// leaves are the errors that say what is wrong, and not that something is. What
// hinders single items from being the one that must be there is of no interest.
func leaves(e *jsonschema.ValidationError, to []*jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 || strings.HasPrefix(e.Message, "valid must be >= ") { // minContains
		return append(to, e)
	}
	for _, c := range e.Causes {
		to = leaves(c, to)
	}
	return to
}

// word says in our own words what a leaf means, since the validator's quote the
// body.
func (s *payloadSchema) word(body any, leaf *jsonschema.ValidationError) []Violation {
	file, pointer, _ := strings.Cut(strings.TrimPrefix(leaf.AbsoluteKeywordLocation, scheme), "#")
	at, err := url.PathUnescape(leaf.InstanceLocation)
	if err != nil {
		at = leaf.InstanceLocation
	}
	one := func(why string) []Violation {
		return []Violation{{At: at, Why: why, Schema: file + "#" + pointer}}
	}
	if leaf.Message == "not allowed" { // the schema false
		return one("is not allowed here")
	}
	steps := strings.Split(pointer, "/")
	name := steps[len(steps)-1]
	if _, err := strconv.Atoi(name); err == nil && len(steps) > 2 { // no other keyword's leaf ends with a number
		name = steps[len(steps)-3]
	}
	wanted := lookUp(s.documents[file], pointer) // what stands behind the keyword
	if aboutName(leaf.KeywordLocation) {
		return one("the name of this member breaks " + strconv.Quote(name))
	}
	value := lookUp(body, leaf.InstanceLocation)
	switch name {
	case "type":
		return one(leaf.Message) // names of types, nothing else
	case "required":
		object, _ := value.(map[string]any)
		var missing []Violation
		for _, name := range texts(wanted) {
			if _, ok := object[name]; !ok {
				missing = append(missing, one(strconv.Quote(name)+" is missing")...)
			}
		}
		return missing
	case "dependentRequired":
		other, _ := url.PathUnescape(steps[len(steps)-2])
		return one(fmt.Sprintf("%s is missing, which %q asks for", inJSON(wanted), unescape(other)))
	case "additionalProperties":
		var extra []Violation
		var above *node
		if place, err := url.PathUnescape(strings.TrimSuffix(pointer, "/additionalProperties")); err == nil && s.files[file] != nil {
			above = s.files[file].at[place]
		}
		object, _ := value.(map[string]any)
		for name := range object {
			if !above.describes(name) {
				extra = append(extra, Violation{At: at + "/" + escape(name), Why: "is not allowed here", Schema: file + "#" + pointer})
			}
		}
		return extra
	case "const":
		return one("must be " + inJSON(wanted))
	case "enum":
		return one("must be one of " + inJSON(wanted))
	case "format":
		format, _ := wanted.(string)
		if slices.Contains(payload.DateForms, format) {
			if format == "iso" {
				format = "2030-05-11T12:00:00Z" // the name does not say it all
			}
			return one("is no date like " + format)
		}
		return one("is no valid " + format)
	case "pattern":
		return one("does not match the pattern " + inJSON(wanted))
	case "minimum":
		return one("must be at least " + inJSON(wanted))
	case "maximum":
		return one("must be at most " + inJSON(wanted))
	case "exclusiveMinimum":
		return one("must be more than " + inJSON(wanted))
	case "exclusiveMaximum":
		return one("must be less than " + inJSON(wanted))
	case "multipleOf":
		return one("must be a multiple of " + inJSON(wanted))
	case "minLength", "maxLength":
		text, _ := value.(string)
		return one(bound(name, wanted, "characters", utf8.RuneCountInString(text)))
	case "minItems", "maxItems":
		items, _ := value.([]any)
		return one(bound(name, wanted, "items", len(items)))
	case "minProperties", "maxProperties":
		object, _ := value.(map[string]any)
		return one(bound(name, wanted, "members", len(object)))
	case "uniqueItems":
		return one("two of the items are equal")
	case "minContains", "contains":
		if wanted == nil { // the keyword was left out
			return one("none of the items is as \"contains\" asks for")
		}
		return one("fewer than " + inJSON(wanted) + " of the items are as \"contains\" asks for")
	case "maxContains":
		return one("more than " + inJSON(wanted) + " of the items are as \"contains\" asks for")
	case "oneOf":
		return one("satisfies more than one of the schemas of which it must satisfy one")
	case "not":
		return one("satisfies the schema that it must not satisfy")
	}
	return one("breaks " + strconv.Quote(name))
}

// aboutName tells whether a path of keywords, with names of members in between,
// goes through propertyNames: then it is the name that is wrong.
func aboutName(path string) bool {
	named := false // the step before is followed by a name
	for step := range strings.SplitSeq(path, "/") {
		if !named && step == "propertyNames" {
			return true
		}
		named = !named && (step == "properties" || step == "patternProperties" || step == "dependentSchemas")
	}
	return false
}

func bound(name string, wanted any, what string, got int) string {
	least := "at most"
	if strings.HasPrefix(name, "min") {
		least = "at least"
	}
	return fmt.Sprintf("expected %s %s %s, but got %d", least, inJSON(wanted), what, got)
}

// describes tells whether a schema names a member, or has a pattern for it.
func (n *node) describes(name string) bool {
	if n == nil {
		return false
	}
	if _, ok := n.members[name]; ok {
		return true
	}
	return slices.ContainsFunc(n.work.patterns, func(re *regexp.Regexp) bool { return re.MatchString(name) })
}

// texts are the strings of a list.
func texts(v any) []string {
	list, _ := v.([]any)
	var all []string
	for _, e := range list {
		if text, ok := e.(string); ok {
			all = append(all, text)
		}
	}
	return all
}

// inJSON writes what stands in a schema, cut off where it gets long.
func inJSON(v any) string {
	const most = 300
	if list, ok := v.([]any); ok && len(list) > most { // even then it is cut off, and the others need not be encoded
		v = list[:most]
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return "?"
	}
	text := strings.TrimSuffix(b.String(), "\n")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// lookUp follows a JSON pointer, escaped as in a URL; nil if it leads nowhere.
func lookUp(v any, pointer string) any {
	if pointer == "" {
		return v
	}
	for step := range strings.SplitSeq(pointer[1:], "/") {
		name, err := url.PathUnescape(step)
		if err != nil {
			return nil
		}
		switch at := v.(type) {
		case map[string]any:
			v = at[unescape(name)]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	return v
}

// comparePointers puts item 2 before item 10.
func comparePointers(a, b string) int {
	same := 0 // how many bytes they begin with alike; most of them when there are many
	for same < len(a) && same < len(b) && a[same] == b[same] {
		same++
	}
	if same == len(a) || same == len(b) {
		return cmp.Compare(len(a), len(b))
	}
	step := strings.LastIndexByte(a[:same], '/') + 1 // where the first step begins that differs
	x, _, _ := strings.Cut(a[step:], "/")
	y, _, _ := strings.Cut(b[step:], "/")
	if i, err := strconv.Atoi(x); err == nil {
		if j, err := strconv.Atoi(y); err == nil {
			return cmp.Or(cmp.Compare(i, j), strings.Compare(x, y))
		}
	}
	return strings.Compare(x, y)
}
