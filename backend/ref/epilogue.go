package ref

import "github.com/convgl/convgl/backend"

// epilogue applies the steps one after the other, in float64, to the value v of
// element number i, which belongs to a channel. The operands are those of the
// steps, in their order.
func epilogue(steps backend.Epilogue, operands []array, v float64, channel, i int) float64 {
	for _, s := range steps {
		switch s.Kind {
		case backend.ScaleShift:
			v = v*operands[0].at(channel) + operands[1].at(channel)
			operands = operands[2:]
		case backend.Residual:
			v += operands[0].at(i)
			operands = operands[1:]
		case backend.Activate:
			v = act(s.Act, v)
		}
	}
	return v
}
