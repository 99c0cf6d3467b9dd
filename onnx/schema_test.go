package onnx

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/convgl/convgl/onnx/internal/pb"
)

// schema is what the ONNX standard says of an op's inputs and attributes, over all
// versions, as tests need it to make nodes of any op.
type schema struct {
	// in has a letter for each input: f floats, x an image, w weights of a
	// convolution, c one for each channel, s one float, i integers such as sizes or axes,
	// k one integer, b booleans, n indices, a anything. A capital is optional, and '*'
	// repeats the last.
	in   string
	out  int
	attr string // "name:type", the types i f s t is fs ss, or the allowed strings with |
	// exact ops give integers for small integers; steep ones make much of a small error.
	exact, steep bool
}

const windowAttrs = "auto_pad:NOTSET|SAME_UPPER|SAME_LOWER|VALID kernel_shape:is strides:is dilations:is pads:is "

var schemas = map[string]schema{
	"Conv":          {in: "xwC", out: 1, attr: windowAttrs + "group:i", exact: true},
	"ConvTranspose": {in: "xwC", out: 1, attr: windowAttrs + "group:i output_padding:is output_shape:is", exact: true},

	"MaxPool":           {in: "x", out: 2, attr: windowAttrs + "ceil_mode:i storage_order:i", exact: true},
	"AveragePool":       {in: "x", out: 1, attr: windowAttrs + "ceil_mode:i count_include_pad:i"},
	"LpPool":            {in: "x", out: 1, attr: windowAttrs + "ceil_mode:i p:i", steep: true},
	"GlobalAveragePool": {in: "x", out: 1},
	"GlobalMaxPool":     {in: "x", out: 1, exact: true},
	"GlobalLpPool":      {in: "x", out: 1, attr: "p:i", steep: true},
	"MaxUnpool":         {in: "xnI", out: 1, attr: "kernel_shape:is strides:is pads:is", exact: true},

	"BatchNormalization":        {in: "xcccc", out: 3, attr: "epsilon:f momentum:f spatial:i training_mode:i is_test:i consumed_inputs:is", steep: true},
	"InstanceNormalization":     {in: "xcc", out: 1, attr: "epsilon:f consumed_inputs:is", steep: true},
	"LayerNormalization":        {in: "ffF", out: 3, attr: "axis:i epsilon:f stash_type:i", steep: true},
	"GroupNormalization":        {in: "xcc", out: 1, attr: "num_groups:i epsilon:f stash_type:i", steep: true},
	"LRN":                       {in: "x", out: 1, attr: "size:i alpha:f beta:f bias:f", steep: true},
	"LpNormalization":           {in: "f", out: 1, attr: "axis:i p:i", steep: true},
	"MeanVarianceNormalization": {in: "x", out: 1, attr: "axes:is", steep: true},

	"Relu":            {in: "f", out: 1, attr: "consumed_inputs:is", exact: true},
	"LeakyRelu":       {in: "f", out: 1, attr: "alpha:f consumed_inputs:is"},
	"ThresholdedRelu": {in: "f", out: 1, attr: "alpha:f", steep: true},
	"PRelu":           {in: "ff", out: 1, attr: "consumed_inputs:is", exact: true},
	"Clip":            {in: "fSS", out: 1, attr: "min:f max:f consumed_inputs:is", exact: true},
	"Elu":             {in: "f", out: 1, attr: "alpha:f consumed_inputs:is"},
	"Selu":            {in: "f", out: 1, attr: "alpha:f gamma:f consumed_inputs:is"},
	"Celu":            {in: "f", out: 1, attr: "alpha:f"},
	"Sigmoid":         {in: "f", out: 1, attr: "consumed_inputs:is"},
	"HardSigmoid":     {in: "f", out: 1, attr: "alpha:f beta:f consumed_inputs:is"},
	"HardSwish":       {in: "f", out: 1},
	"Swish":           {in: "f", out: 1, attr: "alpha:f"},
	"Mish":            {in: "f", out: 1},
	"Gelu":            {in: "f", out: 1, attr: "approximate:none|tanh"},
	"Softplus":        {in: "f", out: 1},
	"Softsign":        {in: "f", out: 1},
	"Tanh":            {in: "f", out: 1, attr: "consumed_inputs:is"},
	"Exp":             {in: "f", out: 1, attr: "consumed_inputs:is", steep: true},
	"Log":             {in: "f", out: 1, attr: "consumed_inputs:is", steep: true},
	"Sqrt":            {in: "f", out: 1, attr: "consumed_inputs:is", steep: true},
	"Reciprocal":      {in: "f", out: 1, attr: "consumed_inputs:is", steep: true},
	"Abs":             {in: "f", out: 1, attr: "consumed_inputs:is", exact: true},
	"Neg":             {in: "f", out: 1, attr: "consumed_inputs:is", exact: true},
	"Sign":            {in: "f", out: 1, exact: true, steep: true},
	"Ceil":            {in: "f", out: 1, attr: "consumed_inputs:is", exact: true, steep: true},
	"Floor":           {in: "f", out: 1, attr: "consumed_inputs:is", exact: true, steep: true},
	"Round":           {in: "f", out: 1, exact: true, steep: true},
	"Erf":             {in: "f", out: 1},
	"Sin":             {in: "f", out: 1, steep: true},
	"Cos":             {in: "f", out: 1, steep: true},
	"Softmax":         {in: "f", out: 1, attr: "axis:i"},
	"LogSoftmax":      {in: "f", out: 1, attr: "axis:i"},
	"Hardmax":         {in: "f", out: 1, attr: "axis:i", exact: true, steep: true},
	"Dropout":         {in: "fSB", out: 2, attr: "ratio:f seed:i is_test:i consumed_inputs:is", exact: true},
	"Identity":        {in: "a", out: 1, exact: true},

	"Add":            {in: "aa", out: 1, attr: "axis:i broadcast:i consumed_inputs:is", exact: true},
	"Sub":            {in: "aa", out: 1, attr: "axis:i broadcast:i consumed_inputs:is", exact: true},
	"Mul":            {in: "aa", out: 1, attr: "axis:i broadcast:i consumed_inputs:is", exact: true},
	"Div":            {in: "aa", out: 1, attr: "axis:i broadcast:i consumed_inputs:is", steep: true},
	"Pow":            {in: "fa", out: 1, attr: "axis:i broadcast:i", steep: true},
	"Mod":            {in: "aa", out: 1, attr: "fmod:i", exact: true, steep: true},
	"Sum":            {in: "ff*", out: 1, attr: "consumed_inputs:is", exact: true},
	"Max":            {in: "ff*", out: 1, attr: "consumed_inputs:is", exact: true},
	"Min":            {in: "ff*", out: 1, attr: "consumed_inputs:is", exact: true},
	"Mean":           {in: "ff*", out: 1, attr: "consumed_inputs:is"},
	"Equal":          {in: "aa", out: 1, attr: "axis:i broadcast:i", exact: true, steep: true},
	"Less":           {in: "aa", out: 1, attr: "axis:i broadcast:i", exact: true, steep: true},
	"LessOrEqual":    {in: "aa", out: 1, exact: true, steep: true},
	"Greater":        {in: "aa", out: 1, attr: "axis:i broadcast:i", exact: true, steep: true},
	"GreaterOrEqual": {in: "aa", out: 1, exact: true, steep: true},
	"And":            {in: "bb", out: 1, attr: "axis:i broadcast:i", exact: true},
	"Or":             {in: "bb", out: 1, attr: "axis:i broadcast:i", exact: true},
	"Xor":            {in: "bb", out: 1, attr: "axis:i broadcast:i", exact: true},
	"Not":            {in: "b", out: 1, exact: true},
	"Where":          {in: "baa", out: 1, exact: true},
	"BitShift":       {in: "aa", out: 1, attr: "direction:LEFT|RIGHT", exact: true},
	"BitwiseAnd":     {in: "nn", out: 1, exact: true},
	"BitwiseOr":      {in: "nn", out: 1, exact: true},
	"BitwiseXor":     {in: "nn", out: 1, exact: true},
	"BitwiseNot":     {in: "n", out: 1, exact: true},

	"ReduceSum":       {in: "aI", out: 1, attr: "axes:is keepdims:i noop_with_empty_axes:i", exact: true},
	"ReduceMean":      {in: "aI", out: 1, attr: "axes:is keepdims:i noop_with_empty_axes:i"},
	"ReduceMax":       {in: "aI", out: 1, attr: "axes:is keepdims:i noop_with_empty_axes:i", exact: true},
	"ReduceMin":       {in: "aI", out: 1, attr: "axes:is keepdims:i noop_with_empty_axes:i", exact: true},
	"ReduceProd":      {in: "aI", out: 1, attr: "axes:is keepdims:i noop_with_empty_axes:i"},
	"ReduceL1":        {in: "aI", out: 1, attr: "axes:is keepdims:i noop_with_empty_axes:i", exact: true},
	"ReduceL2":        {in: "aI", out: 1, attr: "axes:is keepdims:i noop_with_empty_axes:i", steep: true},
	"ReduceLogSum":    {in: "aI", out: 1, attr: "axes:is keepdims:i noop_with_empty_axes:i", steep: true},
	"ReduceLogSumExp": {in: "aI", out: 1, attr: "axes:is keepdims:i noop_with_empty_axes:i"},
	"ReduceSumSquare": {in: "aI", out: 1, attr: "axes:is keepdims:i noop_with_empty_axes:i", exact: true},
	"ArgMax":          {in: "a", out: 1, attr: "axis:i keepdims:i select_last_index:i", exact: true, steep: true},
	"ArgMin":          {in: "a", out: 1, attr: "axis:i keepdims:i select_last_index:i", exact: true, steep: true},
	"TopK":            {in: "ak", out: 2, attr: "axis:i k:i largest:i sorted:i", exact: true, steep: true},
	"CumSum":          {in: "ak", out: 1, attr: "exclusive:i reverse:i", exact: true},
	"NonZero":         {in: "a", out: 1, exact: true, steep: true},

	"MatMul": {in: "ff", out: 1, exact: true},
	"Gemm":   {in: "ffF", out: 1, attr: "alpha:f beta:f transA:i transB:i broadcast:i"},

	"Shape":           {in: "a", out: 1, attr: "start:i end:i", exact: true},
	"Size":            {in: "a", out: 1, exact: true},
	"Reshape":         {in: "ai", out: 1, attr: "shape:is allowzero:i consumed_inputs:is", exact: true},
	"Flatten":         {in: "a", out: 1, attr: "axis:i", exact: true},
	"Squeeze":         {in: "aI", out: 1, attr: "axes:is", exact: true},
	"Unsqueeze":       {in: "ai", out: 1, attr: "axes:is", exact: true},
	"Transpose":       {in: "a", out: 1, attr: "perm:is", exact: true},
	"Expand":          {in: "ai", out: 1, exact: true},
	"Tile":            {in: "ai", out: 1, exact: true},
	"Constant":        {in: "", out: 1, attr: "value:t value_float:f value_floats:fs value_int:i value_ints:is value_string:s value_strings:ss", exact: true},
	"ConstantOfShape": {in: "i", out: 1, attr: "value:t", exact: true},
	"Range":           {in: "kkk", out: 1, attr: "stash_type:i", exact: true},
	"Cast":            {in: "a", out: 1, attr: "to:i saturate:i round_mode:up|down", exact: true, steep: true},
	"CastLike":        {in: "aa", out: 1, attr: "saturate:i round_mode:up|down", exact: true, steep: true},

	"Concat":          {in: "aa*", out: 1, attr: "axis:i", exact: true},
	"Split":           {in: "aI", out: 2, attr: "axis:i split:is num_outputs:i", exact: true},
	"Slice":           {in: "aiiII", out: 1, attr: "starts:is ends:is axes:is", exact: true},
	"Gather":          {in: "an", out: 1, attr: "axis:i", exact: true},
	"GatherElements":  {in: "an", out: 1, attr: "axis:i", exact: true},
	"GatherND":        {in: "an", out: 1, attr: "batch_dims:i", exact: true},
	"Scatter":         {in: "ana", out: 1, attr: "axis:i", exact: true},
	"ScatterElements": {in: "ana", out: 1, attr: "axis:i reduction:none|add|mul|max|min", exact: true},
	"ScatterND":       {in: "ana", out: 1, attr: "reduction:none|add|mul|max|min", exact: true},
	"OneHot":          {in: "nkf", out: 1, attr: "axis:i", exact: true},
	"Pad":             {in: "aiSI", out: 1, attr: "mode:constant|reflect|edge|wrap pads:is paddings:is value:f", exact: true},
	"DepthToSpace":    {in: "x", out: 1, attr: "blocksize:i mode:DCR|CRD", exact: true},
	"SpaceToDepth":    {in: "x", out: 1, attr: "blocksize:i", exact: true},

	"Resize": {in: "xFFI", out: 1, attr: "mode:nearest|linear|cubic coordinate_transformation_mode:half_pixel|half_pixel_symmetric|pytorch_half_pixel|align_corners|asymmetric|tf_crop_and_resize|tf_half_pixel_for_nn " +
		"nearest_mode:round_prefer_floor|round_prefer_ceil|floor|ceil cubic_coeff_a:f exclude_outside:i extrapolation_value:f antialias:i axes:is keep_aspect_ratio_policy:stretch|not_larger|not_smaller"},
	"Upsample": {in: "xF", out: 1, attr: "mode:nearest|linear|bilinear scales:fs height_scale:f width_scale:f"},

	"NegativeLogLikelihoodLoss": {in: "xnC", out: 1, attr: "reduction:none|sum|mean ignore_index:i"},
	"SoftmaxCrossEntropyLoss":   {in: "xnC", out: 2, attr: "reduction:none|sum|mean ignore_index:i"},
}

// attrSpec is an attribute of a schema.
type attrSpec struct {
	name    string
	typ     pb.AttrType
	choices []string
}

func (s schema) attrs() []attrSpec {
	var list []attrSpec
	for _, f := range strings.Fields(s.attr) {
		name, typ, _ := strings.Cut(f, ":")
		a := attrSpec{name: name, typ: attrLetters[typ]}
		if a.typ == pb.AttrUndefined {
			a.typ, a.choices = pb.AttrString, strings.Split(typ, "|")
		}
		list = append(list, a)
	}
	return list
}

// inputs returns the letters of n inputs; the last one repeats where it may.
func (s schema) inputs(n int) string {
	in, repeats := strings.CutSuffix(s.in, "*")
	for repeats && len(in) < n {
		in += in[len(in)-1:]
	}
	return in
}

// TestSchemas has a schema for every op, so that the tests that are made from them
// leave none out.
func TestSchemas(t *testing.T) {
	for _, o := range table {
		s, ok := schemas[o.name]
		if !ok {
			t.Errorf("no schema of %s", o.name)
		}
		var want []string
		for _, a := range s.attrs() {
			for letters, typ := range attrLetters {
				if typ == a.typ {
					want = append(want, a.name+":"+letters)
				}
			}
		}
		if got := strings.Fields(strings.ReplaceAll(attributes[o.name], " sparse_value:sparse", "")); !slices.Equal(got, want) {
			t.Errorf("%s: attributes %v, want %v", o.name, got, want)
		}
		required := len(s.in) - len(strings.TrimLeft(s.in, "abcdefghijklmnopqrstuvwxyz"))
		a := o.arity(maxOpset)
		if strings.HasSuffix(s.in, "*") {
			if a != (arity{1, 1, anyMore}) {
				t.Errorf("%s: arity %v", o.name, a)
			}
		} else if o.name != "Upsample" && (a.least != required || a.most != len(s.in)) {
			t.Errorf("%s: arity %v, want %d to %d", o.name, a, required, len(s.in))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		if o, _ := lookup(name, maxOpset); o == nil {
			t.Errorf("a schema of %s, which is not in the table", name)
		}
	}
}
