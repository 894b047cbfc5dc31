package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/oigmock/oigmock/mockserver"
	"github.com/oigmock/oigmock/scenarios"
	"github.com/spf13/cobra"
)

func checkCommand() *cobra.Command {
	var flags setFlags
	var format string
	cmd := &cobra.Command{
		Use:   "check [flags] [DIR|FILE...]",
		Short: "find the faults of scenarios and of the contract",
		Long: `check reads scenarios and the contract and tells all that is wrong with them,
one line each: FILE:LINE:COLUMN. Without an argument it checks the library.
Several arguments are laid over one another as serve lays them, the later tried
first: check library my-scenarios also tells which hides what of the other.
It ends with 0 where there is no fault (warnings and notes do no harm), with 1
where there are, and with 2 where the command line makes no sense.`,
		Example: `  oigmock check
  oigmock check library my-scenarios
  oigmock check --format sarif scenarios/provtasks/update.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			write := map[string]func(io.Writer, []mockserver.Finding) error{"text": writeText, "json": writeJSON, "sarif": writeSARIF}[format]
			if write == nil {
				return misusef("--format %q is none of text, json, sarif", format)
			}
			sources, err := arguments(args)
			if err != nil {
				return err
			}
			s, err := flags.setOf(sources)
			if err != nil {
				return err
			}
			l := s.load()
			l.wantFiles()
			s.check(l)
			if err := write(cmd.OutOrStdout(), l.found); err != nil {
				return fmt.Errorf("writing what was found: %w", err)
			}
			fmt.Fprintln(cmd.ErrOrStderr(), summary(l))
			if len(l.faults()) > 0 {
				return errTold
			}
			return nil
		},
	}
	flags.addContract(cmd)
	cmd.Flags().StringVar(&format, "format", "text", "how to print what is found: `text|json|sarif`")
	return cmd
}

// arguments are the sources that check is asked to read. Files of one folder
// are one source, as they would be when the folder is served.
func arguments(args []string) ([]source, error) {
	if len(args) == 0 {
		return []source{{dir: library}}, nil
	}
	var all []source
	for _, arg := range args {
		if arg == library {
			all = append(all, source{dir: library})
			continue
		}
		info, err := os.Stat(arg)
		switch {
		case os.IsNotExist(err):
			return nil, misusef("there is no file or folder %s", arg)
		case err != nil:
			return nil, misuse{err}
		case info.IsDir():
			all = append(all, source{dir: arg})
			continue
		}
		base := filepath.Base(arg)
		if end := filepath.Ext(base); end != ".yaml" && end != ".yml" || strings.HasPrefix(base, ".") {
			return nil, misusef("%s: the name of a scenario file ends in .yaml, and does not begin with a dot", arg)
		}
		dir := filepath.Dir(arg)
		at := slices.IndexFunc(all, func(s source) bool { return len(s.files) > 0 && s.dir == dir })
		if at < 0 {
			at = len(all)
			all = append(all, source{dir: dir})
		}
		if !slices.Contains(all[at].files, base) {
			all[at].files = append(all[at].files, base)
		}
	}
	return all, nil
}

// summary counts what was found.
func summary(l *loaded) string {
	var counts [3]int
	for _, f := range l.found {
		counts[f.Level]++
	}
	words := []string{"no faults"}
	if n := counts[mockserver.LevelFault]; n > 0 {
		words[0] = count(n, "fault")
	}
	if n := counts[mockserver.LevelWarning]; n > 0 {
		words = append(words, count(n, "warning"))
	}
	if n := counts[mockserver.LevelNote]; n > 0 {
		words = append(words, count(n, "note"))
	}
	return strings.Join(words, ", ") + " in " + count(l.files(), "file")
}

func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprint(n, " ", noun)
}

func writeText(w io.Writer, found []mockserver.Finding) error {
	for _, f := range found {
		if _, err := fmt.Fprintln(w, oneLine(f.String())); err != nil {
			return err
		}
	}
	return nil
}

func writeJSON(w io.Writer, found []mockserver.Finding) error {
	type finding struct {
		File   string `json:"file"`
		Line   int    `json:"line"`
		Column int    `json:"column"`
		Level  string `json:"level"`
		Rule   string `json:"rule"`
		Text   string `json:"text"`
	}
	list := make([]finding, len(found))
	for i, f := range found {
		list[i] = finding{f.Pos.Filename, f.Pos.Line, f.Pos.Column, f.Level.String(), f.Rule, f.Text}
	}
	return indented(w, list)
}

func indented(w io.Writer, v any) error {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(w, scenarios.Printable(b.String())) // all that it writes otherwise stands in texts
	return err
}
