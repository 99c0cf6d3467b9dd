package graph

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// storage is memory of a plan: that of a value and of all its views.
type storage struct {
	block
	inPlace bool // the producer overwrites an input
}

// place of a value: where it lies, and how.
type location struct {
	desc backend.TensorDesc
	at   *storage // nil for a constant
}

// instruction is a kernel with its arguments.
type instruction struct {
	name      string
	op        backend.Op
	kernel    backend.Kernel
	in        []operand
	out       []*storage
	workspace *storage
}

// operand is an input of an instruction: memory of the arena, or a constant.
type operand struct {
	at    *storage
	konst backend.Buffer
}

// lowering turns a graph with bound shapes into a plan.
type lowering struct {
	ctx     context.Context
	m       *Model
	p       *Plan
	shape   func(*Value) tensor.Shape
	layouts *assignment
	at      map[*Value]location
	moved   map[movedKey]location // reordered copies
	kernels map[string]backend.Kernel
	weights map[*Value]*permuted // by the input of Dense that a folded Flatten makes
}

type movedKey struct {
	v *Value
	l backend.Layout
}

// lower fills in p. On an error the caller closes what p has.
func (m *Model) lower(ctx context.Context, p *Plan, shapes []tensor.Shape) error {
	l := &lowering{ctx: ctx, m: m, p: p, at: map[*Value]location{}, moved: map[movedKey]location{}, kernels: map[string]backend.Kernel{}, weights: map[*Value]*permuted{}}
	l.shape = func(v *Value) tensor.Shape { return shapes[m.ids[v]] }
	l.layouts = assign(m.be, m.g, l.shape)
	for _, v := range m.g.inputs {
		d := v.desc(l.shape(v))
		d.Layout = backend.Plain
		l.at[v] = location{d, l.memory(v.name, d.Bytes(), 0)}
		p.in = append(p.in, l.at[v])
	}
	for _, n := range m.g.nodes {
		if err := l.node(n); err != nil {
			return nameNode(err, n.name)
		}
		p.madds += backend.MultiplyAdds(n.op, l.descs(n.in), l.descs(n.out))
	}
	for _, o := range m.g.outputs {
		if o.Value.konst != nil {
			p.out = append(p.out, location{desc: backend.Of(o.Value.konst)})
			continue
		}
		loc, err := l.in(o.Value, backend.Plain)
		if err != nil {
			return nameNode(err, o.Name)
		}
		p.out = append(p.out, loc)
	}
	// Only now is the number of steps known: a Reorder for an output is one of them.
	for _, loc := range p.out {
		if loc.at != nil {
			loc.at.last = len(p.steps)
		}
	}
	return l.arrange()
}

// descs describes values without layouts.
func (l *lowering) descs(vs []*Value) []backend.TensorDesc {
	ds := make([]backend.TensorDesc, len(vs))
	for i, v := range vs {
		ds[i] = v.desc(l.shape(v))
	}
	return ds
}

// memory makes a storage that is written at step first.
func (l *lowering) memory(name string, bytes int64, first int) *storage {
	s := &storage{block: block{name: name, first: first, last: first, bytes: bytes}}
	l.p.stores = append(l.p.stores, s)
	return s
}

// in returns v in the wanted layout, with a Reorder if it lies otherwise.
func (l *lowering) in(v *Value, want backend.Layout) (location, error) {
	have := l.at[v]
	if have.desc.Layout == want {
		return have, nil
	}
	to := have
	to.desc.Layout = want
	if sameMemory(have.desc.Layout, want, have.desc.Shape) {
		return to, nil
	}
	key := movedKey{v, want}
	if loc, ok := l.moved[key]; ok {
		return loc, nil
	}
	name := fmt.Sprintf("%s (%v)", v.name, want)
	to.at = nil
	out, err := l.step(name, backend.Reorder{}, []location{have}, []operand{{at: have.at}}, []backend.TensorDesc{to.desc})
	if err != nil {
		return to, err
	}
	l.p.reorders++
	l.moved[key] = out[0]
	return out[0], nil
}

// node lowers a node: to nothing for a view, else to reorders and a kernel.
func (l *lowering) node(n *Node) error {
	if done, err := l.view(n); done || err != nil {
		return err
	}
	in := make([]location, len(n.in))
	ops := make([]operand, len(n.in))
	args, _ := n.op.Args()
	for i, v := range n.in {
		in[i].desc = v.desc(l.shape(v))
		if v.konst != nil {
			continue
		}
		want := backend.Plain
		if len(in[i].desc.Shape) > 2 && !args[i].Weight {
			want = l.layouts.wanted[n]
		}
		loc, err := l.in(v, want)
		if err != nil {
			return err
		}
		in[i], ops[i] = loc, operand{at: loc.at}
	}
	perm := l.weights[n.in[0]]
	if perm != nil { // Dense after a folded Flatten
		in[1].desc.Shape = tensor.Shape{in[1].desc.Shape[0], perm.columns()}
	}
	out := make([]backend.TensorDesc, len(n.out))
	for i, v := range n.out {
		out[i] = v.desc(l.shape(v))
		out[i].Layout = l.layouts.made[v]
	}
	k, err := l.kernel(n.op, in, out)
	if err != nil {
		return err
	}
	for i, v := range n.in {
		if v.konst == nil {
			continue
		}
		c := konst{t: v.konst}
		if i == 1 {
			c.perm = perm.key()
		}
		if ops[i].konst, err = l.m.pack(l.ctx, c, k.Info().In[i], k.Info().Formats[i], perm); err != nil {
			return err
		}
	}
	locs, err := l.run(n.name, n.op, k, in, ops)
	for i, v := range n.out {
		if err == nil {
			l.at[v] = locs[i]
		}
	}
	return err
}

// view makes the output of a Reshape or Flatten another name of its input where
// the elements lie in the right order already, and where a Dense can be made to
// take the order in which they do lie.
func (l *lowering) view(n *Node) (bool, error) {
	switch n.op.(type) {
	case backend.Flatten, backend.Reshape:
	default:
		return false, nil
	}
	if n.in[0].konst != nil {
		return false, nil
	}
	x, err := l.in(n.in[0], l.layouts.wanted[n])
	if len(l.shape(n.in[0])) <= 2 {
		x, err = l.at[n.in[0]], nil
	}
	if err != nil {
		return false, err
	}
	d := n.out[0].desc(l.shape(n.out[0]))
	d.Layout = l.layouts.made[n.out[0]]
	plain := sameMemory(x.desc.Layout, backend.Plain, x.desc.Shape)
	switch {
	case plain && sameMemory(d.Layout, backend.Plain, d.Shape):
	case l.layouts.folded[n]:
		perm := &permuted{shape: x.desc.Shape, layout: x.desc.Layout}
		d.Shape = tensor.Shape{d.Shape[0], perm.columns()}
		l.weights[n.out[0]] = perm
	default:
		return false, nil
	}
	l.at[n.out[0]] = location{d, x.at}
	return true, nil
}

// kernel prepares a kernel, or takes one that was prepared for the same.
func (l *lowering) kernel(op backend.Op, in []location, out []backend.TensorDesc) (backend.Kernel, error) {
	d := backend.Desc{Op: op, Out: out}
	for _, i := range in {
		d.In = append(d.In, i.desc)
	}
	key := fmt.Sprintf("%#v", d)
	if k := l.kernels[key]; k != nil {
		return k, nil
	}
	k, err := l.m.be.Prepare(l.ctx, d)
	if err != nil {
		return nil, err
	}
	l.kernels[key] = k
	l.p.kernels = append(l.p.kernels, k)
	return k, nil
}

// step prepares a kernel and runs it.
func (l *lowering) step(name string, op backend.Op, in []location, ops []operand, out []backend.TensorDesc) ([]location, error) {
	k, err := l.kernel(op, in, out)
	if err != nil {
		return nil, err
	}
	return l.run(name, op, k, in, ops)
}

// run adds an instruction and extends the lives of what it reads.
func (l *lowering) run(name string, op backend.Op, k backend.Kernel, in []location, ops []operand) ([]location, error) {
	now := len(l.p.steps)
	info := k.Info()
	s := instruction{name: name, op: op, kernel: k, in: ops}
	for i, o := range ops {
		if o.at == nil {
			continue
		}
		if o.at.last = now; info.Formats[i] != nil {
			return nil, errors.New("the kernel wants a computed input in a packed format")
		}
	}
	var locs []location
	for i, d := range info.Out {
		st := l.memory(name, info.OutBytes(i), now)
		s.out = append(s.out, st)
		d.Const = false
		locs = append(locs, location{d, st})
	}
	if info.Workspace > 0 {
		s.workspace = l.memory(name+" workspace", info.Workspace, now)
	}
	l.p.steps = append(l.p.steps, s)
	l.p.cost.FLOPs += info.Cost.FLOPs
	l.p.cost.Bytes += info.Cost.Bytes
	return locs, nil
}

// arrange lets outputs overwrite inputs that die, and places the memory.
func (l *lowering) arrange() error {
	p := l.p
	for _, s := range p.stores {
		if s.bytes > math.MaxInt64/4-p.total { // sums of offsets stay in an int64 too
			return &backend.LimitError{Op: "Plan", Node: l.m.g.Name, What: "values, bytes", Got: s.bytes, Max: math.MaxInt64/4 - p.total, Hint: "a smaller batch"}
		}
		p.total += s.bytes
	}
	root := map[*storage]*storage{}
	find := func(s *storage) *storage {
		for root[s] != nil {
			s = root[s]
		}
		return s
	}
	for now, s := range p.steps {
		for _, i := range s.kernel.Info().InPlace {
			if s.in[i].at == nil {
				continue
			}
			x, y := find(s.in[i].at), s.out[0]
			others := 0
			for _, o := range s.in {
				if o.at != nil && find(o.at) == x {
					others++
				}
			}
			if x.last == now && x.bytes == y.bytes && others == 1 {
				x.last, y.inPlace = y.last, true
				root[y] = x
				break
			}
		}
	}
	var blocks []*block
	for _, s := range p.stores {
		if root[s] == nil {
			blocks = append(blocks, &s.block)
		}
	}
	p.arena, p.peak = place(blocks, l.m.be.Caps().OffsetAlign)
	for _, s := range p.stores {
		s.offset = find(s).offset
	}
	if limit := l.m.be.Caps().MaxBuffer; limit > 0 && p.arena > limit {
		return &backend.LimitError{Op: "Plan", Node: l.m.g.Name, What: "arena, bytes", Got: p.arena, Max: limit, Hint: "a smaller batch"}
	}
	p.stores = slices.DeleteFunc(p.stores, func(s *storage) bool { return root[s] != nil })
	return nil
}
