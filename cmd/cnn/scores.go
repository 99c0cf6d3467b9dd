package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/internal/feed"
	"github.com/convgl/convgl/internal/regularfile"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/tensor"
)

// class is one of the likeliest.
type class struct {
	Index       int     `json:"index"`
	Label       string  `json:"label,omitempty"`
	Probability float64 `json:"probability"`
}

// likeliest returns the top classes, of equal ones the first in order. It fails when a
// probability is not finite.
func likeliest(p []float64, labels []string, top int) ([]class, error) {
	list := make([]class, len(p))
	for i, v := range p {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("the probability of class %d is %v", i, v)
		}
		list[i] = class{Index: i, Probability: v}
		if labels != nil {
			list[i].Label = labels[i]
		}
	}
	slices.SortStableFunc(list, func(a, b class) int { return cmp.Compare(b.Probability, a.Probability) })
	return list[:min(top, len(list))], nil
}

// probabilities returns the scores of one picture, through softmax where how is yes, or is auto
// and they are no distribution of at least two classes.
func probabilities(scores []float32, how string) (p []float64, softmaxed bool) {
	p = make([]float64, len(scores))
	for i, v := range scores {
		p[i] = float64(v)
	}
	if how == "no" || how == "auto" && (len(p) < 2 || distribution(p)) {
		return p, false
	}
	top := slices.Max(p) // NaN if there is one
	sum := 0.0
	for i, v := range p {
		p[i] = math.Exp(v - top)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p, true
}

// distribution reports whether the elements are not negative and their sum is 1, as far as
// float32, or float16 at worst, tells.
func distribution(p []float64) bool {
	sum := 0.0
	for _, v := range p {
		if !(v >= 0) {
			return false
		}
		sum += v
	}
	return math.Abs(sum-1) <= 1e-3
}

// classes returns how many an output [N,classes] has, with further dims of 1 allowed; 0 when
// the shape leaves it open. Text is the shape for an error.
func classes(name string, shape []int, text fmt.Stringer) (int, error) {
	n := 1
	wide := 0
	for i, d := range shape {
		if i == 0 && len(shape) > 1 {
			continue // the batch
		}
		if d < 0 {
			return 0, nil
		}
		if d != 1 {
			n, wide = d, wide+1
		}
	}
	if len(shape) == 0 || wide > 1 || n == 0 {
		return 0, cli.Usagef("the output %s has shape %s, want [N,classes]: is the model a classifier?", name, clean(text.String()))
	}
	return n, nil
}

// readLabels reads a label a line.
func readLabels(path string) ([]string, error) {
	const most = 64 << 20
	f, err := regularfile.Open(path)
	if err != nil {
		return nil, fmt.Errorf("-labels: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("-labels: %w", err)
	}
	if len(data) > most {
		return nil, cli.Usagef("-labels %s: more than %d bytes", path, most)
	}
	lines := strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSpace(l)
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 {
		return nil, cli.Usagef("-labels %s: no lines", path)
	}
	return lines, nil
}

// checkLabels holds the number of labels to that of classes, which is 0 as long as it is not known.
func checkLabels(labels []string, file string, n int, output string) error {
	if labels == nil || n == 0 || len(labels) == n {
		return nil
	}
	return cli.Usagef("-labels %s has %d lines, the output %s has %d classes: want a line for each class", file, len(labels), output, n)
}

// pickOutput returns the output with the name, or the only one.
func pickOutput(m *onnx.Model, name string) (onnx.ValueInfo, error) {
	outputs := m.Outputs()
	if name == "" && len(outputs) == 1 {
		return outputs[0], nil
	}
	var names []string
	for _, v := range outputs {
		if v.Name == name {
			return v, nil
		}
		names = append(names, feed.Describe(v))
	}
	if name == "" {
		return onnx.ValueInfo{}, cli.Usagef("which output has the scores? want -output NAME; there are %s", strings.Join(names, ", "))
	}
	return onnx.ValueInfo{}, cli.Usagef("-output %s: there are %s", name, strings.Join(names, ", "))
}

// scoresOf cuts a run's output into the scores of each of n pictures.
func scoresOf(y *tensor.Tensor, name string, n int) ([][]float32, error) {
	if y.DType() != tensor.Float32 {
		return nil, cli.Usagef("the output %s is %v%v, want float scores", name, y.DType(), y.Shape())
	}
	count, err := classes(name, y.Shape(), y.Shape())
	if err != nil {
		return nil, err
	}
	if y.Size() != n*count {
		return nil, cli.Usagef("the output %s has shape %v for %d pictures, want [%d,classes]: does the model take batches?", name, y.Shape(), n, n)
	}
	all := y.Float32s()
	list := make([][]float32, n)
	for i := range list {
		list[i] = all[i*count:][:count]
	}
	return list, nil
}
