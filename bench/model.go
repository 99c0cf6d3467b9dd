package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/tensor"
)

// ModelConfig says how a model is compared and measured.
type ModelConfig struct {
	Targets []Target
	Ref     backend.Backend // nil compares nothing
	Runs    int             // measured on each target; 0 measures nothing
	// Tol is what an output may differ from the reference's, as a share of the largest
	// magnitude there.
	Tol float64
	// Progress begins a part of the work with so many steps; nil tells nobody.
	Progress func(total int) (step, end func())
}

// ModelReport is what a model came to.
type ModelReport struct {
	Model     string        `json:"model"` // the file
	Graph     string        `json:"graph"`
	Inputs    []ModelInput  `json:"inputs"`
	Notes     []string      `json:"notes,omitempty"` // what is computed otherwise than the file says
	Reference string        `json:"reference,omitempty"`
	Tol       float64       `json:"tolerance,omitempty"`
	Outputs   []ModelOutput `json:"outputs,omitempty"`
	Layers    []ModelLayer  `json:"layers,omitempty"`
	Times     []ModelTime   `json:"times,omitempty"`
	// Errors are the backends that could not run the model, and why.
	Errors []ModelError `json:"errors,omitempty"`
}

// ModelInput is an input, and where its content comes from.
type ModelInput struct {
	Name    string       `json:"name"`
	Type    string       `json:"type"`
	Shape   tensor.Shape `json:"shape"`
	Content string       `json:"content"` // "x.npy"; "uniform 0 to 1, seed 1"
}

// ModelOutput compares an output of the whole model.
type ModelOutput struct {
	Name  string       `json:"name"`
	Shape tensor.Shape `json:"shape"`
	// Logits marks what a softmax at the end takes, which hides errors.
	Logits  bool            `json:"logits,omitempty"`
	Largest float64         `json:"largest"` // magnitude in the reference's
	On      []ModelDeviance `json:"on"`
}

// ModelDeviance is how far a backend's output is from the reference's.
type ModelDeviance struct {
	Backend string `json:"backend"`
	Status  Status `json:"status"`
	// Deviation is the largest difference over ModelOutput.Largest.
	Deviation float64 `json:"deviation"`
	Detail    string  `json:"detail,omitempty"`
}

// ModelLayer compares a node of the optimised graph, which got the reference's inputs.
type ModelLayer struct {
	Stage int            `json:"stage"`
	Node  string         `json:"node"`
	Op    string         `json:"op"`
	Shape tensor.Shape   `json:"shape"` // of its first output
	On    []LayerVerdict `json:"on"`
}

// LayerVerdict judges a node on a backend.
type LayerVerdict struct {
	Backend string `json:"backend"`
	Status  Status `json:"status"`
	// Worst is the largest error over its bound.
	Worst  float64 `json:"worst_ratio"`
	Detail string  `json:"detail,omitempty"` // of what did not pass, or has no bound
}

// ModelError is a backend that cannot run a model.
type ModelError struct {
	Backend string `json:"backend"`
	Error   string `json:"error"`
}

// Agrees reports whether every backend ran the model, and came to what the reference
// did.
func (r *ModelReport) Agrees() bool {
	for _, l := range r.Layers {
		for _, v := range l.On {
			if v.Status != Passed && v.Status != Suspicious {
				return false
			}
		}
	}
	for _, o := range r.Outputs {
		for _, v := range o.On {
			if v.Status != Passed {
				return false
			}
		}
	}
	return len(r.Errors) == 0
}

// CompareModel runs a model on every target and on the reference, layer by layer and as
// a whole, and measures every step of a run.
//
// Layer by layer: each node of the optimised graph gets the reference's inputs, and is
// judged by the bound of its op; large convolutions and dense layers for some of their
// output channels.
//
// As a whole: an output may differ by Tol of the reference's largest magnitude, and one
// that is no float not at all. Where a softmax makes it, what that takes is compared
// too.
//
// CompareModel fails when the reference cannot run the model, or ctx is done.
func CompareModel(ctx context.Context, c ModelConfig, m *onnx.Model, in []*tensor.Tensor) (*ModelReport, error) {
	r := &ModelReport{Graph: m.Info().Name, Notes: m.Notes(), Tol: c.Tol}
	failed := map[string]bool{}
	fail := func(t Target, err error) {
		if !failed[t.Label] {
			failed[t.Label] = true
			r.Errors = append(r.Errors, ModelError{t.Label, err.Error()})
		}
	}
	if c.Ref != nil {
		r.Reference = c.Ref.Name()
		if err := c.compare(ctx, r, m, in, fail); err != nil {
			return nil, err
		}
	}
	for _, t := range c.Targets {
		if c.Runs == 0 || failed[t.Label] {
			continue
		}
		times, err := c.measure(ctx, t, m, in)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err != nil {
			fail(t, err)
			continue
		}
		r.Times = append(r.Times, times)
	}
	return r, nil
}

// progress begins a part of the work.
func (c ModelConfig) progress(total int) (step, end func()) {
	if c.Progress == nil {
		return func() {}, func() {}
	}
	return c.Progress(total)
}

// compare fills in Layers and Outputs.
func (c ModelConfig) compare(ctx context.Context, r *ModelReport, m *onnx.Model, in []*tensor.Tensor, fail func(Target, error)) error {
	names, logits := outputsAndLogits(m)
	ref, err := m.Compile(ctx, c.Ref, onnx.WithOutputs(names...))
	if err != nil {
		return fmt.Errorf("reference: %w", err)
	}
	stage := 0
	want, err := ref.RunStages(ctx, func(st onnx.Stage) ([]*tensor.Tensor, error) {
		stage++
		layers, out, err := c.layers(ctx, stage, st)
		r.Layers = append(r.Layers, layers...)
		return out, err
	}, in...)
	if err := errors.Join(err, ref.Close()); err != nil {
		return fmt.Errorf("reference: %w", err)
	}
	for i, y := range want {
		r.Outputs = append(r.Outputs, ModelOutput{Name: names[i], Shape: y.Shape(), Logits: i >= logits, Largest: largest(y)})
	}
	for _, t := range c.Targets {
		got, err := runOnce(ctx, t, m, names, in)
		if err := ctx.Err(); err != nil {
			return err
		}
		if err != nil {
			fail(t, err)
			continue
		}
		for i, y := range got {
			v := ModelDeviance{Backend: t.Label, Status: Passed}
			off, err := deviates(y, want[i])
			v.Deviation = min(off, math.MaxFloat64)
			if err == nil && !(off <= c.Tol) {
				err = fmt.Errorf("differs by %.3g of the maximum, want at most %g", off, c.Tol)
			}
			if err != nil {
				v.Status, v.Detail = Failed, err.Error()
			}
			if off != off {
				v.Deviation = math.MaxFloat64 // JSON has no NaN
			}
			r.Outputs[i].On = append(r.Outputs[i].On, v)
		}
	}
	return nil
}

// outputsAndLogits returns the names of the outputs, followed by those of what a softmax
// at the end takes, and where the latter begin.
func outputsAndLogits(m *onnx.Model) (names []string, logits int) {
	for _, v := range m.Outputs() {
		names = append(names, v.Name)
	}
	logits = len(names)
	for _, n := range m.Nodes() {
		if (n.Op == "Softmax" || n.Op == "LogSoftmax") && len(n.In) > 0 && len(n.Out) > 0 && slices.Contains(names[:logits], n.Out[0]) {
			addOnce(&names, n.In[0])
		}
	}
	return names, logits
}

// runOnce compiles the model and runs it.
func runOnce(ctx context.Context, be backend.Backend, m *onnx.Model, outputs []string, in []*tensor.Tensor) (out []*tensor.Tensor, err error) {
	s, err := m.Compile(ctx, be, onnx.WithOutputs(outputs...))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.Run(ctx, in...)
}

// deviates returns the deviation of floats. It fails for what cannot be compared, and for
// other types that are not equal.
func deviates(got, want *tensor.Tensor) (float64, error) {
	switch {
	case got.DType() != want.DType() || !got.Shape().Equal(want.Shape()):
		return 0, fmt.Errorf("got %v%v, want %v%v", got.DType(), got.Shape(), want.DType(), want.Shape())
	case want.DType() == tensor.Float32:
		return deviation(got.Float32s(), want.Float32s()), nil
	case got.Equal(want):
		return 0, nil
	}
	g, w := float64s(got), float64s(want)
	n := 0
	for i := range w {
		if g[i] != w[i] {
			n++
		}
	}
	return 0, fmt.Errorf("%d of %d elements differ, want none", n, len(w))
}

// largest returns the largest finite magnitude.
func largest(t *tensor.Tensor) (v float64) {
	for _, x := range float64s(t) {
		if a := math.Abs(x); a > v && !math.IsInf(a, 0) {
			v = a
		}
	}
	return v
}
