package models

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/cpu"
	_ "github.com/convgl/convgl/backend/ref"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

var ctx = context.Background()

// maxDeviation is what a compiled model may differ from the reference, as a share of
// the largest output.
const maxDeviation = 1e-4

// TestAgreeResNet50 holds every layer, and then the compiled network, on cpu and gl
// against ref.
func TestAgreeResNet50(t *testing.T) {
	size, arch := 64, ResNet50
	if testing.Short() {
		size = 32
	}
	if raceEnabled {
		size, arch = 16, ResNet18 // half of the weights
	}
	n, err := arch(WithClasses(100), WithInput(3, size, size))
	if err != nil {
		t.Fatal(err)
	}
	agree(t, n, 1, 3, size, size)
}

func TestAgreeUNet3D(t *testing.T) {
	base, size := 8, 16
	if testing.Short() || raceEnabled {
		base, size = 2, 8
	}
	n, err := UNet3D(WithInput(1, cnn.Dynamic, cnn.Dynamic, cnn.Dynamic), WithBase(base))
	if err != nil {
		t.Fatal(err)
	}
	agree(t, n, 1, 1, size, size, size)
}

// TestAgreeOthers runs what the large ones do not have: depthwise convolutions, ReLU6,
// adaptive and ceil-mode pooling, concatenation, Dropout.
func TestAgreeOthers(t *testing.T) {
	size := 64
	if testing.Short() || raceEnabled {
		size = 32
	}
	for _, c := range []struct {
		make  func(...Option) (*cnn.Net, error)
		opts  []Option
		shape []int
	}{
		{LeNet, nil, []int{3, 1, 28, 28}},
		{VGG16, []Option{WithHidden(64), WithClasses(10), WithInput(3, 32, 32)}, []int{1, 3, 32, 32}},
		{MobileNetV2, []Option{WithInput(3, cnn.Dynamic, cnn.Dynamic)}, []int{1, 3, size, size + 8}},
		{SqueezeNet, []Option{WithInput(3, cnn.Dynamic, cnn.Dynamic)}, []int{1, 3, size, size + 8}},
		{UNet2D, []Option{WithBase(4)}, []int{2, 3, size, size / 2}},
	} {
		n, err := c.make(c.opts...)
		if err != nil {
			t.Fatal(err)
		}
		if raceEnabled && n.Name() == "vgg16" {
			continue // 15 million weights for nothing that the others do not have
		}
		t.Run(n.Name(), func(t *testing.T) { agree(t, n, c.shape...) })
	}
}

// agree runs n on an input of the given shape. Layer by layer, every backend gets the
// inputs that the reference has, and its result is judged by the op's bound. Then the
// compiled network runs on each, with all that optimisation does to it.
func agree(t *testing.T, n *cnn.Net, shape ...int) {
	train(t, n, 1)
	x := tensor.Must(tensor.New(tensor.Float32, shape...))
	r := rand.New(rand.NewPCG(2, 3))
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(r.NormFloat64())
	}
	others := backends(t)
	want := layers(t, graphOf(t, n), others, x)
	for _, be := range others {
		m, err := n.Compile(ctx, be)
		if err != nil {
			t.Fatalf("%s: %v", be.Name(), err)
		}
		got, err := m.Predict(ctx, x)
		if err != nil {
			t.Fatalf("%s: %v", be.Name(), err)
		}
		deviation, decided, differ := compare(got, want)
		t.Logf("%s, compiled: deviation %.2g, classes differ at %d of %d places (%v)", be.Name(), deviation, differ, decided, m.Runtime().Report())
		if !(deviation <= maxDeviation) || differ > 0 {
			t.Errorf("%s: deviation %.3g of the largest output, want at most %g; %d of %d classes differ", be.Name(), deviation, maxDeviation, differ, decided)
		}
		if places := want.Size() / want.Shape()[1]; decided < (places+1)/2 {
			t.Errorf("only %d of %d places have a class that an error of %g cannot change: the test says little", decided, places, maxDeviation)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}

// train gives n seeded parameters, and statistics and scales that BatchNorms might have
// after training: with 0 and 1, a swap of them would not show.
func train(t *testing.T, n *cnn.Net, seed uint64) {
	t.Helper()
	n.Init(seed)
	r := rand.New(rand.NewPCG(seed, 17))
	for _, b := range n.Buffers() {
		layer, ok := strings.CutSuffix(b.Name, ".running_mean")
		if !ok {
			continue
		}
		for _, p := range []struct {
			name      string
			low, high float64
		}{{"running_mean", -0.3, 0.3}, {"running_var", 1, 3}, {"weight", 0.5, 1.2}, {"bias", -0.3, 0.3}} {
			v := tensor.Must(tensor.New(tensor.Float32, b.Tensor.Shape()...))
			cnn.Uniform(p.low, p.high).Fill(v.Float32s(), 0, 0, r)
			if err := n.SetParam(layer+"."+p.name, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, p := range n.Params() { // biases begin as 0
		if strings.HasSuffix(p.Name, ".bias") && slices.Max(p.Tensor.Float32s()) == 0 {
			v := tensor.Must(tensor.New(tensor.Float32, p.Tensor.Shape()...))
			cnn.Uniform(-0.3, 0.3).Fill(v.Float32s(), 0, 0, r)
			if err := n.SetParam(p.Name, v); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// backends opens cpu and gl. Without OpenGL, the test goes on without gl, and ends as
// skipped in name; with CONVGL_REQUIRE_GL=1 it fails.
func backends(t *testing.T) []backend.Backend {
	t.Helper()
	var open []backend.Backend
	for _, name := range []string{"cpu", "gl"} {
		be, err := backend.Open(name)
		var none *backend.UnavailableError
		if name == "gl" && errors.As(err, &none) && os.Getenv("CONVGL_REQUIRE_GL") != "1" {
			t.Run("gl", func(t *testing.T) { t.Skipf("no OpenGL: %v", err) })
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := be.Close(); err != nil {
				t.Error(err)
			}
		})
		open = append(open, be)
	}
	return open
}

// layers runs g node by node on ref and judges what the others make of the same
// inputs. It returns the output.
func layers(t *testing.T, g *graph.Graph, others []backend.Backend, x *tensor.Tensor) *tensor.Tensor {
	t.Helper()
	ref, err := backend.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	defer ref.Close()
	eval := func(d backend.Desc, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		return backend.RunDesc(ctx, ref, d, in...)
	}
	values := map[*graph.Value]*tensor.Tensor{g.Inputs()[0]: x}
	judged := 0
	worst := make([]float64, len(others))
	for _, node := range g.Nodes() {
		var in []*tensor.Tensor
		for _, v := range node.In() {
			c := v.Const()
			if c == nil {
				c = values[v]
			}
			in = append(in, c)
		}
		if _, ok := node.Op().(graph.Dropout); ok {
			values[node.Out()[0]] = in[0]
			continue
		}
		e, err := check.Expect(backend.DescOf(node.Op(), in...), check.Normal, in, eval)
		if err != nil {
			t.Fatalf("%s: %v", node.Name(), err)
		}
		for i, v := range node.Out() {
			values[v] = e.Want[i]
		}
		for i, be := range others {
			got, err := backend.RunOnce(ctx, be, node.Op(), in...)
			if err != nil {
				t.Fatalf("%s: %s: %v", be.Name(), node.Name(), err)
			}
			result, err := e.Judge(got)
			if err != nil {
				t.Fatalf("%s: %s: %v", be.Name(), node.Name(), err)
			}
			if result.Verdict != check.Pass {
				t.Errorf("%s: %s %s: %v", be.Name(), node.Name(), node.Op().Kind(), result)
			}
			for _, o := range result.Outputs {
				worst[i] = max(worst[i], o.WorstRatio)
			}
		}
		judged++
	}
	for i, be := range others {
		t.Logf("%s, layer by layer: %d layers pass, largest error %.2g of its bound", be.Name(), judged, worst[i])
	}
	y := values[g.Outputs()[0].Value]
	if biggest := slices.Max(y.Float32s()); !(biggest > 1e-3 && biggest < 1e6) {
		t.Errorf("the largest output is %v: the weights are not like trained ones", biggest)
	}
	return y
}

// compare returns the largest difference as a share of the largest output, the number
// of places whose class that share cannot change, and at how many of these got has
// another class.
func compare(got, want *tensor.Tensor) (deviation float64, decided, differ int) {
	g, w := got.Float32s(), want.Float32s()
	if !got.Shape().Equal(want.Shape()) {
		return math.Inf(1), 0, 0
	}
	largest := 0.0
	for i := range w {
		largest = max(largest, math.Abs(float64(w[i])))
		deviation = max(deviation, math.Abs(float64(g[i])-float64(w[i])))
		if g[i] != g[i] {
			return math.NaN(), 0, 0
		}
	}
	classes := want.Shape()[1]
	inner := want.Shape()[2:].Size()
	for p := range want.Size() / classes {
		first := p/inner*classes*inner + p%inner
		top, second, best := float32(math.Inf(-1)), float32(math.Inf(-1)), 0
		best2 := 0
		for c := range classes {
			v := w[first+c*inner]
			if v > top {
				top, second, best = v, top, c
			} else {
				second = max(second, v)
			}
			if g[first+c*inner] > g[first+best2*inner] {
				best2 = c
			}
		}
		if float64(top-second) > 2*maxDeviation*largest {
			decided++
			if best != best2 {
				differ++
			}
		}
	}
	return deviation / largest, decided, differ
}
