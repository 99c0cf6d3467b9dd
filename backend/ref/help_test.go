package ref

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

var ctx = context.Background()

// open returns an open device that must hold nothing at the end of the test.
// New memory is poisoned.
func open(t testing.TB) backend.Backend {
	t.Helper()
	be, err := backend.Open("ref", backend.WithDebug())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := be.Close(); err != nil {
			t.Error(err)
		}
	})
	return be
}

func run(t testing.TB, op backend.Op, in ...*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	return runDesc(t, backend.DescOf(op, in...), in...)
}

func runDesc(t testing.TB, d backend.Desc, in ...*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	out, err := backend.RunDesc(ctx, open(t), d, in...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func f32(v ...float32) []float32 { return v }

func from[T tensor.Element](v []T, shape ...int) *tensor.Tensor {
	return tensor.Must(tensor.From(v, shape...))
}

// integers returns a tensor of small random integers, on which sums are exact.
func integers(r *rand.Rand, shape ...int) *tensor.Tensor {
	t := tensor.Must(tensor.New(tensor.Float32, shape...))
	for i := range t.Float32s() {
		t.Float32s()[i] = float32(r.IntN(9) - 4)
	}
	return t
}

// normals returns a tensor of normally distributed values.
func normals(r *rand.Rand, shape ...int) *tensor.Tensor {
	t := tensor.Must(tensor.New(tensor.Float32, shape...))
	for i := range t.Float32s() {
		t.Float32s()[i] = float32(r.NormFloat64())
	}
	return t
}

// same demands equality, with NaN equal to NaN.
func same(t testing.TB, what string, got *tensor.Tensor, want []float32) {
	t.Helper()
	g := got.Float32s()
	if len(g) != len(want) {
		t.Fatalf("%s: got %d elements, want %d", what, len(g), len(want))
	}
	for i := range g {
		if g[i] != want[i] && (g[i] == g[i] || want[i] == want[i]) {
			t.Fatalf("%s: element %d: got %v, want %v", what, i, g[i], want[i])
		}
	}
}

// near demands |got − want| ≤ atol + rtol·|want|, with equal infinities and NaN.
func near(t testing.TB, what string, got *tensor.Tensor, want []float32, rtol, atol float64) {
	t.Helper()
	g := got.Float32s()
	if len(g) != len(want) {
		t.Fatalf("%s: got %d elements, want %d", what, len(g), len(want))
	}
	for i := range g {
		a, b := float64(g[i]), float64(want[i])
		if a == b || a != a && b != b {
			continue
		}
		if !(math.Abs(a-b) <= atol+rtol*math.Abs(b)) || math.IsInf(b, 0) {
			t.Fatalf("%s: element %d: got %v, want %v", what, i, a, b)
		}
	}
}
