// lib/exp.glsl: e^x to 2 ULP; +Inf above 88.73, NaN stays NaN. Results below
// 2^-126 may be flushed to 0.
// Math: x = k ln2 + r, |r| <= ln2/2; e^x = 2^k (1 + r + r^2 q(r)), q of degree 4
// interpolated at the Chebyshev points.
#include "lib/nan.glsl"

float exp_pow2(int k) { return intBitsToFloat((k + 127) << 23); }

float exp_e(float x) {
    float c = clamp(x, -104.0, 89.0);
    float k = floor(c * 1.44269502 + 0.5);
    // ln2 in two parts: the first has 9 bits, so that k times it is exact.
    float r = fma(-k, 0.693359375, c);
    r = fma(k, 0.000212194442, r);
    float q = 0.00139263924;
    q = fma(q, r, 0.00836334564);
    q = fma(q, r, 0.0416665524);
    q = fma(q, r, 0.166665763);
    q = fma(q, r, 0.5);
    float p = fma(r * r, q, r) + 1.0;
    // In two steps: 2^128 is no float, and 2^-140 no normal one.
    int n = int(k), h = n / 2;
    float y = p * exp_pow2(h) * exp_pow2(n - h);
    return nan_is(x) ? x : y;
}

vec4 exp_e(vec4 x) { return vec4(exp_e(x.x), exp_e(x.y), exp_e(x.z), exp_e(x.w)); }
