package onnx

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// call is a node that is added to a graph. Its methods keep the first fault, and do
// nothing after it, so that an op's code reads as its definition; what they return is nil
// or zero then.
type call struct {
	*attrs
	b       *builder
	n       *node
	version int
	in      []*value // nil where an input is left out
	out     []*value
	names   int
}

// abort keeps a fault.
func (c *call) abort(err error) {
	if c.err == nil {
		c.err = err
	}
}

// unsupported ends the call with the reason for which the node cannot be run.
func (c *call) unsupported(format string, args ...any) {
	c.abort(&unsupportedError{fmt.Sprintf(format, args...)})
}

// has reports whether input i is given.
func (c *call) given(i int) bool { return i < len(c.in) && c.in[i] != nil }

// wants reports whether somebody asked for output i.
func (c *call) wants(i int) bool { return i < len(c.n.Outputs) && c.n.Outputs[i] != "" }

// value returns input i, which must be given.
func (c *call) value(i int) *value {
	if c.err != nil {
		return nil
	}
	if !c.given(i) {
		c.fail("input %d is missing", i)
		return nil
	}
	return c.in[i]
}

// float returns input i, of a floating-point type, on the device.
func (c *call) float(i int) *graph.Value {
	v := c.value(i)
	if v == nil {
		return nil
	}
	if !v.elem.Float() {
		c.abort(errHost)
		return nil
	}
	return c.device(v)
}

// mask returns input i, a boolean, on the device.
func (c *call) mask(i int) *graph.Value {
	v := c.value(i)
	if v == nil {
		return nil
	}
	if v.elem != Bool {
		c.fail("input %d is %v, want bool", i, v.elem)
		return nil
	}
	return c.device(v)
}

// index returns input i, an integer of which all elements are at least low and below
// high, as int32 on the device. Results of the device are brought to the host to be
// checked.
func (c *call) index(i int, low, high int64) *graph.Value {
	v := c.value(i)
	if v == nil {
		return nil
	}
	if v.elem != Int32 && v.elem != Int64 {
		c.fail("input %d is %v, want int32 or int64", i, v.elem)
		return nil
	}
	if !v.known() {
		c.abort(errLater)
		return nil
	}
	c.b.ranges = append(c.b.ranges, indexRange{v.name, c.n.info, i, low, high})
	if err := c.b.ranges[len(c.b.ranges)-1].check(v.data[0]); err != nil {
		c.abort(err)
		return nil
	}
	return c.device(v)
}

// indexRange is what the elements of an integer that a device takes must keep to.
type indexRange struct {
	name      string
	node      NodeInfo
	arg       int
	low, high int64
}

func (r indexRange) check(t *tensor.Tensor) error {
	v, err := integers(t)
	if err != nil {
		return err
	}
	for k, x := range v {
		if x < r.low || x >= r.high {
			return fmt.Errorf("node %s: input %d: element %d: got %d, want %d to %d", r.node.label(), r.arg, k, x, r.low, r.high-1)
		}
	}
	return nil
}

func (c *call) device(v *value) *graph.Value {
	if c.err != nil {
		return nil
	}
	d, err := c.b.device(v)
	if err != nil {
		c.abort(err)
		return nil
	}
	return d
}

// content returns the content of input i, for which the graph is made.
func (c *call) content(i int) *tensor.Tensor {
	v := c.value(i)
	if v == nil {
		return nil
	}
	data, err := c.b.demand(v)
	if err == nil && !sameContent(data) {
		err = errShapes
	}
	if err != nil {
		c.abort(err)
		return nil
	}
	return data[0]
}

// ints returns the content of input i as sizes or axes: they must fit 32 bits, but for those
// at the ends of 64 bits, which stand for "to the end" and become those of 32.
func (c *call) ints(i int) []int {
	t := c.content(i)
	if t == nil {
		return nil
	}
	v, err := integers(t)
	if err != nil {
		c.fail("input %d: %v", i, err)
		return nil
	}
	return c.narrow(fmt.Sprintf("input %d", i), v)
}

// narrow converts sizes or axes to int.
func (c *call) narrow(what string, v []int64) []int {
	out := make([]int, len(v))
	for k, x := range v {
		out[k] = int(min(max(x, math.MinInt32), math.MaxInt32))
		if x != int64(out[k]) && x > -1<<62 && x < 1<<62 && x != 1<<31 {
			c.fail("%s: element %d: got %d, want a number of 32 bits", what, k, x)
			return nil
		}
	}
	return out
}

// intsOr returns attribute or input i, whichever the version has, and nil when it is
// not given.
func (c *call) intsOr(attr string, i int) []int {
	if c.given(i) {
		return c.ints(i)
	}
	return c.smalls(attr)
}

// floats returns the content of input i, of a floating-point type.
func (c *call) floats(i int) []float32 {
	t := c.content(i)
	if t == nil {
		return nil
	}
	v, err := tensor.Data[float32](t)
	if err != nil {
		c.fail("input %d: %v", i, err)
		return nil
	}
	return v
}

// scalar returns the one element of input i, or def when it is not given.
func (c *call) scalar(i int, def float32) float32 {
	if !c.given(i) {
		return def
	}
	v := c.floats(i)
	if c.err != nil {
		return def
	}
	if len(v) != 1 {
		c.fail("input %d: got %d elements, want 1", i, len(v))
		return def
	}
	return v[0]
}

// sizes returns the shape of input i under both sets of probe sizes.
func (c *call) sizes(i int) (s [2]tensor.Shape) {
	v := c.value(i)
	if v == nil {
		return s
	}
	s, ok := v.sizes()
	if !ok && v.source {
		if v.shape == nil {
			c.abort(errLater)
			return s
		}
		if c.device(v) == nil {
			return s
		}
		s, _ = v.sizes()
	}
	return s
}

// rank returns the rank of input i.
func (c *call) rank(i int) int { return len(c.sizes(i)[0]) }

// static returns the shape of input i, all dims of which must be known.
func (c *call) static(i int) tensor.Shape {
	s := c.sizes(i)
	if c.err == nil && !s[0].Equal(s[1]) {
		c.abort(errShapes)
	}
	return s[0]
}

// axis resolves an axis that may count from the end, for the given rank.
func (c *call) axis(a, rank int) int {
	if c.err != nil {
		return 0
	}
	a, err := backend.ResolveAxis(c.n.info.Op, a, rank)
	if err != nil {
		c.abort(err)
	}
	return a
}

// axes resolves axes, which must differ.
func (c *call) axes(list []int, rank int) []int {
	out := make([]int, len(list))
	for i, a := range list {
		out[i] = c.axis(a, rank)
		if c.err == nil && slices.Contains(out[:i], out[i]) {
			c.fail("axis %d is given twice", out[i])
		}
	}
	return out
}

// apply adds an op, and returns its first output.
func (c *call) apply(o backend.Op, in ...*graph.Value) *graph.Value {
	out := c.applyAll(o, in...)
	if out == nil {
		return nil
	}
	return out[0]
}

// applyAll adds an op. The first takes the node's name.
func (c *call) applyAll(o backend.Op, in ...*graph.Value) []*graph.Value {
	if c.err != nil {
		return nil
	}
	name := c.n.info.Name
	if c.names > 0 {
		name = fmt.Sprintf("%s.%d", name, c.names)
	}
	c.names++
	n, err := c.b.g.Apply(c.b.unique(name), o, in...)
	if err != nil {
		if errors.Is(err, errors.ErrUnsupported) {
			err = &unsupportedError{err.Error()}
		}
		c.abort(err)
		return nil
	}
	return n.Out()
}

// constant adds a constant to the graph.
func (c *call) constant(t *tensor.Tensor, err error) *graph.Value {
	if c.err != nil {
		return nil
	}
	if err != nil {
		c.abort(err)
		return nil
	}
	v, err := c.b.g.Const(c.b.unique(c.n.info.Name+".const"), t)
	if err != nil {
		c.abort(err)
	}
	return v
}

// number adds a constant of one element and no dims.
func (c *call) number(x float32) *graph.Value { return c.constant(tensor.From([]float32{x})) }

// set gives output k.
func (c *call) set(k int, v *graph.Value) { c.setAs(k, v, Float32, asFloat) }

// setAs gives output k, which the device holds in the given way.
func (c *call) setAs(k int, v *graph.Value, elem ElemType, as repr) {
	if c.err != nil || !c.wants(k) {
		return
	}
	c.out[k] = &value{name: c.n.Outputs[k], elem: elem, dev: v, repr: as}
}

// setData gives output k as content that no input's value has a part in.
func (c *call) setData(k int, data [2]*tensor.Tensor) {
	if c.err != nil || !c.wants(k) {
		return
	}
	if sameContent(data) {
		data[1] = data[0]
	}
	c.out[k] = &value{name: c.n.Outputs[k], elem: elemOf(data[0].DType()), data: data}
}

// alias gives output k the value of input i.
func (c *call) alias(k, i int) {
	if v := c.value(i); v != nil && c.wants(k) {
		c.out[k] = v
	}
}

func (c *call) typesOfInputs() string {
	var types []string
	for _, v := range c.in {
		if v != nil {
			types = append(types, v.elem.String())
		}
	}
	return fmt.Sprintf("inputs of %s: only float32 is supported", strings.Join(types, ", "))
}

func sameContent(data [2]*tensor.Tensor) bool {
	return data[0] == data[1] || data[0].Equal(data[1])
}

// integers returns the elements of an integer tensor.
func integers(t *tensor.Tensor) ([]int64, error) {
	switch t.DType() {
	case tensor.Int64:
		return tensor.Data[int64](t)
	case tensor.Int32:
		x, err := tensor.Data[int32](t)
		if err != nil {
			return nil, err
		}
		y := make([]int64, len(x))
		for i, v := range x {
			y[i] = int64(v)
		}
		return y, nil
	}
	return nil, fmt.Errorf("got %v, want int64", t.DType())
}
