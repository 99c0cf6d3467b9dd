package backend

import "testing"

func TestMultiplyAdds(t *testing.T) {
	epilogue := Epilogue{{Kind: Activate}}
	for _, c := range []struct {
		op   Op
		in   []TensorDesc
		want int64
	}{
		{Conv{Bias: true, Epilogue: epilogue}, descs(shape{2, 4, 5, 5}, shape{6, 4, 3, 3}, shape{6}), 2 * 6 * 9 * 4 * 9},
		{ConvTranspose{Bias: true, Groups: 2}, descs(shape{2, 4, 5}, shape{4, 3, 2}, shape{6}), 2 * 4 * 5 * 3 * 2},
		{Dense{Bias: true, Epilogue: epilogue}, descs(shape{2, 7}, shape{3, 7}, shape{3}), 2 * 7 * 3},
		{MatMul{}, descs(shape{5, 2, 7}, shape{7, 3}), 5 * 2 * 7 * 3},
		{Activation{Act{Kind: Relu}}, descs(shape{5}), 0},
	} {
		d, err := Desc{Op: c.op, In: c.in}.Resolve()
		if err != nil {
			t.Fatal(err)
		}
		if got := MultiplyAdds(d.Op, d.In, d.Out); got != c.want {
			t.Errorf("%s: got %d, want %d", c.op.Kind(), got, c.want)
		}
	}
}
