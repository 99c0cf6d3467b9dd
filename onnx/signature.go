package onnx

import (
	"fmt"
	"math"
	"strings"

	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// arity is how many inputs an op has from a version on: the first least of them must be
// given, and all of them where there is no most.
type arity struct{ since, least, most int }

const anyMore = math.MaxInt

// arities lists the ops that do not have exactly one input.
var arities = map[string][]arity{
	"Conv": {{1, 2, 3}}, "ConvTranspose": {{1, 2, 3}}, "MaxUnpool": {{1, 2, 3}},
	"BatchNormalization": {{1, 5, 5}}, "InstanceNormalization": {{1, 3, 3}}, "LayerNormalization": {{1, 2, 3}}, "GroupNormalization": {{1, 3, 3}},
	"PRelu": {{1, 2, 2}}, "Clip": {{1, 1, 1}, {11, 1, 3}}, "Dropout": {{1, 1, 1}, {12, 1, 3}},
	"Add": {{1, 2, 2}}, "Sub": {{1, 2, 2}}, "Mul": {{1, 2, 2}}, "Div": {{1, 2, 2}}, "Pow": {{1, 2, 2}}, "Mod": {{1, 2, 2}},
	"Equal": {{1, 2, 2}}, "Less": {{1, 2, 2}}, "LessOrEqual": {{1, 2, 2}}, "Greater": {{1, 2, 2}}, "GreaterOrEqual": {{1, 2, 2}},
	"And": {{1, 2, 2}}, "Or": {{1, 2, 2}}, "Xor": {{1, 2, 2}}, "Where": {{1, 3, 3}},
	"BitShift": {{1, 2, 2}}, "BitwiseAnd": {{1, 2, 2}}, "BitwiseOr": {{1, 2, 2}}, "BitwiseXor": {{1, 2, 2}},
	"Sum": {{1, 1, anyMore}}, "Max": {{1, 1, anyMore}}, "Min": {{1, 1, anyMore}}, "Mean": {{1, 1, anyMore}}, "Concat": {{1, 1, anyMore}},
	"ReduceSum": {{1, 1, 1}, {13, 1, 2}}, "ReduceMean": axesSince18, "ReduceMax": axesSince18, "ReduceMin": axesSince18, "ReduceProd": axesSince18,
	"ReduceL1": axesSince18, "ReduceL2": axesSince18, "ReduceLogSum": axesSince18, "ReduceLogSumExp": axesSince18, "ReduceSumSquare": axesSince18,
	"TopK": {{1, 1, 1}, {10, 2, 2}}, "CumSum": {{1, 2, 2}}, "MatMul": {{1, 2, 2}}, "Gemm": {{1, 2, 3}},
	"Reshape": {{1, 1, 1}, {5, 2, 2}}, "Squeeze": {{1, 1, 1}, {13, 1, 2}}, "Unsqueeze": {{1, 1, 1}, {13, 2, 2}}, "Expand": {{1, 2, 2}},
	"Tile": {{1, 3, 3}, {6, 2, 2}}, "Constant": {{1, 0, 0}}, "Range": {{1, 3, 3}}, "CastLike": {{1, 2, 2}},
	"Split": {{1, 1, 1}, {13, 1, 2}}, "Slice": {{1, 1, 1}, {10, 3, 5}}, "Gather": {{1, 2, 2}}, "GatherElements": {{1, 2, 2}}, "GatherND": {{1, 2, 2}},
	"Scatter": {{1, 3, 3}}, "ScatterElements": {{1, 3, 3}}, "ScatterND": {{1, 3, 3}}, "OneHot": {{1, 3, 3}},
	"Pad":    {{1, 1, 1}, {11, 2, 3}, {18, 2, 4}},
	"Resize": {{1, 2, 2}, {11, 1, 4}}, "Upsample": {{1, 1, 1}, {9, 2, 2}}, // roi and scales, which 11 demands, are left out as in 13
	"NegativeLogLikelihoodLoss": {{1, 2, 3}}, "SoftmaxCrossEntropyLoss": {{1, 2, 3}},
}

var axesSince18 = []arity{{1, 1, 1}, {18, 1, 2}}

// arity returns that of a version of the op.
func (o *op) arity(version int) arity {
	a := arity{1, 1, 1}
	for _, b := range arities[o.name] {
		if b.since <= version {
			a = b
		}
	}
	return a
}

// attributes lists the attributes that an op has in any version, with the letters of their
// types: i an int, f a float, s a string, t a tensor, and with a further s lists of them; sparse a
// sparse tensor.
var attributes = map[string]string{
	"Conv":                      ofWindow + " group:i",
	"ConvTranspose":             ofWindow + " group:i output_padding:is output_shape:is",
	"MaxPool":                   ofWindow + " ceil_mode:i storage_order:i",
	"AveragePool":               ofWindow + " ceil_mode:i count_include_pad:i",
	"LpPool":                    ofWindow + " ceil_mode:i p:i",
	"GlobalLpPool":              "p:i",
	"MaxUnpool":                 "kernel_shape:is strides:is pads:is",
	"BatchNormalization":        "epsilon:f momentum:f spatial:i training_mode:i is_test:i consumed_inputs:is",
	"InstanceNormalization":     "epsilon:f consumed_inputs:is",
	"LayerNormalization":        "axis:i epsilon:f stash_type:i",
	"GroupNormalization":        "num_groups:i epsilon:f stash_type:i",
	"LRN":                       "size:i alpha:f beta:f bias:f",
	"LpNormalization":           "axis:i p:i",
	"MeanVarianceNormalization": "axes:is",
	"Relu":                      "consumed_inputs:is",
	"LeakyRelu":                 "alpha:f consumed_inputs:is",
	"ThresholdedRelu":           "alpha:f",
	"PRelu":                     "consumed_inputs:is",
	"Clip":                      "min:f max:f consumed_inputs:is",
	"Elu":                       "alpha:f consumed_inputs:is",
	"Selu":                      "alpha:f gamma:f consumed_inputs:is",
	"Celu":                      "alpha:f",
	"Sigmoid":                   "consumed_inputs:is",
	"HardSigmoid":               "alpha:f beta:f consumed_inputs:is",
	"Swish":                     "alpha:f",
	"Gelu":                      "approximate:s",
	"Tanh":                      "consumed_inputs:is",
	"Exp":                       "consumed_inputs:is",
	"Log":                       "consumed_inputs:is",
	"Sqrt":                      "consumed_inputs:is",
	"Reciprocal":                "consumed_inputs:is",
	"Abs":                       "consumed_inputs:is",
	"Neg":                       "consumed_inputs:is",
	"Ceil":                      "consumed_inputs:is",
	"Floor":                     "consumed_inputs:is",
	"Softmax":                   "axis:i",
	"LogSoftmax":                "axis:i",
	"Hardmax":                   "axis:i",
	"Dropout":                   "ratio:f seed:i is_test:i consumed_inputs:is",
	"Add":                       "axis:i broadcast:i consumed_inputs:is",
	"Sub":                       "axis:i broadcast:i consumed_inputs:is",
	"Mul":                       "axis:i broadcast:i consumed_inputs:is",
	"Div":                       "axis:i broadcast:i consumed_inputs:is",
	"Pow":                       "axis:i broadcast:i",
	"Mod":                       "fmod:i",
	"Sum":                       "consumed_inputs:is",
	"Max":                       "consumed_inputs:is",
	"Min":                       "consumed_inputs:is",
	"Mean":                      "consumed_inputs:is",
	"Equal":                     "axis:i broadcast:i",
	"Less":                      "axis:i broadcast:i",
	"Greater":                   "axis:i broadcast:i",
	"And":                       "axis:i broadcast:i",
	"Or":                        "axis:i broadcast:i",
	"Xor":                       "axis:i broadcast:i",
	"BitShift":                  "direction:s",
	"ReduceSum":                 "axes:is keepdims:i noop_with_empty_axes:i",
	"ReduceMean":                "axes:is keepdims:i noop_with_empty_axes:i",
	"ReduceMax":                 "axes:is keepdims:i noop_with_empty_axes:i",
	"ReduceMin":                 "axes:is keepdims:i noop_with_empty_axes:i",
	"ReduceProd":                "axes:is keepdims:i noop_with_empty_axes:i",
	"ReduceL1":                  "axes:is keepdims:i noop_with_empty_axes:i",
	"ReduceL2":                  "axes:is keepdims:i noop_with_empty_axes:i",
	"ReduceLogSum":              "axes:is keepdims:i noop_with_empty_axes:i",
	"ReduceLogSumExp":           "axes:is keepdims:i noop_with_empty_axes:i",
	"ReduceSumSquare":           "axes:is keepdims:i noop_with_empty_axes:i",
	"ArgMax":                    "axis:i keepdims:i select_last_index:i",
	"ArgMin":                    "axis:i keepdims:i select_last_index:i",
	"TopK":                      "axis:i k:i largest:i sorted:i",
	"CumSum":                    "exclusive:i reverse:i",
	"Gemm":                      "alpha:f beta:f transA:i transB:i broadcast:i",
	"Shape":                     "start:i end:i",
	"Reshape":                   "shape:is allowzero:i consumed_inputs:is",
	"Flatten":                   "axis:i",
	"Squeeze":                   "axes:is",
	"Unsqueeze":                 "axes:is",
	"Transpose":                 "perm:is",
	"Constant":                  "value:t value_float:f value_floats:fs value_int:i value_ints:is value_string:s value_strings:ss sparse_value:sparse",
	"Range":                     "stash_type:i",
	"ConstantOfShape":           "value:t",
	"Cast":                      "to:i saturate:i round_mode:s",
	"CastLike":                  "saturate:i round_mode:s",
	"Concat":                    "axis:i",
	"Split":                     "axis:i split:is num_outputs:i",
	"Slice":                     "starts:is ends:is axes:is",
	"Gather":                    "axis:i",
	"GatherElements":            "axis:i",
	"GatherND":                  "batch_dims:i",
	"Scatter":                   "axis:i",
	"ScatterElements":           "axis:i reduction:s",
	"ScatterND":                 "reduction:s",
	"OneHot":                    "axis:i",
	"Pad":                       "mode:s pads:is paddings:is value:f",
	"DepthToSpace":              "blocksize:i mode:s",
	"SpaceToDepth":              "blocksize:i",
	"Resize":                    "mode:s coordinate_transformation_mode:s nearest_mode:s cubic_coeff_a:f exclude_outside:i extrapolation_value:f antialias:i axes:is keep_aspect_ratio_policy:s",
	"Upsample":                  "mode:s scales:fs height_scale:f width_scale:f",
	"NegativeLogLikelihoodLoss": "reduction:s ignore_index:i",
	"SoftmaxCrossEntropyLoss":   "reduction:s ignore_index:i",
}

const ofWindow = "auto_pad:s kernel_shape:is strides:is dilations:is pads:is"

var attrLetters = map[string]pb.AttrType{
	"i": pb.AttrInt, "f": pb.AttrFloat, "s": pb.AttrString, "t": pb.AttrTensor, "is": pb.AttrInts, "fs": pb.AttrFloats, "ss": pb.AttrStrings, "sparse": pb.AttrSparseTensor,
}

// maxList bounds lists of numbers in attributes and inputs that are one or two for each axis.
const maxList = 2 * tensor.MaxRank

// checkAttributes finds attributes that the op does not have in any version, those of other
// types, and lists of numbers that are too long.
func (n *node) checkAttributes() error {
	for _, a := range n.Attrs {
		var want pb.AttrType
		for _, f := range strings.Fields(attributes[n.op.name]) {
			if name, letters, _ := strings.Cut(f, ":"); name == a.Name {
				want = attrLetters[letters]
			}
		}
		if want == 0 {
			return fmt.Errorf("attribute %s is not known for this op and version", pb.Quote(a.Name))
		}
		if a.Type != want {
			return fmt.Errorf("attribute %q: got %v, want %v", a.Name, a.Type, want)
		}
		switch a.Name {
		case "value_ints", "value_floats", "value_strings", "split", "consumed_inputs":
			continue
		}
		if count := max(len(a.Ints), len(a.Floats)); count > maxList {
			return fmt.Errorf("attribute %q: got %d numbers, want %d at most", a.Name, count, maxList)
		}
	}
	return nil
}

// checkInputs finds inputs that are missing or too many.
func (n *node) checkInputs() error {
	a := n.op.arity(n.info.Version)
	count := len(n.Inputs)
	for count > 0 && n.Inputs[count-1] == "" {
		count--
	}
	switch {
	case count > a.most && a.least == a.most:
		return fmt.Errorf("got %d inputs, want %d", count, a.most)
	case count > a.most:
		return fmt.Errorf("got %d inputs, want %d to %d", count, a.least, a.most)
	}
	needed := a.least
	if a.most == anyMore {
		needed = max(len(n.Inputs), needed)
	}
	for i := range needed {
		if i >= count || n.Inputs[i] == "" {
			return fmt.Errorf("input %d is missing", i)
		}
	}
	return nil
}
