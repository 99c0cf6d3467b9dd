package graph

import (
	"math"
	"testing"

	"github.com/convgl/convgl/backend"
)

func TestPassMerge(t *testing.T) {
	clip := func(lo, hi float32) backend.Activation {
		return backend.Activation{Act: backend.Act{Kind: backend.Clip, Alpha: lo, Beta: hi}}
	}
	inf := float32(math.Inf(1))
	testPass(t, "merge", []passCase{
		{name: "relu twice", changes: 1, build: func(b *builder) {
			b.out("y", b.relu("relu2", b.relu("relu1", b.image(3))))
		}},
		{name: "clamps that overlap", changes: 2, build: func(b *builder) {
			b.out("y", b.node("3", clip(-3, 2), b.relu("2", b.node("1", clip(-1, 6), b.image(3)))))
		}},
		{name: "clamps that do not overlap", changes: 2, build: func(b *builder) {
			x := b.image(3)
			b.out("above", b.node("2", clip(2, 4), b.node("1", clip(-1, 1), x)))
			b.out("below", b.node("4", clip(-4, -2), b.node("3", clip(-1, 1), x)))
		}},
		{name: "a clamp that is a relu", changes: 1, build: func(b *builder) {
			b.out("y", b.node("2", clip(0, inf), b.node("1", clip(-1, inf), b.image(3))))
		}},
		{name: "the first is read elsewhere", changes: 1, build: func(b *builder) {
			v := b.relu("1", b.image(3))
			b.out("y", b.add("sum", b.node("2", clip(-1, 2), v), v))
			b.out("z", v)
		}},
		{name: "reshapes", changes: 3, build: func(b *builder) {
			v := b.node("1", backend.Reshape{Shape: []int{0, 3, 4, 16}}, b.image(3))
			v = b.node("2", backend.Flatten{Axis: 2}, v)
			v = b.node("3", backend.Reshape{Shape: []int{-1, 12, 16}}, v)
			b.out("y", b.node("4", backend.Flatten{Axis: 1}, v))
		}},
		{name: "reshapes with two symbols", changes: 1, build: func(b *builder) {
			x := b.input("x", Shape{Symbol("N"), Static(4), Static(1), Symbol("W")})
			b.out("y", b.node("2", backend.Reshape{Shape: []int{0, 1, 4, 0}}, b.node("1", backend.Reshape{Shape: []int{0, 2, 2, 0}}, x)))
		}},
		{name: "pads of one value", changes: 1, build: func(b *builder) {
			p := b.node("1", backend.Pad{Pads: []int{0, 0, 1, 0, 0, 0, 2, 0}, Value: 5}, b.image(3))
			b.out("y", b.node("2", backend.Pad{Pads: []int{0, 1, 1, 0, 0, 0, 0, 3}, Value: 5}, p))
		}},
		{name: "slices", changes: 3, build: func(b *builder) {
			end := backend.SliceEnd
			x := b.input("x", Shape{Symbol("N"), Static(5), Symbol("H"), Static(20)})
			v := b.node("1", backend.Slice{Starts: []int{0, 4, 1, 2}, Ends: []int{end, -1, end - 1, 19}, Steps: []int{1, -1, 1, 3}}, x)   // W: 2, 5, 8, 11, 14, 17
			v = b.node("2", backend.Slice{Starts: []int{1, 1, 0, 5}, Ends: []int{end, 4, end, 0}, Steps: []int{1, 1, 1, -2}}, v)          // 17, 11, 5
			w := b.node("3", backend.Slice{Starts: []int{0, 0, 0, 2}, Ends: []int{end, end, end, -1}, Steps: []int{1, 2, 1, -1}}, v)      // 5, 11, 17
			b.out("y", b.node("4", backend.Slice{Starts: []int{0, 1, 0, 1}, Ends: []int{end, end, end, 3}, Steps: []int{1, 1, 1, 9}}, w)) // 11
			b.out("z", v)
		}},
		{name: "slices of nothing", changes: 1, build: func(b *builder) {
			v := b.node("1", backend.Slice{Starts: []int{0, 1, 2, 0}, Ends: []int{5, 1, 7, 8}}, b.input("x", Dims(5, 3, 8, 8)))
			b.out("y", b.node("2", backend.Slice{Starts: []int{1, 0, 6, 0}, Ends: []int{5, 3, 5, 8}}, v))
		}},

		{name: "not: slices of a size that is not known", build: func(b *builder) {
			end := backend.SliceEnd
			v := b.node("1", backend.Slice{Starts: []int{1, 0, 0, 0}, Ends: []int{end, end, end, end}}, b.image(3))
			b.out("y", b.node("2", backend.Slice{Starts: []int{0, 0, 0, 0}, Ends: []int{end - 1, end, end, end}}, v))
		}},
		{name: "not: activations that are no clamps", build: func(b *builder) {
			x := b.image(3)
			leaky := backend.Activation{Act: backend.Act{Kind: backend.LeakyRelu, Alpha: 0.5}}
			b.out("a", b.relu("2", b.node("1", leaky, x)))
			b.out("b", b.node("4", leaky, b.relu("3", x)))
		}},
		{name: "not: an op between", build: func(b *builder) {
			b.out("y", b.relu("2", b.add("sum", b.relu("1", b.image(3)), b.values("k", nil, 1))))
		}},
		{name: "not: flatten after a pool", build: func(b *builder) {
			b.out("y", b.node("flatten", backend.Flatten{Axis: 1}, b.node("pool", backend.GlobalPool{}, b.image(3))))
		}},
		{name: "not: two dims that only the first reshape knows", build: func(b *builder) {
			x := b.input("x", Shape{Symbol("N"), Static(4), Symbol("W")})
			b.out("y", b.node("2", backend.Reshape{Shape: []int{0, -1, 1}}, b.node("1", backend.Flatten{Axis: 2}, x)))
		}},
		{name: "not: a dim that is computed beside N, which may be 0", build: func(b *builder) {
			x := b.input("x", Shape{Symbol("N"), Static(4), Static(1), Symbol("W")})
			b.out("y", b.node("2", backend.Flatten{Axis: 1}, b.node("1", backend.Reshape{Shape: []int{0, 2, 2, 0}}, x)))
		}},
		{name: "not: pads of other values or modes", build: func(b *builder) {
			pads := []int{0, 0, 1, 0, 0, 0, 1, 0}
			p := b.node("1", backend.Pad{Pads: pads, Value: 5}, b.image(3))
			b.out("y", b.node("2", backend.Pad{Pads: pads}, p))
			b.out("z", b.node("3", backend.Pad{Pads: pads, Mode: backend.PadEdge, Value: 5}, p))
		}},
	})
}
