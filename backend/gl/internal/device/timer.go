//go:build cgo

package device

import (
	"context"
	"errors"
	"time"

	"github.com/go-gl/gl/v4.3-core/gl"
)

// Stamp is a point in the stream of GPU commands whose time is asked for. Each is
// given to Resolve once; until then, its query object stays in use.
type Stamp struct{ id uint32 }

// Stamp marks the point behind the commands so far. (Time stamps, because queries
// of elapsed time give nothing on software renderers.)
func (t *Thread) Stamp() Stamp {
	var s Stamp
	if n := len(t.idle); n > 0 {
		s.id, t.idle = t.idle[n-1], t.idle[:n-1]
	} else {
		gl.GenQueries(1, &s.id)
		t.queries = append(t.queries, s.id)
		t.d.stats.queries.Add(1)
	}
	gl.QueryCounter(s.id, gl.TIMESTAMP)
	return s
}

// Resolve waits for the GPU to reach the stamp and returns its time since an
// origin of the driver's.
func (t *Thread) Resolve(s Stamp) time.Duration {
	var ns uint64
	gl.GetQueryObjectui64v(s.id, gl.QUERY_RESULT, &ns)
	t.idle = append(t.idle, s.id)
	return time.Duration(ns)
}

// Elapsed returns the time that the GPU spends on what fn enqueues, to the
// resolution of its clock. Commands enqueued by others meanwhile are included.
func (d *Device) Elapsed(ctx context.Context, fn func() error) (time.Duration, error) {
	var from Stamp
	if err := d.Call(ctx, func(t *Thread) error { from = t.Stamp(); return nil }); err != nil {
		return 0, err
	}
	ferr := fn()
	var took time.Duration
	err := d.Call(ctx, func(t *Thread) error {
		to := t.Stamp()
		took = t.Resolve(to)
		took -= t.Resolve(from)
		return nil
	})
	if err := errors.Join(ferr, err); err != nil {
		return 0, err
	}
	return took, nil
}
