package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/convgl/convgl/internal/onnxtest"
	"github.com/convgl/convgl/tensor"
)

type message = onnxtest.Message

// The numbers of TensorProto.DataType.
const (
	typeFloat = 1
	typeInt64 = 7
	typeBool  = 9
	typeHalf  = 10
)

var (
	value   = onnxtest.ValueOf
	weights = onnxtest.Floats
	node    = onnxtest.Node
	ints    = onnxtest.Ints
)

// longs is an int64 initializer.
func longs(name string, data []int64, dims ...int) message {
	return onnxtest.Tensor(name, tensor.Must(tensor.From(data, dims...)))
}

// net is the parts of a model.
type net struct {
	nodes, weights, inputs, outputs []message
}

// save writes the model.
func (n net) save(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "model.onnx")
	m := onnxtest.Model{Nodes: n.nodes, Weights: n.weights, Inputs: n.inputs, Outputs: n.outputs}
	if err := os.WriteFile(file, m.File(), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

// small is y = ReLU(conv(x)) with a 3×3 kernel of ones, for x [N,1,H,W].
func small(t *testing.T, dims ...any) string {
	if dims == nil {
		dims = []any{"N", 1, 4, 4}
	}
	ones := make([]float32, 9)
	for i := range ones {
		ones[i] = 1
	}
	return net{
		nodes: []message{
			node("Conv", "conv", []string{"x", "w"}, []string{"c"}, ints("pads", 1, 1, 1, 1)),
			node("Relu", "act", []string{"c"}, []string{"y"}),
		},
		weights: []message{weights("w", ones, 1, 1, 3, 3)},
		inputs:  []message{value("x", typeFloat, dims)},
		outputs: []message{value("y", typeFloat, dims)},
	}.save(t)
}

// two takes a and b [n,3] and gives their sum and whether a is less.
func two(t *testing.T) string {
	dims := []any{"n", 3}
	return net{
		nodes: []message{
			node("Add", "add", []string{"a", "b"}, []string{"sum"}),
			node("Less", "less", []string{"a", "b"}, []string{"is_less"}),
		},
		inputs:  []message{value("a", typeFloat, dims), value("b", typeFloat, dims)},
		outputs: []message{value("sum", typeFloat, dims), value("is_less", typeBool, dims)},
	}.save(t)
}

// npy writes an array.
func npy[T tensor.Element](t *testing.T, file string, data []T, shape ...int) string {
	t.Helper()
	if err := tensor.SaveNPY(file, tensor.Must(tensor.From(data, shape...))); err != nil {
		t.Fatal(err)
	}
	return file
}
