package onnx

import (
	"math"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// resize is ONNX's Resize where its coordinates, which other programs compute in float32 or float64,
// choose the elements that the graph's exact ones do. Otherwise each dim goes by a table.
func (e *exporter) resize(op backend.Resize) string {
	v := e.node.In()[0]
	n := len(v.Shape()) - 2
	size, static := spatial(v)
	if !static {
		return e.resizeOpen(op)
	}
	taps, err := op.Taps(size)
	if err != nil {
		return e.fail("%v", err)
	}
	scales := slices.Repeat([]float32{1}, n+2)
	plain := true
	for i, m := range size {
		out := len(taps[i])
		s := float64(out) / float64(m)
		if op.Scales != nil && float64(m)*op.Scales[i] != float64(out) {
			s = op.Scales[i]
		}
		scales[2+i] = scaleFor(m, out, s)
		plain = plain && int(float32(m)*scales[2+i]) == out && sameElements[float32](op, taps[i], m, scales[2+i]) && sameElements[float64](op, taps[i], m, scales[2+i])
	}
	if plain {
		return e.resizeBy(op, scales)
	}
	x := e.in(0)
	for i := range size {
		index, weight := make([]int64, 0, 2*len(taps[i])), make([]float32, 0, 2*len(taps[i]))
		if op.Mode == backend.ResizeNearest {
			for _, t := range taps[i] {
				index = append(index, int64(t.I0))
			}
			table, err := tensor.From(index, len(index))
			x = e.op("Gather", []string{x, e.constant("index", table, err)}, intAttr("axis", 2+i))
			continue
		}
		for _, t := range taps[i] {
			index, weight = append(index, int64(t.I0), int64(t.I1)), append(weight, t.W0, t.W1)
		}
		x = e.weighted(x, n+2, 2+i, index, weight, len(taps[i]), 2)
	}
	return x
}

// resizeOpen resizes where sizes are open, by factors of which float32 gives exact coordinates.
func (e *exporter) resizeOpen(op backend.Resize) string {
	v := e.node.In()[0]
	if op.Scales == nil {
		return e.fail("a size that is given, of open sizes %v", v.Shape())
	}
	scales := []float32{1, 1}
	for _, s := range op.Scales {
		fraction, _ := math.Frexp(s)
		if !(s == math.Trunc(s) && s < 1<<12 || fraction == 0.5) {
			return e.fail("the factor %v with open sizes %v, of which other programs might choose other elements", s, v.Shape())
		}
		scales = append(scales, float32(s))
	}
	return e.resizeBy(op, scales)
}

// resizeBy writes the op.
func (e *exporter) resizeBy(op backend.Resize, scales []float32) string {
	t, err := tensor.From(scales, len(scales))
	attrs := []*pb.Attr{stringAttr("mode", op.Mode.String()), stringAttr("coordinate_transformation_mode", op.Coord.String())}
	if op.Mode == backend.ResizeNearest {
		nearest := "round_prefer_floor"
		if op.Coord == backend.Asymmetric {
			nearest = "floor"
		}
		attrs = append(attrs, stringAttr("nearest_mode", nearest))
	}
	return e.op("Resize", []string{e.in(0), "", e.constant("scales", t, err)}, attrs...)
}

// scaleFor returns s as a float32 of which the product with m is at least out.
func scaleFor(m, out int, s float64) float32 {
	f := float32(s)
	if int(float32(m)*f) < out {
		f = math.Nextafter32(f, float32(math.Inf(1)))
	}
	return f
}

// sameElements reports whether ONNX's formulas, computed in F, take the elements of the taps, with
// weights that are nearly the same.
func sameElements[F float32 | float64](op backend.Resize, taps []backend.ResizeTap, n int, scale float32) bool {
	m := len(taps)
	for o, want := range taps {
		var x F
		switch {
		case op.Coord == backend.AlignCorners && m == 1:
		case op.Coord == backend.AlignCorners:
			x = F(o) * F(n-1) / F(m-1)
		case op.Coord == backend.HalfPixel:
			x = (F(o)+0.5)/F(scale) - 0.5
		default:
			x = F(o) / F(scale)
		}
		if op.Mode == backend.ResizeNearest {
			i := math.Floor(float64(x))
			if op.Coord != backend.Asymmetric {
				i = math.Ceil(float64(x) - 0.5)
			}
			if int32(min(max(i, 0), float64(n-1))) != want.I0 {
				return false
			}
			continue
		}
		exact := float64(want.I0) + float64(want.W1)
		if math.Abs(min(max(float64(x), 0), float64(n-1))-exact) > 1e-6*float64(n) {
			return false
		}
	}
	return true
}
