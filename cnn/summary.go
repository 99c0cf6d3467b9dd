package cnn

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// Summary returns the table that [Net.WriteSummary] writes. Figures that depend on a
// [Dynamic] dim are "?".
func (n *Net) Summary() string {
	s, err := n.summary(nil)
	if err != nil {
		return err.Error() + "\n"
	}
	return s
}

// WriteSummary writes a table of the layers and their sum. It has the full name, the
// kind, the shape of the output, the trainable parameters, the multiply-adds and the
// memory, both for a batch of 1:
//
//	multiply-adds: N·O·out·(C/G)·kernel for a convolution, padded positions included,
//	N·C·in·(O/G)·kernel for a transposed one, N·K·O for a Dense and, with a K of
//	its own, for a product of matrices; 0 for others
//
// A row is about the ops that the layer adds itself: the layers within it have rows of
// their own, so one that only calls others has none. The output is that of its last
// op where the layer's own output comes from a layer within it. Memory is the outputs
// of its ops, elements times their size. So the sum has every value once; a compiled
// model needs less, as values share memory.
//
// With sizes, one for each input, the table is that for these shapes: a network of
// dynamic dims has figures only then.
func (n *Net) WriteSummary(w io.Writer, sizes ...InputShape) error {
	if w == nil {
		return fmt.Errorf("cnn: net %q: WriteSummary: the writer is nil", n.name)
	}
	s, err := n.summary(sizes)
	if err == nil {
		_, err = io.WriteString(w, s)
	}
	return err
}

func (n *Net) summary(sizes []InputShape) (string, error) {
	n.store.mu.Lock()
	defer n.store.mu.Unlock()
	open, g, err := n.build(nil) // N and other symbols are open
	if err != nil {
		return "", err
	}
	shown, figures, live := open, open, alive(g)
	shapes, static := n.shapesForOne(sizes)
	if len(sizes) > 0 {
		if err := n.checkSizes(sizes); err != nil {
			return "", err
		}
	}
	if static {
		if figures, g, err = n.build(shapes); err != nil {
			return "", err
		}
		if live = alive(g); len(sizes) > 0 {
			shown = figures
		}
	}
	order, use := map[*graph.Node]int{}, map[*graph.Value]int{}
	for i, node := range g.Nodes() {
		order[node] = i
		for _, v := range node.In() {
			if _, used := use[v]; !used {
				use[v] = i
			}
		}
	}
	type row struct {
		at    int
		cells []string
	}
	var rows []row
	var total struct{ macs, activations, trained, fixed, weights int64 }
	for i, r := range figures.records {
		if !r.live(live) {
			continue
		}
		own := r.liveNodes(live)
		var params int64
		for _, e := range r.params {
			size := int64(e.shape.Size())
			total.weights += size * int64(e.dtype.Size())
			if e.trainable {
				params += size
			} else if e.dtype == tensor.Float32 {
				total.fixed += size
			}
		}
		total.trained += params
		macs, memory := "?", "?"
		if static {
			m, b := multiplyAdds(own), valueBytes(own)
			total.macs, total.activations = total.macs+m, total.activations+b
			macs, memory = thousands(m), binaryBytes(b)
		}
		at, output := 0, ""
		if len(own) > 0 {
			at = order[own[len(own)-1]]
			output = sameValue(shown.records[i], r, r.result(own)).Shape().String()
		} else { // parameters for another layer's ops
			at = use[r.values[0]]
		}
		rows = append(rows, row{at, []string{r.path, r.kind, output, thousands(params), macs, memory}})
	}
	slices.SortStableFunc(rows, func(a, b row) int { return a.at - b.at })

	table := [][]string{{"layer", "kind", "output", "parameters", "multiply-adds", "memory"}}
	for _, r := range rows {
		table = append(table, r.cells)
	}
	macs, activations := "?", "?"
	if static {
		macs, activations = thousands(total.macs), binaryBytes(total.activations)
	}
	table = append(table, []string{"total", "", "", thousands(total.trained), macs, activations})
	var b strings.Builder
	fmt.Fprintf(&b, "net %s", n.name)
	for i, t := range n.inputs {
		shape := t.shape
		if len(sizes) > 0 {
			shape = graph.Dims(shapes[i]...)
		}
		fmt.Fprintf(&b, " %s%v", t.name, shape)
	}
	if static && len(sizes) == 0 {
		b.WriteString(", figures for N = 1")
	}
	b.WriteByte('\n')
	writeTable(&b, table)
	fmt.Fprintf(&b, "parameters: %s trainable, %s not, %s\n", thousands(total.trained), thousands(total.fixed), binaryBytes(total.weights))
	if !static {
		b.WriteString("multiply-adds and memory depend on dynamic dims: give WriteSummary their sizes\n")
	}
	return b.String(), nil
}

// shapesForOne returns the inputs' shapes for a batch of 1, and false when a dim is
// dynamic and sizes does not have it.
func (n *Net) shapesForOne(sizes []InputShape) (shapes []tensor.Shape, static bool) {
	if len(sizes) > 0 {
		for _, s := range sizes {
			shapes = append(shapes, append(tensor.Shape{1}, s...))
		}
		return shapes, true
	}
	for _, t := range n.inputs {
		s, ok := t.shape[1:].Static()
		if !ok {
			return nil, false
		}
		shapes = append(shapes, append(tensor.Shape{1}, s...))
	}
	return shapes, true
}

// checkSizes fails unless sizes fit the inputs.
func (n *Net) checkSizes(sizes []InputShape) error {
	if len(sizes) != len(n.inputs) {
		return fmt.Errorf("cnn: net %q: sizes: got %d, want %d, one for each input", n.name, len(sizes), len(n.inputs))
	}
	for i, t := range n.inputs {
		fits := len(sizes[i]) == len(t.shape)-1
		for k := 0; fits && k < len(sizes[i]); k++ {
			want, static := t.shape[k+1].Size()
			fits = sizes[i][k] >= 0 && (!static || sizes[i][k] == want)
		}
		if !fits {
			return fmt.Errorf("cnn: net %q: size of input %q: got %v, want %v without N", n.name, t.name, []int(sizes[i]), t.shape)
		}
	}
	return nil
}

// multiplyAdds adds up those of the nodes, whose shapes are static.
func multiplyAdds(nodes []*graph.Node) int64 {
	var sum int64
	for _, n := range nodes {
		sum += backend.MultiplyAdds(n.Op(), descs(n.In()), descs(n.Out()))
	}
	return sum
}

func descs(values []*graph.Value) []backend.TensorDesc {
	d := make([]backend.TensorDesc, len(values))
	for i, v := range values {
		d[i].DType = v.DType()
		d[i].Shape, _ = v.Shape().Static()
	}
	return d
}

// valueBytes adds up the outputs of the nodes, whose shapes are static.
func valueBytes(nodes []*graph.Node) int64 {
	var sum int64
	for _, n := range nodes {
		for _, d := range descs(n.Out()) {
			sum += d.Bytes()
		}
	}
	return sum
}

// result returns the value that the row of r shows: the output of the layer where one
// of its own nodes has computed it, and that of the last of them otherwise.
func (r *record) result(own []*graph.Node) *graph.Value {
	if r.out != nil && slices.Contains(own, r.out.Producer()) {
		return r.out
	}
	return own[len(own)-1].Out()[0]
}

// sameValue returns the value of record a that stands where v stands in record b, of
// another build of the same layer.
func sameValue(a, b *record, v *graph.Value) *graph.Value {
	i := slices.Index(b.nodes, v.Producer())
	k := slices.Index(v.Producer().Out(), v)
	if i < len(a.nodes) && k < len(a.nodes[i].Out()) {
		return a.nodes[i].Out()[k]
	}
	return v
}

// alive returns the values that an output needs.
func alive(g *graph.Graph) map[*graph.Value]bool {
	live := map[*graph.Value]bool{}
	var mark func(v *graph.Value)
	mark = func(v *graph.Value) {
		if live[v] {
			return
		}
		live[v] = true
		if node := v.Producer(); node != nil {
			for _, x := range node.In() {
				mark(x)
			}
		}
	}
	for _, o := range g.Outputs() {
		mark(o.Value)
	}
	return live
}

// writeTable aligns text to the left and, from column 3 on, figures to the right.
func writeTable(b *strings.Builder, table [][]string) {
	width := make([]int, len(table[0]))
	for _, row := range table {
		for i, c := range row {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	rule := strings.Repeat("-", sum(width)+2*(len(width)-1))
	for i, row := range table {
		if i == 1 || i == len(table)-1 {
			b.WriteString(rule + "\n")
		}
		line := ""
		for k, c := range row {
			gap := strings.Repeat(" ", width[k]-utf8.RuneCountInString(c))
			if k < 3 {
				line += c + gap + "  "
			} else {
				line += gap + c + "  "
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

func sum(v []int) int {
	s := 0
	for _, n := range v {
		s += n
	}
	return s
}

// thousands writes 1234567 as 1,234,567.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func binaryBytes(n int64) string {
	f := float64(n)
	for _, unit := range []string{"B", "KiB", "MiB"} {
		if f < 1024 {
			if unit == "B" {
				return fmt.Sprintf("%d B", n)
			}
			return fmt.Sprintf("%.1f %s", f, unit)
		}
		f /= 1024
	}
	return fmt.Sprintf("%.1f GiB", f)
}
