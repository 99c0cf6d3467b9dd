package main

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/convgl/convgl/tensor"
)

// message is a protobuf message, by which tests make models of their own.
type message []byte

func (m *message) varint(v uint64) { *m = binary.AppendUvarint(*m, v) }

func (m *message) int(field int, v int64) {
	m.varint(uint64(field) << 3)
	m.varint(uint64(v))
}

func (m *message) bytes(field int, b []byte) {
	m.varint(uint64(field)<<3 | 2)
	m.varint(uint64(len(b)))
	*m = append(*m, b...)
}

func (m *message) str(field int, s string) { m.bytes(field, []byte(s)) }

// The numbers of TensorProto.DataType.
const (
	typeFloat = 1
	typeInt64 = 7
	typeBool  = 9
	typeHalf  = 10
)

// value is an input or output. A dim is an int or a name; nil dims leave the rank open.
func value(name string, elem int64, dims []any) message {
	var shape, ten, typ, v message
	for _, d := range dims {
		var dim message
		switch d := d.(type) {
		case int:
			dim.int(1, int64(d))
		case string:
			dim.str(2, d)
		}
		shape.bytes(1, dim)
	}
	ten.int(1, elem)
	if dims != nil {
		ten.bytes(2, shape)
	}
	typ.bytes(1, ten)
	v.str(1, name)
	v.bytes(2, typ)
	return v
}

// weights is a float32 initializer.
func weights(name string, data []float32, dims ...int) message {
	var t message
	var raw []byte
	for _, d := range dims {
		t.int(1, int64(d))
	}
	for _, x := range data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	t.int(2, typeFloat)
	t.str(8, name)
	t.bytes(9, raw)
	return t
}

// longs is an int64 initializer.
func longs(name string, data []int64, dims ...int) message {
	var t message
	var raw []byte
	for _, d := range dims {
		t.int(1, int64(d))
	}
	for _, x := range data {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(x))
	}
	t.int(2, typeInt64)
	t.str(8, name)
	t.bytes(9, raw)
	return t
}

// node applies an op; attrs are made by ints.
func node(op, name string, in, out []string, attrs ...message) message {
	var n message
	for _, s := range in {
		n.str(1, s)
	}
	for _, s := range out {
		n.str(2, s)
	}
	n.str(3, name)
	n.str(4, op)
	for _, a := range attrs {
		n.bytes(5, a)
	}
	return n
}

// ints is an attribute.
func ints(name string, vs ...int64) message {
	var a message
	a.str(1, name)
	for _, v := range vs {
		a.int(8, v)
	}
	a.int(20, 7)
	return a
}

// net is the parts of a model.
type net struct {
	nodes, weights, inputs, outputs []message
}

// save writes the model.
func (n net) save(t *testing.T) string {
	t.Helper()
	var g, opset, m message
	for _, x := range n.nodes {
		g.bytes(1, x)
	}
	g.str(2, "test")
	for _, x := range n.weights {
		g.bytes(5, x)
	}
	for _, x := range n.inputs {
		g.bytes(11, x)
	}
	for _, x := range n.outputs {
		g.bytes(12, x)
	}
	opset.int(2, 13)
	m.int(1, 7)
	m.str(2, "a test")
	m.bytes(7, g)
	m.bytes(8, opset)
	file := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(file, m, 0o666); err != nil {
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
