package ref

import "github.com/convgl/convgl/backend"

// pad computes y[i,…] = x[i − begin,…] where that exists; elsewhere the mode says
// which element, or the constant.
func pad(op backend.Pad, d backend.Desc) definition {
	own := d.In[0].Shape.Strides()
	return func(in, out []array) {
		x, y := &in[0], &out[0]
		for i := range y.size {
			from, exists := 0, true // the element of x
			rest := i
			for k := len(y.shape) - 1; k >= 0; k-- {
				at := rest%y.shape[k] - padBegin(op, k)
				rest /= y.shape[k]
				last := x.shape[k] - 1
				if at < 0 || at > last {
					switch op.Mode {
					case backend.PadConstant:
						exists = false
					case backend.PadEdge:
						at = min(max(at, 0), last)
					case backend.PadReflect:
						if at < 0 {
							at = -at
						} else {
							at = 2*last - at
						}
					case backend.PadWrap:
						if at %= x.shape[k]; at < 0 {
							at += x.shape[k]
						}
					}
				}
				from += at * own[k]
			}
			if exists {
				y.set(i, x.at(from))
			} else {
				y.set(i, float64(op.Value))
			}
		}
	}
}

// padBegin is the padding in front of dim k; no list of pads stands for zeros.
func padBegin(op backend.Pad, k int) int {
	if op.Pads == nil {
		return 0
	}
	return op.Pads[k]
}
