package graph

import (
	"fmt"
	"slices"

	"github.com/convgl/convgl/tensor"
)

// Helpers of the passes. They keep the order of the nodes and the names.

// Clone returns a copy that shares the constants' tensors.
func (g *Graph) Clone() *Graph {
	c := New(g.Name)
	c.symbols = slices.Clone(g.symbols)
	for n := range g.names {
		c.names[n] = true
	}
	copies := map[*Value]*Value{}
	dup := func(v *Value) *Value {
		if d, ok := copies[v]; ok {
			return d
		}
		d := *v
		if d.owner = c; d.konst != nil {
			d.owner = nil
		}
		copies[v] = &d
		return &d
	}
	for _, v := range g.inputs {
		c.inputs = append(c.inputs, dup(v))
	}
	for _, n := range g.nodes {
		m := &Node{name: n.name, op: n.op}
		for _, v := range n.in {
			m.in = append(m.in, dup(v))
		}
		for _, v := range n.out {
			d := dup(v)
			d.from = m
			m.out = append(m.out, d)
		}
		c.nodes = append(c.nodes, m)
	}
	for _, o := range g.outputs {
		c.outputs = append(c.outputs, Output{o.Name, dup(o.Value)})
	}
	return c
}

// users returns, for each value, the nodes that read it; one that reads it twice
// is there twice.
func (g *Graph) users() map[*Value][]*Node {
	u := map[*Value][]*Node{}
	for _, n := range g.nodes {
		for _, v := range n.in {
			u[v] = append(u[v], n)
		}
	}
	return u
}

// returned returns the values that are outputs of the graph.
func (g *Graph) returned() map[*Value]bool {
	set := map[*Value]bool{}
	for _, o := range g.outputs {
		set[o.Value] = true
	}
	return set
}

// replace makes every reader of v, the outputs among them, read w.
func (g *Graph) replace(v, w *Value) {
	x := g.indexed()
	for n := range x.readers[v] {
		in := slices.Clone(n.in)
		for i := range in {
			if in[i] == v {
				in[i] = w
			}
		}
		g.setInputs(n, in)
	}
	for _, i := range x.outputs[v] {
		g.outputs[i].Value = w
	}
	x.outputs[w] = append(x.outputs[w], x.outputs[v]...)
	delete(x.outputs, v)
}

// setInputs gives a node other inputs.
func (g *Graph) setInputs(n *Node, in []*Value) {
	if g.index != nil && g.index.at[n] > 0 {
		g.index.drop(n)
		g.index.add(n, in)
	}
	n.in = in
}

// remove takes a node out. Its place stays empty until sweep.
func (g *Graph) remove(n *Node) {
	x := g.indexed()
	x.drop(n)
	g.nodes[x.at[n]-1] = nil
	delete(x.at, n)
}

// move puts a node at the place of another, which goes.
func (g *Graph) move(n, to *Node) {
	x := g.indexed()
	x.drop(to)
	g.nodes[x.at[n]-1], g.nodes[x.at[to]-1] = nil, n
	x.at[n] = x.at[to]
	delete(x.at, to)
}

// sweep ends a pass: it closes the places of removed nodes.
func (g *Graph) sweep() {
	g.nodes = slices.DeleteFunc(g.nodes, func(n *Node) bool { return n == nil })
	g.index = nil
}

// index says, while a pass runs, what reads each value and where each node stands: to
// search for it at each change would take quadratic time.
type index struct {
	readers map[*Value]map[*Node]int // how often
	outputs map[*Value][]int         // by number
	at      map[*Node]int            // place, from 1 on
}

// indexed returns the index of the pass. Inputs of nodes are then changed by setInputs, and
// nodes are taken out by remove and move only.
func (g *Graph) indexed() *index {
	if g.index == nil {
		x := &index{map[*Value]map[*Node]int{}, map[*Value][]int{}, make(map[*Node]int, len(g.nodes))}
		for i, n := range g.nodes {
			x.at[n] = i + 1
			x.add(n, n.in)
		}
		for i, o := range g.outputs {
			x.outputs[o.Value] = append(x.outputs[o.Value], i)
		}
		g.index = x
	}
	return g.index
}

// add adds the reads of n.
func (x *index) add(n *Node, in []*Value) {
	for _, v := range in {
		if x.readers[v] == nil {
			x.readers[v] = map[*Node]int{}
		}
		x.readers[v][n]++
	}
}

// drop takes the reads of n out.
func (x *index) drop(n *Node) {
	for _, v := range n.in {
		delete(x.readers[v], n)
	}
}

// addConst makes a constant under a fresh name.
func (g *Graph) addConst(base string, t *tensor.Tensor) *Value { return newConst(g.fresh(base), t) }

// update infers the outputs of n again after a change of its op or inputs. Their
// shapes must stay.
func (g *Graph) update(n *Node) error {
	old := n.out
	if err := g.infer(n); err != nil {
		n.out = old
		return err
	}
	for i, v := range n.out {
		if v.shape.String() != old[i].shape.String() || v.dtype != old[i].dtype {
			n.out = old
			return &Error{Node: n.name, Err: fmt.Errorf("a rewrite made %v%v of %v%v", v.dtype, v.shape, old[i].dtype, old[i].shape)}
		}
	}
	n.out = old
	return nil
}
