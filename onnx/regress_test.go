package onnx

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// TestUnpoolOfLateIndices has indices that only a later stage knows.
func TestUnpoolOfLateIndices(t *testing.T) {
	window := []*pb.Attr{someInts("kernel_shape", 2), someInts("strides", 2)}
	s := compile(t, new(sketch).in("x", Float32, "N", "C", "L").node("p,i = MaxPool(x)", window...).
		node("j = Identity(i)").node("y = MaxUnpool(p,j)", window...).load(t, "y"))
	x := tensor.Must(tensor.From([]float32{1, 5, 7, 2, 4, 3, -1, -2}, 1, 2, 4))
	if y := run(t, s, x)[0]; !slices.Equal(y.Float32s(), []float32{0, 5, 7, 0, 4, 0, -1, 0}) {
		t.Errorf("got %v", y.Float32s())
	}
}

// TestTransposedShape has an output_shape that takes an odd number away: more from the beginning,
// but for SAME_UPPER. Values are those of ONNX Runtime.
func TestTransposedShape(t *testing.T) {
	for auto, want := range map[string][]float32{"NOTSET": {2, 10, 20}, "SAME_LOWER": {2, 10, 20}, "SAME_UPPER": {1, 2, 10}} {
		s := compile(t, new(sketch).in("x", Float32, 1, 1, 2).floats("w", []int64{1, 1, 2}, 1, 2).
			node("y = ConvTranspose(x,w)", someInts("strides", 2), someInts("output_shape", 3), aString("auto_pad", auto)).load(t, "y"))
		x := tensor.Must(tensor.From([]float32{1, 10}, 1, 1, 2)) // which gives 1 2 10 20
		if y := run(t, s, x)[0]; !slices.Equal(y.Float32s(), want) {
			t.Errorf("%s: got %v, want %v", auto, y.Float32s(), want)
		}
	}
}

// TestSliceFromBeforeTheFirst goes backward from a start before the first element, which ONNX
// clamps to the first, on the host as on the device.
func TestSliceFromBeforeTheFirst(t *testing.T) {
	sk := func(elem ElemType) *sketch {
		return new(sketch).in("x", elem, 3).ints("from", -7).ints("to", -100).ints("axis", 0).ints("step", -1).node("y = Slice(x,from,to,axis,step)")
	}
	if y := run(t, compile(t, sk(Float32).load(t, "y")), tensor.Must(tensor.From([]float32{4, 5, 6}, 3)))[0]; !slices.Equal(y.Float32s(), []float32{4}) {
		t.Errorf("device: got %v", y.Float32s())
	}
	y := run(t, compile(t, sk(Int64).load(t, "y")), int64s(4, 5, 6))[0]
	if v, _ := tensor.Data[int64](y); !slices.Equal(v, []int64{4}) {
		t.Errorf("host: got %v", v)
	}
}

// TestReductionReadsAllAttributes has noop_with_empty_axes beside axes, of integers.
func TestReductionReadsAllAttributes(t *testing.T) {
	s := compile(t, (&sketch{opset: 18}).in("x", Int64, 2, 2).ints("axes", 1).node("y = ReduceMax(x,axes)", anInt("noop_with_empty_axes", 1)).load(t, "y"))
	x, _ := int64s(1, 2, 4, 3).Reshape(2, 2)
	if v, _ := tensor.Data[int64](run(t, s, x)[0]); !slices.Equal(v, []int64{2, 4}) {
		t.Errorf("got %v", v)
	}
}

// TestFirstDimIsNoBatch has open first dims that only few sizes suit.
func TestFirstDimIsNoBatch(t *testing.T) {
	s := compile(t, new(sketch).in("a", Float32, 2, 3).in("b", Float32, "K", 2).node("y = MatMul(a,b)").load(t, "y"))
	if y := run(t, s, iota32(2, 3), iota32(3, 2))[0]; !slices.Equal(y.Float32s(), []float32{10, 13, 28, 40}) {
		t.Errorf("got %v", y.Float32s())
	}
	if _, err := s.Run(context.Background(), iota32(2, 3), iota32(4, 2)); err == nil {
		t.Error("matrices that do not fit")
	}
	s = compile(t, new(sketch).in("x", Float32, "N", 3, 2).in("scale", Float32, "C").in("bias", Float32, "D").node("y = InstanceNormalization(x,scale,bias)").load(t, "y"))
	if y := run(t, s, iota32(1, 3, 2), iota32(3), iota32(3))[0]; y.Float32s()[0] != 0 || !(y.Float32s()[5] > 3.9) {
		t.Errorf("got %v", y.Float32s())
	}
}

// TestInputsMayBeFilledAgain gives a session the same tensor with other contents: a graph that was
// made for a content must not be taken for another.
func TestInputsMayBeFilledAgain(t *testing.T) {
	s := compile(t, new(sketch).in("x", Float32, 6).in("to", Int64, 2).node("y = Reshape(x,to)").load(t, "y"))
	to := int64s(2, 3)
	v, _ := tensor.Data[int64](to)
	for _, want := range []tensor.Shape{{2, 3}, {3, 2}, {1, 6}, {2, 3}} {
		v[0], v[1] = int64(want[0]), int64(want[1])
		if y := run(t, s, iota32(6), to)[0]; !y.Shape().Equal(want) {
			t.Errorf("got %v, want %v", y.Shape(), want)
		}
	}
}

// TestPadsCutOffTooMuch takes more elements away than there are.
func TestPadsCutOffTooMuch(t *testing.T) {
	for _, pads := range [][]int64{{-4, 0}, {0, -4}, {-2, -2}, {-4, 9}} {
		_, err := Read(new(sketch).in("x", Float32, 3).ints("pads", pads...).node("y = Pad(x,pads)").bytes(t, "y"))
		if err == nil || !strings.Contains(err.Error(), "cut off") {
			t.Errorf("%v: %v", pads, err)
		}
	}
}

// TestLossOfOtherShape has classes that would be broadcast.
func TestLossOfOtherShape(t *testing.T) {
	for _, op := range []string{"NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"} {
		s := compile(t, new(sketch).in("x", Float32, "N", 2, 3).in("class", Int64, "M").node("y = "+op+"(x,shaped)").
			node("shaped = Unsqueeze(class,one)").ints("one", 1).load(t, "y"))
		if _, err := s.Run(context.Background(), iota32(1, 2, 3), int64s(0)); err == nil || !strings.Contains(err.Error(), "want [1,3]") {
			t.Errorf("%s: %v", op, err)
		}
	}
}

// TestTransposedShapeOfOpenKernel has weights whose kernel is open.
func TestTransposedShapeOfOpenKernel(t *testing.T) {
	s := compile(t, new(sketch).in("x", Float32, 1, 1, 2).in("w", Float32, 1, 1, "K").
		node("y = ConvTranspose(x,w)", someInts("output_shape", 2)).load(t, "y"))
	x, _ := tensor.From([]float32{1, 10}, 1, 1, 2)
	for k, want := range map[int][]float32{1: {1, 10}, 3: {10, 1}} {
		w, _ := tensor.New(tensor.Float32, 1, 1, k)
		for i := range w.Float32s() {
			w.Float32s()[i] = float32(1 - i%2) // of three: 1 10 1 10
		}
		if y := run(t, s, x, w)[0]; !slices.Equal(y.Float32s(), want) {
			t.Errorf("kernel %d: got %v, want %v", k, y.Float32s(), want)
		}
	}
}

// TestCloseDuringRuns closes a session while goroutines run it with shapes and contents that
// need stages of their own: each run is right, or finds the session closed.
func TestCloseDuringRuns(t *testing.T) {
	m := new(sketch).in("x", Float32, "N", 4).ints("one", 1).
		node("at = ArgMax(x)", anInt("axis", 1), anInt("keepdims", 0)).
		node("most = ReduceMax(at)", anInt("keepdims", 0)).node("n = Add(most,one)").
		node("reps = Concat(n,one)", anInt("axis", 0)).node("y = Tile(x,reps)").load(t, "y")
	for range 5 {
		s, err := m.Compile(context.Background(), openRef(t))
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var runs atomic.Int32
		for g := range 4 {
			wg.Go(func() {
				for k := range 40 {
					n, top := 1+(g+k)%6, (g*7+k)%4
					x := tensor.Must(tensor.New(tensor.Float32, n, 4))
					for i := range n {
						x.Float32s()[4*i+top] = float32(i + 1)
					}
					out, err := s.Run(context.Background(), x)
					if errors.Is(err, backend.ErrClosed) {
						return
					}
					if runs.Add(1); err != nil || !out[0].Shape().Equal(tensor.Shape{n * (top + 1), 4}) || out[0].Float32s()[top] != 1 {
						t.Errorf("got %v, %v", out, err)
						return
					}
				}
			})
		}
		for runs.Load() < 20 && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
	}
}

// TestNormPoolingRoundsUp has a window of which a part lies beyond the end, without pads by either way
// to say so.
func TestNormPoolingRoundsUp(t *testing.T) {
	for _, auto := range []string{"NOTSET", "VALID"} {
		s := compile(t, (&sketch{opset: 18}).in("x", Float32, 1, 1, 5).
			node("y = LpPool(x)", someInts("kernel_shape", 2), someInts("strides", 2), anInt("ceil_mode", 1), anInt("p", 1), aString("auto_pad", auto)).load(t, "y"))
		if y := run(t, s, iota32(1, 1, 5))[0]; !slices.Equal(y.Float32s(), []float32{1, 5, 4}) {
			t.Errorf("%s: got %v", auto, y.Float32s())
		}
	}
}
