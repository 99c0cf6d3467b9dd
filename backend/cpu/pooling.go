package cpu

//go:generate go -C _asm run . -family pooling -out ../pooling_amd64.s -stubs ../zpooling_amd64.go -pkg cpu

// box says what a kernel of a pooling reads and writes, in elements: columns of n
// lanes, each reduced over a box of taps, the last of three dims moving fastest.
// Lane i of column j has its taps at
//
//	x[j·xStep + i + z·sz + y·sy + x·sx], 0 ≤ z < nz, 0 ≤ y < ny, 0 ≤ x < nx
//
// and its result at y[j·yStep + i]. All of n, cols, nz, ny, nx are 1 or more.
// Assembly knows the order of the fields.
type box = [10]int

const (
	boxN = iota
	boxCols
	boxYStep
	boxXStep
	boxNZ
	boxNY
	boxNX
	boxSZ
	boxSY
	boxSX
)

// boxSpan returns how far a box reads from its first element on, and writes.
func boxSpan(g *box) (x, y int) {
	last := (g[boxCols]-1)*g[boxXStep] + (g[boxNZ]-1)*g[boxSZ] + (g[boxNY]-1)*g[boxSY] + (g[boxNX]-1)*g[boxSX]
	return last + g[boxN], (g[boxCols]-1)*g[boxYStep] + g[boxN]
}

// maxBoxGeneric computes maxima; NaN if any tap is NaN.
func maxBoxGeneric(y, x []float32, g box) {
	n := g[boxN]
	for j := range g[boxCols] {
		row, src := y[j*g[boxYStep]:][:n], x[j*g[boxXStep]:]
		// Taps go in pairs, so that the row is read and written half as often.
		first, held := true, -1
		for a := range g[boxNZ] {
			for b := range g[boxNY] {
				for c := range g[boxNX] {
					at := a*g[boxSZ] + b*g[boxSY] + c*g[boxSX]
					switch {
					case held < 0:
						held = at
						continue
					case first:
						maxOf2(row, src[held:], src[at:])
					default:
						maxOf3(row, src[held:], src[at:])
					}
					first, held = false, -1
				}
			}
		}
		switch {
		case held >= 0 && first:
			copy(row, src[held:])
		case held >= 0:
			maxOf2(row, row, src[held:])
		}
	}
}

func maxOf2(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = max(a[i], b[i])
	}
}

func maxOf3(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i, v := range dst {
		dst[i] = max(v, a[i], b[i])
	}
}

// A pattern says which lanes of the vectors of a row are results; it repeats. Each
// vector has pickWords words: the lanes that are picked, two to a word, for AVX2; a
// mask of them; how many they are; and how many elements on the next vector begins.
const (
	pickMask    = 4
	pickCount   = 5
	pickAdvance = 6
	pickWords   = 8
)

// pickPattern returns the pattern for vectors of so many lanes that picks runs of c
// lanes, period apart.
func pickPattern(lanes, c, period int) []int64 {
	var words []int64
	for at := 0; ; { // a lane that is picked
		var p [pickWords]int64
		for lane := range lanes {
			if (at+lane)%period < c {
				if k := p[pickCount]; k < 8 {
					p[k/2] |= int64(lane) << (k % 2 * 32)
				}
				p[pickMask] |= 1 << lane
				p[pickCount]++
			}
		}
		next := at + lanes
		for next%period >= c {
			next++
		}
		p[pickAdvance] = int64(next - at)
		words = append(words, p[:]...)
		if at = next; at%period == 0 {
			return words
		}
	}
}

// picked says what a kernel that picks reads and writes, in elements: rows with n
// results each of taps at distances of step. Assembly knows the order of the fields.
type picked = [6]int

const (
	pickN = iota
	pickRows
	pickYStep // between rows
	pickXStep
	pickTaps
	pickStep
)

// maxPickGeneric computes maxima, NaN if any tap is NaN, of the lanes of each row of x
// that the pattern picks. Vectors are read whole, up to pickSlack elements beyond
// what is used.
func maxPickGeneric(y, x []float32, g picked, pattern []int64) {
	for r := range g[pickRows] {
		y, x := y[r*g[pickYStep]:][:g[pickN]], x[r*g[pickXStep]:]
		for at, i := 0, 0; len(y) > 0; i = (i + pickWords) % len(pattern) {
			for lane, m := 0, pattern[i+pickMask]; m != 0 && len(y) > 0; lane, m = lane+1, m>>1 {
				if m&1 == 0 {
					continue
				}
				v := x[at+lane]
				for t := 1; t < g[pickTaps]; t++ {
					v = max(v, x[at+lane+t*g[pickStep]])
				}
				y[0], y = v, y[1:]
			}
			at += int(pattern[i+pickAdvance])
		}
	}
}

// pickSlack is a lane less than the longest vector has.
const pickSlack = 15

func fill[T any](s []T, v T) {
	for i := range s {
		s[i] = v
	}
}

// poolKernels are the inner loops of poolings for an instruction set.
type poolKernels struct {
	lanes   int // float32 in a vector
	maxBox  func(y, x []float32, g box)
	maxPick func(y, x []float32, g picked, pattern []int64)
}

// poolCandidates has them for each instruction set, the best first.
var poolCandidates = append(poolArch[:len(poolArch):len(poolArch)],
	impl[*poolKernels]{isaGeneric, &poolKernels{lanes: 16, maxBox: maxBoxGeneric, maxPick: maxPickGeneric}})
