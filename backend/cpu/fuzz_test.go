package cpu

import (
	"testing"

	"github.com/convgl/convgl/backend"
)

// FuzzConv compares convolutions of any small geometry with the reference, both
// algorithms, packed weights and not. A window that the contract refuses must be
// refused by both.
func FuzzConv(f *testing.F) {
	f.Add([]byte{1, 3, 9, 9, 5, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0})
	f.Add([]byte{2, 4, 5, 12, 4, 1, 5, 2, 3, 1, 2, 0, 4, 2, 0, 3, 1})
	f.Add([]byte{3, 1, 1, 1, 9, 4, 4, 1, 1, 3, 3, 9, 9, 9, 9, 0, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 17 {
			return
		}
		v := func(i, n int) int { return int(b[i]) % n }
		groups := v(15, 4) + 1
		op := backend.Conv{Groups: groups, Bias: b[16]&1 != 0, Window: backend.Window{
			Strides: []int{v(7, 4), v(8, 4) + 1}, Dilations: []int{v(9, 4) + 1, v(10, 4) + 1}, Pads: []int{v(11, 10), v(12, 10), v(13, 10), v(14, 10)}}}
		cin := v(1, 20)
		x, w := backend.F32(v(0, 3), cin*groups, v(2, 20), v(3, 20)), backend.F32((v(4, 20)+1)*groups, cin, v(5, 6), v(6, 6))
		if b[16]&2 != 0 {
			x.Layout = cl4
		}
		w.Const = b[16]&4 != 0
		d := backend.Desc{Op: op, In: []backend.TensorDesc{x, w}}
		if op.Bias {
			d.In = append(d.In, backend.F32(w.Shape[0]))
		}
		agree(t, d)
	})
}

// FuzzConvTranspose does the same with transposed convolutions.
func FuzzConvTranspose(f *testing.F) {
	f.Add([]byte{1, 3, 4, 4, 5, 4, 4, 2, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0})
	f.Add([]byte{2, 4, 5, 12, 4, 1, 5, 3, 4, 1, 2, 0, 4, 2, 0, 3, 1, 1, 2})
	f.Add([]byte{1, 1, 3, 3, 1, 4, 4, 4, 6, 3, 5, 0, 1, 2, 0, 3, 4, 3, 4})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 19 {
			return
		}
		v := func(i, n int) int { return int(b[i]) % n }
		groups := v(15, 4) + 1
		op := backend.ConvTranspose{Groups: groups, Bias: b[16]&1 != 0, OutputPadding: []int{v(17, 7), v(18, 7)}, Window: backend.Window{
			Strides: []int{v(7, 7), v(8, 6) + 1}, Dilations: []int{v(9, 6) + 1, v(10, 6) + 1}, Pads: []int{v(11, 10), v(12, 10), v(13, 10), v(14, 10)}}}
		cin := v(1, 20)
		x, w := backend.F32(v(0, 3), cin*groups, v(2, 12), v(3, 12)), backend.F32(cin*groups, v(4, 20)+1, v(5, 6), v(6, 6))
		if b[16]&2 != 0 {
			x.Layout = cl4
		}
		w.Const = b[16]&4 != 0
		d := backend.Desc{Op: op, In: []backend.TensorDesc{x, w}}
		if op.Bias {
			d.In = append(d.In, backend.F32(w.Shape[1]*groups))
		}
		agree(t, d)
	})
}

// agree holds all algorithms for d against the reference.
func agree(t *testing.T, d backend.Desc) {
	t.Helper()
	ins := inputs(1, d)
	want, err := backend.RunDesc(ctx, open(t, "ref"), plainDesc(d), ins...)
	be := open(t, "cpu", backend.WithThreads(2))
	if err != nil {
		if k, err2 := be.Prepare(ctx, d); err2 == nil {
			k.Close()
			t.Fatalf("%+v %v: the reference refuses it (%v), cpu does not", d.Op, d.In, err)
		}
		return
	}
	for _, alg := range be.Algorithms(d) {
		d.Algorithm = alg
		if y := poisonedRun(t, be, d, ins); !same(t, y[0], want[0]) {
			t.Fatalf("%s: %+v %v", alg, d.Op, d.In)
		}
	}
}
