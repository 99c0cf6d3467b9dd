package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/convgl/convgl/tensor"
)

// RunOnce computes op on host tensors and returns its outputs: it prepares,
// uploads, runs, downloads and releases. It serves tests and scripts; programs
// that compute more than once keep a Kernel, an [Instance] or a model.
func RunOnce(ctx context.Context, be Backend, op Op, in ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	return RunDesc(ctx, be, DescOf(op, in...), in...)
}

// DescOf returns the forward Desc of op for host tensors: layouts are left to the
// kernel and weights are constant.
func DescOf(op Op, in ...*tensor.Tensor) Desc {
	d := Desc{Op: op}
	if op == nil || isPointer(op) {
		return d // Resolve reports it
	}
	args, _ := op.Args()
	for i, t := range in {
		if t == nil {
			d.In = append(d.In, TensorDesc{}) // Resolve reports its type
			continue
		}
		td := TensorDesc{DType: t.DType(), Shape: t.Shape()}
		td.Const = i < len(args) && args[i].Weight
		d.In = append(d.In, td)
	}
	return d
}

// RunDesc is RunOnce for a Desc that fixes more: the pass, layouts, the algorithm.
func RunDesc(ctx context.Context, be Backend, d Desc, in ...*tensor.Tensor) (out []*tensor.Tensor, err error) {
	inst, err := NewInstance(ctx, be, d)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, inst.Close()) }()
	if len(in) != len(inst.Args.In) {
		return nil, &ShapeError{Op: d.Op.Kind(), Arg: "inputs", Got: fmt.Sprint(len(in)), Want: fmt.Sprint(len(inst.Args.In))}
	}
	for i, t := range in {
		if err := inst.SetInput(ctx, i, t); err != nil {
			return nil, err
		}
	}
	if err := inst.Run(ctx); err != nil {
		return nil, err
	}
	for i := range inst.Args.Out {
		t, err := inst.Output(ctx, i)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// Instance is a kernel with buffers of its own for every input, output and the
// workspace. It must not be used from two goroutines at once.
type Instance struct {
	Kernel Kernel
	// Args are the buffers. Inputs that Formats packs are nil until SetInput.
	Args Args

	be    Backend
	owned []closer
}

type closer interface{ Close() error }

// NewInstance prepares d and allocates its buffers.
func NewInstance(ctx context.Context, be Backend, d Desc) (_ *Instance, err error) {
	k, err := be.Prepare(ctx, d)
	if err != nil {
		return nil, err
	}
	inst := &Instance{Kernel: k, be: be, owned: []closer{k}}
	defer func() {
		if err != nil {
			err = errors.Join(err, inst.Close())
		}
	}()
	info := k.Info()
	inst.Args.In = make([]Buffer, len(info.In))
	inst.Args.Out = make([]Buffer, len(info.Out))
	for i := range info.In {
		if info.Formats[i] == nil {
			if inst.Args.In[i], err = inst.alloc(info.InBytes(i)); err != nil {
				return nil, err
			}
		}
	}
	for i := range info.Out {
		if inst.Args.Out[i], err = inst.alloc(info.OutBytes(i)); err != nil {
			return nil, err
		}
	}
	if info.Workspace > 0 {
		if inst.Args.Workspace, err = inst.alloc(info.Workspace); err != nil {
			return nil, err
		}
	}
	return inst, nil
}

func (inst *Instance) alloc(bytes int64) (Buffer, error) {
	b, err := inst.be.Alloc(bytes)
	if err == nil {
		inst.owned = append(inst.owned, b)
	}
	return b, err
}

// SetInput uploads t, which must have the shape and type of input i, converting
// it to the layout or format that the kernel wants.
func (inst *Instance) SetInput(ctx context.Context, i int, t *tensor.Tensor) error {
	info := inst.Kernel.Info()
	if i < 0 || i >= len(info.In) || t == nil {
		return &ShapeError{Op: "SetInput", Arg: fmt.Sprintf("input %d", i), Got: fmt.Sprintf("tensor %v", t != nil), Want: fmt.Sprintf("a tensor for one of %d inputs", len(info.In))}
	}
	want := info.In[i]
	if !t.Shape().Equal(want.Shape) || t.DType() != want.DType {
		return &ShapeError{Op: "SetInput", Arg: fmt.Sprintf("input %d", i), Got: Of(t).String(), Want: want.String()}
	}
	if f := info.Formats[i]; f != nil {
		b, err := inst.be.Pack(ctx, t, want, f)
		if err != nil {
			return err
		}
		if old := inst.Args.In[i]; old != nil {
			err = old.Close()
			inst.owned = slices.DeleteFunc(inst.owned, func(o closer) bool { return o == old })
		}
		inst.Args.In[i] = b
		inst.owned = append(inst.owned, b)
		return err
	}
	return Upload(ctx, inst.be, inst.Args.In[i], want.Layout, t)
}

// Run enqueues the kernel.
func (inst *Instance) Run(ctx context.Context) error { return inst.Kernel.Run(ctx, inst.Args) }

// Output waits and returns a host copy of output i.
func (inst *Instance) Output(ctx context.Context, i int) (*tensor.Tensor, error) {
	return Download(ctx, inst.be, inst.Args.Out[i], inst.Kernel.Info().Out[i])
}

// Close releases the kernel and the buffers. It is idempotent.
func (inst *Instance) Close() error {
	var errs []error
	for i := len(inst.owned) - 1; i >= 0; i-- {
		errs = append(errs, inst.owned[i].Close())
	}
	inst.owned = nil
	return errors.Join(errs...)
}

// Upload stores the host tensor t in dst, in the given layout.
func Upload(ctx context.Context, be Backend, dst Buffer, l Layout, t *tensor.Tensor) error {
	if t == nil {
		return &ShapeError{Op: "Upload", Arg: "t", Got: "nil", Want: "a tensor"}
	}
	if samePlace(l, t.Shape()) {
		return be.Write(ctx, dst, t.Bytes())
	}
	to := Of(t)
	to.Layout = l
	return reorderOnce(ctx, be, Of(t), to, func(in, _ Buffer) error { return be.Write(ctx, in, t.Bytes()) }, nil, dst)
}

// Download waits and returns a host copy of the tensor that d describes in src.
func Download(ctx context.Context, be Backend, src Buffer, d TensorDesc) (*tensor.Tensor, error) {
	t, err := tensor.New(d.DType, d.Shape...)
	if err != nil {
		return nil, err
	}
	if samePlace(d.Layout, d.Shape) {
		return t, be.Read(ctx, t.Bytes(), src)
	}
	to := Of(t)
	err = reorderOnce(ctx, be, d, to, func(_, out Buffer) error { return be.Read(ctx, t.Bytes(), out) }, src, nil)
	return t, err
}

// reorderOnce converts from one layout to another. The buffer of the plain side
// is nil and made here; move fills it before or empties it after.
func reorderOnce(ctx context.Context, be Backend, from, to TensorDesc, move func(in, out Buffer) error, src, dst Buffer) (err error) {
	from.Const, to.Const = false, false
	k, err := be.Prepare(ctx, Desc{Op: Reorder{}, In: []TensorDesc{from}, Out: []TensorDesc{to}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	staging := from
	if src != nil {
		staging = to
	}
	b, err := be.Alloc(staging.Bytes())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	if src != nil {
		dst = b
	} else {
		src = b
		if err := move(src, dst); err != nil {
			return err
		}
	}
	var ws Buffer
	if n := k.Info().Workspace; n > 0 {
		if ws, err = be.Alloc(n); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, ws.Close()) }()
	}
	if err := k.Run(ctx, Args{In: []Buffer{src}, Out: []Buffer{dst}, Workspace: ws}); err != nil {
		return err
	}
	if dst == b {
		return move(src, dst)
	}
	return nil
}

// samePlace reports whether layout l stores a tensor of shape s as the plain one
// does.
func samePlace(l Layout, s tensor.Shape) bool {
	if l.Order != OrderChannelsLast || len(s) < 2 {
		return true
	}
	if l.Pad > 1 && s[1]%l.Pad != 0 {
		return false
	}
	return s[1] == 1 || spread(s[2:]) == 1
}
