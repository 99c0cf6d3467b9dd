//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
)

func resampleCandidates(op backend.Resample) []candidate {
	return []candidate{{"taps", func(p *plan) error { return planResample(p, op) }}}
}

// planResample takes the plain layout.
func planResample(p *plan, op backend.Resample) error {
	if err := p.allPlain(); err != nil {
		return err
	}
	x, y := p.in[0], p.out[0]
	axis, err := backend.ResolveAxis("Resample", op.Axis, len(x.Shape))
	if err != nil || y.Shape.Size() == 0 {
		return err
	}
	inner, vec := x.Shape[axis+1:].Size(), 1
	if inner%4 == 0 {
		vec = 4
	}
	inner /= vec
	m, terms := p.in[1].Shape[0], p.in[1].Shape[1]
	count := y.Shape.Size() / vec
	mi, si := divisor(inner)
	mm, sm := divisor(m)
	s := step{
		shader:   "resample.comp",
		defines:  []shaders.Define{shaders.Int("VEC", vec)},
		bind:     []binding{p.readsAny(0, 0, texelOf(vec)), p.readsAny(2, 1, device.R32I), p.readsAny(3, 2, device.R32F), writes(1, output(0))},
		uniforms: []uniform{uints(0, count, x.Shape[axis], m, inner, terms, mi, si, mm, sm)},
	}
	p.be.flat(&s, count)
	p.add(s)
	return nil
}
