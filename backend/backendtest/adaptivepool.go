package backendtest

import (
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
)

func adaptivePoolProblems(bool) []problem {
	var ps []problem
	for _, c := range []struct {
		x, out shape
		layout bool
	}{
		{shape{2, 5, 11, 9}, shape{1, 1}, true},
		{shape{2, 5, 11, 9}, shape{2, 3}, true},
		{shape{1, 8, 7, 7}, shape{7, 7}, false},
		{shape{1, 70, 8, 12}, shape{4, 3}, false}, // windows that do not overlap
		{shape{1, 3, 4, 5}, shape{9, 7}, true},    // larger than x
		{shape{1, 4, 40, 41}, shape{1, 2}, false},
		{shape{2, 6, 13}, shape{5}, true},
		{shape{1, 3, 700}, shape{2}, false},
		{shape{2, 7, 3, 5, 4}, shape{2, 3, 3}, true},
		{shape{0, 3, 4, 4}, shape{2, 2}, false},
		{shape{2, 0, 4, 4}, shape{2, 2}, false},
	} {
		for _, mean := range []bool{false, true} {
			kind := map[bool]string{false: "max", true: "mean"}[mean]
			ps = append(ps, problem{
				name:    fmt.Sprintf("%s-%s-to-%s", kind, words(c.x...), words(c.out...)),
				d:       desc(backend.AdaptivePool{Out: c.out, Mean: mean}, backend.F32(c.x...)),
				layouts: c.layout,
				fills:   check.Fills(),
			})
		}
	}
	return ps
}

// words writes sizes as 2x3.
func words(sizes ...int) string {
	s := ""
	for i, n := range sizes {
		if i > 0 {
			s += "x"
		}
		s += fmt.Sprint(n)
	}
	return s
}
