package cpu

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// A second run of any kernel allocates nothing, alone and on two threads, with any
// instructions.
func TestRunAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, set := range isas(t) {
		for _, threads := range []int{1, 2} {
			runAllocatesNothing(t, set, threads)
		}
	}
}

func runAllocatesNothing(t *testing.T, set isa, threads int) {
	be := open(t, "cpu", backend.WithThreads(threads), backend.WithVariant(set.String()))
	cases := exactCases()
	for _, l := range []backend.Layout{plain, cl, cl4} { // what is not exact
		x := backend.F32(2, 48, 40, 31)
		x.Layout = l
		add := func(op backend.Op, in ...backend.TensorDesc) {
			cases[fmt.Sprintf("%v %T %v", l, op, in)] = backend.Desc{Op: op, In: append([]backend.TensorDesc{x}, in...)}
		}
		c, w := backend.F32(48), backend.F32(31)
		add(backend.GroupNorm{Groups: 2}, c, c)
		add(backend.InstanceNorm{}, c, c)
		add(backend.LayerNorm{Axis: -1}, w, w)
		image := backend.F32(48, 40, 31)
		add(backend.LayerNorm{Axis: 1}, image, image)
		add(backend.LRN{Size: 5, Alpha: 1, Beta: 0.7, K: 1})
		if l != plain {
			add(backend.ConvTranspose{Window: backend.Window{Strides: []int{2, 2}}}, backend.F32(48, 3, 2, 2))
		}
		add(backend.Binary{Fn: backend.PRelu}, backend.F32(48, 1, 1))
		add(backend.Activation{Act: backend.Act{Kind: backend.Gelu}})
		for fn := backend.ReduceSum; fn <= backend.ReduceSumSquare; fn++ {
			cases[fmt.Sprintf("%v %v of rows", l, fn)] = backend.Desc{Op: backend.Reduce{Fn: fn, Axes: []int{3}}, In: []backend.TensorDesc{x}}
			cases[fmt.Sprintf("%v %v of channels", l, fn)] = backend.Desc{Op: backend.Reduce{Fn: fn, Axes: []int{1}}, In: []backend.TensorDesc{x}}
			cases[fmt.Sprintf("%v %v of all", l, fn)] = backend.Desc{Op: backend.Reduce{Fn: fn}, In: []backend.TensorDesc{x}}
		}
		add(backend.ArgMax{Axis: 1})
		add(backend.TopK{K: 3, Axis: 3})
	}
	cases["onehot"] = backend.Desc{Op: backend.OneHot{Axis: 1, Depth: 21}, In: []backend.TensorDesc{{DType: tensor.Int32, Shape: []int{2, 40, 31}}}}
	for name, d := range cases {
		inst, err := backend.NewInstance(ctx, be, d)
		if err != nil {
			t.Fatal(name, err)
		}
		for i, x := range inputs(1, d) {
			if err := inst.SetInput(ctx, i, x); err != nil {
				t.Fatal(err)
			}
		}
		n := testing.AllocsPerRun(5, func() {
			if err := inst.Run(ctx); err != nil {
				t.Error(name, err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations a run of %v on %d threads", name, n, set, threads)
		}
		if err := inst.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Kernels of any kind may run from many goroutines at once, one kernel too.
func TestConcurrentRuns(t *testing.T) {
	processors(t, max(3, runtime.GOMAXPROCS(0)))
	be := open(t, "cpu", backend.WithThreads(3))
	d := conv2(1, 5, 12, 40, 3, 1, 1, 1)
	k, err := be.Prepare(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	ins := inputs(3, d)
	want, err := backend.RunDesc(ctx, be, d, ins...)
	if err != nil {
		t.Fatal(err)
	}
	w, err := be.Pack(ctx, ins[1], k.Info().In[1], k.Info().Formats[1])
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	b, err := be.Pack(ctx, ins[2], k.Info().In[2], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	x, err := be.Pack(ctx, ins[0], k.Info().In[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	var wg sync.WaitGroup
	for range 64 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			y, err1 := be.Alloc(k.Info().OutBytes(0))
			ws, err2 := be.Alloc(k.Info().Workspace)
			if err := errors.Join(err1, err2); err != nil {
				t.Error(err)
				return
			}
			defer y.Close()
			defer ws.Close()
			for range 3 {
				if err := k.Run(ctx, backend.Args{In: []backend.Buffer{x, w, b}, Out: []backend.Buffer{y}, Workspace: ws}); err != nil {
					t.Error(err)
				}
			}
			got, err := backend.Download(ctx, be, y, k.Info().Out[0])
			if err != nil {
				t.Error(err)
				return
			}
			same(t, got, want[0])
		}()
	}
	wg.Wait()
}

// One Pack serves every batch and picture size.
func TestFormatIsShared(t *testing.T) {
	be := open(t, "cpu")
	var formats []backend.Format
	for _, d := range []backend.Desc{conv2(1, 8, 5, 20, 3, 1, 1, 1), conv2(4, 8, 31, 20, 3, 2, 0, 1)} {
		k, err := be.Prepare(ctx, d)
		if err != nil {
			t.Fatal(err)
		}
		formats = append(formats, k.Info().Formats[1])
		k.Close()
	}
	if formats[0] == nil || formats[0] != formats[1] {
		t.Errorf("formats %v and %v, want equal ones", formats[0], formats[1])
	}
}

func TestOpen(t *testing.T) {
	t.Setenv("CONVGL_CPU", "")
	var attr *backend.AttrError
	if _, err := backend.Open("cpu", backend.WithVariant("fast")); !errors.As(err, &attr) || attr.Want != strings.Join(isaNames, ", ") {
		t.Errorf("unknown variant: %v", err)
	}
	if _, err := backend.Open("cpu", backend.WithThreads(-1)); !errors.As(err, &attr) {
		t.Errorf("negative threads: %v", err)
	}
	var gone *backend.UnavailableError
	if _, err := backend.Open("cpu", backend.WithDevice(1)); !errors.As(err, &gone) {
		t.Errorf("second device: %v", err)
	}
	for _, set := range isas(t) {
		d := open(t, "cpu", backend.WithVariant(set.String()), backend.WithThreads(2)).Device()
		if d.Threads != 2 || d.Details["instructions"] != set.String() || d.Name == "" {
			t.Errorf("variant %v: device %+v", set, d)
		}
	}
	t.Setenv("CONVGL_CPU", "sse9")
	if _, err := backend.Open("cpu"); !errors.As(err, &gone) {
		t.Errorf("unknown instruction set: %v", err)
	}
	t.Setenv("CONVGL_CPU", "generic")
	if d := open(t, "cpu").Device(); d.Details["instructions"] != "generic" {
		t.Errorf("device %+v", d)
	}
	if infos, err := backend.Devices("cpu"); err != nil || len(infos) != 1 || infos[0].Details["instructions"] != detectISA().String() {
		t.Errorf("devices %+v, error %v", infos, err)
	}
}

// The variant is taken where the machine and CONVGL_CPU have it, and is otherwise
// refused with the reason.
func TestChooseISA(t *testing.T) {
	best := isa(len(isaNames) - 1)
	top, all := best.String(), strings.Join(isaNames, ", ")
	type test struct {
		variant, env string
		have, want   isa
		err          string
	}
	tests := []test{
		{"", "", best, best, ""},
		{"", "", isaGeneric, isaGeneric, ""},
		{"", "generic", best, isaGeneric, ""},
		{"generic", "", best, isaGeneric, ""},
		{"generic", top, best, isaGeneric, ""},
		{top, top, best, best, ""},
		{"", "sse", best, 0, "CONVGL_CPU=sse: want one of " + all},
		{"mmx", "", best, 0, `variant: got "mmx", want ` + all},
	}
	if best > isaGeneric {
		tests = append(tests,
			test{"", top, isaGeneric, 0, "CONVGL_CPU=" + top + ": " + where() + " offers generic"},
			test{top, "", isaGeneric, 0, "variant " + top + ": " + where() + " offers generic"},
			test{top, "generic", best, 0, "variant " + top + ": CONVGL_CPU=generic allows generic"})
	}
	if best == isaAVX512 {
		tests = append(tests,
			test{"", "avx2", best, isaAVX2, ""},
			test{"avx2", "", best, isaAVX2, ""},
			test{"avx512", "", isaAVX2, 0, "offers generic, avx2"})
	}
	for _, c := range tests {
		got, err := chooseISA(c.variant, c.env, c.have)
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) || got != c.want {
			t.Errorf("variant %q, CONVGL_CPU=%q of %v: got %v, %v; want %v, %q", c.variant, c.env, c.have, got, err, c.want, c.err)
		}
	}
}

// What is wrong with a use is an error of its kind, never a panic.
func TestErrors(t *testing.T) {
	be := open(t, "cpu", backend.WithDebug())
	other := open(t, "cpu")
	var shape *backend.ShapeError
	var attr *backend.AttrError
	var limit *backend.LimitError
	as := func(what string, err error, target any) {
		t.Helper()
		if !errors.As(err, target) {
			t.Errorf("%s: error %v, want %T", what, err, target)
		}
	}
	is := func(what string, err, target error) {
		t.Helper()
		if !errors.Is(err, target) {
			t.Errorf("%s: error %v, want %v", what, err, target)
		}
	}
	_, err := be.Alloc(-1)
	as("negative size", err, &attr)
	_, err = be.Alloc(math.MaxInt64)
	as("huge buffer", err, &limit)
	b, err := be.Alloc(200)
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Slice(4, 8)
	as("misaligned slice", err, &attr)
	_, err = b.Slice(192, 9)
	as("slice over the end", err, &attr)
	s, err := b.Slice(64, 64)
	if err != nil || s.Bytes() != 64 {
		t.Errorf("slice: %v", err)
	}
	as("long write", be.Write(ctx, s, make([]byte, 65)), &shape)
	as("foreign buffer", other.Write(ctx, b, nil), &shape)

	relu := backend.Desc{Op: backend.Activation{}, In: []backend.TensorDesc{backend.F32(16)}}
	k, err := be.Prepare(ctx, relu)
	if err != nil {
		t.Fatal(err)
	}
	as("no buffers", k.Run(ctx, backend.Args{}), &shape)
	one := func(b backend.Buffer) []backend.Buffer { return []backend.Buffer{b} }
	if err := k.Run(ctx, backend.Args{In: one(s), Out: one(s)}); err != nil {
		t.Errorf("in place: %v", err)
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	is("cancelled", k.Run(stopped, backend.Args{In: one(s), Out: one(s)}), context.Canceled)
	b.Close()
	b.Close()
	is("closed buffer", k.Run(ctx, backend.Args{In: one(s), Out: one(s)}), backend.ErrClosed)
	is("closed buffer", k.Run(ctx, backend.Args{In: one(b), Out: one(b)}), backend.ErrClosed)
	is("read of a closed buffer", be.Read(ctx, nil, b), backend.ErrClosed)
	_, err = s.Slice(0, 4)
	is("slice of a closed buffer", err, backend.ErrClosed)
	k.Close()
	k.Close()
	is("closed kernel", k.Run(ctx, backend.Args{}), backend.ErrClosed)

	d := relu
	d.Algorithm = "magic"
	_, err = be.Prepare(ctx, d)
	as("unknown algorithm", err, &attr)
	_, err = be.Prepare(ctx, backend.Desc{Op: backend.Conv{}, In: []backend.TensorDesc{in(plain, backend.F32(1, 5, 8, 8)), backend.F32(3, 5, 3, 3)}})
	is("plain conv", err, errors.ErrUnsupported)
	_, err = be.Prepare(ctx, backend.Desc{Op: backend.Activation{}, In: []backend.TensorDesc{backend.F32(1<<20, 1<<20)}})
	as("huge tensor", err, &limit)
	as("huge image", fitsOffsets("Conv", rows{s: 1 << 20, pitch: 1 << 11}), &limit)
	_, err = be.Pack(ctx, tensor.Must(tensor.New(tensor.Float32, 3)), backend.F32(4), nil)
	as("pack of another shape", err, &shape)
}

// Memory that a run both reads and writes is refused in debug mode.
func TestOverlap(t *testing.T) {
	be := open(t, "cpu", backend.WithDebug())
	inst, err := backend.NewInstance(ctx, be, pool2(4, 8, 2, 2, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer inst.Close()
	inst.Args.Out[0] = inst.Args.In[0]
	var shape *backend.ShapeError
	if err := inst.Run(ctx); !errors.As(err, &shape) {
		t.Errorf("overlap: %v", err)
	}
}

func TestClose(t *testing.T) {
	be, err := backend.Open("cpu", backend.WithThreads(2))
	if err != nil {
		t.Fatal(err)
	}
	d := conv2(1, 8, 30, 64, 3, 1, 1, 1)
	inst, err := backend.NewInstance(ctx, be, d)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range inputs(1, d) {
		if err := inst.SetInput(ctx, i, x); err != nil {
			t.Fatal(err)
		}
	}
	var leak *backend.LeakError
	if err := be.Close(); !errors.As(err, &leak) || leak.Live.Kernels != 1 {
		t.Errorf("close with open objects: %v", err)
	}
	if err := inst.Run(ctx); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("run after close: %v", err)
	}
	if _, err := be.Alloc(1); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("alloc after close: %v", err)
	}
	if err := inst.Close(); err != nil {
		t.Error(err)
	}
	if again := be.Close(); !errors.As(again, &leak) {
		t.Errorf("second close: %v, want what the first one said", again)
	}
	if !be.Live().Zero() {
		t.Errorf("live: %+v", be.Live())
	}
}

func TestPeaks(t *testing.T) {
	for _, set := range isas(t) {
		p, err := open(t, "cpu", backend.WithThreads(1), backend.WithVariant(set.String())).(backend.Prober).Peaks(ctx)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%v: %.1f GFLOP/s, copy %.1f GB/s", set, p.FLOPS/1e9, p.CopyBytes/1e9)
		if p.FLOPS < 1e6 || p.CopyBytes < 1e6 || p.FLOPS > 1e13 || p.CopyBytes > 1e13 {
			t.Errorf("%v: peaks %+v are out of the possible", set, p)
		}
	}
}

// A buffer that another goroutine closes gives ErrClosed or a result, no panic
// and no race.
func TestCloseRacesRun(t *testing.T) {
	be := open(t, "cpu", backend.WithThreads(2))
	k, err := be.Prepare(ctx, backend.Desc{Op: backend.Activation{}, In: []backend.TensorDesc{backend.F32(64)}})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	var ys [2]backend.Buffer
	for i := range ys {
		if ys[i], err = be.Alloc(256); err != nil {
			t.Fatal(err)
		}
		defer ys[i].Close()
	}
	for range 500 {
		x, err := be.Alloc(256)
		if err != nil {
			t.Fatal(err)
		}
		part, err := x.Slice(0, 256)
		if err != nil {
			t.Fatal(err)
		}
		var done sync.WaitGroup
		for i, b := range []backend.Buffer{x, part} {
			done.Go(func() {
				for range 20 {
					if err := k.Run(ctx, backend.Args{In: []backend.Buffer{b}, Out: []backend.Buffer{ys[i]}}); err != nil && !errors.Is(err, backend.ErrClosed) {
						t.Error(err)
					}
				}
			})
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
		done.Wait()
	}
}

// A residual in another layout than y's would be read in the wrong order.
func TestDenseResidualLayout(t *testing.T) {
	be := open(t, "cpu")
	d := backend.Desc{
		Op: backend.Dense{Epilogue: backend.Epilogue{{Kind: backend.Residual}}},
		In: []backend.TensorDesc{backend.F32(2, 3, 4), backend.F32(5, 4), in(cl, backend.F32(2, 3, 5))},
	}
	if k, err := be.Prepare(ctx, d); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v, want an error that wraps ErrUnsupported", err)
		if err == nil {
			k.Close()
		}
	}
}
