// Package cli is what the commands have in common: exit codes, which error means
// which, flags with one dash, signals, output that cannot be written, and progress.
package cli

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
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/convgl/convgl/backend"
)

// The exit codes.
const (
	ExitOK          = 0
	ExitDisagree    = 1 // a result is wrong, or something failed on the way
	ExitUsage       = 2 // the command line, an input file, or a file that cannot be read or written
	ExitUnavailable = 3 // a backend that was asked for is not there
	ExitRefused     = 4 // a model is damaged, wrong or not supported
	ExitInterrupted = 130
)

// ErrDisagree ends a command that has already reported what is wrong.
var ErrDisagree = errors.New("not all is well; see the report")

// UsageError is a fault of the command line, of an input file, or in writing the
// output.
type UsageError struct{ Err error }

func (e UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e UsageError) Unwrap() error { return e.Err }

// Usagef returns a UsageError with that text.
func Usagef(format string, args ...any) error { return UsageError{fmt.Errorf(format, args...)} }

// Run executes the command tree with the arguments and returns the exit code. The
// error, if any, goes to stderr. Code gives exit codes to errors that only the
// program knows; it returns 0 for others, and may be nil.
//
// The first interrupt ends the command's context, and the command with code 130 where it
// does not end by itself within grace, as in a file that does not come; the second one
// the process.
func Run(root *cobra.Command, args []string, stdout, stderr io.Writer, code func(error) int) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	out := &stickyWriter{w: stdout}
	root.SetOut(out)
	root.SetErr(stderr)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	started := false
	mark(root, &started)
	root.SetArgs(longFlags(args))
	err := execute(ctx, root)
	if errors.Is(err, errLeft) { // it may still use out and the flags
		fmt.Fprintf(stderr, "%s: interrupted\n", root.Name())
		return ExitInterrupted
	}
	if out.err != nil && (err == nil || errors.Is(err, out.err)) {
		started = true // the command line was right, help included
		err = Usagef("write the output: %w", out.err)
	}
	n := exitCode(err, started, code)
	name := root.Name()
	switch {
	case err == nil:
	case n == ExitInterrupted:
		fmt.Fprintf(stderr, "%s: interrupted\n", name)
	default:
		fmt.Fprintf(stderr, "%s: %s\n", name, printable(err.Error()))
	}
	if !started && n == ExitUsage {
		fmt.Fprintf(stderr, "%s: see %s help, or %[2]s help COMMAND\n", name, name)
	}
	return n
}

// grace is how long an interrupted command may take to end.
var grace = 5 * time.Second

// errLeft says that a command was left to itself.
var errLeft = errors.New("left")

// execute runs the command, and leaves it when it does not end after ctx.
func execute(ctx context.Context, root *cobra.Command) error {
	done := make(chan error, 1)
	go func() { done <- root.ExecuteContext(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(grace):
		return errLeft
	}
}

// printable escapes what would steer a terminal: errors quote names from files.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			fmt.Fprintf(&b, `\x%02x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// mark makes every command below c set started when it begins: an error before that
// is one of the command line.
func mark(c *cobra.Command, started *bool) {
	for _, sub := range c.Commands() {
		if inner := sub.RunE; inner != nil {
			sub.RunE = func(cmd *cobra.Command, args []string) error {
				*started = true
				return inner(cmd, args)
			}
		}
		mark(sub, started)
	}
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

func exitCode(err error, started bool, code func(error) int) int {
	var usage UsageError
	var missing *backend.UnavailableError
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, context.Canceled):
		return ExitInterrupted
	case misnamed(err):
		return ExitUsage
	case errors.As(err, &missing):
		return ExitUnavailable
	}
	if code != nil {
		if n := code(err); n != ExitOK {
			return n
		}
	}
	if !started || errors.As(err, &usage) || IsFileError(err) {
		return ExitUsage
	}
	return ExitDisagree
}

// IsFileError reports whether a file could not be read or written.
func IsFileError(err error) bool {
	var path *fs.PathError
	var link *os.LinkError
	return errors.As(err, &path) || errors.As(err, &link) || errors.Is(err, fs.ErrExist) // a folder where a file shall be
}
