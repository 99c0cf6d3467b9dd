package graph

import (
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// permuted says in which order the columns of a Dense's weights come, so that an
// image can be its input as it lies in memory: Flatten costs nothing then.
type permuted struct {
	shape  tensor.Shape // of the image
	layout backend.Layout
}

// key tells permutations of one tensor apart.
func (p *permuted) key() string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf("%v %v", p.shape[1:], p.layout)
}

// columns returns how many elements of memory an image has, padding included.
func (p *permuted) columns() int { return p.layout.PhysicalShape(p.shape)[1:].Size() }

// apply returns w with its columns in the order of the memory, and zeros where
// that has padding.
func (p *permuted) apply(w *tensor.Tensor) (*tensor.Tensor, error) {
	n := p.columns()
	out, err := tensor.New(tensor.Float32, w.Shape()[0], n)
	if err != nil {
		return nil, err
	}
	image := p.shape[1:]
	strides := p.layout.Strides(p.shape)[1:]
	place := make([]int, image.Size()) // of each column
	for i := range place {
		rest := i
		for k := len(image) - 1; k >= 0; k-- {
			place[i] += rest % image[k] * strides[k]
			rest /= image[k]
		}
	}
	src, dst := w.Float32s(), out.Float32s()
	for o := range w.Shape()[0] {
		row := src[o*len(place) : (o+1)*len(place)]
		to := dst[o*n : (o+1)*n]
		for i, v := range row {
			to[place[i]] = v
		}
	}
	return out, nil
}
