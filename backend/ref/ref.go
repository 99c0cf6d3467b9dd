// Package ref is the oracle: every op computed from its definition by plain
// loops, with sums in float64 and one rounding to float32 at the store. It is
// never fast and always obvious; the other backends are held against it.
//
// It is registered as "ref". Kernels accept every layout, since they address
// elements by logical position; a layout that is left to them becomes Plain. Run
// is done when it returns. One file defines one op.
package ref

import (
	"context"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"unsafe"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

const (
	name      = "ref"
	algorithm = "definition"
	align     = 64 // of allocations and the offsets of slices
	// maxBuffer refuses sizes at which Go's allocator ends the process instead of
	// returning an error. An oracle needs no more.
	maxBuffer = min(8<<30, math.MaxInt/2)
)

func init() { backend.Register(name, driver{}) }

type driver struct{}

// Open implements backend.Driver.
func (driver) Open(c backend.Config) (backend.Backend, error) {
	if c.Device > 0 || c.Device < -1 {
		return nil, &backend.UnavailableError{Backend: name, Err: fmt.Errorf("no device %d", c.Device), Hint: "there is one, with index 0"}
	}
	if c.Variant != "" && c.Variant != algorithm {
		return nil, &backend.AttrError{Op: "Open", Attr: "variant", Got: strconv.Quote(c.Variant), Want: algorithm}
	}
	return &device{poison: c.Debug, open: map[closer]struct{}{}}, nil
}

// Devices implements backend.Driver.
func (driver) Devices() ([]backend.DeviceInfo, error) { return []backend.DeviceInfo{info()}, nil }

func info() backend.DeviceInfo {
	return backend.DeviceInfo{
		Backend: name,
		Name:    "the definition, in float64 on one thread of " + runtime.GOARCH,
		Driver:  runtime.Version(),
		Threads: 1,
	}
}

// closer is a buffer or kernel that Close of the device has to release.
type closer interface{ Close() error }

// device implements backend.Backend.
type device struct {
	backend.Ledger
	poison bool // fill new memory with NaN

	mu     sync.Mutex
	closed bool
	open   map[closer]struct{}

	closeOnce sync.Once
	closeErr  error
}

// Name implements backend.Backend.
func (*device) Name() string { return name }

// Device implements backend.Backend.
func (*device) Device() backend.DeviceInfo { return info() }

// Caps implements backend.Backend.
func (*device) Caps() backend.Caps {
	return backend.Caps{OffsetAlign: align, MaxBuffer: maxBuffer, Layouts: []backend.Layout{backend.Plain, backend.ChannelsLast, backend.ChannelsLast4}}
}

// usable fails when the device is closed or ctx is done.
func (be *device) usable(ctx context.Context, op string) error {
	be.mu.Lock()
	defer be.mu.Unlock()
	if be.closed {
		return fmt.Errorf("backend: ref: %s: device: %w", op, backend.ErrClosed)
	}
	return ctx.Err()
}

// enter records an object that is open from now on.
func (be *device) enter(op string, c closer) error {
	be.mu.Lock()
	defer be.mu.Unlock()
	if be.closed {
		return fmt.Errorf("backend: ref: %s: device: %w", op, backend.ErrClosed)
	}
	be.open[c] = struct{}{}
	return nil
}

func (be *device) leave(c closer) {
	be.mu.Lock()
	defer be.mu.Unlock()
	delete(be.open, c)
}

// Alloc implements backend.Backend.
func (be *device) Alloc(bytes int64) (backend.Buffer, error) {
	b, err := be.alloc(bytes)
	if err != nil {
		return nil, err // not a nil *buffer in an interface
	}
	return b, nil
}

func (be *device) alloc(bytes int64) (*buffer, error) {
	if bytes < 0 {
		return nil, &backend.AttrError{Op: "Alloc", Attr: "bytes", Got: fmt.Sprint(bytes), Want: "0 or more"}
	}
	if bytes > maxBuffer {
		return nil, &backend.LimitError{Op: "Alloc", What: "buffer, bytes", Got: bytes, Max: maxBuffer}
	}
	if err := be.usable(context.Background(), "Alloc"); err != nil {
		return nil, err
	}
	mem := make([]byte, bytes+align)
	mem = mem[-uintptr(unsafe.Pointer(&mem[0]))%align:][:bytes:bytes]
	if be.poison {
		for i := range mem {
			mem[i] = 0xFF // four of them are a NaN
		}
	}
	a := &allocation{be: be, bytes: bytes}
	a.mem.Store(&mem)
	if err := be.enter("Alloc", a); err != nil {
		return nil, err
	}
	be.AddBuffer(bytes)
	return &buffer{of: a, bytes: bytes, whole: true}, nil
}

// Write implements backend.Backend.
func (be *device) Write(ctx context.Context, dst backend.Buffer, src []byte) error {
	if err := be.usable(ctx, "Write"); err != nil {
		return err
	}
	mem, err := be.memory("Write", "dst", 0, dst)
	if err != nil {
		return err
	}
	if len(src) > len(mem) {
		return &backend.ShapeError{Op: "Write", Arg: "src", Got: fmt.Sprintf("%d bytes", len(src)), Want: fmt.Sprintf("at most the %d of dst", len(mem))}
	}
	copy(mem, src)
	return nil
}

// Read implements backend.Backend.
func (be *device) Read(ctx context.Context, dst []byte, src backend.Buffer) error {
	if err := be.usable(ctx, "Read"); err != nil {
		return err
	}
	mem, err := be.memory("Read", "src", 0, src)
	if err != nil {
		return err
	}
	if len(dst) > len(mem) {
		return &backend.ShapeError{Op: "Read", Arg: "dst", Got: fmt.Sprintf("%d bytes", len(dst)), Want: fmt.Sprintf("at most the %d of src", len(mem))}
	}
	copy(dst, mem)
	return nil
}

// Sync implements backend.Backend. There is nothing to wait for.
func (be *device) Sync(ctx context.Context) error { return be.usable(ctx, "Sync") }

// Algorithms implements backend.Backend.
func (be *device) Algorithms(d backend.Desc) []string {
	d, err := d.Resolve()
	if err != nil {
		return nil
	}
	if _, err := define(d); err != nil {
		return nil
	}
	return []string{algorithm}
}

// Pack implements backend.Backend. There are no formats, so it only stores t in
// d's layout.
func (be *device) Pack(ctx context.Context, t *tensor.Tensor, d backend.TensorDesc, f backend.Format) (backend.Buffer, error) {
	if err := be.usable(ctx, "Pack"); err != nil {
		return nil, err
	}
	if f != nil {
		return nil, backend.Unsupported(name, "Pack", fmt.Sprintf("format %v (this backend has none)", f))
	}
	if t == nil {
		return nil, &backend.ShapeError{Op: "Pack", Arg: "t", Got: "nil", Want: d.String()}
	}
	if err := d.Check("Pack", "d"); err != nil {
		return nil, err
	}
	if !t.Shape().Equal(d.Shape) || t.DType() != d.DType {
		return nil, &backend.ShapeError{Op: "Pack", Arg: "t", Got: backend.Of(t).String(), Want: d.String()}
	}
	b, err := be.alloc(d.Bytes())
	if err != nil {
		return nil, err
	}
	mem, err := b.memory()
	if err != nil {
		return nil, err
	}
	var from, to array
	from.place, to.place = placeOf(backend.Of(t)), placeOf(d)
	from.bind(t.Bytes())
	to.bind(mem)
	copyElements(&to, &from)
	to.zeroPadding()
	return b, nil
}

// Close implements backend.Backend.
func (be *device) Close() error {
	be.closeOnce.Do(func() { be.closeErr = be.release() })
	return be.closeErr
}

// release closes the device and what is open on it.
func (be *device) release() error {
	be.mu.Lock()
	left := slices.Collect(maps.Keys(be.open))
	live := be.Live()
	be.closed = true
	be.mu.Unlock()
	for _, c := range left {
		if err := c.Close(); err != nil {
			return err
		}
	}
	if len(left) > 0 {
		return &backend.LeakError{Backend: name, Live: live}
	}
	return nil
}
