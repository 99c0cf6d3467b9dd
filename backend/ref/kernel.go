package ref

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/convgl/convgl/backend"
)

// definition computes an op: it reads all of in and writes all of out.
type definition func(in, out []array)

// define returns the definition of what d, which is resolved, asks for.
func define(d backend.Desc) (definition, error) {
	switch op := d.Op.(type) {
	case backend.Conv:
		switch d.Pass {
		case backend.Forward:
			return conv(op, d)
		case backend.BackwardData:
			return convBackwardData(op, d)
		case backend.BackwardWeights:
			return convBackwardWeights(op, d)
		}
	case backend.ConvTranspose:
		return convTranspose(op, d)
	case backend.MaxPool:
		return maxPool(op, d)
	case backend.AvgPool:
		return avgPool(op, d)
	case backend.GlobalPool:
		return globalPool(op), nil
	case backend.Dense:
		return dense(op), nil
	case backend.MatMul:
		return matMul(op, d)
	case backend.BatchNorm:
		return batchNorm(op), nil
	case backend.GroupNorm:
		return groupNorm(op.Groups, op.Epsilon, d), nil
	case backend.InstanceNorm:
		return groupNorm(d.In[0].Shape[1], op.Epsilon, d), nil
	case backend.LayerNorm:
		return layerNorm(op, d)
	case backend.LRN:
		return lrn(op, d), nil
	case backend.Activation:
		return activation(op), nil
	case backend.Softmax:
		return softmax(op, d)
	case backend.Binary:
		return binary(op, d), nil
	case backend.Where:
		return where(d), nil
	case backend.Pad:
		return pad(op, d), nil
	case backend.Reshape, backend.Flatten:
		return reshape, nil
	case backend.Reorder:
		return reorder, nil
	case backend.AdaptivePool:
		return adaptivePool(op, d), nil
	case backend.Resize:
		return resize(op, d)
	case backend.Concat:
		return concat(op, d)
	case backend.Transpose:
		return transpose(op, d)
	case backend.Gather:
		return gather(op, d)
	case backend.Resample:
		return resample(op, d)
	case backend.MaxUnpool:
		return maxUnpool(d), nil
	case backend.Slice:
		return slice(op, d), nil
	case backend.Expand:
		return expand(d), nil
	case backend.Tile:
		return tile(d), nil
	case backend.Reduce:
		return reduce(op, d)
	case backend.ArgMax:
		return argMax(op, d)
	case backend.TopK:
		return topK(op, d)
	case backend.OneHot:
		return oneHot(op, d)
	}
	return nil, backend.Unsupported(name, d.Op.Kind(), fmt.Sprintf("no definition of %T, %v", d.Op, d.Pass))
}

// kernel implements backend.Kernel.
type kernel struct {
	be      *device
	op      string
	info    backend.KernelInfo
	compute definition
	closed  atomic.Bool

	mu   sync.Mutex
	free []*frame // kept, so that a run allocates nothing
}

// frame holds the arguments of one run.
type frame struct{ in, out []array }

// Prepare implements backend.Backend.
func (be *device) Prepare(ctx context.Context, d backend.Desc) (backend.Kernel, error) {
	if err := be.usable(ctx, "Prepare"); err != nil {
		return nil, err
	}
	d, err := d.Resolve()
	if err != nil {
		return nil, err
	}
	if d.Algorithm != "" && d.Algorithm != algorithm {
		return nil, &backend.AttrError{Op: d.Op.Kind(), Attr: "algorithm", Got: d.Algorithm, Want: algorithm}
	}
	k := &kernel{be: be, op: d.Op.Kind()}
	k.info = backend.KernelInfo{Algorithm: algorithm, Formats: make([]backend.Format, len(d.In))}
	if k.info.In, err = settle(k.op, "in", d.In); err != nil {
		return nil, err
	}
	if k.info.Out, err = settle(k.op, "out", d.Out); err != nil {
		return nil, err
	}
	d.In, d.Out = k.info.In, k.info.Out
	k.info.Cost = d.Cost()
	k.info.InPlace = inPlace(d)
	if k.compute, err = define(d); err != nil {
		return nil, err
	}
	if err := be.enter("Prepare", k); err != nil {
		return nil, err
	}
	be.AddKernel()
	return k, nil
}

// settle makes Plain of every layout that is left open and refuses tensors that
// no buffer can hold.
func settle(op, what string, ds []backend.TensorDesc) ([]backend.TensorDesc, error) {
	ds = append([]backend.TensorDesc{}, ds...)
	for i := range ds {
		if ds[i].Layout.Order == backend.OrderAny {
			ds[i].Layout = backend.Plain
		}
		if n := ds[i].Bytes(); n > maxBuffer {
			return nil, &backend.LimitError{Op: op, What: fmt.Sprintf("%s[%d], bytes", what, i), Got: n, Max: maxBuffer}
		}
	}
	return ds, nil
}

// inPlace lists the inputs of elementwise ops that lie exactly as the output: an
// element is read before it is overwritten.
func inPlace(d backend.Desc) []int {
	var candidates []int
	switch d.Op.(type) {
	case backend.Activation, backend.BatchNorm:
		candidates = []int{0}
	case backend.Binary:
		candidates = []int{0, 1}
	case backend.Where:
		candidates = []int{0, 1, 2}
	}
	var same []int
	for _, i := range candidates {
		if d.In[i].Layout == d.Out[0].Layout && d.In[i].Shape.Equal(d.Out[0].Shape) {
			same = append(same, i)
		}
	}
	return same
}

// Info implements backend.Kernel.
func (k *kernel) Info() *backend.KernelInfo { return &k.info }

// Run implements backend.Kernel. It returns when the work is done.
func (k *kernel) Run(ctx context.Context, a backend.Args) error {
	if err := k.be.usable(ctx, k.op); err != nil {
		return err
	}
	if k.closed.Load() {
		return fmt.Errorf("backend: ref: %s: kernel: %w", k.op, backend.ErrClosed)
	}
	if err := k.info.CheckArgs(k.op, &a); err != nil {
		return err
	}
	f := k.take()
	defer k.give(f)
	for i, b := range a.In {
		mem, err := k.be.memory(k.op, "in", i, b)
		if err != nil {
			return err
		}
		f.in[i].bind(mem)
	}
	for i, b := range a.Out {
		mem, err := k.be.memory(k.op, "out", i, b)
		if err != nil {
			return err
		}
		f.out[i].bind(mem)
	}
	k.compute(f.in, f.out)
	for i := range f.out {
		f.out[i].zeroPadding()
	}
	return nil
}

// take returns a frame for one run: a used one if there is any.
func (k *kernel) take() *frame {
	k.mu.Lock()
	defer k.mu.Unlock()
	if n := len(k.free); n > 0 {
		f := k.free[n-1]
		k.free = k.free[:n-1]
		return f
	}
	f := &frame{in: make([]array, len(k.info.In)), out: make([]array, len(k.info.Out))}
	for i, t := range k.info.In {
		f.in[i].place = placeOf(t)
	}
	for i, t := range k.info.Out {
		f.out[i].place = placeOf(t)
	}
	return f
}

// give makes a frame available again. It forgets the memory of the run.
func (k *kernel) give(f *frame) {
	for i := range f.in {
		f.in[i].bind(nil)
	}
	for i := range f.out {
		f.out[i].bind(nil)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.free = append(k.free, f)
}

// Close implements backend.Kernel.
func (k *kernel) Close() error {
	if !k.closed.Swap(true) {
		k.be.leave(k)
		k.be.DropKernel()
	}
	return nil
}
