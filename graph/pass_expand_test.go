package graph

import (
	"testing"

	"github.com/convgl/convgl/backend"
)

func TestPassExpand(t *testing.T) {
	testPass(t, "expand", []passCase{
		{name: "a constant beside an image", changes: 2, build: func(b *builder) {
			k := b.node("expand", backend.Expand{Shape: []int{3, 8, 8}}, b.values("k", nil, 2))
			v := b.add("sum", b.image(3), k)
			b.out("y", b.node("product", backend.Binary{Fn: backend.Mul}, k, v))
		}},
		{name: "computed scales", changes: 1, build: func(b *builder) {
			x := b.image(3)
			s := b.node("expand", backend.Expand{Shape: []int{1, 8, 8}}, b.node("pool", backend.GlobalPool{}, x))
			b.out("y", b.node("scaled", backend.Binary{Fn: backend.Mul}, x, s))
			b.out("s", s) // needs it
		}},
		{name: "one of two", changes: 1, build: func(b *builder) {
			b.out("y", b.add("sum", b.node("1", backend.Expand{Shape: []int{3, 4}}, b.ints("a", 3, 1)), b.node("2", backend.Expand{Shape: []int{3, 4}}, b.ints("b", 1, 1))))
		}},
		{name: "a choice", changes: 2, build: func(b *builder) {
			x := b.image(3)
			c := b.node("mask", backend.Expand{Shape: []int{8, 8}}, b.values("c", []int{8, 1}, 1, 0, 0, 1))
			b.out("y", b.node("where", backend.Where{}, c, x, b.node("zeros", backend.Expand{Shape: []int{1, 3, 1, 8}}, b.values("zero", nil, 0))))
		}},

		{name: "not: what makes the result larger", build: func(b *builder) {
			b.out("y", b.add("sum", b.node("expand", backend.Expand{Shape: []int{3, 4}}, b.ints("a", 3, 1)), b.ints("b", 3, 1)))
			b.out("z", b.add("dims", b.node("expand2", backend.Expand{Shape: []int{1, 3, 1}}, b.ints("c", 3, 1)), b.ints("d", 3, 1)))
		}},
		{name: "not: an op that wants it", build: func(b *builder) {
			b.out("y", b.relu("relu", b.node("expand", backend.Expand{Shape: []int{3, 4}}, b.ints("a", 3, 1))))
			b.out("z", b.node("product", backend.MatMul{}, b.ints("m", 2, 3), b.node("expand2", backend.Expand{Shape: []int{3, 4}}, b.ints("b", 3, 1))))
		}},
	})
}
