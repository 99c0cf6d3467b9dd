//go:build cgo

package gl

import (
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/backendtest"
)

// Both families pass the conformance suite. Backward passes have no kernels here.
func TestConformance(t *testing.T) {
	open(t) // skips, or fails where OpenGL is required
	backendtest.Run(t,
		func(opts ...backend.Option) (backend.Backend, error) { return backend.Open("gl", opts...) },
		backendtest.Options{Variants: []string{texelFamily, tiledFamily}, Short: true, Optional: []string{"conv-backward"}})
}
