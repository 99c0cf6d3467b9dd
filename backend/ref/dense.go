package ref

import "github.com/convgl/convgl/backend"

// dense computes y[r,o] = b[o] + Σ_k x[r,k]·w[o,k] for each row r of x, then the
// epilogue.
func dense(op backend.Dense) definition {
	return func(in, out []array) {
		x, w, y := &in[0], &in[1], &out[0]
		operands := in[2:]
		if op.Bias {
			operands = in[3:]
		}
		outputs, inputs := w.shape[0], w.shape[1]
		for i := range y.size {
			r, o := i/outputs, i%outputs
			sum := 0.0
			if op.Bias {
				sum = in[2].at(o)
			}
			for k := range inputs {
				sum += x.at(r*inputs+k) * w.at(o*inputs+k)
			}
			y.set(i, epilogue(op.Epilogue, operands, sum, o, i))
		}
	}
}
