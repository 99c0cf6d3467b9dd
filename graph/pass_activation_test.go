package graph

import (
	"math"
	"testing"

	"github.com/convgl/convgl/backend"
)

func TestPassActivation(t *testing.T) {
	act := func(k backend.ActKind) backend.Op { return backend.Activation{Act: backend.Act{Kind: k}} }
	clip := backend.Activation{Act: backend.Act{Kind: backend.Clip, Beta: 6}}
	add, mul, div := backend.Binary{Fn: backend.Add}, backend.Binary{Fn: backend.Mul}, backend.Binary{Fn: backend.Div}
	one := func(b *builder, name string, v float32) *Value { return b.values(name, nil, v) }
	const tolerance = 1e-6
	testPass(t, "activation", []passCase{
		{name: "silu", changes: 2, tolerance: tolerance, build: func(b *builder) {
			x := b.image(3)
			b.out("y", b.node("y", mul, x, b.node("s", act(backend.Sigmoid), x)))
			b.out("z", b.node("z", mul, b.node("s2", act(backend.Sigmoid), x), x))
		}},
		{name: "mish", changes: 1, tolerance: tolerance, build: func(b *builder) {
			x := b.image(3)
			b.out("y", b.node("y", mul, x, b.node("t", act(backend.Tanh), b.node("s", act(backend.Softplus), x))))
		}},
		{name: "hard swish", changes: 3, tolerance: tolerance, build: func(b *builder) {
			x := b.image(3)
			gate := b.node("c", clip, b.node("a", add, x, one(b, "3", 3)))
			b.out("y", b.node("y", div, b.node("m", mul, x, gate), one(b, "6", 6)))
			b.out("z", b.node("z", mul, x, b.node("d", mul, gate, one(b, "sixth", 1.0/6))))
			hard := backend.Activation{Act: backend.Act{Kind: backend.HardSigmoid, Alpha: 1.0 / 6, Beta: 0.5}}
			b.out("w", b.node("w", mul, b.node("h", hard, x), x))
		}},
		{name: "gelu", changes: 2, tolerance: tolerance, build: func(b *builder) {
			x := b.image(3)
			gate := b.node("a", add, b.node("e", act(backend.Erf), b.node("d", div, x, one(b, "r2", math.Sqrt2))), one(b, "1", 1))
			b.out("y", b.node("y", mul, b.node("m", mul, x, gate), one(b, "half", 0.5)))
			b.out("z", b.node("z", mul, b.node("h", mul, x, one(b, "half2", 0.5)), gate))
		}},
		{name: "the parts are outputs", changes: 1, tolerance: tolerance, build: func(b *builder) {
			x := b.image(3)
			s := b.node("s", act(backend.Sigmoid), x)
			b.out("s", s)
			b.out("y", b.node("y", mul, x, s))
		}},

		{name: "not: another input", tolerance: tolerance, build: func(b *builder) {
			x, y := b.image(3), b.input("other", Dims(-1, 3, 8, 8))
			b.out("y", b.node("y", mul, x, b.node("s", act(backend.Sigmoid), y)))
		}},
		{name: "not: other numbers", tolerance: tolerance, build: func(b *builder) {
			x := b.image(3)
			b.out("y", b.node("y", mul, x, b.node("m", mul, b.node("s", act(backend.Sigmoid), x), one(b, "2", 2))))
			gate := b.node("c", clip, b.node("a", add, x, one(b, "4", 4)))
			b.out("z", b.node("z", div, b.node("n", mul, x, gate), one(b, "6", 6)))
			b.out("w", b.node("w", div, x, b.node("s2", act(backend.Sigmoid), x)))
		}},
		{name: "not: a product that broadcasts", tolerance: tolerance, build: func(b *builder) {
			x := b.input("x", Dims(-1, 3, 1, 1))
			s := b.node("s", act(backend.Sigmoid), x)
			b.out("y", b.node("y", mul, x, b.node("m", mul, s, b.values("c", []int{1, 1, 2, 2}, 1))))
			b.out("z", b.node("z", mul, x, b.node("n", mul, s, b.values("d", []int{1, 1, 1, 1, 1}, 1))))
		}},
	})
}
