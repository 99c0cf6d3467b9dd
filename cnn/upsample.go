package cnn

import (
	"fmt"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
)

// Mode says how [Upsample] and [Resize] find a value between elements.
type Mode = backend.ResizeMode

const (
	// Nearest takes the element before: output o is input ⌊o/scale⌋.
	Nearest = backend.ResizeNearest
	// Linear interpolates: bilinear for pictures, trilinear for volumes.
	Linear = backend.ResizeLinear
)

// Upsample makes an image larger (or smaller) by a factor in each spatial dim.
//
// Input: x [N,C,spatial...]. Output: y [N,C,⌊spatial·scale⌋...]. Options: AlignCorners,
// for Linear.
//
// PyTorch: nn.Upsample(scale_factor=scale) with mode nearest, linear, bilinear or
// trilinear. Op: backend.Resize.
func Upsample(scale float64, mode Mode, opts ...Option) Layer {
	return resize("Upsample", mode, opts, func(op *backend.Resize, n int) (err error) {
		op.Scales = slices.Repeat([]float64{scale}, n)
		return nil
	})
}

// Resize gives the spatial dims of an image the sizes; one stands for all.
//
// Input: x [N,C,spatial...]. Output: y [N,C,size...].
//
// PyTorch: nn.Upsample(size=size). Op: backend.Resize.
func Resize(mode Mode, sizes ...int) Layer {
	sizes = slices.Clone(sizes)
	return resize("Resize", mode, nil, func(op *backend.Resize, n int) (err error) {
		if len(sizes) == 0 {
			return fmt.Errorf("sizes: got none, want 1 or %d", n)
		}
		op.Size, err = perDim("sizes", sizes, n, 1)
		return err
	})
}

func resize(kind string, mode Mode, opts []Option, set func(*backend.Resize, int) error) Layer {
	o, err := configure(opts, "AlignCorners")
	op := backend.Resize{Mode: mode}
	switch {
	case mode == Nearest && o.align:
		err = fmt.Errorf("option AlignCorners: got mode %v, want %v", mode, Linear)
	case mode == Nearest:
		op.Coord = backend.Asymmetric
	case o.align:
		op.Coord = backend.AlignCorners
	}
	return &unary{kind: kind, err: err, build: func(s *Scope, x *graph.Value) *graph.Value {
		op := op
		s.Fail(set(&op, s.spatial(x)))
		return s.Apply(op, x)
	}}
}
