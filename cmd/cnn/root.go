package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/onnx"
)

// run is the whole command: it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	return cli.Run(rootCommand(), args, stdout, stderr, errorCode)
}

// rootCommand returns the command tree. Each command has a file of its own.
func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "cnn",
		Short: "run trained networks from ONNX files on the CPU and OpenGL",
		Long: `cnn runs trained networks from ONNX files on every core of the CPU, or on a GPU with
OpenGL 4.3.

Flags may have one dash or two. Exit codes: 0 fine, 1 a result is not what was
expected, 2 usage, bad input or a file that cannot be read or written, 3 the backend
that was asked for is not there, 4 the model is damaged, wrong or not supported, 130
interrupted.`,
	}
	root.AddCommand(
		runCommand(),
		classifyCommand(),
		featuresCommand(),
		filtersCommand(),
		inspectCommand(),
	)
	return root
}

// errorCode gives the exit codes of errors that cli does not know.
func errorCode(err error) int {
	var refused *onnx.RefusedError
	if errors.As(err, &refused) || errors.Is(err, errors.ErrUnsupported) {
		return cli.ExitRefused
	}
	return cli.ExitOK
}
