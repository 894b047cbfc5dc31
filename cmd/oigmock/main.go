// Command oigmock stands in for the REST API of Oracle Identity Governance:
// it serves the contract, checks scenarios against it, explains what becomes of
// a request, and compares releases. Each verb has a file of its own.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/spf13/cobra"
)

// How a command ends.
const (
	fine    = 0
	faulty  = 1 // faults were found, or nothing answered
	misused = 2 // the command line makes no sense
)

// errTold ends a command with faulty: what there was to say has been said.
var errTold = errors.New("told")

// A misuse is an error in the command line, and not in what it names.
type misuse struct{ error }

func misusef(format string, args ...any) error { return misuse{fmt.Errorf(format, args...)} }

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run runs a command line and returns how it ends.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	begun := false // until then all errors are cobra's: about the command line
	root := &cobra.Command{
		Use:               "oigmock",
		Short:             "a mock of the REST API of Oracle Identity Governance, held to its contract",
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		PersistentPreRun:  func(*cobra.Command, []string) { begun = true },
	}
	root.AddCommand(serveCommand(), checkCommand(), explainCommand(), compareCommand(), versionCommand())
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteC()
	var wrong misuse
	switch {
	case err == nil:
		return fine
	case errors.Is(err, errTold):
		return faulty
	case begun && !errors.As(err, &wrong):
		fmt.Fprintf(stderr, "oigmock: %s\n", oneLine(err.Error()))
		return faulty
	}
	fmt.Fprintf(stderr, "oigmock: %s\n%s --help tells more\n", oneLine(suggestion(err.Error())), cmd.CommandPath())
	return misused
}

// suggestion puts what cobra suggests for an unknown command into the line.
func suggestion(text string) string {
	head, names, found := strings.Cut(text, "\n\nDid you mean this?\n")
	if !found {
		return text
	}
	return head + "; did you mean " + strings.Join(strings.Fields(names), " or ") + "?"
}

// oneLine keeps a text on its line, and out of the terminal's controls.
func oneLine(text string) string {
	return strings.ReplaceAll(scenarios.Printable(text), "\n", `\n`)
}
