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

// isOutput reports whether v is an output of the graph.
func (g *Graph) isOutput(v *Value) bool {
	return slices.ContainsFunc(g.outputs, func(o Output) bool { return o.Value == v })
}

// replace makes every reader of v, the outputs among them, read w.
func (g *Graph) replace(v, w *Value) {
	for _, n := range g.nodes {
		for i, x := range n.in {
			if x == v {
				n.in[i] = w
			}
		}
	}
	for i := range g.outputs {
		if g.outputs[i].Value == v {
			g.outputs[i].Value = w
		}
	}
}

// remove takes nodes out.
func (g *Graph) remove(dead ...*Node) {
	g.nodes = slices.DeleteFunc(g.nodes, func(n *Node) bool { return slices.Contains(dead, n) })
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
