package ref

import (
	"slices"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

func TestAdaptivePool(t *testing.T) {
	x := from(f32(1, 2, 3, 4, 5), 1, 1, 5)
	// windows 0 to 1, 1 to 3, 3 to 4
	same(t, "max", run(t, backend.AdaptivePool{Out: []int{3}}, x)[0], f32(2, 4, 5))
	same(t, "mean", run(t, backend.AdaptivePool{Out: []int{3}, Mean: true}, x)[0], f32(1.5, 3, 4.5))
	same(t, "larger", run(t, backend.AdaptivePool{Out: []int{7}, Mean: true}, x)[0], f32(1, 1.5, 2.5, 3, 3.5, 4.5, 5))
	plane := from(f32(1, 2, 3, 4, 5, 6, 7, nan, 9), 1, 1, 3, 3)
	same(t, "plane max", run(t, backend.AdaptivePool{Out: []int{2, 2}}, plane)[0], f32(5, 6, nan, nan))
	same(t, "plane mean", run(t, backend.AdaptivePool{Out: []int{1, 3}, Mean: true}, plane)[0], f32(4, nan, 6))
	volume := from(f32(1, 2, 3, 4, 5, 6, 7, 8), 1, 1, 2, 2, 2)
	same(t, "volume", run(t, backend.AdaptivePool{Out: []int{2, 1, 1}, Mean: true}, volume)[0], f32(2.5, 6.5))
}

// By hand from the formulas: x = (o+½)/s−½, o(n−1)/(m−1), o/s.
func TestResize(t *testing.T) {
	x := from(f32(0, 10, 20, 30), 1, 1, 4)
	for _, c := range []struct {
		name string
		op   backend.Resize
		want []float32
	}{
		{"nearest asymmetric", backend.Resize{Size: []int{6}, Coord: backend.Asymmetric}, f32(0, 0, 10, 20, 20, 30)},
		// x = 0.5 and 2.5 are ties, and go down.
		{"nearest half pixel", backend.Resize{Size: []int{2}}, f32(0, 20)},
		{"nearest align corners", backend.Resize{Size: []int{7}, Coord: backend.AlignCorners}, f32(0, 0, 10, 10, 20, 20, 30)},
		{"linear half pixel", backend.Resize{Scales: []float64{2}, Mode: backend.ResizeLinear}, f32(0, 2.5, 7.5, 12.5, 17.5, 22.5, 27.5, 30)},
		{"linear align corners", backend.Resize{Size: []int{7}, Mode: backend.ResizeLinear, Coord: backend.AlignCorners}, f32(0, 5, 10, 15, 20, 25, 30)},
		{"linear asymmetric", backend.Resize{Scales: []float64{2}, Mode: backend.ResizeLinear, Coord: backend.Asymmetric}, f32(0, 5, 10, 15, 20, 25, 30, 30)},
		{"one", backend.Resize{Size: []int{1}, Mode: backend.ResizeLinear, Coord: backend.AlignCorners}, f32(0)},
		// m = ⌊4 · 0.6⌋ = 2, and x = 1.5/0.6 − 0.5 = 2 with the scale as given
		{"linear given scale", backend.Resize{Scales: []float64{0.6}, Mode: backend.ResizeLinear}, f32(3.3333333, 20)},
	} {
		near(t, c.name, run(t, c.op, x)[0], c.want, ulp, 0)
	}
	plane := from(f32(1, 2, 3, 4), 1, 1, 2, 2)
	same(t, "bilinear", run(t, backend.Resize{Size: []int{3, 3}, Mode: backend.ResizeLinear, Coord: backend.AlignCorners}, plane)[0],
		f32(1, 1.5, 2, 2, 2.5, 3, 3, 3.5, 4))
	same(t, "nearest plane", run(t, backend.Resize{Scales: []float64{1, 2}, Coord: backend.Asymmetric}, plane)[0], f32(1, 1, 2, 2, 3, 3, 4, 4))
	volume := from(f32(0, 8, 16, 24, 32, 40, 48, 56), 1, 1, 2, 2, 2)
	same(t, "trilinear", run(t, backend.Resize{Size: []int{1, 1, 1}, Mode: backend.ResizeLinear}, volume)[0], f32(28))
	// What has weight 0 is not read.
	same(t, "beside nan", run(t, backend.Resize{Size: []int{3}, Mode: backend.ResizeLinear, Coord: backend.AlignCorners}, from(f32(1, nan, inf), 1, 1, 3))[0], f32(1, nan, inf))
	same(t, "empty", run(t, backend.Resize{Size: []int{1 << 20}}, from(f32(), 0, 1, 3))[0], f32())
}

func TestConcat(t *testing.T) {
	a, b := from(f32(1, 2, 3, 4), 2, 2), from(f32(5, 6), 2, 1)
	same(t, "last", run(t, backend.Concat{Axis: -1, Inputs: 3}, a, b, a)[0], f32(1, 2, 5, 1, 2, 3, 4, 6, 3, 4))
	same(t, "first", run(t, backend.Concat{Inputs: 2}, a, from(f32(nan, 8), 1, 2))[0], f32(1, 2, 3, 4, nan, 8))
	same(t, "empty", run(t, backend.Concat{Axis: 1, Inputs: 3}, from(f32(), 2, 0), b, from(f32(), 2, 0))[0], f32(5, 6))
	y := run(t, backend.Concat{Inputs: 2}, from([]int32{1, -2}, 2), from([]int32{1<<31 - 1}, 1))[0]
	if got, err := tensor.Data[int32](y); err != nil || !slices.Equal(got, []int32{1, -2, 1<<31 - 1}) {
		t.Errorf("int32: got %v, %v", got, err)
	}
}

func TestTranspose(t *testing.T) {
	x := from(f32(1, 2, 3, 4, 5, 6), 1, 2, 3)
	same(t, "matrix", run(t, backend.Transpose{}, tensor.Must(x.Reshape(2, 3)))[0], f32(1, 4, 2, 5, 3, 6))
	y := run(t, backend.Transpose{Perm: []int{1, 2, 0}}, x)[0]
	same(t, "cycle", y, f32(1, 2, 3, 4, 5, 6))
	if got := y.Shape().String(); got != "[2,3,1]" {
		t.Errorf("shape: got %s", got)
	}
	volume := from(f32(1, 2, 3, 4, 5, 6, 7, 8), 2, 2, 2)
	same(t, "volume", run(t, backend.Transpose{Perm: []int{1, 2, 0}}, volume)[0], f32(1, 5, 2, 6, 3, 7, 4, 8))
	same(t, "scalar", run(t, backend.Transpose{}, from(f32(7)))[0], f32(7))
}

func TestSlice(t *testing.T) {
	x := from(f32(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), 3, 4)
	end := backend.SliceEnd
	for _, c := range []struct {
		name string
		op   backend.Slice
		want []float32
	}{
		{"block", backend.Slice{Starts: []int{1, 1}, Ends: []int{3, 3}}, f32(6, 7, 10, 11)},
		{"steps", backend.Slice{Starts: []int{0, 1}, Ends: []int{3, 4}, Steps: []int{2, 2}}, f32(2, 4, 10, 12)},
		{"to the end", backend.Slice{Starts: []int{2, 0}, Ends: []int{end, end}, Steps: []int{1, 3}}, f32(9, 12)},
		{"beyond the end", backend.Slice{Starts: []int{2, 3}, Ends: []int{100, 4}}, f32(12)},
		{"the last two", backend.Slice{Starts: []int{end - 1, end - 2}, Ends: []int{end, end}}, f32(11, 12)},
		{"but the last", backend.Slice{Starts: []int{0, 0}, Ends: []int{end - 2, end - 1}}, f32(1, 2, 3)},
		{"backwards", backend.Slice{Starts: []int{2, 3}, Ends: []int{-1, 1}, Steps: []int{-1, -1}}, f32(12, 11, 8, 7, 4, 3)},
		{"backwards by two", backend.Slice{Starts: []int{end, end}, Ends: []int{-1, 0}, Steps: []int{-2, -2}}, f32(12, 10, 4, 2)},
		{"a step beyond the dim", backend.Slice{Starts: []int{1, 3}, Ends: []int{end, -1}, Steps: []int{1 << 62, -1 << 63}}, f32(8)},
		{"nothing", backend.Slice{Starts: []int{2, 0}, Ends: []int{1, 4}}, f32()},
		{"nothing backwards", backend.Slice{Starts: []int{1, 0}, Ends: []int{1, 4}, Steps: []int{-1, 1}}, f32()},
		{"nothing from beyond", backend.Slice{Starts: []int{9, 0}, Ends: []int{12, 4}}, f32()},
	} {
		same(t, c.name, run(t, c.op, x)[0], c.want)
	}
	same(t, "empty backwards", run(t, backend.Slice{Starts: []int{end}, Ends: []int{-1}, Steps: []int{-1}}, from(f32(), 0))[0], f32())
	same(t, "scalar", run(t, backend.Slice{}, from(f32(7)))[0], f32(7))
	y := run(t, backend.Slice{Starts: []int{1}, Ends: []int{3}}, from([]int32{1, -2, 1<<31 - 1}, 3))[0]
	if got, err := tensor.Data[int32](y); err != nil || !slices.Equal(got, []int32{-2, 1<<31 - 1}) {
		t.Errorf("int32: got %v, %v", got, err)
	}
}

func TestExpand(t *testing.T) {
	x := from(f32(1, 2, 3), 3, 1)
	same(t, "columns", run(t, backend.Expand{Shape: []int{3, 2}}, x)[0], f32(1, 1, 2, 2, 3, 3))
	same(t, "more dims", run(t, backend.Expand{Shape: []int{2, 1, 2}}, x)[0], f32(1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3))
	y := run(t, backend.Expand{Shape: []int{2}}, x)[0] // fewer dims than x
	same(t, "fewer dims", y, f32(1, 1, 2, 2, 3, 3))
	if got := y.Shape().String(); got != "[3,2]" {
		t.Errorf("fewer dims: shape %s", got)
	}
	same(t, "ones", run(t, backend.Expand{Shape: []int{1, 1}}, x)[0], f32(1, 2, 3))
	same(t, "scalar", run(t, backend.Expand{Shape: []int{3}}, from(f32(nan)))[0], f32(nan, nan, nan))
	same(t, "kept scalar", run(t, backend.Expand{}, from(f32(5)))[0], f32(5))
	same(t, "to nothing", run(t, backend.Expand{Shape: []int{0, 1}}, from(f32(5), 1, 1))[0], f32())
}

func TestTile(t *testing.T) {
	x := from(f32(1, 2, 3, 4), 2, 2)
	same(t, "rows", run(t, backend.Tile{Repeats: []int{2, 1}}, x)[0], f32(1, 2, 3, 4, 1, 2, 3, 4))
	same(t, "columns", run(t, backend.Tile{Repeats: []int{1, 3}}, x)[0], f32(1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4))
	same(t, "both", run(t, backend.Tile{Repeats: []int{2, 2}}, x)[0], f32(1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4))
	same(t, "none", run(t, backend.Tile{Repeats: []int{0, 2}}, x)[0], f32())
	same(t, "scalar", run(t, backend.Tile{}, from(f32(7)))[0], f32(7))
}

func TestPadWrap(t *testing.T) {
	x := from(f32(1, 2, 3), 3)
	same(t, "wrap", run(t, backend.Pad{Mode: backend.PadWrap, Pads: []int{2, 1}}, x)[0], f32(2, 3, 1, 2, 3, 1))
	same(t, "more than once", run(t, backend.Pad{Mode: backend.PadWrap, Pads: []int{7, 4}}, x)[0], f32(3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1))
	same(t, "plane", run(t, backend.Pad{Mode: backend.PadWrap, Pads: []int{1, 0, 0, 1}}, from(f32(1, 2, 3, 4), 2, 2))[0], f32(3, 4, 3, 1, 2, 1, 3, 4, 3))
}
