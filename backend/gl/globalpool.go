//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
)

// poolBlock is how many pixels one invocation of a global pooling takes.
const poolBlock = 128

func globalPoolCandidates(op backend.GlobalPool) []candidate {
	return []candidate{{"tree", func(p *plan) error { return planGlobalPool(p, op) }}}
}

// planGlobalPool adds one dispatch for each level of the tree. What a level gives
// lies in the workspace, but for the last.
func planGlobalPool(p *plan, op backend.GlobalPool) error {
	if err := p.mustSettle(&p.in[0], "x", backend.ChannelsLast4); err != nil {
		return err
	}
	if err := p.mustSettle(&p.out[0], "y", backend.ChannelsLast4); err != nil {
		return err
	}
	shape := p.in[0].Shape
	images, c4, pixels := shape[0], ceilDiv(shape[1], 4), shape[2:].Size()
	defines := []shaders.Define{shaders.Int("BLOCK", poolBlock)}
	if op.Mean {
		defines = append(defines, shaders.Define{Name: "MEAN"})
	}
	from := reads(0, input(0), device.RGBA32F)
	for items, last := pixels, false; !last; {
		blocks := ceilDiv(items, poolBlock)
		last = blocks == 1
		to, divisor := writes(1, output(0)), float32(pixels)
		next := from
		if !last {
			bytes := int64(images) * int64(blocks) * int64(c4) * 16
			off := p.scratch(bytes)
			to, divisor = writes(1, workspace).part(off, bytes), 1
			next = reads(0, workspace, device.RGBA32F).part(off, bytes)
		}
		count := images * blocks * c4
		s := step{
			shader:   "globalpool.comp",
			defines:  defines,
			bind:     []binding{from, to},
			uniforms: []uniform{ints(0, count, c4, items, blocks), floats(4, divisor)},
		}
		p.be.flat(&s, count)
		p.add(s)
		from, items = next, blocks
	}
	return nil
}
