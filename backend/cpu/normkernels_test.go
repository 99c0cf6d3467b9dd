package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// guards are pieces of memory between pages that may not be touched.
type guards struct {
	of   []func(n int, atEnd bool) []uint32
	next int
}

// guardWords is how long a slice between guards may be.
const guardWords = 1 << 12

// newGuards returns enough for all slices that are in use at once.
func newGuards(t testing.TB) *guards {
	g := &guards{}
	for range 32 {
		g.of = append(g.of, newGuard(t, guardWords))
	}
	return g
}

// guarded copies values to memory that ends, or begins, at a page that may not be
// touched. It is used again 32 calls later.
func guarded[T float32 | float64](g *guards, v []T, atEnd bool) []T {
	g.next = (g.next + 1) % len(g.of)
	if len(v) == 0 {
		return nil
	}
	words := g.of[g.next](len(v)*int(unsafe.Sizeof(v[0]))/4, atEnd)
	d := unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(words))), len(v))
	copy(d, v)
	return d
}

// wantAll fails unless all elements are equal, NaN to NaN.
func wantAll[T float32 | float64](t testing.TB, got, want []T, format string, args ...any) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d elements, want %d", len(got), len(want))
	}
	for i, g := range got {
		if w := want[i]; g != w && (g == g || w == w) {
			t.Fatalf("%s: element %d is %v, want %v", fmt.Sprintf(format, args...), i, g, w)
		}
	}
}

func integersOf[T float32 | float64](r *rand.Rand, n int) []T {
	v := make([]T, n)
	for i := range v {
		v[i] = T(r.IntN(33) - 16)
	}
	return v
}

// normSizes reach over every edge of the unrolled loops and masks.
func normSizes() []int {
	var n []int
	for i := range 42 {
		n = append(n, i)
	}
	return append(n, 47, 48, 49, 63, 64, 65, 71, 95, 96, 97, 127, 128, 131)
}

// The kernels of every instruction set are exact on integers, as those in plain Go
// are, touch nothing beyond their slices, and write every element.
func TestNormKernelsExact(t *testing.T) {
	r, g := rand.New(rand.NewPCG(1, 2)), newGuards(t)
	want := pick(isaGeneric, normImpls)
	for _, set := range isas(t) {
		k := pick(set, normImpls)
		equal := func(what string, got, want []float32) {
			t.Helper()
			wantAll(t, got, want, "%v: %s", set, what)
		}
		for _, n := range normSizes() {
			atEnd := n%3 != 0
			f := func() []float32 { return guarded(g, integersOf[float32](r, n), atEnd) }
			x, scale, bias := f(), f(), f()
			s, q := k.moments(x, 3)
			ws, wq := want.moments(x, 3)
			wantAll(t, []float64{s, q}, []float64{ws, wq}, "%v: moments of %d", set, n)

			y, wy := f(), make([]float32, n)
			k.affine(y, x, 3, 0.5, -7)
			want.affine(wy, x, 3, 0.5, -7)
			equal(fmt.Sprintf("affine of %d", n), y, wy)

			k.affineEach(y, x, scale, bias, 3, 0.25)
			want.affineEach(wy, x, scale, bias, 3, 0.25)
			equal(fmt.Sprintf("affineEach of %d", n), y, wy)
			z := slices.Clone(x)
			k.affineEach(z, z, scale, bias, 3, 0.25)
			equal(fmt.Sprintf("affineEach in place of %d", n), z, wy)

			k.singleAffine(y, x, 3, 0.125, 0.5, -7)
			want.singleAffine(wy, x, 3, 0.125, 0.5, -7)
			equal(fmt.Sprintf("singleAffine of %d", n), y, wy)
			k.singleAffineEach(y, x, scale, bias, 3, 0.125, 0.25)
			want.singleAffineEach(wy, x, scale, bias, 3, 0.125, 0.25)
			equal(fmt.Sprintf("singleAffineEach of %d", n), y, wy)
			k.singleAffineEach(x, x, scale, bias, 3, 0.125, 0.25)
			equal(fmt.Sprintf("singleAffineEach in place of %d", n), x, wy)
		}
		for _, lanes := range normSizes() {
			for rows := 1; rows <= 5; rows += 2 {
				pitch := lanes + rows - 1 // what lies between rows is not to change
				n := (rows-1)*pitch + lanes
				name := fmt.Sprintf("of %d rows of %d", rows, lanes)
				atEnd := lanes%3 != 0
				wide := func() []float64 { return guarded(g, integersOf[float64](r, lanes), atEnd) }
				x, y := guarded(g, integersOf[float32](r, n), atEnd), guarded(g, integersOf[float32](r, n), atEnd)
				a, b, c := wide(), wide(), wide()
				wb, wc := slices.Clone(b), slices.Clone(c)
				k.rowMoments(x, rows, pitch, a, b, c)
				want.rowMoments(x, rows, pitch, a, wb, wc)
				wantAll(t, b, wb, "%v: sums of rowMoments %s", set, name)
				wantAll(t, c, wc, "%v: squares of rowMoments %s", set, name)

				wy := slices.Clone(y)
				k.affineRows(y, x, rows, pitch, a, b, c)
				want.affineRows(wy, x, rows, pitch, a, b, c)
				equal("affineRows "+name, y, wy)

				scale, bias := guarded(g, integersOf[float32](r, rows), atEnd), guarded(g, integersOf[float32](r, rows), atEnd)
				k.affineSlices(y, x, rows, pitch, a, b, scale, bias)
				want.affineSlices(wy, x, rows, pitch, a, b, scale, bias)
				equal("affineSlices "+name, y, wy)

				single := func() []float32 { return guarded(g, integersOf[float32](r, lanes), atEnd) }
				high, low, factor, lane := single(), single(), single(), single()
				k.singleAffineRows(y, x, rows, pitch, high, low, factor, lane)
				want.singleAffineRows(wy, x, rows, pitch, high, low, factor, lane)
				equal("singleAffineRows "+name, y, wy)
				k.singleAffineSlices(y, x, rows, pitch, high, low, factor, scale, bias)
				want.singleAffineSlices(wy, x, rows, pitch, high, low, factor, scale, bias)
				equal("singleAffineSlices "+name, y, wy)
				want.singleAffineRows(wy, x, rows, pitch, high, low, factor, lane)
				copy(y, x)
				k.singleAffineRows(y, y, rows, pitch, high, low, factor, lane)
				for i := range rows {
					equal("singleAffineRows in place "+name, y[i*pitch:][:lanes], wy[i*pitch:][:lanes])
				}
			}
		}
	}
}

// On any numbers the kernels are within a unit in the last place of those in plain
// Go, which round the product; NaN and infinities are where they are there.
func TestNormKernelsRounding(t *testing.T) {
	const n = 1003
	r := rand.New(rand.NewPCG(3, 4))
	random := func() []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.NormFloat64() * math.Exp(20*r.NormFloat64()))
		}
		return v
	}
	x, scale, bias := random(), random(), random()
	for i, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32} {
		x[5+9*i] = float32(v)
		scale[100+9*i], bias[200+9*i] = float32(v), float32(v)
	}
	var mean, factor []float64
	for i := range n {
		mean, factor = append(mean, r.NormFloat64()), append(factor, float64(scale[(i+3)%n]))
	}
	want := pick(isaGeneric, normImpls)
	wide := make([]float64, n)
	for i, v := range bias {
		wide[i] = float64(v)
	}
	for _, set := range isas(t) {
		k := pick(set, normImpls)
		for name, run := range map[string]func(k *normKernels, y []float32){
			"affine":       func(k *normKernels, y []float32) { k.affine(y, x, 0.3, 1.7, -1e-3) },
			"affineEach":   func(k *normKernels, y []float32) { k.affineEach(y, x, scale, bias, 0.3, 1.7) },
			"affineRows":   func(k *normKernels, y []float32) { k.affineRows(y, x, 1, n, mean, factor, wide) },
			"affineSlices": func(k *normKernels, y []float32) { k.affineSlices(y, x, 1, n, mean, factor, scale[:1], bias[:1]) },
		} {
			got, exp := make([]float32, n), make([]float32, n)
			run(k, got)
			run(want, exp)
			for i := range got {
				if ulps(got[i], exp[i]) > 1 {
					t.Errorf("%v: %s: element %d is %v, want %v", set, name, i, got[i], exp[i])
				}
			}
		}
		for _, v := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
			for at := range 131 {
				x := make([]float32, 131)
				x[at] = v
				if s, q := k.moments(x, 0); !(s-s != 0) || !(q-q != 0) {
					t.Errorf("%v: moments with %v at %d are %v, %v", set, v, at, s, q)
				}
			}
		}
	}
}

// In float32, results are within the bound that the kernels state, of a mean that is
// a million times the distances from it, too.
func TestNormKernelsSingle(t *testing.T) {
	const n = 1003
	const u = 0x1p-24
	r := rand.New(rand.NewPCG(5, 6))
	for _, mean := range []float64{0, 0.3, -1234567.89, 1e30} {
		size := math.Max(1, math.Abs(mean)/1e6)
		x, scale, bias := make([]float32, n), make([]float32, n), make([]float32, n)
		for i := range n {
			x[i], scale[i], bias[i] = float32(mean+size*r.NormFloat64()), float32(r.NormFloat64()), float32(r.NormFloat64())
		}
		high, low := highLow(mean)
		inv := 1 / size
		highs, lows, invs := make([]float32, n), make([]float32, n), make([]float32, n)
		for i := range n {
			highs[i], lows[i], invs[i] = high, low, float32(inv)
		}
		for _, set := range isas(t) {
			k := pick(set, normImpls)
			for name, run := range map[string]func(y []float32){
				"singleAffineEach": func(y []float32) { k.singleAffineEach(y, x, scale, bias, high, low, float32(inv)) },
				"singleAffineSlices": func(y []float32) {
					for i := range n { // a row each
						k.singleAffineSlices(y[i:i+1], x[i:i+1], 1, 1, highs[:1], lows[:1], invs[:1], scale[i:i+1], bias[i:i+1])
					}
				},
				"singleAffineRows": func(y []float32) {
					f := make([]float32, n)
					for i := range f {
						f[i] = float32(inv * float64(scale[i]))
					}
					k.singleAffineRows(y, x, 1, n, highs, lows, f, bias)
				},
				"singleAffine": func(y []float32) {
					for i := range n {
						k.singleAffine(y[i:i+1], x[i:i+1], high, low, float32(inv*float64(scale[i])), bias[i])
					}
				},
			} {
				y := make([]float32, n)
				run(y)
				for i, got := range y {
					part := (float64(x[i]) - mean) * inv * float64(scale[i])
					want := part + float64(bias[i])
					if e, most := math.Abs(float64(got)-want), u*(4*math.Abs(part)+math.Abs(want)); !(e <= most) {
						t.Fatalf("%v: %s, mean %v: element %d is %v, want %v: error %g, at most %g", set, name, mean, i, got, want, e, most)
					}
				}
			}
		}
	}
}

// Where 1/σ or a factor is no float32, the results are those of float64.
func TestNormSizes(t *testing.T) {
	ref := open(t, "ref")
	r := rand.New(rand.NewPCG(7, 8))
	for _, set := range isas(t) {
		be := open(t, "cpu", backend.WithVariant(set.String()))
		for _, size := range []float64{1e-42, 1e-35, 1e-20, 1e20, 1e37} {
			for _, scale := range []float64{1e-35, 0, 1, 1e35} {
				for _, l := range []backend.Layout{plain, cl, cl4} {
					x, a, b := normals(r, 2, 6, 5, 7), normals(r, 6), normals(r, 6)
					for i := range x.Float32s() {
						x.Float32s()[i] = float32(float64(x.Float32s()[i]) * size)
					}
					for i := range a.Float32s() {
						a.Float32s()[i] = float32(float64(a.Float32s()[i]) * scale)
					}
					op := backend.GroupNorm{Groups: 3}
					want, err := backend.RunOnce(ctx, ref, op, x, a, b)
					if err != nil {
						t.Fatal(err)
					}
					d := backend.DescOf(op, x, a, b)
					d.In[0].Layout = l
					for i, g := range poisonedRun(t, be, d, []*tensor.Tensor{x, a, b})[0].Float32s() {
						w := float64(want[0].Float32s()[i])
						ch := i / 35 % 6
						most := 0x1p-24 * (4*math.Abs(w-float64(b.Float32s()[ch])) + 2*math.Abs(w)) * 2
						if e := math.Abs(float64(g) - w); !(e <= most) {
							t.Fatalf("%v, %v: size %g, scale %g: element %d is %v, want %v", set, l, size, scale, i, g, w)
						}
					}
				}
			}
		}
	}
}
