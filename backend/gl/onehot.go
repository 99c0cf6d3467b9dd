//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
)

func oneHotCandidates(op backend.OneHot) []candidate {
	return []candidate{{"compare", func(p *plan) error { return planOneHot(p, op) }}}
}

// planOneHot takes the plain layout.
func planOneHot(p *plan, op backend.OneHot) error {
	if err := p.allPlain(); err != nil {
		return err
	}
	y := p.out[0].Shape
	axis, err := backend.ResolveAxis(p.op, op.Axis, len(y))
	if err != nil || y.Size() == 0 {
		return err
	}
	inner := y[axis+1:].Size()
	mi, si := divisor(inner)
	md, sd := divisor(op.Depth)
	s := step{
		shader:   "onehot.comp",
		bind:     []binding{reads(0, input(0), device.R32I), writes(1, output(0))},
		uniforms: []uniform{uints(0, y.Size(), op.Depth, inner, mi, si, md, sd)},
	}
	p.be.flat(&s, y.Size())
	p.add(s)
	return nil
}
