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

// notUnderRace skips a test of one goroutine under the race detector, which makes it
// slow.
func notUnderRace(t *testing.T) {
	t.Helper()
	if raceEnabled {
		t.Skip("one goroutine, and slow under the race detector")
	}
}

// boxes returns boxes of all kinds of n lanes.
func boxes(r *rand.Rand, n int) box {
	g := box{boxN: n, boxCols: 1 + r.IntN(4), boxLines: 1 + r.IntN(2), boxNZ: 1 + r.IntN(2), boxNY: 1 + r.IntN(3), boxNX: 1 + r.IntN(5)}
	g[boxSX] = r.IntN(n + 2)
	g[boxSY] = r.IntN(2*n + 3)
	g[boxSZ] = r.IntN(3*n + 5)
	g[boxXStep] = r.IntN(2*n + 1)
	g[boxYStep] = n + r.IntN(5)
	g[boxXLine] = r.IntN(3*n + 1)
	g[boxYLine] = g[boxCols]*g[boxYStep] + r.IntN(3)
	return g
}

// fenced puts a copy of v between pages that may not be touched.
func fenced(guard func(n int, atEnd bool) []uint32, v []float32, atEnd bool) []float32 {
	m := view[float32](asBytes(guard(len(v), atEnd)))
	copy(m, v)
	return m
}

const poolTestMost = 1 << 15

// Kernels of boxes equal those in plain Go for every number of lanes around those of
// blocks and vectors, and touch nothing else.
func TestPoolBoxes(t *testing.T) {
	notUnderRace(t)
	gx, gy := newGuard(t, poolTestMost), newGuard(t, poolTestMost)
	r := rand.New(rand.NewPCG(3, 4))
	for _, set := range isas(t) {
		k := pick(set, poolCandidates)
		for n := 1; n <= 150; n++ {
			for i := range 8 {
				g := boxes(r, n)
				nx, ny := boxSpan(&g)
				x := values(r, nx)
				if i%2 == 0 {
					for j := range x {
						x[j] = float32(r.IntN(9) - 4)
					}
					if i%4 == 0 {
						x[r.IntN(nx)] = float32(math.NaN())
					}
				}
				y, want := make([]float32, ny), make([]float32, ny)
				fill(want, 77)
				copy(y, want)
				maxBoxGeneric(want, x, g)
				got := fenced(gy, y, i%4 < 2)
				x = fenced(gx, x, i%3 > 0)
				nan := k.maxBox(got, x, g)
				compare(t, fmt.Sprintf("%v maxBox %v", set, g), got, want)
				if k != pick(isaGeneric, poolCandidates) && !nan && slices.ContainsFunc(want, isNaN) {
					t.Errorf("%v maxBox %v: does not tell of NaN", set, g)
				}
				if !slices.ContainsFunc(x, isNaN) {
					clean := g
					clean[boxClean] = 1
					copy(got, y)
					k.maxBox(got, x, clean)
					compare(t, fmt.Sprintf("%v maxBox %v", set, clean), got, want)
				}

				// Sums are added in the same order, so that they are equal.
				factor := 1 / float64(g[boxNZ]*g[boxNY]*g[boxNX])
				meanBoxGeneric(want, x, g, factor)
				copy(got, y)
				k.meanBox(got, x, g, factor)
				compare(t, fmt.Sprintf("%v meanBox %v", set, g), got, want)
				if few := g; !slices.ContainsFunc(x, func(v float32) bool { return v != float32(int(v)) || v > 100 || v < -100 }) {
					few[boxClean] = 1
					copy(got, y)
					k.meanBox(got, x, few, factor)
					for j := range want {
						if !near(got[j], want[j], 1) {
							t.Errorf("%v meanBox %v: element %d is %v, want %v", set, few, j, got[j], want[j])
							break
						}
					}
				}
				sums, wantSums := view[float64](asBytes(gy(2*ny, i%4 < 2))), make([]float64, ny)
				fill(sums, 77)
				fill(wantSums, 77)
				sumBoxGeneric(wantSums, x, g)
				k.sumBox(sums, x, g)
				for j, v := range wantSums {
					if sums[j] != v && (v == v || sums[j] == sums[j]) {
						t.Errorf("%v sumBox %v: element %d is %v, want %v", set, g, j, sums[j], v)
						break
					}
				}
				x64 := view[float64](asBytes(gx(2*nx, i%3 > 0)))
				for j, v := range values(r, nx) {
					x64[j] = float64(v)
				}
				got = fenced(gy, y, i%4 < 2)
				copy(want, y)
				meanSumsGeneric(want, x64, g, factor)
				k.meanSums(got, x64, g, factor)
				compare(t, fmt.Sprintf("%v meanSums %v", set, g), got, want)
			}
		}
	}
}

// Kernels for windows of 3 × 3 equal maxBoxGeneric: on integers, on all kinds of
// elements, and where one element alone is NaN.
func TestPoolSlide(t *testing.T) {
	notUnderRace(t)
	gx, gy := newGuard(t, poolTestMost), newGuard(t, poolTestMost)
	r := rand.New(rand.NewPCG(13, 14))
	for _, set := range isas(t) {
		k := pick(set, poolCandidates)
		for n := minLanes; n <= 150; n++ {
			for i := range 12 {
				stride, step := 1+i%2, n+r.IntN(3)
				g := box{boxN: n, boxCols: 1 + r.IntN(6), boxLines: 1 + r.IntN(2), boxNZ: 1, boxNY: 3, boxNX: 3, boxSX: step, boxXStep: stride * step}
				g[boxSY] = (2 + 2*g[boxCols]) * step
				g[boxXLine], g[boxYStep] = r.IntN(2*g[boxSY]), n+r.IntN(3)
				g[boxYLine] = g[boxCols]*g[boxYStep] + r.IntN(3)
				nx, ny := boxSpan(&g)
				x := values(r, nx)
				if i%3 > 0 {
					for j := range x {
						x[j] = float32(r.IntN(9) - 4)
					}
				}
				if i%3 > 1 {
					x[r.IntN(nx)] = float32(math.NaN())
				}
				want := make([]float32, ny)
				fill(want, 77)
				got := fenced(gy, want, i%4 < 2)
				maxBoxGeneric(want, x, g)
				nan := k.maxSlide[stride-1](got, fenced(gx, x, i%4 > 0), g)
				compare(t, fmt.Sprintf("%v maxSlide %v", set, g), got, want)
				if k != pick(isaGeneric, poolCandidates) && !nan && slices.ContainsFunc(want, isNaN) {
					t.Errorf("%v maxSlide %v: does not tell of NaN", set, g)
				}
			}
		}
	}
}

func isNaN(v float32) bool { return v != v }

// compare reports the first element where got is not want; NaN equals NaN.
func compare(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if !near(got[i], want[i], 0) {
			t.Errorf("%s: element %d is %v, want %v", what, i, got[i], want[i])
			return
		}
	}
}

// Kernels that pick equal the one in plain Go, which looks at the lanes one by one.
func TestPoolPicks(t *testing.T) {
	notUnderRace(t)
	gx, gy := newGuard(t, poolTestMost), newGuard(t, poolTestMost)
	r := rand.New(rand.NewPCG(5, 6))
	for _, set := range isas(t) {
		k := pick(set, poolCandidates)
		for c := 1; c < minLanes; c++ {
			for _, stride := range []int{1, 2, 3, 4, 5, 7, 16, 33} {
				pattern := pickPattern(k.lanes, c, stride)
				for cols := 1; cols < 40; cols += 1 + r.IntN(3) {
					g := picked{pickN: cols * c, pickRows: 1 + r.IntN(3), pickTaps: 1 + r.IntN(5)}
					g[pickStep] = r.IntN(3) * c
					width := (cols-1)*stride*c + c + (g[pickTaps]-1)*g[pickStep]
					g[pickXStep], g[pickYStep] = width+r.IntN(4), g[pickN]+r.IntN(3)
					x := values(r, (g[pickRows]-1)*g[pickXStep]+width+pickSlack)
					want := make([]float32, (g[pickRows]-1)*g[pickYStep]+g[pickN])
					fill(want, 77)
					before := slices.Clone(want)
					got := fenced(gy, want, cols%2 == 0)
					for row := range g[pickRows] {
						for i := range g[pickN] {
							at := row*g[pickXStep] + i/c*stride*c + i%c
							v := x[at]
							for tap := range g[pickTaps] {
								v = max(v, x[at+tap*g[pickStep]])
							}
							want[row*g[pickYStep]+i] = v
						}
					}
					x = fenced(gx, x, true)
					copy(got, before)
					k.maxPick(got, x, g, pattern)
					compare(t, fmt.Sprintf("%v maxPick c %d stride %d %v", set, c, stride, g), got, want)
					for i, v := range x { // the same without NaN
						if isNaN(v) {
							x[i] = 5
						}
					}
					g[pickClean] = 1
					maxPickGeneric(want, x, g, pattern)
					copy(got, before)
					k.maxPick(got, x, g, pattern)
					compare(t, fmt.Sprintf("%v maxPick c %d stride %d %v", set, c, stride, g), got, want)
				}
			}
		}
	}
}

// Kernels for windows two elements apart equal the one in plain Go, for windows that
// lie in the padding in part and as a whole, and read nothing outside the rows.
func TestPoolHalves(t *testing.T) {
	notUnderRace(t)
	gx, gy := newGuard(t, poolTestMost), newGuard(t, poolTestMost)
	r := rand.New(rand.NewPCG(15, 16))
	for _, set := range isas(t) {
		k := pick(set, poolCandidates)
		for width := 1; width <= 150; width++ {
			for i := range 16 {
				g := halved{halveLines: 1 + r.IntN(3), halveNZ: 1 + r.IntN(2), halveNY: 1 + r.IntN(3), halveNX: 1 + r.IntN(halveTaps), halveWidth: width}
				if i%2 == 0 {
					g[halveNX] = 2 + r.IntN(2)
				}
				g[halveLeft] = r.IntN(g[halveNX]+1) - r.IntN(2)*2*r.IntN(width)
				right := r.IntN(g[halveNX] + 1)
				g[halveN] = max((width+g[halveLeft]+right-g[halveNX])/2+1-r.IntN(2), 1)
				g[halveSY], g[halveSZ], g[halveXLine] = r.IntN(2*width), r.IntN(2*width), r.IntN(2*width)
				g[halveYLine] = g[halveN] + r.IntN(3)
				nx := (g[halveLines]-1)*g[halveXLine] + (g[halveNZ]-1)*g[halveSZ] + (g[halveNY]-1)*g[halveSY] + width
				x := values(r, nx)
				if i%4 > 0 {
					for j := range x {
						x[j] = float32(r.IntN(9) - 4)
					}
				}
				if i%4 == 3 {
					x[r.IntN(nx)] = float32(math.NaN())
				}
				want := make([]float32, (g[halveLines]-1)*g[halveYLine]+g[halveN])
				fill(want, 77)
				got := fenced(gy, want, i%4 < 2)
				maxHalveGeneric(want, x, g)
				k.maxHalve[0](got, fenced(gx, x, i%8 < 4), g)
				compare(t, fmt.Sprintf("%v maxHalve %v", set, g), got, want)

				g[halveNZ], g[halveNY], g[halveLeft], g[halveWidth] = 1, 1, 0, 2*(g[halveN]-1)+g[halveNX]
				x = values(r, (g[halveLines]-1)*g[halveXLine]+g[halveWidth]+halveSlack)
				if i%2 == 0 {
					g[halveClean] = 1
					for j := range x {
						x[j] = float32(r.IntN(9) - 4)
					}
				}
				fill(want, 77)
				copy(got, want)
				maxHalveGeneric(want, x, g)
				k.maxHalve[1](got, fenced(gx, x, true), g)
				compare(t, fmt.Sprintf("%v maxHalveRow %v", set, g), got, want)
			}
		}
	}
}

// Kernels of maxima with places equal the one in plain Go, for channels of a pixel and
// for pixels of a row, on elements that are often equal.
func TestPoolIndices(t *testing.T) {
	notUnderRace(t)
	gx, gy, gi := newGuard(t, poolTestMost), newGuard(t, poolTestMost), newGuard(t, poolTestMost)
	r := rand.New(rand.NewPCG(7, 8))
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, set := range isas(t) {
		k := pick(set, poolCandidates)
		for n := 1; n <= 70; n++ {
			for i := range 12 {
				c, stride := 1+r.IntN(minLanes-1), 1+r.IntN(4)
				pattern := pickPattern(k.lanes, c, stride)
				b := boxes(r, n)
				if i%2 == 0 {
					pattern = pickPattern(k.lanes, k.lanes, 1)
					pattern[pickPlaces] = 0
				} else {
					b[boxSX], b[boxSY], b[boxSZ] = r.IntN(9), r.IntN(90), r.IntN(300)
				}
				var g indexed
				copy(g[:], b[:])
				g[indexLine] = r.IntN(99)
				g[indexPlace], g[indexRow], g[indexZ], g[indexY], g[indexX] = r.IntN(99), r.IntN(9), r.IntN(999), r.IntN(99), r.IntN(9)
				width := n
				if i%2 != 0 {
					width = (n-1)/c*stride*c + (n-1)%c + 1
				}
				nx, ny := boxSpan(&b)
				x := make([]float32, nx-n+width)
				for j := range x {
					x[j] = []float32{nan, -inf, inf, -inf, 1, 2, 3, 4, 0, -1, -2, -3}[r.IntN(12)]
					if i%3 == 0 {
						x[j] = float32(r.IntN(5))
					}
				}
				want, wantIndex := make([]float32, ny), make([]int32, ny)
				fill(want, 77)
				fill(wantIndex, 777)
				got, index := fenced(gy, want, i%4 < 2), view[int32](asBytes(gi(ny, i%4 < 2)))
				copy(index, wantIndex)
				maxIndexGeneric(want, wantIndex, x, g, pattern)
				k.maxIndex(got, index, fenced(gx, x, i%4 > 0), g, pattern)
				what := fmt.Sprintf("%v maxIndex c %d stride %d %v", set, c, stride, g)
				compare(t, what, got, want)
				if !slices.Equal(index, wantIndex) {
					t.Errorf("%s: places %v, want %v", what, index, wantIndex)
				}
			}
		}
	}
}

// Rows of every length are reduced as in plain Go; sums of integers are exact.
func TestPoolRows(t *testing.T) {
	notUnderRace(t)
	gx, gy := newGuard(t, poolTestMost), newGuard(t, poolTestMost)
	r := rand.New(rand.NewPCG(9, 10))
	for _, set := range isas(t) {
		k := pick(set, poolCandidates)
		for n := 1; n <= 300; n++ {
			rows := 1 + r.IntN(4)
			step := n + r.IntN(3)
			x := values(r, (rows-1)*step+n)
			want := make([]float32, rows)
			for _, special := range []bool{true, false} {
				if !special {
					for i := range x {
						x[i] = float32(r.IntN(99) - 70)
					}
				}
				m := fenced(gx, x, n%3 > 0)
				got := fenced(gy, want, n%2 == 0)
				maxRowsGeneric(want, x, n, step)
				k.maxRows(got, m, n, step)
				compare(t, fmt.Sprintf("%v maxRows n %d step %d", set, n, step), got, want)
				sums, wantSums := view[float64](asBytes(gy(2*rows, true))), make([]float64, rows)
				sumRowsGeneric(wantSums, x, n, step)
				k.sumRows(sums, m, n, step)
				if !special && !slices.Equal(sums, wantSums) {
					t.Errorf("%v sumRows n %d step %d: %v, want %v", set, n, step, sums, wantSums)
				}
			}
		}
	}
}

// A mean is right where its float32 sum is not: of elements near the largest, and of an
// infinite one.
func TestMeanOfLarge(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, set := range isas(t) {
		t.Setenv("CONVGL_CPU", set.String())
		be := open(t, "cpu")
		for _, c := range []int{1, 3, 8, 40, 64} {
			for _, l := range []backend.Layout{cl, plain} {
				d := with(poolDesc(l, 2, 2, 0, 1, c, 6, 6), "avg")
				x := tensor.Must(tensor.New(tensor.Float32, 1, c, 6, 6))
				fill(x.Float32s(), math.MaxFloat32)
				x.Float32s()[0], x.Float32s()[7] = inf, 1
				y, err := backend.RunDesc(ctx, be, d, x)
				if err != nil {
					t.Fatal(err)
				}
				for i, v := range y[0].Float32s() {
					if want := float32(math.MaxFloat32); i > 0 && v != want || i == 0 && v != inf {
						t.Errorf("%v %v: mean %d of %d channels is %v", set, l, i, c, v)
					}
				}
			}
		}
	}
}

// anyPool returns a pooling of any kind, rank, window and layout.
func anyPool(r *rand.Rand) backend.Desc {
	dims := 1 + r.IntN(3)
	x := []int{1 + r.IntN(3), []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 33, 64, 70}[r.IntN(15)]}
	most := []int{70, 20, 9}[dims-1]
	if r.IntN(20) == 0 { // several blocks
		most = []int{6000, 120, 24}[dims-1]
	}
	var w backend.Window
	var begin, end []int
	for range dims {
		k, d := 1+r.IntN(4), 1
		if r.IntN(4) == 0 {
			d = 1 + r.IntN(3)
		}
		if r.IntN(9) == 0 {
			k = 1 + r.IntN(most)
		}
		b, e := 0, 0
		if r.IntN(2) == 0 {
			b, e = r.IntN(k*d+1), r.IntN(k*d+1)
		}
		n := 1 + r.IntN(most)
		if reach := d*(k-1) + 1 - b - e; n < reach {
			n = reach
		}
		x = append(x, n)
		w.Kernel, w.Dilations, w.Strides = append(w.Kernel, k), append(w.Dilations, d), append(w.Strides, 1+r.IntN(3+r.IntN(2)*k))
		begin, end = append(begin, b), append(end, e)
	}
	w.Pads = append(begin, end...)
	l := []backend.Layout{cl, plain, cl4}[r.IntN(3)]
	d := backend.Desc{In: []backend.TensorDesc{in(l, backend.F32(x...))}}
	switch r.IntN(8) {
	case 0, 1:
		d.Op = backend.MaxPool{Window: w, CeilMode: r.IntN(2) == 0}
	case 2, 3:
		d.Op = backend.MaxPool{Window: w, CeilMode: r.IntN(2) == 0, Indices: true}
	case 4, 5:
		d.Op = backend.AvgPool{Window: w, CeilMode: r.IntN(2) == 0, CountIncludePad: r.IntN(2) == 0}
	case 6:
		d.Op = backend.GlobalPool{Mean: r.IntN(2) == 0}
	case 7:
		out := make([]int, dims)
		for i := range out {
			out[i] = 1 + r.IntN(x[2+i]+2)
		}
		d.Op = backend.AdaptivePool{Out: out, Mean: r.IntN(2) == 0}
	}
	return d
}

// Poolings of every kind equal the reference, on integers with NaN and infinities
// among them.
func TestPoolAny(t *testing.T) {
	ref := open(t, "ref")
	for _, set := range isas(t) {
		t.Setenv("CONVGL_CPU", set.String())
		be := open(t, "cpu", backend.WithThreads(2))
		seeds := uint64(400)
		if raceEnabled {
			seeds = 50
		}
		for seed := range seeds {
			r := rand.New(rand.NewPCG(seed, 11))
			d := anyPool(r)
			x := integers(r, d.In[0])
			if r.IntN(2) == 0 {
				for i := range x.Float32s() {
					if r.IntN(8) == 0 {
						x.Float32s()[i] = []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))}[r.IntN(3)]
					}
				}
			}
			want, err := backend.RunDesc(ctx, ref, plainDesc(d), x)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			got := poisonedRun(t, be, d, []*tensor.Tensor{x})
			for i := range want {
				if want[i].DType() != tensor.Float32 {
					if string(got[i].Bytes()) != string(want[i].Bytes()) {
						t.Errorf("%v seed %d: %#v %v: indices differ", set, seed, d.Op, d.In)
					}
					continue
				}
				for j, v := range want[i].Float32s() {
					if !near(got[i].Float32s()[j], v, 1) {
						t.Errorf("%v seed %d: %#v %v: element %d is %v, want %v", set, seed, d.Op, d.In, j, got[i].Float32s()[j], v)
						break
					}
				}
			}
		}
	}
}

// Windows so large that their lanes go in pieces.
func TestPoolPieces(t *testing.T) {
	ref, be := open(t, "ref"), open(t, "cpu")
	for _, mean := range []bool{false, true} {
		d := backend.Desc{Op: backend.AdaptivePool{Out: []int{2, 2}, Mean: mean}, In: []backend.TensorDesc{in(cl, backend.F32(1, 130, 200, 200))}}
		x := inputs(3, d)
		want, err := backend.RunDesc(ctx, ref, plainDesc(d), x...)
		if err != nil {
			t.Fatal(err)
		}
		same(t, poisonedRun(t, be, d, x)[0], want[0])
	}
}
