package graph

import (
	"math/rand/v2"
	"testing"
)

// A cut of a random graph is as cheap as the cheapest of all.
func TestMinCut(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		n := 2 + rnd.IntN(7)
		type edge struct {
			u, v int
			cap  int64
		}
		c := newCut()
		for range n - 2 {
			c.vertex()
		}
		var edges []edge
		for range 3 * n {
			if u, v := rnd.IntN(n), rnd.IntN(n); u != v {
				e := edge{u, v, int64(rnd.IntN(10))}
				edges = append(edges, e)
				c.edge(e.u, e.v, e.cap)
			}
		}
		price := func(side func(int) bool) (sum int64) {
			for _, e := range edges {
				if side(e.u) && !side(e.v) {
					sum += e.cap
				}
			}
			return sum
		}
		best := never
		for mask := range 1 << n {
			if mask&1 == 1 && mask>>1&1 == 0 {
				best = min(best, price(func(v int) bool { return mask>>v&1 == 1 }))
			}
		}
		side := c.solve()
		if !side[cutSource] || side[cutSink] {
			t.Fatal("source or sink is on the wrong side")
		}
		if got := price(func(v int) bool { return side[v] }); got != best {
			t.Fatalf("%v: a cut of %d, the least is %d", edges, got, best)
		}
	}
}
