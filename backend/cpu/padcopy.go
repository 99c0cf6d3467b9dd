package cpu

import (
	"math"
	"math/bits"

	"github.com/convgl/convgl/backend"
)

// padCopy copies an image, from any layout, into a picture: channels-last, with the
// zeros of the padding around it, so that a kernel that slides over it needs to look
// at no edge. Position p of a dim of the picture is position p − Begin of the image;
// the picture ends where the last tap of the last output reads, which may be before
// the end of the image. A padCopy does not change and serves all threads.
type padCopy struct {
	size  [3]int // of the picture
	begin [3]int // where the image begins in it
	end   [3]int // and ends, less what no tap reads
	c     int    // channels of a pixel of the picture
	row   [2]int // distances of planes and rows of the image, in elements
	plane int    // distance of its channels
	reads int    // elements of the image up to the last that is read
	copy  moveFunc
}

// newPadCopy returns the copy of images that lie as x says for a window g, and the
// bytes of the picture: math.MaxInt64 where it has more than can be counted, and then
// it cannot be used.
func newPadCopy(set isa, x backend.TensorDesc, g backend.Geometry3) (*padCopy, int64) {
	p := &padCopy{c: x.Shape[1]}
	st := x.Layout.Strides(x.Shape)
	dims := [3]int{1, 1, 1} // distances of positions
	copy(dims[5-len(st):], st[2:])
	p.row, p.plane = [2]int{dims[0], dims[1]}, st[1]
	elems := uint64(p.c)
	for i := range p.size {
		p.size[i] = (g.Out[i]-1)*g.Stride[i] + (g.Kernel[i]-1)*g.Dilation[i] + 1
		p.begin[i] = min(g.Begin[i], p.size[i])
		p.end[i] = min(g.Begin[i]+g.In[i], p.size[i])
		hi, lo := bits.Mul64(elems, uint64(p.size[i]))
		if hi != 0 || lo > math.MaxInt64/4 {
			return nil, math.MaxInt64
		}
		elems = lo
	}
	n := [3]int{p.end[0] - p.begin[0], p.end[1] - p.begin[1], p.end[2] - p.begin[2]}
	if n[0] > 0 && n[1] > 0 && n[2] > 0 && p.c > 0 {
		p.reads = (n[0]-1)*dims[0] + (n[1]-1)*dims[1] + (n[2]-1)*dims[2] + (p.c-1)*p.plane + 1
	}
	runs, c, pitch := newRuns(set), p.c, dims[2]
	switch {
	case pitch == 1 && c > 4: // many planes
		t := newTransposer(set, 0)
		p.copy = func(dst, src []uint32, plane, n int) { t.run(dst, src, n, c, c, plane, nil) }
	case pitch == 1 && c > 1: // a few
		p.copy = newInterleaver(set, c, c)
	case pitch == c:
		p.copy = func(dst, src []uint32, _, n int) { runs(dst, src, 1, n*c, 0, 0) }
	default:
		p.copy = func(dst, src []uint32, _, n int) { runs(dst, src, n, c, c, pitch) }
	}
	return p, int64(4 * elems)
}

// rows returns the number of rows of the picture, and their length in elements.
func (p *padCopy) rows() (n, length int) { return p.size[0] * p.size[1], p.size[2] * p.c }

// fill writes the rows [lo, hi) of the picture of the image at src to dst, which
// begins with row lo.
func (p *padCopy) fill(dst, src []float32, lo, hi int) {
	_, length := p.rows()
	left, right := p.begin[2]*p.c, p.end[2]*p.c
	n := p.end[2] - p.begin[2]
	z, y := lo/p.size[1], lo%p.size[1]
	s := asBits(src[:p.reads])
	for d := asBits(dst[:(hi-lo)*length]); lo < hi; lo++ {
		if z < p.begin[0] || z >= p.end[0] || y < p.begin[1] || y >= p.end[1] || p.reads == 0 {
			clear(d[:length])
		} else {
			clear(d[:left])
			p.copy(d[left:right], s[(z-p.begin[0])*p.row[0]+(y-p.begin[1])*p.row[1]:], p.plane, n)
			clear(d[right:length])
		}
		d = d[length:]
		if y++; y == p.size[1] {
			z, y = z+1, 0
		}
	}
}
