//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
)

func reorderCandidates() []candidate { return []candidate{{"gather", planReorder}} }

// planReorder sees both sides as images n, channels c and pixels s, which all
// layouts place by three strides. The output is written in the order of memory.
func planReorder(p *plan) error {
	in, out := &p.in[0], &p.out[0]
	if in.Layout.Order == backend.OrderAny {
		in.Layout = preferred(*in)
	}
	if out.Layout.Order == backend.OrderAny {
		out.Layout = preferred(*out)
	}
	if out.Shape.Size() == 0 {
		return nil
	}
	p.reorder(*in, *out, reads(0, input(0), device.R32UI), writes(1, output(0)))
	return nil
}

// reorder adds the dispatch that copies from one layout to another.
func (p *plan) reorder(in, out backend.TensorDesc, from, to binding) {
	elems := int(out.Bytes() / 4)
	x, y := planes(in), planes(out)
	// The dims of y in memory, innermost last; x strides along them.
	mid, inner, valid := y.channels, y.pixels, y.pixels
	xMid, xInner := x.cStride, x.sStride
	if y.last {
		mid, inner, valid = y.pixels, y.lanes, y.channels
		xMid, xInner = x.sStride, x.cStride
	}
	width := 1
	if inner%4 == 0 {
		width = 4
	}
	mi, si := divisor(inner / width)
	mm, sm := divisor(mid)
	s := step{
		shader:  "reorder.comp",
		defines: []shaders.Define{shaders.Int("WIDTH", width)},
		bind:    []binding{from, to},
		uniforms: []uniform{uints(0,
			elems/width, inner/width, mid, mi, si, mm, sm,
			valid, x.nStride, xMid, xInner)},
	}
	p.be.flat(&s, elems/width)
	p.add(s)
}

// plane is a tensor as images, channels and pixels.
type plane struct {
	images, channels, lanes, pixels int
	last                            bool // channels are innermost
	nStride, cStride, sStride       int
}

func planes(t backend.TensorDesc) plane {
	if len(t.Shape) < 2 {
		n := t.Shape.Size()
		return plane{images: 1, channels: 1, lanes: 1, pixels: n, nStride: n, cStride: n, sStride: 1}
	}
	pl := plane{images: t.Shape[0], channels: t.Shape[1], pixels: t.Shape[2:].Size()}
	pl.lanes = pl.channels
	pl.last = t.Layout.Order == backend.OrderChannelsLast
	if pl.last {
		_, pl.lanes = padding(t)
		if t.Layout.Pad <= 1 {
			pl.lanes = pl.channels
		}
		pl.nStride, pl.cStride, pl.sStride = pl.pixels*pl.lanes, 1, pl.lanes
	} else {
		pl.nStride, pl.cStride, pl.sStride = pl.pixels*pl.channels, pl.pixels, 1
	}
	return pl
}
