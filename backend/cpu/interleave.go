package cpu

import "unsafe"

//go:generate go -C _asm run . -family interleave -out ../interleave_amd64.s -stubs ../zinterleave_amd64.go -pkg cpu

// moveFunc copies n pixels between planes and pixels of a few channels. In the
// planes neighbours lie next to each other and channels plane elements apart; in the
// pixels channels lie next to each other and neighbours pitch elements apart. An
// interleaver writes pixels, with zeros beyond the channels:
//
//	dst[i·pitch + k] = src[k·plane + i], 0 ≤ k < planes
//
// and a deinterleaver writes planes:
//
//	dst[k·plane + i] = src[i·pitch + k], 0 ≤ k < planes
//
// The caller vouches for the lengths; n may be 0. Elements are bits: NaN stays what it
// is.
type moveFunc func(dst, src []uint32, plane, n int)

// moveShape is what an assembly moveFunc is made for.
type moveShape struct{ planes, pitch int }

// newInterleaver returns the best interleaver; those for more than 4 planes are plain
// Go.
func newInterleaver(set isa, planes, pitch int) moveFunc {
	if planes == 1 && pitch == 1 {
		return copyPlane
	}
	return pick(set, append(interleaveArch[moveShape{planes, pitch}], impl[moveFunc]{isaGeneric, func(dst, src []uint32, plane, n int) {
		interleaveGeneric(dst, src, planes, pitch, plane, n)
	}}))
}

// newDeinterleaver is newInterleaver for the way back.
func newDeinterleaver(set isa, planes, pitch int) moveFunc {
	if planes == 1 && pitch == 1 {
		return copyPlane
	}
	return pick(set, append(deinterleaveArch[moveShape{planes, pitch}], impl[moveFunc]{isaGeneric, func(dst, src []uint32, plane, n int) {
		deinterleaveGeneric(dst, src, planes, pitch, plane, n)
	}}))
}

func copyPlane(dst, src []uint32, _, n int) { copy(dst[:n], src[:n]) }

func interleaveGeneric(dst, src []uint32, planes, pitch, plane, n int) {
	for k := range planes {
		for i, v := range src[k*plane:][:n] {
			dst[i*pitch+k] = v
		}
	}
	if planes < pitch {
		for i := range n {
			clear(dst[i*pitch+planes : (i+1)*pitch])
		}
	}
}

func deinterleaveGeneric(dst, src []uint32, planes, pitch, plane, n int) {
	for k := range planes {
		d := dst[k*plane:][:n]
		for i := range d {
			d[i] = src[i*pitch+k]
		}
	}
}

// asBits views float32 as their bits.
func asBits(s []float32) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(s))), len(s))
}
