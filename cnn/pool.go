package cnn

import (
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
)

// MaxPool1D is [MaxPool2D] with one spatial dim.
//
// PyTorch: nn.MaxPool1d.
func MaxPool1D(kernel int, opts ...Option) Layer { return maxPool("MaxPool1D", 1, kernel, opts) }

// MaxPool2D takes the largest element of each window; NaN propagates:
//
//	y[n,c,p,q] = max x[n, c, p·SH+r·DH−PT, q·SW+s·DW−PL]
//
// over the positions inside x. The stride is the window's size by default.
//
// Input: x [N,C,H,W]. Output: y [N,C,OH,OW], OH as for [Conv2D]. Options: KernelSize,
// Stride, Padding, Same, Dilation, CeilMode.
//
// PyTorch: nn.MaxPool2d. Op: backend.MaxPool.
func MaxPool2D(kernel int, opts ...Option) Layer { return maxPool("MaxPool2D", 2, kernel, opts) }

// MaxPool3D is [MaxPool2D] with three spatial dims.
//
// PyTorch: nn.MaxPool3d.
func MaxPool3D(kernel int, opts ...Option) Layer { return maxPool("MaxPool3D", 3, kernel, opts) }

// AvgPool1D is [AvgPool2D] with one spatial dim.
//
// PyTorch: nn.AvgPool1d with count_include_pad=False.
func AvgPool1D(kernel int, opts ...Option) Layer { return avgPool("AvgPool1D", 1, kernel, opts) }

// AvgPool2D averages each window:
//
//	y[n,c,p,q] = (1/k) Σ x[n, c, p·SH+r−PT, q·SW+s−PL]
//
// over the positions inside x, which are counted by k; with CountIncludePad those
// in the padding count too. The stride is the window's size by default.
//
// Input: x [N,C,H,W]. Output: y [N,C,OH,OW], OH as for [Conv2D]. Options: KernelSize,
// Stride, Padding, Same, Dilation, CeilMode, CountIncludePad.
//
// PyTorch: nn.AvgPool2d with count_include_pad=False. Op: backend.AvgPool.
func AvgPool2D(kernel int, opts ...Option) Layer { return avgPool("AvgPool2D", 2, kernel, opts) }

// AvgPool3D is [AvgPool2D] with three spatial dims.
//
// PyTorch: nn.AvgPool3d with count_include_pad=False.
func AvgPool3D(kernel int, opts ...Option) Layer { return avgPool("AvgPool3D", 3, kernel, opts) }

func maxPool(kind string, n, kernel int, opts []Option) Layer {
	o, err := configure(opts, "KernelSize", "Stride", "Padding", "Same", "Dilation", "CeilMode")
	return pool(kind, n, kernel, o, err, func(w backend.Window) backend.Op {
		return backend.MaxPool{Window: w, CeilMode: o.ceil}
	})
}

func avgPool(kind string, n, kernel int, opts []Option) Layer {
	o, err := configure(opts, "KernelSize", "Stride", "Padding", "Same", "Dilation", "CeilMode", "CountIncludePad")
	return pool(kind, n, kernel, o, err, func(w backend.Window) backend.Op {
		return backend.AvgPool{Window: w, CeilMode: o.ceil, CountIncludePad: o.includePad}
	})
}

func pool(kind string, n, kernel int, o *settings, err error, op func(backend.Window) backend.Op) Layer {
	if err != nil {
		return &unary{kind: kind, err: err}
	}
	w, err := o.window(n, kernel)
	if w.Strides == nil {
		w.Strides = w.Kernel
	}
	return &unary{kind: kind, err: err, build: func(s *Scope, x *graph.Value) *graph.Value {
		s.image(x, n)
		return s.Apply(op(w), x)
	}}
}

// image fails unless x is an image with n spatial dims.
func (s *Scope) image(x *graph.Value, n int) {
	if s.Err() == nil && len(x.Shape()) != n+2 {
		s.Fail(fmt.Errorf("x: got shape %v of rank %d, want rank %d: N, C and %s", x.Shape(), len(x.Shape()), n+2, spatialDims(n)))
	}
}
