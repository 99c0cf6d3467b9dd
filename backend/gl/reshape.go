//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/shaders"
)

// reshapeCandidates serves Reshape and Flatten.
func reshapeCandidates() []candidate { return []candidate{{"gather", planReshape}} }

// planReshape copies 32-bit words. Layouts other than the plain one need elements
// of that size.
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
		return p.unsupported("%v, %v to %v: want the plain layout, and a multiple of 4 bytes", x, x.Layout, y.Layout)
	}
	words := int(y.Bytes() / 4)
	yc, ylanes, ypixels := reshapeView(*y, words)
	xc, xlanes, xpixels := reshapeView(*x, words)
	u := []int{words, yc, ylanes, ypixels}
	for _, d := range []int{ylanes, ypixels} {
		m, s := divisor(d)
		u = append(u, m, s)
	}
	u = append(u, xc, xlanes, xpixels)
	for _, d := range []int{xpixels, xc} {
		m, s := divisor(d)
		u = append(u, m, s)
	}
	s := step{
		shader:   "reshape.comp",
		defines:  []shaders.Define{},
		bind:     []binding{storage(0, input(0)), writes(1, output(0))},
		uniforms: []uniform{uints(0, u...)},
	}
	p.be.flat(&s, words)
	p.add(s)
	return nil
}

// reshapeView sees t as pixels of channels in lanes; a plain tensor has one
// channel.
func reshapeView(t backend.TensorDesc, words int) (channels, lanes, pixels int) {
	if liesPlain(t) {
		return 1, 1, words
	}
	v := planes(t)
	return v.channels, v.lanes, v.pixels
}
