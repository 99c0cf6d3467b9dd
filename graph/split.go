package graph

import (
	"context"
	"errors"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// A batch that is too large for the device is run in parts: where a plan fails
// with a *backend.LimitError, half of the images are tried. That gives the same
// result where no value mixes images, which is taken from the shapes: the first
// dim of every input, of every output and of every value computed between is the
// batch, which is in no other dim, and the nodes are of kinds that treat images
// alone.

// splitsByBatch reports whether a batch may be run in parts.
func (g *Graph) splitsByBatch() bool {
	if len(g.inputs) == 0 || len(g.inputs[0].shape) == 0 {
		return false
	}
	if _, static := g.inputs[0].shape[0].Size(); static {
		return false
	}
	size := g.inputs[0].sizes
	counts := func(v *Value, dim int) bool {
		return v.sizes[0][dim] == size[0][0] && v.sizes[1][dim] == size[1][0]
	}
	// The batch in a second dim pairs images with each other.
	leads := func(v *Value) bool {
		for i := range v.shape {
			if counts(v, i) != (i == 0) {
				return false
			}
		}
		return len(v.shape) > 0
	}
	for _, v := range g.inputs {
		if !leads(v) {
			return false
		}
	}
	for _, n := range g.nodes {
		if mixesImages(n) {
			return false
		}
		for _, v := range n.out {
			if !leads(v) {
				return false
			}
		}
	}
	for _, o := range g.outputs {
		if !leads(o.Value) {
			return false
		}
	}
	return true
}

// mixesImages reports whether an element of an output may depend on more than one
// image although the first dim is the batch.
func mixesImages(n *Node) bool {
	rank := len(n.in[0].shape)
	axis := func(a int) bool { return a == 0 || a == -rank }
	switch op := n.op.(type) {
	case backend.Softmax:
		return axis(op.Axis)
	case backend.Concat:
		return axis(op.Axis)
	case backend.LayerNorm:
		return axis(op.Axis)
	case backend.ArgMax:
		return axis(op.Axis)
	case backend.TopK:
		return axis(op.Axis)
	case backend.Reduce:
		reduced, err := op.Reduced(rank)
		return err != nil || rank == 0 || reduced[0]
	case backend.OneHot: // with the axis in front the batch is no longer the first dim
		return op.Axis == 0 || op.Axis == -rank-1
	case backend.MatMul:
		// A matrix times the batch's own matrix; batched ones are apart.
		return len(n.in[1].shape) > 0 && n.in[1].konst == nil && rank < 3
	case backend.Transpose:
		return len(op.Perm) == 0 || op.Perm[0] != 0
	case backend.Flatten:
		return op.Axis != 1 && op.Axis != 1-rank
	case backend.Gather: // an index of its own per run may name any image's element, or be cut like one
		return axis(op.Axis) || n.in[1].konst == nil
	case backend.Resample:
		return axis(op.Axis) || n.in[1].konst == nil || n.in[2].konst == nil
	case backend.Slice:
		return rank == 0 || !takesDim(op, n.in[0].shape, 0)
	case backend.Reshape, backend.Expand, backend.Tile, backend.Conv, backend.ConvTranspose, backend.Dense,
		backend.MaxPool, backend.MaxUnpool, backend.AvgPool, backend.GlobalPool, backend.AdaptivePool, backend.Resize, backend.Pad,
		backend.BatchNorm, backend.GroupNorm, backend.InstanceNorm, backend.LRN, backend.Activation, backend.Binary,
		backend.Where,
		Identity, Dropout:
		return false
	}
	return true
}

// isLimit reports whether the device refused a size.
func isLimit(err error) bool {
	var limit *backend.LimitError
	return errors.As(err, &limit)
}

// maySplit reports whether a batch that was refused with err may be run in parts.
func (m *Model) maySplit(in []*tensor.Tensor, err error) bool {
	return isLimit(err) && m.splits && in[0].Shape()[0] > 1
}

// runSplit runs the halves of a batch that was refused with err.
func (m *Model) runSplit(ctx context.Context, out, in []*tensor.Tensor, err error) error {
	if !m.maySplit(in, err) {
		return err
	}
	descs, err := m.outputs(in)
	if err != nil {
		return err
	}
	if len(out) != len(descs) {
		return m.wrongCount("outputs", len(out), len(descs))
	}
	for i, d := range descs {
		if err := checkOutput(m.g.outputs[i].Name, d, out[i]); err != nil {
			return err
		}
	}
	batch := in[0].Shape()[0]
	half := (batch + 1) / 2
	for _, r := range [][2]int{{0, half}, {half, batch}} {
		part := make([]*tensor.Tensor, len(in))
		for i, t := range in {
			if part[i], err = images(t, r[0], r[1]); err != nil {
				return err
			}
		}
		to := make([]*tensor.Tensor, len(out))
		for i, t := range out {
			if to[i], err = images(t, r[0], r[1]); err != nil {
				return err
			}
		}
		if err := m.runInto(ctx, to, part); err != nil {
			return err
		}
	}
	return nil
}

// images returns the images from lo to hi of t, over the same memory.
func images(t *tensor.Tensor, lo, hi int) (*tensor.Tensor, error) {
	shape := t.Shape().Clone()
	size := shape[1:].Size()
	shape[0] = hi - lo
	switch t.DType() {
	case tensor.Float32:
		return part[float32](t, shape, lo*size, hi*size)
	case tensor.Int32:
		return part[int32](t, shape, lo*size, hi*size)
	case tensor.Int64:
		return part[int64](t, shape, lo*size, hi*size)
	case tensor.Float64:
		return part[float64](t, shape, lo*size, hi*size)
	case tensor.Bool:
		return part[bool](t, shape, lo*size, hi*size)
	}
	return part[uint8](t, shape, lo*size, hi*size)
}

func part[T tensor.Element](t *tensor.Tensor, shape tensor.Shape, lo, hi int) (*tensor.Tensor, error) {
	d, err := tensor.Data[T](t)
	if err != nil {
		return nil, err
	}
	return tensor.From(d[lo:hi], shape...)
}
