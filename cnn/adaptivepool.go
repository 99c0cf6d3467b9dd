package cnn

import (
	"errors"
	"fmt"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
)

// AdaptiveAvgPool averages windows that are chosen so that the output has the given
// size, whatever that of the input: output i of o takes the elements from ⌊i·n/o⌋ to
// ⌈(i+1)·n/o⌉−1 along a dim of n.
//
// Input: x [N,C,spatial...]. Output: y [N,C,sizes...]; one size stands for all
// spatial dims.
//
// PyTorch: nn.AdaptiveAvgPool1d to 3d. Op: backend.AdaptivePool.
func AdaptiveAvgPool(sizes ...int) Layer { return adaptivePool("AdaptiveAvgPool", true, sizes) }

// AdaptiveMaxPool takes the largest elements of the windows of [AdaptiveAvgPool].
//
// PyTorch: nn.AdaptiveMaxPool1d to 3d. Op: backend.AdaptivePool.
func AdaptiveMaxPool(sizes ...int) Layer { return adaptivePool("AdaptiveMaxPool", false, sizes) }

func adaptivePool(kind string, mean bool, sizes []int) Layer {
	sizes = slices.Clone(sizes)
	var err error
	if len(sizes) == 0 {
		err = errors.New("sizes: got none, want 1 or one for each spatial dim")
	}
	return &unary{kind: kind, err: err, build: func(s *Scope, x *graph.Value) *graph.Value {
		out, err := perDim("sizes", sizes, s.spatial(x), 1)
		s.Fail(err)
		return s.Apply(backend.AdaptivePool{Out: out, Mean: mean}, x)
	}}
}

// spatial returns the number of spatial dims of an image; it fails unless there are
// 1 to 3, and returns 1 then.
func (s *Scope) spatial(x *graph.Value) int {
	if s.Err() != nil {
		return 1
	}
	n := len(x.Shape()) - 2
	if n < 1 || n > 3 {
		s.Fail(fmt.Errorf("x: got shape %v of rank %d, want rank 3, 4 or 5: N, C and 1 to 3 spatial dims", x.Shape(), n+2))
		return 1
	}
	return n
}
