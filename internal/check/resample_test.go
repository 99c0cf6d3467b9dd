package check

import (
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// A float32 sum passes; a term too few or too many, or a weight of the wrong place,
// does not.
func TestResampleBound(t *testing.T) {
	const n, m, terms = 9, 40, 5
	d := backend.Desc{Op: backend.Resample{}, In: []backend.TensorDesc{backend.F32(n), {DType: tensor.Int32, Shape: tensor.Shape{m, terms}}, backend.F32(m, terms)}}
	sum := func(in []*tensor.Tensor, from int) *tensor.Tensor {
		y := tensor.Must(tensor.New(tensor.Float32, m))
		index, _ := tensor.Data[int32](in[1])
		for o := range m {
			s := float32(0)
			for i := o*terms + from; i < o*terms+terms; i++ {
				if k, w := index[i], in[2].Float32s()[i]; k >= 0 && k < n && w != 0 {
					s += w * in[0].Float32s()[k]
				}
			}
			y.Float32s()[o] = s
		}
		return y
	}
	reference := func(_ backend.Desc, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		y := tensor.Must(tensor.New(tensor.Float32, m))
		index, _ := tensor.Data[int32](in[1])
		for o := range m {
			s := 0.0
			for i := o * terms; i < o*terms+terms; i++ {
				if k, w := index[i], in[2].Float32s()[i]; k >= 0 && k < n && w != 0 {
					s += float64(w) * float64(in[0].Float32s()[k])
				}
			}
			y.Float32s()[o] = float32(s)
		}
		return []*tensor.Tensor{y}, nil
	}
	for _, f := range Fills() {
		in := inputs(t, d, f, 4)
		for from, want := range []Verdict{Pass, Fail} {
			if r, err := Judge(d, f, in, []*tensor.Tensor{sum(in, from)}, reference); err != nil || r.Verdict != want {
				t.Errorf("%v fill, %d terms left out: %v, %v", f, from, r, err)
			}
		}
	}
	in := inputs(t, d, Exact, 4)
	in[2].Float32s()[3] = 0.5
	if _, err := Expect(d, Exact, in, reference); err == nil {
		t.Error("exact fill with a weight of ½ was accepted")
	}
	in[2].Float32s()[3] = 1 << 24
	if _, err := Expect(d, Exact, in, reference); err == nil {
		t.Error("exact fill with sums above 2²⁴ was accepted")
	}
}

// The indices name elements, under Special some none.
func TestIndices(t *testing.T) {
	index := func(op backend.Op, f Fill, in ...backend.TensorDesc) []int32 {
		all := inputs(t, backend.Desc{Op: op, In: in}, f, 1)
		v, err := tensor.Data[int32](all[1])
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	i32 := func(s ...int) backend.TensorDesc { return backend.TensorDesc{DType: tensor.Int32, Shape: s} }
	for _, c := range []struct {
		name   string
		op     backend.Op
		in     []backend.TensorDesc
		lo, hi int32
	}{
		{"gather", backend.Gather{Axis: 1}, []backend.TensorDesc{backend.F32(2, 5), i32(300)}, -5, 4},
		{"resample", backend.Resample{}, []backend.TensorDesc{backend.F32(5), i32(100, 3), backend.F32(100, 3)}, 0, 4},
		{"unpool", backend.MaxUnpool{Size: []int{2, 3}}, []backend.TensorDesc{backend.F32(1, 1, 300, 1), i32(1, 1, 300, 1)}, 0, 5},
	} {
		for _, f := range Fills() {
			seen, outside := map[int32]bool{}, 0
			for _, k := range index(c.op, f, c.in...) {
				if k < c.lo || k > c.hi {
					outside++
				} else {
					seen[k] = true
				}
			}
			if len(seen) != int(c.hi-c.lo)+1 || (outside > 0) != (f == Special) {
				t.Errorf("%s, %v: %d of %d elements are named, %d indices name none", c.name, f, len(seen), c.hi-c.lo+1, outside)
			}
		}
	}
	if k := index(backend.Gather{}, Exact, backend.F32(0, 2), i32(50)); len(k) != 50 {
		t.Error(k)
	}
}
