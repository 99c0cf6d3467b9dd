package onnx

import (
	"fmt"

	"github.com/convgl/convgl/tensor"
)

// maxFolded bounds the bytes of what the host computes for one graph, and in one run
// of it: a small file can ask for large tensors. It has room for the weights of the
// largest networks of pictures, which some files have as ConstantOfShape.
const maxFolded = 1 << 30

// budget is what the content of a file may still make the host spend. Memory is taken
// from it before it is allocated, and given back by nobody: what comes and goes is work
// too. Elements that are read count as a byte each.
type budget struct{ left, all int64 }

func newBudget(bytes int64) *budget { return &budget{bytes, bytes} }

// take takes n times a size.
func (b *budget) take(n int, size int) error {
	if int64(n) > b.left/int64(max(size, 1)) {
		return fmt.Errorf("%d elements of %d bytes are more than the limit of %d bytes for what the host computes, of which %d are left", n, size, b.all, b.left)
	}
	b.left -= int64(n) * int64(size)
	return nil
}

// takeTensor takes the memory of a tensor.
func (b *budget) takeTensor(dtype tensor.DType, shape tensor.Shape) error {
	n, err := shape.Elems()
	if err != nil {
		return err
	}
	if err := b.take(n, dtype.Size()); err != nil {
		return fmt.Errorf("a tensor of shape %v: %w", shape, err)
	}
	return nil
}
