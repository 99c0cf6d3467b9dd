// lib/power.glsl: x / d^p for d >= 0 and p >= 0, also where d^p alone is out of
// range. Error: 4 ULP for p up to 2 whatever d, 7 ULP for p = 7.
// Math: p ln d = hi + lo, each rounded once, and e^-(hi+lo) = e^-hi (1 - lo).
// d = 0 gives x / 0, d = Inf gives x / Inf, d = NaN gives NaN; p = 0 gives x.
#include "lib/exp.glsl"
#include "lib/special.glsl"

float power_quotient(float x, float d, float p) {
    if (p == 0.0)
        return x;
    p = min(p, 1e30); // its product with any logarithm is finite, and out of range
    // ln d = k ln2 + l as in lib/log.glsl, kept in two floats.
    float scaled = d < 1e-30 ? d * 18446744073709551616.0 : d; // no denormals
    int b = floatBitsToInt(scaled), e = (b - 0x3f3504f3) >> 23;
    float f = intBitsToFloat(b - (e << 23)) - 1.0;
    float s = f / (2.0 + f), z = s * s;
    float r = fma(z, 0.295799494, 0.3998878);
    r = z * fma(z, r, 0.666666865);
    float k = float(d < 1e-30 ? e - 64 : e);
    precise float high = k * 0.693359375; // exact: 9 bits
    precise float low = f - fma(s, f - r, k * 0.000212194442);
    precise float hi = p * high;
    precise float lo = fma(p, high, -hi) + p * low;
    precise float v = hi + lo;
    precise float rest = (hi - v) + lo;
    // In range of e^v: 2^64 is 44.3614197, less 1.2e-7, on the scale of v.
    float by = 1.0;
    if (abs(v) > 60.0) {
        precise float nearer = v > 0.0 ? v - 44.3614197 : v + 44.3614197;
        rest += v > 0.0 ? 1.218e-7 : -1.218e-7;
        by = v > 0.0 ? 5.42101086e-20 : 18446744073709551616.0;
        v = nearer;
    }
    float y = exp_e(-v);
    y = x * (y * (1.0 - rest)) * by;
    // The driver may fold 0 * Inf and 0 / 0.
    if (d == 0.0)
        return x == 0.0 || nan_is(x) ? QUIET_NAN : x * uintBitsToFloat(0x7f800000u);
    if ((floatBitsToUint(d) & 0x7fffffffu) < 0x7f800000u)
        return y;
    return nan_is(d) || (floatBitsToUint(x) & 0x7fffffffu) >= 0x7f800000u ? QUIET_NAN : 0.0;
}
