package cnn

import (
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// within fails the test where f panics.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("%s: panic: %v", what, r)
		}
	}()
	f()
}

// Every layer with every option takes any numbers: the network is refused with an error
// that names the layer, or it is built and described.
func TestNoNumberPanics(t *testing.T) {
	const huge = 1 << 40
	ints := []int{math.MinInt, -1, 0, 1, 2, huge, math.MaxInt}
	lists := [][]int{nil, {}, {0}, {2}, {-1, 1}, {1, 2}, {1, 2, 1, 2}, {huge}, {math.MaxInt, math.MaxInt}, {math.MinInt}, make([]int, 100)}
	floats := []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 0, 1e-40, 0.5, 2, 1e30, math.MaxFloat64}
	modes := []Mode{Nearest, Linear, 99}
	options := []Option{{}, {name: "Stride"}, Same(), NoBias(), CeilMode(), CountIncludePad(), NoAffine(), Affine(), PerChannel(), AlignCorners(), LastDim(), Init(nil), Init(Zeros)}
	for _, n := range ints {
		options = append(options, Groups(n), Axis(n))
	}
	for _, l := range lists {
		options = append(options, Stride(l...), Padding(l...), Dilation(l...), KernelSize(l...), OutputPadding(l...))
	}
	for _, f := range floats {
		options = append(options, Epsilon(float32(f)), Response(float32(f), 1, 1), Response(1, float32(f), 1), Response(1, 1, float32(f)))
	}

	var layers []Layer
	add := func(l ...Layer) { layers = append(layers, l...) }
	with := func(l func(...Option) Layer) {
		add(l())
		for _, o := range options {
			add(l(o), l(o, Same()), l(o, o))
		}
	}
	for _, n := range ints {
		for _, l := range []func(int, ...Option) Layer{MaxPool1D, MaxPool2D, MaxPool3D, AvgPool1D, AvgPool2D, AvgPool3D, Dense, GroupNorm, LRN} {
			with(func(o ...Option) Layer { return l(n, o...) })
		}
		for _, k := range ints {
			for _, l := range []func(int, int, ...Option) Layer{Conv1D, Conv2D, Conv3D, ConvTranspose1D, ConvTranspose2D, ConvTranspose3D} {
				add(l(n, k))
				if n == 2 && k >= 0 && k <= 1 {
					with(func(o ...Option) Layer { return l(n, k, o...) })
				}
			}
		}
	}
	for _, l := range []func(...Option) Layer{BatchNorm, LayerNorm, InstanceNorm, PReLU, Softmax, LogSoftmax} {
		with(l)
	}
	for _, l := range lists {
		add(AdaptiveAvgPool(l...), AdaptiveMaxPool(l...), Pad(l...), ConstantPad(1, l...), ReflectPad(l...), EdgePad(l...), Reshape(l...))
		for _, m := range modes {
			add(Resize(m, l...))
		}
	}
	for _, f := range floats {
		v := float32(f)
		add(LeakyReLU(v), Clip(v, 1), Clip(1, v), ELU(v), CELU(v), Dropout(v), ConstantPad(v, 1))
		for _, m := range modes {
			for _, o := range options {
				add(Upsample(f, m), Upsample(f, m, o))
			}
		}
		add(Sequential(Conv2D(2, 1, Init(Constant(v))), Conv2D(2, 1, Init(Normal(f, f))), Conv2D(2, 1, Init(Uniform(f, -f)))))
	}
	add(Flatten(), GlobalAvgPool(), GlobalMaxPool(), Sequential(), Residual(Sequential(), nil), Named("", nil), Named("a.b", ReLU()), Func("", nil))

	shapes := []InputShape{nil, {}, {0}, {4}, {Dynamic}, {4, 0}, {4, 6}, {4, 0, 0}, {4, 6, 6}, {4, Dynamic, Dynamic}, {Dynamic, 6, 6}, {4, 6, 6, 6}, {2, 2, 2, 2, 2, 2}, {huge, 1, 1}, {4, 1 << 20, 1 << 20}}
	if testing.Short() {
		shapes = []InputShape{nil, {4}, {4, 6, 6}, {4, Dynamic, Dynamic}, {4, 0, 0}, {huge, 1, 1}}
	}
	built := 0
	for i, l := range layers {
		for _, s := range shapes {
			what := fmt.Sprintf("layer %d of %v", i, []int(s))
			within(t, what, func() {
				what := l.Kind() + ", " + what
				n, err := New("n", s, l)
				var layer *LayerError
				if err != nil && !errors.As(err, &layer) && !strings.HasPrefix(err.Error(), "cnn: input") {
					t.Errorf("%s: got %v, want a LayerError", what, err)
				}
				if err == nil {
					built++
					_ = n.WriteSummary(io.Discard)
				}
			})
		}
	}
	if built < 1000 {
		t.Errorf("%d networks were built, want more", built)
	}
}

// A nil where an interface or a pointer of the package is wanted is an error, which
// names the layer where there is one.
func TestNoNilPanics(t *testing.T) {
	x := Input("x", 3, 8, 8)
	one := func(in *Tensor) []*Tensor { return []*Tensor{in} }
	zero := &Tensor{}
	own := func(build func(s *Scope, x *graph.Value)) func() error {
		return func() error {
			_, err := New("n", Shape(3, 8, 8), Func("Own", func(s *Scope, x ...*graph.Value) (*graph.Value, error) {
				build(s, x[0])
				return x[0], s.Err()
			}))
			return err
		}
	}
	built := func(l Layer) func() error {
		return func() error { _, err := New("n", Shape(3, 8, 8), l); return err }
	}
	described := func(x ...*Tensor) func() error {
		return func() error { _, err := NewNet("n", x[:1], x[1:]); return err }
	}
	var noLayer Layer
	var noLayers []Layer
	net := must(t)(New("n", Shape(3, 8, 8), ReLU()))
	for _, c := range []struct {
		name string
		do   func() error
		want string
	}{
		{"layer", built(noLayer), `cnn: layer "0": the layer is nil`},
		{"named", built(Named("a", noLayer)), `cnn: layer "a": the layer is nil`},
		{"named twice", built(Named("a", Named("b", nil))), `cnn: layer "a": the layer is nil`},
		{"in Sequential", built(Sequential(ReLU(), Sequential(nil))), `cnn: layer "0.1.0": the layer is nil`},
		{"main", built(Residual(nil, ReLU())), `cnn: layer "0.main": the layer is nil`},
		{"shortcut", built(Residual(ReLU(), Named("a", nil))), `cnn: layer "0.shortcut": the layer is nil`},
		{"no layers", built(Sequential(noLayers...)), ``},
		{"initializer", built(Conv2D(1, 1, Init(nil))), `cnn: layer "0" (Conv2D): option Init: got nil`},
		{"function", built(Func("Mine", nil)), `cnn: layer "0" (Mine): no function`},
		{"Apply of no layer", described(x, Apply("a", nil, x)), `cnn: layer "a": the layer is nil`},
		{"Apply of a named one", described(x, Apply("a", Named("b", nil), x)), `cnn: layer "a": the layer is nil`},
		{"Apply of a nil tensor", described(x, Apply("a", ReLU(), nil)), `cnn: layer "a" (ReLU): input 0 is nil`},
		{"Apply of nils", described(x, Apply("", nil, nil)), `cnn: `},
		{"Add", described(x, Add(nil, x)), `cnn: Add: input 0 is nil`},
		{"Mul", described(x, Mul(x, nil)), `cnn: Mul: input 1 is nil`},
		{"Concat", described(x, Concat(x, nil)), `cnn: Concat: input 1 is nil`},
		{"Concat of none", described(x, Concat()), `cnn: Concat: inputs: got none`},
		{"inputs", described(nil, x), `cnn: net "n": input 0 is nil`},
		{"outputs", described(x, nil), `cnn: net "n": an output is nil`},
		{"zero tensor", described(zero, zero), `cnn: net "n": input 0: a tensor that Input has not made`},
		{"zero tensor used", described(x, Add(x, zero)), `cnn: net "n": `},
		{"nothing", func() error { _, err := NewNet("n", nil, nil); return err }, `cnn: net "n": got no outputs`},
		{"no inputs", func() error { _, err := NewNet("n", nil, one(x)); return err }, `cnn: net "n": input "x" is used`},
		{"op", own(func(s *Scope, x *graph.Value) { s.Apply(nil, x) }), `cnn: layer "0" (Own): `},
		{"values", own(func(s *Scope, x *graph.Value) { s.Apply(nil, nil, &graph.Value{}) }), `cnn: layer "0" (Own): `},
		{"call", own(func(s *Scope, x *graph.Value) { s.Call("a", nil, nil) }), `cnn: layer "0.a": the layer is nil`},
		{"call of a nil value", own(func(s *Scope, x *graph.Value) { s.Call("a", ReLU(), nil) }), `cnn: layer "0.a": input 0 is nil`},
		{"buffer", own(func(s *Scope, x *graph.Value) { s.Buffer("b", nil) }), `cnn: layer "0" (Own): buffer "b": no tensor`},
		{"zero buffer", own(func(s *Scope, x *graph.Value) { s.Buffer("b", &tensor.Tensor{}) }), `cnn: layer "0" (Own): buffer "b": no tensor`},
		{"zero constant", own(func(s *Scope, x *graph.Value) { s.Const("c", &tensor.Tensor{}) }), `cnn: layer "0" (Own): graph: "0.c": a constant without a tensor`},
		{"Build of a named nil", func() error {
			_, err := Named("a", nil).Build(nil)
			return err
		}, `the layer is nil`},
		{"Build without a scope", func() error { _, err := ReLU().Build(nil, nil); return err }, `the scope is not of a network`},
		{"Residual without a scope", func() error { _, err := Residual(ReLU(), nil).Build(&Scope{}, nil); return err }, `the scope is not of a network`},
		{"Sequential without a scope", func() error { _, err := Sequential(ReLU()).Build(nil, nil); return err }, `the scope is not of a network`},
		{"scope methods", func() error {
			for _, s := range []*Scope{nil, {}} {
				s.Fail(errors.New("x"))
				if s.Sub("a").Err() == nil || s.Name() != "" || s.Call("a", ReLU(), nil) != nil || s.Buffer("b", nil) != nil || s.Dim(nil, 0) != 1 || s.Param("p", nil, 1) != nil || s.Const("c", nil) != nil || s.Apply(nil) != nil {
					return nil
				}
			}
			return (&Scope{}).Err()
		}, `the scope is not of a network`},
		{"writer", func() error { return net.WriteSummary(nil) }, `cnn: net "n": WriteSummary: the writer is nil`},
		{"sizes", func() error { return net.WriteSummary(io.Discard, nil) }, `cnn: net "n": size of input "x"`},
		{"state", func() error {
			return must(t)(New("n", Shape(3), Dense(1))).LoadStateDict(nil)
		}, `2 missing: 0.weight, 0.bias`},
		{"zero state", func() error {
			return must(t)(New("n", Shape(3), Dense(1))).LoadStateDict(map[string]*tensor.Tensor{"0.weight": nil, "0.bias": {}})
		}, `2 not fitting: 0.weight: got nil`},
		{"zero parameter", func() error {
			return must(t)(New("n", Shape(3), Dense(1))).SetParam("0.bias", &tensor.Tensor{})
		}, `cnn: net "n": parameter "0.bias": got `},
	} {
		within(t, c.name, func() {
			err := c.do()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%s: got %v, want %s", c.name, err, c.want)
			}
		})
	}
	within(t, "Kind of a named nil", func() {
		if k := Named("a", nil).Kind(); k != "" {
			t.Errorf("got %q", k)
		}
	})
}

// sizedLayer is a layer by pointer, whose nil is good for everything: what a nil pointer
// means is the business of its type.
type sizedLayer struct{}

func (*sizedLayer) Kind() string { return "Own" }

func (*sizedLayer) Build(s *Scope, x ...*graph.Value) (*graph.Value, error) { return x[0], nil }

func TestNilPointerLayer(t *testing.T) {
	must(t)(New("n", Shape(3), (*sizedLayer)(nil)))
}

// A residual stretches nothing, neither where the sizes are known nor for a size that
// comes later.
func TestResidualWantsEqualShapes(t *testing.T) {
	for _, c := range []struct {
		main, shortcut Layer
		want           string
	}{
		{Conv2D(1, 1), Conv2D(16, 1), `cnn: layer "block" (Residual): main gives [N,1,8,8] and the shortcut [N,16,8,8], want equal shapes`},
		{Conv2D(16, 1), Conv2D(1, 1), `main gives [N,16,8,8] and the shortcut [N,1,8,8]`},
		{Conv2D(1, 1), nil, `main gives [N,1,8,8] and the shortcut [N,3,8,8]`},
		{GlobalAvgPool(), nil, `main gives [N,3,1,1] and the shortcut [N,3,8,8]`},
		{Flatten(), nil, `main gives [N,192] and the shortcut [N,3,8,8]`},
		{MaxPool2D(2), nil, `main gives [N,3,4,4] and the shortcut [N,3,8,8]`},
	} {
		_, err := New("n", Shape(3, 8, 8), Named("block", Residual(c.main, c.shortcut)))
		var layer *LayerError
		if !errors.As(err, &layer) || layer.Layer != "block" || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

// A normalisation that does not fit is refused before its weights take memory.
func TestNormsTakeNoMemoryEarly(t *testing.T) {
	for name, l := range map[string]Layer{
		"batch":           BatchNorm(Epsilon(-1)),
		"batch plain":     BatchNorm(Epsilon(-1), NoAffine()),
		"layer":           LayerNorm(Epsilon(-1)),
		"layer plain":     LayerNorm(Epsilon(-1), NoAffine()),
		"group":           GroupNorm(3),
		"group plain":     GroupNorm(3, NoAffine()),
		"instance":        InstanceNorm(Epsilon(-1)),
		"instance affine": InstanceNorm(Epsilon(-1), Affine()),
	} {
		for _, channels := range []int{1 << 22, 1 << 40} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := New("n", Shape(channels, 1, 1), Named("norm", l))
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), `cnn: layer "norm" (`) {
				t.Errorf("%s of %d channels: got %v", name, channels, err)
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
				t.Errorf("%s of %d channels: allocated %d bytes before the error", name, channels, got)
			}
		}
	}
}
