package cpu

//go:generate go -C _asm run . -family pooling -out ../pooling_amd64.s -stubs ../zpooling_amd64.go -pkg cpu

// box says what a kernel of a pooling reads and writes, in elements: lines of columns
// of n lanes, each reduced over a box of taps, the last of three dims moving fastest.
// Lane i of column j of line l has its taps at
//
//	x[l·xLine + j·xStep + i + z·sz + y·sy + x·sx], 0 ≤ z < nz, 0 ≤ y < ny, 0 ≤ x < nx
//
// and its result at y[l·yLine + j·yStep + i]. All of n, cols, lines, nz, ny, nx are 1
// or more. Clean is not 0 where maxima need not look for NaN, as x has none, and where
// sums may be float32, as taps are few. Assembly knows the order of the fields.
type box = [14]int

const (
	boxN = iota
	boxCols
	boxYStep
	boxXStep
	boxLines
	boxYLine
	boxXLine
	boxNZ
	boxNY
	boxNX
	boxSZ
	boxSY
	boxSX
	boxClean
)

// boxSpan returns how far a box reads from its first element on, and writes.
func boxSpan(g *box) (x, y int) {
	cols, lines := g[boxCols]-1, g[boxLines]-1
	taps := (g[boxNZ]-1)*g[boxSZ] + (g[boxNY]-1)*g[boxSY] + (g[boxNX]-1)*g[boxSX]
	return lines*g[boxXLine] + cols*g[boxXStep] + taps + g[boxN], lines*g[boxYLine] + cols*g[boxYStep] + g[boxN]
}

// joined returns g with lines of one column as columns, and columns that continue each
// other as one: the inner loops are the fast ones.
func joined(g box) box {
	if g[boxCols] == 1 {
		g[boxCols], g[boxYStep], g[boxXStep] = g[boxLines], g[boxYLine], g[boxXLine]
		g[boxLines] = 1
	}
	if g[boxLines] == 1 && g[boxXStep] == g[boxN] && g[boxYStep] == g[boxN] {
		g[boxN] *= g[boxCols]
		g[boxCols] = 1
	}
	return g
}

// eachPiece calls fn for pieces of the lanes of a box, with the first lane of each: one
// for all, unless windows are so large that a kernel would run for long.
func eachPiece(g box, fn func(at int, g box)) {
	n, work := g[boxN], g[boxCols]*g[boxLines]*g[boxNZ]*g[boxNY]*g[boxNX]
	piece := max(blockWork/work, chunk)
	if work*n <= 4*blockWork {
		piece = n
	}
	for at := 0; at < n; at += piece {
		g[boxN] = min(piece, n-at)
		fn(at, g)
	}
}

// maxBoxGeneric computes maxima; NaN if any tap is NaN. Where the result is false no
// result is NaN, or other kernels need not be told.
func maxBoxGeneric(y, x []float32, g box) bool {
	n := g[boxN]
	for i := range g[boxLines] * g[boxCols] {
		l, j := i/g[boxCols], i%g[boxCols]
		row, src := y[l*g[boxYLine]+j*g[boxYStep]:][:n], x[l*g[boxXLine]+j*g[boxXStep]:]
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
	return false
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
// mask of them; how many they are; how many elements and places on the next vector
// begins; and the places of all lanes, two to a word. Runs of lanes are at a place.
const (
	pickMask    = 4
	pickCount   = 5
	pickAdvance = 6
	pickPlaces  = 7
	pickPlace   = 8
	pickWords   = 16
)

// pickPattern returns the pattern for vectors of so many lanes that picks runs of c
// lanes, stride runs apart.
func pickPattern(lanes, c, stride int) []int64 {
	period := stride * c
	var words []int64
	for at := 0; ; { // a lane that is picked
		var p [pickWords]int64
		for lane := range lanes {
			p[pickPlace+lane/2] |= int64((at+lane)/c-at/c) << (lane % 2 * 32)
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
		p[pickAdvance], p[pickPlaces] = int64(next-at), int64(next/c-at/c)
		words = append(words, p[:]...)
		if at = next; at%period == 0 {
			return words
		}
	}
}

// picked says what a kernel that picks reads and writes, in elements: rows with n
// results each of taps at distances of step. Assembly knows the order of the fields.
type picked = [7]int

const (
	pickN = iota
	pickRows
	pickYStep // between rows
	pickXStep
	pickTaps
	pickStep
	pickClean // not 0 where x has no NaN
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

const (
	pickSlack  = 15 // a lane less than the longest vector has
	halveSlack = 47 // what maxHalve may read behind the taps, with halveTaps of them
	halveTaps  = 16
)

func fill[T any](s []T, v T) {
	for i := range s {
		s[i] = v
	}
}

// halved says what maxHalve reads and writes, in elements: lines of n windows of one
// channel that begin two elements apart. Window i of line l has its taps at
//
//	x[l·xLine + z·sz + y·sy + 2i − left + x], 0 ≤ z < nz, 0 ≤ y < ny, 0 ≤ x < nx
//
// where 2i − left + x lies in the width of a row; others do not count. Clean is as in a
// box. Assembly knows the order of the fields.
type halved = [12]int

const (
	halveN = iota
	halveLines
	halveYLine
	halveXLine
	halveNZ
	halveNY
	halveNX
	halveSZ
	halveSY
	halveLeft
	halveWidth
	halveClean
)

// maxHalveGeneric computes maxima; NaN if any tap is NaN, −∞ if there is none.
func maxHalveGeneric(y, x []float32, g halved) {
	for l := range g[halveLines] {
		row := y[l*g[halveYLine]:][:g[halveN]]
		fill(row, negInf)
		for z := range g[halveNZ] {
			for r := range g[halveNY] {
				src := x[l*g[halveXLine]+z*g[halveSZ]+r*g[halveSY]:][:g[halveWidth]]
				for i := range row {
					at := 2*i - g[halveLeft]
					for t := max(at, 0); t < min(at+g[halveNX], len(src)); t++ {
						row[i] = max(row[i], src[t])
					}
				}
			}
		}
	}
}

// chunk is the number of lanes whose float64 sums are held at once.
const chunk = 64

// chunks calls fn for every chunk of lanes of a box: with where it lies in y and x, and
// its length. A function value that took sums would make them leave the stack.
func chunks(g *box, fn func(y, x, n int)) {
	for k := range g[boxLines] * g[boxCols] {
		l, j := k/g[boxCols], k%g[boxCols]
		for i := 0; i < g[boxN]; i += chunk {
			fn(l*g[boxYLine]+j*g[boxYStep]+i, l*g[boxXLine]+j*g[boxXStep]+i, min(chunk, g[boxN]-i))
		}
	}
}

// sumTaps sums the taps of lanes, of which the first one begins x.
func sumTaps[T float32 | float64](s []float64, x []T, g *box) {
	clear(s)
	for a := range g[boxNZ] {
		for b := range g[boxNY] {
			for c := range g[boxNX] {
				for l, v := range x[a*g[boxSZ]+b*g[boxSY]+c*g[boxSX]:][:len(s)] {
					s[l] += float64(v)
				}
			}
		}
	}
}

// meanBoxGeneric computes sums times a factor, in float64 and rounded once. Others may
// add few taps up in float32.
func meanBoxGeneric(y, x []float32, g box, factor float64) {
	var sums [chunk]float64
	chunks(&g, func(at, from, n int) {
		sumTaps(sums[:n], x[from:], &g)
		for i, v := range sums[:n] {
			y[at+i] = float32(v * factor)
		}
	})
}

// meanSumsGeneric is meanBoxGeneric of sums.
func meanSumsGeneric(y []float32, x []float64, g box, factor float64) {
	var sums [chunk]float64
	chunks(&g, func(at, from, n int) {
		sumTaps(sums[:n], x[from:], &g)
		for i, v := range sums[:n] {
			y[at+i] = float32(v * factor)
		}
	})
}

// sumBoxGeneric computes sums.
func sumBoxGeneric(y []float64, x []float32, g box) {
	chunks(&g, func(at, from, n int) { sumTaps(y[at:at+n], x[from:], &g) })
}

// indexed is a box whose columns have n results each in the lanes that a pattern
// picks, and places of them: the place of a tap of line l, column j, lane i is
//
//	place + l·line + j·row + z·iz + y·iy + x·ix + the place of lane i in the pattern
//
// Only lanes that are picked are read.
type indexed = [19]int

// The fields that a box lacks.
const (
	indexPlace = iota + boxClean
	indexRow
	indexLine
	indexZ
	indexY
	indexX
)

// maxIndexGeneric computes maxima and their places: those of the last NaN, or of the
// first of equal elements in the order of the taps.
func maxIndexGeneric(y []float32, index []int32, x []float32, g indexed, pattern []int64) {
	for k := range g[boxLines] * g[boxCols] {
		l, j := k/g[boxCols], k%g[boxCols]
		to := l*g[boxYLine] + j*g[boxYStep]
		y, index := y[to:][:g[boxN]], index[to:][:g[boxN]]
		at, place := l*g[boxXLine]+j*g[boxXStep], g[indexPlace]+l*g[indexLine]+j*g[indexRow]
		for i := 0; len(y) > 0; i = (i + pickWords) % len(pattern) {
			for lane, m := 0, pattern[i+pickMask]; m != 0 && len(y) > 0; lane, m = lane+1, m>>1 {
				if m&1 != 0 {
					v, p := maxIndexOf(x[at+lane:], &g)
					y[0], index[0] = v, int32(place)+p+int32(pattern[i+pickPlace+lane/2]>>(lane%2*32))
					y, index = y[1:], index[1:]
				}
			}
			at += int(pattern[i+pickAdvance])
			place += int(pattern[i+pickPlaces])
		}
	}
}

// maxIndexOf returns the maximum of the taps of one result and its place, from that
// of the first tap.
func maxIndexOf(x []float32, g *indexed) (float32, int32) {
	best, place := negInf, int32(0)
	for a := range g[boxNZ] {
		for b := range g[boxNY] {
			at, p := a*g[boxSZ]+b*g[boxSY], a*g[indexZ]+b*g[indexY]
			for range g[boxNX] {
				if v := x[at]; v > best || v != v { // v ≠ v takes the last NaN
					best, place = v, int32(p)
				}
				at, p = at+g[boxSX], p+g[indexX]
			}
		}
	}
	return best, place
}

// maxRowsGeneric sets each element of y to the maximum of n elements of x, of rows
// step apart; NaN if one is NaN.
func maxRowsGeneric(y, x []float32, n, step int) {
	for j := range y {
		v := negInf
		for _, e := range x[j*step:][:n] {
			v = max(v, e)
		}
		y[j] = v
	}
}

// sumRowsGeneric sets each element of y to the sum of n elements of x, of rows step
// apart.
func sumRowsGeneric(y []float64, x []float32, n, step int) {
	for j := range y {
		var s [4]float64 // sums that overlap in time
		row := x[j*step:][:n]
		for ; len(row) >= len(s); row = row[len(s):] {
			for i := range s {
				s[i] += float64(row[i])
			}
		}
		for i, e := range row {
			s[i] += float64(e)
		}
		y[j] = (s[0] + s[2]) + (s[1] + s[3])
	}
}

// poolKernels are the inner loops of poolings for an instruction set.
type poolKernels struct {
	lanes    int // float32 in a vector
	maxBox   func(y, x []float32, g box) bool
	maxSlide [2]maxBoxFunc // maxBox for 3 × 3 taps and strides of 1 and 2 taps
	maxPick  func(y, x []float32, g picked, pattern []int64)
	maxHalve [2]maxHalveFunc // the second for one row of taps that all count, with memory behind it
	maxIndex func(y []float32, index []int32, x []float32, g indexed, pattern []int64)
	meanBox  func(y, x []float32, g box, factor float64)
	sumBox   func(y []float64, x []float32, g box)
	meanSums func(y []float32, x []float64, g box, factor float64)
	maxRows  func(y, x []float32, n, step int)
	sumRows  func(y []float64, x []float32, n, step int)
}

type (
	maxBoxFunc   = func(y, x []float32, g box) bool
	maxHalveFunc = func(y, x []float32, g halved)
)

// poolCandidates has them for each instruction set, the best first.
var poolCandidates = append(poolArch[:len(poolArch):len(poolArch)],
	impl[*poolKernels]{isaGeneric, &poolKernels{16, maxBoxGeneric, [2]maxBoxFunc{maxBoxGeneric, maxBoxGeneric}, maxPickGeneric, [2]maxHalveFunc{maxHalveGeneric, maxHalveGeneric}, maxIndexGeneric,
		meanBoxGeneric, sumBoxGeneric, meanSumsGeneric, maxRowsGeneric, sumRowsGeneric}})
