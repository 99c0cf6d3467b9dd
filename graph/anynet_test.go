package graph

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// anyNet makes networks of all ops over values of all ranks, as a file could hold
// them: it proposes nodes at random, and those that an op refuses are left out.
// Values keep to the size of 1: weights are small, and what could grow is clamped.
type anyNet struct {
	*builder
	values []*Value
	exact  map[*Value]bool // no rounding: positions of maxima are certain
	kinds  map[string]int  // of the nodes
	ref    backend.Backend
}

// small makes a constant of numbers from −1 to 1 divided by terms.
func (r *anyNet) small(name string, terms int, shape ...int) *Value {
	v := make([]float32, max(tensor.Shape(shape).Size(), 1))
	for i := range v {
		v[i] = (2*r.rng.Float32() - 1) / float32(max(terms, 1))
	}
	return r.builder.values(name, shape, v...)
}

// positive makes a constant of numbers from ½ to 2.
func (r *anyNet) positive(name string, shape ...int) *Value {
	v := make([]float32, max(tensor.Shape(shape).Size(), 1))
	for i := range v {
		v[i] = 0.5 + 1.5*r.rng.Float32()
	}
	return r.builder.values(name, shape, v...)
}

// pick returns one of the latest values, or any.
func (r *anyNet) pick() *Value {
	if n := len(r.values); n > 4 && r.rng.IntN(3) > 0 {
		return r.values[n-1-r.rng.IntN(4)]
	}
	return r.values[r.rng.IntN(len(r.values))]
}

func (r *anyNet) upTo(n int) int { return r.rng.IntN(n + 1) }

func (r *anyNet) coin() bool { return r.rng.IntN(2) == 0 }

// list returns n numbers from lo to hi.
func (r *anyNet) list(n, lo, hi int) []int {
	v := make([]int, n)
	for i := range v {
		v[i] = lo + r.upTo(hi-lo)
	}
	return v
}

func (r *anyNet) window(spatial int) backend.Window {
	w := backend.Window{Kernel: r.list(spatial, 1, 3)}
	if r.coin() {
		w.Strides = r.list(spatial, 1, 2)
	}
	switch r.rng.IntN(4) {
	case 0:
		w.AutoPad = backend.AutoPad(r.upTo(3))
	case 1, 2:
		w.Pads = r.list(2*spatial, 0, 1)
	}
	if r.rng.IntN(4) == 0 {
		w.Dilations = r.list(spatial, 1, 2)
	}
	return w
}

// add adds a node unless the op refuses its inputs or the result is large.
func (r *anyNet) add(op backend.Op, exact bool, in ...*Value) *Node {
	name := fmt.Sprintf("n%d", len(r.g.nodes))
	n, err := r.g.Apply(name, op, in...)
	if err != nil {
		return nil
	}
	defined := isView(op) || len(r.ref.Algorithms(descOf(n))) > 0
	if !defined {
		r.kinds["no "+op.Kind()]++
	}
	if !defined || n.out[0].sizes[0].Size() > 1_000_000 {
		r.g.remove(n)
		r.g.sweep()
		delete(r.g.names, name)
		return nil
	}
	r.kinds[op.Kind()]++
	for _, v := range in {
		exact = exact && (v.konst != nil || r.exact[v])
	}
	for _, v := range n.out {
		if v.dtype == tensor.Float32 {
			r.values = append(r.values, v)
			r.exact[v] = exact
		}
	}
	return n
}

// epilogue makes steps that need constants alone.
func (r *anyNet) epilogue(name string, channels int) (backend.Epilogue, []*Value) {
	act := backend.Step{Kind: backend.Activate, Act: backend.Act{Kind: backend.LeakyRelu, Alpha: 0.5}}
	if r.coin() {
		return backend.Epilogue{act}, nil
	}
	operands := []*Value{r.positive(name+".s", channels), r.small(name+".t", 1, channels)}
	return backend.Epilogue{{Kind: backend.ScaleShift}, act}[:1+r.upTo(1)], operands
}

// descOf describes n with the first sizes.
func descOf(n *Node) backend.Desc {
	d := backend.Desc{Op: n.op}
	for _, v := range n.in {
		d.In = append(d.In, v.desc(v.sizes[0]))
	}
	return d
}

// clamp keeps v within the size of 1.
func (r *anyNet) clamp(n *Node) {
	if n != nil {
		r.add(backend.Activation{Act: backend.Act{Kind: backend.Clip, Alpha: -2, Beta: 2.5}}, true, n.out[0])
	}
}

// step proposes a node of a random kind.
func (r *anyNet) step(i int) {
	x := r.pick()
	s := x.sizes[0]
	rank, spatial := len(s), len(s)-2
	name := fmt.Sprintf("c%d", i)
	channels := 0
	if rank > 1 {
		channels = s[1]
	}
	image := rank >= 3 && rank <= 5
	if !image && r.coin() { // most ops want one
		for _, v := range slices.Backward(r.values) {
			if image = len(v.sizes[0]) >= 3 && len(v.sizes[0]) <= 5; image {
				x, s = v, v.sizes[0]
				rank, spatial, channels = len(s), len(s)-2, s[1]
				break
			}
		}
	}
	fixed := false // the number of channels
	if rank > 1 {
		_, fixed = x.shape[1].Size()
	}
	weighted := image && fixed && channels <= 16 && channels > 0
	switch kind := r.rng.IntN(41); {
	case kind <= 4 && weighted:
		w := r.window(spatial)
		groups := 1
		if channels%2 == 0 && r.coin() {
			groups = []int{2, channels}[r.rng.IntN(2)]
		}
		out := groups * (1 + r.rng.IntN(3))
		op := backend.Conv{Window: w, Groups: groups, Bias: r.coin()}
		taps := tensor.Shape(w.Kernel).Size()
		in := []*Value{x, r.small(name+".w", channels/groups*taps, append([]int{out, channels / groups}, w.Kernel...)...)}
		if r.coin() {
			op.Kernel = nil
		}
		if op.Bias {
			in = append(in, r.small(name+".b", 1, out))
		}
		if r.rng.IntN(4) == 0 {
			e, operands := r.epilogue(name, out)
			op.Epilogue, in = e, append(in, operands...)
		}
		if n := r.add(op, false, in...); n != nil && op.Epilogue != nil && r.coin() {
			r.add(backend.Binary{Fn: backend.Mul}, false, n.out[0], r.positive(name+".k", 1))
		}
	case kind == 5 && weighted:
		w := r.window(spatial)
		w.AutoPad = 0
		groups := []int{1, channels}[r.rng.IntN(2)]
		op := backend.ConvTranspose{Window: w, Groups: groups, Bias: r.coin()}
		in := []*Value{x, r.small(name+".w", channels/groups, append([]int{channels, 1 + r.rng.IntN(2)}, w.Kernel...)...)}
		if op.Bias {
			in = append(in, r.small(name+".b", 1, groups*in[1].sizes[0][1]))
		}
		r.add(op, false, in...)
	case kind == 6 && rank >= 2:
		if n := 0; image && r.coin() { // the head of a network, or two
			flat := r.add([]backend.Op{backend.Flatten{Axis: 1}, backend.Reshape{Shape: []int{0, -1}}}[r.upTo(1)], true, x)
			if flat == nil {
				return
			}
			x, rank = flat.out[0], 2
			if s = x.sizes[0]; r.coin() {
				n = s[1]
			}
			if _, ok := x.shape[1].Size(); ok && n > 0 && n <= 400 {
				r.add(backend.Dense{}, false, x, r.small(name+".w2", n, 3, n))
			}
		}
		k := s[rank-1]
		if _, ok := x.shape[rank-1].Size(); !ok || k > 400 || k == 0 {
			return
		}
		out := 1 + r.rng.IntN(6)
		if r.coin() {
			r.add(backend.MatMul{}, false, x, r.small(name+".w", k, k, out))
			return
		}
		op := backend.Dense{Bias: r.coin()}
		in := []*Value{x, r.small(name+".w", k, out, k)}
		if op.Bias {
			in = append(in, r.small(name+".b", 1, out))
		}
		if r.rng.IntN(4) == 0 {
			e, operands := r.epilogue(name, out)
			op.Epilogue, in = e, append(in, operands...)
		}
		r.add(op, false, in...)
	case kind == 7:
		r.clamp(r.add(backend.MatMul{}, false, x, r.pick()))
	case kind == 8 && image:
		op := backend.MaxPool{Window: r.window(spatial), CeilMode: r.coin(), Indices: r.exact[x] && r.coin()}
		n := r.add(op, true, x)
		if n != nil && op.Indices && r.coin() {
			at := n.out[1]
			for _, op := range []backend.Op{Identity{}, backend.Transpose{}, backend.Reshape{Shape: []int{0, -1}}} {
				if m, err := r.g.Apply(fmt.Sprintf("%s.%s", name, op.Kind()), op, at); err == nil && r.coin() {
					at = m.out[0]
				}
			}
			r.out(name+".where", at)
		}
	case kind == 9 && image:
		r.add(backend.AvgPool{Window: r.window(spatial), CeilMode: r.coin(), CountIncludePad: r.coin()}, false, x)
	case kind == 10 && image:
		if r.coin() {
			r.add(backend.GlobalPool{Mean: r.coin()}, false, x)
			return
		}
		r.add(backend.AdaptivePool{Out: r.list(spatial, 1, 3), Mean: r.coin()}, false, x)
	case kind == 11 && image:
		op := backend.Resize{Mode: backend.ResizeMode(r.upTo(1)), Coord: backend.CoordMode(r.upTo(2))}
		if r.coin() {
			op.Size = r.list(spatial, 2, 6)
		} else {
			for range spatial {
				op.Scales = append(op.Scales, []float64{0.5, 1, 1.5, 2}[r.upTo(3)])
			}
		}
		r.add(op, op.Mode == backend.ResizeNearest, x)
	case kind <= 14 && rank > 0:
		op := backend.Pad{Pads: r.list(2*rank, 0, 1), Mode: backend.PadMode(r.rng.IntN(7) % 5 % 4), Value: float32(r.rng.IntN(3)/2) * 0.5}
		op.Pads[0], op.Pads[rank] = 0, 0
		if rank > 2 && r.rng.IntN(4) > 0 {
			op.Pads[1], op.Pads[rank+1] = 0, 0
		}
		r.add(op, true, x)
	case kind == 15 && rank > 1 && fixed && channels > 0:
		r.clamp(r.add(backend.BatchNorm{Epsilon: 0.1}, false, x, r.small(name+".scale", 1, channels), r.small(name+".shift", 1, channels), r.small(name+".mean", 1, channels), r.positive(name+".var", channels)))
	case kind == 16 && image && fixed:
		scale, shift := r.small(name+".scale", 1, channels), r.small(name+".shift", 1, channels)
		if r.coin() {
			r.add(backend.InstanceNorm{Epsilon: 0.5}, false, x, scale, shift)
			return
		}
		r.add(backend.GroupNorm{Groups: 1 + r.upTo(1), Epsilon: 0.5}, false, x, scale, shift)
	case kind == 17 && rank > 1:
		axis := 1 + r.rng.IntN(rank-1)
		rest, ok := x.shape[axis:].Static()
		if !ok || rest.Size() > 2000 {
			return
		}
		r.add(backend.LayerNorm{Axis: axis - []int{0, rank}[r.upTo(1)], Epsilon: 0.5}, false, x, r.small(name+".scale", 1, rest...), r.small(name+".shift", 1, rest...))
	case kind == 18 && image:
		r.add(backend.LRN{Size: 1 + r.upTo(3), Alpha: 0.5, Beta: 0.75, K: 1}, false, x)
	case kind == 19 && rank > 0:
		r.add(backend.Softmax{Axis: r.rng.IntN(rank)}, false, x)
	case kind <= 21:
		if r.rng.IntN(6) == 0 { // a product that is an activation function
			if n := r.add(backend.Activation{Act: backend.Act{Kind: backend.Sigmoid}}, false, x); n != nil {
				r.clamp(r.add(backend.Binary{Fn: backend.Mul}, false, x, n.out[0]))
			}
			return
		}
		act := backend.Act{Kind: backend.ActKind(r.rng.IntN(22)), Alpha: 0.5, Beta: 0.75}
		if more := int(act.Kind) - int(backend.Abs); more >= 0 { // of the others those without jumps and poles
			act.Kind = []backend.ActKind{backend.Abs, backend.Neg, backend.Erf, backend.Sin, backend.Cos}[more]
		}
		if r.coin() {
			act = backend.Act{Kind: []backend.ActKind{backend.Relu, backend.Clip}[r.upTo(1)], Alpha: float32(r.rng.IntN(3)-1) / 2, Beta: 1.5}
		}
		if act.Kind == backend.Exp {
			return
		}
		r.add(backend.Activation{Act: act}, act.Kind == backend.Relu || act.Kind == backend.Clip, x)
	case kind <= 23: // two computed operands, often of one shape, or twice the same
		y := r.pick()
		for _, v := range r.values {
			if r.coin() && sameShape(v, x) {
				y = v
			}
		}
		if r.rng.IntN(8) == 0 {
			y = x
		}
		if r.exact[x] && r.coin() { // a condition that all backends see alike
			r.clamp(r.add(backend.Where{}, false, x, y, r.pick()))
			return
		}
		fn := []backend.BinaryKind{backend.Add, backend.Add, backend.Sub, backend.Mul, backend.PRelu, backend.Maximum, backend.Minimum}[r.rng.IntN(7)]
		r.clamp(r.add(backend.Binary{Fn: fn}, false, x, y))
	case kind == 24 && rank > 0: // a constant of the channels, of all, or of one number
		full := r.rng.IntN(3) == 0 // the shape of x, so that a sum may be a residual
		shape := make([]int, 1+r.rng.IntN(rank))
		if full {
			shape = make([]int, rank)
		}
		for i := range shape {
			shape[i] = 1
			if d := x.shape[rank-len(shape)+i]; r.rng.IntN(3) == 0 || full {
				if n, ok := d.Size(); ok && n < 300 {
					shape[i] = n
				}
			}
		}
		k := r.positive(name+".k", shape...)
		if r.rng.IntN(4) == 0 {
			k = r.values1(name+".one", shape)
		}
		in := []*Value{x, k}
		fn := backend.BinaryKind(r.upTo(4))
		if fn != backend.Div && r.coin() {
			slices.Reverse(in)
		}
		r.clamp(r.add(backend.Binary{Fn: fn}, false, in...))
	case kind == 25:
		in := []*Value{x}
		for range r.upTo(2) {
			in = append(in, r.pick())
		}
		axis := 0
		if rank > 0 {
			axis = r.rng.IntN(rank)
		}
		for i, v := range in { // those that fit
			if _, err := (backend.Concat{Axis: axis, Inputs: 2}).Infer([]backend.TensorDesc{x.desc(s), v.desc(v.sizes[0])}); err != nil {
				in[i] = x
			}
		}
		r.add(backend.Concat{Axis: axis, Inputs: len(in)}, true, in...)
	case kind == 26 && rank > 1:
		perm := r.rng.Perm(rank)
		if r.coin() {
			perm = []int{0}
			for _, p := range r.rng.Perm(rank - 1) {
				perm = append(perm, p+1)
			}
		}
		n := r.add(backend.Transpose{Perm: perm}, true, x)
		if n != nil && r.coin() { // and back, over an activation
			back := make([]int, rank)
			for i, p := range perm {
				back[p] = i
			}
			if r.coin() {
				n = r.add(backend.Activation{}, true, n.out[0])
			}
			r.add(backend.Transpose{Perm: back}, true, n.out[0])
		}
	case kind <= 28 && rank > 0:
		shapes := [][]int{{0, -1}, {-1}, {0, -1, 2}, {0, 2, -1, 2}, {0, 1, -1}, {0, -1, 1, 1}, {0, 0, -1}, {0, 0, -1, 1}, {-1, 4}}
		var op backend.Op = backend.Reshape{Shape: shapes[r.rng.IntN(len(shapes))]}
		if r.rng.IntN(3) == 0 {
			op = backend.Flatten{Axis: r.upTo(rank)}
		}
		r.add(op, true, x)
	case kind == 29:
		r.add([]backend.Op{Identity{}, Dropout{Rate: 0.5}}[r.upTo(1)], true, x)
	case kind <= 31 && rank > 0: // a part, and often a part of that
		for range 1 + r.upTo(1) {
			op := backend.Slice{}
			for d, n := range x.sizes[0] {
				_, static := x.shape[d].Size()
				start, end, step := 0, backend.SliceEnd, []int{1, 2, -1, -2}[r.upTo(3)]
				switch at := r.rng.IntN(5); {
				case at == 0 && static && n > 0:
					start, end = r.rng.IntN(n), 1+r.rng.IntN(n)
				case at == 1:
					start, end = r.upTo(2), backend.SliceEnd-r.upTo(2)
				case at > 2:
					step = 1
				}
				if step < 0 && (!static || start < end) {
					start, end = max(end-1, backend.SliceEnd-1)-r.upTo(1), start-1
				}
				op.Starts, op.Ends, op.Steps = append(op.Starts, start), append(op.Ends, end), append(op.Steps, step)
			}
			n := r.add(op, true, x)
			if n == nil {
				return
			}
			x = n.out[0]
		}
	case kind == 32: // beside what it was, or not
		op := backend.Expand{Shape: r.list(rank, 1, 1)}
		for d, n := range s {
			if _, static := x.shape[d].Size(); static && r.coin() {
				if op.Shape[d] = n; n == 1 {
					op.Shape[d] = 1 + r.upTo(3)
				}
			}
		}
		if rank < 6 && r.rng.IntN(4) == 0 {
			op.Shape = append([]int{2}, op.Shape...)
		}
		if n := r.add(op, true, x); n != nil && r.coin() {
			r.clamp(r.add(backend.Binary{}, false, n.out[0], r.pick()))
		}
	case kind == 33 && rank > 0:
		op := backend.Tile{Repeats: r.list(rank, 1, 1)}
		op.Repeats[r.rng.IntN(rank)] = 1 + r.upTo(2)
		r.add(op, true, x)
	case kind <= 35 && rank > 0:
		axis := r.rng.IntN(rank)
		n, static := x.shape[axis].Size()
		if !static || n == 0 {
			return
		}
		if r.coin() {
			shape := r.list(r.upTo(2), 1, 3)
			r.add(backend.Gather{Axis: axis - []int{0, rank}[r.upTo(1)]}, true, x, r.index(name+".index", -n, n-1, shape...))
			return
		}
		m, terms := 1+r.upTo(5), 1+r.upTo(4)
		r.add(backend.Resample{Axis: axis}, false, x, r.index(name+".index", -1, n, m, terms), r.small(name+".weight", terms, m, terms))
	case kind == 36 && image && r.exact[x]: // there and back
		size, static := x.shape[2:].Static()
		n := r.add(backend.MaxPool{Window: r.window(spatial), Indices: true}, true, x)
		if n != nil && static {
			r.add(backend.MaxUnpool{Size: size}, true, n.out...)
		}
	case kind <= 38: // of all pixels, of some dims, or of all
		op := backend.Reduce{Fn: backend.ReduceKind(r.upTo(int(backend.ReduceMin))), KeepDims: r.coin()}
		for d := range rank {
			if d > 1 || r.rng.IntN(3) == 0 {
				op.Axes = append(op.Axes, d-r.upTo(1)*rank)
			}
		}
		r.clamp(r.add(op, false, x))
	case kind == 39 && rank > 0 && r.exact[x]: // what a rounding decides could be anything
		axis := r.rng.IntN(rank)
		n := r.add(backend.ArgMax{Axis: axis, Min: r.coin(), Last: r.coin(), KeepDims: r.coin()}, true, x)
		if n != nil && rank < 6 {
			r.add(backend.OneHot{Axis: r.upTo(len(n.out[0].shape)), Depth: s[axis]}, true, n.out[0])
		}
	case kind == 40 && rank > 0 && r.exact[x]:
		axis := r.rng.IntN(rank)
		r.add(backend.TopK{K: r.upTo(s[axis]), Axis: axis - r.upTo(1)*rank, Smallest: r.coin()}, true, x)
	}
}

// index makes a constant of integers from lo to hi.
func (r *anyNet) index(name string, lo, hi int, shape ...int) *Value {
	v := make([]int32, tensor.Shape(shape).Size())
	for i := range v {
		v[i] = int32(lo + r.upTo(hi-lo))
	}
	c, err := r.g.Const(name, tensor.Must(tensor.From(v, shape...)))
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// values1 is a constant of ones.
func (r *anyNet) values1(name string, shape []int) *Value { return r.builder.values(name, shape, 1) }

func makeAnyNet(t *testing.T, ref backend.Backend, seed uint64) *anyNet {
	r := &anyNet{builder: newBuilder(t, fmt.Sprintf("any %d", seed), seed), exact: map[*Value]bool{}, kinds: map[string]int{}, ref: ref}
	spatial := [][]Dim{{Static(6), Static(5)}, {Symbol("H"), Symbol("W")}, {Static(7)}, {Static(3), Static(4), Static(3)}}[r.rng.IntN(8)%5%4]
	r.values = append(r.values, r.input("x", append(Shape{[]Dim{Symbol("N"), Static(1), Static(2)}[r.upTo(2)], Static(1 + r.upTo(5))}, spatial...)))
	if r.coin() {
		r.values = append(r.values, r.input("z", r.values[0].shape))
	}
	if r.rng.IntN(3) == 0 {
		r.values = append(r.values, r.input("m", Shape{r.values[0].shape[0], Static(4)}))
	}
	for _, v := range r.values {
		r.exact[v] = true
	}
	if r.rng.IntN(3) == 0 { // computed of constants alone
		r.add(backend.Reshape{Shape: []int{1, -1, 1, 1}}, true, r.small("k", 1, 4))
	}
	for i := range 24 {
		r.step(i)
	}
	for i, v := range r.values {
		if i == len(r.values)-1 || r.rng.IntN(5) == 0 {
			r.out(fmt.Sprintf("out%d", i), v)
		}
	}
	if r.coin() { // one value twice
		r.out("again", r.values[len(r.values)-1])
	}
	return r
}

// inputs makes small integers for the inputs.
func (r *anyNet) inputs(sizes map[string]int) map[string]*tensor.Tensor {
	in := map[string]*tensor.Tensor{}
	for _, v := range r.g.inputs {
		t := randomInput(v, sizes, r.rng, true)
		for i, f := range t.Float32s() {
			t.Float32s()[i] = f / 4
		}
		in[v.name] = t
	}
	return in
}

// compileAnyNet compiles r for be with all passes, or, as the seed says, with all but
// one, and compares runs with the nodes on the reference backend, one by one. It
// returns how many runs there were.
func compileAnyNet(t *testing.T, r *anyNet, be backend.Backend, seed uint64) (ran int) {
	t.Helper()
	options := []CompileOption{WithPasses()}
	switch seed % 4 {
	case 1:
		options = append(options, WithPasses(WithFoldCap(2)))
	case 2:
		options = append(options, WithPasses(WithoutPass("identity")))
	case 3:
		options = append(options, WithPasses(WithoutPass(PassNames()[r.rng.IntN(len(passes))])))
	}
	live := be.Live()
	m, err := Compile(context.Background(), r.g, be, options...)
	if err != nil {
		t.Fatalf("seed %d on %s: %v\n%s", seed, be.Name(), err, r.g)
	}
	checkGraph(t, m.g)
	for _, batch := range []int{2, 1, 3, 0} {
		in := r.inputs(map[string]int{"N": batch, "H": 5 + batch, "W": 1 + 2*batch})
		want, err := tryInterpret(r.ref, r.g, in)
		if err != nil {
			continue // the sizes do not suit the network
		}
		var args []*tensor.Tensor
		for _, v := range r.g.inputs {
			args = append(args, in[v.name])
		}
		got, err := m.Run(context.Background(), args...)
		if errors.Is(err, errors.ErrUnsupported) {
			break
		}
		if err != nil {
			t.Errorf("seed %d on %s, batch %d: %v\n%s\n%s", seed, be.Name(), batch, err, r.g, m.g)
			break
		}
		ran++
		for i := range want {
			if diff := difference(got[i], want[i], 1e-4); diff != "" {
				t.Errorf("seed %d on %s, batch %d: output %s: %s\n%s\n%s", seed, be.Name(), batch, r.g.outputs[i].Name, diff, r.g, m.g)
				break
			}
		}
		if t.Failed() {
			break
		}
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if l := be.Live(); l != live {
		t.Errorf("seed %d: %s is left with %+v, it had %+v", seed, be.Name(), l, live)
	}
	return ran
}

// Networks of all ops compute the same when compiled as node by node on the
// reference backend, with passes and without, also for an empty batch, and nothing
// stays open.
func TestCompileNetworksOfAllOps(t *testing.T) {
	ref := openRef(t)
	cpu, err := backend.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cpu.Close(); err != nil {
			t.Error(err)
		}
	}()
	seeds := uint64(150)
	kinds := map[string]int{}
	ran := map[string]int{}
	for seed := range seeds {
		r := makeAnyNet(t, ref, seed)
		for k, n := range r.kinds {
			kinds[k] += n
		}
		for _, be := range []backend.Backend{cpu, ref, fussy{ref, seed}} {
			if ran[be.Name()] += compileAnyNet(t, r, be, seed); t.Failed() {
				return
			}
		}
	}
	t.Log(kinds, ran)
	for _, op := range []backend.Op{backend.Conv{}, backend.ConvTranspose{}, backend.Dense{}, backend.MatMul{}, backend.MaxPool{}, backend.AvgPool{}, backend.GlobalPool{}, backend.AdaptivePool{}, backend.Resize{}, backend.Pad{}, backend.BatchNorm{}, backend.GroupNorm{}, backend.InstanceNorm{}, backend.LayerNorm{}, backend.LRN{}, backend.Softmax{}, backend.Activation{}, backend.Binary{}, backend.Where{}, backend.Concat{}, backend.Transpose{}, backend.Reduce{}, backend.ArgMax{}, backend.TopK{}, backend.OneHot{}, backend.Slice{}, backend.Expand{}, backend.Tile{}, backend.Gather{}, backend.Resample{}, backend.MaxUnpool{}, backend.Reshape{}, backend.Flatten{}, Identity{}, Dropout{}} {
		if kinds[op.Kind()] < 5 && kinds["no "+op.Kind()] == 0 {
			t.Errorf("%d nodes %s only", kinds[op.Kind()], op.Kind())
		}
	}
	for _, name := range []string{"cpu", "ref", "fussy"} {
		if n := ran[name]; n < int(seeds) {
			t.Errorf("%d runs on %s only", n, name)
		}
	}
}

// The same on OpenGL, on each family of kernels in turn. Most of the time goes into
// compiling shaders, so there are fewer networks.
func TestCompileNetworksOfAllOpsOnGL(t *testing.T) {
	ref := openRef(t)
	var gl []backend.Backend
	for _, family := range []string{"texel", "tiled"} {
		be, err := backend.Open("gl", backend.WithVariant(family), backend.WithDebug())
		var none *backend.UnavailableError
		if errors.As(err, &none) && os.Getenv("CONVGL_REQUIRE_GL") != "1" {
			t.Skipf("no OpenGL: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := be.Close(); err != nil {
				t.Error(err)
			}
		}()
		gl = append(gl, be)
	}
	seeds := uint64(12)
	if testing.Short() || RaceEnabled {
		seeds = 2
	}
	ran := 0
	for i := range seeds {
		seed := 1000 + i
		if ran += compileAnyNet(t, makeAnyNet(t, ref, seed), gl[i/4%2], seed); t.Failed() {
			return
		}
	}
	if ran < int(seeds) {
		t.Errorf("%d runs only", ran)
	}
}

// fussy is the reference backend with a preferred layout that pads, and of each kind
// of op, as the seed says, with kernels for the plain layout, the preferred one,
// both, or both mixed.
type fussy struct {
	backend.Backend
	seed uint64
}

func (fussy) Name() string { return "fussy" }

func (f fussy) Caps() backend.Caps {
	c := f.Backend.Caps()
	c.Layouts = []backend.Layout{backend.ChannelsLast4, backend.Plain}
	return c
}

func (f fussy) Algorithms(d backend.Desc) []string {
	if !f.takes(d) {
		return nil
	}
	return f.Backend.Algorithms(d)
}

func (f fussy) Prepare(ctx context.Context, d backend.Desc) (backend.Kernel, error) {
	if !f.takes(d) {
		return nil, fmt.Errorf("%s was not to be prepared for %v to %v", d.Op.Kind(), d.In, d.Out)
	}
	return f.Backend.Prepare(ctx, d)
}

func (f fussy) takes(d backend.Desc) bool {
	if _, ok := d.Op.(backend.Reorder); ok {
		return true
	}
	h := fnv.New64a()
	fmt.Fprint(h, f.seed, d.Op.Kind())
	kind := h.Sum64() >> 20 % 4
	var plain, preferred bool
	for _, td := range slices.Concat(d.In, d.Out) {
		image := len(td.Shape) > 2 && td.Layout != backend.Any
		plain = plain || image && td.Layout == backend.Plain
		preferred = preferred || image && td.Layout != backend.Plain
	}
	switch kind {
	case 0:
		return !preferred
	case 1: // computed weights are plain, whatever the images are
		args, _ := d.Op.Args()
		weights := slices.ContainsFunc(args, func(a backend.Arg) bool { return a.Weight })
		return !plain || weights || len(d.Out) == 0
	case 2:
		return !plain || !preferred
	}
	return true
}
