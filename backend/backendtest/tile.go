package backendtest

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

func tileProblems(short bool) []problem {
	var ps []problem
	for _, c := range []struct {
		name    string
		x       shape
		repeats []int
		layouts bool
	}{
		{"scalar", shape{}, nil, false},
		{"vector", shape{7}, shape{90}, false},
		{"one", shape{1}, shape{5000}, false},
		{"kept", shape{2, 5, 3, 4}, shape{1, 1, 1, 1}, true},
		{"images", shape{2, 5, 3, 4}, shape{3, 1, 1, 1}, true},
		{"channels", shape{2, 3, 3, 4}, shape{1, 2, 1, 1}, true}, // 6 of 8 lanes
		{"channels-one", shape{2, 1, 3, 4}, shape{1, 3, 1, 1}, true},
		{"channels-aligned", shape{2, 4, 3, 4}, shape{1, 3, 1, 1}, true},
		{"rows", shape{2, 5, 3, 4}, shape{1, 1, 2, 1}, true},
		{"columns", shape{2, 5, 3, 4}, shape{1, 1, 1, 3}, true},
		{"every-dim", shape{2, 3, 2, 3}, shape{2, 2, 3, 2}, true},
		{"matrix", shape{3, 5}, shape{4, 3}, false},
		{"1d", shape{2, 6, 5}, shape{1, 2, 3}, true},
		{"volume", shape{1, 3, 2, 3, 2}, shape{2, 2, 2, 2, 2}, true},
		{"rank8", shape{2, 1, 2, 1, 2, 1, 2, 3}, shape{1, 2, 2, 1, 2, 3, 2, 2}, !short},
		{"rank8-every-dim", shape{2, 2, 2, 2, 2, 2, 2, 2}, shape{2, 2, 2, 2, 2, 2, 2, 2}, !short},
		{"large", shape{1, 12, 17, 19}, shape{2, 1, 2, 3}, true},
		{"to-nothing", shape{2, 5, 3, 4}, shape{1, 1, 0, 2}, true},
		{"of-nothing", shape{0, 5, 3, 4}, shape{2, 1, 3, 2}, false},
	} {
		ps = append(ps, copied(c.name, backend.Tile{Repeats: c.repeats}, tensor.Float32, c.layouts, c.x...))
		if c.name == "channels" || c.name == "vector" {
			ps = append(ps, copied(c.name+"-int32", backend.Tile{Repeats: c.repeats}, tensor.Int32, c.layouts && !short, c.x...))
		}
	}
	return ps
}
