package onnx

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// seeds adds the small models of the conformance data, if they are there.
func seeds(f *testing.F) {
	root := os.Getenv("CONVGL_CONFORMANCE")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "conformance")
	}
	for _, pattern := range []string{"negative/*.onnx", "onnx_node/*/node/*/model.onnx"} {
		files, _ := filepath.Glob(filepath.Join(root, pattern))
		for _, path := range files {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			if len(data) < 1<<14 {
				f.Add(data)
			}
		}
	}
}

// FuzzRead loads files of any content, and runs those that can be loaded and are tiny.
func FuzzRead(f *testing.F) {
	seeds(f)
	be, err := backend.Open("cpu")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := be.Close(); err != nil {
			f.Error(err)
		}
	})
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Read(data)
		if err != nil {
			var refused *RefusedError
			if !errors.As(err, &refused) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		in, ok := tinyInputs(m)
		if !ok {
			return
		}
		s, err := m.Compile(context.Background(), be)
		if err != nil {
			return
		}
		defer func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
		out, err := s.Run(context.Background(), in...)
		if err == nil && len(out) != len(m.Outputs()) {
			t.Errorf("got %d outputs, want %d", len(out), len(m.Outputs()))
		}
	})
}

// tinyInputs returns inputs for a model that takes few elements.
func tinyInputs(m *Model) ([]*tensor.Tensor, bool) {
	var in []*tensor.Tensor
	for _, v := range m.Inputs() {
		shape := tensor.Shape{}
		for _, d := range v.Shape {
			n, static := d.Size()
			if !static {
				n = 2
			}
			shape = append(shape, n)
		}
		n, err := shape.Elems()
		if err != nil || n > 4096 || len(shape) > tensor.MaxRank {
			return nil, false
		}
		x, err := tensor.New(v.Type.DType(), shape...)
		if err != nil {
			return nil, false
		}
		for i := range x.Float32s() { // none of other types
			x.Float32s()[i] = float32(i%7) - 3
		}
		if v, err := tensor.Data[int64](x); err == nil {
			for i := range v {
				v[i] = int64(i%3) + 1
			}
		}
		in = append(in, x)
	}
	return in, true
}

// anySeeds adds bytes for models of any nodes.
func anySeeds(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		data := make([]byte, 20+rng.IntN(120))
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		f.Add(data)
	}
}

// encode returns the file of a model of any nodes.
func (a *anyModel) encode(t testing.TB) []byte {
	file, err := pb.Encode(a.build())
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// fits reports whether a model can be loaded.
func fits(p *pb.Model) bool {
	file, err := pb.Encode(p)
	if err != nil {
		return false
	}
	_, err = Read(file, withFolded(1<<20))
	return err == nil
}

// runs reports whether a model can be loaded and does little work on tiny inputs. What
// depends on results of the device is not looked at.
func runs(p *pb.Model) bool {
	file, err := pb.Encode(p)
	if err != nil {
		return false
	}
	m, err := Read(file, withFolded(1<<20))
	if err != nil {
		return false
	}
	in, ok := tinyInputs(m)
	return ok && m.work(in) <= 1<<20
}

// FuzzShapes loads models of any nodes, with sizes that no machine has memory for: each
// is a model or refused, in little time and memory.
func FuzzShapes(f *testing.F) {
	anySeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		a := &anyModel{data: data, huge: true}
		if a.one(2) {
			a.fits = fits
		}
		file := a.encode(t)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, err := Read(file, withFolded(1<<20))
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		var refused *RefusedError
		if err != nil && !errors.As(err, &refused) {
			t.Fatalf("%T: %v", err, err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 || took > 10*time.Second {
			t.Errorf("%v: took %v and %d bytes", a.ops, took, n)
		}
	})
}

// FuzzRun runs models of any nodes on two backends, of which the results must agree: on
// one as the nodes are, on the other with the passes over the graph.
func FuzzRun(f *testing.F) {
	anySeeds(f)
	var bes []backend.Backend
	for _, name := range []string{"ref", "cpu"} {
		be, err := backend.Open(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Cleanup(func() {
			if err := be.Close(); err != nil {
				f.Error(err)
			}
		})
		bes = append(bes, be)
	}
	var without []graph.Option
	for _, name := range graph.PassNames() {
		without = append(without, graph.WithoutPass(name))
	}
	options := [2][]Option{{WithGraphOptions(graph.WithPasses(without...))}}
	f.Fuzz(func(t *testing.T, data []byte) {
		a := &anyModel{data: data, fits: runs}
		m, err := Read(a.encode(t), withFolded(1<<20))
		if err != nil {
			return
		}
		in, ok := tinyInputs(m)
		if !ok || m.work(in) > 1<<20 {
			return
		}
		var results [2][]*tensor.Tensor
		var errs [2]error
		for i, be := range bes {
			results[i], errs[i] = runOnce(m, be, in, options[i]...)
			for k, x := range in {
				again, _ := tinyInputs(m)
				if !x.Equal(again[k]) {
					t.Fatalf("%v: input %d was changed", a.ops, k)
				}
			}
		}
		if errs[0] != nil || errs[1] != nil {
			if errors.Is(errs[0], errors.ErrUnsupported) || errors.Is(errs[1], errors.ErrUnsupported) {
				return
			}
			if (errs[0] == nil) != (errs[1] == nil) {
				t.Errorf("%v: %v and %v", a.ops, errs[0], errs[1])
			}
			return
		}
		inexact := false
		for _, op := range a.ops {
			s := schemas[op]
			if inexact && s.steep {
				return
			}
			inexact = inexact || !s.exact
		}
		for i, y := range results[0] {
			if err := agree(y, results[1][i]); err != nil {
				t.Errorf("%v: output %d: %v", a.ops, i, err)
			}
		}
	})
}

// work returns the elements that a run computes, or a great number where that is not
// known.
func (m *Model) work(in []*tensor.Tensor) int {
	b := newBuilder(m)
	for i, v := range m.inputs {
		b.input(v, graph.Dims(in[i].Shape()...), in[i])
	}
	if b.add(m.nodes) != nil {
		return math.MaxInt
	}
	n := 0
	for _, node := range b.g.Nodes() {
		for _, v := range node.Out() {
			n += min(v.Probes()[0].Size(), 1<<30)
		}
	}
	return n
}

func runOnce(m *Model, be backend.Backend, in []*tensor.Tensor, opts ...Option) (out []*tensor.Tensor, err error) {
	s, err := m.Compile(context.Background(), be, opts...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	out, err = s.Run(context.Background(), in...)
	if err == nil && len(out) != len(m.Outputs()) {
		err = fmt.Errorf("got %d outputs, want %d", len(out), len(m.Outputs()))
	}
	return out, err
}

// agree compares results of two backends loosely: NaN and infinities are where they are
// in both, and numbers are close by the measure of the greatest.
func agree(a, b *tensor.Tensor) error {
	if a.DType() != b.DType() || !a.Shape().Equal(b.Shape()) {
		return fmt.Errorf("got %v%v and %v%v", a.DType(), a.Shape(), b.DType(), b.Shape())
	}
	if a.DType() != tensor.Float32 {
		if !a.Equal(b) {
			return fmt.Errorf("got %v and %v", a, b)
		}
		return nil
	}
	top := 1.0
	for _, x := range a.Float32s() {
		if v := math.Abs(float64(x)); !math.IsInf(v, 0) && v > top {
			top = v
		}
	}
	if top > 1e30 { // near overflow, where rounding decides
		return nil
	}
	for i, x := range a.Float32s() {
		y := b.Float32s()[i]
		if x == y || x != x && y != y {
			continue
		}
		if d := math.Abs(float64(x) - float64(y)); !(d <= 1e-4*top) {
			return fmt.Errorf("element %d: got %v and %v", i, x, y)
		}
	}
	return nil
}
