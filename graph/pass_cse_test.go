package graph

import (
	"testing"

	"github.com/convgl/convgl/backend"
)

func TestPassCSE(t *testing.T) {
	testPass(t, "cse", []passCase{
		{name: "the same twice, and what follows", changes: 3, build: func(b *builder) {
			x, w := b.image(3), b.ints("w", 16, 3, 5, 5) // more than what is compared by content
			a, c := b.node("a", backend.Conv{}, x, w), b.node("c", backend.Conv{}, x, w)
			a, c = b.relu("a.relu", a), b.relu("c.relu", c)
			b.out("y", b.add("sum", a, c))
			b.out("z", b.add("sum2", c, a))
		}},
		{name: "the operands of a sum exchanged", changes: 2, build: func(b *builder) {
			x := b.image(3)
			y := b.relu("relu", x)
			b.out("a", b.add("1", x, y))
			b.out("b", b.add("2", y, x))
			b.out("c", b.node("3", backend.Binary{Fn: backend.Mul}, x, y))
			b.out("d", b.node("4", backend.Binary{Fn: backend.Mul}, y, x))
		}},
		{name: "small constants of one content", changes: 1, build: func(b *builder) {
			x := b.image(3)
			b.out("y", b.add("1", x, b.values("k", []int{3, 1, 1}, 1, 2, 3)))
			b.out("z", b.add("2", x, b.values("l", []int{3, 1, 1}, 1, 2, 3)))
		}},
		{name: "two outputs", changes: 1, build: func(b *builder) {
			x := b.image(3)
			op := backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2}}, Indices: true}
			for _, name := range []string{"1", "2"} {
				n, err := b.g.Apply(name, op, x)
				if err != nil {
					b.t.Fatal(err)
				}
				b.out("y"+name, n.Out()[0])
				b.out("i"+name, n.Out()[1])
			}
		}},

		{name: "not: other attributes", build: func(b *builder) {
			x := b.image(3)
			w := backend.Window{Kernel: []int{2, 2}}
			b.out("a", b.node("1", backend.MaxPool{Window: w}, x))
			b.out("b", b.node("2", backend.AvgPool{Window: w}, x))
			b.out("c", b.node("3", backend.AvgPool{Window: w, CeilMode: true}, x))
			b.out("d", b.relu("4", x))
			b.out("e", b.node("5", backend.Activation{Act: backend.Act{Kind: backend.Clip, Beta: 1}}, x))
			b.out("f", b.node("6", backend.Activation{Act: backend.Act{Kind: backend.Clip, Beta: 2}}, x))
		}},
		{name: "not: other large constants of one shape", build: func(b *builder) {
			x := b.image(3)
			b.out("y", b.node("1", backend.Conv{}, x, b.ints("w1", 16, 3, 5, 5)))
			b.out("z", b.node("2", backend.Conv{}, x, b.ints("w2", 16, 3, 5, 5)))
		}},
		{name: "not: other inputs", build: func(b *builder) {
			x := b.image(3)
			y := b.relu("relu", x)
			b.out("a", b.node("1", backend.Binary{Fn: backend.Sub}, x, y))
			b.out("b", b.node("2", backend.Binary{Fn: backend.Sub}, y, x))
			b.out("c", b.add("3", x, b.values("k", []int{1}, 1)))
			b.out("d", b.add("4", x, b.values("l", []int{1, 1}, 1)))
			b.out("e", b.add("5", x, b.values("m", []int{1}, 2)))
		}},
	})
}
