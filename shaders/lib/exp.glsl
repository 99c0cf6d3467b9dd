// lib/exp.glsl: e^x to 2 ULP; +Inf above 88.73, NaN stays NaN. Results below
// 2^-126 may be flushed to 0. And e^x - 1 for x <= 0 to 2 ULP, also near 0.
// Math: x = k ln2 + r, |r| <= ln2/2; e^x = 2^k (1 + r + r^2 q(r)), q of degree 4
// interpolated at the Chebyshev points; e^x - 1 = 2^k (r + r^2 q(r)) + (2^k - 1).
#include "lib/nan.glsl"
#include "lib/pow2.glsl"

// e^r - 1, where x = k ln2 + r.
float exp_rest(float x, out float k) {
    k = floor(x * 1.44269502 + 0.5);
    // ln2 in two parts: the first has 9 bits, so that k times it is exact.
    float r = fma(-k, 0.693359375, x);
    r = fma(k, 0.000212194442, r);
    float q = 0.00139263924;
    q = fma(q, r, 0.00836334564);
    q = fma(q, r, 0.0416665524);
    q = fma(q, r, 0.166665763);
    q = fma(q, r, 0.5);
    return fma(r * r, q, r);
}

float exp_e(float x) {
    float k, p = exp_rest(clamp(x, -104.0, 89.0), k) + 1.0;
    // In two steps: 2^128 is no float, and 2^-140 no normal one.
    int n = int(k), h = n / 2;
    float y = p * pow2(h) * pow2(n - h);
    return nan_is(x) ? x : y;
}

vec4 exp_e(vec4 x) { return vec4(exp_e(x.x), exp_e(x.y), exp_e(x.z), exp_e(x.w)); }

// For x <= 0; from -20 on it is -1.
float exp_m1(float x) {
    float k, m = exp_rest(max(x, -20.0), k), s = pow2(int(k));
    float y = fma(s, m, s - 1.0);
    return nan_is(x) ? x : y;
}
