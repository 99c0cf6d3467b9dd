package cpu

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/convgl/convgl/backend"
)

// candidate is one way to compute an op. Its plan fails with an error that wraps
// errors.ErrUnsupported when it does not take d, and the next one is asked.
type candidate struct {
	name string
	plan func(dev *device, d backend.Desc) (*plan, error)
}

// candidates lists the ways to compute d, best first.
func candidates(d backend.Desc) []candidate {
	if d.Pass != backend.Forward {
		if _, ok := d.Op.(backend.Conv); !ok {
			return nil
		}
		switch d.Pass {
		case backend.BackwardData:
			return []candidate{{"gather", planConvBackwardData}}
		case backend.BackwardWeights:
			return []candidate{{"outer-product", planConvBackwardWeights}}
		}
		return nil
	}
	switch d.Op.(type) {
	case backend.Conv:
		return []candidate{{"depthwise", planDepthwise}, {"padded-gemm", planConvPadded}, {"indirect-gemm", planConv}}
	case backend.ConvTranspose:
		return []candidate{{"depthwise", planTransposeDepthwise}, {"indirect-gemm", planConvTranspose}}
	case backend.Dense:
		return []candidate{{"gemm", planDense}}
	case backend.MatMul:
		return []candidate{{"gemm", planMatMul}}
	case backend.MaxPool:
		return []candidate{{"direct", planMaxPool}}
	case backend.AvgPool:
		return []candidate{{"direct", planAvgPool}}
	case backend.GlobalPool:
		return []candidate{{"direct", planGlobalPool}}
	case backend.BatchNorm:
		return []candidate{{"direct", planBatchNorm}}
	case backend.GroupNorm, backend.InstanceNorm:
		return []candidate{{"blocks", planGroupNorm}}
	case backend.LayerNorm:
		return []candidate{{"blocks", planLayerNorm}}
	case backend.LRN:
		return []candidate{{"direct", planLRN}}
	case backend.Activation:
		return []candidate{{"direct", planActivation}}
	case backend.Softmax:
		return []candidate{{"two-pass", planSoftmax}}
	case backend.Binary:
		return []candidate{{"strided", planBinary}}
	case backend.Where:
		return []candidate{{"strided", planWhere}}
	case backend.Pad:
		return []candidate{{"rows", planPad}}
	case backend.Reorder:
		return []candidate{{"strided", planReorder}}
	case backend.AdaptivePool:
		return []candidate{{"direct", planAdaptivePool}}
	case backend.Resize:
		return []candidate{{"corners", planResize}}
	case backend.Concat:
		return []candidate{{"strided", planConcat}}
	case backend.Transpose:
		return []candidate{{"strided", planTranspose}}
	case backend.Gather:
		return []candidate{{"runs", planGather}}
	case backend.Resample:
		return []candidate{{"taps", planResample}}
	case backend.MaxUnpool:
		return []candidate{{"planes", planMaxUnpool}}
	case backend.Slice:
		return []candidate{{"strided", planSlice}}
	case backend.Expand:
		return []candidate{{"strided", planExpand}}
	case backend.Tile:
		return []candidate{{"strided", planTile}}
	case backend.Reduce:
		return []candidate{{"blocks", planReduce}}
	case backend.ArgMax:
		return []candidate{{"blocks", planArgMax}}
	case backend.TopK:
		return []candidate{{"keys", planTopK}}
	case backend.OneHot:
		return []candidate{{"scatter", planOneHot}}
	case backend.Reshape, backend.Flatten:
		return []candidate{{"copy", planReshape}}
	}
	return nil
}

// phase is a step of a run: fn is called for every part, in no order. Phases
// follow each other.
type phase struct {
	parts int
	fn    func(c *call, part, thread int)
}

// plan is what a candidate decides.
type plan struct {
	in, out   []backend.TensorDesc // with layouts resolved
	formats   []backend.Format     // nil for none
	workspace int64
	inPlace   []int
	phases    []phase
}

// grain is the work of one part that is worth handing to a thread: enough that
// waking one (a few microseconds) does not show.
const (
	grainFLOPs = 1 << 17
	grainBytes = 1 << 16
	maxParts   = 256
)

// partsFor cuts work into parts of a grain or more, at most maxParts and at most
// units. It depends on the shape only.
func partsFor(units int, work, grain int64) int {
	return int(max(min(work/grain, maxParts, int64(units)), min(1, int64(units))))
}

// kernel implements backend.Kernel.
type kernel struct {
	dev    *device
	op     string
	info   backend.KernelInfo
	phases []phase
	closed atomic.Bool
	mu     sync.Mutex
	idle   []*call // for the next runs, so that they allocate nothing
}

func (d *device) newKernel(algorithm string, desc backend.Desc, p *plan) *kernel {
	k := &kernel{dev: d, op: desc.Op.Kind(), phases: p.phases}
	k.info = backend.KernelInfo{Algorithm: algorithm, In: p.in, Out: p.out, Formats: p.formats, Workspace: p.workspace, InPlace: p.inPlace}
	if k.info.Formats == nil {
		k.info.Formats = make([]backend.Format, len(p.in))
	}
	r := desc
	r.In, r.Out = p.in, p.out
	k.info.Cost = r.Cost()
	if !slices.ContainsFunc(p.out, func(t backend.TensorDesc) bool { return t.Shape.Size() > 0 }) {
		k.phases = nil // a tensor without channels may still have more pixels than can be counted
	}
	d.AddKernel()
	return k
}

// Info implements backend.Kernel.
func (k *kernel) Info() *backend.KernelInfo { return &k.info }

// Close implements backend.Kernel.
func (k *kernel) Close() error {
	if !k.closed.Swap(true) {
		k.dev.DropKernel()
	}
	return nil
}

// call is one run: the memory of its arguments and what each thread needs.
type call struct {
	op        string
	in, out   [][]byte
	ws        []byte
	tiles     []tile   // one a thread
	depthwise []dwTile // one a thread
	states    []states // one a thread
	mu        sync.Mutex
	err       error // of the first part that failed
}

func (c *call) x(i int) []float32 { return f32(c.in[i]) }
func (c *call) y(i int) []float32 { return f32(c.out[i]) }

// fail keeps a panic of a part as the error of the run: a fault of this package,
// which must not end the program.
func (c *call) fail(reason any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = fmt.Errorf("backend: cpu: %s: internal error: %v", c.op, reason)
	}
}

// recover is deferred where parts are done.
func (c *call) recover() {
	if r := recover(); r != nil {
		c.fail(r)
	}
}

func (k *kernel) take() *call {
	k.mu.Lock()
	defer k.mu.Unlock()
	if n := len(k.idle); n > 0 {
		c := k.idle[n-1]
		k.idle = k.idle[:n-1]
		return c
	}
	return &call{
		op: k.op,
		in: make([][]byte, len(k.info.In)), out: make([][]byte, len(k.info.Out)),
		tiles: make([]tile, k.dev.pool.threads()), depthwise: make([]dwTile, k.dev.pool.threads()), states: make([]states, k.dev.pool.threads()),
	}
}

func (k *kernel) give(c *call) {
	// Drop the references, so that an idle kernel keeps no memory alive.
	clear(c.in)
	clear(c.out)
	clear(c.tiles)
	clear(c.depthwise)
	clear(c.states)
	c.ws, c.err = nil, nil
	k.mu.Lock()
	k.idle = append(k.idle, c)
	k.mu.Unlock()
}

// Run implements backend.Kernel. It returns when the result is there.
func (k *kernel) Run(ctx context.Context, a backend.Args) error {
	if k.closed.Load() {
		return backend.ErrClosed
	}
	if err := k.dev.ready(ctx); err != nil {
		return err
	}
	if err := k.info.CheckArgs(k.op, &a); err != nil {
		return err
	}
	c := k.take()
	defer k.give(c)
	if err := k.bind(c, &a); err != nil {
		return err
	}
	for i := range k.phases {
		if err := k.dev.pool.run(k.phases[i].fn, c, k.phases[i].parts); err != nil {
			return err
		}
		if c.err != nil {
			return c.err
		}
	}
	return nil
}

// bind resolves the buffers of a run.
func (k *kernel) bind(c *call, a *backend.Args) error {
	var err error
	for i, b := range a.In {
		if c.in[i], err = k.memory(b, k.info.InBytes(i)); err != nil {
			return fmt.Errorf("%s: in[%d]: %w", k.op, i, err)
		}
	}
	for i, b := range a.Out {
		if c.out[i], err = k.memory(b, k.info.OutBytes(i)); err != nil {
			return fmt.Errorf("%s: out[%d]: %w", k.op, i, err)
		}
	}
	if k.info.Workspace > 0 {
		if c.ws, err = k.memory(a.Workspace, k.info.Workspace); err != nil {
			return fmt.Errorf("%s: workspace: %w", k.op, err)
		}
	}
	if k.dev.debug {
		return k.checkOverlap(c)
	}
	return nil
}

func (k *kernel) memory(b backend.Buffer, n int64) ([]byte, error) {
	mem, err := k.dev.bytes(b)
	if err != nil {
		return nil, err
	}
	return mem[:n], nil
}

// checkOverlap fails when an output or the workspace shares memory with another
// argument and Info does not allow it.
func (k *kernel) checkOverlap(c *call) error {
	written := append(slices.Clone(c.out), c.ws)
	for i, w := range written {
		for j, in := range c.in {
			if overlap(w, in) && !(i == 0 && slices.Contains(k.info.InPlace, j)) {
				return &backend.ShapeError{Op: k.op, Arg: fmt.Sprintf("run: in[%d]", j), Got: "memory that the run also writes", Want: "memory of its own", Hint: "only the inputs in Info().InPlace may be overwritten"}
			}
		}
		for _, v := range written[:i] {
			if overlap(w, v) {
				return &backend.ShapeError{Op: k.op, Arg: "run: outputs, workspace", Got: "memory that overlaps", Want: "memory of their own"}
			}
		}
	}
	return nil
}
