package pb

import (
	"bytes"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unsafe"
)

// sample returns a model that uses everything that can be written.
func sample() *Model {
	inner := &Graph{
		Name:    "then",
		Nodes:   []*Node{{OpType: "Identity", Inputs: []string{"x"}, Outputs: []string{"z"}}},
		Outputs: []*ValueInfo{{Name: "z"}},
	}
	w := &Tensor{Name: "w", Doc: "weights", DataType: Float, Dims: []int64{2, 1}, Raw: []byte{0, 0, 128, 63, 0, 0, 0, 192}}
	return &Model{
		IRVersion: 8, ProducerName: "test", ProducerVersion: "1", Domain: "org.example", ModelVersion: -3, Doc: "a sample",
		OpsetImports: []Opset{{"", 17}, {"ai.onnx.ml", 3}},
		Metadata:     []KeyValue{{"k", "v"}, {"", ""}},
		Graph: &Graph{
			Name: "g", Doc: "graph",
			Nodes: []*Node{
				{
					Name: "n", OpType: "Op", Domain: "d", Overload: "o", Doc: "node",
					Inputs: []string{"x", "", "w"}, Outputs: []string{"", "y"},
					Attrs: []*Attr{
						{Name: "f", Type: AttrFloat, F: -1.5},
						{Name: "zero", Type: AttrFloat},
						{Name: "i", Type: AttrInt, I: -7},
						{Name: "s", Type: AttrString, S: []byte("caf\xe9")},
						{Name: "t", Type: AttrTensor, T: w},
						{Name: "g", Type: AttrGraph, G: inner},
						{Name: "fs", Type: AttrFloats, Floats: []float32{1, 2}},
						{Name: "is", Type: AttrInts, Ints: []int64{-1, 0, 1 << 40}},
						{Name: "none", Type: AttrInts},
						{Name: "ss", Type: AttrStrings, Strings: [][]byte{[]byte("a"), {}}},
						{Name: "ts", Type: AttrTensors, Tensors: []*Tensor{{DataType: Int32, Int32Data: []int32{-1}}}},
						{Name: "gs", Type: AttrGraphs, Graphs: []*Graph{inner, {Name: "empty"}}},
						{Name: "r", Type: AttrInt, RefAttrName: "outer"},
					},
				},
			},
			Initializers: []*Tensor{
				w,
				{Name: "f", DataType: Float, Dims: []int64{0}, FloatData: []float32{1, 2, 3}},
				{Name: "i64", DataType: Int64, Int64Data: []int64{1, -1}},
				{Name: "d", DataType: Double, DoubleData: []float64{0.1}},
				{Name: "u", DataType: Uint64, Uint64Data: []uint64{1 << 63}},
				{Name: "s", DataType: String, StringData: [][]byte{[]byte("x")}},
				{Name: "e", DataType: Uint8, Dims: []int64{0}, Raw: []byte{}},
				{Name: "ext", DataType: Float, Dims: []int64{1}, External: []KeyValue{{"location", "w.bin"}}, DataLocation: LocationExternal},
			},
			Inputs: []*ValueInfo{
				{Name: "x", Kind: TensorKind, ElemType: Float, HasShape: true, Dims: []Dim{{Param: "N"}, {Known: true}, {Value: 3, Known: true}, {}}},
				{Name: "scalar", Kind: TensorKind, ElemType: Int64, HasShape: true},
			},
			Outputs:    []*ValueInfo{{Name: "y", Kind: TensorKind, ElemType: BFloat16}},
			ValueInfos: []*ValueInfo{{Name: "untyped"}},
		},
	}
}

// forget clears what of a decoded model is no part of the message.
func forget(g *Graph) {
	for _, n := range g.Nodes {
		for _, a := range n.Attrs {
			a.present = 0
			if a.G != nil {
				forget(a.G)
			}
			for _, g := range a.Graphs {
				forget(g)
			}
		}
	}
}

func TestEncodeDecode(t *testing.T) {
	data, err := Encode(sample())
	if err != nil {
		t.Fatal(err)
	}
	again, err := Encode(sample())
	if err != nil || !bytes.Equal(data, again) {
		t.Errorf("a second Encode differs (%v)", err)
	}
	m := mustDecode(t, data)
	a := m.Graph.Nodes[0].Attrs
	if !a[1].Has(AttrFloat) || a[1].Has(AttrInt) || a[8].Has(AttrInts) || a[0].Has(-1) || a[0].Has(99) {
		t.Errorf("presence of fields: %b %b", a[1].present, a[8].present)
	}
	forget(m.Graph)
	if want := sample(); !reflect.DeepEqual(m, want) {
		t.Errorf("got %+v\nwant %+v", m.Graph, want.Graph)
	}
	if n := m.Graph.Nodes[0]; n.Attr("is") != n.Attrs[7] || n.Attr("absent") != nil {
		t.Error("Node.Attr")
	}
	// Weights stay where they are.
	raw := m.Graph.Initializers[0].Raw
	if !aliases(data, raw) {
		t.Error("Raw is a copy")
	}
	if cap(raw) != len(raw) {
		t.Error("append to Raw would write into the file")
	}
}

func aliases(data, part []byte) bool {
	lo, p := uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(unsafe.Pointer(unsafe.SliceData(part)))
	return p >= lo && p+uintptr(len(part)) <= lo+uintptr(len(data))
}

// Forms that writers other than ours use.
func TestDecodeForms(t *testing.T) {
	m := mustDecode(t, cat(
		body(8, varint(2, 13)), varint(1, 3), varint(1, 4), // any order; the last counts
		body(7,
			body(1,
				body(5, str(1, "packed"), body(8, []byte{1, 2}), varint(8, 3), body(8, []byte{4})),
				body(5, str(1, "floats"), body(7, []byte{0, 0, 128, 63}), fixed32(7, 2)),
				body(5, str(1, "sparse"), varint(20, 11), body(22)),
				body(5, str(1, "type"), body(14)),
				varint(9, 1), fixed64(10, 1), // unknown
			),
			body(5,
				body(1, []byte{2, 3}), varint(1, 4), varint(2, 1), body(3),
				body(5, []byte{1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}), varint(5, -2),
				body(10, make([]byte, 8)), fixed64(10, 2), fixed32(4, 1), varint(7, 5), varint(11, 6),
			),
			body(11, str(1, "a"), body(2, str(6, "IMAGE"), body(1, varint(1, 1), body(2,
				body(1, varint(1, 5), str(2, "n"), str(3, "BATCH")), body(1, str(2, "n"), varint(1, 5)), body(1, varint(1, -1)))))),
			body(11, body(2, body(4, body(1, body(1, varint(1, 1)))))),
			body(11, body(2, body(5))), body(11, body(2, body(7))), body(11, body(2, body(8))), body(11, body(2, body(9))),
			body(14), body(15), body(15), str(10, "doc \xff"),
			[]byte{100<<3&0x7f | 0x80 | 3, 6, 8, 1, 100<<3&0x7f | 0x80 | 4, 6}, // a group
		),
		body(20), body(25, str(1, "f"), str(10, "dom"), str(13, "over"), body(7)),
		str(6, ""),
	))
	if m.IRVersion != 4 || m.OpsetImports[0] != (Opset{"", 13}) || m.TrainingInfo != 1 ||
		m.Functions[0] != (Function{"dom", "f", "over"}) {
		t.Errorf("model %+v", m)
	}
	g := m.Graph
	if g.SparseInitializers != 2 || g.Doc != "doc \uFFFD" {
		t.Errorf("graph %+v", g)
	}
	a := g.Nodes[0].Attrs
	if !reflect.DeepEqual(a[0].Ints, []int64{1, 2, 3, 4}) || a[0].Type != AttrInts {
		t.Errorf("ints %+v", a[0])
	}
	if !reflect.DeepEqual(a[1].Floats, []float32{1, 2}) || a[1].Type != AttrFloats {
		t.Errorf("floats %+v", a[1])
	}
	if a[2].Type != AttrSparseTensor || a[3].Type != AttrTypeProto {
		t.Errorf("types %v, %v", a[2].Type, a[3].Type)
	}
	w := g.Initializers[0]
	want := &Tensor{DataType: Float, Dims: []int64{2, 3, 4}, Int32Data: []int32{1, -1, -2}, DoubleData: []float64{0, 2},
		FloatData: []float32{1}, Int64Data: []int64{5}, Uint64Data: []uint64{6}, Segmented: true}
	if !reflect.DeepEqual(w, want) {
		t.Errorf("tensor %+v", w)
	}
	if d := g.Inputs[0].Dims; !reflect.DeepEqual(d, []Dim{{Param: "n"}, {Value: 5, Known: true}, {}}) {
		t.Errorf("dims %+v", d)
	}
	for i, k := range []ValueKind{TensorKind, SequenceKind, MapKind, OpaqueKind, SparseKind, OptionalKind} {
		if g.Inputs[i].Kind != k {
			t.Errorf("input %d is a %v, want %v", i, g.Inputs[i].Kind, k)
		}
	}
}

func TestEncodeErrors(t *testing.T) {
	deep := &Graph{}
	deep.Nodes = []*Node{{Attrs: []*Attr{{Type: AttrGraph, G: deep}}}} // around in a circle
	node := func(a *Attr) *Graph { return &Graph{Nodes: []*Node{{Name: "n", OpType: "Op", Attrs: []*Attr{a}}}} }
	for want, m := range map[string]*Model{
		"has no graph":                           {},
		"the model's 2 functions":                {Graph: &Graph{}, Functions: make([]Function, 2)},
		"training steps":                         {Graph: &Graph{}, TrainingInfo: 1},
		`graph "g": cannot write its 3 sparse`:   {Graph: &Graph{Name: "g", SparseInitializers: 3}},
		"more than 16 graphs":                    {Graph: deep},
		`the string "\xff": it is not valid`:     {Graph: &Graph{Name: "\xff"}},
		`node "n" (Op): attribute "a" of type t`: {Graph: node(&Attr{Name: "a", Type: AttrTensor})},
		`attribute "b" of type graph: no value`:  {Graph: node(&Attr{Name: "b", Type: AttrGraph})},
		`attribute "c" of type sparse tensor`:    {Graph: node(&Attr{Name: "c", Type: AttrSparseTensor})},
		`attribute "" of type undefined`:         {Graph: node(&Attr{})},
		`value "v": cannot write its type, a s`:  {Graph: &Graph{Inputs: []*ValueInfo{{Name: "v", Kind: SequenceKind}}}},
		`tensor "t": cannot write a part`:        {Graph: &Graph{Initializers: []*Tensor{{Name: "t", Segmented: true}}}},
	} {
		if _, err := Encode(m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := EncodeTensor(&Tensor{Segmented: true}); err == nil {
		t.Error("EncodeTensor wrote a part of a tensor")
	}
}

// What is decoded from other programs' files and encoded here is the same model.
func TestConformanceRoundTrip(t *testing.T) {
	dir := conformance(t)
	refused := 0
	n := files(t, dir, ".onnx", func(name string, data []byte) {
		m, err := Decode(data, Limits{})
		if err != nil {
			if filepath.Base(filepath.Dir(name)) != "negative" {
				t.Errorf("%s: %v", name, err)
			}
			return
		}
		enc, err := Encode(m)
		if err != nil {
			refused++
			return
		}
		back := mustDecode(t, enc)
		forget(m.Graph)
		forget(back.Graph)
		if !reflect.DeepEqual(m, back) {
			t.Errorf("%s: differs", name)
		}
	})
	// They have sequences and optional values, and sparse or type attributes.
	if n < 660 || refused > 60 {
		t.Errorf("%d models, of which %d cannot be written", n, refused)
	}
	t.Logf("%d models, of which %d cannot be written", n, refused)
}

func TestDecodeTensor(t *testing.T) {
	want := &Tensor{Name: "x", DataType: Float, Dims: []int64{1}, Raw: []byte{0, 0, 0, 64}}
	data, err := EncodeTensor(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeTensor(data, Limits{})
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = DecodeTensor(nil, Limits{})
	wantError(t, err, "the file is empty")
	_, err = DecodeTensor(varint(1, 1), Limits{})
	wantError(t, err, "not an ONNX tensor: it has no element type")
	_, err = DecodeTensor(data[:len(data)-1], Limits{})
	wantError(t, err, "tensor (byte", "was the file cut off?")
	_, err = DecodeTensor(str(2, "x"), Limits{})
	wantError(t, err, "tensor.data_type (byte 0)")
}

func TestNames(t *testing.T) {
	for want, got := range map[string]string{
		"float32": Float.String(), "float64": Double.String(), "bfloat16": BFloat16.String(), "int2": Int2.String(),
		"type 27": DataType(27).String(), "type -1": DataType(-1).String(),
		"ints": AttrInts.String(), "types": AttrTypeProtos.String(), "attribute type 15": AttrType(15).String(),
		"optional": OptionalKind.String(), "ValueKind(9)": ValueKind(9).String(),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
