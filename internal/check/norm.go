package check

import (
	"fmt"
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// normRuns returns how an op that normalises by its input's own statistics sees x
// in logical order: runs of length elements with statistics of their own, and the
// index in scale and bias of element i.
func normRuns(d backend.Desc) (length int, param func(i int) int, epsilon float64, err error) {
	x := d.In[0].Shape
	switch op := d.Op.(type) {
	case backend.GroupNorm:
		length, epsilon = x[1]/op.Groups*x[2:].Size(), float64(op.Epsilon)
	case backend.InstanceNorm:
		length, epsilon = x[2:].Size(), float64(op.Epsilon)
	case backend.LayerNorm:
		axis, err := backend.ResolveAxis("LayerNorm", op.Axis, len(x))
		if err != nil {
			return 0, nil, 0, err
		}
		length = x[axis:].Size()
		return length, func(i int) int { return i % length }, float64(op.Epsilon), nil
	default:
		return 0, nil, 0, fmt.Errorf("check: %T is no normalisation", d.Op)
	}
	plane := x[2:].Size()
	return length, func(i int) int { return i / plane % x[1] }, epsilon, nil
}

// normBound bounds y = γŷ + β with ŷ = (x−μ)/σ, σ² = var + ε over K elements, by
//
//	u([4√K·mean|x−μ|/σ + max(|x|,|μ|)/σ + (4√K+8)|ŷ|]·|γ| + |β|)
//
// The first term is the error of μ, as the sum of distances from a value near it,
// or corrected by a second pass: a plain sum loses √K·|μ|, and where |μ| is a
// million σ nothing would be left to judge. The second is the rounding of μ itself.
//
// Exact fill: let one element of a run be off by an integer t ≠ 0. The mean moves by
// t/K, and σ becomes σ' ≤ √(σ² + (2r|t|+t²)/K) with r = max|x−μ|. Of a largest and a
// smallest element of the run, one moves in the same direction for both reasons,
// so by |γt|/(Kσ') at least, which is least for |t| = 1. A quarter of that is
// allowed. Rounding hides it from about ten thousand elements on: then twice what
// exact sums leave of it, which still finds a block that is dropped.
func normBound(d backend.Desc, f Fill, in, want []*tensor.Tensor) ([]bound, error) {
	length, param, eps, err := normRuns(d)
	if err != nil {
		return nil, err
	}
	x, scale, bias, y := in[0].Float32s(), in[1].Float32s(), in[2].Float32s(), want[0].Float32s()
	if f == Exact {
		for i, t := range in {
			if err := wantIntegers(d.Op, []string{"x", "scale", "bias"}[i], t); err != nil {
				return nil, err
			}
		}
	}
	k, root := float64(length), 4*math.Sqrt(float64(length))
	b := bound{pass: make([]float64, len(y)), fail: make([]float64, len(y)), text: fmt.Sprintf("u((4√K·mean|x−μ|+max(|x|,|μ|))/σ+(4√K+8)|ŷ|)|γ|+u|β|, K=%d", length)}
	if f == Exact {
		b.text = fmt.Sprintf("|γ|/(4Kσ), K=%d", length)
	}
	for first := 0; first < len(x); first += length {
		run := x[first : first+length]
		mean, spread, variance, reach := 0.0, 0.0, 0.0, 0.0
		for _, v := range run {
			mean += float64(v) / k
		}
		for _, v := range run {
			off := float64(v) - mean
			spread += math.Abs(off) / k
			variance += off * off / k
			reach = max(reach, math.Abs(off))
		}
		sigma := math.Sqrt(variance + eps)
		for j, v := range run {
			i := first + j
			a, c := math.Abs(float64(scale[param(i)])), math.Abs(float64(bias[param(i)]))
			unit := math.Abs(float64(v)-mean) / sigma
			var l float64
			if f == Exact {
				step := a / (4 * k * math.Sqrt(variance+eps+(2*reach+1)/k))
				l = max(step, U*(32*(1+unit)*a+2*c))
			} else {
				l = U*((root*spread/sigma+max(math.Abs(float64(v)), math.Abs(mean))/sigma+(root+8)*unit)*a+c) + U*math.Abs(float64(y[i])) + flushed
			}
			b.pass[i], b.fail[i] = l, l
		}
	}
	return []bound{b}, nil
}

// lrnBound bounds y = x/D^β, D = K + α/n·Σx², relative to y by
//
//	(β|ln D| + max(1,β)(√n + 8))u
//
// Exact fill: an x² that is off by 1 changes D by the share δ = α/(nD), and y by
// βδ/(1+δ)^(β+1) at least. A quarter of that is allowed, where it is more than
// rounding.
func lrnBound(op backend.LRN, f Fill, in, want *tensor.Tensor) ([]bound, error) {
	if f == Exact {
		if err := wantIntegers(op, "x", in); err != nil {
			return nil, err
		}
	}
	shape := in.Shape()
	channels, plane := shape[1], shape[2:].Size()
	n, alpha, beta := float64(op.Size), float64(op.Alpha), float64(op.Beta)
	x := in.Float32s()
	text := fmt.Sprintf("relative (β|lnD|+max(1,β)(√n+8))u, n=%d", op.Size)
	if f == Exact {
		text = "relative βα/(4nD)"
	}
	return []bound{eachBound(want, text, func(i int, y float64) (float64, float64) {
		c := i / plane % channels
		sum := 0.0
		for j := max(0, c-(op.Size-1)/2); j <= min(channels-1, c+op.Size/2); j++ {
			v := float64(x[i+(j-c)*plane])
			sum += v * v
		}
		d := float64(op.K) + alpha/n*sum
		share := (beta*math.Abs(math.Log(d)) + max(1, beta)*(math.Sqrt(n)+8) + 1) * U
		if f == Exact {
			delta := alpha / (n * d)
			share = max(share, beta*delta/math.Pow(1+delta, beta+1)/4)
		}
		l := share*math.Abs(y) + flushed
		return l, l
	})}, nil
}
