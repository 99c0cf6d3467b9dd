package feed

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/tensor"
)

// maxElems bounds the elements of an input that is made.
const maxElems = 1 << 30

// Shapes returns a shape for each input: that of args, which are NAME=1,3,224,224,
// or that of the file, in which an open first dim is 1.
func Shapes(inputs []onnx.ValueInfo, args []string) ([]tensor.Shape, error) {
	shapes, err := askedShapes(inputs, args)
	if err != nil {
		return nil, err
	}
	bound := map[string]int{} // sizes of open dims
	for i, v := range inputs {
		for k := range shapes[i] {
			if k < len(v.Shape) {
				if _, static := v.Shape[k].Size(); !static {
					bound[v.Shape[k].String()] = shapes[i][k]
				}
			}
		}
	}
	var open []string
	first := "" // the name of the first such input
	for i, v := range inputs {
		if shapes[i] != nil {
			continue
		}
		whole := v.Shape != nil
		shapes[i] = make(tensor.Shape, len(v.Shape))
		for k, d := range v.Shape {
			n, known := d.Size()
			if !known {
				n, known = bound[d.String()]
			}
			if !known && k == 0 {
				n, known = 1, true
				bound[d.String()] = n
			}
			shapes[i][k] = n
			whole = whole && known
		}
		if !whole {
			if open = append(open, Describe(v)); len(open) == 1 {
				first = v.Name
			}
		}
	}
	if open != nil {
		return nil, OpenShapes{fmt.Errorf("open dims in %s: want -shape %s=… with a size for each dim", strings.Join(open, ", "), cli.Clean(first))}
	}
	return shapes, nil
}

// OpenShapes says that the sizes of open dims are missing.
type OpenShapes struct{ error }

// askedShapes returns the shapes of the arguments, nil for other inputs.
func askedShapes(inputs []onnx.ValueInfo, args []string) ([]tensor.Shape, error) {
	shapes := make([]tensor.Shape, len(inputs))
	for _, arg := range args {
		at, sizes := -1, arg
		if i := strings.LastIndexByte(arg, '='); i >= 0 {
			for k, v := range inputs {
				if v.Name == arg[:i] {
					at, sizes = k, arg[i+1:]
				}
			}
			if at < 0 {
				return nil, cli.Usagef("-shape %s: there is no input %q; %s", arg, arg[:i], Wanted(inputs))
			}
		} else if len(inputs) == 1 {
			at = 0
		} else {
			return nil, cli.Usagef("-shape %s: of which input? want NAME=%s; %s", arg, arg, Wanted(inputs))
		}
		if shapes[at] != nil {
			return nil, cli.Usagef("-shape %s: the input %q has a shape already", arg, inputs[at].Name)
		}
		shape := tensor.Shape{}
		if sizes != "" {
			for _, text := range strings.Split(strings.ReplaceAll(sizes, "x", ","), ",") {
				n, err := strconv.Atoi(strings.TrimSpace(text))
				if err != nil || n < 0 {
					return nil, cli.Usagef("-shape %s: got %q in it, want sizes with commas, as 1,3,224,224", arg, text)
				}
				shape = append(shape, n)
			}
		}
		v := inputs[at]
		if v.Shape != nil && len(v.Shape) != len(shape) {
			return nil, cli.Usagef("-shape %s: got rank %d, want %d; the model takes %s", arg, len(shape), len(v.Shape), Describe(v))
		}
		for k, d := range v.Shape {
			if n, static := d.Size(); static && n != shape[k] {
				return nil, cli.Usagef("-shape %s: dim %d is %d, want %d; the model takes %s", arg, k, shape[k], n, Describe(v))
			}
		}
		if n, err := shape.Elems(); err != nil || n > maxElems {
			return nil, cli.Usagef("-shape %s: want at most %d elements", arg, maxElems)
		}
		shapes[at] = shape
	}
	return shapes, nil
}
