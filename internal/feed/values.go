package feed

import (
	"fmt"
	"math/rand/v2"

	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/tensor"
)

// Zeros makes an input of each shape.
func Zeros(inputs []onnx.ValueInfo, shapes []tensor.Shape) ([]*tensor.Tensor, error) {
	ts := make([]*tensor.Tensor, len(inputs))
	for i, v := range inputs {
		if n, err := shapes[i].Elems(); err != nil || n > maxElems {
			return nil, cli.Usagef("the input %s has more than %d elements", Describe(v), maxElems)
		}
		var err error
		if ts[i], err = tensor.New(v.Type.DType(), shapes[i]...); err != nil {
			return nil, err
		}
	}
	return ts, nil
}

// Random is Zeros with random values, and says in words what each input holds. The same
// seed gives the same values, whatever the other inputs are.
//
//	floats of rank 4 and more, images   uniform, 0 to 1
//	other floats                        normal, 0 ± 1
//	integers                            0 or 1
//	booleans                            true or false
func Random(inputs []onnx.ValueInfo, shapes []tensor.Shape, seed uint64) (ts []*tensor.Tensor, about []string, err error) {
	if ts, err = Zeros(inputs, shapes); err != nil {
		return nil, nil, err
	}
	for i, t := range ts {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		what := "0 or 1"
		switch t.DType() {
		case tensor.Float32:
			what = "uniform, 0 to 1"
			next := func() float32 { return float32(r.Float64()) }
			if len(t.Shape()) < 4 {
				what, next = "normal, 0 ± 1", func() float32 { return float32(r.NormFloat64()) }
			}
			fill(t, next)
		case tensor.Uint8:
			fill(t, func() uint8 { return uint8(r.IntN(2)) })
		case tensor.Int32:
			fill(t, func() int32 { return int32(r.IntN(2)) })
		case tensor.Int64:
			fill(t, func() int64 { return int64(r.IntN(2)) })
		case tensor.Bool:
			what = "true or false"
			fill(t, func() bool { return r.IntN(2) == 1 })
		default:
			return nil, nil, cli.Usagef("the input %s: there are no random values of that type", Describe(inputs[i]))
		}
		about = append(about, fmt.Sprintf("random, seed %d: %s", seed, what))
	}
	return ts, about, nil
}

func fill[T tensor.Element](t *tensor.Tensor, next func() T) {
	d, _ := tensor.Data[T](t) // T is the tensor's
	for i := range d {
		d[i] = next()
	}
}
