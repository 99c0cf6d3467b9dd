// Package shaders holds the compute shaders of the OpenGL backend and puts them
// together: [Expand] resolves includes, writes the #version line and the defines,
// and keeps what is needed to name files in a driver's log.
//
// A kernel is one file, as "fill.comp"; what kernels share is in lib, as
// "lib/exp.glsl". Nothing in this package talks to a driver.
package shaders

import (
	"embed"
	"io/fs"
)

//go:embed *.comp lib/*.glsl
var files embed.FS

// FS returns the embedded sources.
func FS() fs.FS { return files }

// Names lists the kernels, as "fill.comp", in alphabetical order.
func Names() []string {
	names, err := fs.Glob(files, "*.comp")
	if err != nil { // the pattern is constant
		panic(err)
	}
	return names
}
