package demo

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// report writes what the demo finds as text.
type report struct {
	out           io.Writer
	err           error // the first of writing
	source        string
	height, width int
	backends      backends
}

func (r *report) printf(format string, a ...any) {
	if r.out == nil || r.err != nil {
		return
	}
	_, r.err = fmt.Fprintf(r.out, format, a...)
}

func (r *report) intro() {
	r.printf("Picture: %s, %d rows × %d columns, RGB\n\nBackends\n%s", r.source, r.height, r.width, r.devices())
}

// devices lists the backends and what they run on.
func (r *report) devices() table {
	t := table{Head: []string{"backend", "device"}}
	for _, o := range r.backends {
		if o.err != nil {
			t.Rows = append(t.Rows, []string{o.name, "NOT RUN: " + oneLine(o.err)})
			continue
		}
		d := o.be.Device()
		text := d.Name
		if d.Threads > 0 && !strings.Contains(text, "thread") {
			text += fmt.Sprintf(", threads: %d", d.Threads)
		}
		if d.Software && o.name == "gl" {
			text += " (a software renderer: no GPU is used)"
		}
		t.Rows = append(t.Rows, []string{o.name, text})
	}
	return t
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// step prints the section of a step that has run.
func (r *report) step(s *step) {
	r.printf("\n%s\n", s.title)
	switch s.id {
	case noteID:
		r.printf("  input %s\n", matrix(s.input.Float32s(), 4))
		for i, o := range r.backends {
			if res := s.results[i]; res.out != nil {
				mark := "as in the course note"
				if s.noteWrong(res) {
					mark = "WRONG: the course note has " + matrix(noteAnswer, 2)
				}
				r.printf("  %-4s  %s  %s\n", o.name, matrix(res.out.Float32s(), 2), mark)
			}
		}
	case networkID:
		r.printf("%s\n\nClass probabilities (random weights, seed %d: the classes have no meaning)\n%s", indent(strings.TrimSpace(s.net.Summary())), seed, r.probabilities(s))
		r.printf("\nCompiled model\n%s%s\n", r.models(s), indent(modelNote))
	default:
		in := s.input.Shape()
		for i, l := range s.layers {
			out := s.ref[i].Shape()
			r.printf("  %-22s  %s  →  %s", l.name, shapeText(in), shapeText(out))
			if _, conv := l.op.(backend.Conv); !conv && out.Size() < in.Size() {
				r.printf("  (%s of the values)", percent(out.Size(), in.Size()))
			}
			r.printf("\n")
			in = out
		}
	}
	for i, o := range r.backends {
		if res := s.results[i]; res.err != nil && !unavailable(res.err) {
			r.printf("  %s FAILED: %s\n", o.name, oneLine(res.err))
		}
	}
}

func percent(part, whole int) string {
	return fmt.Sprintf("%.2f %%", 100*float64(part)/float64(whole))
}

// shapeText writes an N,C,H,W shape as "16 × 427 × 640" and a single plane as
// "427 × 640".
func shapeText(s []int) string {
	if s[1] == 1 {
		return size(s)
	}
	return fmt.Sprintf("%d × %s", s[1], size(s))
}

// layerTable lists the network's layers, for the picture.
func (s *step) layerTable() table {
	t := table{Head: []string{"layer", "op", "output [N,C,H,W]", "parameters"}, Right: []bool{false, false, false, true}}
	t.Rows = append(t.Rows, []string{"x", "Input", s.input.Shape().String(), "0"})
	sum := 0
	for i, l := range s.layers {
		kind := "Dropout"
		if l.op != nil {
			kind = l.op.Kind()
		}
		sum += l.trained
		t.Rows = append(t.Rows, []string{l.name, kind, s.ref[i].Shape().String(), thousands(int64(l.trained))})
	}
	t.Rows = append(t.Rows, []string{"Sum", "", "", thousands(int64(sum))})
	return t
}

// probabilities has a row for each backend.
func (r *report) probabilities(s *step) table {
	t := table{Head: []string{"backend"}, Right: []bool{false}}
	for c := range classes {
		t.Head, t.Right = append(t.Head, fmt.Sprint(c)), append(t.Right, true)
	}
	for i, o := range r.backends {
		out := s.results[i].out
		if out == nil {
			continue
		}
		row := []string{o.name}
		for _, p := range out.Float32s() {
			row = append(row, fmt.Sprintf("%.5f", p))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// tables prints agreement and speed.
func (r *report) tables(steps []*step) {
	r.printf("\nAgreement with the reference\n%s%s\n", r.agreement(steps), indent(agreementNote))
	r.printf("\nSpeed: median milliseconds, less is better\n%s%s\n", r.speed(steps), indent(speedNote))
}

const agreementNote = `Each layer gets the reference's input. "Error / bound" is the worst element's error over the bound
that rounding in float32 allows; 1 and less passes. "All layers" lets each layer have what the
same backend computed before; it passes up to a relative L2 distance of 1e−4 and with the same class.
So does "compiled model", the whole network folded, fused and planned: of the probabilities, from the
reference's result layer by layer.`

const speedNote = `Wall time of the kernels, waiting for the device at the end. Preparing, uploading weights and
picture, one run to warm up, and reading back are not in it. Each number is the median of 3 to 15
runs, or of those that fit in 1 s. The two rows of the network go from the picture in host memory to
the probabilities there, so they have uploading and reading back in them. The reference is written to
be obviously right, not fast.`

func indent(s string) string { return "  " + strings.ReplaceAll(s, "\n", "\n  ") }

// agreement has a row for each layer and backend other than the reference.
func (r *report) agreement(steps []*step) table {
	t := table{Head: []string{"step", "layer", "backend", "max abs", "max ULP", "error / bound", "verdict"},
		Right: []bool{false, false, false, true, true, true, false}}
	for _, s := range steps {
		for i, l := range s.layers {
			for b, o := range r.backends {
				res := s.results[b]
				if b == 0 || l.op == nil || o.err != nil {
					continue
				}
				if res.err != nil {
					if i == 0 {
						t.Rows = append(t.Rows, []string{s.id, "all", o.name, "", "", "", "FAIL: " + oneLine(res.err)})
					}
					continue
				}
				j := res.layers[i]
				row := []string{s.id, l.name, o.name, "", "", "", verdictOf(j)}
				if len(j.Outputs) > 0 {
					c := j.Outputs[0]
					row[3], row[4], row[5] = small(c.MaxAbs), fmt.Sprint(c.MaxULP), fmt.Sprintf("%.3f", c.WorstRatio)
					if c.NaNMismatches > 0 {
						row[6] += fmt.Sprintf(" (%d NaN or infinities differ)", c.NaNMismatches)
					}
				}
				t.Rows = append(t.Rows, row)
			}
		}
		if len(s.layers) < 2 {
			continue
		}
		for b, o := range r.backends {
			if res := s.results[b]; b > 0 && res.err == nil {
				t.Rows = append(t.Rows, res.drift.row(s.id, o.name))
			}
		}
		for b, o := range r.backends {
			switch c := s.results[b].model; {
			case c == nil:
			case c.err != nil:
				t.Rows = append(t.Rows, []string{s.id, "compiled model", o.name, "", "", "", "FAIL: " + oneLine(c.err)})
			default:
				t.Rows = append(t.Rows, c.drift.row(s.id, o.name))
			}
		}
	}
	for b, o := range r.backends {
		if b > 0 && o.err != nil {
			t.Rows = append(t.Rows, []string{"all", "all", o.name, "", "", "", "NOT RUN"})
		}
	}
	return t
}

// row is a line of the table of agreement.
func (d drift) row(step, backend string) []string {
	verdict := "pass"
	switch {
	case !d.top:
		verdict = "FAIL: another class"
	case !d.ok():
		verdict = "FAIL"
	}
	return []string{step, d.what, backend, small(d.maxAbs), "", "L2 " + small(d.relL2), verdict}
}

// speed has a row for each step and a column for each backend.
func (r *report) speed(steps []*step) table {
	t := table{Head: []string{"what"}, Right: []bool{false}}
	for _, o := range r.backends {
		t.Head, t.Right = append(t.Head, o.name), append(t.Right, true)
	}
	t.Head, t.Right = append(t.Head, "work, GFLOP"), append(t.Right, true)
	row := func(name string, s *step, flops int64, time func(result) (time.Duration, error)) {
		cells := []string{name}
		for _, res := range s.results {
			d, err := time(res)
			switch {
			case unavailable(err):
				cells = append(cells, "not run")
			case err != nil:
				cells = append(cells, "failed")
			default:
				cells = append(cells, milliseconds(d))
			}
		}
		t.Rows = append(t.Rows, append(cells, fmt.Sprintf("%.4f", float64(flops)/1e9)))
	}
	for _, s := range steps {
		total := int64(0)
		for i, l := range s.layers {
			if l.op == nil {
				continue
			}
			flops := l.op.Cost(descsOf(s.inputOf(i), l.weights), []backend.TensorDesc{backend.Of(s.ref[i])}).FLOPs
			total += flops
			// Of the network only the sum: its layers are those of the other steps.
			if s.net == nil {
				row(l.name+", "+shapeText(s.inputOf(i).Shape()), s, flops, func(r result) (time.Duration, error) {
					if r.err != nil {
						return 0, r.err
					}
					return r.each[i], nil
				})
			}
		}
		if len(s.layers) > 1 {
			row(s.title+", all layers", s, total, func(r result) (time.Duration, error) { return r.all, r.err })
		}
		if s.net != nil {
			row(s.title+", compiled model", s, total, func(r result) (time.Duration, error) {
				if r.model == nil {
					return 0, r.err
				}
				return r.model.time, r.model.err
			})
		}
	}
	return t
}

func descsOf(x *tensor.Tensor, weights []*tensor.Tensor) []backend.TensorDesc {
	d := []backend.TensorDesc{backend.Of(x)}
	for _, w := range weights {
		d = append(d, backend.Of(w))
	}
	return d
}

// verdict prints the last lines: who ran, and who agrees.
func (r *report) verdict(steps []*step) {
	ran := []string{}
	for _, o := range r.backends {
		if o.err == nil {
			ran = append(ran, o.name)
		}
	}
	n := failures(steps)
	r.printf("%s\n", verdictText(ran, n))
	for _, o := range r.backends {
		if o.err != nil {
			r.printf("%s did NOT run, so nothing is known about it: %s\n", o.name, oneLine(o.err))
		}
	}
}

// verdictText says in a sentence how the backends that ran compare.
func verdictText(ran []string, failures int) string {
	switch {
	case failures > 0:
		return fmt.Sprintf("DISAGREEMENT: checks that failed: %d (see the table of agreement).", failures)
	case len(ran) == 1:
		return "Only the reference ran: there was nothing to compare it with."
	}
	return fmt.Sprintf("All results of %s agree.", strings.Join(ran, ", "))
}
