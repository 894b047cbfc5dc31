package main

import (
	"fmt"
	"go/token"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/oigmock/oigmock/mockserver"
	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
	"github.com/spf13/cobra"
)

func compareCommand() *cobra.Command {
	var from, to, format string
	cmd := &cobra.Command{
		Use:   "compare --from RELEASE --to RELEASE [flags] [JOURNAL|DIR|FILE...]",
		Short: "say what differs between two releases of OIG, or which calls break",
		Long: `compare says what differs between two releases of OIG, operation by operation:
what breaks a client, and what only adds something.

Given calls, it says which of them break, and at which line. They come from
journals, as GET /journal of the admin API answers them, whole or an entry a
line, or as who follows a journal is sent them; - is what is typed. Or they are
the examples of scenarios: of a folder, of .yaml files, or of library.

It ends with 0 where nothing differs, or no call breaks, with 1 where
something does, and with 2 where the command line makes no sense, or something
cannot be read.`,
		Example: `  oigmock compare --from 11.1.2.3 --to 14.1.2
  curl -s http://127.0.0.1:8081/journal > journal.json
  oigmock compare --from 11.1.2.3 --to 14.1.2 journal.json
  oigmock compare --from 11.1.2.3 --to 14.1.2 --format sarif my-scenarios`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains([]string{"text", "json", "sarif"}, format) {
				return misusef("--format %q is none of text, json, sarif", format)
			}
			f, err := releaseOf("--from", from)
			if err != nil {
				return err
			}
			t, err := releaseOf("--to", to)
			if err != nil {
				return err
			}
			if from == to {
				return misusef("--from and --to are the same release; known: %s", strings.Join(schemas.Releases(), ", "))
			}
			b := comparing{Comparison: mockserver.Compare(f, t), from: f, to: to, format: format, stdin: cmd.InOrStdin(), out: cmd.OutOrStdout()}
			if len(args) == 0 {
				err = b.differences(cmd.ErrOrStderr())
			} else {
				err = b.calls(args, cmd.ErrOrStderr())
			}
			return err
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the `RELEASE` that a client was made for")
	cmd.Flags().StringVar(&to, "to", "", "the `RELEASE` to come")
	cmd.Flags().StringVar(&format, "format", "text", "how to print what is found: `text|json|sarif`")
	return cmd
}

// releaseOf is a release of the library.
func releaseOf(flag, release string) (cfg mockserver.Config, err error) {
	known := strings.Join(schemas.Releases(), ", ")
	if release == "" {
		return cfg, misusef("%s is missing; known: %s", flag, known)
	}
	cfg.Release = release
	if cfg.Contract, err = schemas.OIG(release); err != nil {
		return cfg, misusef("%s: %w", flag, err)
	}
	cfg.Scenarios, err = scenarios.OIG(release)
	return cfg, err
}

// comparing is one run of compare.
type comparing struct {
	*mockserver.Comparison
	from   mockserver.Config
	to     string
	format string
	stdin  io.Reader
	out    io.Writer
}

func (b *comparing) differences(summary io.Writer) error {
	all := b.Differences()
	var err error
	switch b.format {
	case "text":
		err = b.text(all)
	case "json":
		err = indented(b.out, inJSON(all))
	case "sarif":
		found := make([]mockserver.Finding, len(all))
		for i := range all {
			d := &all[i]
			found[i] = mockserver.Finding{Pos: d.Pos(), Level: levelOf(d), Rule: d.Kind, Text: d.Operation + ": " + toldOf(d)}
		}
		err = writeSARIF(b.out, found)
	}
	if err != nil {
		return fmt.Errorf("writing what differs: %w", err)
	}
	breaking := 0
	for i := range all {
		if all[i].Breaking {
			breaking++
		}
	}
	fmt.Fprintf(summary, "%s from %s to %s, %d of them breaking\n", count(len(all), "difference"), b.from.Release, b.to, breaking)
	if len(all) > 0 {
		return errTold
	}
	return nil
}

// text groups the differences by operation.
func (b *comparing) text(all []mockserver.Difference) error {
	var w strings.Builder
	last := ""
	for i := range all {
		d := &all[i]
		if d.Operation != last {
			if last != "" {
				w.WriteByte('\n')
			}
			last = d.Operation
			w.WriteString(oneLine(last))
			if from, to := b.Sources(last); from != "" || to != "" {
				var rests []string
				if from != "" {
					rests = append(rests, b.from.Release+" "+from)
				}
				if to != "" {
					rests = append(rests, b.to+" "+to)
				}
				w.WriteString("  (" + strings.Join(rests, ", ") + ")")
			}
			w.WriteByte('\n')
		}
		word := "adds  "
		if d.Breaking {
			word = "breaks"
		}
		w.WriteString("  " + word + "  " + oneLine(d.String()) + "\n")
	}
	_, err := io.WriteString(b.out, w.String())
	return err
}

// maxBreaks is how many lines of calls are told. A journal may hold the same
// call a hundred thousand times.
const maxBreaks = 10_000

// calls says which calls break. They are judged one by one as they are read, and
// only how they break is kept.
func (b *comparing) calls(args []string, summary io.Writer) error {
	var found []mockserver.Break
	calls, broken, outside, unmade, untold := 0, 0, 0, 0, 0
	judge := func(call *mockserver.Call) {
		if call == nil {
			unmade++
			return
		}
		calls++
		breaks, inside := b.Breaks(call)
		if !inside {
			outside++
		}
		if len(breaks) > 0 {
			broken++
		}
		for i := range breaks {
			if len(found) < maxBreaks {
				found = append(found, breaks[i])
			} else {
				untold++
			}
		}
	}
	var files []string // of scenarios
	for _, arg := range args {
		if namesScenarios(arg) {
			files = append(files, arg)
			continue
		}
		name, src, err := b.journal(arg)
		if err != nil {
			return misusef("reading a journal: %w", err)
		}
		for call, err := range mockserver.ReadJournal(name, src) {
			if err != nil {
				return misuse{err}
			}
			judge(call)
		}
	}
	if len(files) > 0 {
		sources, err := arguments(files)
		if err != nil {
			return err
		}
		s := &set{releases: []string{b.from.Release}, schemas: library, sources: sources}
		l := s.load()
		l.wantFiles()
		if faults := l.faults(); len(faults) > 0 {
			return misusef("%s; oigmock check tells all", faults[0])
		}
		for call := range mockserver.Examples(s.config(l), s.beside()...) {
			judge(call)
		}
	}
	slices.SortStableFunc(found, func(x, y mockserver.Break) int {
		if x.Pos.Filename != y.Pos.Filename {
			return strings.Compare(x.Pos.Filename, y.Pos.Filename)
		}
		return x.Pos.Line - y.Pos.Line
	})
	if err := b.writeBreaks(found); err != nil {
		return fmt.Errorf("writing what breaks: %w", err)
	}
	verb := "break"
	if broken == 1 {
		verb = "breaks"
	}
	text := fmt.Sprintf("%d of %s of %s %s in %s", broken, count(calls, "call"), b.from.Release, verb, b.to)
	if outside > 0 {
		text += fmt.Sprintf("; %d went to no operation of %s, or to another release", outside, b.from.Release)
	}
	if unmade > 0 {
		text += fmt.Sprintf("; %s no example of a call to one operation", plural(unmade, "interaction has", "interactions have"))
	}
	if untold > 0 {
		text += fmt.Sprintf("; %d more lines are not told", untold)
	}
	fmt.Fprintln(summary, text)
	if broken > 0 {
		return errTold
	}
	return nil
}

func plural(n int, one, many string) string {
	if n == 1 {
		many = one
	}
	return fmt.Sprint(n, " ", many)
}

// namesScenarios tells whether an argument names scenarios, as check takes them.
func namesScenarios(arg string) bool {
	end := filepath.Ext(arg)
	return arg == library || end == ".yaml" || end == ".yml" || isFolder("", arg) == nil
}

func (b *comparing) journal(arg string) (name string, src []byte, err error) {
	if arg == "-" {
		src, err = readMost(b.stdin, arg, mockserver.MaxJournal)
		return "-", src, err
	}
	src, err = readAtMost(arg, mockserver.MaxJournal)
	return arg, src, err
}

func (b *comparing) writeBreaks(found []mockserver.Break) error {
	switch b.format {
	case "json":
		type inCall struct {
			File   string `json:"file"`
			Line   int    `json:"line"`
			Column int    `json:"column"`
			differenceJSON
			More int `json:"more,omitempty"`
		}
		list := make([]inCall, len(found))
		for i := range found {
			x := &found[i]
			list[i] = inCall{x.Pos.Filename, x.Pos.Line, x.Pos.Column, jsonOf(&x.Difference), x.More}
		}
		return indented(b.out, list)
	case "sarif":
		list := make([]mockserver.Finding, len(found))
		for i := range found {
			x := &found[i]
			list[i] = mockserver.Finding{Pos: x.Pos, Level: mockserver.LevelFault, Rule: x.Kind, Text: x.Operation + ": " + toldOf(&x.Difference)}
		}
		return writeSARIF(b.out, list)
	}
	for i := range found {
		if _, err := fmt.Fprintln(b.out, oneLine(found[i].String())); err != nil {
			return err
		}
	}
	return nil
}

func levelOf(d *mockserver.Difference) mockserver.Level {
	if d.Breaking {
		return mockserver.LevelFault
	}
	return mockserver.LevelNote
}

// toldOf is a difference without its line.
func toldOf(d *mockserver.Difference) string {
	if d.Place == "" {
		return d.Text
	}
	return d.Place + ": " + d.Text
}

type differenceJSON struct {
	Operation string    `json:"operation"`
	Kind      string    `json:"kind"`
	Place     string    `json:"place"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Text      string    `json:"text"`
	Breaking  bool      `json:"breaking"`
	FromPos   *lineJSON `json:"fromPos,omitempty"`
	ToPos     *lineJSON `json:"toPos,omitempty"`
}

type lineJSON struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

func jsonOf(d *mockserver.Difference) differenceJSON {
	at := func(p token.Position) *lineJSON {
		if !p.IsValid() {
			return nil
		}
		return &lineJSON{p.Filename, p.Line, p.Column}
	}
	return differenceJSON{d.Operation, d.Kind, d.Place, d.From, d.To, d.Text, d.Breaking, at(d.FromPos), at(d.ToPos)}
}

func inJSON(all []mockserver.Difference) []differenceJSON {
	list := make([]differenceJSON, len(all))
	for i := range all {
		list[i] = jsonOf(&all[i])
	}
	return list
}
