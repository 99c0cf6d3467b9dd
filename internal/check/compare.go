package check

import (
	"fmt"
	"math"
	"strings"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// Evaluator computes d on host tensors: the reference, as RunDesc on the backend
// "ref". The layouts of d are Any and no algorithm is forced.
type Evaluator func(d backend.Desc, in []*tensor.Tensor) ([]*tensor.Tensor, error)

// Verdict is the outcome of a comparison. A larger one is worse.
type Verdict uint8

const (
	// Pass is an error within what rounding usually does.
	Pass Verdict = iota
	// Suspect is an error that rounding can make but does not in practice.
	Suspect
	// Fail is an error that rounding cannot make.
	Fail
)

// String returns "pass", "suspect" or "fail".
func (v Verdict) String() string {
	switch v {
	case Pass:
		return "pass"
	case Suspect:
		return "suspect"
	}
	return "fail"
}

// Result is the judgment of all outputs of an op.
type Result struct {
	Verdict Verdict // the worst of the outputs
	Outputs []Comparison
}

// String gives one line an output.
func (r Result) String() string {
	lines := make([]string, len(r.Outputs))
	for i, c := range r.Outputs {
		lines[i] = c.String()
	}
	return strings.Join(lines, "\n")
}

// Comparison is the judgment of one output.
type Comparison struct {
	Output  string // its name
	Verdict Verdict
	Bound   string // the rule, in words
	Size    int    // elements

	MaxAbs float64 // largest |got − want|
	MaxULP float64 // the same in units in the last place, where |want| > 2⁻¹²·max|want|
	RelL2  float64 // ‖got − want‖₂ / ‖want‖₂
	// WorstRatio is the largest error over the bound up to which it passes: above 1
	// is suspect or a failure, +Inf is an error where equality is demanded.
	WorstRatio float64
	// WorstIndex is where: "[0,3,1,2]". It is that of the first mismatch when
	// NaNMismatches is not 0, and "" when all elements are equal.
	WorstIndex string
	Got, Want  float64 // the values there
	Over       int     // elements above the bound up to which they pass
	// NaNMismatches counts elements of which one is NaN or infinite and the other is
	// not the same.
	NaNMismatches int
}

// String returns all of it in one line.
func (c Comparison) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %v: max abs %.3g, max ULP %.3g, rel L2 %.3g, worst %.3g of the bound (%s)", c.Output, c.Verdict, c.MaxAbs, c.MaxULP, c.RelL2, c.WorstRatio, c.Bound)
	if c.NaNMismatches > 0 {
		fmt.Fprintf(&b, ", %d NaN or Inf mismatches", c.NaNMismatches)
	}
	if c.Over > 0 {
		fmt.Fprintf(&b, ", %d of %d elements over it", c.Over, c.Size)
	}
	if c.WorstIndex != "" {
		fmt.Fprintf(&b, ", worst at %s: got %v, want %v", c.WorstIndex, c.Got, c.Want)
	}
	return b.String()
}

// Judge evaluates the reference on in and holds got against it. It fails when got
// has the wrong shapes, the reference fails, or in is not what fill f promises.
func Judge(d backend.Desc, f Fill, in, got []*tensor.Tensor, ref Evaluator) (Result, error) {
	e, err := Expect(d, f, in, ref)
	if err != nil {
		return Result{}, err
	}
	return e.Judge(got)
}

// Expectation is what outputs are held against: the reference's values and their
// bounds. Several results of the same inputs can be judged by one.
type Expectation struct {
	// Want are the reference's outputs.
	Want   []*tensor.Tensor
	names  []string
	bounds []bound
}

// Expect evaluates the reference and the bounds.
func Expect(d backend.Desc, f Fill, in []*tensor.Tensor, ref Evaluator) (*Expectation, error) {
	d, err := logical(d)
	if err != nil {
		return nil, err
	}
	_, outs, err := d.Args()
	if err != nil {
		return nil, err
	}
	if len(in) != len(d.In) {
		return nil, fmt.Errorf("check: %s: got %d inputs, want %d", d.Op.Kind(), len(in), len(d.In))
	}
	for i, t := range in {
		if t == nil || !t.Shape().Equal(d.In[i].Shape) || t.DType() != d.In[i].DType {
			return nil, fmt.Errorf("check: %s: input %d does not fit %v", d.Op.Kind(), i, d.In[i])
		}
	}
	e := &Expectation{}
	if e.Want, err = ref(d, in); err != nil {
		return nil, fmt.Errorf("check: reference: %w", err)
	}
	for _, o := range outs {
		e.names = append(e.names, o.Name)
	}
	if err := e.fits(e.Want, d.Out); err != nil {
		return nil, fmt.Errorf("check: reference: %w", err)
	}
	e.bounds, err = boundsOf(d, f, in, e.Want, ref)
	return e, err
}

// logical returns d resolved, without layouts, constants and algorithm.
func logical(d backend.Desc) (backend.Desc, error) {
	d, err := d.Resolve()
	if err != nil {
		return d, err
	}
	strip := func(ds []backend.TensorDesc) []backend.TensorDesc {
		s := make([]backend.TensorDesc, len(ds))
		for i, t := range ds {
			s[i] = backend.TensorDesc{DType: t.DType, Shape: t.Shape}
		}
		return s
	}
	d.In, d.Out, d.Algorithm = strip(d.In), strip(d.Out), ""
	return d, nil
}

func (e *Expectation) fits(got []*tensor.Tensor, want []backend.TensorDesc) error {
	if len(got) != len(want) {
		return fmt.Errorf("got %d outputs, want %d", len(got), len(want))
	}
	for i, t := range got {
		if t == nil || !t.Shape().Equal(want[i].Shape) || t.DType() != want[i].DType {
			return fmt.Errorf("output %s: got %v, want %v", e.names[i], t, want[i])
		}
	}
	return nil
}

// Judge holds got against e. It fails when the shapes or types differ.
func (e *Expectation) Judge(got []*tensor.Tensor) (Result, error) {
	want := make([]backend.TensorDesc, len(e.Want))
	for i, t := range e.Want {
		want[i] = backend.TensorDesc{DType: t.DType(), Shape: t.Shape()}
	}
	if err := e.fits(got, want); err != nil {
		return Result{}, fmt.Errorf("check: %w", err)
	}
	var r Result
	for i := range got {
		c := compare(got[i], e.Want[i], &e.bounds[i])
		c.Output = e.names[i]
		r.Outputs = append(r.Outputs, c)
		r.Verdict = max(r.Verdict, c.Verdict)
	}
	return r, nil
}

// compare holds got against want, tensors of the same shape and type. NaN equals
// NaN, infinities equal those of the same sign, and zeros each other.
func compare(got, want *tensor.Tensor, b *bound) Comparison {
	g, w := values(got), values(want)
	c := Comparison{Bound: b.text, Size: len(w)}
	var square, norm float64
	worst, mismatch := -1, -1
	largest := 0.0
	for _, y := range w {
		if !math.IsInf(y, 0) && y == y {
			largest = max(largest, math.Abs(y))
		}
	}
	for i, y := range w {
		if b.isOpen(i) {
			continue
		}
		x := g[i]
		if special(x) || special(y) {
			if x != y && (x == x || y == y) {
				if c.NaNMismatches++; mismatch < 0 {
					mismatch = i
				}
			}
			continue
		}
		norm += y * y
		if x == y {
			continue
		}
		off := math.Abs(x - y)
		square += off * off
		c.MaxAbs = max(c.MaxAbs, off)
		if math.Abs(y) > largest/4096 {
			c.MaxULP = max(c.MaxULP, off/ulp(y))
		}
		pass, fail := b.of(i)
		if ratio := off / pass; worst < 0 || !(ratio <= c.WorstRatio) {
			c.WorstRatio, worst = ratio, i
		}
		// Not "off > limit": a limit that is NaN must not pass anything.
		if !(off <= pass) {
			c.Over++
			c.Verdict = max(c.Verdict, Suspect)
		}
		if !(off <= fail) {
			c.Verdict = Fail
		}
	}
	c.RelL2 = math.Sqrt(square)
	if norm > 0 {
		c.RelL2 = math.Sqrt(square / norm)
	}
	if mismatch >= 0 {
		c.Verdict, worst = Fail, mismatch
	}
	if worst >= 0 {
		c.WorstIndex, c.Got, c.Want = index(worst, want.Shape()), g[worst], w[worst]
	}
	return c
}

// values returns the elements as float64, which holds every float32, int32 and
// uint8, and int64 up to 2⁵³; true is 1.
func values(t *tensor.Tensor) []float64 {
	v := make([]float64, 0, t.Size())
	switch t.DType() {
	case tensor.Float64:
		d, _ := tensor.Data[float64](t)
		return d
	case tensor.Float32:
		for _, x := range t.Float32s() {
			v = append(v, float64(x))
		}
	case tensor.Int32:
		v = widen[int32](v, t)
	case tensor.Int64:
		v = widen[int64](v, t)
	case tensor.Uint8:
		v = widen[uint8](v, t)
	case tensor.Bool:
		v = widen[float32](v, t.AsFloat32())
	}
	return v
}

func widen[T tensor.Number](v []float64, t *tensor.Tensor) []float64 {
	d, _ := tensor.Data[T](t)
	for _, x := range d {
		v = append(v, float64(x))
	}
	return v
}

func special(v float64) bool { return v != v || math.IsInf(v, 0) }

// ulp returns the distance between float32 neighbours at y.
func ulp(y float64) float64 {
	_, e := math.Frexp(y) // |y| in [½, 1)·2ᵉ
	return math.Ldexp(1, max(e-24, -149))
}

// index returns the coordinates of element i, as "[0,3,1,2]".
func index(i int, s tensor.Shape) string {
	at := make(tensor.Shape, len(s))
	for k := len(s) - 1; k >= 0; k-- {
		at[k] = i % s[k]
		i /= s[k]
	}
	return at.String()
}
