package backendtest

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// poison is what outputs, workspaces and everything between buffers hold before a
// run: a NaN with a payload of its own, so that what was never written and what
// was computed from it are both seen.
const poison = 0x7FC5A5A5

// guard is the least number of poisoned bytes on each side of a buffer.
const guard = 64

// arena is one allocation that holds all buffers of a run at offsets that are
// multiples of Caps.OffsetAlign, with canaries between them.
type arena struct {
	be      backend.Backend
	whole   backend.Buffer
	before  []byte   // what it holds before the run
	regions []region // in order
	end     int64
	align   int64
}

// region is a buffer in an arena.
type region struct {
	what          string
	offset, bytes int64
	written       bool // by the run
	buf           backend.Buffer
}

func newArena(be backend.Backend) *arena {
	align := max(be.Caps().OffsetAlign, 1)
	for align%4 != 0 { // values are read as 4 bytes
		align *= 2
	}
	return &arena{be: be, align: align, end: (guard + align - 1) / align * align}
}

// add reserves a buffer and returns its number.
func (a *arena) add(what string, bytes int64, written bool) int {
	a.regions = append(a.regions, region{what: what, offset: a.end, bytes: bytes, written: written})
	a.end = (a.end + bytes + guard + a.align - 1) / a.align * a.align
	return len(a.regions) - 1
}

// open allocates. All of it is poison.
func (a *arena) open() error {
	a.before = make([]byte, a.end)
	for i := 0; i+4 <= len(a.before); i += 4 {
		binary.NativeEndian.PutUint32(a.before[i:], poison)
	}
	var err error
	if a.whole, err = a.be.Alloc(a.end); err != nil {
		return err
	}
	for i := range a.regions {
		g := &a.regions[i]
		if g.buf, err = a.whole.Slice(g.offset, g.bytes); err != nil {
			return fmt.Errorf("slice for %s: %w", g.what, err)
		}
		if g.buf.Bytes() != g.bytes {
			return fmt.Errorf("slice for %s: got %d bytes, want %d", g.what, g.buf.Bytes(), g.bytes)
		}
	}
	return nil
}

// set gives a region its content before the run.
func (a *arena) set(i int, content []byte) { copy(a.before[a.regions[i].offset:], content) }

// upload writes the whole arena.
func (a *arena) upload() error { return a.be.Write(ctx, a.whole, a.before) }

// download reads the whole arena and fails when the run wrote where it must not.
func (a *arena) download() ([]byte, error) {
	after := make([]byte, a.end)
	if err := a.be.Read(ctx, after, a.whole); err != nil {
		return nil, err
	}
	last := "the start"
	from := int64(0)
	for _, g := range append(a.regions, region{what: "the end", offset: a.end}) {
		if at := differs(a.before[from:g.offset], after[from:g.offset]); at >= 0 {
			return nil, fmt.Errorf("canary overwritten between %s and %s: byte %d of %d after %s", last, g.what, at, g.offset-from, last)
		}
		if !g.written {
			if at := differs(a.before[g.offset:g.offset+g.bytes], after[g.offset:g.offset+g.bytes]); at >= 0 {
				return nil, fmt.Errorf("%s was changed: byte %d of %d", g.what, at, g.bytes)
			}
		}
		last, from = g.what, g.offset+g.bytes
	}
	return after, nil
}

// differs returns the first byte that differs, or −1.
func differs(a, b []byte) int {
	if bytes.Equal(a, b) {
		return -1
	}
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return -1
}

// store returns the bytes of t in the layout of d. It does not use the backend's
// Reorder, which is under test too.
func store(t *tensor.Tensor, d backend.TensorDesc) []byte {
	dst, src := make([]byte, d.Bytes()), t.Bytes()
	n := t.DType().Size()
	eachPlace(d, func(i, at int) { copy(dst[at*n:][:n], src[i*n:]) })
	return dst
}

// load returns the tensor that d describes in mem. It fails when a padded lane is
// not 0 or an element still holds the poison.
func load(mem []byte, d backend.TensorDesc) (*tensor.Tensor, error) {
	t, err := tensor.New(d.DType, d.Shape...)
	if err != nil {
		return nil, err
	}
	n := d.DType.Size()
	dst := t.Bytes()
	used := make([]bool, len(mem)/n)
	unwritten := -1
	eachPlace(d, func(i, at int) {
		copy(dst[i*n:], mem[at*n:][:n])
		used[at] = true
		if n == 4 && binary.NativeEndian.Uint32(mem[at*n:]) == poison && unwritten < 0 {
			unwritten = i
		}
	})
	if unwritten >= 0 {
		return nil, fmt.Errorf("element %d of %v was not written, or computed from what was not", unwritten, d)
	}
	for at, u := range used {
		for _, b := range mem[at*n : at*n+n] {
			if !u && b != 0 {
				return nil, fmt.Errorf("padded lane at element %d of %v in memory is % x, want 0", at, d, mem[at*n:at*n+n])
			}
		}
	}
	return t, nil
}

// eachPlace calls f with the number of each element in row-major logical order and
// where it lies in memory.
func eachPlace(d backend.TensorDesc, f func(i, at int)) {
	strides := d.Layout.Strides(d.Shape)
	coord := make([]int, len(d.Shape))
	at := 0
	for i := range d.Shape.Size() {
		f(i, at)
		for k := len(coord) - 1; k >= 0; k-- {
			coord[k]++
			at += strides[k]
			if coord[k] < d.Shape[k] {
				break
			}
			at -= coord[k] * strides[k]
			coord[k] = 0
		}
	}
}

// execute runs k once in an arena and returns its outputs.
func execute(be backend.Backend, k backend.Kernel, in []*tensor.Tensor) (out []*tensor.Tensor, err error) {
	return executeInPlace(be, k, in, -1)
}

// executeInPlace is execute with the buffer of input shared as output 0, unless
// that is negative.
func executeInPlace(be backend.Backend, k backend.Kernel, in []*tensor.Tensor, shared int) (out []*tensor.Tensor, err error) {
	info := k.Info()
	a := newArena(be)
	var args backend.Args
	var packed []backend.Buffer
	defer func() {
		for _, b := range append(packed, a.whole) {
			if b == nil {
				continue
			}
			if e := b.Close(); err == nil {
				err = e
			}
		}
	}()
	ins, outs := make([]int, len(info.In)), make([]int, len(info.Out))
	for i := range info.In {
		ins[i] = -1
		if info.Formats[i] == nil {
			ins[i] = a.add(fmt.Sprintf("input %d", i), info.InBytes(i), i == shared)
		}
	}
	for i := range info.Out {
		if i == 0 && shared >= 0 {
			outs[i] = ins[shared]
			continue
		}
		outs[i] = a.add(fmt.Sprintf("output %d", i), info.OutBytes(i), true)
	}
	workspace := -1
	if info.Workspace > 0 {
		workspace = a.add("workspace", info.Workspace, true)
	}
	if err := a.open(); err != nil {
		return nil, err
	}
	for i, t := range in {
		if f := info.Formats[i]; f != nil {
			b, err := be.Pack(ctx, t, info.In[i], f)
			if err != nil {
				return nil, fmt.Errorf("pack input %d as %v: %w", i, f, err)
			}
			packed = append(packed, b)
			if b.Bytes() < f.Bytes() {
				return nil, fmt.Errorf("pack input %d as %v: got %d bytes, want %d", i, f, b.Bytes(), f.Bytes())
			}
			args.In = append(args.In, b)
			continue
		}
		a.set(ins[i], store(t, info.In[i]))
		args.In = append(args.In, a.regions[ins[i]].buf)
	}
	for _, i := range outs {
		args.Out = append(args.Out, a.regions[i].buf)
	}
	if workspace >= 0 {
		args.Workspace = a.regions[workspace].buf
	}
	if err := a.upload(); err != nil {
		return nil, err
	}
	if err := k.Run(ctx, args); err != nil {
		return nil, err
	}
	after, err := a.download()
	if err != nil {
		return nil, err
	}
	for i, g := range outs {
		r := a.regions[g]
		t, err := load(after[r.offset:r.offset+r.bytes], info.Out[i])
		if err != nil {
			return nil, fmt.Errorf("output %d: %w", i, err)
		}
		out = append(out, t)
	}
	return out, nil
}

// memory tests what the arena, which all other cases run in, does not: whole
// allocations, buffers that are larger than needed, sizes that are a multiple of a
// page, and outputs in place of inputs.
func memory(s *suite, r reporter, family string) {
	image := func(n, c, h, w int) backend.TensorDesc { return backend.F32(n, c, h, w) }
	page := []problem{
		{name: "relu-page", d: desc(backend.Activation{}, image(1, 16, 8, 8))},
		{name: "relu-pages", d: desc(backend.Activation{}, image(2, 32, 16, 16))},
		{name: "add-page", d: desc(backend.Binary{}, image(1, 4, 16, 16), image(1, 4, 16, 16))},
		{name: "conv-page", d: desc(backend.Conv{Window: backend.Window{Pads: []int{1, 1, 1, 1}}}, image(1, 16, 8, 8), image(16, 16, 3, 3))},
		{name: "maxpool-page", d: desc(backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2}, Strides: []int{2, 2}}, Indices: true}, image(1, 16, 16, 16))},
		{name: "dense-page", d: desc(backend.Dense{}, backend.F32(16, 64), backend.F32(64, 64))},
		{name: "softmax-page", d: desc(backend.Softmax{Axis: 1}, backend.F32(8, 128))},
		{name: "instancenorm-page", d: desc(backend.InstanceNorm{Epsilon: 1e-5}, image(1, 4, 16, 16), backend.F32(4), backend.F32(4))},
		{name: "layernorm-page", d: desc(backend.LayerNorm{Axis: 1, Epsilon: 1e-5}, backend.F32(1, 1024), backend.F32(1024), backend.F32(1024))},
		{name: "lrn-page", d: desc(backend.LRN{Size: 5, Alpha: 1, Beta: 0.75, K: 1}, image(1, 16, 8, 8))},
		{name: "reorder-page", d: desc(backend.Reorder{}, image(1, 4, 16, 16)), layouts: true},
	}
	problems(func(bool) []problem { return page })(s, r, family)

	for _, p := range page {
		s.test(r, family, p.name+"-whole", func(r reporter) {
			d := p.d
			in := s.inputs(r, d, check.Exact)
			want, ok := s.calc(r, family, p.name, d, in)
			if !ok {
				return
			}
			// RunDesc takes an allocation for each buffer and converts on the device.
			got, err := backend.RunDesc(ctx, s.be, d, in...)
			if err != nil {
				r.Fatalf("%s: %v", show(d), err)
			}
			same(r, "in whole allocations: "+show(d), got, want)
			s.oversized(r, d, in, want)
		})
		s.test(r, family, p.name+"-inplace", func(r reporter) { s.inPlace(r, family, p.name, p.d) })
	}
}

// oversized runs d with buffers that are larger than it needs.
func (s *suite) oversized(r reporter, d backend.Desc, in, want []*tensor.Tensor) {
	k, err := s.be.Prepare(ctx, d)
	if err != nil {
		r.Fatalf("%s: %v", show(d), err)
	}
	defer closing(r, k)
	info := k.Info()
	alloc := func(n int64) backend.Buffer {
		b, err := s.be.Alloc(n + 1000)
		if err != nil {
			r.Fatalf("alloc: %v", err)
		}
		return b
	}
	var args backend.Args
	for i, t := range in {
		var b backend.Buffer
		if f := info.Formats[i]; f != nil {
			if b, err = s.be.Pack(ctx, t, info.In[i], f); err != nil {
				r.Fatalf("pack: %v", err)
			}
		} else {
			b = alloc(info.InBytes(i))
			if err := s.be.Write(ctx, b, store(t, info.In[i])); err != nil {
				r.Fatalf("write: %v", err)
			}
		}
		defer closing(r, b)
		args.In = append(args.In, b)
	}
	for i := range info.Out {
		b := alloc(info.OutBytes(i))
		defer closing(r, b)
		args.Out = append(args.Out, b)
	}
	if info.Workspace > 0 {
		args.Workspace = alloc(info.Workspace)
		defer closing(r, args.Workspace)
	}
	if err := k.Run(ctx, args); err != nil {
		r.Fatalf("with larger buffers: %s: %v", show(d), err)
	}
	var got []*tensor.Tensor
	for i, b := range args.Out {
		mem := make([]byte, info.OutBytes(i))
		if err := s.be.Read(ctx, mem, b); err != nil {
			r.Fatalf("read: %v", err)
		}
		t, err := load(mem, info.Out[i])
		if err != nil {
			r.Fatalf("with larger buffers: %s: %v", show(d), err)
		}
		got = append(got, t)
	}
	same(r, "with larger buffers: "+show(d), got, want)
}

// inPlace runs d with each input that the kernel lists as its output.
func (s *suite) inPlace(r reporter, family, name string, d backend.Desc) {
	k, err := s.be.Prepare(ctx, d)
	if err != nil {
		s.unsupported(r, family, name, err)
		return
	}
	defer closing(r, k)
	in := s.inputs(r, d, check.Normal)
	want, err := execute(s.be, k, in)
	if err != nil {
		r.Fatalf("%s: %v", show(d), err)
	}
	for _, i := range k.Info().InPlace {
		s.tally(family).runs++
		got, err := executeInPlace(s.be, k, in, i)
		if err != nil {
			r.Errorf("output in place of input %d: %s: %v", i, show(d), err)
			continue
		}
		same(r, fmt.Sprintf("output in place of input %d: %s", i, show(d)), got, want)
	}
}
