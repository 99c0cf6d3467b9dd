package backend

import (
	"fmt"
	"math"
)

// AutoPad chooses padding from the sizes, as ONNX's auto_pad does.
type AutoPad uint8

const (
	// PadExplicit takes Window.Pads.
	PadExplicit AutoPad = iota
	// SameUpper pads so that out = ⌈in/stride⌉; an odd unit goes to the end.
	SameUpper
	// SameLower is SameUpper with the odd unit at the beginning.
	SameLower
	// Valid pads nothing.
	Valid
)

// String returns ONNX's name.
func (a AutoPad) String() string {
	switch a {
	case PadExplicit:
		return "NOTSET"
	case SameUpper:
		return "SAME_UPPER"
	case SameLower:
		return "SAME_LOWER"
	case Valid:
		return "VALID"
	}
	return fmt.Sprintf("AutoPad(%d)", uint8(a))
}

// Window is a kernel that slides over 1 to 3 spatial dims. Each slice has one
// entry a spatial dim, except Pads.
type Window struct {
	Kernel    []int // sizes; a convolution may leave it nil: its weights have them
	Strides   []int // step of the window; nil is 1
	Dilations []int // distance between taps; nil is 1 (none)
	Pads      []int // begin of each dim, then end of each dim; nil is 0
	AutoPad   AutoPad
}

// Geometry is a Window applied to a size, with all defaults filled in. Output o
// of a dim reads inputs o·Stride − Begin + t·Dilation for 0 ≤ t < Kernel.
type Geometry struct {
	In, Out, Kernel, Stride, Dilation, Begin, End []int
}

// maxAttr bounds every attribute of a window, so that products of two of them
// cannot overflow.
const maxAttr = math.MaxInt32

// Geometry applies the window to the spatial sizes in. For each dim
//
//	out = ⌊(in + begin + end − dilation·(kernel−1) − 1) / stride⌋ + 1
//
// and with ceil the quotient is rounded up, less a last window that would begin
// in the end padding (PyTorch's rule). It fails with *AttrError on an attribute
// outside its domain and with *ShapeError when the window does not fit. Op names
// the op in errors.
func (w Window) Geometry(op string, in []int, ceil bool) (Geometry, error) {
	n := len(in)
	g, pads, err := w.attrs(op, in)
	if err != nil {
		return g, err
	}
	for i := range n {
		size, k, s, d := in[i], g.Kernel[i], g.Stride[i], g.Dilation[i]
		reach := d*(k-1) + 1
		switch w.AutoPad {
		case PadExplicit:
			g.Begin[i], g.End[i] = pads[i], pads[n+i]
		case SameUpper, SameLower:
			total := 0
			if size > 0 {
				total = max(((size+s-1)/s-1)*s+reach-size, 0)
			}
			g.Begin[i], g.End[i] = total/2, total-total/2
			if w.AutoPad == SameLower {
				g.Begin[i], g.End[i] = g.End[i], g.Begin[i]
			}
		}
		room := size + g.Begin[i] + g.End[i] - reach
		if size < 1 || room < 0 {
			e := &ShapeError{Op: op, Arg: "x: dim " + spatialName(i, n), Got: fmt.Sprint(size)}
			if pad := g.Begin[i] + g.End[i]; pad != 0 {
				e.Got = fmt.Sprintf("%d (%d with padding)", size, size+pad)
			}
			switch {
			case size < 1:
				e.Want, e.Hint = "at least 1", "the input is empty"
			case d == 1:
				e.Want, e.Hint = fmt.Sprintf("at least the kernel's %d", k), "kernel larger than the padded input"
			default:
				e.Want, e.Hint = fmt.Sprintf("at least %d, the extent of kernel %d with dilation %d", reach, k, d), "kernel larger than the padded input"
			}
			return g, e
		}
		g.Out[i] = room/s + 1
		if ceil && room%s != 0 && g.Out[i]*s < size+g.Begin[i] {
			g.Out[i]++
		}
	}
	return g, nil
}

// spatialName names spatial dim i of n for people.
func spatialName(i, n int) string {
	switch n {
	case 1:
		return "L"
	case 2, 3:
		return "DHW"[3-n+i : 4-n+i]
	}
	return fmt.Sprint(2 + i)
}

// attrs checks the attributes for the spatial sizes in and returns a Geometry that
// lacks Out, Begin and End, which are zeros, and the explicit pads.
func (w Window) attrs(op string, in []int) (g Geometry, pads []int, err error) {
	n := len(in)
	g = Geometry{In: in, Out: make([]int, n), Begin: make([]int, n), End: make([]int, n)}
	if g.Kernel, err = attrInts(op, "kernel", w.Kernel, n, 0, 1); err != nil {
		return g, nil, err
	}
	if g.Stride, err = attrInts(op, "strides", w.Strides, n, 1, 1); err != nil {
		return g, nil, err
	}
	if g.Dilation, err = attrInts(op, "dilations", w.Dilations, n, 1, 1); err != nil {
		return g, nil, err
	}
	if pads, err = attrInts(op, "pads", w.Pads, 2*n, 0, 0); err != nil {
		return g, nil, err
	}
	if w.AutoPad > Valid {
		return g, nil, &AttrError{Op: op, Attr: "auto_pad", Got: w.AutoPad.String(), Want: "NOTSET, SAME_UPPER, SAME_LOWER or VALID"}
	}
	if w.AutoPad != PadExplicit && w.Pads != nil && spreadSum(pads) != 0 {
		return g, nil, &AttrError{Op: op, Attr: "pads", Got: fmt.Sprint(pads), Want: "none beside auto_pad " + w.AutoPad.String()}
	}
	return g, pads, nil
}

// Taps returns the number of kernel positions.
func (g Geometry) Taps() int { return int(spread(g.Kernel)) }

// Geometry3 is a Geometry in exactly three dims: what is missing in front has
// size, kernel and stride 1 and no padding. Kernels use it to serve every rank with one loop.
type Geometry3 struct {
	In, Out, Kernel, Stride, Dilation, Begin, End [3]int
}

// To3 extends g to three dims.
func (g Geometry) To3() Geometry3 {
	one := [3]int{1, 1, 1}
	r := Geometry3{In: one, Out: one, Kernel: one, Stride: one, Dilation: one}
	o := 3 - len(g.In)
	copy(r.In[o:], g.In)
	copy(r.Out[o:], g.Out)
	copy(r.Kernel[o:], g.Kernel)
	copy(r.Stride[o:], g.Stride)
	copy(r.Dilation[o:], g.Dilation)
	copy(r.Begin[o:], g.Begin)
	copy(r.End[o:], g.End)
	return r
}

// attrInts checks a list attribute: n entries between lo and maxAttr; nil stands
// for n times def, or is refused where def is 0 and lo is 1.
func attrInts(op, name string, v []int, n, def, lo int) ([]int, error) {
	if v == nil && def >= lo {
		v = make([]int, n)
		for i := range v {
			v[i] = def
		}
		return v, nil
	}
	if len(v) != n {
		return nil, &AttrError{Op: op, Attr: name, Got: fmt.Sprintf("%d values %v", len(v), v), Want: fmt.Sprintf("%d values", n)}
	}
	for i, x := range v {
		if x < lo || x > maxAttr {
			return nil, &AttrError{Op: op, Attr: fmt.Sprintf("%s[%d]", name, i), Got: fmt.Sprint(x), Want: fmt.Sprintf("%d to %d", lo, maxAttr)}
		}
	}
	return v, nil
}

func spreadSum(s []int) int {
	n := 0
	for _, x := range s {
		n += x
	}
	return n
}
