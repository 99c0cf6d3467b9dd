package backendtest

import (
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

func concatProblems(short bool) []problem {
	copied := []check.Fill{check.Exact, check.Special}
	concat := func(name string, axis int, t tensor.DType, x ...shape) problem {
		d := backend.Desc{Op: backend.Concat{Axis: axis, Inputs: len(x)}}
		for _, s := range x {
			d.In = append(d.In, backend.TensorDesc{DType: t, Shape: s})
		}
		return problem{name: name, d: d, fills: copied}
	}
	var ps []problem
	// Channels that are multiples of four, that are not, and both in either order.
	for _, c := range []shape{{8, 4}, {4, 8, 12}, {3, 5}, {8, 3}, {3, 8}, {1, 1, 1, 1}, {2, 4, 7, 64}, {5}, {16, 0, 3}, {0, 6, 0}, {33, 31}} {
		var x []shape
		for _, n := range c {
			x = append(x, shape{2, n, 3, 5})
		}
		p := concat("channels-"+words(c...), 1, tensor.Float32, x...)
		p.layouts = true
		ps = append(ps, p)
	}
	many := make([]shape, 40)
	for i := range many {
		many[i] = shape{1, 1 + i%6, 2, 3}
	}
	ps = append(ps, concat("channels-many", 1, tensor.Float32, many...),
		concat("channels-wide", -3, tensor.Float32, shape{1, 64, 28, 28}, shape{1, 96, 28, 28}),
		concat("channels-1d", 1, tensor.Float32, shape{2, 4, 7}, shape{2, 6, 7}),
		concat("channels-3d", 1, tensor.Float32, shape{1, 6, 2, 3, 4}, shape{1, 8, 2, 3, 4}))
	// All axes, in all ranks.
	full := shape{2, 5, 3, 4, 2, 3}
	for rank := 1; rank <= len(full); rank++ {
		for axis := range rank {
			if short && rank != 4 && axis != rank-1 {
				continue
			}
			a, b, c := tensor.Shape(full[:rank]).Clone(), tensor.Shape(full[:rank]).Clone(), tensor.Shape(full[:rank]).Clone()
			b[axis], c[axis] = 1, 4
			p := concat(fmt.Sprintf("rank%d-axis%d", rank, axis), axis, tensor.Float32, shape(a), shape(b), shape(c))
			p.layouts = rank >= 3 && rank <= 5
			ps = append(ps, p)
		}
	}
	ints := concat("int32", 1, tensor.Int32, shape{2, 3, 4}, shape{2, 6, 4})
	ints.layouts = true
	ps = append(ps, ints,
		concat("no-images", 1, tensor.Float32, shape{0, 3, 4, 4}, shape{0, 5, 4, 4}),
		concat("nothing", 1, tensor.Float32, shape{2, 0, 4}, shape{2, 0, 4}),
		concat("images-and-none", 0, tensor.Float32, shape{0, 3, 4}, shape{2, 3, 4}, shape{0, 3, 4}))
	// Inputs that lie differently.
	mixed := concat("mixed-layouts", 1, tensor.Float32, shape{2, 6, 3, 4}, shape{2, 5, 3, 4}, shape{2, 8, 3, 4})
	for i, l := range []backend.Layout{backend.Plain, backend.ChannelsLast4, backend.ChannelsLast} {
		mixed.d.In[i].Layout = l
	}
	return append(ps, mixed)
}
