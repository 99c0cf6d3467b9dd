package cnn

import (
	"fmt"

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
// num_batches_tracked, an int64 that nothing here reads; a state dict may lack it, as
// those of PyTorch before 0.4.1 do. Options: Epsilon, NoAffine.
//
// PyTorch: nn.BatchNorm1d to 3d in eval mode. Op: backend.BatchNorm. Source: Ioffe
// and Szegedy, Batch Normalization, 2015.
func BatchNorm(opts ...Option) Layer {
	o, err := configure(opts, "Epsilon", "NoAffine")
	return &unary{kind: "BatchNorm", err: err, build: func(s *Scope, x *graph.Value) *graph.Value {
		op := backend.BatchNorm{Epsilon: o.epsilon}
		c := s.Dim(x, 1)
		if !s.accepts(op, x, 4, c) {
			return nil
		}
		scale, bias := s.affine(o.affine, c)
		mean, variance := s.statistic("running_mean", Zeros, c), s.statistic("running_var", Ones, c)
		s.state("num_batches_tracked", tensor.Shape{}, func() *entry {
			return &entry{initial: tensor.Must(tensor.New(tensor.Int64)), dtype: tensor.Int64, optional: true}
		})
		return s.Apply(op, x, scale, bias, mean, variance)
	}}
}

// accepts reports whether an op takes x and weights of one shape, and fails otherwise:
// asked before the weights take memory.
func (s *Scope) accepts(op backend.Op, x *graph.Value, weights int, shape ...int) bool {
	if s.Err() != nil {
		return false
	}
	g := graph.New(s.Name())
	in := make([]*graph.Value, 1+weights)
	var err error
	in[0], err = g.Input("x", x.DType(), x.Shape())
	for i := 1; i <= weights && err == nil; i++ {
		in[i], err = g.Input(fmt.Sprint("weight", i), tensor.Float32, graph.Dims(shape...))
	}
	if err == nil {
		_, err = g.Apply(s.nodeName(), op, in...)
	}
	if err != nil {
		s.Fail(withShapes(err, []*graph.Value{x}))
	}
	return err == nil
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
