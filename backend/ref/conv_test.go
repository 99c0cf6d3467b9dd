package ref

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// backwardData describes the gradient of op with respect to x, for tensors of
// these shapes.
func backwardData(op backend.Conv, x, w, gy *tensor.Tensor) backend.Desc {
	return backend.Desc{Op: op, Pass: backend.BackwardData,
		In:  []backend.TensorDesc{backend.Of(gy), backend.Of(w)},
		Out: []backend.TensorDesc{backend.Of(x)}}
}

// backwardWeights describes the gradient with respect to w and b.
func backwardWeights(op backend.Conv, x, w, gy *tensor.Tensor) backend.Desc {
	d := backend.Desc{Op: op, Pass: backend.BackwardWeights,
		In:  []backend.TensorDesc{backend.Of(x), backend.Of(gy)},
		Out: []backend.TensorDesc{backend.Of(w)}}
	if op.Bias {
		d.Out = append(d.Out, backend.F32(w.Shape()[0]))
	}
	return d
}

// 1·1 + 2·0 − 3·1 … worked out by hand.
func TestConv(t *testing.T) {
	x := from(f32(
		1, 2, 3,
		4, 5, 6,
		7, 8, 9), 1, 1, 3, 3)
	w := from(f32(
		1, 2,
		0, -1), 1, 1, 2, 2)
	pad := backend.Window{Strides: []int{2, 1}, Pads: []int{1, 0, 0, 1}}
	for _, c := range []struct {
		name string
		op   backend.Conv
		in   []*tensor.Tensor
		y    []float32
	}{
		{"2d", backend.Conv{}, []*tensor.Tensor{x, w}, f32(0, 2, 6, 8)},
		{"bias", backend.Conv{Bias: true}, []*tensor.Tensor{x, w, from(f32(10), 1)}, f32(10, 12, 16, 18)},
		// rows of windows begin at −1 and 1, columns at 0, 1 and 2
		{"stride and padding", backend.Conv{Window: pad}, []*tensor.Tensor{x, w}, f32(-2, -3, 0, 6, 8, 6)},
		{"dilation", backend.Conv{Window: backend.Window{Dilations: []int{2, 2}}}, []*tensor.Tensor{x, w}, f32(-2)},
		{"1d", backend.Conv{}, []*tensor.Tensor{from(f32(1, 2, 4, 8), 1, 1, 4), from(f32(1, -1), 1, 1, 2)}, f32(-1, -2, -4)},
		{"3d", backend.Conv{}, []*tensor.Tensor{from(f32(1, 2, 3, 4, 5, 6, 7, 8), 1, 1, 2, 2, 2), from(f32(1, 0, 0, 0, 0, 0, 0, 10), 1, 1, 2, 2, 2)}, f32(81)},
		{"two channels", backend.Conv{}, []*tensor.Tensor{from(f32(1, 2, 3, 4), 1, 2, 2), from(f32(1, 10, 100, 1000), 2, 2, 1)}, f32(31, 42, 3100, 4200)},
		{"two groups", backend.Conv{Groups: 2}, []*tensor.Tensor{from(f32(1, 2, 3, 4), 1, 2, 2), from(f32(10, 100, 1000, 10000), 4, 1, 1)},
			f32(10, 20, 100, 200, 3000, 4000, 30000, 40000)},
	} {
		t.Run(c.name, func(t *testing.T) { same(t, "y", run(t, c.op, c.in...)[0], c.y) })
	}
}

// convCases are shapes that differ in every dim, so that a swap shows.
var convCases = []struct {
	name string
	x, w []int
	op   backend.Conv
}{
	{"k1", []int{2, 3, 4, 5}, []int{4, 3, 1, 1}, backend.Conv{Bias: true}},
	{"k3 stride dilation pads", []int{2, 3, 9, 8}, []int{5, 3, 3, 2}, backend.Conv{Bias: true, Window: backend.Window{Strides: []int{2, 3}, Dilations: []int{1, 2}, Pads: []int{1, 0, 2, 3}}}},
	{"stride above kernel", []int{1, 2, 7, 9}, []int{3, 2, 2, 1}, backend.Conv{Window: backend.Window{Strides: []int{3, 4}}}},
	{"kernel above input", []int{1, 2, 2, 3}, []int{3, 2, 5, 4}, backend.Conv{Window: backend.Window{Pads: []int{2, 1, 2, 1}}}},
	{"same lower", []int{1, 2, 5, 6}, []int{3, 2, 4, 2}, backend.Conv{Window: backend.Window{Strides: []int{2, 1}, AutoPad: backend.SameLower}}},
	{"groups", []int{2, 6, 5, 4}, []int{9, 2, 3, 3}, backend.Conv{Groups: 3, Bias: true, Window: backend.Window{Pads: []int{1, 1, 1, 1}}}},
	{"depthwise", []int{1, 5, 6, 4}, []int{5, 1, 3, 3}, backend.Conv{Groups: 5, Window: backend.Window{Pads: []int{1, 1, 1, 1}}}},
	{"1d", []int{3, 2, 11}, []int{4, 2, 3}, backend.Conv{Bias: true, Window: backend.Window{Strides: []int{2}, Pads: []int{2, 0}}}},
	{"3d", []int{2, 2, 4, 5, 6}, []int{3, 2, 2, 3, 2}, backend.Conv{Bias: true, Window: backend.Window{Strides: []int{1, 2, 1}, Dilations: []int{2, 1, 1}, Pads: []int{0, 1, 2, 1, 0, 1}}}},
}

// Patches in a matrix, multiplied by gonum: another program for the same sums.
func TestConvAgainstIm2col(t *testing.T) {
	for _, c := range convCases {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			x, w := normals(r, c.x...), normals(r, c.w...)
			op := c.op
			op.Bias = false
			geo, err := op.Geometry(x.Shape(), w.Shape())
			if err != nil {
				t.Fatal(err)
			}
			near(t, "y", run(t, op, x, w)[0], im2col(x, w, op.GroupCount(), geo), 1e-6, 1e-9)
		})
	}
}

func im2col(x, w *tensor.Tensor, groups int, geo backend.Geometry) []float32 {
	nd := len(geo.In)
	batch, outs, cg := x.Shape()[0], w.Shape()[0], w.Shape()[1]
	taps, pixels := tensor.Shape(geo.Kernel).Size(), tensor.Shape(geo.Out).Size()
	plane := tensor.Shape(geo.In).Size()
	og := outs / groups
	var y []float32
	for n := range batch {
		for g := range groups {
			patches := blas64.General{Rows: cg * taps, Cols: pixels, Stride: pixels, Data: make([]float64, cg*taps*pixels)}
			for row := range patches.Rows {
				for p := range pixels {
					k, o, at, step, inside := row%taps, p, 0, 1, true
					for i := nd - 1; i >= 0; i-- {
						pos := o%geo.Out[i]*geo.Stride[i] - geo.Begin[i] + k%geo.Kernel[i]*geo.Dilation[i]
						inside = inside && pos >= 0 && pos < geo.In[i]
						at += pos * step
						step *= geo.In[i]
						o /= geo.Out[i]
						k /= geo.Kernel[i]
					}
					if inside {
						channel := n*x.Shape()[1] + g*cg + row/taps
						patches.Data[row*pixels+p] = float64(x.Float32s()[channel*plane+at])
					}
				}
			}
			weights := blas64.General{Rows: og, Cols: patches.Rows, Stride: patches.Rows, Data: float64s(w.Float32s()[g*og*patches.Rows:][:og*patches.Rows])}
			product := blas64.General{Rows: og, Cols: pixels, Stride: pixels, Data: make([]float64, og*pixels)}
			blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, weights, patches, 0, product)
			for _, v := range product.Data {
				y = append(y, float32(v))
			}
		}
	}
	return y
}

func float64s(v []float32) []float64 {
	d := make([]float64, len(v))
	for i := range v {
		d[i] = float64(v[i])
	}
	return d
}

// The convolution is linear in x and in w; its backward passes are the adjoints:
// ⟨conv(x,w),y⟩ = ⟨x,bwd_x(y,w)⟩ = ⟨w,bwd_w(x,y)⟩, exactly on integers.
func TestConvAdjoint(t *testing.T) {
	for _, c := range convCases {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			x, w := integers(r, c.x...), integers(r, c.w...)
			op := c.op
			op.Bias = false
			y := run(t, op, x, w)[0]
			gy := integers(r, y.Shape()...)
			want := dot(y, gy)
			if want == 0 {
				t.Fatal("the inner product is 0 and shows nothing")
			}
			gx := runDesc(t, backwardData(op, x, w, gy), gy, w)[0]
			if got := dot(x, gx); got != want {
				t.Errorf("⟨x,gx⟩ = %v, want %v", got, want)
			}
			op.Bias = true
			grads := runDesc(t, backwardWeights(op, x, w, gy), x, gy)
			if got := dot(w, grads[0]); got != want {
				t.Errorf("⟨w,gw⟩ = %v, want %v", got, want)
			}
			// With b the op adds ⟨b, gb⟩, and b of ones counts gy.
			sum := 0.0
			for _, v := range gy.Float32s() {
				sum += float64(v)
			}
			for _, v := range grads[1].Float32s() {
				sum -= float64(v)
			}
			if sum != 0 {
				t.Errorf("gb misses %v of the sum of gy", sum)
			}
		})
	}
}

func dot(a, b *tensor.Tensor) float64 {
	sum := 0.0
	for i, v := range a.Float32s() {
		sum += float64(v) * float64(b.Float32s()[i])
	}
	return sum
}

// Every layout of every argument gives the same numbers, and zeros in the lanes
// beyond the last channel.
func TestConvLayouts(t *testing.T) {
	layouts := []backend.Layout{backend.Plain, backend.ChannelsLast, backend.ChannelsLast4, {Order: backend.OrderChannelsLast, Pad: 16}}
	for _, c := range convCases {
		r := rand.New(rand.NewPCG(5, 6))
		x, w := integers(r, c.x...), integers(r, c.w...)
		in := []*tensor.Tensor{x, w}
		if c.op.Bias {
			in = append(in, integers(r, c.w[0]))
		}
		y := run(t, c.op, in...)[0]
		gy := integers(r, y.Shape()...)
		passes := []struct {
			d  backend.Desc
			in []*tensor.Tensor
		}{
			{backend.DescOf(c.op, in...), in},
			{backwardData(c.op, x, w, gy), []*tensor.Tensor{gy, w}},
			{backwardWeights(c.op, x, w, gy), []*tensor.Tensor{x, gy}},
		}
		for _, p := range passes {
			want := runDesc(t, p.d, p.in...)
			resolved, err := p.d.Resolve()
			if err != nil {
				t.Fatal(err)
			}
			for _, from := range layouts {
				for _, to := range layouts {
					t.Run(fmt.Sprintf("%s/%v/%v to %v", c.name, p.d.Pass, from, to), func(t *testing.T) {
						d := resolved
						d.In = withLayout(d.In, from)
						d.Out = withLayout(d.Out, to)
						for i, got := range runDesc(t, d, p.in...) {
							same(t, fmt.Sprintf("output %d", i), got, want[i].Float32s())
						}
					})
				}
			}
		}
	}
}

func withLayout(ds []backend.TensorDesc, l backend.Layout) []backend.TensorDesc {
	ds = append([]backend.TensorDesc{}, ds...)
	for i := range ds {
		ds[i].Layout = l
	}
	return ds
}

func TestConvEmptyBatch(t *testing.T) {
	x := tensor.Must(tensor.New(tensor.Float32, 0, 3, 4, 4))
	w := tensor.Must(tensor.New(tensor.Float32, 2, 3, 3, 3))
	y := run(t, backend.Conv{}, x, w)[0]
	if !y.Shape().Equal(tensor.Shape{0, 2, 2, 2}) {
		t.Errorf("got shape %v", y.Shape())
	}
	// No image, no gradient: zeros, not what the memory held.
	gw := runDesc(t, backwardWeights(backend.Conv{}, x, w, y), x, y)[0]
	same(t, "gw", gw, make([]float32, w.Size()))
}
