package backend

import (
	"fmt"

	"github.com/convgl/convgl/tensor"
)

// Tile repeats x along each dim:
//
//	y[…, j_d, …] = x[…, j_d mod n_d, …]    with n_d·Repeats[d] positions of dim d
//
// Input: x of any rank, float32 or int32. Output: y of the same type and rank.
//
// Source: ONNX Tile-13.
type Tile struct {
	Repeats []int // one a dim, 0 or more
}

// Kind returns "Tile".
func (Tile) Kind() string { return "Tile" }

// Args implements Op.
func (Tile) Args() (in, out []Arg) { return []Arg{{Name: "x"}}, []Arg{{Name: "y"}} }

// Infer implements Op.
func (t Tile) Infer(in []TensorDesc) ([]TensorDesc, error) {
	x := in[0]
	if err := want4Bytes("Tile", "x", x); err != nil {
		return nil, err
	}
	if len(t.Repeats) != len(x.Shape) {
		return nil, &AttrError{Op: "Tile", Attr: "repeats", Got: fmt.Sprintf("%d values %v", len(t.Repeats), t.Repeats), Want: fmt.Sprintf("%d values, one for each dim of x %v", len(x.Shape), x.dims())}
	}
	repeats, err := attrInts("Tile", "repeats", t.Repeats, len(t.Repeats), 0, 0)
	if err != nil {
		return nil, err
	}
	y := x.Shape.Clone()
	for d, r := range repeats {
		// An empty tensor may have a dim of any size: the product could overflow.
		if r > 0 && y[d] > tensor.MaxElems/r {
			return nil, &ShapeError{Op: "Tile", Arg: "y", Got: fmt.Sprintf("more than %d along dim %d", tensor.MaxElems, d), Want: "a size that fits in memory"}
		}
		y[d] *= r
	}
	return []TensorDesc{{DType: x.DType, Shape: y}}, nil
}

// Cost implements Op: no arithmetic.
func (Tile) Cost(in, out []TensorDesc) Cost { return Cost{Bytes: sumBytes(in) + sumBytes(out)} }
