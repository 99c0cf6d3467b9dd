package cpu

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// reduceFns are the inner loops of a reduction: a and b get the states of len(a)
// results. There are no more elements than rowChunk, but of rows that are one. S is
// what the loops may use, but for its states.
type reduceFns struct {
	// rows reduces rows of n elements, step apart, of which the first is element at of
	// the set.
	rows func(s *states, a, b []float64, x []float32, n, step, at int)
	// lanes reduces n elements, step apart, of each lane.
	lanes func(s *states, a, b []float64, x []float32, n, step, at int)
	// join adds the states p and q of later elements.
	join func(a, b, p, q []float64)
	// ordered results depend on which elements come first: no lanes are folded.
	ordered bool
	weight  int64 // time for an element, in that of a sum
}

// noShift is the shift of moments about 0.
var noShift [reduceStates]float64

// noConstants are those of an activation without any.
var noConstants [3]float64

func newReduceFns(dev *device, fn backend.ReduceKind) *reduceFns {
	pool, norm := pick(dev.isa, poolCandidates), pick(dev.isa, normImpls)
	switch fn {
	case backend.ReduceMax:
		return &reduceFns{
			rows: func(s *states, a, _ []float64, x []float32, n, step, _ int) {
				pool.maxRows(s.m[:len(a)], x, n, step)
				widen(a, s.m)
			},
			lanes: func(s *states, a, _ []float64, x []float32, n, step, _ int) {
				pool.maxBox(s.m[:len(a)], x, laneBox(len(a), n, step))
				widen(a, s.m)
			},
			join:   joinMaxima,
			weight: 1,
		}
	case backend.ReduceMin: // the largest of −x
		scale := dev.rows().scaleShiftAll
		return mapped(newReduceFns(dev, backend.ReduceMax), func(dst, x []float32) { scale(dst, x, -1, 0) })
	case backend.ReduceProd:
		return &reduceFns{rows: productRows, lanes: productLanes, join: joinProducts, weight: 4}
	case backend.ReduceL1:
		abs := dev.rows().act[backend.Abs]
		return mapped(newReduceFns(dev, backend.ReduceSum), func(dst, x []float32) { abs(dst, x, &noConstants) })
	case backend.ReduceL2, backend.ReduceSumSquare:
		return &reduceFns{
			rows: func(_ *states, a, _ []float64, x []float32, n, step, _ int) {
				for i := range a {
					_, a[i] = norm.moments(x[i*step:][:n], 0)
				}
			},
			lanes: func(_ *states, a, b []float64, x []float32, n, step, _ int) {
				clear(a)
				norm.rowMoments(x, n, step, noShift[:len(a)], b, a)
			},
			join:   joinSums,
			weight: 1,
		}
	case backend.ReduceLogSumExp: // a is the maximum, b the sum of e^(x−a)
		exp := pick(dev.isa, softmaxImpls)
		return &reduceFns{
			rows: func(s *states, a, b []float64, x []float32, n, step, _ int) {
				pool.maxRows(s.m[:len(a)], x, n, step)
				clear(b)
				exp.rows.sum(x, s.m[:len(a)], b, n, len(a), step)
				widen(a, s.m)
			},
			lanes: func(s *states, a, b []float64, x []float32, n, step, _ int) {
				pool.maxBox(s.m[:len(a)], x, laneBox(len(a), n, step))
				clear(b)
				exp.lanes.sum(x, s.m[:len(a)], b, len(a), n, step)
				widen(a, s.m)
			},
			join:   joinExponentials,
			weight: 8,
		}
	}
	return &reduceFns{ // sums
		rows: func(_ *states, a, _ []float64, x []float32, n, step, _ int) { pool.sumRows(a, x, n, step) },
		lanes: func(_ *states, a, _ []float64, x []float32, n, step, _ int) {
			pool.sumBox(a, x, laneBox(len(a), n, step))
		},
		join:   joinSums,
		weight: 1,
	}
}

// laneBox is a box of one line of lanes with n taps each.
func laneBox(lanes, n, step int) box {
	return box{boxN: lanes, boxCols: 1, boxLines: 1, boxNZ: 1, boxNY: 1, boxNX: n, boxSX: step}
}

func widen(a []float64, m []float32) {
	m = m[:len(a)]
	for i, v := range m {
		a[i] = float64(v)
	}
}

// mapped returns the loops of fns for f of the elements.
func mapped(fns *reduceFns, f func(dst, x []float32)) *reduceFns {
	// side puts f of rows of n elements side by side.
	side := func(dst, x []float32, n, rows, step int) {
		if step == n {
			n, rows = n*rows, 1
		}
		for r := range rows {
			f(dst[r*n:][:n], x[r*step:][:n])
		}
	}
	of := *fns
	of.rows = func(s *states, a, b []float64, x []float32, n, step, at int) {
		side(s.row, x, n, len(a), step)
		fns.rows(s, a, b, s.row, n, n, at)
	}
	of.lanes = func(s *states, a, b []float64, x []float32, n, step, at int) {
		side(s.row, x, len(a), n, step)
		fns.lanes(s, a, b, s.row, n, len(a), at)
	}
	of.weight++
	return &of
}

func joinSums(a, _, p, _ []float64) {
	p = p[:len(a)]
	for i, v := range p {
		a[i] += v
	}
}

func joinMaxima(a, _, p, _ []float64) {
	p = p[:len(a)]
	for i, v := range p {
		a[i] = max(a[i], v)
	}
}

func joinProducts(a, b, p, q []float64) {
	for i := range a {
		a[i], b[i] = fraction(a[i]*p[i], b[i]+q[i])
	}
}

// joinExponentials puts two sums on the larger maximum. A maximum that is NaN or
// infinite needs no sum.
func joinExponentials(a, b, p, q []float64) {
	for i := range a {
		m := max(a[i], p[i])
		switch {
		case math.IsInf(m, 0) || m != m:
		case a[i] == p[i]:
			b[i] += q[i]
		case m == a[i]:
			b[i] += scaledSum(q[i], p[i]-m)
		default:
			b[i] = q[i] + scaledSum(b[i], a[i]-m)
		}
		a[i] = m
	}
}

// scaledSum is s·e^d; the sum that belongs to a maximum of −∞ is 0, whatever is in it.
func scaledSum(s, d float64) float64 {
	if math.IsInf(d, 0) {
		return 0
	}
	return s * math.Exp(d)
}

// fraction returns p·2^e with p from ½ on to 1, unless it is 0, infinite or NaN. P is
// not subnormal.
func fraction(p, e float64) (float64, float64) {
	const bias, field = 1022, 0x7ff
	u := math.Float64bits(p)
	x := u >> 52 & field
	if x == 0 || x == field {
		return p, e
	}
	return math.Float64frombits(u&^(field<<52) | bias<<52), e + float64(int(x)-bias)
}

// productRows multiplies with products that overlap in time. Four factors of float32
// do not leave the range of float64.
func productRows(_ *states, a, b []float64, x []float32, n, step, _ int) {
	for i := range a {
		row := x[i*step:][:n]
		p, e := [4]float64{1, 1, 1, 1}, 0.0
		for ; len(row) >= 16; row = row[16:] {
			for k := range p {
				v := row[4*k : 4*k+4 : 4*k+4]
				p[k], e = fraction(p[k]*float64(v[0])*float64(v[1])*float64(v[2])*float64(v[3]), e)
			}
		}
		for ; len(row) > 4; row = row[4:] {
			p[0], e = fraction(p[0]*float64(row[0])*float64(row[1])*float64(row[2])*float64(row[3]), e)
		}
		for _, v := range row {
			p[0] *= float64(v)
		}
		p[0], e = fraction(p[0], e)
		if n >= 16 {
			p[2], e = fraction(p[2]*p[3], e)
			p[0], e = fraction(p[0]*p[1]*p[2], e)
		}
		a[i], b[i] = p[0], e
	}
}

func productLanes(_ *states, a, b []float64, x []float32, n, step, _ int) {
	fill(a, 1)
	clear(b)
	for r := range n {
		for i, v := range x[r*step:][:len(a)] {
			a[i] *= float64(v)
		}
		if r%4 == 3 || r == n-1 {
			for i := range a {
				a[i], b[i] = fraction(a[i], b[i])
			}
		}
	}
}

// finishReduce stores the results of states over n elements, step apart.
func finishReduce(fn backend.ReduceKind, y []float32, a, b []float64, step, n int) {
	switch fn {
	case backend.ReduceMean:
		for i, v := range a {
			y[i*step] = float32(v / float64(n))
		}
	case backend.ReduceMin:
		for i, v := range a {
			y[i*step] = float32(-v)
		}
	case backend.ReduceL2:
		for i, v := range a {
			y[i*step] = float32(math.Sqrt(v))
		}
	case backend.ReduceLogSum:
		for i, v := range a {
			y[i*step] = float32(math.Log(v))
		}
	case backend.ReduceProd:
		for i, v := range a {
			y[i*step] = float32(math.Ldexp(v, int(b[i])))
		}
	case backend.ReduceLogSumExp:
		for i, m := range a {
			if !math.IsInf(m, 0) {
				m += math.Log(b[i])
			}
			y[i*step] = float32(m)
		}
	default:
		for i, v := range a {
			y[i*step] = float32(v)
		}
	}
}
