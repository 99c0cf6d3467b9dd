package main

import (
	"io"

	"github.com/spf13/cobra"

	_ "github.com/convgl/convgl/backend/cpu"
	_ "github.com/convgl/convgl/backend/gl"
	_ "github.com/convgl/convgl/backend/ref"
	"github.com/convgl/convgl/bench"
	"github.com/convgl/convgl/internal/cli"
)

// run is the whole command: it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	return cli.Run(rootCommand(), args, stdout, stderr, errorCode)
}

// rootCommand returns the command tree.
func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "cnnbench",
		Short: "verify and measure convolution kernels on the CPU and OpenGL",
		Long: `cnnbench verifies and measures convolution kernels on the CPU and OpenGL.

Flags may have one dash or two. Exit codes: 0 fine, 1 disagreement or regression,
2 usage, bad input or a file that cannot be read or written, 3 a backend that was
asked for is not there, 130 interrupted.`,
	}
	root.AddCommand(verifyCommand(), perfCommand(), modelCommand(), loadCommand(), conformCommand(), demoCommand(), reportCommand(), rooflineCommand(), listCommand(), envCommand())
	return root
}

// errorCode gives the exit codes of errors that cli does not know.
func errorCode(err error) int {
	if bench.IsParseError(err) {
		return cli.ExitUsage
	}
	return cli.ExitOK
}
