//go:build cgo

package gl

import (
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
	"github.com/convgl/convgl/tensor"
)

func gatherCandidates(op backend.Gather) []candidate {
	return []candidate{{"indexed", func(p *plan) error { return planGather(p, op) }}}
}

// planGather takes the plain layout.
func planGather(p *plan, op backend.Gather) error {
	if err := p.allPlain(); err != nil {
		return err
	}
	x, index, y := p.in[0], p.in[1], p.out[0]
	axis, err := backend.ResolveAxis("Gather", op.Axis, len(x.Shape))
	if err != nil || y.Shape.Size() == 0 {
		return err
	}
	n, inner, indices := x.Shape[axis], x.Shape[axis+1:].Size(), index.Shape.Size()
	none := int(math.Float32bits(float32(math.NaN())))
	if x.DType == tensor.Int32 {
		none = 1 << 31
	}
	vec, words := 1, device.R32UI
	if inner%4 == 0 {
		vec, words = 4, device.RGBA32I
	}
	inner /= vec
	count := y.Shape.Size() / vec
	mi, si := divisor(inner)
	mc, sc := divisor(indices)
	s := step{
		shader:   "gather.comp",
		defines:  []shaders.Define{shaders.Int("VEC", vec)},
		bind:     []binding{p.readsAny(0, 0, words), p.readsAny(2, 1, device.R32I), writes(1, output(0))},
		uniforms: []uniform{uints(0, count, none, n, inner, indices, mi, si, mc, sc)},
	}
	p.be.flat(&s, count)
	p.add(s)
	return nil
}

// allPlain settles all layouts on plain.
func (p *plan) allPlain() error {
	in, out := p.desc.Op.Args()
	for i := range p.in {
		if err := p.mustBePlain(&p.in[i], in[i].Name); err != nil {
			return err
		}
	}
	for i := range p.out {
		if err := p.mustBePlain(&p.out[i], out[i].Name); err != nil {
			return err
		}
	}
	return nil
}

// readsAny binds input i, which may be empty: then a few words stand for it, since
// no range of no bytes can be bound. The shader must not read them.
func (p *plan) readsAny(slot, i int, f device.Texel) binding {
	if p.in[i].Shape.Size() == 0 {
		return p.table(slot, f, make([]uint32, 4))
	}
	return reads(slot, input(i), f)
}
