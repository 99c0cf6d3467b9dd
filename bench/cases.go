package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// casePlan is a case as an op of ours.
type casePlan struct {
	op  backend.Op
	in  []*tensor.Tensor
	out []caseOutput // one for each output of op
}

// run implements trial.
func (p *casePlan) run(ctx context.Context, be backend.Backend, settle func([]caseOutput, []*tensor.Tensor) error) error {
	got, err := backend.RunOnce(ctx, be, p.op, p.in...)
	if err != nil {
		return err
	}
	return settle(p.out, got)
}

// caseOutput is a wanted output.
type caseOutput struct {
	name string
	want *tensor.Tensor
	tol  tolerance
	// typed demands the type of want; else what comes is converted to it.
	typed bool
	// convert brings the op's output into the case's shape and order; nil leaves it.
	convert func(*tensor.Tensor) (*tensor.Tensor, error)
}

// caseKinds maps the kind of a case to our op. A kind that is not here is
// unsupported.
var caseKinds = map[string]func(*caseReader) backend.Op{
	"conv1d": convCase, "conv2d": convCase, "conv3d": convCase,
	"conv_transpose1d": convTransposeCase, "conv_transpose2d": convTransposeCase, "conv_transpose3d": convTransposeCase,
	"maxpool1d": maxPoolCase, "maxpool2d": maxPoolCase, "maxpool3d": maxPoolCase,
	"avgpool1d": avgPoolCase, "avgpool2d": avgPoolCase, "avgpool3d": avgPoolCase,
	"global_avgpool1d": globalCase(true), "global_avgpool2d": globalCase(true), "global_avgpool3d": globalCase(true),
	"global_maxpool1d": globalCase(false), "global_maxpool2d": globalCase(false), "global_maxpool3d": globalCase(false),
	"batchnorm":   batchNormCase,
	"dense":       denseCase,
	"matmul":      func(r *caseReader) backend.Op { r.input("a"); r.input("b"); r.output("y"); return backend.MatMul{} },
	"relu":        actCase(backend.Relu, "", ""),
	"leaky_relu":  actCase(backend.LeakyRelu, "alpha", ""),
	"relu6":       actCase(backend.Clip, "min", "max"),
	"clip":        actCase(backend.Clip, "min", "max"),
	"sigmoid":     actCase(backend.Sigmoid, "", ""),
	"tanh":        actCase(backend.Tanh, "", ""),
	"elu":         actCase(backend.Elu, "alpha", ""),
	"selu":        actCase(backend.Selu, "", ""),
	"celu":        actCase(backend.Celu, "alpha", ""),
	"hardsigmoid": actCase(backend.HardSigmoid, "alpha", "beta"),
	"softplus":    actCase(backend.Softplus, "", ""),
	"softsign":    actCase(backend.Softsign, "", ""),
	"silu":        actCase(backend.Silu, "", ""),
	"hardswish":   actCase(backend.HardSwish, "", ""),
	"mish":        actCase(backend.Mish, "", ""),
	"gelu_erf":    actCase(backend.Gelu, "", ""),
	"gelu_tanh":   actCase(backend.GeluTanh, "", ""),
	"exp":         actCase(backend.Exp, "", ""),
	"prelu":       preluCase,
	"softmax":     softmaxCase(false),
	"log_softmax": softmaxCase(true),
	"add":         binaryCase(backend.Add), "sub": binaryCase(backend.Sub), "mul": binaryCase(backend.Mul), "div": binaryCase(backend.Div),
	"pad":                padCase,
	"adaptive_avgpool1d": adaptiveAvgPoolCase, "adaptive_avgpool2d": adaptiveAvgPoolCase, "adaptive_avgpool3d": adaptiveAvgPoolCase,
	"upsample":  upsampleCase,
	"groupnorm": groupNormCase, "instancenorm": instanceNormCase, "layernorm": layerNormCase, "lrn": lrnCase,
	"convolution_3d": noteConvCase,
	"max_pooling_2d": noteMaxPoolCase,
}

// CaseKinds lists the kinds of cases that Conform knows.
func CaseKinds() []string { return slices.Sorted(maps.Keys(caseKinds)) }

// remarks are attributes that do not change a forward result.
var remarks = []string{"note", "momentum", "momentum_convention", "affine"}

// caseLayouts are the orders of dims that a case may state; they all are ours, but
// for the course note's, of which the kinds are their own.
var caseLayouts = []string{"", "NC", "NCL", "NCHW", "NCDHW", "N C spatial", "note"}

// caseReader collects what a case consists of. It remembers the first error, and
// what has been read, so that nothing is overlooked.
type caseReader struct {
	Case
	dir  string
	plan casePlan
	used map[string]bool // attributes and tensors
	err  error
}

// plan makes our op of a case. An error that wraps errors.ErrUnsupported is a case
// that is not understood; others are faults of the case.
func (c Case) plan(dir string) (*casePlan, error) {
	kind := caseKinds[c.Op]
	if kind == nil {
		return nil, fmt.Errorf("kind %q is not known: %w", c.Op, errors.ErrUnsupported)
	}
	r := &caseReader{Case: c, dir: dir, used: map[string]bool{}}
	if !slices.Contains(caseLayouts, c.Layout) {
		r.unknown("layout %q", c.Layout)
	}
	r.plan.op = kind(r)
	for _, name := range slices.Sorted(maps.Keys(c.Attrs)) {
		if !r.used["attr "+name] && !slices.Contains(remarks, name) {
			r.unknown("attribute %q", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Tensors)) {
		// The gradient with respect to y is gy: given for outputs, wanted for inputs.
		of, isG := strings.CutPrefix(name, "g")
		if !r.used["tensor "+name] && !(isG && r.has(of)) {
			r.unknown("tensor %q", name)
		}
	}
	if r.err == nil && len(r.plan.out) == 0 {
		r.err = errors.New("no output is wanted")
	}
	return &r.plan, r.err
}

func (r *caseReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *caseReader) unknown(format string, args ...any) {
	r.fail(fmt.Errorf("kind %q with "+format+" is not known: %w", append(append([]any{r.Op}, args...), errors.ErrUnsupported)...))
}

// attr reads an attribute into v; a missing one leaves v as it is.
func (r *caseReader) attr(name string, v any) {
	r.used["attr "+name] = true
	if text, ok := r.Attrs[name]; ok {
		if err := json.Unmarshal(text, v); err != nil {
			r.fail(fmt.Errorf("attribute %q: %w", name, err))
		}
	}
}

// need is attr of an attribute that must be there.
func (r *caseReader) need(name string, v any) {
	if _, ok := r.Attrs[name]; !ok {
		r.fail(fmt.Errorf("attribute %q is missing", name))
	}
	r.attr(name, v)
}

func (r *caseReader) has(tensor string) bool { _, ok := r.Tensors[tensor]; return ok }

// read loads a tensor.
func (r *caseReader) read(name string) *tensor.Tensor {
	r.used["tensor "+name] = true
	t, err := r.load(r.dir, name)
	if err != nil {
		r.fail(err)
		return tensor.Must(tensor.New(tensor.Float32, 0)) // never run
	}
	return t
}

// input adds a tensor to the op's inputs.
func (r *caseReader) input(name string) { r.plan.in = append(r.plan.in, r.read(name)) }

// output adds a wanted tensor.
func (r *caseReader) output(name string) {
	r.plan.out = append(r.plan.out, caseOutput{name: name, want: r.read(name), tol: r.Tol.of(name)})
}

// window reads the attributes of a sliding window.
func (r *caseReader) window() (w backend.Window) {
	r.need("kernel", &w.Kernel)
	r.attr("strides", &w.Strides)
	r.attr("dilations", &w.Dilations)
	r.attr("pads", &w.Pads)
	return w
}

func convCase(r *caseReader) backend.Op {
	op := backend.Conv{Window: r.window(), Groups: 1}
	r.attr("groups", &op.Groups)
	r.attr("bias", &op.Bias)
	r.input("x")
	r.input("w")
	if op.Bias {
		r.input("b")
	}
	r.output("y")
	return op
}

func convTransposeCase(r *caseReader) backend.Op {
	op := backend.ConvTranspose{Window: r.window(), Groups: 1}
	r.attr("output_padding", &op.OutputPadding)
	r.attr("groups", &op.Groups)
	r.attr("bias", &op.Bias)
	r.input("x")
	r.input("w")
	if op.Bias {
		r.input("b")
	}
	r.output("y")
	return op
}

func maxPoolCase(r *caseReader) backend.Op {
	op := backend.MaxPool{Window: r.window(), Indices: r.has("indices")}
	r.attr("ceil_mode", &op.CeilMode)
	r.input("x")
	r.output("y")
	if op.Indices {
		r.output("indices")
		r.plan.out[1].tol = tolerance{} // a position is right or wrong
	}
	return op
}

func avgPoolCase(r *caseReader) backend.Op {
	op := backend.AvgPool{Window: r.window()}
	r.attr("ceil_mode", &op.CeilMode)
	r.need("count_include_pad", &op.CountIncludePad)
	r.input("x")
	r.output("y")
	return op
}

func globalCase(mean bool) func(*caseReader) backend.Op {
	return func(r *caseReader) backend.Op {
		r.input("x")
		r.output("y")
		return backend.GlobalPool{Mean: mean}
	}
}

func batchNormCase(r *caseReader) backend.Op {
	var op backend.BatchNorm
	training := false
	r.attr("training", &training)
	if training {
		r.unknown("training")
	}
	r.need("eps", &op.Epsilon)
	r.input("x")
	mean, variance := r.read("running_mean"), r.read("running_var")
	channels := mean.Size()
	for _, p := range []struct {
		name string
		def  float32
	}{{"scale", 1}, {"bias", 0}} {
		if r.has(p.name) {
			r.input(p.name)
			continue
		}
		v := slices.Repeat([]float32{p.def}, channels)
		r.plan.in = append(r.plan.in, tensor.Must(tensor.From(v, channels)))
	}
	r.plan.in = append(r.plan.in, mean, variance)
	r.output("y")
	return op
}

func denseCase(r *caseReader) backend.Op {
	var op backend.Dense
	order := "(out, in)"
	r.attr("bias", &op.Bias)
	r.attr("weight_layout", &order)
	if order != "(out, in)" {
		r.unknown("weight_layout %q", order)
	}
	r.input("x")
	r.input("w")
	if op.Bias {
		r.input("b")
	}
	r.output("y")
	return op
}

// actCase names the attributes of an activation's constants; "" is none.
func actCase(kind backend.ActKind, alpha, beta string) func(*caseReader) backend.Op {
	return func(r *caseReader) backend.Op {
		act := backend.Act{Kind: kind}
		if alpha != "" {
			r.need(alpha, &act.Alpha)
		}
		if beta != "" {
			r.need(beta, &act.Beta)
		}
		r.input("x")
		r.output("y")
		return backend.Activation{Act: act}
	}
}

// preluCase has a slope for each channel of x, or one for all.
func preluCase(r *caseReader) backend.Op {
	r.input("x")
	slope := r.read("slope")
	x, s := r.plan.in[0].Shape(), slope.Shape()
	if len(s) == 1 && len(x) > 2 {
		s = append(s, slices.Repeat([]int{1}, len(x)-2)...)
		slope = tensor.Must(slope.Reshape(s...)) // as many elements
	} else if len(s) > 1 && r.err == nil {
		r.unknown("a slope of shape %v", s)
	}
	r.plan.in = append(r.plan.in, slope)
	r.output("y")
	return backend.Binary{Fn: backend.PRelu}
}

func softmaxCase(log bool) func(*caseReader) backend.Op {
	return func(r *caseReader) backend.Op {
		op := backend.Softmax{Log: log}
		r.need("axis", &op.Axis)
		r.input("x")
		r.output("y")
		return op
	}
}

func binaryCase(fn backend.BinaryKind) func(*caseReader) backend.Op {
	return func(r *caseReader) backend.Op {
		r.input("a")
		r.input("b")
		r.output("y")
		return backend.Binary{Fn: fn}
	}
}

// padCase reads pads of the spatial dims: begin of each, then end of each.
func padCase(r *caseReader) backend.Op {
	var op backend.Pad
	var mode string
	var pads []int
	r.need("pads", &pads)
	r.need("mode", &mode)
	r.attr("value", &op.Value)
	r.input("x")
	r.output("y")
	if rank := len(r.plan.in[0].Shape()); r.err == nil && len(pads) != 2*(rank-2) {
		r.unknown("pads %v for rank %d", pads, rank)
		return op
	}
	half := len(pads) / 2
	op.Pads = slices.Concat([]int{0, 0}, pads[:half], []int{0, 0}, pads[half:])
	switch mode {
	case "constant":
	case "reflect":
		op.Mode = backend.PadReflect
	case "replicate", "edge":
		op.Mode = backend.PadEdge
	default:
		r.unknown("mode %q", mode)
	}
	return op
}

// noteConvCase is the course note's convolution_3d: a picture H, W, Cin with
// filters K, K, Cin, Cout gives H, W, Cout.
func noteConvCase(r *caseReader) backend.Op {
	var stride, padding int
	r.need("stride", &stride)
	r.need("padding", &padding)
	r.used["attr layout"] = true // tells people what is written above
	x, err := tensor.HWCToNCHW(r.read("input").AsFloat32())
	if err != nil {
		r.fail(err)
	}
	w, err := tensor.KKIOToOIHW(r.read("filters").AsFloat32())
	if err != nil {
		r.fail(err)
	}
	r.plan.in = []*tensor.Tensor{x, w}
	r.output("output")
	r.plan.out[0].convert = func(t *tensor.Tensor) (*tensor.Tensor, error) {
		y, err := tensor.NCHWToHWC(t)
		if err != nil {
			return nil, err
		}
		return y.Reshape(y.Shape()[1:]...)
	}
	return backend.Conv{Window: backend.Window{Strides: []int{stride, stride}, Pads: []int{padding, padding, padding, padding}}}
}

// noteMaxPoolCase is the course note's max_pooling_2d of a matrix.
func noteMaxPoolCase(r *caseReader) backend.Op {
	var stride int
	r.need("stride", &stride)
	var size []int
	if text := r.Attrs["pool_size"]; len(text) > 0 && text[0] == '[' {
		r.attr("pool_size", &size)
	} else {
		var one int
		r.need("pool_size", &one)
		size = []int{one, one}
	}
	x := r.read("input").AsFloat32()
	if len(x.Shape()) == 2 {
		x = tensor.Must(x.Reshape(append([]int{1, 1}, x.Shape()...)...)) // as many elements
	} else if r.err == nil {
		r.unknown("an input of shape %v", x.Shape())
	}
	r.plan.in = []*tensor.Tensor{x}
	r.output("output")
	r.plan.out[0].convert = func(t *tensor.Tensor) (*tensor.Tensor, error) { return t.Reshape(t.Shape()[2:]...) }
	return backend.MaxPool{Window: backend.Window{Kernel: size, Strides: []int{stride, stride}}}
}
