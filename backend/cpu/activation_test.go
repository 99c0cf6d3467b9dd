package cpu

import (
	"flag"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

var ulpStride = flag.Int("ulpstride", 16_411, "TestActivationULP takes every such float32; 1 is all of them")

// activationULPs has the functions in float64 and what error is allowed, in units in
// the last place: 0 where y is chosen, 0.5 where it is rounded once.
var activationULPs = []struct {
	act  backend.Act
	f    func(float64) float64
	most float64
}{
	{backend.Act{Kind: backend.Relu}, func(x float64) float64 { return max(x, 0) }, 0},
	{backend.Act{Kind: backend.LeakyRelu, Alpha: 0.01}, func(x float64) float64 { return max(x, 0) + float64(float32(0.01))*min(x, 0) }, 0.5},
	{backend.Act{Kind: backend.Clip, Alpha: -1, Beta: 6}, func(x float64) float64 { return min(max(x, -1), 6) }, 0},
	{backend.Act{Kind: backend.Clip, Alpha: 0, Beta: float32(math.Inf(1))}, func(x float64) float64 { return max(x, 0) }, 0},
	{backend.Act{Kind: backend.Sigmoid}, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 0.51},
	{backend.Act{Kind: backend.Tanh}, math.Tanh, 0.51},
	{backend.Act{Kind: backend.Elu, Alpha: 1.5}, func(x float64) float64 { return max(x, 0) + 1.5*math.Expm1(min(x, 0)) }, 0.51},
	{backend.Act{Kind: backend.Selu}, func(x float64) float64 {
		return 1.0507009873554805*max(x, 0) + 1.7580993408473766*math.Expm1(min(x, 0))
	}, 0.51},
	{backend.Act{Kind: backend.Celu, Alpha: 3}, func(x float64) float64 { return max(x, 0) + 3*math.Expm1(min(x, 0)/3) }, 0.51},
	{backend.Act{Kind: backend.HardSigmoid, Alpha: 0.25, Beta: 0.5}, func(x float64) float64 { return min(max(x/4+0.5, 0), 1) }, 0.5},
	{backend.Act{Kind: backend.Softplus}, func(x float64) float64 { return math.Log1p(math.Exp(-math.Abs(x))) + max(x, 0) }, 0.51},
	{backend.Act{Kind: backend.Softsign}, func(x float64) float64 { return 1 / (1/x + math.Copysign(1, x)) }, 0.51},
	{backend.Act{Kind: backend.Silu}, func(x float64) float64 { return max(x, -1e3) / (1 + math.Exp(-x)) }, 0.51},
	{backend.Act{Kind: backend.HardSwish}, func(x float64) float64 { return max(x, -3) * min(max(x+3, 0), 6) / 6 }, 0.51},
	{backend.Act{Kind: backend.Mish}, func(x float64) float64 { return max(x, -1e3) * math.Tanh(math.Log1p(math.Exp(min(x, 700)))) }, 0.51},
	{backend.Act{Kind: backend.Gelu}, func(x float64) float64 { return max(x, -1e3) * math.Erfc(-x/math.Sqrt2) / 2 }, 0.51},
	{backend.Act{Kind: backend.GeluTanh}, func(x float64) float64 {
		return max(x, -1e3) / (1 + math.Exp(-2*math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	}, 0.51},
	{backend.Act{Kind: backend.Exp}, math.Exp, 0.51},
	{backend.Act{Kind: backend.Abs}, math.Abs, 0},
	{backend.Act{Kind: backend.Neg}, func(x float64) float64 { return -x }, 0},
	{backend.Act{Kind: backend.Ceil}, math.Ceil, 0},
	{backend.Act{Kind: backend.Floor}, math.Floor, 0},
	{backend.Act{Kind: backend.Round}, math.RoundToEven, 0},
	{backend.Act{Kind: backend.Sign}, func(x float64) float64 { return max(-1, min(x*0x1p200, 1)) }, 0},
	{backend.Act{Kind: backend.Sqrt}, math.Sqrt, 0.5},
	{backend.Act{Kind: backend.Reciprocal}, func(x float64) float64 { return 1 / x }, 0.5},
	{backend.Act{Kind: backend.Log}, math.Log, 0.51},
	{backend.Act{Kind: backend.Erf}, math.Erf, 0.51},
	{backend.Act{Kind: backend.ThresholdedRelu, Alpha: 0.5}, func(x float64) float64 {
		if x <= 0.5 {
			return 0
		}
		return x
	}, 0},
	{backend.Act{Kind: backend.Sin}, math.Sin, 0.51},
	{backend.Act{Kind: backend.Cos}, math.Cos, 0.51},
}

// errorULPs is the distance of got from want in units in the last place of a float32
// near want; infinite where only one is NaN or beyond float32.
func errorULPs(got float32, want float64) float64 {
	if float64(got) == want || got != got && want != want {
		return 0
	}
	if near := float32(want); got != got || want != want || math.IsInf(float64(got), 0) || math.IsInf(float64(near), 0) {
		if got == near {
			return 0
		}
		return math.Inf(1)
	}
	exponent := -149
	if want != 0 {
		exponent = max(math.Ilogb(want)-23, exponent)
	}
	return math.Abs(float64(got)-want) / math.Ldexp(1, exponent)
}

// Each activation is as near to its function as its comment says, for every
// instruction set: of numbers of all magnitudes, and around where vectors reduce an
// argument to another multiple of ln 2, or a result becomes 0, infinite or constant.
func TestActivationULP(t *testing.T) {
	if len(activationULPs) != len(backend.ActKinds())+1 { // two for Clip
		t.Fatalf("%d functions, want one for each of %v", len(activationULPs), backend.ActKinds())
	}
	var edges []float32
	for _, at := range []float64{0, 0.5, math.Sqrt2 / 2, 1, math.Sqrt2, 2.5, 3, 3.5, 3.92, 6, 8.66, 9.01, 10, 13.5, 14.1, 14.5, 16.6, 17.3, 20, 36.7, 40, 50, 87.3, 88.72, 100, 103.97, 104, 108.5, 110, 115, 1000, 0x1p30, 0x1p60, math.MaxFloat32} {
		edges = append(edges, float32(at), float32(-at))
	}
	for k := 1; k < 310; k += 2 { // odd halves of ln 2, of arguments x, 2x and 3x
		for _, rate := range []float64{1, 2, 1. / 3} {
			edges = append(edges, float32(float64(k)*math.Ln2/2/rate), float32(-float64(k)*math.Ln2/2/rate))
		}
	}
	for _, set := range isas(t) {
		for _, c := range activationULPs {
			act := newActivation(pick(set, rowImpls), c.act)
			worst, at := 0.0, float32(0)
			x, y := make([]float32, 0, 1<<12), make([]float32, 1<<12)
			flush := func() {
				act.apply(y[:len(x)], x)
				for i, v := range x {
					if e := errorULPs(y[i], c.f(float64(v))); e > worst {
						worst, at = e, v
					}
				}
				x = x[:0]
			}
			add := func(bits uint32) {
				x = append(x, math.Float32frombits(bits))
				if len(x) == cap(x) {
					flush()
				}
			}
			for b := uint64(0); b < 1<<32; b += uint64(*ulpStride) {
				add(uint32(b))
			}
			for _, e := range edges {
				for d := range 9 {
					add(math.Float32bits(e) + uint32(d) - 4)
				}
			}
			flush()
			t.Logf("%v %+v: %.4f ULP at %x", set, c.act, worst, at)
			if worst > c.most {
				t.Errorf("%v %+v: an error of %.4f ULP at %x, want at most %v", set, c.act, worst, at, c.most)
			}
		}
	}
}

// Outputs that no cache holds are stored past them, with the same values, but not in
// place.
func TestActivationStreamed(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	for _, set := range isas(t) {
		be := open(t, "cpu", backend.WithVariant(set.String()), backend.WithThreads(2), backend.WithDebug())
		for _, n := range []int{1, 15, 16, 17, 64, 1000, 3*rowChunk + 5} {
			x := tensor.Must(tensor.New(tensor.Float32, n))
			copy(x.Float32s(), values(r, n))
			for _, k := range backend.ActKinds() {
				d := backend.DescOf(backend.Activation{Act: backend.Act{Kind: k, Alpha: 0.5, Beta: 2}}, x)
				be.(*device).cache = math.MaxInt64
				want := poisonedRun(t, be, d, []*tensor.Tensor{x})
				be.(*device).cache = 0
				got := poisonedRun(t, be, d, []*tensor.Tensor{x})
				same(t, got[0], want[0])
				inst, err := backend.NewInstance(ctx, be, d)
				if err != nil {
					t.Fatal(err)
				}
				if err := inst.SetInput(ctx, 0, x); err != nil {
					t.Fatal(err)
				}
				args := inst.Args
				args.Out = args.In
				if err := inst.Kernel.Run(ctx, args); err != nil {
					t.Fatal(err)
				}
				y, err := backend.Download(ctx, be, args.Out[0], inst.Kernel.Info().Out[0])
				if err != nil {
					t.Fatal(err)
				}
				same(t, y, want[0])
				if err := inst.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}
