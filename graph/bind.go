package graph

import (
	"errors"
	"fmt"
	"strings"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// checkInput fails when a tensor of that type and shape does not fit input i.
func (g *Graph) checkInput(i int, dtype tensor.DType, shape tensor.Shape) error {
	v := g.inputs[i]
	fail := func(hint string) error {
		return &backend.ShapeError{Op: "Input", Node: v.name, Arg: "x", Got: fmt.Sprintf("%v%v", dtype, shape), Want: fmt.Sprintf("%v%v", v.dtype, v.shape), Hint: hint}
	}
	if dtype != v.dtype {
		return fail("")
	}
	if len(shape) != len(v.shape) {
		hint := ""
		if len(shape)+1 == len(v.shape) {
			hint = "add the batch dim?"
		}
		return fail(hint)
	}
	for k, d := range v.shape {
		if n, static := d.Size(); static && n != shape[k] {
			hint := ""
			if len(shape) > 2 {
				if c, ok := v.shape[1].Size(); ok && shape[len(shape)-1] == c {
					hint = "channels-last? see tensor.HWCToNCHW"
				}
			}
			return fail(hint)
		}
	}
	if err := (backend.TensorDesc{DType: dtype, Shape: shape}).Check("Input", "x"); err != nil {
		return nameNode(err, v.name)
	}
	return nil
}

// bind gives every value the sizes that follow from those of the inputs. The
// result is indexed by the values' ids.
func (g *Graph) bind(ids map[*Value]int, in []tensor.Shape) ([]tensor.Shape, error) {
	shapes, at, err := g.tryBind(ids, in)
	if err != nil && at != nil {
		return nil, g.explainJoin(at, nameNode(err, at.name), ids, shapes, in)
	}
	return shapes, err
}

// tryBind is bind with the node at which it fails, and the shapes so far.
func (g *Graph) tryBind(ids map[*Value]int, in []tensor.Shape) ([]tensor.Shape, *Node, error) {
	shapes := make([]tensor.Shape, len(ids))
	bound := map[string]int{}
	for i, v := range g.inputs {
		for k, d := range v.shape {
			if _, static := d.Size(); static {
				continue
			}
			if n, ok := bound[d.expr]; ok && n != in[i][k] {
				return nil, nil, &backend.ShapeError{Op: "Input", Node: v.name, Arg: fmt.Sprintf("dim %d (%s)", k, d.expr), Got: fmt.Sprint(in[i][k]), Want: fmt.Sprintf("%d, as in another input", n)}
			}
			bound[d.expr] = in[i][k]
		}
		shapes[ids[v]] = in[i]
	}
	for v, id := range ids {
		if v.konst != nil {
			shapes[id] = v.konst.Shape()
		}
	}
	for _, n := range g.nodes {
		d := backend.Desc{Op: n.op}
		for _, v := range n.in {
			d.In = append(d.In, v.desc(shapes[ids[v]]))
		}
		d, err := d.Resolve()
		if err != nil {
			return shapes, n, err
		}
		for i, v := range n.out {
			shapes[ids[v]] = d.Out[i].Shape
		}
	}
	return shapes, nil, nil
}

// explainJoin adds to the shape error of a node that joins computed values where they
// come from and which inputs would fit: the cause lies far before the node, in a size
// that does not halve evenly.
func (g *Graph) explainJoin(n *Node, err error, ids map[*Value]int, shapes, in []tensor.Shape) error {
	var shape *backend.ShapeError
	if !errors.As(err, &shape) {
		return err
	}
	var hints []string
	for _, v := range n.in {
		if v.konst == nil {
			hints = append(hints, fmt.Sprintf("%q gives %v", v.name, shapes[ids[v]]))
		}
	}
	if len(hints) < 2 {
		return err
	}
	if shape.Hint != "" {
		hints = append([]string{shape.Hint}, hints...)
	}
	if s := g.suggest(ids, in); s != "" {
		hints = append(hints, s)
	}
	e := *shape
	e.Hint = strings.Join(hints, "; ")
	return &e
}

// maxMultiple bounds what suggest tries: a network that halves its input ten times.
const maxMultiple = 1024

// suggest names a multiple of which dynamic dims fit, the batch aside, and the next
// such inputs; "" if it finds none. One of two multiples of m that follow each other is
// none of 2m, so m itself suffices where both fit.
func (g *Graph) suggest(ids map[*Value]int, in []tensor.Shape) string {
	for m := 2; m <= maxMultiple; m *= 2 {
		next := g.roundUp(in, m, 0)
		if _, _, err := g.tryBind(ids, next); err != nil {
			continue
		}
		if _, _, err := g.tryBind(ids, g.roundUp(in, m, m)); err != nil {
			continue
		}
		var names []string
		for i, v := range g.inputs {
			names = append(names, fmt.Sprintf("%s %v", v.name, next[i]))
		}
		return fmt.Sprintf("multiples of %d fit, as %s", m, strings.Join(names, ", "))
	}
	return ""
}

// roundUp makes dynamic dims but those of the batches multiples of m, and adds more.
func (g *Graph) roundUp(in []tensor.Shape, m, more int) []tensor.Shape {
	batch := map[string]bool{}
	for _, v := range g.inputs {
		if len(v.shape) > 0 {
			batch[v.shape[0].expr] = true
		}
	}
	out := make([]tensor.Shape, len(in))
	for i, v := range g.inputs {
		out[i] = in[i].Clone()
		for k, d := range v.shape {
			if _, static := d.Size(); !static && !batch[d.expr] {
				out[i][k] = (in[i][k]+m-1)/m*m + more
			}
		}
	}
	return out
}

// number gives every value of the graph an id from 0 on.
func (g *Graph) number() map[*Value]int {
	ids := map[*Value]int{}
	add := func(v *Value) {
		if _, ok := ids[v]; !ok {
			ids[v] = len(ids)
		}
	}
	for _, v := range g.inputs {
		add(v)
	}
	for _, n := range g.nodes {
		for _, v := range n.in {
			add(v)
		}
		for _, v := range n.out {
			add(v)
		}
	}
	for _, o := range g.outputs {
		add(o.Value)
	}
	return ids
}
