package viz

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/convgl/convgl/tensor"
)

// Scale says which colour a value has: Lo is the first of Colors, Hi the last,
// and values outside have the colour of the nearer end. With Lo = Hi, larger
// values have the last colour and all others the first.
type Scale struct {
	Colors *Colormap
	Lo, Hi float32
}

// Span returns the scale from the smallest to the largest finite element of t.
// An empty tensor, or one without finite elements, gives 0 to 1.
func Span(t *tensor.Tensor, m *Colormap) Scale { return Quantiles(t, m, 0, 1) }

// Quantiles returns the scale between two quantiles of the finite elements of t,
// such as 0.01 and 0.99: a few outliers then do not leave all others pale.
func Quantiles(t *tensor.Tensor, m *Colormap, lo, hi float64) Scale {
	v := finite(t, false)
	if len(v) == 0 {
		return Scale{m, 0, 1}
	}
	return Scale{m, quantile(v, lo), quantile(v, hi)}
}

// Symmetric returns the scale from −m to m with m = max |t|: zero is in the
// middle of a diverging map.
func Symmetric(t *tensor.Tensor, m *Colormap) Scale { return SymmetricQuantile(t, m, 1) }

// SymmetricQuantile is [Symmetric] with m the quantile q of |t|.
func SymmetricQuantile(t *tensor.Tensor, m *Colormap, q float64) Scale {
	v := finite(t, true)
	if len(v) == 0 || v[len(v)-1] == 0 {
		return Scale{m, -1, 1}
	}
	top := quantile(v, q)
	if top == 0 { // nearly all elements are zero: show those that are not
		top = v[len(v)-1]
	}
	return Scale{m, -top, top}
}

// Color returns the colour of v, and tensor.NaNColor for NaN.
func (s Scale) Color(v float32) color.RGBA {
	switch {
	case v != v:
		return tensor.NaNColor
	case v <= s.Lo:
		return s.Colors.At(0)
	case v >= s.Hi:
		return s.Colors.At(1)
	}
	return s.Colors.At((float64(v) - float64(s.Lo)) / (float64(s.Hi) - float64(s.Lo)))
}

// check reports a scale that cannot be used.
func (s Scale) check(op string) error {
	if s.Colors == nil {
		return fmt.Errorf("viz: %s: scale has no colour map", op)
	}
	if lo, hi := float64(s.Lo), float64(s.Hi); !(lo <= hi) || math.IsInf(lo, 0) || math.IsInf(hi, 0) {
		return fmt.Errorf("viz: %s: scale from %v to %v, want finite low <= high", op, s.Lo, s.Hi)
	}
	return nil
}

// Number writes v for people: three significant digits, and a minus sign of the
// width of a digit.
func Number(v float64) string {
	s := strconv.FormatFloat(v, 'g', 3, 64)
	if a := math.Abs(v); a >= 1000 && a < 1e6 {
		s = strconv.FormatFloat(v, 'f', 0, 64)
	}
	if v == 0 {
		s = "0"
	}
	return strings.ReplaceAll(s, "-", "−")
}

// Plane returns channel c of image n of a float32 tensor [N,C,H,W] as [H,W], over
// the same memory.
func Plane(t *tensor.Tensor, n, c int) (*tensor.Tensor, error) {
	if t == nil {
		return nil, errors.New("viz: Plane: tensor is nil")
	}
	s := t.Shape()
	if t.DType() != tensor.Float32 || len(s) != 4 {
		return nil, fmt.Errorf("viz: Plane: got %v%v, want float32 [N,C,H,W]", t.DType(), s)
	}
	if n < 0 || n >= s[0] || c < 0 || c >= s[1] {
		return nil, fmt.Errorf("viz: Plane: image %d, channel %d: want them below %d and %d (shape %v)", n, c, s[0], s[1], s)
	}
	size := s[2] * s[3]
	from := (n*s[1] + c) * size
	return tensor.From(t.Float32s()[from:from+size], s[2], s[3])
}

// finite returns the finite elements of t, or their absolute values, sorted.
func finite(t *tensor.Tensor, abs bool) []float32 {
	var v []float32
	if t == nil {
		return nil
	}
	for _, x := range t.Float32s() {
		if abs {
			x = float32(math.Abs(float64(x)))
		}
		if f := float64(x); !math.IsNaN(f) && !math.IsInf(f, 0) {
			v = append(v, x)
		}
	}
	slices.Sort(v)
	return v
}

// quantile returns the element of the sorted v at q, from 0 to 1.
func quantile(v []float32, q float64) float32 {
	if !(q > 0) {
		return v[0]
	}
	return v[int(math.Round(min(q, 1)*float64(len(v)-1)))]
}
