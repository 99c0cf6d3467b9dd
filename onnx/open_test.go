package onnx

import (
	"slices"
	"testing"

	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// TestOpenSizesAreNotGuessed has shape arithmetic that gives one number for most sizes and
// another for some: each of a number of sizes must get its own.
func TestOpenSizesAreNotGuessed(t *testing.T) {
	sizes := []int{1, 2, 3, 5, 32, 33, 63, 64, 65, 192, 200, 512, 700}
	for _, c := range []struct {
		name string
		add  func(s *sketch) // s: the shape of x, [N]; r: [1], the shape of the output
		want func(n int) int
	}{
		{"to a multiple", func(s *sketch) {
			s.ints("m", 32).node("a = Mod(s,m)").node("b = Sub(m,a)").node("c = Mod(b,m)").node("r = Add(s,c)")
		}, func(n int) int { return (n + 31) / 32 * 32 }},
		{"pad to a multiple", func(s *sketch) {
			s.ints("m", 32).node("a = Mod(s,m)").node("b = Sub(m,a)").node("c = Mod(b,m)").ints("z", 0).
				node("p = Concat(z,c)", anInt("axis", 0)).node("q = Pad(x,p)").node("r = Shape(q)")
		}, func(n int) int { return (n + 31) / 32 * 32 }},
		{"down to a multiple", func(s *sketch) {
			s.ints("m", 64).node("a = Div(s,m)").node("r = Mul(a,m)")
		}, func(n int) int { return n / 64 * 64 }},
		{"least", func(s *sketch) { s.ints("m", 64).node("r = Min(s,m)") }, func(n int) int { return min(n, 64) }},
		{"greatest", func(s *sketch) { s.ints("m", 64).node("r = Max(s,m)") }, func(n int) int { return max(n, 64) }},
		{"clip", func(s *sketch) {
			s.inits = append(s.inits, &pb.Tensor{Name: "m", DataType: pb.Int64, Int64Data: []int64{100}})
			s.node("r = Clip(s,,m)")
		}, func(n int) int { return min(n, 100) }},
		{"condition", func(s *sketch) {
			s.ints("m", 64).ints("y", 7).ints("z", 9).node("b = Greater(s,m)").node("r = Where(b,y,z)")
		}, func(n int) int {
			if n > 64 {
				return 7
			}
			return 9
		}},
		{"equal to one", func(s *sketch) {
			s.ints("m", 1).ints("y", 7).node("b = Equal(s,m)").node("r = Where(b,y,s)")
		}, func(n int) int {
			if n == 1 {
				return 7
			}
			return n
		}},
		{"cast to bool", func(s *sketch) {
			s.ints("m", 1).node("a = Sub(s,m)").node("b = Cast(a)", anInt("to", int64(Bool))).node("c = Cast(b)", anInt("to", int64(Int64))).node("r = Add(c,m)")
		}, func(n int) int { return 1 + min(n-1, 1) }},
		{"scattered least", func(s *sketch) {
			s.ints("m", 64).ints("i", 0).node("r = ScatterElements(s,i,m)", aString("reduction", "min"))
		}, func(n int) int { return min(n, 64) }},
		{"first elements", func(s *sketch) {
			s.ints("from", 0).ints("to", 10).node("y = Slice(x,from,to)").node("r = Shape(y)")
		}, func(n int) int { return min(n, 10) }},
		{"last elements", func(s *sketch) {
			s.ints("from", -10).ints("to", 1<<62).node("y = Slice(x,from,to)").node("r = Shape(y)")
		}, func(n int) int { return min(n, 10) }},
		{"oddness", func(s *sketch) {
			s.ints("two", 2).node("a = Div(s,two)").node("b = Mul(a,two)").node("r = Sub(s,b)")
		}, func(n int) int { return n % 2 }},
		{"size of a pooling", func(s *sketch) {
			s.ints("i", 1, 1, -1).node("a = Reshape(x,i)").node("b = MaxPool(a)", someInts("kernel_shape", 1), someInts("strides", 2)).
				node("c = Shape(b)").ints("k", 2).node("d = Gather(c,k)").ints("two", 2).node("e = Mul(d,two)").node("f = Sub(s,e)").node("r = Add(f,two)")
		}, func(n int) int { return 2 - n%2 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := (&sketch{opset: 18}).in("x", Float32, "N").floats("seven", nil, 7).node("s = Shape(x)")
			c.add(s)
			session := compile(t, s.node("out = Expand(seven,r)").load(t, "out"))
			for _, n := range sizes {
				y := run(t, session, iota32(n))[0]
				if want := (tensor.Shape{c.want(n)}); !y.Shape().Equal(want) {
					t.Errorf("of %d: got %v, want %v", n, y.Shape(), want)
				}
			}
		})
	}
}

func someInts(name string, v ...int64) *pb.Attr {
	return &pb.Attr{Name: name, Type: pb.AttrInts, Ints: v}
}

// TestOpenSizesInReshape asks for a dim that is that of x for most sizes.
func TestOpenSizesInReshape(t *testing.T) {
	s := new(sketch).in("x", Float32, "N", 4).node("s = Shape(x)").ints("i", 0).node("n = Gather(s,i)").
		ints("m", 2).node("half = Div(n,m)").node("even = Mul(half,m)").ints("rest", -1).
		node("to = Concat(even,rest)", anInt("axis", 0)).node("y = Reshape(x,to)")
	session := compile(t, s.load(t, "y"))
	for _, c := range [][3]int{{4, 4, 4}, {3, 2, 6}, {5, 4, 5}, {192, 192, 4}} {
		y := run(t, session, iota32(c[0], 4))[0]
		if want := tensor.Shape(c[1:]); !y.Shape().Equal(want) || !slices.Equal(y.Float32s(), iota32(c[0], 4).Float32s()) {
			t.Errorf("batch %d: got %v, want %v", c[0], y.Shape(), want)
		}
	}
}

// TestSqueezeOfOpenDim drops a batch of one.
func TestSqueezeOfOpenDim(t *testing.T) {
	session := compile(t, new(sketch).in("x", Float32, "N", 1, 3).node("y = Squeeze(x)").load(t, "y"))
	for n, want := range map[int]tensor.Shape{1: {3}, 2: {2, 3}} {
		if y := run(t, session, iota32(n, 1, 3))[0]; !y.Shape().Equal(want) {
			t.Errorf("batch %d: got %v, want %v", n, y.Shape(), want)
		}
	}
}

// TestOpenArithmeticStaysOpen has arithmetic of exporters for which one graph serves all sizes.
func TestOpenArithmeticStaysOpen(t *testing.T) {
	for name, s := range map[string]*sketch{
		// x.expand(-1, 3, 4): what is −1 becomes a 1.
		"expand": new(sketch).in("x", Float32, "N", 1, 4).ints("want", -1, 3, 4).ints("minus", -1, -1, -1).ints("ones", 1, 1, 1).
			node("is = Equal(want,minus)").node("to = Where(is,ones,want)").node("y = Expand(x,to)"),
		// The size of x where a list says −1, as view does.
		"compare": new(sketch).in("x", Float32, "N", 2, 2).node("s = Shape(x)").ints("minus", -1).node("b = Equal(s,minus)").
			ints("ones", 1, 1, 1).node("t = Where(b,ones,s)").ints("i", 0).node("n = Gather(t,i)").ints("rest", -1).
			node("to = Concat(n,rest)", anInt("axis", 0)).node("y = Reshape(x,to)"),
		// A batch of clips: [N·8,…] to [N,8,…].
		"clips": new(sketch).in("x", Float32, "N", 4).node("s = Shape(x)").ints("i", 0).node("n = Gather(s,i)").ints("two", 2).
			node("half = Div(n,two)").node("to = Concat(half,two,four)", anInt("axis", 0)).ints("four", 4).node("y = Reshape(x,to)"),
		// Without first and last.
		"inner": new(sketch).in("x", Float32, "N", 4).ints("from", 1).ints("to", -1).node("y = Slice(x,from,to)"),
	} {
		if m := s.load(t, "y"); !m.open {
			t.Errorf("%s: a graph is made for each size: %v", name, m.Notes())
		}
	}
}
