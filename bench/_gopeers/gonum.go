package main

import (
	"errors"
	"fmt"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/bench"
	"github.com/convgl/convgl/tensor"
)

// gonum convolves by a matrix of patches and blas32.Gemm: gonum itself has no
// convolution. Making the matrix is in the timed part; a 1×1 kernel needs none.
func gonum() bench.Engine {
	return bench.Engine{Peer: "gonum", Version: version("gonum.org/v1/gonum"), Ready: func(d backend.Desc, in []*tensor.Tensor, _ int) (func() error, func() (*tensor.Tensor, error), string, error) {
		op, ok := d.Op.(backend.Conv)
		if !ok || op.GroupCount() != 1 {
			return nil, nil, "", fmt.Errorf("only dense convolutions: %w", errors.ErrUnsupported)
		}
		geo, err := op.Geometry(in[0].Shape(), in[1].Shape())
		if err != nil {
			return nil, nil, "", err
		}
		g := geo.To3()
		y, err := tensor.New(tensor.Float32, d.Out[0].Shape...)
		if err != nil {
			return nil, nil, "", err
		}
		x, bias := in[0].Float32s(), in[2].Float32s()
		n, out := y.Shape()[0], y.Shape()[1]
		size, pixels := len(x)/n, len(y.Float32s())/n/out
		k := len(in[1].Float32s()) / out
		w := blas32.General{Rows: out, Cols: k, Stride: k, Data: in[1].Float32s()}
		impl, patches := "blas32.Gemm", []float32(nil)
		if g.Kernel != [3]int{1, 1, 1} || g.Stride != g.Kernel || g.Begin != [3]int{} || g.End != [3]int{} {
			impl, patches = "im2col + blas32.Gemm", make([]float32, k*pixels)
		}
		return func() error {
			for i := range n {
				image := x[i*size:][:size]
				if patches != nil {
					im2col(patches, image, in[0].Shape()[1], g)
					image = patches
				}
				data := y.Float32s()[i*out*pixels:][:out*pixels]
				for c, v := range bias {
					row := data[c*pixels:][:pixels]
					for j := range row {
						row[j] = v
					}
				}
				blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, w, blas32.General{Rows: k, Cols: pixels, Stride: pixels, Data: image},
					1, blas32.General{Rows: out, Cols: pixels, Stride: pixels, Data: data})
			}
			return nil
		}, func() (*tensor.Tensor, error) { return y, nil }, impl, nil
	}}
}

// im2col writes a row for each channel and tap: that tap of every output pixel.
func im2col(dst, x []float32, channels int, g backend.Geometry3) {
	plane := g.In[0] * g.In[1] * g.In[2]
	at := 0
	for c := range channels {
		for kd := range g.Kernel[0] {
			for kh := range g.Kernel[1] {
				for kw := range g.Kernel[2] {
					for od := range g.Out[0] {
						d := od*g.Stride[0] + kd*g.Dilation[0] - g.Begin[0]
						for oh := range g.Out[1] {
							h := oh*g.Stride[1] + kh*g.Dilation[1] - g.Begin[1]
							row := dst[at:][:g.Out[2]]
							at += g.Out[2]
							if uint(d) >= uint(g.In[0]) || uint(h) >= uint(g.In[1]) {
								clear(row)
								continue
							}
							src := x[c*plane+(d*g.In[1]+h)*g.In[2]:][:g.In[2]]
							w := kw*g.Dilation[2] - g.Begin[2]
							for j := range row {
								if uint(w) < uint(len(src)) {
									row[j] = src[w]
								} else {
									row[j] = 0
								}
								w += g.Stride[2]
							}
						}
					}
				}
			}
		}
	}
}
