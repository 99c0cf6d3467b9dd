package onnx

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/convgl/convgl/internal/atomicfile"
)

var update = flag.Bool("update", false, "write the table of ops in docs/onnx.md again")

// where says where an op is computed.
func (o op) where() string {
	switch {
	case o.build == nil, o.name == "Shape", o.name == "Size", o.name == "Constant":
		return "host"
	case o.host == nil:
		return "device"
	}
	return "both"
}

// TestDocs holds the table of ops in docs/onnx.md up to date.
func TestDocs(t *testing.T) {
	const path = "../docs/onnx.md"
	var b strings.Builder
	b.WriteString("\n| op | versions | computed on | limits |\n|---|---|---|---|\n")
	for _, o := range table {
		var versions []string
		for i, v := range o.since {
			if i+1 == len(o.since) || o.since[i+1] > minOpset { // others are of opsets that are not read
				versions = append(versions, fmt.Sprint(v))
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", o.name, strings.Join(versions, ", "), o.where(), o.limits)
	}
	b.WriteString("\n")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), "-update -->\n")
	_, tail, ok2 := strings.Cut(rest, "<!-- end -->")
	if !ok || !ok2 {
		t.Fatal("docs/onnx.md has no place for the table")
	}
	want := head + "-update -->\n" + b.String() + "<!-- end -->" + tail
	if *update {
		err := atomicfile.Write(path, func(w io.Writer) error {
			_, err := io.WriteString(w, want)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != want {
		t.Error("the table in docs/onnx.md is not that of the ops: go test ./onnx -run TestDocs -update")
	}
}
