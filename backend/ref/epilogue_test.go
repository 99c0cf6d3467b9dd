package ref

import (
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// The steps apply in their order: a step that comes first changes what the next
// one sees. The sum of x·w + b is −6 in channel 0 and 3 in channel 1.
func TestEpilogueOrder(t *testing.T) {
	scale, shift := from(f32(2, 10), 2), from(f32(5, -1), 2)
	residual := []float32{4, 100}
	relu := backend.Step{Kind: backend.Activate, Act: backend.Act{Kind: backend.Relu}}
	clip := backend.Step{Kind: backend.Activate, Act: backend.Act{Kind: backend.Clip, Alpha: -3, Beta: 7}}
	ss := backend.Step{Kind: backend.ScaleShift}
	add := backend.Step{Kind: backend.Residual}
	for _, c := range []struct {
		name  string
		steps backend.Epilogue
		want  []float32
	}{
		{"none", nil, f32(-6, 3)},
		{"relu", backend.Epilogue{relu}, f32(0, 3)},
		{"scale", backend.Epilogue{ss}, f32(-7, 29)},
		{"scale, residual", backend.Epilogue{ss, add}, f32(-3, 129)},
		{"residual, scale", backend.Epilogue{add, ss}, f32(1, 1029)},
		{"scale, relu, residual", backend.Epilogue{ss, relu, add}, f32(4, 129)},
		{"clip, scale, clip", backend.Epilogue{clip, ss, clip}, f32(-1, 7)},
		{"twice", backend.Epilogue{add, relu, add, ss}, f32(13, 2029)},
	} {
		t.Run(c.name, func(t *testing.T) {
			operands := func(shape ...int) []*tensor.Tensor {
				var ops []*tensor.Tensor
				for _, s := range c.steps {
					switch s.Kind {
					case backend.ScaleShift:
						ops = append(ops, scale, shift)
					case backend.Residual:
						ops = append(ops, from(residual, shape...))
					}
				}
				return ops
			}
			w, b := f32(1, 2, 4, -1), from(f32(-3, -3), 2)
			x := f32(1, -2)
			in := []*tensor.Tensor{from(x, 1, 2, 1, 1), from(w, 2, 2, 1, 1), b}
			same(t, "conv", run(t, backend.Conv{Bias: true, Epilogue: c.steps}, append(in, operands(1, 2, 1, 1)...)...)[0], c.want)
			in = []*tensor.Tensor{from(x, 1, 2), from(w, 2, 2), b}
			same(t, "dense", run(t, backend.Dense{Bias: true, Epilogue: c.steps}, append(in, operands(1, 2)...)...)[0], c.want)
		})
	}
}

// Nothing is rounded between the sum and the store: 2²⁴ + 1 survives until 2²⁴ is
// taken away.
func TestEpilogueInFloat64(t *testing.T) {
	const big = 1 << 24
	x, w := from(f32(big, 1), 1, 2), from(f32(1, 1), 1, 2)
	r := from(f32(-big), 1, 1)
	got := run(t, backend.Dense{Epilogue: backend.Epilogue{{Kind: backend.Residual}}}, x, w, r)[0]
	same(t, "y", got, f32(1))
}
