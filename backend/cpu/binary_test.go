package cpu

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// Every broadcast of two shapes, in every layout, is that of the reference: random
// ranks and dims, rows that are short, repeated, long, of one element.
func TestBinaryBroadcast(t *testing.T) {
	ref := open(t, "ref")
	r := rand.New(rand.NewPCG(7, 8))
	var cpus []backend.Backend
	for _, set := range isas(t) {
		for _, threads := range []int{1, 3} {
			be := open(t, "cpu", backend.WithVariant(set.String()), backend.WithThreads(threads))
			if threads > 1 {
				be.(*device).cache = 0 // all outputs are streamed
			}
			cpus = append(cpus, be)
		}
	}
	sizes := []int{1, 2, 3, 5, 16, 19, 40, 65}
	layouts := []backend.Layout{plain, cl, cl4, backend.Any}
	shapes := [][2][]int{
		{{2, 3, 50, 40}, {1, 3, 1, 1}}, {{50_000}, {1}}, {{1}, {50_000}}, {{3, 20_000}, {3, 1}}, {{3, 1}, {3, 20_000}},
		{{4000, 3}, {3}}, {{64}, {500, 64}}, {{500, 65}, {65}}, {{2, 64, 30, 31}, {2, 64, 1, 1}}, {{2, 1, 30, 31}, {2, 64, 30, 31}},
		{{700, 48}, {48}}, {{3, 32, 40, 40}, {32, 1, 1}}, {{5, 16}, {5, 1}},
	}
	for len(shapes) < 300 {
		var s [2][]int
		for range r.IntN(5) {
			n := sizes[r.IntN(len(sizes))]
			for k := range s {
				if d := n; r.IntN(3) > 0 {
					s[k] = append(s[k], d)
				} else {
					s[k] = append(s[k], 1)
				}
			}
		}
		if k := r.IntN(2); r.IntN(2) == 0 {
			s[k] = s[k][min(len(s[k]), r.IntN(3)):]
		}
		shapes = append(shapes, s)
	}
	for i, s := range shapes {
		if tensor.Shape(s[0]).Size()*tensor.Shape(s[1]).Size() > 1<<34 {
			continue
		}
		var in []*tensor.Tensor
		for _, shape := range s {
			x := tensor.Must(tensor.New(tensor.Float32, shape...))
			copy(x.Float32s(), values(r, x.Size()))
			in = append(in, x)
		}
		d := backend.DescOf(backend.Binary{Fn: backend.BinaryKind(i) % binaryKinds}, in...)
		y, err := d.Resolve()
		if err != nil {
			t.Fatal(err)
		}
		if y.Out[0].Shape.Size() > 1<<20 {
			continue
		}
		want, err := backend.RunDesc(ctx, ref, d, in...)
		if err != nil {
			t.Fatal(err)
		}
		d.In[0].Layout = layouts[r.IntN(len(layouts))]
		d.In[1].Layout = layouts[r.IntN(len(layouts))]
		for _, be := range cpus {
			got := poisonedRun(t, be, d, in)
			for i, g := range got[0].Float32s() {
				if w := want[0].Float32s()[i]; !near(g, w, 0) {
					t.Fatalf("%v %+v %v: element %d is %v, want %v", be.Device().Details["instructions"], d.Op, d.In, i, g, w)
				}
			}
		}
	}
}

// An operand may be the output's memory where the kernel says so.
func TestBinaryInPlace(t *testing.T) {
	be := open(t, "cpu", backend.WithThreads(2), backend.WithDebug())
	be.(*device).cache = 0
	r := rand.New(rand.NewPCG(9, 10))
	for _, s := range [][2][]int{{{40, 3}, {3}}, {{3}, {40, 3}}, {{7, 900}, {7, 900}}, {{2, 5, 30, 3}, {5, 1, 1}}, {{300}, {1}}} {
		var in []*tensor.Tensor
		for _, shape := range s {
			in = append(in, normals(r, shape...))
		}
		for _, kind := range backend.BinaryKinds() {
			d := backend.DescOf(backend.Binary{Fn: kind}, in...)
			want, err := backend.RunDesc(ctx, be, d, in...)
			if err != nil {
				t.Fatal(err)
			}
			if n := inPlace(t, be, d, in, want[0]); n == 0 {
				t.Errorf("%v %v: no operand may be the output", kind, s)
			}
		}
	}
}

// A power does not depend on whether its exponent is one number for all elements.
func TestPowerOfScalar(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	a := values(r, 1<<16)
	got, want := make([]float32, len(a)), make([]float32, len(a))
	for _, b := range []float32{2, 3, -1, 0.5, -2, 4, 0, 1, 2.5} {
		genericRows.binary[backend.Power][formVS](got, a, []float32{b}, len(a), 1, 0, 0, 0)
		bs := slices.Repeat([]float32{b}, len(a))
		genericRows.binary[backend.Power][formVV](want, a, bs, len(a), 1, 0, 0, 0)
		for i := range got {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) && (got[i] == got[i] || want[i] == want[i]) {
				t.Fatalf("%v to the power %v is %v, want %v", a[i], b, got[i], want[i])
			}
		}
	}
}
