package cpu

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// Rows of Where are those in plain Go to the bit, whatever the length and the place,
// touch nothing else, and lie where their strides say.
func TestWhereRows(t *testing.T) {
	const most, rows, gap = 90, 3, 2
	gz := newGuard(t, rows*(most+gap)+rowMargin)
	r := rand.New(rand.NewPCG(19, 20))
	conditions := func(n int) []float32 {
		v := values(r, n)
		for i := range v {
			if r.IntN(2) == 0 {
				v[i] = float32(math.Copysign(0, float64(r.IntN(2))-0.5))
			}
		}
		return v
	}
	for _, set := range isas(t) {
		for form, fn := range pick(set, rowImpls).where {
			sx, sy := 1-form/2, 1-form%2
			if whereForm(sx, sy) != form {
				t.Fatalf("form %d: strides %d, %d have form %d", form, sx, sy, whereForm(sx, sy))
			}
			for n := 1; n < most; n++ {
				for _, atEnd := range []bool{false, true} {
					size := rows*n + (rows-1)*gap
					z, untouched := fencedRow(gz, size, atEnd)
					copy(z, values(r, size))
					c, x, y := conditions(rows*(n+gap)), values(r, rows*(n+1)), values(r, rows*n)
					want := append([]float32{}, z...)
					for i := range rows {
						for j := range n {
							v := y[i*n+j*sy]
							if c[i*(n+gap)+j] != 0 {
								v = x[i*(n+1)+j*sx]
							}
							want[i*(n+gap)+j] = v
						}
					}
					fn(z, c, x, y, n, rows, n+gap, n+gap, n+1, n)
					for i := range z {
						if math.Float32bits(z[i]) != math.Float32bits(want[i]) {
							t.Fatalf("%v form %d n %d: element %d is %v, want %v", set, form, n, i, z[i], want[i])
						}
					}
					if !untouched() {
						t.Fatalf("%v form %d n %d: wrote beyond the rows", set, form, n)
					}
				}
			}
		}
	}
}

// Every broadcast of three shapes, in every layout, is that of the reference, also in
// the memory of an operand.
func TestWhereBroadcast(t *testing.T) {
	ref := open(t, "ref")
	r := rand.New(rand.NewPCG(21, 22))
	var cpus []backend.Backend
	for _, set := range isas(t) {
		for _, threads := range []int{1, 3} {
			cpus = append(cpus, open(t, "cpu", backend.WithVariant(set.String()), backend.WithThreads(threads)))
		}
	}
	sizes := []int{1, 2, 3, 5, 16, 19, 40}
	layouts := []backend.Layout{plain, cl, cl4, backend.Any}
	shapes := [][3][]int{
		{{60_000}, {60_000}, {1}}, {{60_000}, {1}, {60_000}}, {{1}, {60_000}, {60_000}}, {{}, {}, {60_000}}, {{60_000}, {}, {}},
		{{2, 1, 40, 40}, {2, 12, 40, 40}, {12, 1, 1}}, {{2, 12, 40, 40}, {1}, {2, 12, 40, 40}}, {{0, 3}, {3}, {1}}, {{}, {}, {}},
	}
	for len(shapes) < 150 {
		var s [3][]int
		for range r.IntN(5) {
			n := sizes[r.IntN(len(sizes))]
			for k := range s {
				if r.IntN(3) > 0 {
					s[k] = append(s[k], n)
				} else {
					s[k] = append(s[k], 1)
				}
			}
		}
		if k := r.IntN(3); r.IntN(2) == 0 {
			s[k] = s[k][min(len(s[k]), r.IntN(3)):]
		}
		shapes = append(shapes, s)
	}
	for _, s := range shapes {
		var in []*tensor.Tensor
		for k, shape := range s {
			x := tensor.Must(tensor.New(tensor.Float32, shape...))
			copy(x.Float32s(), values(r, x.Size()))
			for i := range x.Float32s() {
				if k == 0 && r.IntN(2) == 0 {
					x.Float32s()[i] = 0
				}
			}
			in = append(in, x)
		}
		d := backend.DescOf(backend.Where{}, in...)
		want, err := backend.RunDesc(ctx, ref, d, in...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range d.In {
			d.In[i].Layout = layouts[r.IntN(len(layouts))]
		}
		for _, be := range cpus {
			got := poisonedRun(t, be, d, in)
			for i, g := range got[0].Float32s() {
				if w := want[0].Float32s()[i]; !near(g, w, 0) {
					t.Fatalf("%v %v: element %d is %v, want %v", be.Device().Details["instructions"], d.In, i, g, w)
				}
			}
			inPlace(t, be, d, in, want[0])
		}
	}
}

// inPlace runs d with the output in the memory of each input that the kernel allows,
// and returns how many these are.
func inPlace(t *testing.T, be backend.Backend, d backend.Desc, in []*tensor.Tensor, want *tensor.Tensor) int {
	t.Helper()
	inst, err := backend.NewInstance(ctx, be, d)
	if err != nil {
		t.Fatal(err)
	}
	places := inst.Kernel.Info().InPlace
	for _, place := range places {
		for i, x := range in {
			if err := inst.SetInput(ctx, i, x); err != nil {
				t.Fatal(err)
			}
		}
		args := inst.Args
		args.Out = []backend.Buffer{args.In[place]}
		if err := inst.Kernel.Run(ctx, args); err != nil {
			t.Fatal(err)
		}
		got, err := backend.Download(ctx, be, args.Out[0], inst.Kernel.Info().Out[0])
		if err != nil {
			t.Fatal(err)
		}
		same(t, got, want)
	}
	if err := inst.Close(); err != nil {
		t.Error(err)
	}
	return len(places)
}
