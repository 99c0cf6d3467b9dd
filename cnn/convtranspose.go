package cnn

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
)

// ConvTranspose1D is [ConvTranspose2D] with one spatial dim: [N,C,W] becomes
// [N,filters,OW].
//
// PyTorch: nn.ConvTranspose1d.
func ConvTranspose1D(filters, kernel int, opts ...Option) Layer {
	return convTranspose("ConvTranspose1D", 1, filters, kernel, opts)
}

// ConvTranspose2D enlarges pictures by a transposed convolution, each input adding
// a filter, scaled by it, to the output:
//
//	y[n,o,p,q] = bias[o] + Σ x[n,c,i,j] · weight[c,o',r,s]
//
// over all i·SH + r·DH − PT = p and j·SW + s·DW − PL = q and the channels c of o's
// group, in which o has the number o'.
//
// Input: x [N,C,H,W]. Output: y [N,filters,OH,OW] with
// OH = SH·(H−1) + outputPadding + DH·(KH−1) + 1 − PT − PB. Parameters: weight
// [C, filters/G, KH, KW] and bias [filters]. Options: KernelSize, Stride, Padding,
// Same, OutputPadding, Dilation, Groups, NoBias, Init.
//
// PyTorch: nn.ConvTranspose2d. Op: backend.ConvTranspose.
func ConvTranspose2D(filters, kernel int, opts ...Option) Layer {
	return convTranspose("ConvTranspose2D", 2, filters, kernel, opts)
}

// ConvTranspose3D is [ConvTranspose2D] with three spatial dims: [N,C,D,H,W] becomes
// [N,filters,OD,OH,OW].
//
// PyTorch: nn.ConvTranspose3d.
func ConvTranspose3D(filters, kernel int, opts ...Option) Layer {
	return convTranspose("ConvTranspose3D", 3, filters, kernel, opts)
}

func convTranspose(kind string, n, filters, kernel int, opts []Option) Layer {
	o, err := configure(opts, "KernelSize", "Stride", "Padding", "Same", "OutputPadding", "Dilation", "Groups", "NoBias", "Init")
	if err != nil {
		return &unary{kind: kind, err: err}
	}
	w, err := o.window(n, kernel)
	if err == nil {
		err = checkFilters(filters, o.groups)
	}
	var more []int
	if err == nil {
		more, err = perDim("OutputPadding", o.outputPadding, n, 0)
	}
	return &unary{kind: kind, err: err, build: func(s *Scope, x *graph.Value) *graph.Value {
		c := s.imageChannels(x, n, o.groups)
		op := backend.ConvTranspose{Window: w, OutputPadding: more, Bias: o.bias}
		if o.groups > 1 {
			op.Groups = o.groups
		}
		in, out := c/o.groups, filters/o.groups
		k := product(w.Kernel)
		args := []*graph.Value{x, s.Param("weight", fans{o.init, in * k, out * k}, append([]int{c, out}, w.Kernel...)...)}
		if o.bias {
			args = append(args, s.Param("bias", Zeros, filters))
		}
		return s.Apply(op, args...)
	}}
}
