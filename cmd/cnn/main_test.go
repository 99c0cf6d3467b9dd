package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// command runs it.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(args, &out, &errs)
	return code, out.String(), errs.String()
}

// expect is a call of the command, its exit code and what it says.
type expect struct {
	args []string
	code int
	out  string // part of stdout
	err  string // part of stderr
}

// progress is what long work prints, on a busy machine also short work.
var progress = regexp.MustCompile(`(?m)^\d+/\d+, .* left\n`)

// check runs each call. One that ends well prints no error.
func check(t *testing.T, calls []expect) {
	t.Helper()
	for _, c := range calls {
		code, out, errs := command(t, c.args...)
		errs = progress.ReplaceAllString(errs, "")
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs, c.err) {
			t.Errorf("cnn %s: exit %d, want %d\nstdout (want %q): %s\nstderr (want %q): %s", strings.Join(c.args, " "), code, c.code, c.out, out, c.err, errs)
		}
		if code == 0 && errs != "" && c.err == "" {
			t.Errorf("cnn %s: stderr: %s", strings.Join(c.args, " "), errs)
		}
	}
}

func words(text string) []string { return strings.Fields(text) }

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

// failingWriter is a full disk.
type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestCommandLine(t *testing.T) {
	check(t, []expect{
		{words(""), 0, "inspect", ""},
		{words("help"), 0, "inspect", ""},
		{words("-help"), 0, "inspect", ""},
		{words("inspect -h"), 0, "FILE", ""},
		{words("run -h"), 0, "At least one of -outdir, -compare and -repeat is required", ""},
		{words("run -h"), 0, "Exit codes: see cnn help.", ""},
		{words("classify -h"), 0, "Exit codes: see cnn help.", ""},
		{words("features -h"), 0, "Exit codes: see cnn help.", ""},
		{words("filters -h"), 0, "Exit codes: see cnn help.", ""},
		{words("inspect -h"), 0, "Exit codes: see cnn help.", ""},
		{words("dance"), 2, "", "unknown command"},
		{words("inspect"), 2, "", "want an ONNX file"},
		{words("inspect -dance x"), 2, "", "unknown flag"},
	})
	for _, args := range []string{"help", "inspect -h"} {
		var errs strings.Builder
		if code := run(words(args), failingWriter{}, &errs); code != 2 || strings.Count(errs.String(), "no space left") != 1 {
			t.Errorf("cnn %s: exit %d, want 2; stderr: %s", args, code, errs.String())
		}
	}
}
