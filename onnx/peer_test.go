package onnx

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// trial is a random model with its inputs. Values are given at random as constants of the
// file, as Constant nodes or as inputs, so that ops meet contents that are known early
// and late; dims of inputs are open at random.
type trial struct {
	r      *rand.Rand
	name   string
	opset  int64
	g      *pb.Graph
	feeds  []*tensor.Tensor
	more   [][]*tensor.Tensor // inputs of further runs of the session
	closed bool               // no dims of inputs are open
	values int
}

func newTrial(name string, opset int64, seed uint64) *trial {
	return &trial{r: rand.New(rand.NewPCG(seed, 5)), name: name, opset: opset, g: &pb.Graph{Name: name}}
}

func (g *trial) fresh() string {
	g.values++
	return fmt.Sprintf("v%d", g.values)
}

// pick returns one of a list.
func pick[T any](g *trial, list ...T) T { return list[g.r.IntN(len(list))] }

func (g *trial) coin() bool { return g.r.IntN(2) == 0 }

func (g *trial) between(low, high int) int { return low + g.r.IntN(high-low+1) }

// dims returns a random shape.
func (g *trial) dims(rank, low, high int) []int {
	s := make([]int, rank)
	for i := range s {
		s[i] = g.between(low, high)
	}
	return s
}

// input adds an input of the model with the content x.
func (g *trial) input(x *tensor.Tensor) string {
	name := g.fresh()
	v := &pb.ValueInfo{Name: name, Kind: pb.TensorKind, ElemType: pb.DataType(elemOf(x.DType())), HasShape: true}
	how := g.r.IntN(4)
	for k, d := range x.Shape() {
		dim := pb.Dim{Value: int64(d), Known: true}
		if !g.closed && (how == 0 && k == 0 || how == 1 && g.coin()) {
			dim = pb.Dim{Param: fmt.Sprintf("%s_%d", name, k)}
		}
		v.Dims = append(v.Dims, dim)
	}
	g.g.Inputs, g.feeds = append(g.g.Inputs, v), append(g.feeds, x)
	return name
}

func toProto(name string, x *tensor.Tensor) *pb.Tensor {
	t := &pb.Tensor{Name: name, DataType: pb.DataType(elemOf(x.DType())), Raw: x.Bytes()}
	for _, d := range x.Shape() {
		t.Dims = append(t.Dims, int64(d))
	}
	return t
}

// constant adds a constant of the file.
func (g *trial) constant(x *tensor.Tensor) string {
	name := g.fresh()
	if g.r.IntN(4) == 0 {
		g.g.Nodes = append(g.g.Nodes, &pb.Node{OpType: "Constant", Outputs: []string{name}, Attrs: []*pb.Attr{{Name: "value", Type: pb.AttrTensor, T: toProto("", x)}}})
		return name
	}
	g.g.Initializers = append(g.g.Initializers, toProto(name, x))
	return name
}

// some is a constant or an input.
func (g *trial) some(x *tensor.Tensor) string {
	if g.coin() {
		return g.constant(x)
	}
	return g.input(x)
}

// param is most often a constant.
func (g *trial) param(x *tensor.Tensor) string {
	if g.r.IntN(4) > 0 {
		return g.constant(x)
	}
	return g.input(x)
}

func (g *trial) floatsOf(shape ...int) *tensor.Tensor {
	x := tensor.Must(tensor.New(tensor.Float32, shape...))
	ints := g.r.IntN(3) == 0 // so that there are equal ones and zeros
	for i := range x.Float32s() {
		if x.Float32s()[i] = float32(g.r.NormFloat64() * 2); ints {
			x.Float32s()[i] = float32(g.r.IntN(7) - 3)
		}
	}
	return x
}

// x is an input of random floats.
func (g *trial) x(shape ...int) string { return g.input(g.floatsOf(shape...)) }

// w is a float32 that may be a constant.
func (g *trial) w(shape ...int) string { return g.some(g.floatsOf(shape...)) }

func list64(v ...int64) *tensor.Tensor { return tensor.Must(tensor.From(v, len(v))) }

func wide[T int | int64](v []T) []int64 {
	out := make([]int64, len(v))
	for i, x := range v {
		out[i] = int64(x)
	}
	return out
}

func (g *trial) intsOf(d tensor.DType, low, high int, shape ...int) *tensor.Tensor {
	n := tensor.Shape(shape).Size()
	v := make([]int64, n)
	for i := range v {
		v[i] = int64(g.between(low, high))
	}
	x := tensor.Must(tensor.From(v, shape...))
	y, err := (&hostCall{budget: newBudget(1 << 23)}).cast(x, d)
	return tensor.Must(y, err)
}

// any returns a random value of one of the types.
func (g *trial) any(types []tensor.DType, shape ...int) string {
	d := pick(g, types...)
	return g.some(g.content(d, shape...))
}

func (g *trial) content(d tensor.DType, shape ...int) *tensor.Tensor {
	switch d {
	case tensor.Float32:
		return g.floatsOf(shape...)
	case tensor.Uint8:
		return g.intsOf(d, 0, 200, shape...)
	case tensor.Bool:
		return g.intsOf(d, 0, 1, shape...)
	}
	return g.intsOf(d, -9, 9, shape...)
}

var (
	floatType = []tensor.DType{tensor.Float32}
	numbers   = []tensor.DType{tensor.Float32, tensor.Float32, tensor.Int32, tensor.Int64}
	anything  = []tensor.DType{tensor.Float32, tensor.Float32, tensor.Int32, tensor.Int64, tensor.Bool, tensor.Uint8}
	integral  = []tensor.DType{tensor.Int32, tensor.Int64}
)

// node applies an op and returns its outputs.
func (g *trial) node(op string, outs int, in []string, attrs ...*pb.Attr) []string {
	n := &pb.Node{OpType: op, Inputs: in}
	for len(n.Inputs) > 0 && n.Inputs[len(n.Inputs)-1] == "" {
		n.Inputs = n.Inputs[:len(n.Inputs)-1]
	}
	for range outs {
		n.Outputs = append(n.Outputs, g.fresh())
	}
	for _, a := range attrs {
		if a != nil {
			n.Attrs = append(n.Attrs, a)
		}
	}
	g.g.Nodes = append(g.g.Nodes, n)
	return n.Outputs
}

// op is node with one output.
func (g *trial) op(op string, in []string, attrs ...*pb.Attr) string {
	return g.node(op, 1, in, attrs...)[0]
}

func aFloat(name string, v float32) *pb.Attr { return &pb.Attr{Name: name, Type: pb.AttrFloat, F: v} }

func aString(name, v string) *pb.Attr { return &pb.Attr{Name: name, Type: pb.AttrString, S: []byte(v)} }

func intList(name string, v []int) *pb.Attr {
	return &pb.Attr{Name: name, Type: pb.AttrInts, Ints: wide(v)}
}

// maybe leaves out an attribute at times.
func (g *trial) maybe(a *pb.Attr) *pb.Attr {
	if g.coin() {
		return a
	}
	return nil
}

// output makes values outputs.
func (g *trial) output(names ...string) {
	for _, n := range names {
		if n != "" && !slices.ContainsFunc(g.g.Outputs, func(v *pb.ValueInfo) bool { return v.Name == n }) {
			g.g.Outputs = append(g.g.Outputs, &pb.ValueInfo{Name: n})
		}
	}
}

func (g *trial) encode() ([]byte, error) {
	return pb.Encode(&pb.Model{IRVersion: 8, Graph: g.g, OpsetImports: []pb.Opset{{Version: g.opset}}})
}

// String lists the nodes and what they get.
func (g *trial) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "opset %d", g.opset)
	for i, v := range g.g.Inputs {
		fmt.Fprintf(&b, "\n  input %s %v%v", v.Name, g.feeds[i].DType(), g.feeds[i].Shape())
		for _, d := range v.Dims {
			if !d.Known {
				fmt.Fprintf(&b, " %s", d.Param)
			}
		}
		fmt.Fprintf(&b, " %s", short(g.feeds[i]))
	}
	for _, t := range g.g.Initializers {
		x, _, err := t.Value(pb.ValueOptions{})
		if err == nil {
			fmt.Fprintf(&b, "\n  const %s %v%v %s", t.Name, x.DType(), x.Shape(), short(x))
		}
	}
	for _, n := range g.g.Nodes {
		fmt.Fprintf(&b, "\n  %v = %s(%v)", n.Outputs, n.OpType, strings.Join(n.Inputs, ", "))
		for _, a := range n.Attrs {
			switch a.Type {
			case pb.AttrInt:
				fmt.Fprintf(&b, " %s=%d", a.Name, a.I)
			case pb.AttrInts:
				fmt.Fprintf(&b, " %s=%d", a.Name, a.Ints)
			case pb.AttrFloat:
				fmt.Fprintf(&b, " %s=%v", a.Name, a.F)
			case pb.AttrFloats:
				fmt.Fprintf(&b, " %s=%v", a.Name, a.Floats)
			case pb.AttrString:
				fmt.Fprintf(&b, " %s=%s", a.Name, a.S)
			case pb.AttrTensor:
				x, _, err := a.T.Value(pb.ValueOptions{})
				if err == nil {
					fmt.Fprintf(&b, " %s=%v%v %s", a.Name, x.DType(), x.Shape(), short(x))
				}
			}
		}
	}
	return b.String()
}

func short(x *tensor.Tensor) string {
	s := fmt.Sprint(x.AsFloat32().Float32s())
	if len(s) > 120 {
		s = s[:120] + "…"
	}
	return s
}

// compute has the model computed here, all runs in one session.
func (g *trial) compute(be backend.Backend, data []byte) ([]peerRun, error) {
	m, err := Read(data)
	if err != nil {
		return nil, err
	}
	s, err := m.Compile(context.Background(), be)
	if err != nil {
		return nil, err
	}
	var runs []peerRun
	for _, in := range g.sets() {
		out, err := s.Run(context.Background(), in...)
		runs = append(runs, peerRun{out, err})
	}
	return runs, s.Close()
}

// peerRun is what a run gave.
type peerRun struct {
	out []*tensor.Tensor
	err error
}

// sets are the inputs of all runs.
func (g *trial) sets() [][]*tensor.Tensor { return append([][]*tensor.Tensor{g.feeds}, g.more...) }

// peerAgrees compares an output with ONNX Runtime's.
func peerAgrees(got, want *tensor.Tensor) error {
	if got.DType() != want.DType() || !got.Shape().Equal(want.Shape()) {
		return fmt.Errorf("got %v%v, want %v%v", got.DType(), got.Shape(), want.DType(), want.Shape())
	}
	if want.DType() != tensor.Float32 {
		if !got.Equal(want) {
			return fmt.Errorf("integers: got %s, want %s", short(got), short(want))
		}
		return nil
	}
	top := 0.0
	for _, w := range want.Float32s() {
		if a := math.Abs(float64(w)); a > top && !math.IsInf(a, 0) {
			top = a
		}
	}
	for i, w := range want.Float32s() {
		v := got.Float32s()[i]
		if d := math.Abs(float64(v) - float64(w)); v != w && !(v != v && w != w) && !(d <= 2e-5*top+1e-6) {
			return fmt.Errorf("values: element %d: got %v, want %v; all: got %s, want %s", i, v, w, short(got), short(want))
		}
	}
	return nil
}

// peerJob writes a trial to files for ONNX Runtime.
func peerJob(t *testing.T, dir string, g *trial, in []*tensor.Tensor, data []byte) ortJob {
	t.Helper()
	job := ortJob{Model: filepath.Join(dir, "model.onnx"), Out: dir}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(job.Model, data, 0o666); err != nil {
		t.Fatal(err)
	}
	for i, v := range g.g.Inputs {
		x := in[i]
		o := ortTensor{Name: v.Name, Type: x.DType().String(), Dims: x.Shape(), File: filepath.Join(dir, fmt.Sprintf("input_%d.raw", i))}
		if o.Dims == nil {
			o.Dims = []int{}
		}
		if err := os.WriteFile(o.File, x.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		job.Inputs = append(job.Inputs, o)
	}
	return job
}

// runPeer is runORT that goes on behind a model with which ONNX Runtime crashes.
func runPeer(t *testing.T, folder string, jobs []ortJob) []ortAnswer {
	t.Helper()
	var answers []ortAnswer
	for crashes := 0; len(answers) < len(jobs); {
		text, err := json.Marshal(jobs[len(answers):])
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "jobs.json")
		if err := os.WriteFile(file, text, 0o666); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("node", filepath.Join("testdata", "ort.cjs"), file)
		cmd.Env = append(os.Environ(), "NODE_PATH="+folder)
		out, err := cmd.Output()
		for d := json.NewDecoder(bytes.NewReader(out)); ; {
			var a ortAnswer
			if d.Decode(&a) != nil {
				break
			}
			answers = append(answers, a)
		}
		if err != nil {
			if crashes++; crashes > 20 {
				t.Fatalf("node: %v", err)
			}
			answers = append(answers, ortAnswer{Error: "crashed: " + err.Error()})
		}
	}
	return answers
}

// lastOpset is the newest that is tried.
const lastOpset = 24

// peerLimits are errors of ONNX Runtime that say nothing against a model.
var peerLimits = []string{
	"crashed",
	"NOT_IMPLEMENTED", "Could not find an implementation", // of a type
	"padding values must be non-negative", // SAME with a stride above the kernel, for which ONNX's sum is below 0
	"Invalid num_outputs value",           // fewer elements than parts
	"exceeds the remaining size of the selected axis", "Invalid dimension: -",
	"Dilation not supported for AutoPadType",
	"Pad reflect:", "with zero effective input extent", "Pad reflect requires", // pads beyond what one reflection gives
	"Number of elements of input 'sizes' (0)", // of sizes that are an input
}

// TestPeer has ONNX Runtime and every backend compute random models of every op over the opsets.
// CONVGL_PEER_TRIALS is how many of each op (default 10), CONVGL_PEER_SEED the first seed, and
// CONVGL_PEER_OPS limits the ops.
func TestPeer(t *testing.T) {
	folder := runtimeFolder(t)
	number := func(name string, def int) int {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
			return n
		}
		return def
	}
	trials, seed := number("CONVGL_PEER_TRIALS", 10), number("CONVGL_PEER_SEED", 1)
	only := strings.FieldsFunc(os.Getenv("CONVGL_PEER_OPS"), func(r rune) bool { return r == ',' })
	var names []string
	for name := range peerTrials {
		if len(only) == 0 || slices.Contains(only, name) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	var all []*trial
	var files [][]byte
	var jobs []ortJob
	root := t.TempDir()
	for i, name := range names {
		c := peerTrials[name]
		for k := range trials {
			r := rand.New(rand.NewPCG(uint64(seed), uint64(i*100000+k)))
			g := newTrial(name, int64(max(c.from, 7)+r.IntN(lastOpset+1-max(c.from, 7))), r.Uint64())
			c.make(g)
			if len(g.g.Nodes) == 0 || len(g.g.Outputs) == 0 {
				continue
			}
			if len(g.feeds) == 0 { // which ONNX Runtime's package for Node.js does not take
				g.x(1)
			}
			data, err := g.encode()
			if err != nil {
				t.Fatal(err)
			}
			all, files = append(all, g), append(files, data)
			for _, in := range g.sets() {
				jobs = append(jobs, peerJob(t, filepath.Join(root, fmt.Sprint(len(jobs))), g, in, data))
			}
		}
	}
	answers := runPeer(t, folder, jobs)
	for _, be := range backends(t) {
		if be.Name() == "gl" && os.Getenv("CONVGL_PEER_GL") == "" {
			continue
		}
		t.Run(be.Name(), func(t *testing.T) {
			agreed, both, limits, notHere := 0, 0, 0, map[string]int{}
			faults := map[string][]string{}
			at := 0
			for i, g := range all {
				runs, err := g.compute(be, files[i])
				for k, in := range g.sets() {
					a := answers[at]
					at++
					run := peerRun{err: err}
					if k < len(runs) {
						run = runs[k]
					}
					fault := func(kind, format string, args ...any) {
						kind = g.name + " " + kind
						faults[kind] = append(faults[kind], fmt.Sprintf(format, args...)+fmt.Sprintf("\nrun %d of %v, %v", k, shapesOf(in), g))
					}
					switch {
					case run.err != nil && a.Error != "":
						both++
					case errors.Is(run.err, errors.ErrUnsupported):
						notHere[g.name]++
					case run.err != nil:
						fault("refused", "%v", run.err)
					case a.Error != "":
						if slices.ContainsFunc(peerLimits, func(l string) bool { return strings.Contains(a.Error, l) }) {
							limits++
							break
						}
						fault("taken", "ONNX Runtime: %s", a.Error)
					default:
						for k, o := range a.Outputs {
							if err := peerAgrees(run.out[k], o.raw(t)); err != nil {
								fault(strings.TrimSuffix(strings.Fields(err.Error())[0], ":"), "output %d: %v", k, err)
							}
						}
						agreed++
					}
				}
			}
			for _, kind := range sortedKeys(faults) {
				list := faults[kind]
				text := strings.Join(list[:min(len(list), number("CONVGL_PEER_SHOW", 2))], "\n")
				t.Errorf("%s: %d times, as:\n%s", kind, len(list), text)
			}
			t.Logf("%d models, %d runs: %d computed by both, %d refused by both, %d beyond ONNX Runtime, not supported here: %v", len(all), len(jobs), agreed, both, limits, notHere)
		})
	}
}

func shapesOf(list []*tensor.Tensor) []tensor.Shape {
	var s []tensor.Shape
	for _, t := range list {
		s = append(s, t.Shape())
	}
	return s
}

func sortedKeys[T any](m map[string]T) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	sort.Strings(list)
	return list
}

// raw reads an output as it is.
func (o ortTensor) raw(t *testing.T) *tensor.Tensor {
	t.Helper()
	types := map[string]tensor.DType{"float32": tensor.Float32, "int32": tensor.Int32, "int64": tensor.Int64, "bool": tensor.Bool, "uint8": tensor.Uint8}
	x, err := tensor.New(types[o.Type], o.Dims...)
	if err != nil {
		t.Fatalf("output %q: %s%v: %v", o.Name, o.Type, o.Dims, err)
	}
	data, err := os.ReadFile(o.File)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.ReadRaw(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	return x
}
