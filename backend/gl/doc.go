// Package gl is the backend for OpenGL 4.3: any GPU with such a driver, and
// software renderers. It is registered as "gl" and needs cgo; without it, Open
// says so.
//
// # Two families of kernels
//
// The variant "texel" reads inputs through texel buffers, holds a block of results
// in registers and uses no shared memory: that is what software renderers, whose
// storage buffers and shared memory are accessed lane by lane, run fast. The
// variant "tiled" reads storage buffers and shares tiles among the invocations of
// a workgroup, as GPUs want it. Open takes the one that suits the renderer. Packed
// weights are the same for both.
//
// # Layouts
//
// Tensors of N, C and spatial dims are stored channels-last with the channels
// rounded up to four, so that a pixel is a whole number of texels; their lanes
// beyond the last channel are zeros, which every kernel writes and may rely on.
// Matrices and vectors are plain.
//
// # Adding an op
//
// See the comment at the top of kernel.go, and activation.go with
// shaders/activation.comp.
package gl
