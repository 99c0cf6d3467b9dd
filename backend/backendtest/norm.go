package backendtest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

func groupNormProblems(short bool) []problem {
	gn := func(name string, groups int, eps float32, x ...int) problem {
		c := backend.F32(x[1])
		return problem{name: name, d: desc(backend.GroupNorm{Groups: groups, Epsilon: eps}, backend.F32(x...), c, c), fills: check.Fills()}
	}
	ps := []problem{
		gn("two", 2, 1e-5, 2, 6, 5, 7), gn("one", 1, 1e-5, 3, 5, 4, 3), gn("each", 7, 1e-5, 2, 7, 5, 6), gn("wide", 3, 1e-5, 2, 60, 3, 4),
		gn("fours", 4, 1e-5, 2, 32, 4, 4), gn("threes", 5, 1e-5, 2, 15, 3, 5), gn("1d", 2, 1e-3, 2, 6, 13), gn("3d", 3, 1e-5, 2, 9, 3, 4, 2),
		gn("large-epsilon", 2, 1, 2, 6, 4, 4), gn("exact", 2, 0, 2, 8, 4, 5), gn("pixel", 2, 1e-5, 3, 10, 1, 1), gn("matrix", 3, 1e-5, 5, 21),
		gn("single", 4, 1e-5, 3, 4, 1), gn("long", 2, 1e-5, 1, 6, 40, 33), gn("longer", 1, 1e-5, 2, 5, 77, 64), gn("no-images", 2, 1e-5, 0, 6, 3, 4), gn("no-pixels", 2, 1e-5, 2, 6, 0, 4),
	}
	for _, i := range []int{0, 1, 3, 4, 5, 7, 13} {
		ps[i].layouts = true
	}
	if !short {
		ps = append(ps, gn("blocks", 2, 1e-5, 2, 34, 51, 40), gn("wide-blocks", 1, 1e-5, 1, 520, 9, 11))
		ps[len(ps)-2].layouts, ps[len(ps)-1].layouts = true, true
	}
	return append(ps, farProblems("far", backend.GroupNorm{Groups: 2, Epsilon: 1e-5}, backend.GroupNorm{Groups: 2}, shape{6}, 1, 6, 10, 31)...)
}

func instanceNormProblems(bool) []problem {
	in := func(name string, eps float32, x ...int) problem {
		c := backend.F32(x[1])
		return problem{name: name, d: desc(backend.InstanceNorm{Epsilon: eps}, backend.F32(x...), c, c), fills: check.Fills()}
	}
	ps := []problem{
		in("image", 1e-5, 2, 19, 5, 7), in("1d", 1e-3, 2, 5, 300), in("3d", 1e-5, 2, 6, 3, 4, 5), in("exact", 0, 2, 5, 4, 4), in("pixel", 1e-5, 2, 9, 1, 1),
		in("matrix", 1e-5, 4, 9), in("long", 1e-5, 1, 3, 61, 67), in("one-channel", 1e-5, 2, 1, 9, 9), in("no-images", 1e-5, 0, 5, 3, 3), in("no-channels", 1e-5, 2, 0, 3, 3),
	}
	for _, i := range []int{0, 2, 6, 7} {
		ps[i].layouts = true
	}
	return append(ps, farProblems("far", backend.InstanceNorm{Epsilon: 1e-5}, backend.InstanceNorm{}, shape{5}, 1, 5, 10, 31)...)
}

func layerNormProblems(short bool) []problem {
	ln := func(name string, axis int, eps float32, x ...int) problem {
		from := axis
		if axis < 0 {
			from += len(x)
		}
		a := backend.F32(x[from:]...)
		return problem{name: name, d: desc(backend.LayerNorm{Axis: axis, Epsilon: eps}, backend.F32(x...), a, a), fills: check.Fills()}
	}
	ps := []problem{
		ln("matrix", 1, 1e-5, 6, 33), ln("tokens", -1, 1e-5, 3, 7, 40), ln("vector", 0, 1e-5, 301), ln("image", 1, 1e-5, 3, 5, 4, 6), ln("plane", 2, 1e-5, 2, 5, 4, 6),
		ln("row", -1, 1e-5, 2, 6, 3, 20), ln("all", 0, 1e-5, 3, 5, 4, 6), ln("all-of-matrix", 0, 1e-5, 4, 6), ln("3d", 1, 1e-5, 2, 3, 3, 4, 5), ln("depth", 2, 1e-5, 2, 3, 3, 4, 5), ln("height", 3, 1e-5, 2, 3, 3, 4, 5),
		ln("large-epsilon", -1, 1, 5, 12), ln("exact", -1, 0, 5, 12), ln("element", -1, 1e-5, 5, 3, 1), ln("long", -1, 1e-5, 3, 5000), ln("long-image", 1, 1e-5, 2, 7, 20, 21),
		ln("no-images", 1, 1e-5, 0, 5, 3, 3), ln("empty", -1, 1e-5, 2, 3, 0), ln("rank6", 4, 1e-5, 2, 1, 3, 2, 3, 4),
	}
	for _, i := range []int{0, 1, 3, 4, 5, 6, 8, 9, 15} {
		ps[i].layouts = true
	}
	if !short {
		p := ln("blocks", 1, 1e-5, 2, 20, 40, 45)
		p.layouts = true
		ps = append(ps, p, ln("longest", -1, 1e-5, 2, 70001))
	}
	return append(ps, farProblems("far", backend.LayerNorm{Axis: -1, Epsilon: 1e-5}, backend.LayerNorm{Axis: -1}, shape{310}, 6, 310)...)
}

// farProblems have data whose mean is many σ away from 0, or whose first element
// is, data that are equal or nearly so, and data of all sizes. Exact is op without an epsilon.
func farProblems(name string, op, exact backend.Op, affine shape, x ...int) []problem {
	r := rand.New(rand.NewPCG(8, 9))
	a := tensor.Must(tensor.New(tensor.Float32, affine...))
	b := a.Clone()
	for i := range a.Float32s() {
		a.Float32s()[i], b.Float32s()[i] = float32(1+i%3), float32(i%5-2)
	}
	var ps []problem
	data := func(what string, op backend.Op, f func(i int) float64) {
		t := tensor.Must(tensor.New(tensor.Float32, x...))
		for i := range t.Float32s() {
			t.Float32s()[i] = float32(f(i))
		}
		ps = append(ps, problem{name: name + "-" + what, d: desc(op, backend.F32(x...), backend.F32(affine...), backend.F32(affine...)),
			fills: []check.Fill{check.Adversarial}, in: []*tensor.Tensor{t, a, b}, layouts: true})
	}
	for _, mean := range []float64{-10, 1e3, 1e6} {
		data(fmt.Sprintf("mean%g", mean), op, func(int) float64 { return mean + r.NormFloat64() })
	}
	data("first", op, func(i int) float64 {
		if i%310 == 0 {
			return 1e6
		}
		return r.NormFloat64()
	})
	data("equal", op, func(int) float64 { return 12345.678 })
	data("nearly-equal", op, func(i int) float64 { return 4096 + float64(i%7/6)/1024 })
	// Numbers whose squares are no float32, up to the largest and, without an epsilon,
	// down to where a distance is one.
	largest := func(i int) float64 { return math.MaxFloat32 * (2*r.Float64() - 1) }
	for _, o := range []struct {
		name string
		op   backend.Op
	}{{"", op}, {"-exact", exact}} {
		for _, size := range []float64{1e20, 1e-25} {
			data(fmt.Sprintf("size%g%s", size, o.name), o.op, func(int) float64 { return size * r.NormFloat64() })
			data(fmt.Sprintf("mean-of-size%g%s", size, o.name), o.op, func(int) float64 { return size * (100 + r.NormFloat64()) })
		}
		data("largest"+o.name, o.op, largest)
		data("ends"+o.name, o.op, func(i int) float64 { return math.MaxFloat32 * float64(1-2*min(i%310, 1)) })
	}
	data("equal-large", op, func(int) float64 { return 1e30 })
	data("one-large", op, func(i int) float64 {
		if i%310 == 77 {
			return -1e38
		}
		return r.NormFloat64()
	})
	return ps
}

func lrnProblems(bool) []problem {
	lrn := func(name string, op backend.LRN, x ...int) problem {
		return problem{name: name, d: desc(op, backend.F32(x...)), fills: check.Fills()}
	}
	alex := backend.LRN{Size: 5, Alpha: 1e-4, Beta: 0.75, K: 2}
	var ps []problem
	for _, size := range []int{1, 2, 3, 4, 5, 8, 19, 40} {
		p := lrn(fmt.Sprintf("size%d", size), backend.LRN{Size: size, Alpha: 0.5, Beta: 0.75, K: 1}, 2, 19, 3, 5)
		p.layouts = size > 2 && size < 6 || size == 40
		ps = append(ps, p)
	}
	ps = append(ps, lrn("alexnet", alex, 1, 96, 5, 5), lrn("root", backend.LRN{Size: 3, Alpha: 1, Beta: 0.5, K: 1}, 2, 7, 4, 4), lrn("whole", backend.LRN{Size: 3, Alpha: 1, Beta: 1, K: 1}, 2, 7, 4, 4),
		lrn("other-power", backend.LRN{Size: 3, Alpha: 1, Beta: 0.3, K: 1}, 2, 7, 4, 4), lrn("steep", backend.LRN{Size: 3, Alpha: 2, Beta: 3, K: 0.5}, 2, 7, 4, 4),
		lrn("no-power", backend.LRN{Size: 3, Alpha: 1, K: 1}, 2, 7, 4, 4), lrn("no-alpha", backend.LRN{Size: 3, Beta: 1, K: 2}, 2, 7, 4, 4), lrn("no-k", backend.LRN{Size: 3, Alpha: 3, Beta: 0.75}, 2, 7, 4, 4),
		lrn("matrix", alex, 4, 9), lrn("1d", alex, 2, 6, 70), lrn("3d", alex, 1, 6, 3, 4, 5), lrn("one-channel", alex, 2, 1, 4, 4), lrn("no-images", alex, 0, 6, 4, 4), lrn("no-channels", alex, 2, 0, 4, 4))
	plane := lrn("plane", backend.LRN{Size: 5, Alpha: 0.5, Beta: 0.75, K: 1}, 2, 6, 9, 17) // in several pieces
	plane.layouts = true
	ps[8].layouts, ps[18].layouts = true, true
	ps = append(ps, plane)
	// Powers of numbers of all sizes, of which some leave float32 and come back.
	x := tensor.Must(tensor.New(tensor.Float32, 1, 1, 2000))
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(math.Pow(10, float64(i-1000)/62))
	}
	for _, beta := range []float32{0.1, 0.5, 0.75, 1, 1.25, 2, 7} {
		ps = append(ps, problem{name: fmt.Sprintf("power-%v", beta), d: desc(backend.LRN{Size: 1, Alpha: 1, Beta: beta}, backend.F32(1, 1, 2000)), fills: []check.Fill{check.Normal}, in: []*tensor.Tensor{x}})
	}
	return ps
}
