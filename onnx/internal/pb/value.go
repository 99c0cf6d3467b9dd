package pb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/convgl/convgl/tensor"
)

// ValueOptions are the ways of [Tensor.Value].
type ValueOptions struct {
	// External is the folder of files with external data; nil refuses such tensors.
	External *Folder
	// Widen makes int32 of int8, int16 and uint16, and int64 of uint32, which are
	// refused otherwise.
	Widen bool
}

// Elems returns the number of elements, the product of the dims. It fails when a dim is
// negative, the rank is above [tensor.MaxRank], or the product is above
// [tensor.MaxElems].
func (t *Tensor) Elems() (int64, error) {
	shape, err := t.shape()
	if err != nil {
		return 0, t.wrap(err)
	}
	return int64(shape.Size()), nil
}

// shape returns the dims, checked.
func (t *Tensor) shape() (tensor.Shape, error) {
	if len(t.Dims) > tensor.MaxRank {
		return nil, fmt.Errorf("got %d dims, want at most %d", len(t.Dims), tensor.MaxRank)
	}
	shape := make(tensor.Shape, len(t.Dims))
	empty := false
	for i, d := range t.Dims {
		switch {
		case d < 0:
			return nil, fmt.Errorf("dim %d is %d, want 0 or more", i, d)
		case d > math.MaxInt:
			return nil, fmt.Errorf("dim %d is %d, want at most %d", i, d, math.MaxInt)
		}
		shape[i] = int(d)
		empty = empty || d == 0
	}
	n := 1
	for _, d := range shape {
		if !empty && d > tensor.MaxElems/n {
			return nil, fmt.Errorf("the dims make more than %d elements", tensor.MaxElems)
		}
		if !empty {
			n *= d
		}
	}
	return shape, nil
}

// wrap returns err with what the tensor is.
func (t *Tensor) wrap(err error) error {
	return fmt.Errorf("tensor %s (%v %v): %w", Quote(t.Name), t.DataType, t.Dims, err)
}

// Value returns the tensor's values, and notes in words of what was converted. The
// values are copied, except that those of float_data, int32_data and int64_data may be
// shared with t.
//
//	float32, int32, int64, uint8, bool   as they are
//	float16, bfloat16                    float32, exactly
//	float64                              float32, rounded to nearest
//	int8, int16, uint16; uint32          int32; int64: exactly, with Widen
//
// Every other type gives an error that wraps [errors.ErrUnsupported]. The file must have
// exactly the values that the dims ask for.
func (t *Tensor) Value(o ValueOptions) (*tensor.Tensor, []string, error) {
	v, notes, err := t.value(o)
	if err != nil {
		return nil, nil, t.wrap(err)
	}
	return v, notes, nil
}

// elemSize returns the bytes of an element in raw data; 0 for types that are not
// supported.
func (o ValueOptions) elemSize(d DataType) int {
	switch d {
	case Uint8, Bool:
		return 1
	case Float16, BFloat16:
		return 2
	case Float, Int32:
		return 4
	case Double, Int64:
		return 8
	}
	if !o.Widen {
		return 0
	}
	switch d {
	case Int8:
		return 1
	case Int16, Uint16:
		return 2
	case Uint32:
		return 4
	}
	return 0
}

func (t *Tensor) value(o ValueOptions) (*tensor.Tensor, []string, error) {
	shape, err := t.shape()
	if err != nil {
		return nil, nil, err
	}
	size := o.elemSize(t.DataType)
	switch {
	case size == 0:
		return nil, nil, fmt.Errorf("elements of type %v: %w", t.DataType, errors.ErrUnsupported)
	case t.Segmented:
		return nil, nil, fmt.Errorf("a part of a tensor (segment): %w", errors.ErrUnsupported)
	case t.DataLocation != 0 && t.DataLocation != LocationExternal:
		return nil, nil, fmt.Errorf("data_location is %d, want 0 or 1", t.DataLocation)
	}
	n := shape.Size()
	if n > math.MaxInt/size {
		return nil, nil, fmt.Errorf("the dims make more than %d bytes", math.MaxInt)
	}
	fields, typed := t.dataFields()
	external := t.DataLocation == LocationExternal
	switch {
	case len(fields) > 1, external && len(fields) > 0:
		if external {
			fields = append(fields, "external data")
		}
		return nil, nil, fmt.Errorf("got values in %s, want them in one place", strings.Join(fields, " and "))
	case external:
		if o.External == nil {
			return nil, nil, errors.New("its data is in a file of its own, which a model from memory cannot have")
		}
		var v *tensor.Tensor
		var notes []string
		err := o.External.read(t, int64(n*size), func(r io.Reader) (err error) {
			v, notes, err = t.decode(r, shape)
			return err
		})
		return v, notes, err
	case typed:
		return t.typed(fields[0], shape)
	case len(t.Raw) != n*size:
		return nil, nil, fmt.Errorf("raw_data has %d bytes, want %d", len(t.Raw), n*size)
	}
	return t.decode(bytes.NewReader(t.Raw), shape)
}

// dataFields names the fields of t that have values, and whether it is a typed one.
func (t *Tensor) dataFields() (fields []string, typed bool) {
	for _, f := range []struct {
		name string
		n    int
	}{
		{"float_data", len(t.FloatData)}, {"int32_data", len(t.Int32Data)}, {"string_data", len(t.StringData)},
		{"int64_data", len(t.Int64Data)}, {"double_data", len(t.DoubleData)}, {"uint64_data", len(t.Uint64Data)},
		{"raw_data", len(t.Raw)},
	} {
		if f.n > 0 {
			fields = append(fields, f.name)
			typed = f.name != "raw_data"
		}
	}
	return fields, typed
}

// decode reads raw data from r, which has exactly as many bytes as shape asks for.
func (t *Tensor) decode(r io.Reader, shape tensor.Shape) (v *tensor.Tensor, notes []string, err error) {
	direct := map[DataType]tensor.DType{
		Float: tensor.Float32, Int32: tensor.Int32, Int64: tensor.Int64, Uint8: tensor.Uint8, Bool: tensor.Bool,
	}
	le := binary.LittleEndian
	switch t.DataType {
	default:
		if v, err = tensor.New(direct[t.DataType], shape...); err != nil {
			return nil, nil, err
		}
		return v, nil, v.ReadRaw(r)
	case Float16:
		v, err = convertRaw(r, shape, 2, func(b []byte) float32 { return tensor.Float16frombits(le.Uint16(b)) })
	case BFloat16:
		v, err = convertRaw(r, shape, 2, func(b []byte) float32 { return tensor.BFloat16frombits(le.Uint16(b)) })
	case Double:
		var n narrowing
		v, err = convertRaw(r, shape, 8, func(b []byte) float32 { return n.float32(math.Float64frombits(le.Uint64(b))) })
		return v, n.notes(), err
	case Int8:
		v, err = convertRaw(r, shape, 1, func(b []byte) int32 { return int32(int8(b[0])) })
	case Int16:
		v, err = convertRaw(r, shape, 2, func(b []byte) int32 { return int32(int16(le.Uint16(b))) })
	case Uint16:
		v, err = convertRaw(r, shape, 2, func(b []byte) int32 { return int32(le.Uint16(b)) })
	case Uint32:
		v, err = convertRaw(r, shape, 4, func(b []byte) int64 { return int64(le.Uint32(b)) })
	}
	return v, t.note(v), err
}

// note says that values were taken as v's type, which has them exactly.
func (t *Tensor) note(v *tensor.Tensor) []string {
	if v == nil {
		return nil
	}
	return []string{fmt.Sprintf("%v as %v", t.DataType, v.DType())}
}

// convertRaw reads elements of size bytes and converts each.
func convertRaw[T tensor.Element](r io.Reader, shape tensor.Shape, size int, conv func([]byte) T) (*tensor.Tensor, error) {
	out := make([]T, shape.Size())
	buf := make([]byte, min(len(out), 1<<13)*size)
	for rest := out; len(rest) > 0; {
		b := buf[:min(len(buf), len(rest)*size)]
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, err
		}
		n := len(b) / size
		for i := range rest[:n] {
			rest[i] = conv(b[i*size:])
		}
		rest = rest[n:]
	}
	return tensor.From(out, shape...)
}

// narrowing rounds float64 values and counts those that became infinite.
type narrowing struct{ infinite int }

func (n *narrowing) float32(v float64) float32 {
	f := float32(v)
	if math.IsInf(float64(f), 0) && !math.IsInf(v, 0) {
		n.infinite++
	}
	return f
}

func (n *narrowing) notes() []string {
	notes := []string{"float64 as float32"}
	if n.infinite > 0 {
		notes = append(notes, fmt.Sprintf("%d float64 values beyond float32's range as infinity", n.infinite))
	}
	return notes
}

// typed returns the values of the typed field called field, the only one that has any.
func (t *Tensor) typed(field string, shape tensor.Shape) (v *tensor.Tensor, notes []string, err error) {
	want := "int32_data"
	got := len(t.Int32Data)
	switch t.DataType {
	case Float:
		want, got = "float_data", len(t.FloatData)
	case Double:
		want, got = "double_data", len(t.DoubleData)
	case Int64:
		want, got = "int64_data", len(t.Int64Data)
	case Uint32:
		want, got = "uint64_data", len(t.Uint64Data)
	}
	switch {
	case field != want:
		return nil, nil, fmt.Errorf("got values in %s, want %s or raw_data", field, want)
	case got != shape.Size():
		return nil, nil, fmt.Errorf("%s has %d values, want %d", field, got, shape.Size())
	}
	switch t.DataType {
	case Float:
		v, err = tensor.From(t.FloatData, shape...)
		return v, nil, err
	case Int32:
		v, err = tensor.From(t.Int32Data, shape...)
		return v, nil, err
	case Int64:
		v, err = tensor.From(t.Int64Data, shape...)
		return v, nil, err
	case Uint8:
		v, err = convertTyped(t.Int32Data, shape, 0, math.MaxUint8, func(i int32) uint8 { return uint8(i) })
		return v, nil, err
	case Bool:
		v, err = convertTyped(t.Int32Data, shape, math.MinInt32, math.MaxInt32, func(i int32) bool { return i != 0 })
		return v, nil, err
	case Float16:
		v, err = convertTyped(t.Int32Data, shape, 0, math.MaxUint16, func(i int32) float32 { return tensor.Float16frombits(uint16(i)) })
	case BFloat16:
		v, err = convertTyped(t.Int32Data, shape, 0, math.MaxUint16, func(i int32) float32 { return tensor.BFloat16frombits(uint16(i)) })
	case Double:
		var n narrowing
		out := make([]float32, len(t.DoubleData))
		for i, d := range t.DoubleData {
			out[i] = n.float32(d)
		}
		v, err = tensor.From(out, shape...)
		return v, n.notes(), err
	case Int8:
		v, err = convertTyped(t.Int32Data, shape, math.MinInt8, math.MaxInt8, func(i int32) int32 { return i })
	case Int16:
		v, err = convertTyped(t.Int32Data, shape, math.MinInt16, math.MaxInt16, func(i int32) int32 { return i })
	case Uint16:
		v, err = convertTyped(t.Int32Data, shape, 0, math.MaxUint16, func(i int32) int32 { return i })
	case Uint32:
		v, err = convertTyped(t.Uint64Data, shape, 0, math.MaxUint32, func(i uint64) int64 { return int64(i) })
	}
	return v, t.note(v), err
}

// convertTyped converts each of data, which must lie from lo to hi.
func convertTyped[T tensor.Element, S int32 | uint64](data []S, shape tensor.Shape, lo, hi S, conv func(S) T) (*tensor.Tensor, error) {
	out := make([]T, len(data))
	for i, d := range data {
		if d < lo || d > hi {
			return nil, fmt.Errorf("value %d is %d, want %d to %d", i, d, lo, hi)
		}
		out[i] = conv(d)
	}
	return tensor.From(out, shape...)
}
