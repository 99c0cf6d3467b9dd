//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/shaders"
)

// padModes are the values of MODE in pad.comp.
var padModes = map[backend.PadMode]int{backend.PadConstant: 0, backend.PadReflect: 1, backend.PadEdge: 2, backend.PadWrap: 3}

func padCandidates(op backend.Pad) []candidate {
	return []candidate{{"gather", func(p *plan) error { return planPad(p, op) }}}
}

// padDim is a dim of y in memory.
type padDim struct {
	size, begin, from int // size in y, elements in front, size in x
	stride            int // of x
}

func (d padDim) padded() bool { return d.begin != 0 || d.size != d.from }

func planPad(p *plan, op backend.Pad) error {
	x, y := &p.in[0], &p.out[0]
	if x.Layout.Order == backend.OrderAny {
		x.Layout = y.Layout
	}
	if x.Layout.Order == backend.OrderAny {
		x.Layout = preferred(*x)
	}
	settle(y, x.Layout)
	if y.Shape.Size() == 0 {
		return nil
	}
	phys, strides := y.Layout.PhysicalShape(y.Shape), x.Layout.Strides(x.Shape)
	var dims []padDim
	for _, d := range memoryOrder(*y) {
		n := padDim{size: phys[memoryDim(*y, d)], from: x.Shape[d], stride: strides[d]}
		if op.Pads != nil {
			n.begin = op.Pads[d]
		}
		if op.Mode == backend.PadWrap {
			n.begin %= n.from // once around is where it was
		}
		dims = append(dims, n)
	}
	channels, lanes := padding(*y)
	masked := channels != lanes
	if _, own := padding(*x); masked && own == lanes && dims[0].begin == 0 && x.Shape[1] == y.Shape[1] {
		dims[0].from = lanes // x has the same lanes in the padding
	}
	vec := 1
	if d := dims[0]; !d.padded() && d.size%4 == 0 && d.stride == 1 && !odd(dims[1:]) {
		vec = 4
		dims[0].size /= 4
		dims[0].from /= 4
		for i := 1; i < len(dims); i++ {
			dims[i].stride /= 4
		}
	}
	keep := 0
	defines := []shaders.Define{shaders.Int("MODE", padModes[op.Mode]), shaders.Int("VEC", vec)}
	if masked {
		keep = 1
		defines = append(defines, shaders.Define{Name: "MASK"})
	}
	dims = joinedPads(dims, keep)
	count := phys.Size() / vec
	u := []int{count, channels}
	for _, d := range dims {
		m, s := divisor(d.size)
		u = append(u, d.size, m, s, d.begin, d.from, d.stride)
	}
	source := reads(0, input(0), texelOf(vec))
	if x.Shape.Size() == 0 { // all is padding, and there is no view of nothing
		source = storage(0, input(0))
	}
	s := step{
		shader:   "pad.comp",
		defines:  append(defines, shaders.Int("DIMS", len(dims))),
		bind:     []binding{source, writes(1, output(0))},
		uniforms: []uniform{uints(0, u...), floats(60, op.Value)},
	}
	p.be.flat(&s, count)
	p.add(s)
	return nil
}

// odd reports whether a stride is no multiple of four.
func odd(dims []padDim) bool {
	for _, d := range dims {
		if d.stride%4 != 0 {
			return true
		}
	}
	return false
}

// joinedPads merges dims, innermost first, that have no padding and that one
// counter can run through. The first keep dims stay as they are.
func joinedPads(dims []padDim, keep int) []padDim {
	var r []padDim
	for _, d := range dims {
		if n := len(r); n > keep && !d.padded() {
			if in := &r[n-1]; !in.padded() && d.stride == in.size*in.stride {
				in.size *= d.size
				in.from = in.size
				continue
			}
		}
		r = append(r, d)
	}
	return r
}
