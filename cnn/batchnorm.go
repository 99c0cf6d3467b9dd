package cnn

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// BatchNorm normalises each channel by statistics gathered in training:
//
//	y = weight[c] · (x − running_mean[c]) / √(running_var[c] + ε) + bias[c]
//
// Input: x [N,C,...] of any rank from 2. Output: y of x's shape. Parameters: weight
// (1 at first) and bias (0) [C]. Buffers: running_mean (0) and running_var (1) [C],
// num_batches_tracked, an int64. Options: Epsilon, NoAffine.
//
// PyTorch: nn.BatchNorm1d to 3d in eval mode. Op: backend.BatchNorm. Source: Ioffe
// and Szegedy, Batch Normalization, 2015.
func BatchNorm(opts ...Option) Layer {
	o, err := configure(opts, "Epsilon", "NoAffine")
	return &unary{kind: "BatchNorm", err: err, build: func(s *Scope, x *graph.Value) *graph.Value {
		c := s.Dim(x, 1)
		scale, bias := s.affine(o.affine, c)
		mean, variance := s.statistic("running_mean", Zeros, c), s.statistic("running_var", Ones, c)
		s.Buffer("num_batches_tracked", tensor.Must(tensor.New(tensor.Int64)))
		return s.Apply(backend.BatchNorm{Epsilon: o.epsilon}, x, scale, bias, mean, variance)
	}}
}

// affine returns a normalisation's scale and bias: parameters, or 1 and 0.
func (s *Scope) affine(trained bool, shape ...int) (scale, bias *graph.Value) {
	if trained {
		return s.Param("weight", Ones, shape...), s.Param("bias", Zeros, shape...)
	}
	return s.Const("ones", s.full(1, shape...)), s.Const("zeros", s.full(0, shape...))
}

// statistic is [Scope.Buffer] with an initialiser: no memory is written before somebody
// asks for the value.
func (s *Scope) statistic(name string, init Initializer, c int) *graph.Value {
	return s.state(name, tensor.Shape{c}, func() *entry {
		return &entry{init: init, dtype: tensor.Float32}
	})
}

// full returns a tensor of one value, and nil after an error.
func (s *Scope) full(v float32, shape ...int) *tensor.Tensor {
	if err := checkParamShape(shape); err != nil {
		s.Fail(err)
		return nil
	}
	t := tensor.Must(tensor.New(tensor.Float32, shape...)) // the shape is valid
	for i, d := 0, t.Float32s(); i < len(d); i++ {
		d[i] = v
	}
	return t
}
