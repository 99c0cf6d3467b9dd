package onnx

import (
	"fmt"
	"math"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// resizeNode is what a Resize or Upsample says: attributes, and the contents of the
// inputs behind x. Lists are nil where they are not given.
type resizeNode struct {
	resizeAttrs
	keep   string // keep_aspect_ratio_policy
	axes   []int  // that scales, sizes and roi are of; nil for all
	scales []float32
	roi    []float32
}

// readResize reads the attributes of a version of the op.
func readResize(a *attrs, op string, version int) *resizeNode {
	r := &resizeNode{keep: "stretch"}
	r.resizeAttrs = resizeAttrs{coord: "asymmetric", nearest: nearestOld, cubicA: -0.75}
	switch {
	case op == "Upsample" && version == 1:
		r.mode = a.choice("mode", "nearest", "nearest", "bilinear")
		r.scales = []float32{1, 1, a.float("height_scale", 0), a.float("width_scale", 0)}
	case op == "Upsample", version == 10:
		// The first documents wrote bilinear, as some programs still do.
		r.mode = a.choice("mode", "nearest", "nearest", "linear", "bilinear")
		if op == "Upsample" && version < 9 {
			r.scales = a.floats("scales")
		}
	default:
		r.mode = a.choice("mode", "nearest", resizeModes...)
		r.coord = a.choice("coordinate_transformation_mode", "half_pixel", resizeCoords...)
		r.nearest = a.choice("nearest_mode", "round_prefer_floor", nearestModes...)
		r.cubicA = float64(a.float("cubic_coeff_a", -0.75))
		r.excludeOutside = a.flag("exclude_outside", false)
		r.extrapolation = a.float("extrapolation_value", 0)
	}
	if r.mode == "bilinear" {
		r.mode = "linear"
	}
	if op == "Resize" && version >= 18 {
		r.antialias = a.flag("antialias", false)
		r.axes = a.smalls("axes")
		r.keep = a.choice("keep_aspect_ratio_policy", "stretch", "stretch", "not_larger", "not_smaller")
	}
	if r.mode == "nearest" && (r.antialias || r.excludeOutside) {
		a.fail("mode nearest has no weights for antialias or exclude_outside")
	}
	return r
}

// resizeInputs are the places of the inputs behind x, 0 for none.
type resizeInputs struct{ roi, scales, sizes int }

func inputsOfResize(op string, version int) resizeInputs {
	switch {
	case op == "Upsample" && version < 9:
		return resizeInputs{}
	case op == "Upsample" || version == 10:
		return resizeInputs{scales: 1}
	}
	return resizeInputs{1, 2, 3}
}

// plan returns the axes of x for the scales, or for the sizes where these are given.
func (r *resizeNode) plan(x, sizes []int) ([]resizeAxis, error) {
	out := make([]resizeAxis, len(x))
	for i, n := range x {
		out[i] = resizeAxis{n: n, m: n, num: 1, den: 1, roi: [2]float64{0, 1}}
	}
	list := slices.Clone(r.axes)
	if r.axes == nil {
		for i := range x {
			list = append(list, i)
		}
	}
	for i, a := range list {
		k, err := resolveAxis(int64(a), len(x))
		if err != nil {
			return nil, err
		}
		if slices.Contains(list[:i], k) {
			return nil, fmt.Errorf("axis %d is given twice", a)
		}
		list[i] = k
	}
	if (sizes == nil) == (r.scales == nil) {
		return nil, fmt.Errorf("got %d scales and %d sizes, want one of the two", len(r.scales), len(sizes))
	}
	if n := max(len(sizes), len(r.scales)); n != len(list) {
		return nil, fmt.Errorf("got %d scales or sizes for %d axes of x %v", n, len(list), tensor.Shape(x))
	}
	if r.coord == cropAndResize && len(r.roi) != 2*len(list) {
		return nil, fmt.Errorf("roi: got %d numbers for %d axes, want a start and an end for each", len(r.roi), len(list))
	}
	for i, k := range list {
		var err error
		if sizes != nil {
			out[k], err = sizedAxis(x[k], sizes[i])
		} else {
			out[k], err = scaledAxis(x[k], r.scales[i])
		}
		if err != nil {
			return nil, fmt.Errorf("axis %d: %w", k, err)
		}
		if r.coord == cropAndResize {
			from, to := float64(r.roi[i]), float64(r.roi[len(list)+i])
			if math.IsNaN(from - to) { // NaN, or infinities
				return nil, fmt.Errorf("roi of axis %d: got %v to %v, want numbers", k, from, to)
			}
			out[k].roi = [2]float64{from, to}
		}
	}
	if sizes != nil && r.keep != "stretch" {
		return out, keepAspect(out, list, r.keep == "not_larger")
	}
	return out, nil
}

// listed reports whether an axis is one that is resized.
func (r *resizeNode) listed(axis, rank int) bool {
	return r.axes == nil || slices.Contains(r.axes, axis) || slices.Contains(r.axes, axis-rank)
}

// keepAspect gives the listed axes the scale of one of them, the least or the largest,
// and sizes that follow from it, rounded, up from a half.
func keepAspect(axes []resizeAxis, list []int, least bool) error {
	if len(list) == 0 {
		return nil
	}
	best := axes[list[0]]
	for _, k := range list {
		a := axes[k]
		if a.n == 0 || a.m == 0 {
			return fmt.Errorf("axis %d: from %d to %d elements: an empty axis has no aspect ratio to keep", k, a.n, a.m)
		}
		if d := a.m*best.n - best.m*a.n; d < 0 == least && d != 0 {
			best = a
		}
	}
	for _, k := range list {
		a := &axes[k]
		if a.m = (2*best.m*a.n + best.n) / (2 * best.n); a.m > math.MaxInt32 {
			return fmt.Errorf("axis %d: the scale %d/%d makes %d elements of %d, want %d at most", k, best.m, best.n, a.m, a.n, math.MaxInt32)
		}
		a.num, a.den = float64(best.m), float64(best.n)
	}
	return nil
}

// keeps reports whether the elements along an axis stay as they are. A scale of 1 does
// that whatever the coordinates, as in ONNX Runtime.
func (r *resizeAttrs) keeps(a resizeAxis) bool {
	return a.n == a.m && a.num == a.den && (r.coord != cropAndResize || a.roi == [2]float64{0, 1})
}

// onDevice returns the op of the backends that is the same as a resize of an image by
// these axes, N and C first, and false when there is none. Those that stay as they are
// may be open: of other sizes in a run.
func (r *resizeAttrs) onDevice(axes []resizeAxis, open []bool) (backend.Resize, bool) {
	if len(axes) < 3 || len(axes) > 5 || !r.keeps(axes[0]) || !r.keeps(axes[1]) || r.mode == "cubic" {
		return backend.Resize{}, false
	}
	exact := !slices.Contains(open[2:], true)
	var in, size []int
	var scales []float64
	for _, a := range axes[2:] {
		if a.n == 0 || a.m == 0 || r.antialias && a.num < a.den || r.coord == cropAndResize && !r.keeps(a) {
			return backend.Resize{}, false
		}
		s := a.num / a.den
		exact = exact && a.exact()
		if product := float64(a.n) * s; math.Floor(product) != float64(a.m) || a.exact() && product != float64(a.m) {
			s = 0
		}
		in, size, scales = append(in, a.n), append(size, a.m), append(scales, s)
	}
	o := backend.Resize{Size: size}
	if !exact {
		if o = (backend.Resize{Scales: scales}); slices.Contains(scales, 0) {
			return backend.Resize{}, false
		}
	}
	if r.mode == "linear" {
		o.Mode = backend.ResizeLinear
		var ok bool
		o.Coord, ok = r.linearCoord(axes[2:])
		return o, ok
	}
	if total := sum(size); total > maxResizeTable {
		return backend.Resize{}, false
	}
	for _, o.Coord = range []backend.CoordMode{backend.Asymmetric, backend.HalfPixel, backend.AlignCorners} {
		if taps, err := o.Taps(in); err == nil && r.sameElements(axes[2:], taps) {
			return o, true
		}
	}
	return backend.Resize{}, false
}

// sum adds up sizes of 31 bits.
func sum(list []int) int {
	n := 0
	for _, v := range list {
		n += v
	}
	return n
}

// linearCoord returns the coordinates of the backends that are the same for all axes.
func (r *resizeAttrs) linearCoord(axes []resizeAxis) (backend.CoordMode, bool) {
	switch r.coord {
	case "half_pixel":
		return backend.HalfPixel, true
	case "half_pixel_symmetric":
		return backend.HalfPixel, !slices.ContainsFunc(axes, func(a resizeAxis) bool { return !a.exact() })
	case "pytorch_half_pixel": // 0 is the middle of one element only
		return backend.HalfPixel, !slices.ContainsFunc(axes, func(a resizeAxis) bool { return a.m == 1 && a.n != 1 })
	case "align_corners":
		return backend.AlignCorners, true
	case "asymmetric":
		return backend.Asymmetric, true
	}
	return 0, false
}

// sameElements reports whether the nearest elements are those of the taps.
func (r *resizeAttrs) sameElements(axes []resizeAxis, taps [][]backend.ResizeTap) bool {
	for i, a := range axes {
		for o, t := range taps[i] {
			want := o
			if !r.keeps(a) {
				want = r.round(a, a.coordinate(r.coord, o))
			}
			if int(t.I0) != want {
				return false
			}
		}
	}
	return true
}

// openOnDevice is onDevice for axes of which some have open sizes, given as two sets
// of probes. It takes scales with which all sizes are computed without rounding.
func (r *resizeNode) openOnDevice(probes [2][]resizeAxis) (backend.Resize, bool) {
	axes := probes[0]
	if r.scales == nil || len(axes) < 3 || len(axes) > 5 || !r.keeps(axes[0]) || !r.keeps(axes[1]) {
		return backend.Resize{}, false
	}
	var o backend.Resize
	grow := true
	for _, a := range axes[2:] {
		s := a.num / a.den
		if q := 4 * s; q != math.Floor(q) || q < 1 || q > 64 || !a.exact() && a.num != s {
			return o, false
		}
		grow = grow && s >= 1
		o.Scales = append(o.Scales, s)
	}
	nearest := ""
	switch r.coord {
	case "half_pixel":
		o.Coord, nearest = backend.HalfPixel, "round_prefer_floor"
	case "pytorch_half_pixel":
		if slices.ContainsFunc(o.Scales, func(s float64) bool { return s < 2 && s != 1 }) {
			return o, false // of two elements or one, one may be made
		}
		o.Coord, nearest = backend.HalfPixel, "round_prefer_floor"
	case "align_corners":
		o.Coord, nearest = backend.AlignCorners, "round_prefer_floor"
	case "asymmetric":
		o.Coord, nearest = backend.Asymmetric, "floor"
	default:
		return o, false
	}
	switch r.mode {
	case "linear":
		o.Mode = backend.ResizeLinear
		return o, grow || !r.antialias
	case "nearest":
		return o, r.nearest == nearest || nearest == "floor" && r.nearest == nearestOld && grow
	}
	return o, false
}
