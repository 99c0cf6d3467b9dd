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

// oracle knows what one image of a layer comes to.
type oracle struct {
	want     *check.Expectation
	channels []int // output channels that want has
}

// newOracle evaluates the reference and the bounds for d, a layer with a batch of 1.
// A convolution that is too large is evaluated for some of its output channels only,
// spread over all of them: rows of its weights.
func newOracle(ctx context.Context, ref backend.Backend, d backend.Desc, in []*tensor.Tensor, fill check.Fill) (*oracle, error) {
	o := &oracle{}
	all := d.Out[0].Shape[1]
	keep := all
	if conv, ok := d.Op.(backend.Conv); ok && conv.GroupCount() == 1 {
		keep = max(2, int(oracleFLOPs/float64(d.Cost().FLOPs)*float64(all)))
	}
	if keep >= all {
		for c := range all {
			o.channels = append(o.channels, c)
		}
	} else {
		for i := range keep {
			o.channels = append(o.channels, i*(all-1)/(keep-1))
		}
		in = []*tensor.Tensor{in[0], rows(in[1], o.channels), rows(in[2], o.channels)}
		d = backend.Desc{Op: d.Op, In: []backend.TensorDesc{backend.Of(in[0]), backend.Of(in[1]), backend.Of(in[2])}}
	}
	var err error
	o.want, err = check.Expect(d, fill, in, func(d backend.Desc, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		return backend.RunDesc(ctx, ref, d, in...)
	})
	return o, err
}

// rows returns some of the slices of dim 0.
func rows(t *tensor.Tensor, which []int) *tensor.Tensor {
	shape := t.Shape().Clone()
	row := t.Size() / shape[0]
	shape[0] = len(which)
	data := make([]float32, 0, len(which)*row)
	for _, i := range which {
		data = append(data, t.Float32s()[i*row:][:row]...)
	}
	return tensor.Must(tensor.From(data, shape...))
}

// judge holds the first and the last image of y against the reference and returns
// the worst error over its bound. It fails with errWrong beyond what rounding can do.
func (o *oracle) judge(y *tensor.Tensor) (worst float64, err error) {
	shape := y.Shape().Clone()
	n, all := shape[0], shape[1]
	shape[0], shape[1] = 1, all*n
	planes, err := y.Reshape(append([]int{n * all}, shape[2:]...)...)
	if err != nil {
		return 0, err
	}
	shape[1] = len(o.channels)
	for _, image := range []int{0, n - 1} {
		which := make([]int, len(o.channels))
		for i, c := range o.channels {
			which[i] = image*all + c
		}
		got, err := rows(planes, which).Reshape(shape...)
		if err != nil {
			return 0, err
		}
		r, err := o.want.Judge([]*tensor.Tensor{got})
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
