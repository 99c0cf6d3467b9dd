// Package convgl is the front page of a library that runs convolutional networks
// on every core of a CPU, without cgo, or on any GPU with an OpenGL 4.3 driver.
//
// Most programs need three imports: [github.com/convgl/convgl/cnn] to build a
// network and to run it, or [github.com/convgl/convgl/onnx] to run one that was trained
// elsewhere, from its ONNX file; [github.com/convgl/convgl/tensor] for data; and one or
// more backends for their registration, backend/cpu or backend/gl. Ready architectures
// are in [github.com/convgl/convgl/cnn/models], and
// [github.com/convgl/convgl/preprocess] makes inputs of pictures.
//
// Below them lie [github.com/convgl/convgl/graph], which optimises networks and plans
// their memory, [github.com/convgl/convgl/backend] with the ops and what a backend
// has to do, backend/ref, which defines the results, and
// [github.com/convgl/convgl/safetensors] for files of weights. Package
// [github.com/convgl/convgl/viz] draws filters and feature maps.
package convgl
