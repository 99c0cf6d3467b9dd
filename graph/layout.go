package graph

import (
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// Layout assignment. Every node with image tensors (rank 3 or more) runs in one of
// two layouts, plain or the one that the backend's kernels prefer; inputs and
// outputs of the graph are plain. Where a value is made in one layout and read in
// the other, a Reorder of its bytes is needed, once for all readers. Which layouts
// a node takes is asked of the backend. The least sum of bytes under these rules
// is a minimum cut, so the assignment is the best one, not a heuristic.
//
// A Flatten that only Dense nodes with constant weights read takes either layout
// for nothing: the columns of the weights are permuted instead.

// assignment is the layout of every value as its producer leaves it, and of every
// node's image inputs.
type assignment struct {
	made   map[*Value]backend.Layout
	wanted map[*Node]backend.Layout
	// folded lists the Flatten nodes that become views.
	folded map[*Node]bool
}

// layoutProblem is the cut under construction.
type layoutProblem struct {
	be        backend.Backend
	g         *Graph
	shape     func(*Value) tensor.Shape
	preferred backend.Layout
	cut       *cut
	in, out   map[*Node]int // vertices; the source's side is the preferred layout
	folded    map[*Node]bool
	returned  map[*Value]bool // by the graph
}

// assign chooses the layouts for bound shapes.
func assign(be backend.Backend, g *Graph, shape func(*Value) tensor.Shape) *assignment {
	p := &layoutProblem{be: be, g: g, shape: shape, preferred: backend.Plain, cut: newCut(), in: map[*Node]int{}, out: map[*Node]int{}, folded: foldableFlattens(g, shape), returned: g.returned()}
	if l := be.Caps().Layouts; len(l) > 0 {
		p.preferred = l[0]
	}
	for _, n := range g.nodes {
		p.node(n)
	}
	readers := g.users()
	for _, v := range g.inputs {
		p.value(v, cutSink, readers[v])
	}
	for _, n := range g.nodes {
		for _, v := range n.out {
			p.value(v, p.out[n], readers[v])
		}
	}
	side := p.cut.solve()
	pick := func(vertex int) backend.Layout {
		if side[vertex] && vertex != cutSink {
			return p.preferred
		}
		return backend.Plain
	}
	a := &assignment{made: map[*Value]backend.Layout{}, wanted: map[*Node]backend.Layout{}, folded: p.folded}
	for _, n := range g.nodes {
		a.wanted[n] = pick(p.in[n])
		for _, v := range n.out {
			if a.made[v] = backend.Plain; len(shape(v)) > 2 {
				a.made[v] = pick(p.out[n])
			}
		}
	}
	return a
}

// isImage reports whether the layout of v is chosen here.
func (p *layoutProblem) isImage(v *Value) bool { return v.konst == nil && len(p.shape(v)) > 2 }

// choosesLayout reports whether an input has the node's layout: weights that are
// computed, and matrices, are plain.
func (p *layoutProblem) choosesLayout(v *Value, arg backend.Arg) bool {
	return p.isImage(v) && !arg.Weight
}

// node adds the vertices of a node and what the backend supports of it.
func (p *layoutProblem) node(n *Node) {
	in, out := p.cut.vertex(), p.cut.vertex()
	p.in[n], p.out[n] = in, out
	var can [2][2]bool // [input][output] in the preferred layout
	for i := range 2 {
		for o := range 2 {
			can[i][o] = p.supports(n, i == 1, o == 1)
		}
	}
	// Forbidding one of the mixed states is an edge; forbidding equal ones is no
	// cut, so those are then decided for both ends at once.
	forbid := func(u, v int) { p.cut.edge(u, v, never) }
	if !can[1][1] && !can[1][0] {
		forbid(in, cutSink)
	}
	if !can[0][0] && !can[0][1] {
		forbid(cutSource, in)
	}
	if !can[1][1] && !can[0][1] {
		forbid(out, cutSink)
	}
	if !can[0][0] && !can[1][0] {
		forbid(cutSource, out)
	}
	if !can[1][0] {
		forbid(in, out)
	}
	if !can[0][1] {
		forbid(out, in)
	}
	if can[1][0] && can[0][1] && !(can[0][0] && can[1][1]) {
		switch {
		case can[1][1]:
			forbid(cutSource, in)
			forbid(cutSource, out)
		case can[0][0]:
			forbid(in, cutSink)
			forbid(out, cutSink)
		default:
			forbid(cutSource, in)
			forbid(out, cutSink)
		}
	}
}

// supports asks whether the node runs with image inputs and outputs in these
// layouts.
func (p *layoutProblem) supports(n *Node, preferIn, preferOut bool) bool {
	if p.folded[n] {
		return true
	}
	pick := func(prefer bool) backend.Layout {
		if prefer {
			return p.preferred
		}
		return backend.Plain
	}
	images := [2]bool{}
	d := backend.Desc{Op: n.op}
	args, _ := n.op.Args()
	for i, v := range n.in {
		td := v.desc(p.shape(v))
		switch {
		case p.choosesLayout(v, args[i]):
			td.Layout, images[0] = pick(preferIn), true
		case v.konst == nil:
			td.Layout = backend.Plain
		}
		d.In = append(d.In, td)
	}
	for _, v := range n.out {
		td := v.desc(p.shape(v))
		if td.Layout = backend.Plain; len(td.Shape) > 2 {
			td.Layout, images[1] = pick(preferOut), true
		}
		d.Out = append(d.Out, td)
	}
	// A side without images is in the plain layout.
	if preferIn && !images[0] || preferOut && !images[1] {
		return false
	}
	return len(p.be.Algorithms(d)) > 0
}

// value adds the price of reordering v, which the vertex made makes.
func (p *layoutProblem) value(v *Value, made int, readers []*Node) {
	if !p.isImage(v) {
		return
	}
	bytes := backend.TensorDesc{DType: v.dtype, Shape: p.shape(v), Layout: p.preferred}.Bytes()
	price := 1 + 2*min(bytes, never>>2) // not as dear as what is forbidden
	if sameMemory(p.preferred, backend.Plain, p.shape(v)) {
		price = 1
	}
	toPlain, toPreferred := p.cut.vertex(), p.cut.vertex()
	p.cut.edge(made, toPlain, price)
	p.cut.edge(toPreferred, made, price)
	reads := func(u int) {
		p.cut.edge(toPlain, u, never)
		p.cut.edge(u, toPreferred, never)
	}
	for k, n := range readers {
		if k > 0 && n == readers[k-1] { // it reads v twice
			continue
		}
		args, _ := n.op.Args()
		for i, x := range n.in {
			if x != v {
				continue
			}
			if p.choosesLayout(v, args[i]) {
				reads(p.in[n])
			} else {
				reads(cutSink)
			}
		}
	}
	if p.returned[v] {
		reads(cutSink)
	}
}

// foldableFlattens lists the nodes that flatten an image to a matrix which only
// Dense nodes with constant weights read.
func foldableFlattens(g *Graph, shape func(*Value) tensor.Shape) map[*Node]bool {
	folded := map[*Node]bool{}
	readers, returned := g.users(), g.returned()
	for _, n := range g.nodes {
		switch n.op.(type) {
		case backend.Flatten, backend.Reshape:
		default:
			continue
		}
		x, y := shape(n.in[0]), shape(n.out[0])
		if len(x) < 3 || len(y) != 2 || y[0] != x[0] || n.in[0].konst != nil || n.in[0].dtype != tensor.Float32 || returned[n.out[0]] {
			continue
		}
		folded[n] = len(readers[n.out[0]]) > 0 && !slices.ContainsFunc(readers[n.out[0]], func(r *Node) bool {
			_, dense := r.op.(backend.Dense)
			return !dense || r.in[1].konst == nil || slices.Contains(r.in[1:], n.out[0])
		})
	}
	return folded
}

// sameMemory reports whether two layouts put the elements of a shape at the same
// places, in as much memory.
func sameMemory(a, b backend.Layout, s tensor.Shape) bool {
	if a == b || s.Size() == 0 {
		return true
	}
	if a.PhysicalShape(s).Size() != b.PhysicalShape(s).Size() {
		return false
	}
	sa, sb := a.Strides(s), b.Strides(s)
	for i, n := range s {
		if n > 1 && sa[i] != sb[i] {
			return false
		}
	}
	return true
}
