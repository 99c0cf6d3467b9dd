package bench

import (
	"fmt"
	"strings"

	"github.com/convgl/convgl/backend"
)

var convTransposeForm = form{
	prefix:  "convt",
	grammar: "[g1]mb2_ic_ih[iw]oc_[oh][ow]kh[kw][sh][sw][ph][pw][dh][dw][eh][ew][+bias][+relu…]   (transposed: oh is the larger)",
	parse: func(s *scanner) (backend.Desc, error) {
		keys, err := s.keys("g oc")
		if err != nil {
			return backend.Desc{}, err
		}
		op := backend.ConvTranspose{Groups: keys.get("g", 1)}
		sizes, err := keys.transposed(&op)
		if err != nil {
			return backend.Desc{}, err
		}
		g, ic, oc := op.Groups, keys.get("ic", unknown), keys.get("oc", unknown)
		switch {
		case oc < 0:
			return backend.Desc{}, s.want("oc, the output channels")
		case g < 1:
			return backend.Desc{}, keys.fail("g", "1 or more")
		case ic%g != 0:
			return backend.Desc{}, keys.fail("ic", fmt.Sprintf("a multiple of g = %d", g))
		case oc%g != 0:
			return backend.Desc{}, keys.fail("oc", fmt.Sprintf("a multiple of g = %d", g))
		}
		op.Bias, op.Epilogue, err = s.epilogue()
		if err != nil {
			return backend.Desc{}, err
		}
		d := backend.Desc{Op: op, In: []backend.TensorDesc{
			backend.F32(append([]int{keys.get("mb", 2), ic}, sizes...)...),
			backend.F32(append([]int{ic, oc / g}, op.Kernel...)...),
		}}
		return addOperands(d, op.Bias, op.Epilogue, 1)
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.ConvTranspose)
		if !ok || len(d.In) < 2 {
			return "", false
		}
		x, w := d.In[0].Shape, d.In[1].Shape
		geo, err := op.Geometry(x, w)
		if err != nil {
			return "", false
		}
		var b strings.Builder
		g := op.GroupCount()
		if g > 1 {
			fmt.Fprintf(&b, "g%d", g)
		}
		fmt.Fprintf(&b, "mb%d_ic%d", x[0], x[1])
		writeWindow(&b, geo, cut, fmt.Sprintf("oc%d", w[1]*g), nil)
		return b.String() + formatEpilogue(op.Bias, op.Epilogue), true
	},
}

// cut is what the pads of dim j of a transposed convolution take away from y, less
// the output padding.
func cut(g backend.Geometry, j int) int {
	return max((g.In[j]-1)*g.Stride[j]+g.Dilation[j]*(g.Kernel[j]-1)+1-g.Out[j], 0)
}

// transposed completes the sizes of a transposed convolution by the rules of
// Parse, and returns the spatial sizes of the input. End padding and output
// padding of one dim undo each other, so one of them is 0.
func (k keyed) transposed(op *backend.ConvTranspose) (in []int, err error) {
	dims, err := k.dimsFrom()
	if err != nil {
		return nil, err
	}
	n := len(dims)
	ends := make([]int, 0, n)
	at := dimValues{'s': 1, 'p': unknown, 'e': unknown}
	for j := range n {
		oKey := k.next(at, dims, j)
		i, o, kernel, stride, dil := at['i'], at['o'], at['k'], at['s'], at['d']+1
		if i < 1 {
			return nil, k.fail("i"+dims[:1], "1 or more")
		}
		full := (i-1)*stride + dil*(kernel-1) + 1
		p, e := at['p'], at['e']
		if p == unknown {
			p = 0
			if o != unknown {
				p = max(full-o, 0) / 2
			}
		}
		switch {
		case e != unknown:
		case o != unknown:
			e = max(full-p-o, 0)
		default:
			e = p
		}
		more := 0
		if o != unknown {
			more = o - (full - p - e)
		}
		if limit := max(stride, dil); more < 0 || more >= limit {
			least := full - p - e
			if at['e'] == unknown {
				least = 1
			}
			return nil, k.fail(oKey, fmt.Sprintf("o%c%d to o%c%d, as the other keys have it", dims[j], least, dims[j], full-p-e+limit-1))
		}
		both := min(e, more)
		e, more = e-both, more-both
		in = append(in, i)
		op.Kernel = append(op.Kernel, kernel)
		op.Strides = append(op.Strides, stride)
		op.Dilations = append(op.Dilations, dil)
		op.Pads = append(op.Pads, p)
		op.OutputPadding = append(op.OutputPadding, more)
		ends = append(ends, e)
	}
	op.Pads = append(op.Pads, ends...)
	return in, nil
}
