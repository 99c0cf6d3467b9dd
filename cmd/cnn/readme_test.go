package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/convgl/convgl/cnn/models"
	"github.com/convgl/convgl/onnx"
)

// Every command of the README that shows what it prints prints that; figures of a
// backend and times differ by machine.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	n, err := models.LeNet()
	if err != nil {
		t.Fatal(err)
	}
	n.Init(1)
	g, err := n.Graph()
	if err != nil {
		t.Fatal(err)
	}
	if err := onnx.ExportFile("lenet.onnx", g); err != nil {
		t.Fatal(err)
	}
	npy(t, "digit.npy", make([]float32, 784), 1, 1, 28, 28)
	machine := regexp.MustCompile(`(?m)^(backend|steps|memory) .*\n|[0-9.]+[nµm]?s\b|ok: .*`)
	found := 0
	for _, block := range regexp.MustCompile("(?s)```\n(\\$ cnn .*?)```").FindAllStringSubmatch(string(readme), -1) {
		for _, session := range strings.Split(block[1], "$ cnn ")[1:] {
			found++
			line, want, _ := strings.Cut(session, "\n")
			args := words(line)
			if !strings.Contains(line, "-backend") {
				args = append(args, "-backend", "cpu")
			}
			code, out, errs := command(t, args...)
			mask := func(s string) string { return machine.ReplaceAllString(s, "…") }
			if code != 0 || mask(out) != mask(want) {
				t.Errorf("cnn %s: exit %d: %sgot\n%swant\n%s", line, code, errs, out, want)
			}
		}
	}
	if found < 3 {
		t.Errorf("found %d commands with what they print", found)
	}
	if _, err := os.Stat(filepath.Join("out", "output_0.npy")); err != nil {
		t.Error(err)
	}
}
