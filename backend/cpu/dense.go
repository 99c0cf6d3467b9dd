package cpu

import "github.com/convgl/convgl/backend"

// planDense takes rows of features: the plain layout, or a padded one at rank 2.
func planDense(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.Dense)
	in := append([]backend.TensorDesc{}, d.In...)
	in[0], in[1] = resolve(in[0], backend.Plain), resolve(in[1], backend.Plain)
	out := resolve(d.Out[0], in[0].Layout)
	epi := newEpilogue(dev.rows(), op.Bias, op.Epilogue, 2)
	if err := epi.resolve("Dense", in, out); err != nil {
		return nil, err
	}
	x, y := featureRows(in[0]), featureRows(out)
	if x.pitch == 0 {
		return nil, wrongLayout("Dense", "x", in[0], "plain")
	}
	if y.pitch == 0 {
		return nil, wrongLayout("Dense", "y", out, "plain")
	}
	if !liesPlain(in[1]) {
		return nil, wrongLayout("Dense", "w", in[1], "plain")
	}
	p := &matPlan{m: x.n, n: y.c, ldx: x.pitch, ldy: y.pitch, pad: y.pitch - y.c, products: 1, batch: newNest(nil, nil, nil, nil)}
	p.format = panelFormat{groups: 1, cols: y.c, taps: 1, kc: x.c}
	return planMat("Dense", dev, p, epi, in, []backend.TensorDesc{out}, p.format.source())
}

// featureRows describes a tensor as rows of its last dim; the pitch is 0 when it
// does not lie so.
func featureRows(d backend.TensorDesc) rows {
	last := len(d.Shape) - 1
	r := rows{n: d.Shape[:last].Size(), s: 1, c: d.Shape[last]}
	if last == 1 {
		c, _ := channelRows(d)
		r.pitch = c.pitch
	} else if liesPlain(d) {
		r.pitch = r.c
	}
	return r
}
