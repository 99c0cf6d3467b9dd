//go:build cgo

package device

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/go-gl/gl/v4.3-core/gl"

	"github.com/convgl/convgl/backend"
)

// allocation is a GL buffer object, in use by a Buffer or kept for reuse.
type allocation struct {
	id    uint32
	bytes int64              // its size class
	views map[viewKey]uint32 // textures; of the device's thread
}

// Buffer is memory of the device, taken from a pool. Its methods are safe for
// concurrent use.
type Buffer struct {
	d      *Device
	mem    *allocation
	bytes  int64
	closed atomic.Bool
}

// Range is a part of a buffer, in bytes.
type Range struct {
	Buf        *Buffer
	Off, Bytes int64
}

// Access is a range and how a command touches it.
type Access struct {
	Range
	Kind Kind
}

// All returns the whole buffer as a range.
func (b *Buffer) All() Range { return Range{b, 0, b.bytes} }

// Range returns a part of the buffer.
func (b *Buffer) Range(off, bytes int64) Range { return Range{b, off, bytes} }

// Bytes is the size asked for.
func (b *Buffer) Bytes() int64 { return b.bytes }

// Device returns the device that owns the buffer.
func (b *Buffer) Device() *Device { return b.d }

// ID returns the name of the GL object, for commands.
func (b *Buffer) ID() uint32 { return b.mem.id }

// Closed reports whether Close was called. A command enqueued before may still
// use the buffer: what the pool does with it comes later in the queue.
func (b *Buffer) Closed() bool { return b.closed.Load() }

// Check returns an error that wraps backend.ErrClosed when the buffer or its device
// is closed, and one of backend.ErrDeviceLost when it is lost.
func (b *Buffer) Check() error {
	if b.Closed() {
		return fmt.Errorf("gl: buffer: %w", backend.ErrClosed)
	}
	return b.d.usable()
}

// Close gives the memory back to the pool. It is idempotent.
func (b *Buffer) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	b.d.stats.buffers.Add(-1)
	b.d.stats.bytes.Add(-b.bytes)
	b.d.pool.put(nil, b.mem)
	return nil
}

// within reports why the range is not a part of its buffer that begins at a
// multiple of align.
func (r Range) within(align int64) error {
	switch {
	case r.Buf == nil:
		return errors.New("gl: range of no buffer")
	case r.Off < 0 || r.Bytes < 0 || r.Off > r.Buf.bytes || r.Bytes > r.Buf.bytes-r.Off:
		return fmt.Errorf("gl: range: got offset %d and %d bytes, want a part of %d bytes", r.Off, r.Bytes, r.Buf.bytes)
	case r.Off%align != 0:
		return fmt.Errorf("gl: range: got offset %d, want a multiple of %d", r.Off, align)
	}
	return nil
}

// Alloc returns a buffer of undefined content. Zero bytes are allowed. It waits
// for the device's thread only when the pool has none of the size class. It fails
// with *backend.LimitError above Limits.BufferBytes, and with ErrOutOfMemory.
func (d *Device) Alloc(ctx context.Context, bytes int64) (*Buffer, error) {
	if bytes < 0 || bytes > d.limits.BufferBytes {
		return nil, &backend.LimitError{Op: "Alloc", What: "bytes", Got: bytes, Max: d.limits.BufferBytes, Hint: "split the batch"}
	}
	if err := d.usable(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("gl: Alloc: %w", err)
	}
	class := sizeClass(bytes)
	mem := d.pool.get(class)
	if mem != nil {
		// The next owner must not meet the last one's accesses.
		if err := d.Do(func(t *Thread) error { t.barrier(barrierAll); return nil }); err != nil {
			d.pool.put(nil, mem)
			return nil, err
		}
	} else {
		var err error
		if mem, err = d.newAllocation(ctx, class); err != nil {
			return nil, fmt.Errorf("gl: Alloc of %d bytes: %w", bytes, err)
		}
	}
	d.stats.buffers.Add(1)
	d.stats.bytes.Add(bytes)
	return &Buffer{d: d, mem: mem, bytes: bytes}, nil
}

// newAllocation makes a GL buffer. When the caller stops waiting, it goes to the
// pool.
func (d *Device) newAllocation(ctx context.Context, class int64) (*allocation, error) {
	var (
		mu   sync.Mutex
		mem  *allocation
		gone bool
	)
	err := d.Call(ctx, func(t *Thread) error {
		m, err := t.create(class)
		if errors.Is(err, ErrOutOfMemory) {
			d.pool.trim(t)
			m, err = t.create(class)
		}
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if gone {
			d.pool.put(t, m)
			return nil
		}
		mem = m
		return nil
	})
	mu.Lock()
	defer mu.Unlock()
	if err != nil {
		gone = true
		if mem != nil {
			d.pool.put(nil, mem)
		}
		return nil, err
	}
	return mem, nil
}

func (t *Thread) create(class int64) (*allocation, error) {
	m := &allocation{bytes: class, views: map[viewKey]uint32{}}
	gl.GenBuffers(1, &m.id)
	gl.BindBuffer(gl.COPY_WRITE_BUFFER, m.id)
	gl.BufferData(gl.COPY_WRITE_BUFFER, int(class), nil, gl.DYNAMIC_COPY)
	t.d.stats.objects.Add(1)
	t.d.stats.objectBytes.Add(class)
	t.objects[m] = struct{}{}
	if err := t.check("glBufferData"); err != nil {
		t.destroy(m)
		return nil, err
	}
	return m, nil
}

func (t *Thread) destroy(m *allocation) {
	if _, ok := t.objects[m]; !ok {
		return
	}
	delete(t.objects, m)
	t.dropViews(m)
	gl.DeleteBuffers(1, &m.id)
	t.hazards.drop(m)
	clear(t.storage) // the driver unbinds it and may give its name away
	t.d.stats.objects.Add(-1)
	t.d.stats.objectBytes.Add(-m.bytes)
}

// sizeClass rounds up to four classes an octave, at least 256 bytes.
func sizeClass(n int64) int64 {
	if n <= 256 {
		return 256
	}
	step := int64(1) << (bits.Len64(uint64(n-1)) - 3)
	return (n + step - 1) / step * step
}

// pool keeps the memory of closed buffers by size class, up to a bound; beyond it
// the oldest go.
type pool struct {
	d     *Device
	mu    sync.Mutex
	free  []*allocation // oldest first
	bytes int64
}

func (p *pool) init(d *Device) { p.d = d }

func (p *pool) get(class int64) *allocation {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.free) - 1; i >= 0; i-- { // the latest is the likeliest in a cache
		if m := p.free[i]; m.bytes == class {
			p.free = append(p.free[:i], p.free[i+1:]...)
			p.bytes -= class
			return m
		}
	}
	return nil
}

// put keeps m. On the device's thread, t is given: there, enqueueing could wait
// for itself.
func (p *pool) put(t *Thread, m *allocation) {
	p.mu.Lock()
	p.free = append(p.free, m)
	p.bytes += m.bytes
	n := 0
	for n < len(p.free) && p.bytes > p.d.opt.PoolBytes {
		p.bytes -= p.free[n].bytes
		n++
	}
	old := append([]*allocation(nil), p.free[:n]...)
	p.free = append(p.free[:0], p.free[n:]...)
	p.mu.Unlock()
	settle := func(t *Thread) error {
		t.dropViews(m)
		for _, o := range old {
			t.destroy(o)
		}
		return nil
	}
	if t != nil {
		_ = settle(t) // it has no way to fail
		return
	}
	// An error means that the device is closed or lost; its end frees everything.
	_ = p.d.Do(settle)
}

// trim deletes what is kept for reuse.
func (p *pool) trim(t *Thread) {
	p.mu.Lock()
	old := p.free
	p.free, p.bytes = nil, 0
	p.mu.Unlock()
	for _, m := range old {
		t.destroy(m)
	}
}

func (t *Thread) barrier(bits uint32) {
	gl.MemoryBarrier(bits)
	t.hazards.issued(bits)
}

// Access says which ranges the commands that follow touch, and how, and issues
// the memory barrier that what came before makes necessary: one, or none. Call it
// once before each dispatch with all of the dispatch's ranges.
func (t *Thread) Access(acc ...Access) {
	if bits := t.hazards.need(acc); bits != 0 {
		gl.MemoryBarrier(bits)
		t.d.stats.barriers.Add(1)
	}
}
