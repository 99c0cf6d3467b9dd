package cpu

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

func normals(r *rand.Rand, shape ...int) *tensor.Tensor {
	t := tensor.Must(tensor.New(tensor.Float32, shape...))
	for i := range t.Float32s() {
		t.Float32s()[i] = float32(r.NormFloat64())
	}
	return t
}

// Random products of K terms stay within 4√K·u·Σ|w||x| (numerics: pass), up to
// 10⁵ terms, for Conv, ConvTranspose, Dense and MatMul.
func TestSumBound(t *testing.T) {
	be := open(t, "cpu", backend.WithThreads(2))
	r := rand.New(rand.NewPCG(3, 4))
	const o = 5
	for _, k := range []int{1, 9, 300, 4608, 100_000} {
		x, w := normals(r, 1, k), normals(r, o, k)
		xs, ws := x.Float32s(), w.Float32s()
		at := func(shape ...int) *tensor.Tensor { return tensor.Must(x.Reshape(shape...)) }
		conv := func(shape ...int) *tensor.Tensor { return tensor.Must(w.Reshape(shape...)) }
		wt := tensor.Must(tensor.New(tensor.Float32, k, o))
		for i := range k {
			for j := range o {
				wt.Float32s()[i*o+j] = ws[j*k+i]
			}
		}
		for name, c := range map[string]struct {
			op backend.Op
			in []*tensor.Tensor
		}{
			"dense":         {backend.Dense{}, []*tensor.Tensor{x, w}},
			"matmul":        {backend.MatMul{}, []*tensor.Tensor{x, wt}},
			"conv channels": {backend.Conv{}, []*tensor.Tensor{at(1, k, 1), conv(o, k, 1)}},
			"transposed":    {backend.ConvTranspose{}, []*tensor.Tensor{at(1, k, 1), tensor.Must(wt.Reshape(k, o, 1))}},
			"conv taps":     {backend.Conv{}, []*tensor.Tensor{at(1, 1, k), conv(o, 1, k)}},
		} {
			y, err := backend.RunOnce(ctx, be, c.op, c.in...)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for j, got := range y[0].Float32s() {
				var sum, bound float64
				for i := range k {
					p := float64(xs[i]) * float64(ws[j*k+i])
					sum += p
					bound += math.Abs(p)
				}
				bound *= 4 * math.Sqrt(float64(k)) * 0x1p-24
				if e := math.Abs(float64(got) - sum); !(e <= bound) {
					t.Errorf("%s: K = %d, output %d is %v, want %v: error %g over bound %g", name, k, j, got, sum, e, bound)
				}
			}
		}
	}
}

// Means of many equal or large elements need more than a float32 sum.
func TestMeanOfMany(t *testing.T) {
	be := open(t, "cpu")
	const n = 802_816
	x := tensor.Must(tensor.New(tensor.Float32, 1, 1, n))
	sum := 0.0
	for i := range x.Float32s() {
		x.Float32s()[i] = 0.1 + float32(i%256)/255
		sum += float64(x.Float32s()[i])
	}
	want := float32(sum / n)
	for _, op := range []backend.Op{backend.GlobalPool{Mean: true}, backend.AvgPool{Window: backend.Window{Kernel: []int{n}}}} {
		y, err := backend.RunOnce(ctx, be, op, x)
		if err != nil {
			t.Fatal(err)
		}
		if got := y[0].Float32s()[0]; ulps(got, want) > 1 {
			t.Errorf("%s: mean %v, want %v", op.Kind(), got, want)
		}
	}
}

func TestBatchNorm(t *testing.T) {
	be, ref := open(t, "cpu"), open(t, "ref")
	r := rand.New(rand.NewPCG(7, 8))
	for _, shape := range [][]int{{4, 5}, {2, 5, 7}, {2, 5, 3, 4}} {
		in := []*tensor.Tensor{normals(r, shape...), normals(r, 5), normals(r, 5), normals(r, 5), normals(r, 5)}
		for i, v := range in[4].Float32s() {
			in[4].Float32s()[i] = v * v
			in[3].Float32s()[i] *= 1000 // mean ≫ σ
		}
		op := backend.BatchNorm{Epsilon: 1e-5}
		want, err := backend.RunOnce(ctx, ref, op, in...)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range []backend.Layout{backend.Any, plain, cl4} {
			d := backend.DescOf(op, in...)
			d.In[0].Layout = l
			for i, g := range poisonedRun(t, be, d, in)[0].Float32s() {
				if w := want[0].Float32s()[i]; ulps(g, w) > 1 {
					t.Errorf("%v %v: element %d is %v, want %v", shape, l, i, g, w)
				}
			}
		}
	}
}

// Max pooling passes NaN on; the index is that of the last one, and of the first
// of equal maxima.
func TestMaxPoolNaN(t *testing.T) {
	be := open(t, "cpu")
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	x := tensor.Must(tensor.From([]float32{1, nan, 2, nan, 3, 3, 3, 1, inf, inf, inf, inf}, 1, 1, 12))
	y, err := backend.RunOnce(ctx, be, backend.MaxPool{Window: backend.Window{Kernel: []int{4}, Strides: []int{4}}, Indices: true}, x)
	if err != nil {
		t.Fatal(err)
	}
	same(t, y[0], tensor.Must(tensor.From([]float32{nan, 3, inf}, 1, 1, 3)))
	idx, _ := tensor.Data[int32](y[1])
	if idx[0] != 3 || idx[1] != 4 || idx[2] != 8 {
		t.Errorf("indices %v, want [3 4 8]", idx)
	}
}

// An image's result is bitwise the same in any batch and at any place in it.
func TestBatchInvariant(t *testing.T) {
	be := open(t, "cpu", backend.WithThreads(2))
	r := rand.New(rand.NewPCG(9, 10))
	for _, c := range []struct {
		op   backend.Op
		x, w []int
	}{
		{backend.Conv{Window: backend.Window{Pads: []int{1, 1, 1, 1}}}, []int{5, 70, 7, 7}, []int{33, 70, 3, 3}},
		{backend.Conv{Groups: 6}, []int{5, 6, 7, 7}, []int{6, 1, 3, 3}},
		{backend.Dense{}, []int{5, 700}, []int{33, 700}},
	} {
		x, w := normals(r, c.x...), normals(r, c.w...)
		all, err := backend.RunOnce(ctx, be, c.op, x, w)
		if err != nil {
			t.Fatal(err)
		}
		one := append([]int{1}, c.x[1:]...)
		size, out := x.Size()/5, all[0].Size()/5
		for i := range 5 {
			xi := tensor.Must(tensor.From(x.Float32s()[i*size:(i+1)*size], one...))
			y, err := backend.RunOnce(ctx, be, c.op, xi, w)
			if err != nil {
				t.Fatal(err)
			}
			if want := all[0].Float32s()[i*out : (i+1)*out]; string(y[0].Bytes()) != string(tensor.Must(tensor.From(want, out)).Bytes()) {
				t.Errorf("%s %v: image %d alone differs", c.op.Kind(), c.x, i)
			}
		}
	}
}
