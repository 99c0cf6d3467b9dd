package backend

import "fmt"

// MaxUnpool puts each element back to where max pooling found it, in 1, 2 or 3
// spatial dims:
//
//	y[n,c,index[n,c,p...]] = x[n,c,p...], 0 elsewhere
//
// An index counts the elements of a plane of y in row-major order, as the indices
// of MaxPool do. Of several elements with one index, as overlapping windows have
// them, the last in the order of x counts. An index outside the plane, as MaxPool's
// −1, puts nothing.
//
// Inputs: x [N,C,spatial...]; index, int32, of the same shape. Output: y
// [N,C,Size...].
//
// Source: ONNX MaxUnpool-11, PyTorch's max_unpool; both leave equal indices open.
type MaxUnpool struct {
	Size []int // spatial dims of y
}

// Kind returns "MaxUnpool".
func (MaxUnpool) Kind() string { return "MaxUnpool" }

// Args implements Op.
func (MaxUnpool) Args() (in, out []Arg) {
	return []Arg{{Name: "x"}, {Name: "index"}}, []Arg{{Name: "y"}}
}

// Infer implements Op.
func (m MaxUnpool) Infer(in []TensorDesc) ([]TensorDesc, error) {
	x, index := in[0], in[1]
	if err := wantImage("MaxUnpool", "x", x); err != nil {
		return nil, err
	}
	if err := wantI32("MaxUnpool", "index", index); err != nil {
		return nil, err
	}
	if !index.Shape.Equal(x.Shape) {
		return nil, &ShapeError{Op: "MaxUnpool", Arg: "index", Got: index.dims(), Want: fmt.Sprintf("%s, as x", x.dims())}
	}
	size, err := attrInts("MaxUnpool", "size", m.Size, len(x.Shape)-2, 0, 1)
	if err != nil {
		return nil, err
	}
	y := append([]int{x.Shape[0], x.Shape[1]}, size...)
	out := f32Out(y...)
	if _, err := out[0].Shape[2:].Elems(); err != nil {
		return nil, &ShapeError{Op: "MaxUnpool", Arg: "y", Got: out[0].Shape.String(), Want: "a size that fits in memory"}
	}
	return out, indexable("MaxUnpool", size)
}

// Cost implements Op: no arithmetic.
func (MaxUnpool) Cost(in, out []TensorDesc) Cost {
	return Cost{Bytes: sumBytes(in) + sumBytes(out)}
}
