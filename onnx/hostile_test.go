package onnx

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// These tests make nodes of every op of the table from the schemas: what a file can have
// wrong must be refused, and by name.

// typical is a value for a letter of a schema, which fits most ops: as a constant, or as
// an input of the model.
func typical(letter byte) *tensor.Tensor {
	switch letter &^ 0x20 {
	case 'X':
		return tensor.Must(tensor.From(slices.Repeat([]float32{1, -2, 3}, 32), 1, 4, 4, 6))
	case 'W':
		return iota32(4, 4, 3, 3)
	case 'C':
		return iota32(4)
	case 'S':
		return tensor.Must(tensor.From([]float32{2}))
	case 'I':
		return int64s(1, 1)
	case 'K':
		return int64s(1)
	case 'N':
		return tensor.Must(tensor.From([]int64{0, 1, 1, 0}, 2, 2))
	case 'B':
		return tensor.Must(tensor.From([]bool{true, false}, 2, 1))
	}
	return iota32(2, 2)
}

// tensorProto writes a tensor for a file.
func tensorProto(name string, t *tensor.Tensor) *pb.Tensor {
	types := map[tensor.DType]pb.DataType{tensor.Float32: pb.Float, tensor.Int64: pb.Int64, tensor.Int32: pb.Int32, tensor.Bool: pb.Bool, tensor.Uint8: pb.Uint8}
	p := &pb.Tensor{Name: name, DataType: types[t.DType()], Raw: slices.Clone(t.Bytes())}
	for _, d := range t.Shape() {
		p.Dims = append(p.Dims, int64(d))
	}
	return p
}

// oneNode makes a model of one node. A nil input is left out; the first constant of its
// inputs are initializers from number constants on.
func oneNode(op string, opset int64, constants int, in []*tensor.Tensor, outputs int, attrs ...*pb.Attr) *pb.Model {
	g := &pb.Graph{Name: op}
	n := &pb.Node{OpType: op, Name: "the node", Attrs: attrs}
	for i, t := range in {
		if t == nil {
			n.Inputs = append(n.Inputs, "")
			continue
		}
		name := fmt.Sprintf("in%d", i)
		n.Inputs = append(n.Inputs, name)
		p := tensorProto(name, t)
		if i >= constants {
			g.Initializers = append(g.Initializers, p)
			continue
		}
		v := &pb.ValueInfo{Name: name, Kind: pb.TensorKind, ElemType: p.DataType, HasShape: true}
		for _, d := range p.Dims {
			v.Dims = append(v.Dims, pb.Dim{Value: d, Known: true})
		}
		g.Inputs = append(g.Inputs, v)
	}
	for i := range outputs {
		n.Outputs = append(n.Outputs, fmt.Sprintf("out%d", i))
	}
	g.Nodes = []*pb.Node{n}
	g.Outputs = []*pb.ValueInfo{{Name: "out0", Kind: pb.TensorKind, ElemType: pb.Float}}
	return &pb.Model{IRVersion: 8, Graph: g, OpsetImports: []pb.Opset{{Version: opset}}}
}

// tryNode loads a model and runs it, for a panic to show. It returns the error of loading.
func tryNode(t *testing.T, be backend.Backend, p *pb.Model, in []*tensor.Tensor) error {
	t.Helper()
	file, err := pb.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Read(file, withFolded(1<<20))
	if err != nil {
		var refused *RefusedError
		if !errors.As(err, &refused) {
			t.Errorf("%v: %T", err, err)
		}
		readable(t, err)
		return err
	}
	s, err := m.Compile(context.Background(), be)
	if err != nil {
		readable(t, err)
		return nil
	}
	var given []*tensor.Tensor
	for i, x := range in {
		if x != nil && len(given) < len(m.inputs) && m.inputs[len(given)].Name == fmt.Sprintf("in%d", i) {
			given = append(given, x)
		}
	}
	if _, err := s.Run(context.Background(), given...); err != nil {
		readable(t, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	return nil
}

// readable fails on errors that are long, or have characters that a terminal takes for
// commands.
func readable(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	if len(text) > 4096 {
		t.Errorf("an error of %d bytes: %.200q", len(text), text)
	}
	for _, r := range text {
		if r < ' ' && r != '\n' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0xfffd || r == 0x2028 || r == 0x202e {
			t.Errorf("an error with %q: %.200q", r, text)
			break
		}
	}
}

// opsets are those at which an op changed, and the last.
func (o op) opsets() []int64 {
	list := []int64{maxOpset}
	for _, v := range o.since {
		list = append(list, max(int64(v), minOpset))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// inputsOf returns typical inputs for an op.
func inputsOf(s schema) []*tensor.Tensor {
	var in []*tensor.Tensor
	for _, letter := range []byte(s.inputs(2)) {
		in = append(in, typical(letter))
	}
	return in
}

// TestInputsLeftOut leaves out each input of each op, all of them, and those at the end.
func TestInputsLeftOut(t *testing.T) {
	be := openRef(t)
	for _, o := range table {
		s := schemas[o.name]
		all := inputsOf(s)
		for _, opset := range o.opsets() {
			for constants := range 2 {
				for i := range len(all) + 1 {
					in, cut := slices.Clone(all), slices.Clone(all[:i])
					if i < len(all) {
						in[i] = nil
					} else {
						clear(in)
					}
					for _, in := range [][]*tensor.Tensor{in, cut, append(slices.Clone(all), make([]*tensor.Tensor, 5)...), append(slices.Clone(all), all...)} {
						err := tryNode(t, be, oneNode(o.name, opset, 9*constants, in, s.out), in)
						_, version := lookup(o.name, opset)
						if err == nil && i < len(in) && in[i] == nil && i < o.arity(version).least {
							t.Errorf("%s of opset %d is taken without input %d", o.name, opset, i)
						}
					}
				}
			}
		}
	}
}

// TestWrongAttributes gives each attribute of each op a value of each other type, numbers
// at the ends of their types and long lists, and each op an attribute that it does not have.
func TestWrongAttributes(t *testing.T) {
	be := openRef(t)
	values := []*pb.Attr{
		{Type: pb.AttrInt, I: 1}, {Type: pb.AttrFloat, F: 1}, {Type: pb.AttrString, S: []byte("x")}, {Type: pb.AttrInts, Ints: []int64{1, 1}},
		{Type: pb.AttrFloats, Floats: []float32{1}}, {Type: pb.AttrStrings, Strings: [][]byte{[]byte("x")}},
		{Type: pb.AttrTensor, T: tensorProto("", int64s(1))}, {Type: pb.AttrInts}, {Type: pb.AttrFloats},
		{Type: pb.AttrInt, I: math.MinInt64}, {Type: pb.AttrInt, I: math.MaxInt64}, {Type: pb.AttrInts, Ints: make([]int64, 10_000)},
		{Type: pb.AttrInt, I: 1 << 31}, {Type: pb.AttrInts, Ints: []int64{1<<31 - 1, 1<<31 - 1}}, {Type: pb.AttrFloat, F: float32(math.NaN())},
		{Type: pb.AttrString, S: []byte("\x1b[2J\x00" + strings.Repeat("long", 10_000))},
	}
	for _, o := range table {
		s := schemas[o.name]
		in := inputsOf(s)
		for _, spec := range append(s.attrs(), attrSpec{name: "no_such_attribute"}) {
			for _, v := range values {
				v := *v
				v.Name = spec.name
				if spec.typ == v.Type {
					for _, opset := range o.opsets() {
						for constants := range 2 {
							tryNode(t, be, oneNode(o.name, opset, 9*constants, in, 1, &v), in)
						}
					}
					continue
				}
				if err := tryNode(t, be, oneNode(o.name, maxOpset, 9, in, 1, &v), in); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("attribute %q", spec.name)) {
					t.Errorf("%s with %s of type %v: %v", o.name, spec.name, v.Type, err)
				}
			}
		}
	}
}

// TestAnyTypesAndShapes gives each input of each op every type, no dims, an empty dim and
// rank 8, as constants and as inputs.
func TestAnyTypesAndShapes(t *testing.T) {
	be := openRef(t)
	others := []*tensor.Tensor{
		int64s(1, 2), tensor.Must(tensor.From([]int32{1, 0, 1, 1}, 2, 2)), tensor.Must(tensor.From([]bool{true, false}, 2)), tensor.Must(tensor.From([]uint8{3, 0, 5}, 3)),
		tensor.Must(tensor.From([]float32{1.5})), tensor.Must(tensor.From([]int64{-7})), tensor.Must(tensor.New(tensor.Float32, 0)), tensor.Must(tensor.New(tensor.Int64, 0)),
		tensor.Must(tensor.New(tensor.Float32, 1, 4, 0, 6)), tensor.Must(tensor.New(tensor.Float32, 0, 4, 4, 6)), tensor.Must(tensor.New(tensor.Int64, 2, 0, 2)),
		iota32(1, 2, 1, 2, 1, 2, 1, 2), tensor.Must(tensor.New(tensor.Int64, 1, 1, 1, 1, 1, 1, 2, 1)), int64s(math.MaxInt64, math.MinInt64), int64s(1<<31-1, 1<<31-1, 1<<31-1, 1<<31-1),
		tensor.Must(tensor.From([]float32{float32(math.NaN()), float32(math.Inf(1)), -1e38}, 3)),
	}
	for _, o := range table {
		s := schemas[o.name]
		all := inputsOf(s)
		for _, opset := range o.opsets() {
			for i := range len(all) + 1 {
				if i < len(all) && opset < maxOpset && testing.Short() {
					continue
				}
				for _, x := range others {
					in := slices.Clone(all)
					if i < len(in) {
						in[i] = x
					} else {
						for k := range in {
							in[k] = x
						}
					}
					for _, constants := range []int{0, 9} {
						tryNode(t, be, oneNode(o.name, opset, constants, in, s.out), in)
					}
				}
			}
		}
	}
}

// TestHugeSizes asks for tensors that no machine has memory for, each a little of the
// budget, or far more.
func TestHugeSizes(t *testing.T) {
	size := func(v ...int64) *pb.Tensor { return tensorProto("size", int64s(v...)) }
	for name, s := range map[string]*sketch{
		"one":     new(sketch).node("y = ConstantOfShape(size)"),
		"of bool": new(sketch).node("y = ConstantOfShape(size)", &pb.Attr{Name: "value", Type: pb.AttrTensor, T: tensorProto("", tensor.Must(tensor.From([]bool{true}, 1)))}),
		"expand":  new(sketch).floats("x", []int64{1}, 1).node("y = Expand(x, size)"),
		"tile":    new(sketch).floats("x", []int64{1}, 1).node("y = Tile(x, size)"),
		"range":   new(sketch).ints("zero", 0).ints("one", 1).node("z = Squeeze(zero)").node("o = Squeeze(one)").node("n = Squeeze(size)").node("y = Range(z, n, o)"),
		"pad":     new(sketch).ints("x", 1, 2).ints("at", 0).node("p = Concat(at, size)", anInt("axis", 0)).node("y = Pad(x, p)"),
		"onehot":  new(sketch).ints("x", 1, 2).ints("v", 0, 1).node("y = OneHot(x, size, v)"),
		"resize":  new(sketch).ints("x", 1, 2).node("y = Resize(x, , , size)", &pb.Attr{Name: "mode", Type: pb.AttrString, S: []byte("nearest")}),
		"dropout": new(sketch).in("x", Float32, "N", 1<<31-1).node("z,y = Dropout(x)"),
		"norm":    new(sketch).in("x", Float32, 1, 1<<31-1).floats("one", []int64{1}, 1).node("y = LayerNormalization(x, one)"),
		"lppool": new(sketch).in("x", Float32, 1, 1<<31-1, 5000).
			node("y = LpPool(x)", &pb.Attr{Name: "kernel_shape", Type: pb.AttrInts, Ints: []int64{5000}}),
	} {
		for _, n := range []int64{1<<31 - 1, 1 << 33, 1 << 40, math.MaxInt64} {
			s := *s
			s.inits = append(slices.Clone(s.inits), size(n))
			start := time.Now()
			_, err := Read(s.bytes(t, "y"))
			if err == nil {
				t.Errorf("%s: %d elements are taken", name, n)
				continue
			}
			readable(t, err)
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("%s: %d elements: %v", name, n, d)
			}
		}
	}
}

// TestBudget finds what many nodes ask for added up: of a budget of a megabyte each
// takes a tenth.
func TestBudget(t *testing.T) {
	for name, node := range map[string]func(s *sketch, i int, y string){
		"constants": func(s *sketch, i int, y string) { s.node(y + " = ConstantOfShape(size)") },
		"work":      func(s *sketch, i int, y string) { s.node(y+" = ReduceSum(big)", anInt("keepdims", 0)) },
		"nothing":   func(s *sketch, i int, y string) { s.node(y + " = Identity(big)") },
		"masks":     func(s *sketch, i int, y string) { s.node("z" + y + "," + y + " = Dropout(x)") },
		"norms":     func(s *sketch, i int, y string) { s.node(y + " = LayerNormalization(x, one)") },
		"devices": func(s *sketch, i int, y string) {
			s.ints(y+"k", int64(i)).node(y + "c = Expand(" + y + "k, size)").node(y + " = Gather(w, " + y + "c)")
		},
		"weights": func(s *sketch, i int, y string) {
			s.node(y+" = LpPool(x4)", &pb.Attr{Name: "kernel_shape", Type: pb.AttrInts, Ints: []int64{160, 160}})
		},
	} {
		s := new(sketch).in("x", Float32, 1, 25_000).in("x4", Float32, 1, 1, 160, 160).ints("size", 25_000).floats("one", []int64{1}, 1).floats("w", []int64{50, 1}, make([]float32, 50)...).
			node("big = ConstantOfShape(size)")
		var outputs []string
		for i := range 50 {
			y := fmt.Sprintf("y%d", i)
			node(s, i, y)
			outputs = append(outputs, y)
		}
		_, err := Read(s.bytes(t, outputs...), withFolded(1_000_000))
		if err == nil || !strings.Contains(err.Error(), "limit of 1000000 bytes") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Read(s.bytes(t, outputs...), withFolded(1<<30)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
