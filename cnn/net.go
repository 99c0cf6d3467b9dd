package cnn

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// Net is a network: layers with the values of their parameters. Its methods may be
// called from several goroutines.
type Net struct {
	name     string
	inputs   []*Tensor
	define   func(b *builder, x []*graph.Value) ([]graph.Output, error)
	store    *store
	entries  []*entry // those of the store that the outputs need, in order
	layers   []string // full names of the layers, in the order of their making
	scopes   []string // those of all scopes; nil before the first build
	features []string // full names of the layers that are outputs; nil: those of define
}

// New returns a network of layers one after the other, as [Sequential] applies them,
// with one input x of the given shape and one output y. The parameters begin as
// Init(0) makes them.
//
// It fails when a layer does not fit what comes before it, with a [LayerError].
func New(name string, shape InputShape, layers ...Layer) (*Net, error) {
	x := Input("x", shape...)
	if x.err != nil {
		return nil, x.err
	}
	layers = slices.Clone(layers)
	return newNet(&Net{name: name, inputs: []*Tensor{x}, define: func(b *builder, x []*graph.Value) ([]graph.Output, error) {
		root := b.scope("")
		y, err := sequential(layers).Build(root, x...)
		if err != nil {
			return nil, err
		}
		return []graph.Output{{Name: "y", Value: y}}, nil
	}})
}

// NewNet returns the network between inputs and outputs. The outputs have the names
// of their layers; an input must not be the output of a layer. The parameters begin
// as Init(0) makes them.
//
// It returns the first error of the tensors and layers; that of a layer is a
// [LayerError].
func NewNet(name string, inputs, outputs []*Tensor) (*Net, error) {
	tensors, err := reachable(name, inputs, outputs)
	if err != nil {
		return nil, err
	}
	names := nameAll(tensors)
	inputs, outputs = slices.Clone(inputs), slices.Clone(outputs)
	return newNet(&Net{name: name, inputs: inputs, define: func(b *builder, x []*graph.Value) ([]graph.Output, error) {
		values := map[*Tensor]*graph.Value{}
		for i, t := range inputs {
			values[t] = x[i]
		}
		root := b.scope("")
		for _, t := range tensors {
			if t.layer == nil {
				continue
			}
			in := make([]*graph.Value, len(t.in))
			for i, s := range t.in {
				in[i] = values[s]
			}
			values[t] = root.Call(names[t], t.layer, in...)
			if err := root.Err(); err != nil {
				return nil, err
			}
		}
		var out []graph.Output
		for _, t := range outputs {
			out = append(out, graph.Output{Name: names[t], Value: values[t]})
		}
		return out, nil
	}})
}

// reachable returns the tensors that the outputs need, in the order in which they
// were described.
func reachable(net string, inputs, outputs []*Tensor) ([]*Tensor, error) {
	given := map[*Tensor]bool{}
	for i, t := range inputs {
		switch {
		case t == nil:
			return nil, fmt.Errorf("cnn: net %q: input %d is nil", net, i)
		case t.order == 0:
			return nil, fmt.Errorf("cnn: net %q: input %d: a tensor that Input has not made", net, i)
		case t.err != nil:
			return nil, t.err
		case t.layer != nil:
			return nil, fmt.Errorf("cnn: net %q: input %d is the output of layer %q, want a tensor of Input", net, i, t.name)
		case given[t]:
			return nil, fmt.Errorf("cnn: net %q: input %q is given twice", net, t.name)
		}
		given[t] = true
	}
	if len(outputs) == 0 {
		return nil, fmt.Errorf("cnn: net %q: got no outputs, want one or more", net)
	}
	seen := map[*Tensor]bool{}
	var found []*Tensor
	todo := slices.Clone(outputs)
	for len(todo) > 0 {
		t := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		switch {
		case t == nil:
			return nil, fmt.Errorf("cnn: net %q: an output is nil", net)
		case t.err != nil:
			return nil, t.err
		case seen[t]:
			continue
		case t.layer == nil && !given[t]:
			return nil, fmt.Errorf("cnn: net %q: input %q is used but not among the inputs", net, t.name)
		}
		seen[t] = true
		found = append(found, t)
		todo = append(todo, t.in...)
	}
	for _, t := range inputs {
		if !seen[t] {
			return nil, fmt.Errorf("cnn: net %q: input %q is not used", net, t.name)
		}
	}
	slices.SortFunc(found, func(a, b *Tensor) int { return int(a.order - b.order) })
	return found, nil
}

// nameAll returns the layers' names; those that have none get their kind with a
// number.
func nameAll(tensors []*Tensor) map[*Tensor]string {
	taken := map[string]bool{}
	for _, t := range tensors {
		taken[t.name] = true
	}
	names := map[*Tensor]string{}
	count := map[string]int{}
	for _, t := range tensors {
		name := t.name
		for name == "" || name != t.name && taken[name] {
			kind := strings.ToLower(t.layer.Kind())
			count[kind]++
			name = fmt.Sprint(kind, count[kind])
		}
		names[t] = name
	}
	return names
}

// newNet builds n once, so that errors show and the parameters are known.
func newNet(n *Net) (*Net, error) {
	n.store = &store{byName: map[string]*entry{}}
	b, g, err := n.build(nil)
	if err != nil {
		return nil, err
	}
	params := map[*graph.Value]*entry{}
	for _, node := range g.Nodes() {
		for _, v := range node.In() {
			if e := n.store.byName[v.Name()]; v.Const() != nil && e != nil && e.trainable {
				params[v] = e
			}
		}
	}
	chooseInits(g, params)
	n.store.sealed = true
	n.note(b, g)
	return n, nil
}

// note keeps what a build of n has shown.
func (n *Net) note(b *builder, g *graph.Graph) {
	live := alive(g)
	n.entries, n.layers, n.scopes = nil, nil, nil
	for _, r := range b.records {
		if r.live(live) {
			n.entries = append(n.entries, r.params...)
		}
		if r.called {
			n.layers = append(n.layers, r.path)
		}
		n.scopes = append(n.scopes, r.path)
	}
}

// repeats fails unless a build has made the scopes that the first one made.
func (n *Net) repeats(b *builder) error {
	for i, path := range n.scopes {
		if i >= len(b.records) || b.records[i].path != path {
			return &LayerError{Layer: path, Err: errors.New("it was there when the network was first built, and is not at its place now: Build must do the same each time")}
		}
	}
	if n.scopes != nil && len(b.records) > len(n.scopes) {
		r := b.records[len(n.scopes)]
		return &LayerError{Layer: r.path, Kind: r.kind, Err: errors.New("it was not there when the network was first built: Build must do the same each time")}
	}
	return nil
}

// build makes the graph. With sizes, one list of dims an input, the inputs have
// these, N included.
func (n *Net) build(sizes []tensor.Shape) (*builder, *graph.Graph, error) {
	n.store.taken = map[string]bool{}
	b := newBuilder(n.name, n.store)
	var x []*graph.Value
	for i, t := range n.inputs {
		shape := t.shape
		if sizes != nil {
			shape = graph.Dims(sizes[i]...)
		}
		v, err := b.input(t.name, shape)
		if err != nil {
			return nil, nil, err
		}
		x = append(x, v)
	}
	out, err := n.define(b, x)
	if err != nil {
		return nil, nil, err
	}
	if err := n.repeats(b); err != nil {
		return nil, nil, err
	}
	if n.features != nil {
		out = nil
		for _, f := range n.features {
			out = append(out, graph.Output{Name: f, Value: b.byPath[f].out})
		}
	}
	for _, o := range out {
		if err := b.g.Output(o.Name, o.Value); err != nil {
			return nil, nil, fmt.Errorf("cnn: net %q: %w", n.name, err)
		}
	}
	return b, b.g, nil
}

// Name returns the network's name.
func (n *Net) Name() string { return n.name }

// Layers returns the full names of all layers, in the order in which they are
// built, those within others included.
func (n *Net) Layers() []string { return slices.Clone(n.layers) }

// Graph returns the network as a graph with its present parameters. The graph is the
// caller's; the tensors in it are the network's and must not be changed.
func (n *Net) Graph() (*graph.Graph, error) {
	n.store.mu.Lock()
	defer n.store.mu.Unlock()
	n.store.fill()
	_, g, err := n.build(nil)
	if err != nil || n.features == nil {
		return g, err
	}
	// The layers behind the features go.
	var others []graph.Option
	for _, pass := range graph.PassNames() {
		if pass != "dead-code" {
			others = append(others, graph.WithoutPass(pass))
		}
	}
	g, _, err = graph.Optimize(g, others...)
	return g, err
}

// Features returns a network that gives the outputs of the named layers; see
// [Net.Layers] for the names. It has the parameters that these need and shares them:
// what is set in one is set in the other. Its Layers are those of n, so that features
// of features may be any of them.
func (n *Net) Features(names ...string) (*Net, error) {
	if len(names) == 0 {
		return nil, fmt.Errorf("cnn: net %q: Features: got no layer, want one or more", n.name)
	}
	for i, name := range names {
		if !slices.Contains(n.layers, name) {
			return nil, fmt.Errorf("cnn: net %q: Features: there is no layer %q (Layers lists them)", n.name, name)
		}
		if slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("cnn: net %q: Features: layer %q is named twice", n.name, name)
		}
	}
	n.store.mu.Lock()
	defer n.store.mu.Unlock()
	f := &Net{name: n.name, inputs: n.inputs, define: n.define, store: n.store, scopes: n.scopes, features: slices.Clone(names)}
	b, g, err := f.build(nil)
	if err != nil {
		return nil, err
	}
	f.note(b, g)
	return f, nil
}
