package ref

import (
	"fmt"
	"sync/atomic"

	"github.com/convgl/convgl/backend"
)

// allocation is memory that buffers share.
type allocation struct {
	be    *device
	bytes int64
	mem   atomic.Pointer[[]byte] // nil once closed
}

// Close releases the memory to the garbage collector.
func (a *allocation) Close() error {
	if a.mem.Swap(nil) != nil {
		a.be.leave(a)
		a.be.DropBuffer(a.bytes)
	}
	return nil
}

// buffer implements backend.Buffer.
type buffer struct {
	of            *allocation
	offset, bytes int64
	whole         bool // what Alloc returned, not a slice
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
	if _, err := b.memory(); err != nil {
		return nil, err
	}
	if offset < 0 || offset%align != 0 {
		return nil, &backend.AttrError{Op: "Slice", Attr: "offset", Got: fmt.Sprint(offset), Want: fmt.Sprintf("a multiple of %d", align), Hint: "see Caps.OffsetAlign"}
	}
	if bytes < 0 || offset > b.bytes || bytes > b.bytes-offset {
		return nil, &backend.AttrError{Op: "Slice", Attr: "range", Got: fmt.Sprintf("%d bytes from %d", bytes, offset), Want: fmt.Sprintf("a part of %d bytes", b.bytes)}
	}
	return &buffer{of: b.of, offset: b.offset + offset, bytes: bytes}, nil
}

// Close implements backend.Buffer.
func (b *buffer) Close() error {
	if b == nil || !b.whole {
		return nil
	}
	return b.of.Close()
}

// memory returns the bytes of the range.
func (b *buffer) memory() ([]byte, error) {
	mem := b.of.mem.Load()
	if mem == nil {
		return nil, fmt.Errorf("backend: ref: buffer: %w", backend.ErrClosed)
	}
	return (*mem)[b.offset:][:b.bytes:b.bytes], nil
}

// memory returns the bytes of a buffer that must be open and of this device. What
// and i name it in errors.
func (be *device) memory(op, what string, i int, b backend.Buffer) ([]byte, error) {
	own, ok := b.(*buffer)
	if !ok || own == nil || own.of.be != be {
		return nil, &backend.ShapeError{Op: op, Arg: fmt.Sprintf("%s[%d]", what, i), Got: fmt.Sprintf("a buffer of another device (%T)", b), Want: "one that this device made"}
	}
	mem, err := own.memory()
	if err != nil {
		return nil, fmt.Errorf("%s: %s[%d]: %w", op, what, i, err)
	}
	return mem, nil
}
