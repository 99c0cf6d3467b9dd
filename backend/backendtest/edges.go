package backendtest

import (
	"errors"
	"fmt"
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// channelCounts are those at which vector widths and tiles begin and end.
var channelCounts = []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65}

// edges tests sizes at the ends of tiles, values at the ends of their range, and
// what must be refused.
func edges(s *suite, r reporter, family string) {
	problems(sizeProblems)(s, r, family)
	problems(valueProblems)(s, r, family)
	for _, b := range badDescs() {
		s.test(r, family, "refused-"+b.name, func(r reporter) {
			s.tally(family).runs++
			k, err := s.be.Prepare(ctx, b.d)
			if err == nil {
				closing(r, k)
				r.Errorf("prepare %s: was accepted", show(b.d))
			} else if !b.typed(err) {
				r.Errorf("prepare %s: got error %q of type %T", show(b.d), err, err)
			}
			if a := s.be.Algorithms(b.d); len(a) > 0 {
				r.Errorf("%s: Algorithms lists %v", show(b.d), a)
			}
		})
	}
	for _, h := range hugeDescs() {
		s.test(r, family, "huge-"+h.name, func(r reporter) {
			s.tally(family).runs++
			// Planning takes no memory of that size, so it may succeed.
			s.be.Algorithms(h.d)
			k, err := s.be.Prepare(ctx, h.d)
			if err == nil {
				defer closing(r, k)
				if h.d.In[0].Bytes() == 0 { // as may a run that has nothing to do
					if _, err := execute(s.be, k, s.inputs(r, h.d, check.Normal)); err != nil {
						r.Errorf("%s: %v", show(h.d), err)
					}
				}
			} else if !limited(err) && !errors.Is(err, errors.ErrUnsupported) {
				r.Errorf("prepare %s: got error %q of type %T, want a *LimitError or one that wraps errors.ErrUnsupported", show(h.d), err, err)
			}
		})
	}
}

// sizeProblems sample the pairs of channel counts and sizes around tiles.
func sizeProblems(short bool) []problem {
	exact := []check.Fill{check.Exact}
	var ps []problem
	n := len(channelCounts)
	for i, cin := range channelCounts {
		// Each count meets a small, an equal and a large other one.
		for _, step := range []int{0, 4, 11} {
			cout := channelCounts[(i+step)%n]
			for _, k := range []int{1, 3} {
				// A software driver compiles for half a second: one of six.
				if short && (step != 4 || k != 1+i%2*2) {
					continue
				}
				p := convCase(fmt.Sprintf("channels-%dto%d-k%d", cin, cout, k), backend.Conv{Window: backend.Window{Pads: pads(2, k/2)}, Bias: true}, shape{1, cin, 4, 5}, shape{cout, cin, k, k})
				p.fills = exact
				ps = append(ps, p)
			}
			if short && step != 4 {
				continue
			}
			ps = append(ps, problem{name: fmt.Sprintf("dense-%dto%d", cin, cout), d: denseDesc(backend.Dense{Bias: true}, shape{3, cin}, cout), fills: exact})
		}
		p := convCase(fmt.Sprintf("depthwise-%d", cin), backend.Conv{Window: backend.Window{Pads: pads(2, 1)}, Groups: cin}, shape{1, cin, 5, 4}, shape{cin, 1, 3, 3})
		p.fills = exact
		ps = append(ps, p)
	}
	widths := []int{1, 2, 6, 7, 8, 13, 14, 15, 27, 28, 29, 55, 57, 112, 113}
	if short {
		widths = []int{1, 7, 8, 13, 15, 28, 57}
	}
	for _, w := range widths {
		p := convCase(fmt.Sprintf("width-%d", w), backend.Conv{Window: backend.Window{Pads: pads(2, 1)}}, shape{1, 5, 3, w}, shape{9, 5, 3, 3})
		one := convCase(fmt.Sprintf("pixels-%d", w), backend.Conv{}, shape{1, 6, w, 1}, shape{10, 6, 1, 1})
		p.fills, one.fills = exact, exact
		ps = append(ps, p, one,
			problem{name: fmt.Sprintf("rows-%d", w), d: denseDesc(backend.Dense{}, shape{w, 20}, 18), fills: exact},
			problem{name: fmt.Sprintf("maxpool-%d", w), d: desc(backend.MaxPool{Window: backend.Window{Kernel: shape{2, 2}, Pads: pads(2, 1)}}, backend.F32(1, 5, 3, w)), fills: exact})
	}
	for _, size := range []int{1, 2, 3, 5, 255, 256, 257, 1023, 1025, 65535, 65537} {
		ps = append(ps, problem{name: fmt.Sprintf("elements-%d", size), d: desc(backend.Activation{}, backend.F32(size)), fills: exact})
	}
	// More positions than workgroups fit in a dim, and more channels.
	many := convCase("positions-70000", backend.Conv{}, shape{1, 1, 70000}, shape{1, 1, 1})
	wide := convCase("channels-2000", backend.Conv{Groups: 2000}, shape{1, 2000, 1, 2}, shape{2000, 1, 1, 1})
	images := convCase("images-1000", backend.Conv{}, shape{1000, 2, 2, 2}, shape{3, 2, 2, 2})
	for _, p := range []problem{many, wide, images} {
		p.fills = exact
		ps = append(ps, p)
	}
	return ps
}

// valueProblems place NaN and infinities by hand.
func valueProblems(bool) []problem {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	const n = 5 * 6
	with := func(base float32, at ...int) *tensor.Tensor {
		v := make([]float32, 4*n)
		for i := range v {
			v[i] = base
			if base == 0 {
				v[i] = float32(i%7 - 3)
			}
		}
		for _, i := range at {
			v[i] = nan
		}
		return tensor.Must(tensor.From(v, 1, 4, 5, 6))
	}
	inputs := []struct {
		name string
		x    *tensor.Tensor
	}{
		{"nan-first", with(0, 0, n, 2*n, 3*n)},
		{"nan-middle", with(0, n/2, n+n/2, 2*n+n/2)},
		{"nan-last", with(0, n-1, 2*n-1, 3*n-1, 4*n-1)},
		{"nan-two", with(0, 3, 4, 10, n+8, n+9)},
		{"all-minus-inf", with(-inf)},
		{"all-inf", with(inf)},
		{"all-nan", with(nan)},
		{"minus-inf-and-nan", with(-inf, 7, n+29, 2*n)},
		{"negative-zero", with(float32(math.Copysign(0, -1)))},
	}
	image := backend.F32(1, 4, 5, 6)
	ops := []struct {
		name string
		op   backend.Op
	}{
		{"maxpool", backend.MaxPool{Window: backend.Window{Kernel: shape{3, 2}, Strides: shape{2, 1}, Pads: pads(2, 1)}, Indices: true}},
		{"maxpool-outside", backend.MaxPool{Window: backend.Window{Kernel: shape{2, 2}, Strides: shape{2, 2}, Pads: pads(2, 3)}, Indices: true}},
		{"avgpool", backend.AvgPool{Window: backend.Window{Kernel: shape{3, 2}, Pads: pads(2, 1)}}},
		{"globalmax", backend.GlobalPool{}},
		{"globalmean", backend.GlobalPool{Mean: true}},
		{"relu", backend.Activation{}},
		{"leaky", backend.Activation{Act: backend.Act{Kind: backend.LeakyRelu, Alpha: 0.5}}},
		{"clip", backend.Activation{Act: backend.Act{Kind: backend.Clip, Alpha: -1, Beta: 1}}},
		{"sigmoid", backend.Activation{Act: backend.Act{Kind: backend.Sigmoid}}},
		{"tanh", backend.Activation{Act: backend.Act{Kind: backend.Tanh}}},
		{"elu", backend.Activation{Act: backend.Act{Kind: backend.Elu, Alpha: 1}}},
		{"hard-sigmoid", backend.Activation{Act: backend.Act{Kind: backend.HardSigmoid, Alpha: 0.2, Beta: 0.5}}},
		{"softplus", backend.Activation{Act: backend.Act{Kind: backend.Softplus}}},
		{"softsign", backend.Activation{Act: backend.Act{Kind: backend.Softsign}}},
		{"silu", backend.Activation{Act: backend.Act{Kind: backend.Silu}}},
		{"hard-swish", backend.Activation{Act: backend.Act{Kind: backend.HardSwish}}},
		{"mish", backend.Activation{Act: backend.Act{Kind: backend.Mish}}},
		{"gelu", backend.Activation{Act: backend.Act{Kind: backend.Gelu}}},
		{"gelu-tanh", backend.Activation{Act: backend.Act{Kind: backend.GeluTanh}}},
		{"lrn", backend.LRN{Size: 3, Alpha: 1, Beta: 0.75, K: 1}},
		{"softmax", backend.Softmax{Axis: 1}},
		{"softmax-width", backend.Softmax{Axis: 3, Log: true}},
		{"pad", backend.Pad{Pads: shape{0, 0, 1, 1, 0, 0, 1, 1}}},
		{"pad-wrap", backend.Pad{Pads: shape{0, 0, 1, 1, 0, 0, 1, 1}, Mode: backend.PadWrap}},
		{"flatten", backend.Flatten{Axis: 1}},
		{"slice", backend.Slice{Starts: shape{0, 1, 0, 5}, Ends: shape{1, 3, 5, -1}, Steps: shape{1, 1, 1, -1}}},
		{"expand", backend.Expand{Shape: shape{2, 1, 1, 1}}},
		{"tile", backend.Tile{Repeats: shape{1, 2, 1, 1}}},
		{"reducemax", backend.Reduce{Fn: backend.ReduceMax, Axes: shape{3}}},
		{"reducemin", backend.Reduce{Fn: backend.ReduceMin, Axes: shape{1}}},
		{"reducesum", backend.Reduce{Axes: shape{1, 2}}},
		{"reduceprod", backend.Reduce{Fn: backend.ReduceProd, Axes: shape{2, 3}}},
		{"reducelogsumexp", backend.Reduce{Fn: backend.ReduceLogSumExp, Axes: shape{1}}},
		{"reducelogsumexp-all", backend.Reduce{Fn: backend.ReduceLogSumExp}},
		{"argmax", backend.ArgMax{Axis: 1}},
		{"argmax-last", backend.ArgMax{Axis: 3, Last: true}},
		{"argmin", backend.ArgMax{Axis: -1, Min: true}},
		{"argmin-last", backend.ArgMax{Axis: 2, Min: true, Last: true}},
		{"topk", backend.TopK{K: 3, Axis: 1}},
		{"topk-smallest", backend.TopK{K: 6, Axis: 3, Smallest: true}},
	}
	var ps []problem
	for _, in := range inputs {
		for _, o := range ops {
			ps = append(ps, problem{name: in.name + "-" + o.name, d: desc(o.op, image), fills: []check.Fill{check.Special}, in: []*tensor.Tensor{in.x}})
		}
	}

	// Normalisations: a channel, two, and a row of a picture.
	ramp := func(x ...int) *tensor.Tensor {
		t := tensor.Must(tensor.New(tensor.Float32, x...))
		for i := range t.Float32s() {
			t.Float32s()[i] = float32(i + 1)
		}
		return t
	}
	for _, in := range inputs {
		for _, o := range []struct {
			name   string
			op     backend.Op
			affine int
		}{
			{"instancenorm", backend.InstanceNorm{Epsilon: 1e-5}, 4},
			{"instancenorm-no-epsilon", backend.InstanceNorm{}, 4},
			{"groupnorm", backend.GroupNorm{Groups: 2, Epsilon: 1e-5}, 4},
			{"layernorm", backend.LayerNorm{Axis: -1, Epsilon: 1e-5}, 6},
		} {
			a := backend.F32(o.affine)
			ps = append(ps, problem{name: in.name + "-" + o.name, d: desc(o.op, image, a, a), fills: []check.Fill{check.Special}, in: []*tensor.Tensor{in.x, ramp(o.affine), ramp(o.affine)}})
		}
	}

	// Infinite and NaN data in a convolution, at the border of the padding and of
	// another channel block: lanes and taps that do not exist must stay out of it.
	r := shape{1, 5, 4, 4}
	for _, v := range []float32{nan, inf, -inf} {
		x := tensor.Must(tensor.New(tensor.Float32, r...))
		w := tensor.Must(tensor.New(tensor.Float32, 6, 5, 3, 3))
		for i := range w.Float32s() {
			w.Float32s()[i] = float32(i%5 + 1)
		}
		for _, at := range []int{0, 3, 4*16 + 15} {
			x.Float32s()[at] = v
		}
		c := convCase(fmt.Sprintf("conv-%v", v), backend.Conv{Window: backend.Window{Pads: pads(2, 1)}}, r, shape{6, 5, 3, 3})
		c.fills, c.in = []check.Fill{check.Special}, []*tensor.Tensor{x, w}
		c.layouts = true
		ps = append(ps, c)
	}
	return ps
}

// badDesc is a Desc that must be refused.
type badDesc struct {
	name  string
	d     backend.Desc
	typed func(error) bool // the error's type is right
}

func isShape(err error) bool { var e *backend.ShapeError; return errors.As(err, &e) }
func isAttr(err error) bool  { var e *backend.AttrError; return errors.As(err, &e) }
func limited(err error) bool { var e *backend.LimitError; return errors.As(err, &e) }

func badDescs() []badDesc {
	f := backend.F32
	w33 := f(4, 3, 3, 3)
	image := f(1, 3, 8, 8)
	win := func(w backend.Window) backend.Op { return backend.Conv{Window: w} }
	i64 := backend.TensorDesc{DType: tensor.Float64, Shape: shape{1, 3, 8, 8}}
	back := backwardDesc(backend.Conv{}, backend.BackwardData, shape{1, 3, 8, 8}, shape{4, 3, 3, 3})
	back.In[0].Shape = shape{1, 4, 7, 6}
	wrongOut := desc(backend.Activation{}, f(2, 3))
	wrongOut.Out = []backend.TensorDesc{f(3, 2)}
	return []badDesc{
		{"no-op", backend.Desc{}, isAttr},
		{"no-inputs", backend.Desc{Op: backend.Conv{}}, isShape},
		{"no-type", desc(backend.Activation{}, backend.TensorDesc{Shape: shape{2}}), isShape},
		{"type", desc(backend.Conv{}, i64, w33), isShape},
		{"channels", desc(backend.Conv{}, f(1, 4, 8, 8), w33), isShape},
		{"channels-last", desc(backend.Conv{}, f(1, 8, 8, 3), w33), isShape},
		{"rank-low", desc(backend.Conv{}, f(3, 8), w33), isShape},
		{"rank-high", desc(backend.Conv{}, f(1, 3, 2, 2, 2, 2), f(4, 3, 1, 1, 1, 1)), isShape},
		{"weights-rank", desc(backend.Conv{}, image, f(4, 3, 3)), isShape},
		{"no-output-channels", desc(backend.Conv{}, image, f(0, 3, 3, 3)), isShape},
		{"kernel-0", desc(backend.Conv{}, image, f(4, 3, 0, 3)), func(err error) bool { return isAttr(err) || isShape(err) }},
		{"kernel-beyond-input", desc(backend.Conv{}, image, f(4, 3, 9, 3)), isShape},
		{"empty-plane", desc(backend.Conv{}, f(1, 3, 0, 8), w33), isShape},
		{"negative-dim", desc(backend.Conv{}, f(-1, 3, 8, 8), w33), isShape},
		{"negative-pad", desc(win(backend.Window{Pads: shape{-1, 0, 0, 0}}), image, w33), isAttr},
		{"pads-count", desc(win(backend.Window{Pads: shape{1, 1}}), image, w33), isAttr},
		{"stride-0", desc(win(backend.Window{Strides: shape{0, 1}}), image, w33), isAttr},
		{"dilation-0", desc(win(backend.Window{Dilations: shape{1, 0}}), image, w33), isAttr},
		{"groups", desc(backend.Conv{Groups: 2}, image, w33), isShape},
		{"groups-negative", desc(backend.Conv{Groups: -1}, image, w33), isAttr},
		{"bias-shape", desc(backend.Conv{Bias: true}, image, w33, f(5)), isShape},
		{"bias-missing", desc(backend.Conv{Bias: true}, image, w33), isShape},
		{"residual-shape", desc(backend.Conv{Epilogue: backend.Epilogue{residual}}, image, w33, f(1, 4, 6, 5)), isShape},
		{"step", desc(backend.Conv{Epilogue: backend.Epilogue{{Kind: 9}}}, image, w33), isAttr},
		{"transposed-weights", desc(backend.ConvTranspose{}, image, w33), isShape},
		{"transposed-pads", desc(backend.ConvTranspose{Window: backend.Window{Pads: pads(2, 5)}}, image, f(3, 4, 3, 3)), isShape},
		{"transposed-output-padding", desc(backend.ConvTranspose{OutputPadding: shape{1, 0}}, image, f(3, 4, 3, 3)), isAttr},
		{"clip", desc(backend.Activation{Act: backend.Act{Kind: backend.Clip, Alpha: 1, Beta: -1}}, f(2)), isAttr},
		{"celu", desc(backend.Activation{Act: backend.Act{Kind: backend.Celu}}, f(2)), isAttr},
		{"elu", desc(backend.Activation{Act: backend.Act{Kind: backend.Elu, Alpha: float32(math.Inf(1))}}, f(2)), isAttr},
		{"hard-sigmoid", desc(backend.Activation{Act: backend.Act{Kind: backend.HardSigmoid}}, f(2)), isAttr},
		{"activation", desc(backend.Activation{Act: backend.Act{Kind: 77}}, f(2)), isAttr},
		{"overflow", desc(backend.Activation{}, f(1<<31, 1<<31, 4)), isShape},
		{"output-overflow", desc(backend.Binary{}, f(1<<31, 1, 4), f(1, 1<<31, 1)), isShape},
		{"output-shape", wrongOut, isShape},
		{"layout", desc(backend.Activation{}, backend.TensorDesc{DType: tensor.Float32, Shape: shape{1, 2, 3}, Layout: backend.Layout{Order: 9}}), isShape},
		{"gradient-shape", back, isShape},
		{"dense-transposed", desc(backend.Dense{}, f(2, 5), f(5, 3)), isShape},
		{"matmul", desc(backend.MatMul{}, f(2, 5), f(4, 3)), isShape},
		{"matmul-scalar", desc(backend.MatMul{}, f(), f(4, 3)), isShape},
		{"softmax-axis", desc(backend.Softmax{Axis: 2}, f(2, 5)), isAttr},
		{"broadcast", desc(backend.Binary{}, f(2, 5), f(2, 4)), isShape},
		{"reshape", desc(backend.Reshape{Shape: shape{3, -1}}, f(2, 5)), isShape},
		{"flatten", desc(backend.Flatten{Axis: 3}, f(2, 5)), isAttr},
		{"reduce-axis", desc(backend.Reduce{Axes: shape{2}}, f(2, 5)), isAttr},
		{"reduce-axis-twice", desc(backend.Reduce{Axes: shape{1, -1}}, f(2, 5)), isAttr},
		{"reduce-kind", desc(backend.Reduce{Fn: 99}, f(2, 5)), isAttr},
		{"argmax-axis", desc(backend.ArgMax{Axis: 2}, f(2, 5)), isAttr},
		{"argmax-of-nothing", desc(backend.ArgMax{Axis: 1}, f(2, 0)), isShape},
		{"topk-beyond", desc(backend.TopK{K: 6, Axis: 1}, f(2, 5)), isAttr},
		{"topk-negative", desc(backend.TopK{K: -1}, f(2, 5)), isAttr},
		{"onehot-type", desc(backend.OneHot{Depth: 3}, f(2, 5)), isShape},
		{"onehot-axis", desc(backend.OneHot{Axis: 3, Depth: 3}, i32(2, 5)), isAttr},
		{"onehot-depth", desc(backend.OneHot{Depth: -1}, i32(2, 5)), isAttr},
		{"reflect", desc(backend.Pad{Pads: shape{5, 0}, Mode: backend.PadReflect}, f(5)), isAttr},
		{"wrap-nothing", desc(backend.Pad{Pads: shape{1, 0}, Mode: backend.PadWrap}, f(0)), isAttr},
		{"slice-step-0", desc(backend.Slice{Starts: shape{0}, Ends: shape{1}, Steps: shape{0}}, f(5)), isAttr},
		{"slice-count", desc(backend.Slice{Starts: shape{0}, Ends: shape{1}}, f(2, 5)), isAttr},
		{"slice-negative", desc(backend.Slice{Starts: shape{-2}, Ends: shape{1}}, f(5)), isAttr},
		{"slice-type", desc(backend.Slice{Starts: shape{0, 0, 0, 0}, Ends: shape{1, 1, 1, 1}}, i64), isShape},
		{"expand", desc(backend.Expand{Shape: shape{2, 4}}, f(2, 5)), isShape},
		{"expand-negative", desc(backend.Expand{Shape: shape{-1}}, f(5)), isAttr},
		{"expand-overflow", desc(backend.Expand{Shape: shape{1<<31 - 1, 1<<31 - 1, 4}}, f(1)), isShape},
		{"tile-count", desc(backend.Tile{Repeats: shape{2}}, f(2, 5)), isAttr},
		{"tile-overflow", desc(backend.Tile{Repeats: shape{1 << 30, 1 << 30}}, f(1<<10, 1<<10)), isShape},
		{"pool-kernel", desc(backend.MaxPool{}, image), isAttr},
		{"batchnorm-shape", desc(backend.BatchNorm{}, image, f(3), f(3), f(4), f(3)), isShape},
		{"groupnorm-groups", desc(backend.GroupNorm{Groups: 2}, image, f(3), f(3)), isShape},
		{"instancenorm-epsilon", desc(backend.InstanceNorm{Epsilon: -1}, image, f(3), f(3)), isAttr},
		{"layernorm-scale", desc(backend.LayerNorm{Axis: -1}, image, f(3), f(3)), isShape},
		{"lrn-size", desc(backend.LRN{}, image), isAttr},
		{"gather-index", desc(backend.Gather{}, f(4, 3), f(2)), isShape},
		{"gather-axis", desc(backend.Gather{Axis: 2}, f(4, 3), i32(2)), isAttr},
		{"gather-beyond-int32", desc(backend.Gather{}, f(1<<31, 0), i32(2)), limited},
		{"resample-index", desc(backend.Resample{}, f(4, 3), f(5, 2), f(5, 2)), isShape},
		{"resample-weight", desc(backend.Resample{}, f(4, 3), i32(5, 2), f(2, 5)), isShape},
		{"maxunpool-index", desc(backend.MaxUnpool{Size: shape{9}}, f(1, 2, 3), i32(1, 2, 4)), isShape},
		{"maxunpool-size", desc(backend.MaxUnpool{Size: shape{9, 9}}, f(1, 2, 3), i32(1, 2, 3)), isAttr},
		{"plane-beyond-int32", desc(backend.MaxPool{Window: backend.Window{Kernel: shape{2, 2}}, Indices: true}, f(1, 1, 1<<16, 1<<16)), limited},
	}
}

// hugeDescs are valid and near 2³¹ elements or bytes, or beyond a dispatch limit.
func hugeDescs() []badDesc {
	f := backend.F32
	none := f(1, 0, 1<<28, 1<<28) // no channels, and pixels that nobody may count
	return []badDesc{
		{name: "conv", d: desc(backend.Conv{}, f(1<<20, 64, 8, 8), f(64, 64, 1, 1))},
		{name: "conv-output", d: desc(backend.Conv{}, f(1<<14, 1, 16, 16), f(1024, 1, 1, 1))},
		{name: "convtranspose", d: desc(backend.ConvTranspose{Window: backend.Window{Strides: shape{4, 4}}}, f(1<<14, 1, 32, 32), f(1, 64, 4, 4))},
		{name: "convtranspose-stride", d: desc(backend.ConvTranspose{Window: backend.Window{Strides: shape{1 << 30}, Pads: shape{0, 1 << 30}}}, f(1, 1, 2), f(1, 1, 1))},
		{name: "convtranspose-nothing", d: desc(backend.ConvTranspose{Window: backend.Window{Strides: shape{1<<31 - 1}}}, f(0, 1, 1<<20), f(1, 2, 1))},
		{name: "convtranspose-row", d: desc(backend.ConvTranspose{Window: backend.Window{Strides: shape{1<<31 - 1}}}, f(1, 1, 1<<20), f(1, 2, 1))},
		{name: "maxpool", d: desc(backend.MaxPool{Window: backend.Window{Kernel: shape{2, 2}}}, f(1<<16, 1, 256, 256))},
		{name: "maxpool-nothing", d: desc(backend.MaxPool{Window: backend.Window{Kernel: shape{1, 1}}}, none)},
		{name: "batchnorm-nothing", d: desc(backend.BatchNorm{}, none, f(0), f(0), f(0), f(0))},
		{name: "relu-2³¹", d: desc(backend.Activation{}, f(1<<15, 1<<16))},
		{name: "relu-2³¹-1", d: desc(backend.Activation{}, f(1<<31-1))},
		{name: "relu-2³³", d: desc(backend.Activation{}, f(1<<17, 1<<16))},
		{name: "add", d: desc(backend.Binary{}, f(1<<16, 1, 1<<8), f(1<<10, 1))},
		{name: "dense", d: desc(backend.Dense{}, f(1<<22, 1024), f(8, 1024))},
		{name: "reshape", d: desc(backend.Flatten{Axis: 1}, f(1<<16, 256, 16, 16))},
		{name: "reorder", d: backend.Desc{Op: backend.Reorder{}, In: []backend.TensorDesc{f(1<<16, 255, 16, 16)},
			Out: []backend.TensorDesc{{DType: tensor.Float32, Shape: shape{1 << 16, 255, 16, 16}, Layout: backend.ChannelsLast4}}}},
		{name: "softmax", d: desc(backend.Softmax{Axis: 1}, f(1<<21, 1024))},
		{name: "resize", d: desc(backend.Resize{Size: shape{1 << 16, 1 << 16}}, f(1, 1, 2, 2))},
		{name: "resize-nothing", d: desc(backend.Resize{Size: shape{1<<31 - 1, 1<<31 - 1}}, f(0, 1, 2, 2))},
		{name: "resize-row", d: desc(backend.Resize{Size: shape{1<<31 - 1}}, f(1, 1, 2))},
		{name: "adaptivepool-nothing", d: desc(backend.AdaptivePool{Out: shape{1<<31 - 1, 1<<31 - 1}}, f(0, 1, 2, 2))},
		{name: "adaptivepool-no-channels", d: desc(backend.AdaptivePool{Out: shape{1 << 28, 1 << 28}}, f(1, 0, 2, 2))},
		{name: "adaptivepool-row", d: desc(backend.AdaptivePool{Out: shape{1<<31 - 1}}, f(1, 1, 2))},
		{name: "concat", d: desc(backend.Concat{Inputs: 2}, f(1<<15, 1<<15), f(1<<15, 1<<15))},
		{name: "concat-nothing", d: desc(backend.Concat{Axis: 1, Inputs: 2}, none, none)},
		{name: "transpose", d: desc(backend.Transpose{}, f(1<<16, 1<<16))},
		{name: "gather", d: desc(backend.Gather{}, f(2, 1<<16), i32(1<<16))},
		{name: "gather-nothing", d: desc(backend.Gather{Axis: 1}, f(0, 1<<28), i32(1<<16))},
		{name: "resample", d: desc(backend.Resample{}, f(2, 1<<16), i32(1<<16, 1), f(1<<16, 1))},
		{name: "resample-terms", d: desc(backend.Resample{}, f(2), i32(1, 1<<31-1), f(1, 1<<31-1))},
		{name: "resample-nothing", d: desc(backend.Resample{Axis: 1}, f(0, 1<<28), i32(1<<16, 1), f(1<<16, 1))},
		{name: "maxunpool", d: desc(backend.MaxUnpool{Size: shape{1 << 15, 1 << 15}}, f(2, 1, 2, 2), i32(2, 1, 2, 2))},
		{name: "maxunpool-nothing", d: desc(backend.MaxUnpool{Size: shape{1 << 15, 1 << 15}}, f(0, 1, 2, 2), i32(0, 1, 2, 2))},
		{name: "slice", d: desc(backend.Slice{Starts: shape{1, 1 << 15}, Ends: shape{backend.SliceEnd, -1}, Steps: shape{1, -1}}, f(1<<16, 1<<16))},
		{name: "slice-of-nothing", d: desc(backend.Slice{Starts: shape{0, 0, 1, backend.SliceEnd}, Ends: shape{1, 1, 1 << 27, -1}, Steps: shape{1, 1, 1, -1}}, none)},
		{name: "expand", d: desc(backend.Expand{Shape: shape{1 << 16, 1 << 16}}, f(1<<16, 1))},
		{name: "expand-nothing", d: desc(backend.Expand{Shape: shape{2, 1, 1, 1}}, none)},
		{name: "tile", d: desc(backend.Tile{Repeats: shape{1 << 16, 1 << 8}}, f(1, 1<<8))},
		{name: "tile-nothing", d: desc(backend.Tile{Repeats: shape{2, 1, 2, 2}}, none)},
		{name: "reduce", d: desc(backend.Reduce{}, f(1<<16, 1<<16))},
		{name: "reduce-rows", d: desc(backend.Reduce{Axes: shape{1}}, f(1<<30, 4))},
		{name: "reduce-lanes", d: desc(backend.Reduce{Fn: backend.ReduceLogSumExp, Axes: shape{0}}, f(4, 1<<30))},
		{name: "reduce-nothing", d: desc(backend.Reduce{Axes: shape{0}}, f(0, 1<<28, 0))},
		{name: "argmax", d: desc(backend.ArgMax{}, f(1<<31-1, 4))},
		{name: "argmax-nothing", d: desc(backend.ArgMax{Axis: 1}, f(0, 1<<31-1))},
		{name: "topk", d: desc(backend.TopK{K: 1<<31 - 1}, f(1<<31-1, 2))},
		{name: "topk-nothing", d: desc(backend.TopK{K: 1 << 28, Axis: 1}, f(0, 1<<29))},
		{name: "onehot", d: desc(backend.OneHot{Depth: 1 << 16}, i32(1<<16))},
		{name: "onehot-nothing", d: desc(backend.OneHot{Depth: 1<<31 - 1, Axis: 1}, i32(0, 1<<20))},
		{name: "groupnorm", d: desc(backend.GroupNorm{Groups: 4}, f(1<<9, 16, 512, 512), f(16), f(16))},
		{name: "layernorm", d: desc(backend.LayerNorm{}, f(1<<15, 1<<14), f(1<<15, 1<<14), f(1<<15, 1<<14))},
		{name: "groupnorm-nothing", d: desc(backend.GroupNorm{Groups: 4}, none, f(0), f(0))},
		{name: "lrn", d: desc(backend.LRN{Size: 1<<31 - 1}, f(1<<20, 1024))},
		{name: "lrn-nothing", d: desc(backend.LRN{Size: 1}, none)},
	}
}
