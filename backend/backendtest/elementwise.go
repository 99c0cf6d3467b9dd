package backendtest

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
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
	} {
		op := backend.Activation{Act: a.act}
		ps = append(ps,
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

func binaryProblems(bool) []problem {
	var ps []problem
	bin := func(name string, fn backend.BinaryKind, a, b shape) problem {
		return problem{name: name, d: desc(backend.Binary{Fn: fn}, backend.F32(a...), backend.F32(b...)), fills: check.Fills()}
	}
	for _, f := range []struct {
		name string
		fn   backend.BinaryKind
	}{{"add", backend.Add}, {"sub", backend.Sub}, {"mul", backend.Mul}, {"div", backend.Div}, {"prelu", backend.PRelu}} {
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
