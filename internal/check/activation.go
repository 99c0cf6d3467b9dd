package check

import (
	"fmt"
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// actTraits is what the bounds must know of an activation f.
type actTraits struct {
	// ulps is the error of y = f(x) of an exact x, relative to y, in ULP; half of one
	// is a correctly rounded product. It is 0 for a function that only chooses.
	ulps float64
	// lipschitz is the constant of f: an error of x grows by no more. 0 is none: see
	// tracker.local.
	lipschitz float64
	// origin is |f(0)|, so that |f(x)| ≤ origin + lipschitz·|x|.
	origin float64
	// most bounds |f(x)|; +Inf where nothing does.
	most float64
	// limit is the largest magnitude of a finite limit of f at ±∞.
	limit float64
}

// traitsOf returns them. The constants of Silu, Mish, Gelu and GeluTanh are the
// maxima of the derivatives, at 2.40, 1.49, √2 and 1.42, rounded up.
func traitsOf(a backend.Act) actTraits {
	alpha, beta := math.Abs(float64(a.Alpha)), math.Abs(float64(a.Beta))
	inf := math.Inf(1)
	switch a.Kind {
	case backend.LeakyRelu:
		return actTraits{ulps: 0.5, lipschitz: max(1, alpha), most: inf}
	case backend.Clip:
		t := actTraits{lipschitz: 1, most: max(alpha, beta), limit: max(finite(a.Alpha), finite(a.Beta))}
		if a.Alpha > 0 || a.Beta < 0 { // 0 is not inside
			t.origin = min(alpha, beta)
		}
		return t
	case backend.Sigmoid:
		return actTraits{ulps: 4, lipschitz: 1, origin: 0.5, most: 1, limit: 1}
	case backend.Tanh:
		return actTraits{ulps: 4, lipschitz: 1, most: 1, limit: 1}
	case backend.Elu:
		return actTraits{ulps: 4, lipschitz: max(1, alpha), most: inf, limit: alpha}
	case backend.Selu:
		return actTraits{ulps: 4, lipschitz: 1.7581, most: inf, limit: 1.7581}
	case backend.Celu:
		return actTraits{ulps: 6, lipschitz: 1, most: inf, limit: alpha}
	case backend.HardSigmoid: // see hardSigmoidError; inside, |αx| ≤ 1 + |β|
		m := 1 + 2*beta
		return actTraits{ulps: 1, lipschitz: alpha, origin: m, most: m, limit: 1}
	case backend.Softplus:
		return actTraits{ulps: 4, lipschitz: 1, origin: math.Ln2, most: inf}
	case backend.Softsign:
		return actTraits{ulps: 4, lipschitz: 1, most: 1, limit: 1}
	case backend.Silu:
		return actTraits{ulps: 5, lipschitz: 1.1, most: inf}
	case backend.HardSwish:
		return actTraits{ulps: 4, lipschitz: 1.5, most: inf}
	case backend.Mish:
		return actTraits{ulps: 6, lipschitz: 1.089, most: inf}
	case backend.Gelu, backend.GeluTanh:
		return actTraits{ulps: 7, lipschitz: 1.13, most: inf}
	case backend.Exp:
		return actTraits{ulps: 3, origin: 1, most: inf}
	case backend.Sqrt: // 1/inversesqrt of GLSL, 2 and 2.5 ULP
		return actTraits{ulps: 4.5, most: inf}
	case backend.Reciprocal:
		return actTraits{ulps: ULPDiv, most: inf}
	case backend.Log:
		return actTraits{ulps: 3, most: inf}
	case backend.Erf: // the slope at 0 is 2/√π
		return actTraits{ulps: 4, lipschitz: 1.1284, most: 1, limit: 1}
	case backend.Sin:
		return actTraits{ulps: 4, lipschitz: 1, most: 1}
	case backend.Cos:
		return actTraits{ulps: 4, lipschitz: 1, origin: 1, most: 1}
	case backend.Ceil, backend.Floor, backend.Round, backend.ThresholdedRelu:
		return actTraits{most: inf}
	case backend.Sign:
		return actTraits{most: 1}
	}
	return actTraits{lipschitz: 1, most: inf} // Relu, Abs, Neg
}

// finite returns |v|, and 0 for an infinite bound, which nothing reaches.
func finite(v float32) float64 {
	if math.IsInf(float64(v), 0) {
		return 0
	}
	return math.Abs(float64(v))
}

// activationBound bounds y = f(x) of an exact x. Functions that choose or round to an
// integer are exact; a leaky ReLU is one correctly rounded product, and so equal too.
// For the others:
//
//	2·ULP·u·|y| + 2⁻¹²⁶·(1 + min(|x|, 104))
//
// The last term is a factor of y that is denormal, and may be flushed; e⁻¹⁰⁴ is 0.
// No function here cancels near a zero crossing when it is computed as it ought
// to be: Silu and Mish are products with a gate that is accurate relative to
// itself, and x + 3 of HardSwish is one rounding. Where x is negative two gates
// are as ill-conditioned as an exponential of a rounded argument:
//
//	Gelu      Φ(x) ~ e^(−x²/2): four roundings of x²/2, as those of x/√2 and its
//	          square, are an error of 2x²·u
//	GeluTanh  σ(t), t = √(8/π)·x(1 + 0.044715x²): five roundings of t are 5|t|·u
//
// HardSigmoid has a bound that is not relative to y: see hardSigmoidError.
func activationBound(a backend.Act, x, want *tensor.Tensor) bound {
	ulps := traitsOf(a).ulps
	if ulps < 1 {
		return bound{text: "equal"}
	}
	xs := x.Float32s()
	if a.Kind == backend.HardSigmoid {
		return eachBound(want, "2(|αx|+|β|)u inside", func(i int, _ float64) (float64, float64) {
			l := hardSigmoidError(a, float64(xs[i]))
			return l, l
		})
	}
	text := fmt.Sprintf("%v ULP", ulps)
	condition := func(float64) float64 { return 0 }
	switch a.Kind {
	case backend.Gelu:
		text += ", and 2x²u below 0"
		condition = func(x float64) float64 { return 2 * x * x }
	case backend.GeluTanh:
		text += ", and 5|t|u below 0, t=√(8/π)x(1+0.044715x²)"
		condition = func(x float64) float64 { return 5 * math.Sqrt(8/math.Pi) * math.Abs(x) * (1 + 0.044715*x*x) }
	}
	return eachBound(want, text, func(i int, y float64) (float64, float64) {
		x, roundings := float64(xs[i]), 2*ulps
		if x < 0 && y != 0 {
			roundings += condition(x)
		}
		l := roundings*U*math.Abs(y) + flushed*(1+min(math.Abs(x), 104))
		return l, l
	})
}

// hardSigmoidError: αx + β cancels where y is small, so two roundings of what is
// added count, and only where they may take the sum inside: 0 and 1 are exact.
func hardSigmoidError(a backend.Act, x float64) float64 {
	p, b := float64(a.Alpha)*x, float64(a.Beta)
	l := 2*U*(math.Abs(p)+math.Abs(b)) + flushed
	if p+b < -l || p+b > 1+l {
		return 0
	}
	return l
}

// activate applies the activation's Lipschitz constant and its own error. An
// infinite value becomes a known one: no error is left of it.
func (e *tracker) activate(a backend.Act) {
	f := traitsOf(a)
	if f.ulps > 0 {
		e.exact = false
	}
	integer := func(v float32) bool { return float64(v) == math.Trunc(float64(v)) }
	if a.Kind == backend.Clip && !(integer(a.Alpha) && integer(a.Beta)) {
		e.exact = false
	}
	for i, s := range e.size {
		if math.IsInf(s, 0) || s != s {
			if a.Kind != backend.LeakyRelu {
				e.known(i, f.limit, 2*f.ulps)
			}
			continue
		}
		e.grow(i, f.lipschitz, min(f.origin+f.lipschitz*s, f.most), 2*f.ulps)
	}
}

// known is a value with no error but some roundings of its own.
func (e *tracker) known(i int, size, roundings float64) {
	e.size[i], e.pass[i], e.fail[i] = 0, 0, 0
	e.grow(i, 1, size, roundings)
}

// reach returns the least and the largest value of f on [lo, hi], and whether f is
// defined on all of it and nowhere changes without bound: what a known error of x
// says of one of y. Both are NaN where f is, on all of it.
func reach(a backend.Act, lo, hi float64) (least, most float64, ok bool) {
	nan := math.NaN()
	switch a.Kind {
	case backend.Exp:
		return math.Exp(lo), math.Exp(hi), true
	case backend.Ceil:
		return math.Ceil(lo), math.Ceil(hi), true
	case backend.Floor:
		return math.Floor(lo), math.Floor(hi), true
	case backend.Round:
		return math.RoundToEven(lo), math.RoundToEven(hi), true
	case backend.Sign:
		return sign(lo), sign(hi), true
	case backend.ThresholdedRelu:
		switch alpha := float64(a.Alpha); {
		case hi <= alpha:
			return 0, 0, true
		case lo > alpha:
			return lo, hi, true
		default:
			return min(alpha, 0), max(hi, 0), true
		}
	case backend.Sqrt:
		if hi < 0 {
			return nan, nan, true
		}
		if 0 < lo && lo < flushed {
			lo = 0
		}
		return math.Sqrt(lo), math.Sqrt(hi), lo >= 0
	case backend.Log:
		if hi < 0 {
			return nan, nan, true
		}
		return math.Log(lo), math.Log(hi), lo >= flushed || lo == hi
	case backend.Reciprocal: // the sign of a zero is nobody's promise, nor is 1 over a denormal
		return 1 / hi, 1 / lo, lo >= flushed || hi <= -flushed
	}
	return nan, nan, false
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

// local is activate of a function that has no Lipschitz constant: an error d of x is
// one of y up to the distance of the values that f has from x−d to x+d. Where f is not
// defined on all of that, or has a pole there, nothing can be said: the element is
// left open. x are the values that the step gets.
func (e *tracker) local(a backend.Act, x *tensor.Tensor) {
	f := traitsOf(a)
	if f.ulps > 0 {
		e.exact = false
	}
	for i, v := range x.Float32s() {
		x := float64(v)
		if math.IsInf(x, 0) || x != x {
			e.known(i, 0, 0)
			if a.Kind == backend.Sign && x == x {
				e.size[i] = 1
			}
			continue
		}
		rounded := 0.0 // of the reference's x to v
		if e.pass[i] > 0 || e.fail[i] > 0 {
			rounded = U * math.Abs(x)
		}
		grown := func(d float64) (distance, size float64) {
			least, most, ok := reach(a, x-d-rounded, x+d+rounded)
			switch {
			case !ok:
				e.leaveOpen(i)
			case least != least, math.IsInf(least, 0): // NaN or an infinity, without an error
				return 0, 0
			}
			return most - least, max(math.Abs(least), math.Abs(most))
		}
		pass, _ := grown(e.pass[i])
		fail, size := grown(e.fail[i])
		switch a.Kind {
		case backend.Exp, backend.Sqrt, backend.Reciprocal, backend.Log:
			pass, fail = pass+flushed, fail+flushed
		}
		e.pass[i], e.fail[i] = pass, fail
		if e.exact {
			size = max(size, e.size[i]) // of what it was computed from: see overflow
		}
		e.grow(i, 1, size, 2*f.ulps)
	}
}

// leaveOpen says that any value of element i is right, as far as can be told.
func (e *tracker) leaveOpen(i int) {
	if e.open == nil {
		e.open = make([]bool, len(e.size))
	}
	e.open[i] = true
}

// beforeStep evaluates what step i of the epilogue of d gets.
func beforeStep(d backend.Desc, i int, in []*tensor.Tensor, ref Evaluator) (*tensor.Tensor, error) {
	d, _ = withSteps(d, i)
	y, err := ref(d, in[:len(d.In)])
	if err != nil {
		return nil, fmt.Errorf("check: reference before step %d of the epilogue: %w", i, err)
	}
	return y[0], nil
}
