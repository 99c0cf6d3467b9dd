//go:build cgo

package device

import (
	"fmt"

	"github.com/go-gl/gl/v4.3-core/gl"

	"github.com/convgl/convgl/backend"
)

// Texel is the format of a texel view.
type Texel uint32

// Formats: components of 32 bits.
const (
	R32F    Texel = gl.R32F
	RG32F   Texel = gl.RG32F
	RGBA32F Texel = gl.RGBA32F
	R32I    Texel = gl.R32I
	R32UI   Texel = gl.R32UI
	RGBA32I Texel = gl.RGBA32I
)

// Bytes is the size of one texel.
func (f Texel) Bytes() int64 {
	switch f {
	case RG32F:
		return 8
	case RGBA32F, RGBA32I:
		return 16
	}
	return 4
}

type viewKey struct {
	off, n int64
	format Texel
}

// CheckTexels reports why r cannot be read through a texel view: with
// *backend.LimitError above Limits.Texels, and when the range is misaligned, leaves
// its buffer, is empty or no whole number of texels. For use at plan time.
func (d *Device) CheckTexels(r Range, f Texel) error {
	if err := r.within(d.limits.TexelAlign); err != nil {
		return err
	}
	if r.Bytes == 0 || r.Bytes%f.Bytes() != 0 {
		return fmt.Errorf("gl: texel view: got %d bytes, want a positive multiple of %d", r.Bytes, f.Bytes())
	}
	if n := r.Bytes / f.Bytes(); n > d.limits.Texels {
		return &backend.LimitError{Op: "texel view", What: "texels", Got: n, Max: d.limits.Texels, Hint: "split the batch, or use a storage binding"}
	}
	return nil
}

// BindTexels binds a texel view of r to a texture unit, for a samplerBuffer. The
// view is made on first use and kept with the buffer. It fails as CheckTexels does.
// Samplers need explicit locations in the shader as well as bindings: without
// them, a location that a driver picks may be one that the caller sets.
func (t *Thread) BindTexels(unit int, r Range, f Texel) error {
	if unit < 0 || unit >= len(t.texels) {
		return &backend.LimitError{Op: "texel view", What: "texture unit", Got: int64(unit), Max: int64(len(t.texels) - 1)}
	}
	key := viewKey{r.Off, r.Bytes, f}
	tex, ok := r.Buf.mem.views[key]
	if ok && t.texels[unit] == tex {
		return nil
	}
	if !ok {
		if err := t.d.CheckTexels(r, f); err != nil {
			return err
		}
	}
	if t.active != unit {
		gl.ActiveTexture(gl.TEXTURE0 + uint32(unit))
		t.active = unit
	}
	if !ok {
		tex = newTexture()
	}
	gl.BindTexture(gl.TEXTURE_BUFFER, tex)
	t.texels[unit] = tex
	if ok {
		return nil
	}
	gl.TexBufferRange(gl.TEXTURE_BUFFER, uint32(f), r.Buf.mem.id, int(r.Off), int(r.Bytes))
	if err := t.check("glTexBufferRange"); err != nil { // the texture would keep another range
		deleteTexture(tex)
		t.texels[unit] = 0
		return err
	}
	t.d.stats.views.Add(1)
	r.Buf.mem.views[key] = tex
	return nil
}

// The argument of a cgo call escapes to the heap: not from BindTexels, which each
// dispatch calls.
func newTexture() (tex uint32) {
	gl.GenTextures(1, &tex)
	return tex
}

func deleteTexture(tex uint32) { gl.DeleteTextures(1, &tex) }

func (t *Thread) dropViews(m *allocation) {
	if len(m.views) == 0 {
		return
	}
	for _, tex := range m.views {
		gl.DeleteTextures(1, &tex)
	}
	t.d.stats.views.Add(int64(-len(m.views)))
	clear(m.views)
	clear(t.texels) // names may be given away
}
