package pb

import (
	"fmt"
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// Encode returns m in the file format, as one message with fields in the order of
// their numbers: equal models make equal bytes. It fails on what the structs do not
// keep (functions, training steps, sparse tensors, types other than tensors), on
// attributes without a value and on names that are not valid UTF-8.
func Encode(m *Model) ([]byte, error) {
	if m.Graph == nil {
		return nil, fmt.Errorf("the model has no graph")
	}
	if n := len(m.Functions); n > 0 {
		return nil, fmt.Errorf("cannot write the model's %d functions", n)
	}
	if m.TrainingInfo > 0 {
		return nil, fmt.Errorf("cannot write the model's training steps")
	}
	return encode(func(w *writer) { w.model(m) })
}

// EncodeTensor returns t as a file of one tensor.
func EncodeTensor(t *Tensor) ([]byte, error) {
	return encode(func(w *writer) { w.tensor(t) })
}

// encode runs fn twice: to count the bytes and find faults, and to write them.
func encode(fn func(*writer)) ([]byte, error) {
	c := &writer{counting: true}
	fn(c)
	if c.err != nil {
		return nil, c.err
	}
	if c.n > math.MaxInt32 {
		return nil, fmt.Errorf("the model takes %d bytes, want at most %d", c.n, math.MaxInt32)
	}
	w := &writer{buf: make([]byte, 0, c.n)}
	fn(w)
	return w.buf, w.err
}

// A writer appends fields to a message, or only counts their bytes: a message's length
// stands before it, and weights should be copied once.
type writer struct {
	buf      []byte
	n        int
	counting bool
	depth    int // of graphs
	err      error
}

// fail keeps the first error.
func (w *writer) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
	}
}

func (w *writer) tag(num protowire.Number, typ protowire.Type) {
	if w.counting {
		w.n += protowire.SizeTag(num)
		return
	}
	w.buf = protowire.AppendTag(w.buf, num, typ)
}

func (w *writer) varint(v uint64) {
	if w.counting {
		w.n += protowire.SizeVarint(v)
		return
	}
	w.buf = protowire.AppendVarint(w.buf, v)
}

func (w *writer) int(num protowire.Number, v int64) {
	w.tag(num, protowire.VarintType)
	w.varint(uint64(v))
}

func (w *writer) fixed32(v uint32) {
	if w.counting {
		w.n += 4
		return
	}
	w.buf = protowire.AppendFixed32(w.buf, v)
}

func (w *writer) float(num protowire.Number, v float32) {
	w.tag(num, protowire.Fixed32Type)
	w.fixed32(math.Float32bits(v))
}

func (w *writer) bytes(num protowire.Number, b []byte) {
	w.tag(num, protowire.BytesType)
	w.varint(uint64(len(b)))
	if w.counting {
		w.n += len(b)
		return
	}
	w.buf = append(w.buf, b...)
}

// string writes s, also when it is empty.
func (w *writer) string(num protowire.Number, s string) {
	if w.counting && !utf8.ValidString(s) {
		w.fail("cannot write the string %.40q: it is not valid UTF-8", s)
	}
	w.tag(num, protowire.BytesType)
	w.varint(uint64(len(s)))
	if w.counting {
		w.n += len(s)
		return
	}
	w.buf = append(w.buf, s...)
}

// optional writes s if it is not empty.
func (w *writer) optional(num protowire.Number, s string) {
	if s != "" {
		w.string(num, s)
	}
}

// message writes what fn writes as a message. Counting calls fn once, so that every
// message is counted once a message around it.
func (w *writer) message(num protowire.Number, fn func(*writer)) {
	c := &writer{counting: true, depth: w.depth}
	fn(c)
	if w.err == nil {
		w.err = c.err
	}
	w.tag(num, protowire.BytesType)
	w.varint(uint64(c.n))
	if w.counting {
		w.n += c.n
		return
	}
	fn(w)
}

func (w *writer) model(m *Model) {
	w.int(1, m.IRVersion)
	w.optional(2, m.ProducerName)
	w.optional(3, m.ProducerVersion)
	w.optional(4, m.Domain)
	if m.ModelVersion != 0 {
		w.int(5, m.ModelVersion)
	}
	w.optional(6, m.Doc)
	w.message(7, func(w *writer) { w.graph(m.Graph) })
	for _, o := range m.OpsetImports {
		w.message(8, func(w *writer) {
			w.optional(1, o.Domain)
			w.int(2, o.Version)
		})
	}
	w.keyValues(14, m.Metadata)
}

func (w *writer) keyValues(num protowire.Number, list []KeyValue) {
	for _, kv := range list {
		w.message(num, func(w *writer) {
			w.string(1, kv.Key)
			w.string(2, kv.Value)
		})
	}
}

func (w *writer) graph(g *Graph) {
	if w.depth++; w.depth > DefaultLimits.Depth {
		w.fail("more than %d graphs within each other", DefaultLimits.Depth)
		return
	}
	defer func() { w.depth-- }()
	if g.SparseInitializers > 0 {
		w.fail("graph %q: cannot write its %d sparse initializers", g.Name, g.SparseInitializers)
	}
	for _, n := range g.Nodes {
		w.message(1, func(w *writer) { w.node(n) })
	}
	w.optional(2, g.Name)
	for _, t := range g.Initializers {
		w.message(5, func(w *writer) { w.tensor(t) })
	}
	w.optional(10, g.Doc)
	for i, list := range [][]*ValueInfo{g.Inputs, g.Outputs, g.ValueInfos} {
		for _, v := range list {
			w.message(protowire.Number(11+i), func(w *writer) { w.value(v) })
		}
	}
}

func (w *writer) node(n *Node) {
	for _, s := range n.Inputs {
		w.string(1, s)
	}
	for _, s := range n.Outputs {
		w.string(2, s)
	}
	w.optional(3, n.Name)
	w.string(4, n.OpType)
	for _, a := range n.Attrs {
		w.message(5, func(w *writer) { w.attr(n, a) })
	}
	w.optional(6, n.Doc)
	w.optional(7, n.Domain)
	w.optional(8, n.Overload)
}

func (w *writer) attr(n *Node, a *Attr) {
	w.string(1, a.Name)
	if a.RefAttrName == "" {
		w.attrValue(n, a)
	}
	w.int(20, int64(a.Type))
	w.optional(21, a.RefAttrName)
}

// attrValue writes the field that a.Type names. Lists of numbers are not packed here:
// the format's own libraries write them so, and every one reads it.
func (w *writer) attrValue(n *Node, a *Attr) {
	missing := false
	switch a.Type {
	case AttrFloat:
		w.float(2, a.F)
	case AttrInt:
		w.int(3, a.I)
	case AttrString:
		w.bytes(4, a.S)
	case AttrTensor:
		if missing = a.T == nil; !missing {
			w.message(5, func(w *writer) { w.tensor(a.T) })
		}
	case AttrGraph:
		if missing = a.G == nil; !missing {
			w.message(6, func(w *writer) { w.graph(a.G) })
		}
	case AttrFloats:
		for _, v := range a.Floats {
			w.float(7, v)
		}
	case AttrInts:
		for _, v := range a.Ints {
			w.int(8, v)
		}
	case AttrStrings:
		for _, s := range a.Strings {
			w.bytes(9, s)
		}
	case AttrTensors:
		for _, t := range a.Tensors {
			w.message(10, func(w *writer) { w.tensor(t) })
		}
	case AttrGraphs:
		for _, g := range a.Graphs {
			w.message(11, func(w *writer) { w.graph(g) })
		}
	default:
		missing = true
	}
	if missing {
		w.fail("node %q (%s): attribute %q of type %v: no value that can be written", n.Name, n.OpType, a.Name, a.Type)
	}
}

func (w *writer) tensor(t *Tensor) {
	if t.Segmented {
		w.fail("tensor %q: cannot write a part of a tensor", t.Name)
	}
	for _, d := range t.Dims {
		w.int(1, d)
	}
	w.int(2, int64(t.DataType))
	if len(t.FloatData) > 0 {
		w.packed(4, len(t.FloatData), func(w *writer, i int) { w.fixed32(math.Float32bits(t.FloatData[i])) })
	}
	if len(t.Int32Data) > 0 {
		w.packed(5, len(t.Int32Data), func(w *writer, i int) { w.varint(uint64(int64(t.Int32Data[i]))) })
	}
	for _, s := range t.StringData {
		w.bytes(6, s)
	}
	if len(t.Int64Data) > 0 {
		w.packed(7, len(t.Int64Data), func(w *writer, i int) { w.varint(uint64(t.Int64Data[i])) })
	}
	w.optional(8, t.Name)
	if t.Raw != nil {
		w.bytes(9, t.Raw)
	}
	if len(t.DoubleData) > 0 {
		w.packed(10, len(t.DoubleData), func(w *writer, i int) {
			if w.counting {
				w.n += 8
				return
			}
			w.buf = protowire.AppendFixed64(w.buf, math.Float64bits(t.DoubleData[i]))
		})
	}
	if len(t.Uint64Data) > 0 {
		w.packed(11, len(t.Uint64Data), func(w *writer, i int) { w.varint(t.Uint64Data[i]) })
	}
	w.optional(12, t.Doc)
	w.keyValues(13, t.External)
	if t.DataLocation != 0 {
		w.int(14, int64(t.DataLocation))
	}
}

// packed writes n numbers as one field.
func (w *writer) packed(num protowire.Number, n int, one func(w *writer, i int)) {
	w.message(num, func(w *writer) {
		for i := range n {
			one(w, i)
		}
	})
}

func (w *writer) value(v *ValueInfo) {
	w.string(1, v.Name)
	switch v.Kind {
	case NoKind:
		return
	case TensorKind:
	default:
		w.fail("value %q: cannot write its type, a %v", v.Name, v.Kind)
		return
	}
	w.message(2, func(w *writer) { // TypeProto
		w.message(1, func(w *writer) { // tensor_type
			w.int(1, int64(v.ElemType))
			if v.HasShape {
				w.message(2, func(w *writer) {
					for _, dim := range v.Dims {
						w.message(1, func(w *writer) { w.dim(dim) })
					}
				})
			}
		})
	})
}

func (w *writer) dim(dim Dim) {
	if dim.Known {
		w.int(1, dim.Value)
	} else {
		w.optional(2, dim.Param)
	}
}
