package pb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// A FormatError tells what is wrong in a file and where.
type FormatError struct {
	Path   string // such as "graph.node[3].attribute[1].t"; "" is the whole file
	Offset int64  // in the file's bytes
	Msg    string // what came and what was wanted
}

// Error returns path, offset and message.
func (e *FormatError) Error() string {
	switch {
	case e.Path != "":
		return fmt.Sprintf("%s (byte %d): %s", e.Path, e.Offset, e.Msg)
	case e.Offset > 0:
		return fmt.Sprintf("%s (byte %d)", e.Msg, e.Offset)
	default:
		return e.Msg
	}
}

// within returns err with elem in front of its path. Paths are made on the way back
// from an error, so that decoding spends nothing on them.
func within(elem string, err error) error {
	var fe *FormatError
	if errors.As(err, &fe) {
		if fe.Path != "" {
			elem += "."
		}
		fe.Path = elem + fe.Path
	}
	return err
}

// item is within for an element of a list.
func item(list string, i int, err error) error {
	if err == nil {
		return nil
	}
	return within(fmt.Sprintf("%s[%d]", list, i), err)
}

// A field is one field of a message as the wire has it.
type field struct {
	num protowire.Number
	typ protowire.Type
	at  int    // offset of its tag
	val uint64 // a varint, fixed32 or fixed64
	lo  int    // begin and end of what BytesType holds
	hi  int
}

// decoder is the state of decoding one file.
type decoder struct {
	file []byte
	lim  Limits

	// What is left of the limits that hold for the whole file.
	memory, elems                 int64
	nodes, attrs, tensors, values int
}

func newDecoder(file []byte, lim Limits) *decoder {
	lim = lim.withDefaults()
	return &decoder{
		file: file,
		lim:  lim,
		// A struct is at most a few hundred bytes and takes ten or more in real files;
		// a number of one byte takes eight.
		memory: min(lim.Memory, 1<<20+32*int64(len(file))),
		elems:  lim.Elems,
		nodes:  lim.Nodes, attrs: lim.Attrs, tensors: lim.Tensors, values: lim.Values,
	}
}

func (d *decoder) errorf(at int, elem, format string, args ...any) error {
	return &FormatError{Path: elem, Offset: int64(at), Msg: fmt.Sprintf(format, args...)}
}

// message calls fn for each field of the message in bytes lo to hi of the file.
func (d *decoder) message(lo, hi int, fn func(f field) error) error {
	for pos := lo; pos < hi; {
		f := field{at: pos}
		var n int
		f.num, f.typ, n = protowire.ConsumeTag(d.file[pos:hi])
		if n < 0 {
			return d.errorf(pos, "", "%s, want the number and the type of a field", wireFault(n, pos, hi))
		}
		pos += n
		rest := d.file[pos:hi]
		switch f.typ {
		case protowire.VarintType:
			f.val, n = protowire.ConsumeVarint(rest)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(rest)
			f.val = uint64(v)
		case protowire.Fixed64Type:
			f.val, n = protowire.ConsumeFixed64(rest)
		case protowire.BytesType:
			var size uint64
			size, n = protowire.ConsumeVarint(rest)
			if n > 0 {
				if left := uint64(len(rest) - n); size > left {
					return d.errorf(pos, "", "field %d has %d bytes by its length, got the %d that are left%s", f.num, size, left, d.cutOff(hi))
				}
				f.lo = pos + n
				f.hi = f.lo + int(size)
				n += int(size)
			}
		default: // a group, which ONNX has none of, or no type at all
			n = protowire.ConsumeFieldValue(f.num, f.typ, rest)
		}
		if n < 0 {
			return d.errorf(pos, "", "field %d: %s%s", f.num, wireFault(n, pos, hi), d.cutOff(hi))
		}
		pos += n
		if err := fn(f); err != nil {
			return err
		}
	}
	return nil
}

// cutOff asks whether the file was cut off where a message that ends with the file is
// too short.
func (d *decoder) cutOff(end int) string {
	if end == len(d.file) {
		return " (was the file cut off?)"
	}
	return ""
}

// wireFault describes protowire's error n.
func wireFault(n, pos, hi int) string {
	if err := protowire.ParseError(n); errors.Is(err, protowire.ParseError(-1)) {
		return fmt.Sprintf("the data ends after %d bytes", hi-pos)
	}
	switch s := protowire.ParseError(n).Error(); {
	case strings.Contains(s, "reserved"):
		return "got a field with a type that does not exist"
	case strings.Contains(s, "field number"):
		return "got an invalid field number"
	case strings.Contains(s, "overflow"):
		return "got a number of more than 64 bits"
	default:
		return "got data that is no protobuf"
	}
}

var wireNames = map[protowire.Type]string{
	protowire.VarintType: "a varint", protowire.Fixed32Type: "4 bytes", protowire.Fixed64Type: "8 bytes",
	protowire.BytesType: "a length and bytes", protowire.StartGroupType: "a group", protowire.EndGroupType: "the end of a group",
}

func (d *decoder) wrongType(f field, elem string, want protowire.Type) error {
	return d.errorf(f.at, elem, "field %d is %s, want %s", f.num, wireNames[f.typ], wireNames[want])
}

// take counts n bytes of memory that are about to be taken.
func (d *decoder) take(f field, elem string, n int64) error {
	if n > d.memory {
		return d.errorf(f.at, elem, "the model takes more memory than its %d bytes warrant", len(d.file))
	}
	d.memory -= n
	return nil
}

// count takes n from *left, what is left of the limit that what and lim describe.
func (d *decoder) count(f field, elem string, left *int, lim int, what string) error {
	if *left == 0 {
		return d.errorf(f.at, elem, "more than %d %s", lim, what)
	}
	*left--
	return nil
}

// takeElems counts n elements of size bytes of typed fields.
func (d *decoder) takeElems(f field, elem string, n, size int64) error {
	if n > d.elems {
		return d.errorf(f.at, elem, "more than %d elements in the file", d.lim.Elems)
	}
	d.elems -= n
	return d.take(f, elem, n*size)
}

// body checks that f is of BytesType.
func (d *decoder) body(f field, elem string) error {
	if f.typ != protowire.BytesType {
		return d.wrongType(f, elem, protowire.BytesType)
	}
	return nil
}

// bytes sets dst to f's bytes, which stay where they are in the file.
func (d *decoder) bytes(f field, elem string, dst *[]byte) error {
	if err := d.body(f, elem); err != nil {
		return err
	}
	*dst = d.file[f.lo:f.hi:f.hi]
	return nil
}

// name sets dst to a string that must be valid.
func (d *decoder) name(f field, elem string, dst *string) error {
	if err := d.body(f, elem); err != nil {
		return err
	}
	if n := f.hi - f.lo; n > d.lim.NameLen {
		return d.errorf(f.at, elem, "got a string of %d bytes, want at most %d", n, d.lim.NameLen)
	}
	b := d.file[f.lo:f.hi]
	if !utf8.Valid(b) {
		return d.errorf(f.at, elem, "got %q, want valid UTF-8", b[:min(len(b), 40)])
	}
	if err := d.take(f, elem, int64(len(b))); err != nil {
		return err
	}
	*dst = string(b)
	return nil
}

// text sets dst to a string for people, of any length; what is not valid in it is
// replaced.
func (d *decoder) text(f field, elem string, dst *string) error {
	if err := d.body(f, elem); err != nil {
		return err
	}
	if err := d.take(f, elem, int64(f.hi-f.lo)); err != nil {
		return err
	}
	*dst = strings.ToValidUTF8(string(d.file[f.lo:f.hi]), "\uFFFD")
	return nil
}

// names appends a name to *dst.
func (d *decoder) names(f field, elem string, dst *[]string, limit int) error {
	if len(*dst) >= limit {
		return d.errorf(f.at, elem, "more than %d names", limit)
	}
	if err := d.takeElems(f, elem, 1, 16); err != nil {
		return item(elem, len(*dst), err)
	}
	var s string
	if err := d.name(f, "", &s); err != nil {
		return item(elem, len(*dst), err)
	}
	*dst = append(*dst, s)
	return nil
}

// chunks appends f's bytes to *dst.
func (d *decoder) chunks(f field, elem string, dst *[][]byte) error {
	if err := d.takeElems(f, elem, 1, 24); err != nil {
		return err
	}
	var b []byte
	if err := d.bytes(f, elem, &b); err != nil {
		return err
	}
	*dst = append(*dst, b)
	return nil
}

// number sets dst to an integer, of which the low bits count as protobuf has it.
func number[T ~int32 | ~int64](d *decoder, f field, elem string, dst *T) error {
	if f.typ != protowire.VarintType {
		return d.wrongType(f, elem, protowire.VarintType)
	}
	*dst = T(f.val)
	return nil
}

// float sets dst to a float32.
func (d *decoder) float(f field, elem string, dst *float32) error {
	if f.typ != protowire.Fixed32Type {
		return d.wrongType(f, elem, protowire.Fixed32Type)
	}
	*dst = math.Float32frombits(uint32(f.val))
	return nil
}

// integers appends a repeated integer to *dst: one, or many in packed form.
func integers[T int32 | int64 | uint64](d *decoder, f field, elem string, dst *[]T) error {
	switch f.typ {
	case protowire.VarintType:
		if err := d.takeElems(f, elem, 1, 8); err != nil {
			return err
		}
		*dst = append(*dst, T(f.val))
		return nil
	case protowire.BytesType:
	default:
		return d.wrongType(f, elem, protowire.BytesType)
	}
	b := d.file[f.lo:f.hi]
	n := 0 // each number has one byte without the upper bit, its last
	for _, c := range b {
		if c < 0x80 {
			n++
		}
	}
	if err := d.takeElems(f, elem, int64(n), 8); err != nil {
		return err
	}
	s := grow(*dst, n)
	for len(b) > 0 {
		v, k := protowire.ConsumeVarint(b)
		if k < 0 {
			at := f.hi - len(b)
			return d.errorf(at, elem, "%s", wireFault(k, at, f.hi))
		}
		s = append(s, T(v))
		b = b[k:]
	}
	*dst = s
	return nil
}

// floats appends a repeated float32 to *dst: one, or many in packed form.
func (d *decoder) floats(f field, elem string, dst *[]float32) error {
	switch f.typ {
	case protowire.Fixed32Type:
		if err := d.takeElems(f, elem, 1, 4); err != nil {
			return err
		}
		*dst = append(*dst, math.Float32frombits(uint32(f.val)))
		return nil
	case protowire.BytesType:
	default:
		return d.wrongType(f, elem, protowire.BytesType)
	}
	b, err := d.packed(f, elem, 4)
	if err != nil {
		return err
	}
	s := grow(*dst, len(b)/4)
	for ; len(b) > 0; b = b[4:] {
		s = append(s, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	*dst = s
	return nil
}

// doubles is floats for float64.
func (d *decoder) doubles(f field, elem string, dst *[]float64) error {
	switch f.typ {
	case protowire.Fixed64Type:
		if err := d.takeElems(f, elem, 1, 8); err != nil {
			return err
		}
		*dst = append(*dst, math.Float64frombits(f.val))
		return nil
	case protowire.BytesType:
	default:
		return d.wrongType(f, elem, protowire.BytesType)
	}
	b, err := d.packed(f, elem, 8)
	if err != nil {
		return err
	}
	s := grow(*dst, len(b)/8)
	for ; len(b) > 0; b = b[8:] {
		s = append(s, math.Float64frombits(binary.LittleEndian.Uint64(b)))
	}
	*dst = s
	return nil
}

// packed returns the bytes of numbers of size bytes each.
func (d *decoder) packed(f field, elem string, size int) ([]byte, error) {
	b := d.file[f.lo:f.hi]
	if len(b)%size != 0 {
		return nil, d.errorf(f.at, elem, "got %d bytes of numbers, want a multiple of %d", len(b), size)
	}
	return b, d.takeElems(f, elem, int64(len(b)/size), int64(size))
}

// grow returns s with room for n more: exactly, the first time, as nearly every file
// has each list in one piece.
func grow[T any](s []T, n int) []T {
	if s == nil && n > 0 {
		return make([]T, 0, n)
	}
	return s
}
