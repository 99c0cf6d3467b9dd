// lib/activation.glsl: the activation functions, act_relu(v), act_clip(v, low, high) and
// so on. NaN gives NaN for every one; an infinite v gives the limit. The driver's own
// tanh, exp and max are not used: they are inaccurate near 0, or turn NaN into a number.
// Defines: ACT, the function that act_apply is, and ACT_ARGS, the number of its
// constants, for kernels that use it
// Error: relu, clip exact; leaky relu one rounding, hard sigmoid two; sigmoid, tanh, exp,
// elu, selu, softplus, softsign, hard swish 3 ULP; silu, mish 5, celu 6; gelu 6 and below 0
// (v^2/2) u relative; gelu_tanh 5 and below 0 3|t| u, with the t of act_gelu_tanh; log 1,
// reciprocal 2.5, erf, sin, cos 3, sqrt 4.5; abs, neg, ceil, floor, round, sign and
// thresholded relu exact
#include "lib/exp.glsl"
#include "lib/log.glsl"
#include "lib/nan.glsl"
#include "lib/quotient.glsl"
#include "lib/special.glsl"
#include "lib/trig.glsl"

float act_relu(float v) { return v > 0.0 || nan_is(v) ? v : 0.0; }

float act_leaky_relu(float v, float slope) { return v >= 0.0 || nan_is(v) ? v : v * slope; }

float act_clip(float v, float low, float high) { return nan_is(v) ? v : min(max(v, low), high); }

// e^-|v| is at most 1, so nothing overflows and nothing cancels on either side.
float act_sigmoid(float v) {
    float e = exp_e(-abs(v));
    float y = (v < 0.0 ? e : 1.0) / (1.0 + e);
    return nan_is(v) ? v : y;
}

// Near 0 an odd polynomial (v^2 <= 0.39, interpolated at the Chebyshev points);
// elsewhere 1 - 2/(e^2|v| + 1), where the subtraction loses at most one bit.
float act_tanh(float v) {
    float a = abs(v), z = v * v;
    float p = -0.00608911831;
    p = fma(p, z, 0.0209919494);
    p = fma(p, z, -0.0538498051);
    p = fma(p, z, 0.133327618);
    p = fma(p, z, -0.333333284);
    float small = v * fma(p, z, 1.0);
    float large = 1.0 - 2.0 / (exp_e(2.0 * min(a, 20.0)) + 1.0);
    large = v < 0.0 ? -large : large;
    return nan_is(v) ? v : (a < 0.625 ? small : large);
}

float act_elu(float v, float alpha) { return v >= 0.0 || nan_is(v) ? v : alpha * exp_m1(v); }

// The constants are lambda and lambda alpha.
float act_selu(float v) { return nan_is(v) ? v : (v >= 0.0 ? 1.05070102 * v : 1.75809932 * exp_m1(v)); }

// Division is promised to be accurate for divisors of middling size only; scaling both
// by a power of two leaves the quotient as it is. A tiny one may be flushed to 0.
float act_celu(float v, float alpha) {
    float k = alpha > 1.0e30 ? 2.3283064e-10 : (alpha < 1.0e-30 ? 4294967296.0 : 1.0);
    float t = (v * k) / (alpha * k);
    float y = t > -5.96046448e-8 ? v : alpha * exp_m1(t);
    return v >= 0.0 || nan_is(v) ? v : y;
}

float act_hard_sigmoid(float v, float alpha, float beta) {
    return nan_is(v) ? v : clamp(fma(alpha, v, beta), 0.0, 1.0);
}

float act_softplus(float v) {
    float y = max(v, 0.0) + log_1p(exp_e(-abs(v)));
    return nan_is(v) ? v : y;
}

// From 2^25 on it rounds to 1, so that the divisor need not be large or infinite.
float act_softsign(float v) {
    float c = clamp(v, -1.0e9, 1.0e9);
    return nan_is(v) ? v : c / (1.0 + abs(c));
}

// v gate, and below -200, where every gate is shut, 0: -Inf times 0 is NaN.
float act_gated(float v, float gate) {
    float y = v < -200.0 ? 0.0 : v * gate;
    return nan_is(v) ? v : y;
}

float act_silu(float v) { return act_gated(v, act_sigmoid(v)); }

float act_hard_swish(float v) { return act_gated(v, clamp(v + 3.0, 0.0, 6.0) * 0.166666672); }

// tanh(ln(1+x)) = (x^2 + 2x)/(x^2 + 2x + 2) with x = e^v, and both sides times e^2
// with e = 1/x where v is positive: all terms are positive and at most 5.
float act_mish(float v) {
    float e = exp_e(-abs(v)), p = v < 0.0 ? 1.0 : e, q = v < 0.0 ? e : 1.0;
    float n = q * fma(2.0, p, q);
    return act_gated(v, n / fma(2.0 * p, p, n));
}

// The normal distribution's P(-a) for 0 <= a <= 40: e^(-a^2/2) S(t) / (a+4) with
// t = (a-4)/(a+4): S falls slowly from 2 to 0.4, and is interpolated at the Chebyshev
// points of a from 0 to 14.5, where P(-a) is 0.
float act_normal_tail(float a) {
    float w = 1.0 / (a + 4.0), t = (a - 4.0) * w;
    float s = -0.000122983154;
    s = fma(s, t, 0.000194801847);
    s = fma(s, t, 0.0015693137);
    s = fma(s, t, -0.00352357398);
    s = fma(s, t, -0.00752721308);
    s = fma(s, t, 0.0604064688);
    s = fma(s, t, -0.186523005);
    s = fma(s, t, 0.387136668);
    s = fma(s, t, -0.607896626);
    s = fma(s, t, 0.755285144);
    return exp_e(-0.5 * a * a) * s * w;
}

// The gate is P(v) = 1 - P(-v).
float act_gelu(float v) {
    float p = act_normal_tail(min(abs(v), 40.0));
    return act_gated(v, v < 0.0 ? p : 1.0 - p);
}

// (1 + tanh u)/2 = sigmoid(2u); t = 2u, with the factors 2 sqrt(2/pi) and 0.044715 times it
float act_gelu_tanh(float v) {
    float t = v * fma(v * v, 0.0713548139, 1.59576917);
    return act_gated(v, act_sigmoid(t));
}

float act_exp(float v) { return exp_e(v); }

float act_abs(float v) { return uintBitsToFloat(floatBitsToUint(v) & 0x7fffffffu); }

float act_neg(float v) { return uintBitsToFloat(floatBitsToUint(v) ^ 0x80000000u); }

float act_ceil(float v) { return nan_is(v) ? v : ceil(v); }

float act_floor(float v) { return nan_is(v) ? v : floor(v); }

float act_round(float v) { return nan_is(v) ? v : roundEven(v); }

float act_sign(float v) { return v == 0.0 || nan_is(v) ? v : (v > 0.0 ? 1.0 : -1.0); }

bool act_infinite(float v) { return (floatBitsToUint(v) & 0x7fffffffu) == 0x7f800000u; }

// A driver may have the root as 1/inversesqrt, which has no 0 and no infinity.
float act_sqrt(float v) {
    float y = v == 0.0 || act_infinite(v) ? v : sqrt(v);
    return nan_is(v) ? v : (v < 0.0 ? QUIET_NAN : y);
}

float act_reciprocal(float v) { return nan_is(v) ? v : quotient(1.0, v); }

float act_log(float v) {
    bool small = v < 1.0e-30;
    float y = log_scaled(small ? v * 18446744073709551616.0 : v, small ? 64 : 0);
    y = v == 0.0 ? MINUS_INF : (v < 0.0 ? QUIET_NAN : y);
    return nan_is(v) || v > 0.0 && act_infinite(v) ? v : y;
}

// Below 1 an odd polynomial (interpolated at the Chebyshev points of v^2); from there
// on 1 - 2 P(-a), a = sqrt2 v, of which the subtraction loses nothing.
float act_erf(float v) {
    float a = abs(v), z = v * v;
    float p = -9.66704465e-06;
    p = fma(p, z, 0.000112659589);
    p = fma(p, z, -0.000848408032);
    p = fma(p, z, 0.00522103161);
    p = fma(p, z, -0.0268654302);
    p = fma(p, z, 0.112837821);
    p = fma(p, z, -0.376126379);
    p = fma(p, z, 1.12837923);
    float large = 1.0 - 2.0 * act_normal_tail(1.41421354 * min(a, 28.0));
    large = v < 0.0 ? -large : large;
    return nan_is(v) ? v : (a < 1.0 ? v * p : large);
}

float act_thresholded_relu(float v, float alpha) { return v > alpha || nan_is(v) ? v : 0.0; }

float act_sin(float v) { return nan_is(v) ? v : trig_sin(v); }

float act_cos(float v) { return nan_is(v) ? v : trig_cos(v); }

#ifdef ACT
float act_apply(float v, float a, float b) {
#if ACT_ARGS == 0
    return ACT(v);
#elif ACT_ARGS == 1
    return ACT(v, a);
#else
    return ACT(v, a, b);
#endif
}

vec4 act_apply(vec4 v, float a, float b) {
    return vec4(act_apply(v.x, a, b), act_apply(v.y, a, b), act_apply(v.z, a, b), act_apply(v.w, a, b));
}
#endif
