package ref

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

func TestOpen(t *testing.T) {
	for _, o := range []backend.Option{backend.WithDevice(1), backend.WithDevice(-2)} {
		_, err := backend.Open("ref", o)
		var u *backend.UnavailableError
		if !errors.As(err, &u) || u.Hint == "" {
			t.Errorf("got error %v, want an UnavailableError with a hint", err)
		}
	}
	_, err := backend.Open("ref", backend.WithVariant("tiled"))
	var attr *backend.AttrError
	if !errors.As(err, &attr) || attr.Attr != "variant" {
		t.Errorf("got error %v, want an AttrError", err)
	}
	be := open(t)
	infos, err := backend.Devices("ref")
	if err != nil || len(infos) != 1 || infos[0].Name != be.Device().Name || infos[0].Backend != be.Name() {
		t.Errorf("Devices: got %v, %v", infos, err)
	}
}

func TestBuffers(t *testing.T) {
	be := open(t)
	b := alloc(t, be, 200)
	if err := be.Write(ctx, b, []byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	s, err := b.Slice(64, 100)
	if err != nil {
		t.Fatal(err)
	}
	s2, err := s.Slice(64, 36)
	if err != nil || s2.Bytes() != 36 {
		t.Fatal(err, s2.Bytes())
	}
	if err := be.Write(ctx, s2, []byte("abc")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 131)
	if err := be.Read(ctx, got, b); err != nil {
		t.Fatal(err)
	}
	if string(got[:10]) != "0123456789" || string(got[128:131]) != "abc" {
		t.Errorf("got %q", got)
	}
	if p := uintptr(unsafe.Pointer(unsafe.SliceData(b.(*buffer).mustMemory(t)))); p%align != 0 {
		t.Errorf("memory at %#x is not a multiple of %d", p, align)
	}
	for _, r := range [][2]int64{{-64, 8}, {32, 8}, {64, 137}, {0, -1}, {256, 0}, {64, 1<<63 - 1}} {
		if _, err := b.Slice(r[0], r[1]); err == nil {
			t.Errorf("Slice(%d, %d) of 200 bytes succeeded", r[0], r[1])
		}
	}
	if err := be.Write(ctx, s2, make([]byte, 37)); err == nil {
		t.Error("Write beyond the end of a slice succeeded")
	}
	if err := be.Read(ctx, make([]byte, 37), s2); err == nil {
		t.Error("Read beyond the end of a slice succeeded")
	}
	if err := s.Close(); err != nil || be.Live().Buffers != 1 {
		t.Errorf("closing a slice: %v, %+v", err, be.Live())
	}
	empty := alloc(t, be, 0)
	if err := be.Read(ctx, nil, empty); err != nil {
		t.Error(err)
	}
	if l := be.Live(); l != (backend.Live{Buffers: 2, Bytes: 200}) {
		t.Errorf("Live: got %+v", l)
	}
	_, err = be.Alloc(-1)
	wantError(t, err, "bytes: got -1, want 0 or more")
	_, err = be.Alloc(maxBuffer + 1)
	var limit *backend.LimitError
	if !errors.As(err, &limit) || limit.Max != be.Caps().MaxBuffer {
		t.Errorf("Alloc: got %v, want a LimitError", err)
	}
}

func (b *buffer) mustMemory(t *testing.T) []byte {
	t.Helper()
	mem, err := b.memory()
	if err != nil {
		t.Fatal(err)
	}
	return mem
}

func alloc(t testing.TB, be backend.Backend, bytes int64) backend.Buffer {
	t.Helper()
	b, err := be.Alloc(bytes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func wantError(t testing.TB, err error, part string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), part) {
		t.Errorf("got error %v, want one that says %q", err, part)
	}
}

// relu returns a kernel for four elements.
func relu(t testing.TB, be backend.Backend) backend.Kernel {
	t.Helper()
	k, err := be.Prepare(ctx, backend.Desc{Op: backend.Activation{}, In: []backend.TensorDesc{backend.F32(4)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return k
}

func TestUseAfterClose(t *testing.T) {
	be := open(t)
	k, in, out := relu(t, be), alloc(t, be, 16), alloc(t, be, 16)
	s, err := out.Slice(0, 16)
	if err != nil {
		t.Fatal(err)
	}
	run := func(in, out backend.Buffer) error {
		return k.Run(ctx, backend.Args{In: []backend.Buffer{in}, Out: []backend.Buffer{out}})
	}
	if err := run(in, s); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(out.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
	_, sliceErr := s.Slice(0, 4)
	for what, err := range map[string]error{"run on a slice": run(in, s), "run on a buffer": run(in, out), "slice": sliceErr,
		"write": be.Write(ctx, s, nil), "read": be.Read(ctx, nil, out)} {
		if !errors.Is(err, backend.ErrClosed) {
			t.Errorf("%s: got %v, want ErrClosed", what, err)
		}
	}
	out = alloc(t, be, 16)
	if err := errors.Join(k.Close(), k.Close()); err != nil {
		t.Fatal(err)
	}
	if err := run(in, out); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("run of a closed kernel: got %v, want ErrClosed", err)
	}
	in.Close()
	out.Close()
	if err := errors.Join(be.Close(), be.Close()); err != nil {
		t.Fatal(err)
	}
	_, allocErr := be.Alloc(1)
	_, prepareErr := be.Prepare(ctx, backend.Desc{Op: backend.Activation{}, In: []backend.TensorDesc{backend.F32(4)}})
	_, packErr := be.Pack(ctx, from(f32(1), 1), backend.F32(1), nil)
	for what, err := range map[string]error{"alloc": allocErr, "prepare": prepareErr, "pack": packErr, "sync": be.Sync(ctx),
		"write": be.Write(ctx, in, nil), "read": be.Read(ctx, nil, in), "run": run(in, out)} {
		if !errors.Is(err, backend.ErrClosed) {
			t.Errorf("%s on a closed device: got %v, want ErrClosed", what, err)
		}
	}
}

func TestLeak(t *testing.T) {
	be, err := backend.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	b, err := be.Alloc(100)
	if err != nil {
		t.Fatal(err)
	}
	k := relu(t, be)
	err = be.Close()
	var leak *backend.LeakError
	if !errors.As(err, &leak) || leak.Live != (backend.Live{Buffers: 1, Bytes: 100, Kernels: 1}) {
		t.Fatalf("got %v, want a LeakError of a buffer and a kernel", err)
	}
	if !be.Live().Zero() {
		t.Errorf("still open after Close: %+v", be.Live())
	}
	if err := errors.Join(b.Close(), k.Close()); err != nil {
		t.Errorf("closing again: %v", err)
	}
	if again := be.Close(); again != err {
		t.Errorf("second Close: got %v, want what the first one said: %v", again, err)
	}
	if !be.Live().Zero() {
		t.Errorf("counted twice: %+v", be.Live())
	}
}

func TestForeignBuffers(t *testing.T) {
	be, other := open(t), open(t)
	k, own, foreign := relu(t, be), alloc(t, be, 16), alloc(t, other, 16)
	for _, b := range []backend.Buffer{foreign, strange{own}, (*buffer)(nil)} {
		err := be.Write(ctx, b, nil)
		wantError(t, err, "of another device")
		wantError(t, be.Read(ctx, nil, b), "of another device")
		for _, a := range []backend.Args{{In: []backend.Buffer{b}, Out: []backend.Buffer{own}}, {In: []backend.Buffer{own}, Out: []backend.Buffer{b}}} {
			var shape *backend.ShapeError
			if err := k.Run(ctx, a); !errors.As(err, &shape) {
				t.Errorf("run with %T: got %v, want a ShapeError", b, err)
			}
		}
	}
	wantError(t, be.Write(ctx, nil, nil), "of another device")
}

// strange is a buffer of some other backend.
type strange struct{ backend.Buffer }

func TestRunArgs(t *testing.T) {
	be := open(t)
	k, b, short := relu(t, be), alloc(t, be, 16), alloc(t, be, 15)
	for _, c := range []struct {
		in, out []backend.Buffer
		want    string
	}{
		{nil, []backend.Buffer{b}, "0 in, 1 out"},
		{[]backend.Buffer{b}, nil, "1 in, 0 out"},
		{[]backend.Buffer{b, b}, []backend.Buffer{b}, "2 in, 1 out"},
		{[]backend.Buffer{nil}, []backend.Buffer{b}, "in[0]: got nil"},
		{[]backend.Buffer{short}, []backend.Buffer{b}, "in[0]: got 15 bytes, want 16"},
		{[]backend.Buffer{b}, []backend.Buffer{short}, "out[0]: got 15 bytes, want 16"},
	} {
		wantError(t, k.Run(ctx, backend.Args{In: c.in, Out: c.out}), c.want)
	}
}

func TestContext(t *testing.T) {
	be := open(t)
	k, b := relu(t, be), alloc(t, be, 16)
	done, cancel := context.WithCancel(ctx)
	cancel()
	_, prepareErr := be.Prepare(done, backend.Desc{})
	_, packErr := be.Pack(done, nil, backend.TensorDesc{}, nil)
	for what, err := range map[string]error{"run": k.Run(done, backend.Args{}), "read": be.Read(done, nil, b), "write": be.Write(done, b, nil),
		"sync": be.Sync(done), "prepare": prepareErr, "pack": packErr} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want context.Canceled", what, err)
		}
	}
}

func TestPrepareErrors(t *testing.T) {
	be := open(t)
	x := []backend.TensorDesc{backend.F32(1, 1, 4, 4)}
	for _, c := range []struct {
		name string
		d    backend.Desc
		want string
	}{
		{"no op", backend.Desc{}, "an op"},
		{"inputs", backend.Desc{Op: backend.Activation{}}, "inputs: got 0, want 1: [x]"},
		{"algorithm", backend.Desc{Op: backend.Activation{}, In: x, Algorithm: "winograd"}, "algorithm: got winograd, want definition"},
		{"pass", backend.Desc{Op: backend.Activation{}, Pass: backend.BackwardData, In: x}, "backward-data pass: unsupported"},
		{"limit", backend.Desc{Op: backend.Activation{}, In: []backend.TensorDesc{backend.F32(1 << 40)}}, "bytes: got 4398046511104, want at most"},
		{"op of another package", backend.Desc{Op: stranger{}, In: x}, "unsupported"},
		{"layout", backend.Desc{Op: backend.Activation{}, In: []backend.TensorDesc{{DType: tensor.Float32, Shape: tensor.Shape{1, 5, 1}, Layout: backend.Layout{Order: backend.OrderChannelsLast, Pad: 1<<63 - 1}}}}, "a valid layout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := be.Prepare(ctx, c.d)
			wantError(t, err, c.want)
			if c.name != "algorithm" && c.name != "limit" && len(be.Algorithms(c.d)) != 0 {
				t.Error("Algorithms lists some")
			}
		})
	}
	if got := be.Algorithms(backend.Desc{Op: backend.Activation{}, In: x}); fmt.Sprint(got) != "[definition]" {
		t.Errorf("Algorithms: got %v", got)
	}
	if n := be.Live().Kernels; n != 0 {
		t.Errorf("%d kernels left by failures", n)
	}
}

// stranger is an op that this package does not define.
type stranger struct{ backend.Activation }

func TestPackErrors(t *testing.T) {
	be := open(t)
	x := from(f32(1, 2), 2)
	for _, c := range []struct {
		t    *tensor.Tensor
		d    backend.TensorDesc
		f    backend.Format
		want string
	}{
		{nil, backend.F32(2), nil, "t: got nil"},
		{x, backend.F32(3), nil, "want float32[3]"},
		{x, backend.TensorDesc{DType: tensor.Int32, Shape: tensor.Shape{2}}, nil, "want int32[2]"},
		{x, backend.TensorDesc{}, nil, "an element type"},
		{x, backend.F32(2), blocked{}, "blocked"},
	} {
		_, err := be.Pack(ctx, c.t, c.d, c.f)
		wantError(t, err, c.want)
	}
}

type blocked struct{}

func (blocked) String() string { return "blocked" }
func (blocked) Bytes() int64   { return 8 }

// Nil host tensors are errors, not panics.
func TestNilTensors(t *testing.T) {
	be := open(t)
	_, err := backend.RunOnce(ctx, be, backend.Activation{}, nil)
	wantError(t, err, "an element type")
	_, err = backend.RunOnce(ctx, be, nil)
	wantError(t, err, "an op")
	inst, err := backend.NewInstance(ctx, be, backend.DescOf(backend.Activation{}, from(f32(1), 1)))
	if err != nil {
		t.Fatal(err)
	}
	defer inst.Close()
	for _, i := range []int{-1, 0, 1} {
		if err := inst.SetInput(ctx, i, nil); err == nil {
			t.Errorf("SetInput(%d, nil) succeeded", i)
		}
	}
}

// An input that Info lists may be the output.
func TestInPlace(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	be := open(t)
	for name, c := range layoutCases(r) {
		for _, l := range []backend.Layout{backend.Plain, backend.ChannelsLast4} {
			d, err := backend.DescOf(c.op, c.in...).Resolve()
			if err != nil {
				t.Fatal(err)
			}
			d.In, d.Out = withLayout(d.In, l), withLayout(d.Out, l)
			inst, err := backend.NewInstance(ctx, be, d)
			if err != nil {
				t.Fatal(err)
			}
			defer inst.Close()
			want := run(t, c.op, c.in...)[0]
			for _, i := range inst.Kernel.Info().InPlace {
				for j, x := range c.in {
					if err := inst.SetInput(ctx, j, x); err != nil {
						t.Fatal(err)
					}
				}
				a := inst.Args
				a.Out = []backend.Buffer{a.In[i]}
				if err := inst.Kernel.Run(ctx, a); err != nil {
					t.Fatal(err)
				}
				got, err := backend.Download(ctx, be, a.In[i], inst.Kernel.Info().Out[0])
				if err != nil {
					t.Fatal(err)
				}
				same(t, name, got, want.Float32s())
			}
			if n := len(inst.Kernel.Info().InPlace); n == 0 && (name == "sigmoid" || name == "batchnorm" || name == "add") {
				t.Errorf("%s: no input may be the output", name)
			}
		}
	}
}

// One kernel serves many goroutines, each with its own output.
func TestConcurrentRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	be := open(t)
	x, w := integers(r, 1, 3, 8, 8), integers(r, 4, 3, 3, 3)
	inst, err := backend.NewInstance(ctx, be, backend.DescOf(backend.Conv{}, x, w))
	if err != nil {
		t.Fatal(err)
	}
	defer inst.Close()
	if err := errors.Join(inst.SetInput(ctx, 0, x), inst.SetInput(ctx, 1, w), inst.Run(ctx)); err != nil {
		t.Fatal(err)
	}
	want, err := inst.Output(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			out, err := be.Alloc(inst.Kernel.Info().OutBytes(0))
			if err != nil {
				t.Error(err)
				return
			}
			defer out.Close()
			for range 10 {
				if err := inst.Kernel.Run(ctx, backend.Args{In: inst.Args.In, Out: []backend.Buffer{out}}); err != nil {
					t.Error(err)
					return
				}
				got, err := backend.Download(ctx, be, out, inst.Kernel.Info().Out[0])
				if err != nil {
					t.Error(err)
					return
				}
				if dot(got, got) != dot(want, want) || dot(got, want) != dot(want, want) {
					t.Error("a run gave something else")
					return
				}
			}
		})
	}
	wg.Wait()
}

// Kernels for several batch sizes share one packed weight, and an image's result
// does not depend on its batch.
func TestBatchSizesShareWeights(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 20))
	be := open(t)
	x, w := normals(r, 8, 3, 6, 5), normals(r, 4, 3, 3, 3)
	images := x.Float32s()
	var packed backend.Buffer
	var format backend.Format
	want := run(t, backend.Conv{}, x, w)[0].Float32s()
	for _, n := range []int{1, 3, 8} {
		batch := from(images[:n*3*6*5], n, 3, 6, 5)
		d := backend.DescOf(backend.Conv{}, batch, w)
		d.In[1].Layout = backend.ChannelsLast4
		k, err := be.Prepare(ctx, d)
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close()
		info := k.Info()
		if packed == nil {
			format = info.Formats[1]
			if packed, err = be.Pack(ctx, w, info.In[1], format); err != nil {
				t.Fatal(err)
			}
			defer packed.Close()
		}
		if info.Formats[1] != format || packed.Bytes() != info.InBytes(1) {
			t.Fatalf("batch %d wants the weights as %v in %d bytes", n, info.Formats[1], info.InBytes(1))
		}
		in, out := alloc(t, be, info.InBytes(0)), alloc(t, be, info.OutBytes(0))
		if err := be.Write(ctx, in, batch.Bytes()); err != nil {
			t.Fatal(err)
		}
		if err := k.Run(ctx, backend.Args{In: []backend.Buffer{in, packed}, Out: []backend.Buffer{out}}); err != nil {
			t.Fatal(err)
		}
		got, err := backend.Download(ctx, be, out, info.Out[0])
		if err != nil {
			t.Fatal(err)
		}
		same(t, "y", got, want[:got.Size()])
	}
}

// A run with the same arguments allocates nothing.
func TestRunAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	be := open(t)
	for name, c := range layoutCases(r) {
		inst, err := backend.NewInstance(ctx, be, backend.DescOf(c.op, c.in...))
		if err != nil {
			t.Fatal(err)
		}
		defer inst.Close()
		for i, x := range c.in {
			if err := inst.SetInput(ctx, i, x); err != nil {
				t.Fatal(err)
			}
		}
		if n := testing.AllocsPerRun(20, func() {
			if err := inst.Run(ctx); err != nil {
				t.Fatal(err)
			}
		}); n >= 1 {
			t.Errorf("%s: %v allocations a run", name, n)
		}
	}
}

// An empty tensor is computed by doing nothing.
func TestEmptyTensors(t *testing.T) {
	e := func(shape ...int) *tensor.Tensor { return tensor.Must(tensor.New(tensor.Float32, shape...)) }
	w := backend.Window{Kernel: []int{2, 2}}
	for _, c := range []struct {
		op backend.Op
		in []*tensor.Tensor
	}{
		{backend.MaxPool{Window: w, Indices: true}, []*tensor.Tensor{e(0, 3, 4, 4)}},
		{backend.AvgPool{Window: w}, []*tensor.Tensor{e(2, 0, 4, 4)}},
		{backend.GlobalPool{}, []*tensor.Tensor{e(0, 3, 4, 4)}},
		{backend.Dense{}, []*tensor.Tensor{e(0, 3), e(2, 3)}},
		{backend.MatMul{}, []*tensor.Tensor{e(2, 0, 3), e(3, 4)}},
		{backend.BatchNorm{}, []*tensor.Tensor{e(2, 3, 0), e(3), e(3), e(3), e(3)}},
		{backend.GroupNorm{Groups: 3}, []*tensor.Tensor{e(0, 3, 2), e(3), e(3)}},
		{backend.GroupNorm{Groups: 3}, []*tensor.Tensor{e(2, 3, 0), e(3), e(3)}},
		{backend.InstanceNorm{}, []*tensor.Tensor{e(2, 0, 4), e(0), e(0)}},
		{backend.LayerNorm{Axis: 1}, []*tensor.Tensor{e(0, 3, 2), e(3, 2), e(3, 2)}},
		{backend.LayerNorm{Axis: -1}, []*tensor.Tensor{e(2, 3, 0), e(0), e(0)}},
		{backend.LRN{Size: 3}, []*tensor.Tensor{e(2, 0, 3)}},
		{backend.Activation{}, []*tensor.Tensor{e(0)}},
		{backend.Softmax{}, []*tensor.Tensor{e(0, 3)}},
		{backend.Softmax{Axis: 1}, []*tensor.Tensor{e(3, 0)}},
		{backend.Binary{}, []*tensor.Tensor{e(0, 3), e(1, 3)}},
		{backend.Pad{Pads: []int{0, 1, 0, 1}}, []*tensor.Tensor{e(0, 3)}},
		{backend.Reshape{Shape: []int{3, 0}}, []*tensor.Tensor{e(5, 0)}},
		{backend.Flatten{Axis: 1}, []*tensor.Tensor{e(0, 3, 2)}},
		{backend.Reorder{}, []*tensor.Tensor{e(0, 3, 2)}},
	} {
		for _, l := range []backend.Layout{backend.Plain, backend.ChannelsLast4} {
			d, err := backend.DescOf(c.op, c.in...).Resolve()
			if err != nil {
				t.Errorf("%s: %v", c.op.Kind(), err)
				continue
			}
			d.In, d.Out = withLayout(d.In, l), withLayout(d.Out, l)
			if got := runDesc(t, d, c.in...)[0]; got.Size() != 0 {
				t.Errorf("%s: got shape %v", c.op.Kind(), got.Shape())
			}
		}
	}
}
