package pb

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// The messages of the tests are written with these, as no encoder makes bad ones.

func cat(parts ...[]byte) []byte { return slices.Concat(parts...) }

func body(num protowire.Number, parts ...[]byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), cat(parts...))
}

func str(num protowire.Number, s string) []byte { return body(num, []byte(s)) }

func varint(num protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), uint64(v))
}

func fixed32(num protowire.Number, v float32) []byte {
	return protowire.AppendFixed32(protowire.AppendTag(nil, num, protowire.Fixed32Type), math.Float32bits(v))
}

func fixed64(num protowire.Number, v float64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(nil, num, protowire.Fixed64Type), math.Float64bits(v))
}

// inModel wraps the fields of a graph into a model.
func inModel(graph ...[]byte) []byte { return cat(varint(1, 8), body(7, graph...)) }

// inAttr wraps the fields of an attribute into a node of a model.
func inAttr(attr ...[]byte) []byte {
	return inModel(body(1, str(4, "Op"), body(5, attr...)))
}

// inTensor wraps the fields of a tensor into a model's initializer.
func inTensor(fields ...[]byte) []byte { return inModel(body(5, fields...)) }

// inValue wraps the fields of a TypeProto into a model's first input.
func inValue(typ ...[]byte) []byte { return inModel(body(11, str(1, "x"), body(2, typ...))) }

func mustDecode(t *testing.T, data []byte) *Model {
	t.Helper()
	m, err := Decode(data, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// wantError demands a FormatError with these parts.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	var fe *FormatError
	if !errors.As(err, &fe) {
		t.Errorf("got error %v, want a *FormatError with %q", err, parts)
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("got error %q, want %q in it", err, p)
		}
	}
}

func TestDecodeMalformed(t *testing.T) {
	node := func(fields ...[]byte) []byte { return body(1, fields...) }
	for _, c := range []struct {
		name string
		data []byte
		want []string
	}{
		{"empty", nil, []string{"the file is empty"}},
		{"text", []byte("hello, world: this is no model"), []string{"not an ONNX model: "}},
		{"zeros", make([]byte, 100), []string{"not an ONNX model: got an invalid field number"}},
		{"no graph", varint(1, 8), []string{"it has no graph"}},
		{"nothing known", varint(99, 8), []string{"not an ONNX model: it has no graph"}},
		{"two graphs", cat(inModel(), body(7)), []string{"graph (byte 4): ", "got a second one"}},
		{"cut off tag", cat(inModel(), []byte{0x80}), []string{"the data ends after 1 bytes, want the number and the type of a field (byte 4)"}},
		{"cut off bytes", inModel()[:3], []string{"field 7", "the data ends"}},
		{"short", cat(varint(1, 8), []byte{7<<3 | 2, 200, 1, 0}), []string{"field 7 has 200 bytes by its length, got the 1 that are left (was the file cut off?)"}},
		{"short inside", inModel([]byte{1<<3 | 2, 200, 1, 0}, str(2, "g"))[:7], []string{"field 7"}},
		{"length beyond the message", inModel(body(1, []byte{1<<3 | 2, 9}, []byte("x")), str(2, "name")), []string{"graph.node[0] (byte 7): field 1 has 9 bytes by its length, got the 1 that are left"}},
		{"huge length", cat(varint(1, 8), []byte{7<<3 | 2, 255, 255, 255, 255, 255, 255, 255, 255, 127}), []string{"field 7 has 9223372036854775807 bytes"}},
		{"varint of 11 bytes", cat(varint(1, 8), []byte{8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}), []string{"field 1: got a number of more than 64 bits"}},
		{"reserved type", cat(varint(1, 8), []byte{1<<3 | 6}), []string{"a type that does not exist"}},
		{"open group", cat(inModel(), []byte{50<<3&0x7f | 0x80 | 3, 3}), []string{"field 50", "the data ends"}},
		{"ir_version", cat(str(1, "8"), inModel()), []string{"ir_version", "field 1 is a length and bytes, want a varint"}},
		{"graph is a number", cat(varint(1, 8), varint(7, 1)), []string{"graph (byte 2): field 7 is a varint, want a length and bytes"}},
		{"graph is a group", cat(varint(1, 8), []byte{7<<3 | 3, 7<<3 | 4}), []string{"graph (byte 2): field 7 is a group"}},
		{"node", inModel(node(), varint(1, 3)), []string{"graph.node[1] (byte 6): field 1 is a varint"}},
		{"op_type", inModel(node(), node(), node(varint(4, 3))), []string{"graph.node[2].op_type"}},
		{"name", inModel(node(str(3, "a\xff"))), []string{`graph.node[0].name (byte 6): got "a\xff", want valid UTF-8`}},
		{"input name", inModel(node(str(1, "ok"), str(1, "\xc3"))), []string{"graph.node[0].input[1] (byte", "want valid UTF-8"}},
		{"f", inAttr(varint(2, 1)), []string{"graph.node[0].attribute[0].f", "want 4 bytes"}},
		{"floats", inAttr(body(7, []byte{1, 2, 3, 4, 5})), []string{"attribute[0].floats", "got 5 bytes of numbers, want a multiple of 4"}},
		{"ints", inAttr(body(8, []byte{1, 0x80})), []string{"attribute[0].ints", "the data ends"}},
		{"long ints", inAttr(body(8, []byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1})), []string{"attribute[0].ints", "more than 64 bits"}},
		{"ints as floats", inAttr(fixed32(8, 1)), []string{"attribute[0].ints", "field 8 is 4 bytes"}},
		{"doubles", inTensor(body(10, make([]byte, 12))), []string{"graph.initializer[0].double_data", "want a multiple of 8"}},
		{"two tensors", inAttr(body(5), body(5)), []string{"attribute[0].t", "got a second tensor"}},
		{"two subgraphs", inAttr(body(6), body(6)), []string{"attribute[0].g", "got a second graph"}},
		{"two values", inAttr(str(1, "a"), varint(20, 2), varint(3, 1), fixed32(2, 1)), []string{`attribute "a" has a value of type float beside its type int`}},
		{"two values, untyped", inAttr(varint(3, 1), fixed32(2, 1)), []string{"a value of type int beside its type float"}},
		{"two attributes", inModel(body(1), body(1, str(3, "n"), str(4, "Op"), body(5, str(1, "a")), body(5), body(5), body(5, str(1, "a")))), []string{`graph.node[1] (byte 6): node "n" (Op) has two attributes "a"`}},
		{"deep path", inAttr(body(11), body(11, body(1, body(5, body(5, varint(8, 1)))))), []string{"graph.node[0].attribute[0].graphs[1].node[0].attribute[0].t.name (byte"}},
		{"string of a tensor", inAttr(body(10, varint(6, 1))), []string{"attribute[0].tensors[0].string_data"}},
		{"raw", inTensor(varint(9, 1)), []string{"graph.initializer[0].raw_data"}},
		{"external", inTensor(body(13), body(13, varint(2, 1))), []string{"graph.initializer[0].external_data[1].value"}},
		{"type", inModel(body(11), body(11, varint(2, 1))), []string{"graph.input[1].type"}},
		{"two types", inValue(body(1), body(4)), []string{"graph.input[0].type", "got tensor and sequence"}},
		{"types twice", inModel(body(12, body(2), body(2))), []string{"graph.output[0].type", "got a second type"}},
		{"elem_type", inValue(body(1, str(1, ""))), []string{"graph.input[0].type.tensor_type.elem_type"}},
		{"two shapes", inValue(body(1, body(2), body(2))), []string{"type.tensor_type.shape", "second shape"}},
		{"dim", inValue(body(1, body(2, body(1), body(1, str(1, "a"))))), []string{"type.tensor_type.shape.dim[1].dim_value"}},
		{"opset", cat(inModel(), body(8), body(8, str(2, ""))), []string{"opset_import[1].version"}},
		{"metadata", cat(inModel(), body(14, varint(1, 1))), []string{"metadata_props[0].key"}},
		{"function", cat(inModel(), body(25, varint(1, 1))), []string{"functions[0].name"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := Decode(c.data, Limits{})
			if m != nil {
				t.Error("got a model with the error")
			}
			wantError(t, err, c.want...)
		})
	}
}

// Every proper beginning of a model is refused or a model with less in it; and never
// a panic.
func TestDecodeTruncated(t *testing.T) {
	data, err := Encode(sample())
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for n := range data {
		_, err := Decode(data[:n:n], Limits{})
		var fe *FormatError
		if err != nil && !errors.As(err, &fe) {
			t.Errorf("%d bytes: %v is no *FormatError", n, err)
		}
		if err != nil {
			refused++
		}
	}
	if refused < len(data)*9/10 {
		t.Errorf("%d of %d beginnings refused", refused, len(data))
	}
}

func TestLimits(t *testing.T) {
	many := func(n int, part []byte) []byte { return slices.Repeat(part, n) }
	nested := body(6)
	for range 3 {
		nested = body(6, body(1, body(5, nested)))
	}
	packed := body(8, slices.Repeat([]byte{1}, 6))
	dims := body(1, body(2, many(4, body(1)))) // tensor_type
	for _, c := range []struct {
		name     string
		data     []byte
		good, by Limits
		want     []string
	}{
		{"file", inModel(str(2, "g")), Limits{FileSize: 7}, Limits{FileSize: 6}, []string{"the file has 7 bytes, want at most 6"}},
		{"nodes", inModel(many(3, body(1))), Limits{Nodes: 3}, Limits{Nodes: 2}, []string{"graph.node[2]", "more than 2 nodes"}},
		{"nodes of all graphs", inAttr(body(6, body(1), body(1))), Limits{Nodes: 3}, Limits{Nodes: 2}, []string{"attribute[0].g.node[1]", "more than 2 nodes"}},
		{"attributes", inModel(body(1, body(5)), body(1, body(5), body(5))), Limits{Attrs: 3}, Limits{Attrs: 2}, []string{"graph.node[1].attribute[1]", "more than 2 attributes"}},
		{"tensors", inModel(body(5), body(1, body(5, body(5)))), Limits{Tensors: 2}, Limits{Tensors: 1}, []string{"attribute[0].t", "more than 1 tensors"}},
		{"values", inModel(body(11), body(12), body(13)), Limits{Values: 3}, Limits{Values: 2}, []string{"graph.value_info[0]", "more than 2 values"}},
		{"inputs", inModel(body(1, many(3, str(1, "")))), Limits{NodeArgs: 3}, Limits{NodeArgs: 2}, []string{"graph.node[0].input", "more than 2 names"}},
		{"outputs", inModel(body(1, many(3, str(2, "")))), Limits{NodeArgs: 3}, Limits{NodeArgs: 2}, []string{"graph.node[0].output", "more than 2 names"}},
		{"rank", inTensor(many(4, varint(1, 1))), Limits{Rank: 4}, Limits{Rank: 3}, []string{"graph.initializer[0].dims", "more than 3 dims"}},
		{"packed rank", inTensor(body(1, []byte{1, 1, 1, 1})), Limits{Rank: 4}, Limits{Rank: 3}, []string{"graph.initializer[0].dims", "more than 3 dims"}},
		{"shape", inModel(body(11, body(2, dims))), Limits{Rank: 4}, Limits{Rank: 3}, []string{"shape.dim", "more than 3 dims"}},
		{"name", inModel(str(2, "name")), Limits{NameLen: 4}, Limits{NameLen: 3}, []string{"graph.name", "a string of 4 bytes, want at most 3"}},
		{"depth", inAttr(nested), Limits{Depth: 5}, Limits{Depth: 4}, []string{"g.node[0].attribute[0].g (byte", "more than 4 graphs within each other"}},
		{"packed elements", inAttr(packed), Limits{Elems: 6}, Limits{Elems: 5}, []string{"attribute[0].ints", "more than 5 elements"}},
		{"elements", inAttr(many(6, fixed32(7, 1))), Limits{Elems: 6}, Limits{Elems: 5}, []string{"attribute[0].floats", "more than 5 elements"}},
		{"elements of all lists", inModel(body(1, body(5, packed), body(5, body(5, body(5, []byte{1}))))), Limits{Elems: 7}, Limits{Elems: 6}, []string{"attribute[1].t.int32_data", "more than 6 elements"}},
		{"memory", inTensor(body(7, make([]byte, 1000))), Limits{Memory: 10000}, Limits{Memory: 8000}, []string{"int64_data", "more memory than"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Decode(c.data, c.good); err != nil {
				t.Errorf("within %+v: %v", c.good, err)
			}
			_, err := Decode(c.data, c.by)
			wantError(t, err, c.want...)
		})
	}
}

// Memory follows the size of the file, whatever it is full of.
func TestDecodeMemory(t *testing.T) {
	const n = 100_000
	for name, part := range map[string][]byte{
		"nodes":      body(1),
		"attributes": body(1, slices.Repeat(body(5), 60)),
		"inputs":     body(1, slices.Repeat(str(1, ""), 60)),
		"tensors":    body(5),
		"values":     body(13),
		"shapes":     body(13, body(2, body(1, body(2, slices.Repeat(body(1), 30))))),
		"int64":      body(5, body(7, make([]byte, 120))),
		"strings":    body(5, slices.Repeat(body(6), 60)),
		"external":   body(5, slices.Repeat(body(13), 60)),
		"subgraphs":  body(1, body(5, slices.Repeat(body(11), 60))),
	} {
		data := inModel(slices.Repeat(part, max(1, n/len(part))))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode(data, Limits{})
		runtime.ReadMemStats(&after)
		// Lists that grow take up to three times what they hold in all.
		got, most := after.TotalAlloc-before.TotalAlloc, uint64(3*(1<<20+32*len(data)))
		t.Logf("%s: %d bytes for a file of %d (%v)", name, got, len(data), err)
		if got > most {
			t.Errorf("%s: took %d bytes for a file of %d, want at most %d", name, got, len(data), most)
		}
	}
}
