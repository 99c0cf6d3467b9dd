package cnn

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s (go test -update writes it anew)\ngot\n%s\nwant\n%s", path, got, want)
	}
}

func summaryNet(t *testing.T, dims ...int) *Net {
	return must(t)(New("tiny", dims,
		Named("stem", Sequential(Conv2D(16, 3, Stride(2), Padding(1), NoBias()), BatchNorm(), ReLU6())),
		Named("block", Residual(Sequential(Conv2D(16, 3, Same(), Groups(16)), ReLU()), Conv2D(16, 1))),
		Named("up", ConvTranspose2D(8, 2, Stride(2))),
		GlobalAvgPool(), Flatten(), Named("fc", Dense(10)), Softmax(),
	))
}

func TestSummaryGolden(t *testing.T) {
	golden(t, "summary.txt", summaryNet(t, 3, 32, 32).Summary())
	golden(t, "summary_dynamic.txt", summaryNet(t, 3, Dynamic, Dynamic).Summary())
	f, err := summaryNet(t, 3, 32, 32).Features("block")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "summary_features.txt", f.Summary())
	var b strings.Builder
	if err := summaryNet(t, 3, Dynamic, Dynamic).WriteSummary(&b, Shape(3, 64, 32)); err != nil {
		t.Fatal(err)
	}
	golden(t, "summary_sizes.txt", b.String())
}

// A row is about the layer's own ops, and each value is in one row.
func TestSummaryOwnOps(t *testing.T) {
	act := func(s *Scope, x *graph.Value) *graph.Value {
		return s.Apply(backend.Activation{Act: backend.Act{Kind: backend.Relu}}, x)
	}
	concat := func(s *Scope, x ...*graph.Value) *graph.Value {
		return s.Apply(backend.Concat{Axis: 1, Inputs: len(x)}, x...)
	}
	n := must(t)(New("own", Shape(2, 4, 4),
		Named("join", Func("Join", func(s *Scope, x ...*graph.Value) (*graph.Value, error) { // its op is not its output
			return s.Call("conv", Conv2D(3, 1), concat(s, x[0], x[0])), s.Err()
		})),
		Named("two", Func("Two", func(s *Scope, x ...*graph.Value) (*graph.Value, error) { // ops around a child, and one for nothing
			h := s.Call("pool", MaxPool2D(2), act(s, x[0]))
			act(s, h)
			return concat(s, h, h), s.Err()
		})),
		Named("call", Func("Call", func(s *Scope, x ...*graph.Value) (*graph.Value, error) { // no op
			return s.Call("relu", ReLU(), x...), s.Err()
		})),
		Named("most", Func("Most", func(s *Scope, x ...*graph.Value) (*graph.Value, error) { // an op with two outputs
			return s.Apply(backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2}}, Indices: true}, x...), s.Err()
		})),
		Named("sum", Residual(Sequential(), ReLU())),
	))
	golden(t, "summary_own.txt", n.Summary())

	b, g, err := n.build([]tensor.Shape{{1, 2, 4, 4}})
	if err != nil {
		t.Fatal(err)
	}
	var want int64
	seen := map[*graph.Node]int{}
	for v := range alive(g) {
		if node := v.Producer(); node != nil && seen[node] == 0 {
			seen[node]++
			want += valueBytes([]*graph.Node{node})
		}
	}
	for _, r := range b.records {
		for _, node := range r.liveNodes(alive(g)) {
			seen[node]++
		}
	}
	for node, k := range seen {
		if k != 2 {
			t.Errorf("node %s is in %d rows, want 1", node.Name(), k-1)
		}
	}
	if !strings.Contains(n.Summary(), " "+binaryBytes(want)+"\nparameters") {
		t.Errorf("the values of the graph have %s:\n%s", binaryBytes(want), n.Summary())
	}
}

// The figures are those of the formulas.
func TestSummaryFigures(t *testing.T) {
	s := summaryNet(t, 3, 32, 32).Summary()
	macs := 16*16*16*3*9 + 16*16*16*9 + 16*16*16*16 + 16*16*16*8*4 + 8*10
	params := 16*3*9 + 32 + 16*9 + 16 + 16*16 + 16 + 16*8*4 + 8 + 80 + 10
	for _, want := range []string{
		"  " + thousands(int64(params)) + "  ", "  " + thousands(int64(macs)) + "  ",
		"parameters: " + thousands(int64(params)) + " trainable, 32 not",
	} {
		if !strings.Contains(s, want) {
			t.Errorf("no %q in\n%s", want, s)
		}
	}
}

func TestSummaryErrors(t *testing.T) {
	n := summaryNet(t, 3, Dynamic, Dynamic)
	for _, sizes := range [][]InputShape{
		{Shape(3, 32)}, {Shape(1, 32, 32)}, {Shape(3, 32, -1)}, {Shape(3, 32, 32), Shape(3, 32, 32)},
	} {
		if err := n.WriteSummary(new(strings.Builder), sizes...); err == nil || !strings.Contains(err.Error(), "size") {
			t.Errorf("sizes %v: got %v", sizes, err)
		}
	}
	if err := n.WriteSummary(failing{}); err == nil {
		t.Error("a writer that fails: no error")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 25557032: "25,557,032"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 3 << 20: "3.0 MiB", 5 << 30: "5.0 GiB"} {
		if got := binaryBytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
