//go:build cgo

package device

import (
	"fmt"

	"github.com/go-gl/gl/v4.3-core/gl"
)

func hasExtension(names ...string) bool {
	n := getInt(gl.NUM_EXTENSIONS)
	for i := range n {
		e := gl.GoStr(gl.GetStringi(gl.EXTENSIONS, uint32(i)))
		for _, w := range names {
			if e == w {
				return true
			}
		}
	}
	return false
}

// resetStatus returns the function that tells of a reset, or nil if the context
// does not report any.
func resetStatus(c Context, info Info) func() uint32 {
	if !info.Robust {
		return nil
	}
	switch {
	case hasExtension("GL_KHR_robustness") && c.ProcAddr("glGetGraphicsResetStatusKHR") != nil:
		return gl.GetGraphicsResetStatusKHR
	case hasExtension("GL_KHR_robustness") && c.ProcAddr("glGetGraphicsResetStatus") != nil:
		return gl.GetGraphicsResetStatus
	case hasExtension("GL_ARB_robustness") && c.ProcAddr("glGetGraphicsResetStatusARB") != nil:
		return gl.GetGraphicsResetStatusARB
	}
	return nil
}

func resetName(s uint32) string {
	switch s {
	case gl.GUILTY_CONTEXT_RESET:
		return "the device was reset, and this context caused it"
	case gl.INNOCENT_CONTEXT_RESET:
		return "the device was reset by another program"
	case gl.UNKNOWN_CONTEXT_RESET:
		return "the device was reset"
	}
	return fmt.Sprintf("graphics reset status %#x", s)
}
