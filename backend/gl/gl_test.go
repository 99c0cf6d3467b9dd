//go:build cgo

package gl

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/egl"
	"github.com/convgl/convgl/backend/gl/internal/device"
	_ "github.com/convgl/convgl/backend/ref"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

var bg = context.Background()

// open opens the backend, or skips the test where there is no OpenGL; with
// CONVGL_REQUIRE_GL=1 that is a failure.
func open(t testing.TB, opts ...backend.Option) *Backend {
	t.Helper()
	be, err := backend.Open(name, opts...)
	var none *backend.UnavailableError
	if errors.As(err, &none) && os.Getenv("CONVGL_REQUIRE_GL") != "1" {
		t.Skipf("no OpenGL: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := be.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return be.(*Backend)
}

// families calls fn with a backend of each family of kernels.
func families(t *testing.T, fn func(t *testing.T, be *Backend)) {
	for _, v := range []string{texelFamily, tiledFamily} {
		t.Run(v, func(t *testing.T) { fn(t, open(t, backend.WithVariant(v), backend.WithDebug())) })
	}
}

// judge runs d and compares with the oracle under a fill.
func judge(t *testing.T, be *Backend, d backend.Desc, f check.Fill, seed uint64) {
	t.Helper()
	in, err := check.Inputs(d, f, seed)
	if err != nil {
		t.Fatalf("%+v: inputs: %v", d, err)
	}
	got, err := backend.RunDesc(bg, be, d, in...)
	if err != nil {
		t.Fatalf("%+v: %v", d, err)
	}
	r, err := check.Judge(d, f, in, got, oracle(t))
	if err != nil {
		t.Fatalf("%+v: %v", d, err)
	}
	if r.Verdict != check.Pass {
		t.Errorf("%+v %v seed %d: %v: %+v", d, f, seed, r.Verdict, r.Outputs)
	}
}

func oracle(t *testing.T) check.Evaluator {
	be, err := backend.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	return func(d backend.Desc, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		d.Algorithm = ""
		return backend.RunDesc(bg, be, d, in...)
	}
}

var layouts = []backend.Layout{
	backend.Plain, backend.ChannelsLast, backend.ChannelsLast4,
	{Order: backend.OrderChannelsLast, Pad: 8}, {Order: backend.OrderChannelsLast, Pad: 6},
}

func TestReorder(t *testing.T) {
	families(t, func(t *testing.T, be *Backend) {
		for _, s := range []tensor.Shape{{}, {5}, {3, 6}, {2, 5, 7}, {2, 3, 4, 5}, {1, 9, 2, 3, 4}, {0, 3, 2}, {2, 1, 3, 3}} {
			for _, from := range layouts {
				for _, to := range layouts {
					for _, dt := range []tensor.DType{tensor.Float32, tensor.Int32} {
						d := backend.Desc{
							Op:  backend.Reorder{},
							In:  []backend.TensorDesc{{DType: dt, Shape: s, Layout: from}},
							Out: []backend.TensorDesc{{DType: dt, Shape: s, Layout: to}},
						}
						judge(t, be, d, check.Exact, 1)
					}
				}
			}
		}
	})
}

func TestActivation(t *testing.T) {
	families(t, func(t *testing.T, be *Backend) {
		for _, kind := range backend.ActKinds() {
			a := backend.Act{Kind: kind, Alpha: 0.1, Beta: 6}
			for _, s := range []tensor.Shape{{7}, {3, 6}, {2, 5, 7}, {2, 3, 4, 5}} {
				for _, l := range append([]backend.Layout{backend.Any}, layouts...) {
					d := backend.Desc{Op: backend.Activation{Act: a}, In: []backend.TensorDesc{{DType: tensor.Float32, Shape: s, Layout: l}}}
					judge(t, be, d, check.Normal, 1)
					judge(t, be, d, check.Special, 1)
				}
			}
		}
	})
}

// TestBarriers counts the barriers of a chain of runs: one for a true dependency,
// none for two readers of the same memory.
func TestBarriers(t *testing.T) {
	families(t, func(t *testing.T, be *Backend) {
		k, err := be.Prepare(bg, backend.Desc{Op: backend.Activation{}, In: []backend.TensorDesc{backend.F32(1024)}})
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close()
		var b [4]backend.Buffer
		for i := range b {
			if b[i], err = be.Alloc(4096); err != nil {
				t.Fatal(err)
			}
			defer b[i].Close()
			if err := be.Write(bg, b[i], make([]byte, 4096)); err != nil {
				t.Fatal(err)
			}
		}
		for i, c := range []struct {
			from, to int
			want     int64
			why      string
		}{
			{0, 1, 0, "a copy from the host is ordered"},
			{1, 2, 1, "reads what a dispatch wrote"},
			{1, 3, 0, "reads it again"},
			{2, 1, 1, "reads what was written, and overwrites what was read"},
			{1, 1, 1, "reads what was written, in place"},
		} {
			before := be.dev.Stats().Barriers
			if err := k.Run(bg, backend.Args{In: []backend.Buffer{b[c.from]}, Out: []backend.Buffer{b[c.to]}}); err != nil {
				t.Fatal(err)
			}
			if err := be.Sync(bg); err != nil {
				t.Fatal(err)
			}
			if n := be.dev.Stats().Barriers - before; n != c.want {
				t.Errorf("run %d, %d to %d: got %d barriers, want %d: %s", i, c.from, c.to, n, c.want, c.why)
			}
		}
	})
}

// TestBindingKinds checks that a plan tells the tracker how its shaders touch what
// they share: llvmpipe would hide a mistake.
func TestBindingKinds(t *testing.T) {
	families(t, func(t *testing.T, be *Backend) {
		d, err := backend.Desc{Op: backend.Conv{}, In: []backend.TensorDesc{backend.F32(1, 8, 5, 5), backend.F32(8, 8, 3, 3)}}.Resolve()
		if err != nil {
			t.Fatal(err)
		}
		p, err := be.plan(d, be.candidates(d)[1])
		if err != nil {
			t.Fatal(err)
		}
		read := device.ReadStorage
		if be.family == texelFamily {
			read = device.ReadTexels
		}
		if len(p.steps) != 2 {
			t.Fatalf("got %d steps, want packing and convolving", len(p.steps))
		}
		packed, w := p.steps[0].bind[1], p.steps[1].bind[1]
		if packed.kind != device.WriteStorage || w.kind != read {
			t.Errorf("packed weights: got written as %v and read as %v, want %v and %v", packed.kind, w.kind, device.WriteStorage, read)
		}
		if packed.arg != workspace || w.arg != workspace || packed.off != w.off || packed.bytes != w.bytes {
			t.Errorf("packed weights: got %+v and %+v, want the same range of the workspace", packed, w)
		}
		if x, y := p.steps[1].bind[0], p.steps[1].bind[2]; x.kind != read || y.kind != device.WriteStorage {
			t.Errorf("got x read as %v and y written as %v", x.kind, y.kind)
		}
	})
}

// TestOpenRefuses opens what there is not.
func TestOpenRefuses(t *testing.T) {
	be := open(t)
	for _, c := range []struct {
		opts []backend.Option
		want string
	}{
		{[]backend.Option{backend.WithDevice(1000)}, "index 1000"},
		{[]backend.Option{backend.WithDevice(-7)}, "no device -7"},
	} {
		b, err := backend.Open(name, c.opts...)
		var none *backend.UnavailableError
		if !errors.As(err, &none) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want an UnavailableError with %q", err, c.want)
		}
		if err == nil {
			b.Close()
		}
	}
	_, err := backend.Open(name, backend.WithVariant("winograd"))
	var attr *backend.AttrError
	if !errors.As(err, &attr) || !strings.Contains(err.Error(), "texel or tiled") {
		t.Errorf("got %v, want an AttrError with the variants", err)
	}
	if b, err := backend.Open(name, backend.WithHardwareOnly()); err == nil {
		if b.Device().Software {
			t.Errorf("hardware only: got %s", b.Device().Name)
		}
		b.Close()
	} else if !be.Device().Software {
		t.Errorf("hardware only: %v", err)
	}
}

// TestLimits asks for more than the device allows.
// One hint, which fits the fault: packages only where they are missing.
func TestHint(t *testing.T) {
	t.Setenv("LIBGL_DRIVERS_PATH", "")
	for _, c := range []struct {
		err  error
		want string // begins the hint
		apt  int    // how often packages are named
	}{
		{fmt.Errorf("egl: %w", egl.ErrNoLibrary), "on Debian: apt-get install libegl1 libgl1 libgl1-mesa-dri;", 1},
		{fmt.Errorf("gl: %w", egl.ErrNoDevice), "on Debian: apt-get install libgl1-mesa-dri;", 1},
		{errors.Join(egl.Code(0x3001), fmt.Errorf("gl: surfaceless: llvmpipe is %w", device.ErrSoftware)), "for a GPU, its vendor's driver", 0},
		{egl.Code(0x3009), "for a GPU, its vendor's driver, with OpenGL 4.3", 0},
		{fmt.Errorf("gl: %w: got index 7, want less than 2", device.ErrIndex), "see backend.Devices", 0},
	} {
		text := unavailable(c.err, hint(c.err)).Error()
		if !strings.HasPrefix(hint(c.err), c.want) || strings.Count(text, "apt-get") != c.apt || strings.Count(text, "its vendor's driver") > 1 {
			t.Errorf("got %s, want the hint %q", text, c.want)
		}
	}
}

// A software renderer that is refused is not a missing package.
func TestHardwareOnlyHint(t *testing.T) {
	if !open(t).Device().Software {
		t.Skip("the device is hardware")
	}
	_, err := backend.Open(name, backend.WithHardwareOnly())
	if err == nil || strings.Contains(err.Error(), "apt-get") {
		t.Errorf("got %v, want an error that names no package", err)
	}
}

func TestLimits(t *testing.T) {
	be := open(t)
	large := backend.F32(1, 4, 1<<14, 1<<15) // 2³¹ elements
	for name, d := range map[string]backend.Desc{
		"activation": {Op: backend.Activation{}, In: []backend.TensorDesc{large}},
		"reorder":    {Op: backend.Reorder{}, In: []backend.TensorDesc{large}},
		"conv":       {Op: backend.Conv{}, In: []backend.TensorDesc{large, backend.F32(4, 4, 1, 1)}},
		"binding":    {Op: backend.Activation{}, In: []backend.TensorDesc{backend.F32(1, 1<<29)}},
		"padding": {Op: backend.Conv{Window: backend.Window{Pads: []int{math.MaxInt32, 0}, Strides: []int{math.MaxInt32}}},
			In: []backend.TensorDesc{backend.F32(1, 1, 5), backend.F32(1, 1, 3)}},
	} {
		_, err := be.Prepare(bg, d)
		var limit *backend.LimitError
		if !errors.As(err, &limit) || limit.Got <= limit.Max {
			t.Errorf("%s: got %v, want a LimitError", name, err)
		}
		if a := be.Algorithms(d); len(a) != 0 {
			t.Errorf("%s: got algorithms %v, want none", name, a)
		}
	}
}

// TestFold runs a dispatch of more workgroups than one dim takes.
func TestFold(t *testing.T) {
	be := open(t)
	be.limits.GroupCount[0], be.limits.GroupCount[1] = 7, 40
	for _, d := range []backend.Desc{
		{Op: backend.Activation{}, In: []backend.TensorDesc{backend.F32(7*31*64 - 5)}},
		{Op: backend.Conv{}, In: []backend.TensorDesc{backend.F32(2, 4, 13, 15), backend.F32(8, 4, 3, 3)}},
		{Op: backend.Conv{}, In: []backend.TensorDesc{backend.F32(2, 4, 13, 15), backend.F32(8, 4, 3, 3)}, Algorithm: "implicit-gemm"},
	} {
		judge(t, be, d, check.Exact, 1)
	}
}

// TestDivisor divides by multiplication.
func TestDivisor(t *testing.T) {
	divide := func(a uint32, m, s int) uint32 { return (uint32(uint64(a)*uint64(uint32(m))>>32) + a) >> s }
	values := []int{1, 2, 3, 4, 5, 7, 9, 63, 64, 65, 1000, 65535, 65536, 1<<30 - 1, 1 << 30, 1<<31 - 1}
	for _, d := range values {
		m, s := divisor(d)
		for _, a := range append(values, 0, d-1, 2*d-1, 3*d) {
			if a >= 0 && a < 1<<31 && divide(uint32(a), m, s) != uint32(a/d) {
				t.Errorf("%d / %d: got %d, want %d", a, d, divide(uint32(a), m, s), a/d)
			}
		}
	}
}
