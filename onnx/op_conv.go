package onnx

import "github.com/convgl/convgl/backend"

var convOps = []op{
	{name: "Conv", since: []int{1, 11, 22}, build: buildConv},
	{name: "ConvTranspose", since: []int{1, 11, 22}, build: buildConvTranspose},
}

func buildConv(c *call) {
	o := backend.Conv{Window: c.window(false), Groups: c.attrs.small("group", 1), Bias: c.given(2)}
	x, w := c.float(0), c.float(1)
	if o.Kernel != nil && c.err == nil {
		c.sameKernel(o.Kernel, 1)
	}
	if o.Bias {
		c.set(0, c.apply(o, x, w, c.float(2)))
		return
	}
	c.set(0, c.apply(o, x, w))
}

// sameKernel checks that the attribute kernel_shape agrees with the weights.
func (c *call) sameKernel(kernel []int, weights int) {
	w := c.sizes(weights)[0]
	if len(w) != len(kernel)+2 {
		c.fail("attribute \"kernel_shape\": got %v for weights %v", kernel, w)
		return
	}
	for i, k := range kernel {
		if w[2+i] != k {
			c.fail("attribute \"kernel_shape\": got %v, and weights %v have another kernel", kernel, w)
			return
		}
	}
}

func buildConvTranspose(c *call) {
	o := backend.ConvTranspose{Window: c.window(false), Groups: c.attrs.small("group", 1), Bias: c.given(2), OutputPadding: c.smalls("output_padding")}
	size := c.smalls("output_shape")
	x, w := c.float(0), c.float(1)
	if o.Kernel != nil && c.err == nil {
		c.sameKernel(o.Kernel, 1)
	}
	if size != nil && c.err == nil {
		c.outputShape(&o, size)
	}
	if o.Bias {
		c.set(0, c.apply(o, x, w, c.float(2)))
		return
	}
	c.set(0, c.apply(o, x, w))
}

// outputShape chooses the pads that give the spatial sizes of y, by the rule of ONNX:
//
//	total = stride·(in−1) + outputPadding + dilation·(kernel−1) + 1 − out
//
// the greater half of which goes to the beginning, and for SAME_UPPER to the end.
func (c *call) outputShape(o *backend.ConvTranspose, size []int) {
	x, w := c.static(0), c.static(1)
	if c.err != nil {
		return
	}
	n := len(x) - 2
	if n > 0 && len(size) == n+2 { // some programs write N and C too
		size = size[2:]
	}
	if n < 1 || len(size) != n || len(w) != n+2 {
		c.fail("attribute \"output_shape\": got %v for x %v and weights %v", size, x, w)
		return
	}
	at := func(list []int, i, def int) int {
		if i < len(list) {
			return list[i]
		}
		return def
	}
	pads := make([]int, 2*n)
	extra := make([]int, n)
	for i := range n {
		extra[i] = at(o.OutputPadding, i, 0)
		total := at(o.Strides, i, 1)*(x[2+i]-1) + extra[i] + at(o.Dilations, i, 1)*(w[2+i]-1) + 1 - size[i]
		if total < 0 {
			// y is longer than what x adds to: it ends with empty sums.
			extra[i] -= total
			total = 0
		}
		pads[i], pads[n+i] = total-total/2, total/2
		if o.AutoPad == backend.SameUpper {
			pads[i], pads[n+i] = pads[n+i], pads[i]
		}
	}
	o.AutoPad, o.Pads, o.OutputPadding = backend.PadExplicit, pads, extra
}

// window reads the attributes of a window. A pooling must give its kernel.
func (c *call) window(pool bool) backend.Window {
	w := backend.Window{Kernel: c.smalls("kernel_shape"), Strides: c.smalls("strides"), Dilations: c.smalls("dilations"), Pads: c.smalls("pads")}
	if pool && w.Kernel == nil {
		c.fail("attribute \"kernel_shape\" is missing")
	}
	switch c.choice("auto_pad", "NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID") {
	case "SAME_UPPER":
		w.AutoPad = backend.SameUpper
	case "SAME_LOWER":
		w.AutoPad = backend.SameLower
	case "VALID":
		w.AutoPad = backend.Valid
	}
	if w.AutoPad != backend.PadExplicit {
		w.Pads = nil // files may have both; auto_pad decides
	}
	return w
}
