// lib/trig.glsl: sine and cosine to 3 ULP for every float, also where they are nearly 0;
// NaN for infinities. A driver's own are off by 2^-11 between -pi and pi, and by
// anything beyond.
// Math: v = (4n + q + f) pi/2, |f| <= 1/2, in integers: of the bits of 2/pi those are
// taken, 96 of them, that decide q and f for the exponent of v, and multiplied by its
// 24 bits; what is left out of 4n + q + f is below 2^-70, where |f| > 2^-33.
// Source: Payne and Hanek, Radian Reduction for Trigonometric Functions, 1983
#include "lib/pow2.glsl"
#include "lib/special.glsl"

// 32 zeros, then the bits of 2/pi.
const uint TRIG_BITS[8] = uint[8](0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu);

uint trig_bits(uint word, uint shift) {
    return shift == 0u ? TRIG_BITS[word] : TRIG_BITS[word] << shift | TRIG_BITS[word + 1u] >> (32u - shift);
}

// f pi/2 and q of v >= 0, finite.
float trig_rest(float v, out uint q) {
    q = 0u;
    if (v < 0.785398)
        return v;
    uint b = floatBitsToUint(v), m = (b & 0x7fffffu) | 0x800000u;
    uint at = (b >> 23) - 120u, w = at >> 5, s = at & 31u; // bits of weight 4 and more drop out
    uint high, low, lower, unused, carry;
    umulExtended(m, trig_bits(w + 1u, s), high, low);
    umulExtended(m, trig_bits(w + 2u, s), lower, unused);
    low = uaddCarry(low, lower, carry);
    high += m * trig_bits(w, s) + carry;
    // 4n + q + f is (high, low), with 30 bits of high behind the point.
    q = (high + 0x20000000u) >> 30;
    high -= q << 30;
    bool minus = int(high) < 0;
    if (minus) {
        low = ~low + 1u;
        high = ~high + (low == 0u ? 1u : 0u);
    }
    int down = -30;
    if (high == 0u) {
        high = low;
        low = 0u;
        down = -62;
    }
    int up = 31 - findMSB(high);
    if (up > 0)
        high = high << up | low >> (32 - up);
    // The upper 24 bits are a float, and so is the rest.
    float f = float(high >> 8) * pow2(down - up + 8), g = float(high & 0xffu) * pow2(down - up);
    float r = f * 1.57079637 + (g * 1.57079637 - f * 4.37113883e-8);
    return minus ? -r : r;
}

// The sine of (q + f) pi/2, r = f pi/2. Both polynomials interpolate at the Chebyshev
// points of r^2 <= (pi/4)^2.
float trig_wave(float r, uint q) {
    float z = r * r;
    float s = -0.00019587639;
    s = fma(s, z, 0.00833274703);
    s = fma(s, z, -0.166666642);
    float c = 2.45476895e-05;
    c = fma(c, z, -0.00138883013);
    c = fma(c, z, 0.0416666642);
    float y = (q & 1u) == 0u ? fma(r * z, s, r) : fma(z, fma(z, c, -0.5), 1.0);
    return (q & 2u) == 0u ? y : -y;
}

bool trig_finite(float v) { return (floatBitsToUint(v) & 0x7fffffffu) < 0x7f800000u; }

float trig_sin(float v) {
    uint q;
    float y = trig_wave(trig_rest(trig_finite(v) ? abs(v) : 0.0, q), q);
    return trig_finite(v) ? (v < 0.0 ? -y : y) : QUIET_NAN;
}

float trig_cos(float v) {
    uint q;
    float r = trig_rest(trig_finite(v) ? abs(v) : 0.0, q);
    return trig_finite(v) ? trig_wave(r, q + 1u) : QUIET_NAN;
}
