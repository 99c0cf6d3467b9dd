package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/convgl/convgl/backend"
)

var errOwn = errors.New("known to the program alone")

func ownCode(err error) int {
	if errors.Is(err, errOwn) {
		return ExitRefused
	}
	return ExitOK
}

func TestExitCode(t *testing.T) {
	for _, c := range []struct {
		err     error
		started bool
		want    int
	}{
		{nil, true, 0},
		{ErrDisagree, true, 1},
		{backend.ErrDeviceLost, true, 1},
		{errors.New("unknown flag"), false, 2},
		{Usagef("-k: got %d", 1), true, 2},
		{&fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission}, true, 2},
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, true, 2},
		{&os.LinkError{Op: "rename", Old: "x", New: "y", Err: syscall.EIO}, true, 2},
		{fmt.Errorf("write %q: %w as a folder", "x", fs.ErrExist), true, 2},
		{&backend.UnavailableError{Backend: "gl"}, true, 3},
		{fmt.Errorf("model: %w", errOwn), true, 4},
		{fmt.Errorf("wait: %w", context.Canceled), true, 130},
	} {
		if got := exitCode(c.err, c.started, ownCode); got != c.want {
			t.Errorf("%v: got %d, want %d", c.err, got, c.want)
		}
	}
	if got := exitCode(errOwn, true, nil); got != ExitDisagree {
		t.Errorf("without a function for codes: got %d", got)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// testTree is a command "tool" with the subcommand "work".
func testTree(work func(*cobra.Command) error) *cobra.Command {
	root := &cobra.Command{Use: "tool", Short: "a test"}
	sub := &cobra.Command{Use: "work", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return work(c) }}
	sub.Flags().Int("size", 1, "a number")
	root.AddCommand(sub)
	return root
}

func TestRun(t *testing.T) {
	say := func(c *cobra.Command) error {
		n, err := c.Flags().GetInt("size")
		fmt.Fprintln(c.OutOrStdout(), "size", n)
		return err
	}
	for _, c := range []struct {
		args      string
		work      func(*cobra.Command) error
		code      int
		out, errs string
	}{
		{"work -size 3", say, 0, "size 3\n", ""},
		{"work -size x", say, 2, "", "see tool help, or tool help COMMAND"},
		{"dance", say, 2, "", "tool: unknown command"},
		{"work", func(*cobra.Command) error { return errOwn }, 4, "", "tool: known to the program alone\n"},
		{"work", func(*cobra.Command) error { return Usagef("no") }, 2, "", "tool: no\n"},
		{"work", func(*cobra.Command) error { return Usagef("a\x1b[2J\r\u009b\tß\nb") }, 2, "", `tool: a\x1b[2J\x0d\x9b` + "\tß\nb\n"},
		{"work", func(c *cobra.Command) error {
			if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
				return err
			}
			<-c.Context().Done()
			return c.Context().Err()
		}, 130, "", "tool: interrupted\n"},
	} {
		var out, errs bytes.Buffer
		code := Run(testTree(c.work), strings.Fields(c.args), &out, &errs, ownCode)
		if code != c.code || out.String() != c.out || !strings.Contains(errs.String(), c.errs) {
			t.Errorf("%s: exit %d, want %d; %q; %q", c.args, code, c.code, out.String(), errs.String())
		}
	}
	var errs bytes.Buffer
	if code := Run(testTree(say), []string{"work"}, failingWriter{}, &errs, nil); code != ExitUsage || strings.Count(errs.String(), "no space left") != 1 {
		t.Errorf("a full disk: exit %d, %s", code, errs.String())
	}
}

// A command that waits for what no signal ends is left.
func TestRunStuck(t *testing.T) {
	defer func(d time.Duration) { grace = d }(grace)
	grace = 10 * time.Millisecond
	stuck := make(chan struct{})
	defer close(stuck)
	var out, errs bytes.Buffer
	code := Run(testTree(func(*cobra.Command) error {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			return err
		}
		<-stuck
		return nil
	}), []string{"work"}, &out, &errs, nil)
	if code != ExitInterrupted || errs.String() != "tool: interrupted\n" {
		t.Errorf("exit %d, %q", code, errs.String())
	}
}

func TestLongFlags(t *testing.T) {
	got := longFlags([]string{"perf", "-backend", "cpu", "--prb=a", "-h", "-1", "-x=y", "--", "-raw"})
	want := []string{"perf", "--backend", "cpu", "--prb=a", "-h", "-1", "--x=y", "--", "-raw"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLists(t *testing.T) {
	if got, err := SplitList("f", "a, b"); err != nil || !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := Positive("f", "1,20"); err != nil || !slices.Equal(got, []int{1, 20}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"a,,b", "a,a", "0", "-1", "x", "1048577"} {
		if got, err := Positive("f", text); err == nil || !strings.Contains(err.Error(), "-f") {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

// Elsewhere than on a terminal there is a line every few seconds, none for quick work
// and none at the end.
func TestProgressLines(t *testing.T) {
	var w bytes.Buffer
	p := NewProgress(&w, 10)
	now := p.start
	p.now = func() time.Time { return now }
	for range 10 {
		now = now.Add(2 * time.Second)
		p.Step()
	}
	p.End()
	if want := "3/10, 14 s left\n6/10, 8 s left\n9/10, 2 s left\n"; w.String() != want {
		t.Errorf("got %q, want %q", w.String(), want)
	}
}

// On a terminal there is a bar with the time left, which is gone at the end.
func TestProgressBar(t *testing.T) {
	var w bytes.Buffer
	p := NewProgress(&w, 4)
	p.terminal = true
	now := p.start
	p.now = func() time.Time { return now }
	for range 3 {
		now = now.Add(time.Minute)
		p.Step()
	}
	p.Hide()
	p.End()
	for _, part := range []string{"3 min left", "2 min left", "60 s left", "(3/4)"} {
		if !strings.Contains(w.String(), part) {
			t.Errorf("no %q in %q", part, w.String())
		}
	}
	text := strings.TrimRight(w.String(), "\r")
	if i := strings.LastIndex(text, "\r"); strings.TrimSpace(text[i+1:]) != "" {
		t.Errorf("the bar is left: %q", text[i+1:])
	}
}

func TestLeft(t *testing.T) {
	for _, c := range []struct {
		spent       time.Duration
		done, total int
		want        string
	}{
		{10 * time.Second, 1, 2, "10 s left"},
		{10 * time.Second, 1, 1, "0 s left"},
		{10 * time.Second, 3, 2, "0 s left"},
		{time.Minute, 1, 3, "2 min left"},
		{time.Hour, 2, 7, "2 h 30 min left"},
	} {
		if got := left(c.spent, c.done, c.total); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
