package backend

import (
	"fmt"

	"github.com/convgl/convgl/tensor"
)

// ReduceKind names what Reduce makes of a set of elements.
type ReduceKind uint8

// The reductions, of a set of elements x, and what they make of an empty one.
const (
	ReduceSum       ReduceKind = iota // Σ x; 0
	ReduceMean                        // Σ x / count; NaN
	ReduceMax                         // the largest; −∞
	ReduceMin                         // the smallest; +∞
	ReduceProd                        // Π x; 1
	ReduceL1                          // Σ |x|; 0
	ReduceL2                          // √Σ x²; 0
	ReduceLogSum                      // ln Σ x; −∞
	ReduceLogSumExp                   // ln Σ e^x; −∞
	ReduceSumSquare                   // Σ x²; 0
)

var reduceNames = [...]string{"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"}

// String returns ONNX's name.
func (k ReduceKind) String() string {
	if int(k) < len(reduceNames) {
		return reduceNames[k]
	}
	return fmt.Sprintf("ReduceKind(%d)", uint8(k))
}

// Reduce makes one element of all those that differ in the dims Axes only:
//
//	y[kept dims] = Fn over the dims Axes of x
//
// NaN propagates, through ReduceMax and ReduceMin too. ReduceProd, ReduceL2 and
// ReduceLogSumExp are right wherever their result is in the range of float32: what
// they compute on the way does not overflow. ReduceProd of 0 and ∞ is NaN, and ∞ is
// ReduceLogSumExp where one element is.
//
// Input: x of any rank. Output: y, with the dims of x that are not reduced, and,
// if KeepDims, 1 for those that are.
//
// Source: ONNX ReduceSum-13 and ReduceMean, ReduceMax, ReduceMin, ReduceProd, ReduceL1,
// ReduceL2, ReduceLogSum, ReduceLogSumExp and ReduceSumSquare-18; NumPy for NaN.
type Reduce struct {
	Fn       ReduceKind
	Axes     []int // −rank to rank−1, each once; negative counts from the end; empty: all
	KeepDims bool  // leave 1 for a reduced dim
}

// Kind returns "Reduce".
func (Reduce) Kind() string { return "Reduce" }

// Args implements Op.
func (Reduce) Args() (in, out []Arg) { return []Arg{{Name: "x"}}, []Arg{{Name: "y"}} }

// Infer implements Op.
func (r Reduce) Infer(in []TensorDesc) ([]TensorDesc, error) {
	if int(r.Fn) >= len(reduceNames) {
		return nil, &AttrError{Op: "Reduce", Attr: "fn", Got: r.Fn.String(), Want: fmt.Sprint(reduceNames)}
	}
	if err := wantF32(r.Fn.String(), "x", in[0]); err != nil {
		return nil, err
	}
	reduced, err := r.Reduced(len(in[0].Shape))
	if err != nil {
		return nil, err
	}
	y := tensor.Shape{}
	for i, d := range in[0].Shape {
		switch {
		case !reduced[i]:
			y = append(y, d)
		case r.KeepDims:
			y = append(y, 1)
		}
	}
	return f32Out(y...), nil
}

// Reduced returns for each dim of x, of that rank, whether it is reduced. It fails
// with *AttrError when Axes names a dim that x does not have, or one twice.
func (r Reduce) Reduced(rank int) ([]bool, error) {
	reduced := make([]bool, rank)
	for i, a := range r.Axes {
		axis, err := ResolveAxis(r.Fn.String(), a, rank)
		if err != nil {
			return nil, err
		}
		if reduced[axis] {
			return nil, &AttrError{Op: r.Fn.String(), Attr: fmt.Sprintf("axes[%d]", i), Got: fmt.Sprintf("%d (axes %v)", a, r.Axes), Want: "each dim once"}
		}
		reduced[axis] = true
	}
	if len(r.Axes) == 0 {
		for i := range reduced {
			reduced[i] = true
		}
	}
	return reduced, nil
}

// Cost implements Op: an operation an element of x.
func (Reduce) Cost(in, out []TensorDesc) Cost {
	return Cost{FLOPs: int64(in[0].Shape.Size()), Bytes: sumBytes(in) + sumBytes(out)}
}
