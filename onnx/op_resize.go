package onnx

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

const ofIntegers = "of integers only by the nearest element"

var resizeOps = []op{
	{name: "Resize", since: []int{10, 11, 13, 18, 19}, build: buildResize, host: hostResize, limits: ofIntegers},
	{name: "Upsample", since: []int{1, 7, 9, 10}, build: buildResize, host: hostResize, limits: ofIntegers},
}

// buildResize makes a resize one op of the backends where that is the same, and else
// takes it axis by axis, each by a table that is made here.
func buildResize(c *call) {
	x := c.float(0)
	if c.err != nil {
		return
	}
	r := readResize(c.attrs, c.n.info.Op, c.version)
	in := inputsOfResize(c.n.info.Op, c.version)
	if in.roi > 0 && r.coord == cropAndResize && c.given(in.roi) {
		r.roi = c.floats(in.roi)
	}
	// An empty list stands for none.
	if in.scales > 0 && c.given(in.scales) {
		if s := c.floats(in.scales); len(s) > 0 {
			r.scales = s
		}
	}
	var sizes [2][]int
	if in.sizes > 0 && c.given(in.sizes) {
		if v, ok := c.bothInts(in.sizes); ok && len(v[0]) > 0 {
			sizes = v
		}
	}
	p := c.sizes(0)
	if c.err != nil {
		return
	}
	var axes [2][]resizeAxis
	for k := range axes {
		var err error
		if axes[k], err = r.plan(p[k], sizes[k]); err != nil {
			c.abort(err)
			return
		}
	}
	open := make([]bool, len(axes[0]))
	for i, a := range axes[0] {
		open[i] = a.n != axes[1][i].n
		if open[i] && sizes[0] != nil && r.keep != "stretch" && r.listed(i, len(open)) {
			c.abort(errShapes) // its size has a part in the scale of all axes
			return
		}
		if a == axes[1][i] || r.keeps(a) && r.keeps(axes[1][i]) {
			continue
		}
		o, ok := r.openOnDevice(axes)
		if !ok {
			c.abort(errShapes)
			return
		}
		c.set(0, c.apply(o, x))
		return
	}
	if !slices.ContainsFunc(axes[0], func(a resizeAxis) bool { return !r.keeps(a) }) {
		c.set(0, x)
		return
	}
	if o, ok := r.onDevice(axes[0], open); ok {
		c.set(0, c.apply(o, x))
		return
	}
	c.set(0, c.resample(&r.resizeAttrs, axes[0], x))
}

// resample resizes x along one axis after the other.
func (c *call) resample(r *resizeAttrs, axes []resizeAxis, x *graph.Value) *graph.Value {
	tables, err := r.tables(axes, c.b.budget)
	if err != nil {
		c.abort(err)
		return nil
	}
	for _, k := range order(axes) {
		t := tables[k]
		if t == nil || c.err != nil {
			continue
		}
		m := axes[k].m
		index := c.constant(tensor.From(t.index, m, t.terms))
		if r.mode == "nearest" && t.outside == nil {
			index = c.constant(tensor.From(t.index, m))
			x = c.apply(backend.Gather{Axis: k}, x, index)
			continue
		}
		x = c.apply(backend.Resample{Axis: k}, x, index, c.constant(tensor.From(t.weight, m, t.terms)))
	}
	if e, err := r.beyond(axes, tables, c.b.budget); err != nil {
		c.abort(err)
	} else if e != nil { // it is 0 where x has elements, and there is 0 where it has none
		x = c.apply(backend.Binary{Fn: backend.Add}, x, c.constant(e, nil))
	}
	return x
}

// tables returns the table of each axis, and nil for those that stay as they are.
func (r *resizeAttrs) tables(axes []resizeAxis, b *budget) ([]*resizeTable, error) {
	list := make([]*resizeTable, len(axes))
	for k, a := range axes {
		if r.keeps(a) {
			continue
		}
		t, err := r.table(a, b)
		if err != nil {
			return nil, fmt.Errorf("axis %d: %w", k, err)
		}
		if !t.identity(a.n) {
			list[k] = &t
		}
	}
	return list, nil
}

// order lists the axes in the order of least work: those first that shrink most.
func order(axes []resizeAxis) []int {
	list := make([]int, len(axes))
	for i := range list {
		list[i] = i
	}
	slices.SortStableFunc(list, func(i, j int) int {
		a, b := axes[i], axes[j]
		return cmp.Compare(float64(a.m)*float64(b.n), float64(b.m)*float64(a.n))
	})
	return list
}

// beyond returns what is to be added where coordinates lie outside of x, of the rank
// of the last axis that has such, or less; nil for nothing.
func (r *resizeAttrs) beyond(axes []resizeAxis, tables []*resizeTable, b *budget) (*tensor.Tensor, error) {
	var shape tensor.Shape
	for k, t := range tables {
		switch {
		case t != nil && t.outside != nil:
			shape = append(shape, axes[k].m)
		case shape != nil:
			shape = append(shape, 1)
		}
	}
	if shape == nil || r.extrapolation == 0 {
		return nil, nil
	}
	if n, err := shape.Elems(); err != nil || n > maxResizeTable {
		return nil, fmt.Errorf("the elements outside of x take a table of shape %v, want %d elements at most", shape, maxResizeTable)
	}
	if err := b.takeTensor(tensor.Float32, shape); err != nil {
		return nil, err
	}
	e, err := tensor.New(tensor.Float32, shape...)
	if err != nil {
		return nil, err
	}
	inner, first := 1, len(axes)-len(shape)
	for k := len(axes) - 1; k >= first; k-- {
		if t := tables[k]; t != nil && t.outside != nil {
			for i := range e.Float32s() {
				if t.outside[i/inner%axes[k].m] {
					e.Float32s()[i] = r.extrapolation
				}
			}
			inner *= axes[k].m
		}
	}
	return e, nil
}
