package graph

import (
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// matMulToDense makes a Dense of a MatMul by a constant matrix [K,M], whose weights
// are the matrix transposed: a Dense packs its weights and has a bias and an
// epilogue. A row vector has no Dense. Dims of 1 before the matrix change nothing
// where the rank stays.
func matMulToDense(g *Graph, _ *options) (int, error) {
	count := 0
	weights := map[*Value]*Value{} // one matrix may serve several nodes
	for _, n := range g.nodes {
		if _, ok := n.op.(backend.MatMul); !ok {
			continue
		}
		x, b := n.in[0], n.in[1]
		rank := len(b.shape)
		if b.konst == nil || rank < 2 || len(x.shape) < max(2, rank) || b.konst.Size() == 0 {
			continue
		}
		k, m := b.sizes[0][rank-2], b.sizes[0][rank-1]
		if b.konst.Size() != k*m {
			continue
		}
		if weights[b] == nil {
			weights[b] = g.addConst(b.name, transposed(b.konst.Float32s(), k, m))
		}
		if err := g.become(n, backend.Dense{}, x, weights[b]); err != nil {
			return count, err
		}
		count++
	}
	return count, nil
}

// transposed returns the m×k transpose of a k×m matrix.
func transposed(a []float32, k, m int) *tensor.Tensor {
	d := slices.Clone(a)
	for i := range k {
		for j := range m {
			d[j*k+i] = a[i*m+j]
		}
	}
	return tensor.Must(tensor.From(d, m, k))
}
