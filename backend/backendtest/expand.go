package backendtest

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

func expandProblems(short bool) []problem {
	var ps []problem
	for _, c := range []struct {
		name    string
		x       shape
		to      []int
		layouts bool
	}{
		{"scalar", shape{}, nil, false},
		{"scalar-to-vector", shape{}, shape{1000}, false},
		{"scalar-to-image", shape{}, shape{2, 5, 3, 4}, true},
		{"one-to-image", shape{1, 1, 1, 1}, shape{2, 5, 3, 4}, true},
		{"kept", shape{2, 5, 3, 4}, shape{1, 1}, true},
		{"images", shape{1, 5, 3, 4}, shape{3, 1, 1, 1}, true},
		{"channels", shape{2, 1, 3, 4}, shape{2, 6, 3, 4}, true},
		{"channels-aligned", shape{2, 1, 3, 4}, shape{2, 8, 1, 1}, true},
		{"channels-from-matrix", shape{3, 4}, shape{2, 6, 1, 1}, true},
		{"pixels", shape{2, 6, 1, 1}, shape{2, 6, 5, 7}, true},
		{"pixels-of-a-scale", shape{6, 1, 1}, shape{2, 6, 5, 7}, true},
		{"pixels-aligned", shape{2, 8, 1, 1}, shape{2, 8, 5, 7}, true},
		{"rows", shape{2, 5, 1, 7}, shape{4, 1}, true},
		{"columns", shape{2, 5, 6, 1}, shape{9}, true},
		{"columns-many", shape{3, 1}, shape{3, 6000}, false},
		{"columns-two", shape{200, 1}, shape{200, 2}, false},
		{"both", shape{3, 1, 5}, shape{2, 1, 4, 1}, true},
		{"twice-as-large", shape{2, 3, 4, 1, 5, 1}, shape{2, 3, 4, 2, 5, 2}, true}, // nearest neighbours
		{"three-times-as-large", shape{1, 2, 4, 1, 5, 1}, shape{1, 2, 4, 3, 5, 3}, false},
		{"volume", shape{2, 5, 1, 4, 1}, shape{2, 5, 3, 4, 2}, true},
		{"rank8", shape{2, 1, 3, 1, 2, 1, 2, 1}, shape{2, 2, 3, 2, 2, 3, 2, 3}, !short},
		{"large", shape{1, 24, 1, 1}, shape{2, 24, 37, 41}, true},
		{"to-nothing", shape{2, 1, 3, 4}, shape{2, 0, 3, 4}, true},
		{"of-nothing", shape{0, 5, 1, 4}, shape{0, 5, 3, 4}, false},
	} {
		ps = append(ps, copied(c.name, backend.Expand{Shape: c.to}, tensor.Float32, c.layouts, c.x...))
		if c.name == "channels" || c.name == "scalar-to-vector" || c.name == "columns" {
			ps = append(ps, copied(c.name+"-int32", backend.Expand{Shape: c.to}, tensor.Int32, c.layouts && !short, c.x...))
		}
	}
	return ps
}
