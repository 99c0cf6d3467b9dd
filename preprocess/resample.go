package preprocess

import "math"

// filter is a kernel of resampling: its weight at a distance, in source pixels, and the
// distance beyond which it is 0.
type filter struct {
	name    string
	support float64
	weight  func(x float64) float64
}

// filters are Pillow's, of the same names. Nearest has no weights: it takes the pixel in which
// the middle of the output pixel lies.
var filters = []filter{
	{"nearest", 0, nil},
	{"box", .5, func(x float64) float64 {
		if x > -.5 && x <= .5 {
			return 1
		}
		return 0
	}},
	{"bilinear", 1, func(x float64) float64 { return max(1-math.Abs(x), 0) }},
	{"bicubic", 2, func(x float64) float64 { // Keys (1981) with a = −1/2
		x = math.Abs(x)
		switch {
		case x < 1:
			return (1.5*x-2.5)*x*x + 1
		case x < 2:
			return (((x-5)*x+8)*x - 4) * -.5
		}
		return 0
	}},
	{"lanczos", 3, func(x float64) float64 {
		if x < -3 || x >= 3 {
			return 0
		}
		return sinc(x) * sinc(x/3)
	}},
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(x*math.Pi) / (x * math.Pi)
}

func filterNames() []string {
	var names []string
	for _, f := range filters {
		names = append(names, f.name)
	}
	return names
}

// weightBits is the precision of a weight. Pillow has the same, so that results are equal
// bit by bit.
const weightBits = 22

// taps says what an output pixel is made of: Σ weight[t]·source[first+t] / 2^weightBits.
type taps struct {
	first  int
	weight []int64
}

// makeTaps returns the taps of the output pixels from to from+n along one side, when size
// source pixels become total output pixels.
func makeTaps(f filter, antialias bool, size, total, from, n int) []taps {
	scale := float64(size) / float64(total)
	out := make([]taps, n)
	if f.weight == nil {
		for i := range out {
			out[i] = taps{(2*(from+i) + 1) * size / (2 * total), []int64{1 << weightBits}}
		}
		return out
	}
	stretch := 1.0 // of the filter
	if antialias {
		stretch = max(scale, 1)
	}
	support := f.support * stretch
	w := make([]float64, 0, 2*int(math.Ceil(support))+1)
	for i := range out {
		center := (float64(from+i) + .5) * scale
		first, end := max(int(center-support+.5), 0), min(int(center+support+.5), size)
		w = w[:0]
		sum := 0.0
		for x := first; x < end; x++ {
			v := f.weight((float64(x) - center + .5) * (1 / stretch))
			w, sum = append(w, v), sum+v
		}
		if sum == 0 { // box without antialias between two pixels' edges
			first, w, sum = min(int(center), size-1), append(w[:0], 1), 1
		}
		out[i] = taps{first, make([]int64, len(w))}
		for t, v := range w {
			out[i].weight[t] = int64(math.Floor(v/sum*(1<<weightBits) + .5))
			if v/sum < 0 {
				out[i].weight[t] = int64(math.Ceil(v/sum*(1<<weightBits) - .5))
			}
		}
	}
	return out
}

// window is a part of a picture.
type window struct{ top, left, h, w int }

// resample returns the part win of src [h,w,c] scaled to th×tw: first along the rows, then
// along the columns, each rounded to 8 bits as Pillow does. It computes only what the part needs.
func resample(src []uint8, h, w, c, th, tw int, f filter, antialias bool, win window) []uint8 {
	cols := makeTaps(f, antialias, w, tw, win.left, win.w)
	rows := makeTaps(f, antialias, h, th, win.top, win.h)
	top, bottom := h, 0 // the source rows that are read
	for _, r := range rows {
		top, bottom = min(top, r.first), max(bottom, r.first+len(r.weight))
	}
	wide := make([]uint8, (bottom-top)*win.w*c)
	for y := range bottom - top {
		from := src[(top+y)*w*c:][:w*c]
		to := wide[y*win.w*c:][:win.w*c]
		for x, t := range cols {
			for k := range c {
				sum := int64(1) << (weightBits - 1)
				for i, v := range t.weight {
					sum += v * int64(from[(t.first+i)*c+k])
				}
				to[x*c+k] = clip8(sum >> weightBits)
			}
		}
	}
	out := make([]uint8, win.h*win.w*c)
	n := win.w * c
	sums := make([]int64, n)
	for y, t := range rows {
		for i := range sums {
			sums[i] = 1 << (weightBits - 1)
		}
		for i, v := range t.weight {
			for j, p := range wide[(t.first-top+i)*n:][:n] {
				sums[j] += v * int64(p)
			}
		}
		for j, s := range sums {
			out[y*n+j] = clip8(s >> weightBits)
		}
	}
	return out
}

func clip8(v int64) uint8 { return uint8(min(max(v, 0), 255)) }
