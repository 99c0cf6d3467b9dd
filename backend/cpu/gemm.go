package cpu

// maxK is the number of terms that are added one after another. Longer sums are
// sums of blocks of so many, which keeps the error of 10⁵ terms near that of a
// few hundred.
const maxK = 256

// tile holds the arguments of a microkernel. For 0 ≤ r < mr and 0 ≤ j < NR it
// computes
//
//	s[r,j] = Σ_t Σ_c x[off[t·mr+r] + c0 + c] · b[(t·kc + c)·NR + j]
//
// over 0 ≤ t < taps and 0 ≤ c < kc, where an offset of −1 stands for a row of
// zeros, and sets acc[r·NR+j] to s[r,j] if first, or adds it. The caller vouches
// for the lengths: mr ≤ MR, taps·kc ≤ maxK, and all that the formula reads.
//
// Assembly reads the fields by their offsets; the order of them is part of the
// contract.
type tile struct {
	x     []float32 // base of the offsets
	zero  []float32 // maxK zeros
	off   []int32   // taps × mr offsets in elements, or −1
	b     []float32 // taps·kc × NR weights
	acc   []float32 // mr × NR sums
	taps  int
	kc    int
	c0    int
	mr    int
	first bool
}

// microkernel is a candidate for the inner loop of every matrix product.
type microkernel struct {
	name   string
	needs  isa
	mr, nr int // largest tile
	fn     func(*tile)
	// pack stores a panel of nr columns as fn reads it: see packPanel.
	pack func(dst, src []float32, s panelSource, first, n int)
}

// gemmCandidates lists the microkernels, best first. The first that the backend's
// instruction set can run is taken.
var gemmCandidates = append(gemmArch[:len(gemmArch):len(gemmArch)],
	microkernel{name: "generic", needs: isaGeneric, mr: 4, nr: genericNR, fn: gemmGeneric, pack: packPanel})

const genericNR = 8

// gemmGeneric is the microkernel in plain Go, and what others are tested against.
func gemmGeneric(a *tile) {
	for r := range a.mr {
		gemmRow(a, r)
	}
}

// gemmRow computes one row of a tile. Eight sums, the value of x and four
// products are what fits in the registers of amd64; the second length check,
// which cannot fail, keeps the compiler from moving the second four products up
// among the first, where it would have to spill.
func gemmRow(a *tile, r int) {
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	b := a.b
	for t := range a.taps {
		x := a.zero
		if o := a.off[t*a.mr+r]; o >= 0 {
			x = a.x[int(o)+a.c0:]
		}
		for _, v := range x[:a.kc] {
			if len(b) < 4 {
				break
			}
			s0 += v * b[0]
			s1 += v * b[1]
			s2 += v * b[2]
			s3 += v * b[3]
			b = b[4:]
			if len(b) < 4 {
				break
			}
			s4 += v * b[0]
			s5 += v * b[1]
			s6 += v * b[2]
			s7 += v * b[3]
			b = b[4:]
		}
	}
	acc := (*[genericNR]float32)(a.acc[r*genericNR:])
	if a.first {
		*acc = [genericNR]float32{s0, s1, s2, s3, s4, s5, s6, s7}
		return
	}
	acc[0] += s0
	acc[1] += s1
	acc[2] += s2
	acc[3] += s3
	acc[4] += s4
	acc[5] += s5
	acc[6] += s6
	acc[7] += s7
}

// zeros is the row that a tap in the padding reads.
var zeros = f32(alignedBytes(4 * maxK))

// kblock is a part of the sum: the taps [t0, t1) and channels [c0, c1).
type kblock struct{ t0, t1, c0, c1 int }

// kBlocks cuts taps × kc terms into blocks of at most maxK: whole taps where
// they fit, and otherwise even pieces of one tap.
func kBlocks(taps, kc int) []kblock {
	var bs []kblock
	if kc <= maxK {
		step := maxK / max(kc, 1)
		for t := 0; t < taps; t += step {
			bs = append(bs, kblock{t, min(t+step, taps), 0, kc})
		}
		return bs
	}
	n := (kc + maxK - 1) / maxK
	for t := range taps {
		for i := range n {
			c0, c1 := share(kc, i, n)
			bs = append(bs, kblock{t, t + 1, c0, c1})
		}
	}
	return bs
}

// gemm multiplies tiles of rows by panels of packed columns.
type gemm struct {
	mk       *microkernel
	taps, kc int
	blocks   []kblock
}

func newGemm(mk *microkernel, taps, kc int) gemm {
	return gemm{mk: mk, taps: taps, kc: kc, blocks: kBlocks(taps, kc)}
}

// panelLen is the number of elements of a packed panel.
func (g *gemm) panelLen() int { return g.taps * g.kc * g.mk.nr }

// run computes the tile of mr rows at the offsets off (taps × mr) to x with one
// panel. The sums are in t.acc.
func (g *gemm) run(t *tile, x []float32, off []int32, mr int, panel []float32) {
	g.runTaps(t, x, off, mr, panel, 0, g.taps)
}

// runTaps is run where only the taps [lo, hi) have rows that are not zeros.
func (g *gemm) runTaps(t *tile, x []float32, off []int32, mr int, panel []float32, lo, hi int) {
	nr := g.mk.nr
	t.x, t.zero, t.mr, t.first = x, zeros, mr, true
	for _, b := range g.blocks {
		b.t0, b.t1 = max(b.t0, lo), min(b.t1, hi)
		if b.t0 >= b.t1 {
			continue
		}
		t.taps, t.kc, t.c0 = b.t1-b.t0, b.c1-b.c0, b.c0
		t.off = off[b.t0*mr : b.t1*mr]
		k := b.t0*g.kc + b.c0
		t.b = panel[k*nr : (k+t.taps*t.kc)*nr]
		g.mk.fn(t)
		t.first = false
	}
	if t.first { // no tap
		clear(t.acc[:mr*nr])
	}
}
