package cnn

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
)

// Softmax turns scores into shares that sum to 1 along an axis, by default dim 1,
// the classes or channels:
//
//	y = eˣ / Σ eˣ
//
// Input: x of any shape. Output: y of the same shape. Options: Axis.
//
// PyTorch: nn.Softmax(dim=1). Op: backend.Softmax.
func Softmax(opts ...Option) Layer { return softmax("Softmax", false, opts) }

// LogSoftmax is the logarithm of [Softmax], computed without rounding a share to 0:
//
//	y = x − ln Σ eˣ
//
// PyTorch: nn.LogSoftmax(dim=1). Op: backend.Softmax with Log.
func LogSoftmax(opts ...Option) Layer { return softmax("LogSoftmax", true, opts) }

func softmax(kind string, log bool, opts []Option) Layer {
	o, err := configure(opts, "Axis")
	if !o.has("Axis") {
		o.axis = 1
	}
	return &unary{kind: kind, err: err, build: func(s *Scope, x *graph.Value) *graph.Value {
		return s.Apply(backend.Softmax{Axis: o.axis, Log: log}, x)
	}}
}
