package graph

import (
	"math"
	"testing"

	"github.com/convgl/convgl/backend"
)

func TestPassPadFold(t *testing.T) {
	pads := []int{0, 0, 1, 2, 0, 0, 0, 1}
	begin := []int{0, 0, 1, 1, 0, 0, 0, 0}
	win := backend.Window{Kernel: []int{3, 3}, Strides: []int{2, 2}}
	own := win
	own.Pads = []int{1, 1, 1, 1}
	low := float32(math.Inf(-1))
	zero := func(b *builder) *Value { return b.node("pad", backend.Pad{Pads: pads}, b.image(3)) }
	testPass(t, "pad-fold", []passCase{
		{name: "conv", changes: 1, build: func(b *builder) {
			b.out("y", b.node("conv", backend.Conv{Window: win}, zero(b), b.ints("w", 4, 3, 3, 3)))
		}},
		{name: "conv with pads, groups and an epilogue", changes: 1, build: func(b *builder) {
			p := b.node("pad", backend.Pad{Pads: pads}, b.image(4))
			op := backend.Conv{Window: own, Groups: 2, Bias: true, Epilogue: backend.Epilogue{{Kind: backend.Activate}}}
			b.out("y", b.node("conv", op, p, b.ints("w", 6, 2, 3, 3), b.ints("b", 6)))
		}},
		{name: "conv of rank 3, no padding by rule", changes: 1, build: func(b *builder) {
			p := b.node("pad", backend.Pad{Pads: []int{0, 0, 2, 0, 0, 1}}, b.input("x", Shape{Symbol("N"), Static(3), Symbol("L")}))
			b.out("y", b.node("conv", backend.Conv{Window: backend.Window{AutoPad: backend.Valid}}, p, b.ints("w", 4, 3, 3)))
		}},
		{name: "average pool", changes: 1, build: func(b *builder) {
			b.out("y", b.node("pool", backend.AvgPool{Window: backend.Window{Kernel: []int{2, 2}, Strides: []int{2, 2}}}, zero(b)))
		}},
		{name: "average pool that counts its pads", changes: 1, build: func(b *builder) {
			w := backend.Window{Kernel: []int{4, 4}, Pads: []int{1, 1, 2, 2}}
			b.out("y", b.node("pool", backend.AvgPool{Window: w, CountIncludePad: true}, zero(b)))
		}},
		{name: "average pool that rounds up, begin only", changes: 1, build: func(b *builder) {
			p := b.node("pad", backend.Pad{Pads: begin}, b.image(3))
			b.out("y", b.node("pool", backend.AvgPool{Window: backend.Window{Kernel: []int{2, 2}, Strides: []int{2, 2}}, CeilMode: true}, p))
		}},
		{name: "max pool of −∞", changes: 1, build: func(b *builder) {
			p := b.node("pad", backend.Pad{Pads: pads, Value: low}, b.image(3))
			b.out("y", b.node("pool", backend.MaxPool{Window: own}, p))
		}},
		{name: "max pool of −∞ that rounds up, begin only", changes: 1, build: func(b *builder) {
			p := b.node("pad", backend.Pad{Pads: begin, Value: low}, b.image(3))
			b.out("y", b.node("pool", backend.MaxPool{Window: own, CeilMode: true}, p))
		}},
		{name: "max pool of 0 after relu", changes: 2, build: func(b *builder) {
			x := b.image(3)
			p := b.node("pad", backend.Pad{Pads: pads}, b.relu("relu", x))
			b.out("y", b.node("pool", backend.MaxPool{Window: win}, p))
			c := b.node("conv", backend.Conv{Epilogue: backend.Epilogue{{Kind: backend.Activate}}}, x, b.ints("w", 3, 3, 1, 1))
			b.out("z", b.node("pool2", backend.MaxPool{Window: win}, b.node("pad2", backend.Pad{Pads: pads}, c)))
		}},
		{name: "a pad that is read elsewhere stays", changes: 1, build: func(b *builder) {
			p := zero(b)
			b.out("y", b.node("conv", backend.Conv{}, p, b.ints("w", 4, 3, 3, 3)))
			b.out("z", p)
		}},

		{name: "not: channels or batch", build: func(b *builder) {
			x := b.image(3)
			p := b.node("pad", backend.Pad{Pads: []int{0, 1, 1, 1, 0, 0, 1, 1}}, x)
			b.out("y", b.node("conv", backend.Conv{}, p, b.ints("w", 4, 4, 3, 3)))
			p = b.node("pad2", backend.Pad{Pads: []int{0, 0, 1, 1, 1, 0, 1, 1}}, x)
			b.out("z", b.node("conv2", backend.Conv{}, p, b.ints("w2", 4, 3, 3, 3)))
		}},
		{name: "not: another value or mode", build: func(b *builder) {
			x, w := b.image(3), b.ints("w", 4, 3, 3, 3)
			b.out("a", b.node("conv", backend.Conv{}, b.node("pad", backend.Pad{Pads: pads, Value: 1}, x), w))
			b.out("b", b.node("conv2", backend.Conv{}, b.node("pad2", backend.Pad{Pads: pads, Mode: backend.PadEdge}, x), w))
			b.out("c", b.node("avg", backend.AvgPool{Window: win}, b.node("pad3", backend.Pad{Pads: pads, Value: low}, x)))
			b.out("d", b.node("max", backend.MaxPool{Window: win}, b.node("pad4", backend.Pad{Pads: pads, Value: -9}, x)))
		}},
		{name: "not: max pool of 0 of what may be negative", build: func(b *builder) {
			x := b.image(3)
			b.out("y", b.node("pool", backend.MaxPool{Window: win}, b.node("pad", backend.Pad{Pads: pads}, x)))
			c := b.node("conv", backend.Conv{Epilogue: backend.Epilogue{{Kind: backend.Activate}, {Kind: backend.Residual}}}, x, b.ints("w", 3, 3, 1, 1), x)
			b.out("z", b.node("pool2", backend.MaxPool{Window: win}, b.node("pad2", backend.Pad{Pads: pads}, c)))
		}},
		{name: "not: max pool of 0 with a window in the padding", build: func(b *builder) {
			v := b.relu("relu", b.image(3))
			p := b.node("pad", backend.Pad{Pads: []int{0, 0, 3, 0, 0, 0, 0, 0}}, v)
			b.out("y", b.node("pool", backend.MaxPool{Window: win}, p))
			p = b.node("pad2", backend.Pad{Pads: []int{0, 0, 0, 0, 0, 0, 0, 3}}, v)
			b.out("z", b.node("pool2", backend.MaxPool{Window: backend.Window{Kernel: []int{3, 3}}}, p))
			p = b.node("pad3", backend.Pad{Pads: []int{0, 0, 2, 0, 0, 0, 2, 0}}, v)
			b.out("u", b.node("pool3", backend.MaxPool{Window: backend.Window{Kernel: []int{3, 3}, Dilations: []int{2, 1}}}, p))
		}},
		{name: "not: positions of maxima", build: func(b *builder) {
			p := b.node("pad", backend.Pad{Pads: pads, Value: low}, b.image(3))
			n, err := b.g.Apply("pool", backend.MaxPool{Window: win, Indices: true}, p)
			if err != nil {
				b.t.Fatal(err)
			}
			b.out("y", n.Out()[0])
			b.out("i", n.Out()[1])
		}},
		{name: "not: padding by rule", build: func(b *builder) {
			b.out("y", b.node("conv", backend.Conv{Window: backend.Window{AutoPad: backend.SameUpper}}, zero(b), b.ints("w", 4, 3, 3, 3)))
			p := b.node("pad2", backend.Pad{Pads: pads}, b.relu("relu", b.g.inputs[0]))
			b.out("z", b.node("pool", backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2}, AutoPad: backend.SameLower}}, p))
		}},
		{name: "not: average pool that does not count its own pads", build: func(b *builder) {
			b.out("y", b.node("pool", backend.AvgPool{Window: own}, zero(b)))
		}},
		{name: "not: pools that round up, end pads", build: func(b *builder) {
			x := b.image(3)
			two := backend.Window{Kernel: []int{2, 2}, Strides: []int{3, 3}}
			b.out("y", b.node("avg", backend.AvgPool{Window: two, CeilMode: true}, b.node("pad", backend.Pad{Pads: pads}, x)))
			b.out("z", b.node("max", backend.MaxPool{Window: two, CeilMode: true}, b.node("pad2", backend.Pad{Pads: pads, Value: low}, x)))
		}},
		{name: "not: transposed conv, whose pads take away", build: func(b *builder) {
			b.out("y", b.node("up", backend.ConvTranspose{}, zero(b), b.ints("w", 3, 2, 3, 3)))
		}},
		{name: "not: all of the picture is padding", build: func(b *builder) {
			p := b.node("pad", backend.Pad{Pads: []int{0, 0, 3, 0, 0, 0, 0, 0}}, b.input("x", Dims(-1, 3, 0, 8)))
			b.out("y", b.node("conv", backend.Conv{}, p, b.ints("w", 4, 3, 3, 3)))
		}},
		{name: "not: the pad makes the weights", build: func(b *builder) {
			w := b.node("pad", backend.Pad{Pads: pads}, b.input("w", Dims(4, 3, 3, 3)))
			b.out("y", b.node("conv", backend.Conv{}, b.image(3), w))
		}},
	})
}
