package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/graph/formats/dot"
)

func TestInspect(t *testing.T) {
	model := small(t)
	code, out, errs := command(t, "inspect", "-backend", "cpu", model)
	if code != 0 || errs != "" {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for _, part := range []string{
		"file          " + model,
		"graph         test, IR version 7, opset 13, made by a test\n",
		"input         x float32[N,1,4,4]\n",
		"output        y float32[N,1,4,4]\n",
		"parameters    9, 36 B\n",
		"nodes         2\n",
		"1 Conv (version 11), 1 Relu (version 13)\n",
		"pictures      as the input suggests, if no model.json says otherwise:\n",
		"run for       x float32[1,1,4,4]\n",
		"multiply-adds 144\n",
		"passes        epilogue 1; 1 node left\n",
	} {
		if !strings.Contains(out, part) {
			t.Errorf("no %q in\n%s", part, out)
		}
	}
	if !regexp.MustCompile(`\nsteps +\d+, with \d+ changes? of layout\nmemory +[0-9.]+ \w+ a run \(at least [0-9.]+ \w+; without sharing [0-9.]+ \w+\), weights [0-9.]+ \w+\n$`).MatchString(out) {
		t.Errorf("the plan is missing in\n%s", out)
	}
	for _, shape := range []string{"3,1,4", "y=3,1,4,4", "x=1,,4,4"} { // nothing is printed before a fault of the flags
		if code, out, _ := command(t, "inspect", "-shape", shape, model); code != 2 || out != "" {
			t.Errorf("-shape %s: exit %d, %s", shape, code, out)
		}
	}
	check(t, []expect{
		{[]string{"inspect", "-backend", "ref", "-shape", "x=3,1,4,4", model}, 0, "multiply-adds 432\n", ""},
		{[]string{"inspect", "-backend", "ref", "-plan", model}, 0, "\nplan ", ""},
		{[]string{"inspect", "-backend", "ref", "-shape", "3,1,4", model}, 2, "", "-shape 3,1,4: got rank 3, want 4; the model takes x float32[N,1,4,4]"},
		{[]string{"inspect", "-backend", "ref", "-shape", "x=3,1,4,5", model}, 2, "", "-shape x=3,1,4,5: dim 3 is 5, want 4; "},
		{[]string{"inspect", "-backend", "ref", "-shape", "x=3,1,four,4", model}, 2, "", `-shape x=3,1,four,4: got "four" in it, want sizes`},
		{[]string{"inspect", "-backend", "none", model}, 2, "", "want auto, cpu, gl, "},
		{[]string{"inspect", filepath.Join(t.TempDir(), "none.onnx")}, 2, "", "no such file"},
		{[]string{"inspect", write(t, "garbage")}, 4, "", "refused"},
	})
}

// What has open dims is described, but not run; that is an error where the plan was asked for.
func TestInspectOpenDims(t *testing.T) {
	model := small(t, "N", 1, "H", "W")
	want := "open dims in x float32[N,1,H,W]: want -shape x=… with a size for each dim"
	dot := filepath.Join(t.TempDir(), "f.dot")
	check(t, []expect{
		{[]string{"inspect", "-backend", "ref", model}, 0, "parameters", want},
		{[]string{"inspect", "-backend", "ref", "-plan", model}, 2, "parameters", want},
		{[]string{"inspect", "-backend", "ref", "-dot-optimized", dot, model}, 2, "parameters", want},
		{[]string{"inspect", "-backend", "ref", "-shape", "1x1x5x6", "-dot-optimized", dot, model}, 0, "multiply-adds 270\n", ""},
	})
}

// report is modelReport as programs read it.
type report struct {
	modelReport
	Pictures json.RawMessage `json:"pictures"`
}

func TestInspectJSON(t *testing.T) {
	model := small(t)
	var r report
	code, out, errs := command(t, "inspect", "-backend", "cpu", "-json", "-plan", model)
	if err := json.Unmarshal([]byte(out), &r); code != 0 || errs != "" || err != nil {
		t.Fatalf("exit %d: %v: %s", code, err, errs)
	}
	if r.Params != 9 || r.ParamBytes != 36 || r.Nodes != 2 || len(r.Ops) != 2 || r.Ops[0] != (opReport{Op: "Conv", Version: 11, Count: 1}) ||
		r.Inputs[0].String() != "x float32[N,1,4,4]" || !strings.Contains(string(r.Pictures), `"channels": "gray"`) {
		t.Errorf("got %+v", r)
	}
	if r.Run == nil || len(r.Run.Stages) != 1 || r.Run.MultiplyAdds != 144 || r.Run.Stages[0].Graph.Arena == 0 || !strings.HasPrefix(r.Run.Stages[0].Graph.Plan, "plan ") {
		t.Errorf("got %+v", r.Run)
	}

	code, out, _ = command(t, "inspect", "-json", small(t, "N", 1, "H", "W"))
	r = report{}
	if err := json.Unmarshal([]byte(out), &r); code != 0 || err != nil || r.Run != nil || !strings.Contains(r.RunError, "open dims") {
		t.Errorf("exit %d: %v: %s", code, err, out)
	}

	unknown := net{
		nodes: []message{
			node("Swirl", "s", []string{"x"}, []string{"a"}),
			node("Relu", "r", []string{"a"}, []string{"b"}),
			node("Twist", "", []string{"b"}, []string{"y"}),
		},
		inputs:  []message{value("x", typeFloat, []any{1, 3})},
		outputs: []message{value("y", typeFloat, []any{1, 3})},
	}.save(t)
	r = report{}
	code, out, errs = command(t, "inspect", "-json", unknown)
	if err := json.Unmarshal([]byte(out), &r); code != 4 || err != nil {
		t.Fatalf("exit %d: %v: %s", code, err, out)
	}
	if u := r.Unsupported; len(u) != 2 || u[0].Op != "Swirl" || u[0].Name != "s" || u[1].Op != "Twist" || u[1].Reason == "" || r.Nodes != 3 || r.Error == "" {
		t.Errorf("got %+v", r)
	}
	if !strings.Contains(errs, `"s" (Swirl`) || !strings.Contains(errs, "(Twist") {
		t.Errorf("not every node is named: %s", errs)
	}
	check(t, []expect{
		{[]string{"inspect", unknown}, 4, "1 Relu (version 13), 1 Swirl, 1 Twist\n", "2 nodes are not supported"},
		{[]string{"inspect", "-json", write(t, "garbage")}, 4, `"error": "onnx: `, "refused"},
	})
}

// A description beside the model is shown. A damaged one is an error, after all that there is
// to say of the model, where the model takes pictures; else it may be of something else.
func TestInspectPictures(t *testing.T) {
	model := small(t)
	json := strings.TrimSuffix(model, ".onnx") + ".json"
	for _, c := range []struct{ text, out, err string }{
		{`{"mean": 0.5}`, "pictures      as " + json + " says:\n", ""},
		{`{"mean": 0.5}`, `"mean": 0.5`, ""},
		{`{"dance": 1}`, `unknown key "dance"`, `unknown key "dance"`},
		{`{"crop": 3}`, json + ": preprocess: crop: pictures become [?,1,3,3], the model's input is [?,1,4,4]", "preprocess: crop: "},
	} {
		if err := os.WriteFile(json, []byte(c.text), 0o666); err != nil {
			t.Fatal(err)
		}
		code := 0
		if c.err != "" {
			code = 2
		}
		check(t, []expect{
			{[]string{"inspect", "-backend", "ref", model}, code, c.out, c.err},
			{[]string{"inspect", "-backend", "ref", model}, code, "multiply-adds 144\n", c.err},
		})
	}
	dims := []any{"N", 7}
	flat := net{
		nodes:   []message{node("Relu", "act", []string{"x"}, []string{"y"})},
		inputs:  []message{value("x", typeFloat, dims)},
		outputs: []message{value("y", typeFloat, dims)},
	}.save(t)
	if err := os.WriteFile(strings.TrimSuffix(flat, ".onnx")+".json", []byte("[]"), 0o666); err != nil {
		t.Fatal(err)
	}
	check(t, []expect{{[]string{"inspect", "-backend", "ref", flat}, 0, "want a JSON object", ""}})
}

func TestInspectDot(t *testing.T) {
	dir := t.TempDir()
	file, runs := filepath.Join(dir, "file.dot"), filepath.Join(dir, "runs.dot")
	check(t, []expect{{[]string{"inspect", "-backend", "ref", "-dot", file, "-dot-optimized", runs, small(t)}, 0, "parameters", ""}})
	for _, c := range []struct {
		file  string
		parts []string
	}{
		{file, []string{`digraph "test" {`, `label="Conv\nconv\nconst w"`, `label="Relu\nact"`, `in0 -> node0 [label="x"]`, `node0 -> node1 [label="c"]`, "node1 -> out0;"}},
		{runs, []string{`Epilogue:[Relu]}\nconv\nconst float32[1,1,3,3]"`, "g0_in0 -> g0_node0", "g0_node0 -> g0_out0;"}},
	} {
		text, err := os.ReadFile(c.file)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range c.parts {
			if !strings.Contains(string(text), p) {
				t.Errorf("no %q in\n%s", p, text)
			}
		}
		if g, err := dot.ParseBytes(text); err != nil || len(g.Graphs) != 1 {
			t.Errorf("not in Graphviz' language: %v\n%s", err, text)
		}
	}
	check(t, []expect{
		{[]string{"inspect", "-backend", "ref", "-dot", "/dev/full", small(t)}, 2, "", "no space left"},
		{[]string{"inspect", "-backend", "ref", "-dot", dir, small(t)}, 2, "", "folder"},
	})
}

// Names of a file do not reach a terminal as they are, nor end strings of a picture.
func TestInspectOddNames(t *testing.T) {
	odd := "a\"b\\c\n\x1b[2J"
	dims := []any{odd, 3}
	model := net{
		nodes:   []message{node("Relu", odd+"1", []string{odd}, []string{odd + "2"}), node("Sw\x1birl", odd+"3", []string{odd + "2"}, []string{"y"})},
		inputs:  []message{value(odd, typeFloat, dims)},
		outputs: []message{value("y", typeFloat, dims)},
	}.save(t)
	file := filepath.Join(t.TempDir(), "f.dot")
	code, out, errs := command(t, "inspect", "-dot", file, model)
	if code != 4 || strings.Contains(out+errs, "\x1b") || !strings.Contains(out, `"a\"b\\c\n\x1b[2J"`) {
		t.Errorf("exit %d: %q %q", code, out, errs)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dot.ParseBytes(text); err != nil {
		t.Errorf("%v in\n%s", err, text)
	}
}

// Integers that depend on what the device computed are the host's, between two graphs.
func TestInspectStages(t *testing.T) {
	model := net{
		nodes: []message{
			node("Relu", "act", []string{"x"}, []string{"r"}),
			node("ArgMax", "best", []string{"r"}, []string{"i"}),
			node("Add", "next", []string{"i", "one"}, []string{"k"}),
			node("Gather", "pick", []string{"table", "k"}, []string{"p"}),
			node("Neg", "turn", []string{"p"}, []string{"y"}),
		},
		weights: []message{longs("one", []int64{1}, 1), weights("table", []float32{10, 11, 12, 13}, 4)},
		inputs:  []message{value("x", typeFloat, []any{3, 2})},
		outputs: []message{value("y", typeFloat, []any{1, 2})},
	}.save(t)
	dir := t.TempDir()
	x := npy(t, filepath.Join(dir, "x.npy"), []float32{1, 5, 3, 4, 2, 6}, 3, 2)
	npy(t, filepath.Join(dir, "output_0.npy"), []float32{-12, -13}, 1, 2)
	dot1 := filepath.Join(dir, "f.dot")
	for _, be := range []string{"ref", "cpu"} {
		check(t, []expect{
			{[]string{"run", "-backend", be, "-model", model, "-input", x, "-compare", dir}, 0, "equal in all 2 elements", ""},
			{[]string{"inspect", "-backend", be, "-dot-optimized", dot1, model}, 0, "on the host   ", ""},
		})
	}
	var r report
	code, out, errs := command(t, "inspect", "-backend", "ref", "-json", model)
	if err := json.Unmarshal([]byte(out), &r); code != 0 || err != nil {
		t.Fatalf("exit %d: %v: %s", code, err, errs)
	}
	if s := r.Run.Stages; len(s) != 2 || len(s[0].Host) != 0 || s[0].Graph == nil || s[1].Graph == nil || !slices.Contains(s[1].Host, "next (Add)") {
		t.Errorf("got %s", out)
	}
	text, err := os.ReadFile(dot1)
	if err != nil {
		t.Fatal(err)
	}
	if g, err := dot.ParseBytes(text); err != nil || len(g.Graphs) != 1 || !strings.Contains(string(text), "on the host:") || strings.Count(string(text), "subgraph") != 2 {
		t.Errorf("%v in\n%s", err, text)
	}
}
