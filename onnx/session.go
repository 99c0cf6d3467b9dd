package onnx

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// Session is a model on a backend. Its methods may be called from many goroutines
// at once.
type Session struct {
	m       *Model
	be      backend.Backend
	graph   []graph.CompileOption
	nodes   []*node
	outputs []ValueInfo

	mu     sync.RWMutex // held for reading by runs
	closed bool
	root   stage // its next are the first stages
}

// maxStages bounds how many graphs are kept for inputs of different shapes, each with
// weights of its own.
const maxStages = 4

// maxRow bounds the stages of a run, each of which looks at all nodes that are left.
const maxRow = 256

// Compile makes the model ready for a backend, which must outlive the session. The
// caller owes a Close.
func (m *Model) Compile(ctx context.Context, be backend.Backend, opts ...Option) (*Session, error) {
	if be == nil {
		return nil, errors.New("onnx: Compile needs a backend (open one with backend.Open)")
	}
	var o options
	for i, f := range opts {
		if f == nil {
			return nil, fmt.Errorf("onnx: option %d of Compile is nil", i)
		}
		f(&o)
	}
	if len(m.unsupported) > 0 {
		return nil, fmt.Errorf("onnx: %w", &UnsupportedError{m.Unsupported()})
	}
	s := &Session{m: m, be: be, graph: o.graph, outputs: m.outputs}
	if o.outputs != nil {
		var err error
		if s.outputs, err = m.named(o.outputs); err != nil {
			return nil, err
		}
	}
	s.nodes = m.needed(s.outputs)
	if !m.open {
		return s, nil
	}
	b := newBuilder(m)
	for _, v := range m.inputs {
		b.input(v, v.Shape, nil)
	}
	st, err := s.build(ctx, b, s.nodes)
	if err != nil {
		return nil, err
	}
	st.open = true
	s.root.next = []*stage{st}
	return s, nil
}

// Option changes how a model is compiled.
type Option func(*options)

type options struct {
	graph   []graph.CompileOption
	outputs []string
}

// WithGraphOptions passes options on to [graph.Compile].
func WithGraphOptions(opts ...graph.CompileOption) Option {
	return func(o *options) { o.graph = append(o.graph, opts...) }
}

// WithOutputs replaces the model's outputs: each name is that of a value of the file,
// or of a node, which means its first output. A name that there is not is an error of
// Compile.
func WithOutputs(names ...string) Option {
	return func(o *options) { o.outputs = append(o.outputs, names...) }
}

// named finds values by their names or those of their nodes.
func (m *Model) named(names []string) ([]ValueInfo, error) {
	out := make([]ValueInfo, len(names))
	for i, name := range names {
		out[i].Name = name
		if !m.names[name] {
			k := slices.IndexFunc(m.nodes, func(n *node) bool { return n.info.Name == name })
			if k < 0 {
				made := map[string]int{}
				for n := range m.names {
					made[n] = 0
				}
				return nil, fmt.Errorf("onnx: there is no value or node %s%s", pb.Quote(name), near(name, made))
			}
			out[i].Name = firstOf(m.nodes[k].Outputs)
		}
		if k := slices.IndexFunc(m.outputs, func(v ValueInfo) bool { return v.Name == out[i].Name }); k >= 0 {
			out[i] = m.outputs[k]
		}
	}
	return out, nil
}

// needed returns the nodes that the outputs depend on.
func (m *Model) needed(outputs []ValueInfo) []*node {
	want := map[string]bool{}
	for _, v := range outputs {
		want[v.Name] = true
	}
	var list []*node
	for i := len(m.nodes) - 1; i >= 0; i-- {
		n := m.nodes[i]
		if !slices.ContainsFunc(n.Outputs, func(name string) bool { return want[name] }) {
			continue
		}
		list = append(list, n)
		for _, name := range n.Inputs {
			if name != "" {
				want[name] = true
			}
		}
	}
	slices.Reverse(list)
	return list
}

// build makes a stage of what b can add of the nodes.
func (s *Session) build(ctx context.Context, b *builder, nodes []*node) (*stage, error) {
	if err := b.add(nodes); err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	if len(b.rest) == len(nodes) && len(nodes) > 0 {
		return nil, fmt.Errorf("onnx: node %s: %w", nodes[0].info.label(), errLater)
	}
	st, err := b.outputs(s.outputs)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	if err := st.compile(ctx, b.g, s.be, s.graph); err != nil {
		return nil, err
	}
	return st, nil
}

// Inputs returns what Run takes, in order.
func (s *Session) Inputs() []ValueInfo { return slices.Clone(s.m.inputs) }

// Outputs returns what Run returns, in order. Of values that are not outputs of the file the
// type and shape may be unknown.
func (s *Session) Outputs() []ValueInfo { return slices.Clone(s.outputs) }

// Run computes the outputs. There is one tensor for each of the inputs, in their
// order, of the type of the file; floating-point inputs of other widths may come as float32
// or float64, and such outputs are float32. A first run with new shapes takes longer, as
// kernels are chosen for them.
func (s *Session) Run(ctx context.Context, in ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	return s.RunStages(ctx, nil, in...)
}

// Stage is a part of a run: integer work on the host, then a graph on the device.
// Nearly every network has one stage.
type Stage struct {
	Host   []NodeInfo       // nodes that the host computes in each run, before the graph
	Folded []NodeInfo       // nodes that were computed once
	Model  *graph.Model     // what runs on the device; nil when nothing does. It belongs to the session
	Inputs []*tensor.Tensor // what the graph got, in the order of its inputs
}

// Stages runs the model and returns its stages with what they were given, for a look
// at graphs, plans and reports.
func (s *Session) Stages(ctx context.Context, in ...*tensor.Tensor) ([]Stage, error) {
	var list []Stage
	_, err := s.RunStages(ctx, func(st Stage) ([]*tensor.Tensor, error) {
		list = append(list, st)
		return st.Run(ctx)
	}, in...)
	return list, err
}

// Run computes the outputs of the stage's graph, in the order of the graph's; there are
// none when nothing runs on the device.
func (st Stage) Run(ctx context.Context) ([]*tensor.Tensor, error) {
	if st.Model == nil {
		return nil, nil
	}
	return st.Model.Run(ctx, st.Inputs...)
}

// RunStages is [Session.Run] with the graph of every stage computed by run, for those who
// look at each step or compute it otherwise. It must return what [Stage.Run] does. Nil is
// Stage.Run.
func (s *Session) RunStages(ctx context.Context, run func(Stage) ([]*tensor.Tensor, error), in ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, fmt.Errorf("onnx: the session of model %s: %w", pb.Quote(s.m.info.Name), backend.ErrClosed)
	}
	if ctx == nil {
		return nil, errors.New("onnx: ctx is nil (context.Background() is one)")
	}
	env, err := s.m.bind(in)
	if err != nil {
		return nil, err
	}
	var passed []*stage
	defer func() {
		at := &s.root
		for _, st := range passed {
			at.release(st)
			at = st
		}
	}()
	for at, nodes := &s.root, s.nodes; ; {
		if len(passed) == maxRow {
			return nil, fmt.Errorf("onnx: node %s: it waits for results of the device more than %d times over", nodes[0].info.label(), maxRow)
		}
		st, err := s.after(ctx, at, nodes, env, passed)
		if err != nil {
			return nil, err
		}
		passed = append(passed, st)
		if err := st.run(ctx, env, run); err != nil {
			return nil, fmt.Errorf("onnx: %w", err)
		}
		if at, nodes = st, st.rest; len(nodes) == 0 {
			break
		}
	}
	out := make([]*tensor.Tensor, len(s.outputs))
	for i, v := range s.outputs {
		if out[i] = env[v.Name]; out[i] == nil {
			return nil, fmt.Errorf("onnx: output %s was not computed", pb.Quote(v.Name))
		}
		if held(out[i], in, out[:i], passed) {
			out[i] = out[i].Clone()
		}
	}
	return out, nil
}

// held reports whether the memory of an output is somebody else's: that of an input, of
// an output before it, or of a constant.
func held(t *tensor.Tensor, in, out []*tensor.Tensor, passed []*stage) bool {
	at := memory(t)
	same := func(o *tensor.Tensor) bool { return memory(o) == at }
	if slices.ContainsFunc(in, same) || slices.ContainsFunc(out, same) {
		return true
	}
	for _, st := range passed {
		for _, c := range st.consts {
			if same(c) {
				return true
			}
		}
	}
	return false
}

// memory returns where a tensor's elements begin; nil when it has none.
func memory(t *tensor.Tensor) *byte { return unsafe.SliceData(t.Bytes()) }

// release ends a use of a stage that follows s.
func (s *stage) release(next *stage) {
	s.mu.Lock()
	next.refs--
	s.mu.Unlock()
}

// after returns the stage that follows at, the last of those passed, for these contents,
// and makes it if need be.
func (s *Session) after(ctx context.Context, at *stage, nodes []*node, env map[string]*tensor.Tensor, passed []*stage) (*stage, error) {
	at.mu.Lock()
	defer at.mu.Unlock()
	for i, st := range at.next {
		if st.serves(env) {
			copy(at.next[1:i+1], at.next[:i])
			at.next[0] = st
			st.refs++
			return st, nil
		}
	}
	b := newBuilder(s.m)
	elems := map[string]ElemType{}
	for _, v := range s.m.inputs {
		elems[v.Name] = v.Type
	}
	for _, st := range passed {
		maps.Copy(elems, st.elems)
	}
	shapes := map[string]tensor.Shape{}
	source := func(name string) {
		t := env[name]
		if t == nil || shapes[name] != nil || b.env[name] != nil {
			return
		}
		elem := elems[name]
		if elem.Float() {
			elem = Float32
		}
		shapes[name] = t.Shape()
		b.source(name, elem, graph.Dims(t.Shape()...), t)
	}
	if at == &s.root {
		for _, v := range s.m.inputs {
			source(v.Name)
		}
	}
	for name, t := range at.consts {
		b.constant(name, elemOf(t.DType()), t)
	}
	for _, n := range nodes {
		for _, name := range n.Inputs {
			source(name)
		}
	}
	for _, v := range s.outputs {
		source(v.Name)
	}
	st, err := s.build(ctx, b, nodes)
	if err != nil {
		return nil, err
	}
	st.shapes = shapes
	st.refs++
	at.next = slices.Insert(at.next, 0, st)
	for i := len(at.next) - 1; i > 0 && len(at.next) > maxStages; i-- {
		if old := at.next[i]; old.refs == 0 {
			at.next = slices.Delete(at.next, i, i+1)
			if err := old.close(); err != nil {
				return nil, err
			}
		}
	}
	return st, nil
}

// boundDim is the size of an open dim in a run.
type boundDim struct {
	name string
	n    int
}

// bind checks the inputs and gives them their names.
func (m *Model) bind(in []*tensor.Tensor) (map[string]*tensor.Tensor, error) {
	if len(in) != len(m.inputs) {
		var want []string
		for _, v := range m.inputs {
			want = append(want, v.String())
		}
		return nil, fmt.Errorf("onnx: got %d inputs, want %d: %s", len(in), len(m.inputs), strings.Join(want, ", "))
	}
	env := make(map[string]*tensor.Tensor, len(in)+len(m.outputs))
	open := make([]boundDim, 0, 8)
	for i, v := range m.inputs {
		t := in[i]
		if t == nil {
			return nil, fmt.Errorf("onnx: input %v is nil", v)
		}
		if v.Type.Float() && t.DType() == tensor.Float64 {
			t = t.AsFloat32()
		}
		fail := func(why string) error {
			return fmt.Errorf("onnx: input %s: got %v%v, want %v%v%s", pb.Quote(v.Name), in[i].DType(), in[i].Shape(), v.Type, v.Shape, why)
		}
		if t.DType() != v.Type.DType() {
			return nil, fail("")
		}
		if v.Shape != nil && len(v.Shape) != len(t.Shape()) {
			if len(t.Shape())+1 == len(v.Shape) {
				return nil, fail(" (add the batch dim?)")
			}
			return nil, fail("")
		}
		for k, d := range v.Shape {
			n, static := d.Size()
			if !static {
				at := slices.IndexFunc(open, func(o boundDim) bool { return o.name == d.String() })
				if at < 0 {
					open = append(open, boundDim{d.String(), t.Shape()[k]})
					continue
				}
				n = open[at].n
			}
			switch {
			case t.Shape()[k] == n:
			case static:
				return nil, fail("")
			default:
				return nil, fail(fmt.Sprintf(" with %v = %d, as in another input", d, n))
			}
		}
		env[v.Name] = t
	}
	return env, nil
}

// Close waits for runs in progress and releases everything. It is idempotent.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return s.root.close()
}
