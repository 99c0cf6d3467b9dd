package preprocess

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/convgl/convgl/tensor"
)

// maxSide bounds the sides of a size in a description.
const maxSide = 1 << 14

// Config says how a picture becomes a tensor. The picture is made gray where Channels
// says so, resized, cropped around its middle, and each element v of 0 to 255 becomes
//
//	(v·Scale − Mean[c]) / Std[c]
//
// computed in float64 and rounded once.
type Config struct {
	// Resize is empty to leave the size, [s] to make the shorter side s and the longer
	// one ⌊s·long/short⌋ as torchvision does, or [height, width].
	Resize []int
	Crop   []int  // empty, or [height, width] around the middle
	Filter string // of the resize: nearest, box, bilinear, bicubic or lanczos
	// Antialias widens the filter where the picture gets smaller, as PIL and
	// torchvision do. Without it, bilinear takes four pixels as OpenCV does.
	Antialias bool
	Channels  string    // RGB, BGR or gray (Rec. 601 luma, as PIL's mode L)
	Scale     float64   // 1/255 for values from 0 to 1
	Mean, Std []float64 // one number for all channels, or one each
	Layout    string    // NCHW or NHWC
	DType     string    // float32, or uint8 for the pixels as they are
}

// key is a part of a description: its name in JSON and flags, how to read and how to write it.
type key struct {
	name, help string
	set        func(c *Config, raw json.RawMessage) error
	get        func(c *Config) any
	// quote makes JSON from a flag's text; nil is the text itself as a JSON string.
	quote func(string) (string, error)
}

var keys = []key{
	{"resize", "size before the crop: N makes the shorter side N, HxW makes it exact, none leaves it",
		func(c *Config, raw json.RawMessage) (err error) {
			c.Resize, err = size(raw, "a number for the shorter side, [height, width] or null")
			return err
		},
		func(c *Config) any {
			if len(c.Resize) == 1 {
				return c.Resize[0]
			}
			return c.Resize
		}, quoteSize},
	{"crop", "part around the middle: N or HxW; none takes all",
		func(c *Config, raw json.RawMessage) (err error) {
			c.Crop, err = size(raw, "a number for a square, [height, width] or null")
			if len(c.Crop) == 1 {
				c.Crop = []int{c.Crop[0], c.Crop[0]}
			}
			return err
		},
		func(c *Config) any { return c.Crop }, quoteSize},
	{"filter", "of the resize: nearest, box, bilinear, bicubic, lanczos",
		func(c *Config, raw json.RawMessage) error { return word(raw, &c.Filter, filterNames()...) },
		func(c *Config) any { return c.Filter }, nil},
	{"antialias", "widen the filter where the picture gets smaller: true, false",
		func(c *Config, raw json.RawMessage) error {
			if string(raw) == "null" || json.Unmarshal(raw, &c.Antialias) != nil {
				return fmt.Errorf("got %s, want true or false", raw)
			}
			return nil
		},
		func(c *Config) any { return c.Antialias }, func(s string) (string, error) { return s, nil }},
	{"channels", "RGB, BGR or gray",
		func(c *Config, raw json.RawMessage) error { return word(raw, &c.Channels, "RGB", "BGR", "gray") },
		func(c *Config) any { return c.Channels }, nil},
	{"scale", "factor of the values 0 to 255, as 1/255",
		func(c *Config, raw json.RawMessage) (err error) {
			c.Scale, err = scale(raw)
			return err
		},
		func(c *Config) any {
			if d := math.Round(1 / c.Scale); d > 1 && c.Scale == 1/d {
				return fmt.Sprintf("1/%.0f", d)
			}
			return c.Scale
		}, nil},
	{"mean", "subtracted after the scale: a number, or one for each channel with commas",
		func(c *Config, raw json.RawMessage) (err error) { c.Mean, err = numbers(raw); return err },
		func(c *Config) any { return single(c.Mean) }, quoteList},
	{"std", "divided by after the mean: a number, or one for each channel with commas",
		func(c *Config, raw json.RawMessage) (err error) { c.Std, err = numbers(raw); return err },
		func(c *Config) any { return single(c.Std) }, quoteList},
	{"layout", "NCHW or NHWC",
		func(c *Config, raw json.RawMessage) error { return word(raw, &c.Layout, "NCHW", "NHWC") },
		func(c *Config) any { return c.Layout }, nil},
	{"dtype", "float32, or uint8 for the pixels as they are",
		func(c *Config, raw json.RawMessage) error { return word(raw, &c.DType, "float32", "uint8") },
		func(c *Config) any { return c.DType }, nil},
}

// Keys returns the names of the parts of a description in order, with a line of
// help each.
func Keys() (names, help []string) {
	for _, k := range keys {
		names, help = append(names, k.name), append(help, k.help)
	}
	return names, help
}

// Set changes a part of the description from text: sizes as 256, 240x320 or none, lists with
// commas, all else as in JSON without quotes. [Config.Validate] finds what does not
// fit together.
func (c *Config) Set(name, text string) error {
	if err := c.setText(name, text); err != nil {
		return fmt.Errorf("preprocess: %w", err)
	}
	return nil
}

func (c *Config) setText(name, text string) error {
	k, err := findKey(name)
	if err != nil {
		return err
	}
	quoted := strconv.Quote(text)
	if k.quote != nil {
		quoted, err = k.quote(text)
	}
	if err == nil {
		err = k.set(c, json.RawMessage(quoted))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func findKey(name string) (*key, error) {
	for i := range keys {
		if keys[i].name == name {
			return &keys[i], nil
		}
	}
	names, _ := Keys()
	return nil, fmt.Errorf("unknown key %q, want %s", name, strings.Join(names, ", "))
}

// MarshalJSON writes the description as [Config.Load] reads it.
func (c Config) MarshalJSON() ([]byte, error) { return c.write("", " ", "") }

// String returns the description as JSON, one key a line.
func (c Config) String() string {
	b, err := c.write("\n  ", "\n  ", "\n")
	if err != nil {
		return fmt.Sprintf("invalid: %v", err)
	}
	return string(b)
}

// write puts its arguments before the first key, between keys and after the last one.
func (c *Config) write(first, next, last string) ([]byte, error) {
	b := []byte("{" + first)
	for i, k := range keys {
		v, err := json.Marshal(k.get(c))
		if err != nil {
			return nil, fmt.Errorf("preprocess: %s: %w", k.name, err)
		}
		if i > 0 {
			b = append(append(b, ','), next...)
		}
		b = fmt.Appendf(b, "%q: %s", k.name, strings.ReplaceAll(string(v), ",", ", "))
	}
	return append(append(b, last...), '}'), nil
}

// channels returns the number of channels.
func (c *Config) channels() int {
	if c.Channels == "gray" {
		return 1
	}
	return 3
}

// Validate reports, with the key's name, what is out of range or does not fit together.
func (c *Config) Validate() error {
	fault := func(key, format string, args ...any) error {
		return fmt.Errorf("preprocess: %s: %w", key, fmt.Errorf(format, args...))
	}
	for _, s := range []struct {
		key  string
		size []int
		most int
	}{{"resize", c.Resize, 2}, {"crop", c.Crop, 2}} {
		if len(s.size) > s.most || s.key == "crop" && len(s.size) == 1 {
			return fault(s.key, "got %v, want [height, width]", s.size)
		}
		for _, n := range s.size {
			if n < 1 || n > maxSide {
				return fault(s.key, "got %d, want 1 to %d", n, maxSide)
			}
		}
	}
	if len(c.Crop) == 2 && len(c.Resize) > 0 {
		h, w := c.Resize[0], c.Resize[len(c.Resize)-1]
		if c.Crop[0] > h || c.Crop[1] > w {
			return fault("crop", "%d x %d is larger than what resize gives, %d x %d", c.Crop[0], c.Crop[1], h, w)
		}
	}
	words := []struct {
		key, got string
		want     []string
	}{{"filter", c.Filter, filterNames()}, {"channels", c.Channels, []string{"RGB", "BGR", "gray"}},
		{"layout", c.Layout, []string{"NCHW", "NHWC"}}, {"dtype", c.DType, []string{"float32", "uint8"}}}
	for _, w := range words {
		if !slices.Contains(w.want, w.got) {
			return fault(w.key, "got %q, want %s", w.got, strings.Join(w.want, ", "))
		}
	}
	if c.Scale == 0 || math.IsNaN(c.Scale) || math.IsInf(c.Scale, 0) {
		return fault("scale", "got %v, want a finite number other than 0", c.Scale)
	}
	for _, l := range []struct {
		key  string
		list []float64
	}{{"mean", c.Mean}, {"std", c.Std}} {
		if n := len(l.list); n != 1 && n != c.channels() {
			return fault(l.key, "got %d numbers, want 1 or %d (channels %s)", n, c.channels(), c.Channels)
		}
		for _, v := range l.list {
			if math.IsNaN(v) || math.IsInf(v, 0) || l.key == "std" && v == 0 {
				return fault(l.key, "got %v, want a finite number, for std not 0", v)
			}
		}
	}
	if c.DType == "uint8" {
		notOne := func(v float64) bool { return v != 1 }
		switch {
		case c.Scale != 1:
			return fault("scale", "got %v, want 1 with dtype uint8", c.Scale)
		case slices.ContainsFunc(c.Mean, func(v float64) bool { return v != 0 }):
			return fault("mean", "got %v, want 0 with dtype uint8", c.Mean)
		case slices.ContainsFunc(c.Std, notOne):
			return fault("std", "got %v, want 1 with dtype uint8", c.Std)
		}
	}
	return nil
}

// Shape returns the shape of the tensor for n pictures; a side that depends on the picture
// is −1.
func (c *Config) Shape(n int) []int {
	h, w := -1, -1
	switch {
	case len(c.Crop) == 2:
		h, w = c.Crop[0], c.Crop[1]
	case len(c.Resize) == 2:
		h, w = c.Resize[0], c.Resize[1]
	}
	if c.Layout == "NHWC" {
		return []int{n, h, w, c.channels()}
	}
	return []int{n, c.channels(), h, w}
}

// Check is [Config.Validate], and reports a description whose tensors an input of this
// shape (−1 is an open dim) and type does not take.
func (c *Config) Check(shape []int, dtype tensor.DType) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if dtype.String() != c.DType {
		return fmt.Errorf("preprocess: dtype: got %s, want %v, which the model takes", c.DType, dtype)
	}
	if len(shape) != 4 {
		return fmt.Errorf("preprocess: the model's input is %s, want 4 dims", shapeText(shape))
	}
	got := c.Shape(-1)
	fits := func(i int) bool { return shape[i] < 0 || shape[i] == got[i] }
	channel := strings.IndexByte(c.Layout, 'C')
	key := ""
	switch {
	case !fits(channel) && shape[4-channel] == got[channel]:
		key = "layout"
	case !fits(channel):
		key = "channels"
	case fits(1) && fits(2) && fits(3):
		return nil
	case len(c.Crop) == 2:
		key = "crop"
	default:
		key = "resize"
	}
	hint := ""
	if key == "resize" && len(c.Resize) == 1 {
		hint = " (resize gives the shorter side alone; a crop, or resize with height and width, fixes both)"
	}
	return fmt.Errorf("preprocess: %s: pictures become %s, the model's input is %s%s", key, shapeText(got), shapeText(shape), hint)
}

// shapeText writes open dims as "?".
func shapeText(shape []int) string {
	var b strings.Builder
	for i, n := range shape {
		if i > 0 {
			b.WriteByte(',')
		}
		if n < 0 {
			b.WriteByte('?')
		} else {
			fmt.Fprint(&b, n)
		}
	}
	return "[" + b.String() + "]"
}

// word reads a JSON string that is one of a few.
func word(raw json.RawMessage, dst *string, want ...string) error {
	var s string
	if json.Unmarshal(raw, &s) != nil || !slices.Contains(want, s) {
		return fmt.Errorf("got %s, want %s", raw, strings.Join(want, ", "))
	}
	*dst = s
	return nil
}

// size reads null, a number or two.
func size(raw json.RawMessage, want string) ([]int, error) {
	if string(raw) == "null" {
		return nil, nil
	}
	var one int
	list := []int{}
	if json.Unmarshal(raw, &one) == nil {
		list = []int{one}
	} else if json.Unmarshal(raw, &list) != nil || len(list) != 2 {
		return nil, fmt.Errorf("got %s, want %s", raw, want)
	}
	for _, n := range list {
		if n < 1 || n > maxSide {
			return nil, fmt.Errorf("got %d, want 1 to %d", n, maxSide)
		}
	}
	return list, nil
}

// numbers reads a number or a list of one to three.
func numbers(raw json.RawMessage) ([]float64, error) {
	var one float64
	var list []float64
	if string(raw) == "null" {
		return nil, errors.New("got null, want a number or a list of them")
	}
	if json.Unmarshal(raw, &one) == nil {
		return []float64{one}, nil
	}
	if json.Unmarshal(raw, &list) != nil {
		return nil, fmt.Errorf("got %s, want a number or a list of them", raw)
	}
	if len(list) != 1 && len(list) != 3 {
		return nil, fmt.Errorf("got %d numbers, want 1 or one for each channel", len(list))
	}
	return list, nil
}

// scale reads a number, or a text such as 1/255.
func scale(raw json.RawMessage) (float64, error) {
	var v float64
	var text string
	if string(raw) != "null" && json.Unmarshal(raw, &v) == nil {
		return v, nil
	}
	if json.Unmarshal(raw, &text) == nil {
		over, under, fraction := strings.Cut(text, "/")
		a, err := strconv.ParseFloat(strings.TrimSpace(over), 64)
		b := 1.0
		if fraction && err == nil {
			b, err = strconv.ParseFloat(strings.TrimSpace(under), 64)
		}
		if v = a / b; err == nil && v != 0 && !math.IsNaN(v) && !math.IsInf(v, 0) {
			return v, nil
		}
	}
	return 0, fmt.Errorf("got %s, want a number or a fraction such as \"1/255\"", raw)
}

// single writes a list of one as a number.
func single(list []float64) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

func quoteSize(text string) (string, error) {
	if text == "none" {
		return "null", nil
	}
	parts := strings.Split(text, "x")
	for _, p := range parts {
		if _, err := strconv.Atoi(p); err != nil || len(parts) > 2 {
			return "", fmt.Errorf("got %q, want a number, HEIGHTxWIDTH or none", text)
		}
	}
	if len(parts) == 1 {
		return text, nil
	}
	return "[" + strings.Join(parts, ",") + "]", nil
}

func quoteList(text string) (string, error) {
	var list []string
	for p := range strings.SplitSeq(text, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return "", fmt.Errorf("got %q, want numbers with commas", text)
		}
		list = append(list, strconv.FormatFloat(v, 'g', -1, 64))
	}
	if len(list) == 1 {
		return list[0], nil
	}
	return "[" + strings.Join(list, ",") + "]", nil
}
