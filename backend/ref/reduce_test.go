package ref

import (
	"math"
	"slices"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

func TestReduce(t *testing.T) {
	x := from(f32(1, -2, 3, 4, 0.5, 6, -1, 8), 2, 2, 2)
	logs := func(v ...float64) []float32 {
		var y []float32
		for _, x := range v {
			y = append(y, float32(math.Log(x)))
		}
		return y
	}
	for _, c := range []struct {
		fn   backend.ReduceKind
		axes []int
		want []float32
	}{
		{backend.ReduceSum, nil, f32(19.5)},
		{backend.ReduceSum, []int{0}, f32(1.5, 4, 2, 12)},
		{backend.ReduceSum, []int{1}, f32(4, 2, -0.5, 14)},
		{backend.ReduceSum, []int{-1}, f32(-1, 7, 6.5, 7)},
		{backend.ReduceSum, []int{2, 0}, f32(5.5, 14)},
		{backend.ReduceMean, []int{1, 2}, f32(1.5, 3.375)},
		{backend.ReduceMax, []int{1}, f32(3, 4, 0.5, 8)},
		{backend.ReduceMin, []int{0, 1, 2}, f32(-2)},
		{backend.ReduceProd, []int{0, 2}, f32(-6, -96)},
		{backend.ReduceL1, []int{0}, f32(1.5, 8, 4, 12)},
		{backend.ReduceL2, []int{1, 2}, f32(float32(math.Sqrt(30)), float32(math.Sqrt(101.25)))},
		{backend.ReduceLogSum, []int{0}, logs(1.5, 4, 2, 12)},
		{backend.ReduceLogSumExp, []int{2}, logs(math.Exp(1)+math.Exp(-2), math.Exp(3)+math.Exp(4), math.Exp(0.5)+math.Exp(6), math.Exp(-1)+math.Exp(8))},
		{backend.ReduceSumSquare, []int{0}, f32(1.25, 40, 10, 80)},
	} {
		for _, keep := range []bool{false, true} {
			y := run(t, backend.Reduce{Fn: c.fn, Axes: c.axes, KeepDims: keep}, x)[0]
			near(t, c.fn.String(), y, c.want, ulp, 0)
			if keep && len(y.Shape()) != 3 {
				t.Errorf("%v over %v: got shape %v, want rank 3", c.fn, c.axes, y.Shape())
			}
		}
	}
}

// What is reduced may be empty, infinite or NaN.
func TestReduceSpecial(t *testing.T) {
	// Rows: NaN, ∞ with 0, −∞ alone, and both infinities.
	x := from(f32(1, nan, 2, inf, 0, 1, -inf, -inf, -inf, inf, -inf, 1), 4, 3)
	empty := tensor.Must(tensor.New(tensor.Float32, 2, 0))
	// Squares, and products on the way, that float64 does not hold either.
	huge, tiny := slices.Repeat(f32(0x1p126), 40), slices.Repeat(f32(0x1p-126), 40)
	for _, c := range []struct {
		fn    backend.ReduceKind
		empty float32
		want  []float32
		wide  float32
	}{
		{backend.ReduceSum, 0, f32(nan, inf, -inf, nan), inf},
		{backend.ReduceMean, nan, f32(nan, inf, -inf, nan), 0x1p125},
		{backend.ReduceMax, -inf, f32(nan, inf, -inf, inf), 0x1p126},
		{backend.ReduceMin, inf, f32(nan, 0, -inf, -inf), 0x1p-126},
		{backend.ReduceProd, 1, f32(nan, nan, -inf, -inf), 1},
		{backend.ReduceL1, 0, f32(nan, inf, inf, inf), inf},
		{backend.ReduceL2, 0, f32(nan, inf, inf, inf), inf},
		{backend.ReduceLogSum, -inf, f32(nan, inf, nan, nan), float32(math.Log(40 * 0x1p126))},
		{backend.ReduceLogSumExp, -inf, f32(nan, inf, -inf, inf), 0x1p126},
		{backend.ReduceSumSquare, 0, f32(nan, inf, inf, inf), inf},
	} {
		op := backend.Reduce{Fn: c.fn, Axes: []int{1}}
		same(t, c.fn.String()+" of nothing", run(t, op, empty)[0], f32(c.empty, c.empty))
		same(t, c.fn.String(), run(t, op, x)[0], c.want)
		near(t, c.fn.String()+" of the range", run(t, backend.Reduce{Fn: c.fn}, from(append(huge, tiny...), 80))[0], f32(c.wide), 4*ulp, 0)
	}
	near(t, "small squares", run(t, backend.Reduce{Fn: backend.ReduceL2}, from(f32(3e-30, 4e-30), 2))[0], f32(5e-30), ulp, 0)
	near(t, "large squares", run(t, backend.Reduce{Fn: backend.ReduceL2}, from(f32(3e30, 4e30), 2))[0], f32(5e30), ulp, 0)
	same(t, "a scalar", run(t, backend.Reduce{Fn: backend.ReduceSumSquare}, from(f32(3)))[0], f32(9))
}

func TestArgMax(t *testing.T) {
	x := from(f32(1, 3, 3, 2, 1, nan, 5, nan, -inf, -inf, -inf, -inf), 3, 4)
	for _, c := range []struct {
		op   backend.ArgMax
		want []int32
	}{
		{backend.ArgMax{Axis: 1}, []int32{1, 1, 0}},
		{backend.ArgMax{Axis: -1, Last: true}, []int32{2, 1, 3}},
		{backend.ArgMax{Axis: 1, Min: true}, []int32{0, 1, 0}},
		{backend.ArgMax{Axis: 1, Min: true, Last: true}, []int32{0, 1, 3}},
		{backend.ArgMax{}, []int32{0, 1, 1, 1}},
		{backend.ArgMax{Last: true}, []int32{1, 1, 1, 1}},
		{backend.ArgMax{Min: true, KeepDims: true}, []int32{2, 1, 2, 1}},
	} {
		got, err := tensor.Data[int32](run(t, c.op, x)[0])
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%+v: got %v, %v, want %v", c.op, got, err, c.want)
		}
	}
}

func TestTopK(t *testing.T) {
	zero := float32(math.Copysign(0, -1))
	x := from(f32(1, 3, nan, 3, -inf, zero, 0, zero, inf, nan), 2, 5)
	for _, c := range []struct {
		op      backend.TopK
		values  []float32
		indices []int32
	}{
		{backend.TopK{K: 5, Axis: 1}, f32(nan, 3, 3, 1, -inf, nan, inf, 0, 0, 0), []int32{2, 1, 3, 0, 4, 4, 3, 0, 1, 2}},
		{backend.TopK{K: 5, Axis: -1, Smallest: true}, f32(-inf, 1, 3, 3, nan, 0, 0, 0, inf, nan), []int32{4, 0, 1, 3, 2, 0, 1, 2, 3, 4}},
		{backend.TopK{K: 2, Axis: 1}, f32(nan, 3, nan, inf), []int32{2, 1, 4, 3}},
		{backend.TopK{K: 1}, f32(1, 3, nan, inf, nan), []int32{0, 0, 0, 1, 1}},
		{backend.TopK{K: 0, Axis: 1}, nil, nil},
	} {
		y := run(t, c.op, x)
		same(t, c.op.Kind(), y[0], c.values)
		got, err := tensor.Data[int32](y[1])
		if err != nil || !slices.Equal(got, c.indices) {
			t.Errorf("%+v: got %v, %v, want %v", c.op, got, err, c.indices)
		}
	}
	// Zeros keep their signs.
	if y := run(t, backend.TopK{K: 3, Axis: 1, Smallest: true}, x)[0].Float32s(); !math.Signbit(float64(y[3])) || math.Signbit(float64(y[4])) {
		t.Errorf("got zeros %v, want −0, 0, −0", y[3:])
	}
}

func TestOneHot(t *testing.T) {
	index := from([]int32{0, 2, -1, 3, -4, -3}, 2, 3)
	same(t, "last axis", run(t, backend.OneHot{Axis: -1, Depth: 3}, index)[0], f32(
		1, 0, 0, 0, 0, 1, 0, 0, 1,
		0, 0, 0, 0, 0, 0, 1, 0, 0))
	same(t, "axis 1", run(t, backend.OneHot{Axis: 1, Depth: 3}, index)[0], f32(
		1, 0, 0, 0, 0, 0, 0, 1, 1,
		0, 0, 1, 0, 0, 0, 0, 0, 0))
	same(t, "a scalar", run(t, backend.OneHot{Depth: 2}, from([]int32{1}))[0], f32(0, 1))
	same(t, "no depth", run(t, backend.OneHot{}, index)[0], nil)
}
