package graph

import (
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// affine is y = scale[c]·x + shift[c] for channel c, with constants in float64.
// Without a scale it is 1.
type affine struct{ scale, shift []float64 }

// affineOf reads n as an affine map of its input x, of which dim channel counts
// the channels. It is none when a constant is missing, is not one number a
// channel, or enlarges x.
func affineOf(n *Node, x *Value, channel int) (a affine, ok bool) {
	if !sameShape(n.out[0], x) {
		return a, false
	}
	switch op := n.op.(type) {
	case backend.BatchNorm:
		if n.in[0] != x || channel != 1 {
			return a, false
		}
		return batchNormOf(n, op)
	case backend.Binary:
		left := n.in[0] == x
		k := n.in[0]
		if left {
			k = n.in[1]
		}
		c, ok := channelConst(k, x, channel)
		if !ok || !left && n.in[1] != x {
			return a, false
		}
		switch {
		case op.Fn == backend.Add:
			return affine{shift: c}, true
		case op.Fn == backend.Sub && left:
			return affine{shift: times(c, -1)}, true
		case op.Fn == backend.Sub:
			return affine{scale: filled(len(c), -1), shift: c}, true
		case op.Fn == backend.Mul:
			return affine{scale: c, shift: filled(len(c), 0)}, true
		case op.Fn == backend.Div && left:
			for i := range c {
				c[i] = 1 / c[i]
			}
			return affine{scale: c, shift: filled(len(c), 0)}, true
		}
	}
	return a, false
}

func batchNormOf(n *Node, op backend.BatchNorm) (a affine, ok bool) {
	var p [4][]float32 // scale, bias, mean, var
	for i := range p {
		if n.in[1+i].konst == nil {
			return a, false
		}
		p[i] = n.in[1+i].konst.Float32s()
	}
	for c := range p[0] {
		s := float64(p[0][c]) / math.Sqrt(float64(p[3][c])+float64(op.Epsilon))
		a.scale = append(a.scale, s)
		a.shift = append(a.shift, float64(p[1][c])-s*float64(p[2][c]))
	}
	return a, true
}

// channelConst returns the constant k as one number for each channel of x, when
// it is broadcast against x like that: all its dims but the channels' are 1.
func channelConst(k, x *Value, channel int) ([]float64, bool) {
	rank := len(x.shape)
	if k.konst == nil || k.dtype != tensor.Float32 || len(k.shape) > rank {
		return nil, false
	}
	size := x.sizes[0][channel]
	if size != x.sizes[1][channel] {
		return nil, false // a symbolic number of channels
	}
	shape := k.sizes[0]
	for i, d := range shape {
		if d != 1 && i+rank-len(shape) != channel {
			return nil, false
		}
	}
	d := k.konst.Float32s()
	if len(d) == 0 {
		return nil, false
	}
	c := make([]float64, size)
	for i := range c {
		c[i] = float64(d[i%len(d)])
	}
	return c, true
}

// round returns numbers for channels as a constant, rounded to float32; nil if
// one is not finite then.
func round(v []float64) *tensor.Tensor {
	d := make([]float32, len(v))
	for i, x := range v {
		d[i] = float32(x)
	}
	if !finite(d) {
		return nil
	}
	return tensor.Must(tensor.From(d, len(d)))
}

func finite(v []float32) bool {
	for _, x := range v {
		if x-x != 0 {
			return false
		}
	}
	return true
}

func filled(n int, v float64) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = v
	}
	return s
}

func times(v []float64, k float64) []float64 {
	for i := range v {
		v[i] *= k
	}
	return v
}
