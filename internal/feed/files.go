// Package feed turns the command line into what a model takes: files, shapes, zeros and
// random values.
package feed

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/tensor"
)

// Files gives each of the inputs its file: args are NAME=FILE, or the file alone
// where there is one input.
func Files(inputs []onnx.ValueInfo, args []string) ([]string, error) {
	files := make([]string, len(inputs))
	for _, arg := range args {
		at, file := -1, ""
		for i, v := range inputs { // a name may hold a =, and be the beginning of another
			if rest, ok := strings.CutPrefix(arg, v.Name+"="); ok && (at < 0 || len(v.Name) > len(inputs[at].Name)) {
				at, file = i, rest
			}
		}
		if at < 0 && len(inputs) == 1 && (!strings.Contains(arg, "=") || exists(arg)) {
			at, file = 0, arg
		}
		switch {
		case at < 0 && !strings.Contains(arg, "="):
			return nil, cli.Usagef("-input %s: which one? want NAME=FILE; %s", arg, Wanted(inputs))
		case at < 0:
			name, _, _ := strings.Cut(arg, "=")
			return nil, cli.Usagef("-input %s: there is no input %q; %s", arg, name, Wanted(inputs))
		case files[at] != "":
			return nil, cli.Usagef("-input %s: the input %q has a file already, %s", arg, inputs[at].Name, files[at])
		case file == "":
			return nil, cli.Usagef("-input %s: want a file after %q", arg, inputs[at].Name+"=")
		}
		files[at] = file
	}
	for i, f := range files {
		if f == "" {
			return nil, cli.Usagef("no -input for %q; %s", inputs[i].Name, Wanted(inputs))
		}
	}
	return files, nil
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// Wanted says what a model takes.
func Wanted(inputs []onnx.ValueInfo) string {
	if len(inputs) == 0 {
		return "the model takes no inputs"
	}
	list := make([]string, len(inputs))
	for i, v := range inputs {
		list[i] = Describe(v)
	}
	return "the model takes " + strings.Join(list, ", ")
}

// Describe returns a value's name, type and shape, as "x float32[N,3,224,224]".
func Describe(v onnx.ValueInfo) string { return cli.Clean(v.Name) + " " + TypeString(v) }

// TypeString returns a value's type and shape, as "float32[N,3,224,224]".
func TypeString(v onnx.ValueInfo) string {
	if v.Shape == nil {
		return v.Type.String() + " of any rank"
	}
	return v.Type.String() + cli.Clean(v.Shape.String())
}

// Read reads the files of the inputs and holds them to their types and shapes.
func Read(inputs []onnx.ValueInfo, files []string) ([]*tensor.Tensor, error) {
	ts := make([]*tensor.Tensor, len(inputs))
	bound := map[string]string{} // the size of each open dim, and where it comes from
	for i, v := range inputs {
		t, err := readInput(v, files[i])
		if err != nil {
			return nil, err
		}
		ts[i] = t
		if v.Shape == nil {
			continue
		}
		ok := len(v.Shape) == len(t.Shape())
		for k := 0; ok && k < len(v.Shape); k++ {
			n, static := v.Shape[k].Size()
			ok = !static || n == t.Shape()[k]
		}
		if !ok {
			return nil, cli.Usagef("-input %s: %s: got the shape %v, want %v%s", v.Name, files[i], t.Shape(), v.Shape, hint(v, t))
		}
		for k, d := range v.Shape {
			if _, static := d.Size(); static {
				continue
			}
			size := fmt.Sprint(t.Shape()[k])
			was, seen := bound[d.String()]
			if n, from, _ := strings.Cut(was, " "); seen && n != size {
				return nil, cli.Usagef("-input %s: %s: got the shape %v, want %v, in which %v is %s %s", v.Name, files[i], t.Shape(), v.Shape, d, n, from)
			}
			if !seen {
				bound[d.String()] = fmt.Sprintf("%s in the input %q", size, v.Name)
			}
		}
	}
	return ts, nil
}

// ReadTensor reads an array from a file of ONNX (.pb) or NumPy.
func ReadTensor(file string) (*tensor.Tensor, error) {
	if strings.EqualFold(filepath.Ext(file), ".pb") {
		return onnx.ReadTensor(file)
	}
	return tensor.LoadNPY(file)
}

func readInput(v onnx.ValueInfo, file string) (*tensor.Tensor, error) {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp":
		return nil, cli.Usagef("-input %s: %s is a picture: want an .npy or .pb file with %s; cnn classify takes pictures", v.Name, file, TypeString(v))
	}
	t, err := ReadTensor(file)
	if err != nil {
		return nil, cli.Usagef("-input %s: %v", v.Name, err)
	}
	if t.DType() == v.Type.DType() {
		return t, nil
	}
	if t.DType() == tensor.Float64 && v.Type == onnx.Float64 {
		return t.AsFloat32(), nil
	}
	return nil, cli.Usagef("-input %s: %s: got %v%v, want %v (x.astype(np.%v) in NumPy)", v.Name, file, t.DType(), t.Shape(), v.Type, v.Type.DType())
}

// hint names a usual mistake.
func hint(v onnx.ValueInfo, t *tensor.Tensor) string {
	s := t.Shape()
	switch {
	case len(s)+1 == len(v.Shape):
		return " (no batch dim? x[None] in NumPy adds one)"
	case len(s) == 4 && len(v.Shape) == 4:
		if c, static := v.Shape[1].Size(); static && s[1] != c && s[3] == c {
			return " (channels last? x.transpose(0, 3, 1, 2) in NumPy puts them first)"
		}
	}
	return ""
}
