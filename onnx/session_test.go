package onnx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// sketch makes small models for tests. Node lines read "out,out = Op(in, in)".
type sketch struct {
	opset  int64
	inputs []*pb.ValueInfo
	inits  []*pb.Tensor
	nodes  []*pb.Node
}

// in adds an input; a dim is a number, or the name of a symbol.
func (s *sketch) in(name string, elem ElemType, dims ...any) *sketch {
	v := &pb.ValueInfo{Name: name, Kind: pb.TensorKind, ElemType: pb.DataType(elem), HasShape: true}
	for _, d := range dims {
		switch d := d.(type) {
		case int:
			v.Dims = append(v.Dims, pb.Dim{Value: int64(d), Known: true})
		case string:
			v.Dims = append(v.Dims, pb.Dim{Param: d})
		}
	}
	s.inputs = append(s.inputs, v)
	return s
}

func (s *sketch) ints(name string, v ...int64) *sketch {
	s.inits = append(s.inits, &pb.Tensor{Name: name, DataType: pb.Int64, Dims: []int64{int64(len(v))}, Int64Data: v})
	return s
}

func (s *sketch) floats(name string, dims []int64, v ...float32) *sketch {
	s.inits = append(s.inits, &pb.Tensor{Name: name, DataType: pb.Float, Dims: dims, FloatData: v})
	return s
}

func (s *sketch) node(line string, attrs ...*pb.Attr) *sketch {
	outs, call, _ := strings.Cut(line, " = ")
	op, args, _ := strings.Cut(strings.TrimSuffix(call, ")"), "(")
	n := &pb.Node{OpType: op, Outputs: strings.Split(outs, ","), Attrs: attrs}
	if args != "" {
		for _, a := range strings.Split(args, ",") {
			n.Inputs = append(n.Inputs, strings.TrimSpace(a))
		}
	}
	s.nodes = append(s.nodes, n)
	return s
}

func anInt(name string, v int64) *pb.Attr { return &pb.Attr{Name: name, Type: pb.AttrInt, I: v} }

func (s *sketch) bytes(t testing.TB, outputs ...string) []byte {
	g := &pb.Graph{Name: "sketch", Nodes: s.nodes, Inputs: s.inputs, Initializers: s.inits}
	for _, o := range outputs {
		g.Outputs = append(g.Outputs, &pb.ValueInfo{Name: o, Kind: pb.TensorKind, ElemType: pb.Float})
	}
	data, err := pb.Encode(&pb.Model{IRVersion: 8, Graph: g, OpsetImports: []pb.Opset{{Version: max(s.opset, 17)}}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (s *sketch) load(t testing.TB, outputs ...string) *Model {
	m, err := Read(s.bytes(t, outputs...))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func openRef(t testing.TB) backend.Backend {
	be, err := backend.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := be.Close(); err != nil { // with a LeakError when something is left open
			t.Error(err)
		}
	})
	return be
}

func compile(t testing.TB, m *Model, opts ...Option) *Session {
	s, err := m.Compile(context.Background(), openRef(t), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func run(t testing.TB, s *Session, in ...*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	out, err := s.Run(context.Background(), in...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func iota32(shape ...int) *tensor.Tensor {
	x := tensor.Must(tensor.New(tensor.Float32, shape...))
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(i)
	}
	return x
}

func int64s(v ...int64) *tensor.Tensor { return tensor.Must(tensor.From(v, len(v))) }

// TestOpenBatch flattens by the arithmetic on shapes that exporters write for an open
// batch: one graph must serve all.
func TestOpenBatch(t *testing.T) {
	m := new(sketch).in("x", Float32, "N", 2, 3).ints("zero", 0).ints("rest", -1).
		node("shape = Shape(x)").
		node("n = Gather(shape, zero)", anInt("axis", 0)).
		node("to = Concat(n, rest)", anInt("axis", 0)).
		node("y = Reshape(x, to)").load(t, "y")
	if !m.open {
		t.Error("a graph is made for each batch")
	}
	s := compile(t, m)
	for _, n := range []int{1, 2, 5} {
		y := run(t, s, iota32(n, 2, 3))[0]
		if !y.Shape().Equal(tensor.Shape{n, 6}) || !slices.Equal(y.Float32s(), iota32(n, 6).Float32s()) {
			t.Errorf("batch %d: got %v", n, y)
		}
	}
	if len(s.root.next) != 1 {
		t.Errorf("%d graphs", len(s.root.next))
	}
}

// TestShapesThatSymbolsCannotSay makes a graph for each size.
func TestShapesThatSymbolsCannotSay(t *testing.T) {
	m := new(sketch).in("x", Float32, "H", "W").
		node("shape = Shape(x)").
		node("twice = Add(shape, shape)").
		node("big = Expand(one, twice)").floats("one", []int64{1, 1}, 7).
		node("y = ReduceSum(big)", anInt("keepdims", 0)).load(t, "y")
	if m.open {
		t.Error("one graph for all sizes")
	}
	s := compile(t, m)
	for i := range 2 * maxStages {
		y := run(t, s, iota32(i+1, 3))[0]
		if want := float32(7 * 4 * 3 * (i + 1)); y.Float32s()[0] != want {
			t.Errorf("got %v, want %v", y.Float32s(), want)
		}
	}
	if n := len(s.root.next); n != maxStages {
		t.Errorf("%d graphs are kept, want %d", n, maxStages)
	}
}

// TestContentDecides takes a shape as an input: the graph belongs to its content.
func TestContentDecides(t *testing.T) {
	m := new(sketch).in("x", Float32, 6).in("to", Int64, 2).node("y = Reshape(x, to)").load(t, "y")
	s := compile(t, m)
	for _, to := range [][]int64{{2, 3}, {3, 2}, {2, 3}, {-1, 1}} {
		want, err := iota32(6).Reshape(int(max(to[0], -to[0]*6)), int(to[1]))
		if err != nil {
			t.Fatal(err)
		}
		if y := run(t, s, iota32(6), int64s(to...))[0]; !y.Equal(want) {
			t.Errorf("to %v: got %v", to, y)
		}
	}
	if n := len(s.root.next); n != 3 {
		t.Errorf("%d graphs, want 3", n)
	}
	if _, err := s.Run(context.Background(), iota32(6), int64s(4, 4)); err == nil || !strings.Contains(err.Error(), "Reshape") {
		t.Errorf("6 elements to 4×4: %v", err)
	}
}

// TestStages computes a shape from a result of the device.
func TestStages(t *testing.T) {
	m := new(sketch).in("x", Float32, "N", 4).ints("one", 1).
		node("at = ArgMax(x)", anInt("axis", 1), anInt("keepdims", 0)). // the device
		node("first = Gather(at, zero)").ints("zero", 0).               // the host
		node("n = Add(first, one)").
		node("z = Relu(x)").
		node("t = Tile(z, reps)"). // the device again
		node("reps = Concat(n, one)", anInt("axis", 0)).load(t, "t", "at", "n")
	s := compile(t, m)
	x := tensor.Must(tensor.From([]float32{0, 9, 2, -3, 5, 1, 1, 1}, 2, 4))
	for range 2 {
		out := run(t, s, x)
		if !out[0].Shape().Equal(tensor.Shape{4, 4}) || out[0].Float32s()[9] != 9 || out[0].Float32s()[3] != 0 {
			t.Errorf("t = %v", out[0].Float32s())
		}
		if v, _ := tensor.Data[int64](out[1]); !slices.Equal(v, []int64{1, 0}) {
			t.Errorf("at = %v", v)
		}
		if v, _ := tensor.Data[int64](out[2]); !slices.Equal(v, []int64{2}) {
			t.Errorf("n = %v", v)
		}
	}
	stages, err := s.Stages(context.Background(), x)
	if err != nil || len(stages) != 2 || len(stages[1].Host) == 0 {
		t.Errorf("%d stages %+v, %v", len(stages), stages, err)
	}
}

// TestOutputsAreTheCallers changes what a run returned: neither inputs nor later runs may change.
func TestOutputsAreTheCallers(t *testing.T) {
	m := new(sketch).in("x", Float32, 2).in("i", Int64, 2).floats("c", []int64{2}, 3, 4).
		node("y = Identity(x)").node("z = Identity(c)").node("j = Reshape(i, to)").ints("to", 2, 1).
		node("k = Identity(i)").load(t, "y", "z", "c", "x", "j", "k")
	s := compile(t, m)
	x, i := iota32(2), int64s(5, 6)
	for range 2 {
		out := run(t, s, x, i)
		for k, want := range []string{"[0 1]", "[3 4]", "[3 4]", "[0 1]", "[5 6]", "[5 6]"} {
			var got string
			if out[k].DType() == tensor.Float32 {
				got = fmt.Sprint(out[k].Float32s())
			} else {
				v, _ := tensor.Data[int64](out[k])
				got = fmt.Sprint(v)
			}
			if got != want {
				t.Errorf("output %d: got %v, want %v", k, got, want)
			}
			for b := range out[k].Bytes() {
				out[k].Bytes()[b] = 0xff
			}
		}
	}
}

// TestIndicesAreChecked takes indices as an input: those outside are errors of the run.
func TestIndicesAreChecked(t *testing.T) {
	m := new(sketch).in("x", Float32, 3, 2).in("i", Int64, "K").node("y = Gather(x, i)").load(t, "y")
	s := compile(t, m)
	if y := run(t, s, iota32(3, 2), int64s(2, -3))[0]; !slices.Equal(y.Float32s(), []float32{4, 5, 0, 1}) {
		t.Errorf("got %v", y.Float32s())
	}
	for _, bad := range []int64{3, -4, 1 << 40} {
		_, err := s.Run(context.Background(), iota32(3, 2), int64s(0, bad))
		if err == nil || !strings.Contains(err.Error(), fmt.Sprint(bad)) {
			t.Errorf("index %d: %v", bad, err)
		}
	}
	if n := len(s.root.next); n != 1 {
		t.Errorf("%d graphs, want one for all indices", n)
	}
}

// TestWithOutputs takes inner values by their names and those of nodes.
func TestWithOutputs(t *testing.T) {
	sk := new(sketch).in("x", Float32, "N", 2).node("a = Neg(x)").node("b = Abs(a)").node("c = Sqrt(b)")
	sk.nodes[1].Name = "magnitude"
	m := sk.load(t, "c")
	s := compile(t, m, WithOutputs("magnitude", "a", "x"))
	out := run(t, s, iota32(1, 2))
	if len(out) != 3 || out[0].Float32s()[1] != 1 || out[1].Float32s()[1] != -1 || out[2].Float32s()[1] != 1 {
		t.Errorf("got %v", out)
	}
	_, err := m.Compile(context.Background(), openRef(t), WithOutputs("magnitud"))
	if err == nil || !strings.Contains(err.Error(), `"magnitud"`) {
		t.Errorf("a name that there is not: %v", err)
	}
}

// TestRunMisuse finds every wrong call an error that says what was wanted.
func TestRunMisuse(t *testing.T) {
	m := new(sketch).in("x", Float32, "N", 2).in("y", Float32, "N", 2).node("z = Add(x, y)").load(t, "z")
	s := compile(t, m)
	ctx := context.Background()
	for _, c := range []struct {
		in   []*tensor.Tensor
		want string
	}{
		{nil, `want 2: "x" float32[N,2]`},
		{[]*tensor.Tensor{iota32(1, 2), nil}, `"y"`},
		{[]*tensor.Tensor{iota32(1, 2), iota32(1, 3)}, `"y": got float32[1,3], want float32[N,2]`},
		{[]*tensor.Tensor{iota32(2), iota32(2)}, "batch dim"},
		{[]*tensor.Tensor{iota32(1, 2), iota32(3, 2)}, "N = 1"},
		{[]*tensor.Tensor{int64s(1), iota32(3, 2)}, `got int64[1]`},
	} {
		if _, err := s.Run(ctx, c.in...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Run(ctx, iota32(1, 2), iota32(1, 2)); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// TestManyGoroutines runs a session at once with shapes that need graphs of their own.
func TestManyGoroutines(t *testing.T) {
	m := new(sketch).in("x", Float32, "H", "W").
		node("shape = Shape(x)").node("twice = Add(shape, shape)").
		floats("one", []int64{1, 1}, 1).node("big = Expand(one, twice)").
		node("s = ReduceSum(big)", anInt("keepdims", 0)).node("y = Add(x, s)").load(t, "y")
	s := compile(t, m)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for k := range 12 {
				h := 1 + (g+k)%7
				out, err := s.Run(context.Background(), iota32(h, 2))
				if err != nil || out[0].Float32s()[1] != float32(1+8*h) {
					t.Errorf("h %d: %v, %v", h, out, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// TestUnknownShapes runs a file that does not say its input's rank.
func TestUnknownShapes(t *testing.T) {
	sk := new(sketch).in("x", Float32).node("y = Relu(x)")
	sk.inputs[0].HasShape = false
	s := compile(t, sk.load(t, "y"))
	for _, x := range []*tensor.Tensor{iota32(2), iota32(1, 2, 2)} {
		if y := run(t, s, x)[0]; !y.Equal(x) {
			t.Errorf("got %v", y)
		}
	}
}

// TestUnsupportedIsListed finds all nodes that cannot be run in one error.
func TestUnsupportedIsListed(t *testing.T) {
	sk := new(sketch).in("x", Float32, 2).node("a = Frobnicate(x)").node("b = Relu(a)").
		node("c = LSTM(b)").node("d = Relu(c)", anInt("steepness", 3))
	_, err := Read(sk.bytes(t, "d"))
	var u *UnsupportedError
	if !errors.As(err, &u) || len(u.Nodes) != 2 || !errors.Is(err, errors.ErrUnsupported) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"Frobnicate", "LSTM"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in: %v", want, err)
		}
	}
	sk = new(sketch).in("x", Float32, 2).node("d = Relu(x)", anInt("steepness", 3))
	if _, err := Read(sk.bytes(t, "d")); err == nil || !strings.Contains(err.Error(), "steepness") {
		t.Errorf("an attribute that nobody reads: %v", err)
	}
}
