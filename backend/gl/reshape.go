//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// reshapeCandidates serves Reshape and Flatten.
func reshapeCandidates() []candidate { return []candidate{{"gather", planReshape}} }

// planReshape copies 32-bit words: tensors must be whole words, and elements too
// where a layout is not plain.
func planReshape(p *plan) error {
	x, y := &p.in[0], &p.out[0]
	if x.Layout.Order == backend.OrderAny {
		x.Layout = backend.Plain
	}
	if y.Layout.Order == backend.OrderAny {
		y.Layout = backend.Plain
		if len(y.Shape) > 2 {
			y.Layout = x.Layout
		}
	}
	plain := liesPlain(*x) && liesPlain(*y)
	if plain {
		p.inPlace = []int{0}
	}
	if x.Shape.Size() == 0 {
		return nil
	}
	if size := x.DType.Size(); size != 4 && !plain || y.Bytes()%4 != 0 {
		return p.unsupported("%v, %v to %v: want a multiple of 4 bytes, and elements of 4 bytes unless both are plain", x, x.Layout, y.Layout)
	}
	words := int(y.Bytes() / 4)
	// With one side plain, elements are in logical order there, whatever the shape: it
	// is a Reorder of the other side.
	in, out := *x, *y
	switch {
	case plain:
		flat := backend.TensorDesc{DType: tensor.Int32, Shape: tensor.Shape{words}, Layout: backend.Plain}
		*x, *y = flat, flat
	case liesPlain(*y):
		*y = backend.TensorDesc{DType: x.DType, Shape: x.Shape, Layout: backend.Plain}
	case liesPlain(*x):
		*x = backend.TensorDesc{DType: y.DType, Shape: y.Shape, Layout: backend.Plain}
	default:
		p.addReshape(words)
		return nil
	}
	err := planReorder(p)
	*x, *y = in, out
	return err
}

// addReshape adds the dispatch between two tensors that are not plain.
func (p *plan) addReshape(words int) {
	x, y := p.in[0], p.out[0]
	to, from := planes(y), planes(x)
	u := []int{words, to.channels, to.lanes, to.pixels}
	for _, d := range []int{to.lanes, to.pixels} {
		m, s := divisor(d)
		u = append(u, m, s)
	}
	u = append(u, from.channels, from.lanes, from.pixels)
	for _, d := range []int{from.pixels, from.channels} {
		m, s := divisor(d)
		u = append(u, m, s)
	}
	s := step{
		shader:   "reshape.comp",
		bind:     []binding{storage(0, input(0)), writes(1, output(0))},
		uniforms: []uniform{uints(0, u...)},
	}
	p.be.flat(&s, words)
	p.add(s)
}
