package bench

import (
	"context"
	"fmt"
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// oracleFLOPs is what the reference may compute for one layer: a second or so.
const oracleFLOPs = 3e8

// oracle knows what a layer comes to.
type oracle struct {
	want *check.Expectation
	// Of a layer that would take the reference long, want has these channels of the output,
	// of which axis is the dim; nil is all.
	channels []int
	axis     int
}

// newOracle evaluates the reference and the bounds for d with inputs in. A convolution
// or dense layer of more than most FLOPs is evaluated for some of its output channels
// only, spread over all of them: rows of its weights.
func newOracle(ctx context.Context, ref backend.Backend, d backend.Desc, in []*tensor.Tensor, fill check.Fill, most float64) (*oracle, error) {
	o := &oracle{}
	d, err := d.Resolve()
	if err != nil {
		return nil, err
	}
	if d, in, err = o.thin(d, in, most); err != nil {
		return nil, err
	}
	o.want, err = check.Expect(d, fill, in, evaluator(ctx, ref))
	return o, err
}

// evaluator is the reference for package check.
func evaluator(ctx context.Context, ref backend.Backend) check.Evaluator {
	return func(d backend.Desc, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		return backend.RunDesc(ctx, ref, d, in...)
	}
}

// thin chooses the channels, and returns d with these alone.
func (o *oracle) thin(d backend.Desc, in []*tensor.Tensor, most float64) (backend.Desc, []*tensor.Tensor, error) {
	switch op := d.Op.(type) {
	case backend.Conv:
		if op.GroupCount() != 1 {
			return d, in, nil
		}
		o.axis = 1
	case backend.Dense:
		o.axis = len(d.Out[0].Shape) - 1
	default:
		return d, in, nil
	}
	all := d.Out[0].Shape[o.axis]
	keep := max(2, int(most/float64(d.Cost().FLOPs)*float64(all)))
	if keep >= all {
		return d, in, nil
	}
	for i := range keep {
		o.channels = append(o.channels, i*(all-1)/(keep-1))
	}
	args, _ := d.Op.Args()
	less := backend.Desc{Op: d.Op}
	thin := make([]*tensor.Tensor, len(in))
	for i, t := range in {
		switch {
		case i == 0:
			thin[i] = t
		case args[i].Weight: // rows of weights, biases, scales and shifts
			thin[i] = take(t, 0, o.channels)
		default: // what an epilogue adds
			thin[i] = take(t, o.axis, o.channels)
		}
		less.In = append(less.In, backend.Of(thin[i]))
	}
	return less, thin, nil
}

// take returns some of the slices along a dim of a float32 tensor.
func take(t *tensor.Tensor, axis int, which []int) *tensor.Tensor {
	shape := t.Shape().Clone()
	outer, n, inner := shape[:axis].Size(), shape[axis], shape[axis+1:].Size()
	shape[axis] = len(which)
	data := make([]float32, 0, shape.Size())
	for o := range outer {
		for _, i := range which {
			data = append(data, t.Float32s()[(o*n+i)*inner:][:inner]...)
		}
	}
	return tensor.Must(tensor.From(data, shape...))
}

// compare holds the outputs against the reference.
func (o *oracle) compare(got []*tensor.Tensor) (check.Result, error) {
	if o.channels != nil && len(got) == 1 && got[0].DType() == tensor.Float32 && o.axis < len(got[0].Shape()) && got[0].Shape()[o.axis] > o.channels[len(o.channels)-1] {
		got = []*tensor.Tensor{take(got[0], o.axis, o.channels)}
	}
	return o.want.Judge(got)
}

// judge holds the first and the last image of y against the reference, which is of one
// image, and returns the worst error over its bound. It fails with errWrong beyond what
// rounding can do.
func (o *oracle) judge(y *tensor.Tensor) (worst float64, err error) {
	for _, image := range []int{0, y.Shape()[0] - 1} {
		r, err := o.compare([]*tensor.Tensor{take(y, 0, []int{image})})
		if err != nil {
			return 0, err
		}
		worst = min(max(worst, r.Outputs[0].WorstRatio), math.MaxFloat64)
		if r.Verdict == check.Fail {
			return worst, fmt.Errorf("image %d: %w: %v", image, errWrong, r.Outputs[0])
		}
	}
	return worst, nil
}
