//go:build cgo

package device

import (
	"fmt"
	"strings"

	"github.com/go-gl/gl/v4.3-core/gl"

	"github.com/convgl/convgl/backend"
)

// Info describes driver and context.
type Info struct {
	Vendor, Renderer, Version, GLSL string
	Place                           string // as "egl surfaceless"; from egl.List where Open made it
	PlaceIndex                      int    // in egl.List; -1 for a foreign context
	Software                        bool   // GL_RENDERER is a known software renderer
	Debug, Robust                   bool   // what the context gives
	ProgramBinaries                 bool   // programs can be kept on disk
	CacheDir                        string // where; "" for nowhere
}

// Limits are what the driver allows.
type Limits struct {
	StorageBytes    int64  // one storage binding
	StorageBindings int    // of a compute shader
	StorageAlign    int64  // of the offset of a storage binding
	Texels          int64  // of one texel view
	TexelAlign      int64  // of the offset of a texel view, bytes
	TextureUnits    int    // of a compute shader
	GroupCount      [3]int // workgroups of a dispatch
	GroupSize       [3]int // invocations of a workgroup, by axis
	Invocations     int    // of a workgroup
	SharedBytes     int    // of a workgroup
	Uniforms        int    // 32-bit components of a compute shader
	UniformLocs     int
	BufferBytes     int64 // one allocation
}

// Align returns what every offset has to be a multiple of.
func (l Limits) Align() int64 { return max(l.StorageAlign, l.TexelAlign, 16) }

// Mesa counts a buffer's bytes in 32 bits; a larger one would wrap.
const maxBufferBytes = 1<<32 - 1<<12

func getInt(name uint32) int64 {
	var v int64
	gl.GetInteger64v(name, &v)
	return v
}

func getInts3(name uint32) (v [3]int) {
	for i := range v {
		var x int32
		gl.GetIntegeri_v(name, uint32(i), &x)
		v[i] = int(x)
	}
	return v
}

func (d *Device) readLimits() {
	d.limits = Limits{
		StorageBytes:    getInt(gl.MAX_SHADER_STORAGE_BLOCK_SIZE),
		StorageBindings: int(min(getInt(gl.MAX_SHADER_STORAGE_BUFFER_BINDINGS), getInt(gl.MAX_COMPUTE_SHADER_STORAGE_BLOCKS))),
		StorageAlign:    max(1, getInt(gl.SHADER_STORAGE_BUFFER_OFFSET_ALIGNMENT)),
		Texels:          getInt(gl.MAX_TEXTURE_BUFFER_SIZE),
		TexelAlign:      max(1, getInt(gl.TEXTURE_BUFFER_OFFSET_ALIGNMENT)),
		TextureUnits:    int(getInt(gl.MAX_COMPUTE_TEXTURE_IMAGE_UNITS)),
		GroupCount:      getInts3(gl.MAX_COMPUTE_WORK_GROUP_COUNT),
		GroupSize:       getInts3(gl.MAX_COMPUTE_WORK_GROUP_SIZE),
		Invocations:     int(getInt(gl.MAX_COMPUTE_WORK_GROUP_INVOCATIONS)),
		SharedBytes:     int(getInt(gl.MAX_COMPUTE_SHARED_MEMORY_SIZE)),
		Uniforms:        int(getInt(gl.MAX_COMPUTE_UNIFORM_COMPONENTS)),
		UniformLocs:     int(getInt(gl.MAX_UNIFORM_LOCATIONS)),
		BufferBytes:     maxBufferBytes,
	}
}

func (d *Device) readInfo() error {
	str := func(name uint32) string { return gl.GoStr(gl.GetString(name)) }
	major, minor := getInt(gl.MAJOR_VERSION), getInt(gl.MINOR_VERSION)
	if major < 4 || major == 4 && minor < 3 {
		return fmt.Errorf("gl: %v: got OpenGL %d.%d, want 4.3", d.ctx, major, minor)
	}
	d.info = Info{
		Vendor:          str(gl.VENDOR),
		Renderer:        str(gl.RENDERER),
		Version:         str(gl.VERSION),
		GLSL:            str(gl.SHADING_LANGUAGE_VERSION),
		Place:           d.ctx.String(),
		PlaceIndex:      -1,
		ProgramBinaries: getInt(gl.NUM_PROGRAM_BINARY_FORMATS) > 0,
	}
	flags := getInt(gl.CONTEXT_FLAGS)
	d.info.Debug = flags&gl.CONTEXT_FLAG_DEBUG_BIT != 0
	d.info.Robust = hasExtension("GL_KHR_robustness", "GL_ARB_robustness") &&
		getInt(gl.RESET_NOTIFICATION_STRATEGY) == gl.LOSE_CONTEXT_ON_RESET
	d.info.Software = softwareRenderer(d.info.Renderer)
	return nil
}

// softwareRenderer tells by name: GL has no query for it.
func softwareRenderer(renderer string) bool {
	r := strings.ToLower(renderer)
	for _, s := range []string{"llvmpipe", "softpipe", "swrast", "software rasterizer", "swiftshader", "lavapipe", "gdi generic", "microsoft basic render"} {
		if strings.Contains(r, s) {
			return true
		}
	}
	return false
}

// BindStorage binds a range to a storage slot. It fails with *backend.LimitError
// above Limits, and when the range is misaligned or leaves its buffer. An empty
// range binds the buffer's first bytes, since GL has no empty binding.
func (t *Thread) BindStorage(slot int, r Range) error {
	l := &t.d.limits
	if slot < 0 || slot >= l.StorageBindings {
		return &backend.LimitError{Op: "storage binding", What: "slot", Got: int64(slot), Max: int64(l.StorageBindings - 1)}
	}
	if err := r.within(l.StorageAlign); err != nil {
		return err
	}
	if r.Bytes > l.StorageBytes {
		return &backend.LimitError{Op: "storage binding", What: "bytes", Got: r.Bytes, Max: l.StorageBytes, Hint: "split the batch"}
	}
	off, n := r.Off, r.Bytes
	if n == 0 {
		off, n = 0, min(16, r.Buf.mem.bytes)
	}
	b := storageBinding{r.Buf.mem.id, off, n}
	if t.storage[slot] != b {
		gl.BindBufferRange(gl.SHADER_STORAGE_BUFFER, uint32(slot), b.id, int(off), int(n))
		t.storage[slot] = b
	}
	return nil
}
