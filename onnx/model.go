package onnx

import (
	"context"
	"errors"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
)

// Model is a loaded and checked ONNX file. It is not changed by anything, and may be
// used from many goroutines.
type Model struct{}

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

// NodeInfo describes a node of a file.
type NodeInfo struct {
	Name    string // as in the file, or "Op(output)" where it has none
	Op      string // as "Conv"
	Domain  string // "" is ONNX's own
	Version int    // of the op: the last at or before the model's opset that changed it
	In, Out []string
}

// Load reads the file at path, and its external data from the same folder. A file
// that cannot be read gives an [fs.PathError]; one that is damaged, wrong or not supported
// a [*RefusedError].
func Load(path string, opts ...LoadOption) (*Model, error) { return nil, errors.New("onnx: not yet") }

// Read is [Load] of a model without external data from memory. The data must not
// change as long as the model is in use.
func Read(data []byte, opts ...LoadOption) (*Model, error) { return nil, errors.New("onnx: not yet") }

// LoadOption changes how a file is read.
type LoadOption func(*loadOptions)

type loadOptions struct{}

// Info returns what the file says about itself.
func (m *Model) Info() Info { return Info{} }

// Inputs returns the inputs that a run takes, without those that have an initial
// value in the file.
func (m *Model) Inputs() []ValueInfo { return nil }

// Outputs returns the outputs in the order of the file.
func (m *Model) Outputs() []ValueInfo { return nil }

// Nodes returns the nodes in the order in which they are computed.
func (m *Model) Nodes() []NodeInfo { return nil }

// Params returns the number of elements of all constants of the file.
func (m *Model) Params() int64 { return 0 }

// Notes says what is computed otherwise than the file says: types that are converted.
func (m *Model) Notes() []string { return nil }

// Compile makes the model ready for a backend, which must outlive the session. The
// caller owes a Close.
func (m *Model) Compile(ctx context.Context, be backend.Backend, opts ...Option) (*Session, error) {
	return nil, errors.New("onnx: not yet")
}

// Option changes how a model is compiled.
type Option func(*options)

type options struct {
	graph   []graph.CompileOption
	outputs []string
}

// WithGraphOptions passes options on to [graph.Compile].
func WithGraphOptions(opts ...graph.CompileOption) Option {
	return func(o *options) { o.graph = append(o.graph, opts...) }
}

// WithOutputs replaces the model's outputs: each name is that of a value of the file, or of
// a node, which means its first output. A name that there is not is an error of Compile.
func WithOutputs(names ...string) Option {
	return func(o *options) { o.outputs = append(o.outputs, names...) }
}
