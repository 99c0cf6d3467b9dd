package backend

import "github.com/convgl/convgl/tensor"

// MaxPool takes the largest element of each window, in 1, 2 or 3 spatial dims:
//
//	y[n,c,p,q] = max x[n, c, p·SH+r·DH−PT, q·SW+s·DW−PL]
//
// over the taps (r,s) that lie inside x. A window wholly in the padding gives −∞.
// NaN propagates: a window that holds one gives NaN.
//
// Input: x [N,C,spatial...]. Outputs: y [N,C,out...] and, if Indices, the int32
// position of each maximum in its plane (row-major over the spatial dims of x,
// padding not counted): the first of equal maxima in window order, the last NaN,
// −1 for a window wholly in the padding.
//
// Source: ONNX MaxPool-12; PyTorch's max_pool for NaN, ceil mode and indices.
type MaxPool struct {
	Window
	CeilMode bool // round the output size up
	Indices  bool // give the positions as a second output
}

// Kind returns "MaxPool".
func (MaxPool) Kind() string { return "MaxPool" }

// Args implements Op.
func (m MaxPool) Args() (in, out []Arg) {
	out = []Arg{{Name: "y"}}
	if m.Indices {
		out = append(out, Arg{Name: "indices"})
	}
	return []Arg{{Name: "x"}}, out
}

// Geometry returns the window's geometry for the shape of x.
func (m MaxPool) Geometry(x []int) (Geometry, error) {
	return m.Window.Geometry("MaxPool", x[2:], m.CeilMode)
}

// Infer implements Op.
func (m MaxPool) Infer(in []TensorDesc) ([]TensorDesc, error) {
	if err := wantImage("MaxPool", "x", in[0]); err != nil {
		return nil, err
	}
	x := in[0].Shape
	geo, err := m.Geometry(x)
	if err != nil {
		return nil, err
	}
	y := append([]int{x[0], x[1]}, geo.Out...)
	out := f32Out(y...)
	if m.Indices {
		if err := indexable("MaxPool", x[2:]); err != nil {
			return nil, err
		}
		out = append(out, TensorDesc{DType: tensor.Int32, Shape: y})
	}
	return out, nil
}

// Cost implements Op: a comparison a tap.
func (m MaxPool) Cost(in, out []TensorDesc) Cost {
	return Cost{FLOPs: int64(out[0].Shape.Size()) * spread(m.Kernel), Bytes: sumBytes(in) + sumBytes(out)}
}

// indexable checks that a position in a plane fits an int32.
func indexable(op string, plane []int) error {
	if n := tensor.Shape(plane).Size(); n > maxAttr {
		return &LimitError{Op: op, What: "elements in a plane, for int32 indices", Got: int64(n), Max: maxAttr}
	}
	return nil
}
