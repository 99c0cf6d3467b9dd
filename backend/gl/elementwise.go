//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
)

// planElementwise runs through y in the order of memory; the operands, in any layout
// and each stretched as it must be, are read by strides. The shader has a letter for
// each operand: X_SPLAT says that X is one float for four lanes.
func planElementwise(p *plan, shader, letters string, defines ...shaders.Define) error {
	y := &p.out[0]
	for i := range p.in {
		if y.Layout.Order == backend.OrderAny && len(p.in[i].Shape) == len(y.Shape) {
			y.Layout = p.in[i].Layout
		}
	}
	if y.Layout.Order == backend.OrderAny {
		y.Layout = preferred(*y)
	}
	for i := range p.in {
		t := &p.in[i]
		l := backend.Plain
		if len(t.Shape) == len(y.Shape) {
			l = y.Layout
		}
		settle(t, l)
		if t.Layout == y.Layout && t.Shape.Equal(y.Shape) {
			p.inPlace = append(p.inPlace, i)
		}
	}
	if y.Shape.Size() == 0 {
		return nil
	}

	phys := y.Layout.PhysicalShape(y.Shape)
	strides := make([][]int, len(p.in))
	for i, t := range p.in {
		strides[i] = stretched(t, *y)
	}
	var loops []axis
	for _, d := range memoryOrder(*y) {
		l := axis{size: phys[memoryDim(*y, d)]}
		for _, st := range strides {
			l.strides = append(l.strides, st[d])
		}
		loops = append(loops, l)
	}
	if len(loops) == 0 {
		loops = []axis{{1, make([]int, len(p.in))}} // a scalar
	}
	channels, lanes := padding(*y)
	masked := channels != lanes
	vec := 4
	ways := make([]vecs, len(p.in))
	for i, t := range p.in {
		if ways[i] = vecsOf(t, *y, loops, i); ways[i] == noVecs {
			vec = 1
		}
	}
	s := step{shader: shader}
	if vec == 4 {
		loops[0].size /= 4
	}
	for i, way := range ways {
		texel := texelOf(vec)
		if vec == 4 && way == splatVecs {
			texel = device.R32F
			defines = append(defines, shaders.Define{Name: letters[i:i+1] + "_SPLAT"})
		} else if vec == 4 {
			for _, l := range loops[1:] {
				l.strides[i] /= 4
			}
		}
		s.bind = append(s.bind, reads(i, input(i), texel))
	}
	s.bind = append(s.bind, writes(len(p.in), output(0)))
	keep := 0
	if masked {
		keep = 1
		defines = append(defines, shaders.Define{Name: "MASK"})
	}
	loops = joinedAxes(loops, keep)
	count := phys.Size() / vec
	s.defines = append(defines, shaders.Int("DIMS", len(loops)), shaders.Int("VEC", vec))
	u := []int{count, channels}
	for _, l := range loops {
		m, shift := divisor(l.size)
		u = append(append(u, l.size, m, shift), l.strides...)
	}
	s.uniforms = []uniform{uints(0, u...)}
	p.be.flat(&s, count)
	p.add(s)
	return nil
}

// stretched returns the strides of operand t for each dim of y's shape: 0 where t
// is broadcast.
func stretched(t, y backend.TensorDesc) []int {
	own := t.Layout.Strides(t.Shape)
	r := make([]int, len(y.Shape))
	for d, n := range t.Shape {
		if n != 1 {
			r[len(r)-len(t.Shape)+d] = own[d]
		}
	}
	return r
}

// How an operand can be read where y is written in fours.
type vecs uint8

const (
	noVecs    vecs = iota
	wholeVecs      // as a vec4
	splatVecs      // as a float for all four lanes
)

// vecsOf tells how operand i, which is t, can be read along loops.
func vecsOf(t, y backend.TensorDesc, loops []axis, i int) vecs {
	if loops[0].size%4 != 0 {
		return noVecs
	}
	if loops[0].strides[i] == 0 {
		return splatVecs
	}
	if loops[0].strides[i] != 1 {
		return noVecs
	}
	for _, l := range loops[1:] {
		if l.strides[i]%4 != 0 {
			return noVecs
		}
	}
	// Where y has lanes beyond its channels, t must have them too.
	if channels, lanes := padding(y); channels != lanes {
		if _, own := padding(t); own != lanes {
			return noVecs
		}
	}
	return wholeVecs
}
