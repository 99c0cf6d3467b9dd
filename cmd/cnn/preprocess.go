package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/internal/feed"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/preprocess"
)

// preprocessHelp is the part of the help that the commands on pictures share.
const preprocessHelp = `How a picture becomes the model's input is described by a JSON file beside the model,
m.json for m.onnx, or that of -preprocess; flags override its keys:

  {"resize": 256, "crop": [224, 224], "filter": "bilinear", "antialias": true,
   "channels": "RGB", "scale": "1/255", "mean": [0.485, 0.456, 0.406],
   "std": [0.229, 0.224, 0.225], "layout": "NCHW", "dtype": "float32"}

A key that is missing is what the shape of the model's input suggests, which cnn
inspect prints. Pictures are PNG or JPEG, turned as their EXIF data says.`

// preprocessFlags describe how a picture becomes an input.
type preprocessFlags struct {
	file  string
	flags *pflag.FlagSet
	names []string
}

func (f *preprocessFlags) add(c *cobra.Command) {
	f.flags = c.Flags()
	f.flags.StringVar(&f.file, "preprocess", "", "the JSON `FILE` with the preprocessing; default is the model's with .json")
	var help []string
	f.names, help = preprocess.Keys()
	for i, name := range f.names {
		f.flags.String(name, "", "preprocessing: "+help[i])
	}
}

// config returns the preprocessing of a model that takes pictures, and its input.
// Where nothing describes it, stderr is told what the input's shape suggests.
func (f *preprocessFlags) config(m *onnx.Model, path string, stderr io.Writer) (*preprocess.Config, onnx.ValueInfo, error) {
	inputs := m.Inputs()
	if len(inputs) != 1 {
		return nil, onnx.ValueInfo{}, cli.Usagef("want a model with one input, which takes pictures; %s", feed.Wanted(inputs))
	}
	in := inputs[0]
	dims := openDims(in)
	c, suggestErr := preprocess.ForInput(dims, in.Type.DType())
	file, must := f.file, f.file != ""
	if !must {
		file = preprocess.Path(path)
	}
	found, err := c.Load(file)
	if err == nil && must && !found {
		_, err = os.Stat(file)
	}
	if err != nil {
		return nil, in, cli.UsageError{Err: err}
	}
	if !found && suggestErr != nil {
		return nil, in, cli.Usagef("%s: %v", path, suggestErr)
	}
	changed := false
	for _, name := range f.names {
		if flag := f.flags.Lookup(name); flag.Changed {
			changed = true
			if err := c.Set(name, flag.Value.String()); err != nil {
				return nil, in, cli.UsageError{Err: err}
			}
		}
	}
	if err := c.Check(dims, in.Type.DType()); err != nil {
		from := "as the input suggests"
		if found {
			from = "as " + clean(file) + " says"
		}
		if changed {
			from += ", and flags"
		}
		return nil, in, cli.Usagef("%w (preprocessing %s; the input is %s; see cnn help classify)", err, from, feed.Describe(in))
	}
	if !found && !changed {
		text, err := c.MarshalJSON()
		if err != nil {
			return nil, in, err
		}
		fmt.Fprintf(stderr, "no %s: preprocessing as the input %s suggests: %s\n", file, feed.Describe(in), text)
	}
	return &c, in, nil
}

// openDims returns the sizes of a value's dims, −1 for open ones.
func openDims(v onnx.ValueInfo) []int {
	dims := make([]int, len(v.Shape))
	for i, d := range v.Shape {
		n, static := d.Size()
		if dims[i] = n; !static {
			dims[i] = -1
		}
	}
	return dims
}
