//go:build cgo

package gl

import (
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/shaders"
)

// softmaxWhole is the longest slice that one invocation takes alone. The choice
// looks at the slice only, so that a batch changes no result.
const softmaxWhole = 256

func softmaxCandidates(op backend.Softmax) []candidate {
	return []candidate{{"blocks", func(p *plan) error { return planSoftmax(p, op) }}}
}

// planSoftmax adds one dispatch for short slices, and for long ones two: one that
// finds maximum and sum of each block, one that joins them and writes.
func planSoftmax(p *plan, op backend.Softmax) error {
	axis, err := backend.ResolveAxis(p.op, op.Axis, len(p.in[0].Shape))
	if err != nil {
		return err
	}
	if err := p.sameLayout(0); err != nil {
		return err
	}
	t := p.out[0]
	if t.Shape.Size() == 0 {
		return nil
	}
	phys := t.Layout.PhysicalShape(t.Shape)
	pos := memoryDim(t, axis)
	length, extent, inner := t.Shape[axis], phys[pos], phys[pos+1:].Size()
	slices := phys.Size() / extent
	channels, lanes := padding(t)
	var defines []shaders.Define
	if op.Log {
		defines = append(defines, shaders.Define{Name: "LOG"})
	}
	if channels != lanes && pos != len(phys)-1 {
		defines = append(defines, shaders.Define{Name: "MASK"})
	}
	block, blocks := length, 1
	if length > softmaxWhole {
		block = max(64, int(math.Ceil(math.Sqrt(float64(length)))))
		blocks = ceilDiv(length, block)
	}
	count := slices * blocks
	add := func(phase string, bind ...binding) {
		s := step{
			shader:   "softmax.comp",
			defines:  append([]shaders.Define{}, defines...),
			bind:     append(bind, storage(0, input(0))),
			uniforms: []uniform{ints(0, count, length, extent, inner, block, blocks, channels, lanes)},
		}
		if phase != "" {
			s.defines = append(s.defines, shaders.Define{Name: phase})
		}
		p.be.flat(&s, count)
		p.add(s)
	}
	if blocks == 1 {
		add("", writes(1, output(0)))
		return nil
	}
	bytes := int64(count) * 8
	off := p.scratch(bytes)
	add("PARTIAL", writes(2, workspace).part(off, bytes))
	add("FINISH", writes(1, output(0)), storage(2, workspace).part(off, bytes))
	return nil
}
