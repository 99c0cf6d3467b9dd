package cnn

import (
	"errors"
	"fmt"
	"strings"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// Scope is a layer's place in a network under construction: what the layer adds
// there is named after it.
//
// After the first error a scope's methods do nothing and return nil, and the
// network fails with that error; a Build needs to look only where it uses a
// value itself. [Scope.Dim] takes a nil value.
type Scope struct {
	b   *builder
	rec *record
}

// builder makes a graph of layers.
type builder struct {
	g       *graph.Graph
	store   *store
	records []*record // in the order of their making
	byPath  map[string]*record
	known   map[*graph.Value]bool // inputs, constants and outputs of nodes
	inputs  map[string]bool       // their names
	err     error
}

// record is what a layer has added.
type record struct {
	path, kind string
	called     bool // by Call
	out        *graph.Value
	nodes      []*graph.Node
	params     []*entry
	values     []*graph.Value // of params
}

func newBuilder(name string, st *store) *builder {
	return &builder{g: graph.New(name), store: st, byPath: map[string]*record{}, known: map[*graph.Value]bool{}, inputs: map[string]bool{}}
}

// input adds an input.
func (b *builder) input(name string, shape graph.Shape) (*graph.Value, error) {
	v, err := b.g.Input(name, tensor.Float32, shape)
	if err != nil {
		return nil, fmt.Errorf("cnn: net %q: %w", b.g.Name, err)
	}
	b.known[v], b.inputs[name] = true, true
	return v, nil
}

// errForeign is the fault of a value that another build has made: it has a producer in
// a graph that is gone.
var errForeign = errors.New("the value is not of this network (a layer must not keep values from one Build to the next)")

// scope returns the scope at a path.
func (b *builder) scope(path string) *Scope {
	r := b.byPath[path]
	if r == nil {
		r = &record{path: path}
		b.records = append(b.records, r)
		b.byPath[path] = r
	}
	return &Scope{b, r}
}

// Name returns the full name of the layer, as "layer1.0.conv1"; that of the
// network's own scope is "".
func (s *Scope) Name() string {
	if s.none() {
		return ""
	}
	return s.rec.path
}

// none reports a scope that no network has made: it has an error from the beginning.
func (s *Scope) none() bool { return s == nil || s.b == nil }

var errNoScope = errors.New("cnn: the scope is not of a network (New and NewNet call Build)")

// Err returns the first error of the network so far.
func (s *Scope) Err() error {
	if s.none() {
		return errNoScope
	}
	return s.b.err
}

// Fail makes err the error of the network, unless it has one.
func (s *Scope) Fail(err error) {
	if s.Err() == nil && err != nil {
		s.b.err = inLayer(s.rec.path, s.rec.kind, err)
	}
}

// Sub returns the scope "name" in s.
func (s *Scope) Sub(name string) *Scope {
	if s.none() {
		return s
	}
	if name == "" {
		s.Fail(errors.New("a layer in it has no name"))
	}
	return s.b.scope(s.join(name))
}

func (s *Scope) join(name string) string {
	if s.rec.path == "" {
		return name
	}
	return s.rec.path + "." + name
}

// Call applies a layer under a name and returns its output. It fails when the name
// is taken or empty, the layer is nil, or its Build fails.
func (s *Scope) Call(name string, l Layer, x ...*graph.Value) *graph.Value {
	if s.Err() != nil {
		return nil
	}
	sub := s.Sub(name)
	if isNil(l) {
		sub.Fail(errNilLayer)
	}
	if sub.rec.called {
		sub.Fail(errors.New("there is a layer of this name"))
	}
	if s.b.inputs[sub.rec.path] {
		sub.rec.kind = kindOf(l)
		sub.Fail(errors.New("an input of the network has this name"))
	}
	for i, v := range x {
		if v == nil {
			sub.Fail(fmt.Errorf("input %d is nil", i))
		}
	}
	if s.Err() != nil {
		return nil
	}
	sub.rec.kind, sub.rec.called = l.Kind(), true
	v, err := l.Build(sub, x...)
	if err == nil && v == nil {
		err = errors.New("Build returned no value")
	}
	if err == nil && s.Err() == nil && !s.b.known[v] {
		err = errForeign
	}
	sub.Fail(err)
	if s.Err() != nil {
		return nil
	}
	sub.rec.out = v
	return v
}

var errNilLayer = errors.New("the layer is nil")

// kindOf returns the kind of a layer, "" of a nil one.
func kindOf(l Layer) string {
	if isNil(l) {
		return ""
	}
	return l.Kind()
}

// isNil also sees a nil layer within Named.
func isNil(l Layer) bool {
	n, ok := l.(named)
	return l == nil || ok && isNil(n.Layer)
}

// Apply adds an op and returns its first output. The node has the layer's name;
// further ones of the layer have a number behind it.
func (s *Scope) Apply(op backend.Op, x ...*graph.Value) *graph.Value {
	if s.Err() != nil {
		return nil
	}
	for i, v := range x {
		if v != nil && !s.b.known[v] {
			s.Fail(fmt.Errorf("input %d: %w", i, errForeign))
			return nil
		}
	}
	n, err := s.b.g.Apply(s.nodeName(), op, x...)
	if err != nil {
		s.Fail(withShapes(err, x))
		return nil
	}
	for _, v := range n.Out() {
		s.b.known[v] = true
	}
	s.rec.nodes = append(s.rec.nodes, n)
	s.rec.out = n.Out()[0]
	return s.rec.out
}

// nodeName names the layer's next node.
func (s *Scope) nodeName() string {
	name := s.rec.path
	if name == "" {
		name = "net"
	}
	if n := len(s.rec.nodes); n > 0 {
		name = fmt.Sprintf("%s/%d", name, n+1)
	}
	return name
}

// withShapes adds the shapes of the data inputs to an error, unless it has them all.
func withShapes(err error, x []*graph.Value) error {
	var shapes []string
	named, text := true, err.Error()
	for _, v := range x {
		if v != nil && v.Const() == nil {
			shapes = append(shapes, v.Shape().String())
			named = named && strings.Contains(text, v.Shape().String())
		}
	}
	if named {
		return err
	}
	return fmt.Errorf("%w; the input is %s", err, strings.Join(shapes, " and "))
}

// Param adds a trainable float32 parameter, which the state has as
// "layer.name". It fails when the name is taken or the shape is not valid.
func (s *Scope) Param(name string, init Initializer, shape ...int) *graph.Value {
	if init == nil {
		init = Auto
	}
	return s.state(name, shape, func() *entry {
		return &entry{init: init, trainable: true, dtype: tensor.Float32}
	})
}

// Buffer adds a value that belongs to the state but is not trained, as the running
// mean of a [BatchNorm]. It begins as a copy of t.
func (s *Scope) Buffer(name string, t *tensor.Tensor) *graph.Value {
	if t == nil || t.DType() == tensor.Invalid {
		s.Fail(fmt.Errorf("buffer %q: no tensor", name))
		return nil
	}
	return s.state(name, t.Shape(), func() *entry {
		return &entry{initial: t.Clone(), dtype: t.DType()}
	})
}

// Const adds a constant that is not part of the state. The tensor must not change
// afterwards.
func (s *Scope) Const(name string, t *tensor.Tensor) *graph.Value {
	if s.Err() != nil {
		return nil
	}
	v, err := s.b.g.Const(s.join(name), t)
	if err != nil {
		s.Fail(err)
		return nil
	}
	s.b.known[v] = true
	return v
}

func (s *Scope) state(name string, shape tensor.Shape, make func() *entry) *graph.Value {
	if s.Err() != nil {
		return nil
	}
	if name == "" || strings.Contains(name, ".") {
		s.Fail(fmt.Errorf("parameter %q: want a name without a dot", name))
		return nil
	}
	e, err := s.b.store.entry(s.join(name), shape, make)
	if err != nil {
		s.Fail(fmt.Errorf("parameter %q: %w", name, err))
		return nil
	}
	v, err := s.b.g.Const(e.name, e.value)
	if err != nil {
		s.Fail(err)
		return nil
	}
	s.b.known[v] = true
	s.rec.params, s.rec.values = append(s.rec.params, e), append(s.rec.values, v)
	return v
}

// Dim returns the size of dim i of v, which may be nil after an error. It fails
// when v has no such dim or its size is not known before an input arrives, and
// returns 1 then: parameters cannot depend on it.
func (s *Scope) Dim(v *graph.Value, i int) int {
	if s.Err() != nil {
		return 1
	}
	if v == nil {
		s.Fail(fmt.Errorf("there is no dim %d: the value is nil", i))
		return 1
	}
	if i < 0 || i >= len(v.Shape()) {
		s.Fail(fmt.Errorf("there is no dim %d in x %v", i, v.Shape()))
		return 1
	}
	n, static := v.Shape()[i].Size()
	if !static {
		s.Fail(fmt.Errorf("dim %d of x %v must be a number, as the parameters' shapes depend on it (GlobalAvgPool and AdaptiveAvgPool make dynamic dims known)", i, v.Shape()))
		return 1
	}
	return n
}
