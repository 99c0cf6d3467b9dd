package onnx

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/onnx/internal/pb"
)

// encode writes a model of opset 13 with x float32[2] as input and y float32[2] as output.
func encode(t *testing.T, inits []*pb.Tensor, nodes ...*pb.Node) []byte {
	t.Helper()
	v := func(name string) []*pb.ValueInfo {
		return []*pb.ValueInfo{{Name: name, Kind: pb.TensorKind, ElemType: 1, HasShape: true, Dims: []pb.Dim{{Value: 2, Known: true}}}}
	}
	data, err := pb.Encode(&pb.Model{IRVersion: 7, OpsetImports: []pb.Opset{{Version: 13}},
		Graph: &pb.Graph{Name: "g", Nodes: nodes, Initializers: inits, Inputs: v("x"), Outputs: v("y")}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Floating-point constants count, wherever they stand, in the types of the file.
func TestParams(t *testing.T) {
	m, err := Read(encode(t, []*pb.Tensor{
		{Name: "w", DataType: 1, Dims: []int64{2}, FloatData: []float32{1, 2}},
		{Name: "axes", DataType: 7, Dims: []int64{1}, Int64Data: []int64{0}},
	},
		&pb.Node{OpType: "Constant", Outputs: []string{"c"}, Attrs: []*pb.Attr{attrTensor("value", &pb.Tensor{DataType: 11, Dims: []int64{3, 1}, DoubleData: []float64{1, 2, 3}})}},
		&pb.Node{OpType: "ReduceMean", Inputs: []string{"c"}, Outputs: []string{"s"}, Attrs: []*pb.Attr{attrInt("keepdims", 0)}},
		&pb.Node{OpType: "Mul", Inputs: []string{"x", "w"}, Outputs: []string{"a"}},
		&pb.Node{OpType: "Add", Inputs: []string{"a", "s"}, Outputs: []string{"y"}},
	))
	if err != nil {
		t.Fatal(err)
	}
	if m.Params() != 5 || m.ParamBytes() != 2*4+3*8 {
		t.Errorf("got %d parameters of %d bytes, want 5 of 32", m.Params(), m.ParamBytes())
	}
}

// Every node that cannot be run is listed at once, whatever the reason.
func TestUnsupportedNodes(t *testing.T) {
	data := encode(t, nil,
		&pb.Node{Name: "one", OpType: "Swirl", Inputs: []string{"x"}, Outputs: []string{"a"}},
		&pb.Node{Name: "two", OpType: "Relu", Domain: "com.example", Inputs: []string{"a"}, Outputs: []string{"b"}},
		&pb.Node{Name: "three", OpType: "LayerNormalization", Inputs: []string{"x", "x"}, Outputs: []string{"c"}}, // of opset 17
		&pb.Node{Name: "four", OpType: "Add", Inputs: []string{"b", "c"}, Outputs: []string{"y"}},
	)
	_, err := Read(data)
	var list *UnsupportedError
	if !errors.As(err, &list) || len(list.Nodes) != 3 {
		t.Fatalf("got %v", err)
	}
	for i, part := range []string{`"one" (Swirl): there is no such op`, `"two" (com.example.Relu): only`, `"three" (LayerNormalization): the op came with opset 17`} {
		if !strings.Contains(list.Nodes[i].String(), part) {
			t.Errorf("got %s, want %s", list.Nodes[i], part)
		}
	}
	m, err := Read(data, WithUnsupported())
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Unsupported()) != 3 || len(m.Nodes()) != 4 || m.Nodes()[0].Op != "Swirl" {
		t.Errorf("got %v of %v", m.Unsupported(), m.Nodes())
	}
	be, err := backend.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	defer be.Close()
	if _, err := m.Compile(context.Background(), be); !errors.As(err, &list) || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Compile: got %v", err)
	}
}
