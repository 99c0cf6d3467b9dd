// Package tensor holds tensors in host memory: a shape, an element type and
// row-major data, with no computation on them.
//
// Shapes are in logical order N, C and then one to three spatial dims
// (W; H, W; D, H, W), as in ONNX and PyTorch; convolution weights are
// [Cout, Cin/groups, kernel...]. Data in another order (HWC pictures,
// K,K,Cin,Cout filters) is converted at the edge by a named function:
// [HWCToNCHW], [NCHWToHWC], [KKIOToOIHW], [OIHWToKKIO].
//
// It also reads and writes .npy files, PNG and JPEG pictures, and, for other
// formats, raw little-endian elements and numbers of 16 bits.
package tensor
