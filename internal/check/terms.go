package check

import (
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// Terms returns K, the number of terms of the longest sum that an element of d's
// outputs is made of, and 0 for an op that sums nothing. It fails on an op that
// the package does not know.
func Terms(d backend.Desc) (int, error) {
	d, err := d.Resolve()
	if err != nil {
		return 0, err
	}
	x := d.In[0].Shape
	switch op := d.Op.(type) {
	case backend.Conv:
		bias := 0
		if op.Bias {
			bias = 1
		}
		switch d.Pass {
		case backend.BackwardData: // Σ over the group's output channels and the taps
			w := d.In[1].Shape
			return w[0] / op.GroupCount() * w[2:].Size(), nil
		case backend.BackwardWeights: // Σ over images and positions
			gy := d.In[1].Shape
			return gy[0] * gy[2:].Size(), nil
		}
		return d.In[1].Shape[1:].Size() + bias, nil
	case backend.ConvTranspose: // with a stride an output has fewer taps: this is the most
		w := d.In[1].Shape
		k := w[0] / op.GroupCount() * w[2:].Size()
		if op.Bias {
			k++
		}
		return k, nil
	case backend.Dense:
		if op.Bias {
			return d.In[1].Shape[1] + 1, nil
		}
		return d.In[1].Shape[1], nil
	case backend.MatMul:
		return x[len(x)-1], nil
	case backend.AvgPool:
		return tensor.Shape(op.Kernel).Size(), nil
	case backend.MaxPool: // not a sum, but what one special value reaches
		return tensor.Shape(op.Kernel).Size(), nil
	case backend.GlobalPool:
		return x[2:].Size(), nil
	case backend.Softmax:
		axis, err := backend.ResolveAxis("Softmax", op.Axis, len(x))
		if err != nil {
			return 0, err
		}
		return x[axis], nil
	case backend.AdaptivePool:
		k := 1
		for i, o := range op.Out {
			// ⌈(i+1)n/o⌉ − ⌊in/o⌋ is at most that.
			n := x[2+i]
			longest := n / o
			if n%o != 0 {
				longest = min(longest+2, n)
			}
			k *= longest
		}
		return k, nil
	case backend.Resize:
		if op.Mode == backend.ResizeLinear {
			return 1 << len(x[2:]), nil
		}
		return 0, nil
	case backend.Concat, backend.Transpose, backend.Slice, backend.Expand, backend.Tile:
		return 0, nil
	case backend.Gather, backend.MaxUnpool:
		return 0, nil
	case backend.Resample:
		return d.In[1].Shape[1], nil
	case backend.Reduce:
		return reducedSize(op, x)
	case backend.ArgMax, backend.TopK, backend.OneHot:
		return 0, nil
	case backend.GroupNorm, backend.InstanceNorm, backend.LayerNorm:
		length, _, _, err := normRuns(d)
		return length, err
	case backend.LRN:
		return min(op.Size, x[1]), nil
	case backend.BatchNorm, backend.Binary, backend.Where, backend.Activation,
		backend.Pad, backend.Reshape, backend.Flatten, backend.Reorder:
		return 0, nil
	}
	return 0, fmt.Errorf("check: unknown op %T", d.Op)
}
