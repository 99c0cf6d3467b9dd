package cnn

import (
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
)

// Conv1D convolves [N,C,W] with filters of size [C/G,kernel] and gives
// [N,filters,OW]. It is [Conv2D] with one spatial dim.
//
// PyTorch: nn.Conv1d.
func Conv1D(filters, kernel int, opts ...Option) Layer {
	return conv("Conv1D", 1, filters, kernel, opts)
}

// Conv2D convolves pictures with filters (cross-correlation) and adds a bias:
//
//	y[n,o,p,q] = bias[o] + Σ x[n, g·C/G+c, p·SH+r·DH−PT, q·SW+s·DW−PL] · weight[o,c,r,s]
//
// over c < C/G and the kernel's r and s, with the group g of o; outside, x is 0.
//
// Input: x [N,C,H,W]. Output: y [N,filters,OH,OW] with
// OH = ⌊(H + PT + PB − DH·(KH−1) − 1)/SH⌋ + 1. Parameters: weight [filters, C/G, KH,
// KW] and bias [filters]. C is taken from x. Options: KernelSize, Stride, Padding,
// Same, Dilation, Groups, NoBias, Init.
//
// PyTorch: nn.Conv2d. Op: backend.Conv.
func Conv2D(filters, kernel int, opts ...Option) Layer {
	return conv("Conv2D", 2, filters, kernel, opts)
}

// Conv3D convolves volumes [N,C,D,H,W] with filters of size [C/G,kernel,kernel,
// kernel] and gives [N,filters,OD,OH,OW]. It is [Conv2D] with three spatial dims.
//
// PyTorch: nn.Conv3d.
func Conv3D(filters, kernel int, opts ...Option) Layer {
	return conv("Conv3D", 3, filters, kernel, opts)
}

func conv(kind string, n, filters, kernel int, opts []Option) Layer {
	o, err := configure(opts, "KernelSize", "Stride", "Padding", "Same", "Dilation", "Groups", "NoBias", "Init")
	if err != nil {
		return &unary{kind: kind, err: err}
	}
	w, err := o.window(n, kernel)
	if err == nil {
		err = checkFilters(filters, o.groups)
	}
	return &unary{kind: kind, err: err, build: func(s *Scope, x *graph.Value) *graph.Value {
		c := s.imageChannels(x, n, o.groups)
		op := backend.Conv{Window: w, Bias: o.bias}
		if o.groups > 1 {
			op.Groups = o.groups
		}
		in, out := c/o.groups, filters/o.groups
		k := product(w.Kernel)
		args := []*graph.Value{x, s.Param("weight", fans{o.init, in * k, out * k}, append([]int{filters, in}, w.Kernel...)...)}
		if o.bias {
			args = append(args, s.Param("bias", Zeros, filters))
		}
		return s.Apply(op, args...)
	}}
}

func checkFilters(filters, groups int) error {
	if groups < 1 {
		return fmt.Errorf("Groups: got %d, want 1 or more", groups)
	}
	if filters < 1 || filters%groups != 0 {
		return fmt.Errorf("filters: got %d, want a positive multiple of Groups, which is %d", filters, groups)
	}
	return nil
}

// imageChannels returns the channels of an image with n spatial dims; they must
// divide into groups.
func (s *Scope) imageChannels(x *graph.Value, n, groups int) int {
	s.image(x, n)
	c := s.Dim(x, 1)
	if s.Err() == nil && c%groups != 0 {
		s.Fail(fmt.Errorf("x: got %d channels (x %v), want a multiple of Groups, which is %d", c, x.Shape(), groups))
	}
	return c
}

func spatialDims(n int) string { return [...]string{"", "W", "H, W", "D, H, W"}[n] }

func product(v []int) int {
	p := 1
	for _, n := range v {
		p *= n
	}
	return p
}
