package backendtest

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// The fills have several elements with one index, Special also indices outside.
func maxUnpoolProblems(bool) []problem {
	var ps []problem
	unpool := func(name string, x, size shape) {
		ps = append(ps, problem{name: name, d: desc(backend.MaxUnpool{Size: size}, backend.F32(x...), i32(x...)), fills: []check.Fill{check.Exact, check.Special}})
	}
	unpool("double", shape{2, 5, 4, 3}, shape{8, 6})
	unpool("odd", shape{1, 3, 4, 5}, shape{9, 11})
	unpool("same", shape{1, 7, 5, 5}, shape{5, 5})
	unpool("smaller", shape{1, 2, 9, 8}, shape{2, 3})
	unpool("to-one", shape{2, 3, 6, 7}, shape{1, 1})
	unpool("from-one", shape{1, 4, 1, 1}, shape{7, 3})
	unpool("1d", shape{2, 6, 11}, shape{30})
	unpool("3d", shape{1, 5, 2, 3, 2}, shape{4, 6, 5})
	unpool("planes-many", shape{3, 700, 2, 2}, shape{4, 4})
	unpool("plane-large", shape{1, 1, 150, 170}, shape{300, 340})
	unpool("no-images", shape{0, 3, 4, 4}, shape{8, 8})
	unpool("no-channels", shape{2, 0, 4, 4}, shape{8, 8})
	unpool("no-elements", shape{2, 3, 0, 4}, shape{8, 8})
	// All elements have one index: the last counts.
	const n = 40 * 50
	index := make([]int32, 2*n)
	for i := range index {
		index[i] = 7
	}
	x := tensor.Must(tensor.New(tensor.Float32, 1, 2, 40, 50))
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(i + 1)
	}
	return append(ps, problem{
		name:  "one-index",
		d:     desc(backend.MaxUnpool{Size: shape{80, 100}}, backend.F32(1, 2, 40, 50), i32(1, 2, 40, 50)),
		fills: []check.Fill{check.Exact},
		in:    []*tensor.Tensor{x, tensor.Must(tensor.From(index, 1, 2, 40, 50))},
	})
}
