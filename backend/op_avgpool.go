package backend

// AvgPool averages each window, in 1, 2 or 3 spatial dims:
//
//	y[n,c,p,q] = (1/k) Σ x[n, c, p·SH+r·DH−PT, q·SW+s·DW−PL]
//
// over the taps (r,s) that lie inside x. The divisor k counts these taps, or, if
// CountIncludePad, the taps inside the padded input (taps beyond it, which ceil
// mode can bring, never count). A window in which nothing counts gives 0.
//
// Input: x [N,C,spatial...]. Output: y [N,C,out...].
//
// Source: ONNX AveragePool-19; PyTorch's avg_pool for ceil mode.
type AvgPool struct {
	Window
	CeilMode        bool // round the output size up
	CountIncludePad bool // padding counts in the divisor
}

// Kind returns "AvgPool".
func (AvgPool) Kind() string { return "AvgPool" }

// Args implements Op.
func (AvgPool) Args() (in, out []Arg) { return []Arg{{Name: "x"}}, []Arg{{Name: "y"}} }

// Geometry returns the window's geometry for the shape of x.
func (a AvgPool) Geometry(x []int) (Geometry, error) {
	return a.Window.Geometry("AvgPool", x[2:], a.CeilMode)
}

// Infer implements Op.
func (a AvgPool) Infer(in []TensorDesc) ([]TensorDesc, error) {
	if err := wantImage("AvgPool", "x", in[0]); err != nil {
		return nil, err
	}
	x := in[0].Shape
	geo, err := a.Geometry(x)
	if err != nil {
		return nil, err
	}
	return f32Out(append([]int{x[0], x[1]}, geo.Out...)...), nil
}

// Cost implements Op: an addition a tap.
func (a AvgPool) Cost(in, out []TensorDesc) Cost {
	return Cost{FLOPs: int64(out[0].Shape.Size()) * spread(a.Kernel), Bytes: sumBytes(in) + sumBytes(out)}
}
