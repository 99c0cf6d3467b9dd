// binary.comp: y = a op b elementwise, each of a and b stretched along the dims in
// which its stride is 0.
// Bindings: 0 a ro, 1 b ro (texels if USE_TEXEL), 2 y wo (std430); y may be an operand of its own shape
// Uniforms: 0 elements of y, channels with MASK; 2 for each dim, innermost first:
// size, divisor m and s (lib/divide.glsl), strides of a and b
// Defines: FN; DIMS 1 to 8; VEC 4 or 1 floats an element; A_SPLAT, B_SPLAT with
// VEC 4: a float for all four lanes, strides in floats; MASK: the innermost dim is
// channels with padding, which gets zeros; LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, one element an invocation
// Error: one rounding; division 2.5 ULP, as GLSL has it; powers as in lib/pow.glsl;
// what compares or chooses is exact
#include "lib/invocation.glsl"
#include "lib/divide.glsl"
#include "lib/nan.glsl"
#include "lib/source.glsl"

#define FN_ADD 0
#define FN_SUB 1
#define FN_MUL 2
#define FN_DIV 3
#define FN_PRELU 4
#define FN_MAX 5
#define FN_MIN 6
#define FN_POW 7
#define FN_LESS 8
#define FN_LESS_OR_EQUAL 9
#define FN_GREATER 10
#define FN_GREATER_OR_EQUAL 11
#define FN_EQUAL 12

#if VEC == 4
#define VALUE vec4
#else
#define VALUE float
#endif
#if VEC == 4 && !defined A_SPLAT
SOURCE4(0, 64, A, a);
#define FETCH_A(i) FETCH4(a, i)
#else
SOURCE1(0, 64, A, a);
#define FETCH_A(i) FETCH1(a, i)
#endif
#if VEC == 4 && !defined B_SPLAT
SOURCE4(1, 65, B, b);
#define FETCH_B(i) FETCH4(b, i)
#else
SOURCE1(1, 65, B, b);
#define FETCH_B(i) FETCH1(b, i)
#endif
layout(std430, binding = 2) writeonly buffer Y { VALUE y[]; };
layout(location = 0) uniform uint u[2 + 5 * DIMS];
#define COUNT u[0]
#define CHANNELS u[1]

#if FN == FN_DIV
#include "lib/quotient.glsl"
#define EACH quotient
#elif FN == FN_POW
#include "lib/pow.glsl"
#define EACH pow_of
#else
#define EACH each_of
// NaN by its bits: comparisons answer differently from driver to driver.
float each_of(float p, float q) {
    bool nan = nan_is(p) || nan_is(q);
#if FN == FN_PRELU
    return p >= 0.0 || nan_is(p) ? p : p * q;
#elif FN == FN_MAX
    return nan ? p + q : max(p, q);
#elif FN == FN_MIN
    return nan ? p + q : min(p, q);
#elif FN == FN_LESS
    return !nan && p < q ? 1.0 : 0.0;
#elif FN == FN_LESS_OR_EQUAL
    return !nan && p <= q ? 1.0 : 0.0;
#elif FN == FN_GREATER
    return !nan && p > q ? 1.0 : 0.0;
#elif FN == FN_GREATER_OR_EQUAL
    return !nan && p >= q ? 1.0 : 0.0;
#else
    return !nan && p == q ? 1.0 : 0.0;
#endif
}
#endif

VALUE combine(VALUE p, VALUE q) {
#if FN == FN_ADD
    return p + q;
#elif FN == FN_SUB
    return p - q;
#elif FN == FN_MUL
    return p * q;
#elif VEC == 4
    return vec4(EACH(p.x, q.x), EACH(p.y, q.y), EACH(p.z, q.z), EACH(p.w, q.w));
#else
    return EACH(p, q);
#endif
}

void main() {
    uint i = invocation();
    if (i >= COUNT)
        return;
    uint rest = i, at, inner, pa = 0u, pb = 0u;
#unroll d DIMS
    at = rest;
#if d < DIMS - 1
    rest = divide(rest, uvec2(u[3 + 5 * d], u[4 + 5 * d]));
    at -= rest * u[2 + 5 * d];
#endif
#if d == 0
    inner = at;
#endif
    pa += at * u[5 + 5 * d];
    pb += at * u[6 + 5 * d];
#endunroll
    VALUE v = VALUE(0);
#ifdef MASK
    if (uint(VEC) * inner < CHANNELS) // the operands may have no such lanes
#endif
        v = combine(VALUE(FETCH_A(int(pa))), VALUE(FETCH_B(int(pb))));
#if defined MASK && VEC == 4
    v = mix(vec4(0), v, lessThan(uvec4(0u, 1u, 2u, 3u) + 4u * inner, uvec4(CHANNELS)));
#endif
    y[i] = v;
}
