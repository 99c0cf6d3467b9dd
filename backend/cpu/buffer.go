package cpu

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/convgl/convgl/backend"
)

// align is the alignment of every allocation and slice, in bytes: a cache line,
// and the widest vector.
const align = 64

// allocation is memory that buffers are ranges of.
type allocation struct {
	dev *device
	mem atomic.Pointer[[]byte] // nil once closed
}

// buffer is a range of an allocation. It does not change: Close may race a run.
type buffer struct {
	of            *allocation
	offset, bytes int64
	slice         bool
}

// alignedBytes returns n bytes, at least one of capacity, on an align boundary.
func alignedBytes(n int) []byte {
	raw := make([]byte, n+align)
	off := int(-uintptr(unsafe.Pointer(&raw[0])) & (align - 1))
	return raw[off : off+n : off+n]
}

// Alloc implements backend.Backend.
func (d *device) Alloc(bytes int64) (backend.Buffer, error) {
	if d.closed.Load() {
		return nil, backend.ErrClosed
	}
	if bytes < 0 {
		return nil, &backend.AttrError{Op: "Alloc", Attr: "bytes", Got: fmt.Sprint(bytes), Want: "0 or more"}
	}
	// Beyond the machine's memory Go would end the process, not return an error.
	if room := d.memory - d.Live().Bytes; bytes > room {
		return nil, &backend.LimitError{Op: "Alloc", What: "memory of the machine, bytes", Got: bytes, Max: max(room, 0), Hint: "smaller batch?"}
	}
	a := &allocation{dev: d}
	mem := alignedBytes(int(bytes))
	a.mem.Store(&mem)
	d.AddBuffer(bytes)
	return &buffer{of: a, bytes: bytes}, nil
}

// Bytes implements backend.Buffer.
func (b *buffer) Bytes() int64 {
	if b == nil {
		return 0
	}
	return b.bytes
}

// Slice implements backend.Buffer.
func (b *buffer) Slice(offset, bytes int64) (backend.Buffer, error) {
	if b.of.mem.Load() == nil || b.of.dev.closed.Load() {
		return nil, backend.ErrClosed
	}
	if offset < 0 || bytes < 0 || offset > b.bytes || bytes > b.bytes-offset {
		return nil, &backend.AttrError{Op: "Slice", Attr: "range", Got: fmt.Sprintf("%d bytes from %d", bytes, offset), Want: fmt.Sprintf("a part of %d bytes", b.bytes)}
	}
	if offset%align != 0 {
		return nil, &backend.AttrError{Op: "Slice", Attr: "offset", Got: fmt.Sprint(offset), Want: fmt.Sprintf("a multiple of %d", align)}
	}
	return &buffer{of: b.of, offset: b.offset + offset, bytes: bytes, slice: true}, nil
}

// Close implements backend.Buffer. The memory goes when no run uses it any more.
func (b *buffer) Close() error {
	if b != nil && !b.slice && b.of.mem.Swap(nil) != nil {
		b.of.dev.DropBuffer(b.bytes)
	}
	return nil
}

// bytes returns the memory of a buffer of d.
func (d *device) bytes(b backend.Buffer) ([]byte, error) {
	m, ok := b.(*buffer)
	if !ok || m == nil || m.of.dev != d {
		return nil, errForeign
	}
	mem := m.of.mem.Load()
	if mem == nil {
		return nil, backend.ErrClosed
	}
	return (*mem)[m.offset:][:m.bytes:m.bytes], nil
}

var errForeign = &backend.ShapeError{Op: "buffer", Arg: "owner", Got: "a buffer of another backend", Want: "one that this backend allocated"}

// f32 views aligned memory as float32.
func f32(b []byte) []float32 { return view[float32](b) }

// view reinterprets aligned memory as elements of T.
func view[T any](b []byte) []T {
	if len(b) == 0 {
		return nil
	}
	var t T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(t)))
}
