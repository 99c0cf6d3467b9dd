package graph_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// A run step by step is a run; its steps are those of the plan, with the copies.
func TestRunSteps(t *testing.T) {
	b := build(t, "net")
	x := b.in("x", -1, 3, 8, 8)
	c := b.op("conv", backend.Conv{Window: backend.Window{Kernel: []int{3, 3}}}, x, b.weights("w", 8, 3, 3, 3))
	f := b.op("flat", backend.Flatten{Axis: 1}, b.op("act", backend.Activation{Act: backend.Act{Kind: backend.Tanh}}, b.op("pool", backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2}}}, c)))
	b.out("y", b.op("dense", backend.Dense{}, f, b.weights("v", 4, 8*25)))
	b.out("c", c)
	b.out("k", b.weights("k", 2))
	for _, name := range []string{"ref", "cpu"} {
		be, err := backend.Open(name)
		b.must(err)
		m, err := graph.Compile(ctx, b.Graph, be)
		b.must(err)
		in := b.integers(2, 3, 8, 8)
		want, err := m.Run(ctx, in)
		b.must(err)
		p, err := m.Plan(ctx, in.Shape())
		b.must(err)
		kernels := 0
		var names []string
		got, err := m.RunSteps(ctx, []*tensor.Tensor{in}, func(s graph.Step, run func() error) error {
			names = append(names, s.Name)
			if (s.Op == nil) != (s.Info == nil) {
				t.Errorf("%s: %+v", name, s)
			}
			if s.Op != nil {
				kernels++
				if len(s.Info.Out) != 1 {
					t.Errorf("%s: %s: %+v", name, s.Name, s.Info)
				}
			}
			return run()
		})
		b.must(err)
		if len(got) != len(want) {
			t.Fatalf("%s: %d outputs, want %d", name, len(got), len(want))
		}
		for i := range want {
			if !got[i].Equal(want[i]) {
				t.Errorf("%s: output %d differs", name, i)
			}
		}
		if kernels != p.Steps() || names[0] != "x" || !slices.Contains(names, "conv") || !slices.Contains(names, "dense") || slices.Contains(names, "flat") ||
			!slices.Equal(names[len(names)-3:], []string{"y", "c", "k"}) {
			t.Errorf("%s: steps %q, want %d kernels", name, names, p.Steps())
		}

		// Kernels may run twice, but for those that overwrite what they read.
		repeat := func(again func(graph.Step) bool) ([]*tensor.Tensor, error) {
			return m.RunSteps(ctx, []*tensor.Tensor{in}, func(s graph.Step, run func() error) error {
				if s.InPlace != (s.Name == "act") {
					t.Errorf("%s: %s: in place %v", name, s.Name, s.InPlace)
				}
				if again(s) {
					b.must(run())
				}
				return run()
			})
		}
		twice, err := repeat(func(s graph.Step) bool { return !s.InPlace })
		b.must(err)
		for i := range want {
			if !twice[i].Equal(want[i]) {
				t.Errorf("%s: output %d differs after two runs of each step", name, i)
			}
		}
		if _, err := repeat(func(s graph.Step) bool { return s.InPlace }); err == nil || !strings.Contains(err.Error(), "run 2 times") {
			t.Errorf("%s: got %v", name, err)
		}
		if _, err := m.RunSteps(ctx, []*tensor.Tensor{in}, func(graph.Step, func() error) error { return nil }); err == nil || !strings.Contains(err.Error(), "run 0 times") {
			t.Errorf("%s: got %v", name, err)
		}
		stop := errors.New("stop")
		if _, err := m.RunSteps(ctx, []*tensor.Tensor{in}, func(graph.Step, func() error) error { return stop }); !errors.Is(err, stop) {
			t.Error(err)
		}
		if _, err := m.RunSteps(ctx, []*tensor.Tensor{b.integers(1, 4, 8, 8)}, nil); err == nil {
			t.Error("a wrong shape is taken")
		}
		b.must(m.Close())
		if _, err := m.RunSteps(ctx, []*tensor.Tensor{in}, nil); !errors.Is(err, backend.ErrClosed) {
			t.Error(err)
		}
		b.must(be.Close())
	}
}
