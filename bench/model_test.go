package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/onnxtest"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/tensor"
)

// liar is a backend whose results of one op are wrong in their first element.
type liar struct {
	backend.Backend
	kind string
	off  float32
}

func (l liar) Prepare(ctx context.Context, d backend.Desc) (backend.Kernel, error) {
	k, err := l.Backend.Prepare(ctx, d)
	if err != nil || d.Op.Kind() != l.kind {
		return k, err
	}
	if l.off == 0 {
		return nil, errors.Join(k.Close(), backend.Unsupported("liar", l.kind, "no kernel"))
	}
	return lyingKernel{k, l}, nil
}

type lyingKernel struct {
	backend.Kernel
	l liar
}

func (k lyingKernel) Run(ctx context.Context, a backend.Args) error {
	var b [4]byte
	if err := errors.Join(k.Kernel.Run(ctx, a), k.l.Backend.Read(ctx, b[:], a.Out[0])); err != nil {
		return err
	}
	x := math.Float32frombits(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)
	bits := math.Float32bits(x + k.l.off)
	return k.l.Backend.Write(ctx, a.Out[0], []byte{byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24)})
}

func readModel(t *testing.T, m onnxtest.Model) *onnx.Model {
	t.Helper()
	model, err := onnx.Read(m.File())
	if err != nil {
		t.Fatal(err)
	}
	return model
}

func picture(batch int) *tensor.Tensor {
	x := tensor.Must(tensor.New(tensor.Float32, batch, 1, 4, 4))
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(i*7%16) / 16
	}
	return x
}

func TestCompareModel(t *testing.T) {
	ts := targets(t, "ref", "cpu")
	c := ModelConfig{Targets: ts[1:], Ref: ts[0], Runs: 3, Tol: 1e-5}
	steps, parts := 0, 0
	c.Progress = func(total int) (step, end func()) {
		steps += total
		return func() { steps-- }, func() { parts++ }
	}
	r, err := CompareModel(t.Context(), c, readModel(t, smallNet("N")), []*tensor.Tensor{picture(2)})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Agrees() || steps != 0 || parts != 2 {
		t.Errorf("agrees %v, %d steps left of %d parts", r.Agrees(), steps, parts)
	}
	if len(r.Outputs) != 2 || r.Outputs[0].Name != "y" || r.Outputs[0].Logits || r.Outputs[1].Name != "z" || !r.Outputs[1].Logits || !r.Outputs[1].Shape.Equal(tensor.Shape{2, 3}) {
		t.Errorf("outputs %+v", r.Outputs)
	}
	for _, o := range r.Outputs {
		if len(o.On) != 1 || o.On[0].Status != Passed || o.Largest <= 0 || o.On[0].Deviation > 1e-6 {
			t.Errorf("%+v", o)
		}
	}
	if len(r.Layers) < 3 { // conv with relu, flatten, dense, softmax
		t.Errorf("%d layers", len(r.Layers))
	}
	m := r.Times[0]
	if len(m.Steps) < 5 || m.Kernels < 3 || m.Steps[0].Name != "x" || m.Steps[0].Op != "copy" || m.Clock != "wall" || m.Sum.N != 3 || m.Whole.N != 3 {
		t.Errorf("%+v", m)
	}
	share := 0.0
	for _, s := range m.Steps {
		share += s.Share
		if s.Time.N != 3 || s.Op != "copy" && (s.Time.Median <= 0 || s.Bytes <= 0 || s.Algorithm == "") {
			t.Errorf("%+v", s)
		}
	}
	if math.Abs(share-1) > 1e-9 {
		t.Errorf("shares add up to %v", share)
	}
	var text, doc bytes.Buffer
	if err := errors.Join(WriteModel(&text, Table, r), WriteModel(&doc, JSON, r)); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"cpu: 4 pass, 0 suspect, 0 fail, 0 unsupported", "z (logits)", "all steps one by one", "medians of 3"} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("no %q in\n%s", part, text.String())
		}
	}
	var again ModelReport
	if err := json.Unmarshal(doc.Bytes(), &again); err != nil || len(again.Times) != 1 || len(again.Layers) != len(r.Layers) {
		t.Errorf("%v: %s", err, doc.String())
	}
}

// An error shows in its layer alone, where the others get the reference's inputs, and in
// the output.
func TestCompareModelFindsErrors(t *testing.T) {
	ts := targets(t, "ref", "cpu")
	for _, op := range []string{"Conv", "Dense", "Softmax"} {
		bad := ts[1]
		bad.Backend = liar{bad.Backend, op, 0.5}
		c := ModelConfig{Targets: []Target{bad}, Ref: ts[0], Tol: 1e-3}
		r, err := CompareModel(t.Context(), c, readModel(t, smallNet(1)), []*tensor.Tensor{picture(1)})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range r.Layers {
			want := Passed
			if l.Op == op {
				want = Failed
			}
			if l.On[0].Status != want || want == Failed && (l.On[0].Worst <= 1 || l.On[0].Detail == "") {
				t.Errorf("%s is wrong: %+v", op, l)
			}
		}
		if r.Agrees() || r.Outputs[0].On[0].Status != Failed || r.Outputs[0].On[0].Deviation < 1e-3 {
			t.Errorf("%s is wrong: %+v", op, r.Outputs)
		}
		if logits := r.Outputs[1].On[0].Status; (logits == Failed) != (op != "Softmax") {
			t.Errorf("%s is wrong: logits %v", op, logits)
		}
		var text bytes.Buffer
		if err := WriteModel(&text, Table, r); err != nil || !strings.Contains(text.String(), "1 fail") || !strings.Contains(text.String(), "differs by") {
			t.Errorf("%v\n%s", err, text.String())
		}
	}

	// A backend without a kernel cannot run the model; the others go on.
	bad := ts[1]
	bad.Label, bad.Backend = "bad", liar{Backend: bad.Backend, kind: "Softmax"}
	r, err := CompareModel(t.Context(), ModelConfig{Targets: []Target{bad, ts[1]}, Ref: ts[0], Tol: 1e-3, Runs: 1}, readModel(t, smallNet(1)), []*tensor.Tensor{picture(1)})
	if err != nil {
		t.Fatal(err)
	}
	if r.Agrees() || len(r.Errors) != 1 || r.Errors[0].Backend != "bad" || !strings.Contains(r.Errors[0].Error, "no kernel") || len(r.Times) != 1 || r.Times[0].Backend != "cpu" {
		t.Errorf("%+v, %+v", r.Errors, r.Times)
	}
	last := r.Layers[len(r.Layers)-1]
	if last.On[0].Status != Unsupported || last.On[1].Status != Passed {
		t.Errorf("%+v", last)
	}
}

// Large layers are judged for some channels, which lie anywhere in what Conv and Dense
// give.
func TestOracleThins(t *testing.T) {
	ref := targets(t, "ref")[0]
	for _, op := range []struct {
		op backend.Op
		in []tensor.Shape
	}{
		{backend.Conv{Window: backend.Window{Kernel: []int{1, 1}}, Bias: true, Epilogue: backend.Epilogue{{Kind: backend.ScaleShift}, {Kind: backend.Residual}}},
			[]tensor.Shape{{2, 3, 4, 5}, {16, 3, 1, 1}, {16}, {16}, {16}, {2, 16, 4, 5}}},
		{backend.Dense{Epilogue: backend.Epilogue{{Kind: backend.Residual}}}, []tensor.Shape{{2, 4, 6}, {16, 6}, {2, 4, 16}}},
	} {
		var in []*tensor.Tensor
		for k, s := range op.in {
			x := tensor.Must(tensor.New(tensor.Float32, s...))
			for i := range x.Float32s() {
				x.Float32s()[i] = float32((i*13+k*5)%11-5) / 8
			}
			in = append(in, x)
		}
		d := backend.DescOf(op.op, in...)
		out, err := backend.RunDesc(t.Context(), ref, d, in...)
		if err != nil {
			t.Fatal(err)
		}
		o, err := newOracle(t.Context(), ref, d, in, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(o.channels) != 2 || o.channels[0] != 0 || o.channels[1] != 15 {
			t.Fatalf("%v: channels %v", d, o.channels)
		}
		if r, err := o.compare(out); err != nil || r.Verdict != 0 {
			t.Errorf("%v: %v, %v", d, r, err)
		}
		// The last element of the last channel.
		y := out[0].Float32s()
		y[len(y)-1]++
		if r, err := o.compare(out); err != nil || r.Verdict == 0 {
			t.Errorf("%v: an error passes: %v", d, err)
		}
	}
}
