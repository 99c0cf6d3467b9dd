package ref

import (
	"testing"

	"github.com/convgl/convgl/backend"
)

func TestGlobalPool(t *testing.T) {
	x := from(f32(1, 5, 2, 4, -1, -2, -3, -4, 0, nan, 9, 9, 7, -inf, 1, 1), 2, 2, 2, 2)
	same(t, "max", run(t, backend.GlobalPool{}, x)[0], f32(5, -1, nan, 7))
	same(t, "mean", run(t, backend.GlobalPool{Mean: true}, x)[0], f32(3, -2.5, nan, -inf))
	volume := from(f32(1, 2, 3, 4, 5, 6, 7, 8), 1, 1, 2, 2, 2)
	y := run(t, backend.GlobalPool{Mean: true}, volume)[0]
	same(t, "mean of a volume", y, f32(4.5))
	if got := y.Shape().String(); got != "[1,1,1,1,1]" {
		t.Errorf("shape: got %s", got)
	}
}

// A float32 sum of 2²⁴ ones and more stands still; the mean must not.
func TestGlobalPoolLongSum(t *testing.T) {
	const n = 1<<24 + 2048
	x := make([]float32, n)
	for i := range x {
		x[i] = 1
	}
	same(t, "mean", run(t, backend.GlobalPool{Mean: true}, from(x, 1, 1, n))[0], f32(1))
}
