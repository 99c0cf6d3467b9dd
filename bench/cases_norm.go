package bench

import "github.com/convgl/convgl/backend"

// normTensors reads the tensors of an op that normalises by its input's statistics.
func (r *caseReader) normTensors() {
	r.input("x")
	r.input("scale")
	r.input("bias")
	r.output("y")
}

func groupNormCase(r *caseReader) backend.Op {
	var op backend.GroupNorm
	r.need("groups", &op.Groups)
	r.need("eps", &op.Epsilon)
	r.normTensors()
	return op
}

func instanceNormCase(r *caseReader) backend.Op {
	var op backend.InstanceNorm
	r.need("eps", &op.Epsilon)
	r.normTensors()
	return op
}

func layerNormCase(r *caseReader) backend.Op {
	var op backend.LayerNorm
	r.need("axis", &op.Axis)
	r.need("eps", &op.Epsilon)
	r.normTensors()
	return op
}

func lrnCase(r *caseReader) backend.Op {
	var op backend.LRN
	r.need("size", &op.Size)
	r.need("alpha", &op.Alpha)
	r.need("beta", &op.Beta)
	r.need("k", &op.K)
	r.input("x")
	r.output("y")
	return op
}
