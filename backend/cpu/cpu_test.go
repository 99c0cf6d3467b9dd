package cpu

import (
	"fmt"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// i32 describes an int32 tensor.
func i32(shape ...int) backend.TensorDesc {
	return backend.TensorDesc{DType: tensor.Int32, Shape: shape}
}

func in(l backend.Layout, d backend.TensorDesc) backend.TensorDesc { d.Layout = l; return d }

func constant(d backend.TensorDesc) backend.TensorDesc { d.Const = true; return d }

var cl, cl4, plain = backend.ChannelsLast, backend.ChannelsLast4, backend.Plain

// exactCases are computed without rounding, so that they must equal the
// reference.
func exactCases() map[string]backend.Desc {
	f := backend.F32
	cases := map[string]backend.Desc{}
	add := func(name string, op backend.Op, in ...backend.TensorDesc) {
		cases[name] = backend.Desc{Op: op, In: in}
	}
	conv := func(name string, op backend.Conv, x, w backend.TensorDesc, rest ...backend.TensorDesc) {
		ds := []backend.TensorDesc{x, w}
		if op.Bias {
			ds = append(ds, f(w.Shape[0]))
		}
		ds = append(ds, rest...)
		add(name, op, ds...)
		ds = append([]backend.TensorDesc{}, ds...)
		ds[1].Const = true
		add(name+"_const", op, ds...)
	}
	pad1 := backend.Window{Pads: []int{1, 1, 1, 1}}
	conv("conv_3x3", backend.Conv{Window: pad1, Bias: true}, f(2, 5, 9, 7), f(11, 5, 3, 3))
	conv("conv_1x1", backend.Conv{}, f(1, 17, 6, 5), f(8, 17, 1, 1))
	conv("conv_wide", backend.Conv{Window: pad1}, f(1, 300, 4, 4), f(3, 300, 3, 3))
	conv("conv_stride_dilated_asym", backend.Conv{Window: backend.Window{Strides: []int{2, 3}, Dilations: []int{2, 1}, Pads: []int{0, 2, 3, 1}}}, f(2, 3, 13, 14), f(9, 3, 3, 4))
	conv("conv_1d", backend.Conv{Window: backend.Window{Pads: []int{4, 0}}}, f(2, 3, 10), f(5, 3, 4))
	conv("conv_3d", backend.Conv{Window: backend.Window{Strides: []int{1, 2, 1}, Pads: []int{1, 1, 1, 1, 1, 1}}, Bias: true}, f(1, 4, 5, 6, 7), f(6, 4, 3, 3, 3))
	conv("conv_groups", backend.Conv{Window: pad1, Groups: 3, Bias: true}, f(2, 6, 5, 5), f(12, 2, 3, 3))
	conv("conv_depthwise", backend.Conv{Window: pad1, Groups: 7, Bias: true}, f(2, 7, 5, 6), f(7, 1, 3, 3))
	conv("conv_depthwise_long", backend.Conv{Window: backend.Window{Pads: []int{9, 9, 9, 9}}, Groups: 3}, f(1, 3, 12, 12), f(3, 1, 19, 19))
	conv("conv_multiplier", backend.Conv{Window: pad1, Groups: 4}, f(1, 4, 5, 6), f(8, 1, 3, 3))
	conv("conv_all_padding", backend.Conv{Window: backend.Window{Pads: []int{5, 5, 5, 5}}}, f(1, 2, 2, 2), f(3, 2, 3, 3))
	conv("conv_kernel_over_input", backend.Conv{Window: backend.Window{Pads: []int{3, 3, 3, 3}}}, f(1, 2, 3, 3), f(3, 2, 7, 7))
	far := 1 << 30
	conv("conv_far_dilation", backend.Conv{Window: backend.Window{Dilations: []int{far, far}, Pads: []int{far, far, far, far}}}, f(1, 2, 3, 3), f(3, 2, 3, 3))
	conv("conv_empty_batch", backend.Conv{Window: pad1}, f(0, 2, 3, 3), f(3, 2, 3, 3))
	conv("conv_same_lower", backend.Conv{Window: backend.Window{Strides: []int{2, 2}, AutoPad: backend.SameLower}}, f(1, 3, 7, 8), f(4, 3, 4, 3))
	conv("conv_padded_layout", backend.Conv{Window: pad1, Bias: true}, in(cl4, f(2, 5, 6, 6)), f(7, 5, 3, 3))
	conv("conv_weights_channels_last", backend.Conv{Window: pad1}, f(1, 5, 6, 6), in(cl4, f(7, 5, 3, 3)))
	conv("depthwise_padded_layout", backend.Conv{Window: pad1, Groups: 6}, in(cl4, f(2, 6, 5, 5)), f(6, 1, 3, 3))
	steps := backend.Epilogue{{Kind: backend.ScaleShift}, {Kind: backend.Residual}, {Kind: backend.Activate, Act: backend.Act{Kind: backend.Relu}}, {Kind: backend.Residual}, {Kind: backend.Activate, Act: backend.Act{Kind: backend.Clip, Alpha: -9, Beta: 20}}}
	conv("conv_epilogue", backend.Conv{Window: pad1, Bias: true, Epilogue: steps}, f(2, 4, 5, 5), f(9, 4, 3, 3), f(9), f(9), f(2, 9, 5, 5), f(2, 9, 5, 5))
	conv("depthwise_epilogue", backend.Conv{Window: pad1, Groups: 9, Epilogue: steps}, in(cl4, f(2, 9, 5, 5)), f(9, 1, 3, 3), f(9), f(9), f(2, 9, 5, 5), f(2, 9, 5, 5))
	add("dense", backend.Dense{Bias: true}, f(5, 70), constant(f(19, 70)), f(19))
	add("dense_batch1", backend.Dense{}, f(1, 600), constant(f(130, 600)))
	add("dense_rank3", backend.Dense{Bias: true}, f(2, 3, 7), f(5, 7), f(5))
	add("dense_epilogue", backend.Dense{Epilogue: steps}, f(3, 7), f(9, 7), f(9), f(9), f(3, 9), f(3, 9))
	add("dense_padded_layout", backend.Dense{}, in(cl4, f(3, 7)), f(9, 7))
	add("matmul", backend.MatMul{}, f(9, 33), f(33, 10))
	add("matmul_batch", backend.MatMul{}, f(3, 1, 4, 5), f(2, 5, 6))
	add("matmul_const", backend.MatMul{}, f(3, 4, 5), constant(f(3, 5, 6)))
	add("matmul_vectors", backend.MatMul{}, f(40), f(40))
	add("matmul_k0", backend.MatMul{}, f(3, 0), f(0, 4))
	add("matmul_empty", backend.MatMul{}, f(0, 3), f(3, 4))
	for _, l := range []backend.Layout{cl, plain, cl4} {
		n := l.String() + "_"
		win := backend.Window{Kernel: []int{3, 2}, Strides: []int{2, 1}, Pads: []int{1, 0, 1, 1}}
		add(n+"maxpool", backend.MaxPool{Window: win}, in(l, f(2, 5, 8, 7)))
		add(n+"maxpool_indices", backend.MaxPool{Window: win, Indices: true, CeilMode: true}, in(l, f(2, 5, 8, 7)))
		add(n+"maxpool_padding", backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2}, Pads: []int{3, 3, 3, 3}}, Indices: true}, in(l, f(1, 3, 2, 2)))
		add(n+"maxpool_3d", backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2, 2}, Strides: []int{2, 2, 2}, Dilations: []int{1, 2, 1}}}, in(l, f(1, 3, 4, 5, 6)))
		add(n+"avgpool", backend.AvgPool{Window: backend.Window{Kernel: []int{2, 4}, Strides: []int{2, 3}, Pads: []int{1, 1, 0, 2}}, CeilMode: true, CountIncludePad: true}, in(l, f(2, 5, 8, 7)))
		add(n+"avgpool_1d", backend.AvgPool{Window: backend.Window{Kernel: []int{3}, Pads: []int{2, 2}}}, in(l, f(2, 5, 8)))
		add(n+"globalmax", backend.GlobalPool{}, in(l, f(3, 70, 4, 5)))
		add(n+"globalmean", backend.GlobalPool{Mean: true}, in(l, f(3, 5, 4, 4)))
		add(n+"relu", backend.Activation{Act: backend.Act{Kind: backend.Relu}}, in(l, f(2, 5, 3, 3)))
		add(n+"leaky", backend.Activation{Act: backend.Act{Kind: backend.LeakyRelu, Alpha: 0.5}}, in(l, f(2, 5, 3, 3)))
		add(n+"add", backend.Binary{Fn: backend.Add}, in(l, f(2, 5, 3, 4)), in(l, f(2, 5, 3, 4)))
		add(n+"sub_channel", backend.Binary{Fn: backend.Sub}, in(l, f(2, 5, 3, 4)), f(5, 1, 1))
		add(n+"mul_stretch", backend.Binary{Fn: backend.Mul}, in(l, f(1, 5, 1, 4)), in(l, f(3, 1, 6, 1)))
		add(n+"div", backend.Binary{Fn: backend.Div}, in(l, f(2, 5, 3, 4)), f())
		add(n+"pad", backend.Pad{Pads: []int{0, 1, 2, 0, 1, 0, 1, 3}, Value: 7}, in(l, f(2, 3, 4, 5)))
		add(n+"pad_reflect", backend.Pad{Pads: []int{0, 1, 2, 0, 1, 2, 3, 4}, Mode: backend.PadReflect}, in(l, f(2, 3, 4, 5)))
		add(n+"pad_edge", backend.Pad{Pads: []int{1, 1, 2, 0, 1, 2, 3, 9}, Mode: backend.PadEdge}, in(l, f(2, 3, 4, 5)))
		add(n+"adaptive_max", backend.AdaptivePool{Out: []int{3, 9}}, in(l, f(2, 5, 7, 4)))
		add(n+"adaptive_mean", backend.AdaptivePool{Out: []int{2, 1, 3}, Mean: true}, in(l, f(1, 70, 3, 5, 4)))
		add(n+"resize_nearest", backend.Resize{Size: []int{5, 9}}, in(l, f(2, 5, 7, 4)))
		// weights of ¼ and ¾: exact
		add(n+"resize_linear_1d", backend.Resize{Scales: []float64{2}, Mode: backend.ResizeLinear}, in(l, f(2, 5, 7)))
		add(n+"resize_linear", backend.Resize{Scales: []float64{2, 2}, Mode: backend.ResizeLinear}, in(l, f(2, 5, 7, 4)))
		add(n+"resize_linear_3d", backend.Resize{Scales: []float64{2, 1, 2}, Mode: backend.ResizeLinear}, in(l, f(1, 3, 2, 3, 4)))
		add(n+"concat", backend.Concat{Axis: 1, Inputs: 3}, in(l, f(2, 5, 3, 4)), in(l, f(2, 8, 3, 4)), f(2, 1, 3, 4))
		add(n+"concat_width", backend.Concat{Axis: -1, Inputs: 2}, in(l, f(2, 5, 3, 4)), in(l, f(2, 5, 3, 1)))
		add(n+"transpose", backend.Transpose{}, in(l, f(2, 5, 33, 4)))
		add(n+"transpose_int32", backend.Transpose{Perm: []int{0, 2, 1}}, in(l, i32(2, 19, 40)))
		add(n+"flatten", backend.Flatten{Axis: 1}, in(l, f(2, 3, 4, 5)))
		for _, to := range []backend.Layout{cl, plain, cl4, {Order: backend.OrderChannelsLast, Pad: 8}} {
			for _, x := range []backend.TensorDesc{f(2, 5, 33, 3), i32(2, 19, 40), f(3, 6), f(7), i32(), f(2, 3, 0, 4), f(1, 2, 3, 4, 5)} {
				op := backend.Reorder{}
				cases[fmt.Sprintf("%sreorder_%v_%v", n, to, x)] = backend.Desc{Op: op, In: []backend.TensorDesc{in(l, x)}, Out: []backend.TensorDesc{in(to, x)}}
			}
			cases[fmt.Sprintf("%sreshape_%v", n, to)] = backend.Desc{Op: backend.Reshape{Shape: []int{4, 3, -1}}, In: []backend.TensorDesc{in(l, f(2, 3, 4, 5))}, Out: []backend.TensorDesc{in(to, f(4, 3, 10))}}
		}
	}
	back := func(name string, p backend.Pass, op backend.Conv, in, out []backend.TensorDesc) {
		cases[name] = backend.Desc{Op: op, Pass: p, In: in, Out: out}
	}
	op := backend.Conv{Window: backend.Window{Strides: []int{2, 1}, Dilations: []int{1, 2}, Pads: []int{1, 0, 2, 1}}, Groups: 2, Bias: true}
	x, w, y := f(2, 6, 9, 8), f(10, 3, 3, 2), f(2, 10, 5, 7)
	back("backward_weights", backend.BackwardWeights, op, []backend.TensorDesc{x, y}, []backend.TensorDesc{w, f(10)})
	back("backward_weights_padded", backend.BackwardWeights, op, []backend.TensorDesc{in(cl4, x), in(cl4, y)}, []backend.TensorDesc{in(cl4, w), f(10)})
	back("backward_data", backend.BackwardData, op, []backend.TensorDesc{y, w}, []backend.TensorDesc{x})
	back("backward_data_padded", backend.BackwardData, op, []backend.TensorDesc{y, w}, []backend.TensorDesc{in(cl4, x)})
	return cases
}

func TestExact(t *testing.T) {
	ref := open(t, "ref")
	var cpus []backend.Backend
	for _, n := range []int{1, 2, 3} {
		cpus = append(cpus, open(t, "cpu", backend.WithThreads(n), backend.WithDebug()))
	}
	for name, d := range exactCases() {
		t.Run(name, func(t *testing.T) {
			ins := inputs(7, d)
			want, err := backend.RunDesc(ctx, ref, plainDesc(d), ins...)
			if err != nil {
				t.Fatal(err)
			}
			for i, be := range cpus {
				for _, alg := range be.Algorithms(d) {
					d.Algorithm = alg
					for j, y := range poisonedRun(t, be, d, ins) {
						if !same(t, y, want[j]) {
							t.Fatalf("output %d, %d threads, algorithm %s, %#v %v", j, i+1, alg, d.Op, d.In)
						}
					}
				}
				d.Algorithm = ""
			}
		})
	}
}
