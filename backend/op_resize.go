package backend

import (
	"fmt"
	"math"
	"strings"
)

// ResizeMode says how Resize makes a value of the elements around a coordinate.
type ResizeMode uint8

const (
	// ResizeNearest takes one element: the one at ⌊x⌋ for Asymmetric, and for the
	// other coordinates the nearest, the lower of two that are equally near.
	ResizeNearest ResizeMode = iota
	// ResizeLinear interpolates linearly along each dim: bilinear in two,
	// trilinear in three.
	ResizeLinear
)

var resizeModeNames = [...]string{"nearest", "linear"}

// String returns ONNX's name.
func (m ResizeMode) String() string { return nameOf("ResizeMode", resizeModeNames[:], uint8(m)) }

// CoordMode says which coordinate x of the input an output's index o stands for,
// with n elements in, m out, and the scale s.
type CoordMode uint8

const (
	// HalfPixel is x = (o + ½)/s − ½: pixels are areas, and the images' borders meet.
	HalfPixel CoordMode = iota
	// AlignCorners is x = o·(n−1)/(m−1): the first and last pixels' centres meet;
	// x = 0 where m is 1.
	AlignCorners
	// Asymmetric is x = o/s: the first pixels meet.
	Asymmetric
)

var coordModeNames = [...]string{"half_pixel", "align_corners", "asymmetric"}

// String returns ONNX's name.
func (c CoordMode) String() string { return nameOf("CoordMode", coordModeNames[:], uint8(c)) }

func nameOf(kind string, names []string, v uint8) string {
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("%s(%d)", kind, v)
}

// Resize changes the size of the spatial dims: each output takes its value at a
// coordinate of the input (see CoordMode), clamped to 0 ≤ x ≤ n−1, from one element
// or by interpolation (see ResizeMode):
//
//	linear, in one dim:  y = (1−w)·x[⌊x⌋] + w·x[⌊x⌋+1],  w = x − ⌊x⌋
//
// An element of weight 0 has no part in the sum, not even as NaN.
//
// Exactly one of Size and Scales is given. With Scales, m = ⌊n·s⌋. Coordinates are
// exact rational numbers with s = m/n where Size is given or n·s, in float64, is an
// integer; else they are computed in float64 as written. So an element is chosen
// alike by every backend, also where two are equally near.
//
// Input: x [N,C,spatial...] with at least one spatial element. Output: y [N,C,m...].
//
// Source: ONNX Resize-19 (nearest_mode round_prefer_floor, or floor for
// Asymmetric), PyTorch interpolate: "nearest" is ResizeNearest with Asymmetric,
// "bilinear" is ResizeLinear with HalfPixel or AlignCorners.
type Resize struct {
	Size   []int     // of y, one entry a spatial dim
	Scales []float64 // m/n, one entry a spatial dim
	Mode   ResizeMode
	Coord  CoordMode
}

// Kind returns "Resize".
func (Resize) Kind() string { return "Resize" }

// Args implements Op.
func (Resize) Args() (in, out []Arg) { return []Arg{{Name: "x"}}, []Arg{{Name: "y"}} }

// Infer implements Op.
func (r Resize) Infer(in []TensorDesc) ([]TensorDesc, error) {
	if err := wantImage("Resize", "x", in[0]); err != nil {
		return nil, err
	}
	x := in[0].Shape
	size, err := r.size(x[2:])
	if err != nil {
		return nil, err
	}
	return f32Out(append([]int{x[0], x[1]}, size...)...), nil
}

// size checks the attributes and returns the spatial dims of y for those of x.
func (r Resize) size(in []int) ([]int, error) {
	if err := wantSpatial("Resize", in); err != nil {
		return nil, err
	}
	if int(r.Mode) >= len(resizeModeNames) {
		return nil, &AttrError{Op: "Resize", Attr: "mode", Got: r.Mode.String(), Want: strings.Join(resizeModeNames[:], ", ")}
	}
	if int(r.Coord) >= len(coordModeNames) {
		return nil, &AttrError{Op: "Resize", Attr: "coord", Got: r.Coord.String(), Want: strings.Join(coordModeNames[:], ", ")}
	}
	if (r.Size == nil) == (r.Scales == nil) {
		return nil, &AttrError{Op: "Resize", Attr: "size, scales", Got: fmt.Sprintf("%v, %v", r.Size, r.Scales), Want: "exactly one of them"}
	}
	if r.Size != nil {
		return attrInts("Resize", "size", r.Size, len(in), 0, 1)
	}
	if len(r.Scales) != len(in) {
		return nil, &AttrError{Op: "Resize", Attr: "scales", Got: fmt.Sprintf("%d values %v", len(r.Scales), r.Scales), Want: fmt.Sprintf("%d values", len(in)), Hint: "spatial dims only, without N and C"}
	}
	out := make([]int, len(in))
	for i, s := range r.Scales {
		m := math.Floor(float64(in[i]) * s)
		if !(s > 0 && m >= 1 && m <= maxAttr) {
			return nil, &AttrError{Op: "Resize", Attr: fmt.Sprintf("scales[%d]", i), Got: fmt.Sprint(s), Want: fmt.Sprintf("a number that makes a size of 1 to %d from %d", maxAttr, in[i])}
		}
		out[i] = int(m)
	}
	return out, nil
}

// Cost implements Op: linear interpolation takes two multiplications and an addition
// for each pair of elements; taking the nearest is no arithmetic.
func (r Resize) Cost(in, out []TensorDesc) Cost {
	c := Cost{Bytes: sumBytes(in) + sumBytes(out)}
	if r.Mode == ResizeLinear {
		pairs := int64(1)<<(len(in[0].Shape)-2) - 1
		c.FLOPs = 3 * pairs * int64(out[0].Shape.Size())
	}
	return c
}

// ResizeTap is what one output index takes along one dim: W0·x[I0] + W1·x[I1].
// Where W1 is 0, I1 is I0, W0 is 1, and x[I0] is the value.
type ResizeTap struct {
	I0, I1 int32
	W0, W1 float32 // each rounded once from its exact value
}

// maxTaps bounds the memory of Taps: 1 GiB.
const maxTaps = 1 << 26

// Taps returns, for each spatial dim of the sizes in, the taps of its outputs. It
// fails as Infer does, and with *LimitError where they are too many. A kernel reads them instead of computing coordinates, which
// float32 would round to the wrong element.
func (r Resize) Taps(in []int) ([][]ResizeTap, error) {
	out, err := r.size(in)
	if err != nil {
		return nil, err
	}
	total := 0
	for _, m := range out {
		if total += m; total > maxTaps {
			return nil, &LimitError{Op: "Resize", What: "sum of the spatial dims of y", Got: int64(total), Max: maxTaps}
		}
	}
	taps := make([][]ResizeTap, len(in))
	for d, n := range in {
		m, s := out[d], 0.0
		if r.Scales != nil && float64(n)*r.Scales[d] != float64(m) {
			s = r.Scales[d]
		}
		taps[d] = make([]ResizeTap, m)
		for o := range taps[d] {
			taps[d][o] = r.tap(r.coordinate(o, n, m, s))
		}
	}
	return taps, nil
}

// coordinate is a coordinate, clamped to the dim: x = i + num/den with num < den.
type coordinate struct {
	i        int
	num, den float64 // integers, where the coordinate is rational
}

// coordinate returns where output o of m lies in a dim of size n; a scale s of 0
// stands for m/n.
func (r Resize) coordinate(o, n, m int, s float64) coordinate {
	var num, den int // at most 2³²·2³¹
	switch {
	case r.Coord == AlignCorners && m == 1:
		return coordinate{den: 1}
	case r.Coord == AlignCorners:
		num, den = o*(n-1), m-1
	case s != 0:
		x := float64(o) / s
		if r.Coord == HalfPixel {
			x = (float64(o)+0.5)/s - 0.5
		}
		x = min(max(x, 0), float64(n-1))
		return coordinate{i: int(x), num: x - math.Floor(x), den: 1}
	case r.Coord == HalfPixel:
		num, den = (2*o+1)*n-m, 2*m
	default:
		num, den = o*n, m
	}
	num = max(num, 0)
	if i := num / den; i < n-1 {
		return coordinate{i, float64(num % den), float64(den)}
	}
	return coordinate{i: n - 1, den: 1}
}

// tap turns a coordinate into elements and weights.
func (r Resize) tap(c coordinate) ResizeTap {
	i := int32(c.i)
	switch {
	case r.Mode == ResizeNearest:
		if r.Coord != Asymmetric && c.num > c.den-c.num {
			i++
		}
	case c.num > 0:
		return ResizeTap{I0: i, I1: i + 1, W0: float32((c.den - c.num) / c.den), W1: float32(c.num / c.den)}
	}
	return ResizeTap{I0: i, I1: i, W0: 1}
}
