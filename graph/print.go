package graph

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/convgl/convgl/backend"
)

// String lists inputs, nodes and outputs, one a line:
//
//	graph lenet
//	in  x float32[N,1,28,28]
//	conv1 = Conv{Kernel:[5,5] Bias}(x, conv1.weight float32[6,1,5,5], conv1.bias float32[6]) float32[N,6,24,24]
//	out y = softmax
func (g *Graph) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "graph %s\n", g.Name)
	for _, v := range g.inputs {
		fmt.Fprintf(&b, "in  %s %v%v\n", v.name, v.dtype, v.shape)
	}
	for _, n := range g.nodes {
		fmt.Fprintln(&b, n)
	}
	for _, o := range g.outputs {
		fmt.Fprintf(&b, "out %s = %s\n", o.Name, describe(o.Value))
	}
	return b.String()
}

// String returns the node's line in the listing of its graph.
func (n *Node) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s = %s(", n.name, opString(n.op))
	for i, v := range n.in {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(describe(v))
	}
	b.WriteString(")")
	for _, v := range n.out {
		fmt.Fprintf(&b, " %v%v", v.dtype, v.shape)
	}
	return b.String()
}

func describe(v *Value) string {
	if v.konst != nil {
		return fmt.Sprintf("%s %v%v", v.name, v.dtype, v.shape)
	}
	return v.name
}

// opString returns the op's kind and the attributes that are not zero, as
// "Conv{Kernel:[3,3] Bias Epilogue:[Residual Relu]}".
func opString(op backend.Op) string {
	if s, ok := op.(backend.Slice); ok && len(s.Starts) == len(s.Ends) {
		return "Slice" + sliceString(s)
	}
	attrs := attributes(reflect.ValueOf(op))
	if len(attrs) == 0 {
		return op.Kind()
	}
	return op.Kind() + "{" + strings.Join(attrs, " ") + "}"
}

func attributes(v reflect.Value) []string {
	if v.Kind() != reflect.Struct {
		return nil
	}
	var attrs []string
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		if !v.Type().Field(i).IsExported() {
			continue
		}
		switch a := f.Interface().(type) {
		case backend.Act:
			attrs = append(attrs, actString(a))
			continue
		case backend.Epilogue:
			if len(a) > 0 {
				attrs = append(attrs, name+":"+epilogueString(a))
			}
			continue
		case backend.AutoPad:
			if a != backend.PadExplicit {
				attrs = append(attrs, name+":"+a.String())
			}
			continue
		case fmt.Stringer: // a kind by its name, also where that is the zero value
			attrs = append(attrs, fmt.Sprintf("%s:%v", name, a))
			continue
		}
		switch {
		case v.Type().Field(i).Anonymous && f.Kind() == reflect.Struct:
			attrs = append(attrs, attributes(f)...)
		case f.IsZero():
		case f.Kind() == reflect.Bool:
			attrs = append(attrs, name)
		case f.Kind() == reflect.Slice:
			attrs = append(attrs, fmt.Sprintf("%s:%s", name, strings.ReplaceAll(fmt.Sprint(f.Interface()), " ", ",")))
		default:
			attrs = append(attrs, fmt.Sprintf("%s:%v", name, f.Interface()))
		}
	}
	return attrs
}

// sliceString writes the positions as Python does, as "[:,4:,::-1]"; negative ones
// count from the end.
func sliceString(s backend.Slice) string {
	position := func(p, usual int) string {
		switch {
		case p == usual:
			return ""
		case p > backend.SliceEnd/2 && p < backend.SliceEnd:
			return fmt.Sprint(p - backend.SliceEnd)
		}
		return fmt.Sprint(p)
	}
	dims := make([]string, len(s.Starts))
	for d, start := range s.Starts {
		step, first, last := 1, 0, backend.SliceEnd
		if d < len(s.Steps) {
			step = s.Steps[d]
		}
		if step < 0 {
			first, last = backend.SliceEnd, -1
		}
		dims[d] = position(start, first) + ":" + position(s.Ends[d], last)
		if step != 1 {
			dims[d] += fmt.Sprint(":", step)
		}
	}
	return "[" + strings.Join(dims, ",") + "]"
}

func actString(a backend.Act) string {
	if a.Alpha == 0 && a.Beta == 0 {
		return a.Kind.String()
	}
	return fmt.Sprintf("%v(%v,%v)", a.Kind, a.Alpha, a.Beta)
}

func epilogueString(e backend.Epilogue) string {
	parts := make([]string, len(e))
	for i, s := range e {
		switch s.Kind {
		case backend.ScaleShift:
			parts[i] = "ScaleShift"
		case backend.Residual:
			parts[i] = "Residual"
		case backend.Activate:
			parts[i] = actString(s.Act)
		}
	}
	return "[" + strings.Join(parts, " ") + "]"
}
