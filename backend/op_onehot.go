package backend

import (
	"fmt"

	"github.com/convgl/convgl/tensor"
)

// OneHot makes of each index a vector of Depth elements, 1 at the index and 0
// elsewhere, along a new dim Axis:
//
//	y[..., j, ...] = 1 where j = index[..., ...], or j − Depth is; 0 elsewhere
//
// An index below −Depth or from Depth on gives zeros.
//
// Input: index int32 of any rank up to 7. Output: y float32, of the shape of index
// with Depth at Axis.
//
// Source: ONNX OneHot-11, with the values 0 and 1.
type OneHot struct {
	Axis  int // of y: −rank−1 to rank, with the rank of index; negative counts from the end
	Depth int // size of the new dim, 0 or more
}

// Kind returns "OneHot".
func (OneHot) Kind() string { return "OneHot" }

// Args implements Op.
func (OneHot) Args() (in, out []Arg) { return []Arg{{Name: "index"}}, []Arg{{Name: "y"}} }

// Infer implements Op.
func (o OneHot) Infer(in []TensorDesc) ([]TensorDesc, error) {
	index := in[0]
	if err := wantI32("OneHot", "index", index); err != nil {
		return nil, err
	}
	rank := len(index.Shape)
	if rank >= tensor.MaxRank {
		return nil, &ShapeError{Op: "OneHot", Arg: "index: rank", Got: fmt.Sprintf("%d (%v)", rank, index.dims()), Want: fmt.Sprintf("at most %d: y has one more", tensor.MaxRank-1)}
	}
	axis, err := ResolveAxis("OneHot", o.Axis, rank+1)
	if err != nil {
		return nil, err
	}
	if o.Depth < 0 || o.Depth > maxAttr {
		return nil, &AttrError{Op: "OneHot", Attr: "depth", Got: fmt.Sprint(o.Depth), Want: fmt.Sprintf("0 to %d", maxAttr)}
	}
	y := append(index.Shape[:axis:axis], o.Depth)
	return f32Out(append(y, index.Shape[axis:]...)...), nil
}

// Cost implements Op: no arithmetic.
func (OneHot) Cost(in, out []TensorDesc) Cost { return Cost{Bytes: sumBytes(in) + sumBytes(out)} }
