//go:build cgo

package gl

import (
	"math/rand/v2"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// Random shapes, axes and layouts reach every combination of widths in copy.comp.
func TestRandomCopies(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	layout := func() backend.Layout { return layouts[r.IntN(len(layouts))] }
	families(t, func(t *testing.T, be *Backend) {
		for range 90 {
			rank := 1 + r.IntN(6)
			s := make(tensor.Shape, rank)
			for i := range s {
				s[i] = []int{1, 2, 3, 4, 5, 8}[r.IntN(6)]
			}
			y := backend.TensorDesc{DType: tensor.Float32, Layout: layout()}
			axis, n := r.IntN(rank), 1+r.IntN(4)
			concat := backend.Desc{Op: backend.Concat{Axis: axis, Inputs: n}}
			for range n {
				x := laid(layout(), s.Clone()...)
				x.Shape[axis] = []int{0, 1, 3, 4, 8, 8, 12}[r.IntN(7)]
				concat.In = append(concat.In, x)
			}
			transpose := backend.Desc{Op: backend.Transpose{Perm: r.Perm(rank)}, In: []backend.TensorDesc{laid(layout(), s...)}}
			one := func(op backend.Op) backend.Desc {
				return backend.Desc{Op: op, In: []backend.TensorDesc{laid(layout(), s...)}}
			}
			slice := backend.Slice{Steps: make([]int, rank)}
			expand, tile := backend.Expand{}, backend.Tile{}
			stretched := laid(layout(), s.Clone()...)
			for i, n := range s {
				start, step := r.IntN(n), []int{1, 1, 2, -1, -3}[r.IntN(5)]
				end := backend.SliceEnd
				if step < 0 {
					end = -1
				}
				if r.IntN(3) == 0 { // all
					start, end, step = 0, backend.SliceEnd, 1
				}
				slice.Starts, slice.Ends, slice.Steps[i] = append(slice.Starts, start), append(slice.Ends, end), step
				tile.Repeats = append(tile.Repeats, 1+r.IntN(3)*r.IntN(2))
				expand.Shape = append(expand.Shape, n)
				if r.IntN(2) == 0 {
					stretched.Shape[i] = 1
				}
			}
			for _, d := range []backend.Desc{concat, transpose, one(slice), one(tile), {Op: expand, In: []backend.TensorDesc{stretched}}} {
				out, err := d.Op.Infer(d.In)
				if err != nil {
					t.Fatal(err)
				}
				y.Shape = out[0].Shape
				d.Out = []backend.TensorDesc{y}
				judge(t, be, d, check.Exact, 1)
				if channels, lanes := padding(y); channels != lanes {
					wantZeroLanes(t, be, d)
				}
			}
		}
	})
}

// The table of a kernel lives as long as the kernel.
func TestTableIsFreed(t *testing.T) {
	be := open(t)
	before := be.dev.Stats()
	k, err := be.Prepare(bg, backend.Desc{Op: backend.Resize{Size: []int{40}}, In: []backend.TensorDesc{backend.F32(1, 4, 30)}})
	if err != nil {
		t.Fatal(err)
	}
	if s := be.dev.Stats(); s.Bytes != before.Bytes+42*16 { // and two dims of one tap
		t.Errorf("%d bytes with the kernel, %d before", s.Bytes, before.Bytes)
	}
	for range 2 {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	}
	if s := be.dev.Stats(); s.Buffers != before.Buffers || s.Bytes != before.Bytes {
		t.Errorf("after Close: %+v, before %+v", s, before)
	}
}
