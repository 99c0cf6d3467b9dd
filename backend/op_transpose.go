package backend

import (
	"fmt"

	"github.com/convgl/convgl/tensor"
)

// Transpose permutes the dims: dim i of y is dim Perm[i] of x,
//
//	y[j_0, …, j_(r−1)] = x[…] with j_i at position Perm[i]
//
// Input: x of any rank, float32 or int32. Output: y of the same type.
//
// Source: ONNX Transpose-13.
type Transpose struct {
	Perm []int // every dim of x once; nil reverses their order
}

// Kind returns "Transpose".
func (Transpose) Kind() string { return "Transpose" }

// Args implements Op.
func (Transpose) Args() (in, out []Arg) { return []Arg{{Name: "x"}}, []Arg{{Name: "y"}} }

// Infer implements Op.
func (t Transpose) Infer(in []TensorDesc) ([]TensorDesc, error) {
	x := in[0]
	if err := want4Bytes("Transpose", "x", x); err != nil {
		return nil, err
	}
	perm, err := t.Permutation(len(x.Shape))
	if err != nil {
		return nil, err
	}
	y := make(tensor.Shape, len(perm))
	for i, p := range perm {
		y[i] = x.Shape[p]
	}
	return []TensorDesc{{DType: x.DType, Shape: y}}, nil
}

// Permutation returns Perm, or what nil stands for, for a tensor of that rank. It
// fails with *AttrError when Perm is no permutation of its dims.
func (t Transpose) Permutation(rank int) ([]int, error) {
	perm := make([]int, rank)
	if t.Perm == nil {
		for i := range perm {
			perm[i] = rank - 1 - i
		}
		return perm, nil
	}
	bad := &AttrError{Op: "Transpose", Attr: "perm", Got: fmt.Sprint(t.Perm), Want: fmt.Sprintf("each of 0 to %d once, for rank %d", rank-1, rank)}
	if rank == 0 {
		bad.Want = "nothing, for rank 0"
	}
	if len(t.Perm) != rank {
		return nil, bad
	}
	seen := make([]bool, rank)
	for i, p := range t.Perm {
		if p < 0 || p >= rank || seen[p] {
			return nil, bad
		}
		seen[p], perm[i] = true, p
	}
	return perm, nil
}

// Cost implements Op: no arithmetic.
func (Transpose) Cost(in, out []TensorDesc) Cost { return Cost{Bytes: sumBytes(in) + sumBytes(out)} }
