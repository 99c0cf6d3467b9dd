package onnx

import (
	"fmt"
	"maps"
	"math"
	"strings"

	"github.com/convgl/convgl/onnx/internal/pb"
)

// anyModel makes models of any nodes, as bytes decide: of ops of the table with what
// the schemas say of them, which mostly fits together, and at times not.
type anyModel struct {
	data   []byte
	huge   bool // sizes and numbers that no machine has memory for, too
	values map[byte][]string
	g      *pb.Graph
	names  int
	ops    []string
	fits   func(*pb.Model) bool // if set, nodes that do not fit are mostly left out
}

// next returns a number from 0 to n−1.
func (a *anyModel) next(n int) int {
	if len(a.data) == 0 || n <= 1 {
		return 0
	}
	b := int(a.data[0])
	a.data = a.data[1:]
	return b % n
}

// one is true once in n times.
func (a *anyModel) one(n int) bool { return a.next(n) == n-1 }

func (a *anyModel) name() string {
	a.names++
	return fmt.Sprintf("v%d", a.names)
}

// build makes a model of the bytes.
func (a *anyModel) build() *pb.Model {
	a.g = &pb.Graph{Name: "any"}
	a.values = map[byte][]string{}
	opset := []int64{6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 21, 22, 24, 27}[a.next(18)]
	for range 1 + a.next(3) {
		a.input()
	}
	m := &pb.Model{IRVersion: 8, Graph: a.g, OpsetImports: []pb.Opset{{Version: opset}}}
	for range 1 + a.next(12) {
		a.grow(m)
	}
	last := a.g.Nodes[len(a.g.Nodes)-1]
	a.g.Outputs = nil
	outputs := []string{last.Outputs[0]}
	if all := a.values['a']; a.one(2) {
		outputs = append(outputs, all[a.next(len(all))])
	}
	for i, name := range outputs {
		if i == 0 || name != outputs[0] {
			a.g.Outputs = append(a.g.Outputs, &pb.ValueInfo{Name: name, Kind: pb.TensorKind, ElemType: pb.Float})
		}
	}
	return m
}

// grow adds a node, and takes it away again where it does not fit.
func (a *anyModel) grow(m *pb.Model) {
	g, ops, values := *a.g, a.ops, maps.Clone(a.values)
	a.node()
	out := a.g.Nodes[len(a.g.Nodes)-1].Outputs[0]
	a.g.Outputs = []*pb.ValueInfo{{Name: out, Kind: pb.TensorKind, ElemType: pb.Float}}
	if a.fits != nil && len(g.Nodes) > 0 && !a.one(32) && !a.fits(m) {
		*a.g, a.ops, a.values = g, ops, values
	}
}

// add makes a value known under letters of the schemas.
func (a *anyModel) add(letters string, name string) string {
	for _, l := range []byte(letters + "a") {
		a.values[l] = append(a.values[l], name)
	}
	return name
}

// small returns a number as sizes, axes and pads are.
func (a *anyModel) small() int64 {
	if a.huge && a.one(12) {
		return []int64{1 << 10, 1 << 16, 1 << 20, 1 << 28, 1<<31 - 1, 1 << 31, 1 << 33, 1 << 40, 1 << 62, math.MaxInt64, math.MinInt64, -1 << 31}[a.next(12)]
	}
	return []int64{1, 2, 0, -1, 3, 4, 1, 2, 5, -2, -3, 6, 7}[a.next(13)]
}

func (a *anyModel) smalls() []int64 {
	v := make([]int64, []int{2, 4, 1, 3, 0, 2, 4, 6, 8}[a.next(9)])
	mode := a.next(4)
	for i := range v {
		switch {
		case mode == 0:
			v[i] = 1
		case mode == 1:
			v[i] = int64(i)
		default:
			v[i] = a.small()
		}
	}
	if a.huge && a.one(64) {
		v = make([]int64, 5000)
	}
	return v
}

func (a *anyModel) number() float32 {
	if a.one(16) {
		return []float32{0.5, float32(math.Inf(1)), float32(math.NaN()), -0.25, 1e-30, 1e5, float32(math.Inf(-1)), 0.1}[a.next(8)]
	}
	return float32(a.next(9)) - 4
}

// shapes of images fit the weights, so that chains become long.
var (
	imageShapes  = [][]int64{{1, 4, 5, 5}, {2, 4, 3, 4}, {1, 4, 6}, {1, 4, 3, 3, 3}, {1, 4, 1, 1}, {4, 4}, {1, 4, 0, 3}}
	weightShapes = [][]int64{{4, 4, 3, 3}, {4, 4, 1, 1}, {4, 1, 3, 3}, {4, 2, 2, 2}, {8, 4, 3, 3}, {4, 4, 3}, {4, 4, 2, 2, 2}, {4, 4}}
	otherShapes  = [][]int64{{4}, {}, {1}, {2, 3}, {4, 4}, {0}, {1, 4, 1, 1}, {2, 1, 3}, {3, 0, 2}, {1, 1, 1, 1, 1, 1, 1, 2}, {4, 2}, {5}}
)

// input adds an input of the model.
func (a *anyModel) input() {
	elem := []ElemType{Float32, Float32, Float32, Int64, Int32, Bool, Uint8, Float64, Float16}[a.next(9)]
	shape := imageShapes[a.next(len(imageShapes))]
	if a.one(3) {
		shape = otherShapes[a.next(len(otherShapes))]
	}
	v := &pb.ValueInfo{Name: a.name(), Kind: pb.TensorKind, ElemType: pb.DataType(elem), HasShape: !a.one(32)}
	for i, d := range shape {
		dim := pb.Dim{Value: d, Known: true}
		switch {
		case i == 0 && a.one(3):
			dim = pb.Dim{Param: "N"}
		case a.one(8):
			dim = pb.Dim{Param: []string{"H", "W", "N", ""}[a.next(4)]}
		case a.huge && a.one(16):
			dim.Value = a.small()
		}
		v.Dims = append(v.Dims, dim)
	}
	a.g.Inputs = append(a.g.Inputs, v)
	letters := map[ElemType]string{Int64: "n", Int32: "n", Bool: "b", Uint8: ""}
	l, ok := letters[elem]
	if !ok {
		l = "f"
		if len(shape) > 2 {
			l = "fx"
		}
	}
	a.add(l, v.Name)
}

// constant makes a constant of a letter.
func (a *anyModel) constant(letter byte) string {
	t := &pb.Tensor{Name: a.name()}
	switch letter {
	case 'i', 'k', 'n':
		v := a.smalls()
		if letter == 'k' {
			v = []int64{a.small()}
		}
		if letter == 'n' && a.one(4) {
			t.DataType, t.Dims = pb.Int32, []int64{int64(len(v))}
			for _, x := range v {
				t.Int32Data = append(t.Int32Data, int32(x))
			}
			break
		}
		t.DataType, t.Dims, t.Int64Data = pb.Int64, []int64{int64(len(v))}, v
		if len(v) == 4 && a.one(4) {
			t.Dims = []int64{2, 2}
		}
		if len(v) == 1 && a.one(2) {
			t.Dims = []int64{}
		}
	case 'b':
		t.DataType, t.Dims, t.Int32Data = pb.Bool, []int64{4}, []int32{int32(a.next(2)), 1, int32(a.next(2)), 0}
		if a.one(2) {
			t.Dims, t.Int32Data = nil, t.Int32Data[:1]
		}
	default:
		t.DataType = pb.Float
		switch letter {
		case 's':
		case 'c':
			t.Dims = []int64{4}
		case 'w':
			t.Dims = weightShapes[a.next(len(weightShapes))]
		case 'x':
			t.Dims = imageShapes[a.next(len(imageShapes))]
		default:
			t.Dims = otherShapes[a.next(len(otherShapes))]
		}
		n := int64(1)
		for _, d := range t.Dims {
			n *= d
		}
		first, step := a.number(), float32(a.next(3))
		for i := range n {
			t.FloatData = append(t.FloatData, first+step*float32(i%5-2))
		}
	}
	if a.g.Initializers = append(a.g.Initializers, t); letter == 'n' || letter == 'b' {
		a.add(string(letter), t.Name)
	}
	return t.Name
}

// node adds a node.
func (a *anyModel) node() {
	o := table[a.next(len(table))]
	s := schemas[o.name]
	n := &pb.Node{OpType: o.name}
	for i, letter := range []byte(s.inputs(1 + a.next(4))) {
		if letter >= 'A' && letter <= 'Z' {
			if letter += 'a' - 'A'; a.one(2) {
				if n.Inputs = append(n.Inputs, ""); a.one(2) {
					n.Inputs = n.Inputs[:i]
					break
				}
				continue
			}
		}
		known := a.values[letter]
		switch {
		case a.one(32):
			known = a.values['a']
		case letter == 'a' && a.one(3), strings.IndexByte("ikwcs", letter) >= 0 && !a.one(16):
			known = nil
			if letter == 'a' {
				letter = "fnb"[a.next(3)]
			}
		}
		switch {
		case a.one(64):
			n.Inputs = append(n.Inputs, "")
		case len(known) == 0 || a.one(8):
			n.Inputs = append(n.Inputs, a.constant(letter))
		default:
			n.Inputs = append(n.Inputs, known[len(known)-1-a.next(min(len(known), 4))])
		}
	}
	for _, spec := range s.attrs() {
		if a.one(2) {
			n.Attrs = append(n.Attrs, a.attr(spec))
		}
	}
	for i := range s.out {
		switch {
		case i == 0 && !a.one(32) || i > 0 && a.one(2):
			n.Outputs = append(n.Outputs, a.name())
		case i == 0:
			n.Outputs = append(n.Outputs, "")
		}
	}
	if len(n.Outputs) == 0 || n.Outputs[0] == "" && len(n.Outputs) == 1 {
		n.Outputs = []string{a.name()}
	}
	letters := "f"
	switch {
	case strings.Contains("Equal Less LessOrEqual Greater GreaterOrEqual And Or Xor Not", o.name):
		letters = "b"
	case strings.Contains("Shape Size ArgMax ArgMin NonZero Range BitwiseAnd BitwiseOr", o.name):
		letters = "ni"
	case strings.HasPrefix(s.in, "x"), strings.HasPrefix(s.in, "f"):
		letters = "fx"
	}
	for _, name := range n.Outputs {
		if name != "" {
			a.add(letters, name)
		}
	}
	if n.Outputs[0] == "" {
		n.Outputs[0] = a.name()
	}
	a.g.Nodes = append(a.g.Nodes, n)
	a.ops = append(a.ops, o.name)
}

// attr makes an attribute.
func (a *anyModel) attr(spec attrSpec) *pb.Attr {
	x := &pb.Attr{Name: spec.name, Type: spec.typ}
	if a.one(64) {
		x.Type = pb.AttrType(1 + a.next(3))
	}
	switch x.Type {
	case pb.AttrInt:
		if x.I = a.small(); spec.name == "to" && !a.one(8) {
			x.I = []int64{1, 6, 7, 9, 2, 10, 11, 16, 3}[a.next(9)]
		}
	case pb.AttrInts:
		x.Ints = a.smalls()
	case pb.AttrFloat:
		x.F = a.number()
	case pb.AttrFloats:
		for range a.next(5) {
			x.Floats = append(x.Floats, a.number())
		}
	case pb.AttrString:
		if x.S = []byte("wrong"); len(spec.choices) > 0 && !a.one(32) {
			x.S = []byte(spec.choices[a.next(len(spec.choices))])
		}
	case pb.AttrStrings:
		x.Strings = [][]byte{[]byte("s")}
	case pb.AttrTensor:
		x.T = &pb.Tensor{DataType: pb.Float, Dims: []int64{1}, FloatData: []float32{a.number()}}
		if a.one(2) {
			x.T = &pb.Tensor{DataType: pb.Int64, Dims: []int64{1}, Int64Data: []int64{a.small()}}
		}
	}
	return x
}
