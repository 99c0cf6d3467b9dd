package cpu

//go:generate go -C _asm run . -family resize -out ../resize_amd64.s -stubs ../zresize_amd64.go -pkg cpu

// resizeKernels are the inner loops of Resize. A weight of 0 stands for no part in
// the sum: what it belongs to is not multiplied.
type resizeKernels struct {
	lanes int // of a vector
	// blend2 and blend4 set y to sums of lines.
	blend2 func(y, a, b []float32, wa, wb float32)
	blend4 func(y, a, b, c, d []float32, wa, wb, wc, wd float32)
	// lines has functions along a line; the second ones store past the caches: y begins
	// at a multiple of 64 bytes, and so do its pixels.
	lines [2]lineKernels
}

type lineKernels struct {
	// permute sets element i of y to x[base[i/lanes] + index[i]], and permuteBlend to
	// w0[i]·that + w1[i]·(the one step on). Both are within 2·lanes of the base, and
	// those within x, unless x is shorter and the base 0. Index and weights are as long
	// as whole vectors. The first function of two is for elements within lanes.
	permute      [2]permuteFn
	permuteBlend [2]permuteBlendFn
	// pixels copies pixel at[i] of x, step elements a pixel, to pixel i of y, pitch
	// elements a pixel; pixelsBlend sets it to w0[i]·that + w1[i]·(the next).
	pixels      func(y, x []float32, at []int32, channels, pitch, step int)
	pixelsBlend func(y, x []float32, at []int32, w0, w1 []float32, channels, pitch, step int)
}

type (
	permuteFn      func(y, x []float32, base, index []int32)
	permuteBlendFn func(y, x []float32, base, index []int32, w0, w1 []float32, step int)
)

var resizeImpls = append(resizeArch[:len(resizeArch):len(resizeArch)], impl[*resizeKernels]{isaGeneric, &resizeKernels{
	1 << 4, blend2Generic, blend4Generic, [2]lineKernels{genericLines, genericLines},
}})

var genericLines = lineKernels{
	[2]permuteFn{permuteGeneric, permuteGeneric}, [2]permuteBlendFn{permuteBlendGeneric, permuteBlendGeneric},
	pixelsGeneric, pixelsBlendGeneric,
}

func blend2Generic(y, a, b []float32, wa, wb float32) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = wa*a[i] + wb*b[i]
	}
}

func blend4Generic(y, a, b, c, d []float32, wa, wb, wc, wd float32) {
	a, b, c, d = a[:len(y)], b[:len(y)], c[:len(y)], d[:len(y)]
	for i := range y {
		y[i] = (wa*a[i] + wb*b[i]) + (wc*c[i] + wd*d[i])
	}
}

func permuteGeneric(y, x []float32, base, index []int32) {
	for i, b := range base {
		lanes := len(index) / len(base)
		from, row := x[b:], index[i*lanes:][:lanes]
		for j, k := range row[:min(lanes, len(y)-i*lanes)] {
			y[i*lanes+j] = from[k]
		}
	}
}

func permuteBlendGeneric(y, x []float32, base, index []int32, w0, w1 []float32, step int) {
	for i, b := range base {
		lanes := len(index) / len(base)
		from, row := x[b:], index[i*lanes:][:lanes]
		for j, k := range row[:min(lanes, len(y)-i*lanes)] {
			at := i*lanes + j
			v := w0[at] * from[k]
			if w := w1[at]; w != 0 {
				v += w * from[int(k)+step]
			}
			y[at] = v
		}
	}
}

func pixelsGeneric(y, x []float32, at []int32, channels, pitch, step int) {
	if channels == 1 { // a copy of one takes longer
		for i, p := range at {
			y[i*pitch] = x[int(p)*step]
		}
		return
	}
	for i, p := range at {
		copy(y[i*pitch:][:channels], x[int(p)*step:][:channels])
	}
}

func pixelsBlendGeneric(y, x []float32, at []int32, w0, w1 []float32, channels, pitch, step int) {
	for i, p := range at {
		dst, a := y[i*pitch:][:channels], x[int(p)*step:][:channels]
		if w1[i] == 0 {
			copy(dst, a)
			continue
		}
		blend2Generic(dst, a, x[(int(p)+1)*step:][:channels], w0[i], w1[i])
	}
}
