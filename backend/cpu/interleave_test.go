package cpu

import (
	"fmt"
	"slices"
	"testing"
	"unsafe"
)

// scramble fills s with bits that are all different, NaN of all kinds among them.
func scramble(s []uint32) {
	for i := range s {
		s[i] = uint32(i+1) * 2654435761
	}
}

// asBytes views elements as their memory.
func asBytes(s []uint32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), 4*len(s))
}

// Movers of all shapes and lengths equal the ones in plain Go, and touch nothing else.
func TestInterleave(t *testing.T) {
	const most, gap = 83, 5
	a, b := newGuard(t, 1024), newGuard(t, 1024)
	sets := isas(t)
	for planes := 1; planes <= 6; planes++ {
		for pitch := planes; pitch <= planes+3; pitch++ {
			for _, set := range sets {
				in, out := newInterleaver(set, planes, pitch), newDeinterleaver(set, planes, pitch)
				for _, atEnd := range []bool{false, true} {
					for n := range most {
						for _, plane := range []int{n, n + gap} {
							// the last plane ends with its last pixel
							inPlanes, inPixels := (planes-1)*plane+n, n*pitch
							name := fmt.Sprintf("%v planes %d pitch %d n %d plane %d end %v", set, planes, pitch, n, plane, atEnd)
							move(t, name, in, b(inPixels, atEnd), a(inPlanes, atEnd), plane, n, func(want, src []uint32) {
								interleaveGeneric(want, src, planes, pitch, plane, n)
							})
							move(t, name+" back", out, b(inPlanes, atEnd), a(inPixels, atEnd), plane, n, func(want, src []uint32) {
								deinterleaveGeneric(want, src, planes, pitch, plane, n)
							})
						}
					}
				}
			}
		}
	}
}

func move(t *testing.T, name string, fn moveFunc, dst, src []uint32, plane, n int, want func(dst, src []uint32)) {
	t.Helper()
	scramble(src)
	for i := range dst {
		dst[i] = 0xdeadbeef // also between planes: must stay
	}
	expect := slices.Clone(dst)
	want(expect, src)
	fn(dst, src, plane, n)
	if i := firstDifference(dst, expect); i >= 0 {
		t.Fatalf("%s: element %d is %#x, want %#x", name, i, dst[i], expect[i])
	}
}

// firstDifference returns the first index at which a and b, of one length, differ,
// or −1.
func firstDifference(a, b []uint32) int {
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return -1
}

// The movers in plain Go are the formulas of moveFunc.
func TestInterleaveGeneric(t *testing.T) {
	src := []uint32{1, 2, 3, 4, 5, 6}
	got := make([]uint32, 9)
	interleaveGeneric(got, src, 2, 3, 3, 3)
	if want := []uint32{1, 4, 0, 2, 5, 0, 3, 6, 0}; !slices.Equal(got, want) {
		t.Errorf("interleaved: %v, want %v", got, want)
	}
	back := make([]uint32, 6)
	deinterleaveGeneric(back, got, 2, 3, 3, 3)
	if !slices.Equal(back, src) {
		t.Errorf("back: %v, want %v", back, src)
	}
}
