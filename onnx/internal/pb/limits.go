package pb

import "math"

// Limits bound what [Decode] accepts and the memory that it takes. A field that is 0
// has the value of [DefaultLimits].
type Limits struct {
	FileSize int64 // bytes of the file
	Memory   int64 // bytes taken beside the file's own; it is also bounded by the file's size
	Nodes    int   // of all graphs
	Attrs    int   // of all nodes
	Tensors  int   // initializers and tensors in attributes
	Values   int   // inputs, outputs and other described values
	NodeArgs int   // inputs, and outputs, of a node
	Rank     int   // dims of a tensor or of a value's shape
	NameLen  int   // bytes of a name
	Depth    int   // graphs within graphs
	Elems    int64 // numbers and strings in typed fields, all together
}

// DefaultLimits are far above what real models have. The file's size is bounded as
// protobuf's own libraries do.
var DefaultLimits = Limits{
	FileSize: math.MaxInt32,
	Memory:   1 << 30,
	Nodes:    1 << 17,
	Attrs:    1 << 19,
	Tensors:  1 << 17,
	Values:   1 << 19,
	NodeArgs: 1 << 14,
	Rank:     32,
	NameLen:  1 << 14,
	Depth:    16,
	Elems:    1 << 27,
}

// withDefaults fills in the fields that are 0.
func (l Limits) withDefaults() Limits {
	fill(&l.FileSize, DefaultLimits.FileSize)
	fill(&l.Memory, DefaultLimits.Memory)
	fill(&l.Nodes, DefaultLimits.Nodes)
	fill(&l.Attrs, DefaultLimits.Attrs)
	fill(&l.Tensors, DefaultLimits.Tensors)
	fill(&l.Values, DefaultLimits.Values)
	fill(&l.NodeArgs, DefaultLimits.NodeArgs)
	fill(&l.Rank, DefaultLimits.Rank)
	fill(&l.NameLen, DefaultLimits.NameLen)
	fill(&l.Depth, DefaultLimits.Depth)
	fill(&l.Elems, DefaultLimits.Elems)
	return l
}

func fill[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}
