package mockserver

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"iter"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas/payload"
)

// MaxJournal is how large the file of a journal may be, in bytes.
const MaxJournal = 64 << 20

// ReadJournal reads the calls of a journal that was saved: the document of GET
// /journal, or several of them; entries alone, or in a list, one behind the
// other; or the events that who follows a journal is sent. What Pos tells are
// lines of that file.
//
// Each entry is screened on its own when its turn comes, so that a journal may
// hold more than one document may. The first fault is the last that is given;
// it is a *scanner.Error.
func ReadJournal(name string, src []byte) iter.Seq2[*Call, error] {
	return func(yield func(*Call, error) bool) {
		f := &journalFile{name: name, src: src, yield: yield}
		line := blockStart{line: 1}
		for at := 0; at <= len(src); at += blockSize {
			f.blocks = append(f.blocks, line)
			line = line.after(src, at, min(at+blockSize, len(src)))
		}
		if err := f.read(); err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}

var errEnough = errors.New("enough")

// eventField is how a line of server-sent events begins.
var eventField = regexp.MustCompile(`^(data|event|id|retry)?:`)

// A journalFile is cut into entries by its brackets and quotes alone; each of
// them is then read as JSON.
type journalFile struct {
	name   string
	src    []byte
	blocks []blockStart
	yield  func(*Call, error) bool
}

// blockSize is how much of a file is looked at to find a line: the file may be
// one line, or nothing but ends of lines.
const blockSize = 1 << 16

// A blockStart is a line that goes on, or begins, where a block does.
type blockStart struct {
	line  int
	begun int // where it begins
}

// after is the line at the end of a piece of the file.
func (b blockStart) after(src []byte, from, to int) blockStart {
	if i := bytes.LastIndexByte(src[from:to], '\n'); i >= 0 {
		return blockStart{b.line + bytes.Count(src[from:to], []byte{'\n'}), from + i + 1}
	}
	return b
}

func (f *journalFile) position(offset int) token.Position {
	block := offset / blockSize
	at := f.blocks[block].after(f.src, block*blockSize, offset)
	return token.Position{Filename: f.name, Offset: offset, Line: at.line, Column: offset - at.begun + 1}
}

func (f *journalFile) fault(offset int, format string, args ...any) error {
	return &scanner.Error{Pos: f.position(offset), Msg: fmt.Sprintf(format, args...)}
}

func (f *journalFile) read() error {
	at := 0
	if bytes.HasPrefix(f.src, []byte("\uFEFF")) { // some editors put one there
		at = len("\uFEFF")
	}
	at = f.blanks(at)
	if at == len(f.src) {
		return f.fault(0, "there is nothing in this file")
	}
	if eventField.Match(f.src[at:]) {
		return f.events(at)
	}
	for at < len(f.src) {
		end := f.extent(at)
		if err := f.value(at, end); err != nil {
			return err
		}
		at = f.blanks(end)
	}
	return nil
}

// events reads what server-sent events carry.
func (f *journalFile) events(at int) error {
	for at < len(f.src) {
		end := len(f.src)
		if i := bytes.IndexByte(f.src[at:], '\n'); i >= 0 {
			end = at + i
		}
		line := bytes.TrimSuffix(f.src[at:end], []byte("\r"))
		switch rest, data := bytes.CutPrefix(line, []byte("data:")); {
		case data:
			begin := f.blanks(at + len("data:"))
			if len(bytes.TrimSpace(rest)) > 0 {
				if err := f.entry(begin, at+len(line)); err != nil {
					return err
				}
			}
		case len(line) > 0 && !eventField.Match(line):
			return f.fault(at, "this is no line of server-sent events")
		}
		at = end + 1
	}
	return nil
}

// value reads what stands at the top: a document, a list, or an entry.
func (f *journalFile) value(at, end int) error {
	switch f.src[at] {
	case '[':
		return f.elements(at, end)
	case '{':
		if found, err := f.document(at, end); found || err != nil {
			return err
		}
	}
	return f.entry(at, end)
}

// document reads the entries of an object that has such. It reports false for
// any other, and for what is none.
func (f *journalFile) document(at, end int) (bool, error) {
	var entries, after int
	for i := f.blanks(at + 1); i < end && f.src[i] == '"'; {
		name := f.src[i:f.extent(i)]
		i = f.blanks(i + len(name))
		if i >= end || f.src[i] != ':' {
			return false, nil
		}
		if i = f.blanks(i + 1); i >= end {
			return false, nil
		}
		next := f.extent(i)
		if string(name) == `"entries"` && f.src[i] == '[' && entries == 0 {
			entries, after = i, next
		}
		if i = f.blanks(next); i < end && f.src[i] == ',' {
			i = f.blanks(i + 1)
		}
	}
	if entries == 0 {
		return false, nil
	}
	// What stands around the entries must be JSON as it would be without any.
	around := make([]byte, 0, 2+entries-at+end-after)
	around = append(append(append(around, f.src[at:entries]...), "[]"...), f.src[after:end]...)
	if _, err := payload.Scan(around); err != nil {
		var wrong *payload.Fault
		offset := at
		if errors.As(err, &wrong) {
			if offset = at + wrong.Offset; offset >= entries+2 {
				offset += after - entries - 2
			}
			return false, f.fault(min(offset, len(f.src)), "%s", wrong.Why)
		}
		return false, f.fault(at, "%v", err)
	}
	return true, f.elements(entries, after)
}

// elements reads a list of entries.
func (f *journalFile) elements(at, end int) error {
	for i, n := f.blanks(at+1), 0; ; n++ {
		if i >= end || i >= len(f.src) {
			return f.fault(min(i, len(f.src)), "the text ends inside the list of entries")
		}
		if f.src[i] == ']' && n == 0 {
			return nil
		}
		next := f.extent(i)
		if err := f.entry(i, next); err != nil {
			return err
		}
		i = f.blanks(next)
		switch {
		case i < end && f.src[i] == ',':
			i = f.blanks(i + 1)
		case i == end-1 && f.src[i] == ']':
			return nil
		default:
			return f.fault(min(i, len(f.src)), "want a comma or ] after an entry")
		}
	}
}

func (f *journalFile) blanks(i int) int {
	for i < len(f.src) && strings.IndexByte(" \t\r\n", f.src[i]) >= 0 {
		i++
	}
	return i
}

// extent is the end of the value that begins there, as far as brackets and
// quotes tell. It is always further on.
func (f *journalFile) extent(i int) int {
	depth := 0
	for begin := i; i < len(f.src); i++ {
		switch c := f.src[i]; c {
		case '"':
			for i++; i < len(f.src) && f.src[i] != '"'; i++ {
				if f.src[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return min(i+1, len(f.src))
			}
		case '{', '[':
			if depth == 0 && i > begin {
				return i
			}
			depth++
		case '}', ']':
			if depth--; depth <= 0 {
				return max(i+depth+1, begin+1)
			}
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return max(i, begin+1)
			}
		}
	}
	return len(f.src)
}

// entry reads one entry.
func (f *journalFile) entry(at, end int) error {
	doc, err := payload.Scan(f.src[at:end])
	var wrong *payload.Fault
	switch {
	case errors.As(err, &wrong):
		return f.fault(at+wrong.Offset, "%s", wrong.Why)
	case err != nil:
		return f.fault(at, "%v", err)
	}
	r := recorded{f, at, doc.Root()}
	if r.v.Kind() != payload.Object {
		return f.fault(at, "want an entry of a journal, got %s", r.v.Kind())
	}
	if r.v.Len() == 0 || r.v.Len() == 1 && r.v.Member("evicted").Kind() == payload.Number {
		return nil // an event of another kind
	}
	call, err := r.call()
	if err != nil {
		return err
	}
	if !f.yield(call, nil) {
		return errEnough
	}
	return nil
}

// A recorded entry is one as it stands in a file.
type recorded struct {
	file *journalFile
	at   int // where its JSON begins
	v    payload.Value
}

func (r recorded) offset(v payload.Value) int { return r.at + v.Offset() }

// want is a member that must be there.
func (r recorded) want(of payload.Value, name string, kind payload.Kind) (payload.Value, error) {
	m := of.Member(name)
	switch m.Kind() {
	case kind:
		return m, nil
	case payload.Absent:
		return m, r.file.fault(r.offset(of), "this is no entry of a journal: %q is missing", name)
	}
	return m, r.file.fault(r.offset(m), "this is no entry of a journal: %q is %s, want %s", name, m.Kind(), kind)
}

func (r recorded) call() (*Call, error) {
	method, err := r.want(r.v, "method", payload.String)
	if err != nil {
		return nil, err
	}
	path, err := r.want(r.v, "path", payload.String)
	if err != nil {
		return nil, err
	}
	request, err := r.want(r.v, "request", payload.Object)
	if err != nil {
		return nil, err
	}
	response, err := r.want(r.v, "response", payload.Object)
	if err != nil {
		return nil, err
	}
	c := &Call{User: r.v.Member("user").Text(), Release: r.v.Member("release").Text(), RequestCut: request.Member("cut").Bool(), ResponseCut: response.Member("cut").Bool(), Pos: r.position}
	c.Request = &scenarios.Request{Method: method.Text(), Path: path.Text(), Query: r.v.Member("query").Text(), Header: http.Header{}}
	if c.Request.Body, err = r.body(request); err != nil {
		return nil, err
	}
	for name, values := range request.Member("header").Members() {
		key := http.CanonicalHeaderKey(name)
		c.Request.Header[key] = append(c.Request.Header[key], textsIn(values)...)
	}
	c.Response = &scenarios.Response{}
	if c.Response.Body, err = r.body(response); err != nil {
		return nil, err
	}
	if response.Member("status").Kind() == payload.Absent { // nothing was answered
		c.Response = nil
		return c, nil
	}
	status, err := r.want(response, "status", payload.Number)
	if err != nil {
		return nil, err
	}
	if c.Response.Status, err = strconv.Atoi(status.Literal()); err != nil || c.Response.Status < 100 || c.Response.Status > 599 {
		return nil, r.file.fault(r.offset(status), "this is no entry of a journal: the status is none from 100 to 599")
	}
	for name, values := range response.Member("header").Members() {
		c.Response.Header = append(c.Response.Header, scenarios.Field{Name: name, Values: textsIn(values)})
	}
	if hasHeader(c.Response.Header, errorHeader) {
		c.Response = nil // a refusal of ours
	}
	return c, nil
}

// body is that of a request, or of a response: JSON, or a text, or bytes.
func (r recorded) body(of payload.Value) ([]byte, error) {
	if text := of.Member("text"); text.Kind() == payload.String {
		return []byte(text.Text()), nil
	}
	if coded := of.Member("bytes"); coded.Kind() == payload.String {
		b, err := base64.StdEncoding.DecodeString(coded.Text())
		if err != nil {
			return nil, r.file.fault(r.offset(coded), "this is no entry of a journal: bytes are not in base64")
		}
		return b, nil
	}
	return of.Member("body").AppendJSON(nil), nil
}

func textsIn(v payload.Value) (all []string) {
	if v.Kind() == payload.String { // others than we write it so
		return []string{v.Text()}
	}
	for _, e := range v.Elems() {
		all = append(all, e.Text())
	}
	return all
}

// position is where a part of the entry stands.
func (r recorded) position(place string) token.Position {
	name, what, _ := strings.Cut(place, " ")
	side := r.v.Member(name)
	if side.Kind() == payload.Absent {
		return r.file.position(r.at)
	}
	at := side
	header, named := strings.CutPrefix(what, "header ")
	switch {
	case named:
		if all := side.Member("header"); all.Kind() == payload.Object {
			at = all
			for name, values := range all.Members() {
				if strings.EqualFold(name, header) {
					at = values
				}
			}
		}
	case what == "status":
		at = side.Member("status")
	default:
		for _, name := range []string{"body", "text", "bytes"} {
			if body := side.Member(name); body.Kind() != payload.Absent {
				at = body
				break
			}
		}
		for name := range strings.SplitSeq(strings.TrimPrefix(what, "/"), "/") {
			next := at.At(pointerText.Replace(name))
			if what == "" || next.Kind() == payload.Absent {
				break
			}
			at = next
		}
	}
	return r.file.position(r.offset(at))
}
