package onnx

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// hostFuncs are the ops that can be computed on the host.
var hostFuncs = map[string]hostFunc{
	"Abs":             hostAbs,
	"Add":             hostAdd,
	"And":             hostAnd,
	"ArgMax":          hostArgMax,
	"ArgMin":          hostArgMin,
	"Cast":            hostCast,
	"CastLike":        hostCastLike,
	"Ceil":            hostCeil,
	"Clip":            hostClip,
	"Concat":          hostConcat,
	"ConstantOfShape": hostConstantOfShape,
	"Div":             hostDiv,
	"Equal":           hostEqual,
	"Exp":             hostExp,
	"Expand":          hostExpand,
	"Flatten":         hostFlatten,
	"Floor":           hostFloor,
	"Gather":          hostGather,
	"GatherElements":  hostGatherElements,
	"GatherND":        hostGatherND,
	"Greater":         hostGreater,
	"GreaterOrEqual":  hostGreaterOrEqual,
	"Identity":        hostIdentity,
	"Less":            hostLess,
	"LessOrEqual":     hostLessOrEqual,
	"Log":             hostLog,
	"Max":             hostMax,
	"Mean":            hostMean,
	"Min":             hostMin,
	"Mod":             hostMod,
	"Mul":             hostMul,
	"Neg":             hostNeg,
	"Not":             hostNot,
	"Or":              hostOr,
	"Pow":             hostPow,
	"Range":           hostRange,
	"Reciprocal":      hostReciprocal,
	"ReduceL1":        hostReduceL1,
	"ReduceL2":        hostReduceL2,
	"ReduceLogSum":    hostReduceLogSum,
	"ReduceLogSumExp": hostReduceLogSumExp,
	"ReduceMax":       hostReduceMax,
	"ReduceMean":      hostReduceMean,
	"ReduceMin":       hostReduceMin,
	"ReduceProd":      hostReduceProd,
	"ReduceSum":       hostReduceSum,
	"ReduceSumSquare": hostReduceSumSquare,
	"Reshape":         hostReshape,
	"Resize":          hostResize,
	"Round":           hostRound,
	"Shape":           hostShape,
	"Sign":            hostSign,
	"Size":            hostSize,
	"Slice":           hostSlice,
	"Split":           hostSplit,
	"Sqrt":            hostSqrt,
	"Squeeze":         hostSqueeze,
	"Sub":             hostSub,
	"Sum":             hostSum,
	"Tile":            hostTile,
	"Transpose":       hostTranspose,
	"Unsqueeze":       hostUnsqueeze,
	"Upsample":        hostResize,
	"Where":           hostWhere,
	"Xor":             hostXor,
	"BitShift":        hostBitShift,
	"BitwiseAnd":      hostBitwiseAnd,
	"BitwiseOr":       hostBitwiseOr,
	"BitwiseXor":      hostBitwiseXor,
	"BitwiseNot":      hostBitwiseNot,
	"CumSum":          hostCumSum,
	"NonZero":         hostNonZero,
	"OneHot":          hostOneHot,
	"Pad":             hostPad,
	"ScatterElements": hostScatterElements,
	"ScatterND":       hostScatterND,
	"TopK":            hostTopK,
	"Scatter":         hostScatterElements,
}

// Tensors for tests. Without a shape they have one dim.
func tensorIn[T tensor.Element](v []T, shape []int) *tensor.Tensor {
	if shape == nil {
		shape = []int{len(v)}
	}
	return tensor.Must(tensor.From(v, shape...))
}

func i64s(v ...int64) *tensor.Tensor   { return tensorIn(v, nil) }
func i32s(v ...int32) *tensor.Tensor   { return tensorIn(v, nil) }
func u8s(v ...uint8) *tensor.Tensor    { return tensorIn(v, nil) }
func f32s(v ...float32) *tensor.Tensor { return tensorIn(v, nil) }
func bools(v ...bool) *tensor.Tensor   { return tensorIn(v, nil) }

// scalar is the one element of t without dims.
func scalar(t *tensor.Tensor) *tensor.Tensor { return tensor.Must(t.Reshape()) }

func shaped(t *tensor.Tensor, shape ...int) *tensor.Tensor { return tensor.Must(t.Reshape(shape...)) }

// count is 0, 1, 2, … of a shape.
func count(shape ...int) *tensor.Tensor {
	t := tensor.Must(tensor.New(tensor.Int64, shape...))
	d, _ := tensor.Data[int64](t)
	for i := range d {
		d[i] = int64(i)
	}
	return t
}

func attrInt(name string, v int64) *pb.Attr { return &pb.Attr{Name: name, Type: pb.AttrInt, I: v} }
func attrInts(name string, v ...int64) *pb.Attr {
	return &pb.Attr{Name: name, Type: pb.AttrInts, Ints: v}
}
func attrFloat(name string, v float32) *pb.Attr {
	return &pb.Attr{Name: name, Type: pb.AttrFloat, F: v}
}
func attrTensor(name string, v *pb.Tensor) *pb.Attr {
	return &pb.Attr{Name: name, Type: pb.AttrTensor, T: v}
}
func attrStr(name, v string) *pb.Attr {
	return &pb.Attr{Name: name, Type: pb.AttrString, S: []byte(v)}
}

type attrList []*pb.Attr

// hostCase is a node with its inputs, and what it gives or the error that it ends with.
type hostCase struct {
	name    string
	op      string
	version int
	attrs   attrList
	in      []*tensor.Tensor
	want    []*tensor.Tensor
	err     string
}

type list = []*tensor.Tensor

// hostTables are the cases of all tests.
var hostTables = []func() []hostCase{casesArithmetic, casesCompare, casesCast, casesShapes, casesSlice, casesConcatAndSplit, casesGather, casesFill, casesReduce, casesIdentity, casesPad, casesScatter, casesSelect, casesBits}

func runHost(op string, version, outputs, limit int, attrs attrList, in ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	node := &pb.Node{OpType: op, Attrs: attrs, Outputs: make([]string, outputs)}
	c := &hostCall{node: node, version: version, in: in, budget: newBudget(8 * int64(limit)), attrs: newAttrs(node)}
	out, err := hostFuncs[op](c)
	if err == nil {
		err = c.check()
	}
	return out, err
}

func testHost(t *testing.T, cases []hostCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.op+"/"+c.name, func(t *testing.T) {
			before := make([][]byte, len(c.in))
			for i, x := range c.in {
				if x != nil {
					before[i] = append([]byte(nil), x.Bytes()...)
				}
			}
			got, err := runHost(c.op, c.version, max(1, len(c.want)), 1<<20, c.attrs, c.in...)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("got the error %v, want one with %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(got) < len(c.want) {
				t.Fatalf("got %d outputs, want %d", len(got), len(c.want))
			}
			for i, w := range c.want {
				if !same(got[i], w) {
					t.Errorf("output %d: got %s, want %s", i, show(got[i]), show(w))
				}
			}
			for i, x := range c.in {
				if x != nil && string(x.Bytes()) != string(before[i]) {
					t.Errorf("input %d was changed", i)
				}
			}
		})
	}
}

// same compares types, shapes and elements; NaN equals NaN.
func same(a, b *tensor.Tensor) bool {
	if a == nil || b == nil || a.DType() != b.DType() || !a.Shape().Equal(b.Shape()) {
		return false
	}
	if a.DType() != tensor.Float32 {
		return string(a.Bytes()) == string(b.Bytes())
	}
	x, y := a.Float32s(), b.Float32s()
	for i := range x {
		if x[i] != y[i] && !(x[i] != x[i] && y[i] != y[i]) {
			return false
		}
	}
	return true
}

func show(t *tensor.Tensor) string {
	if t == nil {
		return "none"
	}
	var v any
	switch t.DType() {
	case tensor.Float32:
		v = t.Float32s()
	case tensor.Int32:
		v, _ = tensor.Data[int32](t)
	case tensor.Int64:
		v, _ = tensor.Data[int64](t)
	case tensor.Uint8:
		v, _ = tensor.Data[uint8](t)
	case tensor.Bool:
		v, _ = tensor.Data[bool](t)
	}
	return fmt.Sprintf("%v%v %v", t.DType(), t.Shape(), v)
}

const (
	minI64 = math.MinInt64
	maxI64 = math.MaxInt64
)

var (
	nan = float32(math.NaN())
	inf = float32(math.Inf(1))
)

func casesArithmetic() []hostCase {
	return []hostCase{
		{"int64", "Add", 14, nil, list{i64s(1, maxI64), i64s(2, 1)}, list{i64s(3, minI64)}, ""},
		{"int32 wraps", "Add", 14, nil, list{i32s(math.MaxInt32), i32s(1)}, list{i32s(math.MinInt32)}, ""},
		{"uint8 wraps", "Add", 14, nil, list{u8s(200), u8s(100)}, list{u8s(44)}, ""},
		{"float32", "Add", 14, nil, list{f32s(1, 2), f32s(0.5, nan)}, list{f32s(1.5, nan)}, ""},
		{"broadcast", "Add", 14, nil, list{count(2, 1, 3), count(2, 1)}, list{shaped(i64s(0, 1, 2, 1, 2, 3, 3, 4, 5, 4, 5, 6), 2, 2, 3)}, ""},
		{"scalars", "Add", 14, nil, list{scalar(i64s(4)), scalar(i64s(5))}, list{scalar(i64s(9))}, ""},
		{"empty", "Add", 14, nil, list{count(0, 3), count(1, 3)}, list{count(0, 3)}, ""},
		{"shapes", "Add", 14, nil, list{count(2), count(3)}, nil, "[2]"},
		{"types", "Add", 14, nil, list{i64s(1), i32s(1)}, nil, "input 1: got elements of type int32, want int64"},
		{"bool", "Add", 14, nil, list{bools(true), bools(true)}, nil, "bool"},
		{"one input", "Add", 14, nil, list{i64s(1)}, nil, "got 1 inputs, want 2"},
		{"left out", "Add", 14, nil, list{i64s(1), nil}, nil, "input 1 is left out"},
		{"limit", "Add", 14, nil, list{count(2000, 1), count(2000)}, nil, "more than the limit"},
		{"version 6", "Add", 6, attrList{attrInt("broadcast", 1), attrInt("axis", 1)}, list{count(2, 3, 2), i64s(10, 20, 30)}, list{shaped(i64s(10, 11, 22, 23, 34, 35, 16, 17, 28, 29, 40, 41), 2, 3, 2)}, ""},
		{"version 6 at the end", "Add", 6, attrList{attrInt("broadcast", 1)}, list{count(2, 2), i64s(10, 20)}, list{shaped(i64s(10, 21, 12, 23), 2, 2)}, ""},
		{"version 6 without broadcast", "Add", 6, nil, list{count(2, 2), count(2)}, nil, "broadcast"},
		{"version 6 axis", "Add", 6, attrList{attrInt("broadcast", 1), attrInt("axis", 1)}, list{count(2, 2), count(2, 2)}, nil, "does not fit"},
		{"int64", "Sub", 14, nil, list{i64s(1, minI64), i64s(2, 1)}, list{i64s(-1, maxI64)}, ""},
		{"int64", "Mul", 14, nil, list{i64s(-3, 1<<62), i64s(2, 4)}, list{i64s(-6, 0)}, ""},
		{"toward zero", "Div", 14, nil, list{i64s(7, -7, 7, -7), i64s(2, 2, -2, -2)}, list{i64s(3, -3, -3, 3)}, ""},
		{"least by −1", "Div", 14, nil, list{i64s(minI64), i64s(-1)}, list{i64s(minI64)}, ""},
		{"float32", "Div", 14, nil, list{f32s(1, -1, 0), f32s(0, 0, 0)}, list{f32s(inf, -inf, nan)}, ""},
		{"by zero", "Div", 14, nil, list{i64s(7, 1), i64s(2, 0)}, nil, "division of an integer by zero"},
		{"by zero", "Div", 14, nil, list{u8s(7), u8s(0)}, nil, "division of an integer by zero"},
		{"sign of the divisor", "Mod", 13, nil, list{i64s(-4, 7, 5, 4, -7, 8), i64s(2, -3, 8, -2, 3, 5)}, list{i64s(0, -2, 5, 0, 2, 3)}, ""},
		{"fmod of integers", "Mod", 13, attrList{attrInt("fmod", 1)}, list{i64s(-4, 7, 5, 4, -7, 8), i64s(2, -3, 8, -2, 3, 5)}, list{i64s(0, 1, 5, 0, -1, 3)}, ""},
		{"fmod", "Mod", 13, attrList{attrInt("fmod", 1)}, list{f32s(-4.5, 5.5, 1), f32s(2, -3, 0)}, list{f32s(-0.5, 2.5, nan)}, ""},
		{"float32", "Mod", 13, nil, list{f32s(1), f32s(2)}, nil, "fmod"},
		{"by zero", "Mod", 13, nil, list{i32s(1), i32s(0)}, nil, "by zero"},
		{"int64", "Pow", 15, nil, list{i64s(2, -2, 3, 0, 1, -1, -1, 2), i64s(10, 3, 0, 0, -5, -3, -4, -1)}, list{i64s(1024, -8, 1, 1, 1, -1, 1, 0)}, ""},
		{"exact", "Pow", 15, nil, list{i64s(3), i64s(39)}, list{i64s(4052555153018976267)}, ""},
		{"int32 wraps", "Pow", 15, nil, list{i32s(2, 3), i64s(32, 21)}, list{i32s(0, 1870418611)}, ""},
		{"float32", "Pow", 15, nil, list{f32s(4, 2, -1, 0), f32s(0.5, -1, 0.5, 0)}, list{f32s(2, 0.5, nan, 1)}, ""},
		{"float32 to an integer", "Pow", 15, nil, list{f32s(-3), i64s(3)}, list{f32s(-27)}, ""},
		{"an integer to a float32", "Pow", 15, nil, list{i64s(4, 2), f32s(1.5, -1)}, list{i64s(8, 0)}, ""},
		{"zero to a negative power", "Pow", 15, nil, list{i64s(0), i64s(-1)}, nil, "negative power"},
		{"int64", "Max", 13, nil, list{i64s(1, 5), scalar(i64s(3)), i64s(2)}, list{i64s(3, 5)}, ""},
		{"NaN", "Max", 13, nil, list{f32s(1, nan), f32s(nan, 2)}, list{f32s(nan, nan)}, ""},
		{"one", "Max", 13, nil, list{i64s(1, 5)}, list{i64s(1, 5)}, ""},
		{"none", "Max", 13, nil, nil, nil, "no inputs"},
		{"int32", "Min", 13, nil, list{i32s(1, -5), i32s(0)}, list{i32s(0, -5)}, ""},
		{"float32", "Sum", 13, nil, list{f32s(1, 2), f32s(10), f32s(100, 200)}, list{f32s(111, 212)}, ""},
		{"float32", "Mean", 13, nil, list{f32s(1, 2), f32s(3)}, list{f32s(2, 2.5)}, ""},
		{"least", "Neg", 13, nil, list{i64s(5, minI64)}, list{i64s(-5, minI64)}, ""},
		{"uint8", "Neg", 13, nil, list{u8s(1)}, nil, "uint8"},
		{"int64", "Abs", 13, nil, list{i64s(-5, 5, minI64)}, list{i64s(5, 5, minI64)}, ""},
		{"uint8", "Abs", 13, nil, list{u8s(200)}, list{u8s(200)}, ""},
		{"float32", "Abs", 13, nil, list{f32s(-1.5, -inf, nan)}, list{f32s(1.5, inf, nan)}, ""},
		{"int64", "Sign", 13, nil, list{i64s(-5, 0, 7)}, list{i64s(-1, 0, 1)}, ""},
		{"uint8", "Sign", 13, nil, list{u8s(0, 200)}, list{u8s(0, 1)}, ""},
		{"float32", "Sign", 13, nil, list{f32s(-0.5, 0, inf, nan)}, list{f32s(-1, 0, 1, nan)}, ""},
		{"float32", "Sqrt", 13, nil, list{f32s(2.25, -1)}, list{f32s(1.5, nan)}, ""},
		{"float32", "Floor", 13, nil, list{f32s(-1.5, 1.5)}, list{f32s(-2, 1)}, ""},
		{"float32", "Ceil", 13, nil, list{f32s(-1.5, 1.5)}, list{f32s(-1, 2)}, ""},
		{"half to even", "Round", 11, nil, list{f32s(0.5, 1.5, 2.5, -0.5, -1.5, 1.2)}, list{f32s(0, 2, 2, 0, -2, 1)}, ""},
		{"int64", "Ceil", 13, nil, list{i64s(1)}, nil, "want float32"},
		{"float32", "Exp", 13, nil, list{f32s(0, -inf)}, list{f32s(1, 0)}, ""},
		{"float32", "Log", 13, nil, list{f32s(1, 0)}, list{f32s(0, -inf)}, ""},
		{"float32", "Reciprocal", 13, nil, list{f32s(4, 0)}, list{f32s(0.25, inf)}, ""},
		{"int64", "Clip", 13, nil, list{i64s(1, 5, 9), scalar(i64s(3)), scalar(i64s(6))}, list{i64s(3, 5, 6)}, ""},
		{"no low limit", "Clip", 13, nil, list{i64s(1, 5, 9), nil, scalar(i64s(6))}, list{i64s(1, 5, 6)}, ""},
		{"crossed", "Clip", 13, nil, list{i64s(1), scalar(i64s(6)), scalar(i64s(3))}, list{i64s(3)}, ""},
		{"not scalar", "Clip", 13, nil, list{i64s(1), i64s(6, 6)}, nil, "want a scalar"},
		{"version 6", "Clip", 6, attrList{attrFloat("min", -1), attrFloat("max", 2)}, list{f32s(-5, 1, 5, nan)}, list{f32s(-1, 1, 2, nan)}, ""},
	}
}

func TestHostArithmetic(t *testing.T) {
	testHost(t, casesArithmetic())
}

func casesCompare() []hostCase {
	return []hostCase{
		{"int64", "Equal", 13, nil, list{i64s(1, 2, maxI64), i64s(1, 3, maxI64-1)}, list{bools(true, false, false)}, ""},
		{"bool", "Equal", 13, nil, list{bools(true, false), bools(true)}, list{bools(true, false)}, ""},
		{"NaN", "Equal", 13, nil, list{f32s(nan, 0), f32s(nan, float32(math.Copysign(0, -1)))}, list{bools(false, true)}, ""},
		{"int64", "Less", 13, nil, list{i64s(1, 2, 3), scalar(i64s(2))}, list{bools(true, false, false)}, ""},
		{"int64", "LessOrEqual", 16, nil, list{i64s(1, 2, 3), scalar(i64s(2))}, list{bools(true, true, false)}, ""},
		{"int64", "Greater", 13, nil, list{i64s(1, 2, 3), scalar(i64s(2))}, list{bools(false, false, true)}, ""},
		{"NaN", "GreaterOrEqual", 16, nil, list{f32s(1, 2, nan), f32s(2)}, list{bools(false, true, false)}, ""},
		{"uint8", "GreaterOrEqual", 16, nil, list{u8s(200), u8s(100)}, list{bools(true)}, ""},
		{"bool", "Less", 13, nil, list{bools(true), bools(false)}, nil, "bool"},
		{"bool", "And", 7, nil, list{bools(true, true, false), bools(true, false, false)}, list{bools(true, false, false)}, ""},
		{"bool", "Or", 7, nil, list{bools(true, true, false), bools(true, false, false)}, list{bools(true, true, false)}, ""},
		{"bool", "Xor", 7, nil, list{bools(true, true, false), bools(true, false, false)}, list{bools(false, true, false)}, ""},
		{"int64", "And", 7, nil, list{i64s(1), i64s(1)}, nil, "want bool"},
		{"bool", "Not", 1, nil, list{bools(true, false)}, list{bools(false, true)}, ""},
		{"broadcast", "Where", 16, nil, list{shaped(bools(true, false), 2, 1), i64s(1, 2), scalar(i64s(9))}, list{shaped(i64s(1, 2, 9, 9), 2, 2)}, ""},
		{"bool", "Where", 16, nil, list{bools(true, false), bools(false, false), bools(true, true)}, list{bools(false, true)}, ""},
		{"NaN that is not taken", "Where", 16, nil, list{bools(true, false), f32s(1, nan), f32s(nan, 2)}, list{f32s(1, 2)}, ""},
		{"condition", "Where", 16, nil, list{i64s(1), i64s(1), i64s(1)}, nil, "want bool"},
		{"types", "Where", 16, nil, list{bools(true), i64s(1), i32s(1)}, nil, "want int64"},
	}
}

func TestHostCompare(t *testing.T) {
	testHost(t, casesCompare())
}

func casesCast() []hostCase {
	to := func(e ElemType) attrList { return attrList{attrInt("to", int64(e))} }
	return []hostCase{
		{"float32 to int64", "Cast", 13, to(Int64), list{f32s(1.9, -1.9, nan, inf, 1e30, -1e30)}, list{i64s(1, -1, minI64, minI64, minI64, minI64)}, ""},
		{"float32 to int32", "Cast", 13, to(Int32), list{f32s(1.9, -1.9, nan, 2147483648, -2147483648)}, list{i32s(1, -1, math.MinInt32, math.MinInt32, math.MinInt32)}, ""},
		{"float32 to uint8", "Cast", 13, to(Uint8), list{f32s(255.9, 300, -1)}, list{u8s(255, 44, 255)}, ""},
		{"float32 to bool", "Cast", 13, to(Bool), list{f32s(0, 0.1, nan)}, list{bools(false, true, true)}, ""},
		{"int64 to int32", "Cast", 13, to(Int32), list{i64s(1<<32+5, -1)}, list{i32s(5, -1)}, ""},
		{"int64 to uint8", "Cast", 13, to(Uint8), list{i64s(257, -1)}, list{u8s(1, 255)}, ""},
		{"int64 to float32", "Cast", 13, to(Float32), list{i64s(1<<24+1, 1<<24+3)}, list{f32s(1<<24, 1<<24+4)}, ""},
		{"int64 to float32, rounded once", "Cast", 13, to(Float32), list{i64s(1<<60 + 1<<36 + 1)}, list{f32s(1<<60 + 1<<37)}, ""},
		{"int64 to float16", "Cast", 13, to(Float16), list{i64s(3)}, list{f32s(3)}, ""},
		{"bool to int64", "Cast", 13, to(Int64), list{bools(true, false)}, list{i64s(1, 0)}, ""},
		{"bool to float32", "Cast", 13, to(Float32), list{bools(true, false)}, list{f32s(1, 0)}, ""},
		{"uint8 to int32", "Cast", 13, to(Int32), list{u8s(200)}, list{i32s(200)}, ""},
		{"int32 to bool", "Cast", 13, to(Bool), list{shaped(i32s(2, 0), 1, 2)}, list{shaped(bools(true, false), 1, 2)}, ""},
		{"same", "Cast", 13, to(Int64), list{i64s(2)}, list{i64s(2)}, ""},
		{"string", "Cast", 13, attrList{attrInt("to", 8)}, list{i64s(2)}, nil, "a cast to string"},
		{"no type", "Cast", 13, nil, list{i64s(2)}, nil, "undefined"},
		{"int64", "CastLike", 15, nil, list{f32s(2.5), i64s()}, list{i64s(2)}, ""},
	}
}

func TestHostCast(t *testing.T) {
	testHost(t, casesCast())
	if _, err := runHost("Cast", 13, 1, 100, attrList{attrInt("to", 8)}, i64s(2)); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got the error %v, want ErrUnsupported", err)
	}
}

func casesShapes() []hostCase {
	return []hostCase{
		{"all", "Shape", 13, nil, list{count(2, 0, 3)}, list{i64s(2, 0, 3)}, ""},
		{"scalar", "Shape", 13, nil, list{scalar(f32s(1))}, list{i64s()}, ""},
		{"start", "Shape", 15, attrList{attrInt("start", 1)}, list{count(2, 3, 4)}, list{i64s(3, 4)}, ""},
		{"negative start", "Shape", 15, attrList{attrInt("start", -1)}, list{count(2, 3, 4)}, list{i64s(4)}, ""},
		{"end", "Shape", 15, attrList{attrInt("end", -1)}, list{count(2, 3, 4)}, list{i64s(2, 3)}, ""},
		{"clamped", "Shape", 15, attrList{attrInt("start", -10), attrInt("end", 10)}, list{count(2, 3)}, list{i64s(2, 3)}, ""},
		{"crossed", "Shape", 15, attrList{attrInt("start", 2), attrInt("end", 1)}, list{count(2, 3)}, list{i64s()}, ""},
		{"attribute of later", "Shape", 13, attrList{attrInt("start", 2)}, list{count(2, 3)}, nil, "start"},
		{"all", "Size", 13, nil, list{count(2, 3)}, list{scalar(i64s(6))}, ""},
		{"0 and -1", "Reshape", 13, nil, list{count(2, 3, 4), i64s(0, -1)}, list{count(2, 12)}, ""},
		{"to a scalar", "Reshape", 13, nil, list{count(1, 1), i64s()}, list{scalar(i64s(0))}, ""},
		{"version 1", "Reshape", 1, attrList{attrInts("shape", 3, 2)}, list{count(2, 3)}, list{count(3, 2)}, ""},
		{"allowzero", "Reshape", 14, attrList{attrInt("allowzero", 1)}, list{count(3, 0), i64s(0, 5)}, list{count(0, 5)}, ""},
		{"two -1", "Reshape", 13, nil, list{count(4), i64s(-1, -1)}, nil, "more than one"},
		{"no size", "Reshape", 13, nil, list{count(4), i64s(3, -1)}, nil, "no size for −1"},
		{"-1 of nothing", "Reshape", 13, nil, list{count(0), i64s(0, -1)}, nil, "no size for −1"},
		{"elements", "Reshape", 13, nil, list{count(4), i64s(5)}, nil, "want the 4 of [4]"},
		{"overflow", "Reshape", 13, nil, list{count(4), i64s(1<<40, 1<<40)}, nil, "elements"},
		{"negative", "Reshape", 13, nil, list{count(4), i64s(-2, -2)}, nil, "not a size"},
		{"0 beyond", "Reshape", 13, nil, list{count(4), i64s(4, 0)}, nil, "does not have"},
		{"middle", "Flatten", 13, nil, list{count(2, 3, 4)}, list{count(2, 12)}, ""},
		{"axis 0", "Flatten", 13, attrList{attrInt("axis", 0)}, list{count(2, 3)}, list{count(1, 6)}, ""},
		{"negative axis", "Flatten", 13, attrList{attrInt("axis", -1)}, list{count(2, 3, 4)}, list{count(6, 4)}, ""},
		{"end", "Flatten", 13, attrList{attrInt("axis", 2)}, list{count(2, 3)}, list{count(6, 1)}, ""},
		{"outside", "Flatten", 13, attrList{attrInt("axis", 3)}, list{count(2, 3)}, nil, "axis 3"},
		{"all", "Squeeze", 13, nil, list{count(1, 3, 1)}, list{count(3)}, ""},
		{"axes", "Squeeze", 13, nil, list{count(1, 3, 1), i64s(-1)}, list{count(1, 3)}, ""},
		{"attribute", "Squeeze", 11, attrList{attrInts("axes", 0)}, list{count(1, 3, 1)}, list{count(3, 1)}, ""},
		{"not 1", "Squeeze", 13, nil, list{count(1, 3), i64s(1)}, nil, "want a dim of 1"},
		{"twice", "Squeeze", 13, nil, list{count(1, 3), i64s(0, -2)}, nil, "twice"},
		{"axes", "Unsqueeze", 13, nil, list{count(3), i64s(2, 0)}, list{count(1, 3, 1)}, ""},
		{"negative", "Unsqueeze", 13, nil, list{count(3, 4), i64s(-1, -3)}, list{count(3, 1, 4, 1)}, ""},
		{"scalar", "Unsqueeze", 11, attrList{attrInts("axes", 0)}, list{scalar(i64s(0))}, list{count(1)}, ""},
		{"outside", "Unsqueeze", 13, nil, list{count(3), i64s(2)}, nil, "axis 2"},
		{"no axes", "Unsqueeze", 11, nil, list{count(3)}, nil, "axes are missing"},
		{"rank", "Unsqueeze", 13, nil, list{count(3), i64s(0, 1, 2, 3, 4, 5, 6, 7)}, nil, "rank"},
		{"reversed", "Transpose", 13, nil, list{count(2, 3)}, list{shaped(i64s(0, 3, 1, 4, 2, 5), 3, 2)}, ""},
		{"perm", "Transpose", 13, attrList{attrInts("perm", 1, 0, 2)}, list{count(2, 2, 2)}, list{shaped(i64s(0, 1, 4, 5, 2, 3, 6, 7), 2, 2, 2)}, ""},
		{"not a permutation", "Transpose", 13, attrList{attrInts("perm", 0, 0)}, list{count(2, 2)}, nil, "perm"},
		{"negative perm", "Transpose", 13, attrList{attrInts("perm", 0, -1)}, list{count(2, 2)}, nil, "perm"},
		{"both ways", "Expand", 13, nil, list{count(3, 1), i64s(2, 1, 2)}, list{shaped(i64s(0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2), 2, 3, 2)}, ""},
		{"bool", "Expand", 13, nil, list{scalar(bools(true)), i64s(2)}, list{bools(true, true)}, ""},
		{"limit", "Expand", 13, nil, list{count(1), i64s(1 << 40)}, nil, "more than the limit"},
		{"overflow", "Expand", 13, nil, list{count(1), i64s(maxI64)}, nil, "dim 0"},
		{"negative", "Expand", 13, nil, list{count(1), i64s(-1)}, nil, "dim 0"},
		{"axes", "Tile", 13, nil, list{count(2, 2), i64s(1, 2)}, list{shaped(i64s(0, 1, 0, 1, 2, 3, 2, 3), 2, 4)}, ""},
		{"outer", "Tile", 13, nil, list{count(2, 2), i64s(2, 1)}, list{shaped(i64s(0, 1, 2, 3, 0, 1, 2, 3), 4, 2)}, ""},
		{"zero", "Tile", 13, nil, list{count(2, 2), i64s(0, 1)}, list{count(0, 2)}, ""},
		{"version 1", "Tile", 1, nil, list{count(2), i64s(2), i64s(0)}, list{i64s(0, 1, 0, 1)}, ""},
		{"overflow", "Tile", 13, nil, list{count(2, 2), i64s(1<<40, 1<<40)}, nil, "elements"},
		{"number", "Tile", 13, nil, list{count(2, 2), i64s(1)}, nil, "one for each"},
	}
}

func TestHostShapes(t *testing.T) {
	testHost(t, casesShapes())
}

func casesSlice() []hostCase {
	x := count(4)
	return []hostCase{
		{"from", "Slice", 13, nil, list{x, i64s(1), i64s(3)}, list{i64s(1, 2)}, ""},
		{"from the end", "Slice", 13, nil, list{x, i64s(-3), i64s(-1)}, list{i64s(1, 2)}, ""},
		{"clamped", "Slice", 13, nil, list{x, i64s(-100), i64s(maxI64)}, list{x}, ""},
		{"nothing", "Slice", 13, nil, list{x, i64s(3), i64s(1)}, list{i64s()}, ""},
		{"beyond", "Slice", 13, nil, list{x, i64s(9), i64s(12)}, list{i64s()}, ""},
		{"step", "Slice", 13, nil, list{x, i64s(0), i64s(4), i64s(0), i64s(3)}, list{i64s(0, 3)}, ""},
		{"largest step", "Slice", 13, nil, list{x, i64s(1), i64s(4), i64s(0), i64s(maxI64)}, list{i64s(1)}, ""},
		{"backward", "Slice", 13, nil, list{x, i64s(-1), i64s(minI64), i64s(0), i64s(-1)}, list{i64s(3, 2, 1, 0)}, ""},
		{"backward to", "Slice", 13, nil, list{x, i64s(10), i64s(0), i64s(0), i64s(-2)}, list{i64s(3, 1)}, ""},
		{"backward of nothing", "Slice", 13, nil, list{x, i64s(-100), i64s(2), i64s(0), i64s(-1)}, list{i64s()}, ""},
		{"least step", "Slice", 13, nil, list{x, i64s(3), i64s(-100), i64s(0), i64s(minI64)}, list{i64s(3)}, ""},
		{"axes", "Slice", 13, nil, list{count(2, 3), i64s(1), i64s(3), i64s(-1)}, list{shaped(i64s(1, 2, 4, 5), 2, 2)}, ""},
		{"no axes", "Slice", 13, nil, list{count(2, 3), i64s(1, 0), i64s(2, 2), nil, i64s(1, 1)}, list{shaped(i64s(3, 4), 1, 2)}, ""},
		{"int32", "Slice", 13, nil, list{x, i32s(1), i32s(2)}, list{i64s(1)}, ""},
		{"version 1", "Slice", 1, attrList{attrInts("starts", 1), attrInts("ends", 1000), attrInts("axes", 1)}, list{count(2, 3)}, list{shaped(i64s(1, 2, 4, 5), 2, 2)}, ""},
		{"empty", "Slice", 13, nil, list{count(0), i64s(0), i64s(5), i64s(0), i64s(-1)}, list{i64s()}, ""},
		{"step 0", "Slice", 13, nil, list{x, i64s(0), i64s(4), i64s(0), i64s(0)}, nil, "a step of 0"},
		{"twice", "Slice", 13, nil, list{count(2, 2), i64s(0, 0), i64s(1, 1), i64s(0, -2)}, nil, "twice"},
		{"numbers", "Slice", 13, nil, list{x, i64s(0), i64s(4, 4)}, nil, "1 starts, 2 ends"},
		{"too many", "Slice", 13, nil, list{x, i64s(0, 0), i64s(4, 4)}, nil, "2 starts for 1 axes"},
		{"axis", "Slice", 13, nil, list{x, i64s(0), i64s(4), i64s(1)}, nil, "axis 1"},
	}
}

func TestHostSlice(t *testing.T) {
	testHost(t, casesSlice())
}

func casesConcatAndSplit() []hostCase {
	axis := func(a int64) attrList { return attrList{attrInt("axis", a)} }
	return []hostCase{
		{"vectors", "Concat", 13, axis(0), list{i64s(1), i64s(), i64s(2, 3)}, list{i64s(1, 2, 3)}, ""},
		{"inner", "Concat", 13, axis(-1), list{count(2, 1), count(2, 2)}, list{shaped(i64s(0, 0, 1, 1, 2, 3), 2, 3)}, ""},
		{"bool", "Concat", 13, axis(0), list{bools(true), bools(false)}, list{bools(true, false)}, ""},
		{"version 1", "Concat", 1, nil, list{count(1, 1), count(1, 1)}, list{shaped(i64s(0, 0), 1, 2)}, ""},
		{"no axis", "Concat", 13, nil, list{i64s(1)}, nil, "axis is missing"},
		{"shapes", "Concat", 13, axis(0), list{count(2, 1), count(2, 2)}, nil, "input 1: got shape [2,2]"},
		{"types", "Concat", 13, axis(0), list{i64s(1), f32s(1)}, nil, "want int64"},
		{"scalars", "Concat", 13, axis(0), list{scalar(i64s(1))}, nil, "axis 0"},
		{"equal", "Split", 13, axis(1), list{count(2, 4)}, list{shaped(i64s(0, 1, 4, 5), 2, 2), shaped(i64s(2, 3, 6, 7), 2, 2)}, ""},
		{"sizes", "Split", 13, nil, list{count(4), i64s(1, 0, 3)}, list{i64s(0), i64s(), i64s(1, 2, 3)}, ""},
		{"attribute", "Split", 11, attrList{attrInts("split", 3, 1)}, list{count(4)}, list{i64s(0, 1, 2), i64s(3)}, ""},
		{"num_outputs", "Split", 18, attrList{attrInt("num_outputs", 3)}, list{count(5)}, list{i64s(0, 1), i64s(2, 3), i64s(4)}, ""},
		{"num_outputs, more than there are", "Split", 18, attrList{attrInt("num_outputs", 4)}, list{count(5)}, list{i64s(0, 1), i64s(2, 3), i64s(4), i64s()}, ""},
		{"unequal", "Split", 13, nil, list{count(5)}, list{i64s(), i64s()}, "no 2 equal parts"},
		{"sum", "Split", 13, nil, list{count(5), i64s(2, 2)}, list{i64s(), i64s()}, "sizes [2 2]"},
		{"wrapping sum", "Split", 13, nil, list{count(5), i64s(maxI64, maxI64, 7)}, list{i64s(), i64s(), i64s()}, "sizes"},
		{"outputs", "Split", 13, nil, list{count(5), i64s(5)}, list{i64s(), i64s()}, "1 sizes for 2 outputs"},
		{"num_outputs", "Split", 18, attrList{attrInt("num_outputs", 1<<40)}, list{count(5)}, list{i64s(), i64s()}, "num_outputs"},
	}
}

func TestHostConcatAndSplit(t *testing.T) {
	testHost(t, casesConcatAndSplit())
}

func casesGather() []hostCase {
	axis := func(a int64) attrList { return attrList{attrInt("axis", a)} }
	return []hostCase{
		{"scalar", "Gather", 13, nil, list{i64s(5, 6, 7), scalar(i64s(1))}, list{scalar(i64s(6))}, ""},
		{"negative", "Gather", 13, nil, list{i64s(5, 6, 7), i64s(-1, 0)}, list{i64s(7, 5)}, ""},
		{"rows", "Gather", 13, nil, list{count(3, 2), shaped(i64s(2, 0), 1, 2)}, list{shaped(i64s(4, 5, 0, 1), 1, 2, 2)}, ""},
		{"columns", "Gather", 13, axis(1), list{count(2, 3), i32s(2, 0)}, list{shaped(i64s(2, 0, 5, 3), 2, 2)}, ""},
		{"outside", "Gather", 13, nil, list{count(3), i64s(3)}, nil, "index 3 is outside a dim of 3"},
		{"outside below", "Gather", 13, nil, list{count(3), i64s(minI64)}, nil, "outside"},
		{"of nothing", "Gather", 13, nil, list{count(0), i64s()}, list{i64s()}, ""},
		{"axis", "Gather", 13, axis(1), list{count(3), i64s(0)}, nil, "axis 1"},
		{"index", "Gather", 13, nil, list{count(3), f32s(0)}, nil, "want int64 or int32"},
		{"limit", "Gather", 13, nil, list{count(1, 1<<15), tensor.Must(tensor.New(tensor.Int64, 1<<15))}, nil, "more than the limit"},
		{"rows", "GatherElements", 13, nil, list{count(3, 3), shaped(i64s(1, 2, 0, 2, 0, 0), 2, 3)}, list{shaped(i64s(3, 7, 2, 6, 1, 2), 2, 3)}, ""},
		{"columns", "GatherElements", 13, axis(1), list{count(2, 2), shaped(i64s(0, 0, -1, 0), 2, 2)}, list{shaped(i64s(0, 0, 3, 2), 2, 2)}, ""},
		{"outside", "GatherElements", 13, nil, list{count(2), i64s(2)}, nil, "outside"},
		{"shape", "GatherElements", 13, nil, list{count(2, 2), count(1, 3)}, nil, "input 1: got shape [1,3]"},
		{"elements", "GatherND", 13, nil, list{count(2, 2), shaped(i64s(0, 0, 1, 1), 2, 2)}, list{i64s(0, 3)}, ""},
		{"rows", "GatherND", 13, nil, list{count(2, 2), shaped(i64s(1, 0), 2, 1)}, list{shaped(i64s(2, 3, 0, 1), 2, 2)}, ""},
		{"batch", "GatherND", 13, attrList{attrInt("batch_dims", 1)}, list{count(2, 2, 2), shaped(i64s(1, 0), 2, 1)}, list{shaped(i64s(2, 3, 4, 5), 2, 2)}, ""},
		{"outside", "GatherND", 13, nil, list{count(2, 2), shaped(i64s(0, 2), 1, 2)}, nil, "outside"},
		{"too many", "GatherND", 13, nil, list{count(2), shaped(i64s(0, 0), 1, 2)}, nil, "at most 1"},
		{"batch dims", "GatherND", 13, attrList{attrInt("batch_dims", 2)}, list{count(2, 2), shaped(i64s(1, 0), 2, 1)}, nil, "batch_dims"},
		{"batch that differs", "GatherND", 13, attrList{attrInt("batch_dims", 1)}, list{count(2, 2), shaped(i64s(0), 1, 1)}, nil, "input 1"},
	}
}

func TestHostGather(t *testing.T) {
	testHost(t, casesGather())
}

func casesFill() []hostCase {
	i64Value := attrTensor("value", &pb.Tensor{DataType: pb.Int64, Dims: []int64{1}, Raw: []byte{254, 255, 255, 255, 255, 255, 255, 255}})
	return []hostCase{
		{"default", "ConstantOfShape", 9, nil, list{i64s(2, 1)}, list{shaped(f32s(0, 0), 2, 1)}, ""},
		{"scalar", "ConstantOfShape", 9, nil, list{i64s()}, list{scalar(f32s(0))}, ""},
		{"int64", "ConstantOfShape", 9, attrList{i64Value}, list{i64s(2)}, list{i64s(-2, -2)}, ""},
		{"bool", "ConstantOfShape", 9, attrList{attrTensor("value", &pb.Tensor{DataType: pb.Bool, Dims: []int64{1}, Int32Data: []int32{1}})}, list{i64s(2)}, list{bools(true, true)}, ""},
		{"float16", "ConstantOfShape", 9, attrList{attrTensor("value", &pb.Tensor{DataType: pb.Float16, Dims: []int64{1}, Raw: []byte{0, 0x3e}})}, list{i64s(1)}, list{f32s(1.5)}, ""},
		{"float32", "ConstantOfShape", 9, attrList{attrTensor("value", &pb.Tensor{DataType: pb.Float, FloatData: []float32{2.5}})}, list{i64s(1)}, list{f32s(2.5)}, ""},
		{"empty", "ConstantOfShape", 9, nil, list{i64s(0, 5)}, list{tensor.Must(tensor.New(tensor.Float32, 0, 5))}, ""},
		{"limit", "ConstantOfShape", 9, nil, list{i64s(1<<30, 1<<20)}, nil, "more than the limit"},
		{"overflow", "ConstantOfShape", 9, nil, list{i64s(1<<40, 1<<40)}, nil, "elements"},
		{"negative", "ConstantOfShape", 9, nil, list{i64s(-1)}, nil, "dim 0"},
		{"two elements", "ConstantOfShape", 9, attrList{attrTensor("value", &pb.Tensor{DataType: pb.Float, Dims: []int64{2}, FloatData: []float32{1, 2}})}, list{i64s(1)}, nil, "want one element"},
		{"no elements", "ConstantOfShape", 9, attrList{attrTensor("value", &pb.Tensor{DataType: pb.Float})}, list{i64s(1)}, nil, "0 bytes"},
		{"short", "ConstantOfShape", 9, attrList{attrTensor("value", &pb.Tensor{DataType: pb.Float, Raw: []byte{1}})}, list{i64s(1)}, nil, "1 bytes"},
		{"string", "ConstantOfShape", 9, attrList{attrTensor("value", &pb.Tensor{DataType: pb.String})}, list{i64s(1)}, nil, "string"},
		{"int64", "Range", 11, nil, list{scalar(i64s(1)), scalar(i64s(8)), scalar(i64s(3))}, list{i64s(1, 4, 7)}, ""},
		{"int32 backward", "Range", 11, nil, list{scalar(i32s(10)), scalar(i32s(4)), scalar(i32s(-2))}, list{i32s(10, 8, 6)}, ""},
		{"nothing", "Range", 11, nil, list{scalar(i64s(1)), scalar(i64s(1)), scalar(i64s(1))}, list{i64s()}, ""},
		{"wrong way", "Range", 11, nil, list{scalar(i64s(1)), scalar(i64s(5)), scalar(i64s(-1))}, list{i64s()}, ""},
		{"float32", "Range", 11, nil, list{scalar(f32s(0)), scalar(f32s(1)), scalar(f32s(0.25))}, list{f32s(0, 0.25, 0.5, 0.75)}, ""},
		{"widest", "Range", 11, nil, list{scalar(i64s(minI64)), scalar(i64s(maxI64)), scalar(i64s(1 << 62))}, list{i64s(minI64, -1<<62, 0, 1<<62)}, ""},
		{"widest backward", "Range", 11, nil, list{scalar(i64s(maxI64)), scalar(i64s(minI64)), scalar(i64s(minI64))}, list{i64s(maxI64, -1)}, ""},
		{"limit", "Range", 11, nil, list{scalar(i64s(minI64)), scalar(i64s(maxI64)), scalar(i64s(1))}, nil, "more than the limit"},
		{"limit of float32", "Range", 11, nil, list{scalar(f32s(0)), scalar(f32s(inf)), scalar(f32s(1))}, nil, "more than the limit"},
		{"delta 0", "Range", 11, nil, list{scalar(i64s(0)), scalar(i64s(5)), scalar(i64s(0))}, nil, "delta of 0"},
		{"delta 0 of float32", "Range", 11, nil, list{scalar(f32s(0)), scalar(f32s(5)), scalar(f32s(0))}, nil, "delta 0"},
		{"NaN", "Range", 11, nil, list{scalar(f32s(nan)), scalar(f32s(5)), scalar(f32s(1))}, nil, "NaN"},
	}
}

func TestHostFill(t *testing.T) {
	testHost(t, casesFill())
}

func casesReduce() []hostCase {
	noKeep := attrInt("keepdims", 0)
	return []hostCase{
		{"all", "ReduceSum", 13, nil, list{count(2, 3)}, list{shaped(i64s(15), 1, 1)}, ""},
		{"axes", "ReduceSum", 13, attrList{noKeep}, list{count(2, 3), i64s(-1)}, list{i64s(3, 12)}, ""},
		{"outer", "ReduceSum", 13, attrList{noKeep}, list{count(2, 3), i64s(0)}, list{i64s(3, 5, 7)}, ""},
		{"attribute", "ReduceSum", 11, attrList{attrInts("axes", 0)}, list{count(2, 3)}, list{shaped(i64s(3, 5, 7), 1, 3)}, ""},
		{"noop", "ReduceSum", 13, attrList{attrInt("noop_with_empty_axes", 1)}, list{count(2, 3)}, list{count(2, 3)}, ""},
		{"empty axes", "ReduceSum", 13, attrList{noKeep}, list{count(2, 3), i64s()}, list{scalar(i64s(15))}, ""},
		{"of nothing", "ReduceSum", 13, attrList{noKeep}, list{count(2, 0), i64s(1)}, list{i64s(0, 0)}, ""},
		{"wraps", "ReduceSum", 13, attrList{noKeep}, list{i32s(math.MaxInt32, 1)}, list{scalar(i32s(math.MinInt32))}, ""},
		{"float64 sums", "ReduceSum", 13, attrList{noKeep}, list{f32s(1<<24, 1, 1, -1<<24)}, list{scalar(f32s(2))}, ""},
		{"axis", "ReduceSum", 13, nil, list{count(2), i64s(1)}, nil, "axis 1"},
		{"bool", "ReduceSum", 13, nil, list{bools(true)}, nil, "bool"},
		{"int64", "ReduceMean", 18, attrList{noKeep}, list{i64s(-3, -4)}, list{scalar(i64s(-3))}, ""},
		{"of nothing", "ReduceMean", 18, attrList{noKeep}, list{tensor.Must(tensor.New(tensor.Float32, 0))}, list{scalar(f32s(nan))}, ""},
		{"of no integers", "ReduceMean", 18, attrList{noKeep}, list{i64s()}, nil, "the mean of no integers"},
		{"int64", "ReduceProd", 18, attrList{noKeep}, list{i64s(2, 3, 7)}, list{scalar(i64s(42))}, ""},
		{"of nothing", "ReduceProd", 18, attrList{noKeep}, list{i64s()}, list{scalar(i64s(1))}, ""},
		{"int64", "ReduceMax", 18, attrList{noKeep}, list{shaped(i64s(1, 9, 5, 2), 2, 2), i64s(0)}, list{i64s(5, 9)}, ""},
		{"NaN", "ReduceMax", 18, attrList{noKeep}, list{f32s(1, nan, 2)}, list{scalar(f32s(nan))}, ""},
		{"of nothing", "ReduceMax", 18, attrList{noKeep}, list{tensor.Must(tensor.New(tensor.Float32, 0))}, list{scalar(f32s(-inf))}, ""},
		{"of no integers", "ReduceMax", 18, attrList{noKeep}, list{i64s()}, list{scalar(i64s(minI64))}, ""},
		{"bool", "ReduceMax", 20, attrList{noKeep}, list{bools(false, true)}, list{scalar(bools(true))}, ""},
		{"uint8", "ReduceMin", 18, attrList{noKeep}, list{u8s(200, 100)}, list{scalar(u8s(100))}, ""},
		{"bool", "ReduceMin", 20, attrList{noKeep}, list{bools(false, true)}, list{scalar(bools(false))}, ""},
		{"int64", "ReduceL1", 18, attrList{noKeep}, list{i64s(-3, 4)}, list{scalar(i64s(7))}, ""},
		{"float32", "ReduceL2", 18, attrList{noKeep}, list{f32s(-3, 4)}, list{scalar(f32s(5))}, ""},
		{"large", "ReduceL2", 18, attrList{noKeep}, list{f32s(3e30, 4e30)}, list{scalar(f32s(5e30))}, ""},
		{"int64", "ReduceSumSquare", 18, attrList{noKeep}, list{i64s(-3, 4)}, list{scalar(i64s(25))}, ""},
		{"float32", "ReduceLogSum", 18, attrList{noKeep}, list{f32s(0.25, 0.75)}, list{scalar(f32s(0))}, ""},
		{"float32", "ReduceLogSumExp", 18, attrList{noKeep}, list{f32s(1000, 1000, -1000)}, list{scalar(f32s(1000 + math.Ln2))}, ""},
		{"infinity", "ReduceLogSumExp", 18, attrList{noKeep}, list{f32s(1, inf, inf)}, list{scalar(f32s(inf))}, ""},
		{"−infinity", "ReduceLogSumExp", 18, attrList{noKeep}, list{f32s(-inf, -inf)}, list{scalar(f32s(-inf))}, ""},
		{"−infinity beside numbers", "ReduceLogSumExp", 18, attrList{noKeep}, list{f32s(-inf, 3)}, list{scalar(f32s(3))}, ""},
		{"NaN", "ReduceLogSumExp", 18, attrList{noKeep}, list{f32s(nan, inf)}, list{scalar(f32s(nan))}, ""},
		{"first", "ArgMax", 13, attrList{noKeep}, list{i64s(1, 5, 5)}, list{scalar(i64s(1))}, ""},
		{"last", "ArgMax", 13, attrList{noKeep, attrInt("select_last_index", 1)}, list{i64s(1, 5, 5)}, list{scalar(i64s(2))}, ""},
		{"axis", "ArgMax", 13, attrList{attrInt("axis", 1)}, list{shaped(f32s(1, 2, 4, 3), 2, 2)}, list{shaped(i64s(1, 0), 2, 1)}, ""},
		{"NaN", "ArgMax", 13, attrList{noKeep}, list{f32s(1, nan, nan, inf)}, list{scalar(i64s(1))}, ""},
		{"NaN last", "ArgMax", 13, attrList{noKeep, attrInt("select_last_index", 1)}, list{f32s(1, nan, nan, inf)}, list{scalar(i64s(1))}, ""},
		{"of nothing", "ArgMax", 13, nil, list{count(0)}, nil, "of none"},
		{"int32", "ArgMin", 13, attrList{noKeep}, list{i32s(3, -1, -1)}, list{scalar(i64s(1))}, ""},
		{"NaN", "ArgMin", 13, attrList{noKeep}, list{f32s(1, nan, -inf)}, list{scalar(i64s(1))}, ""},
	}
}

func TestHostReduce(t *testing.T) {
	testHost(t, casesReduce())
}

func casesIdentity() []hostCase {
	return []hostCase{{"bool", "Identity", 13, nil, list{bools(true)}, list{bools(true)}, ""}}
}

func TestHostIdentity(t *testing.T) {
	testHost(t, casesIdentity())
}

func casesPad() []hostCase {
	mode := func(m string) attrList { return attrList{attrStr("mode", m)} }
	x := i64s(1, 2, 3)
	return []hostCase{
		{"constant", "Pad", 13, nil, list{x, i64s(1, 2)}, list{i64s(0, 1, 2, 3, 0, 0)}, ""},
		{"value", "Pad", 13, nil, list{count(1, 2), i64s(1, 0, 0, 1), scalar(i64s(9))}, list{shaped(i64s(9, 9, 9, 0, 1, 9), 2, 3)}, ""},
		{"bool", "Pad", 13, nil, list{bools(true), i64s(0, 1)}, list{bools(true, false)}, ""},
		{"reflect", "Pad", 13, mode("reflect"), list{x, i64s(2, 1)}, list{i64s(3, 2, 1, 2, 3, 2)}, ""},
		{"reflect twice", "Pad", 13, mode("reflect"), list{x, i64s(0, 5)}, list{i64s(1, 2, 3, 2, 1, 2, 3, 2)}, ""},
		{"reflect one element", "Pad", 13, mode("reflect"), list{i64s(7), i64s(1, 1)}, list{i64s(7, 7, 7)}, ""},
		{"edge", "Pad", 13, mode("edge"), list{x, i64s(2, 1)}, list{i64s(1, 1, 1, 2, 3, 3)}, ""},
		{"wrap", "Pad", 19, mode("wrap"), list{x, i64s(4, 1)}, list{i64s(3, 1, 2, 3, 1, 2, 3, 1)}, ""},
		{"crop", "Pad", 13, nil, list{x, i64s(-1, 1)}, list{i64s(2, 3, 0)}, ""},
		{"crop and edge", "Pad", 13, mode("edge"), list{x, i64s(1, -1)}, list{i64s(1, 1, 2)}, ""},
		{"crop everything", "Pad", 13, nil, list{x, i64s(-3, 0)}, list{i64s()}, ""},
		{"axes", "Pad", 18, nil, list{count(1, 2), i64s(1, 0), nil, i64s(-1)}, list{shaped(i64s(0, 0, 1), 1, 3)}, ""},
		{"version 2", "Pad", 2, attrList{attrInts("pads", 1, 0), attrFloat("value", 5)}, list{f32s(1)}, list{f32s(5, 1)}, ""},
		{"version 1", "Pad", 1, attrList{attrInts("paddings", 0, 1)}, list{f32s(1)}, list{f32s(1, 0)}, ""},
		{"crop too much", "Pad", 13, nil, list{x, i64s(-2, -2)}, nil, "pads of -2 and -2"},
		{"crop too much and pad", "Pad", 13, nil, list{x, i64s(-5, 9)}, nil, "cropped"},
		{"nothing to pad with", "Pad", 13, mode("edge"), list{i64s(), i64s(1, 0)}, nil, "nothing to pad with"},
		{"number", "Pad", 13, nil, list{x, i64s(1)}, nil, "want 2"},
		{"axes and pads", "Pad", 18, nil, list{x, i64s(1), nil, i64s(0)}, nil, "1 pads for 1 axes"},
		{"mode", "Pad", 13, mode("mirror"), list{x, i64s(1, 0)}, nil, "mirror"},
		{"limit", "Pad", 13, nil, list{x, i64s(1<<40, 0)}, nil, "more than the limit"},
		{"overflow", "Pad", 13, nil, list{x, i64s(maxI64, maxI64)}, nil, "pads of"},
		{"type", "Pad", 13, nil, list{x, i64s(1, 0), scalar(f32s(1))}, nil, "want int64"},
	}
}

func TestHostPad(t *testing.T) {
	testHost(t, casesPad())
}

func casesScatter() []hostCase {
	how := func(r string) attrList { return attrList{attrStr("reduction", r)} }
	return []hostCase{
		{"columns", "ScatterElements", 18, attrList{attrInt("axis", 1)}, list{count(1, 4), shaped(i64s(1, -1), 1, 2), shaped(i64s(8, 9), 1, 2)}, list{shaped(i64s(0, 8, 2, 9), 1, 4)}, ""},
		{"rows", "ScatterElements", 11, nil, list{count(2, 2), shaped(i32s(1, 0), 1, 2), shaped(i64s(8, 9), 1, 2)}, list{shaped(i64s(0, 9, 8, 3), 2, 2)}, ""},
		{"the last of equal ones", "Scatter", 9, nil, list{count(2), i64s(1, 1), i64s(8, 9)}, list{i64s(0, 9)}, ""},
		{"add", "ScatterElements", 16, how("add"), list{count(2), i64s(1, 1), i64s(8, 9)}, list{i64s(0, 18)}, ""},
		{"mul", "ScatterElements", 16, how("mul"), list{f32s(2, 3), i64s(0, 0), f32s(4, 5)}, list{f32s(40, 3)}, ""},
		{"max", "ScatterElements", 18, how("max"), list{u8s(2, 3), i64s(0, 1), u8s(4, 1)}, list{u8s(4, 3)}, ""},
		{"min", "ScatterElements", 18, how("min"), list{i32s(2, 3), i64s(0, 1), i32s(4, 1)}, list{i32s(2, 1)}, ""},
		{"outside", "ScatterElements", 18, nil, list{count(2), i64s(2), i64s(9)}, nil, "outside"},
		{"shapes", "ScatterElements", 18, nil, list{count(2), i64s(1), i64s(8, 9)}, nil, "input 2: got shape [2]"},
		{"types", "ScatterElements", 18, nil, list{count(2), i64s(1), f32s(8)}, nil, "want int64"},
		{"reduction", "ScatterElements", 18, how("mean"), list{count(2), i64s(1), i64s(8)}, nil, "mean"},
		{"reduction of bool", "ScatterElements", 18, how("add"), list{bools(true), i64s(0), bools(true)}, nil, "bool"},
		{"elements", "ScatterND", 18, nil, list{count(4), shaped(i64s(3, 1), 2, 1), i64s(8, 9)}, list{i64s(0, 9, 2, 8)}, ""},
		{"rows", "ScatterND", 11, nil, list{count(2, 2), shaped(i64s(-1), 1, 1), shaped(i64s(8, 9), 1, 2)}, list{shaped(i64s(0, 1, 8, 9), 2, 2)}, ""},
		{"add", "ScatterND", 16, how("add"), list{count(2), shaped(i64s(1, 1), 2, 1), i64s(8, 9)}, list{i64s(0, 18)}, ""},
		{"outside", "ScatterND", 18, nil, list{count(2), shaped(i64s(-3), 1, 1), i64s(8)}, nil, "outside"},
		{"shapes", "ScatterND", 18, nil, list{count(2, 2), shaped(i64s(0), 1, 1), i64s(8)}, nil, "want [1,2]"},
		{"too many", "ScatterND", 18, nil, list{count(2), shaped(i64s(0, 0), 1, 2), i64s(8)}, nil, "at most 1"},
	}
}

func TestHostScatter(t *testing.T) {
	testHost(t, casesScatter())
}

func casesSelect() []hostCase {
	return []hostCase{
		{"largest", "TopK", 11, nil, list{i64s(3, 9, 1, 9), i64s(3)}, list{i64s(9, 9, 3), i64s(1, 3, 0)}, ""},
		{"smallest", "TopK", 11, attrList{attrInt("largest", 0)}, list{i64s(3, 9, 1, 1), i64s(3)}, list{i64s(1, 1, 3), i64s(2, 3, 0)}, ""},
		{"NaN", "TopK", 11, nil, list{f32s(inf, nan, 1), i64s(2)}, list{f32s(nan, inf), i64s(1, 0)}, ""},
		{"NaN last", "TopK", 11, attrList{attrInt("largest", 0)}, list{f32s(inf, nan, 1), i64s(3)}, list{f32s(1, inf, nan), i64s(2, 0, 1)}, ""},
		{"axis", "TopK", 11, attrList{attrInt("axis", 0)}, list{count(2, 2), i64s(1)}, list{shaped(i64s(2, 3), 1, 2), shaped(i64s(1, 1), 1, 2)}, ""},
		{"version 1", "TopK", 1, attrList{attrInt("k", 1)}, list{f32s(1, 2)}, list{f32s(2), i64s(1)}, ""},
		{"none", "TopK", 11, nil, list{f32s(1, 2), i64s(0)}, list{tensor.Must(tensor.New(tensor.Float32, 0)), i64s()}, ""},
		{"too many", "TopK", 11, nil, list{f32s(1, 2), i64s(3)}, nil, "k is 3"},
		{"bool", "TopK", 11, nil, list{bools(true), i64s(1)}, nil, "bool"},
		{"matrix", "NonZero", 13, nil, list{shaped(i64s(1, 0, 2, 3), 2, 2)}, list{shaped(i64s(0, 1, 1, 0, 0, 1), 2, 3)}, ""},
		{"bool", "NonZero", 13, nil, list{bools(false, true)}, list{shaped(i64s(1), 1, 1)}, ""},
		{"none", "NonZero", 13, nil, list{f32s(0, 0)}, list{shaped(i64s(), 1, 0)}, ""},
		{"scalar", "NonZero", 13, nil, list{scalar(i64s(5))}, list{shaped(i64s(0), 1, 1)}, ""},
		{"last axis", "OneHot", 11, nil, list{i64s(1, -1), scalar(i64s(3)), f32s(0, 5)}, list{shaped(f32s(0, 5, 0, 0, 0, 5), 2, 3)}, ""},
		{"first axis", "OneHot", 11, attrList{attrInt("axis", 0)}, list{i32s(1, 0), i64s(2), i64s(7, 8)}, list{shaped(i64s(7, 8, 8, 7), 2, 2)}, ""},
		{"outside", "OneHot", 11, nil, list{i64s(3, -4), i64s(3), bools(false, true)}, list{shaped(bools(false, false, false, false, false, false), 2, 3)}, ""},
		{"float depth", "OneHot", 11, nil, list{f32s(1), f32s(2), f32s(0, 1)}, list{shaped(f32s(0, 1), 1, 2)}, ""},
		{"scalar", "OneHot", 11, nil, list{scalar(i64s(1)), i64s(2), f32s(0, 1)}, list{f32s(0, 1)}, ""},
		{"limit", "OneHot", 11, nil, list{i64s(1), i64s(1 << 40), f32s(0, 1)}, nil, "more than the limit"},
		{"depth", "OneHot", 11, nil, list{i64s(1), i64s(-1), f32s(0, 1)}, nil, "depth of -1"},
		{"values", "OneHot", 11, nil, list{i64s(1), i64s(2), f32s(0)}, nil, "want [2]"},
		{"axis", "CumSum", 14, nil, list{count(2, 3), scalar(i64s(1))}, list{shaped(i64s(0, 1, 3, 3, 7, 12), 2, 3)}, ""},
		{"outer axis", "CumSum", 14, nil, list{count(2, 3), scalar(i32s(0))}, list{shaped(i64s(0, 1, 2, 3, 5, 7), 2, 3)}, ""},
		{"exclusive", "CumSum", 14, attrList{attrInt("exclusive", 1)}, list{i64s(1, 2, 3), scalar(i64s(0))}, list{i64s(0, 1, 3)}, ""},
		{"reverse", "CumSum", 14, attrList{attrInt("reverse", 1)}, list{f32s(1, 2, 3), scalar(i64s(0))}, list{f32s(6, 5, 3)}, ""},
		{"both", "CumSum", 14, attrList{attrInt("reverse", 1), attrInt("exclusive", 1)}, list{i32s(1, 2, 3), scalar(i64s(-1))}, list{i32s(5, 3, 0)}, ""},
		{"axis", "CumSum", 14, nil, list{i64s(1), scalar(i64s(1))}, nil, "axis 1"},
		{"uint8", "CumSum", 14, nil, list{u8s(1), scalar(i64s(0))}, nil, "uint8"},
	}
}

func TestHostSelect(t *testing.T) {
	testHost(t, casesSelect())
}

func casesBits() []hostCase {
	return []hostCase{
		{"int64", "BitwiseAnd", 18, nil, list{i64s(6, -1), i64s(3, 5)}, list{i64s(2, 5)}, ""},
		{"uint8", "BitwiseOr", 18, nil, list{u8s(6), u8s(3)}, list{u8s(7)}, ""},
		{"int32", "BitwiseXor", 18, nil, list{i32s(6), i32s(3)}, list{i32s(5)}, ""},
		{"uint8", "BitwiseNot", 18, nil, list{u8s(1)}, list{u8s(254)}, ""},
		{"float32", "BitwiseNot", 18, nil, list{f32s(1)}, nil, "want an integer"},
		{"float32", "BitwiseAnd", 18, nil, list{f32s(1), f32s(1)}, nil, "float32"},
		{"left", "BitShift", 11, attrList{attrStr("direction", "LEFT")}, list{u8s(16, 1, 200), u8s(1, 8, 1)}, list{u8s(32, 0, 144)}, ""},
		{"right", "BitShift", 11, attrList{attrStr("direction", "RIGHT")}, list{u8s(16, 1), u8s(2, 200)}, list{u8s(4, 0)}, ""},
		{"direction", "BitShift", 11, nil, list{u8s(16), u8s(1)}, nil, "direction"},
	}
}

func TestHostBits(t *testing.T) {
	testHost(t, casesBits())
}

// TestHostNeverPanics calls every function with inputs of every number, type and kind of shape.
func TestHostNeverPanics(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	numbers := []int64{0, 1, 2, 3, -1, -2, 1 << 31, -1 << 31, 1 << 40, maxI64, minI64}
	random := func() *tensor.Tensor {
		shape := make([]int, rng.IntN(4))
		for i := range shape {
			shape[i] = rng.IntN(4)
		}
		t := tensor.Must(tensor.New(tensor.DType(1+rng.IntN(6)), shape...))
		switch t.DType() {
		case tensor.Int64:
			d, _ := tensor.Data[int64](t)
			for i := range d {
				d[i] = numbers[rng.IntN(len(numbers))]
			}
		case tensor.Bool:
			d, _ := tensor.Data[bool](t)
			for i := range d {
				d[i] = rng.IntN(2) == 0
			}
		default:
			c := &hostCall{budget: newBudget(1 << 23)}
			v := tensor.Must(tensor.New(tensor.Int64, shape...))
			d, _ := tensor.Data[int64](v)
			for i := range d {
				d[i] = numbers[rng.IntN(len(numbers))]
			}
			t, _ = c.cast(v, t.DType())
		}
		return t
	}
	names := []string{"axis", "axes", "keepdims", "noop_with_empty_axes", "pads", "shape", "perm", "starts", "ends", "split", "num_outputs", "batch_dims", "k", "start", "end", "to", "allowzero", "broadcast", "fmod", "exclusive", "mode", "reduction", "value"}
	for op := range hostFuncs {
		for range 3000 {
			var in list
			for range rng.IntN(5) {
				if rng.IntN(8) == 0 {
					in = append(in, nil)
				} else {
					in = append(in, random())
				}
			}
			var attrs attrList
			for _, n := range names {
				switch rng.IntN(12) {
				case 0:
					attrs = append(attrs, attrInt(n, numbers[rng.IntN(len(numbers))]))
				case 1:
					attrs = append(attrs, attrInts(n, numbers[rng.IntN(len(numbers))], numbers[rng.IntN(len(numbers))]))
				case 2:
					attrs = append(attrs, attrStr(n, []string{"edge", "reflect", "wrap", "add", "max"}[rng.IntN(5)]))
				}
			}
			_, _ = runHost(op, 1+rng.IntN(25), rng.IntN(4), 1000, attrs, in...)
		}
	}
}
