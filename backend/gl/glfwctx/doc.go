// Package glfwctx makes an OpenGL context in a window, by GLFW: for viewers, and
// for systems without EGL. Programs that import it are linked to the window
// system's libraries, so nothing else of the module does. It needs cgo; without,
// Run returns an error. On Debian it is built with
//
//	gcc libc6-dev pkg-config libgl-dev libxcursor-dev libxrandr-dev
//	libxinerama-dev libxi-dev libxxf86vm-dev
//
// Windows belong to the main thread. Importing the package locks the main
// goroutine to it, and [Run] must be called from there:
//
//	func main() {
//		err := glfwctx.Run(glfwctx.Options{Title: "filters"}, func(c *glfwctx.Context) error {
//			…
//		})
//	}
package glfwctx

import "errors"

// ErrNoDisplay says that there is no window system to open a window on.
var ErrNoDisplay = errors.New("no display")

// Options describe the window.
type Options struct {
	Title         string // default "convgl"
	Width, Height int    // in screen coordinates; default 960 by 640
	Visible       bool   // show the window; without, it serves compute only
	Debug         bool   // ask for a debug context
}

func (o Options) withDefaults() Options {
	if o.Title == "" {
		o.Title = "convgl"
	}
	if o.Width <= 0 {
		o.Width = 960
	}
	if o.Height <= 0 {
		o.Height = 640
	}
	return o
}
