package graph

import (
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// linear is a node that multiplies by weights and then applies an epilogue: Conv,
// ConvTranspose or Dense.
type linear struct {
	*Node
	hasBias  bool
	epilogue backend.Epilogue
	channel  int // the dim of y that counts output channels
	groups   int
}

// linearOf reads n, which may be nil, as a linear node.
func linearOf(n *Node) (linear, bool) {
	if n == nil {
		return linear{}, false
	}
	switch op := n.op.(type) {
	case backend.Conv:
		return linear{n, op.Bias, op.Epilogue, 1, op.GroupCount()}, true
	case backend.ConvTranspose:
		return linear{n, op.Bias, op.Epilogue, 1, op.GroupCount()}, true
	case backend.Dense:
		return linear{n, op.Bias, op.Epilogue, len(n.out[0].shape) - 1, 1}, true
	}
	return linear{}, false
}

func (l linear) x() *Value { return l.in[0] }

func (l linear) weights() *Value { return l.in[1] }

// bias returns nil where there is none.
func (l linear) bias() *Value {
	if !l.hasBias {
		return nil
	}
	return l.in[2]
}

// operands returns the inputs of the epilogue.
func (l linear) operands() []*Value {
	if l.hasBias {
		return l.in[3:]
	}
	return l.in[2:]
}

// rewrite gives the node other weights, another bias (nil is none) and another
// epilogue.
func (g *Graph) rewrite(l linear, weights, bias *Value, e backend.Epilogue, operands []*Value) error {
	in := []*Value{l.x(), weights}
	if bias != nil {
		in = append(in, bias)
	}
	var op backend.Op
	switch o := l.op.(type) {
	case backend.Conv:
		o.Bias, o.Epilogue = bias != nil, e
		op = o
	case backend.ConvTranspose:
		o.Bias, o.Epilogue = bias != nil, e
		op = o
	case backend.Dense:
		o.Bias, o.Epilogue = bias != nil, e
		op = o
	}
	return g.become(l.Node, op, append(in, operands...)...)
}

// scaledWeights returns the weights, which are constant, times a factor for each
// output channel, rounded once; nil if a product is not finite.
func (l linear) scaledWeights(scale []float64) *tensor.Tensor {
	w := l.weights().konst
	shape := w.Shape()
	t := w.Clone()
	d := t.Float32s()
	// Conv and Dense have [O, ...]; ConvTranspose has [C, O/G, kernel...], in which
	// row c holds the channels of c's group.
	rows, perRow, ofRow := 1, shape[0], func(int) int { return 0 }
	if _, ok := l.op.(backend.ConvTranspose); ok {
		rows, perRow = shape[0], shape[1]
		ofRow = func(c int) int { return c / (rows / l.groups) * perRow }
	}
	block := len(d) / (rows * perRow)
	for r := range rows {
		for o := range perRow {
			s := scale[ofRow(r)+o]
			at := (r*perRow + o) * block
			for i := range d[at : at+block] {
				d[at+i] = float32(float64(d[at+i]) * s)
			}
		}
	}
	if !finite(d) {
		return nil
	}
	return t
}

// become gives n another op and other inputs. The outputs keep their shapes; if
// they would not, n stays as it is.
func (g *Graph) become(n *Node, op backend.Op, in ...*Value) error {
	oldOp, oldIn := n.op, n.in
	n.op = op
	g.setInputs(n, slices.Clone(in))
	if err := g.update(n); err != nil {
		n.op = oldOp
		g.setInputs(n, oldIn)
		return err
	}
	return nil
}

// readOnce reports whether n is all that reads v, once: nothing else needs v.
func (g *Graph) readOnce(v *Value, n *Node) bool {
	x := g.indexed()
	return len(x.outputs[v]) == 0 && len(x.readers[v]) == 1 && x.readers[v][n] == 1
}

// bypass makes the readers of n's output read v, and takes n out.
func (g *Graph) bypass(n *Node, v *Value) {
	g.replace(n.out[0], v)
	g.remove(n)
}

// sameShape reports whether v and w have the same shape for all sizes of the
// symbols.
func sameShape(v, w *Value) bool {
	return v.sizes[0].Equal(w.sizes[0]) && v.sizes[1].Equal(w.sizes[1])
}
