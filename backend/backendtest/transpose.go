package backendtest

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

func transposeProblems(bool) []problem {
	var ps []problem
	for _, c := range []struct {
		name    string
		x       shape
		perm    []int
		layouts bool
	}{
		{"scalar", shape{}, nil, false},
		{"vector", shape{9}, nil, false},
		{"matrix", shape{37, 53}, nil, false},
		{"matrix-kept", shape{5, 8}, shape{0, 1}, false},
		{"batch", shape{3, 20, 17}, shape{0, 2, 1}, true},
		{"to-channels-last", shape{2, 5, 4, 6}, shape{0, 2, 3, 1}, true},
		{"to-channels-first", shape{2, 4, 6, 5}, shape{0, 3, 1, 2}, true},
		{"images-and-channels", shape{3, 6, 4, 5}, shape{1, 0, 2, 3}, true},
		{"spatial", shape{2, 8, 4, 6}, shape{0, 1, 3, 2}, true},
		{"spatial-odd", shape{2, 7, 4, 6}, shape{0, 1, 3, 2}, true},
		{"kept", shape{2, 7, 4, 3}, shape{0, 1, 2, 3}, true},
		{"reversed", shape{2, 3, 4, 5}, nil, true},
		{"volume", shape{2, 5, 3, 2, 4}, shape{4, 2, 0, 3, 1}, true},
		{"shuffle", shape{2, 2, 6, 3, 4}, shape{0, 2, 1, 3, 4}, false}, // of channels in groups
		{"rank6", shape{2, 3, 1, 4, 2, 3}, shape{5, 0, 3, 2, 4, 1}, true},
		{"rank6-window", shape{1, 4, 4, 2, 4, 2}, shape{0, 1, 3, 5, 2, 4}, false},
		{"large", shape{1, 64, 28, 28}, shape{0, 2, 3, 1}, false},
		{"no-images", shape{0, 3, 4}, shape{2, 1, 0}, false},
	} {
		for _, t := range []tensor.DType{tensor.Float32, tensor.Int32} {
			if t == tensor.Int32 && c.name != "matrix" && c.name != "reversed" {
				continue
			}
			name := c.name
			if t == tensor.Int32 {
				name += "-int32"
			}
			ps = append(ps, problem{
				name: name, layouts: c.layouts, fills: []check.Fill{check.Exact, check.Special},
				d: backend.Desc{Op: backend.Transpose{Perm: c.perm}, In: []backend.TensorDesc{{DType: t, Shape: c.x}}},
			})
		}
	}
	return ps
}
