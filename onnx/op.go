package onnx

import (
	"cmp"
	"slices"
)

// op is an entry of the table of ops: which versions of an ONNX op are understood, and
// how it is computed.
type op struct {
	name string
	// since lists the versions of the op that are told apart, lowest first: those of the ONNX
	// standard at which its definition changed.
	since []int
	// build adds the op to a graph. It is nil for what only the host computes.
	build func(*call)
	// host computes the op from contents, exactly. It is nil for what only a device
	// computes.
	host hostFunc
	// limits says what of the op is not supported; it goes into the docs.
	limits string
}

// table lists every supported op of ONNX's own domain, by name.
var table = slices.SortedFunc(slices.Values(slices.Concat(
	convOps, poolOps, normOps, activationOps, arithmeticOps, reduceOps, matrixOps, shapeOps, moveOps, resizeOps, lossOps,
)), func(a, b op) int { return cmp.Compare(a.name, b.name) })

// lookup returns the entry of an op and the version of it that a model of the given
// opset means; the version is 0 when the op was not yet there.
func lookup(name string, opset int64) (*op, int) {
	i, ok := slices.BinarySearchFunc(table, name, func(o op, name string) int { return cmp.Compare(o.name, name) })
	if !ok {
		return nil, 0
	}
	version := 0
	for _, v := range table[i].since {
		if int64(v) <= opset {
			version = v
		}
	}
	return &table[i], version
}
