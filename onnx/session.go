package onnx

import (
	"context"
	"errors"

	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// Session is a model on a backend. Its methods may be called from many goroutines
// at once.
type Session struct{}

// Inputs returns what Run takes, in order.
func (s *Session) Inputs() []ValueInfo { return nil }

// Outputs returns what Run returns, in order.
func (s *Session) Outputs() []ValueInfo { return nil }

// Run computes the outputs. There is one tensor for each of the inputs, in their
// order, of the type of the file; float16, bfloat16 and float64 inputs may come as float32,
// and such outputs are float32. A first run with new shapes takes longer, as
// kernels are chosen for them.
func (s *Session) Run(ctx context.Context, in ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	return nil, errors.New("onnx: not yet")
}

// Stage is a part of a run: integer work on the host, then a graph on the device. Nearly
// every network has one stage.
type Stage struct {
	Host   []NodeInfo       // nodes that the host computes in each run, before the graph
	Folded []NodeInfo       // nodes that were computed once
	Model  *graph.Model     // what runs on the device; nil when nothing does. It belongs to the session
	Inputs []*tensor.Tensor // what the graph got, in the order of its inputs
}

// Stages runs the model and returns its stages with what they were given, for a look
// at graphs, plans and reports.
func (s *Session) Stages(ctx context.Context, in ...*tensor.Tensor) ([]Stage, error) {
	return nil, errors.New("onnx: not yet")
}

// Close releases everything. It is idempotent.
func (s *Session) Close() error { return nil }
