package cpu

import (
	"fmt"
	"math"
	"testing"

	"github.com/convgl/convgl/backend"
)

// The pictures of all layouts, ranks and windows are what the definition says, whole
// and in parts.
func TestPadCopy(t *testing.T) {
	a, b := newGuard(t, 1<<16), newGuard(t, 1<<16)
	sets := isas(t)
	windows := map[string]backend.Window{
		"same":          {Kernel: []int{3, 3}, Pads: []int{1, 1, 1, 1}},
		"stride":        {Kernel: []int{7, 7}, Strides: []int{2, 2}, Pads: []int{3, 3, 3, 3}},
		"no padding":    {Kernel: []int{2, 5}},
		"not all read":  {Kernel: []int{1, 1}, Strides: []int{3, 4}},
		"dilated":       {Kernel: []int{3, 2}, Dilations: []int{2, 3}, Pads: []int{0, 4, 5, 1}},
		"far":           {Kernel: []int{2, 2}, Pads: []int{9, 30, 9, 30}},
		"only padding":  {Kernel: []int{2, 2}, Strides: []int{40, 90}, Pads: []int{3, 2, 1, 0}},
		"line":          {Kernel: []int{5}, Pads: []int{2, 2}},
		"volume":        {Kernel: []int{3, 3, 3}, Pads: []int{1, 1, 1, 1, 1, 1}},
		"volume stride": {Kernel: []int{2, 3, 1}, Strides: []int{2, 1, 2}, Pads: []int{0, 1, 1, 2, 0, 0}},
	}
	layouts := []backend.Layout{plain, cl, cl4, {Order: backend.OrderChannelsLast, Pad: 8}}
	for name, w := range windows {
		for _, c := range []int{1, 2, 3, 4, 5, 8, 17} {
			for _, width := range []int{5, 8, 9, 16, 31, 33, 50} {
				spatial := []int{3, 6, width}[3-len(w.Kernel):]
				g, err := w.Geometry("Conv", spatial, false)
				if err != nil {
					t.Fatal(name, err)
				}
				for _, l := range layouts {
					x := in(l, backend.F32(append([]int{1, c}, spatial...)...))
					for _, set := range sets {
						checkPadCopy(t, a, b, fmt.Sprintf("%s %v %v %v", name, set, l, x.Shape), set, x, g.To3())
					}
				}
			}
		}
	}
}

func checkPadCopy(t *testing.T, from, to func(n int, atEnd bool) []uint32, name string, set isa, x backend.TensorDesc, g backend.Geometry3) {
	t.Helper()
	p, size := newPadCopy(set, x, g)
	rows, length := p.rows()
	if size != int64(4*rows*length) {
		t.Fatalf("%s: %d bytes for %d rows of %d", name, size, rows, length)
	}
	n, err := x.Elems()
	if err != nil {
		t.Fatal(err)
	}
	src := from(int(n), true)
	scramble(src)
	st := x.Layout.Strides(x.Shape)
	c := x.Shape[1]
	sp := append([]int{1, 1, 1}, st[2:]...)
	sp = sp[len(sp)-3:]
	want := make([]uint32, rows*length)
	for z := range p.size[0] {
		for y := range p.size[1] {
			for i := range p.size[2] {
				at := [3]int{z - g.Begin[0], y - g.Begin[1], i - g.Begin[2]}
				if !inRange(at[0], g.In[0]) || !inRange(at[1], g.In[1]) || !inRange(at[2], g.In[2]) {
					continue
				}
				for k := range c {
					want[((z*p.size[1]+y)*p.size[2]+i)*c+k] = src[at[0]*sp[0]+at[1]*sp[1]+at[2]*sp[2]+k*st[1]]
				}
			}
		}
	}
	for _, step := range []int{rows, 1, 4} {
		for lo := 0; lo < rows; lo += step {
			hi := min(lo+step, rows)
			dst := to((hi-lo)*length, lo%2 == 0)
			poison(asBytes(dst))
			p.fill(view[float32](asBytes(dst)), view[float32](asBytes(src)), lo, hi)
			if i := firstDifference(dst, want[lo*length:]); i >= 0 {
				t.Fatalf("%s: rows %d to %d, element %d is %#x, want %#x", name, lo, hi, i, dst[i], want[lo*length+i])
			}
		}
	}
}

// A window that reads the picture through taps finds what the geometry promises.
func TestPadCopySize(t *testing.T) {
	w := backend.Window{Kernel: []int{3, 3}, Strides: []int{2, 1}, Pads: []int{1, 0, 0, 2}}
	g, err := w.Geometry("Conv", []int{8, 9}, false)
	if err != nil {
		t.Fatal(err)
	}
	p, _ := newPadCopy(isaGeneric, backend.F32(1, 3, 8, 9), g.To3())
	if want := [3]int{1, 9, 11}; p.size != want {
		t.Errorf("size %v, want %v", p.size, want)
	}
	far := math.MaxInt32
	w = backend.Window{Kernel: []int{2, 2, 2}, Dilations: []int{far, far, far}, Pads: []int{far, far, far, far, far, far}}
	if g, err = w.Geometry("Conv", []int{4, 4, 4}, false); err != nil {
		t.Fatal(err)
	}
	if _, size := newPadCopy(isaGeneric, backend.F32(1, 3, 4, 4, 4), g.To3()); size != math.MaxInt64 {
		t.Errorf("a picture of 2¹⁰⁰ elements is %d bytes", size)
	}
}

func TestPadCopyAllocatesNothing(t *testing.T) {
	g, err := backend.Window{Kernel: []int{3, 3}, Pads: []int{1, 1, 1, 1}}.Geometry("Conv", []int{8, 40}, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []int{1, 3, 20} {
		for _, l := range []backend.Layout{plain, cl, cl4} {
			x := in(l, backend.F32(1, c, 8, 40))
			p, size := newPadCopy(detectISA(), x, g.To3())
			dst, src := make([]float32, size/4), make([]float32, x.Bytes()/4)
			rows, _ := p.rows()
			if n := testing.AllocsPerRun(10, func() { p.fill(dst, src, 0, rows) }); n != 0 {
				t.Errorf("%v: %v allocations", x, n)
			}
		}
	}
}
