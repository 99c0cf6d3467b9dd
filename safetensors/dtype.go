package safetensors

import "github.com/convgl/convgl/tensor"

// An elemType is what is known of a dtype of the format: the bytes of an element
// in the file, and the type that it is read as, [tensor.Invalid] where none is.
type elemType struct {
	size int
	as   tensor.DType
}

// elemTypes are the format's dtypes of whole bytes. Those that no tensor can
// hold are here so that a file with some of them still opens.
var elemTypes = map[string]elemType{
	"F64": {8, tensor.Float64}, "F32": {4, tensor.Float32},
	"F16": {2, tensor.Float32}, "BF16": {2, tensor.Float32},
	"I64": {8, tensor.Int64}, "I32": {4, tensor.Int32},
	"U8": {1, tensor.Uint8}, "BOOL": {1, tensor.Bool},

	"C64": {8, tensor.Invalid}, "U64": {8, tensor.Invalid}, "U32": {4, tensor.Invalid},
	"U16": {2, tensor.Invalid}, "I16": {2, tensor.Invalid}, "I8": {1, tensor.Invalid},
	"F8_E4M3": {1, tensor.Invalid}, "F8_E5M2": {1, tensor.Invalid}, "F8_E8M0": {1, tensor.Invalid},
}

// readable lists, for errors, the dtypes that a tensor can hold.
const readable = "F64, F32, F16, BF16, I64, I32, U8 or BOOL"

// writeOrder lists the types as a file has them: the widest first, so that each
// tensor lies at a multiple of its element size without a hole.
var writeOrder = []struct {
	as   tensor.DType
	name string
}{
	{tensor.Int64, "I64"}, {tensor.Float64, "F64"}, {tensor.Float32, "F32"}, {tensor.Int32, "I32"}, {tensor.Uint8, "U8"}, {tensor.Bool, "BOOL"},
}
