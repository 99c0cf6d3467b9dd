package graph

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// smallConst is the size in bytes up to which constants are compared by content.
const smallConst = 4096

// eliminateCommon computes the same thing once: a node with the op, attributes and
// inputs of an earlier one gives way to it. Constants are the same by their tensor,
// small ones also by content. The operands of a sum or product may be exchanged.
func eliminateCommon(g *Graph, _ *options) (int, error) {
	count := 0
	ids := newIDs()
	seen := map[string][]*Node{}
	for _, n := range slices.Clone(g.nodes) {
		key := keyOf(n, ids)
		i := slices.IndexFunc(seen[key], func(m *Node) bool { return reflect.DeepEqual(m.op, n.op) })
		if i < 0 {
			seen[key] = append(seen[key], n)
			continue
		}
		for k, v := range n.out {
			g.replace(v, seen[key][i].out[k])
		}
		g.remove(n)
		count++
	}
	return count, nil
}

// keyOf describes the op and the inputs of n.
func keyOf(n *Node, ids *ids) string {
	in := make([]string, len(n.in))
	for i, v := range n.in {
		in[i] = fmt.Sprint(ids.of(v))
	}
	if b, ok := n.op.(backend.Binary); ok && b.Fn.Commutes() {
		slices.Sort(in)
	}
	return fmt.Sprintf("%T %+v(%s)", n.op, n.op, strings.Join(in, ","))
}

// ids numbers values, so that equal ones have one number.
type ids struct {
	values  map[*Value]int
	tensors map[*tensor.Tensor]int
	content map[string]int
	next    int
}

func newIDs() *ids {
	return &ids{values: map[*Value]int{}, tensors: map[*tensor.Tensor]int{}, content: map[string]int{}}
}

func (s *ids) of(v *Value) int {
	if v.konst == nil {
		return number(s, s.values, v)
	}
	if v.konst.Size()*v.dtype.Size() > smallConst {
		return number(s, s.tensors, v.konst)
	}
	return number(s, s.content, fmt.Sprintf("%v%v %s", v.dtype, v.shape, v.konst.Bytes()))
}

func number[K comparable](s *ids, m map[K]int, k K) int {
	id, ok := m[k]
	if !ok {
		s.next++
		id = s.next
		m[k] = id
	}
	return id
}
