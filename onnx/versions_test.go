package onnx

import (
	"slices"
	"strings"
	"testing"
)

// changes lists for each version of ONNX's own operator set the ops that came or changed
// with it, of those that the table has. The source is the list of operator sets in the
// standard's own code (onnx/defs/operator_sets.h), up to 27.
var changes = map[int]string{
	1: `Abs Add And ArgMax ArgMin AveragePool BatchNormalization Cast Ceil Clip Concat Constant Conv ConvTranspose DepthToSpace Div
		Dropout Elu Equal Exp Flatten Floor Gather Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater HardSigmoid Hardmax
		Identity InstanceNormalization LRN LeakyRelu Less Log LogSoftmax LpNormalization LpPool MatMul Max MaxPool Mean Min Mul Neg
		Not Or PRelu Pad Pow Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd
		ReduceSum ReduceSumSquare Relu Reshape Selu Shape Sigmoid Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt
		Squeeze Sub Sum Tanh Tile TopK Transpose Unsqueeze Upsample Xor`,
	2: `GlobalLpPool LpPool Pad Split`,
	4: `Concat`,
	5: `Reshape`,
	6: `Abs Add BatchNormalization Cast Ceil Clip Div Dropout Elu Exp Floor Gemm HardSigmoid InstanceNormalization LeakyRelu Log Max
		Mean Min Mul Neg PRelu Reciprocal Relu Selu Sigmoid Sqrt Sub Sum Tanh Tile`,
	7:  `Add And AveragePool BatchNormalization Cos Div Dropout Equal Gemm Greater Less Mul Or Pow Sin Sub Upsample Xor PRelu`,
	8:  `Expand Max Min Sum Mean MaxPool`,
	9:  `BatchNormalization ConstantOfShape Greater Less Upsample MaxUnpool Constant MatMul OneHot PRelu Gemm Flatten Sign Erf Scatter Where Cast NonZero MeanVarianceNormalization`,
	10: `Upsample Resize TopK MaxPool Mod AveragePool Slice ThresholdedRelu Dropout`,
	11: `CumSum Round BitShift TopK DepthToSpace Equal Constant GatherElements ScatterElements Scatter Clip Resize Range ScatterND GatherND
		Gather OneHot Slice Squeeze Unsqueeze Flatten ArgMax ArgMin ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean
		ReduceMin ReduceProd ReduceSum ReduceSumSquare Concat Hardmax LogSoftmax Softmax Split AveragePool MaxPool MaxUnpool LpPool Conv
		ConvTranspose Pad Gemm`,
	12: `ArgMax ArgMin Clip MaxPool ReduceMax ReduceMin GatherND NegativeLogLikelihoodLoss Dropout Constant Celu Max Min LessOrEqual GreaterOrEqual SoftmaxCrossEntropyLoss Pow`,
	13: `Constant Greater Less Equal Add Sub Mul Div Softmax LogSoftmax Hardmax Mod Neg Abs Reciprocal Floor Ceil Sqrt Relu Exp Log Tanh Pow
		Sigmoid Max Min Sum Mean Clip Gemm MatMul Expand Sign Erf SoftmaxCrossEntropyLoss NegativeLogLikelihoodLoss Dropout Flatten LRN
		MeanVarianceNormalization ReduceMax ReduceMin ReduceSum ReduceSumSquare ReduceMean ReduceProd ReduceLogSum ReduceLogSumExp ReduceL1
		ReduceL2 ArgMax ArgMin Cast Reshape Shape Size Concat Split Slice Transpose ScatterND ScatterElements Gather GatherElements Squeeze
		Unsqueeze SpaceToDepth DepthToSpace Tile Resize Identity NonZero GatherND Pad`,
	14: `CumSum Relu Reshape BatchNormalization HardSwish Add Sub Mul Div Identity`,
	15: `BatchNormalization Pow CastLike Shape`,
	16: `ScatterND ScatterElements Identity Where LessOrEqual GreaterOrEqual LeakyRelu PRelu`,
	17: `LayerNormalization`,
	18: `Pad Resize Mish Split ScatterND ScatterElements ReduceSumSquare ReduceLogSum ReduceLogSumExp ReduceL1 ReduceL2 ReduceMax ReduceMin
		ReduceMean ReduceProd BitwiseAnd BitwiseOr BitwiseXor BitwiseNot GroupNormalization LpPool`,
	19: `Equal AveragePool Cast CastLike Constant Identity Pad Resize Reshape Shape Size`,
	20: `ConstantOfShape Gelu ReduceMax ReduceMin`,
	21: `Cast CastLike Constant ConstantOfShape Flatten GroupNormalization Identity Pad Reshape Shape Size Squeeze Transpose Unsqueeze`,
	22: `ThresholdedRelu Selu Elu Mish HardSigmoid HardSwish Softsign Softplus Sin Cos Round NegativeLogLikelihoodLoss AveragePool MaxPool
		MaxUnpool LpPool Conv ConvTranspose GlobalAveragePool GlobalMaxPool GlobalLpPool InstanceNormalization LpNormalization Dropout`,
	23: `Cast CastLike Constant ConstantOfShape Flatten Identity Pad Reshape Shape Size Squeeze Transpose Unsqueeze`,
	24: `Cast CastLike Constant ConstantOfShape Flatten Identity Pad Reshape Shape Size Swish Squeeze TopK Transpose Unsqueeze`,
	25: `Cast CastLike Constant ConstantOfShape Flatten Identity Reshape Shape Size Pad Squeeze Transpose Unsqueeze`,
	27: `Range`,
}

// TestVersions holds the versions of the table to those of the standard.
func TestVersions(t *testing.T) {
	want := map[string][]int{}
	for v := 1; v <= maxOpset; v++ {
		for _, name := range strings.Fields(changes[v]) {
			want[name] = append(want[name], v)
		}
	}
	for _, o := range table {
		if !slices.Equal(o.since, want[o.name]) {
			t.Errorf("%s: got versions %v, want %v", o.name, o.since, want[o.name])
		}
		delete(want, o.name)
	}
	for name, versions := range want {
		t.Errorf("the table has no %s, of versions %v", name, versions)
	}
}
