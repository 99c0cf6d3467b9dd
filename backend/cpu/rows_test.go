package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/convgl/convgl/backend"
)

// values returns n float32 of all kinds: random ones of every magnitude, and NaN,
// infinities, subnormals, zeros and small integers.
func values(r *rand.Rand, n int) []float32 {
	inf := float32(math.Inf(1))
	special := []float32{float32(math.NaN()), inf, -inf, 0, float32(math.Copysign(0, -1)), 1, -1, 3, -3, 1e-45, -1e-45,
		math.MaxFloat32, -math.MaxFloat32, 0x1p-126, -0x1.fffffcp-127, 0.5, -100, 88.5, 1e10}
	v := make([]float32, n)
	for i := range v {
		switch r.IntN(4) {
		case 0:
			v[i] = special[r.IntN(len(special))]
		case 1:
			v[i] = float32(r.NormFloat64() * 5)
		case 2:
			v[i] = math.Float32frombits(r.Uint32())
		case 3:
			v[i] = float32(r.IntN(19) - 9)
		}
	}
	return v
}

const rowMargin = 16 // elements on the side of a row without a guard

// fencedRow returns a row of n elements with a page that may not be touched on one
// side and, on the other, marks that check looks at.
func fencedRow(guard func(n int, atEnd bool) []uint32, n int, atEnd bool) (row []float32, check func() bool) {
	all := guard(n+rowMargin, atEnd)
	row, marks := view[float32](asBytes(all[:n:n])), all[n:]
	if atEnd {
		row, marks = view[float32](asBytes(all[rowMargin:])), all[:rowMargin:rowMargin]
	}
	scramble(all)
	return row, func() bool {
		for i, m := range marks {
			want := make([]uint32, len(all))
			scramble(want)
			k := n + i
			if atEnd {
				k = i
			}
			if m != want[k] {
				return false
			}
		}
		return true
	}
}

// near reports whether a and b are within so many units in the last place; NaN
// equals NaN, and 0 equals −0.
func near(a, b float32, most int) bool { return a == b || ulps(a, b) <= most }

// Functions of rows equal those in plain Go, whatever the length and the place, touch
// nothing else and give an element the same bits everywhere.
func TestRows(t *testing.T) {
	const most = 200
	gd, ga, gb, gc := newGuard(t, most+rowMargin), newGuard(t, most+rowMargin), newGuard(t, most+rowMargin), newGuard(t, most+rowMargin)
	r := rand.New(rand.NewPCG(1, 2))
	for _, set := range isas(t) {
		fns := pick(set, rowImpls)
		for n := range most {
			for _, atEnd := range []bool{false, true} {
				name := fmt.Sprintf("%v n %d end %v", set, n, atEnd)
				a, _ := fencedRow(ga, n, atEnd)
				b, _ := fencedRow(gb, n, atEnd)
				c, _ := fencedRow(gc, n, atEnd)
				copy(a, values(r, n))
				copy(b, values(r, n))
				copy(c, values(r, n))
				try := func(what string, most int, fn func(dst []float32), want func(i int) float32) {
					t.Helper()
					dst, untouched := fencedRow(gd, n, atEnd)
					copy(dst, a) // in place
					fn(dst)
					for i, v := range dst {
						if w := want(i); !near(v, w, most) {
							t.Fatalf("%s %s: element %d is %v, want %v (of %v, %v, %v)", what, name, i, v, w, a[i], b[i], c[i])
						}
					}
					if !untouched() {
						t.Fatalf("%s %s: wrote beyond the row", what, name)
					}
				}
				try("add", 0, func(d []float32) { fns.add(d, b) }, func(i int) float32 { return a[i] + b[i] })
				fma := func(x, y, z float32) float32 { return float32(math.FMA(float64(x), float64(y), float64(z))) }
				if set == isaGeneric {
					fma = func(x, y, z float32) float32 { return x*y + z }
				}
				try("scaleShift", 1, func(d []float32) { fns.scaleShift(d, d, b, c) }, func(i int) float32 { return fma(a[i], b[i], c[i]) })
				try("scaleShift out of place", 1, func(d []float32) { fns.scaleShift(d, a, b, c) }, func(i int) float32 { return fma(a[i], b[i], c[i]) })
				try("scaleShiftAll", 1, func(d []float32) { fns.scaleShiftAll(d, d, -1.25, 3) }, func(i int) float32 { return fma(a[i], -1.25, 3) })
				for form, sab := range [][2]int{{1, 1}, {1, 0}, {0, 1}} {
					if n == 0 {
						continue
					}
					for kind := range fns.binary {
						fn := backend.BinaryKind(kind)
						try(fmt.Sprint(fn, form), 0, func(d []float32) {
							x, y := d, b
							if sab[0] == 0 {
								x = c[:1:1]
							}
							if sab[1] == 0 {
								y = c[:1:1]
							}
							fns.binary[kind][form](d, x, y, n, 1, 0, 0, 0)
						}, func(i int) float32 {
							var y [1]float32
							x := [2]float32{a[i], b[i]}
							if sab[0] == 0 {
								x[0] = c[0]
							}
							if sab[1] == 0 {
								x[1] = c[0]
							}
							denseRow(fn, y[:], x[:1], x[1:])
							return y[0]
						})
					}
				}
			}
		}
	}
}

// rowActs are activations with constants, and how far vectors may be from plain Go,
// which rounds once, in units in the last place.
var rowActs = []struct {
	act  backend.Act
	most int
}{
	{backend.Act{Kind: backend.Relu}, 0},
	{backend.Act{Kind: backend.LeakyRelu, Alpha: 0.01}, 0},
	{backend.Act{Kind: backend.LeakyRelu, Alpha: -2}, 0},
	{backend.Act{Kind: backend.Clip, Alpha: -1, Beta: 6}, 0},
	{backend.Act{Kind: backend.Clip, Alpha: float32(math.Inf(-1)), Beta: float32(math.Inf(1))}, 0},
	{backend.Act{Kind: backend.HardSigmoid, Alpha: 0.2, Beta: 0.5}, 1},
	{backend.Act{Kind: backend.HardSigmoid, Alpha: -0.25, Beta: 2}, 1},
	{backend.Act{Kind: backend.Sigmoid}, 1},
	{backend.Act{Kind: backend.Tanh}, 1},
	{backend.Act{Kind: backend.Elu, Alpha: 1.5}, 1},
	{backend.Act{Kind: backend.Elu, Alpha: -1e30}, 1},
	{backend.Act{Kind: backend.Elu}, 1},
	{backend.Act{Kind: backend.Selu}, 1},
	{backend.Act{Kind: backend.Celu, Alpha: 3}, 1},
	{backend.Act{Kind: backend.Celu, Alpha: 0x1p-126}, 1},
	{backend.Act{Kind: backend.Celu, Alpha: math.MaxFloat32}, 1},
	{backend.Act{Kind: backend.Softplus}, 1},
	{backend.Act{Kind: backend.Softsign}, 1},
	{backend.Act{Kind: backend.Silu}, 1},
	{backend.Act{Kind: backend.HardSwish}, 1},
	{backend.Act{Kind: backend.Mish}, 1},
	{backend.Act{Kind: backend.Gelu}, 1},
	{backend.Act{Kind: backend.GeluTanh}, 1},
	{backend.Act{Kind: backend.Exp}, 1},
	{backend.Act{Kind: backend.Abs}, 0},
	{backend.Act{Kind: backend.Neg}, 0},
	{backend.Act{Kind: backend.Ceil}, 0},
	{backend.Act{Kind: backend.Floor}, 0},
	{backend.Act{Kind: backend.Round}, 0},
	{backend.Act{Kind: backend.Sign}, 0},
	{backend.Act{Kind: backend.Sqrt}, 0},
	{backend.Act{Kind: backend.Reciprocal}, 0},
	{backend.Act{Kind: backend.Log}, 1},
	{backend.Act{Kind: backend.Erf}, 1},
	{backend.Act{Kind: backend.ThresholdedRelu, Alpha: 1}, 0},
	{backend.Act{Kind: backend.ThresholdedRelu, Alpha: -3}, 0},
	{backend.Act{Kind: backend.Sin}, 1},
	{backend.Act{Kind: backend.Cos}, 1},
}

// Activations of rows are those in plain Go, but for what is allowed above; they keep
// NaN, work in place, touch nothing else and give an element the same bits everywhere.
func TestRowActivations(t *testing.T) {
	const most = 150
	gd, gs := newGuard(t, most+rowMargin), newGuard(t, most+rowMargin)
	r := rand.New(rand.NewPCG(3, 4))
	for _, set := range isas(t) {
		for _, c := range rowActs {
			act, twin := newActivation(pick(set, rowImpls), c.act), newActivation(&genericRows, c.act)
			for n := range most {
				for _, atEnd := range []bool{false, true} {
					src, _ := fencedRow(gs, n, atEnd)
					copy(src, values(r, n))
					dst, untouched := fencedRow(gd, n, atEnd)
					act.apply(dst, src)
					want := make([]float32, n)
					twin.apply(want, src)
					one := make([]float32, 1)
					for i, v := range dst {
						if act.apply(one, src[i:i+1]); math.Float32bits(one[0]) != math.Float32bits(v) {
							t.Fatalf("%v %+v: element %d of %d is %x, alone %x, of %v", set, c.act, i, n, v, one[0], src[i])
						}
						if !near(v, want[i], c.most) {
							t.Fatalf("%v %+v: element %d of %d is %v, want %v, of %v", set, c.act, i, n, v, want[i], src[i])
						}
					}
					if !untouched() {
						t.Fatalf("%v %+v: wrote beyond a row of %d", set, c.act, n)
					}
					if act.stream != nil && aligned(dst) {
						clear(dst)
						act.applyBy(act.stream, dst, src)
						for i, v := range dst {
							if act.apply(one, src[i:i+1]); math.Float32bits(one[0]) != math.Float32bits(v) {
								t.Fatalf("%v %+v: element %d of %d is %v streamed, %v else", set, c.act, i, n, v, one[0])
							}
						}
						if !untouched() {
							t.Fatalf("%v %+v: streamed beyond a row of %d", set, c.act, n)
						}
					}
					act.apply(src, src)
					for i, v := range src {
						if math.Float32bits(v) != math.Float32bits(dst[i]) {
							t.Fatalf("%v %+v: element %d of %d is %v in place, %v else", set, c.act, i, n, v, dst[i])
						}
					}
				}
			}
		}
	}
}

// Rows of binaryFn lie where their strides say, rows of no elements do nothing.
func TestBinaryRows(t *testing.T) {
	const rows, gap = 3, 2
	r := rand.New(rand.NewPCG(5, 6))
	for _, set := range isas(t) {
		fns := pick(set, rowImpls)
		for n := range 70 {
			for kind := range fns.binary {
				for form, s := range [][2]int{{1, 1}, {1, 0}, {0, 1}} {
					a, b := values(r, rows*(n+gap)+1), values(r, rows*(n+gap+1)+1)
					got, want := values(r, rows*(n+2*gap)), make([]float32, rows*(n+2*gap))
					copy(want, got)
					for i := range rows {
						for j := range n {
							y := want[i*(n+2*gap)+j:]
							denseRow(backend.BinaryKind(kind), y[:1], a[i*(n+gap)+j*s[0]:], b[i*(n+gap+1)+j*s[1]:])
						}
					}
					fns.binary[kind][form](got, a, b, n, rows, n+2*gap, n+gap, n+gap+1)
					for i := range got {
						if !near(got[i], want[i], 0) {
							t.Fatalf("%v %v form %d n %d: element %d is %v, want %v", set, backend.BinaryKind(kind), form, n, i, got[i], want[i])
						}
					}
				}
			}
		}
	}
}
