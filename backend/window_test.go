package backend

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestWindowGeometry(t *testing.T) {
	for _, c := range []struct {
		name            string
		w               Window
		in              []int
		ceil            bool
		out, begin, end []int
	}{
		{"defaults", Window{Kernel: []int{3, 2}}, []int{5, 7}, false, []int{3, 6}, []int{0, 0}, []int{0, 0}},
		{"stride", Window{Kernel: []int{3}, Strides: []int{2}}, []int{8}, false, []int{3}, []int{0}, []int{0}},
		{"stride above kernel", Window{Kernel: []int{2}, Strides: []int{5}}, []int{8}, false, []int{2}, []int{0}, []int{0}},
		{"dilation", Window{Kernel: []int{3}, Dilations: []int{3}}, []int{8}, false, []int{2}, []int{0}, []int{0}},
		{"pads begin then end", Window{Kernel: []int{1, 1}, Pads: []int{1, 2, 3, 4}}, []int{5, 5}, false, []int{9, 11}, []int{1, 2}, []int{3, 4}},
		{"kernel as the padded input", Window{Kernel: []int{5}, Pads: []int{1, 1}}, []int{3}, false, []int{1}, []int{1}, []int{1}},
		{"three dims", Window{Kernel: []int{1, 2, 3}, Strides: []int{1, 2, 3}}, []int{4, 5, 6}, false, []int{4, 2, 2}, []int{0, 0, 0}, []int{0, 0, 0}},

		{"floor", Window{Kernel: []int{2}, Strides: []int{2}}, []int{5}, false, []int{2}, []int{0}, []int{0}},
		{"ceil", Window{Kernel: []int{2}, Strides: []int{2}}, []int{5}, true, []int{3}, []int{0}, []int{0}},
		{"ceil that divides", Window{Kernel: []int{2}, Strides: []int{2}}, []int{6}, true, []int{3}, []int{0}, []int{0}},
		// A third window would begin at 4, where the end padding does.
		{"ceil, not into the padding", Window{Kernel: []int{2}, Strides: []int{3}, Pads: []int{1, 1}}, []int{5}, true, []int{2}, []int{1}, []int{1}},
		{"ceil, last element", Window{Kernel: []int{2}, Strides: []int{3}, Pads: []int{1, 0}}, []int{6}, true, []int{3}, []int{1}, []int{0}},
		{"ceil, large stride", Window{Kernel: []int{1}, Strides: []int{9}}, []int{4}, true, []int{1}, []int{0}, []int{0}},

		{"same upper, odd", Window{Kernel: []int{4}, AutoPad: SameUpper}, []int{5}, false, []int{5}, []int{1}, []int{2}},
		{"same lower, odd", Window{Kernel: []int{4}, AutoPad: SameLower}, []int{5}, false, []int{5}, []int{2}, []int{1}},
		{"same upper, even", Window{Kernel: []int{3}, AutoPad: SameUpper}, []int{5}, false, []int{5}, []int{1}, []int{1}},
		{"same upper, stride", Window{Kernel: []int{3}, Strides: []int{2}, AutoPad: SameUpper}, []int{6}, false, []int{3}, []int{0}, []int{1}},
		{"same lower, stride", Window{Kernel: []int{3}, Strides: []int{2}, AutoPad: SameLower}, []int{6}, false, []int{3}, []int{1}, []int{0}},
		{"same, dilation", Window{Kernel: []int{3}, Dilations: []int{2}, AutoPad: SameUpper}, []int{4}, false, []int{4}, []int{2}, []int{2}},
		{"same, nothing to pad", Window{Kernel: []int{1}, Strides: []int{4}, AutoPad: SameUpper}, []int{6}, false, []int{2}, []int{0}, []int{0}},
		{"same beside zero pads", Window{Kernel: []int{3}, Pads: []int{0, 0}, AutoPad: SameUpper}, []int{4}, false, []int{4}, []int{1}, []int{1}},
		{"valid", Window{Kernel: []int{3}, AutoPad: Valid}, []int{5}, false, []int{3}, []int{0}, []int{0}},
		{"largest attributes", Window{Kernel: []int{1}, Strides: []int{math.MaxInt32}, Dilations: []int{math.MaxInt32}, Pads: []int{math.MaxInt32, math.MaxInt32}}, []int{2}, false, []int{3}, []int{math.MaxInt32}, []int{math.MaxInt32}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := c.w.Geometry("Conv", c.in, c.ceil)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(g.Out, c.out) || !slices.Equal(g.Begin, c.begin) || !slices.Equal(g.End, c.end) {
				t.Errorf("got out %v, begin %v, end %v; want %v, %v, %v", g.Out, g.Begin, g.End, c.out, c.begin, c.end)
			}
			// The first window of each dim begins in the padded input and the last one
			// before its end padding: what kernels rely on.
			for i, o := range g.Out {
				if last := (o-1)*g.Stride[i] - g.Begin[i]; o < 1 || c.ceil && last >= g.In[i] {
					t.Errorf("dim %d: last window begins at %d of %d", i, last, g.In[i])
				}
			}
		})
	}
}

func TestWindowErrors(t *testing.T) {
	const huge = math.MaxInt32 + 1
	for _, c := range []struct {
		name string
		w    Window
		in   []int
		want string
	}{
		{"no kernel", Window{}, []int{5}, "kernel: got 0 values [], want 1 values"},
		{"kernel rank", Window{Kernel: []int{3}}, []int{5, 5}, "kernel: got 1 values [3], want 2 values"},
		{"kernel 0", Window{Kernel: []int{3, 0}}, []int{5, 5}, "kernel[1]: got 0, want 1 to 2147483647"},
		{"stride 0", Window{Kernel: []int{3}, Strides: []int{0}}, []int{5}, "strides[0]: got 0, want 1 to 2147483647"},
		{"stride rank", Window{Kernel: []int{3}, Strides: []int{1, 1}}, []int{5}, "strides: got 2 values [1 1], want 1 values"},
		{"dilation 0", Window{Kernel: []int{3}, Dilations: []int{0}}, []int{5}, "dilations[0]: got 0"},
		{"negative pads", Window{Kernel: []int{3}, Pads: []int{0, -1}}, []int{5}, "pads[1]: got -1, want 0 to 2147483647"},
		{"pads rank", Window{Kernel: []int{3}, Pads: []int{1}}, []int{5}, "pads: got 1 values [1], want 2 values"},
		{"huge kernel", Window{Kernel: []int{huge}}, []int{5}, "kernel[0]: got 2147483648"},
		{"huge pads", Window{Kernel: []int{1}, Pads: []int{huge, 0}}, []int{5}, "pads[0]: got 2147483648"},
		{"auto_pad", Window{Kernel: []int{1}, AutoPad: 9}, []int{5}, "auto_pad: got AutoPad(9), want NOTSET, SAME_UPPER, SAME_LOWER or VALID"},
		{"auto_pad beside pads", Window{Kernel: []int{1}, AutoPad: SameUpper, Pads: []int{0, 1}}, []int{5}, "pads: got [0 1], want none beside auto_pad SAME_UPPER"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.w.Geometry("Conv", c.in, false)
			var attr *AttrError
			if !errors.As(err, &attr) || attr.Op != "Conv" || !strings.Contains(err.Error(), "backend: Conv: "+c.want) {
				t.Errorf("got %v, want an AttrError that says %q", err, c.want)
			}
		})
	}
	for _, c := range []struct {
		name string
		w    Window
		in   []int
		want string
	}{
		{"kernel larger than the input", Window{Kernel: []int{1, 4}}, []int{5, 3}, "backend: Conv: x: dim W: got 3, want at least the kernel's 4 (kernel larger than the padded input)"},
		{"dilated kernel", Window{Kernel: []int{3}, Dilations: []int{3}, Pads: []int{1, 1}}, []int{4}, "x: dim L: got 4 (6 with padding), want at least 7, the extent of kernel 3 with dilation 3 (kernel larger than the padded input)"},
		{"no pixel", Window{Kernel: []int{1}}, []int{0}, "x: dim L: got 0, want at least 1 (the input is empty)"},
		{"no pixel, same", Window{Kernel: []int{3}, AutoPad: SameUpper}, []int{0}, "got 0"},
		{"no pixel but padding", Window{Kernel: []int{1}, Pads: []int{2, 2}}, []int{0}, "got 0 (4 with padding)"},
		{"volume", Window{Kernel: []int{3, 1, 1}, Pads: []int{0, 0, 0, 1, 0, 0}}, []int{1, 9, 9}, "x: dim D: got 1 (2 with padding), want at least the kernel's 3 ("},
		{"largest reach", Window{Kernel: []int{math.MaxInt32}, Dilations: []int{math.MaxInt32}}, []int{9}, "kernel 2147483647 with dilation 2147483647"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.w.Geometry("Conv", c.in, false)
			var shape *ShapeError
			if !errors.As(err, &shape) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want a ShapeError that says %q", err, c.want)
			}
		})
	}
}

func TestGeometryTo3(t *testing.T) {
	w := Window{Kernel: []int{3, 2}, Strides: []int{2, 1}, Dilations: []int{1, 2}, Pads: []int{1, 2, 3, 4}}
	g, err := w.Geometry("Conv", []int{6, 5}, false)
	if err != nil {
		t.Fatal(err)
	}
	want := Geometry3{In: [3]int{1, 6, 5}, Out: [3]int{1, 4, 9}, Kernel: [3]int{1, 3, 2}, Stride: [3]int{1, 2, 1}, Dilation: [3]int{1, 1, 2}, Begin: [3]int{0, 1, 2}, End: [3]int{0, 3, 4}}
	if got := g.To3(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if g.Taps() != 6 {
		t.Errorf("Taps: got %d, want 6", g.Taps())
	}
}

// Geometry is the formula of the definition: it counts the positions at which the
// window fits, checked by trying each.
func FuzzWindowGeometry(f *testing.F) {
	f.Add(5, 3, 2, 1, 1, 1, false)
	f.Add(8, 2, 3, 2, 0, 2, true)
	f.Fuzz(func(t *testing.T, in, kernel, stride, dilation, begin, end int, ceil bool) {
		for _, v := range []int{in, kernel, stride, dilation, begin, end} {
			if v < -3 || v > 40 {
				t.Skip()
			}
		}
		g, err := Window{Kernel: []int{kernel}, Strides: []int{stride}, Dilations: []int{dilation}, Pads: []int{begin, end}}.Geometry("Conv", []int{in}, ceil)
		valid := kernel > 0 && stride > 0 && dilation > 0 && begin >= 0 && end >= 0 && in > 0
		fits := 0
		if valid {
			for at := -begin; at+dilation*(kernel-1) < in+end; at += stride {
				fits++
			}
			if ceil && fits > 0 {
				// one more that does not fit whole, if it begins before the end padding
				lastEnd := -begin + (fits-1)*stride + dilation*(kernel-1) + 1
				if lastEnd < in+end && -begin+fits*stride < in {
					fits++
				}
			}
		}
		if fits == 0 {
			if err == nil {
				t.Fatalf("no window fits, got out %v", g.Out)
			}
			return
		}
		if err != nil || g.Out[0] != fits {
			t.Fatalf("got %v, %v; want %d", g.Out, err, fits)
		}
	})
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		got  fmt.Stringer
		want string
	}{
		{PadExplicit, "NOTSET"}, {SameLower, "SAME_LOWER"}, {Valid, "VALID"}, {AutoPad(7), "AutoPad(7)"},
		{Clip, "Clip"}, {ActKind(99), "ActKind(99)"}, {Div, "Div"}, {BinaryKind(99), "BinaryKind(99)"}, {Maximum, "Max"},
		{PadReflect, "reflect"}, {PadMode(9), "PadMode(9)"}, {BackwardWeights, "backward-weights"}, {Pass(9), "Pass(9)"},
		{Any, "any"}, {ChannelsLast, "channels-last"}, {ChannelsLast4, "channels-last/4"}, {Layout{Order: 9}, "Layout(9,0)"},
		{TensorDesc{DType: 1, Shape: []int{1, 3}, Layout: Plain, Const: true}, "float32[1,3] plain const"},
	} {
		if got := c.got.String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
