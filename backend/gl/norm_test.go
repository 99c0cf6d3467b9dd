//go:build cgo

package gl

import (
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
)

// Slices around the length from which they are cut, narrow and wide groups, and
// every order of invocations, in every layout.
func TestNorms(t *testing.T) {
	families(t, func(t *testing.T, be *Backend) {
		for _, s := range [][]int{{3, 6}, {2, 8, 32}, {2, 8, 65}, {1, 30, 3, 5}, {1, 16, 9, 9}, {1, 20, 26, 5}, {2, 6, 3, 4, 5}} {
			c := backend.F32(s[1])
			for _, l := range append([]backend.Layout{backend.Any}, layouts...) {
				for _, groups := range []int{1, 2, s[1] / 2, s[1]} {
					d := backend.Desc{Op: backend.GroupNorm{Groups: groups, Epsilon: 1e-5}, In: []backend.TensorDesc{laid(l, s...), c, c}}
					judge(t, be, d, check.Exact, 1)
					judge(t, be, d, check.Adversarial, 2)
				}
				for axis := 1; axis < len(s); axis++ {
					a := backend.F32(s[axis:]...)
					d := backend.Desc{Op: backend.LayerNorm{Axis: axis, Epsilon: 1e-5}, In: []backend.TensorDesc{laid(l, s...), a, a}}
					judge(t, be, d, check.Exact, 3)
					judge(t, be, d, check.Adversarial, 4)
				}
			}
		}
	})
}
