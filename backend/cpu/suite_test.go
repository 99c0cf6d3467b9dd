package cpu

import (
	"runtime"
	"slices"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/backendtest"
)

// The kernels of every instruction set that the machine has pass the conformance
// suite.
func TestConformance(t *testing.T) {
	processors(t, max(3, runtime.GOMAXPROCS(0))) // so that all threads take part
	var variants []string
	sets := isas(t)
	if raceEnabled { // which sees memory that Go code uses
		sets = slices.Compact([]isa{isaGeneric, sets[len(sets)-1]})
	}
	for _, set := range sets {
		variants = append(variants, set.String())
	}
	open := func(opts ...backend.Option) (backend.Backend, error) { return backend.Open("cpu", opts...) }
	backendtest.Run(t, open, backendtest.Options{Variants: variants, Threads: []int{1, 2, 3}})
}
