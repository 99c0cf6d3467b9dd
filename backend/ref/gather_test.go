package ref

import (
	"math"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

func TestGather(t *testing.T) {
	x := from(f32(1, 2, 3, 4, 5, 6), 2, 3)
	index := func(shape []int, v ...int32) *tensor.Tensor { return from(v, shape...) }
	same(t, "rows", run(t, backend.Gather{}, x, index([]int{3}, 1, 0, -1))[0], f32(4, 5, 6, 1, 2, 3, 4, 5, 6))
	same(t, "columns", run(t, backend.Gather{Axis: 1}, x, index([]int{2, 2}, 0, -1, 2, 2))[0], f32(1, 3, 3, 3, 4, 6, 6, 6))
	same(t, "scalar", run(t, backend.Gather{Axis: -1}, x, index(nil, -3))[0], f32(1, 4))
	same(t, "outside", run(t, backend.Gather{Axis: 1}, x, index([]int{4}, 3, -4, math.MaxInt32, math.MinInt32))[0], f32(nan, nan, nan, nan, nan, nan, nan, nan))
	same(t, "none", run(t, backend.Gather{}, x, index([]int{0}))[0], f32())
	same(t, "of none", run(t, backend.Gather{}, from(f32(), 0, 2), index([]int{1}, 0))[0], f32(nan, nan))
	y := run(t, backend.Gather{}, index([]int{3}, 1<<30, 7, -9), index([]int{3}, 2, -3, 3))[0]
	if got, err := tensor.Data[int32](y); err != nil || got[0] != -9 || got[1] != 1<<30 || got[2] != math.MinInt32 {
		t.Errorf("int32: got %v, %v", got, err)
	}
}
