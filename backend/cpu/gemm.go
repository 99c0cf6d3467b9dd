package cpu

import "math"

//go:generate go -C _asm run . -family gemm -out ../gemm_amd64.s -stubs ../zgemm_amd64.go -pkg cpu
//go:generate go -C _asm run . -family neon -out ../neon_arm64.s -stubs ../zneon_arm64.go -pkg cpu

// maxK is the number of terms that are added one after another. Longer sums are
// sums of blocks of so many, which keeps the error of 10⁵ terms near that of a
// few hundred.
const maxK = 256

// noRow is the offset that stands for a row of zeros.
const noRow = math.MinInt32

// tile holds the arguments of a microkernel. For 0 ≤ r < mr and 0 ≤ j < NR it
// computes
//
//	s[r,j] = Σ_t Σ_c x[base + off[t·mr+r] + c] · b[t·(kc·NR+bStep) + c·NR + j]
//
// over 0 ≤ t < taps and 0 ≤ c < kc, where the offset noRow stands for a row of
// zeros, and adds bias[j] if first, and acc[r·NR+j] otherwise. Then, unless last, it
// stores the sum in acc; if last, it stores
//
//	min(max(s[r,j]·scale[j] + shift[j] + residual[dst[r]+j], lo), hi)
//
// at y[dst[r]+j] for the columns j of which mask[j] is −1 (all, if full), leaving out
// the operands that are nil (shift is there with scale) and the bounds that atLeast and
// atMost leave out. NaN passes through the bounds. Where stream is set the stores of full
// panels may go past the caches; then rows of y begin at multiples of 64 bytes. The caller
// vouches for the lengths: mr ≤ MR, taps and kc ≥ 1, kc ≤ maxK, and all that the
// formula reads.
//
// Assembly reads the fields by their offsets; the order of them is part of the
// contract.
type tile struct {
	x        []float32 // origin of base
	zero     []float32 // kc zeros
	off      []int32   // taps × mr offsets in elements, or noRow
	b        []float32 // weights, taps of kc × NR
	acc      []float32 // mr × NR sums
	y        []float32
	dst      []int32 // mr offsets of rows in y and residual
	bias     []float32
	scale    []float32
	shift    []float32
	residual []float32
	mask     []int32 // NR
	base     int
	taps     int
	kc       int
	bStep    int
	mr       int
	ahead    int // bytes after those of b that are prefetched, a line for each row of b
	lo, hi   float32
	first    bool
	last     bool
	full     bool
	atLeast  bool
	atMost   bool
	stream   bool
	_        [34]byte // two threads' tiles share no cache line, nor a pair of them
}

// microkernel is a candidate for the inner loop of every matrix product.
type microkernel struct {
	needs  isa
	mr, nr int // largest tile
	// rate is the share of the best microkernel's speed that a full tile reaches.
	rate float64
	fn   func(*tile)
}

// gemmKernels lists the microkernels.
var gemmKernels = append(gemmArch[:len(gemmArch):len(gemmArch)],
	microkernel{needs: isaGeneric, mr: 4, nr: genericNR, rate: 1, fn: gemmGeneric})

// microkernelFor returns the microkernel for matrices of so many columns: the one
// that spends least on them and on the columns that fill up the last panel. It
// depends on the weights alone, as the packed format does that follows from it.
func microkernelFor(set isa, cols int) *microkernel {
	best, least := (*microkernel)(nil), math.Inf(1)
	for i := range gemmKernels {
		mk := &gemmKernels[i]
		if mk.needs > set || best != nil && mk.needs < best.needs { // listed by instruction set, best first
			continue
		}
		panels := (max(cols, 1) + mk.nr - 1) / mk.nr
		if cost := float64(panels*mk.nr) / mk.rate; cost < least {
			best, least = mk, cost
		}
	}
	return best
}

const genericNR = 8

// gemmGeneric is the microkernel in plain Go, and what others are tested against.
func gemmGeneric(a *tile) {
	for r := range a.mr {
		gemmRow(a, r)
		if a.last {
			gemmStore(a, r)
		}
	}
}

// gemmRow computes the sums of one row. Eight sums, the value of x and four
// products are what fits in the registers of amd64; the second length check,
// which cannot fail, keeps the compiler from moving the second four products up
// among the first, where it would have to spill.
func gemmRow(a *tile, r int) {
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	b := a.b
	for t := range a.taps {
		x := a.zero
		if o := a.off[t*a.mr+r]; o != noRow {
			x = a.x[a.base+int(o):]
		}
		if t > 0 {
			b = b[a.bStep:]
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
		if a.bias != nil {
			for j := range acc {
				if a.mask[j] == 0 {
					break
				}
				acc[j] += a.bias[j]
			}
		}
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

// gemmStore applies the epilogue to one row of sums and stores it.
func gemmStore(a *tile, r int) {
	at := int(a.dst[r])
	for j, s := range a.acc[r*genericNR:][:genericNR] {
		if a.mask[j] == 0 {
			break
		}
		if a.scale != nil {
			s = s*a.scale[j] + a.shift[j]
		}
		if a.residual != nil {
			s += a.residual[at+j]
		}
		if a.atLeast {
			s = max(s, a.lo)
		}
		if a.atMost {
			s = min(s, a.hi)
		}
		a.y[at+j] = s
	}
}

// zeros is the row that a tap in the padding reads, and a panel without terms.
var zeros = f32(alignedBytes(4 * maxK))

// columnMask returns the mask of n columns of a panel.
func columnMask(n int) []int32 { return columnMasks[maxNR-n:] }

// maxNR is the number of columns of the widest panel.
const maxNR = 64

var columnMasks = func() []int32 {
	m := make([]int32, 2*maxNR)
	for i := range maxNR {
		m[i] = -1
	}
	return m
}()

// kblock is a part of a sum that one call of a microkernel adds: taps of kc terms.
type kblock struct {
	taps, kc int
	off      int // first tap in the table of offsets
	c0       int // first term of a tap, in elements of x
	b, bStep int // where the weights begin in the panel, and what lies between those of two taps, in rows of the panel
}

// kBlocks cuts n taps of kc terms into blocks of at most maxK: whole taps where they
// fit, and otherwise even pieces of one tap. The table of offsets has them from off on;
// the weights of tap t begin at row b + t·step of the panel.
func kBlocks(bs []kblock, n, kc, off, b, step int) []kblock {
	if kc <= maxK {
		most := maxK / max(kc, 1)
		m := (n + most - 1) / most
		for i := range m {
			lo, hi := share(n, i, m)
			bs = append(bs, kblock{taps: hi - lo, kc: kc, off: off + lo, b: b + lo*step, bStep: step - kc})
		}
		return bs
	}
	m := (kc + maxK - 1) / maxK
	for t := range n {
		for i := range m {
			c0, c1 := share(kc, i, m)
			bs = append(bs, kblock{taps: 1, kc: c1 - c0, off: off + t, c0: c0, b: b + t*step + c0})
		}
	}
	return bs
}

// panelGroup is the bytes of a panel that stay in the second-level cache while many
// tiles read them.
const panelGroup = 256 << 10

// farWeights is the bytes of all panels from which they do not stay in the second-level
// cache, so that the next piece is prefetched.
const farWeights = 512 << 10

// gemm multiplies tiles of rows by panels of packed columns.
type gemm struct {
	mk     *microkernel
	k      int  // terms of a sum
	groups int  // a panel is read in so many pieces, each by a block of tiles
	stream bool // y is stored past the caches
	fused  fused
	rest   *epilogue // what the microkernels do not apply
}

func newGemm(mk *microkernel, k int, epi *epilogue) gemm {
	g := gemm{mk: mk, k: k, groups: 1}
	g.fused, g.rest = epi.fuse()
	g.groups = max(1, (4*k*mk.nr+panelGroup-1)/panelGroup)
	return g
}

// streamTo makes the product store past the caches where y is large and nothing of it is
// read again. The function that it returns is what a thread does in the end.
func (g *gemm) streamTo(set isa, y rows, bytes int64) func() {
	if g.stream = streams(bytes) && y.pitch%(align/4) == 0 && len(g.rest.steps) == 0 && g.fused.residual < 0; g.stream {
		return storeFence(set)
	}
	return func() {}
}

// panelLen is the number of elements of a packed panel.
func (g *gemm) panelLen() int { return g.k * g.mk.nr }

// accLen is the number of elements of a tile of sums.
func (g *gemm) accLen() int { return g.mk.mr * g.mk.nr }

// byGroup sorts the blocks of a sum by the piece of the panel that they begin in.
func (g *gemm) byGroup(bs []kblock) [][]kblock {
	s := make([][]kblock, g.groups)
	for _, b := range bs {
		i := b.b * g.groups / max(g.k, 1)
		s[i] = append(s[i], b)
	}
	return s
}

// begin sets what all tiles of a call have in common.
func (g *gemm) begin(t *tile, x []float32) {
	t.x, t.zero, t.lo, t.hi = x, zeros, g.fused.lo, g.fused.hi
	t.atLeast, t.atMost = !math.IsInf(float64(t.lo), -1), !math.IsInf(float64(t.hi), 1)
}

// columns sets what the tiles of a panel have in common: n columns, the first of
// which is channel o of y.
func (g *gemm) columns(t *tile, c *call, o, n int) {
	t.mask, t.full = columnMask(n), n == g.mk.nr
	t.stream = g.stream && o%(align/4) == 0
	f := &g.fused
	if f.bias >= 0 {
		t.bias = c.x(f.bias)[o:]
	}
	if f.scale >= 0 {
		t.scale, t.shift = c.x(f.scale)[o:], c.x(f.shift)[o:]
	}
}

// place sets where a tile is stored: the rows at y[at+dst[r]].
func (g *gemm) place(t *tile, c *call, y []float32, at int) {
	t.y = y[at:]
	if g.fused.residual >= 0 {
		t.residual = c.x(g.fused.residual)[at:]
	}
}

// finish applies the steps of the epilogue that follow those of the microkernel to
// the rows of a tile that was stored at y[at+dst[r]], and clears pad lanes after
// them. The first of n columns is channel o.
func (g *gemm) finish(c *call, y []float32, dst []int32, o, n, at, pad int) {
	for _, d := range dst {
		i := at + int(d)
		g.rest.row(c, y[i:i+n], o, i)
		clear(y[i+n : i+n+pad])
	}
}
