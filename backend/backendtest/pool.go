package backendtest

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
)

// windows are the pooling windows that both kinds of pooling are run with.
func windows() []struct {
	name string
	w    backend.Window
	ceil bool
	x    shape
} {
	return []struct {
		name string
		w    backend.Window
		ceil bool
		x    shape
	}{
		{"2x2", backend.Window{Kernel: shape{2, 2}, Strides: shape{2, 2}}, false, shape{2, 5, 8, 9}},
		{"4x4", backend.Window{Kernel: shape{4, 4}, Strides: shape{4, 4}}, false, shape{1, 1, 17, 23}},
		{"3x3-stride2-pad", backend.Window{Kernel: shape{3, 3}, Strides: shape{2, 2}, Pads: pads(2, 1)}, false, shape{1, 16, 9, 11}},
		{"3x3-stride1", backend.Window{Kernel: shape{3, 3}, Pads: pads(2, 1)}, false, shape{1, 3, 6, 14}},
		{"2x3-uneven", backend.Window{Kernel: shape{2, 3}, Strides: shape{1, 2}, Pads: shape{0, 1, 1, 2}}, false, shape{2, 4, 5, 8}},
		{"1x1", backend.Window{Kernel: shape{1, 1}, Strides: shape{2, 3}}, false, shape{1, 6, 5, 7}},
		{"ceil", backend.Window{Kernel: shape{3, 3}, Strides: shape{2, 2}}, true, shape{1, 4, 8, 10}},
		{"ceil-pad", backend.Window{Kernel: shape{3, 2}, Strides: shape{3, 2}, Pads: pads(2, 1)}, true, shape{1, 4, 8, 9}},
		{"stride-beyond-kernel", backend.Window{Kernel: shape{2, 2}, Strides: shape{3, 5}}, true, shape{1, 7, 9, 12}},
		{"dilated", backend.Window{Kernel: shape{3, 2}, Dilations: shape{2, 3}, Pads: shape{2, 1, 1, 2}}, false, shape{1, 4, 8, 9}},
		{"kernel-beyond-input", backend.Window{Kernel: shape{5, 6}, Pads: pads(2, 2)}, false, shape{1, 4, 2, 3}},
		{"outside", backend.Window{Kernel: shape{2, 2}, Strides: shape{2, 2}, Pads: pads(2, 3)}, false, shape{1, 5, 3, 4}},
		{"same-upper", backend.Window{Kernel: shape{3, 2}, Strides: shape{2, 2}, AutoPad: backend.SameUpper}, false, shape{1, 3, 8, 7}},
		{"same-lower", backend.Window{Kernel: shape{3, 2}, Strides: shape{2, 2}, AutoPad: backend.SameLower}, false, shape{1, 3, 8, 7}},
		{"1d", backend.Window{Kernel: shape{3}, Strides: shape{2}, Pads: shape{1, 0}}, false, shape{2, 6, 15}},
		{"3d", backend.Window{Kernel: shape{2, 2, 2}, Strides: shape{2, 2, 2}}, false, shape{1, 4, 4, 5, 6}},
		{"3d-uneven", backend.Window{Kernel: shape{3, 1, 2}, Strides: shape{2, 1, 1}, Pads: shape{1, 0, 0, 1, 0, 1}}, true, shape{2, 3, 5, 3, 6}},
		{"3d-outside", backend.Window{Kernel: shape{1, 3, 2}, Pads: shape{2, 1, 1, 1, 1, 0}}, false, shape{2, 3, 2, 5, 6}},
		{"no-images", backend.Window{Kernel: shape{2, 2}}, false, shape{0, 3, 4, 4}},
	}
}

func maxPoolProblems(bool) []problem {
	var ps []problem
	for _, w := range windows() {
		x := backend.F32(w.x...)
		layouts := w.name == "3x3-stride2-pad" || w.name == "outside" || w.name == "3d" || w.name == "3d-outside" || w.name == "1d"
		ps = append(ps,
			problem{name: w.name, d: desc(backend.MaxPool{Window: w.w, CeilMode: w.ceil}, x), layouts: layouts},
			problem{name: w.name + "-indices", d: desc(backend.MaxPool{Window: w.w, CeilMode: w.ceil, Indices: true}, x), layouts: layouts})
	}
	return ps
}

func avgPoolProblems(bool) []problem {
	var ps []problem
	for _, w := range windows() {
		x := backend.F32(w.x...)
		layouts := w.name == "3x3-stride2-pad" || w.name == "outside" || w.name == "3d" || w.name == "3d-outside"
		ps = append(ps, problem{name: w.name, d: desc(backend.AvgPool{Window: w.w, CeilMode: w.ceil}, x), layouts: layouts, fills: check.Fills()})
		if w.w.Pads != nil || w.ceil || w.w.AutoPad != 0 {
			ps = append(ps, problem{name: w.name + "-counted", d: desc(backend.AvgPool{Window: w.w, CeilMode: w.ceil, CountIncludePad: true}, x), layouts: layouts})
		}
	}
	return ps
}

func globalPoolProblems(bool) []problem {
	var ps []problem
	for _, x := range []struct {
		name string
		x    shape
	}{
		{"image", shape{2, 19, 7, 9}}, {"one", shape{1, 1, 1, 1}}, {"pixel", shape{3, 8, 1, 1}}, {"large", shape{1, 3, 64, 65}},
		{"1d", shape{2, 5, 33}}, {"3d", shape{1, 6, 3, 4, 5}}, {"no-images", shape{0, 6, 3, 4}},
	} {
		for _, mean := range []bool{false, true} {
			name := x.name + "-max"
			if mean {
				name = x.name + "-mean"
			}
			ps = append(ps, problem{name: name, d: desc(backend.GlobalPool{Mean: mean}, backend.F32(x.x...)), layouts: x.name == "image" || x.name == "3d", fills: check.Fills()})
		}
	}
	return ps
}
