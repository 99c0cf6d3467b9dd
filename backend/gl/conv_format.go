//go:build cgo

package gl

import (
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// convFormat is the packed form of convolution weights [out, in/groups, kernel...]:
//
//	[groups][blocks][taps][in, rounded up to 4][block]
//
// where the output channels of a group are cut into blocks, so that what one
// workgroup reads is contiguous; what is rounded up is zero. Both families read it.
type convFormat struct {
	groups  int
	out, in int // channels of a group
	taps    int
	block   int // output channels of a block, a multiple of 8
}

// convBlock is what a block is at most: what the lanes of one workgroup cover.
const convBlock = 64

func newConvFormat(w tensor.Shape, groups int) convFormat {
	out := w[0] / groups
	return convFormat{
		groups: groups,
		out:    out,
		in:     w[1],
		taps:   w[2:].Size(),
		block:  min(roundUp(out, 8), convBlock),
	}
}

func (f convFormat) blocks() int { return ceilDiv(f.out, f.block) }

// String implements backend.Format.
func (f convFormat) String() string {
	return fmt.Sprintf("conv groups%d out%d/%d taps%d in%d", f.groups, f.out, f.block, f.taps, f.in)
}

// Bytes implements backend.Format.
func (f convFormat) Bytes() int64 {
	return 4 * int64(f.groups) * int64(f.blocks()) * int64(f.taps) * int64(roundUp(f.in, 4)) * int64(f.block)
}

func (f convFormat) accepts(d backend.TensorDesc) bool {
	s := d.Shape
	return d.DType == tensor.Float32 && len(s) >= 2 && s[0] == f.groups*f.out && s[1] == f.in && s[2:].Size() == f.taps
}

func (f convFormat) pack(dst []float32, t *tensor.Tensor) {
	src := t.Float32s()
	in4 := roundUp(f.in, 4)
	for g := range f.groups {
		for o := range f.out {
			row := src[(g*f.out+o)*f.in*f.taps:][:f.in*f.taps]
			at := ((g*f.blocks()+o/f.block)*f.taps*in4)*f.block + o%f.block
			for c := range f.in {
				for tap := range f.taps {
					dst[at+(tap*in4+c)*f.block] = row[c*f.taps+tap]
				}
			}
		}
	}
}
