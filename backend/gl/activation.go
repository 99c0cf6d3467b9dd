//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
)

// actDefine is the value of ACT in lib/activation.glsl.
var actDefine = map[backend.ActKind]int{
	backend.Relu:      1,
	backend.LeakyRelu: 2,
	backend.Clip:      3,
	backend.Sigmoid:   4,
	backend.Tanh:      5,
}

func activationCandidates(op backend.Activation) []candidate {
	return []candidate{{"elementwise", func(p *plan) error { return planActivation(p, op) }}}
}

// planActivation gives the elements in memory, padding included, to one dispatch:
// any layout does when input and output have the same one.
func planActivation(p *plan, op backend.Activation) error {
	if err := p.sameLayout(0); err != nil {
		return err
	}
	p.inPlace = []int{0}
	elems := int(p.out[0].Bytes() / 4)
	s := step{
		shader:  "activation.comp",
		defines: []shaders.Define{shaders.Int("ACT", actDefine[op.Act.Kind])},
		bind:    []binding{reads(0, input(0), device.R32F), writes(1, output(0))},
	}
	width, n := 1, elems
	if elems%4 == 0 {
		width, n = 4, elems/4
		s.bind[0].texel = device.RGBA32F
	}
	s.defines = append(s.defines, shaders.Int("WIDTH", width))
	channels, lanes := padding(p.out[0])
	if channels != lanes {
		s.defines = append(s.defines, shaders.Define{Name: "MASK"})
	}
	s.uniforms = []uniform{ints(0, n, channels, lanes), floats(3, op.Alpha, op.Beta)}
	p.be.flat(&s, n)
	p.add(s)
	return nil
}
