package backendtest

import (
	"testing"

	"github.com/convgl/convgl/backend"
)

func openRef(opts ...backend.Option) (backend.Backend, error) { return backend.Open("ref", opts...) }

// The oracle passes its own suite: whatever fails elsewhere is not the suite's
// fault.
func TestRef(t *testing.T) {
	Run(t, openRef, Options{Threads: []int{1, 2, 3}})
}
