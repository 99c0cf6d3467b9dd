package cpu

import (
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/backendtest"
)

// Every microkernel that the machine can run passes the conformance suite.
func TestConformance(t *testing.T) {
	var variants []string
	for _, mk := range gemmCandidates {
		if mk.needs > detectISA() {
			t.Logf("skipped: %s needs %v", mk.name, mk.needs)
			continue
		}
		variants = append(variants, mk.name)
	}
	open := func(opts ...backend.Option) (backend.Backend, error) { return backend.Open("cpu", opts...) }
	backendtest.Run(t, open, backendtest.Options{Variants: variants, Threads: []int{1, 2, 3}})
}
