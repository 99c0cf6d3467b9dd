package bench

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/tensor"
)

// fileNet is a network of an ONNX file.
type fileNet struct{ model *onnx.Model }

// newFileNet reads the network of a row of kind net from NAME.onnx of a folder. It must
// take one input of float32.
func newFileNet(w Workload, dir string) (*fileNet, error) {
	m, err := onnx.Load(filepath.Join(dir, w.Name+".onnx"))
	if err != nil {
		return nil, err
	}
	if in := m.Inputs(); len(in) != 1 || in[0].Type != onnx.Float32 {
		return nil, fmt.Errorf("bench: %s.onnx takes %v, want one input of float32", w.Name, in)
	}
	return &fileNet{m}, nil
}

func (*fileNet) name() string { return "onnx" }

func (f *fileNet) compile(ctx context.Context, be backend.Backend) (netModel, error) {
	s, err := f.model.Compile(ctx, be)
	if err != nil {
		return nil, err
	}
	return session{s}, nil
}

// session is an ONNX model on a backend as a netModel.
type session struct{ *onnx.Session }

func (s session) run(ctx context.Context, x *tensor.Tensor) ([]*tensor.Tensor, error) {
	return s.Run(ctx, x)
}

func (s session) plans(ctx context.Context, x *tensor.Tensor) ([]*graph.Plan, error) {
	stages, err := s.Stages(ctx, x)
	if err != nil {
		return nil, err
	}
	return plansOf(ctx, stages)
}

// plansOf returns the plans of the stages that run on the device.
func plansOf(ctx context.Context, stages []onnx.Stage) (plans []*graph.Plan, err error) {
	for _, st := range stages {
		if st.Model == nil {
			continue
		}
		var shapes []tensor.Shape
		for _, t := range st.Inputs {
			shapes = append(shapes, t.Shape())
		}
		p, err := st.Model.Plan(ctx, shapes...)
		if err != nil {
			return nil, err
		}
		plans = append(plans, p)
	}
	return plans, nil
}
