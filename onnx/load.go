package onnx

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// The versions that are read.
const (
	minIR, maxIR       = 3, 13
	minOpset, maxOpset = 6, 27
)

// Load reads the file at path, and its external data from the same folder. A file
// that cannot be read gives an [fs.PathError]; one that is damaged, wrong or not
// supported a [*RefusedError].
func Load(path string, opts ...LoadOption) (*Model, error) {
	o := applyLoad(opts)
	data, err := pb.ReadFile(path, o.limits)
	if err != nil {
		var format *pb.FormatError
		if errors.As(err, &format) {
			return nil, &RefusedError{Path: path, Err: err}
		}
		return nil, err
	}
	folder, err := pb.OpenFolder(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	m, err := read(data, folder, o)
	if err != nil {
		return nil, &RefusedError{Path: path, Err: err}
	}
	return m, nil
}

// Read is [Load] of a model without external data from memory. The data must not
// change as long as the model is in use.
func Read(data []byte, opts ...LoadOption) (*Model, error) {
	m, err := read(data, nil, applyLoad(opts))
	if err != nil {
		return nil, &RefusedError{Err: err}
	}
	return m, nil
}

// LoadOption changes how a file is read.
type LoadOption func(*loadOptions)

type loadOptions struct {
	limits      pb.Limits
	unsupported bool
	folded      int64
}

func applyLoad(opts []LoadOption) loadOptions {
	o := loadOptions{limits: pb.DefaultLimits, folded: maxFolded}
	for _, f := range opts {
		if f != nil {
			f(&o)
		}
	}
	return o
}

// WithMaxFileSize refuses files of more than n bytes; the default, and the most, is 2 GiB, as for all of
// protobuf.
func WithMaxFileSize(n int64) LoadOption {
	return func(o *loadOptions) {
		if n > 0 && n < o.limits.FileSize {
			o.limits.FileSize = n
		}
	}
}

// WithUnsupported lets Load return a model with nodes that cannot be run, for a look at
// it: [Model.Unsupported] lists them, and Compile refuses it.
func WithUnsupported() LoadOption {
	return func(o *loadOptions) { o.unsupported = true }
}

// withFolded sets the bytes that the host may compute for a graph.
func withFolded(n int64) LoadOption { return func(o *loadOptions) { o.folded = n } }

func read(data []byte, folder *pb.Folder, o loadOptions) (*Model, error) {
	f, err := pb.Decode(data, o.limits)
	if err != nil {
		return nil, err
	}
	m := &Model{inits: map[string]initializer{}, names: map[string]bool{}, noted: map[string]bool{}, symbols: map[string]string{}, taken: map[string]bool{}, tried: map[string]int{}, folded: o.folded}
	if err := m.header(f); err != nil {
		return nil, err
	}
	order, err := arrange(f.Graph)
	if err != nil {
		return nil, err
	}
	if err := m.constants(f.Graph, folder); err != nil {
		return nil, err
	}
	if err := m.values(f.Graph); err != nil {
		return nil, err
	}
	m.findOps(order, f)
	err = m.try()
	var unsupported *UnsupportedError
	if o.unsupported && errors.As(err, &unsupported) {
		m.unsupported, err = unsupported.Nodes, nil
	}
	if err != nil {
		return nil, err
	}
	m.countParams(f.Graph) // whose tensors have been found right
	return m, nil
}

// header checks the versions.
func (m *Model) header(f *pb.Model) error {
	m.info = Info{Name: f.Graph.Name, IRVersion: f.IRVersion, Producer: strings.TrimSpace(f.ProducerName + " " + f.ProducerVersion), Doc: f.Doc, Metadata: map[string]string{}}
	for _, kv := range f.Metadata {
		m.info.Metadata[kv.Key] = kv.Value
	}
	if f.IRVersion < minIR || f.IRVersion > maxIR {
		return fmt.Errorf("IR version: got %d, want %d to %d", f.IRVersion, minIR, maxIR)
	}
	known := false
	for _, s := range f.OpsetImports {
		if ownDomain(s.Domain) {
			if known && m.info.Opset != s.Version {
				return fmt.Errorf("opset of ONNX's own ops: got both %d and %d", m.info.Opset, s.Version)
			}
			known, m.info.Opset = true, s.Version
		}
	}
	if !known {
		return errors.New("the file does not say which opset it uses")
	}
	if m.info.Opset < minOpset || m.info.Opset > maxOpset {
		return fmt.Errorf("opset: got %d, want %d to %d", m.info.Opset, minOpset, maxOpset)
	}
	if n := f.Graph.SparseInitializers; n > 0 {
		return fmt.Errorf("the graph has %d sparse initializers, which are not supported", n)
	}
	return nil
}

func ownDomain(d string) bool { return d == "" || d == "ai.onnx" }

// constants reads the initializers.
func (m *Model) constants(g *pb.Graph, folder *pb.Folder) error {
	for _, t := range g.Initializers {
		v, notes, err := t.Value(pb.ValueOptions{External: folder})
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			m.inits[t.Name] = initializer{err: &unsupportedError{err.Error()}}
			continue
		case err != nil:
			return err
		}
		for _, n := range notes {
			m.note(fmt.Sprintf("constant %s: %s", pb.Quote(t.Name), n))
		}
		m.inits[t.Name] = initializer{t: v, elem: elemOf(v.DType())}
	}
	return nil
}

// values takes the inputs and outputs in.
func (m *Model) values(g *pb.Graph) error {
	for _, v := range g.Inputs {
		if _, ok := m.inits[v.Name]; ok {
			continue // a default value, which is what runs take
		}
		i, err := m.valueInfo("input", v)
		if err != nil {
			return err
		}
		if i.Type.DType() == 0 {
			return &UnsupportedError{[]Unsupported{{NodeInfo{Name: v.Name, Op: "input"}, fmt.Sprintf("type %v", i.Type)}}}
		}
		if i.Type.Float() && i.Type != Float32 {
			m.note(fmt.Sprintf("input %s: %v is computed in float32", pb.Quote(i.Name), i.Type))
		}
		m.inputs = append(m.inputs, i)
	}
	for _, v := range g.Outputs {
		i, err := m.valueInfo("output", v)
		if err != nil {
			return err
		}
		if i.Type.Float() && i.Type != Float32 {
			m.note(fmt.Sprintf("output %s: %v comes as float32", pb.Quote(i.Name), i.Type))
		}
		m.outputs = append(m.outputs, i)
	}
	return nil
}

func (m *Model) valueInfo(what string, v *pb.ValueInfo) (ValueInfo, error) {
	i := ValueInfo{Name: v.Name, Type: ElemType(v.ElemType)}
	if v.Kind != pb.TensorKind && (v.Kind != pb.NoKind || what == "input") {
		return i, fmt.Errorf("%s %s: got a %v, want a tensor", what, pb.Quote(v.Name), v.Kind)
	}
	if !v.HasShape {
		return i, nil
	}
	i.Shape = make(graph.Shape, len(v.Dims))
	least := make(tensor.Shape, len(v.Dims))
	for k, d := range v.Dims {
		least[k] = 1
		switch {
		case d.Known && d.Value >= 0 && d.Value < 1<<31:
			i.Shape[k] = graph.Static(int(d.Value))
			least[k] = int(d.Value)
		case d.Known && d.Value >= 1<<31:
			return i, fmt.Errorf("%s %s: dim %d: got %d, want a number of 31 bits", what, pb.Quote(v.Name), k, d.Value)
		case d.Param != "":
			i.Shape[k] = graph.Symbol(m.symbol(d.Param, d.Param))
		default:
			name := fmt.Sprintf("%s.%d", v.Name, k)
			i.Shape[k] = graph.Symbol(m.symbol("\x00"+name, name)) // no dim that has the name
		}
	}
	if _, err := least.Elems(); err != nil && what == "input" {
		return i, fmt.Errorf("input %s: %w", pb.Quote(v.Name), err)
	}
	return i, nil
}

// symbol returns a name for an open dim that people can read, another for each key.
func (m *Model) symbol(key, name string) string {
	if s, ok := m.symbols[key]; ok {
		return s
	}
	s := pb.Printable(name)
	for base := s; m.taken[s]; {
		m.tried[base]++
		s = fmt.Sprintf("%s#%d", base, m.tried[base])
	}
	m.symbols[key], m.taken[s] = s, true
	return s
}

// findOps finds the entry of the table for every node, or why there is none.
func (m *Model) findOps(order []*pb.Node, f *pb.Model) {
	functions := map[string]bool{}
	for _, fn := range f.Functions {
		functions[fn.Domain+"."+fn.Name] = true
	}
	for _, p := range order {
		n := &node{Node: p, info: NodeInfo{Name: p.Name, Op: p.OpType, Domain: p.Domain, In: p.Inputs, Out: p.Outputs}}
		if n.info.Name == "" {
			n.info.Name = fmt.Sprintf("%s(%s)", p.OpType, firstOf(p.Outputs))
		}
		if ownDomain(p.Domain) {
			n.info.Domain = ""
		}
		switch o, version := lookup(p.OpType, m.info.Opset); {
		case n.info.Domain != "" && functions[p.Domain+"."+p.OpType]:
			n.missing = "functions that a file defines are not supported"
		case n.info.Domain != "":
			n.missing = "only ONNX's own ops are supported"
		case o == nil:
			n.missing = "there is no such op, or it is not supported"
		case version == 0:
			n.missing = fmt.Sprintf("the op came with opset %d, the file is of opset %d", o.since[0], m.info.Opset)
		default:
			n.op, n.info.Version = o, version
		}
		m.nodes = append(m.nodes, n)
		for _, name := range p.Outputs {
			m.names[name] = true
		}
	}
	for _, v := range m.inputs {
		m.names[v.Name] = true
	}
	for name := range m.inits {
		m.names[name] = true
	}
}

func firstOf(names []string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return ""
}

// try adds the whole file to a graph as far as that can be done without inputs, to find
// what is wrong before a run does, and whether one graph serves all inputs.
func (m *Model) try() error {
	shapes := make([]graph.Shape, len(m.inputs))
	symbolic, onlyBatch, batch := false, true, ""
	for i, v := range m.inputs {
		shapes[i] = v.Shape
		for k, d := range v.Shape {
			if _, static := d.Size(); !static {
				onlyBatch = onlyBatch && k == 0 && len(v.Shape) > 1 && (!symbolic || d.String() == batch)
				symbolic, batch = true, d.String()
			}
		}
	}
	b, err := m.tryShapes(shapes)
	var unsupported *UnsupportedError
	switch {
	case err == nil:
		m.open = len(b.rest) == 0
		return nil
	case errors.As(err, &unsupported) || !symbolic:
		return err
	case errors.Is(err, errShapes), onlyBatch:
		// What stands for the batch may not suit the network, where 1 does, or, if the first
		// dim is no batch, the size of another dim.
		for _, batch := range m.sizesToTry() {
			small := make([]graph.Shape, len(shapes))
			for i, s := range shapes {
				small[i] = withoutSymbols(s, batch)
			}
			if _, err = m.tryShapes(small); err == nil || errors.As(err, &unsupported) {
				break
			}
		}
		if err != nil && (onlyBatch || errors.As(err, &unsupported)) {
			return err
		}
	}
	if err != nil {
		m.note(fmt.Sprintf("whether the network fits together depends on the sizes of its inputs, and will be known when it runs: %v", err))
	}
	return nil
}

// sizesToTry returns sizes of an open first dim with one of which a model is likely to work.
func (m *Model) sizesToTry() []int {
	list := []int{1, 224}
	add := func(s tensor.Shape) {
		for _, n := range s {
			if len(list) < 8 && !slices.Contains(list, n) {
				list = append(list, n)
			}
		}
	}
	for _, v := range m.inputs {
		for _, d := range v.Shape {
			if n, static := d.Size(); static {
				add(tensor.Shape{n})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.inits)) {
		if t := m.inits[name].t; t != nil {
			add(t.Shape())
		}
	}
	for _, n := range m.nodes {
		for _, a := range n.Attrs {
			if n.OpType == "Constant" && a.T != nil && len(a.T.Dims) <= tensor.MaxRank {
				for _, d := range a.T.Dims {
					if d > 0 && d < 1<<31 {
						add(tensor.Shape{int(d)})
					}
				}
			}
		}
	}
	return list
}

// withoutSymbols puts the size for an open batch and 224 for other open dims.
func withoutSymbols(s graph.Shape, batch int) graph.Shape {
	if s == nil {
		return nil
	}
	t := make(graph.Shape, len(s))
	for k, d := range s {
		t[k] = d
		if _, static := d.Size(); !static {
			t[k] = graph.Static(224)
			if k == 0 {
				t[k] = graph.Static(batch)
			}
		}
	}
	return t
}

func (m *Model) tryShapes(shapes []graph.Shape) (*builder, error) {
	b := newBuilder(m)
	for i, v := range m.inputs {
		b.input(v, shapes[i], nil)
	}
	if err := b.add(m.nodes); err != nil {
		return nil, err
	}
	_, err := b.outputs(m.outputs)
	return b, err
}
