package cpu

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/ref"
	"github.com/convgl/convgl/tensor"
)

var ctx = context.Background()

// open returns a backend that must hold nothing at the end of the test.
func open(t testing.TB, name string, opts ...backend.Option) backend.Backend {
	t.Helper()
	be, err := backend.Open(name, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := be.Close(); err != nil {
			t.Error(err)
		}
	})
	return be
}

// isas returns the instruction sets that the machine has and CONVGL_CPU allows, and
// logs the others.
func isas(t testing.TB) []isa {
	t.Helper()
	best, err := chooseISA("", os.Getenv("CONVGL_CPU"), detectISA())
	if err != nil {
		t.Fatal(err)
	}
	var sets []isa
	for i := range isaNames {
		if set := isa(i); set <= best {
			sets = append(sets, set)
		} else {
			t.Logf("skipped: %v, as %s or CONVGL_CPU has %v", set, where(), best)
		}
	}
	return sets
}

// integers fills a tensor with −3 to 3: sums of products are exact in float32.
func integers(r *rand.Rand, d backend.TensorDesc) *tensor.Tensor {
	t := tensor.Must(tensor.New(d.DType, d.Shape...))
	switch v := any(t).(*tensor.Tensor); d.DType {
	case tensor.Float32:
		for i := range v.Float32s() {
			v.Float32s()[i] = float32(r.IntN(7) - 3)
		}
	case tensor.Int32:
		s, _ := tensor.Data[int32](v)
		for i := range s {
			s[i] = int32(r.IntN(1000) - 500)
		}
	}
	return t
}

func inputs(seed uint64, d backend.Desc) []*tensor.Tensor {
	r := rand.New(rand.NewPCG(seed, 1))
	var in []*tensor.Tensor
	for _, t := range d.In {
		in = append(in, integers(r, t))
	}
	return in
}

// plainDesc drops layouts, for the reference.
func plainDesc(d backend.Desc) backend.Desc {
	p := d
	p.In, p.Out, p.Algorithm = append([]backend.TensorDesc{}, d.In...), append([]backend.TensorDesc{}, d.Out...), ""
	for i := range p.In {
		p.In[i].Layout = backend.Any
	}
	for i := range p.Out {
		p.Out[i].Layout = backend.Any
	}
	if d.Out == nil {
		p.Out = nil
	}
	if _, ok := d.Op.(backend.Reorder); ok {
		p.In[0].Layout, p.Out[0].Layout = backend.Plain, backend.Plain
	}
	return p
}

// poisonedRun is RunDesc on outputs and a workspace full of NaN, that also checks
// the padding lanes and that a second run is bitwise equal.
func poisonedRun(t testing.TB, be backend.Backend, d backend.Desc, in []*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	inst, err := backend.NewInstance(ctx, be, d)
	if err != nil {
		t.Fatalf("%#v: %v", d.Op, err)
	}
	defer inst.Close()
	for i, x := range in {
		if err := inst.SetInput(ctx, i, x); err != nil {
			t.Fatal(err)
		}
	}
	var first []*tensor.Tensor
	for range 2 {
		for _, b := range append([]backend.Buffer{inst.Args.Workspace}, inst.Args.Out...) {
			if b != nil {
				poison(memoryOf(t, b))
			}
		}
		if err := inst.Run(ctx); err != nil {
			t.Fatalf("%#v: %v", d.Op, err)
		}
		var out []*tensor.Tensor
		for i, o := range inst.Kernel.Info().Out {
			checkLanes(t, d, o, inst.Args.Out[i])
			y, err := inst.Output(ctx, i)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, y)
		}
		if first == nil {
			first = out
			continue
		}
		for i := range out {
			if string(out[i].Bytes()) != string(first[i].Bytes()) {
				t.Fatalf("%#v %v: the second run differs", d.Op, d.In)
			}
		}
	}
	return first
}

func memoryOf(t testing.TB, b backend.Buffer) []byte {
	t.Helper()
	m := b.(*buffer)
	mem, err := m.of.dev.bytes(m)
	if err != nil {
		t.Fatal(err)
	}
	return mem
}

func poison(b []byte) {
	for i := range b {
		b[i] = 0xff
	}
}

func checkLanes(t testing.TB, d backend.Desc, o backend.TensorDesc, b backend.Buffer) {
	t.Helper()
	r, ok := channelRows(o)
	if !ok || r.pitch == r.c {
		return
	}
	v := view[uint32](memoryOf(t, b))
	for i := range r.total() {
		for j := r.c; j < r.pitch; j++ {
			if v[i*r.pitch+j] != 0 {
				t.Fatalf("%#v %v: padding lane %d of row %d is %#x", d.Op, o, j, i, v[i*r.pitch+j])
			}
		}
	}
}

// same reports the first element where got is not want (NaN equals NaN).
func same(t testing.TB, got, want *tensor.Tensor) bool {
	t.Helper()
	if want.DType() != tensor.Float32 {
		return string(got.Bytes()) == string(want.Bytes())
	}
	g, w := got.Float32s(), want.Float32s()
	if len(g) != len(w) {
		t.Errorf("shape %v, want %v", got.Shape(), want.Shape())
		return false
	}
	for i := range g {
		if g[i] != w[i] && (g[i] == g[i] || w[i] == w[i]) {
			t.Errorf("element %d is %v, want %v", i, g[i], w[i])
			return false
		}
	}
	return true
}

// ulps is the distance of two float32 in units in the last place.
func ulps(a, b float32) int {
	if a != a || b != b {
		if a != a && b != b {
			return 0
		}
		return math.MaxInt32
	}
	return int(math.Abs(float64(ordinal(a) - ordinal(b))))
}

func ordinal(f float32) int64 {
	i := int64(int32(math.Float32bits(f)))
	if i < 0 {
		i = math.MinInt32 - i
	}
	return i
}
