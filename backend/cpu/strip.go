package cpu

import "unsafe"

//go:generate go -C _asm run . -family strip -out ../strip_amd64.s -stubs ../zstrip_amd64.go -pkg cpu

// stripFunc transposes a strip of a matrix, of a certain width and n elements long, n
// at least the width:
//
//	dst[r·dr + c] = src[c·sc + r]
//
// The strip runs along r, and then ds = dr and ss = 1, or along c, and then ds = 1 and
// ss = sc. The caller vouches for the lengths.
type stripFunc func(dst, src []uint32, n, dr, sc, ds, ss int)

// stripKernel is a stripFunc and what it is for.
type stripKernel struct {
	needs  isa
	width  int
	fn     stripFunc
	stream stripFunc // the same, past the caches; nil for none
}

// Bounds of transpositions, by measurement: a strip along rows writes at distances of
// dr, which costs little while they are short; long strips feed the prefetchers; an
// output that the last-level cache does not keep is better not put there at all.
const (
	stripShort   = 256     // elements
	stripLength  = 1024    // elements
	streamOutput = 8 << 20 // bytes
)

// transposer transposes matrices whose rows and columns are at any distance. It does
// not change.
type transposer struct {
	strips  []stripKernel // the widest first
	streams bool
}

// newTransposer returns the best transposer for an output of so many bytes in all.
func newTransposer(set isa, output int64) *transposer {
	t := &transposer{streams: output >= streamOutput}
	for _, k := range stripArch {
		if k.needs <= set && (len(t.strips) == 0 || k.width < t.strips[len(t.strips)-1].width) {
			t.strips = append(t.strips, k)
		}
	}
	return t
}

// run sets dst[r·dr + c] = src[c·sc + r] for 0 ≤ r < rows and 0 ≤ c < cols. Elements
// are bits: NaN stays what it is.
func (t *transposer) run(dst, src []uint32, rows, cols, dr, sc int) {
	if rows == 0 || cols == 0 {
		return
	}
	dst, src = dst[:(rows-1)*dr+cols], src[:(cols-1)*sc+rows]
	first := 0
	for first < len(t.strips) && t.strips[first].width > min(rows, cols) {
		first++
	}
	if first == len(t.strips) {
		transposeGeneric(dst, src, rows, cols, dr, sc)
		return
	}
	k := t.strips[first]
	if t.streams && k.stream != nil && (rows|cols|dr)%16 == 0 && uintptr(unsafe.Pointer(&dst[0]))%align == 0 {
		k.fn = k.stream
	}
	// Strips of length n along one dim; across is the other.
	length, across := cols, rows
	ds, ss, da, sa := 1, sc, dr, 1
	if dr < stripShort && dr <= sc {
		length, across = rows, cols
		ds, ss, da, sa = dr, 1, 1, sc
	}
	for l, n := 0, 0; l < length; l += n {
		n = stripPart(length-l, k.width)
		for a, width := 0, 0; a < across; a += width {
			fn := k.fn
			width = k.width
			if left := across - a; left < width { // the narrowest that covers it
				for _, narrow := range t.strips[first:] {
					if narrow.width >= left {
						fn, width = narrow.fn, narrow.width
					}
				}
				a = across - width
			}
			fn(dst[l*ds+a*da:], src[l*ss+a*sa:], n, dr, sc, ds, ss)
		}
	}
}

// stripPart returns how many of n elements, at least width of them, the next strip
// takes such that it leaves none or at least width.
func stripPart(n, width int) int {
	if n < stripLength+width {
		return n
	}
	return stripLength
}

// transposeTile is the edge of the tiles of transposeGeneric: two tiles of it fit the
// first-level cache whatever the strides.
const transposeTile = 16

func transposeGeneric(dst, src []uint32, rows, cols, dr, sc int) {
	for r0 := 0; r0 < rows; r0 += transposeTile {
		r1 := min(r0+transposeTile, rows)
		for c0 := 0; c0 < cols; c0 += transposeTile {
			c1 := min(c0+transposeTile, cols)
			for r := r0; r < r1; r++ {
				d, s := dst[r*dr:], src[r:]
				for c := c0; c < c1; c++ {
					d[c] = s[c*sc]
				}
			}
		}
	}
}
