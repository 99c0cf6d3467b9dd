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

// Lines of memory 4 KiB apart share a few places of the first-level cache, too few for
// a tile of them. Rows at such distances go through scratch memory, stageLength of
// them at once, unless both sides have such distances.
const (
	stripAlias  = 1024 // elements
	stageLength = 128
	stagePitch  = stageLength + 16 // elements; the last part may be longer
	stageBytes  = 4 * 16 * stagePitch
)

// transposer transposes matrices whose rows and columns are at any distance. It does
// not change.
type transposer struct {
	strips  []stripKernel // the widest first
	runs    runsFunc
	lines   bool // strips read each line once, so that they may be at any distance
	streams bool
}

// newTransposer returns the best transposer for an output of so many bytes in all.
func newTransposer(set isa, output int64) *transposer {
	t := &transposer{runs: newRuns(set), lines: set >= isaAVX512, streams: output >= streamOutput}
	for _, k := range stripArch {
		if k.needs <= set && (len(t.strips) == 0 || k.width < t.strips[len(t.strips)-1].width) {
			t.strips = append(t.strips, k)
		}
	}
	return t
}

// stages reports through which side, if any, scratch memory of stageBytes helps.
func (t *transposer) stages(dr, sc int) (src, dst bool) {
	if t.streams || len(t.strips) == 0 || t.strips[0].width != 16 {
		return false, false
	}
	dst, src = dr%stripAlias == 0, sc%stripAlias == 0
	return src && !dst && !t.lines, dst && !src
}

// run sets dst[r·dr + c] = src[c·sc + r] for 0 ≤ r < rows and 0 ≤ c < cols. Elements
// are bits: NaN stays what it is. Scratch is nil or stageBytes.
func (t *transposer) run(dst, src []uint32, rows, cols, dr, sc int, scratch []uint32) {
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
	if scratch != nil && k.width == 16 {
		if stageSrc, stageDst := t.stages(dr, sc); stageSrc || stageDst {
			t.staged(k.fn, dst, src, rows, cols, dr, sc, scratch[:stageBytes/4], stageSrc)
			return
		}
	}
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
		n = stripPart(length-l, k.width, stripLength)
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

// staged is run through scratch memory for strips of 16 columns of src, or 16 rows of
// dst.
func (t *transposer) staged(fn stripFunc, dst, src []uint32, rows, cols, dr, sc int, scratch []uint32, stageSrc bool) {
	length, across := cols, rows
	if stageSrc {
		length, across = rows, cols
	}
	for l, n := 0, 0; l < length; l += n {
		n = stripPart(length-l, 16, stageLength)
		for a := 0; a < across; a += 16 {
			a := min(a, across-16)
			if stageSrc {
				t.runs(scratch, src[a*sc+l:], 16, n, stagePitch, sc)
				fn(dst[l*dr+a:], scratch, n, dr, stagePitch, dr, 1)
			} else {
				fn(scratch, src[l*sc+a:], n, stagePitch, sc, 1, sc)
				t.runs(dst[a*dr+l:], scratch, 16, n, dr, stagePitch)
			}
		}
	}
}

// stripPart returns how many of n elements, at least width of them, the next strip
// takes such that it leaves none or at least width: most, or up to width−1 more.
func stripPart(n, width, most int) int {
	if n < most+width {
		return n
	}
	return most
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
