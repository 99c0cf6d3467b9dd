package tensor

import (
	"encoding/binary"
	"io"
	"slices"
)

// ReadRaw fills t from the bytes of its elements, row-major and little endian,
// as files of tensors hold them. It reads no byte past them. Every byte of a Bool
// tensor but 0 is true. Truncated input is [io.ErrUnexpectedEOF], after which the
// elements are undefined.
func (t *Tensor) ReadRaw(r io.Reader) error {
	data := t.Bytes()
	n, err := io.ReadFull(r, data)
	if t.dtype == Bool {
		toBools(data)
	}
	if err != nil {
		return shortRead("data", n, len(data), err)
	}
	if !hostLittleEndian {
		swapBytes(data, t.dtype.Size())
	}
	return nil
}

// WriteRaw writes the bytes of t's elements, row-major and little endian.
func (t *Tensor) WriteRaw(w io.Writer) error {
	data := t.Bytes()
	if !hostLittleEndian {
		data = slices.Clone(data)
		swapBytes(data, t.dtype.Size())
	}
	_, err := w.Write(data)
	return err
}

// toBools makes 1 of every byte but 0: a Go bool of another byte is neither true
// nor false.
func toBools(b []byte) {
	for i, v := range b {
		if v != 0 {
			b[i] = 1
		}
	}
}

// hostLittleEndian tells the byte order of this machine.
var hostLittleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// swapBytes reverses each size bytes of b.
func swapBytes(b []byte, size int) {
	for ; len(b) >= size; b = b[size:] {
		slices.Reverse(b[:size])
	}
}
