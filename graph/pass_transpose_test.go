package graph

import (
	"testing"

	"github.com/convgl/convgl/backend"
)

func TestPassTranspose(t *testing.T) {
	last := backend.Transpose{Perm: []int{0, 2, 3, 1}}  // N,C,H,W to N,H,W,C
	first := backend.Transpose{Perm: []int{0, 3, 1, 2}} // and back
	rows := func(b *builder) *Value { return b.input("x", Dims(-1, 8, 4, 3)) }
	testPass(t, "transpose", []passCase{
		{name: "composed", changes: 1, build: func(b *builder) {
			b.out("y", b.node("2", backend.Transpose{Perm: []int{1, 0, 2, 3}}, b.node("1", last, b.image(3))))
		}},
		{name: "three, one of which reverses", changes: 2, build: func(b *builder) {
			b.out("y", b.node("3", last, b.node("2", backend.Transpose{}, b.node("1", last, b.image(3)))))
		}},
		{name: "they cancel", changes: 1, build: func(b *builder) {
			b.out("y", b.node("2", first, b.node("1", last, b.image(3))))
		}},
		{name: "they cancel across elementwise ops", changes: 1, build: func(b *builder) {
			v := b.relu("relu", b.node("1", first, rows(b)))
			v = b.node("minus", backend.Binary{Fn: backend.Sub}, b.values("k", []int{1, 1}, 1), v)
			b.out("y", b.node("2", last, b.relu("relu2", v)))
		}},
		{name: "the first is read elsewhere", changes: 2, build: func(b *builder) {
			v := b.node("1", first, rows(b))
			b.out("y", b.node("2", last, b.relu("relu", v)))
			b.out("z", b.node("3", last, v))
			b.out("u", b.node("conv", backend.Conv{}, v, b.ints("w", 2, 3, 3, 3)))
		}},

		{name: "not: they do not cancel, with an op between", build: func(b *builder) {
			b.out("y", b.node("2", last, b.relu("relu", b.node("1", last, b.image(3)))))
		}},
		{name: "not: the op between is read elsewhere", build: func(b *builder) {
			v := b.relu("relu", b.node("1", first, rows(b)))
			b.out("y", b.node("2", last, v))
			b.out("z", b.relu("relu2", v))
		}},
		{name: "not: the op between is an output", build: func(b *builder) {
			v := b.relu("relu", b.node("1", first, rows(b)))
			b.out("y", b.node("2", last, v))
			b.out("z", v)
		}},
		{name: "not: the op between knows the dims", build: func(b *builder) {
			x := rows(b)
			b.out("y", b.node("2", last, b.node("softmax", backend.Softmax{Axis: 1}, b.node("1", first, x))))
			b.out("z", b.node("4", last, b.add("add", b.node("3", first, x), b.ints("k", 3, 1, 1))))
		}},
		{name: "not: a constant that enlarges", build: func(b *builder) {
			x := b.input("x", Dims(-1, 3))
			v := b.node("1", backend.Transpose{}, x)
			b.out("y", b.node("2", backend.Transpose{Perm: []int{0, 2, 1}}, b.add("add", v, b.values("k", []int{1, 1, 1}, 1))))
		}},
	})
}
