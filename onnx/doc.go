// Package onnx reads ONNX files into graphs that run on any backend, and writes
// graphs as ONNX files.
//
// [Load] parses and checks a file: every fault and every node that is not
// supported is found before anything runs. [Model.Compile] makes it ready for a
// backend; the [Session] runs it from any number of goroutines.
//
// Floating point is computed in float32 on the device; float16, bfloat16 and float64
// tensors are converted, which [Model.Notes] says. Integers and booleans are computed
// exactly, on the host: shape arithmetic is folded, and what depends on the values of
// inputs or on results of the device is computed between its stages.
package onnx
