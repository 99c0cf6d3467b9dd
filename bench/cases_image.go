package bench

import (
	"encoding/json"
	"slices"

	"github.com/convgl/convgl/backend"
)

func adaptiveAvgPoolCase(r *caseReader) backend.Op {
	op := backend.AdaptivePool{Mean: true}
	r.need("output_size", &op.Out)
	r.input("x")
	r.output("y")
	return op
}

// upsampleCase follows PyTorch's interpolate: the size or the scale is given, one
// number for all spatial dims or one for each.
func upsampleCase(r *caseReader) backend.Op {
	var op backend.Resize
	var mode string
	var corners bool
	r.need("mode", &mode)
	r.attr("align_corners", &corners)
	r.input("x")
	r.output("y")
	dims := max(len(r.plan.in[0].Shape())-2, 0)
	if _, ok := r.Attrs["size"]; ok {
		op.Size = oneOrMore[int](r, "size", dims)
	} else {
		r.need("scale_factor", new(json.RawMessage))
		op.Scales = oneOrMore[float64](r, "scale_factor", dims)
	}
	switch mode {
	case "nearest":
		op.Coord = backend.Asymmetric
		if corners {
			r.unknown("align_corners in mode %q", mode)
		}
	case "linear", "bilinear", "trilinear":
		op.Mode = backend.ResizeLinear
		if corners {
			op.Coord = backend.AlignCorners
		}
	default:
		r.unknown("mode %q", mode)
	}
	return op
}

// oneOrMore reads a list, or one value that stands for n.
func oneOrMore[T any](r *caseReader, name string, n int) []T {
	if text := r.Attrs[name]; len(text) > 0 && text[0] == '[' {
		var list []T
		r.attr(name, &list)
		return list
	}
	var one T
	r.attr(name, &one)
	return slices.Repeat([]T{one}, n)
}
