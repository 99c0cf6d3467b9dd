package cpu

import (
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// Every case passes the bounds of package check on every fill.
func TestJudged(t *testing.T) {
	be, ref := open(t, "cpu", backend.WithThreads(2)), open(t, "ref")
	oracle := func(d backend.Desc, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		return backend.RunDesc(ctx, ref, plainDesc(d), in...)
	}
	cases := exactCases()
	for _, k := range backend.ActKinds() {
		name := k.String()
		act := backend.Act{Kind: k, Alpha: 0.1, Beta: 0.5}
		cases[name] = backend.Desc{Op: backend.Activation{Act: act}, In: []backend.TensorDesc{backend.F32(3, 40)}}
		d := conv2(1, 8, 9, 12, 3, 1, 1, 1)
		op := d.Op.(backend.Conv)
		op.Epilogue = backend.Epilogue{{Kind: backend.Activate, Act: act}}
		d.Op = op
		cases["conv_"+name] = d
	}
	for _, shape := range [][]int{{4, 1000}, {2, 5, 6, 7}} {
		cases["softmax_"+tensor.Shape(shape).String()] = backend.Desc{Op: backend.Softmax{Axis: 1}, In: []backend.TensorDesc{backend.F32(shape...)}}
		cases["logsoftmax_"+tensor.Shape(shape).String()] = backend.Desc{Op: backend.Softmax{Axis: 1, Log: true}, In: []backend.TensorDesc{backend.F32(shape...)}}
		c := backend.F32(shape[1])
		cases["batchnorm_"+tensor.Shape(shape).String()] = backend.Desc{Op: backend.BatchNorm{Epsilon: 1e-5}, In: []backend.TensorDesc{backend.F32(shape...), c, c, c, c}}
	}
	for name, d := range cases {
		for _, f := range []check.Fill{check.Exact, check.Normal, check.Uniform, check.Adversarial, check.Special} {
			in, err := check.Inputs(d, f, 5)
			if err != nil {
				t.Errorf("%s: %v: %v", name, f, err)
				continue
			}
			got, err := backend.RunDesc(ctx, be, d, in...)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			res, err := check.Judge(d, f, in, got, oracle)
			if err != nil {
				t.Errorf("%s %v: %v", name, f, err)
			} else if res.Verdict != check.Pass {
				t.Errorf("%s %v: %v %+v", name, f, res.Verdict, res.Outputs)
			}
		}
	}
}
