// Package safetensors reads and writes safetensors files: named tensors, and
// nothing that could be executed. It is the format that PyTorch models are
// published in; the names there are the keys of a state_dict.
//
// A file is a header and then the tensors' bytes, row-major and little endian:
//
//	8 bytes   N, the header's length, little endian
//	N bytes   JSON: {"name": {"dtype": "F32", "shape": [2,3], "data_offsets": [0,24]}, ...}
//	          and perhaps "__metadata__": {"key": "value", ...}; spaces may follow
//	the rest  data; data_offsets are the begin and the end of a tensor in it
//
// A file from elsewhere may be damaged or made to do harm. [Open], [Read] and
// [Decode] accept only what the format allows: at most 100 MB of header, no
// name twice, a byte count that shape and type agree on, and data that the
// tensors cover without overlap, hole or rest. Memory taken is in proportion to
// the file's size, never to what a header claims.
//
// Source: the format's description at github.com/huggingface/safetensors.
package safetensors
