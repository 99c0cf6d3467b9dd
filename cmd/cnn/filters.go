package main

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/internal/feed"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/tensor"
)

// filtersFlags are the flags of filters.
type filtersFlags struct {
	model    modelFlag
	out      pictureOut
	layer    string
	most     int
	channels int
}

func filtersCommand() *cobra.Command {
	var f filtersFlags
	c := &cobra.Command{
		Use:   "filters",
		Short: "draw the filters of a convolution",
		Long: `filters draws the weights of a convolution as a labelled PNG grid: of the first one, or
of -layer, which is the name of its node or of its output. -layer list lists them.

Exit codes: see cnn help.`,
		Example: `  cnn filters -model resnet50.onnx -out filters.png
  cnn filters -model resnet50.onnx -layer layer1.0.conv2 -max 16 -out filters.png`,
		Args: cobra.NoArgs,
	}
	f.model.add(c)
	fs := c.Flags()
	fs.StringVar(&f.layer, "layer", "", "the `NAME` of a convolution or of its output; list lists them")
	fs.StringVar(&f.out.path, "out", "", "a .png file, or a folder")
	fs.IntVar(&f.most, "max", 64, "draw the first `N` filters; 0 draws all")
	fs.IntVar(&f.channels, "channels", 16, "draw the first `N` channels of each filter; 0 draws all")
	c.RunE = func(cmd *cobra.Command, _ []string) error { return f.run(cmd) }
	return c
}

func (f *filtersFlags) run(cmd *cobra.Command) (err error) {
	ctx, out := cmd.Context(), cmd.OutOrStdout()
	switch {
	case f.most < 0:
		return cli.Usagef("-max %d: want 0 or more", f.most)
	case f.channels < 0:
		return cli.Usagef("-channels %d: want 0 or more", f.channels)
	}
	m, err := f.model.load()
	if err != nil {
		return err
	}
	var convs []onnx.NodeInfo
	var list []layer
	for _, n := range m.Nodes() {
		if n.Domain == "" && (n.Op == "Conv" || n.Op == "ConvTranspose") && len(n.In) > 1 {
			convs, list = append(convs, n), append(list, layer{value: n.Out[0], node: n.Name, op: n.Op})
		}
	}
	if f.layer == "list" {
		return printLayers(out, list)
	}
	if len(convs) == 0 {
		return cli.Usagef("%s has no convolution", f.model.path)
	}
	at := 0
	if f.layer != "" {
		l, err := findLayer(list, f.layer)
		if err != nil {
			if other, otherErr := findLayer(layers(m), f.layer); otherErr == nil {
				return cli.Usagef("-layer %s: is of %s, want a convolution; -layer list lists them", f.layer, other.op)
			}
			return err
		}
		at = slices.Index(list, l)
	}
	conv, l := convs[at], list[at]
	if err := constant(m, conv.In[1]); err != nil {
		return cli.Usagef("-layer %s: %w", l.title(), err)
	}
	if err := f.out.check(false); err != nil {
		return err
	}

	// A run that has the weights for its output computes nothing but them.
	be, err := backend.Open("cpu")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, be.Close()) }()
	s, err := m.Compile(ctx, be, onnx.WithOutputs(conv.In[1]))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	shapes := make([]tensor.Shape, len(s.Inputs()))
	for i, v := range s.Inputs() {
		for _, d := range v.Shape {
			n, static := d.Size()
			if !static {
				n = 1
			}
			shapes[i] = append(shapes[i], n)
		}
	}
	xs, err := feed.Zeros(s.Inputs(), shapes)
	if err != nil {
		return err
	}
	ws, err := s.Run(ctx, xs...)
	if err != nil {
		return err
	}
	all := func(n int) int {
		if n == 0 {
			return math.MaxInt
		}
		return n
	}
	title := fmt.Sprintf("%s of %s", l.title(), filepath.Base(f.model.path))
	fig, err := filtersFigure(title, ws[0], conv.Op == "ConvTranspose", all(f.most), all(f.channels))
	if err != nil {
		return err
	}
	img, err := fig.Draw()
	if err != nil {
		return err
	}
	base := filepath.Base(f.model.path)
	return f.out.save(out, img, fmt.Sprintf("%s %v", l.title(), ws[0].Shape()), strings.TrimSuffix(base, filepath.Ext(base)), l.title())
}

// constant fails when a value depends on an input of the model.
func constant(m *onnx.Model, name string) error {
	inputs := map[string]bool{}
	for _, v := range m.Inputs() {
		inputs[v.Name] = true
	}
	maker := map[string]onnx.NodeInfo{}
	for _, n := range m.Nodes() {
		for _, o := range n.Out {
			maker[o] = n
		}
	}
	seen := map[string]bool{}
	next := []string{name}
	for len(next) > 0 {
		v := next[len(next)-1]
		next = next[:len(next)-1]
		if seen[v] {
			continue
		}
		seen[v] = true
		if inputs[v] {
			return fmt.Errorf("its weights %s depend on the input %s", name, v)
		}
		next = append(next, maker[v].In...)
	}
	return nil
}
