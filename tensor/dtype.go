package tensor

import "fmt"

// DType is the type of a tensor's elements.
type DType uint8

// The element types. Kernels compute in Float32; the others carry indices,
// labels, shapes, pixels, conditions and reference values.
const (
	Invalid DType = iota
	Float32
	Float64
	Int32
	Int64
	Uint8
	Bool // one byte, 0 or 1; Go's bool
)

var dtypeNames = [...]string{"invalid", "float32", "float64", "int32", "int64", "uint8", "bool"}
var dtypeSizes = [...]int{0, 4, 8, 4, 8, 1, 1}

// String returns NumPy's name of the type, such as "float32".
func (d DType) String() string {
	if int(d) < len(dtypeNames) {
		return dtypeNames[d]
	}
	return fmt.Sprintf("DType(%d)", uint8(d))
}

// Size returns the bytes of one element; 0 for an invalid type.
func (d DType) Size() int {
	if int(d) < len(dtypeSizes) {
		return dtypeSizes[d]
	}
	return 0
}

// Number is the constraint of the Go types of numbers that a tensor can hold.
type Number interface {
	float32 | float64 | int32 | int64 | uint8
}

// Element is the constraint of the Go types that a tensor can hold.
type Element interface {
	Number | bool
}

// DTypeOf returns the DType that stores T.
func DTypeOf[T Element]() DType {
	switch any(*new(T)).(type) {
	case float32:
		return Float32
	case float64:
		return Float64
	case int32:
		return Int32
	case int64:
		return Int64
	case uint8:
		return Uint8
	default:
		return Bool
	}
}
