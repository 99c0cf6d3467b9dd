//go:build cgo

package gl

import (
	"fmt"
	"strings"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
)

const (
	samplerAt = 64 // location of the sampler of texture unit 0
	epiAt     = 40 // location of the constants of lib/epilogue.glsl
)

// epilogue is a list of steps for lib/epilogue.glsl.
type epilogue struct {
	steps            []string
	vectors, tensors []int // inputs
	constants        []float32
}

// newEpilogue lists bias and steps; operands follow from input next on.
func newEpilogue(bias bool, e backend.Epilogue, next int) epilogue {
	var r epilogue
	add := func(format string, args ...any) { r.steps = append(r.steps, fmt.Sprintf(format, args...)) }
	if bias {
		add("EPI_BIAS(0)")
		r.vectors = append(r.vectors, next)
		next++
	}
	for _, s := range e {
		switch s.Kind {
		case backend.ScaleShift:
			add("EPI_SCALE(%d)", len(r.vectors))
			r.vectors = append(r.vectors, next, next+1)
			next += 2
		case backend.Residual:
			add("EPI_RESIDUAL(%d)", len(r.tensors))
			r.tensors = append(r.tensors, next)
			next++
		case backend.Activate:
			r.activate(add, s.Act)
		}
	}
	return r
}

func (r *epilogue) activate(add func(string, ...any), a backend.Act) {
	f := actFunctions[a.Kind]
	switch f.constants {
	case 0:
		add("EPI_ACT(%s)", f.name)
	case 1:
		add("EPI_ACT1(%s, %d)", f.name, len(r.constants))
	case 2:
		add("EPI_ACT2(%s, %d)", f.name, len(r.constants))
	}
	r.constants = append(r.constants, []float32{a.Alpha, a.Beta}[:f.constants]...)
}

// put adds the epilogue to a step for a y of that many channels. Operands take the
// slots from slot on, as texel views if view, else as storage buffers. Wide says
// that results come in aligned vec4s of channels, masked that y has padded lanes.
func (r *epilogue) put(s *step, slot int, view, wide, masked bool) {
	s.defines = append(s.defines,
		shaders.Define{Name: "EPILOGUE", Value: strings.Join(r.steps, " ")},
		shaders.Int("EPI_VECTORS", len(r.vectors)),
		shaders.Int("EPI_TENSORS", len(r.tensors)),
		shaders.Int("EPI_CONSTANTS", len(r.constants)))
	texel := device.R32F
	if wide {
		s.defines = append(s.defines, shaders.Define{Name: "EPI_WIDE"})
		texel = device.RGBA32F
	}
	if masked {
		s.defines = append(s.defines, shaders.Define{Name: "MASK"})
	}
	bind := func(first string, inputs []int) {
		if len(inputs) == 0 {
			return
		}
		s.defines = append(s.defines, shaders.Int(first+"SLOT", slot), shaders.Int(first+"LOC", samplerAt+slot))
		for _, i := range inputs {
			if view {
				s.bind = append(s.bind, texels(slot, input(i), texel))
			} else {
				s.bind = append(s.bind, storage(slot, input(i)))
			}
			slot++
		}
	}
	bind("EPI_", r.vectors)
	bind("EPI_TENSOR_", r.tensors)
	if len(r.constants) > 0 {
		s.uniforms = append(s.uniforms, floats(epiAt, r.constants...))
	}
}
