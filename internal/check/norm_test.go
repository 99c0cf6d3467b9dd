package check

import (
	"math"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// moments returns what x is shifted by, in two parts, and its variance.
func moments(x []float32) (mean, rest, variance float64) {
	for _, v := range x {
		mean += float64(v)
	}
	mean /= float64(len(x))
	for _, v := range x {
		variance += (float64(v) - mean) * (float64(v) - mean)
	}
	return mean, 0, variance / float64(len(x))
}

// moments32 are the moments as correct float32 code finds them: in two passes, of
// which the second corrects the mean.
func moments32(x []float32) (mean, rest, variance float64) {
	n := float32(len(x))
	var sum, off, square float32
	for _, v := range x {
		sum += v
	}
	m := sum / n
	for _, v := range x {
		off += v - m
		square = fma(v-m, v-m, square)
	}
	off /= n
	return float64(m), float64(off), float64(square/n - off*off)
}

// onePass finds the variance as E[x²] − E[x]².
func onePass(x []float32) (mean, rest, variance float64) {
	var sum, square float32
	for _, v := range x {
		sum += v
		square = fma(v, v, square)
	}
	m := sum / float32(len(x))
	return float64(m), 0, max(0, float64(square/float32(len(x))-m*m))
}

// normalise computes a normalisation from moments, the rest in float32.
func normalise(d backend.Desc, in []*tensor.Tensor, y []float32, of func([]float32) (float64, float64, float64)) {
	length, param, eps, err := normRuns(d)
	if err != nil {
		panic(err)
	}
	x := in[0].Float32s()
	for first := 0; first < len(x); first += length {
		mean, rest, variance := of(x[first : first+length])
		inv := 1 / math.Sqrt(variance+eps)
		for i := first; i < first+length; i++ {
			y[i] = float32((float64(x[i])-mean-rest)*inv*float64(in[1].Float32s()[param(i)]) + float64(in[2].Float32s()[param(i)]))
		}
	}
}

// respond computes LRN with the window moved by shift channels.
func respond(op backend.LRN, x *tensor.Tensor, y []float32, shift int) {
	c, plane := x.Shape()[1], x.Shape()[2:].Size()
	for i, v := range x.Float32s() {
		sum := 0.0
		for j := i/plane%c - (op.Size-1)/2 + shift; j <= i/plane%c+op.Size/2+shift; j++ {
			if j >= 0 && j < c {
				v := float64(x.Float32s()[i/plane/c*c*plane+j*plane+i%plane])
				sum += v * v
			}
		}
		y[i] = v / float32(math.Pow(float64(op.K)+float64(op.Alpha)/float64(op.Size)*sum, float64(op.Beta)))
	}
}

func normDescs() map[string]backend.Desc {
	f := backend.F32
	return map[string]backend.Desc{
		"group":    {Op: backend.GroupNorm{Groups: 2, Epsilon: 1e-5}, In: []backend.TensorDesc{f(4, 6, 25), f(6), f(6)}},
		"instance": {Op: backend.InstanceNorm{}, In: []backend.TensorDesc{f(2, 3, 2000), f(3), f(3)}},
		"layer":    {Op: backend.LayerNorm{Axis: -1, Epsilon: 1e-3}, In: []backend.TensorDesc{f(9, 7), f(7), f(7)}},
		"pair":     {Op: backend.LayerNorm{Axis: 1}, In: []backend.TensorDesc{f(40, 2), f(2), f(2)}},
	}
}

// Correct float32 code passes. The one-pass variance does not, where the mean is a
// thousand σ.
func TestNormBound(t *testing.T) {
	for name, d := range normDescs() {
		for _, f := range Fills() {
			in := inputs(t, d, f, 5)
			y := tensor.Must(tensor.New(tensor.Float32, d.In[0].Shape...))
			normalise(d, in, y.Float32s(), moments32)
			if r := judge(t, d, f, in, y); r.Verdict != Pass {
				t.Errorf("%s, %v: %v", name, f, r)
			}
			if f != Adversarial || name == "pair" {
				continue
			}
			normalise(d, in, y.Float32s(), onePass)
			if r := judge(t, d, f, in, y); r.Verdict == Pass {
				t.Errorf("%s, one pass: %v", name, r)
			}
		}
	}
}

// Where the mean is a million σ the bound still tells a result from none: it is a
// share of σ, not of the mean.
func TestNormBoundFar(t *testing.T) {
	d := backend.Desc{Op: backend.LayerNorm{Axis: -1, Epsilon: 1e-5}, In: []backend.TensorDesc{backend.F32(4, 310), backend.F32(310), backend.F32(310)}}
	in := inputs(t, d, Normal, 7)
	for i := range in[0].Float32s() {
		in[0].Float32s()[i] += 1e6
	}
	y := tensor.Must(tensor.New(tensor.Float32, 4, 310))
	normalise(d, in, y.Float32s(), moments32)
	if r := judge(t, d, Normal, in, y); r.Verdict != Pass {
		t.Errorf("moments in two passes: %v", r)
	}
	for i := range y.Float32s() {
		y.Float32s()[i] = in[2].Float32s()[i%310]
	}
	if r := judge(t, d, Normal, in, y); r.Verdict != Fail || r.Outputs[0].Over < 900 {
		t.Errorf("the bias alone: %v", r)
	}
}

// Under Exact each element counts: a kernel that takes another value for one is
// found, whichever it is, and so is a wrong ε or an unbiased variance.
func TestNormExact(t *testing.T) {
	for name, d := range normDescs() {
		in := inputs(t, d, Exact, 6)
		length, _, _, _ := normRuns(d)
		y := tensor.Must(tensor.New(tensor.Float32, d.In[0].Shape...))
		x := in[0].Float32s()
		e, err := Expect(d, Exact, in, define)
		if err != nil {
			t.Fatal(err)
		}
		wrong := func(what string, of func([]float32) (float64, float64, float64)) {
			t.Helper()
			normalise(d, in, y.Float32s(), of)
			if r, err := e.Judge([]*tensor.Tensor{y}); err != nil || r.Verdict != Fail {
				t.Errorf("%s, %s: %v %v", name, what, r, err)
			}
		}
		for at := 0; at < length; at += 1 + length/40 {
			for _, by := range []float32{1, -1, 7, -x[at]} {
				if by == 0 {
					continue
				}
				wrong("an element off", func(run []float32) (float64, float64, float64) {
					run = append([]float32{}, run...)
					run[at] += by
					return moments(run)
				})
			}
		}
		wrong("unbiased", func(run []float32) (float64, float64, float64) {
			m, r, v := moments(run)
			return m, r, v * float64(length) / float64(length-1)
		})
		if name == "layer" {
			wrong("no ε", func(run []float32) (float64, float64, float64) {
				m, r, v := moments(run)
				return m, r, v + 1
			})
		}
	}
	d := backend.Desc{Op: backend.InstanceNorm{}, In: []backend.TensorDesc{backend.F32(1, 1, 2), backend.F32(1), backend.F32(1)}}
	in := []*tensor.Tensor{f32([]float32{1, 2.5}, 1, 1, 2), f32([]float32{1}, 1), f32([]float32{1}, 1)}
	if _, err := Expect(d, Exact, in, define); err == nil {
		t.Error("2.5 was taken for an integer")
	}
}

func TestLRNBound(t *testing.T) {
	for _, op := range []backend.LRN{
		{Size: 5, Alpha: 1e-4, Beta: 0.75, K: 2}, {Size: 3, Alpha: 1, Beta: 0.5, K: 1}, {Size: 4, Alpha: 2, Beta: 1}, {Size: 50, Alpha: 1, Beta: 2, K: 1},
	} {
		d := backend.Desc{Op: op, In: []backend.TensorDesc{backend.F32(2, 13, 4)}}
		for _, f := range Fills() {
			in := inputs(t, d, f, 5)
			y := tensor.Must(tensor.New(tensor.Float32, d.In[0].Shape...))
			respond(op, in[0], y.Float32s(), 0)
			for i, v := range y.Float32s() {
				y.Float32s()[i] = v * (1 + 4*U)
			}
			if r := judge(t, d, f, in, y); r.Verdict != Pass {
				t.Errorf("%+v, %v: %v", op, f, r)
			}
			if f == Special {
				continue
			}
			other := op
			other.Size++
			other.Alpha *= float32(other.Size) / float32(op.Size)
			if op.Size < 13 {
				respond(other, in[0], y.Float32s(), 0)
				if r := judge(t, d, f, in, y); r.Verdict != Fail {
					t.Errorf("%+v, %v, one channel more: %v", op, f, r)
				}
				respond(op, in[0], y.Float32s(), 1)
				if r := judge(t, d, f, in, y); r.Verdict != Fail {
					t.Errorf("%+v, %v, the window one on: %v", op, f, r)
				}
			}
			respond(backend.LRN{Size: op.Size, Alpha: op.Alpha, Beta: op.Beta * 1.01, K: op.K}, in[0], y.Float32s(), 0)
			if r := judge(t, d, f, in, y); r.Verdict != Fail && op.Alpha > 1e-3 {
				t.Errorf("%+v, %v, another power: %v", op, f, r)
			}
		}
	}
}
