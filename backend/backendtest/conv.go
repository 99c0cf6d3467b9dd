package backendtest

import (
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
)

type shape = []int

// convCase is a problem for op on x and w, with the operands that op asks for.
func convCase(name string, op backend.Conv, x, w shape) problem {
	return problem{name: name, d: convDesc(op, x, w)}
}

func convDesc(op backend.Conv, x, w shape) backend.Desc {
	in := []backend.TensorDesc{backend.F32(x...), backend.F32(w...)}
	var y shape
	if out, err := (backend.Conv{Window: op.Window, Groups: op.Groups}).Infer(in); err == nil {
		y = out[0].Shape
	}
	return desc(op, append(in, operands(op.Bias, op.Epilogue, w[0], y)...)...)
}

// operands describes the bias and the epilogue's operands for c channels and an
// output of shape y.
func operands(bias bool, steps backend.Epilogue, c int, y shape) []backend.TensorDesc {
	var in []backend.TensorDesc
	if bias {
		in = append(in, backend.F32(c))
	}
	for _, s := range steps {
		switch s.Kind {
		case backend.ScaleShift:
			in = append(in, backend.F32(c), backend.F32(c))
		case backend.Residual:
			in = append(in, backend.F32(y...))
		}
	}
	return in
}

// act is an epilogue step.
func act(kind backend.ActKind, c ...float32) backend.Step {
	a := backend.Act{Kind: kind}
	if len(c) > 0 {
		a.Alpha = c[0]
	}
	if len(c) > 1 {
		a.Beta = c[1]
	}
	return backend.Step{Kind: backend.Activate, Act: a}
}

var (
	scaleShift = backend.Step{Kind: backend.ScaleShift}
	residual   = backend.Step{Kind: backend.Residual}
	relu       = act(backend.Relu)
)

// pads gives every side of n dims the padding p.
func pads(n, p int) []int { return fill(2*n, p) }

// fill is a list of n times v.
func fill(n, v int) []int {
	l := make([]int, n)
	for i := range l {
		l[i] = v
	}
	return l
}

// convProblems are the forward convolutions. The epilogues share a shape, so that
// a backend that compiles needs few programs.
func convProblems(short bool) []problem {
	win := func(w backend.Window) backend.Conv { return backend.Conv{Window: w} }
	pad1 := backend.Window{Pads: pads(2, 1)}
	grouped := func(g int, w backend.Window) backend.Conv { return backend.Conv{Window: w, Groups: g} }

	ps := []problem{
		convCase("k1", backend.Conv{}, shape{2, 3, 5, 7}, shape{4, 3, 1, 1}),
		convCase("k1-wide", backend.Conv{}, shape{1, 64, 7, 7}, shape{40, 64, 1, 1}),
		convCase("k1-stride2", win(backend.Window{Strides: []int{2, 2}}), shape{1, 8, 9, 8}, shape{16, 8, 1, 1}),
		convCase("k1-on-padding", win(backend.Window{Strides: []int{2, 2}, Pads: []int{0, 1, 0, 0}}), shape{2, 5, 1, 1}, shape{7, 5, 1, 1}),
		convCase("k3", backend.Conv{}, shape{1, 5, 8, 9}, shape{6, 5, 3, 3}),
		convCase("k3-pad", win(pad1), shape{2, 16, 9, 11}, shape{24, 16, 3, 3}),
		convCase("k3-same-size", win(pad1), shape{1, 64, 8, 8}, shape{64, 64, 3, 3}),
		convCase("k3-few-pixels", win(pad1), shape{1, 128, 2, 3}, shape{16, 128, 3, 3}),
		convCase("picture", backend.Conv{Window: pad1, Bias: true}, shape{1, 3, 21, 34}, shape{16, 3, 3, 3}),
		convCase("gray", win(pad1), shape{1, 1, 13, 17}, shape{1, 1, 3, 3}),
		convCase("stem", backend.Conv{Window: backend.Window{Strides: []int{2, 2}, Pads: pads(2, 3)}, Bias: true}, shape{1, 3, 19, 23}, shape{12, 3, 7, 7}),
		convCase("k5", win(backend.Window{Pads: pads(2, 2)}), shape{1, 6, 10, 14}, shape{8, 6, 5, 5}),
		convCase("k2x4", win(backend.Window{}), shape{1, 4, 6, 13}, shape{8, 4, 2, 4}),
		convCase("stride2", win(backend.Window{Strides: []int{2, 2}, Pads: pads(2, 1)}), shape{2, 8, 11, 14}, shape{16, 8, 3, 3}),
		convCase("stride3x2", win(backend.Window{Strides: []int{3, 2}}), shape{1, 4, 11, 14}, shape{5, 4, 3, 3}),
		convCase("stride-beyond-kernel", win(backend.Window{Strides: []int{4, 5}}), shape{1, 4, 13, 17}, shape{6, 4, 2, 3}),
		convCase("dilated", win(backend.Window{Dilations: []int{2, 3}, Pads: []int{2, 3, 2, 3}}), shape{1, 6, 10, 12}, shape{8, 6, 3, 3}),
		convCase("dilated-stride2", win(backend.Window{Dilations: []int{2, 2}, Strides: []int{2, 2}, Pads: pads(2, 2)}), shape{1, 6, 11, 12}, shape{8, 6, 3, 3}),
		convCase("pad-asymmetric", win(backend.Window{Pads: []int{0, 2, 1, 3}}), shape{1, 5, 7, 9}, shape{4, 5, 3, 3}),
		convCase("pad-beyond-kernel", win(backend.Window{Pads: []int{4, 5, 6, 3}}), shape{1, 4, 5, 6}, shape{4, 4, 2, 2}),
		convCase("kernel-beyond-input", win(backend.Window{Pads: pads(2, 3)}), shape{1, 4, 2, 3}, shape{8, 4, 5, 6}),
		convCase("one-pixel", win(pad1), shape{1, 8, 1, 1}, shape{8, 8, 3, 3}),
		convCase("same-upper", win(backend.Window{AutoPad: backend.SameUpper, Strides: []int{2, 2}}), shape{1, 4, 7, 10}, shape{4, 4, 3, 2}),
		convCase("same-lower", win(backend.Window{AutoPad: backend.SameLower, Strides: []int{2, 2}}), shape{1, 4, 7, 10}, shape{4, 4, 3, 2}),
		convCase("valid", win(backend.Window{AutoPad: backend.Valid}), shape{1, 4, 7, 10}, shape{4, 4, 3, 3}),
		convCase("groups2", grouped(2, pad1), shape{1, 8, 6, 7}, shape{12, 4, 3, 3}),
		convCase("groups3-odd", grouped(3, pad1), shape{2, 9, 5, 6}, shape{15, 3, 3, 3}),
		convCase("groups4-k1", grouped(4, backend.Window{}), shape{1, 32, 5, 5}, shape{32, 8, 1, 1}),
		convCase("depthwise", grouped(8, pad1), shape{2, 8, 9, 10}, shape{8, 1, 3, 3}),
		convCase("depthwise-odd", grouped(19, pad1), shape{1, 19, 7, 6}, shape{19, 1, 3, 3}),
		convCase("depthwise-stride2", grouped(16, backend.Window{Strides: []int{2, 2}, Pads: pads(2, 1)}), shape{1, 16, 9, 12}, shape{16, 1, 3, 3}),
		convCase("depthwise-k5-dilated", grouped(6, backend.Window{Dilations: []int{2, 2}, Pads: pads(2, 4)}), shape{1, 6, 9, 8}, shape{6, 1, 5, 5}),
		convCase("depthwise-multiplier", grouped(5, pad1), shape{1, 5, 6, 7}, shape{15, 1, 3, 3}),
		convCase("1d", win(backend.Window{Pads: pads(1, 3)}), shape{2, 6, 31}, shape{10, 6, 7}),
		convCase("1d-stride2-dilated", win(backend.Window{Strides: []int{2}, Dilations: []int{3}, Pads: []int{4, 1}}), shape{2, 5, 29}, shape{8, 5, 3}),
		convCase("1d-depthwise", grouped(7, backend.Window{Pads: pads(1, 1)}), shape{1, 7, 20}, shape{7, 1, 3}),
		convCase("3d", win(backend.Window{Pads: pads(3, 1)}), shape{1, 4, 4, 5, 6}, shape{8, 4, 3, 3, 3}),
		convCase("3d-uneven", win(backend.Window{Strides: []int{1, 2, 2}, Dilations: []int{2, 1, 1}, Pads: []int{2, 0, 1, 1, 0, 1}}), shape{2, 3, 5, 7, 6}, shape{5, 3, 3, 1, 3}),
		convCase("3d-depthwise", grouped(4, backend.Window{Pads: pads(3, 1)}), shape{1, 4, 4, 5, 5}, shape{4, 1, 3, 3, 3}),
		convCase("3d-k1", backend.Conv{}, shape{1, 12, 3, 4, 5}, shape{9, 12, 1, 1, 1}),
		convCase("long-sum", backend.Conv{}, shape{1, 512, 3, 4}, shape{4, 512, 3, 3}),
		convCase("batch", win(pad1), shape{5, 4, 6, 5}, shape{8, 4, 3, 3}),
		convCase("no-images", win(pad1), shape{0, 4, 6, 5}, shape{8, 4, 3, 3}),
	}
	for _, e := range []struct {
		name  string
		steps backend.Epilogue
		bias  bool
	}{
		{"bias", nil, true},
		{"relu", backend.Epilogue{relu}, false},
		{"bias-relu", backend.Epilogue{relu}, true},
		{"leaky", backend.Epilogue{act(backend.LeakyRelu, 0.1)}, true},
		{"clip", backend.Epilogue{act(backend.Clip, 0, 6)}, true},
		{"sigmoid", backend.Epilogue{act(backend.Sigmoid)}, true},
		{"tanh", backend.Epilogue{act(backend.Tanh)}, false},
		{"elu", backend.Epilogue{act(backend.Elu, 1)}, true},
		{"hard-swish", backend.Epilogue{act(backend.HardSwish)}, true},
		{"silu-residual", backend.Epilogue{scaleShift, act(backend.Silu), residual}, false},
		{"gelu", backend.Epilogue{act(backend.Gelu)}, true},
		{"two-acts", backend.Epilogue{act(backend.HardSigmoid, 0.2, 0.5), residual, act(backend.Celu, 2)}, true},
		{"scale-shift", backend.Epilogue{scaleShift}, false},
		{"batchnorm-relu", backend.Epilogue{scaleShift, relu}, true},
		{"residual-relu", backend.Epilogue{scaleShift, residual, relu}, false},
		{"relu-residual", backend.Epilogue{relu, residual}, true},
		{"long", backend.Epilogue{relu, scaleShift, residual, act(backend.LeakyRelu, 0.25), residual, scaleShift, act(backend.Clip, -50, 50)}, true},
	} {
		op := backend.Conv{Window: pad1, Bias: e.bias, Epilogue: e.steps}
		ps = append(ps, convCase("epilogue-"+e.name, op, shape{2, 8, 5, 6}, shape{18, 8, 3, 3}))
		if e.name == "residual-relu" || e.name == "sigmoid" || !short {
			op.Groups = 6
			ps = append(ps, convCase("depthwise-epilogue-"+e.name, op, shape{2, 6, 5, 6}, shape{6, 1, 3, 3}))
		}
	}
	layouts := map[string]bool{
		"k1": true, "k3-pad": true, "picture": true, "stride2": true, "groups3-odd": true, "depthwise-odd": true, "1d": true, "3d": true,
		"epilogue-sigmoid": true, "epilogue-residual-relu": true, "long-sum": true,
	}
	for i := range ps {
		ps[i].layouts = layouts[ps[i].name]
		switch ps[i].name {
		case "k3-pad", "k1-wide", "depthwise", "long-sum", "epilogue-long":
			ps[i].fills = check.Fills()
		}
	}
	return ps
}

// convBackwardProblems are the gradients of some of the convolutions.
func convBackwardProblems(bool) []problem {
	var ps []problem
	for _, c := range []struct {
		name string
		op   backend.Conv
		x, w shape
	}{
		{"k1", backend.Conv{}, shape{2, 3, 5, 7}, shape{4, 3, 1, 1}},
		{"k3-pad", backend.Conv{Window: backend.Window{Pads: pads(2, 1)}, Bias: true}, shape{2, 8, 7, 9}, shape{12, 8, 3, 3}},
		{"stride2", backend.Conv{Window: backend.Window{Strides: []int{2, 2}, Pads: pads(2, 1)}, Bias: true}, shape{2, 5, 8, 9}, shape{6, 5, 3, 3}},
		{"stride3x2", backend.Conv{Window: backend.Window{Strides: []int{3, 2}}}, shape{1, 4, 12, 14}, shape{5, 4, 2, 3}},
		{"dilated", backend.Conv{Window: backend.Window{Dilations: []int{2, 3}, Pads: []int{0, 2, 1, 3}}}, shape{1, 3, 8, 9}, shape{4, 3, 3, 3}},
		{"groups2", backend.Conv{Window: backend.Window{Pads: pads(2, 1)}, Groups: 2}, shape{2, 6, 5, 6}, shape{8, 3, 3, 3}},
		{"depthwise", backend.Conv{Window: backend.Window{Pads: pads(2, 1)}, Groups: 7}, shape{2, 7, 6, 5}, shape{7, 1, 3, 3}},
		{"kernel-beyond-input", backend.Conv{Window: backend.Window{Pads: pads(2, 3)}}, shape{1, 2, 2, 3}, shape{3, 2, 5, 6}},
		{"1d", backend.Conv{Window: backend.Window{Strides: []int{2}, Pads: []int{1, 2}}, Bias: true}, shape{3, 4, 17}, shape{5, 4, 3}},
		{"3d", backend.Conv{Window: backend.Window{Pads: pads(3, 1)}}, shape{1, 2, 3, 4, 5}, shape{3, 2, 3, 3, 3}},
		{"long-sum", backend.Conv{Window: backend.Window{Pads: pads(2, 1)}, Bias: true}, shape{2, 2, 48, 50}, shape{2, 2, 3, 3}},
		{"no-images", backend.Conv{Bias: true}, shape{0, 2, 4, 4}, shape{3, 2, 3, 3}},
	} {
		for _, pass := range []backend.Pass{backend.BackwardData, backend.BackwardWeights} {
			ps = append(ps, problem{
				name:    fmt.Sprintf("%v-%s", pass, c.name),
				d:       backwardDesc(c.op, pass, c.x, c.w),
				layouts: c.name == "k3-pad" || c.name == "depthwise",
			})
		}
	}
	return ps
}

// backwardDesc is the gradient of op on x and w. The weights change, so they are
// not constant.
func backwardDesc(op backend.Conv, pass backend.Pass, x, w shape) backend.Desc {
	y, err := backend.Conv{Window: op.Window, Groups: op.Groups}.Infer([]backend.TensorDesc{backend.F32(x...), backend.F32(w...)})
	if err != nil {
		return backend.Desc{Op: op, Pass: pass} // Resolve will report it
	}
	gy := y[0]
	d := backend.Desc{Op: op, Pass: pass}
	if pass == backend.BackwardData {
		d.In, d.Out = []backend.TensorDesc{gy, backend.F32(w...)}, []backend.TensorDesc{backend.F32(x...)}
		return d
	}
	d.In, d.Out = []backend.TensorDesc{backend.F32(x...), gy}, []backend.TensorDesc{backend.F32(w...)}
	if op.Bias {
		d.Out = append(d.Out, backend.F32(w[0]))
	}
	return d
}
