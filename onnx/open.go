package onnx

import (
	"bytes"
	"strings"

	"github.com/convgl/convgl/tensor"
)

// A graph with open dims is made from what two sets of sizes give. What the host makes of
// these sizes may be taken for a constant, or for the size of a dim, only if that holds for
// all sizes: 64 is the least of 64 and a size of 192, or of 512, and yet not of 64 and 5. So
// contents that differ between the sets are computed with only by ops that keep to this, and
// where an element that depends on a size comes out the same under both, a graph is made for
// each set of sizes (errShapes).

// openRule says how an op treats contents that depend on open dims.
type openRule uint8

const (
	// openNever: the op may give the same for two sizes and another for a third, as Mod does.
	openNever openRule = iota
	// openMoves: each element of the output is one of the inputs that openData lists.
	openMoves
	// openExact: elements are sums and products.
	openExact
	// openRough is openExact with a rounding: what is a dim's size under both sets need not be
	// that under others.
	openRough
	// openEqual: a size is never equal to a negative number.
	openEqual
)

var openRules = map[string]openRule{
	"Cast": openMoves, "CastLike": openMoves, "Concat": openMoves, "Expand": openMoves, "Flatten": openMoves, "Gather": openMoves,
	"GatherElements": openMoves, "GatherND": openMoves, "Identity": openMoves, "Reshape": openMoves, "Scatter": openMoves,
	"ScatterElements": openMoves, "ScatterND": openMoves, "Slice": openMoves, "Split": openMoves, "Squeeze": openMoves,
	"Tile": openMoves, "Transpose": openMoves, "Unsqueeze": openMoves, "Where": openMoves,
	"Add": openExact, "Mul": openExact, "Neg": openExact, "ReduceProd": openExact, "ReduceSum": openExact, "Sub": openExact, "Sum": openExact,
	"Ceil": openRough, "Div": openRough, "Floor": openRough, "Round": openRough,
	"Equal": openEqual,
}

// openData reports whether input i of an op that moves elements is one from which they come.
func openData(op string, i int) bool {
	switch op {
	case "Concat":
		return true
	case "Where":
		return i > 0
	case "Scatter", "ScatterElements", "ScatterND":
		return i != 1
	}
	return i == 0
}

// holds reports whether what n made of contents that depend on open dims, under each set of
// sizes, tells what it makes under others, and whether it does so but for a rounding.
func (n *node) holds(in []*value, out [2][]*tensor.Tensor) (ok, rough bool) {
	for _, v := range in {
		rough = rough || v != nil && v.rough
	}
	first := [2]*tensor.Tensor{out[0][0], out[1][0]}
	if n.OpType == "ConstantOfShape" {
		return !first[0].Shape().Equal(first[1].Shape()), rough
	}
	rule := openRules[n.OpType]
	if a := n.Attr("reduction"); a != nil && string(a.S) != "none" { // a Scatter that computes
		rule = openNever
	}
	for i, v := range in {
		switch {
		case v == nil:
		case !v.data[0].Shape().Equal(v.data[1].Shape()),
			rule == openMoves && v.data[0] != v.data[1] && !openData(n.OpType, i):
			return false, rough
		}
	}
	from, to := in[0].data[0].DType(), first[0].DType()
	switch rule {
	case openNever:
		return false, rough
	case openMoves: // and casts, which may round
		return to != tensor.Bool || from == to, rough || from == tensor.Float32 && to != from
	case openRough:
		rough = true
	}
	if strings.HasPrefix(n.OpType, "Reduce") {
		for k := range first[0].Size() {
			if sameElement(first, k) {
				return false, rough
			}
		}
		return true, rough
	}
	shape := first[0].Shape()
	var strides [][]int
	numbers := make([][]int64, len(in)) // of integers
	for i, v := range in {
		strides = append(strides, stretched(v.data[0].Shape(), shape))
		numbers[i], _ = integers(v.data[0])
	}
	at := newCounter(shape, strides...)
	for k := range first[0].Size() {
		differs, negative := false, false
		for i, v := range in {
			if j := at.offset[i]; !sameElement(v.data, j) {
				differs = true
			} else if x := numbers[i]; x != nil {
				negative = negative || x[j] < 0
			}
		}
		if differs && sameElement(first, k) && !(rule == openEqual && negative) {
			return false, rough
		}
		at.next()
	}
	return true, rough
}

// sameElement compares element k of two tensors of one shape and type.
func sameElement(t [2]*tensor.Tensor, k int) bool {
	if t[0] == t[1] {
		return true
	}
	size := t[0].DType().Size()
	return bytes.Equal(t[0].Bytes()[k*size:(k+1)*size], t[1].Bytes()[k*size:(k+1)*size])
}

// roughly reports whether the content of input i may be what it is by a rounding.
func (c *call) roughly(i int) bool { return c.given(i) && c.in[i].rough }
