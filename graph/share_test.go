package graph_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// inputsOf makes inputs for a batch.
func (b *builder) inputsOf(batch int) []*tensor.Tensor {
	var in []*tensor.Tensor
	for _, s := range shapesOf(b, batch) {
		in = append(in, b.integers(s...))
	}
	return in
}

// emptyLike makes tensors to run into, filled with values that no result has.
func emptyLike(t *testing.T, ts []*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	var out []*tensor.Tensor
	for _, x := range ts {
		c := x.Clone()
		for i := range c.Float32s() {
			c.Float32s()[i] = -12345
		}
		out = append(out, c)
	}
	return out
}

// Many goroutines share one model, with three batch sizes and fewer plans and
// arenas than that, so that plans are evicted while others run.
func TestManyGoroutines(t *testing.T) {
	b := lenet(t)
	for _, name := range backends() {
		t.Run(name, func(t *testing.T) {
			be := open(t, name)
			m := compile(t, b.Graph, be, graph.WithPlans(2), graph.WithArenas(3))
			var in, want [3][]*tensor.Tensor
			for i := range in {
				in[i] = b.inputsOf(i + 1)
				var err error
				if want[i], err = m.Run(ctx, in[i]...); err != nil {
					t.Fatal(err)
				}
			}
			var wg sync.WaitGroup
			for g := range 64 {
				wg.Go(func() {
					k := g % 3
					out := emptyLike(t, want[k])
					for range 3 {
						if err := m.RunInto(ctx, out, in[k]); err != nil {
							t.Error(err)
							return
						}
						equal(t, "shared", out, want[k])
					}
				})
			}
			wg.Wait()
		})
	}
}

// A model that runs on and on grows nothing, and its steps allocate nothing.
func TestRunsGrowNothing(t *testing.T) {
	b := lenet(t)
	for _, name := range backends() {
		t.Run(name, func(t *testing.T) {
			runs := 10000
			if testing.Short() || graph.RaceEnabled {
				runs = 300
			}
			be := open(t, name)
			m := compile(t, b.Graph, be)
			in := b.inputsOf(2)
			out, err := m.Run(ctx, in...)
			if err != nil {
				t.Fatal(err)
			}
			want := emptyLike(t, out)
			for i := range want {
				copy(want[i].Bytes(), out[i].Bytes())
			}
			step := func() {
				if err := m.RunInto(ctx, out, in); err != nil {
					t.Fatal(err)
				}
			}
			step()
			live := be.Live()
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			for range runs {
				step()
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			equal(t, "the last run", out, want)
			if l := be.Live(); l != live {
				t.Errorf("after %d runs the ledger is %+v, it was %+v", runs, l, live)
			}
			if after.HeapInuse > before.HeapInuse+1<<20 {
				t.Errorf("after %d runs the heap has %d bytes, it had %d", runs, after.HeapInuse, before.HeapInuse)
			}
			// Kernels are enqueued for nothing; a transfer to or from OpenGL's thread
			// takes five small objects.
			limit := 0.5
			if name == "gl" {
				limit += 5 * float64(len(in)+len(out))
			}
			if per := float64(after.Mallocs-before.Mallocs) / float64(runs); per > limit && !graph.RaceEnabled {
				t.Errorf("%.2f allocations a run, want at most %v", per, limit)
			}
		})
	}
}

// Plans for other shapes share the packed weights, and the oldest plan goes.
func TestPlansShareWeights(t *testing.T) {
	b := lenet(t)
	for _, name := range backends() {
		t.Run(name, func(t *testing.T) {
			be := open(t, name)
			m := compile(t, b.Graph, be, graph.WithPlans(2))
			var live []backend.Live
			weights := int64(0)
			for batch := 1; batch <= 5; batch++ {
				if _, err := m.Run(ctx, b.inputsOf(batch)...); err != nil {
					t.Fatal(err)
				}
				if w := m.WeightBytes(); weights != 0 && w != weights {
					t.Errorf("batch %d: %d bytes of weights, want the %d of batch 1", batch, w, weights)
				}
				weights = m.WeightBytes()
				live = append(live, be.Live())
			}
			if live[4].Kernels != live[2].Kernels || live[4].Buffers != live[2].Buffers {
				t.Errorf("open objects grow with evicted plans: %+v", live)
			}
		})
	}
}

func TestCloseEndsEverything(t *testing.T) {
	b := branches(t)
	for _, name := range backends() {
		be := open(t, name)
		m, err := graph.Compile(ctx, b.Graph, be)
		if err != nil {
			t.Fatal(err)
		}
		in := b.inputsOf(2)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					if _, err := m.Run(ctx, in...); err != nil {
						if !errors.Is(err, backend.ErrClosed) {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		if _, err := m.Run(ctx, in...); err != nil {
			t.Fatal(err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if l := be.Live(); !l.Zero() {
			t.Errorf("%s: after Close the ledger is %+v", name, l)
		}
		if _, err := m.Plan(ctx, shapesOf(b, 1)...); !errors.Is(err, backend.ErrClosed) {
			t.Errorf("Plan after Close: %v", err)
		}
	}
}

// limited refuses kernels for more than two images, as a device with small
// buffers does.
type limited struct{ backend.Backend }

func (l limited) Prepare(ctx context.Context, d backend.Desc) (backend.Kernel, error) {
	if s := d.In[0].Shape; len(s) == 4 && s[0] > 2 {
		return nil, &backend.LimitError{Op: d.Op.Kind(), What: "images", Got: int64(s[0]), Max: 2}
	}
	return l.Backend.Prepare(ctx, d)
}

func TestLargeBatchIsSplit(t *testing.T) {
	b := lenet(t)
	be := open(t, "cpu")
	m := compile(t, b.Graph, limited{be})
	in := b.inputsOf(7)
	got, err := m.Run(ctx, in...)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "split", got, interpret(t, b.Graph, be, in...))

	// So are slices, stretched and repeated values of each image.
	s := build(t, "slices")
	all := backend.SliceEnd
	v := s.op("tile", backend.Tile{Repeats: []int{1, 2, 1, 1}}, s.in("x", -1, 2, 3, 3))
	v = s.op("expand", backend.Expand{Shape: []int{1, 1, 2, 1}}, s.op("row", backend.Slice{Starts: []int{0, 1, 1, 0}, Ends: []int{all, all, 2, all}}, v))
	s.out("y", s.op("conv", backend.Conv{}, v, s.weights("w", 4, 3, 1, 1)))
	in = s.inputsOf(7)
	if got, err = compile(t, s.Graph, limited{be}).Run(ctx, in...); err != nil {
		t.Fatal(err)
	}
	equal(t, "slices", got, interpret(t, s.Graph, be, in...))

	// A slice of the batch takes other images of each part.
	f := build(t, "flipped")
	v = f.op("flip", backend.Slice{Starts: []int{all, 0, 0, 0}, Ends: []int{-1, all, all, all}, Steps: []int{-1, 1, 1, 1}}, f.in("x", -1, 2, 3, 3))
	f.out("y", f.op("conv", backend.Conv{}, v, f.weights("w", 4, 2, 3, 3)))
	var slice *backend.LimitError
	if _, err := compile(t, f.Graph, limited{be}).Run(ctx, f.inputsOf(7)...); !errors.As(err, &slice) {
		t.Errorf("a batch in another order: got %v, want a LimitError", err)
	}

	// A softmax over the batch is another function of parts.
	c := build(t, "mixes")
	x := c.in("x", -1, 2, 3, 3)
	c.out("y", c.op("softmax", backend.Softmax{Axis: 0}, c.op("conv", backend.Conv{}, x, c.weights("w", 4, 2, 3, 3))))
	mixes := compile(t, c.Graph, limited{be})
	var limit *backend.LimitError
	if _, err := mixes.Run(ctx, c.inputsOf(7)...); !errors.As(err, &limit) || limit.Node != "conv" {
		t.Errorf("a batch that mixes images: got %v, want a LimitError at conv", err)
	}
}

func TestBadInput(t *testing.T) {
	b := branches(t)
	be := open(t, "cpu")
	m := compile(t, b.Graph, be)
	good := b.inputsOf(2)
	out, err := m.Run(ctx, good...)
	if err != nil {
		t.Fatal(err)
	}
	x := func(shape ...int) *tensor.Tensor { return b.integers(shape...) }
	for _, c := range []struct {
		name, want string
		in         []*tensor.Tensor
	}{
		{"count", "got 1, want 2", good[:1]},
		{"nil", `"y": x: got nil`, []*tensor.Tensor{good[0], nil}},
		{"rank", "add the batch dim?", []*tensor.Tensor{x(6, 8, 8), good[1]}},
		{"dim", "want float32[N,6,8,8]", []*tensor.Tensor{x(2, 6, 8, 9), good[1]}},
		{"channels-last", "channels-last?", []*tensor.Tensor{x(2, 8, 8, 6), good[1]}},
		{"batch", "as in another input", []*tensor.Tensor{x(3, 6, 8, 8), good[1]}},
		{"type", "got int32", []*tensor.Tensor{tensor.Must(tensor.New(tensor.Int32, 2, 6, 8, 8)), good[1]}},
	} {
		if _, err := m.Run(ctx, c.in...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", c.name, err, c.want)
		}
	}
	if err := m.RunInto(ctx, out[1:], good); err == nil {
		t.Error("too few outputs were accepted")
	}
	bad := append([]*tensor.Tensor{x(1)}, out[1:]...)
	if err := m.RunInto(ctx, bad, good); err == nil || !strings.Contains(err.Error(), `Output "pool"`) {
		t.Errorf("an output of a wrong shape: %v", err)
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := m.Run(done, good...); !errors.Is(err, context.Canceled) {
		t.Errorf("a run with a cancelled context: %v", err)
	}
	if _, err := graph.Compile(ctx, graph.New("empty"), be); err == nil {
		t.Error("a graph without outputs was compiled")
	}
}
