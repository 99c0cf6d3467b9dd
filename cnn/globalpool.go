package cnn

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
)

// GlobalAvgPool averages each channel over all positions.
//
// Input: x [N,C,spatial...]. Output: y [N,C,1...].
//
// PyTorch: nn.AdaptiveAvgPool2d(1). Op: backend.GlobalPool.
func GlobalAvgPool() Layer { return globalPool("GlobalAvgPool", true) }

// GlobalMaxPool takes the largest element of each channel; NaN propagates.
//
// Input: x [N,C,spatial...]. Output: y [N,C,1...].
//
// PyTorch: nn.AdaptiveMaxPool2d(1). Op: backend.GlobalPool.
func GlobalMaxPool() Layer { return globalPool("GlobalMaxPool", false) }

func globalPool(kind string, mean bool) Layer {
	return &unary{kind: kind, build: func(s *Scope, x *graph.Value) *graph.Value {
		return s.Apply(backend.GlobalPool{Mean: mean}, x)
	}}
}
