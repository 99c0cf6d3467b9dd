package backendtest

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// deterministic are the ops whose sums could depend on the order of work.
func deterministic() []problem {
	win := backend.Window{Pads: pads(2, 1)}
	c := backend.F32(40)
	return []problem{
		convCase("conv", backend.Conv{Window: win, Bias: true, Epilogue: backend.Epilogue{relu}}, shape{4, 20, 9, 11}, shape{34, 20, 3, 3}),
		convCase("conv-long-sum", backend.Conv{}, shape{4, 512, 4, 4}, shape{6, 512, 3, 3}),
		convCase("conv-k1", backend.Conv{}, shape{4, 33, 7, 5}, shape{30, 33, 1, 1}),
		convCase("depthwise", backend.Conv{Window: win, Groups: 24}, shape{4, 24, 9, 8}, shape{24, 1, 3, 3}),
		convCase("grouped", backend.Conv{Window: win, Groups: 4}, shape{4, 24, 7, 8}, shape{16, 6, 3, 3}),
		transposeCase("convtranspose", backend.ConvTranspose{Window: backend.Window{Strides: shape{2, 2}, Pads: pads(2, 1)}, Bias: true, Epilogue: backend.Epilogue{relu}}, shape{4, 40, 9, 7}, shape{40, 34, 4, 4}),
		transposeCase("convtranspose-depthwise", backend.ConvTranspose{Window: backend.Window{Strides: shape{2, 2}, Pads: pads(2, 1)}, Groups: 24}, shape{4, 24, 9, 8}, shape{24, 1, 4, 4}),
		{name: "dense", d: denseDesc(backend.Dense{Bias: true}, shape{4, 3000}, 50)},
		{name: "dense-many", d: denseDesc(backend.Dense{}, shape{21, 1100}, 18)},
		{name: "matmul", d: desc(backend.MatMul{}, backend.F32(4, 9, 700), backend.F32(4, 700, 11))},
		{name: "avgpool", d: desc(backend.AvgPool{Window: backend.Window{Kernel: shape{3, 3}}}, backend.F32(4, 9, 12, 13))},
		{name: "globalmean", d: desc(backend.GlobalPool{Mean: true}, backend.F32(4, 9, 61, 67))},
		{name: "adaptivemean", d: desc(backend.AdaptivePool{Out: shape{5, 3}, Mean: true}, backend.F32(4, 9, 31, 37))},
		{name: "resize", d: desc(backend.Resize{Size: shape{13, 40}, Mode: backend.ResizeLinear}, backend.F32(4, 9, 21, 27))},
		{name: "resample", d: desc(backend.Resample{Axis: 2}, backend.F32(4, 5, 21, 97), i32(60, 9), backend.F32(60, 9))},
		{name: "resample-last", d: desc(backend.Resample{Axis: -1}, backend.F32(4, 3, 7, 45), i32(300, 5), backend.F32(300, 5))},
		{name: "maxunpool", d: desc(backend.MaxUnpool{Size: shape{40, 41}}, backend.F32(4, 9, 30, 31), i32(4, 9, 30, 31))},
		{name: "softmax", d: desc(backend.Softmax{Axis: 1}, backend.F32(4, 1500))},
		{name: "batchnorm", d: desc(backend.BatchNorm{Epsilon: 1e-5}, backend.F32(4, 40, 6, 7), c, c, c, c)},
		{name: "groupnorm", d: desc(backend.GroupNorm{Groups: 8, Epsilon: 1e-5}, backend.F32(4, 40, 36, 37), c, c)},
		{name: "instancenorm", d: desc(backend.InstanceNorm{Epsilon: 1e-5}, backend.F32(4, 40, 16, 17), c, c)},
		{name: "layernorm", d: desc(backend.LayerNorm{Axis: 1, Epsilon: 1e-5}, backend.F32(4, 30000), backend.F32(30000), backend.F32(30000))},
		{name: "lrn", d: desc(backend.LRN{Size: 5, Alpha: 1, Beta: 0.75, K: 1}, backend.F32(4, 40, 6, 7))},
		{name: "reduce-rows", d: desc(backend.Reduce{Axes: shape{1, 2}}, backend.F32(4, 310, 211))},
		{name: "reduce-row", d: desc(backend.Reduce{Fn: backend.ReduceL2, Axes: shape{1}, KeepDims: true}, backend.F32(4, 7))},
		{name: "reduce-lanes", d: desc(backend.Reduce{Fn: backend.ReduceLogSumExp, Axes: shape{1}}, backend.F32(4, 300, 210))},
		{name: "reduce-few-lanes", d: desc(backend.Reduce{Fn: backend.ReduceSumSquare, Axes: shape{1}}, backend.F32(4, 30000, 3))},
		{name: "reduce-product", d: desc(backend.Reduce{Fn: backend.ReduceProd, Axes: shape{1, 3}}, backend.F32(4, 9, 6, 70))},
		{name: "reduce-image", d: desc(backend.Reduce{Fn: backend.ReduceMean, Axes: shape{2, 3}}, backend.F32(4, 9, 31, 37))},
		{name: "sigmoid", d: desc(backend.Activation{Act: backend.Act{Kind: backend.Sigmoid}}, backend.F32(4, 9, 6, 7))},
		{name: "data", d: backwardDesc(backend.Conv{Window: win, Groups: 2}, backend.BackwardData, shape{4, 10, 9, 11}, shape{70, 5, 3, 3})},
		{name: "weights", d: backwardDesc(backend.Conv{Window: win, Bias: true}, backend.BackwardWeights, shape{4, 5, 19, 23}, shape{6, 5, 3, 3})},
	}
}

// determinism tests that results are bitwise equal from run to run, on any number
// of threads, and in any batch.
func determinism(s *suite, r reporter, family string) {
	for _, p := range deterministic() {
		s.test(r, family, p.name+"-again", func(r reporter) { s.again(r, family, p) })
		if len(s.o.Threads) > 0 {
			s.test(r, family, p.name+"-threads", func(r reporter) { s.threads(r, family, p) })
		}
		if p.d.Pass == backend.Forward {
			s.test(r, family, p.name+"-batch", func(r reporter) {
				s.batch(r, family, p)
				// An algorithm that is asked for keeps the promise too.
				if all := s.be.Algorithms(p.d); len(all) > 1 {
					for _, p.d.Algorithm = range all[1:] {
						s.batch(r, family, p)
					}
				}
			})
		}
	}
}

// again runs one kernel several times, a second kernel, and one of another opening.
func (s *suite) again(r reporter, family string, p problem) {
	in := s.inputs(r, p.d, check.Normal)
	want, ok := s.calc(r, family, p.name, p.d, in)
	if !ok {
		return
	}
	s.prepared(r, p.d, func(k backend.Kernel) {
		for n := range 3 {
			got, err := execute(s.be, k, in)
			if err != nil {
				r.Fatalf("%s: %v", show(p.d), err)
			}
			bitwise(r, fmt.Sprintf("run %d of %s", n, show(p.d)), got, want)
		}
	})
	s.elsewhere(r, p, in, want, "another opening")
}

// threads compares the results of devices with different numbers of threads.
func (s *suite) threads(r reporter, family string, p problem) {
	in := s.inputs(r, p.d, check.Normal)
	want, ok := s.calc(r, family, p.name, p.d, in)
	if !ok {
		return
	}
	for _, n := range s.o.Threads {
		s.tally(family).runs++
		s.elsewhere(r, p, in, want, fmt.Sprintf("%d threads", n), backend.WithThreads(n))
	}
}

// elsewhere computes p on a device that is opened with further options.
func (s *suite) elsewhere(r reporter, p problem, in, want []*tensor.Tensor, what string, opts ...backend.Option) {
	be, err := s.open(opts...)
	if err != nil {
		r.Fatalf("open with %s: %v", what, err)
	}
	defer closing(r, be)
	k, err := be.Prepare(ctx, p.d)
	if err != nil {
		r.Fatalf("%s: prepare %s: %v", what, show(p.d), err)
	}
	defer closing(r, k)
	got, err := execute(be, k, in)
	if err != nil {
		r.Fatalf("%s: %s: %v", what, show(p.d), err)
	}
	bitwise(r, what+": "+show(p.d), got, want)
}

// batch compares each image's result in a batch with that of the image alone, and
// in another order, with NaN beside it.
func (s *suite) batch(r reporter, family string, p problem) {
	in := s.inputs(r, p.d, check.Normal)
	whole, ok := s.calc(r, family, p.name, p.d, in)
	if !ok {
		return
	}
	n := p.d.In[0].Shape[0]
	shared := sharedInputs(p.d)
	slice := func(images []int) ([]*tensor.Tensor, backend.Desc) {
		d := p.d
		d.In = slices.Clone(d.In)
		part := slices.Clone(in)
		for i := range in {
			if shared[i] {
				continue
			}
			part[i] = gather(in[i], images)
			d.In[i].Shape = part[i].Shape()
		}
		return part, d
	}
	for i := range n {
		part, d := slice([]int{i})
		alone, ok := s.calc(r, family, p.name, d, part)
		if !ok {
			r.Errorf("%s: supported with %d images, not with one", show(d), n)
			return
		}
		bitwise(r, fmt.Sprintf("image %d alone and in a batch of %d: %s", i, n, show(d)), alone, []*tensor.Tensor{gather(whole[0], []int{i})})
	}
	order := []int{3, 1, 0, 2, 3, 0, 1}
	part, d := slice(order)
	for i := range part {
		if !shared[i] && part[i].DType() == tensor.Float32 { // batch entry 2 becomes NaN
			size := part[i].Size() / len(order)
			for j := range size {
				part[i].Float32s()[2*size+j] = float32(math.NaN())
			}
		}
	}
	got, ok := s.calc(r, family, p.name, d, part)
	if !ok {
		return
	}
	for at, i := range order {
		if at != 2 {
			bitwise(r, fmt.Sprintf("image %d at position %d of %d beside NaN: %s", i, at, len(order), show(d)),
				[]*tensor.Tensor{gather(got[0], []int{at})}, []*tensor.Tensor{gather(whole[0], []int{i})})
		}
	}
}

// sharedInputs tells which inputs of d belong to all images: weights, and tables.
func sharedInputs(d backend.Desc) []bool {
	args, _ := d.Op.Args()
	shared := make([]bool, len(args))
	for i, a := range args {
		_, resample := d.Op.(backend.Resample)
		shared[i] = a.Weight || resample && i > 0
	}
	return shared
}

// gather returns the entries of the first dim in a given order.
func gather(t *tensor.Tensor, entries []int) *tensor.Tensor {
	x := slices.Clone(t.Shape())
	size := len(t.Bytes()) / x[0]
	x[0] = len(entries)
	y := tensor.Must(tensor.New(t.DType(), x...))
	for at, i := range entries {
		copy(y.Bytes()[at*size:], t.Bytes()[i*size:(i+1)*size])
	}
	return y
}

// bitwise demands equal bits.
func bitwise(r reporter, what string, got, want []*tensor.Tensor) {
	for o := range want {
		if !bytes.Equal(got[o].Bytes(), want[o].Bytes()) {
			g, w := got[o].AsFloat32().Float32s(), want[o].AsFloat32().Float32s()
			for i := range w {
				if math.Float32bits(g[i]) != math.Float32bits(w[i]) {
					r.Errorf("%s: output %d, element %d: got %v (%08x), want %v (%08x) to the bit", what, o, i, g[i], math.Float32bits(g[i]), w[i], math.Float32bits(w[i]))
					break
				}
			}
		}
	}
}
