//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
)

// actFunction is a function of lib/activation.glsl: its name and how many of alpha
// and beta it takes.
type actFunction struct {
	name      string
	constants int
}

var actFunctions = map[backend.ActKind]actFunction{
	backend.Relu:            {"act_relu", 0},
	backend.LeakyRelu:       {"act_leaky_relu", 1},
	backend.Clip:            {"act_clip", 2},
	backend.Sigmoid:         {"act_sigmoid", 0},
	backend.Tanh:            {"act_tanh", 0},
	backend.Elu:             {"act_elu", 1},
	backend.Selu:            {"act_selu", 0},
	backend.Celu:            {"act_celu", 1},
	backend.HardSigmoid:     {"act_hard_sigmoid", 2},
	backend.Softplus:        {"act_softplus", 0},
	backend.Softsign:        {"act_softsign", 0},
	backend.Silu:            {"act_silu", 0},
	backend.HardSwish:       {"act_hard_swish", 0},
	backend.Mish:            {"act_mish", 0},
	backend.Gelu:            {"act_gelu", 0},
	backend.GeluTanh:        {"act_gelu_tanh", 0},
	backend.Exp:             {"act_exp", 0},
	backend.Abs:             {"act_abs", 0},
	backend.Neg:             {"act_neg", 0},
	backend.Ceil:            {"act_ceil", 0},
	backend.Floor:           {"act_floor", 0},
	backend.Round:           {"act_round", 0},
	backend.Sign:            {"act_sign", 0},
	backend.Sqrt:            {"act_sqrt", 0},
	backend.Reciprocal:      {"act_reciprocal", 0},
	backend.Log:             {"act_log", 0},
	backend.Erf:             {"act_erf", 0},
	backend.ThresholdedRelu: {"act_thresholded_relu", 1},
	backend.Sin:             {"act_sin", 0},
	backend.Cos:             {"act_cos", 0},
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
	f := actFunctions[op.Act.Kind]
	s := step{
		shader:  "activation.comp",
		defines: []shaders.Define{{Name: "ACT", Value: f.name}, shaders.Int("ACT_ARGS", f.constants)},
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
