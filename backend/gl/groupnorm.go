//go:build cgo

package gl

import "github.com/convgl/convgl/backend"

func groupNormCandidates(op backend.GroupNorm) []candidate {
	return []candidate{{"blocks", func(p *plan) error { return planGroupNorm(p, op.Groups, op.Epsilon) }}}
}

func instanceNormCandidates(op backend.InstanceNorm) []candidate {
	return []candidate{{"blocks", func(p *plan) error { return planGroupNorm(p, p.in[0].Shape[1], op.Epsilon) }}}
}

// planGroupNorm takes any layout. A slice is a group of an image's channels.
func planGroupNorm(p *plan, groups int, epsilon float32) error {
	if err := p.settleNorm(); err != nil {
		return err
	}
	x := planes(p.in[0])
	if groups == 0 {
		return nil
	}
	width := x.channels / groups
	n := normSlices{outers: x.images, outer: x.nStride, inners: groups, inner: width * x.cStride, paramInner: width, epsilon: epsilon}
	if x.last {
		n.rows, n.row, n.width, n.step, n.paramStep = x.pixels, x.sStride, width, 1, 1
		n.pads = x.lanes - x.channels
	} else {
		n.rows, n.row, n.width, n.step, n.paramRow = width, x.cStride, x.pixels, 1, 1
	}
	p.addNorm(n)
	return nil
}
