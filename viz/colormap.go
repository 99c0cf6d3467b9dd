package viz

import (
	"image/color"
	"math"
)

// Colormap is a table of colours for values from low to high.
type Colormap struct {
	name  string
	table [256]color.RGBA
}

// The colour maps. Equal steps of the value are equal steps of perceived
// lightness (L in Oklab), so that none shows an edge that the data lacks; they
// also read well in black and white, and with red-green colour blindness.
var (
	// Gray goes from black to white.
	Gray = newColormap("gray", func(t float64) oklab {
		v := linear(t)
		return fromLinear(v, v, v)
	})
	// Sequential goes from a dark violet over red and orange to a pale yellow: for
	// values with one meaning of more, such as those after ReLU.
	Sequential = newColormap("sequential", func(t float64) oklab {
		return evenLightness(t, 0x10092b, 0x4a1d77, 0x9a2f7d, 0xdc5259, 0xf69a45, 0xfdf2b0)
	})
	// Diverging goes from blue over near-white to red: for values around a
	// meaningful zero, such as weights and feature maps before ReLU.
	Diverging = newColormap("diverging", func(t float64) oklab {
		if t < .5 {
			return evenLightness(2*t, 0x0b2f66, 0x2f79bd, 0x9cc8e6, 0xf7f6f4)
		}
		return evenLightness(2-2*t, 0x6a0a1c, 0xc73a38, 0xf2aa8c, 0xf7f6f4)
	})
)

// String returns the name of the map.
func (m *Colormap) String() string { return m.name }

// At returns the colour for t from 0 to 1; values outside are limited to that.
// NaN gives tensor.NaNColor by way of [Scale.Color], and the lowest colour here.
func (m *Colormap) At(t float64) color.RGBA {
	if !(t > 0) {
		return m.table[0]
	}
	return m.table[int(math.Round(min(t, 1)*255))]
}

func newColormap(name string, f func(float64) oklab) *Colormap {
	m := &Colormap{name: name}
	for i := range m.table {
		m.table[i] = f(float64(i) / 255).rgba()
	}
	return m
}

// evenLightness passes through the hues of the anchors, at equal distances, with
// a lightness that rises evenly from the first to the last.
func evenLightness(t float64, anchors ...uint32) oklab {
	first, last := fromHex(anchors[0]), fromHex(anchors[len(anchors)-1])
	at := t * float64(len(anchors)-1)
	i := min(int(at), len(anchors)-2)
	p, q, u := fromHex(anchors[i]), fromHex(anchors[i+1]), at-float64(i)
	return oklab{first.l + (last.l-first.l)*t, p.a + (q.a-p.a)*u, p.b + (q.b-p.b)*u}
}

// oklab is a colour in the Oklab space of Björn Ottosson (2020): lightness,
// green to red, blue to yellow. Distances in it match what people see.
type oklab struct{ l, a, b float64 }

func fromHex(v uint32) oklab {
	f := func(v uint32) float64 { return linear(float64(v&255) / 255) }
	return fromLinear(f(v>>16), f(v>>8), f(v))
}

func fromLinear(r, g, b float64) oklab {
	l := math.Cbrt(.4122214708*r + .5363325363*g + .0514459929*b)
	m := math.Cbrt(.2119034982*r + .6806995451*g + .1073969566*b)
	s := math.Cbrt(.0883024619*r + .2817188376*g + .6299787005*b)
	return oklab{
		.2104542553*l + .7936177850*m - .0040720468*s,
		1.9779984951*l - 2.4285922050*m + .4505937099*s,
		.0259040371*l + .7827717662*m - .8086757660*s,
	}
}

func (c oklab) rgba() color.RGBA {
	cube := func(v float64) float64 { return v * v * v }
	l := cube(c.l + .3963377774*c.a + .2158037573*c.b)
	m := cube(c.l - .1055613458*c.a - .0638541728*c.b)
	s := cube(c.l - .0894841775*c.a - 1.2914855480*c.b)
	return color.RGBA{
		gamma(4.0767416621*l - 3.3077115913*m + .2309699292*s),
		gamma(-1.2684380046*l + 2.6097574011*m - .3413193965*s),
		gamma(-.0041960863*l - .7034186147*m + 1.7076147010*s),
		255,
	}
}

// linear turns a component of sRGB, from 0 to 1, into one of light.
func linear(v float64) float64 {
	if v <= .04045 {
		return v / 12.92
	}
	return math.Pow((v+.055)/1.055, 2.4)
}

// gamma is the inverse of linear, limited to and rounded to 0 to 255.
func gamma(v float64) uint8 {
	v = min(max(v, 0), 1)
	if v <= .0031308 {
		v *= 12.92
	} else {
		v = 1.055*math.Pow(v, 1/2.4) - .055
	}
	return uint8(math.Round(v * 255))
}

// lightness returns the perceived lightness of c, from 0 to 1.
func lightness(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	f := func(v uint32) float64 { return linear(float64(v) / 0xffff) }
	return fromLinear(f(r), f(g), f(b)).l
}
