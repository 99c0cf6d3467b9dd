package onnx

import (
	"fmt"

	"github.com/convgl/convgl/tensor"
)

// ElemType is the type of the elements of a value in an ONNX file. The numbers are
// those of TensorProto.DataType.
type ElemType int32

// The types that values may have here.
const (
	Float32  ElemType = 1
	Uint8    ElemType = 2
	Int32    ElemType = 6
	Int64    ElemType = 7
	Bool     ElemType = 9
	Float16  ElemType = 10
	Float64  ElemType = 11
	BFloat16 ElemType = 16
)

var elemNames = [...]string{"undefined", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool",
	"float16", "float64", "uint32", "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn", "float8e4m3fnuz",
	"float8e5m2", "float8e5m2fnuz", "uint4", "int4", "float4e2m1", "float8e8m0", "uint2", "int2"}

// String returns the type's name, such as "float32".
func (e ElemType) String() string {
	if e >= 0 && int(e) < len(elemNames) {
		return elemNames[e]
	}
	return fmt.Sprintf("type %d", int32(e))
}

// Float reports whether values of the type are computed in float32.
func (e ElemType) Float() bool {
	return e == Float32 || e == Float16 || e == Float64 || e == BFloat16
}

// DType returns the type of the tensors that hold such values, and Invalid for types
// that are not supported.
func (e ElemType) DType() tensor.DType {
	switch e {
	case Float32, Float16, Float64, BFloat16:
		return tensor.Float32
	case Uint8:
		return tensor.Uint8
	case Int32:
		return tensor.Int32
	case Int64:
		return tensor.Int64
	case Bool:
		return tensor.Bool
	}
	return tensor.Invalid
}
