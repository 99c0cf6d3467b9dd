package graph

import (
	"fmt"

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
	shapes := make([]tensor.Shape, len(ids))
	bound := map[string]int{}
	for i, v := range g.inputs {
		for k, d := range v.shape {
			if _, static := d.Size(); static {
				continue
			}
			if n, ok := bound[d.expr]; ok && n != in[i][k] {
				return nil, &backend.ShapeError{Op: "Input", Node: v.name, Arg: fmt.Sprintf("dim %d (%s)", k, d.expr), Got: fmt.Sprint(in[i][k]), Want: fmt.Sprintf("%d, as in another input", n)}
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
			return nil, nameNode(err, n.name)
		}
		for i, v := range n.out {
			shapes[ids[v]] = d.Out[i].Shape
		}
	}
	return shapes, nil
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
