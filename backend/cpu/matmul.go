package cpu

import (
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// matPlan multiplies matrices of m rows by packed matrices of n columns: Dense,
// and each product of a MatMul.
type matPlan struct {
	gemm
	m, n       int
	ldx, ldy   int   // elements from row to row
	pad        int   // lanes to clear after a row of y
	batch      *nest // which matrix of a and b each product takes
	products   int
	format     panelFormat
	epi        *epilogue
	off        []int32
	tiles      int
	mParts     int
	nParts     int
	packed     bool
	scratchOff int64
}

// planMat completes a plan whose sizes, format and epilogue are set.
func planMat(op string, dev *device, p *matPlan, in, out []backend.TensorDesc, source panelSource) (*plan, error) {
	k := p.format.kc
	p.gemm = newGemm(dev.mk, 1, k)
	if int64(p.ldx)*int64(p.mk.mr) > math.MaxInt32 {
		return nil, &backend.LimitError{Op: op, What: "elements of a row, for int32 offsets", Got: int64(p.ldx), Max: math.MaxInt32 / int64(p.mk.mr)}
	}
	if err := p.format.check(op); err != nil {
		return nil, err
	}
	for r := range p.mk.mr {
		p.off = append(p.off, int32(r*p.ldx))
	}
	p.tiles = (p.m + p.mk.mr - 1) / p.mk.mr
	panels := p.format.panels()
	want := partsFor(math.MaxInt32, 2*int64(p.m)*int64(p.n)*int64(k), grainFLOPs)
	if p.n > p.m {
		p.nParts = min(panels, want)
		p.mParts = min(p.tiles, (want+p.nParts-1)/max(p.nParts, 1))
	} else {
		p.mParts = min(p.tiles, want)
		p.nParts = min(panels, (want+p.mParts-1)/max(p.mParts, 1))
	}
	pl := &plan{in: in, out: out, formats: make([]backend.Format, len(in)), inPlace: p.epi.res}
	p.packed = in[1].Const
	if p.packed {
		pl.formats[1] = p.format
	} else {
		p.scratchOff = roundUp(p.format.Bytes())
		pl.phases = append(pl.phases, packPhase(p.mk, p.format, source))
	}
	pl.workspace = p.scratchOff + p.scratch()*int64(dev.pool.threads())
	pl.phases = append(pl.phases, phase{p.products * p.mParts * p.nParts, p.part})
	return pl, nil
}

// scratch is the bytes of a thread's tile of sums.
func (p *matPlan) scratch() int64 { return roundUp(4 * int64(p.mk.mr*p.mk.nr)) }

// part computes some rows × panels of one product.
func (p *matPlan) part(c *call, part, thread int) {
	m := part % p.mParts
	part /= p.mParts
	nPart := part % p.nParts
	batch := part / p.nParts
	panels, size, nr := p.format.panels(), p.panelLen(), p.mk.nr
	q0, q1 := share(panels, nPart, p.nParts)
	t0, t1 := share(p.tiles, m, p.mParts)
	w := c.x(1)
	if !p.packed {
		w = f32(c.ws[:p.format.Bytes()])
	}
	which := p.batch.start(batch, batch+1)
	which.next()
	w = w[which.off[1]*panels*size:]
	x, y := c.x(0)[which.off[0]*p.m*p.ldx:], c.y(0)
	t := &c.tiles[thread]
	t.acc = f32(c.ws[p.scratchOff+int64(thread)*p.scratch():][:p.scratch()])
	for q := q0; q < q1; q++ {
		n := min(nr, p.n-q*nr)
		pad := 0
		if q == panels-1 {
			pad = p.pad
		}
		for i := t0; i < t1; i++ {
			a, b := share(p.m, i, p.tiles)
			p.run(t, x[a*p.ldx:], p.off[:b-a], b-a, w[q*size:(q+1)*size])
			p.epi.store(c, y, t.acc, nr, b-a, n, q*nr, (batch*p.m+a)*p.ldy+q*nr, p.ldy, pad)
		}
	}
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
	p := &matPlan{m: s.M, n: s.N, ldx: s.K, ldy: s.N, products: tensor.Shape(s.Batch).Size(), epi: newEpilogue(false, nil, 2)}
	p.format = panelFormat{kernel: dev.mk.name, nr: dev.mk.nr, groups: 1, cols: s.N, taps: 1, kc: s.K, transposed: true}
	for i := 0; i < len(in[1].Shape)-2; i++ {
		p.format.groups *= in[1].Shape[i]
	}
	p.batch = newNest(s.Batch, physicalOrder(backend.TensorDesc{Shape: s.Batch}), s.AStride, s.BStride)
	return planMat("MatMul", dev, p, in, out, p.format.source())
}
