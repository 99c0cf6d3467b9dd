//go:build cgo

package gl

import "github.com/convgl/convgl/backend"

func layerNormCandidates(op backend.LayerNorm) []candidate {
	return []candidate{{"blocks", func(p *plan) error { return planLayerNorm(p, op) }}}
}

// planLayerNorm takes plain slices, which are contiguous, and channels-last ones
// that do not reach over the batch.
func planLayerNorm(p *plan, op backend.LayerNorm) error {
	shape := p.in[0].Shape
	axis, err := backend.ResolveAxis(p.op, op.Axis, len(shape))
	if err != nil {
		return err
	}
	if in, out := &p.in[0], p.out[0]; axis == 0 && out.Layout.Order == backend.OrderAny {
		settle(in, backend.Plain)
	}
	if err := p.settleNorm(); err != nil {
		return err
	}
	n := normSlices{inners: 1, inner: 1, epsilon: op.Epsilon}
	x := planes(p.in[0])
	switch length := shape[axis:].Size(); {
	case liesPlain(p.in[0]):
		n.outers, n.outer = shape[:axis].Size(), length
		n.rows, n.width, n.step, n.paramStep = 1, length, 1, 1
	case axis == 0:
		return p.unsupported("x: layout %v: want %v for axis 0 (insert a Reorder)", p.in[0].Layout, backend.Plain)
	case axis == 1: // pixels, and the channels of each
		n.outers, n.outer = x.images, x.nStride
		n.rows, n.row, n.width, n.step = x.pixels, x.sStride, x.channels, 1
		n.paramRow, n.paramStep = 1, x.pixels
	default: // pixels of one channel
		n.outers, n.outer = x.images*shape[2:axis].Size(), length*x.sStride
		n.inners = x.channels
		n.rows, n.row, n.width, n.paramRow = length, x.sStride, 1, 1
	}
	if !liesPlain(p.in[0]) {
		n.pads = x.lanes - x.channels
	}
	p.addNorm(n)
	return nil
}
