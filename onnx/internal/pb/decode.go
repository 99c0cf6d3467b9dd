package pb

import (
	"errors"
	"fmt"
	"math"
	"unsafe"
)

// Decode decodes a model. Slices of bytes in it are parts of data.
//
// Numbers and strings that occur twice where one is wanted count with their last
// value, as protobuf has it; of messages, such as the graph, a second one is refused,
// because merging them is never what somebody meant.
func Decode(data []byte, lim Limits) (*Model, error) {
	if err := checkSize(int64(len(data)), lim); err != nil {
		return nil, err
	}
	d := newDecoder(data, lim)
	m := &Model{}
	err := d.model(m)
	if err == nil && m.Graph == nil {
		err = d.errorf(0, "", "it has no graph")
	}
	if err != nil {
		// Models begin with their version: what has neither that nor a graph is something
		// else, not a damaged one.
		var fe *FormatError
		if m.Graph == nil && m.IRVersion == 0 && errors.As(err, &fe) {
			fe.Msg = "not an ONNX model: " + fe.Msg
		}
		return nil, err
	}
	return m, nil
}

// DecodeTensor decodes a file of one tensor, as ONNX's tests keep inputs and outputs.
func DecodeTensor(data []byte, lim Limits) (*Tensor, error) {
	if err := checkSize(int64(len(data)), lim); err != nil {
		return nil, err
	}
	d := newDecoder(data, lim)
	t := &Tensor{}
	if err := d.tensor(0, len(data), t); err != nil {
		return nil, within("tensor", err)
	}
	if t.DataType == Undefined {
		return nil, d.errorf(0, "", "not an ONNX tensor: it has no element type")
	}
	return t, nil
}

// checkSize checks the size of a file before anything else.
func checkSize(n int64, lim Limits) error {
	most := min(lim.withDefaults().FileSize, math.MaxInt32)
	switch {
	case n == 0:
		return &FormatError{Msg: "the file is empty"}
	case n > most:
		return &FormatError{Msg: fmt.Sprintf("the file has %d bytes, want at most %d", n, most)}
	}
	return nil
}

func (d *decoder) model(m *Model) error {
	return d.message(0, len(d.file), func(f field) error {
		switch f.num {
		case 1:
			return number(d, f, "ir_version", &m.IRVersion)
		case 2:
			return d.name(f, "producer_name", &m.ProducerName)
		case 3:
			return d.name(f, "producer_version", &m.ProducerVersion)
		case 4:
			return d.name(f, "domain", &m.Domain)
		case 5:
			return number(d, f, "model_version", &m.ModelVersion)
		case 6:
			return d.text(f, "doc_string", &m.Doc)
		case 7:
			if m.Graph != nil {
				return d.errorf(f.at, "graph", "a model has one graph, got a second one")
			}
			g, err := d.graph(f, 0)
			m.Graph = g // also when it is damaged: the file is a model, then
			return wrap("graph", err)
		case 8:
			o, err := d.opset(f)
			if err != nil {
				return item("opset_import", len(m.OpsetImports), err)
			}
			m.OpsetImports = append(m.OpsetImports, o)
		case 14:
			return d.keyValue(f, "metadata_props", &m.Metadata)
		case 20:
			m.TrainingInfo++
			return d.body(f, "training_info")
		case 25:
			fn, err := d.function(f)
			if err != nil {
				return item("functions", len(m.Functions), err)
			}
			m.Functions = append(m.Functions, fn)
		}
		return nil
	})
}

// wrap is within for an error that may be nil.
func wrap(elem string, err error) error {
	if err == nil {
		return nil
	}
	return within(elem, err)
}

func (d *decoder) opset(f field) (o Opset, err error) {
	if err = d.list(f, int64(unsafe.Sizeof(o))); err != nil {
		return o, err
	}
	err = d.message(f.lo, f.hi, func(f field) error {
		switch f.num {
		case 1:
			return d.name(f, "domain", &o.Domain)
		case 2:
			return number(d, f, "version", &o.Version)
		}
		return nil
	})
	return o, err
}

func (d *decoder) function(f field) (fn Function, err error) {
	if err = d.list(f, int64(unsafe.Sizeof(fn))); err != nil {
		return fn, err
	}
	err = d.message(f.lo, f.hi, func(f field) error {
		switch f.num {
		case 1:
			return d.name(f, "name", &fn.Name)
		case 10:
			return d.name(f, "domain", &fn.Domain)
		case 13:
			return d.name(f, "overload", &fn.Overload)
		}
		return nil
	})
	return fn, err
}

// list checks that f is a message and counts the memory of a list's element.
func (d *decoder) list(f field, size int64) error {
	if err := d.body(f, ""); err != nil {
		return err
	}
	return d.take(f, "", size)
}

func (d *decoder) keyValue(f field, elem string, dst *[]KeyValue) error {
	var kv KeyValue
	err := d.list(f, int64(unsafe.Sizeof(kv)))
	if err == nil {
		err = d.message(f.lo, f.hi, func(f field) error {
			switch f.num {
			case 1:
				return d.name(f, "key", &kv.Key)
			case 2:
				return d.text(f, "value", &kv.Value)
			}
			return nil
		})
	}
	*dst = append(*dst, kv)
	return item(elem, len(*dst)-1, err)
}

// graph decodes the graph in f, which has depth graphs around it.
func (d *decoder) graph(f field, depth int) (*Graph, error) {
	g := &Graph{}
	if err := d.list(f, int64(unsafe.Sizeof(*g))); err != nil {
		return nil, err
	}
	if depth >= d.lim.Depth {
		return nil, d.errorf(f.at, "", "more than %d graphs within each other", d.lim.Depth)
	}
	return g, d.message(f.lo, f.hi, func(f field) error {
		switch f.num {
		case 1:
			n, err := d.node(f, depth)
			if err != nil {
				return item("node", len(g.Nodes), err)
			}
			g.Nodes = append(g.Nodes, n)
		case 2:
			return d.name(f, "name", &g.Name)
		case 5:
			return d.addTensor(f, "initializer", &g.Initializers)
		case 10:
			return d.text(f, "doc_string", &g.Doc)
		case 11:
			return d.value(f, "input", &g.Inputs)
		case 12:
			return d.value(f, "output", &g.Outputs)
		case 13:
			return d.value(f, "value_info", &g.ValueInfos)
		case 15:
			g.SparseInitializers++
			return d.body(f, "sparse_initializer")
		}
		return nil
	})
}

func (d *decoder) node(f field, depth int) (*Node, error) {
	if err := d.count(f, "", &d.nodes, d.lim.Nodes, "nodes"); err != nil {
		return nil, err
	}
	n := &Node{}
	if err := d.list(f, int64(unsafe.Sizeof(*n))); err != nil {
		return nil, err
	}
	err := d.message(f.lo, f.hi, func(f field) error {
		switch f.num {
		case 1:
			return d.names(f, "input", &n.Inputs, d.lim.NodeArgs)
		case 2:
			return d.names(f, "output", &n.Outputs, d.lim.NodeArgs)
		case 3:
			return d.name(f, "name", &n.Name)
		case 4:
			return d.name(f, "op_type", &n.OpType)
		case 5:
			a, err := d.attr(f, depth)
			if err != nil {
				return item("attribute", len(n.Attrs), err)
			}
			n.Attrs = append(n.Attrs, a)
		case 6:
			return d.text(f, "doc_string", &n.Doc)
		case 7:
			return d.name(f, "domain", &n.Domain)
		case 8:
			return d.name(f, "overload", &n.Overload)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return n, d.attrNames(f, n)
}

// attrNames refuses two attributes of one name: which of them counts is not defined.
func (d *decoder) attrNames(f field, n *Node) error {
	if len(n.Attrs) < 2 {
		return nil
	}
	seen := make(map[string]bool, len(n.Attrs))
	for _, a := range n.Attrs {
		if a.Name != "" && seen[a.Name] {
			return d.errorf(f.at, "", "node %s (%s) has two attributes %s", Quote(n.Name), Word(n.OpType), Quote(a.Name))
		}
		seen[a.Name] = true
	}
	return nil
}

func (d *decoder) attr(at field, depth int) (*Attr, error) {
	if err := d.count(at, "", &d.attrs, d.lim.Attrs, "attributes"); err != nil {
		return nil, err
	}
	a := &Attr{}
	if err := d.list(at, int64(unsafe.Sizeof(*a))); err != nil {
		return nil, err
	}
	err := d.message(at.lo, at.hi, func(f field) error {
		switch f.num {
		case 1:
			return d.name(f, "name", &a.Name)
		case 20:
			return number(d, f, "type", &a.Type)
		case 21:
			return d.name(f, "ref_attr_name", &a.RefAttrName)
		}
		if int(f.num) >= len(attrFields) || attrFields[f.num] == 0 {
			return nil
		}
		kind := attrFields[f.num]
		twice := a.Has(kind)
		a.present |= 1 << kind
		switch kind {
		case AttrFloat:
			return d.float(f, "f", &a.F)
		case AttrInt:
			return number(d, f, "i", &a.I)
		case AttrString:
			return d.bytes(f, "s", &a.S)
		case AttrTensor:
			if twice {
				return d.errorf(f.at, "t", "got a second tensor")
			}
			t, err := d.newTensor(f)
			a.T = t
			return wrap("t", err)
		case AttrGraph:
			if twice {
				return d.errorf(f.at, "g", "got a second graph")
			}
			g, err := d.graph(f, depth+1)
			a.G = g
			return wrap("g", err)
		case AttrFloats:
			return d.floats(f, "floats", &a.Floats)
		case AttrInts:
			return integers(d, f, "ints", &a.Ints)
		case AttrStrings:
			return d.chunks(f, "strings", &a.Strings)
		case AttrTensors:
			return d.addTensor(f, "tensors", &a.Tensors)
		case AttrGraphs:
			g, err := d.graph(f, depth+1)
			if err != nil {
				return item("graphs", len(a.Graphs), err)
			}
			a.Graphs = append(a.Graphs, g)
			return nil
		default: // sparse tensors and types are noted only
			return d.body(f, kind.String())
		}
	})
	if err != nil {
		return nil, err
	}
	return a, d.attrType(at, a)
}

// attrFields maps the numbers of AttributeProto's value fields to their types.
var attrFields = [...]AttrType{
	2: AttrFloat, 3: AttrInt, 4: AttrString, 5: AttrTensor, 6: AttrGraph,
	7: AttrFloats, 8: AttrInts, 9: AttrStrings, 10: AttrTensors, 11: AttrGraphs,
	14: AttrTypeProto, 15: AttrTypeProtos, 22: AttrSparseTensor, 23: AttrSparseTensors,
}

// attrType holds the type of a against its fields, or takes it from them.
func (d *decoder) attrType(f field, a *Attr) error {
	for t := AttrFloat; t <= AttrTypeProtos; t++ {
		switch {
		case !a.Has(t) || a.Type == t:
		case a.Type == AttrUndefined:
			a.Type = t
		default:
			return d.errorf(f.at, "", "attribute %s has a value of type %v beside its type %v, want one", Quote(a.Name), t, a.Type)
		}
	}
	return nil
}

// addTensor appends the tensor in f to *dst.
func (d *decoder) addTensor(f field, elem string, dst *[]*Tensor) error {
	t, err := d.newTensor(f)
	if err != nil {
		return item(elem, len(*dst), err)
	}
	*dst = append(*dst, t)
	return nil
}

func (d *decoder) newTensor(f field) (*Tensor, error) {
	if err := d.count(f, "", &d.tensors, d.lim.Tensors, "tensors"); err != nil {
		return nil, err
	}
	t := &Tensor{}
	if err := d.list(f, int64(unsafe.Sizeof(*t))); err != nil {
		return nil, err
	}
	return t, d.tensor(f.lo, f.hi, t)
}

func (d *decoder) tensor(lo, hi int, t *Tensor) error {
	return d.message(lo, hi, func(f field) error {
		switch f.num {
		case 1:
			if err := integers(d, f, "dims", &t.Dims); err != nil {
				return err
			}
			if len(t.Dims) > d.lim.Rank {
				return d.errorf(f.at, "dims", "got more than %d dims", d.lim.Rank)
			}
		case 2:
			return number(d, f, "data_type", &t.DataType)
		case 3:
			t.Segmented = true
			return d.body(f, "segment")
		case 4:
			return d.floats(f, "float_data", &t.FloatData)
		case 5:
			return integers(d, f, "int32_data", &t.Int32Data)
		case 6:
			return d.chunks(f, "string_data", &t.StringData)
		case 7:
			return integers(d, f, "int64_data", &t.Int64Data)
		case 8:
			return d.name(f, "name", &t.Name)
		case 9:
			return d.bytes(f, "raw_data", &t.Raw)
		case 10:
			return d.doubles(f, "double_data", &t.DoubleData)
		case 11:
			return integers(d, f, "uint64_data", &t.Uint64Data)
		case 12:
			return d.text(f, "doc_string", &t.Doc)
		case 13:
			return d.keyValue(f, "external_data", &t.External)
		case 14:
			return number(d, f, "data_location", &t.DataLocation)
		}
		return nil
	})
}

// value appends the description of a value to *dst.
func (d *decoder) value(f field, elem string, dst *[]*ValueInfo) error {
	v, err := d.valueInfo(f)
	if err != nil {
		return item(elem, len(*dst), err)
	}
	*dst = append(*dst, v)
	return nil
}

func (d *decoder) valueInfo(f field) (*ValueInfo, error) {
	if err := d.count(f, "", &d.values, d.lim.Values, "values"); err != nil {
		return nil, err
	}
	v := &ValueInfo{}
	if err := d.list(f, int64(unsafe.Sizeof(*v))); err != nil {
		return nil, err
	}
	typed := false
	return v, d.message(f.lo, f.hi, func(f field) error {
		switch f.num {
		case 1:
			return d.name(f, "name", &v.Name)
		case 2:
			if typed {
				return d.errorf(f.at, "type", "got a second type")
			}
			typed = true
			return wrap("type", d.typeProto(f, v))
		}
		return nil
	})
}

// typeKinds are the kinds of values by their field numbers in TypeProto.
var typeKinds = [...]ValueKind{1: TensorKind, 4: SequenceKind, 5: MapKind, 7: OpaqueKind, 8: SparseKind, 9: OptionalKind}

func (d *decoder) typeProto(f field, v *ValueInfo) error {
	if err := d.body(f, ""); err != nil {
		return err
	}
	return d.message(f.lo, f.hi, func(f field) error {
		if int(f.num) >= len(typeKinds) || typeKinds[f.num] == NoKind {
			return nil
		}
		kind := typeKinds[f.num]
		if v.Kind != NoKind {
			return d.errorf(f.at, "", "a value has one type, got %v and %v", v.Kind, kind)
		}
		v.Kind = kind
		if kind != TensorKind {
			return d.body(f, kind.String())
		}
		return wrap("tensor_type", d.tensorType(f, v))
	})
}

func (d *decoder) tensorType(f field, v *ValueInfo) error {
	if err := d.body(f, ""); err != nil {
		return err
	}
	return d.message(f.lo, f.hi, func(f field) error {
		switch f.num {
		case 1:
			return number(d, f, "elem_type", &v.ElemType)
		case 2:
			if v.HasShape {
				return d.errorf(f.at, "shape", "got a second shape")
			}
			v.HasShape = true
			return wrap("shape", d.shape(f, v))
		}
		return nil
	})
}

func (d *decoder) shape(f field, v *ValueInfo) error {
	if err := d.body(f, ""); err != nil {
		return err
	}
	return d.message(f.lo, f.hi, func(f field) error {
		if f.num != 1 {
			return nil
		}
		if len(v.Dims) >= d.lim.Rank {
			return d.errorf(f.at, "dim", "got more than %d dims", d.lim.Rank)
		}
		dim, err := d.dim(f)
		if err != nil {
			return item("dim", len(v.Dims), err)
		}
		v.Dims = append(v.Dims, dim)
		return nil
	})
}

func (d *decoder) dim(f field) (dim Dim, err error) {
	if err = d.list(f, int64(unsafe.Sizeof(dim))); err != nil {
		return dim, err
	}
	err = d.message(f.lo, f.hi, func(f field) error {
		switch f.num { // of the two, the last one counts
		case 1:
			dim = Dim{Known: true}
			err := number(d, f, "dim_value", &dim.Value)
			if dim.Value < 0 {
				dim = Dim{}
			}
			return err
		case 2:
			dim = Dim{}
			return d.name(f, "dim_param", &dim.Param)
		}
		return nil
	})
	return dim, err
}
