package scene

// rgb is a colour with components from 0 to 1.
type rgb struct{ r, g, b float64 }

// hex makes a colour of 0xRRGGBB.
func hex(v uint32) rgb {
	return rgb{float64(v>>16&255) / 255, float64(v>>8&255) / 255, float64(v&255) / 255}
}

// to goes from c to d as t goes from 0 to 1.
func (c rgb) to(d rgb, t float64) rgb {
	return rgb{mix(c.r, d.r, t), mix(c.g, d.g, t), mix(c.b, d.b, t)}
}

// times makes c brighter or darker.
func (c rgb) times(f float64) rgb { return rgb{c.r * f, c.g * f, c.b * f} }

// add adds light of colour d and strength f.
func (c rgb) add(d rgb, f float64) rgb { return rgb{c.r + d.r*f, c.g + d.g*f, c.b + d.b*f} }

// stop is a colour at a place of a gradient.
type stop struct {
	at float64
	c  rgb
}

// gradient returns the colour at v; the stops are in rising order.
func gradient(v float64, stops ...stop) rgb {
	if v <= stops[0].at {
		return stops[0].c
	}
	for i := 1; i < len(stops); i++ {
		if a, b := stops[i-1], stops[i]; v < b.at {
			return a.c.to(b.c, (v-a.at)/(b.at-a.at))
		}
	}
	return stops[len(stops)-1].c
}
