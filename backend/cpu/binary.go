package cpu

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// planBinary takes any layouts and any broadcast: a loop nest in the order of y's
// memory, with a stride of 0 where an operand stretches.
func planBinary(_ *device, d backend.Desc) (*plan, error) {
	shape := d.Out[0].Shape
	def := d.Out[0].Layout
	for _, in := range d.In {
		if def == backend.Any && len(in.Shape) == len(shape) {
			def = in.Layout
		}
	}
	if def == backend.Any {
		def = imageLayout(len(shape))
	}
	out := resolve(d.Out[0], def)
	p := &plan{out: []backend.TensorDesc{out}}
	strides := [][]int{out.Layout.Strides(shape)}
	for i, in := range d.In {
		if len(in.Shape) < len(shape) {
			in = resolve(in, backend.Plain)
		} else {
			in = resolve(in, out.Layout)
		}
		p.in = append(p.in, in)
		if in.Shape.Equal(shape) && in.Layout == out.Layout {
			p.inPlace = append(p.inPlace, i)
		}
		strides = append(strides, stretch(in, shape))
	}
	n := newNest(shape, physicalOrder(out), strides...)
	fn := d.Op.(backend.Binary).Fn
	total := n.total()
	parts := partsFor(total, 4*int64(total), grainBytes)
	p.phases = clearLanes([]phase{{parts, func(c *call, part, _ int) {
		lo, hi := share(total, part, parts)
		sy, sa, sb := n.inner(0), n.inner(1), n.inner(2)
		for it := n.start(lo, hi); it.next(); {
			binaryRow(fn, c.y(0)[it.off[0]:], c.x(0)[it.off[1]:], c.x(1)[it.off[2]:], it.n, sy, sa, sb)
		}
	}}}, 0, out)
	return p, nil
}

// stretch returns the strides of d broadcast to shape.
func stretch(d backend.TensorDesc, shape tensor.Shape) []int {
	st := make([]int, len(shape))
	own := d.Layout.Strides(d.Shape)
	for i, n := range d.Shape {
		if n != 1 {
			st[len(shape)-len(d.Shape)+i] = own[i]
		}
	}
	return st
}

// binaryRow computes n elements with the given strides.
func binaryRow(fn backend.BinaryKind, y, a, b []float32, n, sy, sa, sb int) {
	if sy == 1 && sa == 1 && sb == 1 {
		binaryDense(fn, y[:n], a[:n], b[:n])
		return
	}
	switch fn {
	case backend.Add:
		for i := range n {
			y[i*sy] = a[i*sa] + b[i*sb]
		}
	case backend.Sub:
		for i := range n {
			y[i*sy] = a[i*sa] - b[i*sb]
		}
	case backend.Mul:
		for i := range n {
			y[i*sy] = a[i*sa] * b[i*sb]
		}
	case backend.Div:
		for i := range n {
			y[i*sy] = a[i*sa] / b[i*sb]
		}
	case backend.PRelu:
		for i := range n {
			y[i*sy] = prelu(a[i*sa], b[i*sb])
		}
	}
}

// binaryDense is binaryRow for contiguous rows of one length.
func binaryDense(fn backend.BinaryKind, y, a, b []float32) {
	a, b = a[:len(y)], b[:len(y)]
	switch fn {
	case backend.Add:
		for i := range y {
			y[i] = a[i] + b[i]
		}
	case backend.Sub:
		for i := range y {
			y[i] = a[i] - b[i]
		}
	case backend.Mul:
		for i := range y {
			y[i] = a[i] * b[i]
		}
	case backend.Div:
		for i := range y {
			y[i] = a[i] / b[i]
		}
	case backend.PRelu:
		for i := range y {
			y[i] = prelu(a[i], b[i])
		}
	}
}

// prelu is a, and a·slope below 0; NaN stays.
func prelu(a, slope float32) float32 {
	if a < 0 {
		return a * slope
	}
	return a
}
