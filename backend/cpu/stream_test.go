package cpu

import (
	"math/rand/v2"
	"testing"

	"github.com/convgl/convgl/backend"
)

// Runs of whole lines are copied past the caches as they are otherwise.
func TestStreamRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	dsts, srcs := newGuard(t, 1<<13), newGuard(t, 1<<13)
	for _, set := range isas(t) {
		move, done := newRunsTo(set, streamOutput, true)
		for _, runs := range []int{1, 2, 5} {
			for n := lineFloats; n <= 160; n += lineFloats {
				for _, gap := range []int{0, lineFloats} {
					ds, ss := n+gap, n+gap/8
					dst, src := dsts((runs-1)*ds+n, n%32 > 0), srcs((runs-1)*ss+n, n%32 == 0)
					for i := range dst {
						dst[i] = r.Uint32()
					}
					for i := range src {
						src[i] = r.Uint32()
					}
					want := append([]uint32{}, dst...)
					copyRunsGeneric(want, src, runs, n, ds, ss)
					move(dst, src, runs, n, ds, ss)
					done()
					for i, w := range want {
						if dst[i] != w {
							t.Fatalf("%v: %d runs of %d: element %d is %#x, want %#x", set, runs, n, i, dst[i], w)
						}
					}
				}
			}
		}
	}
}

// Outputs that are too large for the caches are what plain Go makes of them.
func TestStreamedOutputs(t *testing.T) {
	if testing.Short() {
		t.Skip("tens of MB")
	}
	generic := open(t, "cpu", backend.WithVariant(isaGeneric.String()))
	for _, set := range isas(t)[1:] {
		be := open(t, "cpu", backend.WithVariant(set.String()), backend.WithThreads(2))
		big := func(l backend.Layout, c, h, w int) backend.TensorDesc { return in(l, backend.F32(1, c, h, w)) }
		for name, d := range map[string]backend.Desc{
			"concat":       {Op: backend.Concat{Axis: 1, Inputs: 2}, In: []backend.TensorDesc{big(cl, 16, 260, 256), big(cl, 32, 260, 256)}},
			"pad":          {Op: backend.Pad{Pads: []int{0, 0, 1, 2, 0, 0, 3, 0}, Value: 5}, In: []backend.TensorDesc{big(cl, 48, 260, 256)}},
			"pad edge":     {Op: backend.Pad{Pads: []int{0, 0, 1, 2, 0, 0, 3, 0}, Mode: backend.PadEdge}, In: []backend.TensorDesc{big(cl, 48, 260, 256)}},
			"nearest":      {Op: backend.Resize{Scales: []float64{2, 2}}, In: []backend.TensorDesc{big(cl, 48, 130, 128)}},
			"nearest few":  {Op: backend.Resize{Scales: []float64{2, 2}}, In: []backend.TensorDesc{big(cl, 3, 512, 512)}},
			"nearest half": {Op: backend.Resize{Scales: []float64{1, 0.5}}, In: []backend.TensorDesc{big(plain, 5, 1024, 1024)}},
		} {
			x := inputs(9, d)
			want, err := backend.RunDesc(ctx, generic, d, x...)
			if err != nil {
				t.Fatal(err)
			}
			if !same(t, poisonedRun(t, be, d, x)[0], want[0]) {
				t.Fatalf("%v: %s", set, name)
			}
		}
		for _, d := range []backend.TensorDesc{big(cl, 48, 130, 128), big(cl, 3, 512, 512), big(plain, 5, 512, 512)} {
			// Where all elements are one number, so is what lies between them.
			x := inputs(9, backend.Desc{In: []backend.TensorDesc{d}})
			for i := range x[0].Float32s() {
				x[0].Float32s()[i] = 3
			}
			for i, y := range poisonedRun(t, be, backend.Desc{Op: backend.Resize{Scales: []float64{2, 2}, Mode: backend.ResizeLinear}, In: []backend.TensorDesc{d}}, x)[0].Float32s() {
				if y != 3 {
					t.Fatalf("%v: linear, %v: element %d is %v, want 3", set, d, i, y)
				}
			}
		}
	}
}

// Outputs that are stored past the caches are exact: whole vectors, and what is left
// at the ends of lines and of channels.
func TestStreamedConvolutions(t *testing.T) {
	ref := open(t, "ref")
	for _, d := range []backend.Desc{conv2(1, 4, 141, 112, 1, 1, 0, 1), conv2(1, 32, 257, 32, 3, 1, 1, 32), conv2(1, 32, 517, 32, 3, 2, 1, 32)} {
		in := inputs(11, d)
		want, err := backend.RunDesc(ctx, ref, plainDesc(d), in...)
		if err != nil {
			t.Fatal(err)
		}
		if n := int64(4 * want[0].Size()); !streams(n) {
			t.Fatalf("%v: %d bytes are not stored past the caches", d.In, n)
		}
		for _, set := range isas(t) {
			be := open(t, "cpu", backend.WithVariant(set.String()), backend.WithThreads(2))
			if !same(t, poisonedRun(t, be, d, in)[0], want[0]) {
				t.Errorf("%v: %v", set, d.In)
			}
		}
	}
}
