package check

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

func f32(v []float32, shape ...int) *tensor.Tensor { return tensor.Must(tensor.From(v, shape...)) }

// define is a reference for the ops of these tests, in float64.
func define(d backend.Desc, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
	d, err := d.Resolve()
	if err != nil {
		return nil, err
	}
	y := tensor.Must(tensor.New(tensor.Float32, d.Out[0].Shape...))
	x, out := in[0].Float32s(), y.Float32s()
	switch op := d.Op.(type) {
	case backend.Dense:
		w := in[1].Float32s()
		n, k := in[1].Shape()[0], in[1].Shape()[1]
		for i := range out {
			sum := 0.0
			for j := range k {
				sum += float64(x[i/n*k+j]) * float64(w[i%n*k+j])
			}
			rest := in[2:]
			if op.Bias {
				sum += float64(rest[0].Float32s()[i%n])
				rest = rest[1:]
			}
			for _, s := range op.Epilogue {
				switch s.Kind {
				case backend.ScaleShift:
					sum = sum*float64(rest[0].Float32s()[i%n]) + float64(rest[1].Float32s()[i%n])
					rest = rest[2:]
				case backend.Residual:
					sum += float64(rest[0].Float32s()[i])
					rest = rest[1:]
				case backend.Activate:
					sum = activate(s.Act, sum)
				}
			}
			out[i] = float32(sum)
		}
	case backend.Activation:
		for i, v := range x {
			out[i] = float32(activate(op.Act, float64(v)))
		}
	case backend.Softmax: // of the last axis
		k := in[0].Shape()[len(in[0].Shape())-1]
		for r := 0; r < len(x); r += k {
			m, sum := math.Inf(-1), 0.0
			for _, v := range x[r : r+k] {
				m = max(m, float64(v))
			}
			for _, v := range x[r : r+k] {
				sum += math.Exp(float64(v) - m)
			}
			for i, v := range x[r : r+k] {
				a := float64(v) - m
				if op.Log {
					out[r+i] = float32(a - math.Log(sum))
				} else {
					out[r+i] = float32(math.Exp(a) / sum)
				}
			}
		}
	case backend.GlobalPool:
		k := in[0].Shape()[2:].Size()
		for i := range out {
			sum := 0.0
			for _, v := range x[i*k : i*k+k] {
				sum += float64(v)
			}
			out[i] = float32(sum / float64(k))
		}
	case backend.BatchNorm:
		plane := in[0].Shape()[2:].Size()
		for i := range out {
			c := i / plane % in[0].Shape()[1]
			v := func(n int) float64 { return float64(in[n].Float32s()[c]) }
			out[i] = float32(v(1)*(float64(x[i])-v(3))/math.Sqrt(v(4)+float64(op.Epsilon)) + v(2))
		}
	case backend.GroupNorm, backend.InstanceNorm, backend.LayerNorm:
		normalise(d, in, out, moments)
	case backend.LRN:
		respond(op, in[0], out, 0)
	case backend.Binary:
		for i := range out {
			a, b := float64(x[i]), float64(in[1].Float32s()[i])
			slope := 1.0
			if a < 0 {
				slope = b
			}
			out[i] = float32([]float64{a + b, a - b, a * b, a / b, a * slope, max(a, b), min(a, b), math.Pow(a, b), sign(b-a) * max(0, sign(b-a))}[op.Fn]) // to Less
		}
	case backend.Where:
		for i := range out {
			from := 2
			if x[i] != 0 {
				from = 1
			}
			out[i] = in[from].Float32s()[i]
		}
	case backend.Reorder:
		copy(out, x)
	case backend.Resize: // linear, one dim, to the double
		k := in[0].Shape()[2]
		for i := range out {
			row := x[i/(2*k)*k:][:k]
			at := max(0, float64(i%(2*k))/2-0.25)
			lo := int(at)
			w := at - float64(lo)
			out[i] = float32(float64(row[lo])*(1-w) + float64(row[min(lo+1, k-1)])*w)
		}
	default:
		return nil, fmt.Errorf("no definition of %T", d.Op)
	}
	return []*tensor.Tensor{y}, nil
}

func activate(a backend.Act, v float64) float64 {
	switch a.Kind {
	case backend.Relu:
		return max(v, 0)
	case backend.LeakyRelu:
		if v < 0 {
			return v * float64(a.Alpha)
		}
		return v
	case backend.Clip:
		return min(max(v, float64(a.Alpha)), float64(a.Beta))
	case backend.Sigmoid:
		return 1 / (1 + math.Exp(-v))
	case backend.Tanh:
		return math.Tanh(v)
	case backend.HardSigmoid:
		return min(max(float64(a.Alpha)*v+float64(a.Beta), 0), 1)
	case backend.Softplus:
		return max(v, 0) + math.Log1p(math.Exp(-math.Abs(v)))
	case backend.Softsign:
		v = min(max(v, -1e30), 1e30)
		return v / (1 + math.Abs(v))
	case backend.Exp:
		return math.Exp(v)
	case backend.Abs:
		return math.Abs(v)
	case backend.Neg:
		return -v
	case backend.Ceil:
		return math.Ceil(v)
	case backend.Floor:
		return math.Floor(v)
	case backend.Round:
		return math.RoundToEven(v)
	case backend.Sign:
		return sign(v)
	case backend.Sqrt:
		return math.Sqrt(v)
	case backend.Reciprocal:
		return 1 / v
	case backend.Log:
		return math.Log(v)
	case backend.Erf:
		return math.Erf(v)
	case backend.ThresholdedRelu:
		if v <= float64(a.Alpha) {
			return 0
		}
		return v
	case backend.Sin:
		return math.Sin(v)
	case backend.Cos:
		return math.Cos(v)
	}
	if v < 0 {
		switch a.Kind {
		case backend.Elu:
			return float64(a.Alpha) * math.Expm1(v)
		case backend.Selu:
			return 1.7580993408473766 * math.Expm1(v)
		case backend.Celu:
			return float64(a.Alpha) * math.Expm1(v/float64(a.Alpha))
		}
	}
	gate := 1.0
	switch a.Kind {
	case backend.Selu:
		gate = 1.0507009873554805
	case backend.Silu:
		gate = 1 / (1 + math.Exp(-v))
	case backend.HardSwish:
		gate = min(max(v+3, 0), 6) / 6
	case backend.Mish:
		gate = math.Tanh(math.Log1p(math.Exp(min(v, 50))))
	case backend.Gelu:
		gate = math.Erfc(-v/math.Sqrt2) / 2
	case backend.GeluTanh:
		gate = 1 / (1 + math.Exp(-math.Sqrt(8/math.Pi)*(v+0.044715*v*v*v)))
	}
	return max(v, -1000) * gate
}

// acts are activations of every kind.
func acts() []backend.Act {
	as := []backend.Act{{Kind: backend.LeakyRelu, Alpha: 3}, {Kind: backend.Clip, Alpha: 2, Beta: 600}, {Kind: backend.Clip, Alpha: -1e30, Beta: 1e30},
		{Kind: backend.Elu, Alpha: 1.5}, {Kind: backend.Elu, Alpha: -2}, {Kind: backend.Celu, Alpha: 2}, {Kind: backend.HardSigmoid, Alpha: 0.2, Beta: 0.5}, {Kind: backend.HardSigmoid, Alpha: -3, Beta: 4}}
	for _, k := range backend.ActKinds() {
		if !slices.ContainsFunc(as, func(a backend.Act) bool { return a.Kind == k }) {
			as = append(as, backend.Act{Kind: k})
		}
	}
	return as
}

// The ways in which correct float32 code sums products.
var sums = map[string]func(x, w []float32) float32{
	"sequential": func(x, w []float32) float32 {
		var s float32
		for i := range x {
			p := x[i] * w[i]
			s += p
		}
		return s
	},
	"fma": func(x, w []float32) float32 {
		var s float32
		for i := range x {
			s = fma(x[i], w[i], s)
		}
		return s
	},
	"blocked": func(x, w []float32) float32 {
		var total float32
		for i := 0; i < len(x); i += 64 {
			var s float32
			for j := i; j < min(i+64, len(x)); j++ {
				s = fma(x[j], w[j], s)
			}
			total += s
		}
		return total
	},
	"pairwise": pairwise,
	"lanes": func(x, w []float32) float32 {
		var s [16]float32
		for i := range x {
			s[i%16] = fma(x[i], w[i], s[i%16])
		}
		for n := 8; n > 0; n /= 2 {
			for i := range n {
				s[i] += s[i+n]
			}
		}
		return s[0]
	},
}

// fma rounds once: products of float32 are exact in float64, and the sum's double
// rounding is no worse than what hardware may do.
func fma(a, b, c float32) float32 { return float32(math.FMA(float64(a), float64(b), float64(c))) }

func pairwise(x, w []float32) float32 {
	if len(x) == 1 {
		return x[0] * w[0]
	}
	h := len(x) / 2
	return pairwise(x[:h], w[:h]) + pairwise(x[h:], w[h:])
}

func dense(rows, k, n int) backend.Desc {
	return backend.Desc{Op: backend.Dense{}, In: []backend.TensorDesc{backend.F32(rows, k), backend.F32(n, k)}}
}

// compute runs a Dense without bias by one way of summing.
func compute(in []*tensor.Tensor, sum func(x, w []float32) float32) *tensor.Tensor {
	x, w := in[0].Float32s(), in[1].Float32s()
	k, n, rows := in[0].Shape()[1], in[1].Shape()[0], in[0].Shape()[0]
	y := tensor.Must(tensor.New(tensor.Float32, rows, n))
	for i := range y.Float32s() {
		y.Float32s()[i] = sum(x[i/n*k:][:k], w[i%n*k:][:k])
	}
	return y
}

func judge(t *testing.T, d backend.Desc, f Fill, in []*tensor.Tensor, got *tensor.Tensor) Result {
	t.Helper()
	r, err := Judge(d, f, in, []*tensor.Tensor{got}, define)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func inputs(t *testing.T, d backend.Desc, f Fill, seed uint64) []*tensor.Tensor {
	t.Helper()
	in, err := Inputs(d, f, seed)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestCorrectSumsPass(t *testing.T) {
	for _, k := range []int{1, 2, 3, 9, 27, 576, 4608} {
		for _, f := range Fills() {
			d := dense(6, k, 40)
			in := inputs(t, d, f, uint64(k))
			for name, sum := range sums {
				if r := judge(t, d, f, in, compute(in, sum)); r.Verdict != Pass {
					t.Errorf("K=%d %v %s: %v", k, f, name, r)
				}
			}
		}
	}
}

// A bug in a single term must be found under Exact fill at any length; random data
// and the worst-case bound do not find it, and a fixed tolerance refuses correct
// sums: the reasons for the two fills.
func TestDroppedTerm(t *testing.T) {
	for _, k := range []int{9, 4608, 25088} {
		d := dense(4, k, 16)
		in := inputs(t, d, Exact, 1)
		for _, drop := range []int{0, k / 2, k - 1} {
			got := compute(in, func(x, w []float32) float32 { return pairwise(x, w) - x[drop]*w[drop] })
			if r := judge(t, d, Exact, in, got); r.Verdict != Fail || r.Outputs[0].Over < 32 {
				t.Errorf("K=%d without term %d: %v", k, drop, r)
			}
		}
	}

	const k = 4608
	d := dense(8, k, 64)
	in := inputs(t, d, Normal, 1)
	r := judge(t, d, Normal, in, compute(in, func(x, w []float32) float32 { return pairwise(x, w) - x[7]*w[7] }))
	want, _ := define(d, in)
	failed := 0
	e, err := Expect(d, Normal, in, define)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want[0].Size() {
		x, w := in[0].Float32s()[i/64*k+7], in[1].Float32s()[i%64*k+7]
		if _, fail := e.bounds[0].of(i); math.Abs(float64(x)*float64(w)) > fail {
			failed++
		}
	}
	if share := float64(failed) / 512; share > 0.6 {
		t.Errorf("γ finds %.0f %% of dropped terms at K = %d: is Exact still needed?", 100*share, k)
	}
	if r.Verdict == Pass {
		t.Errorf("512 dropped terms of random data pass: %v", r)
	}

	in = unscaled(in)
	want, _ = define(d, in)
	refused := 0
	for i, y := range compute(in, sums["sequential"]).Float32s() {
		ref := float64(want[0].Float32s()[i])
		if math.Abs(float64(y)-ref) > 1e-5+1.3e-6*math.Abs(ref) {
			refused++
		}
	}
	if share := float64(refused) / 512; share < 0.15 {
		t.Errorf("rtol=1.3e-6, atol=1e-5 refuses %.0f %% of correct sums: is a bound still needed?", 100*share)
	}
	if r := judge(t, d, Normal, in, compute(in, sums["sequential"])); r.Verdict != Pass {
		t.Errorf("the same sums by the bound: %v", r)
	}
}

// unscaled gives the weights the variance 1.
func unscaled(in []*tensor.Tensor) []*tensor.Tensor {
	w := in[1].Clone()
	r := rand.New(rand.NewPCG(3, 4))
	for i := range w.Float32s() {
		w.Float32s()[i] = float32(r.NormFloat64())
	}
	return []*tensor.Tensor{in[0], w}
}

func TestPlantedBugs(t *testing.T) {
	const k, n = 4608, 16
	d := dense(4, k, n)
	in := inputs(t, d, Exact, 9)
	right := compute(in, pairwise)
	bugs := map[string]func(y []float32){
		"neighbour's tap": func(y []float32) {
			copy(y, compute(in, func(x, w []float32) float32 { return pairwise(x, append(w[1:k:k], w[0])) }).Float32s())
		},
		"transposed": func(y []float32) {
			for i := range 4 {
				for j := range n {
					y[i*n+j] = right.Float32s()[j*4+i]
				}
			}
		},
		"one element unwritten": func(y []float32) { y[37] = float32(math.NaN()) },
		"one off by one":        func(y []float32) { y[63]++ },
	}
	for name, plant := range bugs {
		got := right.Clone()
		plant(got.Float32s())
		if r := judge(t, d, Exact, in, got); r.Verdict != Fail {
			t.Errorf("%s: %v", name, r)
		}
	}
	got := right.Clone()
	got.Float32s()[37] = float32(math.NaN())
	c := judge(t, d, Exact, in, got).Outputs[0]
	if c.NaNMismatches != 1 || c.WorstIndex != "[2,5]" || c.Got == c.Got {
		t.Errorf("NaN at [2,5]: %v", c)
	}
}

func TestGamma(t *testing.T) {
	for n, want := range map[int]float64{0: 0, 1: 5.9604648e-08, 4610: 2.7485e-4, 1 << 23: 1} {
		if got := Gamma(n); math.Abs(got-want) > 1e-4*want {
			t.Errorf("γ_%d: got %v, want %v", n, got, want)
		}
	}
	if !math.IsInf(Gamma(1<<24), 1) {
		t.Error("γ of 2²⁴ terms is finite")
	}
	if got, want := Usual(4608), 4*math.Sqrt(4608)*math.Exp2(-24); got != want {
		t.Errorf("Usual(4608): got %v, want %v", got, want)
	}
	for k := range 100 {
		if Usual(k) > Gamma(k+2) {
			t.Errorf("K=%d: passes above γ", k)
		}
	}
}

func TestQuarterRule(t *testing.T) {
	d := backend.Desc{Op: backend.GlobalPool{Mean: true}, In: []backend.TensorDesc{backend.F32(2, 3, 7, 9)}}
	in := inputs(t, d, Exact, 5)
	for _, v := range in[0].Float32s() {
		if v == 0 {
			t.Fatal("a zero would hide a dropped term")
		}
	}
	e, err := Expect(d, Exact, in, define)
	if err != nil {
		t.Fatal(err)
	}
	at := func(off float64) Verdict {
		got := e.Want[0].Clone()
		got.Float32s()[4] += float32(off)
		r, err := e.Judge([]*tensor.Tensor{got})
		if err != nil {
			t.Fatal(err)
		}
		return r.Verdict
	}
	if at(0.2/63) != Pass || at(-0.2/63) != Pass || at(0.3/63) != Fail || at(-1.0/63) != Fail {
		t.Errorf("0.2, 0.3, 1 of 1/k: %v, %v, %v", at(0.2/63), at(0.3/63), at(1.0/63))
	}
}

func TestEpilogue(t *testing.T) {
	steps := backend.Epilogue{{Kind: backend.ScaleShift}, {Kind: backend.Residual}, {Kind: backend.Activate}}
	const rows, k, n = 5, 200, 12
	for _, a := range acts() {
		steps[2].Act = a
		d := dense(rows, k, n)
		d.Op = backend.Dense{Bias: true, Epilogue: steps}
		d.In = append(d.In, backend.F32(n), backend.F32(n), backend.F32(n), backend.F32(rows, n))
		for _, f := range Fills() {
			in := inputs(t, d, f, 3)
			y := compute(in, sums["fma"])
			bad := y.Clone()
			for i := range y.Float32s() {
				op := func(j int) float32 { return in[j].Float32s()[i%n] }
				finish := func(v float32) float32 {
					v += op(2)
					v = v*op(3) + op(4)
					v += in[5].Float32s()[i]
					return float32(activate(a, float64(v)))
				}
				bad.Float32s()[i] = finish(y.Float32s()[i] + 1)
				y.Float32s()[i] = finish(y.Float32s()[i])
			}
			if r := judge(t, d, f, in, y); r.Verdict != Pass {
				t.Errorf("%+v %v: %v", a, f, r)
			}
			if a.Kind == backend.Sign { // which is all that is left of a sum that is off
				continue
			}
			if r := judge(t, d, f, in, bad); f == Exact && r.Verdict != Fail {
				t.Errorf("%+v %v, sums off by 1: %v", a, f, r)
			}
		}
	}
}

// Where the error of a sum holds the end of an activation's domain, any value passes,
// and only there; where most elements are so, there is no judgment.
func TestEndOfDomain(t *testing.T) {
	dense := func(k backend.ActKind, w ...float32) (backend.Desc, []*tensor.Tensor) {
		n := len(w) / 2
		op := backend.Dense{Epilogue: backend.Epilogue{{Kind: backend.Activate, Act: backend.Act{Kind: k}}}}
		return backend.Desc{Op: op, In: []backend.TensorDesc{backend.F32(1, 2), backend.F32(n, 2)}}, []*tensor.Tensor{f32([]float32{1, 1}, 1, 2), f32(w, n, 2)}
	}
	ref := func(d backend.Desc, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		x, w := in[0].Float32s(), in[1].Float32s()
		y := make([]float32, len(w)/2)
		for i := range y {
			v := float64(x[0])*float64(w[2*i]) + float64(x[1])*float64(w[2*i+1])
			for _, s := range d.Op.(backend.Dense).Epilogue {
				v = activate(s.Act, v)
			}
			y[i] = float32(v)
		}
		return []*tensor.Tensor{f32(y, 1, len(y))}, nil
	}
	nan := float32(math.NaN())
	for _, k := range []backend.ActKind{backend.Sqrt, backend.Log, backend.Reciprocal} {
		d, in := dense(k, 0.1, -0.1, 1, 1, 2.5, 1, 3, 0.3, 4, 4)
		e, err := Expect(d, Normal, in, ref)
		if err != nil {
			t.Fatalf("%v: %v", k, err)
		}
		for at, want := range []Verdict{Pass, Fail, Fail, Fail, Fail} {
			got := e.Want[0].Clone()
			got.Float32s()[at] = nan
			r, err := e.Judge([]*tensor.Tensor{got})
			if err != nil || r.Verdict != want || !strings.Contains(r.Outputs[0].Bound, "1 elements open") {
				t.Errorf("%v, NaN at %d: %v, %v", k, at, r, err)
			}
		}
		d, in = dense(k, 0.1, -0.1, 1, 1, 2.5, -2.5, 3, 0.3)
		if _, err := Expect(d, Normal, in, ref); err == nil || !strings.Contains(err.Error(), "2 of 4 elements are within their error of") {
			t.Errorf("%v, half of the sums are 0: %v", k, err)
		}
		if k == backend.Sqrt || k == backend.Log { // exact sums are 0, and nothing else
			e, err := Expect(d, Exact, []*tensor.Tensor{in[0], f32([]float32{1, -1, 1, 1, 2, -2, 3, 3}, 4, 2)}, ref)
			if err != nil || e.bounds[0].open != nil {
				t.Errorf("%v, exact: %v, open %v", k, err, e.bounds[0].open)
			}
		}
	}
	// What jumps may be on either side, and not beyond.
	d, in := dense(backend.Ceil, 0.1, -0.1, 0.5, 0.5, 2.5, 1.25)
	e, err := Expect(d, Normal, in, ref)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		y    []float32
		want Verdict
	}{{[]float32{0, 1, 4}, Pass}, {[]float32{1, 2, 4}, Pass}, {[]float32{2, 1, 4}, Fail}, {[]float32{0, 1, 3}, Fail}} {
		if r, err := e.Judge([]*tensor.Tensor{f32(c.y, 1, 3)}); err != nil || r.Verdict != c.want {
			t.Errorf("ceiling %v: %v, %v", c.y, r, err)
		}
	}
}

// Correct float32 code of the other ops passes, and the same with a small mistake
// does not.
func TestOtherOps(t *testing.T) {
	row := []backend.TensorDesc{backend.F32(6, 301)}
	two := []backend.TensorDesc{backend.F32(6, 301), backend.F32(6, 301)}
	norm := []backend.TensorDesc{backend.F32(3, 5, 40), backend.F32(5), backend.F32(5), backend.F32(5), backend.F32(5)}
	exp := func(v float32) float32 { return float32(math.Exp(float64(v))) }
	activation := func(k backend.ActKind) backend.Desc {
		return backend.Desc{Op: backend.Activation{Act: backend.Act{Kind: k}}, In: row}
	}
	each := func(f func(x float32) float32) func(in []*tensor.Tensor, y []float32) {
		return func(in []*tensor.Tensor, y []float32) {
			for i, v := range in[0].Float32s() {
				y[i] = f(v)
			}
		}
	}
	softmax := func(log bool) func(in []*tensor.Tensor, y []float32) {
		return func(in []*tensor.Tensor, y []float32) {
			x := in[0].Float32s()
			for r := 0; r < len(x); r += 301 {
				m, sum := float32(math.Inf(-1)), float32(0)
				for _, v := range x[r : r+301] {
					m = max(m, v)
				}
				for _, v := range x[r : r+301] {
					sum += exp(v - m)
				}
				for i, v := range x[r : r+301] {
					if log {
						y[r+i] = v - m - float32(math.Log(float64(sum)))
					} else {
						y[r+i] = exp(v-m) / sum
						if y[r+i] < 0x1p-126 {
							y[r+i] = 0
						}
					}
				}
			}
		}
	}
	cases := map[string]struct {
		d    backend.Desc
		calc func(in []*tensor.Tensor, y []float32)
		bug  float64 // relative
	}{
		"softmax":     {backend.Desc{Op: backend.Softmax{Axis: -1}, In: row}, softmax(false), 1e-4},
		"log-softmax": {backend.Desc{Op: backend.Softmax{Axis: 1, Log: true}, In: row}, softmax(true), 1e-3},
		"sigmoid": {backend.Desc{Op: backend.Activation{Act: backend.Act{Kind: backend.Sigmoid}}, In: row}, func(in []*tensor.Tensor, y []float32) {
			for i, v := range in[0].Float32s() {
				y[i] = 1 / (1 + exp(-v))
			}
		}, 1e-5},
		"leaky": {backend.Desc{Op: backend.Activation{Act: backend.Act{Kind: backend.LeakyRelu, Alpha: 0.1}}, In: row}, func(in []*tensor.Tensor, y []float32) {
			for i, v := range in[0].Float32s() {
				if y[i] = v; v < 0 {
					y[i] = v * 0.1
				}
			}
		}, 3e-7},
		"silu": {activation(backend.Silu), each(func(x float32) float32 { return max(x, -104) / (1 + exp(-x)) }), 1e-5},
		"hard-sigmoid": {backend.Desc{Op: backend.Activation{Act: backend.Act{Kind: backend.HardSigmoid, Alpha: 0.2, Beta: 0.5}}, In: row}, each(func(x float32) float32 {
			p := 0.2 * x
			return min(max(p+0.5, 0), 1)
		}), 1e-6},
		"hard-swish": {activation(backend.HardSwish), each(func(x float32) float32 { return max(x, -3) * min(max(x+3, 0), 6) * (1. / 6) }), 1e-6},
		"gelu": {activation(backend.Gelu), each(func(x float32) float32 {
			z := max(x, -30) * (1 / math.Sqrt2)
			return max(x, -30) * float32(math.Erfc(float64(-z))) / 2
		}), 1e-5},
		"gelu-tanh": {activation(backend.GeluTanh), each(func(x float32) float32 {
			x = max(x, -30)
			s := x * x
			c := s * 0.044715
			t := x * (1 + c)
			t *= 1.5957691216
			return x / (1 + exp(-max(t, -88)))
		}), 1e-5},
		"softplus": {activation(backend.Softplus), each(func(x float32) float32 {
			return max(x, 0) + float32(math.Log1p(float64(exp(-max(x, -x)))))
		}), 1e-5},
		"prelu": {backend.Desc{Op: backend.Binary{Fn: backend.PRelu}, In: two}, func(in []*tensor.Tensor, y []float32) {
			for i, v := range in[0].Float32s() {
				if y[i] = v; v < 0 {
					y[i] = v * in[1].Float32s()[i]
				}
			}
		}, 2e-7},
		"log":        {activation(backend.Log), each(func(x float32) float32 { return float32(math.Log(float64(x))) }), 1e-6},
		"erf":        {activation(backend.Erf), each(func(x float32) float32 { return float32(math.Erf(float64(x))) }), 1e-6},
		"sine":       {activation(backend.Sin), each(func(x float32) float32 { return float32(math.Sin(float64(x))) }), 1e-6},
		"root":       {activation(backend.Sqrt), each(func(x float32) float32 { return 1 / float32(1/math.Sqrt(float64(x))) }), 1e-6},
		"reciprocal": {activation(backend.Reciprocal), each(func(x float32) float32 { return 1 / x }), 1e-6},
		"round":      {activation(backend.Round), each(func(x float32) float32 { return float32(math.RoundToEven(float64(x))) }), 1e-7},
		"power": {backend.Desc{Op: backend.Binary{Fn: backend.Power}, In: two}, func(in []*tensor.Tensor, y []float32) {
			for i, v := range in[0].Float32s() {
				y[i] = float32(math.Pow(float64(v), float64(in[1].Float32s()[i])))
			}
		}, 3e-2},
		"maximum": {backend.Desc{Op: backend.Binary{Fn: backend.Maximum}, In: two}, func(in []*tensor.Tensor, y []float32) {
			for i, v := range in[0].Float32s() {
				y[i] = max(v, in[1].Float32s()[i])
			}
		}, 1e-7},
		"less": {backend.Desc{Op: backend.Binary{Fn: backend.Less}, In: two}, func(in []*tensor.Tensor, y []float32) {
			for i, v := range in[0].Float32s() {
				if v < in[1].Float32s()[i] {
					y[i] = 1
				}
			}
		}, 1e-7},
		"where": {backend.Desc{Op: backend.Where{}, In: append(two, two[0])}, func(in []*tensor.Tensor, y []float32) {
			for i, v := range in[0].Float32s() {
				if y[i] = in[2].Float32s()[i]; v != 0 {
					y[i] = in[1].Float32s()[i]
				}
			}
		}, 1e-7},
		"divide": {backend.Desc{Op: backend.Binary{Fn: backend.Div}, In: two}, func(in []*tensor.Tensor, y []float32) {
			for i, v := range in[0].Float32s() {
				y[i] = v / in[1].Float32s()[i]
			}
		}, 1e-2},
		"multiply": {backend.Desc{Op: backend.Binary{Fn: backend.Mul}, In: two}, func(in []*tensor.Tensor, y []float32) {
			for i, v := range in[0].Float32s() {
				y[i] = v * in[1].Float32s()[i]
			}
		}, 2e-7},
		"batch norm": {backend.Desc{Op: backend.BatchNorm{Epsilon: 1e-5}, In: norm}, func(in []*tensor.Tensor, y []float32) {
			for i, v := range in[0].Float32s() {
				c := i / 40 % 5
				p := func(n int) float32 { return in[n].Float32s()[c] }
				a := p(1) / float32(math.Sqrt(float64(p(4)+1e-5)))
				y[i] = fma(a, v, p(2)-p(3)*a)
			}
		}, 0.1},
		"linear": {backend.Desc{Op: backend.Resize{Scales: []float64{2}, Mode: backend.ResizeLinear}, In: []backend.TensorDesc{backend.F32(2, 3, 50)}}, func(in []*tensor.Tensor, y []float32) {
			for i := range y {
				row := in[0].Float32s()[i/100*50:][:50]
				j := i % 100
				near, far := j/2, j/2+1-2*(1-j%2)
				y[i] = row[near]*0.75 + row[min(max(far, 0), 49)]*0.25
			}
		}, 3e-6},
		"mean": {backend.Desc{Op: backend.GlobalPool{Mean: true}, In: []backend.TensorDesc{backend.F32(2, 8, 500)}}, func(in []*tensor.Tensor, y []float32) {
			for i := range y {
				var s float32
				for _, v := range in[0].Float32s()[i*500 : i*500+500] {
					s += v
				}
				y[i] = s * float32(1.0/500)
			}
		}, 0.01},
	}
	for name, c := range cases {
		for _, f := range Fills() {
			if name == "batch norm" && f == Adversarial {
				c.bug = 1000 // mean and x cancel
			}
			in := inputs(t, c.d, f, 11)
			want, err := define(c.d, in)
			if err != nil {
				t.Fatal(err)
			}
			y := want[0].Clone()
			c.calc(in, y.Float32s())
			if r := judge(t, c.d, f, in, y); r.Verdict != Pass {
				t.Errorf("%s, %v: %v", name, f, r)
			}
			if f == Exact || f == Special {
				continue // their limits are absolute, or the values not finite
			}
			for i := range y.Float32s() {
				y.Float32s()[i] *= float32(1 + c.bug)
			}
			if r := judge(t, c.d, f, in, y); r.Verdict == Pass {
				t.Errorf("%s, %v, off by %v: %v", name, f, c.bug, r)
			}
		}
	}
}

func TestSpecialValues(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	d := backend.Desc{Op: backend.Reorder{}, In: []backend.TensorDesc{backend.F32(5)}}
	in := []*tensor.Tensor{f32([]float32{nan, inf, -inf, 0, 1}, 5)}
	for i, swap := range []float32{1, -inf, nan, inf, nan} {
		got := in[0].Clone()
		got.Float32s()[i] = swap
		r := judge(t, d, Special, in, got)
		if r.Verdict != Fail || r.Outputs[0].NaNMismatches != 1 || r.Outputs[0].WorstIndex != fmt.Sprintf("[%d]", i) {
			t.Errorf("%v instead of %v: %v", swap, in[0].Float32s()[i], r)
		}
	}
	got := f32([]float32{float32(math.Float32frombits(0xffc00123)), inf, -inf, float32(math.Copysign(0, -1)), 1}, 5)
	if r := judge(t, d, Special, in, got); r.Verdict != Pass {
		t.Errorf("another NaN, −0: %v", r)
	}
}

func TestFigures(t *testing.T) {
	got, want := f32([]float32{1024, 1, -2, 0}, 2, 2), f32([]float32{1024, 1.5, -2, 0.125}, 2, 2)
	c := compare(got, want, &bound{pass: []float64{1, 1, 1, 1}, fail: []float64{2, 2, 2, .1}})
	if c.MaxAbs != 0.5 || c.MaxULP != 0.5/0x1p-23 || c.WorstRatio != 0.5 || c.WorstIndex != "[0,1]" || c.Over != 0 {
		t.Errorf("got %+v", c)
	}
	if c.Verdict != Fail { // the last is over the limit at which it fails
		t.Errorf("verdict: got %v", c.Verdict)
	}
	if l2 := math.Sqrt(.25+.125*.125) / math.Sqrt(1024*1024+2.25+4+.125*.125); math.Abs(c.RelL2-l2) > 1e-12 {
		t.Errorf("relative L2: got %v, want %v", c.RelL2, l2)
	}
	// 0.125 is below 1024/4096, where units in the last place say nothing.
	if c := compare(f32([]float32{1024, 0}, 2), f32([]float32{1024, .125}, 2), &bound{}); c.MaxULP != 0 || !math.IsInf(c.WorstRatio, 1) {
		t.Errorf("got %+v", c)
	}
}

func TestInts(t *testing.T) {
	d := backend.Desc{Op: backend.Reorder{}, In: []backend.TensorDesc{{DType: tensor.Int32, Shape: tensor.Shape{300}}}}
	same := func(_ backend.Desc, in []*tensor.Tensor) ([]*tensor.Tensor, error) { return in, nil }
	for _, f := range []Fill{Exact, Normal} {
		in := inputs(t, d, f, 1)
		got := in[0].Clone()
		if r, err := Judge(d, f, in, []*tensor.Tensor{got}, same); err != nil || r.Verdict != Pass {
			t.Errorf("%v, %v", r, err)
		}
		v, _ := tensor.Data[int32](got)
		v[299]++
		if r, err := Judge(d, f, in, []*tensor.Tensor{got}, same); err != nil || r.Verdict != Fail || r.Outputs[0].WorstIndex != "[299]" {
			t.Errorf("%v, %v", r, err)
		}
	}
}

func TestFills(t *testing.T) {
	for _, f := range Fills() {
		if g, err := ParseFill(f.String()); err != nil || g != f {
			t.Errorf("ParseFill(%q): %v, %v", f.String(), g, err)
		}
	}
	if _, err := ParseFill("constant"); err == nil {
		t.Error("ParseFill of an unknown name succeeded")
	}

	d := backend.Desc{Op: backend.MatMul{}, In: []backend.TensorDesc{backend.F32(50, 50), backend.F32(50, 50)}}
	for _, f := range Fills() {
		a, b := inputs(t, d, f, 1), inputs(t, d, f, 1)
		other := inputs(t, d, f, 2)
		if string(a[0].Bytes()) != string(b[0].Bytes()) {
			t.Errorf("%v: one seed, two values", f)
		}
		if string(a[0].Bytes()) == string(other[0].Bytes()) || string(a[0].Bytes()) == string(a[1].Bytes()) {
			t.Errorf("%v: two streams are alike", f)
		}
		for _, v := range a[0].Float32s() {
			if v != 0 && math.Abs(float64(v)) < 0x1p-126 {
				t.Errorf("%v: denormal %v", f, v)
			}
			if f != Special && special(float64(v)) {
				t.Errorf("%v: %v", f, v)
			}
		}
	}

	// Inputs that are copied have no value in common.
	pair, seen := inputs(t, backend.Desc{Op: backend.Concat{Inputs: 2}, In: []backend.TensorDesc{backend.F32(7), backend.F32(5)}}, Exact, 1), map[float32]bool{}
	for _, x := range pair {
		for _, v := range x.Float32s() {
			if seen[v] {
				t.Errorf("concat: %v stands in both inputs", v)
			}
			seen[v] = true
		}
	}

	// Whatever K, the integers' products stay within 2²⁴, and enough is not 0.
	for _, k := range []int{1, 100, 1 << 18, 1 << 20, 1 << 22, 1 << 25} {
		d := dense(1, k, 1)
		in := inputs(t, d, Exact, 1)
		sum, terms := 0.0, 0
		for i, x := range in[0].Float32s() {
			p := math.Abs(float64(x) * float64(in[1].Float32s()[i]))
			sum += p
			if p > 0 {
				terms++
			}
		}
		if sum > exactMax || k > 1 && terms < min(k/3, 1<<20) {
			t.Errorf("K=%d: Σ|x||w| = %.0f of %d, %d terms are not 0", k, sum, exactMax, terms)
		}
	}

	// About half of the sums must stay finite under Special, and some not.
	d = dense(64, 576, 8)
	in := inputs(t, d, Special, 1)
	y, _ := define(d, in)
	n := 0
	for _, v := range y[0].Float32s() {
		if special(float64(v)) {
			n++
		}
	}
	if n < 64 || n > 448 {
		t.Errorf("special: %d of 512 outputs are not finite", n)
	}
}

// Equality may not be demanded where float32 cannot give it.
func TestExactIsChecked(t *testing.T) {
	d := dense(2, 3, 2)
	x, w := f32([]float32{1, 2, 3, 4, 5, 6}, 2, 3), f32([]float32{1, 2, 3, 4, 5, 6.5}, 2, 3)
	if _, err := Expect(d, Exact, []*tensor.Tensor{x, w}, define); err == nil {
		t.Error("6.5 was taken for an integer")
	}
	w.Float32s()[5] = 1 << 23
	if _, err := Expect(d, Exact, []*tensor.Tensor{x, w}, define); err == nil {
		t.Error("sums above 2²⁴ were accepted")
	}
	if _, err := Expect(d, Exact, []*tensor.Tensor{x}, define); err == nil {
		t.Error("a missing input was accepted")
	}
	if _, err := Judge(d, Normal, []*tensor.Tensor{x, w}, []*tensor.Tensor{x}, define); err == nil {
		t.Error("an output of the wrong shape was accepted")
	}
}
