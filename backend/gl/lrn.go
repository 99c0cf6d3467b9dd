//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
)

func lrnCandidates(op backend.LRN) []candidate {
	return []candidate{{"direct", func(p *plan) error { return planLRN(p, op) }}}
}

// planLRN runs through y in the order of memory, in any layout.
func planLRN(p *plan, op backend.LRN) error {
	if err := p.sameLayout(0); err != nil {
		return err
	}
	x := planes(p.in[0])
	stride, lanes := x.pixels, x.channels
	if x.last {
		stride, lanes = 1, x.lanes
	}
	count := x.images * lanes * x.pixels
	if count == 0 {
		return nil
	}
	ms, ss := divisor(stride)
	ml, sl := divisor(lanes)
	s := step{
		shader: "lrn.comp",
		bind:   []binding{reads(0, input(0), device.R32F), writes(1, output(0))},
		uniforms: []uniform{
			ints(0, count, x.channels, lanes, stride, (op.Size-1)/2, op.Size/2, ms, ss, ml, sl),
			floats(12, float32(float64(op.Alpha)/float64(op.Size)), op.K, op.Beta),
		},
	}
	p.be.flat(&s, count)
	p.add(s)
	return nil
}
