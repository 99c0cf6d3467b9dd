package backend

import "testing"

// Windows cover the dim in order, and Cost counts their elements.
func TestAdaptiveWindows(t *testing.T) {
	for n := 1; n < 20; n++ {
		for o := 1; o < 25; o++ {
			op := AdaptivePool{Out: shape{o}}
			reads, covered := 0, 0
			for i := range o {
				b, e := op.Window(i, n, o)
				if b > covered || e <= b || e < covered || e > n {
					t.Fatalf("%d to %d: window %d is %d to %d after %d", n, o, i, b, e, covered)
				}
				reads, covered = reads+e-b, e
			}
			if covered != n {
				t.Errorf("%d to %d: %d are covered", n, o, covered)
			}
			in := descs(shape{2, 3, n})
			if got, want := op.Cost(in, descs(shape{2, 3, o})).FLOPs, int64(6*reads); got != want {
				t.Errorf("%d to %d: cost: got %d FLOPs, want %d", n, o, got, want)
			}
		}
	}
}
