package onnx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/internal/atomicfile"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// Export returns g as an ONNX model of opset 17 (IR 8). What the graph's ops have no
// ONNX op for is expressed by several: epilogues too, so that an optimised graph can be
// exported. Names of inputs, outputs, nodes and weights are kept as far as they are unique;
// a node that becomes several gives its name to the last. Symbolic dims become symbols
// of the same name. Equal graphs make equal bytes.
//
// A network of package cnn is exported by way of its graph:
//
//	g, err := net.Graph()
//	data, err := onnx.Export(g)
//
// It fails with an error that wraps [errors.ErrUnsupported] and lists every node that
// cannot be expressed ([*UnsupportedError]), and for graphs of more than 2 GiB, which the
// format's encoding does not allow. Other programs may compute otherwise what is not finite:
// a NaN may get lost in a maximum, that of nothing but padding may be the least finite number,
// and a function that is expressed by a product may be NaN at −∞.
func Export(g *graph.Graph) ([]byte, error) {
	if g == nil {
		return nil, errors.New("onnx: Export needs a graph")
	}
	fail := func(err error) ([]byte, error) {
		return nil, fmt.Errorf("onnx: export of graph %q: %w", g.Name, err)
	}
	e := &exporter{g: g, values: map[*graph.Value]string{}, weights: map[*graph.Value]string{}, bools: map[*graph.Value]string{}, names: map[string]bool{}, nodeNames: map[string]bool{}}
	m, err := e.model()
	if err != nil {
		return fail(err)
	}
	if e.weightBytes > math.MaxInt32 {
		return fail(fmt.Errorf("its weights have %d bytes, more than the %d of a file of this format", e.weightBytes, math.MaxInt32))
	}
	data, err := pb.Encode(m)
	if err != nil {
		return fail(err)
	}
	return data, nil
}

// ExportFile writes what [Export] returns to the file at path. A file that is there
// already is replaced once the new one is complete; after an error it is as it was.
func ExportFile(path string, g *graph.Graph) error {
	data, err := Export(g)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// The versions that are written.
const (
	exportIR    = 8
	exportOpset = 17
)

// exporter turns a graph into a model, node by node. Its methods return the names of
// ONNX values and keep the first fault of a node, so that each op reads as a formula.
type exporter struct {
	g       *graph.Graph
	out     pb.Graph
	values  map[*graph.Value]string // the names of values, but for constants
	weights map[*graph.Value]string // those of constants that have been written
	bools   map[*graph.Value]string // masks that are there as bool: their float32 is made when asked for

	names       map[string]bool // of values that are taken
	nodeNames   map[string]bool
	weightBytes int64

	node  *graph.Node // the node at work
	first int         // its first ONNX node
	err   error
	temps int
}

func (e *exporter) model() (*pb.Model, error) {
	e.out.Name = strings.ToValidUTF8(e.g.Name, "_")
	if e.out.Name == "" {
		e.out.Name = "graph"
	}
	for _, v := range e.g.Inputs() {
		e.values[v] = e.fresh(v.Name())
		info, err := valueInfo(e.values[v], v)
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", v.Name(), err)
		}
		e.out.Inputs = append(e.out.Inputs, info)
	}
	// Outputs have names of their own, which count more than those of nodes.
	outputs := make([]string, len(e.g.Outputs()))
	for i, o := range e.g.Outputs() {
		outputs[i] = e.fresh(o.Name)
		if _, named := e.values[o.Value]; !named && o.Value.Producer() != nil {
			e.values[o.Value] = outputs[i]
		}
	}
	var missing []Unsupported
	for _, n := range e.g.Nodes() {
		if err := e.add(n); err != nil {
			missing = append(missing, Unsupported{NodeInfo{Name: n.Name(), Op: n.Op().Kind()}, err.Error()})
		}
	}
	if missing != nil {
		return nil, &UnsupportedError{missing}
	}
	for i, o := range e.g.Outputs() {
		e.begin(nil)
		name := e.value(o.Value)
		if name != outputs[i] {
			e.emit("Identity", []string{name}, []string{outputs[i]})
		}
		e.finish(nil)
		if e.err != nil {
			return nil, fmt.Errorf("output %q: %w", o.Name, e.err)
		}
		info, err := valueInfo(outputs[i], o.Value)
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", o.Name, err)
		}
		e.out.Outputs = append(e.out.Outputs, info)
	}
	return &pb.Model{
		IRVersion:    exportIR,
		ProducerName: "convgl",
		Graph:        &e.out,
		OpsetImports: []pb.Opset{{Version: exportOpset}},
	}, nil
}

// add writes a node of the graph.
func (e *exporter) add(n *graph.Node) error {
	e.begin(n)
	y, err := e.export(n)
	if err == nil {
		err = e.err
	}
	if err != nil {
		e.out.Nodes = e.out.Nodes[:e.first]
		for _, v := range n.Out() { // what follows is looked at as well
			delete(e.bools, v)
			if e.values[v] == "" {
				e.values[v] = e.fresh(v.Name())
			}
		}
		return err
	}
	e.finish(y)
	return nil
}

// export returns the names of the outputs of n.
func (e *exporter) export(n *graph.Node) ([]string, error) {
	one := func(y string) ([]string, error) { return []string{y}, nil }
	switch op := n.Op().(type) {
	case graph.Identity, backend.Reorder:
		return one(e.op("Identity", e.inputs()))
	case graph.Dropout:
		return one(e.op("Dropout", []string{e.in(0), e.float(op.Rate)}))
	case backend.Conv:
		return one(e.conv(op))
	case backend.ConvTranspose:
		return one(e.convTranspose(op))
	case backend.Dense:
		return one(e.dense(op))
	case backend.MatMul:
		return one(e.op("MatMul", e.inputs()))
	case backend.MaxPool:
		return e.maxPool(op), nil
	case backend.AvgPool:
		return one(e.avgPool(op))
	case backend.GlobalPool:
		return one(e.globalPool(op.Mean))
	case backend.AdaptivePool:
		return one(e.adaptivePool(op))
	case backend.MaxUnpool:
		return one(e.maxUnpool(op))
	case backend.BatchNorm:
		return one(e.op("BatchNormalization", e.inputs(), floatAttr("epsilon", op.Epsilon)))
	case backend.LayerNorm:
		return one(e.op("LayerNormalization", e.inputs(), intAttr("axis", op.Axis), floatAttr("epsilon", op.Epsilon)))
	case backend.GroupNorm:
		return one(e.groupNorm(op))
	case backend.InstanceNorm:
		return one(e.instanceNorm(op))
	case backend.LRN:
		return one(e.lrn(op))
	case backend.Softmax:
		kind := "Softmax"
		if op.Log {
			kind = "LogSoftmax"
		}
		return one(e.op(kind, e.inputs(), intAttr("axis", op.Axis)))
	case backend.Activation:
		return one(e.act(e.in(0), op.Act))
	case backend.Binary:
		return e.binary(op), nil
	case backend.Where:
		return one(e.op("Where", []string{e.cond(0), e.in(1), e.in(2)}))
	case backend.Reduce:
		return one(e.reduce(op))
	case backend.ArgMax:
		return one(e.argMax(op))
	case backend.TopK:
		return e.topK(op), nil
	case backend.Resize:
		return one(e.resize(op))
	case backend.Resample:
		return one(e.resampleNode(op))
	case backend.Concat:
		return one(e.op("Concat", e.inputs(), intAttr("axis", op.Axis)))
	case backend.Pad:
		return one(e.pad(op))
	case backend.Transpose:
		return one(e.transpose(op))
	case backend.Reshape:
		return one(e.op("Reshape", []string{e.in(0), e.ints(op.Shape...)}))
	case backend.Flatten:
		return one(e.op("Flatten", e.inputs(), intAttr("axis", op.Axis)))
	case backend.Slice:
		return one(e.slice(op))
	case backend.Expand:
		return one(e.op("Expand", []string{e.in(0), e.ints(op.Shape...)}))
	case backend.Tile:
		return one(e.op("Tile", []string{e.in(0), e.ints(op.Repeats...)}))
	case backend.Gather:
		return one(e.op("Gather", e.inputs(), intAttr("axis", op.Axis)))
	case backend.OneHot:
		return one(e.oneHot(op))
	}
	return nil, errors.New("there is no ONNX op for it")
}

// begin starts a node.
func (e *exporter) begin(n *graph.Node) { e.node, e.first, e.err = n, len(e.out.Nodes), nil }

// temp marks the names of values that are not final.
const temp = "\x00"

// finish gives the values and nodes that were written since begin their names: y are the
// outputs of the node. The last node has the name of the graph's.
func (e *exporter) finish(y []string) {
	final := map[string]string{}
	for i, name := range y {
		v := e.node.Out()[i]
		if name == e.bools[v] {
			if e.values[v] == "" {
				continue
			}
			name = e.op("Cast", []string{name}, intAttr("to", int(pb.Float))) // an output of the graph
		}
		if !strings.HasPrefix(name, temp) || final[name] != "" { // not of a node, or two outputs from one
			name = e.op("Identity", []string{name})
		}
		if e.values[v] == "" {
			e.values[v] = e.fresh(v.Name())
		}
		final[name] = e.values[v]
	}
	added := e.out.Nodes[e.first:]
	base := ""
	if e.node != nil {
		base = e.node.Name()
	}
	for i, n := range added {
		for k, name := range n.Inputs {
			if strings.HasPrefix(name, temp) {
				n.Inputs[k] = final[name]
			}
		}
		for k, name := range n.Outputs {
			if !strings.HasPrefix(name, temp) {
				continue
			}
			if final[name] == "" {
				final[name] = e.fresh(base + "/" + n.OpType)
			}
			n.Outputs[k] = final[name]
		}
		n.Name = n.Outputs[0]
		if i == len(added)-1 && base != "" {
			n.Name = base
		}
		n.Name = unique(e.nodeNames, n.Name)
	}
	for v, name := range e.bools {
		if strings.HasPrefix(name, temp) {
			e.bools[v] = final[name]
		}
	}
}

// emit writes a node.
func (e *exporter) emit(op string, in, out []string, attrs ...*pb.Attr) {
	e.out.Nodes = append(e.out.Nodes, &pb.Node{OpType: op, Inputs: in, Outputs: out, Attrs: attrs})
}

// op writes a node of one output and returns that.
func (e *exporter) op(op string, in []string, attrs ...*pb.Attr) string {
	return e.ops(op, 1, in, attrs...)[0]
}

// ops writes a node of several outputs.
func (e *exporter) ops(op string, outputs int, in []string, attrs ...*pb.Attr) []string {
	out := make([]string, outputs)
	for i := range out {
		e.temps++
		out[i] = fmt.Sprint(temp, e.temps)
	}
	e.emit(op, in, out, attrs...)
	return out
}

// fail keeps the first fault of the node.
func (e *exporter) fail(format string, args ...any) string {
	if e.err == nil {
		e.err = fmt.Errorf(format, args...)
	}
	return ""
}

// in returns input i of the node.
func (e *exporter) in(i int) string { return e.value(e.node.In()[i]) }

// inputs returns all of them.
func (e *exporter) inputs() []string {
	in := make([]string, len(e.node.In()))
	for i := range in {
		in[i] = e.in(i)
	}
	return in
}

// value returns the name of a value; it writes constants, and the float32 of a mask.
func (e *exporter) value(v *graph.Value) string {
	if v.Const() != nil {
		if e.weights[v] == "" {
			e.weights[v] = e.weight(v.Name(), v.Const(), v.Const().Shape())
		}
		return e.weights[v]
	}
	if b, ok := e.bools[v]; ok && e.values[v] == "" {
		e.values[v] = e.fresh(v.Name())
		e.emit("Cast", []string{b}, []string{e.values[v]}, intAttr("to", int(pb.Float)))
	}
	if e.values[v] == "" {
		return e.fail("the value %q is of a node that cannot be exported", v.Name())
	}
	return e.values[v]
}

// weight writes a tensor with the file's values and returns its name.
func (e *exporter) weight(name string, t *tensor.Tensor, shape tensor.Shape) string {
	elem := elemTypeOf(t.DType())
	if elem == 0 {
		return e.fail("constant %q: elements of type %v", name, t.DType())
	}
	name = e.fresh(name)
	p := &pb.Tensor{Name: name, DataType: elem, Raw: rawBytes(t), Dims: []int64{}}
	for _, d := range shape {
		p.Dims = append(p.Dims, int64(d))
	}
	e.weightBytes += int64(len(p.Raw))
	e.out.Initializers = append(e.out.Initializers, p)
	return name
}

// rawBytes returns the elements in little endian, without a copy where memory is.
func rawBytes(t *tensor.Tensor) []byte {
	if b := []byte{1, 0}; t.Size() == 0 || binary.NativeEndian.Uint16(b) == 1 {
		return t.Bytes()
	}
	var b bytes.Buffer
	_ = t.WriteRaw(&b) // a Buffer takes everything
	return b.Bytes()
}

// constant writes a tensor that the node needs beside its inputs.
func (e *exporter) constant(what string, t *tensor.Tensor, err error) string {
	if err != nil {
		return e.fail("%s: %v", what, err)
	}
	return e.weight(e.node.Name()+"/"+what, t, t.Shape())
}

// ints writes a vector.
func (e *exporter) ints(v ...int) string {
	d := int64List(v)
	t, err := tensor.From(d, len(d))
	return e.constant("ints", t, err)
}

// int writes a scalar.
func (e *exporter) int(v int) string {
	t, err := tensor.From([]int64{int64(v)})
	return e.constant("int", t, err)
}

// float writes a scalar.
func (e *exporter) float(v float32) string {
	t, err := tensor.From([]float32{v})
	return e.constant("float", t, err)
}

// fresh takes a name for a value.
func (e *exporter) fresh(name string) string { return unique(e.names, name) }

// unique takes a name that begins with the one given. The format wants valid UTF-8.
func unique(taken map[string]bool, name string) string {
	name = strings.ToValidUTF8(strings.ReplaceAll(name, temp, "_"), "_")
	for i, base := 1, name; taken[name]; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	taken[name] = true
	return name
}

// valueInfo describes an input or output.
func valueInfo(name string, v *graph.Value) (*pb.ValueInfo, error) {
	elem := elemTypeOf(v.DType())
	if elem == 0 {
		return nil, fmt.Errorf("elements of type %v: %w", v.DType(), errors.ErrUnsupported)
	}
	info := &pb.ValueInfo{Name: name, Kind: pb.TensorKind, ElemType: elem, HasShape: true, Dims: []pb.Dim{}}
	for _, d := range v.Shape() {
		dim := pb.Dim{}
		if n, static := d.Size(); static {
			dim.Value, dim.Known = int64(n), true
		} else if s := d.String(); s != "?" { // a dim that has no expression stays open
			dim.Param = strings.ToValidUTF8(s, "_")
		}
		info.Dims = append(info.Dims, dim)
	}
	return info, nil
}

// elemTypeOf returns the format's number of a type, and 0 for one that it lacks.
func elemTypeOf(d tensor.DType) pb.DataType {
	switch d {
	case tensor.Float32:
		return pb.Float
	case tensor.Float64:
		return pb.Double
	case tensor.Int32:
		return pb.Int32
	case tensor.Int64:
		return pb.Int64
	case tensor.Uint8:
		return pb.Uint8
	case tensor.Bool:
		return pb.Bool
	}
	return pb.Undefined
}

func int64List(v []int) []int64 {
	d := make([]int64, len(v))
	for i, n := range v {
		d[i] = int64(n)
	}
	return d
}

func intAttr(name string, v int) *pb.Attr {
	return &pb.Attr{Name: name, Type: pb.AttrInt, I: int64(v)}
}

func boolAttr(name string, v bool) *pb.Attr {
	if v {
		return intAttr(name, 1)
	}
	return intAttr(name, 0)
}

func intsAttr(name string, v []int) *pb.Attr {
	return &pb.Attr{Name: name, Type: pb.AttrInts, Ints: int64List(v)}
}

func floatAttr(name string, v float32) *pb.Attr {
	return &pb.Attr{Name: name, Type: pb.AttrFloat, F: v}
}

func stringAttr(name, v string) *pb.Attr {
	return &pb.Attr{Name: name, Type: pb.AttrString, S: []byte(v)}
}
