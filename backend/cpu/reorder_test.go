package cpu

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// layoutsOf lists the layouts that copies are tested in.
var layoutsOf = []backend.Layout{plain, cl, {Order: backend.OrderChannelsLast, Pad: 2}, cl4, {Order: backend.OrderChannelsLast, Pad: 8}}

// Copies between all layouts keep every bit, NaN too, with sizes around the edges of
// all kernels, and touch nothing but their tensors.
func TestReorderBits(t *testing.T) {
	from, to := newGuard(t, 1<<16), newGuard(t, 1<<16)
	sets := isas(t)
	for _, c := range []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65} {
		for _, s := range []int{1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 49, 130} {
			shape := tensor.Shape{2, c, s}
			for _, lx := range layoutsOf {
				for _, ly := range layoutsOf {
					x, y := in(lx, backend.F32(shape...)), in(ly, backend.F32(shape...))
					for _, set := range sets {
						checkCopy(t, from, to, fmt.Sprintf("%v %v to %v", set, x, y), x, y, lx.Strides(shape), func(cp *copier) []phase {
							cp.isa = set
							return cp.tensor(x, y, lx.Strides(shape))
						})
					}
				}
			}
		}
	}
}

// So do transpositions of random shapes.
func TestTransposeBits(t *testing.T) {
	from, to := newGuard(t, 1<<17), newGuard(t, 1<<17)
	sets := isas(t)
	r := rand.New(rand.NewPCG(1, 2))
	sizes := []int{1, 1, 2, 2, 3, 4, 5, 7, 8, 9, 16, 17, 20, 33}
	for range 3000 {
		rank := 2 + r.IntN(4)
		shape := make(tensor.Shape, rank)
		for i := range shape {
			shape[i] = sizes[r.IntN(len(sizes))]
		}
		if shape.Size() > 1<<14 {
			continue
		}
		perm := r.Perm(rank)
		ys := make(tensor.Shape, rank)
		lx, ly := layoutsOf[r.IntN(len(layoutsOf))], layoutsOf[r.IntN(len(layoutsOf))]
		sx := make([]int, rank)
		for i, k := range perm {
			ys[i], sx[i] = shape[k], lx.Strides(shape)[k]
		}
		x, y := in(lx, backend.F32(shape...)), in(ly, backend.F32(ys...))
		for _, set := range sets {
			checkCopy(t, from, to, fmt.Sprintf("%v %v by %v to %v", set, x, perm, y), x, y, sx, func(cp *copier) []phase {
				cp.isa = set
				return cp.tensor(x, y, sx)
			})
		}
	}
}

// And parts, stretched and repeated tensors, forwards and backwards.
func TestStridedBits(t *testing.T) {
	from, to := newGuard(t, 1<<16), newGuard(t, 1<<16)
	r := rand.New(rand.NewPCG(7, 8))
	sizes := []int{1, 1, 2, 3, 4, 5, 8, 9, 17, 40, 67}
	var devices []*device
	for _, set := range isas(t) {
		devices = append(devices, open(t, "cpu", backend.WithVariant(set.String()), backend.WithThreads(2)).(*device))
	}
	ran := map[string]int{}
	for range 12000 {
		rank := 1 + r.IntN(5)
		x := backend.F32(make([]int, rank)...)
		for i := range x.Shape {
			x.Shape[i] = sizes[r.IntN(len(sizes))]
		}
		x.Layout = layoutsOf[r.IntN(len(layoutsOf))]
		sx := x.Layout.Strides(x.Shape)
		var op backend.Op
		var plan func(*device, backend.Desc) (*plan, error)
		var shape tensor.Shape // of the nest
		begin := 0
		repeats := make([]int, rank)
		switch r.IntN(3) {
		case 0:
			plan = planSlice
			s := backend.Slice{Steps: make([]int, rank)}
			for i, n := range x.Shape {
				first, size := r.IntN(n), 1+r.IntN(n)
				step := 1 + r.IntN(3)*r.IntN(2)
				size = min(size, (n-1-first)/step+1)
				if r.IntN(4) == 0 { // all, or all backwards
					first, size, step = 0, n, 1
				}
				end := first + (size-1)*step + 1
				if r.IntN(4) == 0 {
					first, end, step = end-1, first-1, -step
				}
				s.Starts, s.Ends, s.Steps[i] = append(s.Starts, first), append(s.Ends, end), step
				begin += first * sx[i]
				sx[i] *= step
				shape = append(shape, size)
			}
			op = s
		case 1:
			plan = planExpand
			e := backend.Expand{Shape: make([]int, rank)}
			for i, n := range x.Shape {
				if e.Shape[i] = 1; n == 1 {
					e.Shape[i], sx[i] = sizes[r.IntN(len(sizes))], 0
				}
				shape = append(shape, max(n, e.Shape[i]))
			}
			if more := r.IntN(3) == 0; more && rank < 5 {
				e.Shape = append([]int{3}, e.Shape...)
				shape, sx = append(tensor.Shape{3}, shape...), append([]int{0}, sx...)
			}
			op = e
		default:
			plan = planTile
			for i, n := range x.Shape {
				repeats[i] = 1 + r.IntN(3)*r.IntN(2)
				shape = append(shape, n*repeats[i])
			}
			op = backend.Tile{Repeats: repeats}
		}
		y := in(layoutsOf[r.IntN(len(layoutsOf))], backend.F32(shape...))
		if max(x.Bytes(), y.Bytes()) > 4<<15 {
			continue
		}
		sy := y.Layout.Strides(y.Shape)
		if _, ok := op.(backend.Tile); ok {
			var two tensor.Shape
			var ty, tx []int
			for i, n := range x.Shape {
				two, ty, tx = append(two, repeats[i], n), append(ty, n*sy[i], sy[i]), append(tx, 0, sx[i])
			}
			shape, sy, sx = two, ty, tx
		}
		ran[op.Kind()]++
		for _, dev := range devices {
			d, err := backend.Desc{Op: op, In: []backend.TensorDesc{x}, Out: []backend.TensorDesc{y}}.Resolve()
			if err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprintf("%v %+v of %v to %v", dev.isa, op, x, y)
			checkNest(t, from, to, name, x, y, shape, sy, sx, begin, func(cp *copier) []phase {
				p, err := plan(dev, d)
				if err != nil {
					t.Fatal(err)
				}
				cp.scratch = p.workspace
				return p.phases
			})
		}
	}
	for _, kind := range []string{"Slice", "Expand", "Tile"} {
		if ran[kind] < 500 {
			t.Errorf("%d of %s only", ran[kind], kind)
		}
	}
}

// checkCopy runs the phases that copy x, with strides sx along the dims of y, to y.
func checkCopy(t *testing.T, from, to func(n int, atEnd bool) []uint32, name string, x, y backend.TensorDesc, sx []int, plan func(cp *copier) []phase) {
	t.Helper()
	checkNest(t, from, to, name, x, y, y.Shape, y.Layout.Strides(y.Shape), sx, 0, plan)
}

// checkNest runs the phases that copy elements of x to y, along the dims of a shape
// with strides sx and sy, from one of x on.
func checkNest(t *testing.T, from, to func(n int, atEnd bool) []uint32, name string, x, y backend.TensorDesc, shape tensor.Shape, sy, sx []int, begin int, plan func(cp *copier) []phase) {
	t.Helper()
	src, dst := from(int(x.Bytes()/4), true), to(int(y.Bytes()/4), true)
	scramble(src)
	poison(asBytes(dst))
	want := make([]uint32, len(dst)) // lanes are zeros
	at := make([]int, len(shape))
	for range y.Shape.Size() {
		i, j := 0, begin
		for d, a := range at {
			i, j = i+a*sy[d], j+a*sx[d]
		}
		want[i] = src[j]
		for d := len(at) - 1; d >= 0; d-- {
			if at[d]++; at[d] < shape[d] {
				break
			}
			at[d] = 0
		}
	}
	c := &call{in: [][]byte{asBytes(src)}, out: [][]byte{asBytes(dst)}}
	cp := &copier{threads: 2, src: func(c *call) []byte { return c.in[0] }, dst: func(c *call) []byte { return c.out[0] }}
	phases := plan(cp)
	c.ws = alignedBytes(int(cp.scratch))
	poison(c.ws)
	for _, ph := range phases {
		for part := ph.parts - 1; part >= 0; part-- { // in any order
			ph.fn(c, part, part%cp.threads)
		}
	}
	if i := firstDifference(dst, want); i >= 0 {
		t.Fatalf("%s: element %d is %#x, want %#x", name, i, dst[i], want[i])
	}
}

// The parts of a copy are the same work cut otherwise, also where a part ends within
// a matrix.
func TestCopyParts(t *testing.T) {
	from, to := newGuard(t, 1<<20), newGuard(t, 1<<20)
	for _, set := range isas(t) {
		staged := false
		for _, shape := range []tensor.Shape{{1, 64, 5000}, {3, 20, 4001}, {2, 3, 50021}, {7, 1, 9001}, {1, 700, 300}, {40, 33, 65}, {1, 77, 1024}, {3, 17, 4096}, {2, 32, 3072}, {1, 1024, 200}} {
			for _, l := range [][2]backend.Layout{{plain, cl}, {cl, plain}, {cl, cl4}, {cl4, plain}, {plain, cl4}, {plain, plain}} {
				x, y := in(l[0], backend.F32(shape...)), in(l[1], backend.F32(shape...))
				if max(x.Bytes(), y.Bytes()) > 4<<20 {
					continue
				}
				parts := 0
				checkCopy(t, from, to, fmt.Sprintf("%v %v to %v", set, x, y), x, y, l[0].Strides(shape), func(cp *copier) []phase {
					cp.isa = set
					ph := cp.tensor(x, y, l[0].Strides(shape))
					parts, staged = ph[0].parts, staged || cp.scratch > 0
					return ph
				})
				if parts < 2 && shape.Size() > 1<<16 {
					t.Errorf("%v to %v: %d part", x, y, parts)
				}
			}
		}
		if !staged && len(newTransposer(set, 0).strips) > 0 {
			t.Errorf("%v: no copy went through scratch memory", set)
		}
	}
}

// A copy through scratch memory allocates nothing.
func TestStagedCopyAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	d := backend.Desc{Op: backend.Reorder{}, In: []backend.TensorDesc{in(cl, backend.F32(1, 40, 32, 64))}, Out: []backend.TensorDesc{in(plain, backend.F32(1, 40, 32, 64))}}
	for _, set := range isas(t) {
		inst, err := backend.NewInstance(ctx, open(t, "cpu", backend.WithVariant(set.String())), d)
		if err != nil {
			t.Fatal(err)
		}
		if ws := inst.Kernel.Info().Workspace; (ws == 0) != (len(newTransposer(set, 0).strips) == 0) {
			t.Errorf("%v: %d bytes of workspace", set, ws)
		}
		if err := inst.SetInput(ctx, 0, inputs(1, d)[0]); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(5, func() {
			if err := inst.Run(ctx); err != nil {
				t.Error(err)
			}
		}); n != 0 {
			t.Errorf("%v: %v allocations", set, n)
		}
		if err := inst.Close(); err != nil {
			t.Error(err)
		}
	}
}

// What is copied past the caches is right too, in parts and where it is not aligned.
func TestCopyStreams(t *testing.T) {
	if testing.Short() {
		t.Skip("tensors of 8 MiB")
	}
	for _, set := range isas(t) {
		for _, shape := range []tensor.Shape{{1, 64, 32768}, {2, 48, 21845}} {
			for _, l := range [][2]backend.Layout{{plain, cl}, {cl, plain}, {plain, plain}} {
				x, y := in(l[0], backend.F32(shape...)), in(l[1], backend.F32(shape...))
				mem := func(d backend.TensorDesc) func(n int, _ bool) []uint32 {
					m := view[uint32](alignedBytes(int(d.Bytes())))
					return func(n int, _ bool) []uint32 { return slices.Clip(m[:n]) }
				}
				checkCopy(t, mem(x), mem(y), fmt.Sprintf("%v %v to %v", set, x, y), x, y, l[0].Strides(shape), func(cp *copier) []phase {
					cp.isa = set
					return cp.tensor(x, y, l[0].Strides(shape))
				})
			}
		}
	}
}
