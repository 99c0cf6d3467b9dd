package cpu

import (
	"fmt"
	"testing"

	"github.com/convgl/convgl/backend"
)

// Pads equal the reference for rows and positions of all kinds: contiguous or apart,
// shorter or longer than what one call copies, between any two layouts.
func TestPad(t *testing.T) {
	ref := open(t, "ref")
	for _, set := range isas(t) {
		be := open(t, "cpu", backend.WithVariant(set.String()), backend.WithThreads(2))
		for _, c := range []struct{ x, pads []int }{
			{[]int{2, 3, 5, 6}, []int{0, 0, 1, 2, 0, 0, 3, 1}},
			{[]int{2, 3, 5, 6}, []int{1, 2, 0, 0, 1, 1, 0, 0}},
			{[]int{2, 5, 4, 300}, []int{0, 0, 2, 280, 0, 0, 1, 290}},
			{[]int{3, 1, 7, 9}, []int{0, 0, 0, 0, 0, 0, 0, 0}},
			{[]int{1, copyChunk + 5, 2, 2}, []int{0, 0, 1, 1, 0, 0, 0, 1}},
			{[]int{1, 2, 3, copyChunk + 7}, []int{0, 0, 1, 3, 0, 0, 2, 0}},
			{[]int{2, 3, 4, 5, 6}, []int{0, 0, 1, 0, 2, 0, 0, 0, 3, 1}},
			{[]int{2, 7, 1}, []int{0, 0, 0, 0, 0, 0}},
			{[]int{4, 9}, []int{1, 3, 0, 5}},
			{[]int{11}, []int{3, 10}},
		} {
			for _, mode := range []backend.PadMode{backend.PadConstant, backend.PadReflect, backend.PadEdge, backend.PadWrap} {
				for _, l := range [][2]backend.Layout{{plain, plain}, {cl, cl}, {cl4, cl4}, {cl, cl4}, {cl4, cl}, {plain, cl}, {cl, plain}} {
					d := backend.Desc{Op: backend.Pad{Pads: c.pads, Mode: mode, Value: 7}, In: []backend.TensorDesc{in(l[0], backend.F32(c.x...))}}
					want := plainDesc(d)
					x := inputs(3, d)
					y, err := backend.RunDesc(ctx, ref, want, x...)
					if err != nil {
						if mode == backend.PadReflect {
							continue // a pad that is longer than the dim
						}
						t.Fatal(err)
					}
					d.Out = []backend.TensorDesc{in(l[1], backend.F32(y[0].Shape()...))}
					name := fmt.Sprintf("%v %v: %v to %v, %v", set, mode, l[0], l[1], c)
					if !same(t, poisonedRun(t, be, d, x)[0], y[0]) {
						t.Fatal(name)
					}
				}
			}
		}
	}
}
