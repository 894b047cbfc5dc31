package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/oigmock/oigmock/schemas"
	"github.com/spf13/cobra"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version, and the releases of OIG that are known",
		Args:  cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			fmt.Fprintf(cmd.OutOrStdout(), "oigmock %s\n%s\nreleases of OIG: %s\n",
				version(), runtime.Version(), strings.Join(schemas.Releases(), ", "))
		},
	}
}

// version is that of the module, as the build knows it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
