package ref

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

func TestDense(t *testing.T) {
	x, w, b := from(f32(1, 2, 3, 4, 5, 6), 2, 3), from(f32(1, 0, -1, 2, 2, 2), 2, 3), from(f32(10, 20), 2)
	same(t, "y", run(t, backend.Dense{}, x, w)[0], f32(-2, 12, -2, 30))
	same(t, "y with bias", run(t, backend.Dense{Bias: true}, x, w, b)[0], f32(8, 32, 8, 50))
	y := run(t, backend.Dense{}, tensor.Must(x.Reshape(2, 1, 3)), w)[0]
	same(t, "y of rank 3", y, f32(-2, 12, -2, 30))
	if got := y.Shape().String(); got != "[2,1,2]" {
		t.Errorf("shape: got %s", got)
	}
}

func TestDenseAgainstGonum(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, s := range [][3]int{{1, 1, 1}, {3, 17, 5}, {8, 200, 31}} {
		n, k, o := s[0], s[1], s[2]
		x, w := normals(r, n, k), normals(r, o, k)
		near(t, "y", run(t, backend.Dense{}, x, w)[0], gemm(x, w, blas.Trans, n, k, o), 1e-6, 1e-9)
	}
}

// gemm returns a·b or a·bᵀ, computed by gonum in float64, for a [m,k].
func gemm(a, b *tensor.Tensor, transB blas.Transpose, m, k, n int) []float32 {
	ga := blas64.General{Rows: m, Cols: k, Stride: k, Data: float64s(a.Float32s())}
	gb := blas64.General{Rows: k, Cols: n, Stride: n, Data: float64s(b.Float32s())}
	if transB == blas.Trans {
		gb.Rows, gb.Cols, gb.Stride = n, k, k
	}
	gy := blas64.General{Rows: m, Cols: n, Stride: n, Data: make([]float64, m*n)}
	blas64.Gemm(blas.NoTrans, transB, 1, ga, gb, 0, gy)
	y := make([]float32, len(gy.Data))
	for i, v := range gy.Data {
		y[i] = float32(v)
	}
	return y
}
