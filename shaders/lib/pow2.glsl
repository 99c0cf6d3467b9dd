// lib/pow2.glsl: powers of two, by which products are exact.

// 2^k for k of -126 to 127
float pow2(int k) { return intBitsToFloat((k + 127) << 23); }

// The k with 2^k <= |v| < 2^(k+1); -127 for 0 and denormals, 128 for Inf and NaN.
int pow2_below(float v) { return int(floatBitsToUint(v) >> 23 & 0xffu) - 127; }
