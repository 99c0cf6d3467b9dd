// Package cpu is the backend that runs on the processor: every core, no cgo.
// Import it for its effect; it registers itself as "cpu".
//
//	import _ "github.com/convgl/convgl/backend/cpu"
//
// # How it computes
//
// Images lie channels-last. A convolution of any rank, stride, dilation and
// padding is one matrix product whose left side is never built: a tile of output
// pixels has a small table of int32 offsets, one a tap and pixel, to rows of
// channels in x; a tap in the padding points at a row of zeros. Tiles that look
// alike share a table. Weights are packed once into panels of NR output channels
// (see [backend.Format]), and bias and epilogue are applied to a tile in registers,
// before it is stored. Dense and MatMul are the case of one tap, a transposed
// convolution is one product for each class of outputs that read the same taps.
//
// The microkernels hold a tile of 6×64, 8×48, 12×32 or 12×16 sums in AVX-512
// registers, of 6×16, 4×24 or 12×8 in AVX2's; the number of output channels decides
// which. Each takes any number of rows and columns up to its own.
//
// With one input channel a group there is nothing to multiply: a depthwise kernel takes
// a strip of seven neighbouring outputs of a vector of channels and keeps their sums in
// registers, where rows of 3, 5 or 7 taps load each input once. Bits that belong to
// the strip leave out taps in the padding.
//
// # Threads and results
//
// A pool of threads lives as long as the backend. The work of a run is cut into
// parts, and each thread has a fixed range of them, of which the caller takes what a
// late worker has not begun. How a sum is cut into blocks follows from the shapes
// alone, so results are bitwise equal from run to run and for any number of threads;
// an image's result does not depend on the rest of its batch. Sums run in blocks of at
// most 256 terms.
//
// # Accuracy
//
// ReLU and clip are exact, leaky ReLU and hard sigmoid one rounding. All other
// activations are computed in float64 and rounded once, with every instruction set:
// their error is below 0.51 units in the last place. Softmax rounds its exponentials
// and its quotients, log-softmax its differences; sums are float64.
//
// # Choosing instructions
//
// Kernels are written for instruction sets: generic (plain Go); on amd64 avx2 (with
// FMA and BMI2) and avx512 (F, DQ, BW and VL); on arm64 neon, which matrix products
// alone have so far. A backend takes the best one that the machine has, unless
// [backend.WithVariant] names another. The environment variable CONVGL_CPU limits both. Naming one that the machine lacks is an error. The build tag noasm
// leaves assembly, and so all but generic, out.
package cpu
