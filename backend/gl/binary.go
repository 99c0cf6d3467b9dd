//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
)

func binaryCandidates(op backend.Binary) []candidate {
	return []candidate{{"elementwise", func(p *plan) error { return planBinary(p, op) }}}
}

// planBinary runs through y in the order of memory; the operands, in any layout,
// are read by strides.
func planBinary(p *plan, op backend.Binary) error {
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
	sa, sb := stretched(p.in[0], *y), stretched(p.in[1], *y)
	var loops []loop
	for _, d := range memoryOrder(*y) {
		loops = append(loops, loop{phys[memoryDim(*y, d)], sa[d], sb[d]})
	}
	if len(loops) == 0 {
		loops = []loop{{size: 1}} // a scalar
	}
	channels, lanes := padding(*y)
	masked := channels != lanes
	vec, formats := 1, [2]device.Texel{device.R32F, device.R32F}
	defines := []shaders.Define{shaders.Int("FN", int(op.Fn))}
	if va, vb := vecsOf(p.in[0], *y, loops, func(l loop) int { return l.a }), vecsOf(p.in[1], *y, loops, func(l loop) int { return l.b }); va != noVecs && vb != noVecs {
		vec = 4
		loops[0].size /= 4
		for i := 1; i < len(loops); i++ {
			if va == wholeVecs {
				loops[i].a /= 4
			}
			if vb == wholeVecs {
				loops[i].b /= 4
			}
		}
		formats = [2]device.Texel{device.RGBA32F, device.RGBA32F}
		if va == splatVecs {
			formats[0] = device.R32F
			defines = append(defines, shaders.Define{Name: "A_SPLAT"})
		}
		if vb == splatVecs {
			formats[1] = device.R32F
			defines = append(defines, shaders.Define{Name: "B_SPLAT"})
		}
	}
	keep := 0
	if masked {
		keep = 1
		defines = append(defines, shaders.Define{Name: "MASK"})
	}
	loops = joined(loops, keep)
	count := phys.Size() / vec
	s := step{
		shader:   "binary.comp",
		defines:  append(defines, shaders.Int("DIMS", len(loops)), shaders.Int("VEC", vec)),
		bind:     []binding{reads(0, input(0), formats[0]), reads(1, input(1), formats[1]), writes(2, output(0))},
		uniforms: []uniform{uints(0, append([]int{count, channels}, uniformsOf(loops)...)...)},
	}
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

// vecsOf tells how operand t can be read along loops, given with its strides.
func vecsOf(t, y backend.TensorDesc, loops []loop, stride func(loop) int) vecs {
	if loops[0].size%4 != 0 {
		return noVecs
	}
	if stride(loops[0]) == 0 {
		return splatVecs
	}
	if stride(loops[0]) != 1 {
		return noVecs
	}
	for _, l := range loops[1:] {
		if stride(l)%4 != 0 {
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
