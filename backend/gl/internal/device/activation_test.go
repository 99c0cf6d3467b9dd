//go:build cgo

package device

import (
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"testing"
	"testing/fstest"

	"github.com/convgl/convgl/shaders"
)

const actKernel = `
#include "lib/activation.glsl"
layout(local_size_x = 64) in;
layout(std430, binding = 0) readonly buffer X { float x[]; };
layout(std430, binding = 1) writeonly buffer Y { float y[]; };
layout(location = 0) uniform uint count;
layout(location = 1) uniform uint row;
layout(location = 2) uniform float a;
layout(location = 3) uniform float b;
void main() {
    uint i = gl_GlobalInvocationID.y * row + gl_GlobalInvocationID.x;
    if (gl_GlobalInvocationID.x < row && i < count)
        y[i] = act_apply(x[i], a, b);
}`

// expandOver expands a test's kernel over the shipped snippets.
func expandOver(name, text string, defines ...shaders.Define) (shaders.Source, error) {
	m := fstest.MapFS{name: {Data: []byte(text)}}
	libs, err := fs.Glob(shaders.FS(), "lib/*.glsl")
	if err != nil {
		return shaders.Source{}, err
	}
	for _, l := range libs {
		b, err := fs.ReadFile(shaders.FS(), l)
		if err != nil {
			return shaders.Source{}, err
		}
		m[l] = &fstest.MapFile{Data: b}
	}
	return shaders.ExpandFS(m, name, defines...)
}

// activate runs a function of lib/activation.glsl, with the constants c, over x on
// the device.
func activate(t *testing.T, d *Device, function string, x []float32, c ...float32) []float32 {
	t.Helper()
	n := len(x)
	s, err := expandOver("act_test.comp", actKernel, shaders.Define{Name: "ACT", Value: function}, shaders.Int("ACT_ARGS", len(c)))
	must(t, err)
	c = append(c, 0, 0)
	p, err := d.Compile(bg, s)
	must(t, err)
	in, out := alloc(t, d, int64(4*n)), alloc(t, d, int64(4*n))
	must(t, d.Write(bg, in.All(), toBytes(x)))
	const row = 64 * 1000
	must(t, d.Do(func(t *Thread) error {
		t.Access(Access{in.All(), ReadStorage}, Access{out.All(), WriteStorage})
		t.Use(p)
		t.Uints(0, uint32(n))
		t.Uints(1, row)
		t.Floats(2, c[0])
		t.Floats(3, c[1])
		return errors.Join(t.BindStorage(0, in.All()), t.BindStorage(1, out.All()), t.Dispatch(p, row/64, (n+row-1)/row, 1))
	}))
	got := make([]byte, 4*n)
	must(t, d.Read(bg, got, out.All()))
	return floats(got)
}

// ulps is the distance in units in the last place of the float32 nearest want.
func ulps(got float32, want float64) float64 {
	w := float32(want)
	if got == w && math.IsInf(float64(w), 0) {
		return 0
	}
	return math.Abs(float64(got)-want) / spacing(w)
}

func spacing(w float32) float64 {
	a := math.Abs(float64(w))
	a = min(max(a, 0x1p-126), math.MaxFloat32)
	_, e := math.Frexp(a)
	return math.Ldexp(1, e-24)
}

// inputs covers every exponent, both signs, dense ranges where the functions bend,
// and the seams of the approximations.
func inputs() []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	var x []float32
	for e := -126; e < 128; e++ {
		for range 400 {
			v := float32(math.Ldexp(1+r.Float64(), e))
			x = append(x, v, -v)
		}
	}
	for range 400000 {
		x = append(x, float32(r.Float64()*40-20))
	}
	for range 200000 {
		x = append(x, float32(r.Float64()*4-2), float32(r.Float64()*210-105))
	}
	for _, seam := range []float32{0.625, 0.34657359, 1, 8.5, 9.01, 9.02, 16.6, 17.4, 20, 40, 87.33655, 88, 88.72283, 88.73, 89, 103.9, 104} {
		lo, hi := seam, seam
		for range 100 {
			x = append(x, lo, hi, -lo, -hi)
			lo, hi = math.Nextafter32(lo, 0), math.Nextafter32(hi, 1e9)
		}
	}
	for len(x)%4 != 0 {
		x = append(x, 1)
	}
	return x
}

// TestActivationULP measures against float64 and prints the table. Inputs and
// results that are subnormal may be flushed and are not judged in ULP, but must be
// as near to the true value as zero is; slack is what a function adds, in ULP, at v.
func TestActivationULP(t *testing.T) {
	d := open(t, Options{})
	softplus := func(v float64) float64 { return max(v, 0) + math.Log1p(math.Exp(-math.Abs(v))) }
	elu := func(slope, scale, width float64) func(float64) float64 {
		return func(v float64) float64 {
			if v < 0 {
				return scale * math.Expm1(v/width)
			}
			return slope * v
		}
	}
	square := func(v float64) float64 { return v * v / 2 }
	tanhArgument := func(v float64) float64 { return math.Sqrt(8/math.Pi) * (v + 0.044715*v*v*v) }
	const lambda, alpha = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
	x := inputs()
	for _, c := range []struct {
		name      string
		constants []float32
		f         func(float64) float64
		bound     float64
		slack     func(float64) float64 // for negative arguments
	}{
		{"exp", nil, math.Exp, 2, nil},
		{"sigmoid", nil, sigmoid, 3, nil},
		{"tanh", nil, math.Tanh, 3, nil},
		{"elu", []float32{1}, elu(1, 1, 1), 3, nil},
		{"elu", []float32{-2.5}, elu(1, -2.5, 1), 3, nil},
		{"selu", nil, elu(lambda, lambda*alpha, 1), 3, nil},
		{"celu", []float32{1.5}, elu(1, 1.5, 1.5), 6, nil},
		{"celu", []float32{0x1p-120}, elu(1, 0x1p-120, 0x1p-120), 6, nil},
		{"celu", []float32{0x1p127}, elu(1, 0x1p127, 0x1p127), 6, nil},
		{"softplus", nil, softplus, 3, nil},
		{"softsign", nil, func(v float64) float64 { return v / (1 + math.Abs(v)) }, 3, nil},
		{"silu", nil, func(v float64) float64 { return v * sigmoid(v) }, 4, nil},
		{"hard_swish", nil, func(v float64) float64 { return v * min(max(v+3, 0), 6) / 6 }, 3, nil},
		{"mish", nil, func(v float64) float64 { return v * math.Tanh(softplus(v)) }, 5, nil},
		{"gelu", nil, func(v float64) float64 { return v * math.Erfc(-v/math.Sqrt2) / 2 }, 6, square},
		{"gelu_tanh", nil, func(v float64) float64 { return v * sigmoid(tanhArgument(v)) }, 5, func(v float64) float64 { return 3 * math.Abs(tanhArgument(v)) }},
	} {
		y := activate(t, d, "act_"+c.name, x, c.constants...)
		worst, at, sum, judged := 0.0, float32(0), 0.0, 0
		for i, v := range x {
			want := c.f(float64(v))
			// A factor that is flushed takes that much from a product.
			if lost := 0x1p-126 * (1 + min(math.Abs(float64(v)), 104)); math.Abs(want) < lost {
				if math.Abs(float64(y[i])-want) > lost {
					t.Errorf("%s(%v): got %v, want %v", c.name, v, y[i], want)
				}
				continue
			}
			u := ulps(y[i], want)
			if c.slack != nil && v < 0 {
				u = max(0, u-c.slack(float64(v)))
			}
			sum += u
			judged++
			if u > worst || math.IsNaN(u) {
				worst, at = u, v
			}
		}
		t.Logf("%-10s%v: worst %.2f ULP at %v, mean %.3f, %d values", c.name, c.constants, worst, at, sum/float64(judged), judged)
		if !(worst <= c.bound) {
			t.Errorf("%s%v: got %.3g ULP at %v, want at most %v", c.name, c.constants, worst, at, c.bound)
		}
	}
}

func sigmoid(v float64) float64 {
	if v < 0 {
		e := math.Exp(v)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-v))
}

// Special values and the exact functions.
func TestActivationSpecial(t *testing.T) {
	d := open(t, Options{})
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	payload := math.Float32frombits(0xffc12345)
	x := []float32{nan, payload, math.Float32frombits(0x7f800001), inf, -inf, 0, float32(math.Copysign(0, -1)), 1, -1, 2.5, -2.5, 3e38, -3e38, 1e-30, -1e-30, 0.625}
	for _, c := range []struct {
		name      string
		constants []float32
		f         func(v float32) float32
	}{
		{"relu", nil, func(v float32) float32 { return max(v, 0) }},
		{"leaky_relu", []float32{0.25}, func(v float32) float32 {
			if v < 0 {
				return v * 0.25
			}
			return v
		}},
		{"clip", []float32{0, 6}, func(v float32) float32 { return min(max(v, 0), 6) }},
		{"clip", []float32{-2, 0.5}, func(v float32) float32 { return min(max(v, -2), 0.5) }},
		{"clip", []float32{-inf, inf}, func(v float32) float32 { return v }},
		{"hard_sigmoid", []float32{0.25, 0.5}, func(v float32) float32 { return min(max(0.25*v+0.5, 0), 1) }},
		{"hard_sigmoid", []float32{-0.25, 0.5}, func(v float32) float32 { return min(max(-0.25*v+0.5, 0), 1) }},
		{"hard_sigmoid", []float32{0x1p-126, 0.5}, func(v float32) float32 { return min(max(0x1p-126*v+0.5, 0), 1) }},
	} {
		y := activate(t, d, "act_"+c.name, x, c.constants...)
		for i, v := range x {
			want := c.f(v)
			if v != v {
				if y[i] == y[i] {
					t.Errorf("%s(NaN %#x): got %v, want NaN", c.name, math.Float32bits(v), y[i])
				}
			} else if y[i] != want {
				t.Errorf("%s%v(%v): got %v, want %v", c.name, c.constants, v, y[i], want)
			}
		}
	}
	zero := float32(math.Copysign(0, -1))
	for _, c := range []struct {
		name                  string
		constants             []float32
		plus, minus, zero     float32
		hugePlus, hugeMinus   float32
		hugeArgument, oddZero float32
	}{
		{"sigmoid", nil, 1, 0, 0.5, 1, 0, 200, 0.5},
		{"tanh", nil, 1, -1, 0, 1, -1, 30, zero},
		{"exp", nil, inf, 0, 1, inf, 0, 300, 1},
		{"elu", []float32{2}, inf, -2, 0, 1e9, -2, 1e9, zero},
		{"selu", nil, inf, -1.7580993, 0, 1.050701e9, -1.7580993, 1e9, zero},
		{"celu", []float32{2}, inf, -2, 0, 1e9, -2, 1e9, zero},
		{"softplus", nil, inf, 0, 0.6931472, 1e9, 0, 1e9, 0.6931472},
		{"softsign", nil, 1, -1, 0, 1, -1, 1e30, zero},
		{"silu", nil, inf, 0, 0, 1e9, 0, 1e9, zero},
		{"hard_swish", nil, inf, 0, 0, 1e9, 0, 1e9, zero},
		{"mish", nil, inf, 0, 0, 1e9, 0, 1e9, zero},
		{"gelu", nil, inf, 0, 0, 1e30, 0, 1e30, zero},
		{"gelu_tanh", nil, inf, 0, 0, 1e30, 0, 1e30, zero},
	} {
		in := []float32{nan, payload, inf, -inf, 0, zero, c.hugeArgument, -c.hugeArgument}
		y := activate(t, d, "act_"+c.name, in, c.constants...)
		if y[0] == y[0] || y[1] == y[1] {
			t.Errorf("%s(NaN): got %v, %v", c.name, y[0], y[1])
		}
		for i, want := range []float32{c.plus, c.minus, c.zero, c.oddZero, c.hugePlus, c.hugeMinus} {
			if math.Float32bits(y[i+2]) != math.Float32bits(want) {
				t.Errorf("%s(%v): got %v, want %v", c.name, in[i+2], y[i+2], want)
			}
		}
	}
}
