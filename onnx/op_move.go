package onnx

import (
	"fmt"
	"math"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
)

var moveOps = []op{
	{name: "Concat", since: []int{1, 4, 11, 13}, build: buildConcat, host: hostConcat},
	{name: "Split", since: []int{1, 2, 11, 13, 18}, build: buildSplit, host: hostSplit},
	{name: "Slice", since: []int{1, 10, 11, 13}, build: buildSlice, host: hostSlice},
	{name: "Gather", since: []int{1, 11, 13}, build: buildGather, host: hostGather},
	{name: "GatherElements", since: []int{11, 13}, host: hostGatherElements},
	{name: "GatherND", since: []int{11, 12, 13}, host: hostGatherND},
	{name: "Pad", since: []int{1, 2, 11, 13, 18, 19, 21, 23, 24, 25}, build: buildPad, host: hostPad},
	{name: "OneHot", since: []int{9, 11}, host: hostOneHot},
	{name: "Scatter", since: []int{9, 11}, host: hostScatterElements},
	{name: "ScatterElements", since: []int{11, 13, 16, 18}, host: hostScatterElements},
	{name: "ScatterND", since: []int{11, 13, 16, 18}, host: hostScatterND},
	{name: "DepthToSpace", since: []int{1, 11, 13}, build: buildDepthToSpace},
	{name: "SpaceToDepth", since: []int{1, 13}, build: buildSpaceToDepth},
}

func buildConcat(c *call) {
	def := 1
	if c.version >= 4 {
		def = 0
		if !c.has("axis") {
			c.fail("attribute \"axis\" is missing")
		}
	}
	o := backend.Concat{Axis: c.attrs.small("axis", def), Inputs: len(c.in)}
	var in []*graph.Value
	for i := range c.in {
		in = append(in, c.float(i))
	}
	if c.err == nil && len(in) == 1 {
		c.axis(o.Axis, c.rank(0))
		c.set(0, in[0])
		return
	}
	c.set(0, c.apply(o, in...))
}

// buildSplit cuts a tensor along an axis: into parts of given sizes, or into equal ones, of
// which the last may be smaller since version 18.
func buildSplit(c *call) {
	a := c.attrs.small("axis", 0)
	parts := c.intsOr("split", 1)
	count := len(c.n.Outputs)
	if c.version >= 18 {
		count = c.attrs.small("num_outputs", count)
	}
	x := c.float(0)
	sizes := c.sizes(0)
	a = c.axis(a, len(sizes[0]))
	if c.err != nil {
		return
	}
	n := sizes[0][a]
	if n != sizes[1][a] {
		c.abort(errShapes)
		return
	}
	if !c.given(1) && !c.has("split") {
		each := (n + count - 1) / max(count, 1)
		if count != len(c.n.Outputs) || n%count != 0 && c.version < 18 {
			c.fail("cannot split %d into %d equal parts for %d outputs", n, count, len(c.n.Outputs))
			return
		}
		parts = nil
		for i := range count {
			parts = append(parts, max(min(each, n-i*each), 0))
		}
	}
	if len(parts) != len(c.n.Outputs) {
		c.fail("got %d parts for %d outputs", len(parts), len(c.n.Outputs))
		return
	}
	at := 0
	for i, p := range parts {
		if p < 0 || p > n-at {
			c.fail("parts %v do not add up to %d, the size of axis %d", parts, n, a)
			return
		}
		if c.wants(i) {
			o := wholeSlice(len(sizes[0]))
			o.Starts[a], o.Ends[a] = at, at+p
			c.set(i, c.apply(o, x))
		}
		at += p
	}
	if at != n {
		c.fail("parts %v do not add up to %d, the size of axis %d", parts, n, a)
	}
}

// wholeSlice takes all of a tensor.
func wholeSlice(rank int) backend.Slice {
	s := backend.Slice{Starts: make([]int, rank), Ends: make([]int, rank), Steps: make([]int, rank)}
	for i := range rank {
		s.Ends[i], s.Steps[i] = backend.SliceEnd, 1
	}
	return s
}

func buildSlice(c *call) {
	var starts, ends, axes, steps []int
	if c.version < 10 {
		starts, ends, axes = c.narrow("starts", c.attrs.ints("starts")), c.narrow("ends", c.attrs.ints("ends")), c.smalls("axes")
	} else {
		starts, ends = c.ints(1), c.ints(2)
		if c.given(3) {
			axes = c.ints(3)
		}
		if c.given(4) {
			steps = c.ints(4)
		}
	}
	x := c.float(0)
	sizes := c.sizes(0)
	if c.err != nil {
		return
	}
	if axes == nil {
		for i := range starts {
			axes = append(axes, i)
		}
	}
	axes = c.axes(axes, len(sizes[0]))
	if c.err == nil && (len(starts) != len(axes) || len(ends) != len(axes) || steps != nil && len(steps) != len(axes)) {
		c.fail("got %d starts, %d ends, %d axes and %d steps, want as many of each", len(starts), len(ends), len(axes), len(steps))
	}
	if c.err != nil {
		return
	}
	o := wholeSlice(len(sizes[0]))
	for i, a := range axes {
		step := 1
		if steps != nil {
			step = steps[i]
		}
		if step == 0 {
			c.fail("the step of axis %d is 0", a)
			return
		}
		if n := sizes[0][a]; n == sizes[1][a] {
			o.Starts[a], o.Ends[a] = clampSlice(starts[i], ends[i], step, n)
		} else if o.Starts[a], o.Ends[a] = openSlice(starts[i], ends[i]); step < 0 || starts[i] < 0 || ends[i] >= 0 && ends[i] < math.MaxInt32 {
			// Three elements, first or last, are fewer where the dim has less.
			c.abort(errShapes)
			return
		}
		o.Steps[a] = step
	}
	c.set(0, c.apply(o, x))
}

// clampSlice resolves start and end for a dim of size n: negative ones count from the end,
// and what lies outside counts as the first or last.
func clampSlice(start, end, step, n int) (int, int) {
	if start < 0 {
		start += n
	}
	if end < 0 {
		end += n
	}
	if step > 0 {
		start, end = min(max(start, 0), n), min(max(end, 0), n)
	} else {
		start, end = min(max(start, 0), n-1), min(max(end, -1), n-1)
	}
	if n == 0 {
		return 0, 0
	}
	return start, end
}

// openSlice is clampSlice for a dim whose size is not known yet.
func openSlice(start, end int) (int, int) {
	if start < 0 {
		start += backend.SliceEnd
	}
	if end < 0 {
		end += backend.SliceEnd
	}
	return start, end
}

func buildGather(c *call) {
	o := backend.Gather{Axis: c.attrs.small("axis", 0)}
	x := c.float(0)
	sizes := c.sizes(0)
	a := c.axis(o.Axis, len(sizes[0]))
	if c.err != nil {
		return
	}
	n := sizes[0][a]
	if n != sizes[1][a] {
		c.abort(errShapes)
		return
	}
	c.set(0, c.apply(o, x, c.index(1, -int64(n), int64(n))))
}

func buildPad(c *call) {
	modes := []string{"constant", "reflect", "edge"}
	if c.version >= 19 {
		modes = append(modes, "wrap")
	}
	mode := c.choice("mode", "constant", modes...)
	x := c.float(0)
	n := c.rank(0)
	var pads []int
	value := float32(0)
	if c.version < 11 {
		name := "pads"
		if c.version == 1 {
			name = "paddings"
		}
		pads, value = c.smalls(name), c.attrs.float("value", 0)
	} else {
		pads, value = c.ints(1), c.scalar(2, 0)
	}
	if c.version >= 18 && c.given(3) {
		list := c.axes(c.ints(3), n)
		if c.err == nil && len(pads) != 2*len(list) {
			c.fail("got %d pads for %d axes, want two an axis", len(pads), len(list))
		}
		if c.err != nil {
			return
		}
		all := make([]int, 2*n)
		for i, a := range list {
			all[a], all[n+a] = pads[i], pads[len(list)+i]
		}
		pads = all
	}
	if c.err == nil && len(pads) != 2*n {
		c.fail("got %d pads for rank %d, want %d", len(pads), n, 2*n)
	}
	if c.err != nil {
		return
	}
	// Negative pads cut off.
	pads = slices.Clone(pads)
	cut := wholeSlice(n)
	negative := false
	for i := range n {
		if s := c.sizes(0); s[0][i] == s[1][i] && s[0][i]+min(pads[i], 0)+min(pads[n+i], 0) < 0 {
			c.fail("pads of %d and %d cut off more than the %d elements of dim %d", pads[i], pads[n+i], s[0][i], i)
			return
		}
		if pads[i] < 0 {
			cut.Starts[i], pads[i], negative = -pads[i], 0, true
		}
		if pads[n+i] < 0 {
			cut.Ends[i], pads[n+i], negative = backend.SliceEnd+pads[n+i], 0, true
		}
	}
	if negative {
		x = c.apply(cut, x)
	}
	o := backend.Pad{Pads: pads, Value: value}
	switch mode {
	case "reflect":
		o.Mode = backend.PadReflect
	case "edge":
		o.Mode = backend.PadEdge
	case "wrap":
		o.Mode = backend.PadWrap
	}
	if !slices.ContainsFunc(pads, func(p int) bool { return p != 0 }) {
		c.set(0, x)
		return
	}
	c.set(0, c.apply(o, x))
}

// blocks returns input 0, [N,C,H,W], its sizes and the attribute blocksize.
func (c *call) blocks() (x *graph.Value, sizes [2][]int, b int) {
	b = c.attrs.small("blocksize", 0)
	x = c.float(0)
	sizes = ints2(c.sizes(0))
	if c.err == nil && (len(sizes[0]) != 4 || b < 1 || b > 1<<12) {
		c.fail("got blocksize %d and x %v, want 1 or more and [N,C,H,W]", b, x.Shape())
	}
	return x, sizes, b
}

func buildDepthToSpace(c *call) {
	mode := "DCR"
	if c.version >= 11 {
		mode = c.choice("mode", "DCR", "DCR", "CRD")
	}
	x, sizes, b := c.blocks()
	if c.err != nil {
		return
	}
	if sizes[0][1]%(b*b) != 0 || sizes[0][1] != sizes[1][1] {
		c.fail("%d channels are no multiple of blocksize² = %d", sizes[0][1], b*b)
		return
	}
	var inner, outer [2][]int
	for k, s := range sizes {
		ch := s[1] / (b * b)
		if inner[k] = []int{s[0], b, b, ch, s[2], s[3]}; mode == "CRD" {
			inner[k] = []int{s[0], ch, b, b, s[2], s[3]}
		}
		outer[k] = []int{s[0], ch, s[2] * b, s[3] * b}
	}
	perm := []int{0, 3, 4, 1, 5, 2}
	if mode == "CRD" {
		perm = []int{0, 1, 4, 2, 5, 3}
	}
	y := c.apply(backend.Transpose{Perm: perm}, c.reshape(x, inner))
	c.set(0, c.reshape(y, outer))
}

func buildSpaceToDepth(c *call) {
	x, sizes, b := c.blocks()
	if c.err != nil {
		return
	}
	var inner, outer [2][]int
	for k, s := range sizes {
		if s[2]%b != 0 || s[3]%b != 0 {
			if k == 1 || fmt.Sprint(sizes[0]) == fmt.Sprint(sizes[1]) {
				c.fail("x %v: height and width must be multiples of blocksize %d", x.Shape(), b)
			} else {
				c.abort(errShapes)
			}
			return
		}
		inner[k] = []int{s[0], s[1], s[2] / b, b, s[3] / b, b}
		outer[k] = []int{s[0], s[1] * b * b, s[2] / b, s[3] / b}
	}
	y := c.apply(backend.Transpose{Perm: []int{0, 3, 5, 1, 2, 4}}, c.reshape(x, inner))
	c.set(0, c.reshape(y, outer))
}
