//go:build unix

package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A pipe is refused wherever a file is read: waiting for it would not end.
func TestPipes(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "output_0.npy")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	model, x := small(t), oneToSixteen(t)
	colours, beside := brightest(t, "N", 3, 4, 4), brightest(t, "N", 3, 4, 4)
	if err := syscall.Mkfifo(strings.TrimSuffix(beside, ".onnx")+".json", 0o600); err != nil {
		t.Fatal(err)
	}
	const want = "want a regular file"
	check(t, []expect{
		{words("run -repeat 1 -model " + pipe), 2, "", want},
		{words("run -repeat 1 -backend cpu -model " + model + " -input " + pipe), 2, "", want},
		{words("run -backend cpu -model " + model + " -input " + x + " -compare " + dir), 2, "", want},
		{words("classify -backend cpu -model " + colours + " " + pipe), 2, "", want},
		{words("classify -backend cpu -model " + colours + " -labels " + pipe + " " + x), 2, "", "-labels: open " + pipe + ": got a file of mode prw-------, want a regular file"},
		{words("classify -backend cpu -model " + colours + " -preprocess " + pipe + " " + x), 2, "", want},
		{words("classify -backend cpu -model " + beside + " " + x), 2, "", want},
	})
}
