package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/cpu"
	_ "github.com/convgl/convgl/backend/gl"
	_ "github.com/convgl/convgl/backend/ref"
	"github.com/convgl/convgl/bench"
)

// The exit codes.
const (
	exitOK          = 0
	exitDisagree    = 1
	exitUsage       = 2
	exitUnavailable = 3
	exitInterrupted = 130
)

// errDisagree ends a command that has already reported what is wrong.
var errDisagree = errors.New("not all is well; see the report")

// usageError is a fault of the command line, of an input file, or in writing the
// output.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run is the whole command: it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	out := &stickyWriter{w: stdout}
	root, started := rootCommand(out, stderr)
	root.SetArgs(longFlags(args))
	err := root.ExecuteContext(ctx)
	if out.err != nil && (err == nil || errors.Is(err, out.err)) {
		*started = true // the command line was right, help included
		err = usagef("write the output: %w", out.err)
	}
	code := exitCode(err, *started)
	switch {
	case err == nil:
	case code == exitInterrupted:
		fmt.Fprintln(stderr, "cnnbench: interrupted")
	default:
		fmt.Fprintf(stderr, "cnnbench: %v\n", err)
	}
	if !*started && code == exitUsage {
		fmt.Fprintln(stderr, "cnnbench: see cnnbench help, or cnnbench help COMMAND")
	}
	return code
}

// stickyWriter keeps the first error, so that text which is printed line by line
// cannot get lost unseen (a full disk).
type stickyWriter struct {
	w   io.Writer
	err error
}

func (s *stickyWriter) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.w.Write(p)
	s.err = err
	return n, err
}

// rootCommand returns the command tree. Started turns true when a subcommand
// begins: an error before that is one of the command line.
func rootCommand(stdout, stderr io.Writer) (root *cobra.Command, started *bool) {
	root = &cobra.Command{
		Use:   "cnnbench",
		Short: "verify and measure convolution kernels on the CPU and OpenGL",
		Long: `cnnbench verifies and measures convolution kernels on the CPU and OpenGL.

Flags may have one dash or two. Exit codes: 0 fine, 1 disagreement or regression,
2 usage, bad input or a file that cannot be read or written, 3 a backend that was
asked for is not there, 130 interrupted.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(verifyCommand(), perfCommand(), conformCommand(), demoCommand(), reportCommand(), rooflineCommand(), listCommand(), envCommand())
	started = new(bool)
	for _, c := range root.Commands() {
		inner := c.RunE
		c.RunE = func(cmd *cobra.Command, args []string) error {
			*started = true
			return inner(cmd, args)
		}
	}
	return root, started
}

// longFlags gives -flag its second dash, since pflag reads a single one as a row
// of one-letter flags. What follows -- is left alone, and so are numbers.
func longFlags(args []string) []string {
	out := make([]string, len(args))
	rest := false
	for i, a := range args {
		rest = rest || a == "--"
		if !rest && len(a) > 2 && a[0] == '-' && a[1] != '-' && (a[1] < '0' || a[1] > '9') {
			a = "-" + a
		}
		out[i] = a
	}
	return out
}

func exitCode(err error, started bool) int {
	var usage usageError
	var missing *backend.UnavailableError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &missing):
		return exitUnavailable
	case !started, errors.As(err, &usage), bench.IsParseError(err), isFileError(err):
		return exitUsage
	}
	return exitDisagree
}

// isFileError reports whether a file could not be read or written.
func isFileError(err error) bool {
	var path *fs.PathError
	var link *os.LinkError
	return errors.As(err, &path) || errors.As(err, &link) || errors.Is(err, fs.ErrExist) // a folder where a file shall be
}

// splitList splits a list with commas; empty is nil.
func splitList(flag, text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	seen := map[string]bool{}
	list := strings.Split(text, ",")
	for i, s := range list {
		list[i] = strings.TrimSpace(s)
		if list[i] == "" || seen[list[i]] {
			return nil, usagef("-%s %s: want a list with commas, each item once", flag, text)
		}
		seen[list[i]] = true
	}
	return list, nil
}
