//go:build cgo

package device

// Kind is a way of touching a range of a buffer.
type Kind uint8

// A command says how it touches its ranges with these.
const (
	ReadStorage  Kind = iota // a shader reads it as a storage buffer
	ReadTexels               // a shader reads it through a texel view
	WriteStorage             // a shader writes it, or reads and writes it
	ReadHost                 // GL copies out of it: Read, GetBufferSubData, CopyBufferSubData
	WriteHost                // GL copies into it: Write, BufferSubData
)

// The bits of glMemoryBarrier that are used.
const (
	barrierTexels  uint32 = 0x0008 // GL_TEXTURE_FETCH_BARRIER_BIT
	barrierHost    uint32 = 0x0200 // GL_BUFFER_UPDATE_BARRIER_BIT
	barrierStorage uint32 = 0x2000 // GL_SHADER_STORAGE_BARRIER_BIT
	barrierAll            = barrierTexels | barrierHost | barrierStorage
)

// touched is an access of a shader that some later access has to wait for.
type touched struct {
	buf    *allocation
	lo, hi int64
	write  bool
	open   uint32 // barriers not issued since
}

// tracker finds the barriers that true dependencies need. Writes of shaders are
// incoherent: a later access through path p sees them only after a barrier with
// p's bit. A shader's write also has to wait for reads and writes of the same
// range by earlier dispatches. Copies made by GL itself are ordered with all that
// follows.
type tracker struct{ open []touched }

// A longer list costs more to search than the barrier that empties it.
const maxOpen = 128

// need returns the barrier bits to issue before the accesses, and enters them.
func (h *tracker) need(acc []Access) uint32 {
	var bits uint32
	for i := range acc {
		a := &acc[i]
		lo, hi := a.Off, a.Off+a.Bytes
		for j := range h.open {
			o := &h.open[j]
			if o.buf != a.Buf.mem || o.hi <= lo || hi <= o.lo {
				continue
			}
			var bit uint32
			switch a.Kind {
			case ReadStorage:
				if o.write {
					bit = barrierStorage
				}
			case ReadTexels:
				if o.write {
					bit = barrierTexels
				}
			case WriteStorage:
				bit = barrierStorage
			case ReadHost, WriteHost:
				if o.write {
					bit = barrierHost
				}
			}
			bits |= bit & o.open
		}
	}
	if len(h.open)+len(acc) > maxOpen {
		bits = barrierAll
	}
	if bits != 0 {
		h.issued(bits)
	}
	for i := range acc {
		a := &acc[i]
		switch a.Kind {
		case ReadStorage, ReadTexels:
			h.enter(touched{a.Buf.mem, a.Off, a.Off + a.Bytes, false, barrierStorage})
		case WriteStorage:
			h.enter(touched{a.Buf.mem, a.Off, a.Off + a.Bytes, true, barrierAll})
		}
	}
	return bits
}

func (h *tracker) enter(n touched) {
	for i := range h.open {
		o := &h.open[i]
		if o.buf == n.buf && o.lo == n.lo && o.hi == n.hi && o.write == n.write {
			o.open |= n.open
			return
		}
	}
	h.open = append(h.open, n)
}

// issued enters a barrier.
func (h *tracker) issued(bits uint32) {
	keep := h.open[:0]
	for _, o := range h.open {
		if o.open &^= bits; o.open != 0 {
			keep = append(keep, o)
		}
	}
	clear(h.open[len(keep):])
	h.open = keep
}

// drop forgets a buffer that is deleted.
func (h *tracker) drop(m *allocation) {
	keep := h.open[:0]
	for _, o := range h.open {
		if o.buf != m {
			keep = append(keep, o)
		}
	}
	clear(h.open[len(keep):])
	h.open = keep
}
