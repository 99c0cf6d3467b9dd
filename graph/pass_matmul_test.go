package graph

import (
	"testing"

	"github.com/convgl/convgl/backend"
)

func TestPassMatMul(t *testing.T) {
	mm := backend.MatMul{}
	testPass(t, "matmul", []passCase{
		{name: "matrix", changes: 1, build: func(b *builder) {
			b.out("y", b.node("mm", mm, b.input("x", Dims(-1, 3)), b.ints("w", 3, 5)))
		}},
		{name: "more dims", changes: 2, build: func(b *builder) {
			x := b.input("x", Dims(-1, 4, 3))
			b.out("y", b.node("mm", mm, x, b.ints("w", 3, 5)))
			b.out("z", b.node("mm2", mm, x, b.ints("w2", 1, 3, 5)))
		}},
		{name: "a matrix that two share", changes: 2, build: func(b *builder) {
			x, w := b.input("x", Dims(-1, 3)), b.ints("w", 3, 3)
			b.out("y", b.node("mm2", mm, b.node("mm1", mm, x, w), w))
		}},

		{name: "not: not constant", build: func(b *builder) {
			b.out("y", b.node("mm", mm, b.input("x", Dims(-1, 3)), b.input("w", Dims(3, 5))))
		}},
		{name: "not: the constant on the left", build: func(b *builder) {
			b.out("y", b.node("mm", mm, b.ints("w", 4, 3), b.input("x", Dims(3, 5))))
		}},
		{name: "not: vectors", build: func(b *builder) {
			b.out("y", b.node("row", mm, b.input("x", Dims(3)), b.ints("w", 3, 5)))
			b.out("z", b.node("column", mm, b.input("x2", Dims(-1, 3)), b.ints("v", 3)))
		}},
		{name: "not: a batch of matrices", build: func(b *builder) {
			b.out("y", b.node("mm", mm, b.input("x", Dims(2, 4, 3)), b.ints("w", 2, 3, 5)))
			b.out("z", b.node("rank", mm, b.input("x2", Dims(4, 3)), b.ints("w2", 1, 3, 5)))
		}},
		{name: "not: nothing to sum", build: func(b *builder) {
			b.out("y", b.node("mm", mm, b.input("x", Dims(-1, 0)), b.ints("w", 0, 5)))
		}},
	})
}
