// lib/activation.glsl: y = act(v), one of the kinds below, chosen by ACT.
// NaN gives NaN for every kind. The driver's own tanh, exp and max are not used:
// they are inaccurate near 0, or turn NaN into a number.
// Defines: ACT (default ACT_NONE)
// Parameters: a, b: leaky ReLU a = slope; clip a = low, b = high; else unused
// Error: sigmoid 3 ULP, tanh 3 ULP, others exact (leaky ReLU one rounding)
#include "lib/exp.glsl"
#include "lib/nan.glsl"

#define ACT_NONE 0
#define ACT_RELU 1
#define ACT_LEAKY_RELU 2
#define ACT_CLIP 3
#define ACT_SIGMOID 4
#define ACT_TANH 5

#ifndef ACT
#define ACT ACT_NONE
#endif

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

float act_apply(float v, float a, float b) {
#if ACT == ACT_NONE
    return v;
#elif ACT == ACT_RELU
    return act_relu(v);
#elif ACT == ACT_LEAKY_RELU
    return act_leaky_relu(v, a);
#elif ACT == ACT_CLIP
    return act_clip(v, a, b);
#elif ACT == ACT_SIGMOID
    return act_sigmoid(v);
#elif ACT == ACT_TANH
    return act_tanh(v);
#else
#error "ACT is none of the activations of lib/activation.glsl"
#endif
}

vec4 act_apply(vec4 v, float a, float b) {
    return vec4(act_apply(v.x, a, b), act_apply(v.y, a, b), act_apply(v.z, a, b), act_apply(v.w, a, b));
}
