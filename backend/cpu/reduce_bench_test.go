package cpu

import (
	"fmt"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// Rows, lanes, few and many results; the reductions with loops of their own.
func BenchmarkReduce(b *testing.B) {
	for _, fn := range []backend.ReduceKind{backend.ReduceSum, backend.ReduceMin, backend.ReduceProd, backend.ReduceL1, backend.ReduceL2, backend.ReduceLogSumExp} {
		for _, c := range []struct {
			x    []int
			axes []int
		}{
			{[]int{4000000}, nil},
			{[]int{1000000, 4}, []int{1}},
			{[]int{1000000, 4}, []int{0}},
			{[]int{1, 64, 224, 224}, []int{1}},
			{[]int{1, 512, 7, 7}, []int{2, 3}},
		} {
			benchmarkCopy(b, fmt.Sprintf("%v/%v-over-%v", fn, c.x, c.axes), backend.Desc{Op: backend.Reduce{Fn: fn, Axes: c.axes}, In: []backend.TensorDesc{in(plain, backend.F32(c.x...))}})
		}
	}
}

func BenchmarkArgMax(b *testing.B) {
	for _, l := range layouts {
		for _, x := range [][]int{{1, 21, 256, 256}, {64, 1000, 1, 1}} {
			benchmarkCopy(b, fmt.Sprintf("%s/%v", l.name, x), backend.Desc{Op: backend.ArgMax{Axis: 1}, In: []backend.TensorDesc{in(l.layout, backend.F32(x...))}})
		}
	}
}

func BenchmarkTopK(b *testing.B) {
	for _, c := range []struct{ k, n int }{{5, 1000}, {1000, 20000}, {100, 4000000}, {1000, 1000}} {
		benchmarkCopy(b, fmt.Sprintf("%d-of-%d", c.k, c.n), backend.Desc{Op: backend.TopK{K: c.k, Axis: 1}, In: []backend.TensorDesc{backend.F32(1, c.n)}})
	}
}

func BenchmarkOneHot(b *testing.B) {
	for _, axis := range []int{1, 3} {
		benchmarkCopy(b, fmt.Sprintf("axis%d", axis), backend.Desc{Op: backend.OneHot{Axis: axis, Depth: 21}, In: []backend.TensorDesc{{DType: tensor.Int32, Shape: []int{1, 256, 256}}}})
	}
}
