package cpu

import (
	"fmt"
	"slices"
	"testing"
)

// Transposed matrices of all sizes around the edges of strips are what the formula
// says, with gaps between rows and columns that stay as they are.
func TestTranspose(t *testing.T) {
	sizes := []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 20, 24, 31, 33, 47, 64}
	from, to, scratch := newGuard(t, 1<<17), newGuard(t, 1<<17), newGuard(t, stageBytes/4)
	for _, set := range isas(t) {
		for _, output := range []int64{0, streamOutput} {
			tr := newTransposer(set, output)
			for _, rows := range sizes {
				for _, cols := range sizes {
					for _, gap := range [][2]int{{0, 0}, {3, 0}, {0, 5}, {16, 32}, {300, 300}} {
						checkTranspose(t, tr, from, to, scratch, rows, cols, cols+gap[0], rows+gap[1], fmt.Sprintf("%v output %d", set, output))
					}
				}
			}
			for _, n := range []int{stripLength - 1, stripLength, stripLength + 15, stripLength + 16, 2*stripLength + 17} {
				checkTranspose(t, tr, from, to, scratch, n, 20, 20, n, fmt.Sprintf("%v output %d", set, output))
				checkTranspose(t, tr, from, to, scratch, 20, n, n, 20, fmt.Sprintf("%v output %d", set, output))
				for _, alias := range []int{16, 19, 33, 64} { // through scratch memory
					checkTranspose(t, tr, from, to, scratch, alias, stageLength+15, stripAlias, alias+3, fmt.Sprintf("%v output %d", set, output))
					checkTranspose(t, tr, from, to, scratch, stageLength+15, alias, alias+3, stripAlias, fmt.Sprintf("%v output %d", set, output))
				}
				checkTranspose(t, tr, from, to, scratch, 32, n&^15, n&^15, 32, fmt.Sprintf("%v output %d", set, output))
			}
		}
	}
}

func checkTranspose(t *testing.T, tr *transposer, from, to, scratch func(n int, atEnd bool) []uint32, rows, cols, dr, sc int, name string) {
	t.Helper()
	for _, atEnd := range []bool{false, true} {
		src, dst := from((cols-1)*sc+rows, atEnd), to((rows-1)*dr+cols, atEnd)
		scramble(src)
		poison(asBytes(dst))
		want := slices.Clone(dst)
		for r := range rows {
			for c := range cols {
				want[r*dr+c] = src[c*sc+r]
			}
		}
		tr.run(dst, src, rows, cols, dr, sc, scratch(stageBytes/4, atEnd))
		if i := firstDifference(dst, want); i >= 0 {
			t.Fatalf("%s: %d×%d, dr %d, sc %d, end %v: element %d is %#x, want %#x", name, rows, cols, dr, sc, atEnd, i, dst[i], want[i])
		}
	}
}

func TestCopyRuns(t *testing.T) {
	from, to := newGuard(t, 1<<12), newGuard(t, 1<<12)
	for _, set := range isas(t) {
		fn := newRuns(set)
		for n := range 150 {
			for _, gap := range [][2]int{{0, 0}, {1, 0}, {0, 3}, {17, 9}} {
				for runs := range 5 {
					ds, ss := n+gap[0], n+gap[1]
					size := func(step int) int {
						if runs == 0 {
							return 0
						}
						return (runs-1)*step + n
					}
					for _, atEnd := range []bool{false, true} {
						src, dst := from(size(ss), atEnd), to(size(ds), atEnd)
						scramble(src)
						poison(asBytes(dst))
						want := slices.Clone(dst)
						for i := range runs {
							for j := range n {
								want[i*ds+j] = src[i*ss+j]
							}
						}
						fn(dst, src, runs, n, ds, ss)
						if i := firstDifference(dst, want); i >= 0 {
							t.Fatalf("%v: %d runs of %d, distances %d and %d, end %v: element %d is %#x, want %#x", set, runs, n, ds, ss, atEnd, i, dst[i], want[i])
						}
					}
				}
			}
		}
	}
}
