// Package convgl is the front page of a library that runs convolutional networks
// on every core of a CPU, without cgo, or on any GPU with an OpenGL 4.3 driver.
//
// Most programs build networks with [github.com/convgl/convgl/cnn] and run them on a
// backend. Below it, they import what they need: [github.com/convgl/convgl/tensor] for data,
// [github.com/convgl/convgl/safetensors] for files of weights,
// [github.com/convgl/convgl/backend] for ops, and one or more backends for their
// registration: backend/cpu, backend/gl, and backend/ref, which defines the
// results.
package convgl
