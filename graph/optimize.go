package graph

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// Evaluator computes an op on constants.
type Evaluator func(op backend.Op, in []*tensor.Tensor) ([]*tensor.Tensor, error)

// pass is a rewrite that keeps what the graph computes. Run returns how many
// places it changed.
type pass struct {
	name string
	run  func(g *Graph, o *options) (int, error)
}

// apply runs the pass on a graph.
func (p pass) apply(g *Graph, o *options) (int, error) {
	n, err := p.run(g, o)
	g.sweep()
	return n, err
}

// options steer the passes.
type options struct {
	eval     Evaluator
	foldCap  int // elements that a folded constant may have
	grown    int // elements that folding has added to the constants
	disabled map[string]bool
}

// Change says what a pass did.
type Change struct {
	Pass  string
	Count int // places
}

// Report lists the changes of an optimisation in the order of the passes, the
// rounds added up.
type Report []Change

// String returns "affine 20, epilogue 33".
func (r Report) String() string {
	var parts []string
	for _, c := range r {
		if c.Count > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", c.Pass, c.Count))
		}
	}
	if len(parts) == 0 {
		return "nothing to do"
	}
	return strings.Join(parts, ", ")
}

// Option changes an optimisation.
type Option func(*options)

// WithoutPass leaves a pass out by its name; see [PassNames]. Passes that a plan
// needs are run by Compile all the same.
func WithoutPass(name string) Option { return func(o *options) { o.disabled[name] = true } }

// WithFoldCap sets the number of elements that a folded constant may have; the
// default is 1<<20. All folding together adds at most 16 times as many to the graph's
// constants. What is not folded is computed in each run.
func WithFoldCap(elems int) Option { return func(o *options) { o.foldCap = elems } }

// WithEvaluator gives constant folding what it computes with. Without one,
// constants are not folded.
func WithEvaluator(e Evaluator) Option { return func(o *options) { o.eval = e } }

// PassNames lists the passes in the order in which they run.
func PassNames() []string {
	var names []string
	for _, p := range passes {
		names = append(names, p.name)
	}
	return names
}

// maxRounds bounds the repetition of the passes: each round makes room for the
// next, and few graphs need more than three.
const maxRounds = 10

// Optimize returns a graph that computes the same with fewer and larger ops, and
// what was done. It runs the passes in turn until none finds anything. It fails on
// the name of a pass that there is not, and when a pass does.
func Optimize(g *Graph, opts ...Option) (*Graph, Report, error) {
	if g == nil {
		return nil, nil, errors.New("graph: Optimize needs a graph")
	}
	o := &options{foldCap: 1 << 20, disabled: map[string]bool{}}
	for i, f := range opts {
		if f == nil {
			return nil, nil, &Error{Node: g.Name, Err: fmt.Errorf("option %d of Optimize is nil", i)}
		}
		f(o)
	}
	for name := range o.disabled {
		if names := PassNames(); !slices.Contains(names, name) {
			return nil, nil, &Error{Node: g.Name, Err: fmt.Errorf("WithoutPass: got %q, want one of %v", name, names)}
		}
	}
	g = g.Clone()
	report := make(Report, len(passes))
	for range maxRounds {
		changed := 0
		for i, p := range passes {
			report[i].Pass = p.name
			if o.disabled[p.name] {
				continue
			}
			n, err := p.apply(g, o)
			if err != nil {
				return nil, nil, fmt.Errorf("graph: pass %s: %w", p.name, err)
			}
			report[i].Count += n
			changed += n
		}
		if changed == 0 {
			break
		}
	}
	return g, report, nil
}
