package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"testing"
	"unsafe"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// The generator has the offsets of the fields by hand.
func TestDepthwiseOffsets(t *testing.T) {
	var a dwTile
	var r dwRow
	var c dwCol
	var l dwLine
	var s dwStrip
	want := map[string]uintptr{
		"dwX": unsafe.Offsetof(a.x), "dwW": unsafe.Offsetof(a.w), "dwY": unsafe.Offsetof(a.y), "dwBias": unsafe.Offsetof(a.bias),
		"dwScale": unsafe.Offsetof(a.scale), "dwShift": unsafe.Offsetof(a.shift), "dwRes": unsafe.Offsetof(a.res), "dwRows": unsafe.Offsetof(a.rows),
		"dwCols": unsafe.Offsetof(a.cols), "dwMasks": unsafe.Offsetof(a.masks), "dwLines": unsafe.Offsetof(a.lines), "dwStrips": unsafe.Offsetof(a.strips),
		"dwCh": unsafe.Offsetof(a.ch), "dwXStep": unsafe.Offsetof(a.xstep), "dwYStep": unsafe.Offsetof(a.ystep), "dwWStep": unsafe.Offsetof(a.wstep),
		"dwBlock": unsafe.Offsetof(a.block), "dwLo": unsafe.Offsetof(a.lo), "dwHi": unsafe.Offsetof(a.hi), "dwHasLo": unsafe.Offsetof(a.hasLo), "dwHasHi": unsafe.Offsetof(a.hasHi),
		"dwRowX": unsafe.Offsetof(r.x), "dwRowW": unsafe.Offsetof(r.w), "dwRowT0": unsafe.Offsetof(r.t0), "dwRowT1": unsafe.Offsetof(r.t1), "dwRowSize": unsafe.Sizeof(r),
		"dwColX": unsafe.Offsetof(c.x), "dwColW": unsafe.Offsetof(c.w), "dwColSize": unsafe.Sizeof(c),
		"dwLineX": unsafe.Offsetof(l.x), "dwLineY": unsafe.Offsetof(l.y), "dwLineR0": unsafe.Offsetof(l.r0), "dwLineR1": unsafe.Offsetof(l.r1), "dwLineSize": unsafe.Sizeof(l),
		"dwStripX": unsafe.Offsetof(s.x), "dwStripY": unsafe.Offsetof(s.y), "dwStripN": unsafe.Offsetof(s.n), "dwStripMask": unsafe.Offsetof(s.mask), "dwStripSize": unsafe.Sizeof(s),
		"dwSlide": unsafe.Offsetof(a.slide), "dwPerm": unsafe.Offsetof(a.perm), "dwSources": unsafe.Offsetof(a.sources), "dwStream": unsafe.Offsetof(a.stream),
		"dwSourceX": unsafe.Offsetof(dwSource{}.x), "dwSourceN": unsafe.Offsetof(dwSource{}.n), "dwSourceSize": unsafe.Sizeof(dwSource{}),
		"dwOutputs": dwOutputs,
	}
	src, err := os.ReadFile("_asm/depthwise.go")
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for _, m := range regexp.MustCompile(`(?m)^(?:const |\t)(dw[A-Z][A-Za-z0-9]*) += (\d+)$`).FindAllStringSubmatch(string(src), -1) {
		n, _ := strconv.Atoi(m[2])
		if w, ok := want[m[1]]; !ok || uintptr(n) != w {
			t.Errorf("%s is %d in the generator, %d in package cpu", m[1], n, w)
		}
		got++
	}
	if got != len(want) {
		t.Errorf("%d constants in the generator, %d here", got, len(want))
	}
}

// dwCase is a depthwise convolution of channels ch on a picture of hw, or a volume.
type dwCase struct {
	ch     int
	mult   int // output channels a group; 0 is 1
	in, k  []int
	win    backend.Window
	outPad []int // of a transposed one
	epi    string
	layout backend.Layout
	free   bool // the weights are not constant
}

// dwEpilogues has b for bias; s, r, u and c for scale and shift, a residual, ReLU
// and a clip that 0 lies outside of.
var dwEpilogues = []string{"", "b", "u", "bc", "s", "sr", "bsru", "rc", "burs", "urcr"}

func (c dwCase) epilogue(y tensor.Shape) (bias bool, steps backend.Epilogue, in []backend.TensorDesc) {
	ch := backend.F32(y[1])
	for _, r := range c.epi {
		switch r {
		case 'b':
			bias = true
			in = append(in, ch)
		case 's':
			steps = append(steps, backend.Step{Kind: backend.ScaleShift})
			in = append(in, ch, ch)
		case 'r':
			steps = append(steps, backend.Step{Kind: backend.Residual})
			in = append(in, backend.F32(y...))
		case 'u':
			steps = append(steps, backend.Step{Kind: backend.Activate, Act: backend.Act{Kind: backend.Relu}})
		case 'c':
			steps = append(steps, backend.Step{Kind: backend.Activate, Act: backend.Act{Kind: backend.Clip, Alpha: 2, Beta: 9}})
		}
	}
	return bias, steps, in
}

// desc describes the case for n images.
func (c dwCase) desc(n int, transposed bool) (backend.Desc, error) {
	x := backend.F32(append([]int{n, c.ch}, c.in...)...)
	m := max(c.mult, 1)
	w := backend.F32(append([]int{c.ch * m, 1}, c.k...)...)
	if transposed {
		w = backend.F32(append([]int{c.ch, m}, c.k...)...)
	}
	if c.free && m > 1 {
		w.Layout = cl4
	}
	x.Layout, w.Const = c.layout, !c.free
	var op backend.Op = backend.Conv{Window: c.win, Groups: c.ch}
	if transposed {
		op = backend.ConvTranspose{Window: c.win, Groups: c.ch, OutputPadding: c.outPad}
	}
	y, err := op.Infer([]backend.TensorDesc{x, w})
	if err != nil {
		return backend.Desc{}, err
	}
	bias, steps, rest := c.epilogue(y[0].Shape)
	op = backend.Conv{Window: c.win, Groups: c.ch, Bias: bias, Epilogue: steps}
	if transposed {
		op = backend.ConvTranspose{Window: c.win, Groups: c.ch, OutputPadding: c.outPad, Bias: bias, Epilogue: steps}
	}
	return backend.Desc{Op: op, In: append([]backend.TensorDesc{x, w}, rest...), Algorithm: "depthwise"}, nil
}

// dwCases are cases around the edges of vectors, strips and windows.
func dwCases() []dwCase {
	var cs []dwCase
	sq := func(n int) []int { return []int{n, n} }
	win := func(s, d int, pads ...int) backend.Window {
		return backend.Window{Strides: sq(s), Dilations: sq(d), Pads: pads}
	}
	epi := 0
	add := func(c dwCase) {
		c.epi = dwEpilogues[epi%len(dwEpilogues)]
		c.free = epi%3 == 0
		if epi%4 == 0 {
			c.layout = cl4
		}
		epi++
		cs = append(cs, c)
	}
	channels := []int{1, 3, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 40, 47, 65}
	for _, ch := range channels {
		for _, k := range []int{2, 3, 5, 7} {
			for s := 1; s <= 3; s++ {
				add(dwCase{ch: ch, in: []int{5, 9 + ch%6}, k: sq(k), win: win(s, 1, k/2, k/2, k/2, k/2)})
			}
		}
	}
	for w := 1; w <= 31; w++ { // strips that end anywhere
		for _, k := range []int{3, 5, 7, 4} {
			for s := 1; s <= 2; s++ {
				add(dwCase{ch: 19, in: []int{2, w}, k: sq(k), win: win(s, 1, k-1, w%k, k/2, max((w+1)%k, k-w-w%k))})
			}
		}
	}
	for _, ch := range []int{1, 2, 3, 4, 5, 6, 7, 11, 17} { // several pixels a vector
		for w := 1; w <= 70; w += 1 + w/9 {
			add(dwCase{ch: ch, in: []int{2, w}, k: []int{2, 1 + w%4}, win: backend.Window{Dilations: []int{1, 1 + w%3}, Pads: []int{1, 3, 1, 3 + w%2}}})
		}
		add(dwCase{ch: ch, in: []int{3, 260}, k: sq(3), win: win(1, 1, 1, 1, 1, 1)})
	}
	for _, ch := range []int{2, 3, 8, 17} {
		for _, m := range []int{2, 3, 4, 7, 8, 16, 19} {
			add(dwCase{ch: ch, mult: m, in: []int{4, 9 + m}, k: []int{3, 1 + m%4}, win: win(1+m%2, 1, 1, 2, 2, 1)})
		}
	}
	for d := 2; d <= 4; d++ { // sets of outputs that are not dilated
		for s := 1; s <= 4; s++ {
			for _, k := range []int{3, 5, 7} {
				add(dwCase{ch: 20, in: []int{4, 57}, k: []int{2, k}, win: backend.Window{Strides: []int{1, s}, Dilations: []int{3, d}, Pads: []int{1, d * (k - 1), 2, d + s}}})
			}
		}
	}
	add(dwCase{ch: 17, in: sq(3), k: sq(3), win: win(1, 1, 9, 11, 8, 10)}) // windows wholly in the padding
	add(dwCase{ch: 17, in: sq(3), k: sq(5), win: win(2, 3, 9, 11, 8, 10)})
	add(dwCase{ch: 20, in: sq(11), k: []int{3, 2}, win: backend.Window{Strides: []int{2, 1}, Dilations: []int{1, 3}, Pads: []int{0, 1, 2, 3}}})
	add(dwCase{ch: 20, in: sq(12), k: sq(3), win: win(1, 2, 2, 2, 2, 2)})
	add(dwCase{ch: 20, in: sq(3), k: sq(3), win: win(1<<30, 1<<30, 1<<30, 1<<30, 1<<30, 1<<30)})
	add(dwCase{ch: 5, in: sq(12), k: sq(19), win: win(1, 1, 9, 9, 9, 9)}) // more than maxK taps
	add(dwCase{ch: 21, in: sq(21), k: sq(23), win: win(1, 1, 11, 12, 11, 12)})
	add(dwCase{ch: 18, in: []int{90, 8}, k: []int{86, 3}, win: win(1, 1, 3, 1, 2, 1)}) // too many rows of 3
	add(dwCase{ch: 18, in: []int{700}, k: []int{600}, win: backend.Window{Pads: []int{270, 310}}})
	add(dwCase{ch: 33, in: []int{40}, k: []int{3}, win: backend.Window{Pads: []int{1, 1}}})
	add(dwCase{ch: 18, in: []int{40}, k: []int{5}, win: backend.Window{Strides: []int{2}, Pads: []int{4, 1}}})
	add(dwCase{ch: 33, in: []int{4, 5, 9}, k: []int{3, 3, 3}, win: backend.Window{Pads: []int{1, 1, 1, 1, 1, 1}}})
	add(dwCase{ch: 18, in: []int{5, 4, 9}, k: []int{2, 3, 5}, win: backend.Window{Strides: []int{2, 1, 2}, Dilations: []int{2, 1, 1}, Pads: []int{2, 0, 2, 0, 1, 1}}})
	add(dwCase{ch: 17, in: []int{4100, 2}, k: sq(3), win: win(1, 1, 1, 1, 1, 1)}) // too many lines for a table
	add(dwCase{ch: 5, in: []int{62, 4}, k: []int{71, 2}, win: win(1, 1, 35, 1, 36, 0)})
	add(dwCase{ch: 2, in: []int{4300}, k: []int{4097}, win: backend.Window{Pads: []int{20, 20}}})
	add(dwCase{ch: 960, in: sq(7), k: sq(3), win: win(1, 1, 1, 1, 1, 1)})
	add(dwCase{ch: 32, in: sq(30), k: sq(3), win: win(1, 1, 1, 1, 1, 1)})
	return cs
}

func dwTransposed() []dwCase {
	var cs []dwCase
	sq := func(n int) []int { return []int{n, n} }
	epi := 0
	add := func(c dwCase) {
		c.epi = dwEpilogues[epi%len(dwEpilogues)]
		c.free = epi%3 == 0
		if epi%4 == 0 {
			c.layout = cl4
		}
		epi++
		cs = append(cs, c)
	}
	for _, ch := range []int{1, 7, 8, 15, 17, 32, 33} {
		for k := 1; k <= 5; k++ {
			for s := 1; s <= 4; s++ {
				for _, d := range []int{1, 2, 3} {
					p := min(k/2, d*(k-1))
					add(dwCase{ch: ch, in: []int{3, 1 + (ch+k)%11}, k: sq(k), win: backend.Window{Strides: sq(s), Dilations: sq(d), Pads: []int{p, p / 2, p / 2, p}}})
				}
			}
		}
	}
	for _, ch := range []int{2, 3, 8, 17} {
		for _, m := range []int{2, 3, 4, 7, 8, 16, 19} {
			add(dwCase{ch: ch, mult: m, in: []int{2, 9 + m}, k: sq(4), win: backend.Window{Strides: []int{1, 2}, Pads: []int{1, 1, 1, 1}}})
		}
	}
	add(dwCase{ch: 18, in: sq(20), k: sq(19), win: backend.Window{Strides: sq(1), Pads: []int{9, 8, 9, 9}}})
	add(dwCase{ch: 18, in: sq(4), k: sq(2), win: backend.Window{Strides: []int{3, 9}}, outPad: []int{2, 8}})
	add(dwCase{ch: 18, in: []int{9}, k: []int{4}, win: backend.Window{Strides: []int{2}, Pads: []int{1, 1}}})
	add(dwCase{ch: 33, in: []int{3, 2, 5}, k: []int{2, 3, 4}, win: backend.Window{Strides: []int{2, 1, 2}, Pads: []int{0, 1, 1, 1, 1, 2}}})
	return cs
}

// Every kernel equals the reference where sums are exact.
func TestDepthwiseExact(t *testing.T) {
	ref := open(t, "ref")
	for _, set := range isas(t) {
		for _, threads := range []int{1, 3} {
			be := open(t, "cpu", backend.WithVariant(set.String()), backend.WithThreads(threads), backend.WithDebug())
			for _, transposed := range []bool{false, true} {
				cases := dwCases()
				if transposed {
					cases = dwTransposed()
				}
				for i, c := range cases {
					if testing.Short() && i%7 != 0 || threads > 1 && i%5 != 0 {
						continue
					}
					d, err := c.desc(1+i%2, transposed)
					if err != nil {
						t.Fatalf("%+v: %v", c, err)
					}
					ins := inputs(uint64(i), d)
					want, err := backend.RunDesc(ctx, ref, plainDesc(d), ins...)
					if err != nil {
						t.Fatalf("%+v: %v", c, err)
					}
					if !same(t, poisonedRun(t, be, d, ins)[0], want[0]) {
						t.Fatalf("%v, %d threads, transposed %v: %+v", set, threads, transposed, c)
					}
				}
			}
		}
	}
}

// runBare runs the phases of a kernel on memory that buffers need not own.
func runBare(t *testing.T, be backend.Backend, d backend.Desc, memory func(i int, bytes int64) []byte) *kernel {
	t.Helper()
	p, err := be.Prepare(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	k := p.(*kernel)
	c := k.take()
	for i := range k.info.In {
		c.in[i] = memory(i, k.info.InBytes(i))
	}
	c.out[0] = memory(len(c.in), k.info.OutBytes(0))
	c.ws = alignedBytes(int(k.info.Workspace))
	for _, ph := range k.phases {
		for part := range ph.parts {
			ph.fn(c, part, 0)
		}
	}
	if c.err != nil {
		t.Fatal(c.err)
	}
	k.give(c)
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	return k
}

// Kernels touch nothing before or behind their tensors.
func TestDepthwiseGuarded(t *testing.T) {
	const most = 1 << 18
	for _, set := range isas(t) {
		be := open(t, "cpu", backend.WithVariant(set.String()), backend.WithThreads(1))
		var guards []func(int, bool) []uint32
		for range 9 {
			guards = append(guards, newGuard(t, most))
		}
		for _, transposed := range []bool{false, true} {
			cases := dwCases()
			if transposed {
				cases = dwTransposed()
			}
			for i, c := range cases {
				if testing.Short() && i%7 != 0 {
					continue
				}
				c.layout = backend.Any
				d, err := c.desc(1, transposed)
				if err != nil {
					t.Fatal(err)
				}
				for _, atEnd := range []bool{false, true} {
					runBare(t, be, d, func(i int, bytes int64) []byte {
						v := guards[i](int(bytes/4), atEnd)
						clear(v)
						return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), bytes)
					})
				}
			}
		}
	}
}

// NaN and infinities of x reach the outputs whose windows hold them, and no others;
// bounds do not hide NaN.
func TestDepthwiseSpecial(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, set := range isas(t) {
		be := open(t, "cpu", backend.WithVariant(set.String()), backend.WithThreads(1))
		for _, k := range []int{3, 4, 5} {
			for _, ch := range []int{5, 8, 16, 21} {
				d, err := dwCase{ch: ch, in: []int{6, 17}, k: []int{k, k}, win: backend.Window{Pads: []int{1, 1, 1, 1}}, epi: "u"}.desc(1, false)
				if err != nil {
					t.Fatal(err)
				}
				r := rand.New(rand.NewPCG(uint64(k), uint64(ch)))
				for range 10 {
					ins := inputs(r.Uint64(), d)
					for i := range ins[1].Float32s() {
						ins[1].Float32s()[i] = 1 // no product of infinity and 0
					}
					for _, v := range []float32{nan, inf, -inf} {
						ins[0].Float32s()[r.IntN(ins[0].Size())] = v
					}
					want, err := backend.RunDesc(ctx, open(t, "ref"), plainDesc(d), ins...)
					if err != nil {
						t.Fatal(err)
					}
					if !same(t, poisonedRun(t, be, d, ins)[0], want[0]) {
						t.Fatalf("%v, kernel %d, %d channels", set, k, ch)
					}
				}
			}
		}
	}
}

// Results are bitwise the same for any number of threads and any place in a batch.
func TestDepthwiseDeterministic(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, set := range isas(t) {
		for _, c := range []dwCase{
			{ch: 40, in: []int{23, 30}, k: []int{3, 3}, win: backend.Window{Pads: []int{1, 1, 1, 1}}},
			{ch: 200, in: []int{7, 7}, k: []int{5, 5}, win: backend.Window{Pads: []int{2, 2, 2, 2}}},
			{ch: 20, in: []int{900}, k: []int{400}},
		} {
			d, err := c.desc(3, false)
			if err != nil {
				t.Fatal(err)
			}
			x, w := normals(r, d.In[0].Shape...), normals(r, d.In[1].Shape...)
			var first *tensor.Tensor
			for _, threads := range []int{1, 2, 5} {
				be := open(t, "cpu", backend.WithVariant(set.String()), backend.WithThreads(threads))
				y, err := backend.RunDesc(ctx, be, d, x, w)
				if err != nil {
					t.Fatal(err)
				}
				if first == nil {
					first = y[0]
				}
				if string(y[0].Bytes()) != string(first.Bytes()) {
					t.Errorf("%v %+v: %d threads differ", set, c, threads)
				}
				one, err := c.desc(1, false)
				if err != nil {
					t.Fatal(err)
				}
				n, m := x.Size()/3, first.Size()/3
				for i := range 3 {
					xi := tensor.Must(tensor.From(x.Float32s()[i*n:(i+1)*n], one.In[0].Shape...))
					yi, err := backend.RunDesc(ctx, be, one, xi, w)
					if err != nil {
						t.Fatal(err)
					}
					if fmt.Sprint(yi[0].Float32s()) != fmt.Sprint(first.Float32s()[i*m:(i+1)*m]) {
						t.Errorf("%v %+v: image %d alone differs", set, c, i)
					}
				}
			}
		}
	}
}

// Sums of many terms are sums of blocks: 256 ones are lost one after the other beside
// 2²⁴, and are not together.
func TestDepthwiseBlocks(t *testing.T) {
	for _, set := range isas(t) {
		be := open(t, "cpu", backend.WithVariant(set.String()), backend.WithThreads(1))
		for _, k := range [][]int{{1, 768}, {48, 16}, {85, 3}, {256, 2}} {
			for _, ch := range []int{2, 16, 19} {
				c := dwCase{ch: ch, in: []int{k[0], k[1] + 9}, k: k}
				d, err := c.desc(1, false)
				if err != nil {
					t.Fatal(err)
				}
				x, w := tensor.Must(tensor.New(tensor.Float32, d.In[0].Shape...)), tensor.Must(tensor.New(tensor.Float32, d.In[1].Shape...))
				for i := range x.Float32s() {
					x.Float32s()[i] = 1
				}
				taps, block := k[0]*k[1], 256/k[1]*k[1]
				if k[1] > 256 {
					block = 256
				}
				big := 0
				if ch > 2 && taps > block {
					big = block // in the second block
				}
				for i := range w.Float32s() {
					w.Float32s()[i] = 1
					if i%taps == big {
						w.Float32s()[i] = 1 << 24
					}
				}
				want := 1<<24 + float32(taps-min(taps, block)) // the block with 2²⁴ loses its ones
				y, err := backend.RunDesc(ctx, be, d, x, w)
				if err != nil {
					t.Fatal(err)
				}
				for i, v := range y[0].Float32s() {
					if v != want {
						t.Fatalf("%v, kernel %v, %d channels: element %d is %v, want %v", set, k, ch, i, v, want)
					}
				}
			}
		}
	}
}
