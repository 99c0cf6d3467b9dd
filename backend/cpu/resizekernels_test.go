package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/convgl/convgl/backend"
)

// guarded32 returns n zeros between guards.
func guarded32(g *guards, n int, atEnd bool) []int32 {
	v := guarded(g, make([]float32, n), atEnd)
	return unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(v))), n)
}

// The kernels of every instruction set are exact on integers and weights that are
// quarters, touch nothing beyond their slices, and write every element.
func TestResizeKernels(t *testing.T) {
	r, g := rand.New(rand.NewPCG(5, 6)), newGuards(t)
	want := pick(isaGeneric, resizeImpls)
	nan := float32(math.NaN())
	for _, set := range isas(t) {
		k := pick(set, resizeImpls)
		equal := func(what string, got, want []float32) {
			t.Helper()
			wantAll(t, got, want, "%v: %s", set, what)
		}
		for _, n := range normSizes() {
			atEnd := n%3 != 0
			f := func() []float32 { return guarded(g, integersOf[float32](r, n), atEnd) }
			a, b, c, d, y, wy := f(), f(), f(), f(), f(), make([]float32, n)
			k.blend2(y, a, b, 0.25, 0.75)
			want.blend2(wy, a, b, 0.25, 0.75)
			equal(fmt.Sprintf("blend2 of %d", n), y, wy)
			k.blend4(y, a, b, c, d, 0.25, 0.75, 0.5, -2)
			want.blend4(wy, a, b, c, d, 0.25, 0.75, 0.5, -2)
			equal(fmt.Sprintf("blend4 of %d", n), y, wy)
		}
		// permutations of lines that are shorter than the vectors, and longer
		for _, length := range []int{1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 100} {
			for _, n := range []int{1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 50} {
				for c := range 4 {
					step, near := []int{1, 3}[c%2], c/2
					atEnd := (length+n)%3 != 0
					x, y := guarded(g, integersOf[float32](r, length), atEnd), guarded(g, integersOf[float32](r, n), atEnd)
					x[r.IntN(length)] = nan
					whole := (n + k.lanes - 1) / k.lanes * k.lanes
					reach := (1 + near) * k.lanes
					base := guarded32(g, whole/k.lanes, atEnd)
					index, w0, w1 := guarded32(g, whole, atEnd), guarded(g, make([]float32, whole), atEnd), guarded(g, make([]float32, whole), atEnd)
					for v := range base {
						base[v] = int32(r.IntN(max(0, length-reach) + 1))
						for i := v * k.lanes; i < min(n, (v+1)*k.lanes); i++ {
							in := min(reach, length)
							index[i], w0[i] = int32(r.IntN(in)), 1
							if int(index[i])+step < in && r.IntN(2) > 0 {
								w0[i], w1[i] = 0.25, 0.75
							}
						}
					}
					name := fmt.Sprintf(" of %d from %d, %d", n, length, near)
					wy, wb := make([]float32, n), make([]float32, n)
					want.lines[0].permute[near](wy, x, base, index)
					want.lines[0].permuteBlend[near](wb, x, base, index, w0, w1, step)
					for stream, fn := range k.lines {
						if stream > 0 && n%lineFloats > 0 {
							break
						}
						fn.permute[near](y, x, base, index)
						equal("permute"+name, y, wy)
						fn.permuteBlend[near](y, x, base, index, w0, w1, step)
						equal("permuteBlend"+name, y, wb)
					}
				}
			}
		}
		for _, channels := range normSizes()[1:] {
			for pixels := range 4 {
				atEnd := channels%3 != 0
				pitch, step := channels+pixels%2*lineFloats, channels+pixels/2
				x := guarded(g, integersOf[float32](r, 3*step+channels), atEnd)
				y := guarded(g, integersOf[float32](r, max(0, (pixels-1)*pitch+channels)), atEnd)
				x[2*step+r.IntN(channels)] = nan
				at, w0, w1 := []int32{3, 1, 0}[:pixels], []float32{1, 1, 0.25}[:pixels], []float32{0, 0, 0.75}[:pixels]
				name := fmt.Sprintf(" of %d pixels of %d", pixels, channels)
				wy, wb := slices.Clone(y), slices.Clone(y)
				want.lines[0].pixels(wy, x, at, channels, pitch, step)
				want.lines[0].pixelsBlend(wb, x, at, w0, w1, channels, pitch, step)
				for stream, fn := range k.lines {
					if stream > 0 && channels%lineFloats > 0 {
						break
					}
					fn.pixels(y, x, at, channels, pitch, step)
					equal("pixels"+name, y, wy)
					fn.pixelsBlend(y, x, at, w0, w1, channels, pitch, step)
					equal("pixelsBlend"+name, y, wb)
				}
			}
		}
	}
}

// Sizes and scales for which lines go by pixels, by elements near each other, and
// the lines of one vector, equal the reference where it is exact.
func TestResizeLines(t *testing.T) {
	ref := open(t, "ref")
	for _, set := range isas(t) {
		be := open(t, "cpu", backend.WithVariant(set.String()), backend.WithThreads(2))
		for _, c := range []int{1, 2, 3, 5, 8, 15, 16, 17, 33} {
			for _, w := range []struct{ in, out int }{{1, 5}, {3, 2}, {7, 14}, {9, 9}, {16, 32}, {17, 23}, {40, 80}, {64, 16}, {100, 7}, {33, 50}, {90, 45}} {
				for _, l := range []backend.Layout{plain, cl, cl4} {
					d := backend.Desc{Op: backend.Resize{Size: []int{4, w.out}}, In: []backend.TensorDesc{in(l, backend.F32(2, c, 3, w.in))}}
					x := inputs(7, d)
					want, err := backend.RunDesc(ctx, ref, plainDesc(d), x...)
					if err != nil {
						t.Fatal(err)
					}
					if !same(t, poisonedRun(t, be, d, x)[0], want[0]) {
						t.Fatalf("%v: %v, %v: %d channels, %d to %d", set, l, d.Op, c, w.in, w.out)
					}
					op := d.Op.(backend.Resize)
					op.Mode = backend.ResizeLinear
					d.Op = op
					if want, err = backend.RunDesc(ctx, ref, plainDesc(d), x...); err != nil {
						t.Fatal(err)
					}
					for i, g := range poisonedRun(t, be, d, x)[0].Float32s() {
						if e := math.Abs(float64(g - want[0].Float32s()[i])); !(e <= 3*8*0x1p-24) { // γ₈ of what is 3 at most
							t.Fatalf("%v: %v: %d channels, %d to %d: element %d is off by %g", set, l, c, w.in, w.out, i, e)
						}
					}
				}
			}
		}
	}
}
