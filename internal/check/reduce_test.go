package check

import (
	"math"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// reduceRows reduces the rows of a matrix, with sums and products by the given
// functions of what is added and multiplied.
func reduceRows(fn backend.ReduceKind, x []float32, n int, sum func(x []float32) float64, product func(x []float32) float64) []float32 {
	var y []float32
	for at := 0; at < len(x); at += n {
		row := append([]float32{}, x[at:at+n]...)
		largest, least := math.Inf(-1), math.Inf(1)
		for _, v := range row {
			largest, least = max(largest, float64(v)), min(least, float64(v))
		}
		for i, v := range row {
			switch fn {
			case backend.ReduceL1:
				row[i] = float32(math.Abs(float64(v)))
			case backend.ReduceSumSquare:
				row[i] = v * v
			case backend.ReduceLogSumExp:
				row[i] = float32(math.Exp(float64(v) - largest))
			}
		}
		var r float64
		switch fn {
		case backend.ReduceMax:
			r = largest
		case backend.ReduceMin:
			r = least
		case backend.ReduceProd:
			r = product(row)
		case backend.ReduceL2: // scaled: squares may leave the range
			scale := float32(min(max(largest, -least, 1e-30), 1e30))
			for i, v := range row {
				row[i] = v / scale * (v / scale)
			}
			r = math.Sqrt(sum(row)) * float64(scale)
		case backend.ReduceMean:
			r = sum(row) / float64(n)
		case backend.ReduceLogSum:
			r = math.Log(sum(row))
		case backend.ReduceLogSumExp:
			r = math.Log(sum(row)) + largest
			if math.IsInf(largest, 0) {
				r = largest
			}
		default:
			r = sum(row)
		}
		y = append(y, float32(r))
	}
	return y
}

// sum64 and product64 are exact beside float32; a product is one of fractions.
func sum64(x []float32) float64 {
	s := 0.0
	for _, v := range x {
		s += float64(v)
	}
	return s
}

func product64(x []float32) float64 {
	p, e := 1.0, 0
	for _, v := range x {
		f, k := math.Frexp(float64(v))
		p, e = p*f, e+k
		p, k = math.Frexp(p)
		e += k
	}
	return math.Ldexp(p, e)
}

// sum32 is a float32 sum in blocks, and inOrder one without.
func sum32(x []float32) float64 {
	if len(x) > 64 {
		return float64(float32(sum32(x[:len(x)/2])) + float32(sum32(x[len(x)/2:])))
	}
	return inOrder(x)
}

func inOrder(x []float32) float64 {
	s := float32(0)
	for _, v := range x {
		s += v
	}
	return float64(s)
}

func product32(x []float32) float64 {
	p, e := float32(1), 0
	for _, v := range x {
		f, k := math.Frexp(float64(v))
		p, e = p*float32(f), e+k
		f, k = math.Frexp(float64(p))
		p, e = float32(f), e+k
	}
	return math.Ldexp(float64(p), e)
}

// defineReduce is the evaluator of a reduction of a matrix's rows.
func defineReduce(d backend.Desc, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
	op := d.Op.(backend.Reduce)
	x := in[0]
	r, err := d.Resolve()
	if err != nil {
		return nil, err
	}
	// Σ x² of float32 is not exact enough for an oracle.
	if op.Fn == backend.ReduceSumSquare || op.Fn == backend.ReduceL2 || op.Fn == backend.ReduceLogSumExp {
		y := tensor.Must(tensor.New(tensor.Float32, r.Out[0].Shape...))
		n := x.Shape()[1]
		for i := range y.Float32s() {
			row := x.Float32s()[i*n:][:n]
			m := math.Inf(-1)
			for _, v := range row {
				m = max(m, float64(v))
			}
			s := 0.0
			for _, v := range row {
				if op.Fn == backend.ReduceLogSumExp {
					s += math.Exp(float64(v) - m)
				} else {
					s += float64(v) * float64(v)
				}
			}
			switch {
			case op.Fn == backend.ReduceL2:
				s = math.Sqrt(s)
			case op.Fn == backend.ReduceLogSumExp && !math.IsInf(m, 0):
				s = math.Log(s) + m
			case op.Fn == backend.ReduceLogSumExp:
				s = m
			}
			y.Float32s()[i] = float32(s)
		}
		return []*tensor.Tensor{y}, nil
	}
	return []*tensor.Tensor{f32(reduceRows(op.Fn, x.Float32s(), x.Shape()[1], sum64, product64), r.Out[0].Shape...)}, nil
}

func judgeReduce(t *testing.T, d backend.Desc, f Fill, in []*tensor.Tensor, y []float32) Result {
	t.Helper()
	r, err := Judge(d, f, in, []*tensor.Tensor{f32(y, in[0].Shape()[0])}, defineReduce)
	if err != nil {
		t.Fatalf("%+v, %v: %v", d.Op, f, err)
	}
	return r
}

// Correct float32 code passes. Under Exact a dropped element does not.
func TestReduceBound(t *testing.T) {
	for fn := backend.ReduceSum; fn <= backend.ReduceSumSquare; fn++ {
		for _, n := range []int{1, 3, 50, 900} {
			d := backend.Desc{Op: backend.Reduce{Fn: fn, Axes: []int{1}}, In: []backend.TensorDesc{backend.F32(20, n)}}
			for _, f := range Fills() {
				in := inputs(t, d, f, 3)
				y := reduceRows(fn, in[0].Float32s(), n, sum32, product32)
				if r := judgeReduce(t, d, f, in, y); r.Verdict != Pass {
					t.Errorf("%v of %d, %v: %v", fn, n, f, r)
				}
			}
			in := inputs(t, d, Exact, 4)
			x := in[0].Float32s()
			for _, at := range []int{0, n / 2, n - 1} {
				short := append([]float32{}, x...)
				differs := false
				for i := at; i < len(x); i += n {
					// A 0 in a sum is not missed, nor a 1 in a product: the next multiple.
					missing := float32(0)
					if fn == backend.ReduceProd {
						missing = 1
					}
					differs = differs || short[i] != missing
					short[i] = missing
				}
				y := reduceRows(fn, short, n, sum64, product64)
				switch fn {
				case backend.ReduceMax, backend.ReduceMin:
					continue // of many equal ones any may be dropped
				case backend.ReduceLogSumExp: // without the element, not with e^0
					for r := range y {
						row := append([]float32{}, x[r*n:][:n]...)
						row[at] = -1e9
						y[r] = reduceRows(fn, row, n, sum64, product64)[0]
					}
				}
				if r := judgeReduce(t, d, Exact, in, y); differs && r.Verdict != Fail {
					t.Errorf("%v of %d, element %d dropped: %v", fn, n, at, r)
				}
			}
		}
	}
}

// Of many pixels only a sum in blocks passes.
func TestReduceBoundLarge(t *testing.T) {
	const n = 1 << 20
	for _, fn := range []backend.ReduceKind{backend.ReduceL1, backend.ReduceSumSquare, backend.ReduceMean, backend.ReduceLogSum} {
		d := backend.Desc{Op: backend.Reduce{Fn: fn, Axes: []int{1}}, In: []backend.TensorDesc{backend.F32(1, n)}}
		in := inputs(t, d, Uniform, 3)
		for i, v := range in[0].Float32s() {
			in[0].Float32s()[i] = float32(math.Round(math.Abs(float64(v))*30)+220) / 255
		}
		if r := judgeReduce(t, d, Uniform, in, reduceRows(fn, in[0].Float32s(), n, sum32, product32)); r.Verdict != Pass {
			t.Errorf("%v in blocks: %v", fn, r)
		}
		if r := judgeReduce(t, d, Uniform, in, reduceRows(fn, in[0].Float32s(), n, inOrder, product32)); r.Verdict == Pass {
			t.Errorf("%v in order: %v", fn, r)
		}
	}
}

func TestReduceExactIsChecked(t *testing.T) {
	d := backend.Desc{Op: backend.Reduce{Axes: []int{1}}, In: []backend.TensorDesc{backend.F32(1, 2)}}
	for _, x := range [][]float32{{1, 2.5}, {1 << 24, 1}} {
		if _, err := Expect(d, Exact, []*tensor.Tensor{f32(x, 1, 2)}, defineReduce); err == nil {
			t.Errorf("%v was taken for exact", x)
		}
	}
}
