// Package scene draws the default picture of the demo: a lake in the evening,
// with a lighthouse, a house, boats and a tiled terrace. It has what filters
// respond to: smooth gradients, textures, saturated colours, and hard edges in
// all directions. The picture is computed from formulas and a fixed noise
// alone, so that it is the same each time.
package scene

import (
	"image"
	"image/color"
	"math"
	"sync"
)

//go:generate go run ./gen ../../../testdata/picture.png

// Width and Height are the size of the picture in pixels.
const (
	Width  = 640
	Height = 427
)

// samples is how many points along each side of a pixel are averaged.
const samples = 3

// Draw returns the picture.
func Draw() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, Width, Height))
	var wg sync.WaitGroup
	const parts = 16 // of the work; each pixel is computed alone, so the split changes nothing
	for part := range parts {
		wg.Go(func() {
			for y := part; y < Height; y += parts {
				for x := range Width {
					img.SetRGBA(x, y, pixel(x, y))
				}
			}
		})
	}
	wg.Wait()
	return img
}

// pixel averages the points of one pixel.
func pixel(x, y int) color.RGBA {
	var sum rgb
	for j := range samples {
		for i := range samples {
			c := at(float64(x)+(float64(i)+.5)/samples, float64(y)+(float64(j)+.5)/samples)
			sum = sum.add(rgb{clamp(c.r), clamp(c.g), clamp(c.b)}, 1)
		}
	}
	sum = sum.times(255.0 / (samples * samples))
	return color.RGBA{uint8(math.Round(sum.r)), uint8(math.Round(sum.g)), uint8(math.Round(sum.b)), 255}
}

// The heights that divide the picture, in pixels from the top.
const (
	shore   = 252.0 // where the land meets the lake
	terrace = 372.0 // the edge of the terrace in front
)

// sunX and sunY are the middle of the sun.
const sunX, sunY = 188.0, 136.0

// at returns the colour of the scene at a point: what is in front decides.
func at(x, y float64) rgb {
	if c, ok := plant(x, y); ok {
		return c
	}
	if y >= terrace {
		return tiles(x, y)
	}
	for _, b := range boats {
		if c, ok := b.at(x, y); ok {
			return c
		}
	}
	if y < shore {
		return land(x, y)
	}
	return lake(x, y)
}

// land returns what stands above the water line: what the lake mirrors.
func land(x, y float64) rgb {
	if c, ok := lighthouse(x, y); ok {
		return c
	}
	if c, ok := house(x, y); ok {
		return c
	}
	if c, ok := rocks(x, y); ok {
		return c
	}
	return hills(x, y)
}

// sky returns the evening sky with sun and clouds.
func sky(x, y float64) rgb {
	c := gradient(y,
		stop{0, hex(0x27457f)}, stop{70, hex(0x5b6cab)}, stop{120, hex(0xb58db6)},
		stop{165, hex(0xf4a98c)}, stop{205, hex(0xffc988)}, stop{252, hex(0xffe3ae)})
	d := math.Hypot(x-sunX, y-sunY)
	c = c.add(hex(0xffb45a), .55*math.Exp(-d/70)).add(hex(0xff9060), .18*math.Exp(-d/190))
	if d < 24 {
		return hex(0xfff6d2)
	}
	// Clouds are long: their noise is stretched sideways, more so near the horizon.
	density := fractal(x/118+3, y/30, 5, 7) - .08*math.Abs(y-95)/95
	if t := smooth(.50, .74, density); t > 0 {
		// The light comes from below: compare with the density a little lower.
		lit := clamp(.5 + 5*(density-fractal(x/118+3, (y+7)/30, 5, 7)+.08*math.Abs(y+7-95)/95))
		c = c.to(hex(0x75699b).to(hex(0xffc2a0), lit), .85*t)
	}
	return c
}

// hills returns the sky and the mountains in front of it, from far to near.
func hills(x, y float64) rgb {
	c := sky(x, y)
	for _, r := range ranges {
		top := r.base - r.height*ridge(x, r)
		if y < top {
			continue
		}
		depth := y - top
		c = r.color.to(r.foot, clamp(depth/r.fade))
		// Slopes: noise that is sheared, so that it runs down the mountain.
		slope := fractal((x+depth*r.shear)/r.grain, depth/(2.2*r.grain), 4, r.seed+50)
		c = c.times(1 + r.relief*(slope-.5))
		if r.snow > 0 {
			line := r.snow * (.55 + .9*fractal(x/16, depth/26, 3, 71))
			c = c.to(hex(0xffe6dc), .85*smooth(2, -2, depth-line)*smooth(.35, .55, slope+.12))
		}
		if r.trees > 0 {
			c = c.times(.72 + .56*trees(x, y, r.trees))
		}
	}
	return c
}

// mountains is one range of them.
type mountains struct {
	seed                 uint32
	base, height, length float64 // foot, height and length of the waves, in pixels
	color, foot          rgb     // at the top, and where the haze lies
	fade                 float64 // distance over which one becomes the other
	shear, grain, relief float64 // of the slopes
	snow, trees          float64 // depth of the snow, size of the trees; 0 is none
}

var ranges = []mountains{
	{seed: 11, base: 238, height: 116, length: 150, color: hex(0x6c6ba3), foot: hex(0xd79a9c), fade: 95, shear: .8, grain: 15, relief: .5, snow: 20},
	{seed: 23, base: 248, height: 72, length: 105, color: hex(0x514f80), foot: hex(0xb07b8e), fade: 70, shear: -.7, grain: 11, relief: .55},
	{seed: 31, base: 254, height: 46, length: 84, color: hex(0x35554f), foot: hex(0x5d7a58), fade: 36, grain: 8, relief: .4, trees: 5},
}

// ridge returns the height of a range at x, from 0 to about 1: noise with its
// valleys rounded and its peaks sharp.
func ridge(x float64, r mountains) float64 {
	sum, height, length := 0.0, .56, r.length
	for o := range 6 {
		n := noise(x/length+5, 0, r.seed+uint32(o))
		sum += height * (1 - math.Abs(2*n-1))
		height, length = height*.46, length*.47
	}
	return sum
}

// trees returns the light on a wood: round crowns on a jittered lattice.
func trees(x, y, size float64) float64 {
	best := 0.0
	cx, cy := int(math.Floor(x/size)), int(math.Floor(y/size))
	for j := cy - 1; j <= cy+1; j++ {
		for i := cx - 1; i <= cx+1; i++ {
			dx := x/size - (float64(i) + random(i, j, 81))
			dy := y/size - (float64(j) + random(i, j, 82))
			if d := dx*dx + dy*dy; d < .6 {
				best = max(best, (1-d/.6)*(.6+.4*random(i, j, 83))-.25*dx-.2*dy)
			}
		}
	}
	return clamp(best)
}

// lake mirrors the land in waves, and glitters below the sun.
func lake(x, y float64) rgb {
	near := (y - shore) / (terrace - shore)
	wave := fractal(x/(16+70*near), (y-shore)/(1.2+5.5*near), 3, 91) - .5
	mx := x + wave*(4+26*near)
	my := shore - (y-shore)*1.25 + wave*(6+34*near)
	c := land(mx, clampTo(my, 0, shore-.5))
	c = c.to(hex(0x1d4a63), .30+.38*near).times(1 + .5*wave)
	// The path of light: short streaks, wider towards the viewer.
	spread := 16 + 52*near
	streak := noise(x/(6+13*near), (y-shore)/(.7+1.5*near), 95)
	path := math.Exp(-math.Pow((x-sunX)/spread, 2))
	return c.add(hex(0xffdca0), .8*path*smooth(.52, .82, streak))
}

func clampTo(v, lo, hi float64) float64 { return min(max(v, lo), hi) }
