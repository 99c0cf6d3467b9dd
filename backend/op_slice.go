package backend

import (
	"fmt"
	"math"

	"github.com/convgl/convgl/tensor"
)

// SliceEnd stands in [Slice] for the size of a dim, which may not be known yet, and
// SliceEnd − k for the position k before it.
const SliceEnd = math.MaxInt

// Slice takes every Steps[d]-th position of each dim d, from Starts[d] up to, but
// without, Ends[d]; a negative step goes backwards:
//
//	y[j_0, …] = x[…, Starts[d] + j_d·Steps[d], …]
//
// with as many positions as there are, max(0, ⌈(Ends[d] − Starts[d]) / Steps[d]⌉).
// Positions behind the last count as the end of the dim, as in ONNX; for a negative
// step that is the last position as a start. Unlike there, negative numbers do not
// count from the end (SliceEnd − k does): −1, with a negative step only, is the
// position before the first.
//
// Input: x of any rank, float32 or int32. Output: y of the same type and rank.
//
// Source: ONNX Slice-13, with an entry for each dim.
type Slice struct {
	Starts, Ends []int // one a dim
	Steps        []int // one a dim, not 0; nil is 1 for all
}

// Kind returns "Slice".
func (Slice) Kind() string { return "Slice" }

// Args implements Op.
func (Slice) Args() (in, out []Arg) { return []Arg{{Name: "x"}}, []Arg{{Name: "y"}} }

// Infer implements Op.
func (s Slice) Infer(in []TensorDesc) ([]TensorDesc, error) {
	x := in[0]
	if err := want4Bytes("Slice", "x", x); err != nil {
		return nil, err
	}
	lists := []struct {
		name string
		v    []int
	}{{"starts", s.Starts}, {"ends", s.Ends}, {"steps", s.Steps}}
	for _, l := range lists {
		if len(l.v) != len(x.Shape) && !(l.name == "steps" && l.v == nil) {
			return nil, &AttrError{Op: "Slice", Attr: l.name, Got: fmt.Sprintf("%d values %v", len(l.v), l.v), Want: fmt.Sprintf("%d values, one for each dim of x %v", len(x.Shape), x.dims())}
		}
	}
	y := make(tensor.Shape, len(x.Shape))
	for d, n := range x.Shape {
		lowest, want := 0, "0 or more"
		if step := s.step(d); step < 0 {
			lowest, want = -1, "−1 or more with a negative step"
		} else if step == 0 {
			return nil, &AttrError{Op: "Slice", Attr: fmt.Sprintf("steps[%d]", d), Got: "0", Want: "a number other than 0"}
		}
		for _, l := range lists[:2] {
			if l.v[d] < lowest {
				return nil, &AttrError{Op: "Slice", Attr: fmt.Sprintf("%s[%d]", l.name, d), Got: fmt.Sprint(l.v[d]), Want: want, Hint: "SliceEnd − k counts from the end"}
			}
		}
		_, y[d], _ = s.Range(d, n)
	}
	return []TensorDesc{{DType: x.DType, Shape: y}}, nil
}

func (s Slice) step(d int) int {
	if s.Steps == nil {
		return 1
	}
	return s.Steps[d]
}

// Range returns which positions of dim d, of n, are taken: the first, how many, and
// their distance, which is negative where they go backwards. Where none is taken, the
// first is 0. The attributes must be such that Infer accepts them.
func (s Slice) Range(d, n int) (first, size, step int) {
	step = s.step(d)
	if step > 0 {
		step = min(step, max(n, 1)) // the same positions, and no overflow
		first, end := position(s.Starts[d], n, 0, n), position(s.Ends[d], n, 0, n)
		if end <= first {
			return 0, 0, step
		}
		return first, (end - first + step - 1) / step, step
	}
	step = max(step, -max(n, 1))
	first, end := position(s.Starts[d], n, -1, n-1), position(s.Ends[d], n, -1, n-1)
	if first <= end {
		return 0, 0, step
	}
	return first, (first - end - step - 1) / -step, step
}

// position resolves one that may be given from the end of a dim of n, from lo to hi.
func position(p, n, lo, hi int) int {
	if p > SliceEnd/2 {
		p = n - (SliceEnd - p)
	}
	return min(max(p, lo), hi)
}

// Cost implements Op: no arithmetic. What is not taken is not read.
func (Slice) Cost(_, out []TensorDesc) Cost { return Cost{Bytes: 2 * sumBytes(out)} }
