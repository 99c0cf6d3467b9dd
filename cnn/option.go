package cnn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/convgl/convgl/backend"
)

// Option changes a layer. Which layer takes which, its constructor says; another
// is an error that names the layer, and so is one given twice.
type Option struct {
	name string
	set  func(*settings)
}

// settings are the options of a layer.
type settings struct {
	given []string

	kernel, stride, padding, dilation, outputPadding []int

	groups           int
	same, bias       bool
	ceil, includePad bool
	affine           bool
	epsilon          float32
	init             Initializer
	axis             int
	perChannel       bool
	align            bool
	alpha, beta, k   float32
	lastDim          bool
}

// Stride sets the step of the window, 1 by default and the window's size for
// pooling: one number for all spatial dims, or one for each.
func Stride(n ...int) Option {
	return numbers("Stride", n, func(s *settings, n []int) { s.stride = n })
}

// Padding adds positions around the input, zeros for a convolution and nothing for
// pooling: one number for all sides, one for each spatial dim, or the beginnings of
// all dims and then the ends (top, left, bottom, right). The default is 0. A
// transposed convolution takes that much away from its output.
func Padding(n ...int) Option {
	return numbers("Padding", n, func(s *settings, n []int) { s.padding = n })
}

// Same pads so that the output has the size ⌈in/stride⌉, in·stride for a transposed
// convolution; an odd unit goes to the end.
func Same() Option { return Option{"Same", func(s *settings) { s.same = true }} }

// Dilation sets the distance between the taps of a window, 1 by default: one
// number, or one for each spatial dim.
func Dilation(n ...int) Option {
	return numbers("Dilation", n, func(s *settings, n []int) { s.dilation = n })
}

// Groups splits the channels into g groups that do not see each other. As many
// groups as input channels make a depthwise convolution.
func Groups(g int) Option { return Option{"Groups", func(s *settings) { s.groups = g }} }

// NoBias leaves out the bias, as one does in front of a BatchNorm.
func NoBias() Option { return Option{"NoBias", func(s *settings) { s.bias = false }} }

// KernelSize sets a window that is not square or cubic, one number for each spatial
// dim. The constructor's kernel must be 0 then.
func KernelSize(n ...int) Option {
	return numbers("KernelSize", n, func(s *settings, n []int) { s.kernel = n })
}

// OutputPadding makes the output of a transposed convolution longer at the end: one
// number, or one for each spatial dim.
func OutputPadding(n ...int) Option {
	return numbers("OutputPadding", n, func(s *settings, n []int) { s.outputPadding = n })
}

// numbers is an option of a copy of n. No numbers are an error later, not the default,
// which is nil.
func numbers(name string, n []int, set func(*settings, []int)) Option {
	n = append([]int{}, n...)
	return Option{name, func(s *settings) { set(s, n) }}
}

// CeilMode rounds the size of a pooling's output up instead of down.
func CeilMode() Option { return Option{"CeilMode", func(s *settings) { s.ceil = true }} }

// CountIncludePad lets padding count in an average, as zeros. PyTorch's AvgPool2d
// does so by default, here it is an option.
func CountIncludePad() Option {
	return Option{"CountIncludePad", func(s *settings) { s.includePad = true }}
}

// Epsilon sets what a normalisation adds to the variance, 1e-5 by default.
func Epsilon(e float32) Option { return Option{"Epsilon", func(s *settings) { s.epsilon = e }} }

// NoAffine leaves out a normalisation's scale and bias.
func NoAffine() Option { return Option{"NoAffine", func(s *settings) { s.affine = false }} }

// Affine gives an InstanceNorm a scale and a bias.
func Affine() Option { return Option{"Affine", func(s *settings) { s.affine = true }} }

// Init sets how the weights begin; [Auto] is the default. Biases begin as 0.
func Init(i Initializer) Option { return Option{"Init", func(s *settings) { s.init = i }} }

// Axis sets the dim that a layer works along, or begins at; N is dim 0, and
// negative ones count from the end.
func Axis(a int) Option { return Option{"Axis", func(s *settings) { s.axis = a }} }

// PerChannel gives a PReLU a slope for each channel.
func PerChannel() Option { return Option{"PerChannel", func(s *settings) { s.perChannel = true }} }

// AlignCorners makes linear upsampling map the first and last elements onto each
// other, instead of the edges.
func AlignCorners() Option { return Option{"AlignCorners", func(s *settings) { s.align = true }} }

// Response sets the constants of an LRN; the defaults are 1e-4, 0.75 and 1.
func Response(alpha, beta, k float32) Option {
	return Option{"Response", func(s *settings) { s.alpha, s.beta, s.k = alpha, beta, k }}
}

// LastDim lets a Dense take an input of any rank and work on its last dim.
func LastDim() Option { return Option{"LastDim", func(s *settings) { s.lastDim = true }} }

// configure collects the options that a layer takes.
func configure(opts []Option, takes ...string) (*settings, error) {
	s := &settings{bias: true, affine: true, groups: 1, epsilon: 1e-5, init: Auto}
	for _, o := range opts {
		switch {
		case o.set == nil:
			return s, fmt.Errorf("an option that no function made: want %s", list(takes))
		case !slices.Contains(takes, o.name):
			return s, fmt.Errorf("it has no option %s: want %s", o.name, list(takes))
		case slices.Contains(s.given, o.name):
			return s, fmt.Errorf("option %s is given twice", o.name)
		}
		o.set(s)
		s.given = append(s.given, o.name)
	}
	if s.init == nil {
		return s, fmt.Errorf("option Init: got nil, want an Initializer")
	}
	return s, nil
}

func (s *settings) has(name string) bool { return slices.Contains(s.given, name) }

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// window makes the window of a layer with n spatial dims. A kernel of 0 says that
// the option KernelSize has it.
func (s *settings) window(n, kernel int) (w backend.Window, err error) {
	switch {
	case s.kernel == nil:
		w.Kernel, err = perDim("kernel", []int{kernel}, n, 1)
	case kernel != 0:
		return w, fmt.Errorf("kernel: got %d and KernelSize%v, want one of them (the other 0)", kernel, s.kernel)
	default:
		w.Kernel, err = perDim("KernelSize", s.kernel, n, 1)
	}
	if err != nil {
		return w, err
	}
	if w.Strides, err = perDim("Stride", s.stride, n, 1); err != nil {
		return w, err
	}
	if w.Dilations, err = perDim("Dilation", s.dilation, n, 1); err != nil {
		return w, err
	}
	if s.same {
		if s.has("Padding") {
			return w, fmt.Errorf("options Same and Padding: want one of them")
		}
		w.AutoPad = backend.SameUpper
		return w, nil
	}
	w.Pads, err = perSide(s.padding, n)
	return w, err
}

// perDim spreads one number over n dims; nil stays nil, the op's default.
func perDim(name string, v []int, n, least int) ([]int, error) {
	if v == nil {
		return nil, nil
	}
	if len(v) != 1 && len(v) != n {
		return nil, fmt.Errorf("%s: got %d numbers %v, want 1 or %d", name, len(v), v, n)
	}
	out := make([]int, n)
	for i := range out {
		out[i] = v[i%len(v)]
		if out[i] < least {
			return nil, fmt.Errorf("%s: got %d, want %d or more", name, out[i], least)
		}
	}
	return out, nil
}

// perSide spreads pads over the beginnings and ends of n dims.
func perSide(v []int, n int) ([]int, error) {
	if v == nil {
		return nil, nil
	}
	for _, p := range v {
		if p < 0 {
			return nil, fmt.Errorf("padding: got %d, want 0 or more", p)
		}
	}
	switch len(v) {
	case 2 * n:
		return slices.Clone(v), nil
	case 1, n:
		out := make([]int, 2*n)
		for i := range out {
			out[i] = v[i%len(v)]
		}
		return out, nil
	}
	if n == 1 {
		return nil, fmt.Errorf("padding: got %d numbers %v, want 1 or 2", len(v), v)
	}
	return nil, fmt.Errorf("padding: got %d numbers %v, want 1, %d or %d", len(v), v, n, 2*n)
}
