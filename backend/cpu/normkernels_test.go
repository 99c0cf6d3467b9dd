package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// guarded copies values to memory that ends, or begins, at a page that may not be
// touched.
func guarded[T float32 | float64](t testing.TB, v []T, atEnd bool) []T {
	t.Helper()
	words := int(unsafe.Sizeof(*new(T))) / 4
	g := newGuard(t, max(1, len(v)*words))(len(v)*words, atEnd)
	if len(v) == 0 {
		return nil
	}
	d := unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(g))), len(v))
	copy(d, v)
	return d
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
	r := rand.New(rand.NewPCG(1, 2))
	want := pick(isaGeneric, normImpls)
	for _, set := range isas(t) {
		k := pick(set, normImpls)
		equal := func(what string, got, want any) {
			t.Helper()
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%v: %s: got %v, want %v", set, what, got, want)
			}
		}
		for _, n := range normSizes() {
			atEnd := n%3 != 0
			f := func() []float32 { return guarded(t, integersOf[float32](r, n), atEnd) }
			x, scale, bias := f(), f(), f()
			s, q := k.moments(x, 3)
			ws, wq := want.moments(x, 3)
			equal(fmt.Sprintf("moments of %d", n), []float64{s, q}, []float64{ws, wq})

			y, wy := f(), make([]float32, n)
			k.affine(y, x, 3, 0.5, -7)
			want.affine(wy, x, 3, 0.5, -7)
			equal(fmt.Sprintf("affine of %d", n), y, wy)

			k.affineEach(y, x, scale, bias, 3, 0.25)
			want.affineEach(wy, x, scale, bias, 3, 0.25)
			equal(fmt.Sprintf("affineEach of %d", n), y, wy)
			k.affineEach(x, x, scale, bias, 3, 0.25)
			equal(fmt.Sprintf("affineEach in place of %d", n), x, wy)
		}
		for _, lanes := range normSizes() {
			for rows := 1; rows <= 5; rows += 2 {
				pitch := lanes + rows - 1 // what lies between rows is not to change
				n := (rows-1)*pitch + lanes
				name := fmt.Sprintf("of %d rows of %d", rows, lanes)
				atEnd := lanes%3 != 0
				wide := func() []float64 { return guarded(t, integersOf[float64](r, lanes), atEnd) }
				x, y := guarded(t, integersOf[float32](r, n), atEnd), guarded(t, integersOf[float32](r, n), atEnd)
				a, b, c := wide(), wide(), wide()
				wb, wc := slices.Clone(b), slices.Clone(c)
				k.rowMoments(x, rows, pitch, a, b, c)
				want.rowMoments(x, rows, pitch, a, wb, wc)
				equal("rowMoments "+name, [][]float64{b, c}, [][]float64{wb, wc})

				wy := slices.Clone(y)
				k.affineRows(y, x, rows, pitch, a, b, c)
				want.affineRows(wy, x, rows, pitch, a, b, c)
				equal("affineRows "+name, y, wy)

				scale, bias := guarded(t, integersOf[float32](r, rows), atEnd), guarded(t, integersOf[float32](r, rows), atEnd)
				k.affineSlices(y, x, rows, pitch, a, b, scale, bias)
				want.affineSlices(wy, x, rows, pitch, a, b, scale, bias)
				equal("affineSlices "+name, y, wy)
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
