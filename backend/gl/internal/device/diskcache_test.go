//go:build cgo

package device

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convgl/convgl/shaders"
)

// hits opens a device over a cache folder, compiles, and returns the cache counts.
func hits(t *testing.T, dir string) Stats {
	t.Helper()
	d := open(t, Options{CacheDir: dir, Debug: true})
	p, err := d.Program(bg, "fill.comp")
	must(t, err)
	s := d.Stats()
	if p.Cached != (s.CacheHits > 0) {
		t.Errorf("Cached: got %v with %d hits", p.Cached, s.CacheHits)
	}
	if p.Group != [3]int{64, 1, 1} {
		t.Errorf("group: got %v", p.Group)
	}
	if !d.Info().ProgramBinaries {
		t.Skip("the driver gives no program binaries")
	}
	if d.Info().CacheDir != dir {
		t.Errorf("got folder %q, want %q", d.Info().CacheDir, dir)
	}
	b := alloc(t, d, 256)
	must(t, d.Call(bg, func(t *Thread) error { // it works
		t.Use(p)
		for i, v := range []uint32{0, 64, 5, 64} {
			t.Uints(int32(i), v)
		}
		t.Access(Access{b.All(), WriteStorage})
		if err := t.BindStorage(0, b.All()); err != nil {
			return err
		}
		return t.Dispatch(p, 1, 1, 1)
	}))
	got := make([]byte, 256)
	must(t, d.Read(bg, got, b.All()))
	if got[252] != 5 {
		t.Errorf("got %d, want 5", got[252])
	}
	return s
}

func TestDiskCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "on demand")
	if s := hits(t, dir); s.CacheHits != 0 || s.CacheMiss != 1 || s.CacheErr != nil {
		t.Fatalf("first: got %+v", s)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	if len(files) == 0 {
		t.Skip("the driver gives no program binaries")
	}
	if len(files) != 1 || !strings.HasSuffix(files[0], ".bin") {
		t.Fatalf("got files %q, want one", files)
	}
	if s := hits(t, dir); s.CacheHits != 1 || s.CacheMiss != 0 {
		t.Fatalf("second: got %+v, want a hit", s)
	}
	good, err := os.ReadFile(files[0])
	must(t, err)
	edit := func(fn func(b []byte) []byte) []byte { return fn(append([]byte(nil), good...)) }
	refused := append([]byte(cacheMagic), encodeBinary(binary.LittleEndian.Uint32(good[len(cacheMagic):]), []byte("not a program"))[len(cacheMagic):]...)
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"empty", nil},
		{"short", good[:10]},
		{"header only", good[:cacheHeader]},
		{"cut", good[:len(good)-1]},
		{"flipped bit", edit(func(b []byte) []byte { b[len(b)/2] ^= 1; return b })},
		{"other magic", edit(func(b []byte) []byte { b[0] ^= 1; return b })},
		{"unknown format", edit(func(b []byte) []byte { b[len(cacheMagic)] ^= 0x5a; return b })},
		{"refused by the driver", refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			must(t, os.WriteFile(files[0], c.data, 0o644))
			if s := hits(t, dir); s.CacheHits != 0 || s.CacheMiss != 1 {
				t.Errorf("got %+v, want a miss", s)
			}
			if s := hits(t, dir); s.CacheHits != 1 {
				t.Errorf("after it: got %+v, want the file to be written again", s)
			}
		})
	}
}

func TestDiskCacheOff(t *testing.T) {
	t.Setenv(CacheEnv, "off")
	dir := t.TempDir()
	d := open(t, Options{CacheDir: dir})
	_, err := d.Program(bg, "fill.comp")
	must(t, err)
	if s := d.Stats(); s.CacheHits+s.CacheMiss != 0 {
		t.Errorf("got %+v, want no use of the cache", s)
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("got files %v", files)
	}
}

// A folder that cannot be made is told, and nothing fails.
func TestDiskCacheUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o644))
	d := open(t, Options{CacheDir: filepath.Join(file, "below")})
	if !d.Info().ProgramBinaries {
		t.Skip("the driver gives no program binaries")
	}
	_, err := d.Program(bg, "fill.comp")
	must(t, err)
	if d.Stats().CacheErr == nil {
		t.Error("a failed write is not told")
	}
}

// The name of a file depends on driver and text.
func TestDiskCacheKey(t *testing.T) {
	s := shaders.Source{Text: "a"}
	names := map[string]bool{}
	for _, i := range []Info{
		{Vendor: "v", Renderer: "r", Version: "1"},
		{Vendor: "v", Renderer: "r", Version: "2"},
		{Vendor: "v", Renderer: "r2", Version: "1"},
		{Vendor: "v2", Renderer: "r", Version: "1"},
		{Vendor: `v" "r`, Renderer: "", Version: "1"},
	} {
		names[newDiskCache("d", i).file(s)] = true
	}
	names[newDiskCache("d", Info{Vendor: "v", Renderer: "r", Version: "1"}).file(shaders.Source{Text: "b"})] = true
	if len(names) != 6 {
		t.Errorf("got %d names, want 6", len(names))
	}
}
