package check

import (
	"fmt"
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

const (
	// U is the unit roundoff of float32: a rounding changes x by at most U·|x|.
	U = 1.0 / (1 << 24)
	// exactMax bounds the integers of which float32 holds every one.
	exactMax = 1 << 24
	// flushed is what an error may be when a result is denormal, which devices may
	// make 0.
	flushed = 0x1p-126
)

// Relative errors of the functions that are not correctly rounded everywhere, in
// ULP; one ULP is at most 2U. Those of activations are in activation.go.
const (
	ULPDiv = 2.5 // what GLSL promises
	// roundingsBatchNorm: var+ε, a root by 1/inversesqrt (2 and 2.5 ULP), a
	// division (2.5 ULP), product, sum.
	roundingsBatchNorm = 16
)

// Gamma returns γ_n = n·u/(1−n·u), which bounds the relative error of n roundings;
// +Inf where n·u reaches 1.
func Gamma(n int) float64 {
	nu := float64(n) * U
	if nu >= 1 {
		return math.Inf(1)
	}
	return nu / (1 - nu)
}

// Usual returns the relative error 4√K·u up to which a sum of k terms of random
// sign passes. It never exceeds γ_{k+2}.
func Usual(k int) float64 {
	return min(4*math.Sqrt(float64(max(k, 1)))*U, Gamma(k+2))
}

// bound holds, for each element of an output, the error up to which it passes and
// above which it fails. Nil slices demand equality.
type bound struct {
	pass, fail []float64
	open       []bool // elements of which nothing can be said; nil for none
	text       string
}

// isOpen reports whether any value of element i is right, NaN included.
func (b *bound) isOpen(i int) bool { return b.open != nil && b.open[i] }

// of returns the limits of element i.
func (b *bound) of(i int) (pass, fail float64) {
	if b.pass == nil {
		return 0, 0
	}
	return b.pass[i], b.fail[i]
}

// boundsOf returns the bounds of each output of d, whose inputs are in and whose
// reference outputs are want.
func boundsOf(d backend.Desc, f Fill, in, want []*tensor.Tensor, ref Evaluator) ([]bound, error) {
	equal := make([]bound, len(want))
	for i := range equal {
		equal[i].text = "equal"
	}
	k, err := Terms(d)
	if err != nil {
		return nil, err
	}
	switch op := d.Op.(type) {
	case backend.Conv, backend.ConvTranspose, backend.Dense, backend.MatMul:
		return dotBounds(d, f, k, in, want, ref)
	case backend.MaxPool, backend.Pad, backend.Reshape, backend.Flatten, backend.Reorder:
		return equal, nil
	case backend.Concat, backend.Transpose, backend.Slice, backend.Expand, backend.Tile, backend.Where:
		return equal, nil
	case backend.Gather, backend.MaxUnpool:
		return equal, nil
	case backend.Resample:
		return resampleBound(d, f, k, in, want, ref)
	case backend.ArgMax, backend.TopK, backend.OneHot:
		return equal, nil
	case backend.Reduce:
		return reduceBound(op, d, f, k, in, want, ref)
	case backend.AdaptivePool:
		if !op.Mean {
			return equal, nil
		}
		return meanBound(d, f, k, in, want, ref)
	case backend.Resize:
		if op.Mode == backend.ResizeNearest {
			return equal, nil
		}
		return interpolationBound(d, f, in, want, ref)
	case backend.GlobalPool:
		if !op.Mean {
			return equal, nil
		}
		return meanBound(d, f, k, in, want, ref)
	case backend.AvgPool:
		return meanBound(d, f, k, in, want, ref)
	case backend.BatchNorm:
		return batchNormBound(d, f, in, want, ref)
	case backend.GroupNorm, backend.InstanceNorm, backend.LayerNorm:
		return normBound(d, f, in, want)
	case backend.LRN:
		return lrnBound(op, f, in[0], want[0])
	case backend.Activation:
		return []bound{activationBound(op.Act, in[0], want[0])}, nil
	case backend.Softmax:
		return softmaxBound(op, in[0], want[0])
	case backend.Binary:
		return []bound{binaryBound(op, f, want[0])}, nil
	}
	return nil, fmt.Errorf("check: no bound for %T", d.Op)
}

// dotBounds bounds sums of products and their epilogue:
//
//	pass 4√K·u·B, fail γ_{K+2}·B, with B = Σ|x||w| + |b|
func dotBounds(d backend.Desc, f Fill, k int, in, want []*tensor.Tensor, ref Evaluator) ([]bound, error) {
	plain, steps, own := withoutEpilogue(d)
	var size []*tensor.Tensor // B of each output
	largest := 0.0
	if f == Exact {
		var err error
		if largest, err = exactSize(plain, k, in[:own]); err != nil {
			return nil, err
		}
	}
	if f != Exact || largest > exactMax {
		abs := make([]*tensor.Tensor, own)
		for i := range abs {
			abs[i] = absolute(in[i])
		}
		var err error
		if size, err = ref(plain, abs); err != nil {
			return nil, fmt.Errorf("check: reference on absolute values: %w", err)
		}
		if f == Exact {
			largest = 0
			for _, t := range size {
				largest = max(largest, maxAbs(t))
			}
		}
	}
	bounds := make([]bound, len(want))
	for o := range want {
		e := newTracker(want[o].Size())
		for i := range e.size {
			e.size[i] = largest
			if f != Exact {
				b := float64(size[o].Float32s()[i])
				e.size[i], e.pass[i], e.fail[i] = b, Usual(k)*b+float64(k)*flushed, Gamma(k+2)*b+float64(k)*flushed
			}
		}
		e.exact = f == Exact
		for i := own; e.exact && i < len(in); i++ {
			if err := wantIntegers(d.Op, fmt.Sprintf("input %d", i), in[i]); err != nil {
				return nil, err
			}
		}
		if d.Pass == backend.Forward {
			at := func(i int) (*tensor.Tensor, error) { return beforeStep(d, i, in, ref) }
			if err := e.epilogue(steps, in[own:], want[o].Shape(), channelDim(d.Op), at); err != nil {
				return nil, err
			}
		}
		text := fmt.Sprintf("4√K·u·B, fail γ·B, K=%d", k)
		if f == Exact {
			text = "exact"
			if e.overflow() {
				return nil, fmt.Errorf("check: %s: exact fill: sums reach %.3g, above 2²⁴: float32 is not exact there (use Inputs, or another fill)", d.Op.Kind(), e.largest())
			}
		}
		if len(steps) > 0 {
			text += ", epilogue"
		}
		if n := e.opened(); n > 0 {
			if n > want[o].Size()/4 {
				return nil, fmt.Errorf("check: %s: %d of %d elements are within their error of the end of an activation's domain, or of a pole: they cannot be judged", d.Op.Kind(), n, want[o].Size())
			}
			text += fmt.Sprintf(", %d elements open", n)
		}
		bounds[o] = e.bound(want[o], text)
	}
	return bounds, nil
}

// withoutEpilogue returns d with the steps taken off, the steps, and the number of
// inputs that are left.
func withoutEpilogue(d backend.Desc) (backend.Desc, backend.Epilogue, int) {
	if d.Pass != backend.Forward {
		return d, nil, len(d.In)
	}
	plain, steps := withSteps(d, 0)
	return plain, steps, len(plain.In)
}

// withSteps returns a forward d with only the first n steps of its epilogue, and
// all of them.
func withSteps(d backend.Desc, n int) (cut backend.Desc, steps backend.Epilogue) {
	switch op := d.Op.(type) {
	case backend.Conv:
		steps, op.Epilogue = op.Epilogue, op.Epilogue[:n]
		d.Op = op
	case backend.ConvTranspose:
		steps, op.Epilogue = op.Epilogue, op.Epilogue[:n]
		d.Op = op
	case backend.Dense:
		steps, op.Epilogue = op.Epilogue, op.Epilogue[:n]
		d.Op = op
	}
	args, _ := d.Op.Args()
	d.In, d.Out = d.In[:len(args)], nil
	return d, steps
}

// channelDim returns the dim that an epilogue's scale and shift belong to; −1 is
// the last.
func channelDim(op backend.Op) int {
	switch op.(type) {
	case backend.Conv, backend.ConvTranspose:
		return 1
	}
	return -1
}

// exactSize returns a bound of Σ|x||w| + |b| for integers, and an error for other
// values.
func exactSize(d backend.Desc, k int, in []*tensor.Tensor) (float64, error) {
	args, _, err := d.Args()
	if err != nil {
		return 0, err
	}
	for i, t := range in {
		if err := wantIntegers(d.Op, args[i].Name, t); err != nil {
			return 0, err
		}
	}
	size := maxAbs(in[0]) * maxAbs(in[1]) * float64(k)
	if d.Pass == backend.BackwardWeights {
		size = max(size, maxAbs(in[1])*float64(k)) // of gb
	}
	for _, t := range in[2:] {
		size += maxAbs(t)
	}
	return size, nil
}

// wantIntegers fails unless all elements are integers: equality may be demanded of
// nothing else.
func wantIntegers(op backend.Op, arg string, t *tensor.Tensor) error {
	for i, v := range t.Float32s() {
		if float64(v) != math.Trunc(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("check: %s: exact fill: %s%s is %v, want an integer", op.Kind(), arg, index(i, t.Shape()), v)
		}
	}
	return nil
}

// tracker follows magnitudes and bounds of errors through an epilogue.
type tracker struct {
	size, pass, fail []float64
	open             []bool // see leaveOpen
	exact            bool   // all values so far are exact integers
}

func newTracker(n int) *tracker {
	return &tracker{size: make([]float64, n), pass: make([]float64, n), fail: make([]float64, n)}
}

// grow scales the errors of element i by factor, replaces its magnitude and adds
// some roundings of it.
func (e *tracker) grow(i int, factor, size, roundings float64) {
	e.size[i] = size
	if e.exact {
		return
	}
	extra := roundings * U * size
	e.pass[i] = factor*e.pass[i] + extra
	e.fail[i] = factor*e.fail[i] + extra
}

// epilogue follows the steps; before returns the values that step i gets.
func (e *tracker) epilogue(steps backend.Epilogue, operands []*tensor.Tensor, shape tensor.Shape, dim int, before func(i int) (*tensor.Tensor, error)) error {
	if dim < 0 {
		dim += len(shape)
	}
	inner := shape[dim+1:].Size()
	for i, s := range steps {
		switch s.Kind {
		case backend.ScaleShift:
			scale, shift := operands[0].Float32s(), operands[1].Float32s()
			operands = operands[2:]
			for i := range e.size {
				c := i / inner % shape[dim]
				a := math.Abs(float64(scale[c]))
				e.grow(i, a, a*e.size[i]+math.Abs(float64(shift[c])), 2)
			}
		case backend.Residual:
			r := operands[0].Float32s()
			operands = operands[1:]
			for i := range e.size {
				e.grow(i, 1, e.size[i]+math.Abs(float64(r[i])), 1)
			}
		case backend.Activate:
			if traitsOf(s.Act).lipschitz == 0 {
				x, err := before(i)
				if err != nil {
					return err
				}
				e.local(s.Act, x)
				continue
			}
			e.activate(s.Act)
		default:
			return fmt.Errorf("check: unknown epilogue step %d", s.Kind)
		}
	}
	return nil
}

// bound adds the rounding of the reference itself.
func (e *tracker) bound(want *tensor.Tensor, text string) bound {
	if e.exact {
		return bound{open: e.open, text: text}
	}
	for i, y := range want.Float32s() {
		own := U * math.Abs(float64(y))
		e.pass[i] += own
		e.fail[i] += own
	}
	return bound{e.pass, e.fail, e.open, text}
}

// opened counts the elements that are left open.
func (e *tracker) opened() int {
	n := 0
	for _, o := range e.open {
		if o {
			n++
		}
	}
	return n
}

func (e *tracker) largest() float64 {
	m := 0.0
	for _, s := range e.size {
		m = max(m, s)
	}
	return m
}

// overflow reports whether exact integers may have left the range in which
// float32 holds them all.
func (e *tracker) overflow() bool { return e.exact && e.largest() > exactMax }

// eachBound makes a bound with one formula an element.
func eachBound(want *tensor.Tensor, text string, f func(i int, y float64) (pass, fail float64)) bound {
	b := bound{pass: make([]float64, want.Size()), fail: make([]float64, want.Size()), text: text}
	for i, y := range want.Float32s() {
		b.pass[i], b.fail[i] = f(i, float64(y))
	}
	return b
}

// meanBound bounds a mean of K: the sum's error and three roundings for a division
// or a multiplication by 1/K. Under Exact the sum is exact and a wrong term is off
// by 1/K at least: a quarter of it is allowed.
func meanBound(d backend.Desc, f Fill, k int, in, want []*tensor.Tensor, ref Evaluator) ([]bound, error) {
	if f == Exact {
		if err := wantIntegers(d.Op, "x", in[0]); err != nil {
			return nil, err
		}
		if maxAbs(in[0])*float64(k) > exactMax {
			return nil, fmt.Errorf("check: %s: exact fill: sums of %d terms may leave 2²⁴", d.Op.Kind(), k)
		}
		return []bound{eachBound(want[0], fmt.Sprintf("1/(4k), k=%d", k), func(_ int, y float64) (float64, float64) {
			l := max(1/float64(4*k), 4*U*math.Abs(y))
			return l, l
		})}, nil
	}
	size, err := ref(d, []*tensor.Tensor{absolute(in[0])})
	if err != nil {
		return nil, fmt.Errorf("check: reference on absolute values: %w", err)
	}
	b := size[0].Float32s()
	return []bound{eachBound(want[0], fmt.Sprintf("(4√K+4)u·mean|x|, fail (γ+4u)·mean|x|, K=%d", k), func(i int, y float64) (float64, float64) {
		m := float64(b[i])
		return (Usual(k)+4*U)*m + float64(k)*flushed, (Gamma(k+2)+4*U)*m + float64(k)*flushed
	})}, nil
}

// interpolationBound bounds linear interpolation along n dims, with B = Σ w|x|:
//
//	γ_{2ⁿ+2n}·B
//
// The weights have a rounding in each dim, their products with x another; a sum of
// 2ⁿ terms has 2ⁿ−1, and fewer dim by dim. Under Exact it decides too: a wrong
// element changes y by a weight at least.
func interpolationBound(d backend.Desc, f Fill, in, want []*tensor.Tensor, ref Evaluator) ([]bound, error) {
	if f == Exact {
		if err := wantIntegers(d.Op, "x", in[0]); err != nil {
			return nil, err
		}
	}
	size, err := ref(d, []*tensor.Tensor{absolute(in[0])})
	if err != nil {
		return nil, fmt.Errorf("check: reference on absolute values: %w", err)
	}
	n := len(in[0].Shape()) - 2
	terms := 1 << n
	b := size[0].Float32s()
	return []bound{eachBound(want[0], fmt.Sprintf("γ·Σw|x|, %d terms", terms), func(i int, y float64) (float64, float64) {
		l := Gamma(terms+2*n)*float64(b[i]) + U*math.Abs(y) + float64(terms)*flushed
		return l, l
	})}, nil
}

// batchNormBound bounds the normalisation by given statistics:
//
//	16u·B', with B' = |scale|(|x| + |mean|)/√(var+ε) + |bias|
//
// Under Exact results are multiples of 1/σ apart: a quarter of the least one is
// allowed.
func batchNormBound(d backend.Desc, f Fill, in, want []*tensor.Tensor, ref Evaluator) ([]bound, error) {
	eps := float64(d.Op.(backend.BatchNorm).Epsilon)
	if f == Exact {
		step := 1 / (4 * math.Sqrt(maxAbs(in[4])+eps))
		return []bound{eachBound(want[0], "1/(4σ)", func(int, float64) (float64, float64) { return step, step })}, nil
	}
	abs := make([]*tensor.Tensor, 5)
	for i := range abs {
		abs[i] = absolute(in[i])
	}
	for i, v := range abs[3].Float32s() {
		abs[3].Float32s()[i] = -v // |x| − (−|mean|)
	}
	size, err := ref(d, abs)
	if err != nil {
		return nil, fmt.Errorf("check: reference on absolute values: %w", err)
	}
	b := size[0].Float32s()
	return []bound{eachBound(want[0], "16u·B'", func(i int, y float64) (float64, float64) {
		l := roundingsBatchNorm*U*float64(b[i]) + flushed
		return l, l
	})}, nil
}

// binaryBound: what compares or chooses is exact; Add, Sub, Mul and PRelu are correctly
// rounded, so equal but for denormal results; Div has 2.5 ULP, and Power
//
//	(4 + |b ln a|/32) ULP,
//
// since an error of the logarithm counts b times: one of 2⁻²⁸ of itself, four bits
// beyond u, is 1/32 of 2u for each unit of b ln a = ln y. Under Exact quotients
// and powers are integers.
func binaryBound(op backend.Binary, f Fill, want *tensor.Tensor) bound {
	switch {
	case op.Fn > backend.Power:
		return bound{text: "equal"}
	case op.Fn == backend.Maximum || op.Fn == backend.Minimum:
		return bound{text: "equal"}
	case f == Exact:
		if op.Fn != backend.Div && op.Fn != backend.Power {
			return bound{text: "exact"}
		}
		return eachBound(want, "1/4", func(int, float64) (float64, float64) { return 0.25, 0.25 })
	}
	if op.Fn == backend.Power {
		return eachBound(want, "(4+|b ln a|/32) ULP", func(_ int, y float64) (float64, float64) {
			y = math.Abs(y)
			if y == 0 {
				return flushed, flushed
			}
			l := 2*(4+math.Abs(math.Log(y))/32)*U*y + flushed
			return l, l
		})
	}
	ulps, text := 0.0, "equal"
	if op.Fn == backend.Div {
		ulps, text = ULPDiv, fmt.Sprintf("%v ULP", ULPDiv)
	}
	return eachBound(want, text, func(_ int, y float64) (float64, float64) {
		y = math.Abs(y)
		l := 2 * ulps * U * y
		if ulps > 0 {
			l += U * y // the reference's own rounding
		}
		if y < flushed {
			l += flushed
		}
		return l, l
	})
}

// softmaxBound bounds y = e^(x−m)/S, m = max x, S = Σ e^(x−m) over K elements:
//
//	softmax, relative:  (|x−m| + 4√K + 8)u
//	log-softmax:        (|x−m| + Σ p|x−m| + 4√K + 8 + 4 ln S + |y|)u
//
// The rounding of x−m is a relative error of its exponential; weighted by the
// probabilities p it is one of S, and so an absolute one of ln S.
func softmaxBound(op backend.Softmax, x, want *tensor.Tensor) ([]bound, error) {
	shape := x.Shape()
	axis, err := backend.ResolveAxis("Softmax", op.Axis, len(shape))
	if err != nil {
		return nil, err
	}
	k, inner := shape[axis], shape[axis+1:].Size()
	b := bound{pass: make([]float64, x.Size()), fail: make([]float64, x.Size()), text: fmt.Sprintf("relative (|x−max|+4√K+8)u, K=%d", k)}
	if op.Log {
		b.text = fmt.Sprintf("(|x−max|+Σp|x−max|+4√K+8+4lnS+|y|)u, K=%d", k)
	}
	xs, ys := x.Float32s(), want.Float32s()
	root := 4 * math.Sqrt(float64(k))
	for s := 0; k > 0 && s < len(xs)/k; s++ {
		first := s/inner*k*inner + s%inner
		m := math.Inf(-1)
		for j := range k {
			m = max(m, float64(xs[first+j*inner]))
		}
		sum, weighted := 0.0, 0.0
		for j := range k {
			a := float64(xs[first+j*inner]) - m
			if e := math.Exp(a); e > 0 {
				sum += e
				weighted += e * math.Abs(a)
			}
		}
		for j := range k {
			i := first + j*inner
			a, y := math.Abs(float64(xs[i])-m), math.Abs(float64(ys[i]))
			l := flushed
			switch {
			case op.Log:
				l += (a + weighted/sum + root + 8 + 4*math.Log(sum) + y) * U
			case y > 0:
				l += (a+root+8)*U*y + U*y
			}
			b.pass[i], b.fail[i] = l, l
		}
	}
	return []bound{b}, nil
}

// absolute returns a copy of the absolute values.
func absolute(t *tensor.Tensor) *tensor.Tensor {
	c := t.Clone()
	d := c.Float32s()
	for i, v := range d {
		d[i] = float32(math.Abs(float64(v)))
	}
	return c
}

// maxAbs returns the largest absolute value.
func maxAbs(t *tensor.Tensor) float64 {
	m := 0.0
	for _, v := range t.Float32s() {
		m = max(m, math.Abs(float64(v)))
	}
	return m
}
