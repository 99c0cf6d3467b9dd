package backendtest

import (
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// i32 describes an int32 tensor whose layout the kernel may choose.
func i32(s ...int) backend.TensorDesc { return backend.TensorDesc{DType: tensor.Int32, Shape: s} }

// The fill Special has indices that name no element, far outside too.
func gatherProblems(short bool) []problem {
	var ps []problem
	gather := func(name string, axis int, x, index backend.TensorDesc) {
		ps = append(ps, problem{name: name, d: desc(backend.Gather{Axis: axis}, x, index), fills: []check.Fill{check.Exact, check.Special}})
	}
	full := shape{2, 5, 3, 4, 2}
	for rank := 1; rank <= len(full); rank++ {
		for axis := range rank {
			if short && rank != 4 && axis != rank-1 {
				continue
			}
			gather(fmt.Sprintf("rank%d-axis%d", rank, axis), axis, backend.F32(full[:rank]...), i32(7))
		}
	}
	// Runs of each length around vectors and cache lines.
	for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 67} {
		gather(fmt.Sprintf("inner-%d", n), -2, backend.F32(3, 6, n), i32(11))
	}
	gather("inner-wide", 0, backend.F32(5, 70000), i32(9))
	gather("table", 0, backend.F32(301, 64), i32(4, 77))
	gather("long", -1, backend.F32(3, 1000), i32(70001))
	gather("many", 1, backend.F32(3000, 2, 3), i32(2))
	gather("channels", 1, backend.F32(2, 12, 5, 7), i32(12))
	gather("scalar", 1, backend.F32(2, 3, 4), i32())
	gather("from-vector-by-scalar", 0, backend.F32(9), i32())
	gather("index-3d", 1, backend.F32(2, 3, 4), i32(2, 3, 2))
	gather("rank-8", -1, backend.F32(2, 2, 2, 2, 2, 3), i32(2, 1, 3))
	gather("one", 0, backend.F32(1, 3), i32(5))
	gather("int32", 1, i32(2, 6, 5), i32(8))
	gather("int32-last", -1, i32(4, 6), i32(9))
	gather("no-index", 1, backend.F32(2, 3, 4), i32(0))
	gather("no-index-2d", 1, backend.F32(2, 3, 4), i32(3, 0))
	gather("of-none", 1, backend.F32(2, 0, 4), i32(3))
	gather("no-images", 1, backend.F32(0, 3, 4), i32(3))
	gather("no-inner", 1, backend.F32(2, 3, 0), i32(3))
	return ps
}
