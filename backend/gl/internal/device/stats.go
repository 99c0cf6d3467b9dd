//go:build cgo

package device

import "sync/atomic"

// Stats counts what is alive. After Close all of it is zero but Barriers and the
// cache counts.
type Stats struct {
	Buffers, Bytes       int64 // open Buffers and what was asked for
	Objects, ObjectBytes int64 // GL buffers: open, pooled and staging
	Views                int64
	Programs             int64
	Queries, Fences      int64
	Barriers             int64 // issued by Access
	CacheHits, CacheMiss int64 // program binaries on disk
	CacheErr             error // the first failure to write one
}

type counters struct {
	buffers, bytes, objects, objectBytes atomic.Int64
	views, programs, queries, fences     atomic.Int64
	barriers, cacheHits, cacheMiss       atomic.Int64
	cacheErr                             atomic.Pointer[error]
}

// Stats returns the counts.
func (d *Device) Stats() Stats {
	c := &d.stats
	s := Stats{
		Buffers: c.buffers.Load(), Bytes: c.bytes.Load(),
		Objects: c.objects.Load(), ObjectBytes: c.objectBytes.Load(),
		Views: c.views.Load(), Programs: c.programs.Load(),
		Queries: c.queries.Load(), Fences: c.fences.Load(),
		Barriers: c.barriers.Load(), CacheHits: c.cacheHits.Load(), CacheMiss: c.cacheMiss.Load(),
	}
	if e := c.cacheErr.Load(); e != nil {
		s.CacheErr = *e
	}
	return s
}
