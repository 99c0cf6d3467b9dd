package cnn_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/cpu"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

func open(t testing.TB) backend.Backend {
	t.Helper()
	be, err := backend.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := be.Close(); err != nil {
			t.Error(err)
		}
	})
	return be
}

func compile(t testing.TB, n *cnn.Net, be backend.Backend, opts ...graph.CompileOption) *cnn.Model {
	t.Helper()
	m, err := n.Compile(t.Context(), be, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func net(t testing.TB, shape cnn.InputShape, layers ...cnn.Layer) *cnn.Net {
	t.Helper()
	n, err := cnn.New("net", shape, layers...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func ramp(shape ...int) *tensor.Tensor {
	x := tensor.Must(tensor.New(tensor.Float32, shape...))
	for i, d := 0, x.Float32s(); i < len(d); i++ {
		d[i] = float32(i%7) - 3
	}
	return x
}

// The network computes what its layers say: the same in plain Go.
func TestPredictIsTheFormula(t *testing.T) {
	n := net(t, cnn.Shape(2, 4, 4),
		cnn.Named("conv", cnn.Conv2D(3, 3, cnn.Padding(1))), cnn.Named("bn", cnn.BatchNorm(cnn.Epsilon(0))),
		cnn.ReLU(), cnn.MaxPool2D(2), cnn.Dropout(0.5), cnn.Flatten(), cnn.Named("fc", cnn.Dense(5)))
	set := func(name string, v ...float32) {
		if err := n.SetParam(name, tensor.Must(tensor.From(v, len(v)))); err != nil {
			t.Fatal(err)
		}
	}
	set("bn.running_mean", 1, 2, 3)
	set("bn.running_var", 4, 16, 64)
	set("bn.weight", 2, -4, 8)
	set("bn.bias", 1, 0, -1)
	x := ramp(2, 2, 4, 4)
	y, err := compile(t, n, open(t)).Predict(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	state := n.StateDict()
	w, b := state["conv.weight"].Float32s(), state["conv.bias"].Float32s()
	fw, fb := state["fc.weight"].Float32s(), state["fc.bias"].Float32s()
	at := func(b, c, i, j int) float64 {
		if i < 0 || j < 0 || i > 3 || j > 3 {
			return 0
		}
		return float64(x.Float32s()[((b*2+c)*4+i)*4+j])
	}
	for img := range 2 {
		var feature []float64
		for o := range 3 {
			bn := func(v float64) float64 {
				return []float64{2, -4, 8}[o]*(v-[]float64{1, 2, 3}[o])/[]float64{2, 4, 8}[o] + []float64{1, 0, -1}[o]
			}
			for p := range 2 {
				for q := range 2 {
					top := math.Inf(-1)
					for k := range 4 {
						i, j := 2*p+k/2, 2*q+k%2
						v := float64(b[o])
						for c := range 2 {
							for r := range 3 {
								for s := range 3 {
									v += at(img, c, i+r-1, j+s-1) * float64(w[((o*2+c)*3+r)*3+s])
								}
							}
						}
						top = max(top, bn(v), 0)
					}
					feature = append(feature, top)
				}
			}
		}
		for u := range 5 {
			want := float64(fb[u])
			for k, f := range feature {
				want += f * float64(fw[u*12+k])
			}
			if got := float64(y.Float32s()[img*5+u]); math.Abs(got-want) > 1e-4*(1+math.Abs(want)) {
				t.Errorf("image %d unit %d: got %g, want %g", img, u, got, want)
			}
		}
	}
}

// A network of no layers, and one that ends in a constant, run too.
func TestPredictOfNothing(t *testing.T) {
	x := ramp(2, 3)
	y, err := compile(t, net(t, cnn.Shape(3)), open(t)).Predict(t.Context(), x)
	if err != nil || !y.Shape().Equal(x.Shape()) || y.Float32s()[4] != x.Float32s()[4] {
		t.Errorf("no layers: %v, %v", y, err)
	}
	seven := tensor.Must(tensor.From([]float32{7, 8}, 1, 2))
	n := net(t, cnn.Shape(3), cnn.Func("Const", func(s *cnn.Scope, x ...*graph.Value) (*graph.Value, error) {
		return s.Const("seven", seven), s.Err()
	}))
	y, err = compile(t, n, open(t)).Predict(t.Context(), x)
	if err != nil || y.Float32s()[1] != 8 {
		t.Errorf("a constant: %v, %v", y, err)
	}
}

func TestModelKeepsItsParameters(t *testing.T) {
	n := net(t, cnn.Shape(4), cnn.Dense(2))
	m := compile(t, n, open(t))
	before, err := m.Predict(t.Context(), ramp(1, 4))
	if err != nil {
		t.Fatal(err)
	}
	n.Init(3)
	after, err := m.Predict(t.Context(), ramp(1, 4))
	if err != nil {
		t.Fatal(err)
	}
	if before.Float32s()[0] != after.Float32s()[0] {
		t.Error("Init changed a compiled model")
	}
	fresh, err := compile(t, n, open(t)).Predict(t.Context(), ramp(1, 4))
	if err != nil {
		t.Fatal(err)
	}
	if fresh.Float32s()[0] == after.Float32s()[0] {
		t.Error("Init changed nothing")
	}
}

func TestPredictErrors(t *testing.T) {
	be := open(t)
	ctx := t.Context()
	m := compile(t, net(t, cnn.Shape(3, 8, 8), cnn.Conv2D(2, 3), cnn.ReLU()), be)
	for _, c := range []struct {
		name string
		x    []*tensor.Tensor
		want string
	}{
		{"no batch dim", []*tensor.Tensor{ramp(3, 8, 8)}, "add the batch dim?"},
		{"channels last", []*tensor.Tensor{ramp(1, 8, 8, 3)}, "channels-last?"},
		{"none", nil, "inputs: got 0, want 1"},
		{"nil", []*tensor.Tensor{nil}, "got nil"},
		{"two", []*tensor.Tensor{ramp(1, 3, 8, 8), ramp(1, 3, 8, 8)}, "inputs: got 2, want 1"},
		{"type", []*tensor.Tensor{tensor.Must(tensor.New(tensor.Uint8, 1, 3, 8, 8))}, "got uint8"},
	} {
		_, err := m.Predict(ctx, c.x...)
		if err == nil || !strings.HasPrefix(err.Error(), `cnn: net "net": `) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
		var shape *backend.ShapeError
		if !errors.As(err, &shape) {
			t.Errorf("%s: got %T, want a *backend.ShapeError within", c.name, err)
		}
	}
	if err := m.PredictInto(ctx, ramp(1, 2, 6, 6), ramp(2, 3, 8, 8)); err == nil || !strings.Contains(err.Error(), "got float32[1,2,6,6], want float32[2,2,6,6]") {
		t.Errorf("an output for another batch: got %v", err)
	}
	if err := m.PredictInto(ctx, nil, ramp(2, 3, 8, 8)); err == nil {
		t.Error("no output: no error")
	}
	if y, err := m.Predict(ctx, ramp(0, 3, 8, 8)); err != nil || y.Size() != 0 || y.Shape().String() != "[0,2,6,6]" {
		t.Errorf("an empty batch: %v, %v", y, err)
	}

	a, b := cnn.Input("a", 4), cnn.Input("b", 4)
	two, err := cnn.NewNet("two", []*cnn.Tensor{a, b}, []*cnn.Tensor{cnn.Add(a, b), cnn.Apply("relu", cnn.ReLU(), a)})
	if err != nil {
		t.Fatal(err)
	}
	m2 := compile(t, two, be)
	if _, err := m2.PredictAll(ctx, ramp(2, 4), ramp(3, 4)); err == nil || !strings.Contains(err.Error(), "as in another input") {
		t.Errorf("two batches: got %v", err)
	}
	if _, err := m2.Predict(ctx, ramp(2, 4), ramp(2, 4)); err == nil || !strings.Contains(err.Error(), "has 2 outputs") {
		t.Errorf("got %v", err)
	}
	if err := m2.PredictInto(ctx, ramp(2, 4), ramp(2, 4), ramp(2, 4)); err == nil || !strings.Contains(err.Error(), "has 2 outputs") {
		t.Errorf("got %v", err)
	}
	out, err := m2.PredictAll(ctx, ramp(2, 4), ramp(2, 4))
	if err != nil || len(out) != 2 || out[0].Float32s()[0] != -6 || out[1].Float32s()[0] != 0 {
		t.Errorf("got %v, %v", out, err)
	}

	if _, err := two.Compile(ctx, nil); err == nil || !strings.Contains(err.Error(), "the backend is nil") {
		t.Errorf("no backend: got %v", err)
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := m.Predict(done, ramp(1, 3, 8, 8)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	for range 2 {
		if err := m2.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := m2.PredictAll(ctx, ramp(2, 4), ramp(2, 4)); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("closed: got %v", err)
	}
}

func TestPredictIntoAllocatesNothing(t *testing.T) {
	m := compile(t, net(t, cnn.Shape(3, 8, 8), cnn.Conv2D(2, 3), cnn.ReLU(), cnn.Flatten(), cnn.Dense(4)), open(t))
	ctx, x, y := t.Context(), ramp(1, 3, 8, 8), ramp(1, 4)
	run := func() {
		if err := m.PredictInto(ctx, y, x); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if raced {
		t.Skip("the race detector lets a sync.Pool forget")
	}
	if n := testing.AllocsPerRun(100, run); n > 0 {
		t.Errorf("%v allocations a call", n)
	}
}

func TestPredictFromManyGoroutines(t *testing.T) {
	m := compile(t, net(t, cnn.Shape(3, 8, 8), cnn.Conv2D(4, 3), cnn.ReLU(), cnn.Flatten(), cnn.Dense(4)), open(t))
	x := ramp(5, 3, 8, 8)
	want, err := m.Predict(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			k := 1 + i%5 // several batches, so several plans
			in := tensor.Must(tensor.From(x.Float32s()[:k*3*64], k, 3, 8, 8))
			out := ramp(k, 4)
			if err := m.PredictInto(t.Context(), out, in); err != nil {
				t.Error(err)
				return
			}
			for j, v := range out.Float32s() {
				if v != want.Float32s()[j] {
					t.Errorf("goroutine %d: element %d is %v, want %v", i, j, v, want.Float32s()[j])
					return
				}
			}
		})
	}
	wg.Wait()
}

// A residual whose parts agree for most sizes is refused for the others, and stretches
// nothing where one of them is 1.
func TestResidualOfDynamicSizes(t *testing.T) {
	n := net(t, cnn.Shape(2, cnn.Dynamic, 8), cnn.Named("block", cnn.Residual(cnn.MaxPool2D(2), cnn.MaxPool2D(2, cnn.CeilMode()))))
	m := compile(t, n, open(t))
	if _, err := m.Predict(t.Context(), ramp(1, 2, 4, 8)); err != nil {
		t.Error(err)
	}
	for _, h := range []int{3, 5} {
		_, err := m.Predict(t.Context(), ramp(1, 2, h, 8))
		var shape *backend.ShapeError
		if !errors.As(err, &shape) || shape.Node != "block" {
			t.Fatalf("height %d: got %v, want a ShapeError of block", h, err)
		}
		for _, want := range []string{"want equal shapes", `"block.main" gives [1,2,`, `"block.shortcut" gives [1,2,`, "multiples of 2 fit, as x [1,2,"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("height %d: got %v, want %s", h, err, want)
			}
		}
	}
}

// A closed backend is noticed by Compile, not by the first run.
func TestCompileOnClosedBackend(t *testing.T) {
	n := net(t, cnn.Shape(1, 4, 4), cnn.Conv2D(1, 3))
	be, err := backend.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	if err := be.Close(); err != nil {
		t.Fatal(err)
	}
	m, err := n.Compile(t.Context(), be)
	if m != nil || !errors.Is(err, backend.ErrClosed) || !strings.HasPrefix(err.Error(), `cnn: net "net": `) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

// A context or an option that is nil is an error, and not a panic of a backend.
func TestNilArguments(t *testing.T) {
	be := open(t)
	n := net(t, cnn.Shape(1, 4, 4), cnn.Conv2D(1, 3))
	var none context.Context
	if m, err := n.Compile(none, be); err == nil || m != nil || !strings.Contains(err.Error(), "ctx is nil") {
		t.Errorf("Compile: got %v", err)
	}
	if m, err := n.Compile(t.Context(), be, nil); err == nil || m != nil || !strings.Contains(err.Error(), "option 0 of Compile is nil") {
		t.Errorf("option: got %v", err)
	}
	m := compile(t, n, be)
	if _, err := m.Predict(none, ramp(1, 1, 4, 4)); err == nil || !strings.Contains(err.Error(), "ctx is nil") {
		t.Errorf("Predict: got %v", err)
	}
	if err := m.PredictInto(none, ramp(1, 1, 2, 2), ramp(1, 1, 4, 4)); err == nil || !strings.Contains(err.Error(), "ctx is nil") {
		t.Errorf("PredictInto: got %v", err)
	}
}
