package check

import (
	"fmt"
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// resampleBound bounds sums of T products, as dotBounds does:
//
//	pass 4√T·u·B, fail γ_{T+2}·B, with B = Σ|w||x|
//
// Under Exact they are equal.
func resampleBound(d backend.Desc, f Fill, k int, in, want []*tensor.Tensor, ref Evaluator) ([]bound, error) {
	if f == Exact {
		for _, i := range []int{0, 2} {
			if err := wantIntegers(d.Op, []string{"x", "index", "weight"}[i], in[i]); err != nil {
				return nil, err
			}
		}
		if maxAbs(in[0])*maxAbs(in[2])*float64(k) > exactMax {
			return nil, fmt.Errorf("check: %s: exact fill: sums of %d terms may leave 2²⁴", d.Op.Kind(), k)
		}
		return []bound{{text: "exact"}}, nil
	}
	size, err := ref(d, []*tensor.Tensor{absolute(in[0]), in[1], absolute(in[2])})
	if err != nil {
		return nil, fmt.Errorf("check: reference on absolute values: %w", err)
	}
	b := size[0].Float32s()
	return []bound{eachBound(want[0], fmt.Sprintf("4√T·u·B, fail γ·B, T=%d", k), func(i int, y float64) (float64, float64) {
		m, own := float64(b[i]), U*math.Abs(y)+float64(k)*flushed
		return Usual(k)*m + own, Gamma(k+2)*m + own
	})}, nil
}
