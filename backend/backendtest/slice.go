package backendtest

import (
	"fmt"
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// copied makes a problem of an op that copies elements of one type.
func copied(name string, op backend.Op, t tensor.DType, layouts bool, x ...int) problem {
	return problem{
		name: name, layouts: layouts, fills: []check.Fill{check.Exact, check.Special},
		d: backend.Desc{Op: op, In: []backend.TensorDesc{{DType: t, Shape: x}}},
	}
}

func sliceProblems(short bool) []problem {
	end := backend.SliceEnd
	// take is a slice of x from ranges of start, end and step, of the last dims.
	take := func(x shape, ranges ...[3]int) backend.Slice {
		s := backend.Slice{Starts: make(shape, len(x)), Ends: make(shape, len(x)), Steps: make(shape, len(x))}
		for i := range x {
			s.Ends[i], s.Steps[i] = end, 1
			if k := i - len(x) + len(ranges); k >= 0 {
				s.Starts[i], s.Ends[i], s.Steps[i] = ranges[k][0], ranges[k][1], ranges[k][2]
			}
		}
		return s
	}
	all := [3]int{0, end, 1}
	back := [3]int{end, -1, -1}
	var ps []problem
	for _, c := range []struct {
		name    string
		x       shape
		ranges  [][3]int
		layouts bool
	}{
		{"all", shape{2, 6, 3, 5}, nil, true},
		{"images", shape{5, 6, 3, 4}, [][3]int{{1, 3, 1}, all, all, all}, true},
		{"images-one", shape{3, 7, 3, 4}, [][3]int{{2, 3, 1}, all, all, all}, true},
		{"images-every-second", shape{5, 7, 3, 4}, [][3]int{{0, end, 2}, all, all, all}, true},
		// Channels of which the first and the number are multiples of four, or not.
		{"channels-first-half", shape{2, 16, 3, 5}, [][3]int{{0, 8, 1}, all, all}, true},
		{"channels-second-half", shape{2, 16, 3, 5}, [][3]int{{8, end, 1}, all, all}, true},
		{"channels-odd", shape{2, 13, 3, 5}, [][3]int{{3, 10, 1}, all, all}, true},
		{"channels-aligned-odd", shape{2, 13, 3, 5}, [][3]int{{4, 10, 1}, all, all}, true},
		{"channels-to-the-end", shape{2, 13, 3, 5}, [][3]int{{8, end, 1}, all, all}, true},
		{"channels-unaligned", shape{2, 16, 3, 5}, [][3]int{{2, 10, 1}, all, all}, true},
		{"channels-one", shape{2, 7, 3, 5}, [][3]int{{5, 6, 1}, all, all}, true},
		{"channels-of-one", shape{2, 1, 3, 5}, [][3]int{{0, 1, 1}, {1, 3, 1}, all}, true},
		{"channels-steps", shape{2, 11, 3, 5}, [][3]int{{1, end, 3}, all, all}, true},
		{"channels-back", shape{2, 6, 3, 5}, [][3]int{back, all, all}, true},
		{"crop", shape{2, 6, 7, 9}, [][3]int{all, {1, 6, 1}, {2, 7, 1}}, true},
		{"width", shape{2, 5, 4, 9}, [][3]int{{1, 8, 1}}, true},
		{"focus", shape{2, 3, 8, 6}, [][3]int{{1, end, 2}, {0, end, 2}}, true},
		{"steps", shape{2, 8, 7, 9}, [][3]int{{1, 7, 3}, {8, 1, -2}}, true},
		{"flipped", shape{2, 4, 5, 7}, [][3]int{back}, true},
		{"flipped-both", shape{2, 3, 5, 7}, [][3]int{back, back}, true},
		{"all-back", shape{2, 4, 3, 5}, [][3]int{back, back, back, back}, true},
		{"all-back-by-two", shape{3, 4, 3, 5}, [][3]int{{end, -1, -2}, {end, -1, -2}, {end, -1, -2}, {end, -1, -2}}, true},
		{"steps-beyond", shape{3, 8, 5, 7}, [][3]int{{1, end, 9}, {4, end, 1 << 40}, {3, -1, -6}, {2, -1, math.MinInt}}, true},
		{"one-element", shape{3, 5, 4, 6}, [][3]int{{1, 2, 1}, {4, 5, 1}, {2, 3, 1}, {3, 4, 1}}, true},
		{"vector", shape{300}, [][3]int{{7, 290, 1}}, false},
		{"vector-begin", shape{301}, [][3]int{{0, 296, 1}}, false}, // whole vectors, which x is not
		{"vector-back", shape{300}, [][3]int{{290, 3, -1}}, false},
		{"vector-steps", shape{300}, [][3]int{{5, 299, 7}}, false},
		{"matrix", shape{17, 40}, [][3]int{{3, 15, 1}, {5, 37, 1}}, false},
		{"matrix-rows", shape{17, 40}, [][3]int{{15, 3, -4}, all}, false},
		{"1d", shape{2, 6, 33}, [][3]int{{1, 5, 1}, {3, 30, 1}}, true},
		{"volume", shape{2, 6, 3, 4, 5}, [][3]int{{2, 6, 1}, {0, 3, 2}, {1, 4, 1}, back}, true},
		{"rank6", shape{2, 3, 2, 4, 2, 3}, [][3]int{{1, 2, 1}, {2, 0, -1}, all, {0, 4, 3}, all, {1, 3, 1}}, true},
		{"scalar", shape{}, nil, false},
		{"rank8", shape{2, 3, 1, 2, 2, 3, 2, 3}, [][3]int{all, {1, 3, 1}, all, back, all, {0, 3, 2}, all, {2, -1, -2}}, !short},
		{"large", shape{1, 64, 40, 40}, [][3]int{{32, 64, 1}, all, all}, true},
		{"large-crop", shape{2, 24, 33, 57}, [][3]int{all, {3, 31, 1}, {9, 50, 1}}, !short},
		{"nothing", shape{2, 5, 4, 6}, [][3]int{{3, 3, 1}, all, all}, true},
		{"nothing-back", shape{2, 5, 4, 6}, [][3]int{{1, 4, -1}}, false},
		{"of-nothing", shape{0, 5, 4, 6}, [][3]int{{2, 4, 1}, all, back}, true},
	} {
		op := take(c.x, c.ranges...)
		ps = append(ps, copied(c.name, op, tensor.Float32, c.layouts, c.x...))
		if c.name == "channels-odd" || c.name == "all-back" || c.name == "vector" {
			ps = append(ps, copied(c.name+"-int32", op, tensor.Int32, c.layouts && !short, c.x...))
		}
	}
	// Parts at every place of a pixel's vectors.
	for _, first := range []int{0, 1, 4, 5} {
		for _, n := range []int{1, 3, 4, 5, 8} {
			if short && first+n != 9 {
				continue
			}
			ps = append(ps, copied(fmt.Sprintf("channels-%d-from-%d", n, first), take(shape{1, 13, 3, 3}, [3]int{first, first + n, 1}, all, all), tensor.Float32, true, 1, 13, 3, 3))
		}
	}
	return ps
}
