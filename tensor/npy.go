package tensor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/convgl/convgl/internal/atomicfile"
	"github.com/convgl/convgl/internal/regularfile"
)

const (
	npyMagic     = "\x93NUMPY"
	npyMaxHeader = 64 << 10 // a header of 8 dims has about 250 bytes; version 1.0 ends at 64 KiB
	npyFirstRead = 64 << 10 // memory taken before any data has come
)

// ReadNPY reads one array in NumPy's .npy format, versions 1.0, 2.0 and 3.0.
// It reads no byte past the array's end, so that several can follow each other.
//
//	f4, f8, i4, i8   float32, float64, int32, int64; little or big endian
//	u1               uint8
//	b1               bool; every byte but 0 is true
//	f2               float32, exactly; little or big endian
//
// Arrays in Fortran order become row-major. Other element types are
// [errors.ErrUnsupported]; truncated input is [io.ErrUnexpectedEOF]. Memory
// grows with the data that comes, not with what the header claims.
//
// Source: numpy.lib.format, NEP 1.
func ReadNPY(r io.Reader) (*Tensor, error) {
	t, err := readNPY(r, 0)
	if err != nil {
		return nil, fmt.Errorf("tensor: ReadNPY: %w", err)
	}
	return t, nil
}

// LoadNPY reads the .npy file at path by the rules of [ReadNPY]. Bytes after the
// array are an error, and so is a path that is no regular file; ReadNPY reads pipes.
func LoadNPY(path string) (*Tensor, error) {
	t, err := loadNPY(path)
	if err != nil {
		return nil, fmt.Errorf("tensor: LoadNPY %q: %w", path, err)
	}
	return t, nil
}

func loadNPY(path string) (*Tensor, error) {
	f, err := regularfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	t, err := readNPY(f, fi.Size())
	if err != nil {
		return nil, err
	}
	switch n, err := f.Read(make([]byte, 1)); {
	case n > 0:
		return nil, fmt.Errorf("data after the end of the %v array of shape %v", t.dtype, t.shape)
	case err != nil && err != io.EOF:
		return nil, err
	}
	return t, nil
}

// WriteNPY writes t in NumPy's .npy format: version 1.0, row-major, little
// endian.
func WriteNPY(w io.Writer, t *Tensor) error {
	if err := writeNPY(w, t); err != nil {
		return fmt.Errorf("tensor: WriteNPY: %w", err)
	}
	return nil
}

// SaveNPY writes t to the .npy file at path, as [WriteNPY] does. A file that is
// there already is replaced once the new one is complete; after an error it is
// as it was.
func SaveNPY(path string, t *Tensor) error {
	err := atomicfile.Write(path, func(w io.Writer) error { return writeNPY(w, t) })
	if err != nil {
		return fmt.Errorf("tensor: SaveNPY: %w", err)
	}
	return nil
}

var npyCodes = map[DType]string{Float32: "f4", Float64: "f8", Int32: "i4", Int64: "i8", Uint8: "u1", Bool: "b1"}

func writeNPY(w io.Writer, t *Tensor) error {
	if t == nil || t.dtype == Invalid {
		return errors.New("tensor is nil or has no type (make it with New or From)")
	}
	order := "<"
	if t.dtype.Size() == 1 {
		order = "|"
	}
	var dims strings.Builder
	for _, d := range t.shape {
		fmt.Fprintf(&dims, "%d, ", d)
	}
	tuple := dims.String()
	if len(t.shape) > 1 { // Python writes (2, 3) but (2,)
		tuple = strings.TrimSuffix(tuple, ", ")
	}
	header := fmt.Sprintf("{'descr': '%s%s', 'fortran_order': False, 'shape': (%s), }", order, npyCodes[t.dtype], strings.TrimSuffix(tuple, " "))
	// The data shall begin at a multiple of 64 bytes, after a newline.
	used := len(npyMagic) + 4 + len(header) + 1
	header += strings.Repeat(" ", (64-used%64)%64) + "\n"

	pre := binary.LittleEndian.AppendUint16([]byte(npyMagic+"\x01\x00"), uint16(len(header)))
	if _, err := w.Write(append(pre, header...)); err != nil {
		return err
	}
	return t.WriteRaw(w)
}

// readNPY reads an array from r. avail is the number of bytes that r is known
// to hold, 0 when nothing is known: memory for so many is taken at once.
func readNPY(r io.Reader, avail int64) (*Tensor, error) {
	h, err := readNPYHeader(r)
	if err != nil {
		return nil, err
	}
	// Column-major data is row-major data of the reversed shape.
	stored := h.shape.Clone()
	if h.fortran {
		slices.Reverse(stored)
	}
	order, code := byte(0), ""
	if h.descr != "" {
		order, code = h.descr[0], h.descr[1:]
	}
	swap := (order == '<') != hostLittleEndian
	var t *Tensor
	switch {
	case order == '|' && code != "u1" && code != "b1", !strings.Contains("<>|", string(order)):
		return nil, unsupportedDescr(h.descr)
	case code == "f4":
		t, err = readElems[float32](r, stored, avail, swap)
	case code == "f8":
		t, err = readElems[float64](r, stored, avail, swap)
	case code == "i4":
		t, err = readElems[int32](r, stored, avail, swap)
	case code == "i8":
		t, err = readElems[int64](r, stored, avail, swap)
	case code == "u1":
		t, err = readElems[uint8](r, stored, avail, false)
	case code == "b1":
		t, err = readElems[bool](r, stored, avail, false)
	case code == "f2":
		t, err = readHalf(r, stored, avail, swap)
	default:
		return nil, unsupportedDescr(h.descr)
	}
	if err != nil || !h.fortran || len(stored) < 2 {
		return t, err
	}
	perm := make([]int, len(stored))
	for i := range perm {
		perm[i] = len(perm) - 1 - i
	}
	return permute(t, perm)
}

func unsupportedDescr(descr string) error {
	return fmt.Errorf("dtype %s: want f2, f4, f8, i4, i8, u1 or b1 (convert with astype in NumPy): %w", excerpt(descr), errors.ErrUnsupported)
}

// readElems reads the elements of a tensor as they lie in the file.
func readElems[T Element](r io.Reader, shape Shape, avail int64, swap bool) (*Tensor, error) {
	data, err := readArray[T](r, shape, avail, swap)
	if err != nil {
		return nil, err
	}
	return From(data, shape...)
}

// readHalf reads float16 elements as float32.
func readHalf(r io.Reader, shape Shape, avail int64, swap bool) (*Tensor, error) {
	half, err := readArray[uint16](r, shape, avail, swap)
	if err != nil {
		return nil, err
	}
	data := make([]float32, len(half))
	for i, h := range half {
		data[i] = Float16frombits(h)
	}
	return From(data, shape...)
}

// readArray reads the elements of a shape straight into their slice, which
// doubles as data comes, until it has its full size. swap reverses the bytes of
// each element.
func readArray[T Element | uint16](r io.Reader, shape Shape, avail int64, swap bool) ([]T, error) {
	n, err := shape.Elems()
	if err != nil {
		return nil, err
	}
	size := int(unsafe.Sizeof(*new(T)))
	data := make([]T, min(int64(n), max(npyFirstRead, avail)/int64(size)))
	for have := 0; ; {
		part := bytesOf(data)[have:]
		got, err := io.ReadFull(r, part)
		if _, ok := any(data).([]bool); ok {
			toBools(part[:got])
		}
		have += got
		if err != nil {
			return nil, shortRead("data", have, n*size, err)
		}
		if len(data) == n {
			break
		}
		more := make([]T, min(n, 2*len(data)))
		copy(more, data)
		data = more
	}
	if swap {
		swapBytes(bytesOf(data), size)
	}
	return data, nil
}

// shortRead says how much of a part came. The end of input in a part is
// io.ErrUnexpectedEOF, also where none of the part came.
func shortRead(part string, got, want int, err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%s: got %d bytes, want %d: %w", part, got, want, err)
}

// npyHeader is what the dict in front of the data says.
type npyHeader struct {
	descr   string
	fortran bool
	shape   Shape
}

func readNPYHeader(r io.Reader) (npyHeader, error) {
	var none npyHeader
	var pre [8]byte // magic, major and minor version
	if n, err := io.ReadFull(r, pre[:]); err != nil {
		return none, shortRead("file header", n, len(pre), err)
	}
	if string(pre[:6]) != npyMagic {
		return none, fmt.Errorf("not an npy file: begins with %q, want %q", pre[:6], npyMagic)
	}
	length := make([]byte, 4) // little endian; two bytes in version 1.0
	switch v := [2]byte(pre[6:]); v {
	case [2]byte{1, 0}:
		length = length[:2]
	case [2]byte{2, 0}, [2]byte{3, 0}:
	default:
		return none, fmt.Errorf("format version %d.%d: want 1.0, 2.0 or 3.0: %w", v[0], v[1], errors.ErrUnsupported)
	}
	if n, err := io.ReadFull(r, length); err != nil {
		return none, shortRead("header length", n, len(length), err)
	}
	size := binary.LittleEndian.Uint32(append(length, 0, 0)) // the zeros complete two bytes
	if size > npyMaxHeader {
		return none, fmt.Errorf("header of %d bytes: want at most %d", size, npyMaxHeader)
	}
	text := make([]byte, size)
	if n, err := io.ReadFull(r, text); err != nil {
		return none, shortRead("header", n, len(text), err)
	}
	return parseNPYHeader(string(text))
}

// parseNPYHeader parses a header's text, a Python dict literal such as
//
//	{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
//
// with these three keys in any order.
func parseNPYHeader(text string) (npyHeader, error) {
	var h npyHeader
	seen := map[string]bool{}
	p := npyParser{text}
	if !p.accept("{") {
		return h, fmt.Errorf("header: want a dict, got %s", excerpt(p.rest))
	}
	for !p.accept("}") {
		key, ok := p.quoted()
		if !ok || !p.accept(":") {
			return h, fmt.Errorf("header: want a quoted key and a colon before %s", excerpt(p.rest))
		}
		if seen[key] {
			return h, fmt.Errorf("header: key %s comes twice", excerpt(key))
		}
		seen[key] = true
		switch key {
		case "descr":
			if h.descr, ok = p.quoted(); !ok { // a list of fields: a structured type
				return h, unsupportedDescr(p.rest)
			}
		case "fortran_order":
			h.fortran = p.accept("True")
			ok = h.fortran || p.accept("False")
		case "shape":
			h.shape, ok = p.tuple()
		default:
			return h, fmt.Errorf("header: unknown key %s: want descr, fortran_order and shape", excerpt(key))
		}
		if !ok {
			return h, fmt.Errorf("header: cannot read the value of %s at %s", key, excerpt(p.rest))
		}
		if !p.accept(",") && !strings.HasPrefix(p.rest, "}") {
			return h, fmt.Errorf("header: want a comma or } before %s", excerpt(p.rest))
		}
	}
	if rest := strings.TrimSpace(p.rest); rest != "" {
		return h, fmt.Errorf("header: text after the dict: %s", excerpt(rest))
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if !seen[key] {
			return h, fmt.Errorf("header: key %s is missing", key)
		}
	}
	return h, nil
}

// npyParser takes tokens from the front of rest.
type npyParser struct{ rest string }

// accept skips blanks, and takes the token if it comes next.
func (p *npyParser) accept(token string) (ok bool) {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	p.rest, ok = strings.CutPrefix(p.rest, token)
	return ok
}

// quoted takes a string literal.
func (p *npyParser) quoted() (string, bool) {
	for _, quote := range []string{"'", `"`} {
		if p.accept(quote) {
			s, rest, ok := strings.Cut(p.rest, quote)
			p.rest = rest
			return s, ok
		}
	}
	return "", false
}

// tuple takes a tuple of integers. Python 2 wrote long ones as 3L.
func (p *npyParser) tuple() (Shape, bool) {
	shape := Shape{}
	if !p.accept("(") {
		return nil, false
	}
	for comma := true; !p.accept(")"); {
		digits := strings.TrimLeft(p.rest, "-0123456789")
		d, err := strconv.Atoi(p.rest[:len(p.rest)-len(digits)])
		if !comma || err != nil || len(shape) > MaxRank { // one above it is kept for the error
			return nil, false
		}
		shape = append(shape, d)
		p.rest = strings.TrimPrefix(digits, "L")
		comma = p.accept(",")
		if !comma && len(shape) == 1 { // (3) is a number
			return nil, false
		}
	}
	return shape, true
}

// excerpt quotes the beginning of a text for an error.
func excerpt(s string) string {
	const most = 60
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}

// bytesOf returns the memory of d.
func bytesOf[T Element | uint16](d []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(d))), len(d)*int(unsafe.Sizeof(*new(T))))
}
