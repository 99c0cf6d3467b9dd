package backend

import "fmt"

// Conv computes grouped cross-correlation in 1, 2 or 3 spatial dims. In two:
//
//	y[n,o,p,q] = b[o] + Σ x[n, g·C/G+c, p·SH+r·DH−PT, q·SW+s·DW−PL] · w[o,c,r,s]
//
// over 0 ≤ c < C/G, 0 ≤ r < KH, 0 ≤ s < KW, with the group g = ⌊o/(O/G)⌋; x is 0
// outside. The steps of Epilogue follow. A multi-channel picture (H×W×C with
// K×K×C×F filters) has two spatial dims, a volume (D×H×W×C) three. Algorithms
// may or may not multiply by the zeros outside: where a weight is infinite or NaN,
// a window that leaves x may or may not give NaN.
//
// Inputs: x [N,C,spatial...], w [O,C/G,kernel...], b [O] if Bias, and the
// epilogue's operands. Output: y [N,O,out...], see [Window.Geometry].
// BackwardData takes gy, w and gives gx; BackwardWeights takes x, gy and gives
// gw and, if Bias, gb; both are gradients of the op without an epilogue.
//
// Source: ONNX Conv-11.
type Conv struct {
	Window
	Groups   int // G; 0 is 1. G = C is a depthwise convolution
	Bias     bool
	Epilogue Epilogue
}

// Kind returns "Conv".
func (Conv) Kind() string { return "Conv" }

// Args implements Op.
func (c Conv) Args() (in, out []Arg) {
	in = []Arg{{Name: "x"}, {Name: "w", Weight: true}}
	if c.Bias {
		in = append(in, Arg{Name: "b", Weight: true})
	}
	return append(in, c.Epilogue.args()...), []Arg{{Name: "y"}}
}

// GroupCount returns the number of groups, at least 1.
func (c Conv) GroupCount() int { return max(c.Groups, 1) }

// Geometry returns the window's geometry for the shapes of x and w.
func (c Conv) Geometry(x, w []int) (Geometry, error) {
	win := c.Window
	if win.Kernel == nil {
		win.Kernel = w[2:]
	}
	return win.Geometry("Conv", x[2:], false)
}

// Infer implements Op.
func (c Conv) Infer(in []TensorDesc) ([]TensorDesc, error) {
	y, err := c.infer(in[0], in[1])
	if err != nil {
		return nil, err
	}
	rest := in[2:]
	if c.Bias {
		if err := wantShape("Conv", "b", rest[0], y[1]); err != nil {
			return nil, err
		}
		rest = rest[1:]
	}
	if err := c.Epilogue.check("Conv", rest, y, 1); err != nil {
		return nil, err
	}
	return f32Out(y...), nil
}

func (c Conv) infer(xd, wd TensorDesc) ([]int, error) {
	if err := wantImage("Conv", "x", xd); err != nil {
		return nil, err
	}
	if err := wantF32("Conv", "w", wd); err != nil {
		return nil, err
	}
	x, w, g := xd.Shape, wd.Shape, c.GroupCount()
	if c.Groups < 0 {
		return nil, &AttrError{Op: "Conv", Attr: "groups", Got: fmt.Sprint(c.Groups), Want: "1 or more"}
	}
	if len(w) != len(x) {
		return nil, &ShapeError{Op: "Conv", Arg: "w: rank", Got: fmt.Sprintf("%d (%v)", len(w), wd.dims()), Want: fmt.Sprintf("%d ([Cout, Cin/groups, kernel...], as x has rank %d)", len(x), len(x))}
	}
	if w[0] < 1 || w[0]%g != 0 {
		return nil, &ShapeError{Op: "Conv", Arg: "w: output channels", Got: fmt.Sprint(w[0]), Want: fmt.Sprintf("a positive multiple of groups = %d", g)}
	}
	if w[1] < 1 || x[1] != w[1]*g {
		e := &ShapeError{Op: "Conv", Arg: "x: channels", Got: fmt.Sprintf("%s (x %v)", xd.dim(1), xd.dims()), Want: fmt.Sprintf("%d (w %v × groups %d)", w[1]*g, wd.dims(), g)}
		if x[len(x)-1] == w[1]*g {
			e.Hint = "is x channels-last? use tensor.HWCToNCHW"
		}
		return nil, e
	}
	if c.Kernel != nil && !w[2:].Equal(c.Kernel) {
		return nil, &ShapeError{Op: "Conv", Arg: "w: kernel", Got: fmt.Sprint([]int(w[2:])), Want: fmt.Sprint(c.Kernel)}
	}
	geo, err := c.Geometry(x, w)
	if err != nil {
		return nil, err
	}
	return append([]int{x[0], w[0]}, geo.Out...), nil
}

// Cost implements Op: 2·N·O·out·(C/G)·kernel, padded taps included.
func (c Conv) Cost(in, out []TensorDesc) Cost {
	y := int64(out[0].Shape.Size())
	n := 2*y*spread(in[1].Shape[1:]) + c.Epilogue.flops(y)
	if c.Bias {
		n += y
	}
	return Cost{FLOPs: n, Bytes: sumBytes(in) + sumBytes(out)}
}

// BackwardArgs implements Differentiable.
func (c Conv) BackwardArgs(p Pass) (in, out []Arg, err error) {
	switch p {
	case BackwardData:
		return []Arg{{Name: "gy"}, {Name: "w", Weight: true}}, []Arg{{Name: "gx"}}, nil
	case BackwardWeights:
		out = []Arg{{Name: "gw"}}
		if c.Bias {
			out = append(out, Arg{Name: "gb"})
		}
		return []Arg{{Name: "x"}, {Name: "gy"}}, out, nil
	}
	return nil, nil, Unsupported("contract", "Conv", p.String()+" pass")
}

// CheckBackward implements Differentiable.
func (c Conv) CheckBackward(p Pass, in, out []TensorDesc) error {
	x, w, gy := out[0], in[1], in[0]
	if p == BackwardWeights {
		x, w, gy = in[0], out[0], in[1]
	}
	y, err := c.infer(x, w)
	if err != nil {
		return err
	}
	if err := wantShape("Conv", "gy", gy, y...); err != nil {
		return err
	}
	if p == BackwardWeights && c.Bias {
		return wantShape("Conv", "gb", out[1], w.Shape[0])
	}
	return nil
}

func (c Conv) backwardFLOPs(p Pass, in, out []TensorDesc) int64 {
	if p == BackwardData {
		return 2 * int64(in[0].Shape.Size()) * spread(in[1].Shape[1:])
	}
	return 2 * int64(in[1].Shape.Size()) * spread(out[0].Shape[1:])
}
