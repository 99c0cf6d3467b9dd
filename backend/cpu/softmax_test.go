package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// The passes equal those in plain Go: n elements in rows with gaps between them, of
// rows and of lanes. They touch nothing else.
func TestSoftmaxPasses(t *testing.T) {
	const most, gap, rows = 70, 3, 3
	g := [4]func(n int, atEnd bool) []uint32{}
	for i := range g {
		g[i] = newGuard(t, 2*rows*(most+gap)+2*rowMargin)
	}
	r := rand.New(rand.NewPCG(11, 12))
	for _, set := range isas(t) {
		fns := pick(set, softmaxImpls)
		for n := 1; n < most; n++ {
			for _, lanes := range []bool{false, true} {
				fn, twin, per := &fns.rows, &genericSoftmax.rows, rows
				if lanes {
					fn, twin, per = &fns.lanes, &genericSoftmax.lanes, n
				}
				for _, atEnd := range []bool{false, true} {
					name := fmt.Sprintf("%v n %d lanes %v end %v", set, n, lanes, atEnd)
					size := (rows-1)*(n+gap) + n // the last row ends with its last element
					x, _ := fencedRow(g[0], size, atEnd)
					for i := range x {
						x[i] = float32(r.NormFloat64() * 10)
					}
					x[r.IntN(size)] = float32(math.Inf(-1))
					m, _ := fencedRow(g[1], per, atEnd)
					start := func(m []float32) {
						for i := range m {
							m[i] = float32(math.Inf(-1))
						}
					}
					// compare runs a pass on guarded memory and on a copy.
					compare := func(what string, run func(y, m []float32, sum []float64), want func(y, m []float32, sum []float64)) {
						t.Helper()
						y, untouched := fencedRow(g[2], size, atEnd)
						words := g[3](2*per, atEnd)
						sum := view[float64](asBytes(words))
						for i := range sum {
							sum[i] = 0.5 + float64(i)
						}
						y2, m2, sum2 := slices.Clone(y), slices.Clone(m), slices.Clone(sum)
						run(y, m, sum)
						want(y2, m2, sum2)
						for i := range y {
							if math.Float32bits(y[i]) != math.Float32bits(y2[i]) && !near(y[i], y2[i], 1) {
								t.Fatalf("%s %s: y[%d] = %v, want %v", what, name, i, y[i], y2[i])
							}
						}
						for i := range m {
							if !near(m[i], m2[i], 0) {
								t.Fatalf("%s %s: m[%d] = %v, want %v", what, name, i, m[i], m2[i])
							}
							if e := math.Abs(sum[i]/sum2[i] - 1); e > 1e-9 || (sum[i] != sum[i]) != (sum2[i] != sum2[i]) {
								t.Fatalf("%s %s: sum[%d] = %v, want %v", what, name, i, sum[i], sum2[i])
							}
						}
						if !untouched() {
							t.Fatalf("%s %s: wrote beyond y", what, name)
						}
					}
					l := n + gap
					start(m)
					compare("max", func(_, m []float32, _ []float64) { fn.max(m, x, n, rows, l) }, func(_, m []float32, _ []float64) { twin.max(m, x, n, rows, l) })
					compare("exp", func(y, m []float32, sum []float64) { fn.exp(y, x, m, sum, n, rows, l, l) }, func(y, m []float32, sum []float64) { twin.exp(y, x, m, sum, n, rows, l, l) })
					compare("sum", func(_, m []float32, sum []float64) { fn.sum(x, m, sum, n, rows, l) }, func(_, m []float32, sum []float64) { twin.sum(x, m, sum, n, rows, l) })
					compare("scale", func(y, _ []float32, sum []float64) { fn.scale(y, x, sum, n, rows, l, l) }, func(y, _ []float32, sum []float64) { twin.scale(y, x, sum, n, rows, l, l) })
					compare("shift", func(y, m []float32, sum []float64) { fn.shift(y, x, m, sum, n, rows, l, l) }, func(y, m []float32, sum []float64) { twin.shift(y, x, m, sum, n, rows, l, l) })
				}
			}
		}
	}
}

// Logarithms of sums are those of package math; NaN stays.
func TestLogRow(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for _, set := range isas(t) {
		logs := pick(set, softmaxImpls).logs
		for n := range 40 {
			v := make([]float64, n+1)
			for i := range n {
				v[i] = math.Exp(r.ExpFloat64() * 8)
				switch r.IntN(8) {
				case 0:
					v[i] = 1 + r.Float64()*1e-6
				case 1:
					v[i] = float64(r.IntN(5) + 1)
				case 2:
					v[i] = math.NaN()
				}
			}
			v[n] = 7
			want := slices.Clone(v)
			logs(v[:n])
			logRow(want[:n])
			for i, w := range want {
				if e := math.Abs(v[i] - w); e > 1e-11*w || (v[i] != v[i]) != (w != w) {
					t.Fatalf("%v: logarithm %d of %d is %v, want %v", set, i, n, v[i], w)
				}
			}
		}
	}
}

// Slices along any axis of any layout: rows, lanes, long ones in pieces, and slices
// that are neither. NaN, infinities and slices of nothing but −∞ are among them.
func TestSoftmax(t *testing.T) {
	ref := open(t, "ref")
	r := rand.New(rand.NewPCG(5, 6))
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, shape := range [][]int{{3, 5, 4, 6}, {2, 21, 9, 31}, {5, 10}, {700, 3}, {3, rowChunk + 77}, {1, 1, 2*rowChunk + 5}, {2, 1030, 40}, {1, softmaxCache/16 + 3, 2, 9}} {
		x := normals(r, shape...)
		s := x.Float32s()
		for i := range s {
			s[i] *= 4
		}
		copy(s[len(s)/2:], []float32{nan, 1, 2, inf, 7, -inf, 100, -100})
		for i := range min(len(s)/6, 60) {
			s[i] = -inf
		}
		for axis := range shape {
			for _, logarithm := range []bool{false, true} {
				op := backend.Softmax{Axis: axis - len(shape), Log: logarithm}
				d := backend.DescOf(op, x)
				want, err := backend.RunDesc(ctx, ref, d, x)
				if err != nil {
					t.Fatal(err)
				}
				for _, set := range isas(t) {
					be := open(t, "cpu", backend.WithVariant(set.String()), backend.WithThreads(2))
					for _, l := range [][2]backend.Layout{{cl, cl}, {plain, plain}, {cl4, cl4}, {plain, cl}, {cl4, plain}} {
						d.In[0].Layout = l[0]
						d.Out = []backend.TensorDesc{{Shape: x.Shape(), DType: tensor.Float32, Layout: l[1]}}
						got := poisonedRun(t, be, d, []*tensor.Tensor{x})
						for i, g := range got[0].Float32s() {
							if w := want[0].Float32s()[i]; ulps(g, w) > 2 && math.Abs(float64(g-w)) > 1e-7*math.Abs(float64(w)) {
								t.Fatalf("%v %+v %v: element %d is %v, want %v", set, op, d.In, i, g, w)
							}
						}
					}
				}
			}
		}
	}
}

// The output may be the input's memory.
func TestSoftmaxInPlace(t *testing.T) {
	be := open(t, "cpu", backend.WithThreads(2), backend.WithDebug())
	r := rand.New(rand.NewPCG(15, 16))
	for _, logarithm := range []bool{false, true} {
		for _, c := range [][]int{{7, 30}, {2, 30, 50}, {1, 3, rowChunk + 9}, {1, softmaxCache/16 + 3, 20}} {
			x := normals(r, c...)
			for axis := range c {
				d := backend.DescOf(backend.Softmax{Axis: axis, Log: logarithm}, x)
				d.In[0].Layout = plain
				want, err := backend.RunDesc(ctx, be, d, x)
				if err != nil {
					t.Fatal(err)
				}
				inst, err := backend.NewInstance(ctx, be, d)
				if err != nil {
					t.Fatal(err)
				}
				if err := inst.SetInput(ctx, 0, x); err != nil {
					t.Fatal(err)
				}
				args := inst.Args
				args.Out = args.In[:1]
				if err := inst.Kernel.Run(ctx, args); err != nil {
					t.Fatal(err)
				}
				got, err := backend.Download(ctx, be, args.Out[0], inst.Kernel.Info().Out[0])
				if err != nil {
					t.Fatal(err)
				}
				same(t, got, want[0])
				if err := inst.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}
