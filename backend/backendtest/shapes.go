package backendtest

import (
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

func padProblems(bool) []problem {
	pad := func(name string, op backend.Pad, x ...int) problem {
		return problem{name: name, d: desc(op, backend.F32(x...))}
	}
	image := shape{0, 0, 1, 2, 0, 0, 3, 1}
	ps := []problem{
		pad("zeros", backend.Pad{Pads: image}, 2, 5, 4, 6),
		pad("constant", backend.Pad{Pads: image, Value: -2.5}, 2, 5, 4, 6),
		pad("reflect", backend.Pad{Pads: image, Mode: backend.PadReflect}, 2, 5, 4, 6),
		pad("edge", backend.Pad{Pads: image, Mode: backend.PadEdge}, 2, 5, 4, 6),
		pad("wrap", backend.Pad{Pads: image, Mode: backend.PadWrap}, 2, 5, 4, 6),
		pad("channels", backend.Pad{Pads: shape{1, 2, 0, 0, 0, 3, 1, 0}, Value: 7}, 2, 5, 4, 6),
		pad("channels-wrap", backend.Pad{Pads: shape{1, 3, 0, 0, 0, 5, 1, 0}, Mode: backend.PadWrap}, 2, 3, 4, 6),
		pad("wrap-more-than-once", backend.Pad{Pads: shape{0, 0, 7, 2, 0, 0, 0, 11}, Mode: backend.PadWrap}, 1, 8, 3, 4),
		pad("wrap-one", backend.Pad{Pads: shape{3, 0, 4, 2}, Mode: backend.PadWrap}, 1, 5),
		pad("nothing", backend.Pad{}, 2, 5, 4, 6),
		pad("vector", backend.Pad{Pads: shape{3, 4}, Mode: backend.PadEdge}, 5),
		pad("matrix", backend.Pad{Pads: shape{1, 0, 2, 3}, Mode: backend.PadReflect}, 3, 6),
		pad("3d", backend.Pad{Pads: shape{0, 0, 1, 0, 2, 0, 0, 1, 1, 0}}, 1, 3, 2, 4, 3),
		pad("from-empty", backend.Pad{Pads: shape{2, 0, 1, 0}, Value: 1}, 0, 3),
	}
	for i := range 6 {
		ps[i].layouts = true
	}
	return ps
}

func reshapeProblems(bool) []problem {
	rs := func(name string, to shape, x ...int) problem {
		return problem{name: name, d: desc(backend.Reshape{Shape: to}, backend.F32(x...)), layouts: true}
	}
	fl := func(name string, axis int, x ...int) problem {
		return problem{name: name, d: desc(backend.Flatten{Axis: axis}, backend.F32(x...)), layouts: true}
	}
	return []problem{
		rs("image-to-matrix", shape{2, -1}, 2, 5, 4, 6),
		rs("matrix-to-image", shape{2, 5, 4, 6}, 2, 120),
		rs("image-to-image", shape{0, 10, 3, -1}, 2, 5, 4, 6),
		rs("to-vector", shape{-1}, 3, 7, 2),
		rs("scalar", shape{1, 1, 1}),
		rs("empty", shape{0, 4, 6}, 0, 4, 3, 2),
		rs("volume", shape{1, 6, 20}, 1, 6, 2, 5, 2),
		fl("flatten", 1, 2, 19, 3, 5),
		fl("flatten-0", 0, 2, 3, 4),
		fl("flatten-last", -1, 2, 3, 4, 5),
		fl("flatten-pixel", 1, 3, 40, 1, 1),
		fl("flatten-3d", 1, 2, 5, 3, 2, 2),
		{name: "int32", d: desc(backend.Reshape{Shape: shape{6, 4}}, backend.TensorDesc{DType: tensor.Int32, Shape: shape{2, 3, 4}})},
	}
}

// reorderProblems convert between all layouts, both types of four bytes, and all
// ranks.
func reorderProblems(short bool) []problem {
	layouts := []backend.Layout{backend.Plain, backend.ChannelsLast, backend.ChannelsLast4, {Order: backend.OrderChannelsLast, Pad: 8}}
	var ps []problem
	for _, x := range []shape{{}, {9}, {3, 7}, {2, 5, 9}, {2, 19, 4, 5}, {1, 8, 3, 3}, {1, 3, 17, 23}, {2, 1, 4, 4}, {3, 6, 1, 1}, {2, 5, 2, 3, 4}, {0, 4, 2, 2}, {2, 2, 2, 1, 3, 2}} {
		for _, from := range layouts {
			for _, to := range layouts {
				if len(x) < 3 && (from != layouts[0] || to != layouts[2]) || short && len(x) != 4 && from != layouts[0] && to != layouts[0] {
					continue
				}
				for _, t := range []tensor.DType{tensor.Float32, tensor.Int32} {
					if short && t == tensor.Int32 && x != nil && len(x) != 4 {
						continue
					}
					a := backend.TensorDesc{DType: t, Shape: x, Layout: from}
					b := backend.TensorDesc{DType: t, Shape: x, Layout: to}
					ps = append(ps, problem{
						name:  fmt.Sprintf("%v%v-%v-to-%v", t, tensor.Shape(x), from, to),
						d:     backend.Desc{Op: backend.Reorder{}, In: []backend.TensorDesc{a}, Out: []backend.TensorDesc{b}},
						fills: []check.Fill{check.Exact, check.Special},
					})
				}
			}
		}
	}
	return ps
}
