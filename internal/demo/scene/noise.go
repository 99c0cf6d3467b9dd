package scene

import "math"

// hash mixes two lattice coordinates and a seed to 32 well-spread bits.
func hash(x, y int, seed uint32) uint32 {
	h := uint32(x)*0x9e3779b1 ^ uint32(y)*0x85ebca77 ^ seed*0xc2b2ae3d
	h ^= h >> 15
	h *= 0x2c1b3c6d
	h ^= h >> 12
	h *= 0x297a2d39
	return h ^ h>>15
}

// random returns a number from 0 to 1 for a lattice point.
func random(x, y int, seed uint32) float64 { return float64(hash(x, y, seed)) / (1<<32 - 1) }

// noise is value noise, from 0 to 1: random lattice values, joined smoothly.
func noise(x, y float64, seed uint32) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	ix, iy := int(fx), int(fy)
	u, v := smooth(0, 1, x-fx), smooth(0, 1, y-fy)
	top := mix(random(ix, iy, seed), random(ix+1, iy, seed), u)
	bottom := mix(random(ix, iy+1, seed), random(ix+1, iy+1, seed), u)
	return mix(top, bottom, v)
}

// fractal adds octaves of noise, each of twice the frequency and half the
// height of the one before; the sum is scaled to 0 to 1.
func fractal(x, y float64, octaves int, seed uint32) float64 {
	sum, total, height := 0.0, 0.0, 1.0
	for o := range octaves {
		sum += height * noise(x, y, seed+uint32(o)*101)
		total += height
		x, y, height = 2*x+17.3, 2*y+9.1, height/2
	}
	return sum / total
}

// mix goes from a to b as t goes from 0 to 1.
func mix(a, b, t float64) float64 { return a + (b-a)*t }

// clamp limits v to 0 to 1.
func clamp(v float64) float64 { return min(max(v, 0), 1) }

// smooth goes from 0 at lo to 1 at hi with level ends.
func smooth(lo, hi, v float64) float64 {
	t := clamp((v - lo) / (hi - lo))
	return t * t * (3 - 2*t)
}
