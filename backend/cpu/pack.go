package cpu

import (
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// packer is a format that this backend can make.
type packer interface {
	backend.Format
	// pack returns the function that fills dst from t, and its number of parts.
	pack(dst []float32, t *tensor.Tensor) (fn func(c *call, part, thread int), parts int, err error)
}

// panelFormat is a matrix, or one a group, in panels of nr columns:
//
//	[group][panel][tap][channel][nr]
//
// with zeros in the columns beyond the last. It depends on the weights alone,
// never on the size of x.
type panelFormat struct {
	nr         int
	groups     int
	cols       int  // columns (output channels) a group
	taps, kc   int  // the terms of a column
	transposed bool // source is [..., K, columns] (MatMul), not [columns, kc, taps]
}

// String implements backend.Format.
func (f panelFormat) String() string {
	return fmt.Sprintf("panels of %d: %d groups of %d columns, %d taps of %d", f.nr, f.groups, f.cols, f.taps, f.kc)
}

// Bytes implements backend.Format.
func (f panelFormat) Bytes() int64 {
	return 4 * int64(f.groups) * int64(f.panels()) * int64(f.panelLen())
}

func (f panelFormat) panels() int   { return (f.cols + f.nr - 1) / f.nr }
func (f panelFormat) panelLen() int { return f.taps * f.kc * f.nr }

// panelSource says where the elements of a matrix lie: column j, channel c, tap t
// of group g at g·group + j·col + c·ch + tap[t].
type panelSource struct {
	group, col, ch int
	tap            []int
	kc             int
}

// source is panelSource for a tensor in the plain layout.
func (f panelFormat) source() panelSource {
	s := panelSource{group: f.cols * f.kc * f.taps, col: f.kc * f.taps, ch: f.taps, tap: make([]int, f.taps), kc: f.kc}
	for t := range s.tap {
		s.tap[t] = t
	}
	if f.transposed {
		s.col, s.ch = 1, f.cols
	}
	return s
}

// check reports whether the format fits in memory.
func (f panelFormat) check(op string) error {
	_, err := tensor.Shape{f.groups, f.panels(), f.taps, f.kc, f.nr}.Elems()
	if err != nil {
		return &backend.LimitError{Op: op, What: "elements of packed weights", Got: int64(f.groups) * int64(f.cols), Max: tensor.MaxElems, Hint: err.Error()}
	}
	return nil
}

// pack implements packer.
func (f panelFormat) pack(dst []float32, t *tensor.Tensor) (func(c *call, part, thread int), int, error) {
	return f.packFrom(dst, t, f.source())
}

// packFrom is pack of a tensor whose elements lie as s says.
func (f panelFormat) packFrom(dst []float32, t *tensor.Tensor, s panelSource) (func(c *call, part, thread int), int, error) {
	if want := f.groups * f.cols * f.kc * f.taps; t.DType() != tensor.Float32 || t.Size() != want {
		return nil, 0, &backend.ShapeError{Op: "Pack", Arg: "t", Got: backend.Of(t).String(), Want: fmt.Sprintf("%d float32 for %v", want, f)}
	}
	parts := f.parts()
	src := t.Float32s()
	return func(_ *call, part, _ int) { f.packPart(dst, src, s, part, parts) }, parts, nil
}

func (f panelFormat) parts() int {
	return partsFor(f.groups*f.panels(), f.Bytes(), grainBytes)
}

// packPart packs one part of the panels.
func (f panelFormat) packPart(dst, src []float32, s panelSource, part, parts int) {
	panels, size := f.panels(), f.panelLen()
	lo, hi := share(f.groups*panels, part, parts)
	for i := lo; i < hi; i++ {
		g, q := i/panels, i%panels
		first := q * f.nr
		packPanel(dst[i*size:(i+1)*size], src[g*s.group:], s, first, min(f.nr, f.cols-first))
	}
}

// packPanel packs the n columns from first on, in the order [tap][channel][nr],
// with zeros for what lacks to nr = len(dst)/(taps·kc).
func packPanel(dst, src []float32, s panelSource, first, n int) {
	k := len(s.tap) * s.kc
	if k == 0 {
		return
	}
	nr := len(dst) / k
	if s.col == 1 { // columns side by side, as in the right side of a MatMul
		for _, t := range s.tap {
			from := first + t
			for range s.kc {
				copy(dst[:n], src[from:from+n])
				clear(dst[n:nr])
				dst = dst[nr:]
				from += s.ch
			}
		}
		return
	}
	clear(dst)
	for j := range n {
		at := j
		for _, t := range s.tap {
			from := (first+j)*s.col + t
			for range s.kc {
				dst[at] = src[from]
				at += nr
				from += s.ch
			}
		}
	}
}
