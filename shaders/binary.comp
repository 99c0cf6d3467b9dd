// binary.comp: y = a op b elementwise, each of a and b stretched along the dims in
// which its stride is 0.
// Bindings: 0 a ro, 1 b ro, 2 y wo (std430); y may be an operand of its own shape
// Uniforms: 0 elements of y, channels with MASK; 2 for each dim, innermost first:
// size, divisor m and s (lib/divide.glsl), strides of a and b
// Defines: FN; DIMS 1 to 8; VEC 4 or 1 floats an element; A_SPLAT, B_SPLAT with
// VEC 4: a float for all four lanes, strides in floats; MASK: the innermost dim is
// channels with padding, which gets zeros; LOCAL
// Workgroup: LOCAL x1x1, one element an invocation
// Error: one rounding; division 2.5 ULP, as GLSL has it
#include "lib/invocation.glsl"
#include "lib/divide.glsl"

#define FN_ADD 0
#define FN_SUB 1
#define FN_MUL 2
#define FN_DIV 3

#if VEC == 4
#define VALUE vec4
#else
#define VALUE float
#endif
#ifdef A_SPLAT
layout(std430, binding = 0) readonly buffer A { float a[]; };
#else
layout(std430, binding = 0) readonly buffer A { VALUE a[]; };
#endif
#ifdef B_SPLAT
layout(std430, binding = 1) readonly buffer B { float b[]; };
#else
layout(std430, binding = 1) readonly buffer B { VALUE b[]; };
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

VALUE combine(VALUE p, VALUE q) {
#if FN == FN_ADD
    return p + q;
#elif FN == FN_SUB
    return p - q;
#elif FN == FN_MUL
    return p * q;
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
    uint rest = i, inner = 0u, pa = 0u, pb = 0u;
    for (int d = 0; d < DIMS; d++) {
        int k = 2 + 5 * d;
        uint at = rest;
        if (d < DIMS - 1) {
            rest = divide(rest, uvec2(u[k + 1], u[k + 2]));
            at -= rest * u[k];
        }
        if (d == 0)
            inner = at;
        pa += at * u[k + 3];
        pb += at * u[k + 4];
    }
    VALUE v = VALUE(0);
#ifdef MASK
    if (uint(VEC) * inner < CHANNELS) // the operands may have no such lanes
#endif
        v = combine(VALUE(a[pa]), VALUE(b[pb]));
#if defined MASK && VEC == 4
    v = mix(vec4(0), v, lessThan(uvec4(0u, 1u, 2u, 3u) + 4u * inner, uvec4(CHANNELS)));
#endif
    y[i] = v;
}
