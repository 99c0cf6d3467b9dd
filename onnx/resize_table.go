package onnx

import (
	"fmt"
	"math"
)

// resizeAttrs are the attributes of a Resize that say what an element of the output
// is made of.
type resizeAttrs struct {
	mode           string // "nearest", "linear" or "cubic"
	coord          string // coordinate_transformation_mode
	nearest        string // nearest_mode, or nearestOld
	cubicA         float64
	excludeOutside bool
	antialias      bool
	extrapolation  float32 // of tf_crop_and_resize
}

// nearestOld is the rounding of Upsample and of Resize before version 11, which has
// none in its attributes: up where the axis shrinks and down else, as ONNX Runtime does.
const nearestOld = "old"

var (
	resizeModes   = []string{"nearest", "linear", "cubic"}
	nearestModes  = []string{"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}
	resizeCoords  = []string{"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", cropAndResize, "tf_half_pixel_for_nn"}
	cropAndResize = "tf_crop_and_resize"
)

// resizeAxis is one axis of a Resize: n elements become m, by a scale of num/den.
type resizeAxis struct {
	n, m     int
	num, den float64    // integers, where the scale is known as a fraction
	roi      [2]float64 // start and end for tf_crop_and_resize, as parts of n−1
}

// scaledAxis returns the axis of n elements for a scale from a file. The size is computed
// in float32, as ONNX's shape inference and ONNX Runtime do. A scale that is the
// float32 nearest to m/n stands for it, so that 1/3 of 9 elements are elements 0, 3
// and 6.
func scaledAxis(n int, scale float32) (resizeAxis, error) {
	m := math.Floor(float64(float32(n) * scale))
	if !(scale > 0 && m <= math.MaxInt32 && n <= math.MaxInt32) {
		return resizeAxis{}, fmt.Errorf("scale %v: want a number above 0 that makes a size of %d at most from %d", scale, math.MaxInt32, n)
	}
	a := resizeAxis{n: n, m: int(m), num: float64(scale), den: 1, roi: [2]float64{0, 1}}
	if m > 0 && float32(m/float64(n)) == scale {
		a.num, a.den = m, float64(n)
	}
	return a, nil
}

// sizedAxis returns the axis for a given size.
func sizedAxis(n, m int) (resizeAxis, error) {
	if m < 0 || m > math.MaxInt32 || n > math.MaxInt32 || n == 0 && m > 0 {
		return resizeAxis{}, fmt.Errorf("size %d of an axis of %d elements: want 0 to %d, and 0 from 0", m, n, math.MaxInt32)
	}
	return resizeAxis{n: n, m: m, num: float64(m), den: float64(n), roi: [2]float64{0, 1}}, nil
}

// exact reports whether the scale is m/n.
func (a resizeAxis) exact() bool { return a.num*float64(a.n) == float64(a.m)*a.den }

// coordinate returns the coordinate in x of element o of y. Formulas are those of
// ONNX Resize-19, with the scale as a fraction and one division, so that ties between
// two elements stay ties.
func (a resizeAxis) coordinate(coord string, o int) float64 {
	at, n, m := float64(o), float64(a.n), float64(a.m)
	half := ((2*at+1)*a.den - a.num) / (2 * a.num) // (o + ½)/s − ½
	switch coord {
	case "half_pixel_symmetric": // the middles of both meet, where m is not n·s
		return ((2*at+1-m)*a.den + (n-1)*a.num) / (2 * a.num)
	case "pytorch_half_pixel":
		if a.m == 1 {
			return 0
		}
	case "align_corners":
		if a.m == 1 {
			return 0
		}
		return at * (n - 1) / (m - 1)
	case "asymmetric":
		return at * a.den / a.num
	case "tf_half_pixel_for_nn":
		return (2*at + 1) * a.den / (2 * a.num)
	case cropAndResize:
		if a.m == 1 {
			return 0.5 * (a.roi[0] + a.roi[1]) * (n - 1)
		}
		return a.roi[0]*(n-1) + at*(a.roi[1]-a.roi[0])*(n-1)/(m-1)
	}
	return half
}

// round returns the element that is nearest to coordinate x by the mode.
func (r *resizeAttrs) round(a resizeAxis, x float64) int {
	switch r.nearest {
	case "round_prefer_floor":
		x = math.Ceil(x - 0.5)
	case "round_prefer_ceil":
		x = math.Floor(x + 0.5)
	case "ceil":
		x = math.Ceil(x)
	case nearestOld:
		if a.num < a.den {
			x = math.Ceil(x)
		} else {
			x = math.Floor(x)
		}
	default:
		x = math.Floor(x)
	}
	return int(min(max(x, 0), float64(a.n-1)))
}

// filter is the weight of an element at distance d from a coordinate: a triangle or
// a cubic convolution (Keys, Cubic Convolution Interpolation for Digital Image
// Processing, 1981).
func (r *resizeAttrs) filter(d float64) float64 {
	d = math.Abs(d)
	a := r.cubicA
	switch {
	case r.mode == "linear":
		return max(0, 1-d)
	case d <= 1:
		return ((a+2)*d-(a+3))*d*d + 1
	case d < 2:
		return ((d-5)*d+8)*d*a - 4*a
	}
	return 0
}

// resizeTable lists, for each of m elements along an axis, the terms of backend.Resample.
// Rows of fewer terms end in weights of 0; a row without any is outside of x.
type resizeTable struct {
	terms   int
	index   []int32   // [m, terms]
	weight  []float32 // [m, terms]
	outside []bool    // [m]; nil if none is
}

// maxResizeTable bounds the terms of a table, against files with huge sizes: 32 MiB.
const maxResizeTable = 1 << 22

// table returns the terms of all elements along an axis.
//
// Elements beyond the ends of x are the first or last one, or, with excludeOutside, have
// no weight and the others share theirs. With antialias a filter that shrinks is
// stretched by 1/s. Weights are computed in float64, sum up to 1, and are rounded once.
func (r *resizeAttrs) table(a resizeAxis, b *budget) (resizeTable, error) {
	radius, stretch := 1.0, 1.0 // of the filter, in elements of x
	switch r.mode {
	case "nearest":
		radius = 0.5
	case "cubic":
		radius = 2
	}
	if r.antialias && a.num < a.den {
		stretch = a.num / a.den
		radius /= stretch
	}
	most := int(min(2*radius, float64(a.n))) + 1 // elements of one sum; those beyond an end count as one
	if a.m > 0 && most > maxResizeTable/a.m {
		return resizeTable{}, fmt.Errorf("from %d to %d elements: the table of weights has %d entries of %d terms, want %d terms in all at most", a.n, a.m, a.m, most, maxResizeTable)
	}
	if err := b.take(a.m*most, 16); err != nil {
		return resizeTable{}, err
	}
	t := resizeTable{terms: most, index: make([]int32, a.m*most), weight: make([]float32, a.m*most)}
	used := 0 // terms of the longest row
	var row []resizeTerm
	for o := range a.m {
		x := a.coordinate(r.coord, o)
		switch row = row[:0]; {
		case r.coord == cropAndResize && !(x >= 0 && x <= float64(a.n-1)):
			if t.outside == nil {
				t.outside = make([]bool, a.m)
			}
			t.outside[o] = true
		case r.mode == "nearest":
			row = append(row, resizeTerm{r.round(a, x), 1})
		default:
			row = r.row(row, a, x, radius, stretch)
		}
		used = max(used, len(row))
		for i, term := range row {
			t.index[o*most+i], t.weight[o*most+i] = int32(term.index), float32(term.weight)
		}
	}
	t.narrow(used)
	return t, nil
}

// narrow leaves out terms of weight 0 at the end of all rows.
func (t *resizeTable) narrow(terms int) {
	rows := len(t.index) / max(t.terms, 1)
	for o := range rows {
		copy(t.index[o*terms:(o+1)*terms], t.index[o*t.terms:])
		copy(t.weight[o*terms:(o+1)*terms], t.weight[o*t.terms:])
	}
	t.terms, t.index, t.weight = terms, t.index[:rows*terms], t.weight[:rows*terms]
}

type resizeTerm struct {
	index  int
	weight float64
}

// row appends the terms of the element at coordinate x to row, which is empty.
func (r *resizeAttrs) row(row []resizeTerm, a resizeAxis, x, radius, stretch float64) []resizeTerm {
	last := a.n - 1
	if !r.excludeOutside { // far outside all weight is at an end
		x = min(max(x, -radius), float64(last)+radius)
	}
	sum := 0.0
	add := func(i int, w float64) {
		switch n := len(row); {
		case n > 0 && row[n-1].index == i:
			row[n-1].weight += w
		case w != 0:
			row = append(row, resizeTerm{i, w})
		}
		sum += w
	}
	for i := int(math.Ceil(x - radius)); float64(i) <= x+radius; i++ {
		w := r.filter((float64(i) - x) * stretch)
		switch {
		case i >= 0 && i <= last:
			add(i, w)
		case !r.excludeOutside:
			add(min(max(i, 0), last), w)
		}
	}
	for i := range row {
		row[i].weight /= sum
	}
	return row
}

// identity reports whether the table of n elements takes each of them as it is.
func (t *resizeTable) identity(n int) bool {
	if t.terms != 1 || len(t.index) != n || t.outside != nil {
		return false
	}
	for i, k := range t.index {
		if int(k) != i || t.weight[i] != 1 {
			return false
		}
	}
	return true
}
