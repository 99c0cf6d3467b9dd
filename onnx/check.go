package onnx

import (
	"fmt"
	"slices"
	"strings"

	"github.com/convgl/convgl/onnx/internal/pb"
)

// arrange checks how a graph's values hang together, and returns its nodes in an order in
// which each comes after what it reads. ONNX demands such an order, but not all programs
// keep to it. It fails on a value that is made twice or not at all, and on a cycle.
func arrange(g *pb.Graph) ([]*pb.Node, error) {
	made := map[string]int{} // by the number of the node; -1 for inputs and constants
	for _, t := range g.Initializers {
		if _, twice := made[t.Name]; twice || t.Name == "" {
			return nil, fmt.Errorf("constant %s: want a name that no other has", pb.Quote(t.Name))
		}
		made[t.Name] = -1
	}
	inputs := map[string]bool{}
	for _, v := range g.Inputs {
		if inputs[v.Name] || v.Name == "" {
			return nil, fmt.Errorf("input %s: want a name that no other has", pb.Quote(v.Name))
		}
		inputs[v.Name], made[v.Name] = true, -1
	}
	for i, n := range g.Nodes {
		for _, name := range n.Outputs {
			if name == "" {
				continue
			}
			if by, twice := made[name]; twice {
				what := "an input or constant"
				if by >= 0 {
					what = "node " + label(g.Nodes[by])
				}
				return nil, fmt.Errorf("node %s: its output %s is also made by %s", label(n), pb.Quote(name), what)
			}
			made[name] = i
		}
	}
	for _, n := range g.Nodes {
		for k, name := range n.Inputs {
			if _, ok := made[name]; !ok && name != "" {
				return nil, fmt.Errorf("node %s: input %d, %s, is neither an input, a constant nor the output of a node%s", label(n), k, pb.Quote(name), near(name, made))
			}
		}
	}
	seen := map[string]bool{}
	for _, v := range g.Outputs {
		if _, ok := made[v.Name]; !ok {
			return nil, fmt.Errorf("output %s is not made by any node%s", pb.Quote(v.Name), near(v.Name, made))
		}
		if seen[v.Name] {
			return nil, fmt.Errorf("output %s is there twice", pb.Quote(v.Name))
		}
		seen[v.Name] = true
	}
	if len(g.Outputs) == 0 {
		return nil, fmt.Errorf("the graph has no outputs")
	}
	return sortNodes(g.Nodes, made)
}

// sortNodes orders nodes by what they read; those that do not depend on each other keep
// the order of the file.
func sortNodes(nodes []*pb.Node, made map[string]int) ([]*pb.Node, error) {
	waits := make([]int, len(nodes)) // nodes that must come first
	readers := make([][]int, len(nodes))
	var ready []int
	for i, n := range nodes {
		for _, name := range n.Inputs {
			if by, ok := made[name]; ok && name != "" && by >= 0 {
				waits[i]++
				readers[by] = append(readers[by], i)
			}
		}
		if waits[i] == 0 {
			ready = append(ready, i)
		}
	}
	inOrder := true
	for i, n := range nodes {
		for _, name := range n.Inputs {
			inOrder = inOrder && (name == "" || made[name] < i)
		}
	}
	if inOrder {
		return nodes, nil
	}
	order := make([]*pb.Node, 0, len(nodes))
	for len(ready) > 0 {
		i := ready[0]
		ready = ready[1:]
		order = append(order, nodes[i])
		for _, r := range readers[i] {
			if waits[r]--; waits[r] == 0 {
				ready = append(ready, r)
			}
		}
	}
	if len(order) == len(nodes) {
		return order, nil
	}
	return nil, fmt.Errorf("the graph has a cycle: %s", cycle(nodes, waits, made))
}

// cycle names the nodes of a cycle among those that still wait.
func cycle(nodes []*pb.Node, waits []int, made map[string]int) string {
	at := slices.IndexFunc(waits, func(w int) bool { return w > 0 })
	var path []int
	been := map[int]bool{}
	for !been[at] {
		been[at] = true
		path = append(path, at)
		for _, name := range nodes[at].Inputs {
			if by := made[name]; name != "" && by >= 0 && waits[by] > 0 {
				at = by
				break
			}
		}
	}
	path = path[slices.Index(path, at):]
	var names []string
	for _, i := range path {
		if len(names) == 10 {
			names = append(names, "…")
			break
		}
		names = append(names, label(nodes[i]))
	}
	return strings.Join(append(names, label(nodes[path[0]])), " reads from ")
}

// label names a node in errors.
func label(n *pb.Node) string {
	name := n.Name
	if name == "" {
		name = firstOf(n.Outputs)
	}
	return fmt.Sprintf("%s (%s)", pb.Quote(name), pb.Word(n.OpType))
}

// near suggests names that differ from a wrong one by case, a prefix or a suffix.
func near(name string, made map[string]int) string {
	if name == "" {
		return ""
	}
	var list []string
	for k := range made {
		if strings.EqualFold(k, name) || strings.HasPrefix(k, name) || k != "" && strings.HasPrefix(name, k) || strings.HasSuffix(k, name) {
			list = append(list, k)
		}
	}
	if len(list) == 0 {
		return ""
	}
	slices.Sort(list)
	list = list[:min(len(list), 5)]
	for i := range list {
		list[i] = pb.Quote(list[i])
	}
	return fmt.Sprintf(" (is it one of %v?)", list)
}
