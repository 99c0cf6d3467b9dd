package backendtest

import (
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// reduceKinds are all reductions.
var reduceKinds = []backend.ReduceKind{
	backend.ReduceSum, backend.ReduceMean, backend.ReduceMax, backend.ReduceMin, backend.ReduceProd,
	backend.ReduceL1, backend.ReduceL2, backend.ReduceLogSum, backend.ReduceLogSumExp, backend.ReduceSumSquare,
}

// reduceProblems meet rows, lanes and both, sizes around blocks and vectors, and sets
// without elements.
func reduceProblems(short bool) []problem {
	var ps []problem
	for _, c := range []struct {
		x      shape
		axes   []int
		layout bool
	}{
		{shape{2, 5, 11, 9}, shape{2, 3}, true}, // all pixels
		{shape{2, 5, 11, 9}, shape{1}, true},
		{shape{2, 5, 3, 4}, shape{0, 2}, true},
		{shape{3, 1, 6, 7}, shape{-1}, true},
		{shape{2, 6, 5}, nil, true},
		{shape{2, 3, 4, 3, 2}, shape{4, 1}, true},
		{shape{3, 5}, shape{1}, false},
		{shape{35, 300}, shape{-2}, false},
		{shape{4, 1025}, shape{1}, false},
		{shape{1, 1, 7}, shape{0}, false},
		{shape{2, 1, 3, 2, 1, 2, 3, 2}, shape{0, 2, 5, 7}, false},
		{shape{}, nil, false},
		{shape{0, 3}, shape{0}, false},
		{shape{2, 0, 3, 4}, shape{2}, false},
	} {
		for i, fn := range reduceKinds {
			p := problem{
				name:    fmt.Sprintf("%v-%s-over-%s", fn, words(c.x...), words(c.axes...)),
				d:       desc(backend.Reduce{Fn: fn, Axes: c.axes, KeepDims: i%2 == 0}, backend.F32(c.x...)),
				layouts: c.layout && (!short || i == 1),
				fills:   check.Fills(),
			}
			if short {
				p.fills = nil
			}
			ps = append(ps, p)
		}
	}
	for _, keep := range []bool{false, true} {
		ps = append(ps, problem{name: fmt.Sprintf("channels-keep-%v", keep), layouts: true,
			d: desc(backend.Reduce{Fn: backend.ReduceMean, Axes: shape{2, 3}, KeepDims: keep}, backend.F32(3, 37, 5, 6))})
	}
	for _, n := range []int{1, 2, 7, 8, 9, 15, 16, 17, 63, 64, 65, 255, 256, 257, 1000, 16385, 70000} {
		for _, fn := range []backend.ReduceKind{backend.ReduceSum, backend.ReduceMin, backend.ReduceProd, backend.ReduceLogSumExp} {
			if n > 300 && fn != backend.ReduceSum && (short || fn != backend.ReduceLogSumExp) {
				continue
			}
			ps = append(ps,
				problem{name: fmt.Sprintf("%v-row-%d", fn, n), d: desc(backend.Reduce{Fn: fn, Axes: shape{1}}, backend.F32(3, n))},
				problem{name: fmt.Sprintf("%v-column-%d", fn, n), d: desc(backend.Reduce{Fn: fn, Axes: shape{0}}, backend.F32(n, 3))},
				problem{name: fmt.Sprintf("%v-lanes-%d", fn, n), d: desc(backend.Reduce{Fn: fn, Axes: shape{1}}, backend.F32(2, 3, n))})
		}
	}
	bright := []*tensor.Tensor{brightPixels(1000, 1000)}
	for _, fn := range reduceKinds {
		if short && fn != backend.ReduceSum && fn != backend.ReduceProd {
			continue
		}
		p := problem{name: fmt.Sprintf("%v-row-1000000", fn), d: desc(backend.Reduce{Fn: fn}, backend.F32(1000, 1000)), fills: []check.Fill{check.Uniform}}
		if fn != backend.ReduceProd {
			p.in = bright
		}
		ps = append(ps, p)
	}
	for _, fn := range []backend.ReduceKind{backend.ReduceSum, backend.ReduceProd, backend.ReduceLogSumExp} {
		ps = append(ps, problem{name: fmt.Sprintf("%v-columns-300000", fn), d: desc(backend.Reduce{Fn: fn, Axes: shape{0}}, backend.F32(300000, 2)), fills: []check.Fill{check.Adversarial}})
	}
	ps = append(ps, problem{name: "columns-of-bright-pixels", d: desc(backend.Reduce{Axes: shape{0}}, backend.F32(500000, 2)), fills: []check.Fill{check.Uniform}, in: []*tensor.Tensor{brightPixels(500000, 2)}})
	return append(ps,
		// Empty sets, of which every result is given.
		problem{name: "nothing-to-reduce", d: desc(backend.Reduce{Fn: backend.ReduceMax, Axes: shape{1}}, backend.F32(3, 0, 2))},
		problem{name: "nothing-at-all", d: desc(backend.Reduce{Fn: backend.ReduceProd}, backend.F32(3, 0, 2))},
	)
}

// brightPixels returns a bright picture: rounding goes in one direction for long, so
// that the bound refuses a float32 sum in the order of the pixels.
func brightPixels(h, w int) *tensor.Tensor {
	x := tensor.Must(tensor.New(tensor.Float32, h, w))
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(220+i*7%31) / 255
	}
	return x
}

func argMaxProblems(short bool) []problem {
	var ps []problem
	add := func(layout bool, axis int, x ...int) {
		for i, op := range []backend.ArgMax{{}, {Min: true}, {Last: true, KeepDims: true}, {Min: true, Last: true}} {
			op.Axis = axis
			ps = append(ps, problem{
				name:    fmt.Sprintf("%s-axis%d-%d", words(x...), axis, i),
				d:       desc(op, backend.F32(x...)),
				layouts: layout && i == 0,
			})
		}
	}
	add(false, 0, 1)
	add(false, 0, 5)
	add(false, 1, 7, 13)
	add(false, -2, 13, 7)
	add(true, 1, 2, 5, 4, 6) // classes of pixels
	add(true, 3, 2, 5, 4, 6)
	add(true, 0, 3, 5, 4)
	add(true, 2, 1, 21, 7, 3, 5)
	add(false, 4, 2, 1, 3, 2, 3, 2, 1, 2)
	add(false, 1, 2, 1000)
	add(false, 0, 1000, 3)
	add(false, 1, 0, 3)
	for _, n := range []int{15, 16, 17, 63, 65, 255, 257} {
		ps = append(ps,
			problem{name: fmt.Sprintf("row-%d", n), d: desc(backend.ArgMax{Axis: 1}, backend.F32(3, n))},
			problem{name: fmt.Sprintf("lanes-%d", n), d: desc(backend.ArgMax{Axis: 1, Min: true}, backend.F32(2, 3, n))})
	}
	if !short {
		add(false, 1, 2, 70000)
		add(false, 0, 70000, 3)
	}
	return ps
}

func topKProblems(short bool) []problem {
	var ps []problem
	add := func(layout bool, k, axis int, x ...int) {
		for _, smallest := range []bool{false, true} {
			ps = append(ps, problem{
				name:    fmt.Sprintf("%s-axis%d-k%d-smallest-%v", words(x...), axis, k, smallest),
				d:       desc(backend.TopK{K: k, Axis: axis, Smallest: smallest}, backend.F32(x...)),
				layouts: layout && !smallest,
			})
		}
	}
	add(false, 1, 0, 1)
	add(false, 0, 0, 5)
	add(false, 5, 0, 5)
	add(false, 0, 0, 0)
	add(false, 3, 1, 7, 13)
	add(false, 3, -2, 13, 7)
	add(true, 2, 1, 2, 5, 4, 6)
	add(true, 6, 3, 2, 5, 4, 6)
	add(true, 1, 0, 3, 5, 4)
	add(true, 21, 1, 1, 21, 2, 3)
	add(false, 2, 4, 2, 1, 3, 2, 3, 2, 1, 2)
	add(false, 5, 1, 3, 1000)
	add(false, 2, 1, 0, 3)
	add(false, 100, 1, 2, 3000)
	add(false, 1100, 1, 1, 1200)
	for _, n := range []int{15, 16, 17, 63, 64, 65, 255, 256, 257} {
		add(false, n, 1, 2, n)
		add(false, n/2, 1, 2, n)
	}
	if !short {
		add(false, 1000, 1, 2, 1000)
		add(false, 100, 1, 2, 70000)
		add(false, 3000, 0, 9000, 2)
	}
	return ps
}

func oneHotProblems(bool) []problem {
	var ps []problem
	for _, c := range []struct {
		index       shape
		axis, depth int
		layout      bool
	}{
		{shape{}, 0, 5, false},
		{shape{7}, -1, 10, false},
		{shape{7}, 0, 10, false},
		{shape{3, 4}, 1, 5, true},
		{shape{2, 5, 6}, 1, 21, true}, // masks of the classes of pixels
		{shape{2, 5, 6}, -1, 3, true},
		{shape{2, 3, 4, 5}, 0, 2, true},
		{shape{2, 1, 3, 2, 1, 2, 2}, 3, 2, false},
		{shape{300}, 1, 257, false},
		{shape{2, 3}, 1, 0, false},
		{shape{2, 0}, 1, 3, false},
	} {
		ps = append(ps, problem{
			name:    fmt.Sprintf("%s-axis%d-depth%d", words(c.index...), c.axis, c.depth),
			d:       desc(backend.OneHot{Axis: c.axis, Depth: c.depth}, backend.TensorDesc{DType: tensor.Int32, Shape: c.index}),
			layouts: c.layout,
			fills:   []check.Fill{check.Exact, check.Special},
		})
	}
	return ps
}
