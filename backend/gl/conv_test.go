//go:build cgo && unix

package gl

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// convCase describes a convolution as the tables of the project do.
type convCase struct {
	name   string
	x, w   []int
	win    backend.Window
	groups int
}

func square(name string, size, in, out, kernel, stride, pad int) convCase {
	return convCase{
		name: name,
		x:    []int{1, in, size, size}, w: []int{out, in, kernel, kernel},
		win: backend.Window{Strides: []int{stride, stride}, Pads: []int{pad, pad, pad, pad}},
	}
}

var convLayers = []convCase{
	square("c1", 224, 3, 64, 7, 2, 3),
	square("c2", 56, 64, 64, 3, 1, 1),
	square("c3", 28, 128, 128, 3, 1, 1),
	square("c4", 14, 256, 256, 3, 1, 1),
	square("c5", 7, 512, 512, 3, 1, 1),
	square("pw1", 56, 64, 256, 1, 1, 0),
	square("pw2", 14, 1024, 256, 1, 1, 0),
	square("vgg", 112, 64, 128, 3, 1, 1),
	{name: "conv3d", x: []int{1, 16, 16, 56, 56}, w: []int{32, 16, 3, 3, 3}, win: backend.Window{Pads: []int{1, 1, 1, 1, 1, 1}}},
	{name: "dw", x: []int{1, 32, 112, 112}, w: []int{32, 1, 3, 3}, win: backend.Window{Pads: []int{1, 1, 1, 1}}, groups: 32},
	square("seed", 32, 3, 16, 3, 1, 1),
	square("s2", 56, 64, 128, 3, 2, 1),
	square("k5", 28, 64, 64, 5, 1, 2),
	square("k7", 28, 64, 64, 7, 1, 3),
	square("c96", 28, 96, 96, 3, 1, 1),
	square("c48", 28, 48, 48, 3, 1, 1),
	square("c16", 56, 16, 16, 3, 1, 1),
	square("c8", 56, 8, 8, 3, 1, 1),
}

func (c convCase) desc(e backend.Epilogue) backend.Desc {
	op := backend.Conv{Window: c.win, Groups: c.groups, Bias: true, Epilogue: e}
	w, b := backend.F32(c.w...), backend.F32(c.w[0])
	w.Const, b.Const = true, true
	return backend.Desc{Op: op, In: []backend.TensorDesc{backend.F32(c.x...), w, b}}
}

// cpuTime is what the process has used on all cores: unlike wall time, it hardly
// depends on what else the machine does.
func cpuTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestConvPlans runs every way of dividing the work on sizes around the edges of
// tiles and blocks, with exact and special values.
func TestConvPlans(t *testing.T) {
	win := func(stride, dil, begin, end int) backend.Window {
		return backend.Window{Strides: []int{stride, stride}, Dilations: []int{dil, dil}, Pads: []int{begin, begin, end, end}}
	}
	cases := []convCase{
		{name: "k1", x: []int{2, 5, 3, 5}, w: []int{7, 5, 1, 1}},
		{name: "k3", x: []int{1, 8, 5, 29}, w: []int{64, 8, 3, 3}, win: win(1, 1, 1, 1)},
		{name: "k3-odd", x: []int{2, 3, 6, 13}, w: []int{33, 3, 3, 3}, win: win(2, 1, 0, 1)},
		{name: "dilated", x: []int{1, 9, 9, 16}, w: []int{17, 9, 3, 2}, win: win(1, 3, 2, 3)},
		{name: "k7", x: []int{1, 3, 11, 17}, w: []int{65, 3, 7, 7}, win: win(2, 1, 3, 3)},
		{name: "long-sum", x: []int{1, 130, 4, 7}, w: []int{12, 130, 3, 3}, win: win(1, 1, 1, 1)},
		{name: "groups-of-whole-vec4s", x: []int{2, 16, 4, 7}, w: []int{24, 8, 3, 3}, win: win(1, 1, 1, 1), groups: 2},
		{name: "scattered-groups", x: []int{2, 9, 4, 7}, w: []int{15, 3, 3, 3}, win: win(1, 1, 1, 1), groups: 3},
		{name: "scattered-partial", x: []int{1, 10, 4, 5}, w: []int{6, 5, 3, 3}, win: win(1, 1, 1, 1), groups: 2},
		{name: "one-channel-groups", x: []int{1, 6, 5, 5}, w: []int{12, 1, 3, 3}, win: win(1, 1, 1, 1), groups: 6},
		{name: "depthwise", x: []int{2, 7, 6, 15}, w: []int{7, 1, 3, 3}, win: win(1, 1, 1, 1), groups: 7},
		{name: "depthwise-strided", x: []int{1, 8, 9, 15}, w: []int{8, 1, 5, 3}, win: win(2, 2, 2, 2), groups: 8},
		{name: "large-tiles", x: []int{1, 5, 33, 35}, w: []int{130, 5, 2, 2}},
		{name: "line", x: []int{2, 5, 31}, w: []int{6, 5, 4}, win: backend.Window{Pads: []int{2, 1}}},
		{name: "volume", x: []int{1, 4, 5, 4, 6}, w: []int{5, 4, 2, 3, 3}, win: backend.Window{Strides: []int{2, 1, 2}, Pads: []int{1, 1, 0, 0, 1, 2}}},
		{name: "plane-of-volume", x: []int{1, 4, 3, 4, 6}, w: []int{5, 4, 1, 3, 3}},
		{name: "huge-stride", x: []int{1, 4, 5, 5}, w: []int{4, 4, 3, 3}, win: win(1<<30, 1, 1, 1)},
		{name: "empty-batch", x: []int{0, 4, 5, 5}, w: []int{4, 4, 3, 3}},
	}
	families(t, func(t *testing.T, be *Backend) {
		for _, c := range cases {
			d := c.desc(backend.Epilogue{{Kind: backend.ScaleShift}, {Kind: backend.Residual}, {Kind: backend.Activate}})
			y := c.outShape(t)
			d.In = append(d.In, backend.F32(y[1]), backend.F32(y[1]), backend.F32(y...))
			for _, constant := range []bool{true, false} {
				d.In[1].Const = constant
				for _, a := range be.Algorithms(d) {
					d.Algorithm = a
					judge(t, be, d, check.Exact, 1)
					judge(t, be, d, check.Normal, 1)
					judge(t, be, d, check.Special, 1)
				}
				d.Algorithm = ""
			}
		}
	})
}

func (c convCase) outShape(t *testing.T) []int {
	d, err := c.desc(nil).Resolve()
	if err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	return d.Out[0].Shape
}

// TestConvTiles forces tiles that the choice by shape would not take.
func TestConvTiles(t *testing.T) {
	be := open(t, backend.WithVariant(texelFamily))
	d := convCase{x: []int{1, 20, 5, 23}, w: []int{44, 20, 3, 3}, win: backend.Window{Pads: []int{1, 1, 1, 1}}}.desc(nil)
	for _, tile := range []convTile{{14, 2, 8, 1, true}, {14, 1, 4, 2, false}, {7, 2, 1, 8, true}, {5, 2, 2, 4, true}, {1, 1, 1, 8, false}} {
		be.forceTile = &tile
		judge(t, be, d, check.Exact, 1)
	}
}

// TestConvLongSums judges sums of thousands of terms by the bound, of random data
// and of constants, whose roundings all go the same way: a sum that is never cut
// then leaves the bound.
func TestConvLongSums(t *testing.T) {
	long := []convCase{
		{x: []int{1, 512, 3, 3}, w: []int{16, 512, 3, 3}, win: backend.Window{Pads: []int{1, 1, 1, 1}}}, // 4608 terms
		{x: []int{1, 512, 7, 7}, w: []int{16, 512, 7, 7}},                                               // 25088
	}
	families(t, func(t *testing.T, be *Backend) {
		for _, c := range long {
			for _, f := range []check.Fill{check.Normal, check.Uniform, check.Adversarial} {
				judge(t, be, c.desc(nil), f, 3)
			}
		}
		d := long[1].desc(nil)
		for _, v := range []float32{0.1, 0.3, 0.7} {
			x, w, b := tensor.Must(tensor.New(tensor.Float32, d.In[0].Shape...)), tensor.Must(tensor.New(tensor.Float32, d.In[1].Shape...)), tensor.Must(tensor.New(tensor.Float32, 16))
			for _, c := range []*tensor.Tensor{x, w} {
				for i := range c.Float32s() {
					c.Float32s()[i] = v
				}
			}
			y, err := backend.RunDesc(bg, be, d, x, w, b)
			if err != nil {
				t.Fatal(err)
			}
			const terms = 25088
			want := terms * float64(v) * float64(v)
			bound := 4 * math.Sqrt(terms) * 0x1p-24 * want
			for i, got := range y[0].Float32s() {
				if e := math.Abs(float64(got) - want); !(e <= bound) {
					t.Errorf("%v, channel %d: got %v, want %v; error %.3g, bound %.3g", v, i, got, want, e, bound)
					break
				}
			}
		}
	})
}

// TestConvNoAllocs runs a kernel again and again.
func TestConvNoAllocs(t *testing.T) {
	be := open(t)
	d, err := square("", 8, 8, 8, 3, 1, 1).desc(nil).Resolve()
	if err != nil {
		t.Fatal(err)
	}
	in, err := check.Inputs(d, check.Normal, 1)
	if err != nil {
		t.Fatal(err)
	}
	inst := instance(t, be, d, in)
	run := func() {
		if err := inst.Run(bg); err != nil {
			t.Fatal(err)
		}
	}
	for range 2000 { // more runs in flight than the queue takes, so that the kernel keeps enough
		run()
	}
	if err := be.Sync(bg); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(500, run); n != 0 {
		t.Errorf("%v allocations a run, want 0", n)
	}
}

// BenchmarkConv measures a run with bias and ReLU and its fence: by wall time, and
// as GFLOP/s-cpu by the CPU time used, as if two cores had shared it evenly. What
// ms-first measures is Prepare, Pack and the first run. CONVGL_TILES forces tiles on
// conv_texel.comp, each as px,kv,lx,ly,window with window 0 or 1, separated by
// semicolons.
func BenchmarkConv(b *testing.B) {
	for _, v := range []string{texelFamily, tiledFamily} {
		for _, c := range convLayers {
			if tiles := os.Getenv("CONVGL_TILES"); tiles != "" && v == texelFamily {
				for _, s := range strings.Split(tiles, ";") {
					var t convTile
					var window int
					if _, err := fmt.Sscanf(s, "%d,%d,%d,%d,%d", &t.px, &t.kv, &t.lx, &t.ly, &window); err != nil {
						b.Fatalf("CONVGL_TILES: %q: %v", s, err)
					}
					t.window = window == 1
					b.Run(c.name+"/impl="+v+"/tile="+s, func(b *testing.B) { benchConv(b, c, v, &t) })
				}
				continue
			}
			b.Run(c.name+"/impl="+v, func(b *testing.B) { benchConv(b, c, v, nil) })
		}
	}
}

func benchConv(b *testing.B, c convCase, variant string, tile *convTile) {
	be := open(b, backend.WithVariant(variant))
	be.forceTile = tile
	d, err := c.desc(backend.Epilogue{{Kind: backend.Activate}}).Resolve()
	if err != nil {
		b.Fatal(err)
	}
	in, err := check.Inputs(d, check.Normal, 1)
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	inst := instance(b, be, d, in)
	run := func() {
		if err := errors.Join(inst.Run(bg), be.Sync(bg)); err != nil {
			b.Fatal(err)
		}
	}
	run()
	first := time.Since(start)
	best, cpu := time.Hour, time.Hour
	for b.Loop() {
		from, used := time.Now(), cpuTime()
		run()
		best, cpu = min(best, time.Since(from)), min(cpu, cpuTime()-used)
	}
	flops := float64(d.Cost().FLOPs) / 1e9
	b.ReportMetric(flops/best.Seconds(), "GFLOP/s")
	b.ReportMetric(2*flops/max(cpu.Seconds(), 1e-9), "GFLOP/s-cpu")
	b.ReportMetric(float64(first.Milliseconds()), "ms-first")
}

// instance makes an instance of d with its inputs set, closed with the test.
func instance(t testing.TB, be *Backend, d backend.Desc, in []*tensor.Tensor) *backend.Instance {
	inst, err := backend.NewInstance(bg, be, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := inst.Close(); err != nil {
			t.Error(err)
		}
	})
	for i, x := range in {
		if err := inst.SetInput(bg, i, x); err != nil {
			t.Fatal(err)
		}
	}
	return inst
}
