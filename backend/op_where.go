package backend

import (
	"fmt"

	"github.com/convgl/convgl/tensor"
)

// Where chooses between two tensors, element by element:
//
//	z = x where cond ≠ 0, y where cond = 0
//
// NaN is not 0, so it chooses x; −0 is 0. The three are broadcast against each other
// by the rule of [Binary]. What is not chosen has no influence, NaN included.
//
// Inputs: cond, x, y. Output: z of the broadcast shape.
//
// Source: ONNX Where-16, with a condition of float32.
type Where struct{}

// Kind returns "Where".
func (Where) Kind() string { return "Where" }

// Args implements Op.
func (Where) Args() (in, out []Arg) {
	return []Arg{{Name: "cond"}, {Name: "x"}, {Name: "y"}}, []Arg{{Name: "z"}}
}

// Infer implements Op.
func (Where) Infer(in []TensorDesc) ([]TensorDesc, error) {
	names := []string{"cond", "x", "y"}
	z := tensor.Shape{}
	for i, name := range names {
		if err := wantF32("Where", name, in[i]); err != nil {
			return nil, err
		}
		wider, err := tensor.Broadcast(z, in[i].Shape)
		if err != nil { // with one of those before
			for j := range i {
				if hint := broadcastHint(in[j], in[i], 1); hint != "" {
					return nil, &ShapeError{Op: "Where", Arg: names[j] + ", " + name, Got: fmt.Sprintf("%v, %v", in[j].dims(), in[i].dims()), Want: "shapes that broadcast", Hint: hint}
				}
			}
			return nil, &ShapeError{Op: "Where", Arg: name, Got: in[i].dims(), Want: "a shape that broadcasts", Hint: err.Error()}
		}
		z = wider
	}
	return f32Out(z...), nil
}

// Cost implements Op: one operation an element of z.
func (Where) Cost(in, out []TensorDesc) Cost {
	return Cost{FLOPs: int64(out[0].Shape.Size()), Bytes: sumBytes(in) + sumBytes(out)}
}
