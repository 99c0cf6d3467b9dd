// Package pb is the ONNX file format: the messages of a model as plain Go structs,
// and their protobuf encoding.
//
// A file from elsewhere may be damaged or made to do harm. [Decode] takes memory in
// proportion to the file's size and within [Limits], which it checks before it takes
// any; what does not parse is a [*FormatError] that says where. Weights are not
// copied: [Tensor].Raw and the other byte slices are parts of the file's bytes, which
// must not change while the model is in use.
//
// Fields that no reader here needs (annotations of devices, quantization, denotations)
// are skipped, as unknown ones are. Of what is noted but not kept (functions, training
// steps, sparse tensors, types other than tensors) there are names and counts, so that
// an importer can refuse them by name.
//
// Source: the messages ModelProto and below of onnx.proto, IR version 13, and the
// protobuf encoding.
package pb
