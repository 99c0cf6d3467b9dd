package backendtest

import (
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
)

func resizeProblems(bool) []problem {
	var ps []problem
	for _, c := range []struct {
		name   string
		x      shape
		size   []int
		scales []float64
		layout bool
	}{
		{"double", shape{2, 5, 4, 6}, nil, []float64{2, 2}, true},
		{"half", shape{1, 8, 8, 6}, nil, []float64{0.5, 0.5}, false}, // half-pixel coordinates are ties
		{"odd", shape{1, 3, 9, 10}, shape{7, 23}, nil, true},
		{"same", shape{1, 4, 5, 5}, shape{5, 5}, nil, false},
		{"one", shape{1, 6, 5, 4}, shape{1, 1}, nil, false},
		{"from-one", shape{1, 7, 1, 1}, shape{4, 3}, nil, false},
		{"fraction", shape{1, 5, 7, 9}, nil, []float64{0.6, 1.7}, false}, // sizes that are not whole
		{"third", shape{1, 2, 9, 30}, nil, []float64{1.0 / 3, 0.1}, false},
		{"channels", shape{1, 67, 3, 3}, shape{5, 4}, nil, false},
		{"1d", shape{2, 6, 11}, shape{17}, nil, true},
		{"1d-long", shape{1, 1, 5000}, shape{7001}, nil, false},
		{"3d", shape{1, 5, 3, 4, 2}, nil, []float64{2, 2, 2}, true},
		{"3d-odd", shape{2, 4, 5, 3, 4}, shape{3, 7, 5}, nil, false},
		{"no-images", shape{0, 3, 4, 4}, shape{7, 7}, nil, false},
		{"no-channels", shape{2, 0, 4, 4}, shape{7, 7}, nil, false},
	} {
		for _, mode := range []backend.ResizeMode{backend.ResizeNearest, backend.ResizeLinear} {
			for _, coord := range []backend.CoordMode{backend.HalfPixel, backend.AlignCorners, backend.Asymmetric} {
				p := problem{
					name:    fmt.Sprintf("%s-%v-%v", c.name, mode, coord),
					d:       desc(backend.Resize{Size: c.size, Scales: c.scales, Mode: mode, Coord: coord}, backend.F32(c.x...)),
					layouts: c.layout && coord == backend.HalfPixel,
				}
				if mode == backend.ResizeLinear {
					p.fills = check.Fills()
				}
				ps = append(ps, p)
			}
		}
	}
	return ps
}
