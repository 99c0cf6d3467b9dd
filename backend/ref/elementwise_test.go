package ref

import (
	"math"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

func TestActivation(t *testing.T) {
	x := f32(-inf, -2, -0.5, 0, 0.5, 2, inf, nan)
	f := func(fn func(float64) float64) []float32 {
		y := make([]float32, len(x))
		for i, v := range x {
			y[i] = float32(fn(float64(v)))
		}
		return y
	}
	for _, c := range []struct {
		act  backend.Act
		want []float32
	}{
		{backend.Act{Kind: backend.Relu}, f32(0, 0, 0, 0, 0.5, 2, inf, nan)},
		{backend.Act{Kind: backend.LeakyRelu, Alpha: 0.25}, f32(-inf, -0.5, -0.125, 0, 0.5, 2, inf, nan)},
		{backend.Act{Kind: backend.Clip, Alpha: -1, Beta: 1}, f32(-1, -1, -0.5, 0, 0.5, 1, 1, nan)},
		{backend.Act{Kind: backend.Sigmoid}, f(func(x float64) float64 { return (1 + math.Tanh(x/2)) / 2 })},
		{backend.Act{Kind: backend.Tanh}, f(func(x float64) float64 { return 1 - 2/(math.Exp(2*x)+1) })},
		// Values of the closed forms to 10 digits.
		{backend.Act{Kind: backend.Elu, Alpha: 2}, f32(-2, -1.7293294335, -0.7869386806, 0, 0.5, 2, inf, nan)},
		{backend.Act{Kind: backend.Selu}, f32(-1.7580993408, -1.5201664686, -0.6917581878, 0, 0.5253504937, 2.1014019747, inf, nan)},
		{backend.Act{Kind: backend.Celu, Alpha: 2}, f32(-2, -1.2642411177, -0.4423984339, 0, 0.5, 2, inf, nan)},
		{backend.Act{Kind: backend.HardSigmoid, Alpha: 0.25, Beta: 0.5}, f32(0, 0, 0.375, 0.5, 0.625, 1, 1, nan)},
		{backend.Act{Kind: backend.HardSigmoid, Alpha: -0.5, Beta: 0.25}, f32(1, 1, 0.5, 0.25, 0, 0, 0, nan)},
		{backend.Act{Kind: backend.Softplus}, f32(0, 0.1269280110, 0.4740769842, 0.6931471806, 0.9740769842, 2.1269280110, inf, nan)},
		{backend.Act{Kind: backend.Softsign}, f32(-1, -2./3, -1./3, 0, 1./3, 2./3, 1, nan)},
		{backend.Act{Kind: backend.Silu}, f32(0, -0.2384058440, -0.1887703344, 0, 0.3112296656, 1.7615941560, inf, nan)},
		{backend.Act{Kind: backend.HardSwish}, f32(0, -1./3, -1.25/6, 0, 1.75/6, 5./3, inf, nan)},
		{backend.Act{Kind: backend.Mish}, f32(0, -0.2525014827, -0.2207437747, 0, 0.3752452113, 1.9439589595, inf, nan)},
		{backend.Act{Kind: backend.Gelu}, f32(0, -0.0455002639, -0.1542687694, 0, 0.3457312306, 1.9544997361, inf, nan)},
		{backend.Act{Kind: backend.GeluTanh}, f32(0, -0.0454023059, -0.1542859902, 0, 0.3457140098, 1.9545976941, inf, nan)},
		{backend.Act{Kind: backend.Exp}, f32(0, 0.1353352832, 0.6065306597, 1, 1.6487212707, 7.3890560989, inf, nan)},
	} {
		t.Run(c.act.Kind.String(), func(t *testing.T) {
			near(t, "y", run(t, backend.Activation{Act: c.act}, from(x, 2, 4))[0], c.want, ulp, 0)
		})
	}
}

func TestBinary(t *testing.T) {
	column, row := from(f32(1, 2), 2, 1), from(f32(4, 5, 6), 3)
	for _, c := range []struct {
		fn   backend.BinaryKind
		a, b *tensor.Tensor
		want []float32
	}{
		{backend.Add, column, row, f32(5, 6, 7, 6, 7, 8)},
		{backend.Sub, column, row, f32(-3, -4, -5, -2, -3, -4)},
		{backend.Sub, row, column, f32(3, 4, 5, 2, 3, 4)},
		{backend.Mul, column, row, f32(4, 5, 6, 8, 10, 12)},
		{backend.Div, from(f32(1, -1, 0, nan, inf), 5), from(f32(0, 0, 0, 1, inf), 5), f32(inf, -inf, nan, nan, nan)},
		{backend.PRelu, from(f32(-2, 0, 3, nan, -inf, inf), 2, 3), from(f32(0.5, 7, nan), 3), f32(-1, 0, 3, nan, -inf, inf)},
		{backend.PRelu, from(f32(-1, -1, -1), 3), from(f32(nan, inf, -2), 3), f32(nan, -inf, 2)},
		{backend.Add, from(f32(2), []int{}...), row, f32(6, 7, 8)},
	} {
		t.Run(c.fn.String(), func(t *testing.T) { same(t, "y", run(t, backend.Binary{Fn: c.fn}, c.a, c.b)[0], c.want) })
	}
}

func TestBatchNorm(t *testing.T) {
	x := from(f32(1, 3, 10, 20, 5, 7, 30, 40), 2, 2, 2)
	got := run(t, backend.BatchNorm{Epsilon: 1}, x, from(f32(2, 10), 2), from(f32(0, 1), 2), from(f32(1, 10), 2), from(f32(3, 0), 2))[0]
	same(t, "y", got, f32(0, 2, 1, 101, 4, 6, 201, 301))
	// x − mean is small beside both: float32 would lose it.
	got = run(t, backend.BatchNorm{}, from(f32(1e7+1), 1, 1), from(f32(1), 1), from(f32(0), 1), from(f32(1e7), 1), from(f32(4), 1))[0]
	same(t, "y", got, f32(0.5))
}

func TestSoftmax(t *testing.T) {
	ln := func(v float64) float32 { return float32(math.Log(v)) }
	x := from(f32(0, ln(3), ln(2), ln(2), 1000, 1000+ln(3)), 3, 2)
	got := run(t, backend.Softmax{Axis: -1}, x)[0]
	near(t, "y", got, f32(0.25, 0.75, 0.5, 0.5, 0.25, 0.75), 1e-4, 0) // 1000 + ln 3 is rounded
	got = run(t, backend.Softmax{Axis: 1, Log: true}, x)[0]
	near(t, "log y", got, f32(-ln(4), ln(0.75), -ln(2), -ln(2), -ln(4), ln(0.75)), 1e-4, 0)
	// along dim 0, so that neighbours lie two apart
	y := run(t, backend.Softmax{Axis: 0}, from(f32(0, 0, 0, ln(3)), 2, 2))[0]
	near(t, "y along 0", y, f32(0.5, 0.25, 0.5, 0.75), ulp, 0)
	// ±10³⁰⁰⁰ would overflow without the maximum
	near(t, "extremes", run(t, backend.Softmax{Axis: 1}, from(f32(-3e38, 3e38), 1, 2))[0], f32(0, 1), 0, 0)
	for _, v := range [][]float32{{nan, 1}, {1, nan}, {inf, 1}, {inf, inf}, {-inf, -inf}} {
		for _, log := range []bool{false, true} {
			same(t, "y of nan or an infinite maximum", run(t, backend.Softmax{Axis: 1, Log: log}, from(v, 1, 2))[0], f32(nan, nan))
		}
	}
	same(t, "y of −∞ beside 0", run(t, backend.Softmax{Axis: 1}, from(f32(-inf, 0), 1, 2))[0], f32(0, 1))
	same(t, "log y of −∞ beside 0", run(t, backend.Softmax{Axis: 1, Log: true}, from(f32(-inf, 0), 1, 2))[0], f32(-inf, 0))
}

func TestPad(t *testing.T) {
	x := from(f32(1, 2, 3), 3)
	for _, c := range []struct {
		op   backend.Pad
		want []float32
	}{
		{backend.Pad{Pads: []int{1, 2}, Value: 9}, f32(9, 1, 2, 3, 9, 9)},
		{backend.Pad{Pads: []int{1, 2}, Value: nan}, f32(nan, 1, 2, 3, nan, nan)},
		{backend.Pad{Pads: []int{2, 2}, Mode: backend.PadReflect}, f32(3, 2, 1, 2, 3, 2, 1)},
		{backend.Pad{Pads: []int{2, 1}, Mode: backend.PadEdge}, f32(1, 1, 1, 2, 3, 3)},
		{backend.Pad{}, f32(1, 2, 3)},
	} {
		same(t, c.op.Mode.String(), run(t, c.op, x)[0], c.want)
	}
	same(t, "two dims", run(t, backend.Pad{Pads: []int{1, 0, 0, 1}}, from(f32(1, 2, 3, 4), 2, 2))[0], f32(0, 0, 0, 1, 2, 0, 3, 4, 0))
	corner := run(t, backend.Pad{Pads: []int{1, 1, 0, 0}, Mode: backend.PadReflect}, from(f32(1, 2, 3, 4), 2, 2))[0]
	same(t, "corner", corner, f32(4, 3, 4, 2, 1, 2, 4, 3, 4))
	same(t, "empty", run(t, backend.Pad{Pads: []int{1, 1}, Value: 5}, from(f32(), 0))[0], f32(5, 5))
}
