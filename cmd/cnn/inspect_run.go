package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/preprocess"
	"github.com/convgl/convgl/tensor"
)

// runReport is how a model runs on a backend.
type runReport struct {
	Backend      string        `json:"backend"`
	Device       string        `json:"device"`
	Inputs       []valueReport `json:"inputs"`
	MultiplyAdds int64         `json:"multiply_adds"`
	Weights      int64         `json:"weight_bytes"` // packed, on the device
	Stages       []stageReport `json:"stages"`
}

// stageReport is a part of a run: work on the host, then a graph on the device.
type stageReport struct {
	Host   []string     `json:"host_nodes,omitempty"`
	Folded []string     `json:"folded_nodes,omitempty"`
	Graph  *graphReport `json:"graph,omitempty"`
}

type graphReport struct {
	Nodes        int            `json:"nodes"` // after the passes
	Passes       []passReport   `json:"passes"`
	MultiplyAdds int64          `json:"multiply_adds"`
	Steps        int            `json:"steps"`
	Reorders     int            `json:"reorders"`
	Arena        int64          `json:"arena_bytes"`
	Peak         int64          `json:"peak_bytes"`
	Unshared     int64          `json:"unshared_bytes"`
	Weights      int64          `json:"weight_bytes"`
	Plan         string         `json:"plan,omitempty"`
	shapes       []tensor.Shape // of the inputs
}

// passReport says how many places a pass changed.
type passReport struct {
	Pass  string `json:"pass"`
	Count int    `json:"count"`
}

// reportRun describes the stages of a run; with steps, every kernel.
func reportRun(ctx context.Context, be backend.Backend, inputs []onnx.ValueInfo, shapes []tensor.Shape, stages []onnx.Stage, steps bool) (*runReport, error) {
	r := &runReport{Backend: be.Name(), Device: be.Device().Name, Inputs: []valueReport{}, Stages: make([]stageReport, len(stages))}
	for i, v := range inputs {
		in := valueReport{Name: v.Name, Type: v.Type.String(), Shape: []any{}}
		for _, n := range shapes[i] {
			in.Shape = append(in.Shape, n)
		}
		r.Inputs = append(r.Inputs, in)
	}
	for i, s := range stages {
		st := &r.Stages[i]
		st.Host, st.Folded = nodeNames(s.Host), nodeNames(s.Folded)
		if s.Model == nil {
			continue
		}
		var shapes []tensor.Shape
		for _, t := range s.Inputs {
			shapes = append(shapes, t.Shape())
		}
		p, err := s.Model.Plan(ctx, shapes...)
		if err != nil {
			return nil, err
		}
		g := &graphReport{Nodes: len(s.Model.Graph().Nodes()), Passes: []passReport{}, MultiplyAdds: p.MultiplyAdds(), Steps: p.Steps(), Reorders: p.Reorders(),
			Arena: p.Arena(), Peak: p.Peak(), Unshared: p.Total(), Weights: s.Model.WeightBytes(), shapes: shapes}
		for _, c := range s.Model.Report() {
			if c.Count > 0 {
				g.Passes = append(g.Passes, passReport{c.Pass, c.Count})
			}
		}
		if steps {
			g.Plan = p.String()
		}
		st.Graph = g
		r.MultiplyAdds += g.MultiplyAdds
		r.Weights += g.Weights
	}
	return r, nil
}

// nodeNames lists nodes as "conv1 (Conv)".
func nodeNames(nodes []onnx.NodeInfo) []string {
	var names []string
	for _, n := range nodes {
		names = append(names, fmt.Sprintf("%s (%s)", n.Name, n.Op))
	}
	return names
}

// write prints the file's part of the report.
func (r *modelReport) write(out io.Writer) {
	line := func(key, format string, args ...any) {
		fmt.Fprintf(out, "%-13s %s\n", key, fmt.Sprintf(format, args...))
	}
	line("file", "%s, %s", clean(r.File), byteString(r.FileBytes))
	line("graph", "%s, IR version %d, opset %d%s", clean(r.Name), r.IRVersion, r.Opset, after(", made by ", r.Producer))
	if r.Doc != "" {
		line("doc", "%s", shorten(r.Doc))
	}
	for _, k := range sortedKeys(r.Metadata) {
		line("metadata", "%s: %s", clean(k), shorten(r.Metadata[k]))
	}
	for _, v := range r.Inputs {
		line("input", "%s", v)
	}
	for _, v := range r.Outputs {
		line("output", "%s", v)
	}
	line("parameters", "%s, %s", thousands(r.Params), byteString(r.ParamBytes))
	ops := make([]string, len(r.Ops))
	for i, o := range r.Ops {
		name := o.Op
		if o.Domain != "" {
			name = o.Domain + "." + name
		}
		if ops[i] = fmt.Sprintf("%d %s", o.Count, clean(name)); o.Version > 0 {
			ops[i] += fmt.Sprintf(" (version %d)", o.Version)
		}
	}
	line("nodes", "%d", r.Nodes)
	for _, text := range wrap(ops, 100) {
		line("", "%s", text)
	}
	for _, n := range r.Notes {
		line("note", "%s", clean(n))
	}
	switch p := r.Pictures; {
	case p == nil:
	case p.Error != "":
		line("pictures", "%s", clean(p.Error))
	case p.File == "":
		line("pictures", "as the input suggests, if no %s says otherwise:", clean(filepath.Base(preprocess.Path(r.File))))
	default:
		line("pictures", "as %s says:", clean(p.File))
	}
	if r.Pictures != nil && r.Pictures.Config != nil {
		for _, text := range wrap(strings.Split(compact(r.Pictures.Config), ", "), 100) {
			line("", "%s", text)
		}
	}
}

// write prints the run's part of the report.
func (r *runReport) write(out io.Writer, steps bool) {
	line := func(key, format string, args ...any) {
		fmt.Fprintf(out, "%-13s %s\n", key, fmt.Sprintf(format, args...))
	}
	var in []string
	for _, v := range r.Inputs {
		in = append(in, v.String())
	}
	line("backend", "%s, %s", r.Backend, r.Device)
	line("run for", "%s", strings.Join(in, ", "))
	line("multiply-adds", "%s", thousands(r.MultiplyAdds))
	for i, s := range r.Stages {
		if len(r.Stages) > 1 {
			line("stage", "%d of %d", i+1, len(r.Stages))
		}
		if len(s.Folded) > 0 {
			line("computed once", "%s", count(len(s.Folded), "node"))
		}
		if len(s.Host) > 0 {
			const most = 12
			line("on the host", "%s", count(len(s.Host), "node"))
			names := slices.Clone(s.Host[:min(len(s.Host), most)])
			for i, n := range names {
				names[i] = clean(n)
			}
			if rest := len(s.Host) - len(names); rest > 0 {
				names = append(names, fmt.Sprintf("and %d more", rest))
			}
			for _, text := range wrap(names, 100) {
				line("", "%s", text)
			}
		}
		g := s.Graph
		if g == nil {
			continue
		}
		passes := make([]string, len(g.Passes))
		for i, p := range g.Passes {
			passes[i] = fmt.Sprintf("%s %d", p.Pass, p.Count)
		}
		if len(passes) == 0 {
			passes = []string{"nothing to do"}
		}
		line("passes", "%s; %s left", strings.Join(passes, ", "), count(g.Nodes, "node"))
		line("steps", "%d, with %s of layout", g.Steps, count(g.Reorders, "change"))
		line("memory", "%s a run (at least %s; without sharing %s), weights %s", byteString(g.Arena), byteString(g.Peak), byteString(g.Unshared), byteString(g.Weights))
		if steps {
			fmt.Fprint(out, g.Plan)
		}
	}
}
