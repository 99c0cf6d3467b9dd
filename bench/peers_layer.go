package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// peerLayer is a layer with the inputs of its cells.
type peerLayer struct {
	c PeersConfig
	w Workload
	// in are the inputs for the largest batch. The last image of every batch is the
	// first one again, so that one run of the reference judges both ends.
	in     []*tensor.Tensor
	oracle *oracle // nil without a reference
}

func newPeerLayer(ctx context.Context, c PeersConfig, w Workload) (*peerLayer, error) {
	l := &peerLayer{c: c, w: w}
	d, err := w.Desc(slices.Max(c.Batches))
	if err != nil {
		return nil, err
	}
	if err := (Problem{Desc: d}).Runnable(); err != nil {
		return nil, err
	}
	if l.in, err = check.Inputs(d, c.Fill, c.Seed); err != nil || c.Ref == nil {
		return l, err
	}
	one, in, err := l.batch(1)
	if err != nil {
		return nil, err
	}
	l.oracle, err = newOracle(ctx, c.Ref, one, in, c.Fill, oracleFLOPs)
	return l, err
}

// batch returns the layer for n images, with its inputs.
func (l *peerLayer) batch(n int) (backend.Desc, []*tensor.Tensor, error) {
	d, err := l.w.Desc(n)
	if err != nil {
		return d, nil, err
	}
	x, err := firstAndLast(l.in[0], n)
	return d, append([]*tensor.Tensor{x}, l.in[1:]...), err
}

// firstAndLast returns n images of x, of which the last is the first again.
func firstAndLast(x *tensor.Tensor, n int) (*tensor.Tensor, error) {
	shape := x.Shape().Clone()
	image := x.Size() / shape[0]
	shape[0] = n
	data := slices.Clone(x.Float32s()[:n*image])
	copy(data[(n-1)*image:], data[:image])
	return tensor.From(data, shape...)
}

// Close implements contestant.
func (l *peerLayer) Close() error { return nil }

// cell implements contestant.
func (l *peerLayer) cell(ctx context.Context, t Target, n int) (lines []PeerLine, err error) {
	d, in, err := l.batch(n)
	if err != nil {
		return nil, err
	}
	inner := d
	inner.Out = nil // the kernel's choice of layout
	inst, err := prepared(ctx, t, inner, in)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, inst.Close()) }()
	line, err := l.line(ctx, t.line(l.w, n), d, inst.Kernel.Info().Algorithm,
		func() error { return errors.Join(inst.Run(ctx), t.Sync(ctx)) },
		func() (*tensor.Tensor, error) { return inst.Output(ctx, 0) })
	if err != nil {
		return nil, err
	}
	lines = append(lines, line)

	plain, impl, buf, close, err := plainRun(ctx, t, d, inst, in)
	if err == nil {
		line = t.line(l.w, n)
		line.Peer += "-plain"
		line, err = l.line(ctx, line, d, impl, plain, func() (*tensor.Tensor, error) {
			out := d.Out[0]
			out.Layout = backend.Plain
			return backend.Download(ctx, t, buf, out)
		})
		err = errors.Join(err, close())
	}
	if err != nil {
		return lines, fmt.Errorf("plain: %w", err)
	}
	return append(lines, line), nil
}

// line measures a run and judges what it left.
func (l *peerLayer) line(ctx context.Context, line PeerLine, d backend.Desc, impl string, run func() error, result func() (*tensor.Tensor, error)) (PeerLine, error) {
	m, err := l.c.measure(ctx, run)
	if err != nil {
		return line, err
	}
	line = line.timed(m, impl)
	line.Bytes = d.Cost().Bytes
	switch op := d.Op.(type) {
	case backend.Conv:
		op.Bias = false // 2·MAC is what engines are compared by
		line.FLOPs = op.Cost(d.In[:2], d.Out).FLOPs
		line.GFLOPS = rate(line.FLOPs, m.median)
	default:
		line.FLOPs = d.Cost().FLOPs
		line.GBps = rate(line.Bytes, m.median)
	}
	if l.oracle == nil {
		return line, nil
	}
	y, err := result()
	if err != nil {
		return line, err
	}
	worst, err := l.oracle.judge(y)
	worst = round(worst, 4)
	line.Worst = &worst
	return line, err
}

// prepared returns an instance with its inputs set.
func prepared(ctx context.Context, be backend.Backend, d backend.Desc, in []*tensor.Tensor) (*backend.Instance, error) {
	inst, err := backend.NewInstance(ctx, be, d)
	if err != nil {
		return nil, err
	}
	for i, t := range in {
		if err := inst.SetInput(ctx, i, t); err != nil {
			return nil, errors.Join(err, inst.Close())
		}
	}
	return inst, nil
}

// plainRun returns a run that takes and gives plain buffers: the faster of a
// kernel that does so itself, where there is one, and of one between two reorders, or
// before one where it takes plain input. Out is where the plain result lies. Close releases what was made for it.
func plainRun(ctx context.Context, be backend.Backend, d backend.Desc, inst *backend.Instance, in []*tensor.Tensor) (run func() error, impl string, out backend.Buffer, close func() error, err error) {
	var owned []*backend.Instance
	close = func() error {
		var errs []error
		for _, o := range owned {
			errs = append(errs, o.Close())
		}
		return errors.Join(errs...)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, close())
		}
	}()
	taking := d
	taking.In = slices.Clone(d.In)
	taking.In[0].Layout = backend.Plain
	if one, err := prepared(ctx, be, taking, in); err == nil {
		owned = append(owned, one)
		inst = one
	} else if !errors.Is(err, errors.ErrUnsupported) {
		return nil, "", nil, nil, err
	}
	info := inst.Kernel.Info()
	impl = info.Algorithm
	reorder := func(from, to backend.TensorDesc, suffix string) (*backend.Instance, error) {
		if from.Layout == to.Layout {
			return nil, nil
		}
		from.Const, to.Const = false, false
		r, err := backend.NewInstance(ctx, be, backend.Desc{Op: backend.Reorder{}, In: []backend.TensorDesc{from}, Out: []backend.TensorDesc{to}})
		if err == nil {
			owned = append(owned, r)
			impl += suffix
		}
		return r, err
	}
	plain := func(t backend.TensorDesc) backend.TensorDesc {
		t.Layout = backend.Plain
		return t
	}
	before, err := reorder(plain(info.In[0]), info.In[0], "+in")
	if err != nil {
		return nil, "", nil, nil, err
	}
	after, err := reorder(info.Out[0], plain(info.Out[0]), "+out")
	if err != nil {
		return nil, "", nil, nil, err
	}
	args := inst.Args
	args.In = slices.Clone(args.In)
	out = args.Out[0]
	if before != nil {
		if err := before.SetInput(ctx, 0, in[0]); err != nil {
			return nil, "", nil, nil, err
		}
		args.In[0] = before.Args.Out[0]
	}
	if after != nil {
		after.Args.In[0] = inst.Args.Out[0]
		out = after.Args.Out[0]
	}
	run = func() error {
		if before != nil {
			if err := before.Run(ctx); err != nil {
				return err
			}
		}
		if err := inst.Kernel.Run(ctx, args); err != nil {
			return err
		}
		if after != nil {
			if err := after.Run(ctx); err != nil {
				return err
			}
		}
		return be.Sync(ctx)
	}
	if before == nil && after == nil {
		return run, impl, out, close, nil
	}
	direct := d
	direct.In, direct.Out = slices.Clone(d.In), slices.Clone(d.Out)
	direct.In[0].Layout, direct.Out[0].Layout = backend.Plain, backend.Plain
	one, err := prepared(ctx, be, direct, in)
	if errors.Is(err, errors.ErrUnsupported) {
		return run, impl, out, close, nil
	}
	if err != nil {
		return nil, "", nil, nil, err
	}
	owned = append(owned, one)
	alone := func() error { return errors.Join(one.Run(ctx), be.Sync(ctx)) }
	best := [2]float64{math.Inf(1), math.Inf(1)}
	for range 4 { // the first is to warm up, and the slowest
		for i, fn := range []func() error{run, alone} {
			best[i] = min(best[i], timed(func() { err = errors.Join(err, fn()) }))
		}
	}
	if err != nil {
		return nil, "", nil, nil, err
	}
	if best[1] < best[0] {
		return alone, one.Kernel.Info().Algorithm + "+direct", one.Args.Out[0], close, nil
	}
	return run, impl, out, close, nil
}
