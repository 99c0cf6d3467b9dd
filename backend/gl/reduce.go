//go:build cgo

package gl

import (
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
)

func reduceCandidates(op backend.Reduce) []candidate {
	return []candidate{{"tree", func(p *plan) error { return planReduce(p, op) }}}
}

// What reduce.comp does with elements, and with states in the end.
const (
	reduceSum = iota
	reduceLargest
	reduceProduct
	reduceSquares
	reduceExponentials
	reduceIndex

	mapAbs    = 1
	mapSquare = 2
	mapNegate = 3

	finishFactor = 1
	finishLog    = 2
	finishNegate = 3
)

// reduction says which of those an op is.
type reduction struct {
	op, mapped, finish int
	factor             float32
	last               bool
}

// planReduce takes any layouts. The mean or the maximum of the pixels of an image
// that has whole texels is a global pooling.
func planReduce(p *plan, op backend.Reduce) error {
	reduced, err := op.Reduced(len(p.in[0].Shape))
	if err != nil {
		return err
	}
	if p.pooled(op, reduced) {
		return planGlobalPool(p, backend.GlobalPool{Mean: op.Fn == backend.ReduceMean})
	}
	var r reduction
	switch op.Fn {
	case backend.ReduceMean:
		r.finish = finishFactor
	case backend.ReduceMax:
		r.op = reduceLargest
	case backend.ReduceMin: // −max(−x)
		r.op, r.mapped, r.finish = reduceLargest, mapNegate, finishNegate
	case backend.ReduceProd:
		r.op = reduceProduct
	case backend.ReduceL1:
		r.mapped = mapAbs
	case backend.ReduceL2:
		r.op = reduceSquares
	case backend.ReduceLogSum:
		r.finish = finishLog
	case backend.ReduceLogSumExp:
		r.op = reduceExponentials
	case backend.ReduceSumSquare:
		r.mapped = mapSquare
	}
	p.reduce(r, reduced, op.KeepDims)
	return nil
}

// pooled reports whether op is a global pooling, in layouts that it takes.
func (p *plan) pooled(op backend.Reduce, reduced []bool) bool {
	x := p.in[0].Shape
	if op.Fn != backend.ReduceMean && op.Fn != backend.ReduceMax || !op.KeepDims || len(x) < 3 || len(x) > 5 || x[2:].Size() == 0 {
		return false
	}
	for i, r := range reduced {
		if r != (i >= 2) {
			return false
		}
	}
	in, out := p.in[0], p.out[0]
	return settle(&in, backend.ChannelsLast4) && settle(&out, backend.ChannelsLast4)
}

const (
	// reduceBlock is how many elements an invocation takes, which is how long a sum
	// in the order of the elements may be.
	reduceBlock = 256
	// reduceGroup is how many a workgroup takes; below local it has nothing to share.
	reduceGroup = 64 * local
)

// reduce adds the dispatches of a reduction. How a set is cut looks at the set and
// the layout of x only, so that a batch changes no result.
func (p *plan) reduce(r reduction, reduced []bool, keepDims bool) {
	x, y := &p.in[0], &p.out[0]
	settle(x, preferred(*x))
	settle(y, preferred(*y))
	if y.Shape.Size() == 0 {
		return
	}
	kept, set := p.reduceLoops(reduced, keepDims)
	valid := kept[0].size
	if channels, lanes := padding(*y); channels != lanes {
		kept[0].size = lanes
		kept = joined(kept, 1)
	} else {
		kept = joined(kept, 0)
		valid = kept[0].size
	}
	set = joined(set, 0)
	results, n := 1, 1
	for _, l := range kept {
		results *= l.size
	}
	for _, l := range set {
		n *= l.size
	}
	if n == 0 { // no dim of it is run through
		set = []loop{{size: 1}}
	}
	if r.finish == finishFactor {
		r.factor = float32(n)
		if n == 0 {
			r.factor = float32(math.NaN())
		}
	}
	last := 0
	if r.last {
		last = 1
	}
	inner := set[0].a == 1 // rows: neighbours of a set are side by side
	from, states := p.readsAny(0, 0, device.R32F), [2]int{}
	for first, final := true, false; !final; first = false {
		var s step
		defines := []shaders.Define{shaders.Int("OP", r.op)}
		block, group := reduceBlock, inner && n >= local
		if group {
			block = reduceGroup
			defines = append(defines, shaders.Define{Name: "GROUP"})
			s.shared = 8 * local
		}
		blocks := max(1, ceilDiv(n, block))
		count, by := results*blocks, results
		if group {
			by = blocks
		}
		m, shift := divisor(by)
		final = blocks == 1
		to, next := writes(1, output(0)), from
		if !final {
			bytes := 8 * int64(count)
			off := p.scratch(bytes)
			to, next = writes(1, workspace).part(off, bytes), storage(2, workspace).part(off, bytes)
		} else {
			defines = append(defines, shaders.Define{Name: "FINAL"})
		}
		mapped := r.mapped
		if first {
			defines = append(defines, shaders.Define{Name: "FIRST"})
		}
		u := []int{count, results, n, block, blocks, m, shift, valid, len(kept), len(set), mapped, r.finish, int(math.Float32bits(r.factor)), states[0], states[1], last}
		s.shader, s.bind = "reduce.comp", []binding{from, to}
		s.uniforms = []uniform{uints(0, append(append(u, uniformsOf(kept)...), uniformsOf(set)...)...)}
		s.defines = defines
		invocations := count
		if group {
			invocations *= local
		}
		p.be.flat(&s, invocations)
		p.add(s)
		// The states of a result follow each other by results, or one by one.
		states = [2]int{1, results}
		if group {
			states = [2]int{blocks, 1}
		}
		from, n, inner = next, blocks, true
	}
}

// reduceLoops returns the loops of the results, innermost of y first, and of a set,
// innermost of x first. There is one of each at least.
func (p *plan) reduceLoops(reduced []bool, keepDims bool) (kept, set []loop) {
	x, y := p.in[0], p.out[0]
	sx, sy := x.Layout.Strides(x.Shape), y.Layout.Strides(y.Shape)
	var dims []int // of x, by dim of y; −1 for one that is left of a reduced one
	for i, r := range reduced {
		if !r {
			dims = append(dims, i)
		} else if keepDims {
			dims = append(dims, -1)
		}
	}
	for _, d := range memoryOrder(y) {
		l := loop{size: 1, b: sy[d]}
		if i := dims[d]; i >= 0 {
			l = loop{x.Shape[i], sx[i], sy[d]}
		}
		kept = append(kept, l)
	}
	for _, i := range memoryOrder(x) {
		if reduced[i] {
			set = append(set, loop{size: x.Shape[i], a: sx[i]})
		}
	}
	if len(kept) == 0 {
		kept = []loop{{size: 1}}
	}
	if len(set) == 0 {
		set = []loop{{size: 1}}
	}
	return kept, set
}
