package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// boxes returns boxes of all kinds of n lanes.
func boxes(r *rand.Rand, n int) box {
	g := box{boxN: n, boxCols: 1 + r.IntN(4), boxNZ: 1 + r.IntN(2), boxNY: 1 + r.IntN(3), boxNX: 1 + r.IntN(5)}
	g[boxSX] = r.IntN(n + 2)
	g[boxSY] = r.IntN(2*n + 3)
	g[boxSZ] = r.IntN(3*n + 5)
	g[boxXStep] = r.IntN(2*n + 1)
	g[boxYStep] = n + r.IntN(5)
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
				}
				y, want := make([]float32, ny), make([]float32, ny)
				fill(want, 77)
				copy(y, want)
				maxBoxGeneric(want, x, g)
				got := fenced(gy, y, i%4 < 2)
				x = fenced(gx, x, i%3 > 0)
				k.maxBox(got, x, g)
				compare(t, fmt.Sprintf("%v maxBox %v", set, g), got, want)

				// Sums are added in the same order, so that they are equal.
				factor := 1 / float64(g[boxNZ]*g[boxNY]*g[boxNX])
				meanBoxGeneric(want, x, g, factor)
				k.meanBox(got, x, g, factor)
				compare(t, fmt.Sprintf("%v meanBox %v", set, g), got, want)
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
					k.maxPick(got, fenced(gx, x, true), g, pattern)
					compare(t, fmt.Sprintf("%v maxPick c %d stride %d %v", set, c, stride, g), got, want)
				}
			}
		}
	}
}

// Kernels of maxima with places equal the one in plain Go, for channels of a pixel and
// for pixels of a row, on elements that are often equal.
func TestPoolIndices(t *testing.T) {
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
