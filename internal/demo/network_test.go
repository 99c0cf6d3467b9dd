package demo

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
)

// networkStep returns the step of the network on a small picture, run on ref and
// another backend.
func networkStep(t *testing.T, name string) (*step, backends) {
	t.Helper()
	img, _, err := load(picture(t, 40, 33))
	if err != nil {
		t.Fatal(err)
	}
	steps, err := makeSteps(img)
	if err != nil {
		t.Fatal(err)
	}
	set, err := openAll([]string{name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := set.close(); err != nil {
			t.Error(err)
		}
	})
	s := steps[stepNetwork]
	if err := s.run(context.Background(), set); err != nil {
		t.Fatal(err)
	}
	return s, set
}

// After the batch norms every map has mean 0 and variance 1, as its statistics are
// those of the picture.
func TestCalibrate(t *testing.T) {
	s, _ := networkStep(t, "cpu")
	norms := 0
	for i, l := range s.layers {
		if _, ok := l.op.(backend.BatchNorm); !ok {
			continue
		}
		norms++
		mean, variance, err := statistics(s.ref[i])
		if err != nil {
			t.Fatal(err)
		}
		_, before, err := statistics(s.ref[i-1])
		if err != nil {
			t.Fatal(err)
		}
		for c := range mean.Size() {
			// A map of a variance below .01 is divided by the root of .01.
			if m, v := mean.Float32s()[c], variance.Float32s()[c]; math.Abs(float64(m)) > 1e-5 || before.Float32s()[c] > .01 && math.Abs(float64(v)-1) > 1e-2 {
				t.Errorf("%s: map %d has mean %v and variance %v", l.name, c, m, v)
			}
		}
		if got, err := s.net.Param(l.params[2]); err != nil || got != l.weights[2] {
			t.Errorf("%s is not in the network: %v", l.params[2], err)
		}
	}
	if norms != 2 {
		t.Errorf("%d batch norms, want 2", norms)
	}
}

// The network's layers come from its graph, with their parameters.
func TestLayersOf(t *testing.T) {
	s, _ := networkStep(t, "cpu")
	var names []string
	trained := 0
	for _, l := range s.layers {
		names = append(names, l.name)
		trained += l.trained
		if (l.op == nil) != (l.name == "dropout") {
			t.Errorf("%s has op %v", l.name, l.op)
		}
	}
	if !slices.Equal(names, s.net.Layers()) {
		t.Errorf("layers %v, want %v", names, s.net.Layers())
	}
	want := 0
	for _, p := range s.net.Params() {
		want += p.Tensor.Size()
	}
	if trained != want {
		t.Errorf("%d trained parameters, want %d", trained, want)
	}
}

// What a plan says about itself is in the table of models.
func TestCompiledModel(t *testing.T) {
	s, set := networkStep(t, "cpu")
	for _, res := range s.results {
		c := res.model
		if c.err != nil || !c.drift.ok() || c.kernels < 1 || c.reorders >= c.kernels || c.arena <= 0 || c.arena >= c.total || c.weights <= 0 || c.time <= 0 {
			t.Errorf("%s: %+v", res.name, c)
		}
	}
	r := &report{backends: set}
	if rows := r.models(s).Rows; len(rows) != 2 || rows[1][3] != mebibytes(s.results[1].model.arena) {
		t.Errorf("table %v", rows)
	}
}

// A model that gives something else, or that does not run, counts as a failure and
// is shown as one.
func TestCompiledModelFails(t *testing.T) {
	s, set := networkStep(t, "cpu")
	if n := failures([]*step{s}); n != 0 {
		t.Fatalf("%d failures", n)
	}
	closed, err := backend.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	r := &report{backends: set}
	verdict := func() string {
		rows := r.agreement([]*step{s}).Rows
		last := rows[len(rows)-1]
		if !strings.HasPrefix(last[1], "compiled model") {
			t.Fatalf("last row %v", last)
		}
		return last[6]
	}
	s.results[1].model = s.compile(context.Background(), closed)
	if n, v := failures([]*step{s}), verdict(); n != 1 || !strings.HasPrefix(v, "FAIL: compiled model: ") {
		t.Errorf("a closed backend: %d failures, verdict %q", n, v)
	}
	if speed := r.speed([]*step{s}).Rows; speed[len(speed)-1][2] != "failed" {
		t.Errorf("speed %v", speed)
	}

	// Other weights than the layers had.
	w, err := s.net.Param("fc2.weight")
	if err != nil {
		t.Fatal(err)
	}
	w = w.Clone()
	for i, d := 0, w.Float32s(); i < len(d); i++ {
		d[i] = -d[i]
	}
	if err := s.net.SetParam("fc2.weight", w); err != nil {
		t.Fatal(err)
	}
	s.results[1].model = s.compile(context.Background(), set[1].be)
	if n, v := failures([]*step{s}), verdict(); n != 1 || v != "FAIL: another class" {
		t.Errorf("other weights: %d failures, verdict %q", n, v)
	}
}

// Pooling windows of the network never exceed what they pool.
func TestNewNetworkSizes(t *testing.T) {
	for _, s := range [][2]int{{4, 4}, {4, 100}, {15, 16}, {17, 4}, {64, 63}} {
		net, err := newNetwork(s[0], s[1])
		if err != nil {
			t.Errorf("%v: %v", s, err)
			continue
		}
		if y, err := net.Param("fc1.weight"); err != nil || y.Shape()[1]%block2 != 0 {
			t.Errorf("%v: %v, %v", s, y, err)
		}
	}
}

// The parameters follow from the seed alone, and none of a layer are all 0.
func TestNetworkSeed(t *testing.T) {
	a, err := newNetwork(16, 16)
	if err != nil {
		t.Fatal(err)
	}
	b, err := newNetwork(16, 16)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range a.Params() {
		if !bytes.Equal(p.Tensor.Bytes(), b.Params()[i].Tensor.Bytes()) {
			t.Errorf("%s differs from network to network", p.Name)
		}
		norm := strings.HasPrefix(p.Name, "bn")
		if zero := !slices.ContainsFunc(p.Tensor.Float32s(), func(v float32) bool { return v != 0 }); zero && !norm {
			t.Errorf("%s is 0", p.Name)
		}
	}
}
