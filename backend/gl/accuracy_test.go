//go:build cgo

package gl

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// errorULPs is the distance of got from want in units in the last place of a float32
// near want; infinite where only one is NaN or infinite. What is below 2⁻¹²⁶ may be 0.
func errorULPs(got float32, want float64) float64 {
	if near := float32(want); got != got || near != near || math.IsInf(float64(got), 0) || math.IsInf(float64(near), 0) {
		if got == near || got != got && near != near {
			return 0
		}
		return math.Inf(1)
	}
	exponent := -149
	if want != 0 {
		exponent = max(math.Ilogb(want), -126) - 23
	}
	off := math.Abs(float64(got) - want)
	if math.Abs(want) < 0x1p-126 {
		off = max(0, off-0x1p-126)
	}
	return off / math.Ldexp(1, exponent)
}

// Functions are as near to the true ones as the shaders say: of numbers of all
// magnitudes, and around where an argument is reduced to another multiple, a result
// is nearly 0, or two formulas meet.
func TestFunctionULPs(t *testing.T) {
	const n = 1 << 17
	r := rand.New(rand.NewPCG(1, 2))
	draw := func() float32 {
		switch r.IntN(6) {
		case 0:
			return float32(4 * r.NormFloat64())
		case 1: // near 1
			return float32(1 + r.NormFloat64()*math.Exp2(-24*r.Float64()))
		case 2: // near a multiple of π/2
			b := math.Float32bits(float32(float64(r.IntN(1<<r.IntN(31))) * math.Pi / 2))
			return math.Float32frombits(b + uint32(r.IntN(9)) - 4)
		case 3:
			return float32(2*r.Float64() - 1)
		}
		return math.Float32frombits(r.Uint32())
	}
	sample := func() float32 { // a denormal may be taken for 0
		for {
			if v := draw(); v == 0 || v != v || math.Abs(float64(v)) >= 0x1p-126 {
				return v
			}
		}
	}
	fill := func() *tensor.Tensor {
		x := tensor.Must(tensor.New(tensor.Float32, n))
		for i := range x.Float32s() {
			x.Float32s()[i] = sample()
		}
		return x
	}
	act := func(k backend.ActKind) backend.Op { return backend.Activation{Act: backend.Act{Kind: k}} }
	one := func(f func(float64) float64) func(a, _ float64) float64 {
		return func(a, _ float64) float64 { return f(a) }
	}
	families(t, func(t *testing.T, be *Backend) {
		for _, c := range []struct {
			name string
			op   backend.Op
			f    func(a, b float64) float64
			most float64
		}{
			{"log", act(backend.Log), one(math.Log), 1},
			{"erf", act(backend.Erf), one(math.Erf), 3},
			{"sin", act(backend.Sin), one(math.Sin), 3},
			{"cos", act(backend.Cos), one(math.Cos), 3},
			{"sqrt", act(backend.Sqrt), one(math.Sqrt), 4.5},
			{"reciprocal", act(backend.Reciprocal), one(func(x float64) float64 { return 1 / x }), 2.5},
			{"pow", backend.Binary{Fn: backend.Power}, math.Pow, 4}, // and more for large ones: see below
		} {
			in := []*tensor.Tensor{fill()}
			if _, ok := c.op.(backend.Binary); ok {
				b := fill()
				for i, v := range b.Float32s() { // into the range of float32
					if a := math.Abs(float64(in[0].Float32s()[i])); i%2 == 0 && a > 0 && a != 1 {
						b.Float32s()[i] = float32(88 * math.Tanh(float64(v)) / math.Log(a))
					} else if i%8 == 1 {
						b.Float32s()[i] = float32(r.IntN(64) - 32)
					}
				}
				in = append(in, b)
			}
			y, err := backend.RunDesc(bg, be, backend.DescOf(c.op, in...), in...)
			if err != nil {
				t.Fatal(err)
			}
			worst, at := 0.0, 0
			for i, v := range y[0].Float32s() {
				a, b := float64(in[0].Float32s()[i]), float64(in[len(in)-1].Float32s()[i])
				e := errorULPs(v, c.f(a, b))
				if l := math.Abs(math.Log(math.Abs(c.f(a, b)))); c.name == "pow" && l < 100 {
					e = max(0, e-l/32)
				}
				if e > worst {
					worst, at = e, i
				}
			}
			t.Logf("%s: %.3f ULP, of %v", c.name, worst, in[0].Float32s()[at])
			if worst > c.most {
				a, b := in[0].Float32s()[at], in[len(in)-1].Float32s()[at]
				t.Errorf("%s of %v, %v is %v, want %v: %.2f ULP, want at most %v", c.name, a, b, y[0].Float32s()[at], c.f(float64(a), float64(b)), worst, c.most)
			}
		}
	})
}
