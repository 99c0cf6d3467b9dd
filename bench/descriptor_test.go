package bench

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

func TestParseConv(t *testing.T) {
	for _, c := range []struct {
		text    string
		x, w, y tensor.Shape
		win     backend.Window
		groups  int
		canon   string // "" when it is text
	}{
		{text: "conv:mb1_ic64ih56oc64oh56kh3ph1", x: tensor.Shape{1, 64, 56, 56}, w: tensor.Shape{64, 64, 3, 3}, y: tensor.Shape{1, 64, 56, 56},
			win: backend.Window{Kernel: []int{3, 3}, Strides: []int{1, 1}, Dilations: []int{1, 1}, Pads: []int{1, 1, 1, 1}}, groups: 1},
		{text: "conv:ic3ih224oc64kh7sh2ph3", x: tensor.Shape{2, 3, 224, 224}, w: tensor.Shape{64, 3, 7, 7}, y: tensor.Shape{2, 64, 112, 112},
			win: backend.Window{Kernel: []int{7, 7}, Strides: []int{2, 2}, Dilations: []int{1, 1}, Pads: []int{3, 3, 2, 2}}, groups: 1, canon: "conv:mb2_ic3ih224oc64oh112kh7sh2ph3"},
		{text: "conv:g32mb1_ic32ih112oc32oh112kh3ph1", x: tensor.Shape{1, 32, 112, 112}, w: tensor.Shape{32, 1, 3, 3}, y: tensor.Shape{1, 32, 112, 112},
			win: backend.Window{Kernel: []int{3, 3}, Strides: []int{1, 1}, Dilations: []int{1, 1}, Pads: []int{1, 1, 1, 1}}, groups: 32},
		{text: "conv:mb1_ic4iw17oc6ow9kw3sw2pw1", x: tensor.Shape{1, 4, 17}, w: tensor.Shape{6, 4, 3}, y: tensor.Shape{1, 6, 9},
			win: backend.Window{Kernel: []int{3}, Strides: []int{2}, Dilations: []int{1}, Pads: []int{1, 1}}, groups: 1},
		{text: "conv:mb1_ic2id5oc4od5kd3pd2dd1", x: tensor.Shape{1, 2, 5, 5, 5}, w: tensor.Shape{4, 2, 3, 3, 3}, y: tensor.Shape{1, 4, 5, 5, 5},
			win: backend.Window{Kernel: []int{3, 3, 3}, Strides: []int{1, 1, 1}, Dilations: []int{2, 2, 2}, Pads: []int{2, 2, 2, 2, 2, 2}}, groups: 1},
		// Without ow, the width's output follows from its own sizes.
		{text: "conv:mb1_ic2ih8iw10oc4oh8kh3ph1", x: tensor.Shape{1, 2, 8, 10}, w: tensor.Shape{4, 2, 3, 3}, y: tensor.Shape{1, 4, 8, 10},
			win: backend.Window{Kernel: []int{3, 3}, Strides: []int{1, 1}, Dilations: []int{1, 1}, Pads: []int{1, 1, 1, 1}}, groups: 1, canon: "conv:mb1_ic2ih8iw10oc4oh8ow10kh3ph1"},
		// The output decides the end padding: here it is longer than the beginning.
		{text: "conv:mb1_ic1ih5oc1oh5kh4ph1", x: tensor.Shape{1, 1, 5, 5}, w: tensor.Shape{1, 1, 4, 4}, y: tensor.Shape{1, 1, 5, 5},
			win: backend.Window{Kernel: []int{4, 4}, Strides: []int{1, 1}, Dilations: []int{1, 1}, Pads: []int{1, 1, 2, 2}}, groups: 1},
		{text: "conv:mb1_ic1ih5oc1oh5kh4ph2", x: tensor.Shape{1, 1, 5, 5}, w: tensor.Shape{1, 1, 4, 4}, y: tensor.Shape{1, 1, 5, 5},
			win: backend.Window{Kernel: []int{4, 4}, Strides: []int{1, 1}, Dilations: []int{1, 1}, Pads: []int{2, 2, 1, 1}}, groups: 1},
		// A row of the input that no window reaches is no negative padding.
		{text: "conv:mb0_ic1ih7oc1oh3kh2sh2", x: tensor.Shape{0, 1, 7, 7}, w: tensor.Shape{1, 1, 2, 2}, y: tensor.Shape{0, 1, 3, 3},
			win: backend.Window{Kernel: []int{2, 2}, Strides: []int{2, 2}, Dilations: []int{1, 1}, Pads: []int{0, 0, 0, 0}}, groups: 1},
		{text: "conv:mb1_ic2ih9iw11oc4oh4ow11kh3kw5sh2sw1ph0pw2", x: tensor.Shape{1, 2, 9, 11}, w: tensor.Shape{4, 2, 3, 5}, y: tensor.Shape{1, 4, 4, 11},
			win: backend.Window{Kernel: []int{3, 5}, Strides: []int{2, 1}, Dilations: []int{1, 1}, Pads: []int{0, 2, 0, 2}}, groups: 1},
	} {
		p, err := Parse(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		d, err := p.Desc.Resolve()
		if err != nil {
			t.Fatal(err)
		}
		op := d.Op.(backend.Conv)
		if !d.In[0].Shape.Equal(c.x) || !d.In[1].Shape.Equal(c.w) || !d.Out[0].Shape.Equal(c.y) || !reflect.DeepEqual(op.Window, c.win) || op.GroupCount() != c.groups {
			t.Errorf("%s: got %v, %v -> %v, %+v", c.text, d.In[0].Shape, d.In[1].Shape, d.Out[0].Shape, op)
		}
		if !d.In[1].Const || d.In[0].Const {
			t.Errorf("%s: the weights and nothing else are constant", c.text)
		}
		want := c.canon
		if want == "" {
			want = c.text
		}
		if got := p.String(); got != want {
			t.Errorf("%s: String is %s, want %s", c.text, got, want)
		}
		roundTrip(t, p)
	}
}

// roundTrip checks that the text of p is read back equal.
func roundTrip(t *testing.T, p Problem) {
	t.Helper()
	q, err := Parse(p.String())
	if err != nil {
		t.Errorf("%v is not read back: %v", p, err)
	} else if !reflect.DeepEqual(p, q) {
		t.Errorf("%v is read back as\n%+v, want\n%+v", p, q, p)
	}
}

func TestParseOps(t *testing.T) {
	for _, c := range []struct {
		text string
		op   backend.Op
		in   []tensor.Shape
		out  tensor.Shape
	}{
		{"pool:max_mb1_ic64_ih112oh56kh3sh2ph1_idx", backend.MaxPool{Indices: true}, []tensor.Shape{{1, 64, 112, 112}}, tensor.Shape{1, 64, 56, 56}},
		{"pool:avg_p_mb1_ic2_ih4oh2kh2sh2", backend.AvgPool{CountIncludePad: true}, []tensor.Shape{{1, 2, 4, 4}}, tensor.Shape{1, 2, 2, 2}},
		{"pool:avg_np_mb1_ic2_ih6oh4kh3sh2ph1eh2_ceil", backend.AvgPool{CeilMode: true}, []tensor.Shape{{1, 2, 6, 6}}, tensor.Shape{1, 2, 4, 4}},
		{"convt:mb1_ic64ih28oc32oh56kh4sh2ph1", backend.ConvTranspose{Groups: 1, OutputPadding: []int{0, 0}}, []tensor.Shape{{1, 64, 28, 28}, {64, 32, 4, 4}}, tensor.Shape{1, 32, 56, 56}},
		{"convt:g2mb1_ic4ih5oc6oh10kh3sh2ph1+bias+residual", backend.ConvTranspose{Groups: 2, OutputPadding: []int{0, 0}, Bias: true, Epilogue: backend.Epilogue{{Kind: backend.Residual}}},
			[]tensor.Shape{{1, 4, 5, 5}, {4, 3, 3, 3}, {6}, {1, 6, 10, 10}}, tensor.Shape{1, 6, 10, 10}},
		{"convt:mb1_ic2iw3oc4ow7kw2sw4pw1dw1", backend.ConvTranspose{Groups: 1, OutputPadding: []int{0}}, []tensor.Shape{{1, 2, 3}, {2, 4, 2}}, tensor.Shape{1, 4, 7}},
		{"convt:mb1_ic2iw3oc4ow13kw2sw4dw1", backend.ConvTranspose{Groups: 1, OutputPadding: []int{2}}, []tensor.Shape{{1, 2, 3}, {2, 4, 2}}, tensor.Shape{1, 4, 13}},
		{"globalpool:avg:1x512x7x7", backend.GlobalPool{Mean: true}, []tensor.Shape{{1, 512, 7, 7}}, tensor.Shape{1, 512, 1, 1}},
		{"dense:mb2x7_ic64oc10+bias+relu", backend.Dense{Bias: true, Epilogue: backend.Epilogue{{Kind: backend.Activate}}}, []tensor.Shape{{2, 7, 64}, {10, 64}, {10}}, tensor.Shape{2, 7, 10}},
		{"matmul:2x64x128:2x128x32", backend.MatMul{}, []tensor.Shape{{2, 64, 128}, {2, 128, 32}}, tensor.Shape{2, 64, 32}},
		{"bn:2x5x4:eps0.001", backend.BatchNorm{Epsilon: 1e-3}, []tensor.Shape{{2, 5, 4}, {5}, {5}, {5}, {5}}, tensor.Shape{2, 5, 4}},
		{"gn:2x6x4x5:g3", backend.GroupNorm{Groups: 3, Epsilon: 1e-5}, []tensor.Shape{{2, 6, 4, 5}, {6}, {6}}, tensor.Shape{2, 6, 4, 5}},
		{"in:2x6x4:eps0.5", backend.InstanceNorm{Epsilon: .5}, []tensor.Shape{{2, 6, 4}, {6}, {6}}, tensor.Shape{2, 6, 4}},
		{"ln:2x6x4:axis-2:eps0", backend.LayerNorm{Axis: -2}, []tensor.Shape{{2, 6, 4}, {6, 4}, {6, 4}}, tensor.Shape{2, 6, 4}},
		{"lrn:1x96x5x5:size5", backend.LRN{Size: 5, Alpha: 1e-4, Beta: .75, K: 1}, []tensor.Shape{{1, 96, 5, 5}}, tensor.Shape{1, 96, 5, 5}},
		{"lrn:1x9x5:size4:alpha1:beta0.5:k2", backend.LRN{Size: 4, Alpha: 1, Beta: .5, K: 2}, []tensor.Shape{{1, 9, 5}}, tensor.Shape{1, 9, 5}},
		{"act:leakyrelu(0.1):1x64x56x56", backend.Activation{Act: backend.Act{Kind: backend.LeakyRelu, Alpha: .1}}, []tensor.Shape{{1, 64, 56, 56}}, tensor.Shape{1, 64, 56, 56}},
		{"act:hardsigmoid(0.2,0.5):2x3", backend.Activation{Act: backend.Act{Kind: backend.HardSigmoid, Alpha: .2, Beta: .5}}, []tensor.Shape{{2, 3}}, tensor.Shape{2, 3}},
		{"act:gelu:2x3", backend.Activation{Act: backend.Act{Kind: backend.Gelu}}, []tensor.Shape{{2, 3}}, tensor.Shape{2, 3}},
		{"act:gelutanh:2x3", backend.Activation{Act: backend.Act{Kind: backend.GeluTanh}}, []tensor.Shape{{2, 3}}, tensor.Shape{2, 3}},
		{"binary:prelu:2x3x4:3x1", backend.Binary{Fn: backend.PRelu}, []tensor.Shape{{2, 3, 4}, {3, 1}}, tensor.Shape{2, 3, 4}},
		{"act:clip(-Inf,6):scalar", nil, []tensor.Shape{{}}, tensor.Shape{}},
		{"softmax:1x1000:axis-1", backend.Softmax{Axis: -1}, []tensor.Shape{{1, 1000}}, tensor.Shape{1, 1000}},
		{"logsoftmax:1x1000:axis1", backend.Softmax{Axis: 1, Log: true}, []tensor.Shape{{1, 1000}}, tensor.Shape{1, 1000}},
		{"act:thresholdedrelu(-0.5):2x3", backend.Activation{Act: backend.Act{Kind: backend.ThresholdedRelu, Alpha: -0.5}}, []tensor.Shape{{2, 3}}, tensor.Shape{2, 3}},
		{"act:sin:4", backend.Activation{Act: backend.Act{Kind: backend.Sin}}, []tensor.Shape{{4}}, tensor.Shape{4}},
		{"binary:lessorequal:2x3:3", backend.Binary{Fn: backend.LessOrEqual}, []tensor.Shape{{2, 3}, {3}}, tensor.Shape{2, 3}},
		{"where:2x1:2x3:scalar", backend.Where{}, []tensor.Shape{{2, 1}, {2, 3}, {}}, tensor.Shape{2, 3}},
		{"binary:div:2x3:scalar", backend.Binary{Fn: backend.Div}, []tensor.Shape{{2, 3}, {}}, tensor.Shape{2, 3}},
		{"pad:1x3:0,1,2,3:constant(0.5)", backend.Pad{Pads: []int{0, 1, 2, 3}, Value: .5}, []tensor.Shape{{1, 3}}, tensor.Shape{3, 7}},
		{"pad:1x3:0,1,0,2:reflect", backend.Pad{Pads: []int{0, 1, 0, 2}, Mode: backend.PadReflect}, []tensor.Shape{{1, 3}}, tensor.Shape{1, 6}},
		{"pad:3:4,1:wrap", backend.Pad{Pads: []int{4, 1}, Mode: backend.PadWrap}, []tensor.Shape{{3}}, tensor.Shape{8}},
		{"reshape:2x6x5:0x-1", backend.Reshape{Shape: []int{0, -1}}, []tensor.Shape{{2, 6, 5}}, tensor.Shape{2, 30}},
		{"flatten:2x6x5:axis2", backend.Flatten{Axis: 2}, []tensor.Shape{{2, 6, 5}}, tensor.Shape{12, 5}},
		{"adaptivepool:avg:1x5x14x13:7x3", backend.AdaptivePool{Out: []int{7, 3}, Mean: true}, []tensor.Shape{{1, 5, 14, 13}}, tensor.Shape{1, 5, 7, 3}},
		{"adaptivepool:max:1x5x14:20", backend.AdaptivePool{Out: []int{20}}, []tensor.Shape{{1, 5, 14}}, tensor.Shape{1, 5, 20}},
		{"resize:linear:half_pixel:1x5x4x6:7x5", backend.Resize{Size: []int{7, 5}, Mode: backend.ResizeLinear}, []tensor.Shape{{1, 5, 4, 6}}, tensor.Shape{1, 5, 7, 5}},
		{"resize:nearest:asymmetric:1x5x4x6:scale2,0.3333333333333333", backend.Resize{Scales: []float64{2, 1.0 / 3}, Coord: backend.Asymmetric}, []tensor.Shape{{1, 5, 4, 6}}, tensor.Shape{1, 5, 8, 2}},
		{"concat:1x5x4,1x2x4,1x0x4:axis1", backend.Concat{Axis: 1, Inputs: 3}, []tensor.Shape{{1, 5, 4}, {1, 2, 4}, {1, 0, 4}}, tensor.Shape{1, 7, 4}},
		{"concat:5,2:axis-1:int32", backend.Concat{Axis: -1, Inputs: 2}, []tensor.Shape{{5}, {2}}, tensor.Shape{7}},
		{"transpose:2x3x4:0,2,1", backend.Transpose{Perm: []int{0, 2, 1}}, []tensor.Shape{{2, 3, 4}}, tensor.Shape{2, 4, 3}},
		{"transpose:2x3x4", backend.Transpose{}, []tensor.Shape{{2, 3, 4}}, tensor.Shape{4, 3, 2}},
		{"transpose:2x3:1,0:int32", backend.Transpose{Perm: []int{1, 0}}, []tensor.Shape{{2, 3}}, tensor.Shape{3, 2}},
		{"transpose:scalar:int32", backend.Transpose{}, []tensor.Shape{{}}, tensor.Shape{}},
		{"gather:301x64:4x77:axis0", backend.Gather{}, []tensor.Shape{{301, 64}, {4, 77}}, tensor.Shape{4, 77, 64}},
		{"gather:5x6:scalar:axis-1:int32", backend.Gather{Axis: -1}, []tensor.Shape{{5, 6}, {}}, tensor.Shape{5}},
		{"resample:1x3x8x9:axis2:16x4", backend.Resample{Axis: 2}, []tensor.Shape{{1, 3, 8, 9}, {16, 4}, {16, 4}}, tensor.Shape{1, 3, 16, 9}},
		{"maxunpool:1x5x4x3:8x6", backend.MaxUnpool{Size: []int{8, 6}}, []tensor.Shape{{1, 5, 4, 3}, {1, 5, 4, 3}}, tensor.Shape{1, 5, 8, 6}},
		{"slice:2x8x5:0,4,end-2:1,end,end", backend.Slice{Starts: []int{0, 4, backend.SliceEnd - 2}, Ends: []int{1, backend.SliceEnd, backend.SliceEnd}}, []tensor.Shape{{2, 8, 5}}, tensor.Shape{1, 4, 2}},
		{"slice:7x9:end,1:-1,9:-2,3:int32", backend.Slice{Starts: []int{backend.SliceEnd, 1}, Ends: []int{-1, 9}, Steps: []int{-2, 3}}, []tensor.Shape{{7, 9}}, tensor.Shape{4, 3}},
		{"slice:7:2:end-1:int32", backend.Slice{Starts: []int{2}, Ends: []int{backend.SliceEnd - 1}}, []tensor.Shape{{7}}, tensor.Shape{4}},
		{"slice:scalar", backend.Slice{}, []tensor.Shape{{}}, tensor.Shape{}},
		{"reduce:mean:2x3x4x5:axes2,-1:keep", backend.Reduce{Fn: backend.ReduceMean, Axes: []int{2, -1}, KeepDims: true}, []tensor.Shape{{2, 3, 4, 5}}, tensor.Shape{2, 3, 1, 1}},
		{"reduce:logsumexp:2x3", backend.Reduce{Fn: backend.ReduceLogSumExp}, []tensor.Shape{{2, 3}}, tensor.Shape{}},
		{"reduce:logsum:2x3:axes0", backend.Reduce{Fn: backend.ReduceLogSum, Axes: []int{0}}, []tensor.Shape{{2, 3}}, tensor.Shape{3}},
		{"argmax:2x21x8:axis1", backend.ArgMax{Axis: 1}, []tensor.Shape{{2, 21, 8}}, tensor.Shape{2, 8}},
		{"argmin:2x8:axis-1:last:keep", backend.ArgMax{Axis: -1, Min: true, Last: true, KeepDims: true}, []tensor.Shape{{2, 8}}, tensor.Shape{2, 1}},
		{"topk:8x100:axis0:k5:smallest", backend.TopK{K: 5, Smallest: true}, []tensor.Shape{{8, 100}}, tensor.Shape{5, 100}},
		{"onehot:scalar:axis0:depth4", backend.OneHot{Depth: 4}, []tensor.Shape{{}}, tensor.Shape{4}},
		{"onehot:2x5:axis-1:depth7", backend.OneHot{Axis: -1, Depth: 7}, []tensor.Shape{{2, 5}}, tensor.Shape{2, 5, 7}},
		{"expand:6x1x1:2x6x5x7", backend.Expand{Shape: []int{2, 6, 5, 7}}, []tensor.Shape{{6, 1, 1}}, tensor.Shape{2, 6, 5, 7}},
		{"expand:2x1:scalar:int32", backend.Expand{Shape: []int{}}, []tensor.Shape{{2, 1}}, tensor.Shape{2, 1}},
		{"tile:2x3:2,1:int32", backend.Tile{Repeats: []int{2, 1}}, []tensor.Shape{{2, 3}}, tensor.Shape{4, 3}},
		{"tile:scalar", backend.Tile{}, []tensor.Shape{{}}, tensor.Shape{}},
		{`reorder:2x5x4x3:plain:channels-last/4:int32_n"a #name"`, backend.Reorder{}, []tensor.Shape{{2, 5, 4, 3}}, tensor.Shape{2, 5, 4, 3}},
	} {
		p, err := Parse(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := p.String(); got != c.text {
			t.Errorf("%s: String is %s", c.text, got)
		}
		roundTrip(t, p)
		d, err := p.Desc.Resolve()
		if err != nil {
			t.Fatal(err)
		}
		var in []tensor.Shape
		for _, x := range d.In {
			in = append(in, x.Shape)
		}
		if !reflect.DeepEqual(in, c.in) || !d.Out[0].Shape.Equal(c.out) {
			t.Errorf("%s: got %v -> %v, want %v -> %v", c.text, in, d.Out[0].Shape, c.in, c.out)
		}
		got := d.Op
		switch op := got.(type) { // the window is TestParseConv's
		case backend.ConvTranspose:
			op.Window = backend.Window{}
			got = op
		case backend.MaxPool:
			op.Window = backend.Window{}
			got = op
		case backend.AvgPool:
			op.Window = backend.Window{}
			got = op
		}
		if c.op != nil && !reflect.DeepEqual(got, c.op) {
			t.Errorf("%s: got %+v, want %+v", c.text, got, c.op)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for text, part := range map[string]string{
		"":                                       "position 0: got the end, want one of conv:, convt:, pool:",
		"conf:mb1":                               `position 0: got "conf:mb1"`,
		"conv:mb1_ic64zz5":                       `position 13: got "zz5", want a key`,
		"conv:mb1_ic64ih56oc":                    "position 19: got the end, want a number",
		"conv:mb1_mb2_ic64ih56oc64kh3":           "position 9: got mb a second time",
		"conv:mb1_ic64ih56oc64":                  "want kh, the size of the window",
		"conv:mb1_ic64ih56kh3":                   "want oc",
		"conv:mb1_oc64ih56kh3":                   "want ic",
		"conv:mb1_ic64oc64kh3":                   "want an input size",
		"conv:mb1_ic64ih5oc64kh3kd3":             "got kd3, want no key of a dim without id",
		"conv:g3mb1_ic64ih5oc63kh3":              "got ic64, want a multiple of g = 3",
		"conv:g3mb1_ic63ih5oc64kh3":              "got oc64, want a multiple of g = 3",
		"conv:g0mb1_ic63ih5oc64kh3":              "got g0, want 1 or more",
		"conv:mb1_ic64ih56oc64oh40kh3ph1":        "got oh40, want oh55 or more",
		"conv:mb1_ic64ih56oc64oh56kh3sh0":        "strides",
		"conv:mb1_ic64ih2oc64kh3":                "kernel larger than the padded input",
		"conv:mb1_ic9999999999ih2oc64kh3":        "position 11: got 9999999999, want at most 1073741824",
		"conv:mb1_ic64ih5oc64kh3+bias+swish":     `position 29: got "swish", want one of scaleshift, residual, relu`,
		"conv:mb1_ic64ih5oc64kh3+clip(6,0)":      "lower ≤ upper",
		"convt:mb1_ic4ih5oc4kh3sh0":              "strides",
		"convt:mb1_ic4ih0oc4kh3":                 "got ih0, want 1 or more",
		"convt:mb1_ic4ih5oc4oh14kh3sh2ph1":       "got oh14, want oh1 to oh11",
		"convt:mb1_ic4ih5oc4oh8kh3sh2ph1eh1":     "got oh8, want oh9 to oh10",
		"convt:mb1_ic4ih5oc4kh3ph4":              "pads take away from y",
		"convt:g3mb1_ic4ih5oc3kh3":               "got ic4, want a multiple of g = 3",
		"convt:g2mb1_ic4ih5oc3kh3":               "got oc3, want a multiple of g = 2",
		"convt:mb1_ic4ih5kh3":                    "want oc",
		"conv:mb1_ic64ih5oc64kh3 ":               `position 23: got " ", want the end`,
		`conv:mb1_ic64ih5oc64kh3"x"`:             `want n"name" at the end`,
		"pool:avg_mb1_ic1_ih4kh2":                "want one of max, avg_np, avg_p",
		"pool:avg_p_mb1_ic1_ih4kh2_idx":          "got idx0, want it beside max only",
		"pool:max_mb1_ic1_ih6oh3kh3sh2ph1_ceil":  "got oh3, want oh4",
		"dense:mb1_oc5":                          `want "ic"`,
		"matmul:2x3":                             `position 10: got the end, want ":"`,
		"matmul:2x3:4x5":                         "rows",
		"matmul:2x:3x5":                          "want a number",
		"bn:5":                                   "rank 2 or more",
		"softmax:3x4:axis2":                      "axis",
		"adaptivepool:avg:1x5x14x13:7":           "want 2 values",
		"adaptivepool:mean:1x5x14:7":             "want one of max, avg",
		"resize:cubic:half_pixel:1x5x4:8":        "want one of nearest, linear",
		"resize:linear:half_pixel:1x5x4:scale":   "position 36: got the end, want a number",
		"resize:linear:half_pixel:1x5x4:scale0":  "scales[0]: got 0",
		"concat:1x5x4,2x5x4:axis1":               "only dim 1, the axis, may differ",
		"concat:1x5x4,:axis1":                    "want a number",
		"transpose:2x3:1,1":                      "each of 0 to 1 once",
		"slice:2x3:0,0":                          `position 13: got the end, want ":"`,
		"slice:2x3:0,0:1":                        "want 2 values",
		"slice:2x3:0,x:1,1":                      "position 12: got \"x:1,1\", want a number",
		"slice:2x3:0,0:1,end+1":                  `got "+1", want the end`,
		"slice:2x3:0,0:1,1:1,0":                  "a number other than 0",
		"reduce:median:2x3":                      "want one of sum, mean, max",
		"reduce:sum:2x3:axes2":                   "axis: got 2",
		"reduce:sum:2x3:axes":                    `got the end, want a number`,
		"argmax:2x3:axis1:keep:last":             `got ":last", want the end`,
		"topk:2x3:axis1":                         `want ":k"`,
		"topk:2x3:axis1:k4":                      "k: got 4, want 0 to 3",
		"onehot:2x3:axis1":                       `want ":depth"`,
		"expand:2x3:2x4":                         "3 against 4 in dim 1 from the right",
		"expand:2x3":                             `want ":"`,
		"tile:2x3:2":                             "want 2 values",
		"tile:2x3:2,-1":                          "repeats[1]: got -1",
		"gn:2x6x4":                               `position 8: got the end, want ":g"`,
		"gn:6:g2":                                "rank 2 or more",
		"gn:2x6x4:g4":                            "multiple of groups = 4",
		"gn:2x6x4:g2:eps-1":                      "epsilon",
		"in:2x6x4:epsx":                          "want a float32",
		"ln:2x6x4:axis3":                         "axis",
		"ln:scalar":                              "axis",
		"lrn:2x6x4":                              `want ":size"`,
		"lrn:2x6x4:size0":                        "size",
		"lrn:2x6x4:size5:beta-1":                 "beta",
		"pad:3:1:edge":                           "2 values",
		"reorder:2x3:any:plain":                  "want one of plain, channels-last",
		"reorder:2x3x4:plain:channels-last/1":    "2 or more",
		"reshape:2x3:4x-1":                       "do not divide",
		"act:relu:1x2x3x4x5x6x7x8x9":             "rank",
		"act:relu:1073741824x1073741824x8192x99": "elements",
	} {
		_, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: got error %v, want one with %q", text, err, part)
		} else if !IsParseError(err) {
			t.Errorf("%q: %v is no fault of the user's", text, err)
		}
	}
	if IsParseError(errors.New("x")) {
		t.Error("any error is a parse error")
	}
}

func TestShapeFiles(t *testing.T) {
	names, about := ShapeFiles()
	if len(names) < 8 {
		t.Fatalf("only %v", names)
	}
	for i, name := range names {
		if strings.HasPrefix(about[i], "conv") {
			t.Errorf("%s begins with no comment", name)
		}
		ps, err := ReadShapes(name)
		if err != nil {
			t.Error(err)
		}
		seen := map[string]bool{}
		for _, p := range ps {
			roundTrip(t, p)
			if p.Name == "" || seen[p.Name] {
				t.Errorf("%s: %v: no name of its own", name, p)
			}
			seen[p.Name] = true
			if err := p.Runnable(); err != nil {
				t.Error(err)
			}
		}
	}
	kinds := map[string]bool{}
	ops, err := ReadShapes("ops")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range ops {
		kinds[p.Kind()] = true
	}
	prefixes, _ := Forms()
	for _, p := range prefixes {
		if !kinds[p] {
			t.Errorf("ops.txt has no %s", p)
		}
	}
}

func TestReadShapesErrors(t *testing.T) {
	_, err := readShapes("f", strings.NewReader("# c\n\nact:relu:2 # ok\nact:relu:x\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "f:4: ") {
		t.Errorf("got %v, want the line", err)
	}
	if _, err := ReadShapes("no-such-file"); err == nil || !strings.Contains(err.Error(), "resnet50") {
		t.Errorf("got %v, want the names of the built-in files", err)
	}
	ps, err := readShapes("f", strings.NewReader(`act:relu:2_n"a#b"`+"\n"))
	if err != nil || len(ps) != 1 || ps[0].Name != "a#b" {
		t.Errorf("got %v, %v", ps, err)
	}
}

func TestRunnable(t *testing.T) {
	p, err := Parse("act:relu:1073741824x2")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Runnable(); err == nil || !strings.Contains(err.Error(), "17179869184 bytes") {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	names, _ := ShapeFiles()
	for _, name := range names {
		ps, err := ReadShapes(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, p := range ps {
			f.Add(p.String())
		}
	}
	f.Add("convt:g2mb1_ic2ih9iw11oc4oh18ow12kh3kw5sh2sw1ph1pw2dh1eh1+bias")
	f.Add("conv:mb1_ic2ih9iw11oc4oh4ow11kh3kw5sh2sw1ph0pw2dh1eh3+bias+leakyrelu(1e+30)")
	f.Add("pool:avg_p_mb1_ic2_id6ih7kd3kw2sw3pd1ew4_ceil")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		if _, err := p.Desc.Resolve(); err != nil {
			t.Fatalf("%q was accepted, but %v", text, err)
		}
		roundTrip(t, p)
	})
}
