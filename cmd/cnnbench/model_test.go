package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convgl/convgl/bench"
	"github.com/convgl/convgl/internal/onnxtest"
	"github.com/convgl/convgl/tensor"
)

// unary writes a model y = op(x) for x [N,3].
func unary(t *testing.T, op string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), op+".onnx")
	m := onnxtest.Model{
		Nodes:   []onnxtest.Message{onnxtest.Node(op, "", []string{"x"}, []string{"y"})},
		Inputs:  []onnxtest.Message{onnxtest.Value("x", tensor.Float32, "N", 3)},
		Outputs: []onnxtest.Message{onnxtest.Value("y", tensor.Float32, "N", 3)},
	}
	if err := os.WriteFile(file, m.File(), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestModel(t *testing.T) {
	relu, softmax, unknown := unary(t, "Relu"), unary(t, "Softmax"), unary(t, "Dance")
	x := filepath.Join(t.TempDir(), "x.npy")
	if err := tensor.SaveNPY(x, tensor.Must(tensor.From([]float32{-1, 0, 2}, 1, 3))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args      string
		code      int
		out, errs string
	}{
		{"-backend cpu -model " + relu, 0, "input x float32[1,3]: random, seed 1: normal, 0 ± 1", ""},
		{"-backends cpu -model " + relu + " -shape x=4,3 -seed 5", 0, "input x float32[4,3]: random, seed 5", ""},
		{"-backend cpu -model " + relu + " -input x=" + x, 0, "input x float32[1,3]: " + x, ""},
		{"-backend cpu -ref= -runs 2 -model " + relu, 0, "medians of 2", ""},
		{"-backend wrong -model " + softmax, 1, "wrong cannot run it: ", "not all is well"},
		{"-backend wrong -model " + relu, 1, "1 fail", "not all is well"},
		{"-backend cpu", 2, "", "-model is missing"},
		{"-backend cpu -model no-such-file", 2, "", "no-such-file"},
		{"-backend cpu -model " + unknown, 2, "", "no such op"},
		{"-backend cpu -model " + x, 2, "", "not an ONNX model"},
		{"-backend cpu -model " + relu + " -input z=" + x, 2, "", `no input "z"`},
		{"-backend cpu -model " + relu + " -input " + x + " -shape 1,3", 2, "", "leave it out"},
		{"-backend cpu -model " + relu + " -shape 1,4", 2, "", "the model takes x"},
		{"-backend cpu -model " + relu + " -runs -1", 2, "", "-runs -1"},
		{"-backend cpu -model " + relu + " -runs 0 -ref=", 2, "", "nothing to do"},
		{"-backend none -model " + relu, 2, "", "want auto, cpu, gl, "},
	} {
		code, out, errs := command(t, append([]string{"model"}, strings.Fields(c.args)...)...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs, c.errs) {
			t.Errorf("%s: exit %d, want %d\n%s\n%s", c.args, code, c.code, out, errs)
		}
	}
	_, out, _ := command(t, "model", "-backend", "cpu", "-json", "-model", relu)
	var r bench.ModelReport
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.Model != relu || len(r.Inputs) != 1 || len(r.Layers) != 1 || len(r.Times) != 1 {
		t.Errorf("%v: %s", err, out)
	}
}
