package graph_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

func wantError(t *testing.T, what string, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: got %v, want an error with %q", what, err, text)
	}
}

// What a graph cannot hold is refused with an error, and leaves no trace.
func TestGraphRefuses(t *testing.T) {
	var g graph.Graph // not made by New
	_, err := g.Input("x", tensor.Float32, graph.Dims(2, -3, -3))
	if err != nil {
		t.Fatal(err)
	}
	_, err = g.Input("y", tensor.Float32, graph.Shape{graph.Static(-2), graph.Symbol("H")})
	wantError(t, "a negative dim", err, `"y"`)
	if s := g.Symbols(); len(s) != 1 {
		t.Errorf("symbols %v, want N alone", s)
	}
	y, err := g.Input("y", tensor.Float32, graph.Dims(4))
	if err != nil {
		t.Errorf("the name of a refused input: %v", err)
	}
	other := graph.New("other")
	_, err = other.Apply("relu", backend.Activation{}, y)
	wantError(t, "an input of another graph", err, "another graph")
	wantError(t, "an output of another graph", other.Output("y", y), "another graph")
	_, err = g.Apply("ptr", &backend.Activation{}, y)
	wantError(t, "a pointer", err, "by value")
	_, err = g.Apply("nil", (*backend.Activation)(nil), y)
	wantError(t, "a nil pointer", err, "by value")
	_, err = g.Apply("none", nil, y)
	wantError(t, "no op", err, "no op")
	_, err = g.Apply("source", source{})
	wantError(t, "an op without inputs", err, "0 inputs and 1 outputs")
	_, err = g.Apply("huge", backend.Pad{Pads: []int{0, 1 << 60}}, y)
	wantError(t, "a huge pad", err, `"huge"`)
	_, err = graph.Compile(ctx, nil, open(t, "cpu"))
	wantError(t, "no graph", err, "needs a graph")
	_, err = graph.Compile(ctx, &g, nil)
	wantError(t, "no backend", err, "needs a graph and a backend")
	_, err = g.Const("zero", &tensor.Tensor{})
	wantError(t, "a zero tensor", err, "a constant without a tensor")
	_, err = graph.Compile(noContext, &g, open(t, "cpu"))
	wantError(t, "no context", err, "ctx is nil")
	_, _, err = graph.Optimize(nil)
	wantError(t, "no graph to optimise", err, "needs a graph")
	_, _, err = graph.Optimize(&g, nil)
	wantError(t, "a nil option", err, "option 0 of Optimize is nil")
	_, _, err = graph.Optimize(&g, graph.WithoutPass("afine"))
	wantError(t, "a pass that there is not", err, `"afine", want one of [dead-code`)
}

var noContext context.Context

// source is an op of a user that has no inputs.
type source struct{ graph.Identity }

func (source) Args() (in, out []backend.Arg) { return nil, []backend.Arg{{Name: "y"}} }

func (source) Infer([]backend.TensorDesc) ([]backend.TensorDesc, error) {
	return []backend.TensorDesc{{Shape: tensor.Shape{2}}}, nil
}

// A backend that is closed is refused at once, and nothing is left open on one that is
// not.
func TestCompileOnClosedBackend(t *testing.T) {
	b := lenet(t)
	for _, name := range backends() {
		be, err := backend.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := graph.Compile(ctx, b.Graph, be)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if l := be.Live(); !l.Zero() {
			t.Errorf("%s: open are %+v", name, l)
		}
		if err := be.Close(); err != nil {
			t.Error(err)
		}
		if _, err := graph.Compile(ctx, b.Graph, be); !errors.Is(err, backend.ErrClosed) {
			t.Errorf("%s: got %v, want ErrClosed", name, err)
		}
	}
}

// The error of a node that joins values of sizes that do not agree says where they come
// from and which sizes of the inputs would fit.
func TestBindExplainsJoins(t *testing.T) {
	net := func(levels int) *graph.Model {
		b := build(t, "halves")
		x, err := b.Input("x", tensor.Float32, graph.Shape{graph.Symbol("N"), graph.Static(2), graph.Symbol("H"), graph.Symbol("W")})
		b.must(err)
		h := x
		for i := range levels {
			h = b.op(fmt.Sprint("down", i), backend.MaxPool{Window: window(2, 2, 0)}, h)
		}
		h = b.op("up", backend.Resize{Scales: []float64{float64(int(1) << levels), float64(int(1) << levels)}, Coord: backend.Asymmetric}, h)
		b.out("y", b.op("join", backend.Concat{Axis: 1, Inputs: 2}, x, h))
		return compile(t, b.Graph, open(t, "cpu"))
	}
	for _, c := range []struct {
		levels, n, h, w int
		want            string
	}{
		{1, 1, 7, 4, `"x" gives [1,2,7,4]; "up" gives [1,2,6,4]; multiples of 2 fit, as x [1,2,8,4])`},
		{2, 3, 4, 6, `"x" gives [3,2,4,6]; "up" gives [3,2,4,4]; multiples of 4 fit, as x [3,2,4,8])`},
		{4, 1, 31, 33, `"x" gives [1,2,31,33]; "up" gives [1,2,16,32]; multiples of 16 fit, as x [1,2,32,48])`},
	} {
		m := net(c.levels)
		in := tensor.Must(tensor.New(tensor.Float32, c.n, 2, c.h, c.w))
		_, err := m.Run(ctx, in)
		var shape *backend.ShapeError
		if !errors.As(err, &shape) || shape.Node != "join" || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%d×%d: got %v\nwant %s", c.h, c.w, err, c.want)
		}
		_, planErr := m.Plan(ctx, in.Shape())
		if planErr == nil || planErr.Error() != err.Error() {
			t.Errorf("Plan: got %v\nwant %v", planErr, err)
		}
	}

	// What follows from the batch is no fault of the picture's size.
	b := build(t, "batch")
	x := b.op("image", backend.Reshape{Shape: []int{1, 1, -1, 4}}, b.in("x", -1, 4))
	h := b.op("down", backend.MaxPool{Window: backend.Window{Kernel: []int{2, 1}, Strides: []int{2, 1}}}, x)
	h = b.op("up", backend.Resize{Scales: []float64{2, 1}, Coord: backend.Asymmetric}, h)
	b.out("y", b.op("join", backend.Concat{Axis: 1, Inputs: 2}, x, h))
	_, err := compile(t, b.Graph, open(t, "cpu")).Run(ctx, b.integers(3, 4))
	wantError(t, "an odd batch", err, `"up" gives [1,1,2,4])`)
}

// own is an op of a user, with a field that nobody else may read.
type own struct {
	graph.Identity
	secret int
}

func (own) Kind() string { return "Own" }

func TestForeignOp(t *testing.T) {
	b := build(t, "own")
	b.out("y", b.op("own", own{secret: 1}, b.in("x", 2, 3)))
	if s := b.String(); !strings.Contains(s, "own = Own(x)") {
		t.Error(s)
	}
	m := compile(t, b.Graph, open(t, "cpu"))
	if _, err := m.Run(ctx, b.integers(2, 3)); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), `"own"`) {
		t.Errorf("got %v, want an error for a node without a kernel", err)
	}
}

func TestModelRefusesShapes(t *testing.T) {
	b := build(t, "vector")
	b.out("y", b.op("relu", backend.Activation{}, b.in("x", 5)))
	b.out("z", b.in("n", -1))
	m := compile(t, b.Graph, open(t, "cpu"))
	_, err := m.Run(noContext, b.integers(5), b.integers(1))
	wantError(t, "no context", err, "ctx is nil")
	_, err = m.Run(ctx, b.integers(6), b.integers(1))
	wantError(t, "another size", err, "want float32[5]")
	for _, n := range []int{-1, 1 << 62} {
		_, err = m.Plan(ctx, tensor.Shape{5}, tensor.Shape{n})
		wantError(t, "a batch that cannot be", err, `Input "n"`)
	}
	_, err = m.Plan(ctx, tensor.Shape{5}, tensor.Shape{1 << 59})
	if err != nil && !strings.Contains(err.Error(), "at most") {
		t.Errorf("a huge batch: %v", err)
	}
	_, err = m.Plan(ctx, tensor.Shape{5}, tensor.Shape{1<<60 - 1})
	wantError(t, "a batch beyond an int64", err, "at most")
}

// What no memory suffices for is an error, not the end of the process.
func TestRunBeyondMemory(t *testing.T) {
	b := build(t, "huge")
	x := b.in("x", -1, 1, 1, 1)
	b.out("y", b.op("up", backend.Resize{Size: []int{1 << 21, 1 << 21}}, x))
	be := open(t, "cpu")
	m := compile(t, b.Graph, be)
	live := be.Live()
	var limit *backend.LimitError
	if _, err := m.Run(ctx, b.integers(1, 1, 1, 1)); !errors.As(err, &limit) {
		t.Errorf("16 TiB of output: got %v, want a LimitError", err)
	}
	if l := be.Live(); l.Buffers != live.Buffers {
		t.Errorf("left open: %+v", l)
	}
}

// Without the passes that remove them, Identity and the like and nodes of constants
// alone run all the same, also where nothing else is left.
func TestConstantsAndViews(t *testing.T) {
	b := build(t, "constants")
	k := b.weights("k", 2, 3, 4, 4)
	id := b.op("id", graph.Identity{}, b.op("drop", graph.Dropout{Rate: 0.5}, k))
	b.out("id", id)
	b.out("relu", b.op("relu", backend.Activation{}, id))
	b.out("flat", b.op("flat", backend.Flatten{Axis: 1}, id))
	b.out("conv", b.op("conv", backend.Conv{}, id, b.op("idw", graph.Identity{}, b.weights("w", 5, 3, 2, 2))))
	b.out("fc", b.op("fc", backend.Dense{}, b.op("flat2", backend.Flatten{Axis: 1}, id), b.weights("wf", 2, 48)))
	b.out("pads", b.op("pad2", backend.Pad{Pads: []int{0, 0, 1, 0, 0, 0, 0, 1}}, b.op("pad1", backend.Pad{}, id)))
	b.out("again", b.op("pad4", backend.Pad{}, b.op("pad3", backend.Pad{Pads: []int{0, 0, 1, 0, 0, 0, 0, 1}}, id)))
	want := interpret(t, b.Graph, open(t, "ref"))
	for _, name := range backends() {
		for what, opts := range map[string][]graph.Option{
			"all passes":       nil,
			"without identity": {graph.WithoutPass("identity")},
			"no folding":       {graph.WithFoldCap(0)},
			"neither":          {graph.WithFoldCap(0), graph.WithoutPass("identity")},
		} {
			got, err := compile(t, b.Graph, open(t, name), graph.WithPasses(opts...)).Run(ctx)
			if err != nil {
				t.Errorf("%s, %s: %v", name, what, err)
				continue
			}
			equal(t, name+", "+what, got, want)
		}
	}
}

// A run of parts writes to tensors of the caller, which are checked before.
func TestSplitChecksOutputs(t *testing.T) {
	b := lenet(t)
	m := compile(t, b.Graph, limited{open(t, "cpu")})
	in := b.inputsOf(5)
	for what, out := range map[string][]*tensor.Tensor{
		"nil":     {nil},
		"a batch": {b.integers(4, 7)},
		"a rank":  {tensor.Must(tensor.New(tensor.Float32))},
	} {
		wantError(t, what, m.RunInto(ctx, out, in), `Output "y"`)
	}
	wantError(t, "no output", m.RunInto(ctx, nil, in), "outputs: got 0, want 1")
}

// Weights that the batch computes pair its images, which parts would not.
func TestPairedImagesAreNotSplit(t *testing.T) {
	b := build(t, "pairs")
	x, w := b.in("x", -1, 2, 3, 3), b.in("w", -1, 2, 3, 3)
	b.out("y", b.op("gap", backend.GlobalPool{}, b.op("conv", backend.Conv{}, x, w)))
	m := compile(t, b.Graph, limited{open(t, "cpu")})
	_, err := m.Run(ctx, b.inputsOf(3)...)
	wantError(t, "computed weights", err, "images")
}

// hooked is a backend that calls before with the name of each method, or of Kernel's
// Run, and fails where it does.
type hooked struct {
	backend.Backend
	before func(call string) error
}

func (h hooked) Alloc(n int64) (backend.Buffer, error) {
	if err := h.before("Alloc"); err != nil {
		return nil, err
	}
	return h.Backend.Alloc(n)
}

func (h hooked) Write(ctx context.Context, b backend.Buffer, p []byte) error {
	if err := h.before("Write"); err != nil {
		return err
	}
	return h.Backend.Write(ctx, b, p)
}

func (h hooked) Read(ctx context.Context, p []byte, b backend.Buffer) error {
	if err := h.before("Read"); err != nil {
		return err
	}
	return h.Backend.Read(ctx, p, b)
}

func (h hooked) Sync(ctx context.Context) error {
	if err := h.before("Sync"); err != nil {
		return err
	}
	return h.Backend.Sync(ctx)
}

func (h hooked) Pack(ctx context.Context, t *tensor.Tensor, d backend.TensorDesc, format backend.Format) (backend.Buffer, error) {
	if err := h.before("Pack"); err != nil {
		return nil, err
	}
	return h.Backend.Pack(ctx, t, d, format)
}

func (h hooked) Prepare(ctx context.Context, d backend.Desc) (backend.Kernel, error) {
	if err := h.before("Prepare"); err != nil {
		return nil, err
	}
	k, err := h.Backend.Prepare(ctx, d)
	return hookedKernel{k, h}, err
}

type hookedKernel struct {
	backend.Kernel
	of hooked
}

func (k hookedKernel) Run(ctx context.Context, a backend.Args) error {
	if err := k.of.before("Run"); err != nil {
		return err
	}
	return k.Kernel.Run(ctx, a)
}

// Whichever call fails, Compile or Run returns the error, the model runs again
// afterwards, and nothing stays open.
func TestEveryCallMayFail(t *testing.T) {
	b := branches(t)
	be := open(t, "cpu")
	in := b.inputsOf(2)
	want := interpret(t, b.Graph, open(t, "ref"), in...)
	boom := errors.New("boom")
	for at := int64(1); ; at++ {
		calls := int64(0)
		f := hooked{be, func(string) error {
			if calls++; calls == at {
				return boom
			}
			return nil
		}}
		m, err := graph.Compile(ctx, b.Graph, f, graph.WithArenas(1)) // which the next run waits for
		if err == nil {
			if _, err = m.Run(ctx, in...); err != nil {
				got, again := m.Run(ctx, in...)
				if again != nil {
					t.Fatalf("call %d failed; the next run: %v", at, again)
				}
				equal(t, fmt.Sprintf("after call %d", at), got, want)
			}
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if l := be.Live(); !l.Zero() {
			t.Fatalf("call %d failed; open are %+v", at, l)
		}
		if err == nil {
			if at < 20 {
				t.Fatalf("%d calls only", at)
			}
			return
		}
		if !errors.Is(err, boom) {
			t.Fatalf("call %d: got %v, want boom", at, err)
		}
	}
}

// tight has memory for so many bytes in one piece.
type tight struct {
	backend.Backend
	max *atomic.Int64
}

func (l tight) Alloc(n int64) (backend.Buffer, error) {
	if m := l.max.Load(); n > m {
		return nil, &backend.LimitError{Op: "Alloc", What: "bytes", Got: n, Max: m}
	}
	return l.Backend.Alloc(n)
}

// Where memory for the arena of a batch is not there, parts of it are run; where it
// is not there for one more arena, a run waits for one.
func TestMemoryIsShort(t *testing.T) {
	b := lenet(t)
	be := tight{open(t, "cpu"), new(atomic.Int64)}
	be.max.Store(1 << 40)
	m := compile(t, b.Graph, be)
	p, err := m.Plan(ctx, shapesOf(b, 2)...)
	if err != nil {
		t.Fatal(err)
	}
	be.max.Store(p.Arena())
	in := b.inputsOf(7)
	want := interpret(t, b.Graph, open(t, "ref"), in...)
	got, err := m.Run(ctx, in...)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "Run in parts", got, want)
	got = emptyLike(t, want)
	if err := m.RunInto(ctx, got, in); err != nil {
		t.Fatal(err)
	}
	equal(t, "RunInto in parts", got, want)

	be.max.Store(0)
	done := make(chan error, 8)
	for range cap(done) {
		go func() {
			_, err := m.Run(ctx, b.inputsOf2(in)...)
			done <- err
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Errorf("a run that could wait for memory: %v", err)
		}
	}
}

// inputsOf2 takes the first two images of each input.
func (b *builder) inputsOf2(in []*tensor.Tensor) []*tensor.Tensor {
	var first []*tensor.Tensor
	for _, t := range in {
		s := t.Shape().Clone()
		s[0] = 2
		first = append(first, tensor.Must(tensor.From(t.Float32s()[:s.Size()], s...)))
	}
	return first
}

// A run that waits for an arena ends with its context, and Close waits for the one
// in progress.
func TestWaitingEndsWithContext(t *testing.T) {
	b := lenet(t)
	started, goOn := make(chan bool), make(chan bool)
	be := hooked{open(t, "cpu"), func(call string) error {
		if call == "Write" {
			started <- true
			<-goOn
		}
		return nil
	}}
	m, err := graph.Compile(ctx, b.Graph, be, graph.WithArenas(1))
	if err != nil {
		t.Fatal(err)
	}
	in := b.inputsOf(1)
	first := make(chan error, 1)
	go func() {
		_, err := m.Run(ctx, in...)
		first <- err
	}()
	<-started
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if _, err := m.Run(short, in...); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a run that waits: got %v, want the end of its context", err)
	}
	closed := make(chan error, 2)
	for range cap(closed) {
		go func() { closed <- m.Close() }()
	}
	select {
	case err := <-closed:
		t.Errorf("Close did not wait: %v", err)
	case <-time.After(10 * time.Millisecond):
	}
	goOn <- true
	if err := <-first; err != nil {
		t.Error(err)
	}
	for range cap(closed) {
		if err := <-closed; err != nil {
			t.Error(err)
		}
	}
	if l := be.Live(); !l.Zero() {
		t.Errorf("open are %+v", l)
	}
}

// Graphs of thousands of nodes are compiled in seconds.
func TestLargeGraph(t *testing.T) {
	b := build(t, "large")
	v := b.in("x", -1, 4, 6, 6)
	w := b.weights("w", 4, 4, 1, 1)
	first := v
	for i := range 1000 {
		name := fmt.Sprint("n", i)
		h := b.op(name+".conv", backend.Conv{Bias: true}, v, w, b.weights(name+".b", 4))
		h = b.op(name+".add", backend.Binary{}, h, first)
		h = b.op(name+".pool", backend.MaxPool{Window: window(3, 1, 1)}, h)
		h = b.op(name+".act", backend.Activation{Act: backend.Act{Kind: backend.Clip, Alpha: -1, Beta: 2}}, h)
		v = b.op(name+".sum", backend.Binary{Fn: backend.Sub}, h, v)
		if i%50 == 0 {
			first = v
		}
	}
	b.out("y", v)
	start := time.Now()
	m := compile(t, b.Graph, open(t, "cpu"))
	optimised := time.Since(start)
	if _, err := m.Plan(ctx, shapesOf(b, 2)...); err != nil {
		t.Fatal(err)
	}
	t.Logf("passes %v, plan %v", optimised, time.Since(start)-optimised)
	if d := time.Since(start); d > 60*time.Second {
		t.Errorf("5000 nodes took %v", d)
	}
}
