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
		tensor.Must(tensor.New(tensor.Float32, 1<<40, 0)), tensor.Must(tensor.New(tensor.Float32, 1, 1<<40, 1, 0)), tensor.Must(tensor.New(tensor.Int64, 1<<59, 0)),
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

// TestFound keeps what fuzzing found.
func TestFound(t *testing.T) {
	be := openRef(t)
	for name, c := range map[string]struct {
		in    []*tensor.Tensor
		attrs []*pb.Attr
	}{
		"ConvTranspose": {[]*tensor.Tensor{scalar(f32s(1)), iota32(1, 1, 1)}, []*pb.Attr{{Name: "output_shape", Type: pb.AttrInts}}},
	} {
		if err := tryNode(t, be, oneNode(name, maxOpset, 9, c.in, 1, c.attrs...), c.in); err == nil {
			t.Errorf("%s is taken", name)
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

// TestOddNames finds errors, notes and descriptions readable whatever the names are.
func TestOddNames(t *testing.T) {
	be := openRef(t)
	long := strings.Repeat("very-long/", 1600)
	for _, name := range []string{"a\x00b", "two\nlines", "\x1b[2J\x1b]0;title\a", long, "right\u202eleft", "tab\tand\rreturn", "%s%d%!", "\u2028", strings.Repeat("é", 4000)} {
		add := func(m *pb.Model) *pb.Model { m.Graph.Name = name; return m }
		float := func(name string, dims ...pb.Dim) *pb.ValueInfo {
			return &pb.ValueInfo{Name: name, Kind: pb.TensorKind, ElemType: pb.Float, HasShape: true, Dims: dims}
		}
		open, four := pb.Dim{Param: name}, pb.Dim{Value: 4, Known: true}
		model := func(nodes []*pb.Node, in []*pb.ValueInfo, out ...string) *pb.Model {
			m := &pb.Model{IRVersion: 8, Graph: &pb.Graph{Nodes: nodes, Inputs: in}, OpsetImports: []pb.Opset{{Version: 17}}}
			for _, o := range out {
				m.Graph.Outputs = append(m.Graph.Outputs, &pb.ValueInfo{Name: o, Kind: pb.TensorKind, ElemType: pb.Float16})
			}
			return add(m)
		}
		relu := &pb.Node{Name: name, OpType: "Relu", Inputs: []string{"x"}, Outputs: []string{name}}
		for what, m := range map[string]*pb.Model{
			"good":          model([]*pb.Node{relu}, []*pb.ValueInfo{float("x", open, four)}, name),
			"open dims":     model([]*pb.Node{{Name: name, OpType: "MatMul", Inputs: []string{"x", name}, Outputs: []string{"y"}}}, []*pb.ValueInfo{float("x", four, open), float(name, four, four)}, "y"),
			"op":            model([]*pb.Node{{Name: name, OpType: name, Inputs: []string{"x"}, Outputs: []string{"y"}}}, []*pb.ValueInfo{float("x")}, "y"),
			"domain":        model([]*pb.Node{{Name: name, Domain: name, OpType: name, Inputs: []string{"x"}, Outputs: []string{"y"}}}, []*pb.ValueInfo{float("x")}, "y"),
			"no input":      model([]*pb.Node{relu}, nil, name),
			"no output":     model([]*pb.Node{relu}, []*pb.ValueInfo{float("x")}, name+"y"),
			"input twice":   model([]*pb.Node{relu}, []*pb.ValueInfo{float("x"), float(name), float(name)}, name),
			"made twice":    model([]*pb.Node{relu, relu}, []*pb.ValueInfo{float("x")}, name),
			"cycle":         model([]*pb.Node{{OpType: name, Inputs: []string{name}, Outputs: []string{name}}}, nil, name),
			"output twice":  model([]*pb.Node{relu}, []*pb.ValueInfo{float("x")}, name, name),
			"attribute":     model([]*pb.Node{{Name: name, OpType: "Relu", Inputs: []string{"x"}, Outputs: []string{"y"}, Attrs: []*pb.Attr{attrInt(name, 1)}}}, []*pb.ValueInfo{float("x")}, "y"),
			"choice":        model([]*pb.Node{{Name: name, OpType: "Conv", Inputs: []string{"x", "x"}, Outputs: []string{"y"}, Attrs: []*pb.Attr{attrStr("auto_pad", name)}}}, []*pb.ValueInfo{float("x", four, four, four, four)}, "y"),
			"type":          model([]*pb.Node{relu}, []*pb.ValueInfo{{Name: name, Kind: pb.TensorKind, ElemType: pb.String}}, name),
			"wrong shape":   model([]*pb.Node{{Name: name, OpType: "MatMul", Inputs: []string{name, name}, Outputs: []string{"y"}}}, []*pb.ValueInfo{float(name, four, pb.Dim{Value: 3, Known: true})}, "y"),
			"late":          model([]*pb.Node{{Name: name, OpType: "NonZero", Inputs: []string{"x"}, Outputs: []string{name}}, {Name: name, OpType: "Gather", Inputs: []string{"x", name}, Outputs: []string{"y"}}}, []*pb.ValueInfo{float("x", open, open)}, "y"),
			"not supported": model([]*pb.Node{{Name: name, OpType: "LSTM", Inputs: []string{"x"}, Outputs: []string{"y"}}}, []*pb.ValueInfo{float("x", open)}, "y"),
		} {
			file, err := pb.Encode(m)
			if err != nil {
				t.Fatal(err)
			}
			model, err := Read(file)
			if err != nil {
				readable(t, err)
				if what == "good" || what == "open dims" || what == "late" {
					t.Errorf("%s with %.30q: %v", what, name, err)
				}
				if model, err = Read(file, WithUnsupported()); err != nil {
					continue
				}
			}
			for _, text := range append(model.Notes(), fmt.Sprint(model.Inputs(), model.Outputs(), model.Unsupported())) {
				readable(t, errors.New(text))
			}
			s, err := model.Compile(context.Background(), be, WithOutputs("y"))
			if err != nil {
				readable(t, err)
				if s, err = model.Compile(context.Background(), be); err != nil {
					readable(t, err)
					continue
				}
			}
			for _, in := range [][]*tensor.Tensor{{iota32(4, 4)}, {iota32(4, 4), iota32(4, 4)}, {iota32(4, 3), iota32(4, 4)}, {iota32(2, 4)}, {iota32(4)}, {nil}} {
				_, err := s.Run(context.Background(), in...)
				if err != nil {
					readable(t, err)
				}
				if err == nil && len(model.Inputs()) == len(in) {
					stages, err := s.Stages(context.Background(), in...)
					if err != nil {
						t.Fatal(err)
					}
					for _, st := range stages {
						if st.Model != nil {
							readable(t, errors.New(st.Model.Graph().String()))
						}
					}
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestOddGraphs loads graphs that are unusual, and refuses those that are wrong.
func TestOddGraphs(t *testing.T) {
	be := openRef(t)
	relu := func(in, out string) *pb.Node {
		return &pb.Node{OpType: "Relu", Inputs: []string{in}, Outputs: []string{out}}
	}
	x := &pb.ValueInfo{Name: "x", Kind: pb.TensorKind, ElemType: pb.Float, HasShape: true, Dims: []pb.Dim{{Value: 2, Known: true}}}
	out := func(names ...string) (list []*pb.ValueInfo) {
		for _, n := range names {
			list = append(list, &pb.ValueInfo{Name: n, Kind: pb.TensorKind, ElemType: pb.Float})
		}
		return list
	}
	w := tensorProto("w", iota32(2))
	many := &pb.Node{OpType: "Sum", Outputs: []string{"y"}}
	for range 10_000 {
		many.Inputs = append(many.Inputs, "x")
	}
	concat := &pb.Node{OpType: "Concat", Outputs: []string{"y"}, Inputs: many.Inputs, Attrs: []*pb.Attr{attrInt("axis", 0)}}
	op17 := []pb.Opset{{Version: 17}}
	for name, c := range map[string]struct {
		g      *pb.Graph
		opsets []pb.Opset
		want   string    // in the error
		y      []float32 // of output 0
	}{
		"an initializer is an input":  {&pb.Graph{Inputs: []*pb.ValueInfo{x, {Name: "w", Kind: pb.TensorKind, ElemType: pb.Float}}, Initializers: []*pb.Tensor{w}, Nodes: []*pb.Node{relu("w", "y")}, Outputs: out("y")}, op17, "", []float32{0, 1}},
		"an output is an initializer": {&pb.Graph{Inputs: []*pb.ValueInfo{x}, Initializers: []*pb.Tensor{w}, Outputs: out("w")}, op17, "", []float32{0, 1}},
		"an output is an input":       {&pb.Graph{Inputs: []*pb.ValueInfo{x}, Outputs: out("x")}, op17, "", []float32{0, 1}},
		"no nodes, no outputs":        {&pb.Graph{Inputs: []*pb.ValueInfo{x}}, op17, "no outputs", nil},
		"nothing":                     {&pb.Graph{}, op17, "no outputs", nil},
		"outputs are empty":           {&pb.Graph{Inputs: []*pb.ValueInfo{x}, Nodes: []*pb.Node{relu("x", ""), relu("x", "y")}, Outputs: out("y")}, op17, "", []float32{0, 1}},
		"no outputs of a node":        {&pb.Graph{Inputs: []*pb.ValueInfo{x}, Nodes: []*pb.Node{{OpType: "Relu", Inputs: []string{"x"}}, relu("x", "y")}, Outputs: out("y")}, op17, "", []float32{0, 1}},
		"an output without a name":    {&pb.Graph{Inputs: []*pb.ValueInfo{x}, Nodes: []*pb.Node{relu("x", "")}, Outputs: out("")}, op17, "is not made", nil},
		"too many outputs":            {&pb.Graph{Inputs: []*pb.ValueInfo{x}, Nodes: []*pb.Node{{OpType: "Relu", Inputs: []string{"x"}, Outputs: []string{"y", "z"}}}, Outputs: out("y")}, op17, "output 1", nil},
		"no opset":                    {&pb.Graph{Inputs: []*pb.ValueInfo{x}, Outputs: out("x")}, nil, "opset", nil},
		"only another domain's opset": {&pb.Graph{Inputs: []*pb.ValueInfo{x}, Outputs: out("x")}, []pb.Opset{{Domain: "com.x", Version: 1}}, "opset", nil},
		"an opset twice":              {&pb.Graph{Inputs: []*pb.ValueInfo{x}, Outputs: out("x")}, []pb.Opset{{Version: 17}, {Domain: "ai.onnx", Version: 17}}, "", []float32{0, 1}},
		"two opsets":                  {&pb.Graph{Inputs: []*pb.ValueInfo{x}, Outputs: out("x")}, []pb.Opset{{Version: 17}, {Domain: "ai.onnx", Version: 13}}, "both 17 and 13", nil},
		"an opset of 0":               {&pb.Graph{Inputs: []*pb.ValueInfo{x}, Outputs: out("x")}, []pb.Opset{{Version: 0}, {Version: 17}}, "both 0 and 17", nil},
		"a negative opset":            {&pb.Graph{Inputs: []*pb.ValueInfo{x}, Outputs: out("x")}, []pb.Opset{{Version: -17}}, "-17", nil},
		"10,000 inputs":               {&pb.Graph{Inputs: []*pb.ValueInfo{x}, Nodes: []*pb.Node{many}, Outputs: out("y")}, op17, "", []float32{0, 10_000}},
		"10,000 inputs joined":        {&pb.Graph{Inputs: []*pb.ValueInfo{x}, Nodes: []*pb.Node{concat}, Outputs: out("y")}, op17, "", nil},
		"rank 9":                      {&pb.Graph{Inputs: []*pb.ValueInfo{{Name: "x", Kind: pb.TensorKind, ElemType: pb.Float, HasShape: true, Dims: make([]pb.Dim, 9)}}, Nodes: []*pb.Node{relu("x", "y")}, Outputs: out("y")}, op17, "rank", nil},
		"an input that is not read":   {&pb.Graph{Inputs: []*pb.ValueInfo{{Name: "z", Kind: pb.TensorKind, ElemType: pb.Float, HasShape: true, Dims: []pb.Dim{{Value: 1<<31 - 1, Known: true}, {Value: 1<<31 - 1, Known: true}}}}, Initializers: []*pb.Tensor{w}, Nodes: []*pb.Node{relu("w", "y")}, Outputs: out("y")}, op17, "elements", nil},
		"the size of a huge input":    {&pb.Graph{Inputs: []*pb.ValueInfo{{Name: "z", Kind: pb.TensorKind, ElemType: pb.Float, HasShape: true, Dims: []pb.Dim{{Value: 1<<31 - 1, Known: true}, {Value: 1<<31 - 1, Known: true}, {Value: 1<<31 - 1, Known: true}}}}, Nodes: []*pb.Node{{OpType: "Size", Inputs: []string{"z"}, Outputs: []string{"y"}}}, Outputs: out("y")}, op17, "elements", nil},
	} {
		file, err := pb.Encode(&pb.Model{IRVersion: 8, Graph: c.g, OpsetImports: c.opsets})
		if err != nil {
			t.Fatal(err)
		}
		m, err := Read(file)
		if err != nil {
			if readable(t, err); c.want == "" || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if c.want != "" {
			t.Errorf("%s is taken, want %q", name, c.want)
			continue
		}
		var in []*tensor.Tensor
		for range m.Inputs() {
			in = append(in, iota32(2))
		}
		s, err := m.Compile(context.Background(), be)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		y, err := s.Run(context.Background(), in...)
		if err != nil || c.y != nil && !slices.Equal(y[0].Float32s(), c.y) {
			t.Errorf("%s: got %v, %v", name, y, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestManyNodes loads, compiles and runs chains of many nodes in little time: what takes
// the square of their number is minutes.
func TestManyNodes(t *testing.T) {
	n := 20_000
	if testing.Short() {
		n = 5_000
	}
	be := openRef(t)
	for name, link := range map[string]func(s *sketch, i int, x, y string){
		"one name": func(s *sketch, i int, x, y string) {
			s.node(y + " = Tanh(" + x + ")")
			s.nodes[i].Name = "a"
		},
		"no work":   func(s *sketch, i int, x, y string) { s.node(y + " = Expand(" + x + ", one)") },
		"constants": func(s *sketch, i int, x, y string) { s.node(y + " = Sin(" + strings.Replace(x, "x", "c", 1) + ")") },
		"the same":  func(s *sketch, i int, x, y string) { s.node(y + " = Relu(x)") },
		"slices":    func(s *sketch, i int, x, y string) { s.node(y + " = Slice(" + x + ", zero, four, one)") },
		"images": func(s *sketch, i int, x, y string) {
			s.node(y+" = "+[]string{"MaxPool", "LRN"}[i%2]+"("+x+")", []*pb.Attr{{Name: "kernel_shape", Type: pb.AttrInts, Ints: []int64{1, 1}}, attrInt("size", 1)}[i%2])
		},
		"integers": func(s *sketch, i int, x, y string) { s.node(y + " = Add(" + strings.Replace(x, "x", "k", 1) + ", k)") },
		"back": func(s *sketch, i int, x, y string) {
			s.node(y + " = Tanh(" + x + ")")
			slices.Reverse(s.nodes[max(0, i-1):])
		},
	} {
		s := new(sketch).in("x", Float32, 1, 4, 1, 1).in("k", Int64, 1).ints("one", 1).ints("zero", 0).ints("four", 4).floats("c", []int64{4}, 1, 2, 3, 4)
		x := "x"
		for i := range n {
			y := fmt.Sprintf("v%d", i)
			link(s, i, x, y)
			x = y
		}
		file := s.bytes(t, x)
		start := time.Now()
		m, err := Read(file)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		loaded := time.Since(start)
		session, err := m.Compile(context.Background(), be)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := session.Run(context.Background(), iota32(1, 4, 1, 1), int64s(1)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := session.Close(); err != nil {
			t.Error(err)
		}
		if d := time.Since(start); d > 30*time.Second {
			t.Errorf("%s: %d nodes were loaded in %v, and took %v in all", name, n, loaded, d)
		}
		t.Logf("%s: %d nodes were loaded in %v, and took %v in all", name, n, loaded, time.Since(start))
	}
}

// TestManyStages ends a run that goes between host and device for ever.
func TestManyStages(t *testing.T) {
	s := new(sketch).in("x", Float32, 2).ints("zero", 0)
	x := "x"
	for i := range 3 * maxRow {
		y := fmt.Sprintf("v%d", i)
		s.node("a" + y + " = ArgMax(" + x + ")").node("b" + y + " = Add(a" + y + ", zero)").node(y + " = Expand(" + x + ", b" + y + ")")
		x = y
	}
	session := compile(t, s.load(t, x))
	_, err := session.Run(context.Background(), f32s(1, 2))
	if err == nil || !strings.Contains(err.Error(), "waits") {
		t.Errorf("got %v", err)
	}
}
