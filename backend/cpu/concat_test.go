package cpu

import (
	"testing"

	"github.com/convgl/convgl/backend"
)

// Concatenations along the channels equal the reference also where a row is longer
// than what one call copies.
func TestConcatRows(t *testing.T) {
	ref := open(t, "ref")
	for _, set := range isas(t) {
		be := open(t, "cpu", backend.WithVariant(set.String()), backend.WithThreads(2))
		for _, channels := range [][]int{{3, 3}, {1, 17, 0, 5}, {64, 64}, {copyChunk + 3, 2}, {8}} {
			for _, l := range []backend.Layout{cl, cl4} {
				d := backend.Desc{Op: backend.Concat{Axis: 1, Inputs: len(channels)}}
				for _, c := range channels {
					d.In = append(d.In, in(l, backend.F32(2, c, 3, 5)))
				}
				x := inputs(4, d)
				want, err := backend.RunDesc(ctx, ref, plainDesc(d), x...)
				if err != nil {
					t.Fatal(err)
				}
				if !same(t, poisonedRun(t, be, d, x)[0], want[0]) {
					t.Fatalf("%v: %v of %v channels", set, l, channels)
				}
			}
		}
	}
}
