package onnx

import (
	"errors"

	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// ReadTensor reads a file of one tensor (a TensorProto), as ONNX's own test cases keep
// inputs and outputs in input_0.pb. Float16, bfloat16 and float64 become float32. Files
// are bounded as models are. One that cannot be read gives an [fs.PathError]; one that
// is damaged, too large or of a type that is not supported a [*RefusedError], which for
// the type wraps [errors.ErrUnsupported]. External data is refused.
func ReadTensor(path string) (*tensor.Tensor, error) {
	data, err := pb.ReadFile(path, pb.DefaultLimits)
	var format *pb.FormatError
	if errors.As(err, &format) {
		err = &RefusedError{Path: path, Err: err}
	}
	if err != nil {
		return nil, err
	}
	p, err := pb.DecodeTensor(data, pb.DefaultLimits)
	if err != nil {
		return nil, &RefusedError{Path: path, Err: err}
	}
	t, _, err := p.Value(pb.ValueOptions{})
	if err != nil {
		return nil, &RefusedError{Path: path, Err: err}
	}
	return t, nil
}
