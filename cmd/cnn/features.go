package main

import (
	"errors"
	"fmt"
	"image"
	"math"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/tensor"
	"github.com/convgl/convgl/viz"
)

// featuresFlags are the flags of features.
type featuresFlags struct {
	model   modelFlag
	device  deviceFlags
	prepare preprocessFlags
	out     pictureOut
	layers  []string
	most    int
}

func featuresCommand() *cobra.Command {
	var f featuresFlags
	c := &cobra.Command{
		Use:   "features PICTURE|FOLDER…",
		Short: "draw the feature maps of a layer for pictures",
		Long: `features draws what layers of a network compute for pictures, as labelled PNG grids. A
layer is a node or a value of the file; -layer list lists them.

` + preprocessHelp + `

Exit codes: see cnn help.`,
		Example: `  cnn features -model resnet50.onnx -layer list
  cnn features -model resnet50.onnx -layer conv1 cat.jpg -out maps.png
  cnn features -model resnet50.onnx -layer conv1 -layer layer1 cat.jpg dog.jpg -out maps`,
	}
	f.model.add(c)
	f.device.add(c)
	fs := c.Flags()
	fs.StringArrayVar(&f.layers, "layer", nil, "the `NAME` of a node or value, may be repeated; list lists them")
	fs.StringVar(&f.out.path, "out", "", "a .png file, or a folder for several pictures")
	fs.IntVar(&f.most, "max", 64, "draw the first `N` maps; 0 draws all")
	f.prepare.add(c)
	c.RunE = func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) }
	return c
}

func (f *featuresFlags) run(cmd *cobra.Command, args []string) (err error) {
	ctx, out, stderr := cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	switch {
	case len(f.layers) == 0:
		return cli.Usagef("-layer is missing: want a layer (-layer list lists them)")
	case f.most < 0:
		return cli.Usagef("-max %d: want 0 or more", f.most)
	}
	m, err := f.model.load()
	if err != nil {
		return err
	}
	all := layers(m)
	if len(f.layers) == 1 && f.layers[0] == "list" {
		return printLayers(out, all)
	}
	var chosen []layer
	var names []string
	for _, name := range f.layers {
		l, err := findLayer(all, name)
		if err != nil {
			return err
		}
		chosen, names = append(chosen, l), append(names, l.value)
	}
	if len(args) == 0 {
		return cli.Usagef("features: want pictures or folders with pictures")
	}
	cfg, in, err := f.prepare.config(m, f.model.path, stderr)
	if err != nil {
		return err
	}
	n, fixed := in.Shape[0].Size()
	if !fixed {
		n = 1
	}
	list := listPictures(args)
	if err := f.out.check(len(list) != 1 || list[0].listed || len(chosen) > 1); err != nil {
		return err
	}
	be, err := f.device.open(stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, be.Close()) }()
	s, err := m.Compile(ctx, be, onnx.WithOutputs(names...))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()

	bar := cli.NewProgress(stderr, len(list))
	defer bar.End()
	var failed []error
	omitted := 0
	err = loadPictures(ctx, list, cfg, 4, func(p *picture) error {
		defer bar.Step()
		switch {
		case p.skipped:
			omitted++
			return nil
		case p.err != nil:
			failed = append(failed, p.err)
			return nil
		}
		x, err := batch([]*tensor.Tensor{p.x}, n)
		if err != nil {
			return err
		}
		p.x = nil
		ys, err := s.Run(ctx, x)
		if err != nil {
			return err
		}
		seen, err := cfg.Image(x)
		if err != nil {
			return err
		}
		for i, l := range chosen {
			if err := ctx.Err(); err != nil {
				return err
			}
			fig, err := f.figure(p, l, ys[i], seen)
			if err != nil {
				return fmt.Errorf("layer %s: %w", l.title(), err)
			}
			img, err := fig.Draw()
			if err != nil {
				return err
			}
			bar.Hide()
			base := filepath.Base(p.path)
			if err := f.out.save(out, img, fmt.Sprintf("%s %v of %s", l.title(), ys[i].Shape(), clean(p.path)), strings.TrimSuffix(base, filepath.Ext(base)), l.title()); err != nil {
				return err
			}
		}
		return nil
	})
	bar.End()
	skipped(stderr, omitted)
	return failures(stderr, err, failed, len(list)-omitted, false)
}

// figure draws a layer's value for a picture.
func (f *featuresFlags) figure(p *picture, l layer, y *tensor.Tensor, seen image.Image) (viz.Figure, error) {
	most := f.most
	if most == 0 {
		most = math.MaxInt
	}
	return mapsFigure(l.title(), fmt.Sprintf("%s of %s for %s,", clean(l.op), filepath.Base(f.model.path), clean(filepath.Base(p.path))), y, most, seen)
}
