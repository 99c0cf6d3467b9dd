package ref

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

func TestMatMul(t *testing.T) {
	m := from(f32(1, 2, 3, 4), 2, 2)
	for _, c := range []struct {
		name  string
		a, b  *tensor.Tensor
		y     []float32
		shape string
	}{
		{"matrices", m, from(f32(5, 6, 7, 8), 2, 2), f32(19, 22, 43, 50), "[2,2]"},
		{"row", from(f32(1, 10), 2), m, f32(31, 42), "[2]"},
		{"column", m, from(f32(1, 10), 2), f32(21, 43), "[2]"},
		{"row and column", from(f32(1, 10), 2), from(f32(3, 4), 2), f32(43), "[]"},
		{"broadcast", from(f32(1, 2, 3), 3, 1, 1, 1), from(f32(10, 20), 2, 1, 1), f32(10, 20, 20, 40, 30, 60), "[3,2,1,1]"},
		{"nothing to sum", tensor.Must(tensor.New(tensor.Float32, 2, 0)), tensor.Must(tensor.New(tensor.Float32, 0, 1)), f32(0, 0), "[2,1]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			y := run(t, backend.MatMul{}, c.a, c.b)[0]
			same(t, "y", y, c.y)
			if got := y.Shape().String(); got != c.shape {
				t.Errorf("shape: got %s, want %s", got, c.shape)
			}
		})
	}
}

func TestMatMulAgainstGonum(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	a, b := normals(r, 3, 1, 5, 40), normals(r, 2, 40, 7)
	y := run(t, backend.MatMul{}, a, b)[0]
	for i := range 3 {
		for j := range 2 {
			want := gemm(from(a.Float32s()[i*200:][:200], 5, 40), from(b.Float32s()[j*280:][:280], 40, 7), blas.NoTrans, 5, 40, 7)
			near(t, "y", from(y.Float32s()[(i*2+j)*35:][:35], 5, 7), want, 1e-6, 1e-9)
		}
	}
}
