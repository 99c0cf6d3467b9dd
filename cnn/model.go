package cnn

import (
	"context"
	"fmt"
	"sync"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// Model is a network on a backend, with the parameters that it had when it was
// compiled. Its methods may be called from many goroutines at once.
type Model struct {
	net     string
	outputs int
	run     *graph.Model
	calls   sync.Pool // of *call
}

// call holds the arguments of a run, so that a run allocates nothing.
type call struct{ in, out []*tensor.Tensor }

// Compile makes the network ready for a backend: its graph is optimised and its
// parameters, as they are now, are taken along. The backend must outlive the model;
// the caller owes a Close. It fails when an argument is nil or the backend is closed.
// See [graph.Compile] for the options.
func (n *Net) Compile(ctx context.Context, be backend.Backend, opts ...graph.CompileOption) (*Model, error) {
	if be == nil {
		return nil, fmt.Errorf("cnn: net %q: Compile: the backend is nil (open one with backend.Open)", n.name)
	}
	g, err := n.Graph()
	if err != nil {
		return nil, err
	}
	m, err := graph.Compile(ctx, g, be, opts...)
	if err != nil {
		return nil, fmt.Errorf("cnn: net %q: %w", n.name, err)
	}
	return &Model{net: n.name, outputs: len(g.Outputs()), run: m, calls: sync.Pool{New: func() any { return new(call) }}}, nil
}

// Predict computes the output of a network that has one. There is one x for each
// input, with the batch as dim 0: a single picture is [1,C,H,W]. A first call with a
// new shape takes longer, as kernels are chosen for it.
//
// It fails when number, type or shape of the inputs do not fit, the batches of two
// inputs differ, the network has more outputs, or ctx is done.
func (m *Model) Predict(ctx context.Context, x ...*tensor.Tensor) (*tensor.Tensor, error) {
	if err := m.single(); err != nil {
		return nil, err
	}
	out, err := m.PredictAll(ctx, x...)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// PredictAll computes all outputs, in the order in which [NewNet] or [Net.Features]
// was given them. It fails as [Model.Predict] does.
func (m *Model) PredictAll(ctx context.Context, x ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	out, err := m.run.Run(ctx, x...)
	if err != nil {
		return nil, m.fail(err)
	}
	return out, nil
}

// PredictInto is [Model.Predict] into a tensor of the caller, which must have the
// output's type and shape, its batch included. Called again with inputs of the same
// shapes it allocates no memory.
func (m *Model) PredictInto(ctx context.Context, out *tensor.Tensor, x ...*tensor.Tensor) error {
	if err := m.single(); err != nil {
		return err
	}
	c := m.calls.Get().(*call)
	c.out = append(c.out[:0], out)
	c.in = append(c.in[:0], x...)
	err := m.run.RunInto(ctx, c.out, c.in)
	clear(c.out)
	clear(c.in)
	m.calls.Put(c)
	if err != nil {
		return m.fail(err)
	}
	return nil
}

func (m *Model) single() error {
	if m.outputs != 1 {
		return fmt.Errorf("cnn: net %q has %d outputs, want 1 (PredictAll returns all)", m.net, m.outputs)
	}
	return nil
}

func (m *Model) fail(err error) error { return fmt.Errorf("cnn: net %q: %w", m.net, err) }

// Runtime returns the model that does the work: it can show its plans and what the
// optimisation did. It is closed with m.
func (m *Model) Runtime() *graph.Model { return m.run }

// Close waits for calls in progress and releases the memory of the model. It is
// idempotent; later calls of other methods fail with backend.ErrClosed.
func (m *Model) Close() error {
	if err := m.run.Close(); err != nil {
		return m.fail(err)
	}
	return nil
}
