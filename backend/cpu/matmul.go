package cpu

import (
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// matPlan multiplies matrices of m rows by packed matrices of n columns: Dense,
// and each product of a MatMul.
type matPlan struct {
	tileRun
	m, n       int
	ldx, ldy   int   // elements from row to row
	pad        int   // lanes to clear after a row of y
	batch      *nest // which matrix of a and b each product takes
	products   int
	format     panelFormat
	split      split
	packed     bool
	scratchOff int64
}

// planMat completes a plan whose sizes and format are set, but for the width of the
// panels.
func planMat(op string, dev *device, p *matPlan, epi *epilogue, in, out []backend.TensorDesc, source panelSource) (*plan, error) {
	k := p.format.kc
	mk := microkernelFor(dev.isa, p.n)
	p.format.nr = mk.nr
	for _, ld := range []int{p.ldx, p.ldy} {
		if int64(ld)*int64(mk.mr) > math.MaxInt32 {
			return nil, &backend.LimitError{Op: op, What: "elements of a row, for int32 offsets", Got: int64(ld), Max: math.MaxInt32 / int64(mk.mr)}
		}
	}
	if err := p.format.check(op); err != nil {
		return nil, err
	}
	g := newGemm(mk, k, epi)
	p.tileRun = tileRun{gemm: &g, xPitch: p.ldx, yPitch: p.ldy, far: p.format.Bytes() > farWeights}
	// The rows are the pixels of a picture of one column.
	ax := [3]axis{{in: 1, n: 1, reach: []int{0}, out: 1}, {in: p.m, n: p.m, step: 1, reach: []int{0}, out: p.m, outStep: 1}, {in: min(k, 1), n: 1, reach: []int{0}, out: 1}}
	var err error
	if p.table, err = newTileTable(op, &g, &ax, p.ldx, p.ldy, max(k, 1), false); err != nil {
		return nil, err
	}
	p.split = splitGemm(dev.pool.threads(), p.products, len(p.table.tiles), p.format.panels(), k*p.n, k*p.m, 2*int64(p.products)*int64(p.m)*int64(p.n)*int64(k))
	pl := &plan{in: in, out: out, formats: make([]backend.Format, len(in)), inPlace: epi.inPlace()}
	p.packed = in[1].Const
	if p.packed {
		pl.formats[1] = p.format
	} else {
		p.scratchOff = roundUp(p.format.Bytes())
		pl.phases = append(pl.phases, packPhase(p.format, source))
	}
	pl.workspace = p.scratchOff + p.scratch()*int64(dev.pool.threads())
	pl.phases = append(pl.phases, phase{p.split.parts(), p.part})
	return pl, nil
}

// part computes some tiles × panels of one product.
func (p *matPlan) part(c *call, part, thread int) {
	batch, m, q0, q1 := p.split.of(part)
	size := p.panelLen()
	w := c.x(1)
	if !p.packed {
		w = f32(c.ws[:p.format.Bytes()])
	}
	which := p.batch.start(batch, batch+1)
	which.next()
	w = w[which.off[1]*p.format.panels()*size:]
	if size == 0 { // no terms
		w = zeros
	}
	acc := f32(c.ws[p.scratchOff+int64(thread)*p.scratch():][:p.scratch()])
	p.share(c, &c.tiles[thread], acc, c.x(0)[which.off[0]*p.m*p.ldx:], w, c.y(0)[batch*p.m*p.ldy:], size, 0, p.n, p.pad, 1, m, p.split.m, q0, q1)
}

// planMatMul takes the plain layout.
func planMatMul(dev *device, d backend.Desc) (*plan, error) {
	in, out := resolveAll(d.In, backend.Plain), resolveAll(d.Out, backend.Plain)
	for i, t := range append(append([]backend.TensorDesc{}, in...), out...) {
		if !liesPlain(t) {
			return nil, wrongLayout("MatMul", [...]string{"a", "b", "y"}[i], t, "plain")
		}
	}
	s, err := backend.MatMul{}.Dims(in[0].Shape, in[1].Shape)
	if err != nil {
		return nil, err
	}
	p := &matPlan{m: s.M, n: s.N, ldx: s.K, ldy: s.N, products: tensor.Shape(s.Batch).Size()}
	p.format = panelFormat{groups: 1, cols: s.N, taps: 1, kc: s.K, transposed: true}
	for i := 0; i < len(in[1].Shape)-2; i++ {
		p.format.groups *= in[1].Shape[i]
	}
	p.batch = newNest(s.Batch, physicalOrder(backend.TensorDesc{Shape: s.Batch}), s.AStride, s.BStride)
	return planMat("MatMul", dev, p, newEpilogue(dev.rows(), false, nil, 2), in, out, p.format.source())
}
