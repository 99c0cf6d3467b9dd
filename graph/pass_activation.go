package graph

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// fuseActivations makes one activation function of those that exporters write as
// products, since their opset has no op for them:
//
//	x · σ(x)                         Silu
//	x · tanh(softplus(x))            Mish
//	x · HardSigmoid(x; 1/6, ½)       HardSwish
//	x · min(max(x + 3, 0), 6) / 6    HardSwish
//	x · (erf(x/√2) + 1) / 2          Gelu
//
// with factors in any order. What others read of the parts stays.
func fuseActivations(g *Graph, _ *options) (int, error) {
	count := 0
	for _, n := range g.nodes {
		p, ok := factors(n.out, 0)
		if !ok || len(p.values) != 2 {
			continue
		}
		for i, x := range p.values {
			kind, ok := gateOf(p.values[1-i], x, p.scale)
			if !ok || n.out[0].shape.String() != x.shape.String() {
				continue
			}
			if err := g.become(n, backend.Activation{Act: backend.Act{Kind: kind}}, x); err != nil {
				return count, err
			}
			count++
			break
		}
	}
	return count, nil
}

// product is scale times values.
type product struct {
	values []*Value
	scale  float64
}

// factors takes a tree of products and quotients by numbers apart.
func factors(out []*Value, depth int) (product, bool) {
	p := product{scale: 1}
	if len(out) != 1 || depth > 3 {
		return p, false
	}
	n := out[0].from
	b, ok := n.op.(backend.Binary)
	if !ok || b.Fn != backend.Mul && b.Fn != backend.Div {
		return p, false
	}
	for i, v := range n.in {
		if c, ok := scalarOf(v); ok && (b.Fn == backend.Mul || i == 1) {
			if b.Fn == backend.Div {
				c = 1 / c
			}
			p.scale *= c
			continue
		}
		if b.Fn == backend.Div && i == 1 {
			return p, false
		}
		if v.from != nil {
			if q, ok := factors(v.from.out, depth+1); ok {
				p.scale *= q.scale
				p.values = append(p.values, q.values...)
				continue
			}
		}
		p.values = append(p.values, v)
	}
	return p, len(p.values) <= 2
}

// scalarOf returns a constant of one element.
func scalarOf(v *Value) (float64, bool) {
	if v.konst == nil || v.konst.Size() != 1 || v.konst.Float32s() == nil {
		return 0, false
	}
	return float64(v.konst.Float32s()[0]), true
}

// gateOf returns the function that scale·gate·x is.
func gateOf(gate, x *Value, scale float64) (backend.ActKind, bool) {
	act, in := activationOf(gate)
	switch {
	case act.Kind == backend.Sigmoid && in == x && about(scale, 1):
		return backend.Silu, true
	case act.Kind == backend.HardSigmoid && in == x && about(scale, 1) && about(float64(act.Alpha), 1.0/6) && act.Beta == 0.5:
		return backend.HardSwish, true
	case act.Kind == backend.Tanh && in != nil && about(scale, 1):
		if inner, of := activationOf(in); inner.Kind == backend.Softplus && of == x {
			return backend.Mish, true
		}
	case act.Kind == backend.Clip && act.Alpha == 0 && act.Beta == 6 && in != nil && about(scale, 1.0/6):
		if v, c := shifted(in); v == x && c == 3 {
			return backend.HardSwish, true
		}
	}
	if v, c := shifted(gate); v != nil && c == 1 && about(scale, 0.5) {
		if inner, of := activationOf(v); inner.Kind == backend.Erf && of != nil && of.from != nil {
			if p, ok := factors(of.from.out, 0); ok && len(p.values) == 1 && p.values[0] == x && about(p.scale, math.Sqrt2/2) {
				return backend.Gelu, true
			}
		}
	}
	return 0, false
}

// activationOf returns the activation that makes v, and what it is applied to; nil when
// none does.
func activationOf(v *Value) (backend.Act, *Value) {
	if v.from != nil {
		if a, ok := v.from.op.(backend.Activation); ok {
			return a.Act, v.from.in[0]
		}
	}
	return backend.Act{Kind: math.MaxUint8}, nil
}

// shifted returns x and c of v = x + c.
func shifted(v *Value) (*Value, float64) {
	if v.from != nil {
		if b, ok := v.from.op.(backend.Binary); ok && b.Fn == backend.Add {
			for i, in := range v.from.in {
				if c, ok := scalarOf(in); ok {
					return v.from.in[1-i], c
				}
			}
		}
	}
	return nil, 0
}

// about compares constants that files have rounded.
func about(a, b float64) bool { return math.Abs(a-b) <= 1e-5*math.Abs(b) }
