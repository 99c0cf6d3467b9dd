package ref

import (
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

func TestResample(t *testing.T) {
	index := func(shape []int, v ...int32) *tensor.Tensor { return from(v, shape...) }
	x := from(f32(1, 2, 3, 10, 20, 30), 2, 3)
	same(t, "last axis", run(t, backend.Resample{Axis: -1}, x, index([]int{2, 2}, 0, 1, 2, 2), from(f32(0.5, 0.25, 1, -2), 2, 2))[0], f32(1, -3, 10, -30))
	same(t, "first axis", run(t, backend.Resample{}, x, index([]int{1, 2}, 0, 1), from(f32(2, -1), 1, 2))[0], f32(-8, -16, -24))
	// A weight of 0 and an index outside take no part, also where there is NaN.
	bad := from(f32(nan, 2, inf), 3)
	same(t, "no part", run(t, backend.Resample{}, bad, index([]int{4, 2}, 0, 1, 1, 3, 1, -1, 2, 0), from(f32(0, 3, 1, nan, 1, inf, 0, 0), 4, 2))[0], f32(6, 2, 2, 0))
	same(t, "part", run(t, backend.Resample{}, bad, index([]int{3, 1}, 0, 2, 1), from(f32(1, 1, nan), 3, 1))[0], f32(nan, inf, nan))
	same(t, "no terms", run(t, backend.Resample{}, bad, index([]int{2, 0}), from(f32(), 2, 0))[0], f32(0, 0))
	same(t, "of none", run(t, backend.Resample{}, from(f32(), 0), index([]int{1, 1}, 0), from(f32(1), 1, 1))[0], f32(0))
}
