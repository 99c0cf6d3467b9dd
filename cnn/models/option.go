package models

import (
	"fmt"
	"slices"
	"strings"

	"github.com/convgl/convgl/cnn"
)

// Option changes an architecture. Which takes which, its function says; another is
// an error, and so is one given twice.
type Option struct {
	name string
	set  func(*config)
}

// WithClasses sets the number of outputs, or of output channels.
func WithClasses(n int) Option {
	return Option{"WithClasses", func(c *config) { c.classes = n }}
}

// WithInput sets the shape of an example: channels and spatial dims, without the
// batch. Spatial dims may be [cnn.Dynamic].
func WithInput(dims ...int) Option {
	dims = slices.Clone(dims)
	return Option{"WithInput", func(c *config) { c.input = dims }}
}

// WithHidden sets the units of the hidden Dense layers of [VGG16], where most of its
// parameters are.
func WithHidden(units int) Option {
	return Option{"WithHidden", func(c *config) { c.hidden = units }}
}

// WithBase sets the channels of the first convolution of a U-Net. Each level below has
// twice as many as the one above.
func WithBase(channels int) Option {
	return Option{"WithBase", func(c *config) { c.base = channels }}
}

// WithDepth sets how often a U-Net halves its input.
func WithDepth(levels int) Option {
	return Option{"WithDepth", func(c *config) { c.depth = levels }}
}

// config is what options set. A field that is 0 in an architecture's defaults has
// no option there.
type config struct {
	classes, hidden, base, depth int

	input []int
}

const (
	maxWidth = 1 << 20 // of classes, units and channels
	maxDepth = 6
)

// configure applies options to an architecture's defaults.
func configure(arch string, c config, opts []Option) (config, error) {
	fail := func(format string, args ...any) (config, error) {
		return c, fmt.Errorf("models: %s: %s", arch, fmt.Sprintf(format, args...))
	}
	defaults := c
	takes := defaults.options()
	var given []string
	for _, o := range opts {
		switch {
		case o.set == nil:
			return fail("an option that no function made: want %s", strings.Join(takes, ", "))
		case !slices.Contains(takes, o.name):
			return fail("it has no option %s: want %s", o.name, strings.Join(takes, ", "))
		case slices.Contains(given, o.name):
			return fail("option %s is given twice", o.name)
		}
		given = append(given, o.name)
		o.set(&c)
	}
	for _, n := range []struct {
		option        string
		value, preset int
		most          int
	}{
		{"WithClasses", c.classes, defaults.classes, maxWidth},
		{"WithHidden", c.hidden, defaults.hidden, maxWidth},
		{"WithBase", c.base, defaults.base, maxWidth},
		{"WithDepth", c.depth, defaults.depth, maxDepth},
	} {
		if n.preset != 0 && (n.value < 1 || n.value > n.most) {
			return fail("%s: got %d, want 1 to %d", n.option, n.value, n.most)
		}
	}
	if len(c.input) != len(defaults.input) {
		return fail("WithInput: got %d numbers %v, want %d: channels and spatial dims, without the batch", len(c.input), c.input, len(defaults.input))
	}
	for i, n := range c.input {
		switch {
		case i == 0 && n < 1:
			return fail("WithInput: channels: got %d, want 1 or more", n)
		case n < 1 && n != cnn.Dynamic:
			return fail("WithInput: spatial dim %d: got %d, want 1 or more, or cnn.Dynamic", i-1, n)
		}
	}
	return c, nil
}

// options lists those that an architecture with these defaults takes.
func (c config) options() []string {
	names := []string{"WithClasses", "WithInput"}
	if c.hidden != 0 {
		names = append(names, "WithHidden")
	}
	if c.base != 0 {
		names = append(names, "WithBase")
	}
	if c.depth != 0 {
		names = append(names, "WithDepth")
	}
	return names
}
