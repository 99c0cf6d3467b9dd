package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unsafe"
)

// The generator has the offsets of tile's fields by hand.
func TestTileOffsets(t *testing.T) {
	var v tile
	want := map[string]uintptr{
		"tileX": unsafe.Offsetof(v.x), "tileZero": unsafe.Offsetof(v.zero), "tileOff": unsafe.Offsetof(v.off), "tileB": unsafe.Offsetof(v.b),
		"tileAcc": unsafe.Offsetof(v.acc), "tileY": unsafe.Offsetof(v.y), "tileDst": unsafe.Offsetof(v.dst), "tileBias": unsafe.Offsetof(v.bias),
		"tileScale": unsafe.Offsetof(v.scale), "tileShift": unsafe.Offsetof(v.shift), "tileResidual": unsafe.Offsetof(v.residual),
		"tileMask": unsafe.Offsetof(v.mask), "tileBase": unsafe.Offsetof(v.base), "tileTaps": unsafe.Offsetof(v.taps), "tileKC": unsafe.Offsetof(v.kc),
		"tileStream": unsafe.Offsetof(v.stream), "tileAhead": unsafe.Offsetof(v.ahead), "tileBStep": unsafe.Offsetof(v.bStep), "tileFull": unsafe.Offsetof(v.full), "tileAtLeast": unsafe.Offsetof(v.atLeast), "tileAtMost": unsafe.Offsetof(v.atMost),
		"tileMR": unsafe.Offsetof(v.mr), "tileLo": unsafe.Offsetof(v.lo), "tileHi": unsafe.Offsetof(v.hi), "tileFirst": unsafe.Offsetof(v.first), "tileLast": unsafe.Offsetof(v.last),
	}
	src, err := os.ReadFile("_asm/gemm.go")
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for _, m := range regexp.MustCompile(`(?m)^\t(tile[A-Za-z]+) += (\d+)$`).FindAllStringSubmatch(string(src), -1) {
		n, _ := strconv.Atoi(m[2])
		w, ok := want[m[1]]
		if !ok || uintptr(n) != w {
			t.Errorf("%s is %d in the generator, %d in package cpu", m[1], n, w)
		}
		got++
	}
	if n := [2]uintptr{unsafe.Sizeof(v), unsafe.Sizeof(dwTile{})}; n[0]%128 != 0 || n[1]%128 != 0 {
		t.Errorf("tiles of %v bytes, want multiples of 128", n)
	}
	if got != len(want) {
		t.Errorf("%d fields in the generator, %d here", got, len(want))
	}
}

// gemmCase is a tile on memory with sentinels around what may be written.
type gemmCase struct {
	tile
	acc0, y0 []float32
}

func newGemmCase(r *rand.Rand, nr, mr, taps, kc, n, gap int) *gemmCase {
	ints := func(k int) []float32 {
		v := f32(alignedBytes(4 * k))
		for i := range v {
			v[i] = float32(r.IntN(7) - 3)
		}
		return v
	}
	c := &gemmCase{}
	rows := mr + taps
	c.x, c.zero, c.b, c.mr, c.taps, c.kc = ints(rows*kc+5), zeros, ints((taps*(kc+2)-2)*nr), mr, taps, kc
	c.base, c.bStep = 2*kc, 2*nr
	for range taps * mr {
		o := int32(r.IntN(rows)-2)*int32(kc) + int32(r.IntN(6))
		if r.IntN(5) == 0 {
			o = noRow
		}
		c.off = append(c.off, o)
	}
	c.acc, c.acc0 = ints(mr*nr+nr), nil
	c.acc0 = append([]float32{}, c.acc...)
	pitch := n + gap
	c.y, c.residual = ints(mr*pitch), ints((mr-1)*pitch+n)
	for i := range mr { // in any order
		c.dst = append(c.dst, int32((mr-1-i)*pitch))
	}
	c.y0 = append([]float32{}, c.y...)
	c.bias, c.scale, c.shift = ints(n), ints(n), ints(n)
	c.mask = columnMask(n)
	c.lo, c.hi, c.full = -5, 1e3, n == nr
	return c
}

// sum is the sum of row i, column j, without the epilogue.
func (c *gemmCase) sum(nr, i, j int) float64 {
	var s float64
	for t := range c.taps {
		o := c.off[t*c.mr+i]
		if o == noRow {
			continue
		}
		for k := range c.kc {
			s += float64(c.x[c.base+int(o)+k]) * float64(c.b[(t*(c.kc+2)+k)*nr+j])
		}
	}
	if !c.first {
		return s + float64(c.acc0[i*nr+j])
	}
	if c.bias != nil && c.mask[j] != 0 {
		s += float64(c.bias[j])
	}
	return s
}

// check compares what a microkernel left with the formula, and what it must not
// write with what was there.
func (c *gemmCase) check(nr, n int) error {
	acc, y := append([]float32{}, c.acc0...), append([]float32{}, c.y0...)
	for i := range c.mr {
		for j := range nr {
			s := c.sum(nr, i, j)
			if !c.last {
				acc[i*nr+j] = float32(s)
				continue
			}
			if j >= n {
				continue
			}
			at := int(c.dst[i]) + j
			if c.scale != nil {
				s = s*float64(c.scale[j]) + float64(c.shift[j])
			}
			if c.residual != nil {
				s += float64(c.residual[at])
			}
			y[at] = float32(s)
			if c.atLeast {
				y[at] = max(y[at], c.lo)
			}
			if c.atMost {
				y[at] = min(y[at], c.hi)
			}
		}
	}
	if !c.last {
		for i, v := range acc {
			if c.acc[i] != v {
				return fmt.Errorf("acc[%d,%d] is %v, want %v", i/nr, i%nr, c.acc[i], v)
			}
		}
	}
	for i, v := range y {
		if c.y[i] != v {
			return fmt.Errorf("y[%d] is %v, want %v", i, c.y[i], v)
		}
	}
	return nil
}

// Every microkernel is exact on integers, at each number of rows and columns, with
// each operand of the epilogue and without, and writes nothing else.
func TestMicrokernels(t *testing.T) {
	if raceEnabled {
		t.Skip("one goroutine, and slow under the race detector")
	}
	for _, mk := range gemmKernels {
		name := fmt.Sprintf("%v/%dx%d", mk.needs, mk.mr, mk.nr)
		t.Run(name, func(t *testing.T) {
			if mk.needs > detectISA() {
				t.Skipf("the machine has no %v", mk.needs)
			}
			r := rand.New(rand.NewPCG(1, uint64(mk.nr)))
			for mr := 1; mr <= mk.mr; mr++ {
				for _, n := range []int{1, 2, mk.nr / 2, mk.nr/2 + 1, mk.nr - 1, mk.nr} {
					for _, k := range [][2]int{{1, 1}, {1, 2}, {2, 3}, {9, 16}, {1, 256}, {3, 85}} {
						for flags := range 256 {
							gap := 3
							if flags&128 != 0 {
								if n < mk.nr || mk.nr%8 != 0 {
									break
								}
								gap = 0
							}
							c := newGemmCase(r, mk.nr, mr, k[0], k[1], n, gap)
							c.stream = gap == 0
							c.first, c.last = flags&1 == 0, flags&2 == 0
							if flags&4 != 0 {
								c.bias = nil
							}
							if flags&8 != 0 {
								c.scale, c.shift = nil, nil
							}
							if flags&16 != 0 {
								c.residual = nil
							}
							c.atLeast, c.atMost = flags&32 != 0, flags&64 != 0
							mk.fn(&c.tile)
							if err := c.check(mk.nr, n); err != nil {
								t.Fatalf("%d rows, %d columns, %d taps of %d, flags %08b: %v", mr, n, k[0], k[1], flags, err)
							}
						}
					}
				}
			}
		})
	}
}

// NaN passes through the bounds, and infinities stop at them.
func TestMicrokernelSpecials(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, mk := range gemmKernels {
		if mk.needs > detectISA() {
			continue
		}
		r := rand.New(rand.NewPCG(2, 3))
		c := newGemmCase(r, mk.nr, 1, 1, 1, mk.nr, 3)
		c.first, c.last, c.scale, c.shift, c.residual = true, true, nil, nil, nil
		c.lo, c.hi, c.atLeast, c.atMost = 0, 6, true, true
		c.off[0] = 0
		c.x[c.base] = 1
		for j := range c.b {
			c.b[j], c.bias[j] = []float32{nan, inf, -inf, 3}[j%4], 0
		}
		mk.fn(&c.tile)
		for j, v := range c.y[:mk.nr] {
			want := []float32{nan, 6, 0, 3}[j%4]
			if v != want && !(v != v && want != want) {
				t.Errorf("%v %dx%d: column %d is %v, want %v", mk.needs, mk.mr, mk.nr, j, v, want)
			}
		}
	}
}

// The columns decide on the panel: no more padding than pays.
func TestMicrokernelChoice(t *testing.T) {
	var got []string
	for _, cols := range []int{0, 1, 10, 16, 24, 32, 48, 64, 96, 128, 144, 160, 256, 320, 1000} {
		got = append(got, strconv.Itoa(microkernelFor(isaGeneric, cols).nr))
	}
	if s := strings.Join(got, " "); s != "8 8 8 8 8 8 8 8 8 8 8 8 8 8 8" {
		t.Errorf("generic: %s", s)
	}
	if len(gemmArch) == 0 || len(isaNames) <= int(isaAVX512) {
		t.Skip("no assembly of several widths")
	}
	for _, c := range []struct {
		set      isa
		cols, nr int
	}{{isaAVX512, 10, 16}, {isaAVX512, 24, 32}, {isaAVX512, 64, 64}, {isaAVX512, 96, 48}, {isaAVX512, 160, 32}, {isaAVX512, 256, 64}, {isaAVX2, 8, 8}, {isaAVX2, 16, 16}, {isaAVX2, 24, 24}, {isaAVX2, 64, 16}} {
		if mk := microkernelFor(c.set, c.cols); mk.nr != c.nr || mk.needs != c.set {
			t.Errorf("%v, %d columns: panels of %d, want %d", c.set, c.cols, mk.nr, c.nr)
		}
	}
}

// No microkernel reads or writes beyond what the formula does: all operands end, or
// begin, at pages that may not be touched.
func TestMicrokernelsStayInside(t *testing.T) {
	const most = 1 << 13
	names := []string{"x", "b", "acc", "y", "bias", "scale", "shift", "residual"}
	guards := map[string]func(n int, atEnd bool) []uint32{}
	for _, n := range names {
		guards[n] = newGuard(t, most)
	}
	for _, mk := range gemmKernels {
		if mk.needs > detectISA() {
			continue
		}
		r := rand.New(rand.NewPCG(3, 5))
		for _, atEnd := range []bool{false, true} {
			guarded := func(name string, v []float32) []float32 {
				g := view[float32](asBytes(guards[name](len(v), atEnd)))
				copy(g, v)
				return g
			}
			for _, mr := range []int{1, mk.mr - 1, mk.mr} {
				for _, n := range []int{1, mk.nr/2 + 1, mk.nr - 1, mk.nr} {
					for _, kc := range []int{1, 3, 4, 7, 16} {
						for flags := range 4 {
							c := newGemmCase(r, mk.nr, mr, 2, kc, n, 3)
							c.first, c.last, c.atLeast = flags&1 == 0, flags&2 == 0, true
							// Rows at both ends of x, and outputs at both ends of y.
							rows := len(c.x) / kc
							for i := range c.off {
								c.off[i] = int32((i%2)*(rows-1)*kc - c.base)
							}
							c.x, c.b, c.acc, c.y = guarded("x", c.x[:rows*kc]), guarded("b", c.b), guarded("acc", c.acc[:mr*mk.nr]), guarded("y", c.y[:(mr-1)*(n+3)+n])
							c.bias, c.scale, c.shift, c.residual = guarded("bias", c.bias), guarded("scale", c.scale), guarded("shift", c.shift), guarded("residual", c.residual)
							c.acc0, c.y0 = append([]float32{}, c.acc...), append([]float32{}, c.y...)
							mk.fn(&c.tile)
							if err := c.check(mk.nr, n); err != nil {
								t.Fatalf("%v/%dx%d: %d rows, %d columns, 2 taps of %d, flags %02b: %v", mk.needs, mk.mr, mk.nr, mr, n, kc, flags, err)
							}
						}
					}
				}
			}
		}
	}
}
