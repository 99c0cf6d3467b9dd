package onnx

import (
	"errors"

	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// derive returns a value that the host makes of the content of v by f: in each run where
// the content depends on the run, else once.
func (c *call) derive(v *value, what string, f func(*hostCall, *tensor.Tensor) (*tensor.Tensor, error)) *value {
	if c.err != nil {
		return nil
	}
	if !v.known() {
		c.abort(errLater)
		return nil
	}
	name := c.b.numbered(c.n.info.Name+"."+what, func(name string) bool { return c.b.env[name] != nil || c.b.m.names[name] })
	n := &node{
		Node: &pb.Node{Name: name, OpType: c.n.OpType, Outputs: []string{name}},
		info: c.n.info,
		op:   &op{host: func(h *hostCall) ([]*tensor.Tensor, error) { return single(f(h, h.in[0])) }},
	}
	if err := c.b.compute(n, []*value{v}); err != nil {
		c.abort(err)
		return nil
	}
	return c.b.env[name]
}

// cast returns v as another type.
func (c *call) cast(v *value, to ElemType) *value {
	return c.derive(v, "cast", func(h *hostCall, t *tensor.Tensor) (*tensor.Tensor, error) {
		return h.cast(t, to.DType())
	})
}

// reason makes an error that wraps errors.ErrUnsupported the reason for which one node
// cannot be run.
func reason(err error) error {
	if errors.Is(err, errors.ErrUnsupported) {
		return &unsupportedError{err.Error()}
	}
	return err
}
