package cpu

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Sums of squares of integers are exact, and nothing beyond the slices is touched.
func TestSumSquares(t *testing.T) {
	r, g := rand.New(rand.NewPCG(7, 8)), newGuards(t)
	for _, set := range isas(t) {
		k := pick(set, lrnImpls)
		for _, n := range normSizes() {
			for rows := 1; rows <= 6; rows++ {
				for _, pitch := range []int{1, n + 2} {
					atEnd := n%3 != 0
					x := guarded(g, integersOf[float32](r, (rows-1)*pitch+n), atEnd)
					got, want := guarded(g, integersOf[float64](r, n), atEnd), make([]float64, n)
					k.sumSquares(got, x, rows, pitch)
					sumSquaresGeneric(want, x, rows, pitch)
					wantAll(t, got, want, "%v: %d rows of %d, pitch %d", set, rows, n, pitch)
				}
			}
		}
	}
}

// Powers of numbers of all sizes are within their bound and half a unit in the last
// place; the sums that are 0 or not finite give what the formula does.
func TestLRNPower(t *testing.T) {
	r, g := rand.New(rand.NewPCG(9, 10)), newGuards(t)
	inf, nan := math.Inf(1), math.NaN()
	for _, set := range isas(t) {
		kernels := pick(set, lrnImpls)
		for _, beta := range []float64{0.75, 0.5, 1, 0.1, 0.6, 2, 7, 3e38} {
			power := map[bool]powerFn{false: kernels.power, true: kernels.threeQuarters}[beta == 0.75]
			worst := 0.0
			for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 1000} {
				d := make([]float64, (n+7)/8*8)
				x := guarded(g, make([]float32, n), n%3 != 0)
				for i := range x {
					d[i] = math.Exp(r.NormFloat64() * 40)
					x[i] = float32(r.NormFloat64() * math.Exp(r.NormFloat64()*20))
				}
				k := &[3]float64{1.5, 0, -beta}
				if n == 5 {
					k[1] = 1
				}
				y := guarded(g, make([]float32, n), n%3 != 0)
				power(y, x, d, k)
				for i, got := range y {
					p := math.Pow(k[1]+k[0]*d[i], -beta)
					want := float64(x[i]) * p
					if want == 0 || math.Abs(want) < 0x1p-126 || math.Abs(want) > math.MaxFloat32 || p < 0x1p-1020 {
						if ulps(got, float32(want)) > 1 {
							t.Fatalf("%v: β = %v: %v·(%v·1.5+%v)^−β = %v, want %v", set, beta, x[i], d[i], k[1], got, want)
						}
						continue
					}
					e := math.Abs(float64(got)/want - 1)
					worst = max(worst, e)
					if e > 0x1p-24+0x1p-27*max(1, beta) {
						t.Fatalf("%v: β = %v: %v·(%v·1.5+%v)^−β = %v, want %v: error %g", set, beta, x[i], d[i], k[1], got, want, e)
					}
				}
			}
			t.Logf("%v: β = %v: relative error at most %.3g, of which %.3g is rounding", set, beta, worst, 0x1p-24)

			d := []float64{0, 0, 0, 0, inf, inf, inf, inf, nan, nan, nan, 1, 1, 1, 1e-300, 1e-300, 1e300, 1e300}
			x := []float32{0, 1, -1, float32(nan), 0, 1, float32(inf), float32(nan), 0, 1, float32(inf), float32(inf), float32(nan), 0, 0, 1, 0, 1}
			d = append(d, make([]float64, 8)...)
			y := make([]float32, len(x))
			k := &[3]float64{1, 0, -beta}
			power(y, x, d, k)
			for i, got := range y {
				want := float32(float64(x[i]) * math.Pow(d[i], -beta))
				if ulps(got, want) > 1 {
					t.Errorf("%v: β = %v: %v·%v^−β = %v, want %v", set, beta, x[i], d[i], got, want)
				}
			}
		}
	}
}
