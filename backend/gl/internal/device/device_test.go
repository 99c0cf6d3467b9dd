//go:build cgo

package device

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/go-gl/gl/v4.3-core/gl"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/egl"
	"github.com/convgl/convgl/shaders"
)

var bg = context.Background()

// open opens a device and, at the end of the test, checks that nothing of it is
// left.
func open(t testing.TB, o Options) *Device {
	t.Helper()
	if o.CacheDir == "" {
		o.CacheDir = t.TempDir()
	}
	d, err := Open(o)
	if errors.Is(err, egl.ErrNoLibrary) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		s := d.Stats()
		s.Barriers, s.CacheHits, s.CacheMiss, s.CacheErr = 0, 0, 0, nil
		if s != (Stats{}) {
			t.Errorf("after Close: got %+v, want nothing alive", s)
		}
	})
	return d
}

func source(t testing.TB, text string, defines ...shaders.Define) shaders.Source {
	t.Helper()
	s, err := shaders.ExpandFS(fstest.MapFS{"test.comp": {Data: []byte(text)}}, "test.comp", defines...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func alloc(t testing.TB, d *Device, n int64) *Buffer {
	t.Helper()
	b, err := d.Alloc(bg, n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func toBytes(v any) []byte {
	b, err := binary.Append(nil, binary.LittleEndian, v)
	if err != nil {
		panic(err)
	}
	return b
}

func floats(b []byte) []float32 {
	f := make([]float32, len(b)/4)
	for i := range f {
		f[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return f
}

const addOne = `
layout(local_size_x = 32) in;
layout(std430, binding = 0) readonly buffer X { float x[]; };
layout(std430, binding = 1) writeonly buffer Y { float y[]; };
layout(location = 0) uniform int n;
void main() { int i = int(gl_GlobalInvocationID.x); if (i < n) y[i] = x[i] + ADD; }
`

func TestLimitsAndInfo(t *testing.T) {
	d := open(t, Options{})
	l, i := d.Limits(), d.Info()
	t.Logf("%+v", i)
	t.Logf("%+v", l)
	// The least that OpenGL 4.3 guarantees.
	for _, c := range []struct {
		name      string
		got, want int64
	}{
		{"storage bytes", l.StorageBytes, 1 << 24},
		{"storage bindings", int64(l.StorageBindings), 8},
		{"texels", l.Texels, 65536},
		{"texture units", int64(l.TextureUnits), 16},
		{"groups x", int64(l.GroupCount[0]), 65535},
		{"groups z", int64(l.GroupCount[2]), 65535},
		{"group size x", int64(l.GroupSize[0]), 1024},
		{"group size z", int64(l.GroupSize[2]), 64},
		{"invocations", int64(l.Invocations), 1024},
		{"shared bytes", int64(l.SharedBytes), 32 << 10},
		{"uniforms", int64(l.Uniforms), 512},
		{"uniform locations", int64(l.UniformLocs), 1024},
	} {
		if c.got < c.want {
			t.Errorf("%s: got %d, want at least %d", c.name, c.got, c.want)
		}
	}
	if a := l.Align(); a%l.StorageAlign != 0 || a%l.TexelAlign != 0 {
		t.Errorf("Align: got %d for storage %d, texels %d", a, l.StorageAlign, l.TexelAlign)
	}
	if i.Vendor == "" || i.Renderer == "" || i.Version == "" || i.GLSL == "" || i.Place == "" {
		t.Errorf("got %+v, want every name", i)
	}
}

func TestSoftwareRenderer(t *testing.T) {
	for r, want := range map[string]bool{
		"llvmpipe (LLVM 15.0.6, 256 bits)": true,
		"softpipe":                         true,
		"Software Rasterizer":              true,
		"NVIDIA H100/PCIe/SSE2":            false,
		"AMD Radeon RX 6800 (radeonsi)":    false,
	} {
		if got := softwareRenderer(r); got != want {
			t.Errorf("%q: got %v", r, got)
		}
	}
}

func TestHardwareOnly(t *testing.T) {
	d, err := Open(Options{HardwareOnly: true, CacheDir: t.TempDir()})
	if err != nil {
		t.Logf("refused: %v", err)
		return
	}
	defer d.Close()
	if d.Info().Software {
		t.Errorf("got %q", d.Info().Renderer)
	}
}

// A round trip, with both ways of reading.
func TestStorageRoundTrip(t *testing.T) {
	d := open(t, Options{Debug: true})
	p, err := d.Compile(bg, source(t, addOne, shaders.Define{Name: "ADD", Value: "1.0"}))
	must(t, err)
	if p.Group != [3]int{32, 1, 1} {
		t.Errorf("group: got %v", p.Group)
	}
	const n = 1000
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i)
	}
	in, out := alloc(t, d, 4*n), alloc(t, d, 4*n)
	must(t, d.Write(bg, in.All(), toBytes(x)))
	must(t, d.Do(func(t *Thread) error {
		t.Access(Access{in.All(), ReadStorage}, Access{out.All(), WriteStorage})
		t.Use(p)
		t.Ints(0, n)
		if err := errors.Join(t.BindStorage(0, in.All()), t.BindStorage(1, out.All())); err != nil {
			return err
		}
		return t.Dispatch(p, (n+31)/32, 1, 1)
	}))
	for _, direct := range []bool{false, true} {
		got := make([]byte, 4*n)
		must(t, d.read(bg, got, out.All(), direct))
		for i, v := range floats(got) {
			if v != float32(i)+1 {
				t.Fatalf("direct %v, element %d: got %v", direct, i, v)
			}
		}
	}
	part := make([]byte, 8)
	must(t, d.read(bg, part, out.Range(40, 8), false))
	if f := floats(part); f[0] != 11 || f[1] != 12 {
		t.Errorf("part: got %v", f)
	}
}

// A chain: each pass reads through texels what the one before stored. llvmpipe
// would not show a missing barrier, so the count of barriers is checked too.
func TestTexelsAfterStorage(t *testing.T) {
	d := open(t, Options{Debug: true})
	p, err := d.Compile(bg, source(t, `
layout(local_size_x = 32) in;
layout(binding = 0, location = 1) uniform samplerBuffer x;
layout(std430, binding = 0) writeonly buffer Y { vec4 y[]; };
layout(location = 0) uniform int n;
void main() { int i = int(gl_GlobalInvocationID.x); if (i < n) y[i] = texelFetch(x, n - 1 - i) * 2.0; }`))
	must(t, err)
	const n = 64
	align := d.Limits().Align()
	size := (n*16 + align - 1) / align * align
	arena := alloc(t, d, 2*size)
	x := make([]float32, 4*n)
	for i := range x {
		x[i] = float32(i)
	}
	must(t, d.Write(bg, arena.All(), toBytes(x)))
	before := d.Stats().Barriers
	const passes = 5
	must(t, d.Do(func(t *Thread) error {
		for i := range passes {
			src, dst := arena.Range(size*int64(i%2), n*16), arena.Range(size*int64((i+1)%2), n*16)
			t.Access(Access{src, ReadTexels}, Access{dst, WriteStorage})
			t.Use(p)
			t.Ints(0, n)
			if err := errors.Join(t.BindTexels(0, src, RGBA32F), t.BindStorage(0, dst)); err != nil {
				return err
			}
			if err := t.Dispatch(p, n/32, 1, 1); err != nil {
				return err
			}
		}
		return nil
	}))
	got := make([]byte, n*16)
	must(t, d.Read(bg, got, arena.Range(size, n*16)))
	for i, v := range floats(got) {
		if want := 32 * float32(4*(n-1-i/4)+i%4); v != want {
			t.Fatalf("element %d: got %v, want %v", i, v, want)
		}
	}
	if b := d.Stats().Barriers - before; b != passes { // one before each pass but the first, one before the read
		t.Errorf("got %d barriers, want %d", b, passes)
	}
	if v := d.Stats().Views; v != 2 {
		t.Errorf("got %d views, want 2", v)
	}
	arena.Close()
	must(t, d.Sync(bg))
	if v := d.Stats().Views; v != 0 {
		t.Errorf("after Close: got %d views, want 0", v)
	}
}

func TestBindingLimits(t *testing.T) {
	d := open(t, Options{Debug: true})
	l := d.Limits()
	b := alloc(t, d, 4096)
	var limit *backend.LimitError
	p, err := d.Program(bg, "fill.comp")
	must(t, err)
	for _, c := range []struct {
		name  string
		limit bool
		fn    func(*Thread) error
	}{
		{"slot", true, func(t *Thread) error { return t.BindStorage(l.StorageBindings, b.All()) }},
		{"negative slot", true, func(t *Thread) error { return t.BindStorage(-1, b.All()) }},
		{"unit", true, func(t *Thread) error { return t.BindTexels(l.TextureUnits, b.All(), R32F) }},
		{"beyond the end", false, func(t *Thread) error { return t.BindStorage(0, b.Range(4096-256, 257)) }},
		{"negative offset", false, func(t *Thread) error { return t.BindStorage(0, b.Range(-256, 256)) }},
		{"overflow", false, func(t *Thread) error { return t.BindStorage(0, b.Range(256, math.MaxInt64)) }},
		{"misaligned", false, func(t *Thread) error { return t.BindTexels(0, b.Range(1, 16), RGBA32F) }},
		{"half a texel", false, func(t *Thread) error { return t.BindTexels(0, b.Range(0, 24), RGBA32F) }},
		{"no texel", false, func(t *Thread) error { return t.BindTexels(0, b.Range(0, 0), RGBA32F) }},
		{"groups", true, func(t *Thread) error { return t.Dispatch(p, 1, l.GroupCount[1]+1, 1) }},
		{"negative groups", true, func(t *Thread) error { return t.Dispatch(p, -1, 1, 1) }},
		{"no buffer", false, func(t *Thread) error { return t.BindStorage(0, Range{}) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := d.Call(bg, c.fn)
			if err == nil || errors.As(err, &limit) != c.limit {
				t.Errorf("got %v, want an error, of limits: %v", err, c.limit)
			}
		})
	}
	// Nothing of that reached the driver, and empty work is no error.
	must(t, d.Call(bg, func(t *Thread) error {
		return errors.Join(t.BindStorage(0, b.Range(256, 0)), t.Dispatch(p, 0, 1, 1))
	}))
	if _, err := d.Alloc(bg, -1); !errors.As(err, &limit) {
		t.Errorf("Alloc(-1): got %v", err)
	}
	if _, err := d.Alloc(bg, l.BufferBytes+1); !errors.As(err, &limit) {
		t.Errorf("Alloc beyond the limit: got %v", err)
	}
	if err := d.CheckGroup("x", 64, 64, 1, 0); !errors.As(err, &limit) && l.Invocations < 4096 {
		t.Errorf("CheckGroup: got %v", err)
	}
	if err := d.CheckGroup("x", 8, 8, 1, l.SharedBytes+1); !errors.As(err, &limit) {
		t.Errorf("CheckGroup: got %v", err)
	}
	must(t, d.CheckGroup("x", 8, 8, 1, l.SharedBytes))
}

func TestFillKernel(t *testing.T) {
	d := open(t, Options{Debug: true})
	p, err := d.Program(bg, "fill.comp")
	must(t, err)
	const n = 1000
	b := alloc(t, d, 4*(n+2))
	must(t, d.Write(bg, b.All(), make([]byte, 4*(n+2))))
	must(t, d.Call(bg, func(t *Thread) error {
		t.Access(Access{b.All(), WriteStorage})
		t.Use(p)
		for i, v := range []uint32{1, n, 0x7fc00001, 100} { // a row that is no multiple of 64
			t.Uints(int32(i), v)
		}
		return errors.Join(t.BindStorage(0, b.All()), t.Dispatch(p, 2, n/100, 1))
	}))
	got := make([]byte, 4*(n+2))
	must(t, d.Read(bg, got, b.All()))
	for i := range n + 2 {
		want := uint32(0x7fc00001)
		if i == 0 || i == n+1 {
			want = 0
		}
		if v := binary.LittleEndian.Uint32(got[4*i:]); v != want {
			t.Fatalf("word %d: got %#x, want %#x", i, v, want)
		}
	}
}

func TestCompileError(t *testing.T) {
	for _, debug := range []bool{false, true} {
		d := open(t, Options{Debug: debug})
		s, err := shaders.ExpandFS(fstest.MapFS{
			"bad.comp":     {Data: []byte("#include \"lib/bad.glsl\"\nlayout(local_size_x = 1) in;\nvoid main() { undefined_a = N; }\n")},
			"lib/bad.glsl": {Data: []byte("int ok() { return 1; }\n\nint bad() { return undefined_b; }\n")},
		}, "bad.comp", shaders.Int("N", 3))
		must(t, err)
		_, err = d.Compile(bg, s)
		var ce *CompileError
		if !errors.As(err, &ce) {
			t.Fatalf("got %v, want *CompileError", err)
		}
		if ce.Stage != "compile" || ce.Name != "bad.comp N=3" {
			t.Errorf("got stage %q of %q", ce.Stage, ce.Name)
		}
		for _, want := range []string{"lib/bad.glsl:3", "undefined_b", "| int bad() { return undefined_b; }", "bad.comp:3", "| void main() { undefined_a = N; }"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("got\n%v\nwant %q in it", err, want)
			}
		}
		// The device goes on.
		_, err = d.Program(bg, "fill.comp")
		must(t, err)
	}
}

func TestLinkError(t *testing.T) {
	d := open(t, Options{})
	_, err := d.Compile(bg, source(t, "layout(local_size_x = 1) in;\nvoid f();\nvoid main() { f(); }"))
	var ce *CompileError
	if !errors.As(err, &ce) || ce.Log == "" {
		t.Fatalf("got %v, want *CompileError with a log", err)
	}
	_, err = d.Program(bg, "none.comp")
	if err == nil || !strings.Contains(err.Error(), "none.comp") {
		t.Errorf("got %v, want an error that names the file", err)
	}
}

func TestProgramCache(t *testing.T) {
	d := open(t, Options{})
	program := func(function string) (*Program, error) {
		return d.Program(bg, "activation.comp", shaders.Define{Name: "ACT", Value: function}, shaders.Int("ACT_ARGS", 0))
	}
	a, err := program("act_relu")
	must(t, err)
	b, err := program("act_relu")
	must(t, err)
	c, err := program("act_tanh")
	must(t, err)
	if a != b || a == c {
		t.Error("programs are not cached by their key")
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if p, err := program("act_sigmoid"); err != nil || p.ID == 0 {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := d.Stats().Programs; n != 3 {
		t.Errorf("got %d programs, want 3", n)
	}
	s := source(t, "layout(local_size_x = 1) in; void main() {}")
	if _, err := d.Compile(bg, s); err != nil {
		t.Error(err)
	}
	if _, err := d.Compile(bg, source(t, "layout(local_size_x = 2) in; void main() {}")); err == nil {
		t.Error("two texts under one key give no error")
	}
}

// Each producer's commands run in its order, and none is lost.
func TestQueueOrder(t *testing.T) {
	d := open(t, Options{QueueDepth: 16})
	const producers, each = 64, 500
	var next [producers]int
	var wg sync.WaitGroup
	for g := range producers {
		wg.Go(func() {
			for i := range each {
				if err := d.Do(func(*Thread) error {
					if next[g] != i {
						return fmt.Errorf("producer %d: got command %d, want %d", g, i, next[g])
					}
					next[g]++
					return nil
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	must(t, d.Call(bg, func(*Thread) error { return nil }))
	for g, n := range next {
		if n != each {
			t.Errorf("producer %d: %d commands ran, want %d", g, n, each)
		}
	}
}

// 64 goroutines use a device at once.
func TestConcurrentUse(t *testing.T) {
	d := open(t, Options{PoolBytes: 4096})
	p, err := d.Compile(bg, source(t, addOne, shaders.Define{Name: "ADD", Value: "1.0"}))
	must(t, err)
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			n := 100 + g
			x, got := make([]float32, n), make([]byte, 4*n)
			for round := range 5 {
				for i := range x {
					x[i] = float32(g*1000 + i + round)
				}
				b, err := d.Alloc(bg, int64(4*n))
				if err != nil {
					t.Error(err)
					return
				}
				err = errors.Join(
					d.Write(bg, b.All(), toBytes(x)),
					d.Do(func(t *Thread) error {
						t.Access(Access{b.All(), ReadStorage}, Access{b.All(), WriteStorage})
						t.Use(p)
						t.Ints(0, int32(n))
						return errors.Join(t.BindStorage(0, b.All()), t.BindStorage(1, b.All()), t.Dispatch(p, (n+31)/32, 1, 1))
					}),
					d.read(bg, got, b.All(), g%2 == 0),
					b.Close(),
				)
				if err != nil {
					t.Error(err)
					return
				}
				for i, v := range floats(got) {
					if v != x[i]+1 {
						t.Errorf("goroutine %d, element %d: got %v, want %v", g, i, v, x[i]+1)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	if s := d.Stats(); s.Buffers != 0 || s.Bytes != 0 {
		t.Errorf("got %+v, want no open buffer", s)
	}
}

func TestUseAfterClose(t *testing.T) {
	d := open(t, Options{})
	b, err := d.Alloc(bg, 64)
	must(t, err)
	must(t, b.Close())
	must(t, b.Close())
	for name, err := range map[string]error{
		"Read":  d.Read(bg, make([]byte, 8), b.All()),
		"Write": d.Write(bg, b.All(), make([]byte, 8)),
		"Check": b.Check(),
	} {
		if !errors.Is(err, backend.ErrClosed) {
			t.Errorf("closed buffer: %s: got %v, want ErrClosed", name, err)
		}
	}
	left, err := d.Alloc(bg, 64)
	must(t, err)
	ran := false
	must(t, d.Do(func(*Thread) error { ran = true; return nil }))
	must(t, d.Close())
	must(t, d.Close())
	if !ran {
		t.Error("Close dropped a command")
	}
	_, allocErr := d.Alloc(bg, 64)
	_, progErr := d.Program(bg, "fill.comp")
	for name, err := range map[string]error{
		"Do":      d.Do(func(*Thread) error { t.Error("ran after Close"); return nil }),
		"Call":    d.Call(bg, func(*Thread) error { t.Error("ran after Close"); return nil }),
		"Alloc":   allocErr,
		"Program": progErr,
		"Read":    d.Read(bg, make([]byte, 8), left.All()),
		"Sync":    d.Sync(bg),
		"Check":   left.Check(),
	} {
		if !errors.Is(err, backend.ErrClosed) {
			t.Errorf("%s: got %v, want ErrClosed", name, err)
		}
	}
	if s := d.Stats(); s.Objects != 0 || s.Buffers != 1 {
		t.Errorf("got %+v, want no GL object, one buffer not closed", s)
	}
	must(t, left.Close())
}

// Close races with callers: each is answered, with success or ErrClosed.
func TestCloseRace(t *testing.T) {
	for range 3 {
		d := open(t, Options{QueueDepth: 4})
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				for range 50 {
					if err := d.Call(bg, func(*Thread) error { return nil }); err != nil && !errors.Is(err, backend.ErrClosed) {
						t.Error(err)
					}
					if err := d.Do(func(*Thread) error { return nil }); err != nil && !errors.Is(err, backend.ErrClosed) {
						t.Error(err)
					}
				}
			})
		}
		must(t, d.Close())
		wg.Wait()
	}
}

func TestStickyError(t *testing.T) {
	d := open(t, Options{})
	boom := errors.New("boom")
	must(t, d.Do(func(*Thread) error { return boom }))
	must(t, d.Do(func(*Thread) error { return errors.New("second") }))
	for range 2 {
		if err := d.Call(bg, func(*Thread) error { t.Error("ran"); return nil }); !errors.Is(err, boom) {
			t.Errorf("got %v, want boom", err)
		}
	}
	if err := d.Sync(bg); !errors.Is(err, boom) {
		t.Errorf("Sync: got %v, want boom", err)
	}
	if err := d.ClearErr(); !errors.Is(err, boom) {
		t.Errorf("ClearErr: got %v, want boom", err)
	}
	must(t, d.Err())
	// An error of Call is its caller's alone.
	if err := d.Call(bg, func(*Thread) error { return boom }); err != boom {
		t.Errorf("got %v, want boom itself", err)
	}
	must(t, d.Sync(bg))
	// A GL error left by an asynchronous command is found too.
	must(t, d.Do(func(*Thread) error { gl.BindBuffer(0xdead, 1); return nil }))
	if err := d.Sync(bg); err == nil || !strings.Contains(err.Error(), "GL_INVALID_ENUM") {
		t.Errorf("got %v, want GL_INVALID_ENUM", err)
	}
	d.ClearErr()
	must(t, d.Do(func(*Thread) error { panic("oops") }))
	if err := d.Sync(bg); err == nil || !strings.Contains(err.Error(), "oops") {
		t.Errorf("got %v, want the panic", err)
	}
	d.ClearErr()
	if err := d.Call(bg, func(*Thread) error { panic("oops") }); err == nil || !strings.Contains(err.Error(), "oops") {
		t.Errorf("got %v, want the panic", err)
	}
	must(t, d.Sync(bg))
}

func TestCloseReportsSticky(t *testing.T) {
	d, err := Open(Options{CacheDir: t.TempDir()})
	if err != nil {
		t.Skip(err)
	}
	boom := errors.New("boom")
	must(t, d.Do(func(*Thread) error { return boom }))
	if err := d.Close(); !errors.Is(err, boom) {
		t.Errorf("got %v, want boom", err)
	}
}

func TestDebugMessages(t *testing.T) {
	d := open(t, Options{Debug: true})
	if !d.Info().Debug {
		t.Skip("the driver gives no debug context")
	}
	mistake := func(*Thread) error {
		gl.BindBufferRange(gl.SHADER_STORAGE_BUFFER, 1<<20, 0, 0, 0)
		return nil
	}
	err := d.Call(bg, mistake)
	if err == nil || !strings.Contains(err.Error(), "debug message") || !strings.Contains(err.Error(), "GL_INVALID_VALUE") {
		t.Errorf("got %v, want the message and the error", err)
	}
	must(t, d.Do(mistake))
	if err := d.Sync(bg); err == nil || !strings.Contains(err.Error(), "debug message") {
		t.Errorf("got %v, want the message", err)
	}
	d.ClearErr()
	must(t, d.Sync(bg))
	// Messages go to the device that made the mistake.
	e := open(t, Options{Debug: true})
	if err := d.Call(bg, mistake); err == nil {
		t.Error("no error")
	}
	must(t, e.Sync(bg))
}

func TestIsMistake(t *testing.T) {
	for _, c := range []struct {
		kind, severity uint32
		want           bool
	}{
		{gl.DEBUG_TYPE_ERROR, gl.DEBUG_SEVERITY_HIGH, true},
		{gl.DEBUG_TYPE_UNDEFINED_BEHAVIOR, gl.DEBUG_SEVERITY_MEDIUM, true},
		{gl.DEBUG_TYPE_OTHER, gl.DEBUG_SEVERITY_HIGH, true},
		{gl.DEBUG_TYPE_PERFORMANCE, gl.DEBUG_SEVERITY_MEDIUM, false},
		{gl.DEBUG_TYPE_OTHER, gl.DEBUG_SEVERITY_MEDIUM, false},
		{gl.DEBUG_TYPE_ERROR, gl.DEBUG_SEVERITY_NOTIFICATION, false},
		{gl.DEBUG_TYPE_ERROR, gl.DEBUG_SEVERITY_LOW, false},
	} {
		if got := isMistake(c.kind, c.severity); got != c.want {
			t.Errorf("kind %#x severity %#x: got %v", c.kind, c.severity, got)
		}
	}
}

// The driver cannot be made to lose a context here, so the question is answered
// in its place.
func TestDeviceLost(t *testing.T) {
	d, err := Open(Options{CacheDir: t.TempDir()})
	if err != nil {
		t.Skip(err)
	}
	b, err := d.Alloc(bg, 64)
	must(t, err)
	err = d.Call(bg, func(t *Thread) error {
		t.reset = func() uint32 { return gl.INNOCENT_CONTEXT_RESET }
		return nil
	})
	_, allocErr := d.Alloc(bg, 64)
	for name, err := range map[string]error{
		"Call, at once":  err,
		"Call, later":    d.Call(bg, func(*Thread) error { t.Error("ran"); return nil }),
		"Do":             d.Do(func(*Thread) error { t.Error("ran"); return nil }),
		"Read":           d.Read(bg, make([]byte, 8), b.All()),
		"Alloc":          allocErr,
		"Err":            d.Err(),
		"ClearErr":       d.ClearErr(),
		"after ClearErr": d.Err(),
	} {
		if !errors.Is(err, backend.ErrDeviceLost) {
			t.Errorf("%s: got %v, want ErrDeviceLost", name, err)
		}
	}
	must(t, b.Close())
	if err := d.Close(); !errors.Is(err, backend.ErrDeviceLost) {
		t.Errorf("Close: got %v, want ErrDeviceLost", err)
	}
	if err := d.Sync(bg); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("after Close: got %v, want ErrClosed", err)
	}
	if s := d.Stats(); s.Objects != 0 || s.Buffers != 0 {
		t.Errorf("got %+v, want nothing alive", s)
	}
}

func TestCancel(t *testing.T) {
	d := open(t, Options{QueueDepth: 1})
	ctx, cancel := context.WithCancel(bg)
	release, entered := make(chan bool), make(chan bool)
	must(t, d.Do(func(*Thread) error { close(entered); <-release; return nil }))
	<-entered
	var ran atomic.Bool
	result := make(chan error)
	go func() { result <- d.Call(ctx, func(*Thread) error { ran.Store(true); return nil }) }()
	for len(d.queue) == 0 {
		time.Sleep(time.Millisecond)
	}
	// The queue is full: this one never gets in.
	go func() { result <- d.Call(ctx, func(*Thread) error { t.Error("enqueued after cancel"); return nil }) }()
	time.Sleep(5 * time.Millisecond)
	cancel()
	for range 2 {
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	}
	close(release)
	must(t, d.Sync(bg))
	if !ran.Load() {
		t.Error("cancelling the wait took the command back")
	}
	if err := d.Sync(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// A caller who has gone keeps his memory.
func TestCancelRead(t *testing.T) {
	d := open(t, Options{})
	b := alloc(t, d, 64)
	must(t, d.Write(bg, b.All(), bytes.Repeat([]byte{7}, 64)))
	for _, direct := range []bool{false, true} {
		release := make(chan bool)
		must(t, d.Do(func(*Thread) error { <-release; return nil }))
		ctx, cancel := context.WithTimeout(bg, 5*time.Millisecond)
		dst := make([]byte, 64)
		if err := d.read(ctx, dst, b.All(), direct); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want DeadlineExceeded", err)
		}
		cancel()
		close(release)
		must(t, d.Sync(bg))
		if !bytes.Equal(dst, make([]byte, 64)) {
			t.Errorf("direct %v: memory was written after the caller had gone", direct)
		}
	}
}

func TestPool(t *testing.T) {
	d := open(t, Options{PoolBytes: 1 << 20})
	a, err := d.Alloc(bg, 1000)
	must(t, err)
	id := a.ID()
	must(t, a.Close())
	b, err := d.Alloc(bg, 1020) // the same class
	must(t, err)
	if b.ID() != id {
		t.Error("the pool did not give the memory again")
	}
	if b.Bytes() != 1020 {
		t.Errorf("got %d bytes, want 1020", b.Bytes())
	}
	must(t, b.Close())
	for range 5 {
		c, err := d.Alloc(bg, 1<<19)
		must(t, err)
		e, err := d.Alloc(bg, 1<<20)
		must(t, err)
		must(t, c.Close())
		must(t, e.Close())
	}
	must(t, d.Sync(bg))
	if s := d.Stats(); s.ObjectBytes > 1<<20 {
		t.Errorf("pool holds %d bytes, want at most 1 MiB", s.ObjectBytes)
	}
	z, err := d.Alloc(bg, 0)
	must(t, err)
	if z.Bytes() != 0 {
		t.Errorf("got %d bytes", z.Bytes())
	}
	must(t, d.Write(bg, z.All(), nil))
	must(t, d.Read(bg, nil, z.All()))
	if err := d.Write(bg, z.All(), []byte{1}); err == nil {
		t.Error("writing a byte to an empty buffer gives no error")
	}
	must(t, z.Close())
}

func TestSizeClass(t *testing.T) {
	for n := int64(0); n < 1<<16; n++ {
		c := sizeClass(n)
		if c < n || n > 256 && c > n+n/4+1 {
			t.Fatalf("%d: got class %d", n, c)
		}
		if sizeClass(c) != c {
			t.Fatalf("class %d is not its own", c)
		}
	}
	if c := sizeClass(maxBufferBytes); c < maxBufferBytes || c > 1<<32 {
		t.Errorf("largest: got %d", c)
	}
}

func TestCopyAndUpload(t *testing.T) {
	d := open(t, Options{Debug: true})
	a, b := alloc(t, d, 64), alloc(t, d, 64)
	must(t, d.Write(bg, a.All(), bytes.Repeat([]byte{1}, 64)))
	must(t, d.Write(bg, b.All(), bytes.Repeat([]byte{2}, 64)))
	must(t, d.Call(bg, func(t *Thread) error {
		t.Upload(a.Range(4, 60), []byte{9, 9})
		return t.Copy(b.Range(8, 8), a.Range(0, 8))
	}))
	got := make([]byte, 20)
	must(t, d.Read(bg, got, b.All()))
	want := []byte{2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 9, 9, 1, 1, 2, 2, 2, 2}
	if !bytes.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	other := open(t, Options{})
	if err := other.Read(bg, got, b.All()); err == nil {
		t.Error("reading another device's buffer gives no error")
	}
}

func TestElapsed(t *testing.T) {
	d := open(t, Options{Debug: true})
	p, err := d.Compile(bg, source(t, `
layout(local_size_x = 32) in;
layout(std430, binding = 0) buffer Y { float y[]; };
layout(location = 0) uniform int n;
void main() { float s = 0.0; for (int i = 0; i < n; i++) s = s * 0.999 + float(i); y[gl_GlobalInvocationID.x] = s; }`))
	must(t, err)
	b := alloc(t, d, 4*32*64)
	work := func(n int32) func() error {
		return func() error {
			return d.Do(func(t *Thread) error {
				t.Use(p)
				t.Ints(0, n)
				return errors.Join(t.BindStorage(0, b.All()), t.Dispatch(p, 64, 1, 1))
			})
		}
	}
	must(t, work(1)())
	short, err := d.Elapsed(bg, work(100))
	must(t, err)
	long, err := d.Elapsed(bg, work(100000))
	must(t, err)
	t.Logf("100 steps %v, 100,000 steps %v", short, long)
	if long <= 0 || long < short {
		t.Errorf("got %v for 1000 times the work of %v", long, short)
	}
	boom := errors.New("boom")
	if _, err := d.Elapsed(bg, func() error { return boom }); !errors.Is(err, boom) {
		t.Errorf("got %v, want boom", err)
	}
}

// A prepared kernel run allocates nothing, on either side of the queue.
func TestRunAllocs(t *testing.T) {
	d := open(t, Options{})
	p, err := d.Compile(bg, source(t, addOne, shaders.Define{Name: "ADD", Value: "1.0"}))
	must(t, err)
	x, y := alloc(t, d, 4096), alloc(t, d, 4096)
	run := func(t *Thread) error {
		t.Access(Access{x.All(), ReadStorage}, Access{y.All(), WriteStorage}, Access{y.Range(0, 16), ReadTexels})
		t.Use(p)
		t.Ints(0, 64)
		t.Floats(-1, 1, 2) // location -1 is ignored
		if err := t.BindStorage(0, x.All()); err != nil {
			return err
		}
		if err := t.BindStorage(1, y.All()); err != nil {
			return err
		}
		if err := t.BindTexels(0, x.All(), RGBA32F); err != nil {
			return err
		}
		return t.Dispatch(p, 2, 1, 1)
	}
	const n = 3000 // more than the queue holds
	if a := testing.AllocsPerRun(n, func() {
		if err := d.Do(run); err != nil {
			t.Error(err)
		}
	}); a != 0 {
		t.Errorf("got %v allocations", a)
	}
	must(t, d.Sync(bg))
}

// Enqueueing allocates nothing when the command is prepared.
func TestDoAllocs(t *testing.T) {
	d := open(t, Options{})
	nop := func(*Thread) error { return nil }
	if n := testing.AllocsPerRun(1000, func() {
		if err := d.Do(nop); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("got %v allocations", n)
	}
}

func BenchmarkDo(b *testing.B) {
	d := open(b, Options{})
	nop := func(*Thread) error { return nil }
	for b.Loop() {
		if err := d.Do(nop); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCall(b *testing.B) {
	d := open(b, Options{})
	nop := func(*Thread) error { return nil }
	for b.Loop() {
		if err := d.Call(bg, nop); err != nil {
			b.Fatal(err)
		}
	}
}
