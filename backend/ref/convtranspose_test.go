package ref

import (
	"math/rand/v2"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// Worked out by hand: each input stamps the kernel, times its value.
func TestConvTranspose(t *testing.T) {
	x := from(f32(1, 2, 3, 4), 1, 1, 2, 2)
	w := from(f32(1, 10, 100, 1000), 1, 1, 2, 2)
	line := from(f32(1, 2), 1, 1, 2)
	win := func(w backend.Window) backend.ConvTranspose { return backend.ConvTranspose{Window: w} }
	for _, c := range []struct {
		name string
		op   backend.ConvTranspose
		in   []*tensor.Tensor
		y    []float32
	}{
		{"2d", backend.ConvTranspose{}, []*tensor.Tensor{x, w}, f32(1, 12, 20, 103, 1234, 2040, 300, 3400, 4000)},
		{"stride", win(backend.Window{Strides: []int{2, 2}}), []*tensor.Tensor{x, w},
			f32(1, 10, 2, 20, 100, 1000, 200, 2000, 3, 30, 4, 40, 300, 3000, 400, 4000)},
		{"stride above kernel", win(backend.Window{Strides: []int{3}}), []*tensor.Tensor{line, from(f32(1, 10), 1, 1, 2)}, f32(1, 10, 0, 2, 20)},
		{"pads take away", win(backend.Window{Pads: []int{1, 0, 0, 1}}), []*tensor.Tensor{x, w}, f32(103, 1234, 300, 3400)},
		{"dilation", win(backend.Window{Dilations: []int{3}}), []*tensor.Tensor{line, from(f32(1, 10), 1, 1, 2)}, f32(1, 2, 0, 10, 20)},
		{"output padding", backend.ConvTranspose{Window: backend.Window{Strides: []int{2}}, OutputPadding: []int{1}, Bias: true},
			[]*tensor.Tensor{line, from(f32(1, 10, 100), 1, 1, 3), from(f32(0.5), 1)}, f32(1.5, 10.5, 102.5, 20.5, 200.5, 0.5)},
		// The next input would reach into the output padding: there is none.
		{"output padding, kernel 1", backend.ConvTranspose{Window: backend.Window{Strides: []int{2}}, OutputPadding: []int{1}},
			[]*tensor.Tensor{line, from(f32(10), 1, 1, 1)}, f32(10, 0, 20, 0)},
		{"same upper", win(backend.Window{Strides: []int{2}, AutoPad: backend.SameUpper}), []*tensor.Tensor{line, from(f32(1, 10, 100), 1, 1, 3)}, f32(1, 10, 102, 20)},
		{"same lower", win(backend.Window{Strides: []int{2}, AutoPad: backend.SameLower}), []*tensor.Tensor{line, from(f32(1, 10, 100), 1, 1, 3)}, f32(10, 102, 20, 200)},
		{"two channels", backend.ConvTranspose{}, []*tensor.Tensor{from(f32(1, 2, 3, 4), 1, 2, 2), from(f32(1, 10, 100, 1000), 2, 2, 1)}, f32(301, 402, 3010, 4020)},
		{"two groups", backend.ConvTranspose{Groups: 2}, []*tensor.Tensor{from(f32(1, 2, 3, 4), 1, 2, 2), from(f32(1, 10, 100, 1000), 2, 2, 1)},
			f32(1, 2, 10, 20, 300, 400, 3000, 4000)},
		{"3d", win(backend.Window{Strides: []int{1, 1, 2}}), []*tensor.Tensor{from(f32(1, 2), 1, 1, 2, 1, 1), from(f32(1, 10), 1, 1, 1, 1, 2)}, f32(1, 10, 2, 20)},
		{"epilogue", backend.ConvTranspose{Epilogue: backend.Epilogue{{Kind: backend.ScaleShift}, {Kind: backend.Activate}}},
			[]*tensor.Tensor{line, from(f32(1), 1, 1, 1), from(f32(-2), 1), from(f32(3), 1)}, f32(1, 0)},
	} {
		t.Run(c.name, func(t *testing.T) { same(t, "y", run(t, c.op, c.in...)[0], c.y) })
	}
}

// A transposed convolution is the gradient of a convolution with respect to its
// data, with the same weights.
func TestConvTransposeIsBackwardData(t *testing.T) {
	for _, c := range convCases {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			op := c.op
			op.Bias = false
			x, w := normals(r, c.x...), normals(r, c.w...)
			geo, err := op.Geometry(c.x, c.w)
			if err != nil {
				t.Fatal(err)
			}
			gy := normals(r, append([]int{c.x[0], c.w[0]}, geo.Out...)...)
			up := backend.ConvTranspose{Window: op.Window, Groups: op.Groups}
			up.AutoPad, up.Pads = backend.PadExplicit, append(append([]int{}, geo.Begin...), geo.End...)
			// The rows that the last window left unread.
			for i := range geo.In {
				up.OutputPadding = append(up.OutputPadding, (geo.In[i]+geo.Begin[i]+geo.End[i]-geo.Dilation[i]*(geo.Kernel[i]-1)-1)%geo.Stride[i])
			}
			got := run(t, up, gy, w)[0]
			want := runDesc(t, backwardData(op, x, w, gy), gy, w)[0]
			if !got.Shape().Equal(want.Shape()) {
				t.Fatalf("got shape %v, want %v", got.Shape(), want.Shape())
			}
			near(t, "y", got, want.Float32s(), 1e-6, 1e-9)
		})
	}
}
