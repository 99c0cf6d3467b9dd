package graph

import "github.com/convgl/convgl/backend"

// Identity returns its input. It has no kernel: [Optimize] and [Compile] remove
// it.
//
// Input: x of any type. Output: y = x.
//
// Source: ONNX Identity-16.
type Identity struct{}

// Kind returns "Identity".
func (Identity) Kind() string { return "Identity" }

// Args implements backend.Op.
func (Identity) Args() (in, out []backend.Arg) {
	return []backend.Arg{{Name: "x"}}, []backend.Arg{{Name: "y"}}
}

// Infer implements backend.Op.
func (Identity) Infer(in []backend.TensorDesc) ([]backend.TensorDesc, error) {
	return []backend.TensorDesc{{DType: in[0].DType, Shape: in[0].Shape}}, nil
}

// Cost implements backend.Op: nothing is done.
func (Identity) Cost(in, out []backend.TensorDesc) backend.Cost { return backend.Cost{} }
