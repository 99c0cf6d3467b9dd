//go:build cgo

package gl

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
)

// plan is what a plan function fills in: see the comment at the top of kernel.go.
type plan struct {
	be   *Backend
	op   string
	desc backend.Desc // resolved; its layouts as the caller gave them

	in, out   []backend.TensorDesc // as Info will have them
	formats   []backend.Format
	workspace int64
	inPlace   []int
	steps     []step
	tables    []byte // of the kernel
}

// candidate is an algorithm by name and the function that plans it.
type candidate struct {
	name string
	plan func(p *plan) error
}

// candidates lists the algorithms for d, which is resolved, best first.
func (be *Backend) candidates(d backend.Desc) []candidate {
	if d.Pass != backend.Forward {
		return nil
	}
	switch op := d.Op.(type) {
	case backend.Activation:
		return activationCandidates(op)
	case backend.Conv:
		return be.convCandidates(op)
	case backend.ConvTranspose:
		return convTransposeCandidates(op)
	case backend.Reorder:
		return reorderCandidates()
	case backend.MaxPool:
		return maxPoolCandidates(op)
	case backend.AvgPool:
		return avgPoolCandidates(op)
	case backend.GlobalPool:
		return globalPoolCandidates(op)
	case backend.Dense:
		return be.denseCandidates(op)
	case backend.MatMul:
		return matMulCandidates(op)
	case backend.BatchNorm:
		return batchNormCandidates(op)
	case backend.GroupNorm:
		return groupNormCandidates(op)
	case backend.InstanceNorm:
		return instanceNormCandidates(op)
	case backend.LayerNorm:
		return layerNormCandidates(op)
	case backend.LRN:
		return lrnCandidates(op)
	case backend.Softmax:
		return softmaxCandidates(op)
	case backend.Binary:
		return binaryCandidates(op)
	case backend.Where:
		return whereCandidates()
	case backend.Pad:
		return padCandidates(op)
	case backend.Reshape, backend.Flatten:
		return reshapeCandidates()
	case backend.AdaptivePool:
		return adaptivePoolCandidates(op)
	case backend.Resize:
		return resizeCandidates(op)
	case backend.Concat:
		return concatCandidates(op)
	case backend.Transpose:
		return transposeCandidates(op)
	case backend.Reduce:
		return reduceCandidates(op)
	case backend.ArgMax:
		return argMaxCandidates(op)
	case backend.TopK:
		return topKCandidates(op)
	case backend.OneHot:
		return oneHotCandidates(op)
	case backend.Gather:
		return gatherCandidates(op)
	case backend.Resample:
		return resampleCandidates(op)
	case backend.MaxUnpool:
		return maxUnpoolCandidates()
	case backend.Slice:
		return sliceCandidates(op)
	case backend.Expand:
		return expandCandidates()
	case backend.Tile:
		return tileCandidates(op)
	}
	return nil
}

// Prepare implements backend.Backend.
func (be *Backend) Prepare(ctx context.Context, d backend.Desc) (backend.Kernel, error) {
	if err := be.usable(ctx, "Prepare"); err != nil {
		return nil, err
	}
	d, err := d.Resolve()
	if err != nil {
		return nil, err
	}
	op := d.Op.Kind()
	var names []string
	var refused error
	for _, c := range be.candidates(d) {
		names = append(names, c.name)
		if d.Algorithm != "" && d.Algorithm != c.name {
			continue
		}
		p, err := be.plan(d, c)
		if err == nil {
			return p.kernel(ctx, c.name)
		}
		if !isRefusal(err) {
			return nil, err
		}
		refused = errors.Join(refused, err)
	}
	switch {
	case refused != nil:
		return nil, refused
	case d.Algorithm != "" && len(names) > 0:
		return nil, &backend.AttrError{Op: op, Attr: "algorithm", Got: d.Algorithm, Want: fmt.Sprint(names)}
	}
	return nil, backend.Unsupported(name, op, fmt.Sprintf("no kernel for %T, %v pass", d.Op, d.Pass))
}

// isRefusal tells whether another algorithm may still take what one could not.
func isRefusal(err error) bool {
	var limit *backend.LimitError
	return errors.As(err, &limit) || errors.Is(err, errors.ErrUnsupported)
}

// Algorithms implements backend.Backend.
func (be *Backend) Algorithms(d backend.Desc) []string {
	d, err := d.Resolve()
	if err != nil {
		return nil
	}
	var names []string
	for _, c := range be.candidates(d) {
		if _, err := be.plan(d, c); err == nil {
			names = append(names, c.name)
		}
	}
	return names
}

func (be *Backend) usable(ctx context.Context, op string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("gl: %s: %w", op, err)
	}
	if err := be.dev.Usable(); err != nil {
		return fmt.Errorf("gl: %s: %w", op, err)
	}
	return nil
}

// plan runs one candidate and checks what it decided against the device's limits.
func (be *Backend) plan(d backend.Desc, c candidate) (*plan, error) {
	p := &plan{
		be:      be,
		op:      d.Op.Kind(),
		desc:    d,
		in:      append([]backend.TensorDesc{}, d.In...),
		out:     append([]backend.TensorDesc{}, d.Out...),
		formats: make([]backend.Format, len(d.In)),
	}
	if err := p.fits("inputs", p.in); err != nil {
		return nil, err
	}
	if err := p.fits("outputs", p.out); err != nil {
		return nil, err
	}
	if err := c.plan(p); err != nil {
		return nil, err
	}
	for i := range p.steps {
		if err := p.finish(&p.steps[i]); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// maxElems keeps every index of an element, and of the invocations of a folded
// dispatch, within an int of a shader.
const maxElems = math.MaxInt32 - 1<<24

// fits refuses tensors that a shader cannot index.
func (p *plan) fits(what string, ds []backend.TensorDesc) error {
	for i, d := range ds {
		if d.Layout.Order == backend.OrderAny {
			d.Layout = backend.ChannelsLast4 // the largest that a plan may choose
		}
		n, err := d.Elems()
		if err != nil {
			return &backend.ShapeError{Op: p.op, Arg: fmt.Sprintf("%s[%d]", what, i), Got: d.String(), Want: "a size that fits in memory", Hint: err.Error()}
		}
		if n > maxElems {
			return &backend.LimitError{Op: p.op, What: fmt.Sprintf("%s[%d], elements", what, i), Got: n, Max: maxElems, Hint: "split the batch"}
		}
	}
	return nil
}

// add appends a dispatch. One of no workgroups is dropped: its tensors are empty.
func (p *plan) add(s step) {
	if s.groups[0] != 0 && s.groups[1] != 0 && s.groups[2] != 0 {
		p.steps = append(p.steps, s)
	}
}

// scratch reserves bytes of the workspace, aligned for a binding of their own, and
// returns their offset.
func (p *plan) scratch(bytes int64) int64 {
	off := (p.workspace + p.be.align - 1) / p.be.align * p.be.align
	p.workspace = off + bytes
	return off
}

// table keeps words, made at plan time, with the kernel, and returns their binding
// to a slot.
func (p *plan) table(slot int, f device.Texel, words []uint32) binding {
	off := roundUp(len(p.tables), int(p.be.align))
	p.tables = append(p.tables, make([]byte, off-len(p.tables))...)
	for _, w := range words {
		p.tables = binary.NativeEndian.AppendUint32(p.tables, w)
	}
	return reads(slot, argument{kind: tableArg}, f).part(int64(off), int64(len(p.tables)-off))
}

func (p *plan) unsupported(format string, args ...any) error {
	return backend.Unsupported(name, p.op, fmt.Sprintf(format, args...))
}

// size returns the bytes of an input (packed, if so asked for) or output.
func (p *plan) size(a argument) int64 {
	switch a.kind {
	case inArg:
		if f := p.formats[a.i]; f != nil {
			return f.Bytes()
		}
		return p.in[a.i].Bytes()
	case outArg:
		return p.out[a.i].Bytes()
	case tableArg:
		return int64(len(p.tables))
	}
	return p.workspace
}

// finish completes a step's bindings and checks them against the limits.
func (p *plan) finish(s *step) error {
	l := &p.be.limits
	direct := p.be.family != texelFamily // either becomes storage
	for i := range s.bind {
		b := &s.bind[i]
		if b.bytes == 0 {
			b.bytes = p.size(b.arg) - b.off
		}
		if b.either && b.bytes/b.texel.Bytes() > l.Texels {
			direct = true
		}
	}
	view := false
	for i := range s.bind {
		b := &s.bind[i]
		if b.either && direct {
			b.kind = device.ReadStorage
		}
		view = view || b.either && !direct
		if b.kind == device.ReadTexels {
			if n := b.bytes / b.texel.Bytes(); n > l.Texels {
				return &backend.LimitError{Op: p.op, What: "texel view, texels", Got: n, Max: l.Texels, Hint: "split the batch"}
			}
			if b.slot >= l.TextureUnits {
				return &backend.LimitError{Op: p.op, What: "texture units", Got: int64(b.slot + 1), Max: int64(l.TextureUnits), Hint: "a shorter epilogue"}
			}
			continue
		}
		if b.bytes > l.StorageBytes {
			return &backend.LimitError{Op: p.op, What: "storage buffer binding, bytes", Got: b.bytes, Max: l.StorageBytes, Hint: "split the batch"}
		}
		if b.slot >= l.StorageBindings {
			return &backend.LimitError{Op: p.op, What: "storage buffer bindings", Got: int64(b.slot + 1), Max: int64(l.StorageBindings), Hint: "a shorter epilogue"}
		}
	}
	if view {
		s.defines = append(s.defines, shaders.Define{Name: "USE_TEXEL"})
	}
	for i, n := range s.groups {
		if n > l.GroupCount[i] {
			return &backend.LimitError{Op: p.op, What: fmt.Sprintf("workgroups along %c", "xyz"[i]), Got: int64(n), Max: int64(l.GroupCount[i]), Hint: "split the batch"}
		}
	}
	return p.be.dev.CheckGroup(p.op, max(s.local[0], 1), max(s.local[1], 1), max(s.local[2], 1), s.shared)
}

// kernel compiles the steps.
func (p *plan) kernel(ctx context.Context, algorithm string) (backend.Kernel, error) {
	for i, d := range append(append([]backend.TensorDesc{}, p.in...), p.out...) {
		if d.Layout.Order == backend.OrderAny {
			return nil, fmt.Errorf("gl: %s: %s: the plan left the layout of argument %d open", p.op, algorithm, i)
		}
	}
	for i := range p.steps {
		s := &p.steps[i]
		prog, err := p.be.dev.Program(ctx, s.shader, s.defines...)
		if err != nil {
			return nil, err
		}
		s.prog = prog
	}
	tables, err := p.upload(ctx)
	if err != nil {
		return nil, err
	}
	d := p.desc
	d.In, d.Out = p.in, p.out
	k := &kernel{be: p.be, op: p.op, steps: p.steps, tables: tables}
	k.info = backend.KernelInfo{
		Algorithm: algorithm,
		In:        p.in,
		Out:       p.out,
		Formats:   p.formats,
		Workspace: p.workspace,
		InPlace:   p.inPlace,
		Cost:      d.Cost(),
	}
	p.be.AddKernel()
	return k, nil
}

// upload puts the tables into memory of the device, if there are any.
func (p *plan) upload(ctx context.Context) (*device.Buffer, error) {
	if len(p.tables) == 0 {
		return nil, nil
	}
	b, err := p.be.dev.Alloc(ctx, int64(len(p.tables)))
	if err != nil {
		return nil, fmt.Errorf("gl: %s: tables: %w", p.op, err)
	}
	if err := p.be.dev.Write(ctx, b.All(), p.tables); err != nil {
		return nil, errors.Join(fmt.Errorf("gl: %s: tables: %w", p.op, err), b.Close())
	}
	return b, nil
}
