package tensor

import "fmt"

// HWCToNCHW converts pictures to the library's order: [H,W,C] becomes
// [1,C,H,W], and a batch [N,H,W,C] becomes [N,C,H,W]. Elements may have any
// type. For volumes use [ChannelsFirst].
func HWCToNCHW(t *Tensor) (*Tensor, error) {
	if err := wantRank("HWCToNCHW", t, 3, 4, "[H,W,C] or [N,H,W,C]"); err != nil {
		return nil, err
	}
	if len(t.shape) == 3 {
		t = &Tensor{shape: append(Shape{1}, t.shape...), dtype: t.dtype, data: t.data}
	}
	return ChannelsFirst(t)
}

// NCHWToHWC converts to the order of pictures: [N,C,H,W] becomes [N,H,W,C], and
// [C,H,W] becomes [H,W,C]. The rank is kept, also for N = 1, so that it does
// not depend on the batch; [Tensor.Reshape] drops the N.
func NCHWToHWC(t *Tensor) (*Tensor, error) {
	if err := wantRank("NCHWToHWC", t, 3, 4, "[C,H,W] or [N,C,H,W]"); err != nil {
		return nil, err
	}
	if len(t.shape) == 3 {
		return permute(t, []int{1, 2, 0})
	}
	return ChannelsLast(t)
}

// ChannelsFirst moves the last axis behind the first: [N,W,C] becomes [N,C,W],
// [N,H,W,C] becomes [N,C,H,W], and [N,D,H,W,C] becomes [N,C,D,H,W].
func ChannelsFirst(t *Tensor) (*Tensor, error) {
	if err := wantRank("ChannelsFirst", t, 3, 5, "[N,spatial...,C] with 1 to 3 spatial dims"); err != nil {
		return nil, err
	}
	last := len(t.shape) - 1
	perm := []int{0, last}
	for a := 1; a < last; a++ {
		perm = append(perm, a)
	}
	return permute(t, perm)
}

// ChannelsLast is the inverse of [ChannelsFirst]: [N,C,spatial...] becomes
// [N,spatial...,C].
func ChannelsLast(t *Tensor) (*Tensor, error) {
	if err := wantRank("ChannelsLast", t, 3, 5, "[N,C,spatial...] with 1 to 3 spatial dims"); err != nil {
		return nil, err
	}
	perm := []int{0}
	for a := 2; a < len(t.shape); a++ {
		perm = append(perm, a)
	}
	return permute(t, append(perm, 1))
}

// KKIOToOIHW converts convolution filters [K,K,Cin,Cout] to the library's
// weights [Cout,Cin,K,K]. Filters with one and three kernel dims,
// [K,Cin,Cout] and [K,K,K,Cin,Cout], are converted in the same way.
func KKIOToOIHW(t *Tensor) (*Tensor, error) {
	if err := wantRank("KKIOToOIHW", t, 3, 5, "[K...,Cin,Cout] with 1 to 3 kernel dims"); err != nil {
		return nil, err
	}
	n := len(t.shape)
	perm := []int{n - 1, n - 2}
	for a := range n - 2 {
		perm = append(perm, a)
	}
	return permute(t, perm)
}

// OIHWToKKIO is the inverse of [KKIOToOIHW]: weights [Cout,Cin,K,K] become
// filters [K,K,Cin,Cout], with one to three kernel dims.
func OIHWToKKIO(t *Tensor) (*Tensor, error) {
	if err := wantRank("OIHWToKKIO", t, 3, 5, "[Cout,Cin,K...] with 1 to 3 kernel dims"); err != nil {
		return nil, err
	}
	var perm []int
	for a := 2; a < len(t.shape); a++ {
		perm = append(perm, a)
	}
	return permute(t, append(perm, 1, 0))
}

// wantRank returns an error of the function op unless t's rank is lo to hi.
func wantRank(op string, t *Tensor, lo, hi int, want string) error {
	if t == nil {
		return fmt.Errorf("tensor: %s: tensor is nil", op)
	}
	if r := len(t.shape); r < lo || r > hi {
		return fmt.Errorf("tensor: %s: got rank %d (shape %v), want %s", op, r, t.shape, want)
	}
	return nil
}

// permute returns a copy of t whose axis i is t's axis perm[i].
func permute(t *Tensor, perm []int) (*Tensor, error) {
	from := t.shape.Strides()
	shape := make(Shape, len(perm))
	strides := make([]int, len(perm))
	for i, a := range perm {
		shape[i], strides[i] = t.shape[a], from[a]
	}
	out, err := New(t.dtype, shape...)
	if err != nil {
		return nil, err
	}
	switch src := t.data.(type) {
	case []float32:
		gather(out.data.([]float32), src, shape, strides)
	case []float64:
		gather(out.data.([]float64), src, shape, strides)
	case []int32:
		gather(out.data.([]int32), src, shape, strides)
	case []int64:
		gather(out.data.([]int64), src, shape, strides)
	case []uint8:
		gather(out.data.([]uint8), src, shape, strides)
	case []bool:
		gather(out.data.([]bool), src, shape, strides)
	}
	return out, nil
}

// gather fills dst, row-major of the shape, from src, where axis i has the
// stride strides[i]. The rank is at least 1.
func gather[T Element](dst, src []T, shape Shape, strides []int) {
	last := len(shape) - 1
	row, step := shape[last], strides[last]
	at := make([]int, last) // index of the row along the outer axes
	off := 0                // where the row begins in src
	for i := 0; i < len(dst); i += row {
		for j := range row {
			dst[i+j] = src[off+j*step]
		}
		for a := last - 1; a >= 0; a-- {
			at[a]++
			off += strides[a]
			if at[a] < shape[a] {
				break
			}
			off -= at[a] * strides[a]
			at[a] = 0
		}
	}
}
