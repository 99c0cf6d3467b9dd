package backend

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestConvTransposeInfer(t *testing.T) {
	strided := Window{Strides: shape{2, 2}, Pads: shape{1, 1, 1, 1}}
	epilogue := Epilogue{{Kind: ScaleShift}, {Kind: Residual}, {Kind: Activate}}
	for _, c := range []struct {
		name string
		op   ConvTranspose
		in   []TensorDesc
		want string
	}{
		{"1-D", ConvTranspose{}, descs(shape{2, 3, 8}, shape{3, 4, 3}), "float32[2,4,10]"},
		{"twice as large", ConvTranspose{Window: strided}, descs(shape{1, 64, 28, 28}, shape{64, 32, 4, 4}), "float32[1,32,56,56]"},
		{"kernel as an attribute", ConvTranspose{Window: Window{Kernel: shape{3, 2}}}, descs(shape{1, 3, 4, 5}, shape{3, 1, 3, 2}), "float32[1,1,6,6]"},
		{"groups, 3-D", ConvTranspose{Groups: 2, Bias: true}, descs(shape{0, 4, 2, 3, 4}, shape{4, 5, 1, 2, 3}, shape{10}), "float32[0,10,2,4,6]"},
		{"output padding", ConvTranspose{Window: strided, OutputPadding: shape{1, 0}}, descs(shape{1, 2, 5, 5}, shape{2, 1, 3, 3}), "float32[1,1,10,9]"},
		{"output padding by dilation", ConvTranspose{Window: Window{Dilations: shape{3}}, OutputPadding: shape{2}}, descs(shape{1, 2, 5}, shape{2, 1, 2}), "float32[1,1,10]"},
		{"pads begin then end", ConvTranspose{Window: Window{Pads: shape{0, 1, 2, 3}}}, descs(shape{1, 2, 5, 6}, shape{2, 1, 3, 3}), "float32[1,1,5,4]"},
		{"stride above kernel", ConvTranspose{Window: Window{Strides: shape{5}}}, descs(shape{1, 2, 3}, shape{2, 1, 2}), "float32[1,1,12]"},
		{"same upper", ConvTranspose{Window: Window{Strides: shape{2}, AutoPad: SameUpper}}, descs(shape{1, 2, 3}, shape{2, 1, 5}), "float32[1,1,6]"},
		{"same, kernel below stride", ConvTranspose{Window: Window{Strides: shape{4}, AutoPad: SameLower}}, descs(shape{1, 2, 3}, shape{2, 1, 2}), "float32[1,1,12]"},
		{"valid", ConvTranspose{Window: Window{Strides: shape{2}, AutoPad: Valid}}, descs(shape{1, 2, 3}, shape{2, 1, 5}), "float32[1,1,9]"},
		{"epilogue", ConvTranspose{Epilogue: epilogue}, descs(shape{2, 3, 8}, shape{3, 4, 3}, shape{4}, shape{4}, shape{2, 4, 10}), "float32[2,4,10]"},
	} {
		d, err := Desc{Op: c.op, In: c.in}.Resolve()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := d.Out[0].String(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestConvTransposeGeometry(t *testing.T) {
	for _, c := range []struct {
		name            string
		op              ConvTranspose
		in, kernel      int
		out, begin, end int
	}{
		{"explicit", ConvTranspose{Window: Window{Strides: shape{2}, Pads: shape{1, 2}}}, 4, 4, 7, 1, 2},
		{"same upper, odd", ConvTranspose{Window: Window{Strides: shape{2}, AutoPad: SameUpper}}, 4, 5, 8, 1, 2},
		{"same lower, odd", ConvTranspose{Window: Window{Strides: shape{2}, AutoPad: SameLower}}, 4, 5, 8, 2, 1},
		{"same upper with output padding", ConvTranspose{Window: Window{Strides: shape{2}, AutoPad: SameUpper}, OutputPadding: shape{1}}, 4, 5, 8, 2, 2},
		{"same upper, nothing to take away", ConvTranspose{Window: Window{Strides: shape{3}, AutoPad: SameUpper}}, 4, 2, 12, 0, 0},
	} {
		g, err := c.op.Geometry(shape{1, 1, c.in}, shape{1, 1, c.kernel})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if g.Out[0] != c.out || g.Begin[0] != c.begin || g.End[0] != c.end {
			t.Errorf("%s: got out %d, begin %d, end %d; want %d, %d, %d", c.name, g.Out[0], g.Begin[0], g.End[0], c.out, c.begin, c.end)
		}
	}
}

func TestConvTransposeErrors(t *testing.T) {
	var (
		shapeErr *ShapeError
		attrErr  *AttrError
	)
	image, w := shape{1, 3, 8, 8}, shape{3, 4, 3, 3}
	win := func(w Window) ConvTranspose { return ConvTranspose{Window: w} }
	for _, c := range []struct {
		op   ConvTranspose
		in   []TensorDesc
		as   any
		want string
	}{
		{ConvTranspose{}, descs(image), &shapeErr, "ConvTranspose: inputs: got 1, want 2: [x w]"},
		{ConvTranspose{}, []TensorDesc{i32(image...), F32(w...)}, &shapeErr, "ConvTranspose: x: type: got int32, want float32"},
		{ConvTranspose{}, []TensorDesc{F32(image...), i32(w...)}, &shapeErr, "ConvTranspose: w: type: got int32, want float32"},
		{ConvTranspose{}, descs(shape{8, 8}, shape{3, 3}), &shapeErr, "ConvTranspose: x: rank: got 2"},
		{ConvTranspose{}, descs(image, shape{3, 4, 3}), &shapeErr, "ConvTranspose: w: rank: got 3 ([3,4,3]), want 4 ([Cin, Cout/groups, kernel...], as x has rank 4)"},
		{ConvTranspose{}, descs(image, shape{4, 3, 3, 3}), &shapeErr, "ConvTranspose: x: channels: got 3 (x [1,3,8,8]), want 4 (w [4,3,3,3]) (is w [Cout, Cin/groups, kernel...], as a Conv has it? a ConvTranspose has [Cin, Cout/groups, kernel...])"},
		{ConvTranspose{Groups: 3}, descs(image, shape{6, 1, 3, 3}), &shapeErr, "(is w [Cout, Cin/groups, kernel...], as a Conv has it?"},
		{ConvTranspose{}, descs(shape{1, 8, 8, 3}, w), &shapeErr, "want 3 (w [3,4,3,3]) (is x channels-last? use tensor.HWCToNCHW)"},
		{ConvTranspose{}, descs(shape{1, 5, 8, 8}, w), &shapeErr, "ConvTranspose: x: channels: got 5 (x [1,5,8,8]), want 3 (w [3,4,3,3])"},
		{ConvTranspose{}, descs(shape{1, 0, 8, 8}, shape{0, 4, 3, 3}), &shapeErr, "ConvTranspose: w: input channels: got 0"},
		{ConvTranspose{}, descs(image, shape{3, 0, 3, 3}), &shapeErr, "ConvTranspose: w: output channels of a group: got 0"},
		{ConvTranspose{Groups: math.MaxInt}, descs(image, w), &shapeErr, "ConvTranspose: w: input channels: got 3, want a multiple of groups"},
		{ConvTranspose{Groups: 2}, descs(image, w), &shapeErr, "ConvTranspose: w: input channels: got 3, want a multiple of groups = 2"},
		{ConvTranspose{Groups: -1}, descs(image, w), &attrErr, "ConvTranspose: groups: got -1, want 1 or more"},
		{ConvTranspose{Bias: true}, descs(image, w, shape{3}), &shapeErr, "ConvTranspose: b: got [3], want [4]"},
		{ConvTranspose{Epilogue: Epilogue{{Kind: Residual}}}, descs(image, w, shape{1, 4, 8, 8}), &shapeErr, "ConvTranspose: epilogue[0].residual: got [1,4,8,8], want [1,4,10,10]"},
		{ConvTranspose{Epilogue: Epilogue{{Kind: ScaleShift}}}, descs(image, w, shape{4}, shape{3}), &shapeErr, "ConvTranspose: epilogue[0].shift: got [3], want [4]"},
		{win(Window{Kernel: shape{3, 5}}), descs(image, w), &shapeErr, "ConvTranspose: w: kernel: got [3 3], want [3 5]"},
		{ConvTranspose{}, descs(image, shape{3, 4, 0, 3}), &attrErr, "ConvTranspose: kernel[0]: got 0, want 1"},
		{win(Window{Strides: shape{0, 1}}), descs(image, w), &attrErr, "ConvTranspose: strides[0]: got 0"},
		{win(Window{Dilations: shape{1}}), descs(image, w), &attrErr, "ConvTranspose: dilations: got 1 values [1], want 2 values"},
		{win(Window{Pads: shape{1, 1}}), descs(image, w), &attrErr, "ConvTranspose: pads: got 2 values [1 1], want 4 values"},
		{win(Window{AutoPad: 9}), descs(image, w), &attrErr, "ConvTranspose: auto_pad: got AutoPad(9)"},
		{win(Window{AutoPad: SameUpper, Pads: shape{1, 0, 0, 0}}), descs(image, w), &attrErr, "ConvTranspose: pads: got [1 0 0 0], want none beside auto_pad SAME_UPPER"},
		{win(Window{Pads: shape{5, 0, 5, 0}}), descs(image, w), &shapeErr, "ConvTranspose: pads of dim H: got 5 + 5, want less than the 10 outputs of 8 inputs (pads take away from y here)"},
		{ConvTranspose{}, descs(shape{1, 3, 0, 8}, w), &shapeErr, "ConvTranspose: x: dim H: got 0"},
		{ConvTranspose{OutputPadding: shape{1}}, descs(image, w), &attrErr, "ConvTranspose: output_padding: got 1 values [1], want 2 values"},
		{ConvTranspose{OutputPadding: shape{0, -1}}, descs(image, w), &attrErr, "ConvTranspose: output_padding[1]: got -1"},
		{ConvTranspose{OutputPadding: shape{0, 1}}, descs(image, w), &attrErr, "ConvTranspose: output_padding[1]: got 1, want less than 1, the greater of stride 1 and dilation 1"},
		{ConvTranspose{Window: Window{Strides: shape{2, 3}, Dilations: shape{4, 1}}, OutputPadding: shape{3, 3}}, descs(image, w), &attrErr, "ConvTranspose: output_padding[1]: got 3, want less than 3, the greater of stride 3 and dilation 1"},
		{win(Window{Strides: shape{math.MaxInt32}}), descs(shape{1, 1, 1 << 40}, shape{1, 1, 1}), &shapeErr, "ConvTranspose: x: dim L"},
		{win(Window{Strides: shape{math.MaxInt32, math.MaxInt32}}), descs(shape{1, 1, 1 << 20, 1 << 20}, shape{1, 1, 1, 1}), &shapeErr, "ConvTranspose: y: got"},
	} {
		_, err := Desc{Op: c.op, In: c.in}.Resolve()
		wantErrorAs(t, err, c.as, c.want)
	}
}

func TestConvTransposeArgsAndCost(t *testing.T) {
	op := ConvTranspose{Groups: 2, Bias: true, Epilogue: Epilogue{{Kind: ScaleShift}, {Kind: Residual}}, Window: Window{Strides: shape{2, 2}}}
	in, out := op.Args()
	var names []string
	for _, a := range append(in, out...) {
		names = append(names, a.Name)
	}
	want := "x w b epilogue[0].scale epilogue[0].shift epilogue[1].residual y"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("Args: got %s, want %s", got, want)
	}
	if weights := []bool{in[0].Weight, in[1].Weight, in[2].Weight, in[5].Weight}; !slices.Equal(weights, []bool{false, true, true, false}) {
		t.Errorf("weights: got %v", weights)
	}
	d, err := Desc{Op: op, In: descs(shape{1, 4, 3, 3}, shape{4, 5, 2, 2}, shape{10}, shape{10}, shape{10}, shape{1, 10, 6, 6})}.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	// 36 inputs, each to 5 channels at 4 taps; 360 outputs with a bias, a scale and
	// shift, and a residual
	if got, want := d.Cost().FLOPs, int64(2*36*5*4+360*4); got != want {
		t.Errorf("FLOPs: got %d, want %d", got, want)
	}
}

// Geometry is the formula of the definition: y ends where the last tap of the last
// input does, output padding and pads aside.
func FuzzConvTransposeGeometry(f *testing.F) {
	f.Add(5, 3, 2, 1, 1, 1, 1)
	f.Add(8, 2, 3, 2, 0, 2, 0)
	f.Fuzz(func(t *testing.T, in, kernel, stride, dilation, begin, end, more int) {
		for _, v := range []int{in, kernel, stride, dilation, begin, end, more} {
			if v < -3 || v > 40 {
				t.Skip()
			}
		}
		op := ConvTranspose{Window: Window{Kernel: []int{kernel}, Strides: []int{stride}, Dilations: []int{dilation}, Pads: []int{begin, end}}, OutputPadding: []int{more}}
		g, err := op.Geometry([]int{1, 1, in}, []int{1, 1, kernel})
		valid := in > 0 && kernel > 0 && stride > 0 && dilation > 0 && begin >= 0 && end >= 0 && more >= 0 && more < max(stride, dilation)
		last := 0
		for i := range max(in, 0) {
			for r := range max(kernel, 0) {
				last = max(last, i*stride+r*dilation)
			}
		}
		out := last + 1 + more - begin - end
		if !valid || out < 1 {
			if err == nil {
				t.Fatalf("got out %v, want an error", g.Out)
			}
			return
		}
		if err != nil || g.Out[0] != out {
			t.Fatalf("got %v, %v; want %d", g.Out, err, out)
		}
	})
}
