package graph

import (
	"fmt"

	"github.com/convgl/convgl/backend"
)

// Dropout sets a share Rate of its input to 0 in training and scales the rest by
// 1/(1−Rate). In inference it is the identity, and [Optimize] and [Compile]
// remove it.
//
// Input: x. Output: y of x's shape.
//
// Source: ONNX Dropout-13 with training_mode 0.
type Dropout struct {
	Rate float32 // 0 to less than 1
}

// Kind returns "Dropout".
func (Dropout) Kind() string { return "Dropout" }

// Args implements backend.Op.
func (Dropout) Args() (in, out []backend.Arg) { return Identity{}.Args() }

// Infer implements backend.Op.
func (d Dropout) Infer(in []backend.TensorDesc) ([]backend.TensorDesc, error) {
	if !(d.Rate >= 0 && d.Rate < 1) {
		return nil, &backend.AttrError{Op: "Dropout", Attr: "rate", Got: fmt.Sprint(d.Rate), Want: "0 to less than 1"}
	}
	return Identity{}.Infer(in)
}

// Cost implements backend.Op: nothing is done in inference.
func (Dropout) Cost(in, out []backend.TensorDesc) backend.Cost { return backend.Cost{} }
