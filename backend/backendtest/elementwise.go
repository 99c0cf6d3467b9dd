package backendtest

import (
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

func batchNormProblems(bool) []problem {
	bn := func(name string, eps float32, x ...int) problem {
		c := backend.F32(x[1])
		return problem{name: name, d: desc(backend.BatchNorm{Epsilon: eps}, backend.F32(x...), c, c, c, c), fills: check.Fills()}
	}
	ps := []problem{
		bn("image", 1e-5, 2, 19, 5, 7), bn("exact", 0, 2, 8, 4, 5), bn("large-epsilon", 1, 1, 5, 3, 3), bn("matrix", 1e-5, 6, 33),
		bn("1d", 1e-3, 2, 4, 13), bn("3d", 1e-5, 1, 6, 3, 4, 5), bn("no-images", 1e-5, 0, 6, 3, 4), bn("one", 1e-5, 1, 1, 1, 1),
	}
	ps[0].layouts, ps[5].layouts = true, true
	return ps
}

// actPoints are where activations turn, jump, end or lose digits: halves and their
// neighbours, 1 and its own, multiples of π/2, all magnitudes, and what is no number.
// None is denormal, nor is 1 over it.
var actPoints = func() []float32 {
	inf, max := float32(math.Inf(1)), float32(math.MaxFloat32)
	p := []float32{float32(math.NaN()), inf, 0, max, 0x1p-126, 0x1p127, 0x1p24 - 1, 0x1p23 - 0.5, 0x1p23 + 1, 0x1p22 + 0.5, 0x1p60, 1e30}
	near := func(v float64) {
		b := math.Float32bits(float32(v))
		p = append(p, math.Float32frombits(b-1), float32(v), math.Float32frombits(b+1))
	}
	for _, v := range []float64{0.5, 1, 1.5, 2, 2.5, 3.5, 4, 5.5, 6, 100.5, 88.7, 0.84375, 3.919, 0.625, math.Sqrt2, 1 / math.Sqrt2, 1e-3, 1e-10, 1e-20} {
		near(v)
	}
	for _, k := range []float64{1, 2, 3, 4, 5, 7, 10, 11, 101, 573204, 1 << 20, 12345678, 1 << 30, 1 << 40, 1 << 80} {
		near(k * math.Pi / 2)
	}
	near(5.319372648326541e+22) // of all float32 nearly the nearest to a multiple of π/2
	near(16367173 * 0x1p72)
	for _, v := range p {
		p = append(p, -v)
	}
	return p
}()

func activationProblems(bool) []problem {
	var ps []problem
	for _, a := range []struct {
		name string
		act  backend.Act
	}{
		{"relu", backend.Act{}},
		{"leaky", backend.Act{Kind: backend.LeakyRelu, Alpha: 0.01}},
		{"leaky-steep", backend.Act{Kind: backend.LeakyRelu, Alpha: -2}},
		{"clip", backend.Act{Kind: backend.Clip, Alpha: 0, Beta: 6}},
		{"clip-point", backend.Act{Kind: backend.Clip, Alpha: 1.5, Beta: 1.5}},
		{"sigmoid", backend.Act{Kind: backend.Sigmoid}},
		{"tanh", backend.Act{Kind: backend.Tanh}},
		{"elu", backend.Act{Kind: backend.Elu, Alpha: 1.5}},
		{"selu", backend.Act{Kind: backend.Selu}},
		{"celu", backend.Act{Kind: backend.Celu, Alpha: 2}},
		{"hard-sigmoid", backend.Act{Kind: backend.HardSigmoid, Alpha: 0.2, Beta: 0.5}},
		{"hard-sigmoid-falling", backend.Act{Kind: backend.HardSigmoid, Alpha: -0.25, Beta: 2}},
		{"softplus", backend.Act{Kind: backend.Softplus}},
		{"softsign", backend.Act{Kind: backend.Softsign}},
		{"silu", backend.Act{Kind: backend.Silu}},
		{"hard-swish", backend.Act{Kind: backend.HardSwish}},
		{"mish", backend.Act{Kind: backend.Mish}},
		{"gelu", backend.Act{Kind: backend.Gelu}},
		{"gelu-tanh", backend.Act{Kind: backend.GeluTanh}},
		{"exp", backend.Act{Kind: backend.Exp}},
		{"abs", backend.Act{Kind: backend.Abs}},
		{"neg", backend.Act{Kind: backend.Neg}},
		{"ceil", backend.Act{Kind: backend.Ceil}},
		{"floor", backend.Act{Kind: backend.Floor}},
		{"round", backend.Act{Kind: backend.Round}},
		{"sign", backend.Act{Kind: backend.Sign}},
		{"sqrt", backend.Act{Kind: backend.Sqrt}},
		{"reciprocal", backend.Act{Kind: backend.Reciprocal}},
		{"log", backend.Act{Kind: backend.Log}},
		{"erf", backend.Act{Kind: backend.Erf}},
		{"thresholded", backend.Act{Kind: backend.ThresholdedRelu, Alpha: 1}},
		{"thresholded-below", backend.Act{Kind: backend.ThresholdedRelu, Alpha: -2}},
		{"sin", backend.Act{Kind: backend.Sin}},
		{"cos", backend.Act{Kind: backend.Cos}},
	} {
		op := backend.Activation{Act: a.act}
		points := tensor.Must(tensor.From(actPoints, len(actPoints)))
		ps = append(ps,
			problem{name: a.name + "-points", d: desc(op, backend.F32(len(actPoints))), fills: []check.Fill{check.Special}, in: []*tensor.Tensor{points}},
			problem{name: a.name, d: desc(op, backend.F32(2, 19, 5, 7)), layouts: true, fills: check.Fills()},
			problem{name: a.name + "-matrix", d: desc(op, backend.F32(31, 67)), fills: check.Fills()})
	}
	relu := backend.Activation{}
	return append(ps,
		problem{name: "scalar", d: desc(relu, backend.F32())},
		problem{name: "vector", d: desc(relu, backend.F32(1001))},
		problem{name: "3d", d: desc(relu, backend.F32(1, 5, 3, 4, 5)), layouts: true},
		problem{name: "rank6", d: desc(relu, backend.F32(2, 1, 3, 2, 1, 4))},
		problem{name: "empty", d: desc(relu, backend.F32(3, 0, 4))},
		problem{name: "no-images", d: desc(relu, backend.F32(0, 3, 4, 4))})
}

func softmaxProblems(bool) []problem {
	sm := func(name string, axis int, x ...int) []problem {
		return []problem{
			{name: name, d: desc(backend.Softmax{Axis: axis}, backend.F32(x...)), fills: check.Fills()},
			{name: name + "-log", d: desc(backend.Softmax{Axis: axis, Log: true}, backend.F32(x...)), fills: check.Fills()},
		}
	}
	var ps []problem
	ps = append(ps, sm("classes", 1, 5, 10)...)
	ps = append(ps, sm("imagenet", -1, 3, 1000)...)
	ps = append(ps, sm("vector", 0, 77)...)
	ps = append(ps, sm("first", 0, 6, 5, 4)...)
	image := sm("channels", 1, 2, 19, 5, 6)
	image[0].layouts, image[1].layouts = true, true
	ps = append(ps, image...)
	ps = append(ps, sm("width", 3, 2, 3, 4, 9)...)
	ps = append(ps, sm("3d", 2, 1, 3, 4, 3, 5)...)
	ps = append(ps, sm("single", 1, 4, 1, 3)...)
	return append(ps, sm("no-images", 1, 0, 8)...)
}

// pairPoints are paired with each other: what is no number, both zeros, both ones, and
// for powers even and odd integers, the largest of them, halves and extremes.
var pairPoints = func() []float32 {
	p := []float32{float32(math.NaN()), float32(math.Inf(1)), 0, 1, 2, 3, 0.5, 2.5, 1.0000001, 0.99999994, 0x1p24 - 1, 0x1p24, 1e30, 1e-30, 127, 1.5, 7.25, 0.1}
	for _, v := range p[1:] {
		p = append(p, -v)
	}
	return p
}()

func binaryProblems(bool) []problem {
	var ps []problem
	bin := func(name string, fn backend.BinaryKind, a, b shape) problem {
		return problem{name: name, d: desc(backend.Binary{Fn: fn}, backend.F32(a...), backend.F32(b...)), fills: check.Fills()}
	}
	for _, f := range []struct {
		name string
		fn   backend.BinaryKind
	}{{"add", backend.Add}, {"sub", backend.Sub}, {"mul", backend.Mul}, {"div", backend.Div}, {"prelu", backend.PRelu},
		{"max", backend.Maximum}, {"min", backend.Minimum}, {"pow", backend.Power}, {"less", backend.Less}, {"less-or-equal", backend.LessOrEqual},
		{"greater", backend.Greater}, {"greater-or-equal", backend.GreaterOrEqual}, {"equal", backend.Equal}} {
		if f.fn > backend.PRelu {
			n := len(pairPoints)
			a, b := tensor.Must(tensor.From(pairPoints, n, 1)), tensor.Must(tensor.From(pairPoints, 1, n))
			p := bin(f.name+"-points", f.fn, shape{n, 1}, shape{1, n})
			p.fills, p.in = []check.Fill{check.Special}, []*tensor.Tensor{a, b}
			ps = append(ps, p)
			p.name, p.d, p.in = f.name+"-points-reversed", desc(p.d.Op, backend.F32(1, n), backend.F32(n, 1)), []*tensor.Tensor{b, a}
			ps = append(ps, p)
		}
		p := bin(f.name, f.fn, shape{2, 19, 5, 7}, shape{2, 19, 5, 7})
		p.layouts = true
		ps = append(ps, p, bin(f.name+"-channels", f.fn, shape{2, 5, 4, 6}, shape{1, 5, 1, 1}), bin(f.name+"-reversed", f.fn, shape{3, 1}, shape{2, 3, 4}))
	}
	ps = append(ps,
		bin("prelu-image", backend.PRelu, shape{2, 19, 5, 7}, shape{19, 1, 1}),
		bin("prelu-scalar", backend.PRelu, shape{2, 3, 5, 7}, shape{1}),
		bin("add-scalar", backend.Add, shape{3, 4}, shape{}),
		bin("add-scalars", backend.Add, shape{}, shape{}),
		bin("add-row", backend.Add, shape{2, 3, 4, 5}, shape{5}),
		bin("add-both", backend.Add, shape{2, 1, 4, 1}, shape{3, 1, 5}),
		bin("add-ranks", backend.Add, shape{2, 3, 2, 3, 2}, shape{3, 2, 1, 1}),
		bin("add-empty", backend.Add, shape{0, 3, 4}, shape{3, 1}),
		bin("add-large", backend.Add, shape{70, 1000}, shape{70, 1000}))
	mixed := bin("add-channels-layouts", backend.Add, shape{2, 6, 4, 5}, shape{1, 6, 1, 1})
	mixed.layouts = true
	return append(ps, mixed)
}

func whereProblems(bool) []problem {
	where := func(name string, c, x, y shape) problem {
		return problem{name: name, d: desc(backend.Where{}, backend.F32(c...), backend.F32(x...), backend.F32(y...)), fills: check.Fills()}
	}
	image := shape{2, 19, 5, 7}
	all := where("image", image, image, image)
	mixed := where("channels", shape{2, 6, 4, 5}, shape{1, 6, 1, 1}, shape{2, 6, 4, 5})
	all.layouts, mixed.layouts = true, true
	points := where("points", shape{7}, shape{7}, shape{7})
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	from := func(v ...float32) *tensor.Tensor { return tensor.Must(tensor.From(v, len(v))) }
	points.in = []*tensor.Tensor{from(nan, inf, 0, float32(math.Copysign(0, -1)), -1, 0x1p-126, 1e-30), from(1, 2, nan, inf, 3, 4, 5), from(nan, nan, 6, 7, inf, nan, -inf)}
	points.fills = []check.Fill{check.Special}
	return []problem{all, mixed, points,
		where("vector", shape{1001}, shape{1001}, shape{1001}),
		where("else-scalar", image, image, shape{}),
		where("then-scalar", image, shape{1}, image),
		where("scalars", image, shape{}, shape{1, 1}),
		where("condition-scalar", shape{}, image, image),
		where("condition-scalar-only", shape{}, shape{}, image),
		where("condition-rows", shape{2, 19, 5, 1}, image, image),
		where("condition-columns", shape{7}, image, image),
		where("condition-channels", shape{19, 1, 1}, image, shape{2, 1, 5, 7}),
		where("three-ways", shape{4, 1, 1}, shape{3, 1}, shape{5}),
		where("ranks", shape{2, 3, 2, 3, 2}, shape{3, 2, 1, 1}, shape{2}),
		where("all-scalars", shape{}, shape{}, shape{}),
		where("empty", shape{0, 3, 4}, shape{3, 1}, shape{}),
		where("large", shape{70, 1000}, shape{70, 1000}, shape{70, 1}),
	}
}
