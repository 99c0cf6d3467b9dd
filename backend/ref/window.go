package ref

import (
	"iter"

	"github.com/convgl/convgl/backend"
)

// positions yields the positions of a volume of that size in row-major order.
func positions(size [3]int) iter.Seq[pos] {
	return func(yield func(pos) bool) {
		for d := range size[0] {
			for h := range size[1] {
				for w := range size[2] {
					if !yield(pos{d, h, w}) {
						return
					}
				}
			}
		}
	}
}

// reads returns the input position that tap k of output p reads:
// p·stride − begin + k·dilation. It may lie outside.
func reads(g *backend.Geometry3, p, k pos) pos {
	return pos{
		p.d*g.Stride[0] - g.Begin[0] + k.d*g.Dilation[0],
		p.h*g.Stride[1] - g.Begin[1] + k.h*g.Dilation[1],
		p.w*g.Stride[2] - g.Begin[2] + k.w*g.Dilation[2],
	}
}

// inside reports whether x lies in the input, or with padded in what it becomes
// with the padding around it.
func inside(g *backend.Geometry3, x pos, padded bool) bool {
	var begin, end [3]int
	if padded {
		begin, end = g.Begin, g.End
	}
	return -begin[0] <= x.d && x.d < g.In[0]+end[0] &&
		-begin[1] <= x.h && x.h < g.In[1]+end[1] &&
		-begin[2] <= x.w && x.w < g.In[2]+end[2]
}
