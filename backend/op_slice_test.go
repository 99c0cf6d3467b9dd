package backend

import (
	"slices"
	"testing"
)

// Range takes the positions that one finds by walking from the start to the end.
func TestSliceRange(t *testing.T) {
	for n := range 6 {
		var at []int
		for p := range n + 4 {
			at = append(at, p, SliceEnd-p)
		}
		resolve := func(p int) int { // without limits
			if p > SliceEnd-100 {
				return n - (SliceEnd - p)
			}
			return p
		}
		for step := -n - 2; step <= n+2; step++ {
			if step == 0 {
				continue
			}
			points := at
			if step < 0 {
				points = append(slices.Clone(at), -1)
			}
			for _, start := range points {
				for _, end := range points {
					var want []int
					lo, hi := resolve(start), resolve(end)
					if step > 0 {
						for p := max(lo, 0); p < min(hi, n); p += step {
							want = append(want, p)
						}
					} else {
						for p := min(lo, n-1); p > max(hi, -1); p += step {
							want = append(want, p)
						}
					}
					s := Slice{Starts: []int{start}, Ends: []int{end}, Steps: []int{step}}
					first, size, distance := s.Range(0, n)
					var got []int
					for i := range size {
						got = append(got, first+i*distance)
					}
					if !slices.Equal(got, want) {
						t.Errorf("%+v of %d: got %v, want %v", s, n, got, want)
					}
				}
			}
		}
	}
}
