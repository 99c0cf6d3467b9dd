package pb

// A Model is a file (ModelProto).
type Model struct {
	IRVersion       int64
	ProducerName    string
	ProducerVersion string
	Domain          string
	ModelVersion    int64
	Doc             string
	Graph           *Graph // never nil in a decoded model
	OpsetImports    []Opset
	Metadata        []KeyValue

	// What is noted and not kept; a model that has it cannot be encoded.
	Functions    []Function
	TrainingInfo int // number of training steps
}

// An Opset is the version of the operators of a domain that a model relies on.
type Opset struct {
	Domain  string // "" is ONNX's own
	Version int64
}

// A KeyValue is an entry of the format's lists of pairs.
type KeyValue struct{ Key, Value string }

// A Function names a function that the model defines for itself; its body is not kept.
type Function struct{ Domain, Name, Overload string }

// A Graph is a network: nodes that read and make named values (GraphProto).
type Graph struct {
	Name         string
	Doc          string
	Nodes        []*Node
	Initializers []*Tensor
	Inputs       []*ValueInfo // with an IR version below 4, initializers are among them
	Outputs      []*ValueInfo
	ValueInfos   []*ValueInfo

	SparseInitializers int // their number: noted and not kept
}

// A Node applies an operator (NodeProto). The empty name in Inputs or Outputs is an
// optional one that is left out.
type Node struct {
	Name     string
	OpType   string
	Domain   string
	Overload string
	Inputs   []string
	Outputs  []string
	Attrs    []*Attr
	Doc      string
}

// Attr returns the attribute of that name, or nil.
func (n *Node) Attr(name string) *Attr {
	for _, a := range n.Attrs {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// An Attr is an attribute of a node (AttributeProto). The field that Type names holds
// its value; a decoded one has no other. Files of the first IR version have no types:
// there, Type is that of the field that is present.
type Attr struct {
	Name        string
	RefAttrName string // within functions: the function's attribute that has the value
	Type        AttrType
	F           float32
	I           int64
	S           []byte
	T           *Tensor
	G           *Graph
	Floats      []float32
	Ints        []int64
	Strings     [][]byte
	Tensors     []*Tensor
	Graphs      []*Graph

	// present has a bit for each AttrType whose field the file has.
	present uint16
}

// Has reports whether the file has a field of that type, which encoders may leave out
// where the value is 0 or empty.
func (a *Attr) Has(t AttrType) bool { return t > 0 && t < 16 && a.present&(1<<t) != 0 }

// A Tensor is a tensor with its values (TensorProto). They are in Raw, or in the field
// for their type, or in a file of their own that External describes.
type Tensor struct {
	Name     string
	Doc      string
	DataType DataType
	Dims     []int64

	Raw        []byte // little endian; a part of the file's bytes; nil when absent
	FloatData  []float32
	Int32Data  []int32 // also the narrower integers, bool, and the bits of float16 and bfloat16
	StringData [][]byte
	Int64Data  []int64
	DoubleData []float64
	Uint64Data []uint64 // also uint32

	External     []KeyValue // keys location, offset, length, checksum
	DataLocation int32      // 1: in the file that External names

	// Segmented tells that the file has only a part of the tensor, as no known program
	// writes it.
	Segmented bool
}

// External data is marked by this value of Tensor.DataLocation.
const LocationExternal = 1

// A ValueInfo is what a graph says of a value's type (ValueInfoProto).
type ValueInfo struct {
	Name     string
	Kind     ValueKind
	ElemType DataType // of a tensor
	HasShape bool     // false: not even the rank is known
	Dims     []Dim
}

// A Dim is a dim of a value's shape: a number if Known, else a symbol, or nothing if
// Param is empty. Some programs write a negative number for a dim that they do not
// know, which is decoded as such.
type Dim struct {
	Value int64
	Param string
	Known bool
}
