package backendtest

import (
	"errors"
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// prototypes are the two uses that the contract was made for beside plain
// inference: a model whose batch changes, and a training step.
func prototypes(s *suite, r reporter, family string) {
	for _, p := range []struct {
		name string
		desc func(n int) backend.Desc
	}{
		{"dynamic-batch-conv", func(n int) backend.Desc {
			return convDesc(backend.Conv{Window: backend.Window{Pads: pads(2, 1)}, Bias: true, Epilogue: backend.Epilogue{relu}}, shape{n, 20, 7, 9}, shape{37, 20, 3, 3})
		}},
		{"dynamic-batch-depthwise", func(n int) backend.Desc {
			return convDesc(backend.Conv{Window: backend.Window{Pads: pads(2, 1)}, Groups: 20}, shape{n, 20, 7, 9}, shape{20, 1, 3, 3})
		}},
		{"dynamic-batch-convtranspose", func(n int) backend.Desc {
			return transposeDesc(backend.ConvTranspose{Window: backend.Window{Strides: shape{2, 2}, Pads: pads(2, 1)}, Bias: true}, shape{n, 20, 5, 7}, shape{20, 37, 4, 4})
		}},
		{"dynamic-batch-dense", func(n int) backend.Desc { return denseDesc(backend.Dense{Bias: true}, shape{n, 70}, 33) }},
	} {
		s.test(r, family, p.name, func(r reporter) { s.dynamicBatch(r, family, p.name, p.desc) })
	}
	s.test(r, family, "training-step", func(r reporter) { s.trainingStep(r, family) })
}

// dynamicBatch prepares one op for several batch sizes and runs all of them on one
// set of packed constants.
func (s *suite) dynamicBatch(r reporter, family, name string, desc func(n int) backend.Desc) {
	var first *backend.KernelInfo
	var constants []backend.Buffer
	var values []*tensor.Tensor
	defer func() {
		for _, b := range constants {
			if b != nil {
				closing(r, b)
			}
		}
	}()
	for _, n := range []int{1, 3, 8} {
		d := desc(n)
		k, err := s.be.Prepare(ctx, d)
		if errors.Is(err, errors.ErrUnsupported) && first == nil {
			s.unsupported(r, family, name, err)
			return
		}
		if err != nil {
			r.Fatalf("prepare %s: %v", show(d), err)
		}
		defer closing(r, k)
		info := k.Info()
		in := s.inputs(r, d, check.Exact)
		if first == nil {
			first, values = info, in
			constants = make([]backend.Buffer, len(in))
			for i, t := range in {
				if d.In[i].Const {
					if constants[i], err = s.be.Pack(ctx, t, info.In[i], info.Formats[i]); err != nil {
						r.Fatalf("pack input %d of %s: %v", i, show(d), err)
					}
				}
			}
		}
		var args backend.Args
		for i := range in {
			if !d.In[i].Const {
				continue
			}
			if info.Formats[i] != first.Formats[i] {
				r.Errorf("%s: format of input %d: got %v, want that of batch size 1, %v", show(d), i, info.Formats[i], first.Formats[i])
				return
			}
			if info.In[i].Layout != first.In[i].Layout {
				r.Errorf("%s: layout of input %d: got %v, want that of batch size 1, %v", show(d), i, info.In[i].Layout, first.In[i].Layout)
				return
			}
			in[i] = values[i]
		}
		want, err := check.Expect(d, check.Exact, in, s.reference)
		if err != nil {
			r.Fatalf("%s: %v", show(d), err)
		}
		buffer := func(bytes int64) backend.Buffer {
			b, err := s.be.Alloc(bytes)
			if err != nil {
				r.Fatalf("alloc: %v", err)
			}
			return b
		}
		for i, t := range in {
			b := constants[i]
			if b == nil {
				b = buffer(info.InBytes(i))
				defer closing(r, b)
				if err := s.be.Write(ctx, b, store(t, info.In[i])); err != nil {
					r.Fatalf("write: %v", err)
				}
			}
			args.In = append(args.In, b)
		}
		y := buffer(info.OutBytes(0))
		defer closing(r, y)
		args.Out = []backend.Buffer{y}
		if info.Workspace > 0 {
			args.Workspace = buffer(info.Workspace)
			defer closing(r, args.Workspace)
		}
		s.tally(family).runs++
		if err := k.Run(ctx, args); err != nil {
			r.Fatalf("run %s: %v", show(d), err)
		}
		mem := make([]byte, info.OutBytes(0))
		if err := s.be.Read(ctx, mem, y); err != nil {
			r.Fatalf("read: %v", err)
		}
		got, err := load(mem, info.Out[0])
		if err != nil {
			r.Fatalf("%s: %v", show(d), err)
		}
		res, err := want.Judge([]*tensor.Tensor{got})
		if err != nil || res.Verdict != check.Pass {
			r.Errorf("%s with constants packed for batch size 1: %v %v", show(d), res, err)
		}
	}
}

// trainingStep holds both gradients against central differences of the backend's
// own forward pass. Exact integers make the differences exact: the loss Σ g·y is
// linear in x, in w and in b.
func (s *suite) trainingStep(r reporter, family string) {
	op := backend.Conv{Window: backend.Window{Pads: shape{1, 0, 0, 1}, Strides: shape{2, 1}}, Bias: true}
	x, w := shape{2, 3, 5, 6}, shape{4, 3, 3, 2}
	forward := convDesc(op, x, w)
	for i := range forward.In {
		forward.In[i].Const = false // weights change in training
	}
	in := s.inputs(r, forward, check.Exact)
	if _, ok := s.calc(r, family, "training-step", forward, in); !ok {
		return
	}
	back := backwardDesc(op, backend.BackwardWeights, x, w)
	gy := s.inputs(r, back, check.Exact)[1]
	loss := func(n, i int, by float32) float64 {
		moved := make([]*tensor.Tensor, len(in))
		copy(moved, in)
		moved[n] = in[n].Clone()
		moved[n].Float32s()[i] += by
		y, _ := s.calc(r, family, "training-step", forward, moved)
		return dot(y[0], gy)
	}
	compare := func(what string, n int, got *tensor.Tensor) {
		step := max(1, got.Size()/12)
		for i := 0; i < got.Size(); i += step {
			if want := (loss(n, i, 1) - loss(n, i, -1)) / 2; float64(got.Float32s()[i]) != want {
				r.Errorf("%s[%d]: got %v, want %v by central differences", what, i, got.Float32s()[i], want)
			}
		}
	}
	if out, ok := s.calc(r, family, "training-step: "+fmt.Sprint(back.Pass), back, []*tensor.Tensor{in[0], gy}); ok {
		compare("gw", 1, out[0])
		compare("gb", 2, out[1])
	}
	data := backwardDesc(op, backend.BackwardData, x, w)
	if out, ok := s.calc(r, family, "training-step: "+fmt.Sprint(data.Pass), data, []*tensor.Tensor{gy, in[1]}); ok {
		compare("gx", 0, out[0])
	}
}
