package ref

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// layoutCases hold one op each on tensors that every layout stores differently.
func layoutCases(r *rand.Rand) map[string]struct {
	op backend.Op
	in []*tensor.Tensor
} {
	x := func() *tensor.Tensor { return normals(r, 2, 5, 4, 3) }
	w := backend.Window{Kernel: []int{3, 2}, Strides: []int{2, 1}, Pads: []int{1, 1, 0, 1}}
	c := func() *tensor.Tensor { return normals(r, 5) }
	positive := c()
	for i, v := range positive.Float32s() {
		positive.Float32s()[i] = v * v
	}
	type testCase = struct {
		op backend.Op
		in []*tensor.Tensor
	}
	return map[string]testCase{
		"conv": {backend.Conv{Bias: true, Epilogue: backend.Epilogue{{Kind: backend.ScaleShift}, {Kind: backend.Residual}, {Kind: backend.Activate, Act: backend.Act{Kind: backend.Sigmoid}}}},
			[]*tensor.Tensor{x(), normals(r, 6, 5, 1, 1), normals(r, 6), normals(r, 6), normals(r, 6), normals(r, 2, 6, 4, 3)}},
		"maxpool":    {backend.MaxPool{Window: w, Indices: true}, []*tensor.Tensor{x()}},
		"avgpool":    {backend.AvgPool{Window: w, CountIncludePad: true}, []*tensor.Tensor{x()}},
		"globalpool": {backend.GlobalPool{Mean: true}, []*tensor.Tensor{x()}},
		"dense":      {backend.Dense{}, []*tensor.Tensor{x(), normals(r, 6, 3)}},
		"matmul":     {backend.MatMul{}, []*tensor.Tensor{x(), normals(r, 1, 5, 3, 7)}},
		"batchnorm":  {backend.BatchNorm{}, []*tensor.Tensor{x(), c(), c(), c(), positive}},
		"groupnorm":  {backend.GroupNorm{Groups: 5, Epsilon: 1e-5}, []*tensor.Tensor{x(), c(), c()}},
		"layernorm":  {backend.LayerNorm{Axis: 2}, []*tensor.Tensor{x(), normals(r, 4, 3), normals(r, 4, 3)}},
		"lrn":        {backend.LRN{Size: 4, Alpha: 1, Beta: 0.75, K: 1}, []*tensor.Tensor{x()}},
		"sigmoid":    {backend.Activation{Act: backend.Act{Kind: backend.Sigmoid}}, []*tensor.Tensor{x()}},
		"softmax":    {backend.Softmax{Axis: 1}, []*tensor.Tensor{x()}},
		"add":        {backend.Binary{}, []*tensor.Tensor{x(), normals(r, 5, 1, 3)}},
		"pad":        {backend.Pad{Pads: []int{0, 1, 2, 0, 1, 0, 0, 1}, Value: 3}, []*tensor.Tensor{x()}},
		"reshape":    {backend.Reshape{Shape: []int{5, 2, 3, 4}}, []*tensor.Tensor{x()}},
		"flatten":    {backend.Flatten{Axis: 1}, []*tensor.Tensor{x()}},
		"reorder":    {backend.Reorder{}, []*tensor.Tensor{x()}},
	}
}

// An op gives the same bits whatever the layouts, and zeros in the lanes beyond
// the last channel, into which poisoned memory and sigmoid(0) must not get.
func TestLayouts(t *testing.T) {
	layouts := []backend.Layout{backend.Plain, backend.ChannelsLast, backend.ChannelsLast4}
	for name, c := range layoutCases(rand.New(rand.NewPCG(13, 14))) {
		want := run(t, c.op, c.in...)
		d, err := backend.DescOf(c.op, c.in...).Resolve()
		if err != nil {
			t.Fatal(err)
		}
		for _, from := range layouts {
			for _, to := range layouts {
				t.Run(fmt.Sprintf("%s/%v to %v", name, from, to), func(t *testing.T) {
					d := d
					d.In, d.Out = withLayout(d.In, from), withLayout(d.Out, to)
					be := open(t)
					inst, err := backend.NewInstance(ctx, be, d)
					if err != nil {
						t.Fatal(err)
					}
					defer inst.Close()
					for i, x := range c.in {
						if err := inst.SetInput(ctx, i, x); err != nil {
							t.Fatal(err)
						}
					}
					if err := inst.Run(ctx); err != nil {
						t.Fatal(err)
					}
					for i, o := range inst.Kernel.Info().Out {
						got, err := inst.Output(ctx, i)
						if err != nil {
							t.Fatal(err)
						}
						if !bytes.Equal(got.Bytes(), want[i].Bytes()) {
							t.Errorf("output %d differs", i)
						}
						zeroLanes(t, be, inst.Args.Out[i], o)
					}
				})
			}
		}
	}
}

// zeroLanes reads the memory of a padded tensor and checks its unused lanes.
func zeroLanes(t *testing.T, be backend.Backend, b backend.Buffer, d backend.TensorDesc) {
	t.Helper()
	physical := d.Layout.PhysicalShape(d.Shape)
	memory := tensor.Must(tensor.New(d.DType, physical...))
	if err := be.Read(ctx, memory.Bytes(), b); err != nil {
		t.Fatal(err)
	}
	if d.Layout.Order != backend.OrderChannelsLast || len(d.Shape) < 2 {
		return
	}
	stored, used := physical[len(physical)-1]*4, d.Shape[1]*4
	for i, v := range memory.Bytes() {
		if i%stored >= used && v != 0 {
			t.Fatalf("byte %d, in an unused lane of %v, is %#x", i, d, v)
		}
	}
}
