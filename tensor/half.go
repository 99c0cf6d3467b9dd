package tensor

import "math"

// Float16frombits returns the value of the IEEE 754 binary16 number with these
// bits: a sign, 5 bits of exponent, 10 of fraction. float32 holds each exactly.
func Float16frombits(b uint16) float32 {
	sign := uint32(b>>15) << 31
	exp := uint32(b >> 10 & 0x1f)
	frac := uint32(b & 0x3ff)
	switch exp {
	case 0: // zero or subnormal: frac · 2⁻²⁴
		return math.Float32frombits(sign | math.Float32bits(float32(frac)*0x1p-24))
	case 0x1f: // infinity or NaN
		exp = 0xff
	default:
		exp += 127 - 15
	}
	return math.Float32frombits(sign | exp<<23 | frac<<13)
}

// BFloat16frombits returns the value of the bfloat16 number with these bits,
// which are the upper half of the float32 of the same value.
func BFloat16frombits(b uint16) float32 {
	return math.Float32frombits(uint32(b) << 16)
}
