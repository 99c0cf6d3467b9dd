// Package onnxtest writes small ONNX files for tests, from the numbers of the fields in
// ONNX's schema alone: it shares no code with what reads them.
package onnxtest

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/convgl/convgl/tensor"
)

// Message is an encoded protobuf message.
type Message []byte

func (m *Message) varint(v uint64) { *m = binary.AppendUvarint(*m, v) }

func (m *Message) int(field int, v int64) {
	m.varint(uint64(field) << 3)
	m.varint(uint64(v))
}

func (m *Message) bytes(field int, b []byte) {
	m.varint(uint64(field)<<3 | 2)
	m.varint(uint64(len(b)))
	*m = append(*m, b...)
}

// elem returns the number of a type in TensorProto.DataType.
func elem(d tensor.DType) int64 {
	switch d {
	case tensor.Float32:
		return 1
	case tensor.Uint8:
		return 2
	case tensor.Int32:
		return 6
	case tensor.Int64:
		return 7
	case tensor.Bool:
		return 9
	case tensor.Float64:
		return 11
	}
	panic(fmt.Sprintf("onnxtest: no number for %v", d))
}

// Value describes an input or output. A dim is an int, or a name when it is open.
func Value(name string, d tensor.DType, dims ...any) Message {
	return ValueOf(name, elem(d), append([]any{}, dims...))
}

// ValueOf is Value of the type with that number; nil dims leave the rank open.
func ValueOf(name string, elem int64, dims []any) Message {
	var shape, ten, typ, v Message
	for _, d := range dims {
		var dim Message
		switch d := d.(type) {
		case int:
			dim.int(1, int64(d))
		case string:
			dim.bytes(2, []byte(d))
		}
		shape.bytes(1, dim)
	}
	ten.int(1, elem)
	if dims != nil {
		ten.bytes(2, shape)
	}
	typ.bytes(1, ten)
	v.bytes(1, []byte(name))
	v.bytes(2, typ)
	return v
}

// Tensor is a TensorProto: an initializer, or the content of a file as input_0.pb.
func Tensor(name string, x *tensor.Tensor) Message {
	return Raw(name, elem(x.DType()), x.Bytes(), x.Shape()...)
}

// Floats is Tensor of numbers.
func Floats(name string, data []float32, dims ...int) Message {
	var raw []byte
	for _, x := range data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return Raw(name, 1, raw, dims...)
}

// Raw is Tensor of bytes of the type with that number.
func Raw(name string, elem int64, raw []byte, dims ...int) Message {
	var t Message
	for _, d := range dims {
		t.int(1, int64(d))
	}
	t.int(2, elem)
	t.bytes(8, []byte(name))
	t.bytes(9, raw)
	return t
}

// Ints is an attribute.
func Ints(name string, vs ...int64) Message {
	var a Message
	a.bytes(1, []byte(name))
	for _, v := range vs {
		a.int(8, v)
	}
	a.int(20, 7)
	return a
}

// Node applies an op.
func Node(op, name string, in, out []string, attrs ...Message) Message {
	var n Message
	for _, s := range in {
		n.bytes(1, []byte(s))
	}
	for _, s := range out {
		n.bytes(2, []byte(s))
	}
	n.bytes(3, []byte(name))
	n.bytes(4, []byte(op))
	for _, a := range attrs {
		n.bytes(5, a)
	}
	return n
}

// Model is the parts of a model.
type Model struct {
	Nodes, Weights, Inputs, Outputs []Message
	Opset                           int64 // 0 is 13
}

// File returns the content of the file.
func (n Model) File() []byte {
	var g, opset, m Message
	for _, x := range n.Nodes {
		g.bytes(1, x)
	}
	g.bytes(2, []byte("test"))
	for _, x := range n.Weights {
		g.bytes(5, x)
	}
	for _, x := range n.Inputs {
		g.bytes(11, x)
	}
	for _, x := range n.Outputs {
		g.bytes(12, x)
	}
	if n.Opset == 0 {
		n.Opset = 13
	}
	opset.int(2, n.Opset)
	m.int(1, 7)
	m.bytes(2, []byte("a test"))
	m.bytes(7, g)
	m.bytes(8, opset)
	return m
}
