//go:build cgo

package gl

import (
	"context"
	"errors"
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// packer is a Format of this backend.
type packer interface {
	backend.Format
	// accepts reports whether a tensor of that type and shape can be packed so.
	accepts(d backend.TensorDesc) bool
	// pack writes t to dst, of Bytes()/4 zeros.
	pack(dst []float32, t *tensor.Tensor)
}

// Pack implements backend.Backend. It packs on the host.
func (be *Backend) Pack(ctx context.Context, t *tensor.Tensor, d backend.TensorDesc, f backend.Format) (_ backend.Buffer, err error) {
	if err := be.usable(ctx, "Pack"); err != nil {
		return nil, err
	}
	if t == nil {
		return nil, &backend.ShapeError{Op: "Pack", Arg: "t", Got: "nil", Want: d.String()}
	}
	if err := d.Check("Pack", "d"); err != nil {
		return nil, err
	}
	if !t.Shape().Equal(d.Shape) || t.DType() != d.DType {
		return nil, &backend.ShapeError{Op: "Pack", Arg: "t", Got: backend.Of(t).String(), Want: d.String()}
	}
	bytes := d.Bytes()
	p, ok := f.(packer)
	if f != nil {
		if !ok || !p.accepts(d) {
			return nil, backend.Unsupported(name, "Pack", fmt.Sprintf("%v in format %v (another op's or backend's)", d, f))
		}
		bytes = f.Bytes()
	}
	b, err := be.alloc(ctx, bytes)
	if err != nil {
		return nil, err
	}
	if f == nil {
		err = backend.Upload(ctx, be, b, d.Layout, t)
	} else {
		var host *tensor.Tensor
		if host, err = tensor.New(tensor.Float32, int(bytes/4)); err == nil {
			p.pack(host.Float32s(), t)
			err = be.Write(ctx, b, host.Bytes())
		}
	}
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}
