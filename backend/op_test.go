package backend

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/convgl/convgl/tensor"
)

// descs describes float32 inputs of these shapes.
func descs(shapes ...[]int) []TensorDesc {
	var d []TensorDesc
	for _, s := range shapes {
		d = append(d, F32(s...))
	}
	return d
}

type shape = []int

var nan = float32(math.NaN())

func i32(s ...int) TensorDesc { return TensorDesc{DType: tensor.Int32, Shape: s} }

func TestInfer(t *testing.T) {
	pool := Window{Kernel: shape{2, 2}, Strides: shape{2, 2}}
	epilogue := Epilogue{{Kind: ScaleShift}, {Kind: Residual}, {Kind: Activate, Act: Act{Kind: LeakyRelu, Alpha: 0.1}}}
	for _, c := range []struct {
		op   Op
		in   []TensorDesc
		want string
	}{
		{Conv{}, descs(shape{2, 3, 8}, shape{4, 3, 3}), "float32[2,4,6]"},
		{Conv{Window: Window{Pads: shape{1, 1, 1, 1}}}, descs(shape{2, 3, 8, 9}, shape{4, 3, 3, 3}), "float32[2,4,8,9]"},
		{Conv{Bias: true, Groups: 3}, descs(shape{0, 3, 8, 9, 7}, shape{6, 1, 3, 3, 1}, shape{6}), "float32[0,6,6,7,7]"},
		{Conv{Epilogue: epilogue}, descs(shape{2, 3, 8}, shape{4, 3, 3}, shape{4}, shape{4}, shape{2, 4, 6}), "float32[2,4,6]"},
		{Dense{}, descs(shape{5, 3}, shape{4, 3}), "float32[5,4]"},
		{Dense{Bias: true, Epilogue: epilogue}, descs(shape{2, 5, 3}, shape{4, 3}, shape{4}, shape{4}, shape{4}, shape{2, 5, 4}), "float32[2,5,4]"},
		{MaxPool{Window: pool}, descs(shape{1, 3, 5, 4}), "float32[1,3,2,2]"},
		{MaxPool{Window: pool, CeilMode: true, Indices: true}, descs(shape{1, 3, 5, 4}), "float32[1,3,3,2] int32[1,3,3,2]"},
		{AvgPool{Window: pool, CeilMode: true}, descs(shape{1, 3, 5, 4}), "float32[1,3,3,2]"},
		{GlobalPool{}, descs(shape{2, 3, 5, 4, 6}), "float32[2,3,1,1,1]"},
		{Gather{Axis: 1}, []TensorDesc{F32(2, 3, 4), i32(5, 6)}, "float32[2,5,6,4]"},
		{Gather{Axis: -1}, []TensorDesc{i32(2, 3), i32()}, "int32[2]"},
		{Gather{}, []TensorDesc{F32(0, 3), i32(0, 7)}, "float32[0,7,3]"},
		{Resample{Axis: 2}, []TensorDesc{F32(2, 3, 4, 5), i32(7, 2), F32(7, 2)}, "float32[2,3,7,5]"},
		{Resample{Axis: -1}, []TensorDesc{F32(4), i32(0, 3), F32(0, 3)}, "float32[0]"},
		{MaxUnpool{Size: shape{6, 5}}, []TensorDesc{F32(2, 3, 3, 2), i32(2, 3, 3, 2)}, "float32[2,3,6,5]"},
		{BatchNorm{}, descs(shape{2, 3, 5}, shape{3}, shape{3}, shape{3}, shape{3}), "float32[2,3,5]"},
		{BatchNorm{}, descs(shape{2, 3}, shape{3}, shape{3}, shape{3}, shape{3}), "float32[2,3]"},
		{GroupNorm{Groups: 2}, descs(shape{2, 6, 5}, shape{6}, shape{6}), "float32[2,6,5]"},
		{GroupNorm{Groups: 6}, descs(shape{0, 6}, shape{6}, shape{6}), "float32[0,6]"},
		{InstanceNorm{}, descs(shape{2, 3, 4, 5, 6}, shape{3}, shape{3}), "float32[2,3,4,5,6]"},
		{LayerNorm{Axis: -1}, descs(shape{2, 3, 4}, shape{4}, shape{4}), "float32[2,3,4]"},
		{LayerNorm{Axis: 1}, descs(shape{2, 3, 4}, shape{3, 4}, shape{3, 4}), "float32[2,3,4]"},
		{LayerNorm{}, descs(shape{4}, shape{4}, shape{4}), "float32[4]"},
		{LRN{Size: 4}, descs(shape{2, 3, 4}), "float32[2,3,4]"},
		{Activation{Act{Kind: Clip, Alpha: 1, Beta: 1}}, descs(shape{}), "float32[]"},
		{Softmax{Axis: -2}, descs(shape{2, 3}), "float32[2,3]"},
		{Binary{Fn: Mul}, descs(shape{2, 1, 4}, shape{3, 1}), "float32[2,3,4]"},
		{Binary{SameShape: true}, descs(shape{2, 3}, shape{2, 3}), "float32[2,3]"},
		{Binary{Fn: LessOrEqual}, descs(shape{2, 1}, shape{3}), "float32[2,3]"},
		{Where{}, descs(shape{2, 1, 1}, shape{3, 1}, shape{4}), "float32[2,3,4]"},
		{Where{}, descs(shape{}, shape{}, shape{1}), "float32[1]"},
		{Where{}, descs(shape{0, 3}, shape{1}, shape{}), "float32[0,3]"},
		{Binary{Fn: Mul}, descs(shape{0, 1}, shape{3}), "float32[0,3]"},
		{Pad{Pads: shape{1, 0, 2, 3}}, descs(shape{4, 5}), "float32[7,8]"},
		{Pad{Pads: shape{3, 3}, Mode: PadReflect}, descs(shape{4}), "float32[10]"},
		{Reorder{}, []TensorDesc{i32(2, 3)}, "int32[2,3]"},
		{Reshape{Shape: shape{0, -1}}, []TensorDesc{i32(2, 3, 4)}, "int32[2,12]"},
		{Reshape{Shape: shape{}}, descs(shape{1, 1}), "float32[]"},
		{Reshape{Shape: shape{-1, 3}}, descs(shape{0, 3}), "float32[0,3]"},
		{Flatten{Axis: 1}, descs(shape{2, 3, 4}), "float32[2,12]"},
		{Flatten{Axis: -1}, descs(shape{2, 3, 4}), "float32[6,4]"},
		{Flatten{Axis: 3}, descs(shape{2, 3, 4}), "float32[24,1]"},
		{Flatten{}, descs(shape{}), "float32[1,1]"},
		{MatMul{}, descs(shape{2, 3}, shape{3, 4}), "float32[2,4]"},
		{MatMul{}, descs(shape{3}, shape{3}), "float32[]"},
		{MatMul{}, descs(shape{5, 1, 2, 3}, shape{6, 3, 4}), "float32[5,6,2,4]"},
		{MatMul{}, descs(shape{3}, shape{6, 3, 4}), "float32[6,4]"},
		{MatMul{}, descs(shape{6, 2, 3}, shape{3}), "float32[6,2]"},
		{AdaptivePool{Out: shape{7, 2}}, descs(shape{0, 3, 5, 4}), "float32[0,3,7,2]"},
		{AdaptivePool{Out: shape{1, 2, 3}, Mean: true}, descs(shape{2, 3, 5, 4, 6}), "float32[2,3,1,2,3]"},
		{Resize{Size: shape{7}}, descs(shape{0, 3, 5}), "float32[0,3,7]"},
		{Resize{Scales: []float64{2, 0.5}, Mode: ResizeLinear}, descs(shape{1, 3, 5, 5}), "float32[1,3,10,2]"},
		{Resize{Scales: []float64{0.1, 0.29, 1.5}, Coord: Asymmetric}, descs(shape{1, 3, 10, 100, 1}), "float32[1,3,1,28,1]"},
		{Concat{Axis: 1, Inputs: 3}, descs(shape{2, 3, 5}, shape{2, 0, 5}, shape{2, 4, 5}), "float32[2,7,5]"},
		{Concat{Axis: -1, Inputs: 1}, []TensorDesc{i32(4)}, "int32[4]"},
		{Transpose{}, []TensorDesc{i32(2, 3, 4)}, "int32[4,3,2]"},
		{Transpose{Perm: shape{0, 2, 3, 1}}, descs(shape{2, 3, 4, 5}), "float32[2,4,5,3]"},
		{Transpose{Perm: shape{}}, descs(shape{}), "float32[]"},
		{Slice{Starts: shape{0, 1, 2}, Ends: shape{2, 3, SliceEnd}, Steps: shape{1, 1, 2}}, descs(shape{2, 3, 7}), "float32[2,2,3]"},
		{Slice{Starts: shape{6, SliceEnd - 2}, Ends: shape{-1, SliceEnd}, Steps: shape{-3, 1}}, []TensorDesc{i32(7, 5)}, "int32[3,2]"},
		{Slice{Starts: shape{5}, Ends: shape{SliceEnd}}, descs(shape{3}), "float32[0]"},
		{Slice{Starts: shape{}, Ends: shape{}, Steps: shape{}}, descs(shape{}), "float32[]"},
		{Expand{Shape: shape{2, 1, 4}}, []TensorDesc{i32(3, 1)}, "int32[2,3,4]"},
		{Expand{Shape: shape{4}}, descs(shape{2, 3, 1}), "float32[2,3,4]"},
		{Expand{Shape: shape{0, 1}}, descs(shape{1, 3}), "float32[0,3]"},
		{Expand{}, descs(shape{}), "float32[]"},
		{Tile{Repeats: shape{2, 1, 0}}, []TensorDesc{i32(2, 3, 4)}, "int32[4,3,0]"},
		{Tile{}, descs(shape{}), "float32[]"},
		{Pad{Pads: shape{5, 9}, Mode: PadWrap}, descs(shape{2}), "float32[16]"},
		{Reduce{}, descs(shape{2, 3, 4}), "float32[]"},
		{Reduce{KeepDims: true}, descs(shape{2, 3, 4}), "float32[1,1,1]"},
		{Reduce{Fn: ReduceMean, Axes: shape{-1, 1}}, descs(shape{2, 3, 4, 5}), "float32[2,4]"},
		{Reduce{Fn: ReduceMax, Axes: shape{2, 3}, KeepDims: true}, descs(shape{2, 3, 0, 5}), "float32[2,3,1,1]"},
		{Reduce{Fn: ReduceSumSquare, Axes: shape{}}, descs(shape{}), "float32[]"},
		{Reduce{Axes: shape{0, 3, 7}}, descs(shape{1, 2, 3, 4, 5, 6, 7, 8}), "float32[2,3,5,6,7]"},
		{ArgMax{Axis: 1}, descs(shape{2, 3, 4}), "int32[2,4]"},
		{ArgMax{Axis: -1, KeepDims: true}, descs(shape{0, 3}), "int32[0,1]"},
		{ArgMax{Min: true}, descs(shape{3}), "int32[]"},
		{TopK{K: 2, Axis: 1}, descs(shape{2, 3, 4}), "float32[2,2,4] int32[2,2,4]"},
		{TopK{K: 0}, descs(shape{0}), "float32[0] int32[0]"},
		{OneHot{Depth: 5}, []TensorDesc{i32()}, "float32[5]"},
		{OneHot{Depth: 5, Axis: -1}, []TensorDesc{i32(2, 3)}, "float32[2,3,5]"},
		{OneHot{Depth: 5, Axis: 1}, []TensorDesc{i32(2, 3)}, "float32[2,5,3]"},
		{OneHot{Depth: 0, Axis: -3}, []TensorDesc{i32(2, 3)}, "float32[0,2,3]"},
	} {
		d, err := Desc{Op: c.op, In: c.in}.Resolve()
		if err != nil {
			t.Errorf("%s: %v", c.op.Kind(), err)
			continue
		}
		got := ""
		for _, o := range d.Out {
			got += " " + o.String()
		}
		if got != " "+c.want {
			t.Errorf("%s %v: got%s, want %s", c.op.Kind(), c.in, got, c.want)
		}
		if cost := d.Cost(); cost.FLOPs < 0 || cost.Bytes < 0 {
			t.Errorf("%s: cost %+v", c.op.Kind(), cost)
		}
		// What was inferred may also be given, with layouts.
		for i := range d.Out {
			d.Out[i].Layout = ChannelsLast4
		}
		if d, err = d.Resolve(); err != nil || d.Out[0].Layout != ChannelsLast4 {
			t.Errorf("%s with outputs: %v", c.op.Kind(), err)
		}
	}
}

func TestInferErrors(t *testing.T) {
	var (
		shapeErr *ShapeError
		attrErr  *AttrError
		limitErr *LimitError
	)
	image := shape{1, 3, 8, 8}
	for _, c := range []struct {
		op   Op
		in   []TensorDesc
		as   any
		want string
	}{
		{Conv{}, descs(image), &shapeErr, "Conv: inputs: got 1, want 2: [x w]"},
		{Conv{Bias: true, Epilogue: Epilogue{{Kind: ScaleShift}, {Kind: Residual}}}, descs(image, shape{4, 3, 3, 3}), &shapeErr, "Conv: inputs: got 2, want 6: [x w b epilogue[0].scale epilogue[0].shift epilogue[1].residual]"},
		{Conv{}, []TensorDesc{i32(1, 3, 8, 8), F32(4, 3, 3, 3)}, &shapeErr, "Conv: x: type: got int32, want float32"},
		{Activation{}, []TensorDesc{{DType: tensor.Bool, Shape: image}}, &shapeErr, "Activation: x: type: got bool, want float32"},
		{Transpose{}, []TensorDesc{{DType: tensor.Bool, Shape: image}}, &shapeErr, "Transpose: x: type: got bool, want float32 or int32"},
		{Conv{}, []TensorDesc{F32(1, 3, 8, 8), i32(4, 3, 3, 3)}, &shapeErr, "Conv: w: type: got int32, want float32"},
		{Conv{}, descs(shape{8, 8}, shape{3, 3}), &shapeErr, "Conv: x: rank: got 2 ([8,8]), want 3, 4 or 5 (N, C and 1 to 3 spatial dims) (add the batch dim?)"},
		{Conv{}, descs(image, shape{4, 3, 3}), &shapeErr, "Conv: w: rank: got 3 ([4,3,3]), want 4 ([Cout, Cin/groups, kernel...], as x has rank 4)"},
		{Conv{}, descs(shape{1, 8, 8, 3}, shape{4, 3, 3, 3}), &shapeErr, "Conv: x: channels: got 8 (x [1,8,8,3]), want 3 (w [4,3,3,3] × groups 1) (is x channels-last? use tensor.HWCToNCHW)"},
		{Conv{}, descs(shape{1, 4, 8, 8}, shape{4, 3, 3, 3}), &shapeErr, "Conv: x: channels: got 4 (x [1,4,8,8]), want 3 (w [4,3,3,3] × groups 1)"},
		{Conv{Groups: 2}, descs(shape{1, 6, 8, 8}, shape{5, 3, 3, 3}), &shapeErr, "Conv: w: output channels: got 5, want a positive multiple of groups = 2"},
		{Gather{}, []TensorDesc{F32(), i32(2)}, &shapeErr, "Gather: x: rank: got 0, want 1 or more"},
		{Gather{}, descs(shape{3}, shape{2}), &shapeErr, "Gather: index: type: got float32, want int32"},
		{Gather{}, []TensorDesc{{DType: tensor.Int64, Shape: shape{3}}, i32(2)}, &shapeErr, "Gather: x: type: got int64, want float32 or int32"},
		{Gather{Axis: 2}, []TensorDesc{F32(2, 3), i32(2)}, &attrErr, "Gather: axis: got 2, want -2 to 1 for rank 2"},
		{Gather{}, []TensorDesc{F32(1, 1, 1, 1, 1), i32(1, 1, 1, 1, 1)}, &shapeErr, "Gather: y: rank: got 9, of x [1,1,1,1,1] and index [1,1,1,1,1], want 8 at most"},
		{Gather{}, []TensorDesc{F32(1<<31, 0), i32(1)}, &limitErr, "Gather: elements along the axis, for int32 indices: got 2147483648, want at most 2147483647"},
		{Resample{}, []TensorDesc{i32(4), i32(3, 2), F32(3, 2)}, &shapeErr, "Resample: x: type: got int32, want float32"},
		{Resample{}, []TensorDesc{F32(), i32(3, 2), F32(3, 2)}, &shapeErr, "Resample: x: rank: got 0, want 1 or more"},
		{Resample{Axis: -2}, []TensorDesc{F32(4), i32(3, 2), F32(3, 2)}, &attrErr, "Resample: axis: got -2, want -1 to 0 for rank 1"},
		{Resample{}, descs(shape{4}, shape{3, 2}, shape{3, 2}), &shapeErr, "Resample: index: type: got float32, want int32"},
		{Resample{}, []TensorDesc{F32(4), i32(3), F32(3)}, &shapeErr, "Resample: index: rank: got 1 ([3]), want 2 ([M,T]: elements of y along the axis, terms of each)"},
		{Resample{}, []TensorDesc{F32(4), i32(3, 2), F32(2, 3)}, &shapeErr, "Resample: weight: got [2,3], want [3,2], as index"},
		{Resample{}, []TensorDesc{F32(4), i32(3, 2), i32(3, 2)}, &shapeErr, "Resample: weight: type: got int32, want float32"},
		{MaxUnpool{Size: shape{4}}, []TensorDesc{F32(1, 2), i32(1, 2)}, &shapeErr, "MaxUnpool: x: rank: got 2 ([1,2]), want 3, 4 or 5 (N, C and 1 to 3 spatial dims) (add the batch dim?)"},
		{MaxUnpool{Size: shape{4}}, descs(shape{1, 2, 2}, shape{1, 2, 2}), &shapeErr, "MaxUnpool: index: type: got float32, want int32"},
		{MaxUnpool{Size: shape{4}}, []TensorDesc{F32(1, 2, 2), i32(1, 2, 3)}, &shapeErr, "MaxUnpool: index: got [1,2,3], want [1,2,2], as x"},
		{MaxUnpool{}, []TensorDesc{F32(1, 2, 2), i32(1, 2, 2)}, &attrErr, "MaxUnpool: size: got 0 values [], want 1 values"},
		{MaxUnpool{Size: shape{0}}, []TensorDesc{F32(1, 2, 2), i32(1, 2, 2)}, &attrErr, "MaxUnpool: size[0]: got 0, want 1 to 2147483647"},
		{MaxUnpool{Size: shape{1 << 16, 1 << 16}}, []TensorDesc{F32(1, 2, 2, 2), i32(1, 2, 2, 2)}, &limitErr, "MaxUnpool: elements in a plane, for int32 indices: got 4294967296, want at most 2147483647"},
		{Conv{}, descs(image, shape{0, 3, 3, 3}), &shapeErr, "Conv: w: output channels: got 0, want a positive multiple of groups = 1"},
		{Conv{}, descs(shape{1, 0, 8, 8}, shape{4, 0, 3, 3}), &shapeErr, "Conv: x: channels: got 0"},
		{Conv{Groups: -1}, descs(image, shape{4, 3, 3, 3}), &attrErr, "Conv: groups: got -1, want 1 or more"},
		{Conv{Window: Window{Kernel: shape{3, 5}}}, descs(image, shape{4, 3, 3, 3}), &shapeErr, "Conv: w: kernel: got [3 3], want [3 5]"},
		{Conv{}, descs(image, shape{4, 3, 9, 3}), &shapeErr, "Conv: x: dim H: got 8, want at least the kernel's 9 ("},
		{Conv{Bias: true}, descs(image, shape{4, 3, 3, 3}, shape{3}), &shapeErr, "Conv: b: got [3], want [4]"},
		{Conv{Epilogue: Epilogue{{Kind: Residual}}}, descs(image, shape{4, 3, 3, 3}, shape{1, 4, 8, 8}), &shapeErr, "Conv: epilogue[0].residual: got [1,4,8,8], want [1,4,6,6]"},
		{Conv{Epilogue: Epilogue{{Kind: ScaleShift}}}, descs(image, shape{4, 3, 3, 3}, shape{4}, shape{3}), &shapeErr, "Conv: epilogue[0].shift: got [3], want [4]"},
		{Conv{Epilogue: Epilogue{{Kind: 9}}}, descs(image, shape{4, 3, 3, 3}), &attrErr, "Conv: epilogue[0]: got StepKind(9), want ScaleShift, Residual or Activate"},
		{Conv{Epilogue: Epilogue{{Kind: Activate, Act: Act{Kind: 77}}}}, descs(image, shape{4, 3, 3, 3}), &attrErr, "Conv: epilogue[0]: got ActKind(77), want [Relu"},

		{Dense{}, descs(shape{3}, shape{4, 3}), &shapeErr, "Dense: x: rank: got 1 ([3]), want 2 or more ([N, features])"},
		{Dense{}, descs(shape{5, 3}, shape{3, 4}), &shapeErr, "Dense: w: got [3,4], want [out, in=3] for x [5,3] (transposed? weights are [out, in])"},
		{Dense{}, descs(shape{5, 3, 2}, shape{4, 6}), &shapeErr, "Dense: w: got [4,6], want [out, in=2] for x [5,3,2] (is a Flatten missing before it?)"},
		{Dense{}, descs(shape{5, 0}, shape{4, 0}), &shapeErr, "Dense: w: got [4,0]"},
		{Dense{Bias: true}, descs(shape{5, 3}, shape{4, 3}, shape{1, 4}), &shapeErr, "Dense: b: got [1,4], want [4]"},
		{Dense{Epilogue: Epilogue{{Kind: ScaleShift}}}, descs(shape{5, 3}, shape{4, 3}, shape{5}, shape{5}), &shapeErr, "Dense: epilogue[0].scale: got [5], want [4]"},

		{MaxPool{}, descs(image), &attrErr, "MaxPool: kernel: got 0 values [], want 2 values"},
		{MaxPool{Window: Window{Kernel: shape{2, 2}}}, descs(shape{3, 8, 8, 1, 1, 1}), &shapeErr, "MaxPool: x: rank: got 6"},
		{MaxPool{Window: Window{Kernel: shape{1}}, Indices: true}, descs(shape{1, 1, 1 << 32}), &limitErr, "MaxPool: elements in a plane, for int32 indices: got 4294967296, want at most 2147483647"},
		{AvgPool{Window: Window{Kernel: shape{2, 2}}}, []TensorDesc{i32(image...)}, &shapeErr, "AvgPool: x: type: got int32, want float32"},
		{GlobalPool{}, descs(shape{1, 2, 3, 0}), &shapeErr, "GlobalPool: x: dim W: got 0, want 1 or more"},

		{BatchNorm{}, descs(shape{3}, shape{3}, shape{3}, shape{3}, shape{3}), &shapeErr, "BatchNorm: x: rank: got 1 ([3]), want 2 or more"},
		{BatchNorm{}, descs(image, shape{3}, shape{3}, shape{2}, shape{3}), &shapeErr, "BatchNorm: mean: got [2], want [3]"},
		{BatchNorm{Epsilon: -1}, descs(image, shape{3}, shape{3}, shape{3}, shape{3}), &attrErr, "BatchNorm: epsilon: got -1, want 0 or more"},
		{BatchNorm{Epsilon: nan}, descs(image, shape{3}, shape{3}, shape{3}, shape{3}), &attrErr, "BatchNorm: epsilon: got NaN, want 0 or more"},

		{GroupNorm{}, descs(image, shape{3}, shape{3}), &attrErr, "GroupNorm: groups: got 0, want 1 or more"},
		{GroupNorm{Groups: 2}, descs(image, shape{3}, shape{3}), &shapeErr, "GroupNorm: x: channels: got 3 (x [1,3,8,8]), want a multiple of groups = 2"},
		{GroupNorm{Groups: 3}, descs(image, shape{3}, shape{1, 3}), &shapeErr, "GroupNorm: bias: got [1,3], want [3]"},
		{GroupNorm{Groups: 1, Epsilon: nan}, descs(image, shape{3}, shape{3}), &attrErr, "GroupNorm: epsilon: got NaN, want 0 or more"},
		{GroupNorm{Groups: 1}, descs(image, shape{3}), &shapeErr, "GroupNorm: inputs: got 2, want 3: [x scale bias]"},
		{InstanceNorm{}, descs(shape{3}, shape{3}, shape{3}), &shapeErr, "InstanceNorm: x: rank: got 1 ([3]), want 2 or more (N, C, ...)"},
		{InstanceNorm{}, descs(image, shape{2}, shape{3}), &shapeErr, "InstanceNorm: scale: got [2], want [3]"},
		{InstanceNorm{Epsilon: -1}, descs(image, shape{3}, shape{3}), &attrErr, "InstanceNorm: epsilon: got -1, want 0 or more"},
		{InstanceNorm{}, []TensorDesc{i32(1, 3), F32(3), F32(3)}, &shapeErr, "InstanceNorm: x: type: got int32, want float32"},
		{LayerNorm{Axis: 4}, descs(image, shape{8}, shape{8}), &attrErr, "LayerNorm: axis: got 4, want -4 to 3 for rank 4"},
		{LayerNorm{}, descs(shape{}, shape{}, shape{}), &attrErr, "LayerNorm: axis: got 0"},
		{LayerNorm{Axis: -2}, descs(image, shape{8, 8}, shape{8}), &shapeErr, "LayerNorm: bias: got [8], want [8,8]"},
		{LayerNorm{Epsilon: -1}, descs(shape{3}, shape{3}, shape{3}), &attrErr, "LayerNorm: epsilon: got -1, want 0 or more"},
		{LayerNorm{Epsilon: 1e-40}, descs(shape{3}, shape{3}, shape{3}), &attrErr, "LayerNorm: epsilon: got 1e-40, want 0 or more, finite and not subnormal"},
		{LayerNorm{Epsilon: float32(math.Inf(1))}, descs(shape{3}, shape{3}, shape{3}), &attrErr, "LayerNorm: epsilon: got +Inf, want 0 or more, finite and not subnormal"},
		{LayerNorm{}, []TensorDesc{F32(3), i32(3), F32(3)}, &shapeErr, "LayerNorm: scale: type: got int32, want float32"},
		{LRN{}, descs(image), &attrErr, "LRN: size: got 0, want 1 to 2147483647"},
		{LRN{Size: 3}, descs(shape{3}), &shapeErr, "LRN: x: rank: got 1 ([3]), want 2 or more (N, C, ...)"},
		{LRN{Size: 3, Alpha: -1}, descs(image), &attrErr, "LRN: alpha: got -1, want a finite number, 0 or more"},
		{LRN{Size: 3, Beta: nan}, descs(image), &attrErr, "LRN: beta: got NaN, want a finite number"},
		{LRN{Size: 3, K: float32(math.Inf(1))}, descs(image), &attrErr, "LRN: k: got +Inf, want a finite number"},
		{LRN{Size: 3, K: 1e-40}, descs(image), &attrErr, "LRN: k: got 1e-40, want a finite number, 0 or more, not subnormal"},
		{LRN{Size: 100, Alpha: 1e-36, K: 1}, descs(image), &attrErr, "LRN: alpha: got 1e-36, want a number that is not subnormal when it is divided by size 100"},

		{Reduce{Fn: 10}, descs(image), &attrErr, "Reduce: fn: got ReduceKind(10), want [ReduceSum"},
		{Reduce{}, []TensorDesc{i32(3)}, &shapeErr, "ReduceSum: x: type: got int32, want float32"},
		{Reduce{Fn: ReduceL2, Axes: shape{1, 4}}, descs(image), &attrErr, "ReduceL2: axis: got 4, want -4 to 3 for rank 4"},
		{Reduce{Fn: ReduceMin, Axes: shape{1, -3}}, descs(image), &attrErr, "ReduceMin: axes[1]: got -3 (axes [1 -3]), want each dim once"},
		{Reduce{Axes: shape{0}}, descs(shape{}), &attrErr, "ReduceSum: axis: got 0"},
		{ArgMax{}, descs(shape{}), &attrErr, "ArgMax: axis: got 0"},
		{ArgMax{Axis: 2, Min: true}, descs(shape{2, 3}), &attrErr, "ArgMin: axis: got 2, want -2 to 1 for rank 2"},
		{ArgMax{Axis: 1}, descs(shape{2, 0}), &shapeErr, "ArgMax: x: dim 1: got 0 ([2,0]), want 1 or more"},
		{ArgMax{}, []TensorDesc{i32(3)}, &shapeErr, "ArgMax: x: type: got int32, want float32"},
		{ArgMax{Axis: 1}, descs(shape{1, 1 << 32}), &limitErr, "ArgMax: elements along the axis, for int32 indices: got 4294967296, want at most 2147483647"},
		{TopK{K: 4, Axis: -1}, descs(shape{2, 3}), &attrErr, "TopK: k: got 4, want 0 to 3, the size of x [2,3] along dim 1"},
		{TopK{K: -1}, descs(shape{2, 3}), &attrErr, "TopK: k: got -1, want 0 to 2"},
		{TopK{K: 1, Axis: 2}, descs(shape{2, 3}), &attrErr, "TopK: axis: got 2"},
		{TopK{}, descs(shape{}), &attrErr, "TopK: axis: got 0"},
		{TopK{}, []TensorDesc{i32(3)}, &shapeErr, "TopK: x: type: got int32, want float32"},
		{TopK{K: 1}, descs(shape{1 << 32}), &limitErr, "TopK: elements along the axis, for int32 indices: got 4294967296"},
		{OneHot{Depth: 3}, descs(shape{2}), &shapeErr, "OneHot: index: type: got float32, want int32"},
		{OneHot{Depth: 3, Axis: 2}, []TensorDesc{i32(2)}, &attrErr, "OneHot: axis: got 2, want -2 to 1 for rank 2"},
		{OneHot{Depth: -1}, []TensorDesc{i32(2)}, &attrErr, "OneHot: depth: got -1, want 0 to 2147483647"},
		{OneHot{Depth: 3}, []TensorDesc{i32(1, 1, 1, 1, 1, 1, 1, 1)}, &shapeErr, "OneHot: index: rank: got 8 ([1,1,1,1,1,1,1,1]), want at most 7"},

		{Activation{}, []TensorDesc{i32(3)}, &shapeErr, "Activation: x: type: got int32, want float32"},
		{Activation{Act{Kind: 50}}, descs(image), &attrErr, "Activation: ActKind(50): got ActKind(50), want [Relu LeakyRelu Clip Sigmoid Tanh Elu Selu Celu HardSigmoid Softplus Softsign Silu HardSwish Mish Gelu GeluTanh Exp Abs Neg Ceil Floor Round Sign Sqrt Reciprocal Log Erf ThresholdedRelu Sin Cos]"},
		{Activation{Act{Kind: Clip, Alpha: 2, Beta: 1}}, descs(image), &attrErr, "Activation: Clip: bounds: got [2, 1], want lower ≤ upper"},
		{Activation{Act{Kind: Clip, Beta: nan}}, descs(image), &attrErr, "Activation: Clip: bounds: got [0, NaN]"},
		{Activation{Act{Kind: LeakyRelu, Alpha: nan}}, descs(image), &attrErr, "Activation: LeakyRelu: slope: got NaN, want a number"},
		{Activation{Act{Kind: Elu, Alpha: nan}}, descs(image), &attrErr, "Activation: Elu: alpha: got NaN, want a finite number (1 is usual)"},
		{Activation{Act{Kind: Celu}}, descs(image), &attrErr, "Activation: Celu: alpha: got 0, want a positive finite number, not subnormal (1 is usual)"},
		{Activation{Act{Kind: Celu, Alpha: -1}}, descs(image), &attrErr, "Activation: Celu: alpha: got -1, want a positive"},
		{Activation{Act{Kind: Celu, Alpha: 1e-40}}, descs(image), &attrErr, "Activation: Celu: alpha: got 1e-40, want a positive"},
		{Activation{Act{Kind: HardSigmoid, Beta: 0.5}}, descs(image), &attrErr, "Activation: HardSigmoid: alpha: got 0, want a finite number other than 0, not subnormal (ONNX's default is 0.2, PyTorch's 1/6)"},
		{Activation{Act{Kind: HardSigmoid, Alpha: 0.2, Beta: nan}}, descs(image), &attrErr, "Activation: HardSigmoid: beta: got NaN, want a finite number (0.5 is usual)"},
		{Activation{Act{Kind: ThresholdedRelu, Alpha: nan}}, descs(image), &attrErr, "Activation: ThresholdedRelu: threshold: got NaN, want a number, not subnormal (ONNX's default is 1)"},
		{Activation{Act{Kind: ThresholdedRelu, Alpha: 1e-40}}, descs(image), &attrErr, "Activation: ThresholdedRelu: threshold: got 1e-40, want a number"},
		{Conv{Epilogue: Epilogue{{Kind: Activate, Act: Act{Kind: Celu}}}}, descs(image, shape{4, 3, 3, 3}), &attrErr, "Conv: epilogue[0]: alpha: got 0, want a positive"},

		{Softmax{Axis: 2}, descs(shape{2, 3}), &attrErr, "Softmax: axis: got 2, want -2 to 1 for rank 2"},
		{Softmax{Axis: -3}, descs(shape{2, 3}), &attrErr, "Softmax: axis: got -3"},
		{Softmax{}, descs(shape{}), &attrErr, "Softmax: axis: got 0"},
		{Binary{Fn: Sub}, descs(shape{2, 3}, shape{4}), &shapeErr, "Sub: a, b: got [2,3], [4], want shapes that broadcast"},
		{Binary{SameShape: true}, descs(shape{4, 16, 8, 8}, shape{4, 1, 8, 8}), &shapeErr, "Add: a, b: got [4,16,8,8], [4,1,8,8], want equal shapes"},
		{Binary{Fn: Sub}, []TensorDesc{F32(2), i32(2)}, &shapeErr, "Sub: b: type: got int32, want float32"},
		{Binary{Fn: 13}, descs(shape{2}, shape{2}), &attrErr, "Binary: fn: got BinaryKind(13), want [Add Sub Mul Div PRelu Max Min Pow Less LessOrEqual Greater GreaterOrEqual Equal]"},
		{Where{}, descs(shape{2, 3}, shape{4, 3}, shape{3}), &shapeErr, "Where: cond, x: got [2,3], [4,3], want shapes that broadcast (2 against 4 in dim 2 from the right)"},
		{Where{}, descs(shape{3}, shape{2, 3}, shape{4, 1}), &shapeErr, "Where: x, y: got [2,3], [4,1], want shapes that broadcast (2 against 4 in dim 2 from the right)"},
		{Where{}, []TensorDesc{{DType: tensor.Bool, Shape: shape{2}}, F32(2), F32(2)}, &shapeErr, "Where: cond: type: got bool, want float32"},
		{Where{}, []TensorDesc{F32(2), F32(2), i32(2)}, &shapeErr, "Where: y: type: got int32, want float32"},
		{Where{}, descs(shape{2}, shape{2}), &shapeErr, "Where: inputs: got 2, want 3: [cond x y]"},
		{Binary{Fn: Add}, descs(shape{1 << 40, 1}, shape{1, 1 << 40}), &shapeErr, "Binary: y: got [1099511627776,1099511627776], want a size that fits in memory"},

		{Pad{Pads: shape{1}}, descs(shape{2}), &attrErr, "Pad: pads: got 1 values [1], want 2 values"},
		{Pad{Pads: shape{-1, 0}}, descs(shape{2}), &attrErr, "Pad: pads[0]: got -1, want 0 to 2147483647"},
		{Pad{Pads: shape{}}, descs(shape{}), &shapeErr, "Pad: x: rank: got 0, want 1 or more"},
		{Pad{Pads: shape{2, 0}, Mode: PadReflect}, descs(shape{2}), &attrErr, "Pad: pads of dim 0: got 2, 0, want less than the dim, which is 2, in mode reflect"},
		{Pad{Pads: shape{0, 1}, Mode: PadReflect}, descs(shape{0}), &attrErr, "Pad: pads of dim 0: got 0, 1"},
		{Pad{Pads: shape{0, 1}, Mode: PadEdge}, descs(shape{0}), &attrErr, "Pad: pads of dim 0: got 0, 1, want 0, 0, as the dim is empty, in mode edge"},
		{Pad{Pads: shape{0, 1}, Mode: PadWrap}, descs(shape{0}), &attrErr, "Pad: pads of dim 0: got 0, 1, want 0, 0, as the dim is empty, in mode wrap"},
		{Pad{Pads: shape{0, 0}, Mode: 9}, descs(shape{2}), &attrErr, "Pad: mode: got PadMode(9), want [constant reflect edge wrap]"},

		{Reorder{}, []TensorDesc{{DType: tensor.Int64, Shape: shape{2}}}, &shapeErr, "Reorder: x: type: got int64, want float32 or int32"},
		{Reshape{Shape: shape{5}}, descs(shape{2, 3}), &shapeErr, "Reshape: shape: got [5], want the 6 elements of x [2,3]"},
		{Reshape{Shape: shape{-1, -1}}, descs(shape{2, 3}), &shapeErr, "Reshape: shape: got [-1 -1], want the 6 elements of x [2,3] (more than one −1)"},
		{Reshape{Shape: shape{4, -1}}, descs(shape{2, 3}), &shapeErr, "(the other dims do not divide them)"},
		{Reshape{Shape: shape{1, 2, 0}}, descs(shape{2, 3}), &shapeErr, "(0 copies a dim that x does not have)"},
		{Reshape{Shape: shape{-2, 3}}, descs(shape{2, 3}), &shapeErr, "(tensor: shape [-2,3]: dim 0 is -2, want 0 or more)"},
		{Reshape{Shape: shape{1 << 62, 1 << 62}}, descs(shape{2, 3}), &shapeErr, "Reshape: shape: got"},
		{Reshape{Shape: shape{0, -1}}, descs(shape{0, 3}), &shapeErr, "(the other dims do not divide them)"},
		{Flatten{Axis: 3}, descs(shape{2, 3}), &attrErr, "Flatten: axis: got 3, want -2 to 2 for rank 2"},
		{Flatten{Axis: -3}, descs(shape{2, 3}), &attrErr, "Flatten: axis: got -3"},

		{MatMul{}, descs(shape{}, shape{3}), &shapeErr, "MatMul: a, b: rank: got [], [3], want 1 or more"},
		{MatMul{}, descs(shape{2, 3}, shape{4, 3}), &shapeErr, "MatMul: b: rows: got 4 (b [4,3]), want 3 (columns of a [2,3])"},
		{MatMul{}, descs(shape{2, 2, 3}, shape{3, 3, 4}), &shapeErr, "MatMul: a, b: leading dims: got [2,2,3], [3,3,4], want dims that broadcast"},

		{AdaptivePool{Out: shape{2, 2}}, descs(shape{3, 8}), &shapeErr, "AdaptivePool: x: rank: got 2"},
		{AdaptivePool{Out: shape{2}}, descs(image), &attrErr, "AdaptivePool: out: got 1 values [2], want 2 values"},
		{AdaptivePool{}, descs(image), &attrErr, "AdaptivePool: out: got 0 values [], want 2 values"},
		{AdaptivePool{Out: shape{2, 0}}, descs(image), &attrErr, "AdaptivePool: out[1]: got 0, want 1 to 2147483647"},
		{AdaptivePool{Out: shape{2, 2}}, descs(shape{1, 3, 8, 0}), &shapeErr, "AdaptivePool: x: dim W: got 0, want 1 or more"},
		{AdaptivePool{Out: shape{2}}, descs(shape{0, 3, 1 << 40}), &limitErr, "AdaptivePool: x: dim L: got 1099511627776, want at most 2147483647"},

		{Resize{}, descs(image), &attrErr, "Resize: size, scales: got [], [], want exactly one of them"},
		{Resize{Size: shape{2, 2}, Scales: []float64{2, 2}}, descs(image), &attrErr, "Resize: size, scales: got [2 2], [2 2], want exactly one of them"},
		{Resize{Size: shape{2}}, descs(image), &attrErr, "Resize: size: got 1 values [2], want 2 values"},
		{Resize{Size: shape{2, 0}}, descs(image), &attrErr, "Resize: size[1]: got 0, want 1 to 2147483647"},
		{Resize{Scales: []float64{1, 1, 2, 2}}, descs(image), &attrErr, "Resize: scales: got 4 values [1 1 2 2], want 2 values (spatial dims only, without N and C)"},
		{Resize{Scales: []float64{2, 0.1}}, descs(image), &attrErr, "Resize: scales[1]: got 0.1, want a number that makes a size of 1 to 2147483647 from 8"},
		{Resize{Scales: []float64{-1, 1}}, descs(image), &attrErr, "Resize: scales[0]: got -1"},
		{Resize{Scales: []float64{math.NaN(), 1}}, descs(image), &attrErr, "Resize: scales[0]: got NaN"},
		{Resize{Scales: []float64{1, math.Inf(1)}}, descs(image), &attrErr, "Resize: scales[1]: got +Inf"},
		{Resize{Size: shape{2, 2}, Mode: 7}, descs(image), &attrErr, "Resize: mode: got ResizeMode(7), want nearest, linear"},
		{Resize{Size: shape{2, 2}, Coord: 7}, descs(image), &attrErr, "Resize: coord: got CoordMode(7), want half_pixel, align_corners, asymmetric"},
		{Resize{Size: shape{2, 2}}, []TensorDesc{i32(image...)}, &shapeErr, "Resize: x: type: got int32, want float32"},
		{Resize{Size: shape{2, 2}}, descs(shape{1, 3, 0, 8}), &shapeErr, "Resize: x: dim H: got 0, want 1 or more"},

		{Concat{Axis: 1}, descs(image, image), &attrErr, "Concat: inputs: got 0, want 1 to 65536 (set Inputs to the number of tensors)"},
		{Concat{Axis: 1, Inputs: 1 << 40}, descs(image), &attrErr, "Concat: inputs: got 1099511627776"},
		{Concat{Axis: 1, Inputs: 3}, descs(image, image), &shapeErr, "Concat: inputs: got 2, want 3: [x0 x1 x2]"},
		{Concat{Axis: 4, Inputs: 1}, descs(image), &attrErr, "Concat: axis: got 4, want -4 to 3 for rank 4"},
		{Concat{Inputs: 1}, descs(shape{}), &attrErr, "Concat: axis: got 0"},
		{Concat{Axis: 1, Inputs: 2}, descs(shape{1, 3, 8}, image), &shapeErr, "Concat: x1: rank: got 4 ([1,3,8,8]), want 3, as x0 [1,3,8]"},
		{Concat{Axis: 1, Inputs: 2}, descs(image, shape{1, 4, 8, 7}), &shapeErr, "Concat: x1: dim 3: got 7 ([1,4,8,7]), want 8, as x0 [1,3,8,8] (only dim 1, the axis, may differ)"},
		{Concat{Axis: 1, Inputs: 2}, []TensorDesc{F32(2, 3), i32(2, 3)}, &shapeErr, "Concat: x1: type: got int32, want float32, as x0"},
		{Concat{Inputs: 1}, []TensorDesc{{DType: tensor.Float64, Shape: shape{2}}}, &shapeErr, "Concat: x0: type: got float64, want float32 or int32"},
		{Concat{Inputs: 2}, descs(shape{1 << 59, 0}, shape{1 << 60, 0}), &shapeErr, "Concat: y: got more than"},

		{Transpose{Perm: shape{0, 1}}, descs(image), &attrErr, "Transpose: perm: got [0 1], want each of 0 to 3 once, for rank 4"},
		{Transpose{Perm: shape{0, 1, 1, 3}}, descs(image), &attrErr, "Transpose: perm: got [0 1 1 3]"},
		{Transpose{Perm: shape{0, 1, 2, 4}}, descs(image), &attrErr, "Transpose: perm: got [0 1 2 4]"},
		{Transpose{Perm: shape{0, 1, 2, -1}}, descs(image), &attrErr, "Transpose: perm: got [0 1 2 -1]"},
		{Transpose{Perm: shape{0}}, descs(shape{}), &attrErr, "Transpose: perm: got [0], want nothing, for rank 0"},
		{Transpose{}, []TensorDesc{{DType: tensor.Uint8, Shape: shape{2}}}, &shapeErr, "Transpose: x: type: got uint8, want float32 or int32"},

		{Slice{Starts: shape{0}, Ends: shape{0, 1}}, descs(shape{2, 3}), &attrErr, "Slice: starts: got 1 values [0], want 2 values, one for each dim of x [2,3]"},
		{Slice{Starts: shape{0, 0}}, descs(shape{2, 3}), &attrErr, "Slice: ends: got 0 values [], want 2 values"},
		{Slice{Starts: shape{0}, Ends: shape{1}, Steps: shape{}}, descs(shape{2}), &attrErr, "Slice: steps: got 0 values [], want 1 values"},
		{Slice{Starts: shape{0}, Ends: shape{1}, Steps: shape{0}}, descs(shape{2}), &attrErr, "Slice: steps[0]: got 0, want a number other than 0"},
		{Slice{Starts: shape{-1}, Ends: shape{1}}, descs(shape{2}), &attrErr, "Slice: starts[0]: got -1, want 0 or more (SliceEnd − k counts from the end)"},
		{Slice{Starts: shape{0, 0}, Ends: shape{1, -1}}, descs(shape{2, 3}), &attrErr, "Slice: ends[1]: got -1, want 0 or more"},
		{Slice{Starts: shape{1}, Ends: shape{-2}, Steps: shape{-1}}, descs(shape{2}), &attrErr, "Slice: ends[0]: got -2, want −1 or more with a negative step"},
		{Slice{Starts: shape{0}, Ends: shape{1}}, []TensorDesc{{DType: tensor.Int64, Shape: shape{2}}}, &shapeErr, "Slice: x: type: got int64, want float32 or int32"},
		{Expand{Shape: shape{2, 4}}, descs(shape{2, 3}), &shapeErr, "Expand: x: got [2,3], want a shape that broadcasts with [2 4] (3 against 4 in dim 1 from the right)"},
		{Expand{Shape: shape{-1}}, descs(shape{2}), &attrErr, "Expand: shape[0]: got -1, want 0 to 2147483647"},
		{Expand{Shape: shape{1, 1, 1, 1, 1, 1, 1, 1, 1}}, descs(shape{2}), &shapeErr, "Expand: y: got [1,1,1,1,1,1,1,1,2], want a size that fits in memory (tensor: shape"},
		{Expand{}, []TensorDesc{{DType: tensor.Uint8, Shape: shape{2}}}, &shapeErr, "Expand: x: type: got uint8"},
		{Tile{Repeats: shape{2}}, descs(shape{2, 3}), &attrErr, "Tile: repeats: got 1 values [2], want 2 values, one for each dim of x [2,3]"},
		{Tile{}, descs(shape{2}), &attrErr, "Tile: repeats: got 0 values []"},
		{Tile{Repeats: shape{1, -1}}, descs(shape{2, 3}), &attrErr, "Tile: repeats[1]: got -1, want 0 to 2147483647"},
		{Tile{Repeats: shape{1, 1 << 30}}, descs(shape{0, 1 << 40}), &shapeErr, "Tile: y: got more than"},
		{Tile{Repeats: shape{1 << 30, 1 << 30}}, descs(shape{1 << 10, 1 << 10}), &shapeErr, "Tile: y: got [1099511627776,1099511627776], want a size that fits in memory"},
		{Tile{}, []TensorDesc{{DType: tensor.Uint8, Shape: shape{}}}, &shapeErr, "Tile: x: type: got uint8"},
	} {
		_, err := Desc{Op: c.op, In: c.in}.Resolve()
		wantErrorAs(t, err, c.as, c.want)
	}
}

// wantErrorAs checks the type of an error and how its text begins or what it
// holds.
func wantErrorAs(t *testing.T, err error, as any, want string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %q", want)
		return
	}
	if !errors.As(err, as) {
		t.Errorf("got %T (%v), want %T", err, err, as)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestResolve(t *testing.T) {
	var shapeErr *ShapeError
	var attrErr *AttrError
	_, err := Desc{}.Resolve()
	wantErrorAs(t, err, &attrErr, "backend: Desc: Op: got nil, want an op")
	_, err = DescOf(Activation{}, nil).Resolve()
	wantErrorAs(t, err, &shapeErr, "backend: Activation: x: got invalid, want an element type")
	relu := Desc{Op: Activation{}, In: descs(shape{2, 3})}
	relu.Out = descs(shape{3, 2})
	_, err = relu.Resolve()
	wantErrorAs(t, err, &shapeErr, "backend: Activation: y: got float32[3,2], want float32[2,3]")
	relu.Out = []TensorDesc{i32(2, 3)}
	_, err = relu.Resolve()
	wantErrorAs(t, err, &shapeErr, "backend: Activation: y: got int32[2,3], want float32[2,3]")
	relu.Out = []TensorDesc{}
	_, err = relu.Resolve()
	wantErrorAs(t, err, &shapeErr, "backend: Activation: outputs: got 0, want 1: [y]")
	for _, p := range []Pass{BackwardData, BackwardWeights, Pass(7)} {
		_, err = Desc{Op: Activation{}, Pass: p, In: descs(shape{2}), Out: descs(shape{2})}.Resolve()
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v of Activation: got %v, want ErrUnsupported", p, err)
		}
	}
}

func TestConvBackward(t *testing.T) {
	x, w, gy, b := F32(2, 6, 9, 8), F32(4, 3, 3, 2), F32(2, 4, 4, 7), F32(4)
	op := Conv{Groups: 2, Bias: true, Window: Window{Strides: shape{2, 1}}}
	tds := func(d ...TensorDesc) []TensorDesc { return d }
	data := Desc{Op: op, Pass: BackwardData, In: tds(gy, w), Out: tds(x)}
	weights := Desc{Op: op, Pass: BackwardWeights, In: tds(x, gy), Out: tds(w, b)}
	for _, d := range []Desc{data, weights} {
		if _, err := d.Resolve(); err != nil {
			t.Errorf("%v: %v", d.Pass, err)
		}
		// 224 elements of gy, each with 3·3·2 taps
		if got := d.Cost(); got.FLOPs != 2*224*18 {
			t.Errorf("%v: %d FLOPs, want %d", d.Pass, got.FLOPs, 2*224*18)
		}
	}
	if got, want := data.Cost().Bytes, int64(4*(224+72+864)); got != want {
		t.Errorf("bytes: got %d, want %d", got, want)
	}
	// The rows of x that the last window leaves unread are 0 or 1: both are right.
	data.Out = descs(shape{2, 6, 10, 8})
	if _, err := data.Resolve(); err != nil {
		t.Error(err)
	}
	var shapeErr *ShapeError
	for _, c := range []struct {
		d    Desc
		want string
	}{
		{Desc{Op: op, Pass: BackwardData, In: tds(gy, w)}, "Conv: outputs: got 0, want 1: [gx]"},
		{Desc{Op: op, Pass: BackwardData, In: tds(gy), Out: tds(x)}, "Conv: inputs: got 1, want 2: [gy w]"},
		{Desc{Op: op, Pass: BackwardData, In: tds(gy, w), Out: descs(shape{2, 6, 11, 8})}, "Conv: gy: got [2,4,4,7], want [2,4,5,7]"},
		{Desc{Op: op, Pass: BackwardData, In: tds(gy, w), Out: tds(i32(2, 6, 9, 8))}, "Conv: x: type: got int32, want float32"},
		{Desc{Op: op, Pass: BackwardWeights, In: tds(x, gy), Out: tds(w)}, "Conv: outputs: got 1, want 2: [gw gb]"},
		{Desc{Op: op, Pass: BackwardWeights, In: tds(x, gy), Out: tds(w, F32(3))}, "Conv: gb: got [3], want [4]"},
		{Desc{Op: op, Pass: BackwardWeights, In: tds(x, x), Out: tds(w, b)}, "Conv: gy: got [2,6,9,8], want [2,4,4,7]"},
	} {
		_, err := c.d.Resolve()
		wantErrorAs(t, err, &shapeErr, c.want)
	}
	if _, _, err := op.BackwardArgs(Forward); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("BackwardArgs(Forward): got %v", err)
	}
}

func TestCost(t *testing.T) {
	act := Step{Kind: Activate}
	for _, c := range []struct {
		op    Op
		in    []TensorDesc
		flops int64
	}{
		// 2·N·O·OH·OW·(C/G)·KH·KW: 64 outputs with 3·9 taps
		{Conv{}, descs(shape{1, 3, 6, 6}, shape{4, 3, 3, 3}), 2 * 64 * 27},
		{Conv{Bias: true, Epilogue: Epilogue{act, {Kind: ScaleShift}}}, descs(shape{1, 3, 6, 6}, shape{4, 3, 3, 3}, shape{4}, shape{4}, shape{4}), 2*64*27 + 64 + 64 + 128},
		{Conv{Groups: 2, Window: Window{Pads: shape{1, 1, 1, 1}}}, descs(shape{1, 6, 4, 4}, shape{4, 3, 3, 3}), 2 * 64 * 27},
		{Dense{Bias: true}, descs(shape{5, 3}, shape{4, 3}, shape{4}), 2*5*4*3 + 20},
		{MatMul{}, descs(shape{7, 2, 3}, shape{3, 4}), 2 * 7 * 2 * 3 * 4},
		{MaxPool{Window: Window{Kernel: shape{2, 3}}}, descs(shape{1, 1, 3, 4}), 2 * 2 * 6},
		{GlobalPool{}, descs(shape{2, 3, 5}), 30},
		{Reorder{}, descs(shape{2, 3, 5}), 0},
		{GroupNorm{Groups: 3}, descs(shape{2, 3, 5}, shape{3}, shape{3}), 7 * 30},
		{Slice{Starts: shape{1}, Ends: shape{3}}, descs(shape{5}), 0},
		{LRN{Size: 3}, descs(shape{2, 7, 5}), 10 * 70},
		{LRN{Size: 99}, descs(shape{2, 7, 5}), 18 * 70},
	} {
		d, err := Desc{Op: c.op, In: c.in}.Resolve()
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Cost().FLOPs; got != c.flops {
			t.Errorf("%s: %d FLOPs, want %d", c.op.Kind(), got, c.flops)
		}
	}
	// The lanes that a layout pads are no traffic.
	d := Desc{Op: Reorder{}, In: descs(shape{1, 3, 2})}
	d.In[0].Layout = ChannelsLast4
	d, err := d.Resolve()
	if err != nil || d.Cost().Bytes != 2*6*4 {
		t.Errorf("Reorder: %v, %+v", err, d.Cost())
	}
}

func TestMatMulDims(t *testing.T) {
	for _, c := range []struct {
		a, b tensor.Shape
		want MatMulDims
	}{
		{shape{2, 3}, shape{3, 4}, MatMulDims{M: 2, K: 3, N: 4}},
		{shape{3}, shape{3}, MatMulDims{M: 1, K: 3, N: 1}},
		{shape{5, 2, 3}, shape{3, 4}, MatMulDims{M: 2, K: 3, N: 4, Batch: shape{5}, AStride: shape{1}, BStride: shape{0}}},
		{shape{5, 1, 2, 3}, shape{6, 3, 4}, MatMulDims{M: 2, K: 3, N: 4, Batch: shape{5, 6}, AStride: shape{1, 0}, BStride: shape{0, 1}}},
		{shape{5, 6, 2, 3}, shape{5, 6, 3, 4}, MatMulDims{M: 2, K: 3, N: 4, Batch: shape{5, 6}, AStride: shape{6, 1}, BStride: shape{6, 1}}},
		{shape{2, 0}, shape{0, 3}, MatMulDims{M: 2, K: 0, N: 3}},
	} {
		got, err := MatMul{}.Dims(c.a, c.b)
		if err != nil || got.M != c.want.M || got.K != c.want.K || got.N != c.want.N ||
			!slices.Equal(got.Batch, c.want.Batch) || !slices.Equal(got.AStride, c.want.AStride) || !slices.Equal(got.BStride, c.want.BStride) {
			t.Errorf("%v × %v: got %+v, %v; want %+v", c.a, c.b, got, err, c.want)
		}
	}
}

func TestCheckArgs(t *testing.T) {
	k := KernelInfo{In: descs(shape{4}, shape{2}), Out: descs(shape{2}), Formats: []Format{nil, eightBytes{}}, Workspace: 8}
	b := func(n int) Buffer { return size(n) }
	for _, c := range []struct {
		a    Args
		want string
	}{
		{Args{In: []Buffer{b(16), b(8)}, Out: []Buffer{b(8)}, Workspace: b(8)}, ""},
		{Args{In: []Buffer{b(99), b(99)}, Out: []Buffer{b(99)}, Workspace: b(99)}, ""},
		{Args{In: []Buffer{b(16)}, Out: []Buffer{b(8)}, Workspace: b(8)}, "Dense: run: buffers: got 1 in, 1 out, want 2 in, 1 out"},
		{Args{In: []Buffer{b(15), b(8)}, Out: []Buffer{b(8)}, Workspace: b(8)}, "Dense: run: in[0]: got 15 bytes, want 16 bytes or more"},
		{Args{In: []Buffer{b(16), b(7)}, Out: []Buffer{b(8)}, Workspace: b(8)}, "Dense: run: in[1]: got 7 bytes, want 8 bytes or more"},
		{Args{In: []Buffer{b(16), nil}, Out: []Buffer{b(8)}, Workspace: b(8)}, "Dense: run: in[1]: got nil, want a buffer of 8 bytes"},
		{Args{In: []Buffer{b(16), b(8)}, Out: []Buffer{b(4)}, Workspace: b(8)}, "Dense: run: out[0]: got 4 bytes, want 8 bytes or more"},
		{Args{In: []Buffer{b(16), b(8)}, Out: []Buffer{b(8)}}, "Dense: run: workspace[0]: got nil, want a buffer of 8 bytes"},
	} {
		err := k.CheckArgs("Dense", &c.a)
		if got := fmt.Sprint(err); c.want == "" && err != nil || c.want != "" && got != "backend: "+c.want {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

// size is a buffer that has nothing but a size.
type size int

func (s size) Bytes() int64                     { return int64(s) }
func (size) Slice(int64, int64) (Buffer, error) { return nil, errors.New("no memory") }
func (size) Close() error                       { return nil }

type eightBytes struct{}

func (eightBytes) String() string { return "eight bytes" }
func (eightBytes) Bytes() int64   { return 8 }

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&ShapeError{Op: "Conv", Node: "stem", Arg: "x: channels", Got: "224", Want: "3", Hint: "NHWC input?"}, `backend: Conv "stem": x: channels: got 224, want 3 (NHWC input?)`},
		{&AttrError{Op: "Conv", Attr: "groups", Got: "0", Want: "1"}, "backend: Conv: groups: got 0, want 1"},
		{&LimitError{Op: "Alloc", What: "bytes", Got: 9, Max: 8}, "backend: Alloc: bytes: got 9, want at most 8"},
		{&LeakError{Backend: "gl", Live: Live{Buffers: 2, Bytes: 10, Kernels: 1}}, "backend: gl closed with 2 buffers (10 bytes) and 1 kernels open (missing Close?)"},
		{Unsupported("gl", "Conv", "backward-data pass"), "backend: gl: Conv: backward-data pass: unsupported operation"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	cause := errors.New("no display")
	if err := error(&UnavailableError{Backend: "gl", Err: cause}); !errors.Is(err, cause) {
		t.Error("the cause of an UnavailableError is lost")
	}
}

func TestLedger(t *testing.T) {
	var l Ledger
	l.AddBuffer(100)
	l.AddBuffer(20)
	l.AddKernel()
	if got := l.Live(); got != (Live{Buffers: 2, Bytes: 120, Kernels: 1}) || got.Zero() {
		t.Errorf("got %+v", got)
	}
	l.DropBuffer(100)
	l.DropBuffer(20)
	l.DropKernel()
	if !l.Live().Zero() {
		t.Errorf("got %+v", l.Live())
	}
}

// There is nothing to upload: an error, before the backend is asked.
func TestUploadNil(t *testing.T) {
	var shape *ShapeError
	if err := Upload(context.Background(), nil, nil, Plain, nil); !errors.As(err, &shape) {
		t.Errorf("got %v, want a *ShapeError", err)
	}
}

func TestPointerToOp(t *testing.T) {
	x := tensor.Must(tensor.New(tensor.Float32, 1, 1, 2, 2))
	for _, op := range []Op{&Activation{}, (*Conv)(nil)} {
		var attr *AttrError
		if _, err := DescOf(op, x).Resolve(); !errors.As(err, &attr) {
			t.Errorf("%T: got %v, want an *AttrError", op, err)
		}
	}
}
