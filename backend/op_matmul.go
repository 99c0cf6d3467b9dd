package backend

import (
	"fmt"

	"github.com/convgl/convgl/tensor"
)

// MatMul is the batched matrix product:
//
//	y[..., i, j] = Σ_k a[..., i, k] · b[..., k, j]
//
// with the leading dims broadcast against each other. A rank-1 a is a row, a
// rank-1 b a column, and the dim added for it is dropped from y.
//
// Inputs: a [...,M,K], b [...,K,N]. Output: y [...,M,N].
//
// Source: ONNX MatMul-13, numpy.matmul.
type MatMul struct{}

// Kind returns "MatMul".
func (MatMul) Kind() string { return "MatMul" }

// Args implements Op.
func (MatMul) Args() (in, out []Arg) { return []Arg{{Name: "a"}, {Name: "b"}}, []Arg{{Name: "y"}} }

// MatMulDims are the sizes of a batched product with every dim made explicit.
type MatMulDims struct {
	M, K, N int
	// Batch are the broadcast leading dims of y.
	Batch []int
	// AStride and BStride are, for each dim of Batch, the distance in matrices
	// between neighbours in a and b: 0 where it is broadcast.
	AStride, BStride []int
}

// Dims returns the sizes for inputs of shapes a and b.
func (m MatMul) Dims(a, b tensor.Shape) (MatMulDims, error) {
	return m.dims(F32(a...), F32(b...))
}

func (MatMul) dims(ad, bd TensorDesc) (MatMulDims, error) {
	var d MatMulDims
	a, b := ad.Shape, bd.Shape
	if len(a) < 1 || len(b) < 1 {
		return d, &ShapeError{Op: "MatMul", Arg: "a, b: rank", Got: fmt.Sprintf("%v, %v", ad.dims(), bd.dims()), Want: "1 or more"}
	}
	if len(a) == 1 {
		a = tensor.Shape{1, a[0]}
	}
	if len(b) == 1 {
		b = tensor.Shape{b[0], 1}
	}
	na, nb := len(a)-2, len(b)-2
	d.M, d.K, d.N = a[na], a[na+1], b[nb+1]
	if b[nb] != d.K {
		return d, &ShapeError{Op: "MatMul", Arg: "b: rows", Got: fmt.Sprintf("%s (b %v)", bd.dim(max(len(bd.Shape)-2, 0)), bd.dims()), Want: fmt.Sprintf("%s (columns of a %v)", ad.dim(len(ad.Shape)-1), ad.dims())}
	}
	batch, err := tensor.Broadcast(a[:na], b[:nb])
	if err != nil {
		return d, &ShapeError{Op: "MatMul", Arg: "a, b: leading dims", Got: fmt.Sprintf("%v, %v", ad.dims(), bd.dims()), Want: "dims that broadcast", Hint: broadcastHint(ad, bd, 3)}
	}
	d.Batch = batch
	d.AStride = BroadcastStrides(a[:na], batch)
	d.BStride = BroadcastStrides(b[:nb], batch)
	return d, nil
}

// Infer implements Op.
func (m MatMul) Infer(in []TensorDesc) ([]TensorDesc, error) {
	for i, name := range []string{"a", "b"} {
		if err := wantF32("MatMul", name, in[i]); err != nil {
			return nil, err
		}
	}
	a, b := in[0].Shape, in[1].Shape
	d, err := m.dims(in[0], in[1])
	if err != nil {
		return nil, err
	}
	y := append([]int{}, d.Batch...)
	if len(a) > 1 {
		y = append(y, d.M)
	}
	if len(b) > 1 {
		y = append(y, d.N)
	}
	return f32Out(y...), nil
}

// Cost implements Op: 2·batch·M·K·N.
func (MatMul) Cost(in, out []TensorDesc) Cost {
	k := in[0].Shape[len(in[0].Shape)-1]
	return Cost{FLOPs: 2 * int64(out[0].Shape.Size()) * int64(k), Bytes: sumBytes(in) + sumBytes(out)}
}

// BroadcastStrides returns, for each dim of out, the distance in elements between
// neighbours in a row-major tensor of shape s that is broadcast to out: 0 where s
// has size 1 or no such dim.
func BroadcastStrides(s, out tensor.Shape) []int {
	st := make([]int, len(out))
	own := s.Strides()
	for i := range s {
		if s[i] != 1 {
			st[len(out)-len(s)+i] = own[i]
		}
	}
	return st
}
