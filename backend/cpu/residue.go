package cpu

import "slices"

// residue is the taps of one dim of a transposed convolution that the outputs p
// with p + begin ≡ q modulo the stride read: tap t reads for them the input
// ⌊(p+begin)/stride⌋ − shift.
type residue struct {
	q           int
	taps, shift []int
}

// residues returns the classes of a dim that have taps, by ascending q.
func residues(kernel, stride, dilation int) []residue {
	var rs []residue
	for t := range kernel {
		q, s := t*dilation%stride, t*dilation/stride
		i, ok := slices.BinarySearchFunc(rs, q, func(r residue, q int) int { return r.q - q })
		if !ok {
			rs = slices.Insert(rs, i, residue{q: q})
		}
		rs[i].taps, rs[i].shift = append(rs[i].taps, t), append(rs[i].shift, s)
	}
	return rs
}

// outputs returns the outputs of the class below out: the first, its
// ⌊(p+begin)/stride⌋, and their number. The others follow at distances of stride.
func (r *residue) outputs(stride, begin, out int) (at, m, n int) {
	at = ((r.q-begin)%stride + stride) % stride
	if at >= out {
		return at, 0, 0
	}
	return at, (at + begin - r.q) / stride, (out-at-1)/stride + 1
}

// transposeTaps returns the taps of a kernel, by their row-major number, such that
// those of one class of outputs are neighbours; and the classes in that order.
func transposeTaps(kernel, stride, dilation [3]int) (order []int, classes [][3]residue) {
	var rs [3][]residue
	for i := range rs {
		rs[i] = residues(kernel[i], stride[i], dilation[i])
	}
	for _, z := range rs[0] {
		for _, y := range rs[1] {
			for _, x := range rs[2] {
				classes = append(classes, [3]residue{z, y, x})
				for _, tz := range z.taps {
					for _, ty := range y.taps {
						for _, tx := range x.taps {
							order = append(order, (tz*kernel[1]+ty)*kernel[2]+tx)
						}
					}
				}
			}
		}
	}
	return order, classes
}
