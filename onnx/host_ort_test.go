package onnx

import (
	"fmt"
	"testing"

	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// otherwise lists the cases that ONNX Runtime does not compute as they are defined here.
var otherwise = map[string]string{
	"ArgMax/NaN last":                        "it takes no NaN",
	"Cast/int64 to float16":                  "float16 is float32 here",
	"ConstantOfShape/float16":                "float16 is float32 here",
	"ConstantOfShape/float32":                "it wants one dim, not none",
	"Div/least by −1":                        "it ends the process",
	"OneHot/first axis":                      "it lacks these types",
	"OneHot/outside":                         "it lacks these types",
	"OneHot/scalar":                          "it lacks indices without dims",
	"Pad/reflect one element":                "it lacks more than one reflection",
	"Pad/reflect twice":                      "it lacks more than one reflection",
	"Pad/wrap":                               "it reads elsewhere where it goes around twice",
	"Pow/exact":                              "it computes integers in float64",
	"Pow/int32 wraps":                        "it computes integers in float64",
	"ReduceMax/NaN":                          "it loses a NaN",
	"ReduceMean/of nothing":                  "it gives 0",
	"ReduceSum/float64 sums":                 "it adds in float32",
	"ReduceSum/wraps":                        "it limits a sum of int32",
	"Split/num_outputs, more than there are": "it lacks empty parts",
	"TopK/NaN":                               "it does not order NaN",
	"TopK/NaN last":                          "it does not order NaN",
	"Where/bool":                             "it lacks this type",
}

// TestHostRuntime has ONNX Runtime compute the cases of the host's arithmetic.
func TestHostRuntime(t *testing.T) {
	folder := runtimeFolder(t)
	var cases []hostCase
	var jobs []ortJob
	for _, table := range hostTables {
		for _, c := range table() {
			if c.err != "" || c.version < 7 || otherwise[c.op+"/"+c.name] != "" { // before which it makes no promise
				continue
			}
			cases, jobs = append(cases, c), append(jobs, hostJob(t, c))
		}
	}
	for i, a := range runORT(t, folder, jobs) {
		c := cases[i]
		if a.Error != "" {
			t.Errorf("%s/%s: %s", c.op, c.name, a.Error)
			continue
		}
		for k, o := range a.Outputs {
			if got := o.load(t); !closeTo(c.want[k], got, 1e-6) {
				t.Errorf("%s/%s: output %d: got %s, ONNX Runtime %s", c.op, c.name, k, show(c.want[k]), show(got))
			}
		}
	}
	t.Logf("%d cases, beside %d that are computed otherwise", len(cases), len(otherwise))
}

// hostJob makes a model of one node.
func hostJob(t *testing.T, c hostCase) ortJob {
	t.Helper()
	node := &pb.Node{Name: "node", OpType: c.op, Attrs: c.attrs}
	m := &pb.Model{IRVersion: 8, OpsetImports: []pb.Opset{{Version: int64(c.version)}}, Graph: &pb.Graph{Name: "case", Nodes: []*pb.Node{node}}}
	info := func(name string, x *tensor.Tensor) *pb.ValueInfo {
		v := &pb.ValueInfo{Name: name, Kind: pb.TensorKind, ElemType: elemTypeOf(x.DType()), HasShape: true}
		for _, d := range x.Shape() {
			v.Dims = append(v.Dims, pb.Dim{Value: int64(d), Known: true})
		}
		return v
	}
	g := graph.New("case")
	var in []*tensor.Tensor
	for i, x := range c.in {
		name := ""
		if x != nil {
			name = fmt.Sprintf("in%d", i)
			m.Graph.Inputs = append(m.Graph.Inputs, info(name, x))
			if _, err := g.Input(name, x.DType(), graph.Dims(x.Shape()...)); err != nil {
				t.Fatalf("%s/%s: %v", c.op, c.name, err)
			}
			in = append(in, x)
		}
		node.Inputs = append(node.Inputs, name)
	}
	for i, x := range c.want {
		name := fmt.Sprintf("out%d", i)
		node.Outputs = append(node.Outputs, name)
		m.Graph.Outputs = append(m.Graph.Outputs, info(name, x))
	}
	data, err := pb.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return newJob(t, data, g, in)
}
