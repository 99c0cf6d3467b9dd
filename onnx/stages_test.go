package onnx

import (
	"context"
	"strings"
	"testing"

	"github.com/convgl/convgl/internal/onnxtest"
	"github.com/convgl/convgl/tensor"
)

// What a function computes for a stage is what the run goes on with.
func TestRunStages(t *testing.T) {
	be := backends(t)[0]
	m, err := Read(onnxtest.Model{
		Nodes:   []onnxtest.Message{onnxtest.Node("Relu", "r", []string{"x"}, []string{"h"})},
		Inputs:  []onnxtest.Message{onnxtest.Value("x", tensor.Float32, "N")},
		Outputs: []onnxtest.Message{onnxtest.Value("h", tensor.Float32, "N")},
	}.File())
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Compile(context.Background(), be)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	x := tensor.Must(tensor.From([]float32{-1, 2}, 2))
	out, err := s.RunStages(context.Background(), func(st Stage) ([]*tensor.Tensor, error) {
		out, err := st.Run(context.Background())
		out[0].Float32s()[1] = 5
		return out, err
	}, x)
	if err != nil || out[0].Float32s()[1] != 5 {
		t.Errorf("got %v, %v", out, err)
	}
	if _, err := s.RunStages(context.Background(), func(st Stage) ([]*tensor.Tensor, error) { return nil, nil }, x); err == nil || !strings.Contains(err.Error(), "got 0 outputs of a stage, want 1") {
		t.Error(err)
	}
	if _, err := s.RunStages(context.Background(), func(st Stage) ([]*tensor.Tensor, error) { return make([]*tensor.Tensor, 1), nil }, x); err == nil || !strings.Contains(err.Error(), "no tensor") {
		t.Error(err)
	}
}
