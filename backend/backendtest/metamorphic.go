package backendtest

import (
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// relation is an equality that holds between results without an oracle, on exact
// integers.
type relation struct {
	name string
	test func(m *relations)
}

// relations computes for one relation. A calculation that is not supported ends
// it.
type relations struct {
	s    *suite
	r    reporter
	name string
	fill func(x ...int) *tensor.Tensor // new exact integers
}

// unsupportedOp ends a relation; it is recovered in metamorphic.
type unsupportedOp struct{}

func metamorphic(s *suite, r reporter, family string) {
	for _, rel := range allRelations {
		s.test(r, family, rel.name, func(r reporter) {
			defer func() {
				if e := recover(); e != nil {
					if _, ok := e.(unsupportedOp); !ok {
						panic(e)
					}
				}
			}()
			m := &relations{s: s, r: r, name: rel.name}
			seed := s.o.Seed
			m.fill = func(x ...int) *tensor.Tensor {
				seed++
				// As the factor of a matrix product of 4000 terms: from −4 to 4.
				in, err := check.Inputs(desc(backend.MatMul{}, backend.F32(tensor.Shape(x).Size(), 1), backend.F32(1, 1)), check.Exact, seed)
				if err != nil {
					r.Fatalf("fill %v: %v", x, err)
				}
				return m.reshape(in[0], x...)
			}
			rel.test(m)
		})
	}
}

func (m *relations) do(op backend.Op, in ...*tensor.Tensor) *tensor.Tensor {
	return m.doDesc(backend.DescOf(op, in...), in...)[0]
}

func (m *relations) doDesc(d backend.Desc, in ...*tensor.Tensor) []*tensor.Tensor {
	out, ok := m.s.calc(m.r, "metamorphic", m.name, d, in)
	if !ok {
		panic(unsupportedOp{})
	}
	return out
}

func (m *relations) equal(what string, got, want *tensor.Tensor) {
	same(m.r, what, []*tensor.Tensor{got}, []*tensor.Tensor{want})
}

func (m *relations) reshape(t *tensor.Tensor, to ...int) *tensor.Tensor {
	y, err := t.Reshape(to...)
	if err != nil {
		m.r.Fatalf("%v", err)
	}
	return y
}

// make returns a tensor with f's value at each position.
func (m *relations) make(f func(at []int) float32, x ...int) *tensor.Tensor {
	t := tensor.Must(tensor.New(tensor.Float32, x...))
	at := make([]int, len(x))
	for i := range t.Float32s() {
		rest := i
		for k := len(x) - 1; k >= 0; k-- {
			at[k] = rest % x[k]
			rest /= x[k]
		}
		t.Float32s()[i] = f(at)
	}
	return t
}

// at returns an element.
func at(t *tensor.Tensor, i ...int) float32 {
	n := 0
	for k, s := range t.Shape().Strides() {
		n += i[k] * s
	}
	return t.Float32s()[n]
}

func (m *relations) negate(x *tensor.Tensor) *tensor.Tensor {
	return m.combine(func(a, _ float32) float32 { return -a }, x, x)
}

// pick returns the slices of t along dim in the order of an index list.
func (m *relations) pick(t *tensor.Tensor, dim int, order []int) *tensor.Tensor {
	x := slices.Clone(t.Shape())
	x[dim] = len(order)
	return m.make(func(i []int) float32 {
		j := slices.Clone(i)
		j[dim] = order[i[dim]]
		return at(t, j...)
	}, x...)
}

func (m *relations) combine(f func(a, b float32) float32, a, b *tensor.Tensor) *tensor.Tensor {
	c := a.Clone()
	for i, v := range b.Float32s() {
		c.Float32s()[i] = f(c.Float32s()[i], v)
	}
	return c
}

func add(a, b float32) float32 { return a + b }

func dot(a, b *tensor.Tensor) float64 {
	sum := 0.0
	for i, v := range a.Float32s() {
		sum += float64(v) * float64(b.Float32s()[i])
	}
	return sum
}

func padded(p ...int) backend.Conv { return backend.Conv{Window: backend.Window{Pads: p}} }

var allRelations = []relation{
	{"linear-in-x", func(m *relations) {
		a, b, w := m.fill(2, 5, 7, 6), m.fill(2, 5, 7, 6), m.fill(6, 5, 3, 3)
		op := padded(1, 1, 1, 1)
		m.equal("conv(a+b, w) = conv(a, w) + conv(b, w)", m.do(op, m.combine(add, a, b), w), m.combine(add, m.do(op, a, w), m.do(op, b, w)))
	}},
	{"linear-in-w", func(m *relations) {
		x, v, w := m.fill(1, 5, 7, 6), m.fill(6, 5, 3, 3), m.fill(6, 5, 3, 3)
		op := padded(1, 1, 1, 1)
		m.equal("conv(x, v+w) = conv(x, v) + conv(x, w)", m.do(op, x, m.combine(add, v, w)), m.combine(add, m.do(op, x, v), m.do(op, x, w)))
	}},
	{"shift", func(m *relations) {
		x, w := m.fill(1, 4, 9, 11), m.fill(5, 4, 3, 3)
		shifted := m.make(func(i []int) float32 {
			return at(x, i[0], i[1], (i[2]+1)%9, (i[3]+2)%11)
		}, x.Shape()...)
		y, z := m.do(backend.Conv{}, x, w), m.do(backend.Conv{}, shifted, w)
		inner := func(t *tensor.Tensor, dh, dw int) *tensor.Tensor {
			return m.make(func(i []int) float32 { return at(t, i[0], i[1], i[2]+dh, i[3]+dw) }, 1, 5, 6, 7)
		}
		m.equal("conv(shift x) = shift conv(x)", inner(z, 0, 0), inner(y, 1, 2))
	}},
	{"delta", func(m *relations) {
		x := m.fill(2, 9, 6, 7)
		w := m.make(func(i []int) float32 {
			if i[0] == i[1] && i[2] == 1 && i[3] == 1 {
				return 1
			}
			return 0
		}, 9, 9, 3, 3)
		m.equal("a delta kernel is the identity", m.do(padded(1, 1, 1, 1), x, w), x)
	}},
	{"separable", func(m *relations) {
		x, u, v := m.fill(1, 6, 9, 8), m.fill(6, 1, 3, 1), m.fill(6, 1, 1, 5)
		w := m.make(func(i []int) float32 { return at(u, i[0], 0, i[2], 0) * at(v, i[0], 0, 0, i[3]) }, 6, 1, 3, 5)
		depthwise := backend.Conv{Groups: 6}
		m.equal("u·vᵀ = u, then v", m.do(depthwise, x, w), m.do(depthwise, m.do(depthwise, x, u), v))
	}},
	{"grouped", func(m *relations) {
		x, w := m.fill(2, 12, 5, 6), m.fill(9, 4, 3, 3)
		full := m.make(func(i []int) float32 {
			if i[1]/4 != i[0]/3 {
				return 0
			}
			return at(w, i[0], i[1]%4, i[2], i[3])
		}, 9, 12, 3, 3)
		op := padded(1, 1, 1, 1)
		grouped := op
		grouped.Groups = 3
		m.equal("groups = a block-diagonal kernel", m.do(grouped, x, w), m.do(op, x, full))
	}},
	{"depthwise", func(m *relations) {
		x, w := m.fill(2, 7, 5, 6), m.fill(7, 1, 3, 3)
		full := m.make(func(i []int) float32 {
			if i[1] != i[0] {
				return 0
			}
			return at(w, i[0], 0, i[2], i[3])
		}, 7, 7, 3, 3)
		op := padded(1, 1, 1, 1)
		grouped := op
		grouped.Groups = 7
		m.equal("depthwise = a diagonal kernel", m.do(grouped, x, w), m.do(op, x, full))
	}},
	{"dilated", func(m *relations) {
		x, w := m.fill(1, 4, 9, 10), m.fill(5, 4, 3, 2)
		stuffed := m.make(func(i []int) float32 {
			if i[2]%2 != 0 || i[3]%3 != 0 {
				return 0
			}
			return at(w, i[0], i[1], i[2]/2, i[3]/3)
		}, 5, 4, 5, 4)
		op := padded(1, 2, 0, 1)
		dilated := op
		dilated.Dilations = shape{2, 3}
		m.equal("dilation = zeros in the kernel", m.do(dilated, x, w), m.do(op, x, stuffed))
	}},
	{"strided", func(m *relations) {
		x, w := m.fill(1, 4, 9, 10), m.fill(5, 4, 3, 3)
		y := m.do(padded(1, 1, 1, 1), x, w)
		strided := backend.Conv{Window: backend.Window{Pads: pads(2, 1), Strides: shape{2, 3}}}
		m.equal("a stride takes every s-th", m.do(strided, x, w), m.pick(m.pick(y, 2, shape{0, 2, 4, 6, 8}), 3, shape{0, 3, 6, 9}))
	}},
	{"conv-matmul", func(m *relations) {
		x, w := m.fill(3, 17, 5, 7), m.fill(10, 17, 1, 1)
		y := m.do(backend.MatMul{}, m.reshape(w, 10, 17), m.reshape(x, 3, 17, 35))
		m.equal("1×1 convolution = a matrix product", m.do(backend.Conv{}, x, w), m.reshape(y, 3, 10, 5, 7))
	}},
	{"dense-matmul", func(m *relations) {
		x, w := m.fill(6, 43), m.fill(11, 43)
		wt := m.make(func(i []int) float32 { return at(w, i[1], i[0]) }, 43, 11)
		m.equal("dense = x·wᵀ", m.do(backend.Dense{}, x, w), m.do(backend.MatMul{}, x, wt))
	}},
	{"dense-conv", func(m *relations) {
		x, w := m.fill(3, 6, 4, 5), m.fill(9, 6, 4, 5)
		y := m.do(backend.Dense{}, m.do(backend.Flatten{Axis: 1}, x), m.reshape(w, 9, 120))
		m.equal("a kernel as large as x = dense", m.reshape(m.do(backend.Conv{}, x, w), 3, 9), y)
	}},
	{"1d-2d-3d", func(m *relations) {
		x, w := m.fill(2, 5, 19), m.fill(6, 5, 3)
		y := m.do(backend.Conv{Window: backend.Window{Pads: shape{1, 2}, Strides: shape{2}}}, x, w)
		flat := m.do(backend.Conv{Window: backend.Window{Pads: shape{0, 1, 0, 2}, Strides: shape{1, 2}}}, m.reshape(x, 2, 5, 1, 19), m.reshape(w, 6, 5, 1, 3))
		deep := m.do(backend.Conv{Window: backend.Window{Pads: shape{1, 0, 0, 2, 0, 0}, Strides: shape{2, 1, 1}}}, m.reshape(x, 2, 5, 19, 1, 1), m.reshape(w, 6, 5, 3, 1, 1))
		m.equal("1-D = 2-D of height 1", m.reshape(flat, y.Shape()...), y)
		m.equal("1-D = 3-D of width 1", m.reshape(deep, y.Shape()...), y)
	}},
	{"batch-permutation", func(m *relations) {
		x, w := m.fill(4, 5, 6, 7), m.fill(6, 5, 3, 3)
		order := shape{2, 0, 3, 1}
		m.equal("images in another order", m.do(backend.Conv{}, m.pick(x, 0, order), w), m.pick(m.do(backend.Conv{}, x, w), 0, order))
	}},
	{"input-permutation", func(m *relations) {
		x, w := m.fill(2, 5, 6, 7), m.fill(6, 5, 3, 3)
		order := shape{4, 2, 0, 1, 3}
		m.equal("input channels in another order", m.do(backend.Conv{}, m.pick(x, 1, order), m.pick(w, 1, order)), m.do(backend.Conv{}, x, w))
	}},
	{"output-permutation", func(m *relations) {
		x, w := m.fill(2, 5, 6, 7), m.fill(6, 5, 3, 3)
		order := shape{5, 3, 0, 4, 1, 2}
		m.equal("output channels in another order", m.do(backend.Conv{}, x, m.pick(w, 0, order)), m.pick(m.do(backend.Conv{}, x, w), 1, order))
	}},
	{"padding", func(m *relations) {
		x, w := m.fill(2, 5, 6, 7), m.fill(6, 5, 3, 3)
		wider := m.do(backend.Pad{Pads: shape{0, 0, 1, 2, 0, 0, 3, 0}}, x)
		m.equal("padding = Pad, then none", m.do(padded(1, 2, 3, 0), x, w), m.do(backend.Conv{}, wider, w))
	}},
	{"epilogue", func(m *relations) {
		x, w, b := m.fill(2, 5, 6, 7), m.fill(6, 5, 3, 3), m.fill(6)
		res := m.fill(2, 6, 4, 5)
		fused := m.do(backend.Conv{Bias: true, Epilogue: backend.Epilogue{residual, relu}}, x, w, b, res)
		y := m.do(backend.Binary{}, m.do(backend.Conv{}, x, w), m.reshape(b, 1, 6, 1, 1))
		m.equal("a fused epilogue = its steps", fused, m.do(backend.Activation{}, m.do(backend.Binary{}, y, res)))
	}},
	{"adjoint", func(m *relations) {
		op := backend.Conv{Window: backend.Window{Pads: shape{1, 0, 1, 2}, Strides: shape{2, 1}}, Groups: 2}
		x, w := m.fill(2, 6, 7, 8), m.fill(8, 3, 3, 3)
		y := m.do(op, x, w)
		g := m.fill(y.Shape()...)
		gx := m.doDesc(backwardDesc(op, backend.BackwardData, x.Shape(), w.Shape()), g, w)[0]
		gw := m.doDesc(backwardDesc(op, backend.BackwardWeights, x.Shape(), w.Shape()), x, g)[0]
		a, b, c := dot(y, g), dot(x, gx), dot(w, gw)
		if a != b || a != c {
			m.r.Errorf("⟨conv(x,w), g⟩ = %v, ⟨x, ∂x⟩ = %v, ⟨w, ∂w⟩ = %v: want equal", a, b, c)
		}
	}},
	{"transposed", func(m *relations) {
		op := backend.ConvTranspose{Window: backend.Window{Pads: shape{1, 0, 1, 2}, Strides: shape{2, 3}, Dilations: shape{1, 2}}, OutputPadding: shape{1, 0}, Groups: 2}
		x, w := m.fill(2, 6, 5, 6), m.fill(6, 4, 3, 3)
		y := m.do(op, x, w)
		g := m.fill(y.Shape()...)
		conv := backend.Conv{Window: op.Window, Groups: 2}
		if a, b := dot(y, g), dot(x, m.do(conv, g, w)); a != b {
			m.r.Errorf("⟨convᵀ(x,w), g⟩ = %v, ⟨x, conv(g,w)⟩ = %v: want equal", a, b)
		}
	}},
	{"transposed-stride1", func(m *relations) {
		x, w := m.fill(2, 5, 6, 7), m.fill(5, 6, 3, 4)
		turned := m.make(func(i []int) float32 { return at(w, i[1], i[0], 2-i[2], 3-i[3]) }, 6, 5, 3, 4)
		m.equal("convᵀ of stride 1 = conv with the kernel turned", m.do(backend.ConvTranspose{}, x, w), m.do(padded(2, 3, 2, 3), x, turned))
	}},
	{"transposed-zeros", func(m *relations) {
		x, w := m.fill(2, 4, 5, 6), m.fill(4, 6, 3, 3)
		spread := m.make(func(i []int) float32 {
			if i[2]%2 != 0 || i[3]%3 != 0 {
				return 0
			}
			return at(x, i[0], i[1], i[2]/2, i[3]/3)
		}, 2, 4, 9, 16)
		m.equal("a stride = zeros between the inputs", m.do(backend.ConvTranspose{Window: backend.Window{Strides: shape{2, 3}}}, x, w), m.do(backend.ConvTranspose{}, spread, w))
	}},
	{"maxpool-separable", func(m *relations) {
		x := m.fill(2, 5, 8, 9)
		pool := func(k ...int) backend.Op {
			return backend.MaxPool{Window: backend.Window{Kernel: k, Strides: k}}
		}
		m.equal("max over 2×3 = over 2, then over 3", m.do(pool(2, 3), x), m.do(pool(1, 3), m.do(pool(2, 1), x)))
	}},
	{"maxpool-global", func(m *relations) {
		x := m.fill(2, 5, 6, 7)
		m.equal("a window as large as x = global", m.do(backend.MaxPool{Window: backend.Window{Kernel: shape{6, 7}}}, x), m.do(backend.GlobalPool{}, x))
	}},
	{"reduce-twice", func(m *relations) {
		x := m.fill(3, 5, 6, 7)
		m.equal("a sum over two dims = over one, then the other", m.do(backend.Reduce{Axes: shape{1, 3}}, x), m.do(backend.Reduce{Axes: shape{1}}, m.do(backend.Reduce{Axes: shape{3}}, x)))
		m.equal("sums = products with ones", m.do(backend.Reduce{Axes: shape{3}}, x), m.reshape(m.do(backend.MatMul{}, x, m.make(func([]int) float32 { return 1 }, 7, 1)), 3, 5, 6))
		m.equal("min = −max of −x", m.do(backend.Reduce{Fn: backend.ReduceMin, Axes: shape{2}}, x), m.negate(m.do(backend.Reduce{Fn: backend.ReduceMax, Axes: shape{2}}, m.negate(x))))
	}},
	{"topk-order", func(m *relations) {
		x := m.fill(3, 40)
		sorted := m.do(backend.TopK{K: 40, Axis: 1}, x)
		m.equal("the first of all = the maximum", m.reshape(m.pick(sorted, 1, shape{0}), 3), m.do(backend.Reduce{Fn: backend.ReduceMax, Axes: shape{1}}, x))
		m.equal("descending = ascending of −x", sorted, m.negate(m.do(backend.TopK{K: 40, Axis: 1, Smallest: true}, m.negate(x))))
		m.equal("the sum stays", m.do(backend.Reduce{Axes: shape{1}}, sorted), m.do(backend.Reduce{Axes: shape{1}}, x))
	}},
	{"onehot-argmax", func(m *relations) {
		x := m.fill(4, 5, 6)
		index := m.doDesc(backend.DescOf(backend.ArgMax{Axis: 1}, x), x)[0]
		m.equal("x at its maximum = the maximum", m.do(backend.Reduce{Axes: shape{1}}, m.do(backend.Binary{Fn: backend.Mul}, m.do(backend.OneHot{Axis: 1, Depth: 5}, index), x)), m.do(backend.Reduce{Fn: backend.ReduceMax, Axes: shape{1}}, x))
	}},
	{"adaptive-even", func(m *relations) {
		x := m.fill(2, 5, 6, 8)
		w := backend.Window{Kernel: shape{3, 2}, Strides: shape{3, 2}}
		m.equal("adaptive windows that fit = a window that slides", m.do(backend.AdaptivePool{Out: shape{2, 4}}, x), m.do(backend.MaxPool{Window: w}, x))
	}},
	{"resize-repeat", func(m *relations) {
		x := m.fill(2, 5, 4, 3)
		y := m.do(backend.Resize{Scales: []float64{2, 3}, Coord: backend.Asymmetric}, x)
		m.equal("a whole scale repeats", y, m.pick(m.pick(x, 2, shape{0, 0, 1, 1, 2, 2, 3, 3}), 3, shape{0, 0, 0, 1, 1, 1, 2, 2, 2}))
	}},
	{"resize-separable", func(m *relations) {
		x := m.fill(2, 5, 4, 3)
		linear := func(scales ...float64) backend.Op { return backend.Resize{Scales: scales, Mode: backend.ResizeLinear} }
		m.equal("bilinear = along h, then along w", m.do(linear(2, 4), x), m.do(linear(1, 4), m.do(linear(2, 1), x)))
	}},
	{"concat-conv", func(m *relations) {
		a, b, w := m.fill(2, 5, 6, 7), m.fill(2, 3, 6, 7), m.fill(6, 8, 3, 3)
		x := m.do(backend.Concat{Axis: 1, Inputs: 2}, a, b)
		parts := m.combine(func(p, q float32) float32 { return p + q },
			m.do(backend.Conv{}, a, m.pick(w, 1, shape{0, 1, 2, 3, 4})), m.do(backend.Conv{}, b, m.pick(w, 1, shape{5, 6, 7})))
		m.equal("conv of a concatenation = sum of convs", m.do(backend.Conv{}, x, w), parts)
	}},
	{"transpose-twice", func(m *relations) {
		x := m.fill(2, 5, 4, 3)
		there := m.do(backend.Transpose{Perm: shape{2, 0, 3, 1}}, x)
		m.equal("a transposition and its inverse", m.do(backend.Transpose{Perm: shape{1, 3, 0, 2}}, there), x)
	}},
	{"transpose-matmul", func(m *relations) {
		a, b := m.fill(6, 9), m.fill(9, 7)
		ab := m.do(backend.Transpose{}, m.do(backend.MatMul{}, a, b))
		m.equal("(ab)ᵀ = bᵀaᵀ", m.do(backend.MatMul{}, m.do(backend.Transpose{}, b), m.do(backend.Transpose{}, a)), ab)
	}},
	{"norm-groups", func(m *relations) {
		x, scale, bias := m.fill(2, 5, 6, 7), m.fill(5), m.fill(5)
		y := m.do(backend.InstanceNorm{Epsilon: 1}, x, scale, bias)
		m.equal("instance norm = groups of one channel", y, m.do(backend.GroupNorm{Groups: 5, Epsilon: 1}, x, scale, bias))
		order := shape{4, 2, 0, 1, 3}
		m.equal("channels in another order", m.do(backend.InstanceNorm{Epsilon: 1}, m.pick(x, 1, order), m.pick(scale, 0, order), m.pick(bias, 0, order)), m.pick(y, 1, order))
	}},
	{"lrn-window", func(m *relations) {
		x := m.fill(2, 5, 6, 7)
		lrn := func(size int) backend.Op { return backend.LRN{Size: size, Alpha: float32(size), Beta: 0.75, K: 1} }
		m.equal("a window beyond all channels = one that just covers them", m.do(lrn(1000), x), m.do(lrn(9), x))
	}},
	{"softmax-shift", func(m *relations) {
		x := m.fill(4, 33)
		shifted := m.combine(func(a, _ float32) float32 { return a + 16 }, x, x)
		m.equal("softmax(x + c) = softmax(x)", m.do(backend.Softmax{Axis: 1}, shifted), m.do(backend.Softmax{Axis: 1}, x))
	}},
}
