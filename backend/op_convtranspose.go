package backend

import (
	"fmt"
	"math"
)

// ConvTranspose computes transposed convolution in 1, 2 or 3 spatial dims: the
// gradient of a convolution with respect to its data, used forward to enlarge. In
// two:
//
//	y[n,o,p,q] = b[o] + Σ x[n,c,i,j] · w[c,o',r,s]
//
// over the channels c of o's group g = ⌊o/(O/G)⌋, with o' = o − g·O/G, and all
// i, r with i·SH + r·DH − PT = p and j, s with j·SW + s·DW − PL = q. The steps of
// Epilogue follow. Where nothing is added the sum is 0.
//
// Inputs: x [N,C,spatial...], w [C,O/G,kernel...] (a Conv has [O,C/G,kernel...]),
// b [O] if Bias, and the epilogue's operands. Output: y [N,O,out...], see
// [ConvTranspose.Geometry]. Pads take away from y what a convolution adds to x.
//
// Source: ONNX ConvTranspose-11, without output_shape.
type ConvTranspose struct {
	Window
	// OutputPadding makes y longer at the end of each spatial dim, by less than the
	// greater of stride and dilation; nil is 0. It tells apart the sizes that a
	// strided convolution maps to one.
	OutputPadding []int
	Groups        int // G; 0 is 1. G = C is a depthwise transposed convolution
	Bias          bool
	Epilogue      Epilogue
}

// Kind returns "ConvTranspose".
func (ConvTranspose) Kind() string { return "ConvTranspose" }

// Args implements Op.
func (c ConvTranspose) Args() (in, out []Arg) {
	in = []Arg{{Name: "x"}, {Name: "w", Weight: true}}
	if c.Bias {
		in = append(in, Arg{Name: "b", Weight: true})
	}
	return append(in, c.Epilogue.args()...), []Arg{{Name: "y"}}
}

// GroupCount returns the number of groups, at least 1.
func (c ConvTranspose) GroupCount() int { return max(c.Groups, 1) }

// Geometry returns the sizes for the shapes of x and w. Input i of a dim adds to
// the outputs i·Stride + t·Dilation − Begin for 0 ≤ t < Kernel, and
//
//	out = stride·(in−1) + outputPadding + dilation·(kernel−1) + 1 − begin − end
//
// With SameUpper and SameLower out = in·stride, and begin + end is what this
// leaves over; where it lacks, both are 0 and y goes on with empty sums.
func (c ConvTranspose) Geometry(x, w []int) (Geometry, error) {
	const op = "ConvTranspose"
	win, in := c.Window, x[2:]
	if win.Kernel == nil {
		win.Kernel = w[2:]
	}
	g, pads, err := win.attrs(op, in)
	if err != nil {
		return g, err
	}
	n := len(in)
	more, err := attrInts(op, "output_padding", c.OutputPadding, n, 0, 0)
	if err != nil {
		return g, err
	}
	for i := range n {
		size, k, s, d := in[i], g.Kernel[i], g.Stride[i], g.Dilation[i]
		if limit := max(s, d); more[i] >= limit {
			return g, &AttrError{Op: op, Attr: fmt.Sprintf("output_padding[%d]", i), Got: fmt.Sprint(more[i]),
				Want: fmt.Sprintf("less than %d, the greater of stride %d and dilation %d", limit, s, d), Hint: "a longer output needs a Pad"}
		}
		if size < 1 || size-1 > math.MaxInt/4/s {
			return g, &ShapeError{Op: op, Arg: "x: dim " + spatialName(i, n), Got: fmt.Sprint(size), Want: fmt.Sprintf("1 to %d, for stride %d", math.MaxInt/4/s, s)}
		}
		full := s*(size-1) + more[i] + d*(k-1) + 1
		switch win.AutoPad {
		case PadExplicit:
			g.Begin[i], g.End[i] = pads[i], pads[n+i]
		case SameUpper, SameLower:
			total := max(full-s*size, 0)
			g.Begin[i], g.End[i] = total/2, total-total/2
			if win.AutoPad == SameLower {
				g.Begin[i], g.End[i] = g.End[i], g.Begin[i]
			}
			full = s*size + total
		}
		g.Out[i] = full - g.Begin[i] - g.End[i]
		if g.Out[i] < 1 {
			return g, &ShapeError{Op: op, Arg: "pads of dim " + spatialName(i, n), Got: fmt.Sprintf("%d + %d", g.Begin[i], g.End[i]),
				Want: fmt.Sprintf("less than the %d outputs of %d inputs", full, size), Hint: "pads take away from y here"}
		}
	}
	return g, nil
}

// Infer implements Op.
func (c ConvTranspose) Infer(in []TensorDesc) ([]TensorDesc, error) {
	y, err := c.infer(in[0], in[1])
	if err != nil {
		return nil, err
	}
	rest := in[2:]
	if c.Bias {
		if err := wantShape("ConvTranspose", "b", rest[0], y[1]); err != nil {
			return nil, err
		}
		rest = rest[1:]
	}
	if err := c.Epilogue.check("ConvTranspose", rest, y, 1); err != nil {
		return nil, err
	}
	return f32Out(y...), nil
}

func (c ConvTranspose) infer(xd, wd TensorDesc) ([]int, error) {
	const op = "ConvTranspose"
	if err := wantImage(op, "x", xd); err != nil {
		return nil, err
	}
	if err := wantF32(op, "w", wd); err != nil {
		return nil, err
	}
	x, w, g := xd.Shape, wd.Shape, c.GroupCount()
	if c.Groups < 0 {
		return nil, &AttrError{Op: op, Attr: "groups", Got: fmt.Sprint(c.Groups), Want: "1 or more"}
	}
	if len(w) != len(x) {
		return nil, &ShapeError{Op: op, Arg: "w: rank", Got: fmt.Sprintf("%d (%v)", len(w), wd.dims()), Want: fmt.Sprintf("%d ([Cin, Cout/groups, kernel...], as x has rank %d)", len(x), len(x))}
	}
	if w[0] < 1 || x[1] != w[0] {
		e := &ShapeError{Op: op, Arg: "x: channels", Got: fmt.Sprintf("%s (x %v)", xd.dim(1), xd.dims()), Want: fmt.Sprintf("%d (w %v)", w[0], wd.dims())}
		switch {
		case w[0] < 1:
			e.Arg, e.Got, e.Want = "w: input channels", fmt.Sprintf("%d (w %v)", w[0], w), "1 or more"
		case w[1]*g == x[1]:
			e.Hint = "is w [Cout, Cin/groups, kernel...], as a Conv has it? a ConvTranspose has [Cin, Cout/groups, kernel...]"
		case x[len(x)-1] == w[0]:
			e.Hint = "is x channels-last? use tensor.HWCToNCHW"
		}
		return nil, e
	}
	if w[0]%g != 0 {
		return nil, &ShapeError{Op: op, Arg: "w: input channels", Got: fmt.Sprint(w[0]), Want: fmt.Sprintf("a multiple of groups = %d", g)}
	}
	if w[1] < 1 || w[1] > math.MaxInt/g {
		return nil, &ShapeError{Op: op, Arg: "w: output channels of a group", Got: fmt.Sprintf("%d (w %v)", w[1], w), Want: "1 or more"}
	}
	if c.Kernel != nil && !w[2:].Equal(c.Kernel) {
		return nil, &ShapeError{Op: op, Arg: "w: kernel", Got: fmt.Sprint([]int(w[2:])), Want: fmt.Sprint(c.Kernel)}
	}
	geo, err := c.Geometry(x, w)
	if err != nil {
		return nil, err
	}
	return append([]int{x[0], w[1] * g}, geo.Out...), nil
}

// Cost implements Op: 2·N·C·in·(O/G)·kernel, what pads take away included.
func (c ConvTranspose) Cost(in, out []TensorDesc) Cost {
	y := int64(out[0].Shape.Size())
	n := 2*int64(in[0].Shape.Size())*spread(in[1].Shape[1:]) + c.Epilogue.flops(y)
	if c.Bias {
		n += y
	}
	return Cost{FLOPs: n, Bytes: sumBytes(in) + sumBytes(out)}
}
