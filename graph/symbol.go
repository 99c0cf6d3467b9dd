package graph

import (
	"fmt"

	"github.com/convgl/convgl/tensor"
)

// Shapes with symbols are inferred by inferring twice, with two sets of sizes for
// the symbols: the ops' own rules serve, and there is no second set of them for
// symbolic arithmetic. A dim that is the same both times does not depend on a
// symbol.

// probe returns the size that stands for symbol number i in set k: multiples of 64,
// so that strides, poolings and concatenations that suit most sizes suit them. No two
// symbols share one, nor the ratio of their two, by which explain tells a multiple of
// one from that of another.
func probe(k, i int) int {
	if k == 0 {
		return 64 * (2*i + 3)
	}
	return 256 * (i + 2)
}

// probes are the sizes of a value under both sets.
type probes [2]tensor.Shape

// probeShape returns the sizes of s, whose symbols it adds to the graph.
func (g *Graph) probeShape(s Shape) probes {
	var p probes
	for k := range p {
		p[k] = make(tensor.Shape, len(s))
		for i, d := range s {
			n, ok := d.Size()
			if !ok {
				n = probe(k, g.symbol(d.expr))
			}
			p[k][i] = n
		}
	}
	return p
}

// symbol returns the number of a symbol.
func (g *Graph) symbol(name string) int {
	if len(g.symbolIDs) != len(g.symbols) { // a graph that Clone made
		g.symbolIDs = map[string]int{}
		for i, s := range g.symbols {
			g.symbolIDs[s] = i
		}
	}
	if i, ok := g.symbolIDs[name]; ok {
		return i
	}
	if g.symbolIDs == nil {
		g.symbolIDs = map[string]int{}
	}
	g.symbolIDs[name] = len(g.symbols)
	g.symbols = append(g.symbols, name)
	return len(g.symbols) - 1
}

// forgetSymbols drops the symbols but for the first n.
func (g *Graph) forgetSymbols(n int) {
	for _, s := range g.symbols[n:] {
		delete(g.symbolIDs, s)
	}
	g.symbols = g.symbols[:n]
}

// shapeOf explains sizes under the two sets as a shape.
func (g *Graph) shapeOf(p probes) Shape {
	s := make(Shape, len(p[0]))
	for i := range s {
		if p[0][i] == p[1][i] {
			s[i] = Static(p[0][i])
		} else {
			s[i] = Dim{expr: g.explain(p[0][i], p[1][i])}
		}
	}
	return s
}

// explain finds an expression of one symbol that gives a and b: the symbol, a
// multiple or fraction of it, or one of these with something added; "?" if none.
func (g *Graph) explain(a, b int) string {
	best, cost := "?", 5
	if i := (a/64 - 3) / 2; i >= 0 && i < len(g.symbols) && a == probe(0, i) && b == probe(1, i) {
		return g.symbols[i]
	}
	for i, name := range g.symbols[:min(len(g.symbols), maxExplained)] {
		x, y := probe(0, i), probe(1, i)
		// a = m/d·x + c and b = m/d·y + c
		m, d := b-a, y-x
		if m < 0 {
			continue
		}
		k := gcd(m, d)
		m, d = m/k, d/k
		if d > 1024 || m*x%d != 0 {
			continue
		}
		c := a - m*x/d
		if c < -maxOffset || c > maxOffset {
			continue // a product of two symbols can look like one of them, far off
		}
		rank := 0
		switch {
		case m == 1 && d == 1 && c == 0:
		case (m == 1 || d == 1) && c == 0:
			rank = 1
		case m == 1 && d == 1:
			rank = 2
		case c == 0 || m == 1:
			rank = 3
		default:
			rank = 4
		}
		if rank >= cost {
			continue
		}
		cost, best = rank, name
		if m != 1 {
			best = fmt.Sprintf("%d%s", m, best)
		}
		if d != 1 {
			best = fmt.Sprintf("%s/%d", best, d)
		}
		if c != 0 {
			best = fmt.Sprintf("%s%+d", best, c)
		}
	}
	return best
}

// maxExplained is how many symbols are looked at for an expression, against graphs
// with thousands of them.
const maxExplained = 64

// maxOffset bounds what an expression adds to its symbol, as pads and kernels do.
const maxOffset = 1024

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
