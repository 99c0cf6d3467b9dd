package cpu

import "math"

//go:generate go -C _asm run . -family norm -out ../norm_amd64.s -stubs ../znorm_amd64.go -pkg cpu

// normKernels are the inner loops of normalisation. Y may be x; slices that belong
// together are of one length. Lanes are the first elements of each row: as many as the
// tables have, pitch apart from row to row.
type normKernels struct {
	// moments returns the sums of x − shift and of its squares.
	moments func(x []float32, shift float64) (sum, square float64)
	// rowMoments adds such sums over rows to those of each lane.
	rowMoments func(x []float32, rows, pitch int, shift, sum, square []float64)

	// These compute in float64 and round once.

	// affine sets y to (x − mean)·factor + bias.
	affine func(y, x []float32, mean, factor, bias float64)
	// affineEach sets y to (x − mean)·(inv·scale) + bias.
	affineEach func(y, x, scale, bias []float32, mean, inv float64)
	// affineRows sets rows of y to (x − mean)·factor + bias with the values of each lane.
	affineRows func(y, x []float32, rows, pitch int, mean, factor, bias []float64)
	// affineSlices sets rows of y to (x − mean)·(inv·scale) + bias with the mean and inv
	// of each lane, the scale and bias of each row.
	affineSlices func(y, x []float32, rows, pitch int, mean, inv []float64, scale, bias []float32)

	// These compute in float32, where the mean is high + low: a result is off by 4u
	// times the part without the bias, and its own rounding. See single.

	singleAffine       func(y, x []float32, high, low, factor, bias float32)
	singleAffineEach   func(y, x, scale, bias []float32, high, low, inv float32)
	singleAffineRows   func(y, x []float32, rows, pitch int, high, low, factor, bias []float32)
	singleAffineSlices func(y, x []float32, rows, pitch int, high, low, inv, scale, bias []float32)
}

// single reports whether float32 will do for a factor. For all of a normalisation it
// will if it does for 1/σ: then no distance from the mean leaves the range of float32.
func single(factor float64) bool {
	f := math.Abs(factor)
	return f == 0 || f >= 0x1p-100 && f <= 0x1p100
}

// highLow returns v as the sum of two float32.
func highLow(v float64) (high, low float32) {
	high = float32(v)
	return high, float32(v - float64(high))
}

var normImpls = append(normArch, impl[*normKernels]{isaGeneric, &normKernels{
	momentsGeneric, rowMomentsGeneric, affineGeneric, affineEachGeneric, affineRowsGeneric, affineSlicesGeneric,
	singleAffineGeneric, singleAffineEachGeneric, singleAffineRowsGeneric, singleAffineSlicesGeneric,
}})

func momentsGeneric(x []float32, shift float64) (sum, square float64) {
	var s, q [4]float64 // independent sums overlap in time
	i := 0
	for ; i+4 <= len(x); i += 4 {
		v := x[i : i+4 : i+4]
		d0, d1, d2, d3 := float64(v[0])-shift, float64(v[1])-shift, float64(v[2])-shift, float64(v[3])-shift
		s[0] += d0
		s[1] += d1
		s[2] += d2
		s[3] += d3
		q[0] += d0 * d0
		q[1] += d1 * d1
		q[2] += d2 * d2
		q[3] += d3 * d3
	}
	for _, v := range x[i:] {
		d := float64(v) - shift
		s[0] += d
		q[0] += d * d
	}
	return (s[0] + s[1]) + (s[2] + s[3]), (q[0] + q[1]) + (q[2] + q[3])
}

func rowMomentsGeneric(x []float32, rows, pitch int, shift, sum, square []float64) {
	sum, square = sum[:len(shift)], square[:len(shift)]
	for r := range rows {
		for i, v := range x[r*pitch:][:len(shift)] {
			d := float64(v) - shift[i]
			sum[i] += d
			square[i] += d * d
		}
	}
}

func affineGeneric(y, x []float32, mean, factor, bias float64) {
	x = x[:len(y)]
	for i, v := range x {
		y[i] = float32((float64(v)-mean)*factor + bias)
	}
}

func affineEachGeneric(y, x, scale, bias []float32, mean, inv float64) {
	x, scale, bias = x[:len(y)], scale[:len(y)], bias[:len(y)]
	for i, v := range x {
		y[i] = float32((float64(v)-mean)*(inv*float64(scale[i])) + float64(bias[i]))
	}
}

func affineRowsGeneric(y, x []float32, rows, pitch int, mean, factor, bias []float64) {
	factor, bias = factor[:len(mean)], bias[:len(mean)]
	for r := range rows {
		dst := y[r*pitch:][:len(mean)]
		for i, v := range x[r*pitch:][:len(mean)] {
			dst[i] = float32((float64(v)-mean[i])*factor[i] + bias[i])
		}
	}
}

func affineSlicesGeneric(y, x []float32, rows, pitch int, mean, inv []float64, scale, bias []float32) {
	inv = inv[:len(mean)]
	for r := range rows {
		dst, s, b := y[r*pitch:][:len(mean)], float64(scale[r]), float64(bias[r])
		for i, v := range x[r*pitch:][:len(mean)] {
			dst[i] = float32((float64(v)-mean[i])*(inv[i]*s) + b)
		}
	}
}

func singleAffineGeneric(y, x []float32, high, low, factor, bias float32) {
	x = x[:len(y)]
	for i, v := range x {
		y[i] = (v-high-low)*factor + bias
	}
}

func singleAffineEachGeneric(y, x, scale, bias []float32, high, low, inv float32) {
	x, scale, bias = x[:len(y)], scale[:len(y)], bias[:len(y)]
	for i, v := range x {
		y[i] = (v-high-low)*inv*scale[i] + bias[i]
	}
}

func singleAffineRowsGeneric(y, x []float32, rows, pitch int, high, low, factor, bias []float32) {
	low, factor, bias = low[:len(high)], factor[:len(high)], bias[:len(high)]
	for r := range rows {
		dst := y[r*pitch:][:len(high)]
		for i, v := range x[r*pitch:][:len(high)] {
			dst[i] = (v-high[i]-low[i])*factor[i] + bias[i]
		}
	}
}

func singleAffineSlicesGeneric(y, x []float32, rows, pitch int, high, low, inv, scale, bias []float32) {
	low, inv = low[:len(high)], inv[:len(high)]
	for r := range rows {
		dst, s, b := y[r*pitch:][:len(high)], scale[r], bias[r]
		for i, v := range x[r*pitch:][:len(high)] {
			dst[i] = (v-high[i]-low[i])*inv[i]*s + b
		}
	}
}
