package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/internal/feed"
	"github.com/convgl/convgl/onnx"
)

// dotWriter writes a graph in Graphviz' language and keeps the first error.
type dotWriter struct {
	w   io.Writer
	err error
}

func (d *dotWriter) line(format string, args ...any) {
	if d.err == nil {
		_, d.err = fmt.Fprintf(d.w, format+"\n", args...)
	}
}

// begin starts a graph of that title.
func (d *dotWriter) begin(title string) {
	d.line("digraph %s {", quoteDot(title))
	d.line("  label=%s; labelloc=t; fontname=\"sans-serif\";", quoteDot(title))
	d.line("  node [fontname=\"sans-serif\", fontsize=10, shape=box, style=filled, fillcolor=\"#e8eef7\"];")
	d.line("  edge [fontname=\"sans-serif\", fontsize=8];")
}

// end is an input or output.
func (d *dotWriter) end(id string, lines ...string) {
	d.line("  %s [shape=ellipse, fillcolor=\"#f7efd9\", label=%s];", quoteDot(id), quoteDot(lines...))
}

// quoteDot returns lines as a string of the language, in which only quotes and
// backslashes have a meaning.
func quoteDot(lines ...string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, l := range lines {
		if i > 0 {
			b.WriteString(`\n`)
		}
		b.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ", "\x00", "").Replace(strings.ToValidUTF8(l, "?")))
	}
	b.WriteByte('"')
	return b.String()
}

// writeModelDot draws the nodes of a file. Constants are listed in the nodes that take
// them.
func writeModelDot(w io.Writer, m *onnx.Model) error {
	d := &dotWriter{w: w}
	d.begin(m.Info().Name)
	made := map[string]string{} // the id of what makes a value
	for i, v := range m.Inputs() {
		made[v.Name] = fmt.Sprintf("in%d", i)
		d.end(made[v.Name], v.Name, feed.TypeString(v))
	}
	nodes := m.Nodes()
	for i, n := range nodes {
		for _, name := range n.Out {
			if name != "" {
				made[name] = fmt.Sprintf("node%d", i)
			}
		}
	}
	for i, n := range nodes {
		op := n.Op
		if n.Domain != "" {
			op = n.Domain + "." + op
		}
		label := []string{op, n.Name}
		for _, name := range n.In {
			if name != "" && made[name] == "" {
				label = append(label, "const "+name)
			}
		}
		d.line("  node%d [label=%s];", i, quoteDot(label...))
		for _, name := range n.In {
			if from := made[name]; from != "" {
				d.line("  %s -> node%d [label=%s];", from, i, quoteDot(name))
			}
		}
	}
	for i, v := range m.Outputs() {
		id := fmt.Sprintf("out%d", i)
		d.end(id, v.Name, feed.TypeString(v))
		if from := made[v.Name]; from != "" {
			d.line("  %s -> %s;", from, id)
		}
	}
	d.line("}")
	return d.err
}

// writeStagesDot draws what runs: a box a stage, with the graph of the device.
func writeStagesDot(w io.Writer, title string, stages []onnx.Stage) error {
	d := &dotWriter{w: w}
	d.begin(title)
	last := "" // what the next stage waits for
	for i, s := range stages {
		if len(s.Host) > 0 {
			id := fmt.Sprintf("host%d", i)
			d.line("  %s [fillcolor=\"#e3f2e1\", label=%s];", id, quoteDot(append([]string{"on the host:"}, nodeNames(s.Host)...)...))
			if last != "" {
				d.line("  %s -> %s;", last, id)
			}
			last = id
		}
		if s.Model == nil {
			continue
		}
		d.line("  subgraph cluster%d {", i)
		d.line("  label=%s;", quoteDot(fmt.Sprintf("graph %d", i+1)))
		last = d.graph(fmt.Sprintf("g%d_", i), last, s.Model.Graph())
		d.line("  }")
	}
	d.line("}")
	return d.err
}

// graph draws a graph of the device, whose inputs come after a node, and returns the
// id of its last output.
func (d *dotWriter) graph(prefix, after string, g *graph.Graph) string {
	ids := map[*graph.Value]string{}
	for i, v := range g.Inputs() {
		ids[v] = fmt.Sprintf("%sin%d", prefix, i)
		d.end(ids[v], v.Name(), fmt.Sprintf("%v%v", v.DType(), v.Shape()))
		if after != "" {
			d.line("  %s -> %s;", after, ids[v])
		}
	}
	for i, n := range g.Nodes() {
		id := fmt.Sprintf("%snode%d", prefix, i)
		label := []string{opText(n), n.Name()}
		for _, v := range n.In() {
			if v.Const() != nil {
				label = append(label, fmt.Sprintf("const %v%v", v.DType(), v.Shape()))
			}
		}
		d.line("  %s [label=%s];", id, quoteDot(label...))
		for _, v := range n.In() {
			if from := ids[v]; from != "" {
				d.line("  %s -> %s [label=%s];", from, id, quoteDot(fmt.Sprint(v.Shape())))
			}
		}
		for _, v := range n.Out() {
			ids[v] = id
		}
	}
	last := after
	for i, o := range g.Outputs() {
		last = fmt.Sprintf("%sout%d", prefix, i)
		d.end(last, o.Name, fmt.Sprintf("%v%v", o.Value.DType(), o.Value.Shape()))
		if from := ids[o.Value]; from != "" {
			d.line("  %s -> %s;", from, last)
		}
	}
	return last
}

// opText returns the op with its attributes, from "conv1 = Conv{…}(…) float32[…]".
func opText(n *graph.Node) string {
	text := strings.TrimPrefix(n.String(), n.Name()+" = ")
	if i := strings.Index(text, "}("); i >= 0 { // attributes may hold brackets too
		return text[:i+1]
	}
	text, _, _ = strings.Cut(text, "(")
	return text
}
