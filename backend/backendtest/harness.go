package backendtest

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// problem is one case: a Desc that is run with all algorithms.
type problem struct {
	name    string
	d       backend.Desc
	fills   []check.Fill // nil is Exact, Normal and Special
	layouts bool         // also run with fixed layouts of inputs and outputs
	// in, if given, are the inputs; fills then says by which rules they are judged.
	in []*tensor.Tensor
}

// desc returns a forward Desc; weights are constant.
func desc(op backend.Op, in ...backend.TensorDesc) backend.Desc {
	args, _ := op.Args()
	in = slices.Clone(in)
	for i := range in {
		in[i].Const = i < len(args) && args[i].Weight
	}
	return backend.Desc{Op: op, In: in}
}

// problems makes a family of a list.
func problems(list func(short bool) []problem) func(*suite, reporter, string) {
	return func(s *suite, r reporter, family string) {
		for _, p := range list(s.o.Short) {
			s.test(r, family, p.name, func(r reporter) { s.problem(r, family, p) })
		}
	}
}

// sample is one set of inputs with what must come of them.
type sample struct {
	fill check.Fill
	in   []*tensor.Tensor
	want *check.Expectation
}

// problem runs p with each algorithm and fill, and with fixed layouts.
func (s *suite) problem(r reporter, family string, p problem) {
	d, err := p.d.Resolve()
	if err != nil {
		r.Fatalf("the case is wrong: %v", err)
	}
	p.d.Out = d.Out
	algorithms := s.be.Algorithms(p.d)
	k, err := s.be.Prepare(ctx, p.d)
	if err != nil {
		if !errors.Is(err, errors.ErrUnsupported) {
			r.Fatalf("prepare %s: got error %q, want a kernel or an error that wraps errors.ErrUnsupported", show(p.d), err)
		}
		if len(algorithms) > 0 {
			r.Errorf("%s: Algorithms lists %v, but Prepare fails: %v", show(p.d), algorithms, err)
		}
		s.unsupported(r, family, p.name, err)
		return
	}
	defer closing(r, k)
	if !slices.Contains(algorithms, k.Info().Algorithm) {
		r.Errorf("%s: chosen algorithm %q is not among %q", show(p.d), k.Info().Algorithm, algorithms)
	}
	fills := p.fills
	if fills == nil {
		fills = []check.Fill{check.Exact, check.Normal, check.Special}
	}
	var samples []sample
	for _, f := range fills {
		in := p.in
		if in == nil {
			in = s.inputs(r, p.d, f)
		}
		want, err := check.Expect(p.d, f, in, s.reference)
		if err != nil {
			r.Fatalf("%s: %v", show(p.d), err)
		}
		samples = append(samples, sample{f, in, want})
	}
	s.judge(r, family, p.d, k, samples)

	for _, a := range algorithms {
		if a == k.Info().Algorithm {
			continue
		}
		d := p.d
		d.Algorithm = a
		s.prepared(r, d, func(k backend.Kernel) {
			if got := k.Info().Algorithm; got != a {
				r.Errorf("%s: got algorithm %q", show(d), got)
			}
			s.judge(r, family, d, k, samples)
		})
	}
	d = p.d
	d.Algorithm = "no such algorithm"
	if k, err := s.be.Prepare(ctx, d); err == nil {
		r.Errorf("%s: was accepted", show(d))
		closing(r, k)
	}

	// What the kernel resolved must be accepted as a demand.
	d = p.d
	d.In, d.Out = k.Info().In, k.Info().Out
	s.prepared(r, d, func(again backend.Kernel) {
		if a, b := k.Info(), again.Info(); a.Algorithm != b.Algorithm || !reflect.DeepEqual(a.In, b.In) || !reflect.DeepEqual(a.Out, b.Out) {
			r.Errorf("%s: prepared from its own Info it becomes %+v", show(d), b)
		}
	})
	if p.layouts {
		s.layouts(r, family, p.d, samples)
	}
}

// prepared calls f with a kernel for d, of which the backend has promised that it
// supports it.
func (s *suite) prepared(r reporter, d backend.Desc, f func(backend.Kernel)) {
	k, err := s.be.Prepare(ctx, d)
	if err != nil {
		r.Errorf("prepare %s: %v", show(d), err)
		return
	}
	defer closing(r, k)
	f(k)
}

// layouts runs d with the images among its inputs in one fixed layout and the
// outputs in another. A pair that is not supported must be refused.
func (s *suite) layouts(r reporter, family string, d backend.Desc, samples []sample) {
	all := []backend.Layout{backend.Plain, backend.ChannelsLast, backend.ChannelsLast4}
	var refused []string
	for i, lin := range all {
		for j, lout := range all {
			if s.o.Short && (i+j)%2 == 1 && i < j {
				continue
			}
			f := d
			f.In, f.Out = slices.Clone(d.In), slices.Clone(d.Out)
			for n := range f.In {
				if len(f.In[n].Shape) >= 3 && !f.In[n].Const {
					f.In[n].Layout = lin
				}
			}
			for n := range f.Out {
				f.Out[n].Layout = lout
			}
			k, err := s.be.Prepare(ctx, f)
			if err != nil {
				if !errors.Is(err, errors.ErrUnsupported) {
					r.Errorf("prepare %s: got error %q, want one that wraps errors.ErrUnsupported", show(f), err)
				}
				if len(s.be.Algorithms(f)) > 0 {
					r.Errorf("%s: Algorithms lists some, but Prepare fails: %v", show(f), err)
				}
				refused = append(refused, lin.String()+" to "+lout.String())
				continue
			}
			for n, t := range k.Info().In {
				if f.In[n].Layout != backend.Any && t.Layout != f.In[n].Layout {
					r.Errorf("%s: layout of input %d became %v", show(f), n, t.Layout)
				}
			}
			for n, t := range k.Info().Out {
				if t.Layout != f.Out[n].Layout {
					r.Errorf("%s: layout of output %d became %v", show(f), n, t.Layout)
				}
			}
			s.judge(r, family, f, k, samples)
			closing(r, k)
		}
	}
	if len(refused) > 0 {
		r.Logf("layouts without a kernel: %v", refused)
	}
}

// judge runs k, prepared for d, on each sample.
func (s *suite) judge(r reporter, family string, d backend.Desc, k backend.Kernel, samples []sample) {
	if err := checkInfo(d, k.Info()); err != nil {
		r.Errorf("%s: Info: %v", show(d), err)
		return
	}
	d.Algorithm = k.Info().Algorithm
	for _, m := range samples {
		s.tally(family).runs++
		repro := fmt.Sprintf("%s\n  reproduce: d := %#v; in, _ := check.Inputs(d, check.Fill(%d), %d)", show(d), d, m.fill, s.o.Seed)
		got, err := execute(s.be, k, m.in)
		if err != nil {
			r.Errorf("%v fill: %v\n  %s", m.fill, err, repro)
			continue
		}
		res, err := m.want.Judge(got)
		if err != nil {
			r.Errorf("%v fill: %v\n  %s", m.fill, err, repro)
		} else if res.Verdict != check.Pass {
			r.Errorf("%v fill: %v\n  %s", m.fill, res, repro)
		}
	}
}

// checkInfo holds what a kernel says of itself against d.
func checkInfo(d backend.Desc, info *backend.KernelInfo) error {
	d, err := d.Resolve()
	if err != nil {
		return err
	}
	if len(info.In) != len(d.In) || len(info.Out) != len(d.Out) || len(info.Formats) != len(d.In) {
		return fmt.Errorf("got %d inputs, %d formats and %d outputs, want %d, %d and %d", len(info.In), len(info.Formats), len(info.Out), len(d.In), len(d.In), len(d.Out))
	}
	for i, t := range append(slices.Clone(info.In), info.Out...) {
		want := append(slices.Clone(d.In), d.Out...)[i]
		if !t.Shape.Equal(want.Shape) || t.DType != want.DType {
			return fmt.Errorf("argument %d: got %v, want %v", i, t, want)
		}
		if t.Layout.Order == backend.OrderAny {
			return fmt.Errorf("argument %d: the layout is still open", i)
		}
	}
	for i, f := range info.Formats {
		if f != nil && !d.In[i].Const {
			return fmt.Errorf("input %d is to be packed as %v, but is not constant", i, f)
		}
		if f != nil && (f.String() == "" || f.Bytes() < 0) {
			return fmt.Errorf("input %d: format %q of %d bytes", i, f, f.Bytes())
		}
	}
	for _, i := range info.InPlace {
		if i < 0 || i >= len(info.In) || info.Formats[i] != nil || info.InBytes(i) != info.OutBytes(0) {
			return fmt.Errorf("input %d cannot be the output's buffer", i)
		}
	}
	if info.Algorithm == "" || info.Workspace < 0 {
		return fmt.Errorf("algorithm %q, workspace %d", info.Algorithm, info.Workspace)
	}
	if c := d.Cost(); info.Cost != c {
		return fmt.Errorf("cost: got %+v, want %+v", info.Cost, c)
	}
	return nil
}

// calc computes d with the backend's own choice, in an arena. It reports false
// for what is not supported.
func (s *suite) calc(r reporter, family, name string, d backend.Desc, in []*tensor.Tensor) ([]*tensor.Tensor, bool) {
	k, err := s.be.Prepare(ctx, d)
	if errors.Is(err, errors.ErrUnsupported) {
		s.unsupported(r, family, name, err)
		return nil, false
	}
	if err != nil {
		r.Fatalf("prepare %s: %v", show(d), err)
	}
	defer closing(r, k)
	s.tally(family).runs++
	out, err := execute(s.be, k, in)
	if err != nil {
		r.Fatalf("%s: %v", show(d), err)
	}
	return out, true
}

// same demands equality, bit for bit but for the sign of zeros and the payload of
// NaN.
func same(r reporter, what string, got, want []*tensor.Tensor) {
	for o := range want {
		g, w := got[o].AsFloat32().Float32s(), want[o].AsFloat32().Float32s()
		if len(g) != len(w) {
			r.Errorf("%s: output %d: got %v, want %v", what, o, got[o].Shape(), want[o].Shape())
			return
		}
		for i := range g {
			if g[i] != w[i] && (g[i] == g[i] || w[i] == w[i]) {
				r.Errorf("%s: output %d %v: element %d: got %v (%08x), want %v (%08x)", what, o, want[o].Shape(), i,
					g[i], math.Float32bits(g[i]), w[i], math.Float32bits(w[i]))
				return
			}
		}
	}
}

// closing closes and reports what that says.
func closing(r reporter, c interface{ Close() error }) {
	if err := c.Close(); err != nil {
		r.Errorf("close: %v", err)
	}
}

// show describes d in a line.
func show(d backend.Desc) string {
	if d.Op == nil {
		return "no op"
	}
	s := fmt.Sprintf("%s %+v %v: %v", d.Op.Kind(), d.Op, d.Pass, d.In)
	if d.Out != nil {
		s += fmt.Sprintf(" → %v", d.Out)
	}
	if d.Algorithm != "" {
		s += fmt.Sprintf(" by %q", d.Algorithm)
	}
	return s
}
