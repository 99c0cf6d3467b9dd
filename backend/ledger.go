package backend

import "sync/atomic"

// Live counts the open objects of a backend.
type Live struct {
	Buffers, Kernels int64
	Bytes            int64 // of the buffers
}

// Zero reports whether nothing is open.
func (l Live) Zero() bool { return l == Live{} }

// Ledger counts open objects; backends embed one. Its zero value is ready, and
// it is safe for concurrent use.
type Ledger struct{ buffers, kernels, bytes atomic.Int64 }

// AddBuffer enters an allocation of n bytes.
func (l *Ledger) AddBuffer(n int64) { l.buffers.Add(1); l.bytes.Add(n) }

// DropBuffer strikes out an allocation of n bytes.
func (l *Ledger) DropBuffer(n int64) { l.buffers.Add(-1); l.bytes.Add(-n) }

// AddKernel enters a kernel.
func (l *Ledger) AddKernel() { l.kernels.Add(1) }

// DropKernel strikes out a kernel.
func (l *Ledger) DropKernel() { l.kernels.Add(-1) }

// Live returns the counts.
func (l *Ledger) Live() Live {
	return Live{Buffers: l.buffers.Load(), Kernels: l.kernels.Load(), Bytes: l.bytes.Load()}
}
