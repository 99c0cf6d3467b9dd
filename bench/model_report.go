package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/convgl/convgl/internal/cli"
)

// WriteModel reports a model as Table or as one JSON document.
func WriteModel(w io.Writer, f Format, r *ModelReport) error {
	if f == JSON {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", " ")
		return enc.Encode(r)
	}
	fmt.Fprintf(w, "model %s (%s)\n", r.Model, cli.Clean(r.Graph))
	for _, in := range r.Inputs {
		fmt.Fprintf(w, "input %s %s%v: %s\n", cli.Clean(in.Name), in.Type, in.Shape, in.Content)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(w, "note: %s\n", cli.Clean(n))
	}
	for _, t := range r.Times {
		if err := t.write(w, r); err != nil {
			return err
		}
	}
	if r.Reference != "" {
		if err := r.writeAgreement(w); err != nil {
			return err
		}
	}
	for _, e := range r.Errors {
		fmt.Fprintf(w, "\n%s cannot run it: %s\n", e.Backend, e.Error)
	}
	_, err := fmt.Fprintln(w)
	return err
}

// write prints the steps of a backend, the slowest first.
func (t ModelTime) write(w io.Writer, r *ModelReport) error {
	threads := ""
	if t.Threads > 0 {
		threads = ", " + plural(t.Threads, "thread")
	}
	fmt.Fprintf(w, "\n%s (%s%s): %s, of which %d change a layout\n", t.Backend, t.Device, threads, plural(t.Kernels, "kernel"), t.Reorders)
	head := []string{"step", "op", "algorithm", "output", t.Clock + " ms", "least", "share", "GFLOP/s", "GB/s", "worst/bound"}
	var rows [][]string
	for _, s := range t.slowest() {
		shape, rates, worst := "", [2]string{}, ""
		if s.Shape != nil {
			shape = s.Shape.String()
		}
		if v := s.Time.Median; v > 0 && s.Op != "copy" {
			rates = [2]string{sig3(float64(s.FLOPs) / v * 1e-9), sig3(float64(s.Bytes) / v * 1e-9)}
		}
		if v := r.verdict(t.Backend, s); v != nil {
			worst = sig3(v.Worst)
			if v.Status != Passed {
				worst += " " + string(v.Status)
			}
		}
		rows = append(rows, []string{cli.Clean(s.Name), s.Op, s.Algorithm, shape, ms3(s.Time.Median), ms3(s.Time.Min), fmt.Sprintf("%.1f %%", 100*s.Share), rates[0], rates[1], worst})
	}
	if err := table(w, head, rows); err != nil {
		return err
	}
	host := ""
	if t.Host > 0 {
		host = fmt.Sprintf("; the latter has %s on the host too", plural(t.Host, "node"))
	}
	fmt.Fprintf(w, "all steps one by one %s ms, a run as a whole %s ms (medians of %d; least %s and %s)%s\n",
		ms3(t.Sum.Median), ms3(t.Whole.Median), t.Whole.N, ms3(t.Sum.Min), ms3(t.Whole.Min), host)
	if t.Other != nil && *t.Other > busyCPUs {
		fmt.Fprintf(w, "other processes used %.1f CPUs meanwhile: times are too long\n", *t.Other)
	}
	return nil
}

// verdict finds the judgment of a step's node.
func (r *ModelReport) verdict(backend string, s StepTime) *LayerVerdict {
	for _, l := range r.Layers {
		if l.Stage != s.Stage || l.Node != s.Name || l.Op != s.Op {
			continue
		}
		for i, v := range l.On {
			if v.Backend == backend {
				return &l.On[i]
			}
		}
	}
	return nil
}

// writeAgreement prints how far the backends are from the reference.
func (r *ModelReport) writeAgreement(w io.Writer) error {
	type count struct {
		n     map[Status]int
		worst float64
		at    string
	}
	counts := map[string]*count{}
	var order []string
	for _, l := range r.Layers {
		for _, v := range l.On {
			c := counts[v.Backend]
			if c == nil {
				c = &count{n: map[Status]int{}}
				counts[v.Backend] = c
				order = append(order, v.Backend)
			}
			c.n[v.Status]++
			if v.Worst >= c.worst {
				c.worst, c.at = v.Worst, l.Node
			}
		}
	}
	fmt.Fprintf(w, "\nlayer by layer, each with the inputs that %s computed, by the bounds of their ops:\n", r.Reference)
	for _, b := range order {
		c := counts[b]
		fmt.Fprintf(w, "  %s: %d pass, %d suspect, %d fail, %d unsupported; the largest error is %s of its bound, at %s\n",
			b, c.n[Passed], c.n[Suspicious], c.n[Failed], c.n[Unsupported], sig3(c.worst), cli.Clean(c.at))
	}
	for _, l := range r.Layers {
		for _, v := range l.On {
			if v.Detail != "" {
				fmt.Fprintf(w, "  %s: %s (%s) on %s: %s\n", v.Status, cli.Clean(l.Node), l.Op, v.Backend, strings.ReplaceAll(v.Detail, "\n", "; "))
			}
		}
	}
	fmt.Fprintf(w, "as a whole, the largest error as a share of the output's maximum (at most %g):\n", r.Tol)
	head := []string{"  output", "shape", "maximum"}
	column := map[string]int{}
	for _, o := range r.Outputs {
		for _, v := range o.On {
			if column[v.Backend] == 0 {
				column[v.Backend] = len(head)
				head = append(head, v.Backend)
			}
		}
	}
	var rows [][]string
	for _, o := range r.Outputs {
		row := make([]string, len(head))
		row[0], row[1], row[2] = "  "+cli.Clean(o.Name), o.Shape.String(), sig3(o.Largest)
		if o.Logits {
			row[0] += " (logits)"
		}
		for _, v := range o.On {
			row[column[v.Backend]] = sig3(v.Deviation)
			if v.Status != Passed {
				row[column[v.Backend]] = string(v.Status) + ": " + v.Detail
			}
		}
		rows = append(rows, row)
	}
	return table(w, head, rows)
}
