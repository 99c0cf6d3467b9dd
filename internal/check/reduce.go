package check

import (
	"fmt"
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// reducedSize returns how many elements of x each element of y is made of.
func reducedSize(op backend.Reduce, x tensor.Shape) (int, error) {
	reduced, err := op.Reduced(len(x))
	if err != nil {
		return 0, err
	}
	set := tensor.Shape{}
	for i, n := range x {
		if reduced[i] {
			set = append(set, n)
		}
	}
	return set.Size(), nil
}

// reduceRole returns what the input of a reduction is filled with.
func reduceRole(fn backend.ReduceKind) role {
	switch fn {
	case backend.ReduceMean:
		return rolePooled
	case backend.ReduceMax, backend.ReduceMin:
		return roleCompared
	case backend.ReduceProd:
		return roleProduct
	case backend.ReduceLogSum:
		return roleLogSum
	case backend.ReduceLogSumExp:
		return roleLogit
	}
	return roleFactor
}

// powers returns the standard deviation of exponents of two such that those of a
// product of so many factors have less than a third of float32's range.
func powers(terms int) float64 { return min(1, 40/math.Sqrt(float64(terms))) }

// reduceBound bounds reductions of K elements, with B = Σ|x|:
//
//	sum, L1, mean        as sums of products and means
//	sum of squares       4√(K+1)·u·y, fail γ_{K+3}·y
//	L2                   half of that, and 4 roundings of the root
//	product              (4√K + 4)u·|y|, fail γ_{K+4}·|y|
//	log-sum              (4√K·u·B)/S + 8u·(1+|y|), for S > 0
//	log-sum-exp          (Σp|x−m| + 4√K + 8 + 4 ln S + |m| + |y|)u, S = Σ e^(x−m), p = e^(x−m)/S
//
// Maxima and minima are equal. Under Exact sums are exact, and products are of powers
// of two; of a root or a logarithm a quarter of the step of an integer is allowed,
// where it is more than rounding.
func reduceBound(op backend.Reduce, d backend.Desc, f Fill, k int, in, want []*tensor.Tensor, ref Evaluator) ([]bound, error) {
	switch op.Fn {
	case backend.ReduceMax, backend.ReduceMin:
		return []bound{{text: "equal"}}, nil
	case backend.ReduceMean:
		if k == 0 {
			return []bound{{text: "equal"}}, nil
		}
		return meanBound(d, f, k, in, want, ref)
	case backend.ReduceLogSumExp:
		return logSumExpBound(op, k, in[0], want[0], ref)
	}
	if f == Exact && op.Fn != backend.ReduceProd {
		if err := wantIntegers(op, "x", in[0]); err != nil {
			return nil, err
		}
		m := maxAbs(in[0])
		if op.Fn == backend.ReduceSumSquare || op.Fn == backend.ReduceL2 {
			m *= m
		}
		sum, err := ref(backend.Desc{Op: backend.Reduce{Fn: magnitude(op.Fn), Axes: op.Axes, KeepDims: op.KeepDims}, In: d.In}, in)
		if err != nil {
			return nil, err
		}
		if s := maxAbs(sum[0]); s >= exactMax { // the reference rounds
			return nil, fmt.Errorf("check: %v: exact fill: sums reach %.3g, want below 2²⁴", op.Fn, s)
		}
	}
	if f == Exact {
		switch op.Fn {
		case backend.ReduceL2: // √(S+1) − √S
			return []bound{eachBound(want[0], "1/(8√S)", func(_ int, y float64) (float64, float64) {
				l := max(1/(8*max(y, 1)), 4*U*y)
				return l, l
			})}, nil
		case backend.ReduceLogSum: // ln(S+1) − ln S
			return []bound{eachBound(want[0], "1/(8S)", func(_ int, y float64) (float64, float64) {
				l := max(math.Exp(-y)/8, 8*U*(1+math.Abs(y)))
				return l, l
			})}, nil
		}
		return []bound{{text: "exact"}}, nil
	}
	usual, most := Usual(k), Gamma(k+2)
	switch op.Fn {
	case backend.ReduceSumSquare:
		return []bound{eachBound(want[0], fmt.Sprintf("4√K·u·y, fail γ·y, K=%d", k), func(_ int, y float64) (float64, float64) {
			rest := U*y + float64(k)*flushed
			return Usual(k+1)*y + rest, Gamma(k+3)*y + rest
		})}, nil
	case backend.ReduceL2:
		return []bound{eachBound(want[0], fmt.Sprintf("(2√K+5)u·y, fail (γ/2+5u)·y, K=%d", k), func(_ int, y float64) (float64, float64) {
			return (Usual(k+1)/2+5*U)*y + flushed, (Gamma(k+3)/2+5*U)*y + flushed
		})}, nil
	case backend.ReduceProd:
		return []bound{eachBound(want[0], fmt.Sprintf("(4√K+4)u·|y|, fail γ·|y|, K=%d", k), func(_ int, y float64) (float64, float64) {
			y = math.Abs(y)
			return (usual+4*U)*y + flushed, (most+4*U)*y + flushed
		})}, nil
	}
	size, err := ref(backend.Desc{Op: backend.Reduce{Fn: backend.ReduceL1, Axes: op.Axes, KeepDims: op.KeepDims}, In: d.In}, in)
	if err != nil {
		return nil, fmt.Errorf("check: reference on absolute values: %w", err)
	}
	b := size[0].Float32s()
	if op.Fn == backend.ReduceLogSum {
		return []bound{eachBound(want[0], fmt.Sprintf("4√K·u·B/S+8u(1+|y|), K=%d", k), func(i int, y float64) (float64, float64) {
			share, own := float64(b[i])/math.Exp(y), 8*U*(1+math.Abs(y))
			return usual*share + own, most*share + own
		})}, nil
	}
	return []bound{eachBound(want[0], fmt.Sprintf("4√K·u·B, fail γ·B, K=%d", k), func(i int, y float64) (float64, float64) {
		m, rest := float64(b[i]), U*math.Abs(y)+float64(k)*flushed
		return usual*m + rest, most*m + rest
	})}, nil
}

// magnitude is the reduction that bounds the integers which fn adds up on the way.
func magnitude(fn backend.ReduceKind) backend.ReduceKind {
	if fn == backend.ReduceSumSquare || fn == backend.ReduceL2 {
		return backend.ReduceSumSquare
	}
	return backend.ReduceL1
}

// logSumExpBound is the bound of log-softmax, without the element that is subtracted.
func logSumExpBound(op backend.Reduce, k int, x, want *tensor.Tensor, ref Evaluator) ([]bound, error) {
	keep := backend.Reduce{Fn: backend.ReduceMax, Axes: op.Axes, KeepDims: true}
	most, err := ref(backend.DescOf(keep, x), []*tensor.Tensor{x})
	if err != nil {
		return nil, fmt.Errorf("check: reference of the maximum: %w", err)
	}
	shape, kept := x.Shape(), most[0].Shape()
	m := most[0].Float32s()
	sum, weighted := make([]float64, len(m)), make([]float64, len(m))
	strides := kept.Strides()
	for i, v := range x.Float32s() {
		at := 0
		for dim, rest := len(shape)-1, i; dim >= 0; dim-- {
			if kept[dim] > 1 {
				at += rest % shape[dim] * strides[dim]
			}
			rest /= shape[dim]
		}
		a := float64(v) - float64(m[at])
		if e := math.Exp(a); e > 0 {
			sum[at] += e
			weighted[at] += e * math.Abs(a)
		}
	}
	root := 4 * math.Sqrt(float64(k))
	return []bound{eachBound(want, fmt.Sprintf("(Σp|x−max|+4√K+8+4lnS+|max|+|y|)u, K=%d", k), func(i int, y float64) (float64, float64) {
		l := (weighted[i]/sum[i]+root+8+4*math.Log(sum[i])+math.Abs(float64(m[i]))+math.Abs(y))*U + flushed
		return l, l
	})}, nil
}
