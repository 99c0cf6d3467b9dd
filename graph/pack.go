package graph

import (
	"context"
	"sync"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// konst names a constant, as a key: the tensor, and the order of its columns.
type konst struct {
	t    *tensor.Tensor
	perm string
}

// packKey names a packed constant. Kernels that report equal formats share it.
type packKey struct {
	konst
	format backend.Format
	layout backend.Layout // where the format is nil
}

// packed holds the constants on the device, for all plans of a model.
type packed struct {
	mu      sync.Mutex
	buffers map[packKey]backend.Buffer
	bytes   int64
}

// pack returns the buffer of a constant, and makes it the first time.
func (m *Model) pack(ctx context.Context, c konst, d backend.TensorDesc, f backend.Format, perm *permuted) (backend.Buffer, error) {
	key := packKey{konst: c, format: f}
	if f == nil {
		key.layout = d.Layout
	}
	m.packed.mu.Lock()
	defer m.packed.mu.Unlock()
	if b := m.packed.buffers[key]; b != nil {
		return b, nil
	}
	t := c.t
	if c.perm != "" {
		var err error
		if t, err = perm.apply(t); err != nil {
			return nil, err
		}
	}
	b, err := m.be.Pack(ctx, t, d, f)
	if err != nil {
		return nil, err
	}
	m.packed.buffers[key] = b
	m.packed.bytes += b.Bytes()
	return b, nil
}
