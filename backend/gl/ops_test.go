//go:build cgo

package gl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// laid describes a float32 tensor in a layout.
func laid(l backend.Layout, shape ...int) backend.TensorDesc {
	return backend.TensorDesc{DType: tensor.Float32, Shape: shape, Layout: l}
}

// judgeAll judges d under the fills that every op must pass.
func judgeAll(t *testing.T, be *Backend, d backend.Desc) {
	t.Helper()
	for seed, f := range []check.Fill{check.Exact, check.Normal, check.Special} {
		judge(t, be, d, f, uint64(seed))
	}
}

func window(kernel, strides, dilations, pads []int) backend.Window {
	return backend.Window{Kernel: kernel, Strides: strides, Dilations: dilations, Pads: pads}
}

// pools are windows with the shapes that they are tried on.
var pools = []struct {
	w     backend.Window
	ceil  bool
	shape []int
}{
	{window([]int{2, 2}, []int{2, 2}, nil, nil), false, []int{1, 3, 8, 8}},
	{window([]int{3, 3}, []int{2, 2}, nil, []int{1, 1, 1, 1}), false, []int{2, 5, 15, 17}},
	{window([]int{3, 3}, []int{2, 2}, nil, nil), true, []int{1, 4, 8, 10}},
	{window([]int{4, 4}, []int{4, 4}, nil, nil), false, []int{1, 3, 27, 40}},
	{window([]int{3, 2}, []int{1, 3}, []int{2, 3}, []int{0, 2, 3, 1}), false, []int{1, 9, 9, 13}},
	{window([]int{3}, nil, nil, []int{2, 0}), false, []int{3, 2, 1}},
	{window([]int{2}, []int{5}, nil, []int{4, 4}), false, []int{2, 6, 9}},
	{window([]int{2, 2, 2}, []int{2, 2, 2}, nil, nil), false, []int{1, 8, 4, 6, 9}},
	{window([]int{3, 1, 2}, []int{1, 2, 1}, []int{1, 1, 2}, []int{1, 0, 3, 0, 1, 2}), true, []int{2, 7, 3, 5, 4}},
	{window([]int{40, 40}, nil, nil, []int{20, 20, 20, 20}), false, []int{1, 2, 41, 12}},
	{window([]int{1, 300}, nil, nil, nil), false, []int{1, 2, 2, 310}},
	{window([]int{2, 2}, []int{1000000000, 1000000000}, nil, []int{1, 1, 1, 1}), false, []int{1, 3, 5, 5}},
	{window([]int{2, 2}, nil, []int{1, 1000}, []int{0, 500, 0, 600}), false, []int{1, 3, 2, 7}},
	{window([]int{1, 1}, nil, nil, nil), false, []int{0, 3, 5, 5}},
	{window([]int{1, 1}, nil, nil, nil), false, []int{2, 0, 5, 5}},
}

func TestMaxPool(t *testing.T) {
	families(t, func(t *testing.T, be *Backend) {
		for _, c := range pools {
			for _, indices := range []bool{false, true} {
				judgeAll(t, be, backend.Desc{
					Op: backend.MaxPool{Window: c.w, CeilMode: c.ceil, Indices: indices},
					In: []backend.TensorDesc{backend.F32(c.shape...)},
				})
			}
		}
	})
}

func TestAvgPool(t *testing.T) {
	families(t, func(t *testing.T, be *Backend) {
		for _, c := range pools {
			for _, count := range []bool{false, true} {
				judgeAll(t, be, backend.Desc{
					Op: backend.AvgPool{Window: c.w, CeilMode: c.ceil, CountIncludePad: count},
					In: []backend.TensorDesc{backend.F32(c.shape...)},
				})
			}
		}
	})
}

// Random windows reach what the list above does not.
func TestRandomPools(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	families(t, func(t *testing.T, be *Backend) {
		for range 24 {
			n := 1 + r.IntN(3)
			shape := []int{1 + r.IntN(2), 1 + r.IntN(9)}
			var w backend.Window
			w.Pads = make([]int, 2*n)
			for i := range n {
				w.Kernel = append(w.Kernel, 1+r.IntN(4))
				w.Strides = append(w.Strides, 1+r.IntN(4))
				w.Dilations = append(w.Dilations, 1+r.IntN(3))
				reach := w.Dilations[i]*(w.Kernel[i]-1) + 1
				w.Pads[i], w.Pads[n+i] = r.IntN(reach+1), r.IntN(reach+1)
				shape = append(shape, max(1, reach-w.Pads[i]-w.Pads[n+i])+r.IntN(24))
			}
			x := []backend.TensorDesc{backend.F32(shape...)}
			ceil := r.IntN(2) == 0
			judgeAll(t, be, backend.Desc{Op: backend.MaxPool{Window: w, CeilMode: ceil, Indices: r.IntN(2) == 0}, In: x})
			judgeAll(t, be, backend.Desc{Op: backend.AvgPool{Window: w, CeilMode: ceil, CountIncludePad: r.IntN(2) == 0}, In: x})
		}
	})
}

func TestGlobalPool(t *testing.T) {
	families(t, func(t *testing.T, be *Backend) {
		for _, s := range [][]int{{1, 3, 7, 7}, {2, 9, 300}, {3, 4, 1, 1, 1}, {1, 2, 129, 128}, {1, 1, 260, 260}, {0, 3, 4}, {2, 0, 4, 4}, {1, 5, 128}, {1, 5, 16385}} {
			for _, mean := range []bool{false, true} {
				judgeAll(t, be, backend.Desc{Op: backend.GlobalPool{Mean: mean}, In: []backend.TensorDesc{backend.F32(s...)}})
			}
		}
	})
}

func TestSoftmax(t *testing.T) {
	families(t, func(t *testing.T, be *Backend) {
		for _, s := range [][]int{{7}, {3, 10}, {2, 5, 7}, {2, 3, 4, 5}, {1, 9, 2, 3, 4}, {2, 1000}, {1, 6, 257}, {1, 300, 2, 2}, {1, 70000}, {0, 3}, {2, 0, 3}} {
			for axis := range s {
				for _, l := range append([]backend.Layout{backend.Any}, layouts...) {
					for _, log := range []bool{false, true} {
						d := backend.Desc{Op: backend.Softmax{Axis: axis - len(s), Log: log}, In: []backend.TensorDesc{laid(l, s...)}}
						judge(t, be, d, check.Special, 2)
						judge(t, be, d, check.Adversarial, 3)
					}
				}
			}
		}
	})
}

func TestBatchNorm(t *testing.T) {
	families(t, func(t *testing.T, be *Backend) {
		for _, s := range [][]int{{3, 6}, {2, 8}, {2, 5, 7}, {2, 3, 4, 5}, {1, 9, 2, 3, 4}, {2, 4, 9}, {0, 3, 2}, {2, 0, 3}} {
			for _, l := range append([]backend.Layout{backend.Any}, layouts...) {
				c := backend.F32(s[1])
				d := backend.Desc{Op: backend.BatchNorm{Epsilon: 1e-5}, In: []backend.TensorDesc{laid(l, s...), c, c, c, c}}
				judge(t, be, d, check.Normal, 1)
				judge(t, be, d, check.Special, 2)
			}
		}
	})
}

func TestBinary(t *testing.T) {
	shapes := [][2][]int{
		{{2, 3, 4, 5}, {2, 3, 4, 5}}, {{2, 8, 4, 5}, {1, 8, 1, 1}}, {{2, 3, 4, 5}, {3, 1, 1}}, {{2, 3, 4, 5}, {}}, {{}, {}},
		{{7}, {7}}, {{8}, {1}}, {{3, 1}, {1, 4}}, {{2, 1, 6}, {5, 1}}, {{2, 1, 3, 3}, {2, 6, 1, 3}}, {{1, 5, 2, 2, 3}, {4, 5, 1, 2, 1}},
		{{2, 3, 1, 2, 1, 2, 3, 2}, {3, 2, 1, 2, 1, 3, 1}}, {{0, 3}, {3}}, {{2, 4, 0}, {4, 1}}, {{1, 3, 5, 5}, {2, 1, 1, 1}},
	}
	families(t, func(t *testing.T, be *Backend) {
		for _, fn := range []backend.BinaryKind{backend.Add, backend.Sub, backend.Mul, backend.Div} {
			for _, s := range shapes {
				for _, l := range append([]backend.Layout{backend.Any}, layouts...) {
					for _, m := range []backend.Layout{backend.Any, backend.Plain, backend.ChannelsLast4} {
						if fn != backend.Sub && (l != m || l == backend.Plain) {
							continue // the function has nothing to do with the layout
						}
						for _, in := range [][]backend.TensorDesc{
							{laid(l, s[0]...), laid(m, s[1]...)}, {laid(m, s[1]...), laid(l, s[0]...)},
						} {
							judge(t, be, backend.Desc{Op: backend.Binary{Fn: fn}, In: in}, check.Special, 1)
						}
					}
				}
			}
		}
	})
}

func TestPad(t *testing.T) {
	cases := []struct {
		shape, pads []int
	}{
		{[]int{5}, []int{2, 3}}, {[]int{2, 3, 4, 5}, []int{0, 0, 1, 2, 0, 0, 3, 0}}, {[]int{1, 4, 6, 6}, []int{0, 0, 2, 2, 0, 0, 1, 1}},
		{[]int{2, 4, 5}, []int{1, 2, 0, 0, 3, 4}}, {[]int{2, 3, 3}, nil}, {[]int{3, 2, 4, 2, 2}, []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
		{[]int{2, 8, 3}, []int{0, 0, 2, 0, 0, 1}}, {[]int{3, 4}, []int{0, 0, 0, 0}},
		{[]int{2, 3, 2, 3, 2, 3, 2, 3}, []int{1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 1}},
	}
	families(t, func(t *testing.T, be *Backend) {
		for _, mode := range []backend.PadMode{backend.PadConstant, backend.PadReflect, backend.PadEdge} {
			for _, c := range cases {
				shape := append([]int{}, c.shape...)
				if mode == backend.PadReflect { // a pad must be less than the dim
					for i := range shape {
						shape[i] += 3
					}
				}
				for _, l := range append([]backend.Layout{backend.Any}, layouts...) {
					d := backend.Desc{Op: backend.Pad{Pads: c.pads, Mode: mode, Value: 2.5}, In: []backend.TensorDesc{laid(l, shape...)}}
					judge(t, be, d, check.Special, 2)
				}
			}
		}
		// A tensor of nothing can be made longer.
		judge(t, be, backend.Desc{Op: backend.Pad{Pads: []int{1, 0, 1, 0}, Value: -1}, In: []backend.TensorDesc{backend.F32(0, 3)}}, check.Exact, 1)
	})
}

func TestReshape(t *testing.T) {
	cases := []struct{ from, to []int }{
		{[]int{2, 3, 4, 5}, []int{-1, 5}}, {[]int{2, 3, 4, 5}, []int{5, 4, 3, 2}}, {[]int{6}, []int{2, 3}}, {[]int{}, []int{1, 1, 1}},
		{[]int{1, 6, 7}, []int{1, 7, 6}}, {[]int{2, 4, 3}, []int{0, 2, 2, -1}}, {[]int{0, 3}, []int{0, 3}},
	}
	families(t, func(t *testing.T, be *Backend) {
		for _, c := range cases {
			for _, from := range append([]backend.Layout{backend.Any}, layouts...) {
				for _, to := range append([]backend.Layout{backend.Any}, layouts...) {
					d := backend.Desc{Op: backend.Reshape{Shape: c.to}, In: []backend.TensorDesc{laid(from, c.from...)}}
					out, err := d.Op.Infer(d.In)
					if err != nil {
						t.Fatal(err)
					}
					out[0].Layout = to
					d.Out = out
					judge(t, be, d, check.Exact, 1)
				}
			}
		}
		for axis := range 5 {
			d := backend.Desc{Op: backend.Flatten{Axis: axis}, In: []backend.TensorDesc{laid(backend.ChannelsLast4, 2, 3, 4, 5)}}
			judge(t, be, d, check.Exact, 1)
		}
	})
}

func TestMatMul(t *testing.T) {
	shapes := [][2][]int{
		{{3, 5}, {5, 7}}, {{9, 8}, {8, 12}}, {{1, 4}, {4, 4}}, {{2, 3, 4}, {2, 4, 5}}, {{2, 1, 3, 8}, {4, 8, 4}}, {{5}, {5}}, {{5}, {2, 5, 3}},
		{{2, 3, 6}, {6}}, {{17, 300}, {300, 9}}, {{4, 513}, {513, 8}}, {{3, 0}, {0, 4}}, {{0, 3}, {3, 2}}, {{3, 1, 2, 4}, {1, 2, 4, 3}},
		{{2, 1, 3, 1, 2, 5}, {1, 2, 3, 2, 5, 3}},
	}
	families(t, func(t *testing.T, be *Backend) {
		for _, s := range shapes {
			judgeAll(t, be, backend.Desc{Op: backend.MatMul{}, In: []backend.TensorDesc{backend.F32(s[0]...), backend.F32(s[1]...)}})
		}
	})
}

func TestDense(t *testing.T) {
	steps := backend.Epilogue{
		{Kind: backend.ScaleShift}, {Kind: backend.Residual}, {Kind: backend.Activate, Act: backend.Act{Kind: backend.LeakyRelu, Alpha: 0.25}},
		{Kind: backend.Residual}, {Kind: backend.ScaleShift}, {Kind: backend.Activate, Act: backend.Act{Kind: backend.Clip, Alpha: -90, Beta: 100}},
	}
	families(t, func(t *testing.T, be *Backend) {
		for _, c := range []struct {
			x   []int
			out int
		}{
			{[]int{1, 4}, 8}, {[]int{1, 5}, 3}, {[]int{2, 7}, 10}, {[]int{9, 300}, 65}, {[]int{1, 513}, 70}, {[]int{17, 1024}, 12},
			{[]int{3, 2, 6}, 4}, {[]int{0, 4}, 4}, {[]int{1, 1}, 1}, {[]int{16, 260}, 64}, {[]int{4, 2048}, 9},
		} {
			k := c.x[len(c.x)-1]
			y := append(append([]int{}, c.x[:len(c.x)-1]...), c.out)
			v, r := backend.F32(c.out), backend.F32(y...)
			for _, constant := range []bool{true, false} {
				w := backend.F32(c.out, k)
				w.Const = constant
				in := []backend.TensorDesc{backend.F32(c.x...), w}
				for _, d := range []backend.Desc{
					{Op: backend.Dense{}, In: in},
					{Op: backend.Dense{Bias: true, Epilogue: backend.Epilogue{{Kind: backend.Activate}}}, In: append(in[:2:2], v)},
					{Op: backend.Dense{Bias: true, Epilogue: steps}, In: append(in[:2:2], v, v, v, r, r, v, v)},
				} {
					for _, d.Algorithm = range be.Algorithms(d) {
						judge(t, be, d, check.Exact, 1)
						judge(t, be, d, check.Normal, 2)
						if len(d.In) == 2 {
							judge(t, be, d, check.Special, 3)
						}
					}
				}
			}
		}
	})
}

// A row's result is bitwise the same in any batch and whether or not the product is
// cut along its terms.
func TestDenseInAnyBatch(t *testing.T) {
	families(t, func(t *testing.T, be *Backend) {
		dense := backend.Dense{Bias: true}
		describe := func(rows int) backend.Desc {
			return backend.Desc{Op: dense, In: []backend.TensorDesc{backend.F32(rows, 1000), backend.F32(20, 1000), backend.F32(20)}}
		}
		in, err := check.Inputs(describe(21), check.Normal, 1)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := backend.RunDesc(bg, be, describe(21), in...)
		if err != nil {
			t.Fatal(err)
		}
		want := whole[0].Float32s()[:20]
		for _, rows := range []int{1, 2, 5, 16} {
			d := describe(rows)
			x := tensor.Must(tensor.From(in[0].Float32s()[:rows*1000], rows, 1000))
			for _, d.Algorithm = range be.Algorithms(d) {
				got, err := backend.RunDesc(bg, be, d, x, in[1], in[2])
				if err != nil {
					t.Fatal(err)
				}
				for i, v := range want {
					if g := got[0].Float32s()[i]; g != v {
						t.Fatalf("%d rows, %s: element %d: got %v, want %v", rows, d.Algorithm, i, g, v)
					}
				}
			}
		}
	})
}

// Lanes beyond the last channel are zeros, whatever they held and whatever the
// function makes of a zero.
func TestPaddedLanes(t *testing.T) {
	corner := window([]int{1, 1}, nil, nil, []int{1, 1, 1, 1})
	families(t, func(t *testing.T, be *Backend) {
		for _, l := range []backend.Layout{backend.ChannelsLast4, {Order: backend.OrderChannelsLast, Pad: 8}, {Order: backend.OrderChannelsLast, Pad: 6}} {
			x, c := laid(l, 2, 3, 4, 5), backend.F32(3)
			in := []backend.TensorDesc{x}
			descs := []backend.Desc{
				{Op: backend.Softmax{Axis: 1}, In: in},
				{Op: backend.Softmax{Axis: 2}, In: in},
				{Op: backend.Softmax{Axis: 2, Log: true}, In: []backend.TensorDesc{laid(l, 1, 5, 300)}},
				{Op: backend.Softmax{Axis: 1}, In: []backend.TensorDesc{laid(l, 1, 301, 2)}},
				{Op: backend.BatchNorm{}, In: []backend.TensorDesc{x, c, c, c, c}},
				{Op: backend.GroupNorm{Groups: 3}, In: []backend.TensorDesc{x, c, c}},
				{Op: backend.GroupNorm{Groups: 1}, In: []backend.TensorDesc{laid(l, 1, 5, 300), backend.F32(5), backend.F32(5)}},
				{Op: backend.LayerNorm{Axis: 1}, In: []backend.TensorDesc{x, laid(backend.Plain, 3, 4, 5), laid(backend.Plain, 3, 4, 5)}},
				{Op: backend.LayerNorm{Axis: 2}, In: []backend.TensorDesc{x, backend.F32(4, 5), backend.F32(4, 5)}},
				{Op: backend.LRN{Size: 3}, In: in},
				{Op: backend.Binary{Fn: backend.Div}, In: []backend.TensorDesc{x, x}},
				{Op: backend.Binary{Fn: backend.Div}, In: []backend.TensorDesc{x, laid(backend.Plain, 3, 1, 1)}},
				{Op: backend.Binary{Fn: backend.Add}, In: []backend.TensorDesc{x, laid(backend.Plain)}},
				{Op: backend.Pad{Pads: []int{0, 0, 1, 0, 0, 0, 0, 1}, Value: 7}, In: in},
				{Op: backend.Pad{Pads: []int{1, 2, 0, 0, 0, 5, 0, 0}, Value: 7}, In: in},
				{Op: backend.Pad{Pads: []int{0, 1, 0, 0, 0, 1, 0, 0}, Mode: backend.PadEdge}, In: in},
				{Op: backend.AdaptivePool{Out: []int{2, 3}}, In: in},
				{Op: backend.AdaptivePool{Out: []int{2, 3}, Mean: true}, In: in},
				{Op: backend.Resize{Size: []int{7, 7}}, In: in},
				{Op: backend.Resize{Size: []int{7, 7}, Mode: backend.ResizeLinear}, In: in},
				{Op: backend.Concat{Axis: 1, Inputs: 2}, In: []backend.TensorDesc{x, laid(l, 2, 2, 4, 5)}},
				{Op: backend.Concat{Axis: 3, Inputs: 2}, In: []backend.TensorDesc{x, x}},
				{Op: backend.Transpose{Perm: []int{0, 2, 1, 3}}, In: []backend.TensorDesc{laid(l, 2, 4, 3, 5)}},
				{Op: backend.Reshape{Shape: []int{4, 5, 6}}, In: in, Out: []backend.TensorDesc{laid(l, 4, 5, 6)}},
			}
			if l == backend.ChannelsLast4 {
				descs = append(descs,
					backend.Desc{Op: backend.MaxPool{Window: corner}, In: in},
					backend.Desc{Op: backend.MaxPool{Window: corner, Indices: true}, In: in},
					backend.Desc{Op: backend.AvgPool{Window: corner}, In: in},
					backend.Desc{Op: backend.GlobalPool{}, In: in})
			}
			for _, d := range descs {
				wantZeroLanes(t, be, d)
			}
		}
	})
}

// wantZeroLanes runs d over outputs full of NaN and looks at their padding.
func wantZeroLanes(t *testing.T, be *Backend, d backend.Desc) {
	t.Helper()
	inst, err := backend.NewInstance(bg, be, d)
	if err != nil {
		t.Fatalf("%+v: %v", d, err)
	}
	defer inst.Close()
	in, err := check.Inputs(d, check.Uniform, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range in {
		if err := inst.SetInput(bg, i, x); err != nil {
			t.Fatal(err)
		}
	}
	for i, o := range inst.Args.Out {
		out := inst.Kernel.Info().Out[i]
		raw := make([]byte, out.Bytes())
		for j := range raw {
			raw[j] = 0xff
		}
		if err := be.Write(bg, o, raw); err != nil {
			t.Fatal(err)
		}
		if err := inst.Run(bg); err != nil {
			t.Fatal(err)
		}
		if err := be.Read(bg, raw, o); err != nil {
			t.Fatal(err)
		}
		channels, lanes := padding(out)
		if channels == lanes {
			t.Errorf("%+v: output %d has no padding: %v", d, i, out)
		}
		for j := range len(raw) / 4 {
			if v := binary.LittleEndian.Uint32(raw[4*j:]); j%lanes >= channels && v != 0 {
				t.Errorf("%+v: output %d, %v: word %d is %#x, want 0", d, i, out, j, v)
				break
			}
		}
	}
}

// A dispatch of more workgroups than a row holds is folded, in every op.
func TestManyWorkgroups(t *testing.T) {
	n := 65535*local + 100
	families(t, func(t *testing.T, be *Backend) {
		r := rand.New(rand.NewPCG(1, 2))
		x := tensor.Must(tensor.New(tensor.Float32, 1, n))
		for i := range x.Float32s() {
			x.Float32s()[i] = float32(r.IntN(99))
		}
		one := tensor.Must(tensor.From([]float32{1}, 1, 1))
		got, err := backend.RunOnce(bg, be, backend.Binary{Fn: backend.Sub}, x, one)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range got[0].Float32s() {
			if v != x.Float32s()[i]-1 {
				t.Fatalf("element %d: got %v, want %v", i, v, x.Float32s()[i]-1)
			}
		}
	})
}

// What a device cannot bind or a shader cannot index is refused when it is planned.
func TestTooLarge(t *testing.T) {
	const n = 40000 // n·n floats are more than a binding or a buffer holds
	image, matrix := backend.F32(1, 4, n, n), backend.F32(n, n)
	far := window([]int{1}, []int{1 << 30}, nil, []int{1<<31 - 1, 1<<31 - 1})
	families(t, func(t *testing.T, be *Backend) {
		for _, d := range []backend.Desc{
			{Op: backend.MaxPool{Window: window([]int{2, 2}, []int{2, 2}, nil, nil)}, In: []backend.TensorDesc{image}},
			{Op: backend.MaxPool{Window: far}, In: []backend.TensorDesc{backend.F32(1, 1, 9)}},
			{Op: backend.AvgPool{Window: far}, In: []backend.TensorDesc{backend.F32(1, 1, 9)}},
			{Op: backend.GlobalPool{}, In: []backend.TensorDesc{image}},
			{Op: backend.Softmax{Axis: 1}, In: []backend.TensorDesc{matrix}},
			{Op: backend.BatchNorm{}, In: []backend.TensorDesc{matrix, backend.F32(n), backend.F32(n), backend.F32(n), backend.F32(n)}},
			{Op: backend.GroupNorm{Groups: 2}, In: []backend.TensorDesc{image, backend.F32(4), backend.F32(4)}},
			{Op: backend.LayerNorm{Axis: 1}, In: []backend.TensorDesc{matrix, backend.F32(n), backend.F32(n)}},
			{Op: backend.LRN{Size: 5}, In: []backend.TensorDesc{image}},
			{Op: backend.Binary{}, In: []backend.TensorDesc{backend.F32(n, 1), backend.F32(1, n)}},
			{Op: backend.Pad{Pads: []int{n, 0, 0, n}}, In: []backend.TensorDesc{backend.F32(3, 3)}},
			{Op: backend.Reshape{Shape: []int{-1}}, In: []backend.TensorDesc{matrix}},
			{Op: backend.MatMul{}, In: []backend.TensorDesc{backend.F32(n, 1), backend.F32(1, n)}},
			{Op: backend.Dense{}, In: []backend.TensorDesc{backend.F32(1, n), matrix}},
		} {
			k, err := be.Prepare(bg, d)
			if k != nil {
				k.Close()
			}
			var limit *backend.LimitError
			if !errors.As(err, &limit) {
				t.Errorf("%+v: got %v, want a LimitError", d, err)
			}
		}
	})
}

// A Run again with the same buffers allocates nothing.
func TestRunAllocatesNothing(t *testing.T) {
	be := open(t)
	for _, d := range []backend.Desc{
		{Op: backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2}}}, In: []backend.TensorDesc{backend.F32(1, 4, 8, 8)}},
		{Op: backend.GlobalPool{}, In: []backend.TensorDesc{backend.F32(1, 4, 30, 30)}},
		{Op: backend.Softmax{Axis: 1}, In: []backend.TensorDesc{backend.F32(2, 1000)}},
		{Op: backend.GroupNorm{Groups: 2}, In: []backend.TensorDesc{backend.F32(2, 4, 20, 20), backend.F32(4), backend.F32(4)}},
		{Op: backend.LRN{Size: 5}, In: []backend.TensorDesc{backend.F32(2, 9, 4, 4)}},
		{Op: backend.ConvTranspose{}, In: []backend.TensorDesc{backend.F32(1, 4, 5, 5), backend.F32(4, 6, 3, 3)}},
		{Op: backend.Resize{Size: []int{7, 9}, Mode: backend.ResizeLinear}, In: []backend.TensorDesc{backend.F32(1, 4, 5, 5)}},
		{Op: backend.AdaptivePool{Out: []int{3, 2}, Mean: true}, In: []backend.TensorDesc{backend.F32(1, 4, 5, 5)}},
		{Op: backend.Concat{Axis: 1, Inputs: 2}, In: []backend.TensorDesc{backend.F32(1, 4, 5, 5), backend.F32(1, 3, 5, 5)}},
		{Op: backend.Transpose{}, In: []backend.TensorDesc{backend.F32(1, 4, 5, 5)}},
		{Op: backend.MatMul{}, In: []backend.TensorDesc{backend.F32(4, 8), backend.F32(8, 4)}},
		{Op: backend.Binary{}, In: []backend.TensorDesc{backend.F32(4, 8), backend.F32(8)}},
	} {
		t.Run(fmt.Sprintf("%T", d.Op), func(t *testing.T) {
			inst, err := backend.NewInstance(bg, be, d)
			if err != nil {
				t.Fatal(err)
			}
			defer inst.Close()
			run := func() {
				if err := inst.Run(bg); err != nil {
					t.Fatal(err)
				}
				if err := be.Sync(bg); err != nil {
					t.Fatal(err)
				}
			}
			run()
			// Sync allocates what it waits on; a Run alone must not.
			alone := testing.AllocsPerRun(20, func() {
				if err := be.Sync(bg); err != nil {
					t.Fatal(err)
				}
			})
			if both := testing.AllocsPerRun(20, run); both > alone {
				t.Errorf("got %v allocations more than a Sync", both-alone)
			}
		})
	}
}
