package schemas

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/oigmock/oigmock/schemas/didyoumean"
	"github.com/oigmock/oigmock/schemas/payload"
)

const (
	draft = "https://json-schema.org/draft/2020-12/schema"

	maxFile = 1 << 20 // bytes
	maxRefs = 1000    // in one file

	// maxLooks is how many schemas may have a look at one and the same value,
	// by way of references and combinations. Twenty lines of allOf make a
	// million.
	maxLooks = 200
)

// A loader reads schema files and collects what is wrong with them.
type loader struct {
	dir              string
	files            map[string]*file
	names            []string // of the files, sorted
	faults, warnings scanner.ErrorList
	operations       []*Operation
}

// A file is one schema file and what its name and annotations say about it.
type file struct {
	name  string
	src   []byte
	lines []int         // where each line begins
	root  payload.Value // Absent if src is no JSON; then the faults say so
	nodes []*node       // its schemas, in the order they are met
	at    map[string]*node

	named    bool // like the schema of a payload
	request  bool
	status   int // of the response, 0 for any 2xx
	method   string
	path     string
	releases []string // none: all
	source   map[string]string
	statuses []int
	title    string
}

// read reads the files and looks at them one by one, then at their references.
func read(fsys fs.FS, dir string) *loader {
	l := &loader{dir: dir, files: make(map[string]*file)}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			l.faultAt(l.top(name), "reading: %v", plain(err))
			if name == "." {
				return fs.SkipAll
			}
			return nil
		case d.IsDir():
			if base := path.Base(name); name != "." && (strings.HasPrefix(base, ".") || base == "testdata") {
				return fs.SkipDir
			}
			return nil
		case path.Ext(name) != ".json":
			return nil
		case strings.HasSuffix(name, ".schema.json") && !strings.Contains(name, "/"):
			return nil
		}
		l.open(fsys, name)
		return nil
	})
	if err != nil {
		l.faultAt(l.top("."), "reading: %v", plain(err))
	}
	if len(l.faults) == 0 && len(l.files) == 0 {
		l.faultAt(l.top("."), "there is no schema file here")
	}
	l.names = slices.Sorted(maps.Keys(l.files))
	for _, name := range l.names {
		if f := l.files[name]; f.root.Kind() == payload.Object {
			l.annotations(f)
			l.schema(f, f.root, nil, "")
		}
	}
	l.resolve()
	l.measure()
	l.compare()
	return l
}

// open reads one file, as far as JSON goes.
func (l *loader) open(fsys fs.FS, name string) {
	f := &file{name: name, at: make(map[string]*node)}
	l.files[name] = f
	src, err := readFile(fsys, name)
	if err != nil {
		l.faultAt(l.top(name), "reading: %v", plain(err))
		return
	}
	f.src = src
	f.lines = []int{0}
	for i, c := range src {
		if c == '\n' {
			f.lines = append(f.lines, i+1)
		}
	}
	// The names become URLs for the validator; these need no escapes.
	if i := strings.IndexFunc(name, func(r rune) bool { return !pathRune(r) && r != '/' }); i >= 0 {
		l.fault(f, 0, "a file name is made of letters, digits, dots, dashes and underscores, not of %q", name[i:i+1])
	}
	doc, err := payload.Scan(src)
	var wrong *payload.Fault
	switch {
	case errors.As(err, &wrong):
		l.fault(f, wrong.Offset, "%s", wrong.Why)
	case err != nil:
		l.fault(f, 0, "%v", err)
	case doc.Root().Kind() != payload.Object:
		l.fault(f, doc.Root().Offset(), "a schema file must hold an object")
	default:
		f.root = doc.Root()
	}
}

// readFile reads a regular file. Since the name may come to mean another one
// meanwhile, what is opened is looked at again.
func readFile(fsys fs.FS, name string) ([]byte, error) {
	irregular := errors.New("this is no regular file")
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, irregular // and opening a pipe would wait
	}
	r, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if info, err = r.Stat(); err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, irregular
	}
	src, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(src) > maxFile {
		err = errors.New("the file is over 1 MiB")
	}
	return src, err
}

// plain leaves out what the position says anyway.
func plain(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}

// payloadName is how the file of a payload is named. Another ending after
// request or response is a mistake and not another kind of file.
var payloadName = regexp.MustCompile(`^[^/]+\.(request|response)(\..*)?\.json$`)

// annotations reads what ties the file to its operation.
func (l *loader) annotations(f *file) {
	if m := payloadName.FindStringSubmatch(path.Base(f.name)); m != nil {
		f.named, f.request = true, m[1] == "request"
		status, err := strconv.Atoi(strings.TrimPrefix(m[2], "."))
		switch {
		case m[2] == "":
		case f.request:
			l.fault(f, 0, `a request has no status: the file name must end in ".request.json"`)
		case err != nil || len(m[2]) != len(".200") || status < 100 || status > 599:
			l.fault(f, 0, `the file name must end in ".response.json" or, for one status, ".response.404.json"`)
		default:
			f.status = status
		}
	}
	switch schema := f.root.Member("$schema"); {
	case schema.Kind() == payload.Absent:
		l.fault(f, f.root.Offset(), `"$schema" is missing; it must be %q`, draft)
	case !schema.EqualText(draft):
		l.fault(f, schema.Offset(), `"$schema" must be %q`, draft)
	}
	if title := f.root.Member("title"); title.Kind() == payload.String {
		f.title = strings.TrimSuffix(strings.TrimSuffix(title.Text(), ": request"), ": response")
	}
	if op := f.root.Member("x-operation"); op.Kind() != payload.Absent {
		method, template, why := parseOperation(op)
		switch {
		case why != "":
			l.fault(f, op.Offset(), "x-operation: %s", why)
		case !f.named:
			l.fault(f, f.root.KeyOffset("x-operation"), `x-operation ties a payload to its operation: the file name must end in ".request.json" or ".response.json"`)
		default:
			f.method, f.path = method, template
		}
	}
	if releases := f.root.Member("x-releases"); releases.Kind() != payload.Absent {
		l.releasesOf(f, releases)
	}
	if source := f.root.Member("x-source"); source.Kind() != payload.Absent {
		l.sourceOf(f, source)
	}
	if statuses := f.root.Member("x-statuses"); statuses.Kind() != payload.Absent {
		l.statusesOf(f, statuses)
	}
}

// releasesOf reads x-releases, the releases in which a file holds.
func (l *loader) releasesOf(f *file, releases payload.Value) {
	if releases.Kind() != payload.Array || releases.Len() == 0 {
		l.fault(f, releases.Offset(), `x-releases must be a list such as ["11.1.2.3"]; leave it out for all releases`)
		return
	}
	for _, r := range releases.Elems() {
		switch text := r.Text(); {
		case r.Kind() != payload.String || !releaseForm.MatchString(text):
			l.fault(f, r.Offset(), `x-releases: a release is a string such as "11.1.2.3"`)
		case slices.Contains(f.releases, text):
			l.fault(f, r.Offset(), "x-releases: %q is there twice", text)
		default:
			f.releases = append(f.releases, text)
		}
	}
}

// sourceOf reads x-source, what an operation rests on in each release.
func (l *loader) sourceOf(f *file, source payload.Value) {
	if f.method == "" || f.request {
		l.fault(f, f.root.KeyOffset("x-source"), "x-source stands in the file of a response, and says of its operation what it rests on")
		return
	}
	if source.Kind() != payload.Object || source.Len() == 0 {
		l.fault(f, source.Offset(), `x-source must be an object such as {"11.1.2.3": "printed"}`)
		return
	}
	f.source = map[string]string{}
	for release, word := range source.Members() {
		switch {
		case !releaseForm.MatchString(release):
			l.fault(f, source.KeyOffset(release), `x-source: a release is a string such as "11.1.2.3"`)
		case len(f.releases) > 0 && !slices.Contains(f.releases, release):
			l.fault(f, source.KeyOffset(release), "x-source: %q is not among x-releases", release)
		case !slices.Contains(sources, word.Text()):
			l.fault(f, word.Offset(), "x-source: want one of %s%s", strings.Join(sources, ", "), didyoumean.Hint(word.Text(), sources))
		default:
			f.source[release] = word.Text()
		}
	}
}

// statusesOf reads x-statuses, the statuses that are documented.
func (l *loader) statusesOf(f *file, statuses payload.Value) {
	if f.method == "" || f.request {
		l.fault(f, f.root.KeyOffset("x-statuses"), "x-statuses stands in the file of a response, and lists the statuses that are documented for its operation")
		return
	}
	if statuses.Kind() != payload.Array || statuses.Len() == 0 {
		l.fault(f, statuses.Offset(), "x-statuses must be a list such as [200, 404]")
		return
	}
	for _, s := range statuses.Elems() {
		n, err := strconv.Atoi(s.Literal())
		switch {
		case s.Kind() != payload.Number || err != nil || n < 100 || n > 599:
			l.fault(f, s.Offset(), "x-statuses: a status is a number such as 200")
		case slices.Contains(f.statuses, n):
			l.fault(f, s.Offset(), "x-statuses: %d is there twice", n)
		default:
			f.statuses = append(f.statuses, n)
		}
	}
}

// sources are what an operation may rest on.
var sources = []string{Printed, Derived, Assumed}

var (
	releaseForm  = regexp.MustCompile(`^[0-9]{1,6}(\.[0-9]{1,6})+$`)
	parameter    = regexp.MustCompile(`^\{[A-Za-z_][A-Za-z0-9_]*\}$`)
	methods      = []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
	operationHow = `say it like "PUT /provtasks/{taskid}"`
)

// pathRune tells whether r means itself in a path.
func pathRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~", r)
}

func parseOperation(v payload.Value) (method, template, why string) {
	if v.Kind() != payload.String {
		return "", "", operationHow
	}
	method, template, ok := strings.Cut(v.Text(), " ")
	switch {
	case !ok:
		return "", "", operationHow
	case !slices.Contains(methods, method):
		return "", "", fmt.Sprintf("unknown method %q%s", method, didyoumean.Hint(strings.ToUpper(method), methods))
	case !strings.HasPrefix(template, "/"):
		return "", "", fmt.Sprintf("the path must begin with a slash; %s", operationHow)
	}
	var names []string
	for segment := range strings.SplitSeq(template[1:], "/") {
		switch {
		case segment == "":
			return "", "", "the path has an empty segment, or a slash at its end"
		case segment == "." || segment == "..":
			return "", "", fmt.Sprintf("the path has a segment %q", segment)
		case parameter.MatchString(segment):
			if slices.Contains(names, segment) {
				return "", "", fmt.Sprintf("the path has %s twice", segment)
			}
			names = append(names, segment)
		case strings.ContainsAny(segment, "{}"):
			return "", "", fmt.Sprintf("%q: a parameter is a whole segment of the form {name}, and a regular expression is not possible", segment)
		case strings.ContainsFunc(segment, func(r rune) bool { return !pathRune(r) }):
			return "", "", fmt.Sprintf("the path has a segment %q; only letters, digits and -._~ are possible", segment)
		}
	}
	return method, template, ""
}

// compare looks for files that say the same thing twice, and for such that look
// like payloads and are none.
func (l *loader) compare() {
	referred := make(map[*file]bool)
	for _, f := range l.files {
		for _, n := range f.nodes {
			for _, r := range n.refs {
				if r.target != nil {
					referred[r.target.file] = true
				}
			}
		}
	}
	first := make(map[string][]*file) // by method and path without names
	for _, name := range l.names {
		f := l.files[name]
		if f.method == "" {
			if f.named && f.root.Kind() == payload.Object && f.root.Member("x-operation").Kind() == payload.Absent && !referred[f] {
				l.warn(f, f.root.Offset(), "no payload is checked by this: x-operation is missing")
			}
			continue
		}
		if root := f.at[""]; root != nil && root.saysNothing(0) {
			l.warn(f, root.v.Offset(), "this schema accepts anything")
		}
		key := f.method + " " + parameters.ReplaceAllString(f.path, "{}")
		for _, g := range first[key] {
			if !overlap(f.releases, g.releases) {
				continue
			}
			at := f.root.Member("x-operation").Offset()
			if f.path != g.path {
				l.fault(f, at, "x-operation: %s has the same path with other names, %s", g.name, g.path)
				break
			}
			for release, word := range f.source {
				if other := g.source[release]; other != "" && other != word {
					l.fault(f, f.root.Member("x-source").Member(release).Offset(), "x-source: in %s it is %q here, and %q in %s", release, word, other, g.name)
				}
			}
			if f.request == g.request && f.status == g.status {
				l.fault(f, at, "x-operation: %s describes the same payload in the same release", g.name)
				break
			}
		}
		first[key] = append(first[key], f)
	}
}

var parameters = regexp.MustCompile(`\{[^/]*\}`)

// overlap tells whether there may be a release in both lists; none means all.
func overlap(a, b []string) bool {
	if len(a) == 0 || len(b) == 0 {
		return true
	}
	return slices.ContainsFunc(a, func(r string) bool { return slices.Contains(b, r) })
}

// releases are those of which the files know an operation, oldest first.
func (l *loader) releases() []string {
	var all []string
	for _, f := range l.files {
		if f.method != "" {
			all = append(all, f.releases...)
			all = slices.AppendSeq(all, maps.Keys(f.source))
		}
	}
	slices.SortFunc(all, compareReleases)
	return slices.Compact(all)
}

// compareReleases puts 9.2 before 11.1.
func compareReleases(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(a, b string) int {
		x, _ := strconv.Atoi(a) // releaseForm has seen it
		y, _ := strconv.Atoi(b)
		return cmp.Compare(x, y)
	})
}

// newest is the newest release the file holds in, "" for all.
func (f *file) newest() string {
	if len(f.releases) == 0 {
		return ""
	}
	return slices.MaxFunc(f.releases, compareReleases)
}

// compile makes the operations of a release. It is called when there are no
// faults; what it still finds is beyond what we look for ourselves.
func (l *loader) compile(release string) {
	compiler := jsonschema.NewCompiler()
	compiler.Draft = jsonschema.Draft2020
	compiler.AssertFormat = true // for drafts as new as this one it is off
	// The validator's own loader would open file:// URLs.
	compiler.LoadURL = func(url string) (io.ReadCloser, error) {
		return nil, fmt.Errorf("%s is not among the schema files", url)
	}
	for _, name := range payload.DateForms {
		if form, err := payload.ParseDateFormat(name); err == nil {
			compiler.Formats[name] = isDate(form)
		}
	}
	documents := make(map[string]any)
	for _, name := range l.names {
		f := l.files[name]
		documents[name] = f.root.Any()
		if err := compiler.AddResource(scheme+name, bytes.NewReader(f.src)); err != nil {
			l.fault(f, f.root.Offset(), "%v", err)
		}
	}
	if len(l.faults) > 0 {
		return
	}

	// Of two files for the same payload the newer comes first.
	files := slices.SortedStableFunc(maps.Values(l.files), func(a, b *file) int {
		return cmp.Or(-compareReleases(cmp.Or(a.newest(), "0"), cmp.Or(b.newest(), "0")), strings.Compare(a.name, b.name))
	})
	byName := make(map[string]*Operation)
	for _, f := range files {
		if f.method == "" || release != "" && !overlap(f.releases, []string{release}) {
			continue
		}
		compiled, err := compileOne(compiler, scheme+f.name)
		if err != nil {
			l.fault(f, f.root.Offset(), "%v", err)
			continue
		}
		s := &payloadSchema{file: f.name, schema: compiled, root: f.at[""], files: l.files, documents: documents, position: l.position}
		o := byName[f.method+" "+f.path]
		if o == nil {
			o = &Operation{Method: f.method, Path: f.path, responses: make(map[int][]*payloadSchema)}
			byName[f.method+" "+f.path] = o
			l.operations = append(l.operations, o)
		}
		if f.request {
			o.requests = append(o.requests, s)
		} else {
			o.responses[f.status] = append(o.responses[f.status], s)
		}
		if source := f.source[release]; source != "" {
			o.Source = source
		}
		for _, status := range f.statuses {
			if !slices.Contains(o.Statuses, status) {
				o.Statuses = append(o.Statuses, status)
				slices.Sort(o.Statuses)
			}
		}
		if o.Title == "" || f.request && len(o.requests) == 1 && f.title != "" {
			o.Title = f.title
		}
	}
	if len(l.operations) == 0 && len(l.faults) == 0 {
		at := l.top(".")
		if known := l.releases(); release != "" && len(known) > 0 {
			l.faultAt(at, "no operation of release %q%s; known: %s", release, didyoumean.Hint(release, known), strings.Join(known, ", "))
		} else {
			l.faultAt(at, "no schema file has an x-operation")
		}
	}
	slices.SortFunc(l.operations, func(a, b *Operation) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
	})
}

func compileOne(c *jsonschema.Compiler, url string) (s *jsonschema.Schema, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the validator cannot read this schema: %v", r)
		}
	}()
	s, err = c.Compile(url)
	if wrong := (*jsonschema.SchemaError)(nil); errors.As(err, &wrong) {
		err = wrong.Err
	}
	if err != nil {
		err = fmt.Errorf("the validator cannot read this schema: %s", strings.TrimPrefix(err.Error(), "jsonschema: "))
	}
	return s, err
}

// isDate makes a format of a date form. A number is a date where the form is a
// count of milliseconds; whether it may be one is the business of type.
func isDate(form *payload.DateFormat) func(any) bool {
	return func(v any) bool {
		var text string
		switch v := v.(type) {
		case string:
			text = v
		case fmt.Stringer: // json.Number
			if form.String() != "epoch" {
				return true
			}
			text = v.String()
		default:
			return true
		}
		_, ok := form.Parse(text)
		return ok
	}
}

func (l *loader) filename(name string) string {
	if l.dir == "" {
		return name
	}
	return path.Join(l.dir, name)
}

// top is where a fault of a whole file, or folder, is told.
func (l *loader) top(name string) token.Position {
	return token.Position{Filename: l.filename(name), Line: 1, Column: 1}
}

func (l *loader) position(f *file, offset int) token.Position {
	line := sort.Search(len(f.lines), func(i int) bool { return f.lines[i] > offset })
	return token.Position{Filename: l.filename(f.name), Offset: offset, Line: line, Column: offset - f.lines[line-1] + 1}
}

func (l *loader) faultAt(at token.Position, format string, a ...any) {
	l.faults.Add(at, fmt.Sprintf(format, a...))
}

func (l *loader) fault(f *file, offset int, format string, a ...any) {
	l.faultAt(l.position(f, offset), format, a...)
}

func (l *loader) warn(f *file, offset int, format string, a ...any) {
	l.warnings.Add(l.position(f, offset), fmt.Sprintf(format, a...))
}
