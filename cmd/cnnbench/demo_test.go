package main

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/tensor"
)

func TestDemo(t *testing.T) {
	dir := t.TempDir()
	img := image.NewRGBA(image.Rect(0, 0, 20, 16))
	for i := range 320 {
		img.SetRGBA(i%20, i/20, color.RGBA{uint8(i), uint8(3 * i), uint8(i * i), 255})
	}
	good, bad := filepath.Join(dir, "good.png"), filepath.Join(dir, "bad.png")
	if err := tensor.SavePNG(good, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bad, []byte("\x89PNG\r\n\x1a\nhello"), 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	full, taken := filepath.Join(dir, "full"), filepath.Join(dir, "taken")
	if err := errors.Join(
		os.MkdirAll(filepath.Join(taken, "index.html"), 0o777),
		os.Mkdir(full, 0o777),
		os.Symlink("/dev/full", filepath.Join(full, "index.html")), // each write fails as on a full disk
	); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		text string // in what is printed
	}{
		{"fine", []string{"-image", good, "-out", out, "-backend", "ref,cpu"}, cli.ExitOK, "All results of ref, cpu agree."},
		{"no backend", []string{"-image", good, "-out", filepath.Join(dir, "none"), "-backend", "cpu,nosuch"}, cli.ExitUsage, "no such backend"},
		{"full disk", []string{"-image", good, "-out", full, "-backend", "cpu"}, cli.ExitUsage, "no space left"},
		{"in the way", []string{"-image", good, "-out", taken, "-backend", "cpu"}, cli.ExitUsage, "as a folder"},
		{"corrupt", []string{"-image", bad, "-out", out}, cli.ExitUsage, "bad.png"},
		{"missing", []string{"-image", filepath.Join(dir, "none.png"), "-out", out}, cli.ExitUsage, "none.png"},
		{"folder is a file", []string{"-image", good, "-out", good}, cli.ExitUsage, "folder"},
		{"list", []string{"-image", good, "-out", out, "-backend", "cpu,,gl"}, cli.ExitUsage, "-backend"},
		{"argument", []string{"picture.png"}, cli.ExitUsage, "picture.png"},
	} {
		var text bytes.Buffer
		if code := run(append([]string{"demo"}, c.args...), &text, &text); code != c.code || !strings.Contains(text.String(), c.text) {
			t.Errorf("%s: exit code %d, want %d with %q:\n%s", c.name, code, c.code, c.text, text.String())
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("a backend that does not exist: the output folder was made")
	}
	if _, err := os.Stat(filepath.Join(out, "index.html")); err != nil {
		t.Error(err)
	}
}
