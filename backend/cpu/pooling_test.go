package cpu

import (
	"fmt"
	"math/rand/v2"
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
				k.maxBox(got, fenced(gx, x, i%3 > 0), g)
				compare(t, fmt.Sprintf("%v maxBox %v", set, g), got, want)
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
				pattern := pickPattern(k.lanes, c, stride*c)
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
