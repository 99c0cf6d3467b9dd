//go:build cgo

package gl

// How to add an op. Activation is the example: shaders/activation.comp is its
// kernel, activation.go its plan, and one line in candidates (prepare.go) leads
// from the op to the plan.
//
// 1. The shader. Sizes are one uniform array u at location 0, so that a dispatch
// sets them with one call (#defines name the elements); float uniforms follow it.
// Inputs are declared by lib/source.glsl, so that one text serves both families:
// with the define USE_TEXEL they are texel buffers, without it storage buffers.
// Outputs are storage buffers. The flat number of an invocation comes from
// lib/invocation.glsl, which undoes the folding of large dispatches. Kernels with a
// design of their own for a family have two files (conv_texel.comp,
// conv_tiled.comp).
//
// 2. The plan: a function that takes a *plan, with the resolved Desc, and
//
//	a. settles the layouts p.in[i].Layout and p.out[i].Layout where they are Any,
//	   and returns p.unsupported(…) for a combination that it has no code for;
//	b. sets p.formats[i], p.workspace, p.inPlace where they apply;
//	c. appends dispatches with p.add(step{…}): shader, defines, bindings, uniforms,
//	   number of workgroups. Several steps run in order, through ranges of the
//	   workspace; barriers between them follow from the bindings.
//
// A plan only decides: it compiles nothing and touches no device, so Algorithms
// can try all of them. What exceeds a limit of the device is found from the
// bindings by the caller of the plan; it then takes the next candidate.
//
// A shader reads numbers that are no uniforms, since they are many, from a table
// (p.table), which the kernel owns.
//
// 3. An empty tensor needs no step: add drops dispatches of no workgroups.

import (
	"context"
	"fmt"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
)

// argument names a buffer of a run: an input, an output or the workspace.
type argument struct {
	kind argumentKind
	i    int
}

type argumentKind uint8

const (
	inArg argumentKind = iota
	outArg
	workArg
	tableArg
)

func input(i int) argument  { return argument{inArg, i} }
func output(i int) argument { return argument{outArg, i} }

var workspace = argument{kind: workArg}

// binding says what a dispatch finds in a slot. Storage buffers and texel views
// have slots of their own.
type binding struct {
	slot int
	arg  argument
	// off and bytes are the range within the argument; 0 bytes mean all of an input
	// or output.
	off, bytes int64
	kind       device.Kind  // ReadStorage, ReadTexels or WriteStorage
	texel      device.Texel // of ReadTexels
	// either lets a ReadTexels become a ReadStorage: the shader declares it with
	// lib/source.glsl.
	either bool
}

// texels binds an input of a shader that declares it as a samplerBuffer.
func texels(slot int, a argument, f device.Texel) binding {
	return binding{slot: slot, arg: a, kind: device.ReadTexels, texel: f}
}

// reads binds an input that is declared with lib/source.glsl: a texel view in the
// texel family, where it fits, and a storage buffer else.
func reads(slot int, a argument, f device.Texel) binding {
	return binding{slot: slot, arg: a, kind: device.ReadTexels, texel: f, either: true}
}

// storage binds an input as a storage buffer.
func storage(slot int, a argument) binding {
	return binding{slot: slot, arg: a, kind: device.ReadStorage}
}

// writes binds an output, which is always a storage buffer.
func writes(slot int, a argument) binding {
	return binding{slot: slot, arg: a, kind: device.WriteStorage}
}

// part restricts a binding to a range of its argument. The offset must be a
// multiple of Backend.align.
func (b binding) part(off, bytes int64) binding {
	b.off, b.bytes = off, bytes
	return b
}

// step is one dispatch of a kernel.
type step struct {
	shader   string
	defines  []shaders.Define
	bind     []binding
	uniforms []uniform
	groups   [3]int // workgroups
	local    [3]int // invocations of one, for the check of limits; 0 is 1
	shared   int    // bytes of shared memory

	prog *device.Program
}

// uniform is an array, or one value, at a location. One of the slices is set.
type uniform struct {
	at     int32
	ints   []int32
	uints  []uint32
	floats []float32
}

// ints are uniforms of type int. Plans have checked that they fit.
func ints(at int32, v ...int) uniform {
	u := uniform{at: at, ints: make([]int32, len(v))}
	for i, x := range v {
		u.ints[i] = int32(x)
	}
	return u
}

// uints are uniforms of type uint.
func uints(at int32, v ...int) uniform {
	u := uniform{at: at, uints: make([]uint32, len(v))}
	for i, x := range v {
		u.uints[i] = uint32(x)
	}
	return u
}

// floats are uniforms of type float.
func floats(at int32, v ...float32) uniform { return uniform{at: at, floats: v} }

// kernel implements backend.Kernel for a list of steps.
type kernel struct {
	be     *Backend
	op     string
	info   backend.KernelInfo
	steps  []step
	tables *device.Buffer // what plan.table made; nil if there is none
	closed atomic.Bool

	mu   sync.Mutex
	free []*run // kept, so that a run allocates nothing
}

// run is one run on its way through the queue.
type run struct {
	k    *kernel
	fn   func(*device.Thread) error
	args []place // inputs, outputs, workspace, tables
	acc  []device.Access
}

// place is where an argument begins.
type place struct {
	mem *device.Buffer
	off int64
}

// Info implements backend.Kernel.
func (k *kernel) Info() *backend.KernelInfo { return &k.info }

// Run implements backend.Kernel. It enqueues one command for all steps.
func (k *kernel) Run(ctx context.Context, a backend.Args) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("gl: %s: not enqueued: %w", k.op, err)
	}
	if k.closed.Load() {
		return fmt.Errorf("gl: %s: kernel: %w", k.op, backend.ErrClosed)
	}
	if err := k.info.CheckArgs(k.op, &a); err != nil {
		return err
	}
	r := k.take()
	if err := r.set(&a); err != nil {
		k.give(r)
		return err
	}
	if err := k.be.dev.Do(r.fn); err != nil {
		k.give(r)
		return err
	}
	return nil
}

// Close implements backend.Kernel. Runs that are enqueued are still done.
func (k *kernel) Close() error {
	if k.closed.Swap(true) {
		return nil
	}
	k.be.DropKernel()
	if k.tables != nil {
		return k.tables.Close()
	}
	return nil
}

func (k *kernel) take() *run {
	k.mu.Lock()
	if n := len(k.free); n > 0 {
		r := k.free[n-1]
		k.free = k.free[:n-1]
		k.mu.Unlock()
		return r
	}
	k.mu.Unlock()
	widest := 0
	for i := range k.steps {
		widest = max(widest, len(k.steps[i].bind))
	}
	r := &run{
		k:    k,
		args: make([]place, len(k.info.In)+len(k.info.Out)+2),
		acc:  make([]device.Access, widest),
	}
	r.fn = r.exec
	return r
}

// give makes a run available again. It forgets the memory.
func (k *kernel) give(r *run) {
	clear(r.args)
	clear(r.acc)
	k.mu.Lock()
	k.free = append(k.free, r)
	k.mu.Unlock()
}

// set takes the buffers of a run, which CheckArgs has accepted.
func (r *run) set(a *backend.Args) error {
	be, op := r.k.be, r.k.op
	to := r.args
	for i, b := range a.In {
		o, err := be.own(op, "in", i, b)
		if err != nil {
			return err
		}
		to[i] = place{o.mem, o.offset}
	}
	to = to[len(a.In):]
	for i, b := range a.Out {
		o, err := be.own(op, "out", i, b)
		if err != nil {
			return err
		}
		to[i] = place{o.mem, o.offset}
	}
	if r.k.info.Workspace > 0 {
		o, err := be.own(op, "workspace", 0, a.Workspace)
		if err != nil {
			return err
		}
		to[len(a.Out)] = place{o.mem, o.offset}
	}
	to[len(a.Out)+1] = place{r.k.tables, 0}
	return nil
}

// at returns the range of a run's memory that a binding names.
func (r *run) at(b *binding) device.Range {
	i := b.arg.i
	switch b.arg.kind {
	case outArg:
		i += len(r.k.info.In)
	case workArg:
		i = len(r.args) - 2
	case tableArg:
		i = len(r.args) - 1
	}
	p := r.args[i]
	return p.mem.Range(p.off+b.off, b.bytes)
}

// exec dispatches the steps, on the device's thread.
func (r *run) exec(t *device.Thread) error {
	defer r.k.give(r)
	for i := range r.k.steps {
		if err := r.dispatch(t, &r.k.steps[i]); err != nil {
			return fmt.Errorf("gl: %s: %s: %w", r.k.op, r.k.steps[i].prog.Name(), err)
		}
	}
	return nil
}

func (r *run) dispatch(t *device.Thread, s *step) error {
	acc := r.acc[:len(s.bind)]
	for i := range s.bind {
		acc[i] = device.Access{Range: r.at(&s.bind[i]), Kind: s.bind[i].kind}
	}
	t.Access(acc...)
	for i := range s.bind {
		b := &s.bind[i]
		var err error
		if b.kind == device.ReadTexels {
			err = t.BindTexels(b.slot, acc[i].Range, b.texel)
		} else {
			err = t.BindStorage(b.slot, acc[i].Range)
		}
		if err != nil {
			return err
		}
	}
	t.Use(s.prog)
	for i := range s.uniforms {
		u := &s.uniforms[i]
		switch {
		case u.ints != nil:
			t.Ints(u.at, u.ints...)
		case u.uints != nil:
			t.Uints(u.at, u.uints...)
		case u.floats != nil:
			t.Floats(u.at, u.floats...)
		}
	}
	return t.Dispatch(s.prog, s.groups[0], s.groups[1], s.groups[2])
}

// local is the usual number of invocations of a workgroup: the define LOCAL.
const local = 64

// flat sets a step's workgroups and the define LOCAL for n invocations in one
// dim, folded over two where one would exceed the limit of workgroups. The shader
// finds its number by lib/invocation.glsl, and must check it against n.
func (be *Backend) flat(s *step, n int) {
	s.groups = be.folded(ceilDiv(n, local))
	s.local = [3]int{local, 1, 1}
	s.defines = append(s.defines, shaders.Int("LOCAL", local))
}

// folded returns so many workgroups, in rows where one dim has a limit.
func (be *Backend) folded(groups int) [3]int {
	limit := be.limits.GroupCount[0]
	if groups <= limit {
		return [3]int{groups, 1, 1}
	}
	rows := ceilDiv(groups, limit)
	return [3]int{ceilDiv(groups, rows), rows, 1}
}

// divisor returns m and s of lib/divide.glsl for a division by d, 1 ≤ d < 2³¹.
func divisor(d int) (m, s int) {
	s = bits.Len(uint(d - 1))
	return ((1<<s-d)<<32)/d + 1, s
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

func roundUp(a, b int) int { return ceilDiv(a, b) * b }
