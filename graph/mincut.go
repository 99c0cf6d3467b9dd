package graph

// cut is a directed graph with capacities of which a minimum cut is wanted.
type cut struct {
	edges []cutEdge
	first [][]int // edges by their tail
	level []int
	next  []int
}

type cutEdge struct {
	to  int
	cap int64
}

const (
	cutSource = 0
	cutSink   = 1
	never     = int64(1) << 60 // the capacity of an edge that must not be cut
)

func newCut() *cut { return &cut{first: make([][]int, 2)} }

// vertex adds a vertex.
func (c *cut) vertex() int {
	c.first = append(c.first, nil)
	return len(c.first) - 1
}

// edge adds an edge, which is cut where u is on the side of the source and v on
// that of the sink.
func (c *cut) edge(u, v int, capacity int64) {
	c.first[u] = append(c.first[u], len(c.edges))
	c.first[v] = append(c.first[v], len(c.edges)+1)
	c.edges = append(c.edges, cutEdge{v, capacity}, cutEdge{u, 0})
}

// solve returns which vertices are on the source's side of a minimum cut: those
// that the source still reaches after a maximum flow (Dinic, 1970). Of several
// minimum cuts it is the one with the fewest vertices there.
func (c *cut) solve() []bool {
	for c.layers() {
		c.next = make([]int, len(c.first))
		for c.push(cutSource, never) > 0 {
		}
	}
	side := make([]bool, len(c.first))
	for v, l := range c.level {
		side[v] = l >= 0
	}
	return side
}

// layers numbers the vertices by their distance from the source along edges that
// are not full.
func (c *cut) layers() bool {
	c.level = make([]int, len(c.first))
	for v := range c.level {
		c.level[v] = -1
	}
	c.level[cutSource] = 0
	for queue := []int{cutSource}; len(queue) > 0; queue = queue[1:] {
		u := queue[0]
		for _, e := range c.first[u] {
			if v := c.edges[e].to; c.edges[e].cap > 0 && c.level[v] < 0 {
				c.level[v] = c.level[u] + 1
				queue = append(queue, v)
			}
		}
	}
	return c.level[cutSink] >= 0
}

// push sends up to limit from u to the sink, and returns how much got there.
func (c *cut) push(u int, limit int64) int64 {
	if u == cutSink {
		return limit
	}
	for ; c.next[u] < len(c.first[u]); c.next[u]++ {
		e := c.first[u][c.next[u]]
		v := c.edges[e].to
		if c.edges[e].cap <= 0 || c.level[v] != c.level[u]+1 {
			continue
		}
		if got := c.push(v, min(limit, c.edges[e].cap)); got > 0 {
			c.edges[e].cap -= got
			c.edges[e^1].cap += got
			return got
		}
	}
	return 0
}
