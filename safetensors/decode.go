package safetensors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strconv"

	"github.com/convgl/convgl/internal/regularfile"
	"github.com/convgl/convgl/tensor"
)

// Named is a tensor with its name in a file.
type Named struct {
	Name   string
	Tensor *tensor.Tensor
}

// Info is what a file's header says of a tensor.
type Info struct {
	Name  string
	DType string // as in the file, such as "BF16"
	Shape tensor.Shape
	As    tensor.DType // type of what [File.Tensor] returns; tensor.Invalid if it fails
}

// File is an open safetensors file: its header is read and checked, its tensors
// are read one by one when asked for. Its methods may be called from several
// goroutines at once.
type File struct {
	header
	r    io.ReaderAt
	data int64 // where the data begins in r
	path string
	c    io.Closer // nil if r is the caller's
}

// Open opens the file at path and checks its header. The caller owes a Close.
func Open(path string) (*File, error) {
	f, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("safetensors: Open %q: %w", path, err)
	}
	return f, nil
}

// Read reads all tensors of the file at path, in the header's order, and its
// metadata, by the rules of [File.Tensor].
func Read(path string) ([]Named, map[string]string, error) {
	list, metadata, err := read(path)
	if err != nil {
		return nil, nil, fmt.Errorf("safetensors: Read %q: %w", path, err)
	}
	return list, metadata, nil
}

// Decode opens a file of size bytes that r holds: one in memory, embedded in the
// program, or a part of another. Close does not close r.
func Decode(r io.ReaderAt, size int64) (*File, error) {
	f, err := decode(r, size)
	if err != nil {
		return nil, fmt.Errorf("safetensors: Decode: %w", err)
	}
	return f, nil
}

func open(path string) (*File, error) {
	r, err := regularfile.Open(path)
	if err != nil {
		return nil, err
	}
	f, err := openFile(r)
	if err != nil {
		r.Close()
		return nil, err
	}
	f.path, f.c = path, r
	return f, nil
}

func openFile(r *os.File) (*File, error) {
	fi, err := r.Stat()
	if err != nil {
		return nil, err
	}
	return decode(r, fi.Size())
}

func read(path string) ([]Named, map[string]string, error) {
	f, err := open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	list := make([]Named, len(f.entries))
	for i, e := range f.entries {
		t, err := f.read(e)
		if err != nil {
			return nil, nil, err
		}
		list[i] = Named{e.name, t}
	}
	return list, f.metadata, nil
}

func decode(r io.ReaderAt, size int64) (*File, error) {
	var length [8]byte
	if size < int64(len(length)) {
		return nil, fmt.Errorf("got a file of %d bytes, want at least the %d of the header's length: %w", size, len(length), io.ErrUnexpectedEOF)
	}
	if err := readAt(r, length[:], 0); err != nil {
		return nil, fmt.Errorf("header's length: %w", err)
	}
	// Both checks come before memory is taken for the header.
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader {
		return nil, fmt.Errorf("header: got a length of %d bytes, want at most %d (is it a safetensors file? it begins with %q)", n, maxHeader, length)
	}
	rest := size - int64(len(length))
	if int64(n) > rest {
		return nil, fmt.Errorf("header: got %d bytes, want its length of %d (was the file cut off?): %w", rest, n, io.ErrUnexpectedEOF)
	}
	text := make([]byte, n)
	if err := readAt(r, text, int64(len(length))); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	h, err := parseHeader(string(text), rest-int64(n))
	if err != nil {
		return nil, err
	}
	return &File{header: *h, r: r, data: int64(len(length)) + int64(n)}, nil
}

// readAt fills b from r at offset.
func readAt(r io.ReaderAt, b []byte, offset int64) error {
	n, err := io.ReadFull(io.NewSectionReader(r, offset, int64(len(b))), b)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("got %d bytes, want %d: %w", n, len(b), err)
	}
	return nil
}

// Names returns the names of the tensors, in the header's order.
func (f *File) Names() []string {
	names := make([]string, len(f.entries))
	for i, e := range f.entries {
		names[i] = e.name
	}
	return names
}

// Metadata returns a copy of the file's free texts, nil if it has none.
func (f *File) Metadata() map[string]string { return maps.Clone(f.metadata) }

// Info returns what the header says of the tensor, and whether there is one.
func (f *File) Info(name string) (Info, bool) {
	i, ok := f.index[name]
	if !ok {
		return Info{}, false
	}
	e := f.entries[i]
	return Info{e.name, e.dtype, e.shape.Clone(), e.elem.as}, true
}

// Tensor reads the tensor of the name into memory of its own.
//
//	F64, F32, I64, I32, U8   float64, float32, int64, int32, uint8
//	F16, BF16                float32, exactly
//	BOOL                     bool; every byte but 0 is true
//
// Other element types are [errors.ErrUnsupported]. A file that has become
// shorter since it was opened is [io.ErrUnexpectedEOF].
func (f *File) Tensor(name string) (*tensor.Tensor, error) {
	t, err := f.lookup(name)
	if err != nil {
		prefix := "safetensors: "
		if f.path != "" {
			prefix += strconv.Quote(f.path) + ": "
		}
		return nil, fmt.Errorf("%s%w", prefix, err)
	}
	return t, nil
}

func (f *File) lookup(name string) (*tensor.Tensor, error) {
	i, ok := f.index[name]
	switch {
	case ok:
		return f.read(f.entries[i])
	case len(f.entries) == 0:
		return nil, fmt.Errorf("no tensor %s: the file has none", quote(name))
	default:
		return nil, fmt.Errorf("no tensor %s: want one of the file's %d, such as %s", quote(name), len(f.entries), quote(f.entries[0].name))
	}
}

func (f *File) read(e entry) (*tensor.Tensor, error) {
	t, err := f.readEntry(e)
	if err != nil {
		return nil, fmt.Errorf("tensor %s: %w", quote(e.name), err)
	}
	return t, nil
}

func (f *File) readEntry(e entry) (*tensor.Tensor, error) {
	if e.elem.as == tensor.Invalid {
		return nil, fmt.Errorf("dtype %s of shape %v: want %s (convert it before saving): %w", e.dtype, e.shape, readable, errors.ErrUnsupported)
	}
	t, err := tensor.New(e.elem.as, e.shape...)
	if err != nil {
		return nil, err
	}
	data := io.NewSectionReader(f.r, f.data+int64(e.begin), int64(e.end-e.begin))
	switch e.dtype {
	case "F16":
		err = readHalves(t, data, tensor.Float16frombits)
	case "BF16":
		err = readHalves(t, data, tensor.BFloat16frombits)
	default:
		err = t.ReadRaw(data)
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

// readHalves fills a float32 tensor from elements of two bytes. They are read
// into the upper half of its memory and widened from the front, where element i
// at bytes 4i never passes its source at 2n+2i.
func readHalves(t *tensor.Tensor, r io.Reader, value func(uint16) float32) error {
	x := t.Float32s()
	raw := t.Bytes()[2*len(x):]
	if n, err := io.ReadFull(r, raw); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("data: got %d bytes, want %d: %w", n, len(raw), err)
	}
	for i := range x {
		x[i] = value(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return nil
}

// Close closes the file that [Open] opened. A tensor that was read stays.
// Closing twice is no error.
func (f *File) Close() error {
	if f.c == nil {
		return nil
	}
	if err := f.c.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("safetensors: Close %q: %w", f.path, err)
	}
	return nil
}
