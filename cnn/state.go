package cnn

import (
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// store holds the state of a network, which several views of it may share. Layers
// ask it for their entries whenever they are built. Values are never changed once
// they have been seen: a new value is a new tensor.
type store struct {
	mu      sync.Mutex
	seed    uint64
	entries []*entry // in the order in which the layers are built
	byName  map[string]*entry
	taken   map[string]bool // during one build
	sealed  bool            // after the first build
}

// entry is a parameter or buffer.
type entry struct {
	name      string
	dtype     tensor.DType
	shape     tensor.Shape
	trainable bool
	optional  bool // a state dict may lack it
	init      Initializer
	initial   *tensor.Tensor // where init is nil
	value     *tensor.Tensor // all 0 while pending
	pending   bool           // value is still to be filled
}

// maxParam bounds the elements of one parameter: kernels count in 32 bits.
const maxParam = math.MaxInt32

func checkParamShape(shape tensor.Shape) error {
	for _, n := range shape {
		if n < 1 {
			return fmt.Errorf("got shape %v, want every dim 1 or more", shape)
		}
	}
	if n, err := shape.Elems(); err != nil || n > maxParam {
		return fmt.Errorf("got shape %v, want at most %d elements and rank %d", shape, maxParam, tensor.MaxRank)
	}
	return nil
}

// entry returns the entry of a name, which it makes when a layer first asks.
func (s *store) entry(name string, shape tensor.Shape, create func() *entry) (*entry, error) {
	if s.taken[name] {
		return nil, fmt.Errorf("the name %q is taken", name)
	}
	if err := checkParamShape(shape); err != nil {
		return nil, err
	}
	s.taken[name] = true
	e := s.byName[name]
	if e == nil && s.sealed {
		return nil, fmt.Errorf("there was no %q when the layer was first built", name)
	}
	if e == nil {
		e = create()
		e.name, e.shape, e.pending = name, shape.Clone(), true
		s.entries = append(s.entries, e)
		s.byName[name] = e
	}
	if !e.shape.Equal(shape) {
		return nil, fmt.Errorf("got shape %v, want %v as when it was first built", shape, e.shape)
	}
	if e.value == nil {
		e.value = tensor.Must(tensor.New(e.dtype, e.shape...)) // type and shape are valid
	}
	return e, nil
}

// fill gives every pending entry its first value, on all cores: each has a stream
// of random numbers of its own.
func (s *store) fill() {
	todo := make(chan *entry)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for e := range todo {
				s.fillOne(e)
			}
		})
	}
	for _, e := range s.entries {
		if e.pending {
			todo <- e
		}
	}
	close(todo)
	wg.Wait()
}

func (s *store) fillOne(e *entry) {
	if !e.pending {
		return
	}
	if e.value == nil {
		e.value = tensor.Must(tensor.New(e.dtype, e.shape...))
	}
	if e.init != nil {
		in, out := shapeFans(e.shape)
		e.init.Fill(e.value.Float32s(), in, out, stream(s.seed, e.name))
	} else {
		copy(e.value.Bytes(), e.initial.Bytes())
	}
	e.pending = false
}

// Param is a parameter or buffer of a network. The tensor must not be changed.
type Param struct {
	Name      string // as in PyTorch's state_dict: "layer1.0.conv1.weight"
	Tensor    *tensor.Tensor
	Trainable bool // false for a buffer
}

// Init gives all parameters new first values. Weights are drawn as the option [Init]
// of their layer says; by default, [Auto], those of a layer that a ReLU or one like
// it follows are HeNormal, σ = √(2/fanIn), and others GlorotUniform over
// ±√(6/(fanIn+fanOut)). "Follows" looks past norms, sums, pooling, padding and
// dropout. Biases become 0, scales 1, buffers what they were at first.
//
// The values depend on nothing but the seed, the parameter's name, its shape and
// its initialiser: each has a stream of random numbers of its own, PCG with the seed
// and the 64-bit FNV-1a hash of the name.
//
// Models that are compiled already keep the old values.
//
// Sources: He et al., Delving Deep into Rectifiers, 2015; Glorot and Bengio,
// Understanding the Difficulty of Training Deep Feedforward Neural Networks, 2010.
func (n *Net) Init(seed uint64) {
	n.store.mu.Lock()
	defer n.store.mu.Unlock()
	n.store.seed = seed
	for _, e := range n.store.entries {
		if !e.pending {
			e.value, e.pending = nil, true
		}
	}
}

// Params returns the trainable parameters in the order of the layers.
func (n *Net) Params() []Param { return n.params(true) }

// Buffers returns the state that is not trained, as running means, in the order of
// the layers.
func (n *Net) Buffers() []Param { return n.params(false) }

func (n *Net) params(trainable bool) []Param {
	n.store.mu.Lock()
	defer n.store.mu.Unlock()
	n.store.fill()
	var ps []Param
	for _, e := range n.entries {
		if e.trainable == trainable {
			ps = append(ps, Param{e.name, e.value, e.trainable})
		}
	}
	return ps
}

// Param returns the value of a parameter or buffer. The caller must not change it.
// It fails when there is none of this name.
func (n *Net) Param(name string) (*tensor.Tensor, error) {
	n.store.mu.Lock()
	defer n.store.mu.Unlock()
	e, err := n.lookup(name)
	if err != nil {
		return nil, err
	}
	n.store.fillOne(e)
	return e.value, nil
}

func (n *Net) lookup(name string) (*entry, error) {
	for _, e := range n.entries {
		if e.name == name {
			return e, nil
		}
	}
	return nil, fmt.Errorf("cnn: net %q has no parameter %q (StateDict lists them)", n.name, name)
}

// SetParam gives a parameter or buffer a value, which must have its type and shape
// and must not change afterwards. Models that are compiled already keep the old one.
func (n *Net) SetParam(name string, t *tensor.Tensor) error {
	n.store.mu.Lock()
	defer n.store.mu.Unlock()
	e, err := n.lookup(name)
	if err != nil {
		return err
	}
	if err := e.fits(describeTensor(t)); err != nil {
		return fmt.Errorf("cnn: net %q: parameter %q: %w", n.name, name, err)
	}
	e.value, e.pending = t, false
	return nil
}

// found describes a value that somebody gives.
type found struct {
	dtype tensor.DType
	shape tensor.Shape
	text  string // in the place of a dtype that is tensor.Invalid
}

func describeTensor(t *tensor.Tensor) found {
	if t == nil {
		return found{text: "nil"}
	}
	return found{t.DType(), t.Shape(), tensor.Invalid.String()}
}

func (f found) String() string {
	switch {
	case f.dtype != tensor.Invalid:
		return f.dtype.String() + f.shape.String()
	case f.shape != nil:
		return f.text + f.shape.String()
	}
	return f.text
}

func (e *entry) fits(f found) error {
	if f.dtype != e.dtype || !f.shape.Equal(e.shape) {
		return fmt.Errorf("got %v, want %s%s", f, e.dtype, e.shape)
	}
	return nil
}

// StateDict returns all parameters and buffers by name. The caller must not change
// the tensors.
//
// PyTorch: Module.state_dict.
func (n *Net) StateDict() map[string]*tensor.Tensor {
	n.store.mu.Lock()
	defer n.store.mu.Unlock()
	n.store.fill()
	m := make(map[string]*tensor.Tensor, len(n.entries))
	for _, e := range n.entries {
		m[e.name] = e.value
	}
	return m
}

// LoadStateDict gives all parameters and buffers the values of state, which must
// have these names, types and shapes and no others; only the num_batches_tracked of a
// [BatchNorm] may be missing, and stays as it is. Otherwise it returns a [StateError]
// that lists everything that does not fit, and nothing is changed. The tensors must
// not change afterwards. Models that are compiled already keep the old values.
//
// PyTorch: Module.load_state_dict with strict=True.
func (n *Net) LoadStateDict(state map[string]*tensor.Tensor) error {
	err := n.checkState(slices.Collect(maps.Keys(state)), func(name string) (found, bool) {
		t, ok := state[name]
		return describeTensor(t), ok
	})
	if err != nil {
		return err
	}
	n.store.mu.Lock()
	defer n.store.mu.Unlock()
	for _, p := range n.entries {
		if t, ok := state[p.name]; ok { // or it is optional
			p.value, p.pending = t, false
		}
	}
	return nil
}

// checkState fails with a *StateError unless the names and what get says of them fit.
func (n *Net) checkState(names []string, get func(name string) (found, bool)) error {
	e := &StateError{Net: n.name}
	known := map[string]bool{}
	for _, p := range n.entries {
		known[p.name] = true
		f, ok := get(p.name)
		if !ok && p.optional {
			continue
		}
		if !ok {
			e.Missing = append(e.Missing, p.name)
		} else if err := p.fits(f); err != nil {
			e.Wrong = append(e.Wrong, p.name+": "+err.Error())
		}
	}
	for _, name := range names {
		if !known[name] {
			e.Unknown = append(e.Unknown, name)
		}
	}
	slices.Sort(e.Unknown)
	if len(e.Missing)+len(e.Unknown)+len(e.Wrong) > 0 {
		return e
	}
	return nil
}

// StateError lists how a state dict differs from what a network needs. Its text has
// the first of each list.
type StateError struct {
	Net     string
	Missing []string // names that it lacks, in the order of the layers
	Unknown []string // names that it should not have, sorted
	Wrong   []string // "name: got float32[3], want float32[4]"
}

// mostNames is how many names of a list an error shows: those of another network are
// hundreds.
const mostNames = 8

func (e *StateError) Error() string {
	var parts []string
	for _, p := range []struct {
		what  string
		names []string
	}{{"missing", e.Missing}, {"unknown", e.Unknown}, {"not fitting", e.Wrong}} {
		if len(p.names) > 0 {
			shown := p.names[:min(len(p.names), mostNames)]
			text := fmt.Sprintf("%d %s: %s", len(p.names), p.what, strings.Join(shown, ", "))
			if more := len(p.names) - len(shown); more > 0 {
				text += fmt.Sprintf(" and %d more", more)
			}
			parts = append(parts, text)
		}
	}
	return fmt.Sprintf("cnn: net %q: state does not fit: %s", e.Net, strings.Join(parts, "; "))
}

// live reports whether the record has a node or a value that is alive.
func (r *record) live(alive map[*graph.Value]bool) bool {
	return slices.ContainsFunc(r.values, func(v *graph.Value) bool { return alive[v] }) || r.computes(alive)
}

// computes reports whether the record has a node that is alive.
func (r *record) computes(alive map[*graph.Value]bool) bool { return len(r.liveNodes(alive)) > 0 }

// liveNodes returns the nodes of the record that are alive.
func (r *record) liveNodes(alive map[*graph.Value]bool) []*graph.Node {
	var live []*graph.Node
	for _, n := range r.nodes {
		if slices.ContainsFunc(n.Out(), func(v *graph.Value) bool { return alive[v] }) {
			live = append(live, n)
		}
	}
	return live
}
