package onnx

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// Model is a loaded and checked ONNX file. It is not changed by anything, and may be
// used from many goroutines.
type Model struct {
	info       Info
	inputs     []ValueInfo
	outputs    []ValueInfo
	nodes      []*node
	inits      map[string]initializer
	names      map[string]bool // of all values
	params     int64
	paramBytes int64
	folded     int64 // bytes that the host may compute for a graph, and in a run

	unsupported []Unsupported

	// open tells that one graph serves all inputs that fit; else a graph is made for each
	// set of shapes, and of contents that shapes depend on.
	open bool

	symbols map[string]string // names of open dims; see symbol
	taken   map[string]bool
	tried   map[string]int

	mu    sync.Mutex
	notes []string
	noted map[string]bool
}

// Info is what a file says about itself.
type Info struct {
	Name      string // of the graph
	IRVersion int64
	Opset     int64  // of the default domain
	Producer  string // name and version
	Doc       string
	Metadata  map[string]string
}

// ValueInfo describes an input or output of a model.
type ValueInfo struct {
	Name string
	Type ElemType // the type in the file
	// Shape has a symbol for each dim that is open. It is nil when the file does not
	// say the rank.
	Shape graph.Shape
}

// String returns `"x" float32[N,3,224,224]`.
func (v ValueInfo) String() string {
	if v.Shape == nil {
		return fmt.Sprintf("%s %v of any shape", pb.Quote(v.Name), v.Type)
	}
	return fmt.Sprintf("%s %v%v", pb.Quote(v.Name), v.Type, v.Shape)
}

// NodeInfo describes a node of a file.
type NodeInfo struct {
	Name    string // as in the file, or "Op(output)" where it has none
	Op      string // as "Conv"
	Domain  string // "" is ONNX's own
	Version int    // of the op: the last at or before the model's opset that changed it
	In, Out []string
}

// label names a node in errors.
func (n NodeInfo) label() string { return fmt.Sprintf("%s (%s)", pb.Quote(n.Name), pb.Word(n.Op)) }

// Info returns what the file says about itself.
func (m *Model) Info() Info {
	i := m.info
	i.Metadata = maps.Clone(i.Metadata)
	return i
}

// Inputs returns the inputs that a run takes, without those that have an initial
// value in the file.
func (m *Model) Inputs() []ValueInfo { return slices.Clone(m.inputs) }

// Outputs returns the outputs in the order of the file.
func (m *Model) Outputs() []ValueInfo { return slices.Clone(m.outputs) }

// Nodes returns the nodes in the order in which they are computed.
func (m *Model) Nodes() []NodeInfo {
	list := make([]NodeInfo, len(m.nodes))
	for i, n := range m.nodes {
		list[i] = n.info
	}
	return list
}

// Unsupported returns the nodes that cannot be run; it has none unless
// [WithUnsupported] was given.
func (m *Model) Unsupported() []Unsupported { return slices.Clone(m.unsupported) }

// Notes says what is computed otherwise than the file says: types that are converted.
func (m *Model) Notes() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.notes)
}

// note adds a note, once.
func (m *Model) note(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.noted[text] {
		m.noted[text] = true
		m.notes = append(m.notes, text)
	}
}

// initializer is a constant of the file.
type initializer struct {
	t    *tensor.Tensor
	elem ElemType
	err  error // for a type that is not supported: a fault of the nodes that read it
}

// initializer returns the content of a constant of the file.
func (m *Model) initializer(name string) (*tensor.Tensor, ElemType, error) {
	i, ok := m.inits[name]
	if !ok {
		return nil, 0, fmt.Errorf("value %s is not defined", pb.Quote(name))
	}
	return i.t, i.elem, i.err
}
