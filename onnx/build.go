package onnx

import (
	"errors"
	"fmt"

	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// node is a node of the file with its entry of the table.
type node struct {
	*pb.Node
	info NodeInfo
	op   *op

	missing string // why there is no op
}

// builder makes a stage: it goes through the nodes in order and adds each to a graph, or
// computes it on the host, or leaves it to a later stage, since it needs contents that
// only the device will have.
type builder struct {
	m     *Model
	g     *graph.Graph
	env   map[string]*value
	feeds []feed

	steps    []hostStep   // what depends on contents of inputs: computed in each run
	folded   []NodeInfo   // what was computed once
	demanded []*value     // sources whose content the graph is made for
	ranges   []indexRange // what contents that the device takes must keep to
	rest     []*node      // left to a later stage
	missing  []Unsupported

	symbolic bool // the sources have symbolic dims, so the two contents of a value may differ
	budget   *budget
	tried    map[string]int // by numbered
}

// feed is an input of the graph.
type feed struct {
	name string // of the value
	elem ElemType
}

// hostStep is a node that the host computes in each run.
type hostStep struct {
	n   *node
	in  []*value // nil where left out
	out []*value
}

// Why a node cannot be added to the graph of this stage.
var (
	// errHost: the op computes with integers or booleans, which the host does.
	errHost = errors.New("computed on the host")
	// errLater: it needs a content that is not known yet.
	errLater = errors.New("needs the content of a value that is not known before a run")
	// errShapes: it needs to know the sizes that symbols stand for.
	errShapes = errors.New("depends on the sizes of open dims")
)

func newBuilder(m *Model) *builder {
	return &builder{m: m, g: graph.New(pb.Printable(m.info.Name)), env: map[string]*value{}, budget: newBudget(m.folded), tried: map[string]int{}}
}

// source adds an input of the stage. The content t may be nil when it is not known.
func (b *builder) source(name string, elem ElemType, shape graph.Shape, t *tensor.Tensor) {
	v := &value{name: name, elem: elem, shape: shape, source: true, data: [2]*tensor.Tensor{t, t}}
	v.varies = true
	if shape != nil {
		if _, static := shape.Static(); !static {
			b.symbolic = true
		}
	}
	b.env[name] = v
}

// constant adds a value that is the same in each run.
func (b *builder) constant(name string, elem ElemType, t *tensor.Tensor) {
	b.env[name] = &value{name: name, elem: elem, data: [2]*tensor.Tensor{t, t}}
}

// lookup returns the value of a name, which the checks of the file have found to be
// defined.
func (b *builder) lookup(name string) (*value, error) {
	if v := b.env[name]; v != nil {
		return v, nil
	}
	t, elem, err := b.m.initializer(name)
	if err != nil {
		return nil, err
	}
	b.constant(name, elem, t)
	return b.env[name], nil
}

// add goes through the nodes.
func (b *builder) add(nodes []*node) error {
	var fault error
	for _, n := range nodes {
		if fault != nil { // only whether there are ops at all is told of the rest
			if n.op == nil {
				b.missing = append(b.missing, Unsupported{n.info, n.missing})
			}
			continue
		}
		if err := b.addNode(n); err != nil {
			var u *unsupportedError
			if errors.As(err, &u) {
				b.missing = append(b.missing, Unsupported{n.info, u.reason})
				b.postpone(n)
				continue
			}
			fault = fmt.Errorf("node %s: %w", n.info.label(), err)
		}
	}
	if len(b.missing) > 0 {
		return &UnsupportedError{b.missing}
	}
	return fault
}

func (b *builder) addNode(n *node) error {
	if n.op == nil {
		return &unsupportedError{n.missing}
	}
	if err := errors.Join(n.checkAttributes(), n.checkInputs()); err != nil {
		return err
	}
	in := make([]*value, len(n.Inputs))
	known, float := true, false
	for i, name := range n.Inputs {
		if name == "" {
			continue
		}
		v, err := b.lookup(name)
		if err != nil {
			return err
		}
		if v.late {
			b.postpone(n)
			return nil
		}
		in[i] = v
		known = known && v.known()
		float = float || v.elem.Float() && (v.dev != nil || v.varies)
	}
	hostable := n.op.host != nil && known
	if hostable && !float || n.op.build == nil {
		if !hostable {
			b.postpone(n)
			return nil
		}
		return b.compute(n, in)
	}
	c := &call{attrs: newAttrs(n.Node), b: b, n: n, in: in, version: n.info.Version, out: make([]*value, len(n.Outputs))}
	n.op.build(c)
	switch {
	case errors.Is(c.err, errHost) && hostable:
		return b.compute(n, in)
	case errors.Is(c.err, errHost) && n.op.host == nil:
		return &unsupportedError{c.typesOfInputs()}
	case errors.Is(c.err, errHost), errors.Is(c.err, errLater):
		b.postpone(n)
		return nil
	case c.err != nil:
		return c.err
	}
	if err := c.check(); err != nil {
		return err
	}
	for i, name := range n.Outputs {
		if name == "" {
			continue
		}
		if c.out[i] == nil {
			return &unsupportedError{fmt.Sprintf("output %d (%s) is not computed", i, pb.Quote(name))}
		}
		b.env[name] = c.out[i]
	}
	return nil
}

// postpone leaves a node, and so all that follow from it, to a later stage.
func (b *builder) postpone(n *node) {
	b.rest = append(b.rest, n)
	for _, name := range n.Outputs {
		if name != "" {
			b.env[name] = &value{name: name, late: true}
		}
	}
}

// compute evaluates a node on the host.
func (b *builder) compute(n *node, in []*value) error {
	same, varies := true, false
	for _, v := range in {
		if v != nil {
			varies = varies || v.varies
			same = same && v.data[0] == v.data[1]
		}
	}
	var outs [2][]*tensor.Tensor
	for k := range outs {
		if k == 1 && same {
			outs[1] = outs[0]
			break
		}
		t := make([]*tensor.Tensor, len(in))
		for i, v := range in {
			if v != nil {
				t[i] = v.data[k]
			}
		}
		var err error
		if outs[k], err = n.evaluate(t, b.budget); err != nil {
			return err
		}
	}
	rough := false
	if !same {
		var ok bool
		if ok, rough = n.holds(in, outs); !ok {
			return errShapes
		}
	}
	var from []*value
	if varies {
		from = in
	}
	step := hostStep{n: n, in: in, out: make([]*value, len(n.Outputs))}
	for i, name := range n.Outputs {
		if name == "" || i >= len(outs[0]) {
			continue
		}
		t := outs[0][i]
		v := &value{name: name, elem: elemOf(t.DType()), data: [2]*tensor.Tensor{t, outs[1][i]}, varies: varies, from: from, rough: rough}
		if sameContent(v.data) {
			v.data[1], v.rough = t, false
		}
		b.env[name], step.out[i] = v, v
	}
	for i, name := range n.Outputs {
		if name != "" && i >= len(outs[0]) {
			return &unsupportedError{fmt.Sprintf("output %d (%s) is not computed", i, pb.Quote(name))}
		}
	}
	if varies {
		b.steps = append(b.steps, step)
	} else {
		b.folded = append(b.folded, n.info)
	}
	return nil
}

// evaluate computes the node from contents.
func (n *node) evaluate(in []*tensor.Tensor, limit *budget) ([]*tensor.Tensor, error) {
	for _, t := range in {
		if t == nil {
			continue
		}
		if err := limit.take(t.Size(), 1); err != nil { // to be read
			return nil, err
		}
	}
	c := &hostCall{node: n.Node, version: n.info.Version, in: in, budget: limit, attrs: newAttrs(n.Node)}
	out, err := n.op.host(c)
	if c.attrs.err != nil {
		return nil, c.attrs.err
	}
	if err != nil {
		return nil, err
	}
	return out, c.check()
}

// demand returns a content for a graph to be made for, so that a run with another
// content makes another graph.
func (b *builder) demand(v *value) ([2]*tensor.Tensor, error) {
	if !v.known() {
		return v.data, errLater
	}
	for list := []*value{v}; len(list) > 0; {
		last := list[len(list)-1]
		list = list[:len(list)-1]
		if last == nil || !last.varies || last.demanded {
			continue
		}
		last.demanded = true
		if last.source {
			b.demanded = append(b.demanded, last)
		}
		list = append(list, last.from...)
	}
	return v.data, nil
}

// device brings a value to the device.
func (b *builder) device(v *value) (*graph.Value, error) {
	if v.dev != nil {
		return v.dev, nil
	}
	var err error
	switch {
	case !v.varies:
		if v.data[0] != v.data[1] && !v.data[0].Shape().Equal(v.data[1].Shape()) {
			return nil, errShapes
		}
		if v.data[0] != v.data[1] {
			return nil, errShapes
		}
		var t *tensor.Tensor
		if d := v.data[0].DType(); d != tensor.Float32 && d != tensor.Int32 {
			err = b.budget.take(v.data[0].Size(), 4)
		}
		if err == nil {
			t, err = toDevice(v.data[0])
		}
		if err == nil {
			v.dev, err = b.g.Const(b.unique(v.name), t)
		}
	case v.source && v.shape != nil:
		v.dev, err = b.g.Input(b.unique(v.name), deviceType(v.elem), v.shape)
		b.feeds = append(b.feeds, feed{v.name, v.elem})
	case v.known():
		if b.symbolic {
			return nil, errShapes // a content has a size, where the symbols have none yet
		}
		v.dev, err = b.g.Input(b.unique(v.name), deviceType(v.elem), graph.Dims(v.data[0].Shape()...))
		b.feeds = append(b.feeds, feed{v.name, v.elem})
	default:
		return nil, errLater
	}
	if err != nil {
		return nil, err
	}
	switch {
	case v.elem == Bool:
		v.repr = asMask
	case !v.elem.Float():
		v.repr = asIndex
	}
	return v.dev, nil
}

// deviceType is the type of a device's representation.
func deviceType(e ElemType) tensor.DType {
	if e.Float() || e == Bool {
		return tensor.Float32
	}
	return tensor.Int32
}

// unique returns a name that the graph does not have yet.
func (b *builder) unique(name string) string {
	if name == "" {
		name = "value"
	}
	return b.numbered(pb.Printable(name), b.g.Has)
}

// numbered returns a name that is not taken: base, or base#1 and so on. It goes on where
// it last was with this base, as a file may have one name for all its nodes.
func (b *builder) numbered(base string, taken func(string) bool) string {
	name := base
	for taken(name) {
		b.tried[base]++
		name = fmt.Sprintf("%s#%d", base, b.tried[base])
	}
	return name
}

// unsupportedError is the reason for which one node cannot be run.
type unsupportedError struct{ reason string }

func (e *unsupportedError) Error() string { return e.reason }

func elemOf(d tensor.DType) ElemType {
	switch d {
	case tensor.Uint8:
		return Uint8
	case tensor.Int32:
		return Int32
	case tensor.Int64:
		return Int64
	case tensor.Bool:
		return Bool
	}
	return Float32
}
