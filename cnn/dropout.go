package cnn

import (
	"github.com/convgl/convgl/graph"
)

// Dropout sets a share p of the elements to 0 in training and multiplies the others
// by 1/(1−p). In inference it does nothing and costs nothing.
//
// Input: x of any shape. Output: y of the same shape. 0 ≤ p < 1.
//
// PyTorch: nn.Dropout. Op: graph.Dropout. Source: Srivastava et al., Dropout, 2014.
func Dropout(p float32) Layer {
	return &unary{kind: "Dropout", build: func(s *Scope, x *graph.Value) *graph.Value {
		return s.Apply(graph.Dropout{Rate: p}, x)
	}}
}
