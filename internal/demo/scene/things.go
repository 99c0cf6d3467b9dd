package scene

import "math"

// The tower of the lighthouse: its middle, top, foot and half widths there.
const (
	towerX, towerTop, towerFoot = 514.0, 92.0, 236.0
	towerThin, towerThick       = 12.5, 20.0
)

// lighthouse is a striped round tower with a gallery and a lantern.
func lighthouse(x, y float64) (rgb, bool) {
	dx := x - towerX
	round := func(half float64) float64 { // light on a cylinder, from the left
		t := clampTo(dx/half, -1, 1)
		return .50 + .58*math.Sqrt(max(1-(t+.42)*(t+.42)/2.02, 0))
	}
	switch {
	case y >= towerTop && y < towerFoot+4:
		half := mix(towerThin, towerThick, (y-towerTop)/(towerFoot-towerTop))
		if math.Abs(dx) > half {
			return rgb{}, false
		}
		bend := 2.5 * math.Sqrt(max(1-dx*dx/(half*half), 0)) // rings on a cylinder seen from below
		c := hex(0xf6efe2)
		if int(math.Floor((y+bend-towerTop)/24))%2 == 0 {
			c = hex(0xc8342d)
		}
		for _, wy := range []float64{128, 176} {
			if math.Abs(dx+2) < 3 && math.Abs(y-wy) < 5.5 {
				c = hex(0x2a3550)
			}
		}
		if math.Abs(dx) < 5 && y > 217 && (y > 222 || math.Hypot(dx, y-222) < 5) {
			c = hex(0x3b2f3a) // door
		}
		return c.times(round(half) * (.97 + .06*noise(x/2, y/2, 41))), true
	case y >= 86 && y < towerTop: // gallery
		if math.Abs(dx) < 18 {
			return hex(0x3a3442).times(round(18) + .2), true
		}
	case y >= 78 && y < 86: // railing
		if math.Abs(dx) < 17.5 && (y < 79.4 || math.Mod(math.Abs(dx)+1, 5) < 1.3) {
			return hex(0x3a3442), true
		}
		fallthrough
	case y >= 62 && y < 86: // lantern
		if math.Abs(dx) < 9 {
			if math.Mod(dx+9, 6) < 1.1 || y < 63.5 {
				return hex(0x3a3442), true
			}
			d := math.Hypot(dx/9, (y-74)/11)
			return hex(0xffe9a0).to(hex(0xffb347), clamp(d)), true
		}
	case y >= 46 && y < 62: // roof
		if half := 12 * math.Sqrt(max((y-48)/14, 0)); math.Abs(dx) < half {
			return hex(0xb02a2a).times(round(12)), true
		}
		if math.Abs(dx) < .9 {
			return hex(0x3a3442), true
		}
	case y >= 38 && y < 46:
		if math.Abs(dx) < .9 || math.Hypot(dx, y-41) < 2.2 {
			return hex(0x3a3442), true
		}
	}
	return rgb{}, false
}

// house is a cottage with a tiled roof beside the tower.
func house(x, y float64) (rgb, bool) {
	const left, right, eaves, foot = 556.0, 626.0, 204.0, 240.0
	// Chimney.
	if x >= 604 && x < 613 && y >= 164 && y < 186 {
		c := hex(0xa4553f)
		if math.Mod(y, 5) < 1 || math.Mod(x+3*math.Floor(y/5), 6) < .9 {
			c = hex(0xd8b79a)
		}
		return c, true
	}
	// Roof: a trapezoid of curved tiles in rows.
	if y >= 174 && y < eaves+2 {
		t := (y - 174) / (eaves + 2 - 174)
		if l, r := mix(left+15, left-7, t), mix(right-15, right+7, t); x >= l && x < r {
			row := math.Floor((y - 174) / 5)
			u := math.Mod(x+row*3.5, 7) / 7
			c := hex(0xb4512f).to(hex(0xd9824a), 4*u*(1-u))
			c = c.times(.8 + .25*math.Mod(y-174, 5)/5 + .12*random(int(math.Floor((x+row*3.5)/7)), int(row), 43))
			return c, true
		}
	}
	if x < left || x >= right || y < eaves || y >= foot+4 {
		return rgb{}, false
	}
	c := hex(0xf2dfba).times(.9 + .12*fractal(x/5, y/5, 3, 45))
	if y < eaves+6 {
		c = c.times(.72) // shadow of the eaves
	}
	for _, wx := range []float64{570, 612} {
		dx, dy := math.Abs(x-wx), math.Abs(y-220)
		switch {
		case dx < 5.5 && dy < 7.5:
			c = hex(0xffd27a)
			if dx < .8 || dy < .8 || dx > 4.5 || dy > 6.5 {
				c = hex(0xfff8ec)
			}
		case dx < 10.5 && dy < 8: // shutters with slats
			c = hex(0x2f7f86)
			if math.Mod(y, 3) < 1 {
				c = c.times(.7)
			}
		}
	}
	if math.Abs(x-591) < 6 && y > 215 {
		c = hex(0x7a3d2a)
		if math.Abs(x-591) < .6 {
			c = c.times(.6)
		}
	}
	return c, true
}

// rocks is the island that the tower and the house stand on.
func rocks(x, y float64) (rgb, bool) {
	t := (x - 545) / 118
	if t < -1 || t > 1 {
		return rgb{}, false
	}
	top := shore - 17*math.Sqrt(1-t*t*t*t) - 5*(fractal(x/9, 1, 4, 47)-.5)
	if y < top {
		return rgb{}, false
	}
	if y < top+4 {
		return hex(0x66803f).times(.75 + .6*noise(x/1.7, y/2.5, 48)), true
	}
	n := fractal(x/7+y/11, y/5-x/19, 4, 49)
	return hex(0x57484e).to(hex(0xb8917c), smooth(.3, .7, n)), true
}

// boat is a sailing boat.
type boat struct {
	x, water, size float64 // mast, water line, pixels a unit
	hull, main     rgb
	stripes        bool // on the sail
}

var boats = []boat{
	{x: 330, water: 304, size: 1.0, hull: hex(0x8f2433), main: hex(0xf8f1e0), stripes: true},
	{x: 108, water: 272, size: .48, hull: hex(0x24406b), main: hex(0xf3a63b)},
	{x: 425, water: 265, size: .34, hull: hex(0xe8e2d4), main: hex(0x3f8f8a)},
}

// at returns the boat or its mirror image in the water.
func (b boat) at(x, y float64) (rgb, bool) {
	u, v := (x-b.x)/b.size, (b.water-y)/b.size
	if math.Abs(u) > 70 || math.Abs(v) > 130 {
		return rgb{}, false
	}
	if c, ok := b.draw(u, v); ok && v >= -3 {
		return c, true
	}
	if v >= 0 {
		return rgb{}, false
	}
	wave := fractal(x/(14*b.size+6), y/2.6, 3, 61) - .5
	if c, ok := b.draw(u+wave*(6-v*.16), -v*1.15); ok {
		return c.to(lake(x, y), clamp(.42+.006*-v)), true
	}
	return rgb{}, false
}

// draw returns the colour at u to the right of the mast and v above the water.
func (b boat) draw(u, v float64) (rgb, bool) {
	switch {
	case v >= -3 && v < 13: // hull: its ends rake outwards
		if u > -38-v*.5 && u < 40+v*1.1 && v > -3+.004*(u-2)*(u-2)*.6 {
			if v > 10.5 {
				return hex(0xf4e3c3), true
			}
			if v > 7.5 && v < 8.7 {
				return hex(0xe8c36a), true
			}
			return b.hull.times(.72 + .028*v), true
		}
	case v >= 13 && v < 20 && u > -18 && u < 9: // cabin
		if v > 14.5 && v < 17.5 && math.Mod(u+18, 9) > 2.5 {
			return hex(0x2a3550), true
		}
		return hex(0xf6efe2).times(1 - .01*u), true
	}
	if math.Abs(u) < 1.1 && v >= 13 && v < 124 {
		return hex(0x4a3326), true
	}
	if v > 116 && v < 124 && u > 0 && u < 14-1.6*math.Abs(v-120) {
		return hex(0xd4312e), true // pennant
	}
	// Main sail behind the mast, its leech curved.
	if v > 20 && v < 114 {
		h := (v - 20) / 94
		edge := -42*(1-h) - 7*math.Sin(math.Pi*h)
		if u < -2 && u > edge {
			c := b.main
			if b.stripes && int(math.Floor((v-20)/11))%3 == 1 {
				c = hex(0x2e74b5)
			}
			if math.Mod(v-20, 11) < .9 {
				c = c.times(.86) // seams
			}
			return c.times(.82 + .26*clamp(u/edge)), true
		}
	}
	// Jib in front of it.
	if v > 18 && v < 104 {
		h := (v - 18) / 86
		if edge := 38 * (1 - h); u > 2+6*math.Sin(math.Pi*h)*(1-h) && u < edge {
			return hex(0xe8742f).times(.80 + .3*u/40), true
		}
	}
	return rgb{}, false
}

// tiles is the terrace in front: chequered, seen in perspective.
func tiles(x, y float64) rgb {
	if y < terrace+7 { // stone lip
		c := hex(0xd9c8ae).times(.86 + .2*fractal(x/6, y/3, 3, 51))
		if math.Mod(x+9, 64) < 1.2 {
			c = c.times(.6)
		}
		return c.times(1 - .05*(y-terrace))
	}
	depth := 900 / (y - terrace + 17) // distance from the viewer
	u, v := (x-300)*depth/220, depth*2.1
	iu, iv := int(math.Floor(u/7)), int(math.Floor(v/7))
	c := hex(0xb95f45)
	if (iu+iv)%2 == 0 {
		c = hex(0xead9b8)
	}
	c = c.times(.9 + .16*random(iu, iv, 53) + .14*(fractal(u*1.3, v*1.3, 3, 54)-.5))
	fu, fv := u/7-math.Floor(u/7), v/7-math.Floor(v/7)
	if fu < .05 || fv < .06 {
		c = hex(0x6d5548)
	}
	if y < terrace+12 {
		c = c.times(.72)
	}
	return c
}

// plant is a pot of geraniums on the terrace.
func plant(x, y float64) (rgb, bool) {
	const px, rim, foot = 62.0, 356.0, 412.0
	dx := x - px
	if math.Abs(dx) > 70 || y < 270 {
		return rgb{}, false
	}
	if y >= rim && y < foot {
		half := mix(31, 20, (y-rim)/(foot-rim))
		if y < rim+9 {
			half = 34
		}
		if math.Abs(dx) < half {
			t := dx / half
			c := hex(0xc9683f).times(.62 + .5*math.Sqrt(max(1-(t+.35)*(t+.35)/1.9, 0)))
			if y > rim+20 && y < rim+34 && math.Mod(math.Abs(math.Mod(dx+40, 10)-5)+(y-rim-20)*.36, 5) < 1.8 {
				c = hex(0xf0dcb4).times(.7 + .3*math.Sqrt(max(1-t*t, 0))) // zigzag band
			}
			if y >= rim+9 && y < rim+12 {
				c = c.times(.7)
			}
			return c, true
		}
	}
	// Flowers in front of leaves: the nearest in a fixed order wins.
	for i := range 15 {
		fx, fy := px+88*(random(i, 1, 55)-.5), 346-66*random(i, 2, 55)
		ex, ey := x-fx, y-fy
		r := math.Hypot(ex, ey)
		petal := 6.4 + 1.7*math.Cos(5*math.Atan2(ey, ex)+float64(i))
		if r < 2 {
			return hex(0xffd84a), true
		}
		if r < petal {
			c := hex(0xe5303f)
			if i%4 == 1 {
				c = hex(0xf27fa5)
			}
			return c.times(1.08 - .05*r), true
		}
	}
	for i := range 70 {
		a := 2 * math.Pi * random(i, 3, 56)
		fx, fy := px+92*(random(i, 1, 56)-.5), 352-62*random(i, 2, 56)
		if math.Hypot((fx-px)/46, (fy-352)/64) > 1 {
			continue
		}
		ex, ey := x-fx, y-fy
		u, v := ex*math.Cos(a)+ey*math.Sin(a), ey*math.Cos(a)-ex*math.Sin(a)
		if d := math.Hypot(u/11, v/5.5); d < 1 {
			c := hex(0x2f6b35).to(hex(0x86b04a), random(i, 4, 56))
			if math.Abs(v) < .6 {
				c = c.times(1.25)
			}
			return c.times(1.05 - .35*d), true
		}
	}
	return rgb{}, false
}
