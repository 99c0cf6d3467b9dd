package cpu

//go:generate go -C _asm run . -family depthwise -out ../depthwise_amd64.s -stubs ../zdepthwise_amd64.go -pkg cpu

// dwOutputs is the number of neighbouring outputs, a strip, that a kernel computes
// together.
const dwOutputs = 7

// dwTile holds the arguments of a depthwise kernel. Output i of a strip of a line
// is, for each channel c < ch,
//
//	s = bias[c] + Σ x[line.x + row.x + strip.x + col.x + i·xstep + c] · w[row.w + col.w + c]
//	y[line.y + strip.y + i·ystep + c] = min(max(s·scale[c] + shift[c] + res[the same], lo), hi)
//
// summed over the rows of taps of the line and the columns row.t0 ≤ t < row.t1 of
// cols, except those that the strip leaves out. What is nil is left out. Here c
// counts from the first channel that the slices begin with; those of one vector of
// lanes have their weights together, wstep before those of the next.
//
// A kernel for several output channels a group reads channel sources[v].x + perm[c]
// instead of c, of vector v of channels, where it lies from the beginning of a pixel.
//
// A kernel for rows of a known width takes no cols: column j of a row lies at
// j·xstep, and its outputs are that kernel's stride columns apart.
//
// Places are in elements and may lie outside x where the strip leaves them out. The
// caller vouches for all that is read and written. Assembly reads the fields by
// their offsets; the order of them is part of the contract.
type dwTile struct {
	x, w, y            []float32
	bias, scale, shift []float32
	res                []float32
	rows               []dwRow
	cols               []dwCol
	masks              []uint32
	lines              []dwLine
	strips             []dwStrip
	ch                 int
	xstep              int
	ystep              int
	wstep              int
	block              int // rows of taps that are summed before the sum is added to others
	lo, hi             float32
	hasLo, hasHi       int // 0 where the bound is infinite
	slide              int // 1 where neighbouring cols lie xstep apart
	perm               []int32
	sources            []dwSource
	stream             int      // 1 where whole vectors of whole strips may be stored past the caches
	_                  [96]byte // two threads' tiles share no pair of cache lines
}

// dwSource is the channels of x that a vector of output channels reads, where a group
// has several: n from x on.
type dwSource struct{ x, n int }

// dwRow is a row of taps: where it lies from the line and in the weights.
type dwRow struct{ x, w, t0, t1 int }

// dwCol is a tap of a row: where it lies from the row.
type dwCol struct{ x, w int }

// dwLine is a line of outputs: where it reads and is written, and its rows of taps.
type dwLine struct{ x, y, r0, r1 int }

// dwStrip is up to dwOutputs outputs of a line: where their first tap and the first of
// them lie from the line, and their number. For a kernel of a known width, bit j of
// mask tells whether column j is read. For others mask is −1 where every tap is, or
// the place in masks of a word for each of cols, of which bit i tells whether output
// i reads it.
type dwStrip struct{ x, y, n, mask int }

// dwKernel is a depthwise kernel.
type dwKernel struct {
	lanes         int
	width, stride int // of the rows of taps; 0 for any
	fn            func(*dwTile)
}

// dwKernels returns the kernels for an instruction set and output channels. The last
// one takes all taps, the one before it all taps with several output channels a group.
func dwKernels(set isa, channels int) []dwKernel {
	if channels == 8 {
		set = min(set, isaAVX2) // half of a wider vector would be idle
	}
	k := dwKernel{lanes: dwGenericLanes, fn: dwGeneric}
	return pick(set, append(dwArch[:len(dwArch):len(dwArch)], impl[[]dwKernel]{isaGeneric, []dwKernel{k, k}}))
}

const dwGenericLanes = 8

// dwGeneric is the kernel for any taps in plain Go.
func dwGeneric(a *dwTile) {
	for c := 0; c < a.ch; c += dwGenericLanes {
		w := a.w[c/dwGenericLanes*a.wstep:]
		n := min(dwGenericLanes, a.ch-c)
		for i := range a.lines {
			for j := range a.strips {
				s := &a.strips[j]
				for q := range s.n {
					dwPixel(a, &a.lines[i], s, q, c, n, w)
				}
			}
		}
	}
}

// dwPixel computes n channels from c on of output q of a strip.
func dwPixel(a *dwTile, l *dwLine, s *dwStrip, q, c, n int, w []float32) {
	var sum, total [dwGenericLanes]float32
	if a.bias != nil {
		copy(sum[:n], a.bias[c:])
	}
	at := l.x + s.x + q*a.xstep
	if a.perm == nil {
		at += c
	} else {
		at += a.sources[c/dwGenericLanes].x
	}
	block := a.block
	for _, r := range a.rows[l.r0:l.r1] {
		if block == 0 {
			for i, v := range sum {
				total[i] += v
			}
			sum, block = [dwGenericLanes]float32{}, a.block
		}
		block--
		for t := r.t0; t < r.t1; t++ {
			if s.mask >= 0 && a.masks[s.mask+t]>>q&1 == 0 {
				continue
			}
			x, k := a.x[at+r.x+a.cols[t].x:], (*[dwGenericLanes]float32)(w[r.w+a.cols[t].w:])
			if a.perm != nil {
				for i, j := range a.perm[c : c+n] {
					sum[i] += x[j] * k[i]
				}
				continue
			}
			if n == dwGenericLanes {
				x := (*[dwGenericLanes]float32)(x)
				sum[0] += x[0] * k[0]
				sum[1] += x[1] * k[1]
				sum[2] += x[2] * k[2]
				sum[3] += x[3] * k[3]
				sum[4] += x[4] * k[4]
				sum[5] += x[5] * k[5]
				sum[6] += x[6] * k[6]
				sum[7] += x[7] * k[7]
				continue
			}
			for i, v := range x[:n] {
				sum[i] += v * k[i]
			}
		}
	}
	to := l.y + s.y + q*a.ystep + c
	for i := range n {
		v := sum[i] + total[i]
		if a.scale != nil {
			v = v*a.scale[c+i] + a.shift[c+i]
		}
		if a.res != nil {
			v += a.res[to+i]
		}
		a.y[to+i] = min(max(v, a.lo), a.hi)
	}
}
