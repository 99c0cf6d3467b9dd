package cpu

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

const name = "cpu"

// maxThreads bounds WithThreads against a slip of the finger.
const maxThreads = 4096

func init() { backend.Register(name, driver{}) }

type driver struct{}

// Open implements backend.Driver.
func (driver) Open(cfg backend.Config) (backend.Backend, error) {
	if cfg.Device > 0 || cfg.Device < -1 {
		return nil, &backend.UnavailableError{Backend: name, Err: fmt.Errorf("no device %d; there is one, device 0", cfg.Device)}
	}
	if cfg.Threads < 0 || cfg.Threads > maxThreads {
		return nil, &backend.AttrError{Op: "Open", Attr: "threads", Got: fmt.Sprint(cfg.Threads), Want: fmt.Sprintf("0 (one for each core) to %d", maxThreads)}
	}
	set, err := chooseISA(cfg.Variant, os.Getenv("CONVGL_CPU"), detectISA())
	if err != nil {
		return nil, err
	}
	threads := cfg.Threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return &device{pool: newPool(threads), isa: set, debug: cfg.Debug, memory: machineMemory(), cache: lastCache()}, nil
}

// Devices implements backend.Driver. It tells what the machine has, whatever
// CONVGL_CPU allows.
func (driver) Devices() ([]backend.DeviceInfo, error) {
	return []backend.DeviceInfo{describe(runtime.GOMAXPROCS(0), detectISA())}, nil
}

// device is an open backend.
type device struct {
	backend.Ledger
	pool   *pool
	isa    isa
	debug  bool
	memory int64
	cache  int64 // bytes of the last level
	closed atomic.Bool

	closeOnce sync.Once
	closeErr  error
}

// Name implements backend.Backend.
func (*device) Name() string { return name }

// Device implements backend.Backend.
func (d *device) Device() backend.DeviceInfo { return describe(d.pool.threads(), d.isa) }

// Caps implements backend.Backend. The largest buffer is the machine's memory,
// where the system tells it.
func (d *device) Caps() backend.Caps {
	return backend.Caps{OffsetAlign: align, MaxBuffer: d.memory, Layouts: []backend.Layout{backend.ChannelsLast, backend.Plain}}
}

// Write implements backend.Backend.
func (d *device) Write(ctx context.Context, dst backend.Buffer, src []byte) error {
	mem, err := d.transfer(ctx, "Write", dst, len(src))
	copy(mem, src)
	return err
}

// Read implements backend.Backend.
func (d *device) Read(ctx context.Context, dst []byte, src backend.Buffer) error {
	mem, err := d.transfer(ctx, "Read", src, len(dst))
	copy(dst, mem)
	return err
}

// transfer returns the first n bytes of b.
func (d *device) transfer(ctx context.Context, op string, b backend.Buffer, n int) ([]byte, error) {
	if err := d.ready(ctx); err != nil {
		return nil, err
	}
	mem, err := d.bytes(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if len(mem) < n {
		return nil, &backend.ShapeError{Op: op, Arg: "buffer", Got: fmt.Sprintf("%d bytes", len(mem)), Want: fmt.Sprintf("%d bytes or more", n)}
	}
	return mem[:n], nil
}

// Sync implements backend.Backend. A run is done when Run returns.
func (d *device) Sync(ctx context.Context) error { return d.ready(ctx) }

// ready reports why nothing can be done.
func (d *device) ready(ctx context.Context) error {
	if d.closed.Load() {
		return backend.ErrClosed
	}
	return ctx.Err()
}

// Pack implements backend.Backend.
func (d *device) Pack(ctx context.Context, t *tensor.Tensor, td backend.TensorDesc, f backend.Format) (_ backend.Buffer, err error) {
	if err := d.ready(ctx); err != nil {
		return nil, err
	}
	if t == nil || !t.Shape().Equal(td.Shape) || t.DType() != td.DType {
		got := "nil"
		if t != nil {
			got = backend.Of(t).String()
		}
		return nil, &backend.ShapeError{Op: "Pack", Arg: "t", Got: got, Want: td.String()}
	}
	if err := td.Check("Pack", "d"); err != nil {
		return nil, err
	}
	size := td.Bytes()
	if f != nil {
		size = f.Bytes()
	}
	b, err := d.Alloc(size)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if f == nil {
		return b, backend.Upload(ctx, d, b, td.Layout, t)
	}
	p, ok := f.(packer)
	if !ok {
		return nil, &backend.AttrError{Op: "Pack", Attr: "format", Got: f.String(), Want: "a format of this backend"}
	}
	mem, err := d.bytes(b)
	if err != nil {
		return nil, err
	}
	fn, parts, err := p.pack(f32(mem), t)
	if err != nil {
		return nil, err
	}
	c := &call{op: "Pack"}
	if err := d.pool.run(fn, c, parts); err != nil {
		return nil, err
	}
	return b, c.err
}

// Close implements backend.Backend.
func (d *device) Close() error {
	d.closeOnce.Do(func() {
		d.closed.Store(true)
		d.pool.close()
		if live := d.Live(); !live.Zero() {
			d.closeErr = &backend.LeakError{Backend: name, Live: live}
		}
	})
	return d.closeErr
}

// Algorithms implements backend.Backend.
func (d *device) Algorithms(desc backend.Desc) []string {
	desc, err := desc.Resolve()
	if err != nil || d.fits("", &plan{in: desc.In, out: desc.Out}) != nil { // plans may have tables as long as a tensor
		return nil
	}
	var names []string
	for _, c := range candidates(desc) {
		if _, err := c.plan(d, desc); err == nil {
			names = append(names, c.name)
		}
	}
	return names
}

// Prepare implements backend.Backend.
func (d *device) Prepare(ctx context.Context, desc backend.Desc) (backend.Kernel, error) {
	if err := d.ready(ctx); err != nil {
		return nil, err
	}
	desc, err := desc.Resolve()
	if err != nil {
		return nil, err
	}
	kind := desc.Op.Kind()
	if err := d.fits(kind, &plan{in: desc.In, out: desc.Out}); err != nil {
		return nil, err
	}
	all := candidates(desc)
	if len(all) == 0 {
		return nil, backend.Unsupported(name, kind, "no kernel for the "+desc.Pass.String()+" pass")
	}
	if desc.Algorithm != "" {
		var names []string
		for _, c := range all {
			names = append(names, c.name)
		}
		i := slices.Index(names, desc.Algorithm)
		if i < 0 {
			return nil, &backend.AttrError{Op: kind, Attr: "algorithm", Got: fmt.Sprintf("%q", desc.Algorithm), Want: strings.Join(names, ", ")}
		}
		all = all[i : i+1]
	}
	var refused error
	for _, c := range all {
		p, err := c.plan(d, desc)
		if err == nil {
			if err := d.fits(kind, p); err != nil {
				return nil, err
			}
			return d.newKernel(c.name, desc, p), nil
		}
		if !errors.Is(err, errors.ErrUnsupported) {
			return nil, err
		}
		refused = errors.Join(refused, err)
	}
	return nil, refused
}

// fits fails when a tensor or the workspace of a plan is larger than memory.
func (d *device) fits(op string, p *plan) error {
	for _, t := range append(append([]backend.TensorDesc{}, p.in...), p.out...) {
		if n := t.Bytes(); n > d.memory {
			return &backend.LimitError{Op: op, What: "memory of the machine, bytes", Got: n, Max: d.memory, Hint: t.String()}
		}
	}
	if p.workspace > d.memory {
		return &backend.LimitError{Op: op, What: "workspace: memory of the machine, bytes", Got: p.workspace, Max: d.memory}
	}
	return nil
}
