package onnx

import (
	"context"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/onnxtest"
	"github.com/convgl/convgl/tensor"
)

// BenchmarkRun is what a session adds to a run of its graph: of a model that computes hardly
// anything, each with outputs of its own.
func BenchmarkRun(b *testing.B) {
	be, err := backend.Open("cpu", backend.WithThreads(1))
	if err != nil {
		b.Fatal(err)
	}
	defer be.Close()
	m, err := Read(onnxtest.Model{
		Nodes:   []onnxtest.Message{onnxtest.Node("Relu", "r", []string{"x"}, []string{"y"})},
		Inputs:  []onnxtest.Message{onnxtest.Value("x", tensor.Float32, "N", 3)},
		Outputs: []onnxtest.Message{onnxtest.Value("y", tensor.Float32, "N", 3)},
	}.File())
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	s, err := m.Compile(ctx, be)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	x := tensor.Must(tensor.From([]float32{-1, 0, 1}, 1, 3))
	stages, err := s.Stages(ctx, x)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("session", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Run(ctx, x); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("graph", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := stages[0].Run(ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
	y := []*tensor.Tensor{tensor.Must(tensor.New(tensor.Float32, 1, 3))}
	b.Run("into", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := stages[0].Model.RunInto(ctx, y, stages[0].Inputs); err != nil {
				b.Fatal(err)
			}
		}
	})
}
