// binary.comp: y = a op b elementwise, each of a and b stretched along the dims in
// which its stride is 0.
// Bindings: 0 a ro, 1 b ro (texels if USE_TEXEL), 2 y wo (std430); y may be an operand of its own shape
// Uniforms: 0 elements of y, channels with MASK; 2 for each dim, innermost first:
// size, divisor m and s (lib/divide.glsl), strides of a and b
// Defines: FN; DIMS 1 to 8; VEC 4 or 1 floats an element; A_SPLAT, B_SPLAT with
// VEC 4: a float for all four lanes, strides in floats; MASK: the innermost dim is
// channels with padding, which gets zeros; LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, one element an invocation
// Error: one rounding; division 2.5 ULP, as GLSL has it
#include "lib/invocation.glsl"
#include "lib/divide.glsl"
#include "lib/nan.glsl"
#include "lib/source.glsl"

#define FN_ADD 0
#define FN_SUB 1
#define FN_MUL 2
#define FN_DIV 3
#define FN_PRELU 4

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

// GLSL promises accuracy for divisors of middling size only; scaling both by a
// power of two leaves the quotient as it is.
float quotient(float p, float q) {
    float m = abs(q);
    float k = m > 1.0e30 ? 2.3283064e-10 : (m < 1.0e-30 ? 4294967296.0 : 1.0);
    return (p * k) / (q * k);
}

float prelu(float v, float slope) { return v >= 0.0 || nan_is(v) ? v : v * slope; }

VALUE combine(VALUE p, VALUE q) {
#if FN == FN_ADD
    return p + q;
#elif FN == FN_SUB
    return p - q;
#elif FN == FN_MUL
    return p * q;
#elif FN == FN_PRELU && VEC == 4
    return vec4(prelu(p.x, q.x), prelu(p.y, q.y), prelu(p.z, q.z), prelu(p.w, q.w));
#elif FN == FN_PRELU
    return prelu(p, q);
#elif VEC == 4
    return vec4(quotient(p.x, q.x), quotient(p.y, q.y), quotient(p.z, q.z), quotient(p.w, q.w));
#else
    return quotient(p, q);
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
