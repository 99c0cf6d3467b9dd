package ref

import (
	"math/big"

	"github.com/convgl/convgl/backend"
)

// resize takes each output from its coordinate in x: one element, or the sum over
// the corners of a cell, weighted by the product of the weights along the dims.
func resize(op backend.Resize, d backend.Desc) (definition, error) {
	shape, y := d.In[0].Shape, volume(d.Out[0].Shape)
	if d.Out[0].Shape.Size() > 0 {
		for _, m := range y {
			if m > maxCorners {
				return nil, &backend.LimitError{Op: op.Kind(), What: "spatial dim of y", Got: int64(m), Max: maxCorners}
			}
		}
	}
	axes := [3][]corner{{{}}, {{}}, {{}}} // a dim that x lacks has one coordinate, 0
	for k := 2; k < len(shape) && d.Out[0].Shape.Size() > 0; k++ {
		axes[k+3-len(shape)] = corners(op, shape[k], d.Out[0].Shape[k], k-2)
	}
	return func(in, out []array) {
		i := 0 // number of the element of y
		for n := range shape[0] {
			for c := range shape[1] {
				for p := range positions(y) {
					at := [3]corner{axes[0][p.d], axes[1][p.h], axes[2][p.w]}
					sum := 0.0
					for s := range positions([3]int{2, 2, 2}) { // 1 is the upper neighbour
						weight := at[0].weight(s.d) * at[1].weight(s.h) * at[2].weight(s.w)
						if weight > 0 {
							sum += weight * in[0].get(n, c, pos{at[0].i + s.d, at[1].i + s.h, at[2].i + s.w})
						}
					}
					out[0].set(i, sum)
					i++
				}
			}
		}
	}, nil
}

// maxCorners bounds the tables of a dim: 1 GiB.
const maxCorners = 1 << 26

// corner is a coordinate i + w along a dim, with 0 ≤ w < 1.
type corner struct {
	i int
	w float64
}

// weight is that of the element at i (side 0) or i+1 (side 1).
func (c corner) weight(side int) float64 {
	if side == 0 {
		return 1 - c.w
	}
	return c.w
}

// corners returns the coordinates of all m outputs along spatial dim k, of size n:
// the formulas in exact arithmetic. A scale that gives a whole size is m/n.
func corners(op backend.Resize, n, m, k int) []corner {
	scale := big.NewRat(int64(m), int64(n))
	exact := op.Scales == nil || float64(n)*op.Scales[k] == float64(m)
	list := make([]corner, m)
	for o := range list {
		x := new(big.Rat)
		half := big.NewRat(1, 2)
		switch {
		case op.Coord == backend.AlignCorners:
			if m > 1 {
				x.SetFrac64(int64(o)*int64(n-1), int64(m-1))
			}
		case !exact && op.Coord == backend.HalfPixel:
			x.SetFloat64((float64(o)+0.5)/op.Scales[k] - 0.5)
		case !exact:
			x.SetFloat64(float64(o) / op.Scales[k])
		case op.Coord == backend.HalfPixel:
			x.SetInt64(int64(o))
			x.Sub(x.Quo(x.Add(x, half), scale), half)
		default:
			x.SetInt64(int64(o))
			x.Quo(x, scale)
		}
		if top := big.NewRat(int64(n-1), 1); x.Cmp(top) > 0 {
			x = top
		}
		if x.Sign() < 0 {
			x.SetInt64(0)
		}
		i := new(big.Int).Quo(x.Num(), x.Denom())
		w := new(big.Rat).Sub(x, new(big.Rat).SetInt(i))
		list[o].i = int(i.Int64())
		switch {
		case op.Mode == backend.ResizeLinear:
			list[o].w, _ = w.Float64()
		case op.Coord != backend.Asymmetric && w.Cmp(half) > 0:
			list[o].i++
		}
	}
	return list
}
