//go:build cgo

package device

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"github.com/go-gl/gl/v4.3-core/gl"

	"github.com/convgl/convgl/shaders"
)

// diskCache keeps program binaries as files named by a hash of driver and source.
// A file is magic, format (4 bytes, little endian), SHA-256 of the binary, binary.
// Whatever is wrong with one makes it a miss.
type diskCache struct {
	dir  string
	salt []byte // of the driver
}

const (
	cacheMagic  = "convgl-program-1"
	cacheHeader = len(cacheMagic) + 4 + sha256.Size
	// CacheEnv is the environment variable that turns the disk cache off.
	CacheEnv = "CONVGL_SHADER_CACHE"
)

func newDiskCache(dir string, i Info) *diskCache {
	if os.Getenv(CacheEnv) == "off" {
		return nil
	}
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil { // no home: nowhere to keep anything
			return nil
		}
		dir = filepath.Join(base, "convgl")
	}
	salt := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", i.Vendor, i.Renderer, i.Version))
	return &diskCache{dir: dir, salt: salt[:]}
}

func (c *diskCache) file(s shaders.Source) string {
	h := sha256.New()
	h.Write(c.salt)
	h.Write([]byte(s.Text))
	return filepath.Join(c.dir, hex.EncodeToString(h.Sum(nil))+".bin")
}

func (c *diskCache) load(s shaders.Source) (format uint32, binary []byte, ok bool) {
	b, err := os.ReadFile(c.file(s))
	if err != nil {
		return 0, nil, false
	}
	return decodeBinary(b)
}

func decodeBinary(b []byte) (format uint32, bin []byte, ok bool) {
	if len(b) <= cacheHeader || string(b[:len(cacheMagic)]) != cacheMagic {
		return 0, nil, false
	}
	format = binary.LittleEndian.Uint32(b[len(cacheMagic):])
	bin = b[cacheHeader:]
	sum := sha256.Sum256(bin)
	return format, bin, bytes.Equal(sum[:], b[len(cacheMagic)+4:cacheHeader])
}

func encodeBinary(format uint32, bin []byte) []byte {
	b := make([]byte, 0, cacheHeader+len(bin))
	b = append(b, cacheMagic...)
	b = binary.LittleEndian.AppendUint32(b, format)
	sum := sha256.Sum256(bin)
	b = append(b, sum[:]...)
	return append(b, bin...)
}

// store writes beside the place and renames, so that a reader meets a whole file
// or none.
func (c *diskCache) store(s shaders.Source, format uint32, bin []byte) error {
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(c.dir, "new-*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(encodeBinary(format, bin))
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), c.file(s))
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// fromDisk returns a program made of a kept binary, or 0.
func (t *Thread) fromDisk(s shaders.Source) uint32 {
	c := t.d.programs.disk
	if c == nil {
		return 0
	}
	format, bin, ok := c.load(s)
	if ok {
		id := gl.CreateProgram()
		gl.ProgramBinary(id, format, unsafe.Pointer(&bin[0]), int32(len(bin)))
		var linked int32
		gl.GetProgramiv(id, gl.LINK_STATUS, &linked)
		if linked == gl.TRUE {
			t.d.stats.cacheHits.Add(1)
			return id
		}
		// The driver may refuse what it made before; that is not an error.
		gl.DeleteProgram(id)
		t.discard()
	}
	t.d.stats.cacheMiss.Add(1)
	return 0
}

// toDisk keeps a program's binary. A failure costs the next start some time, and
// is told by Stats.
func (t *Thread) toDisk(p *Program) {
	c := t.d.programs.disk
	if c == nil {
		return
	}
	var n int32
	gl.GetProgramiv(p.ID, gl.PROGRAM_BINARY_LENGTH, &n)
	if n <= 0 { // a driver whose own cache is off gives none
		return
	}
	bin := make([]byte, n)
	var format uint32
	var got int32
	gl.GetProgramBinary(p.ID, n, &got, &format, unsafe.Pointer(&bin[0]))
	if got <= 0 {
		t.discard()
		return
	}
	if err := c.store(p.Source, format, bin[:got]); err != nil {
		err = fmt.Errorf("gl: program cache: %w", err)
		t.d.stats.cacheErr.CompareAndSwap(nil, &err)
	}
}
