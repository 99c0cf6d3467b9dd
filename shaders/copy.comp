// copy.comp: elements copied bit by bit between any strides: a part of a
// concatenation, a transposition, a slice, or a tensor that stretches or repeats.
// Math: y[AT + sum_d j_d*B_d] = x[FROM + sum_d j_d*A_d] for every index j of DIMS
// dims; 0 where j_0 >= VALID, in the padding of y. A is 0 where x stretches, and may
// be negative, modulo 2^32. With WIDTH 4 an invocation writes four neighbours along
// j_0, where x strides by LANE; AT and B count in fours then
// Bindings: 0 x ro (texels if USE_TEXEL), 1 y wo, 32-bit words (std430)
// Uniforms: 0 invocations, VALID, AT, LANE, FROM; 5 for each dim, innermost of y
// first: size, divisor m and s (lib/divide.glsl), A, B
// Defines: DIMS 1 to 11; WIDTH 4 or 1 words; VEC x is read in fours too, and A and
// FROM count in them; LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1
#include "lib/invocation.glsl"
#include "lib/divide.glsl"
#ifdef VEC
#ifdef USE_TEXEL
layout(location = 64, binding = 0) uniform isamplerBuffer x;
#define WORDS(i) uvec4(texelFetch(x, int(i)))
#else
layout(std430, binding = 0) readonly buffer X { uvec4 x[]; };
#define WORDS(i) x[i]
#endif
#else
#ifdef USE_TEXEL
layout(location = 64, binding = 0) uniform usamplerBuffer x;
#define WORD(i) texelFetch(x, int(i)).x
#else
layout(std430, binding = 0) readonly buffer X { uint x[]; };
#define WORD(i) x[i]
#endif
#endif
#if WIDTH == 4
layout(std430, binding = 1) writeonly buffer Y { uvec4 y[]; };
#else
layout(std430, binding = 1) writeonly buffer Y { uint y[]; };
#endif
layout(location = 0) uniform uint u[5 + 5 * DIMS];
#define COUNT u[0]
#define VALID u[1]
#define AT u[2]
#define LANE u[3]
#define FROM u[4]

void main() {
    uint i = invocation();
    if (i >= COUNT)
        return;
    uint rest = i, q, inner, from = FROM, to = AT;
#unroll d DIMS
    q = rest;
#if d < DIMS - 1
    rest = divide(rest, uvec2(u[6 + 5 * d], u[7 + 5 * d]));
    q -= rest * u[5 + 5 * d];
#endif
#if d == 0
    inner = q * uint(WIDTH);
#endif
    from += q * u[8 + 5 * d];
    to += q * u[9 + 5 * d];
#endunroll
#ifdef VEC
    y[to] = WORDS(from);
#elif WIDTH == 4
    uvec4 v = uvec4(0);
    for (int l = 0; l < 4; l++)
        if (inner + uint(l) < VALID)
            v[l] = WORD(from + uint(l) * LANE);
    y[to] = v;
#else
    y[to] = inner < VALID ? WORD(from) : 0u;
#endif
}
