package backendtest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// mutation is a bug planted into the oracle, which the suite must find.
type mutation struct {
	name     string
	family   string                                            // the part of the suite that must find it
	finds    string                                            // must be in what it says
	desc     func(*backend.Desc)                               // plans something else
	info     func(d backend.Desc, i *backend.KernelInfo)       // says something else
	before   func(k *mutantKernel, a backend.Args)             // before a run
	after    func(k *mutantKernel, a backend.Args)             // after it
	run      func(k *mutantKernel, a backend.Args) error       // instead of it
	counts   bool                                              // run looks at mutantKernel.runs
	prepared func(be *mutant, d backend.Desc) error            // at the end of Prepare
	closed   func(be *mutant, err error) error                 // at the end of Close
	pack     func(be *mutant, t *tensor.Tensor) *tensor.Tensor // packs something else
}

func TestMutants(t *testing.T) {
	if raceEnabled {
		t.Skip("some of the planted bugs are races, which the detector itself reports")
	}
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			r := &recorder{}
			o := Options{Threads: []int{1, 2, 3}, Short: true, Seed: 3}
			for _, f := range families {
				if f.name != m.family {
					o.Skip = append(o.Skip, Skip{f.name + "/", "only " + m.family + " matters"})
				}
			}
			r.Run("", func(reporter) { run(r, m.open, o) })
			if len(r.failures) == 0 {
				t.Fatalf("%s: not found", m.name)
			}
			t.Logf("found: %s", strings.SplitN(r.failures[0], "\n", 2)[0])
			if !strings.Contains(r.failures[0], m.finds) {
				t.Errorf("found as %q, want a message with %q", r.failures[0], m.finds)
			}
		})
	}
}

// The wrapper alone is no bug: what is found in the mutants is theirs.
func TestNoMutant(t *testing.T) {
	if raceEnabled {
		t.Skip("TestRef runs the same under the race detector")
	}
	r := &recorder{}
	r.Run("", func(reporter) { run(r, (&mutation{}).open, Options{Threads: []int{2}, Short: true}) })
	if len(r.failures) > 0 {
		t.Error(r.failures[0])
	}
}

// recorder is a reporter that ends at the first failure.
type recorder struct{ failures []string }

func (*recorder) Logf(string, ...any) {}
func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}
func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}
func (r *recorder) Run(_ string, f func(reporter)) {
	if len(r.failures) > 0 {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
}

var mutations = []*mutation{
	{name: "drops the last tap", family: "conv", finds: "fail", before: func(k *mutantKernel, a backend.Args) {
		if _, ok := k.d.Op.(backend.Conv); ok {
			k.editing(a.In[1], func(w []byte) {
				n := tensor.Shape(k.d.In[1].Shape[1:]).Size()
				for i := n - 1; i < len(w)/4; i += n {
					put(w, i, 0)
				}
			})
		}
	}},
	{name: "forgets pad lanes", family: "activation", finds: "padded lane", after: func(k *mutantKernel, a backend.Args) {
		d := k.Info().Out[0]
		if n := len(d.Shape); n >= 3 && d.Layout == backend.ChannelsLast4 && d.Shape[1]%4 != 0 {
			k.editing(a.Out[0], func(y []byte) { put(y, d.Shape[1], 0.5) })
		}
	}},
	{name: "writes past the end", family: "maxpool", finds: "canary", after: func(k *mutantKernel, a backend.Args) {
		b := a.Out[0].(*mutantBuffer)
		k.editing(b.root, func(mem []byte) { mem[b.offset+b.Bytes()] = 0 })
	}},
	{name: "writes before the start", family: "dense", finds: "canary", after: func(k *mutantKernel, a backend.Args) {
		b := a.Out[0].(*mutantBuffer)
		k.editing(b.root, func(mem []byte) { mem[b.offset-1] = 0 })
	}},
	{name: "writes past a page", family: "memory", finds: "canary", after: func(k *mutantKernel, a backend.Args) {
		if b := a.Out[0].(*mutantBuffer); b.Bytes()%4096 == 0 && b.root.Bytes() > b.offset+b.Bytes() {
			k.editing(b.root, func(mem []byte) { mem[b.offset+b.Bytes()] = 0 })
		}
	}},
	{name: "changes an input", family: "softmax", finds: "was changed", after: func(k *mutantKernel, a backend.Args) {
		k.editing(a.In[0], func(x []byte) {
			if len(x) > 0 {
				put(x, 0, 1e9)
			}
		})
	}},
	{name: "leaves one element unwritten", family: "avgpool", finds: "not written", after: func(k *mutantKernel, a backend.Args) {
		k.editing(a.Out[0], func(y []byte) {
			if len(y) > 0 {
				binary.NativeEndian.PutUint32(y[len(y)/8*4:], poison)
			}
		})
	}},
	{name: "writes nothing when it runs again", family: "determinism", finds: "not written", counts: true, run: func(k *mutantKernel, a backend.Args) error {
		if k.runs > 1 {
			return nil
		}
		return k.plain(ctx, a)
	}},
	{name: "reads its workspace", family: "conv", finds: "not written", info: func(_ backend.Desc, i *backend.KernelInfo) { i.Workspace = 64 },
		after: func(k *mutantKernel, a backend.Args) {
			var scratch []byte
			k.editing(a.Workspace, func(w []byte) { scratch = w })
			k.editing(a.Out[0], func(y []byte) {
				if len(y) > 0 {
					put(y, 0, get(y, 0)+0*get(scratch, 0))
				}
			})
		}},
	{name: "adds across the channel block", family: "edges", finds: "fail", after: func(k *mutantKernel, a backend.Args) {
		if y := k.d.Out[0].Shape; len(y) == 4 && y[1] == 65 { // the 65th channel is forgotten
			k.editing(a.Out[0], func(m []byte) { clear(m[4*64*y[2]*y[3]:]) })
		}
	}},
	{name: "swaps the pads", family: "conv", finds: "fail", desc: func(d *backend.Desc) {
		if op, ok := d.Op.(backend.Conv); ok && len(op.Pads) == 4 {
			op.Pads = []int{op.Pads[2], op.Pads[3], op.Pads[0], op.Pads[1]}
			d.Op = op
		}
	}},
	{name: "swaps epilogue steps", family: "conv", finds: "fail", desc: func(d *backend.Desc) {
		if op, ok := d.Op.(backend.Conv); ok && len(op.Epilogue) == 2 && op.Epilogue[0] == relu {
			op.Epilogue = backend.Epilogue{op.Epilogue[1], op.Epilogue[0]}
			d.Op = op
		}
	}},
	{name: "counts the padding", family: "avgpool", finds: "fail", desc: func(d *backend.Desc) {
		if op, ok := d.Op.(backend.AvgPool); ok {
			op.CountIncludePad = true
			d.Op = op
		}
	}},
	{name: "another epsilon", family: "batchnorm", finds: "fail", desc: func(d *backend.Desc) {
		if op, ok := d.Op.(backend.BatchNorm); ok && op.Epsilon == 1e-5 {
			op.Epsilon = 1e-3
			d.Op = op
		}
	}},
	{name: "aligns corners", family: "resize", finds: "fail", desc: func(d *backend.Desc) {
		if op, ok := d.Op.(backend.Resize); ok && op.Mode == backend.ResizeLinear && op.Coord == backend.HalfPixel {
			op.Coord = backend.AlignCorners
			d.Op = op
		}
	}},
	{name: "rounds a scale", family: "resize", finds: "fail", desc: func(d *backend.Desc) {
		if op, ok := d.Op.(backend.Resize); ok && op.Scales != nil && op.Coord == backend.Asymmetric {
			y, _ := op.Infer(d.In)
			op.Size, op.Scales = y[0].Shape[2:], nil
			d.Op = op
		}
	}},
	{name: "reads one input twice", family: "concat", finds: "fail", before: func(k *mutantKernel, a backend.Args) {
		if in := k.Info().In; len(in) > 1 && in[0].Bytes() == in[1].Bytes() {
			k.editing(a.In[0], func(x []byte) { k.editing(a.In[1], func(y []byte) { copy(x, y) }) })
		}
	}},
	{name: "counts from the wrong end", family: "gather", finds: "fail", before: func(k *mutantKernel, a backend.Args) {
		if k.d.Op.Kind() == "Gather" {
			k.editing(a.In[1], func(m []byte) {
				for i := 0; i+4 <= len(m); i += 4 {
					if v := int32(binary.NativeEndian.Uint32(m[i:])); v == -1 {
						binary.NativeEndian.PutUint32(m[i:], 0)
					}
				}
			})
		}
	}},
	{name: "multiplies by a weight of 0", family: "resample", finds: "fail", before: func(k *mutantKernel, a backend.Args) {
		if k.d.Op.Kind() == "Resample" {
			k.editing(a.In[2], func(m []byte) {
				for i := range len(m) / 4 {
					if get(m, i) == 0 {
						put(m, i, 1e-36)
					}
				}
			})
		}
	}},
	{name: "lets the first of equal indices win", family: "maxunpool", finds: "fail", before: func(k *mutantKernel, a backend.Args) {
		if k.d.Op.Kind() == "MaxUnpool" {
			plane := k.d.In[0].Shape[2:].Size()
			k.editing(a.In[1], func(m []byte) {
				seen := map[[2]int]bool{}
				for i := range len(m) / 4 {
					v := int(int32(binary.NativeEndian.Uint32(m[4*i:])))
					if at := [2]int{i / plane, v}; seen[at] {
						binary.NativeEndian.PutUint32(m[4*i:], math.MaxUint32)
					} else {
						seen[at] = true
					}
				}
			})
		}
	}},
	{name: "takes one dim for another as large", family: "transpose", finds: "fail", desc: func(d *backend.Desc) {
		if op, ok := d.Op.(backend.Transpose); ok && d.In[0].Shape.Equal(shape{2, 2, 6, 3, 4}) {
			op.Perm = shape{1, 2, 0, 3, 4} // of 0, 2, 1, 3, 4
			d.Op = op
		}
	}},
	{name: "slices forwards only", family: "slice", finds: "fail", desc: func(d *backend.Desc) {
		if op, ok := d.Op.(backend.Slice); ok && len(d.In[0].Shape) == 1 && op.Steps[0] == -1 {
			first, n, _ := op.Range(0, d.In[0].Shape[0])
			d.Op = backend.Slice{Starts: shape{first - n + 1}, Ends: shape{first + 1}}
		}
	}},
	{name: "takes channels from a multiple of four on", family: "slice", finds: "fail", desc: func(d *backend.Desc) {
		if op, ok := d.Op.(backend.Slice); ok && len(op.Starts) == 4 && op.Steps[1] == 1 && op.Ends[1] < backend.SliceEnd && op.Starts[1]%4 > 0 {
			from := op.Starts[1] / 4 * 4
			starts, ends := append(shape{}, op.Starts...), append(shape{}, op.Ends...)
			starts[1], ends[1] = from, op.Ends[1]-op.Starts[1]+from
			d.Op = backend.Slice{Starts: starts, Ends: ends, Steps: op.Steps}
		}
	}},
	{name: "stretches the first row only", family: "expand", finds: "fail", after: func(k *mutantKernel, a backend.Args) {
		if d := k.d.Out[0].Shape; k.d.Op.Kind() == "Expand" && len(d) == 2 && d[0] == 200 {
			k.editing(a.Out[0], func(y []byte) { copy(y[len(y)-8:], y[:8]) })
		}
	}},
	{name: "repeats each element for itself", family: "tile", finds: "fail", after: func(k *mutantKernel, a backend.Args) {
		if op, ok := k.d.Op.(backend.Tile); ok && len(op.Repeats) == 1 && k.d.In[0].Shape[0] == 7 {
			k.editing(a.In[0], func(x []byte) {
				k.editing(a.Out[0], func(y []byte) {
					for i := range len(y) / 4 {
						put(y, i, get(x, i/op.Repeats[0]))
					}
				})
			})
		}
	}},
	{name: "wraps once only", family: "pad", finds: "fail", desc: func(d *backend.Desc) {
		if op, ok := d.Op.(backend.Pad); ok && op.Mode == backend.PadWrap && len(op.Pads) == 8 && op.Pads[2] > d.In[0].Shape[2] {
			op.Pads = append(shape{}, op.Pads...)
			op.Pads[2]-- // another phase
			op.Pads[6]++
			d.Op = op
		}
	}},
	{name: "another number of groups", family: "groupnorm", finds: "fail", desc: func(d *backend.Desc) {
		if op, ok := d.Op.(backend.GroupNorm); ok && op.Groups == 2 {
			op.Groups = 1
			d.Op = op
		}
	}},
	{name: "normalises with one element wrong", family: "instancenorm", finds: "exact fill: y: fail", before: func(k *mutantKernel, a backend.Args) {
		if d := k.d.In[0].Shape; k.d.Op.Kind() == "InstanceNorm" && d[2:].Size() > 4000 {
			k.editing(a.In[0], func(x []byte) { put(x, 2000, get(x, 2000)+1) })
		}
	}},
	{name: "leaves the epsilon out", family: "layernorm", finds: "exact fill: y: fail", desc: func(d *backend.Desc) {
		if op, ok := d.Op.(backend.LayerNorm); ok && op.Epsilon == 1 {
			op.Epsilon = 0
			d.Op = op
		}
	}},
	{name: "puts an even window one channel lower", family: "lrn", finds: "exact fill: y: fail", desc: func(d *backend.Desc) {
		if op, ok := d.Op.(backend.LRN); ok && op.Size == 4 { // so that the upper channel is lost
			op.Alpha *= 3. / 4
			op.Size = 3
			d.Op = op
		}
	}},
	{name: "drops a transposed tap", family: "convtranspose", finds: "exact fill: y: fail", before: func(k *mutantKernel, a backend.Args) {
		if _, ok := k.d.Op.(backend.ConvTranspose); ok {
			k.editing(a.In[1], func(w []byte) {
				n := k.d.In[1].Shape[2:].Size()
				for i := n - 1; i < len(w)/4; i += n {
					put(w, i, 0)
				}
			})
		}
	}},
	{name: "reads another group's channels", family: "convtranspose", finds: "exact fill: y: fail", before: func(k *mutantKernel, a backend.Args) {
		if op, ok := k.d.Op.(backend.ConvTranspose); ok && op.Groups == 3 {
			k.editing(a.In[0], func(x []byte) {
				n := len(x) / k.d.In[0].Shape[0] / 3
				copy(x[2*n:3*n], x[n:2*n])
			})
		}
	}},
	{name: "forgets the output padding", family: "convtranspose", finds: "exact fill: y: fail", after: func(k *mutantKernel, a backend.Args) {
		if op, ok := k.d.Op.(backend.ConvTranspose); ok && len(op.OutputPadding) == 2 {
			k.editing(a.Out[0], func(y []byte) {
				n := k.d.Out[0].Shape[3]
				for i := n - 1; i < len(y)/4; i += n {
					put(y, i, 0)
				}
			})
		}
	}},
	{name: "ends an adaptive window one early", family: "adaptivepool", finds: "fill: y: fail", before: func(k *mutantKernel, a backend.Args) {
		if d := k.d.In[0].Shape; k.d.Op.Kind() == "AdaptivePool" && d[len(d)-1] > 8 { // the last column is lost
			k.editing(a.In[0], func(x []byte) {
				n := d[len(d)-1]
				for i := n - 1; i < len(x)/4; i += n {
					put(x, i, get(x, i-1))
				}
			})
		}
	}},
	{name: "joins along the next dim", family: "concat", finds: "exact fill: y: fail", after: func(k *mutantKernel, a backend.Args) {
		if op, ok := k.d.Op.(backend.Concat); ok && op.Axis == 1 && len(a.In) == 2 && len(k.d.Out[0].Shape) > 2 {
			var first, second []byte
			k.editing(a.In[0], func(m []byte) { first = bytes.Clone(m) })
			k.editing(a.In[1], func(m []byte) { second = bytes.Clone(m) })
			k.editing(a.Out[0], func(y []byte) { copy(y[copy(y, first):], second) })
		}
	}},
	{name: "scales by the wrong channel", family: "instancenorm", finds: "exact fill: y: fail", before: func(k *mutantKernel, a backend.Args) {
		if c := k.d.In[0].Shape[1]; k.d.Op.Kind() == "InstanceNorm" && c > 1 {
			k.editing(a.In[1], func(m []byte) { put(m, c-1, get(m, c-2)) })
		}
	}},
	{name: "squares a channel too many", family: "lrn", finds: "exact fill: y: fail", desc: func(d *backend.Desc) {
		if op, ok := d.Op.(backend.LRN); ok && op.Size == 5 && op.Alpha == 1e-4 {
			op.Alpha *= 6. / 5
			op.Size = 6
			d.Op = op
		}
	}},
	{name: "forgets pad lanes of a concatenation", family: "concat", finds: "padded lane", after: func(k *mutantKernel, a backend.Args) {
		d := k.Info().Out[0]
		if n := len(d.Shape); n >= 3 && d.Layout == backend.ChannelsLast4 && d.Shape[1]%4 != 0 {
			k.editing(a.Out[0], func(y []byte) {
				if at := (d.Shape[1] + 3) / 4 * 4; len(y) >= 4*at {
					put(y, at-1, 0.5)
				}
			})
		}
	}},
	{name: "takes a slope for all channels", family: "binary", finds: "exact fill: y: fail", before: func(k *mutantKernel, a backend.Args) {
		if op, ok := k.d.Op.(backend.Binary); ok && op.Fn == backend.PRelu && k.d.In[1].Shape.Size() > 1 {
			k.editing(a.In[1], func(m []byte) {
				for i := range len(m) / 4 {
					put(m, i, get(m, 0))
				}
			})
		}
	}},
	{name: "sums a norm in as many parts as threads", family: "determinism", finds: "3 threads: GroupNorm", after: perturbed(func(k *mutantKernel) bool {
		return k.be.threads == 3 && k.d.Op.Kind() == "GroupNorm"
	}, 1e-7)},
	{name: "takes NaN for 0 in ReLU", family: "activation", finds: "NaN", after: func(k *mutantKernel, a backend.Args) {
		k.editing(a.Out[0], func(y []byte) {
			for i := range len(y) / 4 {
				if v := get(y, i); v != v {
					put(y, i, 0)
				}
			}
		})
	}},
	{name: "rounds halves up", family: "activation", finds: "of the bound (equal)", after: func(k *mutantKernel, a backend.Args) {
		if op, ok := k.d.Op.(backend.Activation); !ok || op.Act.Kind != backend.Round || a.In[0].Bytes() != a.Out[0].Bytes() {
			return
		}
		var x []byte
		k.editing(a.In[0], func(m []byte) { x = bytes.Clone(m) })
		k.editing(a.Out[0], func(y []byte) {
			for i := range len(y) / 4 {
				put(y, i, float32(math.Floor(float64(get(x, i))+0.5)))
			}
		})
	}},
	{name: "takes NaN for false", family: "where", finds: "special fill: z: fail", after: func(k *mutantKernel, a backend.Args) {
		if a.In[0].Bytes() != a.Out[0].Bytes() || a.In[2].Bytes() != a.Out[0].Bytes() {
			return
		}
		var c, other []byte
		k.editing(a.In[0], func(m []byte) { c = bytes.Clone(m) })
		k.editing(a.In[2], func(m []byte) { other = bytes.Clone(m) })
		k.editing(a.Out[0], func(z []byte) {
			for i := range len(z) / 4 {
				if v := get(c, i); v != v {
					put(z, i, get(other, i))
				}
			}
		})
	}},
	{name: "takes GELU by tanh for GELU", family: "activation", finds: "over it", after: func(k *mutantKernel, a backend.Args) {
		if op, ok := k.d.Op.(backend.Activation); !ok || op.Act.Kind != backend.Gelu || a.In[0].Bytes() != a.Out[0].Bytes() {
			return
		}
		var x []byte
		k.editing(a.In[0], func(m []byte) { x = bytes.Clone(m) })
		k.editing(a.Out[0], func(y []byte) {
			for i := range len(y) / 4 {
				v := float64(get(x, i))
				put(y, i, float32(v/2*(1+math.Tanh(math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v)))))
			}
		})
	}},
	{name: "is inexact by 1e-5", family: "matmul", finds: "over it", after: perturbed(func(k *mutantKernel) bool { return true }, 1e-5)},
	{name: "moves int32 as float32", family: "reorder", finds: "fail", after: func(k *mutantKernel, a backend.Args) {
		if k.d.In[0].DType == tensor.Int32 {
			k.editing(a.Out[0], func(y []byte) {
				for i := range len(y) / 4 {
					v := int32(binary.NativeEndian.Uint32(y[4*i:]))
					binary.NativeEndian.PutUint32(y[4*i:], uint32(int32(float64(float32(v)))))
				}
			})
		}
	}},
	{name: "depends on the position in the batch", family: "determinism", finds: "alone", after: perturbed(func(k *mutantKernel) bool {
		return k.d.Out[0].Shape[0] > 1
	}, 1e-7)},
	{name: "depends on the number of threads", family: "determinism", finds: "3 threads", after: perturbed(func(k *mutantKernel) bool {
		return k.be.threads == 3
	}, 1e-7)},
	{name: "differs from run to run", family: "determinism", finds: "run ", after: perturbed(func(k *mutantKernel) bool { return k.runs == 2 }, 1e-7)},
	{name: "ignores a fixed layout", family: "conv", finds: "layout", desc: func(d *backend.Desc) {
		for i := range d.Out {
			d.Out[i].Layout = backend.Plain
		}
	}},
	{name: "lists a false output in place", family: "memory", finds: "in place", info: func(d backend.Desc, i *backend.KernelInfo) {
		if _, ok := d.Op.(backend.Conv); ok && i.InBytes(0) == i.OutBytes(0) {
			i.InPlace = []int{0}
		}
	}},
	{name: "packs by batch size", family: "prototypes", finds: "format", info: func(d backend.Desc, i *backend.KernelInfo) {
		if len(d.In) > 1 && d.In[1].Const {
			i.Formats[1] = batchFormat{d.In[0].Shape[0], d.In[1].Bytes()}
		}
	}},
	{name: "packs a wrong weight", family: "dense", finds: "fail", info: func(d backend.Desc, i *backend.KernelInfo) {
		if len(d.In) > 1 && d.In[1].Const {
			i.Formats[1] = batchFormat{0, d.In[1].Bytes()}
		}
	}, pack: func(_ *mutant, t *tensor.Tensor) *tensor.Tensor {
		c := t.Clone()
		if n := c.Size(); n > 0 {
			c.Float32s()[n-1]++
		}
		return c
	}},
	{name: "leaks a buffer", family: "conv", finds: "leaves objects open", prepared: func(be *mutant, _ backend.Desc) error {
		_, err := be.Backend.Alloc(4)
		return err
	}},
	{name: "hides a leak", family: "life", finds: "LeakError", closed: func(*mutant, error) error { return nil }},
	{name: "runs on closed buffers", family: "life", finds: "ErrClosed", run: func(k *mutantKernel, a backend.Args) error {
		if err := k.plain(ctx, a); !errors.Is(err, backend.ErrClosed) {
			return err
		}
		return nil
	}},
	{name: "keeps the arguments of a run", family: "life", finds: "goroutine", run: func(k *mutantKernel, a backend.Args) error {
		k.args.Store(&a)
		runtime.Gosched()
		return k.plain(ctx, *k.args.Load())
	}},
	{name: "allocates in each run", family: "life", finds: "allocates", run: func(k *mutantKernel, a backend.Args) error {
		garbage.Store(new([64]byte))
		return k.plain(ctx, a)
	}},
	{name: "supports nothing", family: "conv", finds: "nothing ran", prepared: func(*mutant, backend.Desc) error {
		return backend.Unsupported("mutant", "Conv", "none is")
	}},
	{name: "fails without a type", family: "edges", finds: "*LimitError", prepared: func(_ *mutant, d backend.Desc) error {
		if d.In[0].Bytes() > 1<<30 {
			return errors.New("too large")
		}
		return nil
	}},
	{name: "breaks on large batches", family: "edges", finds: "fail", after: func(k *mutantKernel, a backend.Args) {
		if y := k.d.Out[0].Shape; len(y) == 4 && y[0] > 512 {
			k.editing(a.Out[0], func(m []byte) { clear(m[len(m)/4*4/2:]) })
		}
	}},
	{name: "adds before it rounds the gradient", family: "prototypes", finds: "central differences", after: func(k *mutantKernel, a backend.Args) {
		if k.d.Pass == backend.BackwardWeights {
			k.editing(a.Out[0], func(m []byte) { put(m, 0, get(m, 0)+1) })
		}
	}},
	{name: "ignores groups", family: "metamorphic", finds: "groups", before: func(k *mutantKernel, a backend.Args) {
		if op, ok := k.d.Op.(backend.Conv); ok && op.Groups == 3 {
			k.editing(a.In[0], func(x []byte) { copy(x[len(x)/2:], x[:len(x)/2]) })
		}
	}},
}

var garbage atomic.Pointer[[64]byte]

// perturbed multiplies elements that are no integers by 1+by, where the condition
// holds: what is exact stays so.
func perturbed(when func(k *mutantKernel) bool, by float64) func(*mutantKernel, backend.Args) {
	return func(k *mutantKernel, a backend.Args) {
		if !when(k) {
			return
		}
		k.editing(a.Out[0], func(y []byte) {
			for i := range len(y) / 4 {
				if v := float64(get(y, i)); v != math.Trunc(v) {
					put(y, i, float32(v*(1+by)))
				}
			}
		})
	}
}

func get(m []byte, i int) float32 { return math.Float32frombits(binary.NativeEndian.Uint32(m[4*i:])) }
func put(m []byte, i int, v float32) {
	binary.NativeEndian.PutUint32(m[4*i:], math.Float32bits(v))
}

// mutant is the oracle with a bug.
type mutant struct {
	backend.Backend
	m       *mutation
	threads int
}

func (m *mutation) open(opts ...backend.Option) (backend.Backend, error) {
	be, err := openRef(opts...)
	if err != nil {
		return nil, err
	}
	var c backend.Config
	for _, o := range opts {
		o(&c)
	}
	return &mutant{be, m, c.Threads}, nil
}

func (be *mutant) Close() error {
	err := be.Backend.Close()
	if be.m.closed != nil {
		return be.m.closed(be, err)
	}
	return err
}

func (be *mutant) Algorithms(d backend.Desc) []string {
	names := be.Backend.Algorithms(d)
	if len(names) > 0 && be.m.prepared != nil && be.m.prepared(be, d) != nil {
		return nil
	}
	return names
}

func (be *mutant) Alloc(n int64) (backend.Buffer, error) {
	b, err := be.Backend.Alloc(n)
	if err != nil {
		return nil, err
	}
	return &mutantBuffer{Buffer: b, root: b}, nil
}

func (be *mutant) Pack(ctx context.Context, t *tensor.Tensor, d backend.TensorDesc, f backend.Format) (backend.Buffer, error) {
	if _, ok := f.(batchFormat); ok {
		f = nil
		if be.m.pack != nil {
			t = be.m.pack(be, t)
		}
	}
	b, err := be.Backend.Pack(ctx, t, d, f)
	if err != nil {
		return nil, err
	}
	return &mutantBuffer{Buffer: b, root: b}, nil
}

func (be *mutant) Write(ctx context.Context, b backend.Buffer, src []byte) error {
	return be.Backend.Write(ctx, unwrap(b), src)
}

func (be *mutant) Read(ctx context.Context, dst []byte, b backend.Buffer) error {
	return be.Backend.Read(ctx, dst, unwrap(b))
}

func (be *mutant) Prepare(ctx context.Context, d backend.Desc) (backend.Kernel, error) {
	planned, err := d.Resolve()
	if err != nil {
		return nil, err
	}
	asked := planned
	planned.Out = append([]backend.TensorDesc{}, planned.Out...)
	if be.m.desc != nil {
		be.m.desc(&planned)
	}
	k, err := be.Backend.Prepare(ctx, planned)
	if err != nil {
		return nil, err
	}
	if be.m.prepared != nil {
		if err := be.m.prepared(be, asked); err != nil {
			return nil, errors.Join(err, k.Close())
		}
	}
	info := *k.Info()
	info.Formats = append([]backend.Format{}, info.Formats...)
	info.Cost = asked.Cost()
	if be.m.info != nil {
		be.m.info(asked, &info)
	}
	return &mutantKernel{Kernel: k, be: be, d: asked, info: &info}, nil
}

// mutantKernel is a kernel of the oracle that runs with the bug.
type mutantKernel struct {
	backend.Kernel
	be   *mutant
	d    backend.Desc
	info *backend.KernelInfo
	runs int
	args atomic.Pointer[backend.Args]
}

func (k *mutantKernel) Info() *backend.KernelInfo { return k.info }

func (k *mutantKernel) Run(ctx context.Context, a backend.Args) error {
	if k.be.m.run != nil {
		if k.be.m.counts {
			k.runs++
		}
		return k.be.m.run(k, a)
	}
	if k.be.m.before == nil && k.be.m.after == nil {
		return k.plain(ctx, a)
	}
	k.runs++
	if err := k.info.CheckArgs("mutant", &a); err != nil {
		return err
	}
	// What before changes in the inputs is put back: it is what the bug reads.
	kept := make([][]byte, len(a.In))
	for i, b := range a.In {
		kept[i] = make([]byte, b.Bytes())
		if err := k.be.Read(ctx, kept[i], b); err != nil {
			return err
		}
	}
	if k.be.m.before != nil {
		k.be.m.before(k, a)
	}
	if err := k.plain(ctx, a); err != nil {
		return err
	}
	for i, b := range a.In {
		if len(a.Out) == 0 || b != a.Out[0] {
			if err := k.be.Write(ctx, b, kept[i]); err != nil {
				return err
			}
		}
	}
	if k.be.m.after != nil {
		k.be.m.after(k, a)
	}
	return nil
}

// editing changes the content of a buffer.
func (k *mutantKernel) editing(b backend.Buffer, f func(mem []byte)) {
	mem := make([]byte, b.Bytes())
	if err := k.be.Read(ctx, mem, b); err != nil {
		panic(err)
	}
	f(mem)
	if err := k.be.Write(ctx, b, mem); err != nil {
		panic(err)
	}
}

// mutantBuffer knows the allocation that it is a part of.
type mutantBuffer struct {
	backend.Buffer
	root   backend.Buffer
	offset int64
}

func (b *mutantBuffer) Slice(offset, n int64) (backend.Buffer, error) {
	p, err := b.Buffer.Slice(offset, n)
	if err != nil {
		return nil, err
	}
	return &mutantBuffer{p, b.root, b.offset + offset}, nil
}

func unwrap(b backend.Buffer) backend.Buffer {
	if m, ok := b.(*mutantBuffer); ok {
		return m.Buffer
	}
	return b
}

// plain runs the oracle's kernel. It allocates nothing.
func (k *mutantKernel) plain(ctx context.Context, a backend.Args) error {
	p, _ := frames.Get().(*backend.Args)
	if p == nil {
		p = &backend.Args{}
	}
	defer frames.Put(p)
	p.In, p.Out = p.In[:0], p.Out[:0]
	for _, b := range a.In {
		p.In = append(p.In, unwrap(b))
	}
	for _, b := range a.Out {
		p.Out = append(p.Out, unwrap(b))
	}
	p.Workspace = unwrap(a.Workspace)
	return k.Kernel.Run(ctx, *p)
}

var frames sync.Pool // of *backend.Args

// batchFormat is a packed form that depends on the batch size.
type batchFormat struct {
	batch int
	bytes int64
}

func (f batchFormat) String() string { return fmt.Sprintf("for batches of %d", f.batch) }
func (f batchFormat) Bytes() int64   { return f.bytes }
