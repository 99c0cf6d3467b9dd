//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
)

// texelOf is the format of a view of elements of 1 or 4 floats.
func texelOf(vec int) device.Texel {
	if vec == 4 {
		return device.RGBA32F
	}
	return device.R32F
}

// memoryDim returns where dim d of t's shape stands among its dims in memory.
func memoryDim(t backend.TensorDesc, d int) int {
	if t.Layout.Order != backend.OrderChannelsLast || len(t.Shape) < 2 || d == 0 {
		return d
	}
	if d == 1 {
		return len(t.Shape) - 1
	}
	return d - 1
}

// memoryOrder lists the dims of t as they lie in memory, innermost first.
func memoryOrder(t backend.TensorDesc) []int {
	order := make([]int, len(t.Shape))
	for d := range t.Shape {
		order[len(order)-1-memoryDim(t, d)] = d
	}
	return order
}

// liesPlain reports whether t's layout, which is settled, stores it as the plain
// one does.
func liesPlain(t backend.TensorDesc) bool {
	if t.Layout.Order != backend.OrderChannelsLast || len(t.Shape) < 2 {
		return true
	}
	if channels, lanes := padding(t); channels != lanes {
		return false
	}
	return t.Shape[1] == 1 || t.Shape[2:].Size() == 1
}

// mustBePlain settles t on Plain; another layout is as good if it stores t in the
// same way. Arg names t.
func (p *plan) mustBePlain(t *backend.TensorDesc, arg string) error {
	if settle(t, backend.Plain) || liesPlain(*t) {
		return nil
	}
	return p.unsupported("%s: layout %v: want %v (insert a Reorder)", arg, t.Layout, backend.Plain)
}

// axis is a dim of a result that operands are read along.
type axis struct {
	size    int
	strides []int // distance of neighbours in each operand; 0 where it stretches
}

// loop is an axis for one or two operands.
type loop struct {
	size int
	a, b int
}

// joinedAxes merges axes, innermost first, that one counter can run through, and
// drops those of size 1. The first keep stay as they are. There is at least one.
func joinedAxes(axes []axis, keep int) []axis {
	var r []axis
	for i, l := range axes {
		if i >= keep && l.size == 1 {
			continue
		}
		if n := len(r); n > keep {
			in := &r[n-1]
			follows := true
			for k, st := range l.strides {
				follows = follows && st == in.size*in.strides[k]
			}
			if follows {
				in.size *= l.size
				continue
			}
		}
		r = append(r, l)
	}
	if len(r) == 0 {
		r = []axis{{1, make([]int, len(axes[0].strides))}}
	}
	return r
}

// joined is joinedAxes for loops.
func joined(loops []loop, keep int) []loop {
	axes := make([]axis, len(loops))
	for i, l := range loops {
		axes[i] = axis{l.size, []int{l.a, l.b}}
	}
	if len(axes) == 0 {
		return []loop{{size: 1}}
	}
	var r []loop
	for _, a := range joinedAxes(axes, keep) {
		r = append(r, loop{a.size, a.strides[0], a.strides[1]})
	}
	return r
}

// uniformsOf lists loops as lib/divide.glsl and the shaders with DIMS want them.
func uniformsOf(loops []loop) []int {
	var u []int
	for _, l := range loops {
		m, s := divisor(l.size)
		u = append(u, l.size, m, s, l.a, l.b)
	}
	return u
}
