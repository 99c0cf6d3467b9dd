// Package backendtest is the conformance suite of backends: a backend's own test
// runs all of it in one line,
//
//	backendtest.Run(t, open, backendtest.Options{})
//
// with package ref as the oracle. Each op is run with every layout, every
// algorithm and several fills of its inputs; outputs and workspaces are poisoned
// with NaN before each run and canaries stand on both sides of every buffer.
// Other parts hold the backend to relations that need no oracle, to edge cases, to
// its promises of determinism and to the rules of ownership.
//
// A case that the backend does not support is counted and reported, never passed
// in silence; an op of which it supports no case fails.
package backendtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/ref" // the oracle
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// Options adapts the suite to a backend.
type Options struct {
	// Open is passed to every opening, before what a test adds.
	Open []backend.Option
	// Variants are run one after the other with WithVariant; nil is the default
	// alone.
	Variants []string
	// Threads are values for WithThreads among which results must be bitwise equal;
	// nil for a backend without threads.
	Threads []int
	// Short leaves out variations of layouts and sizes, for slow software drivers.
	Short bool
	// Skip names what is left out, and why. Skips are reported.
	Skip []Skip
	// Optional names families, as "conv-backward", of which the backend may support
	// no case.
	Optional []string
	// Seed varies the random inputs; failures print it.
	Seed uint64
}

// Skip leaves out the cases that a name is a prefix of.
type Skip struct {
	Case   string // as "conv/dilated" or "life/"
	Reason string
}

// Open opens the backend under test.
type Open = func(opts ...backend.Option) (backend.Backend, error)

// Run runs the suite.
func Run(t *testing.T, open func(opts ...backend.Option) (backend.Backend, error), o Options) {
	run(tReporter{t}, open, o)
}

var ctx = context.Background()

func run(r reporter, open Open, o Options) {
	oracle, err := backend.Open("ref")
	if err != nil {
		r.Fatalf("oracle: %v", err)
	}
	defer func() {
		if err := oracle.Close(); err != nil {
			r.Errorf("oracle: %v", err)
		}
	}()
	variants := o.Variants
	if len(variants) == 0 {
		variants = []string{""}
	}
	for _, v := range variants {
		name, opts := "default", slices.Clone(o.Open)
		if v != "" {
			name, opts = v, append(opts, backend.WithVariant(v))
		}
		r.Run(name, func(r reporter) {
			s := &suite{o: o, oracle: oracle, tallies: map[string]*tally{}}
			s.open = func(more ...backend.Option) (backend.Backend, error) {
				return open(append(slices.Clone(opts), more...)...)
			}
			s.run(r)
		})
	}
}

// suite is a run of all tests on one variant.
type suite struct {
	o       Options
	open    Open
	oracle  backend.Backend
	be      backend.Backend // under test; shared by all tests but those of its life
	tallies map[string]*tally
}

// tally counts what became of the cases of a family.
type tally struct{ cases, runs, unsupported, skipped int }

func (s *suite) run(r reporter) {
	be, err := s.open()
	if err != nil {
		r.Fatalf("open: %v", err)
	}
	s.be = be
	r.Logf("%s: %s", be.Name(), be.Device().Name)
	for _, f := range families {
		r.Run(f.name, func(r reporter) { f.run(s, r, f.name) })
	}
	if l := be.Live(); !l.Zero() {
		r.Errorf("ledger at the end: got %+v, want zero", l)
	}
	if err := be.Close(); err != nil {
		r.Errorf("close: %v", err)
	}
	s.report(r)
}

// family is a part of the suite.
type family struct {
	name string
	run  func(s *suite, r reporter, name string)
}

var families = []family{
	{"conv", problems(convProblems)},
	{"conv-backward", problems(convBackwardProblems)},
	{"convtranspose", problems(convTransposeProblems)},
	{"dense", problems(denseProblems)},
	{"matmul", problems(matmulProblems)},
	{"maxpool", problems(maxPoolProblems)},
	{"avgpool", problems(avgPoolProblems)},
	{"globalpool", problems(globalPoolProblems)},
	{"batchnorm", problems(batchNormProblems)},
	{"groupnorm", problems(groupNormProblems)},
	{"instancenorm", problems(instanceNormProblems)},
	{"layernorm", problems(layerNormProblems)},
	{"lrn", problems(lrnProblems)},
	{"activation", problems(activationProblems)},
	{"softmax", problems(softmaxProblems)},
	{"binary", problems(binaryProblems)},
	{"where", problems(whereProblems)},
	{"pad", problems(padProblems)},
	{"reshape", problems(reshapeProblems)},
	{"reorder", problems(reorderProblems)},
	{"adaptivepool", problems(adaptivePoolProblems)},
	{"resize", problems(resizeProblems)},
	{"concat", problems(concatProblems)},
	{"transpose", problems(transposeProblems)},
	{"gather", problems(gatherProblems)},
	{"resample", problems(resampleProblems)},
	{"maxunpool", problems(maxUnpoolProblems)},
	{"slice", problems(sliceProblems)},
	{"expand", problems(expandProblems)},
	{"tile", problems(tileProblems)},
	{"reduce", problems(reduceProblems)},
	{"argmax", problems(argMaxProblems)},
	{"topk", problems(topKProblems)},
	{"onehot", problems(oneHotProblems)},
	{"edges", edges},
	{"memory", memory},
	{"metamorphic", metamorphic},
	{"determinism", determinism},
	{"prototypes", prototypes},
	{"life", life},
}

// report logs the counts and fails where nothing was tested.
func (s *suite) report(r reporter) {
	var b strings.Builder
	fmt.Fprintf(&b, "%-14s %6s %6s %12s %8s\n", "family", "cases", "runs", "unsupported", "skipped")
	for _, f := range families {
		t := s.tallies[f.name]
		if t == nil {
			t = &tally{}
		}
		fmt.Fprintf(&b, "%-14s %6d %6d %12d %8d\n", f.name, t.cases, t.runs, t.unsupported, t.skipped)
		// A family without any unsupported case was left out by -run.
		if t.runs == 0 && t.unsupported > 0 && !slices.Contains(s.o.Optional, f.name) {
			r.Errorf("%s: nothing ran, %d of %d cases are unsupported", f.name, t.unsupported, t.cases)
		}
	}
	r.Logf("%s", b.String())
}

func (s *suite) tally(family string) *tally {
	t := s.tallies[family]
	if t == nil {
		t = &tally{}
		s.tallies[family] = t
	}
	return t
}

// test runs one case of a family unless Options skip it, and checks that it leaves
// nothing open.
func (s *suite) test(r reporter, family, name string, f func(r reporter)) {
	t := s.tally(family)
	t.cases++
	for _, k := range s.o.Skip {
		if strings.HasPrefix(family+"/"+name, k.Case) {
			t.skipped++
			r.Logf("skipped %s/%s: %s", family, name, k.Reason)
			return
		}
	}
	r.Run(name, func(r reporter) {
		before := s.be.Live()
		f(r)
		if l := s.be.Live(); l != before {
			r.Errorf("%s/%s leaves objects open: ledger was %+v, is %+v", family, name, before, l)
		}
	})
}

// unsupported counts and reports a case without a kernel.
func (s *suite) unsupported(r reporter, family, name string, err error) {
	s.tally(family).unsupported++
	r.Logf("unsupported %s/%s: %v", family, name, err)
}

// reference is the oracle as check wants it.
func (s *suite) reference(d backend.Desc, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
	return backend.RunDesc(ctx, s.oracle, d, in...)
}

// inputs fills the inputs of d.
func (s *suite) inputs(r reporter, d backend.Desc, f check.Fill) []*tensor.Tensor {
	in, err := check.Inputs(d, f, s.o.Seed)
	if err != nil {
		r.Fatalf("inputs of %s: %v", show(d), err)
	}
	return in
}
