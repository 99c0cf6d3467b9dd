package backendtest

import (
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
)

// transposeCase is a problem for op on x and w, with the operands that op asks for.
func transposeCase(name string, op backend.ConvTranspose, x, w shape) problem {
	return problem{name: name, d: transposeDesc(op, x, w)}
}

func transposeDesc(op backend.ConvTranspose, x, w shape) backend.Desc {
	in := []backend.TensorDesc{backend.F32(x...), backend.F32(w...)}
	plain := op
	plain.Bias, plain.Epilogue = false, nil
	var y shape
	if out, err := plain.Infer(in); err == nil {
		y = out[0].Shape
	}
	return desc(op, append(in, operands(op.Bias, op.Epilogue, w[1]*op.GroupCount(), y)...)...)
}

// transposed is a transposed convolution of stride s in n dims with padding p.
func transposed(n, s, p int) backend.ConvTranspose {
	return backend.ConvTranspose{Window: backend.Window{Strides: fill(n, s), Pads: pads(n, p)}}
}

// convTransposeProblems are the transposed convolutions.
func convTransposeProblems(short bool) []problem {
	win := func(w backend.Window) backend.ConvTranspose { return backend.ConvTranspose{Window: w} }
	grouped := func(g int, op backend.ConvTranspose) backend.ConvTranspose { op.Groups = g; return op }
	more := func(op backend.ConvTranspose, out ...int) backend.ConvTranspose { op.OutputPadding = out; return op }
	bias := func(op backend.ConvTranspose) backend.ConvTranspose { op.Bias = true; return op }
	k4s2, k3s2 := transposed(2, 2, 1), more(transposed(2, 2, 1), 1, 1)

	ps := []problem{
		transposeCase("k1", backend.ConvTranspose{}, shape{2, 3, 5, 7}, shape{3, 4, 1, 1}),
		transposeCase("k3", backend.ConvTranspose{}, shape{1, 5, 6, 7}, shape{5, 6, 3, 3}),
		transposeCase("k3-pad", transposed(2, 1, 1), shape{2, 16, 9, 11}, shape{16, 24, 3, 3}),
		transposeCase("k4-stride2", k4s2, shape{1, 16, 7, 9}, shape{16, 12, 4, 4}),
		transposeCase("k4-stride2-wide", k4s2, shape{1, 64, 5, 6}, shape{64, 40, 4, 4}),
		transposeCase("k2-stride2", bias(transposed(2, 2, 0)), shape{2, 8, 6, 5}, shape{8, 4, 2, 2}),
		transposeCase("k3-stride2-output-padding", k3s2, shape{1, 6, 7, 6}, shape{6, 9, 3, 3}),
		transposeCase("to-picture", bias(k4s2), shape{1, 12, 11, 17}, shape{12, 3, 4, 4}),
		transposeCase("gray", transposed(2, 2, 1), shape{1, 1, 9, 8}, shape{1, 1, 4, 4}),
		transposeCase("one-pixel", backend.ConvTranspose{}, shape{2, 20, 1, 1}, shape{20, 8, 4, 4}),
		transposeCase("one-pixel-stride2", k4s2, shape{1, 8, 1, 1}, shape{8, 8, 4, 4}),
		transposeCase("stride3x2", win(backend.Window{Strides: []int{3, 2}}), shape{1, 4, 5, 6}, shape{4, 5, 3, 3}),
		transposeCase("stride-beyond-kernel", bias(win(backend.Window{Strides: []int{4, 5}})), shape{1, 4, 5, 4}, shape{4, 6, 2, 3}),
		transposeCase("stride-beyond-kernel-pad", more(win(backend.Window{Strides: []int{3, 3}, Pads: []int{0, 1, 1, 0}}), 2, 0), shape{2, 3, 4, 5}, shape{3, 5, 1, 2}),
		transposeCase("k1-stride2", transposed(2, 2, 0), shape{1, 8, 4, 5}, shape{8, 5, 1, 1}),
		transposeCase("dilated", win(backend.Window{Dilations: []int{2, 3}, Pads: []int{2, 3, 2, 3}}), shape{1, 6, 7, 9}, shape{6, 8, 3, 3}),
		transposeCase("dilated-stride2", win(backend.Window{Dilations: []int{2, 2}, Strides: []int{2, 2}}), shape{1, 6, 5, 6}, shape{6, 8, 3, 3}),
		transposeCase("dilated-stride-coprime", more(win(backend.Window{Dilations: []int{3, 2}, Strides: []int{2, 3}, Pads: []int{1, 2, 3, 0}}), 2, 1), shape{1, 5, 5, 6}, shape{5, 7, 4, 3}),
		transposeCase("dilated-stride-common", more(win(backend.Window{Dilations: []int{4, 6}, Strides: []int{6, 4}, Pads: []int{1, 2, 3, 0}}), 5, 3), shape{1, 4, 3, 4}, shape{4, 5, 4, 3}),
		transposeCase("pad-asymmetric", win(backend.Window{Strides: []int{2, 2}, Pads: []int{0, 2, 1, 3}}), shape{1, 5, 6, 7}, shape{5, 4, 4, 5}),
		transposeCase("pad-beyond-stride", win(backend.Window{Strides: []int{2, 2}, Pads: []int{4, 5, 6, 3}}), shape{1, 4, 9, 8}, shape{4, 4, 3, 4}),
		transposeCase("kernel-beyond-output", win(backend.Window{Pads: pads(2, 4)}), shape{1, 4, 4, 5}, shape{4, 8, 6, 7}),
		transposeCase("same-upper", win(backend.Window{AutoPad: backend.SameUpper, Strides: []int{2, 2}}), shape{1, 4, 5, 6}, shape{4, 4, 5, 3}),
		transposeCase("same-lower", win(backend.Window{AutoPad: backend.SameLower, Strides: []int{2, 2}}), shape{1, 4, 5, 6}, shape{4, 4, 5, 3}),
		transposeCase("same-beyond-kernel", bias(win(backend.Window{AutoPad: backend.SameUpper, Strides: []int{4, 3}})), shape{1, 4, 3, 4}, shape{4, 4, 2, 3}),
		transposeCase("valid", win(backend.Window{AutoPad: backend.Valid, Strides: []int{2, 1}}), shape{1, 4, 5, 6}, shape{4, 4, 3, 3}),
		transposeCase("groups2", grouped(2, k4s2), shape{1, 8, 6, 7}, shape{8, 4, 4, 4}),
		transposeCase("groups3-odd", grouped(3, k3s2), shape{2, 9, 5, 6}, shape{9, 5, 3, 3}),
		transposeCase("groups2-wide", bias(grouped(2, transposed(2, 2, 0))), shape{1, 24, 4, 5}, shape{24, 16, 2, 2}),
		transposeCase("depthwise", grouped(8, k4s2), shape{2, 8, 6, 5}, shape{8, 1, 4, 4}),
		transposeCase("depthwise-odd", grouped(19, k3s2), shape{1, 19, 7, 6}, shape{19, 1, 3, 3}),
		transposeCase("depthwise-beyond-kernel", bias(grouped(6, win(backend.Window{Strides: []int{3, 4}, Pads: []int{1, 0, 0, 1}}))), shape{1, 6, 5, 4}, shape{6, 1, 2, 2}),
		transposeCase("depthwise-k5-dilated", grouped(6, more(win(backend.Window{Dilations: []int{2, 3}, Strides: []int{3, 2}, Pads: pads(2, 4)}), 0, 2)), shape{1, 6, 5, 6}, shape{6, 1, 5, 5}),
		transposeCase("depthwise-multiplier", grouped(5, k4s2), shape{1, 5, 4, 5}, shape{5, 3, 4, 4}),
		transposeCase("1d", transposed(1, 4, 2), shape{2, 6, 13}, shape{6, 10, 8}),
		transposeCase("1d-dilated", win(backend.Window{Strides: []int{2}, Dilations: []int{3}, Pads: []int{4, 1}}), shape{2, 5, 14}, shape{5, 8, 3}),
		transposeCase("1d-depthwise", grouped(7, transposed(1, 2, 1)), shape{1, 7, 12}, shape{7, 1, 4}),
		transposeCase("3d", more(transposed(3, 2, 1), 1, 1, 1), shape{1, 4, 3, 4, 3}, shape{4, 8, 3, 3, 3}),
		transposeCase("3d-uneven", win(backend.Window{Strides: []int{1, 2, 3}, Dilations: []int{2, 1, 1}, Pads: []int{2, 0, 1, 1, 0, 1}}), shape{2, 3, 3, 4, 3}, shape{3, 5, 3, 1, 4}),
		transposeCase("3d-depthwise", grouped(4, transposed(3, 2, 0)), shape{1, 4, 3, 2, 4}, shape{4, 1, 2, 2, 2}),
		transposeCase("long-sum", transposed(2, 2, 1), shape{1, 600, 3, 4}, shape{600, 4, 4, 4}),
		transposeCase("many-taps", transposed(1, 2, 0), shape{1, 2, 40}, shape{2, 3, 700}),
		transposeCase("batch", k3s2, shape{5, 4, 6, 5}, shape{4, 8, 3, 3}),
		transposeCase("no-images", k4s2, shape{0, 4, 6, 5}, shape{4, 8, 4, 4}),
	}
	for _, e := range []struct {
		name  string
		steps backend.Epilogue
		bias  bool
	}{
		{"relu", backend.Epilogue{relu}, false},
		{"bias-leaky", backend.Epilogue{act(backend.LeakyRelu, 0.1)}, true},
		{"tanh", backend.Epilogue{act(backend.Tanh)}, true},
		{"batchnorm-relu", backend.Epilogue{scaleShift, relu}, false},
		{"residual-relu", backend.Epilogue{scaleShift, residual, relu}, false},
		{"long", backend.Epilogue{relu, scaleShift, residual, act(backend.LeakyRelu, 0.25), residual, scaleShift, act(backend.Clip, -50, 50)}, true},
	} {
		// A stride above the kernel: the epilogue of empty sums counts too.
		op := backend.ConvTranspose{Window: backend.Window{Strides: []int{2, 3}}, Bias: e.bias, Epilogue: e.steps}
		ps = append(ps, transposeCase("epilogue-"+e.name, op, shape{2, 8, 3, 4}, shape{8, 18, 3, 2}))
		if e.name == "residual-relu" || e.name == "tanh" || !short {
			op.Groups = 6
			ps = append(ps, transposeCase("depthwise-epilogue-"+e.name, op, shape{2, 6, 3, 4}, shape{6, 1, 3, 2}))
		}
	}
	layouts := map[string]bool{
		"k1": true, "k4-stride2": true, "to-picture": true, "groups3-odd": true, "depthwise-odd": true, "stride-beyond-kernel": true, "1d": true, "3d": true,
		"epilogue-tanh": true, "epilogue-residual-relu": true,
	}
	for i := range ps {
		ps[i].layouts = layouts[ps[i].name]
		switch ps[i].name {
		case "k4-stride2", "depthwise", "long-sum", "many-taps", "epilogue-long":
			ps[i].fills = check.Fills()
		}
	}
	return append(ps, convTransposeSizes(short)...)
}

// convTransposeSizes are the channels and pixels around the ends of tiles, for a
// class of outputs of stride 2 as for stride 1.
func convTransposeSizes(short bool) []problem {
	var ps []problem
	n := len(channelCounts)
	for i, cin := range channelCounts {
		for _, step := range []int{0, 4, 11} {
			if short && step != 4 {
				continue
			}
			cout := channelCounts[(i+step)%n]
			ps = append(ps, transposeCase(fmt.Sprintf("channels-%dto%d", cin, cout), backend.ConvTranspose{Window: backend.Window{Strides: []int{2, 1}, Pads: pads(2, 1)}, Bias: true}, shape{1, cin, 3, 5}, shape{cin, cout, 3, 3}))
		}
		if short && i%2 == 1 {
			continue
		}
		op := transposed(2, 2, 1)
		op.Groups = cin
		ps = append(ps, transposeCase(fmt.Sprintf("channels-%d-depthwise", cin), op, shape{1, cin, 3, 2}, shape{cin, 1, 4, 4}))
	}
	widths := []int{1, 2, 6, 7, 8, 13, 14, 15, 27, 28, 29, 55, 57, 112, 113}
	if short {
		widths = []int{1, 7, 8, 13, 15, 28, 57}
	}
	for _, w := range widths {
		ps = append(ps,
			transposeCase(fmt.Sprintf("width-%d", w), transposed(2, 2, 1), shape{1, 5, 2, w}, shape{5, 9, 4, 4}),
			transposeCase(fmt.Sprintf("pixels-%d", w), backend.ConvTranspose{}, shape{1, 6, w, 1}, shape{6, 10, 1, 1}))
	}
	ps = append(ps,
		transposeCase("positions-70000", transposed(1, 2, 0), shape{1, 1, 35000}, shape{1, 1, 2}),
		transposeCase("channels-2000", backend.ConvTranspose{Groups: 2000}, shape{1, 2000, 1, 2}, shape{2000, 1, 1, 1}),
		transposeCase("stride-huge", transposed(1, 1<<16, 0), shape{1, 2, 2}, shape{2, 3, 3}),
	)
	for i := range ps {
		ps[i].fills = []check.Fill{check.Exact}
	}
	return ps
}
