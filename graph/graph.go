package graph

import (
	"errors"
	"fmt"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// Graph is a network: nodes in an order in which every value is made before it
// is used. A Graph is not safe for use while another goroutine changes it.
type Graph struct {
	Name string

	nodes   []*Node
	inputs  []*Value
	outputs []Output
	names   map[string]bool // of nodes, inputs and constants
	symbols []string        // dims by name, in the order of their first use

	outputNames map[string]bool
	symbolIDs   map[string]int
	taken       map[string]int // by the base of fresh names, how many were tried
	index       *index         // of what reads what, while a pass runs
}

// Value is what flows along an edge: an input, a constant, or the output of a
// node.
type Value struct {
	name  string
	dtype tensor.DType
	shape Shape
	sizes probes
	from  *Node
	konst *tensor.Tensor
	owner *Graph // none for constants, which graphs share
}

// Node is an op applied to values.
type Node struct {
	name string
	op   backend.Op
	in   []*Value
	out  []*Value
}

// Output is a value that a run returns, under a name of its own.
type Output struct {
	Name  string
	Value *Value
}

// New returns an empty graph.
func New(name string) *Graph { return &Graph{Name: name, names: map[string]bool{}} }

// Name returns the value's name: that of its input, constant or node; a further
// output k of a node is "node:k".
func (v *Value) Name() string { return v.name }

// DType returns the type of the elements.
func (v *Value) DType() tensor.DType { return v.dtype }

// Shape returns the shape. The caller must not change it.
func (v *Value) Shape() Shape { return v.shape }

// Probes returns the shape under two sets of sizes that stand for the symbols: a dim
// is the same in both unless it depends on a symbol. Who computes with shapes does so
// twice, and sees what depends on one. The caller must not change them.
func (v *Value) Probes() [2]tensor.Shape { return v.sizes }

// Const returns the tensor of a constant, and nil for other values. The caller
// must not change it.
func (v *Value) Const() *tensor.Tensor { return v.konst }

// Producer returns the node that computes v, and nil for inputs and constants.
func (v *Value) Producer() *Node { return v.from }

// Name returns the node's name.
func (n *Node) Name() string { return n.name }

// Op returns the node's op.
func (n *Node) Op() backend.Op { return n.op }

// In returns the inputs. The caller must not change the slice.
func (n *Node) In() []*Value { return n.in }

// Out returns the outputs. The caller must not change the slice.
func (n *Node) Out() []*Value { return n.out }

// Nodes returns the nodes in order. The caller must not change the slice.
func (g *Graph) Nodes() []*Node { return g.nodes }

// Has reports whether a node, input or constant has the name.
func (g *Graph) Has(name string) bool { return g.names[name] }

// Inputs returns the inputs in the order in which they were added.
func (g *Graph) Inputs() []*Value { return g.inputs }

// Outputs returns the outputs in the order in which they were added.
func (g *Graph) Outputs() []Output { return g.outputs }

// Symbols returns the names of the symbolic dims in the order of their first use.
func (g *Graph) Symbols() []string { return g.symbols }

// Input adds an input. It fails when the name is taken or empty, or the shape is
// not valid.
func (g *Graph) Input(name string, dtype tensor.DType, shape Shape) (*Value, error) {
	v := &Value{name: name, dtype: dtype, shape: slices.Clone(shape), owner: g}
	symbols := len(g.symbols)
	v.sizes = g.probeShape(shape)
	var errs [2]error
	for k, s := range v.sizes {
		errs[k] = backend.TensorDesc{DType: dtype, Shape: s, Dims: shape.dims()}.Check("Input", "x")
	}
	if err := symbolicError(errs, nil, []*Value{v}); err != nil {
		g.forgetSymbols(symbols)
		return nil, nameNode(err, name)
	}
	if err := g.claim("input", name); err != nil {
		g.forgetSymbols(symbols)
		return nil, err
	}
	g.inputs = append(g.inputs, v)
	return v, nil
}

// Const adds a constant. The tensor must not change afterwards. It fails when the
// name is taken or empty.
func (g *Graph) Const(name string, t *tensor.Tensor) (*Value, error) {
	if t == nil || t.DType() == tensor.Invalid {
		return nil, &Error{Node: name, Err: errors.New("a constant without a tensor")}
	}
	if err := g.claim("constant", name); err != nil {
		return nil, err
	}
	return newConst(name, t), nil
}

func newConst(name string, t *tensor.Tensor) *Value {
	s := t.Shape()
	return &Value{name: name, dtype: t.DType(), shape: Dims(s...), sizes: probes{s, s}, konst: t}
}

// Apply adds a node and infers the shapes of its outputs. It fails when the name
// is taken or empty, an input is nil or of another graph, the op has no inputs or no
// outputs, or it refuses the inputs: that error is the op's and names the node
// and, for dims that are not known yet, their symbols.
func (g *Graph) Apply(name string, op backend.Op, in ...*Value) (*Node, error) {
	n := &Node{name: name, op: op, in: slices.Clone(in)}
	for i, v := range in {
		if v == nil {
			return nil, &Error{Node: name, Err: fmt.Errorf("input %d is nil", i)}
		}
		if err := g.owns(name, v); err != nil {
			return nil, err
		}
	}
	if op == nil {
		return nil, &Error{Node: name, Err: errors.New("no op")}
	}
	if err := g.infer(n); err != nil {
		return nil, err
	}
	if len(n.in) == 0 || len(n.out) == 0 {
		return nil, &Error{Node: name, Err: fmt.Errorf("%s: got %d inputs and %d outputs, want one or more of both", op.Kind(), len(n.in), len(n.out))}
	}
	if err := g.claim("node", name); err != nil {
		return nil, err
	}
	g.nodes = append(g.nodes, n)
	return n, nil
}

// Output makes v an output of the graph. It fails when the name is taken by
// another output or empty, or v is of another graph.
func (g *Graph) Output(name string, v *Value) error {
	if v == nil || name == "" {
		return &Error{Node: name, Err: errors.New("an output needs a name and a value")}
	}
	if err := g.owns(name, v); err != nil {
		return err
	}
	if g.outputNames == nil {
		g.outputNames = map[string]bool{}
		for _, o := range g.outputs {
			g.outputNames[o.Name] = true
		}
	}
	if g.outputNames[name] {
		return &Error{Node: name, Err: errors.New("there is an output of this name")}
	}
	g.outputNames[name] = true
	g.outputs = append(g.outputs, Output{name, v})
	return nil
}

// owns fails when v is computed in another graph, or an input of one.
func (g *Graph) owns(node string, v *Value) error {
	if v.owner != g && v.konst == nil {
		return &Error{Node: node, Err: fmt.Errorf("the value %q belongs to another graph", v.name)}
	}
	return nil
}

// claim takes a name.
func (g *Graph) claim(what, name string) error {
	switch {
	case name == "":
		return &Error{Node: name, Err: fmt.Errorf("a %s needs a name", what)}
	case g.names[name]:
		return &Error{Node: name, Err: fmt.Errorf("%s: the name is taken", what)}
	}
	if g.names == nil { // a Graph that New did not make
		g.names = map[string]bool{}
	}
	g.names[name] = true
	return nil
}

// fresh takes a name that begins with base.
func (g *Graph) fresh(base string) string {
	name := base
	for g.names[name] {
		if g.taken == nil {
			g.taken = map[string]int{}
		}
		g.taken[base]++
		name = fmt.Sprintf("%s.%d", base, g.taken[base])
	}
	g.names[name] = true
	return name
}

// infer fills in the outputs of n.
func (g *Graph) infer(n *Node) error {
	var out [2][]backend.TensorDesc
	var errs [2]error
	for k := range out {
		d := backend.Desc{Op: n.op}
		for _, v := range n.in {
			in := v.desc(v.sizes[k])
			in.Dims = v.shape.dims()
			d.In = append(d.In, in)
		}
		d, errs[k] = d.Resolve()
		out[k] = d.Out
	}
	if err := symbolicError(errs, n.op, n.in); err != nil {
		return nameNode(err, n.name)
	}
	n.out = nil
	for i, d := range out[0] {
		v := &Value{name: n.name, dtype: d.DType, from: n, owner: g, sizes: probes{d.Shape, out[1][i].Shape}}
		if i > 0 {
			v.name = fmt.Sprintf("%s:%d", n.name, i)
		}
		v.shape = g.shapeOf(v.sizes)
		n.out = append(n.out, v)
	}
	return nil
}

// desc describes v with concrete sizes and an open layout.
func (v *Value) desc(sizes tensor.Shape) backend.TensorDesc {
	return backend.TensorDesc{DType: v.dtype, Shape: sizes, Const: v.konst != nil}
}

// Error is a fault at a node that is not the op's own.
type Error struct {
	Node string
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("graph: %q: %v", e.Node, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// nameNode puts the node's name into an error of an op.
func nameNode(err error, node string) error {
	var shape *backend.ShapeError
	var attr *backend.AttrError
	var limit *backend.LimitError
	switch {
	case errors.As(err, &shape) && shape.Node == "":
		c := *shape
		c.Node = node
		return &c
	case errors.As(err, &attr) && attr.Node == "":
		c := *attr
		c.Node = node
		return &c
	case errors.As(err, &limit) && limit.Node == "":
		c := *limit
		c.Node = node
		return &c
	}
	return &Error{Node: node, Err: err}
}
