package schemas

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/oigmock/oigmock/schemas/didyoumean"
	"github.com/oigmock/oigmock/schemas/payload"
)

// A reference is a $ref.
type reference struct {
	text   string
	offset int
	target *node // nil if there is none, or none to speak of
}

// resolve finds what the references refer to.
func (l *loader) resolve() {
	for _, name := range l.names {
		f, seen := l.files[name], 0
		for _, n := range f.nodes {
			for _, r := range n.refs {
				if seen++; seen > maxRefs {
					if seen == maxRefs+1 {
						l.fault(f, r.offset, "the file has more than %d references", maxRefs)
					}
					continue
				}
				target, why := l.find(f, r.text)
				if why != "" {
					l.fault(f, r.offset, "$ref %q: %s", r.text, why)
				}
				r.target = target
			}
		}
	}
}

// find returns the schema a reference of f means, or why there is none, or
// neither where other faults say it.
func (l *loader) find(f *file, text string) (*node, string) {
	name, fragment, _ := strings.Cut(text, "#")
	target := f
	if name != "" {
		if strings.ContainsAny(name, `:\%?`) || strings.HasPrefix(name, "/") {
			return nil, "only schema files can be referred to, by their relative path; nothing is ever fetched"
		}
		name = path.Join(path.Dir(f.name), name)
		if name == ".." || strings.HasPrefix(name, "../") {
			return nil, "this leads out of the folder of the schemas"
		}
		target = l.files[name]
		if target == nil {
			return nil, fmt.Sprintf("there is no schema file %q%s", name, didyoumean.Hint(name, l.names))
		}
	}
	if target.root.Kind() != payload.Object {
		return nil, ""
	}
	pointer, err := url.PathUnescape(fragment)
	switch {
	case err != nil:
		return nil, "there is a wrong escape behind the #"
	case pointer == "":
		return target.at[""], ""
	case pointer[0] != '/':
		return nil, `behind the # there must be a JSON pointer, such as "/$defs/fields"`
	}
	if n := target.at[pointer]; n != nil {
		return n, ""
	}
	v, place := target.root, ""
	for token := range strings.SplitSeq(pointer[1:], "/") {
		var below payload.Value
		var known []string
		switch v.Kind() {
		case payload.Object:
			below = v.Member(unescape(token))
			for name := range v.Members() {
				known = append(known, escape(name))
			}
		case payload.Array:
			if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < v.Len() {
				below = v.Elem(i)
			}
		}
		if below.Kind() == payload.Absent {
			return nil, fmt.Sprintf("there is no %q in %s#%s%s", token, target.name, place, didyoumean.Hint(token, known))
		}
		v, place = below, place+"/"+token
	}
	return nil, "there is no schema at that place"
}

// measure finds references that lead back to themselves, and schemas that
// would take too long. Both can grow without limit: a schema that contains
// itself twice doubles the work with every level of the payload.
func (l *loader) measure() {
	for _, name := range l.names {
		f := l.files[name]
		for _, n := range f.nodes {
			l.weigh(n)
		}
	}
	for _, name := range l.names {
		f := l.files[name]
		if root := f.at[""]; f.method != "" && root != nil && root.deepest() > maxLooks {
			l.fault(f, f.root.Offset(), "too many references and combinations: more than %d schemas would look at one value", maxLooks)
		}
	}
}

// weigh follows the references of n and counts: how many schemas look at a
// value when n does, and how many at most at one value anywhere below it.
func (l *loader) weigh(n *node) {
	if n.begun {
		return
	}
	n.begun = true
	n.assign()
	for _, c := range slices.Concat(n.same, n.each, n.one) {
		l.weigh(c)
	}
	n.here = 1
	largest := 0
	for _, c := range n.one {
		largest = max(largest, c.deepest())
	}
	n.below = largest
	for _, c := range n.each {
		n.below = saturate(n.below + c.deepest())
	}
	same := slices.Clone(n.same)
	for _, r := range n.refs {
		if r.target == nil {
			continue
		}
		l.weigh(r.target)
		if !r.target.weighed {
			l.fault(n.file, r.offset, "$ref %q: a schema cannot contain itself", r.text)
			continue
		}
		same = append(same, r.target)
	}
	for _, c := range same {
		n.here = saturate(n.here + c.here)
		n.below = saturate(n.below + c.below)
	}
	n.weighed = true
}

func (n *node) deepest() int { return max(n.here, n.below) }

func saturate(i int) int { return min(i, 1<<30) }

// assign finds out which of n.one looks at which member or item.
func (n *node) assign() {
	at := n.file.at
	n.members = make(map[string]*node)
	for name := range n.v.Member("properties").Members() {
		n.members[name] = at[n.pointer+"/properties/"+escape(name)]
	}
	n.others = at[n.pointer+"/additionalProperties"]
	n.naming = at[n.pointer+"/propertyNames"]
	for i := range n.v.Member("prefixItems").Elems() {
		n.items = append(n.items, at[n.pointer+"/prefixItems/"+strconv.Itoa(i)])
	}
	n.items = append(n.items, at[n.pointer+"/items"])
}
