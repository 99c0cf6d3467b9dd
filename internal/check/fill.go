package check

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// Fill says what inputs are filled with.
type Fill uint8

const (
	// Exact is small integers on which float32 arithmetic is exact in any order;
	// copies get a different number in each element.
	Exact Fill = iota
	// Normal is the normal distribution; variances are positive, divisors not near
	// 0, weights scaled by √(2/K).
	Normal
	// Uniform is −1 to 1, with the same care.
	Uniform
	// Adversarial is what rounding dislikes: exponents from 2⁻¹² to 2¹², outliers
	// of 1e4, neighbours that cancel, saturated activations. There are no
	// denormals, which devices may flush.
	Adversarial
	// Special is Normal with NaN, ±Inf, −0, huge and tiny values sprinkled into the
	// data, thin enough that about half of the outputs stay finite. Weights stay
	// finite, since 0 (padding) times Inf may or may not be computed.
	Special
)

var fillNames = [...]string{"exact", "normal", "uniform", "adversarial", "special"}

// Fills lists all of them.
func Fills() []Fill { return []Fill{Exact, Normal, Uniform, Adversarial, Special} }

// String returns the name that ParseFill takes.
func (f Fill) String() string {
	if int(f) < len(fillNames) {
		return fillNames[f]
	}
	return fmt.Sprintf("Fill(%d)", uint8(f))
}

// ParseFill returns the fill of that name.
func ParseFill(name string) (Fill, error) {
	for i, n := range fillNames {
		if n == name {
			return Fill(i), nil
		}
	}
	return 0, fmt.Errorf("check: fill: got %q, want one of %s", name, strings.Join(fillNames[:], ", "))
}

// Inputs returns the inputs of d, filled. The same seed gives the same values; each
// input has a random stream of its own, so that they are independent.
func Inputs(d backend.Desc, f Fill, seed uint64) ([]*tensor.Tensor, error) {
	if int(f) >= len(fillNames) {
		return nil, fmt.Errorf("check: unknown fill %v", f)
	}
	d, err := d.Resolve()
	if err != nil {
		return nil, err
	}
	p, err := profileOf(d)
	if err != nil {
		return nil, err
	}
	in := make([]*tensor.Tensor, len(d.In))
	numbered := 0
	for i, td := range d.In {
		t, err := tensor.New(td.DType, td.Shape...)
		if err != nil {
			return nil, err
		}
		s := &stream{Rand: rand.New(rand.NewPCG(seed, uint64(f)<<32|uint64(i))), profile: p, numbered: numbered}
		numbered += t.Size() // inputs that are copied must not be mixed up
		if p.roles[i] == roleIndex {
			s.indices(t, f)
		} else if td.DType != tensor.Float32 {
			s.integers(t, f)
		} else {
			s.floats(t.Float32s(), p.roles[i], f)
		}
		in[i] = t
	}
	return in, nil
}

// role is what an input is to its op, as far as values go.
type role uint8

const (
	roleCopied    role = iota // elements are moved, not computed with
	roleFactor                // x of Σ x·w
	roleWeight                // w of Σ x·w
	roleAddend                // bias, shift, mean
	roleResidual              // data that is added
	roleScale                 // per-channel factor
	roleVariance              // positive
	rolePooled                // averaged
	roleCompared              // input of a maximum
	roleExponent              // activations and softmax
	roleOperand               // of Add, Sub, Mul
	roleDividend              // a of Div
	roleDivisor               // b of Div
	roleNormalise             // x of a normalisation
	roleIndex                 // which elements are taken: see profile.index
	roleTap                   // a weight that may be 0, as of no part
	rolePositive              // x of √x and ln x, positive but for a few
	roleRounded               // x of what rounds to integers
	roleAngle                 // x of sin x and cos x
	roleBase                  // a of aᵇ, positive but for a few
	rolePower                 // b of aᵇ
	roleCondition             // of Where
	roleProduct               // x of Π x
	roleLogSum                // x of ln Σ x, positive
	roleLogit                 // x of ln Σ e^x
)

// profile is what the fills must know of a Desc.
type profile struct {
	roles  []role
	terms  int     // terms of the longest sum
	factor [2]int  // under Exact: largest |x| and |w| of Σ x·w
	keep   float64 // under Exact: share of x that is not 0
	index  [2]int  // of roleIndex: the least that names an element, and how many do
}

func profileOf(d backend.Desc) (profile, error) {
	terms, err := Terms(d)
	if err != nil {
		return profile{}, err
	}
	p := profile{terms: max(terms, 1), keep: 1}
	gain := 1.0 // of the epilogue
	switch op := d.Op.(type) {
	case backend.Conv:
		p.roles = []role{roleFactor, roleWeight}
		if d.Pass == backend.Forward {
			gain = p.epilogue(op.Bias, op.Epilogue)
		}
	case backend.ConvTranspose:
		p.roles = []role{roleFactor, roleWeight}
		gain = p.epilogue(op.Bias, op.Epilogue)
	case backend.Dense:
		p.roles = []role{roleFactor, roleWeight}
		gain = p.epilogue(op.Bias, op.Epilogue)
	case backend.MatMul:
		p.roles = []role{roleFactor, roleFactor}
	case backend.MaxPool:
		p.roles = []role{roleCompared}
	case backend.AvgPool:
		p.roles = []role{rolePooled}
	case backend.GlobalPool:
		p.roles = []role{roleCompared}
		if op.Mean {
			p.roles[0] = rolePooled
		}
	case backend.BatchNorm:
		p.roles = []role{roleNormalise, roleScale, roleAddend, roleAddend, roleVariance}
	case backend.GroupNorm, backend.InstanceNorm, backend.LayerNorm:
		p.roles = []role{roleNormalise, roleScale, roleAddend}
	case backend.LRN: // squares are summed; none is 0 under Exact
		p.roles = []role{rolePooled}
	case backend.Softmax:
		p.roles = []role{roleExponent}
	case backend.Activation:
		p.roles = []role{roleOf(op.Act.Kind)}
	case backend.Binary:
		p.roles = []role{roleOperand, roleOperand}
		switch {
		case op.Fn == backend.Div:
			p.roles = []role{roleDividend, roleDivisor}
		case op.Fn == backend.Power:
			p.roles = []role{roleBase, rolePower}
		case op.Fn > backend.PRelu:
			p.roles = []role{roleCompared, roleCompared}
		}
	case backend.Where:
		p.roles = []role{roleCondition, roleCopied, roleCopied}
	case backend.Pad, backend.Reshape, backend.Flatten, backend.Reorder:
		p.roles = []role{roleCopied}
	case backend.AdaptivePool:
		p.roles = []role{roleCompared}
		if op.Mean {
			p.roles[0] = rolePooled
		}
	case backend.Resize:
		p.roles = []role{roleCopied}
		if op.Mode == backend.ResizeLinear {
			p.roles[0] = rolePooled
		}
	case backend.Transpose, backend.Slice, backend.Expand, backend.Tile:
		p.roles = []role{roleCopied}
	case backend.Concat:
		p.roles = make([]role, op.Inputs) // all copied
	case backend.Gather:
		p.roles = []role{roleCopied, roleIndex}
		axis, err := backend.ResolveAxis("Gather", op.Axis, len(d.In[0].Shape))
		if err != nil {
			return p, err
		}
		n := d.In[0].Shape[axis]
		p.index = [2]int{-n, 2 * n}
	case backend.Resample:
		p.roles = []role{roleFactor, roleIndex, roleTap}
		axis, err := backend.ResolveAxis("Resample", op.Axis, len(d.In[0].Shape))
		if err != nil {
			return p, err
		}
		p.index = [2]int{0, d.In[0].Shape[axis]}
	case backend.MaxUnpool:
		p.roles = []role{roleCopied, roleIndex}
		p.index = [2]int{0, tensor.Shape(op.Size).Size()}
	case backend.Reduce:
		p.roles = []role{reduceRole(op.Fn)}
	case backend.ArgMax, backend.TopK:
		p.roles = []role{roleCompared}
	case backend.OneHot:
		p.roles = []role{roleIndex}
		p.index = [2]int{-op.Depth, 2 * op.Depth}
	default:
		return p, fmt.Errorf("check: no fill for %T", d.Op)
	}
	p.scaleExact(gain)
	return p, nil
}

// roleOf returns the role of an activation's input.
func roleOf(k backend.ActKind) role {
	switch k {
	case backend.Sqrt, backend.Log:
		return rolePositive
	case backend.Reciprocal:
		return roleDivisor
	case backend.Ceil, backend.Floor, backend.Round:
		return roleRounded
	case backend.Sin, backend.Cos:
		return roleAngle
	}
	return roleExponent
}

// epilogue adds the roles of the bias and the steps' operands, and returns what
// the steps may multiply a value by under Exact.
func (p *profile) epilogue(bias bool, steps backend.Epilogue) (gain float64) {
	gain = 1
	if bias {
		p.roles = append(p.roles, roleAddend)
	}
	for _, s := range steps {
		switch {
		case s.Kind == backend.ScaleShift:
			p.roles = append(p.roles, roleScale, roleAddend)
			gain *= 2
		case s.Kind == backend.Residual:
			p.roles = append(p.roles, roleResidual)
		case s.Act.Kind == backend.LeakyRelu:
			gain *= max(1, math.Abs(float64(s.Act.Alpha)))
		}
	}
	return gain
}

// scaleExact chooses the integers of the Exact fill such that sums stay within
// half of 2²⁴; the other half is for biases, shifts and residuals.
func (p *profile) scaleExact(gain float64) {
	room := exactMax / 2 / gain / float64(p.terms)
	for _, f := range [][2]int{{4, 4}, {4, 2}, {2, 2}, {2, 1}, {1, 1}} {
		p.factor = f
		if float64(f[0]*f[1]) <= room {
			return
		}
	}
	p.keep = room / 2 // sparse: half of what fits, as the count is random
}

// stream produces the values of one input.
type stream struct {
	*rand.Rand
	profile
	numbered int // elements of the inputs before
}

func (s *stream) integers(t *tensor.Tensor, f Fill) {
	if f != Exact {
		if d, err := tensor.Data[int64](t); err == nil {
			for i := range d {
				d[i] = s.Int64N(1<<53) - 1<<52 // compared as float64
			}
			return
		}
		b, mask := t.Bytes(), byte(0xff)
		if t.DType() == tensor.Bool {
			mask = 1
		}
		for i := range b {
			b[i] = byte(s.Uint32()) & mask
		}
		return
	}
	if d, err := tensor.Data[int32](t); err == nil {
		number(d, s.numbered)
	} else if d, err := tensor.Data[int64](t); err == nil {
		number(d, s.numbered)
	} else if d, err := tensor.Data[float64](t); err == nil {
		number(d, s.numbered)
	} else if d, err := tensor.Data[uint8](t); err == nil {
		number(d, s.numbered)
	} else if d, err := tensor.Data[bool](t); err == nil {
		for i := range d {
			d[i] = (s.numbered+i)%2 == 0
		}
	}
}

// indices fills an int32 tensor with numbers of elements, in no order and some more
// than once. Under Special a fifth name none.
func (s *stream) indices(t *tensor.Tensor, f Fill) {
	least, count := s.index[0], s.index[1]
	outside := [...]int{least - 1, least + count, math.MinInt32, math.MaxInt32}
	d, _ := tensor.Data[int32](t)
	for i := range d {
		if count == 0 || f == Special && s.IntN(5) == 0 {
			d[i] = int32(max(math.MinInt32, min(math.MaxInt32, outside[s.IntN(len(outside))])))
			continue
		}
		d[i] = int32(least + s.IntN(count))
	}
}

func number[T tensor.Number](d []T, from int) {
	for i := range d {
		d[i] = T(1 + (from+i)%(1<<24-1)) // a float32 holds every one
	}
}

func (s *stream) floats(d []float32, r role, f Fill) {
	if f == Exact {
		if r == roleCopied {
			number(d, s.numbered)
			return
		}
		for i := range d {
			d[i] = s.exact(r)
		}
		return
	}
	for i := range d {
		switch f {
		case Uniform:
			d[i] = s.shaped(r, 2*s.Float64()-1)
		case Adversarial:
			var before float32
			if i > 0 {
				before = d[i-1]
			}
			d[i] = s.adversarial(r, before)
		default:
			d[i] = s.shaped(r, s.NormFloat64())
		}
	}
	if f == Special {
		s.sprinkle(d, r)
	}
	if r == roleTap {
		for i := range d {
			if s.IntN(4) == 0 {
				d[i] = 0
			}
		}
	}
}

// within returns an integer from −n to n.
func (s *stream) within(n int) float32 { return float32(s.IntN(2*n+1) - n) }

// nonzero returns an integer from −n to n other than 0.
func (s *stream) nonzero(n int) float32 {
	v := float32(1 + s.IntN(n))
	if s.IntN(2) == 0 {
		return -v
	}
	return v
}

func (s *stream) exact(r role) float32 {
	switch r {
	case roleFactor:
		if s.keep < 1 && s.Float64() >= s.keep {
			return 0
		}
		return s.within(s.factor[0])
	case roleWeight, roleTap:
		return s.within(s.factor[1])
	case roleScale:
		return s.nonzero(2)
	case roleVariance:
		return float32(int(1) << (2 * s.IntN(3))) // 1, 4, 16
	case rolePooled:
		return s.nonzero(8)
	case roleOperand:
		return s.within(64)
	case roleProduct: // few that are not 1 where the product would leave the range
		if s.Float64() >= powers(s.terms)*powers(s.terms) {
			return s.nonzero(1)
		}
		return s.nonzero(1) * []float32{0.5, 2}[s.IntN(2)]
	case roleLogSum:
		return float32(1 + s.IntN(8))
	case roleLogit:
		return s.within(1)
	case roleDividend:
		return 4 * s.within(64)
	case roleDivisor:
		return float32(int(1)<<s.IntN(3)) * s.nonzero(1)
	case rolePositive: // squares
		n := s.within(8)
		return n * n
	case roleRounded: // and halves
		return s.within(16) / 2
	case roleBase:
		return s.within(4)
	case rolePower:
		return float32(s.IntN(5))
	case roleCondition:
		return s.within(1)
	}
	return s.within(8)
}

// shaped turns v, random around 0, into a value fit for the role.
func (s *stream) shaped(r role, v float64) float32 {
	switch r {
	case roleWeight, roleTap:
		v *= math.Sqrt(2 / float64(s.terms))
	case roleScale:
		v = math.Copysign(0.5+math.Abs(v), v)
	case roleVariance:
		v = math.Exp(v)
	case roleDivisor:
		v = math.Copysign(0.25+math.Abs(v), v)
	case roleExponent, roleAngle, rolePower, roleLogit:
		v *= 4
	case rolePositive, roleBase:
		if v = math.Abs(v); s.IntN(32) == 0 {
			v = -v
		}
	case roleRounded:
		if v *= 4; s.IntN(4) == 0 {
			v = math.Round(v) + 0.5
		}
	case roleCondition:
		if math.Abs(v) < 0.5 {
			v = 0
		}
	case roleProduct:
		v = math.Copysign(math.Exp2(v*powers(s.terms)), s.NormFloat64())
	case roleLogSum:
		v = math.Exp(v)
	}
	return float32(v)
}

func (s *stream) adversarial(r role, before float32) float32 {
	sign := float64(s.nonzero(1))
	wide := func(e float64) float64 { return sign * math.Exp2(e*(2*s.Float64()-1)) }
	switch r {
	case roleWeight, roleScale, roleTap:
		return float32(wide(6))
	case roleVariance:
		return float32(math.Abs(wide(15)))
	case roleLogSum:
		return float32(math.Abs(wide(12)))
	case roleAddend, roleNormalise:
		return float32(1000 + s.NormFloat64())
	case roleDividend, roleDivisor:
		return float32(wide(30))
	case rolePositive, roleBase:
		if s.IntN(2) == 0 { // near 1, where logarithms cancel
			return float32(1 + wide(12)/(1<<13))
		}
		if r == roleBase {
			return float32(math.Abs(wide(6)))
		}
		return float32(math.Abs(wide(60)))
	case rolePower:
		if s.IntN(4) == 0 {
			return s.within(32)
		}
		return float32(wide(4))
	case roleRounded: // halves, their neighbours, and integers without a fraction
		v := float32(float64(s.IntN(1<<s.IntN(24))) + 0.5)
		return float32(sign) * math.Float32frombits(math.Float32bits(v)+uint32(s.IntN(3))-1)
	case roleAngle: // where a sine or cosine is nearly 0, and far out
		if s.IntN(2) == 0 {
			return float32(sign * float64(s.IntN(1<<s.IntN(30))) * math.Pi / 2)
		}
		return float32(wide(100))
	case roleCondition:
		if s.IntN(2) == 0 {
			return 0
		}
	case roleExponent, roleLogit:
		return float32(sign * []float64{1e-6, 0.1, 1, 20, 110}[s.IntN(5)] * s.Float64())
	}
	switch p := s.Float64(); {
	case p < 0.03:
		return float32(sign * 1e4)
	case p < 0.35 && before != 0:
		return float32(-float64(before) * (1 + s.NormFloat64()/1024))
	}
	return float32(wide(12))
}

// sprinkle puts special values into data. A share of 1/(2K) leaves about half of
// the sums of K terms without one.
func (s *stream) sprinkle(d []float32, r role) {
	inf := float32(math.Inf(1))
	huge := float32(1e30)
	share := min(0.05, 0.5/float64(s.terms))
	switch r {
	case roleWeight, roleAddend, roleScale, roleVariance, roleTap:
		return
	case roleFactor, rolePooled, roleNormalise, roleResidual, roleLogSum:
		huge = 1e15 // products and sums stay finite in float32
	}
	if r == roleResidual {
		share = 0.02
	}
	special := []float32{float32(math.NaN()), inf, -inf, float32(math.Copysign(0, -1)), huge, -huge, 1e-36}
	switch r {
	case roleDivisor:
		special[3] = 0 // the sign of a zero is nobody's promise
	case roleLogSum: // a sum of two large ones would leave nothing
		special[5] = 1e-30
	}
	if len(d) == 0 {
		return
	}
	for i := range max(3, int(share*float64(len(d)))) {
		d[s.IntN(len(d))] = special[i%len(special)]
		if i+1 >= len(d) {
			return
		}
	}
}
